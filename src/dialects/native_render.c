/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of the native API. Every answer is a table whose columns are a list of names; JSON,
 * NDJSON and CSV are three ways to write the same cells, so they cannot disagree. Figures are
 * strings in JSON, since they are exact and a JavaScript number is not.
 */
#include "dialects/native_internal.h"

#include "core/symbology.h"
#include "dialects/row_text.h"
#include "dialects/text.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS_MAX 24
/* Room for the longest name with what JSON puts around it. */
#define COLUMN_NAME_SIZE 32
/* market, feed, unit, sides: how every row of readings and candles begins. */
#define SOURCE_COLUMNS 4

/* A table being written. */
struct table {
    struct oi_buffer *out;
    const struct oi_rendering *rendering;
    const char *const *columns;
    size_t column;          /* of the next cell */
    struct oi_slice market; /* quoted for the format, once a block */
    size_t sizes[COLUMNS_MAX];
    struct oi_time_writer *times;
};

static const char *const row_columns[] = { "market",     "feed",       "unit",
                                           "sides",      "time",       "open_interest",
                                           "value_usd",  "mark_price", "exchange_time",
                                           "known_time", "flags",      NULL };
static const char *const candle_columns[] = { "market",      "feed",  "unit", "sides", "start",
                                              "open",        "high",  "low",  "close", "price_open",
                                              "price_close", "count", NULL };
static const char *const latest_columns[] = { "market",
                                              "exchange",
                                              "coin",
                                              "kind",
                                              "feed",
                                              "unit",
                                              "sides",
                                              "time",
                                              "open_interest",
                                              "value_usd",
                                              "price",
                                              "change_percent_1h",
                                              "change_percent_24h",
                                              "change_percent_7d",
                                              NULL };
static const char *const market_columns[] = {
    "market",        "exchange",       "product",  "symbol",      "kind",
    "settlement",    "coin",           "quote",    "margin",      "coin_factor",
    "contract_size", "expiry",         "strike",   "option_side", "listed",
    "is_delisted",   "is_provisional", "first",    "last",        "rows",
    "coinmetrics",   "atlas",          "kiyotaka", "kwery",       NULL
};
static const char *const gap_columns[] = { "market", "from", "to", "cause", NULL };

static const char *const *
columns_of(const struct oi_query *query)
{
    switch (query->kind) {
    case OI_QUERY_CANDLES:
        return candle_columns;
    case OI_QUERY_LATEST:
        return latest_columns;
    case OI_QUERY_MARKETS:
        return market_columns;
    case OI_QUERY_GAPS:
        return gap_columns;
    case OI_QUERY_NONE:
    case OI_QUERY_ROWS:
    case OI_QUERY_SNAPSHOTS:
    case OI_QUERY_BARS:
    case OI_QUERY_MONTHS:
    case OI_QUERY_METRICS:
        break;
    }
    return row_columns;
}

static bool
is_csv(const struct table *table)
{
    return table->rendering->query->format == NATIVE_CSV;
}

static void
begin_row(struct table *table, size_t row_count)
{
    table->column = 0;
    if (row_count > 0 && table->rendering->query->format == NATIVE_JSON)
        oi_buffer_add_char(table->out, ',');
    if (!is_csv(table))
        oi_buffer_add_char(table->out, '{');
}

static void
end_row(struct table *table)
{
    oi_assert(!table->columns[table->column]);
    if (is_csv(table))
        oi_buffer_add_char(table->out, '\n');
    else
        oi_buffer_add_text(table->out,
                           table->rendering->query->format == NATIVE_JSON ? "}" : "}\n");
}

/* What stands before the next cell. */
static void
begin_cell(struct table *table)
{
    size_t size = table->sizes[table->column];
    char *at = oi_buffer_reserve(table->out, size + 4);

    if (!at)
        return;
    if (table->column > 0)
        *at++ = ',';
    if (!is_csv(table)) {
        *at++ = '"';
        memcpy(at, table->columns[table->column], size);
        at += size;
        *at++ = '"';
        *at++ = ':';
    }
    table->out->size = (size_t) (at - table->out->data);
    table->column++;
}

