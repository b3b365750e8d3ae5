/* SPDX-License-Identifier: Apache-2.0 */
/* What a reply yielded: vectors of rows whose texts live in one arena. */
#include "exchanges/exchange.h"

/* A skip quotes the other side, so its texts are bounded like names. */
#define SKIP_SYMBOL_SIZE_MAX ((size_t) OI_SYMBOL_SIZE)

void
oi_harvest_release(struct oi_harvest *harvest)
{
    if (!harvest)
        return;
    oi_vector_release(&harvest->instruments);
    oi_vector_release(&harvest->rows);
    oi_vector_release(&harvest->families);
    oi_vector_release(&harvest->skips);
    oi_arena_release(&harvest->arena);
    harvest->next_page = NULL;
}

void
oi_harvest_reset(struct oi_harvest *harvest)
{
    oi_vector_clear(&harvest->instruments);
    oi_vector_clear(&harvest->rows);
    oi_vector_clear(&harvest->families);
    oi_vector_clear(&harvest->skips);
    oi_arena_reset(&harvest->arena);
    harvest->next_page = NULL;
}

enum oi_status
oi_harvest_add(struct oi_harvest *harvest, struct oi_slice symbol,
               const struct oi_observation *reading, struct oi_error *error)
{
    return oi_harvest_add_of(harvest, NULL, symbol, reading, error);
}

enum oi_status
oi_harvest_add_of(struct oi_harvest *harvest, const char *product, struct oi_slice symbol,
                  const struct oi_observation *reading, struct oi_error *error)
{
    char name[OI_SYMBOL_SIZE];
    struct oi_harvest_row row = { .reading = *reading };

    OI_TRY(OI_NAME_SET(name, symbol, error));
    row.symbol = oi_arena_copy(&harvest->arena, oi_slice_of(name));
    row.product = product ? oi_arena_copy(&harvest->arena, oi_slice_of(product)) : NULL;
    oi_vector_push(&harvest->rows, row);
    return OI_OK;
}

void
oi_harvest_skip(struct oi_harvest *harvest, struct oi_slice symbol, const char *reason)
{
    struct oi_harvest_skip skip;

    if (symbol.size > SKIP_SYMBOL_SIZE_MAX)
        symbol.size = SKIP_SYMBOL_SIZE_MAX;
    skip.symbol = oi_arena_copy(&harvest->arena, symbol);
    skip.reason = oi_arena_copy(&harvest->arena, oi_slice_of(reason));
    oi_vector_push(&harvest->skips, skip);
}

void
oi_harvest_add_family(struct oi_harvest *harvest, struct oi_slice family)
{
    const char *copy;

    for (size_t i = harvest->families.count; i-- > 0;)
        if (oi_slice_is(family, harvest->families.items[i]))
            return;
    copy = oi_arena_copy(&harvest->arena, family);
    oi_vector_push(&harvest->families, copy);
}
