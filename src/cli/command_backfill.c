/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oi backfill: the past from the exchanges themselves and from the archives they publish. The plan
 * is shown before anything is sent.
 */
/* no unit test: a whole command; tests/system/backfill.test.mjs runs it */
#include "cli/command.h"
#include "cli/intake.h"
#include "cli/meter.h"
#include "cli/open_store.h"
#include "cli/table.h"
#include "collector/backfill.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Without --start, holes of so long are looked for. */
#define HOLES_NS (30 * OI_DAY)
#define FILES_FOLDER "backfill"

static const struct oi_option options_table[] = {
    { .name = "start", .also = "from", .argument = "TIME", .help = "from this instant on" },
    { .name = "end",
      .also = "to",
      .argument = "TIME",
      .help = "before this instant (default: now)" },
    { .name = "holes", .help = "only what `oi gaps` misses (default span: the last 30 days)" },
    { .name = "source",
      .argument = "SOURCE",
      .help = "endpoint (own history), archive (published files) or all",
      .fallback = "endpoint" },
    { .name = "recheck", .help = "archives: take days again that were published again" },
    { .name = "plan", .help = "show what would be asked for, and stop" },
    { .name = "yes", .help = "do not ask before it begins" },
    OI_OPTION_WAYS,
    { .name = "demo", .help = "ask simulated exchanges: no internet; data in ./data-demo" },
    OI_OPTION_FORMAT,
    OI_OPTION_STORE,
};

static const struct oi_table_column columns[] = {
    { .name = "exchange" },
    { .name = "source" },
    { .name = "markets", .is_number = true },
    { .name = "requests", .is_number = true },
    { .name = "seconds", .is_number = true },
    { .name = "rows", .is_number = true },
    { .name = "present", .is_number = true },
    { .name = "kept_from" },
};

struct command {
    const struct oi_options *options;
    struct oi_backfill_options wanted;
    OI_VECTOR(uint32_t) instruments;
    char folder[4096];
    enum oi_table_format format;
    struct oi_meter *meter;
    bool is_terminal;
};

/*
 * Which markets.
 */

/* "binance", "binance:usdm" or "binance:usdm:BTCUSDT". */
static bool
is_named(const struct oi_instrument *instrument, const char *name)
{
    char full[2 * OI_NAME_SIZE + OI_SYMBOL_SIZE + 3];
    size_t size = strlen(name);

    (void) snprintf(full, sizeof(full), "%s:%s:%s", instrument->exchange, instrument->product,
                    instrument->symbol);
    return strncmp(full, name, size) == 0 && (full[size] == '\0' || full[size] == ':');
}

static enum oi_status
choose(struct command *command, struct oi_store *store, struct oi_error *error)
{
    OI_CLEANUP(oi_catalog_unref) const struct oi_catalog *catalog = oi_store_catalog(store);
    const char *const *names;
    size_t count = oi_options_operands(command->options, &names);

    for (size_t i = 0; i < count; i++) {
        size_t before = command->instruments.count;

        for (size_t k = 0; k < catalog->instrument_count; k++)
            if (is_named(&catalog->instruments[k], names[i]))
                oi_vector_push(&command->instruments, catalog->instruments[k].id);
        if (command->instruments.count == before)
            return oi_fail(error, OI_E_NOT_FOUND,
                           "there is no market of \"%s\" yet: `oi markets` lists them, and `oi "
                           "collect --once --exchange NAME` asks for them",
                           names[i]);
    }
    if (count > 0) {
        command->wanted.instruments = command->instruments.items;
        command->wanted.instrument_count = command->instruments.count;
    }
    return OI_OK;
}

static enum oi_status
take_options(struct command *command, struct oi_error *error)
{
    static const char *const words[] = { "endpoint", "archive", "all", NULL };
    static const unsigned sources[] = { OI_BACKFILL_ENDPOINT, OI_BACKFILL_ARCHIVE,
                                        OI_BACKFILL_ENDPOINT | OI_BACKFILL_ARCHIVE };
    const struct oi_options *options = command->options;
    struct oi_backfill_options *wanted = &command->wanted;
    oi_time now = oi_clock_system.wall_ns(&oi_clock_system);
    size_t source = 0, format = 0;

    OI_TRY(oi_options_word(options, "format", oi_table_formats, &format, error));
    OI_TRY(oi_options_word(options, "source", words, &source, error));
    wanted->holes_only = oi_options_switch(options, "holes");
    wanted->rechecks = oi_options_switch(options, "recheck");
    if (!wanted->holes_only && !oi_options_text(options, "start"))
        return oi_fail(error, OI_E_INVALID, "--start says how far back; or --holes alone");
    wanted->span = (struct oi_span){ now - HOLES_NS, now };
    OI_TRY(oi_options_time(options, "start", &wanted->span.from, error));
    OI_TRY(oi_options_time(options, "end", &wanted->span.to, error));
    command->format = (enum oi_table_format) format;
    wanted->sources = sources[source];
    wanted->is_interruptible = true;
    if (snprintf(command->folder, sizeof(command->folder), "%s/" FILES_FOLDER,
                 oi_intake_folder(options)) >= (int) sizeof(command->folder))
        return oi_fail(error, OI_E_INVALID, "a path of more than 4,000 characters");
    wanted->folder = command->folder;
    return OI_OK;
}

/*
 * What is shown.
 */

static enum oi_status
print_plan(const struct command *command, const struct oi_backfill *backfill,
           struct oi_error *error)
{
    OI_CLEANUP(oi_printer_close) struct oi_printer *printer = NULL;
    OI_CLEANUP(oi_table_free) struct oi_table *table = NULL;
    const struct oi_backfill_share *shares;
    size_t count = oi_backfill_plan(backfill, &shares);

