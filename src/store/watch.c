/* SPDX-License-Identifier: Apache-2.0 */
/* Who wants to hear of commits. */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "store/store_internal.h"

#include <string.h>

/* The follow lock is held while watchers are called, so that after oi_store_unwatch returns none of
 * its calls is under way. */
void
oi_store_watch(struct oi_store *store, const struct oi_watcher *watcher)
{
    (void) pthread_mutex_lock(&store->follow_lock);
    (void) pthread_rwlock_wrlock(&store->state_lock);
    oi_vector_push(&store->watchers, *watcher);
    (void) pthread_rwlock_unlock(&store->state_lock);
    (void) pthread_mutex_unlock(&store->follow_lock);
}

void
oi_store_unwatch(struct oi_store *store, const struct oi_watcher *watcher)
{
    (void) pthread_mutex_lock(&store->follow_lock);
    (void) pthread_rwlock_wrlock(&store->state_lock);
    for (size_t i = 0; i < store->watchers.count; i++) {
        struct oi_watcher *known = &store->watchers.items[i];

        if (known->committed != watcher->committed || known->context != watcher->context)
            continue;
        memmove(known, known + 1, (store->watchers.count - i - 1) * sizeof(*known));
        store->watchers.count--;
        break;
    }
    (void) pthread_rwlock_unlock(&store->state_lock);
    (void) pthread_mutex_unlock(&store->follow_lock);
}
