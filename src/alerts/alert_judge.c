/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is a condition true? Levels, changes and shares are compared in exact decimals: a share of 40 %
 * is figure x 100 against 40 x total, never a quotient. Only the score is a statistic.
 */
/* no unit test: evaluator_test.c judges through it */
#include "alerts/evaluator_internal.h"
#include "series/score.h"

/* What a quotient is shown with; it is not what is compared. */
#define SHOWN_PLACES 6
/* A member that fell silent holds up its total for so long; then it counts as gone. */
#define MISSED_NS OI_DAY

static const struct oi_decimal hundred = { .mantissa = 1, .exponent = 2, .form = OI_DECIMAL_PLAIN };

static bool
is_past(const struct oi_alert_rule *rule, int order)
{
    return rule->is_below ? order < 0 : order > 0;
}

static enum truth
truth_of(const struct oi_alert_rule *rule, int to_threshold, int to_rearm)
{
    return is_past(rule, to_threshold) ? TRUTH_TRUE
           : is_past(rule, to_rearm)   ? TRUTH_BETWEEN
                                       : TRUTH_FALSE;
}

static enum truth
judge_value(const struct oi_alert_rule *rule, const struct oi_decimal *value)
{
    if (oi_decimal_is_none(value))
        return TRUTH_UNKNOWN;
    return truth_of(rule, oi_decimal_compare(value, &rule->threshold),
                    oi_decimal_compare(value, &rule->rearm));
}

/* Is a x 100 past limit x b? 0 in *ret_order where that cannot be said. */
static bool
compare_percent(const struct oi_decimal *part, const struct oi_decimal *limit,
                const struct oi_decimal *whole, int *ret_order)
{
    struct oi_decimal left, right;

    if (oi_decimal_multiply(part, &hundred, &left, NULL) != OI_OK ||
        oi_decimal_multiply(limit, whole, &right, NULL) != OI_OK)
        return false;
    *ret_order = oi_decimal_compare(&left, &right);
    return true;
}

/* part / whole x 100, for people. */
static struct oi_decimal
percent_of(const struct oi_decimal *part, const struct oi_decimal *whole)
{
    struct oi_decimal percent = {};

    if (oi_decimal_multiply(part, &hundred, &percent, NULL) != OI_OK ||
        oi_decimal_divide_half_even(&percent, whole, 18, &percent, NULL) != OI_OK ||
        oi_decimal_round_half_even(&percent, SHOWN_PLACES, &percent, NULL) != OI_OK)
        return (struct oi_decimal){};
    return percent;
}

static enum truth
judge_percent(const struct oi_alert_rule *rule, const struct oi_decimal *part,
              const struct oi_decimal *whole)
{
    int to_threshold, to_rearm;

    if (oi_decimal_sign(whole) <= 0 ||
        !compare_percent(part, &rule->threshold, whole, &to_threshold) ||
        !compare_percent(part, &rule->rearm, whole, &to_rearm))
        return TRUTH_UNKNOWN;
    return truth_of(rule, to_threshold, to_rearm);
}

/* The figure at the window's start, if it may stand for what was then. */
static const struct oi_decimal *
at_start(const struct oi_alert_window *window, oi_time time, int64_t staleness_ns)
{
    const struct oi_alert_point *point = oi_alert_window_at(window, time - window->width_ns);

    if (!point || time - window->width_ns - point->time > staleness_ns + window->step_ns)
        return NULL;
    return &point->value;
}

static void
judge_change(const struct subject *subject, const struct oi_alert_reading *reading,
             struct verdict *verdict)
{
    const struct oi_alert_rule *rule = subject->watch->rule;
    const struct oi_decimal *before =
        at_start(&subject->values, reading->time, reading->staleness_ns);
    struct oi_decimal change;

    if (!before || oi_decimal_is_none(&verdict->amount) ||
        oi_decimal_subtract(&verdict->amount, before, &change, NULL) != OI_OK)
        return;
    verdict->value = rule->is_percent ? percent_of(&change, before) : change;
    verdict->truth =
        rule->is_percent ? judge_percent(rule, &change, before) : judge_value(rule, &change);
}

static void
judge_score(const struct subject *subject, oi_time time, struct verdict *verdict)
{
    const struct oi_alert_window *window = &subject->values;
    struct oi_score score = {};

    for (size_t i = window->first; i < window->points.count; i++) {
        const struct oi_alert_point *point = &window->points.items[i];

        if (point->time < time && point->time >= time - window->width_ns)
            oi_score_add(&score, &point->value);
    }
    verdict->value = oi_score_of(&score, &verdict->amount);
    verdict->truth = judge_value(subject->watch->rule, &verdict->value);
}

/* Did it move by at least so many percent? 1 up, -1 down, 0 neither; false: cannot be said. */
static bool
direction(const struct oi_decimal *before, const struct oi_decimal *now,
          const struct oi_decimal *moves, int *ret_sign, struct oi_decimal *ret_change)
{
    struct oi_decimal change, size;
    int order, sign;

    if (!before || oi_decimal_is_none(now) || oi_decimal_sign(before) <= 0 ||
        oi_decimal_subtract(now, before, &change, NULL) != OI_OK)
        return false;
    sign = oi_decimal_sign(&change);
    size = change;
    if (sign < 0 && oi_decimal_subtract(before, now, &size, NULL) != OI_OK)
        return false;
    if (!compare_percent(&size, moves, before, &order))
        return false;
    *ret_change = percent_of(&change, before);
    *ret_sign = order >= 0 ? sign : 0;
    return true;
}

