/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: sockets; tests/system/lake.test.mjs puts files into a server that is not ours */
/*
 * Four verbs of S3, each request signed anew for each try. An object carries the hash of its bytes,
 * so that putting it again is a question first; one in parts is there when its parts are joined, or
 * not at all.
 */
#include "lake/s3.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/vector.h"
#include "net/http_client.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PART_DEFAULT ((size_t) 16 << 20)
#define TRIES 5
/* Of a whole request: 16 MiB over a slow line. */
#define TIMEOUT_MS 120'000
#define REPLY_SIZE_MAX ((size_t) 1 << 20)
#define HASH_HEADER "x-amz-meta-oi-sha256"
#define HEX_SIZE (2 * OI_SHA256_SIZE + 1)
/* Amazon's most. */
#define PARTS_MAX 10'000

struct oi_s3 {
    struct oi_arena arena;
    struct oi_sigv4_keys keys;
    const char *origin; /* "https://bucket.s3.eu-central-1.amazonaws.com" */
    const char *host;
    const char *base; /* before an object's key: "/" or "/bucket/prefix/" */
    size_t part_size;
    struct oi_loop *loop;
    struct oi_http_client *client;
    struct oi_timer *timer;
    atomic_bool is_cancelled;
};

/*
 * Opening.
 */

static bool
is_plain(struct oi_slice text, const char *more)
{
    for (size_t i = 0; i < text.size; i++) {
        char at = text.data[i];

        if (!(at >= '0' && at <= '9') && !(at >= 'a' && at <= 'z') && !(at >= 'A' && at <= 'Z') &&
            !strchr(more, at))
            return false;
    }
    return true;
}

static enum oi_status
read_setting(struct oi_s3 *s3, struct oi_slice setting, struct oi_slice *endpoint,
             struct oi_slice *region, struct oi_error *error)
{
    const char *equals = setting.size > 0 ? memchr(setting.data, '=', setting.size) : NULL;
    struct oi_slice name = { setting.data, equals ? (size_t) (equals - setting.data) : 0 };
    struct oi_slice value = { equals ? equals + 1 : NULL,
                              equals ? setting.size - name.size - 1 : 0 };

    if (oi_slice_is(name, "endpoint") &&
        (oi_slice_starts_with(value, "https://") || oi_slice_starts_with(value, "http://"))) {
        while (value.size > 0 && value.data[value.size - 1] == '/')
            value.size--;
        *endpoint = value;
        return OI_OK;
    }
    if (oi_slice_is(name, "region") && value.size > 0 && is_plain(value, "-")) {
        *region = value;
        return OI_OK;
    }
    if (oi_slice_is(name, "part") && value.size > 0 && value.size < 12 && is_plain(value, "")) {
        s3->part_size = (size_t) strtoull(oi_arena_copy(&s3->arena, value), NULL, 10);
        if (s3->part_size > 0)
            return OI_OK;
    }
    return oi_fail(error, OI_E_INVALID, "a bucket's settings are endpoint, region, part; not %.*s",
                   OI_SLICE_ARGS(setting));
}

static void
place(struct oi_s3 *s3, struct oi_slice bucket, struct oi_slice prefix, struct oi_slice endpoint)
{
    struct oi_buffer text = {};

    if (endpoint.size > 0)
        oi_buffer_add_slice(&text, endpoint);
    else
        oi_buffer_add_format(&text, "https://%.*s.s3.%s.amazonaws.com", OI_SLICE_ARGS(bucket),
                             s3->keys.region);
    s3->origin = oi_arena_copy(&s3->arena, oi_buffer_slice(&text));
    s3->host = strstr(s3->origin, "://") + 3;
    oi_buffer_clear(&text);
    oi_buffer_add_char(&text, '/');
    if (endpoint.size > 0)
        oi_buffer_add_format(&text, "%.*s/", OI_SLICE_ARGS(bucket));
    if (prefix.size > 0)
        oi_buffer_add_format(&text, "%.*s/", OI_SLICE_ARGS(prefix));
    s3->base = oi_arena_copy(&s3->arena, oi_buffer_slice(&text));
    oi_buffer_release(&text);
}

