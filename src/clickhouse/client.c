/* SPDX-License-Identifier: Apache-2.0 */
/* Statements over HTTP: connections of each thread, hosts in turn, refusals made sentences. */
#include "clickhouse/client.h"

#include "base/alloc.h"
#include "base/compress.h"
#include "base/crypto.h"
#include "net/http_client.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TIMEOUT_MS 60'000
#define ANSWER_MAX ((size_t) 1 << 30)
/* How often the round of hosts is made, and how long is waited before the next one. */
#define ROUNDS 3
#define PAUSE_MS 100
/* Smaller bodies are not worth compressing. */
#define COMPRESS_MIN 4096
/* An exception within an answer stands at its end. */
#define EXCEPTION_REACH ((size_t) 16 << 10)
/* Of ClickHouse's own words, in a sentence of ours. */
#define TOLD_MAX 150

/* A loop and its kept connections: one call at a time. */
struct line {
    struct oi_loop *loop;
    struct oi_http_client *http;
    struct line *next;
};

struct oi_clickhouse_client {
    struct oi_clickhouse_address address;
    char authorization[640];
    pthread_mutex_t lock;
    struct line *idle;
    size_t host; /* that answered last */
};

static void
line_free(struct line *line)
{
    oi_http_client_free(&line->http);
    oi_loop_free(&line->loop);
    oi_free(line);
}

static enum oi_status
line_take(struct oi_clickhouse_client *client, struct line **ret_line, struct oi_error *error)
{
    const struct oi_http_client_options options = {};
    struct line *line;
    enum oi_status status;

    (void) pthread_mutex_lock(&client->lock);
    line = client->idle;
    if (line)
        client->idle = line->next;
    (void) pthread_mutex_unlock(&client->lock);
    if (!line) {
        line = oi_alloc_zero(1, sizeof(*line));
        status = oi_loop_new(&line->loop, error);
        if (status == OI_OK)
            status = oi_http_client_new(line->loop, &options, &line->http, error);
        if (status != OI_OK) {
            line_free(line);
            return status;
        }
    }
    *ret_line = line;
    return OI_OK;
}

static void
line_give(struct oi_clickhouse_client *client, struct line *line)
{
    (void) pthread_mutex_lock(&client->lock);
    line->next = client->idle;
    client->idle = line;
    (void) pthread_mutex_unlock(&client->lock);
}

enum oi_status
oi_clickhouse_client_new(const struct oi_clickhouse_address *address,
                         struct oi_clickhouse_client **ret_client, struct oi_error *error)
{
    struct oi_clickhouse_client *client = oi_alloc_zero(1, sizeof(*client));
    struct oi_buffer plain = {}, coded = {};

    (void) error;
    client->address = *address;
    oi_buffer_add_format(&plain, "%s:%s", address->user, address->password);
    oi_base64(oi_buffer_slice(&plain), &coded);
    (void) snprintf(client->authorization, sizeof(client->authorization), "Basic %.*s",
                    (int) coded.size, coded.data);
    oi_buffer_release(&plain);
    oi_buffer_release(&coded);
    (void) pthread_mutex_init(&client->lock, NULL);
    *ret_client = client;
    return OI_OK;
}

void
oi_clickhouse_client_free(struct oi_clickhouse_client **client)
{
    struct oi_clickhouse_client *closing = *client;

    if (!closing)
        return;
    *client = NULL;
    while (closing->idle) {
        struct line *line = closing->idle;

        closing->idle = line->next;
        line_free(line);
    }
    (void) pthread_mutex_destroy(&closing->lock);
    oi_free(closing);
}

const struct oi_clickhouse_address *
oi_clickhouse_client_address(const struct oi_clickhouse_client *client)
{
    return &client->address;
}

/*
 * What went wrong.
 */

/* Exceptions are of several kinds: DB::ErrnoException is a full disk, and its client of ZooKeeper
 * has a kind of its own, under two names. */
static bool
has_exception(struct oi_slice text)
{
    static const char *const kinds[] = {
        "DB::Exception",           "DB::ErrnoException", "DB::NetException", "DB::ParsingException",
        "Coordination::Exception", "KeeperException",    "Poco::Exception",
    };

    for (size_t i = 0; i < OI_COUNT(kinds); i++)
        if (memmem(text.data, text.size, kinds[i], strlen(kinds[i])))
            return true;
    return false;
}

/* The text from behind a word on, when it has it. */
static bool
cut_before(struct oi_slice *text, const char *word)
{
    const char *at = memmem(text->data, text->size, word, strlen(word));

    if (!at)
        return false;
    at += strlen(word);
    *text = (struct oi_slice){ at, (size_t) (text->data + text->size - at) };
    return true;
}

