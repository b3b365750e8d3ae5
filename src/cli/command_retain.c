/* SPDX-License-Identifier: Apache-2.0 */
/* Old readings removed as the setting `retention` asks; without one, nothing is. */
/* no unit test: a whole command; tests/system/cli.test.mjs runs it */
#include "base/clock.h"
#include "cli/command.h"
#include "store/store.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

static const struct oi_option options_table[] = {
    { .name = "retention",
      .argument = "RULE",
      .help = "FEED:DAYSd (import:*:400d): older readings of such feeds go",
      .setting = "retention",
      .is_repeatable = true },
    OI_OPTION_STORE,
};

#define DAYS_MAX 100000

struct rule {
    char feed[OI_FEED_NAME_SIZE];
    int64_t days;
};

/* "import:*:400d": what is before the last colon is a feed's name or a pattern of names. */
static enum oi_status
parse_rule(const char *text, struct rule *ret_rule, struct oi_error *error)
{
    const char *colon = strrchr(text, ':');
    size_t size = colon ? (size_t) (colon - text) : 0;
    struct rule rule = {};
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

static enum oi_status
apply(struct oi_store *store, const struct oi_catalog *catalog, const struct rule *rule,
      struct oi_error *error)
{
    oi_time before = oi_clock_system.wall_ns(&oi_clock_system) - rule->days * OI_DAY;
    uint64_t total = 0;

    for (size_t i = 0; i < catalog->series_count; i++) {
        const struct oi_series *series = &catalog->series[i];
        uint64_t rows = 0;

        if (fnmatch(rule->feed, catalog->feeds[series->feed - 1].name, 0) != 0)
            continue;
        OI_TRY(oi_store_retain(store, series->id, before, &rows, error));
        total += rows;
    }
    (void) fprintf(stderr, "%s older than %lld days: %llu readings removed\n", rule->feed,
                   (long long) rule->days, (unsigned long long) total);
    return OI_OK;
}

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    OI_CLEANUP(oi_store_close) struct oi_store *store = NULL;
    OI_CLEANUP(oi_catalog_unref) const struct oi_catalog *catalog = NULL;
    const char *const *rules = NULL;
    size_t count = oi_options_values(options, "retention", &rules);
    struct rule rule;

    if (count == 0)
        return oi_fail(error, OI_E_INVALID, "no rule is set, so nothing is removed");
    for (size_t i = 0; i < count; i++)
        OI_TRY(parse_rule(rules[i], &rule, error));
    OI_TRY(oi_store_open(oi_options_text(options, "data"), NULL, &store, error));
    catalog = oi_store_catalog(store);
    for (size_t i = 0; i < count; i++) {
        OI_TRY(parse_rule(rules[i], &rule, error));
        OI_TRY(apply(store, catalog, &rule, error));
    }
    return OI_OK;
}

const struct oi_command oi_command_retain = {
    .name = "retain",
    .summary = "Remove old readings as the setting `retention` asks",
    .description =
        "Off unless a rule is set. Whole chunks of readings go, for every moment that is\n"
        "asked for; the newest readings of a market always stay. `oi compact` then\n"
        "gives the room back to the disk",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
