/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Appending: rows are compared with what is there, and what is new becomes one batch in one durable
 * commit. Inside the engine's writer memory equals the disk, so the tails answer for the log and
 * only rows as old as the chunks are looked up there.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "store/chunk.h"
#include "store/store_internal.h"

#include <stdlib.h>
#include <string.h>

/* Memory is asked for this many rows ahead of its use. */
#define PREFETCH_ROWS 12
/* All rows of one instant stay in one chunk, so there may not be more of them than fit. */
#define REVISIONS_MAX (OI_CHUNK_ROWS_MAX / 2)

/* One row of the caller on its way in. */
struct intake_row {
    uint32_t series;
    uint32_t index; /* in the caller's array */
    uint32_t place; /* among those that are taken */
    oi_time time, known_time;
};

struct refusal {
    size_t index;
    const char *reason;
};

struct intake {
    struct oi_store *store;
    struct oi_access access;
    const struct oi_batch *batch;
    struct oi_append_part *parts; /* of the batch's rows, in order */
    size_t part_count;
    uint64_t number;
    oi_time commit_time;
    struct intake_row *rows; /* in order of series, then key */
    size_t row_count;
    bool is_plain;              /* one row a series, in order, each later than all there is */
    bool is_sorted;             /* as they came */
    struct oi_batch_rows taken; /* without faults, as they came */
    struct oi_batch_rows kept;  /* what is new of them, in order */
    struct oi_plain plain;
    OI_VECTOR(struct refusal) refusals;

    /* Rows of one time that are there already, in key order. */
    struct oi_rows present;
    struct oi_rows candidate;   /* the one row that is looked at */
    struct oi_batch_rows there; /* where rows are elsewhere: what it has of all keys in question */
    size_t there_next;
    bool is_overtaken; /* somebody else committed meanwhile: all over again */
    /* The chunk looked into last. */
    struct oi_chunk chunk;
    uint32_t chunk_series;
    oi_time chunk_first, chunk_last;
};

/* Whose row it is: there are few parts, and usually one. */
static struct oi_append_part *
part_of(const struct intake *intake, size_t index)
{
    size_t part = 0;

    while (part + 1 < intake->part_count && index >= intake->parts[part + 1].first)
        part++;
    return &intake->parts[part];
}

static void
refuse(struct intake *intake, size_t index, const char *reason)
{
    const struct refusal refusal = { index, reason };

    part_of(intake, index)->result.refused++;
    oi_vector_push(&intake->refusals, refusal);
}

