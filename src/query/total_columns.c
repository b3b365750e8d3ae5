/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Candles of a total by columns. Readings of all members are integers of one exponent; a slice of
 * time is cut in which each member has a few, what each of them changes is put in order of time,
 * and the sum runs over the changes in 128 bits. Decimals are made once a slice. That is exact, and
 * wherever a figure does not fit, the walk goes on instant by instant in decimals from where it is
 * (total_walk.c), with the same answer.
 */
#include "base/alloc.h"
#include "base/compiler.h"
#include "query/run_internal.h"

#include <string.h>

/* Changes in a slice, about: they and their order stay in the cache. */
#define SLICE_EVENTS 2048
#define ROWS_MIN 8
#define CACHE_LINE 64
#define FETCHED_AHEAD 3
/* Places that changes are dealt into by their time; few share one, and those are then compared. */
#define PLACES 1024
/* Seconds of a slice in which changes at whole seconds are added up where they are. */
#define SECONDS 4096
/* A difference of two values fits an int64. */
#define VALUE_MAX (INT64_MAX / 2)
#define EXPONENT_MIN (-40)
#define EXPONENT_MAX 18
#define SLICE_NS_MAX (INT64_C(1) << 59)

/* In the low bits of a key. */
#define KEY_IS_READING                                                                             \
    1u                    /* a reading is an instant of the total, a member's dropping out is not  \
                           */
#define KEY_COUNT_SHIFT 1 /* 1 added to what it changes of the number of members counted */
#define KEY_TIME_SHIFT 3

typedef __int128 sum_of;

struct event {
    uint64_t key; /* time from the start of the slice, then the bits above */
    int64_t change;
};

/* All that changes at one whole second: most venues' readings are of whole minutes, all of them the
 * same ones. */
struct second {
    int64_t change;
    int32_t count;
    uint32_t is_reading;
};

struct events {
    struct event *items;
    size_t count, capacity;
};

struct column_leg {
    const int64_t *values; /* of the block at hand; NULL: not looked at yet */
    int64_t *own;          /* where they had to be scaled */
    size_t own_capacity;
    int64_t last; /* of the last reading */
    bool is_counted;
};

struct total_columns {
    struct column_leg *legs;
    int exponent;
    sum_of sum;
    int64_t counted;
    struct events events;
    struct event *sorted;
    size_t sorted_capacity;
    uint32_t places[PLACES + 1]; /* thousands of members have more changes than 16 bits count */
    int64_t first_second;        /* of the slice; INT64_MAX: it is too long */
    struct second seconds[SECONDS];
    uint64_t used[SECONDS / 64];
};

struct total_columns *
total_columns_new(size_t member_count)
{
    struct total_columns *columns = oi_alloc_zero(1, sizeof(*columns));

    columns->legs = oi_alloc_zero(member_count, sizeof(*columns->legs));
    columns->exponent = EXPONENT_MAX;
    return columns;
}

void
total_columns_free(struct total_columns **columns, size_t member_count)
{
    if (!*columns)
        return;
    for (size_t i = 0; i < member_count; i++)
        oi_free((*columns)->legs[i].own);
    oi_free((*columns)->legs);
    oi_vector_release(&(*columns)->events);
    oi_free((*columns)->sorted);
    oi_free(*columns);
    *columns = NULL;
}

static int64_t
power_of_ten(int exponent)
{
    int64_t power = 1;

    for (; exponent > 0; exponent--)
        power *= 10;
    return power;
}

/* What was summed so far, with a smaller exponent; false when it does not fit. */
static bool
refine(struct total_walk *walk, int exponent)
{
    struct total_columns *columns = walk->columns;
    int64_t factor;

    if (exponent < EXPONENT_MIN)
        return false;
    for (size_t i = 0; i < walk->market->member_count; i++)
        columns->legs[i].values = NULL; /* scaled anew */
    if (columns->sum == 0 && columns->counted == 0) {
        columns->exponent = exponent;
        return true;
    }
    if (columns->exponent - exponent > 18)
        return false;
    factor = power_of_ten(columns->exponent - exponent);
    for (size_t i = 0; i < walk->market->member_count; i++) {
        int64_t *last = &columns->legs[i].last;

        if (columns->legs[i].is_counted && (__builtin_mul_overflow(*last, factor, last) ||
                                            *last > VALUE_MAX || *last < -VALUE_MAX))
            return false;
    }
    columns->exponent = exponent;
    return !__builtin_mul_overflow(columns->sum, (sum_of) factor, &columns->sum);
}

