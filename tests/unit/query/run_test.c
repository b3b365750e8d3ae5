/* SPDX-License-Identifier: Apache-2.0 */
/* Whole questions over random readings, against straight computation from a plain copy. */
#include "query/run.h"

#include "series/total.h"
#include "support/test_world.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define ROWS 700

static struct test_world shared;

static struct test_world *
world(void)
{
    return &shared;
}

struct found {
    OI_VECTOR(oi_time) times;
    OI_VECTOR(struct oi_decimal) amounts;
    OI_VECTOR(size_t) markets;
    struct oi_position next;
};

static void
found_release(struct found *found)
{
    oi_vector_release(&found->times);
    oi_vector_release(&found->amounts);
    oi_vector_release(&found->markets);
}

static void
gather(const struct oi_query *query, struct found *found)
{
    OI_CLEANUP(oi_result_close) struct oi_result *result = test_world_run(world(), query);
    const struct oi_block *block;

    for (;;) {
        assert_ok(oi_result_next(result, &block, NULL));
        if (!block)
            break;
        for (size_t i = 0; i < block->count; i++) {
            oi_vector_push(&found->times, block->rows->time[i]);
            oi_vector_push(&found->amounts, oi_decimals_get(&block->amounts, i));
            oi_vector_push(&found->markets, block->market->index);
        }
    }
    found->next = result->next_position;
}

/* All rows of all markets, as the plain copy has them: first of each interval, in a unit. */
static void
expect(const size_t *order, size_t market_count, const struct oi_query *query, struct found *found)
{
    for (size_t m = 0; m < market_count; m++) {
        oi_time bucket = OI_TIME_NONE;

        for (size_t i = 0; i < world()->merged[order[m]].count; i++) {
            const struct world_row *row = &world()->merged[order[m]].items[i];
            struct oi_decimal amount = test_world_amount(row, query->unit, query->is_canonical);

            if (!oi_span_contains(query->span, row->time) || oi_decimal_is_none(&amount))
                continue;
            if (query->interval_ns > 0 &&
                oi_interval_floor(query->interval_ns, row->time) == bucket)
                continue;
            if (query->interval_ns > 0)
                bucket = oi_interval_floor(query->interval_ns, row->time);
            oi_vector_push(&found->times, row->time);
            oi_vector_push(&found->amounts, amount);
            oi_vector_push(&found->markets, m);
        }
    }
}

static void
assert_same(const struct found *a, size_t a_from, const struct found *b, size_t b_from,
            size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(a->times.items[a_from + i], b->times.items[b_from + i]);
        assert_int_equal(a->markets.items[a_from + i], b->markets.items[b_from + i]);
        assert_int_equal(
            oi_decimal_compare(&a->amounts.items[a_from + i], &b->amounts.items[b_from + i]), 0);
    }
}

/* The three markets in the order that native names sort in: inverse, linear 1000, linear. */
static const size_t name_order[] = { 2, 0, 1 };

static void
select_all(struct oi_query *query)
{
    struct oi_selector *selector = oi_query_select(query, OI_SYMBOLOGY_NATIVE);

    selector->coin = "BTC";
    query->is_one_list = true;
}

static void
gives_every_row_of_every_market_in_order(void **)
{
    static const enum oi_unit units[] = { OI_UNIT_UNKNOWN, OI_UNIT_COINS, OI_UNIT_USD };

    for (size_t u = 0; u < OI_COUNT(units); u++) {
        for (int canonical = 0; canonical < 2; canonical++) {
            OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
            OI_CLEANUP(found_release) struct found got = {}, wanted = {};

            query.kind = OI_QUERY_ROWS;
            query.unit = units[u];
            query.is_canonical = canonical;
            select_all(&query);
            gather(&query, &got);
            expect(name_order, WORLD_MARKETS, &query, &wanted);
            assert_int_equal(got.times.count, wanted.times.count);
            assert_same(&got, 0, &wanted, 0, wanted.times.count);
            assert_false(got.next.is_set);
        }
    }
}

