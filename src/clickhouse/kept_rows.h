/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of a series as pieces to be kept: chunks, as the embedded store has them, of about eight
 * bytes a row. Pure.
 */
#pragma once

#include "clickhouse/kept.h"

/* What rows of one series are kept under; apart where wide figures were not asked for, as of none
 * that is known yet. `series` is borrowed. */
struct oi_kept_question oi_kept_rows_question(const uint32_t *series, unsigned columns,
                                              bool lacks_wides, uint64_t batch_limit);
/* Keep all rows that there are in a span, in key order. */
void oi_kept_put_rows(struct oi_kept *kept, const struct oi_kept_question *question, uint64_t epoch,
                      struct oi_span span, const struct oi_rows *rows);
/* Append kept rows of the span, from its begin on as far as there are any, and until there are
 * `rows_max`; *ret_until is up to where. */
enum oi_status oi_kept_take_rows(struct oi_kept *kept, const struct oi_kept_question *question,
                                 struct oi_span span, size_t rows_max, struct oi_rows *rows,
                                 oi_time *ret_until, struct oi_error *error);
/* The same of the piece that ends the span, if there is one; *ret_from is from where on. */
enum oi_status oi_kept_take_last_rows(struct oi_kept *kept, const struct oi_kept_question *question,
                                      struct oi_span span, struct oi_rows *rows, oi_time *ret_from,
                                      struct oi_error *error);
