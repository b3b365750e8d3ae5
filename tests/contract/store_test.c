/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a store promises, one run for each engine. The heart is a comparison with a model that is
 * too simple to be wrong: random logs with late, repeated and corrected rows, checkpoints and
 * restarts at random places; then every way of asking must answer as the model does, and a
 * point-in-time question as a store that never saw the rest.
 */
#include "base/alloc.h"
#include "base/random.h"
#include "base/vector.h"
#include "store/remote.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/test_clickhouse.h"
#include "support/test_store.h"

#define SERIES_COUNT 3
#define STEP_COUNT 40
#define SLOT_COUNT 200 /* distinct minutes of a log */

static const struct oi_kv_engine *engine; /* the one whose turn it is */

/* A row that the model holds. */
struct model_row {
    uint32_t series;
    uint64_t batch;
    struct oi_observation reading;
};

struct model_batch {
    oi_time clock;
    struct oi_row rows[24];
    size_t count;
    uint64_t number; /* 0: nothing was new */
};

struct model {
    OI_VECTOR(struct model_row) rows;
    OI_VECTOR(struct model_batch) batches;
};

static void
model_release(struct model *model)
{
    oi_vector_release(&model->rows);
    oi_vector_release(&model->batches);
}

static bool
same_number(const struct oi_observation *a, const struct oi_observation *b)
{
    return oi_decimal_equal(&a->open_interest, &b->open_interest) &&
           oi_decimal_equal(&a->value_usd, &b->value_usd) &&
           oi_decimal_equal(&a->mark_price, &b->mark_price);
}

static bool
comes_before(const struct model_row *a, const struct model_row *b)
{
    if (a->reading.known_time != b->reading.known_time)
        return a->reading.known_time < b->reading.known_time;
    return a->batch < b->batch;
}

enum verdict { STORED, DUPLICATE, REFUSED };

/* The rules of DESIGN, word by word. `kind`: 0 polled, 1 restates, 2 neither. */
static enum verdict
model_judge(const struct model *model, const struct model_row *row, uint32_t kind)
{
    const struct model_row *before = NULL;
    bool is_any = false, differs = false;

    for (size_t i = 0; i < model->rows.count; i++) {
        const struct model_row *other = &model->rows.items[i];

        if (other->series != row->series || other->reading.time != row->reading.time)
            continue;
        is_any = true;
        differs |= !same_number(&other->reading, &row->reading);
        if (!comes_before(row, other) && (!before || comes_before(before, other)))
            before = other;
    }
    if (is_any && kind == 0)
        return DUPLICATE;
    if (before && same_number(&before->reading, &row->reading))
        return DUPLICATE;
    if (before && !comes_before(before, row))
        return REFUSED;
    return kind == 2 && differs ? REFUSED : STORED;
}

static int
compare_rows(const void *left, const void *right)
{
    const struct model_row *a = left, *b = right;

    if (a->reading.time != b->reading.time)
        return a->reading.time < b->reading.time ? -1 : 1;
    if (a->reading.known_time != b->reading.known_time)
        return a->reading.known_time < b->reading.known_time ? -1 : 1;
    return a->batch < b->batch ? -1 : a->batch > b->batch;
}

/* What a scan of the model gives, in order. */
struct answer {
    OI_VECTOR(struct model_row) rows;
};

static void
model_scan(const struct model *model, const struct oi_scan_request *request, uint64_t batch_limit,
           struct answer *answer)
{
    size_t kept = 0;

    oi_vector_clear(&answer->rows);
    for (size_t i = 0; i < model->rows.count; i++) {
        const struct model_row *row = &model->rows.items[i];

        if (row->series == request->series && oi_span_contains(request->span, row->reading.time) &&
            row->reading.known_time <= request->moment.as_of && row->batch <= batch_limit)
            oi_vector_push(&answer->rows, *row);
    }
    if (answer->rows.count > 0)
        qsort(answer->rows.items, answer->rows.count, sizeof(struct model_row), compare_rows);
    for (size_t i = 0; i < answer->rows.count; i++) {
        bool is_last = i + 1 == answer->rows.count ||
                       answer->rows.items[i + 1].reading.time != answer->rows.items[i].reading.time;

        if (is_last || request->all_revisions)
            answer->rows.items[kept++] = answer->rows.items[i];
    }
    answer->rows.count = kept;
}

