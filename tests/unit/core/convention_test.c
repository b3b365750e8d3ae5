/* SPDX-License-Identifier: Apache-2.0 */
/* What conventions promise of the row in force and of figures in another unit. */
#include "base/random.h"
#include "core/convention.h"

#include "support/test.h"

#include <string.h>

static struct oi_decimal
number(const char *text)
{
    struct oi_decimal value = {};

    if (text)
        assert_ok(oi_decimal_parse(oi_slice_of(text), &value, NULL));
    return value;
}

static const struct oi_convention bybit[] = {
    { .sides = 1, .unit = OI_UNIT_COINS },
    { .product = "inverse", .sides = 2, .unit = OI_UNIT_USD },
    { .product = "inverse", .since = 1000, .sides = 1, .unit = OI_UNIT_USD },
    { .feed = "history", .sides = 2, .unit = OI_UNIT_COINS },
    { .feed = "history", .product = "inverse", .sides = 2, .unit = OI_UNIT_USD },
};
static const struct oi_convention anyone[] = {
    { .feed = "import:csv", .sides = 1, .unit = OI_UNIT_CONTRACTS },
};
static struct oi_convention_page pages[] = {
    { .exchange = "bybit", .conventions = bybit, .count = OI_COUNT(bybit) },
    { .exchange = NULL, .conventions = anyone, .count = OI_COUNT(anyone) },
};
static const struct oi_convention_book book = { .pages = pages, .count = OI_COUNT(pages) };

static void
finds_the_most_specific_and_newest_row(void **)
{
    assert_ptr_equal(oi_convention_find(&book, "bybit", "linear", "live", 0), &bybit[0]);
    assert_ptr_equal(oi_convention_find(&book, "bybit", "inverse", "live", 0), &bybit[1]);
    assert_ptr_equal(oi_convention_find(&book, "bybit", "inverse", "live", 999), &bybit[1]);
    assert_ptr_equal(oi_convention_find(&book, "bybit", "inverse", "live", 1000), &bybit[2]);
    assert_ptr_equal(oi_convention_find(&book, "bybit", "linear", "history", 0), &bybit[3]);
    assert_ptr_equal(oi_convention_find(&book, "bybit", "inverse", "history", 5000), &bybit[4]);
    assert_ptr_equal(oi_convention_find(&book, "okx", "swap", "import:csv", 0), &anyone[0]);
    /* The feed outranks the exchange. */
    assert_ptr_equal(oi_convention_find(&book, "bybit", "linear", "import:csv", 0), &anyone[0]);
    assert_null(oi_convention_find(&book, "okx", "swap", "live", 0));
}

static void
lets_rows_dated_0_hold_before_1970(void **)
{
    assert_ptr_equal(oi_convention_find(&book, "bybit", "linear", "live", -5), &bybit[0]);
}

static void
carries_figures_three_cadences_and_at_least_15_minutes(void **)
{
    const struct oi_convention hourly = { .cadence_ns = OI_HOUR };
    const struct oi_convention daily = { .cadence_ns = OI_DAY, .is_daily = true };
    const struct oi_convention polled = {};

    assert_true(oi_convention_staleness_ns(NULL) == 15 * OI_MINUTE);
    assert_true(oi_convention_staleness_ns(&polled) == 15 * OI_MINUTE);
    assert_true(oi_convention_staleness_ns(&hourly) == 3 * OI_HOUR);
    assert_true(oi_convention_staleness_ns(&daily) == 5 * OI_DAY);
}

static void
names_units(void **)
{
    enum oi_unit unit = OI_UNIT_UNKNOWN;

    assert_ok(oi_unit_parse(OI_SLICE("coins"), &unit, NULL));
    assert_int_equal(unit, OI_UNIT_COINS);
    assert_string_equal(oi_unit_name(OI_UNIT_USD), "usd");
    assert_status(oi_unit_parse(OI_SLICE("unknown"), &unit, NULL), OI_E_INVALID);
    assert_status(oi_unit_parse(OI_SLICE("USD"), &unit, NULL), OI_E_INVALID);
}

