/* SPDX-License-Identifier: Apache-2.0 */
/* A reply of an exchange that somebody has kept in a file. */
#pragma once

#include "base/buffer.h"
#include "base/status.h"
#include "exchanges/exchange.h"

/* Append the file, unpacked where it is gzip or zstd. NOT_FOUND or IO with the system's words. */
enum oi_status oi_saved_reply_read(const char *path, struct oi_buffer *out, struct oi_error *error);
/* UPSTREAM where the reply is the exchange's own refusal. */
enum oi_status oi_saved_reply_judge(const struct oi_exchange *exchange, struct oi_slice body,
                                    struct oi_error *error);
