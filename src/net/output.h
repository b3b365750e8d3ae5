/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What waits to be written to one connection: pieces of bytes, owned or shared with other
 * connections. What has been shown to a writer does not move until it is consumed, so a write may
 * be under way while more is added.
 */
#pragma once

#include "base/shared.h"
#include "base/vector.h"

struct oi_output_piece {
    struct oi_buffer owned;
    struct oi_shared *shared; /* in place of `owned`: */
    struct oi_slice part;     /* this much of it */
    bool is_shown;            /* nothing may be appended: a writer holds its address */
};

struct oi_output {
    OI_VECTOR(struct oi_output_piece) pieces;
    size_t first; /* the pieces before it are gone */
    size_t taken; /* of the first piece */
    size_t size;  /* bytes waiting */
};

/* Copies. */
void oi_output_add(struct oi_output *output, struct oi_slice bytes);
/* Takes the memory of `bytes`, which is empty afterwards. */
void oi_output_move(struct oi_output *output, struct oi_buffer *bytes);
/* Keeps a reference; `part` lies in the shared bytes. */
void oi_output_share(struct oi_output *output, struct oi_shared *shared, struct oi_slice part);
/* Takes all that waits in `from`, of which nothing has been shown or consumed. */
void oi_output_append(struct oi_output *output, struct oi_output *from);
/* The next pieces, at most `count_max`; valid until they are consumed. */
size_t oi_output_show(struct oi_output *output, struct oi_slice *slices, size_t count_max);
void oi_output_consume(struct oi_output *output, size_t size);
/* Memory given back; nothing may be under way. */
void oi_output_release(struct oi_output *output);
