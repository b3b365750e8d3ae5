/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that are kept in memory are those that the store would give: one thread changes a store
 * in ClickHouse (rows that come late, corrections, imports that are withdrawn) while others, over
 * two handles, ask for rows, hours and sums of which everything is kept. Each answer is one of the
 * states between what its handle has shown before and what was begun when it ended. Skipped where
 * there is no clickhouse-server.
 */
#include "base/fingerprint.h"
#include "base/random.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "support/test_clickhouse.h"
#include "support/test_store.h"

#define SERIES 4
/* Cells are instants, three of an hour. */
#define CELLS 144
#define HOUR_CELLS 3
/* Up to here every second one is filled before the others begin; from QUIET on most changes are. */
#define FILLED 120
#define QUIET 90
#define REVISIONS 40
#define ROUNDS 2
#define ROUND_CHANGES 60
#define ROUND_NS (700 * OI_SECOND / 1000)
#define READERS 2 /* of each handle */
/* A round of questions in which the store looks for news at once. */
#define FOLLOW_EVERY 20

/*
 * The model: what every state of the store says. States are numbered by changes.
 */

struct revision {
    unsigned state; /* the first that has it */
    int64_t value;
    atomic_uint withdrawn; /* the first that does not; UINT_MAX: all have */
};

struct cell {
    struct revision revisions[REVISIONS];
    atomic_uint count;
};

struct import {
    uint64_t batch;
    uint32_t series;
    size_t from, to; /* cells */
    unsigned state;
    bool is_withdrawn;
};

struct handle {
    struct oi_store *store;
    atomic_uint shown; /* the latest state that is known to have been shown */
};

struct world {
    struct test_store test;
    struct handle handles[2]; /* who writes, and another process as it were */
    uint32_t series[SERIES];
    struct cell cells[SERIES][CELLS];
    struct import imports[ROUNDS * ROUND_CHANGES + 4];
    size_t import_count;
    int64_t next_value;
    uint64_t last_batch;                            /* of who writes */
    atomic_uint states[ROUNDS * ROUND_CHANGES * 2]; /* of batches */
    struct oi_random random;                        /* of who writes */
    atomic_uint begun, done;                        /* changes */
    atomic_bool is_over;
    atomic_int faults;
    atomic_int wholes, hours, rows; /* that were compared */
    size_t stored, heard;           /* rows, by who watches the handle that writes */
};

/* In cell order from a first cell on: 0 where there is nothing. */
struct expected {
    unsigned from, to; /* states that it may be of */
    unsigned limit;    /* rows of later ones are not asked for */
};

static oi_time
time_of(size_t cell)
{
    return TEST_START - 3 * OI_DAY + (oi_time) cell * (OI_HOUR / HOUR_CELLS);
}

static size_t
cell_of(oi_time time)
{
    return (size_t) ((time - time_of(0)) / (OI_HOUR / HOUR_CELLS));
}

static oi_time
commit_time(unsigned state)
{
    return TEST_START + state * OI_SECOND;
}

/* How many revisions a state has of a cell, and the last one's value. */
static unsigned
look_up(struct world *world, size_t series, size_t cell, unsigned state, unsigned limit,
        int64_t *ret_value)
{
    struct cell *found = &world->cells[series][cell];
    unsigned count = atomic_load(&found->count), seen = 0;

    *ret_value = 0;
    limit = state < limit ? state : limit;
    for (unsigned i = 0; i < count; i++)
        if (found->revisions[i].state <= limit &&
            atomic_load(&found->revisions[i].withdrawn) > state) {
            *ret_value = found->revisions[i].value;
            seen++;
        }
    return seen;
}

static int64_t
as_number(const struct oi_decimal *value)
{
    int64_t number = value->mantissa;

    for (int i = 0; i < value->exponent; i++)
        number *= 10;
    return number;
}

/* Assertions are the main thread's: others count. */
static bool
expect(struct world *world, bool condition, const char *what, const struct expected *states)
{
    if (condition)
        return true;
    if (atomic_fetch_add(&world->faults, 1) < 5)
        print_error("%s, of states %u to %u (as stored %u)\n", what, states->from, states->to,
                    states->limit);
    return false;
}

/*
 * Who asks.
 */

struct reader {
    struct world *world;
    struct handle *handle;
    struct oi_random random;
    struct expected states; /* of the question at hand */
};

