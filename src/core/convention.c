/* SPDX-License-Identifier: Apache-2.0 */
/* Which convention is in force, and figures turned from one unit into another by the facts of their
 * instrument. */
#include "core/convention.h"

#include <string.h>

/* Does this row speak of the product and feed at all, and how specifically? 0: not at all. */
static int
specificity(const struct oi_convention *row, const char *product, const char *feed)
{
    int score = 1;

    if (row->feed) {
        if (!feed || strcmp(row->feed, feed) != 0)
            return 0;
        score += 2;
    }
    if (row->product) {
        if (!product || strcmp(row->product, product) != 0)
            return 0;
        score += 1;
    }
    return score;
}

const struct oi_convention *
oi_convention_find(const struct oi_convention_book *book, const char *exchange, const char *product,
                   const char *feed, oi_time time)
{
    const struct oi_convention *best = NULL;
    int best_score = 0;

    for (size_t i = 0; i < book->count; i++) {
        const struct oi_convention_page *page = &book->pages[i];

        if (page->exchange && (!exchange || strcmp(page->exchange, exchange) != 0))
            continue;
        for (size_t j = 0; j < page->count; j++) {
            const struct oi_convention *row = &page->conventions[j];
            /* A page for the exchange itself outranks one for all of them only where the rows are
             * otherwise alike. */
            int score = 2 * specificity(row, product, feed) + (page->exchange != NULL);

            /* A row dated 0 or earlier has always held. */
            if (score < 2 || (row->since > 0 && row->since > time) || score < best_score)
                continue;
            if (score > best_score || row->since >= best->since) {
                best = row;
                best_score = score;
            }
        }
    }
    return best;
}

int64_t
oi_convention_staleness_ns(const struct oi_convention *convention)
{
    const int64_t least = 15 * OI_MINUTE;

    if (!convention)
        return least;
    if (convention->is_daily)
        return 5 * OI_DAY;
    if (convention->cadence_ns <= least / 3)
        return least;
    return 3 * convention->cadence_ns;
}

static const char *const unit_names[] = {
    [OI_UNIT_UNKNOWN] = "unknown",
    [OI_UNIT_CONTRACTS] = "contracts",
    [OI_UNIT_COINS] = "coins",
    [OI_UNIT_USD] = "usd",
};

const char *
oi_unit_name(enum oi_unit unit)
{
    oi_assert((size_t) unit < OI_COUNT(unit_names));
    return unit_names[unit];
}

enum oi_status
oi_unit_parse(struct oi_slice text, enum oi_unit *ret_unit, struct oi_error *error)
{
    for (size_t i = OI_UNIT_CONTRACTS; i < OI_COUNT(unit_names); i++) {
        if (oi_slice_is(text, unit_names[i])) {
            *ret_unit = (enum oi_unit) i;
            return OI_OK;
        }
    }
    return oi_fail(error, OI_E_INVALID, "a unit is contracts, coins or usd");
}

bool
oi_asset_is_usd(const char *asset)
{
    /* Each filled up with zeros, so that one is one number: it is asked for every row. */
    static const char pegged[][8] = {
        "USD",  "USDT", "USDC",  "BUSD",  "TUSD", "USDP", "FDUSD", "GUSD", "DAI",  "USDE",
        "USDH", "USD1", "PYUSD", "RLUSD", "USDS", "USDD", "UST",   "PUSD", "SUSD", "ZUSD",
    };
    char wanted[sizeof(pegged[0])] = {};

    for (size_t i = 0; asset && asset[i] != 0; i++) {
        if (i == sizeof(wanted) - 1)
            return false;
        wanted[i] = asset[i] >= 'a' && asset[i] <= 'z' ? (char) (asset[i] - 'a' + 'A') : asset[i];
    }
    for (size_t i = 0; i < OI_COUNT(pegged); i++)
        if (memcmp(wanted, pegged[i], sizeof(wanted)) == 0)
            return true;
    return false;
}

/* Digits of a division by price, where nothing else is said. */
#define QUOTIENT_DIGITS 18