static void
add_none(struct table *table)
{
    begin_cell(table);
    if (!is_csv(table))
        OI_ADD(table->out, "null");
}

/* A cell whose text is quoted already. */
static void
add_ready(struct table *table, struct oi_slice ready)
{
    begin_cell(table);
    oi_buffer_add_slice(table->out, ready);
}

/* A CSV field: in quotes, quotes doubled, where it holds a separator. */
static void
quote_csv(const char *text, struct oi_buffer *out)
{
    if (!strpbrk(text, ",\"\r\n")) {
        oi_buffer_add_text(out, text);
        return;
    }
    oi_buffer_add_char(out, '"');
    for (; *text; text++) {
        if (*text == '"')
            oi_buffer_add_char(out, '"');
        oi_buffer_add_char(out, *text);
    }
    oi_buffer_add_char(out, '"');
}

static void
quote(const struct table *table, const char *text, struct oi_buffer *out)
{
    if (is_csv(table))
        quote_csv(text, out);
    else
        oi_json_quote(out, oi_slice_of(text));
}

/* NULL and "" are none. */
static void
add_text(struct table *table, const char *text)
{
    if (!text || !text[0]) {
        add_none(table);
        return;
    }
    begin_cell(table);
    quote(table, text, table->out);
}

static void
add_number(struct table *table, int64_t value)
{
    begin_cell(table);
    oi_buffer_add_int(table->out, value);
}

static void
add_bool(struct table *table, bool value)
{
    begin_cell(table);
    oi_buffer_add_text(table->out, value ? "true" : "false");
}

/* Figures and times need no escaping; in JSON they stand in quotes. */
static void
add_mark(struct table *table)
{
    if (!is_csv(table))
        oi_buffer_add_char(table->out, '"');
}

static void
add_decimal(struct table *table, const struct oi_decimal *value)
{
    if (value->form == OI_DECIMAL_NONE) {
        add_none(table);
        return;
    }
    begin_cell(table);
    add_mark(table);
    if (value->form == OI_DECIMAL_PLAIN)
        oi_decimal_write_plain(value->mantissa, value->exponent, table->out);
    else
        oi_decimal_write(value, table->out);
    add_mark(table);
}

static void
add_time(struct table *table, oi_time time)
{
    if (time == OI_TIME_NONE || time == OI_TIME_LATEST) {
        add_none(table);
        return;
    }
    begin_cell(table);
    add_mark(table);
    oi_text_add_time(table->times, time, oi_time_fraction_digits(time), table->out);
    add_mark(table);
}

/* The market's name, or "total:BTC" for a total. */
static void
write_market(const struct oi_query *query, const struct oi_market *market,
             char name[OI_MARKET_NAME_SIZE])
{
    const char *coin = NULL;
    struct oi_buffer text = { .size_max = OI_MARKET_NAME_SIZE - 1 };

    if (market->instrument) {
        (void) oi_native_name(market->instrument, name);
        return;
    }
    if (market->selector < query->selectors.count)
        coin = query->selectors.items[market->selector].coin;
    oi_buffer_add_text(&text, coin ? "total:" : "total");
    if (coin)
        oi_buffer_add_text(&text, coin);
    memcpy(name, text.data, text.size);
    name[text.size] = '\0';
    oi_buffer_release(&text);
}

/* What every row of readings or candles says of its source. */
static void
add_source(struct table *table, const struct oi_block *block, const struct oi_query *query)
{
    int sides = query->is_canonical ? 1 : block->sides;

    add_text(table, block->feed);
    add_text(table, oi_unit_name(query->unit != OI_UNIT_UNKNOWN ? query->unit : block->unit));
    if (sides > 0)
        add_number(table, sides);
    else
        add_none(table);
}

