/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: sockets and a thread; tests/system/quota.test.mjs asks a real redis-server */
/*
 * The protocol is hiredis', which is the only thing of it that is used: Debian 12's has no TLS, and
 * our loop has its own sockets. Answers come in the order of questions. A question whose caller has
 * given up stays in the queue until its answer comes, which is then nobody's.
 */
#include "server/redis.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/vector.h"
#include "net/http_wire.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TIMEOUT_MS_DEFAULT 50
#define CONNECT_MS 2000
#define RETRY_MS 200
#define PORT_DEFAULT 6379

enum stage {
    STAGE_CLOSED, /* waits for the next try */
    STAGE_CONNECTING,
    STAGE_GREETING, /* password and database */
    STAGE_READY,
};

/* Allocated by its caller, freed by whoever of both is last. */
struct question {
    struct question *next;
    char *text; /* as it goes over the wire; NULL: sent */
    size_t size;
    bool is_answered, is_abandoned;
    enum oi_status status;
    int64_t values[OI_REDIS_VALUES_MAX];
    char reason[128];
};

struct oi_redis {
    char origin[300];
    char user[64];
    char *password; /* or NULL */
    unsigned database;
    uint64_t timeout_ms;
    struct oi_loop *loop;
    struct oi_http_client *client;
    struct oi_timer *timer;
    pthread_t thread;
    /* The thread's. */
    struct oi_http_wire *wire;
    redisReader *reader;
    unsigned greetings; /* answers to come before it is ready */
    /* Under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t answered;
    enum stage stage;
    struct question *first, **last; /* sent and waiting for an answer, then those to be sent */
    bool is_stopping, is_given_up;  /* an answer did not come in time */
    atomic_ullong connection;       /* counts; `is_ready` says whether it stands */
    atomic_bool is_ready;
};

static void
free_question(struct question *question)
{
    free(question->text); /* hiredis' */
    oi_free(question);
}

/* The first question has its outcome. The lock is held. */
static void
settle_first(struct oi_redis *redis, enum oi_status status, const char *reason)
{
    struct question *question = redis->first;

    redis->first = question->next;
    if (!redis->first)
        redis->last = &redis->first;
    if (question->is_abandoned) {
        free_question(question);
        return;
    }
    question->status = status;
    (void) snprintf(question->reason, sizeof(question->reason), "%s", reason);
    question->is_answered = true;
    pthread_cond_broadcast(&redis->answered);
}

static void
disconnect(struct oi_redis *redis, const char *reason)
{
    oi_http_wire_close(&redis->wire);
    if (redis->reader)
        redisReaderFree(redis->reader);
    redis->reader = NULL;
    pthread_mutex_lock(&redis->lock);
    if (redis->stage != STAGE_CLOSED && !redis->is_stopping)
        oi_log_throttled(OI_LOG_WARN, "redis.away", redis->origin,
                         "server=%s reason=\"%s\" next=\"quotas are this server's share\"",
                         redis->origin, reason);
    redis->stage = STAGE_CLOSED;
    redis->is_given_up = false;
    atomic_store(&redis->is_ready, false);
    while (redis->first)
        settle_first(redis, OI_E_BUSY, reason);
    pthread_mutex_unlock(&redis->lock);
    oi_timer_start(redis->timer, RETRY_MS, 0);
}

static void
send_words(struct oi_redis *redis, int count, const char **words)
{
    char *text = NULL;
    int size = (int) redisFormatCommandArgv(&text, count, words, NULL);

    if (size > 0)
        oi_http_wire_send(redis->wire, (struct oi_slice){ text, (size_t) size });
    free(text);
    redis->greetings++;
}

static void
greet(struct oi_redis *redis)
{
    char number[16];
    const char *select[] = { "SELECT", number };
    const char *name[] = { "AUTH", redis->user, redis->password };
    const char *password[] = { "AUTH", redis->password };

    (void) snprintf(number, sizeof(number), "%u", redis->database);
    redis->reader = redisReaderCreate();
    redis->greetings = 0;
    if (redis->password && redis->user[0])
        send_words(redis, 3, name);
    else if (redis->password)
        send_words(redis, 2, password);
    send_words(redis, 2, select);
}

