/* SPDX-License-Identifier: Apache-2.0 */
/* The model: the same figures for the same minute, in plausible ranges and steps, and a catalogue
 * that rolls. */
#include "simulator/market.h"

#include <math.h>

#include "support/test.h"

/* 26 November 2026. */
#define NOW (INT64_C(1'795'651'200) * OI_SECOND)

static const struct oi_market *
market_of(const struct oi_catalogue *catalogue, enum oi_venue venue, const char *symbol)
{
    const struct oi_market *market = oi_catalogue_find(catalogue, venue, oi_slice_of(symbol));

    assert_non_null(market);
    return market;
}

static void
figures_hold_for_their_minute_and_differ_in_the_next(void **state)
{
    struct oi_catalogue catalogue = {};
    struct oi_figures a, b, c, other_seed;
    const struct oi_market *market;

    (void) state;
    oi_catalogue_build(&catalogue, NOW);
    market = market_of(&catalogue, OI_VENUE_BINANCE, "BTCUSDT");
    oi_market_figures(7, market, NOW, &a);
    oi_market_figures(7, market, NOW + OI_MINUTE - 1, &b);
    oi_market_figures(7, market, NOW + OI_MINUTE, &c);
    oi_market_figures(8, market, NOW, &other_seed);
    assert_true(oi_decimal_equal(&a.open_interest, &b.open_interest));
    assert_true(oi_decimal_equal(&a.mark, &b.mark));
    assert_false(oi_decimal_equal(&a.open_interest, &c.open_interest));
    assert_false(oi_decimal_equal(&a.mark, &c.mark));
    assert_false(oi_decimal_equal(&a.open_interest, &other_seed.open_interest));
    oi_catalogue_release(&catalogue);
}

static void
figures_do_not_depend_on_when_the_catalogue_was_built(void **state)
{
    struct oi_catalogue now = {};
    struct oi_catalogue later = {};
    struct oi_figures a, b;

    (void) state;
    oi_catalogue_build(&now, NOW);
    oi_catalogue_build(&later, NOW + 3 * OI_DAY);
    oi_market_figures(7, market_of(&now, OI_VENUE_OKX, "BTC-USD-261225"), NOW, &a);
    oi_market_figures(7, market_of(&later, OI_VENUE_OKX, "BTC-USD-261225"), NOW, &b);
    assert_true(oi_decimal_equal(&a.open_interest, &b.open_interest));
    assert_true(oi_decimal_equal(&a.mark, &b.mark));
    oi_catalogue_release(&now);
    oi_catalogue_release(&later);
}

static void
bitcoin_walks_between_60_and_110_thousand_in_small_steps(void **state)
{
    struct oi_catalogue catalogue = {};
    const struct oi_market *market;
    double before = 0;

    (void) state;
    oi_catalogue_build(&catalogue, NOW);
    market = market_of(&catalogue, OI_VENUE_BINANCE, "BTCUSDT");
    for (int i = 0; i < 100'000; i++) {
        struct oi_figures figures;
        double price;

        oi_market_figures(7, market, NOW + i * OI_MINUTE, &figures);
        price = oi_decimal_to_double(&figures.index);
        assert_true(price > 60'000 && price < 110'000);
        if (i > 0)
            assert_true(fabs(log(price / before)) < 0.01);
        before = price;
    }
    oi_catalogue_release(&catalogue);
}

