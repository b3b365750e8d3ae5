/* SPDX-License-Identifier: Apache-2.0 */
/* The assertions of support/test.h: a function, so that its arguments are evaluated once. */
#include "support/test.h"

void
test_assert_status(enum oi_status status, enum oi_status code, const char *expression,
                   const char *file, int line)
{
    if (status == code)
        return;
    print_error("%s gave %s, not %s\n", expression, oi_status_name(status), oi_status_name(code));
    _fail(file, line);
}
