/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small store to test with: a folder, a clock of our own, a few markets and feeds. Header only,
 * because only the tests above store/ link it.
 */
#pragma once

#include "base/alloc.h"
#include "base/clock.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

#include "support/test.h"
#include "support/test_folder.h"

/* 2026-01-01T00:00:00Z */
#define TEST_START (INT64_C(1767225600) * OI_SECOND)

struct test_store {
    struct oi_virtual_clock clock;
    struct oi_store_options options;
    char path[512];
    struct oi_store *store;
    uint32_t instruments[4];
    uint16_t live, history, import; /* polled; restates; neither */
    uint32_t series[3];             /* of instrument 0 in those feeds */
};

/* What opens a store: tests that run over ClickHouse too set another one. */
static enum oi_status (*test_store_opener)(const char *path, const struct oi_store_options *options,
                                           struct oi_store **ret_store,
                                           struct oi_error *error) = oi_store_open;

[[maybe_unused]] static void
test_store_open(struct test_store *test)
{
    struct oi_error error = {};
    enum oi_status status = test_store_opener(test->path, &test->options, &test->store, &error);

    if (status != OI_OK)
        print_error("%s\n", error.message);
    assert_ok(status);
}

[[maybe_unused]] static void
test_store_close(struct test_store *test)
{
    oi_store_close(&test->store);
}

[[maybe_unused]] static void
test_store_reopen(struct test_store *test)
{
    oi_store_close(&test->store);
    test_store_open(test);
}

[[maybe_unused]] static uint16_t
test_store_feed(struct test_store *test, const char *name, bool restates)
{
    struct oi_feed feed = { .restates = restates, .cadence_ns = OI_MINUTE };
    uint16_t id = 0;

    (void) snprintf(feed.name, sizeof(feed.name), "%s", name);
    assert_ok(oi_store_feed(test->store, &feed, &id, NULL));
    return id;
}

[[maybe_unused]] static struct oi_instrument
test_store_instrument(const char *symbol)
{
    struct oi_instrument instrument = OI_INSTRUMENT_NONE;

    (void) snprintf(instrument.exchange, sizeof(instrument.exchange), "example");
    (void) snprintf(instrument.product, sizeof(instrument.product), "linear");
    (void) snprintf(instrument.symbol, sizeof(instrument.symbol), "%s", symbol);
    (void) snprintf(instrument.base, sizeof(instrument.base), "BTC");
    (void) snprintf(instrument.quote, sizeof(instrument.quote), "USDT");
    (void) snprintf(instrument.margin, sizeof(instrument.margin), "USDT");
    instrument.kind = OI_KIND_PERPETUAL;
    instrument.settlement = OI_SETTLEMENT_LINEAR;
    return instrument;
}

/* A fresh store in the folder of the test's state, in a folder `name` of it. */
[[maybe_unused]] static void
test_store_begin(struct test_store *test, const char *folder, const char *name,
                 const struct oi_kv_engine *engine)
{
    struct oi_instrument definitions[4];

    memset(test, 0, sizeof(*test));
    oi_virtual_clock_init(&test->clock, TEST_START);
    test->options = (struct oi_store_options){ .clock = &test->clock.clock,
                                               .engine = engine,
                                               .map_size = (size_t) 64 << 20 };
    (void) snprintf(test->path, sizeof(test->path), "%s/%s", folder, name);
    test_store_open(test);
    for (int i = 0; i < 4; i++) {
        char symbol[16];

        (void) snprintf(symbol, sizeof(symbol), "MARKET%d", i);
        definitions[i] = test_store_instrument(symbol);
    }
    assert_ok(oi_store_define(test->store, definitions, 4, test->instruments, NULL, NULL));
    test->live = test_store_feed(test, "live", false);
    test->history = test_store_feed(test, "history", true);
    test->import = test_store_feed(test, "import:file", false);
    assert_ok(
        oi_store_series(test->store, test->instruments[0], test->live, &test->series[0], NULL));
    assert_ok(
        oi_store_series(test->store, test->instruments[0], test->history, &test->series[1], NULL));
    assert_ok(
        oi_store_series(test->store, test->instruments[0], test->import, &test->series[2], NULL));
}

