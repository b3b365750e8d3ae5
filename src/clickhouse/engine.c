/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a store in ClickHouse, closing it, and the rest of what a remote is asked for. */
/* no unit test: needs a server; tests/contract/store_*_test.c run over one. */
#include "clickhouse/engine.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/random.h"
#include "clickhouse/clickhouse.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum oi_status
keep(void *context, const struct oi_batch *batch, struct oi_error *error)
{
    struct oi_clickhouse *engine = context;

    if (!engine->spool || engine->is_draining)
        return oi_fail(error, OI_E_BUSY, "ClickHouse does not answer");
    atomic_store(&engine->is_away, true);
    return oi_spool_put(engine->spool, batch, engine->clock->wall_ns(engine->clock), error);
}

static void
stats_of(void *context, struct oi_store_stats *stats)
{
    struct oi_clickhouse *engine = context;

    stats->is_away = atomic_load(&engine->is_away);
    if (engine->spool)
        oi_spool_sizes(engine->spool, &stats->waiting_batches, &stats->waiting_bytes);
}

static enum oi_status
retain(void *context, uint32_t series, oi_time before, uint64_t *ret_rows, struct oi_error *error)
{
    struct oi_clickhouse *engine = context;
    OI_CLEANUP(oi_buffer_release) struct oi_buffer date = {};

    (void) series, (void) ret_rows;
    oi_time_write_date(before, &date);
    return oi_fail(error, OI_E_INVALID,
                   "oi removes nothing from ClickHouse, where it is done by whole months: `ALTER "
                   "TABLE %s.%s DROP PARTITION YYYYMM` for months before %.*s, of rollup_hour and "
                   "rollup_day too, see "
                   "docs/operating-clickhouse.md",
                   oi_clickhouse_client_address(engine->client)->database,
                   engine->server.is_cluster ? "readings_local ON CLUSTER …" : "readings",
                   (int) strlen("2026-01"), date.data);
}

static enum oi_status
measure(void *context, void (*each)(void *, const char *what, uint64_t bytes), void *listener,
        uint64_t *ret_rows, struct oi_error *error)
{
    struct oi_clickhouse *engine = context;
    struct oi_buffer statement = {}, out = {};
    struct oi_native_block block;
    struct oi_slice rest;
    char text[64];
    enum oi_status status;

    OI_TRY(oi_clickhouse_ask(engine->client, "SELECT count() FROM readings", text, sizeof(text),
                             error));
    *ret_rows = strtoull(text, NULL, 10);
    oi_buffer_add_format(&statement,
                         "SELECT name, data_compressed_bytes AS bytes FROM system.columns WHERE "
                         "database = '%s' AND table = '%s'",
                         oi_clickhouse_client_address(engine->client)->database,
                         engine->server.is_cluster ? "readings_local" : "readings");
    status = oi_clickhouse_select(engine, &statement, &out, error);
    rest = oi_buffer_slice(&out);
    while (status == OI_OK && (status = oi_native_next(&rest, &block, error)) == OI_OK) {
        const struct oi_native_column *names = NULL, *bytes = NULL;

        status = oi_native_find(&block, "name", true, &names, error);
        if (status == OI_OK)
            status = oi_native_find(&block, "bytes", false, &bytes, error);
        for (size_t row = 0; status == OI_OK && row < block.rows; row++) {
            (void) snprintf(text, sizeof(text), "%.*s", (int) names->strings[row].size,
                            names->strings[row].data);
            each(listener, text, (uint64_t) oi_native_int(bytes, row));
        }
        oi_native_block_release(&block);
    }
    oi_buffer_release(&statement);
    oi_buffer_release(&out);
    return status == OI_E_NOT_FOUND ? OI_OK : status;
}

/* The mirror leaves a few names and no data. */
static void
remove_folder(const char *folder)
{
    DIR *directory = opendir(folder);
    const struct dirent *entry;
    char path[512];

    if (!directory)
        return;
    while ((entry = readdir(directory))) {
        (void) snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        (void) unlink(path);
    }
    (void) closedir(directory);
    (void) rmdir(folder);
}

