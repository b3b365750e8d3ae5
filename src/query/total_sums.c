/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: tests/system/clickhouse.test.mjs compares its answers with those of a folder */
/*
 * Candles of a total whose readings are elsewhere and are added up there, instant by instant. Where
 * all members have a reading at every instant of a candle, as those have that are polled together,
 * nothing is carried and the sums are the total's. Candles in which that is not so are made by a
 * walk over the readings, like those of any total: such a walk may begin anywhere.
 */
#include "base/alloc.h"
#include "query/run_internal.h"

/* Fewer readings than this are as quickly read. */
#define READINGS_MIN 2'000
/* Readings that are added up in one question, about. */
#define PIECE_READINGS 20'000'000
/* Where more than one candle of so many, or so many stretches of them, need a walk, one walk over
 * all is quicker. */
#define WALKED_PART 4
#define WALKS_MAX 16

struct total_sums {
    struct run *run;
    size_t market;
    struct oi_span left; /* to be answered */
    int64_t piece_ns;
    uint32_t *series;
    size_t series_count;
    enum oi_unit unit;
    bool is_off; /* sums were of no use: the rest is walked */
};

void
total_sums_free(struct total_sums **sums)
{
    if (!*sums)
        return;
    oi_free((*sums)->series);
    oi_free(*sums);
    *sums = NULL;
}

/* Are a member's readings the total's as they are stored? Its series, if it has any readings. */
static bool
add_member(struct total_sums *sums, const struct oi_instrument *instrument, struct oi_span *extent,
           uint64_t *readings)
{
    struct oi_facts facts;
    uint32_t series;
    oi_time first, last;
    uint64_t rows;

    if (!run_extent(sums->run, instrument, &first, &last, &rows))
        return true;
    if (instrument->expiry != OI_TIME_NONE ||
        !run_is_as_stored(sums->run, instrument, &facts, &series))
        return false;
    if (sums->series_count > 0 && facts.unit != sums->unit)
        return false;
    sums->unit = facts.unit;
    sums->series[sums->series_count++] = series;
    extent->from = first < extent->from ? first : extent->from;
    extent->to = last >= extent->to ? last + 1 : extent->to;
    *readings += rows;
    return true;
}

/* How much time is asked for at once: whole candles. */
static int64_t
choose_piece(const struct run *run, struct oi_span span, uint64_t readings, bool is_backwards)
{
    int64_t interval_ns = run->query->interval_ns, all = span.to - span.from, piece = all, wanted;

    if (readings > PIECE_READINGS)
        piece = (int64_t) ((unsigned __int128) all * PIECE_READINGS / readings);
    if (!is_backwards && run->left < INT32_MAX &&
        !__builtin_mul_overflow((int64_t) run->left + 2, interval_ns, &wanted) && wanted < piece)
        piece = wanted;
    return piece / interval_ns * interval_ns + interval_ns;
}

struct total_sums *
total_sums_new(struct run *run, size_t market_index, struct oi_span span, bool is_backwards)
{
    const struct oi_market *market = run_market(run, market_index);
    struct oi_span extent = { OI_TIME_LATEST, OI_TIME_EARLIEST };
    struct total_sums *sums;
    uint64_t readings = 0;
    bool is_fit = true;

    if (!oi_store_makes_sums(run->source->store) || run->query->interval_ns < OI_MINUTE ||
        run->query->interval_ns > OI_WEEK)
        return NULL;
    sums = oi_alloc_zero(1, sizeof(*sums));
    sums->run = run;
    sums->market = market_index;
    sums->series = oi_alloc((market->member_count + 1) * sizeof(*sums->series));
    for (size_t i = 0; i < market->member_count && is_fit; i++)
        is_fit = add_member(sums, market->members[i].instrument, &extent, &readings);
    sums->left = oi_span_intersect(span, extent);
    if (!is_fit || sums->series_count < 2 || readings < READINGS_MIN ||
        sums->left.from >= sums->left.to) {
        total_sums_free(&sums);
        return NULL;
    }
    sums->piece_ns = choose_piece(run, extent, readings, is_backwards);
    return sums;
}

static enum oi_status
walk_over(struct total_sums *sums, struct oi_span span, struct oi_candles *candles,
          struct oi_error *error)
{
    struct total_walk walk;
    bool is_done = false;
    enum oi_status status = OI_OK;

    OI_TRY(total_walk_open(sums->run, sums->market, span, false, &walk, error));
    walk.columns = total_columns_new(sums->run, walk.market->member_count);
    while (status == OI_OK && !is_done) {
        status = total_walk_candles(&walk, candles, &is_done, error);
        if (status == OI_OK && candles->items.count > RUN_POINTS_MAX)
            status = oi_fail(error, OI_E_INVALID,
                             "more than %d candles of one market: ask for less", RUN_POINTS_MAX);
    }
    total_walk_close(&walk);
    return status;
}

