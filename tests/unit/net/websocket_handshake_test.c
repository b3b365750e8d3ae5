/* SPDX-License-Identifier: Apache-2.0 */
#include "net/websocket_handshake.h"

#include <stdio.h>

#include "support/test.h"

/* The RFC's own example. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define HEAD "HTTP/1.1 101 Switching Protocols\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"

static enum oi_status
respond(const char *text, size_t *ret_size, int *ret_http_status)
{
    return oi_websocket_response(oi_slice_of(text), KEY, ret_size, ret_http_status, NULL);
}

static void
assert_refused(const char *text, enum oi_status expected)
{
    size_t size;
    int http_status;

    assert_status(respond(text, &size, &http_status), expected);
    assert_int_equal(size, 0);
}

static void
a_url_is_an_origin_and_a_target(void **)
{
    struct oi_websocket_place place;

    assert_ok(oi_websocket_place(OI_SLICE("wss://ws.okx.com:8443/ws/v5/public"), &place, NULL));
    assert_string_equal(place.origin, "https://ws.okx.com:8443");
    assert_true(oi_slice_is(place.host, "ws.okx.com:8443"));
    assert_true(oi_slice_is(place.target, "/ws/v5/public"));
    assert_ok(oi_websocket_place(OI_SLICE("ws://127.0.0.1:80"), &place, NULL));
    assert_string_equal(place.origin, "http://127.0.0.1:80");
    assert_true(oi_slice_is(place.target, "/"));
    assert_status(oi_websocket_place(OI_SLICE("https://a/"), &place, NULL), OI_E_INVALID);
    assert_status(oi_websocket_place(OI_SLICE("ws://"), &place, NULL), OI_E_INVALID);
    assert_status(oi_websocket_place(OI_SLICE("ws:///x"), &place, NULL), OI_E_INVALID);
    assert_status(oi_websocket_place(OI_SLICE("ws://me@a/x"), &place, NULL), OI_E_INVALID);
    assert_status(oi_websocket_place(OI_SLICE("ws://a/x\r\nX: y"), &place, NULL), OI_E_INVALID);
}

static void
the_request_is_what_the_rfc_wants(void **)
{
    struct oi_websocket_place place;
    struct oi_buffer out = {};

    assert_ok(oi_websocket_place(OI_SLICE("wss://a.example/b?c=d"), &place, NULL));
    oi_websocket_request(&place, "oi/1", KEY, "secret", &out);
    assert_non_null(memmem(out.data, out.size, "\r\nAuthorization: Bearer secret\r\n", 32));
    oi_buffer_clear(&out);
    oi_websocket_request(&place, "oi/1", KEY, NULL, &out);
    oi_buffer_add_char(&out, '\0');
    assert_string_equal(out.data, "GET /b?c=d HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Key: " KEY "\r\n"
                                  "Sec-WebSocket-Version: 13\r\nUser-Agent: oi/1\r\n\r\n");
    oi_buffer_release(&out);
}

static void
sixteen_bytes_are_a_key_of_24_characters(void **)
{
    char key[OI_WEBSOCKET_KEY_SIZE];

    oi_websocket_key((const uint8_t *) "the sample nonce", key);
    assert_string_equal(key, KEY);
}

static void
an_answer_to_our_key_opens_it_whatever_its_case_and_order(void **)
{
    static const char text[] = HEAD "connection: keep-alive, upgrade\r\nX-More: 1\r\n" ACCEPT
                                    "UPGRADE: WebSocket\r\n\r\nframes";
    size_t size;
    int http_status;

    assert_ok(respond(text, &size, &http_status));
    assert_int_equal(size, sizeof(text) - sizeof("frames"));
    assert_int_equal(http_status, 101);
}

static void
a_head_that_comes_byte_by_byte_is_waited_for(void **)
{
    static const char text[] = HEAD UPGRADE ACCEPT "\r\n";
    size_t size;
    int http_status;

    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        assert_ok(
            oi_websocket_response((struct oi_slice){ text, i }, KEY, &size, &http_status, NULL));
        assert_int_equal(size, 0);
    }
    assert_ok(respond(text, &size, &http_status));
    assert_int_equal(size, sizeof(text) - 1);
}

static void
a_loose_answer_opens_nothing(void **)
{
    assert_refused("HTTP/1.0 101 x\r\n" UPGRADE ACCEPT "\r\n", OI_E_UPSTREAM);
    assert_refused("SSH-2.0-x", OI_E_UPSTREAM);
    assert_refused(HEAD "\r\n", OI_E_UPSTREAM);
    assert_refused(HEAD UPGRADE "\r\n", OI_E_UPSTREAM);
    assert_refused(HEAD UPGRADE "Sec-WebSocket-Accept: AAAA\r\n\r\n", OI_E_UPSTREAM);
    assert_refused(HEAD UPGRADE ACCEPT ACCEPT "\r\n", OI_E_UPSTREAM);
    assert_refused(HEAD "Upgrade: h2c\r\nConnection: Upgrade\r\n" ACCEPT "\r\n", OI_E_UPSTREAM);
    assert_refused(HEAD "Upgrade: websocket\r\nConnection: close\r\n" ACCEPT "\r\n", OI_E_UPSTREAM);
    assert_refused(HEAD UPGRADE ACCEPT "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
                   OI_E_UPSTREAM);
    assert_refused(HEAD UPGRADE ACCEPT "Broken line\r\n\r\n", OI_E_UPSTREAM);
    assert_refused(HEAD UPGRADE ACCEPT "a b: c\r\n\r\n", OI_E_UPSTREAM);
    assert_refused("HTTP/1.1 1x1 x\r\n" UPGRADE ACCEPT "\r\n", OI_E_UPSTREAM);
    assert_refused("HTTP/1.1 1\r\n\r\n", OI_E_UPSTREAM);
}

static void
a_refusal_says_what_to_do(void **)
{
    size_t size;
    int http_status;

    assert_refused("HTTP/1.1 429 Too Many Requests\r\n\r\n", OI_E_BUSY);
    assert_refused("HTTP/1.1 503 x\r\nRetry-After: 1\r\n\r\n", OI_E_BUSY);
    assert_refused("HTTP/1.1 403 Forbidden\r\n\r\n", OI_E_DENIED);
    assert_refused("HTTP/1.1 451 x\r\n\r\n", OI_E_DENIED);
    assert_refused("HTTP/1.1 404 x\r\n\r\n", OI_E_NOT_FOUND);
    assert_refused("HTTP/1.1 200 OK\r\n\r\n", OI_E_UPSTREAM);
    assert_status(respond("HTTP/1.1 502 x\r\n\r\n", &size, &http_status), OI_E_UPSTREAM);
    assert_int_equal(http_status, 502);
}

static void
a_head_without_an_end_is_not_waited_for(void **)
{
    struct oi_buffer text = {};
    size_t size;
    int http_status;

    oi_buffer_add_text(&text, HEAD);
    while (text.size <= OI_WEBSOCKET_HEAD_SIZE_MAX)
        oi_buffer_add_text(&text, "X: y\r\n");
    assert_status(oi_websocket_response(oi_buffer_slice(&text), KEY, &size, &http_status, NULL),
                  OI_E_UPSTREAM);
    oi_buffer_release(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_is_an_origin_and_a_target),
        cmocka_unit_test(the_request_is_what_the_rfc_wants),
        cmocka_unit_test(sixteen_bytes_are_a_key_of_24_characters),
        cmocka_unit_test(an_answer_to_our_key_opens_it_whatever_its_case_and_order),
        cmocka_unit_test(a_head_that_comes_byte_by_byte_is_waited_for),
        cmocka_unit_test(a_loose_answer_opens_nothing),
        cmocka_unit_test(a_refusal_says_what_to_do),
        cmocka_unit_test(a_head_without_an_end_is_not_waited_for),
    };
    return cmocka_run_group_tests_name("net/websocket_handshake", tests, NULL, NULL);
}
