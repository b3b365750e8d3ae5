/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is traded where. Prices and sizes are plausible and nobody's.
 *
 * Letters of venues: B Binance USDT-M, C Binance COIN-M, Y Bybit linear, I Bybit inverse, O OKX
 * linear, S OKX inverse, H Hyperliquid, D Deribit USDC, E Deribit coin and options, Q dated
 * contracts on all of these; the exchanges of the patterns in catalogue_patterns.c take the coins
 * of C, E, I and S, X is what settles in bitcoin at BitMEX; x and k Hyperliquid's dexes of
 * builders. A small b y o h d means listed there, and held by nobody.
 */
/* no unit test: a table: market_test checks every row */
#include "simulator/market.h"

/* Name, USD, swing, usual open interest in millions of USD, venues. */
#define COIN(name, price, swing, millions, venues)                                                 \
    {                                                                                              \
        name, price, swing, (millions) *1e6, venues                                                \
    }

const struct oi_coin oi_coins[] = {
    COIN("BTC", 81'000, 0.13, 9'000, "BCYIOSHDEQX"),
    COIN("ETH", 3'300, 0.18, 6'100, "BCYIOSHDEQ"),
    COIN("SOL", 165, 0.22, 2'200, "BCYIOSHDQ"),
    COIN("XRP", 2.4, 0.22, 1'300, "BCYIOSHDQ"),
    COIN("DOGE", 0.21, 0.25, 820, "BCYIOSHD"),
    COIN("BNB", 880, 0.16, 700, "BCYOHD"),
    COIN("ADA", 0.62, 0.25, 410, "BCYIOSHD"),
    COIN("HYPE", 38, 0.28, 650, "BYOH"),
    COIN("SUI", 2.4, 0.27, 460, "BCYOH"),
    COIN("LINK", 17, 0.24, 380, "BCYIOSHD"),
    COIN("AVAX", 21, 0.25, 260, "BCYOHD"),
    COIN("LTC", 104, 0.18, 300, "BCYIOSHD"),
    COIN("BCH", 520, 0.18, 240, "BCYOSHD"),
    COIN("DOT", 3.4, 0.25, 190, "BCYIOSHD"),
    COIN("TRX", 0.31, 0.12, 160, "BCYOSHD"),
    COIN("UNI", 7.1, 0.25, 150, "BCYOHD"),
    COIN("AAVE", 215, 0.24, 180, "BCYOH"),
    COIN("NEAR", 2.5, 0.26, 140, "BCYOHD"),
    COIN("FIL", 1.8, 0.25, 130, "BCYOSH"),
    COIN("ETC", 17, 0.2, 120, "BCYOSH"),
    COIN("ATOM", 3.1, 0.24, 90, "BCYOH"),
    COIN("APT", 3.6, 0.26, 110, "BCYOH"),
    COIN("ARB", 0.29, 0.27, 120, "BYOH"),
    COIN("OP", 0.44, 0.27, 95, "BYOH"),
    COIN("ENA", 0.36, 0.3, 210, "BYOH"),
    COIN("WLD", 0.82, 0.29, 190, "BYOH"),
    COIN("TAO", 360, 0.26, 140, "BYOH"),
    COIN("PEPE", 0.0000092, 0.3, 320, "BYOH"),
    COIN("SHIB", 0.0000121, 0.26, 150, "BYOHo"),
    COIN("BONK", 0.0000148, 0.3, 110, "BYOH"),
    COIN("FLOKI", 0.000071, 0.29, 60, "BYOH"),
    COIN("SATS", 0.000000024, 0.28, 30, "BYO"),
    COIN("RATS", 0.000021, 0.28, 12, "BY"),
    COIN("BABYDOGE", 0.0000000012, 0.28, 14, "BY"),
    COIN("WIF", 0.58, 0.3, 150, "BYOH"),
    COIN("TRUMP", 6.4, 0.28, 230, "BYOH"),
    COIN("FARTCOIN", 0.44, 0.33, 170, "BYH"),
    COIN("PENGU", 0.017, 0.31, 140, "BYOH"),
    COIN("PUMP", 0.0039, 0.32, 260, "BYOH"),
    COIN("ONDO", 0.72, 0.27, 150, "BYOH"),
    COIN("TIA", 1.05, 0.28, 100, "BYOH"),
    COIN("SEI", 0.19, 0.28, 90, "BYOH"),
    COIN("INJ", 8.4, 0.27, 75, "BYOH"),
    COIN("LDO", 0.95, 0.27, 95, "BYOH"),
    COIN("CRV", 0.55, 0.27, 130, "BYOH"),
    COIN("JUP", 0.34, 0.28, 70, "BYOH"),
    COIN("JTO", 0.9, 0.28, 40, "BYOH"),
    COIN("PYTH", 0.11, 0.28, 40, "BYOH"),
    COIN("STRK", 0.13, 0.29, 45, "BYOH"),
    COIN("ZK", 0.05, 0.29, 30, "BYOH"),
    COIN("ZRO", 1.7, 0.28, 40, "BYOH"),
    COIN("EIGEN", 1.2, 0.29, 60, "BYOH"),
    COIN("ETHFI", 1.1, 0.29, 50, "BYOH"),
    COIN("PENDLE", 3.6, 0.27, 55, "BYOH"),
    COIN("GALA", 0.011, 0.27, 50, "BYOH"),
    COIN("SAND", 0.22, 0.26, 45, "BYOH"),
    COIN("MANA", 0.24, 0.25, 30, "BYO"),
    COIN("AXS", 1.6, 0.26, 28, "BYO"),
    COIN("APE", 0.43, 0.27, 40, "BYOH"),
    COIN("GMT", 0.03, 0.27, 16, "BYOH"),
    COIN("DYDX", 0.39, 0.28, 40, "BYOH"),
    COIN("GMX", 11, 0.25, 22, "BYOH"),
    COIN("SNX", 1.1, 0.3, 35, "BYOH"),
    COIN("COMP", 41, 0.24, 30, "BYOH"),
    COIN("MKR", 1'650, 0.2, 34, "BYOH"),
    COIN("YFI", 4'900, 0.2, 12, "BYO"),
    COIN("SUSHI", 0.6, 0.27, 25, "BYOH"),
    COIN("1INCH", 0.22, 0.26, 18, "BYO"),
    COIN("ALGO", 0.18, 0.25, 60, "BCYIOSH"),
    COIN("XLM", 0.29, 0.24, 120, "BCYIOSH"),
    COIN("HBAR", 0.18, 0.26, 130, "BYOH"),
    COIN("VET", 0.017, 0.25, 35, "BYO"),
    COIN("ICP", 4.9, 0.27, 70, "BCYOSH"),
    COIN("XTZ", 0.57, 0.24, 22, "BCYOS"),
    COIN("EOS", 0.4, 0.24, 18, "CYIS"),
    COIN("THETA", 0.52, 0.26, 20, "BYO"),
    COIN("KAVA", 0.16, 0.26, 8, "BYoh"),
    COIN("BLUR", 0.05, 0.29, 14, "BYOh"),
    COIN("SSV", 5.8, 0.28, 12, "BYo"),
    COIN("DENT", 0.0005, 0.27, 5, "By"),
    COIN("KSM", 13, 0.25, 9, "bYO"),
    COIN("AAPL", 252, 0.06, 24, "x"),
    COIN("TSLA", 430, 0.1, 48, "x"),
    COIN("NVDA", 188, 0.09, 52, "x"),
    COIN("GOLD", 4'050, 0.05, 31, "x"),
    COIN("XYZ100", 25'100, 0.05, 90, "x"),
    COIN("US500", 6'700, 0.04, 14, "k"),
    COIN("SMALL2000", 2'450, 0.06, 3, "k"),
};
const size_t oi_coin_count = OI_COUNT(oi_coins);

bool
oi_coin_trades(const struct oi_coin *coin, char letter)
{
    return strchr(coin->venues, letter) != NULL;
}
