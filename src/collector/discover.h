/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What there is to ask for: an exchange's instruments and families, gathered over pages and then
 * told to the store at once, so that half a list never delists the other half.
 */
#pragma once

#include "base/map.h"
#include "base/vector.h"
#include "collector/schedule.h"
#include "store/store.h"

#include <stdbool.h>

/* One endpoint's list on its way in. */
struct oi_discovery {
    oi_time asked;   /* the minute of the last whole list, or OI_TIME_NONE */
    bool is_tried;   /* the list was asked for, whatever came */
    unsigned out;    /* asks that have not ended */
    bool has_failed; /* one of them did */
    bool has_skips;  /* a row was not understood, and nobody knows whose */
    OI_VECTOR(struct oi_instrument) found;
    OI_VECTOR(const char *) families;
    OI_VECTOR(const char *) skipped; /* symbols of rows that were not understood: they are there */
};

struct oi_discover {
    const struct oi_exchange *exchange;
    struct oi_discovery *discoveries;            /* one for each endpoint */
    OI_VECTOR(struct oi_roster_family) families; /* their names are in `names` */
    OI_VECTOR(char *) names;
    bool is_wanted; /* a market was met that nobody knows: ask again soon */
    oi_time wanted_at;
    uint64_t changed, delisted; /* since the start */
};

void oi_discover_init(struct oi_discover *discover, const struct oi_exchange *exchange);
void oi_discover_release(struct oi_discover *discover);

/* Add the asks that are due. Every one must end with oi_discover_end. */
void oi_discover_schedule(struct oi_discover *discover, struct oi_agenda *agenda,
                          const struct oi_slot *slot);
/* Families are known that were not when their lists were due: add the asks for those that nobody
 * has asked for. */
void oi_discover_schedule_families(struct oi_discover *discover, struct oi_agenda *agenda,
                                   const struct oi_slot *slot);
/* Has every list that markets depend on been had once? */
bool oi_discover_is_ready(const struct oi_discover *discover);
bool oi_discover_is_under_way(const struct oi_discover *discover);
/* A market that is not in the catalogue: ask for the lists again in the next minute, though not
 * more often than every ten. */
void oi_discover_want(struct oi_discover *discover, oi_time minute);

/* A page came. */
void oi_discover_page(struct oi_discover *discover, size_t endpoint,
                      const struct oi_harvest *harvest);
/* An ask ended. With the last one of an endpoint its list goes into the store: definitions, and
 * what is missing from a whole list as delisted. Failures are the store's. */
enum oi_status oi_discover_end(struct oi_discover *discover, const struct oi_ask *ask, bool is_good,
                               struct oi_store *store, struct oi_error *error);
/* Forget what is under way: the minute is over. */
void oi_discover_abandon(struct oi_discover *discover);
