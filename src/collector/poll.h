/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exchange, minute by minute: what is asked, what the answers mean, what is committed. No
 * sockets and no waiting: the collector sends what `oi_poll_next` yields and hands back what came;
 * times are told by it.
 */
#pragma once

#include "base/random.h"
#include "collector/board.h"
#include "collector/discover.h"
#include "collector/frozen.h"
#include "collector/pace.h"
#include "collector/schedule.h"
#include "net/http_client.h"

#include <stdbool.h>

/* Now, on both clocks. */
struct oi_poll_now {
    oi_time wall;
    int64_t mono_ns;
};

/* For the metrics. A status counts as an error of that kind. */
#define OI_POLL_ERRORS (OI_E_CANCELLED + 1)
struct oi_poll_stats {
    uint64_t minutes, asks, rows, duplicates, skips, unknown, holes;
    uint64_t errors[OI_POLL_ERRORS]; /* by enum oi_status; IO: no answer at all */
    uint64_t commit_failures;
    size_t frozen;            /* markets whose figure stands still while their price moves */
    size_t expected, missing; /* of the last minute */
    oi_time last_success;     /* minute that brought a row, or OI_TIME_NONE */
    int64_t lag_ns;           /* from the minute to its last commit */
    unsigned used_permille;   /* of the fullest limit */
    int64_t skew_ns;          /* how far the exchange's clock is ahead of ours, to about half a
                               * second; 0 while it has not told */
    enum oi_status shut;      /* why the exchange is left alone, or OK */
};

/* Exchanges count by address: each has a budget of its own. */
#define OI_POLL_ADDRESSES_MAX 8

struct oi_poll {
    const struct oi_exchange *exchange;
    struct oi_store *store;
    uint16_t feed;
    struct oi_random random;
    int64_t spread_ns;
    bool is_patient;
    struct oi_pace paces[OI_POLL_ADDRESSES_MAX]; /* of each outgoing address */
    unsigned address_count, address;             /* and the one whose turn it is */
    struct oi_board board;
    struct oi_discover discover;
    struct oi_agenda agenda;
    struct oi_harvest harvest;
    struct oi_frozen frozen;
    struct oi_board_yield yield; /* what is not committed yet; kept while the store refuses */

    bool is_open;        /* a minute is under way */
    bool is_late;        /* it was begun late: what is missing is not the exchange's fault */
    bool is_discovering; /* the markets must be known first */
    /* The gravest pause that was in force at any time of this minute, DENIED before all. */
    enum oi_status held;
    oi_time minute;
    int64_t begun_ns, close_ns, flush_ns; /* monotonic */
    int64_t wake_ns;                      /* what oi_poll_next said last */
    uint64_t round;                       /* counts minutes: late answers are told by it */
    unsigned in_flight;                   /* of this round */
    /* Between these the skew lies, as far as this minute's replies tell; low > high: none did. */
    int64_t skew_low_ns, skew_high_ns;
    unsigned *out;     /* the same for each endpoint */
    oi_time committed; /* the last commit's instant, or OI_TIME_NONE */
    struct oi_poll_stats stats;
};

struct oi_poll_options {
    const struct oi_exchange *exchange;
    struct oi_store *store;
    uint16_t feed;
    uint64_t seed, spread_ms;
    int64_t frozen_after_ns; /* 0: an hour; below: never */
    unsigned address_count;  /* 0: 1; at most OI_POLL_ADDRESSES_MAX */
    bool is_patient; /* a minute that is begun late gets its time nevertheless: no other follows */
};

void oi_poll_init(struct oi_poll *poll, const struct oi_poll_options *options);
void oi_poll_release(struct oi_poll *poll);

/* Begin a minute (the last one is closed). Failures are the store's. */
enum oi_status oi_poll_begin(struct oi_poll *poll, oi_time minute, struct oi_poll_now now,
                             struct oi_error *error);
/* The next ask to send, which the caller then hands to oi_poll_request and, in any case, to
 * oi_poll_answer. False when none may go: look again at *ret_wake_ns (INT64_MAX: when an answer
 * came). */
bool oi_poll_next(struct oi_poll *poll, struct oi_poll_now now, struct oi_ask *ret_ask,
                  int64_t *ret_wake_ns);
/* For a replay: the waiting ask of this endpoint, family, symbol and page (NULL: none), as if
 * oi_poll_next had yielded it now. False when none waits. */
struct oi_poll_wanted {
    size_t endpoint;
    const char *family, *symbol, *page;
};
bool oi_poll_take(struct oi_poll *poll, const struct oi_poll_wanted *wanted, struct oi_poll_now now,
                  struct oi_ask *ret_ask);
enum oi_status oi_poll_request(const struct oi_poll *poll, const struct oi_ask *ask,
                               struct oi_http_request *request, struct oi_error *error);

/* What became of an ask, as oi_http_client tells it. */
struct oi_poll_answer {
    enum oi_status status;
    const struct oi_http_response *response;
    const struct oi_error *error;
};
/* Takes the ask over. */
void oi_poll_answer(struct oi_poll *poll, struct oi_ask *ask, const struct oi_poll_answer *answer,
                    struct oi_poll_now now);

/* Is there nothing left to do in this minute, or no time? */
bool oi_poll_is_done(const struct oi_poll *poll, struct oi_poll_now now);
/* Commit what is complete if that is due. A store that refuses keeps it for the next time. */
void oi_poll_flush(struct oi_poll *poll, struct oi_poll_now now);
/* End the minute: rows, holes, marks. When `is_stopping`, only rows: what is missing was not
 * asked for. */
void oi_poll_close(struct oi_poll *poll, struct oi_poll_now now, bool is_stopping);
