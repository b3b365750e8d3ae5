/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connections of every exchange's streams: opened, subscribed, kept alive, opened again with
 * back-off; what they bring is stored in one commit a quarter of a second. Runs on the collector's
 * loop beside its polls, which go on whatever happens here: a stream that is down costs what lies
 * between two minutes, and is a hole of its own (oi_stream_product).
 */
#pragma once

#include "base/clock.h"
#include "collector/push.h"
#include "collector/raw.h"
#include "net/http_client.h"
#include "net/loop.h"

struct oi_streams;

struct oi_streams_options {
    const struct oi_clock *clock;
    struct oi_loop *loop;
    struct oi_store *store;
    uint64_t seed;
    struct oi_raw *raw;   /* or NULL */
    uint64_t interval_ms; /* at most one row of a market in this; 0: 1000 */
};

struct oi_streams_stats {
    struct oi_push_stats of;
    size_t markets, links, open; /* now; an open link has all its subscriptions */
    uint64_t connects, ends;
    oi_time last_row; /* or OI_TIME_NONE */
};

enum oi_status oi_streams_open(const struct oi_streams_options *options,
                               struct oi_streams **ret_streams, struct oi_error *error);
/* Add an exchange whose connections go through this client; nothing for one without streams. The
 * client is closed after the streams. */
void oi_streams_add(struct oi_streams *streams, const struct oi_exchange *exchange,
                    struct oi_http_client *client);
/* Commit what came and end every connection. */
void oi_streams_close(struct oi_streams **streams);

/* Summed over the streams of an exchange. On the loop's thread. */
void oi_streams_stats(const struct oi_streams *streams, const struct oi_exchange *exchange,
                      struct oi_streams_stats *ret_stats);
