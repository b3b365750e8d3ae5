/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backfill: what the exchanges still tell of the past, asked for inside their limits. First a plan,
 * which sends nothing: the requests, the time they take and the readings they bring. Then the run.
 *
 * The work is cut into lots, each one page of one market (or one file of an archive), and a lot's
 * rows are one commit. The rows themselves are the progress: a run that is stopped at any point has
 * lost nothing, and the next plan leaves out what is there. Rows go into the feed "history"
 * (archives: their own): a query prefers live and streamed readings of the same instant.
 */
#pragma once

#include "base/clock.h"
#include "exchanges/exchange.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct oi_backfill;

enum oi_backfill_source {
    OI_BACKFILL_ENDPOINT = 1 << 0, /* the exchanges' own history */
    OI_BACKFILL_ARCHIVE = 1 << 1,  /* files that they publish */
};

/* How far a run is. */
struct oi_backfill_progress {
    uint64_t requests_done, requests; /* of the plan */
    uint64_t rows;                    /* stored so far */
    int64_t elapsed_ns, left_ns;
};

/* Borrowed until the backfill is closed. */
struct oi_backfill_options {
    const struct oi_clock *clock;                  /* NULL: the machine's */
    struct oi_virtual_clock *virtual_clock;        /* as in struct oi_collector_options */
    const struct oi_exchange *const *registry;     /* NULL: oi_exchanges */
    const char *redirect_to;                       /* or NULL */
    const char *const *proxies, *const *addresses; /* as in struct oi_collector_options */
    uint64_t timeout_ms;                           /* of a request; 0: 20 s */
    unsigned sources;                              /* enum oi_backfill_source; 0: endpoints */
    struct oi_span span;
    /* Only what the coverage ledger misses in the span; false: all of it. */
    bool holes_only;
    /* Ask also for the checksums of files that are there, and take those that were published
     * again. */
    bool rechecks;
    const uint32_t *instruments; /* these alone; NULL: every known market */
    size_t instrument_count;
    const char *folder;    /* for files on their way in: a folder of our own; archives need it */
    bool is_interruptible; /* SIGINT and SIGTERM end the run */
    void (*progress)(void *context, const struct oi_backfill_progress *progress); /* or NULL */
    void *context;
};

/* What is to be done at one exchange from one source. */
struct oi_backfill_share {
    const char *exchange, *source; /* "history", "archive:binance-vision" */
    size_t markets;
    uint64_t lots;     /* pages, or files */
    uint64_t requests; /* to be sent */
    uint64_t rows;     /* at most, about */
    uint64_t present;  /* beside those: readings that are there already */
    int64_t time_ns;   /* at least, inside the limits */
    oi_time kept_from; /* the exchange has nothing before this; OI_TIME_NONE: not known */
};

struct oi_backfill_report {
    uint64_t requests, rows, duplicates, refused;
    uint64_t lots, failed, missing; /* done; given up for this run; not there at the source */
    uint64_t revised;               /* files that were published again */
    bool was_stopped;
};

/* Make the plan. NOT_FOUND where there is nothing that could be asked for: no known market has a
 * history. INVALID for an empty span. */
enum oi_status oi_backfill_open(const struct oi_backfill_options *options, struct oi_store *store,
                                struct oi_backfill **ret_backfill, struct oi_error *error);
/* The plan: one share for each exchange and source; lives as long as the backfill. */
size_t oi_backfill_plan(const struct oi_backfill *backfill,
                        const struct oi_backfill_share **ret_shares);
/* Do it; blocks. Trouble with an exchange is in the report and in the log; a failure is the
 * store's. *ret_report is written on failure too. */
enum oi_status oi_backfill_run(struct oi_backfill *backfill, struct oi_backfill_report *ret_report,
                               struct oi_error *error);
/* Any thread: end the run soon. */
void oi_backfill_stop(struct oi_backfill *backfill);
/* NULL-safe. */
void oi_backfill_close(struct oi_backfill **backfill);
