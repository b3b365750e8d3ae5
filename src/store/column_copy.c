/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of columns in one piece of memory. */
/* no unit test: store/chunk_cache_test.c and store/rollup_cache_test.c ask for what was copied */
#include "store/column_copy.h"

#include <string.h>

#define DECIMALS 5

static void
list_decimals(struct oi_columns *columns, struct oi_decimals *list[DECIMALS])
{
    list[0] = &columns->open_interest;
    list[1] = &columns->value_usd;
    list[2] = &columns->mark_price;
    list[3] = &columns->index_price;
    list[4] = &columns->last_price;
}

const void *
oi_column_copy_add(struct oi_column_copy *copy, const void *from, size_t size)
{
    char *to = copy->at ? copy->at + copy->size : NULL;

    if (!from)
        return NULL;
    if (to)
        memcpy(to, from, size);
    copy->size += size;
    return to ? to : from;
}

void
oi_column_copy_integers(struct oi_column_copy *copy, struct oi_columns *columns, size_t count)
{
    struct oi_decimals *list[DECIMALS];

    list_decimals(columns, list);
    columns->time = oi_column_copy_add(copy, columns->time, count * sizeof(*columns->time));
    for (size_t i = 0; i < DECIMALS; i++)
        list[i]->mantissas =
            oi_column_copy_add(copy, list[i]->mantissas, count * sizeof(*list[i]->mantissas));
}

void
oi_column_copy_exponents(struct oi_column_copy *copy, struct oi_columns *columns, size_t count)
{
    struct oi_decimals *list[DECIMALS];

    list_decimals(columns, list);
    for (size_t i = 0; i < DECIMALS; i++)
        list[i]->exponents = oi_column_copy_add(copy, list[i]->exponents, count);
}

bool
oi_columns_are_usual(const struct oi_columns *columns)
{
    return !columns->exchange_time && !columns->known_time && !columns->batch && !columns->flags &&
           !columns->open_interest.wides && !columns->value_usd.wides &&
           !columns->mark_price.wides && !columns->index_price.wides && !columns->last_price.wides;
}