static size_t
below(struct reader *reader, size_t limit)
{
    return (size_t) oi_random_below(&reader->random, limit);
}

static struct oi_span
choose_span(struct reader *reader)
{
    size_t from = below(reader, CELLS - 1), to = from + 1 + below(reader, CELLS - from);

    return below(reader, 3) ? (struct oi_span){ time_of(from), time_of(to) } : OI_SPAN_ALL;
}

static void
begin_question(struct reader *reader)
{
    unsigned known; /* by the handle, whatever it has shown */

    reader->states =
        (struct expected){ .from = atomic_load(&reader->handle->shown), .limit = UINT_MAX };
    if (reader->handle == &reader->world->handles[0])
        reader->states.from = atomic_load(&reader->world->done);
    known = atomic_load(&reader->world->states[oi_store_last_batch(reader->handle->store)]);
    reader->states.from = known > reader->states.from ? known : reader->states.from;
}

static void
end_question(struct reader *reader)
{
    reader->states.to = atomic_load(&reader->world->begun);
}

/* Later answers are of this state or of later ones. */
static void
note_shown(struct reader *reader, unsigned state)
{
    unsigned shown = atomic_load(&reader->handle->shown);

    while (shown < state && !atomic_compare_exchange_weak(&reader->handle->shown, &shown, state)) {
    }
}

static bool
rows_are_of(struct world *world, size_t series, struct oi_span span, const int64_t *values,
            unsigned state, unsigned limit)
{
    for (size_t cell = 0; cell < CELLS; cell++) {
        int64_t value = 0;

        if (time_of(cell) >= span.from && time_of(cell) < span.to)
            (void) look_up(world, series, cell, state, limit, &value);
        if (value != values[cell])
            return false;
    }
    return true;
}

/* False: an error, or a row that is in none of the cells, or not in order. */
static bool
read_rows(struct reader *reader, const struct oi_scan_request *request, int64_t *values)
{
    const struct oi_columns *columns = NULL;
    struct oi_scan *scan = NULL;
    oi_time last = OI_TIME_NONE;
    bool is_right = oi_store_scan(reader->handle->store, request, &scan, NULL) == OI_OK;

    while (is_right && (is_right = oi_scan_next(scan, &columns, NULL) == OI_OK) && columns)
        for (size_t row = 0; is_right && row < columns->count; row++) {
            const struct oi_decimal value = oi_decimals_get(&columns->open_interest, row);
            size_t cell = cell_of(columns->time[row]);

            is_right = (last == OI_TIME_NONE || columns->time[row] > last) && cell < CELLS;
            if (is_right)
                values[cell] = as_number(&value);
            last = columns->time[row];
            atomic_fetch_add(&reader->world->rows, 1);
        }
    oi_scan_close(&scan);
    return is_right;
}

static void
compare_rows(struct reader *reader, size_t series, struct oi_span span, const int64_t *values)
{
    unsigned state = reader->states.from;

    end_question(reader);
    while (state <= reader->states.to &&
           !rows_are_of(reader->world, series, span, values, state, reader->states.limit))
        state++;
    if (expect(reader->world, state <= reader->states.to, "rows are of no state",
               &reader->states) &&
        reader->states.limit == UINT_MAX)
        note_shown(reader, state);
}

/* UINT_MAX: as stored now. */
static void
ask_rows_of(struct reader *reader, size_t series, struct oi_span span, unsigned limit)
{
    struct oi_scan_request request = { .series = reader->world->series[series],
                                       .span = span,
                                       .moment = OI_MOMENT_LATEST,
                                       .columns = OI_COLUMN_OPEN_INTEREST };
    int64_t values[CELLS] = {};

    begin_question(reader);
    reader->states.limit = limit;
    if (limit != UINT_MAX)
        request.moment.as_stored = commit_time(limit);
    if (expect(reader->world, read_rows(reader, &request, values), "rows are not in order",
               &reader->states))
        compare_rows(reader, series, request.span, values);
}

static void
ask_rows(struct reader *reader)
{
    unsigned limit = UINT_MAX;

    if (below(reader, 4) == 0)
        limit = 1 + (unsigned) below(reader, atomic_load(&reader->world->begun));
    ask_rows_of(reader, below(reader, SERIES), choose_span(reader), limit);
}

