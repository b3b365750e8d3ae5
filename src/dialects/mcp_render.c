/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of the MCP endpoint. A tool's answer is the native API's, with what an assistant must
 * know to speak of it put in front: unit, sides, age and coverage. The blocks are looked at on
 * their way to the native renderer.
 */
/* no unit test: mcp_test.c reads what comes of it */
#include "dialects/mcp_internal.h"

#include "dialects/native_internal.h"

void
mcp_begin(struct oi_json_writer *writer, const struct oi_json_node *id)
{
    oi_json_begin_object(writer);
    oi_text_json_text(writer, "jsonrpc", "2.0");
    oi_json_add_name(writer, "id");
    if (!id || !oi_json_add_scalar(writer, id))
        oi_json_add_null(writer);
}

/* "content": one text. */
static void
write_content(struct oi_json_writer *writer, struct oi_slice text)
{
    oi_json_add_name(writer, "content");
    oi_json_begin_array(writer);
    oi_json_begin_object(writer);
    oi_text_json_text(writer, "type", "text");
    oi_json_add_name(writer, "text");
    oi_json_add_string(writer, text);
    oi_json_end_object(writer);
    oi_json_end_array(writer);
}

void
mcp_write_tool_error(struct oi_json_writer *writer, const struct oi_problem *problem)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer text = {};

    if (problem->parameter[0])
        oi_buffer_add_format(&text, "%s: ", problem->parameter);
    oi_buffer_add_text(&text, problem->message);
    oi_json_add_name(writer, "result");
    oi_json_begin_object(writer);
    write_content(writer, oi_buffer_slice(&text));
    oi_json_add_name(writer, "isError");
    oi_json_add_bool(writer, true);
    oi_json_end_object(writer);
}

/*
 * Watching the blocks go by.
 */

struct watch {
    struct oi_result result; /* what the native renderer pulls from */
    struct oi_result *inner;
    size_t markets, rows;
    size_t last_market; /* index + 1 */
    oi_time oldest, newest;
};

static void
see(struct watch *watch, oi_time time)
{
    if (time == OI_TIME_NONE)
        return;
    if (watch->newest == OI_TIME_NONE || time > watch->newest)
        watch->newest = time;
    if (watch->oldest == OI_TIME_NONE || time < watch->oldest)
        watch->oldest = time;
}

static void
see_row(struct watch *watch, const struct oi_block *block, size_t row)
{
    if (block->rows)
        see(watch, block->rows->time[row]);
    else if (block->candles)
        see(watch, block->candles[row].last);
    else if (block->latest)
        see(watch, block->latest[row].reading.time);
    else if (block->changes)
        see(watch, block->changes[row].to_time);
    else if (block->aggregates)
        see(watch, block->aggregates[row].oldest); /* its time is an instant, not a reading's */
}

static void
see_block(struct watch *watch, const struct oi_block *block)
{
    const struct oi_market *market = block->market;

    for (size_t i = 0; i < block->count; i++)
        see_row(watch, block, i);
    watch->rows += block->count;
    for (size_t i = 0; block->aggregates && i < block->count; i++)
        if (block->aggregates[i].markets > watch->markets)
            watch->markets = block->aggregates[i].markets;
    if (!market || block->aggregates)
        return;
    if (block->count == 0) {
        watch->rows++; /* a market of a list */
        see(watch, market->last);
    }
    watch->markets += watch->last_market != market->index + 1;
    watch->last_market = market->index + 1;
}

static enum oi_status
next(struct oi_result *result, const struct oi_block **ret_block, struct oi_error *error)
{
    struct watch *watch = result->context;

    OI_TRY(oi_result_next(watch->inner, ret_block, error));
    result->next_position = watch->inner->next_position;
    result->row_count = watch->inner->row_count;
    if (*ret_block)
        see_block(watch, *ret_block);
    return OI_OK;
}

/* The native API's whole answer as JSON. */
static enum oi_status
render_native(struct oi_rendering *rendering, struct watch *watch, struct oi_buffer *out,
              struct oi_error *error)
{
    OI_CLEANUP(oi_http_reply_release) struct oi_http_reply reply = { .status = 200 };
    struct oi_rendering inner = { .call = rendering->call,
                                  .request = rendering->request,
                                  .query = rendering->query,
                                  .result = &watch->result,
                                  .reply = &reply,
                                  .problem = rendering->problem };
    bool is_last = false;

    while (!is_last) {
        OI_TRY(native_render(&inner, out, &is_last, error));
        inner.step++;
    }
    return OI_OK;
}

/*
 * Answers.
 */

