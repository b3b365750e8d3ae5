/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Predicting a venue's USD figure: open interest, times the mark price or not, times a factor found
 * from the rows themselves. Integers alone, and the same ones on every machine, so the distance
 * from the prediction gives the figure back exactly, however wrong the prediction was.
 */
#include "base/compiler.h"
#include "codec/column.h"
#include "store/chunk_internal.h"

/* no unit test: the chunk's tests are about this */

/* What a prediction is made from; on disk. */
#define USES_PRICE 0x01u
#define IS_NARROW 0x02u /* every product fits 63 bits: no division is needed */
#define KIND_MASK (USES_PRICE | IS_NARROW)

/* 10^38 still fits 127 bits. */
#define POWER_MAX 38
#define NARROW_POWER_MAX 18
/* Rows that are looked at to find the factor. */
#define SAMPLE_COUNT 64

typedef unsigned __int128 wide;

/* figure = product x factor x 10^power, a half rounded up; product: open interest, times price. */
struct prediction {
    uint8_t kind;
    uint64_t factor;
    int power;
    wide multiplier, divisor; /* made from the two above by prepare() */
};

struct inputs {
    const int64_t *open_interest;
    const int64_t *price;
};

static wide
power_of_ten(int power)
{
    wide result = 1;

    for (int i = 0; i < power; i++)
        result *= 10;
    return result;
}

static uint64_t
price_of(const struct prediction *prediction, struct inputs inputs, size_t row)
{
    return prediction->kind & USES_PRICE && inputs.price ? (uint64_t) inputs.price[row] : 1;
}

static void
prepare(struct prediction *prediction)
{
    int power = prediction->power;

    prediction->multiplier =
        power > 0 ? prediction->factor * power_of_ten(power) : (wide) prediction->factor;
    prediction->divisor = power < 0 ? power_of_ten(-power) : 1;
}

/* One figure, modulo 2^64. */
static uint64_t
predict_wide(const struct prediction *prediction, struct inputs inputs, size_t row)
{
    wide product = (wide) (uint64_t) inputs.open_interest[row] * price_of(prediction, inputs, row) *
                   prediction->multiplier;

    if (prediction->divisor == 1)
        return (uint64_t) product;
    return (uint64_t) ((product + prediction->divisor / 2) / prediction->divisor);
}

/* values[row] += sign x figure, when every product fits 63 bits. Dividing by d is then multiplying
 * by ceil(2^(63 + b) / d) with 2^b >= d > 2^(b - 1), and dropping 63 + b bits: exact for such
 * products, since the excess, below product / 2^63 / d, never reaches the next multiple. */
static void
add_narrow(const struct prediction *prediction, struct inputs inputs, size_t count, uint64_t sign,
           int64_t *values)
{
    uint64_t multiplier = (uint64_t) prediction->multiplier;
    uint64_t divisor = (uint64_t) prediction->divisor;
    uint64_t reciprocal;
    unsigned bits = 0;

    oi_assert(divisor > 0);
    while ((UINT64_C(1) << bits) < divisor)
        bits++;
    reciprocal = (uint64_t) ((((wide) 1 << (63 + bits)) + divisor - 1) / divisor);
    for (size_t i = 0; i < count; i++) {
        uint64_t product =
            (uint64_t) inputs.open_interest[i] * price_of(prediction, inputs, i) * multiplier +
            divisor / 2;
        uint64_t figure = (uint64_t) ((wide) product * reciprocal >> (63 + bits));

        values[i] = (int64_t) ((uint64_t) values[i] + sign * figure);
    }
}

/* The same where nothing is divided: modulo 2^64, whatever the products are. */
OI_VECTORISED static void
add_products(struct inputs inputs, size_t count, uint64_t factor, int64_t *values)
{
    if (!inputs.price) {
        for (size_t i = 0; i < count; i++)
            values[i] =
                (int64_t) ((uint64_t) values[i] + (uint64_t) inputs.open_interest[i] * factor);
        return;
    }
    for (size_t i = 0; i < count; i++)
        values[i] = (int64_t) ((uint64_t) values[i] + (uint64_t) inputs.open_interest[i] *
                                                          (uint64_t) inputs.price[i] * factor);
}

