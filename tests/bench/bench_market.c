/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prices walk at random per coin, positions of a market drift around their own level, and every
 * venue rounds in its own way. The doubles are the model's; what leaves is exact.
 */
#include "bench/bench_market.h"

#include "base/alloc.h"
#include "base/random.h"

#include <math.h>

#define MINUTE_NS INT64_C(60'000'000'000)
#define COIN_COUNT 300
/* The first sixty markets are of one coin: the total that is asked for. */
#define MAIN_MARKETS 60
#define EXCHANGE_COUNT 12
/* No figure may leave an int64. */
#define MANTISSA_MAX 4e18

enum kind {
    KIND_LINEAR,  /* value is contracts times mark, rounded */
    KIND_INVERSE, /* a contract is so many dollars */
    KIND_APART,   /* value comes from elsewhere in the venue */
};

struct coin {
    struct oi_random random;
    double price, volatility, walk;
};

struct bench_market {
    struct bench_world world;
    struct oi_random random;
    struct coin coin;
    uint32_t index;
    enum kind kind;
    int price_digits, contracts_digits, value_digits;
    double price;           /* at the start, with this market's basis */
    double basis;           /* moving */
    double level;           /* log of contracts to which positions return */
    double position;        /* log of contracts */
    double activity, sigma; /* chance and size of a change in a minute */
    double slowness;        /* chance that the mark stands still */
    bool has_jitter;
    uint32_t stamp; /* of the exchange: none, its own, the same */
    int64_t dollars_per_contract;
    uint32_t minute, tick; /* where the next row is */
    double arrival;        /* of this minute's batch, in seconds */
    int64_t contracts, mark_price;
};

static double
unit(struct oi_random *random)
{
    return oi_random_unit(random);
}

static double
normal(struct oi_random *random)
{
    double radius = sqrt(-2 * log(unit(random) + 1e-300));

    return radius * cos(6.283185307179586 * unit(random));
}

static double
power_of_ten(int exponent)
{
    double power = 1;

    for (int i = 0; i < exponent; i++)
        power *= 10;
    return power;
}

static void
coin_init(struct coin *coin, uint32_t index)
{
    oi_random_init(&coin->random, 1'000'000 + index);
    coin->walk = 0;
    coin->price = index == 0 ? 64000 : 2500;
    coin->volatility = index == 0 ? 0.0004 : 0.0006;
    if (index > 1) {
        coin->price = exp(normal(&coin->random) * 3 - 0.5);
        coin->volatility += unit(&coin->random) * 0.0012;
    }
}

/* How a venue writes prices: always eight digits, or about five significant ones. */
static int
digits_of_price(uint32_t exchange, double price)
{
    int digits = 4 - (int) floor(log10(price));

    if (exchange == 0 || exchange == 5 || exchange == 9 || exchange == 10)
        digits = 8;
    if (price < 1e-3 || digits > 9)
        return 9;
    return digits < 1 ? 1 : digits;
}

static void
choose_digits(struct bench_market *market, double dollars)
{
    bool is_main = market->index < MAIN_MARKETS;
    double contracts =
        dollars /
        (market->kind == KIND_INVERSE ? (double) market->dollars_per_contract : market->price);

    if (market->kind == KIND_INVERSE) {
        market->contracts_digits = market->value_digits = 0;
    } else {
        market->contracts_digits = is_main ? 3 : (int) (unit(&market->random) * 3);
        if (market->price < 0.01)
            market->contracts_digits = 0;
        market->value_digits = market->contracts_digits + market->price_digits;
    }
    if (market->contracts_digits == 0 && contracts < 100)
        contracts += 100;
    if (market->kind == KIND_APART)
        market->value_digits = 2 + (int) (unit(&market->random) * 3);
    if (market->kind == KIND_LINEAR && market->value_digits > 8)
        market->value_digits = 8;
    while (market->value_digits > 0 &&
           dollars * 20 * power_of_ten(market->value_digits) > MANTISSA_MAX)
        market->value_digits--;
    while (market->contracts_digits > 0 &&
           contracts * 20 * power_of_ten(market->contracts_digits) > MANTISSA_MAX)
        market->contracts_digits--;
    market->level = market->position = log(contracts);
    market->contracts = llround(contracts * power_of_ten(market->contracts_digits));
}

static enum kind
choose_kind(struct bench_market *market)
{
    uint32_t index = market->index;

    if (index < MAIN_MARKETS) {
        if (index % 3 == 0)
            return KIND_INVERSE;
        return index % 5 == 4 ? KIND_APART : KIND_LINEAR;
    }
    if (unit(&market->random) < 0.5)
        return KIND_LINEAR;
    return unit(&market->random) < 0.6 ? KIND_INVERSE : KIND_APART;
}

