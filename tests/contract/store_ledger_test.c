/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The import ledger: how much of it is walked for a file, and what two who have the store open know
 * of each other's files.
 */
#include "base/fingerprint.h"
#include "kv/memory.h"

#include <string.h>

#include "support/test_store.h"

#define FILES 2000
/* Steps that a question about one file may take, however many there are. */
#define STEPS_MAX 20

static const struct oi_kv_engine *counted; /* which this counts the steps of */
static size_t steps;

static enum oi_status
count_next(struct oi_kv_cursor *cursor, struct oi_slice *ret_key, struct oi_slice *ret_value,
           struct oi_error *error)
{
    steps++;
    return counted->next(cursor, ret_key, ret_value, error);
}

static enum oi_status
count_seek(struct oi_kv_cursor *cursor, struct oi_slice key, struct oi_slice *ret_key,
           struct oi_slice *ret_value, struct oi_error *error)
{
    steps++;
    return counted->seek(cursor, key, ret_key, ret_value, error);
}

/* Whatever is found under a key counts too. */
static enum oi_status
count_get(struct oi_kv_txn *txn, unsigned table, struct oi_slice key, struct oi_slice *ret_value,
          struct oi_error *error)
{
    steps++;
    return counted->get(txn, table, key, ret_value, error);
}

/* The file with so many bytes. */
static struct oi_import_mark
mark_of(size_t size, bool is_complete)
{
    static const char bytes[FILES + 10] = {};
    struct oi_import_mark mark = { .name = "file.csv",
                                   .format = "csv",
                                   .is_complete = is_complete };

    oi_fingerprint_of((struct oi_slice){ bytes, size }, mark.fingerprint);
    return mark;
}

/* Whose bytes are not known yet. */
static struct oi_import_mark
mark_by_facts(int number)
{
    struct oi_import_mark mark = { .name = "file.csv", .format = "csv", .is_complete = true };

    oi_fingerprint_of_facts((struct oi_slice){ (const char *) &number, sizeof(number) },
                            mark.fingerprint);
    return mark;
}

static uint64_t
import(struct oi_store *store, struct oi_import_mark mark)
{
    const struct oi_batch batch = { .import = &mark };
    struct oi_append_result result = {};

    assert_ok(oi_store_append(store, &batch, &result, NULL));
    return result.batch;
}

static bool
is_there(struct oi_store *store, struct oi_import_mark mark)
{
    struct oi_import_mark found;
    enum oi_status status = oi_store_import_find(store, mark.fingerprint, &found, NULL);

    if (status == OI_OK)
        assert_memory_equal(found.fingerprint, mark.fingerprint, OI_FINGERPRINT_SIZE);
    else
        assert_status(status, OI_E_NOT_FOUND);
    return status == OI_OK;
}

static bool
has_size(struct oi_store *store, size_t size)
{
    struct oi_import_kin kin;

    assert_ok(oi_store_import_kin(store, size, &kin, NULL));
    assert_false(kin.has_sha256);
    return kin.has_size;
}

static void
a_file_is_found_without_walking_the_others(void **state)
{
    struct oi_kv_engine counting = oi_kv_memory;
    struct test_store test;

    counted = &oi_kv_memory;
    counting.next = count_next;
    counting.seek = count_seek;
    counting.get = count_get;
    test_store_begin(&test, *state, "store", &counting);
    for (size_t i = 1; i <= FILES; i++)
        (void) import(test.store, mark_of(i, true));
    test_store_reopen(&test);
    assert_true(is_there(test.store, mark_of(7, true))); /* all were read for it */
    for (size_t i = 1; i <= 3; i++) {
        steps = 0;
        assert_true(is_there(test.store, mark_of(i * FILES / 3, true)));
        assert_in_range(steps, 1, STEPS_MAX);
        steps = 0;
        assert_false(is_there(test.store, mark_of(FILES + i, true)));
        assert_false(has_size(test.store, FILES + i));
        assert_in_range(steps, 1, STEPS_MAX);
        steps = 0;
        (void) import(test.store, mark_of(FILES + i, i != 2));
        assert_in_range(steps, 1, 2 * STEPS_MAX);
        assert_true(is_there(test.store, mark_of(FILES + i, true)));
        assert_true(has_size(test.store, FILES + i));
    }
    test_store_close(&test);
}

static void
a_renamed_file_is_found_by_its_new_name_alone(void **state)
{
    const struct oi_import_mark bytes = mark_of(5, true), other = mark_of(6, true);
    const struct oi_import_mark facts = mark_by_facts(5);
    struct test_store test;

    test_store_begin(&test, *state, "store", &oi_kv_memory);
    (void) import(test.store, facts);
    assert_true(is_there(test.store, facts));
    assert_ok(oi_store_import_rename(test.store, facts.fingerprint, bytes.fingerprint, NULL));
    assert_true(is_there(test.store, bytes));
    assert_true(has_size(test.store, 5));
    assert_false(is_there(test.store, facts));
    assert_ok(oi_store_import_rename(test.store, bytes.fingerprint, other.fingerprint, NULL));
    assert_true(is_there(test.store, other));
    assert_false(is_there(test.store, bytes));
    assert_status(oi_store_import_rename(test.store, bytes.fingerprint, other.fingerprint, NULL),
                  OI_E_NOT_FOUND);
    test_store_verify(&test);
    test_store_close(&test);
}

