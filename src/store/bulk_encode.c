/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of one series into chunks and rollups, away from every transaction, so that many threads
 * may do it.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_bulk_test.c asks. */
#include "store/bulk_columns.h"
#include "store/chunk.h"

/* What a row takes in chunks and rollups, about. */
#define ROW_SIZE_USUAL 10

struct oi_observation
oi_bulk_observation(const struct oi_bulk_work *work, struct oi_bulk_item item)
{
    const struct oi_bulk_part *part = &work->bulk->parts[item.part];
    const struct oi_packed *row = &part->rows[item.row];
    struct oi_observation reading = oi_packed_get(row, part->wides);

    reading.known_time = oi_bulk_known_time(row);
    reading.flags |= part->targets[row->target].flags;
    return reading;
}

static void
add_value(struct oi_bulk_load *load, enum oi_table table, const struct oi_key *key, size_t from)
{
    const struct oi_bulk_value value = { table, *key, from, load->bytes.size - from };

    oi_vector_push(&load->values, value);
}

static void
encode_chunk(const struct oi_bulk_work *work, struct oi_bulk_load *load,
             const struct oi_bulk_item *items, size_t count, struct oi_chunk_habits *habits,
             struct oi_bulk_columns *columns)
{
    struct oi_key key;
    size_t from = load->bytes.size;

    oi_bulk_columns_fill(work, items, count, columns);
    key = oi_key_of_chunk(load->series, columns->time[0]);
    oi_chunk_encode_like(oi_key_slice(&key), &columns->columns, columns->commit_time, habits,
                         &load->bytes);
    add_value(load, OI_TABLE_CHUNK, &key, from);
    load->chunk_count++;
}

/* The chunk before, by whose size the next one is cut. */
struct sample {
    size_t rows, size;
};

/* Where the piece that begins at `from` ends: never inside a time, without leaving a crumb. */
static size_t
piece_end(const struct oi_bulk_work *work, const struct oi_bulk_load *load, size_t from,
          struct sample before)
{
    size_t left = load->count - from;
    size_t rows = work->chunk_rows, end;

    if (left <= work->chunk_rows + work->chunk_rows / 4)
        return load->count;
    if (left <= 2 * work->chunk_rows)
        rows = left / 2;
    end = from + oi_chunk_rows_fitting(rows, before.rows, before.size);
    while (end < load->count && oi_bulk_row(work->bulk, load->items[end])->time ==
                                    oi_bulk_row(work->bulk, load->items[end - 1])->time)
        end++;
    return end;
}

/* The chunk that begins at `from`, and where it ends. One that leaves much of its last page empty
 * is cut anew by what it told itself: mostly the first of a series, of which nothing was known, and
 * one that is a little larger than the one before. */
static size_t
encode_piece(const struct oi_bulk_work *work, struct oi_bulk_load *load, size_t from,
             struct sample *before, struct oi_chunk_habits *habits, struct oi_bulk_columns *columns)
{
    size_t start = load->bytes.size;
    size_t end = piece_end(work, load, from, *before), fitting;

    encode_chunk(work, load, load->items + from, end - from, habits, columns);
    *before = (struct sample){ end - from, load->bytes.size - start };
    if (end == load->count || oi_chunk_fits(before->size))
        return end;
    fitting = piece_end(work, load, from, *before);
    if (fitting == end)
        return end;
    load->bytes.size = start;
    load->values.count--;
    load->chunk_count--;
    encode_chunk(work, load, load->items + from, fitting - from, habits, columns);
    *before = (struct sample){ fitting - from, load->bytes.size - start };
    return fitting;
}

/*
 * Rollups.
 */

/* A bucket being filled: which rows count, not yet what they say. */
struct bucket {
    oi_time start;
    uint32_t count;
    struct oi_bulk_item first, high, low, last;
};

static struct oi_decimal
interest_of(const struct oi_bulk_work *work, struct oi_bulk_item item)
{
    return oi_packed_figure(oi_bulk_row(work->bulk, item), 0, work->bulk->parts[item.part].wides);
}

