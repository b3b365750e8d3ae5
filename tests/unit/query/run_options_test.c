/* SPDX-License-Identifier: Apache-2.0 */
/* Options at an instant: which count, in which units, and what their expiries come to. */
#include "query/run.h"

#include "support/test_folder.h"
#include "support/test_world.h"

#include <stdio.h>
#include <sys/stat.h>

static struct test_world shared;

static struct oi_decimal
decimal(const char *text)
{
    struct oi_decimal value;

    assert_ok(oi_decimal_parse(oi_slice_of(text), &value, NULL));
    return value;
}

/* One option of tenths of a bitcoin with one reading at the first minute. */
static void
add_option(const char *symbol, enum oi_option_side side, int strike, int contracts)
{
    const struct oi_feed feed = { .name = "import:test", .unit = OI_UNIT_CONTRACTS, .sides = 1 };
    struct oi_instrument instrument = OI_INSTRUMENT_NONE;
    struct oi_observation reading = OI_OBSERVATION_NONE;
    struct oi_row row = {};
    struct oi_append_result result;
    uint16_t feed_id;

    assert_ok(OI_NAME_SET(instrument.exchange, OI_SLICE("example"), NULL));
    assert_ok(OI_NAME_SET(instrument.product, OI_SLICE("option"), NULL));
    assert_ok(OI_NAME_SET(instrument.symbol, oi_slice_of(symbol), NULL));
    assert_ok(OI_NAME_SET(instrument.base, OI_SLICE("BTC"), NULL));
    assert_ok(OI_NAME_SET(instrument.quote, OI_SLICE("USD"), NULL));
    instrument.kind = OI_KIND_OPTION;
    instrument.option_side = side;
    instrument.strike = oi_decimal_from(strike, 0);
    instrument.contract_size = decimal("0.1");
    instrument.expiry = WORLD_START + OI_DAY;
    assert_ok(oi_store_define(shared.source.store, &instrument, 1, &instrument.id, NULL, NULL));
    assert_ok(oi_store_feed(shared.source.store, &feed, &feed_id, NULL));
    assert_ok(oi_store_series(shared.source.store, instrument.id, feed_id, &row.series, NULL));
    reading.time = WORLD_START + OI_MINUTE;
    reading.open_interest = oi_decimal_from(contracts, 0);
    reading.mark_price = decimal("0.05");
    reading.index_price = oi_decimal_from(60'000, 0);
    row.reading = reading;
    assert_ok(oi_store_append(shared.source.store,
                              &(struct oi_batch){ .rows = &row, .row_count = 1 }, &result, NULL));
    assert_int_equal(result.stored, 1);
}

static void
text_is(const struct oi_decimal *value, const char *wanted)
{
    char text[OI_DECIMAL_TEXT_SIZE];

    (void) oi_decimal_print(value, text);
    assert_string_equal(text, wanted);
}

static struct oi_result *
ask(struct oi_query *query, enum oi_query_kind kind, oi_time at)
{
    struct oi_selector *selector = oi_query_select(query, OI_SYMBOLOGY_NATIVE);

    selector->coin = "BTC";
    query->kind = kind;
    query->span.to = at;
    return test_world_run(&shared, query);
}

static void
gives_each_living_option_in_every_unit(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_result_close)
    struct oi_result *result = ask(&query, OI_QUERY_OPTIONS, WORLD_START + 2 * OI_MINUTE);
    const struct oi_block *block;
    size_t count = 0;

    for (;;) {
        assert_ok(oi_result_next(result, &block, NULL));
        if (!block)
            break;
        assert_int_equal(block->market->instrument->kind, OI_KIND_OPTION);
        assert_int_equal(block->options->time, WORLD_START + OI_MINUTE);
        if (count++ > 0)
            continue;
        /* 30 contracts of 0.1 BTC at 60000. */
        text_is(&block->options->contracts, "30");
        text_is(&block->options->coins, "3");
        text_is(&block->options->usd, "180000");
        text_is(&block->options->index_price, "60000");
    }
    assert_int_equal(count, 4);
}

