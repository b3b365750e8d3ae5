/* SPDX-License-Identifier: Apache-2.0 */
/* Sliding windows of what was spent, and for how long to leave an exchange alone. */
#include "collector/pace.h"

/* Told to slow down without a time: from 10 s, doubled, to 5 minutes. */
#define BUSY_NS (10 * OI_SECOND)
#define BUSY_MAX_NS (5 * OI_MINUTE)
/* Refused: a region does not change by asking. From 10 minutes to an hour. */
#define DENIED_NS (10 * OI_MINUTE)
#define DENIED_MAX_NS OI_HOUR
/* No sound answer so many times in a row: down. From 5 s to 2 minutes. */
#define FAILURES_MAX 8
#define DOWN_NS (5 * OI_SECOND)
#define DOWN_MAX_NS (2 * OI_MINUTE)
/* A pause longer than this is nonsense. */
#define PAUSE_MS_MAX (7 * (uint64_t) 86'400'000)
#define DOUBLINGS_MAX 16
/* Forget left entries when so many have gathered. */
#define COMPACT_COUNT 1024

void
oi_pace_init(struct oi_pace *pace, const struct oi_exchange *exchange)
{
    *pace = (struct oi_pace){};
    oi_assert(exchange->limit_count <= OI_PACE_LIMITS_MAX);
    pace->count = exchange->limit_count;
    for (size_t i = 0; i < pace->count; i++)
        pace->windows[i].limit = &exchange->limits[i];
}

void
oi_pace_release(struct oi_pace *pace)
{
    for (size_t i = 0; i < pace->count; i++)
        oi_vector_release(&pace->windows[i].spent);
    pace->count = 0;
}

static int64_t
leaves_at(const struct oi_pace_window *window, const struct oi_pace_spent *spent)
{
    return spent->at_ns + (int64_t) window->limit->window_ms * OI_MILLISECOND + OI_PACE_SLACK_NS;
}

static void
forget(struct oi_pace_window *window, int64_t now_ns)
{
    while (window->first < window->spent.count &&
           leaves_at(window, &window->spent.items[window->first]) <= now_ns)
        window->sum -= window->spent.items[window->first++].weight;
    if (window->first < COMPACT_COUNT && window->first < window->spent.count)
        return;
    if (window->first > 0)
        memmove(window->spent.items, window->spent.items + window->first,
                (window->spent.count - window->first) * sizeof(*window->spent.items));
    window->spent.count -= window->first;
    window->first = 0;
}

int64_t
oi_pace_ready_at(struct oi_pace *pace, unsigned limit, unsigned weight, int64_t now_ns)
{
    int64_t ready_ns = pace->shut == OI_OK ? now_ns : pace->shut_until_ns;
    struct oi_pace_window *window;
    uint64_t sum;

    if (ready_ns < now_ns)
        ready_ns = now_ns;
    if (limit >= pace->count)
        return ready_ns;
    window = &pace->windows[limit];
    forget(window, now_ns);
    sum = window->sum;
    /* What alone is over the limit waits for an empty window. */
    for (size_t i = window->first;
         i < window->spent.count && sum + weight > window->limit->weight_max; i++) {
        int64_t left_ns = leaves_at(window, &window->spent.items[i]);

        sum -= window->spent.items[i].weight;
        if (left_ns > ready_ns)
            ready_ns = left_ns;
    }
    return ready_ns;
}

void
oi_pace_spend(struct oi_pace *pace, unsigned limit, unsigned weight, int64_t now_ns)
{
    struct oi_pace_window *window;
    struct oi_pace_spent spent = { now_ns, weight };

    if (limit >= pace->count || weight == 0)
        return;
    window = &pace->windows[limit];
    forget(window, now_ns);
    oi_vector_push(&window->spent, spent);
    window->sum += weight;
}

void
oi_pace_learn(struct oi_pace *pace, unsigned limit, unsigned weight_used, int64_t now_ns)
{
    struct oi_pace_window *window;
    uint64_t used = weight_used;

    if (limit >= pace->count)
        return;
    window = &pace->windows[limit];
    forget(window, now_ns);
    if (used > window->limit->weight_max)
        used = window->limit->weight_max;
    if (used > window->sum)
        oi_pace_spend(pace, limit, (unsigned) (used - window->sum), now_ns);
}

static int64_t
doubled(int64_t base_ns, int64_t max_ns, unsigned times)
{
    for (unsigned i = 0; i < times && i < DOUBLINGS_MAX && base_ns < max_ns; i++)
        base_ns *= 2;
    return base_ns < max_ns ? base_ns : max_ns;
}

static void
shut(struct oi_pace *pace, enum oi_status why, int64_t pause_ns, int64_t now_ns)
{
    /* The replies to what was under way say it again: that is the same time. */
    if (oi_pace_shut(pace, now_ns) == OI_OK)
        pace->shut_streak++;
    if (oi_pace_shut(pace, now_ns) == OI_OK || why == OI_E_DENIED)
        pace->shut = why;
    if (pace->shut_until_ns < now_ns + pause_ns)
        pace->shut_until_ns = now_ns + pause_ns;
}

void
oi_pace_hear(struct oi_pace *pace, enum oi_status verdict, uint64_t pause_ms, int64_t now_ns)
{
    int64_t told_ns =
        (int64_t) (pause_ms < PAUSE_MS_MAX ? pause_ms : PAUSE_MS_MAX) * OI_MILLISECOND;
    int64_t own_ns = 0;

    if (verdict == OI_OK || verdict == OI_E_NOT_FOUND) {
        pace->failure_streak = 0;
        if (oi_pace_shut(pace, now_ns) == OI_OK) {
            pace->shut = OI_OK;
            pace->shut_streak = 0;
        }
        return;
    }
    if (verdict == OI_E_BUSY) {
        /* A time they tell is obeyed as it is; without one ours grows. */
        own_ns = told_ns > 0 ? 0 : doubled(BUSY_NS, BUSY_MAX_NS, pace->shut_streak);
    } else if (verdict == OI_E_DENIED) {
        own_ns = doubled(DENIED_NS, DENIED_MAX_NS, pace->shut_streak);
    } else {
        if (++pace->failure_streak < FAILURES_MAX)
            return;
        verdict = OI_E_UPSTREAM;
        own_ns = doubled(DOWN_NS, DOWN_MAX_NS, pace->shut_streak);
    }
    shut(pace, verdict, told_ns > own_ns ? told_ns : own_ns, now_ns);
}

enum oi_status
oi_pace_shut(const struct oi_pace *pace, int64_t now_ns)
{
    return pace->shut != OI_OK && now_ns < pace->shut_until_ns ? pace->shut : OI_OK;
}

unsigned
oi_pace_used_permille(struct oi_pace *pace, int64_t now_ns)
{
    uint64_t most = 0;

    for (size_t i = 0; i < pace->count; i++) {
        struct oi_pace_window *window = &pace->windows[i];
        uint64_t used;

        forget(window, now_ns);
        used = window->limit->weight_max ? window->sum * 1000 / window->limit->weight_max : 0;
        most = used > most ? used : most;
    }
    return (unsigned) most;
}
