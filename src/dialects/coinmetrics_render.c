/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of the Coin Metrics dialect: the same rows in four layouts. Rows are written in the hot
 * path, so a layout is nothing but the text between the fields.
 */
#include "dialects/coinmetrics_internal.h"

#include "base/crypto.h"
#include "core/symbology.h"
#include "dialects/text.h"

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

/* The remembered days of the two times of a row. */
struct memory {
    struct oi_time_writer time, known_time;
};

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

/* What surrounds the fields of the rows of one block: made once, so that a row is copies. */
struct frame {
    struct oi_slice head;   /* up to the time, id included */
    struct oi_slice row[7]; /* as the layout's, with their sizes */
    bool has_quotes;        /* JSON */
};

static char *
put(char *at, struct oi_slice text)
{
    memcpy(at, text.data, text.size);
    return at + text.size;
}

/* Through contract_count. */
static void
add_first_half(const struct frame *frame, const struct oi_block *block, size_t row,
               char time[OI_TIME_TEXT_SIZE], struct oi_buffer *out)
{
    char *at = oi_buffer_reserve(out, frame->head.size + frame->row[2].size + OI_TIME_TEXT_SIZE);

    if (!at)
        return;
    at = put(at, frame->head);
    memcpy(at, time, OI_TIME_TEXT_SIZE);
    at = put(at + 30, frame->row[2]);
    out->size = (size_t) (at - out->data);
    (void) oi_text_add_decimal(&block->amounts, row, out);
}

/* value_usd: all rows have the same keys, so none is null. */
static void
add_usd(const struct frame *frame, const struct oi_block *block, size_t row, struct oi_buffer *out)
{
    size_t before;

    oi_buffer_add_slice(out, frame->row[3]);
    before = out->size;
    if (frame->has_quotes)
        oi_buffer_add_char(out, '"');
    if (oi_text_add_decimal(&block->usd, row, out)) {
        if (frame->has_quotes)
            oi_buffer_add_char(out, '"');
        return;
    }
    out->size = before;
    if (frame->has_quotes)
        OI_ADD(out, "null");
}

static void
add_row(const struct frame *frame, const struct oi_block *block, size_t row, struct memory *memory,
        struct oi_buffer *out)
{
    const struct oi_columns *rows = block->rows;
    char time[OI_TIME_TEXT_SIZE];
    oi_time known = rows->known_time ? rows->known_time[row] : rows->time[row];
    char *at;

    if (known == OI_TIME_NONE)
        known = rows->time[row];
    (void) oi_text_put_time(&memory->time, rows->time[row], 9, time);
    add_first_half(frame, block, row, time, out);
    add_usd(frame, block, row, out);
    at = oi_buffer_reserve(out, frame->row[4].size + frame->row[5].size + frame->row[6].size +
                                    2 * (size_t) OI_TIME_TEXT_SIZE);
    if (!at)
        return;
    at = put(at, frame->row[4]);
    at = put(oi_text_put_time(&memory->known_time, known, 9, at), frame->row[5]);
    memcpy(at, time, OI_TIME_TEXT_SIZE);
    at = put(at + 30, frame->row[6]);
    out->size = (size_t) (at - out->data);
}

static void
add_block(struct oi_rendering *rendering, const struct oi_block *block, struct oi_buffer *out)
{
    const struct layout *layout = layout_of(rendering->query);
    struct frame frame = { .has_quotes = rendering->query->format != COINMETRICS_FORMAT_CSV };
    char name[OI_MARKET_NAME_SIZE];
    struct oi_buffer quoted = {}, head = {};
    struct oi_slice id = market_id(rendering, block->market, name, &quoted);
    size_t separator = strlen(layout->separator);

    oi_buffer_add_text(&head, layout->separator);
    oi_buffer_add_text(&head, layout->row[0]);
    oi_buffer_add_slice(&head, id);
    oi_buffer_add_text(&head, layout->row[1]);
    for (size_t i = 0; i < OI_COUNT(frame.row); i++)
        frame.row[i] = oi_slice_of(layout->row[i]);
    for (size_t row = 0; row < block->count; row++) {
        frame.head = oi_buffer_slice(&head);
        if (rendering->row_count++ == 0) {
            frame.head.data += separator;
            frame.head.size -= separator;
        }
        add_row(&frame, block, row, rendering->state, out);
    }
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

static void
finish_json(struct oi_rendering *rendering, struct oi_buffer *out)
{
    const struct layout *layout = layout_of(rendering->query);
    const struct oi_position *next = rendering->result ? &rendering->result->next_position : NULL;

    oi_buffer_add_text(out, layout->after_rows);
    if (next && next->is_set && rendering->query->variant == COINMETRICS_VARIANT_PAGED &&
        rendering->query->format == COINMETRICS_FORMAT_JSON) {
        struct oi_buffer token = {}, url = {};

        coinmetrics_write_token(next, &token);
        coinmetrics_write_next_url(rendering, oi_buffer_slice(&token), &url);
        oi_buffer_add_text(out, layout->token);
        oi_json_quote(out, oi_buffer_slice(&token));
        oi_buffer_add_text(out, layout->url);
        oi_json_quote(out, oi_buffer_slice(&url));
        oi_buffer_release(&token);
        oi_buffer_release(&url);
    }
    oi_buffer_add_text(out, layout->end);
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
    else
        finish_json(rendering, out);
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