/* A reading of a whole number at a time, known when it is committed. */
[[maybe_unused]] static struct oi_row
test_store_row(uint32_t series, oi_time time, int64_t open_interest)
{
    struct oi_row row = { .series = series, .reading = OI_OBSERVATION_NONE };

    row.reading.time = time;
    row.reading.open_interest = oi_decimal_from(open_interest, 0);
    return row;
}

/* Field by field: padding is nobody's. */
[[maybe_unused]] static void
test_store_assert_same(const struct oi_observation *found, const struct oi_observation *expected)
{
    assert_int_equal(found->time, expected->time);
    assert_int_equal(found->known_time, expected->known_time);
    assert_int_equal(found->exchange_time, expected->exchange_time);
    assert_int_equal(found->flags, expected->flags);
    assert_true(oi_decimal_equal(&found->open_interest, &expected->open_interest));
    assert_true(oi_decimal_equal(&found->value_usd, &expected->value_usd));
    assert_true(oi_decimal_equal(&found->mark_price, &expected->mark_price));
    assert_true(oi_decimal_equal(&found->index_price, &expected->index_price));
    assert_true(oi_decimal_equal(&found->last_price, &expected->last_price));
}

[[maybe_unused]] static struct oi_append_result
test_store_append(struct test_store *test, const struct oi_row *rows, size_t count)
{
    const struct oi_batch batch = { .rows = rows, .row_count = count };
    struct oi_append_result result = {};
    struct oi_error error = {};
    enum oi_status status = oi_store_append(test->store, &batch, &result, &error);

    if (status != OI_OK)
        print_error("%s\n", error.message);
    assert_ok(status);
    return result;
}

/* Everything into chunks. */
[[maybe_unused]] static void
test_store_checkpoint(struct test_store *test)
{
    struct oi_error error = {};
    size_t left = 1;

    while (left > 0) {
        enum oi_status status = oi_store_checkpoint(test->store, 1000, &left, &error);

        if (status != OI_OK)
            print_error("%s\n", error.message);
        assert_ok(status);
    }
}

static void
test_store_print_fault(void *context, const char *what)
{
    (void) context;
    print_error("fault: %s\n", what);
}

[[maybe_unused]] static void
test_store_verify(struct test_store *test)
{
    struct oi_verify_report report = {};

    assert_ok(oi_store_verify(test->store, test_store_print_fault, NULL, &report, NULL));
    assert_int_equal(report.faults, 0);
}

[[maybe_unused]] static oi_time
test_store_minute(int number)
{
    return TEST_START - OI_DAY + number * OI_MINUTE;
}

/* `count` rows of a series, a minute apart, in one batch. */
[[maybe_unused]] static void
test_store_append_minutes(struct test_store *test, uint32_t series, int from, int count,
                          int64_t value)
{
    struct oi_row *rows = oi_alloc_zero((size_t) count, sizeof(*rows));

    for (int i = 0; i < count; i++)
        rows[i] = test_store_row(series, test_store_minute(from + i), value + i);
    assert_int_equal(test_store_append(test, rows, (size_t) count).stored, count);
    oi_free(rows);
}

/* How many rows a scan finds. */
[[maybe_unused]] static size_t
test_store_count_of(struct oi_store *store, const struct oi_scan_request *request)
{
    const struct oi_columns *columns;
    struct oi_scan *scan = NULL;
    size_t count = 0;

    assert_ok(oi_store_scan(store, request, &scan, NULL));
    for (;;) {
        assert_ok(oi_scan_next(scan, &columns, NULL));
        if (!columns)
            break;
        count += columns->count;
    }
    oi_scan_close(&scan);
    return count;
}

[[maybe_unused]] static size_t
test_store_count(struct test_store *test, uint32_t series)
{
    const struct oi_scan_request request = { .series = series,
                                             .span = OI_SPAN_ALL,
                                             .moment = OI_MOMENT_LATEST };

    return test_store_count_of(test->store, &request);
}

[[maybe_unused]] static int64_t
test_store_latest(struct test_store *test, uint32_t series)
{
    struct oi_observation reading;
    int64_t value;

    assert_ok(oi_store_latest(test->store, series, &reading, NULL));
    value = reading.open_interest.mantissa;
    for (int i = 0; i < reading.open_interest.exponent; i++)
        value *= 10;
    return value;
}