static void
counts_pegged_coins_as_usd(void **)
{
    assert_true(oi_asset_is_usd("USD"));
    assert_true(oi_asset_is_usd("usdt"));
    assert_true(oi_asset_is_usd("USDC"));
    assert_false(oi_asset_is_usd("BTC"));
    assert_false(oi_asset_is_usd("EUR"));
    assert_false(oi_asset_is_usd(""));
}

/* A contract and a reading of it; what is NULL is none. */
struct reading {
    enum oi_kind kind;
    enum oi_settlement settlement;
    const char *quote;
    int64_t factor;
    const char *size;
    enum oi_unit from;
    const char *figure, *mark, *index, *value_usd;
    const char *quote_usd;
    bool is_provisional;
};

static void
assert_converts(const struct reading *reading, enum oi_unit to, const char *expected)
{
    struct oi_instrument instrument = OI_INSTRUMENT_NONE;
    struct oi_conversion conversion = { .instrument = &instrument,
                                        .from = reading->from,
                                        .sides = 1,
                                        .mark_price = number(reading->mark),
                                        .index_price = number(reading->index),
                                        .value_usd = number(reading->value_usd),
                                        .quote_usd = number(reading->quote_usd) };
    struct oi_decimal figure = number(reading->figure);
    struct oi_decimal value;
    char text[OI_DECIMAL_TEXT_SIZE];

    instrument.kind = reading->kind;
    instrument.settlement = reading->settlement;
    instrument.base_factor = reading->factor ? reading->factor : 1;
    instrument.contract_size = number(reading->size);
    instrument.is_provisional = reading->is_provisional;
    assert_ok(OI_NAME_SET(instrument.quote, oi_slice_of(reading->quote), NULL));
    assert_ok(oi_convert(&conversion, &figure, to, &value, NULL));
    (void) oi_decimal_print(&value, text);
    assert_string_equal(text, expected);
}

static void
turns_linear_figures_in_coins(void **)
{
    /* Binance 1000PEPEUSDT: thousands of PEPE, priced by the thousand. */
    const struct reading pepe = { .kind = OI_KIND_PERPETUAL,
                                  .settlement = OI_SETTLEMENT_LINEAR,
                                  .quote = "USDT",
                                  .factor = 1000,
                                  .size = "1000",
                                  .from = OI_UNIT_COINS,
                                  .figure = "123456.7",
                                  .mark = "0.0123" };

    assert_converts(&pepe, OI_UNIT_COINS, "123456700");
    assert_converts(&pepe, OI_UNIT_CONTRACTS, "123456.7");
    assert_converts(&pepe, OI_UNIT_USD, "1518.51741");
}

static void
turns_linear_figures_in_contracts(void **)
{
    /* OKX BTC-USDT-SWAP: a contract is 0.01 BTC. */
    struct reading swap = { .kind = OI_KIND_PERPETUAL,
                            .settlement = OI_SETTLEMENT_LINEAR,
                            .quote = "USDT",
                            .size = "0.01",
                            .from = OI_UNIT_CONTRACTS,
                            .figure = "2216113.01000000309",
                            .mark = "97123.4" };

    assert_converts(&swap, OI_UNIT_CONTRACTS, "2216113.01000000309");
    assert_converts(&swap, OI_UNIT_COINS, "22161.1301000000309");
    assert_converts(&swap, OI_UNIT_USD, "2152364303.15434300111306");
    swap.mark = NULL;
    assert_converts(&swap, OI_UNIT_USD, "");
    swap.index = "97000";
    assert_converts(&swap, OI_UNIT_USD, "2149629619.7000029973");
    /* The price is one of the symbol's thousand, the size counts single coins. */
    swap = (struct reading){ .kind = OI_KIND_PERPETUAL,
                             .settlement = OI_SETTLEMENT_LINEAR,
                             .quote = "USDT",
                             .factor = 1000,
                             .size = "1000",
                             .from = OI_UNIT_CONTRACTS,
                             .figure = "12",
                             .mark = "0.5" };
    assert_converts(&swap, OI_UNIT_USD, "6");
    assert_converts(&swap, OI_UNIT_COINS, "12000");
}

