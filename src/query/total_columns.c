/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Candles of a total by columns. Readings of all members are integers of one exponent. A window of
 * time is filled member by member, chunk after chunk as it is decoded, with what each reading
 * changes; then the sum runs over the changes in 128 bits (total_course.c). Readings of whole
 * minutes, which most are, add up at their minute without being put in order. Decimals are made
 * once a candle. That is exact; where a figure does not fit, the window is read anew and the walk
 * goes on instant by instant in decimals (total_walk.c), with the same answer.
 */
#include "base/alloc.h"
#include "base/compiler.h"
#include "query/total_internal.h"

#include <string.h>

/* A difference of two values fits an int64. */
#define VALUE_MAX (INT64_MAX / 2)
#define REACH_MAX (UINT64_C(1) << 62)
#define EXPONENT_MIN (-40)
#define EXPONENT_MAX 18
/* Events that a window should not have more of; with four times as many it is given up for a
 * smaller one. */
#define WINDOW_EVENTS (1u << 18)
/* Rows that are looked at together. */
#define PIECE 64
#define CACHE_LINE 64
/* So many rows before they are looked at. */
#define FETCHED_AHEAD 512
/* Of each member, to choose the step of places. */
#define SAMPLED 8

struct leg_state {
    oi_time time; /* of the last reading */
    int64_t last; /* its value */
    bool is_counted;
};

struct column_leg {
    const int64_t *values; /* of the block at hand; NULL: not looked at yet */
    int64_t factor;        /* by which they are multiplied */
    int64_t *own;          /* where they had to be scaled */
    size_t own_capacity;
    uint64_t spread; /* no change from row to row of the block is larger */
    uint64_t reach;  /* no change that it made at a place is larger */
    struct leg_state state, before;
};

struct total_columns {
    struct column_leg *legs;
    struct total_course course, before; /* now, and before the window at hand */
    int finer;                          /* the exponent that a block needs */
    size_t events_wanted;               /* in a window */
    struct total_window window;
};

/* How it went with a window. */
enum outcome {
    OUTCOME_FULL,
    OUTCOME_FINER,    /* a smaller exponent is needed */
    OUTCOME_UNFIT,    /* a figure that does not fit */
    OUTCOME_TOO_MUCH, /* a smaller window is needed */
};

