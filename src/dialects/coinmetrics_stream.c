/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The WebSocket of the Coin Metrics dialect: rows as they come, numbered on each connection.
 * https://docs.coinmetrics.io/api/v4 (timeseries-stream); the rules of delivery are the vendor's.
 */
#include "dialects/coinmetrics_internal.h"

#include "core/symbology.h"
#include "dialects/text.h"

/* Later than this a row is no news. */
#define AGE_MAX (30 * OI_MINUTE)
/* The vendor's own memory of what was sent. */
#define MEMORY_ROWS 1000

static const struct oi_parameter parameters[] = {
    { "api_key", 0 }, { "markets", OI_PARAMETER_REQUIRED }, { "backfill", 0 },
    { "pretty", 0 },  COINMETRICS_PARAMETERS_OF_ALL,
};

static enum oi_status
parse(const struct oi_call *, const struct oi_http_request *request, struct oi_query *query,
      struct oi_problem *problem)
{
    static const struct oi_word backfills[] = { { "latest", true }, { "none", false } };
    int64_t wants_latest = true;

    OI_TRY(OI_TEXT_PARAMETERS(request, parameters, problem));
    OI_TRY(coinmetrics_read_markets(request, query, problem));
    OI_TRY(coinmetrics_read_choice(request, "backfill", backfills, OI_COUNT(backfills),
                                   &wants_latest, problem));
    OI_TRY(coinmetrics_read_boolean(request, "pretty", &query->is_pretty, problem));
    query->wants_latest = wants_latest;
    return OI_OK;
}

/* A market's newest reading comes whatever its age, and daily feeds never. */
static bool
takes(const struct oi_stream_row *row, oi_time now, bool is_newest)
{
    char name[OI_MARKET_NAME_SIZE];

    if (row->is_daily || oi_decimal_is_none(&row->amount))
        return false;
    if (!is_newest && row->reading->time < now - AGE_MAX)
        return false;
    return oi_coinmetrics_market(row->instrument, name);
}

/* Before a member: its comma, line and name. */
static void
begin_member(const char *name, bool is_first, bool is_pretty, struct oi_buffer *out)
{
    if (!is_first)
        oi_buffer_add_char(out, ',');
    if (is_pretty)
        OI_ADD(out, "\n  ");
    oi_buffer_add_char(out, '"');
    oi_buffer_add_text(out, name);
    oi_buffer_add_text(out, is_pretty ? "\": " : "\":");
}

static void
add_decimal(const char *name, const struct oi_decimal *value, bool is_pretty, struct oi_buffer *out)
{
    begin_member(name, false, is_pretty, out);
    if (oi_decimal_is_none(value)) {
        OI_ADD(out, "null");
        return;
    }
    oi_buffer_add_char(out, '"');
    oi_decimal_write(value, out);
    oi_buffer_add_char(out, '"');
}

static void
add_time(const char *name, oi_time time, bool is_pretty, struct oi_buffer *out)
{
    begin_member(name, false, is_pretty, out);
    oi_buffer_add_char(out, '"');
    oi_time_write(time, 9, out);
    oi_buffer_add_char(out, '"');
}

static void
render_row(const struct oi_stream_row *row, bool is_pretty, struct oi_buffer *out)
{
    char name[OI_MARKET_NAME_SIZE];

    (void) oi_coinmetrics_market(row->instrument, name);
    oi_buffer_add_char(out, '{');
    begin_member("market", true, is_pretty, out);
    oi_json_quote(out, oi_slice_of(name));
    add_time("time", row->reading->time, is_pretty, out);
    add_decimal("contract_count", &row->amount, is_pretty, out);
    add_decimal("value_usd", &row->usd, is_pretty, out);
    add_time("exchange_time", row->reading->time, is_pretty, out);
}

static void
render_end(uint64_t sequence, bool is_pretty, struct oi_buffer *out)
{
    begin_member("cm_sequence_id", false, is_pretty, out);
    oi_buffer_add_char(out, '"');
    oi_buffer_add_int(out, (int64_t) sequence);
    oi_buffer_add_text(out, is_pretty ? "\"\n}" : "\"}");
}

const struct oi_stream_route coinmetrics_stream = {
    .path = "/v4/timeseries-stream/market-openinterest",
    .unit = OI_UNIT_CONTRACTS,
    .parse = parse,
    .takes = takes,
    .memory = MEMORY_ROWS,
    .render_row = render_row,
    .render_end = render_end,
    .warning_percent = 60,
    .warning = "{\"warning\":{\"type\":\"falling_behind\",\"message\":\"Your connection is falling "
               "behind and messages are being queued for delivery to you. Your queue is now over "
               "60%"
               " full. You will be disconnected when the queue is full.\"}}",
    .stall =
        "{\"error\":{\"type\":\"stall\",\"message\":\"The client was reading too slowly and was "
        "disconnected by the server.\"}}",
    .stall_code = 1013,
};
