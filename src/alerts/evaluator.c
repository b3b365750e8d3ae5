/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules at work: who is watched, and the latch of each rule and market. A latch goes from idle to
 * pending when its condition becomes true, fires when that has held long enough, and is idle again
 * when the condition is over.
 */
#include "alerts/evaluator_internal.h"

#include <stdio.h>
#include <string.h>

struct oi_evaluator {
    OI_VECTOR(struct watch *) watches;
    OI_VECTOR(struct place *) places; /* by instrument's id; NULL: nobody watches it */
    OI_VECTOR(struct subject *) changed;
    void (*emit)(void *context, const struct oi_alert_event *event);
    void *context;
    oi_time now;
    uint64_t resumed_batch;
    oi_time resumed_minute;
    unsigned units;
};

const char *
oi_alert_state_name(enum oi_alert_state state)
{
    static const char *const names[] = { "idle", "pending", "firing" };

    return names[state];
}

/* Does the rule judge its markets together, at whole minutes? */
static bool
is_of_all(const struct oi_alert_rule *rule)
{
    return rule->is_total || rule->when == OI_ALERT_SHARE;
}

static bool
is_of_silence(const struct oi_alert_rule *rule)
{
    return rule->when == OI_ALERT_FRESHNESS || rule->when == OI_ALERT_GAP;
}

static struct subject *
add_subject(struct watch *watch, struct place *place)
{
    struct subject *subject = oi_alloc_zero(1, sizeof(*subject));

    subject->watch = watch;
    subject->place = place;
    subject->latch.fired = subject->latch.fired_time = OI_TIME_NONE;
    oi_alert_window_init(&subject->values, watch->rule->over_ns);
    oi_alert_window_init(&subject->prices, watch->rule->over_ns);
    oi_vector_push(&watch->subjects, subject);
    return subject;
}

struct oi_evaluator *
oi_evaluator_new(const struct oi_alert_rules *rules,
                 void (*emit)(void *context, const struct oi_alert_event *event), void *context)
{
    struct oi_evaluator *evaluator = oi_alloc_zero(1, sizeof(*evaluator));

    evaluator->emit = emit;
    evaluator->context = context;
    evaluator->now = OI_TIME_EARLIEST;
    evaluator->resumed_minute = OI_TIME_EARLIEST;
    for (size_t i = 0; i < rules->items.count; i++) {
        struct watch *watch = oi_alloc_zero(1, sizeof(*watch));

        watch->rule = &rules->items.items[i];
        watch->index = i;
        watch->from = OI_TIME_EARLIEST;
        if (is_of_all(watch->rule))
            (void) add_subject(watch, NULL);
        evaluator->units |= 1u << watch->rule->unit;
        oi_vector_push(&evaluator->watches, watch);
    }
    return evaluator;
}

static void
free_watch(struct watch *watch)
{
    for (size_t i = 0; i < watch->subjects.count; i++) {
        oi_alert_window_release(&watch->subjects.items[i]->values);
        oi_alert_window_release(&watch->subjects.items[i]->prices);
        oi_free(watch->subjects.items[i]);
    }
    oi_vector_release(&watch->subjects);
    oi_vector_release(&watch->members);
    oi_free(watch);
}

void
oi_evaluator_free(struct oi_evaluator **evaluator)
{
    if (!evaluator || !*evaluator)
        return;
    for (size_t i = 0; i < (*evaluator)->watches.count; i++)
        free_watch((*evaluator)->watches.items[i]);
    for (size_t i = 0; i < (*evaluator)->places.count; i++) {
        if ((*evaluator)->places.items[i])
            oi_vector_release(&(*evaluator)->places.items[i]->subjects);
        oi_free((*evaluator)->places.items[i]);
    }
    oi_vector_release(&(*evaluator)->watches);
    oi_vector_release(&(*evaluator)->places);
    oi_vector_release(&(*evaluator)->changed);
    oi_free(*evaluator);
    *evaluator = NULL;
}

unsigned
oi_evaluator_units(const struct oi_evaluator *evaluator)
{
    return evaluator->units;
}

void
oi_evaluator_begin(struct oi_evaluator *evaluator, size_t rule, oi_time from)
{
    evaluator->watches.items[rule]->from = from;
}

void
oi_evaluator_resume(struct oi_evaluator *evaluator, uint64_t batch, oi_time minute)
{
    evaluator->resumed_batch = batch;
    evaluator->resumed_minute = minute;
}

static struct place *
find_place(const struct oi_evaluator *evaluator, uint32_t instrument)
{
    return instrument < evaluator->places.count ? evaluator->places.items[instrument] : NULL;
}

static struct place *
make_place(struct oi_evaluator *evaluator, const struct oi_alert_market *market)
{
    struct place *place = find_place(evaluator, market->instrument);

    while (evaluator->places.count <= market->instrument)
        oi_vector_push(&evaluator->places, NULL);
    if (!place) {
        place = oi_alloc_zero(1, sizeof(*place));
        (void) snprintf(place->name, sizeof(place->name), "%s", market->name);
        (void) snprintf(place->exchange, sizeof(place->exchange), "%s", market->exchange);
        evaluator->places.items[market->instrument] = place;
    }
    place->market = (struct oi_alert_market){ .instrument = market->instrument,
                                              .name = place->name,
                                              .exchange = place->exchange,
                                              .over_at = market->over_at };
    return place;
}

