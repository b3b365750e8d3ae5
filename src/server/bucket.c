/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: threads and sockets; tests/system/lake.test.mjs reads files from a real store */
/*
 * What a month says has a version: the newest commit and the number of its market's rows in it. A
 * late row changes that, and the next link is ours again until the file has been written anew.
 * Nothing is remembered across runs: the object carries the hash of its bytes.
 */
#include "server/bucket.h"

#include "base/log.h"
#include "base/map.h"
#include "base/vector.h"
#include "query/names.h"
#include "query/stream.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define CONTENT_TYPE "application/vnd.apache.parquet"
#define FILES_PREFIX "/files/"
/* Jobs that wait; more are asked for again with their next link. */
#define JOBS_MAX 10'000

/* A file to be put there. */
struct job {
    char *target; /* path and query, without the mount */
    char *key;    /* in the bucket */
    uint64_t version;
};

struct oi_bucket {
    const struct oi_source *source;
    struct oi_export_cache *files;
    struct oi_s3 *s3;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;
    pthread_cond_t wanted;
    /* Under the lock. */
    OI_VECTOR(struct job) jobs;
    size_t next_job;
    struct oi_map *there;   /* key to the version that is in the bucket */
    struct oi_map *waiting; /* key to the version whose job waits or is under way */
    bool is_stopping;
    atomic_ullong uploads, already, failures, links;
};

/* The question behind a file of ours. The request's arena holds the call's path. */
struct file {
    struct oi_http_request request;
    struct oi_query query;
};

static void
file_release(struct file *file)
{
    oi_query_release(&file->query);
    oi_http_request_release(&file->request);
}

/* False for what is no file of a month. */
static bool
read_file(struct oi_slice target, const struct oi_zone_loader *zones, struct file *file)
{
    const struct oi_dialect *dialect;
    struct oi_call call = { .zones = zones };
    struct oi_problem problem = {};
    const struct oi_route *route;

    file->query = OI_QUERY_EMPTY;
    file->request.method = OI_HTTP_GET;
    if (oi_http_parse_target(target, &file->request, NULL) != OI_OK)
        return false;
    route = oi_dialects_route(&file->request, &dialect, &call.mount);
    return route && route->is_file &&
           route->parse(&call, &file->request, &file->query, &problem) == OI_OK;
}

/*
 * Versions.
 */

static uint64_t
mix(uint64_t version, uint64_t more)
{
    return (version ^ more) * UINT64_C(0x9E3779B97F4A7C15) + (version >> 29);
}

static enum oi_status
add_series(const struct oi_bucket *bucket, uint32_t series, struct oi_span span, uint64_t *version,
           struct oi_error *error)
{
    struct oi_store *store = bucket->source->store;
    const struct oi_scan_request request = { .series = series,
                                             .span = span,
                                             .moment = OI_MOMENT_LATEST,
                                             .columns = OI_COLUMN_BATCH,
                                             .all_revisions = true };
    OI_CLEANUP(oi_scan_close) struct oi_scan *scan = NULL;
    /* What is not about rows (flags, withdrawals, definitions) shows in the rest of this number. */
    uint64_t newest = 0, count = 0,
             other = oi_store_data_version(store, series) ^ oi_store_series_batch(store, series);
    const struct oi_columns *columns;

    OI_TRY(oi_store_scan(store, &request, &scan, error));
    do {
        OI_TRY(oi_scan_next(scan, &columns, error));
        for (size_t i = 0; columns && i < columns->count; i++)
            newest = columns->batch[i] > newest ? columns->batch[i] : newest;
        count += columns ? columns->count : 0;
    } while (columns);
    *version = mix(mix(mix(mix(*version, series), newest), count), other);
    return OI_OK;
}

/* The version of what a file is made of. Rows by arrival may be of an hour before. */
static enum oi_status
find_version(const struct oi_bucket *bucket, const struct oi_query *query, uint64_t *ret_version,
             struct oi_error *error)
{
    const struct oi_source *source = bucket->source;
    const struct oi_name_index *index = oi_names_current(source->names, source->store);
    const struct oi_span span = { query->span.from - OI_HOUR, query->span.to };
    struct oi_choices choices = {};
    struct oi_problem problem = {};
    uint64_t version = 1;
    enum oi_status status = oi_names_choose(index, query, &choices, &problem);

