/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests from arbitrary bytes, whole and in pieces: both must come to the same end, because where
 * TCP cuts may never change what a request means.
 */
#include "net/http_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What became of the bytes. */
struct outcome {
    enum oi_http_parse_state state;
    int status;
    size_t requests;
    size_t body_size;
    size_t header_count;
    size_t path_size;
};

static struct outcome
parse(struct oi_slice bytes, size_t piece_size)
{
    struct oi_http_parser parser = {
        .limits = { .head_size_max = 4096, .target_size_max = 1024, .body_size_max = 4096 },
    };
    struct oi_http_request request = {};
    struct outcome outcome = {};

    while (bytes.size > 0 && parser.state != OI_HTTP_PARSE_REFUSED) {
        size_t size = bytes.size < piece_size ? bytes.size : piece_size;
        size_t taken =
            oi_http_parser_read(&parser, (struct oi_slice){ bytes.data, size }, &request);

        oi_assert(taken <= size);
        bytes.data += taken;
        bytes.size -= taken;
        if (parser.state == OI_HTTP_PARSE_DONE) {
            oi_assert(request.path.size > 0);
            oi_assert(request.body.size <= 4096);
            outcome.requests++;
            outcome.body_size += request.body.size;
            outcome.header_count += request.headers.count;
            outcome.path_size += request.path.size;
            oi_http_request_release(&request);
            oi_http_parser_reset(&parser);
        }
    }
    outcome.state = parser.state;
    outcome.status = parser.status;
    oi_http_request_release(&request);
    oi_http_parser_release(&parser);
    return outcome;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oi_slice bytes = { (const char *) data, size };
    struct outcome whole = parse(bytes, SIZE_MAX);
    struct outcome pieces = parse(bytes, 1);

    oi_assert(whole.state == pieces.state);
    oi_assert((whole.status != 0) == (pieces.status != 0));
    oi_assert(whole.requests == pieces.requests);
    oi_assert(whole.body_size == pieces.body_size);
    oi_assert(whole.header_count == pieces.header_count);
    oi_assert(whole.path_size == pieces.path_size);
    return 0;
}
