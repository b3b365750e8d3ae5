/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sequence of events: followed from the table, and added to in turn. Who makes event N first
 * takes turn N, by making a table of that name, which one process alone can. A turn is over when
 * its event is there, so who takes a turn looks once more whether it is.
 *
 * Somebody may take a turn and die before its event. After a while another gives it up for him: an
 * empty import takes its number and is withdrawn at once, so that rows that had been sent under the
 * number stay hidden for ever. The same is done with an own turn whose outcome is not known.
 */
/* no unit test: needs a server; tests/contract/store_*_test.c run over one. */
#include "base/alloc.h"
#include "base/log.h"
#include "base/random.h"
#include "clickhouse/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How often readers look for news, and how soon again when nobody answers. */
#define LOOK_NS (200 * OI_SECOND / 1000)
#define LOOK_AWAY_NS (2 * OI_SECOND)
/* So many events are asked for at once: with their rows, and at the beginning without. */
#define EVENTS_PAGE 500
#define EVENTS_PAGE_FIRST 50'000
/* A batch that was refused leaves an empty event behind: the next try comes later each time. */
#define DRAIN_PAUSE_MIN_NS OI_SECOND
#define DRAIN_PAUSE_MAX_NS (30 * OI_SECOND)
#define TURN_PAUSE_NS (5 * 1'000'000L)
/* In a cluster another node may not have an event yet: turns are kept that long. */
#define TURNS_KEPT 64
/* A node of a cluster that lags says so instead of an old answer, and another one is asked. */
#define IN_SEQUENCE " SETTINGS select_sequential_consistency = 1"
/* How long an insert may wait for its replicas, and an append for another's turn where it can be
 * kept for later: a collector that waits longer misses its minute. */
#define QUORUM_MS 3'000
#define TURN_WAIT_NS (3 * OI_SECOND)
/* Parts of a large batch have so many rows at least. */
#define PARCEL_ROWS_MIN ((size_t) 50'000)
/* Events of one partition, see tables.c. */
#define EVENTS_PARTITION 100'000

static int64_t
now_of(void)
{
    return oi_clock_system.monotonic_ns(&oi_clock_system);
}

/*
 * Following.
 */

struct event {
    uint64_t sequence;
    struct oi_change change;
};

struct page {
    struct oi_buffer body;
    OI_VECTOR(struct event) events;
    OI_VECTOR(struct oi_native_block) blocks; /* that events borrow from */
};

static void
page_release(struct page *page)
{
    for (size_t i = 0; i < page->blocks.count; i++)
        oi_native_block_release(&page->blocks.items[i]);
    oi_vector_release(&page->blocks);
    oi_vector_release(&page->events);
    oi_buffer_release(&page->body);
}

static enum oi_status
take_block(const struct oi_native_block *block, bool with_rows, struct page *page,
           struct oi_error *error)
{
    const struct oi_native_column *sequence, *kind, *time, *batch, *row_count, *body, *rows = NULL;

    OI_TRY(oi_native_find(block, "sequence", false, &sequence, error));
    OI_TRY(oi_native_find(block, "kind", false, &kind, error));
    OI_TRY(oi_native_find(block, "time", false, &time, error));
    OI_TRY(oi_native_find(block, "batch", false, &batch, error));
    OI_TRY(oi_native_find(block, "row_count", false, &row_count, error));
    OI_TRY(oi_native_find(block, "body", true, &body, error));
    if (with_rows)
        OI_TRY(oi_native_find(block, "rows", true, &rows, error));
    for (size_t row = 0; row < block->rows; row++) {
        struct event event = { .sequence = (uint64_t) oi_native_int(sequence, row) };
        int64_t what = oi_native_int(kind, row);

        if (what < OI_CHANGE_APPEND || what > OI_CHANGE_FLAG)
            return oi_fail(
                error, OI_E_INVALID,
                "event %llu is of a kind that this program does not know: use a newer oi",
                (unsigned long long) event.sequence);
        event.change = (struct oi_change){
            .kind = (enum oi_change_kind) what,
            .time = oi_native_int(time, row),
            .batch = (uint64_t) oi_native_int(batch, row),
            .row_count = (uint64_t) oi_native_int(row_count, row),
            .body = body->strings[row],
            .rows = rows ? rows->strings[row] : (struct oi_slice){},
        };
        oi_vector_push(&page->events, event);
    }
    return OI_OK;
}

