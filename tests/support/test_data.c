/* SPDX-License-Identifier: Apache-2.0 */
/* Finds recorded data and reads files for tests; a file that should be there and is not, fails. */
#include "support/test_data.h"

#include "base/alloc.h"
#include "support/test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool
test_data_find(const char *relative, char ret_path[TEST_PATH_SIZE])
{
    const char *folder = getenv("OI_TEST_DATA");
    char path[TEST_PATH_SIZE];
    int size =
        snprintf(path, sizeof(path), "%s/%s", folder && *folder ? folder : "../shared", relative);

    if (size < 0 || (size_t) size >= sizeof(path) || access(path, R_OK) != 0)
        return false;
    memcpy(ret_path, path, (size_t) size + 1);
    return true;
}

void
test_file_read(const char *path, struct oi_buffer *buffer)
{
    FILE *file = fopen(path, "rb");
    char bytes[65536];
    size_t size;

    if (!file)
        fail_msg("%s cannot be opened", path);
    while ((size = fread(bytes, 1, sizeof(bytes), file)) > 0)
        oi_buffer_add(buffer, bytes, size);
    (void) fclose(file);
}

static int
is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

size_t
test_names_list(const char *folder, char ***ret_names)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_shown, alphasort);
    char **names;

    if (count < 0)
        count = 0;
    names = oi_alloc(((size_t) count + 1) * sizeof(*names));
    for (int i = 0; i < count; i++) {
        size_t size = strlen(entries[i]->d_name) + 1;

        names[i] = oi_alloc(size);
        memcpy(names[i], entries[i]->d_name, size);
        free(entries[i]);
    }
    free(entries);
    *ret_names = names;
    return (size_t) count;
}

void
test_names_free(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        oi_free(names[i]);
    oi_free(names);
}
