/* SPDX-License-Identifier: Apache-2.0 */
/* Checking and decoding UTF-8; eight bytes at a time where they are plain. */
#include "base/utf8.h"

#include <string.h>

#define EACH_BYTE UINT64_C(0x0101010101010101)

size_t
oi_utf8_decode(struct oi_slice text, uint32_t *ret_character)
{
    const unsigned char *at = (const unsigned char *) text.data;
    uint32_t character;
    uint32_t least; /* what this many bytes are needed for */
    size_t size;

    if (at[0] < 0x80) {
        *ret_character = at[0];
        return 1;
    }
    if (at[0] >= 0xC2 && at[0] < 0xE0) {
        size = 2;
        least = 0x80;
        character = at[0] & 0x1FU;
    } else if (at[0] >= 0xE0 && at[0] < 0xF0) {
        size = 3;
        least = 0x800;
        character = at[0] & 0x0FU;
    } else if (at[0] >= 0xF0 && at[0] < 0xF5) {
        size = 4;
        least = 0x10000;
        character = at[0] & 0x07U;
    } else {
        return 0;
    }
    if (text.size < size)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
        character = character << 6 | (at[i] & 0x3FU);
    }
    if (character < least || character > 0x10FFFF || (character >= 0xD800 && character < 0xE000))
        return 0;
    *ret_character = character;
    return size;
}

/* How many bytes at the front are ASCII and no backslash. */
static size_t
plain_size(struct oi_slice text)
{
    size_t size = 0;

    for (; text.size - size >= 8; size += 8) {
        uint64_t word;
        uint64_t zero_where_backslash;

        memcpy(&word, text.data + size, sizeof(word));
        zero_where_backslash = word ^ EACH_BYTE * '\\';
        /* The well-known test for a zero byte; a high bit anywhere stops it just as well. */
        if ((word | (zero_where_backslash - EACH_BYTE)) & EACH_BYTE * 0x80)
            break;
    }
    while (size < text.size && (unsigned char) text.data[size] < 0x80 && text.data[size] != '\\')
        size++;
    return size;
}

/* The four hexadecimal digits of "\uXXXX" at the front, or -1. */
static int32_t
unicode_escape(struct oi_slice text)
{
    int32_t value = 0;

    if (text.size < 6 || text.data[0] != '\\' || text.data[1] != 'u')
        return -1;
    for (size_t i = 2; i < 6; i++) {
        int digit = oi_hex_value(text.data[i]);

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* The size of the escape at the front, 0 when it is half a pair. A malformed escape passes as two
 * bytes: the parser will say so better. */
static size_t
escape_size(struct oi_slice text)
{
    int32_t first = unicode_escape(text);
    int32_t second;

    if (first < 0)
        return text.size < 2 ? 1 : 2;
    if (first < 0xD800 || first > 0xDFFF)
        return 6;
    if (first >= 0xDC00)
        return 0;
    second = unicode_escape((struct oi_slice){ text.data + 6, text.size - 6 });
    return second >= 0xDC00 && second <= 0xDFFF ? 12 : 0;
}

static bool
is_valid(struct oi_slice text, bool has_escapes)
{
    while (text.size > 0) {
        size_t size = plain_size(text);
        uint32_t character;

        if (size == 0 && has_escapes && text.data[0] == '\\') {
            size = escape_size(text);
            /* What follows a lone backslash may begin a longer character. */
            if (size == 2 && (unsigned char) text.data[1] >= 0x80)
                size = 1;
        } else if (size == 0) {
            size = oi_utf8_decode(text, &character);
        }
        if (size == 0)
            return false;
        text.data += size;
        text.size -= size;
    }
    return true;
}

bool
oi_utf8_is_valid(struct oi_slice text)
{
    return is_valid(text, false);
}

bool
oi_utf8_is_valid_json(struct oi_slice text)
{
    return is_valid(text, true);
}
