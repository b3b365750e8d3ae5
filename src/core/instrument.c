/* SPDX-License-Identifier: Apache-2.0 */
/* Names and definitions of instruments: checked when set, compared by field, kept as bytes. */
#include "core/instrument.h"

#include "base/utf8.h"

#include <string.h>

enum oi_status
oi_name_set(char *field, size_t field_size, struct oi_slice text, struct oi_error *error)
{
    uint32_t character = 0;
    size_t step;

    if (text.size == 0)
        return oi_fail(error, OI_E_INVALID, "an empty name");
    if (text.size >= field_size)
        return oi_fail(error, OI_E_INVALID, "a name longer than %zu bytes", field_size - 1);
    for (struct oi_slice rest = text; rest.size > 0; rest.data += step, rest.size -= step) {
        step = oi_utf8_decode(rest, &character);
        if (step == 0)
            return oi_fail(error, OI_E_INVALID, "a name that is not valid UTF-8");
        if (character < 0x20 || (character >= 0x7F && character < 0xA0))
            return oi_fail(error, OI_E_INVALID, "a name with a control character");
    }
    memset(field, 0, field_size);
    memcpy(field, text.data, text.size);
    return OI_OK;
}

static bool
is_letter(char character)
{
    return (character >= 'A' && character <= 'Z') || (character >= 'a' && character <= 'z');
}

/* The largest multiple met is 10000000AIDOGE; a coin has at least two characters, for "1000X" is
 * the name of one. */
#define FACTOR_DIGITS_MAX 10
#define COIN_SIZE_MIN 2

/* The number 10^n, n >= 3, at the start of `digits`; its length, or 0. */
static size_t
power_at_start(struct oi_slice digits, int64_t *ret_factor)
{
    size_t size = 1;
    int64_t factor = 1;

    if (digits.size == 0 || digits.data[0] != '1')
        return 0;
    while (size < digits.size && size < FACTOR_DIGITS_MAX && digits.data[size] == '0') {
        size++;
        factor *= 10;
    }
    if (size < 4)
        return 0;
    *ret_factor = factor;
    return size;
}

static struct oi_slice
split_factor(struct oi_slice base, bool has_k_prefix, int64_t *ret_factor)
{
    size_t size = power_at_start(base, ret_factor);
    size_t zeros = 0;

    if (size > 0 && base.size >= size + COIN_SIZE_MIN && is_letter(base.data[size]))
        return (struct oi_slice){ base.data + size, base.size - size };
    *ret_factor = 1;
    if (base.size > 4 && memcmp(base.data, "1M", 2) == 0 && is_letter(base.data[2])) {
        *ret_factor = 1'000'000;
        return (struct oi_slice){ base.data + 2, base.size - 2 };
    }
    if (has_k_prefix && base.size > COIN_SIZE_MIN && base.data[0] == 'k' && base.data[1] >= 'A' &&
        base.data[1] <= 'Z') {
        *ret_factor = 1000;
        return (struct oi_slice){ base.data + 1, base.size - 1 };
    }
    while (zeros < base.size && base.data[base.size - 1 - zeros] == '0')
        zeros++;
    if (zeros >= 3 && zeros < FACTOR_DIGITS_MAX && base.size >= zeros + 1 + COIN_SIZE_MIN &&
        base.data[base.size - 1 - zeros] == '1' && is_letter(base.data[base.size - 2 - zeros])) {
        (void) power_at_start((struct oi_slice){ base.data + base.size - 1 - zeros, zeros + 1 },
                              ret_factor);
        return (struct oi_slice){ base.data, base.size - 1 - zeros };
    }
    return base;
}

enum oi_status
oi_instrument_set_base(struct oi_instrument *instrument, struct oi_slice base, bool has_k_prefix,
                       struct oi_error *error)
{
    int64_t factor = 1;
    struct oi_slice coin = split_factor(base, has_k_prefix, &factor);

    /* ISO 4217's form, which BitMEX, Kraken and KuCoin use. */
    if (oi_slice_is(coin, "XBT"))
        coin = OI_SLICE("BTC");
    OI_TRY(OI_NAME_SET(instrument->base, coin, error));
    instrument->base_factor = factor;
    return OI_OK;
}

bool
oi_instrument_same_definition(const struct oi_instrument *a, const struct oi_instrument *b)
{
    return strcmp(a->exchange, b->exchange) == 0 && strcmp(a->product, b->product) == 0 &&
           strcmp(a->symbol, b->symbol) == 0 && a->listed == b->listed && a->kind == b->kind &&
           a->settlement == b->settlement && strcmp(a->base, b->base) == 0 &&
           strcmp(a->quote, b->quote) == 0 && strcmp(a->margin, b->margin) == 0 &&
           a->base_factor == b->base_factor &&
           oi_decimal_equal(&a->contract_size, &b->contract_size) && a->expiry == b->expiry &&
           oi_decimal_equal(&a->strike, &b->strike) && a->option_side == b->option_side &&
           a->is_delisted == b->is_delisted && a->is_provisional == b->is_provisional;
}

const char *
oi_kind_name(enum oi_kind kind)
{
    switch (kind) {
    case OI_KIND_UNKNOWN:
        return "UNKNOWN";
    case OI_KIND_PERPETUAL:
        return "PERPETUAL";
    case OI_KIND_FUTURE:
        return "FUTURE";
    case OI_KIND_OPTION:
        return "OPTION";
    case OI_KIND_EVENT:
        return "EVENT";
    }
    return "UNKNOWN";
}

const char *
oi_settlement_name(enum oi_settlement settlement)
{
    switch (settlement) {
    case OI_SETTLEMENT_UNKNOWN:
        return "UNKNOWN";
    case OI_SETTLEMENT_LINEAR:
        return "LINEAR";
    case OI_SETTLEMENT_INVERSE:
        return "INVERSE";
    case OI_SETTLEMENT_QUANTO:
        return "QUANTO";
    }
    return "UNKNOWN";
}

