/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Civil time in a zone: the transitions of a TZif file, and after the last of them the POSIX rule
 * in its footer (zone_rule.c). Seconds throughout; the nanoseconds of a civil time pass by.
 */
#include "core/zone.h"

#include "base/alloc.h"
#include "core/zone_internal.h"

#include <string.h>

/* RFC 8536 sets no limits; the largest file of tzdata has 236 transitions and 18 types. */
#define TRANSITIONS_MAX 4096
#define TYPES_MAX 256
#define LETTERS_MAX 4096

/* Offsets lie between -24:59:59 and +25:59:59 (RFC 8536, 3.2): what decides about a civil time
 * happens within so many seconds of it. */
#define OFFSET_SPAN_S (26 * 3600)

struct oi_zone {
    int64_t *transitions; /* seconds since 1970, ascending */
    uint8_t *types;       /* of the time from transitions[i] on */
    size_t count;
    int32_t offsets[TYPES_MAX]; /* seconds east of UTC, by type */
    struct oi_zone_rule rule;   /* after the last transition */
    bool has_rule;
};

static uint64_t
big_endian(struct oi_cursor *cursor, size_t size)
{
    struct oi_slice bytes = oi_cursor_bytes(cursor, size);
    uint64_t value = 0;

    for (size_t i = 0; i < bytes.size; i++)
        value = value << 8 | (unsigned char) bytes.data[i];
    return value;
}

/* The counts of one block, in the order of the file. */
struct tzif_header {
    char version;
    size_t utc_marks, standard_marks, leaps, transitions, types, letters;
};

static enum oi_status
read_header(struct oi_cursor *cursor, struct tzif_header *ret_header, struct oi_error *error)
{
    struct tzif_header header = {};

    if (!oi_slice_is(oi_cursor_bytes(cursor, 4), "TZif"))
        return oi_fail(error, OI_E_CORRUPT, "no time zone file");
    header.version = (char) oi_cursor_u8(cursor);
    (void) oi_cursor_bytes(cursor, 15);
    header.utc_marks = big_endian(cursor, 4);
    header.standard_marks = big_endian(cursor, 4);
    header.leaps = big_endian(cursor, 4);
    header.transitions = big_endian(cursor, 4);
    header.types = big_endian(cursor, 4);
    header.letters = big_endian(cursor, 4);
    if (cursor->failed || header.transitions > TRANSITIONS_MAX || header.types > TYPES_MAX ||
        header.types == 0 || header.letters > LETTERS_MAX || header.utc_marks > TYPES_MAX ||
        header.standard_marks > TYPES_MAX)
        return oi_fail(error, OI_E_CORRUPT, "a time zone file with a damaged header");
    /* The "right" zones count leap seconds, POSIX time does not. */
    if (header.leaps != 0)
        return oi_fail(error, OI_E_CORRUPT, "a time zone file with leap seconds");
    *ret_header = header;
    return OI_OK;
}

/* Past the first block, which has times of 32 bits and is there for old readers. */
static void
skip_block(struct oi_cursor *cursor, const struct tzif_header *header)
{
    (void) oi_cursor_bytes(cursor, header->transitions * 5 + header->types * 6 + header->letters +
                                       header->standard_marks + header->utc_marks);
}

static enum oi_status
read_block(struct oi_cursor *cursor, const struct tzif_header *header, size_t time_size,
           struct oi_zone *zone, struct oi_error *error)
{
    zone->count = header->transitions;
    zone->transitions = oi_alloc_zero(zone->count + 1, sizeof(zone->transitions[0]));
    zone->types = oi_alloc_zero(zone->count + 1, sizeof(zone->types[0]));
    for (size_t i = 0; i < zone->count; i++) {
        uint64_t time = big_endian(cursor, time_size);

        zone->transitions[i] = time_size == 4 ? (int32_t) (uint32_t) time : (int64_t) time;
        if (i > 0 && zone->transitions[i] <= zone->transitions[i - 1])
            return oi_fail(error, OI_E_CORRUPT, "a time zone file out of order");
    }
    for (size_t i = 0; i < zone->count; i++) {
        zone->types[i] = oi_cursor_u8(cursor);
        if (zone->types[i] >= header->types)
            return oi_fail(error, OI_E_CORRUPT, "a time zone file with a type it lacks");
    }
    for (size_t i = 0; i < header->types; i++) {
        zone->offsets[i] = (int32_t) (uint32_t) big_endian(cursor, 4);
        (void) oi_cursor_bytes(cursor, 2);
        if (zone->offsets[i] < -OFFSET_SPAN_S || zone->offsets[i] > OFFSET_SPAN_S)
            return oi_fail(error, OI_E_CORRUPT, "a time zone file with an offset past a day");
    }
    (void) oi_cursor_bytes(cursor, header->letters + header->standard_marks + header->utc_marks);
    if (cursor->failed)
        return oi_fail(error, OI_E_CORRUPT, "a time zone file that is cut");
    return OI_OK;
}

/* "\nRULE\n"; an empty rule says that nothing is known of later years. */
static enum oi_status
read_footer(struct oi_cursor *cursor, struct oi_zone *zone, struct oi_error *error)
{
    struct oi_slice rest = oi_cursor_bytes(cursor, oi_cursor_left(cursor));
    struct oi_slice rule;

    if (rest.size < 2 || rest.data[0] != '\n' || rest.data[rest.size - 1] != '\n')
        return oi_fail(error, OI_E_CORRUPT, "a time zone file without its footer");
    rule = (struct oi_slice){ rest.data + 1, rest.size - 2 };
    if (rule.size == 0)
        return OI_OK;
    if (!oi_zone_rule_parse(rule, &zone->rule))
        return oi_fail(error, OI_E_CORRUPT, "a time zone file with a malformed rule");
    zone->has_rule = true;
    return OI_OK;
}

