/* SPDX-License-Identifier: Apache-2.0 */
/* Dates of heads, out and in. */
#include "base/random.h"
#include "net/http.h"

#include "support/test.h"

static void
the_date_of_the_standard_is_read_and_written(void **)
{
    char text[OI_HTTP_DATE_SIZE];
    int64_t second = 0;

    assert_true(oi_http_date_read(OI_SLICE("Sun, 06 Nov 1994 08:49:37 GMT"), &second));
    assert_int_equal(second, 784'111'777);
    oi_http_date_write(second, text);
    assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
}

static void
every_second_comes_back(void **)
{
    struct oi_random random;

    oi_random_init(&random, 20'261'126);
    for (int i = 0; i < 10'000; i++) {
        int64_t second = (int64_t) oi_random_below(&random, 253'402'300'800);
        int64_t again = -1;
        char text[OI_HTTP_DATE_SIZE];

        oi_http_date_write(second, text);
        assert_true(oi_http_date_read(oi_slice_of(text), &again));
        assert_int_equal(again, second);
    }
}

static void
whatever_is_no_date_is_none(void **)
{
    static const char *const texts[] = {
        "",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Mon, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 ovD 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GM",
        "Wed, 31 Dec 1969 23:59:59 GMT",
    };

    for (size_t i = 0; i < OI_COUNT(texts); i++) {
        int64_t second = 7;

        assert_false(oi_http_date_read(oi_slice_of(texts[i]), &second));
        assert_int_equal(second, 7);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_date_of_the_standard_is_read_and_written),
        cmocka_unit_test(every_second_comes_back),
        cmocka_unit_test(whatever_is_no_date_is_none),
    };

    return cmocka_run_group_tests_name("net/http_date", tests, NULL, NULL);
}
