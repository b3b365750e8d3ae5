/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies a store into another one, of whatever kind the two are: instruments with their versions,
 * feeds, every revision of every reading with its known time, why minutes are missing, and what was
 * marked bad. A series is done when the same hash comes of both, so a copy that broke off is simply
 * begun again. Batches are the other store's own: asked as stored, it knows of nothing before.
 */
/* no unit test: a whole command; tests/system/clickhouse.test.mjs runs it */
#include "base/alloc.h"
#include "base/crypto.h"
#include "base/vector.h"
#include "cli/command.h"
#include "cli/copy.h"
#include "cli/open_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows of one append. */
#define BATCH_ROWS 100'000
#define VERSIONS_MAX 1000

static const struct oi_option options_table[] = {
    { .name = "from", .argument = "STORE", .help = "a folder, or the address of a ClickHouse" },
    { .name = "to", .argument = "STORE", .help = "likewise; what is missing there is made" },
};

struct copy {
    struct oi_store *from, *to;
    uint32_t *instruments; /* their ids there, by ours */
    uint64_t rows, series_done;
};

/* The versions of an instrument, newest first, each in force up to where the one before begins. */
static enum oi_status
copy_instrument(struct copy *copy, uint32_t id, struct oi_error *error)
{
    OI_VECTOR(struct oi_instrument) versions = {};
    oi_time time = OI_TIME_LATEST;
    enum oi_status status = OI_OK;

    while (versions.count < VERSIONS_MAX) {
        struct oi_instrument version;

        status = oi_store_instrument(copy->from, id, time, OI_TIME_LATEST, &version, error);
        if (status != OI_OK)
            break;
        if (versions.count > 0 &&
            versions.items[versions.count - 1].valid_from == version.valid_from)
            break;
        oi_vector_push(&versions, version);
        if (version.valid_from == OI_TIME_NONE || version.valid_from <= OI_TIME_EARLIEST)
            break;
        time = version.valid_from - 1;
    }
    for (size_t i = versions.count; status == OI_OK && i-- > 0;) {
        struct oi_instrument *version = &versions.items[i];

        /* What was assumed is assumed there again. */
        if (version->is_assumed)
            version->valid_from = OI_TIME_NONE;
        status = oi_store_define(copy->to, version, 1, &copy->instruments[id - 1], NULL, error);
    }
    oi_vector_release(&versions);
    return status;
}

/*
 * Rows.
 */

struct hasher {
    struct oi_sha256_stream *stream;
    struct oi_buffer text;
};

static void
hash_row(struct hasher *hasher, const struct oi_columns *columns, size_t row)
{
    const struct oi_observation reading = oi_columns_get(columns, row);
    const struct oi_decimal *const figures[] = { &reading.open_interest, &reading.value_usd,
                                                 &reading.mark_price, &reading.index_price,
                                                 &reading.last_price };

    oi_buffer_clear(&hasher->text);
    oi_buffer_add_format(&hasher->text, "%" PRId64 " %" PRId64 " %" PRId64 " %u", reading.time,
                         reading.known_time, reading.exchange_time,
                         reading.flags & ~(unsigned) OI_FLAG_BAD);
    for (size_t i = 0; i < OI_COUNT(figures); i++) {
        oi_buffer_add_char(&hasher->text, ' ');
        oi_decimal_write(figures[i], &hasher->text);
    }
    oi_buffer_add_char(&hasher->text, '\n');
    oi_sha256_add(hasher->stream, oi_buffer_slice(&hasher->text));
}

static enum oi_status
hash_series(struct oi_store *store, uint32_t series, uint8_t digest[OI_SHA256_SIZE],
            struct oi_error *error)
{
    const struct oi_scan_request request = { .series = series,
                                             .span = OI_SPAN_ALL,
                                             .moment = OI_MOMENT_LATEST,
                                             .columns = OI_COLUMNS_ALL,
                                             .all_revisions = true };
    OI_CLEANUP(oi_scan_close) struct oi_scan *scan = NULL;
    struct hasher hasher = {};
    const struct oi_columns *columns;
    enum oi_status status;

    OI_TRY(oi_store_scan(store, &request, &scan, error));
    hasher.stream = oi_sha256_begin();
    while ((status = oi_scan_next(scan, &columns, error)) == OI_OK && columns)
        for (size_t row = 0; row < columns->count; row++)
            hash_row(&hasher, columns, row);
    oi_sha256_finish(&hasher.stream, digest);
    oi_buffer_release(&hasher.text);
    return status;
}

struct rows {
    OI_VECTOR(struct oi_row) items;
};

static void
print_refused(void *context, size_t row, const char *reason)
{
    const struct oi_row *rows = context;

    (void) fprintf(stderr, "series %u, %" PRId64 ": %s\n", rows[row].series, rows[row].reading.time,
                   reason);
}

