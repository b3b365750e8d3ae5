/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of one connection. */
#include "net/output.h"

#include "base/random.h"
#include "net/http_server.h"

#include "support/test.h"

static void
gathers_small_pieces_but_moves_none_that_was_shown(void **)
{
    struct oi_output output = {};
    struct oi_slice shown[4];
    const char *address;

    oi_output_add(&output, OI_SLICE("ab"));
    oi_output_add(&output, OI_SLICE("cd"));
    assert_int_equal(oi_output_show(&output, shown, 4), 1);
    assert_true(oi_slice_is(shown[0], "abcd"));
    address = shown[0].data;
    oi_output_add(&output, OI_SLICE("ef"));
    assert_int_equal(oi_output_show(&output, shown, 4), 2);
    assert_ptr_equal(shown[0].data, address);
    oi_output_consume(&output, 3);
    assert_int_equal(oi_output_show(&output, shown, 4), 2);
    assert_true(oi_slice_is(shown[0], "d"));
    assert_ptr_equal(shown[0].data, address + 3);
    oi_output_release(&output);
    assert_int_equal(output.size, 0);
}

static void
gives_every_byte_in_order(void **)
{
    const uint64_t seed = 20'260'307;
    struct oi_random random;
    struct oi_output output = {};
    struct oi_buffer in = {}, out = {};

    print_message("seed %llu\n", (unsigned long long) seed);
    oi_random_init(&random, seed);
    for (int round = 0; round < 5'000; round++) {
        struct oi_slice shown[8];
        struct oi_buffer piece = {};
        size_t count = oi_random_below(&random, 300), taken, size = 0;

        for (size_t i = 0; i < count; i++)
            oi_buffer_add_char(&piece, (char) oi_random_next(&random));
        oi_buffer_add_slice(&in, oi_buffer_slice(&piece));
        if (oi_random_below(&random, 2) == 0)
            oi_output_add(&output, oi_buffer_slice(&piece));
        else
            oi_output_move(&output, &piece);
        oi_buffer_release(&piece);
        count = oi_output_show(&output, shown, OI_COUNT(shown));
        taken = oi_random_below(&random, 320);
        for (size_t i = 0; i < count && size < taken; i++) {
            if (shown[i].size > taken - size)
                shown[i].size = taken - size;
            oi_buffer_add_slice(&out, shown[i]);
            size += shown[i].size;
        }
        oi_output_consume(&output, size);
        assert_int_equal(output.size, in.size - out.size);
    }
    while (output.size > 0) {
        struct oi_slice shown;

        assert_int_equal(oi_output_show(&output, &shown, 1), 1);
        oi_buffer_add_slice(&out, shown);
        oi_output_consume(&output, shown.size);
    }
    assert_true(oi_slice_equal(oi_buffer_slice(&in), oi_buffer_slice(&out)));
    oi_output_release(&output);
    oi_buffer_release(&in);
    oi_buffer_release(&out);
}

static void
keeps_a_shared_frame_while_a_queue_holds_it(void **)
{
    struct oi_output first = {}, second = {};
    struct oi_shared *frame = oi_websocket_frame_new(OI_SLICE("hello"));
    struct oi_slice shown;

    oi_output_share(&first, frame, oi_shared_bytes(frame));
    oi_output_share(&second, frame, oi_shared_bytes(frame));
    oi_shared_unref(&frame);
    oi_output_consume(&first, 7);
    assert_int_equal(oi_output_show(&second, &shown, 1), 1);
    assert_true(oi_slice_is(shown, "\x81\x05hello"));
    oi_output_append(&first, &second);
    assert_int_equal(first.size, 7);
    assert_int_equal(second.size, 0);
    oi_output_release(&first);
    oi_output_release(&second);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gathers_small_pieces_but_moves_none_that_was_shown),
        cmocka_unit_test(gives_every_byte_in_order),
        cmocka_unit_test(keeps_a_shared_frame_while_a_queue_holds_it),
    };
    return cmocka_run_group_tests_name("net/output", tests, NULL, NULL);
}
