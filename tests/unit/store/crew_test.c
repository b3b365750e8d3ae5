/* SPDX-License-Identifier: Apache-2.0 */
#include "store/crew.h"

#include "base/compiler.h"

#include <stdatomic.h>

#include "support/test.h"

#define PIECES 40
#define ROUNDS 200

struct tally {
    atomic_int times[PIECES];
    atomic_int begun;
    int left; /* by the other thread, read once it was waited for */
};

static void
count(void *context, size_t piece)
{
    struct tally *tally = context;

    atomic_fetch_add(&tally->times[piece], 1);
}

/* A piece that ends only when another one has begun: by another thread, then. */
static void
meet(void *context, size_t)
{
    struct tally *tally = context;

    atomic_fetch_add(&tally->begun, 1);
    while (atomic_load(&tally->begun) < 2)
        ;
}

static void
leave(void *context, size_t)
{
    struct tally *tally = context;

    tally->left++;
}

static void
assert_each_once(struct tally *tally, size_t pieces)
{
    for (size_t i = 0; i < PIECES; i++)
        assert_int_equal(atomic_load(&tally->times[i]), i < pieces ? 1 : 0);
}

static void
every_piece_is_done_once(void **)
{
    struct oi_crew *crew = oi_crew_new();

    for (size_t round = 0; round < ROUNDS; round++) {
        struct tally tally = {};

        oi_crew_share(crew, count, &tally, round % (PIECES + 1));
        assert_each_once(&tally, round % (PIECES + 1));
    }
    oi_crew_free(&crew);
    assert_null(crew);
}

static void
without_a_crew_the_caller_does_all(void **)
{
    struct tally tally = {};
    struct oi_crew *none = NULL;

    oi_crew_share(NULL, count, &tally, PIECES);
    assert_each_once(&tally, PIECES);
    assert_false(oi_crew_start(NULL, count, &tally));
    oi_crew_finish(NULL);
    oi_crew_free(&none);
}

static void
pieces_are_done_at_the_same_time(void **)
{
    struct oi_crew *crew = oi_crew_new();
    struct tally tally = {};

    oi_crew_share(crew, meet, &tally, 2);
    assert_int_equal(atomic_load(&tally.begun), 2);
    oi_crew_free(&crew);
}

static void
what_was_started_is_waited_for(void **)
{
    struct oi_crew *crew = oi_crew_new();
    struct tally tally = {};

    oi_crew_finish(crew); /* nothing was */
    for (int round = 1; round <= ROUNDS; round++) {
        assert_true(oi_crew_start(crew, leave, &tally));
        oi_crew_finish(crew);
        oi_crew_finish(crew);
        assert_int_equal(tally.left, round);
    }
    oi_crew_share(crew, count, &tally, PIECES);
    assert_each_once(&tally, PIECES);
    oi_crew_free(&crew);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_is_done_once),
        cmocka_unit_test(without_a_crew_the_caller_does_all),
        cmocka_unit_test(pieces_are_done_at_the_same_time),
        cmocka_unit_test(what_was_started_is_waited_for),
    };
    return cmocka_run_group_tests_name("store/crew", tests, NULL, NULL);
}
