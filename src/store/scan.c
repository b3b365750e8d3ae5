/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scanning one series: chunks and the tail of the log as one run of rows.
 *
 * A scan takes its copy of the tail when it is opened and remembers the last batch of that moment;
 * each block is then read in a short transaction of its own. A checkpoint in between moves rows
 * from the tail into chunks: the series' position, read in the same transaction as the chunk, says
 * which, and those are skipped in the copy. The copy is taken before any transaction, so a row is
 * in the copy or in the chunks, never in neither; rows committed later are told by their batch.
 * Where to go on is a time, not a place, so chunks may be rewritten between two blocks.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "base/compiler.h"
#include "store/chunk.h"
#include "store/chunk_cache.h"
#include "store/store_internal.h"

#include <string.h>

/* The chunks that a scan has met, to be compared with what the series' position promises. */
struct met {
    bool has_begun, has_chunk;
    bool
        is_disturbed; /* by damage that was told, or by who moved rows meanwhile: nothing to tell */
    struct oi_position position; /* as the first block found it */
    oi_time chunk;               /* the last one's key: a chunk may be read in several stretches */
    uint64_t rows;
};

struct oi_scan {
    struct oi_store *store;
    struct oi_scan_request request;
    uint64_t batch_limit;
    struct oi_hidden hidden;
    struct oi_rows tail; /* rows of the log in the span, visible ones only */
    struct oi_span left; /* what is still to be read */
    size_t stretch_rows; /* asked for last, where the rows are elsewhere */
    size_t rows_left;    /* of the limit */
    size_t likely_left;  /* of what is likely to be read; 0: not known, or passed */
    bool is_ended;
    struct met met;
    struct oi_position seen; /* of the series: in a state of the engine, or, where the rows are
                                elsewhere, when the scan was opened */
    uint64_t seen_snapshot;  /* 0: in none */
    struct oi_span skipped;  /* by the last failure; empty: nothing was */
    bool is_hole_told;       /* one word is enough, or none is wanted */
    struct oi_span before;   /* what was left to be read before the block that was handed out */
    struct oi_chunk chunk;
    struct oi_kept_chunk *kept; /* in use by the view */
    struct oi_rows rows;        /* a merged block */
    struct oi_rows_columns columns;
    struct oi_flags flags; /* that rows of the span may need */
    OI_VECTOR(uint16_t) flagged;
    struct oi_columns view; /* what was handed out */
};

/* One block: a stretch of time that lies within one chunk, or between chunks. */
struct block {
    struct oi_span span;
    bool has_chunk;
    bool has_before, has_after; /* chunks around a stretch without one */
    struct oi_chunk_place place;
    struct oi_chunk_header header;
    size_t tail_from, tail_to; /* rows of the tail in the span */
    oi_time damage_to;         /* where the chunk ends if it cannot be read */
    uint64_t chunked_batch;
};

static bool
is_visible(const struct oi_scan *scan, const struct oi_record *record)
{
    return record->batch <= scan->batch_limit && record->known_time <= scan->request.moment.as_of &&
           !oi_hidden_has(&scan->hidden, record->batch);
}

/* Copy the tail's rows in the span; with a limit only as many instants as can be asked for, from
 * the side where the scan starts. The state lock is held. */
static void
copy_tail(struct oi_scan *scan, const struct oi_track *track)
{
    const struct oi_scan_request *request = &scan->request;
    const struct oi_rows *tail = &track->tail;
    size_t from = oi_rows_find(tail, scan->left.from), to = oi_rows_find(tail, scan->left.to);
    size_t limit = request->limit ? request->limit : SIZE_MAX, instants = 0;

    if (request->is_backwards && request->limit) {
        size_t start = to;

        for (; start > from; start--) {
            if (!is_visible(scan, &tail->items[start - 1]))
                continue;
            if (start == to || tail->items[start].time != tail->items[start - 1].time)
                instants++;
            if (instants > limit)
                break;
        }
        from = start;
        instants = 0;
        limit = SIZE_MAX;
    }
    for (size_t i = from; i < to && instants <= limit; i++) {
        if (!is_visible(scan, &tail->items[i]))
            continue;
        if (scan->tail.count == 0 ||
            scan->tail.items[scan->tail.count - 1].time != tail->items[i].time)
            instants++;
        oi_rows_copy(&scan->tail, tail, i);
    }
}

