/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The run of a backfill: every line sends what its budget allows, what comes goes into the store at
 * once. On a virtual clock waiting is moved on instead.
 */
#include "collector/backfill.h"

#include "base/log.h"
#include "collector/backfill_internal.h"
#include "exchanges/reply.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS_DEFAULT 20'000
/* Requests under way at one line. */
#define UNDER_WAY_MAX 8
/* An unsound answer is asked for again so often, after 1, 2, 4 s and so on. */
#define ATTEMPTS_MAX 5
#define RETRY_NS OI_SECOND
/* Told to slow down: patience, but not for ever. */
#define BUSY_ATTEMPTS_MAX 30
/* Refused: a country does not change by asking. */
#define DENIALS_MAX 2
/* So many waiting lots are looked at for one that may go. */
#define LOOK_BACK 64
#define SHOW_EVERY_NS (OI_SECOND / 4)
#define TICK_MS_MAX 1000

struct sent {
    struct oi_backfill_line *line;
    struct oi_backfill_lot lot;
};

static void pump(struct oi_backfill *backfill);

static int64_t
mono(const struct oi_backfill *backfill)
{
    return backfill->clock->monotonic_ns(backfill->clock);
}

static oi_time
wall(const struct oi_backfill *backfill)
{
    return backfill->clock->wall_ns(backfill->clock);
}

static const struct oi_backfill_market *
market_of(const struct oi_backfill_line *line, const struct oi_backfill_lot *lot)
{
    return &line->markets.items[lot->market];
}

static struct oi_task
task_of(const struct oi_backfill_line *line, const struct oi_backfill_lot *lot)
{
    const struct oi_backfill_market *market = market_of(line, lot);

    return (struct oi_task){
        .kind = OI_TASK_HISTORY,
        .product = market->endpoint->product,
        .symbol = market->symbol,
        .span = { lot->span.from - market->shift_ns, lot->span.to - market->shift_ns },
        .now = wall(line->backfill),
    };
}

/*
 * Pages into the store.
 */

/* A zero between figures that are none is most often no figure at all. */
static void
doubt_zeros(struct oi_row *rows, size_t count)
{
    bool has_others = false;

    for (size_t i = 0; i < count; i++)
        has_others |= oi_decimal_sign(&rows[i].reading.open_interest) != 0;
    for (size_t i = 0; has_others && i < count; i++)
        if (oi_decimal_sign(&rows[i].reading.open_interest) == 0)
            rows[i].reading.flags |= OI_FLAG_SUSPECT_ZERO;
}

static void
refused(void *context, size_t, const char *reason)
{
    const struct oi_backfill_line *line = context;

    oi_log_throttled(OI_LOG_WARN, "backfill.row_refused", line->share.exchange,
                     "exchange=%s reason=\"%s\"", line->share.exchange, reason);
}

/* Is there a row of this instant already? The first one stands: some replies have one twice. */
static bool
has_instant(const struct oi_row *rows, size_t count, oi_time time)
{
    for (size_t i = count; i-- > 0;)
        if (rows[i].reading.time == time)
            return true;
    return false;
}

static enum oi_status
store_rows(struct oi_backfill_line *line, const struct oi_row *rows, size_t count,
           struct oi_error *error)
{
    struct oi_backfill *backfill = line->backfill;
    const struct oi_batch batch = {
        .rows = rows, .row_count = count, .refuse = refused, .context = line
    };
    struct oi_append_result result = {};

    if (count == 0)
        return OI_OK;
    OI_TRY(oi_store_append(backfill->store, &batch, &result, error));
    backfill->report.rows += result.stored;
    backfill->report.duplicates += result.duplicate;
    backfill->report.refused += result.refused;
    return OI_OK;
}

enum oi_backfill_outcome
oi_backfill_take_page(struct oi_backfill_line *line, const struct oi_backfill_lot *lot,
                      struct oi_slice body, struct oi_error *error)
{
    const struct oi_backfill_market *market = market_of(line, lot);
    const struct oi_task task = task_of(line, lot);
    OI_VECTOR(struct oi_row) rows = {};
    enum oi_status status;