static void
add_predictions(const struct prediction *prediction, struct inputs inputs, size_t count,
                uint64_t sign, int64_t *values)
{
    if (prediction->divisor == 1) {
        if (!(prediction->kind & USES_PRICE))
            inputs.price = NULL;
        add_products(inputs, count, sign * (uint64_t) prediction->multiplier, values);
        return;
    }
    if (prediction->kind & IS_NARROW) {
        add_narrow(prediction, inputs, count, sign, values);
        return;
    }
    for (size_t i = 0; i < count; i++)
        values[i] = (int64_t) ((uint64_t) values[i] + sign * predict_wide(prediction, inputs, i));
}

/*
 * Finding the factor.
 */

/* numerator / denominator as three digits and a power of ten. */
static struct prediction
ratio_of(uint64_t figure, wide product)
{
    struct prediction ratio = {};
    wide numerator = figure;
    wide denominator = product;

    while (denominator >> 100 != 0) {
        denominator /= 10;
        ratio.power--;
    }
    while (numerator >= denominator * 1000) {
        denominator *= 10;
        ratio.power++;
    }
    while (numerator < denominator * 100) {
        if (numerator >> 100 != 0)
            denominator /= 10;
        else
            numerator *= 10;
        ratio.power--;
    }
    ratio.factor = (uint64_t) ((numerator + denominator / 2) / denominator);
    return ratio;
}

static void
strip(struct prediction *ratio)
{
    while (ratio->factor % 10 == 0) {
        ratio->factor /= 10;
        ratio->power++;
    }
}

/* The bits that the distances of some rows take, about. */
static unsigned
score(const struct prediction *prediction, struct inputs inputs, size_t count,
      const int64_t *values)
{
    size_t step = count / SAMPLE_COUNT + 1;
    unsigned bits = 0;

    for (size_t i = 0; i < count; i += step) {
        int64_t distance = (int64_t) ((uint64_t) values[i] - predict_wide(prediction, inputs, i));
        uint64_t size = (uint64_t) (distance < 0 ? ~distance : distance);

        bits += size == 0 ? 0 : 64 - (unsigned) __builtin_clzll(size);
    }
    return bits;
}

/* Take the ratio of a row in the middle of things: the largest figure of the sample. */
static bool
propose(uint8_t kind, struct inputs inputs, size_t count, const int64_t *values,
        struct prediction *ret_ratio)
{
    struct prediction ratio = { .kind = kind };
    size_t step = count / SAMPLE_COUNT + 1;
    size_t row = 0;

    for (size_t i = 0; i < count; i += step) {
        if (values[i] > values[row])
            row = i;
    }
    if (values[row] <= 0 || inputs.open_interest[row] <= 0 ||
        (kind & USES_PRICE && inputs.price[row] <= 0))
        return false;
    ratio = ratio_of((uint64_t) values[row],
                     (wide) (uint64_t) inputs.open_interest[row] * price_of(&ratio, inputs, row));
    ratio.kind = kind;
    *ret_ratio = ratio;
    return true;
}

/* The best of: with price or without, the ratio to three digits or to one. */
static bool
find_prediction(struct inputs inputs, size_t count, const int64_t *values,
                struct prediction *ret_best)
{
    unsigned best = UINT32_MAX;

    for (uint8_t kind = 0; kind <= USES_PRICE; kind++) {
        struct prediction exact;

        if (kind == USES_PRICE && !inputs.price)
            break;
        if (!propose(kind, inputs, count, values, &exact))
            continue;
        for (int rounds = 0; rounds < 2; rounds++) {
            struct prediction tried = exact;
            unsigned bits;

            if (rounds == 1) {
                tried.factor = (tried.factor + 50) / 100;
                tried.power += 2;
            }
            strip(&tried);
            if (tried.power > POWER_MAX || tried.power < -POWER_MAX)
                continue;
            prepare(&tried);
            bits = score(&tried, inputs, count, values);
            if (bits < best) {
                best = bits;
                *ret_best = tried;
            }
        }
    }
    return best != UINT32_MAX;
}

