/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oi parse: one saved reply through the adapter of its exchange, and what the adapter made of it.
 * What a reply does not tell stays empty; definitions count only where the same reply has them.
 */
/* no unit test: a whole command; tests/system/parse.test.mjs runs it */
#include "cli/command.h"

#include "base/json.h"
#include "cli/saved_reply.h"
#include "cli/table.h"
#include "core/symbology.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The largest list of instruments we know is about 10 MB. */
#define REPLY_SIZE_MAX ((size_t) 256 << 20)
/* Of a reply that names no market, and of a request that names none. */
#define NO_SYMBOL "?"

static const char *const kind_words[] = { "current", "instruments", "history",
                                          "stream",  "mark",        NULL };
static const enum oi_task_kind kinds[] = { OI_TASK_CURRENT, OI_TASK_INSTRUMENTS, OI_TASK_HISTORY,
                                           OI_TASK_STREAM, OI_TASK_PRICES };

static const struct oi_option options_table[] = {
    { .name = "product",
      .argument = "NAME",
      .help = "whose reply it is, where it does not tell: usdm, swap" },
    { .name = "symbol", .argument = "NAME", .help = "the market, where the reply names none" },
    OI_OPTION_FORMAT,
};

static const struct oi_table_column row_columns[] = {
    { .name = "native_symbol" },
    { .name = "instrument", .is_detail = true },
    { .name = "raw", .is_number = true },
    { .name = "unit" },
    { .name = "sides", .is_number = true },
    { .name = "contract_size", .is_number = true },
    { .name = "contracts", .is_number = true, .is_detail = true },
    { .name = "coins", .is_number = true },
    { .name = "usd", .is_number = true },
    { .name = "exchange_time" },
    { .name = "mark_price", .is_number = true },
};

static const struct oi_table_column skip_columns[] = { { .name = "row" }, { .name = "reason" } };

/* What a reply may be: an endpoint's, or a stream's message. */
struct candidate {
    const struct oi_endpoint *endpoint;
    const struct oi_exchange_stream *stream;
    const char *product; /* NULL: rows say theirs */
};

/* A reply being parsed, and the best reading of it so far. */
struct parse {
    const struct oi_exchange *exchange;
    enum oi_task_kind kind;
    const char *product; /* asked for, or NULL */
    const char *symbol;
    char found_symbol[OI_SYMBOL_SIZE];
    struct oi_slice body;
    struct candidate read; /* as what it was read; neither: not yet */
    struct oi_harvest harvest;
    struct oi_harvest definitions; /* of the same reply, where it has them */
    struct oi_convention_page page;
};

static void
parse_release(struct parse *parse)
{
    oi_harvest_release(&parse->harvest);
    oi_harvest_release(&parse->definitions);
}

static enum oi_status
read_as(const struct parse *parse, const struct oi_endpoint *endpoint, struct oi_harvest *harvest,
        struct oi_error *error)
{
    const struct oi_task task = { .kind = endpoint->kind,
                                  .product = endpoint->product,
                                  .family = endpoint->families ? endpoint->families[0] : NULL,
                                  .symbol = parse->symbol,
                                  .span = OI_SPAN_ALL };

    oi_harvest_reset(harvest);
    return endpoint->read(&task, parse->body, harvest, error);
}

static enum oi_status
read_candidate(const struct parse *parse, const struct candidate *candidate,
               struct oi_harvest *harvest, struct oi_error *error)
{
    struct oi_stream_event event = {};

    if (candidate->endpoint)
        return read_as(parse, candidate->endpoint, harvest, error);
    oi_harvest_reset(harvest);
    return candidate->stream->read(candidate->stream, parse->body, harvest, &event, error);
}

/* The candidate of that number; false at the end. Those of other kinds have neither. */
static bool
find_candidate(const struct parse *parse, size_t number, struct candidate *ret_candidate)
{
    const struct oi_exchange *exchange = parse->exchange;
    struct candidate candidate = {};

    if (parse->kind == OI_TASK_STREAM) {
        if (number >= exchange->stream_count)
            return false;
        candidate.stream = &exchange->streams[number];
        if (!candidate.stream->products[1])
            candidate.product = candidate.stream->products[0];
    } else {
        if (number >= exchange->endpoint_count)
            return false;
        if (exchange->endpoints[number].kind == parse->kind)
            candidate.endpoint = &exchange->endpoints[number];
        candidate.product = exchange->endpoints[number].product;
    }
    *ret_candidate = candidate;
    return true;
}