    for (size_t i = 0; status == OI_OK && i < choices.items.count; i++) {
        uint32_t series[OI_FEEDS_MAX];
        size_t count = oi_series_by_precedence(index->catalog, choices.items.items[i].instrument,
                                               series, OI_FEEDS_MAX);

        for (size_t k = 0; status == OI_OK && k < count; k++)
            status = add_series(bucket, series[k], span, &version, error);
    }
    oi_vector_release(&choices.items);
    oi_name_index_unref(&index);
    if (status == OI_OK)
        *ret_version = version;
    return status;
}

/*
 * Links.
 */

/* "/files/aperiodic/…/2025-05.parquet?timestamp=true" is "by-arrival/aperiodic/…". */
static void
make_key(const struct file *file, struct oi_buffer *key)
{
    struct oi_slice path = file->request.path;
    size_t prefix = sizeof(FILES_PREFIX) - 1;

    if (file->query.by_known_time)
        oi_buffer_add_text(key, "by-arrival/");
    oi_buffer_add(key, path.data + prefix, path.size - prefix);
    oi_buffer_add_char(key, '\0');
}

static void
enqueue(struct oi_bucket *bucket, struct oi_slice target, const char *key, uint64_t version)
{
    uint64_t waiting = 0;

    if ((oi_map_get(bucket->waiting, oi_slice_of(key), &waiting) && waiting == version) ||
        bucket->jobs.count - bucket->next_job >= JOBS_MAX)
        return;
    oi_map_put(bucket->waiting, oi_slice_of(key), version);
    oi_vector_push(&bucket->jobs, ((struct job){ .target = oi_copy_text(target),
                                                 .key = oi_copy_text(oi_slice_of(key)),
                                                 .version = version }));
    pthread_cond_signal(&bucket->wanted);
}

static bool
link_to(struct oi_bucket *bucket, const struct oi_call *call, struct oi_slice target,
        struct file *file, struct oi_buffer *out)
{
    struct oi_buffer key = {};
    struct oi_error error = {};
    uint64_t version, there = 0;
    bool is_there;

    if (!read_file(target, call->zones, file) || file->query.span.to > call->now ||
        !oi_slice_starts_with(file->request.path, FILES_PREFIX) ||
        find_version(bucket, &file->query, &version, &error) != OI_OK)
        return false;
    make_key(file, &key);
    pthread_mutex_lock(&bucket->lock);
    is_there = oi_map_get(bucket->there, oi_slice_of(key.data), &there) && there == version;
    if (!is_there)
        enqueue(bucket, target, key.data, version);
    pthread_mutex_unlock(&bucket->lock);
    if (is_there) {
        oi_s3_link(bucket->s3, key.data, call->now, call->link_life_s, out);
        atomic_fetch_add(&bucket->links, 1);
    }
    oi_buffer_release(&key);
    return is_there;
}

bool
oi_bucket_link(struct oi_bucket *bucket, const struct oi_call *call, struct oi_slice path_and_query,
               struct oi_buffer *out)
{
    const struct oi_slice target = { path_and_query.data + call->mount.size,
                                     path_and_query.size - call->mount.size };
    struct file file = {};
    bool is_linked = link_to(bucket, call, target, &file, out);

    file_release(&file);
    return is_linked;
}

/*
 * The thread.
 */

/* Make the file and put it there. What changed meanwhile shows in the version, which is looked at
 * before the file is made. */
static enum oi_status
put(struct oi_bucket *bucket, const struct job *job, uint64_t *ret_version, bool *ret_was_there,
    struct oi_error *error)
{
    OI_CLEANUP(file_release) struct file file = {};
    OI_CLEANUP(oi_shared_unref) struct oi_shared *bytes = NULL;
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
    struct oi_buffer name = {};
    struct oi_problem problem = {};
    enum oi_status status;

    if (!read_file(oi_slice_of(job->target), NULL, &file))
        return oi_fail(error, OI_E_NOT_FOUND, "there is no such file");
    OI_TRY(find_version(bucket, &file.query, ret_version, error));
    oi_buffer_add_slice(&name, file.request.path); /* as the router calls it */
    oi_buffer_add_format(&name, "?%u", file.query.variant);
    status = oi_query_run(bucket->source, &file.query, &result, &problem, error);
    if (status == OI_OK)
        status = oi_export_file(bucket->files, oi_buffer_slice(&name), &file.query, result, &bytes,
                                error);
    /* A store of objects would keep it for ever. */
    if (status == OI_OK && result->damage_count > 0)
        status = oi_fail(error, OI_E_CORRUPT, "%s", result->damages[0].reason);
    oi_buffer_release(&name);
    OI_TRY(status);
    return oi_s3_put(bucket->s3, job->key, CONTENT_TYPE, oi_shared_bytes(bytes), ret_was_there,
                     error);
}

