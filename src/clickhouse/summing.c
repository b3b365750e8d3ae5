/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums of many series instant by instant, added up over there as integers of one exponent. An
 * instant counts when its rows are as many as there are series and each has one: series i adds 2^i
 * to a second sum, and so many powers of two add up to all of them in no other way. A row that does
 * not fit (a wide figure, more digits than were thought) adds nothing to that, and so makes its
 * instant one that does not count.
 */
/* no unit test: needs a server; tests/contract/store_*_test.c run over one. */
#include "base/alloc.h"
#include "clickhouse/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Instruments whose ids lie further apart than MASKS times 64 are not summed. */
#define MASKS 4
#define BITS 64
#define DIGITS_MAX 18
/* No sum of so many figures leaves 63 bits. */
#define SUM_MAX INT64_C(9'000'000'000'000'000'000)
/* Sums that are kept in more pieces than this are asked for anew. */
#define PIECES_MAX 8
/* What all of the store's series are few enough to be looked through for. */
#define OTHERS_MAX 4

struct summand {
    uint32_t instrument;
    uint16_t feed;
    oi_time first;
};

struct summing {
    struct oi_clickhouse *engine;
    const struct oi_gather_request *request;
    struct summand *summands; /* by their first row */
    size_t count;
    uint32_t base; /* the lowest instrument */
    unsigned masks;
    int digits; /* behind the point, of the sum */
    oi_time first, last;
    struct oi_hidden hidden;
    uint64_t epoch; /* before it is looked where the series stand */
};

void
oi_clickhouse_note_digits(struct oi_clickhouse *engine, uint32_t series, int exponent)
{
    int8_t *finest;

    if (series == 0)
        return;
    (void) pthread_mutex_lock(&engine->filling.lock);
    while (engine->finest.count < series)
        oi_vector_push(&engine->finest, 0);
    finest = &engine->finest.items[series - 1];
    if (exponent > OI_EXPONENT_WIDE && exponent < *finest)
        *finest = (int8_t) exponent;
    (void) pthread_mutex_unlock(&engine->filling.lock);
}

void
oi_clickhouse_note_rows(struct oi_clickhouse *engine, const struct oi_batch_rows *rows)
{
    const uint32_t *series = rows->series.items;
    int finest = 0;

    for (size_t i = 0; i < rows->rows.count; i++) {
        int exponent = rows->rows.items[i].exponents[0];

        if (exponent > OI_EXPONENT_WIDE && exponent < finest)
            finest = exponent;
        if (i + 1 < rows->rows.count && series[i + 1] == series[i])
            continue;
        if (finest < 0)
            oi_clickhouse_note_digits(engine, series[i], finest);
        finest = 0;
    }
}

static int
compare_firsts(const void *left, const void *right)
{
    const struct summand *a = left, *b = right;

    return (a->first > b->first) - (a->first < b->first);
}

/* Who is summed; false where it cannot be told apart by bits. */
static bool
choose_summands(struct summing *summing)
{
    const struct oi_gather_request *request = summing->request;
    uint64_t seen[MASKS] = {};
    uint32_t highest = 0;

    summing->base = UINT32_MAX;
    summing->first = OI_TIME_LATEST;
    summing->last = OI_TIME_EARLIEST;
    for (size_t i = 0; i < request->count; i++) {
        struct oi_clickhouse *engine = summing->engine;
        struct oi_remote_extent extent;
        struct oi_series pair;

        if (!oi_remote_series(engine->store, request->series[i], &pair) ||
            !oi_remote_extent(engine->store, request->series[i], &extent))
            continue;
        summing->summands[summing->count++] =
            (struct summand){ pair.instrument, pair.feed, extent.first };
        summing->base = pair.instrument < summing->base ? pair.instrument : summing->base;
        highest = pair.instrument > highest ? pair.instrument : highest;
        summing->first = extent.first < summing->first ? extent.first : summing->first;
        summing->last = extent.last > summing->last ? extent.last : summing->last;
        (void) pthread_mutex_lock(&engine->filling.lock);
        if (request->series[i] <= engine->finest.count &&
            -engine->finest.items[request->series[i] - 1] > summing->digits)
            summing->digits = -engine->finest.items[request->series[i] - 1];
        (void) pthread_mutex_unlock(&engine->filling.lock);
    }
    if (summing->count == 0 || highest - summing->base >= MASKS * BITS ||
        summing->digits > DIGITS_MAX)
        return false;
    summing->masks = (highest - summing->base) / BITS + 1;
    for (size_t i = 0; i < summing->count; i++) {
        uint32_t place = summing->summands[i].instrument - summing->base;

        if (seen[place / BITS] >> place % BITS & 1)
            return false;
        seen[place / BITS] |= UINT64_C(1) << place % BITS;
    }
    qsort(summing->summands, summing->count, sizeof(*summing->summands), compare_firsts);
    return true;
}