enum oi_status
oi_store_scan(struct oi_store *store, const struct oi_scan_request *request,
              struct oi_scan **ret_scan, struct oi_error *error)
{
    uint64_t limit = UINT64_MAX;
    struct oi_scan *scan;

    OI_TRY(oi_store_refresh(store, error));
    if (request->moment.as_stored != OI_TIME_LATEST)
        OI_TRY(oi_commits_limit(store, request->moment.as_stored, &limit, error));
    scan = oi_alloc_zero(1, sizeof(*scan));
    scan->store = store;
    scan->request = *request;
    scan->left = request->span;
    scan->rows_left = request->limit ? request->limit : SIZE_MAX;
    scan->likely_left = request->likely_rows;
    (void) pthread_rwlock_rdlock(&store->state_lock);
    if (request->series == 0 || request->series > store->names.series.count) {
        (void) pthread_rwlock_unlock(&store->state_lock);
        oi_free(scan);
        return oi_fail(error, OI_E_NOT_FOUND, "there is no series %u", request->series);
    }
    scan->batch_limit = limit < store->state.last_batch ? limit : store->state.last_batch;
    if (request->gather && oi_gather_limit(request->gather) < scan->batch_limit)
        scan->batch_limit = oi_gather_limit(request->gather);
    scan->hidden = oi_hidden_copy(&store->hidden);
    /* A withdrawal in between must not cut off what this reader still sees the begin of. */
    if (store->remote)
        scan->seen = *store->tracks.items[request->series - 1].position;
    copy_tail(scan, &store->tracks.items[request->series - 1]);
    oi_flags_choose(store, request->series, request->span, request->moment.as_stored, &scan->flags);
    (void) pthread_rwlock_unlock(&store->state_lock);
    *ret_scan = scan;
    return OI_OK;
}

static void
release(struct oi_scan *scan)
{
    oi_free(scan->hidden.batches);
    oi_rows_release(&scan->tail);
    oi_rows_release(&scan->rows);
    oi_rows_columns_release(&scan->columns);
    oi_vector_release(&scan->flags);
    oi_vector_release(&scan->flagged);
    oi_chunk_release(&scan->chunk);
    oi_kept_chunk_put(scan->store, &scan->kept);
}

void
oi_scan_close(struct oi_scan **scan)
{
    if (!*scan)
        return;
    release(*scan);
    oi_free(*scan);
    *scan = NULL;
}

static void
advance(struct oi_scan *scan, struct oi_span done)
{
    if (scan->request.is_backwards)
        scan->left.to = done.from;
    else
        scan->left.from = done.to;
}

/* A chunk that cannot be read: go on behind it, which is where the next one starts (one that was
 * begun after the damage may lie inside of it) or where the last row of any chunk is. */
static enum oi_status
skip_damaged(struct oi_scan *scan, struct oi_access *access, const struct block *block,
             enum oi_status status, struct oi_error *error)
{
    struct oi_span done = { block->place.first, block->damage_to };
    struct oi_chunk_place next;

    scan->met.is_disturbed = true;
    if (done.from < scan->left.from)
        done.from = scan->left.from;
    if (done.to > scan->left.to)
        done.to = scan->left.to;
    if (!scan->request.is_backwards &&
        oi_chunk_find_after(access, scan->request.series, scan->left.from + 1, &next, NULL) ==
            OI_OK &&
        next.first < done.to)
        done.to = next.first;
    advance(scan, done);
    status = oi_fail_in(error, status, "series %u, chunk from %lld: ", scan->request.series,
                        (long long) block->place.first);
    if (status != OI_E_CORRUPT)
        return status;
    scan->skipped = done;
    oi_damage_remember(scan->store, scan->request.series, done, error ? error->message : "");
    return status;
}

/* The header of the chunk at hand; a walk leans on its times. */
static enum oi_status
read_place(struct block *block, struct oi_error *error)
{
    struct oi_chunk_header *header = &block->header;

    OI_TRY(oi_chunk_header_read(block->place.key, block->place.value, header, error));
    if (header->first_time != block->place.first || header->last_time < header->first_time ||
        header->last_time >= OI_TIME_LATEST)
        return oi_fail(error, OI_E_CORRUPT, "a chunk under another time");
    return OI_OK;
}

