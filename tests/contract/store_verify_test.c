/* SPDX-License-Identifier: Apache-2.0 */
/* A fault for each thing that verifying looks at, planted behind the store's back. */
#include "base/alloc.h"
#include "kv/kv.h"
#include "kv/memory.h"
#include "store/chunk.h"
#include "store/store_internal.h"

#include "support/test_store.h"

/* The series that has five chunks of twenty rows; another has rows in the log alone. */
#define CHUNKED 2
#define NOBODY 99

struct planter {
    struct test_store test;
    struct oi_access access;
};

static void
put_chunk(struct planter *planter, uint32_t series, oi_time key_time,
          const struct oi_columns *columns)
{
    struct oi_key key = oi_key_of_chunk(series, key_time);
    struct oi_buffer out = {};

    oi_chunk_encode(oi_key_slice(&key), columns, NULL, &out);
    assert_ok(oi_kv_memory.put(planter->access.txn, OI_TABLE_CHUNK, oi_key_slice(&key),
                               oi_buffer_slice(&out), NULL));
    oi_buffer_release(&out);
}

/* A chunk of CHUNKED, decoded; the caller releases it. */
static oi_time
take_chunk(struct planter *planter, int minute, struct oi_chunk *chunk)
{
    struct oi_chunk_place place;

    assert_ok(oi_chunk_find(&planter->access, CHUNKED, test_store_minute(minute), &place, NULL));
    assert_ok(oi_chunk_load(&planter->access, place.key, place.value, OI_COLUMNS_ALL, chunk, NULL));
    return place.first;
}

static void
remove_chunk(struct planter *planter, int minute)
{
    struct oi_key key = oi_key_of_chunk(CHUNKED, test_store_minute(minute));

    assert_ok(oi_kv_memory.remove(planter->access.txn, OI_TABLE_CHUNK, oi_key_slice(&key), NULL));
}

static void
remove_first_chunk(struct planter *planter)
{
    remove_chunk(planter, 0);
}

static void
remove_middle_chunk(struct planter *planter)
{
    remove_chunk(planter, 40);
}

static void
remove_all_chunks(struct planter *planter)
{
    for (int minute = 0; minute < 100; minute += 20)
        remove_chunk(planter, minute);
}

static void
put_chunk_of_nobody(struct planter *planter)
{
    struct oi_chunk chunk = {};
    oi_time first = take_chunk(planter, 0, &chunk);

    put_chunk(planter, NOBODY, first, &chunk.columns);
    oi_chunk_release(&chunk);
}

static void
put_chunk_under_another_time(struct planter *planter)
{
    struct oi_chunk chunk = {};
    oi_time first = take_chunk(planter, 80, &chunk);

    remove_chunk(planter, 80);
    put_chunk(planter, CHUNKED, first + 1, &chunk.columns);
    oi_chunk_release(&chunk);
}

static void
put_chunk_twice(struct planter *planter)
{
    struct oi_chunk chunk = {};
    struct oi_columns part;
    oi_time first = take_chunk(planter, 20, &chunk);

    part = oi_columns_slice(&chunk.columns, 10, 20);
    put_chunk(planter, CHUNKED, first + 10 * OI_MINUTE, &part);
    oi_chunk_release(&chunk);
}

static void
swap_rows_of_chunk(struct planter *planter)
{
    struct oi_chunk chunk = {};
    oi_time first = take_chunk(planter, 0, &chunk);
    int64_t times[20], known[20];

    for (int i = 0; i < 20; i++) {
        times[i] = first + (i / 2) * OI_MINUTE;
        known[i] = TEST_START - (i % 2) * OI_SECOND;
    }
    chunk.columns.time = times;
    chunk.columns.known_time = known;
    put_chunk(planter, CHUNKED, first, &chunk.columns);
    oi_chunk_release(&chunk);
}

static void
change_position(struct planter *planter, void (*change)(struct oi_position *position))
{
    struct oi_position position;

    assert_ok(oi_position_load(&planter->access, CHUNKED, &position, NULL));
    change(&position);
    assert_ok(oi_position_save(&planter->access, CHUNKED, &position, NULL));
}

static void
one_row_more(struct oi_position *position)
{
    position->rows++;
}

