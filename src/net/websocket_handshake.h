/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The opening handshake of a WebSocket (RFC 6455, 4.1), a client's side, without sockets: the
 * request as bytes, and what the bytes that come back mean.
 */
#pragma once

#include "base/buffer.h"
#include "base/slice.h"
#include "base/status.h"

/* The head of a response may be so long. */
#define OI_WEBSOCKET_HEAD_SIZE_MAX 16384
/* 16 bytes in base64 and a NUL. */
#define OI_WEBSOCKET_KEY_SIZE 25

/* Where a "ws://" or "wss://" URL leads. */
struct oi_websocket_place {
    char origin[256];       /* "https://example.com:8443", for http_wire.h */
    struct oi_slice host;   /* borrowed from the URL: "example.com:8443" */
    struct oi_slice target; /* borrowed: "/realtime?x=1", "/" where the URL has none */
};
/* INVALID for what is no such URL, or has blanks or control characters in it. */
enum oi_status oi_websocket_place(struct oi_slice url, struct oi_websocket_place *ret_place,
                                  struct oi_error *error);

void oi_websocket_key(const uint8_t bytes[16], char key[OI_WEBSOCKET_KEY_SIZE]);
/* `bearer`: a key without blanks or control characters, or NULL. */
void oi_websocket_request(const struct oi_websocket_place *place, const char *user_agent,
                          const char *key, const char *bearer, struct oi_buffer *out);

/* What came so far. OK with *ret_size 0: the head is not whole yet; with the size of the head: the
 * connection is a WebSocket, and what follows are frames. Otherwise it is none: BUSY (429, 503),
 * DENIED (401, 403, 451), NOT_FOUND (404), UPSTREAM (anything else). *ret_http_status is set where
 * there is one, else 0. */
enum oi_status oi_websocket_response(struct oi_slice bytes, const char *key, size_t *ret_size,
                                     int *ret_http_status, struct oi_error *error);
