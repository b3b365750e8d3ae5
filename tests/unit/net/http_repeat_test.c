/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that the handler vouches for another time, and all that keeps one from being given. */
#include "net/http_repeat.h"

#include "unit/net/connection_world.h"

#include <stdio.h>

struct vouched {
    struct world world;
    bool holds;
    unsigned asked;
};

static void
handle(void *context, const struct oi_http_request *request, struct oi_http_reply *reply)
{
    struct vouched *vouched = context;
    struct oi_buffer body = {};
    struct oi_shared *shared;
    size_t size = oi_slice_is(request->path, "/long")   ? 40'000
                  : oi_slice_is(request->path, "/file") ? 400'000
                                                        : 3;

    vouched->world.handled++;
    world_fill(&body, size);
    shared = oi_shared_take(&body);
    oi_http_reply_share(reply, shared);
    oi_shared_unref(&shared);
    reply->recipe = (struct oi_slice){ oi_arena_copy(&reply->arena, OI_SLICE("mine")), 5 };
}

static bool
again(void *context, const void *recipe)
{
    struct vouched *vouched = context;

    assert_string_equal(recipe, "mine");
    vouched->asked++;
    return vouched->holds;
}

static void
vouched_open(struct vouched *vouched)
{
    *vouched = (struct vouched){ .holds = true };
    world_open(&vouched->world);
    vouched->world.handler.handle = handle;
    vouched->world.handler.again = again;
    vouched->world.handler.context = vouched;
    vouched->world.host.repeats = oi_http_repeats_new();
}

static void
vouched_close(struct vouched *vouched)
{
    world_close(&vouched->world);
    oi_http_repeats_free(&vouched->world.host.repeats);
}

static const char *
other_date(struct oi_http_host *)
{
    return "Mon, 07 Nov 1994 08:49:37 GMT";
}

static void
gives_the_same_answer_with_the_date_of_now(void **)
{
    const char *const targets[] = { WORLD_GET("/short"), WORLD_GET("/long"), WORLD_GET("/file") };

    for (size_t i = 0; i < OI_COUNT(targets); i++) {
        struct vouched vouched;
        struct world *world = &vouched.world;
        char *first, *date;

        vouched_open(&vouched);
        world_receive(world, targets[i]);
        first = oi_copy_text(oi_slice_of(world_sent(world)));
        world->host.date = other_date;
        world_receive(world, targets[i]);
        date = strstr(first, "Sun, 06");
        assert_non_null(date);
        memcpy(date, "Mon, 07", 7);
        assert_string_equal(world_sent(world), first);
        assert_int_equal(world->handled, 1);
        assert_int_equal(vouched.asked, 1);
        assert_int_equal(world->host.stats.requests, 2);
        oi_free(first);
        vouched_close(&vouched);
    }
}

static void
asks_anew_when_it_no_longer_holds(void **)
{
    struct vouched vouched;

    vouched_open(&vouched);
    world_receive(&vouched.world, WORLD_GET("/"));
    vouched.holds = false;
    world_receive(&vouched.world, WORLD_GET("/"));
    assert_int_equal(world_count(world_sent(&vouched.world), "HTTP/1.1 200 OK"), 2);
    assert_int_equal(vouched.world.handled, 2);
    vouched_close(&vouched);
}

/* Anything but the very bytes, alone and at the beginning of a request, is read. */
static void
reads_whatever_is_not_the_same_bytes(void **)
{
    static const char *const others[] = {
        "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
        WORLD_GET("/") WORLD_GET("/"),
    };

    for (size_t i = 0; i < OI_COUNT(others); i++) {
        struct vouched vouched;
        unsigned handled;

        vouched_open(&vouched);
        world_receive(&vouched.world, WORLD_GET("/"));
        world_receive(&vouched.world, others[i]);
        handled = vouched.world.handled;
        assert_true(handled > 1);
        assert_int_equal(vouched.asked, 0);
        vouched_close(&vouched);
    }
}

