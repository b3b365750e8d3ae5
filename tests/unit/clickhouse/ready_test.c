/* SPDX-License-Identifier: Apache-2.0 */
#include "clickhouse/ready.h"

#include "base/alloc.h"
#include "base/buffer.h"

#include "support/test.h"

static const struct oi_series series = { .instrument = 7, .feed = 2 };
static struct oi_observation
reading_of(oi_time time, const char *amount, const char *price)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    reading.time = time;
    reading.known_time = time + 5;
    reading.exchange_time = time - 5;
    reading.flags = (uint16_t) (time % 3);
    assert_ok(oi_decimal_parse(oi_slice_of(amount), &reading.open_interest, NULL));
    if (price)
        assert_ok(oi_decimal_parse(oi_slice_of(price), &reading.mark_price, NULL));
    return reading;
}

static struct oi_rollup
rollup_of(oi_time start, uint32_t count)
{
    struct oi_rollup rollup = { .start = start, .count = count };

    rollup.first = reading_of(start + 1, "1000.5", NULL);
    rollup.high =
        reading_of(start + 2, "123456789012345678901234567890.25", "99999999999999999999999999.5");
    rollup.low = reading_of(start + 3, "-4e-12", "3");
    rollup.last = reading_of(start + 4, "2000", "0.5");
    return rollup;
}

static void
assert_same(const struct oi_observation *a, const struct oi_observation *b)
{
    assert_int_equal(a->time, b->time);
    assert_int_equal(a->known_time, b->known_time);
    assert_int_equal(a->exchange_time, b->exchange_time);
    assert_int_equal(a->flags, b->flags);
    assert_true(oi_decimal_equal(&a->open_interest, &b->open_interest));
    assert_true(oi_decimal_equal(&a->mark_price, &b->mark_price));
    assert_true(oi_decimal_is_none(&a->value_usd));
}

static void
buckets_come_back_with_every_digit(void **state)
{
    (void) state;
    const struct oi_rollup rollup = rollup_of(OI_HOUR, 60);
    struct oi_ready ready = {};
    struct oi_rollups found = {};
    struct oi_buffer block = {};
    uint64_t version;

    oi_ready_add(&ready, &series, &rollup);
    oi_ready_encode(&ready, 9, &block);
    assert_ok(oi_ready_decode(oi_buffer_slice(&block), &found, &version, NULL));
    assert_int_equal(found.count, 1);
    assert_int_equal(version, 9);
    assert_int_equal(found.items[0].start, OI_HOUR);
    assert_int_equal(found.items[0].count, 60);
    assert_same(&found.items[0].first, &rollup.first);
    assert_same(&found.items[0].high, &rollup.high);
    assert_same(&found.items[0].low, &rollup.low);
    assert_same(&found.items[0].last, &rollup.last);
    oi_vector_release(&found);
    oi_buffer_release(&block);
    oi_ready_release(&ready);
}

static void
the_newest_version_counts_and_an_empty_bucket_is_none(void **state)
{
    (void) state;
    struct oi_rollup rollups[3] = { rollup_of(0, 3), rollup_of(OI_HOUR, 4), { .start = OI_HOUR } };
    struct oi_ready ready = {};
    struct oi_rollups found = {};
    struct oi_buffer block = {};
    uint64_t version;

    oi_ready_add(&ready, &series, &rollups[1]);
    oi_ready_add(&ready, &series, &rollups[0]);
    oi_ready_encode(&ready, 4, &block);
    oi_ready_clear(&ready);
    rollups[0].count = 8;
    oi_ready_add(&ready, &series, &rollups[0]);
    oi_ready_add(&ready, &series, &rollups[2]);
    oi_ready_encode(&ready, 6, &block);
    assert_ok(oi_ready_decode(oi_buffer_slice(&block), &found, &version, NULL));
    assert_int_equal(version, 6);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.items[0].start, 0);
    assert_int_equal(found.items[0].count, 8);
    oi_vector_release(&found);
    oi_buffer_release(&block);
    oi_ready_release(&ready);
}

