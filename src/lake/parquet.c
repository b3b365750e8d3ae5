/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row group, one data page a column: a month of five-minute bars is 9,000 rows, and a reader
 * that wants one column fetches the footer and that column. Nulls are definition levels; how values
 * are written says parquet_encode.c. The numbers below are parquet.thrift's.
 */
#include "lake/parquet.h"

#include "base/alloc.h"
#include "base/compress.h"
#include "lake/parquet_encode.h"
#include "lake/thrift.h"

/* zstd's fast side: level 3 takes a third longer, and on figures as text its files are larger. */
#define PARQUET_ZSTD_LEVEL 1
/* Doubles share little beyond bytes of zeros, which any level finds: 12 % more bytes of a month of
 * metrics than at level 1, in a third of the time. */
#define DOUBLES_ZSTD_LEVEL (-12)
/* Bytes of a page of doubles that are packed to see whether the rest would shrink. */
#define SAMPLE_SIZE ((size_t) 4 << 10)
/* A page that would shrink by less than one in so many is left as it is. */
#define WORTH_ONE_IN 8
/* In what is left of figures four equal digits are found everywhere, and save nothing. */
#define FIGURES_MATCH_MIN 7

enum { TYPE_BOOLEAN = 0, TYPE_INT64 = 2, TYPE_DOUBLE = 5, TYPE_BYTE_ARRAY = 6 };
enum { PAGE_DATA = 0, PAGE_DICTIONARY = 2 };
enum parquet_codec { CODEC_NONE = 0, CODEC_ZSTD = 6 };
enum { REPETITION_REQUIRED = 0, REPETITION_OPTIONAL = 1 };

static const char magic[] = "PAR1";

/* Where a column went. */
struct placed {
    enum parquet_encoding encoding;
    enum parquet_codec codec;
    int64_t start, offset;           /* of its first page, and of its data */
    int64_t packed_size, plain_size; /* with the page header */
    size_t null_count;
};

static int32_t
physical_type(enum oi_parquet_type type)
{
    switch (type) {
    case OI_PARQUET_INT64:
    case OI_PARQUET_TIMESTAMP_MICROS:
    case OI_PARQUET_TIMESTAMP_UTC_NANOS:
        return TYPE_INT64;
    case OI_PARQUET_DOUBLE:
        return TYPE_DOUBLE;
    case OI_PARQUET_STRING:
        return TYPE_BYTE_ARRAY;
    case OI_PARQUET_BOOLEAN:
        return TYPE_BOOLEAN;
    }
    return TYPE_INT64;
}

static void
add_page_header(int32_t type, enum parquet_encoding encoding, size_t count, size_t plain_size,
                size_t packed_size, struct oi_buffer *out)
{
    struct oi_thrift thrift = { .out = out };

    oi_thrift_i32(&thrift, 1, type);
    oi_thrift_i32(&thrift, 2, (int32_t) plain_size);
    oi_thrift_i32(&thrift, 3, (int32_t) packed_size);
    oi_thrift_begin(&thrift, type == PAGE_DATA ? 5 : 7);
    oi_thrift_i32(&thrift, 1, (int32_t) count);
    oi_thrift_i32(&thrift, 2, (int32_t) encoding);
    if (type == PAGE_DATA) {
        oi_thrift_i32(&thrift, 3, PARQUET_RLE);
        oi_thrift_i32(&thrift, 4, PARQUET_RLE);
    }
    oi_thrift_end(&thrift);
    oi_thrift_end(&thrift);
}

/* What columns of a file are made with, one after the other. */
struct writer {
    struct oi_zstd_packer *packer;
    struct oi_buffer page, packed, *out;
    size_t file_start;
};

/* The bytes as they are written, in `packed` or where they are. */
static struct oi_slice
pack(struct writer *writer, struct oi_slice plain, const struct placed *placed)
{
    if (placed->codec == CODEC_NONE)
        return plain;
    oi_buffer_clear(&writer->packed);
    oi_zstd_packer_add(writer->packer, plain,
                       placed->encoding == PARQUET_PLAIN ? DOUBLES_ZSTD_LEVEL : PARQUET_ZSTD_LEVEL,
                       placed->encoding == PARQUET_DELTA_TEXTS ? FIGURES_MATCH_MIN : 0,
                       &writer->packed);
    return oi_buffer_slice(&writer->packed);
}

/* The quotients in a column of doubles are noise but for their first bits: zstd takes a few
 * percent off them, and more time than all the rest of a file. */
