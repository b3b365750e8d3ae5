/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sockets of the server: accepting, reading, writing and ending, over libuv. What the bytes
 * mean is decided in http_connection.c. A socket is freed by libuv's close callback alone, which
 * comes in a turn of its own, so no event of the present turn meets a freed one.
 */
#include "base/compress.h"
#include "net/http_connection.h"
#include "net/http_repeat.h"
#include "net/tls.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h> /* allow third-party: the files of net/ share one event loop */

/* Enough for what all clients of a loop send in one turn of one socket. */
#define READ_SIZE ((size_t) 64 << 10)
#define SLICES_MAX 64
/* One write that is waited for. Small, so that its end tells early that the client still reads. */
#define WRITE_SIZE_MAX ((size_t) 64 << 10)
/* Written to one socket in one turn, before the others have theirs. */
#define TURN_SIZE_MAX ((size_t) 1 << 20)
/* Unsent bytes in the kernel a socket: what a stalled reader costs there. */
#define KERNEL_UNSENT_MAX (128 << 10)
#define BACKLOG 4096
/* Deadlines are looked after this often at most, and at least eight times within the shortest. */
#define TICK_MS_MAX 500
#define TICK_MS_MIN 10

struct compression;

struct peer {
    uv_tcp_t tcp;
    uv_write_t write;
    uv_shutdown_t shutdown;
    struct oi_http_server *server;
    struct oi_http_connection *connection;
    struct compression *compression; /* under way, or NULL */
    struct oi_tls *tls;              /* NULL: plain */
    struct oi_buffer cipher;         /* waits to be written, made of `plain_size` bytes */
    struct oi_buffer answers;        /* of TLS itself: become `cipher` when that is written */
    size_t plain_size;
    size_t writing_size, writing_left;
    uint64_t accepted_ms;
    struct peer *previous, *next;
    struct peer *next_dirty;
    bool is_dirty, is_reading, is_writing, is_tls_ended, is_shut, is_closing;
};

/* A body being compressed on another thread. `peer` is NULL when nobody waits any more. */
struct compression {
    uv_work_t work;
    struct peer *peer;
    struct oi_buffer plain, packed;
};

struct oi_http_server {
    struct oi_http_host host; /* first: the host's callbacks get its address */
    struct oi_http_server_options options;
    struct oi_http_handler handler;
    uv_tcp_t listener;
    uv_timer_t tick;
    uv_prepare_t prepare;
    struct oi_tls_context *tls;
    char *read_buffer; /* one for all sockets: reading is finished before the next one begins */
    struct peer *peers, *dirty;
    unsigned peer_count;
    unsigned handle_count; /* of our own three, not yet closed */
    uint16_t port;
    uint64_t stop_ms;
    void (*stopped)(void *context);
    void *stopped_context;
    bool is_accept_paused, is_closed;
    int64_t date_second;
    char date[OI_HTTP_DATE_SIZE];
};

static void flush(struct peer *peer);

static void
touch(struct oi_http_server *server)
{
    server->host.now_ms = uv_now(server->tick.loop);
}

