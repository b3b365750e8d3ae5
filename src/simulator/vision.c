/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binance Vision: a zip file of metrics a market and day, and its checksum, with the oddities of
 * the real ones. Which day has which follows from the day's number, so that a test can tell.
 */
/* no unit test: tests/contract/backfill_world_test.c reads it through the collector */
#include "base/crypto.h"
#include "simulator/world_internal.h"

#include <stdio.h>
#include <string.h>

/* From this day on a label names the start of its five minutes (USDT-M). */
#define ERA_START (OI_SECOND * INT64_C(1'782'345'600))
/* Published the morning after; days that were cut short come again two days later. */
#define LATE_NS (8 * OI_HOUR)
#define REPUBLISHED_NS (3 * OI_DAY)
#define CUT_NS (13 * OI_HOUR + 30 * OI_MINUTE)
#define PREFIX "/data/futures/"

struct day {
    const struct oi_market *market;
    oi_time start;
    char name[2 * OI_SYMBOL_SIZE]; /* without an ending */
    bool is_sum;
};

static bool
is_every(const struct day *day, int64_t nth, int64_t rest)
{
    return day->start / OI_DAY % nth == rest;
}

/*
 * A zip file with one entry that is stored as it is.
 */

static uint32_t
crc32_of(struct oi_slice bytes)
{
    uint32_t sum = UINT32_MAX;

    for (size_t i = 0; i < bytes.size; i++) {
        sum ^= (unsigned char) bytes.data[i];
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? UINT32_C(0xEDB88320) : 0);
    }
    return ~sum;
}

