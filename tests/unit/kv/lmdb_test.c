/* SPDX-License-Identifier: Apache-2.0 */
/* What is LMDB's own: its map, its file and its readers. The rest is in the contract suite. */
#include "base/slice.h"
#include "kv/kv.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/test.h"
#include "support/test_folder.h"

static const char *const table_names[] = { "only" };

static struct oi_kv *
open_kv(const char *folder, size_t map_size)
{
    const struct oi_kv_options options = { .map_size = map_size,
                                           .table_count = 1,
                                           .tables = table_names };
    struct oi_kv *kv = NULL;

    assert_ok(oi_kv_lmdb.open(folder, &options, &kv, NULL));
    return kv;
}

/* One transaction of `count` entries of 10,000 bytes. */
static enum oi_status
write_many(struct oi_kv *kv, unsigned first, unsigned count)
{
    static const char bytes[10'000];
    struct oi_kv_txn *txn = NULL;

    OI_TRY(oi_kv_lmdb.begin(kv, OI_KV_WRITE, &txn, NULL));
    for (unsigned i = first; i < first + count; i++) {
        char key[16];

        snprintf(key, sizeof(key), "%08u", i);
        if (oi_kv_lmdb.put(txn, 0, oi_slice_of(key), (struct oi_slice){ bytes, sizeof(bytes) },
                           NULL) != OI_OK)
            break; /* the commit says it again */
    }
    return oi_kv_lmdb.commit(&txn, NULL);
}

static unsigned
count_entries(struct oi_kv *kv)
{
    struct oi_kv_txn *txn = NULL;
    struct oi_kv_cursor *cursor = NULL;
    struct oi_slice key;
    struct oi_slice value;
    enum oi_status status;
    unsigned count = 0;

    assert_ok(oi_kv_lmdb.begin(kv, OI_KV_READ, &txn, NULL));
    assert_ok(oi_kv_lmdb.cursor_open(txn, 0, &cursor, NULL));
    status = oi_kv_lmdb.seek(cursor, OI_SLICE(""), &key, &value, NULL);
    for (; status == OI_OK; status = oi_kv_lmdb.next(cursor, &key, &value, NULL))
        count++;
    assert_status(status, OI_E_NOT_FOUND);
    oi_kv_lmdb.cursor_close(&cursor);
    oi_kv_lmdb.abort(&txn);
    return count;
}

static void
grows_a_full_map_so_that_the_transaction_can_be_repeated(void **state)
{
    struct oi_kv *kv = open_kv(*state, 256 << 10);

    assert_status(write_many(kv, 0, 100), OI_E_FULL);
    assert_int_equal(count_entries(kv), 0);
    assert_ok(write_many(kv, 0, 100));
    assert_int_equal(count_entries(kv), 100);
    assert_true(oi_kv_lmdb.sizes(kv).map_bytes > 256 << 10);
    oi_kv_lmdb.close(&kv);
    kv = open_kv(*state, 256 << 10); /* a map that is too small for the file is not used */
    assert_int_equal(count_entries(kv), 100);
    oi_kv_lmdb.close(&kv);
}

static void
grows_the_map_ahead_of_need(void **state)
{
    struct oi_kv *kv = open_kv(*state, 1 << 20);

    for (unsigned i = 0; i < 500; i++)
        assert_ok(write_many(kv, i, 1));
    assert_int_equal(count_entries(kv), 500);
    oi_kv_lmdb.close(&kv);
}

static void *
read_for_a_moment(void *context)
{
    usleep(100'000);
    oi_kv_lmdb.abort(context);
    return NULL;
}

static void
waits_for_open_readers_before_it_replaces_the_map(void **state)
{
    struct oi_kv *kv = open_kv(*state, 256 << 10);
    struct oi_kv_txn *reader = NULL;
    struct oi_slice value;
    pthread_t thread;

    assert_ok(write_many(kv, 0, 1));
    assert_ok(oi_kv_lmdb.begin(kv, OI_KV_READ, &reader, NULL));
    assert_ok(oi_kv_lmdb.get(reader, 0, OI_SLICE("00000000"), &value, NULL));
    assert_status(write_many(kv, 1, 50), OI_E_FULL);
    assert_int_equal(value.data[value.size - 1], 0); /* the old map is still there */
    assert_int_equal(pthread_create(&thread, NULL, read_for_a_moment, &reader), 0);
    assert_ok(write_many(kv, 1, 50));
    pthread_join(thread, NULL);
    assert_int_equal(count_entries(kv), 51);
    oi_kv_lmdb.close(&kv);
}

static void
takes_over_a_map_that_another_process_has_grown(void **state)
{
    struct oi_kv *kv = open_kv(*state, 256 << 10);
    uint64_t before = oi_kv_lmdb.last_commit(kv);
    int exit_status = -1;
    pid_t child = fork();

    if (child == 0) {
        struct oi_kv *other = NULL;
        const struct oi_kv_options options = { .map_size = 8 << 20,
                                               .table_count = 1,
                                               .tables = table_names };

        if (oi_kv_lmdb.open(*state, &options, &other, NULL) != OI_OK)
            _exit(1);
        _exit(write_many(other, 0, 300) == OI_OK ? 0 : 2);
    }
    assert_int_equal(waitpid(child, &exit_status, 0), child);
    assert_int_equal(exit_status, 0);
    assert_true(oi_kv_lmdb.last_commit(kv) > before);
    assert_int_equal(count_entries(kv), 300);
    assert_ok(write_many(kv, 300, 1));
    oi_kv_lmdb.close(&kv);
}

/* A database without a commit, as LMDB writes it first, ends in the midst of its two heads. */
static void
makes_a_file_anew_whose_making_was_cut(void **state)
{
    const struct oi_kv_options options = { .table_count = 0 };
    char path[512];
    struct oi_kv *kv = NULL;

    assert_ok(oi_kv_lmdb.open(*state, &options, &kv, NULL));
    oi_kv_lmdb.close(&kv);
    (void) snprintf(path, sizeof(path), "%s/data.mdb", (const char *) *state);
    assert_int_equal(truncate(path, 4096), 0);
    kv = open_kv(*state, 0);
    assert_ok(write_many(kv, 0, 3));
    assert_int_equal(count_entries(kv), 3);
    assert_ok(write_many(kv, 3, 3));
    oi_kv_lmdb.close(&kv);
    /* Once it was whole, it is a cut one. */
    assert_int_equal(truncate(path, 4096), 0);
    assert_status(oi_kv_lmdb.open(*state, &options, &kv, NULL), OI_E_CORRUPT);
}

static void
refuses_a_file_that_was_cut(void **state)
{
    const struct oi_kv_options options = { .table_count = 1, .tables = table_names };
    struct oi_kv *kv = open_kv(*state, 0);
    struct oi_error error = {};
    struct stat status;
    char path[1024];

    assert_ok(write_many(kv, 0, 100));
    oi_kv_lmdb.close(&kv);
    snprintf(path, sizeof(path), "%s/data.mdb", (const char *) *state);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(truncate(path, status.st_size - 4096), 0);
    assert_status(oi_kv_lmdb.open(*state, &options, &kv, &error), OI_E_CORRUPT);
    assert_non_null(strstr(error.message, "is cut"));
    assert_int_equal(truncate(path, 5000), 0);
    assert_status(oi_kv_lmdb.open(*state, &options, &kv, &error), OI_E_CORRUPT);
    assert_null(kv);
}

static void
refuses_a_file_that_is_something_else(void **state)
{
    const struct oi_kv_options options = { .table_count = 1, .tables = table_names };
    struct oi_kv *kv = NULL;
    char path[1024];
    FILE *file;

    snprintf(path, sizeof(path), "%s/data.mdb", (const char *) *state);
    file = fopen(path, "w");
    assert_non_null(file);
    for (unsigned i = 0; i < 10'000; i++)
        fputs("not a database ", file);
    fclose(file);
    assert_status(oi_kv_lmdb.open(*state, &options, &kv, NULL), OI_E_CORRUPT);
}

static void
says_that_a_folder_is_absent(void **state)
{
    const struct oi_kv_options options = { .table_count = 1, .tables = table_names };
    struct oi_kv *kv = NULL;
    char path[1024];

    snprintf(path, sizeof(path), "%s/absent", (const char *) *state);
    assert_status(oi_kv_lmdb.open(path, &options, &kv, NULL), OI_E_NOT_FOUND);
}

static void
tells_how_far_the_oldest_reader_is_behind(void **state)
{
    struct oi_kv *kv = open_kv(*state, 0);
    struct oi_kv_txn *reader = NULL;

    assert_ok(oi_kv_lmdb.begin(kv, OI_KV_READ, &reader, NULL));
    for (unsigned i = 0; i < 3; i++)
        assert_ok(write_many(kv, i, 1));
    assert_int_equal(oi_kv_lmdb.sizes(kv).oldest_reader_lag, 3);
    oi_kv_lmdb.abort(&reader);
    assert_int_equal(oi_kv_lmdb.sizes(kv).oldest_reader_lag, 0);
    oi_kv_lmdb.close(&kv);
}

static void
clears_the_slots_of_readers_that_died(void **state)
{
    struct oi_kv *kv = open_kv(*state, 0);
    pid_t child;

    assert_ok(write_many(kv, 0, 1));
    oi_kv_lmdb.close(&kv);
    child = fork();
    if (child == 0) {
        struct oi_kv_txn *txn = NULL;

        kv = open_kv(*state, 0);
        _exit(oi_kv_lmdb.begin(kv, OI_KV_READ, &txn, NULL) == OI_OK ? 0 : 1);
    }
    waitpid(child, NULL, 0);
    kv = open_kv(*state, 0);
    assert_ok(write_many(kv, 1, 1));
    assert_int_equal(oi_kv_lmdb.sizes(kv).oldest_reader_lag, 0);
    oi_kv_lmdb.close(&kv);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, test_folder_setup, test_folder_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(grows_a_full_map_so_that_the_transaction_can_be_repeated),
        TEST(grows_the_map_ahead_of_need),
        TEST(waits_for_open_readers_before_it_replaces_the_map),
        TEST(takes_over_a_map_that_another_process_has_grown),
        TEST(makes_a_file_anew_whose_making_was_cut),
        TEST(refuses_a_file_that_was_cut),
        TEST(refuses_a_file_that_is_something_else),
        TEST(says_that_a_folder_is_absent),
        TEST(tells_how_far_the_oldest_reader_is_behind),
        TEST(clears_the_slots_of_readers_that_died),
    };
    return cmocka_run_group_tests_name("kv/lmdb", tests, NULL, NULL);
}
