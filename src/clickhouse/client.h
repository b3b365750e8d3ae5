/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements to ClickHouse and their answers, over its HTTP interface. A call waits for its answer;
 * any thread may call, each on a kept connection of its own. A host that does not answer is left
 * for the next one of the address.
 *
 * What went wrong is one sentence and a status: DENIED (who we are), NOT_FOUND (database or table),
 * INVALID (the schema is not ours, the server is too old), FULL (its disk), BUSY (not reachable, or
 * out of memory, or overrun: repeat later), UPSTREAM (anything else, and an answer that breaks
 * off).
 */
#pragma once

#include "base/buffer.h"
#include "base/slice.h"
#include "base/status.h"
#include "clickhouse/clickhouse_address.h"

#include <stdbool.h>
#include <stdint.h>

/* ClickHouse's own codes that somebody acts on. */
#define OI_CLICKHOUSE_TABLE_EXISTS 57
#define OI_CLICKHOUSE_NO_ZOOKEEPER 225
#define OI_CLICKHOUSE_REPLICA_EXISTS 253
#define OI_CLICKHOUSE_KEEPER 999

struct oi_clickhouse_client;

enum oi_status oi_clickhouse_client_new(const struct oi_clickhouse_address *address,
                                        struct oi_clickhouse_client **ret_client,
                                        struct oi_error *error);
void oi_clickhouse_client_free(struct oi_clickhouse_client **client);

struct oi_clickhouse_call {
    const char *statement;
    struct oi_slice data; /* behind an INSERT … FORMAT Native */
    const char *settings; /* "a=1&b=2", or NULL */
    bool is_repeatable;   /* doing it twice is as good as once: repeated when a connection breaks */
    bool without_database; /* the database may not exist yet */
    /* The answer is FORMAT Native, which shows by itself where it breaks off: it need not be whole
     * over there before its first byte leaves. */
    bool is_native;
    uint64_t timeout_ms; /* 0: a minute */
    unsigned rounds;     /* how often every host is asked; 0: three times, with pauses */
    int *ret_code;       /* ClickHouse's code when it refused; may be NULL */
};

/* The answer's bytes are appended to `out` (may be NULL). */
enum oi_status oi_clickhouse_run(struct oi_clickhouse_client *client,
                                 const struct oi_clickhouse_call *call, struct oi_buffer *out,
                                 struct oi_error *error);
/* The first value of the first row, as text. */
enum oi_status oi_clickhouse_ask(struct oi_clickhouse_client *client, const char *statement,
                                 char *ret_text, size_t size, struct oi_error *error);
const struct oi_clickhouse_address *
oi_clickhouse_client_address(const struct oi_clickhouse_client *client);

/* What an answer that is an exception means: its code (0: none) and its sentence. Pure. */
int oi_clickhouse_exception(struct oi_slice body, struct oi_slice *ret_text);
