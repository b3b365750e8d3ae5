/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: it is what requests see; tests/system/server.test.mjs asks over real sockets */
/*
 * For the operator: is it alive, is it ready, what does it count. /metrics is in Prometheus' text
 * format; off a loopback address it wants a key, as it tells much.
 */
#include "server/server_internal.h"

#include "base/json.h"

#include <string.h>

#ifndef OI_VERSION
#define OI_VERSION "0"
#endif

static void
add_counter(struct oi_buffer *out, const char *name, const char *help, const char *type)
{
    oi_buffer_add_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static const char *
tally_name(size_t index)
{
    if (index == SERVER_DIALECTS_MAX)
        return "none";
    for (size_t i = 0; i <= index; i++)
        if (!oi_dialects[i])
            return NULL;
    return oi_dialects[index]->name;
}

static void
add_tallies(const struct oi_server *server, struct oi_buffer *out, const char *name,
            const char *help, size_t offset)
{
    add_counter(out, name, help, "counter");
    for (size_t i = 0; i <= SERVER_DIALECTS_MAX; i++) {
        const char *dialect = tally_name(i);
        const atomic_ullong *value =
            (const atomic_ullong *) ((const char *) &server->tallies[i] + offset);

        if (dialect)
            oi_buffer_add_format(out, "%s{dialect=\"%s\"} %llu\n", name, dialect,
                                 (unsigned long long) atomic_load(value));
    }
}

static void
add_gauge(struct oi_buffer *out, const char *name, const char *help, uint64_t value)
{
    add_counter(out, name, help, "gauge");
    oi_buffer_add_format(out, "%s %llu\n", name, (unsigned long long) value);
}

static void
write_metrics(struct oi_server *server, struct oi_buffer *out)
{
    struct oi_store_stats stats;

    oi_store_stats(server->source->store, &stats);
    add_gauge(out, "oi_store_file_bytes", "Size of the database file.", stats.file_bytes);
    add_gauge(out, "oi_store_used_bytes", "Bytes of it in use.", stats.used_bytes);
    add_gauge(out, "oi_store_log_rows", "Readings not yet in chunks.", stats.log_rows);
    add_gauge(out, "oi_store_chunk_rows", "Readings in chunks.", stats.chunk_rows);
    add_gauge(out, "oi_store_chunks", "Chunks.", stats.chunks);
    add_gauge(out, "oi_store_oldest_reader_lag", "Commits the oldest open reader is behind.",
              stats.oldest_reader_lag);
    add_gauge(out, "oi_store_damaged_chunks", "Damaged chunks that reads have met since the start.",
              oi_store_damaged_count(server->source->store));
    add_gauge(out, "oi_store_paused", "1 while the disk is full.", stats.is_paused);
    add_gauge(out, "oi_store_away", "1 while the engine with the readings does not answer.",
              stats.is_away);
    add_gauge(out, "oi_store_waiting_batches", "Batches kept on disk until it does.",
              stats.waiting_batches);
    add_gauge(out, "oi_store_waiting_bytes", "Their bytes.", stats.waiting_bytes);
    add_gauge(out, "oi_store_last_batch", "Number of the last commit.",
              oi_store_last_batch(server->source->store));
    add_tallies(server, out, "oi_requests_total", "Requests by dialect.",
                offsetof(struct tally, requests));
    add_tallies(server, out, "oi_requests_refused_total", "Answered with a 4xx.",
                offsetof(struct tally, refused));
    add_tallies(server, out, "oi_requests_failed_total", "Answered with a 5xx.",
                offsetof(struct tally, failed));
    add_tallies(server, out, "oi_answers_damaged_total",
                "Answers that lacked rows of damaged chunks and said so.",
                offsetof(struct tally, damaged));
    add_tallies(server, out, "oi_rows_served_total", "Rows, candles or snapshots sent.",
                offsetof(struct tally, rows));
    add_tallies(server, out, "oi_request_busy_nanoseconds_total",
                "Time until the first piece was rendered.", offsetof(struct tally, busy_ns));
    if (server->bucket)
        oi_bucket_write_metrics(server->bucket, out);
    if (server->shared)
        oi_sharing_write_metrics(server->shared, out);
    for (unsigned i = 0; i < atomic_load(&server->metric_writer_count); i++)
        server->metric_writers[i].write(server->metric_writers[i].context, out);
}

static void
write_status(struct oi_server *server, struct oi_buffer *out)
{
    const struct oi_source *source = server->source;
    const struct oi_catalog *catalog = oi_store_catalog(source->store);
    struct oi_json_writer writer = { .out = out };
    struct oi_buffer now = {};
    struct oi_store_stats stats;

    oi_store_stats(source->store, &stats);
    oi_time_write(source->clock->wall_ns(source->clock), 3, &now);
    oi_json_begin_object(&writer);
    oi_json_add_name(&writer, "version");
    oi_json_add_text(&writer, OI_VERSION);
    oi_json_add_name(&writer, "demo");
    oi_json_add_bool(&writer, server->options.is_demo);
    oi_json_add_name(&writer, "now");
    oi_json_add_string(&writer, oi_buffer_slice(&now));
    oi_json_add_name(&writer, "markets");
    oi_json_add_int(&writer, (int64_t) oi_store_market_count(source->store, catalog));
    oi_json_add_name(&writer, "rows");
    oi_json_add_int(&writer, (int64_t) (stats.log_rows + stats.chunk_rows));
    oi_json_add_name(&writer, "file_bytes");
    oi_json_add_int(&writer, (int64_t) stats.file_bytes);
    oi_json_add_name(&writer, "used_bytes");
    oi_json_add_int(&writer, (int64_t) stats.used_bytes);
    oi_json_add_name(&writer, "chunks");
    oi_json_add_int(&writer, (int64_t) stats.chunks);
    oi_json_add_name(&writer, "rows_in_chunks");
    oi_json_add_int(&writer, (int64_t) stats.chunk_rows);
    oi_json_add_name(&writer, "rows_elsewhere");
    oi_json_add_bool(&writer, stats.is_elsewhere);
    oi_json_add_name(&writer, "writing_paused");
    oi_json_add_bool(&writer, stats.is_paused);
    oi_json_end_object(&writer);
    oi_buffer_release(&now);
    oi_catalog_unref(&catalog);
}

/* Bearer TOKEN, as the operator's endpoints take it. */
static struct oi_slice
bearer(const struct oi_http_request *request)
{
    const struct oi_slice *header = oi_http_header(request, "authorization");

    if (!header || !oi_slice_starts_with(*header, "Bearer "))
        return (struct oi_slice){};
    return oi_slice_trim((struct oi_slice){ header->data + 7, header->size - 7 });
}

static bool
may_see_metrics(const struct oi_server *server, const struct oi_http_request *request)
{
    if (oi_address_is_loopback(server->options.address))
        return true;
    if (!oi_access_has_keys(server->access))
        return server->options.is_open;
    return oi_access_is_operator(server->access, bearer(request));
}

static void
answer_text(struct oi_http_reply *reply, int status, const char *text)
{
    reply->status = status;
    oi_http_reply_type(reply, "text/plain; charset=utf-8");
    oi_buffer_add_text(&reply->body, text);
}

bool
health_handle(struct oi_server *server, const struct oi_http_request *request,
              struct oi_http_reply *reply)
{
    struct oi_store_stats stats;

    if (request->method != OI_HTTP_GET && request->method != OI_HTTP_HEAD)
        return false;
    if (oi_slice_is(request->path, "/healthz")) {
        answer_text(reply, 200, "ok\n");
        return true;
    }
    if (oi_slice_is(request->path, "/readyz")) {
        oi_store_stats(server->source->store, &stats);
        if (stats.is_paused)
            answer_text(reply, 503, "writing is paused: the disk is full; reads go on\n");
        else if (stats.is_away)
            answer_text(reply, 503,
                        "ClickHouse does not answer: what is collected waits on this disk\n");
        else if (server->shared && !oi_sharing_is_up(server->shared))
            answer_text(reply, 200, "ready; Redis is away: quotas are this server's share\n");
        else
            answer_text(reply, 200, "ready\n");
        return true;
    }
    if (oi_slice_is(request->path, "/metrics")) {
        if (!may_see_metrics(server, request)) {
            answer_text(reply, 401, "metrics want an operator's key: Authorization: Bearer KEY\n");
            return true;
        }
        oi_http_reply_type(reply, "text/plain; version=0.0.4; charset=utf-8");
        write_metrics(server, &reply->body);
        return true;
    }
    if (oi_slice_is(request->path, "/oi/v1/status")) {
        oi_http_reply_type(reply, "application/json");
        write_status(server, &reply->body);
        return true;
    }
    return false;
}
