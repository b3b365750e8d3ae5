/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many clients at once, and the floors that a server is held against:
 *
 *     serve_bench hello BYTES THREADS                        an epoll loop that answers so many
 * bytes serve_bench load PORT CONNECTIONS SECONDS REQUESTS WORK  keeps every connection busy
 *     serve_bench listen PORT COUNT TARGET                   opens WebSockets, then says for each
 * line of its input how long a message took to reach all of them serve_bench pusher COUNT a bare
 * loop of writes to as many sockets
 *
 * Servers print their port. REQUESTS is a file as http_bench takes it. Everything is one line of
 * JSON; latencies of `listen` count from the first socket that heard the message.
 */
#include "bench/bench.h"

#include "base/alloc.h"
#include "base/buffer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_MAX 512
#define READ_SIZE ((size_t) 256 << 10)
#define LINES_MAX 1000
/* A message that does not arrive must not hold the run. */
#define PATIENCE_NS INT64_C(20'000'000'000)

static void
raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int
listen_on(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t) port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int on = 1;
    int handle = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (handle < 0 || setsockopt(handle, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0 ||
        bind(handle, (struct sockaddr *) &address, sizeof(address)) != 0 ||
        listen(handle, 4096) != 0)
        bench_die(strerror(errno));
    return handle;
}

static int
port_of(int handle)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);

    if (getsockname(handle, (struct sockaddr *) &address, &size) != 0)
        bench_die(strerror(errno));
    return ntohs(address.sin_port);
}

static int
connect_to(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t) port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int on = 1;
    int handle = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (handle < 0 || connect(handle, (struct sockaddr *) &address, sizeof(address)) != 0)
        bench_die(strerror(errno));
    (void) setsockopt(handle, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return handle;
}

static void
send_all(int handle, struct oi_slice bytes)
{
    while (bytes.size > 0) {
        ssize_t sent = send(handle, bytes.data, bytes.size, MSG_NOSIGNAL);

        if (sent < 0 && errno == EAGAIN)
            continue;
        if (sent <= 0)
            bench_die("a server does not take a request");
        bytes.data += sent;
        bytes.size -= (size_t) sent;
    }
}

static void
watch(int epoll, int handle, uint64_t which)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = which };

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, handle, &event) != 0)
        bench_die(strerror(errno));
}

/*
 * The floor of a server: no parser, one answer.
 */

struct floor_server {
    int port;
    int listener;
    struct oi_slice answer;
};

static void *
serve_floor(void *context)
{
    const struct floor_server *server = context;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    const int on = 1;

    watch(epoll, server->listener, 0);
    for (;;) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(epoll, events, EVENTS_MAX, -1);

        for (int i = 0; i < count; i++) {
            int handle = (int) events[i].data.u64;
            char bytes[4096];
            ssize_t size;

            if (handle == 0) {
                handle = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
                if (handle < 0)
                    continue;
                (void) setsockopt(handle, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
                watch(epoll, handle, (uint64_t) handle);
                continue;
            }
            size = recv(handle, bytes, sizeof(bytes), 0);
            if (size <= 0)
                (void) close(handle);
            else
                send_all(handle, server->answer);
        }
    }
    return NULL;
}

