/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The unpacker over any bytes in any cut: the pieces must yield what the whole does. The first byte
 * chooses the size of the pieces. Bodies and archives are read as well.
 */
#include "base/compress.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUTPUT_SIZE_MAX ((size_t) 1 << 20)

static enum oi_status
unpack(struct oi_slice file, size_t piece_size, struct oi_buffer *out)
{
    OI_CLEANUP(oi_unpacker_free) struct oi_unpacker *unpacker = oi_unpacker_new();

    while (file.size > piece_size) {
        struct oi_slice piece = { file.data, piece_size };

        OI_TRY(oi_unpacker_add(unpacker, piece, false, out, NULL));
        file.data += piece_size;
        file.size -= piece_size;
    }
    return oi_unpacker_add(unpacker, file, true, out, NULL);
}

static enum oi_status
ignore_entry(void *, const char *, struct oi_slice, struct oi_error *)
{
    return OI_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer whole = { .size_max = OUTPUT_SIZE_MAX };
    OI_CLEANUP(oi_buffer_release) struct oi_buffer pieces = { .size_max = OUTPUT_SIZE_MAX };
    OI_CLEANUP(oi_buffer_release) struct oi_buffer body = {};
    struct oi_slice file;
    enum oi_status status;

    if (size == 0)
        return 0;
    file = (struct oi_slice){ (const char *) data + 1, size - 1 };
    status = unpack(file, SIZE_MAX, &whole);
    if (unpack(file, (size_t) data[0] + 1, &pieces) != status)
        abort();
    if (status == OI_OK && !oi_slice_equal(oi_buffer_slice(&whole), oi_buffer_slice(&pieces)))
        abort();
    if (oi_gunzip(file, OUTPUT_SIZE_MAX, &body, NULL) == OI_OK && status == OI_OK &&
        !oi_slice_equal(oi_buffer_slice(&whole), oi_buffer_slice(&body)))
        abort();
    oi_buffer_clear(&body);
    if (oi_unzstd(file, OUTPUT_SIZE_MAX, &body, NULL) == OI_OK && status == OI_OK &&
        !oi_slice_equal(oi_buffer_slice(&whole), oi_buffer_slice(&body)))
        abort();
    if (oi_is_zip(file))
        (void) (oi_zip_each(file, OUTPUT_SIZE_MAX, ignore_entry, NULL, NULL) == OI_OK);
    return 0;
}
