/* SPDX-License-Identifier: Apache-2.0 */
/* A chunk is damaged behind the store's back: every kind of answer goes on without it, names it,
 * and holds nothing that its rows would have changed. */
#include "query/damages.h"

#include "kv/kv.h"

#include "support/test_folder.h"
#include "support/test_world.h"

#include <string.h>

#define CHUNK_TABLE 3 /* the place in the list of tables that the store hands to the engine */
#define MARKET 1      /* a linear market in coins; only its live feed has rows here */
#define ROWS 640
#define LOST_FROM 128 /* the third of ten chunks */
#define LOST_TO 192

static struct test_world shared;
static struct oi_kv *opened_kv;
static struct oi_kv_engine engine;

static enum oi_status
open_and_keep(const char *folder, const struct oi_kv_options *options, struct oi_kv **ret_kv,
              struct oi_error *error)
{
    OI_TRY(oi_kv_memory.open(folder, options, ret_kv, error));
    opened_kv = *ret_kv;
    return OI_OK;
}

static oi_time
minute(size_t index)
{
    return WORLD_START + (oi_time) index * OI_MINUTE;
}

/* The same store through an engine that the test can reach into. */
static void
reopen(void)
{
    struct oi_store_options options = { .engine = &engine,
                                        .chunk_rows = 64,
                                        .clock = &shared.clock.clock };

    oi_names_free(&shared.source.names);
    oi_store_close(&shared.source.store);
    assert_ok(oi_store_open(shared.path, &options, &shared.source.store, NULL));
    shared.source.names = oi_names_new();
}

