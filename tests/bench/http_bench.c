/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small HTTP client with a clock, the same for every server:
 *
 *     http_bench ask PORT WORK COUNT REQUESTS [WARM_UP]
 *     http_bench floor BYTES COUNT
 *
 * One kept connection, one request after the other; the time is from the first byte sent to the
 * last byte of the answer received. REQUESTS is a file of lines `GET TARGET`, `POST TARGET` TAB
 * body, or TAB `@FILE`. `floor` measures the same client against a server that does nothing but
 * send so many bytes.
 */
#include "bench/bench.h"

#include "base/alloc.h"
#include "base/buffer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_SIZE_MAX ((size_t) 1 << 20)
#define PIECE ((size_t) 256 << 10)
/* Nothing that is measured takes longer; a server that hangs must not hold the run. */
#define TIMEOUT_S 600

struct client {
    int socket;
    int port;
    struct oi_buffer received; /* not used up yet */
};

static int
connect_to(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t) port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int on = 1;
    int handle = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval limit = { .tv_sec = TIMEOUT_S };

    if (handle < 0 || connect(handle, (struct sockaddr *) &address, sizeof(address)) != 0)
        bench_die(strerror(errno));
    (void) setsockopt(handle, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void) setsockopt(handle, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return handle;
}

static void
send_all(int handle, struct oi_slice bytes)
{
    while (bytes.size > 0) {
        ssize_t sent = send(handle, bytes.data, bytes.size, MSG_NOSIGNAL);

        if (sent <= 0)
            bench_die("the server stopped listening");
        bytes.data += sent;
        bytes.size -= (size_t) sent;
    }
}

/* More bytes behind those that are there; false at the end of the connection. */
static bool
receive(struct client *client)
{
    char *room = oi_buffer_reserve(&client->received, PIECE);
    ssize_t size;

    if (!room)
        bench_die("an answer of gigabytes");
    size = recv(client->socket, room, PIECE, 0);
    if (size < 0)
        bench_die("the server did not answer in time");
    client->received.size += (size_t) size;
    return size > 0;
}

static void
need(struct client *client, size_t size)
{
    while (client->received.size < size)
        if (!receive(client))
            bench_die("an answer was cut short");
}

/* The first `size` bytes are used up, as they come: an answer is never held whole. */
static void
skip(struct client *client, size_t size)
{
    while (client->received.size < size) {
        size -= client->received.size;
        oi_buffer_clear(&client->received);
        need(client, 1);
    }
    oi_buffer_consume(&client->received, size);
}

/* The place behind `end`, which must come within what a header or a chunk's head may hold. */
static size_t
find(struct client *client, const char *end)
{
    size_t size = strlen(end);

    for (;;) {
        const char *at = client->received.size
                             ? memmem(client->received.data, client->received.size, end, size)
                             : NULL;

        if (at)
            return (size_t) (at - client->received.data) + size;
        if (client->received.size > LINE_SIZE_MAX || !receive(client))
            bench_die("an answer that is no HTTP");
    }
}

static uint64_t
take_chunks(struct client *client)
{
    uint64_t total = 0;

    for (;;) {
        size_t head = find(client, "\r\n");
        uint64_t size = strtoull(client->received.data, NULL, 16);

        skip(client, head);
        if (size == 0) {
            skip(client, find(client, "\r\n"));
            return total;
        }
        skip(client, size + 2);
        total += size;
    }
}

/* Read one answer to its end; the size of its body. */
static uint64_t
take_answer(struct client *client)
{
    size_t head = find(client, "\r\n\r\n");
    char *text = client->received.data, *length;
    uint64_t size;
    bool is_chunked;

    text[head - 1] = '\0';
    if (head < 13 || text[9] != '2') {
        (void) receive(client); /* a few words of what is wrong */
        (void) fprintf(stderr, "%s\n%.*s\n", text, (int) (client->received.size - head),
                       text + head);
        bench_die("the server refused");
    }
    length = strcasestr(text, "\ncontent-length:");
    is_chunked = strcasestr(text, "\ntransfer-encoding: chunked") != NULL;
    size = length ? strtoull(length + strlen("\ncontent-length:"), NULL, 10) : 0;
    if (!length && !is_chunked && !strstr(text, " 204 "))
        bench_die("an answer without its length");
    skip(client, head);
    if (is_chunked)
        return take_chunks(client);
    skip(client, size);
    return size;
}

struct requests {
    OI_VECTOR(struct oi_buffer) items;
};

