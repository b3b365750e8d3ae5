/* SPDX-License-Identifier: Apache-2.0 */
/* What is in the files is read back in tests/system; here: that every answer becomes a file. */
#include "lake/export.h"

#include "support/test_world.h"

#include <string.h>

static struct test_world shared;

static void
assert_is_file(const struct oi_buffer *file)
{
    assert_true(file->size > 12);
    assert_memory_equal(file->data, "PAR1", 4);
    assert_memory_equal(file->data + file->size - 4, "PAR1", 4);
}

static void
writes_bars_with_the_documented_columns(void **)
{
    static const char *const names[] = { "time", "open_interest", "open_interest_pct_change",
                                         "open_interest_volatility", "oi_price_change_ratio" };
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    struct oi_buffer file = {};

    query.kind = OI_QUERY_BARS;
    query.interval_ns = OI_HOUR;
    query.unit = OI_UNIT_COINS;
    test_world_select(&query, test_world_names[1]);
    assert_ok(oi_export_bars(&shared.source, &query, &file, NULL, NULL));
    assert_is_file(&file);
    for (size_t i = 0; i < OI_COUNT(names); i++)
        assert_non_null(memmem(file.data, file.size, names[i], strlen(names[i])));
    oi_buffer_release(&file);
}

static void
writes_a_file_without_rows_for_an_empty_answer(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    struct oi_buffer file = {};

    query.kind = OI_QUERY_BARS;
    query.interval_ns = OI_HOUR;
    query.span = (struct oi_span){ 0, OI_DAY };
    test_world_select(&query, test_world_names[1]);
    assert_ok(oi_export_bars(&shared.source, &query, &file, NULL, NULL));
    assert_is_file(&file);
    oi_buffer_release(&file);
}

static void
writes_readings_as_stored(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    struct oi_buffer file = {};

    query.kind = OI_QUERY_ROWS;
    test_world_select(&query, test_world_names[2]);
    assert_ok(oi_export_rows(&shared.source, &query, &file, NULL, NULL));
    assert_is_file(&file);
    oi_buffer_release(&file);
}

static void
writes_raw_readings_with_both_clocks(void **)
{
    static const char *const names[] = { "exchange_timestamp", "local_timestamp",
                                         "local_timestamp_kind", "open_interest" };
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    struct oi_buffer file = {};

    query.kind = OI_QUERY_ROWS;
    query.unit = OI_UNIT_COINS;
    test_world_select(&query, test_world_names[1]);
    assert_ok(oi_export_ticks(&shared.source, &query, &file, NULL, NULL));
    assert_is_file(&file);
    for (size_t i = 0; i < OI_COUNT(names); i++)
        assert_non_null(memmem(file.data, file.size, names[i], strlen(names[i])));
    oi_buffer_release(&file);
}

/* A file of the hours of the whole world as `cache` has or writes it. */
static void
ask_file(struct oi_export_cache *cache, const char *name, oi_time to, struct oi_buffer *file)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
    OI_CLEANUP(oi_shared_unref) struct oi_shared *kept = NULL;

    query.kind = OI_QUERY_BARS;
    query.interval_ns = OI_HOUR;
    query.unit = OI_UNIT_COINS;
    query.span.to = to;
    test_world_select(&query, test_world_names[1]);
    assert_ok(oi_query_run(&shared.source, &query, &result, NULL, NULL));
    assert_ok(oi_export_file(cache, oi_slice_of(name), &query, result, &kept, NULL));
    oi_buffer_clear(file);
    oi_buffer_add_slice(file, oi_shared_bytes(kept));
    assert_is_file(file);
}

static void
keeps_files_of_what_is_over(void **)
{
    const oi_time now = shared.clock.clock.wall_ns(&shared.clock.clock);
    struct oi_export_cache *cache = oi_export_cache_new((size_t) 1 << 20);
    struct oi_buffer first = {}, again = {};

    /* Under one name the second question is answered with the file of the first. */
    ask_file(cache, "a", now, &first);
    ask_file(cache, "a", WORLD_START + OI_HOUR, &again);
    assert_true(oi_slice_equal(oi_buffer_slice(&first), oi_buffer_slice(&again)));
    ask_file(cache, "b", WORLD_START + OI_HOUR, &again);
    assert_false(oi_slice_equal(oi_buffer_slice(&first), oi_buffer_slice(&again)));
    /* What is not over is written anew. */
    ask_file(cache, "c", OI_TIME_LATEST, &first);
    ask_file(cache, "c", WORLD_START + OI_HOUR, &again);
    assert_false(oi_slice_equal(oi_buffer_slice(&first), oi_buffer_slice(&again)));
    oi_export_cache_free(&cache);
    /* Nor is anything kept that is larger than the whole cache. */
    cache = oi_export_cache_new(16);
    ask_file(cache, "a", now, &first);
    ask_file(cache, "a", WORLD_START + OI_HOUR, &again);
    assert_false(oi_slice_equal(oi_buffer_slice(&first), oi_buffer_slice(&again)));
    oi_export_cache_free(&cache);
    oi_buffer_release(&first);
    oi_buffer_release(&again);
}

static void
says_why_a_query_does_not_run(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    struct oi_problem problem = {};
    struct oi_buffer file = {};

    query.kind = OI_QUERY_ROWS;
    test_world_select(&query, "nothing:of:that");
    query.selectors.items[0].must_match = true;
    assert_status(oi_export_rows(&shared.source, &query, &file, &problem, NULL), OI_E_INVALID);
    assert_int_equal(problem.kind, OI_PROBLEM_MARKET);
    oi_buffer_release(&file);
}

static int
set_up(void **folder)
{
    return test_world_set_up(&shared, folder, 5, 200);
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
        cmocka_unit_test(writes_bars_with_the_documented_columns),
        cmocka_unit_test(writes_a_file_without_rows_for_an_empty_answer),
        cmocka_unit_test(writes_readings_as_stored),
        cmocka_unit_test(writes_raw_readings_with_both_clocks),
        cmocka_unit_test(keeps_files_of_what_is_over),
        cmocka_unit_test(says_why_a_query_does_not_run),
    };
    return cmocka_run_group_tests_name("lake/export", tests, set_up, tear_down);
}