static int
compare_intake(const void *left, const void *right)
{
    const struct intake_row *a = left, *b = right;

    if (a->series != b->series)
        return a->series < b->series ? -1 : 1;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    if (a->known_time != b->known_time)
        return a->known_time < b->known_time ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* Rows without anything to compare are all kept. */
static bool
take_plain_rows(struct intake *intake)
{
    intake->plain = (struct oi_plain){ .store = intake->store,
                                       .batch = intake->batch,
                                       .rows = &intake->kept,
                                       .number = intake->number,
                                       .commit_time = intake->commit_time };
    if (!oi_plain_take(&intake->plain))
        return false;
    for (size_t part = 0; part < intake->part_count; part++)
        intake->parts[part].result.stored = intake->parts[part].batch->row_count;
    return true;
}

/* The caller's rows are large and read once: what is made of them is a third of the size. */
static void
take_rows(struct intake *intake)
{
    const struct oi_batch *batch = intake->batch;
    struct oi_batch_rows *taken = &intake->taken;

    intake->rows = oi_alloc((batch->row_count + 1) * sizeof(*intake->rows));
    intake->is_sorted = true;
    oi_batch_rows_reserve(taken, batch->row_count);
    for (size_t i = 0; i < batch->row_count; i++) {
        const struct oi_observation *reading = &batch->rows[i].reading;
        const char *fault = oi_row_fault(intake->store, intake->commit_time, &batch->rows[i]);
        struct intake_row *row = &intake->rows[intake->row_count];

        if (fault) {
            refuse(intake, i, fault);
            continue;
        }
        *row = (struct intake_row){
            .series = batch->rows[i].series,
            .index = (uint32_t) i,
            .place = (uint32_t) intake->row_count,
            .time = reading->time,
            .known_time =
                reading->known_time == OI_TIME_NONE ? intake->commit_time : reading->known_time,
        };
        oi_batch_rows_add(taken, row->series, reading, intake->number);
        taken->rows.items[row->place].known_time = row->known_time;
        intake->is_sorted &= intake->row_count == 0 || compare_intake(row - 1, row) < 0;
        intake->row_count++;
    }
    if (!intake->is_sorted)
        qsort(intake->rows, intake->row_count, sizeof(*intake->rows), compare_intake);
}

/* Decode the chunk that may hold `time`, unless it is at hand. False when none does. */
static enum oi_status
load_chunk(struct intake *intake, uint32_t series, oi_time time, bool *ret_found,
           struct oi_error *error)
{
    struct oi_chunk_header header;
    struct oi_chunk_place place;
    enum oi_status status;

    *ret_found = true;
    if (intake->chunk_series == series && time >= intake->chunk_first && time <= intake->chunk_last)
        return OI_OK;
    *ret_found = false;
    status = oi_chunk_find(&intake->access, series, time, &place, error);
    if (status == OI_E_NOT_FOUND)
        return OI_OK;
    OI_TRY(status);
    /* What a damaged chunk held is not known: a row is then new. */
    status = oi_chunk_header_read(place.key, place.value, &header, error);
    if (status == OI_E_CORRUPT || (status == OI_OK && time > header.last_time))
        return OI_OK;
    OI_TRY(status);
    intake->chunk_series = 0;
    status = oi_chunk_load(&intake->access, place.key, place.value, OI_COLUMNS_ALL, &intake->chunk,
                           error);
    if (status == OI_E_CORRUPT)
        return OI_OK;
    OI_TRY(status);
    intake->chunk_series = series;
    intake->chunk_first = header.first_time;
    intake->chunk_last = header.last_time;
    *ret_found = true;
    return OI_OK;
}

static void
add_present(struct intake *intake, const struct oi_rows *from, size_t index)
{
    if (!oi_hidden_has(&intake->store->hidden, from->items[index].batch))
        oi_rows_copy(&intake->present, from, index);
}

static enum oi_status
add_present_from_chunk(struct intake *intake, uint32_t series, oi_time time, struct oi_error *error)
{
    const struct oi_columns *columns = &intake->chunk.columns;
    struct oi_rows found = {};
    size_t low = 0, high, count = 0;
    bool is_found;

    OI_TRY(load_chunk(intake, series, time, &is_found, error));
    if (!is_found)
        return OI_OK;
    high = columns->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (columns->time[middle] < time)
            low = middle + 1;
        else
            high = middle;
    }
    while (low + count < columns->count && columns->time[low + count] == time)
        count++;
    oi_rows_add_columns(&found, columns, low, count);
    for (size_t i = 0; i < count; i++)
        add_present(intake, &found, i);
    oi_rows_release(&found);
    return OI_OK;
}

/* Rows that may have company are asked for in one question. */
static enum oi_status
ask_remote(struct intake *intake, struct oi_error *error)
{
    const struct oi_store *store = intake->store;
    OI_VECTOR(struct oi_row_key) keys = {};
    enum oi_status status = OI_OK;

    for (size_t i = 0; i < intake->row_count; i++) {
        const struct oi_row_key key = { intake->rows[i].series, intake->rows[i].time };
        const struct oi_position *position = store->tracks.items[key.series - 1].position;

        if (position->rows > 0 && key.time >= position->first && key.time <= position->last &&
            (keys.count == 0 || keys.items[keys.count - 1].series != key.series ||
             keys.items[keys.count - 1].time != key.time))
            oi_vector_push(&keys, key);
    }
    if (keys.count > 0)
        status = store->remote->present(store->remote_context, keys.items, keys.count,
                                        &intake->there, error);
    oi_vector_release(&keys);
    return status;
}

