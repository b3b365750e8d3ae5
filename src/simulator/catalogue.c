/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is listed at an instant: the table of coins spelled as each exchange does, with dated
 * contracts that roll as theirs do.
 */
/* no unit test: half of market.h: market_test drives it */
#include "simulator/catalogue_internal.h"

#include <stdio.h>

/* Perpetuals were all listed by then; dated contracts are for so long. */
#define LISTED_FIRST (INT64_C(1'569'398'400) * OI_SECOND)
#define QUARTER_LISTED_NS (190 * OI_DAY)
#define MONTH_LISTED_NS (75 * OI_DAY)

static oi_time
last_friday(oi_time month_start)
{
    oi_time day = oi_month_next(month_start) - OI_DAY;
    int64_t weekday = (day / OI_DAY + 4) % 7; /* 1970 began on a Thursday; Sunday is 0 */

    return day - ((weekday + 2) % 7) * OI_DAY + 8 * OI_HOUR;
}

oi_time
oi_expiry_after(oi_time now, bool quarterly)
{
    struct oi_civil civil = oi_time_to_civil(now);
    oi_time month = oi_month_start(civil.year, civil.month);

    for (;; month = oi_month_next(month)) {
        oi_time expiry = last_friday(month);

        if (expiry > now && (!quarterly || oi_time_to_civil(month).month % 3 == 0))
            return expiry;
    }
}

static int
price_places(double price)
{
    static const double steps[] = { 1'000, 10, 1, 0.1, 0.01, 0.001, 0.000'1 };
    int places = 2;

    for (size_t i = 0; i < OI_COUNT(steps); i++, places++)
        if (price >= steps[i])
            return places;
    return 13;
}

static int
interest_places(double price)
{
    return price >= 1'000 ? 3 : price >= 10 ? 2 : price >= 1 ? 1 : 0;
}

size_t
catalogue_place(const struct oi_coin *coin)
{
    size_t place = 0;

    while (place < oi_coin_count && &oi_coins[place] != coin)
        place++;
    return place;
}

struct oi_market *
catalogue_add(const struct line *line, const struct oi_coin *coin, int64_t factor)
{
    struct oi_market *market = oi_vector_add(&line->catalogue->markets);
    double unit = coin->price * (double) factor;

    market->venue = line->venue;
    market->product = line->product;
    market->share = line->share;
    market->coin = coin;
    market->factor = factor;
    market->kind = OI_KIND_PERPETUAL;
    market->family = "";
    /* Days apart, so that the listings differ. */
    market->listed = LISTED_FIRST + (int64_t) catalogue_place(coin) * 17 * OI_DAY + 8 * OI_HOUR;
    market->expiry = OI_TIME_NONE;
    market->contract = oi_decimal_from(1, 0);
    market->price_places = price_places(unit);
    market->interest_places = interest_places(unit);
    (void) snprintf(market->base, sizeof(market->base), "%s", coin->name);
    return market;
}

void
catalogue_date(struct oi_market *market, const struct expiries *expiries, unsigned rank)
{
    market->kind = OI_KIND_FUTURE;
    market->expiry = expiries->times[rank];
    market->rank = rank;
    market->listed = market->expiry - (rank == 2 ? MONTH_LISTED_NS : QUARTER_LISTED_NS);
    market->share *= rank == 0 ? 0.05 : 0.02;
}

void
catalogue_invert(struct oi_market *market, int64_t contract_usd)
{
    market->is_inverse = true;
    market->quote = "USD";
    market->margin = market->coin->name;
    market->contract = oi_decimal_from(contract_usd, 0);
    market->interest_places = 0;
}

void
catalogue_settle(struct oi_market *market, const char *quote)
{
    market->quote = quote;
    market->margin = quote;
}

/* "261225" */
const char *
catalogue_short_date(oi_time time, char text[16])
{
    struct oi_civil civil = oi_time_to_civil(time);

    (void) snprintf(text, 16, "%02d%02d%02d", (int) (civil.year % 100), civil.month, civil.day);
    return text;
}

/* "25DEC26" */
const char *
catalogue_spoken_date(oi_time time, char text[16])
{
    static const char months[] = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
    struct oi_civil civil = oi_time_to_civil(time);

    (void) snprintf(text, 16, "%d%.3s%02d", civil.day, months + ((size_t) civil.month - 1) * 3,
                    (int) (civil.year % 100));
    return text;
}

