/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to ask next. Pure: which minute is due, which endpoints are, what they have to be asked for
 * one by one, and which of the waiting asks goes first. No sockets, no clock, no store.
 */
#pragma once

#include "base/vector.h"
#include "collector/pace.h"
#include "core/decimal.h"
#include "core/time.h"
#include "exchanges/exchange.h"

#include <stdbool.h>
#include <stdint.h>

/* The minute to poll at `now`, or OI_TIME_NONE while the last one still runs. A clock that jumps
 * ahead skips minutes; one that falls back a little waits, one that falls back far starts over (the
 * store drops what it has). `last` is OI_TIME_NONE at first. */
oi_time oi_schedule_minute(oi_time last, oi_time now);

/* Is an endpoint due in this minute, asked last in minute `last` (OI_TIME_NONE: never)? */
bool oi_schedule_is_due(const struct oi_endpoint *endpoint, oi_time last, oi_time minute);

/* One request to be made. */
struct oi_ask {
    size_t endpoint;    /* of the exchange's */
    const char *family; /* borrowed from whoever scheduled it, for the minute */
    const char *symbol;
    size_t entry; /* whose symbol that is, in the driver's table */
    char *page;   /* owned: oi_ask_release */
    unsigned page_count, attempts;
    int64_t due_ns;         /* monotonic: not before this */
    unsigned address;       /* for the driver: which of ours it goes out from */
    enum oi_status trouble; /* why the last attempt failed */
    oi_time minute;
    uint64_t round; /* for the driver: which round of its it belongs to */
};
void oi_ask_release(struct oi_ask *ask);

struct oi_agenda {
    OI_VECTOR(struct oi_ask) asks; /* the most wanted first */
};
void oi_agenda_release(struct oi_agenda *agenda);

/* A market that is asked for by its symbol. */
struct oi_market {
    const char *product, *symbol;
    size_t entry;
    struct oi_decimal worth; /* last known open interest in money, about; none: not known */
};
/* Most worth first, then the unknown: when the budget is short the last ones go without. */
void oi_schedule_rank(struct oi_market *markets, size_t count);

/* What an exchange's endpoints have to be asked for. */
struct oi_roster {
    const struct oi_exchange *exchange;
    const struct oi_market *markets; /* ranked */
    size_t market_count;
    const struct oi_roster_family {
        const char *product, *name;
    } * families; /* discovered */
    size_t family_count;
};

/* Add the asks of one endpoint, for `minute`, spread evenly over [from_ns, from_ns + spread_ns). */
struct oi_slot {
    oi_time minute;
    int64_t from_ns, spread_ns;
};
void oi_schedule_expand(struct oi_agenda *agenda, const struct oi_roster *roster, size_t endpoint,
                        const struct oi_slot *slot);

/* Take the first ask that may go now. When none may: false, and the instant to look again at
 * (INT64_MAX: nothing is waiting). */
bool oi_schedule_next(struct oi_agenda *agenda, const struct oi_exchange *exchange,
                      struct oi_pace *pace, int64_t now_ns, struct oi_ask *ret_ask,
                      int64_t *ret_wake_ns);