static void
turns_inverse_figures(void **)
{
    /* Binance BTCUSD_PERP: contracts of 100 USD. */
    struct reading perp = { .kind = OI_KIND_PERPETUAL,
                            .settlement = OI_SETTLEMENT_INVERSE,
                            .quote = "USD",
                            .size = "100",
                            .from = OI_UNIT_CONTRACTS,
                            .figure = "6000001",
                            .mark = "90000" };

    assert_converts(&perp, OI_UNIT_USD, "600000100");
    assert_converts(&perp, OI_UNIT_COINS, "6666.66777777777778");
    /* Bybit BTCUSD: the figure is USD. */
    perp.from = OI_UNIT_USD;
    perp.size = "1";
    perp.figure = "931760496";
    assert_converts(&perp, OI_UNIT_USD, "931760496");
    assert_converts(&perp, OI_UNIT_CONTRACTS, "931760496");
    assert_converts(&perp, OI_UNIT_COINS, "10352.8944");
    perp.mark = NULL;
    assert_converts(&perp, OI_UNIT_COINS, "");
}

static void
values_options_by_the_index_and_never_by_the_premium(void **)
{
    /* Deribit BTC options settle in the coin and still count coins. */
    struct reading call = { .kind = OI_KIND_OPTION,
                            .settlement = OI_SETTLEMENT_INVERSE,
                            .quote = "USD",
                            .size = "1",
                            .from = OI_UNIT_COINS,
                            .figure = "12.5",
                            .mark = "0.0345",
                            .index = "97000" };

    assert_converts(&call, OI_UNIT_USD, "1212500");
    assert_converts(&call, OI_UNIT_COINS, "12.5");
    assert_converts(&call, OI_UNIT_CONTRACTS, "12.5");
    call.from = OI_UNIT_CONTRACTS;
    call.size = "0.01";
    assert_converts(&call, OI_UNIT_USD, "12125");
    call.index = NULL;
    assert_converts(&call, OI_UNIT_USD, "");
}

static void
values_events_by_their_payout(void **)
{
    const struct reading event = { .kind = OI_KIND_EVENT,
                                   .quote = "USD",
                                   .size = "1",
                                   .from = OI_UNIT_CONTRACTS,
                                   .figure = "40213.25",
                                   .mark = "0.31" };

    assert_converts(&event, OI_UNIT_USD, "40213.25");
    assert_converts(&event, OI_UNIT_COINS, "");
}

static void
prefers_the_venues_own_usd(void **)
{
    struct reading swap = { .kind = OI_KIND_PERPETUAL,
                            .settlement = OI_SETTLEMENT_LINEAR,
                            .quote = "USDT",
                            .size = "0.01",
                            .from = OI_UNIT_CONTRACTS,
                            .figure = "100",
                            .mark = "97000",
                            .value_usd = "97001.5" };

    assert_converts(&swap, OI_UNIT_USD, "97001.5");
    /* A quanto contract is worth what the venue says. */
    swap.settlement = OI_SETTLEMENT_QUANTO;
    swap.size = NULL;
    swap.quote = "USD";
    swap.value_usd = "194000";
    assert_converts(&swap, OI_UNIT_COINS, "2");
    swap.value_usd = NULL;
    assert_converts(&swap, OI_UNIT_USD, "");
    assert_converts(&swap, OI_UNIT_COINS, "");
}

static void
turns_other_quotes_by_their_price(void **)
{
    struct reading cross = { .kind = OI_KIND_PERPETUAL,
                             .settlement = OI_SETTLEMENT_LINEAR,
                             .quote = "BTC",
                             .from = OI_UNIT_COINS,
                             .figure = "10",
                             .mark = "0.05" };

    assert_converts(&cross, OI_UNIT_USD, "");
    cross.quote_usd = "97000";
    assert_converts(&cross, OI_UNIT_USD, "48500");
}

