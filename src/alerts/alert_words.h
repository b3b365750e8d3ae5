/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a rule or an action is written: a name, then words of `key=value` apart by blanks. A value
 * with blanks stands in double quotes, in which \" and \\ are the characters themselves.
 */
#pragma once

#include "base/alloc.h"
#include "base/slice.h"
#include "base/status.h"

#include <stddef.h>

/* More words of one line are refused. */
#define OI_ALERT_WORDS_MAX 64
/* Longest name of a rule or an action, with its NUL. */
#define OI_ALERT_NAME_SIZE 48

struct oi_alert_words {
    const char *name;
    struct oi_alert_word {
        const char *key, *value;
    } items[OI_ALERT_WORDS_MAX];
    size_t count;
};

/* Take a line apart; texts are copied into the arena. INVALID, the message beginning with `place`
 * ("line 3 of data/oi.conf"), for a name that is not letters, digits, "-" and "_", a word without
 * "=", a key twice, or a quote that does not end. */
enum oi_status oi_alert_words_read(struct oi_slice line, const char *place, struct oi_arena *arena,
                                   struct oi_alert_words *ret_words, struct oi_error *error);