/* All rows of a scan, ascending, whichever way it runs. */
static void
run_scan(struct oi_store *store, const struct oi_scan_request *request, struct answer *answer)
{
    struct oi_scan *scan = NULL;

    oi_vector_clear(&answer->rows);
    assert_ok(oi_store_scan(store, request, &scan, NULL));
    for (;;) {
        const struct oi_columns *columns;
        size_t old = answer->rows.count;

        assert_ok(oi_scan_next(scan, &columns, NULL));
        if (!columns)
            break;
        assert_true(columns->count > 0);
        for (size_t row = 0; row < columns->count; row++) {
            const struct model_row found = { .series = request->series,
                                             .batch = columns->batch[row],
                                             .reading = oi_columns_get(columns, row) };

            oi_vector_push(&answer->rows, found);
        }
        if (request->is_backwards && old > 0) {
            /* Later blocks hold earlier rows. */
            struct model_row *moved = oi_alloc(old * sizeof(*moved));

            memcpy(moved, answer->rows.items, old * sizeof(*moved));
            memmove(answer->rows.items, answer->rows.items + old, columns->count * sizeof(*moved));
            memcpy(answer->rows.items + columns->count, moved, old * sizeof(*moved));
            oi_free(moved);
        }
    }
    oi_scan_close(&scan);
}

static void
assert_same_answer(const struct answer *found, const struct answer *expected, bool with_batches)
{
    assert_int_equal(found->rows.count, expected->rows.count);
    for (size_t i = 0; i < found->rows.count; i++) {
        test_store_assert_same(&found->rows.items[i].reading, &expected->rows.items[i].reading);
        if (with_batches)
            assert_int_equal(found->rows.items[i].batch, expected->rows.items[i].batch);
    }
}

static struct oi_decimal
random_figure(struct oi_random *random)
{
    struct oi_decimal value = {};

    switch (oi_random_below(random, 8)) {
    case 0:
        return value;
    case 1: /* wide */
        assert_ok(oi_decimal_parse(oi_random_below(random, 2) ? OI_SLICE("123456789012345678901.5")
                                                              : OI_SLICE("99999999999999999999999"),
                                   &value, NULL));
        return value;
    default:
        return oi_decimal_from((int64_t) oi_random_below(random, 3) + 1,
                               (int) oi_random_below(random, 3) - 2);
    }
}

static void
random_batch(struct oi_random *random, const struct test_store *test, uint64_t slot_now,
             struct model_batch *batch)
{
    batch->count = 1 + oi_random_below(random, OI_COUNT(batch->rows));
    for (size_t i = 0; i < batch->count; i++) {
        struct oi_row *row = &batch->rows[i];
        uint64_t slot = oi_random_below(random, 3) ? slot_now + oi_random_below(random, 4)
                                                   : oi_random_below(random, SLOT_COUNT);

        *row = test_store_row(test->series[oi_random_below(random, SERIES_COUNT)],
                              TEST_START - OI_DAY + (oi_time) slot * 11 * OI_MINUTE, 0);
        do
            row->reading.open_interest = random_figure(random);
        while (oi_decimal_is_none(&row->reading.open_interest));
        if (oi_random_below(random, 2))
            row->reading.value_usd = random_figure(random);
        if (oi_random_below(random, 4) == 0)
            row->reading.mark_price = random_figure(random);
        if (oi_random_below(random, 2))
            row->reading.exchange_time = row->reading.time + 5;
        if (row->series == test->series[1] && oi_random_below(random, 2))
            row->reading.known_time =
                TEST_START - OI_DAY + (oi_time) oi_random_below(random, 30) * OI_HOUR;
        if (oi_random_below(random, 50) == 0)
            row->reading.known_time = batch->clock + 1; /* refused */
    }
}

