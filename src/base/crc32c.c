/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC-32C two ways: the processor's instruction where there is one, else eight table look-ups for
 * eight bytes at a time ("slicing by 8", Kounavis and Berry, 2005). The instruction takes three
 * cycles and can be begun in each, so of long input three stretches go side by side.
 */
#include "base/crc32c.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#include <wmmintrin.h>
#endif

/* A CRC is linear, so each table of 256 follows from its entries for the eight single bits. */
#define ENTRY(n, b0, b1, b2, b3, b4, b5, b6, b7)                                                   \
    (((n) &1 ? b0 : 0) ^ ((n) &2 ? b1 : 0) ^ ((n) &4 ? b2 : 0) ^ ((n) &8 ? b3 : 0) ^               \
     ((n) &16 ? b4 : 0) ^ ((n) &32 ? b5 : 0) ^ ((n) &64 ? b6 : 0) ^ ((n) &128 ? b7 : 0))
#define ENTRIES_4(n, ...)                                                                          \
    ENTRY(n, __VA_ARGS__), ENTRY((n) + 1, __VA_ARGS__), ENTRY((n) + 2, __VA_ARGS__),               \
        ENTRY((n) + 3, __VA_ARGS__)
#define ENTRIES_16(n, ...)                                                                         \
    ENTRIES_4(n, __VA_ARGS__), ENTRIES_4((n) + 4, __VA_ARGS__), ENTRIES_4((n) + 8, __VA_ARGS__),   \
        ENTRIES_4((n) + 12, __VA_ARGS__)
#define ENTRIES_64(n, ...)                                                                         \
    ENTRIES_16(n, __VA_ARGS__), ENTRIES_16((n) + 16, __VA_ARGS__),                                 \
        ENTRIES_16((n) + 32, __VA_ARGS__), ENTRIES_16((n) + 48, __VA_ARGS__)
#define ROW(...)                                                                                   \
    {                                                                                              \
        ENTRIES_64(0, __VA_ARGS__), ENTRIES_64(64, __VA_ARGS__), ENTRIES_64(128, __VA_ARGS__),     \
            ENTRIES_64(192, __VA_ARGS__)                                                           \
    }

/* table[k][n]: the CRC of byte n followed by k zero bytes; polynomial 0x1EDC6F41, reflected. */
static const uint32_t table[8][256] = {
    ROW(0xF26B8303, 0xE13B70F7, 0xC79A971F, 0x8AD958CF, 0x105EC76F, 0x20BD8EDE, 0x417B1DBC,
        0x82F63B78),
    ROW(0x13A29877, 0x274530EE, 0x4E8A61DC, 0x9D14C3B8, 0x3FC5F181, 0x7F8BE302, 0xFF17C604,
        0xFBC3FAF9),
    ROW(0xA541927E, 0x4F6F520D, 0x9EDEA41A, 0x38513EC5, 0x70A27D8A, 0xE144FB14, 0xC76580D9,
        0x8B277743),
    ROW(0xDD45AAB8, 0xBF672381, 0x7B2231F3, 0xF64463E6, 0xE964B13D, 0xD725148B, 0xABA65FE7,
        0x52A0C93F),
    ROW(0x38116FAC, 0x7022DF58, 0xE045BEB0, 0xC5670B91, 0x8F2261D3, 0x1BA8B557, 0x37516AAE,
        0x6EA2D55C),
    ROW(0xEF306B19, 0xDB8CA0C3, 0xB2F53777, 0x6006181F, 0xC00C303E, 0x85F4168D, 0x0E045BEB,
        0x1C08B7D6),
    ROW(0x68032CC8, 0xD0065990, 0xA5E0C5D1, 0x4E2DFD53, 0x9C5BFAA6, 0x3D5B83BD, 0x7AB7077A,
        0xF56E0EF4),
    ROW(0x493C7D27, 0x9278FA4E, 0x211D826D, 0x423B04DA, 0x847609B4, 0x0D006599, 0x1A00CB32,
        0x34019664),
};

