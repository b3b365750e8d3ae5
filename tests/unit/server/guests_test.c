/* SPDX-License-Identifier: Apache-2.0 */
#include "server/guests.h"

#include "core/time.h"

#include "support/test.h"

#include <stdio.h>

static const struct oi_plan plan = {
    .name = "test",
    .rates = { { .kind = OI_RATE_WINDOW, .count = 2, .span_ns = OI_MINUTE } },
    .rate_count = 1,
};

static int64_t
ask(struct oi_guests *guests, const char *peer, int64_t now_ns)
{
    struct oi_rate_left left;

    return oi_guests_admit(guests, &plan, oi_slice_of(peer), now_ns, &left);
}

static void
each_address_has_its_own(void **)
{
    OI_CLEANUP(oi_guests_free) struct oi_guests *guests = oi_guests_new();

    assert_int_equal(ask(guests, "10.0.0.1", OI_HOUR), 0);
    assert_int_equal(ask(guests, "10.0.0.1", OI_HOUR), 0);
    assert_true(ask(guests, "10.0.0.1", OI_HOUR) > 0);
    assert_int_equal(ask(guests, "10.0.0.2", OI_HOUR), 0);
    assert_int_equal(ask(guests, "10.0.0.1", OI_HOUR + 2 * OI_MINUTE), 0);
}

static void
a_network_of_ipv6_is_one_and_a_mapped_address_is_ipv4(void **)
{
    OI_CLEANUP(oi_guests_free) struct oi_guests *guests = oi_guests_new();

    assert_int_equal(ask(guests, "2001:db8::1", OI_HOUR), 0);
    assert_int_equal(ask(guests, "2001:db8::2", OI_HOUR), 0);
    assert_true(ask(guests, "2001:db8::3", OI_HOUR) > 0);
    assert_int_equal(ask(guests, "2001:db8:0:1::1", OI_HOUR), 0);
    assert_int_equal(ask(guests, "::ffff:10.0.0.1", OI_HOUR), 0);
    assert_int_equal(ask(guests, "10.0.0.1", OI_HOUR), 0);
    assert_true(ask(guests, "10.0.0.1", OI_HOUR) > 0);
}

static void
many_strangers_push_out_only_the_oldest_of_their_set(void **)
{
    OI_CLEANUP(oi_guests_free) struct oi_guests *guests = oi_guests_new();

    for (unsigned i = 0; i < 100'000; i++) {
        char peer[32];

        (void) snprintf(peer, sizeof(peer), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        assert_int_equal(ask(guests, peer, OI_HOUR + i), 0);
    }
    /* Who was seen last is remembered. */
    assert_int_equal(ask(guests, "10.1.134.159", OI_HOUR + 100'000), 0);
    assert_true(ask(guests, "10.1.134.159", OI_HOUR + 100'000) > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_address_has_its_own),
        cmocka_unit_test(a_network_of_ipv6_is_one_and_a_mapped_address_is_ipv4),
        cmocka_unit_test(many_strangers_push_out_only_the_oldest_of_their_set),
    };
    return cmocka_run_group_tests_name("server/guests", tests, NULL, NULL);
}
