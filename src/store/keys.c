/* SPDX-License-Identifier: Apache-2.0 */
/* Big-endian keys and sealed values. */
#include "store/keys.h"

#include "base/crc32c.h"

#include <string.h>

const char *const oi_table_names[OI_TABLE_COUNT] = {
#define OI_TABLE_ITEM(name, text) [OI_TABLE_##name] = text,
    OI_TABLE_LIST(OI_TABLE_ITEM)
#undef OI_TABLE_ITEM
};

struct oi_slice
oi_key_slice(const struct oi_key *key)
{
    return (struct oi_slice){ key->bytes, key->size };
}

static void
add_big_endian(struct oi_key *key, uint64_t value, size_t size)
{
    oi_assert(key->size + size <= OI_KEY_SIZE_MAX);
    for (size_t i = 0; i < size; i++)
        key->bytes[key->size + i] = (char) (unsigned char) (value >> (8 * (size - 1 - i)));
    key->size += size;
}

void
oi_key_add_u8(struct oi_key *key, uint8_t value)
{
    add_big_endian(key, value, 1);
}

void
oi_key_add_u16(struct oi_key *key, uint16_t value)
{
    add_big_endian(key, value, 2);
}

void
oi_key_add_u32(struct oi_key *key, uint32_t value)
{
    add_big_endian(key, value, 4);
}

void
oi_key_add_u64(struct oi_key *key, uint64_t value)
{
    add_big_endian(key, value, 8);
}

void
oi_key_add_time(struct oi_key *key, oi_time time)
{
    add_big_endian(key, (uint64_t) time ^ (UINT64_C(1) << 63), 8);
}

void
oi_key_add_text(struct oi_key *key, const char *text)
{
    size_t size = strlen(text) + 1;

    oi_assert(key->size + size <= OI_KEY_SIZE_MAX);
    memcpy(key->bytes + key->size, text, size);
    key->size += size;
}

struct oi_key
oi_key_of_u32(uint32_t value)
{
    struct oi_key key = {};

    oi_key_add_u32(&key, value);
    return key;
}

struct oi_key
oi_key_of_u64(uint64_t value)
{
    struct oi_key key = {};

    oi_key_add_u64(&key, value);
    return key;
}

struct oi_key
oi_key_of_chunk(uint32_t series, oi_time first_time)
{
    struct oi_key key = {};

    oi_key_add_u32(&key, series);
    oi_key_add_time(&key, first_time);
    return key;
}

struct oi_key
oi_key_of_rollup(uint32_t series, uint8_t kind, oi_time start)
{
    struct oi_key key = {};

    oi_key_add_u32(&key, series);
    oi_key_add_u8(&key, kind);
    oi_key_add_time(&key, start);
    return key;
}

static uint64_t
take_big_endian(struct oi_slice *key, size_t size)
{
    uint64_t value = 0;

    if (key->size < size) {
        *key = (struct oi_slice){};
        return 0;
    }
    for (size_t i = 0; i < size; i++)
        value = value << 8 | (unsigned char) key->data[i];
    key->data += size;
    key->size -= size;
    return value;
}

uint16_t
oi_key_take_u16(struct oi_slice *key)
{
    return (uint16_t) take_big_endian(key, 2);
}

uint32_t
oi_key_take_u32(struct oi_slice *key)
{
    return (uint32_t) take_big_endian(key, 4);
}

uint64_t
oi_key_take_u64(struct oi_slice *key)
{
    return take_big_endian(key, 8);
}

oi_time
oi_key_take_time(struct oi_slice *key)
{
    return (oi_time) (take_big_endian(key, 8) ^ (UINT64_C(1) << 63));
}

static uint32_t
checksum(enum oi_table table, struct oi_slice key, const char *bytes, size_t size)
{
    const char *name = oi_table_names[table];
    uint32_t crc = oi_crc32c(0, name, strlen(name) + 1);

    crc = oi_crc32c(crc, key.data, key.size);
    return oi_crc32c(crc, bytes, size);
}

/* Rollups of version 1 were of whole rows; they are read as those of version 2. */
static uint8_t
newest_version(enum oi_table table)
{
    return table == OI_TABLE_ROLLUP ? 2 : OI_SEAL_VERSION;
}

void
oi_seal_begin_newest(enum oi_table table, struct oi_buffer *out)
{
    oi_buffer_clear(out);
    oi_buffer_add_u8(out, newest_version(table));
}

void
oi_seal_begin(struct oi_buffer *out)
{
    oi_buffer_clear(out);
    oi_buffer_add_u8(out, OI_SEAL_VERSION);
}

void
oi_seal_end(enum oi_table table, struct oi_slice key, struct oi_buffer *out)
{
    oi_buffer_add_u32(out, checksum(table, key, out->data, out->size));
    oi_assert(!out->overflowed);
}

enum oi_status
oi_seal_open(enum oi_table table, struct oi_slice key, struct oi_slice value,
             struct oi_slice *ret_body, struct oi_error *error)
{
    struct oi_cursor cursor;

    if (value.size < 5)
        return oi_fail(error, OI_E_CORRUPT, "a value of table %s is cut short",
                       oi_table_names[table]);
    cursor = oi_cursor_over((struct oi_slice){ value.data + value.size - 4, 4 });
    if (oi_cursor_u32(&cursor) != checksum(table, key, value.data, value.size - 4))
        return oi_fail(error, OI_E_CORRUPT, "a value of table %s has a wrong checksum",
                       oi_table_names[table]);
    if ((unsigned char) value.data[0] > newest_version(table) || value.data[0] == 0)
        return oi_fail(error, OI_E_INVALID, "a value of table %s has format %d, newer than ours",
                       oi_table_names[table], (unsigned char) value.data[0]);
    *ret_body = (struct oi_slice){ value.data + 1, value.size - 5 };
    return OI_OK;
}