static enum oi_status
read_url(struct oi_s3 *s3, const char *url, struct oi_error *error)
{
    struct oi_slice rest = oi_slice_of(url), bucket, prefix = {}, endpoint = {}, part;
    struct oi_slice region = OI_SLICE("us-east-1");
    const char *question = strchr(url, '?');
    size_t size;

    if (!oi_slice_starts_with(rest, "s3://"))
        return oi_fail(error, OI_E_INVALID, "a lake is at s3://bucket/prefix, not %s", url);
    rest = (struct oi_slice){ url + 5, (question ? (size_t) (question - url) : strlen(url)) - 5 };
    for (size = 0; size < rest.size && rest.data[size] != '/';)
        size++;
    bucket = (struct oi_slice){ rest.data, size };
    if (size < rest.size)
        prefix = (struct oi_slice){ rest.data + size + 1, rest.size - size - 1 };
    while (prefix.size > 0 && prefix.data[prefix.size - 1] == '/')
        prefix.size--;
    if (bucket.size < 3 || bucket.size > 63 || !is_plain(bucket, "-.") ||
        !is_plain(prefix, "-._~/"))
        return oi_fail(error, OI_E_INVALID, "%s names no bucket and prefix", url);
    rest = question ? oi_slice_of(question + 1) : (struct oi_slice){};
    while (oi_slice_next_part(&rest, '&', &part))
        OI_TRY(read_setting(s3, part, &endpoint, &region, error));
    s3->keys.region = oi_arena_copy(&s3->arena, region);
    place(s3, bucket, prefix, endpoint);
    return OI_OK;
}

static void
wake(void *context)
{
    oi_loop_stop(((struct oi_s3 *) context)->loop);
}

enum oi_status
oi_s3_open(const struct oi_s3_options *options, struct oi_s3 **ret_s3, struct oi_error *error)
{
    const struct oi_http_client_options client = { .authority = options->authority };
    OI_CLEANUP(oi_s3_close) struct oi_s3 *s3 = oi_alloc_zero(1, sizeof(*s3));

    s3->part_size = PART_DEFAULT;
    if (!options->access || !options->secret)
        return oi_fail(error, OI_E_INVALID,
                       "a bucket wants keys: lake_access_key and lake_secret_key, or "
                       "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment");
    s3->keys.access = oi_arena_copy(&s3->arena, oi_slice_of(options->access));
    s3->keys.secret = oi_arena_copy(&s3->arena, oi_slice_of(options->secret));
    if (options->session)
        s3->keys.session = oi_arena_copy(&s3->arena, oi_slice_of(options->session));
    OI_TRY(read_url(s3, options->url, error));
    OI_TRY(oi_loop_new(&s3->loop, error));
    oi_loop_on_wake(s3->loop, wake, s3);
    s3->timer = oi_timer_new(s3->loop, wake, s3);
    OI_TRY(oi_http_client_new(s3->loop, &client, &s3->client, error));
    *ret_s3 = s3;
    s3 = NULL;
    return OI_OK;
}

void
oi_s3_close(struct oi_s3 **s3)
{
    if (!s3 || !*s3)
        return;
    if ((*s3)->timer)
        oi_timer_free(&(*s3)->timer);
    oi_http_client_free(&(*s3)->client);
    oi_loop_free(&(*s3)->loop);
    oi_arena_release(&(*s3)->arena);
    oi_free(*s3);
    *s3 = NULL;
}

void
oi_s3_cancel(struct oi_s3 *s3)
{
    atomic_store(&s3->is_cancelled, true);
    oi_loop_wake(s3->loop);
}

/* The path of an object: every part of its key percent-encoded. */
static void
add_path(const struct oi_s3 *s3, const char *key, struct oi_buffer *out)
{
    struct oi_slice rest = oi_slice_of(key), part;
    bool follows = false;

    oi_buffer_add_text(out, s3->base);
    while (oi_slice_next_part(&rest, '/', &part)) {
        if (follows)
            oi_buffer_add_char(out, '/');
        oi_http_encode(part, out);
        follows = true;
    }
    oi_buffer_add_char(out, '\0');
}

void
oi_s3_link(const struct oi_s3 *s3, const char *key, oi_time now, unsigned life_s,
           struct oi_buffer *out)
{
    struct oi_buffer path = {};
    struct oi_sigv4_request request = {
        .method = "GET", .host = s3->host, .query = "", .payload_hash = "UNSIGNED-PAYLOAD"
    };

