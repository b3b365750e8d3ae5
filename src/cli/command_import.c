/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: tests/system/import.test.mjs runs it as a user does */
/*
 * oi import: files into the store. Each file is reported by itself; a file that cannot be imported
 * does not keep the others out.
 */
#include "cli/command.h"
#include "cli/meter.h"

#include "base/clock.h"
#include "cli/workspace.h"
#include "cli/zones.h"
#include "collector/import.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* So many refused rows of a file are printed; --report FILE has all of them. */
#define REFUSALS_SHOWN ((uint64_t) 20)
#define MAP_SIZE_MAX ((size_t) 64 << 20)

#define MAPPING(option, what, words)                                                               \
    {                                                                                              \
        .name = (option), .argument = (what), .help = (words)                                      \
    }
#define MAPPINGS(option, what, words)                                                              \
    {                                                                                              \
        .name = (option), .argument = (what), .help = (words), .is_repeatable = true               \
    }

static const struct oi_option options_table[] = {
    OI_OPTION_STORE,
    MAPPING("name", "NAME", "csv: the feed is import:NAME instead of the file's name"),
    MAPPING("known-after", "DURATION", "rows were known this long after their time (1m, 2h, 3d)"),
    MAPPING("report", "FILE", "write every refused row there, as CSV"),
    MAPPING("withdraw", "BATCH", "hide the import that a batch belongs to, instead of importing"),
    MAPPING("map", "FILE", "csv: lines value,market[,unit] for the values of --map-column"),
    /* From here on, see oi_mapping_set. */
    MAPPING("map-column", "COLUMN", "csv: the column that --map is about"),
    MAPPING("delimiter", "C", "csv: one character, or tab, instead of a comma"),
    MAPPING("time", "COLUMN[:FORMAT]", "csv: the time, as iso (default), s, ms, us or ns"),
    MAPPING("at", "TIME", "csv: one time for every row"),
    MAPPING("zone", "NAME", "csv: of times that name none: UTC, America/New_York"),
    MAPPING("instant", "start|DURATION", "csv: the figure is of this long after the label"),
    MAPPINGS("oi", "COLUMN", "csv: open interest"),
    MAPPING("unit", "UNIT", "csv: contracts, coins or usd"),
    MAPPINGS("unit-when", "COLUMN=PATTERN[,...]:UNIT", "csv: for some rows; none refuses them"),
    MAPPINGS("column", "COLUMN=MARKET", "csv: a column with open interest of one market"),
    MAPPINGS("column-unit", "COLUMN=UNIT", "csv: the unit of one column"),
    MAPPING("market", "MARKET", "csv: a market, or a name with {COLUMN} in it"),
    MAPPING("value", "COLUMN", "csv: value in USD"),
    MAPPING("mark", "COLUMN", "csv: mark price"),
    MAPPING("index", "COLUMN", "csv: index price in USD"),
    MAPPING("last", "COLUMN", "csv: price of the last trade"),
    MAPPING("known-time", "COLUMN[:FORMAT]", "csv: when the row was known"),
    MAPPING("exchange-time", "COLUMN[:FORMAT]", "csv: the exchange's own stamp"),
    MAPPING("sides", "1|2", "csv: are longs counted, or longs and shorts?"),
    MAPPING("every", "DURATION", "csv: how often a figure is due, instead of measuring it"),
    MAPPING("daily", "yes|no", "csv: one figure a trade date"),
};
/* The first option that a mapping takes. */
#define FIRST_MAPPING "map-column"

/* What was asked for, and what is shown while it goes on. */
struct command {
    const char *report_path;
    bool has_mapping;
    struct oi_mapping mapping;
    struct oi_import_options import;
    FILE *report;
    struct oi_meter *meter; /* of the file at hand, as what follows */
    int64_t started_ns;
    const char *file;
    uint64_t refused; /* of the file at hand, in this run */
};

/*
 * Options.
 */

static enum oi_status
read_whole(const char *path, struct oi_buffer *out, struct oi_error *error)
{
    FILE *file = fopen(path, "rbe");
    size_t size = 1;

    if (!file)
        return oi_fail(error, OI_E_NOT_FOUND, "%s: %s", path, strerror(errno));
    while (size > 0) {
        char piece[4096];

        size = fread(piece, 1, sizeof(piece), file);
        oi_buffer_add(out, piece, size);
    }
    (void) fclose(file);
    return OI_OK;
}

static enum oi_status
take_map(struct command *command, const char *path, struct oi_error *error)
{
    struct oi_buffer content = { .size_max = MAP_SIZE_MAX };
    enum oi_status status = read_whole(path, &content, error);

    if (status == OI_OK)
        status = oi_mapping_set_map(&command->mapping, oi_buffer_slice(&content), error);
    oi_buffer_release(&content);
    command->has_mapping = true;
    return status;
}

