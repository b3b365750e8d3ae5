/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: with the files that it keeps in lake/export_test.c */
/* Finished files by name, each good for one version of its data; least recently asked for go first.
 */
#include "lake/export_internal.h"

#include "base/vector.h"

#include <pthread.h>

struct kept {
    char *name;
    uint64_t version; /* of the data it was made of */
    uint64_t used;    /* by the cache's own count */
    struct oi_shared *file;
};

struct oi_export_cache {
    pthread_mutex_t lock;
    OI_VECTOR(struct kept) files;
    size_t bytes, bytes_max;
    uint64_t uses;
};

struct oi_export_cache *
oi_export_cache_new(size_t bytes_max)
{
    struct oi_export_cache *cache = oi_alloc_zero(1, sizeof(*cache));

    pthread_mutex_init(&cache->lock, NULL);
    cache->bytes_max = bytes_max;
    return cache;
}

/* Forget the file at a place: the last one takes it. */
static void
drop(struct oi_export_cache *cache, size_t at)
{
    struct kept *kept = &cache->files.items[at];

    cache->bytes -= oi_shared_bytes(kept->file).size;
    oi_free(kept->name);
    oi_shared_unref(&kept->file);
    *kept = cache->files.items[--cache->files.count];
}

void
oi_export_cache_free(struct oi_export_cache **cache)
{
    if (!cache || !*cache)
        return;
    while ((*cache)->files.count > 0)
        drop(*cache, 0);
    oi_vector_release(&(*cache)->files);
    pthread_mutex_destroy(&(*cache)->lock);
    oi_free(*cache);
    *cache = NULL;
}

static struct kept *
find(struct oi_export_cache *cache, struct oi_slice name)
{
    for (size_t i = 0; i < cache->files.count; i++)
        if (oi_slice_is(name, cache->files.items[i].name))
            return &cache->files.items[i];
    return NULL;
}

/* The kept file if it is of this version, or NULL. */
static struct oi_shared *
take(struct oi_export_cache *cache, struct oi_slice name, uint64_t version)
{
    struct oi_shared *file = NULL;
    struct kept *kept;

    pthread_mutex_lock(&cache->lock);
    kept = find(cache, name);
    if (kept && kept->version == version) {
        kept->used = ++cache->uses;
        file = oi_shared_ref(kept->file);
    }
    pthread_mutex_unlock(&cache->lock);
    return file;
}

static void
keep(struct oi_export_cache *cache, struct oi_slice name, uint64_t version, struct oi_shared *file)
{
    struct kept *old, kept = { .version = version };
    size_t size = oi_shared_bytes(file).size;

    if (size > cache->bytes_max)
        return;
    kept.name = oi_copy_text(name);
    kept.file = oi_shared_ref(file);
    pthread_mutex_lock(&cache->lock);
    old = find(cache, name);
    if (old)
        drop(cache, (size_t) (old - cache->files.items));
    while (cache->files.count > 0 && cache->bytes + size > cache->bytes_max) {
        size_t oldest = 0;

        for (size_t i = 1; i < cache->files.count; i++)
            if (cache->files.items[i].used < cache->files.items[oldest].used)
                oldest = i;
        drop(cache, oldest);
    }
    kept.used = ++cache->uses;
    cache->bytes += size;
    oi_vector_push(&cache->files, kept);
    pthread_mutex_unlock(&cache->lock);
}

enum oi_status
oi_export_file(struct oi_export_cache *cache, struct oi_slice name, const struct oi_query *query,
               struct oi_result *result, struct oi_shared **ret_file, struct oi_error *error)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer file = {};
    struct oi_shared *kept = NULL;

    if (result->damage_count == 0)
        kept = take(cache, name, result->data_version);
    if (!kept) {
        if (query->kind == OI_QUERY_ROWS)
            OI_TRY(export_ticks_of(result, &file, error));
        else
            OI_TRY(export_bars_of(result, &file, error));
        kept = oi_shared_take(&file);
        if (query->span.to <= result->now && result->damage_count == 0)
            keep(cache, name, result->data_version, kept);
    }
    *ret_file = kept;
    return OI_OK;
}
