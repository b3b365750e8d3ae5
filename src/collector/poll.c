/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange's minute: from what is due over what came to what is committed. */
#include "collector/poll.h"

#include "base/log.h"
#include "exchanges/reply.h"

#include <stdio.h>

#define SPREAD_MS_DEFAULT 30'000
#define SPREAD_MS_MAX 45'000
/* The minute is closed so long before the next one. */
#define CLOSE_AFTER_NS (57 * OI_SECOND)
#define PATIENCE_NS (55 * OI_SECOND)
/* Begun later than this, what is missing was not the exchange's fault. */
#define LATE_NS (20 * OI_SECOND)
#define FLUSH_EVERY_NS (5 * OI_SECOND)
/* An unsound answer is asked for again once, after 1 to 3 s; a refused one when the pause is over.
 */
#define ATTEMPTS_MAX 2
#define BUSY_ATTEMPTS_MAX 4
#define RETRY_NS OI_SECOND
#define RETRY_JITTER_NS (2 * OI_SECOND)
/* A clock that is wrong by so much makes stamps and labels doubtful: tell. */
#define SKEW_NS (3 * OI_SECOND)
/* No list is so long: next_page goes in circles. */
#define PAGES_MAX 200
/* While the store refuses: so many rows are kept, an hour of the largest exchange. */
#define KEPT_ROWS_MAX 200'000

void
oi_poll_init(struct oi_poll *poll, const struct oi_poll_options *options)
{
    uint64_t spread_ms = options->spread_ms ? options->spread_ms : SPREAD_MS_DEFAULT;

    *poll = (struct oi_poll){ .exchange = options->exchange,
                              .store = options->store,
                              .feed = options->feed,
                              .is_patient = options->is_patient,
                              .minute = OI_TIME_NONE,
                              .committed = OI_TIME_NONE,
                              .stats.last_success = OI_TIME_NONE };
    if (spread_ms > SPREAD_MS_MAX)
        spread_ms = SPREAD_MS_MAX;
    poll->spread_ns = (int64_t) spread_ms * OI_MILLISECOND;
    poll->out = oi_alloc_zero(options->exchange->endpoint_count + 1, sizeof(*poll->out));
    oi_random_init(&poll->random, options->seed);
    poll->frozen.after_ns = options->frozen_after_ns == 0 ? OI_HOUR : options->frozen_after_ns;
    poll->address_count = options->address_count > 0 ? options->address_count : 1;
    oi_assert(poll->address_count <= OI_POLL_ADDRESSES_MAX);
    for (unsigned i = 0; i < poll->address_count; i++)
        oi_pace_init(&poll->paces[i], options->exchange);
    oi_board_init(&poll->board, options->exchange);
    oi_discover_init(&poll->discover, options->exchange);
}

void
oi_poll_release(struct oi_poll *poll)
{
    for (unsigned i = 0; i < poll->address_count; i++)
        oi_pace_release(&poll->paces[i]);
    oi_board_release(&poll->board);
    oi_discover_release(&poll->discover);
    oi_agenda_release(&poll->agenda);
    oi_harvest_release(&poll->harvest);
    oi_board_yield_release(&poll->yield);
    oi_frozen_release(&poll->frozen);
    oi_free(poll->out);
}

static const struct oi_endpoint *
endpoint_of(const struct oi_poll *poll, const struct oi_ask *ask)
{
    return &poll->exchange->endpoints[ask->endpoint];
}

static struct oi_task
task_of(const struct oi_poll *poll, const struct oi_ask *ask)
{
    const struct oi_endpoint *endpoint = endpoint_of(poll, ask);

    return (struct oi_task){ .kind = endpoint->kind,
                             .product = endpoint->product,
                             .family = ask->family,
                             .symbol = ask->symbol,
                             .page = ask->page,
                             .now = ask->minute };
}

static enum oi_hole_cause
cause_of(enum oi_status trouble)
{
    if (trouble == OI_E_DENIED)
        return OI_HOLE_BLOCKED;
    if (trouble == OI_E_BUSY)
        return OI_HOLE_RATE_LIMITED;
    return OI_HOLE_UNREACHABLE;
}