static void
nothing_chunked(struct oi_position *position)
{
    position->chunked_batch = 0;
}

static void
another_newest(struct oi_position *position)
{
    position->newest.open_interest = oi_decimal_from(1, 0);
}

static void
count_one_row_more(struct planter *planter)
{
    change_position(planter, one_row_more);
}

static void
chunk_what_is_in_the_log(struct planter *planter)
{
    change_position(planter, nothing_chunked);
}

static void
change_newest(struct planter *planter)
{
    change_position(planter, another_newest);
}

/* The first entry of a table: its key, and its body unless that is damaged. */
static struct oi_key
first_key(struct planter *planter, enum oi_table table, size_t skipped, struct oi_buffer *ret_body)
{
    struct oi_kv_cursor *cursor = NULL;
    struct oi_slice key, value, body;
    struct oi_key copy = {};

    assert_ok(oi_kv_memory.cursor_open(planter->access.txn, table, &cursor, NULL));
    assert_ok(oi_kv_memory.seek(cursor, (struct oi_slice){}, &key, &value, NULL));
    for (size_t i = 0; i < skipped; i++)
        assert_ok(oi_kv_memory.next(cursor, &key, &value, NULL));
    memcpy(copy.bytes, key.data, key.size);
    copy.size = key.size;
    assert_ok(oi_seal_open(table, key, value, &body, NULL));
    oi_buffer_add_slice(ret_body, body);
    oi_kv_memory.cursor_close(&cursor);
    return copy;
}

static void
put_body(struct planter *planter, enum oi_table table, const struct oi_key *key,
         struct oi_slice body)
{
    struct oi_buffer value = {};

    oi_seal_begin(&value);
    oi_buffer_add_slice(&value, body);
    assert_ok(oi_access_put(&planter->access, table, oi_key_slice(key), &value, NULL));
    oi_buffer_release(&value);
}

/* The second batch of the log, put back as `change` leaves it. */
static void
change_batch(struct planter *planter,
             void (*change)(struct oi_batch_header *header, struct oi_batch_rows *rows))
{
    struct oi_buffer body = {}, changed = {};
    struct oi_key key = first_key(planter, OI_TABLE_LOG, 1, &body);
    struct oi_batch_header header;
    struct oi_batch_rows rows = {};

    assert_ok(oi_batch_decode(oi_buffer_slice(&body), &header, &rows, NULL));
    change(&header, &rows);
    oi_batch_encode(&header, &rows, &changed);
    put_body(planter, OI_TABLE_LOG, &key, oi_buffer_slice(&changed));
    oi_batch_rows_release(&rows);
    oi_buffer_release(&body);
    oi_buffer_release(&changed);
}

static void
an_hour_earlier(struct oi_batch_header *header, struct oi_batch_rows *rows)
{
    header->commit_time -= OI_DAY;
    for (size_t i = 0; i < rows->rows.count; i++)
        rows->rows.items[i].known_time = header->commit_time;
}

static void
of_nobody(struct oi_batch_header *, struct oi_batch_rows *rows)
{
    rows->series.items[rows->series.count - 1] = NOBODY;
}

static void
known_too_early(struct oi_batch_header *header, struct oi_batch_rows *rows)
{
    rows->rows.items[0].known_time = header->commit_time + 1;
}

static void
out_of_order(struct oi_batch_header *, struct oi_batch_rows *rows)
{
    rows->rows.items[0].time = rows->rows.items[1].time + 1;
}

static void
commit_earlier(struct planter *planter)
{
    change_batch(planter, an_hour_earlier);
}

static void
log_row_of_nobody(struct planter *planter)
{
    change_batch(planter, of_nobody);
}

static void
know_before_commit(struct planter *planter)
{
    change_batch(planter, known_too_early);
}

static void
swap_rows_of_log(struct planter *planter)
{
    change_batch(planter, out_of_order);
}

static void
cut_batch(struct planter *planter)
{
    struct oi_buffer body = {};
    struct oi_key key = first_key(planter, OI_TABLE_LOG, 1, &body);

    body.size -= 3;
    put_body(planter, OI_TABLE_LOG, &key, oi_buffer_slice(&body));
    oi_buffer_release(&body);
}