/* Rows are judged in order of series, time, known time, place. */
static int
compare_places(const void *left, const void *right)
{
    const struct oi_row *a = *(const struct oi_row *const *) left,
                        *b = *(const struct oi_row *const *) right;

    if (a->series != b->series)
        return a->series < b->series ? -1 : 1;
    if (a->reading.time != b->reading.time)
        return a->reading.time < b->reading.time ? -1 : 1;
    if (a->reading.known_time != b->reading.known_time)
        return a->reading.known_time < b->reading.known_time ? -1 : 1;
    return a < b ? -1 : a > b;
}

static void
model_append(struct model *model, const struct test_store *test, struct model_batch *batch,
             uint64_t number, struct oi_append_result *result)
{
    struct oi_row rows[OI_COUNT(batch->rows)];
    const struct oi_row *order[OI_COUNT(batch->rows)];

    *result = (struct oi_append_result){};
    for (size_t i = 0; i < batch->count; i++) {
        rows[i] = batch->rows[i];
        if (rows[i].reading.known_time == OI_TIME_NONE)
            rows[i].reading.known_time = batch->clock;
        order[i] = &rows[i];
    }
    qsort(order, batch->count, sizeof(order[0]), compare_places);
    for (size_t i = 0; i < batch->count; i++) {
        const struct model_row row = { order[i]->series, number, order[i]->reading };
        uint32_t kind = row.series == test->series[0] ? 0 : row.series == test->series[1] ? 1 : 2;
        enum verdict verdict =
            row.reading.known_time > batch->clock ? REFUSED : model_judge(model, &row, kind);

        result->stored += verdict == STORED;
        result->duplicate += verdict == DUPLICATE;
        result->refused += verdict == REFUSED;
        if (verdict == STORED)
            oi_vector_push(&model->rows, row);
    }
    result->batch = result->stored ? number : 0;
    batch->number = result->batch;
}

/* As much as fits, or a share, crowds and an overlong log, as a server does. */
static void
random_checkpoint(struct test_store *test, struct oi_random *random)
{
    const struct oi_checkpoint_plan plan = { .rows_max = 1 + oi_random_below(random, 60),
                                             .share = oi_random_below(random, 5),
                                             .crowd = 1 + oi_random_below(random, 40),
                                             .log_max = oi_random_below(random, 120) };
    size_t left;

    if (oi_random_below(random, 2) == 0)
        assert_ok(oi_store_checkpoint(test->store, plan.rows_max, &left, NULL));
    else
        assert_ok(oi_store_checkpoint_share(test->store, &plan, &left, NULL));
}

static void
feed_step(struct model *model, struct test_store *test, struct oi_random *random, size_t step)
{
    struct model_batch batch = {};
    struct oi_append_result expected, found;

    oi_virtual_clock_advance(&test->clock, (int64_t) oi_random_below(random, 20) * OI_MINUTE + 1);
    batch.clock = test->clock.now_ns;
    random_batch(random, test, step * SLOT_COUNT / STEP_COUNT, &batch);
    model_append(model, test, &batch, oi_store_last_batch(test->store) + 1, &expected);
    found = test_store_append(test, batch.rows, batch.count);
    assert_int_equal(found.stored, expected.stored);
    assert_int_equal(found.duplicate, expected.duplicate);
    assert_int_equal(found.refused, expected.refused);
    assert_int_equal(found.batch, expected.batch);
    oi_vector_push(&model->batches, batch);
    if (oi_random_below(random, 6) == 0)
        random_checkpoint(test, random);
    if (oi_random_below(random, 15) == 0)
        test_store_reopen(test);
}

static uint64_t
batch_at(const struct model *model, oi_time time)
{
    uint64_t number = 0;

    for (size_t i = 0; i < model->batches.count; i++)
        if (model->batches.items[i].clock <= time && model->batches.items[i].number)
            number = model->batches.items[i].number;
    return number;
}

