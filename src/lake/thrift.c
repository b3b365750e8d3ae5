/* SPDX-License-Identifier: Apache-2.0 */
/* Field headers, zigzag varints, nesting. */
#include "lake/thrift.h"

#include "base/status.h"

static void
add_zigzag(struct oi_buffer *out, int64_t value)
{
    oi_buffer_add_varint(out, ((uint64_t) value << 1) ^ (uint64_t) (value >> 63));
}

static void
add_field(struct oi_thrift *thrift, int16_t id, enum oi_thrift_type type)
{
    int16_t *last = &thrift->last_id[thrift->depth];
    int step = id - *last;

    if (step > 0 && step <= 15) {
        oi_buffer_add_u8(thrift->out, (uint8_t) (step << 4 | (int) type));
    } else {
        oi_buffer_add_u8(thrift->out, (uint8_t) type);
        add_zigzag(thrift->out, id);
    }
    *last = id;
}

void
oi_thrift_i32(struct oi_thrift *thrift, int16_t id, int32_t value)
{
    add_field(thrift, id, OI_THRIFT_I32);
    add_zigzag(thrift->out, value);
}

void
oi_thrift_i64(struct oi_thrift *thrift, int16_t id, int64_t value)
{
    add_field(thrift, id, OI_THRIFT_I64);
    add_zigzag(thrift->out, value);
}

void
oi_thrift_bool(struct oi_thrift *thrift, int16_t id, bool value)
{
    add_field(thrift, id, value ? OI_THRIFT_TRUE : OI_THRIFT_FALSE);
}

void
oi_thrift_binary(struct oi_thrift *thrift, int16_t id, struct oi_slice value)
{
    add_field(thrift, id, OI_THRIFT_BINARY);
    oi_thrift_element_binary(thrift, value);
}

void
oi_thrift_begin_element(struct oi_thrift *thrift)
{
    oi_assert(thrift->depth + 1 < OI_THRIFT_DEPTH_MAX);
    thrift->last_id[++thrift->depth] = 0;
}

void
oi_thrift_begin(struct oi_thrift *thrift, int16_t id)
{
    add_field(thrift, id, OI_THRIFT_STRUCT);
    oi_thrift_begin_element(thrift);
}

void
oi_thrift_end(struct oi_thrift *thrift)
{
    oi_buffer_add_u8(thrift->out, 0);
    if (thrift->depth > 0)
        thrift->depth--;
}

void
oi_thrift_list(struct oi_thrift *thrift, int16_t id, enum oi_thrift_type type, size_t count)
{
    add_field(thrift, id, OI_THRIFT_LIST);
    if (count < 15) {
        oi_buffer_add_u8(thrift->out, (uint8_t) (count << 4 | (size_t) type));
        return;
    }
    oi_buffer_add_u8(thrift->out, (uint8_t) (0xF0 | (int) type));
    oi_buffer_add_varint(thrift->out, count);
}

void
oi_thrift_element_i32(struct oi_thrift *thrift, int32_t value)
{
    add_zigzag(thrift->out, value);
}

void
oi_thrift_element_binary(struct oi_thrift *thrift, struct oi_slice value)
{
    oi_buffer_add_varint(thrift->out, value.size);
    oi_buffer_add_slice(thrift->out, value);
}
