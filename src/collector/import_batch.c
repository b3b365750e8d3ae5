/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: it is tested as a part of import.c */
/*
 * A batch of an import. Rows are counted in the order the reader gives them, taken and refused
 * alike; those that an earlier run dealt with are passed over by that count.
 */
#include "collector/import_batch.h"

#include "base/crc32c.h"
#include "base/map.h"
#include "base/vector.h"
#include "exchanges/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A commit costs a disk's sync, some milliseconds; so many rows cost as much. */
#define BATCH_ROWS ((size_t) 20'000)
/* The log is moved into chunks after so many rows, in steps of so many. */
#define CHECKPOINT_ROWS ((uint64_t) 1'000'000)
#define CHECKPOINT_STEP ((size_t) 200'000)
#define UNITS (OI_UNIT_USD + 1)

struct market {
    bool is_used[UNITS];
    uint32_t instrument; /* 0: not known yet */
    bool is_provisional;
    uint32_t series[UNITS]; /* 0: not known yet */
};

struct oi_import_batch {
    struct oi_store *store;
    const struct oi_import_options *options;
    struct oi_import_mark *mark;
    struct oi_import_report *report;
    const struct oi_reader *reader;
    const struct oi_instrument *(*market)(void *context, size_t market);
    void *market_context;
    const char *name;
    uint64_t told;    /* so many were reported already when they were refused */
    uint64_t items;   /* rows met so far, over all sources */
    uint64_t skipped; /* so many were dealt with before */
    uint64_t unmoved; /* rows committed since the last checkpoint */
    OI_VECTOR(struct oi_archive_row) rows;
    OI_VECTOR(struct oi_row) resolved;
    OI_VECTOR(struct market) markets; /* as the reader numbers them */
    uint16_t feeds[UNITS];            /* 0: not known yet */
    /* Where a feed restates but the file has no known times: what it said of each instant. */
    struct oi_map *said;
};

struct oi_import_batch *
oi_import_batch_new(struct oi_store *store, const struct oi_import_options *options,
                    struct oi_import_mark *mark, struct oi_import_report *report)
{
    struct oi_import_batch *batch = oi_alloc_zero(1, sizeof(*batch));

    batch->store = store;
    batch->options = options;
    batch->mark = mark;
    batch->report = report;
    batch->skipped = mark->rows_done;
    return batch;
}

void
oi_import_batch_free(struct oi_import_batch **batch)
{
    if (!*batch)
        return;
    oi_vector_release(&(*batch)->rows);
    oi_vector_release(&(*batch)->resolved);
    oi_vector_release(&(*batch)->markets);
    oi_map_free(&(*batch)->said);
    oi_free(*batch);
    *batch = NULL;
}

static const struct oi_instrument *
market_of_reader(void *context, size_t market)
{
    const struct oi_import_batch *batch = context;

    return oi_reader_market(batch->reader, market);
}

void
oi_import_batch_source(struct oi_import_batch *batch, const struct oi_reader *reader,
                       const char *name)
{
    oi_assert(batch->rows.count == 0);
    batch->reader = reader;
    batch->market = market_of_reader;
    batch->market_context = batch;
    batch->name = name;
    oi_vector_clear(&batch->markets);
    oi_map_free(&batch->said);
    batch->said = oi_map_new();
}

/*
 * Refusals.
 */

static void
report_refusal(struct oi_import_batch *batch, const struct oi_archive_refusal *refusal)
{
    const struct oi_import_refusal told = {
        .file = batch->name,
        .line = refusal->line,
        .field = refusal->field,
        .value = refusal->value,
        .reason = refusal->reason,
    };

    if (batch->options->refused)
        batch->options->refused(batch->options->context, &told);
}

void
oi_import_batch_refuse(struct oi_import_batch *batch, const struct oi_archive_refusal *refusal)
{
    /* What an earlier run refused is told again, for its report may be lost, but counted once. */
    if (++batch->items > batch->skipped)
        batch->mark->refused++;
    if (batch->items > batch->told)
        report_refusal(batch, refusal);
}

