/* SPDX-License-Identifier: Apache-2.0 */
/* Tables by a mapping: markets by template, map and column, units by row, times in zones. */
#include "archives/archive.h"

#include "base/random.h"
#include "support/test.h"
#include "support/transcript.h"

#include <stdio.h>
#include <string.h>

/* Zones from the machine's files: only New York is asked for. */
static enum oi_status
load_zone(const struct oi_zone_loader *, struct oi_slice name, const struct oi_zone **ret_zone,
          struct oi_error *error)
{
    static struct oi_zone *zone;
    char path[128];
    struct oi_buffer bytes = {};
    enum oi_status status;
    FILE *file;

    (void) snprintf(path, sizeof(path), "/usr/share/zoneinfo/%.*s", OI_SLICE_ARGS(name));
    if (zone) {
        *ret_zone = zone;
        return OI_OK;
    }
    file = fopen(path, "rb");
    if (!file)
        return oi_fail(error, OI_E_NOT_FOUND, "no zone %s", path);
    for (int byte; (byte = fgetc(file)) != EOF;)
        oi_buffer_add_char(&bytes, (char) byte);
    (void) fclose(file);
    status = oi_zone_open(oi_buffer_slice(&bytes), &zone, error);
    oi_buffer_release(&bytes);
    if (status == OI_OK)
        *ret_zone = zone;
    return status;
}

static const struct oi_zone_loader zones = { .load = load_zone };

/* Options as "name value" each, then NULL. */
static void
set(struct oi_mapping *mapping, const char *const *options)
{
    for (; *options; options++) {
        const char *blank = strchr(*options, ' ');
        char name[32];

        (void) snprintf(name, sizeof(name), "%.*s", (int) (blank - *options), *options);
        assert_ok(oi_mapping_set(mapping, name, oi_slice_of(blank + 1), NULL));
    }
}

static void
assert_reads(const char *const *options, struct oi_slice text, const char *expected)
{
    struct oi_mapping mapping = OI_MAPPING_NONE;
    const struct oi_archive_options reader = { "x.csv", &mapping, &zones };
    struct oi_buffer transcript = {};

    set(&mapping, options);
    test_transcribe(&oi_archive_csv, &reader, text, 0, &transcript);
    oi_buffer_add_char(&transcript, '\0');
    assert_string_equal(transcript.data, expected);
    oi_buffer_release(&transcript);
    oi_mapping_release(&mapping);
}
#define OPTIONS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void
a_template_is_filled_from_the_row(void **)
{
    assert_reads(OPTIONS("time ts", "oi oi_usd", "unit usd", "market {venue}-{coin}-future"),
                 OI_SLICE("ts,venue,coin,oi_usd\n"
                          "2025-03-06T11:06:00.000Z,Hyperliquid,kPEPE,782675457.7890401\n"
                          "2025-03-06T11:07:00.000Z,hyperliquid,,1\n"),
                 "2 hyperliquid:perp:kPEPE 2025-03-06T11:06:00Z usd oi=782675457.7890401\n"
                 "3 refused coin \"\": empty, but the market's name is made of it\n");
}

static void
columns_can_be_markets_of_their_own(void **)
{
    assert_reads(OPTIONS("time t:s", "unit contracts", "column a=kalshi:event:A",
                         "column b=kalshi:event:B", "column-unit b=usd"),
                 OI_SLICE("t,a,b\n60,1,2\n120,NA,3\n"),
                 "2 kalshi:event:A 1970-01-01T00:01:00Z contracts oi=1\n"
                 "2 kalshi:event:B 1970-01-01T00:01:00Z usd oi=2\n"
                 "3 refused a \"NA\": no figure\n"
                 "3 kalshi:event:B 1970-01-01T00:02:00Z usd oi=3\n");
}

static void
a_unit_can_depend_on_the_row(void **)
{
    assert_reads(OPTIONS("time t:s", "oi x", "unit usd", "market {venue}:perp:{coin}",
                         "unit-when poll=1,venue=okx:contracts", "unit-when poll=1:coins",
                         "unit-when poll=2,venue=o*:none"),
                 OI_SLICE("poll,t,venue,coin,x\n1,0,okx,A,1\n1,0,bybit,A,2\n2,0,okx,A,3\n"
                          "2,0,bybit,A,4\n"),
                 "2 okx:perp:A 1970-01-01T00:00:00Z contracts oi=1\n"
                 "3 bybit:perp:A 1970-01-01T00:00:00Z coins oi=2\n"
                 "4 refused x \"3\": its unit is none of contracts, coins and USD\n"
                 "5 bybit:perp:A 1970-01-01T00:00:00Z usd oi=4\n");
}

