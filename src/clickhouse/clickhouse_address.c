/* SPDX-License-Identifier: Apache-2.0 */
/* Takes the address of a ClickHouse store apart. */
#include "clickhouse/clickhouse_address.h"

#include "base/slice.h"

#include <stdio.h>
#include <string.h>

/* A tebibyte. */
#define KEEP_MAX_MIB (1u << 20)

static const struct {
    const char *prefix;
    bool is_tls;
} schemes[] = {
    { "clickhouse://", false },
    { "clickhouses://", true },
    { "https://", true },
};

bool
oi_clickhouse_is_address(const char *text)
{
    for (size_t i = 0; i < OI_COUNT(schemes); i++)
        if (strncmp(text, schemes[i].prefix, strlen(schemes[i].prefix)) == 0)
            return true;
    return false;
}

static bool
decode(struct oi_slice text, char *out, size_t size)
{
    size_t at = 0;

    for (size_t i = 0; i < text.size; i++) {
        char character = text.data[i];

        if (character == '%') {
            if (i + 2 >= text.size || oi_hex_value(text.data[i + 1]) < 0 ||
                oi_hex_value(text.data[i + 2]) < 0)
                return false;
            character =
                (char) (oi_hex_value(text.data[i + 1]) * 16 + oi_hex_value(text.data[i + 2]));
            i += 2;
        }
        if (at + 1 >= size || (unsigned char) character < ' ')
            return false;
        out[at++] = character;
    }
    out[at] = 0;
    return true;
}

/* Names go into statements: letters, digits and "_", not beginning with a digit. */
static bool
take_name(struct oi_slice text, char *out, size_t size)
{
    if (text.size == 0 || text.size >= size || (text.data[0] >= '0' && text.data[0] <= '9'))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_'))
            return false;
        out[i] = c;
    }
    out[text.size] = 0;
    return true;
}

static enum oi_status
take_credentials(struct oi_slice *rest, struct oi_clickhouse_address *address,
                 struct oi_error *error)
{
    const char *slash = memchr(rest->data, '/', rest->size), *at = NULL, *colon;
    size_t size = slash ? (size_t) (slash - rest->data) : rest->size;
    struct oi_slice user;

    for (size_t i = 0; i < size; i++)
        if (rest->data[i] == '@')
            at = rest->data + i;
    if (!at)
        return OI_OK;
    user = (struct oi_slice){ rest->data, (size_t) (at - rest->data) };
    *rest = (struct oi_slice){ at + 1, rest->size - user.size - 1 };
    colon = memchr(user.data, ':', user.size);
    if (colon) {
        struct oi_slice password = { colon + 1, user.size - (size_t) (colon - user.data) - 1 };

        user.size = (size_t) (colon - user.data);
        if (!decode(password, address->password, sizeof(address->password)))
            return oi_fail(error, OI_E_INVALID,
                           "the password in the store's address cannot be read: write %%XX for "
                           "other characters than letters and digits");
    }
    if (user.size > 0 && !decode(user, address->user, sizeof(address->user)))
        return oi_fail(error, OI_E_INVALID, "the user in the store's address cannot be read");
    return OI_OK;
}

static enum oi_status
take_host(struct oi_slice host, struct oi_clickhouse_address *address, struct oi_error *error)
{
    const char *colon = NULL;
    char *out;

    if (address->host_count == OI_CLICKHOUSE_HOSTS_MAX)
        return oi_fail(error, OI_E_INVALID, "the store's address has more than %d hosts",
                       OI_CLICKHOUSE_HOSTS_MAX);
    for (size_t i = 0; i < host.size; i++) {
        unsigned char c = (unsigned char) host.data[i];

        if (c == ':')
            colon = host.data + i;
        if (c == ']')
            colon = NULL;
        if (c <= ' ' || c > 126 || c == '?' || c == '#' || c == '"' || c == '\\')
            return oi_fail(error, OI_E_INVALID, "a host in the store's address cannot be read");
    }
    out = address->hosts[address->host_count];
    if (host.size == 0 || colon == host.data || host.size > 240)
        return oi_fail(error, OI_E_INVALID, "a host in the store's address is empty or too long");
    (void) snprintf(out, sizeof(address->hosts[0]), "%.*s%s", (int) host.size, host.data,
                    colon             ? ""
                    : address->is_tls ? ":8443"
                                      : ":8123");
    address->host_count++;
    return OI_OK;
}

/* A whole number. */
static bool
take_number(struct oi_slice text, unsigned most, unsigned *ret_number)
{
    unsigned number = 0;

    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || number > most)
            return false;
        number = number * 10 + (unsigned) (text.data[i] - '0');
    }
    *ret_number = number;
    return text.size > 0 && number <= most;
}

static bool
take_option(struct oi_slice option, struct oi_clickhouse_address *address)
{
    struct oi_slice name, value = option;

    if (!oi_slice_next_part(&value, '=', &name))
        return false;
    if (oi_slice_is(name, "cluster"))
        return take_name(value, address->cluster, sizeof(address->cluster));
    if (oi_slice_is(name, "keep"))
        return take_number(value, KEEP_MAX_MIB, &address->keep_mib);
    return oi_slice_is(name, "quorum") && take_number(value, 9, &address->quorum) &&
           address->quorum > 0;
}

static enum oi_status
fail_option(struct oi_error *error)
{
    return oi_fail(error, OI_E_INVALID,
                   "behind a store's address only ?cluster=NAME, ?quorum=1 to 9 or ?keep=MIB may "
                   "stand, joined by &");
}

enum oi_status
oi_clickhouse_address_parse(const char *text, struct oi_clickhouse_address *ret_address,
                            struct oi_error *error)
{
    struct oi_clickhouse_address address = { .user = "default",
                                             .database = "oi",
                                             .keep_mib = OI_CLICKHOUSE_KEEP_MIB };
    struct oi_slice rest = {}, hosts, host, database = {}, options = {}, option;
    const char *mark;

    for (size_t i = 0; i < OI_COUNT(schemes) && rest.size == 0; i++) {
        size_t size = strlen(schemes[i].prefix);

        if (strncmp(text, schemes[i].prefix, size) != 0)
            continue;
        rest = oi_slice_of(text + size);
        address.is_tls = schemes[i].is_tls;
    }
    if (rest.size == 0)
        return oi_fail(error, OI_E_INVALID,
                       "a store's address is clickhouse://user:password@host:8123/database");
    OI_TRY(take_credentials(&rest, &address, error));
    mark = memchr(rest.data, '?', rest.size);
    if (mark) {
        options = (struct oi_slice){ mark + 1, rest.size - (size_t) (mark - rest.data) - 1 };
        rest.size = (size_t) (mark - rest.data);
        if (options.size == 0)
            return fail_option(error);
        while (oi_slice_next_part(&options, '&', &option))
            if (!take_option(option, &address))
                return fail_option(error);
    }
    mark = memchr(rest.data, '/', rest.size);
    hosts = rest;
    if (mark) {
        hosts.size = (size_t) (mark - rest.data);
        database = (struct oi_slice){ mark + 1, rest.size - hosts.size - 1 };
    }
    if (database.size > 0 && !take_name(database, address.database, sizeof(address.database)))
        return oi_fail(
            error, OI_E_INVALID,
            "a database's name has letters, digits and _ alone, and does not begin with a digit");
    while (oi_slice_next_part(&hosts, ',', &host))
        OI_TRY(take_host(host, &address, error));
    if (address.host_count == 0)
        return oi_fail(error, OI_E_INVALID, "the store's address names no host");
    *ret_address = address;
    return OI_OK;
}
