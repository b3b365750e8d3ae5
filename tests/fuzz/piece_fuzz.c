/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of a table by vectors and digit by digit: the same rows, the same refusals, and neither
 * reads further than it may. The first byte chooses how times are written.
 */
#include "archives/piece_internal.h"
#include "base/buffer.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
read(const struct oi_mapping *mapping, struct oi_slice text, bool has_vectors,
     struct oi_piece *piece)
{
    const struct oi_archive_options options = { .file_name = "a.csv", .mapping = mapping };
    struct oi_piece_reader *reader = NULL;
    char *lines = oi_alloc_zero(text.size + 1 + OI_PIECE_SLACK, 1);
    bool is_read;

    if (text.size > 0)
        memcpy(lines, text.data, text.size);
    lines[text.size] = '\n';
    if (oi_piece_reader_open(&oi_archive_csv, &options, OI_SLICE("t,m,x,p,k\n"), &reader) != OI_OK)
        abort();
    reader->has_vectors = reader->has_vectors && has_vectors;
    is_read = oi_piece_read(reader, (struct oi_slice){ lines, text.size + 1 }, piece);
    oi_piece_reader_close(&reader);
    oi_free(lines);
    return is_read;
}

static bool
is_same(const struct oi_piece *a, const struct oi_piece *b)
{
    if (a->lines != b->lines || a->rows.count != b->rows.count ||
        a->refusals.count != b->refusals.count)
        return false;
    for (size_t i = 0; i < a->rows.count; i++) {
        const struct oi_packed *one = &a->rows.items[i], *other = &b->rows.items[i];

        if (one->time != other->time || one->known_time != other->known_time ||
            one->target != other->target || one->line != other->line ||
            memcmp(one->mantissas, other->mantissas, sizeof(one->mantissas)) != 0 ||
            memcmp(one->exponents, other->exponents, sizeof(one->exponents)) != 0)
            return false;
    }
    for (size_t i = 0; i < a->refusals.count; i++)
        if (a->refusals.items[i].line != b->refusals.items[i].line ||
            !oi_slice_equal(a->refusals.items[i].value, b->refusals.items[i].value))
            return false;
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const times[] = { "t:ns", "t:iso", "t:s", "t:ms" };
    OI_CLEANUP(oi_mapping_release) struct oi_mapping mapping = OI_MAPPING_NONE;
    struct oi_piece quick = {}, slow = {};
    struct oi_slice text;

    if (size < 1)
        return 0;
    if (oi_mapping_set(&mapping, "time", oi_slice_of(times[data[0] % OI_COUNT(times)]), NULL) !=
            OI_OK ||
        oi_mapping_set(&mapping, "known-time", OI_SLICE("k:us"), NULL) != OI_OK ||
        oi_mapping_set(&mapping, "oi", OI_SLICE("x"), NULL) != OI_OK ||
        oi_mapping_set(&mapping, "mark", OI_SLICE("p"), NULL) != OI_OK ||
        oi_mapping_set(&mapping, "unit", OI_SLICE("usd"), NULL) != OI_OK ||
        oi_mapping_set(&mapping, "market", OI_SLICE("e:p:{m}"), NULL) != OI_OK)
        abort();
    text = (struct oi_slice){ (const char *) data + 1, size - 1 };
    if (read(&mapping, text, true, &quick) != read(&mapping, text, false, &slow) ||
        !is_same(&quick, &slow))
        abort();
    oi_piece_release(&quick);
    oi_piece_release(&slow);
    return 0;
}
