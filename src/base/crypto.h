/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes, signatures and their spelling; the only user of OpenSSL's libcrypto. */
#pragma once

#include "base/buffer.h"
#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

#define OI_SHA256_SIZE 32

void oi_sha256(struct oi_slice bytes, uint8_t ret_digest[OI_SHA256_SIZE]);
/* The same over several pieces: begin, add, finish (which also frees). */
struct oi_sha256_stream;
struct oi_sha256_stream *oi_sha256_begin(void);
void oi_sha256_add(struct oi_sha256_stream *stream, struct oi_slice piece);
void oi_sha256_finish(struct oi_sha256_stream **stream, uint8_t ret_digest[OI_SHA256_SIZE]);
/* Free without a digest; NULL inside is fine, so it serves OI_CLEANUP. */
void oi_sha256_abandon(struct oi_sha256_stream **stream);
/* SHA-1, for the WebSocket handshake alone. */
void oi_sha1(struct oi_slice bytes, uint8_t ret_digest[20]);
void oi_hmac_sha256(struct oi_slice key, struct oi_slice message,
                    uint8_t ret_digest[OI_SHA256_SIZE]);

/* In a time that does not tell where they differ. Sizes may differ and then it is false. */
bool oi_equal_in_constant_time(struct oi_slice a, struct oi_slice b);

/* Lower-case hexadecimal, appended. */
void oi_hex(struct oi_slice bytes, struct oi_buffer *out);
/* INVALID on an odd count or another character. */
enum oi_status oi_unhex(struct oi_slice text, struct oi_buffer *out, struct oi_error *error);
/* Standard alphabet with padding, appended. */
void oi_base64(struct oi_slice bytes, struct oi_buffer *out);
/* URL alphabet without padding, appended. */
void oi_base64url(struct oi_slice bytes, struct oi_buffer *out);
/* Either alphabet, padded or not; INVALID otherwise. */
enum oi_status oi_unbase64(struct oi_slice text, struct oi_buffer *out, struct oi_error *error);
