/* SPDX-License-Identifier: Apache-2.0 */
/* Cells land in their columns, absent ones as such, and memory is used again. */
#include "core/cells.h"

#include "base/random.h"

#include "support/test.h"

#include <string.h>

#define ROWS 100

static void
puts_cells_into_columns_row_by_row(void **)
{
    struct oi_cells table = {};

    oi_cells_column(&table, "name", OI_CELL_TEXT);
    oi_cells_column(&table, "count", OI_CELL_INTEGER);
    for (unsigned round = 0; round < 2; round++) {
        oi_cells_add_text(&table, OI_SLICE("one"));
        oi_cells_add_number(&table, 1);
        oi_cells_add_none(&table);
        oi_cells_add_none(&table);
        oi_cells_add_text(&table, OI_SLICE(""));
        oi_cells_add_number(&table, -3);
        assert_int_equal(table.row_count, 3);
        assert_int_equal(table.columns[0].absent, 1);
        assert_true(oi_slice_is(oi_cells_text(&table.columns[0], 0), "one"));
        assert_int_equal(oi_cells_text(&table.columns[0], 1).size, 0);
        assert_false(table.columns[0].present.items[1]);
        assert_true(table.columns[0].present.items[2]);
        assert_int_equal(table.columns[1].numbers.items[2], -3);
        oi_cells_clear(&table);
        assert_int_equal(table.row_count, 0);
    }
    oi_cells_release(&table);
}

struct member {
    oi_time time;
    struct oi_decimal figure;
};

/* Five columns of rows made one after the other. */
static void
add_one_by_one(struct oi_cells *table, const struct member *members,
               const struct oi_decimals *column)
{
    for (size_t i = 0; i < ROWS; i++) {
        const struct oi_decimal values[] = { oi_decimals_get(column, i), members[i].figure };

        oi_cells_add_text(table, OI_SLICE("name"));
        for (size_t k = 0; k < OI_COUNT(values); k++) {
            char text[OI_DECIMAL_TEXT_SIZE];

            if (oi_decimal_is_none(&values[k]))
                oi_cells_add_none(table);
            else
                oi_cells_add_text(table,
                                  (struct oi_slice){ text, oi_decimal_print(&values[k], text) });
        }
        if (members[i].time == OI_TIME_NONE)
            oi_cells_add_none(table);
        else
            oi_cells_add_number(table, members[i].time);
        oi_cells_add_number(table, (int64_t) i);
    }
}

static void
add_at_once(struct oi_cells *table, const struct member *members, const struct oi_decimals *column)
{
    int64_t *numbers;

    oi_cells_at_once(table, ROWS);
    oi_cells_add_text(table, OI_SLICE("name"));
    oi_cells_add_column(table, column);
    oi_cells_add_decimals(table, &members->figure, sizeof(*members));
    oi_cells_add_times(table, &members->time, sizeof(*members));
    numbers = oi_cells_add_numbers(table);
    for (size_t i = 0; i < ROWS; i++)
        numbers[i] = (int64_t) i;
    oi_cells_at_once(table, 1);
}

static void
assert_same(const struct oi_cells *a, const struct oi_cells *b)
{
    assert_int_equal(a->row_count, b->row_count);
    for (size_t i = 0; i < a->column_count; i++) {
        const struct oi_cells_column *left = &a->columns[i], *right = &b->columns[i];

        assert_int_equal(left->absent, right->absent);
        assert_true(oi_slice_equal(oi_buffer_slice(&left->bytes), oi_buffer_slice(&right->bytes)));
        assert_memory_equal(left->present.items, right->present.items, a->row_count);
        assert_memory_equal(left->numbers.items, right->numbers.items,
                            a->row_count * sizeof(*left->numbers.items));
    }
}

static void
makes_many_rows_at_once_as_one_by_one(void **)
{
    static struct member members[ROWS];
    static int64_t mantissas[ROWS];
    static int8_t exponents[ROWS];
    struct oi_cells slow = {}, fast = {};
    struct oi_decimal wide;
    const struct oi_decimals column = { mantissas, exponents, &wide, 0 };
    struct oi_random random;

    oi_random_init(&random, 3);
    assert_ok(oi_decimal_parse(OI_SLICE("123456789012345678901234567890.5"), &wide, NULL));
    for (size_t i = 0; i < ROWS; i++) {
        uint64_t form = oi_random_below(&random, 6);

        mantissas[i] = form == 0 ? 0 : (int64_t) (oi_random_next(&random) >> (1 + i % 60));
        exponents[i] = (int8_t) (form == 0   ? OI_EXPONENT_WIDE
                                 : form == 1 ? OI_EXPONENT_NONE
                                             : (int) oi_random_below(&random, 50) - 40);
        members[i].time = form == 2 ? OI_TIME_NONE : (int64_t) i * OI_HOUR;
        members[(i * 7) % ROWS].figure = oi_decimals_get(&column, i);
    }
    for (size_t i = 0; i < 5; i++) {
        static const enum oi_cell types[] = { OI_CELL_TEXT, OI_CELL_FIGURE, OI_CELL_FIGURE,
                                              OI_CELL_TIME, OI_CELL_INTEGER };

        oi_cells_column(&slow, "column", types[i]);
        oi_cells_column(&fast, "column", types[i]);
    }
    oi_cells_expect(&fast, 2 * ROWS - 1); /* one less than come */
    for (int round = 0; round < 2; round++) {
        add_one_by_one(&slow, members, &column);
        add_at_once(&fast, members, &column);
        assert_same(&slow, &fast);
    }
    oi_cells_release(&slow);
    oi_cells_release(&fast);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_cells_into_columns_row_by_row),
        cmocka_unit_test(makes_many_rows_at_once_as_one_by_one),
    };
    return cmocka_run_group_tests_name("core/cells", tests, NULL, NULL);
}
