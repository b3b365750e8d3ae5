/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers: a seeded stream for everything that must be repeatable (xoshiro256**, public
 * domain), and the kernel's for what must not be guessed. Not for two threads at once.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct oi_random {
    uint64_t state[4];
};

/* The same seed gives the same stream, on every machine. */
void oi_random_init(struct oi_random *random, uint64_t seed);
uint64_t oi_random_next(struct oi_random *random);
/* Evenly in [0, below), below > 0. */
uint64_t oi_random_below(struct oi_random *random, uint64_t below);
/* In [0, 1), for the simulator's markets only. */
double oi_random_unit(struct oi_random *random);

/* Fill from the kernel; aborts if it cannot. */
void oi_random_secret(void *bytes, size_t size);
/* 36 characters and a NUL: a version 4 UUID. */
#define OI_UUID_SIZE 37
void oi_random_uuid(char uuid[OI_UUID_SIZE]);
