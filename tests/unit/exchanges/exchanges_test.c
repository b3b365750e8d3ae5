/* SPDX-License-Identifier: Apache-2.0 */
#include "exchanges/exchange.h"

#include "support/test.h"

static void
finds_an_exchange_by_its_exact_name(void **)
{
    assert_ptr_equal(oi_exchange_find(OI_SLICE("binance")), &oi_exchange_binance);
    assert_null(oi_exchange_find(OI_SLICE("Binance")));
    assert_null(oi_exchange_find(OI_SLICE("binanc")));
    assert_null(oi_exchange_find(OI_SLICE("")));
}

static void
lists_every_exchange_once_in_order(void **)
{
    for (size_t i = 0; oi_exchanges[i] && oi_exchanges[i + 1]; i++)
        assert_true(strcmp(oi_exchanges[i]->name, oi_exchanges[i + 1]->name) < 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_an_exchange_by_its_exact_name),
        cmocka_unit_test(lists_every_exchange_once_in_order),
    };
    return cmocka_run_group_tests_name("exchanges/exchanges", tests, NULL, NULL);
}
