/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver: one loop, one HTTP client, and for each exchange a poll that says what to send. Live
 * it runs on a thread of its own and begins a minute when the clock does; stepped, the caller says
 * which minute, and a virtual clock is moved on whenever there is nothing to do but wait.
 */
#include "collector/collector.h"

#include "base/log.h"
#include "collector/collector_internal.h"

#define TIMEOUT_MS_DEFAULT 10'000
/* Requests under way at one exchange. */
#define UNDER_WAY_MAX 16
/* Nothing follows the one minute: no reason to spread it, the limits hold anyway. */
#define ONCE_SPREAD_MS 1
/* Look at the clock at least so often: it may be set. */
#define TICK_MS_MAX 1000

/* A request and whose it is. */
struct sent {
    struct oi_collector_exchange *exchange;
    struct oi_ask ask;
    uint64_t number;
};

static void pump(struct oi_collector *collector);

static struct oi_poll_now
read_clock(const struct oi_collector *collector)
{
    return (struct oi_poll_now){ .wall = collector->clock->wall_ns(collector->clock),
                                 .mono_ns = collector->clock->monotonic_ns(collector->clock) };
}

static void
publish(struct oi_collector *collector)
{
    (void) pthread_mutex_lock(&collector->stats_lock);
    for (size_t i = 0; i < collector->count; i++) {
        collector->stats[i] = collector->exchanges[i].poll.stats;
        if (collector->streams)
            oi_streams_stats(collector->streams, collector->exchanges[i].poll.exchange,
                             &collector->stream_stats[i]);
    }
    (void) pthread_mutex_unlock(&collector->stats_lock);
}

/*
 * What is done, into the raw files.
 */

static struct oi_raw_record
record_of(const struct oi_collector_exchange *exchange, enum oi_raw_kind kind,
          struct oi_poll_now now)
{
    return (struct oi_raw_record){ .kind = kind,
                                   .wall = now.wall,
                                   .mono_ns = now.mono_ns,
                                   .exchange = oi_slice_of(exchange->poll.exchange->name),
                                   .committed = exchange->poll.committed };
}

static struct oi_slice
text_of(const char *text)
{
    return text ? oi_slice_of(text) : (struct oi_slice){};
}

static void
write_sent(const struct sent *sent, const struct oi_http_request *request, struct oi_poll_now now)
{
    const struct oi_collector_exchange *exchange = sent->exchange;
    const struct oi_endpoint *endpoint = &exchange->poll.exchange->endpoints[sent->ask.endpoint];
    struct oi_raw_record record = record_of(exchange, OI_RAW_SEND, now);
    struct oi_buffer text = {};

    if (!exchange->collector->raw)
        return;
    oi_buffer_add_text(&text, oi_http_method_name(request->method));
    oi_buffer_add_char(&text, ' ');
    if (request->origin.size > 0)
        oi_http_write_url(request, &text);
    if (request->body.size > 0)
        oi_buffer_add_char(&text, ' ');
    oi_buffer_add_slice(&text, request->body);
    record.number = sent->number;
    record.task = endpoint->kind;
    record.endpoint = sent->ask.endpoint;
    record.product = text_of(endpoint->product);
    record.family = text_of(sent->ask.family);
    record.symbol = text_of(sent->ask.symbol);
    record.page = text_of(sent->ask.page);
    record.request = oi_buffer_slice(&text);
    oi_raw_add(exchange->collector->raw, &record);
    oi_buffer_release(&text);
}

static void
write_answer(const struct sent *sent, const struct oi_poll_answer *answer, struct oi_poll_now now)
{
    struct oi_raw *raw = sent->exchange->collector->raw;
    struct oi_raw_record record = record_of(sent->exchange, OI_RAW_ANSWER, now);
    OI_VECTOR(struct oi_http_field) kept = {};

    if (!raw)
        return;
    record.number = sent->number;
    record.outcome = answer->status;
    record.reason = text_of(answer->error ? answer->error->message : NULL);
    if (answer->status == OI_OK) {
        for (size_t i = 0; i < answer->response->header_count; i++)
            if (!oi_slice_equal_ignoring_case(answer->response->headers[i].name,
                                              OI_SLICE("set-cookie")))
                oi_vector_push(&kept, answer->response->headers[i]);
        record.status = answer->response->status;
        record.body = answer->response->body;
        record.headers = kept.items;
        record.header_count = kept.count;
    }
    oi_raw_add(raw, &record);
    oi_vector_release(&kept);
}