static const char *
date(struct oi_http_host *host)
{
    struct oi_http_server *server = (struct oi_http_server *) host;
    const struct oi_clock *clock = server->options.clock;
    int64_t second = clock->wall_ns(clock) / INT64_C(1'000'000'000);

    if (second == server->date_second || second < 0)
        return server->date;
    server->date_second = second;
    oi_http_date_write(second, server->date);
    return server->date;
}

static void
maybe_stopped(struct oi_http_server *server)
{
    if (server->is_closed) {
        if (server->peer_count == 0 && server->handle_count == 0) {
            oi_free(server->read_buffer);
            oi_http_repeats_free(&server->host.repeats);
            oi_free((void *) server->options.address);
            oi_tls_context_free(&server->tls);
            oi_free(server);
        }
        return;
    }
    if (server->stopped && server->peer_count == 0) {
        void (*stopped)(void *context) = server->stopped;

        server->stopped = NULL;
        uv_unref((uv_handle_t *) &server->tick);
        stopped(server->stopped_context);
    }
}

static void accept_waiting(struct oi_http_server *server);

static void
on_peer_closed(uv_handle_t *handle)
{
    struct peer *peer = handle->data;
    struct oi_http_server *server = peer->server;

    for (struct peer **at = &server->dirty; *at; at = &(*at)->next_dirty) {
        if (*at == peer) {
            *at = peer->next_dirty;
            break;
        }
    }
    if (peer->previous)
        peer->previous->next = peer->next;
    else
        server->peers = peer->next;
    if (peer->next)
        peer->next->previous = peer->previous;
    oi_http_connection_free(&peer->connection);
    oi_tls_free(&peer->tls);
    oi_buffer_release(&peer->cipher);
    oi_buffer_release(&peer->answers);
    oi_free(peer);
    server->peer_count--;
    if (server->is_accept_paused && !server->is_closed && !server->host.is_stopping)
        accept_waiting(server);
    maybe_stopped(server);
}

static void
close_peer(struct peer *peer)
{
    if (peer->is_closing)
        return;
    peer->is_closing = true;
    if (peer->compression)
        peer->compression->peer = NULL;
    peer->compression = NULL;
    uv_close((uv_handle_t *) &peer->tcp, on_peer_closed);
}

static void
wake(void *owner)
{
    struct peer *peer = owner;

    if (peer->is_dirty || peer->is_closing)
        return;
    peer->is_dirty = true;
    peer->next_dirty = peer->server->dirty;
    peer->server->dirty = peer;
}

/* Before the loop waits: what the turn has queued goes out, once a socket. */
static void
on_prepare(uv_prepare_t *handle)
{
    struct oi_http_server *server = handle->data;

    touch(server);
    while (server->dirty) {
        struct peer *peer = server->dirty;

        server->dirty = peer->next_dirty;
        peer->next_dirty = NULL;
        peer->is_dirty = false;
        if (!peer->is_closing)
            oi_http_connection_go_on(peer->connection);
        flush(peer);
    }
}

static void
on_compress(uv_work_t *work)
{
    struct compression *compression = work->data;

    oi_gzip(oi_buffer_slice(&compression->plain), 1, &compression->packed);
}

static void
on_compressed(uv_work_t *work, int code)
{
    struct compression *compression = work->data;
    struct peer *peer = compression->peer;

    (void) code; /* never cancelled */
    if (peer) {
        peer->compression = NULL;
        touch(peer->server);
        oi_http_connection_compressed(peer->connection, &compression->plain, &compression->packed);
        flush(peer);
    }
    oi_buffer_release(&compression->plain);
    oi_buffer_release(&compression->packed);
    oi_free(compression);
}

static void
compress(void *owner, struct oi_buffer *body)
{
    struct peer *peer = owner;
    struct compression *compression = oi_alloc_zero(1, sizeof(*compression));

    compression->work.data = compression;
    compression->peer = peer;
    compression->plain = *body;
    *body = (struct oi_buffer){};
    peer->compression = compression;
    oi_assert(uv_queue_work(peer->tcp.loop, &compression->work, on_compress, on_compressed) == 0);
}

static void
on_alloc(uv_handle_t *handle, size_t suggested_size, uv_buf_t *buffer)
{
    struct peer *peer = handle->data;

    (void) suggested_size;
    buffer->base = peer->server->read_buffer;
    buffer->len = READ_SIZE;
}

static void
receive_cipher(struct peer *peer, struct oi_slice bytes)
{
    struct oi_buffer plain = {};
    enum oi_status status = oi_tls_receive(peer->tls, bytes, &plain, &peer->answers, NULL);

    if (plain.size > 0)
        oi_http_connection_receive(peer->connection, oi_buffer_slice(&plain));
    oi_buffer_release(&plain);
    if (status != OI_OK || oi_tls_has_ended(peer->tls))
        oi_http_connection_end(peer->connection);
}

static void
on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct peer *peer = stream->data;
    struct oi_slice bytes = { buffer->base, size > 0 ? (size_t) size : 0 };

    if (size == 0 || peer->is_closing)
        return;
    touch(peer->server);
    if (size == UV_EOF) {
        oi_http_connection_end(peer->connection);
    } else if (size < 0) {
        close_peer(peer);
        return;
    } else if (peer->tls) {
        receive_cipher(peer, bytes);
    } else {
        oi_http_connection_receive(peer->connection, bytes);
    }
    flush(peer);
}