/* Send what waits. */
static void
flush(struct oi_redis *redis)
{
    pthread_mutex_lock(&redis->lock);
    for (struct question *each = redis->first; each; each = each->next) {
        if (each->text)
            oi_http_wire_send(redis->wire, (struct oi_slice){ each->text, each->size });
        free(each->text);
        each->text = NULL;
    }
    pthread_mutex_unlock(&redis->lock);
}

static void
opened(void *context)
{
    struct oi_redis *redis = context;

    pthread_mutex_lock(&redis->lock);
    redis->stage = STAGE_GREETING;
    pthread_mutex_unlock(&redis->lock);
    greet(redis);
}

static void
become_ready(struct oi_redis *redis)
{
    pthread_mutex_lock(&redis->lock);
    redis->stage = STAGE_READY;
    atomic_fetch_add(&redis->connection, 1);
    atomic_store(&redis->is_ready, true);
    pthread_mutex_unlock(&redis->lock);
    oi_log(OI_LOG_INFO, "redis.connected", "server=%s", redis->origin);
}

static void
take_values(struct question *question, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_INTEGER)
        question->values[0] = reply->integer;
    for (size_t i = 0;
         reply->type == REDIS_REPLY_ARRAY && i < reply->elements && i < OI_REDIS_VALUES_MAX; i++)
        if (reply->element[i]->type == REDIS_REPLY_INTEGER)
            question->values[i] = reply->element[i]->integer;
}

/* False: the connection is of no use. */
static bool
take_reply(struct oi_redis *redis, const redisReply *reply)
{
    bool is_error = reply->type == REDIS_REPLY_ERROR, has_question;

    if (redis->greetings > 0) {
        if (is_error) {
            disconnect(redis, reply->str);
            return false;
        }
        if (--redis->greetings == 0)
            become_ready(redis);
        return true;
    }
    pthread_mutex_lock(&redis->lock);
    has_question = redis->first != NULL;
    if (has_question) {
        if (!is_error)
            take_values(redis->first, reply);
        settle_first(redis, is_error ? OI_E_UPSTREAM : OI_OK, is_error ? reply->str : "");
    }
    pthread_mutex_unlock(&redis->lock);
    if (!has_question)
        disconnect(redis, "it answers what was not asked");
    return has_question;
}

static void
received(void *context, struct oi_slice bytes)
{
    struct oi_redis *redis = context;
    void *reply = NULL;

    if (redisReaderFeed(redis->reader, bytes.data, bytes.size) != REDIS_OK) {
        disconnect(redis, redis->reader->errstr);
        return;
    }
    for (;;) {
        bool is_fine;

        if (redisReaderGetReply(redis->reader, &reply) != REDIS_OK) {
            disconnect(redis, redis->reader->errstr);
            return;
        }
        if (!reply)
            return;
        is_fine = take_reply(redis, reply);
        freeReplyObject(reply);
        if (!is_fine)
            return;
    }
}

static void
closed(void *context, enum oi_status, const struct oi_error *error)
{
    struct oi_redis *redis = context;

    redis->wire = NULL;
    disconnect(redis, error ? error->message : "closed");
}

static void
connect_now(void *context)
{
    struct oi_redis *redis = context;
    const struct oi_http_wire_handler handler = { opened, received, closed, redis };

    if (redis->wire)
        return;
    pthread_mutex_lock(&redis->lock);
    redis->stage = STAGE_CONNECTING;
    pthread_mutex_unlock(&redis->lock);
    redis->wire = oi_http_wire_open(redis->client, redis->origin, CONNECT_MS, &handler);
}

