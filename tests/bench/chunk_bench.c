/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The codec alone, on one core and out of cache: chunk_bench MARKETS DAYS. Encoding, decoding all
 * columns, decoding one, and how fast memory copies what decoding puts out; then what each column
 * costs, found by adding one after the other.
 */
#include "bench/bench.h"
#include "bench/bench_market.h"

#include "base/alloc.h"
#include "base/compiler.h"
#include "base/slice.h"
#include "store/chunk.h"
#include "store/rows.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

#define REPETITIONS 5
/* time, exchange_time, known_time, batch, three figures with mantissa: what decoding puts out. */
#define ROW_BYTES (7 * sizeof(int64_t))

struct set {
    OI_VECTOR(struct oi_rows) chunks;
    OI_VECTOR(struct oi_buffer) encoded;
    size_t row_count;
};

static const struct oi_slice key = { "bench", 5 };

static struct oi_observation
reading_of(const struct bench_row *row)
{
    struct oi_observation reading = OI_OBSERVATION_NONE;

    reading.time = row->time;
    reading.exchange_time = row->exchange_time;
    reading.known_time = row->known_time;
    reading.open_interest = oi_decimal_from(row->contracts, -row->contracts_digits);
    reading.value_usd = oi_decimal_from(row->value_usd, -row->value_digits);
    reading.mark_price = oi_decimal_from(row->mark_price, -row->price_digits);
    return reading;
}

static void
fill(struct set *set, const struct bench_world *world)
{
    for (uint32_t i = 0; i < world->market_count; i++) {
        struct bench_market *market = bench_market_new(world, i);
        struct oi_rows rows = {};
        struct bench_row row;

        while (bench_market_next(market, &row)) {
            struct oi_observation reading = reading_of(&row);

            /* A batch of an import is many rows of one market. */
            oi_rows_add(&rows, &reading, 1 + set->row_count / 20'000);
            set->row_count++;
            if (rows.count < OI_CHUNK_ROWS)
                continue;
            oi_vector_push(&set->chunks, rows);
            rows = (struct oi_rows){};
        }
        if (rows.count > 0)
            oi_vector_push(&set->chunks, rows);
        bench_market_free(&market);
    }
}

/* Encode all; the columns are made ready before the clock starts. Returns the bytes. */
static size_t
encode(struct set *set, unsigned wanted, struct bench_samples *samples)
{
    struct oi_rows_columns columns = {};
    int64_t elapsed = 0;
    size_t size = 0;

    for (size_t i = 0; i < set->chunks.count; i++) {
        struct oi_buffer out = {};
        int64_t from;

        oi_rows_columns_fill(&columns, &set->chunks.items[i], 0, set->chunks.items[i].count,
                             wanted);
        from = bench_now_ns();
        oi_chunk_encode(key, &columns.columns, NULL, &out);
        elapsed += bench_now_ns() - from;
        size += out.size;
        if (set->encoded.count < set->chunks.count)
            oi_vector_push(&set->encoded, out);
        else
            oi_buffer_release(&out);
    }
    oi_rows_columns_release(&columns);
    if (samples) {
        oi_vector_push(&samples->ns, elapsed);
        samples->bytes += size;
        samples->items += set->row_count;
    }
    return size;
}

static void
decode(const struct set *set, unsigned wanted, struct bench_samples *samples)
{
    struct oi_chunk chunk = {};
    struct oi_error error = {};
    int64_t from = bench_now_ns();

    for (size_t i = 0; i < set->encoded.count; i++)
        bench_check(
            oi_chunk_decode(key, oi_buffer_slice(&set->encoded.items[i]), wanted, &chunk, &error),
            &error);
    oi_vector_push(&samples->ns, bench_now_ns() - from);
    samples->bytes += set->row_count * ROW_BYTES;
    samples->items += set->row_count;
    oi_chunk_release(&chunk);
}

/* As many bytes as decoding puts out, from one large block into another. */
static void
copy(const struct set *set, struct bench_samples *samples)
{
    size_t size = set->row_count * ROW_BYTES;
    char *from = oi_alloc(size), *to = oi_alloc(size);

    memset(from, 1, size);
    memset(to, 2, size);
    for (int i = 0; i < REPETITIONS; i++) {
        int64_t start = bench_now_ns();

        memcpy(to, from, size);
        oi_vector_push(&samples->ns, bench_now_ns() - start);
        samples->bytes += size;
        samples->items += set->row_count;
        if (to[size / 2] != from[size / 2])
            bench_die("memory does not copy");
    }
    oi_free(from);
    oi_free(to);
}

/* Each column's cost beside those before it; the value comes last, since it is predicted. */
static void
weigh(struct set *set)
{
    static const struct {
        const char *name;
        unsigned column;
    } steps[] = {
        { "exchange_time", OI_COLUMN_EXCHANGE_TIME },
        { "open_interest", OI_COLUMN_OPEN_INTEREST },
        { "mark_price", OI_COLUMN_MARK_PRICE },
        { "value_usd", OI_COLUMN_VALUE_USD },
    };
    /* A chunk always has its known_time and batch: they are weighed as what is left. */
    unsigned wanted = OI_COLUMN_KNOWN_TIME | OI_COLUMN_BATCH;
    size_t before = encode(set, wanted, NULL), first = before;

    for (size_t i = 0; i < OI_COUNT(steps); i++) {
        size_t size;

        wanted |= steps[i].column;
        size = encode(set, wanted, NULL);
        (void) printf("{\"work\":\"column_%s\",\"bytes\":%zu,\"items\":%zu}\n", steps[i].name,
                      size - before, set->row_count);
        before = size;
    }
    (void) printf("{\"work\":\"column_time_known_time_batch\",\"bytes\":%zu,\"items\":%zu}\n",
                  first, set->row_count);
    (void) printf("{\"work\":\"column_all\",\"bytes\":%zu,\"items\":%zu}\n", before,
                  set->row_count);
}

int
main(int argc, char **argv)
{
    struct bench_samples samples = {};
    struct bench_world world = {};
    struct set set = {};

    if (argc < 3)
        bench_die("chunk_bench MARKETS DAYS [batch]");
    world.market_count = (uint32_t) bench_number(argv[1]);
    world.minutes = (uint32_t) bench_number(argv[2]) * 1440;
    world.one_known_time = argc > 3 && strcmp(argv[3], "batch") == 0;
    fill(&set, &world);
    for (int i = 0; i < REPETITIONS; i++)
        (void) encode(&set, OI_COLUMNS_ALL, &samples);
    bench_report("encode", &samples);
    for (int i = 0; i < REPETITIONS; i++)
        decode(&set, OI_COLUMNS_ALL, &samples);
    bench_report("decode_all", &samples);
    for (int i = 0; i < REPETITIONS; i++)
        decode(&set, OI_COLUMN_OPEN_INTEREST, &samples);
    bench_report("decode_open_interest", &samples);
    copy(&set, &samples);
    bench_report("floor_copy", &samples);
    weigh(&set);
    return 0;
}