/* Of all series, together. */
static void
ask_gathered(struct reader *reader)
{
    struct world *world = reader->world;
    struct oi_span span = choose_span(reader);
    struct oi_gather *gather;
    struct expected before;

    begin_question(reader);
    before = reader->states;
    gather = oi_store_gather(reader->handle->store, world->series, SERIES, span,
                             OI_COLUMN_OPEN_INTEREST);
    for (size_t series = 0; series < SERIES; series++) {
        const struct oi_scan_request request = { .series = world->series[series],
                                                 .span = span,
                                                 .moment = OI_MOMENT_LATEST,
                                                 .columns = OI_COLUMN_OPEN_INTEREST,
                                                 .gather = gather };
        int64_t values[CELLS] = {};

        reader->states = before;
        if (expect(world, read_rows(reader, &request, values), "rows are not in order", &before))
            compare_rows(reader, series, span, values);
    }
    oi_gather_close(&gather);
}

struct hours {
    struct oi_rollup items[CELLS / HOUR_CELLS];
    size_t count;
};

static enum oi_status
keep_hour(void *context, const struct oi_rollup *rollup)
{
    struct hours *hours = context;

    if (hours->count == OI_COUNT(hours->items))
        return OI_E_FULL;
    hours->items[hours->count++] = *rollup;
    return OI_OK;
}

/* An hour that is not there is one of no rows. */
static bool
hour_is_of(struct world *world, size_t series, size_t hour, const struct oi_rollup *rollup,
           unsigned state)
{
    int64_t first = 0, last = 0, high = 0, low = 0;
    unsigned count = 0;

    for (size_t i = 0; i < HOUR_CELLS; i++) {
        int64_t value;

        if (look_up(world, series, hour * HOUR_CELLS + i, state, UINT_MAX, &value) == 0)
            continue;
        first = count == 0 ? value : first;
        high = count == 0 || value > high ? value : high;
        low = count == 0 || value < low ? value : low;
        last = value;
        count++;
    }
    if (!rollup || count == 0)
        return !rollup && count == 0;
    return rollup->count == count && as_number(&rollup->first.open_interest) == first &&
           as_number(&rollup->high.open_interest) == high &&
           as_number(&rollup->low.open_interest) == low &&
           as_number(&rollup->last.open_interest) == last;
}

/* Ready made ones and those that are made of rows may be of two states, in their order. */
static void
ask_hours_of(struct reader *reader, size_t series, size_t from)
{
    struct world *world = reader->world;
    size_t next = 0;
    struct hours hours = {};
    const struct oi_rollup_request request = {
        .series = world->series[series],
        .interval_ns = OI_HOUR,
        .span = { time_of(from * HOUR_CELLS), time_of(CELLS) },
        .columns = { OI_COLUMN_OPEN_INTEREST, OI_COLUMN_OPEN_INTEREST, OI_COLUMN_OPEN_INTEREST,
                     OI_COLUMN_OPEN_INTEREST },
        .parts = OI_ROLLUP_FIRST | OI_ROLLUP_HIGH | OI_ROLLUP_LOW | OI_ROLLUP_LAST,
        .each = keep_hour,
        .context = &hours,
    };

    begin_question(reader);
    if (!expect(world, oi_store_rollup_columns(reader->handle->store, &request, NULL) == OI_OK,
                "hours are an error", &reader->states))
        return;
    end_question(reader);
    for (size_t hour = from; hour < CELLS / HOUR_CELLS; hour++) {
        const struct oi_rollup *rollup = NULL;
        unsigned state = reader->states.from;

        if (next < hours.count && hours.items[next].start == time_of(hour * HOUR_CELLS))
            rollup = &hours.items[next++];
        while (state <= reader->states.to && !hour_is_of(world, series, hour, rollup, state))
            state++;
        if (!expect(world, state <= reader->states.to, "an hour is of no state", &reader->states))
            return;
    }
    atomic_fetch_add(&world->hours, (int) hours.count);
    (void) expect(world, next == hours.count, "hours are not in order", &reader->states);
}

static void
ask_hours(struct reader *reader)
{
    ask_hours_of(reader, below(reader, SERIES), below(reader, CELLS / HOUR_CELLS));
}

