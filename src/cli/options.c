/* SPDX-License-Identifier: Apache-2.0 */
/* Values with their origin. A nearer origin replaces everything a farther one said. */
#include "cli/options.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/vector.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Where the help text of an option begins, if its name leaves room. */
#define HELP_COLUMN 30
#define ENVIRONMENT_PREFIX "OI_"

struct values {
    OI_VECTOR(const char *) items;
    OI_VECTOR(const char *) places; /* of each */
    enum oi_origin origin;
    const char *place;
};

struct oi_options {
    const struct oi_option *table;
    size_t count;
    struct values *values; /* one for each option */
    OI_VECTOR(const char *) operands;
    bool wants_help;
    int argument_count;
    char **arguments;
    struct oi_arena arena;
};

struct oi_options *
oi_options_new(const struct oi_option *table, size_t count)
{
    struct oi_options *options = oi_alloc_zero(1, sizeof(*options));

    options->table = table;
    options->count = count;
    options->values = oi_alloc_zero(count, sizeof(*options->values));
    for (size_t i = 0; i < count; i++) {
        options->values[i].place = "default";
        if (!table[i].fallback)
            continue;
        oi_vector_push(&options->values[i].items, table[i].fallback);
        oi_vector_push(&options->values[i].places, "default");
    }
    return options;
}

void
oi_options_free(struct oi_options **options)
{
    if (!options || !*options)
        return;
    for (size_t i = 0; i < (*options)->count; i++) {
        oi_vector_release(&(*options)->values[i].items);
        oi_vector_release(&(*options)->values[i].places);
    }
    oi_vector_release(&(*options)->operands);
    oi_arena_release(&(*options)->arena);
    oi_free((*options)->values);
    oi_free(*options);
    *options = NULL;
}

size_t
oi_options_table(const struct oi_options *options, const struct oi_option **ret_table)
{
    *ret_table = options->table;
    return options->count;
}

static bool
is_true(struct oi_slice text)
{
    return oi_slice_is(text, "true") || oi_slice_is(text, "yes") || oi_slice_is(text, "1");
}

static bool
is_false(struct oi_slice text)
{
    return oi_slice_is(text, "false") || oi_slice_is(text, "no") || oi_slice_is(text, "0");
}

/* One value from an origin that may speak. */
static enum oi_status
add_value(struct oi_options *options, size_t index, struct oi_slice value, struct oi_error *error)
{
    struct values *values = &options->values[index];
    const struct oi_option *option = &options->table[index];

    if (value.size > OI_OPTION_VALUE_SIZE_MAX)
        return oi_fail(error, OI_E_INVALID, "%s is longer than %d characters", values->place,
                       OI_OPTION_VALUE_SIZE_MAX);
    if (!option->argument && !is_true(value) && !is_false(value))
        return oi_fail(error, OI_E_INVALID, "%s must be true or false, not \"%.*s\"", values->place,
                       OI_SLICE_ARGS(value));
    if (option->argument && value.size == 0 && !option->is_repeatable)
        return oi_fail(error, OI_E_INVALID, "%s has no value: give it %s", values->place,
                       option->argument);
    if (values->items.count >= OI_OPTION_VALUES_MAX)
        return oi_fail(error, OI_E_INVALID, "%s has more than %d values", values->place,
                       OI_OPTION_VALUES_MAX);
    oi_vector_push(&values->items, oi_arena_copy(&options->arena, value));
    oi_vector_push(&values->places, values->place);
    return OI_OK;
}

/* May this origin speak? Then what farther ones said is gone. */
static bool
begin_origin(struct values *values, enum oi_origin origin, const char *place)
{
    if (origin < values->origin)
        return false;
    if (origin > values->origin) {
        oi_vector_clear(&values->items);
        oi_vector_clear(&values->places);
    }
    values->origin = origin;
    values->place = place;
    return true;
}

