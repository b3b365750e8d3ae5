/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verifying: every checksum, every invariant that the store lives by, and the rollups made anew.
 * All in one read transaction, so that a live store can be verified; what is damaged is named and
 * the rest is still looked at.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "store/chunk.h"
#include "store/rollup.h"
#include "store/store_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct verifier {
    struct oi_store *store;
    struct oi_access access;
    struct oi_state state;
    struct oi_names names;
    struct oi_hidden hidden;
    struct oi_verify_report report;
    void (*fault)(void *context, const char *what);
    void *context;

    uint64_t next_batch;   /* expected in the log */
    oi_time last_commit;   /* of the batch before */
    struct oi_chunk chunk; /* reused */
    uint32_t series;       /* whose chunks are looked at */
    bool has_chunks;       /* some of that series came already */
    struct oi_position found, position;
    uint64_t commit_blocks; /* of commit times, so far */
    uint64_t blocks_met;    /* of rollups, that rows make */
    uint64_t blocks;        /* of rollups in all */
    bool is_damaged;        /* some chunk of the series is: its rollups cannot be made anew */
    struct oi_rollups made[2];
};

static void report(struct verifier *verifier, const char *format, ...) OI_PRINTF(2, 3);

static void
report(struct verifier *verifier, const char *format, ...)
{
    char text[OI_ERROR_SIZE];
    va_list arguments;

    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start is the line above */
    (void) vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    verifier->report.faults++;
    if (verifier->fault)
        verifier->fault(verifier->context, text);
}

/* Every entry of a table, damaged ones too. */
static enum oi_status
walk_table(struct verifier *verifier, enum oi_table table,
           void (*check)(struct verifier *verifier, struct oi_slice key, struct oi_slice value),
           struct oi_error *error)
{
    const struct oi_kv_engine *engine = verifier->store->engine;
    struct oi_kv_cursor *cursor = NULL;
    struct oi_slice key, value;
    enum oi_status status;

    OI_TRY(engine->cursor_open(verifier->access.txn, table, &cursor, error));
    status = engine->seek(cursor, (struct oi_slice){}, &key, &value, NULL);
    while (status == OI_OK) {
        check(verifier, key, value);
        status = engine->next(cursor, &key, &value, NULL);
    }
    engine->cursor_close(&cursor);
    return status == OI_E_NOT_FOUND ? OI_OK : oi_fail_reading(table, status, error);
}

static bool
open_seal(struct verifier *verifier, enum oi_table table, struct oi_slice key,
          struct oi_slice value, struct oi_slice *ret_body)
{
    struct oi_error error = {};

    if (oi_seal_open(table, key, value, ret_body, &error) == OI_OK)
        return true;
    report(verifier, "%s", error.message);
    return false;
}

static void
check_batch(struct verifier *verifier, struct oi_slice key, struct oi_slice value)
{
    struct oi_slice rest = key;
    uint64_t batch = oi_key_take_u64(&rest);
    struct oi_batch_header header;
    struct oi_error error = {};
    struct oi_batch_rows rows = {};
    struct oi_slice body;

    verifier->report.batches++;
    if (batch != verifier->next_batch)
        report(verifier, "batch %llu of the log where %llu is due", (unsigned long long) batch,
               (unsigned long long) verifier->next_batch);
    verifier->next_batch = batch + 1;
    if (!open_seal(verifier, OI_TABLE_LOG, key, value, &body))
        return;
    if (oi_batch_decode(body, &header, &rows, &error) != OI_OK) {
        report(verifier, "batch %llu: %s", (unsigned long long) batch, error.message);
        return;
    }
    if (header.commit_time < verifier->last_commit)
        report(verifier, "batch %llu was committed before its predecessor",
               (unsigned long long) batch);
    verifier->last_commit = header.commit_time;
    for (size_t i = 0; i < header.row_count; i++) {
        const struct oi_record *record = &rows.rows.items[i];
        const uint32_t *series = &rows.series.items[i];

        if (*series > verifier->names.series.count)
            report(verifier, "batch %llu: a row of series %u, which does not exist",
                   (unsigned long long) batch, *series);
        if (record->known_time > header.commit_time)
            report(verifier, "batch %llu: a row known after its commit",
                   (unsigned long long) batch);
        if (i > 0 &&
            (series[-1] > *series || (series[-1] == *series && record[-1].time > record->time)))
            report(verifier, "batch %llu: rows out of order", (unsigned long long) batch);
    }
    verifier->report.rows += header.row_count;
    oi_batch_rows_release(&rows);
}

