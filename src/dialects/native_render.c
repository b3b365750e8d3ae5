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

#include <string.h>

/* Room for the longest name with what JSON puts around it. */
#define COLUMN_NAME_SIZE 32
/* market, feed, unit, sides: how every row of readings and candles begins. */
#define SOURCE_COLUMNS 4
/* Of readings or candles in one piece: about 280 KB of JSON, few enough for a reader that stops to
 * cost less than 1 MiB with what is read ahead, enough for its begin and its way out to cost
 * little. */
#define PIECE_ROWS 1024
/* Of more a table grows as they come. */
#define CANDLES_EXPECTED_MAX 20'000

static const struct native_column row_columns[] = {
    { "market", OI_CELL_TEXT },        { "feed", OI_CELL_TEXT },
    { "unit", OI_CELL_TEXT },          { "sides", OI_CELL_INTEGER },
    { "time", OI_CELL_TIME },          { "open_interest", OI_CELL_FIGURE },
    { "value_usd", OI_CELL_FIGURE },   { "mark_price", OI_CELL_FIGURE },
    { "exchange_time", OI_CELL_TIME }, { "known_time", OI_CELL_TIME },
    { "flags", OI_CELL_INTEGER },      {},
};
#define CANDLE_COLUMNS                                                                             \
    { "market", OI_CELL_TEXT }, { "feed", OI_CELL_TEXT }, { "unit", OI_CELL_TEXT },                \
        { "sides", OI_CELL_INTEGER }, { "start", OI_CELL_TIME }, { "open", OI_CELL_FIGURE },       \
        { "high", OI_CELL_FIGURE }, { "low", OI_CELL_FIGURE }, { "close", OI_CELL_FIGURE },        \
        { "price_open", OI_CELL_FIGURE }, { "price_close", OI_CELL_FIGURE },                       \
    {                                                                                              \
        "count", OI_CELL_INTEGER                                                                   \
    }
static const struct native_column candle_columns[] = { CANDLE_COLUMNS, {} };
/* The same where readings are known to be lost. */
static const struct native_column damaged_candle_columns[] = {
    CANDLE_COLUMNS,
    { "incomplete", OI_CELL_BOOLEAN },
    {},
};
#undef CANDLE_COLUMNS

/* Are candles marked that lack readings? */
static bool
marks(const struct oi_rendering *rendering)
{
    return rendering->query->kind == OI_QUERY_CANDLES && rendering->query->marks_incomplete &&
           rendering->result && rendering->result->is_damage_known;
}

static const struct native_column *
columns_of(const struct oi_rendering *rendering)
{
    const struct native_column *columns = native_fact_columns(rendering->query->kind);

    if (columns)
        return columns;
    if (marks(rendering))
        return damaged_candle_columns;
    return rendering->query->kind == OI_QUERY_CANDLES ? candle_columns : row_columns;
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

/* `,"name":` and what follows it, as text. */
static void
put_name(const char *name, size_t size, const char *value, char text[COLUMN_NAME_SIZE])
{
    size_t value_size = strlen(value);

    oi_assert(size + value_size + sizeof(",\"\":") <= COLUMN_NAME_SIZE);
    memcpy(text, ",\"", 2);
    memcpy(text + 2, name, size);
    memcpy(text + 2 + size, "\":", 2);
    memcpy(text + 4 + size, value, value_size + 1);
}

/* The next column as a cell of every row; figures and times stand in quotes in JSON. */
static void
add_cell(struct native_table *table, struct oi_row_text *text, struct oi_row_cell cell)
{
    const char *name = table->columns[table->column].name;
    size_t size = table->sizes[table->column++];
    bool is_number =
        cell.kind == OI_ROW_COUNTS || cell.kind == OI_ROW_FLAGS || cell.kind == OI_ROW_TRUTHS;
    char before[COLUMN_NAME_SIZE] = ",", none[COLUMN_NAME_SIZE] = ",";

    if (native_is_csv(table)) {
        cell.none = cell.kind == OI_ROW_FLAGS ? ",0" : ",";
    } else {
        put_name(name, size, is_number ? "" : "\"", before);
        put_name(name, size, is_number ? "0" : "null", none);
        cell.none = none;
        cell.after = is_number ? '\0' : '"';
    }
    cell.before = before;
    oi_row_text_add(text, &cell);
}

static void
add_reading_cells(struct native_table *table, struct oi_row_text *text,
                  const struct oi_block *block)
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
add_candle_cells(struct native_table *table, struct oi_row_text *text,
                 const struct oi_candle *candles)
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
    if (marks(table->rendering))
        add_cell(table, text,
                 (struct oi_row_cell){ .kind = OI_ROW_TRUTHS,
                                       .first = &candles->is_incomplete,
                                       .stride = sizeof(*candles) });
}

