/* SPDX-License-Identifier: Apache-2.0 */
/* The collector's inside, for the files of this folder that run it and measure it. */
#pragma once

#include "collector/collector.h"
#include "collector/poll.h"
#include "collector/raw.h"
#include "collector/routes.h"
#include "collector/streams.h"
#include "net/http_client.h"
#include "net/loop.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* One exchange and what of it is on the wire. */
struct oi_collector_exchange {
    struct oi_collector *collector;
    struct oi_poll poll;
    struct oi_http_client *clients[OI_POLL_ADDRESSES_MAX]; /* of each address; the routes' */
    unsigned under_way; /* requests, those of closed minutes too */
    bool is_full;       /* more may not be: an answer is what to wait for */
};

struct oi_collector {
    const struct oi_clock *clock;
    struct oi_virtual_clock *virtual_clock;
    struct oi_store *store;
    uint64_t timeout_ms;
    struct oi_loop *loop;
    struct oi_routes *routes;
    struct oi_streams *streams; /* or NULL */
    struct oi_timer *timer;
    struct oi_raw *raw; /* or NULL */
    uint64_t sent;      /* requests so far: their numbers in the raw files */
    struct oi_collector_exchange *exchanges;
    size_t count;
    oi_time minute; /* the last one begun, or OI_TIME_NONE */
    bool is_stepped;
    bool is_pumping, pump_again;
    pthread_t thread;
    atomic_bool is_stopping;
    /* What the metrics say: a copy, so that any thread may ask. */
    pthread_mutex_t stats_lock;
    struct oi_poll_stats *stats;
    struct oi_streams_stats *stream_stats;
};