/* Has the store rows of other series too? */
static bool
has_others(const struct summing *summing)
{
    struct oi_remote_extent extent;
    struct oi_series pair;
    size_t others = 0;

    for (uint32_t series = 1; oi_remote_series(summing->engine->store, series, &pair); series++) {
        if (series > OTHERS_MAX * summing->count)
            return true;
        others += oi_remote_extent(summing->engine->store, series, &extent);
    }
    return others > summing->count;
}

/* What holds of every row is not asked of each. */
static void
write_condition(const struct summing *summing, struct oi_span span, struct oi_buffer *out)
{
    oi_buffer_add_text(out, " WHERE ");
    oi_clickhouse_write_batches(&summing->hidden, summing->request->batch_limit, out);
    if (span.from > summing->first)
        oi_buffer_add_format(out, " AND time >= %lld", (long long) span.from);
    if (span.to <= summing->last)
        oi_buffer_add_format(out, " AND time < %lld", (long long) span.to);
    if (!has_others(summing))
        return;
    for (size_t i = 0; i < summing->count; i++)
        oi_buffer_add_format(out, "%s%u", i ? "," : " AND instrument IN (",
                             summing->summands[i].instrument);
    oi_buffer_add_text(out, ") AND feed IN (");
    for (size_t i = 0; i < summing->count; i++)
        if (i == 0 || summing->summands[i].feed != summing->summands[i - 1].feed)
            oi_buffer_add_format(out, "%s%u", i ? "," : "", summing->summands[i].feed);
    oi_buffer_add_char(out, ')');
}

static void
write_statement(const struct summing *summing, struct oi_span span, struct oi_buffer *out)
{
    int digits = summing->digits;

    oi_buffer_add_format(out,
                         "SELECT time, count() AS row_count, sum(open_interest_mantissa * "
                         "toInt64(intExp10(toUInt8(open_interest_exponent + %d)))) AS total",
                         digits);
    for (unsigned mask = 0; mask < summing->masks; mask++) {
        uint32_t from = summing->base + mask * BITS;

        /* What is below the last digit wraps to more than 18. */
        oi_buffer_add_format(
            out,
            ", sum(bitShiftLeft(toUInt64(toUInt8(open_interest_exponent + %d) <= %d AND "
            "abs(toFloat64(open_interest_mantissa) * "
            "toFloat64(intExp10(toUInt8(open_interest_exponent + %d)))) < %lld",
            digits, DIGITS_MAX, digits, (long long) (SUM_MAX / (int64_t) summing->count));
        if (summing->masks > 1)
            oi_buffer_add_format(out, " AND instrument >= %u AND instrument < %u", from,
                                 from + BITS);
        /* A shift by more than there are bits is an error to newer servers, even of 0. */
        oi_buffer_add_format(out, "), bitAnd(toUInt8(instrument - %u), %d))) AS who_%u", from,
                             BITS - 1, mask);
    }
    oi_buffer_add_text(out, " FROM readings");
    write_condition(summing, span, out);
    oi_buffer_add_text(out, " GROUP BY time ORDER BY time");
}

