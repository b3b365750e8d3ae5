/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C against the vectors of RFC 3720 and against itself, one bit at a time. */
#include "base/crc32c.h"

#include "base/random.h"
#include "support/test.h"

#include <string.h>

static uint32_t
crc_by_bits(uint32_t crc, const unsigned char *bytes, size_t size)
{
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78 : 0);
    }
    return ~crc;
}

static void
agrees_with_the_published_vectors(void **)
{
    unsigned char bytes[32] = {};

    assert_int_equal(oi_crc32c(0, "123456789", 9), 0xE3069283);
    assert_int_equal(oi_crc32c(0, bytes, 32), 0x8A9136AA);
    memset(bytes, 0xFF, 32);
    assert_int_equal(oi_crc32c(0, bytes, 32), 0x62A8AB43);
    for (unsigned char i = 0; i < 32; i++)
        bytes[i] = i;
    assert_int_equal(oi_crc32c(0, bytes, 32), 0x46DD794E);
    assert_int_equal(oi_crc32c(0, NULL, 0), 0);
}

static void
processor_table_and_bits_agree(void **)
{
    unsigned char bytes[600];
    struct oi_random random;

    oi_random_init(&random, 9);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char) oi_random_next(&random);
    for (size_t size = 0; size < 300; size++) {
        size_t start = oi_random_below(&random, 300);
        uint32_t before = (uint32_t) oi_random_next(&random);
        uint32_t expected = crc_by_bits(before, bytes + start, size);

        assert_int_equal(oi_crc32c(before, bytes + start, size), expected);
        assert_int_equal(oi_crc32c_by_table(before, bytes + start, size), expected);
    }
}

/* Long input goes three stretches at a time. */
static void
long_input_agrees_too(void **)
{
    static unsigned char bytes[1 << 14];
    struct oi_random random;

    oi_random_init(&random, 10);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char) oi_random_next(&random);
    for (size_t size = 1500; size < sizeof(bytes); size += 1 + oi_random_below(&random, 200)) {
        size_t start = oi_random_below(&random, sizeof(bytes) - size);
        uint32_t before = (uint32_t) oi_random_next(&random);

        assert_int_equal(oi_crc32c(before, bytes + start, size),
                         oi_crc32c_by_table(before, bytes + start, size));
    }
}

static void
runs_over_several_pieces(void **)
{
    uint32_t crc = oi_crc32c(0, "1234", 4);

    assert_int_equal(oi_crc32c(crc, "56789", 5), 0xE3069283);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_published_vectors),
        cmocka_unit_test(processor_table_and_bits_agree),
        cmocka_unit_test(long_input_agrees_too),
        cmocka_unit_test(runs_over_several_pieces),
    };
    return cmocka_run_group_tests_name("base/crc32c", tests, NULL, NULL);
}
