/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reservation waits for the disk once a block, with this account's lock held: another caller with
 * the same key needs its outcome anyway.
 */
/* no unit test: tests/unit/server/access_test.c asks it as the router does */
#include "server/account.h"

#include "base/log.h"
#include "server/guests.h"

#include <string.h>

struct oi_account *
oi_account_new(const uint8_t hash[OI_SHA256_SIZE], const struct oi_plan *plan)
{
    struct oi_account *account = oi_alloc_zero(1, sizeof(*account));

    memcpy(account->hash, hash, OI_SHA256_SIZE);
    pthread_mutex_init(&account->lock, NULL);
    account->plan = *plan;
    return account;
}

void
oi_account_free(struct oi_account **account, struct oi_usage *usage)
{
    struct oi_usage_account place;

    if (!account || !*account)
        return;
    place.month = (*account)->month;
    memcpy(place.hash, (*account)->hash, OI_SHA256_SIZE);
    if (usage && (*account)->held > 0 && (*account)->shared)
        oi_sharing_give_back((*account)->shared, &place, (*account)->held);
    else if (usage && (*account)->held > 0)
        (void) oi_usage_give_back(usage, &place, (*account)->held, NULL); /* lost: as in a crash */
    pthread_mutex_destroy(&(*account)->lock);
    oi_free(*account);
    *account = NULL;
}

static bool
same_rates(const struct oi_plan *a, const struct oi_plan *b)
{
    for (size_t i = 0; i < OI_COUNT(a->rates); i++)
        if (a->rates[i].kind != b->rates[i].kind || a->rates[i].count != b->rates[i].count ||
            a->rates[i].burst != b->rates[i].burst || a->rates[i].span_ns != b->rates[i].span_ns)
            return false;
    return true;
}

void
oi_account_set_plan(struct oi_account *account, const struct oi_plan *plan)
{
    pthread_mutex_lock(&account->lock);
    if (!same_rates(&account->plan, plan))
        memset(account->rates, 0, sizeof(account->rates));
    if (!same_rates(&account->plan, plan))
        memset(account->leases, 0, sizeof(account->leases));
    account->plan = *plan;
    pthread_mutex_unlock(&account->lock);
}

static enum oi_status
report(const struct oi_account *account, enum oi_status status, const struct oi_error *error)
{
    char id[OI_KEY_ID_SIZE];

    if (status == OI_OK || status == OI_E_NOT_FOUND)
        return status;
    oi_key_id(account->hash, id);
    oi_log_throttled(OI_LOG_ERROR, "usage.failed", id, "key=%s code=%s reason=\"%s\"", id,
                     oi_status_name(status), error->message);
    return status;
}

/* Look at the month of `now`: a new one begins with nothing held. */
static enum oi_status
turn_month(struct oi_account *account, struct oi_usage *usage, uint32_t month)
{
    struct oi_usage_account place = { .month = month };
    struct oi_error error = {};
    enum oi_status status = OI_OK;

    if (account->month == month && account->is_known)
        return OI_OK;
    memcpy(place.hash, account->hash, OI_SHA256_SIZE);
    if (account->month != month)
        account->sharing = (struct oi_sharing_account){};
    if (usage && account->shared)
        status = oi_sharing_total(account->shared, &place, &account->sharing, &account->reserved,
                                  &error);
    else if (usage)
        status = oi_usage_reserved(usage, &place, &account->reserved, &error);
    else if (account->month != month)
        account->reserved = 0;
    if (account->month != month)
        account->held = 0; /* of the month before: gone with it */
    account->month = month;
    account->is_known = status == OI_OK;
    return report(account, status, &error);
}

/* Hold at least `amount`. NOT_FOUND: the month has no room for it. */
static enum oi_status
hold(struct oi_account *account, struct oi_usage *usage, uint64_t amount)
{
    const struct oi_plan *plan = &account->plan;
    struct oi_usage_account place = { .month = account->month };
    struct oi_usage_wish wish = { .limit = plan->monthly,
                                  .block = oi_block_size(plan->monthly, plan->per_call) };
    struct oi_error error = {};
    uint64_t more = 0;
    enum oi_status status = OI_OK;

    if (account->held >= amount)
        return OI_OK;
    wish.missing = amount - account->held;
    memcpy(place.hash, account->hash, OI_SHA256_SIZE);
    if (usage && account->shared) {
        status = oi_sharing_reserve(account->shared, &place, &wish, &account->sharing, &more,
                                    &account->reserved, &error);
    } else if (usage) {
        status = oi_usage_reserve(usage, &place, &wish, &more, &account->reserved, &error);
    } else if (oi_block_reserve(wish.limit, account->reserved, wish.missing, wish.block, &more)) {
        account->reserved += more;
    } else {
        status = OI_E_NOT_FOUND;
    }
    if (status == OI_OK)
        account->held += more;
    return report(account, status, &error);
}

