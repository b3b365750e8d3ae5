/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: tests/system/native.test.mjs asks twice; the cache itself is in cache_test.c */
/*
 * Answers that are kept. Ours depend on the target, the plan's bounds and the data alone; other
 * vendors' headers tell of the caller's plan where it has limits, and oanor's bodies name the
 * request.
 */
#include "server/answer_internal.h"

#include <string.h>

bool
answer_may_keep(const struct answer *answer, const struct oi_http_request *request)
{
    const struct oi_allowance *allowance = &answer->call.allowance;

    if (request->method != OI_HTTP_GET || answer->route->is_link || answer->route->is_file ||
        request->body.size > 0 || answer->dialect == &oi_dialect_oanor)
        return false;
    return answer->dialect == &oi_dialect_native ||
           (allowance->rate_limit == 0 && allowance->credits_limit == 0);
}

void
answer_make_key(struct answer *answer, const struct oi_http_request *request)
{
    const struct oi_allowance *allowance = &answer->call.allowance;
    const struct oi_slice *accept = oi_http_header(request, "accept");

    const int64_t bounds[] = { (int64_t) allowance->rows_max, allowance->history_ns,
                               allowance->denies_totals };

    /* None of the texts holds the end of a line. */
    oi_buffer_add_slice(&answer->key, request->raw_target);
    oi_buffer_add_char(&answer->key, '\n');
    oi_buffer_add_text(&answer->key, answer->public_url);
    for (size_t i = 0; i < OI_COUNT(bounds); i++) {
        oi_buffer_add_char(&answer->key, '\n');
        oi_buffer_add_int(&answer->key, bounds[i]);
    }
    oi_buffer_add_char(&answer->key, '\n');
    if (allowance->plan)
        oi_buffer_add_text(&answer->key, allowance->plan);
    oi_buffer_add_char(&answer->key, '\n');
    if (accept)
        oi_buffer_add_slice(&answer->key, *accept);
    answer->state.batch = oi_store_last_batch(answer->server->source->store);
    answer->state.now_ns = answer->visit.monotonic_ns;
}

/* Is the client's copy still right? */
static void
say_not_modified(const struct oi_http_request *request, struct oi_http_reply *reply)
{
    const struct oi_slice *known = oi_http_header(request, "if-none-match");
    const struct oi_slice *tag = oi_http_reply_find(reply, "etag");

    if (!known || !tag || reply->status != 200 ||
        (!oi_slice_is(*known, "*") && !memmem(known->data, known->size, tag->data, tag->size)))
        return;
    reply->status = 304;
    reply->is_compressible = false;
    oi_http_reply_cut(reply, 0, 0);
}

/* What is enough to know that a kept answer still holds for the same request: it came from here,
 * its data and the rules of access are what they were, and nothing is counted of who asks. */
struct recipe {
    struct tally *tally;
    uint64_t rows;
    uint64_t generation; /* of the rules */
    uint64_t batch;
    int64_t made_ns;
};

/* Let the same bytes have the same answer without being read again. What hangs on another clock
 * (a session's) or other settings (of origins) than the recipe knows is always read. */
static void
vouch(const struct answer *answer, const struct oi_http_request *request,
      struct oi_http_reply *reply)
{
    const struct oi_plan *plan = &answer->grant.plan;
    struct recipe *recipe;

    if (plan->rate_count > 0 || plan->monthly > 0 || oi_http_header(request, "cookie") ||
        oi_http_header(request, "origin") || oi_http_header(request, "range"))
        return;
    recipe = oi_arena_alloc_zero(&reply->arena, 1, sizeof(*recipe));
    *recipe = (struct recipe){ .tally = answer->tally,
                               .rows = answer->counts[1],
                               .generation = answer->generation,
                               .batch = answer->state.batch,
                               .made_ns = answer->state.now_ns };
    reply->recipe = (struct oi_slice){ (const char *) recipe, sizeof(*recipe) };
}

