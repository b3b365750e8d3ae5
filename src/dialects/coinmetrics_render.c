/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of the Coin Metrics dialect: the same rows in four layouts. Rows are written in the hot
 * path, so a layout is nothing but the text between the fields.
 */
#include "dialects/coinmetrics_internal.h"

#include "base/crypto.h"
#include "core/symbology.h"
#include "dialects/row_text.h"
#include "dialects/text.h"

#include <stdio.h>
#include <string.h>

void
coinmetrics_write_token(const struct oi_position *position, struct oi_buffer *out)
{
    struct oi_buffer text = {};

    oi_buffer_add_int(out, (int64_t) position->market);
    oi_buffer_add_char(out, '.');
    oi_time_write(position->time, 9, &text);
    oi_base64url(oi_buffer_slice(&text), out);
    oi_buffer_release(&text);
}

/* What stands around the fields of a row, in each layout. */
struct layout {
    const char *begin;      /* of the body */
    const char *separator;  /* between rows */
    const char *row[7];     /* before market, time, count, usd, database_time, exchange_time; end */
    const char *markets[4]; /* before market, min_time, max_time; end */
    const char *after_rows;
    const char *token, *url, *end;
};

static const struct layout layout_compact = {
    "{\"data\":[",
    ",",
    { "{\"market\":", ",\"time\":\"", "\",\"contract_count\":\"",
      "\",\"value_usd\":", ",\"database_time\":\"", "\",\"exchange_time\":\"", "\"}" },
    { "{\"market\":", ",\"min_time\":\"", "\",\"max_time\":\"", "\"}" },
    "]",
    ",\"next_page_token\":",
    ",\"next_page_url\":",
    "}",
};
static const struct layout layout_pretty = {
    "{\n  \"data\": [",
    ",",
    { "\n    {\n      \"market\": ", ",\n      \"time\": \"", "\",\n      \"contract_count\": \"",
      "\",\n      \"value_usd\": ", ",\n      \"database_time\": \"",
      "\",\n      \"exchange_time\": \"", "\"\n    }" },
    { "\n    {\n      \"market\": ", ",\n      \"min_time\": \"", "\",\n      \"max_time\": \"",
      "\"\n    }" },
    "\n  ]",
    ",\n  \"next_page_token\": ",
    ",\n  \"next_page_url\": ",
    "\n}\n",
};
static const struct layout layout_stream = {
    "",
    "",
    { "{\"market\":", ",\"time\":\"", "\",\"contract_count\":\"",
      "\",\"value_usd\":", ",\"database_time\":\"", "\",\"exchange_time\":\"", "\"}\n" },
    { "{\"market\":", ",\"min_time\":\"", "\",\"max_time\":\"", "\"}\n" },
    "",
    "",
    "",
    "",
};
static const struct layout layout_csv = {
    "market,time,contract_count,value_usd,database_time,exchange_time\n",
    "",
    { "", ",", ",", ",", ",", ",", "\n" },
    { "", ",", ",", "\n" },
    "",
    "",
    "",
    "",
};

static const struct layout *
layout_of(const struct oi_query *query)
{
    switch ((enum coinmetrics_format) query->format) {
    case COINMETRICS_FORMAT_JSON_STREAM:
        return &layout_stream;
    case COINMETRICS_FORMAT_CSV:
        return &layout_csv;
    case COINMETRICS_FORMAT_JSON:
        break;
    }
    return query->is_pretty ? &layout_pretty : &layout_compact;
}

/* The remembered day. */
struct memory {
    struct oi_time_writer time;
};

/* Room for what stands before value_usd, in every layout. */
#define LAYOUT_TEXT_SIZE 48

static void
add_allowance(const struct oi_call *call, struct oi_http_reply *reply)
{
    const struct oi_allowance *allowance = &call->allowance;

    if (allowance->rate_limit == 0)
        return;
    /* The vendor's client sleeps on a 0, on success too: never 0 here. */
    oi_http_reply_header_int(reply, "X-RateLimit-Limit", allowance->rate_limit);
    oi_http_reply_header_int(reply, "X-RateLimit-Remaining",
                             allowance->rate_left > 0 ? allowance->rate_left : 1);
    oi_http_reply_header_int(reply, "X-RateLimit-Reset", allowance->rate_reset_s);
    oi_http_reply_header_text(reply, "X-RateLimit-Plan",
                              allowance->plan ? allowance->plan : "default");
}

