/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: native_render_test.c reads what comes of it */
/* The native API's answers that are lists of facts rather than series: their columns, and how a row
 * of each is said. */
#include "dialects/native_internal.h"

#include "core/symbology.h"

static const struct native_column latest_columns[] = {
    { "market", OI_CELL_TEXT },
    { "exchange", OI_CELL_TEXT },
    { "coin", OI_CELL_TEXT },
    { "kind", OI_CELL_TEXT },
    { "feed", OI_CELL_TEXT },
    { "unit", OI_CELL_TEXT },
    { "sides", OI_CELL_INTEGER },
    { "time", OI_CELL_TIME },
    { "open_interest", OI_CELL_FIGURE },
    { "value_usd", OI_CELL_FIGURE },
    { "price", OI_CELL_FIGURE },
    { "change_percent_1h", OI_CELL_FIGURE },
    { "change_percent_24h", OI_CELL_FIGURE },
    { "change_percent_7d", OI_CELL_FIGURE },
    {},
};
static const struct native_column market_columns[] = {
    { "market", OI_CELL_TEXT },
    { "exchange", OI_CELL_TEXT },
    { "product", OI_CELL_TEXT },
    { "symbol", OI_CELL_TEXT },
    { "kind", OI_CELL_TEXT },
    { "settlement", OI_CELL_TEXT },
    { "coin", OI_CELL_TEXT },
    { "quote", OI_CELL_TEXT },
    { "margin", OI_CELL_TEXT },
    { "coin_factor", OI_CELL_INTEGER },
    { "contract_size", OI_CELL_FIGURE },
    { "expiry", OI_CELL_TIME },
    { "strike", OI_CELL_FIGURE },
    { "option_side", OI_CELL_TEXT },
    { "listed", OI_CELL_TIME },
    { "is_delisted", OI_CELL_BOOLEAN },
    { "is_provisional", OI_CELL_BOOLEAN },
    { "first", OI_CELL_TIME },
    { "last", OI_CELL_TIME },
    { "rows", OI_CELL_INTEGER },
    { "coinmetrics", OI_CELL_TEXT },
    { "atlas", OI_CELL_TEXT },
    { "kiyotaka", OI_CELL_TEXT },
    { "kwery", OI_CELL_TEXT },
    {},
};
static const struct native_column gap_columns[] = {
    { "market", OI_CELL_TEXT },
    { "from", OI_CELL_TIME },
    { "to", OI_CELL_TIME },
    { "cause", OI_CELL_TEXT },
    {},
};

