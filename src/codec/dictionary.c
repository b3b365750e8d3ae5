/* SPDX-License-Identifier: Apache-2.0 */
/* A few different values, each row by its number in their list: exponents, flags, stale prices. */
#include "codec/column_internal.h"

/* no unit test: internal to the folder, column_test drives every width and encoding */

#include <assert.h>

/* Twice the entries, so that a search ends soon; a power of two. */
#define SLOTS (2 * OI_DICTIONARY_MAX)
#define SLOT_BITS 9

/* Where so many of the first ones are different, there will be too many: of 256 equally likely
 * values about 100 are. */
#define FIRST_COUNT 128
#define FIRST_DIFFERENT_MAX 120

static_assert(SLOTS == 1 << SLOT_BITS, "a slot is that many bits of a hash");

bool
oi_dictionary_take(const int64_t *values, size_t count, struct oi_dictionary *ret_dictionary,
                   int64_t *ret_codes)
{
    uint16_t slots[SLOTS] = {}; /* a code and one more; 0: free */

    ret_dictionary->count = 0;
    for (size_t i = 0; i < count; i++) {
        /* Knuth's multiplicative hash: the golden ratio of 2^64. */
        size_t slot =
            (size_t) (((uint64_t) values[i] * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - SLOT_BITS));

        while (slots[slot] != 0 && ret_dictionary->entries[slots[slot] - 1] != values[i])
            slot = (slot + 1) % SLOTS;
        if (slots[slot] == 0) {
            if (ret_dictionary->count == OI_DICTIONARY_MAX)
                return false;
            ret_dictionary->entries[ret_dictionary->count++] = values[i];
            slots[slot] = (uint16_t) ret_dictionary->count;
        }
        ret_codes[i] = slots[slot] - 1;
        if (i + 1 == FIRST_COUNT && count > OI_DICTIONARY_MAX &&
            ret_dictionary->count > FIRST_DIFFERENT_MAX)
            return false;
    }
    return true;
}

size_t
oi_dictionary_head_size(const struct oi_dictionary *dictionary)
{
    size_t size = 2;
    int64_t before = 0;

    for (size_t i = 0; i < dictionary->count; i++) {
        size += oi_varint_size(oi_zigzag(oi_wrap_subtract(dictionary->entries[i], before)));
        before = dictionary->entries[i];
    }
    return size;
}

void
oi_dictionary_encode_head(const struct oi_dictionary *dictionary, struct oi_buffer *out)
{
    int64_t before = 0;

    oi_buffer_add_u8(out, OI_ENCODING_DICTIONARY);
    oi_buffer_add_u8(out, (uint8_t) (dictionary->count - 1));
    for (size_t i = 0; i < dictionary->count; i++) {
        oi_buffer_add_varint(out, oi_zigzag(oi_wrap_subtract(dictionary->entries[i], before)));
        before = dictionary->entries[i];
    }
}

enum oi_status
oi_dictionary_decode(struct oi_cursor *cursor, size_t count, int64_t *values, unsigned depth,
                     struct oi_error *error)
{
    int64_t entries[OI_DICTIONARY_MAX];
    size_t entry_count = (size_t) oi_cursor_u8(cursor) + 1;
    int64_t before = 0;

    for (size_t i = 0; i < entry_count; i++) {
        before = oi_wrap_add(before, oi_unzigzag(oi_cursor_varint(cursor)));
        entries[i] = before;
    }
    if (cursor->failed)
        return oi_fail(error, OI_E_CORRUPT, "a dictionary that is cut");
    OI_TRY(oi_column_decode_nested(cursor, count, values, depth, error));
    for (size_t i = 0; i < count; i++) {
        if ((uint64_t) values[i] >= entry_count)
            return oi_fail(error, OI_E_CORRUPT, "a code outside of its dictionary");
        values[i] = entries[values[i]];
    }
    return OI_OK;
}
