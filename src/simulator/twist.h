/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies that say the same in another way: rows out of order and twice, figures with all the
 * digits there is room for. Whoever reads them must come to the same readings.
 */
#pragma once

#include "base/buffer.h"

/* The outermost lists of rows in a JSON text are turned round, and their first row comes twice.
 * Anything else, and what is no JSON, stays. */
void twist_shuffle(struct oi_buffer *body);
/* Numbers with a fraction, bare or as text, get zeros until they have 39 digits. */
void twist_digits(struct oi_buffer *body);
