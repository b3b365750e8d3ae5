/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every exchange promises, run over the registered list: sound tables, a fixture for each
 * endpoint that reads as its expected.json says, requests that go out as https, and replies that
 * are broken in every way without a crash or a figure that makes no sense.
 *
 * expected.json is written by this program from the inputs in it: OI_WRITE_EXPECTED=1 rewrites the
 * files in the tree, and the difference is then read by a human before it is committed.
 */
#include "base/compiler.h"
#include "base/json.h"
#include "base/random.h"
#include "exchanges/exchange.h"
#include "exchanges/reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/test.h"
#include "support/test_data.h"
#include "support/test_exchange.h"

#define FIXTURES "tests/fixtures/exchanges"
#define MUTATIONS 200

static const char *const kind_names[] = {
    [OI_TASK_FAMILIES] = "FAMILIES", [OI_TASK_INSTRUMENTS] = "INSTRUMENTS",
    [OI_TASK_CURRENT] = "CURRENT",   [OI_TASK_PRICES] = "PRICES",
    [OI_TASK_HISTORY] = "HISTORY",   [OI_TASK_STREAM] = "STREAM",
};

/* One entry of expected.json: what the reply in `file` answers. */
struct fixture {
    const struct oi_exchange *exchange;
    const struct oi_json_node *entry;
    const struct oi_endpoint *endpoint; /* NULL: an error, for the judge alone */
    struct oi_task task;
    struct oi_slice reply;
    struct oi_arena arena;
    struct oi_buffer bytes;
};

static const char *
text_of(struct fixture *fixture, const char *name)
{
    struct oi_slice text = oi_json_text(oi_json_member(fixture->entry, name));

    return text.size > 0 ? oi_arena_copy(&fixture->arena, text) : NULL;
}

static int64_t
integer_of(const struct fixture *fixture, const char *name)
{
    int64_t value = 0;

    (void) oi_reply_digits(oi_json_text(oi_json_member(fixture->entry, name)), &value);
    return value;
}

static void
fixture_open(struct fixture *fixture, const struct oi_exchange *exchange,
             const struct oi_json_node *entry)
{
    char path[TEST_PATH_SIZE];
    const char *kind;

    *fixture = (struct fixture){ .exchange = exchange, .entry = entry };
    snprintf(path, sizeof(path), FIXTURES "/%s/%s", exchange->name, text_of(fixture, "file"));
    test_file_read(path, &fixture->bytes);
    fixture->reply = oi_buffer_slice(&fixture->bytes);
    kind = text_of(fixture, "kind");
    if (!kind)
        return;
    for (size_t i = 0; i < OI_COUNT(kind_names); i++)
        if (strcmp(kind_names[i], kind) == 0)
            fixture->task.kind = (enum oi_task_kind) i;
    fixture->task.product = text_of(fixture, "product");
    fixture->task.family = text_of(fixture, "family");
    fixture->task.symbol = text_of(fixture, "symbol");
    fixture->task.page = text_of(fixture, "page");
    assert_ok(oi_time_from_ms(integer_of(fixture, "from"), &fixture->task.span.from, NULL));
    assert_ok(oi_time_from_ms(integer_of(fixture, "to"), &fixture->task.span.to, NULL));
    assert_ok(oi_time_from_ms(integer_of(fixture, "now"), &fixture->task.now, NULL));
    fixture->endpoint = test_exchange_endpoint(exchange, &fixture->task);
}

static void
fixture_release(struct fixture *fixture)
{
    oi_buffer_release(&fixture->bytes);
    oi_arena_release(&fixture->arena);
}

typedef void fixture_visit(struct fixture *fixture, void *context);

/* Walk the entries of an exchange's expected.json. */
static void
each_fixture(const struct oi_exchange *exchange, fixture_visit *visit, void *context)
{
    char path[TEST_PATH_SIZE];
    struct oi_buffer bytes = {};
    struct oi_json *json = NULL;

    snprintf(path, sizeof(path), FIXTURES "/%s/expected.json", exchange->name);
    test_file_read(path, &bytes);
    assert_ok(oi_json_open(oi_buffer_slice(&bytes), &json, NULL));
    for (const struct oi_json_node *entry = oi_json_first(oi_json_root(json)); entry;
         entry = oi_json_next(entry)) {
        struct fixture fixture;

        fixture_open(&fixture, exchange, entry);
        visit(&fixture, context);
        fixture_release(&fixture);
    }
    oi_json_close(&json);
    oi_buffer_release(&bytes);
}