/* The next instants that are of candles alike: all whole, or all not. */
struct stretch {
    size_t from, to;
    bool is_whole;
};

static bool
next_stretch(const struct oi_sums *sums, int64_t interval_ns, struct stretch *stretch,
             size_t *ret_candles)
{
    size_t at = stretch->to;

    *ret_candles = 0;
    stretch->from = at;
    while (at < sums->times.count) {
        oi_time end = oi_interval_floor(interval_ns, sums->times.items[at]) + interval_ns;
        bool is_whole = true;
        size_t to = at;

        for (; to < sums->times.count && sums->times.items[to] < end; to++)
            is_whole &= sums->is_whole.items[to];
        if (at > stretch->from && is_whole != stretch->is_whole)
            break;
        stretch->is_whole = is_whole;
        stretch->to = at = to;
        ++*ret_candles;
    }
    return stretch->to > stretch->from;
}

static bool
is_worth_it(const struct oi_sums *sums, int64_t interval_ns)
{
    struct stretch stretch = {};
    size_t candles, whole = 0, walked = 0, walks = 0;

    while (next_stretch(sums, interval_ns, &stretch, &candles)) {
        whole += stretch.is_whole ? candles : 0;
        walked += stretch.is_whole ? 0 : candles;
        walks += !stretch.is_whole;
    }
    return walks <= WALKS_MAX && walked * WALKED_PART <= whole + walked;
}

static void
add_whole(const struct oi_sums *sums, const struct stretch *stretch, struct oi_candles *candles)
{
    const struct oi_decimals amounts = { .mantissas = sums->mantissas.items + stretch->from,
                                         .exponent = (int8_t) sums->exponent };
    const struct oi_readings readings = { .time = sums->times.items + stretch->from,
                                          .amounts = &amounts,
                                          .count = stretch->to - stretch->from };

    oi_candles_add(candles, &readings);
}

/* All that had begun have a reading there. */
static void
note_last(struct total_sums *sums, oi_time time)
{
    struct oi_market *market = run_market(sums->run, sums->market);
    struct oi_member *members = (struct oi_member *) market->members; /* ours, in the arena */

    for (size_t i = 0; i < market->member_count; i++) {
        oi_time first, last;
        uint64_t rows;

        if (!run_extent(sums->run, members[i].instrument, &first, &last, &rows) || first > time ||
            (members[i].last != OI_TIME_NONE && members[i].last >= time))
            continue;
        members[i].last = time;
        members[i].left_out = NULL;
    }
}

static enum oi_status
use_sums(struct total_sums *sums, const struct oi_sums *found, struct oi_span piece,
         struct oi_candles *candles, struct oi_error *error)
{
    int64_t interval_ns = sums->run->query->interval_ns;
    struct stretch stretch = {};
    oi_time whole = OI_TIME_NONE;
    size_t count;

    while (next_stretch(found, interval_ns, &stretch, &count)) {
        oi_time last = found->times.items[stretch.to - 1];
        struct oi_span span = {
            oi_interval_floor(interval_ns, found->times.items[stretch.from]),
            oi_interval_floor(interval_ns, last) + interval_ns,
        };

        if (stretch.is_whole) {
            add_whole(found, &stretch, candles);
            whole = last;
            continue;
        }
        OI_TRY(walk_over(sums, oi_span_intersect(span, piece), candles, error));
    }
    if (whole != OI_TIME_NONE)
        note_last(sums, whole);
    return OI_OK;
}

enum oi_status
total_sums_next(struct total_sums *sums, struct oi_candles *candles, bool *ret_is_done,
                struct oi_error *error)
{
    int64_t interval_ns = sums->run->query->interval_ns;
    struct oi_span piece = sums->left;
    oi_time end = oi_interval_floor(interval_ns, piece.from);
    struct oi_sums found = {};
    enum oi_status status = OI_E_NOT_FOUND;

    if (!sums->is_off && !__builtin_add_overflow(end, sums->piece_ns, &end) && end < piece.to)
        piece.to = end;
    sums->left.from = piece.to;
    *ret_is_done = sums->left.from >= sums->left.to;
    if (!sums->is_off)
        status = oi_store_sums(sums->run->source->store, sums->series, sums->series_count, piece,
                               &found, error);
    if (status == OI_OK && !is_worth_it(&found, interval_ns)) {
        sums->is_off = true;
        status = OI_E_NOT_FOUND;
    }
    if (status == OI_OK)
        status = use_sums(sums, &found, piece, candles, error);
    else if (status == OI_E_NOT_FOUND)
        status = walk_over(sums, piece, candles, error);
    oi_sums_release(&found);
    return status;
}
