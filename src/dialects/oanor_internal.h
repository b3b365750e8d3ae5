/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the oanor dialect share. */
#pragma once

#include "dialects/dialect.h"
#include "dialects/text.h"

/* The description of the API. */
enum oi_status oanor_render_openapi(struct oi_rendering *rendering, struct oi_buffer *out,
                                    bool *ret_is_last, struct oi_error *error);
