/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every exchange's streams promise: sound tables, messages that read as stream.json says,
 * subscriptions that are JSON whatever the symbols hold, and no sense made of nonsense; then every
 * recorded message beside the repository.
 *
 * `expected` in stream.json is written by this program: OI_WRITE_EXPECTED=1 rewrites the files in
 * the tree, and the difference is then read by a human before it is committed.
 */
#include "base/compiler.h"
#include "base/compress.h"
#include "base/json.h"
#include "base/random.h"
#include "exchanges/exchange.h"
#include "exchanges/reply.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/test.h"
#include "support/test_data.h"
#include "support/test_exchange.h"

#define FIXTURES "tests/fixtures/exchanges"
#define NOW (INT64_C(1'790'000'000) * OI_SECOND)
#define MUTATIONS 60

static void
assert_sane(const struct oi_exchange *exchange, const struct oi_harvest *harvest)
{
    assert_int_equal(harvest->instruments.count, 0);
    for (size_t i = 0; i < harvest->rows.count; i++) {
        const struct oi_harvest_row *row = &harvest->rows.items[i];

        assert_true(row->symbol[0] != '\0');
        assert_true(!row->product || test_exchange_has_product(exchange, row->product));
        assert_true(oi_decimal_sign(&row->reading.open_interest) >= 0);
        assert_true(oi_decimal_sign(&row->reading.value_usd) >= 0);
        assert_true(oi_decimal_sign(&row->reading.mark_price) >= 0);
        assert_true(row->reading.time == OI_TIME_NONE && row->reading.known_time == OI_TIME_NONE);
    }
}

static enum oi_status
read_message(const struct oi_exchange *exchange, size_t stream, struct oi_slice message,
             struct oi_harvest *harvest, struct oi_stream_event *event)
{
    enum oi_status status;

    oi_harvest_reset(harvest);
    *event = (struct oi_stream_event){};
    status =
        exchange->streams[stream].read(&exchange->streams[stream], message, harvest, event, NULL);
    assert_sane(exchange, harvest);
    return status;
}

static void
describe_figure(struct oi_buffer *out, const char *name, const struct oi_decimal *value)
{
    char text[OI_DECIMAL_TEXT_SIZE];

    oi_decimal_print(value, text);
    if (text[0])
        oi_buffer_add_format(out, " %s=%s", name, text);
}

/* All that came of a message, as text. */
static void
describe(enum oi_status status, const struct oi_harvest *harvest,
         const struct oi_stream_event *event, struct oi_buffer *out)
{
    oi_buffer_add_text(out, oi_status_name(status));
    if (event->is_acknowledgement)
        oi_buffer_add_text(out, " acknowledged");
    if (event->answer)
        oi_buffer_add_format(out, " answer=%s", event->answer);
    for (size_t i = 0; i < harvest->rows.count; i++) {
        const struct oi_harvest_row *row = &harvest->rows.items[i];

        oi_buffer_add_format(out, "; %s %s", row->product ? row->product : "?", row->symbol);
        describe_figure(out, "oi", &row->reading.open_interest);
        describe_figure(out, "usd", &row->reading.value_usd);
        describe_figure(out, "mark", &row->reading.mark_price);
        describe_figure(out, "index", &row->reading.index_price);
        describe_figure(out, "last", &row->reading.last_price);
        if (row->reading.exchange_time != OI_TIME_NONE)
            oi_buffer_add_format(out, " ms=%lld",
                                 (long long) oi_time_to_ms(row->reading.exchange_time));
    }
    for (size_t i = 0; i < harvest->skips.count; i++)
        oi_buffer_add_format(out, "; skip %s: %s", harvest->skips.items[i].symbol,
                             harvest->skips.items[i].reason);
}

typedef void fixture_visit(const struct oi_exchange *exchange, size_t stream,
                           const struct oi_json_node *entry, void *context);