static void
hello(size_t size, unsigned threads)
{
    struct oi_buffer answer = {};
    struct floor_server *servers = oi_alloc_zero(threads, sizeof(*servers));
    int port = 0;

    oi_buffer_add_format(&answer,
                         "HTTP/1.1 200 OK\r\nDate: Thu, 26 Nov 2026 22:00:00 GMT\r\n"
                         "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                         size);
    for (size_t i = 0; i < size; i++)
        oi_buffer_add_char(&answer, 'x');
    for (unsigned i = 0; i < threads; i++) {
        pthread_t thread;

        servers[i].listener = listen_on(port);
        servers[i].answer = oi_buffer_slice(&answer);
        port = port_of(servers[i].listener);
        if (pthread_create(&thread, NULL, serve_floor, &servers[i]) != 0)
            bench_die("no thread");
    }
    (void) printf("%d\n", port);
    (void) fflush(stdout);
    (void) getchar();
}

/*
 * The load.
 */

enum stage { HEAD, BODY, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILER };

struct client {
    int handle;
    enum stage stage;
    size_t left;
    char line[4096]; /* of a head (its end is what matters) or a chunk's size */
    size_t line_size;
    int64_t asked_ns, first_ns;
    unsigned next; /* request */
};

struct load {
    struct oi_slice requests[LINES_MAX];
    unsigned request_count;
    struct client *clients;
    unsigned count;
    struct bench_samples whole, first;
    uint64_t done, bytes;
};

static void
ask(struct load *load, struct client *client)
{
    client->stage = HEAD;
    client->line_size = 0;
    client->first_ns = 0;
    client->asked_ns = bench_now_ns();
    send_all(client->handle, load->requests[client->next++ % load->request_count]);
}

static void
read_head(struct client *client)
{
    const char *length;

    client->line[client->line_size] = '\0';
    if (strncmp(client->line, "HTTP/1.1 200", 12) != 0 &&
        strncmp(client->line, "HTTP/1.1 204", 12) != 0)
        bench_die(client->line);
    length = strcasestr(client->line, "\r\ncontent-length:");
    client->line_size = 0;
    if (length) {
        client->left = (size_t) strtoull(length + 17, NULL, 10);
        client->stage = BODY;
    } else if (strcasestr(client->line, "chunked")) {
        client->stage = CHUNK_SIZE;
    } else {
        client->left = 0;
        client->stage = BODY;
    }
}

/* A line into client->line; true at its end. */
static bool
read_line(struct client *client, const char **at, const char *end)
{
    while (*at < end) {
        char c = *(*at)++;

        if (c == '\n')
            return true;
        if (c != '\r' && client->line_size + 1 < sizeof(client->line))
            client->line[client->line_size++] = c;
    }
    return false;
}

static void
skip(struct client *client, const char **at, const char *end)
{
    size_t size = (size_t) (end - *at) < client->left ? (size_t) (end - *at) : client->left;

    *at += size;
    client->left -= size;
}

/* Take bytes of an answer; true when it is complete. */
static bool
take(struct client *client, const char *at, const char *end)
{
    for (;;) {
        switch (client->stage) {
        case HEAD:
            while (at < end && client->line_size + 1 < sizeof(client->line)) {
                client->line[client->line_size++] = *at++;
                if (client->line_size >= 4 &&
                    memcmp(client->line + client->line_size - 4, "\r\n\r\n", 4) == 0)
                    break;
            }
            if (client->line_size < 4 ||
                memcmp(client->line + client->line_size - 4, "\r\n\r\n", 4) != 0)
                return false;
            read_head(client);
            break;
        case BODY:
            skip(client, &at, end);
            return client->left == 0;
        case CHUNK_SIZE:
            if (!read_line(client, &at, end))
                return false;
            client->line[client->line_size] = '\0';
            client->left = (size_t) strtoull(client->line, NULL, 16);
            client->stage = client->left > 0 ? CHUNK : TRAILER;
            client->line_size = 0;
            break;
        case CHUNK:
            skip(client, &at, end);
            if (client->left > 0)
                return false;
            client->stage = CHUNK_END;
            break;
        case CHUNK_END:
        case TRAILER:
            if (!read_line(client, &at, end))
                return false;
            client->line_size = 0;
            if (client->stage == TRAILER)
                return true;
            client->stage = CHUNK_SIZE;
            break;
        }
    }
}

static void
read_requests(const char *path, struct load *load)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    ssize_t size;

    if (!file)
        bench_die("no requests");
    while ((size = getline(&line, &room, file)) > 0 && load->request_count < LINES_MAX) {
        struct oi_buffer text = {};
        char *body;

        if (line[size - 1] == '\n')
            line[--size] = '\0';
        body = strchr(line, '\t');
        if (body)
            *body++ = '\0';
        oi_buffer_add_format(&text, "%s HTTP/1.1\r\nHost: 127.0.0.1\r\n", line);
        if (body)
            oi_buffer_add_format(&text, "Content-Length: %zu\r\n", strlen(body));
        oi_buffer_add_text(&text, "\r\n");
        if (body)
            oi_buffer_add_text(&text, body);
        load->requests[load->request_count++] = oi_buffer_slice(&text);
    }
    free(line);
    (void) fclose(file);
    if (load->request_count == 0)
        bench_die("no requests");
}

