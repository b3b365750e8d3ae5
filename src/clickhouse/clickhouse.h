/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store whose rows are in ClickHouse, behind store/store.h. What is small (catalogue, ledgers,
 * newest rows) is a mirror in this process that follows the table `events`; rows are written and
 * read by blocks. See store/remote.h for how the two share one code.
 */
#pragma once

#include "clickhouse/clickhouse_address.h"
#include "store/store.h"

struct oi_clickhouse_options {
    const struct oi_clock *clock; /* NULL: the machine's */
    bool is_read_only;
    size_t chunk_rows; /* rows of a first block, for tests; 0: OI_CHUNK_ROWS */
    int64_t turn_ns;   /* after which another's turn is given up, for tests; 0: a minute */
    /* Hours and days are made ready after so many rows, for tests; 0: see filling.h. */
    uint64_t fill_rows;
    /* So many rows are verified together, for tests; 0: see verifying.c. */
    uint64_t verify_rows;
    bool keeps_at_once; /* all answers, and not only those that are asked for again, for tests */
    /* Where batches wait while ClickHouse is away; NULL: they are refused then. */
    const char *spool_folder;
    uint64_t spool_bytes; /* at most; 0: 1 GiB */
};

/* NOT_FOUND without the database or its tables, INVALID when they are not ours, DENIED for a wrong
 * password, BUSY when nobody answers. */
enum oi_status oi_clickhouse_open(const char *address, const struct oi_clickhouse_options *options,
                                  struct oi_store **ret_store, struct oi_error *error);