/* Multiplied one after the other; stays none once it is. */
static enum oi_status
scale_by(struct oi_decimal *value, const struct oi_decimal *factor, struct oi_error *error)
{
    return oi_decimal_multiply(value, factor, value, error);
}

/* Are contracts of this kind worth a number of coins (else of USD)? Options are, whatever they
 * settle in. */
static bool
is_sized_in_coins(const struct oi_instrument *instrument)
{
    return instrument->kind == OI_KIND_OPTION ||
           (instrument->kind != OI_KIND_EVENT && instrument->settlement == OI_SETTLEMENT_LINEAR);
}

static bool
is_sized_in_usd(const struct oi_instrument *instrument)
{
    return instrument->kind == OI_KIND_EVENT ||
           (instrument->kind != OI_KIND_OPTION && instrument->settlement == OI_SETTLEMENT_INVERSE);
}

/* USD for one unit of the symbol, or none. */
static enum oi_status
price_usd(const struct oi_conversion *conversion, struct oi_decimal *ret_price,
          struct oi_error *error)
{
    const struct oi_instrument *instrument = conversion->instrument;
    struct oi_decimal price = conversion->mark_price;

    /* An option's mark is its premium; and an index price is in USD already. */
    if (instrument->kind == OI_KIND_OPTION || oi_decimal_is_none(&price)) {
        *ret_price = conversion->index_price;
        return OI_OK;
    }
    /* What is not linear is quoted in USD. */
    if (instrument->settlement == OI_SETTLEMENT_LINEAR && !oi_asset_is_usd(instrument->quote))
        OI_TRY(scale_by(&price, &conversion->quote_usd, error));
    *ret_price = price;
    return OI_OK;
}

/* Exact wherever the quotient ends within 64 digits, as it does for contract sizes and factors that
 * are powers of ten; else half-even to 18. */
static enum oi_status
divide_by_size(const struct oi_decimal *value, const struct oi_decimal *size,
               struct oi_decimal *ret_quotient, struct oi_error *error)
{
    struct oi_decimal rounded, exact, back;

    OI_TRY(oi_decimal_divide_half_even(value, size, QUOTIENT_DIGITS, &rounded, error));
    if (oi_decimal_multiply(&rounded, size, &back, NULL) != OI_OK ||
        !oi_decimal_equal(&back, value)) {
        OI_TRY(oi_decimal_divide_half_even(value, size, OI_DECIMAL_DIGITS_MAX, &exact, error));
        if (oi_decimal_multiply(&exact, size, &back, NULL) == OI_OK &&
            oi_decimal_equal(&back, value))
            rounded = exact;
    }
    *ret_quotient = rounded;
    return OI_OK;
}

static enum oi_status
to_usd(const struct oi_conversion *conversion, struct oi_decimal value,
       struct oi_decimal *ret_value, struct oi_error *error)
{
    const struct oi_instrument *instrument = conversion->instrument;
    struct oi_decimal factor = oi_decimal_from(instrument->base_factor, 0);
    struct oi_decimal price;

    if (conversion->from == OI_UNIT_CONTRACTS)
        OI_TRY(scale_by(&value, &instrument->contract_size, error));
    if (conversion->from == OI_UNIT_COINS || is_sized_in_coins(instrument)) {
        OI_TRY(price_usd(conversion, &price, error));
        OI_TRY(scale_by(&value, &price, error));
        /* The price is one of the symbol's units, a contract's size is not. */
        if (conversion->from == OI_UNIT_CONTRACTS && instrument->base_factor != 1)
            OI_TRY(divide_by_size(&value, &factor, &value, error));
    } else if (!is_sized_in_usd(instrument)) {
        value = (struct oi_decimal){};
    }
    *ret_value = value;
    return OI_OK;
}

/* USD turned into coins by the price. */
static enum oi_status
usd_to_coins(const struct oi_conversion *conversion, struct oi_decimal value,
             struct oi_decimal *ret_value, struct oi_error *error)
{
    struct oi_decimal factor = oi_decimal_from(conversion->instrument->base_factor, 0);
    struct oi_decimal price;