static bool
sums_are_of(struct world *world, struct oi_span span, const struct oi_sums *sums, unsigned state)
{
    size_t next = 0;

    for (size_t cell = 0; cell < CELLS; cell++) {
        int64_t total = 0, value;
        unsigned rows = 0;
        bool is_whole = true;

        for (size_t series = 0; series < SERIES; series++) {
            unsigned revisions = look_up(world, series, cell, state, UINT_MAX, &value);

            rows += revisions;
            is_whole &= revisions == 1;
            total += value;
        }
        if (rows == 0 || time_of(cell) < span.from || time_of(cell) >= span.to)
            continue;
        if (next == sums->times.count || sums->times.items[next] != time_of(cell))
            return false;
        if (sums->is_whole.items[next] && (!is_whole || sums->mantissas.items[next] != total))
            return false;
        next++;
    }
    return next == sums->times.count;
}

static void
ask_sums(struct reader *reader)
{
    struct world *world = reader->world;
    struct oi_span span = choose_span(reader);
    struct oi_sums sums = {};
    unsigned state;

    begin_question(reader);
    state = reader->states.from;
    if (!expect(world,
                oi_store_sums(reader->handle->store, world->series, SERIES, span, &sums, NULL) ==
                        OI_OK &&
                    sums.exponent == 0,
                "sums are an error", &reader->states))
        return;
    end_question(reader);
    while (state <= reader->states.to && !sums_are_of(world, span, &sums, state))
        state++;
    if (expect(world, state <= reader->states.to, "sums are of no state", &reader->states))
        note_shown(reader, state);
    for (size_t i = 0; i < sums.times.count; i++)
        atomic_fetch_add(&world->wholes, sums.is_whole.items[i]);
    oi_sums_release(&sums);
}

static void
ask_one(struct reader *reader)
{
    static void (*const questions[])(struct reader *) = { ask_rows, ask_rows, ask_gathered,
                                                          ask_hours, ask_sums };

    questions[below(reader, OI_COUNT(questions))](reader);
}

static void *
keep_asking(void *context)
{
    struct reader *reader = context;
    struct world *world = reader->world;

    for (unsigned i = 1; !atomic_load(&world->is_over) && atomic_load(&world->faults) == 0; i++) {
        unsigned done = atomic_load(&world->done);

        /* Who writes would only be waited for. */
        if (reader->handle == &world->handles[1] && i % FOLLOW_EVERY == 0 &&
            oi_store_follow(reader->handle->store, NULL) == OI_OK)
            note_shown(reader, done);
        ask_one(reader);
    }
    return NULL;
}

/*
 * Who writes.
 */

struct writing {
    struct oi_row rows[SERIES * CELLS];
    size_t count;
    unsigned state;
};

static void
begin_change(struct world *world, struct writing *writing)
{
    writing->count = 0;
    writing->state = atomic_load(&world->begun) + 1;
    oi_virtual_clock_advance(&world->test.clock, OI_SECOND);
}

static void
add_row(struct world *world, struct writing *writing, size_t series, size_t cell)
{
    struct cell *found = &world->cells[series][cell];
    unsigned count = atomic_load(&found->count);

    if (count == REVISIONS)
        return;
    writing->rows[writing->count++] =
        test_store_row(world->series[series], time_of(cell), ++world->next_value);
    found->revisions[count].state = writing->state;
    found->revisions[count].value = world->next_value;
    atomic_store(&found->revisions[count].withdrawn, UINT_MAX);
    atomic_store(&found->count, count + 1);
}

static void
commit(struct world *world, struct writing *writing, const struct oi_import_mark *mark,
       uint64_t *ret_batch)
{
    const struct oi_batch batch = { .rows = writing->rows,
                                    .row_count = writing->count,
                                    .import = mark };
    struct oi_append_result result = {};
    struct oi_error error = {};

    atomic_store(&world->states[++world->last_batch], writing->state);
    atomic_store(&world->begun, writing->state);
    if (oi_store_append(world->handles[0].store, &batch, &result, &error) != OI_OK ||
        result.stored != writing->count || result.batch != world->last_batch) {
        print_error("state %u: %zu of %zu rows are stored %s\n", writing->state, result.stored,
                    writing->count, error.message);
        atomic_fetch_add(&world->faults, 1);
    }
    *ret_batch = result.batch;
    world->stored += result.stored;
    atomic_store(&world->done, writing->state);
}

