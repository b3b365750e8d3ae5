/* SPDX-License-Identifier: Apache-2.0 */
/* What every engine of engines.def promises, one run of the same tests for each. */
#include "kv/kv.h"

#include "base/buffer.h"
#include "base/random.h"
#include "base/slice.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support/test.h"
#include "support/test_folder.h"

static const char *const table_names[] = { "first", "second" };
static const struct oi_kv_options options = { .map_size = 16 << 20,
                                              .table_count = 2,
                                              .tables = table_names };

static const struct oi_kv_engine *engine; /* the one whose turn it is */

static struct oi_kv *
open_kv(const char *folder)
{
    struct oi_kv *kv = NULL;

    assert_ok(engine->open(folder, &options, &kv, NULL));
    return kv;
}

static struct oi_kv_txn *
begin(struct oi_kv *kv, enum oi_kv_mode mode)
{
    struct oi_kv_txn *txn = NULL;

    assert_ok(engine->begin(kv, mode, &txn, NULL));
    return txn;
}

static void
put(struct oi_kv_txn *txn, const char *key, const char *value)
{
    assert_ok(engine->put(txn, 0, oi_slice_of(key), oi_slice_of(value), NULL));
}

static void
put_alone(struct oi_kv *kv, const char *key, const char *value)
{
    struct oi_kv_txn *txn = begin(kv, OI_KV_WRITE);

    put(txn, key, value);
    assert_ok(engine->commit(&txn, NULL));
    assert_null(txn);
}

static void
assert_value(struct oi_kv_txn *txn, const char *key, const char *expected)
{
    struct oi_slice value;

    assert_ok(engine->get(txn, 0, oi_slice_of(key), &value, NULL));
    assert_true(oi_slice_is(value, expected));
}

static void
assert_absent(struct oi_kv_txn *txn, unsigned table, const char *key)
{
    struct oi_slice value = { "untouched", 9 };

    assert_status(engine->get(txn, table, oi_slice_of(key), &value, NULL), OI_E_NOT_FOUND);
    assert_true(oi_slice_is(value, "untouched"));
}

static void
finds_after_reopening_what_was_committed(void **state)
{
    struct oi_kv *kv = open_kv(*state);
    struct oi_kv_txn *txn = begin(kv, OI_KV_WRITE);

    put(txn, "key", "old");
    put(txn, "key", "new");
    put(txn, "empty", "");
    assert_value(txn, "key", "new"); /* a writer sees its own */
    assert_ok(engine->commit(&txn, NULL));
    engine->close(&kv);
    assert_null(kv);
    engine->close(&kv);

    kv = open_kv(*state);
    txn = begin(kv, OI_KV_READ);
    assert_value(txn, "key", "new");
    assert_value(txn, "empty", "");
    assert_absent(txn, 1, "key");
    engine->abort(&txn);
    assert_null(txn);
    engine->abort(&txn);
    engine->close(&kv);
}

static void
forgets_what_was_aborted(void **state)
{
    struct oi_kv *kv = open_kv(*state);
    uint64_t before;
    struct oi_kv_txn *txn;

    put_alone(kv, "kept", "1");
    before = engine->last_commit(kv);
    txn = begin(kv, OI_KV_WRITE);
    put(txn, "kept", "2");
    put(txn, "lost", "2");
    engine->abort(&txn);
    assert_true(engine->last_commit(kv) == before);
    txn = begin(kv, OI_KV_READ);
    assert_value(txn, "kept", "1");
    assert_absent(txn, 0, "lost");
    assert_ok(engine->commit(&txn, NULL)); /* ends a read transaction as well */
    engine->close(&kv);
}

static void
numbers_every_commit(void **state)
{
    struct oi_kv *kv = open_kv(*state);
    uint64_t before = engine->last_commit(kv);

    put_alone(kv, "a", "1");
    assert_true(engine->last_commit(kv) > before);
    before = engine->last_commit(kv);
    engine->close(&kv);
    kv = open_kv(*state);
    assert_true(engine->last_commit(kv) >= before);
    engine->close(&kv);
}