/* Coins too small to be written are traded by the thousand or more. */
static int64_t
factor_of(const struct oi_coin *coin)
{
    return coin->price < 0.000'000'01 ? 1'000'000 : coin->price < 0.000'1 ? 1'000 : 1;
}

static void
set_multiple(struct oi_market *market, enum oi_venue venue)
{
    const char *name = market->coin->name;
    size_t size = sizeof(market->base);

    if (market->factor == 1)
        return;
    if (market->factor == 1'000'000)
        (void) snprintf(market->base, size, "1M%s", name);
    else if (venue == OI_VENUE_HYPERLIQUID)
        (void) snprintf(market->base, size, "k%s", name);
    else if (venue == OI_VENUE_BYBIT && strcmp(name, "SHIB") == 0) /* the one that has it behind */
        (void) snprintf(market->base, size, "%s1000", name);
    else
        (void) snprintf(market->base, size, "1000%s", name);
}

static void
add_option(const struct line *line, const struct oi_coin *coin, unsigned rank, int64_t strike,
           enum oi_option_side side)
{
    struct oi_market *market = catalogue_add(line, coin, 1);
    double distance = (double) strike / coin->price - 1;
    char text[16];

    catalogue_date(market, line->expiries, rank);
    market->kind = OI_KIND_OPTION;
    market->quote = coin->name;
    market->margin = coin->name;
    market->family = coin->name;
    market->is_quoted_in_coins = true;
    market->strike = strike;
    market->side = side;
    market->interest_places = 1;
    /* Most is held a little out of the money. */
    if ((distance < 0) == (side == OI_OPTION_CALL))
        market->share /= 4;
    (void) snprintf(market->symbol, OI_SYMBOL_SIZE, "%s-%s-%lld-%c", coin->name,
                    catalogue_spoken_date(market->expiry, text), (long long) strike,
                    side == OI_OPTION_CALL ? 'C' : 'P');
}

/* Binance's are contracts of a coin that settle in tether, of two expiries. */
static void
add_binance_options(struct line line, const struct oi_coin *coin)
{
    int64_t step = coin->price > 10'000 ? 10'000 : 500;
    int64_t middle = (int64_t) coin->price / step * step;
    char text[16];

    line.product = "option";
    line.share = 0.03;
    for (unsigned rank = 0; rank < 2; rank++) {
        for (int64_t strike = middle - step; strike <= middle + 2 * step; strike += step) {
            for (int side = 0; side < 2; side++) {
                struct oi_market *market;

                add_option(&line, coin, rank, strike, side ? OI_OPTION_PUT : OI_OPTION_CALL);
                market = &line.catalogue->markets.items[line.catalogue->markets.count - 1];
                catalogue_settle(market, "USDT");
                market->is_quoted_in_coins = false;
                market->interest_places = 2;
                (void) snprintf(market->symbol, OI_SYMBOL_SIZE, "%s-%s-%lld-%c", coin->name,
                                catalogue_short_date(market->expiry, text), (long long) strike,
                                side ? 'P' : 'C');
            }
        }
    }
}

void
catalogue_add_binance(struct line line, const struct oi_coin *coin)
{
    char text[16];
    struct oi_market *market;

    if (oi_coin_trades(coin, 'E'))
        add_binance_options(line, coin);
    line.product = "usdm";
    if (oi_coin_trades(coin, 'B') || oi_coin_trades(coin, 'b')) {
        line.share = 1;
        market = catalogue_add(&line, coin, factor_of(coin));
        catalogue_settle(market, "USDT");
        set_multiple(market, line.venue);
        market->is_zero = oi_coin_trades(coin, 'b');
        (void) snprintf(market->symbol, OI_SYMBOL_SIZE, "%sUSDT", market->base);
    }
    for (unsigned rank = 0; rank < 2 && oi_coin_trades(coin, 'Q'); rank++) {
        market = catalogue_add(&line, coin, 1);
        catalogue_settle(market, "USDT");
        catalogue_date(market, line.expiries, rank);
        (void) snprintf(market->symbol, OI_SYMBOL_SIZE, "%sUSDT_%s", coin->name,
                        catalogue_short_date(market->expiry, text));
    }
    line.product = "coinm";
    line.share = 0.12;
    for (unsigned rank = 0; rank < 3 && oi_coin_trades(coin, 'C'); rank++) {
        if (rank > 0 && !oi_coin_trades(coin, 'Q'))
            break;
        market = catalogue_add(&line, coin, 1);
        catalogue_invert(market, strcmp(coin->name, "BTC") == 0 ? 100 : 10);
        if (rank > 0)
            catalogue_date(market, line.expiries, rank - 1);
        (void) snprintf(market->symbol, OI_SYMBOL_SIZE, "%sUSD_%s", coin->name,
                        rank > 0 ? catalogue_short_date(market->expiry, text) : "PERP");
    }
}

