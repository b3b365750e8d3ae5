/* SPDX-License-Identifier: Apache-2.0 */
#include "server/access.h"

#include "support/test.h"

static const char *const keys[] = { "kwery_live_0123456789", "another-key" };

static void
lets_everybody_in_while_there_are_no_keys(void **)
{
    OI_CLEANUP(oi_access_free)
    struct oi_access *access = oi_access_new(&(struct oi_access_options){ .address = "127.0.0.1" });

    assert_int_equal(oi_access_check_key(access, OI_SLICE("")), OI_KEY_FINE);
    assert_int_equal(oi_access_check_key(access, OI_SLICE("anything")), OI_KEY_FINE);
}

static void
tells_a_missing_key_from_a_wrong_one(void **)
{
    OI_CLEANUP(oi_access_free)
    struct oi_access *access =
        oi_access_new(&(struct oi_access_options){ .keys = keys, .key_count = OI_COUNT(keys) });

    assert_int_equal(oi_access_check_key(access, OI_SLICE("another-key")), OI_KEY_FINE);
    assert_int_equal(oi_access_check_key(access, OI_SLICE("kwery_live_0123456789")), OI_KEY_FINE);
    assert_int_equal(oi_access_check_key(access, OI_SLICE("another-ke")), OI_KEY_WRONG);
    assert_int_equal(oi_access_check_key(access, OI_SLICE("")), OI_KEY_MISSING);
}

static bool
host_is_fine(const struct oi_access *access, const char *host)
{
    struct oi_slice slice = oi_slice_of(host);

    return oi_access_check_host(access, &slice);
}

static void
answers_only_to_its_own_names_without_keys(void **)
{
    static const char *const names[] = { "oi.lan" };
    OI_CLEANUP(oi_access_free)
    struct oi_access *access = oi_access_new(&(struct oi_access_options){
        .address = "127.0.0.1", .host_names = names, .host_name_count = 1 });

    assert_true(host_is_fine(access, "localhost"));
    assert_true(host_is_fine(access, "LocalHost:8080"));
    assert_true(host_is_fine(access, "127.0.0.1:1"));
    assert_true(host_is_fine(access, "[::1]:8080"));
    assert_true(host_is_fine(access, "oi.lan:80"));
    assert_true(oi_access_check_host(access, NULL));
    assert_false(host_is_fine(access, "evil.example"));
    assert_false(host_is_fine(access, "localhost.evil.example"));
    assert_false(host_is_fine(access, "127.0.0.1.evil.example:8080"));
}

static void
answers_to_any_name_with_keys_or_open(void **)
{
    OI_CLEANUP(oi_access_free)
    struct oi_access *with_keys =
        oi_access_new(&(struct oi_access_options){ .keys = keys, .key_count = 1 });
    OI_CLEANUP(oi_access_free)
    struct oi_access *open = oi_access_new(&(struct oi_access_options){ .is_open = true });

    assert_true(host_is_fine(with_keys, "oi.example"));
    assert_true(host_is_fine(open, "oi.example"));
}

static void
knows_which_addresses_are_this_machines_own(void **)
{
    assert_true(oi_address_is_loopback("127.0.0.1"));
    assert_true(oi_address_is_loopback("127.9.9.9"));
    assert_true(oi_address_is_loopback("::1"));
    assert_true(oi_address_is_loopback("localhost"));
    assert_false(oi_address_is_loopback("0.0.0.0"));
    assert_false(oi_address_is_loopback("::"));
    assert_false(oi_address_is_loopback("10.0.0.1"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_everybody_in_while_there_are_no_keys),
        cmocka_unit_test(tells_a_missing_key_from_a_wrong_one),
        cmocka_unit_test(answers_only_to_its_own_names_without_keys),
        cmocka_unit_test(answers_to_any_name_with_keys_or_open),
        cmocka_unit_test(knows_which_addresses_are_this_machines_own),
    };
    return cmocka_run_group_tests_name("server/access", tests, NULL, NULL);
}