static void
tells_snapshots_apart(void **state)
{
    struct oi_kv *kv = open_kv(*state);
    struct oi_kv_txn *txn, *other = begin(kv, OI_KV_READ);
    uint64_t before = engine->snapshot(other);

    assert_true(before > 0);
    txn = begin(kv, OI_KV_WRITE);
    assert_true(engine->snapshot(txn) == 0);
    put(txn, "lost", "1");
    engine->abort(&txn);
    txn = begin(kv, OI_KV_READ);
    assert_true(engine->snapshot(txn) == before);
    engine->abort(&txn);
    put_alone(kv, "a", "1");
    assert_true(engine->snapshot(other) == before);
    engine->abort(&other);
    txn = begin(kv, OI_KV_READ);
    assert_true(engine->snapshot(txn) > before);
    engine->abort(&txn);
    engine->close(&kv);
}

static void
shows_a_reader_one_commit_until_it_ends(void **state)
{
    struct oi_kv *kv = open_kv(*state);
    struct oi_kv_txn *old;
    struct oi_kv_txn *new;

    put_alone(kv, "a", "1");
    old = begin(kv, OI_KV_READ);
    put_alone(kv, "a", "2");
    put_alone(kv, "b", "2");
    new = begin(kv, OI_KV_READ);
    assert_value(old, "a", "1");
    assert_absent(old, 0, "b");
    assert_value(new, "a", "2");
    assert_value(new, "b", "2");
    engine->abort(&old);
    engine->abort(&new);
    engine->close(&kv);
}

static void
removes_and_does_not_mind_what_is_absent(void **state)
{
    struct oi_kv *kv = open_kv(*state);
    struct oi_kv_txn *txn = begin(kv, OI_KV_WRITE);

    put(txn, "a", "1");
    assert_ok(engine->remove(txn, 0, OI_SLICE("a"), NULL));
    assert_ok(engine->remove(txn, 0, OI_SLICE("a"), NULL));
    assert_absent(txn, 0, "a");
    assert_ok(engine->commit(&txn, NULL));
    engine->close(&kv);
}

static void
refuses_an_empty_key_and_one_that_is_too_long(void **state)
{
    struct oi_kv *kv = open_kv(*state);
    struct oi_kv_txn *txn = begin(kv, OI_KV_WRITE);
    char text[OI_KV_KEY_SIZE_MAX + 1];
    struct oi_slice longest = { text, OI_KV_KEY_SIZE_MAX };
    struct oi_slice longer = { text, OI_KV_KEY_SIZE_MAX + 1 };
    struct oi_slice value;

    memset(text, 'k', sizeof(text));
    assert_status(engine->put(txn, 0, OI_SLICE(""), OI_SLICE("1"), NULL), OI_E_INVALID);
    assert_status(engine->put(txn, 0, longer, OI_SLICE("1"), NULL), OI_E_INVALID);
    assert_ok(engine->put(txn, 0, longest, OI_SLICE("1"), NULL));
    assert_ok(engine->get(txn, 0, longest, &value, NULL));
    engine->abort(&txn);
    engine->close(&kv);
}

