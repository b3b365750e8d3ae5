/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver of an import. The file is read twice: once for its fingerprint, which the ledger is
 * asked for, and once for its rows. Where the ledger can have nothing to say, as it knows no file
 * of that size, a large table is read once and fingerprinted on the way: until then the ledger
 * knows it by what the file system says of it, which changes with every change to the file. A
 * ledger that has files by their SHA-256, as earlier versions wrote, is asked for that as well.
 */
#include "collector/import.h"

#include "base/compress.h"
#include "base/crypto.h"
#include "base/fingerprint.h"
#include "collector/import_batch.h"
#include "collector/import_bulk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Small enough that a damaged file loses little before its damage. */
#define PIECE_SIZE ((size_t) 65'536)
/* A piece of zeros unpacks to a thousand times its size. */
#define UNPACKED_MAX ((size_t) 256 << 20)
/* A zip archive is read whole; a day's metrics are some kB. */
#define ZIP_SIZE_MAX ((size_t) 1 << 30)
#define ZIP_ENTRY_MAX ((size_t) 2 << 30)

struct import {
    struct oi_store *store;
    const struct oi_import_options *options;
    const char *path, *base_name;
    struct oi_import_mark mark;
    struct oi_import_progress progress;
    struct oi_import_report report;
    struct oi_import_batch *batch;
    struct oi_archive_options reading; /* of the source being read */
    char name[OI_FEED_NAME_SIZE];      /* of the feed, behind "import:" */
    bool is_hashed;                    /* `fingerprint` is the file's */
    uint8_t fingerprint[OI_FINGERPRINT_SIZE];
};

static void
close_file(FILE **file)
{
    if (*file)
        (void) fclose(*file);
}

static enum oi_status
open_file(const char *path, FILE **ret_file, struct oi_error *error)
{
    struct stat facts;
    FILE *file = fopen(path, "rbe");

    if (!file)
        return oi_fail(error, errno == ENOENT ? OI_E_NOT_FOUND : OI_E_IO, "%s", strerror(errno));
    if (fstat(fileno(file), &facts) != 0 || !S_ISREG(facts.st_mode)) {
        (void) fclose(file);
        return oi_fail(error, OI_E_INVALID, "not a regular file");
    }
    *ret_file = file;
    return OI_OK;
}

/* The next piece; an empty one at the end. */
static enum oi_status
read_piece(FILE *file, char piece[PIECE_SIZE], struct oi_slice *ret_piece, struct oi_error *error)
{
    *ret_piece = (struct oi_slice){ piece, fread(piece, 1, PIECE_SIZE, file) };
    if (ferror(file))
        return oi_fail(error, OI_E_IO, "%s", strerror(errno));
    return OI_OK;
}

/* The fingerprint, and the SHA-256 too unless that is NULL. */
static enum oi_status
hash_file(struct import *import, FILE *file, bool *ret_is_zip, uint8_t *ret_sha256,
          struct oi_error *error)
{
    OI_CLEANUP(oi_fingerprint_abandon)
    struct oi_fingerprint_stream *stream = oi_fingerprint_begin();
    OI_CLEANUP(oi_sha256_abandon)
    struct oi_sha256_stream *old = ret_sha256 ? oi_sha256_begin() : NULL;
    OI_CLEANUP(oi_free_pointer) char *piece = oi_alloc(PIECE_SIZE);
    struct oi_slice bytes;

    import->progress.bytes_total = 0;
    do {
        OI_TRY(read_piece(file, piece, &bytes, error));
        if (import->progress.bytes_total == 0)
            *ret_is_zip = oi_is_zip(bytes);
        oi_fingerprint_add(stream, bytes);
        if (old)
            oi_sha256_add(old, bytes);
        import->progress.bytes_total += bytes.size;
    } while (bytes.size > 0);
    oi_fingerprint_finish(&stream, import->fingerprint);
    if (old)
        oi_sha256_finish(&old, ret_sha256);
    import->is_hashed = true;
    rewind(file);
    return OI_OK;
}

/*
 * Rows.
 */

static enum oi_status
take_row(void *context, const struct oi_archive_row *row, struct oi_error *error)
{
    struct import *import = context;

    import->progress.rows++;
    return oi_import_batch_add(import->batch, row, error);
}

