/* SPDX-License-Identifier: Apache-2.0 */
/* Tries the encodings, keeps the smallest, and finds the one to read by its type byte. */
#include "codec/column.h"

#include "base/alloc.h"
#include "codec/column_internal.h"

#include <stdbool.h>
#include <string.h>

const int64_t oi_column_powers[OI_POWER_MAX + 1] = {
    1,
    10,
    100,
    1'000,
    10'000,
    100'000,
    1'000'000,
    10'000'000,
    100'000'000,
    1'000'000'000,
    10'000'000'000,
    100'000'000'000,
    1'000'000'000'000,
    10'000'000'000'000,
    100'000'000'000'000,
    1'000'000'000'000'000,
    10'000'000'000'000'000,
    100'000'000'000'000'000,
    1'000'000'000'000'000'000,
};

/* What a head of deltas or multiples costs, about. */
#define HEAD_SIZE 10

enum shape {
    SHAPE_FRAME,
    SHAPE_MULTIPLE,
    SHAPE_DELTA,
    SHAPE_DELTA_OF_DELTA,
    SHAPE_DICTIONARY,
    SHAPE_COUNT,
};

/* A guess is within this part of what it is about, and so many bytes, nearly always. */
#define GUESS_PART 16
#define GUESS_SLACK 32

/* A habit is good for so many columns, and for ones that are larger by at most this part. */
#define HABIT_TURNS 7
#define HABIT_PART 64

struct candidate {
    enum shape shape;
    bool has_gaps;
    size_t head_size, guess;
    const int64_t *values;
};

/* The same values in each shape, and which of them is the best. */
struct shapes {
    int64_t *deltas;    /* of the values, divided by 10^power */
    int64_t *seconds;   /* of the deltas */
    int64_t *multiples; /* of 10^power above `rest` */
    int64_t *codes;
    int64_t first_delta, rest;
    unsigned power;
    struct oi_dictionary dictionary;
    struct candidate candidates[SHAPE_COUNT];
    size_t candidate_count, best_guess;
    enum shape best;
    bool best_has_gaps;
};

/* About what the innermost column takes, as a frame or as gaps. */
struct leaf {
    size_t size;
    bool has_gaps;
};

static struct leaf
leaf_of(size_t frame_size, size_t gaps_size)
{
    return (struct leaf){ frame_size < gaps_size ? frame_size : gaps_size, gaps_size < frame_size };
}

/* The innermost column. */
static void
encode_leaf(const int64_t *values, size_t count, bool has_gaps, struct oi_buffer *out)
{
    if (oi_constant_fits(values, count))
        oi_constant_encode(values[0], out);
    else if (has_gaps)
        oi_gaps_encode(values, count, out);
    else
        oi_frame_encode(values, count, out);
}

/* A shape of the values that is tried. */
static void
add_candidate(struct shapes *shapes, enum shape shape, size_t head_size, const int64_t *values,
              size_t count)
{
    struct leaf leaf =
        leaf_of(oi_frame_guess(values, count), oi_gaps_size(values, count, OI_GUESS_COUNT));
    size_t guess = head_size + leaf.size;

    shapes->candidates[shapes->candidate_count++] =
        (struct candidate){ shape, leaf.has_gaps, head_size, guess, values };
    if (guess < shapes->best_guess)
        shapes->best_guess = guess;
}

/* Of those whose guess is not far from the best one. */
static void
choose_best(struct shapes *shapes, size_t count)
{
    size_t limit = shapes->best_guess + shapes->best_guess / GUESS_PART + GUESS_SLACK;
    size_t best_size = SIZE_MAX, left = 0;

    for (size_t i = 0; i < shapes->candidate_count; i++)
        if (shapes->candidates[i].guess <= limit)
            shapes->candidates[left++] = shapes->candidates[i];
    shapes->best = shapes->candidates[0].shape;
    shapes->best_has_gaps = shapes->candidates[0].has_gaps;
    for (size_t i = 0; i < left && left > 1; i++) {
        const struct candidate *candidate = &shapes->candidates[i];
        struct leaf leaf = leaf_of(oi_frame_size(candidate->values, count),
                                   oi_gaps_size(candidate->values, count, OI_BLOCK_COUNT));

        if (candidate->head_size + leaf.size >= best_size)
            continue;
        best_size = candidate->head_size + leaf.size;
        shapes->best = candidate->shape;
        shapes->best_has_gaps = leaf.has_gaps;
    }
}

