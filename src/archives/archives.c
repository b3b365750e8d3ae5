/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry of file formats and the reader that drives one: it looks at the first bytes, cuts
 * the rest into records or lines, and keeps the list of markets met. What no format imports is
 * recognised here and refused with its reason.
 */
#include "archives/archive_internal.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/map.h"
#include "base/vector.h"

#include <string.h>

#define OI_ARCHIVE(name) &oi_archive_##name,
const struct oi_archive *const oi_archives[] = {
#include "archives/archives.def"
    NULL,
};
#undef OI_ARCHIVE

/* A directory of markets past this is an attack, not a file: real ones list thousands. */
#define MARKETS_MAX ((size_t) 1 << 20)
/* Enough to know a file by its first bytes, and how many blank ones may stand before them. */
#define SNIFF_SIZE ((size_t) 4)
#define BLANKS_MAX ((size_t) 4096)

struct oi_reader {
    const struct oi_archive *archive;
    const struct oi_archive_options *options;
    const struct oi_archive_sink *sink;
    struct oi_buffer start; /* the first bytes, until they tell the form */
    struct oi_records *records;
    bool is_json, has_begun;
    size_t field_count; /* of the header */
    struct oi_map *market_of;
    OI_VECTOR(struct oi_instrument) markets;
    void *state;
    enum oi_status failed;
};

const struct oi_archive *
oi_archive_find(struct oi_slice name)
{
    for (size_t i = 0; oi_archives[i]; i++)
        if (oi_slice_is(name, oi_archives[i]->name))
            return oi_archives[i];
    return NULL;
}

void *
oi_reader_state(const struct oi_reader *reader)
{
    return reader->state;
}

void
oi_reader_set_state(struct oi_reader *reader, void *state)
{
    reader->state = state;
}

const struct oi_archive_options *
oi_reader_options(const struct oi_reader *reader)
{
    return reader->options;
}

size_t
oi_reader_field_count(const struct oi_reader *reader)
{
    return reader->has_begun ? reader->field_count : 0;
}

const struct oi_instrument *
oi_reader_market(const struct oi_reader *reader, size_t market)
{
    oi_assert(market < reader->markets.count);
    return &reader->markets.items[market];
}

enum oi_status
oi_reader_take(struct oi_reader *reader, const struct oi_archive_row *row, struct oi_error *error)
{
    return reader->sink->take(reader->sink->context, row, error);
}

static void
refuse_record(struct oi_reader *reader, uint64_t line, const char *reason)
{
    const struct oi_archive_refusal refusal = { .line = line, .reason = reason };

    reader->sink->refuse(reader->sink->context, &refusal);
}

void
oi_reader_refuse(struct oi_reader *reader, const struct oi_field *field, const char *reason)
{
    const struct oi_archive_refusal refusal = { .line = field->line,
                                                .field = oi_slice_of(field->name),
                                                .value = field->text,
                                                .reason = reason };

    reader->sink->refuse(reader->sink->context, &refusal);
}

/*
 * Markets.
 */

/* "binance:usdm:BTCUSDT"; a Coin Metrics id has a dash before any colon. */
static enum oi_status
parse_market(struct oi_slice id, struct oi_instrument *ret_instrument, struct oi_error *error)
{
    struct oi_instrument instrument = OI_INSTRUMENT_NONE;
    struct oi_slice rest = id, exchange, product;

    if (!oi_slice_next_part(&rest, ':', &exchange) || !rest.data ||
        memchr(exchange.data, '-', exchange.size))
        return oi_coinmetrics_market_parse(id, ret_instrument, error);
    if (!oi_slice_next_part(&rest, ':', &product) || !rest.data)
        return oi_fail(error, OI_E_INVALID, "a market without a symbol");
    OI_TRY(OI_NAME_SET(instrument.exchange, exchange, error));
    OI_TRY(OI_NAME_SET(instrument.product, product, error));
    OI_TRY(OI_NAME_SET(instrument.symbol, rest, error));
    instrument.is_provisional = true;
    *ret_instrument = instrument;
    return OI_OK;
}

static bool
add_market(struct oi_reader *reader, const struct oi_field *field, struct oi_slice key,
           const struct oi_instrument *instrument, size_t *ret_market)
{
    if (reader->markets.count >= MARKETS_MAX) {
        oi_reader_refuse(reader, field, "more than a million markets in one file");
        return false;
    }
    oi_map_put(reader->market_of, key, reader->markets.count);
    *ret_market = reader->markets.count;
    oi_vector_push(&reader->markets, *instrument);
    return true;
}

struct oi_instrument *
oi_reader_market_facts(struct oi_reader *reader, size_t market)
{
    oi_assert(market < reader->markets.count);
    return &reader->markets.items[market];
}

