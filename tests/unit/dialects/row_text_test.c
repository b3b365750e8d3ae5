/* SPDX-License-Identifier: Apache-2.0 */
/* Rows written cell by cell, beside the same rows written one value at a time. */
#include "dialects/row_text.h"

#include "base/alloc.h"
#include "base/random.h"

#include "support/test_dialect.h"

#define ROWS 300

struct member {
    struct oi_decimal figure;
    oi_time start;
    uint32_t count;
};

/* Rows of every form, with and without values. */
struct rows {
    oi_time times[ROWS], others[ROWS];
    int64_t mantissas[ROWS], mixed_mantissas[ROWS];
    int8_t exponents[ROWS];
    struct oi_decimal wide;
    uint16_t flags[ROWS];
    struct member members[ROWS];
    struct oi_decimals plain, mixed, absent;
};

/* Of any length, so that every way to write digits is taken. */
static int64_t
some_mantissa(struct oi_random *random)
{
    int64_t mantissa = (int64_t) (oi_random_next(random) >> oi_random_below(random, 64));

    for (uint64_t zeros = oi_random_below(random, 4); zeros > 0; zeros--)
        mantissa = mantissa / 10 * 10;
    return oi_random_below(random, 8) == 0 ? 0 : mantissa;
}

static void
fill(struct rows *rows, struct oi_random *random)
{
    oi_time time = test_time("2025-12-31T20:00:00Z");

    rows->absent = (struct oi_decimals){};
    rows->wide = test_decimal("-123456789012345678901234567890.5");
    rows->plain = (struct oi_decimals){ .mantissas = rows->mantissas,
                                        .exponent = -(int) oi_random_below(random, 24) };
    rows->mixed = (struct oi_decimals){ rows->mixed_mantissas, rows->exponents, &rows->wide, 0 };
    for (size_t i = 0; i < ROWS; i++) {
        static const int64_t steps[] = { 1, 1'000, 1'000'000, OI_SECOND };
        uint64_t form = oi_random_below(random, 8);

        time += steps[oi_random_below(random, 4)] * (int64_t) oi_random_below(random, 90);
        rows->times[i] = time;
        rows->others[i] = form == 0 ? OI_TIME_NONE : time + 5;
        rows->mantissas[i] = some_mantissa(random);
        rows->mixed_mantissas[i] = form == 1 ? 0 : some_mantissa(random);
        rows->exponents[i] = (int8_t) (form == 0   ? OI_EXPONENT_NONE
                                       : form == 1 ? OI_EXPONENT_WIDE
                                                   : (int) oi_random_below(random, 60) - 40);
        rows->flags[i] = (uint16_t) oi_random_below(random, 3);
        rows->members[i] = (struct member){
            .figure = oi_decimals_get(&rows->mixed, i),
            .start = form == 2 ? time : time / OI_SECOND * OI_SECOND,
            .count = (uint32_t) oi_random_next(random),
        };
    }
}

static void
add_straight(const struct rows *rows, size_t row, bool is_first, struct oi_buffer *out)
{
    const struct member *member = &rows->members[row];
    oi_time time = rows->times[row];
    int64_t fraction = member->start % OI_SECOND;

    oi_buffer_add_text(out, is_first ? "" : ",");
    oi_buffer_add_text(out, "{a head that is longer than one copy of it takes|");
    oi_time_write(time, 9, out);
    oi_buffer_add_text(out, "|");
    if (rows->others[row] == OI_TIME_NONE)
        oi_buffer_add_text(out, "no time");
    else
        oi_time_write(rows->others[row], oi_time_fraction_digits(rows->others[row]), out);
    oi_buffer_add_text(out, "\"plain=");
    (void) oi_text_add_decimal(&rows->plain, row, out);
    oi_buffer_add_text(out, rows->exponents[row] == OI_EXPONENT_NONE ? "\"null" : "\"mixed=");
    (void) oi_text_add_decimal(&rows->mixed, row, out);
    oi_buffer_add_text(out, "\"none");
    if (!oi_decimal_is_none(&member->figure)) {
        oi_buffer_add_text(out, " a member behind more than a slot has room for=");
        oi_decimal_write(&member->figure, out);
        oi_buffer_add_text(out, ",");
    }
    oi_buffer_add_format(out, "n=%u f=%u s=%lld", member->count, rows->flags[row],
                         (long long) oi_time_to_s(member->start));
    if (fraction > 0)
        oi_buffer_add_format(out, " ns=%lld", (long long) fraction);
    oi_buffer_add_text(out, "}");
}

static void
describe(const struct rows *rows, struct oi_row_text *text)
{
    const struct oi_row_cell cells[] = {
        { .kind = OI_ROW_TIMES, .first = rows->times, .digits = 9, .before = "", .none = "" },
        { .kind = OI_ROW_SHORT_TIMES,
          .first = rows->others,
          .before = "|",
          .none = "|no time\"",
          .after = '"' },
        { .kind = OI_ROW_COLUMN,
          .first = &rows->plain,
          .before = "plain=",
          .none = "?",
          .after = '"' },
        { .kind = OI_ROW_COLUMN,
          .first = &rows->mixed,
          .before = "mixed=",
          .none = "null\"",
          .after = '"' },
        { .kind = OI_ROW_COLUMN, .first = &rows->absent, .before = "?", .none = "none" },
        { .kind = OI_ROW_DECIMALS,
          .first = &rows->members[0].figure,
          .stride = sizeof(struct member),
          .before = " a member behind more than a slot has room for=",
          .none = "",
          .after = ',' },
        { .kind = OI_ROW_COUNTS,
          .first = &rows->members[0].count,
          .stride = sizeof(struct member),
          .before = "n=",
          .none = "" },
        { .kind = OI_ROW_FLAGS, .first = rows->flags, .before = " f=", .none = "" },
        { .kind = OI_ROW_SECONDS,
          .first = &rows->members[0].start,
          .stride = sizeof(struct member),
          .before = " s=",
          .none = "",
          .fraction = " ns=" },
    };

    oi_row_text_begin(text, OI_SLICE(",{a head that is longer than one copy of it takes|"));
    for (size_t i = 0; i < OI_COUNT(cells); i++)
        oi_row_text_add(text, &cells[i]);
    oi_row_text_end(text, "}");
}

static void
writes_what_values_one_by_one_are(void **)
{
    struct rows *rows = oi_alloc(sizeof(*rows));
    struct oi_random random;
    uint64_t seed = 20'260'711;

    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (int round = 0; round < 60; round++) {
        struct oi_buffer fast = {}, straight = {};
        struct oi_time_writer times = {};
        struct oi_row_text text = {};
        size_t from = oi_random_below(&random, ROWS), to = ROWS;

        fill(rows, &random);
        describe(rows, &text);
        to = from + oi_random_below(&random, ROWS - from + 1);
        oi_row_text_write(&text, from, to, 1, &times, &fast);
        for (size_t row = from; row < to; row++)
            add_straight(rows, row, row == from, &straight);
        assert_int_equal(fast.size, straight.size);
        assert_true(oi_slice_equal(oi_buffer_slice(&fast), oi_buffer_slice(&straight)));
        oi_row_text_release(&text);
        oi_buffer_release(&fast);
        oi_buffer_release(&straight);
    }
    oi_free(rows);
}

/* The usual rows: each cell has a short text in all of them. */
static void
writes_rows_whose_cells_are_copies(void **)
{
    struct rows *rows = oi_alloc(sizeof(*rows));
    struct oi_random random;

    oi_random_init(&random, 3);
    for (int round = 0; round < 40; round++) {
        struct oi_buffer fast = {}, straight = {};
        struct oi_time_writer times = {};
        struct oi_row_text text = {};
        size_t from = oi_random_below(&random, ROWS);

        fill(rows, &random);
        rows->plain.exponent = -(int) oi_random_below(&random, 8);
        for (size_t i = 0; i < ROWS; i++)
            rows->flags[i] = (uint16_t) (round % 4 == 0 ? i / 40 : (unsigned) round);
        /* Now and then a cell has none. */
        for (size_t i = 0; i < ROWS && round % 5 > 0; i++)
            rows->others[i] = rows->times[i];
        oi_row_text_begin(&text, OI_SLICE(",{"));
        oi_row_text_add(&text, &(struct oi_row_cell){ .kind = OI_ROW_SHORT_TIMES,
                                                      .first = rows->others,
                                                      .before = "time=",
                                                      .none = "none;",
                                                      .after = ';' });
        oi_row_text_add(
            &text,
            &(struct oi_row_cell){
                .kind = OI_ROW_FLAGS, .first = rows->flags, .before = "flags=", .none = "" });
        oi_row_text_add(&text, &(struct oi_row_cell){ .kind = OI_ROW_COLUMN,
                                                      .first = &rows->plain,
                                                      .before = " before as much as stands in it=",
                                                      .none = "" });
        oi_row_text_end(&text, "}");
        oi_row_text_write(&text, from, ROWS, 1, &times, &fast);
        for (size_t row = from; row < ROWS; row++) {
            oi_time other = rows->others[row];

            oi_buffer_add_text(&straight, row == from ? "{" : ",{");
            oi_buffer_add_text(&straight, other == OI_TIME_NONE ? "none" : "time=");
            if (other != OI_TIME_NONE)
                oi_time_write(other, oi_time_fraction_digits(other), &straight);
            oi_buffer_add_format(&straight,
                                 ";flags=%u before as much as stands in it=", rows->flags[row]);
            (void) oi_text_add_decimal(&rows->plain, row, &straight);
            oi_buffer_add_text(&straight, "}");
        }
        assert_int_equal(fast.size, straight.size);
        assert_true(oi_slice_equal(oi_buffer_slice(&fast), oi_buffer_slice(&straight)));
        oi_row_text_release(&text);
        oi_buffer_release(&fast);
        oi_buffer_release(&straight);
    }
    oi_free(rows);
}

static void
stops_at_the_ceiling_of_the_buffer(void **)
{
    struct rows *rows = oi_alloc(sizeof(*rows));
    struct oi_buffer out = { .size_max = 4096 };
    struct oi_time_writer times = {};
    struct oi_row_text text = {};
    struct oi_random random;

    oi_random_init(&random, 1);
    fill(rows, &random);
    describe(rows, &text);
    oi_row_text_write(&text, 0, ROWS, 0, &times, &out);
    assert_true(out.overflowed);
    assert_true(out.size <= out.size_max);
    oi_row_text_release(&text);
    oi_buffer_release(&out);
    oi_free(rows);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_values_one_by_one_are),
        cmocka_unit_test(writes_rows_whose_cells_are_copies),
        cmocka_unit_test(stops_at_the_ceiling_of_the_buffer),
    };

    return cmocka_run_group_tests_name("dialects/row_text", tests, NULL, NULL);
}
