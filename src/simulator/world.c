/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world: finds whose host a request names, counts it against that exchange's limits, asks the
 * moods, and has it answered. One lock around it all: answers are short.
 */
/* no unit test: the contract suite of the simulator drives it, simulator_test over sockets */
#include "simulator/twist.h"
#include "simulator/world_state.h"

const struct venue *const venues[] = {
#define OI_VENUE(upper, name) [OI_VENUE_##upper] = &venue_##name,
#include "simulator/venues.def"
#undef OI_VENUE
};

oi_time
oi_world_now(const struct oi_simulator_world *world)
{
    return world->clock->wall_ns(world->clock);
}

struct oi_simulator_world *
oi_simulator_world_new(uint64_t seed, const struct oi_clock *clock)
{
    struct oi_simulator_world *world = oi_alloc_zero(1, sizeof(*world));

    world->seed = seed;
    world->pulse_ns = OI_MINUTE;
    world->clock = clock ? clock : &oi_clock_system;
    world->moods_since = oi_world_now(world);
    oi_assert(pthread_mutex_init(&world->mutex, NULL) == 0);
    for (size_t i = 0; i < OI_VENUE_COUNT; i++) {
        oi_assert(venues[i]->rule_count <= VENUE_METERS_MAX);
        for (size_t rule = 0; rule < venues[i]->rule_count; rule++)
            world->venues[i].meters[rule].rule = venues[i]->rules[rule];
    }
    return world;
}

/* A copy of a coin: "DOGEXB" for the second of DOGE. */
static struct oi_coin
copy_coin(struct oi_simulator_world *world, const struct oi_coin *coin, unsigned copy)
{
    struct oi_coin further = *coin;
    struct oi_buffer text = {};

    oi_buffer_add_format(&text, "%sX%c%s", coin->name, (char) ('A' + copy % 26),
                         copy >= 26 ? "X" : "");
    further.name = oi_arena_copy(&world->arena, oi_buffer_slice(&text));
    oi_buffer_clear(&text);
    for (const char *letter = coin->venues; *letter; letter++)
        if (!strchr("EQXxk", *letter))
            oi_buffer_add_char(&text, *letter);
    further.venues = oi_arena_copy(&world->arena, oi_buffer_slice(&text));
    oi_buffer_release(&text);
    return further;
}

void
oi_simulator_broaden(struct oi_simulator_world *world, unsigned breadth)
{
    for (unsigned copy = 1; copy < breadth; copy++)
        for (size_t i = 0; i < oi_coin_count; i++)
            oi_vector_push(&world->coins, copy_coin(world, &oi_coins[i], copy - 1));
}

void
oi_simulator_world_free(struct oi_simulator_world **world)
{
    if (!world || !*world)
        return;
    for (size_t i = 0; i < OI_VENUE_COUNT; i++)
        for (size_t meter = 0; meter < VENUE_METERS_MAX; meter++)
            oi_meter_release(&(*world)->venues[i].meters[meter]);
    oi_catalogue_release(&(*world)->catalogue);
    oi_moods_release(&(*world)->moods);
    oi_vector_release(&(*world)->coins);
    oi_arena_release(&(*world)->arena);
    (void) pthread_mutex_destroy(&(*world)->mutex);
    oi_free(*world);
    *world = NULL;
}

enum oi_status
oi_simulator_set_moods(struct oi_simulator_world *world, struct oi_slice text,
                       struct oi_error *error)
{
    struct oi_moods moods;

    OI_TRY(oi_moods_parse(text, &moods, error));
    (void) pthread_mutex_lock(&world->mutex);
    oi_moods_release(&world->moods);
    world->moods = moods;
    world->moods_since = oi_world_now(world);
    oi_vector_clear(&world->catalogue.markets); /* what is listed may be another thing now */
    for (size_t i = 0; i < OI_VENUE_COUNT; i++)
        world->venues[i].since_moods = 0;
    (void) pthread_mutex_unlock(&world->mutex);
    return OI_OK;
}

static uint64_t
sum(const struct oi_simulator_world *world, const char *exchange, bool of_violations)
{
    pthread_mutex_t *mutex = (pthread_mutex_t *) &world->mutex; /* reading locks, too */
    uint64_t total = 0;

    (void) pthread_mutex_lock(mutex);
    for (size_t i = 0; i < OI_VENUE_COUNT; i++) {
        const struct venue_state *state = &world->venues[i];

        if (!exchange || strcmp(exchange, oi_venue_name((enum oi_venue) i)) == 0)
            total += of_violations ? state->violations : state->requests;
    }
    (void) pthread_mutex_unlock(mutex);
    return total;
}

