/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every answer has in common, and the answer made of ready blocks that renderers are tested
 * with.
 */
#include "query/result.h"

enum oi_status
oi_result_next(struct oi_result *result, const struct oi_block **ret_block, struct oi_error *error)
{
    return result->next(result, ret_block, error);
}

void
oi_result_close(struct oi_result **result)
{
    if (!*result)
        return;
    (*result)->close(*result);
    *result = NULL;
}

/* Blocks that stand ready, and how far they were read. */
struct ready {
    struct oi_result result;
    const struct oi_block *blocks;
    size_t count, position;
};

static enum oi_status
next_ready(struct oi_result *result, const struct oi_block **ret_block, struct oi_error *)
{
    struct ready *ready = result->context;

    if (ready->position == ready->count) {
        *ret_block = NULL;
        return OI_OK;
    }
    result->row_count += ready->blocks[ready->position].count;
    *ret_block = &ready->blocks[ready->position++];
    return OI_OK;
}

static void
close_ready(struct oi_result *result)
{
    oi_free(result->context);
}

struct oi_result *
oi_result_of_blocks(const struct oi_block *blocks, size_t count, const struct oi_market *markets,
                    size_t market_count)
{
    struct ready *ready = oi_alloc_zero(1, sizeof(*ready));

    ready->blocks = blocks;
    ready->count = count;
    ready->result = (struct oi_result){
        .next = next_ready,
        .close = close_ready,
        .context = ready,
        .market_count = market_count,
        .markets = markets,
    };
    return &ready->result;
}
