/* SPDX-License-Identifier: Apache-2.0 */
/* The exchanges whose names follow a pattern: a line of a table for each kind of contract. */
/* no unit test: half of market.h: market_test drives it */
#include "simulator/catalogue_internal.h"

#include <stdio.h>

/* In a symbol $B is the coin, $D "261225", $Y "20261225", $M "Z26". */
struct pattern {
    enum oi_venue venue;
    const char *product;
    const char *symbol;
    const char *quote;
    char letter; /* which coins, see coins.c */
    bool is_inverse, is_dated;
    bool says_xbt;        /* for BTC */
    bool has_lots;        /* counted in contracts of some coins */
    int64_t contract_usd; /* inverse, of BTC: the others' is a tenth, at least 1; 0: of coins */
    double share;
};

static const struct pattern patterns[] = {
    { OI_VENUE_BITMEX, "perpetual", "$BUSD", "USD", 'X', .is_inverse = true, .says_xbt = true,
      .contract_usd = 1, .share = 0.03 },
    { OI_VENUE_BITMEX, "perpetual", "$BUSDT", "USDT", 'C', .says_xbt = true, .has_lots = true,
      .share = 0.01 },
    { OI_VENUE_BITMEX, "futures", "$B$M", "USD", 'X', .is_inverse = true, .is_dated = true,
      .says_xbt = true, .contract_usd = 1, .share = 0.03 },
    { OI_VENUE_KRAKEN_FUTURES, "linear", "PF_$BUSD", "USD", 'C', .says_xbt = true, .share = 0.02 },
    { OI_VENUE_KRAKEN_FUTURES, "inverse", "PI_$BUSD", "USD", 'I', .is_inverse = true,
      .says_xbt = true, .contract_usd = 1, .share = 0.005 },
    { OI_VENUE_KRAKEN_FUTURES, "inverse", "FI_$BUSD_$D", "USD", 'E', .is_inverse = true,
      .is_dated = true, .says_xbt = true, .contract_usd = 1, .share = 0.05 },
    { OI_VENUE_GATE, "usdt", "$B_USDT", "USDT", 'C', .has_lots = true, .share = 0.4 },
    { OI_VENUE_GATE, "btc", "$B_USD", "USD", 'X', .is_inverse = true, .contract_usd = 1,
      .share = 0.01 },
    { OI_VENUE_GATE, "delivery", "$B_USDT_$Y", "USDT", 'E', .is_dated = true, .has_lots = true,
      .share = 0.02 },
    { OI_VENUE_BITGET, "usdt_futures", "$BUSDT", "USDT", 'C', .share = 0.4 },
    { OI_VENUE_BITGET, "usdc_futures", "$BPERP", "USDC", 'E', .share = 0.01 },
    { OI_VENUE_BITGET, "coin_futures", "$BUSD", "USD", 'I', .is_inverse = true, .share = 0.02 },
    { OI_VENUE_BITGET, "coin_futures", "$BUSD$M", "USD", 'E', .is_inverse = true, .is_dated = true,
      .share = 0.02 },
    { OI_VENUE_HTX, "linear", "$B-USDT", "USDT", 'C', .has_lots = true, .share = 0.15 },
    { OI_VENUE_HTX, "linear", "$B-USDT-$D", "USDT", 'E', .is_dated = true, .has_lots = true,
      .share = 0.02 },
    { OI_VENUE_HTX, "coin_swap", "$B-USD", "USD", 'S', .is_inverse = true, .contract_usd = 100,
      .share = 0.01 },
    { OI_VENUE_HTX, "coin_futures", "$B$D", "USD", 'E', .is_inverse = true, .is_dated = true,
      .contract_usd = 100, .share = 0.02 },
    { OI_VENUE_BITFINEX, "perpetual", "$BF0:USTF0", "USDT", 'C', .share = 0.04 },
};

static void
spell(const struct pattern *pattern, struct oi_market *market)
{
    static const char months[] = "FGHJKMNQUVXZ";
    const struct oi_civil end = oi_time_to_civil(pattern->is_dated ? market->expiry : 0);
    bool is_xbt = pattern->says_xbt && strcmp(market->coin->name, "BTC") == 0;
    char *out = market->symbol;
    char *limit = out + OI_SYMBOL_SIZE;

    for (const char *in = pattern->symbol; *in; in++) {
        size_t left = (size_t) (limit - out);

        if (*in != '$') {
            *out++ = *in;
            continue;
        }
        in++;
        if (*in == 'B')
            out += snprintf(out, left, "%s", is_xbt ? "XBT" : market->coin->name);
        else if (*in == 'M')
            out += snprintf(out, left, "%c%02d", months[end.month - 1], (int) (end.year % 100));
        else
            out += snprintf(out, left, "%s%02d%02d%02d", *in == 'Y' ? "20" : "",
                            (int) (end.year % 100), end.month, end.day);
    }
    *out = '\0';
    if (is_xbt)
        (void) snprintf(market->base, sizeof(market->base), "XBT");
}

static void
add_pattern(struct line line, const struct pattern *pattern, const struct oi_coin *coin)
{
    bool is_small = strcmp(coin->name, "BTC") != 0 && pattern->contract_usd >= 10;
    int64_t contract = is_small ? pattern->contract_usd / 10 : pattern->contract_usd;

    line.product = pattern->product;
    line.share = pattern->share;
    for (unsigned rank = 0; rank < (pattern->is_dated ? 2 : 1); rank++) {
        struct oi_market *market = catalogue_add(&line, coin, 1);

        catalogue_settle(market, pattern->quote);
        if (pattern->has_lots) {
            catalogue_size_contract(market);
            market->interest_places = 0;
        }
        if (pattern->contract_usd > 0)
            catalogue_invert(market, contract);
        market->is_inverse = pattern->is_inverse;
        if (pattern->is_inverse)
            market->margin = coin->name;
        if (pattern->is_dated)
            catalogue_date(market, line.expiries, rank);
        spell(pattern, market);
    }
}

static void
add_patterns(struct line line, const struct oi_coin *coin)
{
    for (size_t i = 0; i < OI_COUNT(patterns); i++)
        if (patterns[i].venue == line.venue && oi_coin_trades(coin, patterns[i].letter))
            add_pattern(line, &patterns[i], coin);
}

#define PATTERNS(name)                                                                             \
    void catalogue_add_##name(struct line line, const struct oi_coin *coin)                        \
    {                                                                                              \
        add_patterns(line, coin);                                                                  \
    }
PATTERNS(bitmex)
PATTERNS(kraken_futures)
PATTERNS(gate)
PATTERNS(bitget)
PATTERNS(htx)
PATTERNS(bitfinex)
