/* SPDX-License-Identifier: Apache-2.0 */
/* A compact copy of a live store into a new folder: the engine copies one transaction's state. */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "store/store_internal.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static enum oi_status
check_empty(const char *path, struct oi_error *error)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    bool is_empty = true;

    if (!folder)
        return oi_fail(error, OI_E_IO, "cannot read the folder %s: %s", path, strerror(errno));
    while ((entry = readdir(folder)))
        is_empty &= strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    (void) closedir(folder);
    if (!is_empty)
        return oi_fail(error, OI_E_INVALID, "the folder %s is not empty: name a new one", path);
    return OI_OK;
}

enum oi_status
oi_store_backup(struct oi_store *store, const char *path, struct oi_error *error)
{
    if (store->remote)
        return oi_fail(error, OI_E_INVALID,
                       "this store's rows are elsewhere: `oi copy` makes a store of them");
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        return oi_fail(error, OI_E_IO, "cannot make the folder %s: %s", path, strerror(errno));
    OI_TRY(check_empty(path, error));
    OI_TRY(store->engine->copy(store->kv, path, error));
    return oi_store_mark_folder(path, error);
}
