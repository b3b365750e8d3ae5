/* SPDX-License-Identifier: Apache-2.0 */
/* The collector without a server: as many may run beside one as there are machines to ask from. */
/* no unit test: a whole command; tests/system/demo.test.mjs runs it */
#include "base/log.h"
#include "cli/alarm.h"
#include "cli/command.h"
#include "cli/intake.h"
#include "cli/stop.h"
#include "cli/upkeep.h"
#include "cli/workspace.h"

#include <stdio.h>

static const struct oi_option options_table[] = {
    { .name = "once", .help = "ask for the present minute alone, and report" },
    OI_OPTION_INTAKE,
    OI_OPTION_RETENTION,
    OI_OPTION_ALERTS,
    OI_OPTION_STORE,
};

static enum oi_status
collect_once(const struct oi_options *options, struct oi_store *store, struct oi_error *error)
{
    struct oi_collector_report report = {};

    OI_TRY(oi_intake_run_once(options, store, &report, error));
    if (printf("%zu markets expected, %zu readings stored, %zu missing\n", report.expected,
               report.stored, report.missing) < 0 ||
        fflush(stdout) != 0)
        return oi_fail(error, OI_E_IO, "cannot write to stdout");
    if (report.stored == 0)
        return oi_fail(error, OI_E_UPSTREAM, "nothing came: the log above says why");
    return OI_OK;
}

static enum oi_status
collect(const struct oi_options *options, struct oi_workspace *workspace, struct oi_error *error)
{
    OI_CLEANUP(oi_alarm_close) struct oi_alarm alarm = {};
    OI_CLEANUP(oi_intake_close) struct oi_intake *intake = NULL;
    struct oi_upkeep upkeep = { .store = workspace->store, .clock = &oi_clock_system };

    OI_TRY(oi_retention_read(options, &upkeep.retention, error));
    OI_TRY(oi_alarm_open(options, oi_intake_folder(options), &workspace->source, &alarm, error));
    OI_TRY(oi_intake_open(options, workspace->store, &intake, error));
    upkeep.inbox = oi_intake_inbox(intake);
    oi_log(OI_LOG_INFO, "collector.started", "data=%s version=%s", oi_intake_folder(options),
           OI_VERSION);
    if (printf("oi collects into %s\n", oi_intake_folder(options)) < 0 || fflush(stdout) != 0)
        return oi_fail(error, OI_E_IO, "cannot write to stdout");
    oi_upkeep_run(&upkeep);
    oi_log(OI_LOG_INFO, "collector.stopping", "reason=signal");
    upkeep.inbox = NULL;
    oi_intake_close(&intake);
    oi_upkeep_finish(&upkeep);
    return OI_OK;
}

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    OI_CLEANUP(oi_workspace_close) struct oi_workspace *workspace = NULL;
    bool is_once = oi_options_switch(options, "once");

    if (!is_once)
        oi_stop_take();
    OI_TRY(
        oi_workspace_open(options, oi_intake_folder(options), OI_STORE_COLLECT, &workspace, error));
    OI_TRY(oi_intake_prepare(options, workspace->store, error));
    return is_once ? collect_once(options, workspace->store, error)
                   : collect(options, workspace, error);
}

const struct oi_command oi_command_collect = {
    .name = "collect",
    .summary = "Collect from the exchanges without serving",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
