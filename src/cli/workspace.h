/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every command that reads or writes readings opens: the store, the names, the conventions of
 * all exchanges and file formats, and the question's source over them.
 */
#pragma once

#include "cli/open_store.h"
#include "cli/options.h"
#include "core/convention.h"
#include "query/run.h"
#include "store/store.h"

#include <stdbool.h>

struct oi_workspace {
    struct oi_store *store;
    struct oi_names *names;
    struct oi_convention_book conventions;
    struct oi_source source;
};

/* Open the store in `folder`, or the one that the options name. To read, it must be there already.
 */
enum oi_status oi_workspace_open(const struct oi_options *options, const char *folder,
                                 enum oi_store_use use, struct oi_workspace **ret_workspace,
                                 struct oi_error *error);
void oi_workspace_close(struct oi_workspace **workspace);

/* Every table of conventions that the program has. Release with oi_conventions_release. */
void oi_conventions_gather(struct oi_convention_book *book);
void oi_conventions_release(struct oi_convention_book *book);
