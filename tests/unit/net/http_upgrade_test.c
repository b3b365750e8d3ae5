/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to a WebSocket, and the handle that is pushed through. */
#include "unit/net/connection_world.h"

#define HANDSHAKE(target)                                                                          \
    "GET " target                                                                                  \
    " HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"            \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
/* "hi" with a mask of zeros. */
#define FRAME_HI "\x81\x82\0\0\0\0hi"

static void
receive_bytes(struct world *world, const char *bytes, size_t size)
{
    oi_http_connection_receive(world->connection, (struct oi_slice){ bytes, size });
}

static void
answers_a_handshake_and_the_frame_behind_it(void **)
{
    struct world world;
    const char *sent;

    world_open(&world);
    receive_bytes(&world, HANDSHAKE("/ws") FRAME_HI, sizeof(HANDSHAKE("/ws") FRAME_HI) - 1);
    sent = world_sent(&world);
    assert_non_null(strstr(sent, "HTTP/1.1 101 Switching Protocols\r\n"));
    assert_non_null(strstr(sent, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    assert_non_null(strstr(sent, "Upgrade: websocket\r\n"));
    assert_string_equal(strstr(sent, "\r\n\r\n"), "\r\n\r\n\x81\x07welcome");
    assert_memory_equal(world.heard.data, "hi ", 3);
    assert_int_equal(world.host.stats.websockets, 1);
    world_close(&world);
    assert_int_equal(world.closed, 1);
}

static void
leaves_another_protocol_to_the_handler(void **)
{
    struct world world;

    world_open(&world);
    world_receive(&world,
                  "GET /x HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n");
    assert_non_null(strstr(world_sent(&world), "HTTP/1.1 200 "));
    world_close(&world);
}

static void
sends_a_refusal_as_the_last_answer(void **)
{
    struct world world;
    const char *sent;

    world_open(&world);
    receive_bytes(&world, HANDSHAKE("/no") FRAME_HI, sizeof(HANDSHAKE("/no") FRAME_HI) - 1);
    sent = world_sent(&world);
    assert_non_null(strstr(sent, "HTTP/1.1 403 Forbidden\r\n"));
    assert_non_null(strstr(sent, "Connection: close\r\n"));
    assert_null(strstr(sent, "welcome"));
    world_close(&world);
    assert_int_equal(world.closed, 0);
}

static void
shares_one_frame_between_sockets(void **)
{
    struct world first, second;
    struct oi_shared *frame = oi_websocket_frame_new(OI_SLICE("news"));
    struct oi_slice seen[2];

    world_open(&first);
    world_open(&second);
    world_receive(&first, HANDSHAKE("/ws"));
    world_receive(&second, HANDSHAKE("/ws"));
    (void) world_sent(&first);
    (void) world_sent(&second);
    oi_websocket_send_frame(first.websocket, frame);
    oi_websocket_send_frame(second.websocket, frame);
    oi_shared_unref(&frame);
    assert_null(frame);
    assert_int_equal(first.woken, 1);
    assert_int_equal(oi_output_show(oi_http_connection_output(first.connection), &seen[0], 1), 1);
    assert_int_equal(oi_output_show(oi_http_connection_output(second.connection), &seen[1], 1), 1);
    assert_ptr_equal(seen[0].data, seen[1].data);
    assert_string_equal(world_sent(&first), "\x81\x04news");
    assert_string_equal(world_sent(&second), "\x81\x04news");
    world_close(&first);
    world_close(&second);
}

static void
tells_what_waits_and_when_it_has_drained(void **)
{
    struct world world;
    struct oi_buffer text = {};

    world_open(&world);
    world_receive(&world, HANDSHAKE("/ws"));
    (void) world_sent(&world);
    world_fill(&text, 50'000);
    oi_websocket_send(world.websocket, oi_buffer_slice(&text));
    assert_int_equal(oi_websocket_queued(world.websocket), 50'004);
    (void) world_take(&world, SIZE_MAX);
    assert_int_equal(world.drained, 0);
    oi_websocket_send(world.websocket, oi_buffer_slice(&text));
    oi_websocket_send(world.websocket, oi_buffer_slice(&text));
    (void) world_take(&world, 30'000);
    assert_int_equal(world.drained, 0);
    (void) world_take(&world, 30'000);
    assert_int_equal(world.drained, 1);
    oi_buffer_release(&text);
    world_close(&world);
}

static void
closes_behind_what_was_sent_and_says_nothing_more(void **)
{
    struct world world;

    world_open(&world);
    world_receive(&world, HANDSHAKE("/ws"));
    (void) world_sent(&world);
    oi_websocket_send(world.websocket, OI_SLICE("last"));
    oi_websocket_close(world.websocket, 1001, "bye");
    oi_websocket_send(world.websocket, OI_SLICE("too late"));
    assert_string_equal(world_sent(&world), "\x81\x04last\x88\x05\x03\xe9"
                                            "bye");
    assert_false(oi_http_connection_wants_shutdown(world.connection));
    receive_bytes(&world, "\x88\x82\0\0\0\0\x03\xe9", 8);
    assert_true(oi_http_connection_wants_shutdown(world.connection));
    world_close(&world);
    assert_int_equal(world.closed, 1);
}

static void
does_not_wait_for_ever_for_the_other_close(void **)
{
    struct world world;

    world_open(&world);
    world_receive(&world, HANDSHAKE("/ws"));
    oi_websocket_close(world.websocket, 1000, NULL);
    (void) world_sent(&world);
    world_pass(&world, 2'000);
    assert_true(oi_http_connection_wants_shutdown(world.connection));
    world_pass(&world, 2'000);
    assert_true(oi_http_connection_is_done(world.connection));
    world_close(&world);
}

static void
pings_a_silent_client_and_gives_it_up(void **)
{
    struct world world;

    world_open(&world);
    world_receive(&world, HANDSHAKE("/ws"));
    (void) world_sent(&world);
    world_pass(&world, 75'000);
    assert_memory_equal(world_sent(&world), "\x89\0", 2);
    receive_bytes(&world, "\x8a\x80\0\0\0\0", 6);
    world_pass(&world, 75'000);
    assert_memory_equal(world_sent(&world), "\x89\0", 2);
    world_pass(&world, 75'000);
    assert_true(oi_http_connection_is_done(world.connection));
    world_close(&world);
}

static void
gives_up_a_socket_with_an_absurd_queue(void **)
{
    struct world world;
    struct oi_buffer text = {};
    struct oi_shared *frame;

    world_open(&world);
    world_receive(&world, HANDSHAKE("/ws"));
    world_fill(&text, 1 << 20);
    frame = oi_websocket_frame_new(oi_buffer_slice(&text));
    for (int i = 0; i < 100; i++)
        oi_websocket_send_frame(world.websocket, frame);
    assert_true(oi_http_connection_is_done(world.connection));
    assert_int_equal(world.closed, 0); /* told in a turn of its own, not inside a broadcast */
    oi_shared_unref(&frame);
    oi_buffer_release(&text);
    world_close(&world);
    assert_int_equal(world.closed, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_a_handshake_and_the_frame_behind_it),
        cmocka_unit_test(leaves_another_protocol_to_the_handler),
        cmocka_unit_test(sends_a_refusal_as_the_last_answer),
        cmocka_unit_test(shares_one_frame_between_sockets),
        cmocka_unit_test(tells_what_waits_and_when_it_has_drained),
        cmocka_unit_test(closes_behind_what_was_sent_and_says_nothing_more),
        cmocka_unit_test(does_not_wait_for_ever_for_the_other_close),
        cmocka_unit_test(pings_a_silent_client_and_gives_it_up),
        cmocka_unit_test(gives_up_a_socket_with_an_absurd_queue),
    };
    return cmocka_run_group_tests_name("net/http_upgrade", tests, NULL, NULL);
}