/* The next stretch, before the tail has its say. */
static enum oi_status
choose_span(struct oi_scan *scan, struct oi_access *access, struct block *block,
            struct oi_error *error)
{
    const struct oi_span left = scan->left;
    oi_time at = scan->request.is_backwards ? left.to - 1 : left.from;
    uint32_t series = scan->request.series;
    enum oi_status status;

    block->span = left;
    block->has_chunk = false;
    status = oi_chunk_find(access, series, at, &block->place, error);
    block->has_before = status == OI_OK;
    if (status == OI_OK) {
        status = read_place(block, error);
        if (status != OI_OK && at < block->damage_to)
            return skip_damaged(scan, access, block, status, error);
        /* Behind every chunk there is only the log. */
        if (status != OI_OK)
            block->header.last_time = block->damage_to - 1;
        if (at <= block->header.last_time) {
            block->has_chunk = true;
            block->damage_to = block->header.last_time + 1;
            block->span.from = left.from > block->place.first ? left.from : block->place.first;
            if (block->header.last_time < left.to)
                block->span.to = block->header.last_time + 1;
            return OI_OK;
        }
        if (scan->request.is_backwards && block->header.last_time >= left.from)
            block->span.from = block->header.last_time + 1;
    } else if (status != OI_E_NOT_FOUND) {
        return status;
    }
    /* Backwards it is seldom of interest: only where the chunks should reach further. */
    block->has_after = scan->request.is_backwards && scan->met.has_chunk;
    if (scan->request.is_backwards && (block->has_after || block->damage_to <= block->span.from))
        return OI_OK;
    status = oi_chunk_find_after(access, series, at, &block->place, error);
    block->has_after = status == OI_OK;
    if (status == OI_OK && block->place.first < block->span.to)
        block->span.to = block->place.first;
    return status == OI_E_NOT_FOUND ? OI_OK : status;
}

/* Find the tail's rows of the stretch; where there are very many, shorten it to about a chunk of
 * them, so that blocks stay small. */
static void
choose_tail(const struct oi_scan *scan, struct block *block)
{
    const struct oi_rows *tail = &scan->tail;
    size_t chunk_rows = scan->store->chunk_rows;

    block->tail_from = oi_rows_find(tail, block->span.from);
    block->tail_to = oi_rows_find(tail, block->span.to);
    if (!tail->items || block->tail_to - block->tail_from <= chunk_rows)
        return;
    if (scan->request.is_backwards) {
        oi_time cut = tail->items[block->tail_to - chunk_rows].time;

        block->tail_from = oi_rows_find(tail, cut);
        block->span.from = cut;
    } else {
        oi_time last = tail->items[block->tail_from + chunk_rows - 1].time;

        block->tail_to = oi_rows_find(tail, last + 1);
        block->span.to = last + 1;
    }
}

static bool
touches_hidden(const struct oi_hidden *hidden, const struct oi_chunk_header *header)
{
    size_t place = oi_hidden_find(hidden, header->first_batch);

    return place < hidden->count && hidden->batches[place] <= header->last_batch;
}

static void
slice_decimals(struct oi_decimals *column, size_t from)
{
    if (!column->mantissas)
        return;
    column->mantissas += from;
    if (column->exponents)
        column->exponents += from;
}

static void
slice_view(struct oi_columns *view, size_t from, size_t count)
{
    view->count = count;
    view->time += from;
    if (view->exchange_time)
        view->exchange_time += from;
    if (view->known_time)
        view->known_time += from;
    if (view->batch)
        view->batch += from;
    if (view->flags)
        view->flags += from;
    slice_decimals(&view->open_interest, from);
    slice_decimals(&view->value_usd, from);
    slice_decimals(&view->mark_price, from);
    slice_decimals(&view->index_price, from);
    slice_decimals(&view->last_price, from);
}

static void
cut_to_limit(struct oi_scan *scan)
{
    struct oi_columns *view = &scan->view;

    if (view->count > scan->rows_left)
        slice_view(view, scan->request.is_backwards ? view->count - scan->rows_left : 0,
                   scan->rows_left);
}

static unsigned
columns_needed(unsigned columns)
{
    return columns & OI_COLUMN_KNOWN_TIME ? columns | OI_COLUMN_BATCH : columns;
}