static enum oi_key_verdict
take_amount(struct oi_account *account, struct oi_usage *usage, struct oi_grant *grant,
            uint64_t amount)
{
    enum oi_status status = hold(account, usage, amount);

    if (status == OI_E_NOT_FOUND)
        return OI_KEY_USED_UP;
    if (status != OI_OK)
        return OI_KEY_UNKNOWABLE;
    account->held -= amount;
    grant->taken += amount;
    return OI_KEY_FINE;
}

/* What a call costs of the month before anything is known of its answer. */
static uint64_t
first_amount(const struct oi_plan *plan, enum oi_cost cost)
{
    if (plan->cost == OI_COST_CALLS)
        return 1;
    if (plan->cost == cost)
        return 0; /* its answer has a price */
    return plan->cost == OI_COST_CREDITS ? plan->per_call : 1;
}

static void
tell(const struct oi_account *account, const struct oi_visit *visit, const struct oi_grant *grant,
     struct oi_allowance *allowance)
{
    const struct oi_plan *plan = &grant->plan;
    uint64_t used = account->reserved - account->held;

    *allowance = (struct oi_allowance){
        .rows_max = plan->rows_max,
        .history_ns = plan->history_ns,
        .denies_totals = plan->denies_totals,
        .plan = strcmp(plan->label, "unlimited") == 0 ? NULL : plan->label,
    };
    if (plan->monthly > 0 && (visit->cost == OI_COST_CALLS || visit->cost == plan->cost)) {
        allowance->credits_limit = plan->monthly;
        allowance->credits_left = used < plan->monthly ? plan->monthly - used : 0;
        allowance->credits_charged = grant->taken;
    }
    if (plan->rate_count > 0) {
        struct oi_rate_left left =
            oi_rate_left(&plan->rates[0], &account->rates[0], visit->monotonic_ns);

        allowance->rate_limit = plan->rates[0].count;
        allowance->rate_burst =
            plan->rates[0].burst > 0 ? plan->rates[0].burst : plan->rates[0].count;
        allowance->rate_left = left.count;
        allowance->rate_reset_s = left.reset_ns > 0 ? oi_seconds_up(left.reset_ns) : 0;
        allowance->rate_is_weight = visit->cost == OI_COST_WEIGHT && plan->cost == OI_COST_WEIGHT;
        if (allowance->rate_is_weight) /* its own weight is taken off by who knows it */
            allowance->rate_left++;
    }
}

enum oi_status
oi_account_tell(struct oi_account *account, oi_time now, struct oi_error *error)
{
    struct oi_usage_account place = { .month = oi_usage_month(now) };
    struct oi_sharing_account sharing = {};
    uint64_t total;
    enum oi_status status = OI_OK;

    pthread_mutex_lock(&account->lock);
    memcpy(place.hash, account->hash, OI_SHA256_SIZE);
    if (account->plan.monthly > 0)
        status = oi_sharing_total(account->shared, &place, &sharing, &total, error);
    if (status == OI_OK && sharing.is_alone)
        status = oi_fail(error, OI_E_BUSY, "Redis went away");
    if (status == OI_OK && account->plan.monthly > 0 && account->month == place.month) {
        account->sharing = sharing;
        account->reserved = total;
    }
    pthread_mutex_unlock(&account->lock);
    return status;
}

/* The rates that hold here: all of the plan's, or this server's share while it is alone. */
static struct oi_plan
rates_here(const struct oi_account *account)
{
    struct oi_plan plan = account->plan;

    if (!account->shared || oi_sharing_is_up(account->shared))
        return plan;
    for (unsigned i = 0; i < plan.rate_count; i++)
        plan.rates[i] = oi_rate_share(&plan.rates[i], oi_sharing_servers(account->shared));
    return plan;
}

/* Take `cost` of every rate, here and, in blocks, of all servers'; or how long to wait. */
static int64_t
take_rates(struct oi_account *account, const struct oi_plan *plan, uint64_t cost, int64_t now_ns)
{
    const struct oi_plan here = account->shared ? rates_here(account) : *plan;
    int64_t wait = oi_plan_wait(&here, account->rates, cost, now_ns);

    for (unsigned i = 0; wait == 0 && account->shared && cost > 0 && i < plan->rate_count; i++) {
        oi_sharing_take_rate(account->shared, account->hash, i, &plan->rates[i], cost, now_ns,
                             &account->leases[i], &wait);
        for (unsigned k = 0; wait > 0 && k < i; k++) /* nothing comes of it */
            account->leases[k].left += cost;
    }
    if (wait == 0)
        oi_plan_take(&here, account->rates, cost, now_ns);
    return wait;
}

