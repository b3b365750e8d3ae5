/* SPDX-License-Identifier: Apache-2.0 */
/* The columns are those of the native API, so that a script can change from one to the other. */
#include "cli/answer.h"

#include "core/symbology.h"
#include "lake/export.h"

#include <stdio.h>
#include <string.h>

static const struct oi_table_column market_columns[] = {
    { .name = "market" },
    { .name = "exchange", .is_detail = true },
    { .name = "product", .is_detail = true },
    { .name = "symbol", .is_detail = true },
    { .name = "kind" },
    { .name = "settlement" },
    { .name = "coin" },
    { .name = "quote" },
    { .name = "margin", .is_detail = true },
    { .name = "coin_factor", .is_number = true, .is_detail = true },
    { .name = "contract_size", .is_number = true },
    { .name = "expiry" },
    { .name = "strike", .is_number = true, .is_detail = true },
    { .name = "listed", .is_detail = true },
    { .name = "is_delisted", .is_detail = true },
    { .name = "is_provisional", .is_detail = true },
    { .name = "first" },
    { .name = "last" },
    { .name = "rows", .is_number = true },
};

static const struct oi_table_column row_columns[] = {
    { .name = "market" },
    { .name = "feed" },
    { .name = "unit" },
    { .name = "sides", .is_number = true, .is_detail = true },
    { .name = "time" },
    { .name = "open_interest", .is_number = true },
    { .name = "value_usd", .is_number = true },
    { .name = "mark_price", .is_number = true },
    { .name = "exchange_time", .is_detail = true },
    { .name = "known_time", .is_detail = true },
    { .name = "flags", .is_number = true, .is_detail = true },
};

static const struct oi_table_column candle_columns[] = {
    { .name = "market" },
    { .name = "feed", .is_detail = true },
    { .name = "unit" },
    { .name = "sides", .is_number = true, .is_detail = true },
    { .name = "start" },
    { .name = "open", .is_number = true },
    { .name = "high", .is_number = true },
    { .name = "low", .is_number = true },
    { .name = "close", .is_number = true },
    { .name = "price_open", .is_number = true, .is_detail = true },
    { .name = "price_close", .is_number = true },
    { .name = "count", .is_number = true },
};

static const struct oi_table_column gap_columns[] = {
    { .name = "market" }, { .name = "from" },
    { .name = "to" },     { .name = "minutes", .is_number = true },
    { .name = "cause" },
};

static const struct oi_table_column frozen_columns[] = {
    { .name = "market" },
    { .name = "from" },
    { .name = "to" },
    { .name = "minutes", .is_number = true },
    { .name = "open_interest", .is_number = true },
    { .name = "price_from", .is_number = true },
};

/* An answer being written. */
struct writing {
    const struct oi_query *query;
    struct oi_table *table;
    const struct oi_block *block;
    char market[OI_MARKET_NAME_SIZE]; /* name of the block's market */
};

static void
name_market(struct writing *writing)
{
    const struct oi_market *market = writing->block->market;
    const char *coin = writing->query->selectors.items[market->selector].coin;

    if (market->instrument)
        (void) oi_native_name(market->instrument, writing->market);
    else
        (void) snprintf(writing->market, sizeof(writing->market), "total%s%s", coin ? ":" : "",
                        coin ? coin : "");
}

static void
add_market(struct writing *writing)
{
    const struct oi_market *market = writing->block->market;
    const struct oi_instrument *instrument = market->instrument;
    struct oi_table *table = writing->table;

    oi_table_text(table, writing->market);
    oi_table_text(table, instrument->exchange);
    oi_table_text(table, instrument->product);
    oi_table_text(table, instrument->symbol);
    oi_table_text(table, oi_kind_name(instrument->kind));
    oi_table_text(table, oi_settlement_name(instrument->settlement));
    oi_table_text(table, instrument->base);
    oi_table_text(table, instrument->quote);
    oi_table_text(table, instrument->margin);
    oi_table_integer(table, instrument->base_factor);
    oi_table_decimal(table, &instrument->contract_size);
    oi_table_time(table, instrument->expiry);
    oi_table_decimal(table, &instrument->strike);
    oi_table_time(table, instrument->listed);
    oi_table_bool(table, instrument->is_delisted);
    oi_table_bool(table, instrument->is_provisional);
    oi_table_time(table, market->first);
    oi_table_time(table, market->last);
    oi_table_integer(table, (int64_t) market->rows);
}

