/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures as text, a few dozen at a time, each in a slot of a fixed size: where one text begins
 * does not depend on how long the one before is, and the digits of all are made side by side in
 * vectors. What large answers and files are made of. Any thread.
 */
#pragma once

#include "core/columns.h"

#include <stddef.h>
#include <stdint.h>

/* Texts made together: what is in the making stays in the nearest cache. */
#define OI_SLOT_COUNT 32
/* Bytes of a text at most. */
#define OI_SLOT_SIZE 32
/* Bytes from its beginning that may be written, so that copies have a fixed size. */
#define OI_SLOT_ROOM 64
/* In place of the size of a text. */
#define OI_SLOT_NONE 0xFFu
#define OI_SLOT_LONG 0xFEu /* the value does not fit a slot, or has the wide form */
#define OI_SLOT_IS_TEXT(size) ((size) < OI_SLOT_LONG)

/* Text i begins at first + i * stride; stride is at least OI_SLOT_ROOM. */
struct oi_slots {
    char *first;
    size_t stride;
    uint8_t *sizes; /* `after` included */
    char after;     /* stands behind each text; 0: nothing */
};

/* The first `count` rows, at most OI_SLOT_COUNT, as oi_decimal_print writes them. */
void oi_slots_put_decimals(const struct oi_slots *slots, const struct oi_decimals *column,
                           size_t count);

/* Numbers below 10^8, at most OI_SLOT_NUMBERS of them, as eight digits each. */
#define OI_SLOT_NUMBERS (3 * OI_SLOT_COUNT)
void oi_digits_put(const uint32_t *numbers, size_t count, char *texts);