/* Every option that a mapping knows, by its name. */
static enum oi_status
take_mapping(struct command *command, const struct oi_options *options, struct oi_error *error)
{
    bool is_mapping = false;

    for (size_t i = 0; i < OI_COUNT(options_table); i++) {
        const struct oi_option *option = &options_table[i];
        const char *const *values;
        size_t count;

        is_mapping = is_mapping || strcmp(option->name, FIRST_MAPPING) == 0;
        if (!is_mapping)
            continue;
        count = oi_options_values(options, option->name, &values);
        for (size_t k = 0; k < count; k++) {
            command->has_mapping = true;
            OI_TRY(oi_mapping_set(&command->mapping, option->name, oi_slice_of(values[k]), error));
        }
    }
    return OI_OK;
}

static enum oi_status
take_options(struct command *command, const struct oi_options *options, struct oi_error *error)
{
    const char *const *operands;
    size_t count = oi_options_operands(options, &operands);
    const char *map = oi_options_text(options, "map");

    if (count < 2)
        return oi_fail(error, OI_E_INVALID, "name a format and a file: see `oi import --help`");
    command->import.archive = oi_archive_find(oi_slice_of(operands[0]));
    if (!command->import.archive)
        return oi_fail(error, OI_E_INVALID,
                       "\"%.40s\" is no format: binance-vision, cme, coinmetrics, csv or tardis",
                       operands[0]);
    command->report_path = oi_options_text(options, "report");
    command->import.name = oi_options_text(options, "name");
    if (oi_options_text(options, "known-after")) {
        command->import.has_known_after = true;
        OI_TRY(oi_options_interval(options, "known-after", &command->import.known_after_ns, error));
    }
    if (map)
        OI_TRY(take_map(command, map, error));
    OI_TRY(take_mapping(command, options, error));
    if (command->import.archive->feed && (command->has_mapping || command->import.name))
        return oi_fail(error, OI_E_INVALID,
                       "the format %s knows its columns: mappings and --name are for csv",
                       command->import.archive->name);
    if (command->import.archive->feed)
        return OI_OK;
    command->import.mapping = &command->mapping;
    return oi_mapping_check(&command->mapping, error);
}

/*
 * What is shown.
 */

static void
write_quoted(FILE *file, struct oi_slice text)
{
    (void) fputc('"', file);
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"')
            (void) fputc('"', file);
        (void) fputc(text.data[i], file);
    }
    (void) fputc('"', file);
}

static void
show_refusal(void *context, const struct oi_import_refusal *refusal)
{
    struct command *command = context;

    command->refused++;
    if (command->report) {
        write_quoted(command->report, oi_slice_of(refusal->file));
        (void) fprintf(command->report, ",%" PRIu64 ",", refusal->line);
        write_quoted(command->report, refusal->field);
        (void) fputc(',', command->report);
        write_quoted(command->report, refusal->value);
        (void) fputc(',', command->report);
        write_quoted(command->report, oi_slice_of(refusal->reason));
        (void) fputc('\n', command->report);
    }
    if (command->refused > REFUSALS_SHOWN)
        return;
    oi_meter_clear(command->meter);
    (void) fprintf(stderr, "%s:%" PRIu64 ": ", refusal->file, refusal->line);
    if (refusal->field.size > 0)
        (void) fprintf(stderr, "%.*s \"%.*s\": ", OI_SLICE_ARGS(refusal->field),
                       (int) (refusal->value.size < 80 ? refusal->value.size : 80),
                       refusal->value.data ? refusal->value.data : "");
    (void) fprintf(stderr, "%s\n", refusal->reason);
}

static int64_t
now_ns(void)
{
    return oi_clock_system.monotonic_ns(&oi_clock_system);
}

/* Rows a second; the time is at least a millisecond. */
static uint64_t
rate_of(uint64_t rows, int64_t elapsed_ns)
{
    uint64_t elapsed_ms = (uint64_t) (elapsed_ns / 1'000'000);

    return rows * 1000 / (elapsed_ms > 0 ? elapsed_ms : 1);
}

static void
show_progress(void *context, const struct oi_import_progress *progress)
{
    const struct command *command = context;

    oi_meter_show(command->meter, progress->bytes_done, progress->bytes_total, progress->rows, -1);
}

static void
show_report(const struct command *command, const struct oi_import_report *report)
{
    if (command->refused > REFUSALS_SHOWN && !command->report_path)
        (void) fprintf(stderr, "%s: %" PRIu64 " more refused rows; --report FILE lists them\n",
                       command->file, command->refused - REFUSALS_SHOWN);
    if (report->was_imported) {
        (void) fprintf(stderr, "%s: already imported, nothing changed\n", command->file);
        return;
    }
    if (report->rows_before > 0)
        (void) fprintf(stderr,
                       "%s: went on behind row %" PRIu64 ", where an earlier import ended\n",
                       command->file, report->rows_before);
    (void) fprintf(stderr,
                   "%s: %" PRIu64 " rows: %" PRIu64 " stored, %" PRIu64 " duplicate, %" PRIu64
                   " refused; %" PRIu64 " rows/s; batches %" PRIu64 " to %" PRIu64 "\n",
                   command->file, report->rows, report->stored, report->duplicate, report->refused,
                   rate_of(report->rows - report->rows_before, now_ns() - command->started_ns),
                   report->first_batch, report->last_batch);
}