static void
on_shutdown(uv_shutdown_t *request, int code)
{
    (void) request;
    (void) code; /* a socket that is gone already tells by reading */
}

/* Do what the connection wants next. */
static void
follow(struct peer *peer)
{
    struct oi_http_connection *connection = peer->connection;
    uv_stream_t *stream = (uv_stream_t *) &peer->tcp;
    bool wants_input = oi_http_connection_wants_input(connection);

    if (oi_http_connection_is_done(connection)) {
        close_peer(peer);
        return;
    }
    if (wants_input != peer->is_reading) {
        if (wants_input && uv_read_start(stream, on_alloc, on_read) != 0) {
            close_peer(peer);
            return;
        }
        if (!wants_input)
            (void) uv_read_stop(stream);
        peer->is_reading = wants_input;
    }
    if (oi_http_connection_wants_shutdown(connection) && !peer->is_writing && !peer->is_shut) {
        if (peer->tls && !peer->is_tls_ended) {
            peer->is_tls_ended = true;
            oi_tls_end(peer->tls, &peer->answers);
            flush(peer);
            return;
        }
        peer->is_shut = true;
        (void) uv_shutdown(&peer->shutdown, stream, on_shutdown);
    }
}

/* What to write next: pieces of the queue, or the ciphertext made of them. */
static size_t
show(struct peer *peer, struct oi_slice *slices)
{
    struct oi_output *output = oi_http_connection_output(peer->connection);
    size_t count;

    if (!peer->tls)
        return oi_output_show(output, slices, SLICES_MAX);
    if (peer->cipher.size == 0) {
        struct oi_buffer empty = peer->cipher;

        peer->cipher = peer->answers;
        peer->answers = empty;
    }
    if (peer->cipher.size == 0 && oi_tls_is_open(peer->tls) && !peer->is_tls_ended) {
        count = oi_output_show(output, slices, SLICES_MAX);
        for (size_t i = 0; i < count && peer->plain_size < WRITE_SIZE_MAX; i++) {
            struct oi_slice piece = slices[i];

            if (piece.size > WRITE_SIZE_MAX)
                piece.size = WRITE_SIZE_MAX;
            if (oi_tls_send(peer->tls, piece, &peer->cipher, NULL) != OI_OK) {
                close_peer(peer);
                return 0;
            }
            peer->plain_size += piece.size;
            if (piece.size < slices[i].size)
                break;
        }
    }
    slices[0] = oi_buffer_slice(&peer->cipher);
    return slices[0].size > 0 ? 1 : 0;
}

/* So many of the shown bytes are with the kernel. */
static void
account(struct peer *peer, size_t size)
{
    size_t plain_size = peer->plain_size;

    if (!peer->tls) {
        if (size > 0)
            oi_http_connection_sent(peer->connection, size);
        return;
    }
    oi_buffer_consume(&peer->cipher, size);
    if (peer->cipher.size > 0)
        return;
    oi_buffer_release(&peer->cipher);
    peer->plain_size = 0;
    if (plain_size > 0)
        oi_http_connection_sent(peer->connection, plain_size);
}

static void
on_written(uv_write_t *write, int code)
{
    struct peer *peer = write->data;

    peer->is_writing = false;
    if (peer->is_closing)
        return;
    if (code != 0) {
        close_peer(peer);
        return;
    }
    touch(peer->server);
    account(peer, peer->writing_size);
    flush(peer);
}

static size_t
fill_buffers(const struct oi_slice *slices, size_t count, size_t size_max, uv_buf_t *buffers,
             unsigned *ret_count)
{
    size_t size = 0;
    unsigned used = 0;

    for (size_t i = 0; i < count && size < size_max; i++) {
        size_t part = slices[i].size < size_max - size ? slices[i].size : size_max - size;

        /* libuv writes from these and changes nothing. */
        buffers[used++] = uv_buf_init((char *) slices[i].data, (unsigned) part);
        size += part;
    }
    *ret_count = used;
    return size;
}

