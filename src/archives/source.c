/* SPDX-License-Identifier: Apache-2.0 */
/* Binance Vision's folders, one file a market and day. */
#include "archives/source.h"

#include "base/crypto.h"
#include "base/vector.h"

#include <string.h>

#define HASH_DIGITS 64

static void
vision_path(const struct oi_archive_source *source, const char *symbol, oi_time day,
            struct oi_buffer *out)
{
    oi_buffer_add_format(out, "/data/futures/%s/daily/metrics/%s/%s-metrics-",
                         strcmp(source->product, "coinm") == 0 ? "cm" : "um", symbol, symbol);
    oi_time_write_date(day, out);
    oi_buffer_add_text(out, ".zip");
}

#define VISION(of_product, from)                                                                   \
    {                                                                                              \
        .archive = &oi_archive_binance_vision, .exchange = "binance", .product = (of_product),     \
        .origin = "https://data.binance.vision", .ending = ".CHECKSUM", .since = (from),           \
        .first_ns = 5 * OI_MINUTE, .late_ns = 12 * OI_HOUR, .requests_max = 600,                   \
        .window_ms = 60'000, .path = vision_path                                                   \
    }

/* 2020-09-01: BTCUSDT; most others begin in December 2021. */
#define VISION_START (INT64_C(1'598'918'400) * OI_SECOND)

static const struct oi_archive_source vision_usdm = VISION("usdm", VISION_START);
static const struct oi_archive_source vision_coinm = VISION("coinm", VISION_START);

const struct oi_archive_source *const oi_archive_sources[] = { &vision_usdm, &vision_coinm, NULL };

enum oi_status
oi_archive_sum_parse(struct oi_slice text, const char *name, uint8_t ret_digest[32],
                     struct oi_error *error)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer digest = {};
    struct oi_slice digits = { text.data, HASH_DIGITS };
    struct oi_slice rest;

    if (text.size < HASH_DIGITS + 2 || text.data[HASH_DIGITS] != ' ')
        return oi_fail(error, OI_E_INVALID, "no checksum");
    OI_TRY(oi_unhex(digits, &digest, error));
    rest = (struct oi_slice){ text.data + HASH_DIGITS, text.size - HASH_DIGITS };
    while (rest.size > 0 && (rest.data[0] == ' ' || rest.data[0] == '*'))
        rest = (struct oi_slice){ rest.data + 1, rest.size - 1 };
    while (rest.size > 0 && (unsigned char) rest.data[rest.size - 1] <= ' ')
        rest.size--;
    if (!oi_slice_is(rest, name))
        return oi_fail(error, OI_E_INVALID, "a checksum of another file: %.*s",
                       OI_SLICE_ARGS(rest));
    memcpy(ret_digest, digest.data, OI_SHA256_SIZE);
    return OI_OK;
}
