/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: query/total_columns_test.c is about this */
/*
 * The sum over a window: slice by slice of at most one candle, the changes of all members are put
 * in order of time and added up. Members are in order already, each for itself, and many of them
 * are read at about the same time, minute after minute: changes are dealt into places by their
 * time, and the few that share one are ranked side by side in vectors. Where there are only a few
 * from place to place, they are not put in order at all: the sum at each one's instant is that of
 * all that are not later.
 */
#include "base/alloc.h"
#include "base/compiler.h"
#include "query/total_internal.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Changes of a slice, about: they and their order stay in the nearest cache. */
#define SLICE_EVENTS 2048
#define ROWS_MIN 8
#define BUCKETS_MAX 256
/* Lists are long, and what a slice takes of each is short: the processor does not see it coming. */
#define FETCHED_AHEAD 64
/* Changes that are ranked at once. */
#define RANKED 16
#define RANK_BITS 4

/* Changes that are summed without being put in order, and how many there should be. */
#define FEW 32
#define FEW_WANTED 12
/* So many of this size, or one as large as that before them, do not reach 62 bits. */
#define FEW_SIZE_MAX (INT64_C(1) << 55)
#define FEW_SUM_MAX (INT64_C(1) << 61)

#define LANES 8
typedef uint64_t lanes __attribute__((vector_size(LANES * sizeof(uint64_t))));

void
total_window_release(struct total_window *window)
{
    oi_vector_release(&window->events);
    oi_free(window->lists);
    oi_free(window->dealt.keys);
    oi_free(window->dealt.changes);
    oi_free(window->sorted.keys);
    oi_free(window->sorted.changes);
}

static void
make_room(struct total_window *window, size_t count)
{
    if (count + RANKED <= window->sort_capacity)
        return;
    window->sort_capacity = 2 * count + RANKED;
    for (int i = 0; i < 2; i++) {
        struct total_changes *all = i == 0 ? &window->dealt : &window->sorted;

        oi_free(all->keys);
        oi_free(all->changes);
        all->keys = oi_alloc_zero(window->sort_capacity, sizeof(*all->keys));
        all->changes = oi_alloc_zero(window->sort_capacity, sizeof(*all->changes));
    }
}

/* Where each of at most RANKED changes belongs among them; RANKED keys can be read. */
static inline __attribute__((always_inline)) void
rank_changes(const uint64_t *keys, size_t count, uint64_t ret_ranks[RANKED])
{
    const lanes places = { 0, 1, 2, 3, 4, 5, 6, 7 };
    lanes first, second, first_rank = {}, second_rank = {};

    memcpy(&first, keys, sizeof(first));
    memcpy(&second, keys + LANES, sizeof(second));
    /* Two of one key keep their order. */
    first = first << RANK_BITS | places;
    second = second << RANK_BITS | (places + LANES);
    for (size_t i = 0; i < count; i++) {
        lanes other = (lanes){} + (keys[i] << RANK_BITS | i);

        first_rank -= (lanes) (other < first);
        second_rank -= (lanes) (other < second);
    }
    memcpy(ret_ranks, &first_rank, sizeof(first_rank));
    memcpy(ret_ranks + LANES, &second_rank, sizeof(second_rank));
}

static inline __attribute__((always_inline)) void
put_in_order(const struct total_changes *from, size_t first, size_t end, struct total_changes *to)
{
    if (end - first <= RANKED) {
        uint64_t ranks[RANKED];

        rank_changes(from->keys + first, end - first, ranks);
        for (size_t i = first; i < end; i++) {
            size_t at = first + ranks[i - first];

            to->keys[at] = from->keys[i];
            to->changes[at] = from->changes[i];
        }
        return;
    }
    for (size_t i = first; i < end; i++) {
        uint64_t key = from->keys[i];
        size_t at = i;

        for (; at > first && to->keys[at - 1] > key; at--) {
            to->keys[at] = to->keys[at - 1];
            to->changes[at] = to->changes[at - 1];
        }
        to->keys[at] = key;
        to->changes[at] = from->changes[i];
    }
}

/* Each bucket, one behind the other; `ends` are theirs. */
OI_VECTORISED static void
order_buckets(const struct total_changes *from, const uint32_t *ends, size_t buckets,
              struct total_changes *to)
{
    for (size_t i = 0, first = 0; i < buckets; first = ends[i++])
        if (ends[i] > first)
            put_in_order(from, first, ends[i], to);
}