static enum oi_status
set_flag(struct oi_options *options, size_t index, struct oi_slice value, struct oi_error *error)
{
    struct values *values = &options->values[index];
    const struct oi_option *option = &options->table[index];

    if (values->origin == OI_ORIGIN_FLAG && !option->is_repeatable)
        return oi_fail(error, OI_E_INVALID, "--%s is given twice", option->name);
    (void) begin_origin(values, OI_ORIGIN_FLAG,
                        oi_arena_format(&options->arena, "--%s", option->name));
    return add_value(options, index, value, error);
}

/* The option of a flag without its dashes, or `count`. `--no-x` is the switch x, off. */
static size_t
find_flag(const struct oi_options *options, struct oi_slice name, bool *ret_is_off)
{
    bool may_be_off = oi_slice_starts_with(name, "no-");

    *ret_is_off = false;
    for (size_t i = 0; i < options->count; i++)
        if (oi_slice_is(name, options->table[i].name) ||
            (options->table[i].also && oi_slice_is(name, options->table[i].also)))
            return i;
    for (size_t i = 0; may_be_off && i < options->count; i++) {
        struct oi_slice rest = { name.data + 3, name.size - 3 };

        if (options->table[i].argument || !oi_slice_is(rest, options->table[i].name))
            continue;
        *ret_is_off = true;
        return i;
    }
    return options->count;
}

/* One argument that begins with "--"; *at moves on when its value is the next argument. */
static enum oi_status
read_flag(struct oi_options *options, int count, char **arguments, int *at, struct oi_error *error)
{
    struct oi_slice rest = oi_slice_of(arguments[*at] + 2), name = rest, value = {};
    const char *equals = strchr(rest.data, '=');
    bool is_off;
    size_t index;

    if (equals) {
        name.size = (size_t) (equals - rest.data);
        value = oi_slice_of(equals + 1);
    }
    index = find_flag(options, name, &is_off);
    if (index == options->count)
        return oi_fail(error, OI_E_INVALID, "there is no option --%.*s", OI_SLICE_ARGS(name));
    if (!options->table[index].argument) {
        if (equals)
            return oi_fail(error, OI_E_INVALID, "--%.*s takes no value", OI_SLICE_ARGS(name));
        return set_flag(options, index, is_off ? OI_SLICE("false") : OI_SLICE("true"), error);
    }
    if (!equals) {
        if (*at + 1 >= count)
            return oi_fail(error, OI_E_INVALID, "--%s has no value: give it %s",
                           options->table[index].name, options->table[index].argument);
        value = oi_slice_of(arguments[++*at]);
    }
    return set_flag(options, index, value, error);
}

enum oi_status
oi_options_read_flags(struct oi_options *options, int count, char **arguments,
                      struct oi_error *error)
{
    bool only_operands = false;

    options->argument_count = count;
    options->arguments = arguments;
    for (int i = 0; i < count; i++) {
        const char *argument = arguments[i];

        if (only_operands || argument[0] != '-' || !argument[1]) {
            oi_vector_push(&options->operands, argument);
        } else if (strcmp(argument, "--") == 0) {
            only_operands = true;
        } else if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
            options->wants_help = true;
        } else if (argument[1] == '-') {
            OI_TRY(read_flag(options, count, arguments, &i, error));
        } else {
            return oi_fail(error, OI_E_INVALID, "there is no option %s", argument);
        }
    }
    return OI_OK;
}

int
oi_options_arguments(const struct oi_options *options, char ***ret_arguments)
{
    *ret_arguments = options->arguments;
    return options->argument_count;
}

bool
oi_options_wants_help(const struct oi_options *options)
{
    return options->wants_help;
}

