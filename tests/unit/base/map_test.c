/* SPDX-License-Identifier: Apache-2.0 */
/* The hash map against a plain array of what must be in it. */
#include "base/map.h"

#include "base/compiler.h"
#include "base/random.h"
#include "support/test.h"

#include <stdio.h>

static void
an_empty_map_has_nothing(void **)
{
    OI_CLEANUP(oi_map_free) struct oi_map *map = oi_map_new();
    uint64_t value = 7;
    struct oi_slice key;
    size_t position = 0;

    assert_false(oi_map_get(map, OI_SLICE("a"), &value));
    assert_int_equal(value, 7);
    assert_false(oi_map_remove(map, OI_SLICE("a")));
    assert_false(oi_map_next(map, &position, &key, &value));
}

static void
a_second_put_replaces(void **)
{
    OI_CLEANUP(oi_map_free) struct oi_map *map = oi_map_new();
    uint64_t value = 0;

    oi_map_put(map, OI_SLICE("a"), 1);
    oi_map_put(map, OI_SLICE("a"), 2);
    oi_map_put(map, (struct oi_slice){}, 3);
    oi_map_put(map, OI_SLICE("a\0b"), 4);
    assert_int_equal(oi_map_count(map), 3);
    assert_true(oi_map_get(map, OI_SLICE("a"), &value));
    assert_int_equal(value, 2);
    assert_true(oi_map_get(map, OI_SLICE(""), &value));
    assert_int_equal(value, 3);
    assert_true(oi_map_get(map, OI_SLICE("a\0b"), &value));
    assert_int_equal(value, 4);
}

static void
agrees_with_an_array_after_many_changes(void **)
{
    enum { KEYS = 300 };
    OI_CLEANUP(oi_map_free) struct oi_map *map = oi_map_new();
    uint64_t expected[KEYS] = {}; /* 0: absent */
    struct oi_random random;
    size_t present = 0;
    size_t position = 0;
    struct oi_slice walked;
    uint64_t value;
    char key[32];

    print_message("seed 3\n");
    oi_random_init(&random, 3);
    for (uint64_t i = 1; i < 20'000; i++) {
        size_t which = oi_random_below(&random, KEYS);
        struct oi_slice name;

        (void) snprintf(key, sizeof(key), "instrument-%zu", which);
        name = oi_slice_of(key);
        value = 0;
        assert_int_equal(oi_map_get(map, name, &value), expected[which] > 0);
        assert_int_equal(value, expected[which]);
        if (oi_random_below(&random, 2) == 0) {
            oi_map_put(map, name, i);
            expected[which] = i;
        } else {
            assert_int_equal(oi_map_remove(map, name), expected[which] > 0);
            expected[which] = 0;
        }
    }
    for (size_t i = 0; i < KEYS; i++)
        present += expected[i] > 0;
    assert_int_equal(oi_map_count(map), present);
    while (oi_map_next(map, &position, &walked, &value)) {
        unsigned which = KEYS;

        assert_int_equal(sscanf(walked.data, "instrument-%u", &which), 1);
        assert_int_equal(expected[which], value);
        present--;
    }
    assert_int_equal(present, 0);
}

static void
freeing_leaves_null(void **)
{
    struct oi_map *map = oi_map_new();

    oi_map_free(&map);
    assert_null(map);
    oi_map_free(&map);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_has_nothing),
        cmocka_unit_test(a_second_put_replaces),
        cmocka_unit_test(agrees_with_an_array_after_many_changes),
        cmocka_unit_test(freeing_leaves_null),
    };
    return cmocka_run_group_tests_name("base/map", tests, NULL, NULL);
}
