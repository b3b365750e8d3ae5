/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a chunk never crash, and any rows as a chunk come back. The checksums are put right
 * first, else nothing behind them would ever be reached.
 */
#include "store/chunk.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "core/columns.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "support/seal_chunk.h"

#define KEY OI_SLICE("key")
#define ROWS_MAX 700

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever was decoded can be read. */
static void
read_all(const struct oi_chunk *chunk)
{
    for (size_t i = 0; i < chunk->columns.count; i++) {
        struct oi_observation reading = oi_columns_get(&chunk->columns, i);
        char text[OI_DECIMAL_TEXT_SIZE];

        (void) oi_decimal_print(&reading.value_usd, text);
    }
}

/* Rows from the input: figures, times and batches are its bytes. */
static void
round_trip(const uint8_t *data, size_t size, struct oi_chunk *chunk)
{
    static int64_t numbers[4][ROWS_MAX];
    static int8_t exponents[ROWS_MAX];
    struct oi_buffer bytes = {};
    size_t count = size % ROWS_MAX + 1;
    struct oi_columns rows = { .count = count };

    memset(numbers, 0, sizeof(numbers));
    memcpy(numbers, data, size < sizeof(numbers) ? size : sizeof(numbers));
    for (size_t i = 0; i < count; i++) {
        exponents[i] = (int8_t) (numbers[0][i] % 40);
        if (numbers[1][i] % 5 == 0)
            exponents[i] = OI_EXPONENT_NONE;
        if (numbers[2][i] == OI_TIME_NONE)
            numbers[2][i] = 0;
    }
    rows.time = rows.known_time = numbers[2];
    rows.exchange_time = numbers[3];
    rows.batch = (const uint64_t *) numbers[1];
    rows.open_interest = (struct oi_decimals){ .mantissas = numbers[0], .exponents = exponents };
    rows.mark_price = (struct oi_decimals){ .mantissas = numbers[1], .exponent = -2 };
    rows.value_usd = (struct oi_decimals){ .mantissas = numbers[3], .exponent = -1 };
    oi_chunk_encode(KEY, &rows, size % 2 ? numbers[3] : NULL, &bytes);
    oi_assert(oi_chunk_decode(KEY, oi_buffer_slice(&bytes), OI_COLUMNS_ALL, chunk, NULL) == OI_OK);
    for (size_t i = 0; i < count; i++) {
        struct oi_observation before;
        struct oi_observation after;

        if (chunk->known_time[i] == OI_TIME_NONE)
            chunk->known_time[i] = numbers[3][i];
        before = oi_columns_get(&rows, i);
        after = oi_columns_get(&chunk->columns, i);
        oi_assert(before.time == after.time);
        oi_assert(before.exchange_time == after.exchange_time);
        oi_assert(before.known_time == after.known_time);
        oi_assert(memcmp(&before.open_interest, &after.open_interest, sizeof(struct oi_decimal)) ==
                  0);
        oi_assert(memcmp(&before.mark_price, &after.mark_price, sizeof(struct oi_decimal)) == 0);
        oi_assert(memcmp(&before.value_usd, &after.value_usd, sizeof(struct oi_decimal)) == 0);
        oi_assert(rows.batch[i] == chunk->columns.batch[i]);
    }
    oi_buffer_release(&bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oi_chunk chunk = {};
    char *bytes = oi_alloc(size);

    memcpy(bytes, data, size);
    seal_chunk(KEY, bytes, size);
    if (oi_chunk_decode(KEY, (struct oi_slice){ bytes, size }, OI_COLUMNS_ALL, &chunk, NULL) ==
        OI_OK)
        read_all(&chunk);
    round_trip(data, size, &chunk);
    oi_chunk_release(&chunk);
    oi_free(bytes);
    return 0;
}