static void
add_source(struct writing *writing)
{
    const struct oi_query *query = writing->query;
    int sides = query->is_canonical ? 1 : writing->block->sides;
    enum oi_unit unit = query->unit != OI_UNIT_UNKNOWN ? query->unit : writing->block->unit;

    oi_table_text(writing->table, writing->block->feed);
    oi_table_text(writing->table, unit == OI_UNIT_UNKNOWN ? NULL : oi_unit_name(unit));
    if (sides > 0)
        oi_table_integer(writing->table, sides);
    else
        oi_table_none(writing->table);
}

static void
add_column(struct oi_table *table, const struct oi_decimals *column, size_t row)
{
    struct oi_decimal value = oi_decimals_get(column, row);

    oi_table_decimal(table, &value);
}

static void
add_reading(struct writing *writing, size_t row)
{
    const struct oi_block *block = writing->block;
    const struct oi_columns *rows = block->rows;
    struct oi_table *table = writing->table;

    oi_table_text(table, writing->market);
    add_source(writing);
    oi_table_time(table, rows->time[row]);
    add_column(table, &block->amounts, row);
    add_column(table, &block->usd, row);
    add_column(table, &rows->mark_price, row);
    oi_table_time(table, rows->exchange_time ? rows->exchange_time[row] : OI_TIME_NONE);
    oi_table_time(table, rows->known_time ? rows->known_time[row] : OI_TIME_NONE);
    oi_table_integer(table, rows->flags ? rows->flags[row] : 0);
}

static void
add_candle(struct writing *writing, const struct oi_candle *candle)
{
    struct oi_table *table = writing->table;

    oi_table_text(table, writing->market);
    add_source(writing);
    oi_table_time(table, candle->start);
    oi_table_decimal(table, &candle->open);
    oi_table_decimal(table, &candle->high);
    oi_table_decimal(table, &candle->low);
    oi_table_decimal(table, &candle->close);
    oi_table_decimal(table, &candle->price_open);
    oi_table_decimal(table, &candle->price_close);
    oi_table_integer(table, candle->count);
}

static void
add_gap(struct writing *writing, const struct oi_gap *gap)
{
    struct oi_table *table = writing->table;

    oi_table_text(table, writing->market);
    oi_table_time(table, gap->span.from);
    oi_table_time(table, gap->span.to);
    oi_table_integer(table, (gap->span.to - gap->span.from) / OI_MINUTE);
    oi_table_text(table, gap->cause);
}

static void
add_standstill(struct writing *writing, const struct oi_standstill *standstill)
{
    struct oi_table *table = writing->table;

    oi_table_text(table, writing->market);
    oi_table_time(table, standstill->since);
    oi_table_time(table, standstill->seen);
    oi_table_integer(table, (standstill->seen - standstill->since) / OI_MINUTE);
    oi_table_decimal(table, &standstill->open_interest);
    oi_table_decimal(table, &standstill->price);
}

static enum oi_status
write_block(struct writing *writing, struct oi_error *error)
{
    const struct oi_block *block = writing->block;
    size_t count = writing->query->kind == OI_QUERY_MARKETS ? 1 : block->count;

    name_market(writing);
    for (size_t i = 0; i < count; i++) {
        if (block->rows)
            add_reading(writing, i);
        else if (block->candles)
            add_candle(writing, &block->candles[i]);
        else if (block->gaps)
            add_gap(writing, &block->gaps[i]);
        else if (block->standstills)
            add_standstill(writing, &block->standstills[i]);
        else
            add_market(writing);
        OI_TRY(oi_table_end_row(writing->table, error));
    }
    return OI_OK;
}

static struct oi_table *
table_for(const struct oi_query *query, enum oi_table_format format, struct oi_printer *printer)
{
    if (query->kind == OI_QUERY_MARKETS)
        return oi_table_new(format, market_columns, OI_COUNT(market_columns), printer);
    if (query->kind == OI_QUERY_CANDLES)
        return oi_table_new(format, candle_columns, OI_COUNT(candle_columns), printer);
    if (query->kind == OI_QUERY_FROZEN)
        return oi_table_new(format, frozen_columns, OI_COUNT(frozen_columns), printer);
    if (query->kind == OI_QUERY_GAPS)
        return oi_table_new(format, gap_columns, OI_COUNT(gap_columns), printer);
    return oi_table_new(format, row_columns, OI_COUNT(row_columns), printer);
}

