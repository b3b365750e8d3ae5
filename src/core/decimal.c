/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decimals in and out of text, their canonical form and their order. Nearly every figure fits an
 * int64, so each function takes that way first and falls back to wide integers; arithmetic is in
 * decimal_arithmetic.c.
 */
#include "core/decimal.h"

#include "core/decimal_internal.h"

#include <string.h>

#define TOO_LONG "a number of more than 64 significant digits"
#define TOO_FAR "a number with an exponent past 64"

/* "00" to "99", so that two digits are one copy. */
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

/* A plain magnitude has at most 20 digits; a zero prints as "0". */
#define PLAIN_DIGITS_MAX 20
/* Digits are laid out by copies of a fixed size, which compile to a few moves. */
#define COPY_SIZE (OI_DECIMAL_PUT_SIZE - OI_DECIMAL_TEXT_SIZE)

/* Digits of `value` ending right before `end`; returns where they start. Zero has none. */
static char *
digits_before(char *end, uint64_t value)
{
    while (value >= 100) {
        uint64_t rest = value / 100;

        end -= 2;
        memcpy(end, digit_pairs + 2 * (value - rest * 100), 2);
        value = rest;
    }
    if (value >= 10) {
        end -= 2;
        memcpy(end, digit_pairs + 2 * value, 2);
    } else if (value > 0) {
        *--end = (char) ('0' + value);
    }
    return end;
}

/* Lay out a number that is not zero; `at` has room for OI_DECIMAL_PUT_SIZE bytes,
 * `digits` for COPY_SIZE more than are in use. */
static char *
lay_out_plain(char *at, const char *digits, int count, int exponent)
{
    int after_point = -exponent;

    if (exponent >= 0) {
        memcpy(at, digits, COPY_SIZE);
        memset(at + count, '0', (size_t) exponent);
        return at + count + exponent;
    }
    while (after_point > 0 && digits[count - 1] == '0') {
        count--;
        after_point--;
    }
    if (count > after_point) {
        int before_point = count - after_point;

        memcpy(at, digits, COPY_SIZE);
        if (after_point == 0)
            return at + count;
        at[before_point] = '.';
        memcpy(at + before_point + 1, digits + before_point, COPY_SIZE);
        return at + count + 1;
    }
    at[0] = '0';
    at[1] = '.';
    memset(at + 2, '0', (size_t) (after_point - count));
    at += 2 + after_point - count;
    memcpy(at, digits, COPY_SIZE);
    return at + count;
}

/* Eight digits of a number below 10^8 as the bytes 0 to 9, the first digit in the lowest byte: four
 * pairs, then eight digits, are split side by side in one word. */