/* Pages put one behind the other are the whole, each row once, whichever way and size. */
static void
pages_cover_every_row_once(void **)
{
    static const size_t sizes[] = { 1, 7, 100, 1000 };
    static const int64_t intervals[] = { 0, OI_HOUR };

    for (size_t s = 0; s < OI_COUNT(sizes); s++) {
        for (int from_end = 0; from_end < 2; from_end++) {
            OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
            OI_CLEANUP(found_release) struct found wanted = {};
            size_t done = 0, pages = 0;

            query.kind = OI_QUERY_ROWS;
            query.limit = sizes[s];
            query.from_end = from_end;
            query.interval_ns = intervals[s % 2];
            query.span = (struct oi_span){ WORLD_START + OI_DAY, WORLD_START + 2 * OI_DAY };
            select_all(&query);
            expect(name_order, WORLD_MARKETS, &query, &wanted);
            do {
                OI_CLEANUP(found_release) struct found page = {};
                size_t left = wanted.times.count - done;
                size_t size = left < sizes[s] ? left : sizes[s];

                gather(&query, &page);
                assert_int_equal(page.times.count, size);
                assert_same(&page, 0, &wanted, from_end ? left - size : done, size);
                done += size;
                assert_int_equal(page.next.is_set, done < wanted.times.count);
                query.after = page.next;
                assert_true(++pages <= wanted.times.count + 1);
            } while (query.after.is_set);
            assert_int_equal(done, wanted.times.count);
        }
    }
}

static void
limits_each_market_from_the_side_asked_for(void **)
{
    for (int from_end = 0; from_end < 2; from_end++) {
        for (size_t page = 0; page < 6; page += 5) {
            OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
            OI_CLEANUP(found_release) struct found got = {}, wanted = {};
            size_t before = 0;

            query.kind = OI_QUERY_ROWS;
            select_all(&query);
            expect(name_order, WORLD_MARKETS, &query, &wanted);
            query.limit_per_market = 9;
            query.from_end = from_end;
            query.limit = page;
            do {
                OI_CLEANUP(found_release) struct found part = {};

                gather(&query, &part);
                /* Pages from the end come in the opposite order: put each before the others. */
                for (size_t i = 0; i < part.times.count; i++) {
                    oi_vector_push(&got.times, part.times.items[i]);
                    oi_vector_push(&got.amounts, part.amounts.items[i]);
                    oi_vector_push(&got.markets, part.markets.items[i]);
                }
                query.after = part.next;
            } while (query.after.is_set);
            assert_int_equal(got.times.count, 9 * WORLD_MARKETS);
            if (page > 0 && from_end)
                continue;
            for (size_t m = 0; m < WORLD_MARKETS; m++) {
                size_t count = world()->merged[name_order[m]].count;

                assert_same(&got, m * 9, &wanted, before + (from_end ? count - 9 : 0), 9);
                before += count;
            }
        }
    }
}

/* The total, instant by instant, from the plain copy. */
static void
sums_markets_on_the_union_of_their_instants(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
    struct oi_candles wanted = { .interval_ns = OI_HOUR };
    struct oi_selector *selector;
    const struct oi_block *block;
    struct oi_total total;
    size_t next[WORLD_MARKETS] = {}, at = 0;

    oi_total_init(&total, WORLD_MARKETS);
    for (size_t m = 0; m < WORLD_MARKETS; m++)
        total.members[m].staleness_ns = 15 * OI_MINUTE;
    for (;;) {
        oi_time time = OI_TIME_LATEST;
        struct oi_decimal sum;

        for (size_t m = 0; m < WORLD_MARKETS; m++)
            if (next[m] < world()->merged[m].count && world()->merged[m].items[next[m]].time < time)
                time = world()->merged[m].items[next[m]].time;
        if (time == OI_TIME_LATEST)
            break;
        for (size_t m = 0; m < WORLD_MARKETS; m++) {
            const struct world_row *row = &world()->merged[m].items[next[m]];
            struct oi_decimal amount;

            if (next[m] >= world()->merged[m].count || row->time != time)
                continue;
            next[m]++;
            amount = test_world_amount(row, OI_UNIT_USD, true);
            if (oi_decimal_is_none(&amount))
                continue; /* no price: the row is left out, the last one stays */
            assert_ok(oi_total_set(&total, m, time, &amount, NULL));
        }
        assert_ok(oi_total_at(&total, time, &sum, NULL));
        if (time >= WORLD_START + OI_DAY)
            oi_candles_add_one(&wanted, time, &sum, NULL);
    }
    query.kind = OI_QUERY_CANDLES;
    query.interval_ns = OI_HOUR;
    query.unit = OI_UNIT_USD;
    query.is_canonical = true;
    query.span.from = WORLD_START + OI_DAY;
    selector = oi_query_select(&query, OI_SYMBOLOGY_NATIVE);
    selector->coin = "BTC";
    selector->is_total = true;
    result = test_world_run(world(), &query);
    assert_int_equal(result->market_count, 1);
    assert_int_equal(result->markets[0].member_count, WORLD_MARKETS);
    for (;;) {
        assert_ok(oi_result_next(result, &block, NULL));
        if (!block)
            break;
        for (size_t i = 0; i < block->count; i++) {
            assert_true(at < wanted.items.count);
            assert_int_equal(block->candles[i].start, wanted.items.items[at].start);
            assert_int_equal(
                oi_decimal_compare(&block->candles[i].high, &wanted.items.items[at].high), 0);
            assert_int_equal(
                oi_decimal_compare(&block->candles[i].close, &wanted.items.items[at].close), 0);
            at++;
        }
    }
    /* Instants at which only a row without a price came add no candle of their own. */
    assert_true(at > 0 && at <= wanted.items.count);
    for (size_t m = 0; m < WORLD_MARKETS; m++)
        assert_null(result->markets[0].members[m].left_out);
    oi_total_release(&total);
    oi_candles_release(&wanted);
}

