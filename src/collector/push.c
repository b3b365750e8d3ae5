/* SPDX-License-Identifier: Apache-2.0 */
/* Messages merged by market, and the changes in them thinned. */
#include "collector/push.h"

/* A stamp that is further ahead than this is none: clocks differ, but not so much. */
#define AHEAD_NS (5 * OI_SECOND)
/* A change that waits for the end of its interval waits so much longer: a message on its way may
 * have a newer one of the same interval. */
#define GRACE_NS (200 * OI_MILLISECOND)

void
oi_push_init(struct oi_push *push, const struct oi_exchange *exchange,
             const struct oi_exchange_stream *stream, int64_t interval_ns)
{
    *push = (struct oi_push){ .exchange = exchange, .stream = stream, .interval_ns = interval_ns };
    push->index = oi_map_new();
}

void
oi_push_release(struct oi_push *push)
{
    oi_vector_release(&push->markets);
    oi_vector_release(&push->pending);
    oi_vector_release(&push->fresh);
    oi_map_free(&push->index);
    oi_arena_release(&push->arena);
    oi_harvest_release(&push->harvest);
}

static bool
has_product(const struct oi_push *push, const char *product)
{
    for (size_t i = 0; push->stream->products[i]; i++)
        if (strcmp(push->stream->products[i], product) == 0)
            return true;
    return false;
}

static bool
is_of_stream(const struct oi_push *push, const struct oi_instrument *instrument)
{
    return !instrument->is_provisional && strcmp(instrument->exchange, push->exchange->name) == 0 &&
           has_product(push, instrument->product);
}

static bool
is_listed(const struct oi_instrument *instrument, oi_time now)
{
    return !instrument->is_delisted &&
           (instrument->expiry == OI_TIME_NONE || instrument->expiry > now) &&
           (instrument->listed == OI_TIME_NONE || instrument->listed <= now);
}

/* A place that nobody needs any more, or a new one: options come and go each day, for months. */
static size_t
find_place(struct oi_push *push)
{
    for (; push->free_from < push->markets.count; push->free_from++) {
        const struct oi_push_market *market = &push->markets.items[push->free_from];

        if (market->is_gone && market->link == OI_PUSH_NO_LINK && !market->is_pending)
            return push->free_from++;
    }
    (void) oi_vector_add(&push->markets);
    push->free_from = push->markets.count;
    return push->markets.count - 1;
}

static void
forget_symbol(struct oi_push *push, size_t place)
{
    const char *symbol = push->markets.items[place].symbol;
    uint64_t known;

    if (symbol && oi_map_get(push->index, oi_slice_of(symbol), &known) && known == place)
        (void) oi_map_remove(push->index, oi_slice_of(symbol));
}

/* A market that is new, or whose symbol now is another instrument's. */
static void
add_market(struct oi_push *push, const struct oi_instrument *instrument)
{
    struct oi_push_market market = { .instrument = instrument->id,
                                     .link = OI_PUSH_NO_LINK,
                                     .told = OI_OBSERVATION_NONE,
                                     .seen = OI_TIME_NONE,
                                     .kept_time = OI_TIME_NONE };

    size_t place = find_place(push);

    forget_symbol(push, place);
    market.symbol = oi_arena_copy(&push->arena, oi_slice_of(instrument->symbol));
    oi_map_put(push->index, oi_slice_of(market.symbol), place);
    push->markets.items[place] = market;
    oi_vector_push(&push->fresh, place);
}

static void
update_market(struct oi_push *push, const struct oi_instrument *instrument, oi_time now)
{
    bool is_ours = is_listed(instrument, now);
    uint64_t place;

    if (!oi_map_get(push->index, oi_slice_of(instrument->symbol), &place)) {
        if (is_ours)
            add_market(push, instrument);
        return;
    }
    if (push->markets.items[place].instrument == instrument->id) {
        push->markets.items[place].is_gone = !is_ours;
    } else if (is_ours) {
        push->markets.items[place].is_gone = true;
        add_market(push, instrument);
    }
}

/* New markets get their series, and the last row of it: what was stored is no change. */
static enum oi_status
find_series(struct oi_push *push, struct oi_store *store, uint16_t feed, struct oi_error *error)
{
    size_t count = push->fresh.count;
    uint32_t *ids = oi_alloc((count + 1) * 2 * sizeof(*ids)), *series = ids + count + 1;
    enum oi_status status;

    for (size_t i = 0; i < count; i++)
        ids[i] = push->markets.items[push->fresh.items[i]].instrument;
    status = oi_store_series_all(store, ids, count, feed, series, error);
    for (size_t i = 0; i < count; i++) {
        struct oi_push_market *market = &push->markets.items[push->fresh.items[i]];
        struct oi_observation latest;

        if (status != OI_OK) {
            /* Without a series there is nowhere to put them: again next time. */
            forget_symbol(push, push->fresh.items[i]);
            market->is_gone = true;
            continue;
        }
        market->series = series[i];
        if (oi_store_latest(store, series[i], &latest, NULL) == OI_OK) {
            market->kept = latest.open_interest;
            market->kept_time = latest.time;
        }
    }
    if (status != OI_OK)
        push->catalog_version = 0;
    oi_free(ids);
    return status;
}

