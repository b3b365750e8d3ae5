/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of the stream; what is in it is read back by Arrow's own reader in tests/system. */
#include "lake/arrow.h"

#include "support/test.h"

static void
fill(struct oi_cells *table)
{
    oi_cells_column(table, "text", OI_CELL_TEXT);
    oi_cells_column(table, "figure", OI_CELL_FIGURE);
    oi_cells_column(table, "time", OI_CELL_TIME);
    oi_cells_column(table, "count", OI_CELL_INTEGER);
    oi_cells_column(table, "flag", OI_CELL_BOOLEAN);
}

/* Metadata and body are whole multiples of 8 bytes behind the continuation mark. */
static size_t
message_size(const struct oi_buffer *out, size_t at)
{
    struct oi_cursor cursor = oi_cursor_over((struct oi_slice){ out->data + at, out->size - at });

    assert_int_equal(oi_cursor_u32(&cursor), 0xFFFFFFFFu);
    return oi_cursor_u32(&cursor);
}

static void
frames_every_message(void **)
{
    struct oi_cells table = {};
    struct oi_buffer out = {};
    size_t batch;

    fill(&table);
    oi_arrow_write_schema(&table, &out);
    assert_int_equal(message_size(&out, 0) + 8, out.size);
    assert_int_equal(out.size % 8, 0);
    batch = out.size;
    for (unsigned i = 0; i < 11; i++) {
        oi_cells_add_text(&table, OI_SLICE("abc"));
        if (i % 2 == 0)
            oi_cells_add_none(&table);
        else
            oi_cells_add_text(&table, OI_SLICE("1.5"));
        oi_cells_add_number(&table, i);
        oi_cells_add_number(&table, i);
        oi_cells_add_number(&table, i % 2);
    }
    assert_ok(oi_arrow_write_batch(&table, &out, NULL));
    assert_int_equal(out.size % 8, 0);
    /* offsets, text; bits, offsets, text; times; counts; flags: each padded to 8. */
    assert_int_equal(out.size - batch - 8 - message_size(&out, batch),
                     48 + 40 + 8 + 48 + 16 + 88 + 88 + 8);
    oi_arrow_write_end(&out);
    assert_int_equal(message_size(&out, out.size - 8), 0);
    oi_buffer_release(&out);
    oi_cells_release(&table);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_every_message),
    };
    return cmocka_run_group_tests_name("lake/arrow", tests, NULL, NULL);
}
