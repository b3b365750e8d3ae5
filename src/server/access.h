/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may ask. Keys are kept as hashes and compared in constant time. While there are none, any key
 * or none passes, and only Host names that are this machine's own are answered, so that a web page
 * elsewhere cannot reach the server through a name of its own (DNS rebinding).
 */
#pragma once

#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

struct oi_access;

enum oi_key_verdict { OI_KEY_FINE, OI_KEY_MISSING, OI_KEY_WRONG };

struct oi_access_options {
    const char *const *keys;
    size_t key_count;
    const char *const *host_names;
    size_t host_name_count;
    const char *address; /* listened on: its own name is fine too */
    bool is_open;        /* any Host */
};

struct oi_access *oi_access_new(const struct oi_access_options *options);
void oi_access_free(struct oi_access **access);
bool oi_access_has_keys(const struct oi_access *access);
enum oi_key_verdict oi_access_check_key(const struct oi_access *access, struct oi_slice key);
/* May this Host header be answered? An absent one (HTTP/1.0) may. */
bool oi_access_check_host(const struct oi_access *access, const struct oi_slice *host);
/* Is it an address that only this machine can reach? */
bool oi_address_is_loopback(const char *address);