static oi_time
random_moment(struct oi_random *random, const struct test_store *test)
{
    return test->clock.now_ns - (oi_time) oi_random_below(random, 40) * OI_HOUR / 2 +
           (oi_time) oi_random_below(random, 3);
}

static void
ask_scans(const struct model *model, struct test_store *test, struct oi_random *random)
{
    struct answer expected = {}, found = {};

    for (int i = 0; i < 24; i++) {
        struct oi_scan_request request = {
            .series = test->series[oi_random_below(random, SERIES_COUNT)],
            .span = OI_SPAN_ALL,
            .moment = OI_MOMENT_LATEST,
            .columns = OI_COLUMNS_ALL,
            .all_revisions = oi_random_below(random, 3) == 0,
            .is_backwards = oi_random_below(random, 2) == 0,
        };
        uint64_t limit = UINT64_MAX;

        if (oi_random_below(random, 2)) {
            request.span.from = TEST_START - OI_DAY +
                                (oi_time) oi_random_below(random, SLOT_COUNT) * OI_MINUTE * 11;
            request.span.to =
                request.span.from + (oi_time) oi_random_below(random, 100) * OI_MINUTE * 11;
        }
        if (oi_random_below(random, 2))
            request.moment.as_of = random_moment(random, test);
        if (oi_random_below(random, 2)) {
            request.moment.as_stored = random_moment(random, test);
            limit = batch_at(model, request.moment.as_stored);
        }
        model_scan(model, &request, limit, &expected);
        if (oi_random_below(random, 2))
            request.limit = 1 + oi_random_below(random, 40);
        if (request.limit && request.limit < expected.rows.count) {
            size_t skipped = request.is_backwards ? expected.rows.count - request.limit : 0;

            memmove(expected.rows.items, expected.rows.items + skipped,
                    request.limit * sizeof(struct model_row));
            expected.rows.count = request.limit;
        }
        run_scan(test->store, &request, &found);
        assert_same_answer(&found, &expected, true);
    }
    oi_vector_release(&expected.rows);
    oi_vector_release(&found.rows);
}

/* Two instants of the past, which were perhaps asked for before something else was stored. */
static void
ask_instants(const struct model *model, struct test_store *test, uint32_t series, oi_time time,
             struct answer *expected)
{
    struct oi_instant instants[] = { { .time = time }, { .time = time - OI_HOUR } };
    struct oi_scan_request request = { .series = series, .moment = OI_MOMENT_LATEST };

    oi_store_at_instants(test->store, series, instants, OI_COUNT(instants));
    for (size_t i = 0; i < OI_COUNT(instants); i++) {
        struct oi_observation reading;

        request.span = (struct oi_span){ OI_TIME_EARLIEST, instants[i].time + 1 };
        model_scan(model, &request, UINT64_MAX, expected);
        assert_status(instants[i].status, expected->rows.count > 0 ? OI_OK : OI_E_NOT_FOUND);
        if (expected->rows.count == 0)
            continue;
        reading = expected->rows.items[expected->rows.count - 1].reading;
        reading.exchange_time = instants[i].reading.exchange_time;
        reading.known_time = instants[i].reading.known_time;
        test_store_assert_same(&instants[i].reading, &reading);
    }
}

