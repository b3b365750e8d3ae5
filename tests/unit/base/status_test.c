/* SPDX-License-Identifier: Apache-2.0 */
/* Codes, sentences, and who puts what before whose message. */
#include "base/status.h"

#include "support/test.h"

#include <string.h>

static void
a_failure_carries_code_and_sentence(void **)
{
    struct oi_error error = {};

    assert_status(oi_fail(&error, OI_E_INVALID, "a %s decimal point", "second"), OI_E_INVALID);
    assert_int_equal(error.status, OI_E_INVALID);
    assert_string_equal(error.message, "a second decimal point");
}

static void
nobody_needs_to_ask_for_the_sentence(void **)
{
    assert_status(oi_fail(NULL, OI_E_IO, "unheard"), OI_E_IO);
    assert_status(oi_fail_in(NULL, OI_E_IO, "unheard"), OI_E_IO);
}

static void
a_caller_adds_where(void **)
{
    struct oi_error error = {};

    (void) oi_fail(&error, OI_E_UPSTREAM, "no field \"time\"");
    assert_status(oi_fail_in(&error, error.status, "%s %s: ", "binance", "BTCUSDT"), OI_E_UPSTREAM);
    assert_string_equal(error.message, "binance BTCUSDT: no field \"time\"");
}

static void
a_message_may_be_its_own_argument(void **)
{
    struct oi_error error = {};

    (void) oi_fail(&error, OI_E_IO, "disk");
    (void) oi_fail(&error, OI_E_FULL, "the %s is full", error.message);
    assert_string_equal(error.message, "the disk is full");
}

static void
a_long_message_is_cut_between_characters(void **)
{
    struct oi_error error = {};
    char text[400];
    size_t size;

    for (size_t shift = 0; shift < 2; shift++) {
        memset(text, 'x', sizeof(text));
        for (size_t i = shift; i + 2 < sizeof(text); i += 2)
            memcpy(text + i, "\xC3\xA9", 2);
        text[sizeof(text) - 2] = '\0';
        (void) oi_fail(&error, OI_E_IO, "%s", text);
        size = strlen(error.message);
        assert_true(size < OI_ERROR_SIZE);
        assert_string_equal(error.message + size - 3, "...");
        assert_int_equal((unsigned char) error.message[size - 4], 0xA9);
    }
    memset(text, 'p', 300);
    text[300] = '\0';
    (void) oi_fail_in(&error, OI_E_IO, "%s", text);
    assert_int_equal(strlen(error.message), OI_ERROR_SIZE - 1);
    assert_string_equal(error.message + OI_ERROR_SIZE - 4, "...");
}

static void
each_code_has_a_name_and_a_text(void **)
{
    assert_string_equal(oi_status_name(OI_OK), "OK");
    assert_string_equal(oi_status_name(OI_E_NOT_FOUND), "NOT_FOUND");
    assert_string_equal(oi_status_text(OI_E_NOT_FOUND), "not found");
    assert_string_equal(oi_status_name(OI_E_CANCELLED), "CANCELLED");
}

static enum oi_status
try_twice(int *calls, enum oi_status first)
{
    OI_TRY(((*calls)++, first));
    OI_TRY(((*calls)++, OI_OK));
    return OI_OK;
}

static void
try_returns_at_the_first_failure(void **)
{
    int calls = 0;

    assert_status(try_twice(&calls, OI_E_BUSY), OI_E_BUSY);
    assert_int_equal(calls, 1);
    assert_ok(try_twice(&calls, OI_OK));
    assert_int_equal(calls, 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_carries_code_and_sentence),
        cmocka_unit_test(nobody_needs_to_ask_for_the_sentence),
        cmocka_unit_test(a_caller_adds_where),
        cmocka_unit_test(a_message_may_be_its_own_argument),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
        cmocka_unit_test(each_code_has_a_name_and_a_text),
        cmocka_unit_test(try_returns_at_the_first_failure),
    };
    return cmocka_run_group_tests_name("base/status", tests, NULL, NULL);
}
