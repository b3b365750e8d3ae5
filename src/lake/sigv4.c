/* SPDX-License-Identifier: Apache-2.0 */
/* The canonical request, its hash in the string to sign, signed with a key derived for the day. */
#include "lake/sigv4.h"

#include "base/crypto.h"

#include <stdio.h>
#include <string.h>

/* Everything but letters, digits and "-._~". */
static void
encode(const char *text, struct oi_buffer *out)
{
    static const char digits[] = "0123456789ABCDEF";

    for (; *text; text++) {
        unsigned char byte = (unsigned char) *text;

        if ((byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
            (byte >= 'a' && byte <= 'z') || strchr("-._~", byte)) {
            oi_buffer_add_char(out, *text);
            continue;
        }
        oi_buffer_add_char(out, '%');
        oi_buffer_add_char(out, digits[byte >> 4]);
        oi_buffer_add_char(out, digits[byte & 15]);
    }
}

void
oi_sigv4_date(oi_time now, char text[OI_SIGV4_DATE_SIZE])
{
    struct oi_buffer iso = {};
    size_t size = 0;

    oi_time_write(now, 0, &iso);
    for (size_t i = 0; i < iso.size && size + 1 < OI_SIGV4_DATE_SIZE; i++)
        if (iso.data[i] != '-' && iso.data[i] != ':')
            text[size++] = iso.data[i];
    text[size] = '\0';
    oi_buffer_release(&iso);
}

static void
add_hash(struct oi_slice bytes, struct oi_buffer *out)
{
    uint8_t digest[OI_SHA256_SIZE];

    oi_sha256(bytes, digest);
    oi_hex((struct oi_slice){ (const char *) digest, sizeof(digest) }, out);
}

/* host has its place by the alphabet among the headers. */
static void
add_headers(const struct oi_sigv4_request *request, bool names_only, struct oi_buffer *out)
{
    bool has_host = false;

    for (size_t i = 0; i <= request->header_count; i++) {
        const struct oi_sigv4_header *header =
            i < request->header_count ? &request->headers[i] : NULL;

        if (!has_host && (!header || strcmp(header->name, "host") > 0)) {
            has_host = true;
            oi_buffer_add_text(out, "host");
            if (!names_only)
                oi_buffer_add_format(out, ":%s\n", request->host);
            else if (header)
                oi_buffer_add_char(out, ';');
        }
        if (!header)
            break;
        oi_buffer_add_text(out, header->name);
        if (!names_only)
            oi_buffer_add_format(out, ":%.*s\n", OI_SLICE_ARGS(oi_slice_trim(header->value)));
        else if (i + 1 < request->header_count || !has_host)
            oi_buffer_add_char(out, ';');
    }
}

/* "20130524/us-east-1/s3/aws4_request" */
static void
add_scope(const struct oi_sigv4_keys *keys, const char *date, struct oi_buffer *out)
{
    oi_buffer_add_format(out, "%.8s/%s/s3/aws4_request", date, keys->region);
}

static void
derive(const struct oi_sigv4_keys *keys, const char *date, uint8_t key[OI_SHA256_SIZE])
{
    const struct oi_slice derived = { (const char *) key, OI_SHA256_SIZE };
    struct oi_buffer secret = {};

    oi_buffer_add_format(&secret, "AWS4%s", keys->secret);
    oi_hmac_sha256(oi_buffer_slice(&secret), (struct oi_slice){ date, 8 }, key);
    memset(secret.data, 0, secret.size);
    oi_buffer_release(&secret);
    oi_hmac_sha256(derived, oi_slice_of(keys->region), key);
    oi_hmac_sha256(derived, OI_SLICE("s3"), key);
    oi_hmac_sha256(derived, OI_SLICE("aws4_request"), key);
}

static void
add_signature(const struct oi_sigv4_keys *keys, const struct oi_sigv4_request *request,
              const char *query, const char *date, struct oi_buffer *out)
{
    struct oi_buffer canonical = {}, text = {};
    uint8_t key[OI_SHA256_SIZE], signature[OI_SHA256_SIZE];

    oi_buffer_add_format(&canonical, "%s\n%s\n%s\n", request->method, request->path, query);
    add_headers(request, false, &canonical);
    oi_buffer_add_char(&canonical, '\n');
    add_headers(request, true, &canonical);
    oi_buffer_add_format(&canonical, "\n%s", request->payload_hash);
    oi_buffer_add_format(&text, "AWS4-HMAC-SHA256\n%s\n", date);
    add_scope(keys, date, &text);
    oi_buffer_add_char(&text, '\n');
    add_hash(oi_buffer_slice(&canonical), &text);
    derive(keys, date, key);
    oi_hmac_sha256((struct oi_slice){ (const char *) key, sizeof(key) }, oi_buffer_slice(&text),
                   signature);
    oi_hex((struct oi_slice){ (const char *) signature, sizeof(signature) }, out);
    oi_buffer_release(&canonical);
    oi_buffer_release(&text);
}

void
oi_sigv4_authorize(const struct oi_sigv4_keys *keys, const struct oi_sigv4_request *request,
                   oi_time now, struct oi_buffer *out)
{
    char date[OI_SIGV4_DATE_SIZE];

    oi_sigv4_date(now, date);
    oi_buffer_add_format(out, "AWS4-HMAC-SHA256 Credential=%s/", keys->access);
    add_scope(keys, date, out);
    oi_buffer_add_text(out, ",SignedHeaders=");
    add_headers(request, true, out);
    oi_buffer_add_text(out, ",Signature=");
    add_signature(keys, request, request->query, date, out);
}

void
oi_sigv4_presign(const struct oi_sigv4_keys *keys, const struct oi_sigv4_request *request,
                 oi_time now, unsigned life_s, struct oi_buffer *out)
{
    struct oi_buffer credential = {}, query = {}, names = {};
    char date[OI_SIGV4_DATE_SIZE];

    oi_sigv4_date(now, date);
    oi_buffer_add_format(&credential, "%s/", keys->access);
    add_scope(keys, date, &credential);
    oi_buffer_add_char(&credential, '\0');
    oi_buffer_add_text(&query, "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=");
    encode(credential.data, &query);
    oi_buffer_add_format(&query, "&X-Amz-Date=%s&X-Amz-Expires=%u", date, life_s);
    if (keys->session) {
        oi_buffer_add_text(&query, "&X-Amz-Security-Token=");
        encode(keys->session, &query);
    }
    oi_buffer_add_text(&query, "&X-Amz-SignedHeaders=");
    add_headers(request, true, &names);
    oi_buffer_add_char(&names, '\0');
    encode(names.data, &query);
    oi_buffer_add_slice(out, oi_buffer_slice(&query));
    oi_buffer_add_text(out, "&X-Amz-Signature=");
    oi_buffer_add_char(&query, '\0');
    add_signature(keys, request, query.data, date, out);
    oi_buffer_release(&credential);
    oi_buffer_release(&query);
    oi_buffer_release(&names);
}