/* window->dealt in order of time; `width` is of the slice that begins at `start`. */
static const struct total_changes *
sort_changes(struct total_window *window, size_t count, uint64_t start, uint64_t width)
{
    const struct total_changes *dealt = &window->dealt;
    struct total_changes *sorted = &window->sorted;
    uint32_t ends[BUCKETS_MAX + 1] = {};
    size_t buckets = 1;
    unsigned shift = 0;

    while (buckets < BUCKETS_MAX && buckets * RANKED / 2 < count)
        buckets *= 2;
    while ((width - 1) >> shift >= buckets)
        shift++;
    for (size_t i = 0; i < count; i++)
        ends[(((dealt->keys[i] >> KEY_TIME_SHIFT) - start) >> shift) + 1]++;
    for (size_t i = 1; i <= buckets; i++)
        ends[i] += ends[i - 1];
    for (size_t i = 0; i < count; i++) {
        size_t at = ends[((dealt->keys[i] >> KEY_TIME_SHIFT) - start) >> shift]++;

        sorted->keys[at] = dealt->keys[i];
        sorted->changes[at] = dealt->changes[i];
    }
    order_buckets(sorted, ends, buckets, &window->dealt);
    return &window->dealt;
}

/* What the sum did in a slice. */
struct walked {
    total_sum open, high, low, close;
    uint64_t first, last; /* instants, from the window's base */
    uint32_t count;       /* of instants with a sum */
};

/* As walk_changes, where the sum moves by less than 63 bits in the slice. */
static void
walk_small_changes(const struct total_changes *all, size_t count, struct total_course *course,
                   struct walked *walked)
{
    const uint64_t *keys = all->keys;
    const int64_t *changes = all->changes;
    int64_t moved = 0, counted = course->counted;
    int64_t open = 0, high = INT64_MIN, low = INT64_MAX, close = 0;
    uint64_t first = 0, last = 0, time = keys[0] >> KEY_TIME_SHIFT;
    uint64_t is_reading = 0;
    uint32_t instants = 0;

    for (size_t i = 0; i < count; i++) {
        uint64_t next = i + 1 < count ? keys[i + 1] >> KEY_TIME_SHIFT : UINT64_MAX;

        moved += changes[i];
        counted += KEY_COUNT(keys[i]);
        is_reading |= keys[i] & KEY_IS_READING;
        if (next != time) {
            if (is_reading && counted > 0) {
                if (instants++ == 0) {
                    open = moved;
                    first = time;
                }
                high = moved > high ? moved : high;
                low = moved < low ? moved : low;
                close = moved;
                last = time;
            }
            is_reading = 0;
            time = next;
        }
    }
    *walked = (struct walked){ course->sum + open,
                               course->sum + high,
                               course->sum + low,
                               course->sum + close,
                               first,
                               last,
                               instants };
    course->sum += moved;
    course->counted = counted;
}

static void
walk_changes(const struct total_changes *all, size_t count, struct total_course *course,
             struct walked *walked)
{
    total_sum sum = course->sum;
    int64_t counted = course->counted;
    uint64_t is_reading = 0;
    uint64_t size = oi_mantissas_bits(all->changes, count);
    int64_t moves;

    if (count > 0 && size < INT64_MAX &&
        !__builtin_mul_overflow((int64_t) size + 1, (int64_t) count, &moves)) {
        walk_small_changes(all, count, course, walked);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t key = all->keys[i], time = key >> KEY_TIME_SHIFT;

        sum += all->changes[i];
        counted += KEY_COUNT(key);
        is_reading |= key & KEY_IS_READING;
        /* All of one instant are set together. */
        if (i + 1 < count && all->keys[i + 1] >> KEY_TIME_SHIFT == time)
            continue;
        if (is_reading && counted > 0) {
            if (walked->count++ == 0) {
                walked->open = walked->high = walked->low = sum;
                walked->first = time;
            }
            walked->high = sum > walked->high ? sum : walked->high;
            walked->low = sum < walked->low ? sum : walked->low;
            walked->close = sum;
            walked->last = time;
        }
        is_reading = 0;
    }
    course->sum = sum;
    course->counted = counted;
}

/* What a part behind it did too. */
static void
add_part(struct walked *walked, const struct walked *part)
{
    if (part->count == 0)
        return;
    if (walked->count == 0) {
        *walked = *part;
        return;
    }
    walked->high = part->high > walked->high ? part->high : walked->high;
    walked->low = part->low < walked->low ? part->low : walked->low;
    walked->close = part->close;
    walked->last = part->last;
    walked->count += part->count;
}

#if defined(__x86_64__)
/* A run of stretches of few changes each; sums are counted from the one before it. */
struct few_walk {
    __m512i high, low;
    int64_t moved, open;
    uint64_t first, last;
    size_t count; /* of instants */
};

