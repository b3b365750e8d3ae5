/* SPDX-License-Identifier: Apache-2.0 */
/* Pages read back by decoders written from the format's Encodings.md; other people's readers read
 * whole files in tests/system. */
#include "lake/parquet_encode.h"

#include "base/alloc.h"
#include "base/random.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#define ROWS_MAX 1000

/* The next number of `width` bits; `bit` counts from the first byte of the page. */
static uint64_t
take_bits(const unsigned char *bytes, size_t *bit, unsigned width)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < width; i++, ++*bit)
        value |= (uint64_t) (bytes[*bit / 8] >> *bit % 8 & 1) << i;
    return value;
}

static int64_t
take_signed(struct oi_cursor *cursor)
{
    uint64_t coded = oi_cursor_varint(cursor);

    return (int64_t) (coded >> 1 ^ (0 - (coded & 1)));
}

/* DELTA_BINARY_PACKED, up to where it ends. */
static size_t
take_differences(struct oi_cursor *cursor, int64_t *values)
{
    uint64_t block_count = oi_cursor_varint(cursor), miniblocks = oi_cursor_varint(cursor);
    size_t count = oi_cursor_varint(cursor), at = 1;

    values[0] = take_signed(cursor);
    while (at < count) {
        int64_t least = take_signed(cursor);
        struct oi_slice widths = oi_cursor_bytes(cursor, miniblocks);

        for (size_t m = 0; m < miniblocks && at < count; m++) {
            size_t each = block_count / miniblocks, bit = 0;
            unsigned width = (unsigned char) widths.data[m];
            struct oi_slice packed = oi_cursor_bytes(cursor, each * width / 8);

            for (size_t i = 0; i < each && at < count; i++, at++)
                values[at] =
                    (int64_t) ((uint64_t) values[at - 1] + (uint64_t) least +
                               take_bits((const unsigned char *) packed.data, &bit, width));
        }
    }
    assert_false(cursor->failed);
    return count;
}

static size_t
read_differences(struct oi_slice page, int64_t *values)
{
    struct oi_cursor cursor = oi_cursor_over(page);
    size_t count = take_differences(&cursor, values);

    assert_int_equal(oi_cursor_left(&cursor), 0);
    return count;
}

/* The hybrid of runs and packed groups that indices are in. */
static void
read_indices(struct oi_slice page, uint8_t *indices, size_t count)
{
    struct oi_cursor cursor = oi_cursor_over(page);
    unsigned width = oi_cursor_u8(&cursor);

    for (size_t at = 0; at < count;) {
        uint64_t head = oi_cursor_varint(&cursor);
        size_t run = (size_t) (head >> 1), bit = 0;

        if (head & 1) {
            struct oi_slice packed = oi_cursor_bytes(&cursor, run * width);

            for (size_t i = 0; i < run * 8 && at < count; i++)
                indices[at++] =
                    (uint8_t) take_bits((const unsigned char *) packed.data, &bit, width);
        } else {
            uint8_t value = oi_cursor_u8(&cursor);

            assert_true(run <= count - at);
            for (size_t i = 0; i < run; i++)
                indices[at++] = value;
        }
    }
    assert_false(cursor.failed);
    assert_int_equal(oi_cursor_left(&cursor), 0);
}