/* A total for each value is the total of the markets that have it. */
static void
splits_a_total_by_what_its_markets_have(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
    struct oi_selector *selector;
    size_t members = 0;

    query.kind = OI_QUERY_CANDLES;
    query.interval_ns = OI_DAY;
    query.unit = OI_UNIT_USD;
    selector = oi_query_select(&query, OI_SYMBOLOGY_NATIVE);
    selector->is_total = true;
    selector->split = OI_SPLIT_QUOTE;
    result = test_world_run(world(), &query);
    assert_int_equal(result->market_count, 2); /* USD and USDT */
    for (size_t i = 0; i < result->market_count; i++) {
        OI_CLEANUP(oi_query_release) struct oi_query one = OI_QUERY_EMPTY;
        OI_CLEANUP(oi_result_close) struct oi_result *alone = NULL;
        const struct oi_block *block, *other;

        assert_true(i == 0 || strcmp(result->markets[i - 1].name, result->markets[i].name) < 0);
        members += result->markets[i].member_count;
        one.kind = OI_QUERY_CANDLES;
        one.interval_ns = OI_DAY;
        one.unit = OI_UNIT_USD;
        selector = oi_query_select(&one, OI_SYMBOLOGY_NATIVE);
        selector->is_total = true;
        selector->quote = result->markets[i].name;
        alone = test_world_run(world(), &one);
        assert_int_equal(alone->markets[0].member_count, result->markets[i].member_count);
        assert_ok(oi_result_next(alone, &other, NULL));
        assert_ok(oi_result_next(result, &block, NULL));
        assert_ptr_equal(block->market, &result->markets[i]);
        assert_int_equal(block->count, other->count);
        for (size_t k = 0; k < block->count; k++)
            assert_int_equal(oi_decimal_compare(&block->candles[k].close, &other->candles[k].close),
                             0);
    }
    assert_int_equal(members, WORLD_MARKETS);
}

static void
takes_the_first_reading_of_each_interval_as_its_snapshot(void **)
{
    for (int by_time = 0; by_time < 2; by_time++) {
        OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
        OI_CLEANUP(found_release) struct found wanted = {};
        OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
        const struct oi_block *block;
        oi_time last = OI_TIME_EARLIEST;
        size_t at = 0;

        query.kind = OI_QUERY_SNAPSHOTS;
        query.interval_ns = 4 * OI_HOUR;
        query.order_by_time = by_time;
        select_all(&query);
        expect(name_order, WORLD_MARKETS, &query, &wanted);
        result = test_world_run(world(), &query);
        for (;;) {
            assert_ok(oi_result_next(result, &block, NULL));
            if (!block)
                break;
            for (size_t i = 0; i < block->count; i++, at++) {
                if (by_time) {
                    assert_true(block->snapshots[i].start >= last);
                    last = block->snapshots[i].start;
                    continue;
                }
                assert_int_equal(block->snapshots[i].time, wanted.times.items[at]);
                assert_int_equal(
                    oi_decimal_compare(&block->snapshots[i].amount, &wanted.amounts.items[at]), 0);
            }
        }
        assert_int_equal(at, wanted.times.count);
    }
}

