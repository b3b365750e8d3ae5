/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arithmetic of being allowed: how fast (a token bucket or a sliding window) and how much
 * (blocks taken from a monthly amount). Pure: the time is handed in, nothing is kept but in the
 * caller's state, which is one machine word for a bucket and a fixed ring for a window.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A window is counted in so many slots, so it never admits more than it says, and gives a place
 * back at most one slot late. */
#define OI_WINDOW_SLOTS 32

enum oi_rate_kind {
    OI_RATE_BUCKET, /* `count` tokens come back evenly in each span; at most `burst` wait */
    OI_RATE_WINDOW, /* at most `count` in any span of that length */
};

struct oi_rate {
    enum oi_rate_kind kind;
    uint32_t count; /* above 0 */
    uint32_t burst; /* a bucket's size, above 0 */
    int64_t span_ns;
};

/* `{}` has used nothing. */
struct oi_rate_state {
    int64_t full_ns; /* a bucket: when it is full again */
    int64_t slot;    /* a window: the newest slot that is counted */
    uint32_t counts[OI_WINDOW_SLOTS + 1];
};

/* It will never be: the cost is more than there can be at once. */
#define OI_RATE_NEVER INT64_MAX

/* How long to wait until `cost` fits; 0: it fits now. `now_ns` never goes back. */
int64_t oi_rate_wait(const struct oi_rate *rate, const struct oi_rate_state *state, uint64_t cost,
                     int64_t now_ns);
/* Take `cost`, also where it does not fit (then what follows waits longer). */
void oi_rate_take(const struct oi_rate *rate, struct oi_rate_state *state, uint64_t cost,
                  int64_t now_ns);
/* Give back what was taken just before. */
void oi_rate_give(const struct oi_rate *rate, struct oi_rate_state *state, uint64_t cost,
                  int64_t now_ns);
/* What is left now, and how long until all of it is back. */
struct oi_rate_left {
    uint32_t count;
    int64_t reset_ns;
};
struct oi_rate_left oi_rate_left(const struct oi_rate *rate, const struct oi_rate_state *state,
                                 int64_t now_ns);

/* Nanoseconds as whole seconds, rounded up, at least 1: for Retry-After. */
unsigned oi_seconds_up(int64_t duration_ns);

/*
 * Amounts in blocks. What is reserved is durable and counts as used; what a process holds of it is
 * in its memory alone. So a crash loses the rest of one block, and never gives anything away.
 */

/* One hundredth of the amount, at most 100 calls of that price, at least 1. */
uint64_t oi_block_size(uint64_t limit, uint64_t call_price);
/* How much to reserve on top of `reserved` so that `held` covers `cost`: a block, or what is
 * missing where that is more, within the limit. False: the limit does not allow the cost. */
bool oi_block_reserve(uint64_t limit, uint64_t reserved, uint64_t missing, uint64_t block,
                      uint64_t *ret_more);
