/* SPDX-License-Identifier: Apache-2.0 */
/* Delimited text: quotes, line ends, blanks, byte order marks, and the same in any pieces. */
#include "archives/record.h"

#include "base/buffer.h"
#include "base/random.h"
#include "support/test.h"

/* Each record as "LINE[field][field]" with "!fault" behind it. */
static enum oi_status
write_record(void *context, const struct oi_record *record, struct oi_error *)
{
    struct oi_buffer *out = context;

    oi_buffer_add_format(out, "%llu", (unsigned long long) record->line);
    for (size_t i = 0; i < record->count; i++)
        oi_buffer_add_format(out, "[%.*s]", OI_SLICE_ARGS(record->fields[i]));
    if (record->fault)
        oi_buffer_add_format(out, "!%s", record->fault);
    oi_buffer_add_char(out, '\n');
    return OI_OK;
}

static enum oi_status
parse(char delimiter, struct oi_slice text, size_t piece_size, struct oi_buffer *out,
      struct oi_error *error)
{
    struct oi_records *records = oi_records_new(delimiter, write_record, out);
    enum oi_status status = OI_OK;

    while (status == OI_OK && text.size > piece_size) {
        struct oi_slice piece = { text.data, piece_size };

        status = oi_records_add(records, piece, false, error);
        text.data += piece_size;
        text.size -= piece_size;
    }
    if (status == OI_OK)
        status = oi_records_add(records, text, true, error);
    oi_records_free(&records);
    return status;
}

static void
assert_records(char delimiter, struct oi_slice text, const char *expected)
{
    for (size_t piece_size = 1; piece_size < 8; piece_size++) {
        struct oi_buffer out = {};

        assert_ok(parse(delimiter, text, piece_size < 7 ? piece_size : SIZE_MAX, &out, NULL));
        oi_buffer_add_char(&out, '\0');
        assert_string_equal(out.data, expected);
        oi_buffer_release(&out);
    }
}

static void
splits_fields_and_records_at_any_line_end(void **)
{
    assert_records(',', OI_SLICE("a,b\nc,d\r\ne,f\rg,"), "1[a][b]\n2[c][d]\n3[e][f]\n4[g][]\n");
}

static void
keeps_what_stands_between_quotes(void **)
{
    assert_records(',', OI_SLICE("\"a, \"\"b\"\"\r\nc\" , \"\" ,d\nx,y\n"),
                   "1[a, \"b\"\r\nc][][d]\n3[x][y]\n");
}

static void
takes_a_quote_inside_a_plain_field_as_it_stands(void **)
{
    assert_records(',', OI_SLICE("6\" pipe,2\n"), "1[6\" pipe][2]\n");
}

static void
faults_text_behind_a_closing_quote(void **)
{
    assert_records(',', OI_SLICE("\"a\"b,c\nd,e\n"),
                   "1[a][c]!text behind a closing quote\n2[d][e]\n");
}

static void
trims_blanks_and_skips_blank_lines_and_the_byte_order_mark(void **)
{
    assert_records(',', OI_SLICE("\xEF\xBB\xBF  a ,  12\n\n  \n b,3  \n"), "1[a][12]\n4[b][3]\n");
}

static void
splits_at_the_delimiter_it_was_given(void **)
{
    assert_records(';', OI_SLICE("a;b,c\n"), "1[a][b,c]\n");
    assert_records('\t', OI_SLICE("a\t\tb c\n"), "1[a][][b c]\n");
}

static void
gives_whole_lines_without_a_delimiter(void **)
{
    assert_records('\0', OI_SLICE("{\"a\":\"b,c\"}\r\n{}"), "1[{\"a\":\"b,c\"}]\n2[{}]\n");
}

static void
names_a_quote_that_is_never_closed(void **)
{
    struct oi_buffer out = {};
    struct oi_error error = {};

    assert_status(parse(',', OI_SLICE("a,b\nc,\"d\ne,f\n"), SIZE_MAX, &out, &error), OI_E_CORRUPT);
    assert_string_equal(error.message, "the quote in line 2 is never closed");
    oi_buffer_release(&out);
}

static void
stops_at_a_record_without_end(void **)
{
    struct oi_buffer text = {}, out = {};

    for (size_t i = 0; i <= OI_RECORD_SIZE_MAX; i++)
        oi_buffer_add_char(&text, 'x');
    assert_status(parse(',', oi_buffer_slice(&text), 4096, &out, NULL), OI_E_CORRUPT);
    oi_buffer_clear(&text);
    for (size_t i = 0; i <= OI_RECORD_FIELDS_MAX; i++)
        oi_buffer_add_char(&text, ',');
    assert_status(parse(',', oi_buffer_slice(&text), 4096, &out, NULL), OI_E_CORRUPT);
    oi_buffer_release(&text);
    oi_buffer_release(&out);
}

/* Fields of any bytes, written with quotes, are read back. */
static void
reads_back_any_field_that_was_quoted(void **)
{
    static const uint64_t seed = 20'261'126;
    struct oi_random random;

    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (int round = 0; round < 300; round++) {
        struct oi_buffer text = {}, expected = {}, out = {};
        size_t count = 1 + oi_random_below(&random, 5);

        oi_buffer_add_char(&expected, '1');
        for (size_t i = 0; i < count; i++) {
            oi_buffer_add_text(&text, i > 0 ? ",\"" : "\"");
            oi_buffer_add_char(&expected, '[');
            for (size_t j = oi_random_below(&random, 9); j > 0; j--) {
                char byte = "a,\"\n\r \t;{"[oi_random_below(&random, 9)];

                oi_buffer_add_char(&text, byte);
                if (byte == '"')
                    oi_buffer_add_char(&text, byte);
                oi_buffer_add_char(&expected, byte);
            }
            oi_buffer_add_char(&text, '"');
            oi_buffer_add_char(&expected, ']');
        }
        oi_buffer_add_char(&expected, '\n');
        assert_ok(parse(',', oi_buffer_slice(&text), 1 + oi_random_below(&random, 20), &out, NULL));
        assert_true(oi_slice_equal(oi_buffer_slice(&out), oi_buffer_slice(&expected)));
        oi_buffer_release(&text);
        oi_buffer_release(&expected);
        oi_buffer_release(&out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_fields_and_records_at_any_line_end),
        cmocka_unit_test(keeps_what_stands_between_quotes),
        cmocka_unit_test(takes_a_quote_inside_a_plain_field_as_it_stands),
        cmocka_unit_test(faults_text_behind_a_closing_quote),
        cmocka_unit_test(trims_blanks_and_skips_blank_lines_and_the_byte_order_mark),
        cmocka_unit_test(splits_at_the_delimiter_it_was_given),
        cmocka_unit_test(gives_whole_lines_without_a_delimiter),
        cmocka_unit_test(names_a_quote_that_is_never_closed),
        cmocka_unit_test(stops_at_a_record_without_end),
        cmocka_unit_test(reads_back_any_field_that_was_quoted),
    };
    return cmocka_run_group_tests_name("archives/record", tests, NULL, NULL);
}
