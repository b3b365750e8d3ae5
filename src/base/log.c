/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log. A line is composed in a buffer of fixed size and leaves by one write, so that lines of
 * several threads never mix. This file holds the only mutable globals of the program.
 */
#include "base/log.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/slice.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

/* A long line with a path and an error message fits; what is longer is cut. */
#define LINE_SIZE_MAX 1024
#define KEY_SIZE_MAX 256
#define NS_A_SECOND INT64_C(1'000'000'000)
#define THROTTLE_NS (60 * NS_A_SECOND)
/* More than all exchanges times all their troubles; past it the table starts anew, which costs a
 * few extra lines and bounds the memory. */
#define THROTTLED_COUNT_MAX 4096

struct throttled {
    int64_t printed_ns; /* monotonic */
    uint64_t held_back;
};

static _Atomic int current_level = OI_LOG_INFO;
static const struct oi_clock *_Atomic current_clock;

static pthread_mutex_t throttle_lock = PTHREAD_MUTEX_INITIALIZER;
static struct oi_map *throttle_index; /* event and key -> place in throttles */
static struct throttled throttles[THROTTLED_COUNT_MAX];

void
oi_log_set_level(enum oi_log_level level)
{
    atomic_store(&current_level, (int) level);
}

enum oi_log_level
oi_log_level(void)
{
    return (enum oi_log_level) atomic_load(&current_level);
}

void
oi_log_set_clock(const struct oi_clock *clock)
{
    atomic_store(&current_clock, clock);
}

static const struct oi_clock *
clock_in_use(void)
{
    const struct oi_clock *clock = atomic_load(&current_clock);

    return clock ? clock : &oi_clock_system;
}

static const char *
level_name(enum oi_log_level level)
{
    switch (level) {
    case OI_LOG_ERROR:
        return "error";
    case OI_LOG_WARN:
        return "warn";
    case OI_LOG_INFO:
        return "info";
    case OI_LOG_DEBUG:
        return "debug";
    }
    return "unknown";
}

/* 2026-03-07T00:00:00.000Z. The calendar is Howard Hinnant's days-to-civil
 * (https://howardhinnant.github.io/date_algorithms.html), here because core/time is above us. */
static int
print_time(char *to, size_t size, int64_t wall_ns)
{
    int64_t seconds = wall_ns / NS_A_SECOND - (wall_ns % NS_A_SECOND < 0);
    int64_t millis = (wall_ns - seconds * NS_A_SECOND) / 1'000'000;
    int64_t day = seconds / 86'400 - (seconds % 86'400 < 0);
    int64_t second = seconds - day * 86'400;
    int64_t shifted = day + 719'468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
    int64_t day_of_era = shifted - era * 146'097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    int64_t year = year_of_era + era * 400 + (month <= 2);

    return snprintf(to, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int) year, (int) month,
                    (int) (day_of_year - (153 * month_from_march + 2) / 5 + 1),
                    (int) (second / 3600), (int) (second / 60 % 60), (int) (second % 60),
                    (int) millis);
}

/* The length after a snprintf into what is left of a line. */
static size_t
add_length(size_t length, int printed)
{
    if (printed > 0)
        length += (size_t) printed;
    return length < LINE_SIZE_MAX ? length : LINE_SIZE_MAX - 1;
}

/* A line break in a message would forge an entry, an escape would command the terminal. */
static void
disarm(char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char) text[i] < 0x20 || text[i] == 0x7F)
            text[i] = '?';
    }
}

static void OI_PRINTF(4, 0) print_line(enum oi_log_level level, const char *event,
                                       uint64_t held_back, const char *format, va_list arguments)
{
    const struct oi_clock *clock = clock_in_use();
    char line[LINE_SIZE_MAX + 1];
    size_t length = 0;
    size_t written = 0;

    length = add_length(length, print_time(line, LINE_SIZE_MAX, clock->wall_ns(clock)));
    length = add_length(length, snprintf(line + length, LINE_SIZE_MAX - length, " %s %s ",
                                         level_name(level), event));
    length =
        add_length(length, vsnprintf(line + length, LINE_SIZE_MAX - length, format, arguments));
    if (held_back > 0) {
        length = add_length(length, snprintf(line + length, LINE_SIZE_MAX - length,
                                             " repeated=%llu", (unsigned long long) held_back));
    }
    while (length > 0 && line[length - 1] == ' ')
        length--;
    disarm(line, length);
    line[length++] = '\n';
    while (written < length) {
        ssize_t done = write(STDERR_FILENO, line + written, length - written);

        if (done <= 0)
            return; /* nowhere to complain */
        written += (size_t) done;
    }
}

void
oi_log(enum oi_log_level level, const char *event, const char *format, ...)
{
    va_list arguments;

    if (level > oi_log_level())
        return;
    va_start(arguments, format);
    print_line(level, event, 0, format, arguments);
    va_end(arguments);
}

/* Is this one due? Counts it if not; else says how many were held back since the last. */
static bool
is_due(const char *event, const char *key, uint64_t *ret_held_back)
{
    const struct oi_clock *clock = clock_in_use();
    int64_t now_ns = clock->monotonic_ns(clock);
    char name[KEY_SIZE_MAX];
    struct throttled *throttled;
    uint64_t place;
    bool due;

    (void) snprintf(name, sizeof(name), "%s %s", event, key);
    (void) pthread_mutex_lock(&throttle_lock);
    if (throttle_index && oi_map_count(throttle_index) == THROTTLED_COUNT_MAX)
        oi_map_free(&throttle_index);
    if (!throttle_index)
        throttle_index = oi_map_new();
    if (oi_map_get(throttle_index, oi_slice_of(name), &place)) {
        throttled = &throttles[place];
        due = now_ns - throttled->printed_ns >= THROTTLE_NS;
    } else {
        place = oi_map_count(throttle_index);
        oi_map_put(throttle_index, oi_slice_of(name), place);
        throttled = &throttles[place];
        throttled->held_back = 0;
        due = true;
    }
    if (due) {
        *ret_held_back = throttled->held_back;
        throttled->held_back = 0;
        throttled->printed_ns = now_ns;
    } else {
        throttled->held_back++;
    }
    (void) pthread_mutex_unlock(&throttle_lock);
    return due;
}

void
oi_log_throttled(enum oi_log_level level, const char *event, const char *key, const char *format,
                 ...)
{
    uint64_t held_back = 0;
    va_list arguments;

    if (level > oi_log_level() || !is_due(event, key, &held_back))
        return;
    va_start(arguments, format);
    print_line(level, event, held_back, format, arguments);
    va_end(arguments);
}
