/* SPDX-License-Identifier: Apache-2.0 */
#include "support/transcript.h"

#include "core/symbology.h"

struct transcriber {
    const struct oi_reader *reader;
    struct oi_buffer *out;
};

static void
add_time(struct oi_buffer *out, const char *name, oi_time time)
{
    if (time == OI_TIME_NONE)
        return;
    oi_buffer_add_format(out, " %s", name);
    oi_time_write(time, time % OI_SECOND == 0 ? 0 : 9, out);
}

static void
add_decimal(struct oi_buffer *out, const char *name, const struct oi_decimal *value)
{
    if (oi_decimal_is_none(value))
        return;
    oi_buffer_add_format(out, " %s=", name);
    oi_decimal_write(value, out);
}

static enum oi_status
take(void *context, const struct oi_archive_row *row, struct oi_error *)
{
    struct transcriber *transcriber = context;
    const struct oi_observation *reading = &row->reading;
    struct oi_buffer *out = transcriber->out;
    char market[OI_MARKET_NAME_SIZE];

    (void) oi_native_name(oi_reader_market(transcriber->reader, row->market), market);
    oi_buffer_add_format(out, "%llu %s", (unsigned long long) row->line, market);
    add_time(out, "", reading->time);
    if (row->unit != OI_UNIT_UNKNOWN)
        oi_buffer_add_format(out, " %s", oi_unit_name(row->unit));
    add_decimal(out, "oi", &reading->open_interest);
    add_decimal(out, "usd", &reading->value_usd);
    add_decimal(out, "mark", &reading->mark_price);
    add_decimal(out, "index", &reading->index_price);
    add_decimal(out, "last", &reading->last_price);
    add_time(out, "known=", reading->known_time);
    add_time(out, "exchange=", reading->exchange_time);
    oi_buffer_add_char(out, '\n');
    return OI_OK;
}

static void
refuse(void *context, const struct oi_archive_refusal *refusal)
{
    struct transcriber *transcriber = context;

    oi_buffer_add_format(transcriber->out, "%llu refused", (unsigned long long) refusal->line);
    if (refusal->field.size > 0)
        oi_buffer_add_format(transcriber->out, " %.*s \"%.*s\"", OI_SLICE_ARGS(refusal->field),
                             OI_SLICE_ARGS(refusal->value));
    oi_buffer_add_format(transcriber->out, ": %s\n", refusal->reason);
}

void
test_transcribe(const struct oi_archive *archive, const struct oi_archive_options *options,
                struct oi_slice bytes, size_t piece_size, struct oi_buffer *transcript)
{
    struct transcriber transcriber = { .out = transcript };
    const struct oi_archive_sink sink = { take, refuse, &transcriber };
    struct oi_reader *reader = NULL;
    struct oi_error error = {};
    enum oi_status status = oi_reader_open(archive, options, &sink, &reader, &error);
    bool is_last = false;

    transcriber.reader = reader;
    while (status == OI_OK && !is_last) {
        struct oi_slice piece = bytes;

        if (piece_size > 0 && piece.size > piece_size)
            piece.size = piece_size;
        bytes.data += piece.size;
        bytes.size -= piece.size;
        is_last = bytes.size == 0;
        status = oi_reader_add(reader, piece, is_last, &error);
    }
    oi_reader_close(&reader);
    if (status != OI_OK)
        oi_buffer_add_format(transcript, "%s: %s\n", oi_status_name(status), error.message);
}
