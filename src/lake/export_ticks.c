/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: with the other files in lake/export_test.c */
/* Aperiodic's file of raw readings: each with both its clocks. */
#include "lake/export_internal.h"

#include "base/vector.h"
#include "lake/parquet.h"

/* Later than this a row's arrival says nothing about its instant: it was imported. As for bars. */
#define ARRIVAL_MAX OI_HOUR

struct tick_columns {
    OI_VECTOR(int64_t) time, local, kind_starts;
    struct oi_buffer kinds;
    /* allow float-type: the vendor's column is a double */
    OI_VECTOR(double) amounts;
    OI_VECTOR(bool) present;
};

static void
add_tick(struct tick_columns *columns, const struct oi_block *block, size_t row)
{
    struct oi_observation reading = oi_columns_get(block->rows, row);
    struct oi_decimal amount = oi_decimals_get(&block->amounts, row);
    oi_time time = reading.exchange_time != OI_TIME_NONE ? reading.exchange_time : reading.time;
    bool is_local =
        reading.known_time >= reading.time && reading.known_time - reading.time <= ARRIVAL_MAX;

    oi_vector_push(&columns->time, time);
    oi_vector_push(&columns->local, is_local ? reading.known_time : time);
    oi_vector_push(&columns->kind_starts, (int64_t) columns->kinds.size);
    oi_buffer_add_text(&columns->kinds, is_local ? "local" : "exchange");
    oi_vector_push(&columns->amounts, oi_decimal_to_double(&amount));
    oi_vector_push(&columns->present, !oi_decimal_is_none(&amount));
}

static enum oi_status
gather(struct oi_result *result, struct tick_columns *columns, struct oi_error *error)
{
    const struct oi_block *block;

    for (;;) {
        OI_TRY(oi_result_next(result, &block, error));
        if (!block)
            return OI_OK;
        for (size_t row = 0; row < block->count; row++)
            add_tick(columns, block, row);
    }
}

static void
release(struct tick_columns *columns)
{
    oi_vector_release(&columns->time);
    oi_vector_release(&columns->local);
    oi_vector_release(&columns->kind_starts);
    oi_buffer_release(&columns->kinds);
    oi_vector_release(&columns->amounts);
    oi_vector_release(&columns->present);
}

enum oi_status
export_ticks_of(struct oi_result *result, struct oi_buffer *out, struct oi_error *error)
{
    OI_CLEANUP(release) struct tick_columns columns = {};
    struct oi_parquet_column file[] = {
        { .name = "exchange_timestamp", .type = OI_PARQUET_TIMESTAMP_UTC_NANOS },
        { .name = "local_timestamp", .type = OI_PARQUET_TIMESTAMP_UTC_NANOS },
        { .name = "local_timestamp_kind", .type = OI_PARQUET_STRING },
        { .name = "open_interest", .type = OI_PARQUET_DOUBLE, .is_nullable = true },
    };

    OI_TRY(gather(result, &columns, error));
    file[0].integers = columns.time.items;
    file[1].integers = columns.local.items;
    file[2].texts =
        (struct oi_parquet_texts){ oi_buffer_slice(&columns.kinds), columns.kind_starts.items };
    file[3].doubles = columns.amounts.items;
    file[3].present = columns.present.items;
    return oi_parquet_write(file, OI_COUNT(file), columns.time.count, out, error);
}

enum oi_status
oi_export_ticks(const struct oi_source *source, const struct oi_query *query, struct oi_buffer *out,
                struct oi_problem *problem, struct oi_error *error)
{
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;

    OI_TRY(oi_query_run(source, query, &result, problem, error));
    return export_ticks_of(result, out, error);
}
