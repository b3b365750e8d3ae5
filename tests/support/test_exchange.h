/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adapters reached through their descriptors, as the driver reaches them: one line to read a reply,
 * one to judge it. In a header, because what is compiled into every test may need base alone.
 */
#pragma once

#include "exchanges/exchange.h"
#include "support/test.h"

/* The endpoint of the task's kind and product, by family where the task has one; the test fails
 * where there is none. */
static inline const struct oi_endpoint *
test_exchange_endpoint(const struct oi_exchange *exchange, const struct oi_task *task)
{
    for (size_t i = 0; i < exchange->endpoint_count; i++) {
        const struct oi_endpoint *endpoint = &exchange->endpoints[i];
        bool same_product =
            !endpoint->product || (task->product && strcmp(endpoint->product, task->product) == 0);

        if (endpoint->kind == task->kind && same_product &&
            (endpoint->scope == OI_SCOPE_FAMILY) == (task->family != NULL))
            return endpoint;
    }
    fail_msg("%s has no such endpoint", exchange->name);
    return NULL;
}

/* Empty `harvest` and read `reply` into it. */
static inline enum oi_status
test_exchange_read(const struct oi_exchange *exchange, const struct oi_task *task,
                   const char *reply, struct oi_harvest *harvest)
{
    oi_harvest_reset(harvest);
    return test_exchange_endpoint(exchange, task)->read(task, oi_slice_of(reply), harvest, NULL);
}

/* The verdict about a body without headers, arrived at `now`. */
static inline struct oi_verdict
test_exchange_judge(const struct oi_exchange *exchange, int status, const char *body, oi_time now)
{
    const struct oi_reply_head head = { .status = status, .body = oi_slice_of(body), .now = now };
    struct oi_verdict verdict;

    exchange->judge(&head, &verdict);
    return verdict;
}

/* Is it this number? `text` as oi_decimal_print has it, "" for none. */
static inline void
test_assert_decimal(const struct oi_decimal *value, const char *text)
{
    char actual[OI_DECIMAL_TEXT_SIZE];

    oi_decimal_print(value, actual);
    assert_string_equal(actual, text);
}

static inline bool
test_exchange_has_product(const struct oi_exchange *exchange, const char *product)
{
    for (size_t i = 0; exchange->products[i]; i++)
        if (strcmp(exchange->products[i], product) == 0)
            return true;
    return false;
}

static inline void
test_exchange_assert_sane_row(const struct oi_exchange *exchange, const struct oi_task *task,
                              const struct oi_endpoint *endpoint, const struct oi_harvest_row *row)
{
    const struct oi_observation *reading = &row->reading;

    assert_true(row->symbol[0] != '\0');
    if (row->product)
        assert_true(test_exchange_has_product(exchange, row->product));
    else
        assert_non_null(endpoint->product);
    assert_true(oi_decimal_sign(&reading->open_interest) >= 0);
    assert_true(oi_decimal_sign(&reading->value_usd) >= 0);
    assert_true(oi_decimal_sign(&reading->mark_price) >= 0);
    assert_true(oi_decimal_sign(&reading->index_price) >= 0);
    assert_int_equal(oi_decimal_is_none(&reading->open_interest), task->kind == OI_TASK_PRICES);
    assert_int_equal(reading->time != OI_TIME_NONE, task->kind == OI_TASK_HISTORY);
    assert_true(reading->known_time == OI_TIME_NONE);
}

/* Whatever came in, what came out makes sense. */
static inline void
test_exchange_assert_sane(const struct oi_exchange *exchange, const struct oi_task *task,
                          const struct oi_endpoint *endpoint, const struct oi_harvest *harvest)
{
    for (size_t i = 0; i < harvest->rows.count; i++)
        test_exchange_assert_sane_row(exchange, task, endpoint, &harvest->rows.items[i]);
    for (size_t i = 0; i < harvest->instruments.count; i++) {
        const struct oi_instrument *instrument = &harvest->instruments.items[i];

        assert_string_equal(instrument->exchange, exchange->name);
        assert_true(test_exchange_has_product(exchange, instrument->product));
        assert_true(instrument->symbol[0] && instrument->base[0] && instrument->quote[0]);
        assert_true(instrument->base_factor >= 1);
        assert_true(instrument->kind != OI_KIND_UNKNOWN);
        assert_true(instrument->settlement != OI_SETTLEMENT_UNKNOWN);
        assert_int_equal(instrument->kind == OI_KIND_PERPETUAL, instrument->expiry == OI_TIME_NONE);
        assert_int_equal(instrument->kind == OI_KIND_OPTION,
                         instrument->option_side != OI_OPTION_NONE);
        assert_true(oi_decimal_is_none(&instrument->contract_size) ||
                    oi_decimal_sign(&instrument->contract_size) > 0);
    }
    for (size_t i = 0; i < harvest->skips.count; i++)
        assert_true(harvest->skips.items[i].reason[0] != '\0');
}