enum oi_status
oi_options_set(struct oi_options *options, struct oi_slice setting, struct oi_slice value,
               enum oi_origin origin, const char *place, struct oi_error *error)
{
    for (size_t i = 0; i < options->count; i++) {
        const struct oi_option *option = &options->table[i];
        struct oi_slice part;

        if (!option->setting || !oi_slice_is(setting, option->setting))
            continue;
        if (!begin_origin(&options->values[i], origin,
                          oi_arena_copy(&options->arena, oi_slice_of(place))))
            return OI_OK;
        if (!option->is_repeatable) {
            oi_vector_clear(&options->values[i].items);
            oi_vector_clear(&options->values[i].places);
            return add_value(options, i, value, error);
        }
        if (option->is_line)
            return value.size > 0 ? add_value(options, i, value, error) : OI_OK;
        while (oi_slice_next_part(&value, ',', &part)) {
            part = oi_slice_trim(part);
            if (part.size > 0)
                OI_TRY(add_value(options, i, part, error));
        }
        return OI_OK;
    }
    return oi_fail(error, OI_E_NOT_FOUND, "there is no setting %.*s", OI_SLICE_ARGS(setting));
}

/* host_names is OI_HOST_NAMES. */
static bool
is_variable_of(struct oi_slice variable, const char *setting)
{
    size_t size = strlen(setting);

    if (variable.size != size)
        return false;
    for (size_t i = 0; i < size; i++)
        if (variable.data[i] != toupper((unsigned char) setting[i]))
            return false;
    return true;
}

enum oi_status
oi_options_read_environment(struct oi_options *options, char **environment, struct oi_error *error)
{
    const size_t prefix = sizeof(ENVIRONMENT_PREFIX) - 1;

    for (; *environment; environment++) {
        const char *equals = strchr(*environment, '=');
        struct oi_slice variable;

        if (!equals || strncmp(*environment, ENVIRONMENT_PREFIX, prefix) != 0)
            continue;
        variable =
            (struct oi_slice){ *environment + prefix, (size_t) (equals - *environment) - prefix };
        for (size_t i = 0; i < options->count; i++) {
            const char *setting = options->table[i].setting;
            const char *place;

            if (!setting || !is_variable_of(variable, setting))
                continue;
            place = oi_arena_format(&options->arena, ENVIRONMENT_PREFIX "%.*s",
                                    OI_SLICE_ARGS(variable));
            OI_TRY(oi_options_set(options, oi_slice_of(setting), oi_slice_of(equals + 1),
                                  OI_ORIGIN_ENVIRONMENT, place, error));
        }
    }
    return OI_OK;
}

/*
 * Reading.
 */

static const struct values *
values_of(const struct oi_options *options, const char *name)
{
    size_t index = 0;

    while (index < options->count && strcmp(options->table[index].name, name) != 0)
        index++;
    oi_assert(index < options->count); /* or the command asks for what its table does not have */
    return &options->values[index];
}

const char *
oi_options_text(const struct oi_options *options, const char *name)
{
    const struct values *values = values_of(options, name);

    return values->items.count > 0 ? values->items.items[values->items.count - 1] : NULL;
}

bool
oi_options_switch(const struct oi_options *options, const char *name)
{
    const char *value = oi_options_text(options, name);

    return value && is_true(oi_slice_of(value));
}

size_t
oi_options_values(const struct oi_options *options, const char *name,
                  const char *const **ret_values)
{
    const struct values *values = values_of(options, name);

    *ret_values = values->items.items;
    return values->items.count;
}

const char *
oi_options_value_place(const struct oi_options *options, const char *name, size_t index)
{
    const struct values *values = values_of(options, name);

    oi_assert(index < values->places.count);
    return values->places.items[index];
}

enum oi_origin
oi_options_origin(const struct oi_options *options, const char *name)
{
    return values_of(options, name)->origin;
}

const char *
oi_options_place(const struct oi_options *options, const char *name)
{
    return values_of(options, name)->place;
}

size_t
oi_options_operands(const struct oi_options *options, const char *const **ret_operands)
{
    *ret_operands = options->operands.items;
    return options->operands.count;
}

enum oi_status
oi_options_refuse(const struct oi_options *options, const char *name, const char *what,
                  struct oi_error *error)
{
    const struct values *values = values_of(options, name);
    const char *value = oi_options_text(options, name);