static void
refuse_row(void *context, const struct oi_archive_refusal *refusal)
{
    struct import *import = context;

    import->progress.rows++;
    oi_import_batch_refuse(import->batch, refusal);
}

static void
show_progress(const struct import *import)
{
    if (import->options->progress)
        import->options->progress(import->options->context, &import->progress);
}

static const char *
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* One stream of bytes through a reader: `push` gives them. What came before a failure is kept. */
static enum oi_status
read_source(struct import *import, const char *name, const char *file_name,
            enum oi_status (*push)(void *context, struct oi_reader *reader, struct oi_error *error),
            void *context, struct oi_error *error)
{
    const struct oi_archive_sink sink = { take_row, refuse_row, import };
    struct oi_reader *reader = NULL;
    struct oi_error trouble = {};
    enum oi_status status, kept;

    import->reading = (struct oi_archive_options){ .file_name = file_name,
                                                   .mapping = import->options->mapping,
                                                   .zones = import->options->zones };
    OI_TRY(oi_reader_open(import->options->archive, &import->reading, &sink, &reader, error));
    oi_import_batch_source(import->batch, reader, name);
    status = push(context, reader, error);
    if (status == OI_E_FULL || status == OI_E_IO || status == OI_E_BUSY) {
        /* Perhaps the store's own trouble: it is not asked again. */
        oi_reader_close(&reader);
        return status;
    }
    kept = oi_import_batch_flush(import->batch, false, &trouble);
    oi_reader_close(&reader);
    if (kept != OI_OK && status == OI_OK)
        return oi_fail(error, kept, "%s", trouble.message);
    return status;
}

struct file_source {
    struct import *import;
    FILE *file;
};

static enum oi_status
push_file(void *context, struct oi_reader *reader, struct oi_error *error)
{
    struct file_source *source = context;
    struct import *import = source->import;
    OI_CLEANUP(oi_unpacker_free) struct oi_unpacker *unpacker = oi_unpacker_new();
    OI_CLEANUP(oi_free_pointer) char *piece = oi_alloc(PIECE_SIZE);
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = { .size_max = UNPACKED_MAX };
    struct oi_slice bytes;

    do {
        OI_TRY(read_piece(source->file, piece, &bytes, error));
        oi_buffer_clear(&out);
        OI_TRY(oi_unpacker_add(unpacker, bytes, bytes.size == 0, &out, error));
        OI_TRY(oi_reader_add(reader, oi_buffer_slice(&out), bytes.size == 0, error));
        import->progress.bytes_done += bytes.size;
        show_progress(import);
    } while (bytes.size > 0);
    return OI_OK;
}

static enum oi_status
push_bytes(void *context, struct oi_reader *reader, struct oi_error *error)
{
    return oi_reader_add(reader, *(struct oi_slice *) context, true, error);
}

static enum oi_status
read_entry(void *context, const char *name, struct oi_slice content, struct oi_error *error)
{
    struct import *import = context;
    char both[512];
    enum oi_status status;

    (void) snprintf(both, sizeof(both), "%s:%s", import->path, name);
    status = read_source(import, both, base_name(name), push_bytes, &content, error);
    if (status != OI_OK)
        return oi_fail_in(error, status, "%s: ", name);
    return OI_OK;
}

static enum oi_status
read_zip(struct import *import, FILE *file, struct oi_error *error)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer whole = { .size_max = ZIP_SIZE_MAX };
    OI_CLEANUP(oi_free_pointer) char *piece = oi_alloc(PIECE_SIZE);
    struct oi_slice bytes;

    do {
        OI_TRY(read_piece(file, piece, &bytes, error));
        oi_buffer_add_slice(&whole, bytes);
    } while (bytes.size > 0);
    if (whole.overflowed)
        return oi_fail(error, OI_E_INVALID, "a zip archive of more than 1 GiB: unpack it first");
    import->progress.bytes_done = import->progress.bytes_total;
    OI_TRY(oi_zip_each(oi_buffer_slice(&whole), ZIP_ENTRY_MAX, read_entry, import, error));
    show_progress(import);
    return OI_OK;
}

