/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: sockets and a thread; tests/system/follow.test.mjs follows over real ones */
/* One loop on a thread of its own, one link a collector. */
#include "server/follower.h"

#include "base/crypto.h"
#include "base/log.h"
#include "base/random.h"
#include "net/websocket_client.h"
#include "server/follower_internal.h"
#include "server/server_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STREAM_PATH "/oi/v1/stream"
/* Rows wait for others to be placed with, so long and so many. */
#define TICK_MS 50
#define FLUSH_ROWS 8192
/* The first try after an interruption, and the longest wait. */
#define RETRY_NS (250 * OI_MILLISECOND)
#define RETRY_NS_MAX (5 * OI_SECOND)
#define DENIED_NS (30 * OI_SECOND)
/* A collector says its position each 20 seconds at least. */
#define SILENT_NS OI_MINUTE
/* How often a position is written down. */
#define SAVE_NS (2 * OI_SECOND)
/* A definition and a row are a few hundred bytes. */
#define MESSAGE_SIZE_MAX 65536

struct link {
    struct oi_follower *follower;
    char *url;       /* with its path, without the question */
    char path[3100]; /* of the file with its position; "": none is kept */
    struct oi_websocket_client *socket;
    struct dictionary dictionary;
    struct placed placed;
    uint64_t position; /* what was heard up to it is placed */
    uint64_t reached;  /* told, and placed with what is pending */
    uint64_t saved;
    bool has_position;
    unsigned failures;
    int64_t retry_ns, heard_ns, saved_ns;
    atomic_bool is_open;
    atomic_ullong rows, duplicates, left_out, interruptions, told;
};

struct oi_follower {
    struct oi_follower_options options; /* key and authority copied */
    struct placement placement;
    struct oi_loop *loop;
    struct oi_http_client *client;
    struct oi_timer *timer;
    struct oi_random random;
    struct link *links;
    size_t link_count;
    pthread_t thread;
    bool is_running;
};

static int64_t
now(const struct oi_follower *follower)
{
    const struct oi_clock *clock = follower->placement.server->source->clock;

    return clock->monotonic_ns(clock);
}

/*
 * Positions on disk: without one, everything is asked for again, and dropped.
 */

static void
load_position(struct link *link)
{
    char text[32] = "";
    int file = open(link->path, O_RDONLY | O_CLOEXEC);
    ssize_t size = file >= 0 ? read(file, text, sizeof(text) - 1) : -1;
    char *end = text;

    if (file >= 0)
        close(file);
    if (size > 0)
        link->position = strtoull(text, &end, 10);
    if (size <= 0 || *end != '\n')
        link->position = 0; /* torn: from the beginning */
    link->saved = link->reached = link->position;
}

/* The rows before it are on disk already; that it may be older than they are costs duplicates. */
static void
save_position(struct link *link)
{
    char fresh[3200], text[32];
    int size = snprintf(text, sizeof(text), "%llu\n", (unsigned long long) link->position);
    int file;
    bool is_written;

    link->saved_ns = now(link->follower);
    if (!link->path[0] || link->saved == link->position)
        return;
    (void) snprintf(fresh, sizeof(fresh), "%s.new", link->path);
    file = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    is_written = file >= 0 && write(file, text, (size_t) size) == size && fsync(file) == 0;
    if (file >= 0)
        close(file);
    if (is_written && rename(fresh, link->path) == 0)
        link->saved = link->position;
    else
        oi_log_throttled(OI_LOG_WARN, "follow.position_not_kept", link->url,
                         "reason=\"%s\" next=\"again in 2 s\"", strerror(errno));
}

static enum oi_status
find_path(struct link *link, const char *folder, struct oi_error *error)
{
    uint8_t digest[OI_SHA256_SIZE];
    struct oi_buffer name = {};
    int size;

    oi_sha256(oi_slice_of(link->url), digest);
    oi_hex((struct oi_slice){ (const char *) digest, 8 }, &name);
    size = snprintf(link->path, sizeof(link->path), "%s/follow", folder);
    if (size < 3000 && mkdir(link->path, 0755) != 0 && errno != EEXIST) {
        oi_buffer_release(&name);
        return oi_fail(error, OI_E_IO, "cannot make %s: %s", link->path, strerror(errno));
    }
    if (size < 3000)
        (void) snprintf(link->path, sizeof(link->path), "%s/follow/%.*s", folder, (int) name.size,
                        name.data);
    oi_buffer_release(&name);
    return size < 3000 ? OI_OK : oi_fail(error, OI_E_INVALID, "the data folder's name is too long");
}

