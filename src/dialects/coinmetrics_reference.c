/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reference data of the Coin Metrics dialect: markets with their terms, the exchanges, assets and
 * pairs they are made of, and the 17 metrics. All of it is a list of names in bytewise order, made
 * at once from the catalogue, then cut into pages.
 */
#include "dialects/coinmetrics_internal.h"

#include "base/crypto.h"
#include "core/symbology.h"

#include <stdlib.h>
#include <string.h>

enum list { LIST_MARKETS, LIST_EXCHANGES, LIST_ASSETS, LIST_PAIRS, LIST_METRICS, LIST_NOTHING };

/* The last part of the path, what it lists, the key of its rows and the parameter that names some.
 */
static const struct list_kind {
    const char *path;
    const char *parameter;
    const char *key;
    enum list list;
    bool is_of_markets; /* metrics: those of single markets only */
} list_kinds[] = {
    { "markets", "markets", "market", LIST_MARKETS, false },
    { "exchanges", "exchanges", "exchange", LIST_EXCHANGES, false },
    { "assets", "assets", "asset", LIST_ASSETS, false },
    { "pairs", "pairs", "pair", LIST_PAIRS, false },
    { "asset-metrics", "metrics", "metric", LIST_METRICS, false },
    { "exchange-metrics", "metrics", "metric", LIST_METRICS, false },
    { "exchange-asset-metrics", "metrics", "metric", LIST_METRICS, false },
    { "exchange-pair-metrics", "metrics", "metric", LIST_METRICS, false },
    { "pair-metrics", "metrics", "metric", LIST_METRICS, false },
    { "institution-metrics", "metrics", "metric", LIST_NOTHING, false },
    { "market-metrics", "metrics", "metric", LIST_METRICS, true },
};

/* Rows of one piece of an answer. */
#define PIECE_ROWS 256

static const struct oi_parameter parameters[] = {
    { "api_key", 0 },
    { "markets", 0 },
    { "exchanges", 0 },
    { "assets", 0 },
    { "pairs", 0 },
    { "metrics", 0 },
    { "exchange", 0 },
    { "type", 0 },
    { "base", 0 },
    { "quote", 0 },
    { "asset", 0 },
    { "symbol", 0 },
    { "asset_class", 0 },
    { "source_type", 0 },
    { "cusip", 0 },
    { "figi", 0 },
    { "isin", 0 },
    { "include", 0 },
    { "exclude", 0 },
    { "limit", 0 },
    { "reviewable", 0 },
    { "page_size", 0 },
    { "paging_from", 0 },
    { "pretty", 0 },
    { "format", 0 },
    { "next_page_token", 0 },
    COINMETRICS_PARAMETERS_OF_ALL,
};

static const struct list_kind *
find_kind(struct oi_slice path)
{
    for (size_t i = 0; i < OI_COUNT(list_kinds); i++) {
        size_t size = strlen(list_kinds[i].path);

        if (oi_slice_ends_with(path, list_kinds[i].path) && path.size > size &&
            path.data[path.size - size - 1] == '/')
            return &list_kinds[i];
    }
    return &list_kinds[0];
}

/* Tokens are the vendor's: the next name in base64url. The name goes into `echo`. */
static enum oi_status
read_next_name(const struct oi_http_request *request, struct oi_query *query,
               struct oi_problem *problem)
{
    struct oi_slice value = oi_text_value(request, "next_page_token");
    struct oi_buffer text = { .size_max = OI_MARKET_NAME_SIZE };
    bool is_good;

    if (value.size == 0 || query->format == COINMETRICS_FORMAT_JSON_STREAM)
        return OI_OK;
    is_good = value.size < 2 * OI_MARKET_NAME_SIZE && oi_unbase64(value, &text, NULL) == OI_OK &&
              text.size > 0 && !memchr(text.data, '\0', text.size);
    if (is_good)
        query->echo = oi_arena_copy(&query->arena, oi_buffer_slice(&text));
    oi_buffer_release(&text);
    return is_good ? OI_OK : coinmetrics_not_supported(problem, "next_page_token", value);
}