/* The values' differences, divided as far as that goes. */
static void
take_deltas(struct shapes *shapes, const int64_t *values, size_t count)
{
    oi_delta_take(values, count, shapes->deltas);
    shapes->first_delta = shapes->deltas[0];
    shapes->power = oi_delta_power(shapes->deltas, count);
    if (shapes->power > 0)
        oi_delta_divide(shapes->deltas, count, shapes->power);
}

static void
consider_all(struct shapes *shapes, const int64_t *values, size_t count)
{
    shapes->best_guess = SIZE_MAX;
    add_candidate(shapes, SHAPE_FRAME, 0, values, count);
    take_deltas(shapes, values, count);
    if (shapes->power > 0 &&
        oi_multiple_take(values, count, shapes->power, shapes->multiples, &shapes->rest))
        add_candidate(shapes, SHAPE_MULTIPLE, HEAD_SIZE, shapes->multiples, count);
    add_candidate(shapes, SHAPE_DELTA, HEAD_SIZE, shapes->deltas, count);
    oi_delta_take(shapes->deltas, count, shapes->seconds);
    add_candidate(shapes, SHAPE_DELTA_OF_DELTA, 2 * HEAD_SIZE, shapes->seconds, count);
    if (oi_dictionary_take(values, count, &shapes->dictionary, shapes->codes))
        add_candidate(shapes, SHAPE_DICTIONARY, oi_dictionary_head_size(&shapes->dictionary),
                      shapes->codes, count);
    choose_best(shapes, count);
}

static void
encode_best(const struct shapes *shapes, const int64_t *values, size_t count, struct oi_buffer *out)
{
    switch (shapes->best) {
    case SHAPE_FRAME:
        encode_leaf(values, count, shapes->best_has_gaps, out);
        break;
    case SHAPE_MULTIPLE:
        oi_multiple_encode_head(shapes->rest, shapes->power, out);
        encode_leaf(shapes->multiples, count, shapes->best_has_gaps, out);
        break;
    case SHAPE_DELTA:
        oi_delta_encode_head(values[0], shapes->first_delta, shapes->power, out);
        encode_leaf(shapes->deltas, count, shapes->best_has_gaps, out);
        break;
    case SHAPE_DELTA_OF_DELTA:
        oi_delta_encode_head(values[0], shapes->first_delta, shapes->power, out);
        oi_delta_encode_head(shapes->deltas[0], shapes->seconds[0], 0, out);
        encode_leaf(shapes->seconds, count, shapes->best_has_gaps, out);
        break;
    case SHAPE_DICTIONARY:
        oi_dictionary_encode_head(&shapes->dictionary, out);
        encode_leaf(shapes->codes, count, shapes->best_has_gaps, out);
        break;
    case SHAPE_COUNT:
        break;
    }
}

/* Room for what the shapes hold; NULL where the column is one number, which is written then. */
static int64_t *
begin_shapes(const int64_t *values, size_t count, struct shapes *shapes, struct oi_buffer *out)
{
    int64_t *memory;

    oi_assert(count <= OI_COLUMN_COUNT_MAX);
    if (count == 0 || oi_constant_fits(values, count)) {
        oi_constant_encode(count ? values[0] : 0, out);
        return NULL;
    }
    memory = oi_alloc(4 * count * sizeof(*memory));
    shapes->deltas = memory;
    shapes->seconds = memory + count;
    shapes->multiples = memory + 2 * count;
    shapes->codes = memory + 3 * count;
    return memory;
}

void
oi_column_encode(const int64_t *values, size_t count, struct oi_buffer *out)
{
    struct shapes shapes = {};
    int64_t *memory = begin_shapes(values, count, &shapes, out);

    if (!memory)
        return;
    consider_all(&shapes, values, count);
    encode_best(&shapes, values, count, out);
    oi_free(memory);
}

/* What one shape needs. False where the values do not have it. */
static bool
take_shape(struct shapes *shapes, const int64_t *values, size_t count)
{
    if (shapes->best == SHAPE_MULTIPLE) {
        shapes->power = oi_multiple_power(values, count);
        return shapes->power > 0 &&
               oi_multiple_take(values, count, shapes->power, shapes->multiples, &shapes->rest);
    }
    if (shapes->best == SHAPE_DICTIONARY)
        return oi_dictionary_take(values, count, &shapes->dictionary, shapes->codes);
    if (shapes->best == SHAPE_FRAME)
        return true;
    take_deltas(shapes, values, count);
    if (shapes->best == SHAPE_DELTA_OF_DELTA)
        oi_delta_take(shapes->deltas, count, shapes->seconds);
    return true;
}