/*
 * The file as a whole.
 */

/* "hl_oi_usd_1m_BTC.csv.gz" is the feed import:hl_oi_usd_1m_BTC. */
static void
set_name(struct import *import)
{
    static const char *const endings[] = { ".gz",  ".zst",   ".zip",    ".csv", ".txt",
                                           ".tsv", ".jsonl", ".ndjson", ".json" };
    const char *name = import->options->name ? import->options->name : import->base_name;
    struct oi_slice text = oi_slice_of(name);

    for (size_t i = 0; !import->options->name && i < OI_COUNT(endings); i++) {
        if (oi_slice_ends_with(text, endings[i]) && text.size > strlen(endings[i])) {
            text.size -= strlen(endings[i]);
            i = SIZE_MAX; /* another may stand before it */
        }
    }
    (void) snprintf(import->name, sizeof(import->name), "%.*s", OI_SLICE_ARGS(text));
    (void) snprintf(import->mark.name, sizeof(import->mark.name), "%.*s",
                    (int) sizeof(import->mark.name) - 1, import->base_name);
    (void) snprintf(import->mark.format, sizeof(import->mark.format), "%s",
                    import->options->archive->name);
}

/* What the ledger knows of a file under that name, which the mark is known by until another one is
 * found. */
static enum oi_status
ask_ledger(struct import *import, const uint8_t fingerprint[OI_FINGERPRINT_SIZE],
           bool *ret_is_known, struct oi_error *error)
{
    struct oi_import_mark known;
    struct oi_error none = {};
    enum oi_status status = oi_store_import_find(import->store, fingerprint, &known, &none);

    *ret_is_known = status == OI_OK;
    if (status == OI_E_NOT_FOUND)
        return OI_OK;
    if (status != OI_OK)
        return oi_fail(error, status, "%s", none.message);
    import->report.was_imported = known.is_complete;
    import->report.rows_before = known.rows_done;
    /* Half of it came as another format: its rows would be counted otherwise. */
    if (!known.is_complete && strcmp(known.format, import->mark.format) != 0)
        return oi_fail(error, OI_E_INVALID,
                       "a part of it was imported as %s: go on with that, or withdraw it",
                       known.format);
    import->mark = known;
    return OI_OK;
}

/* What a file is known by until it is hashed. */
static void
name_by_facts(const struct stat *facts, uint8_t ret_fingerprint[OI_FINGERPRINT_SIZE])
{
    const int64_t numbers[] = {
        (int64_t) facts->st_dev, (int64_t) facts->st_ino, (int64_t) facts->st_size,
        facts->st_mtim.tv_sec,   facts->st_mtim.tv_nsec,  facts->st_ctim.tv_sec,
        facts->st_ctim.tv_nsec,
    };

    oi_fingerprint_of_facts((struct oi_slice){ (const char *) numbers, sizeof(numbers) },
                            ret_fingerprint);
}

/* May it be hashed while its rows are read? */
static bool
suits_one_reading(const struct import *import, FILE *file, const struct stat *facts)
{
    char head[4];

    return oi_import_bulk_suits(import->options, (uint64_t) facts->st_size) &&
           pread(fileno(file), head, sizeof(head), 0) == (ssize_t) sizeof(head) &&
           !oi_is_zip((struct oi_slice){ head, sizeof(head) });
}

/* The file's identity, and what the ledger knows of it. */
static enum oi_status
identify(struct import *import, FILE *file, bool *ret_is_zip, struct oi_error *error)
{
    uint8_t sha256[OI_SHA256_SIZE];
    struct stat facts = {};
    struct oi_import_kin kin;
    bool is_known;

    if (fstat(fileno(file), &facts) != 0)
        return oi_fail(error, OI_E_IO, "%s", strerror(errno));
    OI_TRY(oi_store_import_kin(import->store, (uint64_t) facts.st_size, &kin, error));
    if (suits_one_reading(import, file, &facts)) {
        name_by_facts(&facts, import->mark.fingerprint);
        OI_TRY(ask_ledger(import, import->mark.fingerprint, &is_known, error));
        import->progress.bytes_total = (uint64_t) facts.st_size;
        if (import->report.rows_before > 0 || (!kin.has_size && !kin.has_sha256))
            return OI_OK;
    }
    OI_TRY(hash_file(import, file, ret_is_zip, kin.has_sha256 ? sha256 : NULL, error));
    memcpy(import->mark.fingerprint, import->fingerprint, sizeof(import->fingerprint));
    OI_TRY(ask_ledger(import, import->fingerprint, &is_known, error));
    if (!is_known && kin.has_sha256)
        OI_TRY(ask_ledger(import, sha256, &is_known, error));
    return OI_OK;
}

