/* SPDX-License-Identifier: Apache-2.0 */
/* Options of a mapping: what each one sets, and what a mistake is told. */
#include "archives/mapping.h"

#include "support/test.h"

static void
assert_refused(const char *option, const char *text, const char *message)
{
    struct oi_mapping mapping = OI_MAPPING_NONE;
    struct oi_error error = {};

    assert_status(oi_mapping_set(&mapping, option, oi_slice_of(text), &error), OI_E_INVALID);
    assert_string_equal(error.message, message);
    oi_mapping_release(&mapping);
}

static void
options_set_what_they_name(void **)
{
    struct oi_mapping mapping = OI_MAPPING_NONE;

    assert_ok(oi_mapping_set(&mapping, "time", OI_SLICE("ts:ms"), NULL));
    assert_string_equal(mapping.time.column, "ts");
    assert_int_equal(mapping.time.format, OI_TIME_FORMAT_MS);
    assert_ok(oi_mapping_set(&mapping, "known-time", OI_SLICE("a"), NULL));
    assert_int_equal(mapping.known_time.format, OI_TIME_FORMAT_ISO);
    assert_ok(oi_mapping_set(&mapping, "delimiter", OI_SLICE("tab"), NULL));
    assert_int_equal(mapping.delimiter, '\t');
    assert_ok(oi_mapping_set(&mapping, "column", OI_SLICE("c=kalshi:event:X=Y"), NULL));
    assert_ok(oi_mapping_set(&mapping, "column-unit", OI_SLICE("c=contracts"), NULL));
    assert_int_equal(mapping.columns.count, 1);
    assert_string_equal(mapping.columns.items[0].market, "kalshi:event:X=Y");
    assert_int_equal(mapping.columns.items[0].unit, OI_UNIT_CONTRACTS);
    assert_ok(oi_mapping_set(&mapping, "unit-when", OI_SLICE("v=f*,venue=okx:usd"), NULL));
    assert_int_equal(mapping.rules.items[0].condition_count, 2);
    assert_string_equal(mapping.rules.items[0].conditions[1].column, "venue");
    assert_string_equal(mapping.rules.items[0].conditions[1].pattern, "okx");
    assert_int_equal(mapping.rules.items[0].unit, OI_UNIT_USD);
    assert_ok(oi_mapping_set(&mapping, "instant", OI_SLICE("1d"), NULL));
    assert_true(mapping.has_instant);
    assert_int_equal(mapping.instant_ns, OI_DAY);
    assert_ok(oi_mapping_set(&mapping, "sides", OI_SLICE("2"), NULL));
    assert_int_equal(mapping.sides, 2);
    oi_mapping_release(&mapping);
}

static void
mistakes_are_told_with_the_option_and_what_is_expected(void **)
{
    assert_refused("time", "ts:min",
                   "--time: \"min\" is no time format: give COLUMN:iso, :s, :ms, :us or :ns");
    assert_refused("time", "", "--time: a name is missing");
    assert_refused("delimiter", "ab", "--delimiter: the delimiter is one character, or tab");
    assert_refused("column", "c", "--column: give COLUMN=MARKET");
    assert_refused("column-unit", "c=lots", "--column-unit: a unit is contracts, coins or usd");
    assert_refused("unit-when", "usd",
                   "--unit-when: give COLUMN=PATTERN[,COLUMN=PATTERN...]:UNIT, or :none");
    assert_refused("unit-when", "a:usd",
                   "--unit-when: give COLUMN=PATTERN[,COLUMN=PATTERN...]:UNIT, or :none");
    assert_refused("sides", "3", "--sides: sides are 1 or 2");
    assert_refused("daily", "1", "--daily: give yes or no");
}

static void
another_option_is_not_found(void **)
{
    struct oi_mapping mapping = OI_MAPPING_NONE;

    assert_status(oi_mapping_set(&mapping, "colour", OI_SLICE("red"), NULL), OI_E_NOT_FOUND);
    oi_mapping_release(&mapping);
}

static void
a_map_file_has_markets_and_perhaps_units(void **)
{
    struct oi_mapping mapping = OI_MAPPING_NONE;
    struct oi_error error = {};
    uint64_t index = 0;

    assert_ok(oi_mapping_set_map(&mapping,
                                 OI_SLICE("# ours\nbtc,okx:swap:BTC-USDT-SWAP,usd\n"
                                          "\"a,b\",x:y:z\n"),
                                 NULL));
    assert_true(oi_map_get(mapping.map, OI_SLICE("a,b"), &index));
    assert_string_equal(mapping.targets.items[index].market, "x:y:z");
    assert_int_equal(mapping.targets.items[index].unit, OI_UNIT_UNKNOWN);
    assert_true(oi_map_get(mapping.map, OI_SLICE("btc"), &index));
    assert_int_equal(mapping.targets.items[index].unit, OI_UNIT_USD);
    assert_status(oi_mapping_set_map(&mapping, OI_SLICE("a,b,usd\nalone\n"), &error), OI_E_INVALID);
    assert_string_equal(error.message, "--map: line 2 is not value,market[,unit]");
    oi_mapping_release(&mapping);
}

static void
a_mapping_without_time_figure_market_or_unit_is_incomplete(void **)
{
    static const struct {
        const char *option, *text, *missing;
    } steps[] = {
        { "time", "t", "name the column that holds the time with --time COLUMN[:FORMAT]" },
        { "oi", "oi", "name the column that holds open interest with --oi COLUMN" },
        { "market", "a-b-future",
          "say whose open interest column oi holds: --market ID, --column oi=ID or --map FILE" },
        { "unit", "usd",
          "say the unit of column oi with --unit contracts, coins or usd: a figure of no known "
          "unit is not imported" },
    };
    struct oi_mapping mapping = OI_MAPPING_NONE;

    for (size_t i = 0; i < OI_COUNT(steps); i++) {
        struct oi_error error = {};

        assert_status(oi_mapping_check(&mapping, &error), OI_E_INVALID);
        assert_string_equal(error.message, steps[i].missing);
        assert_ok(oi_mapping_set(&mapping, steps[i].option, oi_slice_of(steps[i].text), NULL));
    }
    assert_ok(oi_mapping_check(&mapping, NULL));
    oi_mapping_release(&mapping);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_set_what_they_name),
        cmocka_unit_test(mistakes_are_told_with_the_option_and_what_is_expected),
        cmocka_unit_test(another_option_is_not_found),
        cmocka_unit_test(a_map_file_has_markets_and_perhaps_units),
        cmocka_unit_test(a_mapping_without_time_figure_market_or_unit_is_incomplete),
    };
    return cmocka_run_group_tests_name("archives/mapping", tests, NULL, NULL);
}
