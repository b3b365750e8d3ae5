/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A day's file of an archive: its checksum first, which tells whether it is in already; then the
 * file itself, checked and imported as `oi import` does it.
 */
/* no unit test: tests/contract/backfill_world_test.c fetches files over sockets */
#include "base/log.h"
#include "collector/backfill_internal.h"
#include "collector/import.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 4096

static const char *
name_of(const struct oi_buffer *path)
{
    const char *slash = strrchr(path->data, '/');

    return slash ? slash + 1 : path->data;
}

static void
path_of(const struct oi_backfill_line *line, const struct oi_backfill_lot *lot,
        struct oi_buffer *out)
{
    oi_time day = oi_interval_floor(OI_DAY, lot->span.from - line->source->first_ns);

    line->source->path(line->source, line->markets.items[lot->market].symbol, day, out);
    oi_buffer_add_char(out, '\0');
}

static void
refused(void *context, const struct oi_import_refusal *refusal)
{
    const struct oi_backfill_line *line = context;

    oi_log_throttled(OI_LOG_WARN, "backfill.row_refused", line->share.source,
                     "file=%s line=%llu reason=\"%s\"", refusal->file,
                     (unsigned long long) refusal->line, refusal->reason);
}

/* Onto disk: an import reads a file twice. What is there of an earlier try is written over. */
static enum oi_status
write_file(const char *path, struct oi_slice body, struct oi_error *error)
{
    FILE *file = fopen(path, "wbe");
    bool is_whole;

    if (!file)
        return oi_fail(error, OI_E_IO, "cannot write %s: %s", path, strerror(errno));
    is_whole = fwrite(body.data, 1, body.size, file) == body.size;
    if (fclose(file) != 0 || !is_whole)
        return oi_fail(error, OI_E_IO, "cannot write %s: %s", path, strerror(errno));
    return OI_OK;
}

static enum oi_backfill_outcome
import(struct oi_backfill_line *line, const char *name, struct oi_slice body,
       struct oi_error *error)
{
    struct oi_backfill *backfill = line->backfill;
    const struct oi_import_options options = { .archive = line->source->archive,
                                               .refused = refused,
                                               .context = line };
    struct oi_import_report report = {};
    char path[PATH_SIZE];
    enum oi_status status;

    if (snprintf(path, sizeof(path), "%s/%s", backfill->options.folder, name) >=
        (int) sizeof(path)) {
        (void) oi_fail(error, OI_E_INVALID, "a path of more than 4,000 characters");
        return OI_BACKFILL_STORE;
    }
    if (mkdir(backfill->options.folder, 0777) != 0 && errno != EEXIST) {
        (void) oi_fail(error, OI_E_IO, "cannot make %s: %s", backfill->options.folder,
                       strerror(errno));
        return OI_BACKFILL_STORE;
    }
    if (write_file(path, body, error) != OI_OK)
        return OI_BACKFILL_STORE;
    status = oi_import_file(backfill->store, path, &options, &report, error);
    (void) unlink(path);
    backfill->report.rows += report.stored;
    backfill->report.duplicates += report.duplicate;
    backfill->report.refused += report.refused;
    /* Most of it was there: the day was published again. */
    backfill->report.revised += status == OI_OK && report.stored > 0 && report.duplicate > 0;
    if (status == OI_E_FULL || status == OI_E_BUSY || status == OI_E_IO)
        return OI_BACKFILL_STORE;
    return status == OI_OK ? OI_BACKFILL_DONE : OI_BACKFILL_UNSOUND;
}

static enum oi_backfill_outcome
take_sum(struct oi_backfill_line *line, struct oi_backfill_lot *lot, const char *name,
         struct oi_slice body, struct oi_error *error)
{
    struct oi_backfill_sum sum;
    struct oi_import_mark known = {};

    if (oi_archive_sum_parse(body, name, sum.digest, error) != OI_OK)
        return OI_BACKFILL_UNSOUND;
    if (oi_store_import_find(line->backfill->store, sum.digest, &known, NULL) == OI_OK &&
        known.is_complete)
        return OI_BACKFILL_DONE;
    oi_vector_push(&line->sums, sum);
    lot->sum = (uint32_t) line->sums.count;
    return OI_BACKFILL_AGAIN;
}

enum oi_backfill_outcome
oi_backfill_take_file(struct oi_backfill_line *line, struct oi_backfill_lot *lot,
                      struct oi_slice body, struct oi_error *error)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer path = {};
    uint8_t digest[OI_SHA256_SIZE];

    path_of(line, lot, &path);
    if (line->source->ending && lot->sum == 0)
        return take_sum(line, lot, name_of(&path), body, error);
    oi_sha256(body, digest);
    if (lot->sum > 0 &&
        memcmp(digest, line->sums.items[lot->sum - 1].digest, sizeof(digest)) != 0) {
        /* Perhaps it is being published right now: ask for both again. */
        lot->sum = 0;
        (void) oi_fail(error, OI_E_UPSTREAM, "%s does not match its checksum", name_of(&path));
        return OI_BACKFILL_UNSOUND;
    }
    return import(line, name_of(&path), body, error);
}
