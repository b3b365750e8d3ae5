/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every dialect promises, run over the registered list: sound tables, a manual, fixtures whose
 * answers read as written, every kind of problem in a well-formed envelope, and questions that are
 * wrong in every way refused without a crash.
 *
 * A fixture is a request, CASE.http, and the whole answer to it, CASE.reply, over the small world
 * below. The answers are written by this program: OI_WRITE_EXPECTED=1 rewrites the files in the
 * tree, and the difference is then read by a human before it is committed.
 */
#include "base/random.h"
#include "dialects/dialect.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/test_dialect.h"

#define FIXTURES "tests/fixtures/dialects"
#define MUTATIONS 300

/*
 * The world: a perpetual of Binance and one of Bybit, with figures of our own.
 */
struct world {
    struct oi_instrument instruments[2];
    struct oi_market markets[2], total;
    struct oi_member members[2];
    oi_time times[2], known_times[2], months[2];
    int64_t amounts[2], usd[2], prices[2];
    struct oi_columns rows;
    struct oi_candle candles[2];
    struct oi_snapshot snapshots[3];
    struct oi_latest latest;
    struct oi_change change;
    struct oi_coverage coverage;
    struct oi_option_figures option;
    struct oi_expiry expiry;
    struct oi_calendar_day day;
    struct oi_aggregate aggregate;
    struct oi_convention convention;
    struct oi_gap gap;
    struct oi_standstill standstill;
    struct oi_decimal values[OI_MEASURES_MAX];
    struct oi_measured measured;
    struct oi_span extents[OI_MEASURES_MAX];
    struct oi_market entity;
    struct oi_block blocks[2];
    size_t block_count, market_count;
};

