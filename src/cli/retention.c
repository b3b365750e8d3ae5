/* SPDX-License-Identifier: Apache-2.0 */
/* Rules are few and passes rare: every series is held against every rule. */
/* no unit test: it acts through a store; tests/system/upkeep.test.mjs runs it */
#include "cli/retention.h"

#include <fnmatch.h>
#include <string.h>

#define DAYS_MAX 100'000

/* "import:*:400d": what is before the last colon is a feed's name or a pattern of names. */
static enum oi_status
parse_rule(const char *text, struct oi_retention_rule *ret_rule, struct oi_error *error)
{
    const char *colon = strrchr(text, ':');
    size_t size = colon ? (size_t) (colon - text) : 0;
    struct oi_retention_rule rule = {};
    const char *at;

    if (size == 0 || size >= sizeof(rule.feed))
        return oi_fail(error, OI_E_INVALID, "retention \"%s\" is not FEED:DAYSd", text);
    memcpy(rule.feed, text, size);
    for (at = colon + 1; *at >= '0' && *at <= '9' && rule.days <= DAYS_MAX; at++)
        rule.days = rule.days * 10 + (*at - '0');
    if (strcmp(at, "d") != 0 || rule.days < 1 || rule.days > DAYS_MAX)
        return oi_fail(error, OI_E_INVALID, "retention \"%s\" does not end in days, as 400d", text);
    *ret_rule = rule;
    return OI_OK;
}

enum oi_status
oi_retention_read(const struct oi_options *options, struct oi_retention *ret_retention,
                  struct oi_error *error)
{
    const char *const *rules = NULL;
    struct oi_retention retention = { .count = oi_options_values(options, "retention", &rules) };

    if (retention.count > OI_RETENTION_RULES_MAX)
        return oi_fail(error, OI_E_INVALID, "more than %d rules of retention",
                       OI_RETENTION_RULES_MAX);
    for (size_t i = 0; i < retention.count; i++)
        OI_TRY(parse_rule(rules[i], &retention.rules[i], error));
    *ret_retention = retention;
    return OI_OK;
}

enum oi_status
oi_retention_step(struct oi_retention *retention, struct oi_store *store,
                  const struct oi_clock *clock, int64_t budget_ns, bool *ret_done,
                  struct oi_error *error)
{
    OI_CLEANUP(oi_catalog_unref) const struct oi_catalog *catalog = oi_store_catalog(store);
    int64_t until = clock->monotonic_ns(clock) + budget_ns;

    if (retention->rule == 0 && retention->series == 0)
        retention->removed = 0;
    for (; retention->rule < retention->count; retention->rule++, retention->series = 0) {
        const struct oi_retention_rule *rule = &retention->rules[retention->rule];
        oi_time before = clock->wall_ns(clock) - rule->days * OI_DAY;

        while (retention->series < catalog->series_count) {
            const struct oi_series *series = &catalog->series[retention->series];
            uint64_t rows = 0;

            if (fnmatch(rule->feed, catalog->feeds[series->feed - 1].name, 0) == 0)
                OI_TRY(oi_store_retain(store, series->id, before, &rows, error));
            retention->series++;
            retention->removed += rows;
            if (clock->monotonic_ns(clock) >= until) {
                *ret_done = false;
                return OI_OK;
            }
        }
    }
    retention->rule = retention->series = 0;
    *ret_done = true;
    return OI_OK;
}
