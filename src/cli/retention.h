/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator's rules on how long readings are kept: none unless the setting `retention` has some.
 * `oi retain` applies them once, a process that keeps a store open goes through them by steps.
 */
#pragma once

#include "base/clock.h"
#include "cli/options.h"
#include "store/store.h"

#define OI_RETENTION_RULES_MAX 64

#define OI_OPTION_RETENTION                                                                        \
    {                                                                                              \
        .name = "retention", .argument = "RULE",                                                   \
        .help = "FEED:DAYSd (import:*:400d): older readings of such feeds go",                     \
        .setting = "retention", .is_repeatable = true                                              \
    }

struct oi_retention_rule {
    char feed[OI_FEED_NAME_SIZE]; /* a feed's name or a pattern of names */
    int64_t days;
};

struct oi_retention {
    struct oi_retention_rule rules[OI_RETENTION_RULES_MAX];
    size_t count;
    /* Where a pass is: the next series of the rule at hand, and what is gone so far. */
    size_t rule, series;
    uint64_t removed;
};

/* The rules that are set; INVALID names the one that is none. */
enum oi_status oi_retention_read(const struct oi_options *options,
                                 struct oi_retention *ret_retention, struct oi_error *error);
/* Go on with a pass for about `budget_ns`, at least by one series; *ret_done at its end, and then
 * the next call begins another one. `removed` is then what the pass removed, until that call. */
enum oi_status oi_retention_step(struct oi_retention *retention, struct oi_store *store,
                                 const struct oi_clock *clock, int64_t budget_ns, bool *ret_done,
                                 struct oi_error *error);
