/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Five tables of sealed values (a checksum, then the body). Events are numbered from 1; keys are
 * big-endian, so that they stand in order.
 */
#include "alerts/alert_log_internal.h"

#include "base/crc32c.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAP_SIZE ((size_t) 64 << 20)
#define FOLDER_SIZE 4096
/* Trials of a commit for which the map had to grow. */
#define GROWTHS 3

static const char *const tables[] = {
    [ALERT_TABLE_META] = "meta",         [ALERT_TABLE_EVENTS] = "events",
    [ALERT_TABLE_LATCHES] = "latches",   [ALERT_TABLE_RULES] = "rules",
    [ALERT_TABLE_DELIVERIES] = "outbox",
};

static const struct oi_slice position_key = { "position", 8 };

enum oi_status
oi_alert_log_open(const char *data_folder, bool is_read_only, struct oi_alert_log **ret_log,
                  struct oi_error *error)
{
    const struct oi_kv_options options = { .map_size = MAP_SIZE,
                                           .is_read_only = is_read_only,
                                           .table_count = OI_COUNT(tables),
                                           .tables = tables };
    const struct oi_kv_engine *engine = &oi_kv_lmdb;
    char folder[FOLDER_SIZE], file[FOLDER_SIZE];
    struct stat facts;
    struct oi_alert_log *log;
    struct oi_kv *kv = NULL;

    if (snprintf(folder, sizeof(folder), "%s/alerts", data_folder) >= (int) sizeof(folder) ||
        snprintf(file, sizeof(file), "%.4000s/data.mdb", folder) >= (int) sizeof(file))
        return oi_fail(error, OI_E_INVALID, "the data folder's name is too long");
    if (is_read_only && stat(file, &facts) != 0)
        return oi_fail(error, OI_E_NOT_FOUND, "no alert was ever judged in %s", data_folder);
    if (!is_read_only && mkdir(folder, 0700) != 0 && errno != EEXIST)
        return oi_fail(error, errno == ENOSPC || errno == EDQUOT ? OI_E_FULL : OI_E_IO,
                       "cannot make %s: %s", folder, strerror(errno));
    OI_TRY(engine->open(folder, &options, &kv, error));
    log = oi_alloc_zero(1, sizeof(*log));
    log->engine = engine;
    log->kv = kv;
    *ret_log = log;
    return OI_OK;
}

void
oi_alert_log_close(struct oi_alert_log **log)
{
    if (!log || !*log)
        return;
    (*log)->engine->close(&(*log)->kv);
    oi_free(*log);
    *log = NULL;
}

/*
 * Values and keys.
 */

void
alert_seal_begin(struct oi_buffer *value)
{
    oi_buffer_clear(value);
    oi_buffer_add_u32(value, 0);
}

enum oi_status
alert_put(struct oi_alert_log *log, struct oi_kv_txn *txn, enum alert_table table,
          struct oi_slice key, struct oi_buffer *value, struct oi_error *error)
{
    uint32_t crc = oi_crc32c(0, value->data + 4, value->size - 4);

    for (unsigned i = 0; i < 4; i++)
        value->data[i] = (char) (crc >> (8 * i));
    return log->engine->put(txn, table, key, oi_buffer_slice(value), error);
}

enum oi_status
alert_unseal(struct oi_slice value, struct oi_cursor *ret_body, struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(value);
    uint32_t crc = oi_cursor_u32(&cursor);

    if (cursor.failed || crc != oi_crc32c(0, value.data + 4, value.size - 4))
        return oi_fail(error, OI_E_CORRUPT, "a value in alerts/ is damaged");
    *ret_body = cursor;
    return OI_OK;
}

static void
put_big_endian(char *at, uint64_t number, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        at[i] = (char) (number >> (8 * (size - 1 - i)));
}

uint64_t
alert_key_number(struct oi_slice key)
{
    uint64_t number = 0;

    for (size_t i = 0; i < 8 && i < key.size; i++)
        number = number << 8 | (uint8_t) key.data[i];
    return number;
}