static enum oi_status
read_bytes(const struct fixture *fixture, struct oi_slice reply, struct oi_harvest *harvest,
           struct oi_error *error)
{
    /* A copy of exactly this size, so that a read past its end is seen. */
    char *copy = oi_alloc(reply.size);
    enum oi_status status;

    if (reply.size > 0)
        memcpy(copy, reply.data, reply.size);
    oi_harvest_reset(harvest);
    status = fixture->endpoint->read(&fixture->task, (struct oi_slice){ copy, reply.size }, harvest,
                                     error);
    oi_free(copy);
    test_exchange_assert_sane(fixture->exchange, &fixture->task, fixture->endpoint, harvest);
    return status;
}

/*
 * The golden answer: the entry's inputs followed by what came of them.
 */

static void
add_decimal(struct oi_buffer *line, const char *name, const struct oi_decimal *value)
{
    char text[OI_DECIMAL_TEXT_SIZE];

    if (oi_decimal_is_none(value))
        return;
    oi_decimal_print(value, text);
    oi_buffer_add_format(line, " %s=%s", name, text);
}

static void
add_time(struct oi_buffer *line, const char *name, oi_time time)
{
    if (time == OI_TIME_NONE)
        return;
    oi_buffer_add_format(line, " %s=", name);
    oi_time_write(time, 3, line);
}

static void
add_row(struct oi_buffer *line, const struct oi_harvest_row *row)
{
    const struct oi_observation *reading = &row->reading;

    if (row->product)
        oi_buffer_add_format(line, "%s ", row->product);
    oi_buffer_add_text(line, row->symbol);
    add_decimal(line, "open_interest", &reading->open_interest);
    add_decimal(line, "value_usd", &reading->value_usd);
    add_decimal(line, "mark", &reading->mark_price);
    add_decimal(line, "index", &reading->index_price);
    add_decimal(line, "last", &reading->last_price);
    add_time(line, "time", reading->time);
    add_time(line, "exchange_time", reading->exchange_time);
}

static void
add_instrument(struct oi_buffer *line, const struct oi_instrument *instrument)
{
    oi_buffer_add_format(line, "%s %s %s %s %" PRId64 " %s/%s:%s", instrument->product,
                         instrument->symbol, oi_kind_name(instrument->kind),
                         oi_settlement_name(instrument->settlement), instrument->base_factor,
                         instrument->base, instrument->quote, instrument->margin);
    add_decimal(line, "size", &instrument->contract_size);
    add_decimal(line, instrument->option_side == OI_OPTION_CALL ? "call" : "put",
                &instrument->strike);
    add_time(line, "listed", instrument->listed);
    add_time(line, "expiry", instrument->expiry);
    if (instrument->is_delisted)
        oi_buffer_add_text(line, " delisted");
}

static void
add_line(struct oi_json_writer *writer, struct oi_buffer *line)
{
    oi_json_add_string(writer, oi_buffer_slice(line));
    oi_buffer_clear(line);
}

static void
write_harvest(struct oi_json_writer *writer, const struct oi_harvest *harvest)
{
    struct oi_buffer line = {};

    oi_json_add_name(writer, "instruments");
    oi_json_begin_array(writer);
    for (size_t i = 0; i < harvest->instruments.count; i++) {
        add_instrument(&line, &harvest->instruments.items[i]);
        add_line(writer, &line);
    }
    oi_json_end_array(writer);
    oi_json_add_name(writer, "rows");
    oi_json_begin_array(writer);
    for (size_t i = 0; i < harvest->rows.count; i++) {
        add_row(&line, &harvest->rows.items[i]);
        add_line(writer, &line);
    }
    oi_json_end_array(writer);
    oi_json_add_name(writer, "families");
    oi_json_begin_array(writer);
    for (size_t i = 0; i < harvest->families.count; i++)
        oi_json_add_text(writer, harvest->families.items[i]);
    oi_json_end_array(writer);
    oi_json_add_name(writer, "skips");
    oi_json_begin_array(writer);
    for (size_t i = 0; i < harvest->skips.count; i++) {
        oi_buffer_add_format(&line, "%s: %s", harvest->skips.items[i].symbol,
                             harvest->skips.items[i].reason);
        add_line(writer, &line);
    }
    oi_json_end_array(writer);
    if (harvest->next_page) {
        oi_json_add_name(writer, "next_page");
        oi_json_add_text(writer, harvest->next_page);
    }
    oi_buffer_release(&line);
}