/* Both are in one order, so each is walked once. */
static void
take_present(struct intake *intake, uint32_t series, oi_time time)
{
    const struct oi_batch_rows *there = &intake->there;

    while (intake->there_next < there->rows.count) {
        uint32_t at = there->series.items[intake->there_next];
        oi_time at_time = there->rows.items[intake->there_next].time;

        if (at > series || (at == series && at_time > time))
            return;
        if (at == series && at_time == time)
            add_present(intake, &there->rows, intake->there_next);
        intake->there_next++;
    }
}

/* Every visible row of (series, time), in key order. */
static enum oi_status
gather_present(struct intake *intake, uint32_t series, oi_time time, struct oi_error *error)
{
    const struct oi_track *track = &intake->store->tracks.items[series - 1];
    const struct oi_position *position = track->position;
    struct oi_rows more = {};

    oi_rows_clear(&intake->present);
    if (intake->store->remote) {
        take_present(intake, series, time);
        return OI_OK;
    }
    if (position->rows > 0 && time >= position->first && time <= position->last)
        OI_TRY(add_present_from_chunk(intake, series, time, error));
    if (track->tail.count == 0 || time > track->tail_last)
        return OI_OK;
    for (size_t i = oi_rows_find(&track->tail, time);
         i < track->tail.count && track->tail.items[i].time == time; i++)
        if (!oi_hidden_has(&intake->store->hidden, track->tail.items[i].batch))
            oi_rows_copy(&more, &track->tail, i);
    oi_rows_merge(&intake->present, &more);
    oi_rows_release(&more);
    return OI_OK;
}

/* Is the candidate new? Refused or counted when it is not. */
static bool
judge(struct intake *intake, const struct oi_feed *feed, const struct intake_row *row)
{
    const struct oi_rows *present = &intake->present;
    const struct oi_record *record = &intake->candidate.items[0];
    size_t before = 0;

    while (before < present->count && oi_record_compare(&present->items[before], record) <= 0)
        before++;
    /* A minute is polled once, whoever asks again and whatever the answer then. */
    if (present->count > 0 && strcmp(feed->name, "live") == 0) {
        part_of(intake, row->index)->result.duplicate++;
        return false;
    }
    if (before > 0 && oi_rows_same_reading(present, before - 1, &intake->candidate, 0)) {
        part_of(intake, row->index)->result.duplicate++;
        return false;
    }
    if (before > 0 && oi_record_compare(&present->items[before - 1], record) == 0) {
        refuse(intake, row->index, "two different readings of one instant in one batch");
        return false;
    }
    if (present->count >= REVISIONS_MAX) {
        refuse(intake, row->index, "too many revisions of one instant");
        return false;
    }
    if (!feed->restates && present->count > 0 && part_of(intake, row->index)->batch->first_wins &&
        oi_rows_same_reading(present, 0, &intake->candidate, 0)) {
        part_of(intake, row->index)->result.duplicate++;
        return false;
    }
    for (size_t i = 0; !feed->restates && i < present->count; i++) {
        if (!oi_rows_same_reading(present, i, &intake->candidate, 0)) {
            refuse(intake, row->index, "a second, different reading: the feed does not restate");
            return false;
        }
    }
    return true;
}

static bool
is_same_instant(const struct intake_row *a, const struct intake_row *b)
{
    return a->series == b->series && a->time == b->time;
}

/* A row a series: what memory knows of each is somewhere else, and waiting for it would be most of
 * the work. */
static void
prefetch_tracks(const struct intake *intake, size_t row)
{
    const struct oi_track *track;

    if (row + PREFETCH_ROWS >= intake->row_count)
        return;
    track = &intake->store->tracks.items[intake->rows[row + PREFETCH_ROWS].series - 1];
    __builtin_prefetch(track);
    __builtin_prefetch(&track->latest);
}

/* The row just put behind those that are kept is not new after all. */
static void
drop_last(struct oi_batch_rows *kept, size_t wide_count)
{
    kept->rows.count--;
    kept->series.count--;
    kept->rows.wides.count = wide_count;
}

/* Where the rows that are looked at come from: moved to what is kept, within it, where nothing has
 * to be sorted. Wide figures are copied with their rows, so that those of dropped rows go too. */
