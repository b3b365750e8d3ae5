/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reply on its way out: whether and how it is compressed, how its length is told, and the pieces
 * of one that is streamed.
 */
#include "net/http_connection_internal.h"

/* Below this the head outweighs what gzip saves. */
#define GZIP_SIZE_MIN 1500
/* Above this compressing takes longer (0.3 ms at level 1) than the loop's other clients may wait.
 */
#define GZIP_INLINE_MAX ((size_t) 64 << 10)
/* The fast level: the higher ones cost four to six times as much for 15 % less. */
#define GZIP_LEVEL 1
/* Bodies up to here are copied behind their head, so that one piece leaves. */
#define JOIN_SIZE_MAX ((size_t) 16 << 10)

/* Pieces without a byte in a row, before the loop is thought more of than the reply. */
#define EMPTY_PIECES_MAX 1000

static const char *
status_phrase(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } phrases[] = {
        { 101, "Switching Protocols" },
        { 200, "OK" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 204, "No Content" },
        { 206, "Partial Content" },
        { 301, "Moved Permanently" },
        { 302, "Found" },
        { 303, "See Other" },
        { 304, "Not Modified" },
        { 307, "Temporary Redirect" },
        { 308, "Permanent Redirect" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 402, "Payment Required" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 406, "Not Acceptable" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 410, "Gone" },
        { 412, "Precondition Failed" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 415, "Unsupported Media Type" },
        { 416, "Range Not Satisfiable" },
        { 417, "Expectation Failed" },
        { 418, "I'm a teapot" },
        { 421, "Misdirected Request" },
        { 422, "Unprocessable Content" },
        { 426, "Upgrade Required" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 451, "Unavailable For Legal Reasons" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
        { 505, "HTTP Version Not Supported" },
    };

    for (size_t i = 0; i < OI_COUNT(phrases); i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "Status";
}

/* Does a message of this status have a body (RFC 9110, 6.4.1)? */
static bool
status_has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

/* These are ours to write, whatever a handler says. */
static bool
is_framing(struct oi_slice name)
{
    static const char *const names[] = { "Content-Length", "Transfer-Encoding", "Connection",
                                         "Date" };

    for (size_t i = 0; i < OI_COUNT(names); i++)
        if (oi_slice_equal_ignoring_case(name, oi_slice_of(names[i])))
            return true;
    return false;
}

static void
write_field(const char *name, struct oi_slice value, struct oi_buffer *out)
{
    oi_buffer_add_text(out, name);
    oi_buffer_add_text(out, ": ");
    oi_buffer_add_slice(out, value);
    oi_buffer_add_text(out, "\r\n");
}

void
oi_http_write_head(struct oi_http_connection *connection, struct oi_buffer *out)
{
    const struct oi_http_reply *reply = &connection->reply;
    /* Where a handler has a clock of its own. */
    const struct oi_slice *date = oi_http_reply_find(reply, "Date");

    oi_buffer_add_text(out, "HTTP/1.1 ");
    oi_buffer_add_int(out, reply->status);
    oi_buffer_add_char(out, ' ');
    oi_buffer_add_text(out, status_phrase(reply->status));
    oi_buffer_add_text(out, "\r\n");
    write_field("Date", date ? *date : oi_slice_of(connection->host->date(connection->host)), out);
    for (size_t i = 0; i < reply->headers.count; i++) {
        const struct oi_http_field *field = &reply->headers.items[i];

        if (!is_framing(field->name))
            write_field(field->name.data, field->value, out);
    }
    if (reply->status == 101) {
        write_field("Connection", OI_SLICE("Upgrade"), out);
    } else {
        if (connection->is_chunked) {
            write_field("Transfer-Encoding", OI_SLICE("chunked"), out);
        } else if (!reply->more && status_has_body(reply->status)) {
            oi_buffer_add_text(out, "Content-Length: ");
            oi_buffer_add_int(out, (int64_t) oi_http_reply_body(reply).size);
            oi_buffer_add_text(out, "\r\n");
        }
        if (connection->ends_after)
            write_field("Connection", OI_SLICE("close"), out);
        else if (connection->request.is_http10)
            write_field("Connection", OI_SLICE("keep-alive"), out);
    }
    oi_buffer_add_text(out, "\r\n");
}

/* The quality of one element of Accept-Encoding: is it zero? */
static bool
is_refused(struct oi_slice parameters)
{
    struct oi_slice parameter;

    while (oi_slice_next_part(&parameters, ';', &parameter)) {
        parameter = oi_slice_trim(parameter);
        if (parameter.size >= 3 && (parameter.data[0] | 0x20) == 'q' && parameter.data[1] == '=' &&
            parameter.data[2] == '0') {
            for (size_t i = 3; i < parameter.size; i++)
                if (parameter.data[i] >= '1' && parameter.data[i] <= '9')
                    return false;
            return true;
        }
    }
    return false;
}

/* An element by name outweighs "*". */
bool
oi_http_accepts_gzip(const struct oi_http_request *request)
{
    bool accepts = false;

    for (size_t i = 0; i < request->headers.count; i++) {
        const struct oi_http_field *header = &request->headers.items[i];
        struct oi_slice rest = header->value, element;

        if (!oi_slice_equal_ignoring_case(header->name, OI_SLICE("accept-encoding")))
            continue;
        while (oi_slice_next_part(&rest, ',', &element)) {
            struct oi_slice parameters = element, name;

            (void) oi_slice_next_part(&parameters, ';', &name);
            name = oi_slice_trim(name);
            if (oi_slice_equal_ignoring_case(name, OI_SLICE("gzip")))
                return !is_refused(parameters);
            if (oi_slice_is(name, "*"))
                accepts = !is_refused(parameters);
        }
    }
    return accepts;
}

void
oi_http_connection_finish_reply(struct oi_http_connection *connection)
{
    oi_http_reply_release(&connection->reply);
    oi_http_request_release(&connection->request);
    oi_http_parser_reset(&connection->parser);
    oi_gzip_stream_free(&connection->gzip);
    connection->reply_state = OI_HTTP_REPLY_NONE;
    connection->is_chunked = false;
    connection->input_ms = connection->host->now_ms;
}

static void
end_stream(struct oi_http_reply *reply)
{
    if (reply->finish)
        reply->finish(reply->context);
    reply->finish = NULL;
    reply->more = NULL;
}

/* One piece, not empty unless it is the last or there is nothing yet. False: nothing sound will
 * come any more. */
static bool
take_piece(struct oi_http_reply *reply, struct oi_buffer *piece, bool *ret_is_last)
{
    struct oi_error error = {};
    size_t before = piece->size;
    bool is_last = false;

    reply->is_waiting = false;
    for (unsigned i = 0; !is_last && piece->size == before && !reply->is_waiting; i++) {
        if (i == EMPTY_PIECES_MAX ||
            reply->more(reply->context, piece, &is_last, &error) != OI_OK || piece->overflowed)
            return false;
    }
    *ret_is_last = is_last;
    return true;
}

/* Frame a piece and queue it. */
static void
queue_piece(struct oi_http_connection *connection, struct oi_buffer *piece, bool is_last)
{
    struct oi_output *output = &connection->output;

    if (connection->gzip) {
        struct oi_buffer packed = {};

        oi_gzip_stream_add(connection->gzip, oi_buffer_slice(piece), is_last, &packed);
        oi_buffer_release(piece);
        *piece = packed;
    }
    if (connection->is_chunked && piece->size > 0) {
        struct oi_buffer size = {};

        oi_buffer_add_format(&size, "%zx\r\n", piece->size);
        oi_output_add(output, oi_buffer_slice(&size));
        oi_buffer_release(&size);
        oi_output_move(output, piece);
        oi_output_add(output, OI_SLICE("\r\n"));
    } else {
        oi_output_move(output, piece);
    }
    if (is_last && connection->is_chunked)
        oi_output_add(output, OI_SLICE("0\r\n\r\n"));
}

void
oi_http_connection_pull(struct oi_http_connection *connection)
{
    struct oi_buffer piece = {};
    bool is_last;

    if (!take_piece(&connection->reply, &piece, &is_last)) {
        /* The status is out; only an end before its time tells the client. */
        oi_buffer_release(&piece);
        oi_http_connection_finish_reply(connection);
        connection->phase = OI_HTTP_PHASE_DONE;
        return;
    }
    queue_piece(connection, &piece, is_last);
    if (is_last)
        oi_http_connection_finish_reply(connection);
    else if (connection->reply.is_waiting)
        connection->reply_state = OI_HTTP_REPLY_WAITING;
}

void
oi_http_connection_end_waiting(struct oi_http_connection *connection)
{
    struct oi_buffer nothing = {};

    queue_piece(connection, &nothing, true);
    connection->ends_after = true;
    oi_http_connection_finish_reply(connection);
}

/* The first piece is taken before the head is written: a failure can still be said, and an answer
 * that turns out short gets its length. False when there is nothing left to answer. */
static bool
begin_stream(struct oi_http_connection *connection)
{
    struct oi_http_reply *reply = &connection->reply;
    bool is_last;

    if (connection->is_head)
        return true;
    if (!take_piece(reply, &reply->body, &is_last)) {
        oi_http_connection_refuse(connection, 500, "the answer could not be made");
        return false;
    }
    if (is_last)
        end_stream(reply);
    return true;
}

/* Compress what is worth it. False when the host does it and answers later. */
static bool
encode(struct oi_http_connection *connection)
{
    struct oi_http_reply *reply = &connection->reply;
    struct oi_buffer packed = {};

    if (!reply->is_compressible || !status_has_body(reply->status) || reply->status == 206 ||
        reply->shared || oi_http_reply_find(reply, "content-encoding"))
        return true;
    oi_http_reply_header_text(reply, "Vary", "Accept-Encoding");
    reply->is_compressible = false;
    if (connection->request.is_http10 || !oi_http_accepts_gzip(&connection->request))
        return true;
    if (reply->more) {
        oi_http_reply_header_text(reply, "Content-Encoding", "gzip");
        connection->gzip = oi_gzip_stream_new(GZIP_LEVEL);
        return true;
    }
    if (reply->body.size < GZIP_SIZE_MIN)
        return true;
    if (reply->body.size > GZIP_INLINE_MAX && connection->host->compress) {
        struct oi_buffer body = reply->body;

        reply->body = (struct oi_buffer){};
        connection->reply_state = OI_HTTP_REPLY_COMPRESSING;
        connection->host->compress(connection->owner, &body);
        return false;
    }
    oi_gzip(oi_buffer_slice(&reply->body), GZIP_LEVEL, &packed);
    if (packed.size < reply->body.size) {
        oi_http_reply_header_text(reply, "Content-Encoding", "gzip");
        oi_buffer_release(&reply->body);
        reply->body = packed;
    } else {
        oi_buffer_release(&packed);
    }
    return true;
}

/* Keep an answer that the handler can vouch for another time, under the bytes of its request. Every
 * condition here that is not of the bytes is one of oi_http_connection_repeat. */
static void
remember(struct oi_http_connection *connection, struct oi_slice head)
{
    static const char date[] = "\r\nDate: ";
    const struct oi_http_reply *reply = &connection->reply;
    struct oi_http_repeats *repeats = connection->host->repeats;
    const char *at;

    if (!repeats || reply->recipe.size == 0 || connection->is_head || connection->ends_after ||
        reply->more || reply->body.size > 0 || connection->request.is_http10 ||
        connection->request.body.size > 0 || oi_http_reply_find(reply, "Date"))
        return;
    at = memmem(head.data, head.size, date, sizeof(date) - 1);
    if (at)
        oi_http_repeats_put(repeats, oi_buffer_slice(&connection->parser.head), head,
                            (size_t) (at - head.data) + sizeof(date) - 1, reply);
}

bool
oi_http_connection_repeat(struct oi_http_connection *connection, struct oi_slice bytes)
{
    struct oi_http_host *host = connection->host;
    const struct oi_http_repeat *repeat;
    struct oi_buffer head = {};
    const char *date;

    if (!host->repeats || host->is_stopping || connection->phase != OI_HTTP_PHASE_REQUESTS ||
        connection->reply_state != OI_HTTP_REPLY_NONE || connection->ends_after ||
        connection->output.size > 0 || oi_http_parser_is_busy(&connection->parser))
        return false;
    repeat = oi_http_repeats_find(host->repeats, bytes);
    if (!repeat || !host->handler->again(host->handler->context, repeat->recipe))
        return false;
    host->stats.requests++;
    connection->has_asked = true;
    date = host->date(host);
    if (strlen(date) == OI_HTTP_REPEAT_DATE_SIZE)
        memcpy(repeat->date, date, OI_HTTP_REPEAT_DATE_SIZE);
    if (repeat->part.size > JOIN_SIZE_MAX) {
        oi_output_add(&connection->output, repeat->head);
        oi_output_share(&connection->output, repeat->body, repeat->part);
        return true;
    }
    (void) oi_buffer_reserve(&head, repeat->head.size + repeat->part.size);
    oi_buffer_add_slice(&head, repeat->head);
    oi_buffer_add_slice(&head, repeat->part);
    oi_output_move(&connection->output, &head);
    return true;
}

void
oi_http_connection_answer(struct oi_http_connection *connection)
{
    struct oi_http_reply *reply = &connection->reply;
    bool has_body = !connection->is_head && status_has_body(reply->status);
    struct oi_buffer head = {};

    if (reply->is_withheld) {
        connection->reply_state = OI_HTTP_REPLY_WITHHELD;
        return;
    }
    if (reply->more && !begin_stream(connection))
        return;
    if (!encode(connection))
        return;
    if (connection->host->is_stopping)
        connection->ends_after = true;
    connection->is_chunked = reply->more && !connection->request.is_http10;
    if (reply->more && !connection->is_chunked)
        connection->ends_after = true;
    oi_http_write_head(connection, &head);
    if (reply->recipe.size > 0)
        remember(connection, oi_buffer_slice(&head));
    if (has_body && !reply->more && oi_http_reply_body(reply).size <= JOIN_SIZE_MAX) {
        oi_buffer_add_slice(&head, oi_http_reply_body(reply));
        has_body = false;
    }
    oi_output_move(&connection->output, &head);
    if (!has_body) {
        oi_http_connection_finish_reply(connection);
    } else if (reply->more) {
        connection->reply_state =
            reply->is_waiting ? OI_HTTP_REPLY_WAITING : OI_HTTP_REPLY_STREAMING;
        queue_piece(connection, &reply->body, false);
    } else {
        if (reply->shared)
            oi_output_share(&connection->output, reply->shared, reply->part);
        else
            oi_output_move(&connection->output, &reply->body);
        oi_http_connection_finish_reply(connection);
    }
}

void
oi_http_connection_refuse(struct oi_http_connection *connection, int status, const char *reason)
{
    const struct oi_http_handler *handler = connection->host->handler;
    struct oi_http_reply *reply = &connection->reply;
    /* A target may borrow from the parser, which is reset when the answer is complete. */
    struct oi_slice target = connection->parser.target;

    connection->host->stats.refused++;
    oi_http_reply_release(reply);
    reply->status = status;
    if (handler->refuse)
        handler->refuse(handler->context, status, reason, target, reply);
    end_stream(reply); /* a refusal is short */
    if (oi_http_reply_body(reply).size == 0) {
        oi_http_reply_type(reply, "text/plain; charset=utf-8");
        oi_buffer_add_text(&reply->body, reason);
        oi_buffer_add_char(&reply->body, '\n');
    }
    connection->ends_after = true;
    oi_http_connection_answer(connection);
}