    oi_harvest_reset(&line->harvest);
    status = market->endpoint->read(&task, body, &line->harvest, error);
    if (status == OI_E_NOT_FOUND)
        return OI_BACKFILL_ABSENT;
    if (status != OI_OK)
        return OI_BACKFILL_UNSOUND;
    line->backfill->report.refused += line->harvest.skips.count;
    for (size_t i = 0; i < line->harvest.rows.count; i++) {
        struct oi_row row = { market->series, line->harvest.rows.items[i].reading };

        row.reading.time += market->shift_ns;
        /* Replies run past the span, or ignore where it begins. */
        if (!oi_backfill_wants(market, oi_interval_floor(market->period_ns, row.reading.time)) ||
            has_instant(rows.items, rows.count, row.reading.time))
            continue;
        oi_vector_push(&rows, row);
    }
    doubt_zeros(rows.items, rows.count);
    status = store_rows(line, rows.items, rows.count, error);
    oi_vector_release(&rows);
    return status == OI_OK ? OI_BACKFILL_DONE : OI_BACKFILL_STORE;
}

/*
 * Requests.
 */

static enum oi_status
ask_file(const struct oi_backfill_line *line, const struct oi_backfill_lot *lot,
         struct oi_http_request *request, struct oi_error *error)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer path = {};
    OI_CLEANUP(oi_buffer_release) struct oi_buffer url = {};
    oi_time day = oi_interval_floor(OI_DAY, lot->span.from - line->source->first_ns);

    line->source->path(line->source, market_of(line, lot)->symbol, day, &path);
    oi_buffer_add_text(&url, line->source->origin);
    for (size_t i = 0; i < path.size; i++) {
        unsigned char byte = (unsigned char) path.data[i];

        if (byte < 0x80 && (isalnum(byte) || strchr("/-._~", byte)))
            oi_buffer_add_char(&url, (char) byte);
        else
            oi_buffer_add_format(&url, "%%%02X", byte);
    }
    if (line->source->ending && lot->sum == 0)
        oi_buffer_add_text(&url, line->source->ending);
    oi_buffer_add_char(&url, '\0');
    return oi_http_get(request, url.data, error);
}

static enum oi_status
ask(const struct oi_backfill_line *line, const struct oi_backfill_lot *lot,
    struct oi_http_request *request, struct oi_error *error)
{
    const struct oi_task task = line->source ? (struct oi_task){} : task_of(line, lot);

    if (line->source)
        return ask_file(line, lot, request, error);
    return market_of(line, lot)->endpoint->ask(&task, request, error);
}

static unsigned
limit_of(const struct oi_backfill_line *line, const struct oi_backfill_lot *lot)
{
    return line->source ? 0 : market_of(line, lot)->endpoint->limit;
}

static unsigned
weight_of(const struct oi_backfill_line *line, const struct oi_backfill_lot *lot)
{
    return line->source ? 1 : market_of(line, lot)->endpoint->weight;
}

/* The next lot that may go now; false with the instant to look again at in line->wake_ns. */
static bool
next_lot(struct oi_backfill_line *line, struct oi_backfill_lot *ret_lot)
{
    int64_t now_ns = mono(line->backfill);
    size_t count = line->lots.count;

    line->wake_ns = INT64_MAX;
    for (size_t i = count; i-- > 0 && count - i <= LOOK_BACK;) {
        const struct oi_backfill_lot *lot = &line->lots.items[i];
        int64_t ready_ns = lot->due_ns;

        if (ready_ns <= now_ns)
            ready_ns =
                oi_pace_ready_at(&line->pace, limit_of(line, lot), weight_of(line, lot), now_ns);
        if (ready_ns <= now_ns) {
            *ret_lot = *lot;
            line->lots.count--;
            memmove(&line->lots.items[i], &line->lots.items[i + 1],
                    (line->lots.count - i) * sizeof(*lot));
            return true;
        }
        if (ready_ns < line->wake_ns)
            line->wake_ns = ready_ns;
    }
    return false;
}

