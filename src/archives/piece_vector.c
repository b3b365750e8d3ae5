/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usual lines, 32 characters at a time. First the ends of all fields ahead are found, then each
 * field is read from its end: so many characters of known length take the same few instructions
 * whatever they are, and nothing waits for a guess at how many digits there will be. What is not as
 * expected is left to the walk digit by digit (piece.c), which says what it is.
 */
/* no unit test: tests/unit/archives/piece_test.c holds it against the other walk. */
#include "archives/piece_internal.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define OI_WITH_VECTORS __attribute__((target("avx2,bmi,popcnt")))
#define OI_WITH_WIDE_VECTORS __attribute__((target("avx512f,avx512bw,avx512vbmi2,bmi,popcnt")))
#define VECTOR ((size_t) 32)
#define HALF ((size_t) 16)
#define BLOCK ((size_t) 64)
/* A field is loaded up to its end, and once more up to the character before. */
#define BEFORE (VECTOR + 1)
/* Of a count of times. */
#define COUNT_DIGITS_MAX 19

/* 32 bytes from place n on: the last n of them are all ones. */
static const uint8_t lasts[2 * VECTOR] = {
    [32] = 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255,        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
};

/* Constants kept in memory: else they are made anew for every field. */
#define FOUR(byte) (byte), (byte), (byte), (byte)
#define EVERY(byte)                                                                                \
    {                                                                                              \
        FOUR(byte), FOUR(byte), FOUR(byte), FOUR(byte), FOUR(byte), FOUR(byte), FOUR(byte),        \
            FOUR(byte)                                                                             \
    }
static const char zeros[VECTOR] = EVERY('0'), points[VECTOR] = EVERY('.'), nines[VECTOR] = EVERY(9);

#define EIGHT_FROM(n) (n), (n) + 1, (n) + 2, (n) + 3, (n) + 4, (n) + 5, (n) + 6, (n) + 7
static const uint8_t places_of_bytes[BLOCK] = {
    EIGHT_FROM(0),  EIGHT_FROM(8),  EIGHT_FROM(16), EIGHT_FROM(24),
    EIGHT_FROM(32), EIGHT_FROM(40), EIGHT_FROM(48), EIGHT_FROM(56),
};

static const uint64_t tens[2] = { UINT64_C(100'000'000), UINT64_C(10'000'000'000'000'000) };

bool
oi_piece_has_vectors(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("popcnt");
}

bool
oi_piece_has_wide_vectors(void)
{
    return oi_piece_has_vectors() && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vbmi2");
}

OI_WITH_VECTORS static inline __m256i
load(const void *at)
{
    return _mm256_loadu_si256((const __m256i_u *) at);
}

OI_WITH_VECTORS static inline __m128i
load_half(const void *at)
{
    return _mm_loadu_si128((const __m128i_u *) at);
}

/* Which of 32 bytes end a field: delimiters, ends of lines; and what needs the general reader. */
OI_WITH_VECTORS static inline uint64_t
ends_in(__m256i bytes, __m256i delimiter)
{
    __m256i ends = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, delimiter),
                                   _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\n')));
    __m256i odd = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\r')),
                                  _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('"')));

    return (uint32_t) _mm256_movemask_epi8(_mm256_or_si256(ends, odd));
}

/* From `from` on, whole blocks before `end`. */
OI_WITH_VECTORS static void
find_ends_by_32(struct oi_piece_window *window, const char *from, const char *end, char delimiter)
{
    size_t size = (size_t) (end - from) < OI_PIECE_WINDOW ? (size_t) (end - from) : OI_PIECE_WINDOW;
    __m256i delimiters = _mm256_set1_epi8(delimiter);
    uint16_t *out = window->ends;

    for (size_t at = 0; at + BLOCK <= size; at += BLOCK) {
        uint64_t bits = ends_in(load(from + at), delimiters) |
                        ends_in(load(from + at + VECTOR), delimiters) << VECTOR;
        size_t count = (size_t) __builtin_popcountll(bits);

        /* Eight at a time, wanted or not: nothing to guess. */
        for (size_t i = 0; i < count; i += 8) {
            for (size_t k = 0; k < 8; k++) {
                out[i + k] = (uint16_t) (at + _tzcnt_u64(bits));
                bits &= bits - 1;
                __asm__ volatile("" ::: "memory"); /* gathering them first is slower */
            }
        }
        out += count;
    }
    window->from = from;
    window->next = 0;
    window->count = (size_t) (out - window->ends);
}

