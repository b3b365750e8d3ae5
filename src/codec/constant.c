/* SPDX-License-Identifier: Apache-2.0 */
/* One number for all rows: columns that never change, and regular times once they are deltas. */
#include "base/compiler.h"
#include "codec/column_internal.h"

/* no unit test: internal to the folder, column_test drives every width and encoding */

bool
oi_constant_fits(const int64_t *values, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (values[i] != values[0])
            return false;
    }
    return true;
}

void
oi_constant_encode(int64_t value, struct oi_buffer *out)
{
    oi_buffer_add_u8(out, OI_ENCODING_CONSTANT);
    oi_buffer_add_varint(out, oi_zigzag(value));
}

OI_VECTORISED static void
repeat(int64_t value, size_t count, int64_t *values)
{
    for (size_t i = 0; i < count; i++)
        values[i] = value;
}

enum oi_status
oi_constant_decode(struct oi_cursor *cursor, size_t count, int64_t *values, unsigned,
                   struct oi_error *error)
{
    int64_t value = oi_unzigzag(oi_cursor_varint(cursor));

    if (cursor->failed)
        return oi_fail(error, OI_E_CORRUPT, "a constant column that is cut");
    repeat(value, count, values);
    return OI_OK;
}
