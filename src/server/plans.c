/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vendors' plans, written in the words of a configuration so that there is one reader. Where a
 * vendor's own pages disagree, docs/operating.md says which was taken.
 */
#include "server/plans.h"

#include "base/alloc.h"
#include "core/time.h"

#include <string.h>

static const char *const presets[] = {
    "unlimited",
    /* Callers without a key on an open server, each address by itself. */
    "guest rate=10/1s burst=50",
    /* https://docs.coinmetrics.io/api/v4 */
    "coinmetrics-community window=10/6s no_streams label=community",
    "coinmetrics-trial window=10/6s streams=200 label=trial",
    "coinmetrics-pro window=6000/20s streams=200 label=default",
    /* https://kiyotaka.dev: weight a minute, a burst of twice as much. */
    "kiyotaka-free weight rate=10/60s burst=20 window=1000/24h history=7d no_totals label=Free",
    "kiyotaka-basic weight rate=50/60s burst=100 history=30d no_totals label=Basic",
    "kiyotaka-standard weight rate=100/60s burst=200 history=90d no_totals label=Standard",
    "kiyotaka-advanced weight rate=750/60s burst=1500 history=365d label=Advanced",
    /* Aperiodic publishes none. */
    "aperiodic",
    /* https://oanor.com */
    "oanor-free rate=5/1s calls=5000 label=Free",
    "oanor-starter rate=15/1s calls=75000 label=Starter",
    "oanor-pro rate=40/1s calls=400000 label=Pro",
    "oanor-desk rate=120/1s calls=2500000 label=Desk",
    /* https://www.kwery.xyz */
    ("kwery-free window=15/60s window=600/1h credits=150000 per_call=50 per_row=3 history=7d "
     "rows=100 label=free"),
    "kwery-pro window=50/60s window=3000/1h per_call=50 per_row=3 history=30d rows=1000 label=pro",
    ("kwery-business window=600/60s window=20/1s per_call=50 per_row=3 history=90d rows=2500 "
     "label=business"),
    "kwery-enterprise per_call=50 per_row=3 rows=10000 label=enterprise",
};

static enum oi_status
bad_rule(struct oi_slice rule, const char *what, struct oi_error *error)
{
    return oi_fail(error, OI_E_INVALID, "the plan's rule \"%.*s\" %s", OI_SLICE_ARGS(rule), what);
}