/* The same where a register has 64 bytes and can be told which of them to keep. */
OI_WITH_WIDE_VECTORS static void
find_ends_by_64(struct oi_piece_window *window, const char *from, const char *end, char delimiter)
{
    size_t size = (size_t) (end - from) < OI_PIECE_WINDOW ? (size_t) (end - from) : OI_PIECE_WINDOW;
    const __m512i delimiters = _mm512_set1_epi8(delimiter), breaks = _mm512_set1_epi8('\n');
    const __m512i returns = _mm512_set1_epi8('\r'), quotes = _mm512_set1_epi8('"');
    const __m512i places = _mm512_loadu_si512(places_of_bytes);
    uint16_t *out = window->ends;

    for (size_t at = 0; at + BLOCK <= size; at += BLOCK) {
        __m512i bytes = _mm512_loadu_si512(from + at);
        uint64_t bits =
            _mm512_cmpeq_epi8_mask(bytes, delimiters) | _mm512_cmpeq_epi8_mask(bytes, breaks) |
            _mm512_cmpeq_epi8_mask(bytes, returns) | _mm512_cmpeq_epi8_mask(bytes, quotes);
        size_t count = (size_t) __builtin_popcountll(bits);
        __m512i found = _mm512_maskz_compress_epi8(bits, places);
        __m512i base = _mm512_set1_epi16((int16_t) at);

        /* Thirty-two at a time, wanted or not. */
        _mm512_storeu_si512(
            out, _mm512_add_epi16(base, _mm512_cvtepu8_epi16(_mm512_castsi512_si256(found))));
        if (count > VECTOR)
            _mm512_storeu_si512(
                out + VECTOR,
                _mm512_add_epi16(base, _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(found, 1))));
        out += count;
    }
    window->from = from;
    window->next = 0;
    window->count = (size_t) (out - window->ends);
}

/* The number that the last `count` of 32 characters make; what is no digit among them is left in
 * *bad. */