/* Do all products fit 63 bits, with the half that is added for rounding? */
static bool
is_narrow(const struct prediction *prediction, struct inputs inputs, size_t count)
{
    wide factor = prediction->multiplier;
    wide half = prediction->divisor / 2;

    if (prediction->power > NARROW_POWER_MAX || prediction->power < -NARROW_POWER_MAX)
        return false;
    if (factor > INT64_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        uint64_t price = price_of(prediction, inputs, i);
        wide product;

        if (inputs.open_interest[i] < 0 || price > INT64_MAX)
            return false;
        product = (wide) (uint64_t) inputs.open_interest[i] * price;
        if (product > INT64_MAX || product * factor + half > INT64_MAX)
            return false;
    }
    return true;
}

static bool
is_usable(const struct oi_chunk_decimals *decimals)
{
    return decimals->is_there && decimals->form != OI_CHUNK_FORM_ROWS;
}

bool
oi_chunk_value_encode(const struct oi_chunk_decimals *value,
                      const struct oi_chunk_decimals *open_interest,
                      const struct oi_chunk_decimals *mark_price, size_t count, int64_t *scratch,
                      size_t plain_size, struct oi_buffer *out)
{
    struct inputs inputs = { .open_interest = open_interest->mantissas };
    struct prediction prediction = {};
    size_t start = out->size;

    if (!is_usable(value) || !is_usable(open_interest))
        return false;
    if (is_usable(mark_price))
        inputs.price = mark_price->mantissas;
    if (!find_prediction(inputs, count, value->mantissas, &prediction))
        return false;
    if (is_narrow(&prediction, inputs, count))
        prediction.kind |= IS_NARROW;
    oi_chunk_decimals_encode_head(value, count, OI_CHUNK_PREDICTED, scratch, out);
    oi_buffer_add_u8(out, prediction.kind);
    oi_buffer_add_u8(out, (uint8_t) prediction.power);
    oi_buffer_add_varint(out, prediction.factor);
    for (size_t i = 0; i < count; i++)
        scratch[i] = value->mantissas[i];
    add_predictions(&prediction, inputs, count, UINT64_MAX, scratch);
    oi_column_encode_like(scratch, count, value->habit, out);
    if (out->size - start < plain_size)
        return true;
    out->size = start;
    return false;
}

enum oi_status
oi_chunk_value_decode(struct oi_cursor *cursor, const struct oi_chunk *chunk,
                      const struct oi_chunk_decimals *open_interest,
                      const struct oi_chunk_decimals *mark_price, int64_t *values,
                      struct oi_error *error)
{
    size_t first = chunk->first, count = chunk->decoded;
    struct inputs inputs = {};
    struct prediction prediction;
    int power_max = POWER_MAX;

    prediction.kind = oi_cursor_u8(cursor);
    prediction.power = (int8_t) oi_cursor_u8(cursor);
    prediction.factor = oi_cursor_varint(cursor);
    if (prediction.kind & IS_NARROW)
        power_max = NARROW_POWER_MAX;
    if (cursor->failed || prediction.kind > KIND_MASK || prediction.power > power_max ||
        prediction.power < -power_max)
        return oi_fail(error, OI_E_CORRUPT, "a prediction that is not one");
    if (!is_usable(open_interest) || (prediction.kind & USES_PRICE && !is_usable(mark_price)))
        return oi_fail(error, OI_E_CORRUPT, "a prediction from columns that are not there");
    inputs.open_interest = open_interest->mantissas + first;
    if (mark_price->mantissas)
        inputs.price = mark_price->mantissas + first;
    prepare(&prediction);
    OI_TRY(oi_chunk_column_decode(cursor, count, values, error));
    add_predictions(&prediction, inputs, count - first, 1, values + first);
    return OI_OK;
}
