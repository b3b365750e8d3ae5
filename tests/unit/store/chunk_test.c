/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks give every row back exactly, whatever it holds, in few bytes, and tell damage. */
#include "store/chunk.h"

#include "base/alloc.h"
#include "base/random.h"
#include "core/columns.h"
#include "core/decimal.h"

#include <stdlib.h>
#include <string.h>

#include "support/test.h"

#define ROWS_MAX 4096
#define KEY OI_SLICE("series and time")
#define START INT64_C(1'772'841'600'000'000'000)

/* A column of decimals that is written row by row. */
struct figures {
    int64_t mantissas[ROWS_MAX];
    int8_t exponents[ROWS_MAX];
    struct oi_decimal wides[ROWS_MAX];
    size_t wide_count;
};

static struct {
    oi_time time[ROWS_MAX], exchange_time[ROWS_MAX], known_time[ROWS_MAX], commit_time[ROWS_MAX];
    uint64_t batch[ROWS_MAX];
    uint16_t flags[ROWS_MAX];
    struct figures figures[5];
} rows;

static struct oi_columns
columns_of(size_t count)
{
    struct oi_decimals decimals[5];

    for (unsigned i = 0; i < 5; i++)
        decimals[i] = (struct oi_decimals){ .mantissas = rows.figures[i].mantissas,
                                            .exponents = rows.figures[i].exponents,
                                            .wides = rows.figures[i].wides };
    return (struct oi_columns){ .count = count,
                                .time = rows.time,
                                .exchange_time = rows.exchange_time,
                                .known_time = rows.known_time,
                                .batch = rows.batch,
                                .open_interest = decimals[0],
                                .value_usd = decimals[1],
                                .mark_price = decimals[2],
                                .index_price = decimals[3],
                                .last_price = decimals[4],
                                .flags = rows.flags };
}

static void
set_none(struct figures *figures, size_t row)
{
    figures->exponents[row] = OI_EXPONENT_NONE;
    figures->mantissas[row] = 77;
}

static void
set(struct figures *figures, size_t row, const struct oi_decimal *value)
{
    if (value->form == OI_DECIMAL_WIDE) {
        figures->exponents[row] = OI_EXPONENT_WIDE;
        figures->mantissas[row] = (int64_t) figures->wide_count;
        figures->wides[figures->wide_count++] = *value;
        return;
    }
    figures->exponents[row] = (int8_t) value->exponent;
    figures->mantissas[row] = value->mantissa;
}

static void
set_plain(struct figures *figures, size_t row, int64_t mantissa, int exponent)
{
    struct oi_decimal value = oi_decimal_from(mantissa, exponent);

    set(figures, row, &value);
}

