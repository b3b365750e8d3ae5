/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session of everything that writes, done over again with each single put and each commit of it
 * failing once: the step that met it fails and leaves the store as it was, in memory and on disk,
 * or gets over it by itself; then it is repeated, and the end is that of an undisturbed session.
 */
#include "base/alloc.h"
#include "base/buffer.h"
#include "kv/memory.h"

#include "support/test_store.h"

/* Rows of a large step: a few chunks. */
#define MANY 40

/* The memory engine, but the test gets hold of what was opened and plans its failure. */
static struct oi_kv *opened_kv;
static struct plan {
    enum oi_kv_call call;
    uint64_t nth; /* 0: none */
    enum oi_status status;
} plan;

static enum oi_status
open_with_plan(const char *folder, const struct oi_kv_options *options, struct oi_kv **ret_kv,
               struct oi_error *error)
{
    enum oi_status status = oi_kv_memory.open(folder, options, ret_kv, error);

    opened_kv = status == OI_OK ? *ret_kv : NULL;
    if (status == OI_OK && plan.nth > 0)
        oi_kv_memory_fail(opened_kv, plan.call, plan.nth, plan.status);
    return status;
}

/*
 * Everything that a store says, as text.
 */

static void
tell_decimal(struct oi_buffer *out, const struct oi_decimal *value)
{
    char text[OI_DECIMAL_TEXT_SIZE];

    oi_buffer_add_char(out, ' ');
    oi_buffer_add(out, text, oi_decimal_print(value, text));
}

static void
tell_reading(struct oi_buffer *out, const struct oi_observation *reading)
{
    oi_buffer_add_format(out, "%lld %lld", (long long) reading->time,
                         (long long) reading->known_time);
    tell_decimal(out, &reading->open_interest);
    tell_decimal(out, &reading->value_usd);
    oi_buffer_add_text(out, "\n");
}

static void
tell_rows(struct oi_buffer *out, struct oi_store *store, uint32_t series)
{
    const struct oi_scan_request request = { .series = series,
                                             .span = OI_SPAN_ALL,
                                             .moment = OI_MOMENT_LATEST,
                                             .columns = OI_COLUMNS_ALL,
                                             .all_revisions = true };
    const struct oi_columns *columns;
    struct oi_scan *scan = NULL;

    assert_ok(oi_store_scan(store, &request, &scan, NULL));
    for (;;) {
        assert_ok(oi_scan_next(scan, &columns, NULL));
        if (!columns)
            break;
        for (size_t row = 0; row < columns->count; row++) {
            struct oi_observation reading = oi_columns_get(columns, row);

            oi_buffer_add_format(out, "batch %llu ", (unsigned long long) columns->batch[row]);
            tell_reading(out, &reading);
        }
    }
    oi_scan_close(&scan);
}

static enum oi_status
tell_rollup(void *context, const struct oi_rollup *rollup)
{
    struct oi_buffer *out = context;

    oi_buffer_add_format(out, "rollup %lld %u ", (long long) rollup->start, rollup->count);
    tell_reading(out, &rollup->first);
    tell_reading(out, &rollup->high);
    tell_reading(out, &rollup->low);
    tell_reading(out, &rollup->last);
    return OI_OK;
}

static enum oi_status
tell_hole(void *context, const struct oi_hole *hole)
{
    oi_buffer_add_format(context, "hole %lld %lld %s\n", (long long) hole->span.from,
                         (long long) hole->span.to, oi_hole_cause_name(hole->cause));
    return OI_OK;
}

static void
tell_series(struct oi_buffer *out, struct oi_store *store, uint32_t series)
{
    struct oi_observation newest;
    struct oi_extent extent;

    oi_buffer_add_format(out, "series %u\n", series);
    tell_rows(out, store, series);
    if (oi_store_latest(store, series, &newest, NULL) == OI_OK)
        tell_reading(out, &newest);
    if (oi_store_extent(store, series, &extent, NULL) == OI_OK)
        oi_buffer_add_format(out, "extent %lld %lld %llu\n", (long long) extent.first,
                             (long long) extent.last, (unsigned long long) extent.rows);
    assert_ok(oi_store_rollups(store, series, OI_HOUR, OI_SPAN_ALL, tell_rollup, out, NULL));
    assert_ok(oi_store_rollups(store, series, OI_DAY, OI_SPAN_ALL, tell_rollup, out, NULL));
}

static void
tell_catalog(struct oi_buffer *out, struct oi_store *store)
{
    const struct oi_span day = { TEST_START - OI_DAY, TEST_START };
    const struct oi_catalog *catalog = oi_store_catalog(store);

    for (size_t i = 0; i < catalog->instrument_count; i++) {
        oi_buffer_add_format(out, "instrument %s", catalog->instruments[i].symbol);
        tell_decimal(out, &catalog->instruments[i].contract_size);
        oi_buffer_add_text(out, "\n");
    }
    for (size_t i = 0; i < catalog->feed_count; i++)
        oi_buffer_add_format(out, "feed %s\n", catalog->feeds[i].name);
    for (size_t i = 0; i < catalog->series_count; i++)
        tell_series(out, store, catalog->series[i].id);
    if (catalog->instrument_count > 0 && catalog->feed_count > 0)
        assert_ok(
            oi_store_gaps(store, 1, 1, OI_MINUTE, day, OI_MOMENT_LATEST, tell_hole, out, NULL));
    oi_catalog_unref(&catalog);
}

