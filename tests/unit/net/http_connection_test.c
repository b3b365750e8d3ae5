/* SPDX-License-Identifier: Apache-2.0 */
/* One connection from its first byte to its end, with deadlines and readers that stop. */
#include "net/http_connection.h"

#include "unit/net/connection_world.h"

static void
answers_a_pipeline_in_order(void **)
{
    struct world world;
    const char *sent;

    world_open(&world);
    world_receive(&world, WORLD_GET("/one") WORLD_GET("/two") WORLD_GET("/three"));
    sent = world_sent(&world);
    assert_int_equal(world.handled, 3);
    assert_int_equal(world_count(sent, "HTTP/1.1 200 OK\r\n"), 3);
    assert_true(strstr(sent, "/one") < strstr(sent, "/two"));
    assert_true(strstr(sent, "/two") < strstr(sent, "/three"));
    world_close(&world);
}

static void
writes_what_a_reply_needs_and_no_more(void **)
{
    struct world world;

    world_open(&world);
    world_receive(&world, WORLD_GET("/x"));
    assert_string_equal(world_sent(&world), "HTTP/1.1 200 OK\r\n"
                                            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                            "Content-Type: text/plain\r\n"
                                            "Vary: Accept-Encoding\r\n"
                                            "Content-Length: 2\r\n\r\n/x");
    world_close(&world);
}

