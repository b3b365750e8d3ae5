/* SPDX-License-Identifier: Apache-2.0 */
/* What is in the store: sizes, and how much of each exchange from when to when. */
/* no unit test: a whole command; tests/system/cli.test.mjs runs it */
#include "base/vector.h"
#include "cli/command.h"
#include "cli/open_store.h"
#include "cli/table.h"
#include "store/store.h"

#include <string.h>

static const struct oi_option options_table[] = {
    OI_OPTION_STORE,
    OI_OPTION_FORMAT,
    { .name = "columns", .help = "what each column costs instead" },
};

static const struct oi_table_column size_columns[] = {
    { .name = "column" },
    { .name = "bytes", .is_number = true },
    { .name = "bytes_per_row", .is_number = true },
};

static const struct oi_table_column columns[] = {
    { .name = "exchange" },
    { .name = "feed" },
    { .name = "markets", .is_number = true },
    { .name = "rows", .is_number = true },
    { .name = "first" },
    { .name = "last" },
};

/* One exchange and feed. */
struct part {
    const char *exchange;
    uint16_t feed;
    uint64_t markets, rows;
    oi_time first, last;
};

struct parts {
    OI_VECTOR(struct part) items;
};

static struct part *
part_of(struct parts *parts, const char *exchange, uint16_t feed)
{
    struct part *part;

    for (size_t i = 0; i < parts->items.count; i++)
        if (parts->items.items[i].feed == feed &&
            strcmp(parts->items.items[i].exchange, exchange) == 0)
            return &parts->items.items[i];
    part = oi_vector_add(&parts->items);
    *part = (struct part){
        .exchange = exchange, .feed = feed, .first = OI_TIME_NONE, .last = OI_TIME_NONE
    };
    return part;
}

static void
gather(struct oi_store *store, const struct oi_catalog *catalog, struct parts *parts)
{
    for (size_t i = 0; i < catalog->series_count; i++) {
        const struct oi_series *series = &catalog->series[i];
        struct oi_extent extent;
        struct part *part;

        if (oi_store_extent(store, series->id, &extent, NULL) != OI_OK)
            continue;
        part = part_of(parts, catalog->instruments[series->instrument - 1].exchange, series->feed);
        part->markets++;
        part->rows += extent.rows;
        if (part->first == OI_TIME_NONE || extent.first < part->first)
            part->first = extent.first;
        if (part->last == OI_TIME_NONE || extent.last > part->last)
            part->last = extent.last;
    }
}

static void
add_bytes(void *context, const char *what, uint64_t bytes)
{
    uint64_t *all = context;

    (void) what;
    *all += bytes;
}

static void
add_size_each(unsigned long long bytes, unsigned long long rows, struct oi_buffer *out)
{
    if (rows > 0)
        oi_buffer_add_format(out, ", %llu.%llu bytes a reading", bytes / rows,
                             bytes * 10 / rows % 10);
    oi_buffer_add_text(out, "\n\n");
}

/* What this process has of it says little of the readings. */
static enum oi_status
add_summary_elsewhere(struct oi_store *store, const struct oi_catalog *catalog,
                      struct oi_buffer *out, struct oi_error *error)
{
    uint64_t rows = 0, bytes = 0;

    OI_TRY(oi_store_measure(store, add_bytes, &bytes, &rows, error));
    oi_buffer_add_format(out,
                         "readings  %llu in ClickHouse, of %llu commits\n"
                         "markets   %zu\n"
                         "size      %llu bytes of its table of readings",
                         (unsigned long long) rows, (unsigned long long) oi_store_last_batch(store),
                         oi_store_market_count(store, catalog), (unsigned long long) bytes);
    add_size_each(bytes, rows, out);
    return OI_OK;
}

static enum oi_status
add_summary(struct oi_store *store, const struct oi_catalog *catalog, struct oi_buffer *out,
            struct oi_error *error)
{
    struct oi_store_stats stats;
    unsigned long long rows;

    oi_store_stats(store, &stats);
    if (stats.is_elsewhere)
        return add_summary_elsewhere(store, catalog, out, error);
    rows = stats.log_rows + stats.chunk_rows;
    oi_buffer_add_format(
        out,
        "readings  %llu in %llu chunks and %llu commits of log\n"
        "markets   %zu\n"
        "size      %llu bytes in use, file %llu bytes",
        rows, (unsigned long long) stats.chunks, (unsigned long long) stats.log_batches,
        oi_store_market_count(store, catalog), (unsigned long long) stats.used_bytes,
        (unsigned long long) stats.file_bytes);
    add_size_each(stats.used_bytes, rows, out);
    return OI_OK;
}