OI_VECTORISED static bool
is_unique(const oi_time *times, size_t count)
{
    uint64_t repeats = 0;

    for (size_t i = 1; i < count; i++)
        repeats |= times[i - 1] >= times[i];
    return repeats == 0;
}

/* Only the rows of a block's span, and of the limit. */
static void
cut_view(struct oi_scan *scan, struct oi_span span)
{
    const oi_time *times = scan->view.time;
    size_t from, to;

    /* Usually it is all of them. */
    if (scan->view.count > 0 && times[0] >= span.from && times[scan->view.count - 1] < span.to) {
        cut_to_limit(scan);
        return;
    }
    from = oi_times_find(times, scan->view.count, span.from);
    to = oi_times_find(times, scan->view.count, span.to);
    slice_view(&scan->view, from, to - from);
    cut_to_limit(scan);
}

static struct oi_chunk_choice
choice_of(const struct oi_scan *scan, const struct block *block)
{
    return (struct oi_chunk_choice){ .series = scan->request.series,
                                     .columns = scan->request.columns,
                                     .sufficient = scan->request.sufficient,
                                     .value = block->place.value,
                                     .first = block->place.first };
}

static bool
keeps_decoded(const struct oi_scan *scan)
{
    return scan->request.sufficient != 0 && !scan->request.all_revisions;
}

/* The block as it was decoded before; false where it was not. */
static bool
read_kept(struct oi_scan *scan, struct oi_access *access, const struct block *block)
{
    const struct oi_chunk_choice choice = choice_of(scan, block);

    if (!keeps_decoded(scan))
        return false;
    scan->kept = oi_kept_chunk_take(access, &choice);
    if (!scan->kept)
        return false;
    scan->view = scan->kept->columns;
    cut_view(scan, block->span);
    return true;
}

/* What was decoded leaves out what is not needed, and is kept. */
static void
keep_decoded(struct oi_scan *scan, struct oi_access *access, const struct block *block)
{
    const struct oi_chunk_choice choice = choice_of(scan, block);

    if (!keeps_decoded(scan))
        return;
    oi_columns_leave_only(&scan->view, scan->request.sufficient);
    oi_kept_chunk_offer(access, &choice, &scan->view);
}

/* The usual block: every row of the chunk is visible and final, so its columns are handed out as
 * they were decoded. False in *ret_done when it is not that simple. */
static enum oi_status
read_plain(struct oi_scan *scan, struct oi_access *access, const struct block *block,
           bool *ret_done, struct oi_error *error)
{
    const struct oi_chunk_header *header = &block->header;
    struct oi_chunk_wanted wanted = OI_CHUNK_ALL;

    *ret_done = false;
    if (block->tail_from < block->tail_to || header->last_batch > scan->batch_limit ||
        header->last_known > scan->request.moment.as_of || touches_hidden(&scan->hidden, header))
        return OI_OK;
    *ret_done = read_kept(scan, access, block);
    if (*ret_done)
        return OI_OK;
    /* What is kept is of use to whoever wants another part. */
    if (!keeps_decoded(scan)) {
        wanted.from = block->span.from;
        wanted.last = block->span.to - 1;
        wanted.rows_max = scan->request.is_backwards ? scan->rows_left : SIZE_MAX;
    }
    OI_TRY(oi_chunk_decode_part(block->place.key, block->place.value,
                                columns_needed(scan->request.columns), &wanted, &scan->chunk,
                                error));
    if (!scan->request.all_revisions &&
        !is_unique(scan->chunk.columns.time, scan->chunk.columns.count))
        return OI_OK;
    *ret_done = true;
    scan->view = scan->chunk.columns;
    keep_decoded(scan, access, block);
    cut_view(scan, block->span);
    /* After the slicing: a single row should not cost a chunk's commit times. */
    if (scan->view.known_time && scan->chunk.known_is_commit)
        OI_TRY(oi_commits_resolve(access, scan->view.batch, scan->view.count,
                                  scan->chunk.known_time +
                                      (scan->view.known_time - scan->chunk.columns.known_time),
                                  error));
    if (!(scan->request.columns & OI_COLUMN_BATCH))
        scan->view.batch = NULL;
    return OI_OK;
}

static void
keep_visible(struct oi_scan *scan)
{
    size_t kept = 0;

    for (size_t i = 0; i < scan->rows.count; i++) {
        if (!is_visible(scan, &scan->rows.items[i]))
            continue;
        if (kept != i)
            scan->rows.items[kept] = scan->rows.items[i];
        kept++;
    }
    scan->rows.count = kept;
}