static void
write_request(struct oi_json_writer *writer, const struct fixture *fixture)
{
    struct oi_http_request request = {};
    struct oi_buffer url = {};

    assert_ok(fixture->endpoint->ask(&fixture->task, &request, NULL));
    oi_http_write_url(&request, &url);
    oi_json_add_name(writer, "url");
    oi_json_add_string(writer, oi_buffer_slice(&url));
    if (request.body.size > 0) {
        oi_json_add_name(writer, "body");
        oi_json_add_string(writer, request.body);
    }
    oi_buffer_release(&url);
    oi_http_request_release(&request);
}

static void
write_verdict(struct oi_json_writer *writer, struct fixture *fixture)
{
    struct oi_http_field fields[8];
    const struct oi_json_node *headers = oi_json_member(fixture->entry, "headers");
    struct oi_reply_head head = { .status = (int) integer_of(fixture, "http"),
                                  .body = fixture->reply,
                                  .headers = fields };
    struct oi_verdict verdict;

    for (const struct oi_json_node *header = oi_json_first(headers);
         header && head.header_count < OI_COUNT(fields); header = oi_json_next(header))
        fields[head.header_count++] =
            (struct oi_http_field){ oi_json_name(header), oi_json_text(header) };
    assert_ok(oi_time_from_ms(integer_of(fixture, "now"), &head.now, NULL));
    fixture->exchange->judge(&head, &verdict);
    oi_json_add_name(writer, "verdict");
    oi_json_add_text(writer, oi_status_name(verdict.status));
    oi_json_add_name(writer, "pause_ms");
    oi_json_add_int(writer, (int64_t) verdict.pause_ms);
    oi_json_add_name(writer, "reason");
    oi_json_add_text(writer, verdict.reason);
}

static void
write_inputs(struct oi_json_writer *writer, const struct fixture *fixture)
{
    static const char *const names[] = { "file", "kind", "product", "family", "symbol", "page",
                                         "from", "to",   "now",     "http",   "headers" };

    for (size_t i = 0; i < OI_COUNT(names); i++) {
        const struct oi_json_node *input = oi_json_member(fixture->entry, names[i]);

        if (!input)
            continue;
        oi_json_add_name(writer, names[i]);
        if (oi_json_kind(input) == OI_JSON_NUMBER) {
            oi_json_add_raw(writer, oi_json_text(input));
        } else if (oi_json_kind(input) == OI_JSON_STRING) {
            oi_json_add_string(writer, oi_json_text(input));
        } else {
            oi_json_begin_object(writer);
            for (const struct oi_json_node *header = oi_json_first(input); header;
                 header = oi_json_next(header)) {
                char name[OI_NAME_SIZE];

                assert_ok(OI_NAME_SET(name, oi_json_name(header), NULL));
                oi_json_add_name(writer, name);
                oi_json_add_string(writer, oi_json_text(header));
            }
            oi_json_end_object(writer);
        }
    }
}

static void
write_outcome(struct fixture *fixture, void *context)
{
    struct oi_json_writer *writer = context;
    struct oi_harvest harvest = {};
    struct oi_error error = {};
    enum oi_status status;

    oi_json_begin_object(writer);
    write_inputs(writer, fixture);
    if (fixture->endpoint) {
        write_request(writer, fixture);
        status = read_bytes(fixture, fixture->reply, &harvest, &error);
        oi_json_add_name(writer, "status");
        oi_json_add_text(writer, status == OI_OK ? "OK" : oi_status_name(status));
        if (status == OI_OK) {
            write_harvest(writer, &harvest);
        } else {
            oi_json_add_name(writer, "message");
            oi_json_add_text(writer, error.message);
        }
    } else {
        write_verdict(writer, fixture);
    }
    oi_json_end_object(writer);
    oi_harvest_release(&harvest);
}

/* Where two texts part, for a human. */
static void
assert_same_text(const char *path, struct oi_slice actual, struct oi_slice expected)
{
    size_t at = 0;
    size_t from;

    if (oi_slice_equal(actual, expected))
        return;
    while (at < actual.size && at < expected.size && actual.data[at] == expected.data[at])
        at++;
    from = at > 60 ? at - 60 : 0;
    fail_msg("%s differs:\nis        ...%.160s\nshould be ...%.160s", path, actual.data + from,
             expected.data + from);
}

