/* SPDX-License-Identifier: Apache-2.0 */
/* What the encodings share. Each is a number on disk, a way to write and a way to read. */
#pragma once

#include "base/buffer.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* On disk: numbers are never reused. */
enum oi_encoding {
    OI_ENCODING_CONSTANT = 1,
    OI_ENCODING_FRAME = 2,
    OI_ENCODING_DELTA = 3,
    OI_ENCODING_MULTIPLE = 4,
    OI_ENCODING_DICTIONARY = 5,
    OI_ENCODING_GAPS = 6,
};

/* Encodings hold others: a delta of deltas over a frame is three. Deeper is not written. */
#define OI_ENCODING_DEPTH_MAX 4

/* 10^0 … 10^18, all that fit. */
#define OI_POWER_MAX 18
extern const int64_t oi_column_powers[OI_POWER_MAX + 1];

/* Exact division by 10^power is a shift and a product modulo 2^64, which vectors have. */
struct oi_power {
    unsigned power;
    uint64_t inverse; /* of 5^power */
    uint64_t quotient_max;
};
struct oi_power oi_power_of(unsigned power);

/* value / 10^power, where that leaves no rest. */
static inline int64_t
oi_power_divide(const struct oi_power *power, int64_t value)
{
    return (int64_t) ((uint64_t) (value >> power->power) * power->inverse);
}

/* Is it a multiple of 10^power? Only multiples of 5^power have small products with its inverse. */
static inline bool
oi_power_divides(const struct oi_power *power, int64_t value)
{
    uint64_t size = value < 0 ? -(uint64_t) value : (uint64_t) value;

    return (size & ((UINT64_C(1) << power->power) - 1)) == 0 &&
           (size >> power->power) * power->inverse <= power->quotient_max;
}

/* The largest power of ten that may divide all of some numbers: 10^n is a multiple of 2^n. `any`
 * has the bits of all of them. */
static inline unsigned
oi_power_limit(uint64_t any)
{
    unsigned zeros = any == 0 ? OI_POWER_MAX : (unsigned) __builtin_ctzll(any);

    return zeros < OI_POWER_MAX ? zeros : OI_POWER_MAX;
}

/* Small numbers of either sign become small unsigned ones. */
static inline uint64_t
oi_zigzag(int64_t value)
{
    return ((uint64_t) value << 1) ^ (uint64_t) (value >> 63);
}

static inline int64_t
oi_unzigzag(uint64_t value)
{
    return (int64_t) ((value >> 1) ^ (~(value & 1) + 1));
}

/* Differences and sums are taken modulo 2^64, so that every input has them. */
static inline int64_t
oi_wrap_add(int64_t a, int64_t b)
{
    return (int64_t) ((uint64_t) a + (uint64_t) b);
}

static inline int64_t
oi_wrap_subtract(int64_t a, int64_t b)
{
    return (int64_t) ((uint64_t) a - (uint64_t) b);
}

static inline size_t
oi_varint_size(uint64_t value)
{
    return (70u - (unsigned) __builtin_clzll(value | 1)) / 7;
}

/*
 * bitpack.c: unsigned numbers of `width` bits (0 to 64).
 */
#define OI_BLOCK_COUNT 512
/* What a guess at a size takes of a block. */
#define OI_GUESS_COUNT 128

size_t oi_bitpack_size(size_t count, unsigned width);
/* `count` is at most OI_BLOCK_COUNT; a whole block is packed vertically, a shorter one in a row. */
void oi_bitpack(const uint64_t *values, size_t count, unsigned width, unsigned char *out);
void oi_bitunpack(const unsigned char *bytes, size_t count, unsigned width, uint64_t *ret_values);
/* A whole block, each number (zigzag if it counts both ways) added to `base`. */
void oi_bitunpack_block(const unsigned char *bytes, unsigned width, int64_t base, bool is_both_ways,
                        int64_t *ret_values);

/*
 * Each encoding: `_size` says about how long it would be, `_encode` writes it with its type byte,
 * `_decode` reads what follows the type byte.
 */