static struct oi_batch_rows *
begin_keeping(struct intake *intake)
{
    struct oi_batch_rows *kept = &intake->kept;

    if (!intake->is_sorted || intake->taken.rows.wides.count > 0) {
        oi_batch_rows_reserve(kept, intake->row_count);
        return &intake->taken;
    }
    *kept = intake->taken;
    intake->taken = (struct oi_batch_rows){};
    kept->rows.count = kept->series.count = 0;
    return kept;
}

static enum oi_status
keep_new_rows(struct intake *intake, struct oi_error *error)
{
    const struct oi_names *names = &intake->store->names;
    const struct oi_batch_rows *from = begin_keeping(intake);
    struct oi_batch_rows *kept = &intake->kept;

    for (size_t i = 0; i < intake->row_count; i++) {
        const struct intake_row *row = &intake->rows[i];
        const struct oi_feed *feed =
            &names->feeds.items[names->series.items[row->series - 1].feed - 1];
        bool has_next = i + 1 < intake->row_count && is_same_instant(row, row + 1);
        size_t wide_count = kept->rows.wides.count;

        prefetch_tracks(intake, i);
        if (i == 0 || !is_same_instant(row - 1, row))
            OI_TRY(gather_present(intake, row->series, row->time, error));
        oi_rows_copy(&kept->rows, &from->rows, row->place);
        oi_vector_push(&kept->series, row->series);
        if (intake->present.count > 0 || has_next) {
            oi_rows_clear(&intake->candidate);
            oi_rows_copy(&intake->candidate, &kept->rows, kept->rows.count - 1);
            if (!judge(intake, feed, row)) {
                drop_last(kept, wide_count);
                continue;
            }
        }
        part_of(intake, row->index)->result.stored++;
        if (has_next)
            oi_rows_merge(&intake->present, &intake->candidate);
    }
    return OI_OK;
}

/* What a batch says besides its rows, into the ledgers. */
enum oi_status
oi_append_record(struct oi_access *access, const struct oi_batch *batch, struct oi_state *state,
                 struct oi_batch_header *header, struct oi_error *error)
{
    uint64_t number = state->last_batch + 1;

    if (batch->import)
        OI_TRY(oi_import_save(access, batch->import, number, &state->next_import, &header->import,
                              error));
    OI_TRY(oi_coverage_save(access, batch, number, error));
    OI_TRY(oi_commits_add(access, number, header, error));
    state->last_batch = number;
    state->last_commit_time = header->commit_time;
    return oi_state_save(access, state, error);
}

/* The rows go to where all rows are, and the batch becomes known to everybody, before the mirror
 * has it. */
static enum oi_status
send_batch(struct intake *intake, const struct oi_batch *batch,
           const struct oi_batch_header *header, struct oi_error *error)
{
    const struct oi_store *store = intake->store;
    struct oi_change change = { .kind = OI_CHANGE_APPEND,
                                .time = header->commit_time,
                                .batch = intake->number,
                                .row_count = header->row_count };
    struct oi_buffer body = {}, rows = {};
    enum oi_status status;

    oi_remote_encode_batch(batch, batch->import, &body);
    if (header->row_count <= OI_REMOTE_ROWS_TOLD) {
        oi_batch_encode(header, &intake->kept, &rows);
        change.rows = oi_buffer_slice(&rows);
    }
    change.body = oi_buffer_slice(&body);
    status = store->remote->commit(store->remote_context, &change, &intake->kept,
                                   &intake->is_overtaken, error);
    oi_buffer_release(&body);
    oi_buffer_release(&rows);
    return status;
}

static enum oi_status
put_log(struct intake *intake, const struct oi_batch_header *header, struct oi_error *error)
{
    const struct oi_key key = oi_key_of_u64(intake->number);
    struct oi_buffer value = {};
    enum oi_status status;

    oi_seal_begin(&value);
    if (intake->is_plain)
        oi_plain_encode(&intake->plain, header, &value);
    else
        oi_batch_encode(header, &intake->kept, &value);
    status = oi_access_put(&intake->access, OI_TABLE_LOG, oi_key_slice(&key), &value, error);
    oi_buffer_release(&value);
    return status;
}

