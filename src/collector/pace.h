/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast one exchange may be asked. Pure: times come in as monotonic nanoseconds and instants go
 * out, so that a test runs a day in a loop. What is spent counts in a sliding window a little wider
 * than the published one, because a request arrives later than it leaves.
 */
#pragma once

#include "base/vector.h"
#include "exchanges/exchange.h"

#include <stdint.h>

/* No exchange publishes more limits than this. */
#define OI_PACE_LIMITS_MAX 8
/* By how much a window is wider than published. */
#define OI_PACE_SLACK_NS (250 * OI_MILLISECOND)

struct oi_pace_spent {
    int64_t at_ns;
    unsigned weight;
};

struct oi_pace_window {
    const struct oi_limit *limit;
    OI_VECTOR(struct oi_pace_spent)
    spent; /* ascending; those before `first` have left the window */
    size_t first;
    uint64_t sum;
};

struct oi_pace {
    struct oi_pace_window windows[OI_PACE_LIMITS_MAX];
    size_t count;
    /* Shut: nobody asks before `shut_until_ns`. BUSY, DENIED, or UPSTREAM for an exchange that does
     * not answer; OK: open. */
    enum oi_status shut;
    int64_t shut_until_ns;
    unsigned shut_streak;    /* times shut since the last good reply: the pause doubles */
    unsigned failure_streak; /* asks without a sound answer since then */
};

void oi_pace_init(struct oi_pace *pace, const struct oi_exchange *exchange);
void oi_pace_release(struct oi_pace *pace);

/* From when on a request may be sent: `now_ns` or earlier is at once. */
int64_t oi_pace_ready_at(struct oi_pace *pace, unsigned limit, unsigned weight, int64_t now_ns);
/* It is sent now. */
void oi_pace_spend(struct oi_pace *pace, unsigned limit, unsigned weight, int64_t now_ns);
/* The exchange says that so much of the limit is used: more than we know of is another process
 * behind our address, and counts as spent now. */
void oi_pace_learn(struct oi_pace *pace, unsigned limit, unsigned weight_used, int64_t now_ns);

/* What a reply meant (struct oi_verdict; UPSTREAM also for no reply at all). BUSY and DENIED shut
 * for pause_ms at least, UPSTREAM after a few in a row; each time without a good reply in between
 * twice as long. */
void oi_pace_hear(struct oi_pace *pace, enum oi_status verdict, uint64_t pause_ms, int64_t now_ns);
/* Why it is shut now, or OK. */
enum oi_status oi_pace_shut(const struct oi_pace *pace, int64_t now_ns);

/* Thousandths of the fullest window. */
unsigned oi_pace_used_permille(struct oi_pace *pace, int64_t now_ns);
