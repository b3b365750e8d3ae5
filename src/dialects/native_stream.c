/* SPDX-License-Identifier: Apache-2.0 */
/* The streams of the native API, over WebSocket or as server-sent events: every reading as its feed
 * said it, or every closed candle, one object a message. */
#include "dialects/native_internal.h"

#include "core/symbology.h"
#include "dialects/native_rows.h"
#include "dialects/text.h"

#define MARKETS_MAX 1000

static const struct oi_parameter parameters[] = {
    { "key", 0 },
    { "market", OI_PARAMETER_REPEATABLE },
    { "exchange", OI_PARAMETER_REPEATABLE },
    { "coin", 0 },
    { "quote", 0 },
    { "kind", OI_PARAMETER_REPEATABLE },
    { "product", 0 },
    { "backfill", 0 },
    { "interval", 0 },
    { "unit", 0 },
    { "convention", 0 },
    { "rows", 0 },
    { "since", 0 },
    { "channel", 0 },
    { "rule", 0 },
    { "after", 0 },
};

/* A browser cannot set a header on a WebSocket: the key may stand in the address. */
static struct oi_slice
key(const struct oi_http_request *request)
{
    struct oi_slice given = oi_text_bearer(request);

    return given.size > 0 ? given : oi_text_value(request, "key");
}

static bool
chooses(const struct oi_http_request *request)
{
    static const char *const names[] = { "market", "exchange", "coin", "quote", "kind", "product" };

    for (size_t i = 0; i < OI_COUNT(names); i++)
        if (oi_text_value(request, names[i]).size > 0)
            return true;
    return false;
}

/* Readings come as they are stored, candles when they are closed. */
static enum oi_status
check(const struct oi_http_request *request, const struct oi_query *query,
      struct oi_problem *problem)
{
    static const char *const names[] = { "unit", "convention" };

    if (query->interval_ns > 0 && query->wants_latest)
        return oi_problem_set(problem, OI_PROBLEM_PARAMETER, "backfill", OI_SLICE("latest"),
                              "Closed candles have no backfill; ask for them.");
    for (size_t i = 0; i < OI_COUNT(names); i++) {
        struct oi_slice value = oi_text_value(request, names[i]);

        if (query->interval_ns == 0 && value.size > 0)
            return oi_problem_set(problem, OI_PROBLEM_PARAMETER, names[i], value,
                                  "Needs an interval: readings come as they are stored.");
    }
    return OI_OK;
}

/* `rows=full`: what another server needs to keep the same rows, from one of our commits on. */
static enum oi_status
read_replica(const struct oi_http_request *request, struct oi_query *query,
             struct oi_problem *problem)
{
    static const struct oi_word forms[] = { { "short", false }, { "full", true } };
    struct oi_slice since = oi_text_value(request, "since");
    int64_t is_full = false, batch = 0;

    OI_TRY(OI_TEXT_WORD(request, "rows", forms, &is_full, problem));
    query->is_replica = is_full;
    if (is_full && (query->interval_ns > 0 || query->wants_latest))
        return oi_problem_set(problem, OI_PROBLEM_PARAMETER, "rows", OI_SLICE("full"),
                              "Goes with neither an interval nor a backfill.");
    if (since.size > 0 && (!is_full || !oi_text_integer(since, &batch) || batch < 0))
        return oi_problem_set(problem, OI_PROBLEM_PARAMETER, "since", since,
                              "Must be the number of a commit, and needs rows=full.");
    query->since = since.size > 0 ? (uint64_t) batch : UINT64_MAX;
    return OI_OK;
}

/* Alerts are not of markets, but of rules. */
static enum oi_status
parse_alerts(const struct oi_http_request *request, struct oi_query *query,
             struct oi_problem *problem)
{
    static const char *const others[] = { "backfill",   "interval", "unit",
                                          "convention", "rows",     "since" };
    struct oi_slice after = oi_text_value(request, "after");