static void
fill(void)
{
    struct oi_row rows[ROWS];
    struct oi_append_result result;
    size_t left;

    for (size_t market = 0; market < 2; market++) {
        for (size_t i = 0; i < ROWS; i++) {
            struct oi_observation reading = OI_OBSERVATION_NONE;

            reading.time = minute(i);
            reading.open_interest = oi_decimal_from((int64_t) (1000 + i), 0);
            reading.mark_price = oi_decimal_from(50, 0);
            rows[i] = (struct oi_row){ shared.series[market][0], reading };
        }
        oi_virtual_clock_advance(&shared.clock, 2 * OI_DAY);
        assert_ok(oi_store_append(shared.source.store,
                                  &(struct oi_batch){ .rows = rows, .row_count = ROWS }, &result,
                                  NULL));
        assert_int_equal(result.stored, ROWS);
    }
    do {
        assert_ok(oi_store_checkpoint(shared.source.store, 100'000, &left, NULL));
    } while (left > 0);
}

/* Turn a byte of the market's third chunk around. */
static void
damage(void)
{
    struct oi_kv_cursor *cursor = NULL;
    struct oi_kv_txn *txn = NULL;
    struct oi_slice key, value;
    char key_copy[12], *copy;
    size_t size, at = 0;
    enum oi_status status;

    assert_ok(engine.begin(opened_kv, OI_KV_WRITE, &txn, NULL));
    assert_ok(engine.cursor_open(txn, CHUNK_TABLE, &cursor, NULL));
    status = engine.seek(cursor, (struct oi_slice){}, &key, &value, NULL);
    for (; status == OI_OK; status = engine.next(cursor, &key, &value, NULL)) {
        /* Series are big-endian in front of a chunk's key. */
        if ((unsigned char) key.data[3] == shared.series[MARKET][0] && at++ == 2)
            break;
    }
    assert_ok(status);
    assert_int_equal(key.size, sizeof(key_copy));
    memcpy(key_copy, key.data, sizeof(key_copy));
    copy = oi_alloc(value.size);
    memcpy(copy, value.data, value.size);
    size = value.size;
    copy[size / 2] ^= 1;
    engine.cursor_close(&cursor);
    assert_ok(engine.put(txn, CHUNK_TABLE, (struct oi_slice){ key_copy, sizeof(key_copy) },
                         (struct oi_slice){ copy, size }, NULL));
    assert_ok(engine.commit(&txn, NULL));
    oi_free(copy);
}

static void
set_query(struct oi_query *query, enum oi_query_kind kind, int64_t interval_ns)
{
    query->kind = kind;
    query->interval_ns = interval_ns;
    query->unit = OI_UNIT_COINS;
    test_world_select(query, test_world_names[MARKET]);
}

/* Pull all of an answer; how many rows or buckets, and it names the damaged span alone. */
static size_t
count_all(const struct oi_query *query, void (*each)(const struct oi_block *block, size_t row))
{
    OI_CLEANUP(oi_result_close) struct oi_result *result = test_world_run(&shared, query);
    const struct oi_block *block;
    size_t count = 0;

    for (;;) {
        assert_ok(oi_result_next(result, &block, NULL));
        if (!block)
            break;
        for (size_t row = 0; each && row < block->count; row++)
            each(block, row);
        count += block->count;
    }
    assert_int_equal(result->damage_count, 1);
    assert_int_equal(result->damages[0].instrument->id, shared.instruments[MARKET]);
    assert_string_equal(result->damages[0].feed, "live");
    assert_int_equal(result->damages[0].span.from, minute(LOST_FROM));
    /* A look back from an instant inside of it knows of no more. */
    assert_int_equal(result->damages[0].span.to, query->kind == OI_QUERY_CHANGES
                                                     ? query->span.from + 1
                                                     : minute(LOST_TO - 1) + 1);
    assert_non_null(strstr(result->damages[0].reason, "chunk from"));
    return count;
}

static void
check_row(const struct oi_block *block, size_t row)
{
    oi_time time = block->rows->time[row];

    assert_true(time < minute(LOST_FROM) || time >= minute(LOST_TO));
}

static void
passes_over_the_lost_rows_and_names_them(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;

    set_query(&query, OI_QUERY_ROWS, 0);
    assert_int_equal(count_all(&query, check_row), ROWS - (LOST_TO - LOST_FROM));
    query.from_end = true;
    query.limit = 500;
    assert_int_equal(count_all(&query, check_row), 500);
    query.kind = OI_QUERY_REVISIONS;
    query.from_end = false;
    query.limit = 0;
    assert_int_equal(count_all(&query, check_row), ROWS - (LOST_TO - LOST_FROM));
}

static void
is_silent_where_the_answer_is_whole(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    struct oi_result *result;
    const struct oi_block *block;

    set_query(&query, OI_QUERY_ROWS, 0);
    query.span = (struct oi_span){ minute(LOST_TO), OI_TIME_LATEST };
    result = test_world_run(&shared, &query);
    do {
        assert_ok(oi_result_next(result, &block, NULL));
    } while (block);
    assert_int_equal(result->damage_count, 0);
    assert_int_equal(result->row_count, ROWS - LOST_TO);
    oi_result_close(&result);
}

/* 128 to 191 are in the quarters of an hour that begin at 120, 135, 150, 165 and 180. */
static bool
is_quarter_hurt(oi_time start)
{
    return start >= minute(120) && start < minute(195);
}

static void
check_whole_candle(const struct oi_block *block, size_t row)
{
    assert_false(is_quarter_hurt(block->candles[row].start));
    assert_false(block->candles[row].is_incomplete);
}

static void
check_marked_candle(const struct oi_block *block, size_t row)
{
    assert_int_equal(block->candles[row].is_incomplete, is_quarter_hurt(block->candles[row].start));
}

static void
leaves_out_candles_or_marks_them(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;

    set_query(&query, OI_QUERY_CANDLES, 15 * OI_MINUTE);
    assert_int_equal(count_all(&query, check_whole_candle), 43 - 5);
    query.fills_gaps = true;
    assert_int_equal(count_all(&query, check_whole_candle), 43 - 5);
    query.fills_gaps = false;
    query.marks_incomplete = true;
    /* Three of them have no rows at all. */
    assert_int_equal(count_all(&query, check_marked_candle), 43 - 3);
    query.is_descending = true;
    assert_int_equal(count_all(&query, check_marked_candle), 43 - 3);
    query.fills_gaps = true;
    assert_int_equal(count_all(&query, check_marked_candle), 43);
}

/* Hours are in the store's rollups, which were made when the rows were there. */
static void
answers_whole_where_rollups_do(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    struct oi_result *result;
    const struct oi_block *block;

    set_query(&query, OI_QUERY_CANDLES, OI_HOUR);
    result = test_world_run(&shared, &query);
    assert_ok(oi_result_next(result, &block, NULL));
    assert_int_equal(block->count, 11);
    assert_int_equal(block->candles[2].count, 60);
    assert_int_equal(result->damage_count, 0);
    oi_result_close(&result);
}

static void
check_whole_total(const struct oi_block *block, size_t row)
{
    /* What was lost would have been carried a quarter of an hour more. */
    assert_true(block->candles[row].start < minute(120) ||
                block->candles[row].start >= minute(LOST_TO + 15));
}

static void
leaves_out_totals_that_a_lost_row_is_a_part_of(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;

    set_query(&query, OI_QUERY_CANDLES, 15 * OI_MINUTE);
    test_world_select(&query, test_world_names[0]);
    query.is_one_total = true;
    assert_int_equal(count_all(&query, check_whole_total), 43 - 6);
    query.interval_ns = OI_MINUTE;
    assert_int_equal(count_all(&query, NULL), ROWS - (LOST_TO - LOST_FROM) - 15);
    query.kind = OI_QUERY_SNAPSHOTS;
    query.interval_ns = 15 * OI_MINUTE;
    assert_int_equal(count_all(&query, NULL), 43 - 5);
}

static void
check_snapshot(const struct oi_block *block, size_t row)
{
    const struct oi_snapshot *snapshot = &block->snapshots[row];

    /* That of 120 is its first one, the others' are lost. */
    assert_int_equal(snapshot->time, snapshot->start);
}

static void
takes_no_later_row_for_the_first_one(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;

    set_query(&query, OI_QUERY_SNAPSHOTS, 15 * OI_MINUTE);
    assert_int_equal(count_all(&query, check_snapshot), 43 - 4);
    query.kind = OI_QUERY_ROWS;
    assert_int_equal(count_all(&query, check_row), 43 - 4);
    query.kind = OI_QUERY_BARS;
    assert_int_equal(count_all(&query, NULL), 43 - 5);
}

static void
makes_no_change_of_a_lost_figure(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;

    set_query(&query, OI_QUERY_CHANGES, 0);
    query.span = (struct oi_span){ minute(150), minute(300) };
    test_world_select(&query, test_world_names[0]);
    /* The other market, and the total. */
    assert_int_equal(count_all(&query, NULL), 2);
}

static void
check_gap(const struct oi_block *block, size_t row)
{
    const struct oi_gap *gap = &block->gaps[row];

    if (strcmp(gap->cause, "damaged") != 0)
        return;
    assert_int_equal(gap->span.from, minute(LOST_FROM));
    assert_int_equal(gap->span.to, minute(LOST_TO));
}

static void
tells_a_damaged_hole_from_others(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;

    set_query(&query, OI_QUERY_GAPS, 0);
    query.span = (struct oi_span){ minute(0), minute(ROWS) };
    assert_int_equal(count_all(&query, check_gap), 1);
    query.kind = OI_QUERY_COVERAGE;
    assert_int_equal(count_all(&query, NULL), 1);
}

static int
set_up(void **folder)
{
    assert_int_equal(test_folder_setup(folder), 0);
    engine = oi_kv_memory;
    engine.open = open_and_keep;
    test_world_open(&shared, *folder);
    reopen();
    fill();
    damage();
    return 0;
}

static int
tear_down(void **folder)
{
    return test_world_tear_down(&shared, folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_over_the_lost_rows_and_names_them),
        cmocka_unit_test(is_silent_where_the_answer_is_whole),
        cmocka_unit_test(leaves_out_candles_or_marks_them),
        cmocka_unit_test(answers_whole_where_rollups_do),
        cmocka_unit_test(leaves_out_totals_that_a_lost_row_is_a_part_of),
        cmocka_unit_test(takes_no_later_row_for_the_first_one),
        cmocka_unit_test(makes_no_change_of_a_lost_figure),
        cmocka_unit_test(tells_a_damaged_hole_from_others),
    };

    return cmocka_run_group_tests_name("query/damages", tests, set_up, tear_down);
}
