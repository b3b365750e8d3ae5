/* SPDX-License-Identifier: Apache-2.0 */
#include "server/links.h"

#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW (INT64_C(1'774'800'000) * OI_SECOND)

static void
opens_for_its_life_and_no_longer(void **)
{
    struct oi_links links = { .secret = { 1, 2, 3 } };
    struct oi_buffer target = {};

    oi_links_sign(&links, OI_SLICE("/files/a/1h/2026-03.parquet"), NOW, 300, &target);
    assert_int_equal(oi_links_check(&links, oi_buffer_slice(&target), NOW), OI_LINK_FINE);
    assert_int_equal(oi_links_check(&links, oi_buffer_slice(&target), NOW + 300 * OI_SECOND),
                     OI_LINK_FINE);
    assert_int_equal(oi_links_check(&links, oi_buffer_slice(&target), NOW + 301 * OI_SECOND),
                     OI_LINK_EXPIRED);
    oi_buffer_release(&target);
}

static void
does_not_open_when_a_byte_differs(void **)
{
    struct oi_links links = { .secret = { 1, 2, 3 } }, other = { .secret = { 1, 2, 4 } };
    struct oi_buffer target = {};

    oi_links_sign(&links, OI_SLICE("/files/a?timestamp=true"), NOW, 300, &target);
    for (size_t i = 0; i < target.size; i++) {
        target.data[i] ^= 1;
        assert_int_not_equal(oi_links_check(&links, oi_buffer_slice(&target), NOW), OI_LINK_FINE);
        target.data[i] ^= 1;
    }
    assert_int_equal(oi_links_check(&other, oi_buffer_slice(&target), NOW), OI_LINK_WRONG);
    target.size--;
    assert_int_equal(oi_links_check(&links, oi_buffer_slice(&target), NOW), OI_LINK_WRONG);
    oi_buffer_release(&target);
    assert_int_equal(oi_links_check(&links, OI_SLICE("/files/a"), NOW), OI_LINK_WRONG);
    assert_int_equal(oi_links_check(&links, OI_SLICE(""), NOW), OI_LINK_WRONG);
}

static void
keeps_its_secret_in_the_folder(void **)
{
    char folder[] = "/tmp/oi-links-XXXXXX";
    char path[64];
    struct oi_links first, second;

    assert_non_null(mkdtemp(folder));
    assert_ok(oi_links_open(folder, &first, NULL));
    assert_ok(oi_links_open(folder, &second, NULL));
    assert_memory_equal(first.secret, second.secret, sizeof(first.secret));
    assert_true(snprintf(path, sizeof(path), "%s/link-secret", folder) > 0);
    assert_int_equal(truncate(path, 5), 0);
    assert_status(oi_links_open(folder, &second, NULL), OI_E_CORRUPT);
    unlink(path);
    rmdir(folder);
}

static void
a_secret_that_cannot_be_written_is_of_this_process_alone(void **)
{
    struct oi_links one = {}, two = {};
    struct oi_buffer target = {};
    struct oi_error error = {};

    assert_ok(oi_links_open("/proc/self", &one, &error)); /* nobody can make a file there */
    assert_true(one.is_passing);
    assert_non_null(strstr(error.message, "link-secret"));
    assert_ok(oi_links_open("/proc/self", &two, &error));
    oi_links_sign(&one, OI_SLICE("/files/a"), NOW, 300, &target);
    assert_int_equal(oi_links_check(&one, oi_buffer_slice(&target), NOW), OI_LINK_FINE);
    assert_int_equal(oi_links_check(&two, oi_buffer_slice(&target), NOW), OI_LINK_WRONG);
    oi_buffer_release(&target);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_for_its_life_and_no_longer),
        cmocka_unit_test(does_not_open_when_a_byte_differs),
        cmocka_unit_test(keeps_its_secret_in_the_folder),
        cmocka_unit_test(a_secret_that_cannot_be_written_is_of_this_process_alone),
    };
    return cmocka_run_group_tests_name("server/links", tests, NULL, NULL);
}
