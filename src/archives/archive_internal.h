/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of the file formats share: columns by name, fields by type, refusals. */
#pragma once

#include "archives/archive.h"
#include "archives/record.h"
#include "base/alloc.h"
#include "base/json.h"
#include "core/symbology.h"

/* No such column. */
#define OI_COLUMN_NONE SIZE_MAX

/* What the format's begin left; freed by its end. */
void *oi_reader_state(const struct oi_reader *reader);
void oi_reader_set_state(struct oi_reader *reader, void *state);
const struct oi_archive_options *oi_reader_options(const struct oi_reader *reader);

/* The place of a column, or OI_COLUMN_NONE. */
size_t oi_reader_column(const struct oi_record *header, const char *name);
/* The same where the format cannot do without it. */
enum oi_status oi_reader_need(const struct oi_record *header, const char *name, size_t *ret_column,
                              struct oi_error *error);

/* A field as the reader has it: where it stands, for refusals, and its text. */
struct oi_field {
    uint64_t line;
    const char *name;
    struct oi_slice text;
};
struct oi_field oi_field_of(const struct oi_record *record, size_t column, const char *name);
/* Empty, or one of the words that stand for nothing: NA, N/A, NaN, null, None, ".", "-". */
bool oi_field_is_missing(const struct oi_field *field);

/* Each of these refuses the row and returns false where the field cannot be read. */
void oi_reader_refuse(struct oi_reader *reader, const struct oi_field *field, const char *reason);
/* The open interest itself: must be there and not negative. */
bool oi_reader_figure(struct oi_reader *reader, const struct oi_field *field,
                      struct oi_decimal *ret_figure);
/* A price or value: none where it is missing. */
bool oi_reader_decimal(struct oi_reader *reader, const struct oi_field *field,
                       struct oi_decimal *ret_value);
/* How times of a column are written. One that names no zone is of `zone`, or UTC if so marked, or
 * else refused. */
struct oi_time_style {
    enum oi_time_format format;
    bool is_utc;
    const struct oi_zone *zone;
};
bool oi_reader_time(struct oi_reader *reader, const struct oi_field *field,
                    const struct oi_time_style *style, oi_time *ret_time);
/* The same where it may be missing: NONE then. */
bool oi_reader_time_optional(struct oi_reader *reader, const struct oi_field *field,
                             const struct oi_time_style *style, oi_time *ret_time);

/* The index of a market by its id: as Coin Metrics writes it ("binance-BTCUSDT-future"), or ours
 * ("binance:usdm:BTCUSDT"). Refused, with `field` as the reason's place, when it is neither. */
bool oi_reader_market_by_id(struct oi_reader *reader, const struct oi_field *field,
                            struct oi_slice id, size_t *ret_market);
/* The same by exchange and product; the field is the symbol. */
bool oi_reader_market_by_key(struct oi_reader *reader, const struct oi_field *field,
                             const char *exchange, const char *product, size_t *ret_market);

/* The market itself, for a format that knows more of it than its name: to be filled in before the
 * first row of it is handed over. Valid until the next market is looked up. */
struct oi_instrument *oi_reader_market_facts(struct oi_reader *reader, size_t market);

/* Hand a row to the sink. */
enum oi_status oi_reader_take(struct oi_reader *reader, const struct oi_archive_row *row,
                              struct oi_error *error);

/* How many fields the header has; 0: it has not come. */
size_t oi_reader_field_count(const struct oi_reader *reader);

/* What a plain table's columns are, for reading it in pieces (piece.c). */
#define OI_TABLE_KEYS_MAX 8
struct oi_table_plan {
    size_t time, known_time, exchange_time; /* columns, or OI_COLUMN_NONE */
    struct oi_time_style time_style, known_style, exchange_style;
    oi_time at;         /* where there is no column of times */
    int64_t instant_ns; /* added to each */
    size_t figures[5];  /* as in struct oi_packed */
    /* The columns that decide about a row's market and unit: equal texts, equal answer. */
    size_t keys[OI_TABLE_KEYS_MAX];
    size_t key_count;
};
/* The plan of a csv reader whose header has come; false when a record is more than one reading, or
 * the rest is not as simple. */
bool oi_csv_plan(const struct oi_reader *reader, struct oi_table_plan *ret_plan);
