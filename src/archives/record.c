/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record parser: a state for each byte, runs of plain bytes copied whole. A record is kept as
 * one buffer and the ends of its fields; slices are made when it is complete.
 */
#include "archives/record.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/vector.h"

#include <string.h>

enum state {
    FIELD_START, /* nothing but blanks so far */
    PLAIN,
    QUOTED,
    QUOTE_END, /* a quote inside a quoted field: its end, or the first of two */
};

struct end {
    size_t size; /* of the buffer where the field ends */
    bool was_quoted;
};

struct oi_records {
    char delimiter;
    enum oi_status (*each)(void *context, const struct oi_record *record, struct oi_error *error);
    void *context;
    enum state state;
    uint64_t line;        /* being read */
    uint64_t record_line; /* where the record began */
    bool after_return;    /* the last byte was CR: an LF belongs to it */
    bool was_quoted;      /* the field being read */
    size_t mark_size;     /* bytes of a byte order mark seen so far; 3: no more */
    struct oi_buffer text;
    OI_VECTOR(struct end) ends;
    OI_VECTOR(struct oi_slice) fields;
    const char *fault;
    enum oi_status failed;
};

struct oi_records *
oi_records_new(char delimiter,
               enum oi_status (*each)(void *context, const struct oi_record *record,
                                      struct oi_error *error),
               void *context)
{
    struct oi_records *records = oi_alloc_zero(1, sizeof(*records));

    records->delimiter = delimiter;
    records->each = each;
    records->context = context;
    records->line = records->record_line = 1;
    records->text.size_max = OI_RECORD_SIZE_MAX;
    return records;
}

void
oi_records_free(struct oi_records **records)
{
    if (!*records)
        return;
    oi_buffer_release(&(*records)->text);
    oi_vector_release(&(*records)->ends);
    oi_vector_release(&(*records)->fields);
    oi_free(*records);
    *records = NULL;
}

static enum oi_status
end_field(struct oi_records *records, struct oi_error *error)
{
    struct end end = { records->text.size, records->was_quoted };

    if (records->ends.count >= OI_RECORD_FIELDS_MAX)
        return oi_fail(error, OI_E_CORRUPT, "line %llu has more than %zu fields",
                       (unsigned long long) records->record_line, OI_RECORD_FIELDS_MAX);
    oi_vector_push(&records->ends, end);
    records->state = FIELD_START;
    records->was_quoted = false;
    return OI_OK;
}

static bool
has_content(const struct oi_records *records)
{
    return records->text.size > 0 || records->ends.count > 0 || records->was_quoted;
}

static enum oi_status
hand_over(struct oi_records *records, struct oi_error *error)
{
    struct oi_record record = { .line = records->record_line, .fault = records->fault };
    size_t start = 0;

    OI_TRY(end_field(records, error));
    if (records->text.overflowed)
        return oi_fail(error, OI_E_CORRUPT, "line %llu is longer than %zu bytes",
                       (unsigned long long) records->record_line, OI_RECORD_SIZE_MAX);
    oi_vector_clear(&records->fields);
    for (size_t i = 0; i < records->ends.count; i++) {
        const struct end *end = &records->ends.items[i];
        struct oi_slice field = { records->text.data ? records->text.data + start : "",
                                  end->size - start };

        oi_vector_push(&records->fields, end->was_quoted ? field : oi_slice_trim(field));
        start = end->size;
    }
    record.fields = records->fields.items;
    record.count = records->fields.count;
    return records->each(records->context, &record, error);
}

static enum oi_status
end_record(struct oi_records *records, struct oi_error *error)
{
    bool is_blank = records->ends.count == 0 && !records->was_quoted &&
                    oi_slice_trim(oi_buffer_slice(&records->text)).size == 0;

    if (!is_blank)
        OI_TRY(hand_over(records, error));
    oi_buffer_clear(&records->text);
    oi_vector_clear(&records->ends);
    records->state = FIELD_START;
    records->was_quoted = false;
    records->fault = NULL;
    return OI_OK;
}

