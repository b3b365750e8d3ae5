/* SPDX-License-Identifier: Apache-2.0 */
/* Requests from bytes: what is taken, what is refused and with which status. */
#include "net/http_parse.h"

#include "support/test.h"

static const struct oi_http_parse_limits limits = {
    .head_size_max = 16'384,
    .target_size_max = 10'240,
    .body_size_max = 1'000,
};

/* Read bytes in pieces of so many; the parser's state tells the end. */
static void
read_pieces(struct oi_http_parser *parser, struct oi_http_request *request, struct oi_slice bytes,
            size_t piece_size)
{
    *parser = (struct oi_http_parser){ .limits = limits };
    while (bytes.size > 0 && parser->state < OI_HTTP_PARSE_DONE) {
        size_t size = bytes.size < piece_size ? bytes.size : piece_size;
        size_t taken = oi_http_parser_read(parser, (struct oi_slice){ bytes.data, size }, request);

        bytes.data += taken;
        bytes.size -= taken;
    }
}

static void
assert_refused(const char *text, size_t size, int status)
{
    static const size_t pieces[] = { SIZE_MAX, 1 };

    for (size_t i = 0; i < OI_COUNT(pieces); i++) {
        struct oi_http_parser parser;
        struct oi_http_request request = {};

        read_pieces(&parser, &request, (struct oi_slice){ text, size }, pieces[i]);
        if (parser.state != OI_HTTP_PARSE_REFUSED || parser.status != status)
            print_error("%d in place of %d for: %s\n", parser.status, status, text);
        assert_int_equal(parser.state, OI_HTTP_PARSE_REFUSED);
        assert_int_equal(parser.status, status);
        assert_non_null(parser.reason);
        oi_http_request_release(&request);
        oi_http_parser_release(&parser);
    }
}

#define REFUSED(text, status) assert_refused(text, sizeof(text) - 1, status)
#define HEAD(lines) "GET / HTTP/1.1\r\nHost: a\r\n" lines "\r\n\r\n"
#define POST(lines, body) "POST / HTTP/1.1\r\nHost: a\r\n" lines "\r\n\r\n" body
#define CHUNKED(body) POST("Transfer-Encoding: chunked", body)

static void
reads_a_request_in_any_pieces(void **)
{
    static const char text[] = "\r\nPOST /a%20b?x=1 HTTP/1.1\r\nhost:a.example:80 \r\n"
                               "Content-Length: 5\r\nX:\t 1 2 \r\n\r\nhelloGET";

    for (size_t piece = 1; piece < sizeof(text); piece++) {
        struct oi_http_parser parser;
        struct oi_http_request request = {};

        read_pieces(&parser, &request, (struct oi_slice){ text, sizeof(text) - 1 }, piece);
        assert_int_equal(parser.state, OI_HTTP_PARSE_DONE);
        assert_int_equal(request.method, OI_HTTP_POST);
        assert_true(oi_slice_is(request.path, "/a b"));
        assert_true(oi_slice_is(request.raw_target, "/a%20b?x=1"));
        assert_true(oi_slice_is(request.origin, "a.example:80"));
        assert_true(oi_slice_is(*oi_http_parameter(&request, "x"), "1"));
        assert_true(oi_slice_is(*oi_http_header(&request, "x"), "1 2"));
        assert_true(oi_slice_is(request.body, "hello"));
        assert_true(parser.keeps_alive);
        oi_http_request_release(&request);
        oi_http_parser_release(&parser);
    }
}

static void
reads_chunked_bodies_in_any_pieces(void **)
{
    static const char text[] =
        CHUNKED("5\r\nhello\r\n00A;x=\"y\"\r\n, my world\r\n0\r\nT: 1\r\n\r\n");

    for (size_t piece = 1; piece < sizeof(text); piece++) {
        struct oi_http_parser parser;
        struct oi_http_request request = {};

        read_pieces(&parser, &request, (struct oi_slice){ text, sizeof(text) - 1 }, piece);
        assert_int_equal(parser.state, OI_HTTP_PARSE_DONE);
        assert_true(oi_slice_is(request.body, "hello, my world"));
        assert_null(oi_http_header(&request, "T"));
        assert_true(oi_slice_is(*oi_http_header(&request, "host"), "a"));
        oi_http_request_release(&request);
        oi_http_parser_release(&parser);
    }
}

static void
stops_at_the_end_of_a_request(void **)
{
    static const char text[] = HEAD("A: 1") HEAD("B: 2");
    struct oi_http_parser parser = { .limits = limits };
    struct oi_http_request request = {};
    struct oi_slice bytes = OI_SLICE(text);
    size_t taken = oi_http_parser_read(&parser, bytes, &request);

    assert_int_equal(taken, sizeof(HEAD("A: 1")) - 1);
    assert_int_equal(parser.state, OI_HTTP_PARSE_DONE);
    oi_http_request_release(&request);
    oi_http_parser_reset(&parser);
    assert_false(oi_http_parser_is_busy(&parser));
    bytes.data += taken;
    bytes.size -= taken;
    assert_int_equal(oi_http_parser_read(&parser, bytes, &request), bytes.size);
    assert_non_null(oi_http_header(&request, "B"));
    oi_http_request_release(&request);
    oi_http_parser_release(&parser);
}

