/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any table with a mapping. One record yields a reading for each column with open interest; its
 * market and unit come from the column, from the row by a template, a map or a condition, or from
 * the whole file.
 */
#include "archives/archive_internal.h"

#include "base/alloc.h"
#include "base/buffer.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

/* A market's id and what it is made of stay far below this. */
#define TEXT_SIZE_MAX ((size_t) 512)

/* A condition with the place of its column. */
struct condition {
    size_t column;
    const char *pattern;
};

/* A piece of a template: text as it stands, or a column's value. */
struct piece {
    const char *text;
    size_t column; /* OI_COLUMN_NONE: text */
};

struct template
{
    const char *name; /* as it was given; NULL: none */
    OI_VECTOR(struct piece) pieces;
};

struct source {
    size_t column;
    const struct oi_mapping_column *mapping;
    struct template market;
};

struct state {
    struct oi_arena arena;
    size_t time, known_time, exchange_time, map, value, mark, index, last;
    struct oi_time_style time_style, known_style, exchange_style;
    OI_VECTOR(struct source) sources;
    struct template market;
    OI_VECTOR(struct condition) conditions; /* of all rules, one after the other */
    struct oi_buffer text;
};

static void
end(void *context)
{
    struct state *state = context;

    for (size_t i = 0; i < state->sources.count; i++)
        oi_vector_release(&state->sources.items[i].market.pieces);
    oi_vector_release(&state->sources);
    oi_vector_release(&state->market.pieces);
    oi_vector_release(&state->conditions);
    oi_buffer_release(&state->text);
    oi_arena_release(&state->arena);
    oi_free(state);
}

/*
 * The header.
 */

static enum oi_status
find_optional(const struct oi_record *header, const char *name, size_t *ret_column,
              struct oi_error *error)
{
    *ret_column = OI_COLUMN_NONE;
    return name ? oi_reader_need(header, name, ret_column, error) : OI_OK;
}

/* "hyperliquid-{coin}-future" into its pieces. */
static enum oi_status
compile(struct state *state, const char *name, const struct oi_record *header,
        struct template *template, struct oi_error *error)
{
    const char *at = name;

    template->name = name;
    while (at && *at) {
        size_t size = strcspn(at, "{");
        struct piece piece = { .column = OI_COLUMN_NONE };

        if (size > 0) {
            piece.text = oi_arena_copy(&state->arena, (struct oi_slice){ at, size });
            oi_vector_push(&template->pieces, piece);
            at += size;
            continue;
        }
        size = strcspn(at, "}");
        if (at[size] == '\0')
            return oi_fail(error, OI_E_INVALID, "a { without its } in the market \"%.80s\"", name);
        piece.text = oi_arena_copy(&state->arena, (struct oi_slice){ at + 1, size - 1 });
        OI_TRY(oi_reader_need(header, piece.text, &piece.column, error));
        oi_vector_push(&template->pieces, piece);
        at += size + 1;
    }
    return OI_OK;
}

/* A header with a high and a low is one of candles: which column is meant, and what its instant is,
 * only a person can say. */
static enum oi_status
check_candles(const struct oi_mapping *mapping, const struct oi_record *header,
              struct oi_error *error)
{
    bool has_high = false, has_low = false;

    for (size_t i = 0; i < header->count; i++) {
        struct oi_slice name = header->fields[i];

        has_high = has_high || oi_slice_equal_ignoring_case(name, OI_SLICE("high")) ||
                   oi_slice_starts_with(name, "high_") || oi_slice_ends_with(name, "_high");
        has_low = has_low || oi_slice_equal_ignoring_case(name, OI_SLICE("low")) ||
                  oi_slice_starts_with(name, "low_") || oi_slice_ends_with(name, "_low");
    }
    if (!has_high || !has_low || (mapping->has_instant && mapping->columns.count == 1))
        return OI_OK;
    return oi_fail(error, OI_E_INVALID,
                   "candles are not imported as they are: name one column with --oi and the "
                   "instant of its figure with --instant (start, or how long after the label)");
}

