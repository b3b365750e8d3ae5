/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instruments and readings without asking for them over a socket. The instruments are what the
 * adapters read from the world's own replies, so that they are the same to the last field.
 */
/* no unit test: the contract suite of the simulator compares it with the model */
#include "exchanges/exchange.h"
#include "simulator/world_internal.h"

/* More pages than any list of ours has. */
#define PAGES_MAX 1'000
/* About the year 2200: spans end before, so that their arithmetic stays in range. */
#define TIME_MAX (INT64_C(84'000) * OI_DAY)

struct instrument_walk {
    struct oi_simulator_world *world;
    oi_time now;
    enum oi_status (*visit)(void *context, const struct oi_instrument *found,
                            struct oi_error *error);
    void *context;
};

/* One page of one list, read into `harvest`. */
static enum oi_status
read_page(const struct instrument_walk *walk, const struct oi_endpoint *endpoint,
          const struct oi_task *task, struct oi_harvest *harvest, struct oi_error *error)
{
    struct oi_http_request request = {};
    struct oi_http_reply reply = {};
    enum oi_status status = endpoint->ask(task, &request, error);

    if (status == OI_OK) {
        oi_simulator_answer(walk->world, &request, &reply);
        status = endpoint->read(task, oi_buffer_slice(&reply.body), harvest, error);
    }
    oi_http_reply_release(&reply);
    oi_http_request_release(&request);
    return status;
}

static enum oi_status
visit_page(const struct instrument_walk *walk, const struct oi_harvest *harvest,
           struct oi_error *error)
{
    for (size_t i = 0; i < harvest->instruments.count; i++) {
        const struct oi_instrument *instrument = &harvest->instruments.items[i];

        if (!instrument->is_delisted)
            OI_TRY(walk->visit(walk->context, instrument, error));
    }
    return OI_OK;
}

static enum oi_status
visit_list(const struct instrument_walk *walk, const struct oi_endpoint *endpoint,
           const char *family, struct oi_error *error)
{
    struct oi_harvest harvest = {};
    struct oi_buffer page = {};
    struct oi_task task = { .kind = OI_TASK_INSTRUMENTS,
                            .product = endpoint->product,
                            .family = family,
                            .now = walk->now };
    enum oi_status status = OI_OK;

    for (int pages = 0; status == OI_OK && pages < PAGES_MAX; pages++) {
        oi_harvest_reset(&harvest);
        status = read_page(walk, endpoint, &task, &harvest, error);
        if (status == OI_OK)
            status = visit_page(walk, &harvest, error);
        if (status != OI_OK || !harvest.next_page)
            break;
        oi_buffer_clear(&page);
        oi_buffer_add(&page, harvest.next_page, strlen(harvest.next_page) + 1);
        task.page = page.data;
    }
    oi_buffer_release(&page);
    oi_harvest_release(&harvest);
    return status;
}

/* The families an exchange names for a product, of all pages. */
static enum oi_status
read_families(const struct instrument_walk *walk, const struct oi_exchange *exchange,
              const char *product, struct oi_harvest *harvest, struct oi_error *error)
{
    for (size_t i = 0; i < exchange->endpoint_count; i++) {
        const struct oi_endpoint *endpoint = &exchange->endpoints[i];
        struct oi_task task = { .kind = OI_TASK_FAMILIES,
                                .product = endpoint->product,
                                .now = walk->now };

        if (endpoint->kind != OI_TASK_FAMILIES || !endpoint->product || !product ||
            strcmp(endpoint->product, product) != 0)
            continue;
        for (int pages = 0; pages < PAGES_MAX; pages++) {
            harvest->next_page = NULL;
            OI_TRY(read_page(walk, endpoint, &task, harvest, error));
            if (!harvest->next_page)
                return OI_OK;
            task.page = harvest->next_page;
        }
    }
    return OI_OK;
}

/* One list, or one for each family. */
static enum oi_status
visit_endpoint(const struct instrument_walk *walk, const struct oi_exchange *exchange,
               const struct oi_endpoint *endpoint, struct oi_error *error)
{
    struct oi_harvest families = {};
    enum oi_status status;

    if (endpoint->scope != OI_SCOPE_FAMILY)
        return visit_list(walk, endpoint, NULL, error);
    for (const char *const *family = endpoint->families; family && *family; family++)
        OI_TRY(visit_list(walk, endpoint, *family, error));
    if (endpoint->families)
        return OI_OK;
    status = read_families(walk, exchange, endpoint->product, &families, error);
    for (size_t i = 0; status == OI_OK && i < families.families.count; i++)
        status = visit_list(walk, endpoint, families.families.items[i], error);
    oi_harvest_release(&families);
    return status;
}

static enum oi_status
visit_all(const struct instrument_walk *walk, const char *name, struct oi_error *error)
{
    for (size_t i = 0; oi_exchanges[i]; i++) {
        const struct oi_exchange *exchange = oi_exchanges[i];
        enum oi_venue venue;

        /* A registered exchange that is not simulated (yet) has no market here. */
        if ((name && strcmp(name, exchange->name) != 0) ||
            !oi_venue_find(oi_slice_of(exchange->name), &venue))
            continue;
        for (size_t row = 0; row < exchange->endpoint_count; row++)
            if (exchange->endpoints[row].kind == OI_TASK_INSTRUMENTS)
                OI_TRY(visit_endpoint(walk, exchange, &exchange->endpoints[row], error));
    }
    return OI_OK;
}