struct oi_slice
alert_key_of(uint64_t sequence, const char *name, struct alert_key *key)
{
    size_t size = strlen(name);

    put_big_endian(key->bytes, sequence, 8);
    memcpy(key->bytes + 8, name, size);
    return (struct oi_slice){ key->bytes, 8 + size };
}

static struct oi_slice
latch_key(const char *rule, uint32_t instrument, struct alert_key *key)
{
    size_t size = strlen(rule) + 1;

    memcpy(key->bytes, rule, size);
    put_big_endian(key->bytes + size, instrument, 4);
    return (struct oi_slice){ key->bytes, size + 4 };
}

/*
 * Loading.
 */

/* Walk a table from `from` on; NOT_FOUND of `each` ends the walk in peace. */
enum oi_status
alert_walk(struct oi_alert_log *log, struct oi_kv_txn *txn, enum alert_table table,
           struct oi_slice from,
           enum oi_status (*each)(void *context, struct oi_slice key, struct oi_cursor body,
                                  struct oi_error *error),
           void *context, struct oi_error *error)
{
    struct oi_kv_cursor *cursor = NULL;
    struct oi_slice key, value;
    enum oi_status status = log->engine->cursor_open(txn, table, &cursor, error);

    if (status == OI_OK)
        status = log->engine->seek(cursor, from, &key, &value, error);
    while (status == OI_OK) {
        struct oi_cursor body;

        status = alert_unseal(value, &body, error);
        if (status == OI_OK)
            status = each(context, key, body, error);
        if (status == OI_OK)
            status = log->engine->next(cursor, &key, &value, error);
    }
    log->engine->cursor_close(&cursor);
    return status == OI_E_NOT_FOUND ? OI_OK : status;
}

static enum oi_status
load_latch(void *context, struct oi_slice key, struct oi_cursor body, struct oi_error *error)
{
    struct oi_alert_memory *memory = context;
    struct oi_alert_saved_latch saved = {};
    size_t size = key.size >= 5 ? key.size - 5 : 0;
    uint8_t state = oi_cursor_u8(&body);

    saved.latch.since = (oi_time) oi_cursor_u64(&body);
    saved.latch.fired = (oi_time) oi_cursor_u64(&body);
    saved.latch.fired_time = (oi_time) oi_cursor_u64(&body);
    if (body.failed || size == 0 || size >= sizeof(saved.rule) || state > OI_ALERT_FIRING)
        return oi_fail(error, OI_E_CORRUPT, "a state in alerts/ is damaged");
    saved.latch.state = (enum oi_alert_state) state;
    memcpy(saved.rule, key.data, size);
    for (size_t i = key.size - 4; i < key.size; i++)
        saved.instrument = saved.instrument << 8 | (uint8_t) key.data[i];
    oi_vector_push(&memory->latches, saved);
    return OI_OK;
}

static enum oi_status
load_rule(void *context, struct oi_slice key, struct oi_cursor body, struct oi_error *error)
{
    struct oi_alert_memory *memory = context;
    struct oi_alert_since rule = {};
    struct oi_slice identity = oi_cursor_bytes(&body, OI_SHA256_SIZE);

    rule.since = (oi_time) oi_cursor_u64(&body);
    if (body.failed || key.size >= sizeof(rule.name))
        return oi_fail(error, OI_E_CORRUPT, "a rule in alerts/ is damaged");
    memcpy(rule.identity, identity.data, OI_SHA256_SIZE);
    memcpy(rule.name, key.data, key.size);
    oi_vector_push(&memory->rules, rule);
    return OI_OK;
}

static enum oi_status
load_position(struct oi_alert_log *log, struct oi_kv_txn *txn, struct oi_alert_memory *memory,
              struct oi_error *error)
{
    struct oi_slice value;
    struct oi_cursor body;
    enum oi_status status = log->engine->get(txn, ALERT_TABLE_META, position_key, &value, error);