    add_path(s3, key, &path);
    request.path = path.data;
    oi_buffer_add_format(out, "%s%s?", s3->origin, path.data);
    oi_sigv4_presign(&s3->keys, &request, now, life_s, out);
    oi_buffer_release(&path);
}

/*
 * One request, tried several times.
 */

struct exchange {
    enum oi_http_method method;
    const char *path, *query; /* encoded */
    const char *content_type; /* or NULL */
    const char *meta;         /* the hash to keep beside it, or NULL */
    struct oi_slice body;
    /* What came. */
    struct oi_s3 *s3;
    bool is_done;
    enum oi_status status;
    int http_status;
    struct oi_buffer reply;
    char etag[128];
    char hash[HEX_SIZE];
    struct oi_error error;
};

static void
copy_header(const struct oi_http_response *response, const char *name, char *text, size_t size)
{
    const struct oi_slice *value = oi_http_response_header(response, name);

    text[0] = '\0';
    if (value && value->size < size)
        (void) snprintf(text, size, "%.*s", OI_SLICE_ARGS(*value));
}

static void
came(void *context, enum oi_status status, const struct oi_http_response *response,
     const struct oi_error *error)
{
    struct exchange *exchange = context;

    exchange->is_done = true;
    exchange->status = status;
    if (error)
        exchange->error = *error;
    if (status == OI_OK) {
        exchange->http_status = response->status;
        oi_buffer_add_slice(&exchange->reply, response->body);
        copy_header(response, "ETag", exchange->etag, sizeof(exchange->etag));
        copy_header(response, HASH_HEADER, exchange->hash, sizeof(exchange->hash));
    }
    oi_loop_stop(exchange->s3->loop);
}

static void
add_hex(struct oi_slice bytes, char hex[HEX_SIZE])
{
    uint8_t digest[OI_SHA256_SIZE];
    struct oi_buffer text = {};

    oi_sha256(bytes, digest);
    oi_hex((struct oi_slice){ (const char *) digest, sizeof(digest) }, &text);
    (void) snprintf(hex, HEX_SIZE, "%.*s", (int) text.size, text.data);
    oi_buffer_release(&text);
}

static void
sign(const struct oi_s3 *s3, const struct exchange *exchange, struct oi_http_request *request)
{
    const struct oi_clock *clock = &oi_clock_system;
    oi_time now = clock->wall_ns(clock);
    char hash[HEX_SIZE], date[OI_SIGV4_DATE_SIZE];
    struct oi_sigv4_header headers[5];
    struct oi_sigv4_request signed_request = { .method = oi_http_method_name(exchange->method),
                                               .host = s3->host,
                                               .path = exchange->path,
                                               .query = exchange->query,
                                               .headers = headers,
                                               .payload_hash = hash };
    struct oi_buffer authorization = {};
    size_t count = 0;

    add_hex(exchange->body, hash);
    oi_sigv4_date(now, date);
    if (exchange->content_type)
        headers[count++] =
            (struct oi_sigv4_header){ "content-type", oi_slice_of(exchange->content_type) };
    headers[count++] = (struct oi_sigv4_header){ "x-amz-content-sha256", oi_slice_of(hash) };
    headers[count++] = (struct oi_sigv4_header){ "x-amz-date", oi_slice_of(date) };
    if (exchange->meta)
        headers[count++] = (struct oi_sigv4_header){ HASH_HEADER, oi_slice_of(exchange->meta) };
    if (s3->keys.session)
        headers[count++] =
            (struct oi_sigv4_header){ "x-amz-security-token", oi_slice_of(s3->keys.session) };
    signed_request.header_count = count;
    oi_sigv4_authorize(&s3->keys, &signed_request, now, &authorization);
    for (size_t i = 0; i < count; i++)
        oi_http_add_header(request, headers[i].name, headers[i].value);
    oi_http_add_header(request, "Authorization", oi_buffer_slice(&authorization));
    oi_buffer_release(&authorization);
}

