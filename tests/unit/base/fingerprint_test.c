/* SPDX-License-Identifier: Apache-2.0 */
/* Fingerprints against xxHash's published values, and what is read from them. */
#include "base/fingerprint.h"

#include "base/buffer.h"
#include "base/crypto.h"
#include "support/test.h"

static void
assert_hex(const uint8_t fingerprint[OI_FINGERPRINT_SIZE], const char *expected)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer text = {};

    oi_hex((struct oi_slice){ (const char *) fingerprint, OI_FINGERPRINT_SIZE }, &text);
    oi_buffer_add_char(&text, '\0');
    assert_string_equal(text.data, expected);
}

static void
the_hash_is_xxhashs_whatever_the_pieces(void **)
{
    uint8_t whole[OI_FINGERPRINT_SIZE];
    struct oi_fingerprint_stream *stream = oi_fingerprint_begin();

    oi_fingerprint_finish(&stream, whole);
    assert_null(stream);
    assert_hex(whole, "99aa06d3014798d86001c324468d497f"
                      "0000000000000000"
                      "787868332d313238");
    stream = oi_fingerprint_begin();
    oi_fingerprint_add(stream, OI_SLICE("a"));
    oi_fingerprint_add(stream, (struct oi_slice){});
    oi_fingerprint_add(stream, OI_SLICE("bc"));
    oi_fingerprint_finish(&stream, whole);
    assert_hex(whole, "06b05ab6733a618578af5f94892f3950"
                      "0300000000000000"
                      "787868332d313238");
    oi_fingerprint_of(OI_SLICE("abc"), whole);
    assert_hex(whole, "06b05ab6733a618578af5f94892f3950"
                      "0300000000000000"
                      "787868332d313238");
}

static void
a_stream_may_be_given_up(void **)
{
    struct oi_fingerprint_stream *stream = oi_fingerprint_begin();

    oi_fingerprint_abandon(&stream);
    assert_null(stream);
    oi_fingerprint_abandon(&stream);
}

static void
it_tells_its_size_and_its_kind(void **)
{
    uint8_t of_bytes[OI_FINGERPRINT_SIZE], of_facts[OI_FINGERPRINT_SIZE];
    uint8_t sha256[OI_SHA256_SIZE];
    struct oi_fingerprint_stream *stream = oi_fingerprint_begin();
    uint64_t size = 7;

    oi_fingerprint_add(stream, OI_SLICE("abc"));
    oi_fingerprint_finish(&stream, of_bytes);
    oi_fingerprint_of_facts(OI_SLICE("abc"), of_facts);
    oi_sha256(OI_SLICE("abc"), sha256);
    assert_false(oi_fingerprint_size(of_facts, &size));
    assert_false(oi_fingerprint_size(sha256, &size));
    assert_int_equal(size, 7);
    assert_true(oi_fingerprint_size(of_bytes, &size));
    assert_int_equal(size, 3);
    assert_true(oi_fingerprint_is_one(of_bytes));
    assert_true(oi_fingerprint_is_one(of_facts));
    assert_false(oi_fingerprint_is_one(sha256));
    assert_memory_not_equal(of_bytes, of_facts, OI_FINGERPRINT_SIZE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_is_xxhashs_whatever_the_pieces),
        cmocka_unit_test(a_stream_may_be_given_up),
        cmocka_unit_test(it_tells_its_size_and_its_kind),
    };

    return cmocka_run_group_tests_name("base/fingerprint", tests, NULL, NULL);
}
