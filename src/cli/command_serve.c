/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server process: store, collector and every API in one, until it is asked to stop. Nothing is
 * lost when it stops in any other way: what was acknowledged is on disk.
 */
/* no unit test: a whole command; tests/system/cli.test.mjs runs it */
#include "base/log.h"
#include "cli/address.h"
#include "cli/alarm.h"
#include "cli/command.h"
#include "cli/config.h"
#include "cli/intake.h"
#include "cli/stop.h"
#include "cli/upkeep.h"
#include "cli/workspace.h"
#include "cli/zones.h"
#include "server/follower.h"
#include "server/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* More threads than this do not answer faster. */
#define THREADS_MAX 64
/* Servers that share quotas. */
#define SERVERS_MAX 10'000

static const struct oi_option options_table[] = {
    { .name = "listen",
      .argument = "HOST:PORT",
      .help = "where to listen; port 0 is any free one",
      .fallback = "127.0.0.1:8080",
      .setting = "listen" },
    OI_OPTION_STORE,
    { .name = "collect",
      .help = "serve alone, without asking the exchanges",
      .fallback = "true",
      .setting = "collect" },
    OI_OPTION_INTAKE,
    { .name = "follow",
      .argument = "URL",
      .help = "take rows from this collector: ws://HOST:PORT",
      .setting = "follow",
      .is_repeatable = true },
    { .name = "follow-key",
      .argument = "KEY",
      .help = "an operator's key at the collectors (better kept in oi.conf)",
      .setting = "follow_key",
      .is_secret = true },
    { .name = "follow-authority",
      .argument = "FILE",
      .help = "trust wss:// collectors certified by this authority (PEM), not the system's",
      .setting = "follow_authority" },
    { .name = "keep-followed",
      .help = "store what is followed; without it others write the store",
      .fallback = "true",
      .setting = "keep_followed" },
    { .name = "open", .help = "answer on any address without keys", .setting = "open" },
    { .name = "key",
      .argument = "KEY",
      .help = "only who has a key may ask (better kept in oi.conf: keys = …)",
      .setting = "keys",
      .is_repeatable = true,
      .is_secret = true },
    { .name = "key-plan",
      .argument = "PLAN",
      .help = "the plan of these keys (default: unlimited)",
      .setting = "key_plan" },
    { .name = "guest-plan",
      .argument = "PLAN",
      .help = "let in who has no key, each address limited by this plan",
      .setting = "guest_plan" },
    OI_OPTION_PLANS,
    { .name = "quota-redis",
      .argument = "URL",
      .help = "count keys together with other servers: redis://HOST:PORT, rediss:// over TLS",
      .setting = "quota_redis" },
    { .name = "quota-redis-password",
      .argument = "PASSWORD",
      .help = "its password (better kept in oi.conf)",
      .setting = "quota_redis_password",
      .is_secret = true },
    { .name = "quota-redis-authority",
      .argument = "FILE",
      .help = "trust a rediss:// server certified by this authority (PEM), not the system's",
      .setting = "quota_redis_authority" },
    { .name = "quota-servers",
      .argument = "COUNT",
      .help = "servers that share: each gives out so much less while Redis is away",
      .fallback = "1",
      .setting = "quota_servers" },
    OI_OPTION_RETENTION,
    OI_OPTION_ALERTS,
    { .name = "canonical",
      .argument = "API",
      .help = "one-sided figures in this vendor's API too (coinmetrics, ...)",
      .setting = "canonical",
      .is_repeatable = true },
    { .name = "trend-band",
      .argument = "PERCENT",
      .help = "oanor: a change of no more is flat (default: 0)",
      .setting = "trend_band" },
    { .name = "cut-history",
      .help = "Kwery: cut a range at the plan's history rather than refuse it",
      .setting = "cut_history" },
    { .name = "upgrade-url",
      .argument = "URL",
      .help = "Kwery: where a refusal sends those who want a better plan",
      .setting = "upgrade_url" },
    { .name = "cors-origin",
      .argument = "ORIGIN",
      .help = "pages of this origin may read answers; * for all",
      .setting = "cors_origins",
      .is_repeatable = true },
    { .name = "host-name",
      .argument = "NAME",
      .help = "a further name of this server, for while there are no keys",
      .setting = "host_names",
      .is_repeatable = true },
    { .name = "public-url",
      .argument = "URL",
      .help = "how others reach this server, for links in answers",
      .setting = "public_url" },
    { .name = "lake",
      .argument = "URL",
      .help = "finished months in a bucket: s3://BUCKET/PREFIX?endpoint=URL&region=R",
      .setting = "lake" },
    { .name = "lake-access-key",
      .argument = "KEY",
      .help = "the bucket's key (default: AWS_ACCESS_KEY_ID of the environment)",
      .setting = "lake_access_key" },
    { .name = "lake-secret-key",
      .argument = "SECRET",
      .help = "its secret (better kept in oi.conf; default: AWS_SECRET_ACCESS_KEY)",
      .setting = "lake_secret_key",
      .is_secret = true },
    { .name = "lake-authority",
      .argument = "FILE",
      .help = "trust an https:// endpoint certified by this authority (PEM), not the system's",
      .setting = "lake_authority" },
    { .name = "tls-certificate",
      .argument = "FILE",
      .help = "serve https with this certificate chain (PEM)",
      .setting = "tls_certificate" },
    { .name = "tls-key",
      .argument = "FILE",
      .help = "its private key (PEM)",
      .setting = "tls_key" },
    { .name = "threads",
      .argument = "COUNT",
      .help = "threads that answer (default: one a processor)",
      .setting = "threads" },
};