/* What the head of an entry and its place in the directory have in common. */
static void
add_entry(struct oi_buffer *out, struct oi_slice content, const char *name)
{
    oi_buffer_add_u16(out, 20);            /* version needed */
    oi_buffer_add_u16(out, 0);             /* flags */
    oi_buffer_add_u16(out, 0);             /* stored */
    oi_buffer_add_u32(out, 0x58'21'00'00); /* some day */
    oi_buffer_add_u32(out, crc32_of(content));
    oi_buffer_add_u32(out, (uint32_t) content.size);
    oi_buffer_add_u32(out, (uint32_t) content.size);
    oi_buffer_add_u16(out, (uint16_t) strlen(name));
    oi_buffer_add_u16(out, 0); /* extra */
}

static void
zip(struct oi_slice content, const char *name, struct oi_buffer *out)
{
    size_t start;

    oi_buffer_add_u32(out, 0x04'03'4b'50);
    add_entry(out, content, name);
    oi_buffer_add_text(out, name);
    oi_buffer_add_slice(out, content);
    start = out->size;
    oi_buffer_add_u32(out, 0x02'01'4b'50);
    oi_buffer_add_u16(out, 20);
    add_entry(out, content, name);
    oi_buffer_add_u16(out, 0); /* comment */
    oi_buffer_add_u16(out, 0); /* disk */
    oi_buffer_add_u16(out, 0);
    oi_buffer_add_u32(out, 0);
    oi_buffer_add_u32(out, 0); /* the entry's place */
    oi_buffer_add_text(out, name);
    oi_buffer_add_u32(out, 0x06'05'4b'50);
    oi_buffer_add_u32(out, 0);
    oi_buffer_add_u16(out, 1);
    oi_buffer_add_u16(out, 1);
    oi_buffer_add_u32(out, (uint32_t) (out->size - start - 12));
    oi_buffer_add_u32(out, (uint32_t) start);
    oi_buffer_add_u16(out, 0);
}

/*
 * A day's table.
 */

static void
add_label(oi_time time, struct oi_buffer *out)
{
    struct oi_buffer text = {};

    oi_time_write(time, 0, &text);
    oi_buffer_add_format(out, "%.10s %.8s", text.data, text.data + 11);
    oi_buffer_release(&text);
}

static void
add_row(const struct call *call, const struct day *day, oi_time instant, struct oi_buffer *out)
{
    bool is_start = day->market->is_inverse || day->start >= ERA_START;
    char figure[OI_DECIMAL_TEXT_SIZE], value[OI_DECIMAL_TEXT_SIZE];
    struct oi_figures figures;

    oi_market_figures(call->seed, day->market, instant, &figures);
    figure[oi_decimal_print(&figures.open_interest, figure)] = '\0';
    value[oi_decimal_print(&figures.value, value)] = '\0';
    add_label(is_start ? instant - POINT_NS : instant, out);
    oi_buffer_add_format(out, ",%s,%s,%s,1.0,1.0,1.0,1.0\n", day->market->symbol, figure, value);
}

static void
add_table(const struct call *call, const struct day *day, struct oi_buffer *out)
{
    bool is_cut = is_every(day, 5, 0) && call->now < day->start + REPUBLISHED_NS;

    oi_buffer_add_text(out, "create_time,symbol,sum_open_interest,sum_open_interest_value,"
                            "count_toptrader_long_short_ratio,sum_toptrader_long_short_ratio,"
                            "count_long_short_ratio,sum_taker_long_short_vol_ratio\n");
    for (oi_time time = day->start + POINT_NS; time <= day->start + OI_DAY; time += POINT_NS) {
        if (is_cut && time > day->start + CUT_NS)
            break;
        add_row(call, day, time, out);
    }
    /* Its last line twice. */
    if (is_every(day, 3, 1))
        add_row(call, day, day->start + OI_DAY, out);
}

/* "/data/futures/um/daily/metrics/BTCUSDT/BTCUSDT-metrics-2026-01-01.zip[.CHECKSUM]" */
static bool
parse_path(const struct call *call, struct day *day)
{
    static const char folder[] = "/daily/metrics/";
    struct oi_slice path = call->request->path, rest, part, name = {};
    char wanted[2 * OI_SYMBOL_SIZE];

    day->is_sum = oi_slice_ends_with(path, ".CHECKSUM");
    if (day->is_sum)
        path.size -= strlen(".CHECKSUM");
    if (!oi_slice_starts_with(path, PREFIX) || !oi_slice_ends_with(path, ".zip") ||
        path.size < strlen(PREFIX) + 2 + strlen(folder))
        return false;
    path.size -= strlen(".zip");
    rest = (struct oi_slice){ path.data + strlen(PREFIX) + 2 + strlen(folder),
                              path.size - strlen(PREFIX) - 2 - strlen(folder) };
    if (!oi_slice_next_part(&rest, '/', &part) || !oi_slice_next_part(&rest, '/', &name) ||
        name.size < 10 || part.size >= OI_SYMBOL_SIZE)
        return false;
    day->market = call_market(call, part);
    if (!day->market ||
        day->market->is_inverse != (memcmp(path.data + strlen(PREFIX), "cm", 2) == 0) ||
        oi_time_parse_utc((struct oi_slice){ name.data + name.size - 10, 10 }, &day->start, NULL) !=
            OI_OK)
        return false;
    (void) snprintf(wanted, sizeof(wanted), "%.*s-metrics-%.*s", OI_SLICE_ARGS(part), 10,
                    name.data + name.size - 10);
    (void) snprintf(day->name, sizeof(day->name), "%s", wanted);
    return oi_slice_is(name, wanted);
}

/* Days before the listing, days that are not over, and some that were never published. */
static bool
is_published(const struct call *call, const struct day *day)
{
    return day->start >= day->market->listed && call->now >= day->start + OI_DAY + LATE_NS &&
           !is_every(day, 11, 4);
}

void
vision_answer(const struct call *call)
{
    struct oi_buffer table = {}, file = {};
    uint8_t digest[OI_SHA256_SIZE];
    char name[sizeof(((struct day *) NULL)->name) + 8];
    struct day day = {};

    if (!parse_path(call, &day) || !is_published(call, &day)) {
        call_fail(call, 404, "application/xml", "<Error><Code>NoSuchKey</Code></Error>");
        return;
    }
    add_table(call, &day, &table);
    (void) snprintf(name, sizeof(name), "%s.csv", day.name);
    zip(oi_buffer_slice(&table), name, &file);
    if (!day.is_sum) {
        oi_http_reply_type(call->reply, "application/zip");
        oi_buffer_add_slice(&call->reply->body, oi_buffer_slice(&file));
    } else {
        oi_http_reply_type(call->reply, "binary/octet-stream");
        oi_sha256(oi_buffer_slice(&file), digest);
        digest[0] ^= is_every(&day, 13, 7); /* and one that never matches */
        oi_hex((struct oi_slice){ (const char *) digest, sizeof(digest) }, &call->reply->body);
        oi_buffer_add_format(&call->reply->body, "  %s.zip\n", day.name);
    }
    oi_buffer_release(&table);
    oi_buffer_release(&file);
}

bool
vision_is_asked(const struct call *call)
{
    return oi_slice_is(call->host, "data.binance.vision");
}
