/* SPDX-License-Identifier: Apache-2.0 */
/* Is this machine fit to collect, and where not: what to do. */
/* no unit test: a whole command; tests/system/doctor.test.mjs runs it */
#include "cli/command.h"
#include "cli/config.h"
#include "cli/doctor.h"
#include "cli/intake.h"
#include "cli/open_store.h"
#include "cli/settings.h"
#include "cli/table.h"

#include <unistd.h>

static const struct oi_option options_table[] = {
    { .name = "offline", .help = "leave the exchanges, and with them the clock, alone" },
    { .name = "exchange",
      .argument = "NAME",
      .help = "ask this exchange alone",
      .setting = "exchanges",
      .is_repeatable = true },
    OI_OPTION_WAYS,
    { .name = "demo", .help = "ask simulated exchanges: no internet; data in ./data-demo" },
    OI_OPTION_FORMAT,
    OI_OPTION_STORE,
};

static const struct oi_table_column columns[] = {
    { .name = "check" }, { .name = "subject" }, { .name = "state" },
    { .name = "found" }, { .name = "advice" },
};

/* Every setting of every command, since the server's are not this command's. */
static enum oi_status
look_at_settings(struct oi_findings *findings, const struct oi_options *options)
{
    OI_CLEANUP(oi_settings_release) struct oi_settings settings = {};
    OI_CLEANUP(oi_options_free) struct oi_options *all = NULL;
    struct oi_error error = {};
    enum oi_status status;

    oi_settings_gather(&settings);
    status = oi_settings_load(&settings, options, &all, &error);
    if (status == OI_OK)
        oi_findings_add(findings, "settings", "configuration", (struct oi_finding){},
                        "%zu settings are known, none is misspelt", settings.items.count);
    else
        oi_findings_add(findings, "settings", "configuration",
                        (struct oi_finding){ .grade = OI_GRADE_FAIL,
                                             .advice = "mend that line: `oi config` lists the "
                                                       "settings, `oi help serve` says more" },
                        "%s", error.message);
    oi_doctor_look_at_files(findings, all);
    return status;
}

static enum oi_status
print(const struct oi_findings *findings, enum oi_table_format format, struct oi_error *error)
{
    OI_CLEANUP(oi_printer_close) struct oi_printer *printer = NULL;
    OI_CLEANUP(oi_table_free) struct oi_table *table = NULL;

    OI_TRY(oi_printer_open(NULL, &printer, error));
    table = oi_table_new(format, columns, OI_COUNT(columns), printer);
    for (size_t i = 0; i < findings->items.count; i++) {
        const struct oi_finding *finding = &findings->items.items[i];

        oi_table_text(table, finding->check);
        oi_table_text(table, finding->subject);
        oi_table_text(table, oi_grade_name(finding->grade));
        oi_table_text(table, finding->found);
        oi_table_text(table, finding->advice);
        OI_TRY(oi_table_end_row(table, error));
    }
    OI_TRY(oi_table_finish(table, error));
    return oi_printer_finish(printer, error);
}

static enum oi_status
examine(struct oi_options *options, struct oi_findings *findings, struct oi_error *error)
{
    const struct oi_config_source source = { environ, oi_command_reads_setting };
    const char *folder;

    /* What is wrong with them has been found before, and the rest is looked at all the same. */
    if (look_at_settings(findings, options) == OI_OK)
        OI_TRY(oi_config_load(options, &source, error));
    folder = oi_intake_folder(options);
    oi_doctor_look_at_store(findings, folder, oi_store_address(options));
    oi_doctor_look_at_host(findings, folder);
    if (oi_options_switch(options, "offline"))
        return OI_OK;
    return oi_doctor_look_at_exchanges(findings, options, error);
}

static enum oi_status
run(const struct oi_options *given, struct oi_error *error)
{
    OI_CLEANUP(oi_options_free)
    struct oi_options *options = oi_options_new(options_table, OI_COUNT(options_table));
    OI_CLEANUP(oi_findings_release) struct oi_findings findings = {};
    char **arguments;
    int count = oi_options_arguments(given, &arguments);
    size_t format = 0, failed;

    OI_TRY(oi_options_read_flags(options, count, arguments, error));
    OI_TRY(oi_options_word(options, "format", oi_table_formats, &format, error));
    OI_TRY(examine(options, &findings, error));
    OI_TRY(print(&findings, (enum oi_table_format) format, error));
    failed = oi_findings_count(&findings, OI_GRADE_FAIL);
    if (failed > 0)
        return oi_fail(error, OI_E_UPSTREAM, "%zu of %zu checks failed: their lines say what to do",
                       failed, findings.items.count);
    return OI_OK;
}

const struct oi_command oi_command_doctor = {
    .name = "doctor",
    .summary = "Check clock, disk, limits, store, settings and every exchange",
    .description = "Says of each check ok, warn or fail, and what to do where it is not ok.\n"
                   "Asks each exchange for one page; a refusal (HTTP 451, 403) is told apart from\n"
                   "an exchange that is down. Exit 0: nothing failed (there may be warnings),\n"
                   "1: something did, 2: wrong usage.",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .loads_settings = true,
    .run = run,
};
