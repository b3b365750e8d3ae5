/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the benchmark's data set as CSV to the standard output, the same bytes every time:
 *
 *     gen MARKETS TICKING MINUTES [market|time] [each|batch] [csv|lines]
 *
 * in the order of markets (an archive's) or of time (a collector's); known_time of each row or one
 * for the batch; as CSV or in InfluxDB's line protocol. Figures are exact decimals without trailing
 * zeros; no exchange_time is empty.
 */
#include "bench/bench_market.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "core/decimal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTPUT_SIZE ((size_t) 1 << 20)

struct output {
    struct oi_buffer buffer;
    bool failed;
    bool is_lines;
};

static void
flush(struct output *output)
{
    size_t size = output->buffer.size;

    if (fwrite(output->buffer.data, 1, size, stdout) != size)
        output->failed = true;
    oi_buffer_clear(&output->buffer);
}

/* The same row for a server that takes no CSV: its times are integers, its figures doubles. */
static void
write_line(struct oi_buffer *out, const struct bench_row *row)
{
    oi_buffer_add_text(out, "oi,market=");
    oi_buffer_add_int(out, row->market);
    oi_buffer_add_text(out, " database_time=");
    oi_buffer_add_int(out, row->known_time);
    if (row->exchange_time != OI_TIME_NONE) {
        oi_buffer_add_text(out, "i,exchange_time=");
        oi_buffer_add_int(out, row->exchange_time);
    }
    oi_buffer_add_text(out, "i,contract_count=");
    oi_decimal_write_plain(row->contracts, -row->contracts_digits, out);
    oi_buffer_add_text(out, ",value_usd=");
    oi_decimal_write_plain(row->value_usd, -row->value_digits, out);
    oi_buffer_add_text(out, ",mark_price=");
    oi_decimal_write_plain(row->mark_price, -row->price_digits, out);
    oi_buffer_add_char(out, ' ');
    oi_buffer_add_int(out, row->time);
    oi_buffer_add_char(out, '\n');
}

static void
write_values(struct oi_buffer *out, const struct bench_row *row)
{
    oi_buffer_add_int(out, row->market);
    oi_buffer_add_char(out, ',');
    oi_buffer_add_int(out, row->time);
    oi_buffer_add_char(out, ',');
    if (row->exchange_time != OI_TIME_NONE)
        oi_buffer_add_int(out, row->exchange_time);
    oi_buffer_add_char(out, ',');
    oi_buffer_add_int(out, row->known_time);
    oi_buffer_add_char(out, ',');
    oi_decimal_write_plain(row->contracts, -row->contracts_digits, out);
    oi_buffer_add_char(out, ',');
    oi_decimal_write_plain(row->value_usd, -row->value_digits, out);
    oi_buffer_add_char(out, ',');
    oi_decimal_write_plain(row->mark_price, -row->price_digits, out);
    oi_buffer_add_char(out, '\n');
}

static void
write_row(struct output *output, const struct bench_row *row)
{
    if (output->is_lines)
        write_line(&output->buffer, row);
    else
        write_values(&output->buffer, row);
    if (output->buffer.size > OUTPUT_SIZE)
        flush(output);
}

static void
write_by_market(struct output *output, const struct bench_world *world)
{
    for (uint32_t i = 0; i < world->market_count; i++) {
        struct bench_market *market = bench_market_new(world, i);
        struct bench_row row;

        while (bench_market_next(market, &row))
            write_row(output, &row);
        bench_market_free(&market);
    }
}

/* Minute after minute, each market in its turn. */
static void
write_by_time(struct output *output, const struct bench_world *world)
{
    size_t count = world->market_count;
    struct bench_market **markets = oi_alloc(count * sizeof(struct bench_market *));
    struct bench_row *rows = oi_alloc(count * sizeof(*rows)); /* the next one of each */

    for (uint32_t i = 0; i < count; i++) {
        markets[i] = bench_market_new(world, i);
        if (!bench_market_next(markets[i], &rows[i]))
            rows[i].minute = UINT32_MAX;
    }
    for (uint32_t minute = 0; minute < world->minutes; minute++) {
        for (size_t i = 0; i < count; i++) {
            while (rows[i].minute == minute) {
                write_row(output, &rows[i]);
                if (!bench_market_next(markets[i], &rows[i]))
                    rows[i].minute = UINT32_MAX;
            }
        }
    }
    for (size_t i = 0; i < count; i++)
        bench_market_free(&markets[i]);
    oi_free(markets);
    oi_free(rows);
}

int
main(int argc, char **argv)
{
    struct output output = { .buffer = { .size_max = 2 * OUTPUT_SIZE } };
    struct bench_world world = {};

    if (argc < 4) {
        (void) fprintf(stderr,
                       "gen MARKETS TICKING MINUTES [market|time] [each|batch] [csv|lines]\n");
        return 2;
    }
    world.tick_count = (uint32_t) strtoul(argv[2], NULL, 10);
    world.market_count = (uint32_t) strtoul(argv[1], NULL, 10) + world.tick_count;
    world.minutes = (uint32_t) strtoul(argv[3], NULL, 10);
    world.one_known_time = argc > 5 && strcmp(argv[5], "batch") == 0;
    output.is_lines = argc > 6 && strcmp(argv[6], "lines") == 0;
    if (!output.is_lines)
        oi_buffer_add_text(&output.buffer, "market,time,exchange_time,database_time,"
                                           "contract_count,value_usd,mark_price\n");
    if (argc > 4 && strcmp(argv[4], "time") == 0)
        write_by_time(&output, &world);
    else
        write_by_market(&output, &world);
    flush(&output);
    oi_buffer_release(&output.buffer);
    return output.failed || fflush(stdout) != 0 ? 1 : 0;
}
