/* SPDX-License-Identifier: Apache-2.0 */
/* Frames both ways, and the close code for each way of being wrong. */
#include "net/websocket.h"

#include "base/compiler.h"
#include "base/random.h"

#include "support/test.h"

struct side {
    struct oi_websocket_engine *engine;
    struct oi_buffer out;
    struct oi_buffer heard; /* the messages, whole, one behind the other */
    size_t message_count;
};

static void
on_message(void *context, struct oi_slice message, bool is_text)
{
    struct side *side = context;

    (void) is_text;
    side->message_count++;
    oi_buffer_add_slice(&side->heard, message);
}

static void
open_side(struct side *side, bool is_client)
{
    const struct oi_websocket_engine_options options = {
        .is_client = is_client,
        .message_size_max = 100'000,
        .message = on_message,
        .context = side,
    };

    *side = (struct side){};
    side->engine = oi_websocket_engine_new(&options);
}

static void
close_side(struct side *side)
{
    oi_websocket_engine_free(&side->engine);
    oi_buffer_release(&side->out);
    oi_buffer_release(&side->heard);
}

/* The server gets these bytes, in pieces of so many, and closes with this code (0: not at all). */
static void
assert_code(const char *bytes, size_t size, size_t piece_size, unsigned code)
{
    struct side side;
    const unsigned char *out;
    size_t at = 0;

    open_side(&side, false);
    while (at < size) {
        size_t piece = size - at < piece_size ? size - at : piece_size;

        oi_websocket_engine_receive(side.engine, (struct oi_slice){ bytes + at, piece }, &side.out);
        at += piece;
    }
    assert_int_equal(oi_websocket_engine_is_done(side.engine), code != 0);
    out = (const unsigned char *) side.out.data;
    if (code != 0) {
        assert_true(side.out.size >= 4);
        assert_int_equal(out[0], 0x88);
        assert_int_equal(out[2] << 8 | out[3], code);
    } else {
        assert_int_equal(side.out.size, 0);
    }
    close_side(&side);
}

#define CODE(bytes, code)                                                                          \
    do {                                                                                           \
        assert_code(bytes, sizeof(bytes) - 1, SIZE_MAX, code);                                     \
        assert_code(bytes, sizeof(bytes) - 1, 1, code);                                            \
    } while (0)
/* A mask of zeros leaves the payload readable. */
#define MASK "\0\0\0\0"

static void
closes_with_1002_on_unsound_frames(void **)
{
    char ping[6 + 126 + 2] = "\x89\xfe\x00\x7e" MASK;

    CODE("\x81\x01x", 1002);                          /* unmasked */
    CODE("\xc1\x81" MASK "x", 1002);                  /* reserved bits */
    CODE("\x83\x81" MASK "x", 1002);                  /* unknown opcode */
    CODE("\x8b\x81" MASK "x", 1002);                  /* unknown control opcode */
    CODE("\x80\x81" MASK "x", 1002);                  /* a continuation of nothing */
    CODE("\x01\x81" MASK "x\x81\x81" MASK "y", 1002); /* a beginning inside */
    CODE("\x09\x81" MASK "x", 1002);                  /* control in fragments */
    CODE("\x88\x81" MASK "\x03", 1002);               /* half a code */
    CODE("\x88\x82" MASK "\x03\xe7", 1002);           /* code 999 */
    CODE("\x88\x82" MASK "\x03\xed", 1002);           /* code 1005 */
    CODE("\x81\xfe\x00\x01" MASK "x", 1002);          /* not minimal */
    CODE("\x81\xff\0\0\0\0\0\0\x01\x00" MASK, 1002);
    CODE("\x81\xff\x80\0\0\0\0\0\0\0" MASK, 1002); /* 2^63 */
    assert_code(ping, sizeof(ping), SIZE_MAX, 1002);
}

static void
closes_with_1007_on_broken_text(void **)
{
    CODE("\x81\x81" MASK "\xff", 1007);
    CODE("\x81\x81" MASK "\xc3", 1007);
    CODE("\x81\x83" MASK "\xed\xa0\x80", 1007);
    CODE("\x88\x83" MASK "\x03\xe8\xff", 1007);
}

static void
closes_with_1009_when_too_much_is_announced(void **)
{
    CODE("\x81\xff\0\0\0\0\x40\0\0\0" MASK, 1009);
    CODE("\x82\xff\x40\0\0\0\0\0\0\0" MASK, 1009);
    CODE("\x81\xff\0\0\0\0\0\x01\x86\xa1" MASK, 1009); /* one byte over */
}

static void
waits_for_the_rest_of_a_frame(void **)
{
    CODE("\x81", 0);
    CODE("\x81\x85" MASK "hell", 0);
    CODE("\x81\xff\0\0\0\0\0\x01\x86\xa0" MASK, 0);
}

static void
echoes_a_close_and_hears_nothing_more(void **)
{
    struct side side;
    static const char bytes[] = "\x81\x81" MASK "a\x88\x82" MASK "\x0f\xa0\x81\x81" MASK "b";

    open_side(&side, false);
    oi_websocket_engine_receive(side.engine, OI_SLICE(bytes), &side.out);
    assert_int_equal(side.message_count, 1);
    assert_memory_equal(side.out.data, "\x88\x02\x0f\xa0", 4);
    assert_true(oi_websocket_engine_is_done(side.engine));
    close_side(&side);
}

