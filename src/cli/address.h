/* SPDX-License-Identifier: Apache-2.0 */
/* HOST:PORT as people write it, and as a URL has it. */
#pragma once

#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

#define OI_HOST_SIZE 64
#define OI_URL_SIZE 96

struct oi_address {
    char host[OI_HOST_SIZE]; /* an IP address, without brackets; "localhost" becomes 127.0.0.1 */
    uint16_t port;           /* 0: any free one */
};

/* "127.0.0.1:8080", "[::1]:8080", ":8080" and "8080" (this machine only). INVALID otherwise; names
 * other than localhost are not looked up. */
enum oi_status oi_address_parse(struct oi_slice text, struct oi_address *ret_address,
                                struct oi_error *error);
/* "http://127.0.0.1:8080"; an address that means all of them is named by the local one. */
void oi_address_url(const struct oi_address *address, bool is_tls, char url[OI_URL_SIZE]);
