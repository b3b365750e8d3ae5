/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics are there from the start, one line for each exchange, in Prometheus' text format. */
#include "collector/collector.h"

#include "support/test_store.h"

static const char *const products[] = { "linear", NULL };
/* An exchange that can be asked; it never is here. */
static const struct oi_endpoint endpoints[] = { { .kind = OI_TASK_CURRENT } };
static const struct oi_exchange first = {
    .name = "first", .products = products, .endpoints = endpoints, .endpoint_count = 1
};
static const struct oi_exchange second = {
    .name = "second", .products = products, .endpoints = endpoints, .endpoint_count = 1
};
/* One that cannot be: there is nothing to count. */
static const struct oi_exchange closed = { .name = "closed", .products = products };
static const struct oi_exchange *const registry[] = { &first, &second, &closed, NULL };

static void
every_measure_has_its_kind_and_a_line_for_each_exchange(void **state)
{
    struct test_store store;
    struct oi_collector_options options = { .registry = registry, .seed = 1 };
    struct oi_collector *collector = NULL;
    struct oi_buffer out = {};
    struct oi_slice rest, line;
    size_t types = 0, samples = 0;

    test_store_begin(&store, *state, "store", &oi_kv_memory);
    options.clock = &store.clock.clock;
    /* The feed of the test store has facts of its own; a collector's has none. */
    assert_status(oi_collector_open_stepped(&options, store.store, &collector, NULL), OI_E_INVALID);
    test_store_close(&store);
    (void) snprintf(store.path, sizeof(store.path), "%s/empty", (const char *) *state);
    test_store_open(&store);
    assert_ok(oi_collector_open_stepped(&options, store.store, &collector, NULL));
    oi_collector_write_metrics(collector, &out);
    rest = oi_buffer_slice(&out);
    while (oi_slice_next_part(&rest, '\n', &line)) {
        types += oi_slice_starts_with(line, "# TYPE oi_collector_");
        if (line.size == 0 || line.data[0] == '#')
            continue;
        assert_true(oi_slice_starts_with(line, "oi_collector_"));
        assert_non_null(memmem(line.data, line.size, "{exchange=\"", 11));
        assert_true(oi_slice_ends_with(line, "} 0"));
        samples++;
    }
    assert_true(types > 10);
    /* The errors have five kinds. */
    assert_int_equal(samples, 2 * (types - 1) + 2 * 5);
    oi_buffer_release(&out);
    oi_collector_close(&collector);
    test_store_close(&store);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_measure_has_its_kind_and_a_line_for_each_exchange,
                                        test_folder_setup, test_folder_teardown),
    };

    return cmocka_run_group_tests_name("collector/metrics", tests, NULL, NULL);
}