static void
answered(struct load *load, struct client *client, int64_t now)
{
    oi_vector_push(&load->whole.ns, now - client->asked_ns);
    oi_vector_push(&load->first.ns, client->first_ns - client->asked_ns);
    load->done++;
}

static int
compare_ns(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;

    return *a < *b ? -1 : *a > *b;
}

static int64_t
percentile(struct bench_samples *samples, unsigned percent)
{
    size_t count = samples->ns.count;

    if (count == 0)
        return 0;
    qsort(samples->ns.items, count, sizeof(int64_t), compare_ns);
    return samples->ns.items[(count - 1) * percent / 100];
}

static void
load_until(struct load *load, int epoll, int64_t end)
{
    char *bytes = oi_alloc(READ_SIZE);
    int64_t now;

    while ((now = bench_now_ns()) < end) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(epoll, events, EVENTS_MAX, 100);

        for (int i = 0; i < count; i++) {
            struct client *client = &load->clients[events[i].data.u64];
            ssize_t size = recv(client->handle, bytes, READ_SIZE, MSG_DONTWAIT);

            if (size == 0 || (size < 0 && errno != EAGAIN))
                bench_die("a server closed a connection");
            if (size < 0)
                continue;
            now = bench_now_ns();
            if (client->first_ns == 0)
                client->first_ns = now;
            load->bytes += (uint64_t) size;
            if (take(client, bytes, bytes + size)) {
                answered(load, client, now);
                ask(load, client);
            }
        }
    }
    oi_free(bytes);
}

