/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One reading of open interest: what one feed said of one instrument at one instant. Its key is
 * (instrument, feed, time); the row is fixed for ever, because what it lacks can never be
 * recovered.
 */
#pragma once

#include "core/decimal.h"
#include "core/time.h"

#include <stdint.h>

/* Quality flags: they mark a row, they never remove it. */
enum oi_flag {
    OI_FLAG_KNOWN_ASSUMED = 1 << 0, /* known_time is the row's time plus an assumed lag */
    OI_FLAG_BAD = 1 << 1,           /* marked bad by the operator, with a reason in the ledger */
    OI_FLAG_FROZEN = 1 << 2,        /* the figure stood still while the price moved */
    OI_FLAG_SUSPECT_ZERO = 1 << 3,  /* a zero of a feed whose zeros are known to mean nothing */
    OI_FLAG_DEFINITION_ASSUMED = 1 << 4, /* stored before its instrument was defined */
};

struct oi_observation {
    /* The reference instant: the minute a poll was scheduled for, the venue's own instant for
     * streams, the market close of the trade date for daily venues. */
    oi_time time;
    oi_time exchange_time; /* the venue's own stamp, or OI_TIME_NONE */
    /* When this feed first had it; OI_TIME_NONE: our commit, filled in by the store. */
    oi_time known_time;
    struct oi_decimal open_interest; /* the venue's figure untouched, in its unit, on its sides */
    struct oi_decimal value_usd;     /* the venue's own USD figure (notional), or none */
    struct oi_decimal mark_price;    /* the contract's own mark, or none */
    struct oi_decimal index_price;   /* the USD price of the underlying, or none */
    struct oi_decimal last_price;    /* the last trade in the same reply, or none */
    uint16_t flags;                  /* enum oi_flag */
};

/* A reading without anything in it: start from this, never from {}, whose times are 1970. */
#define OI_OBSERVATION_NONE                                                                        \
    ((struct oi_observation){                                                                      \
        .time = OI_TIME_NONE, .exchange_time = OI_TIME_NONE, .known_time = OI_TIME_NONE })
