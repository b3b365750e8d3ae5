/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8, strictly as RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF. */
#pragma once

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The character at the front of `text` (not empty) and how many bytes it takes; 0 bytes when it is
 * malformed or cut, the output then untouched. */
size_t oi_utf8_decode(struct oi_slice text, uint32_t *ret_character);

/* Is all of it UTF-8? */
bool oi_utf8_is_valid(struct oi_slice text);

/* Is all of it UTF-8, and does every \uXXXX escape of a surrogate belong to a pair? Without that a
 * string of valid JSON would decode to malformed text. */
bool oi_utf8_is_valid_json(struct oi_slice text);
