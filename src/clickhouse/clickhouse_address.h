/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a ClickHouse store is: clickhouse://user:password@host:8123,host2:8123/database, or
 * clickhouses:// (or https://) for TLS. `?cluster=NAME` is for `oi clickhouse init`, `?quorum=1`
 * for a cluster that has lost a replica, `?keep=64` for how many MiB of answers are kept in memory;
 * several are joined by `&`. Pure.
 */
#pragma once

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

#define OI_CLICKHOUSE_HOSTS_MAX 16
#define OI_CLICKHOUSE_KEEP_MIB 64

struct oi_clickhouse_address {
    char user[128], password[256]; /* percent-decoded; user "default" when none is given */
    char database[64];             /* a plain name; "oi" when none is given */
    char cluster[64];              /* a plain name, or "" */
    unsigned quorum;   /* how many replicas must have a row; 0: every one of its shard */
    unsigned keep_mib; /* of answers, in memory; OI_CLICKHOUSE_KEEP_MIB when none is given */
    bool is_tls;
    size_t host_count;
    char hosts[OI_CLICKHOUSE_HOSTS_MAX][256]; /* "host:port", tried in this order */
};

/* Does the text name a ClickHouse store rather than a folder? */
bool oi_clickhouse_is_address(const char *text);
/* INVALID says what is wrong, never the password. */
enum oi_status oi_clickhouse_address_parse(const char *text,
                                           struct oi_clickhouse_address *ret_address,
                                           struct oi_error *error);