static enum oi_status
find_zone(struct oi_reader *reader, struct oi_time_style *style, struct oi_error *error)
{
    const struct oi_archive_options *options = oi_reader_options(reader);
    const char *zone = options->mapping->zone;

    if (!zone)
        return OI_OK;
    if (strcmp(zone, "UTC") == 0 || strcmp(zone, "Z") == 0) {
        style->is_utc = true;
        return OI_OK;
    }
    if (!options->zones)
        return oi_fail(error, OI_E_NOT_FOUND, "no zone %.40s: there is no time zone database",
                       zone);
    return options->zones->load(options->zones, oi_slice_of(zone), &style->zone, error);
}

static enum oi_status
find_times(struct oi_reader *reader, struct state *state, const struct oi_record *header,
           struct oi_error *error)
{
    const struct oi_mapping *mapping = oi_reader_options(reader)->mapping;

    OI_TRY(find_zone(reader, &state->time_style, error));
    state->known_style = state->exchange_style = state->time_style;
    state->time_style.format = mapping->time.format;
    state->known_style.format = mapping->known_time.format;
    state->exchange_style.format = mapping->exchange_time.format;
    OI_TRY(find_optional(header, mapping->time.column, &state->time, error));
    OI_TRY(find_optional(header, mapping->known_time.column, &state->known_time, error));
    return find_optional(header, mapping->exchange_time.column, &state->exchange_time, error);
}

static enum oi_status
find_sources(struct state *state, const struct oi_mapping *mapping, const struct oi_record *header,
             struct oi_error *error)
{
    OI_TRY(compile(state, mapping->market, header, &state->market, error));
    for (size_t i = 0; i < mapping->columns.count; i++) {
        const struct oi_mapping_column *column = &mapping->columns.items[i];
        struct source *source = oi_vector_add(&state->sources);

        source->mapping = column;
        OI_TRY(oi_reader_need(header, column->column, &source->column, error));
        OI_TRY(compile(state, column->market, header, &source->market, error));
    }
    for (size_t i = 0; i < mapping->rules.count; i++) {
        const struct oi_mapping_rule *rule = &mapping->rules.items[i];

        for (size_t j = 0; j < rule->condition_count; j++) {
            struct condition condition = { .pattern = rule->conditions[j].pattern };

            OI_TRY(oi_reader_need(header, rule->conditions[j].column, &condition.column, error));
            oi_vector_push(&state->conditions, condition);
        }
    }
    return OI_OK;
}

static enum oi_status
begin(struct oi_reader *reader, const struct oi_record *header, struct oi_error *error)
{
    const struct oi_mapping *mapping = oi_reader_options(reader)->mapping;
    struct state *state;

    if (!mapping)
        return oi_fail(error, OI_E_INVALID, "a table needs a mapping of its columns");
    OI_TRY(check_candles(mapping, header, error));
    state = oi_alloc_zero(1, sizeof(*state));
    state->text.size_max = TEXT_SIZE_MAX;
    oi_reader_set_state(reader, state);
    OI_TRY(find_times(reader, state, header, error));
    OI_TRY(find_optional(header, mapping->map_column, &state->map, error));
    OI_TRY(find_optional(header, mapping->value_column, &state->value, error));
    OI_TRY(find_optional(header, mapping->mark_column, &state->mark, error));
    OI_TRY(find_optional(header, mapping->index_column, &state->index, error));
    OI_TRY(find_optional(header, mapping->last_column, &state->last, error));
    OI_TRY(find_sources(state, mapping, header, error));
    return OI_OK;
}

/*
 * A record.
 */

static bool
read_times(struct oi_reader *reader, const struct oi_record *record, struct oi_observation *reading)
{
    const struct oi_mapping *mapping = oi_reader_options(reader)->mapping;
    struct state *state = oi_reader_state(reader);
    struct oi_field time = oi_field_of(record, state->time, mapping->time.column);
    struct oi_field known = oi_field_of(record, state->known_time, mapping->known_time.column);
    struct oi_field exchange =
        oi_field_of(record, state->exchange_time, mapping->exchange_time.column);

    reading->time = mapping->at;
    if (state->time != OI_COLUMN_NONE &&
        !oi_reader_time(reader, &time, &state->time_style, &reading->time))
        return false;
    if (__builtin_add_overflow(reading->time, mapping->instant_ns, &reading->time)) {
        oi_reader_refuse(reader, &time, "a time outside the years 1677 to 2262");
        return false;
    }
    return oi_reader_time_optional(reader, &known, &state->known_style, &reading->known_time) &&
           oi_reader_time_optional(reader, &exchange, &state->exchange_style,
                                   &reading->exchange_time);
}

