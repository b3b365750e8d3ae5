/* SPDX-License-Identifier: Apache-2.0 */
/* Cells land in their columns, absent ones as such, and memory is used again. */
#include "core/cells.h"

#include "support/test.h"

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_cells_into_columns_row_by_row),
    };
    return cmocka_run_group_tests_name("core/cells", tests, NULL, NULL);
}
