/* SPDX-License-Identifier: Apache-2.0 */
/* The store's file made as small as what it holds. */
/* no unit test: a whole command; tests/system/cli.test.mjs runs it */
#include "cli/command.h"
#include "cli/meter.h"
#include "store/store.h"

#include <stdio.h>

static const struct oi_option options_table[] = { OI_OPTION_FOLDER };

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    OI_CLEANUP(oi_meter_free) struct oi_meter *meter = NULL;
    const char *folder = oi_options_text(options, "data");
    uint64_t before = 0, after = 0;
    char path[4096];

    (void) snprintf(path, sizeof(path), "%s/.compact/data.mdb", folder);
    meter = oi_meter_new(folder, "bytes");
    oi_meter_watch(meter, path, 0); /* how much of the file is free is known when it is done */
    OI_TRY(oi_store_compact(folder, &before, &after, error));
    oi_meter_free(&meter);
    (void) fprintf(stderr, "file %llu bytes, before %llu bytes\n", (unsigned long long) after,
                   (unsigned long long) before);
    return OI_OK;
}

const struct oi_command oi_command_compact = {
    .name = "compact",
    .summary = "Rewrite the store's file without its free space",
    .description = "Nothing else may have the store open: it says so if something has. It needs\n"
                   "room for a second copy of what is in use. Nothing that is stored changes",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
