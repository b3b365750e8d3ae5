/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of one connection. */
#include "net/output.h"

#include "base/status.h"

/* Small pieces are gathered up to here: one write of 4 KB costs what one of 40 bytes does. */
#define GATHER_SIZE_MAX 4096

static struct oi_slice
piece_bytes(const struct oi_output_piece *piece)
{
    return piece->shared ? piece->part : oi_buffer_slice(&piece->owned);
}

void
oi_output_add(struct oi_output *output, struct oi_slice bytes)
{
    struct oi_output_piece *last = NULL;

    if (bytes.size == 0)
        return;
    if (output->pieces.count > output->first)
        last = &output->pieces.items[output->pieces.count - 1];
    if (!last || last->shared || last->is_shown || last->owned.size + bytes.size > GATHER_SIZE_MAX)
        last = oi_vector_add(&output->pieces);
    oi_buffer_add_slice(&last->owned, bytes);
    output->size += bytes.size;
}

void
oi_output_move(struct oi_output *output, struct oi_buffer *bytes)
{
    if (bytes->size > 0) {
        struct oi_output_piece *piece = oi_vector_add(&output->pieces);

        piece->owned = *bytes;
        output->size += bytes->size;
        *bytes = (struct oi_buffer){ .size_max = bytes->size_max };
    } else {
        oi_buffer_release(bytes);
    }
}

void
oi_output_share(struct oi_output *output, struct oi_shared *shared, struct oi_slice part)
{
    struct oi_output_piece *piece;

    if (part.size == 0)
        return;
    piece = oi_vector_add(&output->pieces);
    piece->shared = oi_shared_ref(shared);
    piece->part = part;
    output->size += part.size;
}

void
oi_output_append(struct oi_output *output, struct oi_output *from)
{
    oi_assert(from->first == 0 && from->taken == 0);
    for (size_t i = 0; i < from->pieces.count; i++)
        oi_vector_push(&output->pieces, from->pieces.items[i]);
    output->size += from->size;
    oi_vector_release(&from->pieces);
    *from = (struct oi_output){};
}

size_t
oi_output_show(struct oi_output *output, struct oi_slice *slices, size_t count_max)
{
    size_t count = 0;

    for (size_t i = output->first; i < output->pieces.count && count < count_max; i++) {
        struct oi_output_piece *piece = &output->pieces.items[i];

        piece->is_shown = true;
        slices[count] = piece_bytes(piece);
        if (count == 0) {
            slices[0].data += output->taken;
            slices[0].size -= output->taken;
        }
        count++;
    }
    return count;
}

static void
drop_piece(struct oi_output_piece *piece)
{
    oi_shared_unref(&piece->shared);
    oi_buffer_release(&piece->owned);
}

void
oi_output_consume(struct oi_output *output, size_t size)
{
    oi_assert(size <= output->size);
    output->size -= size;
    while (size > 0) {
        struct oi_output_piece *piece = &output->pieces.items[output->first];
        size_t left = piece_bytes(piece).size - output->taken;

        if (size < left) {
            output->taken += size;
            return;
        }
        size -= left;
        output->taken = 0;
        output->first++;
        drop_piece(piece);
    }
    if (output->first == output->pieces.count) {
        oi_vector_release(&output->pieces);
        output->first = 0;
    } else if (output->first >= 64 && output->first * 2 >= output->pieces.count) {
        output->pieces.count -= output->first;
        memmove(output->pieces.items, output->pieces.items + output->first,
                output->pieces.count * sizeof(*output->pieces.items));
        output->first = 0;
    }
}

void
oi_output_release(struct oi_output *output)
{
    for (size_t i = output->first; i < output->pieces.count; i++)
        drop_piece(&output->pieces.items[i]);
    oi_vector_release(&output->pieces);
    *output = (struct oi_output){};
}
