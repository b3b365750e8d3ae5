/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters in, times and numbers out: what every dialect does alike. */
#include "dialects/text.h"

#include "base/utf8.h"

#include <string.h>

static const struct oi_parameter *
find_parameter(const struct oi_parameter *parameters, size_t count, struct oi_slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (oi_slice_is(name, parameters[i].name))
            return &parameters[i];
    }
    return NULL;
}

/* A NUL-terminated name for a problem, cut. */
static void
copy_name(char name[64], struct oi_slice text)
{
    size_t size = text.size < 63 ? text.size : 63;

    if (size > 0)
        memcpy(name, text.data, size);
    name[size] = '\0';
}

static enum oi_status
check_field(const struct oi_http_request *request, const struct oi_parameter *parameter,
            const struct oi_http_field *field, struct oi_problem *problem)
{
    char name[64];

    copy_name(name, field->name);
    if (!parameter)
        return oi_problem_set(problem, OI_PROBLEM_UNKNOWN, name, field->value,
                              "Unknown parameter.");
    if (!(parameter->rule & OI_PARAMETER_REPEATABLE) &&
        oi_http_parameter_count(request, parameter->name) > 1)
        return oi_problem_set(problem, OI_PROBLEM_REPEATED, name, field->value,
                              "Must be given once.");
    if (oi_http_parameter_count(request, parameter->name) > OI_PARAMETER_VALUES_MAX)
        return oi_problem_set(problem, OI_PROBLEM_PARAMETER, name, (struct oi_slice){},
                              "Too many values.");
    if (field->value.size > OI_PARAMETER_SIZE_MAX)
        return oi_problem_set(problem, OI_PROBLEM_PARAMETER, name, field->value,
                              "Value is too long.");
    if (!oi_utf8_is_valid(field->value) ||
        (field->value.size > 0 && memchr(field->value.data, '\0', field->value.size)))
        return oi_problem_set(problem, OI_PROBLEM_PARAMETER, name, field->value,
                              "Value is not valid UTF-8 text.");
    return OI_OK;
}

enum oi_status
oi_text_parameters(const struct oi_http_request *request, const struct oi_parameter *parameters,
                   size_t count, struct oi_problem *problem)
{
    for (size_t i = 0; i < request->query.count; i++) {
        const struct oi_http_field *field = &request->query.items[i];

        OI_TRY(
            check_field(request, find_parameter(parameters, count, field->name), field, problem));
    }
    for (size_t i = 0; i < count; i++) {
        if ((parameters[i].rule & OI_PARAMETER_REQUIRED) &&
            oi_text_value(request, parameters[i].name).size == 0)
            return oi_problem_set(problem, OI_PROBLEM_MISSING, parameters[i].name,
                                  (struct oi_slice){}, "Missing required parameter.");
    }
    return OI_OK;
}

struct oi_slice
oi_text_value(const struct oi_http_request *request, const char *name)
{
    const struct oi_slice *value = oi_http_parameter(request, name);

    return value ? *value : (struct oi_slice){};
}

const char *
oi_text_copy(const struct oi_http_request *request, const char *name, struct oi_query *query)
{
    struct oi_slice value = oi_text_value(request, name);

    return value.size > 0 ? oi_arena_copy(&query->arena, value) : NULL;
}

struct oi_slice
oi_text_header(const struct oi_http_request *request, const char *name)
{
    const struct oi_slice *value = oi_http_header(request, name);

    return value ? *value : (struct oi_slice){};
}

bool
oi_text_integer(struct oi_slice text, int64_t *ret_value)
{
    bool is_negative = text.size > 0 && text.data[0] == '-';
    size_t index = is_negative ? 1 : 0;
    int64_t value = 0;

    if (index == text.size)
        return false;
    for (; index < text.size; index++) {
        int digit = text.data[index] - '0';

        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value))
            return false;
    }
    if (!is_negative && __builtin_sub_overflow(INT64_C(0), value, &value))
        return false;
    *ret_value = value;
    return true;
}

enum oi_status
oi_text_boolean(const struct oi_http_request *request, const char *name, bool *ret_value,
                struct oi_problem *problem)
{
    struct oi_slice value = oi_text_value(request, name);

    if (value.size == 0)
        return OI_OK;
    if (oi_slice_equal_ignoring_case(value, OI_SLICE("true")))
        *ret_value = true;
    else if (oi_slice_equal_ignoring_case(value, OI_SLICE("false")))
        *ret_value = false;
    else
        return oi_problem_set(problem, OI_PROBLEM_PARAMETER, name, value, "Must be true or false.");
    return OI_OK;
}