enum oi_key_verdict
oi_account_admit(struct oi_account *account, struct oi_usage *usage, const struct oi_visit *visit,
                 struct oi_grant *grant, struct oi_allowance *allowance,
                 unsigned *ret_retry_after_s)
{
    enum oi_key_verdict verdict = OI_KEY_FINE;
    int64_t wait;

    pthread_mutex_lock(&account->lock);
    *grant = (struct oi_grant){ .account = account,
                                .plan = account->plan,
                                .cost = visit->cost,
                                .month = oi_usage_month(visit->now) };
    if (grant->plan.monthly > 0 && turn_month(account, usage, grant->month) != OI_OK)
        verdict = OI_KEY_UNKNOWABLE;
    wait = verdict == OI_KEY_FINE ? take_rates(account, &grant->plan, 1, visit->monotonic_ns) : 0;
    if (wait > 0) {
        verdict = OI_KEY_TOO_FAST;
        *ret_retry_after_s = oi_seconds_up(wait);
    }
    if (verdict == OI_KEY_FINE) {
        grant->rate_taken = 1;
        if (grant->plan.monthly > 0)
            verdict = take_amount(account, usage, grant, first_amount(&grant->plan, visit->cost));
        if (verdict == OI_KEY_USED_UP)
            *ret_retry_after_s = oi_seconds_up(oi_usage_month_end(visit->now) - visit->now);
    }
    tell(account, visit, grant, allowance);
    pthread_mutex_unlock(&account->lock);
    return verdict;
}

/* The rest of an answer's weight, one of which was taken at the door. */
static enum oi_key_verdict
settle_rate(struct oi_account *account, const struct oi_visit *visit, struct oi_grant *grant,
            uint64_t price, unsigned *ret_retry_after_s)
{
    const struct oi_plan *plan = &grant->plan;
    int64_t wait;

    if (price == 0) {
        for (unsigned i = 0; i < plan->rate_count; i++)
            oi_rate_give(&plan->rates[i], &account->rates[i], 1, visit->monotonic_ns);
        return OI_KEY_FINE;
    }
    wait = take_rates(account, plan, price - 1, visit->monotonic_ns);
    if (wait > 0) {
        /* What never fits is no matter of waiting; the span of a rate is a fair pause. */
        *ret_retry_after_s = oi_seconds_up(wait == OI_RATE_NEVER ? plan->rates[0].span_ns : wait);
        return OI_KEY_TOO_FAST;
    }
    grant->rate_taken = price;
    return OI_KEY_FINE;
}

enum oi_key_verdict
oi_account_settle(struct oi_account *account, struct oi_usage *usage, const struct oi_visit *visit,
                  struct oi_grant *grant, uint64_t price, unsigned *ret_retry_after_s)
{
    enum oi_key_verdict verdict = OI_KEY_FINE;

    if (grant->plan.cost != visit->cost || visit->cost == OI_COST_CALLS)
        return OI_KEY_FINE; /* paid at the door */
    pthread_mutex_lock(&account->lock);
    if (visit->cost == OI_COST_WEIGHT)
        verdict = settle_rate(account, visit, grant, price, ret_retry_after_s);
    if (verdict == OI_KEY_FINE && grant->plan.monthly > 0 && account->month == grant->month) {
        verdict = take_amount(account, usage, grant, price);
        if (verdict == OI_KEY_USED_UP)
            *ret_retry_after_s = oi_seconds_up(oi_usage_month_end(visit->now) - visit->now);
    }
    pthread_mutex_unlock(&account->lock);
    return verdict;
}

void
oi_account_charge(struct oi_account *account, struct oi_usage *usage, struct oi_grant *grant,
                  uint64_t amount)
{
    pthread_mutex_lock(&account->lock);
    if (account->month == grant->month &&
        take_amount(account, usage, grant, amount) == OI_KEY_USED_UP) {
        uint64_t room = account->plan.monthly > account->reserved
                            ? account->plan.monthly - account->reserved
                            : 0;

        (void) take_amount(account, usage, grant, account->held + room);
    }
    pthread_mutex_unlock(&account->lock);
}

void
oi_account_refund(struct oi_account *account, struct oi_grant *grant)
{
    pthread_mutex_lock(&account->lock);
    if (account->month == grant->month)
        account->held += grant->taken;
    grant->taken = 0;
    pthread_mutex_unlock(&account->lock);
}