/* *ret_code is ClickHouse's when it refused. */
static enum oi_status
ask_page(struct oi_clickhouse *engine, bool with_rows, struct page *page, int *ret_code,
         struct oi_error *error)
{
    struct oi_clickhouse_call call = { .is_repeatable = true,
                                       .is_native = true,
                                       .ret_code = ret_code };
    struct oi_buffer statement = {};
    struct oi_slice rest;
    struct oi_native_block block;
    enum oi_status status;

    oi_buffer_add_format(&statement,
                         "SELECT sequence, attempt, kind, time, batch, row_count, body%s FROM "
                         "events WHERE sequence > %llu ORDER BY sequence, attempt DESC LIMIT 1 BY "
                         "sequence LIMIT %d%s FORMAT Native%c",
                         with_rows ? ", rows" : "", (unsigned long long) engine->sequence,
                         with_rows ? EVENTS_PAGE : EVENTS_PAGE_FIRST,
                         engine->server.is_cluster ? IN_SEQUENCE : "", 0);
    call.statement = statement.data;
    /* Where nobody can tell what is newest, answers with what is known do not wait. */
    call.rounds = engine->server.is_cluster && engine->is_begun ? 1 : 0;
    status = oi_clickhouse_run(engine->client, &call, &page->body, error);
    oi_buffer_release(&statement);
    OI_TRY(status);
    rest = oi_buffer_slice(&page->body);
    while ((status = oi_native_next(&rest, &block, error)) == OI_OK) {
        oi_vector_push(&page->blocks, block);
        OI_TRY(take_block(&block, with_rows, page, error));
    }
    return status == OI_E_NOT_FOUND ? OI_OK : status;
}

/* A change that was refused when it was made is refused again, and that is its effect. */
static enum oi_status
apply_one(struct oi_clickhouse *engine, const struct oi_change *change, struct oi_error *error)
{
    enum oi_status status;

    OI_TRY(oi_filling_note(engine, engine->sequence + 1, change, error));
    /* Behind it: what is asked for from now on knows that ready made hours may be others. */
    OI_TRY(oi_kept_note(engine->kept, change, error));
    status = oi_remote_apply(engine->store, change, NULL, error);

    if (status == OI_E_INVALID || status == OI_E_NOT_FOUND)
        return OI_OK;
    OI_TRY(status);
    engine->lacks_positions |= change->kind == OI_CHANGE_WITHDRAW;
    return OI_OK;
}

static bool
is_untold(const struct oi_change *change)
{
    return change->kind == OI_CHANGE_APPEND && change->row_count > 0 && change->rows.size == 0;
}

/* Where the series stand of which rows come that nobody tells of, asked for before a reader knows
 * of them: none sees one series with and another without the rows of a batch. Once for all such
 * batches in a row. */
static enum oi_status
place_ahead(struct oi_clickhouse *engine, const struct page *page, size_t from,
            struct oi_error *error)
{
    const struct event *events = page->events.items;
    size_t last = from;

    if (!is_untold(&events[from].change) || events[from].change.batch <= engine->placed)
        return OI_OK;
    while (last + 1 < page->events.count && is_untold(&events[last + 1].change) &&
           events[last + 1].sequence == events[last].sequence + 1)
        last++;
    return oi_clickhouse_place_all(engine, events[last].change.batch, error);
}