enum oi_status
oi_push_refresh(struct oi_push *push, struct oi_store *store, uint16_t feed, oi_time now,
                bool *ret_changed, struct oi_error *error)
{
    const struct oi_catalog *catalog = oi_store_catalog(store);
    size_t known = push->markets.count;

    push->free_from = 0;
    oi_vector_clear(&push->fresh);
    *ret_changed = push->catalog_version != catalog->version;
    for (size_t i = 0; *ret_changed && i < catalog->instrument_count; i++)
        if (is_of_stream(push, &catalog->instruments[i]))
            update_market(push, &catalog->instruments[i], now);
    /* Expiry is no change of the catalogue. */
    for (size_t i = 0; i < known; i++) {
        struct oi_push_market *market = &push->markets.items[i];

        market->is_gone |= !is_listed(&catalog->instruments[market->instrument - 1], now);
    }
    push->catalog_version = catalog->version;
    oi_catalog_unref(&catalog);
    if (push->fresh.count == 0)
        return OI_OK;
    *ret_changed = true;
    return find_series(push, store, feed, error);
}

static void
merge(struct oi_decimal *into, const struct oi_decimal *value)
{
    if (!oi_decimal_is_none(value))
        *into = *value;
}

static void
emit(struct oi_push *push, struct oi_push_market *market, struct oi_push_rows *out)
{
    const struct oi_row row = { .series = market->series, .reading = market->told };

    oi_vector_push(&out->rows, row);
    push->stats.rows++;
    market->kept = market->told.open_interest;
    market->kept_time = market->told.time;
    market->is_pending = false;
}

static bool
is_after_interval(const struct oi_push *push, const struct oi_push_market *market, oi_time time)
{
    return market->kept_time == OI_TIME_NONE || time - market->kept_time >= push->interval_ns;
}

/* The instant of a figure; OI_TIME_NONE: it is older than what is known. */
static oi_time
instant_of(const struct oi_push_market *market, const struct oi_observation *reading, oi_time now)
{
    oi_time time = reading->exchange_time;

    if (time == OI_TIME_NONE || time > now + AHEAD_NS)
        time = now;
    if (market->seen != OI_TIME_NONE && time < market->seen)
        return OI_TIME_NONE;
    if (market->kept_time == OI_TIME_NONE || time > market->kept_time)
        return time;
    /* Two figures with one stamp, which is in seconds at some: the later told is the later. */
    return time == market->kept_time || market->seen == OI_TIME_NONE
               ? market->kept_time + OI_MILLISECOND
               : OI_TIME_NONE;
}

static void
take_figure(struct oi_push *push, size_t place, const struct oi_observation *reading, oi_time time,
            struct oi_push_rows *out)
{
    struct oi_push_market *market = &push->markets.items[place];

    /* What waited is a row of its own if its interval is over by what the exchange says. */
    if (market->is_pending && time - market->told.time >= push->interval_ns)
        emit(push, market, out);
    market->told.time = time;
    market->told.exchange_time = reading->exchange_time;
    market->told.open_interest = reading->open_interest;
    market->told.value_usd = reading->value_usd; /* of this figure, or none */
    market->told.flags = reading->flags;
    if (!oi_decimal_is_none(&market->kept) &&
        oi_decimal_compare(&market->kept, &reading->open_interest) == 0) {
        market->is_pending = false;
        return;
    }
    if (is_after_interval(push, market, time)) {
        emit(push, market, out);
    } else if (!market->is_pending) {
        market->is_pending = true;
        oi_vector_push(&push->pending, place);
    }
}

static void
take_row(struct oi_push *push, const struct oi_harvest_row *row, oi_time now,
         struct oi_push_rows *out)
{
    const struct oi_observation *reading = &row->reading;
    struct oi_push_market *market;
    uint64_t place;
    oi_time time;

    if (!oi_map_get(push->index, oi_slice_of(row->symbol), &place) ||
        push->markets.items[place].is_gone) {
        push->stats.unknown += !oi_decimal_is_none(&reading->open_interest);
        return;
    }
    market = &push->markets.items[place];
    time = instant_of(market, reading, now);
    if (time == OI_TIME_NONE) {
        push->stats.late++;
        return;
    }
    if (reading->exchange_time != OI_TIME_NONE && reading->exchange_time <= now + AHEAD_NS)
        market->seen = reading->exchange_time;
    merge(&market->told.mark_price, &reading->mark_price);
    merge(&market->told.index_price, &reading->index_price);
    merge(&market->told.last_price, &reading->last_price);
    if (!oi_decimal_is_none(&reading->open_interest))
        take_figure(push, place, reading, time, out);
    else
        merge(&market->told.value_usd, &reading->value_usd);
}

enum oi_status
oi_push_message(struct oi_push *push, struct oi_slice message, oi_time now,
                struct oi_push_rows *out, struct oi_stream_event *ret_event, size_t *ret_told,
                struct oi_error *error)
{
    enum oi_status status;

    *ret_event = (struct oi_stream_event){};
    *ret_told = 0;
    push->stats.messages++;
    oi_harvest_reset(&push->harvest);
    status = push->stream->read(push->stream, message, &push->harvest, ret_event, error);
    if (status != OI_OK) {
        push->stats.faults += status == OI_E_UPSTREAM;
        push->stats.refused += status == OI_E_NOT_FOUND;
        return status;
    }
    push->stats.skips += push->harvest.skips.count;
    *ret_told = push->harvest.rows.count;
    for (size_t i = 0; i < push->harvest.rows.count; i++)
        take_row(push, &push->harvest.rows.items[i], now, out);
    return OI_OK;
}

void
oi_push_ripen(struct oi_push *push, oi_time now, bool is_end, struct oi_push_rows *out)
{
    size_t left = 0;

    for (size_t i = 0; i < push->pending.count; i++) {
        size_t place = push->pending.items[i];
        struct oi_push_market *market = &push->markets.items[place];

        if (!market->is_pending)
            continue;
        if (is_end || now - GRACE_NS - market->kept_time >= push->interval_ns)
            emit(push, market, out);
        else
            push->pending.items[left++] = place;
    }
    push->pending.count = left;
}
