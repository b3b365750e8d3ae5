/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An index is built once a catalogue version (12,000 instruments take a few milliseconds) and then
 * only read. Exact market names go through a hash map whose value heads a chain: a symbol that was
 * listed twice is two instruments of one name.
 */
#include "query/names.h"

#include "base/map.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* The public part first, so that the two casts below are one address. */
struct index_body {
    struct oi_name_index public;
    struct oi_arena arena;
    struct oi_map *by_name; /* symbology letter and name to the first instrument id of a chain */
    uint32_t *next;         /* next[slot]: the next id of the same name, 0: none */
    struct oi_store *store;
    atomic_bool *is_met; /* is_met[id - 1]: it is not bare, as was found out */
    atomic_uint references;
};

struct oi_names {
    pthread_mutex_t lock;
    struct index_body *current;
};

/* The names a selector may name a market by: a slot each in `next`. */
enum name_slot { SLOT_NATIVE, SLOT_COINMETRICS, SLOT_ATLAS, SLOT_SYMBOL, SLOT_COUNT };

struct oi_names *
oi_names_new(void)
{
    struct oi_names *names = oi_alloc_zero(1, sizeof(*names));

    pthread_mutex_init(&names->lock, NULL);
    return names;
}

static void
index_unref(struct index_body *body)
{
    if (!body || atomic_fetch_sub(&body->references, 1) != 1)
        return;
    oi_catalog_unref(&body->public.catalog);
    oi_map_free(&body->by_name);
    oi_free(body->next);
    oi_free(body->is_met);
    oi_arena_release(&body->arena);
    oi_free(body);
}

void
oi_names_free(struct oi_names **names)
{
    if (!names || !*names)
        return;
    index_unref((*names)->current);
    pthread_mutex_destroy(&(*names)->lock);
    oi_free(*names);
    *names = NULL;
}

void
oi_name_index_unref(const struct oi_name_index **index)
{
    if (!index || !*index)
        return;
    index_unref((struct index_body *) *index);
    *index = NULL;
}

static const char *
keep(struct oi_arena *arena, bool has_name, const char *name)
{
    return has_name ? oi_arena_copy(arena, oi_slice_of(name)) : "";
}

static void
name_instrument(struct oi_arena *arena, const struct oi_instrument *instrument,
                struct oi_named *named)
{
    char text[OI_MARKET_NAME_SIZE];

    named->instrument = instrument;
#define OI_KEEP(function) keep(arena, function(instrument, text), text)
    named->native = OI_KEEP(oi_native_name);
    named->coinmetrics_exchange = OI_KEEP(oi_coinmetrics_exchange);
    named->coinmetrics_market = OI_KEEP(oi_coinmetrics_market);
    named->atlas_exchange = OI_KEEP(oi_atlas_exchange);
    named->atlas_symbol = OI_KEEP(oi_atlas_symbol);
    named->kiyotaka_exchange = OI_KEEP(oi_kiyotaka_exchange);
    named->kiyotaka_normalized = OI_KEEP(oi_kiyotaka_normalized);
    named->kwery_source = OI_KEEP(oi_kwery_source);
#undef OI_KEEP
    named->is_kwery_main = oi_kwery_is_main(instrument);
}

static struct oi_slice
slot_key(enum name_slot slot, const char *name, char key[OI_MARKET_NAME_SIZE + 1])
{
    size_t size = strlen(name);

    if (size > OI_MARKET_NAME_SIZE - 1)
        size = OI_MARKET_NAME_SIZE - 1; /* longer than any name there is: found nowhere */
    key[0] = (char) ('0' + slot);
    memcpy(key + 1, name, size);
    return (struct oi_slice){ key, size + 1 };
}

static void
add_name(struct index_body *body, enum name_slot slot, const char *name, uint32_t id)
{
    char key_text[OI_MARKET_NAME_SIZE + 1];
    struct oi_slice key;
    uint64_t first = 0;

    if (!name[0])
        return;
    key = slot_key(slot, name, key_text);
    (void) oi_map_get(body->by_name, key, &first);
    body->next[(size_t) (id - 1) * SLOT_COUNT + slot] = (uint32_t) first;
    oi_map_put(body->by_name, key, id);
}

