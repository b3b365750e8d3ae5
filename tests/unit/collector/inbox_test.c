/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/inbox.h"

#include "base/log.h"
#include "support/test_store.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HEADER "create_time,symbol,sum_open_interest,sum_open_interest_value\n"

struct fixture {
    struct test_store store;
    struct oi_inbox *inbox;
    char folder[600];
};

static void
begin(struct fixture *fixture, const char *folder)
{
    struct oi_inbox_options options = { .folder = fixture->folder,
                                        .archive = &oi_archive_binance_vision,
                                        .clock = &fixture->store.clock.clock };
    struct oi_inbox *none = NULL;

    oi_log_set_level(OI_LOG_ERROR);
    *fixture = (struct fixture){};
    test_store_begin(&fixture->store, folder, "store", &oi_kv_memory);
    (void) snprintf(fixture->folder, sizeof(fixture->folder), "%s/inbox", folder);
    assert_status(oi_inbox_open(&options, &none, NULL), OI_E_IO);
    assert_int_equal(mkdir(fixture->folder, 0777), 0);
    assert_ok(oi_inbox_open(&options, &fixture->inbox, NULL));
}

static void
end(struct fixture *fixture)
{
    oi_inbox_close(&fixture->inbox);
    test_store_close(&fixture->store);
}

/* A file that was last written to so long before the clock's now. */
static void
put(const struct fixture *fixture, const char *name, const char *text, int64_t age_ns)
{
    int64_t changed_ns = fixture->store.clock.now_ns - age_ns;
    const struct timespec times[2] = { { .tv_sec = changed_ns / OI_SECOND },
                                       { .tv_sec = changed_ns / OI_SECOND } };
    char path[800];
    FILE *file;

    (void) snprintf(path, sizeof(path), "%s/%s", fixture->folder, name);
    file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static struct oi_inbox_report
look(struct fixture *fixture)
{
    struct oi_inbox_report report = {};

    assert_ok(oi_inbox_look(fixture->inbox, fixture->store.store, &report, NULL));
    return report;
}

static void
a_file_is_imported_once_and_its_revision_again(void **state)
{
    struct fixture fixture;
    struct oi_inbox_report report;

    begin(&fixture, *state);
    assert_int_equal(look(&fixture).imported, 0);
    put(&fixture, "a.csv", HEADER "2024-01-01 00:05:00,BTCUSDT,5,50\n", OI_MINUTE);
    report = look(&fixture);
    assert_int_equal(report.imported, 1);
    assert_int_equal(report.stored, 1);
    assert_int_equal(look(&fixture).imported + look(&fixture).known, 0);
    /* The same bytes under another name. */
    put(&fixture, "b.csv", HEADER "2024-01-01 00:05:00,BTCUSDT,5,50\n", OI_MINUTE);
    assert_int_equal(look(&fixture).known, 1);
    put(&fixture, "a.csv", HEADER "2024-01-01 00:05:00,BTCUSDT,6,60\n", 30 * OI_SECOND);
    report = look(&fixture);
    assert_int_equal(report.imported, 1);
    assert_int_equal(report.stored, 1);
    end(&fixture);
}

static void
a_file_that_grows_or_is_not_finished_is_waited_for(void **state)
{
    struct fixture fixture;

    begin(&fixture, *state);
    put(&fixture, "a.csv", HEADER "2024-01-01 00:05:00,BTCUSDT,5,50\n", 0);
    put(&fixture, "c.csv.part", HEADER, OI_MINUTE);
    put(&fixture, ".hidden", "x", OI_MINUTE);
    assert_int_equal(look(&fixture).imported, 0);
    oi_virtual_clock_advance(&fixture.store.clock, OI_MINUTE);
    assert_int_equal(look(&fixture).imported, 1);
    end(&fixture);
}

static void
what_cannot_be_taken_is_told_once_and_keeps_nothing_out(void **state)
{
    struct fixture fixture;
    struct oi_inbox_report report;

    begin(&fixture, *state);
    put(&fixture, "a.pdf", "%PDF", OI_MINUTE);
    put(&fixture, "b.csv", HEADER "2024-01-01 00:05:00,BTCUSDT,5,50\nyesterday,BTCUSDT,5,50\n",
        OI_MINUTE);
    report = look(&fixture);
    assert_int_equal(report.failed, 1);
    assert_int_equal(report.imported, 1);
    assert_int_equal(report.stored, 1);
    assert_int_equal(report.refused, 1);
    assert_int_equal(look(&fixture).failed, 0);
    end(&fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, test_folder_setup, test_folder_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_imported_once_and_its_revision_again),
        TEST(a_file_that_grows_or_is_not_finished_is_waited_for),
        TEST(what_cannot_be_taken_is_told_once_and_keeps_nothing_out),
    };

    return cmocka_run_group_tests_name("collector/inbox", tests, NULL, NULL);
}
