/* SPDX-License-Identifier: Apache-2.0 */
/* The sum is kept up by differences, so an instant costs as much as the members that moved. */
#include "series/total.h"

#include "base/alloc.h"

void
oi_total_init(struct oi_total *total, size_t member_count)
{
    *total = (struct oi_total){
        .members = oi_alloc_zero(member_count, sizeof(*total->members)),
        .member_count = member_count,
        .sum = oi_decimal_from(0, 0),
        .next_expiry = OI_TIME_LATEST,
    };
    for (size_t i = 0; i < member_count; i++)
        total->members[i].ends = OI_TIME_LATEST;
}

void
oi_total_release(struct oi_total *total)
{
    oi_free(total->members);
    *total = (struct oi_total){};
}

static enum oi_status
leave(struct oi_total *total, struct oi_total_member *member, struct oi_error *error)
{
    if (!member->is_counted)
        return OI_OK;
    OI_TRY(oi_decimal_subtract(&total->sum, &member->amount, &total->sum, error));
    member->is_counted = false;
    total->counted--;
    return OI_OK;
}

oi_time
oi_total_expiry(const struct oi_total_member *member)
{
    oi_time expiry;

    if (__builtin_add_overflow(member->time, member->staleness_ns, &expiry))
        expiry = OI_TIME_LATEST;
    return expiry < member->ends ? expiry : member->ends - 1;
}

enum oi_status
oi_total_set(struct oi_total *total, size_t member_index, oi_time time,
             const struct oi_decimal *amount, struct oi_error *error)
{
    struct oi_total_member *member = &total->members[member_index];

    OI_TRY(leave(total, member, error));
    if (oi_decimal_is_none(amount))
        return OI_OK;
    OI_TRY(oi_decimal_add(&total->sum, amount, &total->sum, error));
    member->amount = *amount;
    member->time = time;
    member->is_counted = true;
    total->counted++;
    if (oi_total_expiry(member) < total->next_expiry)
        total->next_expiry = oi_total_expiry(member);
    return OI_OK;
}

/* Take the stale ones out and find the next instant at which one may go. */
static enum oi_status
expire(struct oi_total *total, oi_time time, struct oi_error *error)
{
    oi_time next = OI_TIME_LATEST;

    for (size_t i = 0; i < total->member_count; i++) {
        struct oi_total_member *member = &total->members[i];

        if (!member->is_counted)
            continue;
        if (oi_total_expiry(member) < time) {
            OI_TRY(leave(total, member, error));
            continue;
        }
        if (oi_total_expiry(member) < next)
            next = oi_total_expiry(member);
    }
    total->next_expiry = next;
    return OI_OK;
}

enum oi_status
oi_total_at(struct oi_total *total, oi_time time, struct oi_decimal *ret_sum,
            struct oi_error *error)
{
    if (time > total->next_expiry)
        OI_TRY(expire(total, time, error));
    *ret_sum = total->counted > 0 ? total->sum : (struct oi_decimal){};
    return OI_OK;
}