static struct index_body *
index_build(struct oi_store *store, const struct oi_catalog *catalog)
{
    struct index_body *body = oi_alloc_zero(1, sizeof(*body));

    body->public.catalog = catalog;
    body->public.count = catalog->instrument_count;
    body->public.named =
        oi_arena_alloc_zero(&body->arena, catalog->instrument_count, sizeof(struct oi_named));
    body->by_name = oi_map_new();
    body->next = oi_alloc_zero(catalog->instrument_count * SLOT_COUNT + 1, sizeof(uint32_t));
    body->store = store;
    body->is_met = oi_alloc_zero(catalog->instrument_count + 1, sizeof(*body->is_met));
    body->references = 1;
    for (size_t i = 0; i < catalog->instrument_count; i++) {
        struct oi_named *named = &body->public.named[i];
        uint32_t id = (uint32_t) i + 1;

        name_instrument(&body->arena, &catalog->instruments[i], named);
        add_name(body, SLOT_NATIVE, named->native, id);
        add_name(body, SLOT_COINMETRICS, named->coinmetrics_market, id);
        add_name(body, SLOT_ATLAS, named->atlas_symbol, id);
        add_name(body, SLOT_SYMBOL, catalog->instruments[i].symbol, id);
    }
    return body;
}

const struct oi_name_index *
oi_names_current(struct oi_names *names, struct oi_store *store)
{
    const struct oi_catalog *catalog = oi_store_catalog(store);
    struct index_body *body;

    pthread_mutex_lock(&names->lock);
    if (!names->current || names->current->public.catalog->version != catalog->version) {
        index_unref(names->current);
        names->current = index_build(store, catalog);
        catalog = NULL;
    }
    body = names->current;
    atomic_fetch_add(&body->references, 1);
    pthread_mutex_unlock(&names->lock);
    oi_catalog_unref(&catalog);
    return &body->public;
}

bool
oi_name_index_has(const struct oi_name_index *index, uint32_t instrument)
{
    const struct index_body *body = (const struct index_body *) index;
    atomic_bool *is_met = &body->is_met[instrument - 1];

    if (atomic_load_explicit(is_met, memory_order_relaxed))
        return true;
    if (oi_store_is_bare(body->store, index->catalog, instrument))
        return false;
    atomic_store_explicit(is_met, true, memory_order_relaxed);
    return true;
}

