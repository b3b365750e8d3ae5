/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables read in pieces: usual lines, odd ones, and tables that are not for it. That both ways of
 * reading agree is the property in tests/unit/collector/import_bulk_test.c.
 */
#include "archives/piece_internal.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/random.h"
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
begin_with(struct reading *reading, const char *header, const char *time)
{
    memset(reading, 0, sizeof(*reading));
    reading->mapping = OI_MAPPING_NONE;
    assert_ok(oi_mapping_set(&reading->mapping, "time", oi_slice_of(time), NULL));
    assert_ok(oi_mapping_set(&reading->mapping, "oi", OI_SLICE("x"), NULL));
    assert_ok(oi_mapping_set(&reading->mapping, "mark", OI_SLICE("p"), NULL));
    assert_ok(oi_mapping_set(&reading->mapping, "unit", OI_SLICE("usd"), NULL));
    assert_ok(oi_mapping_set(&reading->mapping, "market", OI_SLICE("e:p:{m}"), NULL));
    reading->options =
        (struct oi_archive_options){ .file_name = "a.csv", .mapping = &reading->mapping };
    return oi_piece_reader_open(&oi_archive_csv, &reading->options, oi_slice_of(header),
                                &reading->reader);
}

static enum oi_status
begin(struct reading *reading, const char *header)
{
    return begin_with(reading, header, "t");
}

static void
end(struct reading *reading)
{
    oi_piece_reader_close(&reading->reader);
    oi_piece_release(&reading->piece);
    oi_mapping_release(&reading->mapping);
}

/* The bytes with room behind them, on the heap, so that reading too far is seen. */
static bool
read_bytes(struct reading *reading, struct oi_slice bytes)
{
    char *copy = oi_alloc_zero(bytes.size + OI_PIECE_SLACK, 1);
    bool is_read;

    memcpy(copy, bytes.data, bytes.size);
    is_read =
        oi_piece_read(reading->reader, (struct oi_slice){ copy, bytes.size }, &reading->piece);
    oi_free(copy);
    return is_read;
}