struct total_columns *
total_columns_new(const struct run *run, size_t member_count)
{
    struct total_columns *columns = oi_alloc_zero(1, sizeof(*columns));

    columns->legs = oi_alloc_zero(member_count, sizeof(*columns->legs));
    columns->window.lists = oi_alloc_zero(member_count, sizeof(*columns->window.lists));
    columns->window.places = TOTAL_PLACES;
    columns->window.spread_max = REACH_MAX / 8 / (member_count + 1);
    columns->course.exponent = EXPONENT_MAX;
    columns->events_wanted =
        run->source->window_events ? run->source->window_events : WINDOW_EVENTS;
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
    total_window_release(&(*columns)->window);
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

/* What was summed before the window, with a smaller exponent; false when it does not fit. */
static bool
refine(struct total_walk *walk, int exponent)
{
    struct total_columns *columns = walk->columns;
    struct total_course *course = &columns->course;
    int more = course->exponent - exponent;
    int64_t factor;

    if (exponent < EXPONENT_MIN)
        return false;
    if (course->sum == 0 && course->counted == 0) {
        course->exponent = exponent;
        return true;
    }
    if (more > 18)
        return false;
    factor = power_of_ten(more);
    for (size_t i = 0; i < walk->market->member_count; i++) {
        struct leg_state *state = &columns->legs[i].state;

        if (state->is_counted && (__builtin_mul_overflow(state->last, factor, &state->last) ||
                                  state->last > VALUE_MAX || state->last < -VALUE_MAX))
            return false;
    }
    course->exponent = exponent;
    return !__builtin_mul_overflow(course->sum, (total_sum) factor, &course->sum);
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

/* What lies behind a piece is in another page soon, where the processor does not look by itself. */
static inline __attribute__((always_inline)) void
fetch_ahead(const int64_t *piece)
{
    for (size_t i = 0; i < PIECE; i += CACHE_LINE / sizeof(*piece))
        __builtin_prefetch(piece + FETCHED_AHEAD + i);
}

/* The smallest and the largest; at least one value. */
OI_VECTORISED static void
find_extremes(const int64_t *values, size_t count, int64_t *ret_low, int64_t *ret_high)
{
    int64_t low = values[0], high = values[0];
    size_t row = 0;

    for (; count - row >= PIECE; row += PIECE) {
        fetch_ahead(values + row);
        for (size_t i = row; i < row + PIECE; i++) {
            low = values[i] < low ? values[i] : low;
            high = values[i] > high ? values[i] : high;
        }
    }
    for (; row < count; row++) {
        low = values[row] < low ? values[row] : low;
        high = values[row] > high ? values[row] : high;
    }
    *ret_low = low;
    *ret_high = high;
}

/* Rows with exponents of their own as integers of the total's. */
static bool
scale_each(struct column_leg *leg, const struct oi_decimals *amounts, size_t from, size_t count,
           int exponent)
{
    int64_t *own = own_values(leg, count);

    for (size_t row = from; row < count; row++) {
        int64_t mantissa = amounts->mantissas[row];
        int more = mantissa == 0 ? 0 : amounts->exponents[row] - exponent;

        if (more > 18 || __builtin_mul_overflow(mantissa, power_of_ten(more), &own[row]) ||
            own[row] > VALUE_MAX || own[row] < -VALUE_MAX)
            return false;
    }
    leg->values = own;
    leg->factor = 1;
    leg->spread = UINT64_MAX;
    return true;
}

/* The rest of a leg's block as integers of the total's exponent. */
static enum outcome
prepare_leg(const struct total_walk *walk, size_t index)
{
    const struct total_leg *at = &walk->legs[index];
    const struct oi_decimals *amounts = &at->block->amounts;
    struct column_leg *leg = &walk->columns->legs[index];
    int exponent = walk->columns->course.exponent;
    size_t count = at->block->columns.count;
    int smallest = smallest_exponent(amounts, at->row, count);
    int64_t low, high;

    if (smallest > EXPONENT_MAX)
        return OUTCOME_UNFIT;
    walk->columns->finer = smallest;
    if (smallest < exponent)
        return OUTCOME_FINER;
    if (amounts->exponents)
        return scale_each(leg, amounts, at->row, count, exponent) ? OUTCOME_FULL : OUTCOME_UNFIT;
    if (smallest - exponent > 18)
        return OUTCOME_UNFIT;
    leg->factor = power_of_ten(smallest - exponent);
    find_extremes(amounts->mantissas + at->row, count - at->row, &low, &high);
    if (low < -(VALUE_MAX / leg->factor) || high > VALUE_MAX / leg->factor)
        return OUTCOME_UNFIT;
    leg->spread = (uint64_t) (high - low) * (uint64_t) leg->factor;
    leg->values = amounts->mantissas;
    return OUTCOME_FULL;
}

/* The smallest exponent at hand; false where that does not fit. */
static bool
refine_all(struct total_walk *walk)
{
    int exponent = walk->columns->course.exponent;

    for (size_t i = 0; i < walk->market->member_count; i++) {
        const struct total_leg *leg = &walk->legs[i];
        int smallest;

        if (!leg->block || walk->columns->legs[i].values)
            continue;
        smallest = smallest_exponent(&leg->block->amounts, leg->row, leg->block->columns.count);
        exponent = smallest < exponent ? smallest : exponent;
    }
    if (exponent == walk->columns->course.exponent)
        return true;
    for (size_t i = 0; i < walk->market->member_count; i++)
        walk->columns->legs[i].values = NULL; /* scaled anew */
    return refine(walk, exponent);
}

/*
 * The window.
 */

/* Minutes, unless many more readings are of whole seconds or tens of them. */
static int64_t
choose_step(const struct total_walk *walk)
{
    static const int64_t steps[] = { OI_MINUTE, 10 * OI_SECOND, OI_SECOND };
    size_t hits[OI_COUNT(steps)] = {}, best = 0;

    for (size_t i = 0; i < walk->market->member_count; i++) {
        const struct total_leg *leg = &walk->legs[i];

        for (size_t row = leg->row;
             leg->block && row < leg->block->columns.count && row < leg->row + SAMPLED; row++)
            for (size_t k = 0; k < OI_COUNT(steps); k++)
                hits[k] += leg->block->columns.time[row] % steps[k] == 0;
    }
    for (size_t k = 1; k < OI_COUNT(steps); k++)
        if (hits[k] > hits[best] + hits[best] / 4)
            best = k;
    return steps[best];
}

static void
set_step(struct total_window *window, int64_t step_ns)
{
    uint64_t odd, inverse;

    window->step_ns = step_ns;
    window->step_zeros = (unsigned) __builtin_ctzll((uint64_t) step_ns);
    odd = inverse = (uint64_t) step_ns >> window->step_zeros;
    for (int i = 0; i < 5; i++)
        inverse *= 2 - odd * inverse;
    window->step_inverse = inverse;
}

/* From the first reading that is not summed yet; all on one side of where the answer begins, and
 * not more than was asked for. Empty at the end. */
static void
choose_window(struct total_walk *walk, int64_t interval_ns)
{
    struct total_window *window = &walk->columns->window;
    struct oi_span span = { OI_TIME_LATEST, OI_TIME_LATEST };
    int64_t wanted;
    oi_time end;

    for (size_t i = 0; i < walk->market->member_count; i++) {
        const struct total_leg *leg = &walk->legs[i];

        if (leg->block && leg->block->columns.time[leg->row] < span.from)
            span.from = leg->block->columns.time[leg->row];
        walk->columns->legs[i].reach = 0;
    }
    window->span = span;
    window->reach = 0;
    window->events.count = 0;
    window->list_count = 0;
    if (span.from == OI_TIME_LATEST)
        return;
    set_step(window, choose_step(walk));
    window->base = oi_interval_floor(window->step_ns, span.from);
    if (!__builtin_add_overflow(window->base, window->places * window->step_ns, &end))
        span.to = end;
    if (walk->candles_wanted < INT32_MAX &&
        !__builtin_mul_overflow((int64_t) walk->candles_wanted + 2, interval_ns, &wanted) &&
        !__builtin_add_overflow(span.from, wanted, &end) && end < span.to)
        span.to = end;
    if (span.from < walk->from && walk->from < span.to)
        span.to = walk->from;
    window->span = span;
}

/* Which place a time of the window is; SIZE_MAX: it lies between two. */
static inline size_t
place_of(const struct total_window *window, oi_time time)
{
    uint64_t behind = (uint64_t) time - (uint64_t) window->base, place;

    if (behind & ((UINT64_C(1) << window->step_zeros) - 1))
        return SIZE_MAX;
    /* Only multiples of the odd number have small products with its inverse. */
    place = (behind >> window->step_zeros) * window->step_inverse;
    return place < TOTAL_PLACES ? place : SIZE_MAX;
}

/* May changes with these bits be added up at places, and never leave 63 bits? A member changes a
 * place once. */
static inline bool
is_in_reach(struct total_window *window, struct column_leg *leg, uint64_t bits)
{
    uint64_t reach;

    if (bits < leg->reach)
        return true;
    if (bits >= REACH_MAX / 2)
        return false;
    reach = UINT64_C(2) << (63 - __builtin_clzll(bits | 1));
    if (window->reach - leg->reach + reach > REACH_MAX)
        return false;
    window->reach += reach - leg->reach;
    leg->reach = reach;
    return true;
}

static inline uint64_t
bits_of_size(int64_t change)
{
    return (uint64_t) (change ^ (change >> 63));
}

static inline void
put_event(const struct total_window *window, struct total_event **at, oi_time time, int64_t change,
          unsigned bits)
{
    /* What is long due when the window begins. */
    uint64_t behind = time > window->base ? (uint64_t) time - (uint64_t) window->base : 0;

    *(*at)++ = (struct total_event){ behind << KEY_TIME_SHIFT | bits, change };
}

/* How many of `count` times after the first are each a step behind the one before. */
OI_VECTORISED static size_t
count_steps(const oi_time *times, size_t count, int64_t step)
{
    size_t done = 0;

    for (; count - done >= PIECE; done += PIECE) {
        uint64_t differs = 0;

        fetch_ahead(times + done);
        for (size_t i = done; i < done + PIECE; i++)
            differs |= ((uint64_t) times[i + 1] - (uint64_t) times[i]) ^ (uint64_t) step;
        if (differs != 0)
            break;
    }
    while (done < count && times[done + 1] - times[done] == step)
        done++;
    return done;
}

OI_VECTORISED static uint64_t
bits_of_changes(const int64_t *values, size_t count)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < count; i++)
        bits |= bits_of_size(values[i + 1] - values[i]);
    return bits;
}