static void
fixtures_read_as_their_expected_json_says(void **)
{
    for (size_t i = 0; oi_exchanges[i]; i++) {
        char path[TEST_PATH_SIZE];
        struct oi_buffer actual = {};
        struct oi_buffer expected = {};
        struct oi_json_writer writer = { .out = &actual, .is_pretty = true };

        oi_json_begin_array(&writer);
        each_fixture(oi_exchanges[i], write_outcome, &writer);
        oi_json_end_array(&writer);
        oi_buffer_add_char(&actual, '\n');
        snprintf(path, sizeof(path), FIXTURES "/%s/expected.json", oi_exchanges[i]->name);
        if (getenv("OI_WRITE_EXPECTED")) {
            FILE *file = fopen(path, "w");

            assert_non_null(file);
            assert_int_equal(fwrite(actual.data, 1, actual.size, file), actual.size);
            assert_int_equal(fclose(file), 0);
        }
        test_file_read(path, &expected);
        oi_buffer_add_char(&actual, '\0');
        oi_buffer_add_char(&expected, '\0');
        assert_same_text(path, oi_buffer_slice(&actual), oi_buffer_slice(&expected));
        oi_buffer_release(&actual);
        oi_buffer_release(&expected);
    }
}

/*
 * Tables.
 */

static void
assert_convention_exists(const struct oi_exchange *exchange, const char *product)
{
    for (size_t i = 0; i < exchange->convention_count; i++)
        if (!exchange->conventions[i].product ||
            strcmp(exchange->conventions[i].product, product) == 0)
            return;
    fail_msg("%s: no convention for %s", exchange->name, product);
}

static void
descriptors_are_sound(void **)
{
    for (size_t i = 0; oi_exchanges[i]; i++) {
        const struct oi_exchange *exchange = oi_exchanges[i];

        assert_ptr_equal(oi_exchange_find(oi_slice_of(exchange->name)), exchange);
        assert_true(exchange->full_name[0] && exchange->products[0] && exchange->judge);
        for (size_t k = 0; exchange->products[k]; k++)
            assert_convention_exists(exchange, exchange->products[k]);
        for (size_t k = 0; k < exchange->convention_count; k++) {
            const struct oi_convention *convention = &exchange->conventions[k];

            assert_non_null(strstr(convention->evidence, "https://"));
            assert_in_range(convention->sides, 0, 2);
            assert_true(convention->unit != OI_UNIT_UNKNOWN);
            assert_true(!convention->product ||
                        test_exchange_has_product(exchange, convention->product));
        }
        for (size_t k = 0; k < exchange->limit_count; k++) {
            assert_true(exchange->limits[k].name[0] != '\0');
            assert_true(exchange->limits[k].weight_max > 0 && exchange->limits[k].window_ms > 0);
        }
        for (size_t k = 0; k < exchange->endpoint_count; k++) {
            const struct oi_endpoint *endpoint = &exchange->endpoints[k];

            assert_true(endpoint->ask && endpoint->read);
            assert_true(endpoint->limit < exchange->limit_count);
            assert_in_range(endpoint->weight, 1, exchange->limits[endpoint->limit].weight_max);
            assert_true(!endpoint->product ||
                        test_exchange_has_product(exchange, endpoint->product));
        }
    }
    assert_null(oi_exchange_find(OI_SLICE("mtgox")));
}

struct endpoint_tally {
    const struct oi_endpoint *endpoint;
    size_t yields;
};
struct exchange_tally {
    struct endpoint_tally *endpoints;
    size_t endpoint_count;
    size_t fixture_count, empty_count, error_count;
};

static void
tally_fixture(struct fixture *fixture, void *context)
{
    struct exchange_tally *tally = context;
    struct oi_harvest harvest = {};
    size_t yields;
    enum oi_status status;

    tally->fixture_count++;
    if (!fixture->endpoint) {
        tally->error_count++;
        return;
    }
    status = read_bytes(fixture, fixture->reply, &harvest, NULL);
    yields = harvest.rows.count + harvest.instruments.count + harvest.families.count;
    if (status == OI_OK && yields + harvest.skips.count == 0)
        tally->empty_count++;
    for (size_t i = 0; i < tally->endpoint_count; i++)
        if (tally->endpoints[i].endpoint == fixture->endpoint && status == OI_OK)
            tally->endpoints[i].yields += yields;
    oi_harvest_release(&harvest);
}