/* A market as exchanges tell it: every minute, three digits of contracts, one of the price. */
static void
make_market(size_t count)
{
    struct oi_random random;
    int64_t contracts = 91'234'567;
    int64_t price = 671'234;

    memset(&rows, 0, sizeof(rows));
    oi_random_init(&random, 11);
    for (size_t i = 0; i < count; i++) {
        contracts += (int64_t) oi_random_below(&random, 40'000) - 20'000;
        price += (int64_t) oi_random_below(&random, 400) - 200;
        rows.time[i] = START + (int64_t) i * OI_MINUTE;
        rows.exchange_time[i] =
            rows.time[i] + (int64_t) oi_random_below(&random, 1000) * OI_MILLISECOND;
        rows.known_time[i] =
            rows.time[i] + OI_SECOND + (int64_t) oi_random_below(&random, 1'000'000'000);
        rows.commit_time[i] = rows.known_time[i];
        rows.batch[i] = 1000 + i;
        set_plain(&rows.figures[0], i, contracts, -3);
        set_plain(&rows.figures[1], i, (contracts * price + 50) / 100, -2);
        set_plain(&rows.figures[2], i, price, -1);
        set_none(&rows.figures[3], i);
        set_none(&rows.figures[4], i);
    }
}

static void
assert_same_row(const struct oi_columns *a, const struct oi_columns *b, size_t row)
{
    struct oi_observation x = oi_columns_get(a, row);
    struct oi_observation y = oi_columns_get(b, row);

    assert_true(x.time == y.time);
    assert_true(x.exchange_time == y.exchange_time);
    assert_true(x.known_time == y.known_time);
    assert_true(a->batch[row] == b->batch[row]);
    assert_int_equal(x.flags, y.flags);
    assert_memory_equal(&x.open_interest, &y.open_interest, sizeof(struct oi_decimal));
    assert_memory_equal(&x.value_usd, &y.value_usd, sizeof(struct oi_decimal));
    assert_memory_equal(&x.mark_price, &y.mark_price, sizeof(struct oi_decimal));
    assert_memory_equal(&x.index_price, &y.index_price, sizeof(struct oi_decimal));
    assert_memory_equal(&x.last_price, &y.last_price, sizeof(struct oi_decimal));
}

/* Encode the rows, decode them, compare; the size in bytes. */
static size_t
round_trip(size_t count, bool has_commit_times, struct oi_chunk *chunk)
{
    struct oi_columns columns = columns_of(count);
    struct oi_buffer bytes = {};
    struct oi_error error = {};
    size_t size;

    oi_chunk_encode(KEY, &columns, has_commit_times ? rows.commit_time : NULL, &bytes);
    size = bytes.size;
    assert_ok(oi_chunk_decode(KEY, oi_buffer_slice(&bytes), OI_COLUMNS_ALL, chunk, &error));
    assert_int_equal(chunk->columns.count, count);
    for (size_t i = 0; i < count; i++) {
        if (chunk->known_time[i] == OI_TIME_NONE) {
            assert_true(has_commit_times && chunk->known_is_commit);
            chunk->known_time[i] = rows.commit_time[i];
        }
        assert_same_row(&chunk->columns, &columns, i);
    }
    oi_buffer_release(&bytes);
    return size;
}

static void
keeps_a_market_in_eight_bytes_a_row(void **)
{
    struct oi_chunk chunk = {};
    size_t size;

    make_market(ROWS_MAX);
    size = round_trip(ROWS_MAX, true, &chunk);
    print_message("%zu bytes for %d rows\n", size, ROWS_MAX);
    assert_true(size <= ROWS_MAX * 8);
    assert_true(chunk.known_is_commit);
    assert_null(chunk.columns.open_interest.exponents);
    assert_int_equal(chunk.columns.open_interest.exponent, -3);
    assert_null(chunk.columns.index_price.mantissas);
    oi_chunk_release(&chunk);
}

static void
predicts_the_usd_figure_from_contracts_and_price(void **)
{
    struct oi_chunk chunk = {};
    size_t with;
    size_t without;

    make_market(ROWS_MAX);
    with = round_trip(ROWS_MAX, true, &chunk);
    memset(rows.figures[1].exponents, OI_EXPONENT_NONE, sizeof(rows.figures[1].exponents));
    without = round_trip(ROWS_MAX, true, &chunk);
    assert_true(with <= without + 100);
    for (size_t i = 0; i < ROWS_MAX; i++) /* a contract of 100 dollars, whatever the price */
        set_plain(&rows.figures[1], i,
                  oi_decimal_from(rows.figures[0].mantissas[i], rows.figures[0].exponents[i] + 3)
                      .mantissa,
                  0);
    assert_true(round_trip(ROWS_MAX, true, &chunk) > 0);
    oi_chunk_release(&chunk);
}

static void
predicts_figures_of_many_digits_too(void **)
{
    struct oi_chunk chunk = {};
    struct oi_random random;
    size_t size;

    make_market(1000);
    oi_random_init(&random, 12);
    for (size_t i = 0; i < 1000; i++) {
        int64_t contracts = 123'456'789'012'345 + (int64_t) oi_random_below(&random, 1'000'000'000);
        int64_t price = 6'712'345'678'901 + (int64_t) oi_random_below(&random, 10'000'000);

        set_plain(&rows.figures[0], i, contracts, -8);
        set_plain(&rows.figures[2], i, price, -8);
        set_plain(&rows.figures[1], i, (int64_t) ((__int128) contracts * price / 10'000'000'000),
                  -6);
    }
    size = round_trip(1000, true, &chunk);
    assert_true(size < 1000 * (4 + 4 + 2 + 2));
    oi_chunk_release(&chunk);
}

static void
reads_the_header_without_the_columns(void **)
{
    struct oi_chunk_header header;
    struct oi_buffer bytes = {};
    struct oi_columns columns;

    make_market(100);
    rows.known_time[50] = START - OI_DAY;
    rows.known_time[51] = START + OI_DAY;
    rows.batch[52] = 7;
    columns = columns_of(100);
    oi_chunk_encode(KEY, &columns, NULL, &bytes);
    assert_ok(oi_chunk_header_read(KEY, oi_buffer_slice(&bytes), &header, NULL));
    assert_int_equal(header.version, OI_CHUNK_VERSION);
    assert_int_equal(header.count, 100);
    assert_true(header.first_time == START);
    assert_true(header.last_time == START + 99 * OI_MINUTE);
    assert_true(header.first_known == START - OI_DAY);
    assert_true(header.last_known == START + OI_DAY);
    assert_int_equal(header.first_batch, 7);
    assert_int_equal(header.last_batch, 1099);
    oi_buffer_release(&bytes);
}

/* Some rows, all or none are known when they are committed. */
static void
a_stamped_chunk_is_the_one_encoded_at_its_commit(void **)
{
    const oi_time commit_time = START + 90 * OI_DAY;
    oi_time times[100];

    for (size_t part = 0; part < 3; part++) {
        struct oi_buffer early = {}, stamped = {}, late = {};
        struct oi_columns columns;

        make_market(100);
        columns = columns_of(100);
        for (size_t i = 0; i < 100; i++) {
            times[i] = OI_CHUNK_UNCOMMITTED;
            rows.known_time[i] = part * i >= 100 || part == 0 ? times[i] : START - (oi_time) i;
        }
        oi_chunk_encode(KEY, &columns, times, &early);
        oi_chunk_stamp(KEY, oi_buffer_slice(&early), commit_time, &stamped);
        for (size_t i = 0; i < 100; i++) {
            if (rows.known_time[i] == times[i])
                rows.known_time[i] = commit_time;
            times[i] = commit_time;
        }
        oi_chunk_encode(KEY, &columns, times, &late);
        assert_int_equal(stamped.size, late.size);
        assert_memory_equal(stamped.data, late.data, late.size);
        oi_buffer_release(&early);
        oi_buffer_release(&stamped);
        oi_buffer_release(&late);
    }
}

static void
decodes_only_what_is_asked_for(void **)
{
    struct oi_buffer bytes = {};
    struct oi_chunk chunk = {};
    struct oi_columns columns;

    make_market(600);
    rows.flags[3] = OI_FLAG_BAD;
    columns = columns_of(600);
    oi_chunk_encode(KEY, &columns, NULL, &bytes);
    for (unsigned wanted = 0; wanted <= OI_COLUMNS_ALL; wanted++) {
        assert_ok(oi_chunk_decode(KEY, oi_buffer_slice(&bytes), wanted, &chunk, NULL));
        assert_non_null(chunk.columns.time);
        assert_true(!(wanted & OI_COLUMN_EXCHANGE_TIME) == !chunk.columns.exchange_time);
        assert_true(!(wanted & OI_COLUMN_KNOWN_TIME) == !chunk.columns.known_time);
        assert_true(!(wanted & OI_COLUMN_BATCH) == !chunk.columns.batch);
        assert_true(!(wanted & OI_COLUMN_OPEN_INTEREST) == !chunk.columns.open_interest.mantissas);
        assert_true(!(wanted & OI_COLUMN_VALUE_USD) == !chunk.columns.value_usd.mantissas);
        assert_true(!(wanted & OI_COLUMN_MARK_PRICE) == !chunk.columns.mark_price.mantissas);
        assert_true(!(wanted & OI_COLUMN_FLAGS) == !chunk.columns.flags);
        if (wanted & OI_COLUMN_VALUE_USD) {
            struct oi_decimal value = oi_decimals_get(&chunk.columns.value_usd, 599);
            struct oi_decimal expected = oi_decimals_get(&columns.value_usd, 599);

            assert_memory_equal(&value, &expected, sizeof(value));
        }
    }
    oi_chunk_release(&chunk);
    oi_buffer_release(&bytes);
}

static void
allocates_nothing_when_it_is_reused(void **)
{
    struct oi_buffer bytes = {};
    struct oi_chunk chunk = {};
    struct oi_columns columns;
    uint64_t before;

    make_market(2000);
    columns = columns_of(2000);
    oi_chunk_encode(KEY, &columns, NULL, &bytes);
    assert_ok(oi_chunk_decode(KEY, oi_buffer_slice(&bytes), OI_COLUMNS_ALL, &chunk, NULL));
    before = oi_alloc_count();
    assert_ok(oi_chunk_decode(KEY, oi_buffer_slice(&bytes), OI_COLUMNS_ALL, &chunk, NULL));
    assert_int_equal(oi_alloc_count(), before);
    oi_chunk_release(&chunk);
    oi_buffer_release(&bytes);
}

static void
tells_every_changed_byte_and_every_cut(void **)
{
    struct oi_chunk_header header;
    struct oi_buffer bytes = {};
    struct oi_chunk chunk = {};
    struct oi_columns columns;

    make_market(30);
    columns = columns_of(30);
    oi_chunk_encode(KEY, &columns, NULL, &bytes);
    for (size_t i = 0; i < bytes.size; i++) {
        struct oi_slice cut = { bytes.data, i };
        enum oi_status status;

        assert_status(oi_chunk_decode(KEY, cut, OI_COLUMNS_ALL, &chunk, NULL), OI_E_CORRUPT);
        bytes.data[i] = (char) (bytes.data[i] ^ 0x10);
        status = oi_chunk_decode(KEY, oi_buffer_slice(&bytes), OI_COLUMNS_ALL, &chunk, NULL);
        assert_status(status, i == 0 ? OI_E_INVALID : OI_E_CORRUPT);
        bytes.data[i] = (char) (bytes.data[i] ^ 0x10);
    }
    assert_ok(oi_chunk_decode(KEY, oi_buffer_slice(&bytes), OI_COLUMNS_ALL, &chunk, NULL));
    assert_status(oi_chunk_decode(OI_SLICE("another key"), oi_buffer_slice(&bytes), OI_COLUMNS_ALL,
                                  &chunk, NULL),
                  OI_E_CORRUPT);
    assert_status(
        oi_chunk_header_read(OI_SLICE("another key"), oi_buffer_slice(&bytes), &header, NULL),
        OI_E_CORRUPT);
    oi_chunk_release(&chunk);
    oi_buffer_release(&bytes);
}

static void
takes_columns_that_are_absent(void **)
{
    struct oi_buffer bytes = {};
    struct oi_chunk chunk = {};
    struct oi_columns columns;

    make_market(5);
    columns = columns_of(5);
    columns.exchange_time = NULL;
    columns.flags = NULL;
    columns.value_usd = (struct oi_decimals){};
    columns.open_interest =
        (struct oi_decimals){ .mantissas = rows.figures[0].mantissas, .exponent = -5 };
    oi_chunk_encode(KEY, &columns, NULL, &bytes);
    assert_ok(oi_chunk_decode(KEY, oi_buffer_slice(&bytes), OI_COLUMNS_ALL, &chunk, NULL));
    for (size_t i = 0; i < 5; i++) {
        struct oi_decimal value = oi_decimals_get(&chunk.columns.open_interest, i);
        struct oi_decimal expected = oi_decimals_get(&columns.open_interest, i);

        assert_memory_equal(&value, &expected, sizeof(value));
        assert_true(chunk.columns.exchange_time[i] == OI_TIME_NONE);
        assert_int_equal(chunk.columns.flags[i], 0);
    }
    assert_null(chunk.columns.value_usd.mantissas);
    oi_chunk_release(&chunk);
    oi_buffer_release(&bytes);
}

/* A figure of a kind chosen to be unpleasant. */
static void
set_unpleasant(struct oi_random *random, struct figures *figures, size_t row, unsigned kind)
{
    static const char *const texts[] = { "92233720368547758070",
                                         "-9223372036854775809",
                                         "1234567890123456789012345678901234567890.5",
                                         "-0.000000000000000000000000000000000000000000000000001",
                                         "9223372036854775807",
                                         "-9223372036854775808",
                                         "1e64",
                                         "0.1",
                                         "0" };
    int64_t noise = (int64_t) oi_random_next(random);
    struct oi_decimal value;

    switch (kind) {
    case 0:
        set_none(figures, row);
        return;
    case 1:
        set_plain(figures, row, noise, -(int) oi_random_below(random, 30));
        return;
    case 2:
        set_plain(figures, row, noise >> 40, -3);
        return;
    case 3:
        set_plain(figures, row, (noise >> 34) & INT32_MAX, -(int) oi_random_below(random, 4));
        return;
    case 4:
        assert_ok(oi_decimal_parse(oi_slice_of(texts[oi_random_below(random, OI_COUNT(texts))]),
                                   &value, NULL));
        set(figures, row, &value);
        return;
    case 5:
        set_plain(figures, row, 0, 0);
        return;
    }
    if (row == 0)
        set_plain(figures, row, noise, 0);
    else
        set_plain(figures, row, noise >> 60, 5);
}

/* Decoding up to a time gives what decoding all of it gives, up to there. */
static void
expect_beginning(struct oi_random *random, size_t count)
{
    const struct oi_columns columns = columns_of(count);
    oi_time last = rows.time[oi_random_below(random, count)] + (int64_t) oi_random_below(random, 2);
    struct oi_chunk_wanted wanted = OI_CHUNK_ALL;
    struct oi_buffer bytes = {};
    struct oi_chunk whole = {}, part = {};
    size_t first = 0;

    wanted.last = last;
    if (oi_random_below(random, 2))
        wanted.from = last - (int64_t) oi_random_below(random, 100) * OI_MINUTE;
    if (oi_random_below(random, 2))
        wanted.rows_max = 1 + oi_random_below(random, 5);
    oi_chunk_encode(KEY, &columns, rows.commit_time, &bytes);
    assert_ok(oi_chunk_decode(KEY, oi_buffer_slice(&bytes), OI_COLUMNS_ALL, &whole, NULL));
    assert_ok(
        oi_chunk_decode_part(KEY, oi_buffer_slice(&bytes), OI_COLUMNS_ALL, &wanted, &part, NULL));
    assert_true(part.columns.count == count || part.columns.time[part.columns.count - 1] > last);
    while (first < part.columns.count && part.columns.time[first] < wanted.from)
        first++;
    for (size_t end = first; end < part.columns.count && part.columns.time[end] <= last; end++)
        if (end - first == wanted.rows_max)
            first++;
    for (size_t row = first; row < part.columns.count; row++) {
        struct oi_observation found = oi_columns_get(&part.columns, row);
        struct oi_observation expected = oi_columns_get(&whole.columns, row);

        assert_int_equal(found.time, expected.time);
        assert_int_equal(found.exchange_time, expected.exchange_time);
        assert_int_equal(found.known_time, expected.known_time);
        assert_int_equal(found.flags, expected.flags);
        assert_int_equal(part.columns.batch[row], whole.columns.batch[row]);
        assert_true(oi_decimal_equal(&found.open_interest, &expected.open_interest));
        assert_true(oi_decimal_equal(&found.value_usd, &expected.value_usd));
        assert_true(oi_decimal_equal(&found.mark_price, &expected.mark_price));
        assert_true(oi_decimal_equal(&found.index_price, &expected.index_price));
        assert_true(oi_decimal_equal(&found.last_price, &expected.last_price));
    }
    oi_chunk_release(&whole);
    oi_chunk_release(&part);
    oi_buffer_release(&bytes);
}

static void
gives_back_whatever_it_was_given(void **)
{
    enum { KINDS = 7, ROUNDS = 150 };
    struct oi_random random;
    struct oi_chunk chunk = {};

    print_message("seed 31\n");
    oi_random_init(&random, 31);
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t count = 1 + oi_random_below(&random, round % 10 ? 600 : 2000);
        oi_time time = OI_TIME_EARLIEST + (int64_t) (oi_random_next(&random) >> 1);
        unsigned kinds[5];

        memset(&rows, 0, sizeof(rows));
        for (unsigned i = 0; i < 5; i++)
            kinds[i] = (unsigned) oi_random_below(&random, KINDS);
        for (size_t row = 0; row < count; row++) {
            time += (int64_t) oi_random_below(&random, 1000);
            rows.time[row] = time;
            rows.exchange_time[row] = oi_random_below(&random, 1 + round % 5)
                                          ? (int64_t) oi_random_next(&random)
                                          : OI_TIME_NONE;
            rows.known_time[row] =
                oi_random_below(&random, 3) ? time + 5 : (int64_t) (oi_random_next(&random) >> 1);
            rows.commit_time[row] =
                oi_random_below(&random, 1 + round % 3) ? rows.known_time[row] : time + 6;
            rows.batch[row] = oi_random_next(&random) >> oi_random_below(&random, 64);
            rows.flags[row] = (uint16_t) oi_random_below(&random, round % 2 ? 1 : 65536);
            for (unsigned i = 0; i < 5; i++) {
                if (oi_random_below(&random, 100) == 0)
                    set_unpleasant(&random, &rows.figures[i], row,
                                   (unsigned) oi_random_below(&random, KINDS));
                else
                    set_unpleasant(&random, &rows.figures[i], row, kinds[i]);
            }
        }
        round_trip(count, round % 4 != 0, &chunk);
        expect_beginning(&random, count);
    }
    oi_chunk_release(&chunk);
}

static void
fits_rows_into_whole_pages(void **)
{
    /* 4,000 rows in 30,000 bytes: 7.5 a row, and 4,096 rows are nearly eight pages. */
    size_t taken = oi_chunk_rows_fitting(4096, 4000, 30'000);

    assert_in_range(taken * 15 / 2, 8 * 4096 - 16 - 400, 8 * 4096 - 16);
    taken = oi_chunk_rows_fitting(4096, 4000, 32'000); /* 8.2 pages */
    assert_in_range(taken * 8, 8 * 4096 - 16 - 400, 8 * 4096 - 16);
    assert_int_equal(oi_chunk_rows_fitting(4096, 0, 0), 4096);
    assert_int_equal(oi_chunk_rows_fitting(4096, 4000, 4000), 4096);
    assert_int_equal(oi_chunk_rows_fitting(16, 16, 500), 16);
    assert_true(oi_chunk_fits(8 * 4096 - 16));
    assert_false(oi_chunk_fits(8 * 4096 - 15)); /* the ninth page is empty */
    assert_true(oi_chunk_fits(8 * 4096 - 16 - 1024));
    assert_false(oi_chunk_fits(8 * 4096 - 16 - 1025));
    assert_true(oi_chunk_fits(4096)); /* too few pages to choose from */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_a_market_in_eight_bytes_a_row),
        cmocka_unit_test(predicts_the_usd_figure_from_contracts_and_price),
        cmocka_unit_test(predicts_figures_of_many_digits_too),
        cmocka_unit_test(reads_the_header_without_the_columns),
        cmocka_unit_test(a_stamped_chunk_is_the_one_encoded_at_its_commit),
        cmocka_unit_test(decodes_only_what_is_asked_for),
        cmocka_unit_test(allocates_nothing_when_it_is_reused),
        cmocka_unit_test(tells_every_changed_byte_and_every_cut),
        cmocka_unit_test(takes_columns_that_are_absent),
        cmocka_unit_test(gives_back_whatever_it_was_given),
        cmocka_unit_test(fits_rows_into_whole_pages),
    };
    return cmocka_run_group_tests_name("store/chunk", tests, NULL, NULL);
}
