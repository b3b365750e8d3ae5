/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: threads and sockets; tests/system/alerts.test.mjs runs it, alert_run_test.c its
 * run */
/*
 * The thread around alert_run: rows are queued by whoever commits, judged here, and the courier
 * sends what came of it. A minute is judged some seconds after it is over, when what was committed
 * before it has been heard from other processes too.
 */
#include "alerts/alert_engine.h"

#include "alerts/alert_courier.h"
#include "alerts/alert_run.h"
#include "base/log.h"
#include "net/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* How often it looks at the clock, and for a lock that somebody else holds. */
#define LOOK_MS 500
/* A minute is over so long before it is judged. */
#define SETTLE_NS (5 * OI_SECOND)
/* Without anything to write down, its position is written so often. */
#define SAVE_NS OI_MINUTE
/* More rows than this are read again from the store. */
#define WAITING_MAX 500'000

struct oi_alert_engine {
    struct oi_alert_engine_options options;
    pthread_t thread;
    struct oi_loop *loop;
    struct oi_timer *timer;
    struct oi_watcher watcher;
    int lock_file;
    bool is_holder;
    struct oi_alert_run *run;
    struct oi_alert_courier *courier;
    int64_t saved_ns;
    OI_VECTOR(struct oi_alert_row) taken;

    pthread_mutex_t lock; /* over what follows */
    OI_VECTOR(struct oi_alert_row) waiting;
    bool is_overrun;
    bool is_listening;

    atomic_bool is_stopping;
    atomic_bool is_judging;
    atomic_ullong fired, delivered, failed, given_up;
};

static void
committed(void *context, uint64_t batch, const struct oi_row *rows, size_t count)
{
    struct oi_alert_engine *engine = context;

    pthread_mutex_lock(&engine->lock);
    if (engine->waiting.count + count > WAITING_MAX)
        engine->is_overrun = true;
    for (size_t i = 0; engine->is_listening && !engine->is_overrun && i < count; i++)
        oi_vector_push(&engine->waiting, ((struct oi_alert_row){ batch, rows[i] }));
    pthread_mutex_unlock(&engine->lock);
    oi_loop_wake(engine->loop);
}

static void
listen_to(struct oi_alert_engine *engine, bool is_listening)
{
    pthread_mutex_lock(&engine->lock);
    engine->is_listening = is_listening;
    engine->is_overrun = false;
    oi_vector_clear(&engine->waiting);
    pthread_mutex_unlock(&engine->lock);
}

/* What was heard becomes what is judged; false: too much to hold. */
static bool
take_waiting(struct oi_alert_engine *engine)
{
    bool is_whole;

    oi_vector_clear(&engine->taken);
    pthread_mutex_lock(&engine->lock);
    is_whole = !engine->is_overrun;
    for (size_t i = 0; is_whole && i < engine->waiting.count; i++)
        oi_vector_push(&engine->taken, engine->waiting.items[i]);
    oi_vector_clear(&engine->waiting);
    pthread_mutex_unlock(&engine->lock);
    return is_whole;
}

static oi_time
now(const struct oi_alert_engine *engine)
{
    const struct oi_clock *clock = engine->options.source->clock;

    return clock->wall_ns(clock);
}

static void
leave(struct oi_alert_engine *engine)
{
    listen_to(engine, false);
    oi_alert_run_free(&engine->run);
    atomic_store(&engine->is_judging, false);
}

static enum oi_status
enter(struct oi_alert_engine *engine, struct oi_error *error)
{
    enum oi_status status;

    listen_to(engine, true);
    status = oi_alert_run_new(engine->options.source, engine->options.rules, engine->options.log,
                              now(engine), &engine->run, error);
    if (status != OI_OK) {
        leave(engine);
        return status;
    }
    atomic_store(&engine->is_judging, true);
    engine->saved_ns = now(engine);
    oi_log(OI_LOG_INFO, "alerts.judging", "rules=%zu", engine->options.rules->items.count);
    return OI_OK;
}

/* Is the folder's lock ours? */
static bool
hold(struct oi_alert_engine *engine)
{
    if (!engine->is_holder)
        engine->is_holder = flock(engine->lock_file, LOCK_EX | LOCK_NB) == 0;
    return engine->is_holder;
}

static enum oi_status
save(struct oi_alert_engine *engine, struct oi_error *error)
{
    size_t fired = oi_alert_run_waiting(engine->run);

    if (fired == 0 && now(engine) - engine->saved_ns < SAVE_NS)
        return OI_OK;
    OI_TRY(oi_alert_run_commit(engine->run, error));
    engine->saved_ns = now(engine);
    atomic_fetch_add(&engine->fired, fired);
    return OI_OK;
}

static enum oi_status
judge(struct oi_alert_engine *engine, struct oi_error *error)
{
    oi_time until;

    if (!engine->run)
        OI_TRY(enter(engine, error));
    until = now(engine) - SETTLE_NS;
    if (oi_alert_run_is_due(engine->run, until))
        OI_TRY(oi_store_follow(engine->options.source->store, error));
    if (!take_waiting(engine)) {
        leave(engine); /* it enters again from what was written down */
        return OI_OK;
    }
    OI_TRY(oi_alert_run_hear(engine->run, engine->taken.items, engine->taken.count, error));
    OI_TRY(oi_alert_run_advance(engine->run, until, error));
    return save(engine, error);
}

