/* SPDX-License-Identifier: Apache-2.0 */
/* Any text: what parses as a time must read back as it is written, and lie in its bucket. */
#include "core/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_time(oi_time time)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};
    struct oi_civil civil = oi_time_to_civil(time);
    oi_time again;

    oi_assert(time != OI_TIME_NONE && time != OI_TIME_LATEST);
    oi_time_write(time, 9, &out);
    oi_assert(oi_time_parse_utc(oi_buffer_slice(&out), &again, NULL) == OI_OK);
    oi_assert(again == time);
    oi_assert(oi_time_from_civil(&civil, &again, NULL) == OI_OK);
    oi_assert(again == time);
}

static void
check_interval(int64_t interval_ns, oi_time time)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};
    int64_t again;

    oi_interval_write(interval_ns, &out);
    oi_assert(oi_interval_parse(oi_buffer_slice(&out), &again, NULL) == OI_OK);
    oi_assert(again == interval_ns);
    oi_assert(oi_interval_floor(interval_ns, time) <= time);
    oi_assert(oi_interval_ceil(interval_ns, time) >= time);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oi_slice rest = { (const char *) data, size };
    struct oi_slice first = {};
    int64_t interval_ns;
    oi_time time;

    if (!oi_slice_next_part(&rest, '\n', &first) || oi_time_parse_utc(first, &time, NULL) != OI_OK)
        return 0;
    check_time(time);
    if (oi_interval_parse(rest, &interval_ns, NULL) == OI_OK)
        check_interval(interval_ns, time);
    return 0;
}