static bool
read_text(struct reading *reading, const char *text)
{
    return read_bytes(reading, oi_slice_of(text));
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

/* The date of the line before is remembered: a text that is none must not pass for it. */
static void
zeros_are_no_date_whatever_came_before(void **state)
{
    static const char *const befores[] = {
        "", "2024-01-01T00:00:00Z,A,1,\n", "2024-01-01T00:00:00Z,A,1,\n2024-xx-01T00:00:00Z,A,1,\n"
    };
    static const char *const dates[] = { "\0"
                                         "024-01-01",
                                         "\0\0\0\0\0\0\0\0\0\0" };

    (void) state;
    for (size_t i = 0; i < OI_COUNT(befores) * OI_COUNT(dates); i++) {
        const char *before = befores[i / OI_COUNT(dates)];
        struct oi_buffer text = {};
        struct reading reading;

        oi_buffer_add_text(&text, before);
        oi_buffer_add(&text, dates[i % OI_COUNT(dates)], 10);
        oi_buffer_add_text(&text, "T00:09:00Z,A,9,\n");
        assert_ok(begin(&reading, HEADER));
        assert_true(read_bytes(&reading, oi_buffer_slice(&text)));
        assert_int_equal(reading.piece.rows.count, before[0] ? 1 : 0);
        assert_true(reading.piece.refusals.count > 0);
        end(&reading);
        oi_buffer_release(&text);
    }
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

/* Fields of every shape that matters to a walk, usual ones most of the time. */
static void
add_field(struct oi_random *random, struct oi_buffer *text, bool is_time)
{
    static const char *const odd[] = {
        "",
        ".",
        "1.",
        ".5",
        "1.2.3",
        "-1",
        "+1",
        "1e3",
        " 1",
        "1 ",
        "x",
        "1x",
        "/",
        "1:2",
        "NaN",
        "\"1\"",
        "1\r",
        "0x1",
        "\x80",
        "1\xB0",
        "9223372036854775807",
        "9223372036854775808",
        "99999999999999999999",
        "123456789012345678901",
        "0.0000000000000000001",
    };
    size_t digits = is_time ? 19 : 1 + (size_t) oi_random_below(random, 12);

    if (oi_random_below(random, 40) == 0) {
        oi_buffer_add_text(text, odd[oi_random_below(random, OI_COUNT(odd))]);
        return;
    }
    if (oi_random_below(random, 8) == 0)
        digits = 1 + (size_t) oi_random_below(random, 21);
    for (size_t i = 0; i < digits; i++)
        oi_buffer_add_char(text,
                           is_time && i == 0 ? '1' : (char) ('0' + oi_random_below(random, 10)));
    if (is_time || oi_random_below(random, 2) == 0)
        return;
    oi_buffer_add_char(text, '.');
    for (uint64_t left = oi_random_below(random, 10); left > 0; left--)
        oi_buffer_add_char(text, (char) ('0' + oi_random_below(random, 10)));
}

static void
write_lines(struct oi_random *random, struct oi_buffer *text)
{
    bool has_returns = oi_random_below(random, 4) == 0, is_odd = oi_random_below(random, 2) == 0;

    oi_buffer_clear(text);
    for (uint64_t left = oi_random_below(random, 120); left > 0; left--) {
        if (is_odd && oi_random_below(random, 30) == 0)
            oi_buffer_add_text(text, oi_random_below(random, 2) ? "\n" : "1,2\n");
        add_field(random, text, true);
        oi_buffer_add_format(text, ",%s%llu,", oi_random_below(random, 9) ? "" : "a longer name ",
                             (unsigned long long) oi_random_below(random, 3));
        add_field(random, text, false);
        oi_buffer_add_char(text, ',');
        add_field(random, text, false);
        if (is_odd && oi_random_below(random, 60) == 0)
            oi_buffer_add_text(text, ",more");
        oi_buffer_add_text(text, has_returns ? "\r\n" : "\n");
    }
}

static void
assert_same_piece(const struct oi_piece *a, const struct oi_piece *b)
{
    assert_int_equal(a->lines, b->lines);
    assert_int_equal(a->rows.count, b->rows.count);
    assert_int_equal(a->refusals.count, b->refusals.count);
    for (size_t i = 0; i < a->rows.count; i++) {
        const struct oi_packed *one = &a->rows.items[i], *other = &b->rows.items[i];

        assert_int_equal(one->time, other->time);
        assert_int_equal(one->exchange_time, other->exchange_time);
        assert_int_equal(one->known_time, other->known_time);
        assert_memory_equal(one->mantissas, other->mantissas, sizeof(one->mantissas));
        assert_memory_equal(one->exponents, other->exponents, sizeof(one->exponents));
        assert_int_equal(one->target, other->target);
        assert_int_equal(one->line, other->line);
    }
    for (size_t i = 0; i < a->refusals.count; i++) {
        assert_int_equal(a->refusals.items[i].item, b->refusals.items[i].item);
        assert_int_equal(a->refusals.items[i].line, b->refusals.items[i].line);
        assert_string_equal(a->refusals.items[i].reason, b->refusals.items[i].reason);
    }
}

static void
lines_by_vectors_say_what_they_say_digit_by_digit(void **state)
{
    struct oi_random random;
    struct oi_buffer text = {};
    size_t rows = 0;

    (void) state;
    if (!oi_piece_has_vectors()) {
        print_message("without vectors: not compared\n");
        return;
    }
    for (int round = 0; round < 150; round++) {
        struct reading quick, slow;
        bool is_quick, is_slow;

        oi_random_init(&random, (uint64_t) round);
        assert_ok(begin_with(&quick, HEADER, "t:ns"));
        assert_ok(begin_with(&slow, HEADER, "t:ns"));
        slow.reader->has_vectors = false;
        if (round % 2 == 0) /* the other half of the rounds by the narrower ones */
            quick.reader->has_wide_vectors = false;
        for (int piece = 0; piece < 3; piece++) {
            write_lines(&random, &text);
            oi_buffer_add_char(&text, '\0');
            is_quick = read_text(&quick, text.data);
            is_slow = read_text(&slow, text.data);
            if (is_quick != is_slow || quick.piece.rows.count != slow.piece.rows.count)
                print_message("seed %d, piece %d\n", round, piece);
            assert_int_equal(is_quick, is_slow);
            assert_same_piece(&quick.piece, &slow.piece);
            rows += slow.piece.rows.count;
        }
        end(&quick);
        end(&slow);
    }
    assert_true(rows > 5000);
    oi_buffer_release(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_kept_as_they_are_written),
        cmocka_unit_test(zeros_are_no_date_whatever_came_before),
        cmocka_unit_test(times_are_what_the_general_reader_makes_of_them),
        cmocka_unit_test(odd_lines_are_refused_with_their_place),
        cmocka_unit_test(markets_are_told_apart_by_their_text),
        cmocka_unit_test(what_needs_the_whole_file_is_left_to_the_general_reader),
        cmocka_unit_test(lines_by_vectors_say_what_they_say_digit_by_digit),
    };

    return cmocka_run_group_tests_name("archives/piece", tests, NULL, NULL);
}