void
coinmetrics_begin_answer(struct oi_rendering *rendering)
{
    struct oi_http_reply *reply = rendering->reply;

    rendering->state = oi_arena_alloc_zero(&reply->arena, 1, sizeof(struct memory));
    switch ((enum coinmetrics_format) rendering->query->format) {
    case COINMETRICS_FORMAT_JSON:
        oi_http_reply_type(reply, "application/json");
        break;
    case COINMETRICS_FORMAT_JSON_STREAM:
        oi_http_reply_type(reply, "application/x-ndjson");
        break;
    case COINMETRICS_FORMAT_CSV:
        oi_http_reply_type(reply, "text/csv");
        break;
    }
    reply->is_compressible = true;
    add_allowance(rendering->call, reply);
}

/* The market's id as the layout wants it. */
static struct oi_slice
market_id(const struct oi_rendering *rendering, const struct oi_market *market,
          char name[OI_MARKET_NAME_SIZE], struct oi_buffer *quoted)
{
    name[0] = '\0';
    if (market->instrument)
        (void) oi_coinmetrics_market(market->instrument, name);
    if (rendering->query->format == COINMETRICS_FORMAT_CSV)
        return oi_slice_of(name);
    oi_json_quote(quoted, oi_slice_of(name));
    return oi_buffer_slice(quoted);
}

/* The figures and times of a row. All rows have the same keys, so a value_usd that is not there is
 * null (in CSV nothing). */
static void
add_cells(const struct layout *layout, bool is_csv, const struct oi_block *block,
          struct oi_row_text *text)
{
    char quoted_usd[LAYOUT_TEXT_SIZE], null_usd[LAYOUT_TEXT_SIZE];
    const struct oi_columns *rows = block->rows;
    const struct oi_row_cell cells[] = {
        { .kind = OI_ROW_TIMES, .first = rows->time, .digits = 9, .before = "" },
        { .kind = OI_ROW_COLUMN, .first = &block->amounts, .before = layout->row[2] },
        { .kind = OI_ROW_COLUMN,
          .first = &block->usd,
          .before = quoted_usd,
          .none = null_usd,
          .after = is_csv ? '\0' : '"' },
        { .kind = OI_ROW_TIMES,
          .first = rows->known_time ? rows->known_time : rows->time,
          .instead = rows->time,
          .digits = 9,
          .before = layout->row[4] },
        { .kind = OI_ROW_TIMES, .first = rows->time, .digits = 9, .before = layout->row[5] },
    };

    (void) snprintf(quoted_usd, sizeof(quoted_usd), "%s%s", layout->row[3], is_csv ? "" : "\"");
    (void) snprintf(null_usd, sizeof(null_usd), "%s%s", layout->row[3], is_csv ? "" : "null");
    for (size_t i = 0; i < OI_COUNT(cells); i++) {
        struct oi_row_cell cell = cells[i];

        if (!cell.none)
            cell.none = cell.before;
        oi_row_text_add(text, &cell);
    }
}

static void
add_block(struct oi_rendering *rendering, const struct oi_block *block, struct oi_buffer *out)
{
    const struct layout *layout = layout_of(rendering->query);
    bool is_csv = rendering->query->format == COINMETRICS_FORMAT_CSV;
    struct memory *memory = rendering->state;
    char name[OI_MARKET_NAME_SIZE];
    struct oi_buffer quoted = {}, head = {};
    struct oi_row_text text = {};

    oi_buffer_add_text(&head, layout->separator);
    oi_buffer_add_text(&head, layout->row[0]);
    oi_buffer_add_slice(&head, market_id(rendering, block->market, name, &quoted));
    oi_buffer_add_text(&head, layout->row[1]);
    oi_row_text_begin(&text, oi_buffer_slice(&head));
    add_cells(layout, is_csv, block, &text);
    oi_row_text_end(&text, layout->row[6]);
    oi_row_text_write(&text, 0, block->count,
                      rendering->row_count == 0 ? strlen(layout->separator) : 0, &memory->time,
                      out);
    rendering->row_count += block->count;
    oi_row_text_release(&text);
    oi_buffer_release(&head);
    oi_buffer_release(&quoted);
}

static void
add_catalog_entry(struct oi_rendering *rendering, const struct oi_block *block,
                  struct oi_buffer *out)
{
    const struct layout *layout = layout_of(rendering->query);
    const struct oi_market *market = block->market;
    struct memory *memory = rendering->state;
    char name[OI_MARKET_NAME_SIZE];
    struct oi_buffer quoted = {};

