/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a backfill asks for. Of each market: the periods in the span (or in its holes) for which the
 * history has no reading yet, cut into the pages of the exchange or the days of an archive. Oldest
 * first: that is what an exchange drops next.
 */
/* no unit test: tests/unit/collector/backfill_test.c makes plans through backfill.h */
#include "collector/backfill_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Requests of the live collector that are asked again, or come in a burst: its need is doubled, and
 * what comes by families or pages is taken for so many. */
#define LIVE_SAFETY 2
#define LIVE_FAMILIES 20
/* The live collector spreads markets that are asked for one by one over this. */
#define LIVE_SPREAD_MS 30'000
/* However busy the collector is: a backfill that never ends is of no use. 1 / this. */
#define LEAST_PART 10
/* A round trip, about, and how many are under way at once. */
#define ROUND_TRIP_NS (150 * OI_MILLISECOND)
#define TOGETHER 8

struct plan {
    struct oi_backfill *backfill;
    const struct oi_catalog *catalog;
    struct oi_backfill_line *line;
    oi_time now;
    /* How the lots of the market at hand are cut: windows begin at multiples of the width, plus
     * this. */
    int64_t width_ns, first_ns;
    oi_time from; /* nothing is kept from before this */
};

bool
oi_backfill_wants(const struct oi_backfill_market *market, oi_time time)
{
    size_t low = 0, high = market->wanted.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (market->wanted.items[middle].to <= time)
            low = middle + 1;
        else
            high = middle;
    }
    return low < market->wanted.count && market->wanted.items[low].from <= time;
}

void
oi_backfill_line_free(struct oi_backfill_line *line)
{
    for (size_t i = 0; i < line->markets.count; i++)
        oi_vector_release(&line->markets.items[i].wanted);
    oi_vector_release(&line->markets);
    oi_vector_release(&line->lots);
    oi_vector_release(&line->sums);
    oi_harvest_release(&line->harvest);
    oi_pace_release(&line->pace);
    oi_free(line);
}

/*
 * What is wanted of a market.
 */

static void
want(struct oi_backfill_market *market, struct oi_span span)
{
    struct oi_span *last;

    span.from = oi_interval_ceil(market->period_ns, span.from);
    span.to = oi_interval_ceil(market->period_ns, span.to);
    if (span.from >= span.to)
        return;
    last = market->wanted.count > 0 ? &market->wanted.items[market->wanted.count - 1] : NULL;
    if (last && span.from <= last->to)
        last->to = span.to > last->to ? span.to : last->to;
    else
        oi_vector_push(&market->wanted, span);
}

static enum oi_status
want_hole(void *context, const struct oi_hole *hole)
{
    switch (hole->cause) {
    case OI_HOLE_SILENT:
    case OI_HOLE_UNREACHABLE:
    case OI_HOLE_BLOCKED:
    case OI_HOLE_RATE_LIMITED:
    case OI_HOLE_COLLECTOR_DOWN:
    case OI_HOLE_DAMAGED:
        want(context, hole->span);
        break;
    case OI_HOLE_NONE:
    case OI_HOLE_NOT_LISTED:
    case OI_HOLE_DELISTED:
        break;
    }
    return OI_OK;
}

/* How often a figure of the market is due. */
static int64_t
live_cadence(const struct oi_exchange *exchange, const char *product)
{
    for (size_t i = 0; i < exchange->endpoint_count; i++) {
        const struct oi_endpoint *endpoint = &exchange->endpoints[i];

        if (endpoint->kind == OI_TASK_CURRENT && endpoint->every_ns > OI_MINUTE &&
            (!endpoint->product || strcmp(endpoint->product, product) == 0))
            return endpoint->every_ns;
    }
    return OI_MINUTE;
}

static const struct oi_exchange *
exchange_named(const struct oi_backfill *backfill, const char *name)
{
    const struct oi_exchange *const *registry =
        backfill->options.registry ? backfill->options.registry : oi_exchanges;

    for (size_t i = 0; registry[i]; i++)
        if (strcmp(registry[i]->name, name) == 0)
            return registry[i];
    return NULL;
}

static uint16_t
feed_named(const struct oi_catalog *catalog, const char *name)
{
    for (size_t i = 0; i < catalog->feed_count; i++)
        if (strcmp(catalog->feeds[i].name, name) == 0)
            return catalog->feeds[i].id;
    return 0;
}