bool
oi_pattern_matches(const char *pattern, const char *name)
{
    const char *star = NULL, *resume = NULL;

    while (*name) {
        if (*pattern == '*') {
            star = ++pattern;
            resume = name;
            continue;
        }
        if (*pattern == *name) {
            pattern++;
            name++;
            continue;
        }
        if (!star)
            return false;
        pattern = star;
        name = ++resume;
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static const char *
exchange_name(const struct oi_named *named, enum oi_symbology symbology)
{
    switch (symbology) {
    case OI_SYMBOLOGY_NATIVE:
        return named->instrument->exchange;
    case OI_SYMBOLOGY_COINMETRICS:
        return named->coinmetrics_exchange;
    case OI_SYMBOLOGY_ATLAS:
        return named->atlas_exchange;
    case OI_SYMBOLOGY_KIYOTAKA:
        return named->kiyotaka_exchange;
    case OI_SYMBOLOGY_KWERY:
        return named->kwery_source;
    }
    return "";
}

/* The name that orders a group, and that a market is asked for by. */
static const char *
market_name(const struct oi_named *named, enum oi_symbology symbology)
{
    switch (symbology) {
    case OI_SYMBOLOGY_NATIVE:
        return named->native;
    case OI_SYMBOLOGY_COINMETRICS:
        return named->coinmetrics_market;
    case OI_SYMBOLOGY_ATLAS:
        return named->atlas_symbol;
    case OI_SYMBOLOGY_KIYOTAKA:
    case OI_SYMBOLOGY_KWERY:
        return named->instrument->symbol;
    }
    return "";
}

/* Where the exchange stands among those asked for; SIZE_MAX: it was not. */
static size_t
exchange_rank(const struct oi_selector *selector, const struct oi_named *named)
{
    const char *name = exchange_name(named, selector->symbology);

    if (!name[0])
        return SIZE_MAX;
    if (selector->exchanges.count == 0)
        return 0;
    for (size_t i = 0; i < selector->exchanges.count; i++)
        if (strcmp(selector->exchanges.items[i], name) == 0)
            return i;
    return SIZE_MAX;
}

static bool
has_kind(const struct oi_selector *selector, enum oi_kind kind)
{
    if (selector->kinds.count == 0)
        return true;
    for (size_t i = 0; i < selector->kinds.count; i++)
        if (selector->kinds.items[i] == kind)
            return true;
    return false;
}

/* An Atlas or native market may be asked for by its native symbol too. */
static bool
market_matches(const struct oi_selector *selector, const struct oi_named *named)
{
    const char *name = market_name(named, selector->symbology);

    if (!selector->market)
        return name[0] != '\0';
    if (selector->main_only)
        return strcmp(selector->market, named->instrument->base) == 0;
    if (selector->is_pattern)
        return oi_pattern_matches(selector->market, name);
    if (strcmp(selector->market, name) == 0)
        return true;
    return selector->symbology == OI_SYMBOLOGY_ATLAS &&
           strcmp(selector->market, named->instrument->symbol) == 0;
}

static bool
is_or_any(const char *wanted, const char *name)
{
    return !wanted || strcmp(wanted, name) == 0;
}

static bool
fits(const struct oi_selector *selector, const struct oi_named *named)
{
    const struct oi_instrument *instrument = named->instrument;

    return market_matches(selector, named) && is_or_any(selector->coin, instrument->base) &&
           is_or_any(selector->quote, instrument->quote) &&
           is_or_any(selector->product, instrument->product) &&
           is_or_any(selector->normalized, named->kiyotaka_normalized) &&
           has_kind(selector, instrument->kind) && (!selector->main_only || named->is_kwery_main) &&
           exchange_rank(selector, named) != SIZE_MAX;
}

struct candidate {
    const char *name;
    size_t rank;
    uint32_t id;
};

static int
compare_candidates(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    int by_name;

    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    by_name = strcmp(a->name, b->name);
    if (by_name != 0)
        return by_name;
    return a->id < b->id ? -1 : a->id > b->id;
}

struct candidates {
    OI_VECTOR(struct candidate) items;
};

static void
consider(const struct oi_name_index *index, const struct oi_selector *selector, uint32_t id,
         struct candidates *found)
{
    const struct oi_named *named = &index->named[id - 1];

    if (fits(selector, named) && oi_name_index_has(index, id))
        oi_vector_push(&found->items, ((struct candidate){ market_name(named, selector->symbology),
                                                           exchange_rank(selector, named), id }));
}

static void
consider_named(const struct index_body *body, const struct oi_selector *selector,
               enum name_slot slot, struct candidates *found)
{
    char key[OI_MARKET_NAME_SIZE + 1];
    uint64_t id = 0;

    if (!oi_map_get(body->by_name, slot_key(slot, selector->market, key), &id))
        return;
    for (; id != 0; id = body->next[(id - 1) * SLOT_COUNT + slot])
        consider(&body->public, selector, (uint32_t) id, found);
}

static void
find(const struct index_body *body, const struct oi_selector *selector, struct candidates *found)
{
    if (!selector->market || selector->is_pattern || selector->main_only) {
        for (uint32_t id = 1; id <= body->public.count; id++)
            consider(&body->public, selector, id, found);
        return;
    }
    switch (selector->symbology) {
    case OI_SYMBOLOGY_NATIVE:
        consider_named(body, selector, SLOT_NATIVE, found);
        return;
    case OI_SYMBOLOGY_COINMETRICS:
        consider_named(body, selector, SLOT_COINMETRICS, found);
        return;
    case OI_SYMBOLOGY_ATLAS:
        consider_named(body, selector, SLOT_ATLAS, found);
        if (found->items.count > 0)
            return;
        consider_named(body, selector, SLOT_SYMBOL, found);
        return;
    case OI_SYMBOLOGY_KIYOTAKA:
    case OI_SYMBOLOGY_KWERY:
        consider_named(body, selector, SLOT_SYMBOL, found);
        return;
    }
}

/* Does the symbol hold the text, in any case? */
static bool
has_text(const char *symbol, const char *text)
{
    return !text || strcasestr(symbol, text) != NULL;
}

/* Append the found ones that are not there yet. A total takes its members again. */
static void
take(const struct oi_name_index *index, const struct oi_query *query, size_t group, uint8_t *taken,
     const struct candidates *found, struct oi_choices *choices)
{
    bool is_total = query->selectors.items[group].is_total;

    for (size_t i = 0; i < found->items.count; i++) {
        uint32_t id = found->items.items[i].id;

        if ((taken[id - 1] && !is_total) ||
            !has_text(index->named[id - 1].instrument->symbol, query->text_filter))
            continue;
        taken[id - 1] = !is_total;
        oi_vector_push(&choices->items, ((struct oi_choice){ id, group }));
    }
}

static enum oi_status
nothing_found(const struct oi_selector *selector, struct oi_problem *problem)
{
    const char *value = selector->market       ? selector->market
                        : selector->coin       ? selector->coin
                        : selector->normalized ? selector->normalized
                                               : "";

    return oi_problem_set(problem, OI_PROBLEM_MARKET,
                          selector->parameter ? selector->parameter : "market", oi_slice_of(value),
                          "no market of that name is known here");
}

static enum oi_status
choose_group(const struct index_body *body, const struct oi_query *query, size_t group,
             uint8_t *taken, struct oi_choices *choices, struct oi_problem *problem)
{
    const struct oi_selector *selector = &query->selectors.items[group];
    struct candidates found = {};
    size_t count;

    find(body, selector, &found);
    count = found.items.count;
    if (count > 1)
        qsort(found.items.items, count, sizeof(struct candidate), compare_candidates);
    take(&body->public, query, group, taken, &found, choices);
    oi_vector_release(&found.items);
    if (count == 0 && selector->must_match)
        return nothing_found(selector, problem);
    return OI_OK;
}

/* All markets as one list, by name. */
static void
join(const struct oi_name_index *index, enum oi_symbology symbology, struct oi_choices *choices)
{
    struct candidates all = {};

    for (size_t i = 0; i < choices->items.count; i++) {
        uint32_t id = choices->items.items[i].instrument;

        oi_vector_push(&all.items, ((struct candidate){
                                       market_name(&index->named[id - 1], symbology), 0, id }));
    }
    if (all.items.count > 1)
        qsort(all.items.items, all.items.count, sizeof(struct candidate), compare_candidates);
    for (size_t i = 0; i < all.items.count; i++)
        choices->items.items[i] = (struct oi_choice){ all.items.items[i].id, 0 };
    oi_vector_release(&all.items);
}

enum oi_status
oi_names_choose(const struct oi_name_index *index, const struct oi_query *query,
                struct oi_choices *choices, struct oi_problem *problem)
{
    const struct index_body *body = (const struct index_body *) index;
    uint8_t *taken = oi_alloc_zero(index->count + 1, 1);
    enum oi_status status = OI_OK;

    for (size_t group = 0; group < query->selectors.count && status == OI_OK; group++)
        status = choose_group(body, query, group, taken, choices, problem);
    oi_free(taken);
    if (status == OI_OK && query->needs_a_market && choices->items.count == 0)
        status = nothing_found(&query->selectors.items[0], problem);
    if (status == OI_OK && query->is_one_list && query->selectors.count > 0)
        join(index, query->selectors.items[0].symbology, choices);
    return status;
}