/* Events in a row; where one is missing (a node that lags) the rest comes another time. */
static enum oi_status
apply_page(struct oi_clickhouse *engine, const struct page *page, struct oi_error *error)
{
    OI_VECTOR(struct oi_change) appends = {};
    enum oi_status status = OI_OK;

    for (size_t i = 0; status == OI_OK && i < page->events.count; i++) {
        const struct event *event = &page->events.items[i];

        if (event->sequence != engine->sequence + 1)
            break;
        if (!engine->is_begun && event->change.kind == OI_CHANGE_APPEND) {
            OI_TRY(oi_filling_note(engine, event->sequence, &event->change, error));
            oi_vector_push(&appends, event->change);
            engine->sequence++;
            continue;
        }
        if (appends.count > 0)
            status = oi_remote_apply_all(engine->store, appends.items, appends.count, error);
        oi_vector_clear(&appends);
        if (status == OI_OK)
            status = place_ahead(engine, page, i, error);
        if (status == OI_OK)
            status = apply_one(engine, &event->change, error);
        if (status == OI_OK)
            engine->sequence++;
    }
    if (status == OI_OK && appends.count > 0)
        status = oi_remote_apply_all(engine->store, appends.items, appends.count, error);
    oi_vector_release(&appends);
    return status;
}

static bool
is_keeper(int code)
{
    return code == OI_CLICKHOUSE_NO_ZOOKEEPER || code == OI_CLICKHOUSE_KEEPER;
}

static void
note_keeper(struct oi_clickhouse *engine, bool is_away, const struct oi_error *why)
{
    if (is_away != (engine->keeper_at != 0)) {
        if (is_away)
            oi_log(OI_LOG_WARN, "clickhouse.keeper_away", "nobody can write: %s", why->message);
        else
            oi_log(OI_LOG_INFO, "clickhouse.keeper_back", "ClickHouse has its ZooKeeper again");
    }
    engine->keeper_at = is_away ? now_of() + LOOK_AWAY_NS : 0;
}

static enum oi_status
follow_events(struct oi_clickhouse *engine, struct oi_error *error)
{
    size_t full = engine->is_begun ? EVENTS_PAGE : EVENTS_PAGE_FIRST, count;

    if (now_of() < engine->keeper_at)
        return OI_OK;
    if (!engine->is_begun)
        OI_TRY(oi_filling_ask(engine, error));
    do {
        struct page page = {};
        int code = 0;
        enum oi_status status = ask_page(engine, engine->is_begun, &page, &code, error);

        /* Without ZooKeeper nobody writes, so what was newest is. */
        if (status != OI_OK && engine->is_begun && is_keeper(code)) {
            page_release(&page);
            note_keeper(engine, true, error);
            return OI_OK;
        }
        count = page.events.count;
        if (status == OI_OK)
            status = apply_page(engine, &page, error);
        page_release(&page);
        OI_TRY(status);
    } while (count == full);
    note_keeper(engine, false, NULL);
    if (!engine->is_begun || engine->lacks_positions) {
        OI_TRY(oi_clickhouse_place_all(engine, oi_remote_last_batch(engine->store), error));
        oi_kept_forget(engine->kept);
    }
    engine->lacks_positions = false;
    if (!engine->is_begun)
        oi_kept_note_all(engine->kept, oi_remote_last_batch(engine->store));
    engine->is_begun = true;
    return oi_filling_follow(engine, error);
}

/*
 * Writing an event.
 */

/* An insert is over when the shards have it, on so many replicas. One that is repeated is written
 * twice, which does no harm: taken for known, it would count although its replicas may be dead. */
static enum oi_status
write_cluster_settings(struct oi_clickhouse *engine, bool is_event, struct oi_buffer *out,
                       struct oi_error *error)
{
    if (engine->quorum.events == 0)
        OI_TRY(oi_clickhouse_quorum_ask(engine->client, &engine->quorum, error));
    oi_buffer_add_format(out,
                         "insert_distributed_sync=1&insert_deduplicate=0&insert_quorum=%u&"
                         "insert_quorum_timeout=%d",
                         is_event ? engine->quorum.events : engine->quorum.readings, QUORUM_MS);
    if (engine->server.major >= 21)
        oi_buffer_add_text(out, "&insert_quorum_parallel=0");
    return OI_OK;
}