static void
never_counts_contracts_by_way_of_a_price(void **)
{
    const struct reading linear = { .kind = OI_KIND_PERPETUAL,
                                    .settlement = OI_SETTLEMENT_LINEAR,
                                    .quote = "USDT",
                                    .size = "0.01",
                                    .from = OI_UNIT_USD,
                                    .figure = "97000",
                                    .mark = "97000" };

    assert_converts(&linear, OI_UNIT_CONTRACTS, "");
    assert_converts(&linear, OI_UNIT_COINS, "1");
}

static void
serves_a_provisional_instrument_in_its_own_unit_alone(void **)
{
    struct reading unknown = { .quote = "USD",
                               .from = OI_UNIT_CONTRACTS,
                               .figure = "5",
                               .mark = "10",
                               .is_provisional = true };

    assert_converts(&unknown, OI_UNIT_CONTRACTS, "5");
    assert_converts(&unknown, OI_UNIT_COINS, "");
    assert_converts(&unknown, OI_UNIT_USD, "");
    unknown.value_usd = "50";
    assert_converts(&unknown, OI_UNIT_USD, "50");
}

static void
halves_two_sides_where_one_is_asked_for(void **)
{
    struct oi_instrument instrument = OI_INSTRUMENT_NONE;
    struct oi_conversion conversion = { .instrument = &instrument,
                                        .from = OI_UNIT_COINS,
                                        .sides = 2,
                                        .one_sided = true,
                                        .value_usd = number("7") };
    struct oi_decimal figure = number("3");
    struct oi_decimal value;
    struct oi_decimal expected = number("1.5");

    assert_ok(oi_convert(&conversion, &figure, OI_UNIT_COINS, &value, NULL));
    assert_true(oi_decimal_equal(&value, &expected));
    assert_ok(oi_convert(&conversion, &figure, OI_UNIT_USD, &value, NULL));
    expected = number("3.5");
    assert_true(oi_decimal_equal(&value, &expected));
    conversion.one_sided = false;
    assert_ok(oi_convert(&conversion, &figure, OI_UNIT_COINS, &value, NULL));
    assert_true(oi_decimal_equal(&value, &figure));
    conversion.one_sided = true;
    conversion.sides = 0;
    assert_ok(oi_convert(&conversion, &figure, OI_UNIT_COINS, &value, NULL));
    assert_true(oi_decimal_equal(&value, &figure));
}

static void
refuses_a_result_that_is_too_long(void **)
{
    struct oi_instrument instrument = OI_INSTRUMENT_NONE;
    struct oi_conversion conversion = {
        .instrument = &instrument,
        .from = OI_UNIT_COINS,
        .mark_price = number("6024.809855090449174997774141172323490409"),
    };
    struct oi_decimal figure = number("6024.809855090449174997774141172323490409");
    struct oi_decimal value;

    instrument.settlement = OI_SETTLEMENT_LINEAR;
    assert_ok(OI_NAME_SET(instrument.quote, OI_SLICE("USDT"), NULL));
    assert_status(oi_convert(&conversion, &figure, OI_UNIT_USD, &value, NULL), OI_E_INVALID);
}

/* What an exchange shows of so many contracts under a convention. */
static struct oi_decimal
shown(const struct oi_convention *convention, const struct oi_instrument *instrument,
      const struct oi_decimal *mark, int64_t contracts)
{
    struct oi_decimal figure = oi_decimal_from(contracts * convention->sides, 0);

    if (convention->unit != OI_UNIT_CONTRACTS)
        assert_ok(oi_decimal_multiply(&figure, &instrument->contract_size, &figure, NULL));
    if (convention->unit == OI_UNIT_USD)
        assert_ok(oi_decimal_multiply(&figure, mark, &figure, NULL));
    return figure;
}

