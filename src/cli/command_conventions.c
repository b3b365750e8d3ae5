/* SPDX-License-Identifier: Apache-2.0 */
/* How each exchange and file format counts, and what says so. */
/* no unit test: a whole command; tests/system/cli.test.mjs runs it */
#include "cli/command.h"
#include "cli/table.h"
#include "cli/workspace.h"

#include <string.h>

static const struct oi_option options_table[] = {
    { .name = "exchange", .argument = "NAME", .help = "only this exchange", .is_repeatable = true },
    OI_OPTION_FORMAT,
};

static const struct oi_table_column columns[] = {
    { .name = "exchange" }, { .name = "product" },
    { .name = "feed" },     { .name = "since" },
    { .name = "unit" },     { .name = "sides", .is_number = true },
    { .name = "label" },    { .name = "cadence", .is_number = true },
    { .name = "restates" }, { .name = "is_daily", .is_detail = true },
    { .name = "evidence" },
};

static const char *
label_name(enum oi_label label)
{
    switch (label) {
    case OI_LABEL_INSTANT:
        return "instant";
    case OI_LABEL_START:
        return "start";
    case OI_LABEL_END:
        break;
    }
    return "end";
}

static enum oi_status
add_convention(struct oi_table *table, const char *exchange, const struct oi_convention *convention,
               struct oi_error *error)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer cadence = {};

    oi_interval_write(convention->cadence_ns > 0 ? convention->cadence_ns : OI_MINUTE, &cadence);
    oi_buffer_add_char(&cadence, '\0');
    oi_table_text(table, exchange ? exchange : "any");
    oi_table_text(table, convention->product ? convention->product : "any");
    oi_table_text(table, convention->feed ? convention->feed : "any");
    oi_table_time(table, convention->since > 0 ? convention->since : OI_TIME_NONE);
    oi_table_text(table,
                  convention->unit == OI_UNIT_UNKNOWN ? NULL : oi_unit_name(convention->unit));
    if (convention->sides > 0)
        oi_table_integer(table, convention->sides);
    else
        oi_table_none(table);
    oi_table_text(table, label_name(convention->label));
    oi_table_text(table, cadence.data);
    oi_table_bool(table, convention->restates);
    oi_table_bool(table, convention->is_daily);
    oi_table_text(table, convention->evidence);
    return oi_table_end_row(table, error);
}

static bool
is_wanted(const struct oi_options *options, const char *exchange)
{
    const char *const *wanted;
    size_t count = oi_options_values(options, "exchange", &wanted);

    for (size_t i = 0; i < count; i++)
        if (exchange && strcmp(wanted[i], exchange) == 0)
            return true;
    return count == 0;
}

static enum oi_status
write_book(const struct oi_options *options, const struct oi_convention_book *book,
           struct oi_table *table, struct oi_error *error)
{
    for (size_t i = 0; i < book->count; i++) {
        const struct oi_convention_page *page = &book->pages[i];

        if (!is_wanted(options, page->exchange))
            continue;
        for (size_t k = 0; k < page->count; k++)
            OI_TRY(add_convention(table, page->exchange, &page->conventions[k], error));
    }
    return oi_table_finish(table, error);
}

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    OI_CLEANUP(oi_conventions_release) struct oi_convention_book book = {};
    OI_CLEANUP(oi_printer_close) struct oi_printer *printer = NULL;
    OI_CLEANUP(oi_table_free) struct oi_table *table = NULL;
    size_t format = 0;

    OI_TRY(oi_options_word(options, "format", oi_table_formats, &format, error));
    oi_conventions_gather(&book);
    OI_TRY(oi_printer_open(NULL, &printer, error));
    table = oi_table_new((enum oi_table_format) format, columns, OI_COUNT(columns), printer);
    OI_TRY(write_book(options, &book, table, error));
    return oi_printer_finish(printer, error);
}

const struct oi_command oi_command_conventions = {
    .name = "conventions",
    .summary = "List how each exchange and file format counts, with the evidence",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