/*
 * Answers.
 */

static void
put_back(struct oi_backfill_line *line, const struct oi_backfill_lot *lot)
{
    oi_vector_push(&line->lots, *lot);
}

static void
give_up(struct oi_backfill_line *line, const struct oi_backfill_lot *lot, const char *reason)
{
    line->backfill->report.failed++;
    oi_log_throttled(OI_LOG_WARN, "backfill.gave_up", line->share.exchange,
                     "exchange=%s symbol=%s reason=\"%s\"", line->share.exchange,
                     market_of(line, lot)->symbol, reason);
}

static void
give_up_line(struct oi_backfill_line *line, const char *reason)
{
    if (line->lots.count > 0)
        oi_log(OI_LOG_WARN, "backfill.denied", "exchange=%s lots=%zu reason=\"%s\"",
               line->share.exchange, line->lots.count, reason);
    line->backfill->report.failed += line->lots.count;
    oi_vector_clear(&line->lots);
}

static void
retry(struct oi_backfill_line *line, struct oi_backfill_lot *lot, enum oi_status status,
      const char *reason)
{
    struct oi_backfill *backfill = line->backfill;
    unsigned most = status == OI_E_BUSY ? BUSY_ATTEMPTS_MAX : ATTEMPTS_MAX;

    if (status == OI_E_DENIED && ++line->denials >= DENIALS_MAX) {
        give_up(line, lot, reason);
        give_up_line(line, reason);
        return;
    }
    if (++lot->attempts >= most) {
        give_up(line, lot, reason);
        return;
    }
    lot->due_ns = mono(backfill);
    if (status != OI_E_BUSY && status != OI_E_DENIED)
        lot->due_ns += (RETRY_NS << (lot->attempts - 1)) +
                       (int64_t) oi_random_below(&backfill->random, (uint64_t) RETRY_NS);
    put_back(line, lot);
}

static void
take_reply(struct oi_backfill_line *line, struct oi_backfill_lot *lot, struct oi_slice body)
{
    struct oi_backfill *backfill = line->backfill;
    struct oi_error error = {};
    enum oi_backfill_outcome outcome = line->source
                                           ? oi_backfill_take_file(line, lot, body, &error)
                                           : oi_backfill_take_page(line, lot, body, &error);

    if (outcome != OI_BACKFILL_UNSOUND)
        oi_pace_hear(&line->pace, OI_OK, 0, mono(backfill));
    switch (outcome) {
    case OI_BACKFILL_DONE:
        backfill->report.lots++;
        break;
    case OI_BACKFILL_ABSENT:
        backfill->report.missing++;
        break;
    case OI_BACKFILL_AGAIN:
        lot->due_ns = mono(backfill);
        put_back(line, lot);
        break;
    case OI_BACKFILL_UNSOUND:
        oi_pace_hear(&line->pace, OI_E_UPSTREAM, 0, mono(backfill));
        retry(line, lot, OI_E_UPSTREAM, error.message);
        break;
    case OI_BACKFILL_STORE:
        /* Nothing of the lot is in: the next run asks for it again. */
        backfill->failure = error;
        atomic_store(&backfill->is_stopping, true);
        break;
    }
}

static struct oi_verdict
judge(const struct oi_backfill_line *line, enum oi_status status,
      const struct oi_http_response *response, const struct oi_error *error)
{
    struct oi_verdict verdict = {};
    struct oi_reply_head head = { .now = wall(line->backfill) };

    if (status != OI_OK) {
        oi_reply_verdict(&verdict, status == OI_E_UPSTREAM ? OI_E_UPSTREAM : OI_E_IO, 0, "%s",
                         error ? error->message : "no answer");
        return verdict;
    }
    head.status = response->status;
    head.body = response->body;
    head.headers = response->headers;
    head.header_count = response->header_count;
    if (line->exchange && line->exchange->judge)
        line->exchange->judge(&head, &verdict);
    else
        oi_reply_judge(&head, &verdict);
    return verdict;
}

