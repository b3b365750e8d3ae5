/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store through its own interface:
 *
 *     store_bench define FOLDER MARKETS  what a venue says of the markets that are imported next
 *     store_bench live FOLDER BATCHES    whole-world minutes of 12,000 markets into a new store
 *     store_bench read FOLDER            newest values, hours, rows and totals of an imported one;
 *                                        with WORK COUNT behind it, one of them so many times
 *     store_bench closes FOLDER          the total of hourly closes itself: lines of hour, sum
 *
 * Beside the batches, a plain file in the same folder takes as many bytes with fdatasync: nothing
 * durable can be faster.
 */
#include "bench/bench.h"
#include "bench/bench_market.h"

#include "base/alloc.h"
#include "base/random.h"
#include "series/candle.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIVE_MARKETS 12'000
/* The one coin's markets, as in gen.c. */
#define TOTAL_MARKETS 60
#define HOURS 200
/* Sums are kept for this many numbers of digits behind the point. */
#define SUM_EXPONENTS 16
/* Up to so many zeros are added to integers that had none behind the point. */
#define SCALED_MAX 6
/* Reads of the newest value between two looks at the clock, which costs about as much as one. */
#define LATEST_TIMES 1000
/* Of the data set that questions are counted for. */
#define FEW_MARKETS 510
#define FLOOR_TIMES 200

static struct oi_error error;

/*
 * Writing.
 */

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

/* Markets named by their number; the first sixty are of one coin. */
static void
define_markets(struct oi_store *store, uint32_t count, uint32_t *ids)
{
    struct oi_instrument *instruments = oi_alloc(count * sizeof(*instruments));

    for (uint32_t i = 0; i < count; i++) {
        struct oi_instrument *instrument = &instruments[i];
        char symbol[24], coin[24];

        (void) snprintf(symbol, sizeof(symbol), "%d", (int) i);
        (void) snprintf(coin, sizeof(coin), "A%d", (int) i);
        *instrument = OI_INSTRUMENT_NONE;
        instrument->kind = OI_KIND_PERPETUAL;
        instrument->settlement = OI_SETTLEMENT_LINEAR;
        instrument->contract_size = oi_decimal_from(1, 0);
        bench_check(OI_NAME_SET(instrument->exchange, OI_SLICE("bench"), &error), &error);
        bench_check(OI_NAME_SET(instrument->product, OI_SLICE("linear"), &error), &error);
        bench_check(OI_NAME_SET(instrument->symbol, oi_slice_of(symbol), &error), &error);
        bench_check(OI_NAME_SET(instrument->base,
                                i < TOTAL_MARKETS ? OI_SLICE("BTC") : oi_slice_of(coin), &error),
                    &error);
        bench_check(OI_NAME_SET(instrument->quote, OI_SLICE("USDT"), &error), &error);
    }
    bench_check(oi_store_define(store, instruments, count, ids, NULL, &error), &error);
    oi_free(instruments);
}

static void
define(const char *folder, uint32_t count)
{
    struct oi_store *store = NULL;

    bench_check(oi_store_open(folder, NULL, &store, &error), &error);
    define_markets(store, count, NULL);
    oi_store_close(&store);
}

static void
define_world(struct oi_store *store, uint32_t *series)
{
    uint32_t *ids = oi_alloc(LIVE_MARKETS * sizeof(*ids));
    struct oi_feed facts = { .name = "live" };
    uint16_t feed;

    define_markets(store, LIVE_MARKETS, ids);
    bench_check(oi_store_feed(store, &facts, &feed, &error), &error);
    bench_check(oi_store_series_all(store, ids, LIVE_MARKETS, feed, series, &error), &error);
    oi_free(ids);
}

