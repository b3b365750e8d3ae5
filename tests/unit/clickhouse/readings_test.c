/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as blocks and back: a round trip of random rows, plain, wide and absent figures mixed. */
#include "clickhouse/readings.h"

#include "base/random.h"

#include "support/test.h"

#define ROWS 200

static struct oi_decimal
random_figure(struct oi_random *random)
{
    struct oi_decimal value = {};

    switch (oi_random_below(random, 4)) {
    case 0:
        return value;
    case 1:
        assert_ok(oi_decimal_parse(oi_random_below(random, 2) ? OI_SLICE("-123456789012345678901.5")
                                                              : OI_SLICE("9e40"),
                                   &value, NULL));
        return value;
    default:
        return oi_decimal_from((int64_t) oi_random_next(random) >> oi_random_below(random, 60),
                               (int) oi_random_below(random, 20) - 12);
    }
}

static void
rows_come_back_as_they_were_sent(void **state)
{
    struct oi_batch_rows sent = {};
    struct oi_rows found = {};
    struct oi_reading_pairs pairs = {};
    struct oi_series series[ROWS];
    struct oi_readings_part part = {
        .rows = &sent, .series = series, .count = ROWS / 3, .batch = 9
    };
    struct oi_buffer columns = {}, bytes = {};
    struct oi_random random;
    uint64_t seed;

    (void) state;
    oi_random_secret(&seed, sizeof(seed));
    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (int i = 0; i < ROWS; i++) {
        struct oi_observation reading = OI_OBSERVATION_NONE;

        reading.time = i * OI_MINUTE;
        reading.known_time = (oi_time) oi_random_next(&random);
        reading.exchange_time = oi_random_below(&random, 2) ? OI_TIME_NONE : i;
        reading.open_interest = random_figure(&random);
        reading.value_usd = random_figure(&random);
        reading.mark_price = random_figure(&random);
        reading.index_price = random_figure(&random);
        reading.last_price = random_figure(&random);
        reading.flags = (uint16_t) oi_random_next(&random);
        oi_batch_rows_add(&sent, 1, &reading, 9);
        series[i] = (struct oi_series){ .instrument = (uint32_t) i + 1, .feed = 3 };
    }
    oi_readings_encode(&part, &columns, &bytes);
    part.from = part.count;
    part.count = ROWS - part.from;
    part.series = series + part.from;
    oi_readings_encode(&part, &columns, &bytes);
    assert_ok(
        oi_readings_decode(oi_buffer_slice(&bytes), OI_COLUMNS_ALL, &found, &pairs, NULL, NULL));
    assert_int_equal(found.count, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        assert_int_equal(pairs.items.items[i].instrument, i + 1);
        assert_int_equal(oi_record_compare(&found.items[i], &sent.rows.items[i]), 0);
        assert_int_equal(found.items[i].exchange_time, sent.rows.items[i].exchange_time);
        assert_int_equal(found.items[i].flags, sent.rows.items[i].flags);
        assert_true(oi_rows_same_reading(&found, i, &sent.rows, i));
    }
    oi_rows_clear(&found);
    assert_ok(oi_readings_decode(oi_buffer_slice(&bytes), OI_COLUMN_OPEN_INTEREST, &found, NULL,
                                 NULL, NULL));
    assert_int_equal(found.count, ROWS);
    assert_int_equal(found.items[5].exponents[1], OI_EXPONENT_NONE);
    oi_batch_rows_release(&sent);
    oi_rows_release(&found);
    oi_vector_release(&pairs.items);
    oi_buffer_release(&columns);
    oi_buffer_release(&bytes);
}

static void
a_row_that_is_there_twice_comes_once_and_without_empty_columns(void **state)
{
    struct oi_batch_rows sent = {};
    struct oi_rows found = {};
    struct oi_series series[2] = { { .instrument = 1, .feed = 1 }, { .instrument = 1, .feed = 1 } };
    const struct oi_readings_part part = {
        .rows = &sent, .series = series, .count = 2, .batch = 1
    };
    struct oi_observation reading = OI_OBSERVATION_NONE;
    struct oi_buffer columns = {}, bytes = {};

    (void) state;
    reading.time = 5;
    reading.known_time = 6;
    reading.open_interest = oi_decimal_from(1, 0);
    oi_batch_rows_add(&sent, 1, &reading, 1);
    oi_batch_rows_add(&sent, 1, &reading, 1);
    oi_readings_encode(&part, &columns, &bytes);
    assert_true(oi_slice_is(oi_buffer_slice(&columns),
                            "instrument,feed,time,known_time,batch,exchange_time,"
                            "open_interest_mantissa,open_interest_exponent,value_usd_exponent,"
                            "mark_price_exponent,index_price_exponent,last_price_exponent"));
    assert_ok(oi_readings_decode(oi_buffer_slice(&bytes),
                                 OI_COLUMN_OPEN_INTEREST | OI_READINGS_NO_WIDES, &found, NULL, NULL,
                                 NULL));
    assert_int_equal(found.count, 1);
    oi_batch_rows_release(&sent);
    oi_rows_release(&found);
    oi_buffer_release(&columns);
    oi_buffer_release(&bytes);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back_as_they_were_sent),
        cmocka_unit_test(a_row_that_is_there_twice_comes_once_and_without_empty_columns),
    };

    return cmocka_run_group_tests_name("clickhouse/readings", tests, NULL, NULL);
}
