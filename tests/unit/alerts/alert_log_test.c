/* SPDX-License-Identifier: Apache-2.0 */
/* What is written down is there again, in pages, and deliveries wait until they are settled. */
#include "alerts/alert_log.h"

#include "alerts/alert_text.h"

#include "support/test.h"
#include "support/test_folder.h"

#include <stdio.h>
#include <string.h>

#define START (INT64_C(1767225600) * OI_SECOND)

struct bench {
    struct oi_alert_rules rules;
    struct oi_alert_log *log;
};

static void
begin(struct bench *bench, const char *folder)
{
    memset(bench, 0, sizeof(*bench));
    assert_ok(oi_alert_rules_add_target(&bench->rules, OI_SLICE("ops url=http://x"), "x", NULL));
    assert_ok(oi_alert_rules_add_target(&bench->rules, OI_SLICE("pager command=/x"), "x", NULL));
    assert_ok(oi_alert_rules_add(
        &bench->rules, OI_SLICE("a when=level coin=BTC above=1 to=ops,pager"), "x", NULL));
    assert_ok(
        oi_alert_rules_add(&bench->rules, OI_SLICE("b when=level coin=BTC above=1"), "x", NULL));
    assert_ok(oi_alert_log_open(folder, false, &bench->log, NULL));
}

static void
end(struct bench *bench)
{
    oi_alert_log_close(&bench->log);
    oi_alert_rules_release(&bench->rules);
}

static void
write_event(struct bench *bench, int number, const struct oi_alert_saved_latch *latch)
{
    const struct oi_alert_rule *rule = &bench->rules.items.items[number % 2];
    struct oi_alert_event event = { .rule = rule,
                                    .market = "total:BTC",
                                    .at = START + number * OI_MINUTE,
                                    .time = START,
                                    .since = START,
                                    .value = oi_decimal_from(number, -3) };
    struct oi_buffer json = {};
    struct oi_alert_commit_event one = { .at = event.at, .rule = rule };
    const struct oi_alert_commit commit = { .position = { (uint64_t) number, event.at },
                                            .events = &one,
                                            .event_count = 1,
                                            .latches = latch,
                                            .latch_count = latch != NULL };

    (void) snprintf(event.id, sizeof(event.id), "%032d", number);
    (void) snprintf(event.alert, sizeof(event.alert), "%032d", number);
    oi_alert_write(&event, &json);
    one.json = oi_buffer_slice(&json);
    assert_ok(oi_alert_log_commit(bench->log, &commit, NULL));
    oi_buffer_release(&json);
}

/* The sequences of one page; what `after` takes next, or 0. */
static uint64_t
ask(struct bench *bench, bool from_end, uint64_t after, size_t limit, const char *rule,
    const char *expected)
{
    struct oi_query query = OI_QUERY_EMPTY;
    struct oi_result *result = NULL;
    const struct oi_block *block = NULL;
    struct oi_buffer text = {};
    uint64_t next;

    query.kind = OI_QUERY_ALERTS;
    query.from_end = from_end;
    query.limit = limit;
    query.text_filter = rule;
    query.after = (struct oi_position){ .is_set = after > 0, .time = (oi_time) after };
    assert_ok(oi_alert_log_ask(bench->log, &query, &result, NULL));
    assert_ok(oi_result_next(result, &block, NULL));
    for (size_t i = 0; block && i < block->count; i++)
        oi_buffer_add_format(&text, "%llu ", (unsigned long long) block->alerts[i].sequence);
    oi_buffer_add_char(&text, '\0');
    assert_string_equal(text.data, expected);
    next = result->next_position.is_set ? (uint64_t) result->next_position.time : 0;
    oi_buffer_release(&text);
    oi_result_close(&result);
    return next;
}

static void
pages_go_from_the_newest_back_and_from_a_number_on(void **state)
{
    struct bench bench;

    begin(&bench, *state);
    (void) ask(&bench, true, 0, 3, NULL, "");
    for (int i = 1; i <= 7; i++)
        write_event(&bench, i, NULL);
    assert_int_equal(ask(&bench, true, 0, 3, NULL, "5 6 7 "), 5);
    assert_int_equal(ask(&bench, true, 5, 3, NULL, "2 3 4 "), 2);
    assert_int_equal(ask(&bench, true, 2, 3, NULL, "1 "), 0);
    assert_int_equal(ask(&bench, false, 3, 2, NULL, "4 5 "), 5);
    assert_int_equal(ask(&bench, false, 5, 2, NULL, "6 7 "), 0);
    assert_int_equal(ask(&bench, false, 7, 2, NULL, ""), 0);
    assert_int_equal(ask(&bench, true, 0, 2, "a", "4 6 "), 4);
    assert_int_equal(ask(&bench, true, 4, 2, "a", "2 "), 0);
    assert_int_equal(ask(&bench, true, 0, 0, "c", ""), 0);
    end(&bench);
}