enum oi_status
oi_simulator_instruments(uint64_t seed, const char *exchange, oi_time now,
                         enum oi_status (*visit)(void *context, const struct oi_instrument *found,
                                                 struct oi_error *error),
                         void *context, struct oi_error *error)
{
    struct oi_virtual_clock clock;
    struct instrument_walk walk = { .now = now, .visit = visit, .context = context };
    enum oi_status status;

    oi_virtual_clock_init(&clock, now);
    walk.world = oi_simulator_world_new(seed, &clock.clock);
    status = visit_all(&walk, exchange, error);
    oi_simulator_world_free(&walk.world);
    return status;
}

static bool
has_value(unsigned tells, const struct oi_market *market)
{
    /* Of inverse contracts it is in the coin, but for OKX. */
    if (market->is_inverse && market->venue != OI_VENUE_OKX)
        return false;
    return (tells & TELLS_VALUE) ||
           ((tells & TELLS_OPTION_VALUE) && market->kind == OI_KIND_OPTION) ||
           ((tells & TELLS_PERPETUAL_VALUE) && market->kind == OI_KIND_PERPETUAL);
}

/* As its adapter reads the exchange's replies: what each one tells beside the figure. */
static struct oi_observation
reading_of(uint64_t seed, const struct oi_market *market, oi_time time)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;
    struct oi_figures figures;
    unsigned tells = venues[market->venue]->tells;

    oi_market_figures(seed, market, time, &figures);
    reading.time = time;
    reading.open_interest = figures.open_interest;
    if (tells & TELLS_TIME)
        reading.exchange_time = time;
    if (tells & TELLS_MARK)
        reading.mark_price = figures.mark;
    if ((tells & TELLS_INDEX) ||
        ((tells & TELLS_FUTURES_INDEX) && market->kind != OI_KIND_OPTION) ||
        ((tells & TELLS_OPTION_INDEX) && market->kind == OI_KIND_OPTION) ||
        ((tells & TELLS_PERPETUAL_INDEX) && market->kind == OI_KIND_PERPETUAL))
        reading.index_price = figures.index;
    if ((tells & TELLS_LAST) || ((tells & TELLS_EVENT_LAST) && market->kind == OI_KIND_EVENT))
        reading.last_price = figures.last;
    if (has_value(tells, market))
        reading.value_usd = figures.value;
    return reading;
}

static enum oi_status
visit_readings(uint64_t seed, const struct oi_market *market, struct oi_span span, int64_t step_ns,
               enum oi_status (*visit)(void *context, const struct oi_observation *reading,
                                       struct oi_error *error),
               void *context, struct oi_error *error)
{
    if (span.from < market->listed)
        span.from = market->listed;
    if (market->expiry != OI_TIME_NONE && span.to > market->expiry)
        span.to = market->expiry;
    for (oi_time time = oi_interval_ceil(step_ns, span.from); time < span.to; time += step_ns) {
        struct oi_observation reading = reading_of(seed, market, time);

        OI_TRY(visit(context, &reading, error));
    }
    return OI_OK;
}

/* Dated contracts are listed for less than that. */
#define LISTED_NS (200 * OI_DAY)

/* The market by its symbol, as it is listed at some time in the span or soon after; the catalogue
 * is left at that time. NULL: never. */
static const struct oi_market *
find_market(struct oi_catalogue *catalogue, const char *exchange, const char *symbol,
            struct oi_span span)
{
    enum oi_venue venue;

    if (!oi_venue_find(oi_slice_of(exchange), &venue))
        return NULL;
    for (oi_time time = span.from; time <= span.to + LISTED_NS; time = catalogue->valid.to) {
        const struct oi_market *market;

        oi_catalogue_build(catalogue, time);
        market = oi_catalogue_find(catalogue, venue, oi_slice_of(symbol));
        if (market && market->state == OI_MARKET_LISTED)
            return market;
    }
    return NULL;
}

enum oi_status
oi_simulator_history(uint64_t seed, const char *exchange, const char *symbol, struct oi_span span,
                     int64_t step_ns,
                     enum oi_status (*visit)(void *context, const struct oi_observation *reading,
                                             struct oi_error *error),
                     void *context, struct oi_error *error)
{
    struct oi_catalogue catalogue = {};
    const struct oi_market *market;
    enum oi_status status;

    if (step_ns <= 0 || step_ns % OI_MINUTE != 0)
        return oi_fail(error, OI_E_INVALID, "a step that is no number of minutes");
    if (span.from < 0 || span.to > TIME_MAX || span.from > span.to)
        return oi_fail(error, OI_E_INVALID, "a span that is not between 1970 and 2200");
    market = find_market(&catalogue, exchange, symbol, span);
    if (market)
        status = visit_readings(seed, market, span, step_ns, visit, context, error);
    else
        status = oi_fail(error, OI_E_NOT_FOUND, "no market %s of %s", symbol, exchange);
    oi_catalogue_release(&catalogue);
    return status;
}
