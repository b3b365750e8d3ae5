/* SPDX-License-Identifier: Apache-2.0 */
/* Candles of random readings, against straight computation from a plain copy. */
#include "query/run.h"

#include "support/test_world.h"

#define ROWS 700

static struct test_world shared;

static struct test_world *
world(void)
{
    return &shared;
}

static void
assert_same_candles(const struct oi_candle *a, const struct oi_candle *b)
{
    assert_int_equal(a->start, b->start);
    assert_int_equal(a->count, b->count);
    assert_int_equal(oi_decimal_compare(&a->open, &b->open), 0);
    assert_int_equal(oi_decimal_compare(&a->high, &b->high), 0);
    assert_int_equal(oi_decimal_compare(&a->low, &b->low), 0);
    assert_int_equal(oi_decimal_compare(&a->close, &b->close), 0);
}

static void
expect_candles(size_t market, const struct oi_query *query, struct oi_candles *candles)
{
    candles->interval_ns = query->interval_ns;
    for (size_t i = 0; i < world()->merged[market].count; i++) {
        const struct world_row *row = &world()->merged[market].items[i];
        struct oi_decimal amount = test_world_amount(row, query->unit, query->is_canonical);

        if (oi_span_contains(query->span, row->time))
            oi_candles_add_one(candles, row->time, &amount, &row->mark);
    }
}

/* Rollups, rows and the plain copy agree, for every interval and span. */
static void
makes_the_candles_that_the_rows_make(void **)
{
    static const int64_t intervals[] = { 5 * OI_MINUTE, OI_HOUR, 4 * OI_HOUR, OI_DAY, OI_WEEK };
    static const int64_t offsets[] = { 0, 90 * OI_MINUTE, OI_DAY };

    for (size_t i = 0; i < OI_COUNT(intervals); i++) {
        for (size_t o = 0; o < OI_COUNT(offsets); o++) {
            for (int unit = OI_UNIT_UNKNOWN; unit <= OI_UNIT_USD; unit++) {
                OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
                OI_CLEANUP(oi_candles_release) struct oi_candles wanted = {};
                OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
                const struct oi_block *block;
                size_t at = 0;

                query.kind = OI_QUERY_CANDLES;
                query.interval_ns = intervals[i];
                query.unit = (enum oi_unit) unit;
                if (offsets[o] > 0)
                    query.span = (struct oi_span){ WORLD_START + offsets[o],
                                                   WORLD_START + 2 * OI_DAY + offsets[o] };
                test_world_select(&query, test_world_names[1]);
                expect_candles(1, &query, &wanted);
                result = test_world_run(world(), &query);
                for (;;) {
                    assert_ok(oi_result_next(result, &block, NULL));
                    if (!block)
                        break;
                    assert_non_null(block->feed);
                    for (size_t c = 0; c < block->count; c++) {
                        assert_true(at < wanted.items.count);
                        assert_same_candles(&block->candles[c], &wanted.items.items[at++]);
                    }
                }
                assert_int_equal(at, wanted.items.count);
            }
        }
    }
}

static void
gives_the_newest_candles_first_when_asked(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_candles_release) struct oi_candles wanted = {};
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
    const struct oi_block *block;

    query.kind = OI_QUERY_CANDLES;
    query.interval_ns = OI_HOUR;
    query.is_descending = true;
    query.from_end = true;
    query.limit = 5;
    test_world_select(&query, test_world_names[0]);
    expect_candles(0, &query, &wanted);
    result = test_world_run(world(), &query);
    assert_ok(oi_result_next(result, &block, NULL));
    assert_int_equal(block->count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_same_candles(&block->candles[i], &wanted.items.items[wanted.items.count - 1 - i]);
}

struct page_item {
    uint32_t instrument;
    oi_time start;
    uint64_t count;
};
struct page_items {
    OI_VECTOR(struct page_item) all;
};