/* The rows of one minute of every market; a market that was not reached gives none. */
static size_t
next_minute(struct bench_market **markets, const uint32_t *series, struct bench_row *ahead,
            uint32_t minute, struct oi_row *rows)
{
    size_t count = 0;

    for (int i = 0; i < LIVE_MARKETS; i++) {
        if (ahead[i].minute != minute)
            continue;
        rows[count++] = (struct oi_row){ series[i], reading_of(&ahead[i]) };
        if (!bench_market_next(markets[i], &ahead[i]))
            ahead[i].minute = UINT32_MAX;
    }
    return count;
}

/* What the disk needs for as many bytes, appended to a file and synced. */
static void
floor_sync(const char *folder, uint64_t bytes, uint64_t count)
{
    struct bench_samples samples = {};
    char path[512], *block = oi_alloc_zero(1, bytes);
    int file;

    (void) snprintf(path, sizeof(path), "%s/floor", folder);
    file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0)
        bench_die(strerror(errno));
    for (uint64_t i = 0; i < count; i++) {
        int64_t from = bench_now_ns();

        if (write(file, block, bytes) != (ssize_t) bytes || fdatasync(file) != 0)
            bench_die(strerror(errno));
        oi_vector_push(&samples.ns, bench_now_ns() - from);
        samples.bytes += bytes;
    }
    (void) close(file);
    (void) unlink(path);
    oi_free(block);
    bench_report("floor_sync", &samples);
}

/* What this process has of its own, in bytes, and shares with no file. */
static uint64_t
anonymous_bytes(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[128];
    uint64_t kib = 0;

    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, "RssAnon:", 8) == 0)
            kib = strtoull(line + 8, NULL, 10);
    if (file)
        (void) fclose(file);
    return kib << 10;
}

static void
append(struct oi_store *store, const struct oi_row *rows, size_t count,
       struct bench_samples *samples)
{
    struct oi_append_result result;
    const struct oi_batch batch = { .rows = rows, .row_count = count };
    int64_t from = bench_now_ns();

    bench_check(oi_store_append(store, &batch, &result, &error), &error);
    oi_vector_push(&samples->ns, bench_now_ns() - from);
    samples->items += count;
    if (result.stored != count)
        bench_die("not every row of a batch was stored");
}

/* What a server does in the minute behind a batch (cli/upkeep.c); the commit did not wait for it.
 */
static void
upkeep(struct oi_store *store, struct bench_samples *samples)
{
    const struct oi_checkpoint_plan plan = {
        .rows_max = 100'000, .share = 360, .crowd = 100, .log_max = 1'000'000
    };
    int64_t from = bench_now_ns();
    size_t due;

    for (int i = 0; i < 6; i++)
        bench_check(oi_store_checkpoint_share(store, &plan, &due, &error), &error);
    oi_vector_push(&samples->ns, bench_now_ns() - from);
}

static void
live(const char *folder, uint32_t batches)
{
    struct bench_world world = { .market_count = LIVE_MARKETS,
                                 .minutes = batches,
                                 .one_known_time = true };
    struct bench_market **markets = oi_alloc(LIVE_MARKETS * sizeof(struct bench_market *));
    struct bench_row *ahead = oi_alloc(LIVE_MARKETS * sizeof(*ahead));
    struct oi_row *rows = oi_alloc(LIVE_MARKETS * sizeof(*rows));
    uint32_t *series = oi_alloc(LIVE_MARKETS * sizeof(*series));
    struct bench_samples commits = {}, checkpoints = {};
    struct oi_store *store = NULL;
    struct oi_store_stats stats = {};
    uint64_t used = 0, grown = 0, memory = 0;

    bench_check(oi_store_open(folder, NULL, &store, &error), &error);
    define_world(store, series);
    for (uint32_t i = 0; i < LIVE_MARKETS; i++) {
        markets[i] = bench_market_new(&world, i);
        if (!bench_market_next(markets[i], &ahead[i]))
            ahead[i].minute = UINT32_MAX;
    }
    for (uint32_t minute = 0; minute < batches; minute++) {
        size_t count = next_minute(markets, series, ahead, minute, rows);

        oi_store_stats(store, &stats);
        used = stats.used_bytes;
        append(store, rows, count, &commits);
        oi_store_stats(store, &stats);
        if (minute == 0)
            grown = stats.used_bytes > used ? stats.used_bytes - used : 1;
        upkeep(store, &checkpoints);
        checkpoints.items += count;
        memory = anonymous_bytes() > memory ? anonymous_bytes() : memory;
    }
    commits.bytes = grown * batches;
    bench_report("live", &commits);
    bench_report("checkpoint", &checkpoints);
    oi_store_close(&store);
    (void) printf("{\"work\":\"live_memory\",\"bytes\":%llu}\n", (unsigned long long) memory);
    floor_sync(folder, grown, batches < FLOOR_TIMES ? batches : FLOOR_TIMES);
    for (uint32_t i = 0; i < LIVE_MARKETS; i++)
        bench_market_free(&markets[i]);
    oi_free(markets);
    oi_free(ahead);
    oi_free(rows);
    oi_free(series);
}

