/* SPDX-License-Identifier: Apache-2.0 */
/* Any two texts: what parses must read back as it prints, and arithmetic on it must hold together.
 */
#include "core/decimal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_text(const struct oi_decimal *value)
{
    char text[OI_DECIMAL_TEXT_SIZE];
    size_t size = oi_decimal_print(value, text);
    struct oi_decimal again;
    enum oi_status status = oi_decimal_parse((struct oi_slice){ text, size }, &again, NULL);

    oi_assert(status == OI_OK);
    oi_assert(oi_decimal_equal(value, &again));
    oi_assert(oi_decimal_digits(value) >= 1 && oi_decimal_digits(value) <= OI_DECIMAL_DIGITS_MAX);
}

static void
check_pair(const struct oi_decimal *a, const struct oi_decimal *b)
{
    struct oi_decimal result, back;

    oi_assert(oi_decimal_compare(a, b) == -oi_decimal_compare(b, a));
    oi_assert((oi_decimal_compare(a, b) == 0) == oi_decimal_equal(a, b));
    if (oi_decimal_add(a, b, &result, NULL) == OI_OK) {
        check_text(&result);
        oi_assert(oi_decimal_subtract(&result, b, &back, NULL) == OI_OK);
        oi_assert(oi_decimal_equal(&back, a));
    }
    if (oi_decimal_multiply(a, b, &result, NULL) == OI_OK) {
        check_text(&result);
        if (!oi_decimal_is_zero(b)) {
            oi_assert(oi_decimal_divide_half_even(&result, b, 64, &back, NULL) == OI_OK);
            oi_assert(oi_decimal_equal(&back, a));
        }
    }
    if (!oi_decimal_is_zero(b) && oi_decimal_divide_half_even(a, b, 18, &result, NULL) == OI_OK)
        oi_assert(oi_decimal_digits(&result) <= 18);
    if (oi_decimal_round_half_even(a, b->exponent, &result, NULL) == OI_OK)
        check_text(&result);
    if (oi_decimal_round_half_up(a, b->exponent, &result, NULL) == OI_OK)
        check_text(&result);
    (void) oi_decimal_to_double(a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oi_slice rest = { (const char *) data, size };
    struct oi_slice first = {};
    struct oi_decimal a, b;

    if (!oi_slice_next_part(&rest, '\n', &first))
        return 0;
    if (oi_decimal_parse(first, &a, NULL) != OI_OK)
        return 0;
    check_text(&a);
    if (oi_decimal_parse(rest, &b, NULL) != OI_OK)
        return 0;
    check_pair(&a, &b);
    return 0;
}
