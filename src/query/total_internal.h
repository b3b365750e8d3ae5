/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A window of a total's candles: what members change, each in a list of its own or added up at
 * places of equal steps (total_columns.c), and the sum that runs over it (total_course.c).
 */
#pragma once

#include "query/run_internal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOTAL_PLACES 8192
/* Behind the last instant of a window as much as before the first. */
#define TOTAL_WINDOW_NS_MAX (INT64_C(1) << 50)

/* In the low bits of a key. */
#define KEY_IS_READING                                                                             \
    1u                    /* a reading is an instant of the total, a member's dropping out is not  \
                           */
#define KEY_COUNT_SHIFT 1 /* 1 added to what it changes of the number of members counted */
#define KEY_TIME_SHIFT 3
/* How many more are counted, in a key. */
#define KEY_COUNT(key) ((int64_t) ((key) >> KEY_COUNT_SHIFT & 3) - 1)
#define COUNT_BITS(change) ((unsigned) ((change) + 1) << KEY_COUNT_SHIFT)

typedef __int128 total_sum;

struct total_event {
    uint64_t key; /* time from the window's base, then the bits above */
    int64_t change;
};

/* Events of one member, in order. */
struct total_list {
    size_t at, end;
};

/* Changes in order of time. */
struct total_changes {
    uint64_t *keys;
    int64_t *changes;
};

struct total_window {
    struct oi_span span;
    int places; /* of the window: TOTAL_PLACES, or less where there is much beside them */
    /* Most venues' readings are of whole minutes, all of them the same ones: what members that
     * count before and after change there is added up. A place is so many steps behind the base. */
    oi_time base;
    int64_t step_ns;
    unsigned step_zeros;   /* step_ns is 2^zeros x an odd number */
    uint64_t step_inverse; /* of the odd one, modulo 2^64 */
    uint64_t reach;        /* no change of a place is larger */
    uint64_t spread_max;   /* that every member may have, and the reach is far from full */
    int64_t changes[TOTAL_PLACES];
    uint64_t used[TOTAL_PLACES / 64];

    struct {
        struct total_event *items;
        size_t count, capacity;
    } events;
    struct total_list *lists; /* by member */
    size_t list_count;        /* of them, those that hold any, moved to the front */
    /* To put a slice in order. */
    struct total_changes dealt, sorted;
    size_t sort_capacity;
};

/* The sum goes on from here. */
struct total_course {
    total_sum sum;
    int64_t counted;
    int exponent;
};

void total_window_release(struct total_window *window);
/* Follow the sum over a window; its candles from `from` on. The window is empty afterwards. */
enum oi_status total_window_follow(struct total_window *window, struct total_course *course,
                                   oi_time from, struct oi_candles *candles,
                                   struct oi_error *error);
