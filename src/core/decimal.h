/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An exact decimal number: a mantissa and a power of ten, never a double. What an exchange wrote is
 * what every client reads.
 *
 * A value is in canonical form: trailing zeros are not kept (1.50 is 15 x 10^-1, every zero is
 * 0 x 10^0), so equal numbers are equal structs. Where the mantissa does not fit an int64 the wide
 * form holds up to OI_DECIMAL_DIGITS_MAX significant digits. A zeroed struct is "none": no number
 * was given. Longer input, or a result that would be longer, is refused, never rounded in silence.
 */
#pragma once

#include "base/buffer.h"
#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* The longest figure met on a wire has 40 digits (HTX); a product with a 20-digit price fits too.
 */
#define OI_DECIMAL_DIGITS_MAX 64
/* Exponents of canonical values lie within +-this. */
#define OI_DECIMAL_EXPONENT_MAX 64
/* Room for any value as plain digits with sign, point and leading or trailing zeros, and a NUL. */
#define OI_DECIMAL_TEXT_SIZE 136

enum oi_decimal_form {
    OI_DECIMAL_NONE = 0, /* no number */
    OI_DECIMAL_PLAIN,    /* mantissa x 10^exponent */
    OI_DECIMAL_WIDE,     /* +- limbs x 10^exponent, the mantissa does not fit an int64 */
};

struct oi_decimal {
    int64_t mantissa;
    int16_t exponent;
    uint8_t form;      /* enum oi_decimal_form */
    bool is_negative;  /* wide form only; false otherwise */
    uint64_t limbs[4]; /* wide form only: the magnitude, least significant limb first */
};

/* Parse digits as a wire or file has them: sign, one point, exponent (`1e-10`, `0E-18`), leading
 * and trailing zeros. No blanks, no separators, no NaN or Infinity, at least one digit. INVALID
 * otherwise, with the reason as the message; `ret_value` is untouched then. */
enum oi_status oi_decimal_parse(struct oi_slice text, struct oi_decimal *ret_value,
                                struct oi_error *error);

/* mantissa x 10^exponent, brought to canonical form; |exponent| must be at most 64, also once the
 * mantissa's trailing zeros are counted in. */
struct oi_decimal oi_decimal_from(int64_t mantissa, int exponent);

/* May these be handed to oi_decimal_from? For decoders: stored bytes may say anything. */
bool oi_decimal_fits(int64_t mantissa, int exponent);
/* Could this module have made the value? For decoders too. */
bool oi_decimal_is_canonical(const struct oi_decimal *value);

/* Plain digits: no exponent, no padding, trailing zeros stripped, "0" for zero, "-" only before a
 * number that is not zero. None prints as nothing. NUL-terminated; returns the length. */
size_t oi_decimal_print(const struct oi_decimal *value, char text[OI_DECIMAL_TEXT_SIZE]);
/* The same, appended: the hot path of every answer. */
void oi_decimal_write(const struct oi_decimal *value, struct oi_buffer *out);
/* The hot path of the hot path: a plain value without building the struct. */
void oi_decimal_write_plain(int64_t mantissa, int exponent, struct oi_buffer *out);
/* The same at `at`, which has room for OI_DECIMAL_PUT_SIZE bytes, behind the digits too; returns
 * where they end. For rows that reserve once. */
#define OI_DECIMAL_PUT_SIZE (OI_DECIMAL_TEXT_SIZE + 24)
char *oi_decimal_put(char *at, int64_t mantissa, int exponent);

static inline bool
oi_decimal_is_none(const struct oi_decimal *value)
{
    return value->form == OI_DECIMAL_NONE;
}

bool oi_decimal_is_zero(const struct oi_decimal *value);
/* -1, 0, 1; none is 0. */
int oi_decimal_sign(const struct oi_decimal *value);
/* By value: -1, 0, 1. None sorts before every number and equals none. */
int oi_decimal_compare(const struct oi_decimal *a, const struct oi_decimal *b);
bool oi_decimal_equal(const struct oi_decimal *a, const struct oi_decimal *b);

/* Exact, or INVALID when the result has more than OI_DECIMAL_DIGITS_MAX digits or an exponent past
 * the limit. An operand that is none gives none. */
enum oi_status oi_decimal_add(const struct oi_decimal *a, const struct oi_decimal *b,
                              struct oi_decimal *ret_sum, struct oi_error *error);
enum oi_status oi_decimal_subtract(const struct oi_decimal *a, const struct oi_decimal *b,
                                   struct oi_decimal *ret_difference, struct oi_error *error);
enum oi_status oi_decimal_multiply(const struct oi_decimal *a, const struct oi_decimal *b,
                                   struct oi_decimal *ret_product, struct oi_error *error);
/* Always exact, a half has one digit more. */
enum oi_status oi_decimal_halve(const struct oi_decimal *a, struct oi_decimal *ret_half,
                                struct oi_error *error);
/* a / b to `digits` significant digits (18 where nothing else is said), ties to even. None when b
 * is zero or an operand is none. */
enum oi_status oi_decimal_divide_half_even(const struct oi_decimal *a, const struct oi_decimal *b,
                                           int digits, struct oi_decimal *ret_quotient,
                                           struct oi_error *error);
/* To `places` digits after the point, ties to even / away from zero. */
enum oi_status oi_decimal_round_half_even(const struct oi_decimal *a, int places,
                                          struct oi_decimal *ret_rounded, struct oi_error *error);
enum oi_status oi_decimal_round_half_up(const struct oi_decimal *a, int places,
                                        struct oi_decimal *ret_rounded, struct oi_error *error);

/* The significant digits, for limits and tests; 1 for zero, 0 for none. */
int oi_decimal_digits(const struct oi_decimal *value);

/* The nearest double, for statistics alone; 0 for none. */
double oi_decimal_to_double(const struct oi_decimal *value);
/* The shortest decimal that reads back as this double (17 digits at most); for figures that are
 * statistics and leave through a text wire. None for NaN, infinities and what is too large; 0 for
 * what is nearer to 0 than a decimal reaches. */
struct oi_decimal oi_decimal_from_double(double value);
/* A double rounded half to even to `digits` significant digits. */
struct oi_decimal oi_decimal_from_double_digits(double value, int digits);