static uint32_t
weight_of(size_t size, size_t count)
{
    return (uint32_t) (size * 8 * 1000 / count);
}

/* False, and nothing written, where all should be tried. */
static bool
encode_by_habit(struct shapes *shapes, const int64_t *values, size_t count,
                struct oi_column_habit *habit, struct oi_buffer *out)
{
    size_t start = out->size;

    if (!habit->is_known || habit->turns >= HABIT_TURNS)
        return false;
    shapes->best = (enum shape) habit->shape;
    shapes->best_has_gaps = habit->has_gaps;
    if (!take_shape(shapes, values, count))
        return false;
    encode_best(shapes, values, count, out);
    if (weight_of(out->size - start, count) <= habit->weight + habit->weight / HABIT_PART) {
        habit->turns++;
        return true;
    }
    if (!out->overflowed)
        out->size = start;
    return false;
}

void
oi_column_encode_like(const int64_t *values, size_t count, struct oi_column_habit *habit,
                      struct oi_buffer *out)
{
    struct shapes shapes = {};
    size_t start = out->size;
    int64_t *memory = begin_shapes(values, count, &shapes, out);

    if (!memory)
        return;
    if (!encode_by_habit(&shapes, values, count, habit, out)) {
        consider_all(&shapes, values, count);
        encode_best(&shapes, values, count, out);
        *habit = (struct oi_column_habit){ .shape = (uint8_t) shapes.best,
                                           .is_known = true,
                                           .has_gaps = shapes.best_has_gaps,
                                           .weight = weight_of(out->size - start, count) };
    }
    oi_free(memory);
}

void
oi_column_encode_quickly(const int64_t *values, size_t count, struct oi_buffer *out)
{
    unsigned power;
    int64_t rest, *multiples;

    oi_assert(count <= OI_COLUMN_COUNT_MAX);
    if (count == 0 || oi_constant_fits(values, count)) {
        oi_constant_encode(count ? values[0] : 0, out);
        return;
    }
    power = oi_multiple_power(values, count);
    if (power == 0) {
        oi_frame_encode_quickly(values, count, out);
        return;
    }
    multiples = oi_alloc(count * sizeof(*multiples));
    if (oi_multiple_take(values, count, power, multiples, &rest)) {
        oi_multiple_encode_head(rest, power, out);
        oi_frame_encode_quickly(multiples, count, out);
    } else {
        oi_frame_encode_quickly(values, count, out);
    }
    oi_free(multiples);
}

enum oi_status
oi_column_decode_nested(struct oi_cursor *cursor, size_t count, int64_t *values, unsigned depth,
                        struct oi_error *error)
{
    /* By the number on disk. */
    static enum oi_status (*const decoders[])(struct oi_cursor * cursor, size_t count,
                                              int64_t * values, unsigned depth,
                                              struct oi_error *error) = {
        [OI_ENCODING_CONSTANT] = oi_constant_decode,
        [OI_ENCODING_FRAME] = oi_frame_decode,
        [OI_ENCODING_DELTA] = oi_delta_decode,
        [OI_ENCODING_MULTIPLE] = oi_multiple_decode,
        [OI_ENCODING_DICTIONARY] = oi_dictionary_decode,
        [OI_ENCODING_GAPS] = oi_gaps_decode,
    };
    uint8_t type = oi_cursor_u8(cursor);

    if (cursor->failed || type >= OI_COUNT(decoders) || !decoders[type])
        return oi_fail(error, OI_E_CORRUPT, "a column of an unknown encoding");
    if (depth == 0)
        return oi_fail(error, OI_E_CORRUPT, "a column that is nested too deeply");
    return decoders[type](cursor, count, values, depth - 1, error);
}

enum oi_status
oi_column_decode(struct oi_slice bytes, size_t count, int64_t *ret_values, size_t *ret_size,
                 struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(bytes);

    if (count > OI_COLUMN_COUNT_MAX)
        return oi_fail(error, OI_E_CORRUPT, "a column of %zu values", count);
    OI_TRY(oi_column_decode_nested(&cursor, count, ret_values, OI_ENCODING_DEPTH_MAX, error));
    *ret_size = bytes.size - oi_cursor_left(&cursor);
    return OI_OK;
}