static void
walks_in_the_order_of_bytes_both_ways(void **state)
{
    struct oi_kv *kv = open_kv(*state);
    struct oi_kv_txn *txn = begin(kv, OI_KV_WRITE);
    struct oi_kv_cursor *cursor = NULL;
    struct oi_slice key;
    struct oi_slice value;

    put(txn, "b", "2");
    put(txn, "\xff", "4");
    put(txn, "ba", "3");
    put(txn, "a", "1");
    assert_ok(engine->commit(&txn, NULL));
    txn = begin(kv, OI_KV_READ);
    assert_ok(engine->cursor_open(txn, 0, &cursor, NULL));
    assert_ok(engine->seek(cursor, OI_SLICE(""), &key, &value, NULL));
    assert_true(oi_slice_is(key, "a"));
    assert_ok(engine->next(cursor, &key, &value, NULL));
    assert_true(oi_slice_is(key, "b"));
    assert_ok(engine->next(cursor, &key, &value, NULL));
    assert_true(oi_slice_is(key, "ba"));
    assert_ok(engine->next(cursor, &key, &value, NULL));
    assert_true(oi_slice_is(key, "\xff"));
    assert_true(oi_slice_is(value, "4"));
    assert_status(engine->next(cursor, &key, &value, NULL), OI_E_NOT_FOUND);
    assert_ok(engine->seek(cursor, OI_SLICE("aa"), &key, &value, NULL));
    assert_true(oi_slice_is(key, "b"));
    assert_ok(engine->previous(cursor, &key, &value, NULL));
    assert_true(oi_slice_is(key, "a"));
    assert_status(engine->previous(cursor, &key, &value, NULL), OI_E_NOT_FOUND);
    assert_ok(engine->seek_last(cursor, &key, &value, NULL));
    assert_true(oi_slice_is(key, "\xff"));
    assert_status(engine->seek(cursor, OI_SLICE("\xff\xff"), &key, &value, NULL), OI_E_NOT_FOUND);
    engine->abort(&txn);
    engine->cursor_close(&cursor); /* after its transaction is fine */
    assert_null(cursor);
    engine->close(&kv);
}

static void
finds_nothing_in_an_empty_table(void **state)
{
    struct oi_kv *kv = open_kv(*state);
    struct oi_kv_txn *txn = begin(kv, OI_KV_READ);
    struct oi_kv_cursor *cursor = NULL;
    struct oi_slice key;
    struct oi_slice value;

    assert_ok(engine->cursor_open(txn, 1, &cursor, NULL));
    assert_status(engine->seek(cursor, OI_SLICE(""), &key, &value, NULL), OI_E_NOT_FOUND);
    assert_status(engine->seek_last(cursor, &key, &value, NULL), OI_E_NOT_FOUND);
    engine->cursor_close(&cursor);
    engine->abort(&txn);
    engine->close(&kv);
}

static void
lets_a_writer_remove_what_it_walks_over(void **state)
{
    struct oi_kv *kv = open_kv(*state);
    struct oi_kv_txn *txn = begin(kv, OI_KV_WRITE);
    struct oi_kv_cursor *cursor = NULL;
    struct oi_slice key;
    struct oi_slice value;
    enum oi_status status;
    unsigned removed = 0;

    for (unsigned i = 0; i < 1000; i++) {
        char text[16];

        snprintf(text, sizeof(text), "%04u", i);
        put(txn, text, "some value of some length");
    }
    assert_ok(engine->cursor_open(txn, 0, &cursor, NULL));
    status = engine->seek(cursor, OI_SLICE("0100"), &key, &value, NULL);
    while (status == OI_OK) {
        char copy[16];

        memcpy(copy, key.data, key.size);
        assert_ok(engine->remove(txn, 0, (struct oi_slice){ copy, key.size }, NULL));
        removed++;
        status = engine->next(cursor, &key, &value, NULL);
    }
    assert_status(status, OI_E_NOT_FOUND);
    assert_int_equal(removed, 900);
    engine->cursor_close(&cursor);
    assert_ok(engine->commit(&txn, NULL));
    engine->close(&kv);
}

