/* SPDX-License-Identifier: Apache-2.0 */
/* The same question as a request of the native API would make, so that both get one answer. */
#include "cli/question.h"

#include <ctype.h>
#include <strings.h>

/* More rows than a person can want of one question. */
#define LIMIT_MAX INT64_C(1'000'000'000)

static const char *
upper(struct oi_query *query, const char *text)
{
    char *copy;

    if (!text)
        return NULL;
    copy = oi_arena_copy(&query->arena, oi_slice_of(text));
    for (char *at = copy; *at; at++)
        *at = (char) toupper((unsigned char) *at);
    return copy;
}

static enum oi_status
add_kinds(const struct oi_options *options, struct oi_selector *selector, struct oi_error *error)
{
    static const enum oi_kind kinds[] = {
        OI_KIND_PERPETUAL,
        OI_KIND_FUTURE,
        OI_KIND_OPTION,
        OI_KIND_EVENT,
    };
    const char *const *values;
    size_t count = oi_options_values(options, "kind", &values);

    for (size_t i = 0; i < count; i++) {
        size_t kind = 0;

        while (kind < OI_COUNT(kinds) && strcasecmp(values[i], oi_kind_name(kinds[kind])) != 0)
            kind++;
        if (kind == OI_COUNT(kinds))
            return oi_fail(error, OI_E_INVALID,
                           "--kind must be perpetual, future, option or event, not \"%s\"",
                           values[i]);
        oi_vector_push(&selector->kinds, kinds[kind]);
    }
    return OI_OK;
}

static enum oi_status
add_selector(const struct oi_options *options, const char *market, struct oi_query *query,
             struct oi_error *error)
{
    struct oi_selector *selector = oi_query_select(query, OI_SYMBOLOGY_NATIVE);
    const char *const *exchanges;
    size_t count = oi_options_values(options, "exchange", &exchanges);

    selector->market = market;
    selector->must_match = market != NULL;
    selector->parameter = "market";
    selector->coin = upper(query, oi_options_text(options, "coin"));
    selector->quote = upper(query, oi_options_text(options, "quote"));
    selector->product = oi_options_text(options, "product");
    for (size_t i = 0; i < count; i++)
        oi_vector_push(&selector->exchanges, exchanges[i]);
    return add_kinds(options, selector, error);
}

enum oi_status
oi_question_select(const struct oi_options *options, struct oi_query *query, struct oi_error *error)
{
    const char *const *markets;
    size_t count = oi_options_values(options, "market", &markets);

    for (size_t i = 0; i < count; i++)
        OI_TRY(add_selector(options, markets[i], query, error));
    return count > 0 ? OI_OK : add_selector(options, NULL, query, error);
}

enum oi_status
oi_question_span(const struct oi_options *options, struct oi_query *query, struct oi_error *error)
{
    OI_TRY(oi_options_time(options, "start", &query->span.from, error));
    OI_TRY(oi_options_time(options, "end", &query->span.to, error));
    if (query->span.from > query->span.to)
        return oi_fail(error, OI_E_INVALID, "--end lies before --start: swap them");
    return OI_OK;
}

enum oi_status
oi_question_moment(const struct oi_options *options, struct oi_query *query, struct oi_error *error)
{
    OI_TRY(oi_options_time(options, "as-of", &query->as_of, error));
    return oi_options_time(options, "as-stored", &query->as_stored, error);
}

enum oi_status
oi_question_limit(const struct oi_options *options, struct oi_query *query, struct oi_error *error)
{
    int64_t limit = 0;

    OI_TRY(oi_options_integer(options, "limit", (struct oi_range){ 1, LIMIT_MAX }, &limit, error));
    query->limit = (size_t) limit;
    return OI_OK;
}

static enum oi_status
read_unit(const struct oi_options *options, struct oi_query *query, struct oi_error *error)
{
    static const char *const units[] = { "reported", "contracts", "coins", "usd", NULL };
    static const enum oi_unit values[] = {
        OI_UNIT_UNKNOWN,
        OI_UNIT_CONTRACTS,
        OI_UNIT_COINS,
        OI_UNIT_USD,
    };
    static const char *const conventions[] = { "as_reported", "canonical", NULL };
    size_t unit = 0, convention = 0;

    OI_TRY(oi_options_word(options, "unit", units, &unit, error));
    OI_TRY(oi_options_word(options, "convention", conventions, &convention, error));
    query->unit = values[unit];
    query->is_canonical = convention == 1;
    return OI_OK;
}

static enum oi_status
read_shape(const struct oi_options *options, struct oi_query *query, struct oi_error *error)
{
    bool is_total = oi_options_switch(options, "total");

    OI_TRY(oi_options_interval(options, "interval", &query->interval_ns, error));
    query->fills_gaps = oi_options_switch(options, "fill");
    query->kind = query->interval_ns > 0 ? OI_QUERY_CANDLES : OI_QUERY_ROWS;
    query->shows_bad = query->kind == OI_QUERY_ROWS; /* their flags are printed */
    if (query->kind == OI_QUERY_ROWS && (is_total || query->fills_gaps))
        return oi_fail(error, OI_E_INVALID, "--%s is made of candles: add --interval",
                       is_total ? "total" : "fill");
    if (is_total && query->unit == OI_UNIT_UNKNOWN)
        return oi_fail(error, OI_E_INVALID,
                       "a total needs one unit: --unit coins, contracts or usd");
    for (size_t i = 0; i < query->selectors.count; i++)
        query->selectors.items[i].is_total = is_total;
    return OI_OK;
}

enum oi_status
oi_question_readings(const struct oi_options *options, struct oi_query *query,
                     struct oi_error *error)
{
    if (!oi_options_text(options, "market") && !oi_options_text(options, "exchange") &&
        !oi_options_text(options, "coin"))
        return oi_fail(error, OI_E_INVALID,
                       "say which markets: --market, --exchange or --coin (`oi markets` lists "
                       "them)");
    OI_TRY(oi_question_select(options, query, error));
    query->needs_a_market = true;
    OI_TRY(read_unit(options, query, error));
    OI_TRY(oi_question_span(options, query, error));
    OI_TRY(oi_question_moment(options, query, error));
    OI_TRY(read_shape(options, query, error));
    query->from_end = !oi_options_text(options, "start");
    return oi_question_limit(options, query, error);
}
