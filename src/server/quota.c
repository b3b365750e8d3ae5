/* SPDX-License-Identifier: Apache-2.0 */
/* A bucket is kept as the instant at which it will be full: one number, and no rounding adds up. */
#include "server/quota.h"

#include "base/status.h"

#include <string.h>

/* What a token takes to come back; rounded up, so that no more than promised are given. */
static int64_t
token_ns(const struct oi_rate *rate)
{
    return (rate->span_ns + rate->count - 1) / rate->count;
}

static int64_t
slot_ns(const struct oi_rate *rate)
{
    return (rate->span_ns + OI_WINDOW_SLOTS - 1) / OI_WINDOW_SLOTS;
}

static int64_t
bucket_wait(const struct oi_rate *rate, const struct oi_rate_state *state, uint64_t cost,
            int64_t now_ns)
{
    int64_t room = token_ns(rate) * rate->burst;
    int64_t owed = state->full_ns > now_ns ? state->full_ns - now_ns : 0;
    int64_t wait;

    if (cost > rate->burst)
        return OI_RATE_NEVER;
    wait = owed + token_ns(rate) * (int64_t) cost - room;
    return wait > 0 ? wait : 0;
}

/* The count of a slot that still matters at `current`, by its age in slots. */
static uint32_t
slot_count(const struct oi_rate_state *state, int64_t current, int64_t age)
{
    int64_t slot = current - age;

    if (slot > state->slot || state->slot - slot > OI_WINDOW_SLOTS || slot < 0)
        return 0;
    return state->counts[slot % (OI_WINDOW_SLOTS + 1)];
}

static int64_t
window_wait(const struct oi_rate *rate, const struct oi_rate_state *state, uint64_t cost,
            int64_t now_ns)
{
    int64_t current = now_ns / slot_ns(rate);
    uint64_t used = 0;

    if (cost > rate->count)
        return OI_RATE_NEVER;
    for (int64_t age = 0; age <= OI_WINDOW_SLOTS; age++)
        used += slot_count(state, current, age);
    if (used + cost <= rate->count)
        return 0;
    for (int64_t age = OI_WINDOW_SLOTS; age >= 0; age--) {
        used -= slot_count(state, current, age);
        if (used + cost <= rate->count)
            return (current - age + OI_WINDOW_SLOTS + 1) * slot_ns(rate) - now_ns;
    }
    return OI_RATE_NEVER;
}

int64_t
oi_rate_wait(const struct oi_rate *rate, const struct oi_rate_state *state, uint64_t cost,
             int64_t now_ns)
{
    if (cost == 0)
        return 0;
    return rate->kind == OI_RATE_BUCKET ? bucket_wait(rate, state, cost, now_ns)
                                        : window_wait(rate, state, cost, now_ns);
}

/* Move a window's ring on, forgetting what fell out. */
static void
window_move(struct oi_rate_state *state, int64_t current)
{
    if (current - state->slot > OI_WINDOW_SLOTS) {
        memset(state->counts, 0, sizeof(state->counts));
        state->slot = current;
    }
    while (state->slot < current)
        state->counts[++state->slot % (OI_WINDOW_SLOTS + 1)] = 0;
}

void
oi_rate_take(const struct oi_rate *rate, struct oi_rate_state *state, uint64_t cost, int64_t now_ns)
{
    /* More than can be at once only makes the wait longer; a bound keeps the sums small. */
    uint64_t most = 2 * (uint64_t) (rate->kind == OI_RATE_BUCKET ? rate->burst : rate->count);
    uint32_t *count;

    cost = cost < most ? cost : most;
    if (rate->kind == OI_RATE_BUCKET) {
        if (state->full_ns < now_ns)
            state->full_ns = now_ns;
        state->full_ns += token_ns(rate) * (int64_t) cost;
        return;
    }
    window_move(state, now_ns / slot_ns(rate));
    count = &state->counts[state->slot % (OI_WINDOW_SLOTS + 1)];
    *count = *count + cost < UINT32_MAX ? (uint32_t) (*count + cost) : UINT32_MAX;
}

void
oi_rate_give(const struct oi_rate *rate, struct oi_rate_state *state, uint64_t cost, int64_t now_ns)
{
    uint32_t *count;

    if (rate->kind == OI_RATE_BUCKET) {
        state->full_ns -= token_ns(rate) * (int64_t) cost;
        return;
    }
    window_move(state, now_ns / slot_ns(rate));
    count = &state->counts[state->slot % (OI_WINDOW_SLOTS + 1)];
    *count -= *count < cost ? *count : (uint32_t) cost;
}

static struct oi_rate_left
bucket_left(const struct oi_rate *rate, const struct oi_rate_state *state, int64_t now_ns)
{
    int64_t owed = state->full_ns > now_ns ? state->full_ns - now_ns : 0;
    int64_t room = token_ns(rate) * rate->burst;

    return (struct oi_rate_left){
        .count = owed < room ? (uint32_t) ((room - owed) / token_ns(rate)) : 0,
        .reset_ns = owed,
    };
}

struct oi_rate_left
oi_rate_left(const struct oi_rate *rate, const struct oi_rate_state *state, int64_t now_ns)
{
    struct oi_rate_left left = {};
    int64_t current;
    uint64_t used = 0;

    if (rate->kind == OI_RATE_BUCKET)
        return bucket_left(rate, state, now_ns);
    current = now_ns / slot_ns(rate);
    for (int64_t age = OI_WINDOW_SLOTS; age >= 0; age--) {
        uint32_t count = slot_count(state, current, age);

        used += count;
        if (count > 0) /* the newest one stays longest */
            left.reset_ns = (current - age + OI_WINDOW_SLOTS + 1) * slot_ns(rate) - now_ns;
    }
    left.count = used < rate->count ? rate->count - (uint32_t) used : 0;
    return left;
}

unsigned
oi_seconds_up(int64_t duration_ns)
{
    int64_t seconds;

    if (duration_ns <= 0)
        return 1;
    seconds = duration_ns / 1'000'000'000 + (duration_ns % 1'000'000'000 != 0);
    return seconds < INT32_MAX ? (unsigned) seconds : INT32_MAX;
}

uint64_t
oi_block_size(uint64_t limit, uint64_t call_price)
{
    uint64_t most = 100 * (call_price > 0 ? call_price : 1);
    uint64_t block = limit / 100 < most ? limit / 100 : most;

    return block > 0 ? block : 1;
}

bool
oi_block_reserve(uint64_t limit, uint64_t reserved, uint64_t missing, uint64_t block,
                 uint64_t *ret_more)
{
    uint64_t room = reserved < limit ? limit - reserved : 0;
    uint64_t more = missing > block ? missing : block;

    if (missing > room)
        return false;
    *ret_more = more < room ? more : room;
    return true;
}
