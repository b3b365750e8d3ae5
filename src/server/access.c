/* SPDX-License-Identifier: Apache-2.0 */
/* Every key is compared every time, so that the time taken tells nothing. */
#include "server/access.h"

#include "base/alloc.h"
#include "base/crypto.h"

#include <string.h>

struct oi_access {
    struct oi_arena arena;
    uint8_t (*hashes)[OI_SHA256_SIZE];
    size_t key_count;
    const char **host_names;
    size_t host_name_count;
    bool is_open;
};

struct oi_access *
oi_access_new(const struct oi_access_options *options)
{
    struct oi_access *access = oi_alloc_zero(1, sizeof(*access));
    static const char *const own[] = { "localhost", "127.0.0.1", "::1" };
    size_t count = 0;

    access->is_open = options->is_open;
    access->key_count = options->key_count;
    access->hashes = oi_arena_alloc_zero(&access->arena, options->key_count, OI_SHA256_SIZE);
    for (size_t i = 0; i < options->key_count; i++)
        oi_sha256(oi_slice_of(options->keys[i]), access->hashes[i]);
    access->host_names = oi_arena_alloc_zero(
        &access->arena, OI_COUNT(own) + options->host_name_count + 1, sizeof(char *));
    for (size_t i = 0; i < OI_COUNT(own); i++)
        access->host_names[count++] = own[i];
    if (options->address)
        access->host_names[count++] = oi_arena_copy(&access->arena, oi_slice_of(options->address));
    for (size_t i = 0; i < options->host_name_count; i++)
        access->host_names[count++] =
            oi_arena_copy(&access->arena, oi_slice_of(options->host_names[i]));
    access->host_name_count = count;
    return access;
}

void
oi_access_free(struct oi_access **access)
{
    if (!access || !*access)
        return;
    oi_arena_release(&(*access)->arena);
    oi_free(*access);
    *access = NULL;
}

bool
oi_access_has_keys(const struct oi_access *access)
{
    return access->key_count > 0;
}

enum oi_key_verdict
oi_access_check_key(const struct oi_access *access, struct oi_slice key)
{
    uint8_t hash[OI_SHA256_SIZE];
    unsigned found = 0;

    if (access->key_count == 0)
        return OI_KEY_FINE;
    if (key.size == 0)
        return OI_KEY_MISSING;
    oi_sha256(key, hash);
    for (size_t i = 0; i < access->key_count; i++)
        found |= oi_equal_in_constant_time(
            (struct oi_slice){ (const char *) hash, sizeof(hash) },
            (struct oi_slice){ (const char *) access->hashes[i], OI_SHA256_SIZE });
    return found ? OI_KEY_FINE : OI_KEY_WRONG;
}

/* "name:port", "[v6]:port" or a bare one, without the port and the brackets. */
static struct oi_slice
host_name(struct oi_slice host)
{
    const char *end;

    if (host.size > 0 && host.data[0] == '[') {
        end = memchr(host.data, ']', host.size);
        return end ? (struct oi_slice){ host.data + 1, (size_t) (end - host.data) - 1 } : host;
    }
    end = host.size > 0 ? memchr(host.data, ':', host.size) : NULL;
    return end ? (struct oi_slice){ host.data, (size_t) (end - host.data) } : host;
}

bool
oi_access_check_host(const struct oi_access *access, const struct oi_slice *host)
{
    struct oi_slice name;

    if (access->is_open || access->key_count > 0 || !host)
        return true;
    name = host_name(*host);
    for (size_t i = 0; i < access->host_name_count; i++)
        if (oi_slice_equal_ignoring_case(name, oi_slice_of(access->host_names[i])))
            return true;
    return false;
}

bool
oi_address_is_loopback(const char *address)
{
    return strcmp(address, "::1") == 0 || strcmp(address, "localhost") == 0 ||
           strncmp(address, "127.", 4) == 0;
}
