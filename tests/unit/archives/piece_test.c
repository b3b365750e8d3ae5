/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables read in pieces: usual lines, odd ones, and tables that are not for it. That both ways of
 * reading agree is the property in tests/unit/collector/import_bulk_test.c.
 */
#include "archives/piece.h"

#include "base/alloc.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

struct reading {
    struct oi_mapping mapping;
    struct oi_archive_options options;
    struct oi_piece_reader *reader;
    struct oi_piece piece;
};

static enum oi_status
begin(struct reading *reading, const char *header)
{
    memset(reading, 0, sizeof(*reading));
    reading->mapping = OI_MAPPING_NONE;
    assert_ok(oi_mapping_set(&reading->mapping, "time", OI_SLICE("t"), NULL));
    assert_ok(oi_mapping_set(&reading->mapping, "oi", OI_SLICE("x"), NULL));
    assert_ok(oi_mapping_set(&reading->mapping, "mark", OI_SLICE("p"), NULL));
    assert_ok(oi_mapping_set(&reading->mapping, "unit", OI_SLICE("usd"), NULL));
    assert_ok(oi_mapping_set(&reading->mapping, "market", OI_SLICE("e:p:{m}"), NULL));
    reading->options =
        (struct oi_archive_options){ .file_name = "a.csv", .mapping = &reading->mapping };
    return oi_piece_reader_open(&oi_archive_csv, &reading->options, oi_slice_of(header),
                                &reading->reader);
}

static void
end(struct reading *reading)
{
    oi_piece_reader_close(&reading->reader);
    oi_piece_release(&reading->piece);
    oi_mapping_release(&reading->mapping);
}

/* The text with room behind it, on the heap, so that reading too far is seen. */
static bool
read_text(struct reading *reading, const char *text)
{
    size_t size = strlen(text);
    char *copy = oi_alloc_zero(size + OI_PIECE_SLACK, 1);
    bool is_read;

    memcpy(copy, text, size);
    is_read = oi_piece_read(reading->reader, (struct oi_slice){ copy, size }, &reading->piece);
    oi_free(copy);
    return is_read;
}

#define HEADER "t,m,x,p\n"

static void
figures_are_kept_as_they_are_written(void **state)
{
    static const struct {
        const char *text;
        int64_t mantissa;
        int exponent;
    } cases[] = {
        { "0", 0, 0 },
        { "7.50", 750, -2 },
        { "12345678", 12345678, 0 },
        { "123456789.123456789", 123456789123456789, -9 },
        { "0.00000000000000012", 12, -17 },
        { "999999999999999999", 999999999999999999, 0 },
        { "1234567890123456789", 1234567890123456789, 0 },
        { "1e3", 1, 3 },
    };
    struct reading reading;

    (void) state;
    assert_ok(begin(&reading, HEADER));
    for (size_t i = 0; i < OI_COUNT(cases); i++) {
        char line[128];

        (void) snprintf(line, sizeof(line), "2024-01-01T00:00:00Z,A,%s,\n", cases[i].text);
        assert_true(read_text(&reading, line));
        assert_int_equal(reading.piece.rows.count, 1);
        assert_int_equal(reading.piece.rows.items[0].mantissas[0], cases[i].mantissa);
        assert_int_equal(reading.piece.rows.items[0].exponents[0], cases[i].exponent);
        assert_int_equal(reading.piece.rows.items[0].exponents[2], OI_EXPONENT_NONE);
    }
    end(&reading);
}

static void
times_are_what_the_general_reader_makes_of_them(void **state)
{
    static const char *const texts[] = {
        "2024-02-29T23:59:59Z",   "2024-02-29 01:02:03.5Z",      "2024-02-29T01:02:03.123456789Z",
        "1969-12-31T23:00:00Z",   "2024-02-29T01:02:03+02:00",   "20240229T010203Z",
        "2024-02-29T23:59:59.0Z", "2024-02-29T00:00:00.000001Z",
    };
    struct reading reading;

    (void) state;
    assert_ok(begin(&reading, HEADER));
    assert_true(read_text(&reading, "2024-01-01T00:00:00Z,A,1,1\n"));
    for (size_t i = 0; i < OI_COUNT(texts); i++) {
        oi_time expected = 0;
        char line[128];

        (void) snprintf(line, sizeof(line), "%s,A,1,2.5\n", texts[i]);
        assert_ok(oi_time_parse_utc(oi_slice_of(texts[i]), &expected, NULL));
        assert_true(read_text(&reading, line));
        assert_int_equal(reading.piece.rows.count, 1);
        assert_int_equal(reading.piece.rows.items[0].time, expected);
    }
    end(&reading);
}