/* The last of some pointers takes a place before others. */
static void
bring_last_to(void *items, size_t count, size_t at)
{
    char *pointers = items, last[sizeof(void *)];

    memcpy(last, pointers + (count - 1) * sizeof(last), sizeof(last));
    memmove(pointers + (at + 1) * sizeof(last), pointers + at * sizeof(last),
            (count - 1 - at) * sizeof(last));
    memcpy(pointers + at * sizeof(last), last, sizeof(last));
}

void
oi_evaluator_add(struct oi_evaluator *evaluator, size_t rule, const struct oi_alert_market *market)
{
    struct watch *watch = evaluator->watches.items[rule];
    struct place *place = make_place(evaluator, market);
    size_t at = watch->members.count;

    /* They are in order, in which a replay has them too; one that a file was about to bring for
     * long may come before others. */
    while (at > 0 && watch->members.items[at - 1]->market.instrument > market->instrument)
        at--;
    if (at > 0 && watch->members.items[at - 1] == place)
        return;
    oi_vector_push(&watch->members, place);
    bring_last_to(watch->members.items, watch->members.count, at);
    if (is_of_all(watch->rule))
        return;
    (void) add_subject(watch, place);
    oi_vector_push(&place->subjects, watch->subjects.items[watch->subjects.count - 1]);
    bring_last_to(watch->subjects.items, watch->subjects.count, at);
}

/*
 * Latches.
 */

static void
note_change(struct oi_evaluator *evaluator, struct subject *subject)
{
    if (!subject->is_changed)
        oi_vector_push(&evaluator->changed, subject);
    subject->is_changed = true;
}

static void
set_state(struct oi_evaluator *evaluator, struct subject *subject, enum oi_alert_state state)
{
    struct oi_alert_latch *latch = &subject->latch;

    if (latch->state == state)
        return;
    if (latch->state == OI_ALERT_IDLE)
        subject->watch->busy++;
    if (state == OI_ALERT_IDLE)
        subject->watch->busy--;
    latch->state = state;
    note_change(evaluator, subject);
}

/* The name of a market, or of a total: "total:BTC" where it is about one coin. */
static void
name_subject(const struct subject *subject, char name[OI_MARKET_NAME_SIZE])
{
    const struct oi_alert_rule *rule = subject->watch->rule;

    if (subject->place)
        (void) snprintf(name, OI_MARKET_NAME_SIZE, "%s", subject->place->name);
    else if (rule->coin)
        (void) snprintf(name, OI_MARKET_NAME_SIZE, "total:%s", rule->coin);
    else
        (void) snprintf(name, OI_MARKET_NAME_SIZE, "total");
}

/* The same event is named the same wherever it is made. */
static void
name_event(const struct subject *subject, const char *market, bool is_resolved,
           char ret_id[OI_ALERT_ID_SIZE])
{
    uint8_t digest[OI_SHA256_SIZE];
    struct oi_buffer text = {}, hex = {};

    oi_buffer_add_format(&text, "%s\n%s\n%s\n%lld\n%lld\n", subject->watch->rule->name, market,
                         is_resolved ? "resolved" : "fired", (long long) subject->latch.fired,
                         (long long) subject->latch.fired_time);
    oi_buffer_add(&text, subject->watch->rule->identity, OI_SHA256_SIZE);
    oi_sha256(oi_buffer_slice(&text), digest);
    oi_hex((struct oi_slice){ (const char *) digest, (OI_ALERT_ID_SIZE - 1) / 2 }, &hex);
    memcpy(ret_id, hex.data, OI_ALERT_ID_SIZE - 1);
    ret_id[OI_ALERT_ID_SIZE - 1] = '\0';
    oi_buffer_release(&text);
    oi_buffer_release(&hex);
}

static void
tell(struct oi_evaluator *evaluator, const struct subject *subject, const struct verdict *verdict,
     bool is_resolved)
{
    char market[OI_MARKET_NAME_SIZE];
    struct oi_alert_event event = {
        .is_resolved = is_resolved,
        .rule = subject->watch->rule,
        .market = market,
        .at = evaluator->now,
        .time = verdict->time,
        .since = subject->latch.since,
        .value = verdict->value,
        .amount = verdict->amount,
        .regime = verdict->regime,
        .cause = verdict->cause,
    };

    name_subject(subject, market);
    name_event(subject, market, false, event.alert);
    name_event(subject, market, is_resolved, event.id);
    evaluator->emit(evaluator->context, &event);
}

static bool
may_fire(const struct oi_evaluator *evaluator, const struct subject *subject)
{
    const struct oi_alert_rule *rule = subject->watch->rule;
    const struct oi_alert_latch *latch = &subject->latch;

    return evaluator->now - latch->since >= rule->hold_ns &&
           (latch->fired == OI_TIME_NONE || evaluator->now - latch->fired >= rule->cooldown_ns);
}