bool
router_again(void *worker, const void *recipe)
{
    const struct oi_server *server = ((struct worker *) worker)->server;
    const struct oi_clock *clock = server->source->clock;
    const struct recipe *known = recipe;

    if (oi_access_generation(server->access) != known->generation ||
        oi_store_last_batch(server->source->store) != known->batch ||
        clock->monotonic_ns(clock) - known->made_ns > OI_CACHE_AGE_MAX_NS)
        return false;
    atomic_fetch_add(&known->tally->requests, 1);
    if (known->rows > 0)
        atomic_fetch_add(&known->tally->rows, known->rows);
    return true;
}

bool
answer_find_kept(struct answer *answer, const struct oi_http_request *request,
                 struct oi_http_reply *reply)
{
    if (!oi_cache_find(answer->server->cache, oi_buffer_slice(&answer->key), &answer->state,
                       request, reply, answer->counts))
        return false;
    answer->rendering.credits = answer->counts[0];
    say_not_modified(request, reply);
    vouch(answer, request, reply);
    return true;
}

/* What was asked, where the clock may have had a part in it. */
static uint64_t
version_of(const struct answer *answer)
{
    const struct oi_query *query = &answer->query;
    const uint64_t parts[] = { answer->result->data_version, (uint64_t) query->span.from,
                               (uint64_t) query->span.to, (uint64_t) query->as_of,
                               (uint64_t) query->as_stored };
    uint64_t version = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < OI_COUNT(parts); i++)
        version = (version ^ parts[i] ^ parts[i] >> 29) * UINT64_C(1099511628211);
    return version != 0 ? version : 1;
}

/* Does the answer follow from the question and the data, whatever the time? */
static bool
is_timeless(const struct answer *answer)
{
    switch (answer->query.kind) {
    case OI_QUERY_ROWS:
    case OI_QUERY_CANDLES:
    case OI_QUERY_REVISIONS:
        return answer->dialect == &oi_dialect_native;
    case OI_QUERY_NONE:
    case OI_QUERY_MARKETS:
    case OI_QUERY_SNAPSHOTS:
    case OI_QUERY_BARS:
    case OI_QUERY_MONTHS:
    case OI_QUERY_LATEST:
    case OI_QUERY_GAPS:
    case OI_QUERY_FROZEN:
    case OI_QUERY_CHANGES:
    case OI_QUERY_COVERAGE:
    case OI_QUERY_CONVENTIONS:
    case OI_QUERY_CALENDAR:
    case OI_QUERY_OPTIONS:
    case OI_QUERY_EXPIRIES:
    case OI_QUERY_METRICS:
    case OI_QUERY_OVERVIEW:
    case OI_QUERY_ALERTS:
        break;
    }
    return false;
}

bool
answer_find_same(struct answer *answer, const struct oi_http_request *request,
                 struct oi_http_reply *reply)
{
    struct oi_slice target = request->raw_target;
    uint64_t tag;

    if (answer->key.size == 0 || !answer->result || !is_timeless(answer))
        return false;
    answer->state.version = tag = version_of(answer);
    if (answer_find_kept(answer, request, reply))
        return true;
    for (size_t i = 0; i < target.size; i++)
        tag = (tag ^ (unsigned char) target.data[i]) * UINT64_C(1099511628211);
    oi_http_reply_header(
        reply, "ETag",
        oi_slice_of(oi_arena_format(&reply->arena, "W/\"%016llx\"", (unsigned long long) tag)));
    say_not_modified(request, reply);
    return reply->status == 304;
}

bool
answer_is_damaged(const struct answer *answer)
{
    return answer->result && answer->result->damage_count > 0;
}

void
answer_keep(struct answer *answer, const struct oi_http_reply *reply)
{
    uint64_t counts[2] = { answer->rendering.credits, 0 };

    if (answer->key.size == 0 || reply->status != 200 || answer_is_damaged(answer))
        return;
    counts[1] = answer->result ? answer->result->row_count : 0;
    oi_cache_put(answer->server->cache, oi_buffer_slice(&answer->key), &answer->state, reply,
                 counts);
}