    if (status == OI_E_NOT_FOUND)
        return OI_OK;
    OI_TRY(status);
    OI_TRY(alert_unseal(value, &body, error));
    memory->position.batch = oi_cursor_u64(&body);
    memory->position.minute = (oi_time) oi_cursor_u64(&body);
    memory->has_position = !body.failed;
    return body.failed ? oi_fail(error, OI_E_CORRUPT, "the position in alerts/ is damaged") : OI_OK;
}

enum oi_status
oi_alert_log_load(struct oi_alert_log *log, struct oi_alert_memory *ret_memory,
                  struct oi_error *error)
{
    struct oi_alert_memory memory = {};
    struct oi_kv_txn *txn = NULL;
    enum oi_status status;

    OI_TRY(log->engine->begin(log->kv, OI_KV_READ, &txn, error));
    status = load_position(log, txn, &memory, error);
    if (status == OI_OK)
        status =
            alert_walk(log, txn, ALERT_TABLE_RULES, (struct oi_slice){}, load_rule, &memory, error);
    if (status == OI_OK)
        status = alert_walk(log, txn, ALERT_TABLE_LATCHES, (struct oi_slice){}, load_latch, &memory,
                            error);
    log->engine->abort(&txn);
    if (status == OI_OK)
        *ret_memory = memory;
    else
        oi_alert_memory_release(&memory);
    return status;
}

void
oi_alert_memory_release(struct oi_alert_memory *memory)
{
    oi_vector_release(&memory->rules);
    oi_vector_release(&memory->latches);
}

/*
 * Committing.
 */

/* The number of the last event in the table. */
static enum oi_status
find_last(struct oi_alert_log *log, struct oi_kv_txn *txn, uint64_t *ret_sequence,
          struct oi_error *error)
{
    struct oi_kv_cursor *cursor = NULL;
    struct oi_slice key, value;
    enum oi_status status = log->engine->cursor_open(txn, ALERT_TABLE_EVENTS, &cursor, error);

    if (status == OI_OK)
        status = log->engine->seek_last(cursor, &key, &value, error);
    *ret_sequence = status == OI_OK ? alert_key_number(key) : 0;
    log->engine->cursor_close(&cursor);
    return status == OI_E_NOT_FOUND ? OI_OK : status;
}

static enum oi_status
put_delivery(struct oi_alert_log *log, struct oi_kv_txn *txn, uint64_t sequence, const char *target,
             uint32_t attempts, oi_time due, struct oi_error *error)
{
    struct oi_buffer value = {};
    struct alert_key key;
    enum oi_status status;

    alert_seal_begin(&value);
    oi_buffer_add_u32(&value, attempts);
    oi_buffer_add_u64(&value, (uint64_t) due);
    status = alert_put(log, txn, ALERT_TABLE_DELIVERIES, alert_key_of(sequence, target, &key),
                       &value, error);
    oi_buffer_release(&value);
    return status;
}

static enum oi_status
put_event(struct oi_alert_log *log, struct oi_kv_txn *txn, uint64_t sequence,
          const struct oi_alert_commit_event *event, struct oi_error *error)
{
    const struct oi_alert_rule *rule = event->rule;
    struct oi_buffer value = {};
    struct alert_key key;
    enum oi_status status;

    alert_seal_begin(&value);
    oi_buffer_add_u64(&value, (uint64_t) event->at);
    oi_buffer_add_u8(&value, (uint8_t) strlen(rule->name));
    oi_buffer_add_text(&value, rule->name);
    oi_buffer_add_slice(&value, event->json);
    status =
        alert_put(log, txn, ALERT_TABLE_EVENTS, alert_key_of(sequence, "", &key), &value, error);
    oi_buffer_release(&value);
    for (size_t i = 0; status == OI_OK && i < rule->targets.count; i++)
        status = put_delivery(log, txn, sequence, rule->targets.items[i], 0, event->at, error);
    return status;
}

