/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the Aperiodic dialect share. */
#pragma once

#include "dialects/dialect.h"
#include "dialects/text.h"

/* The intervals of bars: by their word, false for others; and the word of one of them. */
bool aperiodic_interval(struct oi_slice word, int64_t *ret_ns);
const char *aperiodic_interval_word(int64_t interval_ns);

/* The WebSocket. */
extern const struct oi_stream_route aperiodic_stream;
