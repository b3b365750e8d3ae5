/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules from words. Every key has one reader in a table; which keys a kind of rule must and may
 * have is a table too, so that a key that would mean nothing is refused rather than ignored.
 */
#include "alerts/alert_rule.h"

#include "alerts/alert_text.h"
#include "alerts/alert_words.h"

#include <stdio.h>
#include <strings.h>

static const char *const whens[OI_ALERT_WHENS] = {
    [OI_ALERT_LEVEL] = "level",   [OI_ALERT_CHANGE] = "change", [OI_ALERT_ZSCORE] = "zscore",
    [OI_ALERT_REGIME] = "regime", [OI_ALERT_SHARE] = "share",   [OI_ALERT_FRESHNESS] = "freshness",
    [OI_ALERT_GAP] = "gap",
};
static const char *const regimes[OI_REGIMES] = {
    [OI_REGIME_NONE] = "none",
    [OI_REGIME_LONG_BUILD_UP] = "long_build_up",
    [OI_REGIME_SHORT_BUILD_UP] = "short_build_up",
    [OI_REGIME_LONG_UNWINDING] = "long_unwinding",
    [OI_REGIME_SHORT_COVERING] = "short_covering",
};
static const char *const severities[] = {
    [OI_ALERT_INFO] = "info",
    [OI_ALERT_WARNING] = "warning",
    [OI_ALERT_CRITICAL] = "critical",
};

/* Longest trailing window: its memory is bounded by steps, not by this. */
#define OVER_MAX (90 * OI_DAY)
#define DEFAULT_MESSAGE "{rule}: {market} {what}"

const char *
oi_alert_when_name(enum oi_alert_when when)
{
    return whens[when];
}

const char *
oi_alert_regime_name(enum oi_alert_regime regime)
{
    return regimes[regime];
}

const char *
oi_alert_severity_name(enum oi_alert_severity severity)
{
    return severities[severity];
}

/* A rule being read. */
struct reading {
    struct oi_alert_rule *rule;
    struct oi_arena *arena;
    const char *place;
    const char *above, *below, *rearm;
    bool has_unit;
};

static const char *
upper(struct oi_arena *arena, const char *text)
{
    char *copy = oi_arena_copy(arena, oi_slice_of(text));

    for (char *at = copy; *at; at++)
        if (*at >= 'a' && *at <= 'z')
            *at = (char) (*at - 'a' + 'A');
    return copy;
}

static bool
find_word(struct oi_slice text, const char *const *words, size_t count, size_t *ret_index)
{
    for (size_t i = 0; i < count; i++)
        if (oi_slice_is(text, words[i])) {
            *ret_index = i;
            return true;
        }
    return false;
}

/*
 * One reader a key: NULL when it took the value, else what the value must be.
 */

static const char *
read_list(struct reading *reading, const char *value, const char ***items, size_t *count,
          size_t *capacity)
{
    OI_VECTOR(const char *) list = { *items, *count, *capacity };
    struct oi_slice rest = oi_slice_of(value), part;

    while (oi_slice_next_part(&rest, ',', &part)) {
        part = oi_slice_trim(part);
        if (part.size == 0)
            return "names separated by commas";
        oi_vector_push(&list, oi_arena_copy(reading->arena, part));
        *items = list.items;
        *count = list.count;
        *capacity = list.capacity;
    }
    return NULL;
}
#define READ_LIST(reading, value, list)                                                            \
    read_list((reading), (value), &(list)->items, &(list)->count, &(list)->capacity)

static const char *
read_market(struct reading *reading, const char *value)
{
    return READ_LIST(reading, value, &reading->rule->markets);
}

static const char *
read_exchange(struct reading *reading, const char *value)
{
    return READ_LIST(reading, value, &reading->rule->exchanges);
}

static const char *
read_to(struct reading *reading, const char *value)
{
    return READ_LIST(reading, value, &reading->rule->targets);
}

static const char *
read_kind(struct reading *reading, const char *value)
{
    struct oi_slice rest = oi_slice_of(value), part;

    while (oi_slice_next_part(&rest, ',', &part)) {
        enum oi_kind kind = OI_KIND_PERPETUAL;

        part = oi_slice_trim(part);
        while (kind <= OI_KIND_EVENT &&
               !oi_slice_equal_ignoring_case(part, oi_slice_of(oi_kind_name(kind))))
            kind++;
        if (kind > OI_KIND_EVENT)
            return "perpetual, future, option or event";
        oi_vector_push(&reading->rule->kinds, kind);
    }
    return NULL;
}