static enum oi_status
want_holes(struct plan *plan, struct oi_backfill_market *market,
           const struct oi_instrument *instrument, struct oi_span span, struct oi_error *error)
{
    const struct oi_exchange *exchange = exchange_named(plan->backfill, instrument->exchange);
    uint16_t live = feed_named(plan->catalog, "live");
    int64_t cadence_ns = exchange ? live_cadence(exchange, instrument->product) : OI_MINUTE;

    return oi_store_gaps(plan->backfill->store, instrument->id, live, cadence_ns, span,
                         OI_MOMENT_LATEST, want_hole, market, error);
}

/* The series of a feed of an instrument, or 0. */
static uint32_t
series_in(const struct oi_catalog *catalog, uint32_t instrument, uint16_t feed)
{
    for (uint32_t i = catalog->first_series[instrument - 1]; i < catalog->first_series[instrument];
         i++)
        if (catalog->series[catalog->series_of[i] - 1].feed == feed)
            return catalog->series_of[i];
    return 0;
}

/* Take the periods that have a reading out of the wanted ones. */
static enum oi_status
leave_out_present(struct plan *plan, struct oi_backfill_market *market, struct oi_error *error)
{
    const struct oi_scan_request request = {
        .series = market->series,
        .span = { market->wanted.items[0].from, market->wanted.items[market->wanted.count - 1].to },
        .moment = OI_MOMENT_LATEST,
    };
    struct oi_backfill_market cut = { .period_ns = market->period_ns };
    OI_CLEANUP(oi_scan_close) struct oi_scan *scan = NULL;
    const struct oi_columns *columns = NULL;
    size_t at = 0;
    oi_time from = market->wanted.items[0].from;
    enum oi_status status;

    OI_TRY(oi_store_scan(plan->backfill->store, &request, &scan, error));
    while ((status = oi_scan_next(scan, &columns, error)) == OI_OK && columns) {
        for (size_t row = 0; row < columns->count && at < market->wanted.count; row++) {
            oi_time slot = oi_interval_floor(market->period_ns, columns->time[row]);

            while (at < market->wanted.count && market->wanted.items[at].to <= slot) {
                want(&cut, (struct oi_span){ from, market->wanted.items[at].to });
                if (++at < market->wanted.count)
                    from = market->wanted.items[at].from;
            }
            if (at >= market->wanted.count || slot < from)
                continue;
            want(&cut, (struct oi_span){ from, slot });
            from = slot + market->period_ns;
            plan->line->share.present++;
        }
    }
    if (status != OI_OK) {
        oi_vector_release(&cut.wanted);
        return status;
    }
    for (; at < market->wanted.count; at++) {
        if (from < market->wanted.items[at].from)
            from = market->wanted.items[at].from;
        want(&cut, (struct oi_span){ from, market->wanted.items[at].to });
    }
    oi_vector_release(&market->wanted);
    memcpy(&market->wanted, &cut.wanted, sizeof(cut.wanted));
    return OI_OK;
}

/* The instants of the span that a market can have. */
static struct oi_span
life_of(const struct plan *plan, const struct oi_instrument *instrument)
{
    struct oi_span span = plan->backfill->options.span;

    if (span.to > plan->now)
        span.to = plan->now;
    if (span.from < plan->from)
        span.from = plan->from;
    if (instrument->listed != OI_TIME_NONE && span.from < instrument->listed)
        span.from = instrument->listed;
    if (instrument->expiry != OI_TIME_NONE && span.to > instrument->expiry)
        span.to = instrument->expiry;
    return span;
}

static enum oi_status
find_wanted(struct plan *plan, struct oi_backfill_market *market,
            const struct oi_instrument *instrument, struct oi_error *error)
{
    const struct oi_span span = life_of(plan, instrument);

    if (span.from >= span.to)
        return OI_OK;
    if (plan->backfill->options.holes_only)
        OI_TRY(want_holes(plan, market, instrument, span, error));
    else
        want(market, span);
    if (market->wanted.count == 0 || market->series == 0 ||
        (plan->line->source && plan->backfill->options.rechecks))
        return OI_OK;
    return leave_out_present(plan, market, error);
}

/*
 * Lots.
 */