/* Who has begun by an instant. */
struct begun {
    size_t count;
    uint64_t who[MASKS];
};

static void
let_begin(const struct summing *summing, oi_time time, struct begun *begun)
{
    for (; begun->count < summing->count && summing->summands[begun->count].first <= time;
         begun->count++) {
        uint32_t place = summing->summands[begun->count].instrument - summing->base;

        begun->who[place / BITS] |= UINT64_C(1) << place % BITS;
    }
}

static enum oi_status
take_block(const struct summing *summing, const struct oi_native_block *block, struct oi_span span,
           struct begun *begun, struct oi_sums *sums, struct oi_error *error)
{
    const struct oi_native_column *time, *rows, *total, *who[MASKS] = {};

    OI_TRY(oi_native_find(block, "time", false, &time, error));
    OI_TRY(oi_native_find(block, "row_count", false, &rows, error));
    OI_TRY(oi_native_find(block, "total", false, &total, error));
    for (unsigned mask = 0; mask < summing->masks; mask++) {
        char name[16];

        (void) snprintf(name, sizeof(name), "who_%u", mask);
        OI_TRY(oi_native_find(block, name, false, &who[mask], error));
    }
    oi_vector_reserve(&sums->times, block->rows);
    oi_vector_reserve(&sums->mantissas, block->rows);
    oi_vector_reserve(&sums->is_whole, block->rows);
    for (size_t row = 0; row < block->rows; row++) {
        oi_time at = oi_native_int(time, row);
        bool is_whole;

        let_begin(summing, at, begun);
        /* Of a batch that was told without its rows there may be others. */
        if (at < span.from || at >= span.to)
            continue;
        is_whole = (uint64_t) oi_native_int(rows, row) == begun->count;
        for (unsigned mask = 0; mask < summing->masks; mask++)
            is_whole &= (uint64_t) oi_native_int(who[mask], row) == begun->who[mask];
        if (sums->times.count > 0 && sums->times.items[sums->times.count - 1] >= at)
            return oi_fail(error, OI_E_UPSTREAM, "sums from ClickHouse are not in order");
        oi_vector_push(&sums->times, at);
        oi_vector_push(&sums->mantissas, oi_native_int(total, row));
        oi_vector_push(&sums->is_whole, is_whole);
    }
    return OI_OK;
}

/*
 * What is kept: the number of instants, then their times, sums, and whether they are whole.
 */

static void
put_kept(const struct summing *summing, const struct oi_kept_question *question,
         struct oi_span span, const struct oi_sums *sums, size_t from)
{
    size_t count = sums->times.count - from;
    OI_CLEANUP(oi_buffer_release) struct oi_buffer bytes = {};

    oi_buffer_add_u64(&bytes, count);
    if (count > 0) {
        oi_buffer_add(&bytes, sums->times.items + from, count * sizeof(*sums->times.items));
        oi_buffer_add(&bytes, sums->mantissas.items + from, count * sizeof(*sums->mantissas.items));
        oi_buffer_add(&bytes, sums->is_whole.items + from, count * sizeof(*sums->is_whole.items));
    }
    oi_kept_put(summing->engine->kept, question, summing->epoch, span, oi_buffer_slice(&bytes));
}

