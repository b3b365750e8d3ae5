/* SPDX-License-Identifier: Apache-2.0 */
#include "clickhouse/kept_rows.h"

#include "base/random.h"
#include "support/test.h"

#define START INT64_C(1767225600000000000) /* 2026-01-01 */
#define COLUMNS (OI_COLUMN_OPEN_INTEREST | OI_COLUMN_MARK_PRICE | OI_COLUMN_FLAGS)

static const uint32_t series = 3;

static struct oi_observation
make_reading(struct oi_random *random, oi_time time)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    reading.time = time;
    reading.known_time = time + (oi_time) oi_random_below(random, OI_SECOND);
    reading.flags = (uint16_t) (oi_random_below(random, 10) == 0);
    reading.open_interest =
        oi_decimal_from((int64_t) oi_random_next(random) / 1000, -(int) oi_random_below(random, 9));
    if (oi_random_below(random, 50) == 0)
        assert_ok(oi_decimal_parse(oi_slice_of("123456789012345678901234.5"),
                                   &reading.open_interest, NULL));
    if (oi_random_below(random, 3) > 0)
        reading.mark_price = oi_decimal_from((int64_t) oi_random_below(random, 1'000'000), -2);
    return reading;
}

/* In key order, some instants with revisions. */
static void
make_rows(struct oi_random *random, size_t count, struct oi_rows *rows)
{
    oi_time time = START;

    for (size_t i = 0; i < count; i++) {
        struct oi_observation reading;

        if (i == 0 || oi_random_below(random, 8) > 0)
            time += OI_MINUTE * (oi_time) (1 + oi_random_below(random, 3));
        reading = make_reading(random, time);
        if (i > 0 && rows->items[i - 1].time == time)
            reading.known_time = rows->items[i - 1].known_time + 1;
        oi_rows_add(rows, &reading, 1 + oi_random_below(random, 9));
    }
}

static void
assert_same_rows(const struct oi_rows *rows, size_t from, const struct oi_rows *found)
{
    for (size_t i = 0; i < found->count; i++) {
        assert_int_equal(oi_record_compare(&rows->items[from + i], &found->items[i]), 0);
        assert_true(oi_rows_same_reading(rows, from + i, found, i));
    }
}

static void
rows_come_back_as_they_were(void **state)
{
    (void) state;
    struct oi_random random;
    uint64_t seed;

    oi_random_secret(&seed, sizeof(seed));
    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (size_t round = 0; round < 12; round++) {
        struct oi_kept *kept = oi_kept_new(8 << 20, false);
        const struct oi_kept_question question = oi_kept_rows_question(&series, COLUMNS, false, 9);
        struct oi_rows rows = {}, found = {};
        size_t count = round == 0 ? 0 : oi_random_below(&random, 12'000);
        struct oi_span all = { START - OI_DAY, START + 365 * OI_DAY };
        oi_time until;

        make_rows(&random, count, &rows);
        oi_kept_put_rows(kept, &question, oi_kept_epoch(kept), all, &rows);
        assert_ok(oi_kept_take_rows(kept, &question, all, SIZE_MAX, &found, &until, NULL));
        assert_true(until == all.to);
        assert_int_equal(found.count, count);
        assert_same_rows(&rows, 0, &found);
        for (size_t i = 0; i < 10; i++) {
            struct oi_span part;
            size_t from;

            part.from = START + (oi_time) oi_random_below(&random, 10'000) * OI_MINUTE;
            part.to = part.from + (oi_time) oi_random_below(&random, 10'000) * OI_MINUTE;
            oi_rows_clear(&found);
            assert_ok(oi_kept_take_rows(kept, &question, part, SIZE_MAX, &found, &until, NULL));
            assert_true(until == part.to);
            from = count > 0 ? oi_rows_find(&rows, part.from) : 0;
            assert_int_equal(found.count, count > 0 ? oi_rows_find(&rows, part.to) - from : 0);
            assert_same_rows(&rows, from, &found);
        }
        oi_rows_release(&rows);
        oi_rows_release(&found);
        oi_kept_free(&kept);
    }
}

static void
a_few_rows_are_not_read_on_behind_them(void **state)
{
    (void) state;
    struct oi_random random;
    struct oi_kept *kept = oi_kept_new(8 << 20, false);
    const struct oi_kept_question question = oi_kept_rows_question(&series, COLUMNS, false, 9);
    struct oi_rows rows = {}, found = {};
    struct oi_span all = { START, START + 365 * OI_DAY };
    oi_time until, from;

    oi_random_init(&random, 1);
    make_rows(&random, 20'000, &rows);
    oi_kept_put_rows(kept, &question, oi_kept_epoch(kept), all, &rows);
    assert_ok(oi_kept_take_rows(kept, &question, all, 10, &found, &until, NULL));
    assert_in_range(found.count, 10, 5000);
    assert_true(until == rows.items[found.count].time);
    oi_rows_clear(&found);
    assert_ok(oi_kept_take_last_rows(kept, &question, all, &found, &from, NULL));
    assert_in_range(found.count, 10, 5000);
    assert_true(from == rows.items[rows.count - found.count].time);
    assert_same_rows(&rows, rows.count - found.count, &found);
    oi_rows_release(&rows);
    oi_rows_release(&found);
    oi_kept_free(&kept);
}

static void
what_is_not_kept_is_asked_for(void **state)
{
    (void) state;
    struct oi_random random;
    struct oi_kept *kept = oi_kept_new(8 << 20, false);
    const struct oi_kept_question question = oi_kept_rows_question(&series, COLUMNS, false, 9);
    const struct oi_kept_question more =
        oi_kept_rows_question(&series, COLUMNS | OI_COLUMN_INDEX_PRICE, false, 9);
    /* Who knows of no wide figures asks for none. */
    const struct oi_kept_question narrow = oi_kept_rows_question(&series, COLUMNS, true, 9);
    const struct oi_span all = { START, START + OI_DAY }, early = { START - 1, START + OI_DAY };
    struct oi_rows rows = {}, found = {};
    oi_time until, from;

    oi_random_init(&random, 1);
    make_rows(&random, 10, &rows);
    oi_kept_put_rows(kept, &question, oi_kept_epoch(kept), all, &rows);
    assert_ok(oi_kept_take_rows(kept, &question, early, SIZE_MAX, &found, &until, NULL));
    assert_true(until == early.from);
    assert_ok(oi_kept_take_rows(kept, &more, all, SIZE_MAX, &found, &until, NULL));
    assert_true(until == all.from);
    assert_ok(oi_kept_take_rows(kept, &narrow, all, SIZE_MAX, &found, &until, NULL));
    assert_true(until == all.from);
    assert_ok(oi_kept_take_last_rows(kept, &more, all, &found, &from, NULL));
    assert_true(from == all.to);
    assert_int_equal(found.count, 0);
    oi_rows_release(&rows);
    oi_rows_release(&found);
    oi_kept_free(&kept);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back_as_they_were),
        cmocka_unit_test(a_few_rows_are_not_read_on_behind_them),
        cmocka_unit_test(what_is_not_kept_is_asked_for),
    };

    return cmocka_run_group_tests_name("clickhouse/kept_rows", tests, NULL, NULL);
}