static int
compare_interest(const struct oi_bulk_work *work, struct oi_bulk_item left,
                 struct oi_bulk_item right)
{
    const struct oi_packed *a = oi_bulk_row(work->bulk, left);
    const struct oi_packed *b = oi_bulk_row(work->bulk, right);
    int64_t x = a->mantissas[0], y = b->mantissas[0];
    int power = a->exponents[0] - b->exponents[0];
    struct oi_decimal one, other;

    /* At one exponent, which nearly always can be done. */
    if (a->exponents[0] > OI_EXPONENT_WIDE && b->exponents[0] > OI_EXPONENT_WIDE &&
        power <= OI_CHUNK_POWER_MAX && power >= -OI_CHUNK_POWER_MAX &&
        !__builtin_mul_overflow(power > 0 ? x : y, oi_chunk_powers[power > 0 ? power : -power],
                                power > 0 ? &x : &y))
        return (x > y) - (x < y);
    one = interest_of(work, left);
    other = interest_of(work, right);
    return oi_decimal_compare(&one, &other);
}

static void
close_bucket(const struct oi_bulk_work *work, const struct bucket *bucket,
             struct oi_rollups *rollups)
{
    struct oi_rollup *rollup = rollups->count ? &rollups->items[rollups->count - 1] : NULL;
    struct oi_decimal high, low; /* nothing else is kept of these rows */

    if (bucket->count == 0)
        return;
    high = interest_of(work, bucket->high);
    low = interest_of(work, bucket->low);
    if (!rollup || rollup->start != bucket->start) {
        rollup = oi_vector_add(rollups);
        rollup->start = bucket->start;
        rollup->first = oi_bulk_observation(work, bucket->first);
        rollup->high.open_interest = high;
        rollup->low.open_interest = low;
    } else {
        if (oi_decimal_compare(&high, &rollup->high.open_interest) > 0)
            rollup->high.open_interest = high;
        if (oi_decimal_compare(&low, &rollup->low.open_interest) < 0)
            rollup->low.open_interest = low;
    }
    rollup->last = oi_bulk_observation(work, bucket->last);
    rollup->count += bucket->count;
}

/* Rows (a bucket of one) or hours into the bucket they belong to. */
static inline void
add_to_bucket(const struct oi_bulk_work *work, const struct bucket *more, int64_t interval_ns,
              struct bucket *bucket, struct oi_rollups *rollups)
{
    if (bucket->count == 0 || more->start >= bucket->start + interval_ns) {
        close_bucket(work, bucket, rollups);
        *bucket = *more;
        bucket->start = oi_interval_floor(interval_ns, more->start);
        return;
    }
    if (compare_interest(work, more->high, bucket->high) > 0)
        bucket->high = more->high;
    if (compare_interest(work, more->low, bucket->low) < 0)
        bucket->low = more->low;
    bucket->last = more->last;
    bucket->count += more->count;
}

/* Hours and days being filled, across chunks. */
struct buckets {
    struct bucket hour, day;
};

/* Rows `from` to `to` of a chunk, all of one hour; where they have one exponent their numbers are
 * compared as they are. */
static struct bucket
summarise(const struct oi_bulk_work *work, const struct oi_bulk_columns *columns,
          const struct oi_bulk_item *items, size_t from, size_t to)
{
    const struct oi_decimals *interest = &columns->columns.open_interest;
    const int64_t *mantissas = interest->mantissas;
    size_t high = from, low = from;

    for (size_t i = from + 1; i < to; i++) {
        if (!interest->exponents) {
            high = mantissas[i] > mantissas[high] ? i : high;
            low = mantissas[i] < mantissas[low] ? i : low;
            continue;
        }
        if (compare_interest(work, items[i], items[high]) > 0)
            high = i;
        if (compare_interest(work, items[i], items[low]) < 0)
            low = i;
    }
    return (struct bucket){ columns->time[from], (uint32_t) (to - from), items[from], items[high],
                            items[low],          items[to - 1] };
}

/* Of one instant the last row counts: times, figures and items without the others. The caller's
 * items stay, since a commit may be made anew. */
