/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: it is what requests see; tests/system/server.test.mjs asks over real sockets */
/* Threads and their life: open all or none, stop together, wait for each. */
#include "server/server_internal.h"

#include "base/log.h"
#include "net/tls.h"

#include <string.h>

/* A key that is made or revoked counts within a second. */
#define REFRESH_MS 300
/* Whole answers that are kept. */
#define CACHE_BYTES ((size_t) 64 << 20)
/* Finished files that are kept: years of a hundred markets at 5m. */
#define FILE_CACHE_SIZE ((size_t) 64 << 20)

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
    server->options.key_count = 0;
    server->options.plans = NULL; /* by access too */
    server->options.key_plan = server->options.guest_plan = NULL;
    server->options.quota_redis = server->options.quota_redis_password = NULL; /* by sharing */
    server->options.quota_redis_authority = NULL;
    server->options.lake = server->options.lake_access_key = NULL; /* by bucket */
    server->options.lake_secret_key = server->options.lake_session = NULL;
    server->options.lake_authority = NULL;
    server->options.canonical = NULL;    /* by manners */
    server->options.cors_origins = NULL; /* by cors */
}

static void
worker_stopped(void *context)
{
    oi_loop_stop(((struct worker *) context)->loop);
}

static void
take_certificate(struct worker *worker)
{
    const struct oi_server_options *options = &worker->server->options;
    struct oi_error error = {};

    if (oi_http_server_set_certificate(worker->http, options->certificate, options->private_key,
                                       &error) != OI_OK)
        oi_log(OI_LOG_WARN, "certificate.refused", "reason=\"%s\" next=\"the old one stays\"",
               error.message);
}

/* Now and then: what `oi keys` did meanwhile. */
static void
refresh_keys(void *context)
{
    struct worker *worker = context;
    const struct oi_clock *clock = worker->server->source->clock;
    struct oi_error error = {};
    enum oi_status status;

    if (oi_usage_retry(worker->server->usage, clock->monotonic_ns(clock)))
        oi_log(OI_LOG_INFO, "keys.writable", "next=\"keys and what they use are kept again\"");
    oi_access_tell(worker->server->access, clock);
    status = oi_access_refresh(worker->server->access, &error);
    if (status != OI_OK)
        oi_log_throttled(OI_LOG_ERROR, "keys.unreadable", oi_status_name(status),
                         "reason=\"%s\" next=\"the keys read before stay\"", error.message);
}

/* On the loop's thread: rows to push, or the time to stop. */
static void
worker_woken(void *context)
{
    struct worker *worker = context;

    live_push(worker->live);
    if (atomic_exchange(&worker->wants_certificate, false))
        take_certificate(worker);
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
        .again = router_again,
        .context = worker,
    };

    worker->server = server;
    OI_TRY(oi_loop_new(&worker->loop, error));
    worker->live = live_new(worker);
    oi_loop_on_wake(worker->loop, worker_woken, worker);
    if (index == 0) {
        worker->refresh = oi_timer_new(worker->loop, refresh_keys, worker);
        oi_timer_start(worker->refresh, REFRESH_MS, REFRESH_MS);
    }
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

static struct oi_access_rules
rules_of(const struct oi_server_options *options)
{
    return (struct oi_access_rules){
        .keys = options->keys,
        .key_count = options->key_count,
        .plans = options->plans,
        .plan_count = options->plan_count,
        .key_plan = options->key_plan,
        .guest_plan = options->guest_plan,
    };
}