/*
 * Reading. Markets of the imported store are named by their number.
 */

struct reader {
    struct oi_store *store;
    struct oi_random random;
    uint32_t *series; /* by market */
    uint32_t market_count;
    struct oi_span span;               /* of everything */
    struct oi_candles rows;            /* candles made from rows */
    struct oi_decimal *sums;           /* of each hour */
    __int128 *integers[SUM_EXPONENTS]; /* the same, by the number of digits behind the point */
    oi_time first_hour;
    size_t hours, items;
};

static uint32_t
any_market(struct reader *reader)
{
    return reader->series[oi_random_below(&reader->random, reader->market_count)];
}

static void
find_markets(struct reader *reader)
{
    const struct oi_catalog *catalog = oi_store_catalog(reader->store);

    reader->market_count = (uint32_t) catalog->series_count;
    reader->series = oi_alloc_zero(catalog->series_count, sizeof(*reader->series));
    reader->span = (struct oi_span){ OI_TIME_LATEST, OI_TIME_EARLIEST };
    for (size_t i = 0; i < catalog->series_count; i++) {
        const struct oi_series *series = &catalog->series[i];
        uint64_t market = bench_number(catalog->instruments[series->instrument - 1].symbol);
        struct oi_extent extent;

        if (market >= reader->market_count)
            bench_die("this is not the store of the benchmark");
        reader->series[market] = series->id;
        bench_check(oi_store_extent(reader->store, series->id, &extent, &error), &error);
        if (extent.first < reader->span.from)
            reader->span.from = extent.first;
        if (extent.last >= reader->span.to)
            reader->span.to = extent.last + 1;
    }
    oi_catalog_unref(&catalog);
}

static void
latest(struct reader *reader)
{
    struct oi_observation reading;

    for (int i = 0; i < LATEST_TIMES; i++)
        bench_check(oi_store_latest(reader->store, any_market(reader), &reading, &error), &error);
    reader->items = LATEST_TIMES;
}

/* The last reading at any time. */
static void
at_any_time(struct reader *reader)
{
    uint64_t width = (uint64_t) (reader->span.to - reader->span.from - OI_HOUR) / OI_SECOND;
    oi_time time =
        reader->span.from + OI_HOUR + (oi_time) oi_random_below(&reader->random, width) * OI_SECOND;
    struct oi_observation reading;

    bench_check(
        oi_store_at(reader->store, any_market(reader), time, OI_MOMENT_LATEST, &reading, &error),
        &error);
    reader->items = 1;
}

static enum oi_status
count_rollup(void *context, const struct oi_rollup *rollup)
{
    struct reader *reader = context;

    reader->items += rollup->count > 0;
    return OI_OK;
}

static enum oi_status
count_rollups(void *context, const struct oi_rollup_columns *columns)
{
    struct reader *reader = context;

    reader->items += columns->count;
    return OI_OK;
}

static struct oi_span
last_hours(const struct reader *reader)
{
    oi_time to = oi_interval_ceil(OI_HOUR, reader->span.to);

    return (struct oi_span){ to - HOURS * OI_HOUR, to };
}

