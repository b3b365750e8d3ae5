/* SPDX-License-Identifier: Apache-2.0 */
/* Instruments and families: gathering, defining, noticing what is gone. */
#include "collector/discover.h"

#include "base/log.h"

/* Asking again for the sake of an unknown market. */
#define WANTED_EVERY (10 * OI_MINUTE)
/* A list without so large a part of what was there is broken, not the market: 1 / this. */
#define VANISHED_PART_MAX 4
/* Below so many it may well be true. */
#define VANISHED_ALWAYS 5

void
oi_discover_init(struct oi_discover *discover, const struct oi_exchange *exchange)
{
    *discover = (struct oi_discover){ .exchange = exchange, .wanted_at = OI_TIME_NONE };
    discover->discoveries =
        oi_alloc_zero(exchange->endpoint_count + 1, sizeof(*discover->discoveries));
    for (size_t i = 0; i < exchange->endpoint_count; i++)
        discover->discoveries[i].asked = OI_TIME_NONE;
}

static void
forget(struct oi_discovery *discovery)
{
    oi_vector_clear(&discovery->families);
    oi_vector_clear(&discovery->skipped);
    oi_vector_clear(&discovery->found);
    discovery->out = 0;
    discovery->has_failed = discovery->has_skips = false;
}

static void
drop_families(struct oi_discover *discover, const char *product)
{
    size_t kept = 0;

    for (size_t i = 0; i < discover->families.count; i++)
        if (strcmp(discover->families.items[i].product, product) != 0)
            discover->families.items[kept++] = discover->families.items[i];
    discover->families.count = kept;
}

/* Names stay until the end: an ask that is under way may still hold one. */
static const char *
intern(struct oi_discover *discover, const char *name)
{
    for (size_t i = 0; i < discover->names.count; i++)
        if (strcmp(discover->names.items[i], name) == 0)
            return discover->names.items[i];
    oi_vector_push(&discover->names, oi_copy_text(oi_slice_of(name)));
    return discover->names.items[discover->names.count - 1];
}

void
oi_discover_release(struct oi_discover *discover)
{
    for (size_t i = 0; discover->discoveries && i < discover->exchange->endpoint_count; i++) {
        forget(&discover->discoveries[i]);
        oi_vector_release(&discover->discoveries[i].found);
        oi_vector_release(&discover->discoveries[i].families);
        oi_vector_release(&discover->discoveries[i].skipped);
    }
    oi_free(discover->discoveries);
    discover->discoveries = NULL;
    for (size_t i = 0; i < discover->names.count; i++)
        oi_free(discover->names.items[i]);
    oi_vector_release(&discover->names);
    oi_vector_release(&discover->families);
}

static bool
is_list(const struct oi_endpoint *endpoint)
{
    return endpoint->kind == OI_TASK_FAMILIES || endpoint->kind == OI_TASK_INSTRUMENTS;
}

static void
schedule(struct oi_discover *discover, struct oi_agenda *agenda, size_t endpoint,
         const struct oi_slot *slot)
{
    const struct oi_roster roster = { .exchange = discover->exchange,
                                      .families = discover->families.items,
                                      .family_count = discover->families.count };
    struct oi_discovery *discovery = &discover->discoveries[endpoint];
    size_t before = agenda->asks.count;

    forget(discovery);
    oi_schedule_expand(agenda, &roster, endpoint, slot);
    discovery->out = (unsigned) (agenda->asks.count - before);
    discovery->is_tried = discovery->out > 0;
}

void
oi_discover_schedule(struct oi_discover *discover, struct oi_agenda *agenda,
                     const struct oi_slot *slot)
{
    for (size_t i = 0; i < discover->exchange->endpoint_count; i++) {
        const struct oi_endpoint *endpoint = &discover->exchange->endpoints[i];

        if (is_list(endpoint) &&
            (discover->is_wanted ||
             oi_schedule_is_due(endpoint, discover->discoveries[i].asked, slot->minute)))
            schedule(discover, agenda, i, slot);
    }
    discover->is_wanted = false;
}