/* The smallest exponent in the rest of a block; above EXPONENT_MAX where nothing fits. */
static int
smallest_exponent(const struct oi_decimals *amounts, size_t from, size_t count)
{
    int smallest = EXPONENT_MAX;

    if (!amounts->exponents)
        return amounts->exponent;
    for (size_t row = from; row < count; row++) {
        int exponent = amounts->exponents[row];

        if (exponent == OI_EXPONENT_NONE || exponent == OI_EXPONENT_WIDE)
            return EXPONENT_MAX + 1;
        smallest = exponent < smallest ? exponent : smallest;
    }
    return smallest;
}

static int64_t *
own_values(struct column_leg *leg, size_t count)
{
    if (leg->own_capacity < count) {
        oi_free(leg->own);
        leg->own = oi_alloc(count * sizeof(*leg->own));
        leg->own_capacity = count;
    }
    return leg->own;
}

/* Multiply into `ret_values`; false when a product is too large. */
OI_VECTORISED static bool
multiply(const int64_t *mantissas, size_t count, int64_t factor, int64_t *ret_values)
{
    int64_t limit = VALUE_MAX / factor;
    uint64_t outside = 0;

    for (size_t row = 0; row < count; row++) {
        outside |= (uint64_t) (mantissas[row] > limit) | (uint64_t) (mantissas[row] < -limit);
        ret_values[row] = (int64_t) ((uint64_t) mantissas[row] * (uint64_t) factor);
    }
    return outside == 0;
}

/* Can they stay as they are? */
OI_VECTORISED static bool
are_values(const int64_t *mantissas, size_t count)
{
    uint64_t outside = 0;

    for (size_t row = 0; row < count; row++)
        outside |=
            (uint64_t) (mantissas[row] > VALUE_MAX) | (uint64_t) (mantissas[row] < -VALUE_MAX);
    return outside == 0;
}

/* The rest of a leg's block as integers of the total's exponent. */
static bool
scale(const struct total_columns *columns, struct column_leg *leg,
      const struct oi_decimals *amounts, size_t from, size_t count)
{
    const int64_t *mantissas = amounts->mantissas;
    int64_t *own;
    bool fits = true;

    if (!amounts->exponents && amounts->exponent == columns->exponent) {
        leg->values = mantissas;
        return are_values(mantissas + from, count - from);
    }
    own = own_values(leg, count);
    if (!amounts->exponents) {
        leg->values = own;
        return amounts->exponent - columns->exponent <= 18 &&
               multiply(mantissas + from, count - from,
                        power_of_ten(amounts->exponent - columns->exponent), own + from);
    }
    for (size_t row = from; row < count && fits; row++) {
        int more = mantissas[row] == 0 ? 0 : amounts->exponents[row] - columns->exponent;

        fits = more <= 18 && multiply(&mantissas[row], 1, power_of_ten(more), &own[row]);
    }
    leg->values = own;
    return fits;
}

/* Values for every leg that has a new block; false when one has a figure that does not fit. */
static bool
prepare_legs(struct total_walk *walk)
{
    struct total_columns *columns = walk->columns;
    size_t count = walk->market->member_count;

    for (size_t i = 0; i < count; i++) {
        const struct total_leg *leg = &walk->legs[i];
        int exponent;

        if (!leg->block || columns->legs[i].values)
            continue;
        exponent = smallest_exponent(&leg->block->amounts, leg->row, leg->block->columns.count);
        if (exponent > EXPONENT_MAX || (exponent < columns->exponent && !refine(walk, exponent)))
            return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct total_leg *leg = &walk->legs[i];

        if (leg->block && !columns->legs[i].values &&
            !scale(columns, &columns->legs[i], &leg->block->amounts, leg->row,
                   leg->block->columns.count))
            return false;
    }
    return true;
}

/* The next slice: within one candle, on one side of where the answer begins, with few readings of
 * each member, all of them at hand. Empty at the end. */
