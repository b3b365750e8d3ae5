/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/printer.h"

#include "support/test.h"
#include "support/test_folder.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

static int
count_files(const char *folder)
{
    DIR *open = opendir(folder);
    int count = -2; /* . and .. */

    assert_non_null(open);
    while (readdir(open))
        count++;
    (void) closedir(open);
    return count;
}

static void
read_file(const char *path, char text[64])
{
    FILE *file = fopen(path, "r");
    size_t size;

    assert_non_null(file);
    size = fread(text, 1, 63, file);
    text[size] = '\0';
    (void) fclose(file);
}

static void
write_file(const char *path, const char *text, bool is_finished)
{
    OI_CLEANUP(oi_printer_close) struct oi_printer *printer = NULL;

    assert_ok(oi_printer_open(path, &printer, NULL));
    oi_buffer_add_text(oi_printer_buffer(printer), text);
    assert_ok(oi_printer_flush(printer, NULL));
    if (is_finished)
        assert_ok(oi_printer_finish(printer, NULL));
}

static void
names_a_file_when_it_is_whole(void **state)
{
    char path[512], text[64];

    (void) snprintf(path, sizeof(path), "%s/out.csv", (char *) *state);
    write_file(path, "first", true);
    read_file(path, text);
    assert_string_equal(text, "first");
    write_file(path, "second", true);
    read_file(path, text);
    assert_string_equal(text, "second");
    assert_int_equal(count_files(*state), 1);
}

static void
leaves_nothing_behind_when_it_is_not(void **state)
{
    char path[512], text[64];

    (void) snprintf(path, sizeof(path), "%s/out.csv", (char *) *state);
    write_file(path, "old", true);
    write_file(path, "half of the n", false);
    read_file(path, text);
    assert_string_equal(text, "old");
    assert_int_equal(count_files(*state), 1);
}

static void
says_which_file_cannot_be_written(void **)
{
    struct oi_printer *printer = NULL;
    struct oi_error error = {};

    assert_status(oi_printer_open("/nowhere/at/all.csv", &printer, &error), OI_E_IO);
    assert_string_equal(error.message,
                        "cannot write /nowhere/at/all.csv: No such file or directory");
    assert_null(printer);
}

#define IN_A_FOLDER(name)                                                                          \
    cmocka_unit_test_setup_teardown(name, test_folder_setup, test_folder_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(names_a_file_when_it_is_whole),
        IN_A_FOLDER(leaves_nothing_behind_when_it_is_not),
        cmocka_unit_test(says_which_file_cannot_be_written),
    };
    return cmocka_run_group_tests_name("cli/printer", tests, NULL, NULL);
}
