/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Redis server, asked for the outcome of scripts. The connection lives on a thread of its own;
 * who asks waits a bounded time, and not at all while there is no connection: it is made again by
 * itself. TLS and its certificates are net's.
 */
#pragma once

#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct oi_redis;

struct oi_redis_options {
    /* "redis://host:6379/0", "rediss://" over TLS; a user before "@"; no password here. */
    const char *url;
    const char *password;  /* NULL: none */
    const char *authority; /* PEM file of whom to trust; NULL: whom the system trusts */
    uint64_t timeout_ms;   /* how long a caller waits at most; 0: 50 */
};

/* Begin to connect. INVALID for a URL that is none. */
enum oi_status oi_redis_open(const struct oi_redis_options *options, struct oi_redis **ret_redis,
                             struct oi_error *error);
void oi_redis_close(struct oi_redis **redis);

/* Counts the connections that were made; 0: there is none now. Any thread. */
uint64_t oi_redis_connection(struct oi_redis *redis);

#define OI_REDIS_ARGUMENTS_MAX 8
#define OI_REDIS_VALUES_MAX 4

struct oi_redis_call {
    const char *script; /* Lua */
    const char *key;    /* KEYS[1] */
    const char *arguments[OI_REDIS_ARGUMENTS_MAX];
    size_t argument_count;
};

/* Run a script that gives whole numbers, and wait for them; *ret_values has room for
 * OI_REDIS_VALUES_MAX, and those that did not come are 0. BUSY: there is no answer now (and the
 * connection is given up where it does not answer in time); UPSTREAM: it answers with an error. Any
 * thread. */
enum oi_status oi_redis_run(struct oi_redis *redis, const struct oi_redis_call *call,
                            int64_t *ret_values, struct oi_error *error);