/* Write until the kernel takes no more or others should have their turn, then wait for the rest. */
static void
flush(struct peer *peer)
{
    uv_stream_t *stream = (uv_stream_t *) &peer->tcp;
    size_t written_in_turn = 0;

    while (!peer->is_closing && !peer->is_writing) {
        struct oi_slice slices[SLICES_MAX];
        uv_buf_t buffers[SLICES_MAX];
        unsigned buffer_count;
        size_t count = show(peer, slices);
        size_t size = fill_buffers(slices, count, TURN_SIZE_MAX, buffers, &buffer_count);
        int written = 0;

        if (size == 0 || peer->is_closing)
            break;
        if (written_in_turn < TURN_SIZE_MAX) {
            written = uv_try_write(stream, buffers, buffer_count);
            if (written < 0 && written != UV_EAGAIN) {
                close_peer(peer);
                return;
            }
            if (written > 0) {
                written_in_turn += (size_t) written;
                account(peer, (size_t) written);
                continue;
            }
        }
        peer->writing_size = fill_buffers(slices, count, WRITE_SIZE_MAX, buffers, &buffer_count);
        peer->writing_left = peer->writing_size;
        if (uv_write(&peer->write, stream, buffers, buffer_count, on_written) != 0) {
            close_peer(peer);
            return;
        }
        peer->is_writing = true;
    }
    if (!peer->is_closing)
        follow(peer);
}

static void
tune_socket(struct peer *peer)
{
    int unsent_max = KERNEL_UNSENT_MAX;
    uv_os_fd_t descriptor;

    (void) uv_tcp_nodelay(&peer->tcp, 1);
    if (uv_fileno((uv_handle_t *) &peer->tcp, &descriptor) == 0)
        (void) setsockopt(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_max,
                          sizeof(unsent_max));
}

static struct peer *
new_peer(struct oi_http_server *server)
{
    struct peer *peer = oi_alloc_zero(1, sizeof(*peer));

    peer->server = server;
    oi_assert(uv_tcp_init(server->listener.loop, &peer->tcp) == 0);
    peer->tcp.data = peer;
    peer->write.data = peer;
    peer->next = server->peers;
    if (peer->next)
        peer->next->previous = peer;
    server->peers = peer;
    server->peer_count++;
    return peer;
}

/* The socket of the peer is connected: begin. */
static void
begin_peer(struct peer *peer)
{
    struct oi_http_server *server = peer->server;
    struct sockaddr_storage address;
    int address_size = sizeof(address);
    char name[INET6_ADDRSTRLEN] = "";

    if (uv_tcp_getpeername(&peer->tcp, (struct sockaddr *) &address, &address_size) == 0)
        (void) uv_ip_name((struct sockaddr *) &address, name, sizeof(name));
    tune_socket(peer);
    touch(server);
    peer->accepted_ms = server->host.now_ms;
    peer->connection = oi_http_connection_new(&server->host, peer, name);
    if (server->tls)
        peer->tls = oi_tls_new(server->tls);
    follow(peer);
}

static void
accept_waiting(struct oi_http_server *server)
{
    struct peer *peer = new_peer(server);

    server->is_accept_paused = false;
    if (uv_accept((uv_stream_t *) &server->listener, (uv_stream_t *) &peer->tcp) == 0)
        begin_peer(peer);
    else
        close_peer(peer);
}

/* Whom the kernel has greeted already would be reset by the listener's end: take them all in. */
static void
accept_rest(struct oi_http_server *server)
{
    uv_os_fd_t listener;

    if (uv_fileno((uv_handle_t *) &server->listener, &listener) != 0)
        return;
    while (server->peer_count < server->options.connections_max) {
        int descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        struct peer *peer;

        if (descriptor < 0)
            return;
        peer = new_peer(server);
        if (uv_tcp_open(&peer->tcp, descriptor) == 0) {
            begin_peer(peer);
        } else {
            (void) close(descriptor);
            close_peer(peer);
        }
    }
}

static void
on_connection(uv_stream_t *listener, int code)
{
    struct oi_http_server *server = listener->data;

    if (code != 0)
        return; /* out of descriptors: libuv has shed this one and goes on */
    if (server->peer_count >= server->options.connections_max) {
        /* Not accepting pauses the listener; the rest waits in the kernel. */
        server->is_accept_paused = true;
        return;
    }
    accept_waiting(server);
}

