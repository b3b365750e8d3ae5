/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records and fields of delimited text as RFC 4180 has it, pushed in pieces: quotes with doubled
 * quotes inside, line ends of any kind, a byte order mark, blanks around fields. Lines without any
 * content are no records.
 */
#pragma once

#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest record met has 3 kB (a Kalshi market with its rules); past this it is no table. */
#define OI_RECORD_SIZE_MAX ((size_t) 1 << 20)
#define OI_RECORD_FIELDS_MAX ((size_t) 4096)

/* Borrowed for the call it is handed to. Fields have no blanks around them; quoted ones are as they
 * stand between the quotes. */
struct oi_record {
    uint64_t line; /* where it begins, from 1 */
    const struct oi_slice *fields;
    size_t count;
    const char *fault; /* what is wrong with this record alone, or NULL */
};

struct oi_records;

/* A delimiter of 0: each line is one field, quotes mean nothing. A failure of `each` lasts. */
struct oi_records *oi_records_new(char delimiter,
                                  enum oi_status (*each)(void *context,
                                                         const struct oi_record *record,
                                                         struct oi_error *error),
                                  void *context);
/* The next bytes. CORRUPT: a quote that is never closed, or a record past the limits. */
enum oi_status oi_records_add(struct oi_records *records, struct oi_slice piece, bool is_last,
                              struct oi_error *error);
void oi_records_free(struct oi_records **records);
