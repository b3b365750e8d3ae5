/* SPDX-License-Identifier: Apache-2.0 */
/* The Range header of a request for a part of a file. */
#pragma once

#include "base/slice.h"

#include <stdbool.h>

/* Bytes [from, to) of a body. */
struct oi_byte_range {
    size_t from, to;
};

/* A single `bytes=` range against a body of `size` bytes: false when the header is none that we
 * take (several ranges, another unit, nonsense) and must be ignored; from >= to when it lies
 * outside. */
bool oi_range_parse(struct oi_slice header, size_t size, struct oi_byte_range *ret_range);
