/* SPDX-License-Identifier: Apache-2.0 */
/* What the exchanges list that trade the largest coins alone. */
/* no unit test: half of market.h: market_test drives it */
#include "simulator/catalogue_internal.h"

#include <stdio.h>

#define MAJORS 12

static bool
is_major(const struct oi_coin *coin)
{
    return catalogue_place(coin) < MAJORS;
}

void
catalogue_add_kalshi(struct line line, const struct oi_coin *coin)
{
    char text[16];

    if (is_major(coin)) {
        struct oi_market *perpetual;

        line.product = "perp";
        line.share = 0.002;
        perpetual = catalogue_add(&line, coin, 1);
        catalogue_settle(perpetual, "USD");
        catalogue_size_contract(perpetual);
        (void) snprintf(perpetual->symbol, OI_SYMBOL_SIZE, "KX%sPERP", coin->name);
    }
    if (!oi_coin_trades(coin, 'E') && strcmp(coin->name, "SOL") != 0)
        return;
    line.product = "event";
    for (int step = -2; step <= 2; step++) {
        struct oi_market *market;

        line.share = 0.0001;
        market = catalogue_add(&line, coin, 1);
        catalogue_settle(market, "USD");
        catalogue_date(market, line.expiries, 0);
        market->kind = OI_KIND_EVENT;
        market->interest_places = 2;
        (void) snprintf(market->symbol, OI_SYMBOL_SIZE, "KX%s%s-%s-T%d", coin->name,
                        step == 0 ? "D" : "", catalogue_short_date(market->expiry, text),
                        (int) (coin->price * (1 + 0.1 * step)));
    }
}

/* Linear in contracts of about ten dollars, and inverse where OKX has it so. */
static void
add_pair(struct line *line, const struct oi_coin *coin, const char *linear, const char *inverse,
         int64_t contract_usd)
{
    /* KuCoin writes XBT. */
    const char *name =
        line->venue == OI_VENUE_KUCOIN && strcmp(coin->name, "BTC") == 0 ? "XBT" : coin->name;

    for (int is_inverse = 0; is_inverse < 2; is_inverse++) {
        struct oi_market *market;

        if (is_inverse && !oi_coin_trades(coin, 'S'))
            return;
        line->product = is_inverse ? "inverse" : "linear";
        line->share = is_inverse ? 0.01 : 0.1;
        market = catalogue_add(line, coin, 1);
        if (is_inverse) {
            catalogue_invert(market, contract_usd);
        } else {
            catalogue_settle(market, "USDT");
            catalogue_size_contract(market);
            market->interest_places = 0;
        }
        (void) snprintf(market->base, sizeof(market->base), "%s", name);
        (void) snprintf(market->symbol, OI_SYMBOL_SIZE, "%s%s", name,
                        is_inverse ? inverse : linear);
    }
}

void
catalogue_add_kucoin(struct line line, const struct oi_coin *coin)
{
    if (is_major(coin))
        add_pair(&line, coin, "USDTM", "USDM", 1);
}

void
catalogue_add_mexc(struct line line, const struct oi_coin *coin)
{
    if (is_major(coin))
        add_pair(&line, coin, "_USDT", "_USD", 10);
}

void
catalogue_add_dydx(struct line line, const struct oi_coin *coin)
{
    struct oi_market *market;

    if (!is_major(coin))
        return;
    line.product = "perpetual";
    line.share = 0.02;
    market = catalogue_add(&line, coin, 1);
    catalogue_settle(market, "USD");
    (void) snprintf(market->symbol, OI_SYMBOL_SIZE, "%s-USD", coin->name);
}

void
catalogue_add_cryptocom(struct line line, const struct oi_coin *coin)
{
    char text[16];

    for (unsigned rank = 0; rank < 2; rank++) {
        struct oi_market *market;

        if (!is_major(coin) || (rank > 0 && !oi_coin_trades(coin, 'Q')))
            return;
        line.product = rank > 0 ? "futures" : "perpetual";
        line.share = 0.03;
        market = catalogue_add(&line, coin, 1);
        catalogue_settle(market, "USD");
        if (rank > 0)
            catalogue_date(market, line.expiries, rank - 1);
        (void) snprintf(market->symbol, OI_SYMBOL_SIZE, "%sUSD-%s", coin->name,
                        rank > 0 ? catalogue_short_date(market->expiry, text) : "PERP");
    }
}

void
catalogue_add_coinbase_intl(struct line line, const struct oi_coin *coin)
{
    struct oi_market *market;

    if (!is_major(coin))
        return;
    line.product = "perpetual";
    line.share = 0.05;
    market = catalogue_add(&line, coin, 1);
    catalogue_settle(market, "USDC");
    (void) snprintf(market->symbol, OI_SYMBOL_SIZE, "%s-PERP", coin->name);
}

void
catalogue_add_polymarket(struct line line, const struct oi_coin *coin)
{
    struct oi_market *market;
    char text[16];

    if (!is_major(coin))
        return;
    line.product = "event";
    line.share = 0.0005;
    market = catalogue_add(&line, coin, 1);
    catalogue_settle(market, "USDC");
    catalogue_date(market, line.expiries, 0);
    market->kind = OI_KIND_EVENT;
    market->interest_places = 2;
    (void) snprintf(market->symbol, OI_SYMBOL_SIZE, "what-will-%s-be-on-%s", coin->name,
                    catalogue_short_date(market->expiry, text));
}
