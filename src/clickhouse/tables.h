/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of a store in ClickHouse: made by `oi clickhouse init`, verified by `oi clickhouse
 * check` and, quickly, whenever a store is opened.
 *
 *   readings   every row, ordered by instrument, feed, time, known_time, batch
 *   events     every change in order; the catalogue and the ledgers are made of them
 *   rollup_hour, rollup_day   first, highest, lowest and last row of each, made of the rows
 *   turn_N     for a moment: whose turn it is to write event N
 */
#pragma once

#include "clickhouse/client.h"

struct oi_clickhouse_server {
    char text[64];         /* "18.16.1" */
    unsigned major, minor; /* 18, 16 */
    bool is_cluster;       /* `readings` is a Distributed table */
    bool has_rollups;      /* a store made by an older oi has none until `init` */
};

/* How many replicas must have an insert before it counts, see README.md; 0: not known. */
struct oi_clickhouse_quorum {
    unsigned readings, events;
};

/* Which server it is; INVALID when it is too old for us. */
enum oi_status oi_clickhouse_server_ask(struct oi_clickhouse_client *client,
                                        struct oi_clickhouse_server *ret_server,
                                        struct oi_error *error);
/* Make the database and what is missing of its tables, on every node of the address's cluster if it
 * names one. */
enum oi_status oi_clickhouse_init(struct oi_clickhouse_client *client, struct oi_error *error);
/* Are the tables ours? `fault` is called for each thing that is not (may be NULL); then INVALID. */
enum oi_status oi_clickhouse_check(struct oi_clickhouse_client *client,
                                   void (*fault)(void *context, const char *what), void *context,
                                   struct oi_clickhouse_server *ret_server, struct oi_error *error);
/* Ask it of a cluster; BUSY while its ZooKeeper is away. */
enum oi_status oi_clickhouse_quorum_ask(struct oi_clickhouse_client *client,
                                        struct oi_clickhouse_quorum *ret_quorum,
                                        struct oi_error *error);
/* The statement that takes turn N, appended. */
void oi_clickhouse_write_turn(const struct oi_clickhouse_client *client,
                              const struct oi_clickhouse_server *server, uint64_t turn,
                              struct oi_buffer *out);