static void
count_deliveries(struct oi_alert_engine *engine)
{
    const struct oi_alert_courier_counts counts = oi_alert_courier_counts(engine->courier);

    atomic_store(&engine->delivered, counts.delivered);
    atomic_store(&engine->failed, counts.failed);
    atomic_store(&engine->given_up, counts.given_up);
}

static void
look(void *context)
{
    struct oi_alert_engine *engine = context;
    struct oi_error error = {};
    enum oi_status status;

    if (atomic_load(&engine->is_stopping)) {
        oi_loop_stop(engine->loop);
        return;
    }
    if (!hold(engine))
        return;
    status = judge(engine, &error);
    if (status != OI_OK) {
        oi_log_throttled(OI_LOG_ERROR, "alerts.failed", oi_status_name(status),
                         "reason=\"%s\" next=\"again from what was written down\"", error.message);
        leave(engine);
    }
    oi_alert_courier_go_on(engine->courier);
    count_deliveries(engine);
}

static void *
work(void *context)
{
    struct oi_alert_engine *engine = context;
    struct oi_error error = {};

    oi_loop_run(engine->loop);
    if (engine->run && oi_alert_run_commit(engine->run, &error) != OI_OK)
        oi_log(OI_LOG_ERROR, "alerts.failed", "reason=\"%s\"", error.message);
    leave(engine);
    oi_alert_courier_free(&engine->courier);
    return NULL;
}

static enum oi_status
open_lock(struct oi_alert_engine *engine, struct oi_error *error)
{
    struct oi_buffer path = {};

    oi_buffer_add_format(&path, "%s/alerts/judge.lock", engine->options.data_folder);
    oi_buffer_add_char(&path, '\0');
    engine->lock_file = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    oi_buffer_release(&path);
    if (engine->lock_file < 0)
        return oi_fail(error, OI_E_IO, "cannot open alerts/judge.lock: %s", strerror(errno));
    return OI_OK;
}

static void
dispose(struct oi_alert_engine *engine)
{
    oi_timer_free(&engine->timer);
    oi_loop_free(&engine->loop);
    if (engine->lock_file >= 0)
        (void) close(engine->lock_file);
    oi_vector_release(&engine->taken);
    oi_vector_release(&engine->waiting);
    pthread_mutex_destroy(&engine->lock);
    oi_free(engine);
}

enum oi_status
oi_alert_engine_open(const struct oi_alert_engine_options *options,
                     struct oi_alert_engine **ret_engine, struct oi_error *error)
{
    struct oi_alert_engine *engine = oi_alloc_zero(1, sizeof(*engine));
    enum oi_status status;

    engine->options = *options;
    engine->lock_file = -1;
    pthread_mutex_init(&engine->lock, NULL);
    status = open_lock(engine, error);
    if (status == OI_OK)
        status = oi_loop_new(&engine->loop, error);
    if (status != OI_OK) {
        dispose(engine);
        return status;
    }
    engine->courier =
        oi_alert_courier_new(engine->loop, options->log, options->rules, options->source->clock);
    engine->timer = oi_timer_new(engine->loop, look, engine);
    oi_timer_start(engine->timer, 1, LOOK_MS);
    oi_loop_on_wake(engine->loop, look, engine);
    engine->watcher = (struct oi_watcher){ committed, engine };
    oi_store_watch(options->source->store, &engine->watcher);
    if (pthread_create(&engine->thread, NULL, work, engine) != 0) {
        oi_store_unwatch(options->source->store, &engine->watcher);
        oi_alert_courier_free(&engine->courier);
        dispose(engine);
        return oi_fail(error, OI_E_IO, "cannot start a thread");
    }
    *ret_engine = engine;
    return OI_OK;
}

void
oi_alert_engine_close(struct oi_alert_engine **engine)
{
    if (!engine || !*engine)
        return;
    oi_store_unwatch((*engine)->options.source->store, &(*engine)->watcher);
    atomic_store(&(*engine)->is_stopping, true);
    oi_loop_wake((*engine)->loop);
    pthread_join((*engine)->thread, NULL);
    dispose(*engine);
    *engine = NULL;
}

static void
add_metric(struct oi_buffer *out, const char *name, const char *type, const char *help,
           uint64_t value)
{
    oi_buffer_add_format(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name, help, name, type, name,
                         (unsigned long long) value);
}

void
oi_alert_engine_write_metrics(void *context, struct oi_buffer *out)
{
    struct oi_alert_engine *engine = context;

    add_metric(out, "oi_alerts_judging", "gauge", "Does this process judge the rules?",
               atomic_load(&engine->is_judging));
    add_metric(out, "oi_alerts_events_total", "counter", "Alerts that fired or were over.",
               atomic_load(&engine->fired));
    add_metric(out, "oi_alerts_delivered_total", "counter", "Deliveries that arrived.",
               atomic_load(&engine->delivered));
    add_metric(out, "oi_alerts_delivery_failures_total", "counter", "Attempts that failed.",
               atomic_load(&engine->failed));
    add_metric(out, "oi_alerts_given_up_total", "counter", "Deliveries that were given up.",
               atomic_load(&engine->given_up));
}
