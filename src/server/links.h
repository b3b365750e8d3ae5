/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links that open by themselves for a few minutes: a signature over the whole target (HMAC-SHA256)
 * with its date and life, as parameters named like those of the object stores that clients know.
 * The secret lives in the data folder.
 */
#pragma once

#include "base/buffer.h"
#include "base/crypto.h"
#include "base/status.h"
#include "core/time.h"

#include <stdbool.h>

struct oi_links {
    uint8_t secret[OI_SHA256_SIZE];
    bool is_passing; /* the file could not be written: the links end with this process */
};

enum oi_link_verdict { OI_LINK_FINE, OI_LINK_EXPIRED, OI_LINK_WRONG };

/* Read the secret from `folder`/link-secret, or make one there (readable by its owner only). Where
 * it cannot be written, it is made for this process alone, and *error says why. */
enum oi_status oi_links_open(const char *folder, struct oi_links *ret_links,
                             struct oi_error *error);
/* Append `target` (path, perhaps with a query) with date, life and signature. */
void oi_links_sign(const struct oi_links *links, struct oi_slice target, oi_time now,
                   unsigned life_s, struct oi_buffer *out);
/* Is a received target one of ours and still alive? */
enum oi_link_verdict oi_links_check(const struct oi_links *links, struct oi_slice target,
                                    oi_time now);
