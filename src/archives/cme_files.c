/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CME Group's futures from files that its users have: the settlement CSV (cme.settle.YYYYMMDD.s.csv
 * and its siblings), and QuantConnect Lean's forms, a file for each contract
 * (es_openinterest_202603.csv, without a header) and one for a product and day
 * (es_universe_20260102.csv).
 *
 * The figure of a trading day is known on the next, and all of these carry the later date
 * (PrevDayOI says so by its name; Lean's Sunday and Monday hold the same figure). So a reading
 * belongs to the business day before: Monday to Friday, holidays are not known here. Its instant is
 * the market's close, 16:00 in Chicago. A contract is named by its month code and two digits of the
 * year (BTCZ26), for files go back decades.
 */
#include "archives/archive_internal.h"

#include <stdio.h>
#include <string.h>

#define EXCHANGE "cme"
#define PRODUCT "futures"
#define CLOSE_HOUR 16
#define ROOT_SIZE_MAX 8

enum form {
    FORM_SETTLEMENT,
    FORM_CONTRACT, /* Lean: a file for each */
    FORM_UNIVERSE, /* Lean: all contracts of a product on a day */
};

struct state {
    enum form form;
    const struct oi_zone *zone;
    /* Columns; which of them there are depends on the form. */
    size_t date, product, type, month, figure, price, last_day;
    char root[ROOT_SIZE_MAX + 1]; /* of the file's name */
    char file_date[9];            /* "202603" or "20260102", of the file's name */
};

static enum oi_status
load_zone(const struct oi_reader *reader, const struct oi_zone **ret_zone, struct oi_error *error)
{
    const struct oi_zone_loader *loader = oi_reader_options(reader)->zones;

    if (!loader)
        return oi_fail(error, OI_E_INVALID, "the zone America/Chicago is not to be had");
    return loader->load(loader, OI_SLICE("America/Chicago"), ret_zone, error);
}

static bool
is_root(struct oi_slice text)
{
    if (text.size == 0 || text.size > ROOT_SIZE_MAX)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (!memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", text.data[i],
                    62))
            return false;
    return true;
}

