/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scripted misbehaviour: what an exchange does to a request in place of answering it. The text form
 * is described at oi_simulator_set_moods.
 */
#pragma once

#include "base/vector.h"
#include "core/instrument.h"
#include "simulator/market.h"

enum oi_mood_kind {
    OI_MOOD_FINE,
    OI_MOOD_STATUS,   /* this status, with Retry-After where given */
    OI_MOOD_HANG,     /* no answer, ever */
    OI_MOOD_HTML,     /* a page in place of data, with status 200 */
    OI_MOOD_TRUNCATE, /* the reply breaks off in its middle */
    OI_MOOD_DROP,     /* a market is missing in bulk replies */
    OI_MOOD_SHUFFLE,  /* rows out of order, one of them twice */
    OI_MOOD_DIGITS,   /* figures of 39 digits */
    OI_MOOD_SKEW,     /* the exchange's clock is wrong */
    OI_MOOD_DELIST,   /* a market is gone */
    OI_MOOD_RENAME,   /* a market is called otherwise */
    OI_MOOD_RESIZE,   /* a market's contract is of another size */
    /* Of streams alone, by seconds: */
    OI_MOOD_CUT,    /* connections end, and handshakes are refused */
    OI_MOOD_MUTE,   /* nothing is sent any more */
    OI_MOOD_REPEAT, /* every message comes twice */
    OI_MOOD_SWAP,   /* the message before comes again behind each */
    OI_MOOD_GARBLE, /* nonsense between the messages */
};

/* When: requests by number from 1, or nanoseconds since the script was set. Both ends included. */
struct oi_mood {
    enum oi_venue venue;
    enum oi_mood_kind kind;
    int status;
    int64_t retry_after_s; /* 0: not told */
    char symbol[OI_SYMBOL_SIZE];
    char other[OI_SYMBOL_SIZE]; /* RENAME: what it is called */
    int64_t number;             /* RESIZE: a contract is so many times as large; SKEW: seconds */
    bool is_timed;
    int64_t from, to;
};

/* `struct oi_moods moods = {};` is an empty one. */
struct oi_moods {
    OI_VECTOR(struct oi_mood) items;
};

/* INVALID, with what is wrong and nothing set, for a text that is none. */
enum oi_status oi_moods_parse(struct oi_slice text, struct oi_moods *ret_moods,
                              struct oi_error *error);
void oi_moods_release(struct oi_moods *moods);

/* The first mood that applies to the exchange's `number`-th request, `elapsed_ns` after the script
 * was set, or NULL. Dropped markets are asked for apart: they do not keep others from applying. */
const struct oi_mood *oi_moods_find(const struct oi_moods *moods, enum oi_venue venue,
                                    uint64_t number, int64_t elapsed_ns);
/* The same for streams, whose moods go by seconds alone. */
const struct oi_mood *oi_moods_find_stream(const struct oi_moods *moods, enum oi_venue venue,
                                           int64_t elapsed_ns);
/* The seconds by which the exchange's clock is ahead. */
int64_t oi_moods_skew(const struct oi_moods *moods, enum oi_venue venue, uint64_t number,
                      int64_t elapsed_ns);
/* Apply what holds as long as the script: delistings, names, sizes. */
void oi_moods_alter(const struct oi_moods *moods, struct oi_catalogue *catalogue);
bool oi_moods_drop(const struct oi_moods *moods, enum oi_venue venue, uint64_t number,
                   int64_t elapsed_ns, const char *symbol);