/*
 * What is done.
 */

static enum oi_status
import_one(struct command *command, struct oi_store *store, const char *path,
           struct oi_error *error)
{
    struct oi_import_report report = {};
    enum oi_status status;

    command->file = path;
    command->refused = 0;
    command->started_ns = now_ns();
    command->meter = oi_meter_new(path, "rows");
    status = oi_import_file(store, path, &command->import, &report, error);
    oi_meter_free(&command->meter);
    if (status == OI_OK || report.last_batch != 0)
        show_report(command, &report);
    return status;
}

static enum oi_status
import_all(struct command *command, struct oi_store *store, const char *const *paths, size_t count,
           struct oi_error *error)
{
    size_t failures = 0;

    if (command->report_path) {
        command->report = fopen(command->report_path, "we");
        if (!command->report)
            return oi_fail(error, OI_E_IO, "%s: %s", command->report_path, strerror(errno));
        (void) fputs("file,line,field,value,reason\n", command->report);
    }
    for (size_t i = 0; i < count; i++) {
        struct oi_error trouble = {};

        if (import_one(command, store, paths[i], &trouble) == OI_OK)
            continue;
        (void) fprintf(stderr, "%s\n", trouble.message);
        failures++;
    }
    if (command->report && fclose(command->report) != 0)
        return oi_fail(error, OI_E_IO, "%s: %s", command->report_path, strerror(errno));
    if (failures > 0)
        return oi_fail(error, OI_E_IO, "%zu of %zu files could not be imported", failures, count);
    return OI_OK;
}

static enum oi_status
run_import(struct command *command, const struct oi_options *options, struct oi_error *error)
{
    OI_CLEANUP(oi_workspace_close) struct oi_workspace *workspace = NULL;
    OI_CLEANUP(oi_zones_free) struct oi_zones *zones = NULL;
    const char *const *operands;
    size_t count = oi_options_operands(options, &operands);

    OI_TRY(take_options(command, options, error));
    OI_TRY(oi_workspace_open(options, oi_options_text(options, "data"), OI_STORE_WRITE, &workspace,
                             error));
    zones = oi_zones_new(NULL);
    command->import.zones = oi_zones_loader(zones);
    return import_all(command, workspace->store, operands + 1, count - 1, error);
}

static enum oi_status
run_withdraw(const struct oi_options *options, struct oi_error *error)
{
    OI_CLEANUP(oi_workspace_close) struct oi_workspace *workspace = NULL;
    const struct oi_range numbers = { 1, INT64_MAX };
    const char *const *operands;
    int64_t batch = 0;

    if (oi_options_operands(options, &operands) > 0)
        return oi_fail(error, OI_E_INVALID, "--withdraw takes no files");
    OI_TRY(oi_options_integer(options, "withdraw", numbers, &batch, error));
    OI_TRY(oi_workspace_open(options, oi_options_text(options, "data"), OI_STORE_WRITE, &workspace,
                             error));
    OI_TRY(oi_store_withdraw(workspace->store, (uint64_t) batch, error));
    (void) fprintf(stderr, "the import of batch %" PRId64 " is hidden from now on\n", batch);
    return OI_OK;
}

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    struct command command = { .mapping = OI_MAPPING_NONE };
    enum oi_status status;

    if (oi_options_text(options, "withdraw"))
        return run_withdraw(options, error);
    command.import.refused = show_refusal;
    command.import.progress = show_progress;
    command.import.context = &command;
    status = run_import(&command, options, error);
    oi_mapping_release(&command.mapping);
    return status;
}

const struct oi_command oi_command_import = {
    .name = "import",
    .summary = "Import files of open interest",
    .operands = "FORMAT FILE ...",
    .operands_max = SIZE_MAX,
    .description =
        "Formats: binance-vision (daily metrics), cme (settlement files, and QuantConnect\n"
        "Lean's), coinmetrics (market-openinterest as csv or json_stream), tardis\n"
        "(derivative_ticker, options_chain), csv (any table: the options that begin with csv\n"
        "say what its columns mean). Files may be gzip, zstd or zip.\n"
        "\n"
        "The same file twice changes nothing; an interrupted import goes on where it stopped.\n"
        "A refused row is named and does not stop the others. A MARKET is an id as Coin Metrics\n"
        "writes it (binance-BTCUSDT-future) or ours (okx:swap:BTC-USDT-SWAP); one that is not\n"
        "known yet is kept in its own unit until it is. docs/importing.md has examples.",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