OI_VECTORISED static void
add_changes(const int64_t *values, size_t count, int64_t factor, int64_t *changes)
{
    if (factor == 1) {
        for (size_t i = 0; i < count; i++)
            changes[i] += values[i + 1] - values[i];
        return;
    }
    for (size_t i = 0; i < count; i++)
        changes[i] += (values[i + 1] - values[i]) * factor;
}

static void
mark_used(struct total_window *window, size_t from, size_t count)
{
    for (size_t place = from; place < from + count;) {
        size_t taken = 64 - place % 64;

        if (taken > from + count - place)
            taken = from + count - place;
        window->used[place / 64] |= UINT64_MAX >> (64 - taken) << place % 64;
        place += taken;
    }
}

/* The same from a chunk's list. */
static size_t
look_up_steps(const struct oi_scan_steps *steps, const oi_time *times, size_t count)
{
    size_t row = (size_t) (times - steps->times), low = 0, high = steps->count - 1;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (steps->ends[middle] <= row)
            low = middle + 1;
        else
            high = middle;
    }
    return steps->ends[low] - 1 - row < count ? steps->ends[low] - 1 - row : count;
}

/* Readings behind the one at a place, step by step: how many were added. */
static size_t
add_steps(struct total_window *window, struct column_leg *leg, const struct total_leg *at,
          size_t row, oi_time to, size_t place)
{
    const oi_time *times = at->block->columns.time;
    const struct oi_scan_steps *steps = at->block->steps;
    size_t count = at->block->columns.count;
    const int64_t *values = leg->values + row;
    size_t most = (size_t) ((uint64_t) (to - 1 - times[row]) / (uint64_t) window->step_ns);
    uint64_t bits;

    most = most < count - row - 1 ? most : count - row - 1;
    if (steps && steps->step_ns == window->step_ns) {
        count = look_up_steps(steps, times + row, most);
        __builtin_prefetch(times + row + count + 1);
    } else {
        count = count_steps(times + row, most, window->step_ns);
    }
    if (count == 0)
        return 0;
    /* Where there is plenty of room, it is not looked at closely. */
    if ((leg->spread > window->spread_max || !is_in_reach(window, leg, leg->spread)) &&
        (__builtin_mul_overflow(bits_of_changes(values, count) + 1, (uint64_t) leg->factor,
                                &bits) ||
         !is_in_reach(window, leg, bits)))
        return 0;
    add_changes(values, count, leg->factor, window->changes + place + 1);
    mark_used(window, place + 1, count);
    return count;
}