/* What we have is digital assets on exchanges, without numbers of securities. */
static bool
asks_for_others(const struct oi_http_request *request)
{
    struct oi_slice class = oi_text_value(request, "asset_class");
    struct oi_slice source = oi_text_value(request, "source_type");

    return (class.size > 0 && !oi_slice_is(class, "digital")) ||
           (source.size > 0 && !oi_slice_is(source, "exchange")) ||
           oi_text_value(request, "cusip").size > 0 || oi_text_value(request, "figi").size > 0 ||
           oi_text_value(request, "isin").size > 0;
}

enum oi_status
coinmetrics_parse_reference(const struct oi_call *, const struct oi_http_request *request,
                            struct oi_query *query, struct oi_problem *problem)
{
    const struct list_kind *kind = find_kind(request->path);
    size_t page;

    OI_TRY(OI_TEXT_PARAMETERS(request, parameters, problem));
    query->kind = kind->list >= LIST_METRICS ? OI_QUERY_NONE : OI_QUERY_MARKETS;
    if (kind->list == LIST_MARKETS) {
        OI_TRY(coinmetrics_read_markets(request, query, problem));
        if (query->selectors.count == 0)
            coinmetrics_select_all(request, query);
        OI_TRY(coinmetrics_read_filters(request, query, problem));
        query->is_one_list = true;
        if (asks_for_others(request))
            query->variant = COINMETRICS_VARIANT_NOTHING;
    } else if (query->kind == OI_QUERY_MARKETS) {
        (void) oi_query_select(query, OI_SYMBOLOGY_COINMETRICS);
    }
    OI_TRY(coinmetrics_read_form(request, false, false, query, problem));
    OI_TRY(read_next_name(request, query, problem));
    /* The page is cut from the finished list. */
    page = query->limit;
    query->limit = 0;
    query->number = (int64_t) page;
    if (query->variant == COINMETRICS_VARIANT_NOTHING)
        query->kind = OI_QUERY_NONE;
    return OI_OK;
}

/* `include` or `exclude`: of what there is to tell about a market we have one thing. */
static enum oi_status
read_parts(const struct oi_http_request *request, const char *name, bool *ret_is_named,
           struct oi_problem *problem)
{
    static const char *const words[] = { "trades",        "orderbooks",   "quotes",
                                         "funding_rates", "openinterest", "liquidations" };
    struct oi_slice rest = oi_text_value(request, name), part;

    while (rest.size > 0 && oi_slice_next_part(&rest, ',', &part)) {
        bool is_known = false;

        for (size_t i = 0; i < OI_COUNT(words); i++)
            is_known = is_known || oi_slice_is(part, words[i]);
        if (!is_known)
            return coinmetrics_not_supported(problem, name, part);
        *ret_is_named = *ret_is_named || oi_slice_is(part, "openinterest");
    }
    return OI_OK;
}

enum oi_status
coinmetrics_parse_old_markets(const struct oi_call *call, const struct oi_http_request *request,
                              struct oi_query *query, struct oi_problem *problem)
{
    bool is_included = oi_text_value(request, "include").size == 0, is_excluded = false;
    size_t limit = 0;

    OI_TRY(coinmetrics_parse_reference(call, request, query, problem));
    OI_TRY(read_parts(request, "include", &is_included, problem));
    OI_TRY(read_parts(request, "exclude", &is_excluded, problem));
    if (!oi_slice_is(oi_text_value(request, "limit"), "none"))
        OI_TRY(coinmetrics_read_count(request, "limit", 100, &limit, problem));
    query->number = (int64_t) limit;
    query->from_end = false;
    query->echo = NULL;
    query->wants_extents = true;
    query->recorded_only = true;
    if (query->variant == COINMETRICS_VARIANT_NOTHING)
        return OI_OK;
    query->variant =
        is_included && !is_excluded ? COINMETRICS_VARIANT_RECORDED : COINMETRICS_VARIANT_UNPAGED;
    return OI_OK;
}

/*
 * The list.
 */

struct entry {
    const char *name;
    const struct oi_instrument *instrument;  /* markets */
    oi_time first, last;                     /* of the first catalogue; else NONE */
    const struct coinmetrics_metric *metric; /* metrics */
};