static void
remove_entry(struct planter *planter, enum oi_table table, size_t skipped)
{
    struct oi_buffer body = {};
    struct oi_key key = first_key(planter, table, skipped, &body);

    assert_ok(oi_kv_memory.remove(planter->access.txn, table, oi_key_slice(&key), NULL));
    oi_buffer_release(&body);
}

static void
remove_batch(struct planter *planter)
{
    remove_entry(planter, OI_TABLE_LOG, 1);
}

static void
remove_rollups(struct planter *planter)
{
    remove_entry(planter, OI_TABLE_ROLLUP, 0);
}

static void
remove_commits(struct planter *planter)
{
    remove_entry(planter, OI_TABLE_COMMIT, 0);
}

static void
put_rollups_of_nothing(struct planter *planter)
{
    struct oi_buffer body = {};
    struct oi_key key = first_key(planter, OI_TABLE_ROLLUP, 0, &body);

    key = oi_key_of_rollup(CHUNKED, 1, TEST_START - 700 * OI_DAY);
    put_body(planter, OI_TABLE_ROLLUP, &key, oi_buffer_slice(&body));
    oi_buffer_release(&body);
}

static void
promise_a_batch(struct planter *planter)
{
    struct oi_state state;

    assert_ok(oi_state_load(&planter->access, &state, NULL));
    state.last_batch++;
    assert_ok(oi_state_save(&planter->access, &state, NULL));
}

static void
change_commit_time(struct planter *planter)
{
    struct oi_state state;

    assert_ok(oi_state_load(&planter->access, &state, NULL));
    state.last_commit_time++;
    assert_ok(oi_state_save(&planter->access, &state, NULL));
}

static void
cut_position(struct planter *planter)
{
    struct oi_buffer body = {};
    struct oi_key key = first_key(planter, OI_TABLE_POSITION, 0, &body);

    body.size -= 3;
    put_body(planter, OI_TABLE_POSITION, &key, oi_buffer_slice(&body));
    oi_buffer_release(&body);
}

static void
begin(struct planter *planter, const char *folder, const char *name)
{
    static const struct oi_import_mark import = { .name = "file", .format = "csv" };
    struct test_store *test = &planter->test;
    struct oi_bad_span flag = { .span = { TEST_START, TEST_START + 1 }, .reason = "why" };
    struct oi_watch_mark mark = { "example", "linear", TEST_START };
    struct oi_hole hole = { .exchange = "example",
                            .product = "linear",
                            .span = { TEST_START, TEST_START + OI_MINUTE },
                            .cause = OI_HOLE_SILENT };
    struct oi_row row;
    const struct oi_batch batch = { .rows = &row,
                                    .row_count = 1,
                                    .holes = &hole,
                                    .hole_count = 1,
                                    .marks = &mark,
                                    .mark_count = 1,
                                    .import = &import };
    struct oi_append_result result;

    test_store_begin(test, folder, name, &oi_kv_memory);
    test->options.chunk_rows = 20;
    test_store_reopen(test);
    assert_int_equal(test->series[1], CHUNKED);
    test_store_append_minutes(test, test->series[1], 0, 100, 1000);
    test_store_checkpoint(test);
    for (int i = 0; i < 3; i++) {
        oi_virtual_clock_advance(&test->clock, OI_MINUTE);
        test_store_append_minutes(test, test->series[0], 100 + 10 * i, 10, 2000);
    }
    row = test_store_row(test->series[2], test_store_minute(5), 7);
    assert_ok(oi_store_append(test->store, &batch, &result, NULL));
    flag.instrument = test->instruments[0];
    assert_ok(oi_store_flag(test->store, &flag, NULL));
    test_store_verify(test);
}

struct search {
    const char *words;
    bool is_found;
    char all[4096];
};

static void
look(void *context, const char *what)
{
    struct search *search = context;

    search->is_found |= strstr(what, search->words) != NULL;
    (void) snprintf(search->all + strlen(search->all), sizeof(search->all) - strlen(search->all),
                    "%s\n", what);
}

