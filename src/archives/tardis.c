/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tardis' datasets derivative_ticker and options_chain: rows of one exchange instant, stamped in
 * microseconds with the exchange's time and with the time they arrived at Tardis, which is when
 * they were known. Open interest stays in the exchange's own unit, so a row is taken only where
 * that unit is known.
 */
#include "archives/archive_internal.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

/* Which market a symbol of theirs is. The first row that fits counts. */
static const struct venue {
    const char *tardis;
    const char *exchange, *product;
    const char *pattern; /* of the symbol, as fnmatch has it; NULL: any */
} venues[] = {
    { "binance-futures", "binance", "usdm", NULL },
    { "binance-delivery", "binance", "coinm", NULL },
    { "binance-european-options", "binance", "option", NULL },
    { "bitfinex-derivatives", "bitfinex", "perpetual", NULL },
    { "bitmex", "bitmex", "futures", "*[FGHJKMNQUVXZ][0-9][0-9]" },
    { "bitmex", "bitmex", "perpetual", NULL },
    { "bybit", "bybit", "linear", "*USDT*" },
    { "bybit", "bybit", "linear", "*USDC*" },
    { "bybit", "bybit", "linear", "*PERP" },
    { "bybit", "bybit", "linear", "*-[0-9]*" },
    { "bybit", "bybit", "inverse", NULL },
    { "bybit-options", "bybit", "option", NULL },
    { "coinbase-international", "coinbase_intl", "perpetual", NULL },
    { "cryptofacilities", "kraken_futures", "inverse", "[PF]I_*" },
    { "cryptofacilities", "kraken_futures", "linear", "[PF]F_*" },
    { "deribit", "deribit", "option", "*-[CP]" },
    { "deribit", "deribit", "linear", "*_USD[CT]-*" },
    { "deribit", "deribit", "inverse", NULL },
    { "dydx-v4", "dydx", "perpetual", NULL },
    { "ftx", "ftx", "futures", NULL },
    { "huobi-dm", "htx", "coin_futures", NULL },
    { "huobi-dm-swap", "htx", "coin_swap", NULL },
    { "huobi-dm-linear-swap", "htx", "linear", NULL },
    { "hyperliquid", "hyperliquid", "hip3", "*:*" },
    { "hyperliquid", "hyperliquid", "perp", NULL },
    { "okex-swap", "okx", "swap", NULL },
    { "okex-futures", "okx", "futures", NULL },
    { "okex-options", "okx", "option", NULL },
};

enum column {
    EXCHANGE,
    SYMBOL,
    TIME,
    LOCAL_TIME,
    OPEN_INTEREST,
    NEEDED, /* up to here */
    MARK_PRICE = NEEDED,
    LAST_PRICE,
    INDEX_PRICE,
    UNDERLYING_PRICE,
    COLUMNS,
};

static const char *const column_names[COLUMNS] = {
    [EXCHANGE] = "exchange",
    [SYMBOL] = "symbol",
    [TIME] = "timestamp",
    [LOCAL_TIME] = "local_timestamp",
    [OPEN_INTEREST] = "open_interest",
    [MARK_PRICE] = "mark_price",
    [LAST_PRICE] = "last_price",
    [INDEX_PRICE] = "index_price",
    [UNDERLYING_PRICE] = "underlying_price",
};

struct state {
    size_t columns[COLUMNS];
};

static enum oi_status
begin(struct oi_reader *reader, const struct oi_record *header, struct oi_error *error)
{
    struct state state, *kept;

    for (size_t i = 0; i < COLUMNS; i++) {
        if (i < NEEDED)
            OI_TRY(oi_reader_need(header, column_names[i], &state.columns[i], error));
        else
            state.columns[i] = oi_reader_column(header, column_names[i]);
    }
    kept = oi_alloc(sizeof(*kept));
    *kept = state;
    oi_reader_set_state(reader, kept);
    return OI_OK;
}

static const struct venue *
venue_of(struct oi_slice exchange, struct oi_slice symbol)
{
    char name[OI_SYMBOL_SIZE];

    (void) snprintf(name, sizeof(name), "%.*s", OI_SLICE_ARGS(symbol));
    for (size_t i = 0; i < OI_COUNT(venues); i++)
        if (oi_slice_is(exchange, venues[i].tardis) &&
            (!venues[i].pattern || fnmatch(venues[i].pattern, name, 0) == 0))
            return &venues[i];
    return NULL;
}