enum oi_status
oi_clickhouse_send(struct oi_clickhouse *engine, const char *table, const struct oi_buffer *block,
                   struct oi_error *error)
{
    struct oi_buffer statement = {};
    struct oi_buffer settings = {};
    struct oi_clickhouse_call call = { .data = oi_buffer_slice(block),
                                       .is_repeatable = true,
                                       .timeout_ms = 300'000 };
    enum oi_status status = OI_OK;

    oi_buffer_add_format(&statement, "INSERT INTO %s FORMAT Native%c", table, 0);
    if (engine->server.is_cluster)
        status = write_cluster_settings(engine, strcmp(table, "events") == 0, &settings, error);
    /* History may touch many months. */
    if (engine->server.major >= 20)
        oi_buffer_add_format(&settings, "%smax_partitions_per_insert_block=0&async_insert=0",
                             settings.size > 0 ? "&" : "");
    oi_buffer_add_char(&settings, 0);
    call.statement = statement.data;
    call.settings = settings.size > 1 ? settings.data : NULL;
    if (status == OI_OK)
        status = oi_clickhouse_run(engine->client, &call, NULL, error);
    /* Perhaps an operator has given up a replica. */
    if (status != OI_OK && engine->server.is_cluster)
        engine->quorum = (struct oi_clickhouse_quorum){};
    oi_buffer_release(&statement);
    oi_buffer_release(&settings);
    return status;
}

#define ADD_NUMBERS(name, type, width, value)                                                      \
    do {                                                                                           \
        oi_native_head(&block, name, type);                                                        \
        for (size_t i = 0; i < count; i++)                                                         \
            oi_buffer_add_u##width(&block, (uint##width##_t)(value));                              \
    } while (0)
#define ADD_TEXTS(name, value)                                                                     \
    do {                                                                                           \
        oi_native_head(&block, name, OI_NATIVE_STRING);                                            \
        for (size_t i = 0; i < count; i++)                                                         \
            oi_native_text(&block, value);                                                         \
    } while (0)

/* Events from `sequence` on, in one insert: all of them or none. */
static enum oi_status
send_events(struct oi_clickhouse *engine, uint64_t sequence, unsigned attempt,
            const struct oi_change *changes, size_t count, struct oi_error *error)
{
    struct oi_buffer block = {};
    enum oi_status status;

    oi_native_begin(&block, 9, count);
    ADD_NUMBERS("sequence", OI_NATIVE_UINT64, 64, sequence + i);
    ADD_NUMBERS("attempt", OI_NATIVE_UINT8, 8, attempt);
    ADD_NUMBERS("kind", OI_NATIVE_UINT8, 8, changes[i].kind);
    ADD_NUMBERS("time", OI_NATIVE_INT64, 64, changes[i].time);
    ADD_NUMBERS("batch", OI_NATIVE_UINT64, 64, changes[i].batch);
    ADD_NUMBERS("row_count", OI_NATIVE_UINT64, 64, changes[i].row_count);
    ADD_TEXTS("writer", oi_slice_of(engine->writer));
    ADD_TEXTS("body", changes[i].body);
    ADD_TEXTS("rows", changes[i].rows);
    status = oi_clickhouse_send(engine, "events", &block, error);
    oi_buffer_release(&block);
    return status;
}

/* A part of a batch on its way. */
struct parcel {
    struct oi_clickhouse *engine;
    struct oi_readings_part part;
    struct oi_buffer *block;
    pthread_t thread;
    bool has_thread;
    enum oi_status status;
    struct oi_error error;
};

static enum oi_status
send_part(struct parcel *parcel, struct oi_error *error)
{
    struct oi_clickhouse *engine = parcel->engine;
    struct oi_readings_part *part = &parcel->part;
    const uint32_t *ids = part->rows->series.items + part->from;
    struct oi_series *series = oi_alloc_zero(part->count, sizeof(*series));
    struct oi_buffer table = {};
    enum oi_status status;

    for (size_t i = 0; i < part->count; i++) {
        if (i > 0 && ids[i] == ids[i - 1])
            series[i] = series[i - 1];
        else if (!oi_remote_series(engine->store, ids[i], &series[i])) {
            oi_free(series);
            return oi_fail(error, OI_E_NOT_FOUND, "there is no series %u", ids[i]);
        }
    }
    part->series = series;
    oi_buffer_add_text(&table, "readings (");
    oi_buffer_clear(parcel->block);
    oi_readings_encode(part, &table, parcel->block);
    oi_buffer_add(&table, ")", sizeof(")"));
    part->series = NULL;
    oi_free(series);
    status = oi_clickhouse_send(engine, table.data, parcel->block, error);
    oi_buffer_release(&table);
    return status;
}

static void *
send_parcel(void *context)
{
    struct parcel *parcel = context;

    parcel->status = send_part(parcel, &parcel->error);
    return NULL;
}

/* What else is done with the rows of a large batch does not wait for them. */
struct maker {
    struct oi_clickhouse *engine;
    const struct oi_batch_rows *rows;
    pthread_t thread;
};

static void *
make(void *context)
{
    const struct maker *maker = context;

    oi_filling_make(maker->engine, maker->rows);
    return NULL;
}

/* A large batch goes in parts side by side, as over there one thread takes an insert: what breaks
 * off leaves some of them, which nobody sees. Replicas take one insert at a time. *ret_made: hours
 * were made of the rows meanwhile. */
static enum oi_status
send_rows(struct oi_clickhouse *engine, uint64_t batch, const struct oi_batch_rows *rows,
          bool *ret_made, struct oi_error *error)
{
    struct parcel parcels[OI_CLICKHOUSE_PARCELS] = {};
    struct maker maker = { .engine = engine, .rows = rows };
    size_t total = rows->rows.count, count = engine->server.is_cluster ? 1 : OI_CLICKHOUSE_PARCELS;
    enum oi_status status = OI_OK;

    if (total == 0)
        return OI_OK;
    if (total < PARCEL_ROWS_MIN * count)
        count = 1;
    for (size_t i = 0; i < count; i++) {
        struct parcel *parcel = &parcels[i];
        size_t from = total * i / count, to = total * (i + 1) / count;

        parcel->engine = engine;
        parcel->block = &engine->blocks[i];
        parcel->part = (struct oi_readings_part){
            .rows = rows, .from = from, .count = to - from, .batch = batch
        };
        parcel->has_thread =
            i > 0 && pthread_create(&parcel->thread, NULL, send_parcel, parcel) == 0;
    }
    *ret_made = total >= PARCEL_ROWS_MIN && pthread_create(&maker.thread, NULL, make, &maker) == 0;
    for (size_t i = 0; i < count; i++)
        if (!parcels[i].has_thread)
            (void) send_parcel(&parcels[i]);
    for (size_t i = 0; i < count; i++) {
        if (parcels[i].has_thread)
            (void) pthread_join(parcels[i].thread, NULL);
        if (status == OI_OK && parcels[i].status != OI_OK)
            status = oi_fail(error, parcels[i].status, "%s", parcels[i].error.message);
    }
    if (*ret_made)
        (void) pthread_join(maker.thread, NULL);
    /* An import sends many large ones; behind it nobody needs so much memory. */
    for (size_t i = 0; total < PARCEL_ROWS_MIN && i < OI_CLICKHOUSE_PARCELS; i++)
        oi_buffer_release(&engine->blocks[i]);
    return status;
}

/*
 * Turns.
 */

/* Is event N there, whatever the node that is asked has seen? */
static enum oi_status
is_told(struct oi_clickhouse *engine, uint64_t sequence, bool *ret_told, struct oi_error *error)
{
    char last[32];

    OI_TRY(oi_clickhouse_ask(engine->client,
                             engine->server.is_cluster
                                 ? "SELECT max(sequence) FROM events" IN_SEQUENCE
                                 : "SELECT max(sequence) FROM events",
                             last, sizeof(last), error));
    *ret_told = strtoull(last, NULL, 10) >= sequence;
    return OI_OK;
}

/* False in *ret_taken when somebody else has it. */
static enum oi_status
take_turn(struct oi_clickhouse *engine, uint64_t turn, bool *ret_taken, struct oi_error *error)
{
    struct oi_buffer statement = {};
    struct oi_clickhouse_call call = {};
    bool is_over;
    int code = 0;
    enum oi_status status;

    engine->own_since = now_of();
    oi_clickhouse_write_turn(engine->client, &engine->server, turn, &statement);
    oi_buffer_add_char(&statement, 0);
    call.statement = statement.data;
    call.ret_code = &code;
    status = oi_clickhouse_run(engine->client, &call, NULL, error);
    oi_buffer_release(&statement);
    *ret_taken = status == OI_OK;
    if (code == OI_CLICKHOUSE_TABLE_EXISTS || code == OI_CLICKHOUSE_REPLICA_EXISTS)
        return OI_OK;
    OI_TRY(status);
    engine->own_turn = turn;
    OI_TRY(is_told(engine, turn, &is_over, error));
    if (is_over) {
        /* The turn was over long ago, and its table is gone. */
        *ret_taken = false;
        engine->own_turn = 0;
    }
    return OI_OK;
}

static void
drop_turn(struct oi_clickhouse *engine, uint64_t turn)
{
    char statement[128];
    const char *how = engine->server.major >= 21 ? " SYNC" : "";
    const struct oi_clickhouse_call call = { .statement = statement, .is_repeatable = true };

    (void) snprintf(statement, sizeof(statement), "DROP TABLE IF EXISTS turn_%llu%s",
                    (unsigned long long) turn, how);
    (void) oi_clickhouse_run(engine->client, &call, NULL, NULL);
}

/* In a cluster a turn's table is on the node that was asked for it, which may have been dead when
 * it was to be dropped: whoever opens the store looks what is left on the node that he asks. */
void
oi_clickhouse_drop_turns(struct oi_clickhouse *engine)
{
    struct oi_buffer statement = {}, out = {};
    struct oi_native_block block;
    struct oi_slice rest;
    enum oi_status status;

    if (engine->sequence <= TURNS_KEPT)
        return;
    oi_buffer_add_format(&statement,
                         "SELECT toUInt64(substring(name, 6)) AS turn FROM system.tables WHERE "
                         "database = '%s' AND match(name, '^turn_[0-9]+$') AND turn < %llu",
                         oi_clickhouse_client_address(engine->client)->database,
                         (unsigned long long) (engine->sequence - TURNS_KEPT));
    status = oi_clickhouse_select(engine, &statement, &out, NULL);
    rest = oi_buffer_slice(&out);
    while (status == OI_OK && oi_native_next(&rest, &block, NULL) == OI_OK) {
        const struct oi_native_column *turns = NULL;

        status = oi_native_find(&block, "turn", false, &turns, NULL);
        for (size_t row = 0; status == OI_OK && row < block.rows; row++)
            drop_turn(engine, (uint64_t) oi_native_int(turns, row));
        oi_native_block_release(&block);
    }
    oi_buffer_release(&statement);
    oi_buffer_release(&out);
}

static void
end_turn(struct oi_clickhouse *engine, uint64_t turn)
{
    engine->own_turn = 0;
    if (!engine->server.is_cluster)
        drop_turn(engine, turn);
    else if (turn > TURNS_KEPT)
        drop_turn(engine, turn - TURNS_KEPT);
}

/* Rows of followers are of no use once everybody has followed. */
static void
clear_old_rows(struct oi_clickhouse *engine, uint64_t sequence)
{
    char statement[128];
    const struct oi_clickhouse_call call = { .statement = statement, .is_repeatable = true };

    if (sequence % EVENTS_PARTITION != 0 || sequence < 2 * EVENTS_PARTITION)
        return;
    (void) snprintf(statement, sizeof(statement),
                    "ALTER TABLE events CLEAR COLUMN rows IN PARTITION %llu",
                    (unsigned long long) (sequence / EVENTS_PARTITION - 2));
    (void) oi_clickhouse_run(engine->client, &call, NULL, NULL);
}

/* Turn N is nobody's any more: its number goes to an empty import, which is then withdrawn. */
static enum oi_status
give_up(struct oi_clickhouse *engine, uint64_t turn, struct oi_error *error)
{
    uint64_t batch = oi_remote_last_batch(engine->store) + 1;
    struct oi_import_mark mark = { .name = "given up", .format = "none" };
    const struct oi_batch empty = {};
    struct oi_change changes[2] = { { .kind = OI_CHANGE_APPEND, .batch = batch },
                                    { .kind = OI_CHANGE_WITHDRAW } };
    struct oi_buffer body = {};
    bool is_over;
    enum oi_status status;

    OI_TRY(is_told(engine, turn, &is_over, error));
    if (is_over)
        return OI_OK;
    oi_random_secret(mark.fingerprint, sizeof(mark.fingerprint));
    oi_remote_encode_batch(&empty, &mark, &body);
    changes[0].body = oi_buffer_slice(&body);
    changes[1].body = (struct oi_slice){ (const char *) &batch, sizeof(batch) };
    changes[0].time = changes[1].time = oi_remote_now(engine->store);
    status = send_events(engine, turn, 1, changes, 2, error);
    oi_buffer_release(&body);
    OI_TRY(status);
    oi_log(OI_LOG_WARN, "clickhouse.turn", "turn %llu was given up: batch %llu is empty",
           (unsigned long long) turn, (unsigned long long) batch);
    end_turn(engine, turn);
    return OI_OK;
}

/* Others wait so long and longer: after half of it a turn may no longer be used. */
static enum oi_status
check_in_time(const struct oi_clickhouse *engine, struct oi_error *error)
{
    if (engine->server.is_cluster && now_of() - engine->own_since > engine->turn_ns / 2)
        return oi_fail(error, OI_E_BUSY, "ClickHouse's cluster was too slow");
    return OI_OK;
}

/* What became of a turn of ours that broke off: its event is there, or it is given up. */
static enum oi_status
settle_own_turn(struct oi_clickhouse *engine, struct oi_error *error)
{
    uint64_t turn = engine->own_turn;

    if (turn == 0)
        return OI_OK;
    if (engine->keeper_at != 0)
        return oi_fail(error, OI_E_BUSY, "ClickHouse's ZooKeeper does not answer");
    if (engine->sequence >= turn) {
        end_turn(engine, turn);
        return OI_OK;
    }
    OI_TRY(give_up(engine, turn, error));
    OI_TRY(follow_events(engine, error));
    if (engine->sequence >= turn)
        end_turn(engine, turn);
    return OI_OK;
}

/* Somebody has turn N. Its event comes in a moment, or its owner is dead. */
static enum oi_status
await_turn(struct oi_clickhouse *engine, uint64_t turn, struct oi_error *error)
{
    const struct timespec pause = { 0, TURN_PAUSE_NS };

    if (engine->other_turn != turn) {
        engine->other_turn = turn;
        engine->other_since = now_of();
    }
    if (now_of() - engine->other_since > engine->turn_ns) {
        engine->other_turn = 0;
        return give_up(engine, turn, error);
    }
    if (engine->spool && now_of() - engine->other_since > TURN_WAIT_NS)
        return oi_fail(error, OI_E_BUSY, "somebody else is writing, or died of it");
    (void) nanosleep(&pause, NULL);
    return OI_OK;
}

/* Rows, then the event. */
static enum oi_status
send_change(struct oi_clickhouse *engine, uint64_t turn, const struct oi_change *change,
            const struct oi_batch_rows *rows, bool *ret_made, struct oi_error *error)
{
    if (rows)
        OI_TRY(send_rows(engine, change->batch, rows, ret_made, error));
    OI_TRY(check_in_time(engine, error));
    OI_TRY(send_events(engine, turn, 0, change, 1, error));
    return check_in_time(engine, error);
}

static void
note_kept(struct oi_clickhouse *engine, const struct oi_change *change,
          const struct oi_batch_rows *rows)
{
    if (rows)
        oi_kept_note_rows(engine->kept, change->batch, rows);
    if (change->kind == OI_CHANGE_WITHDRAW)
        oi_kept_forget(engine->kept);
}

enum oi_status
oi_clickhouse_commit(void *context, const struct oi_change *change,
                     const struct oi_batch_rows *rows, bool *ret_overtaken, struct oi_error *error)
{
    struct oi_clickhouse *engine = context;
    uint64_t turn = engine->sequence + 1;
    bool is_taken, is_made = false;
    enum oi_status status;

    *ret_overtaken = false;
    OI_TRY(take_turn(engine, turn, &is_taken, error));
    if (!is_taken) {
        *ret_overtaken = true;
        return await_turn(engine, turn, error);
    }
    status = send_change(engine, turn, change, rows, &is_made, error);
    /* Hours were made of rows that are not there. */
    if (status != OI_OK && is_made)
        oi_making_spoil(&engine->filling.making, 0);
    OI_TRY(status);
    end_turn(engine, turn);
    clear_old_rows(engine, turn);
    engine->sequence = turn;
    if (rows && !is_made)
        oi_filling_make(engine, rows);
    oi_filling_note_own(engine, change, rows);
    note_kept(engine, change, rows);
    engine->lacks_positions |= change->kind == OI_CHANGE_WITHDRAW;
    atomic_store(&engine->next_look, now_of() + LOOK_NS);
    return OI_OK;
}

/*
 * What waited while nobody answered.
 */

static enum oi_status
append_kept(void *context, const struct oi_batch *batch, struct oi_error *error)
{
    struct oi_clickhouse *engine = context;

    return oi_remote_append(engine->store, batch, error);
}

static enum oi_status
drain(struct oi_clickhouse *engine, struct oi_error *error)
{
    enum oi_status status = OI_OK;
    uint64_t batches, bytes;

    oi_spool_sizes(engine->spool, &batches, &bytes);
    if (batches > 0 && (now_of() < engine->drain_at || engine->keeper_at != 0))
        return oi_fail(error, OI_E_BUSY, "ClickHouse took no batch a moment ago");
    engine->is_draining = true;
    while (status == OI_OK)
        status = oi_spool_take(engine->spool, append_kept, engine, error);
    engine->is_draining = false;
    if (status == OI_E_NOT_FOUND) {
        engine->drain_pause = 0;
        return OI_OK;
    }
    engine->drain_pause = engine->drain_pause == 0 ? DRAIN_PAUSE_MIN_NS : 2 * engine->drain_pause;
    if (engine->drain_pause > DRAIN_PAUSE_MAX_NS)
        engine->drain_pause = DRAIN_PAUSE_MAX_NS;
    engine->drain_at = now_of() + engine->drain_pause;
    return status;
}

enum oi_status
oi_clickhouse_follow(void *context, bool is_needed, struct oi_error *error)
{
    struct oi_clickhouse *engine = context;
    struct oi_error why = {};
    enum oi_status status = follow_events(engine, &why);

    if (status == OI_OK)
        status = settle_own_turn(engine, &why);
    if (status == OI_OK && engine->spool && !engine->is_draining)
        status = drain(engine, &why);
    if (status == OI_OK && !engine->is_draining)
        oi_filling_step(engine);
    if ((status == OI_E_BUSY) != atomic_load(&engine->is_away)) {
        atomic_store(&engine->is_away, status == OI_E_BUSY);
        if (status == OI_E_BUSY)
            oi_log(OI_LOG_WARN, "clickhouse.away", "%s", why.message);
        else
            oi_log(OI_LOG_INFO, "clickhouse.back", "ClickHouse answers again");
    }
    atomic_store(&engine->next_look, now_of() + (status == OI_OK ? LOOK_NS : LOOK_AWAY_NS));
    if (status == OI_OK || (status == OI_E_BUSY && !is_needed && engine->is_begun))
        return OI_OK;
    return oi_fail(error, status, "%s", why.message);
}
