/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options at an instant: the chain market by market, and what of it stands at each expiry: both
 * sides' sums, their ratio and the strike of maximum pain. Sums are exact; the ratio is rounded.
 */
#include "query/run_internal.h"

#include <stdlib.h>
#include <string.h>

#define RATIO_DIGITS 18
#define RATIO_PLACES 4

struct options_state {
    oi_time at; /* whose readings, and who has not expired yet */
    struct run_reading reading;
    struct oi_option_figures option;
    OI_VECTOR(struct chain_member) chain;
    OI_VECTOR(struct oi_expiry) expiries;
    bool is_sent;
};

struct chain_member {
    const struct oi_instrument *instrument;
    oi_time time;
    struct oi_decimal coins, usd;
    bool is_lost; /* its figure may be in a damaged chunk: there is no sum of its group */
};

static bool
is_some(const struct oi_decimal *value)
{
    return !oi_decimal_is_none(value);
}

/* An option that is alive at the instant, with a figure that is not too old; fills in what it says.
 */
static bool
option_counts(struct run *run, size_t at)
{
    struct options_state *state = run->state;
    const struct oi_instrument *instrument = run->markets[at].instrument;
    const struct run_reading *reading = &state->reading;

    if (!instrument || instrument->kind != OI_KIND_OPTION || instrument->expiry <= state->at)
        return false;
    run_reading_at(run, instrument, run->query->span.to, &state->reading);
    if (reading->series == 0 || state->at - reading->reading.time > reading->facts.staleness_ns)
        return false;
    state->option = (struct oi_option_figures){
        .time = reading->reading.time,
        .contracts = oi_facts_convert(&reading->facts, &reading->reading, OI_UNIT_CONTRACTS, true),
        .coins = oi_facts_convert(&reading->facts, &reading->reading, OI_UNIT_COINS, true),
        .usd = oi_facts_convert(&reading->facts, &reading->reading, OI_UNIT_USD, true),
        .index_price = reading->reading.index_price,
        .mark_price = reading->reading.mark_price,
    };
    return true;
}

static enum oi_status
step_options(struct run *run, bool *ret_has_block, struct oi_error *)
{
    struct options_state *state = run->state;
    size_t market;

    if (!run_next_market(run, option_counts, &market))
        return OI_OK;
    run_block_begin(run, market, NULL);
    run->block.feed = state->reading.facts.feed->name;
    run->block.unit = state->reading.facts.unit;
    run->block.sides = state->reading.facts.sides;
    run->block.options = &state->option;
    run->block.count = 1;
    run->block.is_last_of_market = true;
    *ret_has_block = true;
    return OI_OK;
}

/* The instant asked about: named, or when it was known, or now. */
static struct options_state *
begin(struct run *run)
{
    struct options_state *state = oi_arena_alloc_zero(&run->arena, 1, sizeof(*state));
    const struct oi_query *query = run->query;

    state->at = query->span.to != OI_TIME_LATEST ? query->span.to
                : query->as_of != OI_TIME_LATEST ? query->as_of
                                                 : run->result.now;
    run->state = state;
    return state;
}

enum oi_status
run_options(struct run *run, struct oi_error *)
{
    (void) begin(run);
    run_first_market(run, option_counts);
    run->step = step_options;
    return OI_OK;
}

/* Expiries. */

static int
compare_groups(const struct oi_instrument *a, const struct oi_instrument *b)
{
    int order = strcmp(a->exchange, b->exchange);

    if (order == 0)
        order = strcmp(a->base, b->base);
    return order != 0 ? order : (a->expiry > b->expiry) - (a->expiry < b->expiry);
}

static int
by_group_and_strike(const void *left, const void *right)
{
    const struct oi_instrument *a = ((const struct chain_member *) left)->instrument;
    const struct oi_instrument *b = ((const struct chain_member *) right)->instrument;
    int order = compare_groups(a, b);

    if (order == 0)
        order = oi_decimal_compare(&a->strike, &b->strike);
    return order != 0 ? order : (a->id > b->id) - (a->id < b->id);
}

/* A sum that does not fit stays none, whatever is added to it. */
struct sum {
    struct oi_decimal value;
    bool is_lost;
};

static void
add_to(struct sum *sum, const struct oi_decimal *value)
{
    struct oi_decimal result;

    if (sum->is_lost || !is_some(value))
        return;
    if (!is_some(&sum->value))
        sum->value = *value;
    else if (oi_decimal_add(&sum->value, value, &result, NULL) == OI_OK)
        sum->value = result;
    else
        *sum = (struct sum){ .is_lost = true };
}

/* What the holders of a group are paid where the underlying ends at a price: for each coin the
 * distance of the price from the strike, where it is on the option's side. */