static void
drop_revised(struct oi_bulk_columns *columns, const struct oi_bulk_item *items)
{
    size_t kept = 0;

    oi_vector_clear(&columns->items);
    oi_vector_reserve(&columns->items, columns->count);
    for (size_t i = 0; i < columns->count; i++) {
        if (i + 1 < columns->count && columns->time[i + 1] == columns->time[i])
            continue;
        columns->time[kept] = columns->time[i];
        columns->mantissas[0][kept++] = columns->mantissas[0][i];
        oi_vector_push(&columns->items, items[i]);
    }
    columns->count = kept;
}

/* Hours from the rows of the chunk just encoded, days from hours. */
static void
add_to_rollups(const struct oi_bulk_work *work, struct oi_bulk_load *load,
               struct oi_bulk_columns *columns, const struct oi_bulk_item *items,
               struct buckets *buckets)
{
    size_t count;

    if (load->is_tangled) {
        drop_revised(columns, items);
        items = columns->items.items;
    }
    count = columns->count;
    for (size_t from = 0, to; from < count; from = to) {
        oi_time end = oi_interval_floor(OI_HOUR, columns->time[from]) + OI_HOUR;
        struct bucket rows;

        for (to = from + 1; to < count && columns->time[to] < end;)
            to++;
        rows = summarise(work, columns, items, from, to);
        if (buckets->hour.count > 0 && rows.start >= buckets->hour.start + OI_HOUR)
            add_to_bucket(work, &buckets->hour, OI_DAY, &buckets->day, &load->rollups[1]);
        add_to_bucket(work, &rows, OI_HOUR, &buckets->hour, &load->rollups[0]);
    }
}

static void
close_buckets(const struct oi_bulk_work *work, struct oi_bulk_load *load, struct buckets *buckets)
{
    add_to_bucket(work, &buckets->hour, OI_DAY, &buckets->day, &load->rollups[1]);
    close_bucket(work, &buckets->hour, &load->rollups[0]);
    close_bucket(work, &buckets->day, &load->rollups[1]);
}

static void
add_block(void *context, const struct oi_key *key, struct oi_slice value)
{
    struct oi_bulk_load *load = context;
    size_t from = load->bytes.size;

    oi_buffer_add_slice(&load->bytes, value);
    add_value(load, OI_TABLE_ROLLUP, key, from);
}

/* Room for about what will come out, so that it is not moved as it grows. */
static void
make_room(struct oi_bulk_load *load)
{
    static const int64_t intervals[2] = { OI_HOUR, OI_DAY };

    for (unsigned kind = 0; kind < OI_COUNT(intervals); kind++) {
        uint64_t buckets =
            ((uint64_t) load->last - (uint64_t) load->first) / (uint64_t) intervals[kind] + 2;
        size_t most = load->count + load->rollups[kind].count + 1;

        oi_vector_reserve(&load->rollups[kind], buckets < most ? (size_t) buckets : most);
    }
    (void) oi_buffer_reserve(&load->bytes, load->count * ROW_SIZE_USUAL);
}

void
oi_bulk_encode(const struct oi_bulk_work *work, struct oi_bulk_load *load)
{
    static const int64_t intervals[2] = { OI_HOUR, OI_DAY };
    struct oi_position *position = &load->position;
    struct oi_bulk_columns columns = {};
    struct oi_chunk_habits habits = {};
    struct buckets buckets = {};
    struct sample before = {};

    make_room(load);
    for (size_t from = 0, end; from < load->count; from = end) {
        end = encode_piece(work, load, from, &before, &habits, &columns);
        add_to_rollups(work, load, &columns, load->items + from, &buckets);
    }
    oi_bulk_columns_release(&columns);
    close_buckets(work, load, &buckets);
    for (unsigned kind = 0; kind < OI_COUNT(intervals); kind++) {
        oi_rollups_seal(load->series, intervals[kind], &load->rollups[kind], add_block, load);
        oi_vector_release(&load->rollups[kind]);
    }
    if (position->rows == 0)
        position->first = load->first;
    position->last = load->last;
    position->rows += load->count;
    position->chunks += load->chunk_count;
    position->chunked_batch = position->last_batch = position->newest_batch = work->batch;
    position->has_newest = true;
    position->newest = oi_bulk_observation(work, load->items[load->count - 1]);
}
