/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: whole questions are compared with straight computation in query/run_metrics_test.c
 */
/*
 * Whose metrics are asked for: assets, exchanges, exchanges' assets and pairs, each a set of
 * markets by the words of Coin Metrics, or markets themselves. Every market is looked at once.
 */
#include "query/run_internal.h"

#include <stdlib.h>
#include <string.h>

/* A market as part of an entity. */
struct belonging {
    const char *name; /* of the entity */
    const struct oi_instrument *instrument;
};

struct belongings {
    OI_VECTOR(struct belonging) items;
    bool *is_found; /* of each name or pattern asked for */
};

static void
consider(struct run *run, struct belongings *found, const char *name,
         const struct oi_instrument *instrument)
{
    const struct oi_query *query = run->query;
    bool fits = false;

    for (size_t i = 0; i < query->entities.count; i++) {
        if (!oi_pattern_matches(query->entities.items[i], name))
            continue;
        found->is_found[i] = true;
        fits = true;
    }
    if (fits)
        oi_vector_push(
            &found->items,
            ((struct belonging){ oi_arena_copy(&run->arena, oi_slice_of(name)), instrument }));
}

/* Append in lower case, as far as there is room. */
static void
append_lower(char name[OI_MARKET_NAME_SIZE], const char *text)
{
    size_t size = strlen(name);

    for (; *text && size < OI_MARKET_NAME_SIZE - 1; text++)
        name[size++] = *text >= 'A' && *text <= 'Z' ? (char) (*text - 'A' + 'a') : *text;
    name[size] = '\0';
}

/* An asset, alone or of an exchange. */
static void
consider_asset(struct run *run, struct belongings *found, const char *exchange, const char *asset,
               const struct oi_instrument *instrument)
{
    char name[OI_MARKET_NAME_SIZE] = "";

    if (!asset[0])
        return;
    append_lower(name, exchange);
    append_lower(name, exchange[0] ? "-" : "");
    append_lower(name, asset);
    consider(run, found, name, instrument);
}

/* A pair, alone or of an exchange. */
static void
consider_pair(struct run *run, struct belongings *found, const char *exchange,
              const struct oi_instrument *instrument)
{
    char first[OI_MARKET_NAME_SIZE] = "";

    if (!instrument->base[0])
        return;
    append_lower(first, exchange);
    append_lower(first, exchange[0] ? "-" : "");
    append_lower(first, instrument->base);
    consider_asset(run, found, first, instrument->quote, instrument);
}

static void
consider_market(struct run *run, struct belongings *found, const struct oi_named *named)
{
    const struct oi_instrument *instrument = named->instrument;
    const char *exchange = named->coinmetrics_exchange;
    bool is_own_pair = strcmp(instrument->base, instrument->quote) == 0;

    if (!named->coinmetrics_market[0])
        return;
    switch (run->query->level) {
    case OI_LEVEL_MARKET:
        consider(run, found, named->coinmetrics_market, instrument);
        return;
    case OI_LEVEL_EXCHANGE:
        consider(run, found, exchange, instrument);
        return;
    case OI_LEVEL_ASSET:
    case OI_LEVEL_EXCHANGE_ASSET:
        if (run->query->level == OI_LEVEL_ASSET)
            exchange = "";
        consider_asset(run, found, exchange, instrument->base, instrument);
        if (!is_own_pair)
            consider_asset(run, found, exchange, instrument->quote, instrument);
        return;
    case OI_LEVEL_PAIR:
    case OI_LEVEL_EXCHANGE_PAIR:
        consider_pair(run, found, run->query->level == OI_LEVEL_PAIR ? "" : exchange, instrument);
        return;
    }
}

static int
compare(const void *left, const void *right)
{
    const struct belonging *a = left, *b = right;
    int by_name = strcmp(a->name, b->name);

    if (by_name != 0)
        return by_name;
    return a->instrument->id < b->instrument->id ? -1 : a->instrument->id > b->instrument->id;
}

static void
lay_out(struct run *run, const struct belongings *found)
{
    size_t count = found->items.count;

    run->markets = oi_arena_alloc_zero(&run->arena, count, sizeof(*run->markets));
    for (size_t i = 0, end; i < count; i = end) {
        struct oi_market *market = &run->markets[run->market_count];
        struct oi_member *members;

        end = i + 1;
        while (end < count && strcmp(found->items.items[end].name, found->items.items[i].name) == 0)
            end++;
        members = oi_arena_alloc_zero(&run->arena, end - i, sizeof(*members));
        for (size_t at = i; at < end; at++)
            members[at - i] = (struct oi_member){ .instrument = found->items.items[at].instrument,
                                                  .last = OI_TIME_NONE };
        *market = (struct oi_market){ .name = found->items.items[i].name,
                                      .index = run->market_count++,
                                      .members = members,
                                      .member_count = end - i,
                                      .first = OI_TIME_NONE,
                                      .last = OI_TIME_NONE };
    }
}

/* The markets that count: those chosen, or all. */
static void
consider_markets(struct run *run, struct belongings *found, const struct oi_choices *choices)
{
    if (run->query->selectors.count == 0) {
        for (uint32_t id = 1; id <= run->index->count; id++)
            if (oi_name_index_has(run->index, id))
                consider_market(run, found, &run->index->named[id - 1]);
        return;
    }
    for (size_t i = 0; i < choices->items.count; i++)
        consider_market(run, found, &run->index->named[choices->items.items[i].instrument - 1]);
}

enum oi_status
run_entities(struct run *run, const struct oi_choices *choices, struct oi_problem *problem)
{
    const struct oi_query *query = run->query;
    struct belongings found = {
        .is_found = oi_arena_alloc_zero(&run->arena, query->entities.count + 1, sizeof(bool)),
    };

    consider_markets(run, &found, choices);
    if (found.items.count > 1)
        qsort(found.items.items, found.items.count, sizeof(struct belonging), compare);
    lay_out(run, &found);
    oi_vector_release(&found.items);
    for (size_t i = 0; i < query->entities.count; i++)
        if (!found.is_found[i] && !query->ignores_unknown)
            return oi_problem_set(problem, OI_PROBLEM_MARKET, query->entity_parameter,
                                  oi_slice_of(query->entities.items[i]),
                                  "nothing of that name is known here");
    return OI_OK;
}