static void
refuse_reading(struct oi_import_batch *batch, const struct oi_archive_row *row, const char *reason)
{
    char figure[OI_DECIMAL_TEXT_SIZE];
    const struct oi_archive_refusal refusal = {
        .line = row->line,
        .field = OI_SLICE("open interest"),
        .value = { figure, oi_decimal_print(&row->reading.open_interest, figure) },
        .reason = reason,
    };

    report_refusal(batch, &refusal);
}

/* The store's refusals come by the row's place in the batch. */
static void
refuse_stored(void *context, size_t row, const char *reason)
{
    struct oi_import_batch *batch = context;

    refuse_reading(batch, &batch->rows.items[row], reason);
}

/*
 * Names: instruments, feeds, series.
 */

/* The instruments of a snapshot by exchange and symbol, for markets whose product was guessed. */
static const struct oi_instrument *
find_by_symbol(const struct oi_catalog *catalog, const struct oi_instrument *market)
{
    const struct oi_instrument *found = NULL;

    for (size_t i = 0; i < catalog->instrument_count; i++) {
        const struct oi_instrument *known = &catalog->instruments[i];

        if (strcmp(known->symbol, market->symbol) != 0 ||
            strcmp(known->exchange, market->exchange) != 0)
            continue;
        if (strcmp(known->product, market->product) == 0)
            return NULL;
        /* Two products have such a symbol: none of them is meant for certain. */
        if (found)
            return NULL;
        found = known;
    }
    return found;
}

/* Rows of it came, and nothing is known of it yet. */
static bool
needs_instrument(const struct market *market)
{
    bool is_used = false;

    for (size_t i = 0; i < UNITS; i++)
        is_used = is_used || market->is_used[i];
    return is_used && market->instrument == 0;
}

/* Of an exchange that has closed nothing is expected since. */
static void
end_with_exchange(struct oi_instrument *definition)
{
    const struct oi_exchange *exchange = oi_exchange_find(oi_slice_of(definition->exchange));

    if (!exchange || exchange->closed == 0 || definition->expiry != OI_TIME_NONE)
        return;
    definition->is_delisted = true;
    definition->valid_from = exchange->closed;
}

/* Instruments for the markets that have none yet, in one commit. */
static enum oi_status
resolve_instruments(struct oi_import_batch *batch, struct oi_error *error)
{
    const struct oi_catalog *catalog = oi_store_catalog(batch->store);
    OI_VECTOR(struct oi_instrument) definitions = {};
    OI_VECTOR(uint32_t) ids = {};
    OI_VECTOR(size_t) places = {}; /* of their markets */
    enum oi_status status = OI_OK;

    for (size_t i = 0; i < batch->markets.count; i++) {
        struct oi_instrument definition;
        const struct oi_instrument *known;

        if (!needs_instrument(&batch->markets.items[i]))
            continue;
        definition = *batch->market(batch->market_context, i);
        end_with_exchange(&definition);
        known = find_by_symbol(catalog, &definition);
        if (known)
            memcpy(definition.product, known->product, sizeof(definition.product));
        oi_vector_push(&definitions, definition);
        oi_vector_push(&ids, 0);
        oi_vector_push(&places, i);
    }
    oi_catalog_unref(&catalog);
    if (definitions.count > 0)
        status = oi_store_define(batch->store, definitions.items, definitions.count, ids.items,
                                 NULL, error);
    catalog = oi_store_catalog(batch->store);
    for (size_t i = 0; status == OI_OK && i < ids.count; i++) {
        struct market *market = &batch->markets.items[places.items[i]];

        market->instrument = ids.items[i];
        market->is_provisional = catalog->instruments[ids.items[i] - 1].is_provisional;
    }
    oi_catalog_unref(&catalog);
    oi_vector_release(&places);
    oi_vector_release(&definitions);
    oi_vector_release(&ids);
    return status;
}

