/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the store that a command's options name: a folder, or with --store a ClickHouse. */
#pragma once

#include "cli/options.h"
#include "store/store.h"

enum oi_store_use {
    OI_STORE_READ,
    OI_STORE_WRITE,
    OI_STORE_COLLECT, /* and keep what comes while ClickHouse is away */
};

/* `folder` is the data folder in force; with --store it holds what is not readings. */
enum oi_status oi_open_store(const struct oi_options *options, const char *folder,
                             enum oi_store_use use, struct oi_store **ret_store,
                             struct oi_error *error);
/* The address given with --store, or NULL. */
const char *oi_store_address(const struct oi_options *options);
/* The same for a place in words: a folder or an address. */
enum oi_status oi_open_place(const char *place, enum oi_store_use use, struct oi_store **ret_store,
                             struct oi_error *error);