static bool
is_noise(struct writer *writer, const struct placed *placed)
{
    struct oi_slice sample = oi_buffer_slice(&writer->page);

    if (placed->encoding != PARQUET_PLAIN || sample.size < 2 * SAMPLE_SIZE)
        return false;
    sample = (struct oi_slice){ sample.data + (sample.size - SAMPLE_SIZE) / 2, SAMPLE_SIZE };
    return pack(writer, sample, placed).size > SAMPLE_SIZE - SAMPLE_SIZE / WORTH_ONE_IN;
}

/* Append the page, compressed if its column is. The page is empty afterwards. */
static void
write_page(struct writer *writer, int32_t type, enum parquet_encoding encoding, size_t count,
           struct placed *placed)
{
    struct oi_buffer *out = writer->out;
    size_t start = out->size, plain_size = writer->page.size;
    struct oi_slice packed = pack(writer, oi_buffer_slice(&writer->page), placed);

    add_page_header(type, encoding, count, plain_size, packed.size, out);
    placed->plain_size += (int64_t) (out->size - start + plain_size);
    oi_buffer_add_slice(out, packed);
    placed->packed_size += (int64_t) (out->size - start);
    oi_buffer_clear(&writer->page);
}

/* How its values are written. Texts that fit a dictionary are in it. */
static enum parquet_encoding
choose_encoding(const struct oi_parquet_column *column, size_t count,
                struct parquet_dictionary *dictionary)
{
    if (physical_type(column->type) == TYPE_INT64)
        return PARQUET_DELTA;
    if (column->type != OI_PARQUET_STRING)
        return PARQUET_PLAIN;
    return parquet_dictionary_fill(dictionary, column, count) ? PARQUET_DICTIONARY
                                                              : PARQUET_DELTA_TEXTS;
}

static void
write_column(struct writer *writer, const struct oi_parquet_column *column, size_t count,
             struct placed *placed)
{
    struct parquet_dictionary dictionary = {};
    struct oi_buffer *page = &writer->page;

    placed->start = (int64_t) (writer->out->size - writer->file_start);
    placed->encoding = choose_encoding(column, count, &dictionary);
    placed->codec = CODEC_ZSTD;
    if (placed->encoding == PARQUET_DICTIONARY) {
        parquet_add_texts(&dictionary, page);
        write_page(writer, PAGE_DICTIONARY, PARQUET_PLAIN, dictionary.text_count, placed);
    }
    if (column->is_nullable)
        parquet_add_levels(column, count, page);
    if (placed->encoding == PARQUET_DICTIONARY)
        parquet_add_indices(&dictionary, page);
    else if (placed->encoding == PARQUET_DELTA)
        parquet_add_differences(column, count, page);
    else if (placed->encoding == PARQUET_DELTA_TEXTS)
        parquet_add_suffixes(column, count, page);
    else
        parquet_add_plain(column, count, page);
    if (is_noise(writer, placed))
        placed->codec = CODEC_NONE;
    placed->offset = (int64_t) (writer->out->size - writer->file_start);
    write_page(writer, PAGE_DATA, placed->encoding, count, placed);
    for (size_t row = 0; column->present && row < count; row++)
        placed->null_count += !column->present[row];
    parquet_dictionary_release(&dictionary);
}

/* LogicalType: TIMESTAMP with its unit, or STRING. */
static void
add_logical_type(struct oi_thrift *thrift, enum oi_parquet_type type)
{
    bool is_utc = type == OI_PARQUET_TIMESTAMP_UTC_NANOS;

    if (type == OI_PARQUET_STRING) {
        oi_thrift_i32(thrift, 6, 0); /* the legacy UTF8, which every reader knows */
        oi_thrift_begin(thrift, 10);
        oi_thrift_begin(thrift, 1);
        oi_thrift_end(thrift);
        oi_thrift_end(thrift);
        return;
    }
    if (type != OI_PARQUET_TIMESTAMP_MICROS && !is_utc)
        return;
    oi_thrift_begin(thrift, 10);
    oi_thrift_begin(thrift, 8);
    oi_thrift_bool(thrift, 1, is_utc);
    oi_thrift_begin(thrift, 2);
    oi_thrift_begin(thrift, is_utc ? 3 : 2); /* NANOS or MICROS */
    oi_thrift_end(thrift);
    oi_thrift_end(thrift);
    oi_thrift_end(thrift);
    oi_thrift_end(thrift);
}

