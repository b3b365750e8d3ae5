/* SPDX-License-Identifier: Apache-2.0 */
/* Every setting that any command reads, what is in force, and where that comes from. */
/* no unit test: a whole command; tests/system/cli.test.mjs runs it */
#include "cli/command.h"
#include "cli/settings.h"
#include "cli/table.h"

static const struct oi_option options_table[] = { OI_OPTION_STORE, OI_OPTION_FORMAT };

static const struct oi_table_column columns[] = {
    { .name = "setting" },
    { .name = "value" },
    { .name = "from" },
};

static void
add_value(struct oi_table *table, const struct oi_options *all, const struct oi_option *option)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer text = {};
    const char *const *values;
    size_t count = oi_options_values(all, option->name, &values);

    if (option->is_secret && count > 0)
        oi_buffer_add_format(&text, "(%zu, not shown)", count);
    for (size_t i = 0; !option->is_secret && i < count; i++) {
        oi_buffer_add_text(&text, i > 0 ? ", " : "");
        oi_buffer_add_text(&text, values[i]);
    }
    if (count == 0 && !option->argument)
        oi_buffer_add_text(&text, "false");
    oi_buffer_add_char(&text, '\0');
    oi_table_text(table, text.data);
}

static enum oi_status
print(const struct oi_settings *settings, const struct oi_options *all, enum oi_table_format format,
      struct oi_error *error)
{
    OI_CLEANUP(oi_printer_close) struct oi_printer *printer = NULL;
    OI_CLEANUP(oi_table_free) struct oi_table *table = NULL;

    OI_TRY(oi_printer_open(NULL, &printer, error));
    table = oi_table_new(format, columns, OI_COUNT(columns), printer);
    for (size_t i = 0; i < settings->items.count; i++) {
        const struct oi_option *option = &settings->items.items[i];

        oi_table_text(table, option->setting);
        add_value(table, all, option);
        oi_table_text(table, oi_options_place(all, option->name));
        OI_TRY(oi_table_end_row(table, error));
    }
    OI_TRY(oi_table_finish(table, error));
    return oi_printer_finish(printer, error);
}

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    OI_CLEANUP(oi_settings_release) struct oi_settings settings = {};
    OI_CLEANUP(oi_options_free) struct oi_options *all = NULL;
    size_t format = 0;

    OI_TRY(oi_options_word(options, "format", oi_table_formats, &format, error));
    oi_settings_gather(&settings);
    OI_TRY(oi_settings_load(&settings, options, &all, error));
    return print(&settings, all, (enum oi_table_format) format, error);
}

const struct oi_command oi_command_config = {
    .name = "config",
    .summary = "Print every setting in force and where it comes from",
    .description = "Flags come first, then OI_* in the environment (OI_LISTEN), then the file\n"
                   "(listen = 0.0.0.0:8080), then defaults. Secrets are counted, not shown.",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