static size_t
yield_of(const struct oi_harvest *harvest)
{
    return harvest->rows.count + harvest->instruments.count;
}

/* The market that an object names, or an empty slice. */
static struct oi_slice
symbol_in(const struct oi_json_node *node)
{
    static const char *const names[] = { "symbol", "instId", "contract_code", "contract",
                                         "ticker" };
    struct oi_slice text = {};

    /* The most specific name is behind the more general ones: HTX's symbol is a coin. */
    for (size_t i = 0; i < OI_COUNT(names); i++) {
        const struct oi_json_node *member = oi_json_member(node, names[i]);

        if (oi_json_kind(member) == OI_JSON_STRING)
            text = oi_json_text(member);
    }
    return text;
}

/* A history is about one market: the one that its envelope or its first row names. Into `symbol`;
 * NO_SYMBOL where neither does. */
static void
find_symbol(struct oi_slice body, char symbol[OI_SYMBOL_SIZE])
{
    static const char *const envelopes[] = { "result", "data" };
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    const struct oi_json_node *root;
    struct oi_slice found;

    (void) oi_name_set(symbol, OI_SYMBOL_SIZE, OI_SLICE(NO_SYMBOL), NULL);
    if (oi_json_open(body, &json, NULL) != OI_OK)
        return;
    root = oi_json_root(json);
    found = symbol_in(root);
    if (found.size == 0 && oi_json_kind(root) == OI_JSON_ARRAY)
        found = symbol_in(oi_json_first(root));
    for (size_t i = 0; found.size == 0 && i < OI_COUNT(envelopes); i++)
        found = symbol_in(oi_json_member(root, envelopes[i]));
    (void) oi_name_set(symbol, OI_SYMBOL_SIZE, found, NULL);
}

/* "BTC-USD-261225-92000-C"; Bybit's may have its currency behind. */
static bool
is_option_name(struct oi_slice symbol)
{
    if (oi_slice_ends_with(symbol, "-USDT"))
        symbol.size -= strlen("-USDT");
    return oi_slice_ends_with(symbol, "-C") || oi_slice_ends_with(symbol, "-P");
}

/* Do the names of the markets say that they are this product's? For replies that two read alike. */
static bool
is_named_product(const struct oi_exchange *exchange, const char *product,
                 const struct oi_harvest *harvest)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer market = {};
    struct oi_instrument named = OI_INSTRUMENT_NONE;
    char vendor[OI_MARKET_NAME_SIZE];
    const char *symbol;

    if (yield_of(harvest) == 0 || !product)
        return false;
    symbol = harvest->rows.count > 0 ? harvest->rows.items[0].symbol
                                     : harvest->instruments.items[0].symbol;
    if (strcmp(symbol, NO_SYMBOL) == 0)
        return false;
    (void) OI_NAME_SET(named.exchange, oi_slice_of(exchange->name), NULL);
    if (!oi_coinmetrics_exchange(&named, vendor))
        return false;
    oi_buffer_add_format(&market, "%s-%s-%s", vendor, symbol,
                         is_option_name(oi_slice_of(symbol)) ? "option" : "future");
    return oi_coinmetrics_market_parse(oi_buffer_slice(&market), &named, NULL) == OI_OK &&
           strcmp(named.product, product) == 0;
}

/* Does `a` fit the reply better: more of it read, less of it skipped? */
static bool
is_better(const struct oi_harvest *a, const struct oi_harvest *b)
{
    if (yield_of(a) != yield_of(b))
        return yield_of(a) > yield_of(b);
    return a->skips.count < b->skips.count;
}

static bool
is_read(const struct parse *parse)
{
    return parse->read.endpoint || parse->read.stream;
}