enum oi_status
oi_text_word(const struct oi_http_request *request, const char *name, const struct oi_word *words,
             size_t count, int64_t *ret_value, struct oi_problem *problem)
{
    struct oi_slice value = oi_text_value(request, name);
    struct oi_buffer list = { .size_max = 192 };

    if (value.size == 0)
        return OI_OK;
    for (size_t i = 0; i < count; i++) {
        if (oi_slice_is(value, words[i].word)) {
            *ret_value = words[i].value;
            return OI_OK;
        }
    }
    for (size_t i = 0; i < count; i++)
        oi_buffer_add_format(&list, "%s%s", i ? ", " : "", words[i].word);
    (void) oi_problem_set(problem, OI_PROBLEM_PARAMETER, name, value, "Must be one of %.*s.",
                          OI_SLICE_ARGS(oi_buffer_slice(&list)));
    oi_buffer_release(&list);
    return OI_E_INVALID;
}

const char *
oi_word_of(const struct oi_word *words, size_t count, int64_t value)
{
    for (size_t i = 0; i < count; i++) {
        if (words[i].value == value)
            return words[i].word;
    }
    return NULL;
}

bool
oi_text_time(struct oi_slice text, oi_time *ret_time)
{
    return oi_time_parse_utc(text, ret_time, NULL) == OI_OK;
}

char *
oi_text_upper(struct oi_arena *arena, struct oi_slice text)
{
    char *upper = oi_arena_copy(arena, text);

    for (char *at = upper; *at; at++) {
        if (*at >= 'a' && *at <= 'z')
            *at = (char) (*at - 'a' + 'A');
    }
    return upper;
}

/* "00" to "99". */
static const char digit_pairs[] = "00010203040506070809"
                                  "10111213141516171819"
                                  "20212223242526272829"
                                  "30313233343536373839"
                                  "40414243444546474849"
                                  "50515253545556575859"
                                  "60616263646566676869"
                                  "70717273747576777879"
                                  "80818283848586878889"
                                  "90919293949596979899";

/* Two digits at `to`, of a number below 100. */
static inline void
put_two(char *to, uint32_t value)
{
    memcpy(to, digit_pairs + 2 * (size_t) value, 2);
}

static void
remember_day(struct oi_time_writer *writer, oi_time time)
{
    struct oi_civil civil = oi_time_to_civil(time);

    writer->day = oi_interval_floor(OI_DAY, time);
    writer->is_set = true;
    put_two(writer->date, (uint32_t) civil.year / 100);
    put_two(writer->date + 2, (uint32_t) civil.year % 100);
    writer->date[4] = '-';
    put_two(writer->date + 5, (uint32_t) civil.month);
    writer->date[7] = '-';
    put_two(writer->date + 8, (uint32_t) civil.day);
    writer->date[10] = 'T';
}

/* 2^46 / (OI_SECOND / 2^15), rounded down. */
#define SECOND_RECIPROCAL UINT64_C(2'305'843'009)

