/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pieces are handed out under one lock; there are some dozens of them, of some microseconds each.
 * Whoever waits looks for a while before it sleeps, because waking takes longer than a piece does.
 */
#include "store/crew.h"

#include "base/alloc.h"
#include "base/status.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Looks before sleeping: some tens of microseconds. */
#define LOOKS 1000

struct oi_crew {
    pthread_t thread;
    bool has_thread, is_refused; /* the caller's alone */

    pthread_mutex_t
        mutex; /* guards what follows; atomics are changed under it, looked at without */
    pthread_cond_t posted, done;
    oi_crew_work *work;
    void *context;
    size_t next, count; /* pieces handed out, and all */
    atomic_uint jobs;   /* how often something was posted, or the end */
    atomic_uint busy;   /* pieces in the other thread's hands, or kept for it */
    bool is_kept;       /* for the other thread alone */
    bool is_ended;
};

static void
look_again(void)
{
#if defined(__x86_64__)
    _mm_pause();
#endif
}

/* The other thread; the lock is held when this returns. */
static void
wait_for_work(struct oi_crew *crew)
{
    unsigned seen = atomic_load(&crew->jobs);

    (void) pthread_mutex_unlock(&crew->mutex);
    for (int look = 0; look < LOOKS && atomic_load(&crew->jobs) == seen; look++)
        look_again();
    (void) pthread_mutex_lock(&crew->mutex);
    while (atomic_load(&crew->jobs) == seen)
        (void) pthread_cond_wait(&crew->posted, &crew->mutex);
}

static void *
run(void *context)
{
    struct oi_crew *crew = context;

    (void) pthread_mutex_lock(&crew->mutex);
    while (!crew->is_ended) {
        oi_crew_work *work = crew->work;
        void *work_context = crew->context;
        size_t piece;

        if (crew->next >= crew->count) {
            wait_for_work(crew);
            continue;
        }
        piece = crew->next++;
        if (!crew->is_kept)
            atomic_fetch_add(&crew->busy, 1);
        (void) pthread_mutex_unlock(&crew->mutex);
        work(work_context, piece);
        (void) pthread_mutex_lock(&crew->mutex);
        if (atomic_fetch_sub(&crew->busy, 1) == 1)
            (void) pthread_cond_signal(&crew->done);
    }
    (void) pthread_mutex_unlock(&crew->mutex);
    return NULL;
}

struct oi_crew *
oi_crew_new(void)
{
    struct oi_crew *crew = oi_alloc_zero(1, sizeof(*crew));

    oi_assert(pthread_mutex_init(&crew->mutex, NULL) == 0);
    oi_assert(pthread_cond_init(&crew->posted, NULL) == 0);
    oi_assert(pthread_cond_init(&crew->done, NULL) == 0);
    return crew;
}

void
oi_crew_free(struct oi_crew **crew)
{
    struct oi_crew *freed = *crew;

    if (!freed)
        return;
    *crew = NULL;
    if (freed->has_thread) {
        (void) pthread_mutex_lock(&freed->mutex);
        freed->is_ended = true;
        atomic_fetch_add(&freed->jobs, 1);
        (void) pthread_cond_signal(&freed->posted);
        (void) pthread_mutex_unlock(&freed->mutex);
        (void) pthread_join(freed->thread, NULL);
    }
    (void) pthread_cond_destroy(&freed->posted);
    (void) pthread_cond_destroy(&freed->done);
    (void) pthread_mutex_destroy(&freed->mutex);
    oi_free(freed);
}

/* Signals are for those who expect them. */
static bool
has_thread(struct oi_crew *crew)
{
    sigset_t all, before;

    if (crew->has_thread || crew->is_refused)
        return crew->has_thread;
    (void) sigfillset(&all);
    (void) pthread_sigmask(SIG_SETMASK, &all, &before);
    crew->has_thread = pthread_create(&crew->thread, NULL, run, crew) == 0;
    crew->is_refused = !crew->has_thread;
    (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
    return crew->has_thread;
}

static void
post(struct oi_crew *crew, oi_crew_work *work, void *context, size_t count)
{
    crew->work = work;
    crew->context = context;
    crew->next = 0;
    crew->count = count;
    atomic_fetch_add(&crew->jobs, 1);
    (void) pthread_cond_signal(&crew->posted);
}

/* The lock is held. */
static void
wait_until_idle(struct oi_crew *crew)
{
    if (atomic_load(&crew->busy) > 0) {
        (void) pthread_mutex_unlock(&crew->mutex);
        for (int look = 0; look < LOOKS && atomic_load(&crew->busy) > 0; look++)
            look_again();
        (void) pthread_mutex_lock(&crew->mutex);
    }
    while (atomic_load(&crew->busy) > 0)
        (void) pthread_cond_wait(&crew->done, &crew->mutex);
}

void
oi_crew_share(struct oi_crew *crew, oi_crew_work *work, void *context, size_t count)
{
    if (!crew || count < 2 || !has_thread(crew)) {
        for (size_t piece = 0; piece < count; piece++)
            work(context, piece);
        return;
    }
    (void) pthread_mutex_lock(&crew->mutex);
    crew->is_kept = false;
    post(crew, work, context, count);
    while (crew->next < crew->count) {
        size_t piece = crew->next++;

        (void) pthread_mutex_unlock(&crew->mutex);
        work(context, piece);
        (void) pthread_mutex_lock(&crew->mutex);
    }
    wait_until_idle(crew);
    (void) pthread_mutex_unlock(&crew->mutex);
}

bool
oi_crew_start(struct oi_crew *crew, oi_crew_work *work, void *context)
{
    if (!crew || !has_thread(crew))
        return false;
    (void) pthread_mutex_lock(&crew->mutex);
    crew->is_kept = true;
    atomic_store(&crew->busy, 1);
    post(crew, work, context, 1);
    (void) pthread_mutex_unlock(&crew->mutex);
    return true;
}

void
oi_crew_finish(struct oi_crew *crew)
{
    if (!crew || !crew->has_thread)
        return;
    (void) pthread_mutex_lock(&crew->mutex);
    wait_until_idle(crew);
    (void) pthread_mutex_unlock(&crew->mutex);
}
