/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads are gathered byte by byte under the limits, so that a bare LF is refused the moment it
 * comes. A complete head is read twice: by llhttp, and by checks of ours for what llhttp lets
 * through; both must be content. The body is read here, because a chunked one has as many traps.
 */
#include "net/http_parse.h"

#include "base/utf8.h"

#include <llhttp.h>

/* Browsers send about 20 headers, curl 3; a proxy's chain has been seen to reach 60. */
#define HEADER_COUNT_MAX 256
/* Nobody we know sends chunk extensions; room for one short one in a body. */
#define EXTENSION_SIZE_MAX 256
#define TRAILER_SIZE_MAX 4096
/* Hexadecimal digits of a chunk's size: more is more than any body_size_max. */
#define SIZE_DIGITS_MAX 8

static void
refuse(struct oi_http_parser *parser, int status, const char *reason)
{
    if (parser->state == OI_HTTP_PARSE_REFUSED)
        return;
    parser->state = OI_HTTP_PARSE_REFUSED;
    parser->status = status;
    parser->reason = reason;
}

static bool
is_token_character(char character)
{
    return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z') ||
           (character >= 'A' && character <= 'Z') ||
           (character && strchr("!#$%&'*+-.^_`|~", character));
}

/* Letters, digits and what names, addresses and ports are made of; never a user or a path. */
static bool
is_host(struct oi_slice host)
{
    for (size_t i = 0; i < host.size; i++) {
        char character = host.data[i];
        bool is_letter = (character >= '0' && character <= '9') ||
                         (character >= 'a' && character <= 'z') ||
                         (character >= 'A' && character <= 'Z');

        if (!is_letter && !(character && strchr("-._~:[]%!$&'()*+;=", character)))
            return false;
    }
    return host.size > 0;
}

/* One header line, without its end. False (and refused) when it is unsound. */
static bool
check_header_line(struct oi_http_parser *parser, struct oi_slice line,
                  struct oi_http_field *ret_field)
{
    size_t colon = 0;
    struct oi_slice value;

    if (line.data[0] == ' ' || line.data[0] == '\t') {
        refuse(parser, 400, "a folded header");
        return false;
    }
    while (colon < line.size && is_token_character(line.data[colon]))
        colon++;
    if (colon == 0 || colon == line.size || line.data[colon] != ':') {
        refuse(parser, 400, "a header name must be a token followed by a colon");
        return false;
    }
    value = (struct oi_slice){ line.data + colon + 1, line.size - colon - 1 };
    for (size_t i = 0; i < value.size; i++) {
        unsigned char byte = (unsigned char) value.data[i];

        if ((byte < ' ' && byte != '\t') || byte == 0x7f) {
            refuse(parser, 400, "a control character in a header");
            return false;
        }
    }
    if (!oi_utf8_is_valid(value)) {
        refuse(parser, 400, "a header that is not UTF-8");
        return false;
    }
    ret_field->name = (struct oi_slice){ line.data, colon };
    ret_field->value = oi_slice_trim(value);
    return true;
}