static void
push_lots(struct plan *plan, const struct oi_backfill_market *market, uint32_t index)
{
    struct oi_backfill_lot lot = { .market = index };
    oi_time window = OI_TIME_EARLIEST;

    for (size_t i = 0; i < market->wanted.count; i++) {
        const struct oi_span *wanted = &market->wanted.items[i];

        plan->line->share.rows += (uint64_t) ((wanted->to - wanted->from) / market->period_ns);
        for (oi_time at = wanted->from; at < wanted->to;) {
            oi_time start = oi_interval_floor(plan->width_ns, at - plan->first_ns) + plan->first_ns;
            oi_time end = wanted->to < start + plan->width_ns ? wanted->to : start + plan->width_ns;

            if (start == window) {
                plan->line->lots.items[plan->line->lots.count - 1].span.to = end;
            } else {
                lot.span = (struct oi_span){ at, end };
                oi_vector_push(&plan->line->lots, lot);
                window = start;
            }
            at = start + plan->width_ns;
        }
    }
}

/* Does the adapter have a question for this market at all? COIN-M keeps only perpetuals. */
static bool
can_ask(const struct plan *plan, const struct oi_backfill_market *market)
{
    struct oi_http_request request = {};
    const struct oi_task task = { .kind = OI_TASK_HISTORY,
                                  .product = market->endpoint->product,
                                  .symbol = market->symbol,
                                  .span = { plan->now - market->period_ns, plan->now },
                                  .now = plan->now };
    enum oi_status status = market->endpoint->ask(&task, &request, NULL);

    oi_http_request_release(&request);
    return status == OI_OK;
}

static enum oi_status
add_market(struct plan *plan, const struct oi_instrument *instrument,
           struct oi_backfill_market market, struct oi_error *error)
{
    uint32_t index = (uint32_t) plan->line->markets.count;
    size_t before = plan->line->lots.count;
    enum oi_status status;

    market.instrument = instrument->id;
    memcpy(market.product, instrument->product, sizeof(market.product));
    memcpy(market.symbol, instrument->symbol, sizeof(market.symbol));
    if (market.endpoint && !can_ask(plan, &market))
        return OI_OK;
    status = find_wanted(plan, &market, instrument, error);
    if (status == OI_OK)
        push_lots(plan, &market, index);
    if (status == OI_OK && plan->line->lots.count > before)
        oi_vector_push(&plan->line->markets, market);
    else
        oi_vector_release(&market.wanted);
    return status;
}

/*
 * Endpoints.
 */

static const struct oi_endpoint *
history_of(const struct oi_exchange *exchange, const char *product)
{
    for (size_t i = 0; i < exchange->endpoint_count; i++) {
        const struct oi_endpoint *endpoint = &exchange->endpoints[i];

        if (endpoint->kind == OI_TASK_HISTORY && endpoint->window &&
            (!endpoint->product || strcmp(endpoint->product, product) == 0))
            return endpoint;
    }
    return NULL;
}

/* A label that names the start of its interval is that much before the figure's instant. */
static int64_t
shift_of(const struct oi_exchange *exchange, const char *product, int64_t period_ns, oi_time now)
{
    struct oi_convention_page page = { exchange->name, exchange->conventions,
                                       exchange->convention_count };
    const struct oi_convention_book book = { &page, 1 };
    const struct oi_convention *convention =
        oi_convention_find(&book, exchange->name, product, "history", now);

    return convention && convention->label == OI_LABEL_START ? period_ns : 0;
}

static enum oi_status
add_endpoint_market(struct plan *plan, const struct oi_instrument *instrument,
                    struct oi_error *error)
{
    const struct oi_exchange *exchange = plan->line->exchange;
    const struct oi_endpoint *endpoint = history_of(exchange, instrument->product);
    struct oi_backfill_market market = { .endpoint = endpoint };

    if (!endpoint)
        return OI_OK;
    market.period_ns = endpoint->window->period_ns;
    market.shift_ns = shift_of(exchange, instrument->product, market.period_ns, plan->now);
    market.series = series_in(plan->catalog, instrument->id, plan->backfill->feed);
    plan->width_ns = endpoint->window->width_ns;
    plan->first_ns = 0;
    plan->from = OI_TIME_EARLIEST;
    if (endpoint->window->keeps_ns > 0) {
        plan->from = plan->now - endpoint->window->keeps_ns + market.shift_ns;
        plan->line->share.kept_from = plan->from;
    }
    return add_market(plan, instrument, market, error);
}

