/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every file format over any bytes in any cut: never a crash, and the pieces must yield what the
 * whole does. The first byte chooses the format, the second the size of the pieces.
 */
#include "archives/archive.h"
#include "base/buffer.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum oi_status
take(void *context, const struct oi_archive_row *row, struct oi_error *)
{
    oi_buffer_add_format(context, "%llu %zu %lld ", (unsigned long long) row->line, row->market,
                         (long long) row->reading.time);
    oi_decimal_write(&row->reading.open_interest, context);
    return OI_OK;
}

static void
refuse(void *context, const struct oi_archive_refusal *refusal)
{
    oi_buffer_add_format(context, "%llu %s ", (unsigned long long) refusal->line, refusal->reason);
    oi_buffer_add_slice(context, refusal->value);
}

/* Chicago from the machine's files, for CME's. */
static enum oi_status
load_zone(const struct oi_zone_loader *, struct oi_slice, const struct oi_zone **ret_zone,
          struct oi_error *error)
{
    static struct oi_zone *zone;
    struct oi_buffer bytes = {};
    enum oi_status status = OI_OK;
    FILE *file = zone ? NULL : fopen("/usr/share/zoneinfo/America/Chicago", "rb");

    if (!zone && !file)
        return oi_fail(error, OI_E_NOT_FOUND, "no zones here");
    for (int byte; file && (byte = fgetc(file)) != EOF;)
        oi_buffer_add_char(&bytes, (char) byte);
    if (file) {
        (void) fclose(file);
        status = oi_zone_open(oi_buffer_slice(&bytes), &zone, error);
    }
    oi_buffer_release(&bytes);
    *ret_zone = zone;
    return status;
}

static const struct oi_zone_loader zones = { .load = load_zone };

static enum oi_status
read(const struct oi_archive *archive, const struct oi_mapping *mapping, struct oi_slice text,
     size_t piece_size, struct oi_buffer *out)
{
    const struct oi_archive_options options = { .file_name = "es_openinterest_202603.csv",
                                                .mapping = mapping,
                                                .zones = &zones };
    const struct oi_archive_sink sink = { take, refuse, out };
    struct oi_reader *reader = NULL;
    enum oi_status status = oi_reader_open(archive, &options, &sink, &reader, NULL);

    while (status == OI_OK && text.size > piece_size) {
        struct oi_slice piece = { text.data, piece_size };

        status = oi_reader_add(reader, piece, false, NULL);
        text.data += piece_size;
        text.size -= piece_size;
    }
    if (status == OI_OK)
        status = oi_reader_add(reader, text, true, NULL);
    oi_reader_close(&reader);
    return status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer whole = {};
    OI_CLEANUP(oi_buffer_release) struct oi_buffer pieces = {};
    OI_CLEANUP(oi_mapping_release) struct oi_mapping mapping = OI_MAPPING_NONE;
    const struct oi_archive *archive;
    struct oi_slice text;
    size_t count = 0;

    if (size < 2)
        return 0;
    while (oi_archives[count])
        count++;
    archive = oi_archives[data[0] % count];
    (void) (oi_mapping_set(&mapping, "time", OI_SLICE("t"), NULL) == OI_OK &&
            oi_mapping_set(&mapping, "zone", OI_SLICE("UTC"), NULL) == OI_OK &&
            oi_mapping_set(&mapping, "oi", OI_SLICE("x"), NULL) == OI_OK &&
            oi_mapping_set(&mapping, "unit", OI_SLICE("usd"), NULL) == OI_OK &&
            oi_mapping_set(&mapping, "unit-when", OI_SLICE("m=a*:coins"), NULL) == OI_OK &&
            oi_mapping_set(&mapping, "market", OI_SLICE("{m}-{m}-future"), NULL) == OI_OK);
    text = (struct oi_slice){ (const char *) data + 2, size - 2 };
    if (read(archive, archive->feed ? NULL : &mapping, text, SIZE_MAX, &whole) !=
        read(archive, archive->feed ? NULL : &mapping, text, (size_t) data[1] + 1, &pieces))
        abort();
    if (!oi_slice_equal(oi_buffer_slice(&whole), oi_buffer_slice(&pieces)))
        abort();
    return 0;
}
