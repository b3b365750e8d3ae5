/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl's multi interface on our loop: curl says which sockets and which timer it wants watched,
 * libuv watches them, and finished transfers become callbacks.
 */
#include "net/http_client.h"

#include "net/http_client_internal.h"

#define CONNECTIONS_MAX_DEFAULT 20
#define CONNECTIONS_MAX_ALL 200
#define TIMEOUT_MS_DEFAULT 20'000
#define CONNECT_TIMEOUT_MS_MAX 10'000
#define BODY_SIZE_MAX_DEFAULT ((size_t) 64 << 20)
/* All headers of one answer together; Cloudflare's come to 2 KB. */
#define HEADERS_SIZE_MAX ((size_t) 256 << 10)
/* What is read or sent at once where there is much. */
#define BULK_PIECE (256 << 10)
#define USER_AGENT_DEFAULT "oi/0.1"

struct oi_http_transfer {
    struct oi_http_job job;
    struct oi_http_client *client;
    CURL *easy;
    struct curl_slist *headers_out;
    struct oi_buffer url;
    struct oi_buffer body_out;
    struct oi_buffer body;
    OI_VECTOR(struct oi_http_field) headers;
    struct oi_arena arena;
    size_t headers_size;
    uint64_t started_ns;
    bool is_oversized;
    bool is_headed; /* the headers have come to their end */
    char reason[CURL_ERROR_SIZE];
    struct oi_http_transfer *previous, *next;
    void (*done)(void *context, enum oi_status status, const struct oi_http_response *response,
                 const struct oi_error *error);
    void *context;
};

/* One socket of curl's, watched. */
struct watch {
    uv_poll_t poll;
    struct oi_http_client *client;
    curl_socket_t socket;
};

const struct oi_slice *
oi_http_response_header(const struct oi_http_response *response, const char *name)
{
    for (size_t i = 0; i < response->header_count; i++)
        if (oi_slice_equal_ignoring_case(response->headers[i].name, oi_slice_of(name)))
            return &response->headers[i].value;
    return NULL;
}

static void
free_transfer(struct oi_http_transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers_out);
    oi_buffer_release(&transfer->url);
    oi_buffer_release(&transfer->body_out);
    oi_buffer_release(&transfer->body);
    oi_vector_release(&transfer->headers);
    oi_arena_release(&transfer->arena);
    oi_free(transfer);
}

/* Take the transfer out, tell its owner, free it. */
static void
end_transfer(struct oi_http_transfer *transfer, enum oi_status status,
             const struct oi_http_response *response, const struct oi_error *error)
{
    struct oi_http_client *client = transfer->client;

    (void) curl_multi_remove_handle(client->multi, transfer->easy);
    if (transfer->previous)
        transfer->previous->next = transfer->next;
    else
        client->transfers = transfer->next;
    if (transfer->next)
        transfer->next->previous = transfer->previous;
    transfer->done(transfer->context, status, response, error);
    free_transfer(transfer);
}

enum oi_status
oi_http_client_judge(CURLcode code, const char *reason, struct oi_error *error)
{
    if (reason[0] == '\0')
        reason = curl_easy_strerror(code);
    if (code == CURLE_OK)
        return OI_OK;
    if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_ISSUER_ERROR ||
        code == CURLE_SSL_INVALIDCERTSTATUS)
        return oi_fail(error, OI_E_DENIED, "%s", reason);
    if (code == CURLE_BAD_CONTENT_ENCODING || code == CURLE_WEIRD_SERVER_REPLY ||
        code == CURLE_WRITE_ERROR || code == CURLE_UNSUPPORTED_PROTOCOL)
        return oi_fail(error, OI_E_UPSTREAM, "%s", reason);
    if (code == CURLE_URL_MALFORMAT)
        return oi_fail(error, OI_E_INVALID, "%s", reason);
    return oi_fail(error, OI_E_BUSY, "%s", reason);
}

