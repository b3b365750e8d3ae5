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
/* Outliers on both sides are looked for where all values need so many bits more than most do: when
 * a block is written, and when it is only looked at. */
#define SPREAD_BITS 0
#define SPREAD_BITS_SEEN 2

/* A block's distances of at most this much can be added up. */
#define CENTRE_REACH_MAX (UINT64_C(1) << 53)

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

OI_VECTORISED static uint64_t
any_of(const uint64_t *distances, size_t count)
{
    uint64_t any = 0;

    for (size_t i = 0; i < count; i++)
        any |= distances[i];
    return any;
}

/* How many need more than `width` (below 64) bits. */
OI_VECTORISED static unsigned
count_above(const uint64_t *distances, size_t count, unsigned width)
{
    uint64_t above = 0;

    for (size_t i = 0; i < count; i++)
        above += distances[i] >> width != 0;
    return (unsigned) above;
}

/* Choose the width, downwards from that of the largest. Once the exceptions cost eight widths more
 * than the best, still smaller widths do not make up for it. */
static void
choose_width(struct plan *plan, const uint64_t *distances, size_t count)
{
    unsigned width = bits_of(any_of(distances, count));
    size_t patches = 0; /* bytes of the exceptions */

    plan->width = width;
    plan->exceptions = 0;
    plan->size = oi_bitpack_size(count, width);
    for (unsigned before = 0; width-- > 0;) {
        unsigned exceptions = count_above(distances, count, width);
        size_t size;

        /* A position takes a byte or two; what is above the width, a varint. Every exception of a
         * larger width has one bit more above this one: a seventh of a byte. */
        patches += (size_t) (exceptions - before) * 2 + exceptions / 7;
        before = exceptions;
        size = oi_bitpack_size(count, width) + patches;
        if (size <= plan->size) {
            plan->size = size;
            plan->width = width;
            plan->exceptions = exceptions;
        }
        if (size > plan->size + count)
            return;
    }
}

/* What a few values, evenly spread, tell of all. */
struct middle {
    int64_t median;  /* outliers do not move it */
    uint64_t spread; /* how far most of the few are apart */
};

static struct middle
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
    return (struct middle){ sample[taken / 2], (uint64_t) sample[taken - 1 - taken / 8] -
                                                   (uint64_t) sample[taken / 8] };
}

OI_VECTORISED static int64_t
smallest_of(const int64_t *values, size_t count)
{
    int64_t smallest = values[0];

    for (size_t i = 1; i < count; i++)
        smallest = values[i] < smallest ? values[i] : smallest;
    return smallest;
}

OI_VECTORISED static void
take_distances(const int64_t *values, size_t count, int64_t base, uint64_t *ret_distances)
{
    for (size_t i = 0; i < count; i++)
        ret_distances[i] = (uint64_t) values[i] - (uint64_t) base;
}

OI_VECTORISED static void
take_distances_both_ways(const int64_t *values, size_t count, int64_t base, uint64_t *ret_distances)
{
    for (size_t i = 0; i < count; i++)
        ret_distances[i] = oi_zigzag(oi_wrap_subtract(values[i], base));
}

/* About the mean of all but what lies far from most: a sample's median is off by a third of what
 * most differ by, and every value that leaves the width for it is an exception. A guess, whatever
 * wraps. */
OI_VECTORISED static int64_t
centre_of(const int64_t *values, size_t count, const struct middle *middle)
{
    int64_t reach = (int64_t) (middle->spread < CENTRE_REACH_MAX ? middle->spread : 0);
    int64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        int64_t away = (int64_t) ((uint64_t) values[i] - (uint64_t) middle->median);

        away = away < reach ? away : reach;
        sum += away > -reach ? away : -reach;
    }
    return oi_wrap_add(middle->median, sum / (int64_t) count);
}

/* The better plan of the two, and the distances by it. Counting in both directions costs a bit a
 * value, and pays only where there are outliers: usually that is seen without trying. */
static struct plan
plan_block(const int64_t *values, size_t count, unsigned spread_bits,
           uint64_t ret_distances[OI_BLOCK_COUNT])
{
    struct plan up = { .base = smallest_of(values, count) };
    struct middle middle = middle_of(values, count);
    struct plan both = { .is_both_ways = true };
    uint64_t both_distances[OI_BLOCK_COUNT];

    take_distances(values, count, up.base, ret_distances);
    choose_width(&up, ret_distances, count);
    if (bits_of(any_of(ret_distances, count)) <= bits_of(middle.spread) + spread_bits)
        return up;
    both.base = centre_of(values, count, &middle);
    take_distances_both_ways(values, count, both.base, both_distances);
    choose_width(&both, both_distances, count);
    if (both.size >= up.size)
        return up;
    memcpy(ret_distances, both_distances, count * sizeof(*both_distances));
    return both;
}

