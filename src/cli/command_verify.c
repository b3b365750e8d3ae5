/* SPDX-License-Identifier: Apache-2.0 */
/* Is everything that was stored still there and whole? */
/* no unit test: a whole command; tests/system/cli.test.mjs runs it */
#include "base/compiler.h"
#include "cli/command.h"
#include "cli/meter.h"
#include "cli/open_store.h"
#include "cli/verify_child.h"

#include <stdio.h>

static const struct oi_option options_table[] = { OI_OPTION_STORE };

static void
print_fault(void *context, const char *what)
{
    oi_meter_clear(context);
    (void) printf("fault: %s\n", what);
}

struct verifying {
    struct oi_meter *meter;
    uint64_t series;
};

static void
show(void *context, uint64_t series)
{
    const struct verifying *verifying = context;

    oi_meter_show(verifying->meter, series, verifying->series, series, -1);
}

static enum oi_status
verify_elsewhere(const struct oi_options *options, const char *folder, struct oi_error *error)
{
    OI_CLEANUP(oi_store_close) struct oi_store *store = NULL;
    OI_CLEANUP(oi_meter_free) struct oi_meter *meter = oi_meter_new("ClickHouse", "series");
    struct verifying verifying = { .meter = meter };
    struct oi_verify_report report = {};
    const struct oi_catalog *catalog;

    OI_TRY(oi_open_store(options, folder, OI_STORE_READ, &store, error));
    catalog = oi_store_catalog(store);
    verifying.series = catalog->series_count;
    oi_catalog_unref(&catalog);
    oi_meter_show(meter, 0, verifying.series, 0, -1);
    oi_store_on_verified(store, show, &verifying);
    OI_TRY(oi_store_verify(store, print_fault, meter, &report, error));
    oi_meter_free(&meter);
    (void) printf("ClickHouse: sound: %llu commits, %llu readings, %llu hours and days\n",
                  (unsigned long long) report.batches, (unsigned long long) report.rows,
                  (unsigned long long) report.rollups);
    return OI_OK;
}

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    const char *folder = oi_options_text(options, "data");

    return oi_store_address(options) ? verify_elsewhere(options, folder, error)
                                     : oi_verify_in_child(folder, error);
}

const struct oi_command oi_command_verify = {
    .name = "verify",
    .summary = "Check every checksum and invariant of the store",
    .description = "Prints each fault on a line of its own. May run while a server is up.",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