static void
complain(const struct oi_poll *poll, const char *event, const struct oi_ask *ask,
         const char *reason)
{
    const struct oi_endpoint *endpoint = endpoint_of(poll, ask);
    char key[OI_NAME_SIZE + OI_ERROR_SIZE];

    (void) snprintf(key, sizeof(key), "%.20s %.40s", poll->exchange->name, reason);
    oi_log_throttled(OI_LOG_WARN, event, key, "exchange=%s product=%s symbol=%s reason=\"%s\"",
                     poll->exchange->name, endpoint->product ? endpoint->product : "*",
                     ask->symbol ? ask->symbol : "*", reason);
}

/* The asks for prices and figures of this minute, bulk ones first. */
static enum oi_status
expand_current(struct oi_poll *poll, struct oi_poll_now now, struct oi_error *error)
{
    static const enum oi_task_kind order[] = { OI_TASK_PRICES, OI_TASK_CURRENT, OI_TASK_CURRENT };
    struct oi_slot slot = { .minute = poll->minute, .from_ns = now.mono_ns };
    struct oi_roster roster = { .exchange = poll->exchange,
                                .families = poll->discover.families.items,
                                .family_count = poll->discover.families.count };
    struct oi_market *markets;

    poll->is_discovering = false;
    OI_TRY(oi_board_begin(&poll->board, poll->store, poll->feed, poll->minute, error));
    markets = oi_board_markets(&poll->board, &roster.market_count);
    roster.markets = markets;
    for (size_t pass = 0; pass < 3; pass++) {
        bool by_symbol = pass == 2;

        slot.spread_ns = by_symbol ? poll->spread_ns : 0;
        if (slot.spread_ns > (poll->close_ns - now.mono_ns) / 2)
            slot.spread_ns = (poll->close_ns - now.mono_ns) / 2;
        if (slot.spread_ns < 0)
            slot.spread_ns = 0;
        for (size_t i = 0; i < poll->exchange->endpoint_count; i++) {
            const struct oi_endpoint *endpoint = &poll->exchange->endpoints[i];
            size_t before = poll->agenda.asks.count;

            if (endpoint->kind != order[pass] ||
                (endpoint->kind == OI_TASK_CURRENT &&
                 (endpoint->scope == OI_SCOPE_SYMBOL) != by_symbol) ||
                (endpoint->every_ns > OI_MINUTE && poll->minute % endpoint->every_ns != 0))
                continue;
            oi_schedule_expand(&poll->agenda, &roster, i, &slot);
            if (endpoint->kind == OI_TASK_PRICES)
                oi_board_prices(&poll->board, endpoint->product,
                                (int) (poll->agenda.asks.count - before));
        }
    }
    oi_free(markets);
    return OI_OK;
}

/* Why nobody may ask; OK while one of the addresses may. */
static enum oi_status
shut_of(const struct oi_poll *poll, int64_t now_ns)
{
    for (unsigned i = 0; i < poll->address_count; i++)
        if (oi_pace_shut(&poll->paces[i], now_ns) == OI_OK)
            return OI_OK;
    return oi_pace_shut(&poll->paces[0], now_ns);
}

/* Remember what pause is in force: it may be over when the minute ends. */
static void
note_held(struct oi_poll *poll, struct oi_poll_now now)
{
    enum oi_status shut = shut_of(poll, now.mono_ns);

    if (shut == OI_E_DENIED || poll->held == OI_OK)
        poll->held = shut;
}

enum oi_status
oi_poll_begin(struct oi_poll *poll, oi_time minute, struct oi_poll_now now, struct oi_error *error)
{
    struct oi_slot slot = { .minute = minute, .from_ns = now.mono_ns };

    if (poll->is_open)
        oi_poll_close(poll, now, false);
    poll->round++;
    poll->minute = minute;
    poll->in_flight = 0;
    poll->skew_low_ns = 1;
    poll->skew_high_ns = 0;
    memset(poll->out, 0, poll->exchange->endpoint_count * sizeof(*poll->out));
    poll->is_late = now.wall - minute > LATE_NS || now.wall < minute;
    poll->begun_ns = now.mono_ns;
    poll->close_ns = now.mono_ns + (minute + CLOSE_AFTER_NS - now.wall);
    if (poll->is_patient && poll->close_ns < now.mono_ns + PATIENCE_NS)
        poll->close_ns = now.mono_ns + PATIENCE_NS;
    poll->flush_ns = now.mono_ns + FLUSH_EVERY_NS;
    poll->wake_ns = now.mono_ns;
    poll->held = OI_OK;
    note_held(poll, now);
    OI_TRY(oi_board_begin(&poll->board, poll->store, poll->feed, minute, error));
    poll->is_open = true;
    poll->stats.minutes++;
    poll->is_discovering = !oi_discover_is_ready(&poll->discover);
    if (!poll->is_discovering)
        OI_TRY(expand_current(poll, now, error));
    oi_discover_schedule(&poll->discover, &poll->agenda, &slot);
    if (poll->is_discovering && !oi_discover_is_under_way(&poll->discover))
        return expand_current(poll, now, error);
    return OI_OK;
}