    OI_TRY(oi_printer_open(NULL, &printer, error));
    table = oi_table_new(command->format, columns, OI_COUNT(columns), printer);
    for (size_t i = 0; i < count; i++) {
        oi_table_text(table, shares[i].exchange);
        oi_table_text(table, shares[i].source);
        oi_table_integer(table, (int64_t) shares[i].markets);
        oi_table_integer(table, (int64_t) shares[i].requests);
        oi_table_integer(table, (shares[i].time_ns + OI_SECOND - 1) / OI_SECOND);
        oi_table_integer(table, (int64_t) shares[i].rows);
        oi_table_integer(table, (int64_t) shares[i].present);
        oi_table_time(table, shares[i].kept_from);
        OI_TRY(oi_table_end_row(table, error));
    }
    OI_TRY(oi_table_finish(table, error));
    return oi_printer_finish(printer, error);
}

static void
show_progress(void *context, const struct oi_backfill_progress *progress)
{
    oi_meter_show(context, progress->requests_done, progress->requests, progress->rows,
                  progress->left_ns);
}

static bool
is_confirmed(void)
{
    char answer[16] = "";

    (void) fputs("Go on? [y/N] ", stderr);
    (void) fflush(stderr);
    return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static enum oi_status
report_run(const struct oi_backfill_report *report, struct oi_error *error)
{
    if (printf("%" PRIu64 " requests, %" PRIu64 " rows stored, %" PRIu64 " duplicate, %" PRIu64
               " refused; %" PRIu64 " pages not there, %" PRIu64 " failed%s\n",
               report->requests, report->rows, report->duplicates, report->refused, report->missing,
               report->failed,
               report->was_stopped ? "; stopped: the same command goes on" : "") < 0 ||
        fflush(stdout) != 0)
        return oi_fail(error, OI_E_IO, "cannot write to stdout");
    if (report->failed > 0)
        return oi_fail(error, OI_E_UPSTREAM,
                       "%" PRIu64 " pages could not be had: the log above says why, and the same "
                       "command asks for them again",
                       report->failed);
    return OI_OK;
}

/*
 * What is done.
 */

/* What came into chunks; a server that is running does it too. */
static enum oi_status
tidy(struct oi_store *store, struct oi_error *error)
{
    struct oi_error trouble = {};
    enum oi_status status = OI_OK;
    size_t left = 1;

    while (status == OI_OK && left > 0)
        status = oi_store_checkpoint(store, 200'000, &left, &trouble);
    if (status == OI_OK || status == OI_E_BUSY)
        return OI_OK;
    return oi_fail(error, status, "%s", trouble.message);
}

static enum oi_status
run_plan(struct command *command, struct oi_store *store, struct oi_backfill *backfill,
         struct oi_error *error)
{
    bool is_yes = oi_options_switch(command->options, "yes");
    struct oi_backfill_report report = {};
    enum oi_status status;

    if (command->is_terminal || !is_yes)
        OI_TRY(print_plan(command, backfill, error));
    if (!is_yes && (isatty(STDIN_FILENO) != 1 || !is_confirmed()))
        return oi_fail(error, OI_E_CANCELLED, "nothing was asked for: --yes begins");
    status = oi_backfill_run(backfill, &report, error);
    oi_meter_clear(command->meter);
    OI_TRY(status);
    OI_TRY(tidy(store, error));
    return report_run(&report, error);
}

static enum oi_status
run_in(struct command *command, struct oi_store *store, struct oi_error *error)
{
    OI_CLEANUP(oi_intake_close) struct oi_intake *intake = NULL;
    OI_CLEANUP(oi_backfill_close) struct oi_backfill *backfill = NULL;
    bool is_plan = oi_options_switch(command->options, "plan");
    struct oi_intake_ways ways;

    OI_TRY(oi_intake_open_idle(command->options, &intake, error));
    ways = oi_intake_ways(intake);
    command->wanted.redirect_to = ways.redirect_to;
    command->wanted.proxies = ways.proxies;
    command->wanted.addresses = ways.addresses;
    OI_TRY(choose(command, store, error));
    command->wanted.progress = show_progress;
    command->wanted.context = command->meter;
    OI_TRY(oi_backfill_open(&command->wanted, store, &backfill, error));
    if (is_plan)
        return print_plan(command, backfill, error);
    return run_plan(command, store, backfill, error);
}

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    OI_CLEANUP(oi_store_close) struct oi_store *store = NULL;
    struct command command = { .options = options, .is_terminal = isatty(STDERR_FILENO) == 1 };
    enum oi_status status;

    OI_TRY(take_options(&command, error));
    OI_TRY(oi_open_store(options, oi_intake_folder(options), OI_STORE_WRITE, &store, error));
    OI_TRY(oi_intake_prepare(options, store, error));
    command.meter = oi_meter_new("backfill", "rows");
    status = run_in(&command, store, error);
    oi_meter_free(&command.meter);
    oi_vector_release(&command.instruments);
    return status;
}

const struct oi_command oi_command_backfill = {
    .name = "backfill",
    .summary = "Ask the exchanges and their archives for the past",
    .operands = "[EXCHANGE | MARKET ...]",
    .operands_max = SIZE_MAX,
    .description =
        "Shows a plan, asks whether to go on, and fills in what is missing: pages of history\n"
        "(as far back as the exchange keeps it) or a day's files of an archive, inside the\n"
        "limits and beside a running server. It may be stopped at any time; the same command\n"
        "goes on and leaves out what is there. Readings taken live are preferred where both\n"
        "are known. A MARKET is binance:usdm:BTCUSDT, as `oi markets` has it; binance:usdm\n"
        "is all of a product.",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
