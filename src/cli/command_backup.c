/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of a live store that is known to be whole, because it is read back. */
/* no unit test: a whole command; tests/system/cli.test.mjs runs it */
#include "base/compiler.h"
#include "cli/command.h"
#include "cli/copy.h"
#include "cli/meter.h"
#include "cli/open_store.h"
#include "cli/verify_child.h"
#include "store/store.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static const struct oi_option options_table[] = { OI_OPTION_STORE };

static enum oi_status
copy(const char *from, const char *to, struct oi_error *error)
{
    OI_CLEANUP(oi_store_close) struct oi_store *store = NULL;
    const struct oi_store_options options = { .is_read_only = true };

    OI_CLEANUP(oi_meter_free) struct oi_meter *meter = NULL;
    struct oi_store_stats stats;
    char path[4096];

    OI_TRY(oi_store_open(from, &options, &store, error));
    oi_store_stats(store, &stats);
    (void) snprintf(path, sizeof(path), "%s/data.mdb", to);
    meter = oi_meter_new(to, "bytes");
    oi_meter_watch(meter, path, stats.used_bytes);
    return oi_store_backup(store, to, error);
}

/* Readings that are in ClickHouse become a store in a folder: every series read back. */
static enum oi_status
copy_rows(const char *from, const char *to, struct oi_error *error)
{
    struct oi_copied copied;

    /* An empty folder is made again; one with anything in it cannot be removed. */
    if (rmdir(to) != 0 && errno != ENOENT)
        return oi_fail(error, OI_E_INVALID, "%s is no empty folder: name a new one", to);
    return oi_copy_store(from, to, &copied, error);
}

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    const char *const *operands;

    (void) oi_options_operands(options, &operands);
    if (oi_store_address(options))
        OI_TRY(copy_rows(oi_store_address(options), operands[0], error));
    else
        OI_TRY(copy(oi_options_text(options, "data"), operands[0], error));
    return oi_verify_in_child(operands[0], error);
}

const struct oi_command oi_command_backup = {
    .name = "backup",
    .summary = "Copy the store, also while a server is up, and check the copy",
    .operands = "FOLDER",
    .operands_min = 1,
    .operands_max = 1,
    .description = "FOLDER must be new or empty. To restore, point --data at it. Of readings in\n"
                   "ClickHouse it makes such a store too, and `oi copy` brings it back.",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
