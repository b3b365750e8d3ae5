/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much of PromQL as has one answer here: a number (Grafana asks 1+1 to see whether anybody is
 * there), a metric with matchers, and `sum` of one, whole or by a label. The rest is refused by
 * name, since a graph of half an expression would be wrong.
 * https://prometheus.io/docs/prometheus/latest/querying/basics/
 */
#include "dialects/prometheus_internal.h"

#include "base/compiler.h"
#include "dialects/text.h"

#include <ctype.h>
#include <string.h>

#define SUPPORTED "oi answers NAME{label=\"value\"}, sum(NAME{...}) and sum by (label) (NAME{...})"
/* Alternatives of one matcher, and selectors that several matchers multiply to. */
#define ALTERNATIVES_MAX 200

const char *const prometheus_metric_names[PROMETHEUS_METRIC_COUNT] = {
    [PROMETHEUS_COINS] = "oi_coins",
    [PROMETHEUS_CONTRACTS] = "oi_contracts",
    [PROMETHEUS_USD] = "oi_usd",
    [PROMETHEUS_MARK_PRICE] = "oi_mark_price",
};

const char *const prometheus_metric_help[PROMETHEUS_METRIC_COUNT] = {
    [PROMETHEUS_COINS] = "Open interest in coins, one side of each contract counted.",
    [PROMETHEUS_CONTRACTS] = "Open interest in contracts, one side counted.",
    [PROMETHEUS_USD] = "Open interest in USD, one side counted.",
    [PROMETHEUS_MARK_PRICE] = "The mark price that came with the reading.",
};

const char *const prometheus_labels[PROMETHEUS_LABEL_COUNT] = {
    [PROMETHEUS_LABEL_NAME] = "__name__",     [PROMETHEUS_LABEL_COIN] = "coin",
    [PROMETHEUS_LABEL_EXCHANGE] = "exchange", [PROMETHEUS_LABEL_KIND] = "kind",
    [PROMETHEUS_LABEL_MARKET] = "market",     [PROMETHEUS_LABEL_PRODUCT] = "product",
    [PROMETHEUS_LABEL_QUOTE] = "quote",       [PROMETHEUS_LABEL_SETTLEMENT] = "settlement",
    [PROMETHEUS_LABEL_SYMBOL] = "symbol",
};

/* What one matcher allows; no values: everything. */
struct matcher {
    OI_VECTOR(const char *) values;
};

struct reader {
    const char *at, *end;
    struct oi_query *query;
    struct oi_problem *problem;
    struct matcher matchers[PROMETHEUS_LABEL_COUNT];
    enum prometheus_metric metric;
    bool has_metric, may_lack_metric;
    bool is_sum;
    enum oi_split split;
};

static enum oi_status
refuse(struct reader *reader, const char *message)
{
    struct oi_slice rest = { reader->at, (size_t) (reader->end - reader->at) };

    return oi_problem_set(reader->problem, OI_PROBLEM_PARAMETER, "query", rest, "%s", message);
}

static void
skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end && isspace((unsigned char) *reader->at))
        reader->at++;
}

static bool
take(struct reader *reader, const char *text)
{
    size_t size = strlen(text);

    skip_blanks(reader);
    if ((size_t) (reader->end - reader->at) < size || memcmp(reader->at, text, size) != 0)
        return false;
    reader->at += size;
    return true;
}

static struct oi_slice
take_word(struct reader *reader)
{
    struct oi_slice word;

    skip_blanks(reader);
    word = (struct oi_slice){ reader->at, 0 };
    while (reader->at < reader->end &&
           (isalpha((unsigned char) *reader->at) || *reader->at == '_' || *reader->at == ':' ||
            (word.size > 0 && isdigit((unsigned char) *reader->at)))) {
        reader->at++;
        word.size++;
    }
    return word;
}