    if (values->origin == OI_ORIGIN_FILE)
        return oi_fail(error, OI_E_INVALID, "%s (%s) must be %s, not \"%s\"", name, values->place,
                       what, value ? value : "");
    return oi_fail(error, OI_E_INVALID, "%s must be %s, not \"%s\"", values->place, what,
                   value ? value : "");
}

enum oi_status
oi_options_integer(const struct oi_options *options, const char *name, struct oi_range range,
                   int64_t *ret_value, struct oi_error *error)
{
    const char *text = oi_options_text(options, name);
    char what[96];
    int64_t value = 0;
    bool is_good = text && *text;

    if (!text)
        return OI_OK;
    for (const char *at = text; is_good && *at; at++)
        is_good = isdigit((unsigned char) *at) && !__builtin_mul_overflow(value, 10, &value) &&
                  !__builtin_add_overflow(value, *at - '0', &value);
    if (is_good && value >= range.least && value <= range.most) {
        *ret_value = value;
        return OI_OK;
    }
    (void) snprintf(what, sizeof(what), "a whole number from %lld to %lld", (long long) range.least,
                    (long long) range.most);
    return oi_options_refuse(options, name, what, error);
}

enum oi_status
oi_options_time(const struct oi_options *options, const char *name, oi_time *ret_time,
                struct oi_error *error)
{
    const char *text = oi_options_text(options, name);

    if (text && oi_time_parse_utc(oi_slice_of(text), ret_time, NULL) != OI_OK)
        return oi_options_refuse(options, name, "an ISO 8601 time such as 2026-03-07T00:00:00Z",
                                 error);
    return OI_OK;
}

enum oi_status
oi_options_interval(const struct oi_options *options, const char *name, int64_t *ret_interval_ns,
                    struct oi_error *error)
{
    const char *text = oi_options_text(options, name);

    if (text && oi_interval_parse(oi_slice_of(text), ret_interval_ns, NULL) != OI_OK)
        return oi_options_refuse(options, name, "a count and one of s m h d w, such as 1h", error);
    return OI_OK;
}

enum oi_status
oi_options_word(const struct oi_options *options, const char *name, const char *const *words,
                size_t *ret_index, struct oi_error *error)
{
    const char *text = oi_options_text(options, name);
    char what[160] = "";
    size_t size = 0;

    if (!text)
        return OI_OK;
    for (size_t i = 0; words[i]; i++) {
        if (strcmp(text, words[i]) == 0) {
            *ret_index = i;
            return OI_OK;
        }
        if (size < sizeof(what))
            size += (size_t) snprintf(what + size, sizeof(what) - size, "%s%s",
                                      i == 0          ? ""
                                      : !words[i + 1] ? " or "
                                                      : ", ",
                                      words[i]);
    }
    return oi_options_refuse(options, name, what, error);
}

const char *
oi_option_dashes(const struct oi_option *option)
{
    bool is_on = !option->argument && option->fallback && is_true(oi_slice_of(option->fallback));

    return is_on ? "--no-" : "--";
}

static void
describe_one(const struct oi_option *option, struct oi_buffer *out)
{
    size_t start = out->size;

    oi_buffer_add_format(out, "  %s%s", oi_option_dashes(option), option->name);
    if (option->argument)
        oi_buffer_add_format(out, " %s", option->argument);
    if (out->size - start + 2 > HELP_COLUMN) {
        oi_buffer_add_char(out, '\n');
        start = out->size;
    }
    while (out->size - start < HELP_COLUMN)
        oi_buffer_add_char(out, ' ');
    oi_buffer_add_text(out, option->help);
    if (option->is_repeatable)
        oi_buffer_add_text(out, "; may be repeated");
    if (option->argument && option->fallback)
        oi_buffer_add_format(out, " (default %s)", option->fallback);
    oi_buffer_add_char(out, '\n');
}

void
oi_options_describe(const struct oi_option *table, size_t count, struct oi_buffer *out)
{
    for (size_t i = 0; i < count; i++)
        describe_one(&table[i], out);
    oi_buffer_add_text(out, "  --help                      print this\n");
}
