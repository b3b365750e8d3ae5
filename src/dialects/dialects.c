/* SPDX-License-Identifier: Apache-2.0 */
/* The registry of dialects, and whose a request is. */
#include "dialects/dialect.h"

const struct oi_dialect *const oi_dialects[] = {
#define OI_DIALECT(name) &oi_dialect_##name,
#include "dialects/dialects.def"
#undef OI_DIALECT
    NULL,
};

const struct oi_dialect *
oi_dialect_find(struct oi_slice name)
{
    for (size_t i = 0; oi_dialects[i]; i++) {
        if (oi_slice_is(name, oi_dialects[i]->name))
            return oi_dialects[i];
    }
    return NULL;
}

/* Is this part of a route's path one that captures? */
static bool
is_capture(struct oi_slice part)
{
    return part.size > 2 && part.data[0] == '{' && part.data[part.size - 1] == '}';
}

bool
oi_route_matches(const struct oi_route *route, struct oi_slice path)
{
    struct oi_slice pattern, wanted, given;

    /* Every request meets every route, and most differ early. */
    for (size_t i = 0; i < path.size && route->path[i] && route->path[i] != '{'; i++) {
        if (path.data[i] != route->path[i])
            return false;
    }
    pattern = oi_slice_of(route->path);
    while (oi_slice_next_part(&pattern, '/', &wanted)) {
        if (!oi_slice_next_part(&path, '/', &given))
            return false;
        if (is_capture(wanted) ? given.size == 0 : !oi_slice_equal(wanted, given))
            return false;
    }
    return !oi_slice_next_part(&path, '/', &given);
}

/* Cut the mount off the path; false when the path is not under it. Every request meets every mount,
 * and most differ early. */
static bool
cut_mount(const char *mount, struct oi_slice *path)
{
    size_t size = 0;

    while (mount[size] && size < path->size && path->data[size] == mount[size])
        size++;
    if (mount[size] || path->size == size || path->data[size] != '/')
        return false;
    path->data += size;
    path->size -= size;
    return true;
}

struct oi_slice
oi_route_capture(const struct oi_route *route, struct oi_slice mount, struct oi_slice path,
                 const char *name)
{
    struct oi_slice pattern = oi_slice_of(route->path), wanted, given;

    if (path.size < mount.size ||
        !oi_slice_equal((struct oi_slice){ path.data, mount.size }, mount))
        return (struct oi_slice){};
    path.data += mount.size;
    path.size -= mount.size;
    while (oi_slice_next_part(&pattern, '/', &wanted) && oi_slice_next_part(&path, '/', &given)) {
        struct oi_slice inside = { wanted.data + 1, wanted.size - 2 };

        if (is_capture(wanted) && oi_slice_is(inside, name))
            return given;
    }
    return (struct oi_slice){};
}

/* One dialect under one mount that may answer. */
struct candidate {
    const struct oi_dialect *dialect;
    const struct oi_route *route;
    struct oi_slice mount;
};

/* Does `a` answer rather than `b` (which came first)? A route before none, the longer mount, then
 * who claims the request before who never claims before who does not claim this one. */
static bool
is_better(const struct oi_http_request *request, const struct candidate *a,
          const struct candidate *b)
{
    int rank_a = !a->dialect->claims ? 1 : a->dialect->claims(request) ? 2 : 0;
    int rank_b;

    if (!b->dialect)
        return true;
    if (!a->route != !b->route)
        return a->route;
    if (a->mount.size != b->mount.size)
        return a->mount.size > b->mount.size;
    rank_b = !b->dialect->claims ? 1 : b->dialect->claims(request) ? 2 : 0;
    return rank_a > rank_b;
}

/* What a dialect has for the path under one mount. */
static bool
find_candidate(const struct oi_http_request *request, const struct oi_dialect *dialect,
               const char *mount, struct candidate *ret_candidate)
{
    struct candidate found = { .dialect = dialect };
    struct oi_slice path = request->path;

    if (!cut_mount(mount, &path))
        return false;
    found.mount = (struct oi_slice){ mount, request->path.size - path.size };
    for (size_t i = 0; i < dialect->route_count && !found.route; i++) {
        if (oi_route_matches(&dialect->routes[i], path))
            found.route = &dialect->routes[i];
    }
    if (!found.route && found.mount.size == 0 && !oi_slice_starts_with(path, dialect->prefix))
        return false;
    *ret_candidate = found;
    return true;
}

const struct oi_route *
oi_dialects_route(const struct oi_http_request *request, const struct oi_dialect **ret_dialect,
                  struct oi_slice *ret_mount)
{
    struct candidate best = {}, found;

    for (size_t i = 0; oi_dialects[i]; i++) {
        for (const char *const *mount = oi_dialects[i]->mounts; *mount; mount++) {
            if (find_candidate(request, oi_dialects[i], *mount, &found) &&
                is_better(request, &found, &best))
                best = found;
        }
    }
    *ret_dialect = best.dialect;
    *ret_mount = best.mount;
    return best.route;
}

/* The stream of a dialect at a path after its mount, or NULL. */
static const struct oi_stream_route *
find_stream(const struct oi_dialect *dialect, struct oi_slice path)
{
    for (size_t i = 0; i < dialect->stream_count; i++) {
        if (oi_slice_is(path, dialect->streams[i].path))
            return &dialect->streams[i];
    }
    return NULL;
}

const struct oi_stream_route *
oi_dialects_stream(const struct oi_http_request *request, const struct oi_dialect **ret_dialect,
                   struct oi_slice *ret_mount)
{
    const struct oi_stream_route *best = NULL;

    for (size_t i = 0; oi_dialects[i]; i++) {
        for (const char *const *mount = oi_dialects[i]->mounts; *mount; mount++) {
            struct oi_slice path = request->path;
            const struct oi_stream_route *found =
                cut_mount(*mount, &path) ? find_stream(oi_dialects[i], path) : NULL;
            size_t size = request->path.size - path.size;

            if (!found || (best && ret_mount->size >= size))
                continue;
            best = found;
            *ret_dialect = oi_dialects[i];
            *ret_mount = (struct oi_slice){ *mount, size };
        }
    }
    if (!best)
        (void) oi_dialects_route(request, ret_dialect, ret_mount);
    return best;
}