static void
on_answer(void *context, enum oi_status status, const struct oi_http_response *response,
          const struct oi_error *error)
{
    struct sent *sent = context;
    struct oi_backfill_line *line = sent->line;
    struct oi_backfill *backfill = line->backfill;
    struct oi_verdict verdict;

    line->under_way--;
    if (status == OI_E_CANCELLED) {
        oi_free(sent);
        return;
    }
    verdict = judge(line, status, response, error);
    if (verdict.weight_used > 0)
        oi_pace_learn(&line->pace, limit_of(line, &sent->lot), verdict.weight_used, mono(backfill));
    if (verdict.status == OI_OK) {
        take_reply(line, &sent->lot, response->body);
    } else if (verdict.status == OI_E_NOT_FOUND) {
        oi_pace_hear(&line->pace, OI_OK, 0, mono(backfill));
        backfill->report.missing++;
    } else {
        oi_pace_hear(&line->pace, verdict.status, verdict.pause_ms, mono(backfill));
        retry(line, &sent->lot, verdict.status, verdict.reason);
    }
    oi_free(sent);
    pump(backfill);
}

static void
send_lot(struct oi_backfill_line *line, const struct oi_backfill_lot *lot)
{
    struct oi_backfill *backfill = line->backfill;
    const struct oi_http_limits limits = { .timeout_ms = backfill->options.timeout_ms
                                                             ? backfill->options.timeout_ms
                                                             : TIMEOUT_MS_DEFAULT };
    const char *exchange = line->exchange ? line->exchange->name : "";
    struct oi_http_request request = {};
    struct oi_http_client *client;
    struct oi_error error = {};
    struct sent *sent;

    /* One address is enough for what is not urgent, and leaves the others to the collector. */
    if (ask(line, lot, &request, &error) != OI_OK ||
        oi_routes_client(backfill->routes, exchange, 0, &client, &error) != OI_OK) {
        /* It was kept when the plan was made, and is not any more. */
        backfill->report.missing++;
        oi_http_request_release(&request);
        return;
    }
    oi_pace_spend(&line->pace, limit_of(line, lot), weight_of(line, lot), mono(backfill));
    backfill->report.requests++;
    line->under_way++;
    sent = oi_alloc_zero(1, sizeof(*sent));
    *sent = (struct sent){ line, *lot };
    oi_http_client_send(client, &request, &limits, on_answer, sent);
    oi_http_request_release(&request);
}

/*
 * The loop.
 */

static void
show(struct oi_backfill *backfill, bool is_last)
{
    struct oi_backfill_progress progress = { .requests = backfill->requests_planned };
    int64_t now_ns = mono(backfill);
    uint64_t waiting = 0;

    if (!backfill->options.progress || (!is_last && now_ns - backfill->shown_ns < SHOW_EVERY_NS))
        return;
    backfill->shown_ns = now_ns;
    for (size_t i = 0; i < backfill->lines.count; i++) {
        const struct oi_backfill_line *line = backfill->lines.items[i];
        unsigned each = line->source && line->source->ending ? 2 : 1;
        uint64_t open = line->lots.count + line->under_way;
        int64_t left_ns = line->share.lots > 0
                              ? line->share.time_ns / (int64_t) line->share.lots * (int64_t) open
                              : 0;

        waiting += open * each;
        if (left_ns > progress.left_ns)
            progress.left_ns = left_ns;
    }
    progress.requests_done = progress.requests > waiting ? progress.requests - waiting : 0;
    progress.rows = backfill->report.rows;
    progress.elapsed_ns = now_ns - backfill->begun_ns;
    backfill->options.progress(backfill->options.context, &progress);
}

static void
advance(struct oi_backfill_line *line)
{
    struct oi_backfill_lot lot;

    while (line->under_way < UNDER_WAY_MAX && next_lot(line, &lot))
        send_lot(line, &lot);
    if (line->under_way >= UNDER_WAY_MAX)
        line->wake_ns = INT64_MAX;
}

