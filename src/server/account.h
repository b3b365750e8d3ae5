/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one key has used: its rates in memory, its month in blocks that are reserved durably before
 * anything of them is given out.
 */
#pragma once

#include "server/access.h"
#include "server/plans.h"
#include "server/sharing.h"
#include "server/usage.h"

#include <pthread.h>

struct oi_account {
    uint8_t hash[OI_SHA256_SIZE];
    pthread_mutex_t lock; /* over what follows */
    struct oi_plan plan;
    bool is_operator;
    struct oi_rate_state rates[OI_PLAN_RATES_MAX];
    uint32_t month;
    uint64_t reserved; /* of the month, by all processes, as last seen */
    uint64_t held;     /* of that, by us and not yet used */
    unsigned streams;  /* open now */
    bool is_known;     /* `reserved` has been read for `month` */
    /* Where several servers count together; NULL: this one alone. */
    struct oi_sharing *shared;
    struct oi_sharing_account sharing;
    struct oi_lease leases[OI_PLAN_RATES_MAX];
};

struct oi_account *oi_account_new(const uint8_t hash[OI_SHA256_SIZE], const struct oi_plan *plan);
/* Tell Redis what this server has taken of the month of `now`, where the plan has months. */
enum oi_status oi_account_tell(struct oi_account *account, oi_time now, struct oi_error *error);
/* Gives back to `usage` (or NULL) what is held. */
void oi_account_free(struct oi_account **account, struct oi_usage *usage);
/* Another plan starts its rates anew. */
void oi_account_set_plan(struct oi_account *account, const struct oi_plan *plan);

/* Count a visit before its answer is made, and say what is left. */
enum oi_key_verdict oi_account_admit(struct oi_account *account, struct oi_usage *usage,
                                     const struct oi_visit *visit, struct oi_grant *grant,
                                     struct oi_allowance *allowance, unsigned *ret_retry_after_s);
enum oi_key_verdict oi_account_settle(struct oi_account *account, struct oi_usage *usage,
                                      const struct oi_visit *visit, struct oi_grant *grant,
                                      uint64_t price, unsigned *ret_retry_after_s);
/* Take so much if it is there, else all there is: the answer has been sent already. */
void oi_account_charge(struct oi_account *account, struct oi_usage *usage, struct oi_grant *grant,
                       uint64_t amount);
void oi_account_refund(struct oi_account *account, struct oi_grant *grant);
