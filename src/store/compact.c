/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file without its free pages: a compact copy takes the place of the file. Whoever had the old
 * one open would go on with what nobody else sees, so every open store holds a shared lock on the
 * marker of its folder, and this needs it alone. A crash on the way leaves the old file or the new
 * one, both whole.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "store/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of the engine. */
#define DATA_NAME "data.mdb"
/* Hidden, so that a folder with a rest of it is still ours. */
#define COPY_NAME ".compact"

struct compaction {
    char data[4096], folder[4096], copy[4096];
    int guard;
};

enum oi_status
oi_store_guard(const char *folder, bool is_alone, int *ret_file, struct oi_error *error)
{
    char path[4096];
    int file;

    if (snprintf(path, sizeof(path), "%s/" OI_STORE_MARKER, folder) >= (int) sizeof(path))
        return oi_fail(error, OI_E_INVALID, "a path of more than 4,000 characters");
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return oi_fail(error, errno == ENOENT ? OI_E_NOT_FOUND : OI_E_IO, "cannot open %s: %s",
                       path, strerror(errno));
    if (flock(file, (is_alone ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
        bool is_held = errno == EWOULDBLOCK;

        (void) close(file);
        if (!is_held)
            return oi_fail(error, OI_E_IO, "cannot lock %s: %s", path, strerror(errno));
        return oi_fail(error, OI_E_BUSY,
                       is_alone ? "another program has the store open: stop it first"
                                : "the store is being compacted: try again when that is done");
    }
    *ret_file = file;
    return OI_OK;
}

static enum oi_status
name_files(struct compaction *compaction, const char *path, struct oi_error *error)
{
    int size = (int) sizeof(compaction->data);

    if (snprintf(compaction->data, sizeof(compaction->data), "%s/" DATA_NAME, path) >= size ||
        snprintf(compaction->folder, sizeof(compaction->folder), "%s/" COPY_NAME, path) >= size ||
        snprintf(compaction->copy, sizeof(compaction->copy), "%s/" COPY_NAME "/" DATA_NAME, path) >=
            size)
        return oi_fail(error, OI_E_INVALID, "a path of more than 4,000 characters");
    return OI_OK;
}

static enum oi_status
sync_path(const char *path, struct oi_error *error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    bool is_synced = file >= 0 && fsync(file) == 0;

    if (file >= 0)
        (void) close(file);
    if (!is_synced)
        return oi_fail(error, OI_E_IO, "cannot sync %s: %s", path, strerror(errno));
    return OI_OK;
}

static void
remove_copy(const struct compaction *compaction)
{
    (void) unlink(compaction->copy);
    (void) rmdir(compaction->folder);
}

static enum oi_status
make_copy(const struct compaction *compaction, const char *path, struct oi_error *error)
{
    const struct oi_kv_options options = {
        .is_read_only = true,
        .table_count = OI_TABLE_COUNT,
        .tables = oi_table_names,
    };
    struct oi_kv *kv = NULL;
    enum oi_status status;

    remove_copy(compaction); /* of an attempt that was cut short */
    if (mkdir(compaction->folder, 0755) != 0)
        return oi_fail(error, errno == ENOSPC ? OI_E_FULL : OI_E_IO,
                       "cannot make the folder %s: %s", compaction->folder, strerror(errno));
    OI_TRY(oi_kv_lmdb.open(path, &options, &kv, error));
    status = oi_kv_lmdb.copy(kv, compaction->folder, error);
    oi_kv_lmdb.close(&kv);
    OI_TRY(status);
    return sync_path(compaction->copy, error);
}

static enum oi_status
swap(const struct compaction *compaction, const char *path, uint64_t *ret_before,
     uint64_t *ret_after, struct oi_error *error)
{
    struct stat before, after;

    if (stat(compaction->data, &before) != 0 || stat(compaction->copy, &after) != 0)
        return oi_fail(error, OI_E_IO, "cannot measure %s: %s", compaction->data, strerror(errno));
    if (chmod(compaction->copy, before.st_mode & 07777) != 0 ||
        rename(compaction->copy, compaction->data) != 0)
        return oi_fail(error, OI_E_IO, "cannot replace %s: %s", compaction->data, strerror(errno));
    OI_TRY(sync_path(path, error));
    *ret_before = (uint64_t) before.st_size;
    *ret_after = (uint64_t) after.st_size;
    return OI_OK;
}

enum oi_status
oi_store_compact(const char *path, uint64_t *ret_before, uint64_t *ret_after,
                 struct oi_error *error)
{
    struct compaction compaction;
    enum oi_status status;

    OI_TRY(name_files(&compaction, path, error));
    OI_TRY(oi_store_guard(path, true, &compaction.guard, error));
    status = make_copy(&compaction, path, error);
    if (status == OI_OK)
        status = swap(&compaction, path, ret_before, ret_after, error);
    remove_copy(&compaction);
    (void) close(compaction.guard);
    return status;
}
