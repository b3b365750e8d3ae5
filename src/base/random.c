/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xoshiro256** by Blackman and Vigna, seeded by splitmix64 as they advise
 * (https://prng.di.unimi.it/), and the kernel's random bytes.
 */
#include "base/random.h"

#include "base/status.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static uint64_t
rotate_left(uint64_t value, unsigned by)
{
    return value << by | value >> (64 - by);
}

void
oi_random_init(struct oi_random *random, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        uint64_t mixed = seed += UINT64_C(0x9E3779B97F4A7C15);

        mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
        mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
        random->state[i] = mixed ^ mixed >> 31;
    }
}

uint64_t
oi_random_next(struct oi_random *random)
{
    uint64_t *state = random->state;
    uint64_t result = rotate_left(state[1] * 5, 7) * 9;
    uint64_t shifted = state[1] << 17;

    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate_left(state[3], 45);
    return result;
}

uint64_t
oi_random_below(struct oi_random *random, uint64_t below)
{
    uint64_t excess;
    uint64_t value;

    oi_assert(below > 0);
    /* Numbers under 2^64 mod below would come up once more often than the others. */
    excess = (0 - below) % below;
    do {
        value = oi_random_next(random);
    } while (value < excess);
    return value % below;
}

double
oi_random_unit(struct oi_random *random)
{
    /* 53 bits are what a double holds exactly. */
    return (double) (oi_random_next(random) >> 11) * 0x1.0p-53;
}

void
oi_random_secret(void *bytes, size_t size)
{
    char *at = bytes;

    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);

        oi_assert(got > 0 || (got < 0 && errno == EINTR));
        if (got > 0) {
            at += got;
            size -= (size_t) got;
        }
    }
}

/* Sixteen bytes of a thread's own store, filled by one call of the kernel for 64 names: every
 * request has one, and the call costs more than all the rest of it. */
static const unsigned char *
next_uuid_bytes(void)
{
    static _Thread_local unsigned char store[64 * 16];
    static _Thread_local size_t left;

    if (left == 0) {
        oi_random_secret(store, sizeof(store));
        left = sizeof(store);
    }
    left -= 16;
    return store + left;
}

void
oi_random_uuid(char uuid[OI_UUID_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[16];
    size_t at = 0;

    memcpy(bytes, next_uuid_bytes(), sizeof(bytes));
    bytes[6] = (unsigned char) ((bytes[6] & 0x0F) | 0x40); /* version 4 */
    bytes[8] = (unsigned char) ((bytes[8] & 0x3F) | 0x80); /* RFC 9562 variant */
    for (size_t i = 0; i < sizeof(bytes); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            uuid[at++] = '-';
        uuid[at++] = digits[bytes[i] >> 4];
        uuid[at++] = digits[bytes[i] & 15];
    }
    uuid[at] = '\0';
}
