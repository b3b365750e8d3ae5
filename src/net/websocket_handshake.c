/* SPDX-License-Identifier: Apache-2.0 */
/* The handshake, strictly: a server that answers loosely is not believed to speak the protocol. */
#include "net/websocket_handshake.h"

#include "base/crypto.h"
#include "net/websocket.h"

#include <stdio.h>

#define VERSION "HTTP/1.1 "

enum oi_status
oi_websocket_place(struct oi_slice url, struct oi_websocket_place *ret_place,
                   struct oi_error *error)
{
    bool is_secure = oi_slice_starts_with(url, "wss://");
    struct oi_websocket_place place = { .target = OI_SLICE("/") };
    size_t scheme = is_secure ? 6 : 5;
    const char *slash;

    if ((!is_secure && !oi_slice_starts_with(url, "ws://")) || url.size <= scheme)
        return oi_fail(error, OI_E_INVALID, "no ws:// or wss:// URL");
    for (size_t i = 0; i < url.size; i++)
        if ((unsigned char) url.data[i] <= ' ' || (unsigned char) url.data[i] >= 127)
            return oi_fail(error, OI_E_INVALID, "a character that no URL has");
    place.host = (struct oi_slice){ url.data + scheme, url.size - scheme };
    slash = memchr(place.host.data, '/', place.host.size);
    if (slash) {
        place.target.data = slash;
        place.target.size = (size_t) (url.data + url.size - slash);
        place.host.size = (size_t) (slash - place.host.data);
    }
    if (place.host.size == 0 || place.host.size > 200 ||
        memchr(place.host.data, '@', place.host.size))
        return oi_fail(error, OI_E_INVALID, "a URL without a host, or with a name in it");
    (void) snprintf(place.origin, sizeof(place.origin), "http%s://%.*s", is_secure ? "s" : "",
                    OI_SLICE_ARGS(place.host));
    *ret_place = place;
    return OI_OK;
}

void
oi_websocket_key(const uint8_t bytes[16], char key[OI_WEBSOCKET_KEY_SIZE])
{
    struct oi_buffer text = {};

    oi_base64((struct oi_slice){ (const char *) bytes, 16 }, &text);
    memcpy(key, text.data, OI_WEBSOCKET_KEY_SIZE - 1);
    key[OI_WEBSOCKET_KEY_SIZE - 1] = '\0';
    oi_buffer_release(&text);
}

void
oi_websocket_request(const struct oi_websocket_place *place, const char *user_agent,
                     const char *key, const char *bearer, struct oi_buffer *out)
{
    oi_buffer_add_text(out, "GET ");
    oi_buffer_add_slice(out, place->target);
    oi_buffer_add_text(out, " HTTP/1.1\r\nHost: ");
    oi_buffer_add_slice(out, place->host);
    oi_buffer_add_format(out,
                         "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: %s"
                         "\r\nSec-WebSocket-Version: 13\r\nUser-Agent: %s\r\n",
                         key, user_agent);
    if (bearer)
        oi_buffer_add_format(out, "Authorization: Bearer %s\r\n", bearer);
    oi_buffer_add_text(out, "\r\n");
}

/* What the fields of a head must say. */
struct fields {
    unsigned upgrades, connections, accepts; /* how often each was there and right */
    bool has_extension;
};

static bool
has_token(struct oi_slice list, const char *token)
{
    struct oi_slice part;

    while (oi_slice_next_part(&list, ',', &part))
        if (oi_slice_equal_ignoring_case(oi_slice_trim(part), oi_slice_of(token)))
            return true;
    return false;
}

/* False for a line that is no field. */
static bool
take_field(struct oi_slice line, struct oi_slice accept, struct fields *fields)
{
    const char *colon = memchr(line.data, ':', line.size);
    struct oi_slice name, value;

    if (!colon || colon == line.data)
        return false;
    name = (struct oi_slice){ line.data, (size_t) (colon - line.data) };
    value = (struct oi_slice){ colon + 1, line.size - name.size - 1 };
    for (size_t i = 0; i < name.size; i++)
        if ((unsigned char) name.data[i] <= ' ')
            return false;
    if (memchr(value.data, '\0', value.size) || memchr(value.data, '\n', value.size))
        return false;
    value = oi_slice_trim(value);
    if (oi_slice_equal_ignoring_case(name, OI_SLICE("Upgrade")))
        fields->upgrades += oi_slice_equal_ignoring_case(value, OI_SLICE("websocket")) ? 1 : 2;
    else if (oi_slice_equal_ignoring_case(name, OI_SLICE("Connection")))
        fields->connections |= has_token(value, "upgrade");
    else if (oi_slice_equal_ignoring_case(name, OI_SLICE("Sec-WebSocket-Accept")))
        fields->accepts += oi_slice_equal(value, accept) ? 1 : 2;
    else if (oi_slice_equal_ignoring_case(name, OI_SLICE("Sec-WebSocket-Extensions")) ||
             oi_slice_equal_ignoring_case(name, OI_SLICE("Sec-WebSocket-Protocol")))
        fields->has_extension = true; /* of ours there is none */
    return true;
}