static const struct native_column frozen_columns[] = {
    { "market", OI_CELL_TEXT },       { "feed", OI_CELL_TEXT },
    { "from", OI_CELL_TIME },         { "to", OI_CELL_TIME },
    { "lasted_s", OI_CELL_INTEGER },  { "open_interest", OI_CELL_FIGURE },
    { "price_from", OI_CELL_FIGURE }, {},
};
static const struct native_column change_columns[] = {
    { "market", OI_CELL_TEXT },
    { "unit", OI_CELL_TEXT },
    { "from_time", OI_CELL_TIME },
    { "to_time", OI_CELL_TIME },
    { "from", OI_CELL_FIGURE },
    { "to", OI_CELL_FIGURE },
    { "change", OI_CELL_FIGURE },
    { "value_usd_from", OI_CELL_FIGURE },
    { "value_usd_to", OI_CELL_FIGURE },
    { "change_usd", OI_CELL_FIGURE },
    { "change_usd_by_amount", OI_CELL_FIGURE },
    { "change_usd_by_price", OI_CELL_FIGURE },
    {},
};
static const struct native_column coverage_columns[] = {
    { "market", OI_CELL_TEXT },
    { "feed", OI_CELL_TEXT },
    { "from", OI_CELL_TIME },
    { "to", OI_CELL_TIME },
    { "cadence_s", OI_CELL_INTEGER },
    { "gaps", OI_CELL_INTEGER },
    { "missing_s", OI_CELL_INTEGER },
    { "completeness_percent", OI_CELL_FIGURE },
    { "longest_gap_cause", OI_CELL_TEXT },
    {},
};
static const struct native_column calendar_columns[] = {
    { "exchange", OI_CELL_TEXT },
    { "day", OI_CELL_TIME },
    { "markets", OI_CELL_INTEGER },
    { "due_s", OI_CELL_INTEGER },
    { "missing_s", OI_CELL_INTEGER },
    { "completeness_percent", OI_CELL_FIGURE },
    { "silent_s", OI_CELL_INTEGER },
    { "unreachable_s", OI_CELL_INTEGER },
    { "blocked_s", OI_CELL_INTEGER },
    { "rate_limited_s", OI_CELL_INTEGER },
    { "collector_down_s", OI_CELL_INTEGER },
    {},
};
static const struct native_column option_columns[] = {
    { "market", OI_CELL_TEXT },       { "exchange", OI_CELL_TEXT },
    { "product", OI_CELL_TEXT },      { "coin", OI_CELL_TEXT },
    { "quote", OI_CELL_TEXT },        { "expiry", OI_CELL_TIME },
    { "strike", OI_CELL_FIGURE },     { "option_side", OI_CELL_TEXT },
    { "feed", OI_CELL_TEXT },         { "time", OI_CELL_TIME },
    { "contracts", OI_CELL_FIGURE },  { "coins", OI_CELL_FIGURE },
    { "value_usd", OI_CELL_FIGURE },  { "index_price", OI_CELL_FIGURE },
    { "mark_price", OI_CELL_FIGURE }, {},
};
static const struct native_column expiry_columns[] = {
    { "exchange", OI_CELL_TEXT },
    { "coin", OI_CELL_TEXT },
    { "expiry", OI_CELL_TIME },
    { "time", OI_CELL_TIME },
    { "call_markets", OI_CELL_INTEGER },
    { "put_markets", OI_CELL_INTEGER },
    { "calls", OI_CELL_FIGURE },
    { "puts", OI_CELL_FIGURE },
    { "calls_usd", OI_CELL_FIGURE },
    { "puts_usd", OI_CELL_FIGURE },
    { "put_call_ratio", OI_CELL_FIGURE },
    { "max_pain", OI_CELL_FIGURE },
    {},
};
static const struct native_column convention_columns[] = {
    { "exchange", OI_CELL_TEXT },    { "product", OI_CELL_TEXT },
    { "feed", OI_CELL_TEXT },        { "since", OI_CELL_TIME },
    { "sides", OI_CELL_INTEGER },    { "unit", OI_CELL_TEXT },
    { "label", OI_CELL_TEXT },       { "cadence_s", OI_CELL_INTEGER },
    { "restates", OI_CELL_BOOLEAN }, { "is_daily", OI_CELL_BOOLEAN },
    { "evidence", OI_CELL_TEXT },    {},
};
static const struct native_column overview_columns[] = {
    { "by", OI_CELL_TEXT },
    { "name", OI_CELL_TEXT },
    { "time", OI_CELL_TIME },
    { "value_usd", OI_CELL_FIGURE },
    { "change_usd", OI_CELL_FIGURE },
    { "change_percent", OI_CELL_FIGURE },
    { "markets", OI_CELL_INTEGER },
    { "stale", OI_CELL_INTEGER },
    { "unpriced", OI_CELL_INTEGER },
    { "oldest", OI_CELL_TIME },
    {},
};

static const struct native_column alert_columns[] = {
    { "sequence", OI_CELL_INTEGER },
    { "id", OI_CELL_TEXT },
    { "alert", OI_CELL_TEXT },
    { "state", OI_CELL_TEXT },
    { "rule", OI_CELL_TEXT },
    { "when", OI_CELL_TEXT },
    { "severity", OI_CELL_TEXT },
    { "market", OI_CELL_TEXT },
    { "at", OI_CELL_TIME },
    { "time", OI_CELL_TIME },
    { "since", OI_CELL_TIME },
    { "value", OI_CELL_FIGURE },
    { "amount", OI_CELL_FIGURE },
    { "unit", OI_CELL_TEXT },
    { "detail", OI_CELL_TEXT },
    { "message", OI_CELL_TEXT },
    {},
};

