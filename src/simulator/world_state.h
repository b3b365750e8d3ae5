/* SPDX-License-Identifier: Apache-2.0 */
/* What the world remembers: for the files that answer requests and that push. */
#pragma once

#include "simulator/world_internal.h"

#include <pthread.h>

struct venue_state {
    uint64_t requests;
    uint64_t violations;
    uint64_t since_moods; /* requests */
    unsigned sessions;    /* open streams */
    struct oi_meter meters[VENUE_METERS_MAX];
};

struct oi_simulator_world {
    uint64_t seed;
    const struct oi_clock *clock;
    pthread_mutex_t mutex; /* guards what follows */
    struct oi_catalogue catalogue;
    OI_VECTOR(struct oi_coin) coins; /* further ones; their texts are in the arena */
    struct oi_arena arena;
    struct oi_moods moods;
    oi_time moods_since;
    int64_t pulse_ns; /* of streams */
    struct venue_state venues[OI_VENUE_COUNT];
};

oi_time oi_world_now(const struct oi_simulator_world *world);
/* "https://fapi.binance.com:443" is "fapi.binance.com". */
struct oi_slice oi_world_host(const struct oi_http_request *request);
/* Whose host it is, of replies or of streams. */
bool oi_world_find(struct oi_slice host, bool is_stream, enum oi_venue *ret_venue);
/* List what is listed now. With the lock held. */
void oi_world_list(struct oi_simulator_world *world, oi_time now);
