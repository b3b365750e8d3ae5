/* SPDX-License-Identifier: Apache-2.0 */
/* XXH3-128 in its canonical form (16 bytes), the size (8, little-endian), the kind (8 letters). */
#include "base/fingerprint.h"

#include "base/alloc.h"
#include "base/status.h"

#include <string.h>
#include <xxhash.h>

#define SIZE_AT 16
#define KIND_AT 24
#define KIND_SIZE ((size_t) 8)

static const char of_bytes[] = "xxh3-128", of_facts[] = "by-facts";

struct oi_fingerprint_stream {
    XXH3_state_t *state;
    uint64_t size;
};

static void
put(XXH128_hash_t hash, uint64_t size, const char *kind, uint8_t fingerprint[OI_FINGERPRINT_SIZE])
{
    XXH128_canonical_t canonical;

    XXH128_canonicalFromHash(&canonical, hash);
    memcpy(fingerprint, canonical.digest, sizeof(canonical.digest));
    for (unsigned i = 0; i < sizeof(size); i++)
        fingerprint[SIZE_AT + i] = (uint8_t) (size >> 8 * i);
    memcpy(fingerprint + KIND_AT, kind, KIND_SIZE);
}

void
oi_fingerprint_of(struct oi_slice bytes, uint8_t ret_fingerprint[OI_FINGERPRINT_SIZE])
{
    put(XXH3_128bits(bytes.data, bytes.size), bytes.size, of_bytes, ret_fingerprint);
}

struct oi_fingerprint_stream *
oi_fingerprint_begin(void)
{
    struct oi_fingerprint_stream *stream = oi_alloc_zero(1, sizeof(*stream));

    stream->state = XXH3_createState();
    oi_assert(stream->state);
    (void) XXH3_128bits_reset(stream->state);
    return stream;
}

void
oi_fingerprint_add(struct oi_fingerprint_stream *stream, struct oi_slice piece)
{
    if (piece.size > 0)
        (void) XXH3_128bits_update(stream->state, piece.data, piece.size);
    stream->size += piece.size;
}

void
oi_fingerprint_finish(struct oi_fingerprint_stream **stream,
                      uint8_t ret_fingerprint[OI_FINGERPRINT_SIZE])
{
    put(XXH3_128bits_digest((*stream)->state), (*stream)->size, of_bytes, ret_fingerprint);
    oi_fingerprint_abandon(stream);
}

void
oi_fingerprint_abandon(struct oi_fingerprint_stream **stream)
{
    if (*stream)
        (void) XXH3_freeState((*stream)->state);
    oi_free(*stream);
    *stream = NULL;
}

void
oi_fingerprint_of_facts(struct oi_slice facts, uint8_t ret_fingerprint[OI_FINGERPRINT_SIZE])
{
    put(XXH3_128bits(facts.data, facts.size), facts.size, of_facts, ret_fingerprint);
}

bool
oi_fingerprint_size(const uint8_t fingerprint[OI_FINGERPRINT_SIZE], uint64_t *ret_size)
{
    uint64_t size = 0;

    if (memcmp(fingerprint + KIND_AT, of_bytes, KIND_SIZE) != 0)
        return false;
    for (unsigned i = 0; i < sizeof(size); i++)
        size |= (uint64_t) fingerprint[SIZE_AT + i] << 8 * i;
    *ret_size = size;
    return true;
}

bool
oi_fingerprint_is_one(const uint8_t fingerprint[OI_FINGERPRINT_SIZE])
{
    return memcmp(fingerprint + KIND_AT, of_bytes, KIND_SIZE) == 0 ||
           memcmp(fingerprint + KIND_AT, of_facts, KIND_SIZE) == 0;
}
