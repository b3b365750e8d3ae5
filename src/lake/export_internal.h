/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that write answers share. */
#pragma once

#include "lake/export.h"

/* The file of an open answer. */
enum oi_status export_bars_of(struct oi_result *result, struct oi_buffer *out,
                              struct oi_error *error);
enum oi_status export_ticks_of(struct oi_result *result, struct oi_buffer *out,
                               struct oi_error *error);