static void
finish(struct oi_http_job *job, CURLcode code)
{
    struct oi_http_transfer *transfer = (struct oi_http_transfer *) job;
    struct oi_error error = {};
    enum oi_status status =
        code != CURLE_OK && transfer->is_oversized
            ? oi_fail(&error, OI_E_UPSTREAM, "the answer is larger than was allowed")
            : oi_http_client_judge(code, transfer->reason, &error);
    struct oi_http_response response = {
        .elapsed_ns = (int64_t) (uv_hrtime() - transfer->started_ns),
    };
    long http_status = 0;

    /* To curl that is an answer without a body. */
    if (status == OI_OK && !transfer->is_headed)
        status = oi_fail(&error, OI_E_BUSY, "the answer breaks off within its headers");
    if (status == OI_OK) {
        (void) curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &http_status);
        response.status = (int) http_status;
        response.headers = transfer->headers.items;
        response.header_count = transfer->headers.count;
        response.body = oi_buffer_slice(&transfer->body);
    }
    end_transfer(transfer, status, &response, &error);
}

static void
collect(struct oi_http_client *client)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(client->multi, &left))) {
        CURLcode code = message->data.result;
        char *private = NULL;
        struct oi_http_job *job;

        if (message->msg != CURLMSG_DONE)
            continue;
        (void) curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
        job = (struct oi_http_job *) (void *) private;
        job->finish(job, code);
    }
}

static void
on_poll(uv_poll_t *handle, int code, int events)
{
    struct watch *watch = handle->data;
    struct oi_http_client *client = watch->client;
    int flags = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
                (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0) | (code < 0 ? CURL_CSELECT_ERR : 0);
    int running;

    (void) curl_multi_socket_action(client->multi, watch->socket, flags, &running);
    collect(client);
}

static void
on_timer(uv_timer_t *handle)
{
    struct oi_http_client *client = handle->data;
    int running;

    (void) curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(client);
}

static void
on_watch_closed(uv_handle_t *handle)
{
    oi_free(handle->data);
}

static int
on_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *socket_context)
{
    struct oi_http_client *client = context;
    struct watch *watch = socket_context;
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);

    (void) easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch) {
            (void) uv_poll_stop(&watch->poll);
            uv_close((uv_handle_t *) &watch->poll, on_watch_closed);
            (void) curl_multi_assign(client->multi, socket, NULL);
        }
        return 0;
    }
    if (!watch) {
        watch = oi_alloc_zero(1, sizeof(*watch));
        watch->client = client;
        watch->socket = socket;
        if (uv_poll_init_socket(client->uv, &watch->poll, socket) != 0) {
            oi_free(watch);
            return -1;
        }
        watch->poll.data = watch;
        (void) curl_multi_assign(client->multi, socket, watch);
    }
    return uv_poll_start(&watch->poll, events, on_poll) == 0 ? 0 : -1;
}

static int
on_timeout(CURLM *multi, long timeout_ms, void *context)
{
    struct oi_http_client *client = context;

    (void) multi;
    if (timeout_ms < 0)
        (void) uv_timer_stop(&client->timer);
    else
        (void) uv_timer_start(&client->timer, on_timer, (uint64_t) timeout_ms, 0);
    return 0;
}

static size_t
on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct oi_http_transfer *transfer = context;

    oi_buffer_add(&transfer->body, bytes, size * count);
    if (transfer->body.overflowed) {
        transfer->is_oversized = true;
        return 0;
    }
    return size * count;
}