static const char *
read_text(struct reading *reading, const char *value, const char **field, bool is_upper)
{
    if (!*value)
        return "a name";
    *field = is_upper ? upper(reading->arena, value) : value;
    return NULL;
}

static const char *
read_coin(struct reading *reading, const char *value)
{
    return read_text(reading, value, &reading->rule->coin, true);
}

static const char *
read_quote(struct reading *reading, const char *value)
{
    return read_text(reading, value, &reading->rule->quote, true);
}

static const char *
read_product(struct reading *reading, const char *value)
{
    return read_text(reading, value, &reading->rule->product, false);
}

static const char *
read_of(struct reading *reading, const char *value)
{
    return read_text(reading, value, &reading->rule->of, false);
}

static const char *
read_total(struct reading *reading, const char *value)
{
    reading->rule->is_total = strcmp(value, "true") == 0;
    return reading->rule->is_total || strcmp(value, "false") == 0 ? NULL : "true or false";
}

static const char *
read_when(struct reading *reading, const char *value)
{
    size_t index;

    if (!find_word(oi_slice_of(value), whens, OI_ALERT_WHENS, &index))
        return "level, change, zscore, regime, share, freshness or gap";
    reading->rule->when = (enum oi_alert_when) index;
    return NULL;
}

static const char *
read_unit(struct reading *reading, const char *value)
{
    reading->has_unit = true;
    return oi_unit_parse(oi_slice_of(value), &reading->rule->unit, NULL) == OI_OK
               ? NULL
               : "contracts, coins or usd";
}

static const char *
read_above(struct reading *reading, const char *value)
{
    reading->above = value;
    return NULL;
}

static const char *
read_below(struct reading *reading, const char *value)
{
    reading->below = value;
    return NULL;
}

static const char *
read_rearm(struct reading *reading, const char *value)
{
    reading->rearm = value;
    return NULL;
}

static const char *
read_span(const char *value, int64_t most_ns, int64_t *ret_span_ns)
{
    int64_t span_ns;

    if (oi_interval_parse(oi_slice_of(value), &span_ns, NULL) != OI_OK || span_ns > most_ns)
        return most_ns == OVER_MAX ? "a span like 5m, 1h or 7d, at most 90d"
                                   : "a span like 30s, 5m or 1h";
    *ret_span_ns = span_ns;
    return NULL;
}

static const char *
read_over(struct reading *reading, const char *value)
{
    return read_span(value, OVER_MAX, &reading->rule->over_ns);
}

static const char *
read_longer(struct reading *reading, const char *value)
{
    return read_span(value, INT64_MAX, &reading->rule->longer_ns);
}

static const char *
read_for(struct reading *reading, const char *value)
{
    return read_span(value, INT64_MAX, &reading->rule->hold_ns);
}

static const char *
read_cooldown(struct reading *reading, const char *value)
{
    return read_span(value, INT64_MAX, &reading->rule->cooldown_ns);
}

static const char *
read_regime(struct reading *reading, const char *value)
{
    struct oi_slice rest = oi_slice_of(value), part;
    size_t index;

    while (oi_slice_next_part(&rest, ',', &part)) {
        if (!find_word(oi_slice_trim(part), regimes, OI_REGIMES, &index) || index == 0)
            return "long_build_up, short_build_up, long_unwinding, short_covering";
        reading->rule->regimes |= 1u << index;
    }
    return NULL;
}

static const char *
read_cause(struct reading *reading, const char *value)
{
    struct oi_slice rest = oi_slice_of(value), part;

    while (oi_slice_next_part(&rest, ',', &part)) {
        enum oi_hole_cause cause = OI_HOLE_SILENT;

        part = oi_slice_trim(part);
        while (cause <= OI_HOLE_DELISTED && !oi_slice_is(part, oi_hole_cause_name(cause)))
            cause++;
        if (cause > OI_HOLE_DELISTED)
            return "silent, unreachable, blocked, rate_limited, collector_down, not_listed or "
                   "delisted";
        reading->rule->causes |= 1u << cause;
    }
    return NULL;
}

/* "1.5" or "1.5%"; whether there was a percent sign. */
static bool
read_figure(const char *value, struct oi_decimal *ret_figure, bool *ret_is_percent)
{
    struct oi_slice text = oi_slice_of(value);

    *ret_is_percent = oi_slice_ends_with(text, "%");
    if (*ret_is_percent)
        text.size--;
    return oi_decimal_parse(text, ret_figure, NULL) == OI_OK && oi_decimal_digits(ret_figure) <= 30;
}