static void
woken(void *context)
{
    struct oi_redis *redis = context;
    bool is_stopping, is_given_up;

    pthread_mutex_lock(&redis->lock);
    is_stopping = redis->is_stopping;
    is_given_up = redis->is_given_up;
    pthread_mutex_unlock(&redis->lock);
    if (is_stopping) {
        disconnect(redis, "stopping");
        oi_timer_stop(redis->timer);
        oi_loop_stop(redis->loop);
        return;
    }
    if (is_given_up)
        disconnect(redis, "no answer in time");
    else if (atomic_load(&redis->is_ready))
        flush(redis);
}

static void *
run(void *context)
{
    oi_loop_run(((struct oi_redis *) context)->loop);
    return NULL;
}

/* "redis://user@host:6379/0" */
static enum oi_status
read_url(struct oi_redis *redis, const char *url, struct oi_error *error)
{
    bool is_tls = strncmp(url, "rediss://", 9) == 0;
    struct oi_slice rest, user = {}, host;
    const char *at, *slash;
    bool has_port;

    if (!is_tls && strncmp(url, "redis://", 8) != 0)
        return oi_fail(error, OI_E_INVALID, "Redis is at redis:// or rediss://, not there");
    rest = oi_slice_of(url + (is_tls ? 9 : 8));
    at = rest.size > 0 ? memrchr(rest.data, '@', rest.size) : NULL;
    if (at) {
        user = (struct oi_slice){ rest.data, (size_t) (at - rest.data) };
        rest = (struct oi_slice){ at + 1, rest.size - user.size - 1 };
    }
    if (user.size >= sizeof(redis->user) || (user.size > 0 && memchr(user.data, ':', user.size)))
        return oi_fail(error, OI_E_INVALID,
                       "the password of Redis is a setting of its own, not a part of its URL");
    memcpy(redis->user, user.data ? user.data : "", user.size);
    slash = rest.size > 0 ? memchr(rest.data, '/', rest.size) : NULL;
    host = (struct oi_slice){ rest.data, slash ? (size_t) (slash - rest.data) : rest.size };
    if (slash && slash[1] != '\0') {
        char *end;

        errno = 0;
        redis->database = (unsigned) strtoul(slash + 1, &end, 10);
        if (*end != '\0' || errno != 0 || slash[1] == '-' || redis->database > 65535)
            return oi_fail(error, OI_E_INVALID, "\"%s\" is no database of Redis", slash + 1);
    }
    if (host.size == 0 || host.size > 250 || strpbrk(url, "?# \t\r\n"))
        return oi_fail(error, OI_E_INVALID, "the URL of Redis names no host");
    has_port = host.data[host.size - 1] != ']' && memrchr(host.data, ':', host.size) &&
               (host.data[0] != '[' || memchr(host.data, ']', host.size));
    (void) snprintf(redis->origin, sizeof(redis->origin), has_port ? "%s://%.*s" : "%s://%.*s:%d",
                    is_tls ? "https" : "http", OI_SLICE_ARGS(host), PORT_DEFAULT);
    return OI_OK;
}

enum oi_status
oi_redis_open(const struct oi_redis_options *options, struct oi_redis **ret_redis,
              struct oi_error *error)
{
    const struct oi_http_client_options client = { .authority = options->authority };
    struct oi_redis *redis = oi_alloc_zero(1, sizeof(*redis));
    enum oi_status status;

    redis->last = &redis->first;
    redis->timeout_ms = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS_DEFAULT;
    pthread_mutex_init(&redis->lock, NULL);
    pthread_cond_init(&redis->answered, NULL);
    if (options->password && options->password[0])
        redis->password = oi_copy_text(oi_slice_of(options->password));
    status = read_url(redis, options->url, error);
    if (status == OI_OK)
        status = oi_loop_new(&redis->loop, error);
    if (status == OI_OK)
        status = oi_http_client_new(redis->loop, &client, &redis->client, error);
    if (status == OI_OK) {
        oi_loop_on_wake(redis->loop, woken, redis);
        redis->timer = oi_timer_new(redis->loop, connect_now, redis);
        oi_timer_start(redis->timer, 1, 0);
        if (pthread_create(&redis->thread, NULL, run, redis) != 0)
            status = oi_fail(error, OI_E_IO, "cannot start a thread");
    }
    if (status == OI_OK) {
        *ret_redis = redis;
        return OI_OK;
    }
    redis->is_stopping = true; /* there is no thread to end */
    oi_redis_close(&redis);
    return status;
}