/* Nine digits at `to`. */
static inline void
put_nine(char *to, uint32_t value)
{
    uint32_t upper = value / 100'000, lower = value - upper * 100'000; /* four digits and five */

    put_two(to, upper / 100);
    put_two(to + 2, upper % 100);
    to[4] = (char) ('0' + lower / 10'000);
    lower %= 10'000;
    put_two(to + 5, lower / 100);
    put_two(to + 7, lower % 100);
}

/* A time whose fraction is known, with as many digits of it. */
static inline char *
put_parts(const struct oi_time_writer *writer, uint32_t second, uint32_t fraction, int digits,
          char *at)
{
    memcpy(at, writer->date, 11);
    put_two(at + 11, second / 3600);
    at[13] = ':';
    put_two(at + 14, second / 60 % 60);
    at[16] = ':';
    put_two(at + 17, second % 60);
    at[19] = '.';
    put_nine(at + 20, fraction);
    at += digits > 0 ? 20 + digits : 19;
    *at = 'Z';
    return at + 1;
}

static inline void
split(struct oi_time_writer *writer, oi_time time, uint32_t *ret_second, uint32_t *ret_fraction)
{
    uint64_t inside;

    if (!writer->is_set || time < writer->day || (uint64_t) time - (uint64_t) writer->day >= OI_DAY)
        remember_day(writer, time);
    inside = (uint64_t) time - (uint64_t) writer->day;
    *ret_second = (uint32_t) (inside / (uint64_t) OI_SECOND);
    *ret_fraction = (uint32_t) (inside - *ret_second * (uint64_t) OI_SECOND);
}

char *
oi_text_put_time(struct oi_time_writer *writer, oi_time time, int fraction_digits, char *at)
{
    uint32_t second, fraction;

    split(writer, time, &second, &fraction);
    return put_parts(writer, second, fraction, fraction_digits, at);
}

static inline int
digits_of_fraction(uint32_t fraction)
{
    return fraction == 0 ? 0 : fraction % 1'000'000 == 0 ? 3 : fraction % 1'000 == 0 ? 6 : 9;
}

/* Date and time of day are in front of them; the ninth digit is made here. */
static inline size_t
put_fraction(char *at, const char *eight, uint32_t fraction, int digits)
{
    size_t size = digits > 0 ? 20 + (size_t) digits : 19;

    at[19] = '.';
    memcpy(at + 20, eight, 8);
    at[28] = (char) ('0' + fraction % 10);
    at[size] = 'Z';
    return size + 1;
}

/* HH0MM0SS: where the zeros are come colons. */
static inline uint32_t
clock_number(uint32_t second)
{
    return second + second / 60 * 940 + second / 3600 * 940'000;
}

/* Seconds of the writer's day and what is left of each; false: one is of another day, or none. What
 * a reciprocal of 32 bits gives is one second too low at most. */
static inline bool
split_many(const struct oi_time_writer *writer, const oi_time *times, size_t count,
           uint32_t *restrict seconds, uint32_t *restrict fractions)
{
    uint64_t greatest = 0;

    if (!writer->is_set)
        return false;
    for (size_t i = 0; i < count; i++) {
        uint64_t inside = (uint64_t) times[i] - (uint64_t) writer->day;
        uint32_t second = (uint32_t) ((inside >> 15 & UINT32_MAX) * SECOND_RECIPROCAL >> 46);
        uint32_t fraction = (uint32_t) inside - second * (uint32_t) OI_SECOND;
        uint32_t more = fraction >= OI_SECOND;

        seconds[i] = second + more;
        fractions[i] = fraction - more * (uint32_t) OI_SECOND;
        greatest = inside > greatest ? inside : greatest;
    }
    return greatest < OI_DAY;
}

/* The digits of the fractions that all of a batch need; below 0: they differ. */
static inline int
digits_of_fractions(const uint32_t *fractions, size_t count)
{
    uint32_t differences = 0;
    int digits = digits_of_fraction(fractions[0]);

    for (size_t i = 0; i < count; i++) {
        uint32_t milli = fractions[i] % 1'000'000, micro = fractions[i] % 1'000;
        uint32_t own = fractions[i] == 0 ? 0 : milli == 0 ? 3 : micro == 0 ? 6 : 9;

        differences |= own ^ (uint32_t) digits;
    }
    return differences == 0 ? digits : -1;
}

/* What texts of one day with as many digits have in common, and how eight bytes each of the time of
 * day and of the fraction come into it: few and wide writes, since those are what a text costs. */
struct pattern {
    char text[OI_TIME_TEXT_SIZE];
    size_t size;       /* without `after` */
    uint64_t colons;   /* what makes colons of the zeros in HH0MM0SS */
    uint64_t fraction; /* its bytes in eight digits */
    uint64_t end;      /* and what stands behind them */
};

static inline void
begin_pattern(const struct oi_time_writer *writer, int digits, char after, struct pattern *pattern)
{
    static const char colons[8] = { 0, 0, '0' ^ ':', 0, 0, '0' ^ ':', 0, 0 };
    char fraction[8] = {};

    *pattern = (struct pattern){ .size = digits > 0 ? 21 + (size_t) digits : 20 };
    memcpy(pattern->text, writer->date, 11);
    pattern->text[19] = '.';
    pattern->text[pattern->size - 1] = 'Z';
    pattern->text[pattern->size] = after;
    memset(fraction, 0xFF, digits < 8 ? (size_t) digits : 8);
    memcpy(&pattern->colons, colons, 8);
    memcpy(&pattern->fraction, fraction, 8);
    memcpy(&pattern->end, pattern->text + 20, 8);
}

/* Times of one day with as many digits each: their texts are alike but for the digits. */
static inline void
put_alike(const struct oi_time_writer *writer, const uint32_t *seconds, const uint32_t *fractions,
          size_t count, int digits, const struct oi_slots *slots)
{
    const size_t stride = slots->stride;
    uint32_t numbers[2 * OI_SLOT_COUNT];
    uint64_t clocks[OI_SLOT_COUNT], eights[OI_SLOT_COUNT];
    struct pattern pattern;
    char *at = slots->first;

    begin_pattern(writer, digits, slots->after, &pattern);
    for (size_t i = 0; i < count; i++) {
        numbers[i] = clock_number(seconds[i]);
        numbers[OI_SLOT_COUNT + i] = fractions[i] / 10;
    }
    oi_digits_put(numbers, count, (char *) clocks);
    for (size_t i = 0; i < count; i++, at += stride) {
        uint64_t clock = clocks[i] ^ pattern.colons;

        memcpy(at, pattern.text, sizeof(pattern.text));
        memcpy(at + 11, &clock, 8);
    }
    memset(slots->sizes, (int) (pattern.size + (slots->after != 0)), count);
    if (digits == 0)
        return;
    oi_digits_put(numbers + OI_SLOT_COUNT, count, (char *) eights);
    at = slots->first;
    for (size_t i = 0; i < count; i++, at += stride) {
        uint64_t eight = (eights[i] & pattern.fraction) | pattern.end;

        memcpy(at + 20, &eight, 8);
    }
    for (size_t i = 0; digits > 8 && i < count; i++)
        slots->first[i * stride + 28] = (char) ('0' + fractions[i] % 10);
}

/* Whatever they are. */
static inline void
put_each(struct oi_time_writer *writer, const oi_time *times, size_t count, int fraction_digits,
         const struct oi_slots *slots)
{
    uint32_t fractions[OI_SLOT_COUNT], numbers[2 * OI_SLOT_COUNT] = {};
    char digits[2 * OI_SLOT_COUNT][8];

    for (size_t i = 0; i < count; i++) {
        bool is_none = times[i] == OI_TIME_NONE || times[i] == OI_TIME_LATEST;
        uint32_t second = 0, fraction = 0;

        slots->sizes[i] = is_none ? OI_SLOT_NONE : 0;
        if (!is_none)
            split(writer, times[i], &second, &fraction);
        memcpy(slots->first + i * slots->stride, writer->date, sizeof(writer->date));
        numbers[2 * i] = clock_number(second);
        numbers[2 * i + 1] = fraction / 10;
        fractions[i] = fraction;
    }
    oi_digits_put(numbers, 2 * count, digits[0]);
    for (size_t i = 0; i < count; i++) {
        char *at = slots->first + i * slots->stride;
        size_t size;

        if (slots->sizes[i] == OI_SLOT_NONE)
            continue;
        memcpy(at + 11, digits[2 * i], 8);
        at[13] = at[16] = ':';
        size =
            put_fraction(at, digits[2 * i + 1], fractions[i],
                         fraction_digits < 0 ? digits_of_fraction(fractions[i]) : fraction_digits);
        at[size] = slots->after;
        slots->sizes[i] = (uint8_t) (size + (slots->after != 0));
    }
}

/* False: they are not alike. */
static inline __attribute__((always_inline)) bool
put_times(const struct oi_time_writer *writer, const oi_time *times, size_t count, int digits,
          const struct oi_slots *slots)
{
    uint32_t seconds[OI_SLOT_COUNT], fractions[OI_SLOT_COUNT];

    if (!split_many(writer, times, count, seconds, fractions))
        return false;
    if (digits < 0)
        digits = digits_of_fractions(fractions, count);
    if (digits < 0)
        return false;
    put_alike(writer, seconds, fractions, count, digits, slots);
    return true;
}

OI_VECTORISED void
oi_text_put_times(struct oi_time_writer *writer, const oi_time *times, size_t count,
                  int fraction_digits, const struct oi_slots *slots)
{
    bool is_done;

    oi_assert(count <= OI_SLOT_COUNT);
    /* A count that is known leaves no remainders to the vectors. */
    if (count == OI_SLOT_COUNT)
        is_done = put_times(writer, times, OI_SLOT_COUNT, fraction_digits, slots);
    else
        is_done = count > 0 && put_times(writer, times, count, fraction_digits, slots);
    if (!is_done)
        put_each(writer, times, count, fraction_digits, slots);
}

void
oi_text_add_time(struct oi_time_writer *writer, oi_time time, int fraction_digits,
                 struct oi_buffer *out)
{
    char *at = oi_buffer_reserve(out, OI_TIME_TEXT_SIZE);

    if (at)
        out->size += (size_t) (oi_text_put_time(writer, time, fraction_digits, at) - at);
}

bool
oi_text_add_decimal(const struct oi_decimals *column, size_t row, struct oi_buffer *out)
{
    int exponent = column->exponent;

    if (!column->mantissas)
        return false;
    if (column->exponents) {
        exponent = column->exponents[row];
        if (exponent == OI_EXPONENT_NONE)
            return false;
        if (exponent == OI_EXPONENT_WIDE) {
            oi_decimal_write(&column->wides[column->mantissas[row]], out);
            return true;
        }
    }
    oi_decimal_write_plain(column->mantissas[row], exponent, out);
    return true;
}

struct oi_slice
oi_text_quoted(struct oi_arena *arena, const char *text)
{
    struct oi_buffer out = {};
    struct oi_slice quoted;

    oi_json_quote(&out, oi_slice_of(text));
    quoted = (struct oi_slice){ oi_arena_copy(arena, oi_buffer_slice(&out)), out.size };
    oi_buffer_release(&out);
    return quoted;
}

struct oi_json_writer
oi_text_begin_json(struct oi_http_reply *reply, int status, const char *content_type)
{
    reply->status = status;
    oi_http_reply_type(reply, content_type);
    return (struct oi_json_writer){ .out = &reply->body };
}

void
oi_text_json_decimal(struct oi_json_writer *writer, const struct oi_decimal *value)
{
    char text[OI_DECIMAL_TEXT_SIZE];

    if (oi_decimal_is_none(value)) {
        oi_json_add_null(writer);
        return;
    }
    oi_json_add_raw(writer, (struct oi_slice){ text, oi_decimal_print(value, text) });
}

void
oi_text_json_text(struct oi_json_writer *writer, const char *name, const char *value)
{
    oi_json_add_name(writer, name);
    if (value)
        oi_json_add_text(writer, value);
    else
        oi_json_add_null(writer);
}

void
oi_text_json_time(struct oi_json_writer *writer, const char *name, oi_time time,
                  int fraction_digits)
{
    struct oi_time_writer times = {};
    struct oi_buffer text = {};

    oi_json_add_name(writer, name);
    if (time == OI_TIME_NONE || time == OI_TIME_LATEST) {
        oi_json_add_null(writer);
        return;
    }
    oi_text_add_time(&times, time, fraction_digits, &text);
    oi_json_add_string(writer, oi_buffer_slice(&text));
    oi_buffer_release(&text);
}

void
oi_text_add_query(const struct oi_http_request *request, const char *except, struct oi_buffer *out)
{
    char separator = '?';

    for (size_t i = 0; i < request->query.count; i++) {
        const struct oi_http_field *field = &request->query.items[i];

        if (oi_slice_is(field->name, except))
            continue;
        oi_buffer_add_char(out, separator);
        oi_http_encode(field->name, out);
        oi_buffer_add_char(out, '=');
        oi_http_encode(field->value, out);
        separator = '&';
    }
}

struct oi_slice
oi_text_bearer(const struct oi_http_request *request)
{
    struct oi_slice given = oi_text_header(request, "Authorization"), scheme;

    if (!oi_slice_next_part(&given, ' ', &scheme) ||
        !oi_slice_equal_ignoring_case(scheme, OI_SLICE("Bearer")))
        return (struct oi_slice){};
    return oi_slice_trim(given);
}

struct oi_slice
oi_text_key(const struct oi_http_request *request)
{
    struct oi_slice bearer = oi_text_bearer(request);

    return bearer.size > 0 ? bearer : oi_text_header(request, "x-api-key");
}

struct oi_json_writer
oi_text_begin_refusal(struct oi_http_reply *reply, int status, const struct oi_problem *problem)
{
    struct oi_json_writer writer;

    if (problem->kind == OI_PROBLEM_SYNTAX && problem->http_status)
        status = problem->http_status;
    writer = oi_text_begin_json(reply, status, "application/json");
    if (status == 401)
        oi_http_reply_header_text(reply, "WWW-Authenticate", "Bearer");
    if (status == 429)
        oi_http_reply_header_int(reply, "Retry-After", problem->retry_after_s);
    return writer;
}