static const char *
read_percent(const char *value, struct oi_decimal *ret_figure)
{
    bool is_percent;

    return read_figure(value, ret_figure, &is_percent) && is_percent &&
                   oi_decimal_sign(ret_figure) >= 0
               ? NULL
               : "a percentage like 0.5%";
}

static const char *
read_moves(struct reading *reading, const char *value)
{
    return read_percent(value, &reading->rule->moves);
}

static const char *
read_price_moves(struct reading *reading, const char *value)
{
    return read_percent(value, &reading->rule->price_moves);
}

static const char *
read_severity(struct reading *reading, const char *value)
{
    size_t index;

    if (!find_word(oi_slice_of(value), severities, OI_COUNT(severities), &index))
        return "info, warning or critical";
    reading->rule->severity = (enum oi_alert_severity) index;
    return NULL;
}

static const char *
read_message(struct reading *reading, const char *value)
{
    reading->rule->message = value;
    return oi_alert_template_check(value) ? NULL
                                          : "a text with {rule}, {market}, {what}, {value} and the "
                                            "like (docs/alerts.md)";
}

/* Bits of the kinds of rule. */
#define WHEN(when) (1u << OI_ALERT_##when)
#define ANY ((1u << OI_ALERT_WHENS) - 1)
#define FIGURE (WHEN(LEVEL) | WHEN(CHANGE) | WHEN(ZSCORE) | WHEN(SHARE))
#define WINDOW (WHEN(CHANGE) | WHEN(ZSCORE) | WHEN(REGIME))

static const struct key {
    const char *name;
    const char *(*read)(struct reading *reading, const char *value);
    unsigned allowed, needed; /* by kinds of rule */
} keys[] = {
    { "market", read_market, ANY, 0 },
    { "exchange", read_exchange, ANY, 0 },
    { "coin", read_coin, ANY, 0 },
    { "quote", read_quote, ANY, 0 },
    { "product", read_product, ANY, 0 },
    { "kind", read_kind, ANY, 0 },
    { "total", read_total, WHEN(LEVEL) | WHEN(CHANGE) | WHEN(ZSCORE), 0 },
    { "when", read_when, ANY, ANY },
    { "unit", read_unit, FIGURE | WHEN(REGIME), 0 },
    { "above", read_above, FIGURE, 0 },
    { "below", read_below, FIGURE, 0 },
    { "rearm", read_rearm, FIGURE, 0 },
    { "over", read_over, WINDOW, WINDOW },
    { "regime", read_regime, WHEN(REGIME), WHEN(REGIME) },
    { "moves", read_moves, WHEN(REGIME), 0 },
    { "price_moves", read_price_moves, WHEN(REGIME), 0 },
    { "of", read_of, WHEN(SHARE), WHEN(SHARE) },
    { "longer", read_longer, WHEN(FRESHNESS), WHEN(FRESHNESS) },
    { "cause", read_cause, WHEN(GAP), 0 },
    { "for", read_for, ANY, 0 },
    { "cooldown", read_cooldown, ANY, 0 },
    { "severity", read_severity, ANY, 0 },
    { "message", read_message, ANY, 0 },
    { "to", read_to, ANY, 0 },
};

static enum oi_status
refuse(const struct reading *reading, const char *key, const char *what, struct oi_error *error)
{
    return oi_fail(error, OI_E_INVALID, "%s: alert %s: %s %s", reading->place, reading->rule->name,
                   key, what);
}

static enum oi_status
take_word(struct reading *reading, const struct oi_alert_word *word, struct oi_error *error)
{
    for (size_t i = 0; i < OI_COUNT(keys); i++) {
        const char *wanted;

        if (strcmp(keys[i].name, word->key) != 0)
            continue;
        wanted = keys[i].read(reading, word->value);
        if (wanted)
            return oi_fail(error, OI_E_INVALID, "%s: alert %s: %s must be %s, not \"%s\"",
                           reading->place, reading->rule->name, word->key, wanted, word->value);
        return OI_OK;
    }
    return refuse(reading, word->key, "is no key of a rule (docs/alerts.md lists them)", error);
}

static enum oi_status
check_keys(const struct reading *reading, const struct oi_alert_words *words,
           struct oi_error *error)
{
    unsigned when = 1u << reading->rule->when;