static struct oi_kv *opened_kv;

static enum oi_status
open_and_keep(const char *folder, const struct oi_kv_options *options, struct oi_kv **ret_kv,
              struct oi_error *error)
{
    enum oi_status status = oi_kv_memory.open(folder, options, ret_kv, error);

    opened_kv = status == OI_OK ? *ret_kv : NULL;
    return status;
}

static void
a_file_whose_commit_failed_is_not_there(void **state)
{
    const struct oi_import_mark before = mark_of(4, true), failing = mark_of(5, true);
    const struct oi_batch batch = { .import = &failing };
    struct oi_kv_engine engine = oi_kv_memory;
    struct oi_append_result result;
    struct test_store test;

    engine.open = open_and_keep;
    test_store_begin(&test, *state, "store", &engine);
    (void) import(test.store, before);
    for (int i = 0; i < 2; i++) {
        oi_kv_memory_fail(opened_kv, i == 0 ? OI_KV_CALL_COMMIT : OI_KV_CALL_PUT, i == 0 ? 1 : 2,
                          OI_E_IO);
        assert_status(oi_store_append(test.store, &batch, &result, NULL), OI_E_IO);
        assert_false(is_there(test.store, failing));
        assert_true(is_there(test.store, before));
    }
    (void) import(test.store, mark_of(6, true)); /* in its place */
    assert_false(is_there(test.store, failing));
    assert_true(is_there(test.store, mark_of(6, true)));
    (void) import(test.store, failing);
    assert_true(is_there(test.store, failing));
    test_store_verify(&test);
    test_store_close(&test);
}

static int gets_left; /* before one fails */

static enum oi_status
fail_get(struct oi_kv_txn *txn, unsigned table, struct oi_slice key, struct oi_slice *ret_value,
         struct oi_error *error)
{
    steps++;
    if (gets_left > 0 && --gets_left == 0)
        return oi_fail(error, OI_E_IO, "it fails");
    return oi_kv_memory.get(txn, table, key, ret_value, error);
}

/* Files that are coming in are read again for each question, also when some of these fail. */
static void
a_question_that_failed_costs_the_next_ones_nothing(void **state)
{
    struct oi_kv_engine engine = oi_kv_memory;
    struct oi_import_mark mark;
    struct test_store test;

    engine.get = fail_get;
    gets_left = 0;
    test_store_begin(&test, *state, "store", &engine);
    for (size_t i = 1; i <= 3; i++)
        (void) import(test.store, mark_of(i, false));
    assert_true(is_there(test.store, mark_of(3, false)));
    for (int i = 0; i < 50; i++) {
        gets_left = 4; /* the state's, and the third file's */
        assert_status(oi_store_import_find(test.store, mark_of(3, false).fingerprint, &mark, NULL),
                      OI_E_IO);
    }
    steps = 0;
    assert_true(is_there(test.store, mark_of(3, false)));
    assert_in_range(steps, 1, STEPS_MAX);
    test_store_close(&test);
}

static void
two_know_of_each_others_files(void **state)
{
    const struct oi_import_mark bytes = mark_of(5, true), later = mark_of(9, true);
    const struct oi_import_mark facts = mark_by_facts(5);
    struct oi_store *other = NULL;
    struct test_store test;
    uint64_t batch;

    test_store_begin(&test, *state, "store", &oi_kv_lmdb);
    assert_ok(oi_store_open(test.path, &test.options, &other, NULL));
    assert_false(is_there(other, facts));
    batch = import(test.store, facts);
    assert_true(is_there(other, facts));
    assert_ok(oi_store_import_rename(test.store, facts.fingerprint, bytes.fingerprint, NULL));
    assert_true(is_there(other, bytes));
    assert_false(is_there(other, facts));
    (void) import(other, later);
    assert_true(is_there(test.store, later));
    assert_ok(oi_store_withdraw(other, batch, NULL));
    assert_false(is_there(test.store, bytes));
    assert_false(has_size(test.store, 5));
    assert_int_not_equal(import(test.store, bytes), batch);
    assert_true(is_there(other, bytes));
    assert_true(is_there(other, later));
    oi_store_close(&other);
    test_store_verify(&test);
    test_store_close(&test);
}

#define IN_FOLDER(name)                                                                            \
    cmocka_unit_test_setup_teardown(name, test_folder_setup, test_folder_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_file_is_found_without_walking_the_others),
        IN_FOLDER(a_renamed_file_is_found_by_its_new_name_alone),
        IN_FOLDER(a_file_whose_commit_failed_is_not_there),
        IN_FOLDER(a_question_that_failed_costs_the_next_ones_nothing),
        IN_FOLDER(two_know_of_each_others_files),
    };

    return cmocka_run_group_tests_name("contract/store_ledger", tests, NULL, NULL);
}