static void
keeps_large_values_whole(void **state)
{
    struct oi_kv *kv = open_kv(*state);
    struct oi_kv_txn *txn = begin(kv, OI_KV_WRITE);
    char *bytes = calloc(1, 1 << 20);
    struct oi_slice large = { bytes, 1 << 20 };
    struct oi_slice value;

    memset(bytes, 'x', large.size);
    assert_ok(engine->put(txn, 1, OI_SLICE("large"), large, NULL));
    assert_ok(engine->commit(&txn, NULL));
    txn = begin(kv, OI_KV_READ);
    assert_ok(engine->get(txn, 1, OI_SLICE("large"), &value, NULL));
    assert_true(oi_slice_equal(value, large));
    engine->abort(&txn);
    engine->close(&kv);
    free(bytes);
}

static void
copies_a_state_that_opens_by_itself(void **state)
{
    struct oi_kv *kv = open_kv(*state);
    struct oi_kv_txn *txn;
    char folder[1024];

    put_alone(kv, "a", "1");
    snprintf(folder, sizeof(folder), "%s/copy", (const char *) *state);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_ok(engine->copy(kv, folder, NULL));
    put_alone(kv, "a", "2");
    engine->close(&kv);

    kv = open_kv(folder);
    txn = begin(kv, OI_KV_READ);
    assert_value(txn, "a", "1");
    engine->abort(&txn);
    engine->close(&kv);
}

static void
refuses_to_write_what_was_opened_to_read(void **state)
{
    struct oi_kv_options read_only = options;
    struct oi_kv *kv = open_kv(*state);
    struct oi_kv_txn *txn = NULL;

    put_alone(kv, "a", "1");
    engine->close(&kv);
    read_only.is_read_only = true;
    assert_ok(engine->open(*state, &read_only, &kv, NULL));
    assert_status(engine->begin(kv, OI_KV_WRITE, &txn, NULL), OI_E_DENIED);
    assert_null(txn);
    txn = begin(kv, OI_KV_READ);
    assert_value(txn, "a", "1");
    engine->abort(&txn);
    engine->close(&kv);
}

static void
takes_more_tables_later(void **state)
{
    static const char *const more[] = { "first", "second", "third" };
    const struct oi_kv_options wider = { .map_size = 16 << 20, .table_count = 3, .tables = more };
    struct oi_kv *kv = open_kv(*state);
    struct oi_kv_txn *txn;

    put_alone(kv, "a", "1");
    engine->close(&kv);
    assert_ok(engine->open(*state, &wider, &kv, NULL));
    txn = begin(kv, OI_KV_WRITE);
    assert_value(txn, "a", "1");
    assert_absent(txn, 2, "a");
    assert_ok(engine->put(txn, 2, OI_SLICE("a"), OI_SLICE("3"), NULL));
    assert_ok(engine->commit(&txn, NULL));
    engine->close(&kv);
}

/* Writers one after the other, each adding one to a number. */
static void *
count_up(void *context)
{
    struct oi_kv *kv = context;

    for (unsigned i = 0; i < 50; i++) {
        struct oi_kv_txn *txn = begin(kv, OI_KV_WRITE);
        struct oi_slice value;
        unsigned char number = 0;

        if (engine->get(txn, 0, OI_SLICE("n"), &value, NULL) == OI_OK)
            number = (unsigned char) value.data[0];
        number++;
        value = (struct oi_slice){ (const char *) &number, 1 };
        assert_ok(engine->put(txn, 0, OI_SLICE("n"), value, NULL));
        assert_ok(engine->commit(&txn, NULL));
    }
    return NULL;
}

static void
lets_one_writer_in_at_a_time(void **state)
{
    struct oi_kv *kv = open_kv(*state);
    struct oi_kv_txn *txn;
    struct oi_slice value;
    pthread_t threads[3];

    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, kv), 0);
    for (unsigned i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    txn = begin(kv, OI_KV_READ);
    assert_ok(engine->get(txn, 0, OI_SLICE("n"), &value, NULL));
    assert_int_equal((unsigned char) value.data[0], 150);
    engine->abort(&txn);
    engine->close(&kv);
}