struct reference {
    const struct list_kind *kind;
    struct entry *entries; /* all, then those of the page: [at, to) */
    size_t count, at, to;
    const char *next; /* the name the next page begins with, or NULL */
    struct oi_time_writer time;
};

static void
add_entry(struct reference *reference, struct entry entry)
{
    if (entry.name[0])
        reference->entries[reference->count++] = entry;
}

static const char *
lower(struct oi_arena *arena, const char *text)
{
    char *copy = oi_arena_copy(arena, oi_slice_of(text));

    for (char *at = copy; *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char) (*at - 'A' + 'a');
    return copy;
}

static void
add_names(struct reference *reference, struct oi_arena *arena, const struct oi_market *market)
{
    const struct oi_instrument *instrument = market->instrument;
    const char *base = lower(arena, instrument->base), *quote = lower(arena, instrument->quote);
    char name[OI_MARKET_NAME_SIZE];

    /* What Coin Metrics has no name for is none of its exchanges' markets. */
    if (!oi_coinmetrics_market(instrument, name))
        return;
    switch (reference->kind->list) {
    case LIST_MARKETS:
        add_entry(reference, (struct entry){ .name = oi_arena_copy(arena, oi_slice_of(name)),
                                             .instrument = instrument,
                                             .first = market->first,
                                             .last = market->last });
        return;
    case LIST_EXCHANGES:
        (void) oi_coinmetrics_exchange(instrument, name);
        add_entry(reference, (struct entry){ .name = oi_arena_copy(arena, oi_slice_of(name)) });
        return;
    case LIST_ASSETS:
        add_entry(reference, (struct entry){ .name = base });
        add_entry(reference, (struct entry){ .name = quote });
        return;
    case LIST_PAIRS:
        if (base[0] && quote[0])
            add_entry(reference,
                      (struct entry){ .name = oi_arena_format(arena, "%s-%s", base, quote) });
        return;
    case LIST_METRICS:
    case LIST_NOTHING:
        return;
    }
}

static int
compare_entries(const void *left, const void *right)
{
    return strcmp(((const struct entry *) left)->name, ((const struct entry *) right)->name);
}

/* A symbol listed twice is one market here, as its last listing is. */
static void
drop_repeats(struct reference *reference)
{
    size_t kept = 0;

    for (size_t i = 0; i < reference->count; i++) {
        struct entry *last = kept > 0 ? &reference->entries[kept - 1] : NULL;

        if (!last || strcmp(last->name, reference->entries[i].name) != 0)
            reference->entries[kept++] = reference->entries[i];
        else if (last->instrument && last->instrument->is_delisted)
            *last = reference->entries[i];
    }
    reference->count = kept;
}

/* Leave the names of the parameter's list; one that is not there is a problem. */
static enum oi_status
keep_asked(struct oi_rendering *rendering, struct reference *reference)
{
    const struct list_kind *kind = reference->kind;
    struct oi_slice rest = oi_text_value(rendering->request, kind->parameter), part;
    struct oi_arena *arena = &rendering->reply->arena;
    bool *is_asked = oi_arena_alloc_zero(arena, reference->count + 1, sizeof(*is_asked));
    size_t kept = 0, parts = 0;

    if (rest.size == 0 || kind->list == LIST_MARKETS)
        return OI_OK;
    while (rest.size > 0 && oi_slice_next_part(&rest, ',', &part)) {
        struct entry wanted = { .name = oi_arena_copy(arena, part) };
        struct entry *found =
            bsearch(&wanted, reference->entries, reference->count, sizeof(wanted), compare_entries);

        if (!found || ++parts > OI_PARAMETER_VALUES_MAX)
            return coinmetrics_not_supported(rendering->problem, kind->parameter, part);
        is_asked[found - reference->entries] = true;
    }
    for (size_t i = 0; i < reference->count; i++)
        if (is_asked[i])
            reference->entries[kept++] = reference->entries[i];
    reference->count = kept;
    return OI_OK;
}