const struct native_column *
native_fact_columns(enum oi_query_kind kind)
{
    switch (kind) {
    case OI_QUERY_LATEST:
        return latest_columns;
    case OI_QUERY_MARKETS:
        return market_columns;
    case OI_QUERY_GAPS:
        return gap_columns;
    case OI_QUERY_FROZEN:
        return frozen_columns;
    case OI_QUERY_CHANGES:
        return change_columns;
    case OI_QUERY_COVERAGE:
        return coverage_columns;
    case OI_QUERY_CONVENTIONS:
        return convention_columns;
    case OI_QUERY_CALENDAR:
        return calendar_columns;
    case OI_QUERY_OPTIONS:
        return option_columns;
    case OI_QUERY_EXPIRIES:
        return expiry_columns;
    case OI_QUERY_OVERVIEW:
        return overview_columns;
    case OI_QUERY_ALERTS:
        return alert_columns;
    case OI_QUERY_NONE:
    case OI_QUERY_ROWS:
    case OI_QUERY_CANDLES:
    case OI_QUERY_REVISIONS:
    case OI_QUERY_SNAPSHOTS:
    case OI_QUERY_BARS:
    case OI_QUERY_MONTHS:
    case OI_QUERY_METRICS:
        break;
    }
    return NULL;
}

/* What every row of readings or candles says of its source. */
void
native_add_source(struct native_table *table, const struct oi_block *block)
{
    const struct oi_query *query = table->rendering->query;
    int sides = query->is_canonical ? 1 : block->sides;

    native_add_text(table, block->feed);
    native_add_text(table,
                    oi_unit_name(query->unit != OI_UNIT_UNKNOWN ? query->unit : block->unit));
    if (sides > 0)
        native_add_number(table, sides);
    else
        native_add_none(table);
}

/* (now - then) / then x 100, to two places; none where there is no then, or it is zero. */
static void
add_change(struct native_table *table, const struct oi_decimal *now, const struct oi_decimal *then)
{
    const struct oi_decimal hundred = oi_decimal_from(100, 0);
    struct oi_decimal change = {};

    if (oi_decimal_subtract(now, then, &change, NULL) != OI_OK ||
        oi_decimal_multiply(&change, &hundred, &change, NULL) != OI_OK ||
        oi_decimal_divide_half_even(&change, then, 18, &change, NULL) != OI_OK ||
        oi_decimal_round_half_even(&change, 2, &change, NULL) != OI_OK)
        change = (struct oi_decimal){};
    native_add_decimal(table, &change);
}

static void
add_latest(struct native_table *table, const struct oi_block *block, const struct oi_latest *latest)
{
    const struct oi_instrument *instrument = block->market->instrument;
    const struct oi_observation *reading = &latest->reading;

    native_add_market(table);
    native_add_text(table, instrument ? instrument->exchange : NULL);
    native_add_text(table, instrument ? instrument->base : NULL);
    native_add_text(table, instrument ? oi_kind_name(instrument->kind) : NULL);
    native_add_source(table, block);
    native_add_time(table, reading->time);
    native_add_decimal(table, &latest->amount);
    native_add_decimal(table, &latest->usd);
    native_add_decimal(table, !oi_decimal_is_none(&reading->mark_price)    ? &reading->mark_price
                              : !oi_decimal_is_none(&reading->index_price) ? &reading->index_price
                                                                           : &reading->last_price);
    add_change(table, &latest->amount, &latest->amount_1h);
    add_change(table, &latest->amount, &latest->amount_24h);
    add_change(table, &latest->amount, &latest->amount_7d);
}

static const char *
option_side_name(enum oi_option_side side)
{
    switch (side) {
    case OI_OPTION_CALL:
        return "call";
    case OI_OPTION_PUT:
        return "put";
    case OI_OPTION_NONE:
        break;
    }
    return NULL;
}

static void
add_names(struct native_table *table, const struct oi_instrument *instrument)
{
    bool (*const writers[])(const struct oi_instrument *, char *) = {
        oi_coinmetrics_market,
        oi_atlas_symbol,
        oi_kiyotaka_normalized,
        oi_kwery_source,
    };

    for (size_t i = 0; i < OI_COUNT(writers); i++) {
        char name[OI_MARKET_NAME_SIZE] = "";

        native_add_text(table, writers[i](instrument, name) ? name : NULL);
    }
}

static void
add_market(struct native_table *table, const struct oi_market *market)
{
    const struct oi_instrument *instrument = market->instrument;

    native_add_market(table);
    native_add_text(table, instrument->exchange);
    native_add_text(table, instrument->product);
    native_add_text(table, instrument->symbol);
    native_add_text(table, oi_kind_name(instrument->kind));
    native_add_text(table, oi_settlement_name(instrument->settlement));
    native_add_text(table, instrument->base);
    native_add_text(table, instrument->quote);
    native_add_text(table, instrument->margin);
    native_add_number(table, instrument->base_factor);
    native_add_decimal(table, &instrument->contract_size);
    native_add_time(table, instrument->expiry);
    native_add_decimal(table, &instrument->strike);
    native_add_text(table, option_side_name(instrument->option_side));
    native_add_time(table, instrument->listed);
    native_add_bool(table, instrument->is_delisted);
    native_add_bool(table, instrument->is_provisional);
    native_add_time(table, market->first);
    native_add_time(table, market->last);
    native_add_number(table, (int64_t) market->rows);
    add_names(table, instrument);
}