    for (size_t i = 0; i < OI_COUNT(keys); i++) {
        bool is_there = false;
        char what[80];

        for (size_t k = 0; k < words->count; k++)
            is_there |= strcmp(words->items[k].key, keys[i].name) == 0;
        (void) snprintf(what, sizeof(what), "%s a rule on %s",
                        is_there ? "means nothing to" : "is missing from",
                        oi_alert_when_name(reading->rule->when));
        if (is_there ? !(keys[i].allowed & when) : (keys[i].needed & when) != 0)
            return refuse(reading, keys[i].name, what, error);
    }
    return OI_OK;
}

/* Threshold and re-arm, which must lie on its quiet side. */
static enum oi_status
read_thresholds(struct reading *reading, struct oi_error *error)
{
    struct oi_alert_rule *rule = reading->rule;
    const char *key = reading->above ? "above" : "below";
    const char *text = reading->above ? reading->above : reading->below;
    bool is_percent = false, is_rearm_percent = false;
    int order;

    if (!(FIGURE & 1u << rule->when))
        return OI_OK;
    if (!reading->above == !reading->below)
        return refuse(reading, "above or below", "must be there, one of them", error);
    if (!read_figure(text, &rule->threshold, &is_percent))
        return refuse(reading, key, "must be a number or a percentage", error);
    rule->is_below = !reading->above;
    rule->is_percent = is_percent;
    if (rule->when == OI_ALERT_SHARE && !is_percent)
        return refuse(reading, key, "must be a percentage of the total, like 40%", error);
    if (is_percent && rule->when != OI_ALERT_CHANGE && rule->when != OI_ALERT_SHARE)
        return refuse(reading, key, "must be a number without %", error);
    rule->rearm = rule->threshold;
    if (!reading->rearm)
        return OI_OK;
    if (!read_figure(reading->rearm, &rule->rearm, &is_rearm_percent) ||
        is_rearm_percent != is_percent)
        return refuse(reading, "rearm", "must be written like the threshold", error);
    order = oi_decimal_compare(&rule->rearm, &rule->threshold);
    if (rule->is_below ? order < 0 : order > 0)
        return refuse(reading, "rearm", "must lie on the quiet side of the threshold", error);
    return OI_OK;
}

static enum oi_status
check_choice(const struct reading *reading, struct oi_error *error)
{
    const struct oi_alert_rule *rule = reading->rule;
    bool chooses = rule->markets.count > 0 || rule->exchanges.count > 0 || rule->coin ||
                   rule->quote || rule->product || rule->kinds.count > 0;

    if (!chooses)
        return refuse(reading, "market, exchange, coin, quote, product or kind",
                      "must choose the markets", error);
    if (rule->when == OI_ALERT_SHARE && rule->exchanges.count > 0)
        return refuse(reading, "exchange", "would leave others out of the total: use of", error);
    return OI_OK;
}

/* What the rule means, without whom it is told to and how: the keys in one order. */
static void
identify(struct oi_alert_rule *rule, const struct oi_alert_words *words)
{
    static const char *const aside[] = { "severity", "message", "to" };
    struct oi_buffer text = {};

    for (size_t i = 0; i < OI_COUNT(keys); i++)
        for (size_t k = 0; k < words->count; k++) {
            size_t index;

            if (strcmp(words->items[k].key, keys[i].name) != 0 ||
                find_word(oi_slice_of(keys[i].name), aside, OI_COUNT(aside), &index))
                continue;
            oi_buffer_add_format(&text, "%s=%s\n", keys[i].name, words->items[k].value);
        }
    oi_sha256(oi_buffer_slice(&text), rule->identity);
    oi_buffer_release(&text);
}

static void
release_rule(struct oi_alert_rule *rule)
{
    oi_vector_release(&rule->markets);
    oi_vector_release(&rule->exchanges);
    oi_vector_release(&rule->kinds);
    oi_vector_release(&rule->targets);
}

static enum oi_status
read_rule(struct reading *reading, const struct oi_alert_words *words, struct oi_error *error)
{
    struct oi_alert_rule *rule = reading->rule;
    const unsigned usual =
        ~(1u << OI_HOLE_NONE | 1u << OI_HOLE_NOT_LISTED | 1u << OI_HOLE_DELISTED);

    for (size_t i = 0; i < words->count; i++)
        OI_TRY(take_word(reading, &words->items[i], error));
    OI_TRY(check_keys(reading, words, error));
    OI_TRY(read_thresholds(reading, error));
    OI_TRY(check_choice(reading, error));
    if (rule->causes == 0)
        rule->causes = usual;
    identify(rule, words);
    return OI_OK;
}