static void
pulls_no_more_than_a_stopped_reader_may_cost(void **)
{
    struct world world;

    world_open(&world);
    world_receive(&world, WORLD_GET("/stream") WORLD_GET("/after"));
    assert_true(world.pieces_made <= 4);
    assert_true(oi_http_connection_output(world.connection)->size < 4 * WORLD_PIECE_SIZE);
    assert_int_equal(world_take(&world, 40'000), 40'000);
    assert_true(world.pieces_made <= 5);
    assert_int_equal(world.finished, 0);
    assert_non_null(strstr(world_sent(&world), "/after"));
    assert_int_equal(world.pieces_made, 100);
    assert_int_equal(world.finished, 1);
    world_close(&world);
}

static void
holds_a_pipeline_back_until_its_answers_are_taken(void **)
{
    struct world world;

    world_open(&world);
    world.body_size = 50'000;
    for (int i = 0; i < 10; i++)
        world_receive(&world, WORLD_GET("/body"));
    assert_int_equal(world.handled, 2);
    assert_int_equal(world_count(world_sent(&world), "200 OK"), 10);
    assert_int_equal(world.handled, 10);
    world_close(&world);
}

static void
stops_reading_when_enough_is_waiting(void **)
{
    struct world world;

    world_open(&world);
    world.body_size = 200'000;
    for (int i = 0; i < 5'000 && oi_http_connection_wants_input(world.connection); i++)
        world_receive(&world, WORLD_GET("/body"));
    assert_false(oi_http_connection_wants_input(world.connection));
    (void) world_sent(&world);
    assert_true(oi_http_connection_wants_input(world.connection));
    world_close(&world);
}

static void
does_not_let_a_slow_head_extend_its_deadline(void **)
{
    struct world world;

    world_open(&world);
    world_receive(&world, "GET / HTTP/1.1\r\n");
    for (int i = 0; i < 9; i++) {
        world_pass(&world, 1'000);
        world_receive(&world, "X");
    }
    assert_int_equal(oi_http_connection_output(world.connection)->size, 0);
    world_pass(&world, 1'000);
    assert_non_null(strstr(world_sent(&world), "HTTP/1.1 408 "));
    assert_true(oi_http_connection_wants_shutdown(world.connection));
    world_pass(&world, 2'000);
    assert_true(oi_http_connection_is_done(world.connection));
    world_close(&world);
}

static void
gives_a_body_its_deadline_from_byte_to_byte(void **)
{
    struct world world;

    world_open(&world);
    world_receive(&world, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n");
    world_pass(&world, 29'000);
    world_receive(&world, "a");
    world_pass(&world, 29'000);
    assert_int_equal(oi_http_connection_output(world.connection)->size, 0);
    world_pass(&world, 1'000);
    assert_non_null(strstr(world_sent(&world), "HTTP/1.1 408 "));
    world_close(&world);
}

static void
ends_an_idle_connection_without_a_word(void **)
{
    struct world world;

    world_open(&world);
    world_receive(&world, WORLD_GET("/"));
    world_pass(&world, 1);
    (void) world_sent(&world);
    world_pass(&world, 74'999);
    assert_false(oi_http_connection_wants_shutdown(world.connection));
    world_pass(&world, 1);
    assert_true(oi_http_connection_wants_shutdown(world.connection));
    assert_string_equal(world_sent(&world), "");
    world_close(&world);
}

static void
gives_up_a_reader_that_takes_nothing(void **)
{
    struct world world;

    world_open(&world);
    world_receive(&world, WORLD_GET("/stream"));
    world_pass(&world, 29'000);
    assert_int_equal(world_take(&world, 1), 1);
    world_pass(&world, 29'000);
    assert_false(oi_http_connection_is_done(world.connection));
    oi_http_connection_sending(world.connection);
    world_pass(&world, 29'999);
    assert_false(oi_http_connection_is_done(world.connection));
    world_pass(&world, 1);
    assert_true(oi_http_connection_is_done(world.connection));
    world_close(&world);
    assert_int_equal(world.finished, 1);
}

static void
asks_for_the_body_when_the_client_waits(void **)
{
    struct world world;

    world_open(&world);
    world_receive(&world, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                          "Expect: 100-continue\r\n\r\n");
    assert_string_equal(world_sent(&world), "HTTP/1.1 100 Continue\r\n\r\n");
    world_receive(&world, "abc");
    assert_non_null(strstr(world_sent(&world), "/xabc"));
    /* Who sends the body all the same is not asked for it. */
    world_receive(&world, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                          "Expect: 100-continue\r\n\r\nabc");
    assert_null(strstr(world_sent(&world), "100 Continue"));
    world_close(&world);
}

static void
ends_after_a_refusal_and_reads_no_further(void **)
{
    struct world world;
    const char *sent;

    world_open(&world);
    world_receive(&world, "GET /\r\n\r\n" WORLD_GET("/"));
    world_receive(&world, WORLD_GET("/"));
    sent = world_sent(&world);
    assert_int_equal(world_count(sent, "HTTP/1.1 "), 1);
    assert_non_null(strstr(sent, "Connection: close\r\n"));
    assert_int_equal(world.handled, 0);
    assert_true(oi_http_connection_wants_shutdown(world.connection));
    oi_http_connection_end(world.connection);
    assert_true(oi_http_connection_is_done(world.connection));
    world_close(&world);
}

static void
answers_everything_after_the_client_half_closes(void **)
{
    struct world world;

    world_open(&world);
    world_receive(&world, WORLD_GET("/stream") WORLD_GET("/after"));
    oi_http_connection_end(world.connection);
    assert_false(oi_http_connection_is_done(world.connection));
    assert_non_null(strstr(world_sent(&world), "/after"));
    assert_true(oi_http_connection_is_done(world.connection));
    world_close(&world);
}

static void
stops_after_the_answer_that_is_under_way(void **)
{
    struct world world;

    world_open(&world);
    world_receive(&world, WORLD_GET("/stream"));
    world.host.is_stopping = true;
    oi_http_connection_stop(world.connection);
    world_pass(&world, 1'000);
    assert_false(oi_http_connection_is_done(world.connection));
    assert_non_null(strstr(world_sent(&world), "\r\n0\r\n\r\n"));
    /* A request that was on the way is answered too, as the last one. */
    world_receive(&world, WORLD_GET("/late"));
    assert_non_null(strstr(world_sent(&world), "Connection: close\r\n"));
    assert_true(oi_http_connection_wants_shutdown(world.connection));
    world_close(&world);
}

static void
waits_longer_for_a_first_request_when_stopping(void **)
{
    struct world fresh, idle;

    world_open(&fresh);
    world_open(&idle);
    world_receive(&idle, WORLD_GET("/"));
    (void) world_sent(&idle);
    fresh.host.is_stopping = idle.host.is_stopping = true;
    oi_http_connection_stop(fresh.connection);
    oi_http_connection_stop(idle.connection);
    world_pass(&idle, 200);
    assert_true(oi_http_connection_wants_shutdown(idle.connection));
    world_pass(&fresh, 1'999);
    assert_false(oi_http_connection_wants_shutdown(fresh.connection));
    world_pass(&fresh, 1);
    assert_true(oi_http_connection_wants_shutdown(fresh.connection));
    world_close(&fresh);
    world_close(&idle);
}

static void
answers_the_server_wide_options(void **)
{
    struct world world;

    world_open(&world);
    world_receive(&world, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_non_null(strstr(world_sent(&world), "\r\nAllow: GET, HEAD, POST, OPTIONS\r\n"));
    assert_int_equal(world.handled, 0);
    world_close(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_a_pipeline_in_order),
        cmocka_unit_test(writes_what_a_reply_needs_and_no_more),
        cmocka_unit_test(pulls_no_more_than_a_stopped_reader_may_cost),
        cmocka_unit_test(holds_a_pipeline_back_until_its_answers_are_taken),
        cmocka_unit_test(stops_reading_when_enough_is_waiting),
        cmocka_unit_test(does_not_let_a_slow_head_extend_its_deadline),
        cmocka_unit_test(gives_a_body_its_deadline_from_byte_to_byte),
        cmocka_unit_test(ends_an_idle_connection_without_a_word),
        cmocka_unit_test(gives_up_a_reader_that_takes_nothing),
        cmocka_unit_test(asks_for_the_body_when_the_client_waits),
        cmocka_unit_test(ends_after_a_refusal_and_reads_no_further),
        cmocka_unit_test(answers_everything_after_the_client_half_closes),
        cmocka_unit_test(stops_after_the_answer_that_is_under_way),
        cmocka_unit_test(waits_longer_for_a_first_request_when_stopping),
        cmocka_unit_test(answers_the_server_wide_options),
    };
    return cmocka_run_group_tests_name("net/http_connection", tests, NULL, NULL);
}
