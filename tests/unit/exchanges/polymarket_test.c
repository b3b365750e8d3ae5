/* SPDX-License-Identifier: Apache-2.0 */
#include "exchanges/exchange.h"

#include "support/test_exchange.h"

#define NOW (1'790'000'000 * OI_SECOND)

/* The reply to a task of this kind, read by the adapter. */
static void
read_reply(enum oi_task_kind kind, const char *product, const char *symbol, const char *reply,
           struct oi_harvest *harvest)
{
    const struct oi_task task = { .kind = kind, .product = product, .symbol = symbol, .now = NOW };

    assert_ok(test_exchange_read(&oi_exchange_polymarket, &task, reply, harvest));
}

static void
a_zero_is_kept_and_flagged(void **)
{
    struct oi_harvest harvest = {};

    read_reply(OI_TASK_CURRENT, "event", NULL,
               "[{\"slug\":\"a\",\"openInterest\":0},{\"slug\":\"b\",\"openInterest\":1.5}]",
               &harvest);
    assert_int_equal(harvest.rows.items[0].reading.flags, OI_FLAG_SUSPECT_ZERO);
    assert_int_equal(harvest.rows.items[1].reading.flags, 0);
    test_assert_decimal(&harvest.rows.items[1].reading.open_interest, "1.5");
    oi_harvest_release(&harvest);
}

static void
an_event_stands_for_itself(void **)
{
    struct oi_harvest harvest = {};

    read_reply(
        OI_TASK_INSTRUMENTS, "event", NULL,
        "[{\"id\":\"30829\",\"slug\":\"democratic-nominee\",\"endDate\":\"2028-11-07T00:00:00Z\"}]",
        &harvest);
    assert_string_equal(harvest.instruments.items[0].symbol, "democratic-nominee");
    assert_string_equal(harvest.instruments.items[0].base, "30829");
    assert_int_equal(harvest.instruments.items[0].kind, OI_KIND_EVENT);
    oi_harvest_release(&harvest);
}

static void
a_page_that_is_full_has_another_behind_it(void **)
{
    struct oi_task task = { .kind = OI_TASK_CURRENT, .product = "event", .page = "200" };
    struct oi_harvest harvest = {};
    struct oi_buffer reply = {};

    oi_buffer_add_text(&reply, "[");
    for (int i = 0; i < 100; i++)
        oi_buffer_add_format(&reply, "%s{\"slug\":\"s%d\",\"openInterest\":%d}", i ? "," : "", i,
                             i);
    oi_buffer_add_text(&reply, "]");
    oi_buffer_add_char(&reply, '\0');
    assert_ok(test_exchange_read(&oi_exchange_polymarket, &task, reply.data, &harvest));
    assert_int_equal(harvest.rows.count, 100);
    assert_string_equal(harvest.next_page, "300");
    read_reply(OI_TASK_CURRENT, "event", NULL, "[{\"slug\":\"a\",\"openInterest\":1}]", &harvest);
    assert_null(harvest.next_page);
    oi_buffer_release(&reply);
    oi_harvest_release(&harvest);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zero_is_kept_and_flagged),
        cmocka_unit_test(an_event_stands_for_itself),
        cmocka_unit_test(a_page_that_is_full_has_another_behind_it),
    };
    return cmocka_run_group_tests_name("exchanges/polymarket", tests, NULL, NULL);
}
