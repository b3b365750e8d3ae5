/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ways out: which proxy an exchange is asked through, and from which of our addresses. There is
 * a client for each pair of the two that is used, so that connections are kept where they belong.
 */
#pragma once

#include "net/http_client.h"
#include "net/loop.h"

/* Exchanges count what each address asks, so each has a budget of its own at every exchange. */
#define OI_ROUTES_ADDRESSES_MAX 8

struct oi_routes;

/* Borrowed until the routes are closed. */
struct oi_routes_options {
    struct oi_loop *loop;
    const char *redirect_to;      /* see oi_http_client_options */
    const char *const *proxies;   /* "URL" for all, "EXCHANGE=URL" for one, "EXCHANGE=" for none;
                                     NULL-terminated, or NULL */
    const char *const *addresses; /* NULL-terminated, or NULL: whichever the system takes */
};

/* INVALID for more addresses than can be, and for a proxy that is told twice. */
enum oi_status oi_routes_open(const struct oi_routes_options *options,
                              struct oi_routes **ret_routes, struct oi_error *error);
/* Ends what is under way. NULL is fine. */
void oi_routes_close(struct oi_routes **routes);

/* At least 1. */
unsigned oi_routes_address_count(const struct oi_routes *routes);
/* The client of an exchange at one of the addresses, opened when it is first asked for. */
enum oi_status oi_routes_client(struct oi_routes *routes, const char *exchange, unsigned address,
                                struct oi_http_client **ret_client, struct oi_error *error);
/* The proxy that an exchange is asked through, or NULL. */
const char *oi_routes_proxy(const struct oi_routes *routes, const char *exchange);