    if (market->first == OI_TIME_NONE || market->last == OI_TIME_NONE)
        return;
    if (rendering->row_count++ > 0)
        oi_buffer_add_text(out, layout->separator);
    oi_buffer_add_text(out, layout->markets[0]);
    oi_buffer_add_slice(out, market_id(rendering, market, name, &quoted));
    oi_buffer_add_text(out, layout->markets[1]);
    oi_text_add_time(&memory->time, market->first, 9, out);
    oi_buffer_add_text(out, layout->markets[2]);
    oi_text_add_time(&memory->time, market->last, 9, out);
    oi_buffer_add_text(out, layout->markets[3]);
    oi_buffer_release(&quoted);
}

/* The address of the next page: the same question with its token. */
void
coinmetrics_write_next_url(const struct oi_rendering *rendering, struct oi_slice token,
                           struct oi_buffer *out)
{
    size_t before;

    oi_buffer_add_slice(out, rendering->call->public_url);
    oi_buffer_add_slice(out, rendering->request->path);
    before = out->size;
    oi_text_add_query(rendering->request, "next_page_token", out);
    oi_buffer_add_text(out, out->size > before ? "&" : "?");
    oi_buffer_add_text(out, "next_page_token=");
    oi_http_encode(token, out);
}

void
coinmetrics_end_list(const struct oi_rendering *rendering, struct oi_slice token,
                     struct oi_buffer *out)
{
    const struct layout *layout = layout_of(rendering->query);

    oi_buffer_add_text(out, layout->after_rows);
    if (token.size > 0 && rendering->query->format == COINMETRICS_FORMAT_JSON) {
        struct oi_buffer url = {};

        coinmetrics_write_next_url(rendering, token, &url);
        oi_buffer_add_text(out, layout->token);
        oi_json_quote(out, token);
        oi_buffer_add_text(out, layout->url);
        oi_json_quote(out, oi_buffer_slice(&url));
        oi_buffer_release(&url);
    }
    oi_buffer_add_text(out, layout->end);
}

void
coinmetrics_end_rows(const struct oi_rendering *rendering, struct oi_buffer *out)
{
    struct oi_buffer token = {};

    if (rendering->result && rendering->result->next_position.is_set)
        coinmetrics_write_token(&rendering->result->next_position, &token);
    coinmetrics_end_list(rendering, oi_buffer_slice(&token), out);
    oi_buffer_release(&token);
}

/* The address of a CSV's next page goes into a header, so a page (bounded) is one piece. */
static enum oi_status
render_csv(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
           struct oi_error *error)
{
    const struct oi_block *block;

    coinmetrics_begin_answer(rendering);
    oi_buffer_add_text(out, layout_csv.begin);
    for (;;) {
        OI_TRY(oi_result_next(rendering->result, &block, error));
        if (!block)
            break;
        add_block(rendering, block, out);
    }
    if (rendering->result->next_position.is_set) {
        struct oi_buffer token = {}, url = {};

        coinmetrics_write_token(&rendering->result->next_position, &token);
        coinmetrics_write_next_url(rendering, oi_buffer_slice(&token), &url);
        oi_http_reply_header(rendering->reply, "x-next-page-url", oi_buffer_slice(&url));
        oi_buffer_release(&token);
        oi_buffer_release(&url);
    }
    *ret_is_last = true;
    return OI_OK;
}

static enum oi_status
render_json(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
            struct oi_error *error)
{
    const struct oi_block *block = NULL;

    if (rendering->step == 0) {
        coinmetrics_begin_answer(rendering);
        oi_buffer_add_text(out, layout_of(rendering->query)->begin);
    }
    if (rendering->result)
        OI_TRY(oi_result_next(rendering->result, &block, error));
    if (block && rendering->query->kind == OI_QUERY_MARKETS)
        add_catalog_entry(rendering, block, out);
    else if (block)
        add_block(rendering, block, out);
    else if (rendering->query->variant == COINMETRICS_VARIANT_PAGED)
        coinmetrics_end_rows(rendering, out);
    else
        coinmetrics_end_list(rendering, (struct oi_slice){}, out);
    *ret_is_last = !block;
    return OI_OK;
}

enum oi_status
coinmetrics_render(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
                   struct oi_error *error)
{
    if (rendering->query->format == COINMETRICS_FORMAT_CSV)
        return render_csv(rendering, out, ret_is_last, error);
    return render_json(rendering, out, ret_is_last, error);
}