static void
judge_regime(const struct subject *subject, const struct oi_alert_reading *reading,
             struct verdict *verdict)
{
    const struct oi_alert_rule *rule = subject->watch->rule;
    struct oi_decimal price_change;
    int amount, price;

    if (!direction(at_start(&subject->values, reading->time, reading->staleness_ns),
                   &verdict->amount, &rule->moves, &amount, &verdict->value) ||
        !direction(at_start(&subject->prices, reading->time, reading->staleness_ns),
                   &reading->price, &rule->price_moves, &price, &price_change))
        return;
    if (amount != 0 && price != 0)
        verdict->regime = amount > 0
                              ? (price > 0 ? OI_REGIME_LONG_BUILD_UP : OI_REGIME_SHORT_BUILD_UP)
                          : price < 0 ? OI_REGIME_LONG_UNWINDING
                                      : OI_REGIME_SHORT_COVERING;
    verdict->truth = rule->regimes & 1u << verdict->regime ? TRUTH_TRUE : TRUTH_FALSE;
}

void
judge_remember(struct subject *subject, const struct oi_alert_reading *reading)
{
    const struct oi_alert_rule *rule = subject->watch->rule;

    if (rule->over_ns == 0)
        return;
    if (!oi_decimal_is_none(&reading->amounts[rule->unit]))
        oi_alert_window_put(&subject->values, reading->time, &reading->amounts[rule->unit]);
    if (rule->when == OI_ALERT_REGIME && !oi_decimal_is_none(&reading->price))
        oi_alert_window_put(&subject->prices, reading->time, &reading->price);
}

static struct verdict
judge_figure(const struct subject *subject, const struct oi_alert_reading *reading)
{
    const struct oi_alert_rule *rule = subject->watch->rule;
    struct verdict verdict = { .time = reading->time, .amount = reading->amounts[rule->unit] };

    switch (rule->when) {
    case OI_ALERT_LEVEL:
        verdict.value = verdict.amount;
        verdict.truth = judge_value(rule, &verdict.value);
        break;
    case OI_ALERT_CHANGE:
        judge_change(subject, reading, &verdict);
        break;
    case OI_ALERT_ZSCORE:
        judge_score(subject, reading->time, &verdict);
        break;
    case OI_ALERT_REGIME:
        judge_regime(subject, reading, &verdict);
        break;
    case OI_ALERT_SHARE:
    case OI_ALERT_FRESHNESS:
    case OI_ALERT_GAP:
        break;
    }
    return verdict;
}

struct verdict
judge_market(const struct subject *subject)
{
    return judge_figure(subject, &subject->place->newest);
}

/* A total's newest figure as a reading; false where a member is missing that was there. */
static bool
sum_up(const struct watch *watch, oi_time minute, struct oi_alert_reading *ret_total,
       struct oi_decimal *ret_part)
{
    const struct oi_alert_rule *rule = watch->rule;
    struct oi_alert_reading total = { .time = minute, .heard = minute };
    struct oi_decimal sum = oi_decimal_from(0, 0), part = sum;
    size_t count = 0;

    for (size_t i = 0; i < watch->members.count; i++) {
        const struct place *place = watch->members.items[i];
        const struct oi_alert_reading *newest = &place->newest;
        const struct oi_decimal *amount = &newest->amounts[rule->unit];
        int64_t age_ns = minute - newest->time;

        if (!place->is_heard || minute >= place->market.over_at || oi_decimal_is_none(amount) ||
            age_ns > newest->staleness_ns + MISSED_NS)
            continue;
        if (age_ns > newest->staleness_ns)
            return false;
        if (oi_decimal_add(&sum, amount, &sum, NULL) != OI_OK)
            return false;
        if (rule->of && strcmp(place->exchange, rule->of) == 0 &&
            oi_decimal_add(&part, amount, &part, NULL) != OI_OK)
            return false;
        if (newest->staleness_ns > total.staleness_ns)
            total.staleness_ns = newest->staleness_ns;
        count++;
    }
    total.amounts[rule->unit] = sum;
    *ret_total = total;
    *ret_part = part;
    return count > 0;
}

struct verdict
judge_total(struct subject *subject, oi_time minute)
{
    const struct oi_alert_rule *rule = subject->watch->rule;
    struct verdict verdict = { .time = minute };
    struct oi_alert_reading total;
    struct oi_decimal part;

    if (!sum_up(subject->watch, minute, &total, &part))
        return verdict;
    if (rule->when == OI_ALERT_SHARE) {
        verdict.amount = part;
        verdict.value = percent_of(&part, &total.amounts[rule->unit]);
        verdict.truth = judge_percent(rule, &part, &total.amounts[rule->unit]);
        return verdict;
    }
    judge_remember(subject, &total);
    return judge_figure(subject, &total);
}

struct verdict
judge_silence(const struct subject *subject, oi_time minute)
{
    const struct oi_alert_rule *rule = subject->watch->rule;
    const struct place *place = subject->place;
    struct verdict verdict = { .time = place->is_heard ? place->newest.time : minute };

    if (rule->when == OI_ALERT_GAP) {
        verdict.time = minute;
        verdict.cause = place->gap;
        verdict.truth = rule->causes & 1u << place->gap ? TRUTH_TRUE : TRUTH_FALSE;
        return verdict;
    }
    if (!place->is_heard)
        return verdict;
    verdict.amount = place->newest.amounts[rule->unit];
    verdict.value = oi_decimal_from((minute - place->newest.time) / OI_SECOND, 0);
    verdict.truth = minute - place->newest.time > rule->longer_ns ? TRUTH_TRUE : TRUTH_FALSE;
    return verdict;
}