static void
reads_the_bytes_within_another_request(void **)
{
    struct vouched vouched;

    vouched_open(&vouched);
    world_receive(&vouched.world, WORLD_GET("/"));
    world_receive(&vouched.world, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 27\r\n\r\n");
    world_receive(&vouched.world, WORLD_GET("/"));
    assert_int_equal(vouched.asked, 0);
    assert_int_equal(vouched.world.handled, 2);
    vouched_close(&vouched);
}

static void
reads_on_while_an_answer_waits_and_when_stopping(void **)
{
    struct vouched vouched;

    vouched_open(&vouched);
    world_receive(&vouched.world, WORLD_GET("/"));
    world_receive(&vouched.world, WORLD_GET("/"));
    assert_int_equal(vouched.asked, 0);
    (void) world_sent(&vouched.world);
    vouched.world.host.is_stopping = true;
    world_receive(&vouched.world, WORLD_GET("/"));
    assert_int_equal(vouched.asked, 0);
    assert_int_equal(world_count(world_sent(&vouched.world), "Connection: close"), 1);
    vouched_close(&vouched);
}

/* More answers than there are places and bytes: each is itself or nothing. */
static void
finds_itself_or_nothing(void **)
{
    OI_CLEANUP(oi_http_repeats_free) struct oi_http_repeats *repeats = oi_http_repeats_new();
    const char head[] = "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";
    size_t found = 0;

    for (unsigned i = 0; i < 4000; i++) {
        struct oi_http_reply reply = {};
        struct oi_buffer body = {};
        char request[80];

        (void) snprintf(request, sizeof(request), "GET /%u", i);
        oi_buffer_add_format(&body, "%u", i);
        world_fill(&body, 5'000);
        reply.shared = oi_shared_take(&body);
        reply.part = oi_shared_bytes(reply.shared);
        reply.recipe = OI_SLICE("r");
        oi_http_repeats_put(repeats, oi_slice_of(request), oi_slice_of(head), 23, &reply);
        oi_http_reply_release(&reply);
    }
    for (unsigned i = 0; i < 4000; i++) {
        const struct oi_http_repeat *repeat;
        char request[80], wanted[16];

        (void) snprintf(request, sizeof(request), "GET /%u", i);
        (void) snprintf(wanted, sizeof(wanted), "%ua", i);
        repeat = oi_http_repeats_find(repeats, oi_slice_of(request));
        if (repeat) {
            assert_true(oi_slice_starts_with(repeat->part, wanted));
            found++;
        }
    }
    assert_in_range(found, 100, 1000);
}

/* The body that a 304 spares its reader may be a large one, which nobody would count. */
static void
keeps_no_body_that_is_not_sent(void **)
{
    OI_CLEANUP(oi_http_repeats_free) struct oi_http_repeats *repeats = oi_http_repeats_new();
    const char head[] = "HTTP/1.1 304 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";
    const struct oi_http_repeat *repeat;
    struct oi_http_reply reply = {};
    struct oi_buffer body = {};

    world_fill(&body, 5'000);
    reply.shared = oi_shared_take(&body);
    reply.part = oi_shared_bytes(reply.shared);
    reply.recipe = OI_SLICE("r");
    oi_http_reply_cut(&reply, 0, 0);
    oi_http_repeats_put(repeats, OI_SLICE("GET /"), oi_slice_of(head), 23, &reply);
    oi_http_reply_release(&reply);
    repeat = oi_http_repeats_find(repeats, OI_SLICE("GET /"));
    assert_non_null(repeat);
    assert_null(repeat->body);
    assert_int_equal(repeat->part.size, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_same_answer_with_the_date_of_now),
        cmocka_unit_test(asks_anew_when_it_no_longer_holds),
        cmocka_unit_test(reads_whatever_is_not_the_same_bytes),
        cmocka_unit_test(reads_the_bytes_within_another_request),
        cmocka_unit_test(reads_on_while_an_answer_waits_and_when_stopping),
        cmocka_unit_test(finds_itself_or_nothing),
        cmocka_unit_test(keeps_no_body_that_is_not_sent),
    };
    return cmocka_run_group_tests_name("net/http_repeat", tests, NULL, NULL);
}