static void
set_root(struct state *state, struct oi_slice root)
{
    for (size_t i = 0; i < root.size; i++) {
        char c = root.data[i];

        state->root[i] = (char) (c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
    state->root[root.size] = '\0';
}

/* "lean_es_openinterest_202603.csv": the word before `word`, and the digits behind it. */
static bool
read_name(struct state *state, const char *name, const char *word, size_t digits)
{
    const char *at = name ? strstr(name, word) : NULL;
    const char *from = at;
    const char *date;

    if (!at)
        return false;
    while (from > name && from[-1] != '_')
        from--;
    date = at + strlen(word);
    if (!is_root((struct oi_slice){ from, (size_t) (at - from) }) ||
        strspn(date, "0123456789") != digits)
        return false;
    set_root(state, (struct oi_slice){ from, (size_t) (at - from) });
    memcpy(state->file_date, date, digits);
    state->file_date[digits] = '\0';
    return true;
}

/* The close of the day that `text` names, or of the business day before it. */
static bool
find_close(const struct state *state, struct oi_slice text, bool of_day_before, oi_time *ret_time)
{
    struct oi_civil civil;
    bool is_moved = false;
    int64_t weekday = 0;
    oi_time day;

    if (oi_time_parse_utc(text, &day, NULL) != OI_OK || day != oi_interval_floor(OI_DAY, day))
        return false;
    while (of_day_before && (!is_moved || weekday == 0 || weekday == 6)) {
        is_moved = true;
        day -= OI_DAY;
        weekday = day / OI_DAY + 4;        /* 1970 began on a Thursday */
        weekday = ((weekday % 7) + 7) % 7; /* Sunday is 0 */
    }
    civil = oi_time_to_civil(day);
    civil.hour = CLOSE_HOUR;
    return oi_zone_to_time(state->zone, &civil, ret_time, NULL) == OI_OK;
}

/* "BTC" and "202612" make BTCZ26. */
static bool
make_symbol(struct oi_slice root, struct oi_slice month, char symbol[OI_NAME_SIZE])
{
    static const char codes[] = "FGHJKMNQUVXZ";
    int number;

    if (!is_root(root) || month.size != 6)
        return false;
    for (size_t i = 0; i < month.size; i++)
        if (month.data[i] < '0' || month.data[i] > '9')
            return false;
    number = (month.data[4] - '0') * 10 + (month.data[5] - '0');
    if (number < 1 || number > 12)
        return false;
    (void) snprintf(symbol, OI_NAME_SIZE, "%.*s%c%.2s", OI_SLICE_ARGS(root), codes[number - 1],
                    month.data + 2);
    return true;
}

/* Where a row has what. */
struct parts {
    struct oi_field date, month, figure, price;
    struct oi_slice root, last_day; /* of trading; empty where the form does not say */
};

/* The crypto futures whose sizes CME's own pages state. */
static const struct size {
    const char *root, *base;
    int64_t mantissa;
    int exponent;
} sizes[] = {
    { "BTC", "BTC", 5, 0 },
    { "MBT", "BTC", 1, -1 },
    { "ETH", "ETH", 50, 0 },
    { "MET", "ETH", 1, -1 },
};

/* A contract of known size whose last day is told is no stranger: it can be turned into coins. */
static void
define(const struct state *state, const struct parts *parts, struct oi_instrument *instrument)
{
    oi_time expiry;

    if (!instrument->is_provisional || !find_close(state, parts->last_day, false, &expiry))
        return;
    for (size_t i = 0; i < OI_COUNT(sizes); i++) {
        if (!oi_slice_is(parts->root, sizes[i].root) ||
            OI_NAME_SET(instrument->base, oi_slice_of(sizes[i].base), NULL) != OI_OK ||
            OI_NAME_SET(instrument->quote, OI_SLICE("USD"), NULL) != OI_OK ||
            OI_NAME_SET(instrument->margin, OI_SLICE("USD"), NULL) != OI_OK)
            continue;
        instrument->kind = OI_KIND_FUTURE;
        instrument->settlement = OI_SETTLEMENT_LINEAR;
        instrument->contract_size = oi_decimal_from(sizes[i].mantissa, sizes[i].exponent);
        instrument->expiry = expiry;
        instrument->is_provisional = false;
    }
}

static enum oi_status
take(struct oi_reader *reader, const struct parts *parts, struct oi_error *error)
{
    struct oi_archive_row row = { .line = parts->figure.line, .reading = OI_OBSERVATION_NONE };
    struct oi_field name = parts->month;
    char symbol[OI_NAME_SIZE];

    if (!find_close(oi_reader_state(reader), parts->date.text, true, &row.reading.time)) {
        oi_reader_refuse(reader, &parts->date, "no date");
        return OI_OK;
    }
    if (!make_symbol(parts->root, parts->month.text, symbol)) {
        oi_reader_refuse(reader, &parts->month,
                         "no month of a contract that is known by its month");
        return OI_OK;
    }
    name.text = oi_slice_of(symbol);
    if (!oi_reader_market_by_key(reader, &name, EXCHANGE, PRODUCT, &row.market) ||
        !oi_reader_figure(reader, &parts->figure, &row.reading.open_interest) ||
        !oi_reader_decimal(reader, &parts->price, &row.reading.last_price))
        return OI_OK;
    define(oi_reader_state(reader), parts, oi_reader_market_facts(reader, row.market));
    return oi_reader_take(reader, &row, error);
}

/* The row's settlement price is of the day after the figure's, and left out. */
static enum oi_status
read_settlement(struct oi_reader *reader, const struct oi_record *record, const struct state *state,
                struct oi_error *error)
{
    struct oi_field product = oi_field_of(record, state->product, "Sym");
    struct oi_field type = oi_field_of(record, state->type, "SecTyp");
    struct oi_field last_day = oi_field_of(record, state->last_day, "LastTrdDt");
    const struct parts parts = { .date = oi_field_of(record, state->date, "BizDt"),
                                 .month = oi_field_of(record, state->month, "MMY"),
                                 .figure = oi_field_of(record, state->figure, "PrevDayOI"),
                                 .root = product.text,
                                 .last_day = last_day.text };

    if (!oi_slice_is(type.text, "FUT")) {
        oi_reader_refuse(reader, &type, "of this file futures alone are read");
        return OI_OK;
    }
    if (!is_root(product.text)) {
        oi_reader_refuse(reader, &product, "no product");
        return OI_OK;
    }
    return take(reader, &parts, error);
}

/* A part that the file's name tells. */
static struct oi_field
field_of_name(const struct oi_record *record, const struct state *state)
{
    return (struct oi_field){ record->line, "file", oi_slice_of(state->file_date) };
}

/* "20260106 00:00,5811" */
static enum oi_status
read_contract(struct oi_reader *reader, const struct oi_record *record, const struct state *state,
              struct oi_error *error)
{
    const struct parts parts = { .date = oi_field_of(record, 0, "time"),
                                 .month = field_of_name(record, state),
                                 .figure = oi_field_of(record, 1, "open_interest"),
                                 .root = oi_slice_of(state->root) };

    /* Files by the hour do not say in which zone. */
    if (!oi_slice_ends_with(parts.date.text, " 00:00")) {
        oi_reader_refuse(reader, &parts.date, "not the daily form: a time of day without a zone");
        return OI_OK;
    }
    return take(reader, &parts, error);
}

static enum oi_status
read_universe(struct oi_reader *reader, const struct oi_record *record, const struct state *state,
              struct oi_error *error)
{
    const struct parts parts = { .date = field_of_name(record, state),
                                 .month = oi_field_of(record, state->month, "#expiry"),
                                 .figure = oi_field_of(record, state->figure, "open_interest"),
                                 .price = oi_field_of(record, state->price, "close"),
                                 .root = oi_slice_of(state->root) };

    return take(reader, &parts, error);
}

static enum oi_status
read(struct oi_reader *reader, const struct oi_record *record, struct oi_error *error)
{
    const struct state *state = oi_reader_state(reader);

    switch (state->form) {
    case FORM_SETTLEMENT:
        return read_settlement(reader, record, state, error);
    case FORM_CONTRACT:
        return read_contract(reader, record, state, error);
    case FORM_UNIVERSE:
        return read_universe(reader, record, state, error);
    }
    return OI_E_CORRUPT; /* no such form */
}

static enum oi_status
find_settlement(struct state *state, const struct oi_record *header, struct oi_error *error)
{
    state->form = FORM_SETTLEMENT;
    OI_TRY(oi_reader_need(header, "BizDt", &state->date, error));
    OI_TRY(oi_reader_need(header, "Sym", &state->product, error));
    OI_TRY(oi_reader_need(header, "SecTyp", &state->type, error));
    OI_TRY(oi_reader_need(header, "MMY", &state->month, error));
    state->last_day = oi_reader_column(header, "LastTrdDt");
    return oi_reader_need(header, "PrevDayOI", &state->figure, error);
}

static enum oi_status
find_universe(struct state *state, const struct oi_record *header, const char *name,
              struct oi_error *error)
{
    state->form = FORM_UNIVERSE;
    OI_TRY(oi_reader_need(header, "#expiry", &state->month, error));
    OI_TRY(oi_reader_need(header, "close", &state->price, error));
    OI_TRY(oi_reader_need(header, "open_interest", &state->figure, error));
    if (!read_name(state, name, "_universe_", 8))
        return oi_fail(error, OI_E_INVALID,
                       "its name must tell product and date: es_universe_20260102.csv");
    return OI_OK;
}

static enum oi_status
begin(struct oi_reader *reader, const struct oi_record *header, struct oi_error *error)
{
    const char *name = oi_reader_options(reader)->file_name;
    struct state state = {};
    struct state *kept;
    bool has_header = true;

    OI_TRY(load_zone(reader, &state.zone, error));
    if (oi_reader_column(header, "BizDt") != OI_COLUMN_NONE) {
        OI_TRY(find_settlement(&state, header, error));
    } else if (oi_reader_column(header, "#expiry") != OI_COLUMN_NONE) {
        OI_TRY(find_universe(&state, header, name, error));
    } else if (header->count == 2 && read_name(&state, name, "_openinterest_", 6)) {
        state.form = FORM_CONTRACT;
        has_header = false;
    } else {
        return oi_fail(error, OI_E_INVALID,
                       "neither a settlement file (BizDt, Sym, ...) nor one of Lean's "
                       "(es_openinterest_202603.csv, es_universe_20260102.csv)");
    }
    kept = oi_alloc(sizeof(*kept));
    *kept = state;
    oi_reader_set_state(reader, kept);
    return has_header ? OI_OK : read(reader, header, error);
}

#define FEED "archive:cme"
static const struct oi_convention conventions[] = {
    { .feed = FEED,
      .sides = 1,
      .unit = OI_UNIT_CONTRACTS,
      .label = OI_LABEL_INSTANT,
      .cadence_ns = OI_DAY,
      .restates = true,
      .is_daily = true,
      .evidence =
          "https://cmegroupclientsite.atlassian.net (DataMine, settlements): PrevDayOI; one "
          "side by common usage" },
};

static const struct oi_convention_page pages[] = {
    { .exchange = EXCHANGE, .conventions = conventions, .count = OI_COUNT(conventions) },
};

const struct oi_archive oi_archive_cme = {
    .name = "cme",
    .full_name = "CME settlement files, and Lean's",
    .feed = FEED,
    .cadence_ns = OI_DAY,
    .restates = true,
    .pages = pages,
    .page_count = OI_COUNT(pages),
    .begin = begin,
    .read = read,
    .end = oi_free,
};