void
oi_discover_schedule_families(struct oi_discover *discover, struct oi_agenda *agenda,
                              const struct oi_slot *slot)
{
    for (size_t i = 0; i < discover->exchange->endpoint_count; i++) {
        const struct oi_endpoint *endpoint = &discover->exchange->endpoints[i];

        if (endpoint->kind == OI_TASK_INSTRUMENTS && endpoint->scope == OI_SCOPE_FAMILY &&
            !discover->discoveries[i].is_tried)
            schedule(discover, agenda, i, slot);
    }
}

bool
oi_discover_is_ready(const struct oi_discover *discover)
{
    for (size_t i = 0; i < discover->exchange->endpoint_count; i++)
        if (is_list(&discover->exchange->endpoints[i]) &&
            discover->discoveries[i].asked == OI_TIME_NONE)
            return false;
    return true;
}

bool
oi_discover_is_under_way(const struct oi_discover *discover)
{
    for (size_t i = 0; i < discover->exchange->endpoint_count; i++)
        if (discover->discoveries[i].out > 0)
            return true;
    return false;
}

void
oi_discover_want(struct oi_discover *discover, oi_time minute)
{
    if (discover->wanted_at != OI_TIME_NONE && minute >= discover->wanted_at &&
        minute - discover->wanted_at < WANTED_EVERY)
        return;
    discover->wanted_at = minute;
    discover->is_wanted = true;
}

void
oi_discover_page(struct oi_discover *discover, size_t endpoint, const struct oi_harvest *harvest)
{
    struct oi_discovery *discovery = &discover->discoveries[endpoint];

    for (size_t i = 0; i < harvest->instruments.count; i++)
        oi_vector_push(&discovery->found, harvest->instruments.items[i]);
    for (size_t i = 0; i < harvest->families.count; i++)
        oi_vector_push(&discovery->families, intern(discover, harvest->families.items[i]));
    for (size_t i = 0; i < harvest->skips.count; i++) {
        const char *symbol = harvest->skips.items[i].symbol;

        if (symbol[0] == 0)
            discovery->has_skips = true;
        else
            oi_vector_push(&discovery->skipped, intern(discover, symbol));
    }
}

static bool
is_in_list(const struct oi_map *symbols, const struct oi_instrument *instrument)
{
    uint64_t place;
    struct oi_buffer key = {};
    bool is_there;

    oi_buffer_add_text(&key, instrument->product);
    oi_buffer_add_char(&key, '\0');
    oi_buffer_add_text(&key, instrument->symbol);
    is_there = oi_map_get(symbols, oi_buffer_slice(&key), &place);
    oi_buffer_release(&key);
    return is_there;
}

static bool
is_skipped(const struct oi_discovery *discovery, const char *symbol)
{
    for (size_t i = 0; i < discovery->skipped.count; i++)
        if (strcmp(discovery->skipped.items[i], symbol) == 0)
            return true;
    return false;
}

static struct oi_map *
index_found(const struct oi_discovery *discovery)
{
    struct oi_map *symbols = oi_map_new();
    struct oi_buffer key = {};

    for (size_t i = 0; i < discovery->found.count; i++) {
        oi_buffer_clear(&key);
        oi_buffer_add_text(&key, discovery->found.items[i].product);
        oi_buffer_add_char(&key, '\0');
        oi_buffer_add_text(&key, discovery->found.items[i].symbol);
        oi_map_put(symbols, oi_buffer_slice(&key), i);
    }
    oi_buffer_release(&key);
    return symbols;
}

/* Add what is in the catalogue and not in the list, as delisted. */
static void
add_vanished(const struct oi_discover *discover, const struct oi_endpoint *endpoint,
             struct oi_discovery *discovery, oi_time minute, struct oi_store *store)
{
    const struct oi_catalog *catalog = oi_store_catalog(store);
    struct oi_map *symbols = index_found(discovery);
    size_t first = discovery->found.count, live = 0, vanished = 0;

