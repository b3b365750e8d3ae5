/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes against published vectors, spellings against RFC 4648. */
#include "base/crypto.h"

#include "base/random.h"
#include "support/test.h"

static void
assert_hex(const uint8_t *digest, size_t size, const char *expected)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer text = {};

    oi_hex((struct oi_slice){ (const char *) digest, size }, &text);
    oi_buffer_add_char(&text, '\0');
    assert_string_equal(text.data, expected);
}

static void
hashes_agree_with_published_vectors(void **)
{
    uint8_t digest[OI_SHA256_SIZE];

    oi_sha256(OI_SLICE("abc"), digest);
    assert_hex(digest, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    oi_sha256((struct oi_slice){}, digest);
    assert_hex(digest, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    oi_sha1(OI_SLICE("abc"), digest);
    assert_hex(digest, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
}

static void
a_hash_over_pieces_is_the_hash_of_the_whole(void **)
{
    struct oi_sha256_stream *stream = oi_sha256_begin();
    uint8_t digest[OI_SHA256_SIZE];

    oi_sha256_add(stream, OI_SLICE("a"));
    oi_sha256_add(stream, (struct oi_slice){});
    oi_sha256_add(stream, OI_SLICE("bc"));
    oi_sha256_finish(&stream, digest);
    assert_null(stream);
    assert_hex(digest, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    stream = oi_sha256_begin();
    oi_sha256_abandon(&stream);
    oi_sha256_abandon(&stream);
    assert_null(stream);
}

static void
signatures_agree_with_rfc_4231(void **)
{
    uint8_t digest[OI_SHA256_SIZE];

    oi_hmac_sha256(OI_SLICE("Jefe"), OI_SLICE("what do ya want for nothing?"), digest);
    assert_hex(digest, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    oi_hmac_sha256((struct oi_slice){}, (struct oi_slice){}, digest);
    assert_hex(digest, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void
secrets_compare_by_size_and_content(void **)
{
    assert_true(oi_equal_in_constant_time(OI_SLICE("abc"), OI_SLICE("abc")));
    assert_false(oi_equal_in_constant_time(OI_SLICE("abc"), OI_SLICE("abd")));
    assert_false(oi_equal_in_constant_time(OI_SLICE("abc"), OI_SLICE("ab")));
    assert_true(oi_equal_in_constant_time((struct oi_slice){}, OI_SLICE("")));
}

static void
base64_agrees_with_rfc_4648(void **)
{
    static const char *const pairs[][2] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
    };

    for (size_t i = 0; i < OI_COUNT(pairs); i++) {
        OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};
        OI_CLEANUP(oi_buffer_release) struct oi_buffer back = {};

        oi_base64(oi_slice_of(pairs[i][0]), &out);
        assert_true(oi_slice_is(oi_buffer_slice(&out), pairs[i][1]));
        assert_ok(oi_unbase64(oi_buffer_slice(&out), &back, NULL));
        assert_true(oi_slice_is(oi_buffer_slice(&back), pairs[i][0]));
    }
}

static void
the_url_alphabet_has_no_padding(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};

    oi_base64url(OI_SLICE("\xFB\xFF\xFE\xFF"), &out);
    assert_true(oi_slice_is(oi_buffer_slice(&out), "-__-_w"));
}

static void
spellings_read_back(void **)
{
    struct oi_random random;

    print_message("seed 4\n");
    oi_random_init(&random, 4);
    for (size_t size = 0; size < 100; size++) {
        OI_CLEANUP(oi_buffer_release) struct oi_buffer bytes = {};
        OI_CLEANUP(oi_buffer_release) struct oi_buffer text = {};
        OI_CLEANUP(oi_buffer_release) struct oi_buffer back = {};

        for (size_t i = 0; i < size; i++)
            oi_buffer_add_u8(&bytes, (uint8_t) oi_random_next(&random));
        oi_base64url(oi_buffer_slice(&bytes), &text);
        assert_ok(oi_unbase64(oi_buffer_slice(&text), &back, NULL));
        assert_true(oi_slice_equal(oi_buffer_slice(&back), oi_buffer_slice(&bytes)));
        oi_buffer_clear(&text);
        oi_buffer_clear(&back);
        oi_hex(oi_buffer_slice(&bytes), &text);
        assert_ok(oi_unhex(oi_buffer_slice(&text), &back, NULL));
        assert_true(oi_slice_equal(oi_buffer_slice(&back), oi_buffer_slice(&bytes)));
    }
}

static void
malformed_spellings_are_refused(void **)
{
    static const char *const bad_base64[] = { "A",    "AAAAA", "A===", "AA=",
                                              "A*==", "=AAA",  "Zh==", "AAAA====" };
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};

    for (size_t i = 0; i < OI_COUNT(bad_base64); i++)
        assert_status(oi_unbase64(oi_slice_of(bad_base64[i]), &out, NULL), OI_E_INVALID);
    assert_status(oi_unhex(OI_SLICE("abc"), &out, NULL), OI_E_INVALID);
    assert_status(oi_unhex(OI_SLICE("0g"), &out, NULL), OI_E_INVALID);
    assert_ok(oi_unhex(OI_SLICE("Ff"), &out, NULL));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_agree_with_published_vectors),
        cmocka_unit_test(a_hash_over_pieces_is_the_hash_of_the_whole),
        cmocka_unit_test(signatures_agree_with_rfc_4231),
        cmocka_unit_test(secrets_compare_by_size_and_content),
        cmocka_unit_test(base64_agrees_with_rfc_4648),
        cmocka_unit_test(the_url_alphabet_has_no_padding),
        cmocka_unit_test(spellings_read_back),
        cmocka_unit_test(malformed_spellings_are_refused),
    };
    return cmocka_run_group_tests_name("base/crypto", tests, NULL, NULL);
}
