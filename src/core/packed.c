/* SPDX-License-Identifier: Apache-2.0 */
/* Packed readings back into observations, and the runs among them. */
#include "core/packed.h"

/* Runs are of so many rows at least, on average. */
#define RUN_ROWS_MIN 8
/* With so many of them it is judged. */
#define RUNS_AT_ONCE 64

struct oi_decimal
oi_packed_figure(const struct oi_packed *packed, unsigned figure, const struct oi_decimal *wides)
{
    int exponent = packed->exponents[figure];

    if (exponent == OI_EXPONENT_NONE)
        return (struct oi_decimal){};
    if (exponent == OI_EXPONENT_WIDE)
        return wides[packed->mantissas[figure]];
    return oi_decimal_from(packed->mantissas[figure], exponent);
}

struct oi_observation
oi_packed_get(const struct oi_packed *packed, const struct oi_decimal *wides)
{
    return (struct oi_observation){
        .time = packed->time,
        .exchange_time = packed->exchange_time,
        .known_time = packed->known_time,
        .open_interest = oi_packed_figure(packed, 0, wides),
        .value_usd = oi_packed_figure(packed, 1, wides),
        .mark_price = oi_packed_figure(packed, 2, wides),
        .index_price = oi_packed_figure(packed, 3, wides),
        .last_price = oi_packed_figure(packed, 4, wides),
        .flags = packed->flags,
    };
}

/* The run that begins at `from`. */
static struct oi_packed_run
run_at(const struct oi_packed *rows, size_t count, size_t from)
{
    struct oi_packed_run run = { .from = (uint32_t) from,
                                 .target = rows[from].target,
                                 .first = rows[from].time,
                                 .known_last = OI_TIME_NONE };
    oi_time last = OI_TIME_NONE;
    size_t i = from;

    do {
        const struct oi_packed *row = &rows[i];

        last = row->time;
        run.lacks_interest |= row->exponents[0] == OI_EXPONENT_NONE;
        run.known_last = row->known_time > run.known_last ? row->known_time : run.known_last;
        run.figures |= oi_packed_figures(row);
        i++;
    } while (i < count && rows[i].target == run.target && rows[i].time > last);
    run.last = last;
    run.count = (uint32_t) (i - from);
    return run;
}

void
oi_packed_runs_find(const struct oi_packed *rows, size_t count, struct oi_packed_runs *runs)
{
    oi_vector_clear(runs);
    for (size_t from = 0; from < count;) {
        const struct oi_packed_run run = run_at(rows, count, from);

        oi_vector_push(runs, run);
        from += run.count;
        if (runs->count % RUNS_AT_ONCE == 0 && from < runs->count * RUN_ROWS_MIN) {
            oi_vector_clear(runs);
            return;
        }
    }
}
