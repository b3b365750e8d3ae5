/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thrift's compact protocol, the writing half and only what Parquet's metadata needs. Field headers
 * hold differences of ids, so a writer remembers the last one of each nesting.
 */
#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Structs of Parquet's metadata nest this deep at most, with room to spare. */
#define OI_THRIFT_DEPTH_MAX 16

enum oi_thrift_type {
    OI_THRIFT_TRUE = 1,
    OI_THRIFT_FALSE = 2,
    OI_THRIFT_I32 = 5,
    OI_THRIFT_I64 = 6,
    OI_THRIFT_BINARY = 8,
    OI_THRIFT_LIST = 9,
    OI_THRIFT_STRUCT = 12,
};

/* `{ .out = … }` begins one; the outermost struct is open. */
struct oi_thrift {
    struct oi_buffer *out;
    unsigned depth;
    int16_t last_id[OI_THRIFT_DEPTH_MAX];
};

void oi_thrift_i32(struct oi_thrift *thrift, int16_t id, int32_t value);
void oi_thrift_i64(struct oi_thrift *thrift, int16_t id, int64_t value);
void oi_thrift_bool(struct oi_thrift *thrift, int16_t id, bool value);
void oi_thrift_binary(struct oi_thrift *thrift, int16_t id, struct oi_slice value);
/* A struct as a field; then its own fields; then end. */
void oi_thrift_begin(struct oi_thrift *thrift, int16_t id);
/* Also closes the outermost struct. */
void oi_thrift_end(struct oi_thrift *thrift);
/* A list as a field; then its elements: structs by oi_thrift_begin_element and oi_thrift_end,
 * others by the element functions. */
void oi_thrift_list(struct oi_thrift *thrift, int16_t id, enum oi_thrift_type type, size_t count);
void oi_thrift_begin_element(struct oi_thrift *thrift);
void oi_thrift_element_i32(struct oi_thrift *thrift, int32_t value);
void oi_thrift_element_binary(struct oi_thrift *thrift, struct oi_slice value);
