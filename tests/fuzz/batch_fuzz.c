/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a batch of the log: refused, or rows that encode to a batch of the same rows. */
#include "store/batch.h"

#include "base/alloc.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oi_batch_header header, again;
    struct oi_batch_rows rows = {}, back = {};
    struct oi_buffer bytes = {};

    /* The row count of a hostile header is bounded, but a megabyte of rows makes a fuzzer slow. */
    if (size >= 16 && (data[14] != 0 || data[15] != 0))
        return 0;
    if (oi_batch_decode((struct oi_slice){ (const char *) data, size }, &header, &rows, NULL) !=
        OI_OK)
        return 0;
    oi_batch_encode(&header, &rows, &bytes);
    oi_assert(oi_batch_decode(oi_buffer_slice(&bytes), &again, &back, NULL) == OI_OK);
    oi_assert(again.row_count == header.row_count && again.commit_time == header.commit_time);
    for (size_t i = 0; i < header.row_count; i++)
        oi_assert(back.series.items[i] == rows.series.items[i] &&
                  back.rows.items[i].time == rows.rows.items[i].time &&
                  back.rows.items[i].known_time == rows.rows.items[i].known_time);
    oi_batch_rows_release(&rows);
    oi_batch_rows_release(&back);
    oi_buffer_release(&bytes);
    return 0;
}
