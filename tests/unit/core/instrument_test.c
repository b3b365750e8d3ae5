/* SPDX-License-Identifier: Apache-2.0 */
/* What instruments promise of their names and bytes. */
#include "core/instrument.h"

#include "support/test.h"

#include "base/random.h"

#include <string.h>

static void
splits_coin_and_factor(void **)
{
    static const struct {
        const char *base;
        bool has_k_prefix;
        const char *coin;
        int64_t factor;
    } cases[] = {
        { "BTC", false, "BTC", 1 },
        { "XBT", false, "BTC", 1 },
        { "1000PEPE", false, "PEPE", 1000 },
        { "10000SATS", false, "SATS", 10'000 },
        { "1000000MOG", false, "MOG", 1'000'000 },
        { "10000000AIDOGE", false, "AIDOGE", 10'000'000 },
        { "1MBABYDOGE", false, "BABYDOGE", 1'000'000 },
        { "SHIB1000", false, "SHIB", 1000 },
        { "kPEPE", true, "PEPE", 1000 },
        { "kPEPE", false, "kPEPE", 1 },
        { "KAS", true, "KAS", 1 },
        { "1INCH", false, "1INCH", 1 },
        { "1000X", false, "1000X", 1 },
        { "1000", false, "1000", 1 },
        { "SPX6900", false, "SPX6900", 1 },
        { "US500", false, "US500", 1 },
        { "NAS100", false, "NAS100", 1 },
        { "1M", false, "1M", 1 },
        { "k", true, "k", 1 },
    };

    for (size_t i = 0; i < OI_COUNT(cases); i++) {
        struct oi_instrument instrument = OI_INSTRUMENT_NONE;

        assert_ok(oi_instrument_set_base(&instrument, oi_slice_of(cases[i].base),
                                         cases[i].has_k_prefix, NULL));
        assert_string_equal(instrument.base, cases[i].coin);
        assert_int_equal(instrument.base_factor, cases[i].factor);
    }
}

static void
refuses_names_that_are_empty_too_long_or_malformed(void **)
{
    static const char *const bad[] = { "",     "tab\t",    "\x7f",    "\xc2\x85",
                                       "\xff", "\xc0\xaf", "12345678" };
    char field[8] = "before";

    for (size_t i = 0; i < OI_COUNT(bad); i++) {
        assert_status(OI_NAME_SET(field, oi_slice_of(bad[i]), NULL), OI_E_INVALID);
        assert_string_equal(field, "before");
    }
    assert_ok(OI_NAME_SET(field, OI_SLICE("1234567"), NULL));
    assert_string_equal(field, "1234567");
    assert_ok(OI_NAME_SET(field, OI_SLICE("币安"), NULL));
    assert_string_equal(field, "币安");
}

static struct oi_instrument
option(void)
{
    struct oi_instrument instrument = OI_INSTRUMENT_NONE;

    instrument.id = 77;
    assert_ok(OI_NAME_SET(instrument.exchange, OI_SLICE("deribit"), NULL));
    assert_ok(OI_NAME_SET(instrument.product, OI_SLICE("option"), NULL));
    assert_ok(OI_NAME_SET(instrument.symbol, OI_SLICE("BTC-27MAR26-70000-C"), NULL));
    assert_ok(OI_NAME_SET(instrument.base, OI_SLICE("BTC"), NULL));
    assert_ok(OI_NAME_SET(instrument.quote, OI_SLICE("USD"), NULL));
    assert_ok(OI_NAME_SET(instrument.margin, OI_SLICE("BTC"), NULL));
    instrument.listed = -5;
    instrument.kind = OI_KIND_OPTION;
    instrument.settlement = OI_SETTLEMENT_INVERSE;
    instrument.contract_size = oi_decimal_from(1, 0);
    instrument.expiry = 1'774'598'400 * OI_SECOND;
    instrument.strike = oi_decimal_from(70'000, 0);
    instrument.option_side = OI_OPTION_CALL;
    instrument.is_assumed = true;
    instrument.valid_from = 1;
    instrument.known_from = 2;
    return instrument;
}

static void
decodes_what_it_encodes(void **)
{
    const struct oi_instrument instruments[] = { option(), OI_INSTRUMENT_NONE };

    for (size_t i = 0; i < OI_COUNT(instruments); i++) {
        OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};
        struct oi_instrument again;

        oi_instrument_encode(&instruments[i], &out);
        assert_ok(oi_instrument_decode(oi_buffer_slice(&out), &again, NULL));
        assert_true(oi_instrument_same_definition(&instruments[i], &again));
        assert_int_equal(again.id, instruments[i].id);
        assert_int_equal(again.is_assumed, instruments[i].is_assumed);
        assert_true(again.valid_from == instruments[i].valid_from);
        assert_true(again.known_from == instruments[i].known_from);
    }
}

static void
refuses_damaged_bytes(void **)
{
    const uint64_t seed = 20260311;
    struct oi_instrument instrument = option();
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};
    struct oi_random random;
    struct oi_instrument again;

    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    oi_instrument_encode(&instrument, &out);
    for (size_t cut = 0; cut < out.size; cut++)
        assert_status(oi_instrument_decode((struct oi_slice){ out.data, cut }, &again, NULL),
                      OI_E_CORRUPT);
    /* Flipped bits never crash and never give a field out of its range. */
    for (int i = 0; i < 20'000; i++) {
        size_t at = oi_random_below(&random, out.size);
        char kept = out.data[at];

        out.data[at] = (char) oi_random_next(&random);
        if (oi_instrument_decode(oi_buffer_slice(&out), &again, NULL) == OI_OK)
            assert_true(again.kind <= OI_KIND_EVENT && again.base_factor >= 1);
        out.data[at] = kept;
    }
    oi_buffer_add_u8(&out, 0);
    assert_status(oi_instrument_decode(oi_buffer_slice(&out), &again, NULL), OI_E_CORRUPT);
}

static void
tells_a_new_definition_from_a_new_version(void **)
{
    struct oi_instrument a = option();
    struct oi_instrument b = a;

    b.id = 1;
    b.valid_from = 100;
    b.known_from = 200;
    b.is_assumed = false;
    assert_true(oi_instrument_same_definition(&a, &b));
    b.contract_size = oi_decimal_from(1, -1);
    assert_false(oi_instrument_same_definition(&a, &b));
    b = a;
    b.is_delisted = true;
    assert_false(oi_instrument_same_definition(&a, &b));
}

static void
names_kinds_and_settlements(void **)
{
    assert_string_equal(oi_kind_name(OI_KIND_PERPETUAL), "PERPETUAL");
    assert_string_equal(oi_kind_name(OI_KIND_UNKNOWN), "UNKNOWN");
    assert_string_equal(oi_settlement_name(OI_SETTLEMENT_QUANTO), "QUANTO");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_coin_and_factor),
        cmocka_unit_test(refuses_names_that_are_empty_too_long_or_malformed),
        cmocka_unit_test(decodes_what_it_encodes),
        cmocka_unit_test(refuses_damaged_bytes),
        cmocka_unit_test(tells_a_new_definition_from_a_new_version),
        cmocka_unit_test(names_kinds_and_settlements),
    };

    return cmocka_run_group_tests_name("core/instrument", tests, NULL, NULL);
}
