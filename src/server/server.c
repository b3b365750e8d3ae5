/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: it is what requests see; tests/system/server.test.mjs asks over real sockets */
/* Threads and their life: open all or none, stop together, wait for each. */
#include "server/server_internal.h"

#include <string.h>

static const char *
copy(struct oi_server *server, const char *text)
{
    return text ? oi_arena_copy(&server->arena, oi_slice_of(text)) : NULL;
}

static void
copy_options(struct oi_server *server, const struct oi_server_options *options)
{
    server->options = *options;
    server->options.address = copy(server, options->address ? options->address : "127.0.0.1");
    server->options.public_url = copy(server, options->public_url);
    server->options.certificate = copy(server, options->certificate);
    server->options.private_key = copy(server, options->private_key);
    server->options.keys = NULL; /* only their hashes are kept, by access */
}

static void
worker_stopped(void *context)
{
    oi_loop_stop(((struct worker *) context)->loop);
}

/* On the loop's thread: rows to push, or the time to stop. */
static void
worker_woken(void *context)
{
    struct worker *worker = context;

    live_push(worker->live);
    if (!atomic_load(&worker->server->is_stopping) || worker->is_stopping)
        return;
    worker->is_stopping = true;
    oi_http_server_stop(worker->http, worker_stopped, worker);
}

static enum oi_status
worker_open(struct oi_server *server, unsigned index, uint16_t port, struct oi_error *error)
{
    struct worker *worker = &server->workers[index];
    struct oi_http_server_options options = {
        .address = server->options.address,
        .port = port,
        .is_joining = index > 0,
        .certificate = server->options.certificate,
        .private_key = server->options.private_key,
    };
    struct oi_http_handler handler = {
        .handle = router_handle,
        .upgrade = live_upgrade,
        .refuse = router_refuse,
        .context = worker,
    };

    worker->server = server;
    OI_TRY(oi_loop_new(&worker->loop, error));
    worker->live = live_new(worker);
    oi_loop_on_wake(worker->loop, worker_woken, worker);
    return oi_http_server_open(worker->loop, &options, &handler, &worker->http, error);
}

static void *
worker_run(void *context)
{
    struct worker *worker = context;

    oi_loop_run(worker->loop);
    return NULL;
}

static enum oi_status
start(struct oi_server *server, struct oi_error *error)
{
    uint16_t port = server->options.port;

    for (unsigned i = 0; i < server->worker_count; i++) {
        OI_TRY(worker_open(server, i, port, error));
        port = oi_http_server_port(server->workers[i].http);
    }
    for (unsigned i = 0; i < server->worker_count; i++) {
        struct worker *worker = &server->workers[i];

        if (pthread_create(&worker->thread, NULL, worker_run, worker) != 0)
            return oi_fail(error, OI_E_IO, "cannot start a thread");
        worker->is_running = true;
    }
    return OI_OK;
}

enum oi_status
oi_server_open(const struct oi_server_options *options, const struct oi_source *source,
               struct oi_server **ret_server, struct oi_error *error)
{
    struct oi_server *server;
    enum oi_status status;
    const char *address = options->address ? options->address : "127.0.0.1";

    if (!oi_address_is_loopback(address) && options->key_count == 0 && !options->is_open)
        return oi_fail(error, OI_E_INVALID,
                       "%s can be reached by others: add a key to the configuration, or let "
                       "everybody in with --open",
                       address);
    server = oi_alloc_zero(1, sizeof(*server));
    copy_options(server, options);
    server->source = source;
    server->started_ns = source->clock->wall_ns(source->clock);
    server->access = oi_access_new(&(struct oi_access_options){
        .keys = options->keys,
        .key_count = options->key_count,
        .host_names = options->host_names,
        .host_name_count = options->host_name_count,
        .address = address,
        .is_open = options->is_open,
    });
    server->worker_count = options->threads > 0 ? options->threads : 1;
    server->workers = oi_alloc_zero(server->worker_count, sizeof(*server->workers));
    status = oi_links_open(options->data_folder, &server->links, error);
    if (status == OI_OK)
        status = start(server, error);
    if (status != OI_OK) {
        oi_server_close(&server);
        return status;
    }
    *ret_server = server;
    return OI_OK;
}

uint16_t
oi_server_port(const struct oi_server *server)
{
    return oi_http_server_port(server->workers[0].http);
}

void
oi_server_add_metrics(struct oi_server *server, void (*write)(void *context, struct oi_buffer *out),
                      void *context)
{
    unsigned count = atomic_load(&server->metric_writer_count);

    oi_assert(count < SERVER_METRIC_WRITERS_MAX);
    server->metric_writers[count] = (struct metric_writer){ write, context };
    atomic_store(&server->metric_writer_count, count + 1);
}

void
oi_server_close(struct oi_server **server)
{
    if (!server || !*server)
        return;
    atomic_store(&(*server)->is_stopping, true);
    for (unsigned i = 0; i < (*server)->worker_count; i++)
        if ((*server)->workers[i].is_running)
            oi_loop_wake((*server)->workers[i].loop);
    for (unsigned i = 0; i < (*server)->worker_count; i++) {
        struct worker *worker = &(*server)->workers[i];

        if (worker->is_running)
            pthread_join(worker->thread, NULL);
        oi_http_server_close(&worker->http);
        live_free(&worker->live);
        oi_loop_free(&worker->loop);
    }
    oi_free((*server)->workers);
    oi_access_free(&(*server)->access);
    oi_arena_release(&(*server)->arena);
    oi_free(*server);
    *server = NULL;
}