static enum oi_status
write_parts(const struct parts *parts, const struct oi_catalog *catalog, struct oi_table *table,
            struct oi_error *error)
{
    for (size_t i = 0; i < parts->items.count; i++) {
        const struct part *part = &parts->items.items[i];

        oi_table_text(table, part->exchange);
        oi_table_text(table, catalog->feeds[part->feed - 1].name);
        oi_table_integer(table, (int64_t) part->markets);
        oi_table_integer(table, (int64_t) part->rows);
        oi_table_time(table, part->first);
        oi_table_time(table, part->last);
        OI_TRY(oi_table_end_row(table, error));
    }
    return oi_table_finish(table, error);
}

/* One thing that takes room. */
struct cost {
    const char *what;
    uint64_t bytes;
};

struct costs {
    OI_VECTOR(struct cost) items;
};

static void
add_cost(void *context, const char *what, uint64_t bytes)
{
    struct costs *costs = context;
    const struct cost cost = { what, bytes };

    oi_vector_push(&costs->items, cost);
}

static enum oi_status
write_costs(const struct costs *costs, uint64_t rows, struct oi_table *table,
            struct oi_error *error)
{
    for (size_t i = 0; i < costs->items.count; i++) {
        const struct cost *cost = &costs->items.items[i];
        struct oi_decimal each = {};

        if (rows > 0)
            each = oi_decimal_from((int64_t) (cost->bytes * 1000 / rows), -3);
        oi_table_text(table, cost->what);
        oi_table_integer(table, (int64_t) cost->bytes);
        oi_table_decimal(table, &each);
        OI_TRY(oi_table_end_row(table, error));
    }
    return oi_table_finish(table, error);
}

static enum oi_status
print_costs(struct oi_store *store, enum oi_table_format format, struct oi_error *error)
{
    OI_CLEANUP(oi_printer_close) struct oi_printer *printer = NULL;
    OI_CLEANUP(oi_table_free) struct oi_table *table = NULL;
    struct costs costs = {};
    uint64_t rows = 0;
    enum oi_status status;

    OI_TRY(oi_printer_open(NULL, &printer, error));
    table = oi_table_new(format, size_columns, OI_COUNT(size_columns), printer);
    status = oi_store_measure(store, add_cost, &costs, &rows, error);
    if (status == OI_OK)
        status = write_costs(&costs, rows, table, error);
    oi_vector_release(&costs.items);
    OI_TRY(status);
    return oi_printer_finish(printer, error);
}

static enum oi_status
print(struct oi_store *store, enum oi_table_format format, struct oi_error *error)
{
    OI_CLEANUP(oi_catalog_unref) const struct oi_catalog *catalog = oi_store_catalog(store);
    OI_CLEANUP(oi_printer_close) struct oi_printer *printer = NULL;
    OI_CLEANUP(oi_table_free) struct oi_table *table = NULL;
    struct parts parts = {};
    enum oi_status status;

    OI_TRY(oi_printer_open(NULL, &printer, error));
    if (format == OI_TABLE_ALIGNED)
        OI_TRY(add_summary(store, catalog, oi_printer_buffer(printer), error));
    table = oi_table_new(format, columns, OI_COUNT(columns), printer);
    gather(store, catalog, &parts);
    status = write_parts(&parts, catalog, table, error);
    oi_vector_release(&parts.items);
    OI_TRY(status);
    return oi_printer_finish(printer, error);
}

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    OI_CLEANUP(oi_store_close) struct oi_store *store = NULL;
    size_t format = 0;

    OI_TRY(oi_options_word(options, "format", oi_table_formats, &format, error));
    OI_TRY(oi_open_store(options, oi_options_text(options, "data"), OI_STORE_READ, &store, error));
    if (oi_options_switch(options, "columns"))
        return print_costs(store, (enum oi_table_format) format, error);
    return print(store, (enum oi_table_format) format, error);
}

const struct oi_command oi_command_info = {
    .name = "info",
    .summary = "Show how much is stored of each exchange, and its size",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