static void
candles_from_rollups(struct reader *reader)
{
    const struct oi_rollup_request request = {
        .series = any_market(reader),
        .interval_ns = OI_HOUR,
        .span = last_hours(reader),
        .parts = OI_ROLLUP_FIRST | OI_ROLLUP_HIGH | OI_ROLLUP_LOW | OI_ROLLUP_LAST,
        .columns = { OI_COLUMN_OPEN_INTEREST | OI_COLUMN_MARK_PRICE, OI_COLUMN_OPEN_INTEREST,
                     OI_COLUMN_OPEN_INTEREST, OI_COLUMN_OPEN_INTEREST | OI_COLUMN_MARK_PRICE },
        .each_columns = count_rollups,
        .each = count_rollup,
        .context = reader,
    };

    bench_check(oi_store_rollup_columns(reader->store, &request, &error), &error);
}

static void
scan(struct reader *reader, const struct oi_scan_request *request,
     void (*each)(struct reader *reader, const struct oi_columns *columns))
{
    struct oi_scan *scan = NULL;
    const struct oi_columns *columns;

    bench_check(oi_store_scan(reader->store, request, &scan, &error), &error);
    for (;;) {
        bench_check(oi_scan_next(scan, &columns, &error), &error);
        if (!columns)
            break;
        each(reader, columns);
    }
    oi_scan_close(&scan);
}

static void
add_to_candles(struct reader *reader, const struct oi_columns *columns)
{
    oi_candles_add(&reader->rows, &(struct oi_readings){ .time = columns->time,
                                                         .amounts = &columns->open_interest,
                                                         .prices = &columns->mark_price,
                                                         .count = columns->count });
}

static void
candles_from_rows(struct reader *reader)
{
    const struct oi_scan_request request = { .series = any_market(reader),
                                             .span = last_hours(reader),
                                             .moment = OI_MOMENT_LATEST,
                                             .columns =
                                                 OI_COLUMN_OPEN_INTEREST | OI_COLUMN_MARK_PRICE };

    reader->rows = (struct oi_candles){ .interval_ns = OI_HOUR };
    scan(reader, &request, add_to_candles);
    reader->items = reader->rows.items.count;
    oi_candles_release(&reader->rows);
}

static void
count_rows(struct reader *reader, const struct oi_columns *columns)
{
    reader->items += columns->count;
}