static void
add_file(struct oi_buffer *body, const char *path)
{
    FILE *file = fopen(path, "rbe");
    size_t size;

    if (!file)
        bench_die(path);
    do {
        char *room = oi_buffer_reserve(body, PIECE);

        size = fread(room, 1, PIECE, file);
        body->size += size;
    } while (size > 0);
    (void) fclose(file);
}

static void
add_request(struct requests *requests, char *line)
{
    struct oi_buffer *request = oi_vector_add(&requests->items), body = {};
    char *content = strchr(line, '\t');

    if (content)
        *content++ = '\0';
    if (content && content[0] == '@')
        add_file(&body, content + 1);
    else if (content)
        oi_buffer_add_text(&body, content);
    oi_buffer_add_format(request, "%s HTTP/1.1\r\nHost: 127.0.0.1\r\n", line);
    if (content)
        oi_buffer_add_format(request, "Content-Length: %zu\r\n", body.size);
    oi_buffer_add_text(request, "\r\n");
    oi_buffer_add_slice(request, oi_buffer_slice(&body));
    oi_buffer_release(&body);
}

static void
read_requests(const char *path, struct requests *requests)
{
    FILE *file = fopen(path, "re");
    char *line = oi_alloc(LINE_SIZE_MAX);

    if (!file)
        bench_die("the requests cannot be read");
    while (fgets(line, (int) LINE_SIZE_MAX, file)) {
        line[strcspn(line, "\n")] = '\0';
        add_request(requests, line);
    }
    (void) fclose(file);
    oi_free(line);
    if (requests->items.count == 0)
        bench_die("there are no requests");
}

static void
ask(const char *work, int port, uint64_t count, uint64_t warm_up, const struct requests *requests)
{
    struct client client = { .socket = connect_to(port), .port = port };
    struct bench_samples samples = {};

    for (uint64_t i = 0; i < warm_up + count; i++) {
        const struct oi_buffer *request = &requests->items.items[i % requests->items.count];
        int64_t from = bench_now_ns();
        uint64_t size;

        send_all(client.socket, oi_buffer_slice(request));
        size = take_answer(&client);
        if (i < warm_up)
            continue;
        oi_vector_push(&samples.ns, bench_now_ns() - from);
        samples.bytes += size;
    }
    (void) close(client.socket);
    oi_buffer_release(&client.received);
    bench_report(work, &samples);
}

/* Answers every request on one connection with the same bytes, then ends. */
static _Noreturn void
serve_floor(int listener, uint64_t bytes)
{
    struct client client = { .socket = accept(listener, NULL, NULL) };
    struct oi_buffer answer = {};
    const int on = 1;

    (void) alarm(TIMEOUT_S);
    (void) setsockopt(client.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    oi_buffer_add_format(&answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", (size_t) bytes);
    for (uint64_t i = 0; i < bytes; i++)
        oi_buffer_add_char(&answer, 'x');
    while (client.received.size > 0 || receive(&client)) {
        skip(&client, find(&client, "\r\n\r\n"));
        send_all(client.socket, oi_buffer_slice(&answer));
    }
    _exit(0);
}

static void
measure_floor(uint64_t bytes, uint64_t count)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct requests requests = {};
    char line[] = "GET /", work[64];
    pid_t child;

    if (listener < 0 || bind(listener, (struct sockaddr *) &address, size) != 0 ||
        listen(listener, 1) != 0 || getsockname(listener, (struct sockaddr *) &address, &size) != 0)
        bench_die(strerror(errno));
    child = fork();
    if (child == 0)
        serve_floor(listener, bytes);
    (void) close(listener);
    add_request(&requests, line);
    (void) snprintf(work, sizeof(work), "floor_http_%zu", (size_t) bytes);
    ask(work, ntohs(address.sin_port), count, 10, &requests);
    (void) waitpid(child, NULL, 0);
    oi_buffer_release(&requests.items.items[0]);
    oi_vector_release(&requests.items);
}

int
main(int argc, char **argv)
{
    struct requests requests = {};

    if (argc == 4 && strcmp(argv[1], "floor") == 0) {
        measure_floor(bench_number(argv[2]), bench_number(argv[3]));
        return 0;
    }
    if (argc < 6 || strcmp(argv[1], "ask") != 0)
        bench_die("http_bench ask PORT WORK COUNT REQUESTS [WARM_UP] | floor BYTES COUNT");
    read_requests(argv[5], &requests);
    ask(argv[3], (int) bench_number(argv[2]), bench_number(argv[4]),
        argc > 6 ? bench_number(argv[6]) : 3, &requests);
    for (size_t i = 0; i < requests.items.count; i++)
        oi_buffer_release(&requests.items.items[i]);
    oi_vector_release(&requests.items);
    return 0;
}