/* How many of `count` times after the first are each another distance than a step behind the one
 * before, and not more than `most`. */
OI_VECTORISED static size_t
count_apart(const oi_time *times, size_t count, int64_t step, int64_t most)
{
    size_t done = 0;

    for (; count - done >= PIECE; done += PIECE) {
        uint64_t differs = 0;

        for (size_t i = done; i < done + PIECE; i++) {
            uint64_t apart = (uint64_t) times[i + 1] - (uint64_t) times[i];

            differs |= (uint64_t) (apart > (uint64_t) most) | (uint64_t) (apart == (uint64_t) step);
        }
        if (differs != 0)
            break;
    }
    while (done < count && times[done + 1] - times[done] != step &&
           (uint64_t) times[done + 1] - (uint64_t) times[done] <= (uint64_t) most)
        done++;
    return done;
}

OI_VECTORISED static void
put_events(struct total_event *events, const oi_time *times, oi_time base, const int64_t *values,
           int64_t factor, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        events[i].key = ((uint64_t) times[i + 1] - (uint64_t) base) << KEY_TIME_SHIFT |
                        COUNT_BITS(0) | KEY_IS_READING;
        events[i].change = (values[i + 1] - values[i]) * factor;
    }
}

/* Readings behind one that counts, at any times, none of them so late that it drops out before: how
 * many were put into events. */
static size_t
add_apart(const struct total_window *window, const struct column_leg *leg,
          const struct total_leg *at, size_t row, oi_time to, int64_t staleness_ns,
          struct total_event **event)
{
    const oi_time *times = at->block->columns.time + row;
    size_t count = at->block->columns.count - row;

