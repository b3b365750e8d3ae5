/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recorded data that golden tests are held against: a folder outside the repository, named by
 * OI_TEST_DATA, else ../shared. It is read in place and may be absent; then such tests skip and say
 * how many they would have run. Fixtures, which are always there, are tests/fixtures/...: every
 * test starts at the root of the source tree.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

#define TEST_PATH_SIZE 1024

/* The path of a file or folder of the recorded data ("wire/examples"); false if it is not there. */
bool test_data_find(const char *relative, char ret_path[TEST_PATH_SIZE]);

/* Append a whole file to `buffer`; the test fails if it cannot be read. */
void test_file_read(const char *path, struct oi_buffer *buffer);

/* The names in a folder, without those that begin with a dot, sorted; the count. Free each and the
 * array with test_names_free. An absent folder has none. */
size_t test_names_list(const char *folder, char ***ret_names);
void test_names_free(char **names, size_t count);
