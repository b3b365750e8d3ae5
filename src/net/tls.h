/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS for the server's side, without sockets: ciphertext in, plain bytes out, and the other way
 * round. TLS 1.2 and newer, ALPN http/1.1. Not for two threads at once, but for the context, which
 * any number of connections may share.
 */
#pragma once

#include "base/buffer.h"
#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct oi_tls_context;
struct oi_tls;

/* Read a PEM chain and its key. INVALID when they are unreadable or do not belong together. */
enum oi_status oi_tls_context_new(const char *certificate, const char *private_key,
                                  struct oi_tls_context **ret_context, struct oi_error *error);
void oi_tls_context_free(struct oi_tls_context **context);

/* From when to when the first certificate of a PEM file is valid, in seconds since 1970. INVALID
 * when there is none. */
enum oi_status oi_tls_certificate_span(const char *certificate, int64_t *ret_from_s,
                                       int64_t *ret_until_s, struct oi_error *error);

struct oi_tls *oi_tls_new(struct oi_tls_context *context);
void oi_tls_free(struct oi_tls **tls);

/* Take ciphertext from the client; what it held is appended to `plain`, and what must be answered
 * (handshake, alerts) to `cipher`, also on failure. INVALID when the other end does not speak TLS
 * or breaks it. */
enum oi_status oi_tls_receive(struct oi_tls *tls, struct oi_slice bytes, struct oi_buffer *plain,
                              struct oi_buffer *cipher, struct oi_error *error);
/* Is the handshake complete, so that oi_tls_send may be called? */
bool oi_tls_is_open(const struct oi_tls *tls);
/* Has the client said that it will send no more? */
bool oi_tls_has_ended(const struct oi_tls *tls);
enum oi_status oi_tls_send(struct oi_tls *tls, struct oi_slice plain, struct oi_buffer *cipher,
                           struct oi_error *error);
/* Say that we will send no more. */
void oi_tls_end(struct oi_tls *tls, struct oi_buffer *cipher);