    if (times[count - 1] >= to)
        count = oi_times_find(times, count, to);
    if (count < 2)
        return 0;
    count = count_apart(times, count - 1, window->step_ns, staleness_ns);
    put_events(*event, times, window->base, leg->values + row, leg->factor, count);
    *event += count;
    return count;
}

/* As oi_total_expiry says of a reading at `time`. */
static inline oi_time
expiry_of(const struct oi_total_member *member, oi_time time)
{
    oi_time expiry;

    if (__builtin_add_overflow(time, member->staleness_ns, &expiry))
        expiry = OI_TIME_LATEST;
    return expiry < member->ends ? expiry : member->ends - 1;
}

/* In large steps: what one member has many of, others have too. */
static void
make_room(struct total_window *window, size_t count)
{
    size_t more = 4 * window->events.capacity;

    if (window->events.count + count <= window->events.capacity)
        return;
    oi_vector_reserve(&window->events, count > more ? count : more);
}

/* What a member's readings of the block at hand change in the window, and where it drops out
 * between them. The same as oi_total_set and oi_total_at do: a member whose time is up is out of
 * the sum from the next nanosecond on. */
static void
add_block(struct total_window *window, struct column_leg *leg, struct total_leg *at,
          struct oi_total_member *member)
{
    const oi_time *times = at->block->columns.time;
    size_t count = at->block->columns.count, row = at->row;
    oi_time to = member->ends < window->span.to ? member->ends : window->span.to;
    bool has_steps = member->staleness_ns >= window->step_ns;
    struct leg_state state = leg->state;
    oi_time expiry = expiry_of(member, state.time);
    const int64_t *values = leg->values;
    int64_t factor = leg->factor;
    struct total_event *event;

    oi_assert(values); /* the leg is prepared */
    make_room(window, 2 * (count - row));
    event = window->events.items + window->events.count;
    for (; row < count && times[row] < window->span.to; row++) {
        oi_time time = times[row];
        int64_t value = values[row] * factor, change;
        size_t place = place_of(window, time);
        size_t added;
        bool is_counted;
        int more;

        if (state.is_counted && expiry < time) {
            put_event(window, &event, expiry + 1, -state.last, COUNT_BITS(-1));
            state.is_counted = false;
        }
        expiry = expiry_of(member, time);
        /* Of a market that is over: an instant, at which it does not count. */
        is_counted = expiry >= time;
        change = (is_counted ? value : 0) - (state.is_counted ? state.last : 0);
        more = is_counted - state.is_counted;
        if (more == 0 && place != SIZE_MAX && is_in_reach(window, leg, bits_of_size(change))) {
            window->changes[place] += change;
            window->used[place / 64] |= UINT64_C(1) << place % 64;
        } else {
            put_event(window, &event, time, change, COUNT_BITS(more) | KEY_IS_READING);
        }
        state = (struct leg_state){ time, value, is_counted };
        added = 0;
        if (has_steps && is_counted && place != SIZE_MAX && time < to) {
            added = add_steps(window, leg, at, row, to, place);
            state.time = time + (int64_t) added * window->step_ns;
        } else if (is_counted && place == SIZE_MAX && time >= window->base) {
            added = add_apart(window, leg, at, row, to, member->staleness_ns, &event);
            state.time = times[row + added];
        }
        if (added > 0) {
            row += added;
            state.last = values[row] * factor;
            expiry = expiry_of(member, state.time);
        }
    }
    leg->state = state;
    window->events.count = (size_t) (event - window->events.items);
    at->row = row;
}

