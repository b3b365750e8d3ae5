/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading requests of HTTP/1 from bytes, in whatever pieces they come. Pure: no sockets, no clock.
 * Strict: what two readers could read differently is refused with a status, never repaired
 * (docs/http.md lists the rules).
 */
#pragma once

#include "base/buffer.h"
#include "net/http.h"

struct oi_http_parse_limits {
    size_t head_size_max;   /* else 431 */
    size_t target_size_max; /* else 414 */
    size_t body_size_max;   /* else 413 */
};

enum oi_http_parse_state {
    OI_HTTP_PARSE_HEAD,    /* waiting for (more of) a head */
    OI_HTTP_PARSE_BODY,    /* the head is complete and sound; waiting for (more of) the body */
    OI_HTTP_PARSE_DONE,    /* a whole request is there */
    OI_HTTP_PARSE_REFUSED, /* `status` and `reason` say why; nothing more is read */
};

enum oi_http_chunk_state {
    OI_HTTP_CHUNK_SIZE,
    OI_HTTP_CHUNK_EXTENSION,
    OI_HTTP_CHUNK_SIZE_LF,
    OI_HTTP_CHUNK_DATA,
    OI_HTTP_CHUNK_DATA_CR,
    OI_HTTP_CHUNK_DATA_LF,
    OI_HTTP_CHUNK_TRAILER,
};

/* Zeroed but for `limits` is ready for a first request. */
struct oi_http_parser {
    struct oi_http_parse_limits limits;
    enum oi_http_parse_state state;
    int status;             /* REFUSED: the HTTP status to answer with */
    const char *reason;     /* REFUSED: a sentence, static */
    struct oi_slice target; /* as far as it is known, for the refusal's envelope */
    bool keeps_alive;
    bool expects_continue; /* the client waits for 100 before it sends the body */
    bool is_upgrade;       /* Connection: upgrade with an Upgrade header */

    /* Private. */
    struct oi_buffer head;
    struct oi_buffer body;
    struct oi_buffer trailer; /* the line of it that is being read */
    size_t target_start;      /* in `head` */
    size_t line_start;        /* in `head` */
    size_t line_count;
    bool is_chunked;
    uint64_t body_left; /* of the body, or of a chunk */
    enum oi_http_chunk_state chunk_state;
    unsigned size_digits, extension_size;
    size_t trailer_size;
};

/* Read from the front of `bytes` and tell how many were taken; stops after a head that has a body
 * (so that 100 can be sent), after a request, and at a refusal. `request` is filled with the head
 * when BODY or DONE is reached and with the body at DONE; its slices borrow from parser and arena
 * until the parser is reset. */
size_t oi_http_parser_read(struct oi_http_parser *parser, struct oi_slice bytes,
                           struct oi_http_request *request);
/* Has a request begun that is not complete? */
bool oi_http_parser_is_busy(const struct oi_http_parser *parser);
/* Ready for the next request; memory is kept. */
void oi_http_parser_reset(struct oi_http_parser *parser);
/* Ready for the next request; memory is given back. */
void oi_http_parser_release(struct oi_http_parser *parser);