static enum oi_status
read_merged(struct oi_scan *scan, struct oi_access *access, const struct block *block,
            struct oi_error *error)
{
    const struct oi_scan_request *request = &scan->request;
    struct oi_rows more = {};

    oi_rows_clear(&scan->rows);
    if (block->has_chunk && block->header.first_batch <= scan->batch_limit &&
        block->header.first_known <= request->moment.as_of) {
        const struct oi_columns *columns = &scan->chunk.columns;
        size_t from, to;

        OI_TRY(oi_chunk_load(access, block->place.key, block->place.value,
                             request->columns | OI_COLUMN_KNOWN_TIME | OI_COLUMN_BATCH,
                             &scan->chunk, error));
        from = oi_times_find(columns->time, columns->count, block->span.from);
        to = oi_times_find(columns->time, columns->count, block->span.to);
        oi_rows_add_columns(&scan->rows, columns, from, to - from);
        keep_visible(scan);
    }
    for (size_t i = block->tail_from; i < block->tail_to; i++)
        if (scan->tail.items[i].batch > block->chunked_batch)
            oi_rows_copy(&more, &scan->tail, i);
    oi_rows_merge(&scan->rows, &more);
    oi_rows_release(&more);
    oi_rows_settle(&scan->rows, request->moment.as_of, request->all_revisions);
    oi_rows_columns_fill(&scan->columns, &scan->rows, 0, scan->rows.count, request->columns);
    scan->view = scan->columns.columns;
    return OI_OK;
}

static enum oi_status
tell_hole(struct oi_scan *scan, struct oi_span span, struct oi_error *error)
{
    enum oi_status status =
        oi_fail(error, OI_E_CORRUPT, "chunks of series %u are missing", scan->request.series);

    scan->skipped = oi_span_intersect(
        span, (struct oi_span){ scan->met.position.first, scan->met.position.last + 1 });
    oi_damage_remember(scan->store, scan->request.series, scan->skipped,
                       error ? error->message : "");
    return status;
}

/* Keep account of the chunks. Those that hold the ends of what the position promises have to be
 * where a stretch without any has nothing before or behind it. */
static enum oi_status
account(struct oi_scan *scan, const struct oi_position *position, const struct block *block,
        struct oi_error *error)
{
    struct met *met = &scan->met;

    if (!met->has_begun)
        met->position = *position;
    met->has_begun = true;
    if (met->position.rows != position->rows || met->position.first != position->first ||
        met->position.chunked_batch != position->chunked_batch)
        met->is_disturbed = true;
    if (block->has_chunk) {
        if (!met->has_chunk || met->chunk != block->place.first)
            met->rows += block->header.count;
        met->chunk = block->place.first;
        met->has_chunk = true;
        return OI_OK;
    }
    if (scan->is_hole_told || position->rows == 0 ||
        ((block->has_before || position->first >= block->span.to) &&
         (block->has_after || position->last < block->span.from)))
        return OI_OK;
    scan->is_hole_told = true;
    return tell_hole(scan, block->span, error);
}

/* A scan over all of a series has met all of its chunks' rows. */
static enum oi_status
check_met(struct oi_scan *scan, struct oi_error *error)
{
    const struct met *met = &scan->met;

    if (met->rows == met->position.rows || met->is_disturbed || scan->is_hole_told ||
        scan->left.from < scan->left.to || scan->request.span.from > met->position.first ||
        scan->request.span.to <= met->position.last)
        return OI_OK;
    return tell_hole(scan, scan->request.span, error);
}

unsigned
oi_columns_present(unsigned columns, unsigned absent)
{
    static const unsigned figures[OI_FIGURE_COUNT] = {
        OI_COLUMN_OPEN_INTEREST, OI_COLUMN_VALUE_USD,  OI_COLUMN_MARK_PRICE,
        OI_COLUMN_INDEX_PRICE,   OI_COLUMN_LAST_PRICE,
    };

    for (unsigned figure = 0; figure < OI_FIGURE_COUNT; figure++)
        if (absent & 1u << figure)
            columns &= ~figures[figure];
    return columns;
}

/* How many rows to ask for at once: the first bytes of a long answer should not wait, and a short
 * one should be one question. */