static bool
takes_all(void *, uint64_t, const char *)
{
    return true;
}

static bool
takes_pager(void *, uint64_t, const char *target)
{
    return strcmp(target, "pager") == 0;
}

static void
deliveries_wait_for_their_time_until_they_are_settled(void **state)
{
    struct oi_alert_delivery due[4];
    uint64_t waiting, last;
    struct bench bench;
    size_t count;

    begin(&bench, *state);
    write_event(&bench, 2, NULL); /* to both */
    write_event(&bench, 3, NULL); /* to nobody */
    end(&bench);
    begin(&bench, *state); /* another process */
    assert_ok(oi_alert_log_count(bench.log, &waiting, &last, NULL));
    assert_int_equal(waiting, 2);
    assert_int_equal(last, 2);
    assert_ok(oi_alert_log_due(bench.log, START, takes_all, NULL, due, 4, &count, NULL));
    assert_int_equal(count, 0);
    assert_ok(oi_alert_log_due(bench.log, START + OI_DAY, takes_pager, NULL, due, 4, &count, NULL));
    assert_int_equal(count, 1);
    assert_string_equal(due[0].target, "pager");
    assert_non_null(strstr(due[0].json, "\"value\":\"0.002\""));
    due[0].attempts = 1;
    due[0].due = START + 2 * OI_DAY;
    assert_ok(oi_alert_log_postpone(bench.log, &due[0], NULL));
    oi_alert_delivery_release(&due[0]);
    assert_ok(oi_alert_log_due(bench.log, START + OI_DAY, takes_all, NULL, due, 4, &count, NULL));
    assert_int_equal(count, 1);
    assert_string_equal(due[0].target, "ops");
    assert_ok(oi_alert_log_settle(bench.log, &due[0], NULL));
    oi_alert_delivery_release(&due[0]);
    assert_ok(
        oi_alert_log_due(bench.log, START + 3 * OI_DAY, takes_all, NULL, due, 4, &count, NULL));
    assert_int_equal(count, 1);
    assert_int_equal(due[0].attempts, 1);
    oi_alert_delivery_release(&due[0]);
    end(&bench);
}

static void
position_and_states_come_back_together(void **state)
{
    const struct oi_alert_saved_latch latch = {
        .rule = "a", .instrument = 258, .latch = { OI_ALERT_FIRING, START, START + 1, START + 2 }
    };
    struct oi_alert_memory memory = {};
    struct bench bench;

    begin(&bench, *state);
    assert_ok(oi_alert_log_load(bench.log, &memory, NULL));
    assert_false(memory.has_position);
    oi_alert_memory_release(&memory);
    write_event(&bench, 9, &latch);
    end(&bench);
    begin(&bench, *state);
    assert_ok(oi_alert_log_load(bench.log, &memory, NULL));
    assert_true(memory.has_position);
    assert_int_equal(memory.position.batch, 9);
    assert_int_equal(memory.position.minute, START + 9 * OI_MINUTE);
    assert_int_equal(memory.latches.count, 1);
    assert_int_equal(memory.latches.items[0].instrument, 258);
    assert_string_equal(memory.latches.items[0].rule, "a");
    assert_int_equal(memory.latches.items[0].latch.state, OI_ALERT_FIRING);
    assert_int_equal(memory.latches.items[0].latch.fired_time, START + 2);
    oi_alert_memory_release(&memory);
    end(&bench);
}

static void
a_log_that_is_not_there_is_not_made_by_who_only_reads(void **state)
{
    struct oi_alert_log *log = NULL;

    assert_status(oi_alert_log_open(*state, true, &log, NULL), OI_E_NOT_FOUND);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, test_folder_setup, test_folder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(pages_go_from_the_newest_back_and_from_a_number_on),
        TEST(deliveries_wait_for_their_time_until_they_are_settled),
        TEST(position_and_states_come_back_together),
        TEST(a_log_that_is_not_there_is_not_made_by_who_only_reads),
    };

    return cmocka_run_group_tests_name("alerts/alert_log", tests, NULL, NULL);
}
