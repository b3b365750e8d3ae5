/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store with one entry that says anything, under a right checksum: opening, verifying and every
 * reader refuse it or answer, and none of them crashes or goes on for ever. The input is the
 * table, the number of its entry (8 and on: sealed as the newest version of its table, not as the
 * first), how (0: these bytes, 1: changes at places, 2: gone), the rest.
 */
#include "base/alloc.h"
#include "base/buffer.h"
#include "kv/kv.h"
#include "kv/memory.h"
#include "store/keys.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/seal_chunk.h"

#define SERIES 3
#define START (INT64_C(1'767'225'600) * OI_SECOND)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[64], path[96];
static struct oi_buffer pristine; /* the engine's file of a sound store */
static struct oi_virtual_clock now;

static void
check(enum oi_status status, const struct oi_error *error)
{
    if (status == OI_OK)
        return;
    (void) fprintf(stderr, "%s\n", error->message);
    abort();
}

static void
append(struct oi_store *store, uint32_t series, int from, int count)
{
    struct oi_row *rows = oi_alloc_zero((size_t) count, sizeof(*rows));
    struct oi_hole hole = { .exchange = "example",
                            .product = "linear",
                            .span = { START, START + OI_MINUTE },
                            .cause = OI_HOLE_UNREACHABLE };
    struct oi_watch_mark mark = { "example", "linear", START + from * OI_MINUTE };
    struct oi_import_mark import = { .name = "file", .format = "csv", .fingerprint = { 7 } };
    struct oi_batch batch = { .rows = rows,
                              .row_count = (size_t) count,
                              .holes = &hole,
                              .hole_count = 1,
                              .marks = &mark,
                              .mark_count = 1,
                              .import = series == SERIES ? &import : NULL };
    struct oi_append_result result;
    struct oi_error error = {};

    for (int i = 0; i < count; i++) {
        rows[i] = (struct oi_row){ series, OI_OBSERVATION_NONE };
        rows[i].reading.time = START + (from + i) * OI_MINUTE;
        rows[i].reading.open_interest = oi_decimal_from(1000 + i % 7, i % 11 ? -2 : 0);
        rows[i].reading.mark_price = oi_decimal_from(200 + i, -1);
        rows[i].reading.value_usd = oi_decimal_from((1000 + i % 7) * (200 + i), -3);
    }
    check(oi_store_append(store, &batch, &result, &error), &error);
    oi_free(rows);
}

static void
fill(struct oi_store *store)
{
    static const char *const feeds[SERIES] = { "live", "history", "import:file" };
    struct oi_instrument instrument = OI_INSTRUMENT_NONE;
    struct oi_error error = {};
    uint32_t id, series;
    size_t left = 1;

    (void) snprintf(instrument.exchange, sizeof(instrument.exchange), "example");
    (void) snprintf(instrument.product, sizeof(instrument.product), "linear");
    (void) snprintf(instrument.symbol, sizeof(instrument.symbol), "BTCUSDT");
    check(oi_store_define(store, &instrument, 1, &id, NULL, &error), &error);
    for (int i = 0; i < SERIES; i++) {
        struct oi_feed feed = { .restates = i == 1, .cadence_ns = OI_MINUTE };
        uint16_t feed_id;

        (void) snprintf(feed.name, sizeof(feed.name), "%s", feeds[i]);
        check(oi_store_feed(store, &feed, &feed_id, &error), &error);
        check(oi_store_series(store, id, feed_id, &series, &error), &error);
        append(store, series, 0, 90);
    }
    while (left > 0)
        check(oi_store_checkpoint(store, 1000, &left, &error), &error);
    for (uint32_t i = 1; i <= SERIES; i++)
        append(store, i, 90, 5);
    check(oi_store_flag(store,
                        &(struct oi_bad_span){
                            .instrument = id, .span = { START, START + OI_HOUR }, .reason = "why" },
                        &error),
          &error);
}

static enum oi_status
open_store(struct oi_store **ret_store, struct oi_error *error)
{
    const struct oi_store_options options = { .clock = &now.clock,
                                              .engine = &oi_kv_memory,
                                              .chunk_rows = 40 };

    return oi_store_open(folder, &options, ret_store, error);
}

