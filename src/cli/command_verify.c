/* SPDX-License-Identifier: Apache-2.0 */
/* Is everything that was stored still there and whole? */
/* no unit test: a whole command; tests/system/cli.test.mjs runs it */
#include "base/compiler.h"
#include "cli/command.h"
#include "cli/open_store.h"
#include "cli/verify_child.h"

#include <stdio.h>

static const struct oi_option options_table[] = { OI_OPTION_STORE };

static void
print_fault(void *context, const char *what)
{
    (void) context;
    (void) printf("fault: %s\n", what);
}

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    const char *folder = oi_options_text(options, "data");
    OI_CLEANUP(oi_store_close) struct oi_store *store = NULL;
    struct oi_verify_report report = {};

    if (oi_store_address(options)) {
        OI_TRY(oi_open_store(options, folder, OI_STORE_READ, &store, error));
        return oi_store_verify(store, print_fault, NULL, &report, error);
    }
    return oi_verify_in_child(folder, error);
}

const struct oi_command oi_command_verify = {
    .name = "verify",
    .summary = "Check every checksum and invariant of the store",
    .description = "Prints each fault on a line of its own. May run while a server is up.",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
