/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a configuration as rules and actions: none crashes, and what is taken can be told. */
#include "alerts/alert_rule.h"
#include "alerts/alert_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
tell(const struct oi_alert_rule *rule)
{
    struct oi_alert_event event = {
        .rule = rule, .market = "total:BTC", .id = "0", .alert = "0", .value = rule->threshold
    };
    struct oi_buffer json = {};
    struct oi_arena arena = {};
    struct oi_query query = OI_QUERY_EMPTY;
    struct oi_alert alert;

    oi_alert_write(&event, &json);
    oi_assert(oi_alert_read(oi_buffer_slice(&json), &arena, &alert, NULL) == OI_OK);
    oi_assert(strcmp(alert.rule, rule->name) == 0);
    oi_assert(oi_decimal_equal(&alert.value, &event.value));
    oi_alert_rule_select(rule, &query);
    oi_query_release(&query);
    oi_arena_release(&arena);
    oi_buffer_release(&json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oi_alert_rules rules = {};
    struct oi_slice rest = { (const char *) data, size }, line;
    struct oi_error error = {};

    while (oi_slice_next_part(&rest, '\n', &line)) {
        (void) oi_alert_rules_add(&rules, line, "line 1", &error);
        (void) oi_alert_rules_add_target(&rules, line, "line 1", &error);
    }
    for (size_t i = 0; i < rules.items.count; i++)
        tell(&rules.items.items[i]);
    (void) oi_alert_rules_check(&rules, &error);
    oi_alert_rules_release(&rules);
    return 0;
}