void
oi_redis_close(struct oi_redis **redis)
{
    struct oi_redis *closing = *redis;
    bool has_thread;

    if (!closing)
        return;
    *redis = NULL;
    pthread_mutex_lock(&closing->lock);
    has_thread = !closing->is_stopping;
    closing->is_stopping = true;
    pthread_mutex_unlock(&closing->lock);
    if (has_thread) {
        oi_loop_wake(closing->loop);
        (void) pthread_join(closing->thread, NULL);
    }
    oi_timer_free(&closing->timer);
    oi_http_client_free(&closing->client);
    oi_loop_free(&closing->loop);
    pthread_cond_destroy(&closing->answered);
    pthread_mutex_destroy(&closing->lock);
    oi_free(closing->password);
    oi_free(closing);
}

uint64_t
oi_redis_connection(struct oi_redis *redis)
{
    return atomic_load(&redis->is_ready) ? atomic_load(&redis->connection) : 0;
}

static struct question *
word(const struct oi_redis_call *call)
{
    const char *words[4 + OI_REDIS_ARGUMENTS_MAX] = { "EVAL", call->script, "1", call->key };
    struct question *question = oi_alloc_zero(1, sizeof(*question));
    int size;

    for (size_t i = 0; i < call->argument_count; i++)
        words[4 + i] = call->arguments[i];
    size =
        (int) redisFormatCommandArgv(&question->text, 4 + (int) call->argument_count, words, NULL);
    oi_assert(size > 0);
    question->size = (size_t) size;
    return question;
}

/* Wait for the answer, under the lock; false: it did not come. */
static bool
wait_for(struct oi_redis *redis, const struct question *question)
{
    struct timespec until;

    (void) clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long) (redis->timeout_ms % 1000) * 1'000'000;
    until.tv_sec += (time_t) (redis->timeout_ms / 1000) + until.tv_nsec / 1'000'000'000;
    until.tv_nsec %= 1'000'000'000;
    while (!question->is_answered)
        if (pthread_cond_timedwait(&redis->answered, &redis->lock, &until) == ETIMEDOUT)
            return question->is_answered;
    return true;
}

enum oi_status
oi_redis_run(struct oi_redis *redis, const struct oi_redis_call *call, int64_t *ret_values,
             struct oi_error *error)
{
    struct question *question;
    enum oi_status status;

    if (!atomic_load(&redis->is_ready))
        return oi_fail(error, OI_E_BUSY, "there is no connection to Redis");
    question = word(call);
    pthread_mutex_lock(&redis->lock);
    if (redis->stage != STAGE_READY || redis->is_given_up) {
        pthread_mutex_unlock(&redis->lock);
        free_question(question);
        return oi_fail(error, OI_E_BUSY, "there is no connection to Redis");
    }
    *redis->last = question;
    redis->last = &question->next;
    oi_loop_wake(redis->loop);
    if (!wait_for(redis, question)) {
        question->is_abandoned = true; /* the thread frees it */
        redis->is_given_up = true;
        atomic_store(&redis->is_ready, false);
        pthread_mutex_unlock(&redis->lock);
        oi_loop_wake(redis->loop);
        return oi_fail(error, OI_E_BUSY, "Redis did not answer within %llu ms",
                       (unsigned long long) redis->timeout_ms);
    }
    pthread_mutex_unlock(&redis->lock);
    status = question->status;
    if (status == OI_OK)
        memcpy(ret_values, question->values, sizeof(question->values));
    else
        (void) oi_fail(error, status, "%s", question->reason);
    free_question(question);
    return status;
}