/* Read the reply as every product's, and keep the one that fits; INVALID where several do. */
static enum oi_status
read_best(struct parse *parse, struct oi_error *error)
{
    OI_CLEANUP(oi_harvest_release) struct oi_harvest trial = {};
    OI_CLEANUP(oi_buffer_release) struct oi_buffer tied = {};
    struct oi_error trouble = {};
    enum oi_status failure = OI_E_NOT_FOUND;
    struct candidate candidate;

    for (size_t i = 0; find_candidate(parse, i, &candidate); i++) {
        enum oi_status status;

        if ((!candidate.endpoint && !candidate.stream) ||
            (parse->product && candidate.product && strcmp(parse->product, candidate.product) != 0))
            continue;
        status = read_candidate(parse, &candidate, &trial, &trouble);
        if (status != OI_OK) {
            failure = status;
            continue;
        }
        if (is_read(parse) && !is_better(&trial, &parse->harvest)) {
            bool is_tie = !is_better(&parse->harvest, &trial) && yield_of(&trial) > 0 &&
                          candidate.product != parse->read.product &&
                          !is_named_product(parse->exchange, parse->read.product, &parse->harvest);

            if (!is_tie)
                continue;
            if (!is_named_product(parse->exchange, candidate.product, &trial)) {
                oi_buffer_add_format(&tied, " or %s", candidate.product);
                continue;
            }
        }
        oi_buffer_clear(&tied);
        parse->read = candidate;
        oi_harvest_release(&parse->harvest);
        parse->harvest = trial;
        trial = (struct oi_harvest){};
    }
    oi_buffer_add_char(&tied, '\0');
    if (tied.size > 1 && is_read(parse))
        return oi_fail(error, OI_E_INVALID, "the reply does not tell: say --product %s%s",
                       parse->read.product, tied.data);
    if (is_read(parse))
        return OI_OK;
    if (failure == OI_E_NOT_FOUND && !trouble.message[0])
        return oi_fail(error, OI_E_INVALID, "%s has no such reply", parse->exchange->name);
    return oi_fail(error, failure, "%s", trouble.message);
}

/* Definitions from the same bytes: lists that have figures and sizes in each row. */
static void
read_definitions(struct parse *parse)
{
    for (size_t i = 0; i < parse->exchange->endpoint_count; i++) {
        const struct oi_endpoint *endpoint = &parse->exchange->endpoints[i];

        if (endpoint->kind == OI_TASK_INSTRUMENTS &&
            read_as(parse, endpoint, &parse->definitions, NULL) == OI_OK &&
            parse->definitions.instruments.count > 0)
            return;
    }
    oi_harvest_reset(&parse->definitions);
}

static const struct oi_instrument *
find_definition(const struct parse *parse, const char *symbol)
{
    for (size_t i = 0; i < parse->definitions.instruments.count; i++)
        if (strcmp(parse->definitions.instruments.items[i].symbol, symbol) == 0)
            return &parse->definitions.instruments.items[i];
    return NULL;
}

/*
 * What unit and name alone tell of a market whose definition is elsewhere: a figure in USD settles
 * in the coin, one in coins is linear where the name ends in a dollar, and a multiple in front or
 * behind ("1000PEPEUSDT") is the unit of figure and price. Contracts stay without a size.
 */
static void
deduce(const char *product, const char *symbol, enum oi_unit unit, struct oi_instrument *instrument)
{
    struct oi_slice base = oi_slice_of(symbol);
    const char *dollar = strstr(symbol, "USD");
    struct oi_instrument named = OI_INSTRUMENT_NONE;

    if (!dollar)
        dollar = strstr(symbol, "USTF0");
    instrument->settlement = unit == OI_UNIT_USD ? OI_SETTLEMENT_INVERSE : OI_SETTLEMENT_LINEAR;
    instrument->kind = strcmp(product, "option") == 0 ? OI_KIND_OPTION : OI_KIND_PERPETUAL;
    if (!dollar)
        return;
    (void) OI_NAME_SET(instrument->quote, OI_SLICE("USD"), NULL);
    base.size = (size_t) (dollar - symbol);
    while (base.size > 0 && strchr("-_", base.data[base.size - 1]))
        base.size--;
    if (unit == OI_UNIT_COINS && oi_instrument_set_base(&named, base, false, NULL) == OI_OK)
        instrument->base_factor = named.base_factor;
}

static void
add_converted(struct oi_table *table, const struct oi_conversion *conversion,
              const struct oi_decimal *figure, enum oi_unit unit)
{
    struct oi_decimal value = {};

    if (!oi_decimal_is_none(figure) && oi_convert(conversion, figure, unit, &value, NULL) != OI_OK)
        value = (struct oi_decimal){};
    oi_table_decimal(table, &value);
}

static void
add_time(struct oi_table *table, oi_time time)
{
    char text[24];

    if (time == OI_TIME_NONE) {
        oi_table_none(table);
        return;
    }
    (void) snprintf(text, sizeof(text), "%" PRId64, time);
    oi_table_text(table, text);
}