/* Bybit's are contracts of a coin that settle in tether. */
static void
add_bybit_options(struct line line, const struct oi_coin *coin)
{
    int64_t step = coin->price > 10'000 ? 10'000 : coin->price > 1'000 ? 500 : 20;
    int64_t middle = (int64_t) coin->price / step * step;
    char text[16];

    line.product = "option";
    line.share = 0.05;
    for (int64_t strike = middle - step; strike <= middle + 2 * step; strike += step) {
        for (int side = 0; side < 2; side++) {
            struct oi_market *market;

            add_option(&line, coin, 0, strike, side ? OI_OPTION_PUT : OI_OPTION_CALL);
            market = &line.catalogue->markets.items[line.catalogue->markets.count - 1];
            catalogue_settle(market, "USDT");
            market->is_quoted_in_coins = false;
            (void) snprintf(market->symbol, OI_SYMBOL_SIZE, "%s-%s-%lld-%c-USDT", coin->name,
                            catalogue_spoken_date(market->expiry, text), (long long) strike,
                            side ? 'P' : 'C');
        }
    }
}

void
catalogue_add_bybit(struct line line, const struct oi_coin *coin)
{
    static const char quarters[] = "HMUZ";
    char text[16];
    struct oi_market *market;

    if (oi_coin_trades(coin, 'E') || strcmp(coin->name, "SOL") == 0)
        add_bybit_options(line, coin);
    line.product = "linear";
    if (oi_coin_trades(coin, 'Y') || oi_coin_trades(coin, 'y')) {
        line.share = 0.27;
        market = catalogue_add(&line, coin, factor_of(coin));
        catalogue_settle(market, "USDT");
        set_multiple(market, line.venue);
        market->is_zero = oi_coin_trades(coin, 'y');
        (void) snprintf(market->symbol, OI_SYMBOL_SIZE, "%sUSDT", market->base);
    }
    for (unsigned rank = 0; rank < 3 && oi_coin_trades(coin, 'Q'); rank++) {
        line.share = rank > 0 ? 0.27 : 0.01;
        market = catalogue_add(&line, coin, 1);
        catalogue_settle(market, rank > 0 ? "USDT" : "USDC");
        if (rank > 0)
            catalogue_date(market, line.expiries, rank - 1);
        (void) snprintf(market->symbol, OI_SYMBOL_SIZE, rank > 0 ? "%sUSDT-%s" : "%sPERP%s",
                        coin->name, rank > 0 ? catalogue_spoken_date(market->expiry, text) : "");
    }
    line.product = "inverse";
    line.share = 0.03;
    for (unsigned rank = 0; rank < 3 && oi_coin_trades(coin, 'I'); rank++) {
        struct oi_civil end = oi_time_to_civil(line.expiries->times[rank > 0 ? rank - 1 : 0]);

        if (rank > 0 && !oi_coin_trades(coin, 'Q'))
            break;
        market = catalogue_add(&line, coin, 1);
        catalogue_invert(market, 1);
        if (rank > 0)
            catalogue_date(market, line.expiries, rank - 1);
        text[0] = '\0';
        if (rank > 0)
            (void) snprintf(text, sizeof(text), "%c%02d", quarters[(end.month - 1) / 3],
                            (int) (end.year % 100));
        (void) snprintf(market->symbol, OI_SYMBOL_SIZE, "%sUSD%s", coin->name, text);
    }
}

/* A contract is worth about ten dollars, as a power of ten of coins. */
void
catalogue_size_contract(struct oi_market *market)
{
    int exponent = 0;
    double price = market->coin->price;

    while (price > 100) {
        price /= 10;
        exponent--;
    }
    while (price < 5) {
        price *= 10;
        exponent++;
    }
    market->contract = oi_decimal_from(1, exponent);
    market->interest_places = 2;
}