static void
every_market_has_figures_that_make_sense(void **state)
{
    struct oi_catalogue catalogue = {};
    size_t zeros = 0;

    (void) state;
    oi_catalogue_build(&catalogue, NOW);
    assert_in_range(catalogue.markets.count, 300, 1'200);
    for (size_t i = 0; i < catalogue.markets.count; i++) {
        const struct oi_market *market = &catalogue.markets.items[i];
        struct oi_figures figures;

        oi_market_figures(7, market, NOW, &figures);
        assert_true(oi_decimal_sign(&figures.index) > 0);
        assert_true(market->kind == OI_KIND_OPTION || oi_decimal_sign(&figures.mark) > 0);
        assert_int_equal(oi_decimal_is_zero(&figures.open_interest),
                         market->is_zero || market->state != OI_MARKET_LISTED);
        /* Four digits at least, or steps would show. */
        assert_true(oi_decimal_to_double(&figures.index) * pow(10, market->price_places) > 1'000);
        assert_true(market->listed < NOW);
        assert_true(market->expiry == OI_TIME_NONE || market->expiry > NOW);
        zeros += market->is_zero;
        for (size_t other = 0; other < i; other++)
            assert_false(catalogue.markets.items[other].venue == market->venue &&
                         strcmp(catalogue.markets.items[other].symbol, market->symbol) == 0);
    }
    assert_true(zeros > 0);
    oi_catalogue_release(&catalogue);
}

static void
bybit_counts_both_sides_and_okx_has_tails(void **state)
{
    struct oi_catalogue catalogue = {};
    size_t tails = 0;

    (void) state;
    oi_catalogue_build(&catalogue, NOW);
    for (size_t i = 0; i < catalogue.markets.count; i++) {
        const struct oi_market *market = &catalogue.markets.items[i];
        struct oi_figures figures;
        struct oi_decimal twice;

        oi_market_figures(7, market, NOW, &figures);
        if (market->venue == OI_VENUE_BYBIT && market->kind != OI_KIND_OPTION) {
            assert_ok(oi_decimal_add(&figures.single, &figures.single, &twice, NULL));
            assert_true(oi_decimal_equal(&twice, &figures.open_interest));
        }
        tails += market->venue == OI_VENUE_OKX && figures.open_interest.exponent < -4;
    }
    assert_in_range(tails, 5, 60);
    oi_catalogue_release(&catalogue);
}

static void
contracts_end_on_last_fridays_and_roll(void **state)
{
    struct oi_catalogue catalogue = {};
    oi_time expiry;

    (void) state;
    assert_ok(oi_time_parse_utc(OI_SLICE("2026-12-25T08:00:00Z"), &expiry, NULL));
    assert_int_equal(oi_expiry_after(NOW, true), expiry);
    assert_int_equal(oi_expiry_after(expiry - 1, true), expiry);
    assert_ok(oi_time_parse_utc(OI_SLICE("2027-03-26T08:00:00Z"), &expiry, NULL));
    assert_int_equal(oi_expiry_after(oi_expiry_after(NOW, true), true), expiry);
    assert_ok(oi_time_parse_utc(OI_SLICE("2026-11-27T08:00:00Z"), &expiry, NULL));
    assert_int_equal(oi_expiry_after(NOW, false), expiry);

    oi_catalogue_build(&catalogue, NOW);
    assert_int_equal(catalogue.valid.to, expiry);
    (void) market_of(&catalogue, OI_VENUE_DERIBIT, "BTC-27NOV26");
    oi_catalogue_build(&catalogue, expiry);
    assert_null(oi_catalogue_find(&catalogue, OI_VENUE_DERIBIT, OI_SLICE("BTC-27NOV26")));
    (void) market_of(&catalogue, OI_VENUE_DERIBIT, "BTC-25DEC26");
    oi_catalogue_release(&catalogue);
}

static void
multiples_are_spelled_as_each_exchange_does(void **state)
{
    struct oi_catalogue catalogue = {};

    (void) state;
    oi_catalogue_build(&catalogue, NOW);
    assert_int_equal(market_of(&catalogue, OI_VENUE_BINANCE, "1000PEPEUSDT")->factor, 1'000);
    assert_int_equal(market_of(&catalogue, OI_VENUE_BINANCE, "1MBABYDOGEUSDT")->factor, 1'000'000);
    assert_int_equal(market_of(&catalogue, OI_VENUE_BYBIT, "SHIB1000USDT")->factor, 1'000);
    assert_int_equal(market_of(&catalogue, OI_VENUE_HYPERLIQUID, "kPEPE")->factor, 1'000);
    assert_int_equal(market_of(&catalogue, OI_VENUE_HYPERLIQUID, "xyz:AAPL")->factor, 1);
    assert_int_equal(market_of(&catalogue, OI_VENUE_OKX, "PEPE-USDT-SWAP")->factor, 1);
    (void) market_of(&catalogue, OI_VENUE_BYBIT, "BTCUSDZ26");
    (void) market_of(&catalogue, OI_VENUE_BYBIT, "BTCUSDT-25DEC26");
    (void) market_of(&catalogue, OI_VENUE_BYBIT, "BTCPERP");
    (void) market_of(&catalogue, OI_VENUE_BINANCE, "BTCUSD_261225");
    oi_catalogue_release(&catalogue);
}

static void
a_figure_is_padded_and_never_cut(void **state)
{
    struct oi_decimal figure = oi_decimal_from(15, -1);
    struct oi_buffer out = {};

    (void) state;
    oi_figure_write(&figure, 3, &out);
    oi_buffer_add_char(&out, ' ');
    oi_figure_write(&figure, 0, &out);
    oi_buffer_add_char(&out, ' ');
    figure = oi_decimal_from(0, 0);
    oi_figure_write(&figure, 1, &out);
    oi_buffer_add_char(&out, '\0');
    assert_string_equal(out.data, "1.500 1.5 0.0");
    oi_buffer_release(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_hold_for_their_minute_and_differ_in_the_next),
        cmocka_unit_test(figures_do_not_depend_on_when_the_catalogue_was_built),
        cmocka_unit_test(bitcoin_walks_between_60_and_110_thousand_in_small_steps),
        cmocka_unit_test(every_market_has_figures_that_make_sense),
        cmocka_unit_test(bybit_counts_both_sides_and_okx_has_tails),
        cmocka_unit_test(contracts_end_on_last_fridays_and_roll),
        cmocka_unit_test(multiples_are_spelled_as_each_exchange_does),
        cmocka_unit_test(a_figure_is_padded_and_never_cut),
    };

    return cmocka_run_group_tests_name("simulator/market", tests, NULL, NULL);
}