static void
ask_single_rows(const struct model *model, struct test_store *test, struct oi_random *random)
{
    struct answer expected = {};

    for (size_t i = 0; i < SERIES_COUNT; i++) {
        struct oi_scan_request request = { .series = test->series[i],
                                           .span = OI_SPAN_ALL,
                                           .moment = OI_MOMENT_LATEST };
        struct oi_observation reading;
        struct oi_extent extent;
        oi_time time;

        model_scan(model, &request, UINT64_MAX, &expected);
        if (expected.rows.count == 0) {
            assert_status(oi_store_latest(test->store, test->series[i], &reading, NULL),
                          OI_E_NOT_FOUND);
            continue;
        }
        assert_ok(oi_store_latest(test->store, test->series[i], &reading, NULL));
        test_store_assert_same(&reading, &expected.rows.items[expected.rows.count - 1].reading);
        assert_ok(oi_store_extent(test->store, test->series[i], &extent, NULL));
        assert_int_equal(extent.first, expected.rows.items[0].reading.time);
        assert_int_equal(extent.last, expected.rows.items[expected.rows.count - 1].reading.time);
        time = expected.rows.items[oi_random_below(random, expected.rows.count)].reading.time +
               (oi_time) oi_random_below(random, 2);
        ask_instants(model, test, test->series[i], time, &expected);
        request.span.to = time + 1;
        request.moment.as_of = random_moment(random, test);
        model_scan(model, &request, UINT64_MAX, &expected);
        if (expected.rows.count == 0) {
            assert_status(
                oi_store_at(test->store, test->series[i], time, request.moment, &reading, NULL),
                OI_E_NOT_FOUND);
            continue;
        }
        assert_ok(oi_store_at(test->store, test->series[i], time, request.moment, &reading, NULL));
        test_store_assert_same(&reading, &expected.rows.items[expected.rows.count - 1].reading);
    }
    oi_vector_release(&expected.rows);
}

struct rollup_list {
    OI_VECTOR(struct oi_rollup) items;
};

static enum oi_status
collect_rollup(void *context, const struct oi_rollup *rollup)
{
    struct rollup_list *list = context;

    oi_vector_push(&list->items, *rollup);
    return OI_OK;
}

static void
model_rollups(const struct answer *rows, int64_t interval_ns, struct rollup_list *list)
{
    oi_vector_clear(&list->items);
    for (size_t i = 0; i < rows->rows.count; i++) {
        const struct oi_observation *reading = &rows->rows.items[i].reading;
        oi_time start = oi_interval_floor(interval_ns, reading->time);
        struct oi_rollup *last =
            list->items.count ? &list->items.items[list->items.count - 1] : NULL;

        if (!last || last->start != start) {
            const struct oi_rollup new = { start, 1, *reading, *reading, *reading, *reading };

            oi_vector_push(&list->items, new);
            continue;
        }
        last->count++;
        last->last = *reading;
        if (oi_decimal_compare(&reading->open_interest, &last->high.open_interest) > 0)
            last->high = *reading;
        if (oi_decimal_compare(&reading->open_interest, &last->low.open_interest) < 0)
            last->low = *reading;
    }
}

/* Rollups by columns, row by row again. */
static enum oi_status
collect_columns(void *context, const struct oi_rollup_columns *columns)
{
    struct rollup_list *list = context;

    for (size_t i = 0; i < columns->count; i++)
        oi_vector_push(&list->items, ((struct oi_rollup){
                                         columns->starts[i],
                                         (uint32_t) columns->counts[i],
                                         oi_columns_get(&columns->first, i),
                                         oi_columns_get(&columns->high, i),
                                         oi_columns_get(&columns->low, i),
                                         oi_columns_get(&columns->last, i),
                                     }));
    return OI_OK;
}

/* Of what rollups do not have of their rows, anything may be there. */
static void
assert_same_end(struct oi_observation found, const struct oi_observation *expected)
{
    found.exchange_time = expected->exchange_time;
    found.known_time = expected->known_time;
    test_store_assert_same(&found, expected);
}

static void
assert_same_rollups(const struct rollup_list *found, const struct rollup_list *expected)
{
    assert_int_equal(found->items.count, expected->items.count);
    for (size_t j = 0; j < found->items.count; j++) {
        const struct oi_rollup *a = &found->items.items[j], *b = &expected->items.items[j];

        assert_int_equal(a->start, b->start);
        assert_int_equal(a->count, b->count);
        assert_same_end(a->first, &b->first);
        assert_true(oi_decimal_equal(&a->high.open_interest, &b->high.open_interest));
        assert_true(oi_decimal_equal(&a->low.open_interest, &b->low.open_interest));
        assert_same_end(a->last, &b->last);
    }
}

