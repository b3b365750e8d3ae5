/* SPDX-License-Identifier: Apache-2.0 */
/* Options as a person writes them become a mapping; every mistake is told with what was expected.
 */
#include "archives/mapping.h"

#include "archives/record.h"

#include <string.h>

void
oi_mapping_release(struct oi_mapping *mapping)
{
    oi_map_free(&mapping->map);
    oi_vector_release(&mapping->columns);
    oi_vector_release(&mapping->targets);
    oi_vector_release(&mapping->rules);
    oi_arena_release(&mapping->arena);
    *mapping = OI_MAPPING_NONE;
}

/* The last place of a character in a text, or its size. */
static size_t
last_of(struct oi_slice text, char character)
{
    const char *at = text.size ? memrchr(text.data, character, text.size) : NULL;

    return at ? (size_t) (at - text.data) : text.size;
}

static size_t
first_of(struct oi_slice text, char character)
{
    const char *at = text.size ? memchr(text.data, character, text.size) : NULL;

    return at ? (size_t) (at - text.data) : text.size;
}

/* Cut a text at a place into what is before and behind that character. */
static void
cut(struct oi_slice text, size_t at, struct oi_slice *ret_before, struct oi_slice *ret_behind)
{
    *ret_before = (struct oi_slice){ text.data, at };
    *ret_behind = (struct oi_slice){ text.data + at + 1, text.size - at - 1 };
}

static enum oi_status
set_text(struct oi_mapping *mapping, const char **field, struct oi_slice text,
         struct oi_error *error)
{
    if (text.size == 0)
        return oi_fail(error, OI_E_INVALID, "a name is missing");
    *field = oi_arena_copy(&mapping->arena, text);
    return OI_OK;
}

static enum oi_status
set_time(struct oi_mapping *mapping, struct oi_mapping_time *field, struct oi_slice text,
         struct oi_error *error)
{
    static const char *const formats[] = {
        [OI_TIME_FORMAT_ISO] = "iso", [OI_TIME_FORMAT_S] = "s",   [OI_TIME_FORMAT_MS] = "ms",
        [OI_TIME_FORMAT_US] = "us",   [OI_TIME_FORMAT_NS] = "ns",
    };
    struct oi_slice column = text, format;
    size_t colon = last_of(text, ':');

    field->format = OI_TIME_FORMAT_ISO;
    if (colon < text.size) {
        size_t i = 0;

        cut(text, colon, &column, &format);
        while (i < OI_COUNT(formats) && !oi_slice_is(format, formats[i]))
            i++;
        if (i == OI_COUNT(formats))
            return oi_fail(error, OI_E_INVALID,
                           "\"%.*s\" is no time format: give COLUMN:iso, :s, :ms, :us or :ns",
                           OI_SLICE_ARGS(format));
        field->format = (enum oi_time_format) i;
    }
    return set_text(mapping, &field->column, column, error);
}

static enum oi_status
set_delimiter(struct oi_mapping *mapping, struct oi_slice text, struct oi_error *error)
{
    if (oi_slice_is(text, "tab"))
        text = OI_SLICE("\t");
    if (text.size != 1 || strchr("\"\r\n.", text.data[0]))
        return oi_fail(error, OI_E_INVALID, "the delimiter is one character, or tab");
    mapping->delimiter = text.data[0];
    return OI_OK;
}

/* The column of that name, made if absent. */
static struct oi_mapping_column *
column_of(struct oi_mapping *mapping, struct oi_slice name)
{
    struct oi_mapping_column column = {};

    for (size_t i = 0; i < mapping->columns.count; i++)
        if (oi_slice_is(name, mapping->columns.items[i].column))
            return &mapping->columns.items[i];
    column.column = oi_arena_copy(&mapping->arena, name);
    oi_vector_push(&mapping->columns, column);
    return &mapping->columns.items[mapping->columns.count - 1];
}

static enum oi_status
set_column(struct oi_mapping *mapping, struct oi_slice text, bool is_unit, struct oi_error *error)
{
    struct oi_slice name, value;
    size_t equals = first_of(text, '=');

    if (equals == 0 || equals + 1 >= text.size)
        return oi_fail(error, OI_E_INVALID, "give COLUMN=%s", is_unit ? "UNIT" : "MARKET");
    cut(text, equals, &name, &value);
    if (is_unit) {
        enum oi_unit unit;

        OI_TRY(oi_unit_parse(value, &unit, error));
        column_of(mapping, name)->unit = unit;
    } else {
        column_of(mapping, name)->market = oi_arena_copy(&mapping->arena, value);
    }
    return OI_OK;
}