static enum oi_status
make_rollups(void *context, const struct oi_columns *columns, struct oi_error *error)
{
    struct verifier *verifier = context;
    struct oi_position *found = &verifier->found;

    (void) error;
    for (size_t row = 0; row < columns->count; row++) {
        const struct oi_observation reading = oi_columns_get(columns, row);

        oi_rollups_add(&verifier->made[0], OI_HOUR, &reading);
        oi_rollups_add(&verifier->made[1], OI_DAY, &reading);
        found->has_newest = true;
        found->newest = reading;
        found->newest_batch = columns->batch[row];
    }
    return OI_OK;
}

/* The first and last rows of rollups: what those keep of them. */
static bool
same_end(const struct oi_observation *a, const struct oi_observation *b)
{
    return a->time == b->time && a->flags == b->flags &&
           oi_decimal_equal(&a->open_interest, &b->open_interest) &&
           oi_decimal_equal(&a->value_usd, &b->value_usd) &&
           oi_decimal_equal(&a->mark_price, &b->mark_price) &&
           oi_decimal_equal(&a->index_price, &b->index_price) &&
           oi_decimal_equal(&a->last_price, &b->last_price);
}

static bool
same_row(const struct oi_observation *a, const struct oi_observation *b)
{
    return a->exchange_time == b->exchange_time && a->known_time == b->known_time && same_end(a, b);
}

static bool
same_rollup(const struct oi_rollup *a, const struct oi_rollup *b)
{
    return a->start == b->start && a->count == b->count && same_end(&a->first, &b->first) &&
           oi_decimal_equal(&a->high.open_interest, &b->high.open_interest) &&
           oi_decimal_equal(&a->low.open_interest, &b->low.open_interest) &&
           same_end(&a->last, &b->last);
}

/* The stored block that should hold made[from …] up to `count` of them, all of one block. One that
 * is not stored must not pay. */
static bool
check_block(struct verifier *verifier, const struct oi_rollups *made, size_t from, size_t count,
            int64_t interval_ns)
{
    const struct oi_rollups due = { made->items + from, count, count };
    struct oi_rollups stored = {};
    struct oi_error error = {};
    enum oi_status status = oi_rollups_load_stored(&verifier->access, verifier->series, interval_ns,
                                                   made->items[from].start, &stored, &error);
    bool is_same = status == OI_OK && stored.count == count;

    for (size_t i = 0; is_same && i < count; i++)
        is_same = same_rollup(&stored.items[i], &due.items[i]);
    verifier->report.rollups += stored.count;
    verifier->blocks_met += status == OI_OK;
    oi_vector_release(&stored);
    return status == OI_E_NOT_FOUND ? !oi_rollups_pay(&due) : is_same;
}

static void
check_rollups(struct verifier *verifier)
{
    static const int64_t intervals[] = { OI_HOUR, OI_DAY };

    for (size_t kind = 0; kind < OI_COUNT(intervals); kind++) {
        const struct oi_rollups *made = &verifier->made[kind];

        for (size_t i = 0; i < made->count;) {
            size_t count = 1;

            while (i + count < made->count &&
                   oi_rollup_block(intervals[kind], made->items[i + count].start) ==
                       oi_rollup_block(intervals[kind], made->items[i].start))
                count++;
            if (!check_block(verifier, made, i, count, intervals[kind])) {
                report(verifier, "series %u: the rollups of %s from %lld differ from the rows",
                       verifier->series, kind == 0 ? "hours" : "days",
                       (long long) made->items[i].start);
                break;
            }
            i += count;
        }
    }
}

/* All chunks of a series have been seen: compare with what is written of them. */
static void
finish_series(struct verifier *verifier)
{
    struct oi_position *found = &verifier->found, *position = &verifier->position;
    struct oi_error error = {};

    if (!verifier->has_chunks)
        return;
    verifier->has_chunks = false;
    if (verifier->is_damaged)
        return;
    if (found->rows != position->rows || found->chunks != position->chunks ||
        found->first != position->first || found->last != position->last ||
        found->last_batch > position->last_batch) /* retention may have taken its row */
        report(verifier, "series %u: its position differs from its chunks", verifier->series);
    if (oi_chunks_walk(&verifier->access, verifier->series, OI_SPAN_ALL, &verifier->hidden,
                       make_rollups, verifier, &error) != OI_OK) {
        report(verifier, "%s", error.message);
        oi_vector_clear(&verifier->made[0]);
        oi_vector_clear(&verifier->made[1]);
        return;
    }
    if (found->has_newest != position->has_newest ||
        (found->has_newest && (found->newest_batch != position->newest_batch ||
                               !same_row(&found->newest, &position->newest))))
        report(verifier, "series %u: its newest row differs from its chunks", verifier->series);
    check_rollups(verifier);
    oi_vector_clear(&verifier->made[0]);
    oi_vector_clear(&verifier->made[1]);
}