static void
ask_rollups(const struct model *model, struct test_store *test, struct oi_random *random)
{
    struct answer rows = {};
    struct rollup_list expected = {}, found = {};
    const unsigned end = OI_ROLLUP_END_COLUMNS, extreme = OI_ROLLUP_EXTREME_COLUMNS;
    struct oi_rollup_request by_columns = {
        .parts = OI_ROLLUP_FIRST | OI_ROLLUP_HIGH | OI_ROLLUP_LOW | OI_ROLLUP_LAST,
        .columns = { end, extreme, extreme, end },
        .each_columns = collect_columns,
        .each = collect_rollup,
        .context = &found,
    };

    for (int i = 0; i < 8; i++) {
        int64_t interval_ns = i % 2 ? OI_HOUR : OI_DAY;
        struct oi_scan_request request = {
            .series = test->series[oi_random_below(random, SERIES_COUNT)],
            .span = OI_SPAN_ALL,
            .moment = OI_MOMENT_LATEST,
        };

        if (i > 3) {
            request.span.from = oi_interval_floor(
                interval_ns, TEST_START - OI_DAY + (oi_time) oi_random_below(random, 48) * OI_HOUR);
            request.span.to =
                request.span.from + (oi_time) oi_random_below(random, 20) * interval_ns;
        }
        model_scan(model, &request, UINT64_MAX, &rows);
        model_rollups(&rows, interval_ns, &expected);
        oi_vector_clear(&found.items);
        assert_ok(oi_store_rollups(test->store, request.series, interval_ns, request.span,
                                   collect_rollup, &found, NULL));
        assert_same_rollups(&found, &expected);
        oi_vector_clear(&found.items);
        by_columns.series = request.series;
        by_columns.interval_ns = interval_ns;
        by_columns.span = request.span;
        assert_ok(oi_store_rollup_columns(test->store, &by_columns, NULL));
        assert_same_rollups(&found, &expected);
    }
    oi_vector_release(&rows.rows);
    oi_vector_release(&expected.items);
    oi_vector_release(&found.items);
}

/* A second store gets only what was committed by `as_stored` and known by `as_of`, at the same
 * times of the clock; the first one, asked at that moment, must answer the same. */
static void
compare_with_prefix(const struct model *model, struct test_store *test, const char *folder,
                    const char *name, struct oi_moment moment)
{
    struct answer whole = {}, prefix = {};
    struct test_store other;
    bool is_whole = moment.as_of == OI_TIME_LATEST;

    test_store_begin(&other, folder, name, &oi_kv_memory);
    for (size_t i = 0; i < model->batches.count; i++) {
        const struct model_batch *batch = &model->batches.items[i];
        struct oi_row rows[OI_COUNT(batch->rows)];
        size_t count = 0;

        if (batch->clock > moment.as_stored)
            break;
        for (size_t j = 0; j < batch->count; j++) {
            oi_time known = batch->rows[j].reading.known_time;

            if ((known == OI_TIME_NONE ? batch->clock : known) <= moment.as_of)
                rows[count++] = batch->rows[j];
        }
        oi_virtual_clock_advance(&other.clock, batch->clock - other.clock.now_ns);
        (void) test_store_append(&other, rows, count);
    }
    for (size_t i = 0; i < SERIES_COUNT; i++) {
        struct oi_scan_request request = { .series = test->series[i],
                                           .span = OI_SPAN_ALL,
                                           .moment = moment,
                                           .columns = OI_COLUMNS_ALL };

        run_scan(test->store, &request, &whole);
        request.moment = OI_MOMENT_LATEST;
        run_scan(other.store, &request, &prefix);
        assert_same_answer(&whole, &prefix, is_whole);
    }
    oi_vector_release(&whole.rows);
    oi_vector_release(&prefix.rows);
    test_store_close(&other);
}