static enum oi_status
flush_rows(struct copy *copy, struct rows *rows, struct oi_error *error)
{
    struct oi_append_result result;
    const struct oi_batch batch = { .rows = rows->items.items,
                                    .row_count = rows->items.count,
                                    .refuse = print_refused,
                                    .context = rows->items.items };

    if (rows->items.count == 0)
        return OI_OK;
    OI_TRY(oi_store_append(copy->to, &batch, &result, error));
    copy->rows += result.stored;
    oi_vector_clear(&rows->items);
    return OI_OK;
}

/* From `since` on: what is there already is recognised. */
static enum oi_status
copy_rows(struct copy *copy, uint32_t from, uint32_t to, oi_time since, struct rows *rows,
          struct oi_error *error)
{
    const struct oi_scan_request request = { .series = from,
                                             .span = { since, OI_TIME_LATEST },
                                             .moment = OI_MOMENT_LATEST,
                                             .columns = OI_COLUMNS_ALL,
                                             .all_revisions = true };
    OI_CLEANUP(oi_scan_close) struct oi_scan *scan = NULL;
    const struct oi_columns *columns;

    OI_TRY(oi_store_scan(copy->from, &request, &scan, error));
    for (;;) {
        OI_TRY(oi_scan_next(scan, &columns, error));
        if (!columns)
            return OI_OK;
        for (size_t row = 0; row < columns->count; row++) {
            struct oi_row one = { .series = to, .reading = oi_columns_get(columns, row) };

            one.reading.flags &= (uint16_t) ~OI_FLAG_BAD;
            oi_vector_push(&rows->items, one);
            if (rows->items.count == BATCH_ROWS)
                OI_TRY(flush_rows(copy, rows, error));
        }
    }
}

static enum oi_status
copy_series(struct copy *copy, uint32_t from, uint32_t to, struct rows *rows,
            struct oi_error *error)
{
    uint8_t here[OI_SHA256_SIZE], there[OI_SHA256_SIZE];
    struct oi_extent wanted, found = { .first = OI_TIME_EARLIEST, .last = OI_TIME_EARLIEST };

    if (oi_store_extent(copy->from, from, &wanted, NULL) != OI_OK)
        return OI_OK;
    /* Where it broke off; the row before was whole. */
    if (oi_store_extent(copy->to, to, &found, NULL) != OI_OK || found.rows == 0)
        found.last = OI_TIME_EARLIEST;
    OI_TRY(copy_rows(copy, from, to, found.last, rows, error));
    OI_TRY(flush_rows(copy, rows, error));
    OI_TRY(hash_series(copy->from, from, here, error));
    OI_TRY(hash_series(copy->to, to, there, error));
    if (memcmp(here, there, sizeof(here)) != 0 && found.last != OI_TIME_EARLIEST) {
        /* Something before it: all of it once more. */
        OI_TRY(copy_rows(copy, from, to, OI_TIME_EARLIEST, rows, error));
        OI_TRY(flush_rows(copy, rows, error));
        OI_TRY(hash_series(copy->to, to, there, error));
    }
    if (memcmp(here, there, sizeof(here)) != 0)
        return oi_fail(error, OI_E_CORRUPT,
                       "series %u has other rows there than here: copy into a new store", from);
    copy->series_done++;
    return OI_OK;
}

/*
 * Coverage and flags.
 */

struct holes {
    uint32_t instrument;
    OI_VECTOR(struct oi_hole) items;
};

static enum oi_status
keep_hole(void *context, const struct oi_hole *hole)
{
    struct holes *holes = context;
    struct oi_hole own = { .instrument = holes->instrument,
                           .span = hole->span,
                           .cause = hole->cause };

    /* The others follow from what is known of the market, or from nothing being told. */
    if (hole->cause != OI_HOLE_NOT_LISTED && hole->cause != OI_HOLE_DELISTED &&
        hole->cause != OI_HOLE_COLLECTOR_DOWN)
        oi_vector_push(&holes->items, own);
    return OI_OK;
}

static enum oi_status
copy_holes(struct copy *copy, const struct oi_series *series, const struct oi_feed *feed,
           struct oi_error *error)
{
    struct holes holes = { .instrument = copy->instruments[series->instrument - 1] };
    struct oi_append_result result;
    struct oi_batch batch = {};
    enum oi_status status = OI_OK;

    if (strcmp(feed->name, "live") != 0)
        return OI_OK;
    status = oi_store_gaps(copy->from, series->instrument, series->feed, feed->cadence_ns,
                           OI_SPAN_ALL, OI_MOMENT_LATEST, keep_hole, &holes, error);
    batch.holes = holes.items.items;
    batch.hole_count = holes.items.count;
    if (status == OI_OK && batch.hole_count > 0)
        status = oi_store_append(copy->to, &batch, &result, error);
    oi_vector_release(&holes.items);
    return status;
}

