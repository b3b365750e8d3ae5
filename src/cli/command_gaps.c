/* SPDX-License-Identifier: Apache-2.0 */
/* Which minutes are missing, and why; or which figures only look as if they were there. */
/* no unit test: a whole command; tests/system/cli.test.mjs runs it */
#include "cli/answer.h"
#include "cli/command.h"
#include "cli/question.h"
#include "cli/workspace.h"

static const struct oi_option options_table[] = {
    OI_OPTION_SELECTION,
    OI_OPTION_SPAN,
    OI_OPTION_MOMENT,
    OI_OPTION_LIMIT,
    OI_OPTION_FORMAT,
    OI_OPTION_STORE,
    { .name = "frozen",
      .argument = "TIME",
      .help = "instead: figures that stood for TIME while the price moved (of the last day)" },
};

static enum oi_status
make_query(const struct oi_options *options, struct oi_query *query, struct oi_error *error)
{
    OI_TRY(oi_options_interval(options, "frozen", &query->lasting_ns, error));
    query->kind = query->lasting_ns > 0 ? OI_QUERY_FROZEN : OI_QUERY_GAPS;
    OI_TRY(oi_question_select(options, query, error));
    OI_TRY(oi_question_span(options, query, error));
    OI_TRY(oi_question_moment(options, query, error));
    return oi_question_limit(options, query, error);
}

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    OI_CLEANUP(oi_workspace_close) struct oi_workspace *workspace = NULL;
    OI_CLEANUP(oi_printer_close) struct oi_printer *printer = NULL;
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    size_t format = 0;

    OI_TRY(oi_options_word(options, "format", oi_table_formats, &format, error));
    OI_TRY(make_query(options, &query, error));
    OI_TRY(oi_workspace_open(options, oi_options_text(options, "data"), OI_STORE_READ, &workspace,
                             error));
    OI_TRY(oi_printer_open(NULL, &printer, error));
    OI_TRY(oi_answer_write(&workspace->source, &query, (enum oi_table_format) format, printer, NULL,
                           error));
    return oi_printer_finish(printer, error);
}

const struct oi_command oi_command_gaps = {
    .name = "gaps",
    .summary = "List the readings that are missing, and why",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