static uint32_t
crc_by_table(uint32_t crc, const unsigned char *bytes, size_t size)
{
    for (; size >= 8; bytes += 8, size -= 8) {
        crc ^= (uint32_t) bytes[0] | (uint32_t) bytes[1] << 8 | (uint32_t) bytes[2] << 16 |
               (uint32_t) bytes[3] << 24;
        crc = table[7][crc & 0xFF] ^ table[6][crc >> 8 & 0xFF] ^ table[5][crc >> 16 & 0xFF] ^
              table[4][crc >> 24] ^ table[3][bytes[4]] ^ table[2][bytes[5]] ^ table[1][bytes[6]] ^
              table[0][bytes[7]];
    }
    for (; size > 0; bytes++, size--)
        crc = crc >> 8 ^ table[0][(crc ^ *bytes) & 0xFF];
    return crc;
}

uint32_t
oi_crc32c_by_table(uint32_t crc, const void *bytes, size_t size)
{
    return ~crc_by_table(~crc, bytes, size);
}

#if defined(__x86_64__)

/* A stretch of those that go side by side. */
#define STRETCH 512
/* x^(8 * n - 33) modulo the polynomial, reflected, for n of one stretch and of two: a CRC times
 * that is the CRC with as many zero bytes behind it, once the instruction has multiplied by x^32
 * and the carry-less product of reflected factors has been one bit off. */
#define BEHIND_ONE UINT64_C(0xDD7E3B0C)
#define BEHIND_TWO UINT64_C(0x170076FA)

__attribute__((target("sse4.2"))) static inline uint64_t
take_word(uint64_t crc, const unsigned char *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof(word));
    return _mm_crc32_u64(crc, word);
}

__attribute__((target("sse4.2,pclmul"))) static inline uint64_t
put_behind(uint64_t crc, uint64_t zeros)
{
    __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t) crc),
                                           _mm_cvtsi64_si128((int64_t) zeros), 0);

    return _mm_crc32_u64(0, (uint64_t) _mm_cvtsi128_si64(product));
}

__attribute__((target("sse4.2,pclmul"))) static uint32_t
crc_side_by_side(uint32_t crc, const unsigned char *bytes, size_t count)
{
    uint64_t first = crc;

    for (; count > 0; count--, bytes += 3 * STRETCH) {
        uint64_t second = 0, third = 0;

        for (size_t at = 0; at < STRETCH; at += sizeof(uint64_t)) {
            first = take_word(first, bytes + at);
            second = take_word(second, bytes + STRETCH + at);
            third = take_word(third, bytes + 2 * STRETCH + at);
        }
        first = put_behind(first, BEHIND_TWO) ^ put_behind(second, BEHIND_ONE) ^ third;
    }
    return (uint32_t) first;
}

__attribute__((target("sse4.2"))) static uint32_t
crc_by_processor(uint32_t crc, const unsigned char *bytes, size_t size)
{
    uint64_t wide = crc;

    for (; size >= 8; bytes += 8, size -= 8)
        wide = take_word(wide, bytes);
    crc = (uint32_t) wide;
    for (; size > 0; bytes++, size--)
        crc = _mm_crc32_u8(crc, *bytes);
    return crc;
}

uint32_t
oi_crc32c(uint32_t crc, const void *bytes, size_t size)
{
    if (__builtin_cpu_supports("sse4.2")) {
        size_t count = __builtin_cpu_supports("pclmul") ? size / (3 * STRETCH) : 0;

        crc = count ? crc_side_by_side(~crc, bytes, count) : ~crc;
        if (count)
            bytes = (const unsigned char *) bytes + count * 3 * STRETCH;
        return ~crc_by_processor(crc, bytes, size - count * 3 * STRETCH);
    }
    return oi_crc32c_by_table(crc, bytes, size);
}

#else

uint32_t
oi_crc32c(uint32_t crc, const void *bytes, size_t size)
{
    return oi_crc32c_by_table(crc, bytes, size);
}

#endif