/* Some of a few changes are of one instant: of how many are they? */
static size_t
count_instants(const uint64_t *keys, size_t count)
{
    size_t instants = 0;

    for (size_t i = 0; i < count; i++) {
        size_t before = 0;

        while (before < i && keys[before] != keys[i])
            before++;
        instants += before == i;
    }
    return instants;
}

/* The sum behind the instant of each change is that of all that are not later; so nothing has to be
 * put in order. Behind the changes, up to the end of the vectors, are such that change nothing. */
__attribute__((target("avx512f"), always_inline)) static inline void
add_few(struct few_walk *few, const struct total_changes *all, size_t count, size_t vectors)
{
    const __m512i one = _mm512_set1_epi64(1), before = _mm512_set1_epi64(few->moved);
    __m512i keys[FEW / LANES], sums[FEW / LANES], ranks = _mm512_setzero_si512();
    int64_t moved = 0;
    uint64_t first = all->keys[0], last = 0;

    for (size_t v = 0; v < vectors; v++) {
        keys[v] = _mm512_loadu_si512(all->keys + v * LANES);
        sums[v] = before;
    }
    for (size_t i = 0; i < count; i++) {
        __m512i key = _mm512_set1_epi64((long long) all->keys[i]);
        __m512i change = _mm512_set1_epi64(all->changes[i]);

        for (size_t v = 0; v < vectors; v++) {
            __mmask8 is_in = _mm512_cmple_epu64_mask(key, keys[v]);

            sums[v] = _mm512_mask_add_epi64(sums[v], is_in, sums[v], change);
            ranks = _mm512_mask_add_epi64(ranks, is_in, ranks, one);
        }
        moved += all->changes[i];
        first = all->keys[i] < first ? all->keys[i] : first;
        last = all->keys[i] > last ? all->keys[i] : last;
    }
    for (size_t v = 0; v < vectors; v++) {
        few->high = _mm512_max_epi64(few->high, sums[v]);
        few->low = _mm512_min_epi64(few->low, sums[v]);
        for (size_t i = 0; few->count == 0 && i < LANES; i++)
            if (all->keys[v * LANES + i] == first)
                few->open = sums[v][i];
    }
    if (few->count == 0)
        few->first = first >> KEY_TIME_SHIFT;
    few->last = last >> KEY_TIME_SHIFT;
    few->moved += moved;
    /* Each has as many before it as come before; of one instant they have more. */
    if ((size_t) _mm512_reduce_add_epi64(ranks) ==
        count * (count + 1) / 2 + (vectors * LANES - count) * count)
        few->count += count;
    else
        few->count += count_instants(all->keys, count);
}

/* Put what changes nothing behind the changes. Is it that simple? Where members come or go, or
 * sums are large, it is not. */
__attribute__((target("avx512f"))) static bool
make_few(const struct few_walk *few, struct total_changes *all, size_t count, size_t vectors)
{
    const uint64_t usual = COUNT_BITS(0) | KEY_IS_READING;
    const __m512i bits = _mm512_set1_epi64((1 << KEY_TIME_SHIFT) - 1);
    const __m512i usual_bits = _mm512_set1_epi64((long long) usual);
    const __m512i limit = _mm512_set1_epi64(FEW_SIZE_MAX);
    unsigned unusual = few->moved >= FEW_SUM_MAX || few->moved <= -FEW_SUM_MAX;

    for (size_t i = count; i < vectors * LANES; i++) {
        all->keys[i] = UINT64_MAX << KEY_TIME_SHIFT | usual;
        all->changes[i] = 0;
    }
    for (size_t v = 0; v < vectors; v++) {
        __m512i keys = _mm512_loadu_si512(all->keys + v * LANES);
        __m512i changes = _mm512_loadu_si512(all->changes + v * LANES);

        unusual |= _mm512_test_epi64_mask(_mm512_xor_si512(keys, usual_bits), bits);
        unusual |= _mm512_cmpgt_epi64_mask(_mm512_abs_epi64(changes), limit);
        unusual |= _mm512_cmplt_epi64_mask(_mm512_abs_epi64(changes), _mm512_setzero_si512());
    }
    return unusual == 0;
}

__attribute__((target("avx512f"))) static void
begin_few(struct few_walk *few)
{
    *few = (struct few_walk){ .high = _mm512_set1_epi64(INT64_MIN),
                              .low = _mm512_set1_epi64(INT64_MAX) };
}