uint64_t
oi_simulator_requests(const struct oi_simulator_world *world, const char *exchange)
{
    return sum(world, exchange, false);
}

uint64_t
oi_simulator_violations(const struct oi_simulator_world *world, const char *exchange)
{
    return sum(world, exchange, true);
}

/* "https://fapi.binance.com:443" is "fapi.binance.com". */
struct oi_slice
oi_world_host(const struct oi_http_request *request)
{
    struct oi_slice rest = request->origin;
    struct oi_slice host = {};
    const char *scheme = rest.size > 0 ? memmem(rest.data, rest.size, "://", 3) : NULL;

    if (scheme) {
        rest.size -= (size_t) (scheme + 3 - rest.data);
        rest.data = scheme + 3;
    }
    (void) oi_slice_next_part(&rest, ':', &host);
    return host;
}

static bool
is_among(struct oi_slice host, const char *const *names)
{
    for (const char *const *name = names; *name; name++)
        if (oi_slice_equal_ignoring_case(host, oi_slice_of(*name)))
            return true;
    return false;
}

bool
oi_world_find(struct oi_slice host, bool is_stream, enum oi_venue *ret_venue)
{
    for (size_t i = 0; i < OI_VENUE_COUNT; i++) {
        if (is_stream ? !venues[i]->stream || !is_among(host, venues[i]->stream->hosts)
                      : !is_among(host, venues[i]->hosts))
            continue;
        *ret_venue = (enum oi_venue) i;
        return true;
    }
    return false;
}

/* A reply that breaks off: its first half comes, and then nothing. */
struct half {
    struct oi_buffer body;
    bool has_come;
};

static enum oi_status
more_of_half(void *context, struct oi_buffer *out, bool *ret_is_last, struct oi_error *error)
{
    struct half *half = context;

    if (half->has_come)
        return oi_fail(error, OI_E_CANCELLED, "broken off, as scripted");
    half->has_come = true;
    oi_buffer_add(out, half->body.data, half->body.size);
    *ret_is_last = false;
    return OI_OK;
}

static void
finish_half(void *context)
{
    struct half *half = context;

    oi_buffer_release(&half->body);
    oi_free(half);
}

static void
truncate_reply(struct oi_http_reply *reply)
{
    struct half *half = oi_alloc_zero(1, sizeof(*half));

    half->body = reply->body;
    half->body.size = (half->body.size + 1) / 2;
    reply->body = (struct oi_buffer){};
    if (half->body.size == 0)
        oi_buffer_add_char(&half->body, ' ');
    reply->more = more_of_half;
    reply->finish = finish_half;
    reply->context = half;
}

/* In place of an answer, or on top of it. */
static void
apply_mood(const struct call *call, const struct oi_mood *mood)
{
    switch (mood->kind) {
    case OI_MOOD_FINE:
    case OI_MOOD_DROP:
    case OI_MOOD_SKEW:
    case OI_MOOD_DELIST:
    case OI_MOOD_RENAME:
    case OI_MOOD_RESIZE:
    case OI_MOOD_CUT:
    case OI_MOOD_MUTE:
    case OI_MOOD_REPEAT:
    case OI_MOOD_SWAP:
    case OI_MOOD_GARBLE:
        return;
    case OI_MOOD_SHUFFLE:
        /* Hyperliquid's rows are known by their places. */
        if (call->venue != OI_VENUE_HYPERLIQUID)
            twist_shuffle(&call->reply->body);
        return;
    case OI_MOOD_DIGITS:
        twist_digits(&call->reply->body);
        return;
    case OI_MOOD_STATUS:
        call_fail(call, mood->status, "text/html",
                  mood->status == 403 || mood->status == 451
                      ? "<html><body>This service is not available in your country.</body></html>"
                      : "<html><body>The service is out of sorts.</body></html>");
        if (mood->retry_after_s > 0)
            oi_http_reply_header_int(call->reply, "Retry-After", mood->retry_after_s);
        return;
    case OI_MOOD_HANG:
        call->reply->is_withheld = true;
        return;
    case OI_MOOD_HTML:
        call_fail(call, 200, "text/html",
                  "<!DOCTYPE html><html><body>Under maintenance</body></html>");
        return;
    case OI_MOOD_TRUNCATE:
        truncate_reply(call->reply);
        return;
    }
}