/* A string in double or single quotes with backslashes, or raw in backquotes. */
static enum oi_status
take_string(struct reader *reader, struct oi_buffer *out)
{
    char quote;

    skip_blanks(reader);
    if (reader->at == reader->end || !strchr("\"'`", *reader->at))
        return refuse(reader, "a value in quotes is missing here");
    quote = *reader->at++;
    for (; reader->at < reader->end && *reader->at != quote; reader->at++) {
        if (*reader->at == '\\' && quote != '`') {
            if (++reader->at == reader->end)
                break;
            if (!strchr("\\\"'", *reader->at))
                return refuse(reader, "only \\\\, \\\" and \\' are known behind a backslash");
        }
        oi_buffer_add_char(out, *reader->at);
    }
    if (reader->at == reader->end)
        return refuse(reader, "a quote is not closed");
    reader->at++;
    return OI_OK;
}

static bool
find_label(struct oi_slice word, enum prometheus_label *ret_label)
{
    for (int i = 0; i < PROMETHEUS_LABEL_COUNT; i++) {
        if (!oi_slice_is(word, prometheus_labels[i]))
            continue;
        *ret_label = (enum prometheus_label) i;
        return true;
    }
    return false;
}

static bool
find_metric(struct oi_slice word, enum prometheus_metric *ret_metric)
{
    for (int i = 0; i < PROMETHEUS_METRIC_COUNT; i++) {
        if (!oi_slice_is(word, prometheus_metric_names[i]))
            continue;
        *ret_metric = (enum prometheus_metric) i;
        return true;
    }
    return false;
}

/*
 * Matchers
 */

/* One alternative of a pattern: a word in which a backslash makes the next character plain, or, of
 * a market, `.*` for any text. */
static enum oi_status
add_alternative(struct reader *reader, enum prometheus_label label, struct oi_slice text)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer word = {};

    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\\' && i + 1 < text.size) {
            oi_buffer_add_char(&word, text.data[++i]);
        } else if (text.data[i] == '.' && i + 1 < text.size && text.data[i + 1] == '*' &&
                   (label == PROMETHEUS_LABEL_MARKET || label == PROMETHEUS_LABEL_SYMBOL)) {
            oi_buffer_add_char(&word, '*');
            i++;
        } else if (strchr("()[]{}.*+?^$", text.data[i])) {
            return refuse(reader, "of patterns only a|b|c, and .* in market and symbol, are known");
        } else {
            oi_buffer_add_char(&word, text.data[i]);
        }
    }
    if (reader->matchers[label].values.count >= ALTERNATIVES_MAX)
        return refuse(reader, "a pattern has more than 200 alternatives");
    oi_vector_push(&reader->matchers[label].values,
                   oi_arena_copy(&reader->query->arena, oi_buffer_slice(&word)));
    return OI_OK;
}

/* `^(a|b)$` as a|b: whole values are meant anyway. */
static struct oi_slice
without_frame(struct oi_slice text)
{
    if (text.size > 0 && text.data[0] == '^')
        text = (struct oi_slice){ text.data + 1, text.size - 1 };
    if (text.size > 0 && text.data[text.size - 1] == '$')
        text.size--;
    if (text.size > 1 && text.data[0] == '(' && text.data[text.size - 1] == ')')
        text = (struct oi_slice){ text.data + 1, text.size - 2 };
    return text;
}

static enum oi_status
add_pattern(struct reader *reader, enum prometheus_label label, struct oi_slice text)
{
    struct oi_slice part;

    text = without_frame(text);
    if (oi_slice_is(text, ".*") || oi_slice_is(text, ".+"))
        return OI_OK;
    while (oi_slice_next_part(&text, '|', &part))
        OI_TRY(add_alternative(reader, label, part));
    return OI_OK;
}

static enum oi_status
set_metric(struct reader *reader, struct oi_slice name)
{
    if (!find_metric(name, &reader->metric))
        return oi_problem_set(reader->problem, OI_PROBLEM_PARAMETER, "query", name,
                              "there is no metric %.*s: oi_coins, oi_contracts, oi_usd and "
                              "oi_mark_price are there",
                              (int) (name.size < 64 ? name.size : 64), name.data);
    reader->has_metric = true;
    return OI_OK;
}