static struct oi_span
choose_slice(const struct total_walk *walk, int64_t interval_ns)
{
    size_t count = walk->market->member_count, rows = SLICE_EVENTS / (count ? count : 1);
    struct oi_span slice = { OI_TIME_LATEST, OI_TIME_LATEST };

    rows = rows < ROWS_MIN ? ROWS_MIN : rows;
    for (size_t i = 0; i < count; i++) {
        const struct total_leg *leg = &walk->legs[i];

        if (leg->block && leg->block->columns.time[leg->row] < slice.from)
            slice.from = leg->block->columns.time[leg->row];
    }
    if (slice.from == OI_TIME_LATEST)
        return slice;
    if (__builtin_add_overflow(oi_interval_floor(interval_ns, slice.from), interval_ns, &slice.to))
        slice.to = OI_TIME_LATEST;
    if (slice.from < walk->from && walk->from < slice.to)
        slice.to = walk->from;
    for (size_t i = 0; i < count; i++) {
        const struct total_leg *leg = &walk->legs[i];
        const struct oi_columns *columns = leg->block ? &leg->block->columns : NULL;
        oi_time to;

        if (!columns)
            continue;
        to = leg->row + rows < columns->count ? columns->time[leg->row + rows]
                                              : columns->time[columns->count - 1] + 1;
        slice.to = to < slice.to ? to : slice.to;
    }
    return slice;
}

/* How many more are counted, in a key. */
#define KEY_COUNT(key) ((int64_t) ((key) >> KEY_COUNT_SHIFT & 3) - 1)
#define COUNT_BITS(change) ((unsigned) ((change) + 1) << KEY_COUNT_SHIFT)

static inline void
put_event(struct event **at, struct oi_span slice, oi_time time, int64_t change, unsigned bits)
{
    uint64_t from_start = time > slice.from ? (uint64_t) time - (uint64_t) slice.from : 0;

    *(*at)++ = (struct event){ from_start << KEY_TIME_SHIFT | bits, change };
}

/* A reading: into its second where it is of a whole one, else an event of its own. */
static inline void
put_reading(struct total_columns *columns, struct event **at, struct oi_span slice, oi_time time,
            int64_t change, int more)
{
    int64_t whole = (int64_t) ((uint64_t) time / (uint64_t) OI_SECOND);

    if (columns->first_second <= whole && whole * OI_SECOND == time) {
        size_t place = (size_t) (whole - columns->first_second);
        struct second *second = &columns->seconds[place];

        if (!__builtin_add_overflow(second->change, change, &second->change)) {
            second->count += more;
            second->is_reading = 1;
            columns->used[place / 64] |= UINT64_C(1) << place % 64;
            return;
        }
        second->change = (int64_t) ((uint64_t) second->change - (uint64_t) change);
    }
    put_event(at, slice, time, change, COUNT_BITS(more) | KEY_IS_READING);
}

/* What a member's readings in the slice change, and where it drops out between them. The same as
 * oi_total_set and oi_total_at do: a member whose time is up is out of the sum from the next
 * nanosecond on. */
static void
add_leg(struct total_walk *walk, size_t index, struct oi_span slice)
{
    struct total_leg *leg = &walk->legs[index];
    struct oi_total_member *member = &walk->amounts.members[index];
    struct column_leg values = walk->columns->legs[index];
    size_t row = leg->row, count = leg->block ? leg->block->columns.count : 0;
    const oi_time *times = leg->block ? leg->block->columns.time : NULL;
    struct event *at = walk->columns->events.items + walk->columns->events.count;
    oi_time expiry = oi_total_expiry(member);

    for (;; row++) {
        bool is_reading = row < count && times[row] < slice.to;
        oi_time time = is_reading ? times[row] : slice.to;
        bool is_counted;
        int64_t value;

        if (values.is_counted && expiry < time && (is_reading || expiry < slice.to - 1)) {
            put_event(&at, slice, expiry + 1, -values.last, COUNT_BITS(-1));
            values.is_counted = false;
        }
        if (!is_reading)
            break;
        value = values.values[row];
        if (__builtin_add_overflow(time, member->staleness_ns, &expiry))
            expiry = OI_TIME_LATEST;
        expiry = expiry < member->ends ? expiry : member->ends - 1;
        /* Of a market that is over: an instant, at which it does not count. */
        is_counted = expiry >= time;
        put_reading(walk->columns, &at, slice, time,
                    (is_counted ? value : 0) - (values.is_counted ? values.last : 0),
                    is_counted - values.is_counted);
        values.last = value;
        values.is_counted = is_counted;
    }
    walk->columns->legs[index] = values;
    walk->columns->events.count = (size_t) (at - walk->columns->events.items);
    if (row == leg->row)
        return;
    member->time = times[row - 1];
    walk->members[index].last = times[row - 1];
    walk->members[index].left_out = NULL;
    leg->row = row;
}