/* The page: from the token's name on, in the direction of paging. */
static void
cut_page(const struct oi_query *query, struct reference *reference)
{
    size_t page = query->number > 0 ? (size_t) query->number : reference->count;

    reference->to = reference->count;
    if (query->echo && query->from_end)
        while (reference->to > 0 &&
               strcmp(reference->entries[reference->to - 1].name, query->echo) > 0)
            reference->to--;
    if (query->echo && !query->from_end)
        while (reference->at < reference->to &&
               strcmp(reference->entries[reference->at].name, query->echo) < 0)
            reference->at++;
    if (reference->to - reference->at <= page)
        return;
    if (query->from_end) {
        reference->at = reference->to - page;
        reference->next = reference->entries[reference->at - 1].name;
        return;
    }
    reference->to = reference->at + page;
    reference->next = reference->entries[reference->to].name;
}

/* The markets of the answer; those with extents know them once their block has been pulled. */
static enum oi_status
add_markets(struct oi_rendering *rendering, struct reference *reference, struct oi_error *error)
{
    struct oi_result *result = rendering->result;
    struct oi_arena *arena = &rendering->reply->arena;
    const struct oi_block *block;

    if (!result)
        return OI_OK;
    for (size_t i = 0; !rendering->query->wants_extents && i < result->market_count; i++)
        add_names(reference, arena, &result->markets[i]);
    while (rendering->query->wants_extents) {
        OI_TRY(oi_result_next(result, &block, error));
        if (!block)
            break;
        if (block->market->first != OI_TIME_NONE)
            add_names(reference, arena, block->market);
    }
    return OI_OK;
}

static enum oi_status
make_list(struct oi_rendering *rendering, struct reference *reference, struct oi_error *error)
{
    const struct oi_result *result = rendering->result;
    struct oi_arena *arena = &rendering->reply->arena;
    size_t room = 2 * (result ? result->market_count : 0) + COINMETRICS_METRIC_COUNT;

    reference->kind = find_kind(rendering->request->path);
    reference->entries = oi_arena_alloc_zero(arena, room, sizeof(struct entry));
    if (reference->kind->list == LIST_METRICS) {
        for (size_t i = 0; i < COINMETRICS_METRIC_COUNT; i++)
            if (!reference->kind->is_of_markets || coinmetrics_metrics[i].is_of_markets)
                add_entry(reference, (struct entry){ .name = coinmetrics_metrics[i].name,
                                                     .metric = &coinmetrics_metrics[i] });
    } else {
        OI_TRY(add_markets(rendering, reference, error));
    }
    if (reference->count > 1)
        qsort(reference->entries, reference->count, sizeof(struct entry), compare_entries);
    drop_repeats(reference);
    OI_TRY(keep_asked(rendering, reference));
    cut_page(rendering->query, reference);
    return OI_OK;
}

/*
 * Rows.
 */

/* One row being written. */
struct row {
    struct oi_buffer *out;
    bool is_pretty, has_members;
};

static void
add_name(struct row *row, const char *name)
{
    oi_buffer_add_text(row->out, row->has_members ? "," : "");
    oi_buffer_add_text(row->out, row->is_pretty ? "\n      \"" : "\"");
    oi_buffer_add_text(row->out, name);
    oi_buffer_add_text(row->out, row->is_pretty ? "\": " : "\":");
    row->has_members = true;
}

static void
add_string(struct row *row, const char *name, const char *value)
{
    add_name(row, name);
    oi_json_quote(row->out, oi_slice_of(value));
}

static void
add_word(struct row *row, const char *name, const char *value)
{
    add_name(row, name);
    oi_buffer_add_text(row->out, value);
}

/* Left out where there is none. */
static void
add_decimal(struct row *row, const char *name, const struct oi_decimal *value)
{
    char text[OI_DECIMAL_TEXT_SIZE];

    if (oi_decimal_is_none(value))
        return;
    (void) oi_decimal_print(value, text);
    add_string(row, name, text);
}

static void
add_time(struct row *row, const char *name, oi_time time, struct oi_time_writer *writer)
{
    if (time == OI_TIME_NONE)
        return;
    add_name(row, name);
    oi_buffer_add_char(row->out, '"');
    oi_text_add_time(writer, time, 9, row->out);
    oi_buffer_add_char(row->out, '"');
}