static void
start_series(struct verifier *verifier, uint32_t series)
{
    struct oi_error error = {};

    finish_series(verifier);
    verifier->series = series;
    verifier->has_chunks = true;
    verifier->is_damaged = false;
    verifier->found = (struct oi_position){};
    verifier->position = (struct oi_position){};
    if (series == 0 || series > verifier->names.series.count) {
        report(verifier, "a chunk of series %u, which does not exist", series);
        verifier->is_damaged = true;
    }
    if (oi_position_load(&verifier->access, series, &verifier->position, &error) != OI_OK) {
        report(verifier, "series %u: %s", series, error.message);
        verifier->is_damaged = true;
    }
}

static void
check_rows(struct verifier *verifier, const struct oi_columns *columns)
{
    bool is_ordered = true, is_chunked = true;

    for (size_t row = 0; row < columns->count; row++) {
        const struct oi_record here = { .time = columns->time[row],
                                        .known_time = columns->known_time[row],
                                        .batch = columns->batch[row] };

        if (row > 0) {
            const struct oi_record before = { .time = columns->time[row - 1],
                                              .known_time = columns->known_time[row - 1],
                                              .batch = columns->batch[row - 1] };

            is_ordered &= oi_record_compare(&before, &here) < 0;
        }
        is_chunked &= here.batch <= verifier->position.chunked_batch;
        if (here.batch > verifier->found.last_batch)
            verifier->found.last_batch = here.batch;
    }
    if (!is_ordered)
        report(verifier, "series %u: rows of the chunk from %lld are out of order",
               verifier->series, (long long) columns->time[0]);
    if (!is_chunked)
        report(verifier, "series %u: the chunk from %lld holds rows that are still in the log",
               verifier->series, (long long) columns->time[0]);
}

static void
check_chunk(struct verifier *verifier, struct oi_slice key, struct oi_slice value)
{
    struct oi_slice rest = key;
    uint32_t series = oi_key_take_u32(&rest);
    oi_time first = oi_key_take_time(&rest);
    struct oi_position *found = &verifier->found;
    const struct oi_columns *columns = &verifier->chunk.columns;
    struct oi_error error = {};

    if (!verifier->has_chunks || series != verifier->series)
        start_series(verifier, series);
    verifier->report.chunks++;
    if (verifier->store->verified)
        verifier->store->verified(verifier->store->verified_context, verifier->report.chunks);
    if (oi_chunk_load(&verifier->access, key, value, OI_COLUMNS_ALL, &verifier->chunk, &error) !=
        OI_OK) {
        report(verifier, "series %u, chunk from %lld: %s", series, (long long) first,
               error.message);
        verifier->is_damaged = true;
        return;
    }
    if (columns->time[0] != first)
        report(verifier, "series %u: the chunk from %lld is under another time", series,
               (long long) first);
    if (found->rows > 0 && found->last >= columns->time[0])
        report(verifier, "series %u: the chunk from %lld overlaps the one before", series,
               (long long) first);
    check_rows(verifier, columns);
    if (found->rows == 0)
        found->first = columns->time[0];
    found->last = columns->time[columns->count - 1];
    found->rows += columns->count;
    found->chunks++;
    verifier->report.rows += columns->count;
}

/* Positions that promise chunks which are not there are met here; the rest with the chunks. */
static void
check_position(struct verifier *verifier, struct oi_slice key, struct oi_slice value)
{
    struct oi_slice rest = key, body;
    uint32_t series = oi_key_take_u32(&rest);
    struct oi_position position;
    struct oi_chunk_place place;
    struct oi_error error = {};

    if (!open_seal(verifier, OI_TABLE_POSITION, key, value, &body))
        return;
    if (oi_position_decode(body, &position, &error) != OI_OK)
        report(verifier, "series %u: %s", series, error.message);
    else if (position.rows > 0 && oi_chunk_find_after(&verifier->access, series, OI_TIME_EARLIEST,
                                                      &place, NULL) != OI_OK)
        report(verifier, "series %u: its chunks are missing", series);
}

#define SEAL_CHECK(name, table)                                                                    \
    static void check_##name(struct verifier *verifier, struct oi_slice key,                       \
                             struct oi_slice value)                                                \
    {                                                                                              \
        struct oi_slice body;                                                                      \
                                                                                                   \
        (void) open_seal(verifier, table, key, value, &body);                                      \
    }
SEAL_CHECK(hole, OI_TABLE_HOLE)
SEAL_CHECK(watch, OI_TABLE_WATCH)
SEAL_CHECK(import, OI_TABLE_IMPORT)
SEAL_CHECK(flag, OI_TABLE_FLAG)

static void
check_rollup(struct verifier *verifier, struct oi_slice key, struct oi_slice value)
{
    struct oi_slice body;

    verifier->blocks++;
    (void) open_seal(verifier, OI_TABLE_ROLLUP, key, value, &body);
}