static void
tells_its_sizes(void **state)
{
    struct oi_kv *kv = open_kv(*state);
    struct oi_kv_sizes sizes;

    put_alone(kv, "a", "1");
    sizes = engine->sizes(kv);
    assert_true(sizes.used_bytes > 0);
    assert_true(sizes.used_bytes <= sizes.file_bytes);
    assert_true(sizes.file_bytes <= sizes.map_bytes);
    assert_true(sizes.oldest_reader_lag == 0);
    engine->close(&kv);
}

/* Random writes against a plain array of what ought to be there. */
static void
agrees_with_a_simple_model(void **state)
{
    enum { KEYS = 97, ROUNDS = 60 };
    struct oi_kv *kv = open_kv(*state);
    struct oi_random random;
    uint64_t model[KEYS] = {};
    uint64_t tried[KEYS];

    print_message("seed 7\n");
    oi_random_init(&random, 7);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct oi_kv_txn *txn = begin(kv, OI_KV_WRITE);

        memcpy(tried, model, sizeof(model));
        for (unsigned i = 0; i < 20; i++) {
            unsigned char key = (unsigned char) oi_random_below(&random, KEYS);
            struct oi_slice place = { (const char *) &key, 1 };
            uint64_t value = oi_random_below(&random, 3) ? oi_random_next(&random) | 1 : 0;
            struct oi_slice content = { (const char *) &value, sizeof(value) };

            tried[key] = value;
            if (value)
                assert_ok(engine->put(txn, 0, place, content, NULL));
            else
                assert_ok(engine->remove(txn, 0, place, NULL));
        }
        if (oi_random_below(&random, 4) == 0) {
            engine->abort(&txn);
        } else {
            assert_ok(engine->commit(&txn, NULL));
            memcpy(model, tried, sizeof(model));
        }
        txn = begin(kv, OI_KV_READ);
        for (unsigned char key = 0; key < KEYS; key++) {
            struct oi_slice place = { (const char *) &key, 1 };
            struct oi_slice value;
            enum oi_status status = engine->get(txn, 0, place, &value, NULL);

            assert_status(status, model[key] ? OI_OK : OI_E_NOT_FOUND);
            if (status == OI_OK)
                assert_memory_equal(value.data, &model[key], sizeof(uint64_t));
        }
        engine->abort(&txn);
    }
    engine->close(&kv);
}

#define PROMISE(name) cmocka_unit_test_setup_teardown(name, test_folder_setup, test_folder_teardown)

static int
run(const struct oi_kv_engine *tested, const char *group)
{
    const struct CMUnitTest tests[] = {
        PROMISE(finds_after_reopening_what_was_committed),
        PROMISE(forgets_what_was_aborted),
        PROMISE(numbers_every_commit),
        PROMISE(tells_snapshots_apart),
        PROMISE(shows_a_reader_one_commit_until_it_ends),
        PROMISE(removes_and_does_not_mind_what_is_absent),
        PROMISE(refuses_an_empty_key_and_one_that_is_too_long),
        PROMISE(walks_in_the_order_of_bytes_both_ways),
        PROMISE(finds_nothing_in_an_empty_table),
        PROMISE(lets_a_writer_remove_what_it_walks_over),
        PROMISE(keeps_large_values_whole),
        PROMISE(copies_a_state_that_opens_by_itself),
        PROMISE(refuses_to_write_what_was_opened_to_read),
        PROMISE(takes_more_tables_later),
        PROMISE(lets_one_writer_in_at_a_time),
        PROMISE(tells_its_sizes),
        PROMISE(agrees_with_a_simple_model),
    };
    engine = tested;
    return cmocka_run_group_tests_name(group, tests, NULL, NULL);
}

int
main(void)
{
    int failed = 0;
    int engines = 0;

#define OI_KV_ENGINE(name) failed += run(&oi_kv_##name, "contract/kv " #name), engines++;
#include "kv/engines.def"
#undef OI_KV_ENGINE
    print_message("%d engines\n", engines);
    return failed;
}