/* An ask goes out: what of it counts from now on. */
static void
count_sent(struct oi_poll *poll, struct oi_poll_now now, struct oi_ask *ask)
{
    const struct oi_endpoint *endpoint = endpoint_of(poll, ask);

    oi_pace_spend(&poll->paces[ask->address], endpoint->limit, endpoint->weight, now.mono_ns);
    ask->round = poll->round;
    ask->attempts++;
    poll->in_flight++;
    poll->out[ask->endpoint]++;
    poll->stats.asks++;
    /* Until an answer says otherwise. */
    if (endpoint->kind == OI_TASK_CURRENT && endpoint->scope == OI_SCOPE_SYMBOL)
        oi_board_fail_entry(&poll->board, ask->entry, OI_HOLE_UNREACHABLE);
}

/* The addresses take turns, so that each has its part; one that must wait lets the next go. */
static bool
choose_ask(struct oi_poll *poll, struct oi_poll_now now, struct oi_ask *ret_ask,
           int64_t *ret_wake_ns)
{
    for (unsigned i = 0; i < poll->address_count; i++) {
        unsigned address = (poll->address + i) % poll->address_count;
        int64_t wake_ns;

        if (oi_schedule_next(&poll->agenda, poll->exchange, &poll->paces[address], now.mono_ns,
                             ret_ask, &wake_ns)) {
            ret_ask->address = address;
            poll->address = (address + 1) % poll->address_count;
            return true;
        }
        if (wake_ns < *ret_wake_ns)
            *ret_wake_ns = wake_ns;
    }
    return false;
}

bool
oi_poll_next(struct oi_poll *poll, struct oi_poll_now now, struct oi_ask *ret_ask,
             int64_t *ret_wake_ns)
{
    *ret_wake_ns = poll->wake_ns = INT64_MAX;
    if (!poll->is_open || now.mono_ns >= poll->close_ns)
        return false;
    if (!choose_ask(poll, now, ret_ask, ret_wake_ns)) {
        poll->wake_ns = *ret_wake_ns;
        return false;
    }
    poll->wake_ns = now.mono_ns;
    count_sent(poll, now, ret_ask);
    return true;
}

static bool
is_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool
oi_poll_take(struct oi_poll *poll, const struct oi_poll_wanted *wanted, struct oi_poll_now now,
             struct oi_ask *ret_ask)
{
    for (size_t i = 0; i < poll->agenda.asks.count; i++) {
        const struct oi_ask *ask = &poll->agenda.asks.items[i];

        if (ask->endpoint != wanted->endpoint || !is_text(ask->family, wanted->family) ||
            !is_text(ask->symbol, wanted->symbol) || !is_text(ask->page, wanted->page))
            continue;
        *ret_ask = *ask;
        poll->agenda.asks.count--;
        memmove(&poll->agenda.asks.items[i], &poll->agenda.asks.items[i + 1],
                (poll->agenda.asks.count - i) * sizeof(*ask));
        count_sent(poll, now, ret_ask);
        return true;
    }
    return false;
}

enum oi_status
oi_poll_request(const struct oi_poll *poll, const struct oi_ask *ask,
                struct oi_http_request *request, struct oi_error *error)
{
    const struct oi_task task = task_of(poll, ask);

    return endpoint_of(poll, ask)->ask(&task, request, error);
}

