/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 9110, section 14: what is not understood is ignored, so that the whole body is sent. */
#include "server/range.h"

#include <stdint.h>

/* Digits at the front of `text`, cut off it; false without any or on overflow. */
static bool
take_number(struct oi_slice *text, size_t *ret_value)
{
    size_t value = 0, digits = 0;

    while (digits < text->size && text->data[digits] >= '0' && text->data[digits] <= '9') {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (size_t) (text->data[digits] - '0'), &value))
            return false;
        digits++;
    }
    text->data += digits;
    text->size -= digits;
    *ret_value = value;
    return digits > 0;
}

/* "bytes=-500": the last 500. */
static bool
parse_suffix(struct oi_slice text, size_t size, struct oi_byte_range *ret_range)
{
    size_t wanted;

    if (!take_number(&text, &wanted) || text.size > 0)
        return false;
    *ret_range = (struct oi_byte_range){ wanted < size ? size - wanted : 0, wanted > 0 ? size : 0 };
    return true;
}

bool
oi_range_parse(struct oi_slice header, size_t size, struct oi_byte_range *ret_range)
{
    struct oi_slice text = oi_slice_trim(header);
    size_t first, last = SIZE_MAX - 1;

    if (!oi_slice_starts_with(text, "bytes="))
        return false;
    text.data += 6;
    text.size -= 6;
    if (text.size > 0 && text.data[0] == '-')
        return parse_suffix((struct oi_slice){ text.data + 1, text.size - 1 }, size, ret_range);
    if (!take_number(&text, &first) || text.size == 0 || text.data[0] != '-')
        return false;
    text.data++;
    text.size--;
    if (text.size > 0 && (!take_number(&text, &last) || text.size > 0 || last < first))
        return false;
    if (last >= size)
        last = size - 1;
    *ret_range = (struct oi_byte_range){ first, first < size ? last + 1 : 0 };
    return true;
}