struct bench_market *
bench_market_new(const struct bench_world *world, uint32_t index)
{
    struct bench_market *market = oi_alloc(sizeof(*market));
    bool is_main = index < MAIN_MARKETS;
    uint32_t exchange = is_main ? index / 20 : index % EXCHANGE_COUNT;
    double draw, tier;
    uint32_t coin;

    *market = (struct bench_market){ .world = *world, .index = index };
    oi_random_init(&market->random, index + 1);
    draw = unit(&market->random);
    coin = is_main ? 0 : 1 + (uint32_t) ((COIN_COUNT - 1) * draw * draw * draw);
    coin_init(&market->coin, coin);
    /* The large ones trade always, the small ones rarely. */
    tier = index < 20 ? 1 : unit(&market->random);
    market->kind = choose_kind(market);
    market->price = market->coin.price * (1 + normal(&market->random) * 0.0003);
    market->price_digits = digits_of_price(exchange, market->price);
    market->dollars_per_contract = coin == 0 ? 100 : 10;
    choose_digits(market, exp(13 + tier * 7 + normal(&market->random) * 0.5));
    market->stamp = exchange % 3;
    market->has_jitter = unit(&market->random) < 0.2;
    market->activity = 0.15 + 0.85 * tier;
    market->sigma = 0.0002 + 0.0006 * unit(&market->random);
    market->slowness = (1 - tier) * 0.3;
    return market;
}

void
bench_market_free(struct bench_market **market)
{
    oi_free(*market);
    *market = NULL;
}

/* Half up in the last digit, exactly. */
static int64_t
multiply(const struct bench_market *market)
{
    __int128 product = (__int128) market->contracts * market->mark_price;
    int digits = market->contracts_digits + market->price_digits;

    for (; digits > market->value_digits; digits--) {
        int last = (int) (product % 10);

        product = product / 10 + (digits == market->value_digits + 1 && last >= 5);
    }
    return (int64_t) product;
}

static void
start_minute(struct bench_market *market)
{
    struct oi_random batch;

    market->coin.walk += normal(&market->coin.random) * market->coin.volatility;
    oi_random_init(&batch, 2'000'000'000 + market->minute);
    market->arrival = 1 + unit(&batch) * 7;
}

/* A market is polled at its place in the round, now and then late. */
static oi_time
arrive(struct bench_market *market, oi_time slot)
{
    double place = 3.0 * market->index / market->world.market_count, delay = unit(&market->random);
    double late = unit(&market->random) < 0.02 ? unit(&market->random) * 20 : 0;

    if (market->world.one_known_time)
        return slot - slot % MINUTE_NS + (int64_t) (market->arrival * 1e6) * 1000;
    slot += (int64_t) ((market->arrival + place + 0.25 * delay + late) * 1e6) * 1000;
    return market->has_jitter ? slot + INT64_C(3'000'000'000) : slot;
}

static void
move(struct bench_market *market, struct bench_row *row, double *ret_price)
{
    struct oi_random *random = &market->random;
    int64_t mark, before = market->mark_price;

    if (unit(random) < market->activity) {
        market->position +=
            normal(random) * market->sigma + (market->level - market->position) * 0.0003;
        if (unit(random) < 0.001)
            market->position += normal(random) * 0.02;
        market->contracts = llround(exp(market->position) * power_of_ten(market->contracts_digits));
        if (market->contracts < 1)
            market->contracts = 1;
    }
    market->basis = market->basis * 0.99 + normal(random) * 0.00002;
    *ret_price = market->price * exp(market->coin.walk + market->basis);
    mark = llround(*ret_price * power_of_ten(market->price_digits));
    market->mark_price = mark < 1 ? 1 : mark;
    if (unit(random) < market->slowness && before != 0)
        market->mark_price = before;
    row->contracts = market->contracts;
    row->mark_price = market->mark_price;
}

static int64_t
value_of(struct bench_market *market, double price)
{
    double contracts;

    if (market->kind == KIND_LINEAR)
        return multiply(market);
    if (market->kind == KIND_INVERSE)
        return market->contracts * market->dollars_per_contract;
    contracts = (double) market->contracts / power_of_ten(market->contracts_digits);
    return llround(contracts * price * (1 + normal(&market->random) * 0.00002) *
                   power_of_ten(market->value_digits));
}

bool
bench_market_next(struct bench_market *market, struct bench_row *ret_row)
{
    bool ticks = market->index >= market->world.market_count - market->world.tick_count;
    uint32_t per_minute = ticks ? 6 : 1;
    struct oi_random *random = &market->random;
    struct bench_row row = { .market = market->index };
    double price;
    oi_time slot;

    do {
        if (market->minute == market->world.minutes)
            return false;
        if (market->tick == 0)
            start_minute(market);
        row.minute = market->minute;
        slot = BENCH_START + row.minute * MINUTE_NS + market->tick * (MINUTE_NS / per_minute);
        if (++market->tick == per_minute) {
            market->tick = 0;
            market->minute++;
        }
    } while (unit(random) < 0.004); /* a poll that failed */
    row.time = slot;
    if (market->has_jitter)
        row.time += (int64_t) (unit(random) * 3000) * 1'000'000;
    row.exchange_time = market->stamp == 0 ? OI_TIME_NONE : row.time;
    if (market->stamp == 1)
        row.exchange_time -= (int64_t) (fabs(normal(random)) * 900) * 1'000'000;
    row.known_time = arrive(market, slot);
    move(market, &row, &price);
    row.value_usd = value_of(market, price);
    row.contracts_digits = (uint8_t) market->contracts_digits;
    row.value_digits = (uint8_t) market->value_digits;
    row.price_digits = (uint8_t) market->price_digits;
    *ret_row = row;
    return true;
}