/* What an assistant must know to speak of the rows. */
static void
write_facts(struct oi_json_writer *writer, const struct oi_rendering *rendering,
            const struct watch *watch)
{
    const struct oi_query *query = rendering->query;
    oi_time now = rendering->call->now;
    bool has_amounts = query->kind != OI_QUERY_MARKETS && query->kind != OI_QUERY_GAPS &&
                       query->kind != OI_QUERY_COVERAGE && query->kind != OI_QUERY_CONVENTIONS;

    oi_text_json_text(writer, "unit",
                      !has_amounts                     ? "none"
                      : query->unit == OI_UNIT_UNKNOWN ? "reported"
                                                       : oi_unit_name(query->unit));
    oi_json_add_name(writer, "sides");
    if (has_amounts && query->is_canonical)
        oi_json_add_int(writer, 1);
    else
        oi_json_add_null(writer);
    oi_text_json_time(writer, "answered_at", now, oi_time_fraction_digits(now));
    oi_text_json_time(writer, "oldest", watch->oldest, 0);
    oi_text_json_time(writer, "newest", watch->newest, 0);
    oi_json_add_name(writer, "age_seconds");
    if (watch->newest == OI_TIME_NONE)
        oi_json_add_null(writer);
    else
        oi_json_add_int(writer, watch->newest < now ? (now - watch->newest) / OI_SECOND : 0);
    oi_json_add_name(writer, "coverage");
    oi_json_begin_object(writer);
    oi_json_add_name(writer, "markets_matched");
    oi_json_add_int(writer, (int64_t) watch->inner->market_count);
    oi_json_add_name(writer, "markets_answered");
    oi_json_add_int(writer, (int64_t) watch->markets);
    oi_json_add_name(writer, "rows");
    oi_json_add_int(writer, (int64_t) watch->rows);
    oi_json_add_name(writer, "is_complete");
    oi_json_add_bool(writer, !watch->inner->next_position.is_set);
    oi_json_end_object(writer);
}

static enum oi_status
write_answer(struct oi_rendering *rendering, struct oi_json_writer *writer, struct oi_error *error)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer rows = {}, whole = {};
    struct watch watch = { .inner = rendering->result,
                           .oldest = OI_TIME_NONE,
                           .newest = OI_TIME_NONE };
    struct oi_json_writer facts = { .out = &whole };
    enum oi_status status;

    watch.result = (struct oi_result){ .next = next,
                                       .context = &watch,
                                       .market_count = rendering->result->market_count,
                                       .markets = rendering->result->markets,
                                       .now = rendering->result->now,
                                       .data_version = rendering->result->data_version };
    status = render_native(rendering, &watch, &rows, error);
    if (status == OI_OK) {
        oi_json_begin_object(&facts);
        write_facts(&facts, rendering, &watch);
        oi_buffer_add_char(&whole, ',');
        oi_buffer_add(&whole, rows.data + 1, rows.size - 1); /* behind its brace */
        oi_json_add_name(writer, "result");
        oi_json_begin_object(writer);
        write_content(writer, oi_buffer_slice(&whole));
        oi_json_add_name(writer, "structuredContent");
        oi_json_add_raw(writer, oi_buffer_slice(&whole));
        oi_json_add_name(writer, "isError");
        oi_json_add_bool(writer, false);
        oi_json_end_object(writer);
    }
    return status;
}

static void
write_greeting(struct oi_json_writer *writer, const struct mcp_message *message)
{
    struct oi_slice wanted = oi_json_text(oi_json_member(message->params, "protocolVersion"));

    oi_json_begin_object(writer);
    oi_text_json_text(writer, "protocolVersion",
                      oi_slice_is(wanted, MCP_VERSION_BEFORE) ? MCP_VERSION_BEFORE
                                                              : MCP_VERSION_NEWEST);
    oi_json_add_name(writer, "capabilities");
    oi_json_add_raw(writer, OI_SLICE("{\"tools\":{\"listChanged\":false}}"));
    oi_json_add_name(writer, "serverInfo");
    oi_json_begin_object(writer);
    oi_text_json_text(writer, "name", "oi");
    oi_text_json_text(writer, "title", "Open interest of crypto derivatives");
    oi_text_json_text(writer, "version", OI_VERSION);
    oi_json_end_object(writer);
    oi_text_json_text(
        writer, "instructions",
        "Open interest of derivatives markets, minute by minute. Name a figure's unit, sides and "
        "age, which every answer carries, when you tell it. Figures are exact decimals as texts. "
        "Begin with find_markets or latest_open_interest; conventions says how exchanges count.");
    oi_json_end_object(writer);
}

static enum oi_status
write_result(struct oi_rendering *rendering, const struct mcp_message *message,
             struct oi_json_writer *writer, struct oi_error *error)
{
    if (message->kind == MCP_CALL)
        return write_answer(rendering, writer, error);
    oi_json_add_name(writer, "result");
    if (message->kind == MCP_INITIALIZE) {
        write_greeting(writer, message);
        return OI_OK;
    }
    oi_json_begin_object(writer);
    if (message->kind == MCP_LIST)
        mcp_write_tools(writer);
    oi_json_end_object(writer);
    return OI_OK;
}

enum oi_status
mcp_render(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
           struct oi_error *error)
{
    OI_CLEANUP(mcp_release) struct mcp_message message = {};
    struct oi_json_writer writer = { .out = out };

    *ret_is_last = true;
    OI_TRY(mcp_read(rendering->request, &message, rendering->problem));
    if (message.kind == MCP_NOTHING) {
        rendering->reply->status = 202;
        return OI_OK;
    }
    oi_http_reply_type(rendering->reply, "application/json");
    mcp_begin(&writer, message.id);
    OI_TRY(write_result(rendering, &message, &writer, error));
    oi_json_end_object(&writer);
    return OI_OK;
}