/* The handshake has the head's deadline, because a head cannot come before it. */
static bool
is_late_for_tls(const struct peer *peer)
{
    const struct oi_http_server *server = peer->server;

    return peer->tls && !oi_tls_is_open(peer->tls) &&
           server->host.now_ms - peer->accepted_ms >= server->options.head_deadline_ms;
}

static void
on_tick(uv_timer_t *handle)
{
    struct oi_http_server *server = handle->data;
    bool is_out_of_grace;

    touch(server);
    is_out_of_grace = server->host.is_stopping &&
                      server->host.now_ms - server->stop_ms >= server->options.grace_ms;
    for (struct peer *peer = server->peers; peer; peer = peer->next) {
        if (peer->is_closing || !peer->connection)
            continue;
        if (is_out_of_grace || is_late_for_tls(peer)) {
            close_peer(peer);
            continue;
        }
        if (peer->is_writing) {
            size_t left = uv_stream_get_write_queue_size((uv_stream_t *) &peer->tcp);

            if (left < peer->writing_left)
                oi_http_connection_sending(peer->connection);
            peer->writing_left = left;
        }
        oi_http_connection_tick(peer->connection);
        flush(peer);
    }
}

/* A socket bound to the address, which others of this process may share. */
static enum oi_status
bind_socket(const struct oi_http_server_options *options, bool is_shared, int *ret_descriptor,
            struct oi_error *error)
{
    struct sockaddr_storage address = {};
    bool is_v6 = strchr(options->address, ':') != NULL;
    int code = is_v6
                   ? uv_ip6_addr(options->address, options->port, (struct sockaddr_in6 *) &address)
                   : uv_ip4_addr(options->address, options->port, (struct sockaddr_in *) &address);
    socklen_t size = is_v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    int descriptor, yes = 1;

    if (code != 0)
        return oi_fail(error, OI_E_INVALID, "'%s' is not an address", options->address);
    descriptor = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0)
        return oi_fail(error, OI_E_IO, "cannot make a socket: %s", strerror(errno));
    (void) setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (is_shared)
        (void) setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes));
    if (bind(descriptor, (struct sockaddr *) &address, size) != 0) {
        code = errno;
        (void) close(descriptor);
        return oi_fail(error, code == EADDRINUSE ? OI_E_BUSY : OI_E_IO, "cannot use %s port %u: %s",
                       options->address, options->port, strerror(code));
    }
    *ret_descriptor = descriptor;
    return OI_OK;
}

static enum oi_status
listen_socket(struct oi_http_server *server, struct oi_error *error)
{
    struct sockaddr_storage address;
    int address_size = sizeof(address);
    int descriptor, code;

    if (!server->options.is_joining && server->options.port != 0) {
        /* Sharing would also let a second process take half of our clients: look first. */
        OI_TRY(bind_socket(&server->options, false, &descriptor, error));
        (void) close(descriptor);
    }
    OI_TRY(bind_socket(&server->options, true, &descriptor, error));
    code = uv_tcp_open(&server->listener, descriptor);
    if (code != 0) {
        (void) close(descriptor);
        return oi_fail(error, OI_E_IO, "cannot listen: %s", uv_strerror(code));
    }
    code = uv_listen((uv_stream_t *) &server->listener, BACKLOG, on_connection);
    if (code == 0)
        code = uv_tcp_getsockname(&server->listener, (struct sockaddr *) &address, &address_size);
    if (code != 0)
        return oi_fail(error, code == UV_EADDRINUSE ? OI_E_BUSY : OI_E_IO,
                       "cannot listen on %s port %u: %s", server->options.address,
                       server->options.port, uv_strerror(code));
    /* The port stands at the same place in both kinds of address. */
    server->port = ntohs(((struct sockaddr_in *) &address)->sin_port);
    return OI_OK;
}

static uint64_t
tick_ms(const struct oi_http_server_options *options)
{
    const uint64_t deadlines[] = { options->head_deadline_ms, options->body_deadline_ms,
                                   options->idle_deadline_ms, options->write_deadline_ms,
                                   options->grace_ms };
    uint64_t tick = TICK_MS_MAX;

    for (size_t i = 0; i < OI_COUNT(deadlines); i++)
        if (deadlines[i] / 8 < tick)
            tick = deadlines[i] / 8;
    return tick < TICK_MS_MIN ? TICK_MS_MIN : tick;
}