/* OKX's are contracts of a hundredth of a bitcoin or a tenth of the others. */
static void
add_okx_options(struct line line, const struct oi_coin *coin)
{
    bool is_bitcoin = strcmp(coin->name, "BTC") == 0;
    int64_t step = is_bitcoin ? 10'000 : 500;
    int64_t middle = (int64_t) coin->price / step * step;
    char text[16];

    line.product = "option";
    line.share = 0.1;
    for (int64_t strike = middle - step; strike <= middle + 2 * step; strike += step) {
        for (int side = 0; side < 2; side++) {
            struct oi_market *market;

            add_option(&line, coin, 0, strike, side ? OI_OPTION_PUT : OI_OPTION_CALL);
            market = &line.catalogue->markets.items[line.catalogue->markets.count - 1];
            market->contract = oi_decimal_from(1, is_bitcoin ? -2 : -1);
            market->interest_places = 0;
            market->family = is_bitcoin ? "BTC-USD" : "ETH-USD";
            (void) snprintf(market->symbol, OI_SYMBOL_SIZE, "%s-USD-%s-%lld-%c", coin->name,
                            catalogue_short_date(market->expiry, text), (long long) strike,
                            side ? 'P' : 'C');
        }
    }
}

void
catalogue_add_okx(struct line line, const struct oi_coin *coin)
{
    char text[16];

    if (oi_coin_trades(coin, 'E'))
        add_okx_options(line, coin);
    for (unsigned rank = 0; rank < 3; rank++) {
        bool is_dated = rank > 0;

        if (is_dated && !oi_coin_trades(coin, 'Q'))
            return;
        line.product = is_dated ? "futures" : "swap";
        for (int inverse = 0; inverse < 2; inverse++) {
            struct oi_market *market;

            if (inverse ? !oi_coin_trades(coin, 'S')
                        : !oi_coin_trades(coin, 'O') && !oi_coin_trades(coin, 'o'))
                continue;
            line.share = inverse ? 0.07 : 0.35;
            market = catalogue_add(&line, coin, 1);
            market->is_zero = !inverse && oi_coin_trades(coin, 'o');
            if (inverse) {
                catalogue_invert(market, strcmp(coin->name, "BTC") == 0 ? 100 : 10);
            } else {
                catalogue_settle(market, "USDT");
                catalogue_size_contract(market);
            }
            if (is_dated)
                catalogue_date(market, line.expiries, rank - 1);
            (void) snprintf(market->symbol, OI_SYMBOL_SIZE, "%s-%s-%s", coin->name, market->quote,
                            is_dated ? catalogue_short_date(market->expiry, text) : "SWAP");
        }
    }
}

void
catalogue_add_hyperliquid(struct line line, const struct oi_coin *coin)
{
    const char *dex = oi_coin_trades(coin, 'x') ? "xyz" : oi_coin_trades(coin, 'k') ? "km" : "";
    struct oi_market *market;

    if (!dex[0] && !oi_coin_trades(coin, 'H') && !oi_coin_trades(coin, 'h'))
        return;
    line.product = dex[0] ? "hip3" : "perp";
    line.share = dex[0] ? 1 : 0.4;
    market = catalogue_add(&line, coin, factor_of(coin));
    catalogue_settle(market, strcmp(dex, "km") == 0 ? "USDH" : "USDC");
    set_multiple(market, line.venue);
    market->family = dex;
    market->is_zero = oi_coin_trades(coin, 'h');
    market->interest_places = market->interest_places + (market->interest_places > 0 ? 2 : 0);
    (void) snprintf(market->symbol, OI_SYMBOL_SIZE, "%s%s%s", dex, dex[0] ? ":" : "", market->base);
}

static void
add_deribit_coin(struct line line, const struct oi_coin *coin)
{
    char text[16];
    bool is_bitcoin = strcmp(coin->name, "BTC") == 0;
    int64_t step = is_bitcoin ? 10'000 : 500;

    line.product = "inverse";
    line.share = 0.09;
    for (unsigned rank = 0; rank <= line.expiries->count; rank++) {
        struct oi_market *market = catalogue_add(&line, coin, 1);

        catalogue_invert(market, is_bitcoin ? 10 : 1);
        market->family = coin->name;
        if (rank > 0)
            catalogue_date(market, line.expiries, rank - 1);
        (void) snprintf(market->symbol, OI_SYMBOL_SIZE, "%s-%s", coin->name,
                        rank > 0 ? catalogue_spoken_date(market->expiry, text) : "PERPETUAL");
    }
    line.product = "option";
    line.share = 0.5;
    for (unsigned rank = 0; rank < line.expiries->count; rank++) {
        int64_t middle = (int64_t) coin->price / step * step;

        for (int64_t strike = middle - 3 * step; strike <= middle + 4 * step; strike += step) {
            add_option(&line, coin, rank, strike, OI_OPTION_CALL);
            add_option(&line, coin, rank, strike, OI_OPTION_PUT);
        }
    }
}

