/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing and cutting borrowed bytes. */
#include "base/slice.h"

static bool
is_blank(char character)
{
    return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

uint64_t
oi_slice_hash(struct oi_slice slice)
{
    uint64_t hash = slice.size * UINT64_C(0x9E3779B97F4A7C15);
    uint64_t word;

    while (slice.size >= sizeof(word)) {
        memcpy(&word, slice.data, sizeof(word));
        hash = (hash ^ word) * UINT64_C(0x9FB21C651E98DF25);
        hash ^= hash >> 32;
        slice.data += sizeof(word);
        slice.size -= sizeof(word);
    }
    word = 0;
    if (slice.size > 0)
        memcpy(&word, slice.data, slice.size);
    hash = (hash ^ word) * UINT64_C(0x9FB21C651E98DF25);
    return hash ^ hash >> 32;
}

int
oi_slice_compare(struct oi_slice a, struct oi_slice b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);

    if (order != 0)
        return order;
    return (a.size > b.size) - (a.size < b.size);
}

bool
oi_slice_starts_with(struct oi_slice slice, const char *prefix)
{
    size_t size = strlen(prefix);

    return slice.size >= size && (size == 0 || memcmp(slice.data, prefix, size) == 0);
}

bool
oi_slice_ends_with(struct oi_slice slice, const char *suffix)
{
    size_t size = strlen(suffix);

    return slice.size >= size &&
           (size == 0 || memcmp(slice.data + slice.size - size, suffix, size) == 0);
}

bool
oi_slice_equal_ignoring_case(struct oi_slice a, struct oi_slice b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++) {
        if (oi_lower(a.data[i]) != oi_lower(b.data[i]))
            return false;
    }
    return true;
}

struct oi_slice
oi_slice_trim(struct oi_slice slice)
{
    while (slice.size > 0 && is_blank(slice.data[0])) {
        slice.data++;
        slice.size--;
    }
    while (slice.size > 0 && is_blank(slice.data[slice.size - 1]))
        slice.size--;
    return slice;
}

bool
oi_slice_next_part(struct oi_slice *rest, char separator, struct oi_slice *ret_part)
{
    const char *found;

    if (!rest->data)
        return false;
    found = rest->size == 0 ? NULL : memchr(rest->data, separator, rest->size);
    if (!found) {
        *ret_part = *rest;
        *rest = (struct oi_slice){};
        return true;
    }
    *ret_part = (struct oi_slice){ rest->data, (size_t) (found - rest->data) };
    rest->data = found + 1;
    rest->size -= ret_part->size + 1;
    return true;
}
