/* SPDX-License-Identifier: Apache-2.0 */
/* AWS's own examples: "Authenticating Requests" of the S3 API reference. */
#include "lake/sigv4.h"

#include <string.h>

#include "support/test.h"

#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HOST "examplebucket.s3.amazonaws.com"

static const struct oi_sigv4_keys keys = { .access = "AKIAIOSFODNN7EXAMPLE",
                                           .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                           .region = "us-east-1" };
/* 2013-05-24T00:00:00Z */
#define NOW (INT64_C(1'369'353'600) * OI_SECOND)

static void
assert_ends(const struct oi_buffer *out, const char *signature)
{
    assert_true(oi_slice_ends_with(oi_buffer_slice(out), signature));
}

static void
a_presigned_get(void **)
{
    const struct oi_sigv4_request request = { .method = "GET",
                                              .host = HOST,
                                              .path = "/test.txt",
                                              .query = "",
                                              .payload_hash = "UNSIGNED-PAYLOAD" };
    struct oi_buffer out = {};

    oi_sigv4_presign(&keys, &request, NOW, 86'400, &out);
    oi_buffer_add_char(&out, '\0');
    assert_string_equal(
        out.data,
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
        "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400"
        "&X-Amz-SignedHeaders=host&X-Amz-Signature="
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
    oi_buffer_release(&out);
}

static void
a_get_of_a_range(void **)
{
    const struct oi_sigv4_header headers[] = {
        { "range", OI_SLICE("bytes=0-9") },
        { "x-amz-content-sha256", OI_SLICE(EMPTY_HASH) },
        { "x-amz-date", OI_SLICE("20130524T000000Z") },
    };
    const struct oi_sigv4_request request = {
        "GET", HOST, "/test.txt", "", headers, 3, EMPTY_HASH
    };
    struct oi_buffer out = {};

    oi_sigv4_authorize(&keys, &request, NOW, &out);
    oi_buffer_add_char(&out, '\0');
    assert_string_equal(
        out.data,
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    oi_buffer_release(&out);
}

static void
a_put(void **)
{
    static const char hash[] = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    const struct oi_sigv4_header headers[] = {
        { "date", OI_SLICE("Fri, 24 May 2013 00:00:00 GMT") },
        { "x-amz-content-sha256", oi_slice_of(hash) },
        { "x-amz-date", OI_SLICE("20130524T000000Z") },
        { "x-amz-storage-class", OI_SLICE("REDUCED_REDUNDANCY") },
    };
    const struct oi_sigv4_request request = {
        "PUT", HOST, "/test%24file.text", "", headers, 4, hash
    };
    struct oi_buffer out = {};

    oi_sigv4_authorize(&keys, &request, NOW, &out);
    assert_non_null(memmem(out.data, out.size,
                           "=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,", 63));
    assert_ends(&out, "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
    oi_buffer_release(&out);
}

static void
gets_with_a_query(void **)
{
    static const struct {
        const char *query, *signature;
    } examples[] = {
        { "lifecycle=", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543" },
        { "max-keys=2&prefix=J",
          "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7" },
    };
    const struct oi_sigv4_header headers[] = {
        { "x-amz-content-sha256", OI_SLICE(EMPTY_HASH) },
        { "x-amz-date", OI_SLICE("20130524T000000Z") },
    };

    for (size_t i = 0; i < OI_COUNT(examples); i++) {
        const struct oi_sigv4_request request = { "GET",   HOST, "/",       examples[i].query,
                                                  headers, 2,    EMPTY_HASH };
        struct oi_buffer out = {};

        oi_sigv4_authorize(&keys, &request, NOW, &out);
        assert_ends(&out, examples[i].signature);
        oi_buffer_release(&out);
    }
}

static void
a_session_is_part_of_a_link(void **)
{
    const struct oi_sigv4_keys temporary = { keys.access, keys.secret, "a/b=", keys.region };
    const struct oi_sigv4_request request = { .method = "GET",
                                              .host = HOST,
                                              .path = "/test.txt",
                                              .query = "",
                                              .payload_hash = "UNSIGNED-PAYLOAD" };
    struct oi_buffer out = {};

    oi_sigv4_presign(&temporary, &request, NOW, 60, &out);
    assert_non_null(memmem(out.data, out.size, "&X-Amz-Security-Token=a%2Fb%3D&X-Amz-S", 38));
    assert_null(memmem(out.data, out.size, "wJalr", 5));
    oi_buffer_release(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_presigned_get),
        cmocka_unit_test(a_get_of_a_range),
        cmocka_unit_test(a_put),
        cmocka_unit_test(gets_with_a_query),
        cmocka_unit_test(a_session_is_part_of_a_link),
    };

    return cmocka_run_group_tests_name("lake/sigv4", tests, NULL, NULL);
}