static enum oi_status
read(struct oi_reader *reader, const struct oi_record *record, struct oi_error *error)
{
    static const struct oi_time_style microseconds = { .format = OI_TIME_FORMAT_US };
    const struct state *state = oi_reader_state(reader);
    struct oi_archive_row row = { .line = record->line, .reading = OI_OBSERVATION_NONE };
    struct oi_observation *reading = &row.reading;
    struct oi_field fields[COLUMNS];
    const struct oi_field *index;
    const struct venue *venue;

    for (size_t i = 0; i < COLUMNS; i++)
        fields[i] = oi_field_of(record, state->columns[i], column_names[i]);
    venue = venue_of(fields[EXCHANGE].text, fields[SYMBOL].text);
    if (!venue) {
        oi_reader_refuse(reader, &fields[EXCHANGE],
                         "an exchange whose unit is not known here: import it as csv with --unit");
        return OI_OK;
    }
    /* An option's row has the price of its underlying instead of an index. */
    index = &fields[fields[INDEX_PRICE].text.size > 0 ? INDEX_PRICE : UNDERLYING_PRICE];
    if (!oi_reader_time(reader, &fields[TIME], &microseconds, &reading->time) ||
        !oi_reader_time(reader, &fields[LOCAL_TIME], &microseconds, &reading->known_time) ||
        !oi_reader_market_by_key(reader, &fields[SYMBOL], venue->exchange, venue->product,
                                 &row.market) ||
        !oi_reader_figure(reader, &fields[OPEN_INTEREST], &reading->open_interest) ||
        !oi_reader_decimal(reader, &fields[MARK_PRICE], &reading->mark_price) ||
        !oi_reader_decimal(reader, &fields[LAST_PRICE], &reading->last_price) ||
        !oi_reader_decimal(reader, index, &reading->index_price))
        return OI_OK;
    reading->exchange_time = reading->time;
    return oi_reader_take(reader, &row, error);
}

/*
 * Units and sides, from each exchange's own documentation; Amberdata publishes the same native
 * units for these feeds. Rows of one instant follow each other as they arrived: the feed restates.
 */
#define TARDIS "https://docs.tardis.dev/downloadable-csv-files#derivative_ticker"
#define FACT(of_product, of_sides, of_unit)                                                        \
    {                                                                                              \
        .product = (of_product), .feed = "archive:tardis", .sides = (of_sides), .unit = (of_unit), \
        .restates = true, .evidence = TARDIS                                                       \
    }

static const struct oi_convention binance[] = {
    FACT("usdm", 1, OI_UNIT_COINS),
    FACT("coinm", 1, OI_UNIT_CONTRACTS),
    FACT("option", 1, OI_UNIT_CONTRACTS),
};
static const struct oi_convention bitfinex[] = { FACT(NULL, 1, OI_UNIT_COINS) };
static const struct oi_convention bitmex[] = { FACT(NULL, 1, OI_UNIT_CONTRACTS) };
static const struct oi_convention bybit[] = {
    FACT("linear", 2, OI_UNIT_COINS),
    FACT("inverse", 2, OI_UNIT_USD),
    FACT("option", 0, OI_UNIT_COINS),
};
static const struct oi_convention coinbase_intl[] = { FACT(NULL, 1, OI_UNIT_COINS) };
static const struct oi_convention deribit[] = {
    FACT("inverse", 1, OI_UNIT_USD),
    FACT("linear", 1, OI_UNIT_COINS),
    FACT("option", 1, OI_UNIT_COINS),
};
static const struct oi_convention dydx[] = { FACT(NULL, 1, OI_UNIT_COINS) };
static const struct oi_convention ftx[] = { FACT(NULL, 0, OI_UNIT_COINS) };
static const struct oi_convention htx[] = {
    FACT("coin_futures", 2, OI_UNIT_CONTRACTS),
    FACT("coin_swap", 1, OI_UNIT_CONTRACTS),
    FACT("linear", 2, OI_UNIT_CONTRACTS),
};
static const struct oi_convention hyperliquid[] = { FACT(NULL, 2, OI_UNIT_COINS) };
static const struct oi_convention kraken_futures[] = {
    FACT("inverse", 1, OI_UNIT_USD),
    FACT("linear", 1, OI_UNIT_COINS),
};
static const struct oi_convention okx[] = { FACT(NULL, 1, OI_UNIT_CONTRACTS) };

#define PAGE(name)                                                                                 \
    {                                                                                              \
        .exchange = #name, .conventions = name, .count = OI_COUNT(name)                            \
    }
static const struct oi_convention_page pages[] = {
    PAGE(binance),       PAGE(bitfinex),    PAGE(bitmex),         PAGE(bybit),
    PAGE(coinbase_intl), PAGE(deribit),     PAGE(dydx),           PAGE(ftx),
    PAGE(htx),           PAGE(hyperliquid), PAGE(kraken_futures), PAGE(okx),
};

const struct oi_archive oi_archive_tardis = {
    .name = "tardis",
    .full_name = "Tardis derivative_ticker and options_chain",
    .feed = "archive:tardis",
    .restates = true,
    .pages = pages,
    .page_count = OI_COUNT(pages),
    .begin = begin,
    .read = read,
    .end = oi_free,
};
