/* SPDX-License-Identifier: Apache-2.0 */
/* Welford's sums: one pass, and nothing is lost where values are large and close together. */
#include "series/score.h"

#include <math.h>

#define DIGITS 6

void
oi_score_add(struct oi_score *score, const struct oi_decimal *value)
{
    double number = oi_decimal_to_double(value), distance = number - score->mean;

    if (oi_decimal_is_none(value))
        return;
    score->count++;
    score->mean += distance / (double) score->count;
    score->squares += distance * (number - score->mean);
}

struct oi_decimal
oi_score_of(const struct oi_score *score, const struct oi_decimal *value)
{
    double deviation;

    if (oi_decimal_is_none(value) || score->count < OI_SCORE_COUNT_MIN)
        return (struct oi_decimal){};
    deviation = sqrt(score->squares / (double) score->count);
    /* Noise of rounding is no deviation. */
    if (!(deviation > fabs(score->mean) * 1e-12))
        return (struct oi_decimal){};
    return oi_decimal_from_double_digits((oi_decimal_to_double(value) - score->mean) / deviation,
                                         DIGITS);
}
