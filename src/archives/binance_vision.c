/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binance Vision's daily metrics of USDT-M and COIN-M futures: a figure every five minutes.
 *
 * The meaning of create_time changed with the USDT-M file of 2026-06-25
 * (github.com/binance/binance-public-data/issues/491): before it the labels run from 00:05 to 00:00
 * of the next day and name the instant of the figure; from it on they run from 00:00 to 23:55 and
 * the figure is of about five minutes later. COIN-M labels were always starts. The reading's time
 * is the instant either way, and the label is kept as the exchange's own time.
 */
#include "archives/archive_internal.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

/* 2026-06-25 00:00 UTC: on this border stands the last label of the old era and the first of the
 * new one. */
#define ERA_START (OI_SECOND * INT64_C(1'782'345'600))
#define STEP (5 * OI_MINUTE)

enum era {
    ERA_UNKNOWN = 0, /* each label by itself */
    ERA_INSTANT,
    ERA_START_LABELS,
};

struct state {
    size_t time, symbol, open_interest, value;
    enum era file_era;
    oi_time last_label; /* of a USDT-M row, or NONE */
};

/* What the date in a name like BTCUSDT-metrics-2026-06-25.csv says. */
static enum era
era_of_name(const char *name)
{
    static const char pattern[] = "-metrics-";
    const char *date = name ? strstr(name, pattern) : NULL;
    struct oi_slice text;
    oi_time time;

    if (!date || strlen(date) < sizeof(pattern) - 1 + 10)
        return ERA_UNKNOWN;
    text = (struct oi_slice){ date + sizeof(pattern) - 1, 10 };
    /* A part of a day has been taken out of its file: its labels may be of any kind. */
    if (oi_time_parse_utc(text, &time, NULL) != OI_OK)
        return ERA_UNKNOWN;
    return time < ERA_START ? ERA_INSTANT : ERA_START_LABELS;
}

static enum oi_status
begin(struct oi_reader *reader, const struct oi_record *header, struct oi_error *error)
{
    struct state state = { .last_label = OI_TIME_NONE,
                           .file_era = era_of_name(oi_reader_options(reader)->file_name) };
    struct state *kept;

    OI_TRY(oi_reader_need(header, "create_time", &state.time, error));
    OI_TRY(oi_reader_need(header, "symbol", &state.symbol, error));
    OI_TRY(oi_reader_need(header, "sum_open_interest", &state.open_interest, error));
    OI_TRY(oi_reader_need(header, "sum_open_interest_value", &state.value, error));
    kept = oi_alloc(sizeof(*kept));
    *kept = state;
    oi_reader_set_state(reader, kept);
    return OI_OK;
}

/* Is this label the start of the five minutes at whose end the figure was taken? */
static bool
is_start(struct state *state, oi_time label, bool is_coinm)
{
    oi_time before = state->last_label;

    if (is_coinm)
        return true;
    state->last_label = label;
    if (state->file_era != ERA_UNKNOWN)
        return state->file_era == ERA_START_LABELS;
    /* Days one after the other in one file: 00:00 behind the day before is its last label. */
    if (label == ERA_START)
        return before == OI_TIME_NONE || before >= label;
    return label > ERA_START;
}

static enum oi_status
read(struct oi_reader *reader, const struct oi_record *record, struct oi_error *error)
{
    static const struct oi_time_style utc = { .is_utc = true };
    struct state *state = oi_reader_state(reader);
    struct oi_field time = oi_field_of(record, state->time, "create_time");
    struct oi_field symbol = oi_field_of(record, state->symbol, "symbol");
    struct oi_field figure = oi_field_of(record, state->open_interest, "sum_open_interest");
    struct oi_field value = oi_field_of(record, state->value, "sum_open_interest_value");
    struct oi_archive_row row = { .line = record->line, .reading = OI_OBSERVATION_NONE };
    char name[OI_SYMBOL_SIZE];
    bool is_coinm;
    oi_time label;

    if (!oi_reader_time(reader, &time, &utc, &label))
        return OI_OK;
    (void) snprintf(name, sizeof(name), "%.*s", OI_SLICE_ARGS(symbol.text));
    is_coinm = fnmatch("*USD_*", name, 0) == 0;
    row.reading.exchange_time = label;
    row.reading.time = is_start(state, label, is_coinm) ? label + STEP : label;
    if (!oi_reader_market_by_key(reader, &symbol, "binance", is_coinm ? "coinm" : "usdm",
                                 &row.market) ||
        !oi_reader_figure(reader, &figure, &row.reading.open_interest))
        return OI_OK;
    /* Of COIN-M the value is in the coin: it is no USD figure, and contracts times the contract's
     * size says the same. */
    if (!is_coinm && !oi_reader_decimal(reader, &value, &row.reading.value_usd))
        return OI_OK;
    return oi_reader_take(reader, &row, error);
}

#define FEED "archive:binance-vision"
#define PAGE "https://github.com/binance/binance-public-data/issues/491"

/* In order of time. Files are published again later (issues 287, 484), so the feed restates. */
static const struct oi_convention conventions[] = {
    { .product = "usdm",
      .feed = FEED,
      .sides = 1,
      .unit = OI_UNIT_COINS,
      .label = OI_LABEL_INSTANT,
      .cadence_ns = STEP,
      .restates = true,
      .evidence = PAGE },
    { .product = "usdm",
      .feed = FEED,
      .since = ERA_START,
      .sides = 1,
      .unit = OI_UNIT_COINS,
      .label = OI_LABEL_START,
      .cadence_ns = STEP,
      .restates = true,
      .evidence = PAGE },
    { .product = "coinm",
      .feed = FEED,
      .sides = 1,
      .unit = OI_UNIT_CONTRACTS,
      .label = OI_LABEL_START,
      .cadence_ns = STEP,
      .restates = true,
      .evidence = PAGE },
};

static const struct oi_convention_page pages[] = {
    { .exchange = "binance", .conventions = conventions, .count = OI_COUNT(conventions) },
};

const struct oi_archive oi_archive_binance_vision = {
    .name = "binance-vision",
    .full_name = "Binance Vision daily metrics",
    .feed = FEED,
    .cadence_ns = STEP,
    .restates = true,
    .pages = pages,
    .page_count = OI_COUNT(pages),
    .begin = begin,
    .read = read,
    .end = oi_free,
};