static void
remove_folder(void)
{
    static const char *const names[] = { "memory.kv", "oi-store", "checkpoint.lock" };

    for (size_t i = 0; i < OI_COUNT(names); i++) {
        (void) snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        (void) unlink(path);
    }
    (void) rmdir(folder);
}

static void
make_pristine(void)
{
    struct oi_store *store = NULL;
    struct oi_error error = {};
    FILE *file;

    (void) snprintf(folder, sizeof(folder), "/tmp/oi-store-fuzz-XXXXXX");
    oi_assert(mkdtemp(folder) != NULL);
    (void) atexit(remove_folder);
    oi_virtual_clock_init(&now, START + 2 * OI_DAY);
    check(open_store(&store, &error), &error);
    fill(store);
    check(oi_store_verify(store, NULL, NULL, NULL, &error), &error);
    oi_store_close(&store);
    (void) snprintf(path, sizeof(path), "%s/memory.kv", folder);
    file = fopen(path, "rbe");
    oi_assert(file != NULL);
    pristine.size = fread(oi_buffer_reserve(&pristine, 1 << 20), 1, 1 << 20, file);
    (void) fclose(file);
}

/* The bytes that an entry is to have, before it is sealed. */
static void
alter(struct oi_slice before, uint8_t how, const uint8_t *data, size_t size, struct oi_buffer *out)
{
    if (how % 3 == 0) {
        oi_buffer_add(out, (const char *) data, size);
        return;
    }
    oi_buffer_add_slice(out, before);
    for (size_t i = 0; i + 3 <= size && out->size > 0; i += 3)
        out->data[(data[i] | (size_t) data[i + 1] << 8) % out->size] = (char) data[i + 2];
}

/* Change the entry; false when there is none. */
static bool
harm(struct oi_kv_txn *txn, const uint8_t *data, size_t size)
{
    const struct oi_kv_engine *engine = &oi_kv_memory;
    enum oi_table table = (enum oi_table)(data[0] % OI_TABLE_COUNT);
    struct oi_slice key, value, body = {};
    struct oi_kv_cursor *cursor = NULL;
    struct oi_buffer bytes = {}, changed = {};
    char name[OI_KEY_SIZE_MAX];
    enum oi_status status;

    if (engine->cursor_open(txn, table, &cursor, NULL) != OI_OK)
        return false;
    status = engine->seek(cursor, (struct oi_slice){}, &key, &value, NULL);
    for (unsigned i = 0; i < data[1] % 8 && status == OI_OK; i++)
        status = engine->next(cursor, &key, &value, NULL);
    if (status == OI_OK) {
        memcpy(name, key.data, key.size);
        key.data = name;
        if (table == OI_TABLE_CHUNK)
            body = value;
        else
            oi_assert(oi_seal_open(table, key, value, &body, NULL) == OI_OK);
        alter(body, data[2], data + 3, size - 3, &changed);
    }
    engine->cursor_close(&cursor);
    if (status != OI_OK)
        return false;
    if (table == OI_TABLE_CHUNK) {
        seal_chunk(key, changed.data, changed.size);
        oi_buffer_add_slice(&bytes, oi_buffer_slice(&changed));
    } else {
        if (data[1] & 8)
            oi_seal_begin_newest(table, &bytes);
        else
            oi_seal_begin(&bytes);
        oi_buffer_add_slice(&bytes, oi_buffer_slice(&changed));
        oi_seal_end(table, key, &bytes);
    }
    status = data[2] % 3 == 2 ? engine->remove(txn, table, key, NULL)
                              : engine->put(txn, table, key, oi_buffer_slice(&bytes), NULL);
    oi_buffer_release(&bytes);
    oi_buffer_release(&changed);
    return status == OI_OK;
}

static enum oi_status
each_rollup(void *context, const struct oi_rollup *rollup)
{
    *(uint64_t *) context += rollup->count;
    return OI_OK;
}

