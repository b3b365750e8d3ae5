/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values of one Parquet page, absent ones left out, in the encodings that are worth it for our
 * columns (Encodings.md of the format). Every reader we know takes them.
 */
#pragma once

#include "lake/parquet.h"

/* parquet.thrift's numbers. */
enum parquet_encoding {
    PARQUET_PLAIN = 0,
    PARQUET_RLE = 3,
    PARQUET_DELTA = 5,       /* DELTA_BINARY_PACKED */
    PARQUET_DELTA_TEXTS = 7, /* DELTA_BYTE_ARRAY */
    PARQUET_DICTIONARY = 8,
};

/* Texts that a dictionary may hold: beyond, a column is not one of few names. */
#define PARQUET_DICTIONARY_MAX 256

/* Few texts, and which of them each value is. */
struct parquet_dictionary {
    struct oi_slice texts[PARQUET_DICTIONARY_MAX]; /* borrowed */
    size_t text_count;
    uint8_t *indices; /* of the values that are there */
    size_t count;
};

/* The dictionary of a column of texts; false: it has too many, and nothing is held. */
bool parquet_dictionary_fill(struct parquet_dictionary *dictionary,
                             const struct oi_parquet_column *column, size_t row_count);
void parquet_dictionary_release(struct parquet_dictionary *dictionary);
/* The page of the texts, and the page of what refers to them. */
void parquet_add_texts(const struct parquet_dictionary *dictionary, struct oi_buffer *page);
void parquet_add_indices(const struct parquet_dictionary *dictionary, struct oi_buffer *page);

/* Integers as packed differences. */
void parquet_add_differences(const struct oi_parquet_column *column, size_t row_count,
                             struct oi_buffer *page);
/* Texts as what is not the same as in the one before. */
void parquet_add_suffixes(const struct oi_parquet_column *column, size_t row_count,
                          struct oi_buffer *page);
/* Values as they are. */
void parquet_add_plain(const struct oi_parquet_column *column, size_t row_count,
                       struct oi_buffer *page);
/* Which rows have a value: runs of equal levels, with their size before them. */
void parquet_add_levels(const struct oi_parquet_column *column, size_t row_count,
                        struct oi_buffer *page);