static void
add_gap(struct native_table *table, const struct oi_gap *gap)
{
    native_add_market(table);
    native_add_time(table, gap->span.from);
    native_add_time(table, gap->span.to);
    native_add_text(table, gap->cause);
}

/* The figure as the exchange repeats it. */
static void
add_standstill(struct native_table *table, const struct oi_block *block,
               const struct oi_standstill *standstill)
{
    native_add_market(table);
    native_add_text(table, block->feed);
    native_add_time(table, standstill->since);
    native_add_time(table, standstill->seen);
    native_add_number(table, (standstill->seen - standstill->since) / OI_SECOND);
    native_add_decimal(table, &standstill->open_interest);
    native_add_decimal(table, &standstill->price);
}

static void
add_change_row(struct native_table *table, const struct oi_change *change)
{
    const struct oi_query *query = table->rendering->query;
    const struct oi_decimal *const figures[] = { &change->from,          &change->to,
                                                 &change->change,        &change->usd_from,
                                                 &change->usd_to,        &change->usd_change,
                                                 &change->usd_by_amount, &change->usd_by_price };

    native_add_market(table);
    native_add_text(table, oi_unit_name(query->unit));
    native_add_time(table, change->from_time);
    native_add_time(table, change->to_time);
    for (size_t i = 0; i < OI_COUNT(figures); i++)
        native_add_decimal(table, figures[i]);
}

/* What is there of what was due, in percent to four places, down: 100 is all of it. */
static struct oi_decimal
completeness(int64_t due_s, int64_t missing_s)
{
    if (due_s <= 0)
        return (struct oi_decimal){};
    return oi_decimal_from((int64_t) ((__int128) (due_s - missing_s) * 1'000'000 / due_s), -4);
}

static void
add_coverage(struct native_table *table, const struct oi_block *block)
{
    const struct oi_coverage *coverage = block->coverage;
    struct oi_decimal percent = completeness((coverage->span.to - coverage->span.from) / OI_SECOND,
                                             coverage->missing_ns / OI_SECOND);

    native_add_market(table);
    native_add_text(table, block->feed);
    native_add_time(table, coverage->span.from);
    native_add_time(table, coverage->span.to);
    native_add_number(table, coverage->cadence_ns / OI_SECOND);
    native_add_number(table, (int64_t) coverage->gaps);
    native_add_number(table, coverage->missing_ns / OI_SECOND);
    native_add_decimal(table, &percent);
    native_add_text(table, coverage->cause);
}

static void
add_day(struct native_table *table, const struct oi_block *block, const struct oi_calendar_day *day)
{
    const int64_t missing_ns[] = { day->silent_ns, day->unreachable_ns, day->blocked_ns,
                                   day->rate_limited_ns, day->collector_down_ns };
    int64_t missing_s = 0;
    struct oi_decimal percent;

    for (size_t i = 0; i < OI_COUNT(missing_ns); i++)
        missing_s += missing_ns[i] / OI_SECOND;
    percent = completeness(day->due_ns / OI_SECOND, missing_s);
    native_add_text(table, block->exchange);
    native_add_time(table, day->day);
    native_add_number(table, (int64_t) day->markets);
    native_add_number(table, day->due_ns / OI_SECOND);
    native_add_number(table, missing_s);
    native_add_decimal(table, &percent);
    for (size_t i = 0; i < OI_COUNT(missing_ns); i++)
        native_add_number(table, missing_ns[i] / OI_SECOND);
}

static void
add_option(struct native_table *table, const struct oi_block *block)
{
    const struct oi_instrument *instrument = block->market->instrument;
    const struct oi_option_figures *option = block->options;

    native_add_market(table);
    native_add_text(table, instrument->exchange);
    native_add_text(table, instrument->product);
    native_add_text(table, instrument->base);
    native_add_text(table, instrument->quote);
    native_add_time(table, instrument->expiry);
    native_add_decimal(table, &instrument->strike);
    native_add_text(table, option_side_name(instrument->option_side));
    native_add_text(table, block->feed);
    native_add_time(table, option->time);
    native_add_decimal(table, &option->contracts);
    native_add_decimal(table, &option->coins);
    native_add_decimal(table, &option->usd);
    native_add_decimal(table, &option->index_price);
    native_add_decimal(table, &option->mark_price);
}