/* An act that may have committed something. */
static void
write_act(struct oi_collector_exchange *exchange, enum oi_raw_kind kind, struct oi_poll_now now,
          bool is_stopping)
{
    struct oi_raw_record record = record_of(exchange, kind, now);

    exchange->poll.committed = OI_TIME_NONE;
    record.minute = exchange->poll.minute;
    record.is_stopping = is_stopping;
    if (exchange->collector->raw && (kind != OI_RAW_FLUSH || record.committed != OI_TIME_NONE))
        oi_raw_add(exchange->collector->raw, &record);
}

/* End an exchange's minute. */
static void
close_poll(struct oi_collector_exchange *exchange, bool is_stopping)
{
    struct oi_poll_now now = read_clock(exchange->collector);

    oi_poll_close(&exchange->poll, now, is_stopping);
    write_act(exchange, OI_RAW_CLOSE, now, is_stopping);
}

static void
on_answer(void *context, enum oi_status status, const struct oi_http_response *response,
          const struct oi_error *error)
{
    struct sent *sent = context;
    struct oi_collector_exchange *exchange = sent->exchange;
    const struct oi_poll_answer answer = { status, response, error };
    struct oi_poll_now now = read_clock(exchange->collector);

    exchange->under_way--;
    write_answer(sent, &answer, now);
    oi_poll_answer(&exchange->poll, &sent->ask, &answer, now);
    oi_free(sent);
    if (status != OI_E_CANCELLED)
        pump(exchange->collector);
}

static void
send_ask(struct oi_collector_exchange *exchange, const struct oi_ask *ask, struct oi_poll_now now)
{
    struct oi_collector *collector = exchange->collector;
    const struct oi_http_limits limits = { .timeout_ms = collector->timeout_ms };
    struct oi_http_request request = {};
    struct sent *sent = oi_alloc_zero(1, sizeof(*sent));
    struct oi_error error = {};
    enum oi_status status;

    *sent = (struct sent){ exchange, *ask, ++collector->sent };
    exchange->under_way++;
    status = oi_poll_request(&exchange->poll, ask, &request, &error);
    write_sent(sent, &request, now);
    if (status == OI_OK)
        oi_http_client_send(exchange->clients[ask->address], &request, &limits, on_answer, sent);
    else
        on_answer(sent, OI_E_UPSTREAM, NULL, &error);
    oi_http_request_release(&request);
}

/* Send what may go, commit what is complete. */
static void
advance(struct oi_collector_exchange *exchange)
{
    struct oi_collector *collector = exchange->collector;
    struct oi_poll_now now = read_clock(collector);
    struct oi_ask ask;
    int64_t wake_ns;

    while (exchange->under_way < UNDER_WAY_MAX &&
           oi_poll_next(&exchange->poll, now, &ask, &wake_ns)) {
        send_ask(exchange, &ask, now);
        now = read_clock(collector);
    }
    exchange->is_full = exchange->under_way >= UNDER_WAY_MAX;
    now = read_clock(collector);
    oi_poll_flush(&exchange->poll, now);
    write_act(exchange, OI_RAW_FLUSH, now, false);
    if (exchange->poll.is_open && oi_poll_is_done(&exchange->poll, read_clock(collector)))
        close_poll(exchange, false);
}

/* When somebody has something to do again. */
static int64_t
find_wake(const struct oi_collector *collector)
{
    int64_t wake_ns = INT64_MAX;

    for (size_t i = 0; i < collector->count; i++) {
        const struct oi_poll *poll = &collector->exchanges[i].poll;

        if (!poll->is_open)
            continue;
        wake_ns = poll->close_ns < wake_ns ? poll->close_ns : wake_ns;
        if (!collector->exchanges[i].is_full && poll->wake_ns < wake_ns)
            wake_ns = poll->wake_ns;
        wake_ns = poll->flush_ns < wake_ns ? poll->flush_ns : wake_ns;
    }
    return wake_ns;
}

static unsigned
count_under_way(const struct oi_collector *collector)
{
    unsigned count = 0;

    for (size_t i = 0; i < collector->count; i++)
        count += collector->exchanges[i].under_way;
    return count;
}

static bool
is_any_open(const struct oi_collector *collector)
{
    for (size_t i = 0; i < collector->count; i++)
        if (collector->exchanges[i].poll.is_open)
            return true;
    return false;
}