/* Remove events, and deliveries of them, up to a number. */
static enum oi_status
trim(struct oi_alert_log *log, struct oi_kv_txn *txn, enum alert_table table, uint64_t up_to,
     struct oi_error *error)
{
    struct oi_kv_cursor *cursor = NULL;
    struct oi_slice key, value;
    enum oi_status status;

    for (;;) {
        struct alert_key copy;

        OI_TRY(log->engine->cursor_open(txn, table, &cursor, error));
        status = log->engine->seek(cursor, (struct oi_slice){}, &key, &value, error);
        if (status == OI_OK && alert_key_number(key) <= up_to && key.size <= sizeof(copy.bytes)) {
            memcpy(copy.bytes, key.data, key.size);
            key.data = copy.bytes;
        } else if (status == OI_OK) {
            status = OI_E_NOT_FOUND;
        }
        log->engine->cursor_close(&cursor);
        if (status != OI_OK)
            return status == OI_E_NOT_FOUND ? OI_OK : status;
        OI_TRY(log->engine->remove(txn, table, key, error));
    }
}

static enum oi_status
put_events(struct oi_alert_log *log, struct oi_kv_txn *txn, const struct oi_alert_commit *commit,
           struct oi_error *error)
{
    uint64_t last;

    if (commit->event_count == 0)
        return OI_OK;
    OI_TRY(find_last(log, txn, &last, error));
    for (size_t i = 0; i < commit->event_count; i++)
        OI_TRY(put_event(log, txn, ++last, &commit->events[i], error));
    if (last > OI_ALERT_EVENTS_MAX)
        OI_TRY(trim(log, txn, ALERT_TABLE_EVENTS, last - OI_ALERT_EVENTS_MAX, error));
    if (last > OI_ALERT_DELIVERIES_MAX)
        OI_TRY(trim(log, txn, ALERT_TABLE_DELIVERIES, last - OI_ALERT_DELIVERIES_MAX, error));
    return OI_OK;
}

static enum oi_status
put_latches(struct oi_alert_log *log, struct oi_kv_txn *txn, const struct oi_alert_commit *commit,
            struct oi_error *error)
{
    struct oi_buffer value = {};
    enum oi_status status = OI_OK;

    for (size_t i = 0; status == OI_OK && i < commit->latch_count; i++) {
        const struct oi_alert_saved_latch *saved = &commit->latches[i];
        struct alert_key key;

        alert_seal_begin(&value);
        oi_buffer_add_u8(&value, (uint8_t) saved->latch.state);
        oi_buffer_add_u64(&value, (uint64_t) saved->latch.since);
        oi_buffer_add_u64(&value, (uint64_t) saved->latch.fired);
        oi_buffer_add_u64(&value, (uint64_t) saved->latch.fired_time);
        status = alert_put(log, txn, ALERT_TABLE_LATCHES,
                           latch_key(saved->rule, saved->instrument, &key), &value, error);
    }
    oi_buffer_release(&value);
    return status;
}

/* Is this what the rule of that name meant and means? */
static bool
is_kept(const struct oi_alert_commit *commit, const struct oi_alert_since *known)
{
    for (size_t i = 0; i < commit->rule_count; i++)
        if (strcmp(commit->rules[i].name, known->name) == 0)
            return memcmp(commit->rules[i].identity, known->identity, OI_SHA256_SIZE) == 0;
    return false;
}

static enum oi_status
forget_rule(struct oi_alert_log *log, struct oi_kv_txn *txn, const struct oi_alert_memory *memory,
            const char *name, struct oi_error *error)
{
    struct alert_key key;

    for (size_t i = 0; i < memory->latches.count; i++)
        if (strcmp(memory->latches.items[i].rule, name) == 0)
            OI_TRY(log->engine->remove(txn, ALERT_TABLE_LATCHES,
                                       latch_key(name, memory->latches.items[i].instrument, &key),
                                       error));
    return log->engine->remove(txn, ALERT_TABLE_RULES, oi_slice_of(name), error);
}