static enum oi_status
read_matcher(struct reader *reader)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer value = {};
    struct oi_slice word = take_word(reader);
    enum prometheus_label label;
    bool is_pattern;

    if (!find_label(word, &label)) {
        reader->at = word.data;
        return refuse(reader, "there is no such label: coin, exchange, kind, market, product, "
                              "quote, settlement and symbol are there");
    }
    is_pattern = take(reader, "=~");
    if (!is_pattern && !take(reader, "="))
        return refuse(reader, "of matchers only = and =~ are known");
    OI_TRY(take_string(reader, &value));
    if (label == PROMETHEUS_LABEL_NAME)
        return set_metric(reader, oi_buffer_slice(&value));
    if (reader->matchers[label].values.count > 0)
        return refuse(reader, "a label is matched twice");
    if (is_pattern)
        return add_pattern(reader, label, oi_buffer_slice(&value));
    if (value.size > 0)
        oi_vector_push(&reader->matchers[label].values,
                       oi_arena_copy(&reader->query->arena, oi_buffer_slice(&value)));
    return OI_OK;
}

static enum oi_status
read_metric(struct reader *reader, struct oi_slice name)
{
    if (name.size > 0)
        OI_TRY(set_metric(reader, name));
    if (take(reader, "{")) {
        while (!take(reader, "}")) {
            OI_TRY(read_matcher(reader));
            if (!take(reader, ",") &&
                (skip_blanks(reader), reader->at == reader->end || *reader->at != '}'))
                return refuse(reader, "a comma or } is missing here");
        }
    }
    return reader->has_metric || reader->may_lack_metric
               ? OI_OK
               : refuse(reader, "a metric is missing: " SUPPORTED);
}

/*
 * Sums
 */

static enum oi_status
read_by(struct reader *reader)
{
    static const struct {
        const char *label;
        enum oi_split split;
    } splits[] = {
        { "exchange", OI_SPLIT_EXCHANGE }, { "coin", OI_SPLIT_COIN },
        { "quote", OI_SPLIT_QUOTE },       { "settlement", OI_SPLIT_SETTLEMENT },
        { "kind", OI_SPLIT_KIND },
    };
    struct oi_slice word;

    if (!take(reader, "("))
        return refuse(reader, "( is missing behind by");
    word = take_word(reader);
    for (size_t i = 0; i < OI_COUNT(splits); i++)
        if (oi_slice_is(word, splits[i].label))
            reader->split = splits[i].split;
    if (reader->split == OI_SPLIT_NONE || !take(reader, ")"))
        return refuse(reader, "a sum is by one of exchange, coin, quote, kind and settlement");
    return OI_OK;
}

static enum oi_status
read_sum(struct reader *reader)
{
    reader->is_sum = true;
    if (take(reader, "by"))
        OI_TRY(read_by(reader));
    if (!take(reader, "("))
        return refuse(reader, "( is missing behind sum");
    OI_TRY(read_metric(reader, take_word(reader)));
    if (!take(reader, ")"))
        return refuse(reader, "what is summed ends here: " SUPPORTED);
    if (reader->split == OI_SPLIT_NONE && take(reader, "by"))
        OI_TRY(read_by(reader));
    if (reader->metric == PROMETHEUS_MARK_PRICE)
        return refuse(reader, "prices are not summed");
    return OI_OK;
}

/*
 * Selectors
 */

static const char *
only_value(const struct reader *reader, enum prometheus_label label)
{
    const struct matcher *matcher = &reader->matchers[label];

    return matcher->values.count > 0 ? matcher->values.items[0] : NULL;
}

static enum oi_status
add_kinds(struct reader *reader, struct oi_selector *selector)
{
    static const struct oi_word kinds[] = {
        { "perpetual", OI_KIND_PERPETUAL },
        { "future", OI_KIND_FUTURE },
        { "option", OI_KIND_OPTION },
        { "event", OI_KIND_EVENT },
    };
    const struct matcher *matcher = &reader->matchers[PROMETHEUS_LABEL_KIND];

    for (size_t i = 0; i < matcher->values.count; i++) {
        size_t k = 0;

        while (k < OI_COUNT(kinds) && strcmp(kinds[k].word, matcher->values.items[i]) != 0)
            k++;
        if (k == OI_COUNT(kinds))
            return oi_problem_set(reader->problem, OI_PROBLEM_PARAMETER, "query",
                                  oi_slice_of(matcher->values.items[i]),
                                  "kind is perpetual, future, option or event");
        oi_vector_push(&selector->kinds, (enum oi_kind) kinds[k].value);
    }
    return OI_OK;
}

