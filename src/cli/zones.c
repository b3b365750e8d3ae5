/* SPDX-License-Identifier: Apache-2.0 */
/* One lock, held while a file is read: it happens once a zone. */
#include "cli/zones.h"

#include "base/alloc.h"
#include "base/map.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "/usr/share/zoneinfo"
/* The largest file of the database has 4 KB. */
#define TZIF_SIZE_MAX ((size_t) 64 << 10)

struct oi_zones {
    struct oi_zone_loader loader; /* first, so that the loader is the zones */
    char *folder;
    pthread_mutex_t lock;
    struct oi_map *zones; /* name -> struct oi_zone * */
};

static enum oi_status
read_file(const char *path, struct oi_buffer *bytes, struct oi_error *error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    char *room = oi_buffer_reserve(bytes, TZIF_SIZE_MAX);
    ssize_t size;

    if (file < 0)
        return oi_fail(error, OI_E_NOT_FOUND, "there is no such time zone");
    do
        size = read(file, room, TZIF_SIZE_MAX);
    while (size < 0 && errno == EINTR);
    (void) close(file);
    if (size < 0)
        return oi_fail(error, OI_E_NOT_FOUND, "not a time zone: %s", strerror(errno));
    bytes->size = (size_t) size;
    return OI_OK;
}

static enum oi_status
open_zone(const struct oi_zones *zones, struct oi_slice name, struct oi_zone **ret_zone,
          struct oi_error *error)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer bytes = {};
    OI_CLEANUP(oi_buffer_release) struct oi_buffer path = {};

    oi_buffer_add_format(&path, "%s/%.*s", zones->folder, OI_SLICE_ARGS(name));
    oi_buffer_add_char(&path, '\0');
    OI_TRY(read_file(path.data, &bytes, error));
    return oi_zone_open(oi_buffer_slice(&bytes), ret_zone, error);
}

static enum oi_status
load(const struct oi_zone_loader *loader, struct oi_slice name, const struct oi_zone **ret_zone,
     struct oi_error *error)
{
    /* The cache behind a const loader: the lock makes it one for callers. */
    struct oi_zones *zones = (struct oi_zones *) (uintptr_t) loader;
    struct oi_zone *zone = NULL;
    enum oi_status status = OI_OK;
    uint64_t found = 0;

    if (!oi_zone_name_is_valid(name))
        return oi_fail(error, OI_E_NOT_FOUND, "\"%.*s\" is no name of a time zone",
                       (int) (name.size < 64 ? name.size : 64), name.data ? name.data : "");
    (void) pthread_mutex_lock(&zones->lock);
    if (!oi_map_get(zones->zones, name, &found)) {
        status = open_zone(zones, name, &zone, error);
        found = (uint64_t) (uintptr_t) zone;
        if (status == OI_OK)
            oi_map_put(zones->zones, name, found);
    }
    (void) pthread_mutex_unlock(&zones->lock);
    if (status != OI_OK)
        return oi_fail_in(error, status == OI_E_CORRUPT ? OI_E_NOT_FOUND : status,
                          "%.*s: ", OI_SLICE_ARGS(name));
    *ret_zone = (const struct oi_zone *) (uintptr_t) found;
    return OI_OK;
}

struct oi_zones *
oi_zones_new(const char *folder)
{
    struct oi_zones *zones = oi_alloc_zero(1, sizeof(*zones));

    zones->loader.load = load;
    zones->folder = oi_copy_text(oi_slice_of(folder ? folder : FOLDER));
    zones->zones = oi_map_new();
    (void) pthread_mutex_init(&zones->lock, NULL);
    return zones;
}

void
oi_zones_free(struct oi_zones **zones)
{
    struct oi_slice name;
    size_t position = 0;
    uint64_t value;

    if (!zones || !*zones)
        return;
    while (oi_map_next((*zones)->zones, &position, &name, &value)) {
        struct oi_zone *zone = (struct oi_zone *) (uintptr_t) value;

        oi_zone_close(&zone);
    }
    oi_map_free(&(*zones)->zones);
    (void) pthread_mutex_destroy(&(*zones)->lock);
    oi_free((*zones)->folder);
    oi_free(*zones);
    *zones = NULL;
}

const struct oi_zone_loader *
oi_zones_loader(const struct oi_zones *zones)
{
    return &zones->loader;
}
