/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Coin Metrics' market-openinterest, as its API gives it in csv and json_stream (a line of JSON for
 * each row): market, time, contract_count, value_usd, database_time, exchange_time. database_time
 * is when they had it, so that a later one revises an earlier one.
 */
#include "archives/archive_internal.h"

enum column {
    MARKET,
    TIME,
    CONTRACT_COUNT,
    VALUE_USD,
    DATABASE_TIME,
    EXCHANGE_TIME,
    COLUMNS,
};

static const char *const column_names[COLUMNS] = {
    [MARKET] = "market",
    [TIME] = "time",
    [CONTRACT_COUNT] = "contract_count",
    [VALUE_USD] = "value_usd",
    [DATABASE_TIME] = "database_time",
    [EXCHANGE_TIME] = "exchange_time",
};

struct state {
    size_t columns[COLUMNS];
};

static enum oi_status
begin(struct oi_reader *reader, const struct oi_record *header, struct oi_error *error)
{
    struct state state, *kept;

    for (size_t i = 0; i < COLUMNS; i++) {
        if (i <= CONTRACT_COUNT)
            OI_TRY(oi_reader_need(header, column_names[i], &state.columns[i], error));
        else
            state.columns[i] = oi_reader_column(header, column_names[i]);
    }
    kept = oi_alloc(sizeof(*kept));
    *kept = state;
    oi_reader_set_state(reader, kept);
    return OI_OK;
}

static enum oi_status
take(struct oi_reader *reader, const struct oi_field fields[COLUMNS], struct oi_error *error)
{
    static const struct oi_time_style utc = { .is_utc = true };
    struct oi_archive_row row = { .line = fields[TIME].line, .reading = OI_OBSERVATION_NONE };
    struct oi_observation *reading = &row.reading;

    if (!oi_reader_market_by_id(reader, &fields[MARKET], fields[MARKET].text, &row.market) ||
        !oi_reader_time(reader, &fields[TIME], &utc, &reading->time) ||
        !oi_reader_figure(reader, &fields[CONTRACT_COUNT], &reading->open_interest) ||
        !oi_reader_decimal(reader, &fields[VALUE_USD], &reading->value_usd) ||
        !oi_reader_time_optional(reader, &fields[DATABASE_TIME], &utc, &reading->known_time) ||
        !oi_reader_time_optional(reader, &fields[EXCHANGE_TIME], &utc, &reading->exchange_time))
        return OI_OK;
    return oi_reader_take(reader, &row, error);
}

static enum oi_status
read(struct oi_reader *reader, const struct oi_record *record, struct oi_error *error)
{
    const struct state *state = oi_reader_state(reader);
    struct oi_field fields[COLUMNS];

    for (size_t i = 0; i < COLUMNS; i++)
        fields[i] = oi_field_of(record, state->columns[i], column_names[i]);
    return take(reader, fields, error);
}

static enum oi_status
read_json(struct oi_reader *reader, uint64_t line, const struct oi_json_node *object,
          struct oi_error *error)
{
    struct oi_field fields[COLUMNS];

    if (oi_json_member(object, "data"))
        return oi_fail(error, OI_E_INVALID,
                       "a page of the API, not a stream of rows: fetch it with "
                       "format=json_stream or format=csv");
    for (size_t i = 0; i < COLUMNS; i++)
        fields[i] = (struct oi_field){
            .line = line,
            .name = column_names[i],
            .text = oi_json_text(oi_json_member(object, column_names[i])),
        };
    return take(reader, fields, error);
}

#define FEED "archive:coinmetrics"

/* They pass on the exchange's own sides, whichever these are. */
static const struct oi_convention conventions[] = {
    { .feed = FEED,
      .sides = 0,
      .unit = OI_UNIT_CONTRACTS,
      .label = OI_LABEL_INSTANT,
      .cadence_ns = OI_MINUTE,
      .restates = true,
      .evidence = "https://docs.coinmetrics.io/api/v4/#tag/Market-open-interest" },
};

static const struct oi_convention_page pages[] = {
    { .exchange = NULL, .conventions = conventions, .count = OI_COUNT(conventions) },
};

const struct oi_archive oi_archive_coinmetrics = {
    .name = "coinmetrics",
    .full_name = "Coin Metrics market-openinterest",
    .feed = FEED,
    .cadence_ns = OI_MINUTE,
    .restates = true,
    .pages = pages,
    .page_count = OI_COUNT(pages),
    .begin = begin,
    .read = read,
    .read_json = read_json,
    .end = oi_free,
};
