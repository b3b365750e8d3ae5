/* SPDX-License-Identifier: Apache-2.0 */
/* Any file of settings is read or refused with a sentence; and whatever the file says, a flag stays
 * what it was. */
#include "cli/config.h"

#include "base/compiler.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct oi_option table[] = {
    OI_OPTION_STORE,
    { .name = "listen", .argument = "HOST:PORT", .help = "where", .setting = "listen" },
    { .name = "open", .help = "all", .setting = "open" },
    { .name = "key", .argument = "KEY", .help = "k", .setting = "keys", .is_repeatable = true },
};

static bool
is_known(struct oi_slice setting)
{
    return setting.size != 3;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OI_CLEANUP(oi_options_free)
    struct oi_options *options = oi_options_new(table, OI_COUNT(table));
    const char *flags[] = { "--listen", "here" };
    const struct oi_slice text = { (const char *) data, size };
    struct oi_error error = {};
    const char *const *keys;

    if (oi_options_read_flags(options, 2, (char **) flags, NULL) != OI_OK)
        abort();
    if (oi_config_parse(options, text, "oi.conf", is_known, &error) != OI_OK && !error.message[0])
        abort();
    if (strcmp(oi_options_text(options, "listen"), "here") != 0)
        abort();
    if (oi_options_values(options, "key", &keys) > OI_OPTION_VALUES_MAX)
        abort();
    (void) oi_options_switch(options, "open");
    return 0;
}
