/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts of misbehaviour: what is read, what is refused, and when it applies. */
#include "simulator/moods.h"

#include "support/test.h"

static void
a_script_is_read_whole(void **state)
{
    struct oi_moods moods;

    (void) state;
    assert_ok(oi_moods_parse(OI_SLICE(" binance=418:120, okx=hang,bybit=html,deribit=451@10..20,"
                                      "hyperliquid=truncate@5s..6s,okx=drop:BTC-USDT-SWAP,okx=ok"),
                             &moods, NULL));
    assert_int_equal(moods.items.count, 7);
    assert_int_equal(moods.items.items[0].kind, OI_MOOD_STATUS);
    assert_int_equal(moods.items.items[0].status, 418);
    assert_int_equal(moods.items.items[0].retry_after_s, 120);
    assert_int_equal(moods.items.items[1].kind, OI_MOOD_HANG);
    assert_int_equal(moods.items.items[1].venue, OI_VENUE_OKX);
    assert_int_equal(moods.items.items[2].kind, OI_MOOD_HTML);
    assert_int_equal(moods.items.items[3].from, 10);
    assert_int_equal(moods.items.items[3].to, 20);
    assert_true(moods.items.items[4].is_timed);
    assert_int_equal(moods.items.items[4].to, 6 * OI_SECOND);
    assert_string_equal(moods.items.items[5].symbol, "BTC-USDT-SWAP");
    assert_int_equal(moods.items.items[6].kind, OI_MOOD_FINE);
    oi_moods_release(&moods);
}

static void
nothing_is_a_script_without_moods(void **state)
{
    struct oi_moods moods;

    (void) state;
    assert_ok(oi_moods_parse(OI_SLICE(" \n"), &moods, NULL));
    assert_int_equal(moods.items.count, 0);
}

static void
anything_else_is_refused_with_a_reason(void **state)
{
    static const char *const scripts[] = {
        "binance",         "binance=",           "ftx=hang",
        "binance=99",      "binance=600",        "binance=418:",
        "binance=418:x",   "binance=hang@1",     "binance=hang@2..1",
        "okx=hang@1s..2",  "okx=hang@..2",       "okx=drop:",
        "okx=hang,,",      "okx=hang@1..2..3",   "okx=hang@99999999999..2",
        "okx=418:120:120", "okx=truncated@1..2", "=hang",
        "okx=skew:",       "okx=skew:x",         "okx=rename:A",
        "okx=resize:A>b",  "okx=delist:A>B",     "okx=shuffle:2",
    };

    (void) state;
    for (size_t i = 0; i < OI_COUNT(scripts); i++) {
        struct oi_moods moods;
        struct oi_error error = {};

        assert_status(oi_moods_parse(oi_slice_of(scripts[i]), &moods, &error), OI_E_INVALID);
        assert_true(error.message[0] != '\0');
    }
}

static void
a_mood_applies_to_its_exchange_its_requests_and_its_time(void **state)
{
    struct oi_moods moods;

    (void) state;
    assert_ok(
        oi_moods_parse(OI_SLICE("okx=503@2..3,bybit=hang@1s..2s,okx=html@3..4"), &moods, NULL));
    assert_null(oi_moods_find(&moods, OI_VENUE_OKX, 1, 0));
    assert_int_equal(oi_moods_find(&moods, OI_VENUE_OKX, 2, 0)->status, 503);
    assert_int_equal(oi_moods_find(&moods, OI_VENUE_OKX, 3, 0)->status, 503);
    assert_int_equal(oi_moods_find(&moods, OI_VENUE_OKX, 4, 0)->kind, OI_MOOD_HTML);
    assert_null(oi_moods_find(&moods, OI_VENUE_OKX, 5, 0));
    assert_null(oi_moods_find(&moods, OI_VENUE_BINANCE, 2, OI_SECOND));
    assert_null(oi_moods_find(&moods, OI_VENUE_BYBIT, 1, OI_SECOND - 1));
    assert_non_null(oi_moods_find(&moods, OI_VENUE_BYBIT, 9, 2 * OI_SECOND));
    assert_null(oi_moods_find(&moods, OI_VENUE_BYBIT, 9, 2 * OI_SECOND + 1));
    oi_moods_release(&moods);
}

static void
a_dropped_market_hides_no_other_mood(void **state)
{
    struct oi_moods moods;

    (void) state;
    assert_ok(oi_moods_parse(OI_SLICE("okx=drop:A,okx=503"), &moods, NULL));
    assert_true(oi_moods_drop(&moods, OI_VENUE_OKX, 1, 0, "A"));
    assert_false(oi_moods_drop(&moods, OI_VENUE_OKX, 1, 0, "AB"));
    assert_false(oi_moods_drop(&moods, OI_VENUE_BYBIT, 1, 0, "A"));
    assert_int_equal(oi_moods_find(&moods, OI_VENUE_OKX, 1, 0)->status, 503);
    oi_moods_release(&moods);
}

static void
moods_of_streams_are_theirs_alone_and_go_by_seconds(void **state)
{
    struct oi_moods moods;
    const struct oi_mood *mood;

    (void) state;
    assert_ok(oi_moods_parse(OI_SLICE("okx=stream-cut@2s..3s,okx=stream-swap"), &moods, NULL));
    assert_null(oi_moods_find(&moods, OI_VENUE_OKX, 1, 2 * OI_SECOND));
    mood = oi_moods_find_stream(&moods, OI_VENUE_OKX, 2 * OI_SECOND);
    assert_int_equal(mood->kind, OI_MOOD_CUT);
    mood = oi_moods_find_stream(&moods, OI_VENUE_OKX, 4 * OI_SECOND);
    assert_int_equal(mood->kind, OI_MOOD_SWAP);
    assert_null(oi_moods_find_stream(&moods, OI_VENUE_BYBIT, 0));
    oi_moods_release(&moods);
    assert_status(oi_moods_parse(OI_SLICE("okx=stream-mute@1..2"), &moods, NULL), OI_E_INVALID);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_is_read_whole),
        cmocka_unit_test(nothing_is_a_script_without_moods),
        cmocka_unit_test(anything_else_is_refused_with_a_reason),
        cmocka_unit_test(a_mood_applies_to_its_exchange_its_requests_and_its_time),
        cmocka_unit_test(a_dropped_market_hides_no_other_mood),
        cmocka_unit_test(moods_of_streams_are_theirs_alone_and_go_by_seconds),
    };

    return cmocka_run_group_tests_name("simulator/moods", tests, NULL, NULL);
}