static inline uint64_t
spread_digits(uint32_t value)
{
    uint32_t upper = value / 10'000;
    uint64_t fours = (uint64_t) (value - upper * 10'000) << 32 | upper;
    uint64_t above = (fours * 10'486 >> 20) & 0x0000'007F'0000'007F;
    uint64_t pairs = (fours - above * 100) << 16 | above;

    above = (pairs * 103 >> 10) & 0x000F'000F'000F'000F;
    return (pairs - above * 10) << 8 | above;
}

static inline void
store_text(char *at, uint64_t text)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    text = __builtin_bswap64(text);
#endif
    memcpy(at, &text, sizeof(text));
}

/* Of 16 digits in two words. */
static inline int
zeros_before(uint64_t first, uint64_t second)
{
    return first ? __builtin_ctzll(first) / 8 : second ? 8 + __builtin_ctzll(second) / 8 : 16;
}

static inline int
zeros_behind(uint64_t first, uint64_t second)
{
    return second ? __builtin_clzll(second) / 8 : first ? 8 + __builtin_clzll(first) / 8 : 16;
}

#define SHORT_DIGITS 16
#define SHORT_LIMIT UINT64_C(10'000'000'000'000'000)

/* Most figures: 16 digits at most, some of them behind the point. All 16 are made in registers and
 * laid out by shifts, so the time does not depend on how many there are. */
static inline char *
put_short(char *at, uint64_t magnitude, int after_point)
{
    uint32_t upper = (uint32_t) (magnitude / 100'000'000);
    uint64_t first = spread_digits(upper);
    uint64_t second = spread_digits((uint32_t) (magnitude - (uint64_t) upper * 100'000'000));
    unsigned __int128 text = ((unsigned __int128) (second | 0x3030'3030'3030'3030) << 64) |
                             (first | 0x3030'3030'3030'3030);
    int before_point = SHORT_DIGITS - after_point;
    int left_out = zeros_before(first, second);
    int behind = after_point - zeros_behind(first, second);
    unsigned __int128 whole, part = text >> (8 * (before_point & 15));

    left_out = left_out < before_point ? left_out : before_point - 1;
    whole = text >> (8 * left_out);
    store_text(at, (uint64_t) whole);
    store_text(at + 8, (uint64_t) (whole >> 64));
    at += before_point - left_out;
    *at = '.';
    store_text(at + 1, (uint64_t) part);
    store_text(at + 9, (uint64_t) (part >> 64));
    return behind > 0 ? at + 1 + behind : at;
}

/* Whatever put_short does not reach. */
static char *
put_long(char *at, int64_t mantissa, int exponent)
{
    char room[PLAIN_DIGITS_MAX + 2 * COPY_SIZE] = {};
    char *end = room + PLAIN_DIGITS_MAX;
    char *digits;

    if (mantissa == 0) {
        *at = '0';
        return at + 1;
    }
    if (mantissa < 0)
        *at++ = '-';
    digits = digits_before(end, oi_decimal_magnitude(mantissa));
    return lay_out_plain(at, digits, (int) (end - digits), exponent);
}

char *
oi_decimal_put(char *at, int64_t mantissa, int exponent)
{
    uint64_t magnitude = oi_decimal_magnitude(mantissa);

    if (magnitude >= SHORT_LIMIT || exponent > 0 || exponent <= -SHORT_DIGITS)
        return put_long(at, mantissa, exponent);
    *at = '-';
    return put_short(at + (mantissa < 0), magnitude, -exponent);
}

void
oi_decimal_write_plain(int64_t mantissa, int exponent, struct oi_buffer *out)
{
    char *at = oi_buffer_reserve(out, OI_DECIMAL_PUT_SIZE);

    oi_assert(exponent >= -OI_DECIMAL_EXPONENT_MAX && exponent <= OI_DECIMAL_EXPONENT_MAX);
    if (at)
        out->size = (size_t) (oi_decimal_put(at, mantissa, exponent) - out->data);
}

/* The digits of a wide magnitude; returns how many. */
static int
wide_digits(const struct oi_decimal *value, char digits[OI_DECIMAL_DIGITS_MAX])
{
    struct oi_limbs rest = oi_decimal_take_apart(value).magnitude;
    char room[4 * 19 + COPY_SIZE];
    char *end = room + sizeof(room);
    char *at = end;

    while (rest.count > 0) {
        char *start = at - 19;
        char *first = digits_before(at, oi_limbs_divide_small(&rest, oi_powers_of_ten[19]));

        /* Every part but the top one has all its zeros. */
        if (rest.count > 0)
            while (first > start)
                *--first = '0';
        at = first;
    }
    oi_assert(end - at <= OI_DECIMAL_DIGITS_MAX);
    memcpy(digits, at, (size_t) (end - at));
    return (int) (end - at);
}

static char *
put_wide(char *at, const struct oi_decimal *value)
{
    char digits[OI_DECIMAL_DIGITS_MAX];
    int count = wide_digits(value, digits);
    int before_point = count + value->exponent;

    if (value->is_negative)
        *at++ = '-';
    if (before_point <= 0) {
        *at++ = '0';
        *at++ = '.';
        memset(at, '0', (size_t) -before_point);
        at += -before_point;
        memcpy(at, digits, (size_t) count);
        return at + count;
    }
    if (before_point < count) {
        memcpy(at, digits, (size_t) before_point);
        at[before_point] = '.';
        memcpy(at + before_point + 1, digits + before_point, (size_t) (count - before_point));
        return at + count + 1;
    }
    memcpy(at, digits, (size_t) count);
    memset(at + count, '0', (size_t) (before_point - count));
    return at + before_point;
}

size_t
oi_decimal_print(const struct oi_decimal *value, char text[OI_DECIMAL_TEXT_SIZE])
{
    char room[OI_DECIMAL_PUT_SIZE];
    char *end = room;
    size_t size;

    if (value->form == OI_DECIMAL_PLAIN)
        end = oi_decimal_put(room, value->mantissa, value->exponent);
    else if (value->form == OI_DECIMAL_WIDE)
        end = put_wide(room, value);
    size = (size_t) (end - room);
    oi_assert(size < OI_DECIMAL_TEXT_SIZE);
    memcpy(text, room, size);
    text[size] = '\0';
    return size;
}

void
oi_decimal_write(const struct oi_decimal *value, struct oi_buffer *out)
{
    if (value->form == OI_DECIMAL_PLAIN) {
        oi_decimal_write_plain(value->mantissa, value->exponent, out);
    } else if (value->form == OI_DECIMAL_WIDE) {
        char *at = oi_buffer_reserve(out, OI_DECIMAL_TEXT_SIZE);

        if (at)
            out->size = (size_t) (put_wide(at, value) - out->data);
    }
}

struct oi_decimal_parts
oi_decimal_take_apart(const struct oi_decimal *value)
{
    struct oi_decimal_parts parts = { .exponent = value->exponent };

    if (value->form == OI_DECIMAL_PLAIN) {
        parts.magnitude = oi_limbs_from(oi_decimal_magnitude(value->mantissa));
        parts.is_negative = value->mantissa < 0;
        return parts;
    }
    memcpy(parts.magnitude.at, value->limbs, sizeof(value->limbs));
    parts.magnitude.count = 4;
    while (parts.magnitude.count > 0 && parts.magnitude.at[parts.magnitude.count - 1] == 0)
        parts.magnitude.count--;
    parts.is_negative = value->is_negative;
    return parts;
}

static enum oi_status
check_exponent(int exponent, struct oi_error *error)
{
    if (exponent < -OI_DECIMAL_EXPONENT_MAX || exponent > OI_DECIMAL_EXPONENT_MAX)
        return oi_fail(error, OI_E_INVALID, TOO_FAR);
    return OI_OK;
}

enum oi_status
oi_decimal_put_plain(int64_t mantissa, int exponent, struct oi_decimal *ret_value,
                     struct oi_error *error)
{
    if (mantissa == 0)
        exponent = 0;
    else if ((mantissa & 1) == 0) /* what ends in 0 is even: half of all are not looked at */
        for (; mantissa % 10 == 0; exponent++)
            mantissa /= 10;
    OI_TRY(check_exponent(exponent, error));
    *ret_value = (struct oi_decimal){ .mantissa = mantissa,
                                      .exponent = (int16_t) exponent,
                                      .form = OI_DECIMAL_PLAIN };
    return OI_OK;
}

/* Divide by 10^step as long as that leaves nothing. */
static void
strip_zeros(struct oi_decimal_parts *parts, int step)
{
    while ((parts->magnitude.at[0] & 1) == 0) {
        struct oi_limbs shorter = parts->magnitude;

        if (oi_limbs_divide_small(&shorter, oi_powers_of_ten[step]) != 0)
            return;
        parts->magnitude = shorter;
        parts->exponent += step;
    }
}

enum oi_status
oi_decimal_put_together(struct oi_decimal_parts *parts, struct oi_decimal *ret_value,
                        struct oi_error *error)
{
    struct oi_limbs *magnitude = &parts->magnitude;
    uint64_t limit = parts->is_negative ? (uint64_t) 1 << 63 : INT64_MAX;

    if (magnitude->count > 0) {
        strip_zeros(parts, 16);
        strip_zeros(parts, 4);
        strip_zeros(parts, 1);
    }
    if (magnitude->count == 0 || (magnitude->count == 1 && magnitude->at[0] <= limit)) {
        uint64_t low = magnitude->count ? magnitude->at[0] : 0;
        int64_t mantissa = parts->is_negative ? (int64_t) (0 - low) : (int64_t) low;

        return oi_decimal_put_plain(mantissa, parts->exponent, ret_value, error);
    }
    if (magnitude->count > 4 || oi_limbs_digits(magnitude) > OI_DECIMAL_DIGITS_MAX)
        return oi_fail(error, OI_E_INVALID, TOO_LONG);
    OI_TRY(check_exponent(parts->exponent, error));
    *ret_value = (struct oi_decimal){ .exponent = (int16_t) parts->exponent,
                                      .form = OI_DECIMAL_WIDE,
                                      .is_negative = parts->is_negative };
    memcpy(ret_value->limbs, magnitude->at, (size_t) magnitude->count * sizeof(magnitude->at[0]));
    return OI_OK;
}

struct oi_decimal
oi_decimal_from(int64_t mantissa, int exponent)
{
    struct oi_decimal value = {};
    enum oi_status status;

    oi_assert(exponent >= -OI_DECIMAL_EXPONENT_MAX && exponent <= OI_DECIMAL_EXPONENT_MAX);
    if (mantissa % 10 != 0)
        return (struct oi_decimal){ .mantissa = mantissa,
                                    .exponent = (int16_t) exponent,
                                    .form = OI_DECIMAL_PLAIN };
    /* Stripping 18 zeros may lead past the limit: then the number has no canonical form. */
    status = oi_decimal_put_plain(mantissa, exponent, &value, NULL);
    oi_assert(status == OI_OK);
    return value;
}

bool
oi_decimal_fits(int64_t mantissa, int exponent)
{
    struct oi_decimal value;

    return exponent >= -OI_DECIMAL_EXPONENT_MAX && exponent <= OI_DECIMAL_EXPONENT_MAX &&
           oi_decimal_put_plain(mantissa, exponent, &value, NULL) == OI_OK;
}

bool
oi_decimal_is_canonical(const struct oi_decimal *value)
{
    struct oi_limbs magnitude;

    if (value->form == OI_DECIMAL_NONE)
        return true;
    if (value->exponent < -OI_DECIMAL_EXPONENT_MAX || value->exponent > OI_DECIMAL_EXPONENT_MAX)
        return false;
    if (value->form == OI_DECIMAL_PLAIN)
        return value->mantissa == 0 ? value->exponent == 0 : value->mantissa % 10 != 0;
    if (value->form != OI_DECIMAL_WIDE)
        return false;
    magnitude = oi_decimal_take_apart(value).magnitude;
    if (magnitude.count == 0 || (magnitude.count == 1 && magnitude.at[0] <= INT64_MAX) ||
        oi_limbs_digits(&magnitude) > OI_DECIMAL_DIGITS_MAX)
        return false;
    return oi_limbs_divide_small(&magnitude, 10) != 0;
}

/* How far a written exponent is read; what lies beyond is out of range whatever the digits are,
 * unless there are that many of them. */
#define EXPONENT_READ_MAX 1'000'000

static enum oi_status
parse_exponent(const char *at, const char *end, int *ret_exponent, struct oi_error *error)
{
    bool is_negative = false;
    int exponent = 0;

    if (at < end && (*at == '-' || *at == '+'))
        is_negative = *at++ == '-';
    if (at == end)
        return oi_fail(error, OI_E_INVALID, "an exponent without digits");
    for (; at < end; at++) {
        if (*at < '0' || *at > '9')
            return oi_fail(error, OI_E_INVALID, "a character that is no digit");
        if (exponent < EXPONENT_READ_MAX)
            exponent = exponent * 10 + (*at - '0');
    }
    *ret_exponent = is_negative ? -exponent : exponent;
    return OI_OK;
}

/* What the digits of a text add up to, whatever their number: significant ones, without the zeros
 * before and after them. */
struct digit_run {
    struct oi_limbs magnitude;
    int count;           /* digits in `magnitude` */
    int64_t pending;     /* zeros met since the last other digit */
    int64_t after_point; /* digits after the point, all of them */
    bool has_point, has_digit, is_too_long;
};

static void
add_digit(struct digit_run *run, int digit)
{
    run->has_digit = true;
    run->after_point += run->has_point;
    if (digit == 0) {
        run->pending += run->count > 0;
        return;
    }
    if (run->count + run->pending + 1 > OI_DECIMAL_DIGITS_MAX) {
        run->is_too_long = true;
        return;
    }
    /* 65 digits fit, so this cannot fail. */
    (void) oi_limbs_scale(&run->magnitude, (int) run->pending);
    (void) oi_limbs_multiply_small(&run->magnitude, 10, (uint64_t) digit);
    run->count += (int) run->pending + 1;
    run->pending = 0;
}

static enum oi_status
parse_any(struct oi_slice text, struct oi_decimal *ret_value, struct oi_error *error)
{
    struct oi_decimal_parts parts = {};
    struct digit_run run = {};
    const char *at = text.data;
    const char *end = text.data + text.size;
    int written = 0;
    int64_t exponent;

    if (*at == '-' || *at == '+')
        parts.is_negative = *at++ == '-';
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            if (run.has_point)
                return oi_fail(error, OI_E_INVALID, "a second decimal point");
            run.has_point = true;
        } else if (*at >= '0' && *at <= '9') {
            add_digit(&run, *at - '0');
        } else {
            return oi_fail(error, OI_E_INVALID, "a character that is no digit");
        }
    }
    if (!run.has_digit)
        return oi_fail(error, OI_E_INVALID, "no digits");
    if (at < end)
        OI_TRY(parse_exponent(at + 1, end, &written, error));
    if (run.is_too_long)
        return oi_fail(error, OI_E_INVALID, TOO_LONG);
    exponent = run.count == 0 ? 0 : written - run.after_point + run.pending;
    if (exponent < -2 * OI_DECIMAL_EXPONENT_MAX || exponent > OI_DECIMAL_EXPONENT_MAX)
        return oi_fail(error, OI_E_INVALID, TOO_FAR);
    parts.magnitude = run.magnitude;
    parts.exponent = (int) exponent;
    return oi_decimal_put_together(&parts, ret_value, error);
}

enum oi_status
oi_decimal_parse(struct oi_slice text, struct oi_decimal *ret_value, struct oi_error *error)
{
    const char *at = text.data;
    const char *end;
    bool is_negative;
    uint64_t magnitude = 0;
    int after_point = 0;
    bool has_point = false;
    size_t start;

    if (text.size == 0)
        return oi_fail(error, OI_E_INVALID, "an empty number");
    is_negative = *at == '-';
    start = is_negative;
    /* 18 digits and a point: no overflow to look for. */
    if (text.size - start > 19 || text.size == start)
        return parse_any(text, ret_value, error);
    end = text.data + text.size;
    for (at += start; at < end; at++) {
        if (*at >= '0' && *at <= '9') {
            magnitude = magnitude * 10 + (uint64_t) (*at - '0');
            after_point += has_point;
        } else if (*at == '.' && !has_point) {
            has_point = true;
        } else {
            return parse_any(text, ret_value, error);
        }
    }
    if (magnitude == 0 || text.size - start - has_point > 18)
        return parse_any(text, ret_value, error);
    return oi_decimal_put_plain(is_negative ? -(int64_t) magnitude : (int64_t) magnitude,
                                -after_point, ret_value, error);
}

bool
oi_decimal_is_zero(const struct oi_decimal *value)
{
    return value->form == OI_DECIMAL_PLAIN && value->mantissa == 0;
}

int
oi_decimal_sign(const struct oi_decimal *value)
{
    if (value->form == OI_DECIMAL_WIDE)
        return value->is_negative ? -1 : 1;
    return (value->mantissa > 0) - (value->mantissa < 0);
}

int
oi_decimal_digits(const struct oi_decimal *value)
{
    struct oi_limbs magnitude;

    if (value->form == OI_DECIMAL_NONE)
        return 0;
    if (value->form == OI_DECIMAL_PLAIN)
        return oi_decimal_count_digits(oi_decimal_magnitude(value->mantissa));
    magnitude = oi_decimal_take_apart(value).magnitude;
    return oi_limbs_digits(&magnitude);
}

/* Two numbers of one sign, neither zero. */
static int
compare_magnitudes(const struct oi_decimal *a, const struct oi_decimal *b)
{
    int a_top = oi_decimal_digits(a) + a->exponent;
    int b_top = oi_decimal_digits(b) + b->exponent;
    struct oi_decimal_parts a_parts, b_parts;
    bool fits;

    if (a_top != b_top)
        return a_top < b_top ? -1 : 1;
    a_parts = oi_decimal_take_apart(a);
    b_parts = oi_decimal_take_apart(b);
    /* Equally many digits before the point: scaled to one exponent the longer one has 64. */
    if (a->exponent > b->exponent)
        fits = oi_limbs_scale(&a_parts.magnitude, a->exponent - b->exponent);
    else
        fits = oi_limbs_scale(&b_parts.magnitude, b->exponent - a->exponent);
    oi_assert(fits);
    return oi_limbs_compare(&a_parts.magnitude, &b_parts.magnitude);
}

int
oi_decimal_compare(const struct oi_decimal *a, const struct oi_decimal *b)
{
    int a_sign = oi_decimal_sign(a);
    int b_sign = oi_decimal_sign(b);

    if (a->form == OI_DECIMAL_NONE || b->form == OI_DECIMAL_NONE)
        return (a->form != OI_DECIMAL_NONE) - (b->form != OI_DECIMAL_NONE);
    if (a_sign != b_sign)
        return a_sign < b_sign ? -1 : 1;
    if (a_sign == 0)
        return 0;
    if (a->exponent == b->exponent && a->form == OI_DECIMAL_PLAIN && b->form == OI_DECIMAL_PLAIN)
        return (a->mantissa > b->mantissa) - (a->mantissa < b->mantissa);
    return a_sign * compare_magnitudes(a, b);
}

bool
oi_decimal_equal(const struct oi_decimal *a, const struct oi_decimal *b)
{
    /* Canonical: equal numbers have equal fields, and fields out of use are zero. */
    return a->mantissa == b->mantissa && a->exponent == b->exponent && a->form == b->form &&
           a->is_negative == b->is_negative && memcmp(a->limbs, b->limbs, sizeof(a->limbs)) == 0;
}
