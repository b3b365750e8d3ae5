/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is traded where. An instrument is (exchange, product, native symbol, listing), so that a
 * symbol used again is a new one. Its definition has versions, each valid from an instant and known
 * from an instant; one struct holds one version. Names are copied in: an instrument is a value.
 */
#pragma once

#include "core/decimal.h"
#include "core/time.h"

#include <stdbool.h>
#include <stdint.h>

/* Longest names met: symbols 42 (Kalshi multivariate tickers reach 60), assets 20. */
#define OI_SYMBOL_SIZE 96
#define OI_NAME_SIZE 32

enum oi_kind {
    OI_KIND_UNKNOWN = 0, /* never guessed: only a provisional instrument has it */
    OI_KIND_PERPETUAL,
    OI_KIND_FUTURE,
    OI_KIND_OPTION,
    OI_KIND_EVENT, /* a yes/no contract of a prediction market */
};

enum oi_settlement {
    OI_SETTLEMENT_UNKNOWN = 0,
    OI_SETTLEMENT_LINEAR,  /* settled in the quote currency */
    OI_SETTLEMENT_INVERSE, /* quoted in USD, settled in the coin */
    OI_SETTLEMENT_QUANTO,  /* quoted in USD, settled in a third coin */
};

enum oi_option_side {
    OI_OPTION_NONE = 0,
    OI_OPTION_CALL,
    OI_OPTION_PUT,
};

struct oi_instrument {
    uint32_t id; /* given by the store, from 1; 0: not stored yet */

    /* The key. */
    char exchange[OI_NAME_SIZE]; /* our name of the exchange: "binance", "okx" */
    char product[OI_NAME_SIZE];  /* its product line there: "usdm", "coinm", "linear", "swap" */
    char symbol[OI_SYMBOL_SIZE]; /* the native symbol, verbatim */
    oi_time listed;              /* when this listing began, or OI_TIME_NONE */

    /* The definition. */
    enum oi_kind kind;
    enum oi_settlement settlement;
    char base[OI_NAME_SIZE];   /* the coin the contract is about, without multiplier: "PEPE" */
    char quote[OI_NAME_SIZE];  /* "USDT", "USD" */
    char margin[OI_NAME_SIZE]; /* what it settles in */
    /* The symbol's own unit in coins: 1000 for 1000PEPEUSDT and kPEPE, 1 otherwise. A figure in
     * "coins" and a price refer to this unit. */
    int64_t base_factor;
    /* What one contract is worth: coins of `base` where linear (1000 for 1000PEPEUSDT) and of every
     * option, USD where inverse and of events, or none while unknown; none of quanto contracts,
     * whose worth moves with a second price. */
    struct oi_decimal contract_size;
    oi_time expiry;           /* OI_TIME_NONE: perpetual */
    struct oi_decimal strike; /* options */
    enum oi_option_side option_side;

    /* The version. */
    bool is_delisted;
    bool is_provisional; /* imported before it was defined: only its own unit is served */
    bool is_assumed;     /* first known version, assumed back to the listing */
    oi_time valid_from;  /* from when these facts hold */
    oi_time known_from;  /* from when we knew them */
};

/* An instrument with nothing in it: times none, factor 1. */
#define OI_INSTRUMENT_NONE                                                                         \
    ((struct oi_instrument){ .listed = OI_TIME_NONE,                                               \
                             .base_factor = 1,                                                     \
                             .expiry = OI_TIME_NONE,                                               \
                             .valid_from = OI_TIME_NONE,                                           \
                             .known_from = OI_TIME_NONE })

/* Copy `text` into a name field; INVALID when it is empty, too long, or holds control characters or
 * invalid UTF-8. */
enum oi_status oi_name_set(char *field, size_t field_size, struct oi_slice text,
                           struct oi_error *error);
#define OI_NAME_SET(field, text, error) oi_name_set((field), sizeof(field), (text), (error))

/* Split a base as exchanges write it into coin and factor: 1000PEPE -> PEPE, 1000; 10000SATS;
 * 1MBABYDOGE -> BABYDOGE, 1000000; SHIB1000 -> SHIB, 1000. With `has_k_prefix` (Hyperliquid) a
 * leading lower-case k means 1000. XBT is BTC. Anything else is itself with factor 1 ("1INCH",
 * "1000X" too). */
enum oi_status oi_instrument_set_base(struct oi_instrument *instrument, struct oi_slice base,
                                      bool has_k_prefix, struct oi_error *error);

/* Do two versions say the same of the market (everything but id, is_assumed, valid_from and
 * known_from, which are about the version)? */
bool oi_instrument_same_definition(const struct oi_instrument *a, const struct oi_instrument *b);

/* "PERPETUAL" and so on, upper case, for humans and the native API. */
const char *oi_kind_name(enum oi_kind kind);
const char *oi_settlement_name(enum oi_settlement settlement);

/* To and from bytes, for the store. CORRUPT when they do not decode whole. */
void oi_instrument_encode(const struct oi_instrument *instrument, struct oi_buffer *out);
enum oi_status oi_instrument_decode(struct oi_slice bytes, struct oi_instrument *ret_instrument,
                                    struct oi_error *error);