static void
every_endpoint_has_a_fixture_that_yields_something(void **)
{
    size_t fixture_count = 0;

    for (size_t i = 0; oi_exchanges[i]; i++) {
        const struct oi_exchange *exchange = oi_exchanges[i];
        struct endpoint_tally endpoints[64] = {};
        struct exchange_tally tally = { .endpoints = endpoints,
                                        .endpoint_count = exchange->endpoint_count };

        assert_true(exchange->endpoint_count <= OI_COUNT(endpoints));
        for (size_t k = 0; k < exchange->endpoint_count; k++)
            endpoints[k].endpoint = &exchange->endpoints[k];
        if (exchange->endpoint_count == 0)
            continue; /* closed, or known by its files alone: there is nobody to answer */
        each_fixture(exchange, tally_fixture, &tally);
        for (size_t k = 0; k < exchange->endpoint_count; k++)
            if (endpoints[k].yields == 0)
                fail_msg("%s: no fixture yields anything for %s of %s", exchange->name,
                         kind_names[endpoints[k].endpoint->kind],
                         endpoints[k].endpoint->product ? endpoints[k].endpoint->product : "all");
        if (tally.empty_count == 0 || tally.error_count == 0)
            fail_msg("%s: an empty answer and an error must be among the fixtures", exchange->name);
        fixture_count += tally.fixture_count;
    }
    print_message("%zu fixtures\n", fixture_count);
}

static void
assert_url(const struct oi_endpoint *endpoint, const struct oi_task *task)
{
    struct oi_http_request request = {};
    struct oi_buffer url = {};

    if (endpoint->ask(task, &request, NULL) == OI_OK) {
        oi_http_write_url(&request, &url);
        assert_true(oi_slice_starts_with(oi_buffer_slice(&url), "https://"));
        for (size_t i = 0; i < url.size; i++)
            assert_true(url.data[i] > 0x20 && url.data[i] < 0x7f && url.data[i] != '"');
        assert_int_equal(request.method == OI_HTTP_POST, request.body.size > 0);
    }
    oi_buffer_release(&url);
    oi_http_request_release(&request);
}

static void
requests_are_https_whatever_the_symbol_holds(void **)
{
    static const char *const names[] = { "BTCUSDT", "a b&c=d#e", "\xe2\x82\xbf", "x\ny", "%41" };

    for (size_t i = 0; oi_exchanges[i]; i++) {
        for (size_t k = 0; k < oi_exchanges[i]->endpoint_count; k++) {
            for (size_t n = 0; n < OI_COUNT(names); n++) {
                const struct oi_endpoint *endpoint = &oi_exchanges[i]->endpoints[k];
                const struct oi_task task = {
                    .kind = endpoint->kind,
                    .product = endpoint->product,
                    .family = endpoint->scope == OI_SCOPE_FAMILY ? names[n] : NULL,
                    .symbol = names[n],
                    .span = { 1'789'990'000 * OI_SECOND, 1'790'000'000 * OI_SECOND },
                    .now = 1'790'000'000 * OI_SECOND,
                };

                assert_url(endpoint, &task);
            }
        }
    }
}

/*
 * Broken replies.
 */

static void
truncate_everywhere(struct fixture *fixture, void *context)
{
    struct oi_harvest harvest = {};
    struct oi_slice whole = oi_slice_trim(fixture->reply);
    size_t *count = context;

    if (!fixture->endpoint)
        return;
    for (size_t size = 0; size < whole.size; size++) {
        assert_status(read_bytes(fixture, (struct oi_slice){ whole.data, size }, &harvest, NULL),
                      OI_E_UPSTREAM);
        (*count)++;
    }
    oi_harvest_release(&harvest);
}

static void
a_reply_cut_at_any_byte_is_upstream(void **)
{
    size_t count = 0;

    for (size_t i = 0; oi_exchanges[i]; i++)
        each_fixture(oi_exchanges[i], truncate_everywhere, &count);
    print_message("%zu cut replies\n", count);
}