    for (size_t i = 0; i < OI_COUNT(others); i++)
        if (oi_text_value(request, others[i]).size > 0)
            return oi_problem_set(problem, OI_PROBLEM_PARAMETER, others[i],
                                  oi_text_value(request, others[i]),
                                  "Means nothing to the channel of alerts.");
    if (chooses(request))
        return oi_problem_set(problem, OI_PROBLEM_PARAMETER, "channel", OI_SLICE("alerts"),
                              "Alerts are chosen by rule, not by market.");
    query->kind = OI_QUERY_ALERTS;
    query->text_filter = oi_text_copy(request, "rule", query);
    query->number = -1;
    if (after.size > 0 && (!oi_text_integer(after, &query->number) || query->number < 0))
        return oi_problem_set(problem, OI_PROBLEM_PARAMETER, "after", after,
                              "Must be the sequence of an alert.");
    return OI_OK;
}

static enum oi_status
parse(const struct oi_call *, const struct oi_http_request *request, struct oi_query *query,
      struct oi_problem *problem)
{
    static const struct oi_word backfills[] = { { "latest", true }, { "none", false } };
    static const struct oi_word channels[] = { { "readings", false }, { "alerts", true } };
    int64_t wants_latest = false, wants_alerts = false;

    OI_TRY(OI_TEXT_PARAMETERS(request, parameters, problem));
    OI_TRY(OI_TEXT_WORD(request, "channel", channels, &wants_alerts, problem));
    if (wants_alerts)
        return parse_alerts(request, query, problem);
    if (oi_text_value(request, "rule").size > 0 || oi_text_value(request, "after").size > 0)
        return oi_problem_set(problem, OI_PROBLEM_PARAMETER, "channel", (struct oi_slice){},
                              "rule and after are for channel=alerts.");
    OI_TRY(OI_TEXT_WORD(request, "backfill", backfills, &wants_latest, problem));
    query->wants_latest = wants_latest;
    OI_TRY(native_read_interval(request, query, problem));
    OI_TRY(native_read_unit(request, query, problem));
    OI_TRY(check(request, query, problem));
    OI_TRY(read_replica(request, query, problem));
    if (chooses(request))
        OI_TRY(native_select(request, query, problem));
    if (query->selectors.count > MARKETS_MAX)
        return oi_problem_set(problem, OI_PROBLEM_PARAMETER, "market", (struct oi_slice){},
                              "at most %d markets", MARKETS_MAX);
    if (wants_latest && query->selectors.count == 0) {
        struct oi_selector *all = oi_query_select(query, OI_SYMBOLOGY_NATIVE);

        all->market = "*";
        all->is_pattern = true;
    }
    return OI_OK;
}

static void
add_decimal(struct oi_json_writer *writer, const char *name, const struct oi_decimal *value)
{
    char text[OI_DECIMAL_TEXT_SIZE];

    oi_json_add_name(writer, name);
    if (oi_decimal_is_none(value)) {
        oi_json_add_null(writer);
        return;
    }
    oi_json_add_string(writer, (struct oi_slice){ text, oi_decimal_print(value, text) });
}

static void
render_short(const struct oi_stream_row *row, struct oi_buffer *out)
{
    const struct oi_observation *reading = row->reading;
    struct oi_json_writer writer = { .out = out };
    char name[OI_MARKET_NAME_SIZE];

    oi_native_name(row->instrument, name);
    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "market", name);
    oi_text_json_time(&writer, "time", reading->time, oi_time_fraction_digits(reading->time));
    add_decimal(&writer, "open_interest", &reading->open_interest);
    add_decimal(&writer, "value_usd", &reading->value_usd);
    add_decimal(&writer, "mark_price", &reading->mark_price);
    oi_text_json_text(&writer, "feed", row->feed);
    oi_json_end_object(&writer);
}

static void
render_row(const struct oi_stream_row *row, bool is_full, struct oi_buffer *out)
{
    if (is_full) {
        oi_native_write_row(row->instrument, row->feed, row->reading, row->batch, out);
        return;
    }
    render_short(row, out);
}

const struct oi_stream_route native_stream = {
    .path = "/stream",
    .key = key,
    .parse = parse,
    .has_events = true,
    .render_row = render_row,
    .render_candle = native_write_candle,
    .render_alert = native_write_alert,
    .stall_code = 1013,
};