static void
answers_pings_inside_a_message(void **)
{
    struct side side;
    static const char bytes[] =
        "\x01\x82" MASK "he\x89\x81" MASK "p\x00\x81" MASK "l\x80\x82" MASK "lo";

    open_side(&side, false);
    oi_websocket_engine_receive(side.engine, OI_SLICE(bytes), &side.out);
    assert_int_equal(side.out.size, 3);
    assert_memory_equal(side.out.data, "\x8a\x01p", 3);
    assert_int_equal(side.message_count, 1);
    assert_true(oi_slice_is(oi_buffer_slice(&side.heard), "hello"));
    close_side(&side);
}

static void
hand_over(struct side *from, struct side *to, struct oi_random *random)
{
    struct oi_slice rest = oi_buffer_slice(&from->out);

    while (rest.size > 0) {
        size_t size = 1 + (size_t) oi_random_below(random, rest.size);

        oi_websocket_engine_receive(to->engine, (struct oi_slice){ rest.data, size }, &to->out);
        rest.data += size;
        rest.size -= size;
    }
    oi_buffer_clear(&from->out);
}

static void
carries_every_message_between_client_and_server(void **)
{
    const uint64_t seed = 20'260'307;
    struct oi_random random;
    struct side client, server;
    static const size_t sizes[] = { 0, 1, 125, 126, 127, 65'535, 65'536, 100'000 };

    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    open_side(&client, true);
    open_side(&server, false);
    for (size_t i = 0; i < OI_COUNT(sizes); i++) {
        struct oi_buffer text = {};

        for (size_t k = 0; k < sizes[i]; k++)
            oi_buffer_add_char(&text, (char) ('!' + oi_random_below(&random, 90)));
        oi_websocket_engine_send(client.engine, oi_buffer_slice(&text), true, &client.out);
        oi_buffer_clear(&server.heard);
        hand_over(&client, &server, &random);
        assert_int_equal(server.message_count, i + 1);
        assert_true(oi_slice_equal(oi_buffer_slice(&text), oi_buffer_slice(&server.heard)));
        oi_websocket_engine_send(server.engine, oi_buffer_slice(&text), false, &server.out);
        oi_buffer_clear(&client.heard);
        hand_over(&server, &client, &random);
        assert_true(oi_slice_equal(oi_buffer_slice(&text), oi_buffer_slice(&client.heard)));
        oi_buffer_release(&text);
    }
    oi_websocket_engine_close(client.engine, 1000, "done", &client.out);
    assert_true(oi_websocket_engine_is_closing(client.engine));
    assert_false(oi_websocket_engine_is_done(client.engine));
    hand_over(&client, &server, &random);
    hand_over(&server, &client, &random);
    assert_true(oi_websocket_engine_is_done(client.engine));
    assert_true(oi_websocket_engine_is_done(server.engine));
    close_side(&client);
    close_side(&server);
}

static void
writes_the_shortest_header(void **)
{
    char header[OI_WEBSOCKET_HEADER_SIZE_MAX];

    assert_int_equal(oi_websocket_header(125, true, header), 2);
    assert_memory_equal(header, "\x81\x7d", 2);
    assert_int_equal(oi_websocket_header(126, false, header), 4);
    assert_memory_equal(header, "\x82\x7e\x00\x7e", 4);
    assert_int_equal(oi_websocket_header(65'535, true, header), 4);
    assert_int_equal(oi_websocket_header(65'536, true, header), 10);
    assert_memory_equal(header, "\x81\x7f\0\0\0\0\0\x01\0\0", 10);
}

static void
knows_keys_and_their_answer(void **)
{
    struct oi_buffer out = {};

    assert_true(oi_websocket_is_key(OI_SLICE("dGhlIHNhbXBsZSBub25jZQ==")));
    assert_false(oi_websocket_is_key(OI_SLICE("dGhlIHNhbXBsZSBub25jZQ")));
    assert_false(oi_websocket_is_key(OI_SLICE("dGhlIHNhbXBsZSBub25jZQ=A")));
    assert_false(oi_websocket_is_key(OI_SLICE("!!hlIHNhbXBsZSBub25jZQ==")));
    assert_false(oi_websocket_is_key(OI_SLICE("")));
    oi_websocket_accept(OI_SLICE("dGhlIHNhbXBsZSBub25jZQ=="), &out);
    assert_true(oi_slice_is(oi_buffer_slice(&out), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    oi_buffer_release(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closes_with_1002_on_unsound_frames),
        cmocka_unit_test(closes_with_1007_on_broken_text),
        cmocka_unit_test(closes_with_1009_when_too_much_is_announced),
        cmocka_unit_test(waits_for_the_rest_of_a_frame),
        cmocka_unit_test(echoes_a_close_and_hears_nothing_more),
        cmocka_unit_test(answers_pings_inside_a_message),
        cmocka_unit_test(carries_every_message_between_client_and_server),
        cmocka_unit_test(writes_the_shortest_header),
        cmocka_unit_test(knows_keys_and_their_answer),
    };
    return cmocka_run_group_tests_name("net/websocket", tests, NULL, NULL);
}