static int
compare_steps(const void *a, const void *b)
{
    const int64_t *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

/* How often rows of a unit follow each other within a market, as the middle of the steps of the
 * first batch; 0 when there are none. Rounded to whole seconds, below one it stays. */
static int64_t
measure_cadence(const struct oi_import_batch *batch, enum oi_unit unit)
{
    OI_VECTOR(int64_t) steps = {};
    oi_time *before = oi_alloc(batch->markets.count * sizeof(*before));
    int64_t middle = 0;

    for (size_t i = 0; i < batch->markets.count; i++)
        before[i] = OI_TIME_NONE;
    for (size_t i = 0; i < batch->rows.count; i++) {
        const struct oi_archive_row *row = &batch->rows.items[i];
        int64_t step;

        if (row->unit != unit)
            continue;
        if (before[row->market] != OI_TIME_NONE &&
            !__builtin_sub_overflow(row->reading.time, before[row->market], &step) && step != 0)
            oi_vector_push(&steps, step > 0 ? step : -step);
        before[row->market] = row->reading.time;
    }
    if (steps.count > 0) {
        qsort(steps.items, steps.count, sizeof(*steps.items), compare_steps);
        middle = steps.items[steps.count / 2];
    }
    if (middle > OI_SECOND)
        middle = (middle + OI_SECOND / 2) / OI_SECOND * OI_SECOND;
    oi_free(before);
    oi_vector_release(&steps);
    return middle;
}

/* The facts of the feed that rows of a unit go to. */
static void
describe_feed(const struct oi_import_batch *batch, enum oi_unit unit, struct oi_feed *ret_feed)
{
    const struct oi_archive *archive = batch->options->archive;
    const struct oi_mapping *mapping = batch->options->mapping;
    struct oi_feed feed = { .restates = archive->restates };
    const struct oi_catalog *catalog;

    if (archive->feed) {
        (void) snprintf(feed.name, sizeof(feed.name), "%s", archive->feed);
        *ret_feed = feed;
        return;
    }
    /* "#contracts" fits behind it. */
    (void) snprintf(feed.name, sizeof(feed.name), "import:%.*s%s%s", OI_FEED_NAME_SIZE - 20,
                    batch->options->name, oi_mapping_has_several_units(mapping) ? "#" : "",
                    oi_mapping_has_several_units(mapping) ? oi_unit_name(unit) : "");
    feed.unit = unit;
    feed.sides = mapping->sides;
    feed.restates = mapping->known_time.column != NULL;
    feed.is_daily = mapping->is_daily;
    feed.cadence_ns = mapping->cadence_ns ? mapping->cadence_ns : measure_cadence(batch, unit);
    /* A later file of the same feed may be sparser: what was measured first stays. */
    catalog = oi_store_catalog(batch->store);
    for (size_t i = 0; mapping->cadence_ns == 0 && i < catalog->feed_count; i++)
        if (strcmp(catalog->feeds[i].name, feed.name) == 0)
            feed.cadence_ns = catalog->feeds[i].cadence_ns;
    oi_catalog_unref(&catalog);
    *ret_feed = feed;
}

static enum oi_status
resolve_series(struct oi_import_batch *batch, enum oi_unit unit, struct oi_error *error)
{
    OI_VECTOR(uint32_t) instruments = {};
    OI_VECTOR(uint32_t) series = {};
    OI_VECTOR(size_t) places = {}; /* of their markets */
    enum oi_status status = OI_OK;

    for (size_t i = 0; i < batch->markets.count; i++) {
        const struct market *market = &batch->markets.items[i];

        if (market->is_used[unit] && market->series[unit] == 0) {
            oi_vector_push(&instruments, market->instrument);
            oi_vector_push(&series, 0);
            oi_vector_push(&places, i);
        }
    }
    if (instruments.count > 0 && batch->feeds[unit] == 0) {
        struct oi_feed feed;

        describe_feed(batch, unit, &feed);
        status = oi_store_feed(batch->store, &feed, &batch->feeds[unit], error);
    }
    if (status == OI_OK && instruments.count > 0)
        status = oi_store_series_all(batch->store, instruments.items, instruments.count,
                                     batch->feeds[unit], series.items, error);
    for (size_t i = 0; status == OI_OK && i < series.count; i++)
        batch->markets.items[places.items[i]].series[unit] = series.items[i];
    oi_vector_release(&places);
    oi_vector_release(&instruments);
    oi_vector_release(&series);
    return status;
}

static void
use_market(struct oi_import_batch *batch, size_t market, enum oi_unit unit)
{
    while (batch->markets.count <= market)
        (void) oi_vector_add(&batch->markets);
    batch->markets.items[market].is_used[unit] = true;
}

/* Series for whatever market is used. */
static enum oi_status
resolve_names(struct oi_import_batch *batch, struct oi_error *error)
{
    OI_TRY(resolve_instruments(batch, error));
    for (enum oi_unit unit = OI_UNIT_UNKNOWN; unit < UNITS; unit++)
        OI_TRY(resolve_series(batch, unit, error));
    return OI_OK;
}

static enum oi_status
resolve(struct oi_import_batch *batch, struct oi_error *error)
{
    for (size_t i = 0; i < batch->rows.count; i++)
        use_market(batch, batch->rows.items[i].market, batch->rows.items[i].unit);
    OI_TRY(resolve_names(batch, error));
    oi_vector_clear(&batch->resolved);
    for (size_t i = 0; i < batch->rows.count; i++) {
        const struct oi_archive_row *row = &batch->rows.items[i];
        const struct market *market = &batch->markets.items[row->market];
        struct oi_row new = { .series = market->series[row->unit], .reading = row->reading };

        if (market->is_provisional)
            new.reading.flags |= OI_FLAG_DEFINITION_ASSUMED;
        oi_vector_push(&batch->resolved, new);
    }
    return OI_OK;
}

/*
 * Rows.
 */

/* In a file without known times the first figure of an instant stands, also where a later file may
 * revise it. */
static bool
is_contradiction(struct oi_import_batch *batch, const struct oi_archive_row *row)
{
    char figure[OI_DECIMAL_TEXT_SIZE], value[OI_DECIMAL_TEXT_SIZE];
    const int64_t key[2] = { (int64_t) row->market, row->reading.time };
    struct oi_slice name = { (const char *) key, sizeof(key) };
    size_t figure_size, value_size;
    uint64_t said, says;

    if (!batch->options->archive->restates || row->reading.known_time != OI_TIME_NONE)
        return false;
    figure_size = oi_decimal_print(&row->reading.open_interest, figure);
    value_size = oi_decimal_print(&row->reading.value_usd, value);
    says = (uint64_t) oi_crc32c(0, figure, figure_size) << 32 | oi_crc32c(0, value, value_size);
    if (oi_map_get(batch->said, name, &said))
        return said != says;
    oi_map_put(batch->said, name, says);
    return false;
}

enum oi_status
oi_import_batch_add(struct oi_import_batch *batch, const struct oi_archive_row *row,
                    struct oi_error *error)
{
    const struct oi_import_options *options = batch->options;
    bool is_new = ++batch->items > batch->skipped;
    struct oi_archive_row new = *row;

    if (is_contradiction(batch, row)) {
        refuse_reading(batch, row, "a second, different figure for one instant: the first stands");
        batch->mark->refused += is_new;
        return OI_OK;
    }
    if (!is_new)
        return OI_OK;
    if (options->has_known_after && new.reading.known_time == OI_TIME_NONE) {
        if (__builtin_add_overflow(new.reading.time, options->known_after_ns,
                                   &new.reading.known_time))
            new.reading.known_time = OI_TIME_LATEST; /* refused by the store */
        new.reading.flags |= OI_FLAG_KNOWN_ASSUMED;
    }
    oi_vector_push(&batch->rows, new);
    return batch->rows.count < BATCH_ROWS ? OI_OK : oi_import_batch_flush(batch, false, error);
}

/* Move the log into chunks. Another process may do it at the same time. */
static enum oi_status
checkpoint(struct oi_import_batch *batch, struct oi_error *error)
{
    struct oi_error trouble = {};
    enum oi_status status = OI_OK;
    size_t left = 1;

    while (status == OI_OK && left > 0)
        status = oi_store_checkpoint(batch->store, CHECKPOINT_STEP, &left, &trouble);
    batch->unmoved = 0;
    if (status == OI_OK || status == OI_E_BUSY)
        return OI_OK;
    return oi_fail(error, status, "%s", trouble.message);
}

enum oi_status
oi_import_batch_flush(struct oi_import_batch *batch, bool is_complete, struct oi_error *error)
{
    struct oi_append_result result = {};
    struct oi_import_mark mark = *batch->mark; /* how far it is if the commit succeeds */
    struct oi_batch commit = { .import = &mark, .refuse = refuse_stored, .context = batch };

    if (batch->rows.count == 0 && !is_complete)
        return OI_OK;
    OI_TRY(resolve(batch, error));
    mark.rows_done = batch->items;
    mark.is_complete = is_complete;
    commit.rows = batch->resolved.items;
    commit.row_count = batch->resolved.count;
    OI_TRY(oi_store_append(batch->store, &commit, &result, error));
    *batch->mark = mark;
    batch->mark->stored += result.stored;
    batch->mark->duplicate += result.duplicate;
    batch->mark->refused += result.refused;
    if (batch->report->first_batch == 0)
        batch->report->first_batch = result.batch;
    batch->report->last_batch = result.batch;
    batch->unmoved += batch->rows.count;
    oi_vector_clear(&batch->rows);
    if (batch->unmoved >= CHECKPOINT_ROWS || (is_complete && batch->unmoved >= BATCH_ROWS))
        return checkpoint(batch, error);
    return OI_OK;
}

void
oi_import_batch_markets(struct oi_import_batch *batch,
                        const struct oi_instrument *(*market)(void *context, size_t market),
                        void *context, const char *name)
{
    batch->market = market;
    batch->market_context = context;
    batch->name = name;
}

void
oi_import_batch_sample(struct oi_import_batch *batch, struct oi_import_target target, oi_time time)
{
    const struct oi_archive_row row = { .market = target.market,
                                        .unit = target.unit,
                                        .reading = { .time = time } };

    /* Its thread may not be the first one whose targets are resolved. */
    use_market(batch, target.market, target.unit);
    if (batch->rows.count < BATCH_ROWS)
        oi_vector_push(&batch->rows, row);
}

enum oi_status
oi_import_batch_resolve(struct oi_import_batch *batch, const struct oi_import_target *targets,
                        size_t count, struct oi_bulk_target *ret_targets, struct oi_error *error)
{
    for (size_t i = 0; i < count; i++)
        use_market(batch, targets[i].market, targets[i].unit);
    OI_TRY(resolve_names(batch, error));
    oi_vector_clear(&batch->rows);
    for (size_t i = 0; i < count; i++) {
        const struct market *market = &batch->markets.items[targets[i].market];

        ret_targets[i].series = market->series[targets[i].unit];
        ret_targets[i].flags = market->is_provisional ? OI_FLAG_DEFINITION_ASSUMED : 0;
    }
    return OI_OK;
}

void
oi_import_batch_resume(struct oi_import_batch *batch, uint64_t told, bool is_all)
{
    oi_vector_clear(&batch->rows);
    oi_vector_clear(&batch->markets);
    batch->skipped = batch->mark->rows_done;
    batch->told = told;
    batch->items = is_all ? batch->mark->rows_done : 0;
}

void
oi_import_batch_tell(struct oi_import_batch *batch, uint64_t line, const struct oi_decimal *figure,
                     const char *reason)
{
    const struct oi_archive_row row = { .line = line, .reading = { .open_interest = *figure } };

    refuse_reading(batch, &row, reason);
}

enum oi_status
oi_import_batch_loaded(struct oi_import_batch *batch, const struct oi_append_result *result,
                       struct oi_error *error)
{
    struct oi_store_stats stats;

    batch->mark->stored += result->stored;
    batch->mark->duplicate += result->duplicate;
    batch->mark->refused += result->refused;
    if (batch->report->first_batch == 0)
        batch->report->first_batch = result->batch;
    batch->report->last_batch = result->batch;
    batch->items = batch->mark->rows_done;
    oi_store_stats(batch->store, &stats);
    batch->unmoved = stats.log_rows;
    if (batch->unmoved >= CHECKPOINT_ROWS)
        return checkpoint(batch, error);
    return OI_OK;
}