static enum oi_status
each_hole(void *context, const struct oi_hole *hole)
{
    *(uint64_t *) context += (uint64_t) hole->cause;
    return OI_OK;
}

static enum oi_status
each_flag(void *context, const struct oi_bad_span *flag)
{
    *(uint64_t *) context += flag->instrument;
    return OI_OK;
}

static void
scan(struct oi_store *store, uint32_t series, bool is_backwards)
{
    const struct oi_scan_request request = { .series = series,
                                             .span = OI_SPAN_ALL,
                                             .moment = OI_MOMENT_LATEST,
                                             .columns = OI_COLUMNS_ALL,
                                             .is_backwards = is_backwards };
    const struct oi_columns *columns = NULL;
    struct oi_scan *scan = NULL;
    char text[OI_DECIMAL_TEXT_SIZE];
    int faults = 0;

    if (oi_store_scan(store, &request, &scan, NULL) != OI_OK)
        return;
    for (;;) {
        enum oi_status status = oi_scan_next(scan, &columns, NULL);

        oi_assert(faults < 1000);
        if (status == OI_E_CORRUPT && ++faults)
            continue;
        if (status != OI_OK || !columns)
            break;
        for (size_t i = 0; i < columns->count; i++) {
            struct oi_observation reading = oi_columns_get(columns, i);

            (void) oi_decimal_print(&reading.value_usd, text);
        }
    }
    oi_scan_close(&scan);
}

static void
read_all(struct oi_store *store)
{
    OI_CLEANUP(oi_catalog_unref) const struct oi_catalog *catalog = oi_store_catalog(store);
    const struct oi_span span = { START - OI_DAY, START + OI_DAY };
    struct oi_observation reading;
    struct oi_import_mark mark;
    struct oi_extent extent;
    const uint8_t sha256[32] = { 7 };
    uint64_t sum = 0;

    (void) oi_store_flags(store, each_flag, &sum, NULL);
    (void) oi_store_import_find(store, sha256, &mark, NULL);
    for (uint32_t i = 1; i <= catalog->series_count && i <= 8; i++) {
        scan(store, i, false);
        scan(store, i, true);
        (void) oi_store_latest(store, i, &reading, NULL);
        (void) oi_store_at(store, i, START + OI_HOUR, OI_MOMENT_LATEST, &reading, NULL);
        (void) oi_store_extent(store, i, &extent, NULL);
        (void) oi_store_rollups(store, i, OI_HOUR, span, each_rollup, &sum, NULL);
        (void) oi_store_rollups(store, i, OI_DAY, span, each_rollup, &sum, NULL);
    }
    if (catalog->instrument_count > 0)
        (void) oi_store_gaps(store, 1, 1, OI_MINUTE, span, OI_MOMENT_LATEST, each_hole, &sum, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct oi_kv_options options = { .table_count = OI_TABLE_COUNT,
                                           .tables = oi_table_names };
    struct oi_store *store = NULL;
    struct oi_kv_txn *txn = NULL;
    struct oi_kv *kv = NULL;
    FILE *file;
    bool is_harmed;

    if (size < 3)
        return 0;
    if (pristine.size == 0)
        make_pristine();
    (void) snprintf(path, sizeof(path), "%s/memory.kv", folder);
    file = fopen(path, "wbe");
    oi_assert(file != NULL && fwrite(pristine.data, 1, pristine.size, file) == pristine.size &&
              fclose(file) == 0);
    oi_assert(oi_kv_memory.open(folder, &options, &kv, NULL) == OI_OK);
    oi_assert(oi_kv_memory.begin(kv, OI_KV_WRITE, &txn, NULL) == OI_OK);
    is_harmed = harm(txn, data, size);
    oi_assert(oi_kv_memory.commit(&txn, NULL) == OI_OK);
    oi_kv_memory.close(&kv);
    if (!is_harmed || open_store(&store, NULL) != OI_OK)
        return 0;
    (void) oi_store_verify(store, NULL, NULL, NULL, NULL);
    read_all(store);
    oi_store_close(&store);
    return 0;
}