static void
close_engine(void *context)
{
    struct oi_clickhouse *engine = context;

    (void) pthread_mutex_destroy(&engine->look_lock);
    (void) pthread_cond_destroy(&engine->look_wanted);
    oi_filling_release(&engine->filling);
    oi_kept_free(&engine->kept);
    oi_vector_release(&engine->finest);
    for (size_t i = 0; i < OI_COUNT(engine->blocks); i++)
        oi_buffer_release(&engine->blocks[i]);
    oi_spool_close(&engine->spool);
    oi_clickhouse_client_free(&engine->client);
    if (engine->folder[0] != 0)
        remove_folder(engine->folder);
    oi_free(engine);
}

static const struct oi_remote_calls calls = {
    .follow = oi_clickhouse_follow,
    .is_due = oi_clickhouse_is_due,
    .commit = oi_clickhouse_commit,
    .present = oi_clickhouse_present,
    .read = oi_clickhouse_read,
    .gather = oi_clickhouse_gather,
    .sums = oi_clickhouse_sums,
    .ready = oi_filling_ready,
    .keep = keep,
    .stats = stats_of,
    .verify = oi_clickhouse_verify,
    .measure = measure,
    .retain = retain,
    .stop = oi_clickhouse_stop,
    .close = close_engine,
};

static enum oi_status
make_folder(struct oi_clickhouse *engine, struct oi_error *error)
{
    const char *temporary = getenv("TMPDIR");
    char folder[sizeof(engine->folder)];

    if (!temporary || strlen(temporary) > 32)
        temporary = "/tmp";
    (void) snprintf(folder, sizeof(folder), "%s/oi-mirror-XXXXXX", temporary);
    if (!mkdtemp(folder))
        return oi_fail(error, OI_E_IO, "cannot make a folder in %s", temporary);
    memcpy(engine->folder, folder, sizeof(folder));
    return OI_OK;
}

static enum oi_status
begin(struct oi_clickhouse *engine, const char *text, const struct oi_clickhouse_options *options,
      struct oi_error *error)
{
    const struct oi_store_options mirror = { .clock = options->clock,
                                             .is_read_only = options->is_read_only,
                                             .chunk_rows = options->chunk_rows };
    struct oi_clickhouse_address address;

    oi_random_uuid(engine->writer);
    engine->clock = options->clock ? options->clock : &oi_clock_system;
    engine->is_read_only = options->is_read_only;
    engine->filling.rows_due = options->fill_rows;
    engine->verify_rows = options->verify_rows;
    engine->turn_ns = options->turn_ns ? options->turn_ns : 60 * OI_SECOND;
    OI_TRY(oi_clickhouse_address_parse(text, &address, error));
    engine->kept = oi_kept_new((size_t) address.keep_mib << 20, options->keeps_at_once);
    OI_TRY(oi_clickhouse_client_new(&address, &engine->client, error));
    OI_TRY(oi_clickhouse_check(engine->client, NULL, NULL, &engine->server, error));
    if (!engine->server.has_rollups && !options->is_read_only)
        oi_log(OI_LOG_WARN, "clickhouse.rollups",
               "hours and days are made of the rows: their tables are missing or of an older oi, "
               "`oi clickhouse init` makes them");
    if (options->spool_folder && !options->is_read_only)
        OI_TRY(oi_spool_open(options->spool_folder, options->spool_bytes, &engine->spool, error));
    OI_TRY(make_folder(engine, error));
    return oi_remote_open(engine->folder, &mirror, &calls, engine, &engine->store, error);
}

enum oi_status
oi_clickhouse_open(const char *address, const struct oi_clickhouse_options *options,
                   struct oi_store **ret_store, struct oi_error *error)
{
    static const struct oi_clickhouse_options defaults = {};
    struct oi_clickhouse *engine = oi_alloc_zero(1, sizeof(*engine));
    struct oi_store *store;
    enum oi_status status;

    (void) pthread_mutex_init(&engine->look_lock, NULL);
    (void) pthread_cond_init(&engine->look_wanted, NULL);
    (void) pthread_mutex_init(&engine->filling.lock, NULL);
    status = begin(engine, address, options ? options : &defaults, error);
    store = engine->store;
    if (status != OI_OK) {
        close_engine(engine);
        return status;
    }
    /* What waits on disk may wait longer, as it does in a store that is open: one who died of his
     * turn holds up nobody's start. */
    status = engine->spool ? oi_remote_look(store, error) : oi_remote_follow(store, error);
    if (status != OI_OK) {
        oi_store_close(&store);
        return status;
    }
    if (engine->spool && engine->server.is_cluster)
        oi_clickhouse_drop_turns(engine);
    *ret_store = store;
    return OI_OK;
}