static int64_t
find_wake(const struct oi_backfill *backfill)
{
    int64_t wake_ns = INT64_MAX;

    for (size_t i = 0; i < backfill->lines.count; i++)
        if (backfill->lines.items[i]->wake_ns < wake_ns)
            wake_ns = backfill->lines.items[i]->wake_ns;
    return wake_ns;
}

static bool
is_any_under_way(const struct oi_backfill *backfill)
{
    for (size_t i = 0; i < backfill->lines.count; i++)
        if (backfill->lines.items[i]->under_way > 0)
            return true;
    return false;
}

static bool
is_finished(const struct oi_backfill *backfill)
{
    if (atomic_load(&backfill->is_stopping))
        return true;
    for (size_t i = 0; i < backfill->lines.count; i++)
        if (backfill->lines.items[i]->lots.count > 0)
            return false;
    return !is_any_under_way(backfill);
}

static bool
skip_waiting(struct oi_backfill *backfill)
{
    int64_t wake_ns = find_wake(backfill), now_ns = mono(backfill);

    if (!backfill->options.virtual_clock || wake_ns == INT64_MAX || is_any_under_way(backfill))
        return false;
    if (wake_ns > now_ns)
        oi_virtual_clock_advance(backfill->options.virtual_clock, wake_ns - now_ns);
    return true;
}

static void
pump(struct oi_backfill *backfill)
{
    int64_t wait_ns;
    uint64_t wait_ms;

    backfill->pump_again = true;
    if (backfill->is_pumping)
        return;
    backfill->is_pumping = true;
    while (backfill->pump_again && !atomic_load(&backfill->is_stopping)) {
        backfill->pump_again = false;
        for (size_t i = 0; i < backfill->lines.count; i++)
            advance(backfill->lines.items[i]);
        if (!backfill->pump_again)
            backfill->pump_again = skip_waiting(backfill);
    }
    backfill->is_pumping = false;
    show(backfill, false);
    if (is_finished(backfill)) {
        oi_loop_stop(backfill->loop);
        return;
    }
    wait_ns = find_wake(backfill);
    wait_ns = wait_ns == INT64_MAX ? OI_SECOND : wait_ns - mono(backfill);
    wait_ms = wait_ns <= 0 ? 0 : (uint64_t) (wait_ns / OI_MILLISECOND) + 1;
    oi_timer_start(backfill->timer, wait_ms < TICK_MS_MAX ? wait_ms : TICK_MS_MAX, 0);
}

static void
on_tick(void *context)
{
    pump(context);
}

static void
on_signal(void *context, int)
{
    oi_backfill_stop(context);
}

static void
on_wake(void *context)
{
    struct oi_backfill *backfill = context;

    if (atomic_load(&backfill->is_stopping))
        oi_loop_stop(backfill->loop);
}

void
oi_backfill_stop(struct oi_backfill *backfill)
{
    atomic_store(&backfill->is_stopping, true);
    oi_loop_wake(backfill->loop);
}

/*
 * From the plan to the report.
 */

static enum oi_status
set_up(struct oi_backfill *backfill, struct oi_error *error)
{
    const struct oi_backfill_options *options = &backfill->options;
    /* Exchanges revise what they told of the past, Kraken for one. */
    const struct oi_feed history = { .name = "history", .restates = true };
    struct oi_routes_options ways = { .redirect_to = options->redirect_to,
                                      .proxies = options->proxies,
                                      .addresses = options->addresses };

    if (options->span.from >= options->span.to)
        return oi_fail(error, OI_E_INVALID, "the span is empty");
    OI_TRY(oi_store_feed(backfill->store, &history, &backfill->feed, error));
    OI_TRY(oi_loop_new(&backfill->loop, error));
    backfill->timer = oi_timer_new(backfill->loop, on_tick, backfill);
    oi_loop_on_wake(backfill->loop, on_wake, backfill);
    ways.loop = backfill->loop;
    OI_TRY(oi_routes_open(&ways, &backfill->routes, error));
    return oi_backfill_make_plan(backfill, error);
}