/* Append what one question gives; true when there is another page, which `query` then asks for. */
static bool
read_page(struct oi_query *query, struct page_items *items)
{
    OI_CLEANUP(oi_result_close) struct oi_result *result = test_world_run(world(), query);
    const struct oi_block *block;
    size_t before = items->all.count;

    for (;;) {
        assert_ok(oi_result_next(result, &block, NULL));
        if (!block)
            break;
        for (size_t i = 0; i < block->count; i++) {
            struct page_item item = { .instrument = block->market->instrument->id,
                                      .start = block->candles[i].start,
                                      .count = block->candles[i].count };

            oi_vector_push(&items->all, item);
        }
    }
    query->after = result->next_position;
    if (query->limit > 0 && query->after.is_set)
        assert_int_equal(items->all.count - before, query->limit);
    return query->after.is_set;
}

static void
assert_pages_make_the_whole(struct oi_query *query, size_t limit)
{
    struct page_items whole = {}, paged = {};
    size_t pages = 0;

    query->after = (struct oi_position){};
    query->limit = 0;
    assert_false(read_page(query, &whole));
    query->limit = limit;
    while (read_page(query, &paged))
        assert_true(++pages <= whole.all.count);
    assert_int_equal(paged.all.count, whole.all.count);
    for (size_t i = 0; i < whole.all.count; i++) {
        const struct page_item *item = &whole.all.items[i];
        size_t found = 0;

        for (size_t k = 0; k < paged.all.count; k++)
            found += paged.all.items[k].instrument == item->instrument &&
                     paged.all.items[k].start == item->start &&
                     paged.all.items[k].count == item->count;
        assert_int_equal(found, 1);
        if (!query->from_end || query->is_descending)
            assert_int_equal(paged.all.items[i].start, item->start);
    }
    oi_vector_release(&whole.all);
    oi_vector_release(&paged.all);
}

static void
pages_of_candles_make_the_whole_answer(void **)
{
    static const int64_t intervals[] = { 20 * OI_MINUTE, OI_HOUR, 4 * OI_HOUR };

    for (unsigned ways = 0; ways < 8; ways++) {
        for (size_t i = 0; i < OI_COUNT(intervals); i++) {
            OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;

            query.kind = OI_QUERY_CANDLES;
            query.interval_ns = intervals[i];
            query.from_end = ways & 1;
            query.is_descending = ways & 2;
            query.fills_gaps = ways & 4;
            query.span = (struct oi_span){ WORLD_START + 90 * OI_MINUTE, WORLD_START + OI_DAY };
            test_world_select(&query, test_world_names[0]);
            test_world_select(&query, test_world_names[1]);
            for (size_t limit = 1; limit < 30; limit += 7)
                assert_pages_make_the_whole(&query, limit);
        }
    }
}

static void
fills_empty_intervals_only_when_asked_and_marks_them(void **)
{
    for (int fills = 0; fills < 2; fills++) {
        OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
        OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
        const struct oi_block *block;
        oi_time last = OI_TIME_NONE;
        size_t filled = 0;

        query.kind = OI_QUERY_CANDLES;
        query.interval_ns = OI_MINUTE;
        query.fills_gaps = fills;
        test_world_select(&query, test_world_names[1]);
        result = test_world_run(world(), &query);
        for (;;) {
            assert_ok(oi_result_next(result, &block, NULL));
            if (!block)
                break;
            for (size_t i = 0; i < block->count; i++) {
                if (fills && last != OI_TIME_NONE)
                    assert_int_equal(block->candles[i].start, last + OI_MINUTE);
                last = block->candles[i].start;
                filled += block->candles[i].count == 0;
            }
        }
        assert_int_equal(filled > 0, fills);
    }
}

static int
set_up(void **folder)
{
    return test_world_set_up(&shared, folder, 20260306, ROWS);
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
        cmocka_unit_test(makes_the_candles_that_the_rows_make),
        cmocka_unit_test(gives_the_newest_candles_first_when_asked),
        cmocka_unit_test(pages_of_candles_make_the_whole_answer),
        cmocka_unit_test(fills_empty_intervals_only_when_asked_and_marks_them),
    };
    return cmocka_run_group_tests_name("query/run_candles", tests, set_up, tear_down);
}