static void
send_once(struct oi_s3 *s3, struct exchange *exchange)
{
    const struct oi_http_limits limits = { .timeout_ms = TIMEOUT_MS, .size_max = REPLY_SIZE_MAX };
    struct oi_http_request request = {};
    struct oi_buffer url = {};

    oi_buffer_release(&exchange->reply);
    exchange->s3 = s3;
    exchange->is_done = false;
    oi_buffer_add_format(&url, "%s%s%s%s", s3->origin, exchange->path,
                         exchange->query[0] ? "?" : "", exchange->query);
    oi_buffer_add_char(&url, '\0');
    exchange->status = oi_http_get(&request, url.data, &exchange->error);
    oi_buffer_release(&url);
    if (exchange->status == OI_OK) {
        request.method = exchange->method;
        request.body = exchange->body;
        sign(s3, exchange, &request);
        oi_http_client_send(s3->client, &request, &limits, came, exchange);
        while (!exchange->is_done && !atomic_load(&s3->is_cancelled))
            oi_loop_run(s3->loop);
    }
    oi_http_request_release(&request);
    if (!exchange->is_done && atomic_load(&s3->is_cancelled)) {
        oi_http_client_free(&s3->client); /* calls `came` */
        exchange->status = OI_E_CANCELLED;
    }
}

static void
pause_for(struct oi_s3 *s3, uint64_t delay_ms)
{
    oi_timer_start(s3->timer, delay_ms, 0);
    oi_loop_run(s3->loop);
    oi_timer_stop(s3->timer);
}

/* "<Code>AccessDenied</Code>": what the store says, for people. */
static struct oi_slice
between(struct oi_slice text, const char *begin, const char *end)
{
    const char *from = text.size > 0 ? memmem(text.data, text.size, begin, strlen(begin)) : NULL;
    const char *to;

    if (!from)
        return (struct oi_slice){};
    from += strlen(begin);
    to = memmem(from, text.size - (size_t) (from - text.data), end, strlen(end));
    return to ? (struct oi_slice){ from, (size_t) (to - from) } : (struct oi_slice){};
}

static bool
is_worth_another_try(const struct exchange *exchange)
{
    if (exchange->status != OI_OK)
        return exchange->status == OI_E_BUSY || exchange->status == OI_E_UPSTREAM;
    return exchange->http_status >= 500 || exchange->http_status == 429 ||
           exchange->http_status == 408;
}

/* OK for 200, and for 404 of a question. */
static enum oi_status
run(struct oi_s3 *s3, struct exchange *exchange, struct oi_error *error)
{
    struct oi_slice code;

    for (unsigned i = 0; i < TRIES; i++) {
        if (atomic_load(&s3->is_cancelled) || !s3->client)
            return oi_fail(error, OI_E_CANCELLED, "stopping");
        if (i > 0)
            pause_for(s3, UINT64_C(200) << i);
        send_once(s3, exchange);
        if (!is_worth_another_try(exchange))
            break;
    }
    if (exchange->status != OI_OK)
        return oi_fail(error, exchange->status, "%s", exchange->error.message);
    if ((exchange->http_status >= 200 && exchange->http_status < 300) ||
        (exchange->method == OI_HTTP_HEAD && exchange->http_status == 404))
        return OI_OK;
    code = between(oi_buffer_slice(&exchange->reply), "<Code>", "</Code>");
    return oi_fail(error,
                   exchange->http_status == 403 || exchange->http_status == 401 ? OI_E_DENIED
                                                                                : OI_E_UPSTREAM,
                   "the object store answers %d %.*s to %s", exchange->http_status,
                   (int) (code.size < 100 ? code.size : 100), code.data ? code.data : "",
                   oi_http_method_name(exchange->method));
}

/*
 * Large files, in parts.
 */

static enum oi_status
begin_parts(struct oi_s3 *s3, struct exchange like, struct oi_buffer *upload,
            struct oi_error *error)
{
    struct oi_slice id;
    enum oi_status status;

    like.method = OI_HTTP_POST;
    like.query = "uploads=";
    like.body = (struct oi_slice){};
    status = run(s3, &like, error);
    id = between(oi_buffer_slice(&like.reply), "<UploadId>", "</UploadId>");
    if (status == OI_OK && id.size == 0)
        status = oi_fail(error, OI_E_UPSTREAM, "the object store gave no number of an upload");
    if (status == OI_OK) {
        oi_http_encode(id, upload);
        oi_buffer_add_char(upload, '\0');
    }
    oi_buffer_release(&like.reply);
    return status;
}

