/* SPDX-License-Identifier: Apache-2.0 */
/* Gathered from the commands' own tables, so that no setting can be forgotten. */
/* no unit test: what all commands have; `oi config` and `oi doctor` in tests/system run it */
#include "cli/settings.h"

#include "cli/command.h"
#include "cli/config.h"

#include <string.h>
#include <unistd.h>

void
oi_settings_gather(struct oi_settings *settings)
{
    for (size_t i = 0; oi_commands[i]; i++) {
        for (size_t k = 0; k < oi_commands[i]->option_count; k++) {
            const struct oi_option *option = &oi_commands[i]->options[k];
            bool is_new = option->setting != NULL;

            for (size_t n = 0; is_new && n < settings->items.count; n++)
                is_new = strcmp(settings->items.items[n].setting, option->setting) != 0;
            if (is_new)
                oi_vector_push(&settings->items, *option);
        }
    }
}

/* What this command was told of data folder and file holds for the settings too. */
static enum oi_status
pass_on(const struct oi_options *options, struct oi_options *all, const char *name,
        struct oi_error *error)
{
    if (oi_options_origin(options, name) != OI_ORIGIN_FLAG)
        return OI_OK;
    return oi_options_set(all, oi_slice_of(name), oi_slice_of(oi_options_text(options, name)),
                          OI_ORIGIN_FLAG, oi_options_place(options, name), error);
}

void
oi_settings_release(struct oi_settings *settings)
{
    oi_vector_release(&settings->items);
}

enum oi_status
oi_settings_load(const struct oi_settings *settings, const struct oi_options *options,
                 struct oi_options **ret_all, struct oi_error *error)
{
    const struct oi_config_source source = { environ, oi_command_reads_setting };

    *ret_all = oi_options_new(settings->items.items, settings->items.count);
    OI_TRY(pass_on(options, *ret_all, "data", error));
    OI_TRY(pass_on(options, *ret_all, "config", error));
    return oi_config_load(*ret_all, &source, error);
}
