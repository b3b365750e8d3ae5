/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a figure is from what is usual: standard deviations from the mean of a sample.
 * Statistics, so doubles inside; the same values in the same order give the same score on every
 * machine.
 */
#pragma once

#include "core/decimal.h"

#include <stddef.h>

/* Fewer values say nothing of what is usual. */
#define OI_SCORE_COUNT_MIN 10

struct oi_score {
    size_t count;
    double mean;
    double squares; /* of the distances from the mean */
};

/* `struct oi_score score = {};` is an empty sample. None is passed over. */
void oi_score_add(struct oi_score *score, const struct oi_decimal *value);
/* (value - mean) / standard deviation of the population, to 6 significant digits; none for fewer
 * than OI_SCORE_COUNT_MIN values, or where all of them are the same. */
struct oi_decimal oi_score_of(const struct oi_score *score, const struct oi_decimal *value);
