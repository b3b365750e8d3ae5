/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the Aperiodic dialect share. */
#pragma once

#include "dialects/dialect.h"
#include "dialects/text.h"

/* The WebSocket. */
extern const struct oi_stream_route aperiodic_stream;
