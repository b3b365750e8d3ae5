/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a server sends as blocks: rows of it, or a refusal. */
#include "clickhouse/client.h"
#include "clickhouse/readings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct oi_slice body = { (const char *) data, size };
    struct oi_reading_pairs pairs = {};
    struct oi_rows rows = {};
    struct oi_slice text;

    (void) oi_readings_decode(body, OI_COLUMNS_ALL, &rows, &pairs, NULL, NULL);
    for (size_t i = 0; i < rows.count; i++)
        (void) oi_rows_get(&rows, i);
    oi_rows_clear(&rows);
    (void) oi_readings_decode(body, OI_COLUMN_OPEN_INTEREST | OI_COLUMN_FLAGS, &rows, NULL, NULL,
                              NULL);
    (void) oi_clickhouse_exception(body, &text);
    oi_rows_release(&rows);
    oi_vector_release(&pairs.items);
    return 0;
}
