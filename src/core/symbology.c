/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names in the symbologies of the vendors. What each vendor calls an exchange is one table; the
 * forms of names follow the vendors' pages: Coin Metrics' market ids, Atlas
 * (https://github.com/aperiodic-io/atlas) with its quirks, Kiyotaka's exchange ids.
 */
#include "core/symbology.h"

#include <fnmatch.h>
#include <string.h>

/* Atlas gives the month's first day to Bybit's futures named after the month alone (BTCUSDH26). */
#define MONTH_CODE "[FGHJKMNQUVXZ][0-9][0-9]"

/*
 * Who calls an exchange what. The first row that fits an instrument counts; NULL and UNKNOWN fit
 * anything, a missing name means that the vendor does not carry it. An exchange without a row has
 * its own name at Coin Metrics and none elsewhere. Atlas does not know every exchange that is
 * collected here: the others are named by its pattern.
 */
static const struct venue {
    const char *exchange;
    const char *product;
    enum oi_kind kind;
    enum oi_settlement settlement;
    const char *coinmetrics, *atlas, *kiyotaka, *kwery;
    const char *atlas_dated;   /* of futures, where they have an id of their own */
    bool atlas_margin_is_base; /* whatever the exchange reports */
} venues[] = {
    { .exchange = "binance",
      .product = "usdm",
      .coinmetrics = "binance",
      .atlas = "binance-futures",
      .kiyotaka = "BINANCE_FUTURES",
      .kwery = "binance_futures" },
    { .exchange = "binance",
      .product = "coinm",
      .coinmetrics = "binance",
      .atlas = "binance-futures-cm",
      .kiyotaka = "BINANCE_DELIVERY" },
    { .exchange = "binance", .coinmetrics = "binance" },
    { .exchange = "bybit",
      .kind = OI_KIND_PERPETUAL,
      .coinmetrics = "bybit",
      .atlas = "bybit-perps",
      .kiyotaka = "BYBIT" },
    { .exchange = "bybit",
      .kind = OI_KIND_FUTURE,
      .coinmetrics = "bybit",
      .atlas = "bybit-futures",
      .kiyotaka = "BYBIT" },
    { .exchange = "bybit", .coinmetrics = "bybit", .kiyotaka = "BYBIT" },
    { .exchange = "okx",
      .product = "swap",
      .coinmetrics = "okex",
      .atlas = "okx-perps",
      .kiyotaka = "OKEX_SWAP" },
    { .exchange = "okx",
      .product = "futures",
      .coinmetrics = "okex",
      .atlas = "okx-futures",
      .kiyotaka = "OKEX_FUTURES" },
    { .exchange = "okx", .coinmetrics = "okex" },
    { .exchange = "hyperliquid",
      .product = "perp",
      .coinmetrics = "hyperliquid",
      .atlas = "hyperliquid-perps",
      .kiyotaka = "HYPERLIQUID_FUTURES",
      .kwery = "hyperliquid" },
    { .exchange = "hyperliquid",
      .coinmetrics = "hyperliquid",
      .atlas = "hyperliquid-perps",
      .kiyotaka = "HYPERLIQUID_HIP3" },
    { .exchange = "deribit",
      .coinmetrics = "deribit",
      .atlas = "deribit",
      .kiyotaka = "DERIBIT",
      .atlas_margin_is_base = true },
    { .exchange = "bitmex", .coinmetrics = "bitmex", .atlas = "bitmex", .kiyotaka = "BITMEX" },
    { .exchange = "kalshi", .kind = OI_KIND_EVENT, .kwery = "kalshi" },
    { .exchange = "htx",
      .settlement = OI_SETTLEMENT_LINEAR,
      .coinmetrics = "huobi",
      .atlas = "htx-perps",
      .kiyotaka = "HUOBI_DM_LINEAR_SWAP",
      .atlas_dated = "htx-futures" },
    { .exchange = "htx",
      .kind = OI_KIND_PERPETUAL,
      .coinmetrics = "huobi",
      .atlas = "htx-perps",
      .kiyotaka = "HUOBI_DM_SWAP" },
    { .exchange = "htx",
      .coinmetrics = "huobi",
      .kiyotaka = "HUOBI_DM",
      .atlas_dated = "htx-futures" },
    { .exchange = "kraken_futures",
      .coinmetrics = "kraken",
      .atlas = "kraken-perps",
      .atlas_dated = "kraken-futures" },
    { .exchange = "bitfinex",
      .coinmetrics = "bitfinex",
      .atlas = "bitfinex-perps",
      .kiyotaka = "BITFINEX_DERIVATIVES" },
    { .exchange = "gate",
      .coinmetrics = "gate.io",
      .atlas = "gate-perps",
      .kiyotaka = "GATE_IO_FUTURES",
      .atlas_dated = "gate-futures" },
    { .exchange = "bitget",
      .coinmetrics = "bitget",
      .atlas = "bitget-perps",
      .kiyotaka = "BITGET",
      .atlas_dated = "bitget-futures" },
    { .exchange = "cme", .coinmetrics = "cme", .kiyotaka = "CME", .atlas_dated = "cme-futures" },
    { .exchange = "cryptocom",
      .coinmetrics = "crypto.com",
      .atlas = "cryptocom-perps",
      .atlas_dated = "cryptocom-futures" },
    { .exchange = "coinbase_intl",
      .coinmetrics = "coinbase_international",
      .atlas = "coinbase-international-perps" },
    { .exchange = "coinbase_cde",
      .coinmetrics = "coinbase_derivatives",
      .atlas = "coinbase-derivatives-perps",
      .atlas_dated = "coinbase-derivatives-futures" },
    { .exchange = "dydx", .coinmetrics = "dydx", .atlas = "dydx-perps" },
    { .exchange = "ftx", .coinmetrics = "ftx", .atlas = "ftx-perps", .atlas_dated = "ftx-futures" },
    { .exchange = "kucoin",
      .coinmetrics = "kucoin",
      .atlas = "kucoin-perps",
      .atlas_dated = "kucoin-futures" },
    { .exchange = "mexc",
      .coinmetrics = "mexc",
      .atlas = "mexc-perps",
      .atlas_dated = "mexc-futures" },
};

static const struct venue *
find_venue(const struct oi_instrument *instrument)
{
    for (size_t i = 0; i < OI_COUNT(venues); i++) {
        const struct venue *venue = &venues[i];

        if (strcmp(venue->exchange, instrument->exchange) == 0 &&
            (!venue->product || strcmp(venue->product, instrument->product) == 0) &&
            (!venue->kind || venue->kind == instrument->kind) &&
            (!venue->settlement || venue->settlement == instrument->settlement))
            return venue;
    }
    return NULL;
}

/* A name that grows; what does not fit makes it useless as a whole. */
struct name {
    char *text;
    size_t size;
    bool is_cut;
};

static struct name
begin(char text[OI_MARKET_NAME_SIZE])
{
    text[0] = '\0';
    return (struct name){ .text = text };
}

static void
add_slice(struct name *name, struct oi_slice part)
{
    if (name->is_cut || part.size >= OI_MARKET_NAME_SIZE - name->size) {
        name->is_cut = true;
        return;
    }
    memcpy(name->text + name->size, part.data, part.size);
    name->size += part.size;
    name->text[name->size] = '\0';
}

static void
add(struct name *name, const char *part)
{
    add_slice(name, oi_slice_of(part));
}

static void
add_upper(struct name *name, struct oi_slice part)
{
    size_t start = name->size;

    add_slice(name, part);
    for (size_t i = start; i < name->size; i++)
        if (name->text[i] >= 'a' && name->text[i] <= 'z')
            name->text[i] = (char) (name->text[i] - 'a' + 'A');
}

static bool
finish(struct name *name)
{
    if (name->is_cut)
        name->text[0] = '\0';
    return !name->is_cut;
}

/* The name as a whole, or none. */
static bool
give(const char *found, char name[OI_MARKET_NAME_SIZE])
{
    struct name whole = begin(name);

    if (found)
        add(&whole, found);
    return found && finish(&whole);
}

bool
oi_native_name(const struct oi_instrument *instrument, char name[OI_MARKET_NAME_SIZE])
{
    struct name whole = begin(name);

    add(&whole, instrument->exchange);
    add(&whole, ":");
    add(&whole, instrument->product);
    add(&whole, ":");
    add(&whole, instrument->symbol);
    return finish(&whole);
}

bool
oi_coinmetrics_exchange(const struct oi_instrument *instrument, char name[OI_MARKET_NAME_SIZE])
{
    const struct venue *venue = find_venue(instrument);

    /* An id ends at the first "-", so a name with one is none. */
    if (instrument->kind == OI_KIND_EVENT || strchr(instrument->exchange, '-'))
        return give(NULL, name);
    return give(venue ? venue->coinmetrics : instrument->exchange, name);
}

/* Ours of CME's have the year's two digits, theirs one: BTCZ26 is BTCZ6. */
static void
add_coinmetrics_symbol(struct name *name, const struct oi_instrument *instrument)
{
    struct oi_slice head = oi_slice_of(instrument->symbol);

    if (strcmp(instrument->exchange, "cme") != 0 ||
        fnmatch("[!-]*" MONTH_CODE, instrument->symbol, 0) != 0 ||
        memchr(head.data, '-', head.size)) {
        add(name, instrument->symbol);
        return;
    }
    head.size -= 2;
    add_slice(name, head);
    add(name, instrument->symbol + head.size + 1);
}

bool
oi_coinmetrics_market(const struct oi_instrument *instrument, char name[OI_MARKET_NAME_SIZE])
{
    struct name whole = begin(name);

    if (!oi_coinmetrics_exchange(instrument, name))
        return false;
    whole.size = strlen(name);
    add(&whole, "-");
    add_coinmetrics_symbol(&whole, instrument);
    add(&whole, instrument->kind == OI_KIND_OPTION ? "-option" : "-future");
    return finish(&whole);
}

static bool
is_atlas_kind(const struct oi_instrument *instrument)
{
    return instrument->kind == OI_KIND_PERPETUAL || instrument->kind == OI_KIND_FUTURE;
}

/* What Atlas' pattern calls the exchange of such an instrument, or NULL. */
static const char *
atlas_id(const struct venue *venue, const struct oi_instrument *instrument)
{
    if (!venue || !is_atlas_kind(instrument))
        return NULL;
    return instrument->kind == OI_KIND_FUTURE && venue->atlas_dated ? venue->atlas_dated
                                                                    : venue->atlas;
}

bool
oi_atlas_exchange_is_known(struct oi_slice name)
{
    /* Of markets that have no open interest. */
    static const char *const spot[] = { "binance-spot", "bybit-spot", "okx-spot",
                                        "hyperliquid-spot" };

    for (size_t i = 0; i < OI_COUNT(spot); i++)
        if (oi_slice_is(name, spot[i]))
            return true;
    for (size_t i = 0; i < OI_COUNT(venues); i++)
        if ((venues[i].atlas && oi_slice_is(name, venues[i].atlas)) ||
            (venues[i].atlas_dated && oi_slice_is(name, venues[i].atlas_dated)))
            return true;
    return false;
}

bool
oi_atlas_exchange(const struct oi_instrument *instrument, char name[OI_MARKET_NAME_SIZE])
{
    const struct venue *venue = find_venue(instrument);

    /* Options are left out of its map, their names do not tell strikes apart. */
    return give(atlas_id(venue, instrument), name);
}

/* The base as the exchange writes it, with its multiple: 1000PEPE, 1MBABYDOGE, SHIB1000. */
static struct oi_slice
written_base(const struct oi_instrument *instrument)
{
    const char *symbol = instrument->symbol;
    const char *coin = strstr(symbol, instrument->base);
    size_t size = strlen(instrument->base);

    if (strcmp(instrument->exchange, "hyperliquid") == 0)
        return oi_slice_of(symbol);
    if (instrument->base_factor == 1 || !coin)
        return oi_slice_of(instrument->base);
    if (coin > symbol)
        return (struct oi_slice){ symbol, (size_t) (coin - symbol) + size };
    return (struct oi_slice){ symbol, size + strspn(symbol + size, "01") };
}

/* Atlas resolves a margin that the exchange does not report: these quotes are linear. */
static bool
is_linear_quote(struct oi_slice quote)
{
    static const char *const quotes[] = { "USDT", "USDC", "BUSD", "TUSD", "USDP", "FDUSD", "DAI",
                                          "EUR",  "GBP",  "AUD",  "TRY",  "KRW",  "GUSD",  "CNHT" };

    for (size_t i = 0; i < OI_COUNT(quotes); i++)
        if (oi_slice_is(quote, quotes[i]))
            return true;
    return false;
}

static struct oi_slice
atlas_margin(const struct oi_instrument *instrument, const struct venue *venue,
             struct oi_slice base, struct oi_slice quote)
{
    if (venue->atlas_margin_is_base)
        return base;
    if (instrument->margin[0] != '\0')
        return oi_slice_of(instrument->margin);
    if (instrument->settlement == OI_SETTLEMENT_LINEAR || is_linear_quote(quote))
        return quote;
    return base;
}

/* `-20260327`; asks for an expiry. */
static void
add_atlas_date(struct name *name, const struct oi_instrument *instrument)
{
    struct oi_civil date = oi_time_to_civil(instrument->expiry);
    char text[9];
    int number;

    if (strcmp(instrument->exchange, "bybit") == 0 &&
        fnmatch("*" MONTH_CODE, instrument->symbol, 0) == 0)
        date.day = 1;
    number = (date.year * 100 + date.month) * 100 + date.day;
    text[0] = '-';
    for (size_t i = 8; i > 0; i--) {
        text[i] = (char) ('0' + number % 10);
        number /= 10;
    }
    add_slice(name, (struct oi_slice){ text, sizeof(text) });
}

bool
oi_atlas_symbol(const struct oi_instrument *instrument, char name[OI_MARKET_NAME_SIZE])
{
    const struct venue *venue = find_venue(instrument);
    struct name whole = begin(name);
    struct oi_slice base = written_base(instrument);
    struct oi_slice quote = oi_slice_of(instrument->quote);
    bool is_dated = instrument->kind == OI_KIND_FUTURE;
    const char *suffix;

    if (!atlas_id(venue, instrument) || base.size == 0 || quote.size == 0 ||
        (is_dated && instrument->expiry == OI_TIME_NONE))
        return false;
    /* Spot markets of Hyperliquid are called @N. */
    if (base.data[0] == '@')
        return false;
    /* OKX's quote may end in _UM or _UM_XPERP. */
    suffix = strstr(instrument->quote, "_UM");
    if (suffix)
        quote.size = (size_t) (suffix - instrument->quote);
    add(&whole, is_dated ? "future-" : "perpetual-");
    add_upper(&whole, base);
    add(&whole, "-");
    add_upper(&whole, quote);
    add(&whole, ":");
    add_upper(&whole, atlas_margin(instrument, venue, base, quote));
    if (is_dated)
        add_atlas_date(&whole, instrument);
    return finish(&whole);
}

/* Kiyotaka's name of the kind, or NULL. */
static const char *
kiyotaka_kind(enum oi_kind kind)
{
    switch (kind) {
    case OI_KIND_PERPETUAL:
        return "PERPETUAL";
    case OI_KIND_FUTURE:
        return "FUTURE";
    case OI_KIND_OPTION:
        return "OPTION";
    case OI_KIND_UNKNOWN:
    case OI_KIND_EVENT:
        break;
    }
    return NULL;
}

bool
oi_kiyotaka_exchange(const struct oi_instrument *instrument, char name[OI_MARKET_NAME_SIZE])
{
    const struct venue *venue = find_venue(instrument);

    return give(venue && kiyotaka_kind(instrument->kind) ? venue->kiyotaka : NULL, name);
}

bool
oi_kiyotaka_normalized(const struct oi_instrument *instrument, char name[OI_MARKET_NAME_SIZE])
{
    struct name whole = begin(name);

    if (instrument->base[0] == '\0' || instrument->quote[0] == '\0')
        return false;
    add_upper(&whole, oi_slice_of(instrument->base));
    add(&whole, "-");
    add_upper(&whole, oi_slice_of(instrument->quote));
    return finish(&whole);
}

bool
oi_kiyotaka_category(const struct oi_instrument *instrument, char name[OI_MARKET_NAME_SIZE])
{
    return give(kiyotaka_kind(instrument->kind), name);
}

bool
oi_kwery_source(const struct oi_instrument *instrument, char name[OI_MARKET_NAME_SIZE])
{
    const struct venue *venue = find_venue(instrument);

    return give(venue ? venue->kwery : NULL, name);
}

bool
oi_kwery_is_main(const struct oi_instrument *instrument)
{
    const struct venue *venue = find_venue(instrument);

    if (!venue || !venue->kwery || instrument->kind != OI_KIND_PERPETUAL)
        return false;
    return strcmp(instrument->exchange, "binance") != 0 || strcmp(instrument->quote, "USDT") == 0;
}

/*
 * Which product a symbol belongs to, where only a Coin Metrics market id is known. The first row
 * that fits counts.
 */
static const struct product_rule {
    const char *exchange; /* NULL: any */
    bool is_option;
    const char *pattern; /* as fnmatch has it */
    const char *product;
} product_rules[] = {
    { "binance", false, "*USD_*", "coinm" },
    { "binance", false, "*", "usdm" },
    { "bybit", false, "*USDT*", "linear" },
    { "bybit", false, "*USDC*", "linear" },
    { "bybit", false, "*PERP", "linear" },
    /* BTC-27MAR26: USDC-settled futures from before they were named after their quote. */
    { "bybit", false, "*-[0-9]*", "linear" },
    { "bybit", false, "*", "inverse" },
    { "okx", false, "*-SWAP", "swap" },
    { "deribit", false, "*_USDC-*", "linear" },
    { "deribit", false, "*_USDT-*", "linear" },
    { "deribit", false, "*", "inverse" },
    { "hyperliquid", false, "*:*", "hip3" },
    { "hyperliquid", false, "*", "perp" },
    { "kraken_futures", false, "[PF]I_*", "inverse" },
    { "kraken_futures", false, "[PF]F_*", "linear" },
    { "htx", false, "*-USDT*", "linear" },
    { "htx", false, "*-USD", "coin_swap" },
    { "htx", false, "*", "coin_futures" },
    { "bitfinex", false, "*", "perpetual" },
    { "gate", false, "*_USDT_[0-9]*", "delivery" },
    { "gate", false, "*_USD", "btc" },
    { "gate", false, "*", "usdt" },
    { "bitget", false, "*PERP", "usdc_futures" },
    { "bitget", false, "*USDC*", "usdc_futures" },
    { "bitget", false, "*USDT*", "usdt_futures" },
    { "bitget", false, "*", "coin_futures" },
    { "bitmex", false, "*" MONTH_CODE, "futures" },
    { "bitmex", false, "*", "perpetual" },
    { "coinbase_intl", false, "*", "perpetual" },
    { "cryptocom", false, "*-PERP", "perpetual" },
    { "dydx", false, "*", "perpetual" },
    { "kucoin", false, "*USD[TC]M", "linear" },
    { "kucoin", false, "*", "inverse" },
    { "mexc", false, "*_USD", "inverse" },
    { "mexc", false, "*", "linear" },
    { NULL, false, "*", "futures" },
    { NULL, true, "*", "option" },
};

static enum oi_status
set_product(struct oi_instrument *instrument, struct oi_error *error)
{
    struct oi_slice product = {};

    for (size_t i = 0; i < OI_COUNT(product_rules); i++) {
        const struct product_rule *rule = &product_rules[i];

        if ((rule->exchange && strcmp(rule->exchange, instrument->exchange) != 0) ||
            rule->is_option != (instrument->kind == OI_KIND_OPTION) ||
            fnmatch(rule->pattern, instrument->symbol, 0) != 0)
            continue;
        product = oi_slice_of(rule->product);
        break;
    }
    return OI_NAME_SET(instrument->product, product, error);
}

/* Our name of the exchange that Coin Metrics calls so; its own where there is no other. */
static struct oi_slice
exchange_of(struct oi_slice coinmetrics)
{
    for (size_t i = 0; i < OI_COUNT(venues); i++)
        if (venues[i].coinmetrics && oi_slice_is(coinmetrics, venues[i].coinmetrics))
            return oi_slice_of(venues[i].exchange);
    return coinmetrics;
}

enum oi_status
oi_coinmetrics_market_parse(struct oi_slice market, struct oi_instrument *ret_instrument,
                            struct oi_error *error)
{
    struct oi_instrument instrument = OI_INSTRUMENT_NONE;
    const char *dash = market.size ? memchr(market.data, '-', market.size) : NULL;
    struct oi_slice exchange, symbol;
    size_t type_size = sizeof("-future") - 1; /* "-option" is as long */

    if (oi_slice_ends_with(market, "-option"))
        instrument.kind = OI_KIND_OPTION;
    else if (!oi_slice_ends_with(market, "-future"))
        return oi_fail(error, OI_E_INVALID, "a market that ends neither in -future nor in -option");
    exchange = (struct oi_slice){ market.data, (size_t) (dash - market.data) };
    if (market.size < exchange.size + 1 + type_size + 1)
        return oi_fail(error, OI_E_INVALID, "a market without a symbol");
    symbol = (struct oi_slice){ dash + 1, market.size - exchange.size - 1 - type_size };
    for (size_t i = 0; i < exchange.size; i++)
        if (exchange.data[i] >= 'A' && exchange.data[i] <= 'Z')
            return oi_fail(error, OI_E_INVALID, "an exchange that is not in lower case");
    OI_TRY(OI_NAME_SET(instrument.exchange, exchange_of(exchange), error));
    OI_TRY(OI_NAME_SET(instrument.symbol, symbol, error));
    OI_TRY(set_product(&instrument, error));
    instrument.is_provisional = true;
    *ret_instrument = instrument;
    return OI_OK;
}
