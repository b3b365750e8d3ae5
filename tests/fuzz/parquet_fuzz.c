/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of any type, made of the input, are a file that another reader takes, with every value.
 */
#include "lake/parquet.h"

#include "support/parquet_reader.h"

#include <stdio.h>

#define COLUMNS_MAX 5
#define ROWS_MAX 3000
#define ROWS_FEW 150
#define TYPE_COUNT 6
/* A text that is printed is no longer. */
#define TEXT_SIZE 96

struct column {
    struct oi_parquet_column column;
    char name[8];
    int64_t integers[ROWS_MAX]; /* or where texts start */
    double doubles[ROWS_MAX];
    bool booleans[ROWS_MAX], present[ROWS_MAX];
    struct oi_buffer texts;
};

static struct column made[COLUMNS_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where the input has ended, zeros: a fuzzer has nothing to learn from noise of ours. */
static uint64_t
take(struct oi_cursor *input, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | (oi_cursor_left(input) > 0 ? oi_cursor_u8(input) : 0);
    return value;
}

static uint64_t
mix(uint64_t value)
{
    value ^= value >> 33;
    value *= UINT64_C(0xff51afd7ed558ccd);
    value ^= value >> 33;
    value *= UINT64_C(0xc4ceb9fe1a85ec53);
    return value ^ value >> 33;
}

/* How numbers follow each other. */
struct course {
    unsigned kind, bits;
    uint64_t start, step;
};

static struct course
take_course(struct oi_cursor *input)
{
    struct course course = { .kind = (unsigned) take(input, 1) % 6 };

    course.bits = (unsigned) take(input, 1) % 65;
    course.start = take(input, 8);
    course.step = take(input, 4);
    return course;
}

static uint64_t
number_at(const struct course *course, size_t row, struct oi_cursor *input)
{
    switch (course->kind) {
    case 0: /* a grid */
        return course->start + row * course->step;
    case 1: /* noise of so many bits */
        return course->bits == 0 ? 0 : mix(course->start + row) >> (64 - course->bits);
    case 2: /* few */
        return row % (course->step % 300 + 1);
    case 3: /* long runs of equal ones */
        return mix(row / (course->step % 200 + 1)) % (course->bits + 1);
    case 4: /* from one end to the other */
        return row % 2 ? (uint64_t) INT64_MIN + course->start % 3 : (uint64_t) INT64_MAX;
    default:
        return take(input, 8);
    }
}

static void
make_text(const struct course *course, size_t row, unsigned kind, struct oi_cursor *input,
          struct oi_buffer *out)
{
    unsigned long long number = number_at(course, row, input);
    char text[TEXT_SIZE];

    switch (kind) {
    case 0:
        (void) snprintf(text, sizeof(text), "%llu", number);
        break;
    case 1: /* wide figures that begin alike */
        (void) snprintf(text, sizeof(text), "1234567890123456789012345678901234567890%020llu.%llu",
                        number % 1000, number);
        break;
    case 2: /* texts of many lengths that go on alike, empty ones among them */
        for (unsigned long long i = 0; i < number % 301 >> number / 301 % 8; i++)
            oi_buffer_add_char(out, 'a');
        oi_buffer_add_text(out, number % 7 ? "" : "b");
        return;
    case 3: /* bytes of any kind */
        for (uint64_t i = 0, size = take(input, 1); i < size && oi_cursor_left(input) > 0; i++)
            oi_buffer_add_u8(out, oi_cursor_u8(input));
        return;
    default: /* numbers on either side of nothing */
        (void) snprintf(text, sizeof(text), "%lld.%03llu", (long long) number, number % 1000);
    }
    oi_buffer_add_text(out, text);
}

/* Which rows have a value. */
static void
make_present(struct column *column, size_t row_count, struct oi_cursor *input)
{
    unsigned kind = (unsigned) take(input, 1) % 6;
    size_t each = take(input, 1) + 1;

    column->column.is_nullable = kind > 0;
    column->column.present = kind > 1 ? column->present : NULL;
    for (size_t row = 0; row < row_count; row++)
        column->present[row] = kind < 2    ? true
                               : kind == 2 ? false
                               : kind == 3 ? row % each != 0
                               : kind == 4 ? row / each % 2 == 0
                                           : mix(row * each) & 1;
}

static void
make_column(struct column *column, size_t index, size_t row_count, struct oi_cursor *input)
{
    enum oi_parquet_type type = (enum oi_parquet_type)(take(input, 1) % TYPE_COUNT);
    unsigned kind = (unsigned) take(input, 1) % 5;
    struct course course = take_course(input);

    (void) snprintf(column->name, sizeof(column->name), "c%zu", index);
    column->column = (struct oi_parquet_column){ .name = column->name, .type = type };
    make_present(column, row_count, input);
    for (size_t row = 0; row < row_count; row++) {
        uint64_t number;

        if (type == OI_PARQUET_STRING) {
            column->integers[row] = (int64_t) column->texts.size;
            if (column->present[row])
                make_text(&course, row, kind, input, &column->texts);
            continue;
        }
        number = number_at(&course, row, input);
        column->integers[row] = (int64_t) number;
        column->booleans[row] = number & 1;
        if (kind == 0)
            column->doubles[row] = (double) number / 8;
        else
            memcpy(&column->doubles[row], &number, sizeof(number));
    }
    if (type == OI_PARQUET_STRING)
        column->column.texts =
            (struct oi_parquet_texts){ oi_buffer_slice(&column->texts), column->integers };
    else if (type == OI_PARQUET_DOUBLE)
        column->column.doubles = column->doubles;
    else if (type == OI_PARQUET_BOOLEAN)
        column->column.booleans = column->booleans;
    else
        column->column.integers = column->integers;
}

static int64_t
physical_type(enum oi_parquet_type type)
{
    static const int64_t types[TYPE_COUNT] = { 2, 5, 6, 2, 2, 0 };

    return types[type];
}

static void
check_schema(const struct parquet_leaves *footer, size_t column_count, size_t row_count)
{
    oi_assert(PARQUET_NUMBER(footer, 1) == 2);
    oi_assert(PARQUET_NUMBER(footer, 2) == (int64_t) column_count + 1);
    oi_assert(PARQUET_NUMBER(footer, 2, 0, 5) == (int64_t) column_count);
    oi_assert(PARQUET_NUMBER(footer, 3) == (int64_t) row_count);
    oi_assert(PARQUET_NUMBER(footer, 4) == (row_count > 0));
    for (int i = 0; i < (int) column_count; i++) {
        const struct oi_parquet_column *column = &made[i].column;
        enum oi_parquet_type type = column->type;
        bool is_micros = type == OI_PARQUET_TIMESTAMP_MICROS;
        bool is_nanos = type == OI_PARQUET_TIMESTAMP_UTC_NANOS;

        oi_assert(PARQUET_NUMBER(footer, 2, i + 1, 1) == physical_type(type));
        oi_assert(PARQUET_NUMBER(footer, 2, i + 1, 3) == column->is_nullable);
        oi_assert(oi_slice_is(parquet_need(PARQUET_LEAF(footer, 2, i + 1, 4))->text, column->name));
        oi_assert(!PARQUET_LEAF(footer, 2, i + 1, 10, 1) == (type != OI_PARQUET_STRING));
        oi_assert(!PARQUET_LEAF(footer, 2, i + 1, 10, 8) == !(is_micros || is_nanos));
        oi_assert(!PARQUET_LEAF(footer, 2, i + 1, 10, 8, 2, 2) == !is_micros);
        oi_assert(!PARQUET_LEAF(footer, 2, i + 1, 10, 8, 2, 3) == !is_nanos);
        if (is_micros || is_nanos)
            oi_assert(PARQUET_NUMBER(footer, 2, i + 1, 10, 8, 1) == is_nanos);
    }
}

/* The bits of a value that is there. */
static uint64_t
bits_at(const struct column *column, size_t row)
{
    uint64_t bits = (uint64_t) column->integers[row];

    if (column->column.type == OI_PARQUET_DOUBLE)
        memcpy(&bits, &column->doubles[row], sizeof(bits));
    return column->column.type == OI_PARQUET_BOOLEAN ? column->booleans[row] : bits;
}

static struct oi_slice
text_at(const struct column *column, size_t row, size_t row_count)
{
    size_t from = (size_t) column->integers[row];
    size_t to = row + 1 < row_count ? (size_t) column->integers[row + 1] : column->texts.size;

    return (struct oi_slice){ column->texts.data ? column->texts.data + from : "", to - from };
}

/* Row by row what was written; how many are absent. */
static size_t
check_values(const struct column *column, size_t row_count, const struct parquet_values *values)
{
    size_t at = 0, absent = 0;

    for (size_t row = 0; row < row_count; row++) {
        if (values->levels.items.count > 0)
            oi_assert(values->levels.items.items[row] == column->present[row]);
        if (!column->present[row]) {
            absent++;
            continue;
        }
        if (column->column.type == OI_PARQUET_STRING) {
            size_t index = values->has_dictionary ? (size_t) values->numbers.items.items[at] : at;

            oi_assert(index + 1 < values->texts.starts.items.count);
            oi_assert(oi_slice_equal(parquet_text(&values->texts, index),
                                     text_at(column, row, row_count)));
        } else {
            oi_assert(values->numbers.items.items[at] == bits_at(column, row));
        }
        at++;
    }
    oi_assert(column->column.type == OI_PARQUET_STRING || at == values->numbers.items.count);
    return absent;
}

static void
check_file(struct oi_slice file, size_t column_count, size_t row_count)
{
    struct parquet_leaves footer;
    size_t end = parquet_read_footer(file, &footer), at = 4;
    int64_t plain_size = 0;

    check_schema(&footer, column_count, row_count);
    for (int i = 0; row_count > 0 && i < (int) column_count; i++) {
        struct parquet_values values = {};

        oi_assert(PARQUET_NUMBER(&footer, 4, 0, 1, i, 3, 1) == physical_type(made[i].column.type));
        oi_assert(PARQUET_NUMBER(&footer, 4, 0, 1, i, 3, 5) == (int64_t) row_count);
        parquet_read_column(file, &footer, i, &at, &values);
        oi_assert(check_values(&made[i], row_count, &values) ==
                  (size_t) PARQUET_NUMBER(&footer, 4, 0, 1, i, 3, 12, 3));
        plain_size += PARQUET_NUMBER(&footer, 4, 0, 1, i, 3, 6);
        parquet_values_release(&values);
    }
    oi_assert(at == end);
    if (row_count > 0)
        oi_assert(PARQUET_NUMBER(&footer, 4, 0, 2) == plain_size);
    parquet_leaves_release(&footer);
}

/* Mostly few: what only many show is tried now and then. */
static size_t
take_row_count(struct oi_cursor *input)
{
    size_t number = (size_t) take(input, 2);

    return number / 4 % (number % 4 ? ROWS_FEW : ROWS_MAX + 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oi_cursor input = oi_cursor_over((struct oi_slice){ (const char *) data, size });
    struct oi_parquet_column columns[COLUMNS_MAX];
    struct oi_buffer file = {}, small = {};
    size_t column_count = take(&input, 1) % COLUMNS_MAX + 1;
    size_t row_count = take_row_count(&input);

    for (size_t i = 0; i < column_count; i++) {
        make_column(&made[i], i, row_count, &input);
        columns[i] = made[i].column;
    }
    oi_assert(oi_parquet_write(columns, column_count, row_count, &file, NULL) == OI_OK);
    check_file(oi_buffer_slice(&file), column_count, row_count);
    small.size_max = file.size - 1 - (size_t) take(&input, 2) % file.size / 2;
    oi_assert(oi_parquet_write(columns, column_count, row_count, &small, NULL) == OI_E_FULL);
    oi_buffer_release(&file);
    oi_buffer_release(&small);
    for (size_t i = 0; i < column_count; i++)
        oi_buffer_release(&made[i].texts);
    return 0;
}