/*
 * A link.
 */

static void
give_up(struct link *link, int64_t wait_ns)
{
    bool was_open = atomic_exchange(&link->is_open, false);

    oi_websocket_client_close(&link->socket);
    dictionary_release(&link->dictionary);
    link->reached = link->position;
    if (was_open)
        atomic_fetch_add(&link->interruptions, 1);
    if (wait_ns == 0) {
        wait_ns = RETRY_NS << (link->failures < 5 ? link->failures : 5);
        wait_ns = wait_ns < RETRY_NS_MAX ? wait_ns : RETRY_NS_MAX;
        wait_ns =
            wait_ns / 2 + (int64_t) oi_random_below(&link->follower->random, (uint64_t) wait_ns);
    }
    link->failures++;
    link->retry_ns = now(link->follower) + wait_ns;
}

/* False: the store refuses for now. */
static bool
flush(struct link *link)
{
    struct placed placed = {};
    struct oi_error error = {};
    enum oi_status status =
        placement_flush(&link->follower->placement, &link->dictionary, &placed, &error);

    if (status != OI_OK) {
        oi_log_throttled(OI_LOG_ERROR, "follow.store_refused", oi_status_name(status),
                         "reason=\"%s\" next=\"again after a new connection\"", error.message);
        return false;
    }
    atomic_fetch_add(&link->rows, placed.stored);
    atomic_fetch_add(&link->duplicates, placed.duplicate);
    atomic_fetch_add(&link->left_out, placed.refused + placed.unknown);
    if (placed.unknown > 0)
        oi_log_throttled(OI_LOG_WARN, "follow.unknown_market", link->url,
                         "rows=%llu next=\"left out: the store does not have their markets yet\"",
                         (unsigned long long) placed.unknown);
    link->position = link->reached;
    atomic_store(&link->told, link->position);
    if (now(link->follower) - link->saved_ns > SAVE_NS)
        save_position(link);
    return true;
}

static void
opened(void *context)
{
    struct link *link = context;

    atomic_store(&link->is_open, true);
    link->heard_ns = now(link->follower);
    oi_log(OI_LOG_INFO, "follow.connected", "collector=%s position=%llu", link->url,
           (unsigned long long) link->position);
}

static void
heard(void *context, struct oi_slice text, bool)
{
    struct link *link = context;
    struct oi_native_message message;
    struct oi_error error = {};
    enum oi_status status = oi_native_read_message(text, &message, &error);

    link->heard_ns = now(link->follower);
    if (status == OI_OK)
        status = dictionary_take(&link->dictionary, &message, &error);
    if (status != OI_OK) {
        oi_log_throttled(OI_LOG_ERROR, "follow.not_understood", link->url,
                         "reason=\"%s\" next=\"connecting again\"", error.message);
        give_up(link, RETRY_NS_MAX);
        return;
    }
    if (message.kind == OI_NATIVE_POSITION) {
        link->reached = message.batch;
        link->has_position = true;
        link->failures = 0;
    }
    if (link->dictionary.pending.count >= FLUSH_ROWS && !flush(link))
        give_up(link, 0);
}

static void
closed(void *context, const struct oi_websocket_end *end)
{
    struct link *link = context;

    link->socket = NULL; /* dead when this returns */
    (void) flush(link);  /* what came is good */
    oi_log_throttled(OI_LOG_WARN, "follow.interrupted", link->url,
                     "collector=%s reason=\"%s\" next=\"connecting again at commit %llu\"",
                     link->url, end->error ? end->error->message : "closed",
                     (unsigned long long) link->position);
    give_up(link, end->status == OI_E_DENIED ? DENIED_NS : 0);
}