/* "GET /x HTTP/1.1", with single blanks. The method itself is llhttp's to know. */
static bool
check_request_line(struct oi_http_parser *parser, struct oi_slice line)
{
    struct oi_slice rest = line, method, target;

    if (!oi_slice_next_part(&rest, ' ', &method) || !oi_slice_next_part(&rest, ' ', &target) ||
        method.size == 0 || target.size == 0 || !rest.data || memchr(rest.data, ' ', rest.size)) {
        refuse(parser, 400, "the request line is not method, target and version");
        return false;
    }
    parser->target = target;
    parser->target_start = (size_t) (target.data - parser->head.data);
    for (size_t i = 0; i < method.size; i++) {
        if (method.data[i] < 'A' || method.data[i] > 'Z') {
            /* Real methods with a hyphen exist (M-SEARCH) and nothing of ours takes them. */
            refuse(parser, method.data[i] == '-' ? 501 : 400, "a method is upper-case letters");
            return false;
        }
    }
    for (size_t i = 0; i < target.size; i++) {
        if ((unsigned char) target.data[i] <= ' ' || (unsigned char) target.data[i] >= 0x7f) {
            refuse(parser, 400, "a character in the target that must be encoded");
            return false;
        }
    }
    if (oi_slice_is(rest, "HTTP/1.1") || oi_slice_is(rest, "HTTP/1.0"))
        return true;
    if (rest.size == strlen("HTTP/1.1") && oi_slice_starts_with(rest, "HTTP/"))
        refuse(parser, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    else
        refuse(parser, 400, "the version is malformed");
    return false;
}

/* What llhttp found out, taken down when it has read the head. */
struct found {
    bool is_complete, is_chunked, has_length, has_encoding, is_upgrade, closes, keeps_alive;
    unsigned major, minor;
    uint64_t length;
    uint8_t method;
};

static int
on_headers_complete(llhttp_t *llhttp)
{
    struct found *found = llhttp->data;

    found->is_complete = true;
    found->is_chunked = (llhttp->flags & F_CHUNKED) != 0;
    found->has_length = (llhttp->flags & F_CONTENT_LENGTH) != 0;
    found->has_encoding = (llhttp->flags & F_TRANSFER_ENCODING) != 0;
    found->is_upgrade = llhttp->upgrade != 0 || (llhttp->flags & F_CONNECTION_UPGRADE) != 0;
    found->closes = (llhttp->flags & F_CONNECTION_CLOSE) != 0;
    found->keeps_alive = (llhttp->flags & F_CONNECTION_KEEP_ALIVE) != 0;
    found->major = llhttp->http_major;
    found->minor = llhttp->http_minor;
    found->length = llhttp->content_length;
    found->method = llhttp->method;
    return 1; /* the body is read by us */
}

static void
refuse_as_llhttp(struct oi_http_parser *parser, llhttp_errno_t code)
{
    bool is_method = code == HPE_INVALID_METHOD || code == HPE_PAUSED_H2_UPGRADE;

    if (is_method)
        refuse(parser, 501, "an unknown method");
    else if (code == HPE_INVALID_VERSION)
        refuse(parser, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    else if (code == HPE_INVALID_CONTENT_LENGTH || code == HPE_UNEXPECTED_CONTENT_LENGTH)
        refuse(parser, 400, "the length of the body is malformed or ambiguous");
    else if (code == HPE_INVALID_TRANSFER_ENCODING)
        refuse(parser, 400, "an unknown transfer encoding");
    else
        refuse(parser, 400, "the request is malformed");
}

static bool
ask_llhttp(struct oi_http_parser *parser, struct found *ret_found)
{
    llhttp_settings_t settings;
    llhttp_t llhttp;
    llhttp_errno_t code;

    llhttp_settings_init(&settings);
    settings.on_headers_complete = on_headers_complete;
    llhttp_init(&llhttp, HTTP_REQUEST, &settings);
    llhttp.data = ret_found;
    code = llhttp_execute(&llhttp, parser->head.data, parser->head.size);
    if (code != HPE_OK && code != HPE_PAUSED_UPGRADE) {
        refuse_as_llhttp(parser, code);
        return false;
    }
    if (!ret_found->is_complete) {
        refuse(parser, 400, "the request is malformed");
        return false;
    }
    return true;
}

static enum oi_http_method
method_of(uint8_t method)
{
    switch (method) {
    case HTTP_GET:
        return OI_HTTP_GET;
    case HTTP_HEAD:
        return OI_HTTP_HEAD;
    case HTTP_POST:
        return OI_HTTP_POST;
    case HTTP_PUT:
        return OI_HTTP_PUT;
    case HTTP_DELETE:
        return OI_HTTP_DELETE;
    case HTTP_OPTIONS:
        return OI_HTTP_OPTIONS;
    default:
        return OI_HTTP_OTHER;
    }
}

static size_t
count_headers(const struct oi_http_request *request, const char *name)
{
    struct oi_slice wanted = oi_slice_of(name);
    size_t count = 0;

    for (size_t i = 0; i < request->headers.count; i++)
        count += oi_slice_equal_ignoring_case(request->headers.items[i].name, wanted);
    return count;
}

static void
check_framing(struct oi_http_parser *parser, const struct found *found,
              const struct oi_http_request *request)
{
    const struct oi_slice *encoding = oi_http_header(request, "transfer-encoding");
    const struct oi_slice *length = oi_http_header(request, "content-length");

    if (count_headers(request, "content-length") > 1 ||
        count_headers(request, "transfer-encoding") > 1 || (length && encoding))
        refuse(parser, 400, "the length of the body is ambiguous");
    else if (encoding && request->is_http10)
        refuse(parser, 400, "a transfer encoding in HTTP/1.0");
    else if (encoding && !oi_slice_equal_ignoring_case(*encoding, OI_SLICE("chunked")))
        refuse(parser, 501, "the only transfer encoding is chunked");
    else if (found->is_chunked != (encoding != NULL) || found->has_length != (length != NULL))
        refuse(parser, 400, "the length of the body is ambiguous");
    else if (length && found->length > parser->limits.body_size_max)
        refuse(parser, 413, "the body is too large");
    for (size_t i = 0; length && i < length->size; i++)
        if (length->data[i] < '0' || length->data[i] > '9')
            refuse(parser, 400, "a length is digits");
}

static void
check_expectation(struct oi_http_parser *parser, const struct oi_http_request *request)
{
    const struct oi_slice *expect = oi_http_header(request, "expect");

    if (!expect || request->is_http10)
        return;
    if (!oi_slice_equal_ignoring_case(*expect, OI_SLICE("100-continue")))
        refuse(parser, 417, "the only expectation is 100-continue");
    parser->expects_continue = true;
}

/* The target in its four forms (RFC 9112, 3.2), and the host with it. */
static void
read_target(struct oi_http_parser *parser, struct oi_http_request *request)
{
    const struct oi_slice *header = oi_http_header(request, "host");
    struct oi_slice host = header ? *header : (struct oi_slice){};
    struct oi_slice target = parser->target;
    struct oi_error error = {};

    if (count_headers(request, "host") > 1 || (!header && !request->is_http10)) {
        refuse(parser, 400, "exactly one Host is needed");
        return;
    }
    if (oi_slice_starts_with(target, "http://") || oi_slice_starts_with(target, "https://")) {
        struct oi_slice rest = { target.data + (target.data[4] == 's' ? 8 : 7), 0 };
        size_t size = 0;

        rest.size = target.size - (size_t) (rest.data - target.data);
        while (size < rest.size && rest.data[size] != '/' && rest.data[size] != '?')
            size++;
        host = (struct oi_slice){ rest.data, size };
        target = (struct oi_slice){ rest.data + size, rest.size - size };
        if (target.size == 0)
            target = OI_SLICE("/");
    }
    if ((header && !is_host(*header)) || (host.data && !is_host(host))) {
        refuse(parser, 400, "the host is malformed");
        return;
    }
    request->origin = host;
    request->raw_target = parser->target;
    if (oi_slice_is(target, "*") && request->method == OI_HTTP_OPTIONS) {
        request->path = target;
        return;
    }
    if (oi_http_parse_target(target, request, &error) != OI_OK)
        refuse(parser, 400, "the target is malformed");
    request->raw_target = parser->target;
}

static void
finish_head(struct oi_http_parser *parser, struct oi_http_request *request)
{
    struct oi_slice rest = oi_buffer_slice(&parser->head);
    struct oi_slice line;
    struct found found = {};

    for (size_t i = 0; oi_slice_next_part(&rest, '\n', &line); i++) {
        struct oi_http_field field;

        if (line.size > 0)
            line.size--; /* the CR; every line was checked to have one */
        if (line.size == 0)
            break;
        if (i == 0)
            continue; /* the request line was checked when it came */
        if (!check_header_line(parser, line, &field))
            return;
        if (i > HEADER_COUNT_MAX) {
            refuse(parser, 431, "too many headers");
            return;
        }
        oi_vector_push(&request->headers, field);
    }
    if (!ask_llhttp(parser, &found))
        return;
    request->is_http10 = found.minor == 0;
    request->method = method_of(found.method);
    if (found.method == HTTP_CONNECT) {
        refuse(parser, 501, "this is not a proxy");
        return;
    }
    check_framing(parser, &found, request);
    check_expectation(parser, request);
    if (parser->state != OI_HTTP_PARSE_REFUSED)
        read_target(parser, request);
    if (parser->state == OI_HTTP_PARSE_REFUSED)
        return;
    parser->is_upgrade = found.is_upgrade && oi_http_header(request, "upgrade");
    parser->keeps_alive = request->is_http10 ? found.keeps_alive && !found.closes : !found.closes;
    parser->is_chunked = found.is_chunked;
    parser->body_left = found.is_chunked ? 0 : found.length;
    parser->body.size_max = parser->limits.body_size_max + 1;
    parser->state = found.is_chunked || found.length > 0 ? OI_HTTP_PARSE_BODY : OI_HTTP_PARSE_DONE;
}

/* A line of the head has ended: at the first one the request line is judged, so that nobody has to
 * wait for the rest of it; an empty one ends the head. */
static void
finish_line(struct oi_http_parser *parser, struct oi_http_request *request)
{
    size_t size = parser->head.size - parser->line_start;
    struct oi_slice line = { parser->head.data + parser->line_start, size };

    if (size < 2 || line.data[size - 2] != '\r') {
        refuse(parser, 400, "a line must end with CR and LF");
        return;
    }
    line.size -= 2;
    parser->line_start = parser->head.size;
    if (line.size == 0 && parser->line_count == 0) {
        /* One empty line before a request is old clients' custom (RFC 9112, 2.2). */
        parser->line_count = 1;
        parser->head.size = parser->line_start = 0;
        return;
    }
    if (line.data == parser->head.data) {
        if (line.size == 0)
            refuse(parser, 400, "the request line is missing");
        else
            (void) check_request_line(parser, line);
        parser->line_count = 2;
        return;
    }
    if (line.size == 0)
        finish_head(parser, request);
}

/* Everything up to the next LF, within the limits. */
static size_t
read_head(struct oi_http_parser *parser, struct oi_slice bytes, struct oi_http_request *request)
{
    const char *line_end = memchr(bytes.data, '\n', bytes.size);
    size_t size = line_end ? (size_t) (line_end - bytes.data) + 1 : bytes.size;
    size_t room = parser->limits.head_size_max - parser->head.size;
    bool is_first = parser->line_start == 0;

    if (memchr(bytes.data, '\0', size)) {
        refuse(parser, 400, "a NUL in the head");
        return 0;
    }
    /* A CR stands before an LF and nowhere else. */
    for (const char *at = bytes.data; (at = memchr(at, '\r', size - (size_t) (at - bytes.data)));
         at++) {
        if (at + 1 < bytes.data + size && at[1] != '\n') {
            refuse(parser, 400, "a CR without its LF");
            return 0;
        }
    }
    if (parser->head.size > parser->line_start &&
        parser->head.data[parser->head.size - 1] == '\r' && bytes.data[0] != '\n') {
        refuse(parser, 400, "a CR without its LF");
        return 0;
    }
    oi_buffer_add(&parser->head, bytes.data, size < room ? size : room);
    if (parser->target.size > 0)
        parser->target.data = parser->head.data + parser->target_start; /* it may have moved */
    if (is_first) {
        struct oi_slice rest = oi_buffer_slice(&parser->head), method, target;

        /* The target of a request line that is still coming. */
        if (oi_slice_next_part(&rest, ' ', &method) && oi_slice_next_part(&rest, ' ', &target) &&
            target.size > parser->limits.target_size_max) {
            parser->target = target;
            parser->target_start = (size_t) (target.data - parser->head.data);
            refuse(parser, 414, "the target is too long");
            return size;
        }
    }
    if (size > room || parser->head.size >= parser->limits.head_size_max)
        refuse(parser, 431, "the head is too large");
    else if (line_end)
        finish_line(parser, request);
    return size;
}

static bool
add_body(struct oi_http_parser *parser, struct oi_slice bytes)
{
    if (bytes.size > parser->limits.body_size_max - parser->body.size) {
        refuse(parser, 413, "the body is too large");
        return false;
    }
    oi_buffer_add(&parser->body, bytes.data, bytes.size);
    return true;
}

static void
read_size_digit(struct oi_http_parser *parser, char character)
{
    int digit = oi_hex_value(character);

    if (digit >= 0) {
        parser->body_left = parser->body_left * 16 + (unsigned) digit;
        if (++parser->size_digits > SIZE_DIGITS_MAX)
            refuse(parser, 400, "the size of a chunk is out of range");
    } else if (parser->size_digits == 0) {
        refuse(parser, 400, "the size of a chunk is missing");
    } else if (parser->body_left > parser->limits.body_size_max - parser->body.size) {
        refuse(parser, 413, "the body is too large");
    } else if (character == ';') {
        parser->chunk_state = OI_HTTP_CHUNK_EXTENSION;
    } else if (character == '\r') {
        parser->chunk_state = OI_HTTP_CHUNK_SIZE_LF;
    } else {
        refuse(parser, 400, "the size of a chunk is malformed");
    }
}

static void
read_extension(struct oi_http_parser *parser, char character)
{
    if (character == '\r')
        parser->chunk_state = OI_HTTP_CHUNK_SIZE_LF;
    else if ((unsigned char) character < ' ' || character == 0x7f)
        refuse(parser, 400, "a control character in a chunk's extension");
    else if (++parser->extension_size > EXTENSION_SIZE_MAX)
        refuse(parser, 400, "the extensions of chunks are too long");
}

/* Trailers are checked for their line ends, bounded, and dropped: nothing of ours needs one. */
static void
read_trailer(struct oi_http_parser *parser, char character)
{
    if (++parser->trailer_size > TRAILER_SIZE_MAX) {
        refuse(parser, 431, "the trailers are too large");
        return;
    }
    if (character == '\0') {
        refuse(parser, 400, "a NUL in a trailer");
        return;
    }
    oi_buffer_add_char(&parser->trailer, character);
    if (character == '\n') {
        struct oi_slice line = oi_buffer_slice(&parser->trailer);
        struct oi_http_field field;

        oi_buffer_clear(&parser->trailer);
        if (line.size < 2 || line.data[line.size - 2] != '\r') {
            refuse(parser, 400, "a line must end with CR and LF");
            return;
        }
        line.size -= 2;
        if (line.size == 0)
            parser->state = OI_HTTP_PARSE_DONE;
        else
            (void) check_header_line(parser, line, &field);
    }
}

static void
read_chunk_character(struct oi_http_parser *parser, char character)
{
    switch (parser->chunk_state) {
    case OI_HTTP_CHUNK_SIZE:
        read_size_digit(parser, character);
        return;
    case OI_HTTP_CHUNK_EXTENSION:
        read_extension(parser, character);
        return;
    case OI_HTTP_CHUNK_SIZE_LF:
        if (character != '\n')
            refuse(parser, 400, "a line must end with CR and LF");
        parser->chunk_state = parser->body_left ? OI_HTTP_CHUNK_DATA : OI_HTTP_CHUNK_TRAILER;
        return;
    case OI_HTTP_CHUNK_DATA:
        return;
    case OI_HTTP_CHUNK_DATA_CR:
        if (character != '\r')
            refuse(parser, 400, "a chunk is longer than its size");
        parser->chunk_state = OI_HTTP_CHUNK_DATA_LF;
        return;
    case OI_HTTP_CHUNK_DATA_LF:
        if (character != '\n')
            refuse(parser, 400, "a line must end with CR and LF");
        parser->chunk_state = OI_HTTP_CHUNK_SIZE;
        parser->size_digits = 0;
        return;
    case OI_HTTP_CHUNK_TRAILER:
        read_trailer(parser, character);
        return;
    }
}

static size_t
read_body(struct oi_http_parser *parser, struct oi_slice bytes)
{
    bool is_data = !parser->is_chunked || parser->chunk_state == OI_HTTP_CHUNK_DATA;

    if (!is_data) {
        read_chunk_character(parser, bytes.data[0]);
        return 1;
    }
    if (bytes.size > parser->body_left)
        bytes.size = (size_t) parser->body_left;
    if (!add_body(parser, bytes))
        return bytes.size;
    parser->body_left -= bytes.size;
    if (parser->body_left == 0 && parser->is_chunked)
        parser->chunk_state = OI_HTTP_CHUNK_DATA_CR;
    else if (parser->body_left == 0)
        parser->state = OI_HTTP_PARSE_DONE;
    return bytes.size;
}

size_t
oi_http_parser_read(struct oi_http_parser *parser, struct oi_slice bytes,
                    struct oi_http_request *request)
{
    size_t taken = 0;

    while (taken < bytes.size && parser->state == OI_HTTP_PARSE_HEAD) {
        struct oi_slice rest = { bytes.data + taken, bytes.size - taken };

        taken += read_head(parser, rest, request);
        if (parser->state == OI_HTTP_PARSE_BODY)
            return taken;
    }
    while (taken < bytes.size && parser->state == OI_HTTP_PARSE_BODY) {
        struct oi_slice rest = { bytes.data + taken, bytes.size - taken };

        taken += read_body(parser, rest);
    }
    if (parser->state == OI_HTTP_PARSE_DONE)
        request->body = oi_buffer_slice(&parser->body);
    return taken;
}

bool
oi_http_parser_is_busy(const struct oi_http_parser *parser)
{
    return parser->state == OI_HTTP_PARSE_BODY ||
           (parser->state == OI_HTTP_PARSE_HEAD &&
            (parser->head.size > 0 || parser->line_count > 0));
}

void
oi_http_parser_reset(struct oi_http_parser *parser)
{
    struct oi_http_parser fresh = {
        .limits = parser->limits,
        .head = parser->head,
        .body = parser->body,
        .trailer = parser->trailer,
    };

    oi_buffer_clear(&fresh.head);
    oi_buffer_clear(&fresh.body);
    oi_buffer_clear(&fresh.trailer);
    *parser = fresh;
}

void
oi_http_parser_release(struct oi_http_parser *parser)
{
    oi_buffer_release(&parser->head);
    oi_buffer_release(&parser->body);
    oi_buffer_release(&parser->trailer);
    oi_http_parser_reset(parser);
}