/* Verify must name it in these words. */
static void
assert_told(struct planter *planter, const char *words)
{
    struct oi_verify_report report = {};
    struct search search = { .words = words };

    assert_status(oi_store_verify(planter->test.store, look, &search, &report, NULL), OI_E_CORRUPT);
    if (!search.is_found)
        print_error("wanted: %s\ntold: %s", words, search.all);
    assert_true(search.is_found);
    assert_true(report.faults > 0);
}

static void
every_fault_is_told(void **state)
{
    static const struct {
        void (*plant)(struct planter *planter);
        const char *words;
    } cases[] = {
        { remove_first_chunk, "series 2: its position differs from its chunks" },
        { remove_middle_chunk, "series 2: its position differs from its chunks" },
        { remove_all_chunks, "series 2: its chunks are missing" },
        { put_chunk_of_nobody, "a chunk of series 99, which does not exist" },
        { put_chunk_under_another_time, "is under another time" },
        { put_chunk_twice, "overlaps the one before" },
        { swap_rows_of_chunk, "are out of order" },
        { count_one_row_more, "series 2: its position differs from its chunks" },
        { chunk_what_is_in_the_log, "holds rows that are still in the log" },
        { change_newest, "series 2: its newest row differs from its chunks" },
        { cut_position, "series 2: " },
        { commit_earlier, "was committed before its predecessor" },
        { log_row_of_nobody, "a row of series 99, which does not exist" },
        { know_before_commit, "a row known after its commit" },
        { swap_rows_of_log, "rows out of order" },
        { cut_batch, "batch 3: " },
        { remove_batch, "of the log where 3 is due" },
        { promise_a_batch, "the log ends before batch" },
        { change_commit_time, "was not committed when the store's state says" },
        { remove_rollups, "the rollups of hours" },
        { put_rollups_of_nothing, "blocks of rollups that no rows make" },
        { remove_commits, "0 blocks of commit times instead of 1" },
    };

    for (size_t i = 0; i < OI_COUNT(cases); i++) {
        struct planter planter;
        char name[16];

        (void) snprintf(name, sizeof(name), "store%zu", i);
        begin(&planter, *state, name);
        assert_ok(oi_access_begin(&planter.access, planter.test.store, OI_KV_WRITE, NULL));
        cases[i].plant(&planter);
        assert_ok(oi_access_commit(&planter.access, NULL));
        oi_access_end(&planter.access);
        assert_told(&planter, cases[i].words);
        test_store_close(&planter.test);
    }
}

/* Turn a byte of the first value of a table around, without a new checksum. */
static void
every_checksum_is_looked_at(void **state)
{
    for (unsigned table = 0; table < OI_TABLE_COUNT; table++) {
        struct oi_kv_cursor *cursor = NULL;
        struct oi_slice key, value;
        struct planter planter;
        struct oi_buffer copy = {};
        struct oi_key name = {};
        char folder[16];

        if (table == OI_TABLE_META)
            continue; /* the store does not even open */
        (void) snprintf(folder, sizeof(folder), "store%u", table);
        begin(&planter, *state, folder);
        assert_ok(oi_access_begin(&planter.access, planter.test.store, OI_KV_WRITE, NULL));
        assert_ok(oi_kv_memory.cursor_open(planter.access.txn, table, &cursor, NULL));
        assert_ok(oi_kv_memory.seek(cursor, (struct oi_slice){}, &key, &value, NULL));
        memcpy(name.bytes, key.data, key.size);
        name.size = key.size;
        oi_buffer_add_slice(&copy, value);
        copy.data[copy.size / 2] ^= 1;
        oi_kv_memory.cursor_close(&cursor);
        assert_ok(oi_kv_memory.put(planter.access.txn, table, oi_key_slice(&name),
                                   oi_buffer_slice(&copy), NULL));
        assert_ok(oi_access_commit(&planter.access, NULL));
        oi_access_end(&planter.access);
        assert_told(&planter, table == OI_TABLE_CHUNK ? "checksum" : oi_table_names[table]);
        oi_buffer_release(&copy);
        test_store_close(&planter.test);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_fault_is_told, test_folder_setup,
                                        test_folder_teardown),
        cmocka_unit_test_setup_teardown(every_checksum_is_looked_at, test_folder_setup,
                                        test_folder_teardown),
    };

    return cmocka_run_group_tests_name("contract/store_verify", tests, NULL, NULL);
}