static enum oi_status
write_batch(struct intake *intake, struct oi_state *state, struct oi_error *error)
{
    struct oi_batch_header header = { .commit_time = intake->commit_time,
                                      .row_count = intake->kept.rows.count };
    struct oi_batch batch = *intake->batch;
    struct oi_import_mark mark;

    if (batch.import) {
        mark = *batch.import;
        /* In the same commit as the rows: a crash behind it loses no count. */
        mark.stored += intake->parts[0].result.stored;
        mark.duplicate += intake->parts[0].result.duplicate;
        mark.refused += intake->parts[0].result.refused;
        batch.import = &mark;
    }
    OI_TRY(oi_append_record(&intake->access, &batch, state, &header, error));
    if (intake->store->remote) {
        OI_TRY(send_batch(intake, &batch, &header, error));
        if (intake->is_overtaken)
            return OI_OK;
    } else {
        OI_TRY(put_log(intake, &header, error));
    }
    OI_TRY(oi_access_commit(&intake->access, error));
    oi_store_publish(intake->store, state, &header, &intake->kept,
                     intake->is_plain && oi_plain_finish(&intake->plain));
    return OI_OK;
}

static bool
is_empty(const struct intake *intake)
{
    return intake->kept.rows.count == 0 && intake->batch->hole_count == 0 &&
           intake->batch->mark_count == 0 && !intake->batch->import;
}

/* What is new of the rows that were taken. */
static enum oi_status
compare_rows(struct intake *intake, struct oi_error *error)
{
    struct oi_store *store = intake->store;
    enum oi_status status;

    if (store->remote)
        OI_TRY(ask_remote(intake, error));
    (void) pthread_rwlock_rdlock(&store->state_lock);
    status = keep_new_rows(intake, error);
    (void) pthread_rwlock_unlock(&store->state_lock);
    return status;
}

static enum oi_status
append_in(struct intake *intake, struct oi_error *error)
{
    struct oi_store *store = intake->store;
    struct oi_state state;
    enum oi_status status;

    OI_TRY(oi_store_catch_up(store, &intake->access, error));
    (void) pthread_rwlock_rdlock(&store->state_lock);
    state = store->state;
    intake->number = state.last_batch + 1;
    intake->commit_time = oi_store_now(store, &state);
    intake->is_plain = !store->remote && take_plain_rows(intake);
    if (!intake->is_plain)
        take_rows(intake);
    (void) pthread_rwlock_unlock(&store->state_lock);
    /* Nothing moves meanwhile: we are the writer. */
    if (!intake->is_plain)
        OI_TRY(compare_rows(intake, error));
    if (!is_empty(intake)) {
        if (intake->is_plain)
            oi_plain_stage(&intake->plain);
        status = write_batch(intake, &state, error);
        if (intake->is_plain)
            (void) oi_plain_finish(&intake->plain); /* whatever became of the commit */
        OI_TRY(status);
        if (intake->is_overtaken)
            return OI_OK;
        for (size_t i = 0; i < intake->part_count; i++) {
            if (oi_append_is_idle(&intake->parts[i]))
                continue;
            intake->parts[i].result.batch = intake->number;
            intake->parts[i].result.time = intake->commit_time;
        }
    }
    for (size_t i = 0; i < intake->refusals.count; i++) {
        const struct refusal *refusal = &intake->refusals.items[i];
        const struct oi_append_part *part = part_of(intake, refusal->index);

        if (part->batch->refuse)
            part->batch->refuse(part->batch->context, refusal->index - part->first,
                                refusal->reason);
    }
    return OI_OK;
}

static enum oi_status
append_once(struct oi_store *store, const struct oi_batch *batch, struct oi_append_part *parts,
            size_t part_count, bool *ret_overtaken, struct oi_error *error)
{
    struct intake intake = {
        .store = store, .batch = batch, .parts = parts, .part_count = part_count
    };
    enum oi_status status;

    for (size_t i = 0; i < part_count; i++)
        parts[i].result = (struct oi_append_result){ .time = OI_TIME_NONE };
    if (store->remote)
        OI_TRY(store->remote->follow(store->remote_context, true, error));
    OI_TRY(oi_access_begin(&intake.access, store, OI_KV_WRITE, error));
    status = append_in(&intake, error);
    oi_access_end(&intake.access);
    oi_free(intake.rows);
    oi_plain_release(&intake.plain);
    oi_batch_rows_release(&intake.taken);
    oi_batch_rows_release(&intake.kept);
    oi_batch_rows_release(&intake.there);
    oi_vector_release(&intake.refusals);
    oi_rows_release(&intake.present);
    oi_rows_release(&intake.candidate);
    oi_chunk_release(&intake.chunk);
    *ret_overtaken = intake.is_overtaken;
    return status;
}