/* An ask has its last outcome. */
static void
settle(struct oi_poll *poll, struct oi_ask *ask, enum oi_hole_cause cause)
{
    const struct oi_endpoint *endpoint = endpoint_of(poll, ask);
    struct oi_error error = {};

    switch (endpoint->kind) {
    case OI_TASK_FAMILIES:
    case OI_TASK_INSTRUMENTS:
        if (oi_discover_end(&poll->discover, ask, cause == OI_HOLE_NONE, poll->store, &error) !=
            OI_OK) {
            poll->stats.commit_failures++;
            oi_log_throttled(OI_LOG_ERROR, "collector.store_refused", poll->exchange->name,
                             "exchange=%s reason=\"%s\"", poll->exchange->name, error.message);
        }
        break;
    case OI_TASK_PRICES:
        oi_board_prices(&poll->board, endpoint->product, -1);
        break;
    case OI_TASK_CURRENT:
        if (endpoint->scope == OI_SCOPE_SYMBOL)
            oi_board_fail_entry(&poll->board, ask->entry, cause);
        else if (cause != OI_HOLE_NONE)
            oi_board_fail_product(&poll->board, endpoint->product, cause);
        break;
    case OI_TASK_HISTORY:
    case OI_TASK_STREAM:
        break;
    }
    oi_ask_release(ask);
}

/* First in line, when its time comes. */
static void
ask_again(struct oi_poll *poll, const struct oi_ask *ask)
{
    oi_vector_reserve(&poll->agenda.asks, 1);
    memmove(poll->agenda.asks.items + 1, poll->agenda.asks.items,
            poll->agenda.asks.count * sizeof(*ask));
    poll->agenda.asks.items[0] = *ask;
    poll->agenda.asks.count++;
}

static void
retry(struct oi_poll *poll, struct oi_ask *ask, enum oi_status trouble, struct oi_poll_now now)
{
    unsigned attempts_max = trouble == OI_E_BUSY ? BUSY_ATTEMPTS_MAX : ATTEMPTS_MAX;

    ask->trouble = trouble;
    if (trouble == OI_E_DENIED || ask->attempts >= attempts_max) {
        settle(poll, ask, cause_of(trouble));
        return;
    }
    ask->due_ns = now.mono_ns;
    if (trouble != OI_E_BUSY)
        ask->due_ns +=
            RETRY_NS + (int64_t) oi_random_below(&poll->random, (uint64_t) RETRY_JITTER_NS);
    ask_again(poll, ask);
}

/* Rows onto the board; what nobody knows makes us ask for the lists again. */
static void
take_rows(struct oi_poll *poll, const struct oi_ask *ask)
{
    const struct oi_endpoint *endpoint = endpoint_of(poll, ask);
    const struct oi_harvest *harvest = &poll->harvest;

    for (size_t i = 0; i < harvest->rows.count; i++) {
        const struct oi_harvest_row *row = &harvest->rows.items[i];

        if (oi_board_put(&poll->board, row, endpoint->product) ||
            oi_decimal_is_none(&row->reading.open_interest))
            continue;
        poll->stats.unknown++;
        oi_discover_want(&poll->discover, poll->minute);
    }
    for (size_t i = 0; i < harvest->skips.count; i++) {
        const struct oi_harvest_skip *skip = &harvest->skips.items[i];

        if (endpoint->kind == OI_TASK_CURRENT)
            oi_board_fail_symbol(&poll->board, endpoint->product, skip->symbol,
                                 OI_HOLE_UNREACHABLE);
    }
}

static enum oi_status
read_reply(struct oi_poll *poll, const struct oi_ask *ask, struct oi_slice body,
           struct oi_error *error)
{
    const struct oi_endpoint *endpoint = endpoint_of(poll, ask);
    const struct oi_task task = task_of(poll, ask);

    oi_harvest_reset(&poll->harvest);
    OI_TRY(endpoint->read(&task, body, &poll->harvest, error));
    poll->stats.skips += poll->harvest.skips.count;
    if (poll->harvest.skips.count > 0)
        complain(poll, "exchange.row_skipped", ask, poll->harvest.skips.items[0].reason);
    if (endpoint->kind == OI_TASK_FAMILIES || endpoint->kind == OI_TASK_INSTRUMENTS)
        oi_discover_page(&poll->discover, ask->endpoint, &poll->harvest);
    else
        take_rows(poll, ask);
    if (!poll->harvest.next_page)
        return OI_OK;
    if (ask->page_count >= PAGES_MAX ||
        (ask->page && strcmp(ask->page, poll->harvest.next_page) == 0))
        return oi_fail(error, OI_E_UPSTREAM, "its pages go in circles");
    return OI_OK;
}