static size_t
choose_rows(const struct oi_scan *scan, const struct oi_stretch *stretch)
{
    size_t chunk = scan->store->chunk_rows, rows = 4 * scan->stretch_rows;
    uint64_t left = (uint64_t) ((unsigned __int128) stretch->series_rows *
                                (uint64_t) (stretch->span.to - stretch->span.from) /
                                (uint64_t) (stretch->extent.to - stretch->extent.from));

    if (scan->request.is_whole)
        rows = 16 * chunk;
    else if (scan->likely_left > 0 && scan->likely_left <= 4 * chunk)
        rows = scan->likely_left + scan->likely_left / 8;
    else if (scan->stretch_rows == 0)
        rows = scan->rows_left <= 4 * chunk || left <= 4 * chunk ? 4 * chunk : chunk;
    return rows < 16 * chunk ? rows : 16 * chunk;
}

/* The same where the rows are elsewhere: a stretch of all revisions, settled here. */
static enum oi_status
read_remote(struct oi_scan *scan, struct oi_error *error)
{
    const struct oi_scan_request *request = &scan->request;
    struct oi_store *store = scan->store;
    const struct oi_position *position = &scan->seen;
    struct oi_stretch stretch = { .series = request->series,
                                  .batch_limit = scan->batch_limit,
                                  .columns = request->columns,
                                  .is_backwards = request->is_backwards,
                                  .rows_max = scan->rows_left };
    struct oi_span done;
    bool is_taken = false;

    stretch.series_rows = position->rows;
    stretch.extent = (struct oi_span){ position->first, position->last + 1 };
    /* Columns without a figure do not have to come. */
    stretch.columns = oi_columns_present(request->columns, position->absent);
    stretch.lacks_wides = position->absent & OI_ABSENT_WIDES;
    scan->view.count = 0;
    stretch.span = oi_span_intersect(scan->left, stretch.extent);
    if (stretch.series_rows == 0 || stretch.span.from >= stretch.span.to) {
        scan->left.from = scan->left.to;
        return OI_OK;
    }
    scan->stretch_rows = choose_rows(scan, &stretch);
    stretch.block_rows = scan->stretch_rows;
    oi_rows_clear(&scan->rows);
    if (request->gather)
        OI_TRY(oi_gather_take(request->gather, &stretch, &scan->rows, &done, &is_taken, error));
    if (!is_taken)
        OI_TRY(store->remote->read(store->remote_context, &stretch, &scan->rows, &done, error));
    advance(scan, done);
    keep_visible(scan);
    oi_rows_settle(&scan->rows, request->moment.as_of, request->all_revisions);
    oi_rows_columns_fill(&scan->columns, &scan->rows, 0, scan->rows.count, request->columns);
    scan->view = scan->columns.columns;
    return OI_OK;
}

/* The series' position, which is what it was as long as nothing was committed. */
static enum oi_status
load_position(struct oi_scan *scan, struct oi_access *access, struct oi_position *ret_position,
              struct oi_error *error)
{
    uint64_t snapshot = access->store->engine->snapshot(access->txn);

    if (snapshot == 0 || snapshot != scan->seen_snapshot) {
        OI_TRY(oi_position_load(access, scan->request.series, &scan->seen, error));
        scan->seen_snapshot = snapshot;
    }
    *ret_position = scan->seen;
    return OI_OK;
}

/* Read one stretch into the view; the stretch is done either way, so that an error is met once. */
static enum oi_status
read_block(struct oi_scan *scan, struct oi_access *access, struct oi_error *error)
{
    const struct oi_span left = scan->left;
    struct oi_position position;
    struct block block = {};
    bool is_done = false;
    enum oi_status status = OI_OK;

    scan->view.count = 0;
    scan->before = left;
    oi_kept_chunk_put(scan->store, &scan->kept);
    if (scan->store->remote)
        return read_remote(scan, error);
    OI_TRY(load_position(scan, access, &position, error));
    block.chunked_batch = position.chunked_batch;
    block.damage_to = position.last < OI_TIME_LATEST ? position.last + 1 : OI_TIME_LATEST;
    OI_TRY(choose_span(scan, access, &block, error));
    /* The stretch is still read when somebody goes on after the word of a hole. */
    OI_TRY(account(scan, &position, &block, error));
    choose_tail(scan, &block);
    advance(scan, block.span);
    if (!block.has_chunk && block.tail_from == block.tail_to)
        return OI_OK;
    if (block.has_chunk)
        status = read_plain(scan, access, &block, &is_done, error);
    if (status == OI_OK && !is_done)
        status = read_merged(scan, access, &block, error);
    if (status == OI_OK)
        return OI_OK;
    scan->left = left;
    return skip_damaged(scan, access, &block, status, error);
}

