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
