/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's word that some readings are bad; and what has been said so far. */
/* no unit test: a whole command; tests/system/cli.test.mjs runs it */
#include "cli/command.h"
#include "cli/open_store.h"
#include "cli/question.h"
#include "cli/table.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

static const struct oi_option options_table[] = {
    { .name = "market",
      .argument = "NAME",
      .help = "binance:usdm:BTCUSDT, as `oi markets` has it" },
    OI_OPTION_SPAN,
    { .name = "reason", .argument = "TEXT", .help = "why; without it the ledger is listed" },
    OI_OPTION_FORMAT,
    OI_OPTION_STORE,
};

static const struct oi_table_column columns[] = {
    { .name = "market" },  { .name = "start" },  { .name = "end" },
    { .name = "flagged" }, { .name = "reason" },
};

static void
write_name(const struct oi_instrument *instrument, char *name, size_t size)
{
    (void) snprintf(name, size, "%s:%s:%s", instrument->exchange, instrument->product,
                    instrument->symbol);
}

#define NAME_SIZE (2 * OI_NAME_SIZE + OI_SYMBOL_SIZE + 3)

/* The newest listing of that name. */
static enum oi_status
find_market(const struct oi_catalog *catalog, const char *wanted, uint32_t *ret_instrument,
            struct oi_error *error)
{
    for (size_t i = catalog->instrument_count; i-- > 0;) {
        char name[NAME_SIZE];

        write_name(&catalog->instruments[i], name, sizeof(name));
        if (strcmp(name, wanted) == 0) {
            *ret_instrument = catalog->instruments[i].id;
            return OI_OK;
        }
    }
    return oi_fail(error, OI_E_NOT_FOUND, "there is no market %s: see `oi markets`", wanted);
}

static enum oi_status
add(const struct oi_options *options, struct oi_store *store, struct oi_error *error)
{
    OI_CLEANUP(oi_catalog_unref) const struct oi_catalog *catalog = oi_store_catalog(store);
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    const char *market = oi_options_text(options, "market");
    const char *reason = oi_options_text(options, "reason");
    struct oi_bad_span flag = {};

    if (!market || !oi_options_text(options, "start") || !oi_options_text(options, "end"))
        return oi_fail(error, OI_E_INVALID, "--market, --start and --end say what is bad");
    if (strlen(reason) >= sizeof(flag.reason))
        return oi_fail(error, OI_E_INVALID, "a reason of at most %zu bytes",
                       sizeof(flag.reason) - 1);
    OI_TRY(oi_question_span(options, &query, error));
    OI_TRY(find_market(catalog, market, &flag.instrument, error));
    flag.span = query.span;
    (void) snprintf(flag.reason, sizeof(flag.reason), "%s", reason);
    return oi_store_flag(store, &flag, error);
}

struct listing {
    const struct oi_catalog *catalog;
    struct oi_table *table;
};

static enum oi_status
write_flag(void *context, const struct oi_bad_span *flag)
{
    struct listing *listing = context;
    char name[NAME_SIZE] = "";

    if (flag->instrument <= listing->catalog->instrument_count)
        write_name(&listing->catalog->instruments[flag->instrument - 1], name, sizeof(name));
    oi_table_text(listing->table, name);
    oi_table_time(listing->table, flag->span.from);
    oi_table_time(listing->table, flag->span.to);
    oi_table_time(listing->table, flag->flagged_at);
    oi_table_text(listing->table, flag->reason);
    return oi_table_end_row(listing->table, NULL);
}

static enum oi_status
list(struct oi_store *store, enum oi_table_format format, struct oi_error *error)
{
    OI_CLEANUP(oi_catalog_unref) const struct oi_catalog *catalog = oi_store_catalog(store);
    OI_CLEANUP(oi_printer_close) struct oi_printer *printer = NULL;
    OI_CLEANUP(oi_table_free) struct oi_table *table = NULL;
    struct listing listing = { .catalog = catalog };

    OI_TRY(oi_printer_open(NULL, &printer, error));
    table = oi_table_new(format, columns, OI_COUNT(columns), printer);
    listing.table = table;
    OI_TRY(oi_store_flags(store, write_flag, &listing, error));
    OI_TRY(oi_table_finish(table, error));
    return oi_printer_finish(printer, error);
}

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    OI_CLEANUP(oi_store_close) struct oi_store *store = NULL;
    bool is_listing = !oi_options_text(options, "reason");
    size_t format = 0;

    OI_TRY(oi_options_word(options, "format", oi_table_formats, &format, error));
    if (is_listing && oi_options_text(options, "market"))
        return oi_fail(error, OI_E_INVALID, "--reason is needed: nothing is bad without one");
    OI_TRY(oi_open_store(options, oi_options_text(options, "data"),
                         is_listing ? OI_STORE_READ : OI_STORE_WRITE, &store, error));
    if (is_listing)
        return list(store, (enum oi_table_format) format, error);
    return add(options, store, error);
}

const struct oi_command oi_command_flag = {
    .name = "flag",
    .summary = "Mark readings of a market as bad, or list what was marked",
    .description =
        "Nothing is deleted. Our own rows (oi query, /oi/v1/open-interest) show the flag\n"
        "\"bad\"; candles, totals, newest figures and the vendors' rows leave such readings\n"
        "out. Who asks for a moment before (--as-stored) gets them as they were.",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