static bool
read_prices(struct oi_reader *reader, const struct oi_record *record,
            struct oi_observation *reading)
{
    const struct oi_mapping *mapping = oi_reader_options(reader)->mapping;
    struct state *state = oi_reader_state(reader);
    struct oi_field value = oi_field_of(record, state->value, mapping->value_column);
    struct oi_field mark = oi_field_of(record, state->mark, mapping->mark_column);
    struct oi_field index = oi_field_of(record, state->index, mapping->index_column);
    struct oi_field last = oi_field_of(record, state->last, mapping->last_column);

    return oi_reader_decimal(reader, &value, &reading->value_usd) &&
           oi_reader_decimal(reader, &mark, &reading->mark_price) &&
           oi_reader_decimal(reader, &index, &reading->index_price) &&
           oi_reader_decimal(reader, &last, &reading->last_price);
}

/* The first rule whose conditions all hold, or NULL. */
static const struct oi_mapping_rule *
find_rule(const struct oi_mapping *mapping, const struct state *state,
          const struct oi_record *record)
{
    const struct condition *condition = state->conditions.items;

    for (size_t i = 0; i < mapping->rules.count; i++) {
        const struct oi_mapping_rule *rule = &mapping->rules.items[i];
        size_t held = 0;

        for (size_t j = 0; j < rule->condition_count; j++) {
            char text[TEXT_SIZE_MAX];

            (void) snprintf(text, sizeof(text), "%.*s",
                            OI_SLICE_ARGS(record->fields[condition[j].column]));
            held += fnmatch(condition[j].pattern, text, 0) == 0;
        }
        if (held == rule->condition_count)
            return rule;
        condition += rule->condition_count;
    }
    return NULL;
}

/* The template with this record's values; what stands before the first dash or colon names the
 * exchange and is lower case. False, and refused, where a value is missing. */
static bool
fill(struct oi_reader *reader, const struct template *template, const struct oi_record *record)
{
    struct state *state = oi_reader_state(reader);
    struct oi_buffer *text = &state->text;
    bool is_exchange = true;

    oi_buffer_clear(text);
    text->overflowed = false;
    for (size_t i = 0; i < template->pieces.count; i++) {
        const struct piece *piece = &template->pieces.items[i];
        struct oi_slice part = oi_slice_of(piece->text);

        if (piece->column != OI_COLUMN_NONE) {
            struct oi_field field = oi_field_of(record, piece->column, piece->text);

            part = oi_slice_trim(field.text);
            if (part.size == 0) {
                oi_reader_refuse(reader, &field, "empty, but the market's name is made of it");
                return false;
            }
        }
        for (size_t j = 0; j < part.size; j++) {
            char byte = part.data[j];

            is_exchange = is_exchange && byte != '-' && byte != ':';
            if (is_exchange && byte >= 'A' && byte <= 'Z')
                byte = (char) (byte - 'A' + 'a');
            oi_buffer_add_char(text, byte);
        }
    }
    return true;
}

/* The market of one column of a record, and its unit if the map gives one. */
static bool
find_market(struct oi_reader *reader, const struct source *source, const struct oi_record *record,
            struct oi_archive_row *row)
{
    const struct oi_mapping *mapping = oi_reader_options(reader)->mapping;
    struct state *state = oi_reader_state(reader);
    const struct template *template = source->market.name ? &source->market : &state->market;
    struct oi_field field = oi_field_of(record, source->column, source->mapping->column);

    if (mapping->map && !source->market.name) {
        const struct oi_mapping_target *target;
        uint64_t index = 0;

        field = oi_field_of(record, state->map, mapping->map_column);
        if (oi_map_get(mapping->map, field.text, &index)) {
            target = &mapping->targets.items[index];
            row->unit = target->unit;
            return oi_reader_market_by_id(reader, &field, oi_slice_of(target->market),
                                          &row->market);
        }
        if (!mapping->market) {
            oi_reader_refuse(reader, &field, "the map has no market for it");
            return false;
        }
    }
    if (!fill(reader, template, record))
        return false;
    if (template->pieces.count > 1)
        field.text = oi_buffer_slice(&state->text);
    return oi_reader_market_by_id(reader, &field, oi_buffer_slice(&state->text), &row->market);
}