enum oi_status
oi_zone_open(struct oi_slice tzif, struct oi_zone **ret_zone, struct oi_error *error)
{
    OI_CLEANUP(oi_zone_close) struct oi_zone *zone = oi_alloc_zero(1, sizeof(*zone));
    struct oi_cursor cursor = oi_cursor_over(tzif);
    struct tzif_header header;

    OI_TRY(read_header(&cursor, &header, error));
    if (header.version < '2') {
        OI_TRY(read_block(&cursor, &header, 4, zone, error));
    } else {
        skip_block(&cursor, &header);
        OI_TRY(read_header(&cursor, &header, error));
        OI_TRY(read_block(&cursor, &header, 8, zone, error));
        OI_TRY(read_footer(&cursor, zone, error));
    }
    *ret_zone = zone;
    zone = NULL;
    return OI_OK;
}

void
oi_zone_close(struct oi_zone **zone)
{
    if (!*zone)
        return;
    oi_free((*zone)->transitions);
    oi_free((*zone)->types);
    oi_free(*zone);
    *zone = NULL;
}

/* How many transitions are at or before `second`. */
static size_t
transitions_until(const struct oi_zone *zone, int64_t second)
{
    size_t low = 0;
    size_t high = zone->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (zone->transitions[middle] <= second)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int32_t
offset_at(const struct oi_zone *zone, int64_t second)
{
    size_t passed = transitions_until(zone, second);

    if (passed == zone->count && zone->has_rule)
        return oi_zone_rule_offset_s(&zone->rule, second);
    return zone->offsets[passed == 0 ? 0 : zone->types[passed - 1]];
}

int32_t
oi_zone_offset_s(const struct oi_zone *zone, oi_time time)
{
    return offset_at(zone, oi_time_to_s(time));
}

/* Keep the earliest instant whose clock shows `local`; any offset that was in force nearby is worth
 * trying, for it is checked. */
static bool
try_offset(const struct oi_zone *zone, int64_t local, int32_t offset, int64_t *earliest)
{
    int64_t second = local - offset;

    if (offset_at(zone, second) != offset || second >= *earliest)
        return false;
    *earliest = second;
    return true;
}

/* `local`: seconds of the civil time as if it were UTC. */
static bool
find_instant(const struct oi_zone *zone, int64_t local, int64_t *ret_second)
{
    int64_t earliest = INT64_MAX;
    bool found = false;

    found |= try_offset(zone, local, offset_at(zone, local - OFFSET_SPAN_S), &earliest);
    found |= try_offset(zone, local, offset_at(zone, local + OFFSET_SPAN_S), &earliest);
    for (size_t i = transitions_until(zone, local - OFFSET_SPAN_S);
         i < zone->count && zone->transitions[i] <= local + OFFSET_SPAN_S; i++)
        found |= try_offset(zone, local, zone->offsets[zone->types[i]], &earliest);
    if (found)
        *ret_second = earliest;
    return found;
}

static enum oi_status
to_local(const struct oi_civil *civil, int64_t *ret_local, struct oi_error *error)
{
    oi_time time;

    OI_TRY(oi_time_from_civil(civil, &time, error));
    *ret_local = oi_time_to_s(time);
    return OI_OK;
}

static enum oi_status
from_second(int64_t second, int32_t nanosecond, oi_time *ret_time, struct oi_error *error)
{
    oi_time time;

    OI_TRY(oi_time_from_s(second, &time, error));
    if (__builtin_add_overflow(time, nanosecond, &time) || time == OI_TIME_LATEST)
        return oi_fail(error, OI_E_INVALID, "a time outside the years 1677 to 2262");
    *ret_time = time;
    return OI_OK;
}

enum oi_status
oi_zone_to_time(const struct oi_zone *zone, const struct oi_civil *civil, oi_time *ret_time,
                struct oi_error *error)
{
    int64_t local, second;

    OI_TRY(to_local(civil, &local, error));
    if (!find_instant(zone, local, &second))
        return oi_fail(error, OI_E_INVALID,
                       "a time that does not exist there, the clocks went forward");
    return from_second(second, civil->nanosecond, ret_time, error);
}

enum oi_status
oi_zone_day_start(const struct oi_zone *zone, const struct oi_civil *civil, oi_time *ret_time,
                  struct oi_error *error)
{
    struct oi_civil midnight = { .year = civil->year, .month = civil->month, .day = civil->day };
    int64_t local, second, low, high;

    OI_TRY(to_local(&midnight, &local, error));
    if (find_instant(zone, local, &second))
        return from_second(second, 0, ret_time, error);
    /* The clocks jumped over midnight: the first second that shows more. */
    low = local - OFFSET_SPAN_S;
    high = local + OFFSET_SPAN_S;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;

        if (middle + offset_at(zone, middle) >= local)
            high = middle;
        else
            low = middle + 1;
    }
    return from_second(high, 0, ret_time, error);
}

/* "America/Argentina/ComodRivadavia" has 32 characters. */
#define ZONE_NAME_MAX 64

bool
oi_zone_name_is_valid(struct oi_slice name)
{
    if (name.size == 0 || name.size > ZONE_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.size; i++) {
        char character = name.data[i];
        bool is_letter =
            (character >= 'A' && character <= 'Z') || (character >= 'a' && character <= 'z');

        /* A slash stands between two parts: no absolute path, none that ends in a folder. */
        if (character == '/' && (i == 0 || i + 1 == name.size || name.data[i - 1] == '/'))
            return false;
        if (!is_letter && !(character >= '0' && character <= '9') &&
            (character == '\0' || !strchr("_+-/", character)))
            return false;
    }
    return true;
}