/* What could not be written for want of room, once: the server answers without it. */
static void
tell_what_is_not_kept(struct oi_server *server, const struct oi_error *links_error)
{
    static const char *const next[] = {
        [OI_USAGE_READ_ONLY] = "keys stay in force, plans with a month refuse; it is tried again",
        [OI_USAGE_NEVER_MADE] = "there are no keys; it is tried again",
        [OI_USAGE_LOST] = "the keys read before stay; it is tried again",
    };
    struct oi_error error = {};
    enum oi_usage_state state = oi_usage_state(server->usage, &error);

    if (state != OI_USAGE_OPEN)
        oi_log(OI_LOG_WARN, "keys.not_writable", "reason=\"%s\" next=\"%s\"", error.message,
               next[state]);
    if (server->links.is_passing)
        oi_log(OI_LOG_WARN, "links.not_kept",
               "reason=\"%s\" next=\"links to files end with this run\"", links_error->message);
}

/* Keys, and whether there are enough of them for this address. */
/* What the operator chose about answers. */
static enum oi_status
read_manners(struct oi_server *server, const struct oi_server_options *options,
             struct oi_error *error)
{
    struct oi_decimal *band = &server->manners.trend_band;

    server->manners.cuts_history = options->cuts_history;
    server->manners.upgrade_url = options->upgrade_url;
    if (options->trend_band &&
        (oi_decimal_parse(oi_slice_of(options->trend_band), band, NULL) != OI_OK ||
         oi_decimal_sign(band) < 0))
        return oi_fail(error, OI_E_INVALID, "a trend's band is a percentage, not %s",
                       options->trend_band);
    for (size_t i = 0; i < options->canonical_count; i++) {
        const struct oi_dialect *dialect = oi_dialect_find(oi_slice_of(options->canonical[i]));

        if (!dialect)
            return oi_fail(error, OI_E_INVALID, "there is no API called %s", options->canonical[i]);
        for (size_t k = 0; oi_dialects[k]; k++)
            if (oi_dialects[k] == dialect)
                server->canonical |= 1u << k;
    }
    return OI_OK;
}

/* Count with other servers, where that is asked for. */
static enum oi_status
share_quotas(struct oi_server *server, const struct oi_server_options *options,
             struct oi_error *error)
{
    const struct oi_sharing_options shared = {
        .redis = { .url = options->quota_redis,
                   .password = options->quota_redis_password,
                   .authority = options->quota_redis_authority },
        .servers = options->quota_servers,
        .data_folder = options->data_folder,
    };

    if (!options->quota_redis)
        return OI_OK;
    return oi_sharing_open(&shared, server->usage, &server->shared, error);
}

static enum oi_status
lock_door(struct oi_server *server, const struct oi_server_options *options, struct oi_error *error)
{
    struct oi_error reason = {};
    enum oi_status status;

    OI_TRY(oi_usage_open(options->data_folder, &server->usage, error));
    OI_TRY(share_quotas(server, options, error));
    OI_TRY(oi_access_new(&(struct oi_access_options){ .rules = rules_of(options),
                                                      .host_names = options->host_names,
                                                      .host_name_count = options->host_name_count,
                                                      .address = server->options.address,
                                                      .is_open = options->is_open,
                                                      .usage = server->usage,
                                                      .shared = server->shared },
                         &server->access, error));
    if (!oi_address_is_loopback(server->options.address) && !options->is_open &&
        !oi_access_has_keys(server->access))
        return oi_fail(error, OI_E_INVALID,
                       "%s can be reached by others: make a key with `oi keys add`, or let "
                       "everybody in with --open",
                       server->options.address);
    OI_TRY(read_manners(server, options, error));
    server->files = oi_export_cache_new(FILE_CACHE_SIZE);
    if (options->lake)
        OI_TRY(oi_bucket_open(&(struct oi_s3_options){ .url = options->lake,
                                                       .access = options->lake_access_key,
                                                       .secret = options->lake_secret_key,
                                                       .session = options->lake_session,
                                                       .authority = options->lake_authority },
                              server->source, server->files, &server->bucket, error));
    server->cors = oi_cors_new(options->cors_origins, options->cors_origin_count);
    status = oi_links_open(options->data_folder, &server->links, &reason);
    if (status != OI_OK)
        return oi_fail(error, status, "%s", reason.message);
    tell_what_is_not_kept(server, &reason);
    return OI_OK;
}

