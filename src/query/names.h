/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogue by name: every instrument in every symbology, indexed, so that a selector becomes a
 * list of instruments without a walk where it names one market. Rebuilt when the catalogue changes
 * and shared by all threads.
 */
#pragma once

#include "core/symbology.h"
#include "query/query.h"
#include "store/store.h"

/* The names of one instrument; "" where that vendor has none. */
struct oi_named {
    const struct oi_instrument *instrument;
    const char *native;
    const char *coinmetrics_exchange, *coinmetrics_market;
    const char *atlas_exchange, *atlas_symbol;
    const char *kiyotaka_exchange, *kiyotaka_normalized;
    const char *kwery_source;
    bool is_kwery_main;
};

/* One immutable index over one catalogue. */
struct oi_name_index {
    const struct oi_catalog *catalog; /* a reference of its own */
    struct oi_named *named;           /* named[id - 1] */
    size_t count;
};

struct oi_names;

struct oi_names *oi_names_new(void);
void oi_names_free(struct oi_names **names);
/* The index over the store's present catalogue; a reference that oi_name_index_unref gives back.
 * Any thread. */
const struct oi_name_index *oi_names_current(struct oi_names *names, struct oi_store *store);
void oi_name_index_unref(const struct oi_name_index **index);
/* Is it to be found by anybody? Markets that a file was about to bring are not, until it has. */
bool oi_name_index_has(const struct oi_name_index *index, uint32_t instrument);

/* A market that a query chose. */
struct oi_choice {
    uint32_t instrument;
    size_t selector;
};

struct oi_choices {
    OI_VECTOR(struct oi_choice) items;
};

/* The markets of every selector, group by group. Within a group: in the order of the exchanges
 * asked, then by the market's name in the selector's symbology, bytewise. A market that an earlier
 * selector chose is not repeated unless it is part of a total. INVALID with `problem` when one that
 * must match finds nothing. */
enum oi_status oi_names_choose(const struct oi_name_index *index, const struct oi_query *query,
                               struct oi_choices *choices, struct oi_problem *problem);

/* Does a name fit a pattern in which `*` stands for any text, also none? */
bool oi_pattern_matches(const char *pattern, const char *name);