/* What one contract's size counts; NULL where it has no fixed size (quanto). */
static const char *
size_asset(const struct oi_instrument *instrument)
{
    if (instrument->kind == OI_KIND_OPTION || instrument->settlement == OI_SETTLEMENT_LINEAR)
        return instrument->base;
    return instrument->settlement == OI_SETTLEMENT_INVERSE ? instrument->quote : NULL;
}

static void
add_market(struct row *row, const struct oi_instrument *instrument, struct oi_arena *arena,
           struct oi_time_writer *writer)
{
    const char *base = lower(arena, instrument->base), *quote = lower(arena, instrument->quote);
    const char *size = size_asset(instrument);
    bool is_option = instrument->kind == OI_KIND_OPTION;
    char exchange[OI_MARKET_NAME_SIZE];

    (void) oi_coinmetrics_exchange(instrument, exchange);
    add_string(row, "exchange", exchange);
    add_string(row, "type", is_option ? "option" : "future");
    if (base[0] && quote[0]) {
        add_string(row, "base", base);
        add_string(row, "quote", quote);
        add_string(row, "pair", oi_arena_format(arena, "%s-%s", base, quote));
    } else {
        add_word(row, "base", "null");
        add_word(row, "quote", "null");
        add_word(row, "pair", "null");
    }
    add_string(row, "symbol", instrument->symbol);
    if (size && size[0])
        add_string(row, "size_asset", lower(arena, size));
    if (instrument->margin[0])
        add_string(row, "margin_asset", lower(arena, instrument->margin));
    add_decimal(row, "contract_size", &instrument->contract_size);
    add_time(row, "listing", instrument->listed, writer);
    add_time(row, "expiration", instrument->expiry, writer);
    if (is_option) {
        add_decimal(row, "strike", &instrument->strike);
        if (instrument->option_side != OI_OPTION_NONE)
            add_string(row, "option_contract_type",
                       instrument->option_side == OI_OPTION_CALL ? "call" : "put");
        /* Every exchange collected here lists European options alone. */
        add_word(row, "is_european", "true");
    }
    add_string(row, "status", instrument->is_delisted ? "offline" : "online");
}

/* Names in full of the exchanges and the assets that most markets are made of; the others are
 * called by their id. */
static const char *
full_name(struct oi_slice id, struct oi_arena *arena, bool is_asset)
{
    static const struct {
        const char *id, *name;
    } names[] = {
        { "ada", "Cardano" },
        { "avax", "Avalanche" },
        { "binance", "Binance" },
        { "bitfinex", "Bitfinex" },
        { "bitget", "Bitget" },
        { "bitmex", "BitMEX" },
        { "bnb", "BNB" },
        { "btc", "Bitcoin" },
        { "bybit", "Bybit" },
        { "coinbase_international", "Coinbase International" },
        { "crypto.com", "Crypto.com" },
        { "deribit", "Deribit" },
        { "doge", "Dogecoin" },
        { "dot", "Polkadot" },
        { "dydx", "dYdX" },
        { "eth", "Ethereum" },
        { "eur", "Euro" },
        { "gate.io", "Gate.io" },
        { "huobi", "Huobi" },
        { "hyperliquid", "Hyperliquid" },
        { "kraken", "Kraken" },
        { "kucoin", "KuCoin" },
        { "link", "Chainlink" },
        { "ltc", "Litecoin" },
        { "mexc", "MEXC" },
        { "okex", "OKEx" },
        { "shib", "Shiba Inu" },
        { "sol", "Solana" },
        { "usd", "US Dollar" },
        { "usdc", "USD Coin" },
        { "usdt", "Tether" },
        { "xrp", "XRP" },
    };

    for (size_t i = 0; i < OI_COUNT(names); i++)
        if (oi_slice_is(id, names[i].id))
            return names[i].name;
    return is_asset ? oi_text_upper(arena, id) : oi_arena_copy(arena, id);
}

static const char *
full_name_of(const struct entry *entry, enum list list, struct oi_arena *arena)
{
    struct oi_slice rest = oi_slice_of(entry->name), base;
    const char *dash = strchr(entry->name, '-');

    if (list != LIST_PAIRS || !dash)
        return full_name(rest, arena, list == LIST_ASSETS);
    base = (struct oi_slice){ entry->name, (size_t) (dash - entry->name) };
    return oi_arena_format(arena, "%s-%s", full_name(base, arena, true),
                           full_name(oi_slice_of(dash + 1), arena, true));
}