/* A whole number from 1 to 10^15, at the front of `text`; what follows stays there. */
static bool
take_number(struct oi_slice *text, uint64_t *ret_number)
{
    uint64_t number = 0;
    size_t size = 0;

    while (size < text->size && size < 16 && text->data[size] >= '0' && text->data[size] <= '9')
        number = number * 10 + (uint64_t) (text->data[size++] - '0');
    if (size == 0 || number == 0 || number > UINT64_C(1'000'000'000'000'000))
        return false;
    *text = (struct oi_slice){ text->data + size, text->size - size };
    *ret_number = number;
    return true;
}

static bool
read_number(struct oi_slice text, uint64_t most, uint64_t *ret_number)
{
    uint64_t number;

    if (!take_number(&text, &number) || text.size > 0 || number > most)
        return false;
    *ret_number = number;
    return true;
}

/* "20s", "1h", "30d", at most ten years. */
static bool
read_span(struct oi_slice text, int64_t *ret_span_ns)
{
    static const struct {
        const char *name;
        int64_t unit;
    } units[] = { { "s", OI_SECOND }, { "m", OI_MINUTE }, { "h", OI_HOUR }, { "d", OI_DAY } };
    uint64_t number;

    if (!take_number(&text, &number))
        return false;
    for (size_t i = 0; i < OI_COUNT(units); i++) {
        if (!oi_slice_is(text, units[i].name))
            continue;
        if (number > (uint64_t) (3660 * OI_DAY / units[i].unit))
            return false;
        *ret_span_ns = (int64_t) number * units[i].unit;
        return true;
    }
    return false;
}

static bool
add_rate(struct oi_plan *plan, enum oi_rate_kind kind, struct oi_slice value)
{
    struct oi_slice count_text;
    struct oi_rate rate = { .kind = kind };
    uint64_t count;

    if (plan->rate_count == OI_PLAN_RATES_MAX || !oi_slice_next_part(&value, '/', &count_text) ||
        !read_number(count_text, 1'000'000, &count) || !read_span(value, &rate.span_ns) ||
        rate.span_ns > 31 * OI_DAY)
        return false;
    rate.count = rate.burst = (uint32_t) count;
    plan->rates[plan->rate_count++] = rate;
    return true;
}

static bool
set_burst(struct oi_plan *plan, struct oi_slice value)
{
    uint64_t burst;

    if (plan->rate_count == 0 || plan->rates[plan->rate_count - 1].kind != OI_RATE_BUCKET ||
        !read_number(value, 1'000'000, &burst))
        return false;
    plan->rates[plan->rate_count - 1].burst = (uint32_t) burst;
    return true;
}

static bool
set_monthly(struct oi_plan *plan, enum oi_cost cost, struct oi_slice value)
{
    plan->cost = cost;
    return read_number(value, UINT64_C(1'000'000'000'000'000), &plan->monthly);
}

/* Letters, digits, "-" and "_", of a length that fits. */
static bool
set_word(char word[OI_PLAN_NAME_SIZE], struct oi_slice value)
{
    if (value.size == 0 || value.size >= OI_PLAN_NAME_SIZE)
        return false;
    for (size_t i = 0; i < value.size; i++) {
        char c = value.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return false;
    }
    memcpy(word, value.data, value.size);
    word[value.size] = '\0';
    return true;
}

static bool
set_like(struct oi_plan *plan, const struct oi_plans *known, struct oi_slice value)
{
    char name[OI_PLAN_NAME_SIZE], own[OI_PLAN_NAME_SIZE];
    const struct oi_plan *found;

    if (!set_word(name, value) || !known)
        return false;
    found = oi_plan_find(known, name);
    if (!found)
        return false;
    memcpy(own, plan->name, sizeof(own));
    *plan = *found;
    memcpy(plan->name, own, sizeof(own));
    plan->rate_count = 0; /* its rates, unless others are given */
    return true;
}

static bool
apply(struct oi_plan *plan, const struct oi_plans *known, struct oi_slice name,
      struct oi_slice value)
{
    uint64_t rows, streams;

    if (oi_slice_is(name, "like"))
        return set_like(plan, known, value);
    if (oi_slice_is(name, "rate"))
        return add_rate(plan, OI_RATE_BUCKET, value);
    if (oi_slice_is(name, "window"))
        return add_rate(plan, OI_RATE_WINDOW, value);
    if (oi_slice_is(name, "burst"))
        return set_burst(plan, value);
    if (oi_slice_is(name, "calls"))
        return set_monthly(plan, OI_COST_CALLS, value);
    if (oi_slice_is(name, "credits"))
        return set_monthly(plan, OI_COST_CREDITS, value);
    if (oi_slice_is(name, "per_call"))
        return read_number(value, 1'000'000, &plan->per_call);
    if (oi_slice_is(name, "per_row"))
        return read_number(value, 1'000'000, &plan->per_row);
    if (oi_slice_is(name, "history"))
        return read_span(value, &plan->history_ns);
    if (oi_slice_is(name, "label"))
        return set_word(plan->label, value);
    if (oi_slice_is(name, "streams")) {
        if (!read_number(value, 1'000'000, &streams))
            return false;
        plan->streams_max = (unsigned) streams;
        return true;
    }
    if (!oi_slice_is(name, "rows") || !read_number(value, 1'000'000, &rows))
        return false;
    plan->rows_max = (size_t) rows;
    return true;
}

enum oi_status
oi_plan_parse(struct oi_slice text, const struct oi_plans *known, struct oi_plan *ret_plan,
              struct oi_error *error)
{
    struct oi_plan plan = {};
    const struct oi_plan *base = NULL;
    struct oi_slice rule, name;
    bool is_first = true;

    text = oi_slice_trim(text);
    while (oi_slice_next_part(&text, ' ', &rule)) {
        struct oi_slice value = rule;

        if (rule.size == 0)
            continue;
        if (is_first) {
            if (!set_word(plan.name, rule))
                return bad_rule(rule, "is no name: letters, digits, - and _, at most 31", error);
            memcpy(plan.label, plan.name, sizeof(plan.label));
            is_first = false;
            continue;
        }
        if (oi_slice_is(rule, "weight")) {
            plan.cost = OI_COST_WEIGHT;
            continue;
        }
        if (oi_slice_is(rule, "no_totals")) {
            plan.denies_totals = true;
            continue;
        }
        if (oi_slice_is(rule, "no_streams")) {
            plan.denies_streams = true;
            continue;
        }
        if (!memchr(rule.data, '=', rule.size) || !oi_slice_next_part(&value, '=', &name) ||
            !apply(&plan, known, name, value))
            return bad_rule(rule, "is not understood", error);
        if (oi_slice_is(name, "like")) {
            char word[OI_PLAN_NAME_SIZE];

            if (set_word(word, value))
                base = oi_plan_find(known, word);
        }
    }
    if (is_first)
        return oi_fail(error, OI_E_INVALID, "a plan needs a name");
    if (base && plan.rate_count == 0) {
        memcpy(plan.rates, base->rates, sizeof(plan.rates));
        plan.rate_count = base->rate_count;
    }
    if (plan.cost == OI_COST_CREDITS && plan.per_call == 0)
        plan.per_call = 1;
    *ret_plan = plan;
    return OI_OK;
}

static void
write_span(int64_t span_ns, struct oi_buffer *out)
{
    if (span_ns % OI_DAY == 0)
        oi_buffer_add_format(out, "%lldd", (long long) (span_ns / OI_DAY));
    else
        oi_buffer_add_format(out, "%llds", (long long) (span_ns / OI_SECOND));
}

static void
write_rule(const char *name, uint64_t number, struct oi_buffer *out)
{
    if (number > 0)
        oi_buffer_add_format(out, " %s=%llu", name, (unsigned long long) number);
}

void
oi_plan_write(const struct oi_plan *plan, struct oi_buffer *out)
{
    oi_buffer_add_format(out, "label=%s", plan->label);
    for (unsigned i = 0; i < plan->rate_count; i++) {
        const struct oi_rate *rate = &plan->rates[i];

        oi_buffer_add_format(out, " %s=%u/", rate->kind == OI_RATE_BUCKET ? "rate" : "window",
                             rate->count);
        write_span(rate->span_ns, out);
        if (rate->kind == OI_RATE_BUCKET)
            write_rule("burst", rate->burst, out);
    }
    if (plan->cost == OI_COST_WEIGHT)
        oi_buffer_add_text(out, " weight");
    else
        write_rule(plan->cost == OI_COST_CREDITS ? "credits" : "calls", plan->monthly, out);
    write_rule("per_call", plan->per_call, out);
    write_rule("per_row", plan->per_row, out);
    if (plan->history_ns > 0) {
        oi_buffer_add_text(out, " history=");
        write_span(plan->history_ns, out);
    }
    write_rule("rows", plan->rows_max, out);
    write_rule("streams", plan->streams_max, out);
    if (plan->denies_streams)
        oi_buffer_add_text(out, " no_streams");
    if (plan->denies_totals)
        oi_buffer_add_text(out, " no_totals");
}

static enum oi_status
add_plan(struct oi_plans *plans, const char *text, struct oi_error *error)
{
    struct oi_plan plan;
    size_t at = 0;

    OI_TRY(oi_plan_parse(oi_slice_of(text), plans, &plan, error));
    while (at < plans->count && strcmp(plans->items[at].name, plan.name) != 0)
        at++;
    if (at == OI_PLANS_MAX)
        return oi_fail(error, OI_E_INVALID, "there are more than %d plans", OI_PLANS_MAX);
    plans->items[at] = plan;
    if (at == plans->count)
        plans->count++;
    return OI_OK;
}

enum oi_status
oi_plans_new(const char *const *texts, size_t count, struct oi_plans **ret_plans,
             struct oi_error *error)
{
    OI_CLEANUP(oi_plans_free) struct oi_plans *plans = oi_alloc_zero(1, sizeof(*plans));

    for (size_t i = 0; i < OI_COUNT(presets); i++)
        OI_TRY(add_plan(plans, presets[i], error));
    for (size_t i = 0; i < count; i++)
        OI_TRY(add_plan(plans, texts[i], error));
    *ret_plans = plans;
    plans = NULL;
    return OI_OK;
}

void
oi_plans_free(struct oi_plans **plans)
{
    if (!plans || !*plans)
        return;
    oi_free(*plans);
    *plans = NULL;
}

const struct oi_plan *
oi_plan_find(const struct oi_plans *plans, const char *name)
{
    for (size_t i = 0; i < plans->count; i++)
        if (strcmp(plans->items[i].name, name) == 0)
            return &plans->items[i];
    return NULL;
}
