/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans: what a key may do. A plan is one line of rules; those that the five vendors publish are
 * built in, under their names, and a configuration may change them or add its own. Pure.
 */
#pragma once

#include "base/buffer.h"
#include "base/slice.h"
#include "base/status.h"
#include "dialects/dialect.h"
#include "server/quota.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OI_PLAN_NAME_SIZE 32
#define OI_PLAN_RATES_MAX 3
#define OI_PLANS_MAX 256

struct oi_plan {
    char name[OI_PLAN_NAME_SIZE];  /* "kwery-pro" */
    char label[OI_PLAN_NAME_SIZE]; /* how its vendor's answers call it: "pro" */
    struct oi_rate rates[OI_PLAN_RATES_MAX];
    unsigned rate_count;
    /* In what the monthly amount is counted; with WEIGHT, what the rates count too. */
    enum oi_cost cost;
    uint64_t monthly;           /* 0: no limit */
    uint64_t per_call, per_row; /* credits, where the dialect has no price of its own */
    int64_t history_ns;         /* 0: all of it */
    size_t rows_max;            /* 0: the dialect's own */
    unsigned streams_max;       /* open at once, of one key; 0: no limit */
    bool denies_streams;
    bool denies_totals; /* no sums over several exchanges, where a dialect has them */
};

struct oi_plans {
    struct oi_plan items[OI_PLANS_MAX];
    size_t count;
};

/*
 * Read "NAME RULE ...". Rules, separated by blanks:
 *   like=NAME         begin with that plan's rules
 *   rate=10/60s       a bucket that fills so fast; burst=20 its size (the count, unless given)
 *   window=6000/20s   at most so many in any such span; up to three of rate and window in all
 *   calls=5000        a month;  credits=150000 a month;  weight: rates count Kiyotaka's weights
 *   per_call=50 per_row=3   credits of answers that have no price of their own
 *   history=30d  rows=1000  no_totals  streams=200  no_streams  label=TEXT
 * INVALID names the rule.
 */
enum oi_status oi_plan_parse(struct oi_slice text, const struct oi_plans *known,
                             struct oi_plan *ret_plan, struct oi_error *error);

/* The plan's rules as oi_plan_parse reads them, without the name. */
void oi_plan_write(const struct oi_plan *plan, struct oi_buffer *out);

/* The built-in ones, then those of a configuration; a name that is there is replaced. Free with
 * oi_plans_free. */
enum oi_status oi_plans_new(const char *const *texts, size_t count, struct oi_plans **ret_plans,
                            struct oi_error *error);
void oi_plans_free(struct oi_plans **plans);
/* NULL when there is none of that name. */
const struct oi_plan *oi_plan_find(const struct oi_plans *plans, const char *name);
