/* SPDX-License-Identifier: Apache-2.0 */
/* What the log's two files share: alert_log.c writes and delivers, alert_answer.c answers. */
#pragma once

#include "alerts/alert_log.h"
#include "base/buffer.h"
#include "kv/kv.h"

enum alert_table {
    ALERT_TABLE_META,
    ALERT_TABLE_EVENTS,     /* number: time, rule, document */
    ALERT_TABLE_LATCHES,    /* rule, instrument: state */
    ALERT_TABLE_RULES,      /* name: identity, since when */
    ALERT_TABLE_DELIVERIES, /* number, action: attempts, when it is due */
};

struct oi_alert_log {
    const struct oi_kv_engine *engine;
    struct oi_kv *kv;
};

struct alert_key {
    char bytes[64];
};

/* A value is a checksum and what is appended behind it. */
void alert_seal_begin(struct oi_buffer *value);
enum oi_status alert_put(struct oi_alert_log *log, struct oi_kv_txn *txn, enum alert_table table,
                         struct oi_slice key, struct oi_buffer *value, struct oi_error *error);
enum oi_status alert_unseal(struct oi_slice value, struct oi_cursor *ret_body,
                            struct oi_error *error);

/* A number, then a name or nothing; and the number of such a key. */
struct oi_slice alert_key_of(uint64_t sequence, const char *name, struct alert_key *key);
uint64_t alert_key_number(struct oi_slice key);

/* Walk a table from a key on; NOT_FOUND of `each` ends the walk in peace. */
enum oi_status alert_walk(struct oi_alert_log *log, struct oi_kv_txn *txn, enum alert_table table,
                          struct oi_slice from,
                          enum oi_status (*each)(void *context, struct oi_slice key,
                                                 struct oi_cursor body, struct oi_error *error),
                          void *context, struct oi_error *error);
