/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames: blocks of 512 numbers, each as its distance from the block's base in as few bits as suit
 * most of them; the few that need more are patched from a list behind. The distance is counted from
 * the smallest number, or in either direction from one in the middle where outliers lie on both
 * sides.
 */
#include "base/compiler.h"
#include "codec/column_internal.h"

/* no unit test: internal to the folder, column_test drives every width and encoding */

#include <string.h>

/* In a block's first byte, above its width. */
#define FLAG_BOTH_WAYS 0x80u
#define WIDTH_MAX 64
/* Blocks that an estimate looks at. */
#define SAMPLE_BLOCKS 3

struct plan {
    int64_t base;
    bool is_both_ways;
    unsigned width;
    unsigned exceptions;
    size_t size; /* of the packed bits and, about, of the exceptions */
};

static inline unsigned
bits_of(uint64_t value)
{
    return value == 0 ? 0 : 64 - (unsigned) __builtin_clzll(value);
}

static inline uint64_t
distance(const struct plan *plan, int64_t value)
{
    int64_t difference = oi_wrap_subtract(value, plan->base);

    return plan->is_both_ways ? oi_zigzag(difference) : (uint64_t) difference;
}

/* Choose the width, given how many numbers need how many bits. */
static void
choose_width(struct plan *plan, const unsigned counts[WIDTH_MAX + 1], size_t count)
{
    unsigned exceptions = 0;
    unsigned widest = WIDTH_MAX;
    size_t patches = 0; /* bytes of the exceptions, counted from a width upwards */

    while (widest > 0 && counts[widest] == 0)
        widest--;
    plan->size = SIZE_MAX;
    for (unsigned width = widest + 1; width-- > 0;) {
        size_t size = oi_bitpack_size(count, width) + patches;

        /* A position takes a byte or two; what is above the width, a varint. */
        if (size <= plan->size) {
            plan->size = size;
            plan->width = width;
            plan->exceptions = exceptions;
        }
        exceptions += counts[width];
        /* Every exception so far has one bit more above the next width: a seventh of a byte. */
        patches += (size_t) counts[width] * 2 + exceptions / 7;
    }
}

/* One in the middle: the median of a few, which outliers do not move. */
static int64_t
middle_of(const int64_t *values, size_t count)
{
    int64_t sample[9];
    size_t taken = count < OI_COUNT(sample) ? count : OI_COUNT(sample);

    for (size_t i = 0; i < taken; i++) {
        int64_t value = values[i * count / taken];
        size_t place = i;

        for (; place > 0 && sample[place - 1] > value; place--)
            sample[place] = sample[place - 1];
        sample[place] = value;
    }
    return sample[taken / 2];
}

OI_VECTORISED static int64_t
smallest_of(const int64_t *values, size_t count)
{
    int64_t smallest = values[0];

    for (size_t i = 1; i < count; i++)
        smallest = values[i] < smallest ? values[i] : smallest;
    return smallest;
}

static struct plan
plan_block(const int64_t *values, size_t count)
{
    struct plan up = { .base = smallest_of(values, count) };
    struct plan both = { .base = middle_of(values, count), .is_both_ways = true };
    unsigned up_counts[WIDTH_MAX + 1] = {};
    unsigned both_counts[WIDTH_MAX + 1] = {};

    for (size_t i = 0; i < count; i++) {
        up_counts[bits_of((uint64_t) oi_wrap_subtract(values[i], up.base))]++;
        both_counts[bits_of(oi_zigzag(oi_wrap_subtract(values[i], both.base)))]++;
    }
    choose_width(&up, up_counts, count);
    choose_width(&both, both_counts, count);
    return both.size < up.size ? both : up;
}

/* Estimated from a few blocks, evenly spread: what is compared differs by more than they do. */
size_t
oi_frame_size(const int64_t *values, size_t count)
{
    size_t block_count = (count + OI_BLOCK_COUNT - 1) / OI_BLOCK_COUNT;
    size_t step = (block_count + SAMPLE_BLOCKS - 1) / SAMPLE_BLOCKS;
    size_t size = 0;
    size_t seen = 0;
    int64_t base = 0;

    oi_assert(count > 0);
    for (size_t first = 0; first < count; first += step * OI_BLOCK_COUNT) {
        size_t left = count - first;
        size_t taken = left < OI_BLOCK_COUNT ? left : OI_BLOCK_COUNT;
        struct plan plan = plan_block(values + first, taken);

        size += plan.size + 2 + oi_varint_size(oi_zigzag(oi_wrap_subtract(plan.base, base)));
        seen += taken;
        base = plan.base;
    }
    return 1 + size * count / seen;
}

static void
encode_exceptions(const struct plan *plan, const uint64_t *distances, size_t count,
                  struct oi_buffer *out)
{
    size_t next = 0; /* the position after the exception before */

