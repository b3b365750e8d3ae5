/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of a collector from arbitrary bytes: a row that is taken is written and read the same.
 */
#include "dialects/native_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct oi_instrument instrument = {
        .id = 1, .exchange = "a", .product = "b", .symbol = "c"
    };
    struct oi_native_message message, again;
    struct oi_buffer out = {};

    if (oi_native_read_message((struct oi_slice){ (const char *) data, size }, &message, NULL) !=
            OI_OK ||
        message.kind != OI_NATIVE_ROW)
        return 0;
    oi_native_write_row(&instrument, message.feed.name, &message.reading, message.batch, &out);
    oi_assert(oi_native_read_message(oi_buffer_slice(&out), &again, NULL) == OI_OK);
    oi_assert(again.reading.time == message.reading.time && again.batch == message.batch);
    oi_assert(oi_decimal_equal(&again.reading.open_interest, &message.reading.open_interest));
    oi_buffer_release(&out);
    return 0;
}
