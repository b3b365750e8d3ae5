/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kwery's /v1/markets/{id}, one market by its slug, ticker or number, and which of the vendor's
 * tiers a refusal asks for. The vendor shows no answer of this route, so its names are those of the
 * other lists.
 */
/* no unit test: dialects/kwery_test asks */
#include "dialects/kwery_internal.h"

#include "core/symbology.h"
#include "dialects/text.h"

#include <string.h>

static const struct oi_parameter market_parameters[] = { { "api-key", 0 }, { "api_key", 0 } };

/* What a plan of the vendor's is called there, and how far back it goes; 0: to the beginning. */
static const struct tier {
    const char *name;
    int64_t history_ns;
} tiers[] = {
    { "free", 7 * OI_DAY },
    { "pro", 30 * OI_DAY },
    { "business", 90 * OI_DAY },
    { "enterprise", 0 },
};

enum oi_status
oi_kwery_parse_market(const struct oi_call *call, const struct oi_http_request *request,
                      struct oi_query *query, struct oi_problem *problem)
{
    static const struct oi_route route = { .path = "/v1/markets/{id}" };
    struct oi_slice id = oi_route_capture(&route, call->mount, request->path, "id");

    OI_TRY(OI_TEXT_PARAMETERS(request, market_parameters, problem));
    if (id.size == 0 || id.size > 64) {
        (void) oi_problem_set(problem, OI_PROBLEM_PATH, "id", id, "No such market.");
        return OI_E_INVALID;
    }
    query->echo = oi_arena_copy(&query->arena, id);
    oi_kwery_select_recorded(query, false);
    return OI_OK;
}

/* A ticker, or its slug, which is the same in small letters; or the market's number. */
static bool
is_asked_for(const struct oi_instrument *instrument, struct oi_slice id)
{
    int64_t number;

    if (oi_slice_equal_ignoring_case(oi_slice_of(instrument->symbol), id))
        return true;
    return oi_text_integer(id, &number) && number == (int64_t) instrument->id;
}

static void
add_market(const struct oi_market *market, struct oi_buffer *out)
{
    const struct oi_instrument *instrument = market->instrument;
    struct oi_json_writer writer = { .out = out };
    char slug[OI_SYMBOL_SIZE], source[OI_MARKET_NAME_SIZE] = "";

    for (size_t i = 0; i < sizeof(slug); i++)
        slug[i] = oi_lower(instrument->symbol[i]);
    (void) oi_kwery_source(instrument, source);
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "market");
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "id");
    oi_json_add_int(&writer, instrument->id);
    oi_text_json_text(&writer, "slug", slug);
    oi_text_json_text(&writer, "ticker", instrument->symbol);
    oi_text_json_text(&writer, "symbol", instrument->base);
    oi_text_json_text(&writer, "source", source);
    oi_text_json_text(&writer, "kind", oi_kind_name(instrument->kind));
    oi_text_json_text(&writer, "quote", instrument->quote);
    oi_text_json_text(&writer, "status", instrument->is_delisted ? "closed" : "open");
    oi_text_json_time(&writer, "expires_at", instrument->expiry, 0);
    oi_text_json_time(&writer, "earliest_data", market->first, 0);
    oi_text_json_time(&writer, "last_timestamp", market->last, 0);
    oi_json_end_object(&writer);
    oi_json_end_object(&writer);
}

enum oi_status
oi_kwery_render_market(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
                       struct oi_error *error)
{
    struct oi_slice id = oi_slice_of(rendering->query->echo);
    const struct oi_block *block;

    for (;;) {
        OI_TRY(oi_result_next(rendering->result, &block, error));
        if (!block)
            break;
        if (!block->market->instrument || !is_asked_for(block->market->instrument, id))
            continue;
        oi_http_reply_type(rendering->reply, "application/json");
        oi_http_reply_header_int(rendering->reply, "X-Credits-Used", 0);
        add_market(block->market, out);
        *ret_is_last = true;
        return OI_OK;
    }
    (void) oi_problem_set(rendering->problem, OI_PROBLEM_PATH, "id", id, "No such market.");
    return OI_E_INVALID;
}

/* The first tier above the caller's that goes back to the start asked for. */
static const char *
tier_of_history(const struct oi_call *call, const struct oi_http_request *request, size_t own)
{
    oi_time start;

    if (!oi_text_time(oi_text_value(request, "start"), &start))
        return NULL;
    for (size_t i = own + 1; i < OI_COUNT(tiers); i++)
        if (tiers[i].history_ns == 0 || start >= call->now - tiers[i].history_ns)
            return tiers[i].name;
    return NULL;
}

const char *
oi_kwery_required_tier(const struct oi_call *call, const struct oi_http_request *request,
                       const struct oi_problem *problem)
{
    const char *plan = call->allowance.plan;
    size_t own = 0;

    while (own < OI_COUNT(tiers) && (!plan || strcmp(tiers[own].name, plan) != 0))
        own++;
    if (own + 1 >= OI_COUNT(tiers))
        return NULL;
    if (problem->kind == OI_PROBLEM_CREDITS)
        return tiers[own + 1].name;
    if (problem->kind == OI_PROBLEM_FORBIDDEN)
        return tier_of_history(call, request, own);
    return NULL;
}