static void
pages_snapshots_by_time_without_losing_one(void **)
{
    for (int from_end = 0; from_end < 2; from_end++) {
        OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
        OI_CLEANUP(found_release) struct found wanted = {};
        size_t seen = 0;

        query.kind = OI_QUERY_SNAPSHOTS;
        query.interval_ns = OI_HOUR;
        query.order_by_time = true;
        query.from_end = from_end;
        query.limit = 4;
        select_all(&query);
        expect(name_order, WORLD_MARKETS, &query, &wanted);
        do {
            OI_CLEANUP(oi_result_close) struct oi_result *result = test_world_run(world(), &query);
            const struct oi_block *block;

            for (;;) {
                assert_ok(oi_result_next(result, &block, NULL));
                if (!block)
                    break;
                seen += block->count;
            }
            query.after = result->next_position;
            assert_true(seen <= wanted.times.count);
        } while (query.after.is_set);
        assert_int_equal(seen, wanted.times.count);
    }
}

/* What a page or all of it holds, as text. */
static struct oi_position
write_page(const struct oi_query *query, struct oi_buffer *text)
{
    OI_CLEANUP(oi_result_close) struct oi_result *result = test_world_run(world(), query);
    const struct oi_block *block;

    for (;;) {
        assert_ok(oi_result_next(result, &block, NULL));
        if (!block)
            return result->next_position;
        for (size_t i = 0; i < block->count; i++) {
            if (block->changes)
                oi_buffer_add_format(text, "%zu %s %lld\n",
                                     block->market->instrument ? block->market->index : SIZE_MAX,
                                     "", (long long) block->changes[i].to_time);
            else
                oi_buffer_add_format(text, "%zu %s %lld %lld\n", block->market->index, block->feed,
                                     (long long) block->rows->time[i],
                                     (long long) block->rows->known_time[i]);
        }
    }
}