    if (plan->exceptions == 0)
        return;
    for (size_t i = 0; i < count; i++) {
        uint64_t above = distances[i] >> plan->width; /* exceptions have a width below 64 */

        if (above == 0)
            continue;
        oi_buffer_add_varint(out, i - next);
        oi_buffer_add_varint(out, above);
        next = i + 1;
    }
}

static void
encode_block(const int64_t *values, size_t count, int64_t *base, struct oi_buffer *out)
{
    struct plan plan = plan_block(values, count);
    size_t size = oi_bitpack_size(count, plan.width);
    uint64_t distances[OI_BLOCK_COUNT];
    char *room;

    for (size_t i = 0; i < count; i++)
        distances[i] = distance(&plan, values[i]);
    oi_buffer_add_u8(out, (uint8_t) (plan.width | (plan.is_both_ways ? FLAG_BOTH_WAYS : 0)));
    oi_buffer_add_varint(out, oi_zigzag(oi_wrap_subtract(plan.base, *base)));
    oi_buffer_add_varint(out, plan.exceptions);
    room = oi_buffer_reserve(out, size);
    if (room) {
        oi_bitpack(distances, count, plan.width, (unsigned char *) room);
        out->size += size;
    }
    encode_exceptions(&plan, distances, count, out);
    *base = plan.base;
}

void
oi_frame_encode(const int64_t *values, size_t count, struct oi_buffer *out)
{
    int64_t base = 0;

    oi_buffer_add_u8(out, OI_ENCODING_FRAME);
    for (size_t first = 0; first < count; first += OI_BLOCK_COUNT) {
        size_t left = count - first;

        encode_block(values + first, left < OI_BLOCK_COUNT ? left : OI_BLOCK_COUNT, &base, out);
    }
}

OI_VECTORISED static void
add_base(int64_t *values, size_t count, int64_t base)
{
    for (size_t i = 0; i < count; i++)
        values[i] = oi_wrap_add(values[i], base);
}

OI_VECTORISED static void
add_base_both_ways(int64_t *values, size_t count, int64_t base)
{
    for (size_t i = 0; i < count; i++)
        values[i] = oi_wrap_add(oi_unzigzag((uint64_t) values[i]), base);
}

static enum oi_status
patch(struct oi_cursor *cursor, const struct plan *plan, size_t count, int64_t *values,
      struct oi_error *error)
{
    size_t next = 0;

    for (unsigned i = 0; i < plan->exceptions; i++) {
        uint64_t skipped = oi_cursor_varint(cursor);
        uint64_t above = oi_cursor_varint(cursor);
        uint64_t whole;

        if (cursor->failed || skipped >= count - next)
            return oi_fail(error, OI_E_CORRUPT, "an exception outside of its block");
        next += skipped;
        whole = distance(plan, values[next]) | above << plan->width;
        values[next] =
            oi_wrap_add(plan->base, plan->is_both_ways ? oi_unzigzag(whole) : (int64_t) whole);
        next++;
    }
    return OI_OK;
}

static enum oi_status
decode_block(struct oi_cursor *cursor, size_t count, int64_t *base, int64_t *values,
             struct oi_error *error)
{
    uint8_t head = oi_cursor_u8(cursor);
    int64_t step = oi_unzigzag(oi_cursor_varint(cursor));
    uint64_t exceptions = oi_cursor_varint(cursor);
    struct plan plan = { .base = oi_wrap_add(*base, step),
                         .is_both_ways = head & FLAG_BOTH_WAYS,
                         .width = head & ~FLAG_BOTH_WAYS };
    struct oi_slice bytes;

    if (plan.width > WIDTH_MAX || exceptions > (plan.width < WIDTH_MAX ? count : 0))
        return oi_fail(error, OI_E_CORRUPT, "a block that is not one");
    plan.exceptions = (unsigned) exceptions;
    bytes = oi_cursor_bytes(cursor, oi_bitpack_size(count, plan.width));
    if (cursor->failed)
        return oi_fail(error, OI_E_CORRUPT, "a block that is cut");
    /* Signed and unsigned of one width may share memory. */
    oi_bitunpack((const unsigned char *) bytes.data, count, plan.width, (uint64_t *) values);
    if (plan.is_both_ways)
        add_base_both_ways(values, count, plan.base);
    else
        add_base(values, count, plan.base);
    *base = plan.base;
    return patch(cursor, &plan, count, values, error);
}

enum oi_status
oi_frame_decode(struct oi_cursor *cursor, size_t count, int64_t *values, unsigned,
                struct oi_error *error)
{
    int64_t base = 0;

    for (size_t first = 0; first < count; first += OI_BLOCK_COUNT) {
        size_t left = count - first;

        OI_TRY(decode_block(cursor, left < OI_BLOCK_COUNT ? left : OI_BLOCK_COUNT, &base,
                            values + first, error));
    }
    return OI_OK;
}