    OI_TRY(price_usd(conversion, &price, error));
    OI_TRY(scale_by(&value, &factor, error));
    return oi_decimal_divide_half_even(&value, &price, QUOTIENT_DIGITS, ret_value, error);
}

static enum oi_status
to_coins(const struct oi_conversion *conversion, struct oi_decimal value,
         const struct oi_decimal *value_usd, struct oi_decimal *ret_value, struct oi_error *error)
{
    const struct oi_instrument *instrument = conversion->instrument;
    struct oi_decimal factor = oi_decimal_from(instrument->base_factor, 0);

    if (conversion->from == OI_UNIT_COINS) {
        OI_TRY(scale_by(&value, &factor, error));
    } else if (instrument->kind == OI_KIND_EVENT) {
        value = (struct oi_decimal){};
    } else if (conversion->from == OI_UNIT_USD) {
        return usd_to_coins(conversion, value, ret_value, error);
    } else {
        bool has_size = !oi_decimal_is_none(&instrument->contract_size);

        if (has_size && is_sized_in_coins(instrument)) {
            OI_TRY(scale_by(&value, &instrument->contract_size, error));
        } else if (has_size && is_sized_in_usd(instrument)) {
            OI_TRY(scale_by(&value, &instrument->contract_size, error));
            return usd_to_coins(conversion, value, ret_value, error);
        } else {
            /* The venue's own USD figure says how much a quanto contract is worth. */
            return usd_to_coins(conversion, *value_usd, ret_value, error);
        }
    }
    *ret_value = value;
    return OI_OK;
}

/* Only where the size alone decides: a count that hangs on a price is none. */
static enum oi_status
to_contracts(const struct oi_conversion *conversion, struct oi_decimal value,
             struct oi_decimal *ret_value, struct oi_error *error)
{
    const struct oi_instrument *instrument = conversion->instrument;
    struct oi_decimal factor = oi_decimal_from(instrument->base_factor, 0);
    bool by_coins = conversion->from == OI_UNIT_COINS && is_sized_in_coins(instrument);
    bool by_usd = conversion->from == OI_UNIT_USD && is_sized_in_usd(instrument);

    if (!by_coins && !by_usd) {
        *ret_value = (struct oi_decimal){};
        return OI_OK;
    }
    if (by_coins)
        OI_TRY(scale_by(&value, &factor, error));
    return divide_by_size(&value, &instrument->contract_size, ret_value, error);
}

enum oi_status
oi_convert(const struct oi_conversion *conversion, const struct oi_decimal *open_interest,
           enum oi_unit to, struct oi_decimal *ret_value, struct oi_error *error)
{
    struct oi_decimal value = *open_interest;
    struct oi_decimal value_usd = conversion->value_usd;

    if (conversion->one_sided && conversion->sides == 2) {
        OI_TRY(oi_decimal_halve(&value, &value, error));
        OI_TRY(oi_decimal_halve(&value_usd, &value_usd, error));
    }
    if (to == OI_UNIT_USD && conversion->from != OI_UNIT_USD && !oi_decimal_is_none(&value_usd)) {
        *ret_value = value_usd;
        return OI_OK;
    }
    if (to == conversion->from && to != OI_UNIT_COINS) {
        *ret_value = value;
        return OI_OK;
    }
    if (conversion->from == OI_UNIT_UNKNOWN ||
        (conversion->instrument->is_provisional && to != conversion->from)) {
        *ret_value = (struct oi_decimal){};
        return OI_OK;
    }
    switch (to) {
    case OI_UNIT_CONTRACTS:
        return to_contracts(conversion, value, ret_value, error);
    case OI_UNIT_COINS:
        return to_coins(conversion, value, &value_usd, ret_value, error);
    case OI_UNIT_USD:
        return to_usd(conversion, value, ret_value, error);
    case OI_UNIT_UNKNOWN:
        break;
    }
    *ret_value = (struct oi_decimal){};
    return OI_OK;
}
