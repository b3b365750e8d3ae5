/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delimited text in any cut: the pieces must yield what the whole does. The first byte chooses the
 * size of the pieces, the second the delimiter.
 */
#include "archives/record.h"
#include "base/buffer.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum oi_status
write_record(void *context, const struct oi_record *record, struct oi_error *)
{
    struct oi_buffer *out = context;

    oi_buffer_add_format(out, "%llu", (unsigned long long) record->line);
    for (size_t i = 0; i < record->count; i++) {
        oi_buffer_add_char(out, '[');
        oi_buffer_add_slice(out, record->fields[i]);
    }
    oi_buffer_add_text(out, record->fault ? record->fault : ";");
    return OI_OK;
}

static enum oi_status
parse(char delimiter, struct oi_slice text, size_t piece_size, struct oi_buffer *out)
{
    struct oi_records *records = oi_records_new(delimiter, write_record, out);
    enum oi_status status = OI_OK;

    while (status == OI_OK && text.size > piece_size) {
        struct oi_slice piece = { text.data, piece_size };

        status = oi_records_add(records, piece, false, NULL);
        text.data += piece_size;
        text.size -= piece_size;
    }
    if (status == OI_OK)
        status = oi_records_add(records, text, true, NULL);
    oi_records_free(&records);
    return status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer whole = {};
    OI_CLEANUP(oi_buffer_release) struct oi_buffer pieces = {};
    struct oi_slice text;
    char delimiter;

    if (size < 2)
        return 0;
    delimiter = ",;\t|"[data[1] % 4];
    if (data[1] == 0)
        delimiter = '\0';
    text = (struct oi_slice){ (const char *) data + 2, size - 2 };
    if (parse(delimiter, text, SIZE_MAX, &whole) !=
        parse(delimiter, text, (size_t) data[0] + 1, &pieces))
        abort();
    if (!oi_slice_equal(oi_buffer_slice(&whole), oi_buffer_slice(&pieces)))
        abort();
    return 0;
}
