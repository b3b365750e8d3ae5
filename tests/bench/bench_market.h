/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The markets of the benchmark: open interest with the habits of real venues (three kinds of
 * contracts, slow marks, missing minutes, arrival spread over the minute), out of a seed. A market
 * is the same in whatever order and however many are made, because each draws from its own
 * stream. One thread at a time per market.
 */
#pragma once

#include "core/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 2024-01-01T00:00:00Z: in the past on every machine, so that no row is from the future. */
#define BENCH_START INT64_C(1'704'067'200'000'000'000)

struct bench_world {
    uint32_t market_count; /* the ticking ones included, which come last */
    uint32_t tick_count;   /* a row every ten seconds instead of every minute */
    uint32_t minutes;
    bool one_known_time; /* of a whole minute, as a collector's batch has it */
};

/* Figures are mantissas with so many digits after the point, as the venue writes them. */
struct bench_row {
    uint32_t market;
    uint32_t minute;
    oi_time time, exchange_time, known_time; /* exchange_time may be OI_TIME_NONE */
    int64_t contracts, value_usd, mark_price;
    uint8_t contracts_digits, value_digits, price_digits;
};

struct bench_market;

struct bench_market *bench_market_new(const struct bench_world *world, uint32_t index);
void bench_market_free(struct bench_market **market);
/* The next row in order of time; false at the end, and ret_row is untouched. */
bool bench_market_next(struct bench_market *market, struct bench_row *ret_row);