static size_t
on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct oi_http_transfer *transfer = context;
    struct oi_slice line = { bytes, size * count }, name;
    struct oi_http_field field;

    transfer->headers_size += line.size;
    if (transfer->headers_size > HEADERS_SIZE_MAX) {
        transfer->is_oversized = true;
        return 0;
    }
    if (oi_slice_starts_with(line, "HTTP/")) {
        oi_vector_clear(&transfer->headers); /* of an interim answer */
        transfer->is_headed = false;
        return size * count;
    }
    transfer->is_headed |= oi_slice_trim(line).size == 0;
    if (!memchr(line.data, ':', line.size))
        return size * count;
    (void) oi_slice_next_part(&line, ':', &name);
    name = oi_slice_trim(name);
    line = oi_slice_trim(line);
    field.name = (struct oi_slice){ oi_arena_copy(&transfer->arena, name), name.size };
    field.value = (struct oi_slice){ oi_arena_copy(&transfer->arena, line), line.size };
    oi_vector_push(&transfer->headers, field);
    return size * count;
}

static char *
keep(const char *text)
{
    return text ? oi_copy_text(oi_slice_of(text)) : NULL;
}

enum oi_status
oi_http_client_new(struct oi_loop *loop, const struct oi_http_client_options *options,
                   struct oi_http_client **ret_client, struct oi_error *error)
{
    struct oi_http_client *client;
    long connections_max =
        options->connections_max ? (long) options->connections_max : CONNECTIONS_MAX_DEFAULT;
    CURLM *multi;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || !(multi = curl_multi_init()))
        return oi_fail(error, OI_E_IO, "the HTTP client cannot be set up");
    client = oi_alloc_zero(1, sizeof(*client));
    client->loop = loop;
    client->uv = oi_loop_uv(loop);
    client->multi = multi;
    client->user_agent = keep(options->user_agent ? options->user_agent : USER_AGENT_DEFAULT);
    client->proxy = keep(options->proxy ? options->proxy : "");
    client->interface_address = keep(options->interface_address);
    client->redirect_to = keep(options->redirect_to);
    client->authority = keep(options->authority);
    oi_assert(uv_timer_init(client->uv, &client->timer) == 0);
    client->timer.data = client;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, client);
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, connections_max);
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long) CONNECTIONS_MAX_ALL);
    *ret_client = client;
    return OI_OK;
}

struct oi_loop *
oi_http_client_loop(const struct oi_http_client *client)
{
    return client->loop;
}

static void
on_timer_closed(uv_handle_t *handle)
{
    struct oi_http_client *client = handle->data;

    oi_free(client->user_agent);
    oi_free(client->proxy);
    oi_free(client->interface_address);
    oi_free(client->redirect_to);
    oi_free(client->authority);
    oi_free(client);
}

void
oi_http_client_free(struct oi_http_client **client)
{
    struct oi_http_client *dying = *client;
    struct oi_error error = {};
    enum oi_status status = oi_fail(&error, OI_E_CANCELLED, "the client is closing");

    if (!dying)
        return;
    *client = NULL;
    while (dying->transfers) {
        struct oi_http_response response = {};

        end_transfer(dying->transfers, status, &response, &error);
    }
    oi_assert(!dying->wires); /* their owners come before */
    (void) curl_multi_cleanup(dying->multi);
    uv_close((uv_handle_t *) &dying->timer, on_timer_closed);
}

/* Where it goes: its own address, or the same path at the origin that stands in for all. */
static void
write_address(struct oi_http_transfer *transfer, const struct oi_http_request *request)
{
    const char *redirect_to = transfer->client->redirect_to;
    struct oi_buffer own = {};

    oi_http_write_url(request, &own);
    if (redirect_to) {
        oi_buffer_add_text(&transfer->url, redirect_to);
        oi_buffer_add(&transfer->url, own.data + request->origin.size,
                      own.size - request->origin.size);
    } else {
        oi_buffer_add_slice(&transfer->url, oi_buffer_slice(&own));
    }
    oi_buffer_add_char(&transfer->url, '\0');
    oi_buffer_release(&own);
}

static void
add_header(struct oi_http_transfer *transfer, struct oi_slice name, struct oi_slice value)
{
    const char *line = oi_arena_format(&transfer->arena, "%.*s%s%.*s", OI_SLICE_ARGS(name),
                                       value.size > 0 ? ": " : ";", OI_SLICE_ARGS(value));

    transfer->headers_out = curl_slist_append(transfer->headers_out, line);
}

