/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An exchange of two products and a store in memory that knows a few of its markets: what the tests
 * of the collector's parts stand on. Header only, because they alone link the store and it.
 */
#pragma once

#include "collector/board.h"
#include "support/test_store.h"

struct test_board {
    struct test_store store;
    uint16_t feed;
    uint32_t ids[5]; /* L0 L1 L2 of linear, I0 I1 of inverse */
};

static const char *const test_board_products[] = { "linear", "inverse", NULL };
static const char *const test_board_symbols[] = { "L0", "L1", "L2", "I0", "I1" };

[[maybe_unused]] static struct oi_instrument
test_board_instrument(const char *product, const char *symbol)
{
    struct oi_instrument instrument = test_store_instrument(symbol);

    (void) OI_NAME_SET(instrument.product, oi_slice_of(product), NULL);
    return instrument;
}

[[maybe_unused]] static void
test_board_begin(struct test_board *test, const char *folder)
{
    struct oi_instrument definitions[OI_COUNT(test_board_symbols)];

    test_store_begin(&test->store, folder, "store", &oi_kv_memory);
    test->feed = test->store.live;
    /* The four of the test store are of "linear" too: they are not in these tests. */
    for (int i = 0; i < 4; i++) {
        char symbol[16];

        (void) snprintf(symbol, sizeof(symbol), "MARKET%d", i);
        definitions[i] = test_store_instrument(symbol);
        definitions[i].is_delisted = true;
    }
    assert_ok(oi_store_define(test->store.store, definitions, 4, NULL, NULL, NULL));
    for (size_t i = 0; i < OI_COUNT(test_board_symbols); i++)
        definitions[i] = test_board_instrument(i < 3 ? "linear" : "inverse", test_board_symbols[i]);
    assert_ok(oi_store_define(test->store.store, definitions, OI_COUNT(test_board_symbols),
                              test->ids, NULL, NULL));
}

/* A row of a symbol with a figure, or with a price alone. */
[[maybe_unused]] static struct oi_harvest_row
test_board_row(const char *symbol, int64_t interest, int64_t mark)
{
    struct oi_harvest_row row = { .symbol = symbol, .reading = OI_OBSERVATION_NONE };

    if (interest >= 0)
        row.reading.open_interest = oi_decimal_from(interest, 0);
    if (mark >= 0)
        row.reading.mark_price = oi_decimal_from(mark, 0);
    return row;
}
