/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages as values: making requests, looking things up, filling replies. Nothing here knows of
 * sockets or of the wire; targets and URLs are taken apart in http_target.c.
 */
#include "net/http.h"

const char *
oi_http_method_name(enum oi_http_method method)
{
    switch (method) {
    case OI_HTTP_GET:
        return "GET";
    case OI_HTTP_HEAD:
        return "HEAD";
    case OI_HTTP_POST:
        return "POST";
    case OI_HTTP_PUT:
        return "PUT";
    case OI_HTTP_DELETE:
        return "DELETE";
    case OI_HTTP_OPTIONS:
        return "OPTIONS";
    case OI_HTTP_OTHER:
        return "OTHER";
    }
    oi_assert(false);
    return "";
}

static struct oi_slice
keep(struct oi_arena *arena, struct oi_slice text)
{
    return (struct oi_slice){ oi_arena_copy(arena, text), text.size };
}

/* A value that ended a line would let its author write headers of his own. */
static bool
is_one_line(struct oi_slice value)
{
    for (size_t i = 0; i < value.size; i++)
        if (value.data[i] == '\r' || value.data[i] == '\n' || value.data[i] == '\0')
            return false;
    return true;
}

static const struct oi_slice *
find_field(const struct oi_http_field *fields, size_t count, const char *name)
{
    struct oi_slice wanted = oi_slice_of(name);

    for (size_t i = 0; i < count; i++)
        if (oi_slice_equal_ignoring_case(fields[i].name, wanted))
            return &fields[i].value;
    return NULL;
}

void
oi_http_request_release(struct oi_http_request *request)
{
    oi_vector_release(&request->query);
    oi_vector_release(&request->headers);
    oi_arena_release(&request->arena);
    *request = (struct oi_http_request){};
}

enum oi_status
oi_http_post(struct oi_http_request *request, const char *url, const char *content_type,
             struct oi_slice body, struct oi_error *error)
{
    OI_TRY(oi_http_get(request, url, error));
    request->method = OI_HTTP_POST;
    request->body = keep(&request->arena, body);
    oi_http_add_header(request, "Content-Type", oi_slice_of(content_type));
    return OI_OK;
}

enum oi_status
oi_http_add_query(struct oi_http_request *request, const char *name, const char *value,
                  struct oi_error *error)
{
    struct oi_http_field field;

    if (!name || !name[0] || !value)
        return oi_fail(error, OI_E_INVALID, "a parameter without a name or a value");
    field.name = keep(&request->arena, oi_slice_of(name));
    field.value = keep(&request->arena, oi_slice_of(value));
    oi_vector_push(&request->query, field);
    return OI_OK;
}

enum oi_status
oi_http_add_query_encoded(struct oi_http_request *request, const char *name, const char *value,
                          struct oi_error *error)
{
    if (request->query.count >= OI_HTTP_QUERY_ENCODED_MAX)
        return oi_fail(error, OI_E_INVALID, "too many parameters before an encoded one");
    for (const char *at = value; at && *at; at++)
        if (*at <= ' ' || *at > '~' || *at == '&' || *at == '#')
            return oi_fail(error, OI_E_INVALID,
                           "an encoded parameter with a character that is not");
    OI_TRY(oi_http_add_query(request, name, value, error));
    request->query_encoded |= UINT64_C(1) << (request->query.count - 1);
    return OI_OK;
}

void
oi_http_add_header(struct oi_http_request *request, const char *name, struct oi_slice value)
{
    struct oi_http_field field;

    oi_assert(is_one_line(value));
    field.name = keep(&request->arena, oi_slice_of(name));
    field.value = keep(&request->arena, value);
    oi_vector_push(&request->headers, field);
}

const struct oi_slice *
oi_http_header(const struct oi_http_request *request, const char *name)
{
    return find_field(request->headers.items, request->headers.count, name);
}

const struct oi_slice *
oi_http_parameter(const struct oi_http_request *request, const char *name)
{
    for (size_t i = 0; i < request->query.count; i++)
        if (oi_slice_is(request->query.items[i].name, name))
            return &request->query.items[i].value;
    return NULL;
}

size_t
oi_http_parameter_count(const struct oi_http_request *request, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < request->query.count; i++)
        count += oi_slice_is(request->query.items[i].name, name);
    return count;
}

void
oi_http_reply_release(struct oi_http_reply *reply)
{
    if (reply->finish)
        reply->finish(reply->context);
    oi_vector_release(&reply->headers);
    oi_buffer_release(&reply->body);
    oi_shared_unref(&reply->shared);
    oi_arena_release(&reply->arena);
    *reply = (struct oi_http_reply){};
}

struct oi_slice
oi_http_reply_body(const struct oi_http_reply *reply)
{
    return reply->shared ? reply->part : oi_buffer_slice(&reply->body);
}

void
oi_http_reply_share(struct oi_http_reply *reply, struct oi_shared *shared)
{
    oi_shared_unref(&reply->shared);
    oi_buffer_clear(&reply->body);
    reply->shared = oi_shared_ref(shared);
    reply->part = oi_shared_bytes(shared);
}

void
oi_http_reply_cut(struct oi_http_reply *reply, size_t from, size_t to)
{
    oi_assert(from <= to && to <= oi_http_reply_body(reply).size);
    if (reply->shared) {
        reply->part = (struct oi_slice){ reply->part.data + from, to - from };
        return;
    }
    if (to > from)
        memmove(reply->body.data, reply->body.data + from, to - from);
    reply->body.size = to - from;
}

void
oi_http_reply_resume(struct oi_http_reply *reply)
{
    if (reply->resume)
        reply->resume(reply->resumer);
}

void
oi_http_reply_header(struct oi_http_reply *reply, const char *name, struct oi_slice value)
{
    struct oi_http_field field;

    oi_assert(is_one_line(value));
    field.name = keep(&reply->arena, oi_slice_of(name));
    field.value = keep(&reply->arena, value);
    oi_vector_push(&reply->headers, field);
}

void
oi_http_reply_header_text(struct oi_http_reply *reply, const char *name, const char *value)
{
    oi_http_reply_header(reply, name, oi_slice_of(value));
}

void
oi_http_reply_header_int(struct oi_http_reply *reply, const char *name, int64_t value)
{
    oi_http_reply_header_text(reply, name,
                              oi_arena_format(&reply->arena, "%lld", (long long) value));
}

void
oi_http_reply_type(struct oi_http_reply *reply, const char *content_type)
{
    struct oi_slice type = oi_slice_of(content_type);
    bool is_set = false;

    /* An answer that turned into a refusal had a type already: there is one, the last. */
    for (size_t i = 0; i < reply->headers.count; i++) {
        struct oi_http_field *field = &reply->headers.items[i];

        if (oi_slice_equal_ignoring_case(field->name, OI_SLICE("Content-Type"))) {
            field->value = keep(&reply->arena, type);
            is_set = true;
        }
    }
    if (!is_set)
        oi_http_reply_header(reply, "Content-Type", type);
    reply->is_compressible = oi_slice_starts_with(type, "text/") ||
                             oi_slice_starts_with(type, "application/json") ||
                             oi_slice_starts_with(type, "application/x-ndjson") ||
                             oi_slice_starts_with(type, "application/javascript") ||
                             oi_slice_starts_with(type, "image/svg+xml");
}

const struct oi_slice *
oi_http_reply_find(const struct oi_http_reply *reply, const char *name)
{
    return find_field(reply->headers.items, reply->headers.count, name);
}