/* What a run did is told, and another one begins. */
__attribute__((target("avx512f"))) static void
end_few(struct few_walk *few, struct total_course *course, struct walked *walked)
{
    const struct walked part = { course->sum + few->open,
                                 course->sum + _mm512_reduce_max_epi64(few->high),
                                 course->sum + _mm512_reduce_min_epi64(few->low),
                                 course->sum + few->moved,
                                 few->first,
                                 few->last,
                                 (uint32_t) few->count };

    if (few->count == 0)
        return;
    add_part(walked, &part);
    course->sum += few->moved;
    begin_few(few);
}

/* True where it was done. */
__attribute__((target("avx512f"))) static bool
walk_few(struct few_walk *few, struct total_changes *all, size_t count)
{
    size_t vectors = (count + LANES - 1) / LANES;

    if (count > FEW || !make_few(few, all, count, vectors))
        return false;
    if (vectors == 1)
        add_few(few, all, count, 1);
    else if (vectors == 2)
        add_few(few, all, count, 2);
    else if (vectors == 3)
        add_few(few, all, count, 3);
    else
        add_few(few, all, count, FEW / LANES);
    return true;
}
#endif

static enum oi_status
decimal_of(total_sum sum, int exponent, struct oi_decimal *ret_value, struct oi_error *error)
{
    const total_sum unit = INT64_C(1'000'000'000'000'000'000);
    struct oi_decimal upper, lower;

    if (sum >= INT64_MIN && sum <= INT64_MAX) {
        *ret_value = oi_decimal_from((int64_t) sum, exponent);
        return OI_OK;
    }
    upper = oi_decimal_from((int64_t) (sum / unit), exponent + 18);
    lower = oi_decimal_from((int64_t) (sum % unit), exponent);
    return oi_decimal_add(&upper, &lower, ret_value, error);
}

static enum oi_status
add_walked(const struct walked *walked, oi_time base, int exponent, struct oi_candles *candles,
           struct oi_error *error)
{
    struct oi_candle part = { .count = walked->count };
    const total_sum sums[] = { walked->open, walked->high, walked->low, walked->close };
    struct oi_decimal *const figures[] = { &part.open, &part.high, &part.low, &part.close };

    if (walked->count == 0)
        return OI_OK;
    for (size_t i = 0; i < OI_COUNT(sums); i++)
        OI_TRY(decimal_of(sums[i], exponent, figures[i], error));
    part.first = base + (int64_t) walked->first;
    part.last = base + (int64_t) walked->last;
    part.start = oi_interval_floor(candles->interval_ns, part.first);
    oi_candles_add_part(candles, &part);
    return OI_OK;
}

/* The first place from `place` on that something changes at; TOTAL_PLACES: none. */
static size_t
next_place(const struct total_window *window, size_t place)
{
    uint64_t bits;

    if (place >= TOTAL_PLACES)
        return TOTAL_PLACES;
    bits = window->used[place / 64] & UINT64_MAX << place % 64;
    for (size_t word = place / 64;; bits = window->used[word]) {
        if (bits != 0)
            return word * 64 + (size_t) __builtin_ctzll(bits);
        if (++word == OI_COUNT(window->used))
            return TOTAL_PLACES;
    }
}

static uint64_t
time_of(const struct total_window *window, size_t place)
{
    return place == TOTAL_PLACES ? UINT64_MAX : place * (uint64_t) window->step_ns;
}

/* The next slice in time from the base: within one candle, with few changes. Empty at the end. */
static bool
choose_slice(const struct total_window *window, size_t place, int64_t interval_ns,
             uint64_t *ret_from, uint64_t *ret_to)
{
    const struct total_event *events = window->events.items;
    size_t rows = SLICE_EVENTS / (window->list_count ? window->list_count : 1);
    uint64_t from = time_of(window, place), to;
    oi_time end;

    rows = rows < ROWS_MIN ? ROWS_MIN : rows;
    for (size_t i = 0; i < window->list_count; i++) {
        uint64_t first = events[window->lists[i].at].key >> KEY_TIME_SHIFT;

        from = first < from ? first : from;
    }
    if (from == UINT64_MAX)
        return false;
    if (__builtin_add_overflow(oi_interval_floor(interval_ns, window->base + (int64_t) from),
                               interval_ns, &end) ||
        end > window->span.to)
        end = window->span.to;
    to = (uint64_t) end - (uint64_t) window->base;
    if (place + SLICE_EVENTS < TOTAL_PLACES && time_of(window, place + SLICE_EVENTS) < to)
        to = time_of(window, place + SLICE_EVENTS);
    for (size_t i = 0; i < window->list_count; i++) {
        const struct total_list *list = &window->lists[i];

        if (list->at + rows < list->end && events[list->at + rows].key >> KEY_TIME_SHIFT < to)
            to = events[list->at + rows].key >> KEY_TIME_SHIFT;
    }
    *ret_from = from;
    *ret_to = to;
    return true;
}

