/* SPDX-License-Identifier: Apache-2.0 */
/* Clients by their way out. */
#include "collector/routes.h"

#include "base/alloc.h"
#include "base/vector.h"

#include <string.h>

/* Behind one address that stands in for all of them. */
#define REDIRECTED_CONNECTIONS_MAX 100

struct route {
    const char *proxy; /* or NULL */
    unsigned address;
    struct oi_http_client *client;
};

struct oi_routes {
    struct oi_routes_options options;
    unsigned address_count; /* 0: none was told */
    OI_VECTOR(struct route) items;
};

/* The exchange in front of a proxy's URL; empty where it is for all. */
static struct oi_slice
exchange_of(const char *proxy)
{
    size_t size = strcspn(proxy, "=:/");

    return (struct oi_slice){ proxy, proxy[size] == '=' ? size : 0 };
}

static enum oi_status
check(const struct oi_routes_options *options, struct oi_error *error)
{
    for (size_t i = 0; options->proxies && options->proxies[i]; i++)
        for (size_t other = 0; other < i; other++)
            if (oi_slice_equal(exchange_of(options->proxies[i]),
                               exchange_of(options->proxies[other])))
                return oi_fail(error, OI_E_INVALID, "two proxies for the same: %s and %s",
                               options->proxies[other], options->proxies[i]);
    return OI_OK;
}

enum oi_status
oi_routes_open(const struct oi_routes_options *options, struct oi_routes **ret_routes,
               struct oi_error *error)
{
    unsigned count = 0;
    struct oi_routes *routes;

    OI_TRY(check(options, error));
    while (options->addresses && options->addresses[count])
        if (++count > OI_ROUTES_ADDRESSES_MAX)
            return oi_fail(error, OI_E_INVALID, "more than %d outgoing addresses",
                           OI_ROUTES_ADDRESSES_MAX);
    routes = oi_alloc_zero(1, sizeof(*routes));
    routes->options = *options;
    routes->address_count = count;
    *ret_routes = routes;
    return OI_OK;
}

void
oi_routes_close(struct oi_routes **routes)
{
    if (!*routes)
        return;
    for (size_t i = 0; i < (*routes)->items.count; i++)
        oi_http_client_free(&(*routes)->items.items[i].client);
    oi_vector_release(&(*routes)->items);
    oi_free(*routes);
    *routes = NULL;
}

unsigned
oi_routes_address_count(const struct oi_routes *routes)
{
    return routes->address_count > 0 ? routes->address_count : 1;
}

const char *
oi_routes_proxy(const struct oi_routes *routes, const char *exchange)
{
    const char *const *proxies = routes->options.proxies;
    const char *of_all = NULL;

    for (size_t i = 0; proxies && proxies[i]; i++) {
        struct oi_slice name = exchange_of(proxies[i]);

        if (name.size == 0)
            of_all = proxies[i];
        else if (oi_slice_is(name, exchange))
            return proxies[i][name.size + 1] ? proxies[i] + name.size + 1 : NULL;
    }
    return of_all;
}

enum oi_status
oi_routes_client(struct oi_routes *routes, const char *exchange, unsigned address,
                 struct oi_http_client **ret_client, struct oi_error *error)
{
    struct route route = { .proxy = oi_routes_proxy(routes, exchange), .address = address };
    const struct oi_http_client_options options = {
        .proxy = route.proxy,
        .interface_address = routes->address_count > 0 ? routes->options.addresses[address] : NULL,
        .redirect_to = routes->options.redirect_to,
        .connections_max = routes->options.redirect_to ? REDIRECTED_CONNECTIONS_MAX : 0,
    };

    for (size_t i = 0; i < routes->items.count; i++) {
        const struct route *known = &routes->items.items[i];

        if (known->address != address || known->proxy != route.proxy)
            continue;
        *ret_client = known->client;
        return OI_OK;
    }
    OI_TRY(oi_http_client_new(routes->options.loop, &options, &route.client, error));
    oi_vector_push(&routes->items, route);
    *ret_client = route.client;
    return OI_OK;
}