/* Readings or candles, of which there are many: market and source are the same in all rows. */
static void
add_rows(struct native_table *table, const struct oi_block *block, size_t from, size_t to)
{
    bool is_json = table->rendering->query->format == NATIVE_JSON;
    bool is_first = table->rendering->row_count == 0;
    struct oi_buffer head = {}, *out = table->out;
    struct oi_row_text text = {};

    table->out = &head;
    native_begin_row(table, 1);
    native_add_market(table);
    native_add_source(table, block);
    oi_assert(table->column == SOURCE_COLUMNS);
    table->out = out;
    oi_row_text_begin(&text, oi_buffer_slice(&head));
    if (block->candles)
        add_candle_cells(table, &text, block->candles);
    else
        add_reading_cells(table, &text, block);
    oi_assert(!table->columns[table->column].name);
    oi_row_text_end(&text, is_json ? "}" : native_is_csv(table) ? "\n" : "}\n");
    oi_row_text_write(&text, from, to, is_json && is_first ? 1 : 0, table->times, out);
    oi_row_text_release(&text);
    oi_buffer_release(&head);
}

static void
add_candle_columns(struct native_table *table, const struct oi_candle *candles, size_t count)
{
    const size_t stride = sizeof(*candles);
    struct oi_cells *cells = table->cells;
    int64_t *numbers;

    oi_cells_add_times(cells, &candles->start, stride);
    oi_cells_add_decimals(cells, &candles->open, stride);
    oi_cells_add_decimals(cells, &candles->high, stride);
    oi_cells_add_decimals(cells, &candles->low, stride);
    oi_cells_add_decimals(cells, &candles->close, stride);
    oi_cells_add_decimals(cells, &candles->price_open, stride);
    oi_cells_add_decimals(cells, &candles->price_close, stride);
    numbers = oi_cells_add_numbers(cells);
    for (size_t i = 0; i < count; i++)
        numbers[i] = candles[i].count;
    if (!marks(table->rendering))
        return;
    numbers = oi_cells_add_numbers(cells);
    for (size_t i = 0; i < count; i++)
        numbers[i] = candles[i].is_incomplete;
}

/* The same rows as typed cells, a column at a time. */
static void
add_row_cells(struct native_table *table, const struct oi_block *block)
{
    const struct oi_columns *rows = block->rows;
    struct oi_cells *cells = table->cells;
    int64_t *numbers;

    oi_cells_at_once(cells, block->count);
    native_add_market(table);
    native_add_source(table, block);
    if (block->candles) {
        add_candle_columns(table, block->candles, block->count);
    } else {
        oi_cells_add_times(cells, rows->time, sizeof(*rows->time));
        oi_cells_add_column(cells, &block->amounts);
        oi_cells_add_column(cells, &block->usd);
        oi_cells_add_column(cells, &rows->mark_price);
        oi_cells_add_times(cells, rows->exchange_time, sizeof(*rows->exchange_time));
        oi_cells_add_times(cells, rows->known_time, sizeof(*rows->known_time));
        numbers = oi_cells_add_numbers(cells);
        for (size_t i = 0; i < block->count; i++)
            numbers[i] = rows->flags ? rows->flags[i] : 0;
    }
    oi_cells_at_once(cells, 1);
}