enum oi_status
oi_http_server_open(struct oi_loop *loop, const struct oi_http_server_options *options,
                    const struct oi_http_handler *handler, struct oi_http_server **ret_server,
                    struct oi_error *error)
{
    OI_CLEANUP(oi_http_server_close)
    struct oi_http_server *server = oi_alloc_zero(1, sizeof(*server));
    struct uv_loop_s *uv = oi_loop_uv(loop);

    server->options = *options;
    oi_http_server_options_fill(&server->options);
    server->options.address = oi_copy_text(oi_slice_of(server->options.address));
    server->handler = *handler;
    server->host = (struct oi_http_host){
        .options = &server->options,
        .handler = &server->handler,
        .scheme = options->certificate ? "https" : "http",
        .wake = wake,
        .compress = compress,
        .date = date,
        .repeats = handler->again ? oi_http_repeats_new() : NULL,
    };
    server->date_second = -1;
    server->read_buffer = oi_alloc(READ_SIZE);
    oi_assert(uv_tcp_init(uv, &server->listener) == 0);
    oi_assert(uv_timer_init(uv, &server->tick) == 0);
    oi_assert(uv_prepare_init(uv, &server->prepare) == 0);
    server->handle_count = 3;
    server->listener.data = server;
    server->tick.data = server;
    server->prepare.data = server;
    if (options->certificate)
        OI_TRY(oi_tls_context_new(options->certificate, options->private_key, &server->tls, error));
    OI_TRY(listen_socket(server, error));
    oi_assert(uv_timer_start(&server->tick, on_tick, tick_ms(&server->options),
                             tick_ms(&server->options)) == 0);
    oi_assert(uv_prepare_start(&server->prepare, on_prepare) == 0);
    uv_unref((uv_handle_t *) &server->tick);
    uv_unref((uv_handle_t *) &server->prepare);
    *ret_server = server;
    server = NULL;
    return OI_OK;
}

enum oi_status
oi_http_server_set_certificate(struct oi_http_server *server, const char *certificate,
                               const char *private_key, struct oi_error *error)
{
    struct oi_tls_context *context;

    oi_assert(server->tls);
    OI_TRY(oi_tls_context_new(certificate, private_key, &context, error));
    oi_tls_context_free(&server->tls); /* what is open holds its own reference */
    server->tls = context;
    return OI_OK;
}

uint16_t
oi_http_server_port(const struct oi_http_server *server)
{
    return server->port;
}

static void
on_handle_closed(uv_handle_t *handle)
{
    struct oi_http_server *server = handle->data;

    server->handle_count--;
    maybe_stopped(server);
}

static void
close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_handle_closed);
}

void
oi_http_server_stop(struct oi_http_server *server, void (*stopped)(void *context), void *context)
{
    server->stopped = stopped;
    server->stopped_context = context;
    uv_update_time(server->tick.loop);
    touch(server);
    accept_rest(server);
    server->host.is_stopping = true;
    server->stop_ms = server->host.now_ms;
    close_handle((uv_handle_t *) &server->listener);
    uv_ref((uv_handle_t *) &server->tick); /* somebody must see to the deadlines */
    for (struct peer *peer = server->peers; peer; peer = peer->next) {
        if (peer->is_closing || !peer->connection)
            continue;
        oi_http_connection_stop(peer->connection);
        flush(peer);
    }
}

void
oi_http_server_close(struct oi_http_server **server)
{
    struct oi_http_server *dying = *server;

    if (!dying)
        return;
    *server = NULL;
    dying->is_closed = true;
    for (struct peer *peer = dying->peers; peer; peer = peer->next) {
        close_peer(peer);
        oi_http_connection_free(&peer->connection);
    }
    close_handle((uv_handle_t *) &dying->listener);
    close_handle((uv_handle_t *) &dying->tick);
    close_handle((uv_handle_t *) &dying->prepare);
}

void
oi_http_server_stats(const struct oi_http_server *server, struct oi_http_server_stats *ret_stats)
{
    *ret_stats = server->host.stats;
}