static enum oi_status
put_rules(struct oi_alert_log *log, struct oi_kv_txn *txn, const struct oi_alert_commit *commit,
          struct oi_error *error)
{
    struct oi_alert_memory memory = {};
    struct oi_buffer value = {};
    enum oi_status status;

    if (!commit->rules)
        return OI_OK;
    status =
        alert_walk(log, txn, ALERT_TABLE_RULES, (struct oi_slice){}, load_rule, &memory, error);
    if (status == OI_OK)
        status = alert_walk(log, txn, ALERT_TABLE_LATCHES, (struct oi_slice){}, load_latch, &memory,
                            error);
    for (size_t i = 0; status == OI_OK && i < memory.rules.count; i++)
        if (!is_kept(commit, &memory.rules.items[i]))
            status = forget_rule(log, txn, &memory, memory.rules.items[i].name, error);
    for (size_t i = 0; status == OI_OK && i < commit->rule_count; i++) {
        alert_seal_begin(&value);
        oi_buffer_add(&value, commit->rules[i].identity, OI_SHA256_SIZE);
        oi_buffer_add_u64(&value, (uint64_t) commit->rules[i].since);
        status = alert_put(log, txn, ALERT_TABLE_RULES, oi_slice_of(commit->rules[i].name), &value,
                           error);
    }
    oi_buffer_release(&value);
    oi_alert_memory_release(&memory);
    return status;
}

static enum oi_status
put_all(struct oi_alert_log *log, struct oi_kv_txn *txn, const struct oi_alert_commit *commit,
        struct oi_error *error)
{
    struct oi_buffer value = {};
    enum oi_status status;

    OI_TRY(put_rules(log, txn, commit, error));
    OI_TRY(put_events(log, txn, commit, error));
    OI_TRY(put_latches(log, txn, commit, error));
    alert_seal_begin(&value);
    oi_buffer_add_u64(&value, commit->position.batch);
    oi_buffer_add_u64(&value, (uint64_t) commit->position.minute);
    status = alert_put(log, txn, ALERT_TABLE_META, position_key, &value, error);
    oi_buffer_release(&value);
    return status;
}

enum oi_status
oi_alert_log_commit(struct oi_alert_log *log, const struct oi_alert_commit *commit,
                    struct oi_error *error)
{
    enum oi_status status = OI_E_FULL;

    for (unsigned i = 0; status == OI_E_FULL && i < GROWTHS; i++) {
        struct oi_kv_txn *txn = NULL;

        OI_TRY(log->engine->begin(log->kv, OI_KV_WRITE, &txn, error));
        status = put_all(log, txn, commit, error);
        if (status == OI_OK)
            status = log->engine->commit(&txn, error);
        log->engine->abort(&txn);
    }
    return status;
}

/*
 * Deliveries.
 */

void
oi_alert_delivery_release(struct oi_alert_delivery *delivery)
{
    oi_free(delivery->json);
    *delivery = (struct oi_alert_delivery){};
}

struct due {
    struct oi_alert_log *log;
    struct oi_kv_txn *txn;
    oi_time now;
    bool (*takes)(void *context, uint64_t sequence, const char *target);
    void *context;
    struct oi_alert_delivery *deliveries;
    size_t room, count;
};