/* All that changes before `to`, not in order where lists have a part in it. */
static size_t
take_slice(struct total_window *window, size_t *place, uint64_t to, bool *ret_is_sorted)
{
    const struct total_event *events = window->events.items;
    struct total_list *lists = window->lists;
    size_t list_count = window->list_count, count = 0, kept = 0, from_places;
    uint64_t limit = to << KEY_TIME_SHIFT;
    uint64_t *keys;
    int64_t *changes;

    make_room(window, 2 * (SLICE_EVENTS + ROWS_MIN * list_count));
    keys = window->dealt.keys;
    changes = window->dealt.changes;
    for (; time_of(window, *place) < to; *place = next_place(window, *place + 1)) {
        keys[count] = time_of(window, *place) << KEY_TIME_SHIFT | COUNT_BITS(0) | KEY_IS_READING;
        changes[count++] = window->changes[*place];
        window->changes[*place] = 0;
        window->used[*place / 64] &= ~(UINT64_C(1) << *place % 64);
    }
    from_places = count;
    for (size_t i = 0; i < list_count; i++) {
        size_t at = lists[i].at, end = lists[i].end;

        for (; at < end && events[at].key < limit; at++) {
            keys[count] = events[at].key;
            changes[count++] = events[at].change;
        }
        __builtin_prefetch(&events[at] + FETCHED_AHEAD);
        lists[kept] = (struct total_list){ at, end };
        kept += at < end;
    }
    window->list_count = kept;
    *ret_is_sorted = count == from_places;
    return count;
}

static void
walk_slice(struct total_window *window, size_t count, bool is_sorted, struct oi_span span,
           struct total_course *course, struct walked *walked)
{
    const struct total_changes *all = &window->dealt;

    if (!is_sorted)
        all = sort_changes(window, count, (uint64_t) span.from, (uint64_t) (span.to - span.from));
    walk_changes(all, count, course, walked);
}

/* A stretch of time in which there are a few changes, usually; 0 where even a step has more, or
 * none lies between the places, or vectors are too short for it. */
static uint64_t
choose_stretch(const struct total_window *window)
{
#if defined(__x86_64__)
    uint64_t steps = (uint64_t) (window->span.to - window->base) / (uint64_t) window->step_ns + 1;
    uint64_t each = window->events.count / steps + 1;

    if (window->list_count == 0 || each > FEW - FEW / 4 || !__builtin_cpu_supports("avx512f"))
        return 0;
    return (each < FEW_WANTED ? FEW_WANTED / each : 1) * (uint64_t) window->step_ns;
#else
    (void) window;
    return 0;
#endif
}

/* A slice stretch by stretch. */
static void
walk_stretches(struct total_window *window, uint64_t stretch, struct oi_span span, size_t *place,
               struct total_course *course, struct walked *walked)
{
#if defined(__x86_64__)
    struct few_walk few;
    int64_t width = (int64_t) stretch;

    begin_few(&few);
    for (oi_time from = span.from - span.from % width, to; from < span.to; from = to) {
        struct walked part = {};
        bool is_sorted;
        size_t count;

        to = span.to - from > width ? from + width : span.to;
        count = take_slice(window, place, (uint64_t) to, &is_sorted);
        if (count == 0 || (course->counted > 0 && walk_few(&few, &window->dealt, count)))
            continue;
        end_few(&few, course, walked);
        walk_slice(window, count, is_sorted, (struct oi_span){ from, to }, course, &part);
        add_part(walked, &part);
    }
    end_few(&few, course, walked);
#else
    (void) window, (void) stretch, (void) span, (void) place, (void) course, (void) walked;
#endif
}

enum oi_status
total_window_follow(struct total_window *window, struct total_course *course, oi_time from,
                    struct oi_candles *candles, struct oi_error *error)
{
    size_t place = next_place(window, 0);
    uint64_t stretch = choose_stretch(window), start, to;

    while (choose_slice(window, place, candles->interval_ns, &start, &to)) {
        const struct oi_span span = { (oi_time) start, (oi_time) to };
        struct walked walked = {};

        if (stretch > 0) {
            walk_stretches(window, stretch, span, &place, course, &walked);
        } else {
            bool is_sorted;
            size_t count = take_slice(window, &place, to, &is_sorted);

            walk_slice(window, count, is_sorted, span, course, &walked);
        }
        if (window->span.from >= from)
            OI_TRY(add_walked(&walked, window->base, course->exponent, candles, error));
    }
    return OI_OK;
}