static void
add_expiry(struct native_table *table, const struct oi_expiry *expiry)
{
    native_add_text(table, expiry->exchange);
    native_add_text(table, expiry->coin);
    native_add_time(table, expiry->expiry);
    native_add_time(table, expiry->time);
    native_add_number(table, (int64_t) expiry->call_count);
    native_add_number(table, (int64_t) expiry->put_count);
    native_add_decimal(table, &expiry->calls);
    native_add_decimal(table, &expiry->puts);
    native_add_decimal(table, &expiry->calls_usd);
    native_add_decimal(table, &expiry->puts_usd);
    native_add_decimal(table, &expiry->put_call_ratio);
    native_add_decimal(table, &expiry->max_pain);
}

static const char *
label_name(enum oi_label label)
{
    switch (label) {
    case OI_LABEL_START:
        return "start";
    case OI_LABEL_END:
        return "end";
    case OI_LABEL_INSTANT:
        break;
    }
    return "instant";
}

static void
add_convention(struct native_table *table, const struct oi_block *block)
{
    const struct oi_convention *convention = block->convention;

    native_add_text(table, block->exchange);
    native_add_text(table, convention->product);
    native_add_text(table, convention->feed);
    if (convention->since > 0)
        native_add_time(table, convention->since);
    else
        native_add_none(table);
    if (convention->sides > 0)
        native_add_number(table, convention->sides);
    else
        native_add_none(table);
    native_add_text(table, oi_unit_name(convention->unit));
    native_add_text(table, label_name(convention->label));
    native_add_number(table, (convention->cadence_ns > 0 ? convention->cadence_ns : OI_MINUTE) /
                                 OI_SECOND);
    native_add_bool(table, convention->restates);
    native_add_bool(table, convention->is_daily);
    native_add_text(table, convention->evidence);
}

static void
add_aggregate(struct native_table *table, const struct oi_aggregate *aggregate)
{
    native_add_text(table, aggregate->by);
    native_add_text(table, aggregate->name);
    native_add_time(table, aggregate->time);
    native_add_decimal(table, &aggregate->usd);
    native_add_decimal(table, &aggregate->change);
    native_add_decimal(table, &aggregate->change_percent);
    native_add_number(table, (int64_t) aggregate->markets);
    native_add_number(table, (int64_t) aggregate->stale);
    native_add_number(table, (int64_t) aggregate->unpriced);
    native_add_time(table, aggregate->oldest);
}

static void
add_alert(struct native_table *table, const struct oi_alert *alert)
{
    native_add_number(table, (int64_t) alert->sequence);
    native_add_text(table, alert->id);
    native_add_text(table, alert->alert);
    native_add_text(table, alert->is_resolved ? "resolved" : "fired");
    native_add_text(table, alert->rule);
    native_add_text(table, alert->when);
    native_add_text(table, alert->severity);
    native_add_text(table, alert->market);
    native_add_time(table, alert->at);
    native_add_time(table, alert->time);
    native_add_time(table, alert->since);
    native_add_decimal(table, &alert->value);
    native_add_decimal(table, &alert->amount);
    native_add_text(table, alert->unit);
    native_add_text(table, alert->detail);
    native_add_text(table, alert->message);
}

void
native_add_fact(struct native_table *table, const struct oi_block *block, size_t row)
{
    if (block->latest)
        add_latest(table, block, &block->latest[row]);
    else if (block->gaps)
        add_gap(table, &block->gaps[row]);
    else if (block->standstills)
        add_standstill(table, block, &block->standstills[row]);
    else if (block->changes)
        add_change_row(table, &block->changes[row]);
    else if (block->coverage)
        add_coverage(table, block);
    else if (block->days)
        add_day(table, block, &block->days[row]);
    else if (block->options)
        add_option(table, block);
    else if (block->expiries)
        add_expiry(table, &block->expiries[row]);
    else if (block->alerts)
        add_alert(table, &block->alerts[row]);
    else if (block->convention)
        add_convention(table, block);
    else if (block->aggregates)
        add_aggregate(table, &block->aggregates[row]);
    else
        add_market(table, block->market);
}
