/* SPDX-License-Identifier: Apache-2.0 */
/* Memory and arenas. */
#include "base/alloc.h"

#include "support/test.h"

#include <string.h>

static void
size_zero_still_gives_memory(void **)
{
    void *memory = oi_alloc(0);
    void *zeroed = oi_alloc_zero(0, 8);

    assert_non_null(memory);
    assert_non_null(zeroed);
    oi_free(memory);
    oi_free(zeroed);
    oi_free(NULL);
}

static void
text_is_copied_with_an_end(void **)
{
    OI_CLEANUP(oi_free_pointer) char *text = oi_copy_text((struct oi_slice){ "BTCUSDT", 3 });
    OI_CLEANUP(oi_free_pointer) char *empty = oi_copy_text((struct oi_slice){});

    assert_string_equal(text, "BTC");
    assert_string_equal(empty, "");
}

static void
freeing_by_address_leaves_null(void **)
{
    char *text = oi_copy_text(OI_SLICE("x"));

    oi_free_pointer(&text);
    assert_null(text);
    oi_free_pointer(&text);
}

static void
calls_are_counted(void **)
{
    uint64_t before = oi_alloc_count();

    oi_free(oi_realloc(oi_alloc(1), 2, 4));
    assert_int_equal(oi_alloc_count() - before, 2);
}

static void
an_arena_hands_out_aligned_memory_that_stays(void **)
{
    OI_CLEANUP(oi_arena_release) struct oi_arena arena = {};
    char *pieces[500];

    for (size_t i = 0; i < 500; i++) {
        pieces[i] = oi_arena_alloc(&arena, i);
        assert_int_equal((uintptr_t) pieces[i] % _Alignof(max_align_t), 0);
        memset(pieces[i], (int) (i & 0x7F), i);
    }
    for (size_t i = 1; i < 500; i++) {
        assert_int_equal(pieces[i][0], i & 0x7F);
        assert_int_equal(pieces[i][i - 1], i & 0x7F);
    }
    assert_true(arena.used_bytes >= 500 * 499 / 2);
}

static void
a_reset_arena_works_without_allocating(void **)
{
    OI_CLEANUP(oi_arena_release) struct oi_arena arena = {};
    uint64_t before;

    for (int i = 0; i < 100; i++)
        (void) oi_arena_copy(&arena, OI_SLICE("some text"));
    before = oi_alloc_count();
    for (int round = 0; round < 10; round++) {
        oi_arena_reset(&arena);
        assert_int_equal(arena.used_bytes, 0);
        for (int i = 0; i < 100; i++)
            (void) oi_arena_copy(&arena, OI_SLICE("some text"));
    }
    assert_int_equal(oi_alloc_count(), before);
}

static void
a_giant_piece_is_given_back_at_reset(void **)
{
    OI_CLEANUP(oi_arena_release) struct oi_arena arena = {};
    char *giant = oi_arena_alloc_zero(&arena, 3 << 20, 1);

    assert_int_equal(giant[(3 << 20) - 1], 0);
    oi_arena_reset(&arena);
    assert_null(arena.newest);
}

static void
an_arena_formats_text_of_any_length(void **)
{
    OI_CLEANUP(oi_arena_release) struct oi_arena arena = {};

    assert_string_equal(oi_arena_format(&arena, "%s-%d", "a", 7), "a-7");
    assert_int_equal(strlen(oi_arena_format(&arena, "%50000d", 1)), 50000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_zero_still_gives_memory),
        cmocka_unit_test(text_is_copied_with_an_end),
        cmocka_unit_test(freeing_by_address_leaves_null),
        cmocka_unit_test(calls_are_counted),
        cmocka_unit_test(an_arena_hands_out_aligned_memory_that_stays),
        cmocka_unit_test(a_reset_arena_works_without_allocating),
        cmocka_unit_test(a_giant_piece_is_given_back_at_reset),
        cmocka_unit_test(an_arena_formats_text_of_any_length),
    };
    return cmocka_run_group_tests_name("base/alloc", tests, NULL, NULL);
}
