/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open addressing with linear probing; removal shifts back what follows, so there are no
 * tombstones. The hash is SipHash-1-3 (https://www.aumasson.jp/siphash/): with a secret seed nobody
 * outside can choose keys that collide.
 */
#include "base/map.h"

#include "base/alloc.h"
#include "base/random.h"

#include <string.h>

/* A power of two, as every capacity is: the hash's low bits are the place. */
#define CAPACITY_FIRST 16

struct entry {
    char *key; /* NULL: free */
    size_t key_size;
    uint64_t hash;
    uint64_t value;
};

struct oi_map {
    uint64_t seed[2];
    size_t count;
    size_t capacity;
    struct entry *entries;
};

struct sip {
    uint64_t v0, v1, v2, v3;
};

static uint64_t
rotate_left(uint64_t value, unsigned by)
{
    return value << by | value >> (64 - by);
}

static void
sip_round(struct sip *sip)
{
    sip->v0 += sip->v1;
    sip->v1 = rotate_left(sip->v1, 13) ^ sip->v0;
    sip->v0 = rotate_left(sip->v0, 32);
    sip->v2 += sip->v3;
    sip->v3 = rotate_left(sip->v3, 16) ^ sip->v2;
    sip->v0 += sip->v3;
    sip->v3 = rotate_left(sip->v3, 21) ^ sip->v0;
    sip->v2 += sip->v1;
    sip->v1 = rotate_left(sip->v1, 17) ^ sip->v2;
    sip->v2 = rotate_left(sip->v2, 32);
}

static void
sip_word(struct sip *sip, uint64_t word)
{
    sip->v3 ^= word;
    sip_round(sip);
    sip->v0 ^= word;
}

static uint64_t
hash_of(const uint64_t seed[2], struct oi_slice key)
{
    struct sip sip = {
        .v0 = seed[0] ^ UINT64_C(0x736F6D6570736575),
        .v1 = seed[1] ^ UINT64_C(0x646F72616E646F6D),
        .v2 = seed[0] ^ UINT64_C(0x6C7967656E657261),
        .v3 = seed[1] ^ UINT64_C(0x7465646279746573),
    };
    uint64_t tail = (uint64_t) key.size << 56;
    size_t done = 0;

    /* The machine's byte order will do: a hash never leaves the process. */
    for (; key.size - done >= 8; done += 8) {
        uint64_t word;

        memcpy(&word, key.data + done, sizeof(word));
        sip_word(&sip, word);
    }
    for (unsigned shift = 0; done < key.size; done++, shift += 8)
        tail |= (uint64_t) (unsigned char) key.data[done] << shift;
    sip_word(&sip, tail);
    sip.v2 ^= 0xFF;
    for (int i = 0; i < 3; i++)
        sip_round(&sip);
    return sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
}

/* The entry that holds the key, or the free one where it would go. */
static struct entry *
find(const struct oi_map *map, uint64_t hash, struct oi_slice key)
{
    size_t mask = map->capacity - 1;

    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct entry *entry = &map->entries[i];

        if (!entry->key)
            return entry;
        if (entry->hash == hash &&
            oi_slice_equal((struct oi_slice){ entry->key, entry->key_size }, key))
            return entry;
    }
}

static void
grow(struct oi_map *map)
{
    struct entry *old = map->entries;
    size_t old_capacity = map->capacity;

    map->capacity = old_capacity > 0 ? old_capacity * 2 : CAPACITY_FIRST;
    map->entries = oi_alloc_zero(map->capacity, sizeof(*map->entries));
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i].key) {
            size_t place = old[i].hash & (map->capacity - 1);

            while (map->entries[place].key)
                place = (place + 1) & (map->capacity - 1);
            map->entries[place] = old[i];
        }
    }
    oi_free(old);
}

struct oi_map *
oi_map_new(void)
{
    struct oi_map *map = oi_alloc_zero(1, sizeof(*map));

    oi_random_secret(map->seed, sizeof(map->seed));
    return map;
}

void
oi_map_free(struct oi_map **map)
{
    if (!*map)
        return;
    for (size_t i = 0; i < (*map)->capacity; i++)
        oi_free((*map)->entries[i].key);
    oi_free((*map)->entries);
    oi_free(*map);
    *map = NULL;
}

void
oi_map_put(struct oi_map *map, struct oi_slice key, uint64_t value)
{
    uint64_t hash = hash_of(map->seed, key);
    struct entry *entry;

    /* At most three quarters full, so that probing stays short and always ends. */
    if (map->count + 1 > map->capacity / 4 * 3)
        grow(map);
    entry = find(map, hash, key);
    if (!entry->key) {
        *entry = (struct entry){ oi_copy_text(key), key.size, hash, 0 };
        map->count++;
    }
    entry->value = value;
}

bool
oi_map_get(const struct oi_map *map, struct oi_slice key, uint64_t *ret_value)
{
    const struct entry *entry;

    if (map->count == 0)
        return false;
    entry = find(map, hash_of(map->seed, key), key);
    if (!entry->key)
        return false;
    *ret_value = entry->value;
    return true;
}

bool
oi_map_remove(struct oi_map *map, struct oi_slice key)
{
    size_t mask = map->capacity - 1;
    struct entry *entry;
    size_t hole;

    if (map->count == 0)
        return false;
    entry = find(map, hash_of(map->seed, key), key);
    if (!entry->key)
        return false;
    oi_free(entry->key);
    map->count--;
    hole = (size_t) (entry - map->entries);
    for (size_t i = (hole + 1) & mask; map->entries[i].key; i = (i + 1) & mask) {
        size_t home = map->entries[i].hash & mask;

        /* May move back only if its home is not between the hole and where it is. */
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            map->entries[hole] = map->entries[i];
            hole = i;
        }
    }
    map->entries[hole] = (struct entry){};
    return true;
}

size_t
oi_map_count(const struct oi_map *map)
{
    return map->count;
}

bool
oi_map_next(const struct oi_map *map, size_t *position, struct oi_slice *ret_key,
            uint64_t *ret_value)
{
    while (*position < map->capacity) {
        const struct entry *entry = &map->entries[(*position)++];

        if (entry->key) {
            *ret_key = (struct oi_slice){ entry->key, entry->key_size };
            *ret_value = entry->value;
            return true;
        }
    }
    return false;
}
