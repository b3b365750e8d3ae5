/* SPDX-License-Identifier: Apache-2.0 */
/* What to ask next: minutes, expansion of endpoints by scope, order. */
#include "collector/schedule.h"

#include <stdlib.h>

/* A clock that is set back by less than this is waited for. */
#define FALL_BACK_MAX (2 * OI_MINUTE)

oi_time
oi_schedule_minute(oi_time last, oi_time now)
{
    oi_time minute = oi_interval_floor(OI_MINUTE, now);

    if (last == OI_TIME_NONE || minute > last || minute < last - FALL_BACK_MAX)
        return minute;
    return OI_TIME_NONE;
}

bool
oi_schedule_is_due(const struct oi_endpoint *endpoint, oi_time last, oi_time minute)
{
    if (endpoint->every_ns == 0 || last == OI_TIME_NONE || minute < last)
        return true;
    return minute - last >= endpoint->every_ns;
}

void
oi_ask_release(struct oi_ask *ask)
{
    oi_free(ask->page);
    ask->page = NULL;
}

void
oi_agenda_release(struct oi_agenda *agenda)
{
    for (size_t i = 0; i < agenda->asks.count; i++)
        oi_ask_release(&agenda->asks.items[i]);
    oi_vector_release(&agenda->asks);
}

static int
compare_markets(const void *left, const void *right)
{
    const struct oi_market *a = left, *b = right;
    bool a_is_none = oi_decimal_is_none(&a->worth), b_is_none = oi_decimal_is_none(&b->worth);
    int order = 0;

    if (a_is_none != b_is_none)
        return a_is_none ? 1 : -1;
    if (!a_is_none)
        order = oi_decimal_compare(&b->worth, &a->worth);
    if (order != 0)
        return order;
    return a->entry < b->entry ? -1 : a->entry > b->entry;
}

void
oi_schedule_rank(struct oi_market *markets, size_t count)
{
    if (count > 1)
        qsort(markets, count, sizeof(*markets), compare_markets);
}

static bool
serves(const struct oi_endpoint *endpoint, const char *product)
{
    return !endpoint->product || strcmp(endpoint->product, product) == 0;
}

static void
expand_families(struct oi_agenda *agenda, const struct oi_roster *roster, struct oi_ask ask)
{
    const struct oi_endpoint *endpoint = &roster->exchange->endpoints[ask.endpoint];

    if (endpoint->families) {
        for (size_t i = 0; endpoint->families[i]; i++) {
            ask.family = endpoint->families[i];
            oi_vector_push(&agenda->asks, ask);
        }
        return;
    }
    for (size_t i = 0; i < roster->family_count; i++) {
        if (!serves(endpoint, roster->families[i].product))
            continue;
        ask.family = roster->families[i].name;
        oi_vector_push(&agenda->asks, ask);
    }
}

static void
expand_symbols(struct oi_agenda *agenda, const struct oi_roster *roster, struct oi_ask ask)
{
    const struct oi_endpoint *endpoint = &roster->exchange->endpoints[ask.endpoint];

    for (size_t i = 0; i < roster->market_count; i++) {
        if (!serves(endpoint, roster->markets[i].product))
            continue;
        ask.symbol = roster->markets[i].symbol;
        ask.entry = roster->markets[i].entry;
        oi_vector_push(&agenda->asks, ask);
    }
}

void
oi_schedule_expand(struct oi_agenda *agenda, const struct oi_roster *roster, size_t endpoint,
                   const struct oi_slot *slot)
{
    struct oi_ask ask = { .endpoint = endpoint, .minute = slot->minute };
    size_t first = agenda->asks.count, count;

    switch (roster->exchange->endpoints[endpoint].scope) {
    case OI_SCOPE_PRODUCT:
        oi_vector_push(&agenda->asks, ask);
        break;
    case OI_SCOPE_FAMILY:
        expand_families(agenda, roster, ask);
        break;
    case OI_SCOPE_SYMBOL:
        expand_symbols(agenda, roster, ask);
        break;
    }
    count = agenda->asks.count - first;
    for (size_t i = 0; i < count; i++)
        agenda->asks.items[first + i].due_ns =
            slot->from_ns + slot->spread_ns / (int64_t) count * (int64_t) i;
}

bool
oi_schedule_next(struct oi_agenda *agenda, const struct oi_exchange *exchange, struct oi_pace *pace,
                 int64_t now_ns, struct oi_ask *ret_ask, int64_t *ret_wake_ns)
{
    unsigned blocked = 0; /* a bit for each limit: who is first there keeps his place */

    *ret_wake_ns = INT64_MAX;
    for (size_t i = 0; i < agenda->asks.count; i++) {
        const struct oi_ask *ask = &agenda->asks.items[i];
        const struct oi_endpoint *endpoint = &exchange->endpoints[ask->endpoint];
        int64_t ready_ns = ask->due_ns;

        if (blocked & (1u << endpoint->limit))
            continue;
        if (ready_ns <= now_ns) {
            ready_ns = oi_pace_ready_at(pace, endpoint->limit, endpoint->weight, now_ns);
            if (ready_ns > now_ns)
                blocked |= 1u << endpoint->limit;
        }
        if (ready_ns <= now_ns) {
            *ret_ask = *ask;
            agenda->asks.count--;
            memmove(&agenda->asks.items[i], &agenda->asks.items[i + 1],
                    (agenda->asks.count - i) * sizeof(*ask));
            return true;
        }
        if (ready_ns < *ret_wake_ns)
            *ret_wake_ns = ready_ns;
    }
    return false;
}
