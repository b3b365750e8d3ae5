/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the live feed, as if the collector had been there: the figures are those it would have
 * got. */
/* no unit test: some hundred markets in a real store; tests/system/demo.test.mjs looks at them */
#include "cli/demo_past.h"

#include "base/vector.h"
#include "simulator/simulator.h"

/*
 * The past, oldest part first: hourly, but every quarter of an hour where the changes over a day
 * and a week begin while the demo runs (an older figure than that is none for them), and fine at
 * the end, where one looks.
 */
static const struct part {
    int64_t until_ns; /* before now */
    int64_t step_ns;
} parts[] = {
    { OI_WEEK + OI_HOUR, OI_HOUR }, { OI_WEEK - OI_DAY / 2, 15 * OI_MINUTE },
    { OI_DAY + OI_HOUR, OI_HOUR },  { OI_DAY / 2, 15 * OI_MINUTE },
    { 6 * OI_HOUR, OI_HOUR },       { 0, 5 * OI_MINUTE },
};
#define PAST_NS (OI_WEEK + OI_DAY)
/* A batch of so many rows is one commit of some megabytes. */
#define BATCH_ROWS ((size_t) 100'000)

struct past {
    struct oi_store *store;
    OI_VECTOR(struct oi_instrument) markets;
    OI_VECTOR(struct oi_row) rows;
    uint32_t series; /* of the market at hand */
};

static enum oi_status
add_market(void *context, const struct oi_instrument *found, struct oi_error *)
{
    struct past *past = context;

    oi_vector_push(&past->markets, *found);
    return OI_OK;
}

static enum oi_status
flush(struct past *past, struct oi_error *error)
{
    const struct oi_batch batch = { .rows = past->rows.items, .row_count = past->rows.count };
    struct oi_append_result result;

    if (past->rows.count == 0)
        return OI_OK;
    OI_TRY(oi_store_append(past->store, &batch, &result, error));
    oi_vector_clear(&past->rows);
    return OI_OK;
}

static enum oi_status
add_reading(void *context, const struct oi_observation *reading, struct oi_error *error)
{
    struct past *past = context;
    const struct oi_row row = { .series = past->series, .reading = *reading };

    oi_vector_push(&past->rows, row);
    return past->rows.count < BATCH_ROWS ? OI_OK : flush(past, error);
}

static enum oi_status
fill_market(struct past *past, const struct oi_instrument *market, uint64_t seed, oi_time until,
            struct oi_error *error)
{
    oi_time from = oi_interval_floor(OI_HOUR, until - PAST_NS);

    for (size_t i = 0; i < OI_COUNT(parts); i++) {
        const int64_t step_ns = parts[i].step_ns;
        /* Every part begins where the next one's steps fall too. */
        const oi_time to =
            parts[i].until_ns == 0 ? until : oi_interval_floor(OI_HOUR, until - parts[i].until_ns);

        OI_TRY(oi_simulator_history(seed, market->exchange, market->symbol,
                                    (struct oi_span){ from, to }, step_ns, add_reading, past,
                                    error));
        from = to;
    }
    return OI_OK;
}

static enum oi_status
fill(struct past *past, uint64_t seed, struct oi_error *error)
{
    const oi_time now = oi_clock_system.wall_ns(&oi_clock_system);
    const struct oi_feed live = { .name = "live" }; /* as the collector has it */
    OI_VECTOR(uint32_t) ids = {};
    enum oi_status status;
    size_t count;
    uint16_t feed = 0;

    OI_TRY(oi_simulator_instruments(seed, NULL, now, add_market, past, error));
    OI_TRY(oi_store_feed(past->store, &live, &feed, error));
    count = past->markets.count;
    oi_vector_reserve(&ids, 2 * count);
    status = oi_store_define(past->store, past->markets.items, count, ids.items, NULL, error);
    if (status == OI_OK)
        status = oi_store_series_all(past->store, ids.items, count, feed, ids.items + count, error);
    for (size_t i = 0; status == OI_OK && i < count; i++) {
        past->series = ids.items[count + i];
        status = fill_market(past, &past->markets.items[i], seed, oi_interval_floor(OI_MINUTE, now),
                             error);
    }
    oi_vector_release(&ids);
    OI_TRY(status);
    return flush(past, error);
}

enum oi_status
oi_demo_past_fill(struct oi_store *store, uint64_t seed, struct oi_error *error)
{
    struct past past = { .store = store };
    enum oi_status status = fill(&past, seed, error);

    oi_vector_release(&past.markets);
    oi_vector_release(&past.rows);
    return status;
}
