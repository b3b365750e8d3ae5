/* SPDX-License-Identifier: Apache-2.0 */
/* Windows that slide hold each request until it leaves; aligned ones are emptied at their start. */
#include "simulator/limits.h"

static oi_time
window_start(const struct oi_meter_rule *rule, oi_time now)
{
    /* An entry exactly one window old has left it. */
    return rule->is_aligned ? oi_interval_floor(rule->window_ns, now) : now - rule->window_ns + 1;
}

static void
forget(struct oi_meter *meter, oi_time start)
{
    while (meter->first < meter->entries.count && meter->entries.items[meter->first].time < start)
        meter->used -= meter->entries.items[meter->first++].weight;
    if (meter->first < meter->entries.count)
        return;
    oi_vector_clear(&meter->entries);
    meter->first = 0;
}

static int64_t
seconds_up(int64_t ns)
{
    return (ns + OI_SECOND - 1) / OI_SECOND;
}

static void
remember(struct oi_meter *meter, unsigned weight, oi_time now)
{
    struct oi_meter_entry entry = { now, weight };

    if (meter->entries.count > meter->first &&
        meter->entries.items[meter->entries.count - 1].time == now)
        meter->entries.items[meter->entries.count - 1].weight += weight;
    else
        oi_vector_push(&meter->entries, entry);
    meter->used += weight;
}

struct oi_meter_answer
oi_meter_count(struct oi_meter *meter, unsigned weight, oi_time now)
{
    const struct oi_meter_rule *rule = &meter->rule;
    struct oi_meter_answer answer = {};
    oi_time start;

    if (meter->entries.count > 0 && now < meter->entries.items[meter->entries.count - 1].time)
        now = meter->entries.items[meter->entries.count - 1].time;
    if (now < meter->banned_until) {
        answer.verdict = OI_METER_BANNED;
        answer.used = meter->used;
        answer.retry_after_s = seconds_up(meter->banned_until - now);
        return answer;
    }
    start = window_start(rule, now);
    forget(meter, start);
    if (meter->used + weight <= rule->weight_max) {
        remember(meter, weight, now);
        meter->refused = 0;
        answer.used = meter->used;
        return answer;
    }
    answer.verdict = OI_METER_OVER;
    answer.used = meter->used + weight;
    answer.retry_after_s =
        seconds_up(rule->is_aligned ? start + rule->window_ns - now : rule->window_ns);
    meter->refused++;
    if (rule->ban_ns > 0 && meter->refused > rule->patience) {
        meter->banned_until = now + rule->ban_ns;
        meter->refused = 0;
        answer.verdict = OI_METER_BANNED;
        answer.retry_after_s = seconds_up(rule->ban_ns);
    }
    return answer;
}

void
oi_meter_release(struct oi_meter *meter)
{
    oi_vector_release(&meter->entries);
    meter->first = 0;
}