static enum oi_status
set_rule(struct oi_mapping *mapping, struct oi_slice text, struct oi_error *error)
{
    static const char usage[] = "give COLUMN=PATTERN[,COLUMN=PATTERN...]:UNIT, or :none";
    OI_VECTOR(struct oi_mapping_condition) conditions = {};
    struct oi_mapping_rule rule = {};
    struct oi_slice rest, unit, part;
    size_t colon = last_of(text, ':');

    if (colon == 0 || colon >= text.size)
        return oi_fail(error, OI_E_INVALID, "%s", usage);
    cut(text, colon, &rest, &unit);
    if (!oi_slice_is(unit, "none"))
        OI_TRY(oi_unit_parse(unit, &rule.unit, error));
    while (oi_slice_next_part(&rest, ',', &part)) {
        struct oi_mapping_condition condition;
        struct oi_slice column, pattern;
        size_t equals = first_of(part, '=');

        if (equals == 0 || equals >= part.size) {
            oi_vector_release(&conditions);
            return oi_fail(error, OI_E_INVALID, "%s", usage);
        }
        cut(part, equals, &column, &pattern);
        condition.column = oi_arena_copy(&mapping->arena, column);
        condition.pattern = oi_arena_copy(&mapping->arena, pattern);
        oi_vector_push(&conditions, condition);
    }
    rule.condition_count = conditions.count;
    rule.conditions = oi_arena_alloc(&mapping->arena, conditions.count * sizeof(*rule.conditions));
    if (conditions.count > 0)
        memcpy(rule.conditions, conditions.items, conditions.count * sizeof(*rule.conditions));
    oi_vector_release(&conditions);
    oi_vector_push(&mapping->rules, rule);
    return OI_OK;
}

static enum oi_status
set_instant(struct oi_mapping *mapping, struct oi_slice text, struct oi_error *error)
{
    mapping->instant_ns = 0;
    if (!oi_slice_is(text, "start"))
        OI_TRY(oi_interval_parse(text, &mapping->instant_ns, error));
    mapping->has_instant = true;
    return OI_OK;
}

static enum oi_status
set_sides(struct oi_mapping *mapping, struct oi_slice text, struct oi_error *error)
{
    if (!oi_slice_is(text, "1") && !oi_slice_is(text, "2"))
        return oi_fail(error, OI_E_INVALID, "sides are 1 or 2");
    mapping->sides = text.data[0] - '0';
    return OI_OK;
}

static enum oi_status
set_daily(struct oi_mapping *mapping, struct oi_slice text, struct oi_error *error)
{
    if (!oi_slice_is(text, "yes") && !oi_slice_is(text, "no"))
        return oi_fail(error, OI_E_INVALID, "give yes or no");
    mapping->is_daily = oi_slice_is(text, "yes");
    return OI_OK;
}

/* Options that are the name of a column or of something else. */
static bool
find_text_field(struct oi_mapping *mapping, const char *option, const char ***ret_field)
{
    const struct {
        const char *name;
        const char **field;
    } fields[] = {
        { "zone", &mapping->zone },
        { "market", &mapping->market },
        { "map-column", &mapping->map_column },
        { "value", &mapping->value_column },
        { "mark", &mapping->mark_column },
        { "index", &mapping->index_column },
        { "last", &mapping->last_column },
    };

    for (size_t i = 0; i < OI_COUNT(fields); i++) {
        if (strcmp(option, fields[i].name) != 0)
            continue;
        *ret_field = fields[i].field;
        return true;
    }
    return false;
}

static enum oi_status
set(struct oi_mapping *mapping, const char *option, struct oi_slice text, struct oi_error *error)
{
    const char **field;

    if (find_text_field(mapping, option, &field))
        return set_text(mapping, field, text, error);
    if (strcmp(option, "time") == 0)
        return set_time(mapping, &mapping->time, text, error);
    if (strcmp(option, "known-time") == 0)
        return set_time(mapping, &mapping->known_time, text, error);
    if (strcmp(option, "exchange-time") == 0)
        return set_time(mapping, &mapping->exchange_time, text, error);
    if (strcmp(option, "at") == 0)
        return oi_time_parse_utc(text, &mapping->at, error);
    if (strcmp(option, "delimiter") == 0)
        return set_delimiter(mapping, text, error);
    if (strcmp(option, "oi") == 0) {
        if (text.size == 0)
            return oi_fail(error, OI_E_INVALID, "a column's name is missing");
        (void) column_of(mapping, text);
        return OI_OK;
    }
    if (strcmp(option, "column") == 0 || strcmp(option, "column-unit") == 0)
        return set_column(mapping, text, strcmp(option, "column") != 0, error);
    if (strcmp(option, "unit") == 0)
        return oi_unit_parse(text, &mapping->unit, error);
    if (strcmp(option, "unit-when") == 0)
        return set_rule(mapping, text, error);
    if (strcmp(option, "instant") == 0)
        return set_instant(mapping, text, error);
    if (strcmp(option, "sides") == 0)
        return set_sides(mapping, text, error);
    if (strcmp(option, "every") == 0)
        return oi_interval_parse(text, &mapping->cadence_ns, error);
    if (strcmp(option, "daily") == 0)
        return set_daily(mapping, text, error);
    return oi_fail(error, OI_E_NOT_FOUND, "a mapping has no such option");
}

