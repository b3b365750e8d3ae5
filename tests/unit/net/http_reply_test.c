/* SPDX-License-Identifier: Apache-2.0 */
/* How a reply is framed and compressed. */
#include "base/compress.h"

#include "unit/net/connection_world.h"

#include <stdlib.h>

static const char *
ask(struct world *world, const char *request)
{
    world_receive(world, request);
    return world_sent(world);
}

static void
answers_head_with_the_length_and_nothing_else(void **)
{
    struct world world;
    const char *sent;

    world_open(&world);
    world.body_size = 5'000;
    sent = ask(&world, "HEAD /body HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_non_null(strstr(sent, "Content-Length: 5000\r\n\r\n"));
    assert_string_equal(strstr(sent, "\r\n\r\n"), "\r\n\r\n");
    sent = ask(&world, "HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_string_equal(strstr(sent, "Transfer-Encoding"), "Transfer-Encoding: chunked\r\n\r\n");
    assert_int_equal(world.finished, 1);
    assert_int_equal(world.pieces_made, 0);
    world_close(&world);
}

static void
gives_no_body_to_a_status_without_one(void **)
{
    struct world world;
    const char *sent;

    world_open(&world);
    sent = ask(&world, WORLD_GET("/empty"));
    assert_null(strstr(sent, "Content-Length"));
    assert_string_equal(strstr(sent, "\r\n\r\n"), "\r\n\r\n");
    world_close(&world);
}

static void
gives_a_stream_of_one_piece_its_length(void **)
{
    struct world world;

    world_open(&world);
    world.pieces = 1;
    assert_non_null(strstr(ask(&world, WORLD_GET("/stream")), "Content-Length: 32768\r\n"));
    assert_int_equal(world.finished, 1);
    world_close(&world);
}

static void
frames_a_stream_in_chunks(void **)
{
    struct world world;
    const char *sent;

    world_open(&world);
    world.pieces = 3;
    sent = ask(&world, WORLD_GET("/stream"));
    assert_int_equal(world_count(sent, "\r\n8000\r\n"), 3);
    assert_int_equal(world_count(sent, "\r\n0\r\n\r\n"), 1);
    world_close(&world);
}

static void
sends_the_body_before_the_pieces(void **)
{
    struct world world;

    world_open(&world);
    world.pieces = 2;
    assert_non_null(strstr(ask(&world, WORLD_GET("/stream/begun")), "\r\n8006\r\nbegun abc"));
    world.pieces_made = 0;
    world.pieces = 1;
    assert_non_null(strstr(ask(&world, WORLD_GET("/stream/begun")), "Content-Length: 32774\r\n"));
    world_close(&world);
}

static void
passes_over_empty_pieces_but_not_for_ever(void **)
{
    struct world world;

    world_open(&world);
    world.pieces = 1;
    world.empty_pieces = 999;
    assert_non_null(strstr(ask(&world, WORLD_GET("/stream")), "Content-Length: 32768\r\n"));
    world.empty_pieces = 1'000;
    assert_non_null(strstr(ask(&world, WORLD_GET("/stream")), "HTTP/1.1 500 "));
    world_close(&world);
}

static void
ends_a_stream_to_http10_with_the_connection(void **)
{
    struct world world;
    const char *sent;

    world_open(&world);
    world.pieces = 3;
    sent = ask(&world, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_non_null(strstr(sent, "Connection: close\r\n"));
    assert_null(strstr(sent, "chunked"));
    assert_int_equal(strlen(strstr(sent, "\r\n\r\n")) - 4, 3 * WORLD_PIECE_SIZE);
    assert_true(oi_http_connection_wants_shutdown(world.connection));
    world_close(&world);
}

static void
says_500_while_it_can_and_breaks_off_afterwards(void **)
{
    struct world world;

    world_open(&world);
    world.is_failing = true;
    assert_non_null(strstr(ask(&world, WORLD_GET("/stream")), "HTTP/1.1 500 "));
    assert_int_equal(world.finished, 1);
    world_close(&world);

    world_open(&world);
    world_receive(&world, WORLD_GET("/stream"));
    world.is_failing = true;
    assert_null(strstr(world_sent(&world), "\r\n0\r\n"));
    assert_true(oi_http_connection_is_done(world.connection));
    assert_int_equal(world.finished, 1);
    world_close(&world);
}

/* The body of a reply that tells its length, unpacked. */
static void
assert_unpacks(const char *sent, size_t size)
{
    const char *length = strstr(sent, "Content-Length: ");
    struct oi_slice packed = { strstr(sent, "\r\n\r\n") + 4, 0 };
    struct oi_buffer body = {};

    packed.size = strtoul(length + strlen("Content-Length: "), NULL, 10);
    assert_ok(oi_gunzip(packed, 1 << 20, &body, NULL));
    assert_int_equal(body.size, size);
    oi_buffer_release(&body);
}

#define GET_GZIP(accepted) "GET /body HTTP/1.1\r\nHost: a\r\nAccept-Encoding: " accepted "\r\n\r\n"

static void
compresses_what_is_worth_it_when_it_is_accepted(void **)
{
    struct world world;

    world_open(&world);
    world.body_size = 1'499;
    assert_null(strstr(ask(&world, GET_GZIP("gzip")), "Content-Encoding"));
    world.body_size = 1'500;
    assert_unpacks(ask(&world, GET_GZIP("br;q=1, GZip;q=0.001")), 1'500);
    assert_unpacks(ask(&world, GET_GZIP("*")), 1'500);
    assert_null(strstr(ask(&world, GET_GZIP("gzip;q=0")), "Content-Encoding"));
    assert_null(strstr(ask(&world, GET_GZIP("gzip;q=0.00, *")), "Content-Encoding"));
    assert_null(strstr(ask(&world, GET_GZIP("br")), "Content-Encoding"));
    assert_null(strstr(ask(&world, WORLD_GET("/body")), "Content-Encoding"));
    assert_null(world.compressing.data);
    world_close(&world);
}

static void
hands_large_bodies_to_its_host(void **)
{
    struct world world;
    struct oi_buffer packed = {};

    world_open(&world);
    world.body_size = 100'000;
    world_receive(&world, GET_GZIP("gzip"));
    world_receive(&world, WORLD_GET("/after"));
    assert_string_equal(world_sent(&world), "");
    assert_int_equal(world.compressing.size, 100'000);
    world_pass(&world, 60'000);
    assert_false(oi_http_connection_is_done(world.connection));
    oi_gzip(oi_buffer_slice(&world.compressing), 1, &packed);
    oi_http_connection_compressed(world.connection, &world.compressing, &packed);
    (void) world_take(&world, SIZE_MAX);
    oi_buffer_add_char(&world.sent, '\0');
    assert_unpacks(world.sent.data, 100'000);
    assert_int_equal(world.handled, 2);
    world_close(&world);
}

static void
refuses_in_the_envelope_of_the_handler(void **)
{
    struct world world;
    const char *sent;

    world_open(&world);
    sent = ask(&world, "GET / HTTP/1.1\r\n\r\n");
    assert_non_null(strstr(sent, "HTTP/1.1 400 Bad Request\r\n"));
    assert_non_null(strstr(sent, "exactly one Host is needed\n"));
    world_close(&world);
}

static void
withholds_a_reply_until_the_client_gives_up(void **)
{
    struct world world;

    world_open(&world);
    assert_string_equal(ask(&world, WORLD_GET("/withheld")), "");
    world.host.now_ms += 3'600'000;
    oi_http_connection_tick(world.connection);
    assert_false(oi_http_connection_is_done(world.connection));
    oi_http_connection_end(world.connection);
    assert_true(oi_http_connection_is_done(world.connection));
    assert_string_equal(world_sent(&world), "");
    world_close(&world);
}

static void
sends_an_endless_answer_as_it_comes(void **)
{
    struct world world;
    const char *sent;

    world_open(&world);
    sent = ask(&world, WORLD_GET("/events"));
    assert_non_null(strstr(sent, "Transfer-Encoding: chunked\r\n"));
    assert_null(strstr(sent, "\r\n0\r\n"));
    world_pass(&world, 500'000); /* no deadline ends it */
    assert_false(oi_http_connection_is_done(world.connection));
    oi_buffer_add_text(&world.events, "one");
    world.woken = 0;
    oi_http_reply_resume(world.reply);
    oi_http_reply_resume(world.reply);
    assert_int_equal(world.woken, 1);
    oi_http_connection_go_on(world.connection);
    assert_string_equal(world_sent(&world), "3\r\none\r\n");
    oi_http_connection_go_on(world.connection);
    assert_string_equal(world_sent(&world), "");
    oi_buffer_add_text(&world.events, "two");
    oi_http_reply_resume(world.reply);
    oi_http_connection_go_on(world.connection);
    assert_string_equal(world_sent(&world), "3\r\ntwo\r\n");
    oi_http_connection_end(world.connection);
    assert_true(oi_http_connection_is_done(world.connection));
    world_close(&world);
}

static void
ends_an_endless_answer_when_the_server_stops(void **)
{
    struct world world;

    world_open(&world);
    (void) ask(&world, WORLD_GET("/events"));
    world.host.is_stopping = true;
    oi_http_connection_stop(world.connection);
    assert_string_equal(world_sent(&world), "0\r\n\r\n");
    assert_int_equal(world.finished, 1);
    assert_true(oi_http_connection_wants_shutdown(world.connection));
    world_close(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_head_with_the_length_and_nothing_else),
        cmocka_unit_test(gives_no_body_to_a_status_without_one),
        cmocka_unit_test(gives_a_stream_of_one_piece_its_length),
        cmocka_unit_test(frames_a_stream_in_chunks),
        cmocka_unit_test(sends_the_body_before_the_pieces),
        cmocka_unit_test(passes_over_empty_pieces_but_not_for_ever),
        cmocka_unit_test(ends_a_stream_to_http10_with_the_connection),
        cmocka_unit_test(sends_an_endless_answer_as_it_comes),
        cmocka_unit_test(ends_an_endless_answer_when_the_server_stops),
        cmocka_unit_test(says_500_while_it_can_and_breaks_off_afterwards),
        cmocka_unit_test(compresses_what_is_worth_it_when_it_is_accepted),
        cmocka_unit_test(hands_large_bodies_to_its_host),
        cmocka_unit_test(refuses_in_the_envelope_of_the_handler),
        cmocka_unit_test(withholds_a_reply_until_the_client_gives_up),
    };
    return cmocka_run_group_tests_name("net/http_reply", tests, NULL, NULL);
}