/* Those of the span. */
static void
take_kept(const struct oi_kept_piece *piece, struct oi_span span, struct oi_sums *sums)
{
    struct oi_cursor cursor = oi_cursor_over(piece->bytes);
    size_t count = oi_cursor_u64(&cursor);
    const oi_time *times = (const void *) oi_cursor_bytes(&cursor, count * sizeof(*times)).data;
    const int64_t *mantissas =
        (const void *) oi_cursor_bytes(&cursor, count * sizeof(*mantissas)).data;
    const bool *are_whole = (const void *) oi_cursor_bytes(&cursor, count * sizeof(bool)).data;
    size_t from = count > 0 ? oi_times_find(times, count, span.from) : 0;
    size_t to = count > 0 ? oi_times_find(times, count, span.to) : 0;

    if (from == to)
        return;
    oi_vector_reserve(&sums->times, to - from);
    oi_vector_reserve(&sums->mantissas, to - from);
    oi_vector_reserve(&sums->is_whole, to - from);
    memcpy(sums->times.items + sums->times.count, times + from, (to - from) * sizeof(*times));
    memcpy(sums->mantissas.items + sums->mantissas.count, mantissas + from,
           (to - from) * sizeof(*mantissas));
    memcpy(sums->is_whole.items + sums->is_whole.count, are_whole + from,
           (to - from) * sizeof(*are_whole));
    sums->times.count += to - from;
    sums->mantissas.count += to - from;
    sums->is_whole.count += to - from;
}

static enum oi_status
ask(const struct summing *summing, struct oi_span span, struct begun *begun, struct oi_sums *sums,
    struct oi_error *error)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer statement = {}, out = {};
    struct oi_native_block block;
    struct oi_slice rest;
    enum oi_status status;

    write_statement(summing, span, &statement);
    OI_TRY(oi_clickhouse_select(summing->engine, &statement, &out, error));
    rest = oi_buffer_slice(&out);
    while ((status = oi_native_next(&rest, &block, error)) == OI_OK) {
        if (block.rows > 0)
            status = take_block(summing, &block, span, begun, sums, error);
        oi_native_block_release(&block);
        OI_TRY(status);
    }
    return status == OI_E_NOT_FOUND ? OI_OK : status;
}

/* As far as they are kept, and the rest of the span. */
static enum oi_status
sum_up(const struct summing *summing, struct oi_sums *sums, struct oi_error *error)
{
    const struct oi_gather_request *request = summing->request;
    const struct oi_slice hidden = { (const char *) summing->hidden.batches,
                                     summing->hidden.count * sizeof(*summing->hidden.batches) };
    const struct oi_kept_question question = {
        .kind = OI_KEPT_SUMS,
        .detail = oi_slice_hash(hidden) << 8 | (unsigned) summing->digits,
        .series = request->series,
        .count = request->count,
        .batch_limit = request->batch_limit,
    };
    struct oi_kept *kept = summing->engine->kept;
    struct oi_span span = request->span;
    struct begun begun = {};

    for (size_t pieces = 0; span.from < span.to; pieces++) {
        size_t before = sums->times.count;
        struct oi_kept_piece piece;

        if (pieces < PIECES_MAX && oi_kept_find(kept, &question, span.from, &piece)) {
            struct oi_span part = oi_span_intersect(span, piece.span);

            take_kept(&piece, part, sums);
            oi_kept_release(kept, &piece);
            span.from = part.to;
            continue;
        }
        OI_TRY(ask(summing, span, &begun, sums, error));
        put_kept(summing, &question, span, sums, before);
        span.from = span.to;
    }
    return OI_OK;
}

enum oi_status
oi_clickhouse_sums(void *context, const struct oi_gather_request *request, struct oi_sums *sums,
                   struct oi_error *error)
{
    struct summing summing = { .engine = context, .request = request };
    enum oi_status status = OI_E_NOT_FOUND;

    summing.summands = oi_alloc_zero(request->count + 1, sizeof(*summing.summands));
    summing.epoch = oi_kept_epoch(summing.engine->kept);
    summing.hidden = oi_remote_hidden(summing.engine->store);
    if (choose_summands(&summing)) {
        status = sum_up(&summing, sums, error);
        sums->exponent = -summing.digits;
    }
    oi_free(summing.hidden.batches);
    oi_free(summing.summands);
    return status;
}