/* One selector; of several coins, quotes, products or markets each gives one of its own. */
static enum oi_status
add_selector(struct reader *reader, const char *market)
{
    struct oi_selector *selector = oi_query_select(reader->query, OI_SYMBOLOGY_NATIVE);
    const struct matcher *exchanges = &reader->matchers[PROMETHEUS_LABEL_EXCHANGE];
    const char *coin = only_value(reader, PROMETHEUS_LABEL_COIN);
    const char *quote = only_value(reader, PROMETHEUS_LABEL_QUOTE);

    for (size_t i = 0; i < exchanges->values.count; i++)
        oi_vector_push(&selector->exchanges, exchanges->values.items[i]);
    if (coin)
        selector->coin = oi_text_upper(&reader->query->arena, oi_slice_of(coin));
    if (quote)
        selector->quote = oi_text_upper(&reader->query->arena, oi_slice_of(quote));
    selector->product = only_value(reader, PROMETHEUS_LABEL_PRODUCT);
    selector->market = market;
    selector->is_pattern = market && strchr(market, '*');
    selector->is_total = reader->is_sum;
    selector->split = reader->split;
    selector->parameter = "query";
    return add_kinds(reader, selector);
}

/* For each value of the labels that a selector has room for one of. */
static enum oi_status
add_for_each(struct reader *reader, enum prometheus_label label)
{
    static const enum prometheus_label single[] = { PROMETHEUS_LABEL_COIN, PROMETHEUS_LABEL_QUOTE,
                                                    PROMETHEUS_LABEL_PRODUCT };
    struct matcher *matcher = &reader->matchers[label], whole = *matcher;
    size_t place = 0;
    enum oi_status status = OI_OK;

    while (place < OI_COUNT(single) && single[place] != label)
        place++;
    for (size_t i = 0; i < (whole.values.count > 0 ? whole.values.count : 1); i++) {
        if (whole.values.count > 0)
            matcher->values.items = &whole.values.items[i];
        matcher->values.count = whole.values.count > 0;
        status = place + 1 < OI_COUNT(single) ? add_for_each(reader, single[place + 1])
                 : reader->query->selectors.count < ALTERNATIVES_MAX
                     ? add_selector(reader, only_value(reader, PROMETHEUS_LABEL_MARKET))
                     : refuse(reader, "the matchers have more than 200 combinations");
        if (status != OI_OK)
            break;
    }
    *matcher = whole;
    return status;
}

/* Markets by name, or by symbol on any exchange, then everything else. */
static enum oi_status
add_selectors(struct reader *reader)
{
    struct matcher *markets = &reader->matchers[PROMETHEUS_LABEL_MARKET];
    struct matcher *symbols = &reader->matchers[PROMETHEUS_LABEL_SYMBOL];
    struct matcher whole;
    enum oi_status status = OI_OK;

    if (reader->matchers[PROMETHEUS_LABEL_SETTLEMENT].values.count > 0)
        return refuse(reader, "settlement is a label to sum by, not to match");
    if (markets->values.count > 0 && symbols->values.count > 0)
        return refuse(reader, "match market or symbol, not both");
    for (size_t i = 0; i < symbols->values.count; i++)
        oi_vector_push(&markets->values,
                       oi_arena_format(&reader->query->arena, "*:%s", symbols->values.items[i]));
    if (reader->is_sum &&
        (markets->values.count > 1 || reader->matchers[PROMETHEUS_LABEL_COIN].values.count > 1 ||
         reader->matchers[PROMETHEUS_LABEL_QUOTE].values.count > 1 ||
         reader->matchers[PROMETHEUS_LABEL_PRODUCT].values.count > 1))
        return refuse(reader, "in a sum only exchange and kind may have several values");
    whole = *markets;
    for (size_t i = 0; i < (whole.values.count > 0 ? whole.values.count : 1); i++) {
        if (whole.values.count > 0)
            markets->values.items = &whole.values.items[i];
        markets->values.count = whole.values.count > 0;
        status = add_for_each(reader, PROMETHEUS_LABEL_COIN);
        if (status != OI_OK)
            break;
    }
    *markets = whole;
    return status;
}

