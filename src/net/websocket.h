/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebSocket framing (RFC 6455), for either side, without sockets: bytes in, messages out, and bytes
 * to send appended to a buffer. Pings are answered, the closing handshake is held, and everything
 * unsound ends with the close code that the RFC names. Not for two threads at once.
 */
#pragma once

#include "base/buffer.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define OI_WEBSOCKET_HEADER_SIZE_MAX 10

struct oi_websocket_engine;

struct oi_websocket_engine_options {
    bool is_client;          /* masks what it sends, and takes only unmasked frames */
    size_t message_size_max; /* of a received message; past it: 1009 */
    /* Called from receive for each whole message, which is borrowed. It may send and close. */
    void (*message)(void *context, struct oi_slice message, bool is_text);
    void *context;
};

struct oi_websocket_engine *
oi_websocket_engine_new(const struct oi_websocket_engine_options *options);
void oi_websocket_engine_free(struct oi_websocket_engine **engine);

/* Take bytes from the other end; answers are appended to `out`. */
void oi_websocket_engine_receive(struct oi_websocket_engine *engine, struct oi_slice bytes,
                                 struct oi_buffer *out);
/* After a close has been sent these do nothing. */
void oi_websocket_engine_send(struct oi_websocket_engine *engine, struct oi_slice message,
                              bool is_text, struct oi_buffer *out);
void oi_websocket_engine_ping(struct oi_websocket_engine *engine, struct oi_buffer *out);
/* `code` 1000 to 4999; `reason` is cut at 123 bytes. */
void oi_websocket_engine_close(struct oi_websocket_engine *engine, uint16_t code,
                               const char *reason, struct oi_buffer *out);
/* A close has been sent: nothing may follow it. */
bool oi_websocket_engine_is_closing(const struct oi_websocket_engine *engine);
/* A close has been sent, and the other end's has come or will not be waited for. */
bool oi_websocket_engine_is_done(const struct oi_websocket_engine *engine);

/* The header of an unmasked message of that size in one frame; returns its size. */
size_t oi_websocket_header(size_t message_size, bool is_text,
                           char ret_header[OI_WEBSOCKET_HEADER_SIZE_MAX]);

/* Is this a Sec-WebSocket-Key: 16 bytes in base64? */
bool oi_websocket_is_key(struct oi_slice key);
/* The Sec-WebSocket-Accept that answers it, appended. */
void oi_websocket_accept(struct oi_slice key, struct oi_buffer *out);