static bool
is_same_flag(const struct oi_bad_span *a, const struct oi_bad_span *b)
{
    return a->instrument == b->instrument && a->span.from == b->span.from &&
           a->span.to == b->span.to && strcmp(a->reason, b->reason) == 0;
}

struct flags {
    OI_VECTOR(struct oi_bad_span) items;
};

static enum oi_status
keep_flag(void *context, const struct oi_bad_span *flag)
{
    struct flags *flags = context;

    oi_vector_push(&flags->items, *flag);
    return OI_OK;
}

static enum oi_status
copy_flags(struct copy *copy, struct oi_error *error)
{
    struct flags here = {}, there = {};
    enum oi_status status = oi_store_flags(copy->from, keep_flag, &here, error);

    if (status == OI_OK)
        status = oi_store_flags(copy->to, keep_flag, &there, error);
    for (size_t i = 0; status == OI_OK && i < here.items.count; i++) {
        struct oi_bad_span *flag = &here.items.items[i];
        bool is_there = false;

        flag->instrument = copy->instruments[flag->instrument - 1];
        for (size_t k = 0; k < there.items.count; k++)
            is_there |= is_same_flag(flag, &there.items.items[k]);
        if (!is_there)
            status = oi_store_flag(copy->to, flag, error);
    }
    oi_vector_release(&here.items);
    oi_vector_release(&there.items);
    return status;
}

static enum oi_status
copy_all(struct copy *copy, const struct oi_catalog *catalog, struct oi_error *error)
{
    uint16_t *feeds = oi_alloc_zero(catalog->feed_count + 1, sizeof(*feeds));
    struct rows rows = {};
    enum oi_status status = OI_OK;
    size_t left = 1;

    for (uint32_t id = 1; status == OI_OK && id <= catalog->instrument_count; id++)
        status = copy_instrument(copy, id, error);
    for (size_t i = 0; status == OI_OK && i < catalog->feed_count; i++)
        status = oi_store_feed(copy->to, &catalog->feeds[i], &feeds[i], error);
    for (size_t i = 0; status == OI_OK && i < catalog->series_count; i++) {
        const struct oi_series *series = &catalog->series[i];
        uint32_t to = 0;

        status = oi_store_series(copy->to, copy->instruments[series->instrument - 1],
                                 feeds[series->feed - 1], &to, error);
        if (status == OI_OK)
            status = copy_series(copy, series->id, to, &rows, error);
        if (status == OI_OK)
            status = copy_holes(copy, series, &catalog->feeds[series->feed - 1], error);
    }
    if (status == OI_OK)
        status = copy_flags(copy, error);
    while (status == OI_OK && left > 0)
        status = oi_store_checkpoint(copy->to, 1'000'000, &left, error);
    oi_vector_release(&rows.items);
    oi_free(feeds);
    return status;
}

enum oi_status
oi_copy_store(const char *from, const char *to, struct oi_copied *ret_copied,
              struct oi_error *error)
{
    OI_CLEANUP(oi_store_close) struct oi_store *source = NULL, *target = NULL;
    struct copy copy = {};
    enum oi_status status;

    OI_TRY(oi_open_place(from, OI_STORE_READ, &source, error));
    OI_TRY(oi_open_place(to, OI_STORE_WRITE, &target, error));
    OI_CLEANUP(oi_catalog_unref) const struct oi_catalog *catalog = oi_store_catalog(source);
    copy.from = source;
    copy.to = target;
    copy.instruments = oi_alloc_zero(catalog->instrument_count + 1, sizeof(*copy.instruments));
    status = copy_all(&copy, catalog, error);
    oi_free(copy.instruments);
    OI_TRY(status);
    *ret_copied = (struct oi_copied){ copy.rows, copy.series_done };
    return OI_OK;
}

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    const char *from = oi_options_text(options, "from"), *to = oi_options_text(options, "to");
    struct oi_copied copied;

    if (!from || !to)
        return oi_fail(error, OI_E_INVALID, "--from and --to are needed");
    OI_TRY(oi_copy_store(from, to, &copied, error));
    (void) printf("%" PRIu64 " rows copied; %" PRIu64 " series have the same hash on both sides\n",
                  copied.rows, copied.series);
    return OI_OK;
}

const struct oi_command oi_command_copy = {
    .name = "copy",
    .summary = "Copy a store into another one, also into or out of ClickHouse",
    .description = "A copy that broke off is begun again by the same command. Every series is read "
                   "back and compared.",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