OI_WITH_VECTORS static inline uint64_t
join_digits(__m256i text, size_t count, __m256i *bad)
{
    const __m256i by_10 = _mm256_set1_epi16(0x010A);
    const __m256i by_100 = _mm256_set1_epi32(0x0001'0064);
    const __m256i by_10000 = _mm256_set1_epi32(0x0001'2710);
    __m256i digits = _mm256_and_si256(_mm256_sub_epi8(text, load(zeros)), load(lasts + count));
    __m256i fours, eights;
    uint64_t low, high;

    *bad = _mm256_or_si256(*bad, _mm256_subs_epu8(digits, load(nines)));
    fours = _mm256_madd_epi16(_mm256_maddubs_epi16(digits, by_10), by_100);
    eights = _mm256_madd_epi16(_mm256_packus_epi32(fours, fours), by_10000);
    high = (uint64_t) _mm_cvtsi128_si64(_mm256_castsi256_si128(eights));
    low = (uint64_t) _mm_cvtsi128_si64(_mm256_extracti128_si256(eights, 1));
    return (high >> 32) * tens[1] + (uint32_t) low * tens[0] + (low >> 32);
}

/* The same of at most 16 digits, as most figures have. */
OI_WITH_VECTORS static inline uint64_t
join_few_digits(__m128i text, size_t count, __m256i *bad)
{
    const __m128i by_10 = _mm_set1_epi16(0x010A);
    const __m128i by_100 = _mm_set1_epi32(0x0001'0064);
    const __m128i by_10000 = _mm_set1_epi32(0x0001'2710);
    __m128i digits =
        _mm_and_si128(_mm_sub_epi8(text, load_half(zeros)), load_half(lasts + HALF + count));
    __m128i fours;
    uint64_t eights;

    *bad = _mm256_or_si256(*bad, _mm256_zextsi128_si256(_mm_subs_epu8(digits, load_half(nines))));
    fours = _mm_madd_epi16(_mm_maddubs_epi16(digits, by_10), by_100);
    eights = (uint64_t) _mm_cvtsi128_si64(_mm_madd_epi16(_mm_packus_epi32(fours, fours), by_10000));
    return (uint32_t) eights * tens[0] + (eights >> 32);
}

/* A figure of at most 16 characters that ends at `end`. */
OI_WITH_VECTORS static inline bool
read_short_figure(const char *end, size_t size, struct oi_packed *row, unsigned figure,
                  __m256i *bad)
{
    __m128i text = load_half(end - HALF);
    uint32_t dots = (uint32_t) _mm_movemask_epi8(_mm_cmpeq_epi8(text, load_half(points))) &
                    UINT32_MAX << (HALF - size);
    size_t places = 0;

    if (dots != 0) {
        places = HALF - 1 - _tzcnt_u32(dots);
        size--;
        if (places == 0 || places >= size)
            return false;
        /* What is before the point moves up to what is behind it; a second point is no digit. */
        text = _mm_blendv_epi8(load_half(end - HALF - 1), text, load_half(lasts + HALF + places));
    }
    row->mantissas[figure] = (int64_t) join_few_digits(text, size, bad);
    row->exponents[figure] = (int8_t) - (int) places;
    return true;
}

/* A figure that ends at `end` and has `size` characters. */
OI_WITH_VECTORS static inline bool
read_figure(const char *end, size_t size, struct oi_packed *row, unsigned figure, __m256i *bad)
{
    __m256i text;
    uint32_t dots;
    size_t places = 0;

    if (size == 0) {
        row->mantissas[figure] = 0;
        row->exponents[figure] = OI_EXPONENT_NONE;
        return figure != 0;
    }
    if (size <= HALF)
        return read_short_figure(end, size, row, figure, bad);
    if (size > OI_PIECE_DIGITS_MAX + 1)
        return false;
    text = load(end - VECTOR);
    dots = (uint32_t) _mm256_movemask_epi8(_mm256_cmpeq_epi8(text, load(points))) &
           UINT32_MAX << (VECTOR - size);
    if (dots != 0) {
        places = VECTOR - 1 - _tzcnt_u32(dots);
        size--;
        if (places == 0 || places >= size)
            return false;
        text = _mm256_blendv_epi8(load(end - VECTOR - 1), text, load(lasts + places));
    }
    if (size > OI_PIECE_DIGITS_MAX)
        return false;
    row->mantissas[figure] = (int64_t) join_digits(text, size, bad);
    row->exponents[figure] = (int8_t) - (int) places;
    return true;
}

OI_WITH_VECTORS static inline bool
read_time(const struct oi_piece_reader *reader, struct oi_piece_date *date,
          const struct oi_time_style *style, const char *end, size_t size, oi_time *ret_time,
          __m256i *bad)
{
    const char *at = end - size;
    uint64_t value;

    if (size == 0)
        return false;
    if (style->format == OI_TIME_FORMAT_ISO)
        return oi_piece_read_time(reader, date, style, &at, ret_time) && at == end;
    if (size > COUNT_DIGITS_MAX)
        return false;
    value = join_digits(load(end - VECTOR), size, bad);
    return value < INT64_MAX &&
           !__builtin_mul_overflow((int64_t) value, oi_time_format_unit(style->format), ret_time) &&
           *ret_time != OI_TIME_LATEST;
}

OI_WITH_VECTORS static inline bool
read_field(struct oi_piece_reader *reader, unsigned role, const char *end, size_t size,
           struct oi_packed *row, __m256i *bad)
{
    const struct oi_table_plan *plan = &reader->plan;

    if (role >= OI_ROLE_FIGURE)
        return read_figure(end, size, row, role - OI_ROLE_FIGURE, bad);
    if (role == OI_ROLE_KEY)
        reader->keys[reader->key_count++] = (struct oi_slice){ end - size, size };
    else if (role == OI_ROLE_TIME)
        return read_time(reader, &reader->dates[0], &plan->time_style, end, size, &row->time,
                         bad) &&
               !__builtin_add_overflow(row->time, plan->instant_ns, &row->time);
    else if (role == OI_ROLE_KNOWN_TIME && size > 0)
        return read_time(reader, &reader->dates[1], &plan->known_style, end, size, &row->known_time,
                         bad);
    else if (role == OI_ROLE_EXCHANGE_TIME && size > 0)
        return read_time(reader, &reader->dates[2], &plan->exchange_style, end, size,
                         &row->exchange_time, bad);
    return true;
}

/* The line at *at, whose fields end at `ends`; of more than `count` of them nothing is known. */
OI_WITH_VECTORS static inline bool
read_line(struct oi_piece_reader *reader, struct oi_piece_window *window, const char **at,
          struct oi_packed *row)
{
    const uint16_t *ends = window->ends + window->next;
    const uint8_t *roles = reader->roles;
    const char *base = window->from;
    const char delimiter = reader->delimiter;
    size_t columns = reader->column_count;
    __m256i bad = _mm256_setzero_si256();
    const char *from = *at, *end = from;

    reader->key_count = 0;
    for (size_t i = 0; i < columns; i++, from = end + 1) {
        end = base + ends[i];
        if (!read_field(reader, roles[i], end, (size_t) (end - from), row, &bad) ||
            (*end != delimiter && i + 1 < columns))
            return false;
    }
    if (*end == '\r' && window->next + columns < window->count && end[1] == '\n') {
        columns++;
        end++;
    }
    if (*end != '\n' || !_mm256_testz_si256(bad, bad))
        return false;
    window->next += columns;
    *at = end + 1;
    return true;
}

OI_WITH_VECTORS const char *
oi_piece_read_vectors(struct oi_piece_reader *reader, struct oi_piece_window *window,
                      const char *begin, const char *at, const char *end)
{
    struct oi_piece *piece = reader->piece;
    char joined[OI_PIECE_KEY_SIZE_MAX];
    size_t last_size = 0; /* 0: none that is short */
    uint64_t last_head = 0;

    if ((size_t) (at - begin) < BEFORE)
        return at;
    while (window->next < window->count && window->from + window->ends[window->next] < at)
        window->next++;
    for (;;) {
        const char *line = at;
        struct oi_packed *row;
        struct oi_slice key;

        if (window->count - window->next < reader->column_count + 1) {
            if (reader->has_wide_vectors)
                find_ends_by_64(window, at, end, reader->delimiter);
            else
                find_ends_by_32(window, at, end, reader->delimiter);
            if (window->count < reader->column_count)
                return at;
        }
        if (piece->rows.count == piece->rows.capacity)
            (void) oi_piece_next_row(piece, (size_t) (end - at));
        row = &piece->rows.items[piece->rows.count];
        *row = reader->blank;
        row->line = (uint32_t) piece->lines + 1;
        if (!read_line(reader, window, &at, row))
            return line;
        /* Often the market of the line before. */
        if (last_size > 0 && reader->keys[0].size == last_size &&
            oi_piece_key_head(reader->keys[0]) == last_head) {
            row->target = row[-1].target;
        } else {
            if (!oi_piece_find_target(reader, joined, &key, &row->target))
                return line;
            last_size = reader->key_count == 1 && key.size <= 8 ? key.size : 0;
            last_head = last_size > 0 ? oi_piece_key_head(key) : 0;
        }
        piece->lines++;
        piece->rows.count++;
    }
}

#else

bool
oi_piece_has_vectors(void)
{
    return false;
}

bool
oi_piece_has_wide_vectors(void)
{
    return false;
}

const char *
oi_piece_read_vectors(struct oi_piece_reader *reader, struct oi_piece_window *window,
                      const char *begin, const char *at, const char *end)
{
    (void) reader;
    (void) window;
    (void) begin;
    (void) end;
    return at;
}

#endif
