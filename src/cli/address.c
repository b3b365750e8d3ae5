/* SPDX-License-Identifier: Apache-2.0 */
/* An address is taken as it is, never resolved: what is opened to others must be plain to see. */
#include "cli/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define LOCAL "127.0.0.1"

static bool
read_port(struct oi_slice text, uint16_t *ret_port)
{
    unsigned port = 0;

    if (text.size == 0 || text.size > 5)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        port = port * 10 + (unsigned) (text.data[i] - '0');
    }
    if (port > UINT16_MAX)
        return false;
    *ret_port = (uint16_t) port;
    return true;
}

static bool
read_host(struct oi_slice text, char host[OI_HOST_SIZE])
{
    unsigned char bytes[sizeof(struct in6_addr)];

    if (text.size == 0 || oi_slice_is(text, "localhost"))
        text = OI_SLICE(LOCAL);
    if (text.size >= 2 && text.data[0] == '[' && text.data[text.size - 1] == ']')
        text = (struct oi_slice){ text.data + 1, text.size - 2 };
    if (text.size >= OI_HOST_SIZE)
        return false;
    memcpy(host, text.data, text.size);
    host[text.size] = '\0';
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

enum oi_status
oi_address_parse(struct oi_slice text, struct oi_address *ret_address, struct oi_error *error)
{
    struct oi_address address = {};
    struct oi_slice host = {}, port = text;

    for (size_t i = text.size; i > 0; i--) {
        if (text.data[i - 1] != ':')
            continue;
        host = (struct oi_slice){ text.data, i - 1 };
        port = (struct oi_slice){ text.data + i, text.size - i };
        break;
    }
    if (host.size > 0 && host.data[0] != '[' && memchr(host.data, ':', host.size))
        return oi_fail(error, OI_E_INVALID, "an IPv6 address stands in brackets: [::1]:8080");
    if (!read_port(port, &address.port) || !read_host(host, address.host))
        return oi_fail(error, OI_E_INVALID,
                       "\"%.*s\" is not HOST:PORT with an IP address, such as 127.0.0.1:8080",
                       (int) (text.size < 100 ? text.size : 100), text.data ? text.data : "");
    *ret_address = address;
    return OI_OK;
}

void
oi_address_url(const struct oi_address *address, bool is_tls, char url[OI_URL_SIZE])
{
    const char *host = address->host;
    bool has_colon;

    if (strcmp(host, "0.0.0.0") == 0)
        host = LOCAL;
    else if (strcmp(host, "::") == 0)
        host = "::1";
    has_colon = strchr(host, ':') != NULL;
    (void) snprintf(url, OI_URL_SIZE, "%s://%s%s%s:%u", is_tls ? "https" : "http",
                    has_colon ? "[" : "", host, has_colon ? "]" : "", (unsigned) address->port);
}