static const uint8_t file_hash[32] = { 7 };

static struct oi_buffer
tell(struct oi_store *store)
{
    struct oi_import_mark mark;
    struct oi_buffer out = {};

    oi_buffer_add_format(&out, "last batch %llu\n",
                         (unsigned long long) oi_store_last_batch(store));
    tell_catalog(&out, store);
    if (oi_store_import_find(store, file_hash, &mark, NULL) == OI_OK)
        oi_buffer_add_format(&out, "import %llu %llu %llu %d\n",
                             (unsigned long long) mark.rows_done, (unsigned long long) mark.stored,
                             (unsigned long long) mark.duplicate, mark.is_complete);
    return out;
}

static void
assert_tells(struct test_store *test, const struct oi_buffer *expected)
{
    struct oi_buffer found = tell(test->store);

    assert_int_equal(found.size, expected->size);
    assert_memory_equal(found.data, expected->data, expected->size);
    oi_buffer_release(&found);
}

/*
 * The session.
 */

static enum oi_status
append(struct test_store *test, uint32_t series, int from, int count, int64_t value)
{
    struct oi_row *rows = oi_alloc_zero((size_t) count, sizeof(*rows));
    const struct oi_batch batch = { .rows = rows, .row_count = (size_t) count };
    struct oi_append_result result;
    enum oi_status status;

    for (int i = 0; i < count; i++)
        rows[i] = test_store_row(series, test_store_minute(from + i * 7), value + i);
    status = oi_store_append(test->store, &batch, &result, NULL);
    oi_free(rows);
    return status;
}

static enum oi_status
define(struct test_store *test)
{
    struct oi_instrument definitions[2] = { test_store_instrument("A"),
                                            test_store_instrument("B") };

    return oi_store_define(test->store, definitions, 2, NULL, NULL, NULL);
}

static enum oi_status
make_feed(struct test_store *test, const char *name, bool restates)
{
    struct oi_feed feed = { .restates = restates, .cadence_ns = OI_MINUTE };
    uint16_t id;

    (void) snprintf(feed.name, sizeof(feed.name), "%s", name);
    return oi_store_feed(test->store, &feed, &id, NULL);
}

static enum oi_status
make_live(struct test_store *test)
{
    return make_feed(test, "live", false);
}

static enum oi_status
make_history(struct test_store *test)
{
    return make_feed(test, "history", true);
}

static enum oi_status
make_series(struct test_store *test)
{
    const uint32_t instruments[2] = { 1, 2 };
    uint32_t series[2];

    return oi_store_series_all(test->store, instruments, 2, 1, series, NULL);
}

static enum oi_status
make_one_series(struct test_store *test)
{
    uint32_t series;

    return oi_store_series(test->store, 1, 2, &series, NULL);
}

static enum oi_status
append_live(struct test_store *test)
{
    return append(test, 1, 0, MANY, 1000);
}

static enum oi_status
append_history(struct test_store *test)
{
    return append(test, 3, 0, MANY, 2000);
}

/* The same minutes otherwise, and some before and between. */
static enum oi_status
append_corrections(struct test_store *test)
{
    return append(test, 3, 70, MANY, 3000);
}

static enum oi_status
append_late(struct test_store *test)
{
    return append(test, 3, -400, 90, 4000);
}

/* A file's rows with its mark, holes and watch marks: every kind of thing that a batch holds. */
static enum oi_status
append_file(struct test_store *test)
{
    struct oi_row rows[3];
    struct oi_hole hole = { .instrument = 1,
                            .span = { test_store_minute(1), test_store_minute(4) },
                            .cause = OI_HOLE_SILENT };
    struct oi_watch_mark mark = { .exchange = "example", .minute = test_store_minute(5) };
    struct oi_import_mark import = {
        .name = "file.csv", .format = "csv", .rows_done = 3, .is_complete = true
    };
    const struct oi_batch batch = { .rows = rows,
                                    .row_count = 3,
                                    .holes = &hole,
                                    .hole_count = 1,
                                    .marks = &mark,
                                    .mark_count = 1,
                                    .import = &import };
    struct oi_append_result result;

    memcpy(import.fingerprint, file_hash, sizeof(file_hash));
    for (int i = 0; i < 3; i++)
        rows[i] = test_store_row(2, test_store_minute(i * 500), 50 + i);
    return oi_store_append(test->store, &batch, &result, NULL);
}

static enum oi_status
checkpoint(struct test_store *test)
{
    size_t left = 1;

    while (left > 0)
        OI_TRY(oi_store_checkpoint(test->store, 30, &left, NULL));
    return OI_OK;
}