static bool
is_finished(const struct oi_scan *scan)
{
    return scan->left.from >= scan->left.to || scan->rows_left == 0;
}

/* The flags of what is handed out, with those of the ledger. */
static void
put_flags(struct oi_scan *scan)
{
    oi_vector_clear(&scan->flagged);
    oi_vector_reserve(&scan->flagged, scan->view.count);
    for (size_t row = 0; row < scan->view.count; row++)
        oi_vector_push(
            &scan->flagged,
            (uint16_t) (scan->view.flags[row] | oi_flags_of(&scan->flags, scan->view.time[row])));
    scan->view.flags = scan->flagged.items;
}

enum oi_status
oi_scan_next(struct oi_scan *scan, const struct oi_columns **ret_columns, struct oi_error *error)
{
    struct oi_access access;
    enum oi_status status = OI_OK;

    scan->view.count = 0;
    scan->skipped = (struct oi_span){};
    if (!is_finished(scan)) {
        OI_TRY(oi_access_begin(&access, scan->store, OI_KV_READ, error));
        while (status == OI_OK && scan->view.count == 0 && !is_finished(scan))
            status = read_block(scan, &access, error);
        oi_access_end(&access);
        OI_TRY(status);
    }
    cut_to_limit(scan);
    if (scan->flags.count > 0 && scan->view.flags)
        put_flags(scan);
    scan->rows_left -= scan->rows_left == SIZE_MAX ? 0 : scan->view.count;
    scan->likely_left -=
        scan->likely_left < scan->view.count ? scan->likely_left : scan->view.count;
    *ret_columns = scan->view.count > 0 ? &scan->view : NULL;
    if (scan->view.count > 0 || scan->is_ended)
        return OI_OK;
    scan->is_ended = true;
    OI_TRY(check_met(scan, error));
    return oi_store_check_whole(scan->store, error);
}

const struct oi_scan_steps *
oi_scan_steps(const struct oi_scan *scan)
{
    return scan->kept && scan->kept->steps.count > 0 ? &scan->kept->steps : NULL;
}

void
oi_scan_go_back(struct oi_scan *scan)
{
    scan->request.sufficient = 0;
    scan->left = scan->before;
    scan->rows_left += scan->rows_left == SIZE_MAX ? 0 : scan->view.count;
}

bool
oi_scan_skipped(const struct oi_scan *scan, struct oi_span *ret_span)
{
    *ret_span = scan->skipped;
    return scan->skipped.from < scan->skipped.to;
}

enum oi_status
oi_chunks_walk(struct oi_access *access, uint32_t series, struct oi_span span,
               const struct oi_hidden *hidden,
               enum oi_status (*each)(void *context, const struct oi_columns *columns,
                                      struct oi_error *error),
               void *context, struct oi_error *error)
{
    struct oi_scan scan = {
        .store = access->store,
        .request = { .series = series, .moment = OI_MOMENT_LATEST, .columns = OI_COLUMNS_ALL },
        .batch_limit = UINT64_MAX,
        .left = span,
        .rows_left = SIZE_MAX,
        /* Whoever writes makes the best of what is there: damage should not hold up the log. */
        .is_hole_told = access->is_writing,
    };
    enum oi_status status = OI_OK;

    scan.hidden = oi_hidden_copy(hidden);
    /* Elsewhere there may be rows of a batch that nobody has told of. */
    if (access->store->remote) {
        scan.batch_limit = oi_remote_last_batch(access->store);
        (void) pthread_rwlock_rdlock(&access->store->state_lock);
        scan.seen = *access->store->tracks.items[series - 1].position;
        (void) pthread_rwlock_unlock(&access->store->state_lock);
    }
    while (status == OI_OK && !is_finished(&scan)) {
        status = read_block(&scan, access, error);
        if (status == OI_OK && scan.view.count > 0)
            status = each(context, &scan.view, error);
    }
    release(&scan);
    return status;
}