static void
connect_link(struct link *link)
{
    struct oi_follower *follower = link->follower;
    const struct oi_websocket_client_handler handler = { opened, heard, closed, link };
    struct oi_buffer url = {};
    struct oi_websocket_client_options options = { .random = &follower->random,
                                                   .bearer = follower->options.key,
                                                   .message_size_max = MESSAGE_SIZE_MAX };
    struct oi_error error = {};

    oi_buffer_add_format(&url, "%s?rows=full", link->url);
    if (link->has_position)
        oi_buffer_add_format(&url, "&since=%llu", (unsigned long long) link->position);
    oi_buffer_add_char(&url, '\0');
    options.url = url.data;
    link->heard_ns = now(follower);
    if (oi_websocket_client_open(follower->client, &options, &handler, &link->socket, &error) !=
        OI_OK)
        give_up(link, RETRY_NS_MAX);
    oi_buffer_release(&url);
}

static void
tick(void *context)
{
    struct oi_follower *follower = context;
    int64_t moment = now(follower);

    for (size_t i = 0; i < follower->link_count; i++) {
        struct link *link = &follower->links[i];

        if (!link->socket && moment >= link->retry_ns) {
            connect_link(link);
        } else if (link->socket && moment - link->heard_ns > SILENT_NS) {
            oi_log_throttled(OI_LOG_WARN, "follow.silent", link->url,
                             "collector=%s next=\"connecting again\"", link->url);
            (void) flush(link);
            give_up(link, 0);
        } else if (link->socket &&
                   (link->dictionary.pending.count > 0 || link->position != link->reached)) {
            if (!flush(link))
                give_up(link, 0);
        } else if (moment - link->saved_ns > SAVE_NS) {
            save_position(link);
        }
    }
}

/* "ws://host:port" is followed by the path of the native stream. */
static enum oi_status
add_link(struct oi_follower *follower, const char *url, struct oi_error *error)
{
    struct link *link = &follower->links[follower->link_count];
    const char *path = strstr(url, "://");
    struct oi_buffer whole = {};

    path = path ? strchr(path + 3, '/') : NULL;
    if (strncmp(url, "ws://", 5) != 0 && strncmp(url, "wss://", 6) != 0)
        return oi_fail(error, OI_E_INVALID, "a collector is followed at ws:// or wss://, not %s",
                       url);
    if (strpbrk(url, "?# \t\r\n"))
        return oi_fail(error, OI_E_INVALID, "%s has more than host, port and path in it", url);
    oi_buffer_add_text(&whole, url);
    if (!path)
        oi_buffer_add_text(&whole, STREAM_PATH);
    else if (path[1] == '\0')
        oi_buffer_add_text(&whole, &STREAM_PATH[1]);
    *link = (struct link){ .follower = follower,
                           .url = oi_copy_text(oi_buffer_slice(&whole)),
                           .has_position = follower->options.keeps };
    follower->link_count++;
    oi_buffer_release(&whole);
    if (!follower->options.keeps)
        return OI_OK;
    OI_TRY(find_path(link, follower->options.data_folder, error));
    if (oi_store_last_batch(follower->placement.store) > 0)
        load_position(link);
    return OI_OK;
}

static void *
run(void *context)
{
    oi_loop_run(((struct oi_follower *) context)->loop);
    return NULL;
}

static void
stop(void *context)
{
    oi_loop_stop(((struct oi_follower *) context)->loop);
}

static enum oi_status
start(struct oi_follower *follower, struct oi_error *error)
{
    const struct oi_http_client_options client = { .authority = follower->options.authority };

    OI_TRY(oi_loop_new(&follower->loop, error));
    oi_loop_on_wake(follower->loop, stop, follower);
    OI_TRY(oi_http_client_new(follower->loop, &client, &follower->client, error));
    follower->timer = oi_timer_new(follower->loop, tick, follower);
    oi_timer_start(follower->timer, 1, TICK_MS);
    if (!follower->options.keeps)
        server_begin_relay(follower->placement.server);
    if (pthread_create(&follower->thread, NULL, run, follower) != 0)
        return oi_fail(error, OI_E_IO, "cannot start a thread");
    follower->is_running = true;
    return OI_OK;
}