int
oi_clickhouse_exception(struct oi_slice body, struct oi_slice *ret_text)
{
    size_t reach = body.size < EXCEPTION_REACH ? body.size : EXCEPTION_REACH;
    struct oi_slice end, text;
    const char *at = NULL;
    int code = 0;

    if (reach == 0)
        return 0;
    end = (struct oi_slice){ body.data + (body.size - reach), reach };
    if (!has_exception(end))
        return 0;
    for (size_t i = 0; i + 6 < end.size; i++)
        if (memcmp(end.data + i, "Code: ", 6) == 0)
            at = end.data + i;
    if (!at)
        return 0;
    text = (struct oi_slice){ at, (size_t) (end.data + end.size - at) };
    for (size_t i = 6; i < text.size && text.data[i] >= '0' && text.data[i] <= '9' && i < 14; i++)
        code = code * 10 + (text.data[i] - '0');
    if (!cut_before(&text, "Exception: "))
        (void) cut_before(&text, "displayText() = ");
    at = memmem(text.data, text.size, ", e.what()", 10);
    if (at)
        text.size = (size_t) (at - text.data);
    *ret_text = oi_slice_trim(text);
    return code;
}

/* Of what the code alone does not tell. */
static enum oi_status
fail_of_words(int code, struct oi_slice text, struct oi_error *error)
{
    /* What 18.16 could not write to its end stands in the way until it starts anew. */
    if (memmem(text.data, text.size, ".sql.tmp, errno: 17", 19))
        return oi_fail(error, OI_E_FULL,
                       "ClickHouse has not got over its full disk: make room and restart it");
    /* The system's words for a disk without room. */
    if (memmem(text.data, text.size, "o space left on", 15))
        return oi_fail(error, OI_E_FULL, "ClickHouse's disk is full: make room there");
    return oi_fail(error, OI_E_UPSTREAM, "ClickHouse refuses (%d): %.*s", code,
                   (int) (text.size > TOLD_MAX ? TOLD_MAX : text.size), text.data);
}

static enum oi_status
fail_of(const struct oi_clickhouse_client *client, int code, struct oi_slice text,
        struct oi_error *error)
{
    const struct oi_clickhouse_address *address = &client->address;
    int size = (int) (text.size > TOLD_MAX ? TOLD_MAX : text.size);

    switch (code) {
    case 192: /* UNKNOWN_USER */
    case 193: /* WRONG_PASSWORD */
    case 194: /* REQUIRED_PASSWORD */
    case 516: /* AUTHENTICATION_FAILED */
        return oi_fail(error, OI_E_DENIED,
                       "ClickHouse refuses the user %s: a wrong name or password", address->user);
    case 164: /* READONLY */
    case 291: /* DATABASE_ACCESS_DENIED */
    case 497: /* ACCESS_DENIED */
        return oi_fail(error, OI_E_DENIED,
                       "the user %s has no right to do this in ClickHouse: %.*s", address->user,
                       size, text.data);
    case 81: /* UNKNOWN_DATABASE */
        return oi_fail(error, OI_E_NOT_FOUND,
                       "ClickHouse has no database %s: make it with `oi clickhouse init`",
                       address->database);
    case 60: /* UNKNOWN_TABLE */
        return oi_fail(
            error, OI_E_NOT_FOUND,
            "a table is missing in ClickHouse's database %s: `oi clickhouse check` names "
            "it, `oi clickhouse init` makes it",
            address->database);
    case 10: /* NOT_FOUND_COLUMN_IN_BLOCK */
    case 16: /* NO_SUCH_COLUMN_IN_TABLE */
    case 47: /* UNKNOWN_IDENTIFIER */
    case 53: /* TYPE_MISMATCH */
        return oi_fail(
            error, OI_E_INVALID,
            "a table in ClickHouse's database %s is not as oi made it: see `oi clickhouse "
            "check` (%.*s)",
            address->database, size, text.data);
    case 243: /* NOT_ENOUGH_SPACE */
        return oi_fail(error, OI_E_FULL, "ClickHouse's disk is full: make room there");
    case 241: /* MEMORY_LIMIT_EXCEEDED */
        return oi_fail(error, OI_E_BUSY,
                       "ClickHouse has not memory enough for this: ask for less, or raise "
                       "max_memory_usage of the user %s there (%.*s)",
                       address->user, size, text.data);
    case 32:  /* ATTEMPT_TO_READ_AFTER_EOF: one of its own connections broke */
    case 159: /* TIMEOUT_EXCEEDED */
    case 160: /* TOO_SLOW */
    case 202: /* TOO_MANY_SIMULTANEOUS_QUERIES */
    case 203: /* NO_FREE_CONNECTION */
    case 209: /* SOCKET_TIMEOUT */
    case 210: /* NETWORK_ERROR */
    case 225: /* NO_ZOOKEEPER */
    case 242: /* TABLE_IS_READ_ONLY */
    case 252: /* TOO_MANY_PARTS */
    case 279: /* ALL_CONNECTION_TRIES_FAILED */
    case 285: /* TOO_LESS_LIVE_REPLICAS */
    case 286: /* UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE */
    case 289: /* REPLICA_IS_NOT_IN_QUORUM */
    case 319: /* UNKNOWN_STATUS_OF_INSERT */
    case 999: /* KEEPER_EXCEPTION */
        return oi_fail(error, OI_E_BUSY, "ClickHouse cannot do it just now (%d): %.*s", code, size,
                       text.data);
    default:
        return fail_of_words(code, text, error);
    }
}