/* A sound answer: read it, and go on with the next page where there is one. */
static void
take_reply(struct oi_poll *poll, struct oi_ask *ask, struct oi_slice body, struct oi_poll_now now)
{
    struct oi_error error = {};
    enum oi_status status = read_reply(poll, ask, body, &error);

    if (status == OI_E_NOT_FOUND) {
        oi_discover_want(&poll->discover, poll->minute);
        settle(poll, ask, OI_HOLE_NONE);
    } else if (status != OI_OK) {
        poll->stats.errors[OI_E_UPSTREAM]++;
        complain(poll, "exchange.nonsense", ask, error.message);
        oi_pace_hear(&poll->paces[ask->address], OI_E_UPSTREAM, 0, now.mono_ns);
        retry(poll, ask, OI_E_UPSTREAM, now);
    } else if (poll->harvest.next_page) {
        oi_free(ask->page);
        ask->page = oi_copy_text(oi_slice_of(poll->harvest.next_page));
        ask->page_count++;
        ask->attempts = 0;
        ask->due_ns = now.mono_ns;
        ask_again(poll, ask);
    } else {
        oi_pace_hear(&poll->paces[ask->address], OI_OK, 0, now.mono_ns);
        settle(poll, ask, OI_HOLE_NONE);
    }
}

static struct oi_verdict
judge(const struct oi_poll *poll, const struct oi_poll_answer *answer, struct oi_poll_now now)
{
    struct oi_verdict verdict = {};
    struct oi_reply_head head = { .now = now.wall };

    if (answer->status != OI_OK) {
        /* No answer at all, whatever the reason; what is too large or broken is nonsense. */
        oi_reply_verdict(&verdict, answer->status == OI_E_UPSTREAM ? OI_E_UPSTREAM : OI_E_IO, 0,
                         "%s", answer->error ? answer->error->message : "no answer");
        return verdict;
    }
    head.status = answer->response->status;
    head.body = answer->response->body;
    head.headers = answer->response->headers;
    head.header_count = answer->response->header_count;
    if (poll->exchange->judge)
        poll->exchange->judge(&head, &verdict);
    else
        oi_reply_judge(&head, &verdict);
    return verdict;
}

/* What the date of a head says of the exchange's clock: it was cut to seconds before it came. */
static void
hear_date(struct oi_poll *poll, const struct oi_poll_answer *answer, struct oi_poll_now now)
{
    struct oi_reply_head head = {};
    int64_t second, low_ns, high_ns;

    if (answer->status != OI_OK)
        return;
    head.headers = answer->response->headers;
    head.header_count = answer->response->header_count;
    if (!oi_http_date_read(oi_reply_header(&head, "Date"), &second))
        return;
    /* It was written between the request and the answer. */
    low_ns = second * OI_SECOND - now.wall;
    high_ns = low_ns + OI_SECOND + answer->response->elapsed_ns;
    if (poll->skew_low_ns > poll->skew_high_ns) {
        poll->skew_low_ns = low_ns;
        poll->skew_high_ns = high_ns;
    }
    if (low_ns > poll->skew_low_ns)
        poll->skew_low_ns = low_ns;
    if (high_ns < poll->skew_high_ns)
        poll->skew_high_ns = high_ns;
    /* Several servers, and their clocks differ. */
    if (poll->skew_high_ns < poll->skew_low_ns)
        poll->skew_high_ns = poll->skew_low_ns;
}

static void
measure_skew(struct oi_poll *poll)
{
    int64_t skew_ns;

    if (poll->skew_low_ns > poll->skew_high_ns)
        return;
    skew_ns = poll->skew_low_ns + (poll->skew_high_ns - poll->skew_low_ns) / 2;
    poll->stats.skew_ns = skew_ns;
    if (skew_ns > SKEW_NS || skew_ns < -SKEW_NS)
        oi_log_throttled(OI_LOG_WARN, "exchange.clock_skew", poll->exchange->name,
                         "exchange=%s ahead_ms=%lld next=\"look at both clocks\"",
                         poll->exchange->name, (long long) (skew_ns / OI_MILLISECOND));
}