/* What it takes to answer, opened in this order. */
struct service {
    struct oi_workspace *workspace;
    struct oi_zones *zones;
    struct oi_server *server;
    struct oi_follower *follower;
    struct oi_intake *intake;
    struct oi_alarm alarm;
};

static void
close_service(struct service *service)
{
    oi_follower_stop(service->follower);
    oi_server_close(&service->server); /* its threads ask the collector for its counters */
    oi_follower_close(&service->follower);
    oi_intake_close(&service->intake);
    oi_alarm_close(&service->alarm);
    oi_zones_free(&service->zones);
    oi_workspace_close(&service->workspace);
}

/* The bucket and its keys: ours, or together those that AWS' own programs take. */
static void
read_lake(const struct oi_options *options, struct oi_server_options *server)
{
    server->lake = oi_options_text(options, "lake");
    server->lake_authority = oi_options_text(options, "lake-authority");
    server->lake_access_key = oi_options_text(options, "lake-access-key");
    server->lake_secret_key = oi_options_text(options, "lake-secret-key");
    if (server->lake_access_key || server->lake_secret_key)
        return;
    server->lake_access_key = getenv("AWS_ACCESS_KEY_ID");
    server->lake_secret_key = getenv("AWS_SECRET_ACCESS_KEY");
    server->lake_session = getenv("AWS_SESSION_TOKEN");
}

static enum oi_status
read_server_options(const struct oi_options *options, struct oi_server_options *server,
                    struct oi_error *error)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int64_t servers = 1;
    int64_t threads = processors < 1 ? 1 : processors > THREADS_MAX ? THREADS_MAX : processors;

    OI_TRY(oi_options_integer(options, "threads", (struct oi_range){ 1, THREADS_MAX }, &threads,
                              error));
    server->threads = (unsigned) threads;
    server->data_folder = oi_intake_folder(options);
    read_lake(options, server);
    server->is_demo = oi_options_switch(options, "demo");
    server->public_url = oi_options_text(options, "public-url");
    server->key_count = oi_options_values(options, "key", &server->keys);
    server->plan_count = oi_options_values(options, "plan-rules", &server->plans);
    server->key_plan = oi_options_text(options, "key-plan");
    server->guest_plan = oi_options_text(options, "guest-plan");
    OI_TRY(oi_options_integer(options, "quota-servers", (struct oi_range){ 1, SERVERS_MAX },
                              &servers, error));
    server->quota_servers = (unsigned) servers;
    server->quota_redis = oi_options_text(options, "quota-redis");
    server->quota_redis_password = oi_options_text(options, "quota-redis-password");
    server->quota_redis_authority = oi_options_text(options, "quota-redis-authority");
    server->cors_origin_count = oi_options_values(options, "cors-origin", &server->cors_origins);
    server->canonical_count = oi_options_values(options, "canonical", &server->canonical);
    server->trend_band = oi_options_text(options, "trend-band");
    server->cuts_history = oi_options_switch(options, "cut-history");
    server->upgrade_url = oi_options_text(options, "upgrade-url");
    server->is_open = oi_options_switch(options, "open");
    server->host_name_count = oi_options_values(options, "host-name", &server->host_names);
    server->certificate = oi_options_text(options, "tls-certificate");
    server->private_key = oi_options_text(options, "tls-key");
    if (!server->certificate != !server->private_key)
        return oi_fail(error, OI_E_INVALID,
                       "--tls-certificate and --tls-key belong together: give both or neither");
    return OI_OK;
}

static enum oi_status
announce(const struct service *service, struct oi_address address, bool is_tls,
         struct oi_error *error)
{
    char url[OI_URL_SIZE];

    address.port = oi_server_port(service->server);
    oi_address_url(&address, is_tls, url);
    oi_log(OI_LOG_INFO, "server.started", "url=%s version=%s", url, OI_VERSION);
    if (printf("oi listens on %s\n", url) < 0 || fflush(stdout) != 0)
        return oi_fail(error, OI_E_IO, "cannot write to stdout");
    return OI_OK;
}

static enum oi_status
open_intake(const struct oi_options *options, struct service *service, struct oi_error *error)
{
    OI_TRY(oi_intake_open(options, service->workspace->store, &service->intake, error));
    oi_server_add_metrics(service->server, oi_collector_write_metrics,
                          oi_intake_collector(service->intake));
    return OI_OK;
}