/* May another host, or a moment, help? A list of tables ends with UNKNOWN_TABLE where one of them
 * is dropped meanwhile, as those of turns are. */
static bool
is_passing(const struct oi_clickhouse_call *call, int code)
{
    if (code == 60)
        return strstr(call->statement, " FROM system.");
    return code == 32 || code == 202 || code == 203 || code == 209 || code == 210 || code == 225 ||
           code == 242 || code == 279 || code == 289 || code == 999;
}

/*
 * One exchange.
 */

struct exchange {
    struct oi_clickhouse_client *client;
    struct oi_loop *loop;
    struct oi_buffer *out;
    enum oi_status status;
    int code;
    bool is_done;
    bool is_away; /* no answer at all */
    struct oi_error error;
};

static void
on_answer(void *context, enum oi_status status, const struct oi_http_response *response,
          const struct oi_error *error)
{
    struct exchange *exchange = context;
    struct oi_slice text = {};

    exchange->is_done = true;
    oi_loop_stop(exchange->loop);
    exchange->is_away = status != OI_OK;
    if (status != OI_OK) {
        /* Whatever broke, the answer is not whole. */
        exchange->status = oi_fail(&exchange->error, status == OI_E_DENIED ? status : OI_E_BUSY,
                                   "%s", error ? error->message : "no answer");
        return;
    }
    exchange->code = oi_clickhouse_exception(response->body, &text);
    if (exchange->code != 0)
        exchange->status = fail_of(exchange->client, exchange->code, text, &exchange->error);
    else if (response->status == 401 || response->status == 403)
        exchange->status = fail_of(exchange->client, 193, text, &exchange->error);
    else if (response->status >= 500)
        exchange->status = oi_fail(&exchange->error, OI_E_BUSY, "ClickHouse answers with status %d",
                                   response->status);
    else if (response->status != 200 || oi_http_response_header(response, "X-ClickHouse-Exception"))
        exchange->status =
            oi_fail(&exchange->error, OI_E_UPSTREAM,
                    "status %d comes from no ClickHouse: is it its HTTP port?", response->status);
    else if (exchange->out)
        oi_buffer_add_slice(exchange->out, response->body);
}

static bool
is_near(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "localhost:", 10) == 0 ||
           strncmp(host, "[::1]", 5) == 0;
}

static enum oi_status
build(const struct oi_clickhouse_client *client, const struct oi_clickhouse_call *call,
      const char *host, struct oi_buffer *packed, struct oi_http_request *request,
      struct oi_error *error)
{
    const struct oi_clickhouse_address *address = &client->address;
    struct oi_slice body = call->data.size > 0 ? call->data : oi_slice_of(call->statement);
    struct oi_buffer url = {};
    enum oi_status status;

    oi_buffer_add_format(&url, "%s://%s/?", address->is_tls ? "https" : "http", host);
    /* The whole answer, or an error as its status: never half of one with the error behind it. */
    oi_buffer_add_text(&url, call->is_native ? "wait_end_of_query=0"
                                             : "wait_end_of_query=1&buffer_size=67108864");
    if (!call->without_database)
        oi_buffer_add_format(&url, "&database=%s", address->database);
    if (call->settings)
        oi_buffer_add_format(&url, "&%s", call->settings);
    if (!is_near(host))
        oi_buffer_add_text(&url, "&enable_http_compression=1");
    if (call->data.size > 0) {
        oi_buffer_add_text(&url, "&query=");
        oi_http_encode(oi_slice_of(call->statement), &url);
    }
    oi_buffer_add_char(&url, 0);
    if (!is_near(host) && body.size >= COMPRESS_MIN && packed->size == 0)
        oi_gzip(body, 1, packed);
    if (!is_near(host) && body.size >= COMPRESS_MIN)
        body = oi_buffer_slice(packed);
    status =
        oi_http_post(request, url.data, "application/octet-stream", (struct oi_slice){}, error);
    if (status == OI_OK) {
        request->body = body; /* the caller's or `packed`, which stay until the answer is there */
        oi_http_add_header(request, "Authorization", oi_slice_of(client->authorization));
        if (body.data == packed->data && packed->size > 0)
            oi_http_add_header(request, "Content-Encoding", OI_SLICE("gzip"));
    }
    oi_buffer_release(&url);
    return status;
}

