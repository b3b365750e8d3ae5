/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Targets and URLs: percent-encoding both ways, dot segments, queries. A received target is taken
 * apart strictly (what two readers could read differently is refused); a URL of ours is put
 * together so that it goes out as it was meant.
 */
#include "net/http.h"

#include "base/utf8.h"

static bool
is_unreserved(char character)
{
    return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z') ||
           (character >= 'A' && character <= 'Z') || (character && strchr("-._~", character));
}

static void
add_escaped(struct oi_buffer *out, char character)
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned char byte = (unsigned char) character;

    oi_buffer_add_char(out, '%');
    oi_buffer_add_char(out, digits[byte >> 4]);
    oi_buffer_add_char(out, digits[byte & 15]);
}

void
oi_http_encode(struct oi_slice text, struct oi_buffer *out)
{
    for (size_t i = 0; i < text.size; i++) {
        if (is_unreserved(text.data[i]))
            oi_buffer_add_char(out, text.data[i]);
        else
            add_escaped(out, text.data[i]);
    }
}

/* Decode into the arena. `+` is a blank in queries and itself in paths. */
static enum oi_status
decode(struct oi_slice text, bool is_query, struct oi_arena *arena, struct oi_slice *ret_decoded,
       struct oi_error *error)
{
    char *out = oi_arena_alloc(arena, text.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        char character = text.data[i];

        if (character == '%') {
            int high = i + 2 < text.size ? oi_hex_value(text.data[i + 1]) : -1;

            if (high < 0 || oi_hex_value(text.data[i + 2]) < 0)
                return oi_fail(error, OI_E_INVALID, "a broken percent-encoding");
            character = (char) (high * 16 + oi_hex_value(text.data[i + 2]));
            i += 2;
        } else if (character == '+' && is_query) {
            character = ' ';
        }
        if (character == '\0')
            return oi_fail(error, OI_E_INVALID, "a NUL in the target");
        out[size++] = character;
    }
    out[size] = '\0';
    if (!oi_utf8_is_valid((struct oi_slice){ out, size }))
        return oi_fail(error, OI_E_INVALID, "the target is not valid UTF-8");
    *ret_decoded = (struct oi_slice){ out, size };
    return OI_OK;
}

/* Resolve "." and ".." in place, as RFC 3986, 5.2.4 has it, but refuse to climb over the root. */
static enum oi_status
resolve_dots(struct oi_slice *path, struct oi_error *error)
{
    char *bytes = (char *) path->data; /* ours: decode() has just made it */
    size_t out = 0;

    for (size_t at = 0; at < path->size;) {
        size_t end = at + 1; /* bytes[at] is the slash before a segment */
        bool is_last;

        while (end < path->size && bytes[end] != '/')
            end++;
        is_last = end == path->size;
        if (end - at == 2 && bytes[at + 1] == '.') {
            if (is_last)
                bytes[out++] = '/';
        } else if (end - at == 3 && bytes[at + 1] == '.' && bytes[at + 2] == '.') {
            if (out == 0)
                return oi_fail(error, OI_E_INVALID, "dot segments that leave the root");
            do
                out--;
            while (bytes[out] != '/');
            if (is_last)
                bytes[out++] = '/';
        } else {
            memmove(bytes + out, bytes + at, end - at);
            out += end - at;
        }
        at = end;
    }
    bytes[out] = '\0';
    path->size = out;
    return OI_OK;
}

static enum oi_status
parse_query(struct oi_slice query, struct oi_http_request *request, struct oi_error *error)
{
    struct oi_slice pair;

    while (oi_slice_next_part(&query, '&', &pair)) {
        struct oi_slice name, value = pair;
        struct oi_http_field field;

        if (pair.size == 0)
            continue;
        (void) oi_slice_next_part(&value, '=', &name);
        OI_TRY(decode(name, true, &request->arena, &field.name, error));
        OI_TRY(decode(value, true, &request->arena, &field.value, error));
        oi_vector_push(&request->query, field);
    }
    return OI_OK;
}

enum oi_status
oi_http_parse_target(struct oi_slice target, struct oi_http_request *request,
                     struct oi_error *error)
{
    struct oi_slice path, query = target;

    if (target.size == 0 || target.data[0] != '/')
        return oi_fail(error, OI_E_INVALID, "the target does not begin with a slash");
    if (memchr(target.data, '#', target.size))
        return oi_fail(error, OI_E_INVALID, "a fragment in the target");
    (void) oi_slice_next_part(&query, '?', &path);
    OI_TRY(decode(path, false, &request->arena, &path, error));
    OI_TRY(resolve_dots(&path, error));
    OI_TRY(parse_query(query, request, error));
    request->path = path;
    request->raw_target = target;
    return OI_OK;
}

enum oi_status
oi_http_get(struct oi_http_request *request, const char *url, struct oi_error *error)
{
    struct oi_slice rest = oi_slice_of(url), host;
    size_t scheme = oi_slice_starts_with(rest, "https://")  ? strlen("https://")
                    : oi_slice_starts_with(rest, "http://") ? strlen("http://")
                                                            : 0;
    size_t end = scheme;
    struct oi_slice path;

    if (scheme == 0)
        return oi_fail(error, OI_E_INVALID, "not a URL of http or https");
    for (size_t i = 0; i < rest.size; i++)
        if (rest.data[i] <= ' ' || rest.data[i] > '~' || rest.data[i] == '#')
            return oi_fail(error, OI_E_INVALID, "a URL with a character that must be encoded");
    while (end < rest.size && rest.data[end] != '/' && rest.data[end] != '?')
        end++;
    host = (struct oi_slice){ rest.data + scheme, end - scheme };
    if (host.size == 0 || memchr(host.data, '@', host.size))
        return oi_fail(error, OI_E_INVALID, "a URL without a host, or with a user");
    request->method = OI_HTTP_GET;
    request->origin.data = oi_arena_copy(&request->arena, (struct oi_slice){ rest.data, end });
    request->origin.size = end;
    rest = (struct oi_slice){ rest.data + end, rest.size - end };
    (void) oi_slice_next_part(&rest, '?', &path);
    if (path.size == 0)
        path = OI_SLICE("/");
    request->path = (struct oi_slice){ oi_arena_copy(&request->arena, path), path.size };
    return parse_query(rest, request, error);
}

void
oi_http_write_url(const struct oi_http_request *request, struct oi_buffer *out)
{
    oi_buffer_add_slice(out, request->origin);
    for (size_t i = 0; i < request->path.size; i++) {
        char character = request->path.data[i];

        /* What is encoded stays so; only what may never stand in a URL is escaped. */
        if (is_unreserved(character) || (character && strchr("/%!$&'()*+,;=:@", character)))
            oi_buffer_add_char(out, character);
        else
            add_escaped(out, character);
    }
    for (size_t i = 0; i < request->query.count; i++) {
        const struct oi_http_field *field = &request->query.items[i];

        oi_buffer_add_char(out, i == 0 ? '?' : '&');
        oi_http_encode(field->name, out);
        oi_buffer_add_char(out, '=');
        if (i < OI_HTTP_QUERY_ENCODED_MAX && (request->query_encoded >> i & 1))
            oi_buffer_add_slice(out, field->value);
        else
            oi_http_encode(field->value, out);
    }
}
