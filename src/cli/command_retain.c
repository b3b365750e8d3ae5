/* SPDX-License-Identifier: Apache-2.0 */
/* Old readings removed as the setting `retention` asks; without one, nothing is. */
/* no unit test: a whole command; tests/system/upkeep.test.mjs runs it */
#include "base/clock.h"
#include "cli/command.h"
#include "cli/open_store.h"
#include "cli/retention.h"
#include "store/store.h"

#include <stdio.h>

static const struct oi_option options_table[] = {
    OI_OPTION_RETENTION,
    OI_OPTION_STORE,
};

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    OI_CLEANUP(oi_store_close) struct oi_store *store = NULL;
    struct oi_retention all;

    OI_TRY(oi_retention_read(options, &all, error));
    if (all.count == 0)
        return oi_fail(error, OI_E_INVALID, "no rule is set, so nothing is removed");
    OI_TRY(oi_open_store(options, oi_options_text(options, "data"), OI_STORE_WRITE, &store, error));
    for (size_t i = 0; i < all.count; i++) {
        struct oi_retention one = { .rules = { all.rules[i] }, .count = 1 };
        bool is_done = false;

        OI_TRY(oi_retention_step(&one, store, &oi_clock_system, INT64_MAX / 2, &is_done, error));
        (void) fprintf(stderr, "%s older than %lld days: %llu readings removed\n",
                       one.rules[0].feed, (long long) one.rules[0].days,
                       (unsigned long long) one.removed);
    }
    return OI_OK;
}

const struct oi_command oi_command_retain = {
    .name = "retain",
    .summary = "Remove old readings as the setting `retention` asks",
    .description =
        "Off unless a rule is set; `oi serve` and `oi collect` go by the same setting once an\n"
        "hour. Whole chunks of readings go, for every moment that is asked for; the newest\n"
        "readings of a market always stay. `oi compact` then gives the room back to the disk",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