void
catalogue_add_deribit(struct line line, const struct oi_coin *coin)
{
    struct oi_market *market;

    if (oi_coin_trades(coin, 'E'))
        add_deribit_coin(line, coin);
    if (!oi_coin_trades(coin, 'D'))
        return;
    line.product = "linear";
    line.share = 0.02;
    market = catalogue_add(&line, coin, 1);
    catalogue_settle(market, "USDC");
    market->family = "USDC";
    /* Counted in contracts, told in coins. */
    catalogue_size_contract(market);
    market->interest_places = 0;
    (void) snprintf(market->symbol, OI_SYMBOL_SIZE, "%s_USDC-PERPETUAL", coin->name);
}

/* What an exchange still shows and nobody may take for a market. */
static void
add_oddity(struct line line, const char *symbol, enum oi_market_state state)
{
    struct oi_market *market = catalogue_add(&line, &oi_coins[oi_coin_count - 1], 1);

    catalogue_settle(market, line.venue == OI_VENUE_HYPERLIQUID ? "USDC" : "USDT");
    market->state = state;
    (void) snprintf(market->symbol, OI_SYMBOL_SIZE, "%s", symbol);
    (void) snprintf(market->base, sizeof(market->base), "%.*s", (int) strcspn(symbol, "-"), symbol);
    if (oi_slice_ends_with(oi_slice_of(market->base), "USDT"))
        market->base[strlen(market->base) - strlen("USDT")] = '\0';
}

static struct expiries
expiries_at(oi_time now)
{
    struct expiries expiries = { .count = 2 };
    oi_time month = oi_expiry_after(now, false);

    expiries.times[0] = oi_expiry_after(now, true);
    expiries.times[1] = oi_expiry_after(expiries.times[0], true);
    if (month < expiries.times[0])
        expiries.times[expiries.count++] = month;
    return expiries;
}

void
oi_catalogue_add(struct oi_catalogue *catalogue, const struct oi_coin *coins, size_t count,
                 oi_time now)
{
    struct expiries expiries = expiries_at(now);
    struct line line = { .catalogue = catalogue, .expiries = &expiries };

    for (size_t i = 0; i < OI_VENUE_COUNT; i++) {
        static void (*const adders[])(struct line line, const struct oi_coin *coin) = {
#define OI_VENUE(upper, name) [OI_VENUE_##upper] = catalogue_add_##name,
#include "simulator/venues.def"
#undef OI_VENUE
        };

        line.venue = (enum oi_venue) i;
        for (size_t coin = 0; coin < count; coin++)
            adders[i](line, &coins[coin]);
    }
}

void
oi_catalogue_build(struct oi_catalogue *catalogue, oi_time now)
{
    struct expiries expiries = expiries_at(now);
    struct line line = { .catalogue = catalogue, .expiries = &expiries };

    oi_vector_clear(&catalogue->markets);
    oi_catalogue_add(catalogue, oi_coins, oi_coin_count, now);
    line.venue = OI_VENUE_BINANCE;
    line.product = "usdm";
    add_oddity(line, "GONEUSDT", OI_MARKET_DELISTED);
    add_oddity(line, "SOONUSDT", OI_MARKET_PENDING);
    line.venue = OI_VENUE_HYPERLIQUID;
    line.product = "perp";
    add_oddity(line, "MATIC", OI_MARKET_DELISTED);
    line.venue = OI_VENUE_OKX;
    line.product = "swap";
    add_oddity(line, "TESTME-USDT-SWAP", OI_MARKET_TEST);
    catalogue->valid = (struct oi_span){ now, oi_expiry_after(now, false) };
}

void
oi_catalogue_release(struct oi_catalogue *catalogue)
{
    oi_vector_release(&catalogue->markets);
}

const struct oi_market *
oi_catalogue_find(const struct oi_catalogue *catalogue, enum oi_venue venue, struct oi_slice symbol)
{
    for (size_t i = 0; i < catalogue->markets.count; i++) {
        const struct oi_market *market = &catalogue->markets.items[i];

        if (market->venue == venue && oi_slice_is(symbol, market->symbol))
            return market;
    }
    return NULL;
}
