/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curl makes the connection (CONNECT_ONLY) in the client's multi handle and then leaves the socket
 * to us; bytes go through curl, which has the TLS. The handle stays in the multi as long as the
 * wire lives, or curl would not find its connection again.
 */
/* no unit test: websocket_client_test drives it */
#include "net/http_wire.h"

#include "net/http_client_internal.h"

#include <sys/socket.h>

#define TIMEOUT_MS_DEFAULT 10'000
#define PIECE_SIZE 16384
#define QUEUE_SIZE_MAX ((size_t) 4 << 20)

struct wire_poll {
    uv_poll_t uv;
    struct oi_http_wire *wire; /* NULL: dead */
};

struct oi_http_wire {
    struct oi_http_job job;
    struct oi_http_client *client;
    struct oi_http_wire_handler handler;
    CURL *easy;
    char reason[CURL_ERROR_SIZE];
    struct wire_poll *poll; /* NULL: not open yet */
    struct oi_buffer out;
    bool is_busy;   /* a callback is under way: freed behind it */
    bool is_closed; /* nothing more is called */
    struct oi_http_wire *previous, *next;
};

static void
on_poll_closed(uv_handle_t *handle)
{
    oi_free(handle->data);
}

static void
free_wire(struct oi_http_wire *wire)
{
    struct oi_http_client *client = wire->client;

    if (wire->poll) {
        wire->poll->wire = NULL;
        (void) uv_poll_stop(&wire->poll->uv);
        uv_close((uv_handle_t *) &wire->poll->uv, on_poll_closed);
    }
    if (wire->previous)
        wire->previous->next = wire->next;
    else
        client->wires = wire->next;
    if (wire->next)
        wire->next->previous = wire->previous;
    (void) curl_multi_remove_handle(client->multi, wire->easy);
    curl_easy_cleanup(wire->easy);
    oi_buffer_release(&wire->out);
    oi_free(wire);
}

/* Tell the owner, and free it now or behind the callback that is under way. */
static void
end_wire(struct oi_http_wire *wire, enum oi_status status, const struct oi_error *error)
{
    bool is_first = !wire->is_closed;

    wire->is_closed = true;
    if (is_first)
        wire->handler.closed(wire->handler.context, status, error);
    if (!wire->is_busy)
        free_wire(wire);
}

static void watch(struct oi_http_wire *wire);

/* Write what the socket takes; the failure that ends the wire otherwise. */
static CURLcode
flush(struct oi_http_wire *wire)
{
    while (wire->out.size > 0) {
        size_t sent = 0;
        CURLcode code = curl_easy_send(wire->easy, wire->out.data, wire->out.size, &sent);

        if (code != CURLE_OK)
            return code == CURLE_AGAIN ? CURLE_OK : code;
        oi_buffer_consume(&wire->out, sent);
    }
    return CURLE_OK;
}

/* Read until there is nothing more: TLS may hold bytes that the socket no longer shows. */
static CURLcode
drain(struct oi_http_wire *wire)
{
    char piece[PIECE_SIZE];

    while (!wire->is_closed) {
        size_t size = 0;
        CURLcode code = curl_easy_recv(wire->easy, piece, sizeof(piece), &size);

        if (code == CURLE_AGAIN)
            return CURLE_OK;
        if (code != CURLE_OK)
            return code;
        if (size == 0)
            return CURLE_RECV_ERROR; /* the other end has closed */
        wire->handler.received(wire->handler.context, (struct oi_slice){ piece, size });
    }
    return CURLE_OK;
}

static void
step(struct oi_http_wire *wire, bool is_readable)
{
    struct oi_error error = {};
    CURLcode code;

    wire->is_busy = true;
    code = flush(wire);
    if (code == CURLE_OK && is_readable)
        code = drain(wire);
    if (code == CURLE_OK && !wire->is_closed)
        code = flush(wire);
    if (code != CURLE_OK && !wire->is_closed) {
        (void) oi_fail(&error, OI_E_BUSY, "%s",
                       code == CURLE_RECV_ERROR ? "the other end has closed the connection"
                                                : curl_easy_strerror(code));
        end_wire(wire, OI_E_BUSY, &error);
    }
    wire->is_busy = false;
    if (wire->is_closed)
        free_wire(wire);
    else
        watch(wire);
}