/* Mostly of the last hours; of some series a few instants in a row, there already or not. */
static void
append_some(struct world *world, bool is_late)
{
    static struct writing writing;
    uint64_t batch;

    begin_change(world, &writing);
    for (size_t series = 0; series < SERIES; series++) {
        size_t from = is_late && oi_random_below(&world->random, 12) == 0 ? 0 : QUIET;
        size_t count = (size_t) oi_random_below(&world->random, 8);

        from += (size_t) oi_random_below(&world->random, CELLS - 8 - from);
        for (size_t i = 0; i < count; i++)
            add_row(world, &writing, series, from + i);
    }
    if (writing.count == 0)
        add_row(world, &writing, 0, QUIET);
    commit(world, &writing, NULL, &batch);
}

static void
import_some(struct world *world, size_t series, size_t from, size_t to)
{
    static struct writing writing;
    struct import *import = &world->imports[world->import_count++];
    struct oi_import_mark mark = { .name = "file.csv", .format = "csv", .is_complete = true };

    begin_change(world, &writing);
    *import = (struct import){
        .series = (uint32_t) series, .from = from, .to = to, .state = writing.state
    };
    oi_fingerprint_of_facts(
        (struct oi_slice){ (const char *) &import->state, sizeof(import->state) },
        mark.fingerprint);
    for (size_t cell = from; cell < to; cell++)
        add_row(world, &writing, series, cell);
    commit(world, &writing, &mark, &import->batch);
}

static void
withdraw(struct world *world, struct import *import)
{
    unsigned state = atomic_load(&world->begun) + 1;

    oi_virtual_clock_advance(&world->test.clock, OI_SECOND);
    import->is_withdrawn = true;
    for (size_t cell = import->from; cell < import->to; cell++) {
        struct cell *found = &world->cells[import->series][cell];

        for (unsigned i = 0; i < atomic_load(&found->count); i++)
            if (found->revisions[i].state == import->state)
                atomic_store(&found->revisions[i].withdrawn, state);
    }
    atomic_store(&world->begun, state);
    if (oi_store_withdraw(world->handles[0].store, import->batch, NULL) != OI_OK)
        atomic_fetch_add(&world->faults, 1);
    atomic_store(&world->done, state);
}

static void
change(struct world *world)
{
    uint64_t kind = oi_random_below(&world->random, 6);
    size_t from = (size_t) oi_random_below(&world->random, FILLED);

    if (kind == 0 && world->import_count > 0) {
        struct import *import =
            &world->imports[oi_random_below(&world->random, world->import_count)];

        if (!import->is_withdrawn) {
            withdraw(world, import);
            return;
        }
    }
    if (kind <= 1)
        import_some(world, (size_t) oi_random_below(&world->random, SERIES), from, from + 4);
    else
        append_some(world, true);
}

static void *
keep_changing(void *context)
{
    struct world *world = context;
    int64_t until = oi_clock_system.monotonic_ns(&oi_clock_system) + ROUND_NS;

    for (unsigned i = 0; i < ROUND_CHANGES && atomic_load(&world->faults) == 0 &&
                         oi_clock_system.monotonic_ns(&oi_clock_system) < until;
         i++)
        change(world);
    atomic_store(&world->is_over, true);
    return NULL;
}

/*
 * The test.
 */

static void
hear(void *context, uint64_t batch, const struct oi_row *rows, size_t count)
{
    struct world *world = context;

    (void) batch, (void) rows;
    world->heard += count;
}

static void
open_other(struct world *world)
{
    assert_ok(test_clickhouse_open(world->test.path, &world->test.options, &world->handles[1].store,
                                   NULL));
    atomic_store(&world->handles[1].shown, atomic_load(&world->done));
}

static void
begin(struct world *world, void **state, uint64_t seed)
{
    static struct writing writing;
    uint64_t batch;

    test_store_begin(&world->test, *state, "store", &test_clickhouse_engine);
    world->handles[0].store = world->test.store;
    oi_random_init(&world->random, seed);
    for (size_t i = 0; i < SERIES; i++)
        assert_ok(oi_store_series(world->test.store, world->test.instruments[i],
                                  world->test.history, &world->series[i], NULL));
    world->last_batch = oi_store_last_batch(world->test.store);
    begin_change(world, &writing);
    for (size_t series = 0; series < SERIES; series++)
        for (size_t cell = 0; cell < FILLED; cell += 2)
            add_row(world, &writing, series, cell);
    commit(world, &writing, NULL, &batch);
    /* What is changed before the other handle opens is not told to it. */
    import_some(world, 0, 0, FILLED / 2);
    import_some(world, 1, 0, FILLED / 2);
    assert_ok(oi_store_follow(world->test.store, NULL));
    open_other(world);
}