static void
fill_figures(struct world *world)
{
    const oi_time start = test_time("2026-06-09T01:00:00Z");

    for (size_t i = 0; i < 2; i++) {
        world->times[i] = start + (oi_time) i * OI_MINUTE;
        world->known_times[i] = world->times[i] + 2'500 * OI_MILLISECOND;
        world->amounts[i] = 81'234'567 + (int64_t) i * 1000;
        world->usd[i] = 8'123'456'700 + (int64_t) i * 100'000;
        world->prices[i] = 100'000;
        world->candles[i] = (struct oi_candle){
            .start = start + (oi_time) i * OI_HOUR,
            .open = test_decimal("81234.567"),
            .high = test_decimal("81300"),
            .low = test_decimal("81000.5"),
            .close = test_decimal("81250.25"),
            .price_open = test_decimal("100000"),
            .price_close = test_decimal("100010.5"),
            .first = start + (oi_time) i * OI_HOUR,
            .last = start + (oi_time) i * OI_HOUR + 59 * OI_MINUTE,
            .count = 60,
        };
    }
    world->candles[1].open = (struct oi_decimal){};
    for (size_t i = 0; i < 3; i++)
        world->snapshots[i] = (struct oi_snapshot){
            .start = start + (oi_time) i * OI_HOUR,
            .time = start + (oi_time) i * OI_HOUR + OI_MINUTE,
            .amount = oi_decimal_from(80'000'000 + 500'125 * (int64_t) i, -3),
            .usd = oi_decimal_from(8'000'000'000 + 50'012'500 * (int64_t) i, 0),
        };
    world->months[0] = test_time("2026-05-01");
    world->months[1] = test_time("2026-06-01");
    world->latest = (struct oi_latest){
        .reading = OI_OBSERVATION_NONE,
        .amount = test_decimal("81234.567"),
        .usd = test_decimal("8123456700"),
        .amount_1h = test_decimal("81000"),
        .amount_24h = test_decimal("90000"),
    };
    world->latest.reading.time = start;
    world->latest.reading.mark_price = test_decimal("100000");
    world->latest.reading.last_price = test_decimal("100001.5");
    world->standstill = (struct oi_standstill){ .open_interest = test_decimal("81234.567"),
                                                .price = test_decimal("100000"),
                                                .since = start,
                                                .seen = start + OI_HOUR,
                                                .has_moved = true };
    world->gap = (struct oi_gap){ { start, start + OI_HOUR }, "collector down" };
}

static void
fill_world(struct world *world)
{
    *world = (struct world){
        .instruments = { test_perpetual("binance", "usdm", "BTCUSDT", "BTC", "USDT"),
                         test_perpetual("bybit", "linear", "ETHUSDT", "ETH", "USDT") },
    };
    fill_figures(world);
    for (size_t i = 0; i < 2; i++) {
        world->markets[i] = (struct oi_market){
            .instrument = &world->instruments[i],
            .index = i,
            .first = world->months[0],
            .last = world->months[1],
            .rows = 44'640,
        };
        world->members[i] = (struct oi_member){ &world->instruments[i], world->times[i], NULL };
    }
    world->members[1] = (struct oi_member){ &world->instruments[1], OI_TIME_NONE, "stale" };
    world->total = (struct oi_market){ .members = world->members, .member_count = 2 };
    world->rows = (struct oi_columns){
        .count = 2,
        .time = world->times,
        .known_time = world->known_times,
        .mark_price = { .mantissas = world->prices },
    };
    world->change = (struct oi_change){ .from_time = world->times[0],
                                        .to_time = world->times[0] + OI_HOUR,
                                        .from = test_decimal("10.5"),
                                        .to = test_decimal("9"),
                                        .change = test_decimal("-1.5") };
    world->aggregate = (struct oi_aggregate){ .by = "exchange",
                                              .name = "binance",
                                              .time = world->times[0],
                                              .usd = test_decimal("672000.5"),
                                              .markets = 2,
                                              .oldest = world->times[0] };
    world->coverage = (struct oi_coverage){ .span = { world->times[0], world->times[0] + OI_DAY },
                                            .cadence_ns = OI_MINUTE,
                                            .missing_ns = OI_HOUR,
                                            .gaps = 1,
                                            .cause = "silent" };
    world->day =
        (struct oi_calendar_day){ .day = world->months[0], .markets = 2, .due_ns = OI_DAY };
    world->option =
        (struct oi_option_figures){ .time = world->times[0], .coins = test_decimal("2.5") };
    world->expiry = (struct oi_expiry){ .exchange = "deribit",
                                        .coin = "BTC",
                                        .expiry = world->times[1],
                                        .time = world->times[0],
                                        .put_call_ratio = test_decimal("0.5") };
    world->convention = (struct oi_convention){ .product = "usdm",
                                                .sides = 1,
                                                .unit = OI_UNIT_CONTRACTS,
                                                .label = OI_LABEL_END,
                                                .evidence = "https://example.com" };
}

/* The figures of an entity, or when there are any. */
static void
fill_entity(struct world *world, const struct oi_query *query, struct oi_block *block)
{
    for (size_t i = 0; i < query->measure_count; i++) {
        world->values[i] = i % 3 == 1 ? (struct oi_decimal){} : test_decimal("8123456700.1234");
        if (i % 3 != 1)
            world->extents[i] = (struct oi_span){ world->times[0], world->months[1] + OI_WEEK * 2 };
    }
    world->measured = (struct oi_measured){ world->times[0], world->values };
    world->entity = (struct oi_market){ .name = "btc", .measures = ~4u };
    block->market = &world->entity;
    block->measured = &world->measured;
    block->extents = world->extents;
}

static const struct oi_alert sample_alert = { .sequence = 7,
                                              .id = "0123456789abcdef0123456789abcdef",
                                              .alert = "0123456789abcdef0123456789abcdef",
                                              .rule = "btc-falls",
                                              .when = "level",
                                              .severity = "warning",
                                              .market = "total:BTC",
                                              .unit = "coins",
                                              .detail = "",
                                              .message = "btc-falls" };

/* What is told of a market. */
static void
fill_market_facts(struct world *world, enum oi_query_kind kind, struct oi_block *block)
{
    block->changes = kind == OI_QUERY_CHANGES ? &world->change : NULL;
    block->coverage = kind == OI_QUERY_COVERAGE ? &world->coverage : NULL;
    block->gaps = kind == OI_QUERY_GAPS ? &world->gap : NULL;
    block->standstills = kind == OI_QUERY_FROZEN ? &world->standstill : NULL;
    block->options = kind == OI_QUERY_OPTIONS ? &world->option : NULL;
}

/* What is told of no market: of exchanges, days, groups, rules. */
static void
fill_other_facts(struct world *world, enum oi_query_kind kind, struct oi_block *block)
{
    block->market = NULL;
    block->exchange = "binance";
    block->alerts = kind == OI_QUERY_ALERTS ? &sample_alert : NULL;
    block->convention = kind == OI_QUERY_CONVENTIONS ? &world->convention : NULL;
    block->aggregates = kind == OI_QUERY_OVERVIEW ? &world->aggregate : NULL;
    block->days = kind == OI_QUERY_CALENDAR ? &world->day : NULL;
    block->expiries = kind == OI_QUERY_EXPIRIES ? &world->expiry : NULL;
}

/* The blocks that answer a question in this world. */
static struct oi_result *
answer(struct world *world, const struct oi_query *query)
{
    bool is_total =
        query->is_one_total || (query->selectors.count > 0 && query->selectors.items[0].is_total);
    struct oi_block *block = &world->blocks[0];

    fill_world(world);
    *block = (struct oi_block){ .market = is_total ? &world->total : &world->markets[0],
                                .count = 1,
                                .feed = "live",
                                .unit = OI_UNIT_COINS,
                                .sides = 1,
                                .is_last_of_market = true };
    world->block_count = world->market_count = 1;
    switch (query->kind) {
    case OI_QUERY_NONE:
        return NULL;
    case OI_QUERY_MARKETS:
        block->count = 0;
        world->blocks[1] = *block;
        world->blocks[1].market = &world->markets[1];
        world->block_count = world->market_count = 2;
        break;
    case OI_QUERY_ROWS:
    case OI_QUERY_REVISIONS:
        block->count = 2;
        block->rows = &world->rows;
        block->amounts = (struct oi_decimals){ .mantissas = world->amounts, .exponent = -3 };
        block->usd = (struct oi_decimals){ .mantissas = world->usd };
        break;
    case OI_QUERY_CANDLES:
        block->count = 2;
        block->candles = world->candles;
        break;
    case OI_QUERY_SNAPSHOTS:
        block->count = 3;
        block->snapshots = world->snapshots;
        block->latest = query->wants_latest ? &world->latest : NULL;
        break;
    case OI_QUERY_MONTHS:
        block->count = 2;
        block->months = world->months;
        break;
    case OI_QUERY_LATEST:
        block->latest = &world->latest;
        break;
    case OI_QUERY_CHANGES:
    case OI_QUERY_COVERAGE:
    case OI_QUERY_GAPS:
    case OI_QUERY_FROZEN:
    case OI_QUERY_OPTIONS:
        fill_market_facts(world, query->kind, block);
        break;
    case OI_QUERY_ALERTS:
    case OI_QUERY_CONVENTIONS:
    case OI_QUERY_OVERVIEW:
    case OI_QUERY_CALENDAR:
    case OI_QUERY_EXPIRIES:
        fill_other_facts(world, query->kind, block);
        break;
    case OI_QUERY_METRICS:
        fill_entity(world, query, block);
        return oi_result_of_blocks(world->blocks, 1, &world->entity, 1);
    case OI_QUERY_BARS:
        return NULL; /* a file: only its headers are the dialect's */
    }
    return oi_result_of_blocks(world->blocks, world->block_count,
                               is_total ? &world->total : world->markets, world->market_count);
}

/*
 * Fixtures.
 */

struct fixture {
    char target[2048], header[256], body[2048];
};

/* "GET /path HTTP/1.1", then at most one header; after "POST /path HTTP/1.1" a line in braces or
 * brackets is the body. Lines that begin with # are remarks. */
static void
read_request(const char *path, struct fixture *fixture)
{
    struct oi_buffer text = {};
    struct oi_slice rest, line, word;
    bool has_target = false;

    *fixture = (struct fixture){};
    test_file_read(path, &text);
    rest = oi_buffer_slice(&text);
    while (oi_slice_next_part(&rest, '\n', &line)) {
        if (line.size == 0 || line.data[0] == '#')
            continue;
        if (has_target && (line.data[0] == '{' || line.data[0] == '[')) {
            assert_true(line.size < sizeof(fixture->body));
            (void) snprintf(fixture->body, sizeof(fixture->body), "%.*s", OI_SLICE_ARGS(line));
            continue;
        }
        if (has_target) {
            (void) snprintf(fixture->header, sizeof(fixture->header), "%.*s", OI_SLICE_ARGS(line));
            continue;
        }
        assert_true(oi_slice_next_part(&line, ' ', &word) &&
                    (oi_slice_is(word, "GET") || oi_slice_is(word, "POST")));
        assert_true(oi_slice_next_part(&line, ' ', &word) && word.size < sizeof(fixture->target));
        (void) snprintf(fixture->target, sizeof(fixture->target), "%.*s", OI_SLICE_ARGS(word));
        has_target = true;
    }
    assert_true(has_target);
    oi_buffer_release(&text);
}

/* The answer to a request, whole: status, headers, body. */
static void
answer_whole(struct test_exchange *exchange, const struct fixture *fixture, struct oi_buffer *whole)
{
    struct world *world = oi_alloc_zero(1, sizeof(*world));
    enum oi_status status =
        test_send(exchange, fixture->target, fixture->header[0] ? fixture->header : NULL,
                  oi_slice_of(fixture->body));

    if (status == OI_OK)
        status = test_render(exchange, answer(world, &exchange->query));
    if (status != OI_OK) {
        assert_int_not_equal(exchange->problem.kind, OI_PROBLEM_NONE);
        test_refuse(exchange);
    }
    oi_buffer_add_format(whole, "%d\n", exchange->reply.status);
    for (size_t i = 0; i < exchange->reply.headers.count; i++) {
        oi_buffer_add_slice(whole, exchange->reply.headers.items[i].name);
        oi_buffer_add_text(whole, ": ");
        oi_buffer_add_slice(whole, exchange->reply.headers.items[i].value);
        oi_buffer_add_char(whole, '\n');
    }
    oi_buffer_add_char(whole, '\n');
    oi_buffer_add_slice(whole, oi_buffer_slice(&exchange->reply.body));
    oi_free(world);
}

static void
check_reply(const char *path, struct oi_slice whole)
{
    struct oi_buffer expected = {};

    if (getenv("OI_WRITE_EXPECTED")) {
        FILE *file = fopen(path, "wb");

        assert_non_null(file);
        assert_int_equal(fwrite(whole.data, 1, whole.size, file), whole.size);
        assert_int_equal(fclose(file), 0);
    }
    test_file_read(path, &expected);
    if (!oi_slice_equal(whole, oi_buffer_slice(&expected)))
        fail_msg("%s\nexpected: %.*s\nanswered: %.*s", path,
                 OI_SLICE_ARGS(oi_buffer_slice(&expected)), OI_SLICE_ARGS(whole));
    oi_buffer_release(&expected);
}

/* The number of answers and refusals among the fixtures of a dialect. */
struct tally {
    size_t answers, refusals;
};

static void
check_fixture(const struct oi_dialect *dialect, const char *stem, struct tally *tally)
{
    struct fixture fixture;
    char path[512];
    struct test_exchange exchange;
    struct oi_buffer whole = {};

    (void) snprintf(path, sizeof(path), FIXTURES "/%s/%s.http", dialect->name, stem);
    read_request(path, &fixture);
    answer_whole(&exchange, &fixture, &whole);
    assert_string_equal(exchange.dialect->name, dialect->name);
    (void) snprintf(path, sizeof(path), FIXTURES "/%s/%s.reply", dialect->name, stem);
    check_reply(path, oi_buffer_slice(&whole));
    if (exchange.reply.status == 200)
        tally->answers++;
    else
        tally->refusals++;
    oi_buffer_release(&whole);
    test_close(&exchange);
}

/* Call `visit` with the stem of every CASE.http of a dialect. */
static void
each_fixture(const struct oi_dialect *dialect,
             void (*visit)(const struct oi_dialect *, const char *stem, struct tally *),
             struct tally *tally)
{
    char folder[256];
    char **names;
    size_t count;

    (void) snprintf(folder, sizeof(folder), FIXTURES "/%s", dialect->name);
    count = test_names_list(folder, &names);
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(names[i]);

        if (size < 6 || strcmp(names[i] + size - 5, ".http") != 0)
            continue;
        names[i][size - 5] = '\0';
        visit(dialect, names[i], tally);
    }
    test_names_free(names, count);
}

static void
answers_every_fixture_as_written(void **)
{
    for (size_t i = 0; oi_dialects[i]; i++) {
        struct tally tally = {};

        each_fixture(oi_dialects[i], check_fixture, &tally);
        print_message("%s: %zu answers, %zu refusals\n", oi_dialects[i]->name, tally.answers,
                      tally.refusals);
        assert_true(tally.answers >= 1 && tally.refusals >= 1);
    }
}

/*
 * Tables.
 */

static void
has_sound_tables(void **)
{
    for (size_t i = 0; oi_dialects[i]; i++) {
        const struct oi_dialect *dialect = oi_dialects[i];

        assert_ptr_equal(oi_dialect_find(oi_slice_of(dialect->name)), dialect);
        assert_true(dialect->full_name[0] && dialect->prefix[0] == '/');
        assert_true(dialect->key && dialect->render_problem && dialect->mounts[0]);
        for (size_t k = 0; dialect->mounts[k]; k++)
            assert_true(dialect->mounts[k][0] == '\0' || dialect->mounts[k][0] == '/');
        for (size_t k = 0; k < dialect->route_count; k++) {
            const struct oi_route *route = &dialect->routes[k];

            assert_true(route->path[0] == '/' && route->methods && route->parse && route->render);
            assert_true(!route->is_file || route->is_link);
            for (size_t n = 0; n < k; n++)
                assert_string_not_equal(route->path, dialect->routes[n].path);
        }
    }
}

static void
has_a_manual(void **)
{
    for (size_t i = 0; oi_dialects[i]; i++) {
        struct oi_buffer text = {};
        char path[256];

        (void) snprintf(path, sizeof(path), "docs/dialects/%s.md", oi_dialects[i]->name);
        test_file_read(path, &text);
        assert_true(text.size > 200);
        oi_buffer_release(&text);
    }
}

/*
 * Refusals.
 */

static void
check_problem(const struct oi_dialect *dialect, const struct oi_problem *problem)
{
    struct oi_call call = { .request_id = "id", .now = TEST_NOW };
    struct oi_http_request request = {};
    struct oi_http_reply reply = { .status = 200 };
    const struct oi_slice *type;
    struct oi_json *json;

    dialect->render_problem(&call, &request, problem, &reply);
    assert_in_range(reply.status, 400, 599);
    if (problem->http_status)
        assert_int_equal(reply.status, problem->http_status);
    type = oi_http_reply_find(&reply, "content-type");
    assert_true(type && oi_slice_is(*type, "application/json"));
    if (oi_json_open(oi_buffer_slice(&reply.body), &json, NULL) != OI_OK)
        fail_msg("%s, problem %d: %.*s", dialect->name, problem->kind,
                 OI_SLICE_ARGS(oi_buffer_slice(&reply.body)));
    assert_int_equal(oi_json_kind(oi_json_root(json)), OI_JSON_OBJECT);
    assert_true(reply.body.size < 4096);
    assert_null(memchr(reply.body.data, '\n', reply.body.size));
    if (reply.status == 429)
        assert_non_null(oi_http_reply_find(&reply, "Retry-After"));
    oi_json_close(&json);
    oi_http_reply_release(&reply);
}

static void
words_every_problem_in_its_envelope(void **)
{
    for (size_t i = 0; oi_dialects[i]; i++) {
        for (int kind = OI_PROBLEM_NONE; kind <= OI_PROBLEM_UNAVAILABLE; kind++) {
            struct oi_problem problem = { .kind = (enum oi_problem_kind) kind, .retry_after_s = 3 };

            check_problem(oi_dialects[i], &problem);
            (void) oi_problem_set(&problem, (enum oi_problem_kind) kind, "a\"b",
                                  OI_SLICE("\"\\\x01\xe2\x80\xa8\xff<\n"), "%s",
                                  "a sentence with \"quotes\" and \n an end");
            check_problem(oi_dialects[i], &problem);
        }
        for (size_t k = 0; k < 4; k++) {
            static const int statuses[] = { 400, 413, 414, 431 };
            struct oi_problem problem = { .kind = OI_PROBLEM_SYNTAX, .http_status = statuses[k] };

            check_problem(oi_dialects[i], &problem);
        }
    }
}

/* Ask a route with one field of the query as given; INVALID is expected. */
static void
refuse_field(const struct oi_dialect *dialect, const struct oi_route *route,
             struct oi_http_field field)
{
    struct oi_call call = { .request_id = "id", .now = TEST_NOW };
    struct oi_http_request request = { .path = OI_SLICE("/") };
    struct oi_query query = OI_QUERY_EMPTY;
    struct oi_problem problem = {};

    oi_vector_push(&request.query, field);
    if (route->parse(&call, &request, &query, &problem) != OI_E_INVALID)
        fail_msg("%s %s takes %.*s", dialect->name, route->path, OI_SLICE_ARGS(field.name));
    assert_int_not_equal(problem.kind, OI_PROBLEM_NONE);
    check_problem(dialect, &problem);
    oi_query_release(&query);
    oi_http_request_release(&request);
}

static void
refuses_unknown_oversized_and_broken_parameters(void **)
{
    char *large = oi_alloc_zero(30'001, 1);

    memset(large, 'x', 30'000);
    for (size_t i = 0; oi_dialects[i]; i++) {
        for (size_t k = 0; k < oi_dialects[i]->route_count; k++) {
            const struct oi_route *route = &oi_dialects[i]->routes[k];

            refuse_field(oi_dialects[i], route,
                         (struct oi_http_field){ OI_SLICE("zzz"), OI_SLICE("1") });
            refuse_field(oi_dialects[i], route,
                         (struct oi_http_field){ OI_SLICE(""), OI_SLICE("1") });
            refuse_field(oi_dialects[i], route,
                         (struct oi_http_field){ oi_slice_of(large), OI_SLICE("1") });
            refuse_field(oi_dialects[i], route,
                         (struct oi_http_field){ OI_SLICE("z\xff"), OI_SLICE("\xff") });
        }
    }
    oi_free(large);
}

/* Change a request of the fixtures at random: cut, double, replace bytes. */
static void
mutate(struct oi_random *random, const char *target, char *out, size_t out_size)
{
    static const char letters[] = "&=%,*.-:0129aZ/?+ \"T{}[]\\";
    size_t size = strlen(target);

    (void) snprintf(out, out_size, "%s", target);
    for (uint64_t n = 1 + oi_random_below(random, 4); n > 0; n--) {
        size_t at = 1 + (size_t) oi_random_below(random, size - 1);

        if (oi_random_below(random, 3) == 0)
            memmove(out + at, out + at + 1, strlen(out + at));
        else if (out[at])
            out[at] = letters[oi_random_below(random, sizeof(letters) - 1)];
    }
}

static void
check_mutations(const struct oi_dialect *dialect, const char *stem, struct tally *tally)
{
    struct fixture fixture;
    char changed[2048], path[512];
    struct oi_random random;

    (void) snprintf(path, sizeof(path), FIXTURES "/%s/%s.http", dialect->name, stem);
    read_request(path, &fixture);
    oi_random_init(&random, 20'260'609);
    for (int i = 0; i < MUTATIONS; i++) {
        struct oi_http_request request = {};
        const struct oi_dialect *found;
        const struct oi_route *route;
        struct oi_query query = OI_QUERY_EMPTY;
        struct oi_problem problem = {};
        struct oi_call call = { .request_id = "id", .now = TEST_NOW };

        mutate(&random, fixture.body[0] ? fixture.body : fixture.target, changed, sizeof(changed));
        if (oi_http_parse_target(oi_slice_of(fixture.body[0] ? fixture.target : changed), &request,
                                 NULL) == OI_OK) {
            request.body = oi_slice_of(fixture.body[0] ? changed : "");
            route = oi_dialects_route(&request, &found, &call.mount);
            if (route && route->parse(&call, &request, &query, &problem) == OI_OK)
                tally->answers++;
            else if (found)
                check_problem(found, &problem);
        }
        oi_query_release(&query);
        oi_http_request_release(&request);
    }
    tally->refusals++;
}

static void
survives_questions_that_are_almost_right(void **)
{
    struct tally tally = {};

    print_message("seed 20260609\n");
    for (size_t i = 0; oi_dialects[i]; i++)
        each_fixture(oi_dialects[i], check_mutations, &tally);
    assert_true(tally.refusals > 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_sound_tables),
        cmocka_unit_test(has_a_manual),
        cmocka_unit_test(answers_every_fixture_as_written),
        cmocka_unit_test(words_every_problem_in_its_envelope),
        cmocka_unit_test(refuses_unknown_oversized_and_broken_parameters),
        cmocka_unit_test(survives_questions_that_are_almost_right),
    };
    return cmocka_run_group_tests_name("contract/dialects", tests, NULL, NULL);
}
