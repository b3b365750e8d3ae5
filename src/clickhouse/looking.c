/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When to look for news. A reader that finds that it is time has a thread look and reads on: what
 * others changed is seen a moment later, and no answer waits for a question that is not its own.
 * Only where nobody has looked for long does the reader itself. The thread is started by the first
 * reader that wants it.
 */
/* no unit test: needs a server; tests/contract/store_*_test.c run over one. */
#include "clickhouse/engine.h"

/* How much later than it was due a reader looks itself. */
#define LATE_NS (200 * OI_SECOND / 1000)

static void *
look(void *context)
{
    struct oi_clickhouse *engine = context;

    (void) pthread_mutex_lock(&engine->look_lock);
    while (!engine->is_stopped) {
        if (!engine->wants_look) {
            (void) pthread_cond_wait(&engine->look_wanted, &engine->look_lock);
            continue;
        }
        (void) pthread_mutex_unlock(&engine->look_lock);
        /* What went wrong is for the next reader to be told. */
        if (oi_remote_look(engine->store, NULL) != OI_OK)
            atomic_store(&engine->next_look, 0);
        (void) pthread_mutex_lock(&engine->look_lock);
        engine->wants_look = false;
    }
    (void) pthread_mutex_unlock(&engine->look_lock);
    return NULL;
}

bool
oi_clickhouse_is_due(void *context)
{
    struct oi_clickhouse *engine = context;
    bool is_looked;
    int64_t late = oi_clock_system.monotonic_ns(&oi_clock_system) - atomic_load(&engine->next_look);

    if (late < 0)
        return false;
    if (late >= LATE_NS)
        return true;
    (void) pthread_mutex_lock(&engine->look_lock);
    if (!engine->has_looker && !engine->is_stopped)
        engine->has_looker = pthread_create(&engine->looker, NULL, look, engine) == 0;
    engine->wants_look = true;
    (void) pthread_cond_signal(&engine->look_wanted);
    is_looked = engine->has_looker;
    (void) pthread_mutex_unlock(&engine->look_lock);
    return !is_looked;
}

void
oi_clickhouse_stop(void *context)
{
    struct oi_clickhouse *engine = context;

    (void) pthread_mutex_lock(&engine->look_lock);
    engine->is_stopped = true;
    (void) pthread_cond_signal(&engine->look_wanted);
    (void) pthread_mutex_unlock(&engine->look_lock);
    if (engine->has_looker)
        (void) pthread_join(engine->looker, NULL);
    engine->has_looker = false;
    oi_filling_finish(engine);
}
