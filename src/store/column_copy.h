/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns as they were decoded, copied one array behind the other into one piece of memory: for
 * what is kept of chunks and rollups. Done twice: once for the size, then into the memory. Pure.
 */
#pragma once

#include "core/columns.h"

#include <stdbool.h>
#include <stddef.h>

/* Where copies go. `at` NULL: only their size is taken, and pointers stay as they are. */
struct oi_column_copy {
    char *at;
    size_t size;
};

/* An array's place in the copy; NULL stays. Longer integers before shorter ones: so all are
 * aligned. */
const void *oi_column_copy_add(struct oi_column_copy *copy, const void *from, size_t size);
/* The columns point into the copy afterwards; `count` rows of them. */
void oi_column_copy_integers(struct oi_column_copy *copy, struct oi_columns *columns, size_t count);
void oi_column_copy_exponents(struct oi_column_copy *copy, struct oi_columns *columns,
                              size_t count);
/* Are times and plain figures all there is? The above copy nothing else. */
bool oi_columns_are_usual(const struct oi_columns *columns);