static void
run_load(char **argv)
{
    struct load load = { .count = (unsigned) bench_number(argv[3]) };
    int64_t span = (int64_t) bench_number(argv[4]) * INT64_C(1'000'000'000), started;
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    read_requests(argv[5], &load);
    load.clients = oi_alloc_zero(load.count, sizeof(*load.clients));
    for (unsigned i = 0; i < load.count; i++) {
        load.clients[i].handle = connect_to((int) bench_number(argv[2]));
        load.clients[i].next = i;
        watch(epoll, load.clients[i].handle, i);
        ask(&load, &load.clients[i]);
    }
    load_until(&load, epoll, bench_now_ns() + span / 5); /* warm */
    load.done = load.bytes = 0;
    oi_vector_clear(&load.whole.ns);
    oi_vector_clear(&load.first.ns);
    started = bench_now_ns();
    load_until(&load, epoll, started + span);
    span = bench_now_ns() - started;
    (void) printf(
        "{\"work\":\"%s\",\"requests\":%llu,\"per_second\":%llu,\"bytes_per_second\":%llu,"
        "\"median_ns\":%lld,\"p99_ns\":%lld,\"first_byte_ns\":%lld}\n",
        argv[6], (unsigned long long) load.done,
        (unsigned long long) ((__int128) load.done * 1'000'000'000 / span),
        (unsigned long long) ((__int128) load.bytes * 1'000'000'000 / span),
        (long long) percentile(&load.whole, 50), (long long) percentile(&load.whole, 99),
        (long long) percentile(&load.first, 50));
}

/*
 * Listeners, and the floor of a push.
 */

static void
shake_hands(int handle, const char *target)
{
    struct oi_buffer text = {};
    char bytes[4096];
    size_t size = 0;

    oi_buffer_add_format(&text,
                         "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                         "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                         target);
    send_all(handle, oi_buffer_slice(&text));
    oi_buffer_release(&text);
    /* A byte at a time: what follows the head is the first message's. */
    while (size < 4 || memcmp(bytes + size - 4, "\r\n\r\n", 4) != 0) {
        if (size == sizeof(bytes) || recv(handle, bytes + size, 1, 0) != 1)
            bench_die("a WebSocket was refused");
        size++;
    }
    if (strncmp(bytes, "HTTP/1.1 101", 12) != 0)
        bench_die("a WebSocket was refused");
}

/* Until every socket has heard something and half a second passed; how many did. */
static unsigned
hear(int epoll, unsigned count, bool *heard, int *handles, struct bench_samples *arrivals)
{
    int64_t began = bench_now_ns(), first = 0;
    unsigned left = count;

    memset(heard, 0, count * sizeof(*heard));
    oi_vector_clear(&arrivals->ns);
    while (left > 0 && bench_now_ns() - began < PATIENCE_NS) {
        struct epoll_event events[EVENTS_MAX];
        int ready = epoll_wait(epoll, events, EVENTS_MAX, 100);

        for (int i = 0; i < ready; i++) {
            uint64_t which = events[i].data.u64;
            char bytes[16384];
            ssize_t size = recv(handles[which], bytes, sizeof(bytes), MSG_DONTWAIT);
            int64_t now = bench_now_ns();

            if (size == 0)
                bench_die("a server closed a WebSocket");
            if (size < 0 || heard[which] || (bytes[0] & 0x0f) > 2)
                continue; /* pings are no messages */
            if (first == 0)
                first = now;
            heard[which] = true;
            left--;
            oi_vector_push(&arrivals->ns, now - first);
        }
    }
    return count - left;
}

static void
run_listen(char **argv)
{
    unsigned count = (unsigned) bench_number(argv[3]);
    int *handles = oi_alloc_zero(count, sizeof(*handles));
    bool *heard = oi_alloc_zero(count, sizeof(*heard));
    struct bench_samples arrivals = {};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    char *line = NULL;
    size_t room = 0;

    for (unsigned i = 0; i < count; i++) {
        handles[i] = connect_to((int) bench_number(argv[2]));
        shake_hands(handles[i], argv[4]);
        watch(epoll, handles[i], i);
    }
    (void) printf("{\"open\":%u}\n", count);
    (void) fflush(stdout);
    while (getline(&line, &room, stdin) > 0) {
        unsigned reached = hear(epoll, count, heard, handles, &arrivals);

        (void) printf("{\"reached\":%u,\"median_ns\":%lld,\"p99_ns\":%lld,\"last_ns\":%lld}\n",
                      reached, (long long) percentile(&arrivals, 50),
                      (long long) percentile(&arrivals, 99),
                      (long long) percentile(&arrivals, 100));
        (void) fflush(stdout);
    }
    free(line);
}

static void
run_pusher(unsigned count)
{
    /* As long as one of our rows. */
    char frame[4 + 180] = "\x81\x7e";
    int *handles = oi_alloc_zero(count, sizeof(*handles));
    int listener = listen_on(0);
    char *line = NULL;
    size_t room = 0;

    frame[3] = (char) (sizeof(frame) - 4);
    memset(frame + 4, 'x', sizeof(frame) - 4);
    (void) fcntl(listener, F_SETFL, 0);
    (void) printf("%d\n", port_of(listener));
    (void) fflush(stdout);
    for (unsigned i = 0; i < count; i++) {
        char bytes[4096];

        handles[i] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (handles[i] < 0 || recv(handles[i], bytes, sizeof(bytes), 0) <= 0)
            bench_die("a listener did not come");
        send_all(handles[i], OI_SLICE("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
    }
    while (getline(&line, &room, stdin) > 0) {
        for (unsigned i = 0; i < count; i++)
            send_all(handles[i], (struct oi_slice){ frame, sizeof(frame) });
    }
    free(line);
}

int
main(int argc, char **argv)
{
    raise_file_limit();
    if (argc == 4 && strcmp(argv[1], "hello") == 0)
        hello((size_t) bench_number(argv[2]), (unsigned) bench_number(argv[3]));
    else if (argc == 7 && strcmp(argv[1], "load") == 0)
        run_load(argv);
    else if (argc == 5 && strcmp(argv[1], "listen") == 0)
        run_listen(argv);
    else if (argc == 3 && strcmp(argv[1], "pusher") == 0)
        run_pusher((unsigned) bench_number(argv[2]));
    else
        bench_die("usage: serve_bench hello|load|listen|pusher ...");
    return 0;
}