/* One line; a row that is a definition has no reading. */
static enum oi_status
add_row(const struct parse *parse, struct oi_table *table, const struct oi_instrument *instrument,
        const struct oi_observation *reading, struct oi_error *error)
{
    const struct oi_convention_book book = { .pages = (struct oi_convention_page *) &parse->page,
                                             .count = 1 };
    bool is_price = parse->kind == OI_TASK_PRICES;
    bool has_symbol = strcmp(instrument->symbol, NO_SYMBOL) != 0;
    const struct oi_convention *convention = oi_convention_find(
        &book, parse->exchange->name, instrument->product,
        parse->kind == OI_TASK_HISTORY ? "history" : "live",
        reading->exchange_time == OI_TIME_NONE ? OI_TIME_LATEST : reading->exchange_time);
    struct oi_conversion conversion = { .instrument = instrument,
                                        .from = convention ? convention->unit : OI_UNIT_UNKNOWN,
                                        .sides = convention ? convention->sides : 0,
                                        .one_sided = true,
                                        .mark_price = reading->mark_price,
                                        .index_price = reading->index_price,
                                        .value_usd = reading->value_usd };
    char name[OI_MARKET_NAME_SIZE] = "";

    if (has_symbol)
        (void) oi_native_name(instrument, name);
    oi_table_text(table, has_symbol ? instrument->symbol : NULL);
    oi_table_text(table, name);
    oi_table_decimal(table, &reading->open_interest);
    oi_table_text(table, convention && !is_price ? oi_unit_name(convention->unit) : NULL);
    if (convention && convention->sides > 0 && !is_price)
        oi_table_integer(table, convention->sides);
    else
        oi_table_none(table);
    oi_table_decimal(table, &instrument->contract_size);
    add_converted(table, &conversion, &reading->open_interest, OI_UNIT_CONTRACTS);
    add_converted(table, &conversion, &reading->open_interest, OI_UNIT_COINS);
    add_converted(table, &conversion, &reading->open_interest, OI_UNIT_USD);
    add_time(table, reading->exchange_time);
    oi_table_decimal(table, &reading->mark_price);
    return oi_table_end_row(table, error);
}

static enum oi_status
add_reading(const struct parse *parse, struct oi_table *table, const struct oi_harvest_row *row,
            struct oi_error *error)
{
    const char *product = row->product ? row->product : parse->read.product;
    const struct oi_instrument *definition = find_definition(parse, row->symbol);
    struct oi_instrument instrument = OI_INSTRUMENT_NONE;
    const struct oi_convention_book book = { .pages = (struct oi_convention_page *) &parse->page,
                                             .count = 1 };
    const struct oi_convention *convention;

    if (definition)
        return add_row(parse, table, definition, &row->reading, error);
    /* An update that does not say what its market is. */
    if (!product)
        product = parse->product ? parse->product : parse->read.stream->products[0];
    OI_TRY(OI_NAME_SET(instrument.exchange, oi_slice_of(parse->exchange->name), error));
    OI_TRY(OI_NAME_SET(instrument.product, oi_slice_of(product), error));
    OI_TRY(OI_NAME_SET(instrument.symbol, oi_slice_of(row->symbol), error));
    convention = oi_convention_find(&book, parse->exchange->name, product, "live", OI_TIME_LATEST);
    deduce(product, row->symbol, convention ? convention->unit : OI_UNIT_UNKNOWN, &instrument);
    return add_row(parse, table, &instrument, &row->reading, error);
}

static enum oi_status
write_rows(const struct parse *parse, enum oi_table_format format, struct oi_printer *printer,
           struct oi_error *error)
{
    OI_CLEANUP(oi_table_free) struct oi_table *table = NULL;
    const struct oi_observation none = OI_OBSERVATION_NONE;

    table = oi_table_new(format, row_columns, OI_COUNT(row_columns), printer);
    for (size_t i = 0; i < parse->harvest.rows.count; i++)
        OI_TRY(add_reading(parse, table, &parse->harvest.rows.items[i], error));
    for (size_t i = 0; i < parse->harvest.instruments.count; i++)
        OI_TRY(add_row(parse, table, &parse->harvest.instruments.items[i], &none, error));
    return oi_table_finish(table, error);
}