/* The unit of one figure, most particular first: the row's, the map's, the column's, the file's. */
static bool
find_unit(struct oi_reader *reader, const struct oi_mapping_rule *rule,
          const struct oi_field *figure, const struct source *source, struct oi_archive_row *row)
{
    const struct oi_mapping *mapping = oi_reader_options(reader)->mapping;

    if (rule && rule->unit == OI_UNIT_UNKNOWN) {
        oi_reader_refuse(reader, figure, "its unit is none of contracts, coins and USD");
        return false;
    }
    if (rule)
        row->unit = rule->unit;
    if (row->unit == OI_UNIT_UNKNOWN)
        row->unit = source->mapping->unit;
    if (row->unit == OI_UNIT_UNKNOWN)
        row->unit = mapping->unit;
    if (row->unit != OI_UNIT_UNKNOWN)
        return true;
    oi_reader_refuse(reader, figure, "nothing says its unit");
    return false;
}

static enum oi_status
read(struct oi_reader *reader, const struct oi_record *record, struct oi_error *error)
{
    const struct oi_mapping *mapping = oi_reader_options(reader)->mapping;
    struct state *state = oi_reader_state(reader);
    struct oi_archive_row row = { .line = record->line, .reading = OI_OBSERVATION_NONE };
    const struct oi_mapping_rule *rule = find_rule(mapping, state, record);

    if (!read_times(reader, record, &row.reading) || !read_prices(reader, record, &row.reading))
        return OI_OK;
    for (size_t i = 0; i < state->sources.count; i++) {
        const struct source *source = &state->sources.items[i];
        struct oi_field figure = oi_field_of(record, source->column, source->mapping->column);

        row.unit = OI_UNIT_UNKNOWN;
        if (oi_reader_figure(reader, &figure, &row.reading.open_interest) &&
            find_market(reader, source, record, &row) &&
            find_unit(reader, rule, &figure, source, &row))
            OI_TRY(oi_reader_take(reader, &row, error));
    }
    return OI_OK;
}

static bool
add_key(struct oi_table_plan *plan, size_t column)
{
    for (size_t i = 0; i < plan->key_count; i++)
        if (plan->keys[i] == column)
            return true;
    if (column == OI_COLUMN_NONE)
        return true;
    if (plan->key_count == OI_TABLE_KEYS_MAX)
        return false;
    plan->keys[plan->key_count++] = column;
    return true;
}

bool
oi_csv_plan(const struct oi_reader *reader, struct oi_table_plan *ret_plan)
{
    const struct oi_mapping *mapping = oi_reader_options(reader)->mapping;
    const struct state *state = oi_reader_state(reader);
    struct oi_table_plan plan = { .at = mapping->at, .instant_ns = mapping->instant_ns };
    bool fits = state->sources.count == 1;

    if (!fits)
        return false;
    plan.time = state->time;
    plan.known_time = state->known_time;
    plan.exchange_time = state->exchange_time;
    plan.time_style = state->time_style;
    plan.known_style = state->known_style;
    plan.exchange_style = state->exchange_style;
    plan.figures[0] = state->sources.items[0].column;
    plan.figures[1] = state->value;
    plan.figures[2] = state->mark;
    plan.figures[3] = state->index;
    plan.figures[4] = state->last;
    fits = add_key(&plan, state->map);
    for (size_t i = 0; i < state->market.pieces.count; i++)
        fits = fits && add_key(&plan, state->market.pieces.items[i].column);
    for (size_t i = 0; i < state->sources.items[0].market.pieces.count; i++)
        fits = fits && add_key(&plan, state->sources.items[0].market.pieces.items[i].column);
    for (size_t i = 0; i < state->conditions.count; i++)
        fits = fits && add_key(&plan, state->conditions.items[i].column);
    *ret_plan = plan;
    return fits;
}

const struct oi_archive oi_archive_csv = {
    .name = "csv",
    .full_name = "Any table, with a mapping of its columns",
    .begin = begin,
    .read = read,
    .end = end,
};
