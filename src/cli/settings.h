/* SPDX-License-Identifier: Apache-2.0 */
/* Every setting of every command as one table of options, for who looks at all of them. */
#pragma once

#include "base/vector.h"
#include "cli/options.h"

struct oi_settings {
    OI_VECTOR(struct oi_option) items;
};

/* Each setting once; the first command that has it says its default. */
void oi_settings_gather(struct oi_settings *settings);
void oi_settings_release(struct oi_settings *settings);
/* What the settings hold, from the environment and the file that these options name. INVALID names
 * the place of a mistake; what was read until there stays in *ret_all. Free it before the settings.
 */
enum oi_status oi_settings_load(const struct oi_settings *settings,
                                const struct oi_options *options, struct oi_options **ret_all,
                                struct oi_error *error);
