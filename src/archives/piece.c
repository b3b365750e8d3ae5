/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line is walked once, field after field, each read as what its column is. What is not digits in
 * the expected shape ends the walk, and the line goes to the general reader. Markets are found by
 * the text of the columns that decide about them: the general reader answered for it once.
 */
#include "archives/piece_internal.h"

#include <string.h>

/* About as long as a line is, for the first guess at how many there are. */
#define LINE_SIZE_USUAL ((size_t) 80)

void
oi_piece_release(struct oi_piece *piece)
{
    oi_vector_release(&piece->rows);
    oi_vector_release(&piece->wides);
    oi_vector_release(&piece->refusals);
    oi_arena_release(&piece->arena);
}

/*
 * Digits, eight at a time.
 */

static const uint64_t powers[OI_PIECE_DIGITS_MAX + 1] = {
    UINT64_C(1),
    UINT64_C(10),
    UINT64_C(100),
    UINT64_C(1'000),
    UINT64_C(10'000),
    UINT64_C(100'000),
    UINT64_C(1'000'000),
    UINT64_C(10'000'000),
    UINT64_C(100'000'000),
    UINT64_C(1'000'000'000),
    UINT64_C(10'000'000'000),
    UINT64_C(100'000'000'000),
    UINT64_C(1'000'000'000'000),
    UINT64_C(10'000'000'000'000),
    UINT64_C(100'000'000'000'000),
    UINT64_C(1'000'000'000'000'000),
    UINT64_C(10'000'000'000'000'000),
    UINT64_C(100'000'000'000'000'000),
    UINT64_C(1'000'000'000'000'000'000),
};

/* Eight characters as their digits' values, and which of them are none: the top bit of each. */
static inline uint64_t
digits_at(const char *at, uint64_t *ret_others)
{
    uint64_t bytes = oi_load_8(at) ^ UINT64_C(0x3030303030303030);

    *ret_others = ((bytes + UINT64_C(0x7676767676767676)) | bytes) & UINT64_C(0x8080808080808080);
    return bytes;
}

/* The number that eight digits make, the first one in the lowest byte. */
static inline uint64_t
join_eight(uint64_t bytes)
{
    bytes = bytes * 10 + (bytes >> 8);
    return (uint32_t) ((((bytes & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x000F424000000064)) +
                        (((bytes >> 16) & UINT64_C(0x000000FF000000FF)) *
                         UINT64_C(0x0000271000000001))) >>
                       32);
}

/* All digits from *at on; more than 19 of them are counted and not meant to be used. That whole
 * eights advance by a constant lets the processor run ahead. */
static inline uint64_t
take_digits(const char **at, unsigned *ret_count)
{
    const char *here = *at;
    uint64_t value = 0, others, bytes;
    unsigned count;

    while ((bytes = digits_at(here, &others), others == 0)) {
        value = value * powers[8] + join_eight(bytes);
        here += 8;
        if (here - *at >= 24)
            break;
    }
    count = others ? (unsigned) __builtin_ctzll(others) / 8 : 0;
    if (count > 0) {
        value = value * powers[count] + join_eight(bytes << (64 - 8 * count));
        here += count;
    }
    *ret_count = (unsigned) (here - *at);
    *at = here;
    return value;
}

/* Does the field end here? */
static inline bool
is_end(const struct oi_piece_reader *reader, const char *at)
{
    return *at == reader->delimiter || *at == '\n' || (*at == '\r' && at[1] == '\n');
}

/* Each of these moves *at behind what it read; false: not in the usual shape. */

static inline bool
read_figure(const struct oi_piece_reader *reader, const char **at, struct oi_packed *row,
            unsigned figure)
{
    unsigned count, places = 0;
    uint64_t value;

    if (is_end(reader, *at)) {
        row->mantissas[figure] = 0;
        row->exponents[figure] = OI_EXPONENT_NONE;
        return figure != 0;
    }
    value = take_digits(at, &count);
    if (count == 0 || count > OI_PIECE_DIGITS_MAX)
        return false;
    if (**at == '.') {
        const char *fraction = *at + 1;
        uint64_t below = take_digits(&fraction, &places);

        if (places == 0 || count + places > OI_PIECE_DIGITS_MAX)
            return false;
        value = value * powers[places] + below;
        *at = fraction;
    }
    row->mantissas[figure] = (int64_t) value;
    row->exponents[figure] = (int8_t) - (int) places;
    return is_end(reader, *at);
}

static bool
read_count(const char **at, enum oi_time_format format, oi_time *ret_time)
{
    unsigned count;
    uint64_t value = take_digits(at, &count);

    return count > 0 && count <= 19 && value < INT64_MAX &&
           !__builtin_mul_overflow((int64_t) value, oi_time_format_unit(format), ret_time) &&
           *ret_time != OI_TIME_LATEST;
}

static bool
read_date(struct oi_piece_date *date, const char *text)
{
    struct oi_time_text parsed;

    /* Before it is compared: no date, as at first, is all zeros. */
    if (text[4] != '-' || text[7] != '-')
        return false;
    if (memcmp(date->text, text, sizeof(date->text)) == 0)
        return true;
    if (oi_time_parse((struct oi_slice){ text, sizeof(date->text) }, &parsed, NULL) != OI_OK ||
        !parsed.is_date_only || oi_time_from_civil(&parsed.civil, &date->start, NULL) != OI_OK)
        return false;
    memcpy(date->text, text, sizeof(date->text));
    return true;
}

/* hh:mm:ss with perhaps a fraction, in nanoseconds. */
static bool
read_clock(const char **at, int64_t *ret_ns)
{
    const uint64_t colons = UINT64_C(0x00003A00003A0000);
    uint64_t bytes = oi_load_8(*at);
    uint64_t digits = (bytes ^ UINT64_C(0x3030303030303030)) & ~UINT64_C(0x0000FF0000FF0000);
    const char *text = *at;
    int hour, minute, second;

    if ((bytes & UINT64_C(0x0000FF0000FF0000)) != colons ||
        (((digits + UINT64_C(0x7676767676767676)) | digits) & UINT64_C(0x8080808080808080)) != 0)
        return false;
    hour = (text[0] - '0') * 10 + text[1] - '0';
    minute = (text[3] - '0') * 10 + text[4] - '0';
    second = (text[6] - '0') * 10 + text[7] - '0';
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    *ret_ns = ((hour * 60 + minute) * INT64_C(60) + second) * OI_SECOND;
    *at += 8;
    if (**at == '.') {
        const char *fraction = *at + 1;
        unsigned places;
        uint64_t below = take_digits(&fraction, &places);

        if (places == 0 || places > 9)
            return false;
        *ret_ns += (int64_t) (below * powers[9 - places]);
        *at = fraction;
    }
    return true;
}

bool
oi_piece_read_time(const struct oi_piece_reader *reader, struct oi_piece_date *date,
                   const struct oi_time_style *style, const char **at, oi_time *ret_time)
{
    int64_t clock = 0;
    bool is_utc = style->is_utc && !style->zone;

    if (style->format != OI_TIME_FORMAT_ISO)
        return read_count(at, style->format, ret_time) && is_end(reader, *at);
    if (!read_date(date, *at))
        return false;
    *at += sizeof(date->text);
    if (**at == 'T' || **at == ' ') {
        ++*at;
        if (!read_clock(at, &clock))
            return false;
        if (**at == 'Z') {
            ++*at;
            is_utc = true;
        }
    }
    return is_utc && is_end(reader, *at) && !__builtin_add_overflow(date->start, clock, ret_time);
}

/* A text up to its end; quotes and returns are for the general reader. */
static inline bool
read_text(const struct oi_piece_reader *reader, const char **at, struct oi_slice *ret_text)
{
    const char *from = *at, *here = from;

    while (*here != reader->delimiter && *here != '\n' && *here != '\r' && *here != '"')
        here++;
    *ret_text = (struct oi_slice){ from, (size_t) (here - from) };
    *at = here;
    return is_end(reader, here);
}

static inline bool
read_optional_time(const struct oi_piece_reader *reader, struct oi_piece_date *date,
                   const struct oi_time_style *style, const char **at, oi_time *ret_time)
{
    *ret_time = OI_TIME_NONE;
    return is_end(reader, *at) || oi_piece_read_time(reader, date, style, at, ret_time);
}

/* One field; the row gets what it says. */
static inline bool
read_field(struct oi_piece_reader *reader, uint8_t role, const char **at, struct oi_packed *row)
{
    const struct oi_table_plan *plan = &reader->plan;
    struct oi_slice text;

    if (role >= OI_ROLE_FIGURE)
        return read_figure(reader, at, row, role - OI_ROLE_FIGURE);
    if (role == OI_ROLE_KEY)
        return read_text(reader, at, &reader->keys[reader->key_count++]);
    if (role == OI_ROLE_TIME)
        return oi_piece_read_time(reader, &reader->dates[0], &plan->time_style, at, &row->time) &&
               !__builtin_add_overflow(row->time, plan->instant_ns, &row->time);
    if (role == OI_ROLE_KNOWN_TIME)
        return read_optional_time(reader, &reader->dates[1], &plan->known_style, at,
                                  &row->known_time);
    if (role == OI_ROLE_EXCHANGE_TIME)
        return read_optional_time(reader, &reader->dates[2], &plan->exchange_style, at,
                                  &row->exchange_time);
    return read_text(reader, at, &text);
}

/* The line at *at, all of it; *at is behind its end then. */
static inline bool
read_line(struct oi_piece_reader *reader, const char **at, struct oi_packed *row)
{
    size_t last = reader->column_count - 1;

    reader->key_count = 0;
    for (size_t i = 0; i < last; i++) {
        if (!read_field(reader, reader->roles[i], at, row) || **at != reader->delimiter)
            return false;
        ++*at;
    }
    if (!read_field(reader, reader->roles[last], at, row) || **at == reader->delimiter)
        return false;
    *at += **at == '\r' ? 2 : 1;
    return true;
}

/*
 * Markets.
 */

static inline uint64_t
hash_key(struct oi_slice key)
{
    const uint64_t factor = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t hash = key.size * factor;

    for (; key.size >= 8; key.data += 8, key.size -= 8) {
        hash = (hash ^ oi_load_8(key.data)) * factor;
        hash ^= hash >> 32;
    }
    hash = (hash ^ oi_piece_key_head(key)) * factor;
    return hash ^ hash >> 32;
}

/* The columns that decide, as one text. False when it is too long to be worth it. */
static bool
join_keys(const struct oi_piece_reader *reader, char text[OI_PIECE_KEY_SIZE_MAX],
          struct oi_slice *ret_key)
{
    size_t size = 0;

    if (reader->key_count == 1) {
        *ret_key = reader->keys[0];
        return true;
    }
    for (size_t i = 0; i < reader->key_count; i++) {
        struct oi_slice key = reader->keys[i];

        if (key.size + 1 > OI_PIECE_KEY_SIZE_MAX - OI_PIECE_SLACK - size)
            return false;
        memcpy(text + size, key.data, key.size);
        size += key.size;
        text[size++] = '\n'; /* no field has it */
    }
    *ret_key = (struct oi_slice){ text, size };
    return true;
}

bool
oi_piece_find_target(struct oi_piece_reader *reader, char joined[OI_PIECE_KEY_SIZE_MAX],
                     struct oi_slice *ret_key, uint32_t *ret_target)
{
    struct oi_slice key = {};
    struct oi_cached_key *cached;
    uint64_t target = 0;

    *ret_key = key;
    if (!join_keys(reader, joined, &key))
        return false;
    *ret_key = key;
    cached = &reader->cache[hash_key(key) % OI_PIECE_CACHE_SIZE];
    if (cached->text && cached->size == key.size && cached->head == oi_piece_key_head(key) &&
        (key.size <= 8 || memcmp(cached->text, key.data, key.size) == 0)) {
        *ret_target = cached->target;
        return true;
    }
    if (!oi_map_get(reader->target_of, key, &target))
        return false;
    /* Keys that push each other out of the cache do not fill the arena. */
    if (!cached->text)
        *cached = (struct oi_cached_key){ oi_arena_copy(&reader->arena, key), key.size,
                                          oi_piece_key_head(key), (uint32_t) target };
    *ret_target = (uint32_t) target;
    return true;
}

static uint32_t
target_for(struct oi_piece_reader *reader, size_t market, enum oi_unit unit)
{
    const struct oi_piece_target target = { market, unit };
    uint32_t *index;

    while (reader->markets.count <= market)
        (void) oi_vector_add(&reader->markets);
    index = &reader->markets.items[market].by_unit[unit];
    if (*index == 0) {
        oi_vector_push(&reader->targets, target);
        *index = (uint32_t) reader->targets.count;
    }
    return *index - 1;
}

/*
 * The general reader.
 */

static void
pack_figure(struct oi_piece *piece, struct oi_packed *row, unsigned figure,
            const struct oi_decimal *value)
{
    if (value->form == OI_DECIMAL_NONE) {
        row->mantissas[figure] = 0;
        row->exponents[figure] = OI_EXPONENT_NONE;
    } else if (value->form == OI_DECIMAL_PLAIN) {
        row->mantissas[figure] = value->mantissa;
        row->exponents[figure] = (int8_t) value->exponent;
    } else {
        row->mantissas[figure] = (int64_t) piece->wides.count;
        row->exponents[figure] = OI_EXPONENT_WIDE;
        oi_vector_push(&piece->wides, *value);
    }
}

static enum oi_status
take_row(void *context, const struct oi_archive_row *taken, struct oi_error *error)
{
    struct oi_piece_reader *reader = context;
    struct oi_piece *piece = reader->piece;
    const struct oi_observation *reading = &taken->reading;
    struct oi_packed row = {
        .time = reading->time,
        .exchange_time = reading->exchange_time,
        .known_time = reading->known_time,
        .flags = reading->flags,
        .target = target_for(reader, taken->market, taken->unit),
        .line = (uint32_t) piece->lines,
    };

    (void) error;
    pack_figure(piece, &row, 0, &reading->open_interest);
    pack_figure(piece, &row, 1, &reading->value_usd);
    pack_figure(piece, &row, 2, &reading->mark_price);
    pack_figure(piece, &row, 3, &reading->index_price);
    pack_figure(piece, &row, 4, &reading->last_price);
    oi_vector_push(&piece->rows, row);
    return OI_OK;
}

static struct oi_slice
keep(struct oi_piece *piece, struct oi_slice text)
{
    return (struct oi_slice){ oi_arena_copy(&piece->arena, text), text.size };
}

static void
refuse_row(void *context, const struct oi_archive_refusal *refusal)
{
    struct oi_piece_reader *reader = context;
    struct oi_piece *piece = reader->piece;
    const struct oi_piece_refusal kept = {
        .item = piece->rows.count + piece->refusals.count,
        .line = piece->lines,
        .field = keep(piece, refusal->field),
        .value = keep(piece, refusal->value),
        .reason = keep(piece, oi_slice_of(refusal->reason)).data,
    };

    oi_vector_push(&piece->refusals, kept);
}

/* Is it one line, also to a reader that knows of quotes and lone returns? */
static bool
is_plain(struct oi_slice line)
{
    const char *back = memchr(line.data, '\r', line.size);

    return !memchr(line.data, '"', line.size) && (!back || back + 2 == line.data + line.size);
}

/* A line with its end, in whatever shape. */
static bool
read_generally(struct oi_piece_reader *reader, struct oi_slice line)
{
    if (!is_plain(line))
        return false;
    return oi_reader_add(reader->reader, line, false, NULL) == OI_OK;
}

/* A market met for the first time: what the general reader makes of the line is remembered. */
static bool
learn(struct oi_piece_reader *reader, struct oi_slice line, const struct oi_slice *key)
{
    size_t count = reader->piece->rows.count;

    if (!read_generally(reader, line))
        return false;
    if (key && reader->piece->rows.count == count + 1)
        oi_map_put(reader->target_of, *key, reader->piece->rows.items[count].target);
    return true;
}

/*
 * A piece.
 */

struct oi_packed *
oi_piece_next_row(struct oi_piece *piece, size_t left)
{
    if (piece->rows.count == piece->rows.capacity)
        oi_vector_reserve(&piece->rows, left / LINE_SIZE_USUAL + 64);
    return &piece->rows.items[piece->rows.count];
}

/* A line as it is met; what is not usual about it is for the general reader. Where it ends, or NULL
 * when it cannot be read by itself. */
static const char *
read_any_line(struct oi_piece_reader *reader, const char *at, const char *end)
{
    struct oi_piece *piece = reader->piece;
    struct oi_packed *row = oi_piece_next_row(piece, (size_t) (end - at));
    const char *from = at;
    char joined[OI_PIECE_KEY_SIZE_MAX];
    struct oi_slice key = {}, line;

    *row = reader->blank;
    row->line = (uint32_t) ++piece->lines;
    if (read_line(reader, &at, row) && oi_piece_find_target(reader, joined, &key, &row->target)) {
        piece->rows.count++;
        return at;
    }
    line = (struct oi_slice){ from, (size_t) (end - from) };
    line.size = (size_t) ((const char *) memchr(from, '\n', line.size) - from) + 1;
    return learn(reader, line, key.data ? &key : NULL) ? from + line.size : NULL;
}

bool
oi_piece_read(struct oi_piece_reader *reader, struct oi_slice lines, struct oi_piece *piece)
{
    const char *at = lines.data, *end = lines.data + lines.size;
    struct oi_piece_window window;

    oi_vector_clear(&piece->rows);
    oi_vector_clear(&piece->wides);
    oi_vector_clear(&piece->refusals);
    oi_arena_reset(&piece->arena);
    piece->lines = 0;
    reader->piece = piece;
    window.next = window.count = 0;
    while (at < end) {
        if (reader->has_vectors)
            at = oi_piece_read_vectors(reader, &window, lines.data, at, end);
        if (at < end)
            at = read_any_line(reader, at, end);
        if (!at)
            return false;
    }
    return true;
}

/*
 * Opening.
 */

static bool
set_role(struct oi_piece_reader *reader, size_t column, unsigned role)
{
    if (column == OI_COLUMN_NONE)
        return true;
    if (reader->roles[column] != OI_ROLE_NONE)
        return false;
    reader->roles[column] = (uint8_t) role;
    return true;
}

static bool
set_roles(struct oi_piece_reader *reader)
{
    const struct oi_table_plan *plan = &reader->plan;
    bool fits;

    reader->column_count = oi_reader_field_count(reader->reader);
    if (reader->column_count == 0 || !oi_csv_plan(reader->reader, &reader->plan))
        return false;
    reader->roles = oi_alloc_zero(reader->column_count, sizeof(*reader->roles));
    fits = plan->time != OI_COLUMN_NONE && set_role(reader, plan->time, OI_ROLE_TIME) &&
           set_role(reader, plan->known_time, OI_ROLE_KNOWN_TIME) &&
           set_role(reader, plan->exchange_time, OI_ROLE_EXCHANGE_TIME);
    for (size_t i = 0; i < plan->key_count; i++)
        fits = fits && set_role(reader, plan->keys[i], OI_ROLE_KEY);
    for (unsigned i = 0; i < OI_PACKED_FIGURES; i++)
        fits = fits && set_role(reader, plan->figures[i], OI_ROLE_FIGURE + i);
    return fits;
}

/* A row before anything is read. */
static void
set_blank(struct oi_piece_reader *reader)
{
    reader->blank = (struct oi_packed){ .time = reader->plan.at,
                                        .exchange_time = OI_TIME_NONE,
                                        .known_time = OI_TIME_NONE };
    for (unsigned i = 1; i < OI_PACKED_FIGURES; i++)
        reader->blank.exponents[i] = OI_EXPONENT_NONE;
}

enum oi_status
oi_piece_reader_open(const struct oi_archive *archive, const struct oi_archive_options *options,
                     struct oi_slice header, struct oi_piece_reader **ret_reader)
{
    struct oi_piece_reader *reader;
    struct oi_piece nothing = {};

    if (archive != &oi_archive_csv || !options->mapping ||
        !strchr(",;|\t", options->mapping->delimiter) || !is_plain(header))
        return OI_E_NOT_FOUND;
    reader = oi_alloc_zero(1, sizeof(*reader));
    reader->options = *options;
    reader->sink = (struct oi_archive_sink){ take_row, refuse_row, reader };
    reader->delimiter = options->mapping->delimiter;
    reader->has_vectors = oi_piece_has_vectors();
    reader->has_wide_vectors = oi_piece_has_wide_vectors();
    reader->target_of = oi_map_new();
    reader->piece = &nothing;
    if (oi_reader_open(archive, &reader->options, &reader->sink, &reader->reader, NULL) != OI_OK ||
        oi_reader_add(reader->reader, header, false, NULL) != OI_OK || !set_roles(reader)) {
        oi_piece_reader_close(&reader);
        return OI_E_NOT_FOUND;
    }
    set_blank(reader);
    *ret_reader = reader;
    return OI_OK;
}

void
oi_piece_reader_close(struct oi_piece_reader **reader)
{
    if (!*reader)
        return;
    oi_reader_close(&(*reader)->reader);
    oi_vector_release(&(*reader)->targets);
    oi_vector_release(&(*reader)->markets);
    oi_map_free(&(*reader)->target_of);
    oi_arena_release(&(*reader)->arena);
    oi_free((*reader)->roles);
    oi_free(*reader);
    *reader = NULL;
}

size_t
oi_piece_reader_targets(const struct oi_piece_reader *reader,
                        const struct oi_piece_target **ret_targets)
{
    *ret_targets = reader->targets.items;
    return reader->targets.count;
}

const struct oi_instrument *
oi_piece_reader_market(const struct oi_piece_reader *reader, size_t market)
{
    return oi_reader_market(reader->reader, market);
}
