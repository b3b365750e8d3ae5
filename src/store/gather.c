/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many series that are walked side by side, where rows are elsewhere: asked for together, a window
 * of time at a time, instead of each in turn. A scan takes its rows of a window, once; the window
 * is dropped when all have, or when the walk is two further on. Who comes too late or too early
 * asks by itself, so the answer never depends on it.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "base/alloc.h"
#include "store/store_internal.h"

#include <stdlib.h>

/* Rows of a window, about: of the first one, so that an answer may begin, and of later ones. */
#define FIRST_ROWS 100'000
#define WINDOW_ROWS 200'000
/* A statement that names more series than this gets too long. */
#define SERIES_MAX 10'000
#define WINDOWS 2

struct window {
    struct oi_span span;  /* empty: none */
    struct oi_rows *rows; /* of each series */
    bool *is_taken;
};

struct oi_gather {
    struct oi_store *store;
    uint32_t *series;                 /* the request's */
    struct oi_gather_request request; /* over the whole span */
    uint64_t rows;                    /* about, in the span */
    struct window windows[WINDOWS];
    unsigned asked;
};

static int
compare_series(const void *left, const void *right)
{
    const uint32_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

size_t
oi_gather_place(const struct oi_gather_request *request, uint32_t series)
{
    const uint32_t *place = request->count == 0 ? NULL
                                                : bsearch(&series, request->series, request->count,
                                                          sizeof(series), compare_series);

    return place ? (size_t) (place - request->series) : request->count;
}

/* How many rows of a series there may be in a span; cuts `all` to where there are any. */
static uint64_t
estimate(const struct oi_position *position, struct oi_span span, struct oi_span *all)
{
    struct oi_span has = { position->first, position->last + 1 };
    struct oi_span part = oi_span_intersect(has, span);

    if (position->rows == 0 || part.from >= part.to)
        return 0;
    all->from = part.from < all->from ? part.from : all->from;
    all->to = part.to > all->to ? part.to : all->to;
    return (uint64_t) ((unsigned __int128) position->rows * (uint64_t) (part.to - part.from) /
                       (uint64_t) (has.to - has.from)) +
           1;
}

struct oi_gather *
oi_store_gather(struct oi_store *store, const uint32_t *series, size_t count, struct oi_span span,
                unsigned columns)
{
    struct oi_gather_request *request;
    struct oi_gather *gather;
    struct oi_span all = { OI_TIME_LATEST, OI_TIME_EARLIEST };
    unsigned absent = OI_ABSENT_ALL;

    if (!store->remote || count < 2 || count > SERIES_MAX)
        return NULL;
    gather = oi_alloc_zero(1, sizeof(*gather));
    gather->store = store;
    gather->series = oi_alloc(count * sizeof(*series));
    request = &gather->request;
    (void) pthread_rwlock_rdlock(&store->state_lock);
    request->batch_limit = store->state.last_batch;
    for (size_t i = 0; i < count; i++) {
        const struct oi_position *position = NULL;
        uint64_t rows = 0;

        if (series[i] > 0 && series[i] <= store->tracks.count)
            position = store->tracks.items[series[i] - 1].position;
        if (position)
            rows = estimate(position, span, &all);
        if (rows > 0) {
            gather->series[request->count++] = series[i];
            absent &= position->absent;
        }
        gather->rows += rows;
    }
    (void) pthread_rwlock_unlock(&store->state_lock);
    request->series = gather->series;
    request->span = all;
    request->columns = oi_columns_present(columns, absent);
    request->lacks_wides = absent & OI_ABSENT_WIDES;
    if (request->count > 1)
        qsort(gather->series, request->count, sizeof(*gather->series), compare_series);
    return gather;
}

static void
drop_window(struct oi_gather *gather, struct window *window)
{
    for (size_t i = 0; window->rows && i < gather->request.count; i++)
        oi_rows_release(&window->rows[i]);
    oi_free(window->rows);
    oi_free(window->is_taken);
    *window = (struct window){};
}

void
oi_gather_close(struct oi_gather **gather)
{
    struct oi_gather *closing = *gather;

    if (!closing)
        return;
    *gather = NULL;
    for (size_t i = 0; i < WINDOWS; i++)
        drop_window(closing, &closing->windows[i]);
    oi_free(closing->series);
    oi_free(closing);
}

/* Ask for the window behind what was asked for last. */
static enum oi_status
ask_next(struct oi_gather *gather, struct window **ret_window, struct oi_error *error)
{
    const struct window *last = &gather->windows[(gather->asked + WINDOWS - 1) % WINDOWS];
    struct window *window = &gather->windows[gather->asked % WINDOWS];
    uint64_t wanted = gather->asked == 0 ? FIRST_ROWS : WINDOW_ROWS;
    uint64_t all = (uint64_t) (gather->request.span.to - gather->request.span.from), width = all;
    struct oi_gather_request request = gather->request;
    struct oi_rows *rows;
    enum oi_status status;

    if (gather->rows > 2 * wanted)
        width = (uint64_t) ((unsigned __int128) all * wanted / gather->rows) + 1;
    if (gather->asked > 0)
        request.span.from = last->span.to;
    if ((uint64_t) (request.span.to - request.span.from) > width)
        request.span.to = request.span.from + (oi_time) width;
    rows = oi_alloc_zero(gather->request.count, sizeof(*rows));
    status = gather->store->remote->gather(gather->store->remote_context, &request, rows, error);
    if (status != OI_OK) {
        for (size_t i = 0; i < gather->request.count; i++)
            oi_rows_release(&rows[i]);
        oi_free(rows);
        return status;
    }
    drop_window(gather, window);
    *window = (struct window){ .span = request.span,
                               .rows = rows,
                               .is_taken = oi_alloc_zero(gather->request.count, sizeof(bool)) };
    gather->asked++;
    *ret_window = window;
    return OI_OK;
}

static struct window *
find_window(struct oi_gather *gather, oi_time time)
{
    for (size_t i = 0; i < WINDOWS; i++)
        if (gather->windows[i].span.from <= time && time < gather->windows[i].span.to)
            return &gather->windows[i];
    return NULL;
}

enum oi_status
oi_gather_take(struct oi_gather *gather, const struct oi_stretch *stretch, struct oi_rows *rows,
               struct oi_span *ret_done, bool *ret_taken, struct oi_error *error)
{
    const struct oi_gather_request *request = &gather->request;
    size_t place = oi_gather_place(request, stretch->series);
    oi_time at = stretch->span.from > request->span.from ? stretch->span.from : request->span.from;
    struct window *window;

    *ret_taken = false;
    if (place == request->count || stretch->is_backwards ||
        (stretch->columns & ~request->columns) != 0)
        return OI_OK;
    window = find_window(gather, at);
    if (!window && at < request->span.to &&
        (gather->asked == 0 || gather->windows[(gather->asked - 1) % WINDOWS].span.to == at))
        OI_TRY(ask_next(gather, &window, error));
    if (!window)
        return OI_OK;
    if (at < window->span.from || at >= window->span.to || window->is_taken[place])
        return OI_OK;
    window->is_taken[place] = true;
    oi_rows_release(rows);
    *rows = window->rows[place];
    window->rows[place] = (struct oi_rows){};
    oi_rows_cut(rows, stretch->span);
    *ret_done =
        oi_span_intersect(stretch->span, (struct oi_span){ stretch->span.from, window->span.to });
    *ret_taken = true;
    return OI_OK;
}

uint64_t
oi_gather_limit(const struct oi_gather *gather)
{
    return gather->request.batch_limit;
}