static void
step(struct oi_evaluator *evaluator, struct subject *subject, const struct verdict *verdict)
{
    struct oi_alert_latch *latch = &subject->latch;

    switch (latch->state) {
    case OI_ALERT_IDLE:
    case OI_ALERT_PENDING:
        if (verdict->truth != TRUTH_TRUE) {
            set_state(evaluator, subject, OI_ALERT_IDLE);
            return;
        }
        if (latch->state == OI_ALERT_IDLE) {
            latch->since = evaluator->now;
            set_state(evaluator, subject, OI_ALERT_PENDING);
        }
        if (!may_fire(evaluator, subject))
            return;
        latch->fired = evaluator->now;
        latch->fired_time = verdict->time;
        set_state(evaluator, subject, OI_ALERT_FIRING);
        tell(evaluator, subject, verdict, false);
        return;
    case OI_ALERT_FIRING:
        if (verdict->truth != TRUTH_FALSE)
            return;
        set_state(evaluator, subject, OI_ALERT_IDLE);
        tell(evaluator, subject, verdict, true);
        return;
    }
}

/*
 * Readings and minutes.
 */

void
oi_evaluator_read(struct oi_evaluator *evaluator, const struct oi_alert_reading *reading)
{
    struct place *place = find_place(evaluator, reading->instrument);

    if (reading->heard > evaluator->now)
        evaluator->now = reading->heard;
    if (!place || (place->is_heard && reading->time < place->newest.time))
        return;
    place->newest = *reading;
    place->is_heard = true;
    for (size_t i = 0; i < place->subjects.count; i++) {
        struct subject *subject = place->subjects.items[i];
        struct verdict verdict;

        judge_remember(subject, reading);
        if (is_of_silence(subject->watch->rule) || reading->batch <= evaluator->resumed_batch ||
            reading->heard < subject->watch->from || evaluator->now >= place->market.over_at)
            continue;
        verdict = judge_market(subject);
        step(evaluator, subject, &verdict);
    }
}

void
oi_evaluator_tell_gap(struct oi_evaluator *evaluator, uint32_t instrument, enum oi_hole_cause cause)
{
    struct place *place = find_place(evaluator, instrument);

    if (place)
        place->gap = cause;
}

/* A market's latch at a minute: what is pending may have held long enough, unless it went stale;
 * what is over fires no more. */
static void
tick_market(struct oi_evaluator *evaluator, struct subject *subject, oi_time minute)
{
    const struct oi_alert_reading *newest = &subject->place->newest;
    struct verdict verdict = { .truth = TRUTH_FALSE, .time = minute };

    if (minute < subject->place->market.over_at) {
        if (is_of_silence(subject->watch->rule))
            verdict = judge_silence(subject, minute);
        else if (subject->latch.state != OI_ALERT_PENDING)
            return;
        else if (minute - newest->time > newest->staleness_ns)
            verdict.truth = TRUTH_UNKNOWN;
        else
            verdict = judge_market(subject);
    }
    step(evaluator, subject, &verdict);
}

void
oi_evaluator_tick(struct oi_evaluator *evaluator, oi_time minute)
{
    if (minute > evaluator->now)
        evaluator->now = minute;
    for (size_t i = 0; i < evaluator->watches.count; i++) {
        struct watch *watch = evaluator->watches.items[i];
        bool is_judged = minute > evaluator->resumed_minute && minute >= watch->from;

        if (is_of_all(watch->rule)) {
            struct verdict verdict = judge_total(watch->subjects.items[0], minute);

            if (is_judged)
                step(evaluator, watch->subjects.items[0], &verdict);
            continue;
        }
        if (!is_judged || (watch->busy == 0 && !is_of_silence(watch->rule)))
            continue;
        for (size_t k = 0; k < watch->subjects.count; k++)
            tick_market(evaluator, watch->subjects.items[k], minute);
    }
}

void
oi_evaluator_restore(struct oi_evaluator *evaluator, size_t rule, uint32_t instrument,
                     const struct oi_alert_latch *latch)
{
    struct watch *watch = evaluator->watches.items[rule];

    for (size_t i = 0; i < watch->subjects.count; i++) {
        struct subject *subject = watch->subjects.items[i];
        uint32_t of = subject->place ? subject->place->market.instrument : 0;

        if (of != instrument)
            continue;
        set_state(evaluator, subject, latch->state);
        subject->latch = *latch;
        return;
    }
}

void
oi_evaluator_take_changed(struct oi_evaluator *evaluator,
                          void (*each)(void *context, size_t rule, uint32_t instrument,
                                       const struct oi_alert_latch *latch),
                          void *context)
{
    for (size_t i = 0; i < evaluator->changed.count; i++) {
        struct subject *subject = evaluator->changed.items[i];

        subject->is_changed = false;
        each(context, subject->watch->index, subject->place ? subject->place->market.instrument : 0,
             &subject->latch);
    }
    oi_vector_clear(&evaluator->changed);
}
