/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes and signatures over OpenSSL; hexadecimal and base64 by hand, as they are few lines. */
#include "base/crypto.h"

#include "base/alloc.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

struct oi_sha256_stream {
    EVP_MD_CTX *context;
};

static void
digest_of(const EVP_MD *method, struct oi_slice bytes, uint8_t *ret_digest)
{
    int done = EVP_Digest(bytes.data, bytes.size, ret_digest, NULL, method, NULL);

    oi_assert(done == 1);
}

void
oi_sha256(struct oi_slice bytes, uint8_t ret_digest[OI_SHA256_SIZE])
{
    digest_of(EVP_sha256(), bytes, ret_digest);
}

void
oi_sha1(struct oi_slice bytes, uint8_t ret_digest[20])
{
    digest_of(EVP_sha1(), bytes, ret_digest);
}

struct oi_sha256_stream *
oi_sha256_begin(void)
{
    struct oi_sha256_stream *stream = oi_alloc_zero(1, sizeof(*stream));
    int done;

    stream->context = EVP_MD_CTX_new();
    oi_assert(stream->context);
    done = EVP_DigestInit_ex(stream->context, EVP_sha256(), NULL);
    oi_assert(done == 1);
    return stream;
}

void
oi_sha256_add(struct oi_sha256_stream *stream, struct oi_slice piece)
{
    int done = EVP_DigestUpdate(stream->context, piece.data, piece.size);

    oi_assert(done == 1);
}

void
oi_sha256_finish(struct oi_sha256_stream **stream, uint8_t ret_digest[OI_SHA256_SIZE])
{
    int done = EVP_DigestFinal_ex((*stream)->context, ret_digest, NULL);

    oi_assert(done == 1);
    oi_sha256_abandon(stream);
}

void
oi_sha256_abandon(struct oi_sha256_stream **stream)
{
    if (!*stream)
        return;
    EVP_MD_CTX_free((*stream)->context);
    oi_free(*stream);
    *stream = NULL;
}

void
oi_hmac_sha256(struct oi_slice key, struct oi_slice message, uint8_t ret_digest[OI_SHA256_SIZE])
{
    const unsigned char *done;

    oi_assert(key.size <= INT_MAX);
    /* A NULL key would mean "the key of last time". */
    done = HMAC(EVP_sha256(), key.data ? key.data : "", (int) key.size,
                (const unsigned char *) message.data, message.size, ret_digest, NULL);
    oi_assert(done);
}

bool
oi_equal_in_constant_time(struct oi_slice a, struct oi_slice b)
{
    return a.size == b.size && (a.size == 0 || CRYPTO_memcmp(a.data, b.data, a.size) == 0);
}

void
oi_hex(struct oi_slice bytes, struct oi_buffer *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < bytes.size; i++) {
        unsigned char byte = (unsigned char) bytes.data[i];

        oi_buffer_add_char(out, digits[byte >> 4]);
        oi_buffer_add_char(out, digits[byte & 15]);
    }
}

enum oi_status
oi_unhex(struct oi_slice text, struct oi_buffer *out, struct oi_error *error)
{
    if (text.size % 2 != 0)
        return oi_fail(error, OI_E_INVALID, "an odd count of hexadecimal digits");
    for (size_t i = 0; i < text.size; i += 2) {
        int high = oi_hex_value(text.data[i]);
        int low = oi_hex_value(text.data[i + 1]);

        if (high < 0 || low < 0)
            return oi_fail(error, OI_E_INVALID, "not a hexadecimal digit");
        oi_buffer_add_u8(out, (uint8_t) (high << 4 | low));
    }
    return OI_OK;
}

static void
encode_base64(struct oi_slice bytes, const char alphabet[static 64], bool is_padded,
              struct oi_buffer *out)
{
    const unsigned char *at = (const unsigned char *) bytes.data;

    for (size_t left = bytes.size; left > 0;) {
        size_t taken = left < 3 ? left : 3;
        uint32_t group = (uint32_t) at[0] << 16;
        char four[4] = { 0, 0, '=', '=' };

        if (taken > 1)
            group |= (uint32_t) at[1] << 8;
        if (taken > 2)
            group |= at[2];
        for (size_t i = 0; i <= taken; i++)
            four[i] = alphabet[group >> (18 - 6 * i) & 63];
        oi_buffer_add(out, four, is_padded ? 4 : taken + 1);
        at += taken;
        left -= taken;
    }
}

void
oi_base64(struct oi_slice bytes, struct oi_buffer *out)
{
    encode_base64(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true,
                  out);
}

void
oi_base64url(struct oi_slice bytes, struct oi_buffer *out)
{
    encode_base64(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false,
                  out);
}

/* 0 to 63, or -1. */
static int
base64_value(char character)
{
    if (character >= 'A' && character <= 'Z')
        return character - 'A';
    if (character >= 'a' && character <= 'z')
        return character - 'a' + 26;
    if (character >= '0' && character <= '9')
        return character - '0' + 52;
    if (character == '+' || character == '-')
        return 62;
    if (character == '/' || character == '_')
        return 63;
    return -1;
}

enum oi_status
oi_unbase64(struct oi_slice text, struct oi_buffer *out, struct oi_error *error)
{
    size_t padding = 0;
    uint32_t bits = 0;
    unsigned bit_count = 0;

    while (padding < 2 && text.size > 0 && text.data[text.size - 1] == '=') {
        text.size--;
        padding++;
    }
    if (text.size % 4 == 1 || (padding > 0 && (text.size + padding) % 4 != 0))
        return oi_fail(error, OI_E_INVALID, "a base64 text of the wrong length");
    for (size_t i = 0; i < text.size; i++) {
        int value = base64_value(text.data[i]);

        if (value < 0)
            return oi_fail(error, OI_E_INVALID, "not a base64 character");
        bits = bits << 6 | (uint32_t) value;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            oi_buffer_add_u8(out, (uint8_t) (bits >> bit_count));
        }
    }
    /* Bits without a byte must be zero, or two texts would mean the same bytes. */
    if ((bits & ((1U << bit_count) - 1)) != 0)
        return oi_fail(error, OI_E_INVALID, "a base64 text with bits left over");
    return OI_OK;
}