/* What the live collector may use of a limit in one window. */
static uint64_t
live_need(const struct plan *plan, const struct oi_exchange *exchange, unsigned limit)
{
    uint64_t need = 0;

    for (size_t i = 0; i < exchange->endpoint_count; i++) {
        const struct oi_endpoint *endpoint = &exchange->endpoints[i];
        uint64_t markets = 0;

        if (endpoint->limit != limit || endpoint->kind == OI_TASK_HISTORY ||
            endpoint->kind == OI_TASK_STREAM)
            continue;
        if (endpoint->scope != OI_SCOPE_SYMBOL) {
            need += endpoint->weight * (endpoint->scope == OI_SCOPE_FAMILY ? LIVE_FAMILIES : 1);
            continue;
        }
        for (size_t k = 0; k < plan->catalog->instrument_count; k++) {
            const struct oi_instrument *instrument = &plan->catalog->instruments[k];

            markets += !instrument->is_delisted &&
                       strcmp(instrument->exchange, exchange->name) == 0 &&
                       (!endpoint->product || strcmp(instrument->product, endpoint->product) == 0);
        }
        if (exchange->limits[limit].window_ms < LIVE_SPREAD_MS)
            markets = markets * exchange->limits[limit].window_ms / LIVE_SPREAD_MS + 1;
        need += markets * endpoint->weight;
    }
    return need * LIVE_SAFETY;
}

/* Our part of the published limits: what the collector may need is left to it. */
static void
set_pace(struct plan *plan, const struct oi_exchange *exchange)
{
    struct oi_backfill_line *line = plan->line;

    oi_pace_init(&line->pace, exchange);
    for (size_t i = 0; i < exchange->limit_count; i++) {
        uint64_t need = live_need(plan, exchange, (unsigned) i);
        unsigned most = exchange->limits[i].weight_max, least = most / LEAST_PART + 1;

        line->limits[i] = exchange->limits[i];
        line->limits[i].weight_max = need + least < most ? most - (unsigned) need : least;
        line->pace.windows[i].limit = &line->limits[i];
    }
}

/*
 * Archives.
 */

static enum oi_status
add_archive_market(struct plan *plan, const struct oi_instrument *instrument,
                   struct oi_error *error)
{
    const struct oi_archive_source *source = plan->line->source;
    struct oi_backfill_market market = { .period_ns = source->archive->cadence_ns };
    oi_time until = plan->now;
    enum oi_status status;

    if (strcmp(instrument->product, source->product) != 0)
        return OI_OK;
    market.series =
        series_in(plan->catalog, instrument->id, feed_named(plan->catalog, source->archive->feed));
    plan->width_ns = OI_DAY;
    plan->first_ns = source->first_ns;
    plan->from = source->since + source->first_ns;
    plan->line->share.kept_from = plan->from;
    /* A day that is not published yet is not asked for. */
    plan->now = oi_interval_floor(OI_DAY, until - source->late_ns) + source->first_ns;
    status = add_market(plan, instrument, market, error);
    plan->now = until;
    return status;
}

static void
set_archive_pace(struct oi_backfill_line *line)
{
    line->limits[0] = (struct oi_limit){ .name = "files",
                                         .weight_max = line->source->requests_max,
                                         .window_ms = line->source->window_ms };
    line->pace.count = 1;
    line->pace.windows[0].limit = &line->limits[0];
}

/*
 * Lines.
 */

static int
compare_lots(const void *left, const void *right)
{
    const struct oi_backfill_lot *a = left, *b = right;

    if (a->span.from != b->span.from)
        return a->span.from < b->span.from ? 1 : -1;
    return a->market < b->market ? 1 : a->market > b->market ? -1 : 0;
}