static enum oi_status
run_on(struct oi_clickhouse_client *client, const struct oi_clickhouse_call *call, const char *host,
       struct oi_buffer *packed, struct exchange *exchange, struct oi_error *error)
{
    const struct oi_http_limits limits = {
        .timeout_ms = call->timeout_ms ? call->timeout_ms : TIMEOUT_MS,
        .size_max = ANSWER_MAX,
        .is_bulk = true,
    };
    struct oi_http_request request = {};
    struct line *line = NULL;
    enum oi_status status = build(client, call, host, packed, &request, error);

    if (status == OI_OK)
        status = line_take(client, &line, error);
    if (status == OI_OK) {
        exchange->loop = line->loop;
        oi_http_client_send(line->http, &request, &limits, on_answer, exchange);
        /* A stop of the call before may still be on its way. */
        while (!exchange->is_done)
            oi_loop_run(line->loop);
        line_give(client, line);
    }
    oi_http_request_release(&request);
    return status;
}

static void
pause_for(unsigned round)
{
    const struct timespec pause = { 0, (long) PAUSE_MS * 1'000'000 * (1 << (2 * round)) };

    (void) nanosleep(&pause, NULL);
}

enum oi_status
oi_clickhouse_run(struct oi_clickhouse_client *client, const struct oi_clickhouse_call *call,
                  struct oi_buffer *out, struct oi_error *error)
{
    const struct oi_clickhouse_address *address = &client->address;
    struct exchange exchange = {};
    struct oi_buffer packed = {};
    size_t host = __atomic_load_n(&client->host, __ATOMIC_RELAXED);
    unsigned rounds = call->rounds ? call->rounds : ROUNDS;
    bool is_over = false;
    int code = 0;

    for (unsigned round = 0; round < rounds && !is_over; round++) {
        for (size_t i = 0; i < address->host_count && !is_over; i++) {
            const char *name = address->hosts[(host + i) % address->host_count];

            exchange = (struct exchange){ .client = client, .out = out, .status = OI_OK };
            exchange.status =
                run_on(client, call, name, &packed, &exchange, &exchange.error) == OI_OK
                    ? exchange.status
                    : exchange.error.status;
            is_over = exchange.status == OI_OK ||
                      !(exchange.is_away ? call->is_repeatable && exchange.status == OI_E_BUSY
                                         : is_passing(call, exchange.code));
            code = exchange.status == OI_OK ? 0 : exchange.code != 0 ? exchange.code : code;
            if (exchange.status == OI_OK)
                __atomic_store_n(&client->host, (host + i) % address->host_count, __ATOMIC_RELAXED);
            else if (exchange.is_away)
                exchange.status = oi_fail_in(&exchange.error, exchange.status,
                                             "ClickHouse at %s does not answer: ", name);
        }
        if (!is_over && round + 1 < rounds)
            pause_for(round);
    }
    oi_buffer_release(&packed);
    if (call->ret_code)
        *call->ret_code = code;
    if (exchange.status != OI_OK)
        return oi_fail(error, exchange.status, "%s", exchange.error.message);
    return OI_OK;
}

enum oi_status
oi_clickhouse_ask(struct oi_clickhouse_client *client, const char *statement, char *ret_text,
                  size_t size, struct oi_error *error)
{
    const struct oi_clickhouse_call call = { .statement = statement, .is_repeatable = true };
    struct oi_buffer out = {};
    enum oi_status status = oi_clickhouse_run(client, &call, &out, error);

    if (status == OI_OK) {
        struct oi_slice text = oi_slice_trim(oi_buffer_slice(&out));

        for (size_t i = 0; i < text.size; i++)
            if (text.data[i] == '\t' || text.data[i] == '\n')
                text.size = i;
        (void) snprintf(ret_text, size, "%.*s", (int) text.size, text.data ? text.data : "");
    }
    oi_buffer_release(&out);
    return status;
}
