/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever rows a load has, the store says afterwards what it says when they were appended. */
#include "base/alloc.h"
#include "base/random.h"
#include "kv/memory.h"

#include "support/test_store.h"

#define ROUNDS 12
#define ROWS_MAX 600
#define TARGETS 3

struct parts {
    struct oi_packed rows[3][ROWS_MAX];
    struct oi_packed_runs runs[3];
    struct oi_decimal wides[2];
    struct oi_bulk_target targets[TARGETS];
    struct oi_bulk_part list[3];
    size_t count;
};

static uint64_t
below(struct oi_random *random, uint64_t limit)
{
    return oi_random_below(random, limit);
}

static void
fill_row(struct oi_random *random, struct oi_packed *row, const struct test_store *test)
{
    row->exchange_time = below(random, 4) ? OI_TIME_NONE : row->time - OI_SECOND;
    row->known_time = below(random, 6) ? OI_TIME_NONE : TEST_START - (int64_t) below(random, 3);
    row->flags = below(random, 50) ? 0 : OI_FLAG_KNOWN_ASSUMED;
    for (unsigned figure = 0; figure < OI_PACKED_FIGURES; figure++) {
        row->mantissas[figure] = 0;
        row->exponents[figure] = OI_EXPONENT_NONE;
        if (figure > 0 && below(random, 3) == 0)
            continue;
        row->mantissas[figure] = (int64_t) below(random, below(random, 30) ? 50 : 1'000'000'000);
        row->exponents[figure] = (int8_t) - (int) below(random, 3);
        if (below(random, 300) == 0)
            row->exponents[figure] = -15;
        if (below(random, 300) == 0)
            row->mantissas[figure] = INT64_MAX - 1;
        if (figure == 1 && below(random, 300) == 0) {
            row->mantissas[figure] = (int64_t) below(random, 2);
            row->exponents[figure] = OI_EXPONENT_WIDE;
        }
    }
    if (below(random, 400) == 0)
        row->exponents[0] = OI_EXPONENT_NONE;
    if (below(random, 400) == 0)
        row->known_time = test->clock.clock.wall_ns(&test->clock.clock) + OI_HOUR;
}

static void
fill_part(struct oi_random *random, struct parts *parts, const struct test_store *test, int minute,
          bool is_by_market)
{
    size_t number = parts->count++, count = 1 + below(random, ROWS_MAX - 1);
    struct oi_packed *rows = parts->rows[number];
    bool is_tidy = below(random, 2);

    for (size_t i = 0; i < count; i++) {
        rows[i] = (struct oi_packed){
            .target = (uint32_t) (is_by_market ? i * TARGETS / count : below(random, TARGETS)),
            .time = test_store_minute(minute + (int) i),
        };
        if (!is_tidy && below(random, 20) == 0)
            rows[i].time -= (int64_t) below(random, 5) * OI_MINUTE;
        fill_row(random, &rows[i], test);
        if (!is_tidy && i > 0 && below(random, 40) == 0)
            rows[i] = rows[i - 1];
    }
    parts->list[number] = (struct oi_bulk_part){
        .rows = rows, .count = count, .targets = parts->targets, .wides = parts->wides
    };
    if (below(random, 3) == 0)
        return;
    oi_packed_runs_find(rows, count, &parts->runs[number]);
    parts->list[number].runs = parts->runs[number].items;
    parts->list[number].run_count = parts->runs[number].count;
}

/* Rows of every series, all revisions, as stored at a moment. */
static size_t
rows_as_stored(struct test_store *test, oi_time moment)
{
    size_t count = 0;

    for (unsigned i = 0; i < TARGETS; i++) {
        const struct oi_scan_request request = {
            .series = test->series[i],
            .span = OI_SPAN_ALL,
            .moment = { .as_of = OI_TIME_LATEST, .as_stored = moment },
            .all_revisions = true,
        };

        count += test_store_count_of(test->store, &request);
    }
    return count;
}

/* Prepared at one time, asked about at another, committed at a third one. */
static void
load_parts(struct test_store *test, struct parts *parts, struct oi_append_result *ret_result)
{
    const struct oi_bulk bulk = { .parts = parts->list, .part_count = parts->count, .threads = 2 };
    struct oi_bulk_prepared *prepared = NULL;
    oi_time asked;
    size_t count;

    assert_ok(oi_store_bulk_prepare(test->store, &bulk, NULL, &prepared, NULL));
    oi_virtual_clock_advance(&test->clock, OI_SECOND);
    asked = test->clock.clock.wall_ns(&test->clock.clock);
    count = rows_as_stored(test, asked);
    oi_virtual_clock_advance(&test->clock, OI_SECOND);
    assert_ok(oi_store_bulk_commit(prepared, ret_result, NULL));
    oi_store_bulk_free(&prepared);
    assert_int_equal(rows_as_stored(test, asked), count);
    assert_int_equal(rows_as_stored(test, OI_TIME_LATEST), count + ret_result->stored);
}

static void
append_parts(struct test_store *test, const struct parts *parts,
             struct oi_append_result *ret_result)
{
    struct oi_row *rows = oi_alloc_zero(3 * ROWS_MAX, sizeof(*rows));
    struct oi_batch batch = { .rows = rows };

    for (size_t part = 0; part < parts->count; part++)
        for (size_t i = 0; i < parts->list[part].count; i++) {
            const struct oi_packed *row = &parts->rows[part][i];

            rows[batch.row_count].series = parts->targets[row->target].series;
            rows[batch.row_count].reading = oi_packed_get(row, parts->wides);
            rows[batch.row_count++].reading.flags |= parts->targets[row->target].flags;
        }
    assert_ok(oi_store_append(test->store, &batch, ret_result, NULL));
    oi_free(rows);
}

static void
assert_same_rows(struct test_store *one, struct test_store *other, uint32_t series,
                 bool all_revisions)
{
    const struct oi_scan_request request = { .series = series,
                                             .span = OI_SPAN_ALL,
                                             .moment = OI_MOMENT_LATEST,
                                             .all_revisions = all_revisions,
                                             .columns =
                                                 OI_COLUMNS_ALL & ~(unsigned) OI_COLUMN_BATCH };
    OI_VECTOR(struct oi_observation) found[2] = {};
    struct oi_store *stores[2] = { one->store, other->store };

    for (unsigned i = 0; i < 2; i++) {
        const struct oi_columns *columns;
        struct oi_scan *scan = NULL;

        assert_ok(oi_store_scan(stores[i], &request, &scan, NULL));
        for (;;) {
            assert_ok(oi_scan_next(scan, &columns, NULL));
            if (!columns)
                break;
            for (size_t row = 0; row < columns->count; row++)
                oi_vector_push(&found[i], oi_columns_get(columns, row));
        }
        oi_scan_close(&scan);
    }
    assert_int_equal(found[0].count, found[1].count);
    for (size_t i = 0; i < found[0].count; i++)
        test_store_assert_same(&found[0].items[i], &found[1].items[i]);
    oi_vector_release(&found[0]);
    oi_vector_release(&found[1]);
}

static void
a_load_says_what_an_append_says(void **state)
{
    uint64_t seed = 20'261'127;
    struct oi_random random;
    struct test_store loaded, appended;
    struct parts *parts = oi_alloc_zero(1, sizeof(*parts));
    int minute = 0, straight = 0;

    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    test_store_begin(&loaded, *state, "loaded", &oi_kv_memory);
    test_store_begin(&appended, *state, "appended", &oi_kv_memory);
    oi_store_close(&loaded.store);
    loaded.options.chunk_rows = 64;
    test_store_open(&loaded);
    assert_ok(
        oi_decimal_parse(OI_SLICE("123456789012345678901234567890.5"), &parts->wides[0], NULL));
    assert_ok(
        oi_decimal_parse(OI_SLICE("-1234567890123456789012345678.25"), &parts->wides[1], NULL));
    for (unsigned i = 0; i < TARGETS; i++)
        parts->targets[i].series = loaded.series[i];
    for (int round = 0; round < ROUNDS; round++) {
        bool is_by_market = below(&random, 2);
        struct oi_append_result one, other;
        struct oi_store_stats before, after;

        oi_virtual_clock_advance(&loaded.clock, OI_HOUR);
        oi_virtual_clock_advance(&appended.clock, OI_HOUR);
        /* Nothing of a live feed goes straight into chunks. */
        parts->targets[0].series = loaded.series[below(&random, 2) ? 0 : 2];
        parts->count = 0;
        for (uint64_t part = 1 + below(&random, 3); part > 0; part--) {
            fill_part(&random, parts, &loaded, minute, is_by_market);
            minute += (int) parts->list[parts->count - 1].count - (int) below(&random, 2) * 3;
        }
        oi_store_stats(loaded.store, &before);
        load_parts(&loaded, parts, &one);
        oi_store_stats(loaded.store, &after);
        straight += after.chunk_rows > before.chunk_rows;
        oi_virtual_clock_advance(&appended.clock, 2 * OI_SECOND);
        append_parts(&appended, parts, &other);
        assert_int_equal(one.stored, other.stored);
        assert_int_equal(one.duplicate, other.duplicate);
        assert_int_equal(one.refused, other.refused);
        for (unsigned i = 0; i < TARGETS; i++) {
            assert_same_rows(&loaded, &appended, loaded.series[i], false);
            assert_same_rows(&loaded, &appended, loaded.series[i], true);
        }
        if (below(&random, 2))
            test_store_checkpoint(&loaded);
    }
    assert_in_range(straight, 1, ROUNDS);
    test_store_verify(&loaded);
    for (size_t i = 0; i < OI_COUNT(parts->runs); i++)
        oi_vector_release(&parts->runs[i]);
    oi_free(parts);
    test_store_close(&loaded);
    test_store_close(&appended);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_load_says_what_an_append_says, test_folder_setup,
                                        test_folder_teardown),
    };
    return cmocka_run_group_tests_name("contract/store_bulk_random", tests, NULL, NULL);
}
