/* SPDX-License-Identifier: Apache-2.0 */
#include "server/keyring.h"

#include "base/alloc.h"

#include "support/test.h"

#include <string.h>

static void
finds_each_key_at_its_place_and_no_other(void **)
{
    enum { COUNT = 500 };
    uint8_t(*hashes)[OI_SHA256_SIZE] = oi_alloc_zero(COUNT, OI_SHA256_SIZE);
    struct oi_keyring *keyring;
    uint8_t stranger[OI_SHA256_SIZE];

    for (uint32_t i = 0; i < COUNT; i++)
        oi_sha256((struct oi_slice){ (const char *) &i, sizeof(i) }, hashes[i]);
    keyring = oi_keyring_new((const uint8_t(*)[OI_SHA256_SIZE]) hashes, COUNT);
    assert_int_equal(oi_keyring_count(keyring), COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(oi_keyring_find(keyring, hashes[i]), i);
        /* One bit off anywhere is another key. */
        memcpy(stranger, hashes[i], sizeof(stranger));
        stranger[i % OI_SHA256_SIZE] ^= (uint8_t) (1u << i % 8);
        assert_true(oi_keyring_find(keyring, stranger) == OI_KEYRING_NONE);
    }
    oi_keyring_free(&keyring);
    oi_free(hashes);
}

static void
an_empty_one_has_nothing(void **)
{
    OI_CLEANUP(oi_keyring_free) struct oi_keyring *keyring = oi_keyring_new(NULL, 0);
    const uint8_t zeros[OI_SHA256_SIZE] = {};

    assert_true(oi_keyring_find(keyring, zeros) == OI_KEYRING_NONE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_each_key_at_its_place_and_no_other),
        cmocka_unit_test(an_empty_one_has_nothing),
    };
    return cmocka_run_group_tests_name("server/keyring", tests, NULL, NULL);
}