/* All that may be asked, which nothing changes meanwhile. */
static void
ask_all(struct world *world, uint64_t seed)
{
    for (size_t i = 0; i < OI_COUNT(world->handles); i++) {
        struct reader reader = { .world = world, .handle = &world->handles[i] };

        oi_random_init(&reader.random, seed);
        assert_ok(oi_store_follow(reader.handle->store, NULL));
        note_shown(&reader, atomic_load(&world->done));
        for (unsigned question = 0; question < 60; question++)
            ask_one(&reader);
    }
}

/* Of what was stored before a handle was opened it knows no changes: what was once is not taken for
 * what is. */
static void
ask_past_first(struct world *world)
{
    for (size_t i = 0; i < OI_COUNT(world->handles); i++)
        for (size_t series = 0; series < SERIES; series++) {
            struct reader reader = { .world = world, .handle = &world->handles[i] };

            ask_rows_of(&reader, series, OI_SPAN_ALL, 1);
            ask_rows_of(&reader, series, OI_SPAN_ALL, UINT_MAX);
        }
}

/* Hours that were made ready of rows which are withdrawn then, and made again. */
static void
forget_hours(struct world *world)
{
    struct reader reader = { .world = world, .handle = &world->handles[0] };
    struct import *import = &world->imports[world->import_count];

    import_some(world, SERIES - 1, 0, FILLED);
    for (unsigned step = 0; step < 2; step++) {
        for (unsigned more = 0; more < 12; more++)
            append_some(world, false);
        assert_ok(oi_store_follow(world->test.store, NULL));
        ask_hours_of(&reader, SERIES - 1, 0);
        ask_hours_of(&reader, SERIES - 1, 0);
        if (step == 0)
            withdraw(world, import);
    }
}

static void
run_round(struct world *world, uint64_t seed)
{
    struct reader readers[2 * READERS] = {};
    pthread_t threads[2 * READERS], writer;

    atomic_store(&world->is_over, false);
    for (size_t i = 0; i < OI_COUNT(readers); i++) {
        readers[i].world = world;
        readers[i].handle = &world->handles[i % 2];
        oi_random_init(&readers[i].random, seed * 100 + i);
        assert_int_equal(pthread_create(&threads[i], NULL, keep_asking, &readers[i]), 0);
    }
    assert_int_equal(pthread_create(&writer, NULL, keep_changing, world), 0);
    assert_int_equal(pthread_join(writer, NULL), 0);
    for (size_t i = 0; i < OI_COUNT(readers); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void
what_is_kept_is_what_the_store_says(void **state)
{
    const char *text = getenv("OI_TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 10) : 20'261'127;
    struct world *world = oi_alloc_zero(1, sizeof(*world));
    const struct oi_watcher watcher = { hear, world };

    print_message("seed %llu\n", (unsigned long long) seed);
    begin(world, state, seed);
    ask_all(world, seed);
    world->stored = 0;
    oi_store_watch(world->test.store, &watcher);
    for (unsigned round = 0; round < ROUNDS && world->faults == 0; round++) {
        run_round(world, seed + round);
        ask_all(world, seed + round);
        oi_store_close(&world->handles[1].store);
        open_other(world);
        ask_past_first(world);
        ask_all(world, seed + round);
    }
    forget_hours(world);
    print_message("%u changes; %d rows, %d hours, %d sums compared\n", world->done, world->rows,
                  world->hours, world->wholes);
    assert_int_equal(world->faults, 0);
    oi_store_unwatch(world->test.store, &watcher);
    assert_int_equal(world->heard, world->stored);
    assert_true(world->rows > 0 && world->hours > 0 && world->wholes > 0);
    oi_store_close(&world->handles[1].store);
    test_store_verify(&world->test);
    test_store_close(&world->test);
    oi_free(world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_kept_is_what_the_store_says, test_folder_setup,
                                        test_folder_teardown),
    };
    int failed;

    if (!test_clickhouse_start())
        return 0;
    test_store_opener = test_clickhouse_open;
    failed = cmocka_run_group_tests_name("contract/store_kept", tests, NULL, NULL);
    test_clickhouse_stop();
    return failed;
}