/* One block after the other, and the last one ends with the last batch. */
static void
check_commit(struct verifier *verifier, struct oi_slice key, struct oi_slice value)
{
    struct oi_slice rest = key, body;
    uint64_t block = oi_key_take_u64(&rest), batch = verifier->state.last_batch;
    oi_time time = OI_TIME_NONE;
    struct oi_error error = {};

    if (!open_seal(verifier, OI_TABLE_COMMIT, key, value, &body))
        return;
    if (block != verifier->commit_blocks)
        report(verifier, "block %llu of the commit times where %llu is due",
               (unsigned long long) block, (unsigned long long) verifier->commit_blocks);
    verifier->commit_blocks = block + 1;
    if (batch == 0 || block != oi_commits_block(batch))
        return;
    if (oi_commits_resolve(&verifier->access, &batch, 1, &time, &error) != OI_OK)
        report(verifier, "%s", error.message);
    else if (time != verifier->state.last_commit_time)
        report(verifier, "batch %llu was not committed when the store's state says",
               (unsigned long long) batch);
}

/* What is seen only once the tables were walked. */
static void
check_counts(struct verifier *verifier)
{
    uint64_t due =
        verifier->state.last_batch == 0 ? 0 : oi_commits_block(verifier->state.last_batch) + 1;

    if (verifier->commit_blocks != due)
        report(verifier, "%llu blocks of commit times instead of %llu",
               (unsigned long long) verifier->commit_blocks, (unsigned long long) due);
    /* Behind damage nobody knows which rollups are right. */
    if (verifier->report.faults == 0 && verifier->blocks != verifier->blocks_met)
        report(verifier, "%llu blocks of rollups that no rows make",
               (unsigned long long) (verifier->blocks - verifier->blocks_met));
}

static enum oi_status
verify_tables(struct verifier *verifier, struct oi_error *error)
{
    struct oi_error damage = {};

    OI_TRY(oi_state_load(&verifier->access, &verifier->state, error));
    if (oi_names_load(&verifier->access, &verifier->names, &damage) != OI_OK)
        report(verifier, "the catalogue: %s", damage.message);
    if (oi_hidden_load(&verifier->access, &verifier->hidden, &damage) != OI_OK)
        report(verifier, "the import ledger: %s", damage.message);
    verifier->next_batch = verifier->state.log_start;
    verifier->last_commit = OI_TIME_NONE;
    OI_TRY(walk_table(verifier, OI_TABLE_LOG, check_batch, error));
    if (verifier->next_batch != verifier->state.last_batch + 1)
        report(verifier, "the log ends before batch %llu",
               (unsigned long long) verifier->state.last_batch);
    OI_TRY(walk_table(verifier, OI_TABLE_CHUNK, check_chunk, error));
    finish_series(verifier);
    OI_TRY(walk_table(verifier, OI_TABLE_POSITION, check_position, error));
    OI_TRY(walk_table(verifier, OI_TABLE_COMMIT, check_commit, error));
    OI_TRY(walk_table(verifier, OI_TABLE_ROLLUP, check_rollup, error));
    OI_TRY(walk_table(verifier, OI_TABLE_HOLE, check_hole, error));
    OI_TRY(walk_table(verifier, OI_TABLE_WATCH, check_watch, error));
    OI_TRY(walk_table(verifier, OI_TABLE_IMPORT, check_import, error));
    OI_TRY(walk_table(verifier, OI_TABLE_FLAG, check_flag, error));
    check_counts(verifier);
    return OI_OK;
}

void
oi_store_on_verified(struct oi_store *store, void (*verified)(void *context, uint64_t done),
                     void *context)
{
    store->verified = verified;
    store->verified_context = context;
}

enum oi_status
oi_store_verify(struct oi_store *store, void (*fault)(void *context, const char *what),
                void *context, struct oi_verify_report *ret_report, struct oi_error *error)
{
    struct verifier verifier = { .store = store, .fault = fault, .context = context };
    enum oi_status status;

    if (store->remote) {
        OI_TRY(oi_remote_follow(store, error));
        status =
            store->remote->verify(store->remote_context, fault, context, &verifier.report, error);
        if (status == OI_OK && ret_report)
            *ret_report = verifier.report;
        return status;
    }
    OI_TRY(oi_access_begin(&verifier.access, store, OI_KV_READ, error));
    status = verify_tables(&verifier, error);
    oi_access_end(&verifier.access);
    oi_names_release(&verifier.names);
    oi_free(verifier.hidden.batches);
    oi_chunk_release(&verifier.chunk);
    oi_vector_release(&verifier.made[0]);
    oi_vector_release(&verifier.made[1]);
    OI_TRY(status);
    if (ret_report)
        *ret_report = verifier.report;
    if (verifier.report.faults > 0)
        return oi_fail(error, OI_E_CORRUPT, "%llu faults: restore a backup",
                       (unsigned long long) verifier.report.faults);
    return OI_OK;
}
