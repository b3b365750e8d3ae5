/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every unit test includes: cmocka with the headers it wants, and assertions about a status
 * that print the code by its name instead of its number.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/status.h"

/* The call succeeded. */
#define assert_ok(status) assert_status(status, OI_OK)

/* The call gave exactly this code. */
#define assert_status(status, code)                                                                \
    test_assert_status((status), (code), #status, __FILE__, __LINE__)

void test_assert_status(enum oi_status status, enum oi_status code, const char *expression,
                        const char *file, int line);