static void
write_headers(struct oi_http_transfer *transfer, const struct oi_http_request *request)
{
    if (transfer->client->redirect_to) {
        struct oi_slice host = request->origin;
        size_t scheme = oi_slice_starts_with(host, "https://") ? 8 : 7;

        host.data += scheme;
        host.size -= scheme;
        add_header(transfer, OI_SLICE("Host"), host);
    }
    for (size_t i = 0; i < request->headers.count; i++)
        add_header(transfer, request->headers.items[i].name, request->headers.items[i].value);
    /* Waiting for 100 before a small body only costs a round trip. */
    transfer->headers_out = curl_slist_append(transfer->headers_out, "Expect:");
}

static void
set_method(struct oi_http_transfer *transfer, const struct oi_http_request *request, bool is_bulk)
{
    CURL *easy = transfer->easy;

    if (request->body.size > 0 || request->method == OI_HTTP_POST) {
        if (!is_bulk)
            oi_buffer_add_slice(&transfer->body_out, request->body);
        oi_buffer_add_char(&transfer->body_out, '\0'); /* so that it is never NULL */
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                         is_bulk && request->body.size > 0 ? request->body.data
                                                           : transfer->body_out.data);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body.size);
    }
    if (request->method == OI_HTTP_HEAD)
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else if (request->method != OI_HTTP_GET && request->method != OI_HTTP_POST)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, oi_http_method_name(request->method));
}

void
oi_http_client_route(const struct oi_http_client *client, CURL *easy, long timeout_ms)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, client->proxy);
    if (client->interface_address)
        curl_easy_setopt(easy, CURLOPT_INTERFACE, client->interface_address);
    if (client->authority)
        curl_easy_setopt(easy, CURLOPT_CAINFO, client->authority);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     timeout_ms < CONNECT_TIMEOUT_MS_MAX ? timeout_ms
                                                         : (long) CONNECT_TIMEOUT_MS_MAX);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
}

static void
set_options(struct oi_http_transfer *transfer, const struct oi_http_limits *limits)
{
    const struct oi_http_client *client = transfer->client;
    CURL *easy = transfer->easy;
    long timeout_ms = limits && limits->timeout_ms ? (long) limits->timeout_ms : TIMEOUT_MS_DEFAULT;

    transfer->body.size_max = limits && limits->size_max ? limits->size_max : BODY_SIZE_MAX_DEFAULT;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer->job);
    curl_easy_setopt(easy, CURLOPT_URL, transfer->url.data);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers_out);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, client->user_agent);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
    oi_http_client_route(client, easy, timeout_ms);
    if (limits && limits->is_bulk) {
        curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long) BULK_PIECE);
        curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long) BULK_PIECE);
    }
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->reason);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
}

void
oi_http_client_send(struct oi_http_client *client, const struct oi_http_request *request,
                    const struct oi_http_limits *limits,
                    void (*done)(void *context, enum oi_status status,
                                 const struct oi_http_response *response,
                                 const struct oi_error *error),
                    void *context)
{
    struct oi_http_transfer *transfer = oi_alloc_zero(1, sizeof(*transfer));

    transfer->job.finish = finish;
    transfer->client = client;
    transfer->done = done;
    transfer->context = context;
    transfer->started_ns = uv_hrtime();
    transfer->easy = curl_easy_init();
    oi_assert(transfer->easy != NULL); /* it fails only when memory is out */
    transfer->next = client->transfers;
    if (transfer->next)
        transfer->next->previous = transfer;
    client->transfers = transfer;
    write_address(transfer, request);
    write_headers(transfer, request);
    set_method(transfer, request, limits && limits->is_bulk);
    set_options(transfer, limits);
    /* Starts the timer, which starts the transfer: nothing is called from here. */
    oi_assert(curl_multi_add_handle(client->multi, transfer->easy) == CURLM_OK);
}