enum oi_status
oi_mapping_set(struct oi_mapping *mapping, const char *option, struct oi_slice text,
               struct oi_error *error)
{
    enum oi_status status = set(mapping, option, text, error);

    if (status != OI_OK)
        return oi_fail_in(error, status, "--%s: ", option);
    return OI_OK;
}

static enum oi_status
add_target(void *context, const struct oi_record *record, struct oi_error *error)
{
    struct oi_mapping *mapping = context;
    struct oi_mapping_target target = {};
    unsigned long long line = record->line;

    if (record->fields[0].size > 0 && record->fields[0].data[0] == '#')
        return OI_OK;
    if (record->fault)
        return oi_fail(error, OI_E_INVALID, "--map: line %llu: %s", line, record->fault);
    if (record->count < 2 || record->count > 3)
        return oi_fail(error, OI_E_INVALID, "--map: line %llu is not value,market[,unit]", line);
    if (record->count == 3 && oi_unit_parse(record->fields[2], &target.unit, error) != OI_OK)
        return oi_fail_in(error, OI_E_INVALID, "--map: line %llu: ", line);
    target.market = oi_arena_copy(&mapping->arena, record->fields[1]);
    oi_map_put(mapping->map, record->fields[0], mapping->targets.count);
    oi_vector_push(&mapping->targets, target);
    return OI_OK;
}

enum oi_status
oi_mapping_set_map(struct oi_mapping *mapping, struct oi_slice content, struct oi_error *error)
{
    struct oi_records *records;
    enum oi_status status;

    if (!mapping->map)
        mapping->map = oi_map_new();
    records = oi_records_new(',', add_target, mapping);
    status = oi_records_add(records, content, true, error);
    oi_records_free(&records);
    return status;
}

enum oi_status
oi_mapping_check(const struct oi_mapping *mapping, struct oi_error *error)
{
    bool has_unit = mapping->unit != OI_UNIT_UNKNOWN;

    if (!mapping->time.column && mapping->at == OI_TIME_NONE)
        return oi_fail(error, OI_E_INVALID,
                       "name the column that holds the time with --time COLUMN[:FORMAT]");
    if (mapping->columns.count == 0)
        return oi_fail(error, OI_E_INVALID,
                       "name the column that holds open interest with --oi COLUMN");
    if ((mapping->map != NULL) != (mapping->map_column != NULL))
        return oi_fail(error, OI_E_INVALID, "--map FILE and --map-column COLUMN go together");
    for (size_t i = 0; i < mapping->columns.count; i++) {
        const struct oi_mapping_column *column = &mapping->columns.items[i];

        if (!column->market && !mapping->market && !mapping->map)
            return oi_fail(error, OI_E_INVALID,
                           "say whose open interest column %s holds: --market ID, "
                           "--column %s=ID or --map FILE",
                           column->column, column->column);
        if (!has_unit && column->unit == OI_UNIT_UNKNOWN && mapping->rules.count == 0 &&
            !mapping->map)
            return oi_fail(error, OI_E_INVALID,
                           "say the unit of column %s with --unit contracts, coins or usd: "
                           "a figure of no known unit is not imported",
                           column->column);
    }
    return OI_OK;
}

bool
oi_mapping_has_several_units(const struct oi_mapping *mapping)
{
    unsigned units = 1u << mapping->unit;

    for (size_t i = 0; i < mapping->columns.count; i++)
        units |= 1u << mapping->columns.items[i].unit;
    for (size_t i = 0; i < mapping->rules.count; i++)
        units |= 1u << mapping->rules.items[i].unit;
    for (size_t i = 0; i < mapping->targets.count; i++)
        units |= 1u << mapping->targets.items[i].unit;
    units &= ~(1u << OI_UNIT_UNKNOWN);
    return (units & (units - 1)) != 0;
}