enum oi_status
oi_alert_rules_add(struct oi_alert_rules *rules, struct oi_slice line, const char *place,
                   struct oi_error *error)
{
    const struct oi_decimal zero = oi_decimal_from(0, 0);
    struct oi_alert_words words;
    struct oi_alert_rule rule = { .unit = OI_UNIT_COINS,
                                  .severity = OI_ALERT_WARNING,
                                  .moves = zero,
                                  .price_moves = zero,
                                  .message = DEFAULT_MESSAGE };
    struct reading reading = { .rule = &rule, .arena = &rules->arena, .place = place };
    enum oi_status status;

    OI_TRY(oi_alert_words_read(line, place, &rules->arena, &words, error));
    rule.name = words.name;
    rule.text = oi_arena_copy(&rules->arena, oi_slice_trim(line));
    if (oi_alert_rules_find(rules, rule.name))
        return oi_fail(error, OI_E_INVALID, "%s: there is another alert %s", place, rule.name);
    if (rules->items.count == OI_ALERT_RULES_MAX)
        return oi_fail(error, OI_E_INVALID, "%s: there are more than %d alerts", place,
                       OI_ALERT_RULES_MAX);
    status = read_rule(&reading, &words, error);
    if (status != OI_OK) {
        release_rule(&rule);
        return status;
    }
    oi_vector_push(&rules->items, rule);
    return OI_OK;
}

enum oi_status
oi_alert_rules_check(const struct oi_alert_rules *rules, struct oi_error *error)
{
    for (size_t i = 0; i < rules->items.count; i++) {
        const struct oi_alert_rule *rule = &rules->items.items[i];

        for (size_t k = 0; k < rule->targets.count; k++)
            if (!oi_alert_rules_target(rules, rule->targets.items[k]))
                return oi_fail(error, OI_E_INVALID,
                               "alert %s: to names \"%s\", and there is no alert_action of that "
                               "name",
                               rule->name, rule->targets.items[k]);
    }
    return OI_OK;
}

void
oi_alert_rules_release(struct oi_alert_rules *rules)
{
    for (size_t i = 0; i < rules->items.count; i++)
        release_rule(&rules->items.items[i]);
    for (size_t i = 0; i < rules->targets.count; i++)
        if (rules->targets.items[i].secret)
            explicit_bzero((char *) (uintptr_t) rules->targets.items[i].secret,
                           strlen(rules->targets.items[i].secret));
    oi_vector_release(&rules->items);
    oi_vector_release(&rules->targets);
    oi_arena_release(&rules->arena);
}

const struct oi_alert_rule *
oi_alert_rules_find(const struct oi_alert_rules *rules, const char *name)
{
    for (size_t i = 0; i < rules->items.count; i++)
        if (strcmp(rules->items.items[i].name, name) == 0)
            return &rules->items.items[i];
    return NULL;
}

const struct oi_alert_target *
oi_alert_rules_target(const struct oi_alert_rules *rules, const char *name)
{
    for (size_t i = 0; i < rules->targets.count; i++)
        if (strcmp(rules->targets.items[i].name, name) == 0)
            return &rules->targets.items[i];
    return NULL;
}

static void
add_selector(const struct oi_alert_rule *rule, struct oi_query *query, const char *market)
{
    struct oi_selector *selector = oi_query_select(query, OI_SYMBOLOGY_NATIVE);

    selector->market = market;
    selector->is_pattern = market && strchr(market, '*');
    selector->coin = rule->coin;
    selector->quote = rule->quote;
    selector->product = rule->product;
    for (size_t i = 0; i < rule->exchanges.count; i++)
        oi_vector_push(&selector->exchanges, rule->exchanges.items[i]);
    for (size_t i = 0; i < rule->kinds.count; i++)
        oi_vector_push(&selector->kinds, rule->kinds.items[i]);
}

void
oi_alert_rule_select(const struct oi_alert_rule *rule, struct oi_query *query)
{
    for (size_t i = 0; i < rule->markets.count; i++)
        add_selector(rule, query, rule->markets.items[i]);
    if (rule->markets.count == 0)
        add_selector(rule, query, NULL);
}