    for (size_t i = 0; i < catalog->instrument_count; i++) {
        struct oi_instrument instrument = catalog->instruments[i];
        bool is_over;

        if (instrument.is_delisted || instrument.is_provisional ||
            strcmp(instrument.exchange, discover->exchange->name) != 0 ||
            (endpoint->product && strcmp(instrument.product, endpoint->product) != 0))
            continue;
        /* What ended may be missing: a quarter's last day takes many at once. */
        is_over = instrument.expiry != OI_TIME_NONE && instrument.expiry <= minute;
        live += !is_over;
        if (is_in_list(symbols, &instrument) || is_skipped(discovery, instrument.symbol))
            continue;
        vanished += !is_over;
        instrument.is_delisted = true;
        instrument.valid_from = instrument.known_from = OI_TIME_NONE;
        oi_vector_push(&discovery->found, instrument);
    }
    if (vanished > VANISHED_ALWAYS && vanished > live / VANISHED_PART_MAX) {
        oi_log_throttled(OI_LOG_WARN, "collector.list_short", discover->exchange->name,
                         "exchange=%s listed=%zu missing=%zu action=kept", discover->exchange->name,
                         first, vanished);
        discovery->found.count = first;
    }
    oi_map_free(&symbols);
    oi_catalog_unref(&catalog);
}

static enum oi_status
define(struct oi_discover *discover, const struct oi_endpoint *endpoint,
       struct oi_discovery *discovery, oi_time minute, struct oi_store *store,
       struct oi_error *error)
{
    size_t listed = discovery->found.count, changed = 0;

    if (listed == 0)
        return OI_OK;
    if (!discovery->has_failed && !discovery->has_skips)
        add_vanished(discover, endpoint, discovery, minute, store);
    OI_TRY(oi_store_define(store, discovery->found.items, discovery->found.count, NULL, &changed,
                           error));
    discover->changed += changed;
    discover->delisted += discovery->found.count - listed;
    if (changed > 0)
        oi_log(OI_LOG_INFO, "collector.instruments",
               "exchange=%s%s%s listed=%zu changed=%zu gone=%zu", discover->exchange->name,
               endpoint->product ? " product=" : "", endpoint->product ? endpoint->product : "",
               listed, changed, discovery->found.count - listed);
    return OI_OK;
}

static void
take_families(struct oi_discover *discover, const struct oi_endpoint *endpoint,
              struct oi_discovery *discovery)
{
    const char *product = endpoint->product ? endpoint->product : "";

    drop_families(discover, product);
    for (size_t i = 0; i < discovery->families.count; i++) {
        const struct oi_roster_family family = {
            .product = product,
            .name = discovery->families.items[i],
        };

        oi_vector_push(&discover->families, family);
    }
    oi_vector_clear(&discovery->families);
}

enum oi_status
oi_discover_end(struct oi_discover *discover, const struct oi_ask *ask, bool is_good,
                struct oi_store *store, struct oi_error *error)
{
    const struct oi_endpoint *endpoint = &discover->exchange->endpoints[ask->endpoint];
    struct oi_discovery *discovery = &discover->discoveries[ask->endpoint];
    enum oi_status status = OI_OK;

    if (discovery->out == 0)
        return OI_OK;
    if (!is_good)
        discovery->has_failed = true;
    if (--discovery->out > 0)
        return OI_OK;
    if (endpoint->kind == OI_TASK_FAMILIES && !discovery->has_failed)
        take_families(discover, endpoint, discovery);
    if (endpoint->kind == OI_TASK_INSTRUMENTS)
        status = define(discover, endpoint, discovery, ask->minute, store, error);
    if (status == OI_OK && !discovery->has_failed)
        discovery->asked = ask->minute;
    forget(discovery);
    return status;
}

void
oi_discover_abandon(struct oi_discover *discover)
{
    for (size_t i = 0; i < discover->exchange->endpoint_count; i++)
        forget(&discover->discoveries[i]);
}