static void
half_an_answer_is_none(void **state)
{
    (void) state;
    const struct oi_rollup rollup = rollup_of(OI_HOUR, 60);
    struct oi_ready ready = {};
    struct oi_rollups found = {};
    struct oi_buffer block = {};
    uint64_t version;

    oi_ready_add(&ready, &series, &rollup);
    oi_ready_encode(&ready, 9, &block);
    for (size_t size = 1; size < block.size; size += 7) {
        const struct oi_slice part = { block.data, size };

        assert_int_not_equal(oi_ready_decode(part, &found, &version, NULL), OI_OK);
        assert_int_equal(found.count, 0);
    }
    oi_vector_release(&found);
    oi_buffer_release(&block);
    oi_ready_release(&ready);
}

/* 1.50 and 1.5 are one number; bytes that are none are like nothing. */
static void
the_same_numbers_are_the_same_however_written(void **state)
{
    (void) state;
    struct oi_rollup rollup = rollup_of(OI_HOUR, 60);
    struct oi_ready ready = {};
    struct oi_slice first;

    oi_ready_add(&ready, &series, &rollup);
    rollup.first.open_interest = oi_decimal_from(10005000, -4);
    oi_ready_add(&ready, &series, &rollup);
    rollup.first.open_interest = oi_decimal_from(10005001, -4);
    oi_ready_add(&ready, &series, &rollup);
    rollup = rollup_of(OI_HOUR, 60);
    rollup.last.flags ^= 1;
    oi_ready_add(&ready, &series, &rollup);
    first = oi_ready_rows(&ready, 0);
    assert_true(oi_ready_same(first, first));
    assert_true(oi_ready_same(first, oi_ready_rows(&ready, 1)));
    assert_false(oi_ready_same(first, oi_ready_rows(&ready, 2)));
    assert_false(oi_ready_same(first, oi_ready_rows(&ready, 3)));
    assert_false(oi_ready_same(first, (struct oi_slice){ first.data, first.size - 1 }));
    assert_false(oi_ready_same((struct oi_slice){}, first));
    oi_ready_release(&ready);
}

/* Of two rows of one time the later known one counts, and none of a batch that was withdrawn. */
static void
hours_and_days_are_made_of_what_is_visible_and_settled(void **state)
{
    (void) state;
    uint64_t withdrawn[] = { 3 };
    const struct oi_hidden hidden = { withdrawn, 1 };
    struct oi_rollups hours = {}, days = {};
    struct oi_rows rows = {};
    struct oi_observation readings[] = { reading_of(OI_MINUTE, "5", NULL),
                                         reading_of(OI_MINUTE, "7", NULL),
                                         reading_of(2 * OI_MINUTE, "900", NULL),
                                         reading_of(OI_HOUR, "6", NULL) };

    readings[1].known_time++;
    for (size_t i = 0; i < OI_COUNT(readings); i++)
        oi_rows_add(&rows, &readings[i], i + 1);
    oi_ready_make(&rows, &hidden, &hours, &days);
    assert_int_equal(hours.count, 2);
    assert_int_equal(hours.items[0].count, 1);
    assert_int_equal(hours.items[0].high.open_interest.mantissa, 7);
    assert_int_equal(hours.items[1].start, OI_HOUR);
    assert_int_equal(days.count, 1);
    assert_int_equal(days.items[0].count, 2);
    assert_int_equal(days.items[0].last.open_interest.mantissa, 6);
    oi_vector_release(&hours);
    oi_vector_release(&days);
    oi_rows_release(&rows);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_come_back_with_every_digit),
        cmocka_unit_test(the_newest_version_counts_and_an_empty_bucket_is_none),
        cmocka_unit_test(half_an_answer_is_none),
        cmocka_unit_test(the_same_numbers_are_the_same_however_written),
        cmocka_unit_test(hours_and_days_are_made_of_what_is_visible_and_settled),
    };

    return cmocka_run_group_tests_name("clickhouse/ready", tests, NULL, NULL);
}