static void
every_other_column_can_be_named(void **)
{
    assert_reads(OPTIONS("delimiter ;", "time t:us", "known-time k:s", "exchange-time e:ms", "oi x",
                         "unit coins", "market a:b:c", "value v", "mark m", "index i", "last l"),
                 OI_SLICE("t;k;e;x;v;m;i;l\n1500000;1704643984.09318;2000;1;2;3;4;5\n"
                          "1500000;;;1;;null;.;NA\n1;2;3;-1;;;;\n1;2;3;1;x;;;\n"),
                 "2 a:b:c 1970-01-01T00:00:01.500000000Z coins oi=1 usd=2 mark=3 index=4 last=5 "
                 "known=2024-01-07T16:13:04.093180000Z exchange=1970-01-01T00:00:02Z\n"
                 "3 a:b:c 1970-01-01T00:00:01.500000000Z coins oi=1\n"
                 "4 refused x \"-1\": negative open interest\n"
                 "5 refused v \"x\": a character that is no digit\n");
}

static void
a_time_without_a_zone_is_refused_until_one_is_named(void **)
{
    const struct oi_slice text = OI_SLICE("t,x\n2025-01-15 12:00:00,1\n");

    assert_reads(OPTIONS("time t", "oi x", "unit coins", "market a:b:c"), text,
                 "2 refused t \"2025-01-15 12:00:00\": a time without a zone: name it with "
                 "--zone\n");
    assert_reads(OPTIONS("time t", "oi x", "unit coins", "market a:b:c", "zone UTC"), text,
                 "2 a:b:c 2025-01-15T12:00:00Z coins oi=1\n");
    assert_reads(OPTIONS("time t", "oi x", "unit coins", "market a:b:c", "zone America/New_York"),
                 text, "2 a:b:c 2025-01-15T17:00:00Z coins oi=1\n");
}

/* New York went back on 2025-11-02 at 06:00 UTC and forward on 2025-03-09 at 07:00 UTC. */
static void
where_clocks_change_the_earlier_instant_is_taken_or_none(void **)
{
    assert_reads(
        OPTIONS("time t", "oi x", "unit coins", "market a:b:c", "zone America/New_York"),
        OI_SLICE("t,x\n2025-11-02 01:30:00,1\n2025-11-02 02:00:00,2\n"
                 "2025-03-09 01:59:59,3\n2025-03-09 02:30:00,4\n2025-03-09 03:00:00,5\n"
                 "2025-11-02 01:30:00-05:00,6\n"),
        "2 a:b:c 2025-11-02T05:30:00Z coins oi=1\n"
        "3 a:b:c 2025-11-02T07:00:00Z coins oi=2\n"
        "4 a:b:c 2025-03-09T06:59:59Z coins oi=3\n"
        "5 refused t \"2025-03-09 02:30:00\": a time that does not exist there, the clocks "
        "went forward\n"
        "6 a:b:c 2025-03-09T07:00:00Z coins oi=5\n"
        "7 a:b:c 2025-11-02T06:30:00Z coins oi=6\n");
}

static void
a_map_names_markets_and_units(void **)
{
    struct oi_mapping mapping = OI_MAPPING_NONE;
    const struct oi_archive_options reader = { "x.csv", &mapping, NULL };
    struct oi_buffer transcript = {};

    set(&mapping, OPTIONS("time t:s", "oi x", "unit usd", "map-column name"));
    assert_ok(oi_mapping_set_map(&mapping, OI_SLICE("btc,a:b:BTC\neth,a:b:ETH,coins\n"), NULL));
    test_transcribe(&oi_archive_csv, &reader, OI_SLICE("t,name,x\n0,btc,1\n0,eth,2\n0,sol,3\n"), 0,
                    &transcript);
    oi_buffer_add_char(&transcript, '\0');
    assert_string_equal(transcript.data, "2 a:b:BTC 1970-01-01T00:00:00Z usd oi=1\n"
                                         "3 a:b:ETH 1970-01-01T00:00:00Z coins oi=2\n"
                                         "4 refused name \"sol\": the map has no market for it\n");
    oi_buffer_release(&transcript);
    oi_mapping_release(&mapping);
}