enum oi_status
oi_backfill_open(const struct oi_backfill_options *options, struct oi_store *store,
                 struct oi_backfill **ret_backfill, struct oi_error *error)
{
    struct oi_backfill *backfill = oi_alloc_zero(1, sizeof(*backfill));
    uint64_t seed;
    enum oi_status status;

    backfill->options = *options;
    backfill->store = store;
    backfill->clock = options->clock ? options->clock : &oi_clock_system;
    if (options->virtual_clock)
        backfill->clock = &options->virtual_clock->clock;
    if (backfill->options.sources == 0)
        backfill->options.sources = OI_BACKFILL_ENDPOINT;
    oi_random_secret(&seed, sizeof(seed));
    oi_random_init(&backfill->random, seed);
    status = set_up(backfill, error);
    if (status != OI_OK) {
        oi_backfill_close(&backfill);
        return status;
    }
    *ret_backfill = backfill;
    return OI_OK;
}

size_t
oi_backfill_plan(const struct oi_backfill *backfill, const struct oi_backfill_share **ret_shares)
{
    *ret_shares = backfill->shares.items;
    return backfill->shares.count;
}

/* Series for every market that has lots: one commit a line. */
static enum oi_status
make_series(struct oi_backfill *backfill, struct oi_backfill_line *line, struct oi_error *error)
{
    OI_VECTOR(uint32_t) ids = {};
    OI_VECTOR(uint32_t) series = {};
    enum oi_status status;

    for (size_t i = 0; i < line->markets.count; i++) {
        oi_vector_push(&ids, line->markets.items[i].instrument);
        oi_vector_push(&series, 0);
    }
    status = oi_store_series_all(backfill->store, ids.items, ids.count, backfill->feed,
                                 series.items, error);
    for (size_t i = 0; status == OI_OK && i < line->markets.count; i++)
        line->markets.items[i].series = series.items[i];
    oi_vector_release(&ids);
    oi_vector_release(&series);
    return status;
}

enum oi_status
oi_backfill_run(struct oi_backfill *backfill, struct oi_backfill_report *ret_report,
                struct oi_error *error)
{
    enum oi_status status = OI_OK;

    for (size_t i = 0; status == OI_OK && i < backfill->lines.count; i++)
        if (!backfill->lines.items[i]->source && backfill->lines.items[i]->markets.count > 0)
            status = make_series(backfill, backfill->lines.items[i], error);
    backfill->begun_ns = mono(backfill);
    backfill->shown_ns = backfill->begun_ns - SHOW_EVERY_NS;
    if (status == OI_OK) {
        if (backfill->options.is_interruptible)
            oi_loop_on_signal(backfill->loop, on_signal, backfill);
        oi_timer_start(backfill->timer, 0, 0);
        while (!is_finished(backfill))
            oi_loop_run(backfill->loop);
        show(backfill, true);
    }
    oi_timer_stop(backfill->timer);
    backfill->report.was_stopped = atomic_load(&backfill->is_stopping);
    oi_routes_close(&backfill->routes);
    *ret_report = backfill->report;
    if (status == OI_OK && backfill->failure.status != OI_OK)
        return oi_fail(error, backfill->failure.status, "%s", backfill->failure.message);
    return status;
}

void
oi_backfill_close(struct oi_backfill **backfill)
{
    struct oi_backfill *closing = *backfill;

    if (!closing)
        return;
    *backfill = NULL;
    oi_routes_close(&closing->routes);
    oi_timer_free(&closing->timer);
    oi_loop_free(&closing->loop);
    for (size_t i = 0; i < closing->lines.count; i++)
        oi_backfill_line_free(closing->lines.items[i]);
    oi_vector_release(&closing->lines);
    oi_vector_release(&closing->shares);
    oi_free(closing);
}