/* The next column as a cell of every row; figures and times stand in quotes in JSON. */
static void
add_cell(struct table *table, struct oi_row_text *text, struct oi_row_cell cell)
{
    const char *name = table->columns[table->column++];
    bool is_number = cell.kind == OI_ROW_COUNTS || cell.kind == OI_ROW_FLAGS;
    char before[COLUMN_NAME_SIZE] = ",", none[COLUMN_NAME_SIZE] = ",";

    if (is_csv(table)) {
        cell.none = cell.kind == OI_ROW_FLAGS ? ",0" : ",";
    } else {
        (void) snprintf(before, sizeof(before), ",\"%s\":%s", name, is_number ? "" : "\"");
        (void) snprintf(none, sizeof(none), ",\"%s\":%s", name, is_number ? "0" : "null");
        cell.none = none;
        cell.after = is_number ? '\0' : '"';
    }
    cell.before = before;
    oi_row_text_add(text, &cell);
}

static void
add_reading_cells(struct table *table, struct oi_row_text *text, const struct oi_block *block)
{
    const struct oi_columns *rows = block->rows;
    const struct oi_row_cell cells[] = {
        { .kind = OI_ROW_SHORT_TIMES, .first = rows->time },
        { .kind = OI_ROW_COLUMN, .first = &block->amounts },
        { .kind = OI_ROW_COLUMN, .first = &block->usd },
        { .kind = OI_ROW_COLUMN, .first = &rows->mark_price },
        { .kind = OI_ROW_SHORT_TIMES, .first = rows->exchange_time },
        { .kind = OI_ROW_SHORT_TIMES, .first = rows->known_time },
        { .kind = OI_ROW_FLAGS, .first = rows->flags },
    };

    for (size_t i = 0; i < OI_COUNT(cells); i++)
        add_cell(table, text, cells[i]);
}

static void
add_candle_cells(struct table *table, struct oi_row_text *text, const struct oi_candle *candles)
{
    const struct oi_decimal *const figures[] = { &candles->open,       &candles->high,
                                                 &candles->low,        &candles->close,
                                                 &candles->price_open, &candles->price_close };

    add_cell(table, text,
             (struct oi_row_cell){ .kind = OI_ROW_SHORT_TIMES,
                                   .first = &candles->start,
                                   .stride = sizeof(*candles) });
    for (size_t i = 0; i < OI_COUNT(figures); i++)
        add_cell(table, text,
                 (struct oi_row_cell){
                     .kind = OI_ROW_DECIMALS, .first = figures[i], .stride = sizeof(*candles) });
    add_cell(table, text,
             (struct oi_row_cell){
                 .kind = OI_ROW_COUNTS, .first = &candles->count, .stride = sizeof(*candles) });
}

/* (now - then) / then x 100, to two places; none where there is no then, or it is zero. */
static void
add_change(struct table *table, const struct oi_decimal *now, const struct oi_decimal *then)
{
    const struct oi_decimal hundred = oi_decimal_from(100, 0);
    struct oi_decimal change = {};

    if (oi_decimal_subtract(now, then, &change, NULL) != OI_OK ||
        oi_decimal_multiply(&change, &hundred, &change, NULL) != OI_OK ||
        oi_decimal_divide_half_even(&change, then, 18, &change, NULL) != OI_OK ||
        oi_decimal_round_half_even(&change, 2, &change, NULL) != OI_OK)
        change = (struct oi_decimal){};
    add_decimal(table, &change);
}