static void
each_message(const struct oi_exchange *exchange, fixture_visit *visit, void *context)
{
    struct oi_buffer bytes = {};
    struct oi_json *json = NULL;
    char path[TEST_PATH_SIZE];

    snprintf(path, sizeof(path), FIXTURES "/%s/stream.json", exchange->name);
    test_file_read(path, &bytes);
    assert_ok(oi_json_open(oi_buffer_slice(&bytes), &json, NULL));
    for (const struct oi_json_node *entry = oi_json_first(oi_json_root(json)); entry;
         entry = oi_json_next(entry)) {
        int64_t stream = 0;

        assert_ok(oi_reply_integer(entry, "stream", &stream, NULL));
        assert_in_range(stream, 0, exchange->stream_count - 1);
        visit(exchange, (size_t) stream, entry, context);
    }
    oi_json_close(&json);
    oi_buffer_release(&bytes);
}

static void
check_message(const struct oi_exchange *exchange, size_t stream, const struct oi_json_node *entry,
              void *context)
{
    struct oi_slice message = oi_reply_text(entry, "message");
    struct oi_slice expected = oi_reply_text(entry, "expected");
    struct oi_json_writer *writer = context;
    struct oi_harvest harvest = {};
    struct oi_stream_event event;
    struct oi_buffer actual = {};
    enum oi_status status = read_message(exchange, stream, message, &harvest, &event);

    describe(status, &harvest, &event, &actual);
    oi_json_begin_object(writer);
    oi_json_add_name(writer, "stream");
    oi_json_add_int(writer, (int64_t) stream);
    oi_json_add_name(writer, "message");
    oi_json_add_string(writer, message);
    oi_json_add_name(writer, "expected");
    oi_json_add_string(writer, oi_buffer_slice(&actual));
    oi_json_end_object(writer);
    if (!getenv("OI_WRITE_EXPECTED") && !oi_slice_equal(oi_buffer_slice(&actual), expected))
        fail_msg("%s: %.*s\nreads as %.*s\nexpected %.*s", exchange->name, OI_SLICE_ARGS(message),
                 OI_SLICE_ARGS(oi_buffer_slice(&actual)), OI_SLICE_ARGS(expected));
    oi_buffer_release(&actual);
    oi_harvest_release(&harvest);
}

static void
messages_read_as_their_fixture_says(void **)
{
    size_t streaming = 0;

    for (size_t i = 0; oi_exchanges[i]; i++) {
        struct oi_buffer written = {};
        struct oi_json_writer writer = { .out = &written, .is_pretty = true };
        char path[TEST_PATH_SIZE];
        FILE *file;

        if (oi_exchanges[i]->stream_count == 0)
            continue;
        streaming++;
        oi_json_begin_array(&writer);
        each_message(oi_exchanges[i], check_message, &writer);
        oi_json_end_array(&writer);
        oi_buffer_add_char(&written, '\n');
        if (getenv("OI_WRITE_EXPECTED")) {
            snprintf(path, sizeof(path), FIXTURES "/%s/stream.json", oi_exchanges[i]->name);
            file = fopen(path, "we");
            assert_non_null(file);
            assert_int_equal(fwrite(written.data, 1, written.size, file), written.size);
            assert_int_equal(fclose(file), 0);
        }
        oi_buffer_release(&written);
    }
    print_message("%zu exchanges with streams\n", streaming);
    assert_in_range(streaming, 8, 100);
}