static void
read_nonsense(struct fixture *fixture, void *)
{
    static const char *const bodies[] = {
        "",     "<html><body>502 Bad Gateway</body></html>",
        "\xff", "{\"symbol\":\"\xc3\x28\"}",
        "true", "\"text\"",
        "12",   "nonsense",
        "{",    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    };
    struct oi_harvest harvest = {};

    if (!fixture->endpoint)
        return;
    for (size_t i = 0; i < OI_COUNT(bodies); i++)
        assert_status(read_bytes(fixture, oi_slice_of(bodies[i]), &harvest, NULL), OI_E_UPSTREAM);
    oi_harvest_release(&harvest);
}

static void
what_is_no_reply_at_all_is_upstream(void **)
{
    for (size_t i = 0; oi_exchanges[i]; i++)
        each_fixture(oi_exchanges[i], read_nonsense, NULL);
}

/* Put a hostile value after a random colon or comma, or damage a few bytes. */
static void
mutate(struct oi_random *random, struct oi_slice whole, struct oi_buffer *out)
{
    static const char *const values[] = {
        "null",
        "-1",
        "\"-1\"",
        "1e999",
        "\"1e400\"",
        "\"\"",
        "[]",
        "{}",
        "true",
        "0",
        "\"0\"",
        "99999999999999999999999999999999999999999999999999999999999999999999999",
        "\"NaN\"",
        "\"\\u0000\"",
        "\"9223372036854775807\"",
        "9223372036854775807",
        "1.5",
        "[null]",
    };
    size_t at = oi_random_below(random, whole.size);
    size_t end;

    if (oi_random_below(random, 4) == 0) { /* bytes */
        oi_buffer_add(out, whole.data, whole.size);
        for (size_t i = 0; i <= oi_random_below(random, 3); i++)
            out->data[oi_random_below(random, whole.size)] = (char) oi_random_below(random, 256);
        return;
    }
    while (at < whole.size && whole.data[at] != ':' && whole.data[at] != '[')
        at++;
    end = at < whole.size ? at + 1 : whole.size;
    oi_buffer_add(out, whole.data, end);
    oi_buffer_add_text(out, values[oi_random_below(random, OI_COUNT(values))]);
    while (end < whole.size && whole.data[end] != ',' && whole.data[end] != '}' &&
           whole.data[end] != ']')
        end++;
    oi_buffer_add(out, whole.data + end, whole.size - end);
}

static void
read_mutations(struct fixture *fixture, void *context)
{
    struct oi_random *random = context;
    struct oi_harvest harvest = {};
    struct oi_buffer bytes = {};

    for (size_t i = 0; i < MUTATIONS && fixture->reply.size > 0; i++) {
        struct oi_reply_head head = { .status = 200 + 100 * (int) oi_random_below(random, 4) };
        struct oi_verdict verdict;

        oi_buffer_clear(&bytes);
        mutate(random, fixture->reply, &bytes);
        if (fixture->endpoint)
            (void) read_bytes(fixture, oi_buffer_slice(&bytes), &harvest, NULL);
        head.body = oi_buffer_slice(&bytes);
        head.now = 1'790'000'000 * OI_SECOND;
        fixture->exchange->judge(&head, &verdict);
        assert_true(strlen(verdict.reason) < sizeof(verdict.reason));
        if (head.status >= 400)
            assert_true(verdict.status != OI_OK);
    }
    oi_buffer_release(&bytes);
    oi_harvest_release(&harvest);
}

static void
a_mutated_reply_yields_nothing_that_makes_no_sense(void **)
{
    const uint64_t seed = 20260926;
    struct oi_random random;

    print_message("seed %" PRIu64 "\n", seed);
    oi_random_init(&random, seed);
    for (size_t i = 0; oi_exchanges[i]; i++)
        each_fixture(oi_exchanges[i], read_mutations, &random);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_are_sound),
        cmocka_unit_test(fixtures_read_as_their_expected_json_says),
        cmocka_unit_test(every_endpoint_has_a_fixture_that_yields_something),
        cmocka_unit_test(requests_are_https_whatever_the_symbol_holds),
        cmocka_unit_test(a_reply_cut_at_any_byte_is_upstream),
        cmocka_unit_test(what_is_no_reply_at_all_is_upstream),
        cmocka_unit_test(a_mutated_reply_yields_nothing_that_makes_no_sense),
    };
    return cmocka_run_group_tests_name("contract/exchange", tests, NULL, NULL);
}
