/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One stream of an exchange as a table: every market it has, what was last told of it, and which
 * changes are due to be stored. No sockets and no waiting: messages and times are handed in.
 *
 * A row is a change of the figure, at the instant the exchange gave it (the arrival where it gives
 * none), at most one an interval: of the changes within an interval after a row the last is kept,
 * and becomes a row when the interval is over or the next change says that it is.
 */
#pragma once

#include "base/map.h"
#include "base/vector.h"
#include "exchanges/exchange.h"
#include "store/store.h"

#include <stdbool.h>

#define OI_PUSH_NO_LINK SIZE_MAX

struct oi_push_market {
    uint32_t instrument, series;
    const char *symbol;
    bool is_gone;               /* delisted or expired: nothing of it is taken any more */
    size_t link;                /* the connection that has it, or OI_PUSH_NO_LINK */
    struct oi_observation told; /* merged; its time is that of the figure, or OI_TIME_NONE */
    oi_time seen;               /* newest stamp of a message, or OI_TIME_NONE */
    struct oi_decimal kept;     /* the last row's figure */
    oi_time kept_time;          /* and its time, or OI_TIME_NONE */
    bool is_pending;            /* `told` has a change that is not a row yet */
};

struct oi_push_stats {
    uint64_t messages, rows;
    uint64_t skips;   /* rows that were not understood */
    uint64_t unknown; /* of markets that are not known */
    uint64_t late;    /* older than what was told before */
    uint64_t faults;  /* messages that were not understood */
    uint64_t refused; /* markets that the exchange does not have */
};

struct oi_push {
    const struct oi_exchange *exchange;
    const struct oi_exchange_stream *stream;
    int64_t interval_ns; /* at most one row of a market in this */
    uint64_t catalog_version;
    OI_VECTOR(struct oi_push_market) markets;
    struct oi_map *index; /* symbol -> market */
    struct oi_arena arena;
    OI_VECTOR(size_t) pending; /* markets */
    OI_VECTOR(size_t) fresh;   /* added by the refresh under way */
    size_t free_from;          /* no place before this one is free in it */
    struct oi_harvest harvest;
    struct oi_push_stats stats;
};

/* Rows to be committed. */
struct oi_push_rows {
    OI_VECTOR(struct oi_row) rows;
};

void oi_push_init(struct oi_push *push, const struct oi_exchange *exchange,
                  const struct oi_exchange_stream *stream, int64_t interval_ns);
void oi_push_release(struct oi_push *push);

/* Take over the exchange's markets as the store knows them now; what was told stays. False in
 * *ret_changed when the catalogue is the one of last time. */
enum oi_status oi_push_refresh(struct oi_push *push, struct oi_store *store, uint16_t feed,
                               oi_time now, bool *ret_changed, struct oi_error *error);

/* One message of a connection. Its changes go into `out` or wait. As `read` of the stream:
 * NOT_FOUND and UPSTREAM cost the message alone, BUSY and DENIED the connection. `ret_told` counts
 * the rows in it. */
enum oi_status oi_push_message(struct oi_push *push, struct oi_slice message, oi_time now,
                               struct oi_push_rows *out, struct oi_stream_event *ret_event,
                               size_t *ret_told, struct oi_error *error);

/* Changes whose interval is over become rows; with is_end all of them. */
void oi_push_ripen(struct oi_push *push, oi_time now, bool is_end, struct oi_push_rows *out);