static enum oi_status
judge_fields(struct oi_slice lines, const char *key, struct oi_error *error)
{
    struct oi_buffer accept = {};
    struct fields fields = {};
    bool is_sound = true;

    oi_websocket_accept(oi_slice_of(key), &accept);
    while (is_sound && lines.size > 0) {
        const char *end = memmem(lines.data, lines.size, "\r\n", 2);
        struct oi_slice line = { lines.data, end ? (size_t) (end - lines.data) : lines.size };
        size_t taken = end ? line.size + 2 : line.size;

        is_sound = line.size > 0 && take_field(line, oi_buffer_slice(&accept), &fields);
        lines.data += taken;
        lines.size -= taken;
    }
    oi_buffer_release(&accept);
    if (!is_sound)
        return oi_fail(error, OI_E_UPSTREAM, "the handshake's answer is no HTTP");
    if (fields.upgrades != 1 || fields.connections != 1)
        return oi_fail(error, OI_E_UPSTREAM, "the handshake's answer upgrades nothing");
    if (fields.accepts != 1)
        return oi_fail(error, OI_E_UPSTREAM, "the handshake's answer is not to our key");
    if (fields.has_extension)
        return oi_fail(error, OI_E_UPSTREAM, "an extension that was not asked for");
    return OI_OK;
}

static enum oi_status
judge_status(int status, struct oi_error *error)
{
    enum oi_status code = OI_E_UPSTREAM;

    if (status == 429 || status == 418 || status == 503)
        code = OI_E_BUSY;
    else if (status == 401 || status == 403 || status == 451)
        code = OI_E_DENIED;
    else if (status == 404)
        code = OI_E_NOT_FOUND;
    return oi_fail(error, code, "HTTP %d in place of a WebSocket", status);
}

enum oi_status
oi_websocket_response(struct oi_slice bytes, const char *key, size_t *ret_size,
                      int *ret_http_status, struct oi_error *error)
{
    const char *end = bytes.size > 0 ? memmem(bytes.data, bytes.size, "\r\n\r\n", 4) : NULL;
    const char *line_end;
    struct oi_slice lines;
    size_t digits = strlen(VERSION);
    size_t known = bytes.size < digits ? bytes.size : digits;
    int status = 0;

    *ret_size = 0;
    *ret_http_status = 0;
    if (known > 0 && memcmp(bytes.data, VERSION, known) != 0)
        return oi_fail(error, OI_E_UPSTREAM, "the handshake's answer is no HTTP/1.1");
    if (!end && bytes.size > OI_WEBSOCKET_HEAD_SIZE_MAX)
        return oi_fail(error, OI_E_UPSTREAM, "the handshake's answer has no end");
    if (!end)
        return OI_OK;
    line_end = memmem(bytes.data, bytes.size, "\r\n", 2);
    if ((size_t) (line_end - bytes.data) < digits + 3)
        return oi_fail(error, OI_E_UPSTREAM, "the handshake's answer has no status");
    for (size_t i = digits; i < digits + 3; i++) {
        if (bytes.data[i] < '0' || bytes.data[i] > '9')
            return oi_fail(error, OI_E_UPSTREAM, "the handshake's answer has no status");
        status = status * 10 + (bytes.data[i] - '0');
    }
    *ret_http_status = status;
    if (status != 101)
        return judge_status(status, error);
    lines = (struct oi_slice){ line_end + 2, 0 };
    if (end > line_end)
        lines.size = (size_t) (end - lines.data);
    OI_TRY(judge_fields(lines, key, error));
    *ret_size = (size_t) (end - bytes.data) + 4;
    return OI_OK;
}