/* A number, or several with + and - between them. */
static enum oi_status
read_number(struct reader *reader)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer text = {};
    struct oi_decimal sum = oi_decimal_from(0, 0);
    bool is_minus = false;

    for (;;) {
        struct oi_decimal value;
        struct oi_slice digits;

        skip_blanks(reader);
        digits = (struct oi_slice){ reader->at, 0 };
        while (reader->at < reader->end &&
               (isdigit((unsigned char) *reader->at) || *reader->at == '.')) {
            reader->at++;
            digits.size++;
        }
        if (oi_decimal_parse(digits, &value, NULL) != OI_OK ||
            (is_minus ? oi_decimal_subtract : oi_decimal_add)(&sum, &value, &sum, NULL) != OI_OK)
            return refuse(reader, "this is not a number");
        is_minus = take(reader, "-");
        if (!is_minus && !take(reader, "+"))
            break;
    }
    oi_decimal_write(&sum, &text);
    reader->query->echo = oi_arena_copy(&reader->query->arena, oi_buffer_slice(&text));
    reader->query->kind = OI_QUERY_NONE;
    return OI_OK;
}

static enum oi_status
read_series(struct reader *reader)
{
    static const enum oi_unit units[PROMETHEUS_METRIC_COUNT] = {
        [PROMETHEUS_COINS] = OI_UNIT_COINS,
        [PROMETHEUS_CONTRACTS] = OI_UNIT_CONTRACTS,
        [PROMETHEUS_USD] = OI_UNIT_USD,
        [PROMETHEUS_MARK_PRICE] = OI_UNIT_UNKNOWN,
    };
    struct oi_slice word = take_word(reader);
    bool is_sum = oi_slice_is(word, "sum");

    if (!is_sum && take(reader, "(")) {
        reader->at = word.data;
        return refuse(reader, "of functions only sum is known: " SUPPORTED);
    }
    if (is_sum)
        OI_TRY(read_sum(reader));
    else
        OI_TRY(read_metric(reader, word));
    reader->query->kind = OI_QUERY_CANDLES;
    reader->query->is_canonical = true;
    reader->query->unit = units[reader->metric];
    reader->query->format = reader->metric;
    return add_selectors(reader);
}

static enum oi_status
finish(struct reader *reader, enum oi_status status)
{
    skip_blanks(reader);
    if (status == OI_OK && reader->at < reader->end)
        status = refuse(reader, "the expression goes on where it should end: " SUPPORTED);
    for (int i = 0; i < PROMETHEUS_LABEL_COUNT; i++)
        oi_vector_release(&reader->matchers[i].values);
    return status;
}

enum oi_status
prometheus_read_expression(struct oi_slice text, struct oi_query *query, struct oi_problem *problem)
{
    struct reader reader = {
        .at = text.data, .end = text.data + text.size, .query = query, .problem = problem
    };

    skip_blanks(&reader);
    if (reader.at < reader.end && isdigit((unsigned char) *reader.at))
        return finish(&reader, read_number(&reader));
    return finish(&reader, read_series(&reader));
}

enum oi_status
prometheus_read_matchers(struct oi_slice text, struct oi_query *query, struct oi_problem *problem)
{
    struct reader reader = { .at = text.data,
                             .end = text.data + text.size,
                             .query = query,
                             .problem = problem,
                             .may_lack_metric = true };
    enum oi_status status = read_metric(&reader, take_word(&reader));

    if (status == OI_OK && reader.has_metric)
        query->format = reader.metric;
    return finish(&reader, status == OI_OK ? add_selectors(&reader) : status);
}
