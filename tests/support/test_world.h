/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store full of random readings with a plain copy of them beside it: what a query answers is
 * compared with a straight computation from the copy. Three markets of one coin: a linear one in
 * coins, one with a multiplier, an inverse one in USD counted on both sides; two feeds.
 */
#pragma once

#include "query/run.h"

#include "support/test.h"

#include "base/random.h"
#include "base/vector.h"

#define WORLD_MARKETS 3

struct world_row {
    size_t market;
    size_t feed; /* 0: live, 1: history */
    oi_time time;
    struct oi_decimal amount; /* as stored */
    struct oi_decimal mark;
};

struct test_world {
    char path[512];
    struct oi_virtual_clock clock;
    struct oi_convention_book book;
    struct oi_source source;
    uint32_t instruments[WORLD_MARKETS];
    uint32_t series[WORLD_MARKETS][2];
    OI_VECTOR(struct world_row) rows;                  /* every row stored */
    OI_VECTOR(struct world_row) merged[WORLD_MARKETS]; /* by time, the preferred feed of equals */
};

/* 2026-03-06T00:00:00Z: a Friday, so that weeks do not begin with the data. */
#define WORLD_START (INT64_C(1'772'755'200) * OI_SECOND)

/* Open an empty world in a folder of its own; then fill it; then close it. */
void test_world_open(struct test_world *world, const char *folder);
/* Some days of readings at uneven steps, a few of them later than others came. */
void test_world_fill(struct test_world *world, uint64_t seed, size_t rows_a_market);
void test_world_close(struct test_world *world);
/* The same around the tests of a program: its set-up and tear-down. */
int test_world_set_up(struct test_world *world, void **folder, uint64_t seed, size_t rows_a_market);
int test_world_tear_down(struct test_world *world, void **folder);

/* "example:linear:BTCUSDT" and so on. */
extern const char *const test_world_names[WORLD_MARKETS];

/* The amount of a row in a unit, computed by hand; none where it has none. */
struct oi_decimal test_world_amount(const struct world_row *row, enum oi_unit unit, bool one_sided);

/* A query over the named markets. */
void test_world_select(struct oi_query *query, const char *market);
/* Run it; fails the test with the reason when it does not run. */
struct oi_result *test_world_run(struct test_world *world, const struct oi_query *query);