/* A large plain table goes in bulk as far as that goes, the rest row by row. */
static enum oi_status
read_table(struct import *import, struct file_source *source, struct oi_error *error)
{
    const struct oi_archive_options reading = { .file_name = import->base_name,
                                                .mapping = import->options->mapping,
                                                .zones = import->options->zones };
    uint8_t *fingerprint = import->is_hashed ? NULL : import->fingerprint;
    const struct oi_import_bulk_source bulk = { .store = import->store,
                                                .options = import->options,
                                                .reading = &reading,
                                                .file = source->file,
                                                .name = import->path,
                                                .mark = &import->mark,
                                                .batch = import->batch,
                                                .progress = &import->progress,
                                                .fingerprint = fingerprint };
    bool is_done = false, is_zip;

    if (!import->options->is_never_bulk)
        OI_TRY(oi_import_bulk(&bulk, &is_done, error));
    if (is_done) {
        import->is_hashed = true;
        return OI_OK;
    }
    if (!import->is_hashed) {
        OI_TRY(hash_file(import, source->file, &is_zip, NULL, error));
        if (import->mark.rows_done == 0)
            memcpy(import->mark.fingerprint, import->fingerprint, sizeof(import->fingerprint));
    }
    import->progress.rows = import->progress.bytes_done = 0;
    return read_source(import, import->path, import->base_name, push_file, source, error);
}

/* The ledger learns the fingerprint of a file that came in without. */
static enum oi_status
name_by_fingerprint(struct import *import, struct oi_error *error)
{
    struct oi_error none = {};
    enum oi_status status;

    if (memcmp(import->mark.fingerprint, import->fingerprint, sizeof(import->fingerprint)) == 0)
        return OI_OK;
    status =
        oi_store_import_rename(import->store, import->mark.fingerprint, import->fingerprint, &none);
    if (status != OI_OK && status != OI_E_NOT_FOUND) /* nothing of it is in the store */
        return oi_fail(error, status, "%s", none.message);
    memcpy(import->mark.fingerprint, import->fingerprint, sizeof(import->fingerprint));
    return OI_OK;
}

static enum oi_status
import_file(struct import *import, struct oi_error *error)
{
    OI_CLEANUP(close_file) FILE *file = NULL;
    struct oi_import_options options = *import->options;
    struct file_source source = { .import = import };
    bool is_zip = false;
    enum oi_status status;

    OI_TRY(open_file(import->path, &file, error));
    set_name(import);
    OI_TRY(identify(import, file, &is_zip, error));
    if (import->report.was_imported)
        return OI_OK;
    options.name = import->name;
    source.file = file;
    import->batch = oi_import_batch_new(import->store, &options, &import->mark, &import->report);
    status = is_zip ? read_zip(import, file, error) : read_table(import, &source, error);
    if (status == OI_OK)
        status = name_by_fingerprint(import, error);
    if (status == OI_OK)
        status = oi_import_batch_flush(import->batch, true, error);
    oi_import_batch_free(&import->batch);
    return status;
}

enum oi_status
oi_import_file(struct oi_store *store, const char *path, const struct oi_import_options *options,
               struct oi_import_report *ret_report, struct oi_error *error)
{
    struct import import = {
        .store = store, .options = options, .path = path, .base_name = base_name(path)
    };
    enum oi_status status = import_file(&import, error);

    import.report.rows = import.mark.rows_done;
    import.report.stored = import.mark.stored;
    import.report.duplicate = import.mark.duplicate;
    import.report.refused = import.mark.refused;
    *ret_report = import.report;
    if (status != OI_OK)
        return oi_fail_in(error, status, "%s: ", path);
    return OI_OK;
}