static void
finish(struct oi_bucket *bucket, const struct job *job)
{
    struct oi_error error = {};
    uint64_t version = 0;
    bool was_there = false;
    enum oi_status status = put(bucket, job, &version, &was_there, &error);

    pthread_mutex_lock(&bucket->lock);
    (void) oi_map_remove(bucket->waiting, oi_slice_of(job->key));
    if (status == OI_OK)
        oi_map_put(bucket->there, oi_slice_of(job->key), version);
    pthread_mutex_unlock(&bucket->lock);
    if (status == OI_OK) {
        atomic_fetch_add(was_there ? &bucket->already : &bucket->uploads, 1);
    } else if (status != OI_E_CANCELLED) {
        atomic_fetch_add(&bucket->failures, 1);
        oi_log_throttled(OI_LOG_WARN, "bucket.failed", oi_status_name(status),
                         "file=%s reason=\"%s\" next=\"links are ours; again with the next one\"",
                         job->key, error.message);
    }
}

static void
job_release(struct job *job)
{
    oi_free(job->target);
    oi_free(job->key);
}

static void *
run(void *context)
{
    struct oi_bucket *bucket = context;

    for (;;) {
        struct job job;

        pthread_mutex_lock(&bucket->lock);
        while (!bucket->is_stopping && bucket->next_job >= bucket->jobs.count) {
            oi_vector_clear(&bucket->jobs);
            bucket->next_job = 0;
            pthread_cond_wait(&bucket->wanted, &bucket->lock);
        }
        if (bucket->is_stopping) {
            pthread_mutex_unlock(&bucket->lock);
            return NULL;
        }
        job = bucket->jobs.items[bucket->next_job++];
        pthread_mutex_unlock(&bucket->lock);
        finish(bucket, &job);
        job_release(&job);
    }
}

enum oi_status
oi_bucket_open(const struct oi_s3_options *options, const struct oi_source *source,
               struct oi_export_cache *files, struct oi_bucket **ret_bucket, struct oi_error *error)
{
    OI_CLEANUP(oi_bucket_close) struct oi_bucket *bucket = oi_alloc_zero(1, sizeof(*bucket));

    bucket->source = source;
    bucket->files = files;
    pthread_mutex_init(&bucket->lock, NULL);
    pthread_cond_init(&bucket->wanted, NULL);
    bucket->there = oi_map_new();
    bucket->waiting = oi_map_new();
    OI_TRY(oi_s3_open(options, &bucket->s3, error));
    if (pthread_create(&bucket->thread, NULL, run, bucket) != 0)
        return oi_fail(error, OI_E_IO, "cannot start a thread");
    bucket->has_thread = true;
    *ret_bucket = bucket;
    bucket = NULL;
    return OI_OK;
}

void
oi_bucket_close(struct oi_bucket **bucket)
{
    struct oi_bucket *closing = *bucket;

    if (!closing)
        return;
    *bucket = NULL;
    if (closing->has_thread) {
        pthread_mutex_lock(&closing->lock);
        closing->is_stopping = true;
        pthread_cond_signal(&closing->wanted);
        pthread_mutex_unlock(&closing->lock);
        oi_s3_cancel(closing->s3);
        (void) pthread_join(closing->thread, NULL);
    }
    for (size_t i = closing->next_job; i < closing->jobs.count; i++)
        job_release(&closing->jobs.items[i]);
    oi_vector_release(&closing->jobs);
    oi_map_free(&closing->there);
    oi_map_free(&closing->waiting);
    oi_s3_close(&closing->s3);
    pthread_cond_destroy(&closing->wanted);
    pthread_mutex_destroy(&closing->lock);
    oi_free(closing);
}

void
oi_bucket_write_metrics(struct oi_bucket *bucket, struct oi_buffer *out)
{
    const struct {
        const char *name, *help;
        const atomic_ullong *value;
    } counters[] = {
        { "oi_bucket_uploads_total", "Files put into the bucket.", &bucket->uploads },
        { "oi_bucket_already_total", "Files that were there with the same bytes.",
          &bucket->already },
        { "oi_bucket_failures_total", "Files that could not be put there.", &bucket->failures },
        { "oi_bucket_links_total", "Links given out to it.", &bucket->links },
    };

    for (size_t i = 0; i < OI_COUNT(counters); i++)
        oi_buffer_add_format(out, "# HELP %s %s\n# TYPE %s counter\n%s %llu\n", counters[i].name,
                             counters[i].help, counters[i].name, counters[i].name,
                             (unsigned long long) atomic_load(counters[i].value));
}