enum oi_status
oi_append_commit(struct oi_store *store, const struct oi_batch *batch, struct oi_append_part *parts,
                 size_t part_count, struct oi_error *error)
{
    bool is_overtaken = true;

    while (is_overtaken)
        OI_TRY(append_once(store, batch, parts, part_count, &is_overtaken, error));
    return OI_OK;
}

/*
 * Rows that need no comparing.
 */

/* Does each series end before its rows? The state lock is held. */
static bool
are_ahead(const struct oi_store *store, const struct oi_batch_rows *rows)
{
    const uint32_t *series = rows->series.items;

    for (size_t i = 0; i < rows->rows.count; i++) {
        const struct oi_position *position;

        if (i > 0 && series[i] == series[i - 1])
            continue;
        position = store->tracks.items[series[i] - 1].position;
        if (position->rows > 0 && rows->rows.items[i].time <= position->last)
            return false;
    }
    return true;
}

/* A known time that is the commit's is another one when somebody else was quicker. */
static void
stamp(struct oi_batch_rows *rows, uint64_t batch, oi_time before, oi_time commit_time)
{
    for (size_t i = 0; i < rows->rows.count; i++) {
        struct oi_record *record = &rows->rows.items[i];

        record->batch = batch;
        if (record->known_time == OI_TIME_NONE || record->known_time == before)
            record->known_time = commit_time;
    }
}

static enum oi_status
append_ahead(struct intake *intake, struct oi_batch_rows *rows, bool *ret_taken,
             struct oi_error *error)
{
    struct oi_store *store = intake->store;
    oi_time before = intake->commit_time;
    struct oi_state state;
    enum oi_status status;

    OI_TRY(store->remote->follow(store->remote_context, true, error));
    OI_TRY(oi_access_begin(&intake->access, store, OI_KV_WRITE, error));
    status = oi_store_catch_up(store, &intake->access, error);
    (void) pthread_rwlock_rdlock(&store->state_lock);
    state = store->state;
    intake->number = state.last_batch + 1;
    intake->commit_time = oi_store_now(store, &state);
    *ret_taken = are_ahead(store, rows);
    (void) pthread_rwlock_unlock(&store->state_lock);
    if (status == OI_OK && *ret_taken) {
        stamp(rows, intake->number, before, intake->commit_time);
        intake->kept = *rows;
        intake->is_overtaken = false;
        intake->parts[0].result = (struct oi_append_result){ .stored = rows->rows.count,
                                                             .batch = intake->number,
                                                             .time = intake->commit_time };
        status = write_batch(intake, &state, error);
    }
    oi_access_end(&intake->access);
    return status;
}

enum oi_status
oi_append_ahead(struct oi_store *store, const struct oi_batch *batch, struct oi_batch_rows *rows,
                struct oi_append_result *ret_result, bool *ret_taken, struct oi_error *error)
{
    struct oi_append_part part = { .batch = batch };
    struct intake intake = { .store = store,
                             .batch = batch,
                             .parts = &part,
                             .part_count = 1,
                             .commit_time = OI_TIME_NONE,
                             .is_overtaken = true };
    enum oi_status status = OI_OK;

    *ret_taken = true;
    (void) pthread_mutex_lock(&store->append_lock);
    while (status == OI_OK && *ret_taken && intake.is_overtaken)
        status = append_ahead(&intake, rows, ret_taken, error);
    (void) pthread_mutex_unlock(&store->append_lock);
    atomic_store(&store->is_paused, status == OI_E_FULL);
    if (status == OI_OK)
        *ret_result = part.result;
    return status;
}