static void
add_latest(struct table *table, const struct oi_block *block, const struct oi_latest *latest)
{
    const struct oi_instrument *instrument = block->market->instrument;
    const struct oi_observation *reading = &latest->reading;

    add_ready(table, table->market);
    add_text(table, instrument ? instrument->exchange : NULL);
    add_text(table, instrument ? instrument->base : NULL);
    add_text(table, instrument ? oi_kind_name(instrument->kind) : NULL);
    add_source(table, block, table->rendering->query);
    add_time(table, reading->time);
    add_decimal(table, &latest->amount);
    add_decimal(table, &latest->usd);
    add_decimal(table, !oi_decimal_is_none(&reading->mark_price)    ? &reading->mark_price
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
add_names(struct table *table, const struct oi_instrument *instrument)
{
    bool (*const writers[])(const struct oi_instrument *, char *) = {
        oi_coinmetrics_market,
        oi_atlas_symbol,
        oi_kiyotaka_normalized,
        oi_kwery_source,
    };

    for (size_t i = 0; i < OI_COUNT(writers); i++) {
        char name[OI_MARKET_NAME_SIZE] = "";

        add_text(table, writers[i](instrument, name) ? name : NULL);
    }
}

static void
add_market(struct table *table, const struct oi_market *market)
{
    const struct oi_instrument *instrument = market->instrument;

    add_ready(table, table->market);
    add_text(table, instrument->exchange);
    add_text(table, instrument->product);
    add_text(table, instrument->symbol);
    add_text(table, oi_kind_name(instrument->kind));
    add_text(table, oi_settlement_name(instrument->settlement));
    add_text(table, instrument->base);
    add_text(table, instrument->quote);
    add_text(table, instrument->margin);
    add_number(table, instrument->base_factor);
    add_decimal(table, &instrument->contract_size);
    add_time(table, instrument->expiry);
    add_decimal(table, &instrument->strike);
    add_text(table, option_side_name(instrument->option_side));
    add_time(table, instrument->listed);
    add_bool(table, instrument->is_delisted);
    add_bool(table, instrument->is_provisional);
    add_time(table, market->first);
    add_time(table, market->last);
    add_number(table, (int64_t) market->rows);
    add_names(table, instrument);
}

static void
add_gap(struct table *table, const struct oi_gap *gap)
{
    add_ready(table, table->market);
    add_time(table, gap->span.from);
    add_time(table, gap->span.to);
    add_text(table, gap->cause);
}

/* One row of what there are few of. */
static void
add_row(struct table *table, const struct oi_block *block, size_t row)
{
    if (block->latest)
        add_latest(table, block, &block->latest[row]);
    else if (block->gaps)
        add_gap(table, &block->gaps[row]);
    else
        add_market(table, block->market);
}

/* Readings or candles, of which there are many: market and source are the same in all rows. */
static void
add_rows(struct table *table, const struct oi_block *block)
{
    bool is_json = table->rendering->query->format == NATIVE_JSON;
    bool is_first = table->rendering->row_count == 0;
    struct oi_buffer head = {}, *out = table->out;
    struct oi_row_text text = {};

    table->out = &head;
    begin_row(table, 1);
    add_ready(table, table->market);
    add_source(table, block, table->rendering->query);
    oi_assert(table->column == SOURCE_COLUMNS);
    table->out = out;
    oi_row_text_begin(&text, oi_buffer_slice(&head));
    if (block->candles)
        add_candle_cells(table, &text, block->candles);
    else
        add_reading_cells(table, &text, block);
    oi_assert(!table->columns[table->column]);
    oi_row_text_end(&text, is_json ? "}" : is_csv(table) ? "\n" : "}\n");
    oi_row_text_write(&text, 0, block->count, is_json && is_first ? 1 : 0, table->times, out);
    oi_row_text_release(&text);
    oi_buffer_release(&head);
}

static void
add_block(struct oi_rendering *rendering, const struct oi_block *block, struct oi_buffer *out)
{
    bool is_market = rendering->query->kind == OI_QUERY_MARKETS;
    size_t count = is_market ? 1 : block->count;
    char name[OI_MARKET_NAME_SIZE];
    struct oi_buffer quoted = {};
    struct table table = {
        .out = out,
        .rendering = rendering,
        .columns = columns_of(rendering->query),
        .times = rendering->state,
    };

    if (is_market && !block->market->instrument)
        return;
    for (size_t i = 0; table.columns[i]; i++)
        table.sizes[i] = strlen(table.columns[i]);
    write_market(rendering->query, block->market, name);
    quote(&table, name, &quoted);
    table.market = oi_buffer_slice(&quoted);
    if (block->rows || block->candles) {
        add_rows(&table, block);
        rendering->row_count += count;
        count = 0;
    }
    for (size_t i = 0; i < count; i++) {
        begin_row(&table, rendering->row_count++);
        add_row(&table, block, i);
        end_row(&table);
    }
    oi_buffer_release(&quoted);
}

void
native_write_candle(const struct oi_query *query, const struct oi_block *block,
                    struct oi_buffer *out)
{
    struct oi_time_writer times = {};
    struct oi_query lines = { .kind = query->kind,
                              .unit = query->unit,
                              .is_canonical = query->is_canonical,
                              .selectors = { query->selectors.items, query->selectors.count,
                                             query->selectors.capacity },
                              .format = NATIVE_NDJSON };
    struct oi_rendering rendering = { .query = &lines, .state = &times };
    struct oi_block first = *block;

    first.count = 1;
    add_block(&rendering, &first, out);
    out->size--; /* the end of the line */
}

static void
begin_answer(struct oi_rendering *rendering, struct oi_buffer *out)
{
    static const char *const types[] = {
        [NATIVE_JSON] = "application/json",
        [NATIVE_NDJSON] = "application/x-ndjson",
        [NATIVE_CSV] = "text/csv",
    };
    struct oi_http_reply *reply = rendering->reply;
    const char *const *columns = columns_of(rendering->query);

    rendering->state = oi_arena_alloc_zero(&reply->arena, 1, sizeof(struct oi_time_writer));
    oi_http_reply_type(reply, types[rendering->query->format]);
    reply->is_compressible = true;
    if (rendering->query->format == NATIVE_JSON)
        OI_ADD(out, "{\"data\":[");
    if (rendering->query->format != NATIVE_CSV)
        return;
    for (size_t i = 0; columns[i]; i++) {
        if (i > 0)
            oi_buffer_add_char(out, ',');
        oi_buffer_add_text(out, columns[i]);
    }
    oi_buffer_add_char(out, '\n');
}

/* Whom a total was made of, and who was left out and why. */
static void
add_total(const struct oi_query *query, const struct oi_market *market,
          struct oi_json_writer *writer)
{
    char name[OI_MARKET_NAME_SIZE];

    write_market(query, market, name);
    oi_json_begin_object(writer);
    oi_text_json_text(writer, "market", name);
    oi_json_add_name(writer, "members");
    oi_json_begin_array(writer);
    for (size_t i = 0; i < market->member_count; i++) {
        const struct oi_member *member = &market->members[i];

        (void) oi_native_name(member->instrument, name);
        oi_json_begin_object(writer);
        oi_text_json_text(writer, "market", name);
        oi_text_json_time(writer, "last", member->last, oi_time_fraction_digits(member->last));
        if (member->left_out)
            oi_text_json_text(writer, "left_out", member->left_out);
        oi_json_end_object(writer);
    }
    oi_json_end_array(writer);
    oi_json_end_object(writer);
}

static void
finish_json(const struct oi_rendering *rendering, struct oi_buffer *out)
{
    const struct oi_result *result = rendering->result;
    struct oi_json_writer writer = { .out = out };
    uint64_t left_out = 0;

    OI_ADD(out, "],\"next\":");
    if (result->next_position.is_set) {
        struct oi_buffer cursor = {};

        native_write_cursor(&result->next_position, &cursor);
        oi_json_quote(out, oi_buffer_slice(&cursor));
        oi_buffer_release(&cursor);
    } else {
        OI_ADD(out, "null");
    }
    OI_ADD(out, ",\"totals\":");
    oi_json_begin_array(&writer);
    for (size_t i = 0; i < result->market_count; i++) {
        left_out += result->markets[i].left_out_rows;
        if (!result->markets[i].instrument)
            add_total(rendering->query, &result->markets[i], &writer);
    }
    oi_json_end_array(&writer);
    OI_ADD(out, ",\"left_out_rows\":");
    oi_buffer_add_int(out, (int64_t) left_out);
    oi_buffer_add_char(out, '}');
}

enum oi_status
native_render(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
              struct oi_error *error)
{
    const struct oi_block *block;

    if (rendering->step == 0)
        begin_answer(rendering, out);
    OI_TRY(oi_result_next(rendering->result, &block, error));
    if (block)
        add_block(rendering, block, out);
    else if (rendering->query->format == NATIVE_JSON)
        finish_json(rendering, out);
    *ret_is_last = !block;
    return OI_OK;
}