/* The time that the fullest limit takes, and the round trips. */
static void
estimate(struct oi_backfill_line *line)
{
    uint64_t weights[OI_PACE_LIMITS_MAX] = {};
    unsigned requests = line->source && line->source->ending ? 2 : 1;

    for (size_t i = 0; i < line->lots.count; i++) {
        const struct oi_endpoint *endpoint =
            line->markets.items[line->lots.items[i].market].endpoint;

        if (!endpoint)
            weights[0] += requests;
        else if (endpoint->limit < line->pace.count)
            weights[endpoint->limit] += endpoint->weight;
    }
    line->share.lots = line->lots.count;
    line->share.requests = line->lots.count * requests;
    line->share.time_ns = (int64_t) (line->share.requests / TOGETHER + 1) * ROUND_TRIP_NS;
    for (size_t i = 0; i < line->pace.count; i++) {
        const struct oi_limit *limit = &line->limits[i];
        int64_t windows = weights[i] > 0 ? (int64_t) ((weights[i] - 1) / limit->weight_max) : 0;
        int64_t time_ns =
            windows * ((int64_t) limit->window_ms * OI_MILLISECOND + OI_PACE_SLACK_NS);

        if (time_ns > line->share.time_ns)
            line->share.time_ns = time_ns;
    }
}

static bool
is_chosen(const struct oi_backfill *backfill, uint32_t instrument)
{
    for (size_t i = 0; backfill->options.instruments && i < backfill->options.instrument_count; i++)
        if (backfill->options.instruments[i] == instrument)
            return true;
    return !backfill->options.instruments;
}

static enum oi_status
fill_line(struct plan *plan, struct oi_error *error)
{
    struct oi_backfill_line *line = plan->line;

    for (size_t i = 0; i < plan->catalog->instrument_count; i++) {
        const struct oi_instrument *instrument = &plan->catalog->instruments[i];

        if (strcmp(instrument->exchange, line->share.exchange) != 0 ||
            !is_chosen(plan->backfill, instrument->id))
            continue;
        if (line->source)
            OI_TRY(add_archive_market(plan, instrument, error));
        else if (!instrument->is_provisional)
            OI_TRY(add_endpoint_market(plan, instrument, error));
    }
    line->share.markets = line->markets.count;
    if (line->lots.count > 1)
        qsort(line->lots.items, line->lots.count, sizeof(*line->lots.items), compare_lots);
    estimate(line);
    return OI_OK;
}

static enum oi_status
add_line(struct plan *plan, const struct oi_exchange *exchange,
         const struct oi_archive_source *source, struct oi_error *error)
{
    struct oi_backfill_line *line = oi_alloc_zero(1, sizeof(*line));
    enum oi_status status;

    line->backfill = plan->backfill;
    line->exchange = exchange;
    line->source = source;
    line->share.exchange = exchange ? exchange->name : source->exchange;
    line->share.source = exchange ? "history" : source->archive->feed;
    line->share.kept_from = OI_TIME_NONE;
    plan->line = line;
    if (exchange)
        set_pace(plan, exchange);
    else
        set_archive_pace(line);
    status = fill_line(plan, error);
    if (status != OI_OK || line->lots.count + line->share.present == 0) {
        oi_backfill_line_free(line);
        return status;
    }
    oi_vector_push(&plan->backfill->lines, line);
    oi_vector_push(&plan->backfill->shares, line->share);
    plan->backfill->requests_planned += line->share.requests;
    return OI_OK;
}

static bool
has_history(const struct oi_exchange *exchange)
{
    for (size_t i = 0; i < exchange->endpoint_count; i++)
        if (exchange->endpoints[i].kind == OI_TASK_HISTORY && exchange->endpoints[i].window)
            return true;
    return false;
}

enum oi_status
oi_backfill_make_plan(struct oi_backfill *backfill, struct oi_error *error)
{
    OI_CLEANUP(oi_catalog_unref)
    const struct oi_catalog *catalog = oi_store_catalog(backfill->store);
    struct plan plan = { .backfill = backfill,
                         .catalog = catalog,
                         .now = backfill->clock->wall_ns(backfill->clock) };
    const struct oi_exchange *const *registry =
        backfill->options.registry ? backfill->options.registry : oi_exchanges;

    for (size_t i = 0; (backfill->options.sources & OI_BACKFILL_ENDPOINT) && registry[i]; i++)
        if (has_history(registry[i]))
            OI_TRY(add_line(&plan, registry[i], NULL, error));
    for (size_t i = 0; (backfill->options.sources & OI_BACKFILL_ARCHIVE) && oi_archive_sources[i];
         i++)
        OI_TRY(add_line(&plan, NULL, oi_archive_sources[i], error));
    if (backfill->lines.count == 0)
        return oi_fail(error, OI_E_NOT_FOUND,
                       "no market that is known has a history there: `oi collect --once` asks for "
                       "the markets first");
    return OI_OK;
}