static enum oi_status
send_parts(struct oi_s3 *s3, const struct exchange *like, const char *upload,
           struct oi_buffer *list, struct oi_error *error)
{
    size_t least = like->body.size / PARTS_MAX + 1;
    size_t size = s3->part_size > least ? s3->part_size : least;
    unsigned number = 1;
    enum oi_status status = OI_OK;

    oi_buffer_add_text(list, "<CompleteMultipartUpload>");
    for (size_t at = 0; status == OI_OK && at < like->body.size; at += size, number++) {
        struct oi_buffer query = {};
        struct exchange part = {
            .method = OI_HTTP_PUT,
            .path = like->path,
            .body = { like->body.data + at,
                      like->body.size - at < size ? like->body.size - at : size },
        };

        oi_buffer_add_format(&query, "partNumber=%u&uploadId=%s", number, upload);
        oi_buffer_add_char(&query, '\0');
        part.query = query.data;
        status = run(s3, &part, error);
        oi_buffer_add_format(list, "<Part><PartNumber>%u</PartNumber><ETag>%s</ETag></Part>",
                             number, part.etag);
        oi_buffer_release(&part.reply);
        oi_buffer_release(&query);
    }
    oi_buffer_add_text(list, "</CompleteMultipartUpload>");
    return status;
}

/* Join the parts; an answer of 200 may still tell of a failure. */
static enum oi_status
end_parts(struct oi_s3 *s3, const struct exchange *like, const char *upload, struct oi_slice list,
          struct oi_error *error)
{
    struct oi_buffer query = {};
    struct exchange end = {
        .method = OI_HTTP_POST, .path = like->path, .content_type = "application/xml", .body = list
    };
    struct oi_slice code;
    enum oi_status status;

    oi_buffer_add_format(&query, "uploadId=%s", upload);
    oi_buffer_add_char(&query, '\0');
    end.query = query.data;
    status = run(s3, &end, error);
    code = between(oi_buffer_slice(&end.reply), "<Error>", "</Error>");
    if (status == OI_OK && code.size > 0)
        status = oi_fail(error, OI_E_UPSTREAM, "the object store could not join the parts");
    oi_buffer_release(&end.reply);
    oi_buffer_release(&query);
    return status;
}

static enum oi_status
put_in_parts(struct oi_s3 *s3, const struct exchange *like, struct oi_error *error)
{
    struct oi_buffer upload = {}, list = {};
    enum oi_status status = begin_parts(s3, *like, &upload, error);

    if (status == OI_OK) {
        status = send_parts(s3, like, upload.data, &list, error);
        if (status == OI_OK)
            status = end_parts(s3, like, upload.data, oi_buffer_slice(&list), error);
        if (status != OI_OK) { /* parts that nobody joins are paid for */
            struct oi_buffer query = {};
            struct exchange drop = { .method = OI_HTTP_DELETE, .path = like->path };

            oi_buffer_add_format(&query, "uploadId=%s", upload.data);
            oi_buffer_add_char(&query, '\0');
            drop.query = query.data;
            (void) run(s3, &drop, NULL);
            oi_buffer_release(&drop.reply);
            oi_buffer_release(&query);
        }
    }
    oi_buffer_release(&upload);
    oi_buffer_release(&list);
    return status;
}

enum oi_status
oi_s3_put(struct oi_s3 *s3, const char *key, const char *content_type, struct oi_slice bytes,
          bool *ret_was_there, struct oi_error *error)
{
    struct oi_buffer path = {};
    char hash[HEX_SIZE];
    struct exchange question = { .method = OI_HTTP_HEAD, .query = "" };
    struct exchange put = { .method = OI_HTTP_PUT,
                            .query = "",
                            .content_type = content_type,
                            .meta = hash,
                            .body = bytes };
    enum oi_status status;
    bool was_there;

    add_hex(bytes, hash);
    add_path(s3, key, &path);
    question.path = put.path = path.data;
    status = run(s3, &question, error);
    was_there = status == OI_OK && question.http_status == 200 && strcmp(question.hash, hash) == 0;
    if (status == OI_OK && !was_there && bytes.size > s3->part_size)
        status = put_in_parts(s3, &put, error);
    else if (status == OI_OK && !was_there)
        status = run(s3, &put, error);
    if (status == OI_OK)
        *ret_was_there = was_there;
    oi_buffer_release(&question.reply);
    oi_buffer_release(&put.reply);
    oi_buffer_release(&path);
    return status;
}