enum oi_status
oi_follower_open(const struct oi_follower_options *options, struct oi_server *server,
                 struct oi_store *store, struct oi_follower **ret_follower, struct oi_error *error)
{
    OI_CLEANUP(oi_follower_close)
    struct oi_follower *follower = oi_alloc_zero(1, sizeof(*follower));
    uint64_t seed;

    follower->options = *options;
    follower->options.key = options->key ? oi_copy_text(oi_slice_of(options->key)) : NULL;
    follower->options.authority =
        options->authority ? oi_copy_text(oi_slice_of(options->authority)) : NULL;
    follower->placement =
        (struct placement){ .store = store, .server = server, .keeps = options->keeps };
    oi_random_secret(&seed, sizeof(seed));
    oi_random_init(&follower->random, seed);
    follower->links = oi_alloc_zero(options->url_count, sizeof(*follower->links));
    for (size_t i = 0; i < options->url_count; i++)
        OI_TRY(add_link(follower, options->urls[i], error));
    OI_TRY(start(follower, error));
    *ret_follower = follower;
    follower = NULL;
    return OI_OK;
}

void
oi_follower_stop(struct oi_follower *follower)
{
    if (!follower || !follower->is_running)
        return;
    follower->is_running = false;
    oi_loop_wake(follower->loop);
    (void) pthread_join(follower->thread, NULL);
    for (size_t i = 0; i < follower->link_count; i++)
        if (follower->links[i].socket && flush(&follower->links[i]))
            save_position(&follower->links[i]);
}

void
oi_follower_close(struct oi_follower **follower)
{
    struct oi_follower *closing = *follower;

    if (!closing)
        return;
    *follower = NULL;
    oi_follower_stop(closing);
    for (size_t i = 0; i < closing->link_count; i++) {
        struct link *link = &closing->links[i];

        oi_websocket_client_close(&link->socket);
        dictionary_release(&link->dictionary);
        oi_free(link->url);
    }
    oi_timer_free(&closing->timer);
    oi_http_client_free(&closing->client);
    oi_loop_free(&closing->loop);
    placement_release(&closing->placement);
    oi_free(closing->links);
    oi_free((char *) (uintptr_t) closing->options.key);
    oi_free((char *) (uintptr_t) closing->options.authority);
    oi_free(closing);
}

static void
add_metric(const struct oi_follower *follower, struct oi_buffer *out, const char *name,
           const char *help, size_t offset)
{
    oi_buffer_add_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
                         strstr(name, "_total") ? "counter" : "gauge");
    for (size_t i = 0; i < follower->link_count; i++) {
        const struct link *link = &follower->links[i];
        const atomic_ullong *value = (const atomic_ullong *) ((const char *) link + offset);

        oi_buffer_add_format(out, "%s{collector=\"%s\"} %llu\n", name, link->url,
                             (unsigned long long) atomic_load(value));
    }
}

void
oi_follower_write_metrics(void *context, struct oi_buffer *out)
{
    const struct oi_follower *follower = context;

    oi_buffer_add_text(out, "# HELP oi_follow_connected 1 while the collector is heard.\n"
                            "# TYPE oi_follow_connected gauge\n");
    for (size_t i = 0; i < follower->link_count; i++)
        oi_buffer_add_format(out, "oi_follow_connected{collector=\"%s\"} %d\n",
                             follower->links[i].url, atomic_load(&follower->links[i].is_open));
    add_metric(follower, out, "oi_follow_rows_total", "Rows that a collector was first to send.",
               offsetof(struct link, rows));
    add_metric(follower, out, "oi_follow_duplicates_total", "Rows that were there already.",
               offsetof(struct link, duplicates));
    add_metric(follower, out, "oi_follow_left_out_total", "Rows that were refused.",
               offsetof(struct link, left_out));
    add_metric(follower, out, "oi_follow_interruptions_total", "Connections that ended.",
               offsetof(struct link, interruptions));
    add_metric(follower, out, "oi_follow_position", "The collector's commit heard up to.",
               offsetof(struct link, told));
}
