/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/table.h"

#include "support/test.h"

#include <string.h>

static const struct oi_table_column columns[] = {
    { .name = "name" },
    { .name = "amount", .is_number = true },
    { .name = "hidden", .is_detail = true },
    { .name = "time" },
    { .name = "is_on" },
};

static struct oi_decimal
decimal(const char *text)
{
    struct oi_decimal value;

    assert_ok(oi_decimal_parse(oi_slice_of(text), &value, NULL));
    return value;
}

static void
add(struct oi_table *table, const char *name, const char *amount, const char *hidden, oi_time time)
{
    struct oi_decimal value = amount ? decimal(amount) : (struct oi_decimal){};

    oi_table_text(table, name);
    oi_table_decimal(table, &value);
    oi_table_text(table, hidden);
    oi_table_time(table, time);
    oi_table_bool(table, time != 0);
    assert_ok(oi_table_end_row(table, NULL));
}

/* What the rows below look like in a format. */
static void
expect(enum oi_table_format format, bool has_rows, const char *text)
{
    OI_CLEANUP(oi_printer_close) struct oi_printer *printer = NULL;
    OI_CLEANUP(oi_table_free) struct oi_table *table = NULL;

    assert_ok(oi_printer_open(NULL, &printer, NULL));
    table = oi_table_new(format, columns, OI_COUNT(columns), printer);
    if (has_rows) {
        add(table, "a \"b\", c", "123456789012345678901234567890.5", "x", OI_DAY);
        add(table, "ünï", NULL, NULL, OI_TIME_NONE);
        add(table, "z", "-2", "y", 1'500'000);
    }
    assert_ok(oi_table_finish(table, NULL));
    oi_buffer_add_char(oi_printer_buffer(printer), '\0');
    assert_string_equal(oi_printer_buffer(printer)->data, text);
    oi_buffer_clear(oi_printer_buffer(printer));
}

static void
aligns_texts_left_and_figures_right(void **)
{
    expect(OI_TABLE_ALIGNED, true,
           "name                                amount  time                         is_on\n"
           "a \"b\", c  123456789012345678901234567890.5  1970-01-02T00:00:00Z         true\n"
           "ünï                                                                      true\n"
           "z                                       -2  1970-01-01T00:00:00.001500Z  true\n");
}

static void
writes_csv_with_every_digit(void **)
{
    expect(OI_TABLE_CSV, true,
           "name,amount,hidden,time,is_on\n"
           "\"a \"\"b\"\", c\",123456789012345678901234567890.5,x,1970-01-02T00:00:00Z,true\n"
           "ünï,,,,true\n"
           "z,-2,y,1970-01-01T00:00:00.001500Z,true\n");
}

static void
writes_an_array_of_objects(void **)
{
    expect(OI_TABLE_JSON, true,
           "[\n{\"name\":\"a \\\"b\\\", c\",\"amount\":\"123456789012345678901234567890.5\","
           "\"hidden\":\"x\",\"time\":\"1970-01-02T00:00:00Z\",\"is_on\":true},\n"
           "{\"name\":\"\\u00fcn\\u00ef\",\"amount\":null,\"hidden\":null,\"time\":null,"
           "\"is_on\":true},\n"
           "{\"name\":\"z\",\"amount\":\"-2\",\"hidden\":\"y\","
           "\"time\":\"1970-01-01T00:00:00.001500Z\",\"is_on\":true}\n]\n");
}

static void
writes_one_object_a_line(void **)
{
    expect(OI_TABLE_NDJSON, true,
           "{\"name\":\"a \\\"b\\\", c\",\"amount\":\"123456789012345678901234567890.5\","
           "\"hidden\":\"x\",\"time\":\"1970-01-02T00:00:00Z\",\"is_on\":true}\n"
           "{\"name\":\"\\u00fcn\\u00ef\",\"amount\":null,\"hidden\":null,\"time\":null,"
           "\"is_on\":true}\n"
           "{\"name\":\"z\",\"amount\":\"-2\",\"hidden\":\"y\","
           "\"time\":\"1970-01-01T00:00:00.001500Z\",\"is_on\":true}\n");
}

static void
is_well_formed_without_rows(void **)
{
    expect(OI_TABLE_ALIGNED, false, "name  amount  time  is_on\n");
    expect(OI_TABLE_CSV, false, "name,amount,hidden,time,is_on\n");
    expect(OI_TABLE_JSON, false, "[]\n");
    expect(OI_TABLE_NDJSON, false, "");
}

static void
prints_the_heading_once_however_many_rows(void **)
{
    OI_CLEANUP(oi_printer_close) struct oi_printer *printer = NULL;
    OI_CLEANUP(oi_table_free) struct oi_table *table = NULL;
    struct oi_buffer *out;
    size_t lines = 0;

    assert_ok(oi_printer_open(NULL, &printer, NULL));
    out = oi_printer_buffer(printer);
    table = oi_table_new(OI_TABLE_ALIGNED, columns, OI_COUNT(columns), printer);
    for (int i = 0; i < 1000; i++)
        add(table, "row", "1", NULL, OI_DAY);
    assert_ok(oi_table_finish(table, NULL));
    for (size_t i = 0; i < out->size; i++)
        lines += out->data[i] == '\n';
    assert_int_equal(lines, 1001);
    oi_buffer_clear(out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aligns_texts_left_and_figures_right),
        cmocka_unit_test(writes_csv_with_every_digit),
        cmocka_unit_test(writes_an_array_of_objects),
        cmocka_unit_test(writes_one_object_a_line),
        cmocka_unit_test(is_well_formed_without_rows),
        cmocka_unit_test(prints_the_heading_once_however_many_rows),
    };
    return cmocka_run_group_tests_name("cli/table", tests, NULL, NULL);
}