/* How many bytes from here on need no thought. */
static size_t
run_size(const struct oi_records *records, struct oi_slice rest)
{
    size_t size = 0;

    if (records->state == QUOTED) {
        while (size < rest.size && rest.data[size] != '"' && rest.data[size] != '\n')
            size++;
        return size;
    }
    while (size < rest.size && rest.data[size] != '\n' && rest.data[size] != '\r' &&
           rest.data[size] != '"' &&
           (records->delimiter == '\0' || rest.data[size] != records->delimiter))
        size++;
    return size;
}

/* A quote means something only where a field begins, or inside a quoted one. */
static void
take_quote(struct oi_records *records)
{
    switch (records->state) {
    case FIELD_START:
        if (records->delimiter) {
            /* Blanks before it are no part of the field. */
            records->text.size =
                records->ends.count ? records->ends.items[records->ends.count - 1].size : 0;
            records->state = QUOTED;
            records->was_quoted = true;
            return;
        }
        break;
    case QUOTED:
        records->state = QUOTE_END;
        return;
    case QUOTE_END:
        records->state = QUOTED;
        break;
    case PLAIN:
        break;
    }
    oi_buffer_add_char(&records->text, '"');
}

/* Plain bytes of an unquoted field, or what stands behind a closing quote. */
static void
take_plain(struct oi_records *records, struct oi_slice run)
{
    bool is_blank = oi_slice_trim(run).size == 0;

    if (records->state == QUOTE_END) {
        if (!is_blank)
            records->fault = "text behind a closing quote";
        return;
    }
    oi_buffer_add_slice(&records->text, run);
    if (records->state == FIELD_START && !is_blank)
        records->state = PLAIN;
}

static enum oi_status
take_special(struct oi_records *records, char byte, struct oi_error *error)
{
    bool follows_return = records->after_return;

    records->after_return = false;
    if (records->state == QUOTED && byte == '\n') {
        oi_buffer_add_char(&records->text, byte);
        records->line++;
        return OI_OK;
    }
    if (byte == '"') {
        take_quote(records);
        return OI_OK;
    }
    if (byte == records->delimiter && byte != '\0')
        return end_field(records, error);
    if (byte == '\n' && follows_return) {
        records->record_line = records->line;
        return OI_OK;
    }
    records->after_return = byte == '\r';
    OI_TRY(end_record(records, error));
    records->line++;
    records->record_line = records->line;
    return OI_OK;
}

static enum oi_status
add(struct oi_records *records, struct oi_slice rest, struct oi_error *error)
{
    static const char mark[] = "\xEF\xBB\xBF";

    while (records->mark_size < 3 && rest.size > 0) {
        if (rest.data[0] != mark[records->mark_size]) {
            oi_buffer_add(&records->text, mark, records->mark_size);
            records->mark_size = 3;
            break;
        }
        records->mark_size++;
        rest.data++, rest.size--;
    }
    while (rest.size > 0) {
        struct oi_slice run = { rest.data, run_size(records, rest) };

        if (run.size > 0) {
            records->after_return = false;
            if (records->state == QUOTED)
                oi_buffer_add_slice(&records->text, run);
            else
                take_plain(records, run);
        } else {
            run.size = 1;
            OI_TRY(take_special(records, rest.data[0], error));
        }
        if (records->text.overflowed)
            return oi_fail(error, OI_E_CORRUPT, "line %llu is longer than %zu bytes%s",
                           (unsigned long long) records->record_line, OI_RECORD_SIZE_MAX,
                           records->state == QUOTED ? ": is a quote never closed?" : "");
        rest.data += run.size;
        rest.size -= run.size;
    }
    return OI_OK;
}

enum oi_status
oi_records_add(struct oi_records *records, struct oi_slice piece, bool is_last,
               struct oi_error *error)
{
    enum oi_status status;

    if (records->failed != OI_OK)
        return oi_fail(error, records->failed, "an earlier part of it is damaged");
    status = add(records, piece, error);
    if (status == OI_OK && is_last) {
        if (records->state == QUOTED)
            status = oi_fail(error, OI_E_CORRUPT, "the quote in line %llu is never closed",
                             (unsigned long long) records->record_line);
        else if (has_content(records))
            status = end_record(records, error);
    }
    records->failed = status;
    return status;
}
