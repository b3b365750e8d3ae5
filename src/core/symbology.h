/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instrument, five names: ours, Coin Metrics', Atlas' (Aperiodic), Kiyotaka's, Kwery's.
 * Everything here is a pure function of the instrument; looking a name up is the catalogue's job
 * (query/names.h), which indexes these names.
 */
#pragma once

#include "core/instrument.h"

#include <stdbool.h>

/* Room for any name below and its NUL. */
#define OI_MARKET_NAME_SIZE 192

/* Each writes a NUL-terminated name and returns true, or returns false and leaves "" where that
 * vendor has no name for such an instrument (a provisional one without base and quote, say). */

/* Ours, for people and the native API: "binance:usdm:BTCUSDT". Always there. */
bool oi_native_name(const struct oi_instrument *instrument, char name[OI_MARKET_NAME_SIZE]);

/* Coin Metrics: exchange id ("okex" for okx) and market id, "binance-BTCUSDT-future". A provisional
 * instrument has one too. */
bool oi_coinmetrics_exchange(const struct oi_instrument *instrument,
                             char name[OI_MARKET_NAME_SIZE]);
bool oi_coinmetrics_market(const struct oi_instrument *instrument, char name[OI_MARKET_NAME_SIZE]);

/* Atlas: "binance-futures" and "perpetual-BTC-USDT:USDT". */
bool oi_atlas_exchange(const struct oi_instrument *instrument, char name[OI_MARKET_NAME_SIZE]);
bool oi_atlas_symbol(const struct oi_instrument *instrument, char name[OI_MARKET_NAME_SIZE]);
/* Is it an exchange in Atlas' notation, one that Atlas knows or one named by its pattern? */
bool oi_atlas_exchange_is_known(struct oi_slice name);

/* Kiyotaka: "BINANCE_FUTURES", "BTC-USDT" (normalized), "PERPETUAL"; rawSymbol is the native one,
 * coin the base. */
bool oi_kiyotaka_exchange(const struct oi_instrument *instrument, char name[OI_MARKET_NAME_SIZE]);
bool oi_kiyotaka_normalized(const struct oi_instrument *instrument, char name[OI_MARKET_NAME_SIZE]);
bool oi_kiyotaka_category(const struct oi_instrument *instrument, char name[OI_MARKET_NAME_SIZE]);

/* Kwery: "binance_futures", "hyperliquid", "kalshi"; false for every other exchange and for
 * products Kwery does not carry. */
bool oi_kwery_source(const struct oi_instrument *instrument, char name[OI_MARKET_NAME_SIZE]);
/* Is this the perpetual that stands for its asset there (BTCUSDT for BTC on Binance)? */
bool oi_kwery_is_main(const struct oi_instrument *instrument);

/* The exchange and product that a Coin Metrics market id names, without a catalogue: for imports of
 * markets that are not defined yet. "binance-BTCUSDT-future" gives exchange "binance", product
 * "usdm", symbol "BTCUSDT". The instrument comes out provisional unless the symbol alone tells all.
 * INVALID when it is not of that form. */
enum oi_status oi_coinmetrics_market_parse(struct oi_slice market,
                                           struct oi_instrument *ret_instrument,
                                           struct oi_error *error);