static const char *
event_of(enum oi_status status)
{
    if (status == OI_E_DENIED)
        return "exchange.denied";
    if (status == OI_E_BUSY)
        return "exchange.busy";
    return status == OI_E_IO ? "exchange.unreachable" : "exchange.nonsense";
}

void
oi_poll_answer(struct oi_poll *poll, struct oi_ask *ask, const struct oi_poll_answer *answer,
               struct oi_poll_now now)
{
    const struct oi_endpoint *endpoint = endpoint_of(poll, ask);
    bool is_ours = poll->is_open && ask->round == poll->round;
    struct oi_verdict verdict;

    if (is_ours) {
        poll->in_flight--;
        poll->out[ask->endpoint]--;
    }
    if (answer->status == OI_E_CANCELLED) {
        oi_ask_release(ask);
        return;
    }
    hear_date(poll, answer, now);
    verdict = judge(poll, answer, now);
    if (verdict.weight_used > 0)
        oi_pace_learn(&poll->paces[ask->address], endpoint->limit, verdict.weight_used,
                      now.mono_ns);
    if (verdict.status != OI_OK) {
        poll->stats.errors[verdict.status]++;
        oi_pace_hear(&poll->paces[ask->address], verdict.status, verdict.pause_ms, now.mono_ns);
        note_held(poll, now);
    }
    if (!is_ours) {
        /* Its minute is closed. */
        oi_ask_release(ask);
        return;
    }
    if (verdict.status == OI_OK) {
        take_reply(poll, ask, answer->response->body, now);
    } else if (verdict.status == OI_E_NOT_FOUND) {
        oi_discover_want(&poll->discover, poll->minute);
        settle(poll, ask, OI_HOLE_NONE);
    } else {
        complain(poll, event_of(verdict.status), ask, verdict.reason);
        retry(poll, ask, verdict.status, now);
    }
    if (poll->is_discovering && !oi_discover_is_under_way(&poll->discover)) {
        const struct oi_slot slot = { .minute = poll->minute, .from_ns = now.mono_ns };

        oi_discover_schedule_families(&poll->discover, &poll->agenda, &slot);
    }
    if (poll->is_discovering && !oi_discover_is_under_way(&poll->discover)) {
        struct oi_error error = {};

        if (expand_current(poll, now, &error) != OI_OK)
            oi_log_throttled(OI_LOG_ERROR, "collector.store_refused", poll->exchange->name,
                             "exchange=%s reason=\"%s\"", poll->exchange->name, error.message);
    }
}

bool
oi_poll_is_done(const struct oi_poll *poll, struct oi_poll_now now)
{
    if (!poll->is_open || now.mono_ns >= poll->close_ns)
        return true;
    if (poll->in_flight > 0)
        return false;
    return poll->agenda.asks.count == 0 || poll->wake_ns >= poll->close_ns;
}

static void
refused(void *context, size_t row, const char *reason)
{
    const struct oi_poll *poll = context;

    oi_log_throttled(OI_LOG_WARN, "collector.row_refused", poll->exchange->name,
                     "exchange=%s series=%u reason=\"%s\"", poll->exchange->name,
                     poll->yield.rows.items[row].series, reason);
}

/* Of what goes into the store: told, and stored all the same. */
static void
watch_frozen(struct oi_poll *poll)
{
    const struct oi_board_yield *yield = &poll->yield;

    for (size_t i = 0; i < yield->rows.count; i++) {
        const struct oi_row *row = &yield->rows.items[i];

        if (oi_frozen_note(&poll->frozen, row->series, &row->reading))
            oi_log_throttled(OI_LOG_WARN, "exchange.frozen", poll->exchange->name,
                             "exchange=%s series=%u minutes=%lld", poll->exchange->name,
                             row->series, (long long) (poll->frozen.after_ns / OI_MINUTE));
    }
    poll->stats.frozen = oi_frozen_count(&poll->frozen, poll->minute);
}