static void
refuses_hosts_that_are_missing_double_or_malformed(void **)
{
    REFUSED("GET / HTTP/1.1\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost:\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400);
    REFUSED("GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    REFUSED("GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n", 400);
}

static void
refuses_unsound_header_lines(void **)
{
    REFUSED(HEAD("X : 1"), 400);
    REFUSED(HEAD("X: 1\r\n 2"), 400);
    REFUSED(HEAD("X: 1\r\n\t2"), 400);
    REFUSED(HEAD("X: a\0b"), 400);
    REFUSED(HEAD("X: a\rb"), 400);
    REFUSED(HEAD("X: a\r\rb"), 400);
    REFUSED(HEAD("X"), 400);
    REFUSED(HEAD(": 1"), 400);
    REFUSED(HEAD("X\"Y: 1"), 400);
    REFUSED(HEAD("X: \xff"), 400);
    REFUSED(HEAD("X: \x08"), 400);
    REFUSED("GET / HTTP/1.1\nHost: a\n\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: a\r\n\n", 400);
}

static void
refuses_a_bare_line_feed_before_the_head_is_complete(void **)
{
    REFUSED("GET / HTTP/1.1\n", 400);
    REFUSED("\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: a\n", 400);
}

static void
refuses_ambiguous_lengths(void **)
{
    REFUSED(POST("Content-Length: +5", "hello"), 400);
    REFUSED(POST("Content-Length: 5x", "hello"), 400);
    REFUSED(POST("Content-Length: -1", "hello"), 400);
    REFUSED(POST("Content-Length: 5 5", "hello"), 400);
    REFUSED(POST("Content-Length: 5, 5", "hello"), 400);
    REFUSED(POST("Content-Length:", "hello"), 400);
    REFUSED(POST("Content-Length: 18446744073709551621", "hello"), 400);
    REFUSED(POST("Content-Length: 5\r\nContent-Length: 5", "hello"), 400);
    REFUSED(POST("Content-Length: 5\r\nContent-Length: 6", "hello"), 400);
    REFUSED(POST("Content-Length: 5\r\nTransfer-Encoding: chunked", "hello"), 400);
    REFUSED(POST("Transfer-Encoding: chunked\r\nContent-Length: 5", "hello"), 400);
    REFUSED(POST("Content-Length: 1001", ""), 413);
}

static void
refuses_any_encoding_but_exactly_chunked(void **)
{
    REFUSED(POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n"), 400);
    REFUSED("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
    REFUSED(POST("Transfer-Encoding: chunked;q=1", "0\r\n\r\n"), 501);
    REFUSED(POST("Transfer-Encoding: gzip", "0\r\n\r\n"), 501);
    REFUSED(POST("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"), 501);
}

static void
refuses_malformed_chunks(void **)
{
    REFUSED(CHUNKED("0x5\r\nhello\r\n"), 400);
    REFUSED(CHUNKED("FFFFFFFFFFFFFFFFF\r\n"), 400);
    REFUSED(CHUNKED("000000005\r\n"), 400);
    REFUSED(CHUNKED("5\nhello\r\n"), 400);
    REFUSED(CHUNKED("5\r\nhello\n"), 400);
    REFUSED(CHUNKED("5\r\nhelloXX"), 400);
    REFUSED(CHUNKED("5\r\nhello\rX"), 400);
    REFUSED(CHUNKED(" 5\r\n"), 400);
    REFUSED(CHUNKED("5 \r\n"), 400);
    REFUSED(CHUNKED("\r\n"), 400);
    REFUSED(CHUNKED("5;a\n"), 400);
    REFUSED(CHUNKED("0\r\nX\r\n\r\n"), 400);
    REFUSED(CHUNKED("0\r\nX: 1\n\r\n"), 400);
    REFUSED(CHUNKED("0\r\nX: \0\r\n\r\n"), 400);
    REFUSED(CHUNKED("3E9\r\n"), 413);
    REFUSED(CHUNKED("1\r\nx\r\n3E8\r\n"), 413);
}

static void
refuses_malformed_request_lines(void **)
{
    REFUSED("GET /\r\n", 400);
    REFUSED("GET / HTTP/0.9\r\n", 505);
    REFUSED("GET / HTTP/2.0\r\n", 505);
    REFUSED("GET / HTTP/9.9\r\n", 505);
    REFUSED("GET / HTTP/1.10\r\n", 400);
    REFUSED("GET  / HTTP/1.1\r\n", 400);
    REFUSED("GET /  HTTP/1.1\r\n", 400);
    REFUSED("GET / HTTP/1.1 \r\n", 400);
    REFUSED(" GET / HTTP/1.1\r\n", 400);
    REFUSED("get / HTTP/1.1\r\n", 400);
    REFUSED("M-SEARCH / HTTP/1.1\r\n", 501);
    REFUSED("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501);
    REFUSED("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501);
    REFUSED("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    REFUSED("GET /../x HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    REFUSED("\r\n\r\nGET / HTTP/1.1\r\n", 400);
}

static void
refuses_another_expectation(void **)
{
    REFUSED(HEAD("Expect: tea"), 417);
}

/* A head with so many more bytes in one header. */
static struct oi_buffer
long_head(const char *before, size_t count, const char *after)
{
    struct oi_buffer text = {};

    oi_buffer_add_text(&text, before);
    for (size_t i = 0; i < count; i++)
        oi_buffer_add_char(&text, 'x');
    oi_buffer_add_text(&text, after);
    oi_buffer_add_char(&text, '\0');
    text.size--;
    return text;
}

static void
bounds_targets_heads_and_header_counts(void **)
{
    struct oi_buffer text = long_head("GET /", 10'239, " HTTP/1.1\r\nHost: a\r\n\r\n");
    struct oi_http_parser parser;
    struct oi_http_request request = {};

    read_pieces(&parser, &request, oi_buffer_slice(&text), SIZE_MAX);
    assert_int_equal(parser.state, OI_HTTP_PARSE_DONE);
    oi_http_request_release(&request);
    oi_http_parser_release(&parser);
    oi_buffer_release(&text);

    text = long_head("GET /", 10'240, " HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_refused(text.data, text.size, 414);
    oi_buffer_release(&text);

    text = long_head("GET / HTTP/1.1\r\nHost: a\r\nX: ", 17'000, "\r\n\r\n");
    assert_refused(text.data, text.size, 431);
    oi_buffer_release(&text);

    text = long_head("GET / HTTP/1.1\r\nHost: a\r\n", 0, "");
    for (int i = 0; i < 256; i++)
        oi_buffer_add_text(&text, "X: 1\r\n");
    oi_buffer_add_text(&text, "\r\n");
    assert_refused(text.data, text.size, 431);
    oi_buffer_release(&text);
}

static void
tells_whether_the_connection_goes_on(void **)
{
    static const struct {
        const char *text;
        bool keeps_alive;
    } heads[] = {
        { HEAD("A: 1"), true },
        { HEAD("Connection: close"), false },
        { HEAD("Connection: Foo, Close"), false },
        { "GET / HTTP/1.0\r\n\r\n", false },
        { "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true },
        { "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false },
    };

    for (size_t i = 0; i < OI_COUNT(heads); i++) {
        struct oi_http_parser parser;
        struct oi_http_request request = {};

        read_pieces(&parser, &request, oi_slice_of(heads[i].text), SIZE_MAX);
        assert_int_equal(parser.state, OI_HTTP_PARSE_DONE);
        assert_int_equal(parser.keeps_alive, heads[i].keeps_alive);
        oi_http_request_release(&request);
        oi_http_parser_release(&parser);
    }
}

static void
takes_the_host_of_an_absolute_target(void **)
{
    struct oi_http_parser parser;
    struct oi_http_request request = {};

    read_pieces(&parser, &request,
                OI_SLICE("GET https://b.example?x=1 HTTP/1.1\r\nHost: a\r\n\r\n"), SIZE_MAX);
    /* A query without a path is a URL, but not one that two readers take alike. */
    assert_int_equal(parser.state, OI_HTTP_PARSE_REFUSED);
    oi_http_request_release(&request);
    oi_http_parser_release(&parser);
    read_pieces(&parser, &request, OI_SLICE("GET https://b.example HTTP/1.1\r\nHost: a\r\n\r\n"),
                SIZE_MAX);
    assert_int_equal(parser.state, OI_HTTP_PARSE_DONE);
    assert_true(oi_slice_is(request.origin, "b.example"));
    assert_true(oi_slice_is(request.path, "/"));
    oi_http_request_release(&request);
    oi_http_parser_release(&parser);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_request_in_any_pieces),
        cmocka_unit_test(reads_chunked_bodies_in_any_pieces),
        cmocka_unit_test(stops_at_the_end_of_a_request),
        cmocka_unit_test(refuses_hosts_that_are_missing_double_or_malformed),
        cmocka_unit_test(refuses_unsound_header_lines),
        cmocka_unit_test(refuses_a_bare_line_feed_before_the_head_is_complete),
        cmocka_unit_test(refuses_ambiguous_lengths),
        cmocka_unit_test(refuses_any_encoding_but_exactly_chunked),
        cmocka_unit_test(refuses_malformed_chunks),
        cmocka_unit_test(refuses_malformed_request_lines),
        cmocka_unit_test(refuses_another_expectation),
        cmocka_unit_test(bounds_targets_heads_and_header_counts),
        cmocka_unit_test(tells_whether_the_connection_goes_on),
        cmocka_unit_test(takes_the_host_of_an_absolute_target),
    };
    return cmocka_run_group_tests_name("net/http_parse", tests, NULL, NULL);
}