/* The same market a moment before and after its figure changes its meaning: whatever is asked for,
 * the canonical figure is the same, because each is read as it was meant. */
static void
has_no_jump_where_a_convention_changes(void **)
{
    static const enum oi_unit units[] = { OI_UNIT_CONTRACTS, OI_UNIT_COINS, OI_UNIT_USD };
    struct oi_random random;

    oi_random_init(&random, 20'261'126);
    for (int round = 0; round < 2'000; round++) {
        const oi_time date = 1 + (oi_time) oi_random_below(&random, 1'000'000'000);
        struct oi_convention rows[2] = {};
        const struct oi_convention_page page = { .exchange = "x", .conventions = rows, .count = 2 };
        const struct oi_convention_book dated = {
            .pages = (struct oi_convention_page *) &page,
            .count = 1,
        };
        struct oi_instrument instrument = OI_INSTRUMENT_NONE;
        /* Quotients by it end. */
        const struct oi_decimal mark =
            oi_decimal_from(INT64_C(1) << oi_random_below(&random, 12), -2);
        int64_t contracts = (int64_t) oi_random_below(&random, 1'000'000'000);
        struct oi_decimal figures[2];

        assert_ok(OI_NAME_SET(instrument.quote, OI_SLICE("USDT"), NULL));
        instrument.settlement = OI_SETTLEMENT_LINEAR;
        instrument.contract_size = oi_decimal_from(1, (int) oi_random_below(&random, 7) - 4);
        rows[1].since = date;
        for (size_t i = 0; i < 2; i++) {
            rows[i].sides = 1 + (int) oi_random_below(&random, 2);
            rows[i].unit = units[oi_random_below(&random, 3)];
        }
        for (size_t unit = 0; unit < OI_COUNT(units); unit++) {
            for (size_t i = 0; i < 2; i++) {
                const struct oi_convention *row =
                    oi_convention_find(&dated, "x", "p", "live", i == 0 ? date - 1 : date);
                const struct oi_conversion conversion = { .instrument = &instrument,
                                                          .from = row->unit,
                                                          .sides = row->sides,
                                                          .one_sided = true,
                                                          .mark_price = mark };
                struct oi_decimal figure = shown(&rows[i], &instrument, &mark, contracts);

                assert_ptr_equal(row, &rows[i]);
                assert_ok(oi_convert(&conversion, &figure, units[unit], &figures[i], NULL));
            }
            /* Contracts are never had by way of a price. */
            if (units[unit] == OI_UNIT_CONTRACTS &&
                (rows[0].unit == OI_UNIT_USD || rows[1].unit == OI_UNIT_USD))
                continue;
            assert_false(oi_decimal_is_none(&figures[0]));
            assert_true(oi_decimal_equal(&figures[0], &figures[1]));
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_most_specific_and_newest_row),
        cmocka_unit_test(lets_rows_dated_0_hold_before_1970),
        cmocka_unit_test(carries_figures_three_cadences_and_at_least_15_minutes),
        cmocka_unit_test(names_units),
        cmocka_unit_test(counts_pegged_coins_as_usd),
        cmocka_unit_test(turns_linear_figures_in_coins),
        cmocka_unit_test(turns_linear_figures_in_contracts),
        cmocka_unit_test(turns_inverse_figures),
        cmocka_unit_test(values_options_by_the_index_and_never_by_the_premium),
        cmocka_unit_test(values_events_by_their_payout),
        cmocka_unit_test(prefers_the_venues_own_usd),
        cmocka_unit_test(turns_other_quotes_by_their_price),
        cmocka_unit_test(never_counts_contracts_by_way_of_a_price),
        cmocka_unit_test(serves_a_provisional_instrument_in_its_own_unit_alone),
        cmocka_unit_test(halves_two_sides_where_one_is_asked_for),
        cmocka_unit_test(refuses_a_result_that_is_too_long),
        cmocka_unit_test(has_no_jump_where_a_convention_changes),
    };

    return cmocka_run_group_tests_name("core/convention", tests, NULL, NULL);
}