static void
check_stream(const struct oi_exchange *exchange, const struct oi_exchange_stream *stream)
{
    const char *const hostile[] = { "BTC\"USDT", "\\", "\xff\xfe", "", "a b\n" };
    const char *const usual[] = { "BTC-USDT", "ETH_USDT" };
    struct oi_stream_task task = { .stream = stream, .number = 1, .now = NOW };
    struct oi_buffer out = {};
    struct oi_json *json = NULL;

    assert_true(strncmp(stream->url, "wss://", 6) == 0);
    for (size_t i = 0; stream->products[i]; i++)
        assert_true(test_exchange_has_product(exchange, stream->products[i]));
    assert_non_null(stream->products[0]);
    assert_true(stream->connections_max > 0 && stream->connect_gap_ms > 0);
    assert_true(stream->alive_ms >= 10'000);
    assert_true(!stream->ping || (stream->ping_ms > 0 && 2 * stream->ping_ms <= stream->alive_ms));
    if (!stream->is_whole) {
        assert_in_range(stream->symbols_per_message, 1, OI_COUNT(usual) * 500);
        assert_true(stream->symbols_max >= stream->symbols_per_message);
        task.symbols = usual;
        task.symbol_count = stream->symbols_per_message < OI_COUNT(usual) ? 1 : OI_COUNT(usual);
    }
    assert_ok(stream->subscribe(&task, &out, NULL));
    assert_ok(oi_json_open(oi_buffer_slice(&out), &json, NULL));
    oi_json_close(&json);
    for (size_t i = 0; !stream->is_whole && i < OI_COUNT(hostile); i++) {
        oi_buffer_clear(&out);
        task.symbols = &hostile[i];
        task.symbol_count = 1;
        if (stream->subscribe(&task, &out, NULL) != OI_OK || strcmp(hostile[i], "\xff\xfe") == 0)
            continue; /* what is no UTF-8 is no symbol: the catalogue has none */
        assert_ok(oi_json_open(oi_buffer_slice(&out), &json, NULL));
        oi_json_close(&json);
    }
    oi_buffer_release(&out);
}

static void
streams_are_sound_and_subscribe_in_json(void **)
{
    for (size_t i = 0; oi_exchanges[i]; i++)
        for (size_t j = 0; j < oi_exchanges[i]->stream_count; j++)
            check_stream(oi_exchanges[i], &oi_exchanges[i]->streams[j]);
}

/* Cut short, it is nonsense (or, of a lone word, nothing); mutated, it is sane. */
static void
break_message(const struct oi_exchange *exchange, size_t stream, const struct oi_json_node *entry,
              void *context)
{
    struct oi_random *random = context;
    struct oi_slice message = oi_reply_text(entry, "message");
    struct oi_harvest harvest = {};
    struct oi_stream_event event;

    for (size_t size = 0; size < message.size; size++)
        if (read_message(exchange, stream, (struct oi_slice){ message.data, size }, &harvest,
                         &event) == OI_OK)
            fail_msg("%s takes %.*s", exchange->name, (int) size, message.data);
    for (int round = 0; round < MUTATIONS; round++) {
        struct oi_buffer bytes = {};

        oi_buffer_add_slice(&bytes, message);
        for (int i = 0; i < 3; i++)
            bytes.data[oi_random_below(random, bytes.size)] = (char) oi_random_next(random);
        (void) read_message(exchange, stream, oi_buffer_slice(&bytes), &harvest, &event);
        oi_buffer_release(&bytes);
    }
    oi_harvest_release(&harvest);
}

static void
a_broken_message_yields_nothing_that_makes_no_sense(void **)
{
    const uint64_t seed = 20'261'126;
    struct oi_random random;

    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (size_t i = 0; oi_exchanges[i]; i++)
        if (oi_exchanges[i]->stream_count > 0)
            each_message(oi_exchanges[i], break_message, &random);
}

/*
 * Recorded messages, with what another reader made of them.
 */

/* Whose messages a group of the recordings are. */
static const struct oi_exchange *
exchange_of(struct oi_slice test)
{
    static const struct {
        const char *start, *exchange;
    } groups[] = {
        { "map bybit", "bybit" },          { "map okex", "okx" },
        { "map deribit", "deribit" },      { "map bitmex", "bitmex" },
        { "map bitget", "bitget" },        { "map cryptofacilities", "kraken_futures" },
        { "map gate-io-futures", "gate" }, { "map hyperliquid", "hyperliquid" },
    };

    for (size_t i = 0; i < OI_COUNT(groups); i++)
        if (oi_slice_starts_with(test, groups[i].start))
            return oi_exchange_find(oi_slice_of(groups[i].exchange));
    return NULL;
}

static bool
unpack(const char *relative, struct oi_buffer *out)
{
    struct oi_buffer packed = {};
    struct oi_unpacker *unpacker;
    char path[TEST_PATH_SIZE];

    if (!test_data_find(relative, path))
        return false;
    test_file_read(path, &packed);
    unpacker = oi_unpacker_new();
    assert_ok(oi_unpacker_add(unpacker, oi_buffer_slice(&packed), true, out, NULL));
    oi_unpacker_free(&unpacker);
    oi_buffer_release(&packed);
    return true;
}

/* A recorded message is JSON in JSON: written again as it would have come. */
static void
write_again(const struct oi_json_node *node, struct oi_json_writer *writer)
{
    if (oi_json_add_scalar(writer, node))
        return;
    if (oi_json_kind(node) == OI_JSON_ARRAY) {
        oi_json_begin_array(writer);
        for (const struct oi_json_node *item = oi_json_first(node); item; item = oi_json_next(item))
            write_again(item, writer);
        oi_json_end_array(writer);
        return;
    }
    oi_json_begin_object(writer);
    for (const struct oi_json_node *item = oi_json_first(node); item; item = oi_json_next(item)) {
        struct oi_slice name = oi_json_name(item);
        char text[128];

        snprintf(text, sizeof(text), "%.*s", OI_SLICE_ARGS(name));
        oi_json_add_name(writer, text);
        write_again(item, writer);
    }
    oi_json_end_object(writer);
}

/* Does the other reader have the symbol, and with this figure? */
static void
look_up(struct oi_slice test, struct oi_slice expected, const struct oi_harvest_row *row,
        bool *ret_has_symbol, bool *ret_has_figure)
{
    struct oi_slice line;

    *ret_has_symbol = *ret_has_figure = false;
    while (oi_slice_next_part(&expected, '\n', &line)) {
        struct oi_json *json = NULL;
        struct oi_decimal wanted;
        struct oi_slice group;

        if (line.size == 0)
            continue;
        assert_ok(oi_json_open(line, &json, NULL));
        group = oi_reply_text(oi_json_root(json), "snapshot");
        if (group.size > 0 && memmem(group.data, group.size, test.data, test.size) &&
            oi_slice_is(oi_reply_text(oi_json_root(json), "symbol"), row->symbol) &&
            oi_reply_decimal(oi_json_root(json), "openInterest", &wanted, NULL) == OI_OK) {
            *ret_has_symbol = true;
            *ret_has_figure |= oi_decimal_compare(&wanted, &row->reading.open_interest) == 0;
        }
        oi_json_close(&json);
    }
}

/* How many figures of a message the other reader has as well; it must not have others. */
static size_t
compare_with(const struct oi_json_node *raw, struct oi_slice expected)
{
    const struct oi_exchange *exchange = exchange_of(oi_reply_text(raw, "test"));
    struct oi_harvest harvest = {};
    struct oi_stream_event event;
    size_t compared = 0;
    struct oi_buffer text = {};
    struct oi_json_writer writer = { .out = &text };

    if (!exchange)
        return 0;
    write_again(oi_json_member(raw, "raw"), &writer);
    for (size_t stream = 0; stream < exchange->stream_count && compared == 0; stream++) {
        if (read_message(exchange, stream, oi_buffer_slice(&text), &harvest, &event) != OI_OK)
            continue;
        for (size_t i = 0; i < harvest.rows.count; i++) {
            bool has_symbol, has_figure;

            look_up(oi_reply_text(raw, "test"), expected, &harvest.rows.items[i], &has_symbol,
                    &has_figure);
            assert_int_equal(has_symbol, has_figure);
            compared += has_figure;
        }
    }
    oi_harvest_release(&harvest);
    oi_buffer_release(&text);
    return compared;
}

static void
recorded_messages_have_the_figures_that_others_read(void **)
{
    struct oi_buffer raw = {}, expected = {};
    struct oi_slice rest, line;
    size_t compared = 0;

    if (!unpack("data/oi/exchange_messages/raw_oi_messages.jsonl.gz", &raw) ||
        !unpack("data/oi/exchange_messages/normalized_oi_expected.jsonl.gz", &expected)) {
        print_message("0 recorded messages\n");
        oi_buffer_release(&raw);
        skip();
    }
    rest = oi_buffer_slice(&raw);
    while (oi_slice_next_part(&rest, '\n', &line)) {
        struct oi_json *json = NULL;

        if (line.size == 0)
            continue;
        assert_ok(oi_json_open(line, &json, NULL));
        compared += compare_with(oi_json_root(json), oi_buffer_slice(&expected));
        oi_json_close(&json);
    }
    print_message("%zu figures of recorded messages\n", compared);
    assert_in_range(compared, 20, 200);
    oi_buffer_release(&raw);
    oi_buffer_release(&expected);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_read_as_their_fixture_says),
        cmocka_unit_test(streams_are_sound_and_subscribe_in_json),
        cmocka_unit_test(a_broken_message_yields_nothing_that_makes_no_sense),
        cmocka_unit_test(recorded_messages_have_the_figures_that_others_read),
    };
    return cmocka_run_group_tests_name("contract/exchange_stream", tests, NULL, NULL);
}