static void
arm(struct oi_collector *collector)
{
    struct oi_poll_now now = read_clock(collector);
    int64_t wait_ns = oi_interval_floor(OI_MINUTE, now.wall) + OI_MINUTE - now.wall;
    int64_t wake_ns = find_wake(collector);
    uint64_t wait_ms;

    if (wake_ns != INT64_MAX && wake_ns - now.mono_ns < wait_ns)
        wait_ns = wake_ns - now.mono_ns;
    wait_ms = wait_ns <= 0 ? 0 : (uint64_t) (wait_ns / OI_MILLISECOND) + 1;
    oi_timer_start(collector->timer, wait_ms < TICK_MS_MAX ? wait_ms : TICK_MS_MAX, 0);
}

/* True while a virtual clock was moved on. */
static bool
skip_waiting(struct oi_collector *collector)
{
    int64_t wake_ns = find_wake(collector), now_ns = read_clock(collector).mono_ns;

    if (!collector->virtual_clock || wake_ns == INT64_MAX || count_under_way(collector) > 0)
        return false;
    if (wake_ns > now_ns)
        oi_virtual_clock_advance(collector->virtual_clock, wake_ns - now_ns);
    return true;
}

static void
pump(struct oi_collector *collector)
{
    collector->pump_again = true;
    if (collector->is_pumping)
        return;
    collector->is_pumping = true;
    while (collector->pump_again) {
        collector->pump_again = false;
        for (size_t i = 0; i < collector->count; i++)
            advance(&collector->exchanges[i]);
        if (!collector->pump_again)
            collector->pump_again = skip_waiting(collector);
    }
    collector->is_pumping = false;
    publish(collector);
    if (collector->is_stepped && !is_any_open(collector))
        oi_loop_stop(collector->loop);
    else
        arm(collector);
}

static void
begin_minute(struct oi_collector *collector, oi_time minute)
{
    struct oi_poll_now now = read_clock(collector);

    if (collector->minute != OI_TIME_NONE && minute != collector->minute + OI_MINUTE &&
        !collector->is_stepped)
        oi_log(OI_LOG_WARN, "collector.clock_jumped", "by_minutes=%lld",
               (long long) ((minute - collector->minute) / OI_MINUTE - 1));
    collector->minute = minute;
    for (size_t i = 0; i < collector->count; i++) {
        struct oi_poll *poll = &collector->exchanges[i].poll;
        struct oi_error error = {};
        enum oi_status status = oi_poll_begin(poll, minute, now, &error);

        write_act(&collector->exchanges[i], OI_RAW_BEGIN, now, false);
        if (status == OI_OK)
            continue;
        poll->stats.commit_failures++;
        oi_log_throttled(OI_LOG_ERROR, "collector.store_refused", poll->exchange->name,
                         "exchange=%s reason=\"%s\"", poll->exchange->name, error.message);
    }
}

static void
on_tick(void *context)
{
    struct oi_collector *collector = context;
    oi_time minute;

    if (!collector->is_stepped) {
        minute = oi_schedule_minute(collector->minute, read_clock(collector).wall);
        if (minute != OI_TIME_NONE)
            begin_minute(collector, minute);
    }
    pump(collector);
}

/* On the loop's thread: end what is under way, keep what came. */
static void
finish(struct oi_collector *collector)
{
    oi_streams_close(&collector->streams);
    oi_routes_close(&collector->routes);
    for (size_t i = 0; i < collector->count; i++)
        close_poll(&collector->exchanges[i], true);
    publish(collector);
    oi_timer_free(&collector->timer);
}

static void *
run(void *context)
{
    struct oi_collector *collector = context;

    oi_timer_start(collector->timer, 0, 0);
    while (!atomic_load(&collector->is_stopping))
        oi_loop_run(collector->loop);
    finish(collector);
    return NULL;
}

static bool
is_chosen(const struct oi_collector_options *options, const char *name)
{
    for (size_t i = 0; options->exchanges && options->exchanges[i]; i++)
        if (strcmp(options->exchanges[i], name) == 0)
            return true;
    return !options->exchanges;
}

static enum oi_status
check_names(const struct oi_collector_options *options, const struct oi_exchange *const *registry,
            struct oi_error *error)
{
    for (size_t i = 0; options->exchanges && options->exchanges[i]; i++) {
        bool is_known = false;

        for (size_t j = 0; registry[j]; j++)
            is_known |= strcmp(registry[j]->name, options->exchanges[i]) == 0;
        if (!is_known)
            return oi_fail(error, OI_E_INVALID, "no exchange is called %s", options->exchanges[i]);
    }
    return OI_OK;
}

