/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transactions of this process on one environment, counted, so that a change that needs a
 * moment without any (a larger map, the environment opened anew) gets one: who wants such a moment
 * holds new transactions back and waits for those that are open, but not for ever.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

struct oi_turnstile {
    pthread_mutex_t mutex; /* guards all of it, and whatever else its owner says */
    pthread_cond_t quiet;  /* a transaction ended, or nobody waits for quiet any more */
    unsigned open_count;   /* transactions of this process */
    unsigned waiting;      /* callers that wait for open_count to be 0: no new ones meanwhile */
};

void oi_turnstile_init(struct oi_turnstile *turnstile);
void oi_turnstile_destroy(struct oi_turnstile *turnstile);
void oi_turnstile_lock(struct oi_turnstile *turnstile);
void oi_turnstile_unlock(struct oi_turnstile *turnstile);

/* All of these with the turnstile locked. Wait until nobody is waiting for quiet: then a
 * transaction may be counted in. */
void oi_turnstile_pass(struct oi_turnstile *turnstile);
/* Wait until no transaction is open; false when that took too long. */
bool oi_turnstile_wait_until_quiet(struct oi_turnstile *turnstile);
/* A transaction begins; it ended. */
void oi_turnstile_count_in(struct oi_turnstile *turnstile);
void oi_turnstile_count_out(struct oi_turnstile *turnstile);
