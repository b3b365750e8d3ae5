/* SPDX-License-Identifier: Apache-2.0 */
/* A store copied into another one, row by row, and read back: `oi copy`, and `oi backup` of rows
 * that are elsewhere. */
#pragma once

#include "base/status.h"

#include <stdint.h>

struct oi_copied {
    uint64_t rows, series; /* copied now; compared and found the same */
};

/* From a folder or an address to another one; what is there already is not copied again. */
enum oi_status oi_copy_store(const char *from, const char *to, struct oi_copied *ret_copied,
                             struct oi_error *error);
