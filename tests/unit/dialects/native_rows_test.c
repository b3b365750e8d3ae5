/* SPDX-License-Identifier: Apache-2.0 */
#include "dialects/native_rows.h"

#include "base/random.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

static struct oi_instrument
an_instrument(struct oi_random *random)
{
    struct oi_instrument instrument = OI_INSTRUMENT_NONE;

    instrument.id = 1 + (uint32_t) oi_random_below(random, 100'000);
    assert_ok(OI_NAME_SET(instrument.exchange, OI_SLICE("okx"), NULL));
    assert_ok(OI_NAME_SET(instrument.product, OI_SLICE("option"), NULL));
    assert_ok(OI_NAME_SET(instrument.symbol, OI_SLICE("BTC-USD-\"é"), NULL));
    instrument.kind = OI_KIND_OPTION;
    instrument.known_from = (oi_time) oi_random_below(random, INT64_MAX);
    instrument.expiry = (oi_time) oi_random_below(random, INT64_MAX);
    return instrument;
}

static struct oi_decimal
a_decimal(struct oi_random *random)
{
    struct oi_decimal value = {};

    if (oi_random_below(random, 3) == 0)
        return value;
    return oi_decimal_from((int64_t) oi_random_next(random) / 2,
                           (int) oi_random_below(random, 40) - 30);
}

static oi_time
a_time(struct oi_random *random)
{
    return oi_random_below(random, 4) == 0 ? OI_TIME_NONE
                                           : (oi_time) oi_random_below(random, INT64_MAX);
}

static void
what_is_written_is_read(void **)
{
    uint64_t seed = 20'261'127;
    struct oi_random random;
    struct oi_buffer out = {};

    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (unsigned i = 0; i < 500; i++) {
        struct oi_instrument instrument = an_instrument(&random);
        struct oi_native_message message;
        struct oi_observation reading = {
            .time = (oi_time) oi_random_below(&random, INT64_MAX),
            .exchange_time = a_time(&random),
            .known_time = a_time(&random),
            .value_usd = a_decimal(&random),
            .mark_price = a_decimal(&random),
            .index_price = a_decimal(&random),
            .last_price = a_decimal(&random),
            .flags = (uint16_t) oi_random_next(&random),
        };
        uint64_t batch = oi_random_below(&random, INT64_MAX);

        do
            reading.open_interest = a_decimal(&random);
        while (oi_decimal_is_none(&reading.open_interest));
        oi_buffer_clear(&out);
        oi_native_write_row(&instrument, "stream", &reading, batch, &out);
        assert_ok(oi_native_read_message(oi_buffer_slice(&out), &message, NULL));
        assert_int_equal(message.kind, OI_NATIVE_ROW);
        assert_int_equal(message.market, instrument.id);
        assert_int_equal(message.batch, batch);
        assert_string_equal(message.feed.name, "stream");
        assert_int_equal(message.reading.time, reading.time);
        assert_int_equal(message.reading.exchange_time, reading.exchange_time);
        assert_int_equal(message.reading.known_time, reading.known_time);
        assert_int_equal(message.reading.flags, reading.flags);
        assert_true(oi_decimal_equal(&message.reading.open_interest, &reading.open_interest));
        assert_true(oi_decimal_equal(&message.reading.value_usd, &reading.value_usd));
        assert_true(oi_decimal_equal(&message.reading.mark_price, &reading.mark_price));
        assert_true(oi_decimal_equal(&message.reading.index_price, &reading.index_price));
        assert_true(oi_decimal_equal(&message.reading.last_price, &reading.last_price));

        oi_buffer_clear(&out);
        oi_native_write_definition(&instrument, &out);
        assert_ok(oi_native_read_message(oi_buffer_slice(&out), &message, NULL));
        assert_int_equal(message.kind, OI_NATIVE_DEFINITION);
        assert_int_equal(message.instrument.id, instrument.id);
        assert_string_equal(message.instrument.symbol, instrument.symbol);
        assert_int_equal(message.instrument.known_from, instrument.known_from);
        assert_true(oi_instrument_same_definition(&message.instrument, &instrument));
    }
    oi_buffer_release(&out);
}

static void
feeds_and_positions_are_read(void **)
{
    const struct oi_native_feed feed = { "import:mine", "coins", 1, OI_MINUTE, true, false };
    struct oi_native_message message;
    struct oi_buffer out = {};

    oi_native_write_feed(&feed, &out);
    assert_ok(oi_native_read_message(oi_buffer_slice(&out), &message, NULL));
    assert_int_equal(message.kind, OI_NATIVE_FEED);
    assert_string_equal(message.feed.name, feed.name);
    assert_string_equal(message.feed.unit, feed.unit);
    assert_int_equal(message.feed.sides, 1);
    assert_int_equal(message.feed.cadence_ns, OI_MINUTE);
    assert_true(message.feed.restates && !message.feed.is_daily);
    oi_buffer_clear(&out);
    oi_native_write_position(77, &out);
    assert_ok(oi_native_read_message(oi_buffer_slice(&out), &message, NULL));
    assert_int_equal(message.kind, OI_NATIVE_POSITION);
    assert_int_equal(message.batch, 77);
    oi_buffer_release(&out);
}

static void
anything_else_is_refused(void **)
{
    static const char *const wrong[] = {
        "",
        "[]",
        "{}",
        "{\"position\":-1}",
        "{\"position\":1e3}",
        "{\"definition\":\"AAAA\",\"id\":1}",
        "{\"feed_facts\":\"\",\"sides\":1,\"cadence_ns\":0}",
        "{\"feed_facts\":\"a\",\"sides\":3,\"cadence_ns\":0}",
        "{\"id\":1,\"feed\":\"live\",\"batch\":1,\"time\":\"soon\",\"open_interest\":1,\"flags\":"
        "0}",
        "{\"id\":1,\"feed\":\"live\",\"batch\":1,\"open_interest\":1,\"flags\":0}",
        "{\"id\":1,\"feed\":\"live\",\"batch\":1,\"time\":\"2026-01-01T00:00:00Z\",\"flags\":0}",
        "{\"id\":4294967296,\"feed\":\"live\",\"batch\":1,\"time\":\"2026-01-01T00:00:00Z\","
        "\"open_interest\":1,\"flags\":0}",
    };
    struct oi_native_message message;

    for (size_t i = 0; i < OI_COUNT(wrong); i++)
        assert_status(oi_native_read_message(oi_slice_of(wrong[i]), &message, NULL), OI_E_UPSTREAM);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(feeds_and_positions_are_read),
        cmocka_unit_test(anything_else_is_refused),
    };

    return cmocka_run_group_tests_name("dialects/native_rows", tests, NULL, NULL);
}