bool
oi_reader_market_by_id(struct oi_reader *reader, const struct oi_field *field, struct oi_slice id,
                       size_t *ret_market)
{
    struct oi_instrument instrument;
    struct oi_error error = {};
    uint64_t known = 0;

    if (oi_map_get(reader->market_of, id, &known)) {
        *ret_market = (size_t) known;
        return true;
    }
    if (parse_market(id, &instrument, &error) != OI_OK) {
        oi_reader_refuse(reader, field, error.message);
        return false;
    }
    return add_market(reader, field, id, &instrument, ret_market);
}

bool
oi_reader_market_by_key(struct oi_reader *reader, const struct oi_field *field,
                        const char *exchange, const char *product, size_t *ret_market)
{
    char key[2 * OI_NAME_SIZE + OI_SYMBOL_SIZE];
    struct oi_slice symbol = field->text;
    struct oi_instrument instrument = OI_INSTRUMENT_NONE;
    struct oi_error error = {};
    uint64_t known = 0;
    struct oi_slice name;
    size_t size;

    if (symbol.size == 0 || symbol.size >= OI_SYMBOL_SIZE) {
        oi_reader_refuse(reader, field, symbol.size ? "a symbol that is too long" : "no symbol");
        return false;
    }
    oi_assert(strlen(exchange) < OI_NAME_SIZE && strlen(product) < OI_NAME_SIZE);
    /* A NUL keeps these keys apart from ids. */
    size = (size_t) (stpncpy(key, exchange, OI_NAME_SIZE) - key);
    key[size++] = '\0';
    size = (size_t) (stpncpy(key + size, product, OI_NAME_SIZE) - key);
    key[size++] = '\0';
    memcpy(key + size, symbol.data, symbol.size);
    name = (struct oi_slice){ key, size + symbol.size };
    if (oi_map_get(reader->market_of, name, &known)) {
        *ret_market = (size_t) known;
        return true;
    }
    if (OI_NAME_SET(instrument.exchange, oi_slice_of(exchange), &error) != OI_OK ||
        OI_NAME_SET(instrument.product, oi_slice_of(product), &error) != OI_OK ||
        OI_NAME_SET(instrument.symbol, symbol, &error) != OI_OK) {
        oi_reader_refuse(reader, field, error.message);
        return false;
    }
    instrument.is_provisional = true;
    return add_market(reader, field, name, &instrument, ret_market);
}

/*
 * What no format imports.
 */

static const struct shape {
    const char *columns[3]; /* all of them are in the header */
    const char *reason;
} refused_shapes[] = {
    { { "oi_total_close", "oi_stable_close" },
      "totals over exchanges are not imported: no market anywhere has this open interest, and a "
      "total cannot be taken apart; import the exchanges' own figures, oi adds them up" },
    { { "archive_sha256", "available", "rows" },
      "this describes archive files and holds no open interest" },
};

static enum oi_status
refuse_shapes(const struct oi_record *header, struct oi_error *error)
{
    for (size_t i = 0; i < OI_COUNT(refused_shapes); i++) {
        const struct shape *shape = &refused_shapes[i];
        size_t met = 0;

        while (met < OI_COUNT(shape->columns) && shape->columns[met] &&
               oi_reader_column(header, shape->columns[met]) != OI_COLUMN_NONE)
            met++;
        if (met == OI_COUNT(shape->columns) || !shape->columns[met])
            return oi_fail(error, OI_E_INVALID, "%s", shape->reason);
    }
    return OI_OK;
}

#define RAW_MESSAGES                                                                               \
    "raw messages of an exchange are not imported: they are for the tests of its adapter, which "  \
    "reads them as they came"

static enum oi_status
check_header(const struct oi_record *header, struct oi_error *error)
{
    for (size_t i = 0; i < header->count; i++) {
        struct oi_slice field = header->fields[i];

        if (field.size > 0 && memchr(field.data, '{', field.size))
            return oi_fail(error, OI_E_INVALID, RAW_MESSAGES);
        for (size_t j = 0; j < field.size; j++)
            if ((unsigned char) field.data[j] < ' ')
                return oi_fail(error, OI_E_INVALID, "this is no table: its first line is binary");
    }
    if (header->fault)
        return oi_fail(error, OI_E_INVALID, "the header has %s", header->fault);
    return refuse_shapes(header, error);
}

/* Behind blanks and a byte order mark. */
static struct oi_slice
first_bytes(struct oi_slice text)
{
    if (oi_slice_starts_with(text, "\xEF\xBB\xBF"))
        text.data += 3, text.size -= 3;
    while (text.size > 0 && strchr(" \t\r\n", text.data[0]))
        text.data++, text.size--;
    return text;
}

static enum oi_status
check_start(const struct oi_reader *reader, struct oi_slice text, struct oi_error *error)
{
    const char *name = reader->options->file_name;

    if (oi_slice_starts_with(text, "PAR1"))
        return oi_fail(error, OI_E_INVALID,
                       "Parquet is not imported; convert it first: duckdb -c \"COPY (FROM '%.40s') "
                       "TO '%.40s.csv'\"",
                       name, name);
    if (text.size > 0 && (text.data[0] == '{' || text.data[0] == '[') && !reader->is_json)
        return oi_fail(error, OI_E_INVALID, RAW_MESSAGES);
    return OI_OK;
}

