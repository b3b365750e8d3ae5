/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a column never crash, and any numbers as a column come back. */
#include "codec/column.h"

#include "base/buffer.h"
#include "base/status.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define COUNT_MAX 1100

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oi_buffer bytes = {};
    int64_t values[COUNT_MAX] = {};
    int64_t decoded[COUNT_MAX];
    size_t count;
    size_t used;
    struct oi_column_habit habit = {};

    if (size < 2)
        return 0;
    count = (data[0] | (size_t) data[1] << 8) % (COUNT_MAX + 1);
    (void) oi_column_decode((struct oi_slice){ (const char *) data + 2, size - 2 }, count, values,
                            &used, NULL);
    memcpy(values, data, size < sizeof(values) ? size : sizeof(values));
    oi_column_encode_like(values, count / 2, &habit, &bytes);
    for (int way = 0; way < 3; way++) {
        oi_buffer_clear(&bytes);
        if (way == 2)
            oi_column_encode_like(values, count, &habit, &bytes);
        else if (way == 1)
            oi_column_encode_quickly(values, count, &bytes);
        else
            oi_column_encode(values, count, &bytes);
        oi_assert(oi_column_decode(oi_buffer_slice(&bytes), count, decoded, &used, NULL) == OI_OK);
        oi_assert(used == bytes.size);
        oi_assert(memcmp(values, decoded, count * sizeof(*values)) == 0);
    }
    oi_buffer_release(&bytes);
    return 0;
}
