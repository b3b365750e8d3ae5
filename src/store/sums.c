/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of many series instant by instant, where rows are elsewhere and are added up there. */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "base/alloc.h"
#include "store/store_internal.h"

#include <stdlib.h>
#include <string.h>

void
oi_sums_release(struct oi_sums *sums)
{
    oi_vector_release(&sums->times);
    oi_vector_release(&sums->mantissas);
    oi_vector_release(&sums->is_whole);
    *sums = (struct oi_sums){};
}

bool
oi_store_makes_sums(const struct oi_store *store)
{
    return store->remote && store->remote->sums;
}

static int
compare_series(const void *left, const void *right)
{
    const uint32_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

enum oi_status
oi_store_sums(struct oi_store *store, const uint32_t *series, size_t count, struct oi_span span,
              struct oi_sums *ret_sums, struct oi_error *error)
{
    struct oi_gather_request request = { .count = count, .span = span };
    struct oi_sums sums = {};
    uint32_t *sorted;
    enum oi_status status;

    if (!oi_store_makes_sums(store) || count == 0)
        return OI_E_NOT_FOUND;
    OI_TRY(oi_store_refresh(store, error));
    sorted = oi_alloc(count * sizeof(*sorted));
    memcpy(sorted, series, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), compare_series);
    request.series = sorted;
    request.batch_limit = oi_remote_last_batch(store);
    status = store->remote->sums(store->remote_context, &request, &sums, error);
    oi_free(sorted);
    if (status == OI_OK)
        *ret_sums = sums;
    else
        oi_sums_release(&sums);
    return status;
}