static struct oi_decimal
payout_at(const struct chain_member *members, size_t count, const struct oi_decimal *price)
{
    struct sum payout = { .value = oi_decimal_from(0, 0) };

    for (size_t i = 0; i < count; i++) {
        const struct oi_decimal *strike = &members[i].instrument->strike;
        bool is_call = members[i].instrument->option_side == OI_OPTION_CALL;
        struct oi_decimal distance, worth;

        if (oi_decimal_compare(price, strike) * (is_call ? 1 : -1) <= 0 ||
            !is_some(&members[i].coins))
            continue;
        if (oi_decimal_subtract(is_call ? price : strike, is_call ? strike : price, &distance,
                                NULL) != OI_OK ||
            oi_decimal_multiply(&distance, &members[i].coins, &worth, NULL) != OI_OK)
            return (struct oi_decimal){};
        add_to(&payout, &worth);
    }
    return payout.value;
}

/* The strike at which the holders are paid least; the lowest of several. */
static struct oi_decimal
max_pain(const struct chain_member *members, size_t count)
{
    struct oi_decimal least = {}, strike = {};

    for (size_t i = 0; i < count; i++) {
        const struct oi_decimal *candidate = &members[i].instrument->strike;
        struct oi_decimal payout;

        if (!is_some(candidate) ||
            (i > 0 && oi_decimal_equal(candidate, &members[i - 1].instrument->strike)))
            continue;
        payout = payout_at(members, count, candidate);
        if (!is_some(&payout))
            return (struct oi_decimal){};
        if (is_some(&least) && oi_decimal_compare(&payout, &least) >= 0)
            continue;
        least = payout;
        strike = *candidate;
    }
    return strike;
}

/* Puts over calls; none where there is no call. */
static struct oi_decimal
ratio(const struct oi_decimal *puts, const struct oi_decimal *calls)
{
    struct oi_decimal zero = oi_decimal_from(0, 0), result;

    if (oi_decimal_divide_half_even(is_some(puts) ? puts : &zero, calls, RATIO_DIGITS, &result,
                                    NULL) != OI_OK ||
        oi_decimal_round_half_even(&result, RATIO_PLACES, &result, NULL) != OI_OK)
        return (struct oi_decimal){};
    return result;
}

static struct oi_expiry
sum_expiry(const struct chain_member *members, size_t count)
{
    struct oi_expiry expiry = {
        .exchange = members[0].instrument->exchange,
        .coin = members[0].instrument->base,
        .expiry = members[0].instrument->expiry,
        .time = members[0].time,
    };
    struct sum calls = {}, puts = {}, calls_usd = {}, puts_usd = {};

    for (size_t i = 0; i < count; i++) {
        bool is_call = members[i].instrument->option_side == OI_OPTION_CALL;

        add_to(is_call ? &calls : &puts, &members[i].coins);
        add_to(is_call ? &calls_usd : &puts_usd, &members[i].usd);
        ++*(is_call ? &expiry.call_count : &expiry.put_count);
        if (members[i].time > expiry.time)
            expiry.time = members[i].time;
    }
    expiry.calls = calls.value;
    expiry.puts = puts.value;
    expiry.calls_usd = calls_usd.value;
    expiry.puts_usd = puts_usd.value;
    expiry.put_call_ratio = ratio(&puts.value, &calls.value);
    expiry.max_pain = max_pain(members, count);
    return expiry;
}

static bool
has_lost(const struct chain_member *members, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (members[i].is_lost)
            return true;
    return false;
}

static enum oi_status
step_expiries(struct run *run, bool *ret_has_block, struct oi_error *)
{
    struct options_state *state = run->state;

    *ret_has_block = !state->is_sent && state->expiries.count > 0;
    state->is_sent = true;
    run->block =
        (struct oi_block){ .count = state->expiries.count, .expiries = state->expiries.items };
    return OI_OK;
}

static void
release_expiries(struct run *run)
{
    struct options_state *state = run->state;

    oi_vector_release(&state->chain);
    oi_vector_release(&state->expiries);
}

enum oi_status
run_expiries(struct run *run, struct oi_error *)
{
    struct options_state *state = begin(run);

    run->step = step_expiries;
    run->release = release_expiries;
    for (size_t i = 0; i < run->market_count; i++) {
        state->reading.is_lost = false;
        if (option_counts(run, i) || state->reading.is_lost)
            oi_vector_push(&state->chain,
                           ((struct chain_member){ run->markets[i].instrument, state->option.time,
                                                   state->option.coins, state->option.usd,
                                                   state->reading.is_lost }));
    }
    if (state->chain.count > 1)
        qsort(state->chain.items, state->chain.count, sizeof(struct chain_member),
              by_group_and_strike);
    for (size_t i = 0, end; i < state->chain.count && state->expiries.count < run->left; i = end) {
        const struct chain_member *members = &state->chain.items[i];

        end = i + 1;
        while (end < state->chain.count &&
               compare_groups(members->instrument, state->chain.items[end].instrument) == 0)
            end++;
        if (!has_lost(members, end - i))
            oi_vector_push(&state->expiries, sum_expiry(members, end - i));
    }
    return OI_OK;
}
