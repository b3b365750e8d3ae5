/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of tests, under TMPDIR. */
#include "support/test_folder.h"

#include "base/alloc.h"
#include "base/slice.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int
test_folder_setup(void **state)
{
    const char *parent = getenv("TMPDIR");
    char path[1024];

    snprintf(path, sizeof(path), "%s/oi-test-XXXXXX", parent && *parent ? parent : "/tmp");
    if (!mkdtemp(path))
        return -1;
    *state = oi_copy_text(oi_slice_of(path));
    return 0;
}

static int
remove_one(const char *path, const struct stat *, int, struct FTW *)
{
    return remove(path);
}

int
test_folder_teardown(void **state)
{
    int result = nftw(*state, remove_one, 16, FTW_DEPTH | FTW_PHYS);

    oi_free(*state);
    return result;
}
