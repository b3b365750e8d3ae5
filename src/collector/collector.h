/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector: asks every exchange for its instruments and, minute by minute, for its open
 * interest, and appends what comes to the store. What does not come becomes a typed hole. One
 * exchange's trouble never holds up another.
 */
#pragma once

#include "base/buffer.h"
#include "base/clock.h"
#include "exchanges/exchange.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct oi_collector;

/* Borrowed until the collector is closed. */
struct oi_collector_options {
    const struct oi_clock *clock; /* NULL: the machine's */
    /* Not NULL: this is the clock, and whenever the collector has nothing to do but wait it moves
     * it on instead. For oi_collector_poll_minute alone: a simulated day takes as long as its
     * requests. */
    struct oi_virtual_clock *virtual_clock;
    const char *const *exchanges;              /* names, NULL-terminated; NULL: all */
    const struct oi_exchange *const *registry; /* where they are; NULL: oi_exchanges */
    const char *redirect_to;      /* send everything to this origin (the simulator), or NULL */
    const char *const *proxies;   /* see oi_routes_options; NULL-terminated, or NULL */
    const char *const *addresses; /* outgoing ones, each with a budget; NULL-terminated, or NULL */
    uint64_t
        spread_ms; /* markets asked for one by one are spread over this; 0: 30 s, at most 45 s */
    int64_t frozen_after_ns; /* a figure that stands still so long while its price moves is told of
                              * and counted; 0: an hour; below: never */
    uint64_t timeout_ms;     /* of a request; 0: 10 s */
    uint64_t seed;           /* of the jitter of retries; 0: the kernel's */
    /* Where to keep every reply, for how long and how much of it (see raw.h); NULL: nowhere. */
    const char *raw_folder;
    int64_t raw_keep_ns;
    uint64_t raw_size_max;
    /* Take what exchanges push beside the polls; not stepped. At most one change of a market in
     * stream_interval_ms (0: 1000) is kept. */
    bool has_streams;
    uint64_t stream_interval_ms;
};

/* Start collecting on a thread of its own, until closed. INVALID for an exchange that is not known.
 */
enum oi_status oi_collector_open(const struct oi_collector_options *options, struct oi_store *store,
                                 struct oi_collector **ret_collector, struct oi_error *error);
/* The same without a thread: the caller polls minute by minute. */
enum oi_status oi_collector_open_stepped(const struct oi_collector_options *options,
                                         struct oi_store *store,
                                         struct oi_collector **ret_collector,
                                         struct oi_error *error);
/* Stop cleanly: what has come is committed first. NULL is fine. */
void oi_collector_close(struct oi_collector **collector);

/* What one minute brought. */
struct oi_collector_report {
    size_t expected, stored, missing;
};

/* Stepped only: poll one whole minute of every exchange, on this thread; returns when its rows,
 * holes and marks are committed. `minute` is a whole one, the current one of the clock. Trouble
 * with exchanges is in the log, the store and the metrics; a failure is the store's. ret_report may
 * be NULL. */
enum oi_status oi_collector_poll_minute(struct oi_collector *collector, oi_time minute,
                                        struct oi_collector_report *ret_report,
                                        struct oi_error *error);

/* Poll the current minute once, instruments first: `oi collect --once`. Blocks; a minute at most.
 */
enum oi_status oi_collector_run_once(const struct oi_collector_options *options,
                                     struct oi_store *store, struct oi_collector_report *ret_report,
                                     struct oi_error *error);

/* Append metrics in Prometheus' text format; `context` is the collector. Any thread. */
void oi_collector_write_metrics(void *context, struct oi_buffer *out);
