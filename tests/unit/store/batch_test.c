/* SPDX-License-Identifier: Apache-2.0 */
#include "store/batch.h"

#include "base/random.h"

#include "support/test_store.h"

#define COMMIT_TIME 1000

static void
random_rows(struct oi_random *random, struct oi_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct oi_observation *reading = &rows[i].reading;

        *reading = OI_OBSERVATION_NONE;
        rows[i].series = (uint32_t) oi_random_below(random, 5) + 1;
        reading->time = (oi_time) oi_random_next(random) | 1;
        reading->known_time = oi_random_below(random, 2) ? COMMIT_TIME : (oi_time) i;
        reading->exchange_time = oi_random_below(random, 2) ? OI_TIME_NONE : (oi_time) i;
        reading->flags = (uint16_t) oi_random_below(random, 32);
        reading->open_interest =
            oi_decimal_from((int64_t) oi_random_next(random), (int) oi_random_below(random, 9) - 4);
        if (oi_random_below(random, 4) == 0)
            assert_ok(
                oi_decimal_parse(OI_SLICE("98765432109876543210.25"), &reading->value_usd, NULL));
    }
}

static void
encode(const struct oi_batch_header *header, const struct oi_row *rows, struct oi_buffer *bytes)
{
    struct oi_batch_rows packed = {};

    for (size_t i = 0; i < header->row_count; i++)
        oi_batch_rows_add(&packed, rows[i].series, &rows[i].reading, 7);
    oi_batch_encode(header, &packed, bytes);
    oi_batch_rows_release(&packed);
}

static void
rows_come_back_as_they_were(void **)
{
    struct oi_random random;
    uint64_t seed;

    oi_random_secret(&seed, sizeof(seed));
    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (int round = 0; round < 60; round++) {
        struct oi_row rows[700];
        struct oi_batch_rows back;
        const struct oi_batch_header header = { COMMIT_TIME, 3,
                                                oi_random_below(&random, OI_COUNT(rows)) };
        struct oi_batch_header found;
        struct oi_buffer bytes = {};

        random_rows(&random, rows, header.row_count);
        encode(&header, rows, &bytes);
        assert_ok(oi_batch_decode(oi_buffer_slice(&bytes), &found, &back, NULL));
        assert_int_equal(found.commit_time, COMMIT_TIME);
        assert_int_equal(found.import, 3);
        assert_int_equal(found.row_count, header.row_count);
        for (size_t i = 0; i < found.row_count; i++) {
            struct oi_observation reading = oi_rows_get(&back.rows, i);

            assert_int_equal(back.series.items[i], rows[i].series);
            test_store_assert_same(&reading, &rows[i].reading);
        }
        oi_batch_rows_release(&back);
        oi_buffer_release(&bytes);
    }
}

/* Figures that stand still within pieces, or begin to move in one of them. */
static void
calm_rows(struct oi_random *random, struct oi_row *rows, size_t count)
{
    size_t turn = oi_random_below(random, count), wide = oi_random_below(random, 2 * count);

    for (size_t i = 0; i < count; i++) {
        struct oi_observation *reading = &rows[i].reading;

        *reading = OI_OBSERVATION_NONE;
        rows[i].series = (uint32_t) i + 1;
        reading->time = 5 + (i < turn ? 0 : 60);
        reading->known_time = i < turn ? COMMIT_TIME : 900;
        reading->open_interest = oi_decimal_from((int64_t) (i / OI_BATCH_PIECE) + 1, -2);
        if (i >= turn)
            reading->value_usd = oi_decimal_from((int64_t) oi_random_next(random) >> 20, -3);
        if (i == wide)
            assert_ok(
                oi_decimal_parse(OI_SLICE("98765432109876543210.25"), &reading->mark_price, NULL));
    }
}

/* Pieces in any order, as threads take them. */
static void
encode_in_pieces(const struct oi_batch_header *header, const struct oi_batch_rows *packed,
                 struct oi_buffer *bytes)
{
    struct oi_batch_columns columns;

    oi_batch_columns_begin(&columns, header->row_count, header->commit_time);
    for (size_t piece = columns.piece_count; piece-- > 0;)
        oi_batch_columns_split(&columns, packed, piece);
    oi_batch_columns_encode(&columns, header, packed, bytes);
    oi_batch_columns_release(&columns);
}

static void
pieces_make_the_same_batch(void **)
{
    struct oi_random random;
    uint64_t seed;

    oi_random_secret(&seed, sizeof(seed));
    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (int round = 0; round < 20; round++) {
        struct oi_row rows[1200];
        size_t count = 1 + oi_random_below(&random, OI_COUNT(rows));
        const struct oi_batch_header header = { COMMIT_TIME, 3, count };
        struct oi_batch_header found;
        struct oi_batch_rows packed = {}, back;
        struct oi_buffer whole = {}, joined = {};

        calm_rows(&random, rows, count);
        for (size_t i = 0; i < count; i++)
            oi_batch_rows_add(&packed, rows[i].series, &rows[i].reading, 7);
        oi_batch_encode(&header, &packed, &whole);
        encode_in_pieces(&header, &packed, &joined);
        assert_int_equal(joined.size, whole.size);
        assert_memory_equal(joined.data, whole.data, whole.size);
        assert_ok(oi_batch_decode(oi_buffer_slice(&joined), &found, &back, NULL));
        for (size_t i = 0; i < count; i++) {
            struct oi_observation reading = oi_rows_get(&back.rows, i);

            assert_int_equal(back.series.items[i], rows[i].series);
            test_store_assert_same(&reading, &rows[i].reading);
        }
        oi_batch_rows_release(&back);
        oi_batch_rows_release(&packed);
        oi_buffer_release(&whole);
        oi_buffer_release(&joined);
    }
}

static void
a_cut_batch_is_corrupt(void **)
{
    struct oi_row row = { .series = 1, .reading = OI_OBSERVATION_NONE };
    struct oi_batch_rows back = {};
    const struct oi_batch_header header = { COMMIT_TIME, 0, 1 };
    struct oi_batch_header found;
    struct oi_buffer bytes = {};

    row.reading.time = 5;
    row.reading.known_time = COMMIT_TIME;
    row.reading.open_interest = oi_decimal_from(5, 0);
    encode(&header, &row, &bytes);
    for (size_t size = 0; size < bytes.size; size++)
        assert_status(oi_batch_decode((struct oi_slice){ bytes.data, size }, &found, &back, NULL),
                      OI_E_CORRUPT);
    oi_buffer_add_u8(&bytes, 0);
    assert_status(oi_batch_decode(oi_buffer_slice(&bytes), &found, &back, NULL), OI_E_CORRUPT);
    assert_int_equal(back.rows.count, 0);
    oi_buffer_release(&bytes);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back_as_they_were),
        cmocka_unit_test(pieces_make_the_same_batch),
        cmocka_unit_test(a_cut_batch_is_corrupt),
    };
    return cmocka_run_group_tests_name("store/batch", tests, NULL, NULL);
}