static void
commit(struct oi_poll *poll, struct oi_poll_now now)
{
    struct oi_board_yield *yield = &poll->yield;
    const struct oi_batch batch = { .rows = yield->rows.items,
                                    .row_count = yield->rows.count,
                                    .holes = yield->holes.items,
                                    .hole_count = yield->holes.count,
                                    .marks = yield->marks.items,
                                    .mark_count = yield->marks.count,
                                    .refuse = refused,
                                    .context = poll };
    struct oi_append_result result = {};
    struct oi_error error = {};

    if (yield->rows.count + yield->holes.count + yield->marks.count == 0)
        return;
    if (oi_store_append(poll->store, &batch, &result, &error) == OI_OK) {
        watch_frozen(poll);
        poll->committed = result.time;
        poll->stats.rows += result.stored;
        poll->stats.duplicates += result.duplicate;
        poll->stats.holes += yield->holes.count;
        poll->stats.lag_ns = now.wall - poll->minute;
        if (result.stored > 0)
            poll->stats.last_success = poll->minute;
    } else {
        poll->stats.commit_failures++;
        oi_log_throttled(OI_LOG_ERROR, "collector.store_refused", poll->exchange->name,
                         "exchange=%s rows=%zu action=kept reason=\"%s\"", poll->exchange->name,
                         yield->rows.count, error.message);
        if (yield->rows.count + yield->holes.count <= KEPT_ROWS_MAX)
            return;
        oi_log(OI_LOG_ERROR, "collector.rows_dropped", "exchange=%s rows=%zu", poll->exchange->name,
               yield->rows.count);
    }
    oi_vector_clear(&yield->rows);
    oi_vector_clear(&yield->holes);
    oi_vector_clear(&yield->marks);
}

static void
measure(struct oi_poll *poll, struct oi_poll_now now)
{
    poll->stats.used_permille = 0;
    for (unsigned i = 0; i < poll->address_count; i++) {
        unsigned used = oi_pace_used_permille(&poll->paces[i], now.mono_ns);

        poll->stats.used_permille =
            used > poll->stats.used_permille ? used : poll->stats.used_permille;
    }
    poll->stats.shut = shut_of(poll, now.mono_ns);
}

void
oi_poll_flush(struct oi_poll *poll, struct oi_poll_now now)
{
    if (now.mono_ns < poll->flush_ns)
        return;
    poll->flush_ns = now.mono_ns + FLUSH_EVERY_NS;
    if (poll->is_open)
        oi_board_take_rows(&poll->board, false, &poll->yield);
    commit(poll, now);
    measure(poll, now);
}

/* Whatever still waits or is under way has its outcome now. Where several things went wrong in the
 * minute, what kept us from asking is the cause: it hit every ask, a failure only its own, and a
 * pause that ended shortly before the minute did is no less the reason that there was no time. */
static void
settle_rest(struct oi_poll *poll, struct oi_poll_now now)
{
    enum oi_hole_cause cause, why;

    note_held(poll, now);
    cause = poll->held == OI_OK ? OI_HOLE_RATE_LIMITED : cause_of(poll->held);
    why = poll->held == OI_OK ? OI_HOLE_UNREACHABLE : cause;
    if (poll->is_discovering) {
        oi_board_fail_product(&poll->board, NULL, why);
        poll->is_discovering = false;
    }
    for (size_t i = 0; i < poll->exchange->endpoint_count; i++) {
        const struct oi_endpoint *endpoint = &poll->exchange->endpoints[i];

        /* Of one symbol's asks those have no word yet that are under way. */
        if (poll->out[i] > 0 && endpoint->kind == OI_TASK_CURRENT)
            oi_board_fail_product(&poll->board, endpoint->product, why);
    }
    oi_discover_abandon(&poll->discover);
    for (size_t i = 0; i < poll->agenda.asks.count; i++) {
        struct oi_ask *ask = &poll->agenda.asks.items[i];

        /* An ask that failed once and then had to wait is missing for what it waited for. */
        settle(poll, ask,
               ask->trouble == OI_OK || poll->held != OI_OK ? cause : cause_of(ask->trouble));
    }
    oi_vector_clear(&poll->agenda.asks);
}

void
oi_poll_close(struct oi_poll *poll, struct oi_poll_now now, bool is_stopping)
{
    if (!poll->is_open) {
        commit(poll, now);
        return;
    }
    settle_rest(poll, now);
    oi_board_take_rows(&poll->board, true, &poll->yield);
    if (!is_stopping && !poll->is_late)
        oi_board_take_coverage(&poll->board, &poll->yield);
    oi_board_count(&poll->board, &poll->stats.expected, &poll->stats.missing);
    commit(poll, now);
    measure(poll, now);
    measure_skew(poll);
    poll->is_open = false;
}