/*
 * Driving.
 */

static enum oi_status
take_json(struct oi_reader *reader, const struct oi_record *record, struct oi_error *error)
{
    struct oi_field field = { .line = record->line, .name = "", .text = record->fields[0] };
    struct oi_json *json = NULL;
    struct oi_error fault = {};
    enum oi_status status;

    if (oi_json_open(record->fields[0], &json, &fault) != OI_OK) {
        oi_reader_refuse(reader, &field, fault.message);
        return OI_OK;
    }
    if (oi_json_kind(oi_json_root(json)) != OI_JSON_OBJECT) {
        oi_reader_refuse(reader, &field, "a line that is not a JSON object");
        status = OI_OK;
    } else {
        status = reader->archive->read_json(reader, record->line, oi_json_root(json), error);
    }
    oi_json_close(&json);
    return status;
}

static enum oi_status
take_record(void *context, const struct oi_record *record, struct oi_error *error)
{
    struct oi_reader *reader = context;

    if (reader->is_json)
        return take_json(reader, record, error);
    if (!reader->has_begun) {
        OI_TRY(check_header(record, error));
        OI_TRY(reader->archive->begin(reader, record, error));
        reader->has_begun = true;
        reader->field_count = record->count;
        return OI_OK;
    }
    if (record->fault) {
        refuse_record(reader, record->line, record->fault);
        return OI_OK;
    }
    if (record->count != reader->field_count) {
        refuse_record(reader, record->line,
                      record->count < reader->field_count ? "fewer fields than the header has"
                                                          : "more fields than the header has");
        return OI_OK;
    }
    return reader->archive->read(reader, record, error);
}

enum oi_status
oi_reader_open(const struct oi_archive *archive, const struct oi_archive_options *options,
               const struct oi_archive_sink *sink, struct oi_reader **ret_reader,
               struct oi_error *error)
{
    struct oi_reader *reader;

    if (options->mapping)
        OI_TRY(oi_mapping_check(options->mapping, error));
    reader = oi_alloc_zero(1, sizeof(*reader));
    reader->archive = archive;
    reader->options = options;
    reader->sink = sink;
    reader->market_of = oi_map_new();
    *ret_reader = reader;
    return OI_OK;
}

void
oi_reader_close(struct oi_reader **reader)
{
    if (!*reader)
        return;
    if ((*reader)->state)
        (*reader)->archive->end((*reader)->state);
    oi_records_free(&(*reader)->records);
    oi_map_free(&(*reader)->market_of);
    oi_vector_release(&(*reader)->markets);
    oi_buffer_release(&(*reader)->start);
    oi_free(*reader);
    *reader = NULL;
}

/* The first bytes are there: what is it? */
static enum oi_status
start(struct oi_reader *reader, struct oi_error *error)
{
    struct oi_slice text = first_bytes(oi_buffer_slice(&reader->start));
    const struct oi_mapping *mapping = reader->options->mapping;

    reader->is_json = reader->archive->read_json && text.size > 0 && text.data[0] == '{';
    OI_TRY(check_start(reader, text, error));
    reader->records = oi_records_new(reader->is_json ? '\0'
                                     : mapping       ? mapping->delimiter
                                                     : ',',
                                     take_record, reader);
    return OI_OK;
}

static enum oi_status
add(struct oi_reader *reader, struct oi_slice piece, bool is_last, struct oi_error *error)
{
    bool is_known = false;

    if (reader->records)
        return oi_records_add(reader->records, piece, is_last, error);
    /* Byte by byte, so that the cut into pieces decides nothing. */
    while (piece.size > 0 && !is_known) {
        oi_buffer_add_char(&reader->start, piece.data[0]);
        piece.data++, piece.size--;
        is_known = first_bytes(oi_buffer_slice(&reader->start)).size >= SNIFF_SIZE ||
                   reader->start.size >= BLANKS_MAX;
    }
    if (!is_known && !is_last)
        return OI_OK;
    OI_TRY(start(reader, error));
    OI_TRY(oi_records_add(reader->records, oi_buffer_slice(&reader->start), false, error));
    return oi_records_add(reader->records, piece, is_last, error);
}

enum oi_status
oi_reader_add(struct oi_reader *reader, struct oi_slice piece, bool is_last, struct oi_error *error)
{
    enum oi_status status;

    if (reader->failed != OI_OK)
        return oi_fail(error, reader->failed, "an earlier part of it could not be read");
    status = add(reader, piece, is_last, error);
    if (status == OI_OK && is_last && !reader->has_begun && !reader->is_json)
        status = oi_fail(error, OI_E_INVALID, "the file is empty");
    reader->failed = status;
    return status;
}
