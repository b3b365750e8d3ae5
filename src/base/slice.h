/* SPDX-License-Identifier: Apache-2.0 */
/* Borrowed bytes. A slice never owns; whoever hands one out says until when it lives. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct oi_slice {
    const char *data; /* not NUL-terminated; may be NULL when size is 0 */
    size_t size;      /* bytes */
};

/* A slice over a string literal. */
#define OI_SLICE(literal) ((struct oi_slice){ (literal), sizeof(literal) - 1 })

/* "%.*s" with OI_SLICE_ARGS(slice) prints a slice. */
#define OI_SLICE_ARGS(slice) (int) (slice).size, (slice).data ? (slice).data : ""

static inline struct oi_slice
oi_slice_of(const char *text)
{
    return (struct oi_slice){ text, text ? strlen(text) : 0 };
}

static inline bool
oi_slice_equal(struct oi_slice a, struct oi_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* 0 to 15 of a hexadecimal digit in either case, or -1. */
static inline int
oi_hex_value(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    if (character >= 'A' && character <= 'F')
        return character - 'A' + 10;
    return -1;
}

/* A hash for tables of this process, eight bytes a step; of no bytes too. Who foresees it can make
 * texts that meet in one place, so whoever uses it compares them whole and bounds how long it
 * looks: oi_map (base/map.h) is for keys that strangers choose without end. */
uint64_t oi_slice_hash(struct oi_slice slice);

/* An ASCII letter in small; anything else as it is. */
static inline char
oi_lower(char character)
{
    return character >= 'A' && character <= 'Z' ? (char) (character + ('a' - 'A')) : character;
}

/* Is the slice exactly this text? */
static inline bool
oi_slice_is(struct oi_slice slice, const char *text)
{
    return oi_slice_equal(slice, oi_slice_of(text));
}

/* Bytewise order, a shorter prefix first: <0, 0, >0. */
int oi_slice_compare(struct oi_slice a, struct oi_slice b);

bool oi_slice_starts_with(struct oi_slice slice, const char *prefix);
bool oi_slice_ends_with(struct oi_slice slice, const char *suffix);

/* ASCII letters compare equal in either case. */
bool oi_slice_equal_ignoring_case(struct oi_slice a, struct oi_slice b);

/* Without blanks, tabs and line ends on either side. */
struct oi_slice oi_slice_trim(struct oi_slice slice);

/* Cut the part before the first `separator` off the front of `rest` and hand it out; false when
 * `rest` is used up (its data is then NULL). An empty slice yields one empty part. */
bool oi_slice_next_part(struct oi_slice *rest, char separator, struct oi_slice *ret_part);