/* Members' columns together are larger than the near caches, and a slice's part of each is too
 * short for the processor to see it coming. */
static void
fetch_ahead(const struct total_walk *walk, size_t index, size_t rows)
{
    const struct total_leg *leg = &walk->legs[index];
    const int64_t *values = walk->columns->legs[index].values;

    if (!leg->block)
        return;
    for (size_t row = leg->row; row < leg->row + rows && row < leg->block->columns.count;
         row += CACHE_LINE / sizeof(*values)) {
        __builtin_prefetch(leg->block->columns.time + row);
        __builtin_prefetch(values + row);
    }
}

/* The seconds' events behind the others; the seconds are empty again. */
static void
add_seconds(struct total_columns *columns, struct oi_span slice)
{
    struct event *at = columns->events.items + columns->events.count;

    for (size_t word = 0; word < OI_COUNT(columns->used); word++) {
        for (; columns->used[word]; columns->used[word] &= columns->used[word] - 1) {
            size_t place = word * 64 + (size_t) __builtin_ctzll(columns->used[word]);
            struct second *second = &columns->seconds[place];
            oi_time time = (columns->first_second + (int64_t) place) * OI_SECOND;

            put_event(&at, slice, time, second->change, COUNT_BITS(0) | KEY_IS_READING);
            for (; second->count > 0; second->count--)
                put_event(&at, slice, time, 0, COUNT_BITS(1));
            for (; second->count < 0; second->count++)
                put_event(&at, slice, time, 0, COUNT_BITS(-1));
            *second = (struct second){};
        }
    }
    columns->events.count = (size_t) (at - columns->events.items);
}

