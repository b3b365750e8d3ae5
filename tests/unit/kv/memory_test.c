/* SPDX-License-Identifier: Apache-2.0 */
/* Failures on demand. What the twin shares with the engine is in the contract suite. */
#include "kv/memory.h"

#include "base/slice.h"

#include <stdio.h>

#include "support/test.h"
#include "support/test_folder.h"

static const char *const table_names[] = { "only" };
static const struct oi_kv_options options = { .table_count = 1, .tables = table_names };

static enum oi_status
put_alone(struct oi_kv *kv, const char *key)
{
    struct oi_kv_txn *txn = NULL;
    enum oi_status status;

    OI_TRY(oi_kv_memory.begin(kv, OI_KV_WRITE, &txn, NULL));
    status = oi_kv_memory.put(txn, 0, oi_slice_of(key), OI_SLICE("value"), NULL);
    if (status != OI_OK) {
        oi_kv_memory.abort(&txn);
        return status;
    }
    return oi_kv_memory.commit(&txn, NULL);
}

static bool
has(struct oi_kv *kv, const char *key)
{
    struct oi_kv_txn *txn = NULL;
    struct oi_slice value;
    enum oi_status status;

    assert_ok(oi_kv_memory.begin(kv, OI_KV_READ, &txn, NULL));
    status = oi_kv_memory.get(txn, 0, oi_slice_of(key), &value, NULL);
    oi_kv_memory.abort(&txn);
    return status == OI_OK;
}

static void
fails_the_commit_that_it_is_told_to_and_no_other(void **state)
{
    struct oi_kv *kv = NULL;

    assert_ok(oi_kv_memory.open(*state, &options, &kv, NULL));
    oi_kv_memory_fail(kv, OI_KV_CALL_COMMIT, 2, OI_E_FULL);
    assert_ok(put_alone(kv, "a"));
    assert_status(put_alone(kv, "b"), OI_E_FULL);
    assert_ok(put_alone(kv, "c"));
    assert_true(has(kv, "a"));
    assert_false(has(kv, "b"));
    assert_true(has(kv, "c"));
    assert_int_equal(oi_kv_memory_calls(kv, OI_KV_CALL_COMMIT), 3);
    oi_kv_memory.close(&kv);
}

static void
fails_the_put_that_it_is_told_to(void **state)
{
    struct oi_kv *kv = NULL;

    assert_ok(oi_kv_memory.open(*state, &options, &kv, NULL));
    oi_kv_memory_fail(kv, OI_KV_CALL_PUT, 1, OI_E_IO);
    assert_status(put_alone(kv, "a"), OI_E_IO);
    assert_ok(put_alone(kv, "a"));
    oi_kv_memory_fail(kv, OI_KV_CALL_PUT, 1, OI_E_IO);
    oi_kv_memory_fail(kv, OI_KV_CALL_PUT, 0, OI_E_IO);
    assert_ok(put_alone(kv, "b"));
    oi_kv_memory.close(&kv);
}

static void
refuses_a_damaged_file(void **state)
{
    struct oi_kv *kv = NULL;
    char path[1024];
    FILE *file;

    assert_ok(oi_kv_memory.open(*state, &options, &kv, NULL));
    assert_ok(put_alone(kv, "a"));
    oi_kv_memory.close(&kv);
    snprintf(path, sizeof(path), "%s/memory.kv", (const char *) *state);
    file = fopen(path, "r+");
    assert_non_null(file);
    fseek(file, -1, SEEK_END);
    fputc('?', file);
    fclose(file);
    assert_status(oi_kv_memory.open(*state, &options, &kv, NULL), OI_E_CORRUPT);
    assert_null(kv);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, test_folder_setup, test_folder_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fails_the_commit_that_it_is_told_to_and_no_other),
        TEST(fails_the_put_that_it_is_told_to),
        TEST(refuses_a_damaged_file),
    };
    return cmocka_run_group_tests_name("kv/memory", tests, NULL, NULL);
}