/* The last of the markets, which tick every ten seconds. */
static void
raw_columns(struct reader *reader)
{
    uint32_t market = reader->market_count - 1 - (uint32_t) oi_random_below(&reader->random, 10);
    const struct oi_scan_request request = { .series = reader->series[market],
                                             .span = OI_SPAN_ALL,
                                             .moment = OI_MOMENT_LATEST,
                                             .columns = OI_COLUMNS_ALL & ~OI_COLUMN_BATCH &
                                                        ~OI_COLUMN_INDEX_PRICE &
                                                        ~OI_COLUMN_LAST_PRICE,
                                             .limit = 100'000 };

    scan(reader, &request, count_rows);
}

static void
add_to_hour(struct reader *reader, oi_time start, const struct oi_decimal *value)
{
    size_t hour = (size_t) ((start - reader->first_hour) / OI_HOUR);

    if (hour >= reader->hours)
        return;
    if (oi_decimal_is_none(&reader->sums[hour]))
        reader->sums[hour] = *value;
    else
        bench_check(oi_decimal_add(&reader->sums[hour], value, &reader->sums[hour], &error),
                    &error);
}

static enum oi_status
add_close(void *context, const struct oi_rollup *rollup)
{
    add_to_hour(context, rollup->start, &rollup->last.value_usd);
    return OI_OK;
}

/* Hours that follow one another; false where they do not, or are not all of the answer. */
static bool
is_stretch(const struct reader *reader, const struct oi_rollup_columns *columns, size_t *ret_first)
{
    size_t last = columns->count - 1;

    *ret_first = (size_t) ((columns->starts[0] - reader->first_hour) / OI_HOUR);
    return columns->starts[last] - columns->starts[0] == (int64_t) last * OI_HOUR &&
           *ret_first + last < reader->hours;
}

/* Integers of one exponent are added up as such; what is of another one, as decimals. */
static enum oi_status
add_closes(void *context, const struct oi_rollup_columns *columns)
{
    struct reader *reader = context;
    const struct oi_decimals *values = &columns->last.value_usd;
    size_t first;

    if (!values->exponents && values->mantissas && values->exponent <= SCALED_MAX &&
        values->exponent > -SUM_EXPONENTS && is_stretch(reader, columns, &first)) {
        __int128 *sums = reader->integers[values->exponent < 0 ? -values->exponent : 0] + first;
        int64_t factor = 1;

        for (int more = values->exponent; more > 0; more--)
            factor *= 10;
        for (size_t i = 0; i < columns->count; i++)
            sums[i] += (__int128) values->mantissas[i] * factor;
        return OI_OK;
    }
    for (size_t i = 0; i < columns->count; i++) {
        struct oi_decimal value = oi_decimals_get(values, i);

        add_to_hour(reader, columns->starts[i], &value);
    }
    return OI_OK;
}

/* Add an integer of so many digits behind the point to an hour. */
static void
add_integer(struct reader *reader, size_t hour, __int128 sum, int digits)
{
    const __int128 unit = 1'000'000'000'000;
    struct oi_decimal upper, lower;

    if (sum >= INT64_MIN && sum <= INT64_MAX) {
        upper = oi_decimal_from((int64_t) sum, -digits);
    } else {
        upper = oi_decimal_from((int64_t) (sum / unit), 12 - digits);
        lower = oi_decimal_from((int64_t) (sum % unit), -digits);
        bench_check(oi_decimal_add(&upper, &lower, &upper, &error), &error);
    }
    add_to_hour(reader, reader->first_hour + (int64_t) hour * OI_HOUR, &upper);
}

/* The integers as decimals, all of an hour as one as long as they fit. */
static void
finish_sums(struct reader *reader)
{
    for (size_t hour = 0; hour < reader->hours; hour++) {
        const __int128 limit = (__int128) 1 << 120;
        __int128 sum = 0;
        int digits = 0;

        for (int more = 0; more < SUM_EXPONENTS; more++) {
            __int128 part = reader->integers[more][hour];

            if (part == 0)
                continue;
            for (; digits < more && sum < limit / 10 && sum > -limit / 10; digits++)
                sum *= 10;
            if (digits < more && sum != 0) {
                add_integer(reader, hour, sum, digits);
                sum = 0;
            }
            digits = more;
            sum += part;
            reader->integers[more][hour] = 0;
        }
        if (sum != 0)
            add_integer(reader, hour, sum, digits);
    }
}

static void
total_of_closes(struct reader *reader)
{
    memset(reader->sums, 0, reader->hours * sizeof(*reader->sums));
    for (uint32_t i = 0; i < TOTAL_MARKETS && i < reader->market_count; i++) {
        const struct oi_rollup_request request = {
            .series = reader->series[i],
            .interval_ns = OI_HOUR,
            .span = { OI_TIME_EARLIEST, OI_TIME_LATEST },
            .parts = OI_ROLLUP_LAST,
            .columns = { [3] = OI_COLUMN_VALUE_USD },
            .each_columns = add_closes,
            .each = add_close,
            .context = reader,
        };

        bench_check(oi_store_rollup_columns(reader->store, &request, &error), &error);
    }
    finish_sums(reader);
    reader->items = reader->hours;
}

static void
measure(struct reader *reader, const char *work, void (*ask)(struct reader *reader), size_t count)
{
    struct bench_samples samples = {};

    for (size_t i = 0; i < count + 3; i++) {
        int64_t from = bench_now_ns();

        reader->items = 0;
        ask(reader);
        if (i < 3)
            continue; /* warm */
        oi_vector_push(&samples.ns, bench_now_ns() - from);
        samples.items += reader->items;
    }
    bench_report(work, &samples);
}

static void
open_reader(const char *folder, struct reader *reader)
{
    const struct oi_store_options options = { .is_read_only = true };

    *reader = (struct reader){};
    bench_check(oi_store_open(folder, &options, &reader->store, &error), &error);
    oi_random_init(&reader->random, 1);
    find_markets(reader);
    reader->first_hour = oi_interval_floor(OI_HOUR, reader->span.from);
    reader->hours =
        (size_t) ((oi_interval_ceil(OI_HOUR, reader->span.to) - reader->first_hour) / OI_HOUR);
    reader->sums = oi_alloc_zero(reader->hours, sizeof(*reader->sums));
    for (int i = 0; i < SUM_EXPONENTS; i++)
        reader->integers[i] = oi_alloc_zero(reader->hours, sizeof(*reader->integers[i]));
}

static void
close_reader(struct reader *reader)
{
    for (int i = 0; i < SUM_EXPONENTS; i++)
        oi_free(reader->integers[i]);
    oi_free(reader->sums);
    oi_free(reader->series);
    oi_store_close(&reader->store);
}

/* For the check that every engine gives the same answer. */
static void
print_closes(const char *folder)
{
    struct oi_buffer out = {};
    struct reader reader;

    open_reader(folder, &reader);
    total_of_closes(&reader);
    for (size_t i = 0; i < reader.hours; i++) {
        if (oi_decimal_is_none(&reader.sums[i]))
            continue;
        oi_buffer_add_int(&out, (reader.span.from / OI_HOUR) + (int64_t) i);
        oi_buffer_add_char(&out, '\t');
        oi_decimal_write(&reader.sums[i], &out);
        oi_buffer_add_char(&out, '\n');
    }
    (void) fwrite(out.data, 1, out.size, stdout);
    oi_buffer_release(&out);
    close_reader(&reader);
}

static const struct {
    const char *name;
    void (*ask)(struct reader *reader);
    size_t count;
    bool is_of_any; /* of any market: more questions where there are more */
} works[] = {
    { "latest_1000", latest, 200, false },
    { "at", at_any_time, 2000, true },
    { "candles_rollups", candles_from_rollups, 5000, true },
    { "candles_rows", candles_from_rows, 1500, true },
    { "raw_columns", raw_columns, 50, false },
    { "total_closes", total_of_closes, 50, false },
};

/* As often a market wherever it is measured: else the first question about a market would count
 * where there are many, and the next ones where there are few. */
static size_t
times(const struct reader *reader, size_t work)
{
    size_t count = works[work].count;

    if (works[work].is_of_any && reader->market_count > FEW_MARKETS)
        return count * reader->market_count / FEW_MARKETS;
    return count;
}

/* All works, or one of them so many times. */
static void
read_works(const char *folder, const char *only, size_t count)
{
    struct reader reader;

    open_reader(folder, &reader);
    for (size_t i = 0; i < OI_COUNT(works); i++)
        if (!only || strcmp(only, works[i].name) == 0)
            measure(&reader, works[i].name, works[i].ask, only ? count : times(&reader, i));
    close_reader(&reader);
}

int
main(int argc, char **argv)
{
    bench_keep_memory();
    if (argc == 4 && strcmp(argv[1], "live") == 0)
        live(argv[2], (uint32_t) bench_number(argv[3]));
    else if (argc == 3 && strcmp(argv[1], "read") == 0)
        read_works(argv[2], NULL, 0);
    else if (argc == 5 && strcmp(argv[1], "read") == 0)
        read_works(argv[2], argv[3], bench_number(argv[4]));
    else if (argc == 4 && strcmp(argv[1], "define") == 0)
        define(argv[2], (uint32_t) bench_number(argv[3]));
    else if (argc == 3 && strcmp(argv[1], "closes") == 0)
        print_closes(argv[2]);
    else
        bench_die("store_bench define FOLDER MARKETS | live FOLDER BATCHES | read|closes FOLDER");
    return 0;
}
