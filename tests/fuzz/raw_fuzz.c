/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of raw replies. The first byte says how the rest is read: as a whole file, or as the
 * records of a block that is sound, so that the fuzzer need not find checksums.
 */
#include "collector/raw.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_all(struct oi_slice file)
{
    struct oi_raw_reader *reader = NULL;
    struct oi_raw_record record;
    struct oi_error error = {};
    struct oi_buffer again = {};

    if (oi_raw_reader_open(file, &reader, &error) != OI_OK)
        return;
    for (;;) {
        if (oi_raw_next(reader, &record, &error) != OI_OK)
            continue;
        if (record.kind == OI_RAW_NONE)
            break;
        oi_raw_write_record(&record, &again);
        if (again.size == 0)
            abort();
        oi_buffer_clear(&again);
    }
    if (oi_raw_reader_torn(reader) > file.size)
        abort();
    oi_buffer_release(&again);
    oi_raw_reader_close(&reader);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oi_buffer file = {};
    struct oi_slice rest;

    if (size == 0)
        return 0;
    rest = (struct oi_slice){ (const char *) data + 1, size - 1 };
    if (data[0] % 2 == 0) {
        read_all(rest);
        return 0;
    }
    oi_raw_write_head(1, 0, &file);
    oi_raw_write_block(rest, &file);
    read_all(oi_buffer_slice(&file));
    oi_buffer_release(&file);
    return 0;
}