static enum oi_status
add_exchanges(struct oi_collector *collector, const struct oi_collector_options *options,
              struct oi_error *error)
{
    const struct oi_exchange *const *registry =
        options->registry ? options->registry : oi_exchanges;
    const struct oi_feed live = { .name = "live" };
    struct oi_poll_options of = { .store = collector->store,
                                  .seed = options->seed,
                                  .spread_ms = options->spread_ms,
                                  .frozen_after_ns = options->frozen_after_ns,
                                  .address_count = oi_routes_address_count(collector->routes),
                                  .is_patient = collector->is_stepped };
    size_t room = 0;

    OI_TRY(check_names(options, registry, error));
    OI_TRY(oi_store_feed(collector->store, &live, &of.feed, error));
    if (of.seed == 0)
        oi_random_secret(&of.seed, sizeof(of.seed));
    while (registry[room])
        room++;
    collector->exchanges = oi_alloc_zero(room + 1, sizeof(*collector->exchanges));
    collector->stats = oi_alloc_zero(room + 1, sizeof(*collector->stats));
    collector->stream_stats = oi_alloc_zero(room + 1, sizeof(*collector->stream_stats));
    for (size_t i = 0; i < room; i++) {
        struct oi_collector_exchange *exchange = &collector->exchanges[collector->count];

        /* Of one that has closed, or is known by its files alone, there is nothing to ask. */
        if (!is_chosen(options, registry[i]->name) || registry[i]->endpoint_count == 0)
            continue;
        of.exchange = registry[i];
        of.seed++;
        exchange->collector = collector;
        oi_poll_init(&exchange->poll, &of);
        collector->count++;
    }
    return OI_OK;
}

static enum oi_status
open_streams(struct oi_collector *collector, const struct oi_collector_options *options,
             struct oi_error *error)
{
    const struct oi_streams_options streams = { .clock = collector->clock,
                                                .loop = collector->loop,
                                                .store = collector->store,
                                                .seed = options->seed,
                                                .raw = collector->raw,
                                                .interval_ms = options->stream_interval_ms };

    if (collector->is_stepped)
        return oi_fail(error, OI_E_INVALID, "streams are for a collector of its own thread");
    OI_TRY(oi_streams_open(&streams, &collector->streams, error));
    for (size_t i = 0; i < collector->count; i++)
        oi_streams_add(collector->streams, collector->exchanges[i].poll.exchange,
                       collector->exchanges[i].clients[0]);
    return OI_OK;
}

static enum oi_status
open_routes(struct oi_collector *collector, const struct oi_collector_options *options,
            struct oi_error *error)
{
    const struct oi_routes_options routes = { .loop = collector->loop,
                                              .redirect_to = options->redirect_to,
                                              .proxies = options->proxies,
                                              .addresses = options->addresses };

    return oi_routes_open(&routes, &collector->routes, error);
}

static enum oi_status
open_clients(struct oi_collector *collector, struct oi_error *error)
{
    for (size_t i = 0; i < collector->count; i++) {
        struct oi_collector_exchange *exchange = &collector->exchanges[i];

        for (unsigned address = 0; address < exchange->poll.address_count; address++)
            OI_TRY(oi_routes_client(collector->routes, exchange->poll.exchange->name, address,
                                    &exchange->clients[address], error));
    }
    return OI_OK;
}

static enum oi_status
set_up(struct oi_collector *collector, const struct oi_collector_options *options,
       struct oi_error *error)
{
    const struct oi_raw_options raw = { .folder = options->raw_folder,
                                        .clock = collector->clock,
                                        .keep_ns = options->raw_keep_ns,
                                        .size_max = options->raw_size_max };

    OI_TRY(oi_loop_new(&collector->loop, error));
    OI_TRY(open_routes(collector, options, error));
    OI_TRY(add_exchanges(collector, options, error));
    if (options->raw_folder)
        OI_TRY(oi_raw_open(&raw, &collector->raw, error));
    collector->timer = oi_timer_new(collector->loop, on_tick, collector);
    OI_TRY(open_clients(collector, error));
    return options->has_streams ? open_streams(collector, options, error) : OI_OK;
}

static void
release(struct oi_collector *collector)
{
    oi_streams_close(&collector->streams);
    oi_routes_close(&collector->routes);
    oi_timer_free(&collector->timer);
    oi_loop_free(&collector->loop);
    for (size_t i = 0; i < collector->count; i++)
        oi_poll_release(&collector->exchanges[i].poll);
    oi_raw_close(&collector->raw);
    oi_free(collector->exchanges);
    oi_free(collector->stats);
    oi_free(collector->stream_stats);
    (void) pthread_mutex_destroy(&collector->stats_lock);
    oi_free(collector);
}