static void
add_schema(struct oi_thrift *thrift, const struct oi_parquet_column *columns, size_t count)
{
    oi_thrift_list(thrift, 2, OI_THRIFT_STRUCT, count + 1);
    oi_thrift_begin_element(thrift);
    oi_thrift_binary(thrift, 4, OI_SLICE("schema"));
    oi_thrift_i32(thrift, 5, (int32_t) count);
    oi_thrift_end(thrift);
    for (size_t i = 0; i < count; i++) {
        oi_thrift_begin_element(thrift);
        oi_thrift_i32(thrift, 1, physical_type(columns[i].type));
        oi_thrift_i32(thrift, 3,
                      columns[i].is_nullable ? REPETITION_OPTIONAL : REPETITION_REQUIRED);
        oi_thrift_binary(thrift, 4, oi_slice_of(columns[i].name));
        add_logical_type(thrift, columns[i].type);
        oi_thrift_end(thrift);
    }
}

static void
add_column_chunk(struct oi_thrift *thrift, const struct oi_parquet_column *column,
                 const struct placed *placed, size_t row_count)
{
    bool has_dictionary = placed->encoding == PARQUET_DICTIONARY;

    oi_thrift_begin_element(thrift);
    oi_thrift_i64(thrift, 2, placed->start);
    oi_thrift_begin(thrift, 3);
    oi_thrift_i32(thrift, 1, physical_type(column->type));
    oi_thrift_list(thrift, 2, OI_THRIFT_I32, has_dictionary ? 3 : 2);
    oi_thrift_element_i32(thrift, (int32_t) placed->encoding);
    oi_thrift_element_i32(thrift, PARQUET_RLE);
    if (has_dictionary)
        oi_thrift_element_i32(thrift, PARQUET_PLAIN);
    oi_thrift_list(thrift, 3, OI_THRIFT_BINARY, 1);
    oi_thrift_element_binary(thrift, oi_slice_of(column->name));
    oi_thrift_i32(thrift, 4, (int32_t) placed->codec);
    oi_thrift_i64(thrift, 5, (int64_t) row_count);
    oi_thrift_i64(thrift, 6, placed->plain_size);
    oi_thrift_i64(thrift, 7, placed->packed_size);
    oi_thrift_i64(thrift, 9, placed->offset);
    if (has_dictionary)
        oi_thrift_i64(thrift, 11, placed->start);
    oi_thrift_begin(thrift, 12);
    oi_thrift_i64(thrift, 3, (int64_t) placed->null_count);
    oi_thrift_end(thrift);
    oi_thrift_end(thrift);
    oi_thrift_end(thrift);
}

static void
write_footer(const struct oi_parquet_column *columns, size_t column_count, size_t row_count,
             const struct placed *placed, struct oi_buffer *out)
{
    struct oi_thrift thrift = { .out = out };
    size_t start = out->size;
    int64_t size = 0;

    for (size_t i = 0; i < column_count; i++)
        size += placed[i].plain_size;
    oi_thrift_i32(&thrift, 1, 2); /* format version 2 */
    add_schema(&thrift, columns, column_count);
    oi_thrift_i64(&thrift, 3, (int64_t) row_count);
    oi_thrift_list(&thrift, 4, OI_THRIFT_STRUCT, row_count > 0 ? 1 : 0);
    if (row_count > 0) {
        oi_thrift_begin_element(&thrift);
        oi_thrift_list(&thrift, 1, OI_THRIFT_STRUCT, column_count);
        for (size_t i = 0; i < column_count; i++)
            add_column_chunk(&thrift, &columns[i], &placed[i], row_count);
        oi_thrift_i64(&thrift, 2, size);
        oi_thrift_i64(&thrift, 3, (int64_t) row_count);
        oi_thrift_end(&thrift);
    }
    oi_thrift_binary(&thrift, 6, OI_SLICE("oi"));
    oi_thrift_end(&thrift);
    oi_buffer_add_u32(out, (uint32_t) (out->size - start));
    oi_buffer_add_text(out, magic);
}

enum oi_status
oi_parquet_write(const struct oi_parquet_column *columns, size_t column_count, size_t row_count,
                 struct oi_buffer *out, struct oi_error *error)
{
    struct placed *placed = oi_alloc_zero(column_count + 1, sizeof(*placed));
    struct writer writer = { .out = out, .file_start = out->size };

    oi_buffer_add_text(out, magic);
    if (row_count > 0) {
        writer.packer = oi_zstd_packer_new();
        for (size_t i = 0; i < column_count; i++)
            write_column(&writer, &columns[i], row_count, &placed[i]);
    }
    write_footer(columns, column_count, row_count, placed, out);
    oi_zstd_packer_free(&writer.packer);
    oi_buffer_release(&writer.page);
    oi_buffer_release(&writer.packed);
    oi_free(placed);
    if (out->overflowed)
        return oi_fail(error, OI_E_FULL, "the Parquet file is larger than its buffer");
    return OI_OK;
}