/* By the exchange's clock. */
static void
date_reply(const struct call *call)
{
    char date[OI_HTTP_DATE_SIZE];

    oi_http_date_write(oi_time_to_s(call->now + call->ahead_ns), date);
    oi_http_reply_header_text(call->reply, "Date", date);
}

static void
answer_venue(struct oi_simulator_world *world, struct call *call)
{
    const struct venue *venue = venues[call->venue];
    struct venue_state *state = &world->venues[call->venue];
    struct cost cost = venue->cost(call);
    struct oi_meter_answer counted =
        oi_meter_count(&state->meters[cost.meter], cost.weight, call->now);
    const struct oi_mood *mood;

    state->requests++;
    call->number = ++state->since_moods;
    call->elapsed_ns = call->now - world->moods_since;
    call->ahead_ns =
        oi_moods_skew(call->moods, call->venue, call->number, call->elapsed_ns) * OI_SECOND;
    date_reply(call);
    if (counted.verdict != OI_METER_FINE) {
        state->violations++;
        venue->refuse(call, &counted);
        return;
    }
    oi_http_reply_type(call->reply, "application/json");
    venue->answer(call);
    if (venue->decorate)
        venue->decorate(call, &counted);
    mood = oi_moods_find(call->moods, call->venue, call->number, call->elapsed_ns);
    if (mood)
        apply_mood(call, mood);
}

static void
add_status(const struct oi_simulator_world *world, struct oi_json_writer *writer)
{
    oi_json_begin_object(writer);
    for (size_t i = 0; i < OI_VENUE_COUNT; i++) {
        const char *name = oi_venue_name((enum oi_venue) i);

        oi_json_add_name(writer, name);
        oi_json_begin_object(writer);
        oi_json_add_name(writer, "requests");
        oi_json_add_int(writer, (int64_t) oi_simulator_requests(world, name));
        oi_json_add_name(writer, "violations");
        oi_json_add_int(writer, (int64_t) oi_simulator_violations(world, name));
        oi_json_end_object(writer);
    }
    oi_json_end_object(writer);
}

/* Everything that is addressed to no exchange. */
static void
answer_own(struct oi_simulator_world *world, const struct oi_http_request *request,
           struct oi_http_reply *reply, struct oi_json_writer *writer)
{
    struct oi_error error = {};

    oi_http_reply_type(reply, "application/json");
    if (oi_slice_is(request->path, "/simulator/status")) {
        add_status(world, writer);
        return;
    }
    oi_http_reply_type(reply, "text/plain; charset=utf-8");
    if (!oi_slice_is(request->path, "/simulator/moods")) {
        reply->status = 404;
        oi_buffer_add_text(&reply->body, "no such host or path\n");
    } else if (request->method != OI_HTTP_POST) {
        reply->status = 405;
        oi_buffer_add_text(&reply->body, "POST the moods\n");
    } else if (oi_simulator_set_moods(world, request->body, &error) != OI_OK) {
        reply->status = 400;
        oi_buffer_add_format(&reply->body, "%s\n", error.message);
    } else {
        oi_buffer_add_text(&reply->body, "ok\n");
    }
}

static void
rebuild(struct oi_simulator_world *world, oi_time now)
{
    oi_catalogue_build(&world->catalogue, now);
    oi_catalogue_add(&world->catalogue, world->coins.items, world->coins.count, now);
    oi_moods_alter(&world->moods, &world->catalogue);
}

void
oi_world_list(struct oi_simulator_world *world, oi_time now)
{
    if (world->catalogue.markets.count == 0 || !oi_span_contains(world->catalogue.valid, now))
        rebuild(world, now);
}

void
oi_simulator_answer(struct oi_simulator_world *world, const struct oi_http_request *request,
                    struct oi_http_reply *reply)
{
    struct oi_json_writer writer = { .out = &reply->body };
    struct call call = { .seed = world->seed,
                         .catalogue = &world->catalogue,
                         .moods = &world->moods,
                         .host = oi_world_host(request),
                         .request = request,
                         .reply = reply,
                         .writer = &writer };

    if (reply->status == 0)
        reply->status = 200;
    if (!oi_world_find(call.host, false, &call.venue)) {
        answer_own(world, request, reply, &writer);
        return;
    }
    (void) pthread_mutex_lock(&world->mutex);
    call.now = oi_world_now(world);
    oi_world_list(world, call.now);
    answer_venue(world, &call);
    (void) pthread_mutex_unlock(&world->mutex);
}