static void
pages_hold_every_option_once(void **)
{
    struct oi_position after = {};
    size_t count = 0;

    for (int page = 0; page < 4; page++) {
        OI_CLEANUP(oi_query_release)
        struct oi_query query = {
            .limit = 1, .span = OI_SPAN_ALL, .as_of = OI_TIME_LATEST, .as_stored = OI_TIME_LATEST
        };
        OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
        const struct oi_block *block;

        query.after = after;
        result = ask(&query, OI_QUERY_OPTIONS, WORLD_START + 2 * OI_MINUTE);
        for (;;) {
            assert_ok(oi_result_next(result, &block, NULL));
            if (!block)
                break;
            count += block->count;
        }
        assert_int_equal(result->next_position.is_set, page < 3);
        after = result->next_position;
    }
    assert_int_equal(count, 4);
}

static void
sums_an_expiry_and_finds_where_holders_get_least(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_result_close)
    struct oi_result *result = ask(&query, OI_QUERY_EXPIRIES, WORLD_START + 2 * OI_MINUTE);
    const struct oi_block *block;

    assert_ok(oi_result_next(result, &block, NULL));
    assert_non_null(block);
    assert_int_equal(block->count, 1);
    assert_string_equal(block->expiries->exchange, "example");
    assert_string_equal(block->expiries->coin, "BTC");
    assert_int_equal(block->expiries->expiry, WORLD_START + OI_DAY);
    assert_int_equal(block->expiries->call_count, 2);
    assert_int_equal(block->expiries->put_count, 2);
    text_is(&block->expiries->calls, "4");
    text_is(&block->expiries->puts, "3");
    text_is(&block->expiries->calls_usd, "240000");
    text_is(&block->expiries->put_call_ratio, "0.75");
    /* At 50: puts 2 x 10 + 1 x 20; at 60: calls 3 x 10, puts 1 x 10; at 70: calls 3 x 20 + 1 x 10.
     */
    text_is(&block->expiries->max_pain, "50000");
    assert_ok(oi_result_next(result, &block, NULL));
    assert_null(block);
}

static void
leaves_out_what_has_expired_or_is_too_old(void **)
{
    static const oi_time instants[] = { WORLD_START, WORLD_START + 12 * OI_HOUR,
                                        WORLD_START + OI_DAY };

    for (size_t i = 0; i < OI_COUNT(instants); i++) {
        OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
        OI_CLEANUP(oi_result_close)
        struct oi_result *result = ask(&query, OI_QUERY_OPTIONS, instants[i]);
        const struct oi_block *block;

        assert_ok(oi_result_next(result, &block, NULL));
        assert_null(block);
    }
}

static int
set_up(void **folder)
{
    assert_int_equal(test_folder_setup(folder), 0);
    test_world_open(&shared, *folder);
    oi_virtual_clock_advance(&shared.clock, 2 * OI_DAY);
    add_option("BTC-A-50-C", OI_OPTION_CALL, 50'000, 30);
    add_option("BTC-B-60-C", OI_OPTION_CALL, 60'000, 10);
    add_option("BTC-C-60-P", OI_OPTION_PUT, 60'000, 20);
    add_option("BTC-D-70-P", OI_OPTION_PUT, 70'000, 10);
    return 0;
}

static int
tear_down(void **folder)
{
    return test_world_tear_down(&shared, folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_each_living_option_in_every_unit),
        cmocka_unit_test(pages_hold_every_option_once),
        cmocka_unit_test(sums_an_expiry_and_finds_where_holders_get_least),
        cmocka_unit_test(leaves_out_what_has_expired_or_is_too_old),
    };
    return cmocka_run_group_tests_name("query/run_options", tests, set_up, tear_down);
}
