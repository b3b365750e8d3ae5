/* SPDX-License-Identifier: Apache-2.0 */
/* Readings, candles and totals to stdout or, as `oi export`, to a file. */
/* no unit test: a whole command; tests/system/cli.test.mjs runs it */
#include "cli/answer.h"
#include "cli/command.h"
#include "cli/meter.h"
#include "cli/question.h"
#include "cli/workspace.h"

#include <string.h>
#include <unistd.h>

#define QUESTION                                                                                   \
    OI_OPTION_SELECTION, OI_OPTION_SPAN, OI_OPTION_SHAPE, OI_OPTION_MOMENT, OI_OPTION_LIMIT,       \
        OI_OPTION_STORE

static const struct oi_option query_options[] = {
    QUESTION,
    OI_OPTION_FORMAT,
};

static const struct oi_option export_options[] = {
    QUESTION,
    { .name = "format",
      .argument = "FORMAT",
      .help = "csv, json, ndjson or parquet (default: by the file's name)",
      .words = "csv json ndjson parquet" },
};

static enum oi_status
write_answer(const struct oi_options *options, size_t format, const char *path,
             struct oi_error *error)
{
    OI_CLEANUP(oi_workspace_close) struct oi_workspace *workspace = NULL;
    OI_CLEANUP(oi_printer_close) struct oi_printer *printer = NULL;
    OI_CLEANUP(oi_meter_free) struct oi_meter *meter = NULL;
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    enum oi_status status;

    OI_TRY(oi_question_readings(options, &query, error));
    OI_TRY(oi_workspace_open(options, oi_options_text(options, "data"), OI_STORE_READ, &workspace,
                             error));
    OI_TRY(oi_printer_open(path, &printer, error));
    if (path)
        meter = oi_meter_new(path, "rows");
    if (format == OI_TABLE_PARQUET && query.kind == OI_QUERY_ROWS)
        status = oi_answer_write_parquet(&workspace->source, &query, printer, error);
    else
        status = oi_answer_write(&workspace->source, &query, (enum oi_table_format) format, printer,
                                 meter, error);
    if (status != OI_OK && status != OI_E_CORRUPT)
        return status;
    /* What is whole is there in spite of damage. */
    OI_TRY(oi_printer_finish(printer, status == OI_OK ? error : NULL));
    return status;
}

static enum oi_status
run_query(const struct oi_options *options, struct oi_error *error)
{
    size_t format = 0;

    OI_TRY(oi_options_word(options, "format", oi_table_formats, &format, error));
    if (format == OI_TABLE_PARQUET && isatty(STDOUT_FILENO))
        return oi_fail(error, OI_E_INVALID,
                       "parquet is not for a terminal: redirect it, or use `oi export FILE`");
    return write_answer(options, format, NULL, error);
}

static enum oi_status
run_export(const struct oi_options *options, struct oi_error *error)
{
    const char *const *operands;
    const char *ending;
    size_t format = 0;

    (void) oi_options_operands(options, &operands);
    ending = strrchr(operands[0], '.');
    if (oi_options_text(options, "format")) {
        OI_TRY(oi_options_word(options, "format", oi_table_formats, &format, error));
        return write_answer(options, format, operands[0], error);
    }
    for (format = 1; ending && oi_table_formats[format]; format++)
        if (strcmp(ending + 1, oi_table_formats[format]) == 0)
            return write_answer(options, format, operands[0], error);
    return oi_fail(error, OI_E_INVALID,
                   "%s does not end in .csv, .json, .ndjson or .parquet: say --format",
                   operands[0]);
}

const struct oi_command oi_command_query = {
    .name = "query",
    .summary = "Print readings, candles or totals",
    .description = "Figures keep every digit. Times are ISO 8601, in UTC where they name no zone.",
    .options = query_options,
    .option_count = OI_COUNT(query_options),
    .answers_in_part = true,
    .run = run_query,
};

const struct oi_command oi_command_export = {
    .name = "export",
    .summary = "Write readings, candles or totals to a file",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .description = "The file appears when it is whole, and replaces one of that name.",
    .options = export_options,
    .option_count = OI_COUNT(export_options),
    .answers_in_part = true,
    .run = run_export,
};