static void
add_metric(struct row *row, const struct coinmetrics_metric *metric, struct oi_arena *arena)
{
    bool is_option = metric->measure.kinds == 1u << OI_KIND_OPTION;

    add_string(row, "full_name", metric->full_name);
    add_string(row, "description",
               oi_arena_format(arena,
                               "%s, as the exchanges report it: a snapshot at the "
                               "row's time, not an average.",
                               metric->full_name));
    add_string(row, "product", "Market Data");
    add_string(row, "category", "Open Interest");
    add_string(row, "subcategory", is_option ? "Option" : "Future");
    add_string(row, "unit", "USD");
    add_string(row, "data_type", "decimal");
    add_string(row, "type", "Sum");
    add_string(row, "display_name", metric->full_name);
}

/* What the first catalogue tells of a market's open interest. */
static void
add_recorded(struct row *row, const struct entry *entry, struct oi_time_writer *writer)
{
    struct row inner = { .out = row->out };

    add_name(row, "openinterest");
    oi_buffer_add_char(row->out, '{');
    add_time(&inner, "min_time", entry->first, writer);
    add_time(&inner, "max_time", entry->last, writer);
    oi_buffer_add_char(row->out, '}');
}

static void
add_row(struct oi_rendering *rendering, struct reference *reference, const struct entry *entry,
        struct oi_buffer *out)
{
    bool is_stream = rendering->query->format == COINMETRICS_FORMAT_JSON_STREAM;
    struct row row = { .out = out, .is_pretty = rendering->query->is_pretty };
    struct oi_arena arena = {};

    if (rendering->row_count++ > 0 && !is_stream)
        oi_buffer_add_char(out, ',');
    oi_buffer_add_text(out, row.is_pretty ? "\n    {" : "{");
    add_string(&row, reference->kind->key, entry->name);
    if (rendering->query->wants_extents) {
        add_time(&row, "min_time", entry->first, &reference->time);
        add_time(&row, "max_time", entry->last, &reference->time);
    }
    if (entry->instrument)
        add_market(&row, entry->instrument, &arena, &reference->time);
    else if (entry->metric)
        add_metric(&row, entry->metric, &arena);
    else
        add_string(&row, "full_name", full_name_of(entry, reference->kind->list, &arena));
    if (rendering->query->variant == COINMETRICS_VARIANT_RECORDED)
        add_recorded(&row, entry, &reference->time);
    oi_buffer_add_text(out, row.is_pretty ? "\n    }" : is_stream ? "}\n" : "}");
    oi_arena_release(&arena);
}

static void
finish(const struct oi_rendering *rendering, const struct reference *reference,
       struct oi_buffer *out)
{
    struct oi_buffer token = {};

    /* The first catalogue has no pages. */
    if (reference->next && !rendering->query->wants_extents)
        oi_base64url(oi_slice_of(reference->next), &token);
    if (rendering->query->format == COINMETRICS_FORMAT_JSON)
        coinmetrics_end_list(rendering, oi_buffer_slice(&token), out);
    oi_buffer_release(&token);
}

enum oi_status
coinmetrics_render_reference(struct oi_rendering *rendering, struct oi_buffer *out,
                             bool *ret_is_last, struct oi_error *error)
{
    struct reference *reference = rendering->state;

    if (rendering->step == 0) {
        reference = oi_arena_alloc_zero(&rendering->reply->arena, 1, sizeof(*reference));
        OI_TRY(make_list(rendering, reference, error));
        coinmetrics_begin_answer(rendering);
        rendering->state = reference;
        if (rendering->query->format == COINMETRICS_FORMAT_JSON)
            oi_buffer_add_text(out,
                               rendering->query->is_pretty ? "{\n  \"data\": [" : "{\"data\":[");
    }
    for (size_t i = 0; i < PIECE_ROWS && reference->at < reference->to; i++)
        add_row(rendering, reference, &reference->entries[reference->at++], out);
    *ret_is_last = reference->at >= reference->to;
    if (*ret_is_last)
        finish(rendering, reference, out);
    return OI_OK;
}
