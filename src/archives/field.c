/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: every reader's test goes through it */
/* Columns by name and fields by type, for every reader: what is missing, what is wrong, and why. */
#include "archives/archive_internal.h"

#include <string.h>

size_t
oi_reader_column(const struct oi_record *header, const char *name)
{
    for (size_t i = 0; i < header->count; i++)
        if (oi_slice_is(header->fields[i], name))
            return i;
    return OI_COLUMN_NONE;
}

enum oi_status
oi_reader_need(const struct oi_record *header, const char *name, size_t *ret_column,
               struct oi_error *error)
{
    size_t column = oi_reader_column(header, name);
    char names[160];
    size_t size = 0;

    if (column != OI_COLUMN_NONE) {
        *ret_column = column;
        return OI_OK;
    }
    for (size_t i = 0; i < header->count && header->fields[i].size + 2 < sizeof(names) - size;
         i++) {
        if (i > 0)
            names[size++] = ' ';
        memcpy(names + size, header->fields[i].data, header->fields[i].size);
        size += header->fields[i].size;
    }
    return oi_fail(error, OI_E_INVALID, "the header has no column %s; it has %.*s", name,
                   (int) size, names);
}

struct oi_field
oi_field_of(const struct oi_record *record, size_t column, const char *name)
{
    struct oi_field field = { .line = record->line, .name = name };

    if (column < record->count)
        field.text = record->fields[column];
    return field;
}

bool
oi_field_is_missing(const struct oi_field *field)
{
    static const char *const words[] = { "na", "n/a", "nan", "null", "none", ".", "-" };

    if (field->text.size == 0)
        return true;
    /* Nearly every field begins with a digit, or is longer than any of them. */
    if (field->text.size > 4 || (field->text.data[0] >= '0' && field->text.data[0] <= '9'))
        return false;
    for (size_t i = 0; i < OI_COUNT(words); i++)
        if (oi_slice_equal_ignoring_case(field->text, oi_slice_of(words[i])))
            return true;
    return false;
}

static bool
parse_decimal(struct oi_reader *reader, const struct oi_field *field, struct oi_decimal *ret_value)
{
    struct oi_error error = {};

    if (oi_decimal_parse(oi_slice_trim(field->text), ret_value, &error) == OI_OK)
        return true;
    oi_reader_refuse(reader, field, error.message);
    return false;
}

bool
oi_reader_figure(struct oi_reader *reader, const struct oi_field *field,
                 struct oi_decimal *ret_figure)
{
    if (oi_field_is_missing(field)) {
        oi_reader_refuse(reader, field, "no figure");
        return false;
    }
    if (!parse_decimal(reader, field, ret_figure))
        return false;
    if (oi_decimal_sign(ret_figure) < 0) {
        oi_reader_refuse(reader, field, "negative open interest");
        return false;
    }
    return true;
}

bool
oi_reader_decimal(struct oi_reader *reader, const struct oi_field *field,
                  struct oi_decimal *ret_value)
{
    if (!oi_field_is_missing(field))
        return parse_decimal(reader, field, ret_value);
    *ret_value = (struct oi_decimal){};
    return true;
}

/* A count of seconds or parts of them, perhaps with a fraction, as nanoseconds. */
static enum oi_status
parse_count(struct oi_slice text, enum oi_time_format format, oi_time *ret_time,
            struct oi_error *error)
{
    static const int powers[] = {
        [OI_TIME_FORMAT_S] = 9,
        [OI_TIME_FORMAT_MS] = 6,
        [OI_TIME_FORMAT_US] = 3,
        [OI_TIME_FORMAT_NS] = 0,
    };
    struct oi_decimal count;
    int64_t time;
    int exponent;

    OI_TRY(oi_decimal_parse(text, &count, error));
    exponent = count.exponent + powers[format];
    if (count.form != OI_DECIMAL_PLAIN)
        return oi_fail(error, OI_E_INVALID, "a time outside the years 1677 to 2262");
    for (time = count.mantissa; exponent < 0; exponent++) {
        /* Python prints seconds to 17 digits; what is below a nanosecond is noise. */
        time /= 10;
    }
    for (; exponent > 0 && time != 0; exponent--)
        if (__builtin_mul_overflow(time, INT64_C(10), &time))
            return oi_fail(error, OI_E_INVALID, "a time outside the years 1677 to 2262");
    *ret_time = time;
    return OI_OK;
}

static enum oi_status
parse_iso(struct oi_slice text, const struct oi_time_style *style, oi_time *ret_time,
          struct oi_error *error)
{
    struct oi_time_text parsed;
    oi_time time;

    OI_TRY(oi_time_parse(text, &parsed, error));
    if (parsed.zone == OI_ZONE_ABSENT && style->zone)
        return oi_zone_to_time(style->zone, &parsed.civil, ret_time, error);
    if (parsed.zone == OI_ZONE_ABSENT && !style->is_utc)
        return oi_fail(error, OI_E_INVALID, "a time without a zone: name it with --zone");
    OI_TRY(oi_time_from_civil(&parsed.civil, &time, error));
    if (__builtin_sub_overflow(time, parsed.offset_ns, &time))
        return oi_fail(error, OI_E_INVALID, "a time outside the years 1677 to 2262");
    *ret_time = time;
    return OI_OK;
}

bool
oi_reader_time(struct oi_reader *reader, const struct oi_field *field,
               const struct oi_time_style *style, oi_time *ret_time)
{
    struct oi_slice text = oi_slice_trim(field->text);
    struct oi_error error = {};
    enum oi_status status;
    oi_time time = OI_TIME_NONE;

    if (style->format == OI_TIME_FORMAT_ISO)
        status = parse_iso(text, style, &time, &error);
    else
        status = parse_count(text, style->format, &time, &error);
    if (status == OI_OK && (time == OI_TIME_NONE || time == OI_TIME_LATEST))
        status = oi_fail(&error, OI_E_INVALID, "a time outside the years 1677 to 2262");
    if (status != OI_OK) {
        oi_reader_refuse(reader, field, error.message);
        return false;
    }
    *ret_time = time;
    return true;
}

bool
oi_reader_time_optional(struct oi_reader *reader, const struct oi_field *field,
                        const struct oi_time_style *style, oi_time *ret_time)
{
    if (!oi_field_is_missing(field))
        return oi_reader_time(reader, field, style, ret_time);
    *ret_time = OI_TIME_NONE;
    return true;
}
