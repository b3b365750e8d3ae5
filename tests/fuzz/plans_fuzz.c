/* SPDX-License-Identifier: Apache-2.0 */
/* A plan of any text: read or refused, and what is read is read the same again. */
#include "server/plans.h"

#include "base/alloc.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oi_plan plan, again;
    struct oi_buffer text = {};

    if (size > 4096 ||
        oi_plan_parse((struct oi_slice){ (const char *) data, size }, NULL, &plan, NULL) != OI_OK)
        return 0;
    oi_buffer_add_format(&text, "%s ", plan.name);
    oi_plan_write(&plan, &text);
    oi_assert(oi_plan_parse(oi_buffer_slice(&text), NULL, &again, NULL) == OI_OK);
    oi_assert(again.rate_count == plan.rate_count);
    oi_assert(memcmp(again.rates, plan.rates, sizeof(plan.rates)) == 0);
    oi_buffer_release(&text);
    return 0;
}