/* Numbers of any size, or a grid with a few steps out of it. */
static int64_t
next_number(struct oi_random *random, unsigned kind, int64_t before)
{
    switch (kind) {
    case 0:
        return (int64_t) oi_random_next(random);
    case 1:
        return before + INT64_C(60'000'000'000);
    case 2:
        return before + (int64_t) (oi_random_next(random) % 1000);
    default:
        return oi_random_next(random) % 2 ? INT64_MIN : INT64_MAX;
    }
}

static void
differences_read_back_whatever_the_numbers(void **)
{
    static int64_t numbers[ROWS_MAX], kept[ROWS_MAX + 1], read[ROWS_MAX + 1];
    static bool present[ROWS_MAX];
    struct oi_random random;

    oi_random_init(&random, 20261127);
    for (unsigned round = 0; round < 200; round++) {
        size_t count = oi_random_next(&random) % ROWS_MAX, kept_count = 0;
        struct oi_parquet_column column = { .type = OI_PARQUET_INT64,
                                            .is_nullable = true,
                                            .present = round % 3 ? present : NULL,
                                            .integers = numbers };
        struct oi_buffer page = {};

        for (size_t row = 0; row < count; row++) {
            numbers[row] = next_number(&random, round % 4, row ? numbers[row - 1] : 1);
            present[row] = oi_random_next(&random) % 5 > 0;
            if (!column.present || present[row])
                kept[kept_count++] = numbers[row];
        }
        parquet_add_differences(&column, count, &page);
        assert_int_equal(read_differences(oi_buffer_slice(&page), read), kept_count);
        if (kept_count > 0)
            assert_memory_equal(read, kept, kept_count * sizeof(*kept));
        oi_buffer_release(&page);
    }
}

static void
a_grid_of_times_costs_a_few_bytes_a_block(void **)
{
    static int64_t times[ROWS_MAX];
    const struct oi_parquet_column column = { .type = OI_PARQUET_TIMESTAMP_UTC_NANOS,
                                              .integers = times };
    struct oi_buffer page = {};

    for (size_t row = 0; row < ROWS_MAX; row++)
        times[row] = INT64_C(1'704'067'200'000'000'000) + (int64_t) row * INT64_C(300'000'000'000);
    parquet_add_differences(&column, ROWS_MAX, &page);
    assert_in_range(page.size, 1, 120);
    oi_buffer_release(&page);
}

/* Texts one behind the other, as columns have them; absent ones are empty. */
static struct oi_parquet_texts
gather_texts(const struct oi_slice *texts, const bool *present, size_t count, int64_t *starts,
             struct oi_buffer *bytes)
{
    for (size_t row = 0; row < count; row++) {
        starts[row] = (int64_t) bytes->size;
        if (!present || present[row])
            oi_buffer_add_slice(bytes, texts[row]);
    }
    return (struct oi_parquet_texts){ oi_buffer_slice(bytes), starts };
}

static void
a_dictionary_reads_back_in_runs_and_in_groups(void **)
{
    static struct oi_slice texts[ROWS_MAX];
    static int64_t starts[ROWS_MAX];
    static char names[PARQUET_DICTIONARY_MAX][8];
    static uint8_t read[ROWS_MAX];
    struct oi_random random;

    oi_random_init(&random, 7);
    for (size_t i = 0; i < PARQUET_DICTIONARY_MAX; i++)
        (void) snprintf(names[i], sizeof(names[i]), "m%zu", i);
    for (size_t kinds = 1; kinds <= PARQUET_DICTIONARY_MAX; kinds++) {
        struct oi_parquet_column column = { .type = OI_PARQUET_STRING };
        struct parquet_dictionary dictionary;
        struct oi_buffer page = {}, bytes = {};

        for (size_t row = 0; row < ROWS_MAX; row++)
            texts[row] = oi_slice_of(
                names[kinds % 2 ? row * kinds / ROWS_MAX : oi_random_next(&random) % kinds]);
        column.texts = gather_texts(texts, NULL, ROWS_MAX, starts, &bytes);
        assert_true(parquet_dictionary_fill(&dictionary, &column, ROWS_MAX));
        assert_in_range(dictionary.text_count, 1, kinds);
        parquet_add_indices(&dictionary, &page);
        read_indices(oi_buffer_slice(&page), read, ROWS_MAX);
        for (size_t row = 0; row < ROWS_MAX; row++)
            assert_true(oi_slice_equal(dictionary.texts[read[row]], texts[row]));
        oi_buffer_release(&page);
        oi_buffer_release(&bytes);
        parquet_dictionary_release(&dictionary);
    }
}

/* What differs may be as long, at the end, or next to one of another length. */
static void
one_other_text_in_a_column_of_one_is_kept(void **)
{
    static const char *const others[] = { "bench:linear:7", "bench:linear:", "bench:linear:10",
                                          "Bench:linear:1", "" };
    static struct oi_slice texts[ROWS_MAX];
    static int64_t starts[ROWS_MAX];

    for (size_t at = 0; at < ROWS_MAX; at += at < 3 || at > ROWS_MAX - 4 ? 1 : 50)
        for (size_t other = 0; other < OI_COUNT(others); other++) {
            struct oi_parquet_column column = { .type = OI_PARQUET_STRING };
            struct parquet_dictionary dictionary;
            struct oi_buffer bytes = {};

            for (size_t row = 0; row < ROWS_MAX; row++)
                texts[row] = oi_slice_of(row == at ? others[other] : "bench:linear:1");
            column.texts = gather_texts(texts, NULL, ROWS_MAX, starts, &bytes);
            assert_true(parquet_dictionary_fill(&dictionary, &column, ROWS_MAX));
            assert_int_equal(dictionary.text_count, 2);
            for (size_t row = 0; row < ROWS_MAX; row++)
                assert_true(oi_slice_equal(dictionary.texts[dictionary.indices[row]], texts[row]));
            oi_buffer_release(&bytes);
            parquet_dictionary_release(&dictionary);
        }
}

static void
a_column_of_many_texts_has_no_dictionary(void **)
{
    static struct oi_slice texts[ROWS_MAX];
    static int64_t starts[ROWS_MAX];
    static char figures[ROWS_MAX][8];
    struct oi_parquet_column column = { .type = OI_PARQUET_STRING };
    struct parquet_dictionary dictionary;
    struct oi_buffer bytes = {};

    for (size_t row = 0; row < ROWS_MAX; row++) {
        (void) snprintf(figures[row], sizeof(figures[row]), "%zu", row);
        texts[row] = oi_slice_of(figures[row]);
    }
    column.texts = gather_texts(texts, NULL, ROWS_MAX, starts, &bytes);
    assert_false(parquet_dictionary_fill(&dictionary, &column, ROWS_MAX));
    oi_buffer_clear(&bytes);
    column.texts = gather_texts(texts, NULL, PARQUET_DICTIONARY_MAX, starts, &bytes);
    assert_true(parquet_dictionary_fill(&dictionary, &column, PARQUET_DICTIONARY_MAX));
    parquet_dictionary_release(&dictionary);
    oi_buffer_release(&bytes);
}

/* Figures that walk, names of any length, and nothing. */
static struct oi_slice
next_text(struct oi_random *random, char room[64], size_t row)
{
    uint64_t kind = oi_random_next(random) % 8;
    int size;

    if (kind == 0)
        return (struct oi_slice){ room, 0 };
    if (kind == 1)
        size = snprintf(room, 64, "%0*d", (int) (1 + oi_random_next(random) % 40), 7);
    else
        size = snprintf(room, 64, "%zu.%d", 64'000 + row / 7,
                        (int) (oi_random_next(random) % 100'000'000));
    return (struct oi_slice){ room, (size_t) size };
}

static void
texts_read_back_from_what_is_new_in_them(void **)
{
    static int64_t prefixes[ROWS_MAX + 1], sizes[ROWS_MAX + 1];
    static struct oi_slice texts[ROWS_MAX];
    static int64_t starts[ROWS_MAX];
    static char rooms[ROWS_MAX][64];
    static bool present[ROWS_MAX];
    struct oi_random random;

    oi_random_init(&random, 20261128);
    for (unsigned round = 0; round < 100; round++) {
        size_t count = oi_random_next(&random) % ROWS_MAX, kept = 0, at = 0;
        struct oi_parquet_column column = { .type = OI_PARQUET_STRING,
                                            .is_nullable = true,
                                            .present = round % 3 ? present : NULL };
        struct oi_buffer page = {}, text = {}, bytes = {};
        struct oi_cursor cursor;

        for (size_t row = 0; row < count; row++) {
            texts[row] = next_text(&random, rooms[row], row);
            present[row] = oi_random_next(&random) % 5 > 0;
            kept += !column.present || present[row];
        }
        column.texts = gather_texts(texts, column.present, count, starts, &bytes);
        parquet_add_suffixes(&column, count, &page);
        cursor = oi_cursor_over(oi_buffer_slice(&page));
        assert_int_equal(take_differences(&cursor, prefixes), kept);
        assert_int_equal(take_differences(&cursor, sizes), kept);
        for (size_t row = 0; row < count; row++) {
            if (column.present && !present[row])
                continue;
            assert_in_range(prefixes[at], 0, text.size);
            text.size = (size_t) prefixes[at];
            oi_buffer_add_slice(&text, oi_cursor_bytes(&cursor, (size_t) sizes[at++]));
            assert_true(oi_slice_equal(oi_buffer_slice(&text), texts[row]));
        }
        assert_false(cursor.failed);
        assert_int_equal(oi_cursor_left(&cursor), 0);
        oi_buffer_release(&page);
        oi_buffer_release(&text);
        oi_buffer_release(&bytes);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences_read_back_whatever_the_numbers),
        cmocka_unit_test(texts_read_back_from_what_is_new_in_them),
        cmocka_unit_test(a_grid_of_times_costs_a_few_bytes_a_block),
        cmocka_unit_test(a_dictionary_reads_back_in_runs_and_in_groups),
        cmocka_unit_test(one_other_text_in_a_column_of_one_is_kept),
        cmocka_unit_test(a_column_of_many_texts_has_no_dictionary),
    };
    return cmocka_run_group_tests_name("lake/parquet_encode", tests, NULL, NULL);
}