static void
pages_revisions_and_changes_without_losing_one(void **)
{
    static const enum oi_query_kind kinds[] = { OI_QUERY_REVISIONS, OI_QUERY_CHANGES };

    for (size_t i = 0; i < OI_COUNT(kinds); i++) {
        for (size_t limit = 1; limit < 5; limit++) {
            OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
            OI_CLEANUP(oi_buffer_release) struct oi_buffer whole = {}, pages = {};
            size_t count = 0;

            query.kind = kinds[i];
            query.unit = OI_UNIT_USD;
            select_all(&query);
            if (query.kind == OI_QUERY_CHANGES)
                query.span.from = WORLD_START + OI_HOUR;
            assert_false(write_page(&query, &whole).is_set);
            query.limit = limit;
            do {
                query.after = write_page(&query, &pages);
                count++;
            } while (query.after.is_set && count < 100'000);
            assert_true(limit > 1 || count > 1);
            assert_true(oi_slice_equal(oi_buffer_slice(&whole), oi_buffer_slice(&pages)));
            oi_buffer_release(&pages);
        }
    }
}

static void
names_the_market_that_is_not_known(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    struct oi_problem problem = {};
    struct oi_result *result = NULL;

    query.kind = OI_QUERY_ROWS;
    test_world_select(&query, "example:linear:NOSUCH");
    query.selectors.items[0].must_match = true;
    assert_status(oi_query_run(&world()->source, &query, &result, &problem, NULL), OI_E_INVALID);
    assert_int_equal(problem.kind, OI_PROBLEM_MARKET);
    assert_string_equal(problem.value, "example:linear:NOSUCH");
}

static void
ranks_the_newest_figures_by_usd(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
    const struct oi_block *block;
    struct oi_decimal last = {};
    size_t count = 0;

    query.kind = OI_QUERY_LATEST;
    query.unit = OI_UNIT_COINS;
    query.order_by_usd = true;
    query.is_canonical = true;
    select_all(&query);
    result = test_world_run(world(), &query);
    for (;; count++) {
        assert_ok(oi_result_next(result, &block, NULL));
        if (!block)
            break;
        if (count > 0)
            assert_true(oi_decimal_compare(&last, &block->latest->usd) >= 0);
        last = block->latest->usd;
    }
    assert_int_equal(count, WORLD_MARKETS);
}

/* Rows of the linear market at 3 USD a coin; the venue says 100 more, but where `silent`. */
static void
append_with_usd(struct test_world *own, size_t count, size_t silent)
{
    struct oi_append_result result;
    struct oi_row rows[8];

    oi_virtual_clock_advance(&own->clock, OI_DAY);
    for (size_t i = 0; i < count; i++) {
        rows[i] = (struct oi_row){ own->series[1][0], OI_OBSERVATION_NONE };
        rows[i].reading.time = WORLD_START + (oi_time) i * OI_MINUTE;
        rows[i].reading.open_interest = oi_decimal_from(10 * (int64_t) i + 10, 0);
        rows[i].reading.mark_price = oi_decimal_from(3, 0);
        if (i != silent)
            rows[i].reading.value_usd = oi_decimal_from(30 * (int64_t) i + 130, 0);
    }
    assert_ok(oi_store_append(
        own->source.store, &(struct oi_batch){ .rows = rows, .row_count = count }, &result, NULL));
}

static void
assert_usd(struct test_world *own, size_t count, size_t silent)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
    const struct oi_block *block;
    size_t row = 0;

    query.kind = OI_QUERY_ROWS;
    query.unit = OI_UNIT_USD;
    test_world_select(&query, test_world_names[1]);
    result = test_world_run(own, &query);
    for (;;) {
        assert_ok(oi_result_next(result, &block, NULL));
        if (!block)
            break;
        for (size_t i = 0; i < block->count; i++, row++) {
            struct oi_decimal amount = oi_decimals_get(&block->amounts, i);
            struct oi_decimal usd = oi_decimals_get(&block->usd, i);
            struct oi_decimal wanted =
                oi_decimal_from(30 * (int64_t) row + (row == silent ? 30 : 130), 0);

            assert_true(oi_decimal_equal(&amount, &wanted));
            assert_true(oi_decimal_equal(&usd, &wanted));
        }
    }
    assert_int_equal(row, count);
}

static void
prefers_the_venues_own_usd_and_computes_what_it_left_out(void **folder)
{
    static const size_t silent[] = { SIZE_MAX, 2 }; /* none; one in the middle */

    for (size_t i = 0; i < OI_COUNT(silent); i++) {
        struct test_world own;
        char path[256];

        assert_true(snprintf(path, sizeof(path), "%s/usd%zu", (const char *) *folder, i) > 0);
        assert_int_equal(mkdir(path, 0700), 0);
        test_world_open(&own, path);
        append_with_usd(&own, 5, silent[i]);
        assert_usd(&own, 5, silent[i]);
        test_world_close(&own);
    }
}

static void
finds_the_months_that_hold_readings(void **)
{
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
    const struct oi_block *block;

    query.kind = OI_QUERY_MONTHS;
    test_world_select(&query, test_world_names[0]);
    result = test_world_run(world(), &query);
    assert_ok(oi_result_next(result, &block, NULL));
    assert_int_equal(block->count, 1);
    assert_int_equal(block->months[0], oi_month_start(2026, 3));
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
        cmocka_unit_test(gives_every_row_of_every_market_in_order),
        cmocka_unit_test(pages_cover_every_row_once),
        cmocka_unit_test(limits_each_market_from_the_side_asked_for),
        cmocka_unit_test(sums_markets_on_the_union_of_their_instants),
        cmocka_unit_test(splits_a_total_by_what_its_markets_have),
        cmocka_unit_test(takes_the_first_reading_of_each_interval_as_its_snapshot),
        cmocka_unit_test(pages_snapshots_by_time_without_losing_one),
        cmocka_unit_test(pages_revisions_and_changes_without_losing_one),
        cmocka_unit_test(names_the_market_that_is_not_known),
        cmocka_unit_test(ranks_the_newest_figures_by_usd),
        cmocka_unit_test(prefers_the_venues_own_usd_and_computes_what_it_left_out),
        cmocka_unit_test(finds_the_months_that_hold_readings),
    };
    return cmocka_run_group_tests_name("query/run", tests, set_up, tear_down);
}
