/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of one chunk of a bulk load, made of packed rows. One thread's; {} is empty. */
#pragma once

#include "store/bulk_internal.h"

/* Room for all columns is in one piece of memory, which is kept from chunk to chunk. */
struct oi_bulk_columns {
    size_t count, capacity;
    int64_t *time, *exchange_time, *known_time, *commit_time;
    uint64_t *batch;
    int64_t *mantissas[OI_PACKED_FIGURES];
    int8_t *exponents[OI_PACKED_FIGURES];
    uint16_t *flags;
    void *memory;
    OI_VECTOR(struct oi_decimal) wides;
    OI_VECTOR(struct oi_bulk_item) items; /* room for whoever leaves rows out */
    struct oi_columns columns;            /* what a chunk is made of; borrows */
};

void oi_bulk_columns_fill(const struct oi_bulk_work *work, const struct oi_bulk_item *items,
                          size_t count, struct oi_bulk_columns *columns);
void oi_bulk_columns_release(struct oi_bulk_columns *columns);