static void
add_cells(struct oi_rendering *rendering, const struct oi_block *block, struct oi_cells *cells)
{
    bool is_market = rendering->query->kind == OI_QUERY_MARKETS;
    size_t count = is_market ? 1 : block->count;
    char name[OI_MARKET_NAME_SIZE] = "";
    struct native_table table = { .cells = cells, .rendering = rendering, .name = name };

    if (is_market && !block->market->instrument)
        return;
    if (block->market)
        write_market(rendering->query, block->market, name);
    if ((block->rows || block->candles) && count > 0)
        add_row_cells(&table, block);
    else
        for (size_t i = 0; i < count; i++)
            native_add_fact(&table, block, i);
    rendering->row_count += count;
}

static void
add_block(struct oi_rendering *rendering, const struct oi_block *block, size_t from, size_t to,
          struct oi_buffer *out)
{
    bool is_market = rendering->query->kind == OI_QUERY_MARKETS;
    size_t count = is_market ? 1 : to;
    char name[OI_MARKET_NAME_SIZE];
    struct oi_buffer quoted = {};
    struct native_table table = {
        .out = out,
        .rendering = rendering,
        .columns = columns_of(rendering),
        .times = rendering->state,
    };

    if (is_market && !block->market->instrument)
        return;
    for (size_t i = 0; table.columns[i].name; i++)
        table.sizes[i] = strlen(table.columns[i].name);
    name[0] = '\0';
    if (block->market)
        write_market(rendering->query, block->market, name);
    table.name = name;
    native_quote(&table, name, &quoted);
    table.market = oi_buffer_slice(&quoted);
    if (block->rows || block->candles) {
        add_rows(&table, block, from, to);
        rendering->row_count += to - from;
        count = 0;
    }
    for (size_t i = from; i < count; i++) {
        native_begin_row(&table, rendering->row_count++);
        native_add_fact(&table, block, i);
        native_end_row(&table);
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
    add_block(&rendering, &first, 0, 1, out);
    out->size--; /* the end of the line */
}

void
native_write_alert(const struct oi_alert *alert, struct oi_buffer *out)
{
    struct oi_time_writer times = {};
    struct oi_query lines = { .kind = OI_QUERY_ALERTS, .format = NATIVE_NDJSON };
    struct oi_rendering rendering = { .query = &lines, .state = &times };
    const struct oi_block one = { .alerts = alert, .count = 1 };

    add_block(&rendering, &one, 0, 1, out);
    out->size--; /* the end of the line */
}

/* Where an answer is, from piece to piece: what a slow client costs is one of them. */
struct progress {
    struct oi_time_writer times; /* first: rows know only it */
    const struct oi_block *block;
    size_t at;
};

static void
begin_answer(struct oi_rendering *rendering, struct oi_buffer *out)
{
    static const char *const types[] = {
        [NATIVE_JSON] = "application/json",
        [NATIVE_NDJSON] = "application/x-ndjson",
        [NATIVE_CSV] = "text/csv",
    };
    struct oi_http_reply *reply = rendering->reply;
    const struct native_column *columns = columns_of(rendering);

    rendering->says_damage = rendering->query->format == NATIVE_JSON;
    rendering->state = oi_arena_alloc_zero(&reply->arena, 1, sizeof(struct progress));
    oi_http_reply_type(reply, types[rendering->query->format]);
    reply->is_compressible = true;
    if (rendering->query->format == NATIVE_JSON)
        OI_ADD(out, "{\"data\":[");
    if (rendering->query->format != NATIVE_CSV)
        return;
    for (size_t i = 0; columns[i].name; i++) {
        if (i > 0)
            oi_buffer_add_char(out, ',');
        oi_buffer_add_text(out, columns[i].name);
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

/* What is left out because its chunk cannot be read. */
static void
add_damage(const struct oi_result *result, struct oi_json_writer *writer)
{
    char name[OI_MARKET_NAME_SIZE];

    OI_ADD(writer->out, ",\"damaged\":");
    oi_json_begin_array(writer);
    for (size_t i = 0; i < result->damage_count; i++) {
        const struct oi_damage *damage = &result->damages[i];

        (void) oi_native_name(damage->instrument, name);
        oi_json_begin_object(writer);
        oi_text_json_text(writer, "market", name);
        oi_text_json_text(writer, "feed", damage->feed);
        oi_text_json_time(writer, "from", damage->span.from,
                          oi_time_fraction_digits(damage->span.from));
        oi_text_json_time(writer, "to", damage->span.to, oi_time_fraction_digits(damage->span.to));
        oi_text_json_text(writer, "reason", damage->reason);
        oi_json_end_object(writer);
    }
    oi_json_end_array(writer);
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
    if (result->damage_count > 0)
        add_damage(result, &writer);
    oi_buffer_add_char(out, '}');
}

/* The place of the next page where the body has no room for it. */
static void
set_next(struct oi_rendering *rendering)
{
    const struct oi_result *result = rendering->result;
    struct oi_buffer cursor = {};

    if (!result->next_position.is_set || rendering->step > 0)
        return;
    native_write_cursor(&result->next_position, &cursor);
    oi_http_reply_header(rendering->reply, NATIVE_NEXT_HEADER, oi_buffer_slice(&cursor));
    oi_buffer_release(&cursor);
}

/* The next rows of the block at hand, or of the next one; *ret_block NULL at the end. */
static enum oi_status
add_piece(struct oi_rendering *rendering, const struct oi_block **ret_block, struct oi_buffer *out,
          struct oi_error *error)
{
    struct progress *progress = rendering->state;
    const struct oi_block *block = progress->block;
    size_t from = progress->at, to;

    if (!block) {
        OI_TRY(oi_result_next(rendering->result, &block, error));
        from = 0;
    }
    *ret_block = block;
    if (!block)
        return OI_OK;
    to = (block->rows || block->candles) && block->count - from > PIECE_ROWS ? from + PIECE_ROWS
                                                                             : block->count;
    add_block(rendering, block, from, to, out);
    progress->at = to;
    progress->block = to < block->count ? block : NULL;
    return OI_OK;
}

enum oi_status
native_render(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
              struct oi_error *error)
{
    const struct oi_query *query = rendering->query;
    bool is_whole = query->format != NATIVE_JSON && query->limit <= NATIVE_WHOLE_ROWS;
    const struct oi_block *block;

    if (rendering->step == 0)
        begin_answer(rendering, out);
    do {
        OI_TRY(add_piece(rendering, &block, out, error));
    } while (block && is_whole);
    if (!block && query->format == NATIVE_JSON)
        finish_json(rendering, out);
    else if (!block)
        set_next(rendering);
    *ret_is_last = !block;
    return OI_OK;
}

/* How many rows a table of candles has where none is missing; 0: not known. */
static size_t
candles_expected(const struct oi_query *query)
{
    const struct oi_span *span = &query->span;
    uint64_t count;

    if (query->kind != OI_QUERY_CANDLES || query->interval_ns <= 0 ||
        span->from == OI_TIME_EARLIEST || span->to == OI_TIME_LATEST || span->to <= span->from)
        return 0;
    count = ((uint64_t) span->to - (uint64_t) span->from) / (uint64_t) query->interval_ns + 1;
    if (query->limit > 0 && query->limit < count)
        count = query->limit;
    return count < CANDLES_EXPECTED_MAX ? (size_t) count : 0;
}

enum oi_status
native_tabulate(struct oi_rendering *rendering, struct oi_cells *cells, bool *ret_is_last,
                struct oi_error *error)
{
    const struct native_column *columns = columns_of(rendering);
    const struct oi_block *block;

    if (cells->column_count == 0) {
        oi_http_reply_type(rendering->reply, rendering->query->file == OI_FILE_ARROW
                                                 ? "application/vnd.apache.arrow.stream"
                                                 : "application/vnd.apache.parquet");
        for (size_t i = 0; columns[i].name; i++)
            oi_cells_column(cells, columns[i].name, columns[i].type);
        oi_cells_expect(cells, candles_expected(rendering->query));
    }
    OI_TRY(oi_result_next(rendering->result, &block, error));
    if (block)
        add_cells(rendering, block, cells);
    else
        set_next(rendering);
    *ret_is_last = !block;
    return OI_OK;
}
