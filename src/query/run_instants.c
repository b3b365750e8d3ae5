/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A market's last readings at several instants. The store looks for them in one go; what is damaged
 * there or held to be bad is asked for reading by reading.
 */
/* no unit test: run_overview_test asks */
#include "query/run_internal.h"

/* One series' say to the instants. */
static void
hear(const struct run *run, uint32_t series, const struct oi_instant *instants, size_t count,
     struct run_reading *readings)
{
    for (size_t i = 0; i < count; i++) {
        const struct oi_observation *reading = &instants[i].reading;

        if (instants[i].status == OI_E_CORRUPT ||
            (instants[i].status == OI_OK && (reading->flags & OI_FLAG_BAD) &&
             !run->query->shows_bad))
            readings[i].is_lost = true;
        if (instants[i].status != OI_OK ||
            (readings[i].series != 0 && reading->time <= readings[i].reading.time))
            continue;
        readings[i].series = series;
        readings[i].reading = *reading;
    }
}

void
run_readings_at(struct run *run, const struct oi_instrument *instrument, const oi_time *times,
                size_t count, struct run_reading *ret_readings)
{
    bool is_now = run->moment.as_of == OI_TIME_LATEST && run->moment.as_stored == OI_TIME_LATEST;
    struct oi_instant instants[RUN_INSTANTS_MAX];
    uint32_t series[OI_FEEDS_MAX];
    size_t series_count =
        oi_series_by_precedence(run->catalog, instrument->id, series, OI_FEEDS_MAX);

    oi_assert(count <= RUN_INSTANTS_MAX);
    for (size_t i = 0; i < count; i++) {
        instants[i].time = times[i];
        ret_readings[i].series = 0;
        ret_readings[i].is_lost = !is_now;
    }
    for (size_t i = 0; i < series_count && is_now; i++) {
        oi_store_at_instants(run->source->store, series[i], instants, count);
        hear(run, series[i], instants, count, ret_readings);
    }
    for (size_t i = 0; i < count; i++) {
        struct run_reading *found = &ret_readings[i];

        if (found->is_lost)
            run_reading_at(run, instrument, times[i], found);
        else if (found->series != 0)
            oi_facts_at(run->source, run->catalog, found->series, found->reading.time,
                        run->moment.as_of, &found->facts);
    }
}