static enum oi_status
redefine(struct test_store *test)
{
    struct oi_instrument definition = test_store_instrument("A");

    definition.contract_size = oi_decimal_from(5, 0);
    return oi_store_define(test->store, &definition, 1, NULL, NULL, NULL);
}

/* The file's batch is the last one that was appended before. */
static enum oi_status
withdraw(struct test_store *test)
{
    enum oi_status status = OI_E_NOT_FOUND;

    for (uint64_t batch = 1; batch < 99 && status == OI_E_NOT_FOUND; batch++)
        status = oi_store_withdraw(test->store, batch, NULL);
    return status;
}

static enum oi_status (*const steps[])(struct test_store *test) = {
    define,     make_live,          make_history,   make_series, make_one_series, append_live,
    checkpoint, append_file,        append_history, checkpoint,  append_late,     checkpoint,
    redefine,   append_corrections, withdraw,       checkpoint,  append_file,
};

/* Open the store; the planned failure may be met there already. */
static void
begin(struct test_store *test, const char *folder, const char *name, bool *ret_met)
{
    static struct oi_kv_engine engine;
    enum oi_status status;

    engine = oi_kv_memory;
    engine.open = open_with_plan;
    memset(test, 0, sizeof(*test));
    oi_virtual_clock_init(&test->clock, TEST_START);
    test->options = (struct oi_store_options){ .clock = &test->clock.clock,
                                               .engine = &engine,
                                               .chunk_rows = 16 };
    (void) snprintf(test->path, sizeof(test->path), "%s/%s", folder, name);
    status = oi_store_open(test->path, &test->options, &test->store, NULL);
    *ret_met = status != OI_OK;
    if (status == OI_OK)
        return;
    assert_status(status, plan.status);
    plan.nth = 0;
    test_store_open(test);
}

/* A step that failed changed nothing, here and on disk; then it is done. */
static void
recover(struct test_store *test, size_t step, const struct oi_buffer *before)
{
    assert_tells(test, before);
    plan.nth = 0;
    test_store_reopen(test);
    assert_tells(test, before);
    test_store_verify(test);
    assert_ok(steps[step](test));
}

/* Do it all; what the store says at the end. Was the planned failure met by a step's failure? */
static struct oi_buffer
run_session(const char *folder, const char *name, bool *ret_met, uint64_t calls[2])
{
    struct test_store test;
    struct oi_buffer end;

    begin(&test, folder, name, ret_met);
    for (size_t step = 0; step < OI_COUNT(steps); step++) {
        /* A checkpoint of several transactions may be through with some of them. */
        struct oi_buffer before = tell(test.store);
        enum oi_status status = steps[step](&test);

        if (status != OI_OK) {
            assert_false(*ret_met);
            assert_status(status, plan.status);
            *ret_met = true;
            recover(&test, step, &before);
        }
        oi_buffer_release(&before);
        oi_virtual_clock_advance(&test.clock, OI_MINUTE);
    }
    for (int call = 0; calls && call < 2; call++)
        calls[call] = oi_kv_memory_calls(opened_kv, (enum oi_kv_call) call);
    test_store_verify(&test);
    end = tell(test.store);
    test_store_close(&test);
    return end;
}

static void
run_with(const char *folder, enum oi_kv_call call, uint64_t nth, enum oi_status status,
         const struct oi_buffer *expected)
{
    struct oi_buffer end;
    char name[64];
    bool is_met;

    plan = (struct plan){ call, nth, status };
    (void) snprintf(name, sizeof(name), "%d-%d-%d", (int) call, (int) nth, (int) status);
    end = run_session(folder, name, &is_met, NULL);
    /* A full disk is tried again by itself. */
    assert_true(is_met || status == OI_E_FULL);
    assert_int_equal(end.size, expected->size);
    assert_memory_equal(end.data, expected->data, expected->size);
    oi_buffer_release(&end);
}

static void
every_failing_write_leaves_the_store_as_it_was(void **state)
{
    struct oi_buffer expected;
    uint64_t calls[2];
    bool is_met;

    plan = (struct plan){};
    expected = run_session(*state, "undisturbed", &is_met, calls);
    assert_false(is_met);
    assert_true(calls[OI_KV_CALL_PUT] > 3 * OI_COUNT(steps));
    assert_true(calls[OI_KV_CALL_COMMIT] >= OI_COUNT(steps));
    for (int call = 0; call < 2; call++) {
        for (uint64_t nth = 1; nth <= calls[call]; nth++) {
            run_with(*state, (enum oi_kv_call) call, nth, OI_E_IO, &expected);
            run_with(*state, (enum oi_kv_call) call, nth, OI_E_FULL, &expected);
        }
    }
    print_message("%llu puts and %llu commits failed, each in two ways\n",
                  (unsigned long long) calls[OI_KV_CALL_PUT],
                  (unsigned long long) calls[OI_KV_CALL_COMMIT]);
    oi_buffer_release(&expected);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_failing_write_leaves_the_store_as_it_was,
                                        test_folder_setup, test_folder_teardown),
    };

    return cmocka_run_group_tests_name("contract/store_failures", tests, NULL, NULL);
}