static void
candles_want_one_column_and_its_instant(void **)
{
    const struct oi_slice text =
        OI_SLICE("timestamp,open_interest,high_oi,low_oi,close_oi\n2021-03-19,1,3,0,2\n");

    assert_reads(OPTIONS("time timestamp", "oi close_oi", "unit usd", "market a:b:c", "zone UTC"),
                 text,
                 "INVALID: candles are not imported as they are: name one column with --oi and the "
                 "instant of its figure with --instant (start, or how long after the label)\n");
    assert_reads(OPTIONS("time timestamp", "oi close_oi", "unit usd", "market a:b:c", "zone UTC",
                         "instant 1d"),
                 text, "2 a:b:c 2021-03-20T00:00:00Z usd oi=2\n");
    assert_reads(OPTIONS("time timestamp", "oi open_interest", "unit usd", "market a:b:c",
                         "zone UTC", "instant start"),
                 text, "2 a:b:c 2021-03-19T00:00:00Z usd oi=1\n");
}

static void
one_poll_can_have_one_instant(void **)
{
    assert_reads(
        OPTIONS("at 2026-02-19T08:50:00Z", "oi x", "unit contracts", "market k:event:{id}"),
        OI_SLICE("id,x\nA,1\n\"B, \"\"b\"\"\",  2 \n"),
        "2 k:event:A 2026-02-19T08:50:00Z contracts oi=1\n"
        "3 k:event:B, \"b\" 2026-02-19T08:50:00Z contracts oi=2\n");
}

static void
a_column_that_is_not_there_is_named(void **)
{
    assert_reads(OPTIONS("time t", "oi y", "unit usd", "market a:b:c"), OI_SLICE("t,x\n"),
                 "INVALID: the header has no column y; it has t x\n");
    assert_reads(OPTIONS("time t", "oi x", "unit usd", "market a:b:{c}"), OI_SLICE("t,x\n"),
                 "INVALID: the header has no column c; it has t x\n");
    assert_reads(OPTIONS("time t", "oi x", "unit usd", "market a:b:{c"), OI_SLICE("t,x\n"),
                 "INVALID: a { without its } in the market \"a:b:{c\"\n");
}

static void
pieces_of_any_size_read_the_same(void **)
{
    static const uint64_t seed = 7;
    struct oi_mapping mapping = OI_MAPPING_NONE;
    const struct oi_archive_options options = { "x.csv", &mapping, NULL };
    struct oi_buffer text = {}, whole = {};
    struct oi_random random;

    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    set(&mapping, OPTIONS("time t:s", "oi x", "unit usd", "market a:b:{m}"));
    oi_buffer_add_text(&text, "\xEF\xBB\xBFt,m,x\r\n");
    for (int i = 0; i < 200; i++)
        oi_buffer_add_format(&text, "%d,\"M%llu\",%s\r\n", i,
                             (unsigned long long) oi_random_below(&random, 9),
                             i % 13 == 0 ? "NA" : "12.5");
    test_transcribe(&oi_archive_csv, &options, oi_buffer_slice(&text), 0, &whole);
    assert_true(whole.size > 1000);
    for (int round = 0; round < 30; round++) {
        struct oi_buffer pieces = {};

        test_transcribe(&oi_archive_csv, &options, oi_buffer_slice(&text),
                        1 + oi_random_below(&random, 100), &pieces);
        assert_true(oi_slice_equal(oi_buffer_slice(&whole), oi_buffer_slice(&pieces)));
        oi_buffer_release(&pieces);
    }
    oi_buffer_release(&text);
    oi_buffer_release(&whole);
    oi_mapping_release(&mapping);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_template_is_filled_from_the_row),
        cmocka_unit_test(columns_can_be_markets_of_their_own),
        cmocka_unit_test(a_unit_can_depend_on_the_row),
        cmocka_unit_test(every_other_column_can_be_named),
        cmocka_unit_test(a_time_without_a_zone_is_refused_until_one_is_named),
        cmocka_unit_test(where_clocks_change_the_earlier_instant_is_taken_or_none),
        cmocka_unit_test(a_map_names_markets_and_units),
        cmocka_unit_test(candles_want_one_column_and_its_instant),
        cmocka_unit_test(one_poll_can_have_one_instant),
        cmocka_unit_test(a_column_that_is_not_there_is_named),
        cmocka_unit_test(pieces_of_any_size_read_the_same),
    };
    return cmocka_run_group_tests_name("archives/csv", tests, NULL, NULL);
}
