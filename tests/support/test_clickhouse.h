/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ClickHouse server for a test program: started on a free port of the loopback with a folder of
 * its own, ended by its process id. A store's path becomes a database of its own.
 */
#pragma once

#include "store/store.h"

#include <stdbool.h>

/* Stands for ClickHouse where tests name an engine; it has a name and nothing else. */
extern const struct oi_kv_engine test_clickhouse_engine;

/* False, having said so in a sentence, where there is no clickhouse-server. */
bool test_clickhouse_start(void);
void test_clickhouse_stop(void);
/* The address of a database of the server that is running. */
void test_clickhouse_address(const char *database, char *text, size_t size);
/* That of the database that a store's path becomes. */
void test_clickhouse_address_of(const char *path, char *text, size_t size);
/* Like oi_store_open; embedded unless options->engine bears our engine's name. */
enum oi_status test_clickhouse_open(const char *path, const struct oi_store_options *options,
                                    struct oi_store **ret_store, struct oi_error *error);
/* Hang and go on, or die: for tests of what happens then. */
void test_clickhouse_signal(int number);
/* Start the server that died again, on the same port and folder. */
void test_clickhouse_restart(void);