static void
on_poll(uv_poll_t *handle, int code, int events)
{
    struct oi_http_wire *wire = ((struct wire_poll *) handle->data)->wire;

    if (wire)
        step(wire, code < 0 || events & UV_READABLE);
}

static void
watch(struct oi_http_wire *wire)
{
    int events = UV_READABLE | (wire->out.size > 0 ? UV_WRITABLE : 0);

    oi_assert(uv_poll_start(&wire->poll->uv, events, on_poll) == 0);
}

/* curl is done with the connection: it is there, or it will not be. */
static void
on_finish(struct oi_http_job *job, CURLcode code)
{
    struct oi_http_wire *wire = (struct oi_http_wire *) job;
    struct oi_error error = {};
    curl_socket_t socket = CURL_SOCKET_BAD;
    enum oi_status status;

    if (code == CURLE_OK && curl_easy_getinfo(wire->easy, CURLINFO_ACTIVESOCKET, &socket) != 0)
        socket = CURL_SOCKET_BAD;
    if (code == CURLE_OK && socket == CURL_SOCKET_BAD)
        code = CURLE_COULDNT_CONNECT;
    status = oi_http_client_judge(code, wire->reason, &error);
    if (status != OI_OK) {
        end_wire(wire, status, &error);
        return;
    }
    wire->poll = oi_alloc_zero(1, sizeof(*wire->poll));
    wire->poll->wire = wire;
    wire->poll->uv.data = wire->poll;
    oi_assert(uv_poll_init_socket(wire->client->uv, &wire->poll->uv, socket) == 0);
    wire->is_busy = true;
    wire->handler.opened(wire->handler.context);
    wire->is_busy = false;
    step(wire, false);
}

struct oi_http_wire *
oi_http_wire_open(struct oi_http_client *client, const char *origin, uint64_t timeout_ms,
                  const struct oi_http_wire_handler *handler)
{
    struct oi_http_wire *wire = oi_alloc_zero(1, sizeof(*wire));
    CURL *easy = curl_easy_init();

    oi_assert(easy != NULL); /* it fails only when memory is out */
    wire->job.finish = on_finish;
    wire->client = client;
    wire->handler = *handler;
    wire->easy = easy;
    wire->out.size_max = QUEUE_SIZE_MAX;
    wire->next = client->wires;
    if (wire->next)
        wire->next->previous = wire;
    client->wires = wire;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &wire->job);
    curl_easy_setopt(easy, CURLOPT_URL, client->redirect_to ? client->redirect_to : origin);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
    /* Or a server would speak HTTP/2, over which nothing of ours is upgraded. */
    curl_easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, 0L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, wire->reason);
    oi_http_client_route(client, easy, timeout_ms ? (long) timeout_ms : TIMEOUT_MS_DEFAULT);
    oi_assert(curl_multi_add_handle(client->multi, easy) == CURLM_OK);
    return wire;
}

void
oi_http_wire_send(struct oi_http_wire *wire, struct oi_slice bytes)
{
    oi_buffer_add_slice(&wire->out, bytes);
    if (wire->out.overflowed) {
        /* Half a message must not follow: nothing goes any more, and the owner hears of it. */
        uv_os_fd_t socket;

        oi_buffer_clear(&wire->out);
        if (uv_fileno((uv_handle_t *) &wire->poll->uv, &socket) == 0)
            (void) shutdown(socket, SHUT_RDWR);
        return;
    }
    if (!wire->is_busy)
        watch(wire);
}

void
oi_http_wire_close(struct oi_http_wire **wire)
{
    struct oi_http_wire *closing = *wire;

    if (!closing)
        return;
    *wire = NULL;
    closing->is_closed = true;
    if (closing->is_busy)
        return;
    if (closing->poll)
        (void) flush(closing);
    free_wire(closing);
}