/* Was this market asked for by name? */
static bool
is_named(const struct oi_query *query, const char *market)
{
    for (size_t i = 0; i < query->selectors.count; i++)
        if (query->selectors.items[i].market &&
            strcmp(query->selectors.items[i].market, market) == 0)
            return true;
    return false;
}

/* The problem of a question, in words for the command line. */
static enum oi_status
explain(enum oi_status status, const struct oi_query *query, const struct oi_problem *problem,
        struct oi_error *error)
{
    if (status == OI_OK || problem->kind == OI_PROBLEM_NONE)
        return status;
    if (problem->kind == OI_PROBLEM_MARKET && is_named(query, problem->value))
        return oi_fail(error, OI_E_NOT_FOUND,
                       "there is no market \"%s\": `oi markets` lists those there are",
                       problem->value);
    if (problem->kind == OI_PROBLEM_MARKET)
        return oi_fail(error, OI_E_NOT_FOUND, "no market fits: `oi markets` lists those there are");
    return oi_fail(error, OI_E_INVALID, "--%s: %s", problem->parameter, problem->message);
}

static void
warn_of_left_out(const struct oi_result *result, const struct oi_query *query)
{
    unsigned long long count = 0;

    for (size_t i = 0; i < result->market_count; i++)
        count += result->markets[i].left_out_rows;
    if (count > 0)
        (void) fprintf(stderr,
                       "oi: %llu readings are left out, as they cannot be turned into %s: ask with "
                       "--unit reported\n",
                       count, oi_unit_name(query->unit));
}

/* What lacks rows is said after all that is whole has been written. */
static enum oi_status
tell_damage(const struct oi_result *result, struct oi_error *error)
{
    for (size_t i = 0; i < result->damage_count; i++) {
        const struct oi_damage *damage = &result->damages[i];
        char name[OI_MARKET_NAME_SIZE];
        struct oi_buffer text = {};

        (void) oi_native_name(damage->instrument, name);
        oi_time_write(damage->span.from, oi_time_fraction_digits(damage->span.from), &text);
        oi_buffer_add_text(&text, " to ");
        oi_time_write(damage->span.to, oi_time_fraction_digits(damage->span.to), &text);
        (void) fprintf(stderr, "oi: %s, feed %s, %.*s is left out: %s\n", name, damage->feed,
                       (int) text.size, text.data, damage->reason);
        oi_buffer_release(&text);
    }
    if (result->damage_count == 0)
        return OI_OK;
    return oi_fail(error, OI_E_CORRUPT,
                   "%zu damaged spans are left out, with what would have been made of them: "
                   "`oi verify` tells of all damage",
                   result->damage_count);
}

enum oi_status
oi_answer_write(const struct oi_source *source, const struct oi_query *query,
                enum oi_table_format format, struct oi_printer *printer, struct oi_meter *meter,
                struct oi_error *error)
{
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
    OI_CLEANUP(oi_table_free) struct oi_table *table = NULL;
    struct oi_problem problem = {};
    struct writing writing = { .query = query };

    OI_TRY(explain(oi_query_run(source, query, &result, &problem, error), query, &problem, error));
    table = writing.table = table_for(query, format, printer);
    for (;;) {
        OI_TRY(oi_result_next(result, &writing.block, error));
        if (!writing.block)
            break;
        OI_TRY(write_block(&writing, error));
        if (meter)
            oi_meter_show(meter, writing.block->market->index, result->market_count,
                          result->row_count, -1);
    }
    OI_TRY(oi_table_finish(table, error));
    warn_of_left_out(result, query);
    return tell_damage(result, error);
}

enum oi_status
oi_answer_write_parquet(const struct oi_source *source, const struct oi_query *query,
                        struct oi_printer *printer, struct oi_error *error)
{
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
    struct oi_problem problem = {};

    if (query->kind != OI_QUERY_ROWS)
        return oi_fail(error, OI_E_INVALID,
                       "parquet holds readings: leave out --interval, or choose csv or ndjson");
    OI_TRY(explain(oi_query_run(source, query, &result, &problem, error), query, &problem, error));
    OI_TRY(oi_export_rows_of(result, oi_printer_buffer(printer), error));
    return tell_damage(result, error);
}