bool oi_constant_fits(const int64_t *values, size_t count);
void oi_constant_encode(int64_t value, struct oi_buffer *out);
enum oi_status oi_constant_decode(struct oi_cursor *cursor, size_t count, int64_t *values,
                                  unsigned depth, struct oi_error *error);

size_t oi_frame_size(const int64_t *values, size_t count);
/* The same at a quarter of the cost and less surely: enough to see what is far too long. */
size_t oi_frame_guess(const int64_t *values, size_t count);
void oi_frame_encode(const int64_t *values, size_t count, struct oi_buffer *out);
/* From the smallest number, as wide as the largest one needs. */
void oi_frame_encode_quickly(const int64_t *values, size_t count, struct oi_buffer *out);
enum oi_status oi_frame_decode(struct oi_cursor *cursor, size_t count, int64_t *values,
                               unsigned depth, struct oi_error *error);

/* One block, at most OI_BLOCK_COUNT values: about how long it is; written behind one of `base`, and
 * read, both of which move the base on. */
size_t oi_frame_block_size(const int64_t *values, size_t count);
void oi_frame_encode_block(const int64_t *values, size_t count, int64_t *base,
                           struct oi_buffer *out);
enum oi_status oi_frame_decode_block(struct oi_cursor *cursor, size_t count, int64_t *base,
                                     int64_t *values, struct oi_error *error);

/* Of pieces of `piece` values of a few blocks; SIZE_MAX where hardly any value is zero. */
size_t oi_gaps_size(const int64_t *values, size_t count, size_t piece);
void oi_gaps_encode(const int64_t *values, size_t count, struct oi_buffer *out);
enum oi_status oi_gaps_decode(struct oi_cursor *cursor, size_t count, int64_t *values,
                              unsigned depth, struct oi_error *error);

/* The differences of neighbours; the first one repeats the second, so that it costs nothing.
 * `count` is at least 2. */
void oi_delta_take(const int64_t *values, size_t count, int64_t *ret_deltas);
/* The largest power of ten that divides all of them. */
unsigned oi_delta_power(const int64_t *deltas, size_t count);
/* Divide them by it, in place. */
void oi_delta_divide(int64_t *deltas, size_t count, unsigned power);
/* Only the head: the deltas, divided by 10^power, follow as a column. */
void oi_delta_encode_head(int64_t first, int64_t first_delta, unsigned power,
                          struct oi_buffer *out);
enum oi_status oi_delta_decode(struct oi_cursor *cursor, size_t count, int64_t *values,
                               unsigned depth, struct oi_error *error);

/* The largest power of ten that divides every difference from the first value. */
unsigned oi_multiple_power(const int64_t *values, size_t count);
/* value = rest + 10^power x multiple, for a power that divides every difference; false where that
 * could overflow. */
bool oi_multiple_take(const int64_t *values, size_t count, unsigned power, int64_t *ret_multiples,
                      int64_t *ret_rest);
void oi_multiple_encode_head(int64_t rest, unsigned power, struct oi_buffer *out);
enum oi_status oi_multiple_decode(struct oi_cursor *cursor, size_t count, int64_t *values,
                                  unsigned depth, struct oi_error *error);

#define OI_DICTIONARY_MAX 256
struct oi_dictionary {
    int64_t entries[OI_DICTIONARY_MAX]; /* in order of their first appearance */
    size_t count;
};
/* False when there are more than OI_DICTIONARY_MAX different values. */
bool oi_dictionary_take(const int64_t *values, size_t count, struct oi_dictionary *ret_dictionary,
                        int64_t *ret_codes);
size_t oi_dictionary_head_size(const struct oi_dictionary *dictionary);
void oi_dictionary_encode_head(const struct oi_dictionary *dictionary, struct oi_buffer *out);
enum oi_status oi_dictionary_decode(struct oi_cursor *cursor, size_t count, int64_t *values,
                                    unsigned depth, struct oi_error *error);

/* column.c: read one column, type byte first. */
enum oi_status oi_column_decode_nested(struct oi_cursor *cursor, size_t count, int64_t *values,
                                       unsigned depth, struct oi_error *error);