/* Of a few pieces, evenly spread, of at most `piece` values. */
static size_t
estimate(const int64_t *values, size_t count, size_t piece)
{
    size_t block_count = (count + OI_BLOCK_COUNT - 1) / OI_BLOCK_COUNT;
    size_t step = (block_count + SAMPLE_BLOCKS - 1) / SAMPLE_BLOCKS;
    size_t size = 0, heads = 0, seen = 0;
    int64_t base = 0;
    uint64_t distances[OI_BLOCK_COUNT];

    oi_assert(count > 0);
    for (size_t first = 0; first < count; first += step * OI_BLOCK_COUNT) {
        size_t left = count - first;
        size_t taken = left < piece ? left : piece;
        struct plan plan = plan_block(values + first, taken, SPREAD_BITS_SEEN, distances);

        size += plan.size;
        heads += 2 + oi_varint_size(oi_zigzag(oi_wrap_subtract(plan.base, base)));
        seen += taken;
        base = plan.base;
    }
    return 1 + size * count / seen + heads * block_count / SAMPLE_BLOCKS;
}

/* What is compared differs by more than the blocks do. */
size_t
oi_frame_size(const int64_t *values, size_t count)
{
    return estimate(values, count, OI_BLOCK_COUNT);
}

size_t
oi_frame_guess(const int64_t *values, size_t count)
{
    return estimate(values, count, OI_GUESS_COUNT);
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
encode_block(const struct plan *plan, const uint64_t *distances, size_t count, int64_t *base,
             struct oi_buffer *out)
{
    size_t size = oi_bitpack_size(count, plan->width);
    char *room;

    oi_buffer_add_u8(out, (uint8_t) (plan->width | (plan->is_both_ways ? FLAG_BOTH_WAYS : 0)));
    oi_buffer_add_varint(out, oi_zigzag(oi_wrap_subtract(plan->base, *base)));
    oi_buffer_add_varint(out, plan->exceptions);
    room = oi_buffer_reserve(out, size);
    if (room) {
        oi_bitpack(distances, count, plan->width, (unsigned char *) room);
        out->size += size;
    }
    encode_exceptions(plan, distances, count, out);
    *base = plan->base;
}

size_t
oi_frame_block_size(const int64_t *values, size_t count)
{
    uint64_t distances[OI_BLOCK_COUNT];

    return plan_block(values, count, SPREAD_BITS_SEEN, distances).size;
}

void
oi_frame_encode_block(const int64_t *values, size_t count, int64_t *base, struct oi_buffer *out)
{
    uint64_t distances[OI_BLOCK_COUNT];
    struct plan plan = plan_block(values, count, SPREAD_BITS, distances);

    encode_block(&plan, distances, count, base, out);
}

void
oi_frame_encode(const int64_t *values, size_t count, struct oi_buffer *out)
{
    int64_t base = 0;

    oi_buffer_add_u8(out, OI_ENCODING_FRAME);
    for (size_t first = 0; first < count; first += OI_BLOCK_COUNT) {
        size_t left = count - first;
        size_t taken = left < OI_BLOCK_COUNT ? left : OI_BLOCK_COUNT;

        oi_frame_encode_block(values + first, taken, &base, out);
    }
}

void
oi_frame_encode_quickly(const int64_t *values, size_t count, struct oi_buffer *out)
{
    uint64_t distances[OI_BLOCK_COUNT];
    int64_t base = 0;

    oi_buffer_add_u8(out, OI_ENCODING_FRAME);
    for (size_t first = 0; first < count; first += OI_BLOCK_COUNT) {
        size_t left = count - first;
        size_t taken = left < OI_BLOCK_COUNT ? left : OI_BLOCK_COUNT;
        struct plan plan = { .base = smallest_of(values + first, taken) };

        take_distances(values + first, taken, plan.base, distances);
        plan.width = bits_of(any_of(distances, taken));
        encode_block(&plan, distances, taken, &base, out);
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

enum oi_status
oi_frame_decode_block(struct oi_cursor *cursor, size_t count, int64_t *base, int64_t *values,
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
    *base = plan.base;
    if (count == OI_BLOCK_COUNT) {
        oi_bitunpack_block((const unsigned char *) bytes.data, plan.width, plan.base,
                           plan.is_both_ways, values);
        return patch(cursor, &plan, count, values, error);
    }
    /* Signed and unsigned of one width may share memory. */
    oi_bitunpack((const unsigned char *) bytes.data, count, plan.width, (uint64_t *) values);
    if (plan.is_both_ways)
        add_base_both_ways(values, count, plan.base);
    else
        add_base(values, count, plan.base);
    return patch(cursor, &plan, count, values, error);
}

enum oi_status
oi_frame_decode(struct oi_cursor *cursor, size_t count, int64_t *values, unsigned,
                struct oi_error *error)
{
    int64_t base = 0;

    for (size_t first = 0; first < count; first += OI_BLOCK_COUNT) {
        size_t left = count - first;

        OI_TRY(oi_frame_decode_block(cursor, left < OI_BLOCK_COUNT ? left : OI_BLOCK_COUNT, &base,
                                     values + first, error));
    }
    return OI_OK;
}