/*
 * The bytes: a version, the names (a length byte and the bytes each), numbers little-endian,
 * decimals as their text, which is canonical.
 */
#define ENCODING_VERSION 1

#define BIT_DELISTED 1
#define BIT_PROVISIONAL 2
#define BIT_ASSUMED 4
#define BITS_ALL (BIT_DELISTED | BIT_PROVISIONAL | BIT_ASSUMED)

static void
encode_text(struct oi_buffer *out, const char *text)
{
    size_t size = strlen(text);

    oi_buffer_add_u8(out, (uint8_t) size);
    oi_buffer_add(out, text, size);
}

static void
encode_decimal(struct oi_buffer *out, const struct oi_decimal *value)
{
    char text[OI_DECIMAL_TEXT_SIZE];

    (void) oi_decimal_print(value, text);
    encode_text(out, text);
}

void
oi_instrument_encode(const struct oi_instrument *instrument, struct oi_buffer *out)
{
    unsigned bits = (instrument->is_delisted ? BIT_DELISTED : 0) |
                    (instrument->is_provisional ? BIT_PROVISIONAL : 0) |
                    (instrument->is_assumed ? BIT_ASSUMED : 0);

    oi_buffer_add_u8(out, ENCODING_VERSION);
    oi_buffer_add_u32(out, instrument->id);
    encode_text(out, instrument->exchange);
    encode_text(out, instrument->product);
    encode_text(out, instrument->symbol);
    oi_buffer_add_u64(out, (uint64_t) instrument->listed);
    oi_buffer_add_u8(out, (uint8_t) instrument->kind);
    oi_buffer_add_u8(out, (uint8_t) instrument->settlement);
    oi_buffer_add_u8(out, (uint8_t) instrument->option_side);
    oi_buffer_add_u8(out, (uint8_t) bits);
    encode_text(out, instrument->base);
    encode_text(out, instrument->quote);
    encode_text(out, instrument->margin);
    oi_buffer_add_u64(out, (uint64_t) instrument->base_factor);
    encode_decimal(out, &instrument->contract_size);
    oi_buffer_add_u64(out, (uint64_t) instrument->expiry);
    encode_decimal(out, &instrument->strike);
    oi_buffer_add_u64(out, (uint64_t) instrument->valid_from);
    oi_buffer_add_u64(out, (uint64_t) instrument->known_from);
}

/* An empty text is an empty field; anything else is checked like a name from outside. */
static void
decode_text(struct oi_cursor *cursor, char *field, size_t field_size)
{
    struct oi_slice text = oi_cursor_bytes(cursor, oi_cursor_u8(cursor));

    if (text.size > 0 && oi_name_set(field, field_size, text, NULL) != OI_OK)
        cursor->failed = true;
}

static void
decode_decimal(struct oi_cursor *cursor, struct oi_decimal *value)
{
    struct oi_slice text = oi_cursor_bytes(cursor, oi_cursor_u8(cursor));

    if (text.size > 0 && oi_decimal_parse(text, value, NULL) != OI_OK)
        cursor->failed = true;
}

/* A byte that is at most `last`. */
static int
decode_enum(struct oi_cursor *cursor, int last)
{
    int value = oi_cursor_u8(cursor);

    if (value > last)
        cursor->failed = true;
    return value;
}

enum oi_status
oi_instrument_decode(struct oi_slice bytes, struct oi_instrument *ret_instrument,
                     struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(bytes);
    struct oi_instrument instrument = OI_INSTRUMENT_NONE;
    int bits;

    if (oi_cursor_u8(&cursor) != ENCODING_VERSION)
        return oi_fail(error, OI_E_CORRUPT, "an instrument of an unknown encoding");
    instrument.id = oi_cursor_u32(&cursor);
    decode_text(&cursor, instrument.exchange, sizeof(instrument.exchange));
    decode_text(&cursor, instrument.product, sizeof(instrument.product));
    decode_text(&cursor, instrument.symbol, sizeof(instrument.symbol));
    instrument.listed = (oi_time) oi_cursor_u64(&cursor);
    instrument.kind = (enum oi_kind) decode_enum(&cursor, OI_KIND_EVENT);
    instrument.settlement = (enum oi_settlement) decode_enum(&cursor, OI_SETTLEMENT_QUANTO);
    instrument.option_side = (enum oi_option_side) decode_enum(&cursor, OI_OPTION_PUT);
    bits = decode_enum(&cursor, BITS_ALL);
    instrument.is_delisted = bits & BIT_DELISTED;
    instrument.is_provisional = bits & BIT_PROVISIONAL;
    instrument.is_assumed = bits & BIT_ASSUMED;
    decode_text(&cursor, instrument.base, sizeof(instrument.base));
    decode_text(&cursor, instrument.quote, sizeof(instrument.quote));
    decode_text(&cursor, instrument.margin, sizeof(instrument.margin));
    instrument.base_factor = (int64_t) oi_cursor_u64(&cursor);
    decode_decimal(&cursor, &instrument.contract_size);
    instrument.expiry = (oi_time) oi_cursor_u64(&cursor);
    decode_decimal(&cursor, &instrument.strike);
    instrument.valid_from = (oi_time) oi_cursor_u64(&cursor);
    instrument.known_from = (oi_time) oi_cursor_u64(&cursor);
    if (cursor.failed || oi_cursor_left(&cursor) != 0 || instrument.base_factor < 1)
        return oi_fail(error, OI_E_CORRUPT, "an instrument that does not decode");
    *ret_instrument = instrument;
    return OI_OK;
}