/* Deal the events by their time, then order those that came close. */
static const struct event *
sort_events(struct total_columns *columns, struct oi_span slice)
{
    const struct event *events = columns->events.items;
    size_t count = columns->events.count;
    uint64_t width = (uint64_t) slice.to - (uint64_t) slice.from;
    unsigned shift = KEY_TIME_SHIFT;
    struct event *sorted;

    while ((width - 1) >> (shift - KEY_TIME_SHIFT) >= PLACES)
        shift++;
    if (columns->sorted_capacity < count) {
        oi_free(columns->sorted);
        columns->sorted_capacity = columns->events.capacity;
        columns->sorted = oi_alloc(columns->sorted_capacity * sizeof(*columns->sorted));
    }
    sorted = columns->sorted;
    memset(columns->places, 0, sizeof(columns->places));
    for (size_t i = 0; i < count; i++)
        columns->places[(events[i].key >> shift) + 1]++;
    for (size_t i = 1; i <= PLACES; i++)
        columns->places[i] += columns->places[i - 1];
    for (size_t i = 0; i < count; i++)
        sorted[columns->places[events[i].key >> shift]++] = events[i];
    for (size_t i = 1; i < count; i++) {
        struct event event = sorted[i];
        size_t at = i;

        for (; at > 0 && sorted[at - 1].key > event.key; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = event;
    }
    return sorted;
}

/* What the sum did in a slice. */
struct course {
    sum_of open, high, low, close;
    uint64_t first, last; /* instants, from the start of the slice */
    uint32_t count;       /* of instants with a sum */
};

static void
follow_sum(struct total_columns *columns, const struct event *events, struct course *course)
{
    size_t count = columns->events.count;
    sum_of sum = columns->sum;
    int64_t counted = columns->counted;
    unsigned is_reading = 0;

    for (size_t i = 0; i < count; i++) {
        uint64_t key = events[i].key, time = key >> KEY_TIME_SHIFT;

        sum += events[i].change;
        counted += KEY_COUNT(key);
        is_reading |= key & KEY_IS_READING;
        /* All of one instant are set together. */
        if (i + 1 < count && events[i + 1].key >> KEY_TIME_SHIFT == time)
            continue;
        if (is_reading && counted > 0) {
            if (course->count++ == 0) {
                course->open = course->high = course->low = sum;
                course->first = time;
            }
            course->high = sum > course->high ? sum : course->high;
            course->low = sum < course->low ? sum : course->low;
            course->close = sum;
            course->last = time;
        }
        is_reading = 0;
    }
    columns->sum = sum;
    columns->counted = counted;
}

static enum oi_status
decimal_of(sum_of sum, int exponent, struct oi_decimal *ret_value, struct oi_error *error)
{
    const sum_of unit = INT64_C(1'000'000'000'000'000'000);
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
add_course(const struct total_columns *columns, const struct course *course, struct oi_span slice,
           struct oi_candles *candles, struct oi_error *error)
{
    struct oi_candle part = { .count = course->count };
    const sum_of sums[] = { course->open, course->high, course->low, course->close };
    struct oi_decimal *const figures[] = { &part.open, &part.high, &part.low, &part.close };

    if (course->count == 0)
        return OI_OK;
    for (size_t i = 0; i < OI_COUNT(sums); i++)
        OI_TRY(decimal_of(sums[i], columns->exponent, figures[i], error));
    part.first = slice.from + (int64_t) course->first;
    part.last = slice.from + (int64_t) course->last;
    part.start = oi_interval_floor(candles->interval_ns, part.first);
    oi_candles_add_part(candles, &part);
    return OI_OK;
}

/* Go on in decimals. */
static enum oi_status
give_up(struct total_walk *walk, struct oi_error *error)
{
    size_t count = walk->market->member_count;
    enum oi_status status = OI_OK;

    for (size_t i = 0; i < count && status == OI_OK; i++) {
        const struct column_leg *leg = &walk->columns->legs[i];
        const struct oi_total_member *member = &walk->amounts.members[i];
        struct oi_decimal amount;

        if (!leg->is_counted)
            continue;
        amount = oi_decimal_from(leg->last, walk->columns->exponent);
        status = oi_total_set(&walk->amounts, i, member->time, &amount, error);
    }
    total_columns_free(&walk->columns, count);
    return status;
}

static enum oi_status
next_blocks(struct total_walk *walk, struct oi_error *error)
{
    for (size_t i = 0; i < walk->market->member_count; i++) {
        struct total_leg *leg = &walk->legs[i];

        if (!leg->block || leg->row < leg->block->columns.count)
            continue;
        leg->row = 0;
        walk->columns->legs[i].values = NULL;
        OI_TRY(oi_stream_next(leg->stream, &leg->block, error));
    }
    return OI_OK;
}

enum oi_status
total_columns_next(struct total_walk *walk, struct oi_candles *candles, bool *ret_is_done,
                   struct oi_error *error)
{
    struct total_columns *columns = walk->columns;
    size_t count = walk->market->member_count, room;
    struct course course = {};
    struct oi_span slice;

    *ret_is_done = false;
    if (!prepare_legs(walk))
        return give_up(walk, error);
    slice = choose_slice(walk, candles->interval_ns);
    *ret_is_done = slice.from == OI_TIME_LATEST;
    if (*ret_is_done)
        return OI_OK;
    if (slice.to - slice.from > SLICE_NS_MAX)
        return give_up(walk, error);
    /* A reading each, one dropping out before it and one more counted, and one behind the last. */
    room = (SLICE_EVENTS / (count ? count : 1) + ROWS_MIN + 1) * 3 * count;
    columns->events.count = 0;
    oi_vector_reserve(&columns->events, room);
    columns->first_second = INT64_MAX;
    if (slice.from >= 0 && slice.to - slice.from <= (SECONDS - 1) * OI_SECOND)
        columns->first_second = slice.from / OI_SECOND;
    for (size_t i = 0; i < count; i++) {
        if (i + FETCHED_AHEAD < count)
            fetch_ahead(walk, i + FETCHED_AHEAD, SLICE_EVENTS / count + ROWS_MIN);
        add_leg(walk, i, slice);
    }
    add_seconds(columns, slice);
    if (columns->events.count > 0)
        follow_sum(columns, sort_events(columns, slice), &course);
    if (slice.from >= walk->from)
        OI_TRY(add_course(columns, &course, slice, candles, error));
    return next_blocks(walk, error);
}

enum oi_status
total_walk_candles(struct total_walk *walk, struct oi_candles *candles, bool *ret_is_done,
                   struct oi_error *error)
{
    *ret_is_done = true;
    if (walk->columns)
        return total_columns_next(walk, candles, ret_is_done, error);
    for (int i = 0; i < RUN_BLOCK_ITEMS; i++) {
        struct total_point point;

        OI_TRY(total_walk_next(walk, &point, error));
        if (point.time == OI_TIME_NONE)
            return OI_OK;
        oi_candles_add_one(candles, point.time, &point.amount, NULL);
    }
    *ret_is_done = false;
    return OI_OK;
}