/* All of a member's readings in the window. */
static enum oi_status
add_leg(struct total_walk *walk, size_t index, enum outcome *outcome, struct oi_error *error)
{
    struct total_leg *at = &walk->legs[index];
    struct oi_total_member *member = &walk->amounts.members[index];
    struct column_leg *leg = &walk->columns->legs[index];
    struct total_window *window = &walk->columns->window;
    size_t first = window->events.count;
    oi_time expiry;

    while (at->block && at->block->columns.time[at->row] < window->span.to) {
        *outcome = leg->values ? OUTCOME_FULL : prepare_leg(walk, index);
        if (*outcome != OUTCOME_FULL)
            return OI_OK;
        add_block(window, leg, at, member);
        walk->members[index].last = leg->state.time;
        walk->members[index].left_out = NULL;
        if (window->events.count / 4 > walk->columns->events_wanted && window->places > 1) {
            *outcome = OUTCOME_TOO_MUCH;
            return OI_OK;
        }
        if (at->row < at->block->columns.count)
            break;
        at->row = 0;
        leg->values = NULL;
        OI_TRY(oi_stream_next(at->stream, &at->block, error));
    }
    member->time = leg->state.time;
    expiry = oi_total_expiry(member);
    if (leg->state.is_counted && expiry < window->span.to - 1) {
        struct total_event *event;

        oi_vector_reserve(&window->events, 1);
        event = window->events.items + window->events.count++;
        put_event(window, &event, expiry + 1, -leg->state.last, COUNT_BITS(-1));
        leg->state.is_counted = false;
    }
    if (window->events.count > first)
        window->lists[window->list_count++] = (struct total_list){ first, window->events.count };
    return OI_OK;
}

/* As it was before the window; its rows are read anew. */
static enum oi_status
go_back(struct total_walk *walk, struct oi_error *error)
{
    struct total_columns *columns = walk->columns;

    columns->course = columns->before;
    for (size_t i = 0; i < walk->market->member_count; i++) {
        struct column_leg *leg = &columns->legs[i];

        leg->values = NULL;
        leg->state = leg->before;
        walk->amounts.members[i].time = leg->state.time;
    }
    memset(columns->window.changes, 0, sizeof(columns->window.changes));
    memset(columns->window.used, 0, sizeof(columns->window.used));
    return total_walk_go_back(walk, columns->window.span.from, error);
}

/* Go on in decimals. */
static enum oi_status
give_up(struct total_walk *walk, struct oi_error *error)
{
    size_t count = walk->market->member_count;
    enum oi_status status = OI_OK;

    for (size_t i = 0; i < count && status == OI_OK; i++) {
        const struct leg_state *state = &walk->columns->legs[i].state;
        struct oi_decimal amount;

        if (!state->is_counted)
            continue;
        amount = oi_decimal_from(state->last, walk->columns->course.exponent);
        status = oi_total_set(&walk->amounts, i, state->time, &amount, error);
    }
    total_columns_free(&walk->columns, count);
    return status;
}

static enum oi_status
fill_window(struct total_walk *walk, enum outcome *outcome, struct oi_error *error)
{
    struct total_columns *columns = walk->columns;

    columns->before = columns->course;
    for (size_t i = 0; i < walk->market->member_count; i++)
        columns->legs[i].before = columns->legs[i].state;
    *outcome = OUTCOME_FULL;
    for (size_t i = 0; i < walk->market->member_count && *outcome == OUTCOME_FULL; i++)
        OI_TRY(add_leg(walk, i, outcome, error));
    return OI_OK;
}

/* A window twice as long where little was in it. */
static void
grow(struct total_columns *columns)
{
    if (columns->window.events.count < columns->events_wanted / 2 &&
        columns->window.places < TOTAL_PLACES)
        columns->window.places *= 2;
    else if (columns->window.events.count > columns->events_wanted && columns->window.places > 1)
        columns->window.places /= 2;
}

enum oi_status
total_columns_next(struct total_walk *walk, struct oi_candles *candles, bool *ret_is_done,
                   struct oi_error *error)
{
    struct total_columns *columns = walk->columns;
    enum outcome outcome;
    int exponent;

    *ret_is_done = false;
    if (!refine_all(walk))
        return give_up(walk, error);
    choose_window(walk, candles->interval_ns);
    *ret_is_done = columns->window.span.from == OI_TIME_LATEST;
    if (*ret_is_done)
        return OI_OK;
    OI_TRY(fill_window(walk, &outcome, error));
    switch (outcome) {
    case OUTCOME_FULL:
        grow(columns);
        return total_window_follow(&columns->window, &columns->course, walk->from, candles, error);
    case OUTCOME_FINER:
        exponent = columns->finer;
        OI_TRY(go_back(walk, error));
        return refine(walk, exponent) ? OI_OK : give_up(walk, error);
    case OUTCOME_UNFIT:
        OI_TRY(go_back(walk, error));
        return give_up(walk, error);
    case OUTCOME_TOO_MUCH:
        columns->window.places = columns->window.places > 8 ? columns->window.places / 8 : 1;
        return go_back(walk, error);
    }
    return OI_OK;
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