static enum oi_status
open_follower(const struct oi_options *options, struct service *service, struct oi_error *error)
{
    struct oi_follower_options follow = {
        .key = oi_options_text(options, "follow-key"),
        .authority = oi_options_text(options, "follow-authority"),
        .data_folder = oi_intake_folder(options),
        .keeps = oi_options_switch(options, "keep-followed"),
    };

    /* A store that servers share is the collectors' to write. */
    if (oi_options_origin(options, "keep-followed") == OI_ORIGIN_DEFAULT)
        follow.keeps = oi_options_text(options, "store") == NULL;
    follow.url_count = oi_options_values(options, "follow", &follow.urls);
    if (follow.url_count == 0)
        return OI_OK;
    OI_TRY(oi_follower_open(&follow, service->server, service->workspace->store, &service->follower,
                            error));
    oi_server_add_metrics(service->server, oi_follower_write_metrics, service->follower);
    return OI_OK;
}

static enum oi_status
open_service(const struct oi_options *options, struct service *service, struct oi_error *error)
{
    struct oi_server_options server = {};
    struct oi_address address = {};
    enum oi_status status;

    OI_TRY(oi_address_parse(oi_slice_of(oi_options_text(options, "listen")), &address, error));
    OI_TRY(read_server_options(options, &server, error));
    server.address = address.host;
    server.port = address.port;
    OI_TRY(oi_workspace_open(options, server.data_folder, OI_STORE_COLLECT, &service->workspace,
                             error));
    if (oi_options_switch(options, "collect"))
        OI_TRY(oi_intake_prepare(options, service->workspace->store, error));
    OI_TRY(oi_alarm_open(options, server.data_folder, &service->workspace->source, &service->alarm,
                         error));
    service->zones = oi_zones_new(NULL);
    server.zones = oi_zones_loader(service->zones);
    status = oi_server_open(&server, &service->workspace->source, &service->server, error);
    if (status == OI_E_BUSY)
        return oi_fail(error, status, "%s is taken: choose another address with --listen",
                       oi_options_text(options, "listen"));
    OI_TRY(status);
    oi_server_add_metrics(service->server, oi_alarm_write_metrics, &service->alarm);
    if (oi_options_switch(options, "collect"))
        OI_TRY(open_intake(options, service, error));
    OI_TRY(open_follower(options, service, error));
    return announce(service, address, server.certificate != NULL, error);
}

/* What SIGHUP reads again: the same flags over a configuration that may have changed. */
struct reload {
    const struct oi_options *options;
    struct oi_server *server;
    struct oi_alarm *alarm;
};

static enum oi_status
read_again(const struct reload *reload, struct oi_error *error)
{
    const struct oi_config_source source = { environ, oi_command_reads_setting };
    OI_CLEANUP(oi_options_free)
    struct oi_options *options = oi_options_new(options_table, OI_COUNT(options_table));
    struct oi_server_options server = {};
    char **arguments;
    int count = oi_options_arguments(reload->options, &arguments);

    OI_TRY(oi_options_read_flags(options, count, arguments, error));
    OI_TRY(oi_config_load(options, &source, error));
    OI_TRY(read_server_options(options, &server, error));
    OI_TRY(oi_alarm_check(options, error));
    OI_TRY(oi_server_reload(reload->server, &server, error));
    return oi_alarm_reload(options, reload->alarm, error);
}

static void
reload_configuration(void *context)
{
    struct oi_error error = {};

    if (read_again(context, &error) == OI_OK)
        oi_log(OI_LOG_INFO, "server.reloaded",
               "read=\"keys, plans, origins, certificate, alerts\"");
    else
        oi_log(OI_LOG_ERROR, "server.reload_failed", "reason=\"%s\" next=\"all stays as it was\"",
               error.message);
}

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    struct reload reload = { .options = options };
    OI_CLEANUP(close_service) struct service service = {};
    struct oi_upkeep upkeep = { .clock = &oi_clock_system,
                                .reload = reload_configuration,
                                .context = &reload };

    OI_TRY(oi_retention_read(options, &upkeep.retention, error));
    oi_stop_take();
    OI_TRY(open_service(options, &service, error));
    upkeep.store = service.workspace->store;
    upkeep.inbox = oi_intake_inbox(service.intake);
    reload.server = service.server;
    reload.alarm = &service.alarm;
    oi_upkeep_run(&upkeep);
    oi_log(OI_LOG_INFO, "server.stopping", "reason=signal");
    oi_follower_stop(service.follower);
    oi_server_close(&service.server);
    oi_intake_close(&service.intake);
    oi_upkeep_finish(&upkeep);
    close_service(&service);
    oi_log(OI_LOG_INFO, "server.stopped", "version=%s", OI_VERSION);
    return OI_OK;
}

const struct oi_command oi_command_serve = {
    .name = "serve",
    .summary = "Serve every API and the page, and collect from the exchanges",
    .description =
        "Prints one line with its address when it listens; SIGINT and SIGTERM stop it "
        "cleanly,\nSIGHUP reads keys, plans, origins, the certificate and alerts again.\n"
        "On an address that others can reach it wants keys (oi keys), or --open.",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
