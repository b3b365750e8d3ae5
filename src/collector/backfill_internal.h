/* SPDX-License-Identifier: Apache-2.0 */
/* The backfill's inside: lots, the lines they wait in, and who fills and empties them. */
#pragma once

#include "archives/source.h"
#include "base/crypto.h"
#include "base/random.h"
#include "base/vector.h"
#include "collector/backfill.h"
#include "collector/pace.h"
#include "collector/routes.h"
#include "net/loop.h"

#include <stdatomic.h>

/* A market that has lots. */
struct oi_backfill_market {
    uint32_t instrument;
    uint32_t series; /* of the history; 0: not made yet */
    char product[OI_NAME_SIZE], symbol[OI_SYMBOL_SIZE];
    const struct oi_endpoint *endpoint; /* NULL: an archive's */
    int64_t shift_ns;                   /* from the exchange's label to our instant */
    int64_t period_ns;
    OI_VECTOR(struct oi_span) wanted; /* whole periods without a reading, ascending */
};

/* A page or a file. */
struct oi_backfill_lot {
    uint32_t market; /* of the line's */
    uint32_t sum;    /* of a file: what it must hash to, from 1 in the line's sums; 0: not known */
    uint32_t attempts;   /* failed ones */
    struct oi_span span; /* of instants: [from, to) */
    int64_t due_ns;      /* monotonic: not before this */
};

struct oi_backfill_sum {
    uint8_t digest[OI_SHA256_SIZE];
};

/* All of one exchange and source, under one budget. */
struct oi_backfill_line {
    struct oi_backfill *backfill;
    const struct oi_exchange *exchange; /* NULL: an archive's */
    const struct oi_archive_source *source;
    struct oi_backfill_share share;
    struct oi_limit limits[OI_PACE_LIMITS_MAX]; /* what is left to us of the published ones */
    struct oi_pace pace;
    OI_VECTOR(struct oi_backfill_market) markets;
    OI_VECTOR(struct oi_backfill_lot) lots; /* waiting, the next one last */
    OI_VECTOR(struct oi_backfill_sum) sums;
    struct oi_harvest harvest;
    unsigned under_way;
    unsigned denials;
    int64_t wake_ns;
};

struct oi_backfill {
    const struct oi_clock *clock;
    struct oi_backfill_options options;
    struct oi_store *store;
    OI_VECTOR(struct oi_backfill_line *) lines;
    OI_VECTOR(struct oi_backfill_share) shares;
    struct oi_loop *loop;
    struct oi_routes *routes;
    struct oi_timer *timer;
    struct oi_random random;
    uint16_t feed;
    uint64_t requests_planned;
    int64_t begun_ns, shown_ns;
    struct oi_backfill_report report;
    struct oi_error failure; /* the store's, which ends the run */
    bool is_pumping, pump_again;
    atomic_bool is_stopping;
};

/* The plan: fill the lines. */
enum oi_status oi_backfill_make_plan(struct oi_backfill *backfill, struct oi_error *error);
/* Is an instant one that is wanted of a market? */
bool oi_backfill_wants(const struct oi_backfill_market *market, oi_time time);
void oi_backfill_line_free(struct oi_backfill_line *line);

/* What became of a lot's reply. */
enum oi_backfill_outcome {
    OI_BACKFILL_DONE,
    OI_BACKFILL_ABSENT, /* the source does not have it */
    OI_BACKFILL_AGAIN,  /* the lot goes on: another request */
    OI_BACKFILL_UNSOUND,
    OI_BACKFILL_STORE, /* the store refused; `error` says why */
};
/* A sound reply to a lot of an endpoint: into the store. */
enum oi_backfill_outcome oi_backfill_take_page(struct oi_backfill_line *line,
                                               const struct oi_backfill_lot *lot,
                                               struct oi_slice body, struct oi_error *error);
/* The same of an archive: its checksum, then its file. */
enum oi_backfill_outcome oi_backfill_take_file(struct oi_backfill_line *line,
                                               struct oi_backfill_lot *lot, struct oi_slice body,
                                               struct oi_error *error);