enum oi_status
oi_server_reload(struct oi_server *server, const struct oi_server_options *options,
                 struct oi_error *error)
{
    const struct oi_access_rules rules = rules_of(options);
    OI_CLEANUP(oi_tls_context_free) struct oi_tls_context *tried = NULL;

    if (server->options.certificate)
        OI_TRY(oi_tls_context_new(server->options.certificate, server->options.private_key, &tried,
                                  error));
    OI_TRY(oi_access_set_rules(server->access, &rules, error));
    oi_cors_set(server->cors, options->cors_origins, options->cors_origin_count);
    for (unsigned i = 0; server->options.certificate && i < server->worker_count; i++) {
        atomic_store(&server->workers[i].wants_certificate, true);
        oi_loop_wake(server->workers[i].loop);
    }
    return OI_OK;
}

enum oi_status
oi_server_open(const struct oi_server_options *options, const struct oi_source *source,
               struct oi_server **ret_server, struct oi_error *error)
{
    struct oi_server *server;
    enum oi_status status;

    server = oi_alloc_zero(1, sizeof(*server));
    copy_options(server, options);
    server->source = source;
    server->started_ns = source->clock->wall_ns(source->clock);
    server->cache = oi_cache_new(CACHE_BYTES);
    server->worker_count = options->threads > 0 ? options->threads : 1;
    server->workers = oi_alloc_zero(server->worker_count, sizeof(*server->workers));
    status = lock_door(server, options, error);
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
server_begin_relay(struct oi_server *server)
{
    atomic_store(&server->is_relaying, true);
}

void
server_relay(struct oi_server *server, const struct oi_row *rows, size_t count)
{
    for (unsigned i = 0; count > 0 && i < server->worker_count; i++)
        live_relay(server->workers[i].live, rows, count);
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
        oi_timer_free(&worker->refresh);
        oi_http_server_close(&worker->http);
        live_free(&worker->live);
        oi_loop_free(&worker->loop);
    }
    oi_free((*server)->workers);
    oi_bucket_close(&(*server)->bucket);
    oi_access_free(&(*server)->access); /* gives back to usage what it holds */
    oi_sharing_close(&(*server)->shared);
    oi_usage_close(&(*server)->usage);
    oi_cors_free(&(*server)->cors);
    oi_cache_free(&(*server)->cache);
    oi_export_cache_free(&(*server)->files);
    oi_arena_release(&(*server)->arena);
    oi_free(*server);
    *server = NULL;
}

struct tally *
server_tally(struct oi_server *server, const struct oi_dialect *dialect)
{
    for (size_t i = 0; i < SERVER_DIALECTS_MAX && oi_dialects[i]; i++) {
        if (oi_dialects[i] == dialect)
            return &server->tallies[i];
    }
    return &server->tallies[SERVER_DIALECTS_MAX];
}

struct oi_manners
server_manners(const struct oi_server *server, const struct oi_dialect *dialect)
{
    struct oi_manners manners = server->manners;

    for (size_t i = 0; dialect && i < SERVER_DIALECTS_MAX && oi_dialects[i]; i++)
        if (oi_dialects[i] == dialect)
            manners.is_canonical = (server->canonical & 1u << i) != 0;
    return manners;
}

char *
server_public_url(const struct oi_server *server, const struct oi_http_request *request)
{
    struct oi_buffer text = {};
    const struct oi_slice *host = oi_http_header(request, "host");

    if (server->options.public_url) {
        oi_buffer_add_text(&text, server->options.public_url);
        while (text.size > 0 && text.data[text.size - 1] == '/')
            text.size--;
    } else if (host) {
        oi_buffer_add_text(&text, server->options.certificate ? "https://" : "http://");
        oi_buffer_add_slice(&text, *host);
    } else {
        oi_buffer_add_format(&text, "http://%s:%u", server->options.address,
                             oi_server_port(server));
    }
    oi_buffer_add_char(&text, '\0');
    return text.data;
}
