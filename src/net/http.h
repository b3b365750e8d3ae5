/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP messages as values. Exchanges build requests, dialects read them and fill replies, the
 * simulator does both; none of them ever sees a socket. A message owns an arena, and everything in
 * it lives until the message is released.
 */
#pragma once

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/shared.h"
#include "base/slice.h"
#include "base/status.h"
#include "base/vector.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum oi_http_method {
    OI_HTTP_GET,
    OI_HTTP_HEAD,
    OI_HTTP_POST,
    OI_HTTP_PUT,
    OI_HTTP_DELETE,
    OI_HTTP_OPTIONS,
    OI_HTTP_OTHER, /* a real method that nothing of ours takes */
};
const char *oi_http_method_name(enum oi_http_method method);

/* Only the first so many parameters of a request can be handed over encoded. */
#define OI_HTTP_QUERY_ENCODED_MAX 64

/* A header field, or a parameter of a query (decoded). */
struct oi_http_field {
    struct oi_slice name;
    struct oi_slice value;
};

/*
 * A request, sent or received. Received ones come checked: the path is percent-decoded with dot
 * segments resolved and begins with "/", parameters are decoded (`+` is a blank) and in order,
 * empty pairs (`?&a=1`) are dropped, names and values are valid UTF-8.
 */
struct oi_http_request {
    enum oi_http_method method;
    struct oi_slice origin;     /* "https://fapi.binance.com" (sent) or from Host (received) */
    struct oi_slice path;       /* "/v4/timeseries/market-openinterest" */
    struct oi_slice raw_target; /* received: as it stood in the request line */
    OI_VECTOR(struct oi_http_field) query;
    uint64_t query_encoded; /* sent: bit i tells that query.items[i] goes out as it is */
    OI_VECTOR(struct oi_http_field) headers;
    struct oi_slice body;
    struct oi_slice peer; /* received: the address of the other end, "127.0.0.1" */
    bool is_http10;
    struct oi_arena arena;
};

/* `struct oi_http_request request = {};` is an empty GET. */
void oi_http_request_release(struct oi_http_request *request);
/* Begin a GET or POST of an absolute http(s) URL: its query is taken apart, its path stays as it
 * is. INVALID otherwise. */
enum oi_status oi_http_get(struct oi_http_request *request, const char *url,
                           struct oi_error *error);
enum oi_status oi_http_post(struct oi_http_request *request, const char *url,
                            const char *content_type, struct oi_slice body, struct oi_error *error);
/* Values are copied. */
enum oi_status oi_http_add_query(struct oi_http_request *request, const char *name,
                                 const char *value, struct oi_error *error);
/* A value that is percent-encoded already and must go out as it is (Bybit's cursors). */
enum oi_status oi_http_add_query_encoded(struct oi_http_request *request, const char *name,
                                         const char *value, struct oi_error *error);
void oi_http_add_header(struct oi_http_request *request, const char *name, struct oi_slice value);
/* The absolute URL with its encoded query, appended. */
void oi_http_write_url(const struct oi_http_request *request, struct oi_buffer *out);
/* Parse a received target ("/a%20b?x=1&y=2") into path and query; INVALID on broken encoding, a
 * NUL, invalid UTF-8, or dot segments that leave the root. */
enum oi_status oi_http_parse_target(struct oi_slice target, struct oi_http_request *request,
                                    struct oi_error *error);

/* The first header or parameter of that name (headers: in any case), or NULL. */
const struct oi_slice *oi_http_header(const struct oi_http_request *request, const char *name);
const struct oi_slice *oi_http_parameter(const struct oi_http_request *request, const char *name);
/* How often a parameter is there: most dialects refuse a second one. */
size_t oi_http_parameter_count(const struct oi_http_request *request, const char *name);

/* The date of a head: "Thu, 26 Nov 2026 22:36:05 GMT", seconds since 1970. */
#define OI_HTTP_DATE_SIZE 64
void oi_http_date_write(int64_t second, char text[OI_HTTP_DATE_SIZE]);
/* False for any other form, and for what is no date. */
bool oi_http_date_read(struct oi_slice text, int64_t *ret_second);

/* Percent-encode everything but letters, digits and "-._~", appended. */
void oi_http_encode(struct oi_slice text, struct oi_buffer *out);

/*
 * A reply to send. A short answer is in `body`. A long one is pulled: when `more` is set, what is
 * in `body` goes first, and `more` is called whenever the client has taken what was there: it
 * appends the next piece to `out` (best 16 to 512 KiB; an empty one is passed over) and tells when
 * it was the last; the framing (chunked, or closing for HTTP/1.0) is the server's.
 *
 * An endless answer (server-sent events) has nothing yet for most of the time: `more` sets
 * `is_waiting`, and is called again after oi_http_reply_resume. Such an answer ends with its client
 * or its server, never by a deadline.
 */
struct oi_http_reply {
    int status;                              /* 200 by default */
    OI_VECTOR(struct oi_http_field) headers; /* Content-Length, Connection are the server's */
    struct oi_buffer body;
    struct oi_shared *shared; /* in place of `body`: */
    struct oi_slice part;     /* this much of it is sent as it is, without a copy */
    enum oi_status (*more)(void *context, struct oi_buffer *out, bool *ret_is_last,
                           struct oi_error *error);
    void (*finish)(void *context); /* once, when `more` will not be called again; may be NULL */
    void *context;
    /* Not empty: by these bytes, which `again` of the handler is handed, it can tell whether this
     * very reply holds for the same request another time (http_server.h). In the arena. */
    struct oi_slice recipe;
    bool is_compressible; /* text: gzip it when the client takes that and the size is worth it */
    bool is_withheld;     /* never sent: the client waits until it gives up (the simulator's) */
    bool is_waiting;      /* set by `more`: nothing yet */
    /* Set by the server before the handler is called. */
    void (*resume)(void *resumer);
    void *resumer;
    struct oi_arena arena;
};

/* Calls `finish` if that is still due. */
void oi_http_reply_release(struct oi_http_reply *reply);
/* The whole body so far; valid until the reply changes. */
struct oi_slice oi_http_reply_body(const struct oi_http_reply *reply);
/* Answer with shared bytes, of which a reference is kept, in place of what was in the body. */
void oi_http_reply_share(struct oi_http_reply *reply, struct oi_shared *shared);
/* Only the bytes [from, to) of the body are sent. */
void oi_http_reply_cut(struct oi_http_reply *reply, size_t from, size_t to);
/* Name and value are copied; CR, LF and NUL in a value assert. */
void oi_http_reply_header(struct oi_http_reply *reply, const char *name, struct oi_slice value);
void oi_http_reply_header_text(struct oi_http_reply *reply, const char *name, const char *value);
void oi_http_reply_header_int(struct oi_http_reply *reply, const char *name, int64_t value);
/* Sets Content-Type; text and JSON become compressible. */
void oi_http_reply_type(struct oi_http_reply *reply, const char *content_type);
/* `more` has something again. On the loop's thread; `more` is called in the same turn of the loop,
 * never from within. */
void oi_http_reply_resume(struct oi_http_reply *reply);
/* Does the client take gzip (RFC 9110, 12.5.3)? */
bool oi_http_accepts_gzip(const struct oi_http_request *request);
/* The value of a header set so far (name in any case), or NULL. */
const struct oi_slice *oi_http_reply_find(const struct oi_http_reply *reply, const char *name);