static enum oi_status
open_collector(const struct oi_collector_options *options, struct oi_store *store, bool is_stepped,
               struct oi_collector **ret_collector, struct oi_error *error)
{
    struct oi_collector *collector = oi_alloc_zero(1, sizeof(*collector));
    enum oi_status status;

    collector->store = store;
    collector->is_stepped = is_stepped;
    collector->minute = OI_TIME_NONE;
    collector->virtual_clock = options->virtual_clock;
    collector->clock = options->clock ? options->clock : &oi_clock_system;
    if (options->virtual_clock)
        collector->clock = &options->virtual_clock->clock;
    collector->timeout_ms = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS_DEFAULT;
    (void) pthread_mutex_init(&collector->stats_lock, NULL);
    status = set_up(collector, options, error);
    if (status != OI_OK) {
        release(collector);
        return status;
    }
    publish(collector);
    *ret_collector = collector;
    return OI_OK;
}

static void
on_wake(void *context)
{
    struct oi_collector *collector = context;

    if (atomic_load(&collector->is_stopping))
        oi_loop_stop(collector->loop);
}

enum oi_status
oi_collector_open(const struct oi_collector_options *options, struct oi_store *store,
                  struct oi_collector **ret_collector, struct oi_error *error)
{
    struct oi_collector *collector;

    if (options->virtual_clock)
        return oi_fail(error, OI_E_INVALID, "a virtual clock is for a stepped collector");
    OI_TRY(open_collector(options, store, false, &collector, error));
    oi_loop_on_wake(collector->loop, on_wake, collector);
    if (pthread_create(&collector->thread, NULL, run, collector) != 0) {
        release(collector);
        return oi_fail(error, OI_E_IO, "the collector's thread cannot be started");
    }
    *ret_collector = collector;
    return OI_OK;
}

enum oi_status
oi_collector_open_stepped(const struct oi_collector_options *options, struct oi_store *store,
                          struct oi_collector **ret_collector, struct oi_error *error)
{
    return open_collector(options, store, true, ret_collector, error);
}

void
oi_collector_close(struct oi_collector **collector)
{
    struct oi_collector *closing = *collector;

    if (!closing)
        return;
    *collector = NULL;
    if (closing->is_stepped) {
        finish(closing);
    } else {
        atomic_store(&closing->is_stopping, true);
        oi_loop_wake(closing->loop);
        (void) pthread_join(closing->thread, NULL);
    }
    release(closing);
}

enum oi_status
oi_collector_poll_minute(struct oi_collector *collector, oi_time minute,
                         struct oi_collector_report *ret_report, struct oi_error *error)
{
    struct oi_collector_report report = {};
    uint64_t failures = 0, rows = 0;
    int64_t ahead_ns = minute - read_clock(collector).wall;

    oi_assert(collector->is_stepped);
    if (collector->virtual_clock && ahead_ns > 0)
        oi_virtual_clock_advance(collector->virtual_clock, ahead_ns);
    for (size_t i = 0; i < collector->count; i++) {
        failures -= collector->exchanges[i].poll.stats.commit_failures;
        rows -= collector->exchanges[i].poll.stats.rows;
    }
    begin_minute(collector, minute);
    oi_timer_start(collector->timer, 0, 0);
    do {
        oi_loop_run(collector->loop);
    } while (is_any_open(collector));
    oi_timer_stop(collector->timer);
    for (size_t i = 0; i < collector->count; i++) {
        const struct oi_poll_stats *stats = &collector->exchanges[i].poll.stats;

        failures += stats->commit_failures;
        rows += stats->rows;
        report.expected += stats->expected;
        report.missing += stats->missing;
    }
    report.stored = rows;
    if (failures > 0)
        return oi_fail(error, OI_E_IO, "the store refused what was collected (the log says why)");
    if (ret_report)
        *ret_report = report;
    return OI_OK;
}

enum oi_status
oi_collector_run_once(const struct oi_collector_options *options, struct oi_store *store,
                      struct oi_collector_report *ret_report, struct oi_error *error)
{
    struct oi_collector_options once = *options;
    struct oi_collector *collector = NULL;
    enum oi_status status;

    if (once.spread_ms == 0)
        once.spread_ms = ONCE_SPREAD_MS;
    OI_TRY(oi_collector_open_stepped(&once, store, &collector, error));
    status = oi_collector_poll_minute(
        collector, oi_interval_floor(OI_MINUTE, read_clock(collector).wall), ret_report, error);
    oi_collector_close(&collector);
    return status;
}