static enum oi_status
write_skips(const struct parse *parse, struct oi_printer *printer, struct oi_error *error)
{
    OI_CLEANUP(oi_table_free) struct oi_table *table = NULL;

    table = oi_table_new(OI_TABLE_JSON, skip_columns, OI_COUNT(skip_columns), printer);
    for (size_t i = 0; i < parse->harvest.skips.count; i++) {
        oi_table_text(table, parse->harvest.skips.items[i].symbol);
        oi_table_text(table, parse->harvest.skips.items[i].reason);
        OI_TRY(oi_table_end_row(table, error));
    }
    return oi_table_finish(table, error);
}

static enum oi_status
write_all(const struct parse *parse, enum oi_table_format format, struct oi_printer *printer,
          struct oi_error *error)
{
    struct oi_buffer *out = oi_printer_buffer(printer);

    if (format == OI_TABLE_JSON) {
        oi_buffer_add_text(out, "{\"rows\": ");
        OI_TRY(write_rows(parse, format, printer, error));
        oi_buffer_add_text(out, ", \"skipped\": ");
        OI_TRY(write_skips(parse, printer, error));
        oi_buffer_add_text(out, "}\n");
        return OI_OK;
    }
    OI_TRY(write_rows(parse, format, printer, error));
    for (size_t i = 0; i < parse->harvest.skips.count; i++)
        (void) fprintf(stderr, "skipped %s: %s\n", parse->harvest.skips.items[i].symbol,
                       parse->harvest.skips.items[i].reason);
    return OI_OK;
}

static enum oi_status
find_kind(const char *word, enum oi_task_kind *ret_kind, struct oi_error *error)
{
    for (size_t i = 0; kind_words[i]; i++) {
        if (strcmp(word, kind_words[i]) != 0)
            continue;
        *ret_kind = kinds[i];
        return OI_OK;
    }
    return oi_fail(error, OI_E_INVALID,
                   "KIND must be current, instruments, history, stream or mark, not %.40s", word);
}

static enum oi_status
run_parse(struct parse *parse, const char *path, enum oi_table_format format,
          struct oi_error *error)
{
    OI_CLEANUP(oi_printer_close) struct oi_printer *printer = NULL;
    OI_CLEANUP(oi_buffer_release) struct oi_buffer reply = { .size_max = REPLY_SIZE_MAX };
    enum oi_status status = oi_saved_reply_read(path, &reply, error);

    parse->body = oi_buffer_slice(&reply);
    if (status == OI_OK && parse->kind != OI_TASK_STREAM)
        status = oi_saved_reply_judge(parse->exchange, parse->body, error);
    if (status == OI_OK && parse->kind == OI_TASK_HISTORY && !parse->symbol) {
        find_symbol(parse->body, parse->found_symbol);
        parse->symbol = parse->found_symbol;
    }
    if (status == OI_OK)
        status = read_best(parse, error);
    if (status != OI_OK)
        return oi_fail_in(error, status, "%s: ", path);
    if (parse->kind != OI_TASK_INSTRUMENTS)
        read_definitions(parse);
    OI_TRY(oi_printer_open(NULL, &printer, error));
    OI_TRY(write_all(parse, format, printer, error));
    return oi_printer_finish(printer, error);
}

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    OI_CLEANUP(parse_release) struct parse parse = {};
    const char *const *operands;
    size_t format = 0;

    (void) oi_options_operands(options, &operands);
    OI_TRY(oi_options_word(options, "format", oi_table_formats, &format, error));
    parse.exchange = oi_exchange_find(oi_slice_of(operands[0]));
    if (!parse.exchange)
        return oi_fail(error, OI_E_INVALID, "there is no exchange \"%.40s\"", operands[0]);
    OI_TRY(find_kind(operands[1], &parse.kind, error));
    parse.product = oi_options_text(options, "product");
    parse.symbol = oi_options_text(options, "symbol");
    parse.page = (struct oi_convention_page){ .exchange = parse.exchange->name,
                                              .conventions = parse.exchange->conventions,
                                              .count = parse.exchange->convention_count };
    return run_parse(&parse, operands[2], (enum oi_table_format) format, error);
}

const struct oi_command oi_command_parse = {
    .name = "parse",
    .summary = "Show what an exchange's adapter reads in a saved reply",
    .operands = "EXCHANGE KIND FILE",
    .operands_min = 3,
    .operands_max = 3,
    .description =
        "KIND is what the reply answers: current, instruments, history, stream or mark. FILE is "
        "the\n"
        "reply as it came, plain, gzip or zstd. The figures are one-sided in contracts, coins and\n"
        "USD, and empty where the reply cannot tell; json has what was skipped beside them, the\n"
        "other formats say it on stderr.",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