static void
odd_lines_are_refused_with_their_place(void **state)
{
    struct reading reading;
    const struct oi_piece_refusal *refusals;

    (void) state;
    assert_ok(begin(&reading, HEADER));
    assert_true(read_text(&reading, "2024-01-01T00:00:00Z,A,1,1\n"
                                    "2024-01-01T00:61:00Z,A,1,1\n"
                                    "\n"
                                    "2024-01-01T00:01:00,A,1,1\n"
                                    "2024-01-01T00:01:00Z,A,-1,1\n"
                                    "2024-01-01T00:01:00Z,A,1,1,1\r\n"
                                    "2024-01-01T00:02:00Z,B,2,1\r\n"));
    assert_int_equal(reading.piece.lines, 7);
    assert_int_equal(reading.piece.rows.count, 2);
    assert_int_equal(reading.piece.rows.items[1].line, 7);
    assert_int_equal(reading.piece.refusals.count, 4);
    refusals = reading.piece.refusals.items;
    assert_int_equal(refusals[0].item, 1);
    assert_int_equal(refusals[0].line, 2);
    assert_int_equal(refusals[1].line, 4);
    assert_string_equal(refusals[2].reason, "negative open interest");
    assert_int_equal(refusals[3].line, 6);
    end(&reading);
}

static void
markets_are_told_apart_by_their_text(void **state)
{
    const struct oi_piece_target *targets;
    struct reading reading;

    (void) state;
    assert_ok(begin(&reading, HEADER));
    assert_true(read_text(&reading, "2024-01-01T00:00:00Z,A,1,1\n"
                                    "2024-01-01T00:00:00Z,AB,1,1\n"
                                    "2024-01-01T00:01:00Z,A,1,1\n"));
    assert_int_equal(oi_piece_reader_targets(reading.reader, &targets), 2);
    assert_int_equal(reading.piece.rows.items[0].target, reading.piece.rows.items[2].target);
    assert_int_equal(targets[1].unit, OI_UNIT_USD);
    assert_string_equal(oi_piece_reader_market(reading.reader, targets[1].market)->symbol, "AB");
    end(&reading);
}

static void
what_needs_the_whole_file_is_left_to_the_general_reader(void **state)
{
    static const char *const texts[] = {
        "2024-01-01T00:00:00Z,\"A\",1,1\n",
        "2024-01-01T00:00:00Z,A,\"1\",1\n",
        "2024-01-01T00:00:00Z,A\r,1,1\n",
        "2024-01-01T00:00:00Z,A,1,1\r2024-01-01T00:00:00Z,A,1,1\n",
    };
    struct reading reading;

    (void) state;
    for (size_t i = 0; i < OI_COUNT(texts); i++) {
        assert_ok(begin(&reading, HEADER));
        assert_false(read_text(&reading, texts[i]));
        end(&reading);
    }
    assert_status(begin(&reading, "t,m,x\n"), OI_E_NOT_FOUND);
    end(&reading);
    assert_status(begin(&reading, "t,m,\"x\",p\n"), OI_E_NOT_FOUND);
    end(&reading);
    assert_status(begin(&reading, "\x1F\x8B,m,x,p\n"), OI_E_NOT_FOUND);
    end(&reading);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_kept_as_they_are_written),
        cmocka_unit_test(times_are_what_the_general_reader_makes_of_them),
        cmocka_unit_test(odd_lines_are_refused_with_their_place),
        cmocka_unit_test(markets_are_told_apart_by_their_text),
        cmocka_unit_test(what_needs_the_whole_file_is_left_to_the_general_reader),
    };

    return cmocka_run_group_tests_name("archives/piece", tests, NULL, NULL);
}