static enum oi_status
take_due(void *context, struct oi_slice key, struct oi_cursor body, struct oi_error *error)
{
    struct due *due = context;
    struct oi_alert_delivery delivery = { .sequence = alert_key_number(key) };
    struct oi_slice value, name;
    struct alert_key event;
    enum oi_status status;

    delivery.attempts = oi_cursor_u32(&body);
    delivery.due = (oi_time) oi_cursor_u64(&body);
    if (body.failed || key.size < 8 || key.size - 8 >= sizeof(delivery.target))
        return oi_fail(error, OI_E_CORRUPT, "a delivery in alerts/ is damaged");
    memcpy(delivery.target, key.data + 8, key.size - 8);
    if (delivery.due > due->now || !due->takes(due->context, delivery.sequence, delivery.target))
        return OI_OK;
    if (due->count == due->room)
        return OI_E_NOT_FOUND; /* enough */
    status = due->log->engine->get(due->txn, ALERT_TABLE_EVENTS,
                                   alert_key_of(delivery.sequence, "", &event), &value, error);
    if (status == OI_E_NOT_FOUND)
        return OI_OK; /* its event is too old */
    OI_TRY(status);
    OI_TRY(alert_unseal(value, &body, error));
    delivery.at = (oi_time) oi_cursor_u64(&body);
    name = oi_cursor_bytes(&body, oi_cursor_u8(&body));
    (void) name;
    delivery.json = oi_copy_text(oi_cursor_bytes(&body, oi_cursor_left(&body)));
    due->deliveries[due->count++] = delivery;
    return OI_OK;
}

enum oi_status
oi_alert_log_due(struct oi_alert_log *log, oi_time now,
                 bool (*takes)(void *context, uint64_t sequence, const char *target), void *context,
                 struct oi_alert_delivery *deliveries, size_t room, size_t *ret_count,
                 struct oi_error *error)
{
    struct due due = { .log = log,
                       .now = now,
                       .takes = takes,
                       .context = context,
                       .deliveries = deliveries,
                       .room = room };
    enum oi_status status;

    OI_TRY(log->engine->begin(log->kv, OI_KV_READ, &due.txn, error));
    status = alert_walk(log, due.txn, ALERT_TABLE_DELIVERIES, (struct oi_slice){}, take_due, &due,
                        error);
    log->engine->abort(&due.txn);
    *ret_count = due.count;
    return status;
}

enum oi_status
oi_alert_log_settle(struct oi_alert_log *log, const struct oi_alert_delivery *delivery,
                    struct oi_error *error)
{
    struct oi_kv_txn *txn = NULL;
    struct alert_key key;
    enum oi_status status;

    OI_TRY(log->engine->begin(log->kv, OI_KV_WRITE, &txn, error));
    status = log->engine->remove(txn, ALERT_TABLE_DELIVERIES,
                                 alert_key_of(delivery->sequence, delivery->target, &key), error);
    if (status == OI_OK)
        status = log->engine->commit(&txn, error);
    log->engine->abort(&txn);
    return status;
}

enum oi_status
oi_alert_log_postpone(struct oi_alert_log *log, const struct oi_alert_delivery *delivery,
                      struct oi_error *error)
{
    struct oi_kv_txn *txn = NULL;
    enum oi_status status;

    OI_TRY(log->engine->begin(log->kv, OI_KV_WRITE, &txn, error));
    status = put_delivery(log, txn, delivery->sequence, delivery->target, delivery->attempts,
                          delivery->due, error);
    if (status == OI_OK)
        status = log->engine->commit(&txn, error);
    log->engine->abort(&txn);
    return status;
}

static enum oi_status
count_one(void *context, struct oi_slice, struct oi_cursor, struct oi_error *)
{
    uint64_t *count = context;

    (*count)++;
    return OI_OK;
}

enum oi_status
oi_alert_log_count(struct oi_alert_log *log, uint64_t *ret_waiting, uint64_t *ret_last,
                   struct oi_error *error)
{
    struct oi_kv_txn *txn = NULL;
    enum oi_status status;

    *ret_waiting = *ret_last = 0;
    OI_TRY(log->engine->begin(log->kv, OI_KV_READ, &txn, error));
    status = find_last(log, txn, ret_last, error);
    if (status == OI_OK)
        status = alert_walk(log, txn, ALERT_TABLE_DELIVERIES, (struct oi_slice){}, count_one,
                            ret_waiting, error);
    log->engine->abort(&txn);
    return status;
}