/* Another process hears of what is committed here, and has its own of what it keeps. */
static void
ask_reader(const struct model *model, struct test_store *reader, struct oi_random *random)
{
    if (!reader->store)
        return;
    assert_ok(oi_remote_follow(reader->store, NULL));
    ask_scans(model, reader, random);
    ask_rollups(model, reader, random);
}

static void
try_log(const char *folder, uint64_t seed, int number)
{
    struct oi_random random;
    struct test_store test, reader;
    struct model model = {};
    char name[64];

    oi_random_init(&random, seed);
    (void) snprintf(name, sizeof(name), "%s-%d", engine->name, number);
    test_store_begin(&test, folder, name, engine);
    test.options.chunk_rows = 4 + oi_random_below(&random, 30);
    test_store_reopen(&test);
    reader = test;
    reader.store = NULL;
    if (engine == &test_clickhouse_engine)
        test_store_open(&reader);
    for (size_t step = 0; step < STEP_COUNT; step++) {
        feed_step(&model, &test, &random, step);
        if (step % 13 == 12) {
            ask_scans(&model, &test, &random);
            ask_rollups(&model, &test, &random);
            ask_single_rows(&model, &test, &random);
            ask_reader(&model, &reader, &random);
        }
    }
    (void) snprintf(name, sizeof(name), "%s-%d-stored", engine->name, number);
    compare_with_prefix(&model, &test, folder, name,
                        (struct oi_moment){ OI_TIME_LATEST, random_moment(&random, &test) });
    (void) snprintf(name, sizeof(name), "%s-%d-known", engine->name, number);
    compare_with_prefix(&model, &test, folder, name,
                        (struct oi_moment){ random_moment(&random, &test), OI_TIME_LATEST });
    test_store_verify(&test);
    test_store_checkpoint(&test);
    ask_scans(&model, &test, &random);
    ask_rollups(&model, &test, &random);
    ask_reader(&model, &reader, &random);
    test_store_verify(&test);
    test_store_close(&reader);
    test_store_close(&test);
    model_release(&model);
}

/* A long run should show that it runs, and where it was. */
static void
print_first_of_thousand(int number)
{
    if (number > 0 && number % 1000 == 0)
        print_message("log %d\n", number);
}

static void
answers_as_the_model_does_at_every_moment(void **state)
{
    const char *wanted = getenv("OI_TEST_SEED"), *logs = getenv("OI_TEST_LOGS");
    const char *remote_logs = getenv("OI_TEST_REMOTE_LOGS");
    /* Every sync of a disk costs, and the logs are the same. */
    long count = engine == &oi_kv_memory ? 150 : engine == &test_clickhouse_engine ? 2 : 25;
    uint64_t seed;

    oi_random_secret(&seed, sizeof(seed));
    if (wanted)
        seed = strtoull(wanted, NULL, 10);
    if (logs && engine == &oi_kv_memory)
        count = strtol(logs, NULL, 10);
    if (remote_logs && engine == &test_clickhouse_engine)
        count = strtol(remote_logs, NULL, 10);
    print_message("seed %llu, %ld logs (OI_TEST_SEED, OI_TEST_LOGS)\n", (unsigned long long) seed,
                  count);
    for (int i = 0; i < count; i++) {
        print_first_of_thousand(i);
        try_log(*state, seed + (uint64_t) i, i);
    }
}

/* The same tests for each engine. */
static int
run_over(const struct oi_kv_engine *which)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_as_the_model_does_at_every_moment,
                                        test_folder_setup, test_folder_teardown),
    };
    char name[64];

    engine = which;
    (void) snprintf(name, sizeof(name), "contract/store over %s", which->name);
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int
main(void)
{
    int failed = 0;

#define OI_KV_ENGINE(name) failed += run_over(&oi_kv_##name);
#include "kv/engines.def"
#undef OI_KV_ENGINE
    if (!test_clickhouse_start())
        return failed;
    test_store_opener = test_clickhouse_open;
    failed += run_over(&test_clickhouse_engine);
    test_clickhouse_stop();
    return failed;
}
