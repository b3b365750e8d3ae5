/* SPDX-License-Identifier: Apache-2.0 */
/* Is everything that was stored still there and whole? */
/* no unit test: a whole command; tests/system/cli.test.mjs runs it */
#include "base/compiler.h"
#include "cli/command.h"
#include "cli/verify_child.h"

static const struct oi_option options_table[] = { OI_OPTION_STORE };

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    return oi_verify_in_child(oi_options_text(options, "data"), error);
}

const struct oi_command oi_command_verify = {
    .name = "verify",
    .summary = "Check every checksum and invariant of the store",
    .description = "Prints each fault on a line of its own. May run while a server is up.",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
