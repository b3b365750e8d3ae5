/* SPDX-License-Identifier: Apache-2.0 */
/* Opened in the order in which one stands on the other, closed in the other order. */
/* no unit test: opens what others test; every command of tests/system/cli.test.mjs uses it */
#include "cli/workspace.h"

#include "archives/archive.h"
#include "base/vector.h"
#include "exchanges/exchange.h"

void
oi_conventions_gather(struct oi_convention_book *book)
{
    OI_VECTOR(struct oi_convention_page) pages = {};

    for (size_t i = 0; oi_exchanges[i]; i++)
        oi_vector_push(&pages, ((struct oi_convention_page){ oi_exchanges[i]->name,
                                                             oi_exchanges[i]->conventions,
                                                             oi_exchanges[i]->convention_count }));
    for (size_t i = 0; oi_archives[i]; i++)
        for (size_t k = 0; k < oi_archives[i]->page_count; k++)
            oi_vector_push(&pages, oi_archives[i]->pages[k]);
    book->pages = pages.items;
    book->count = pages.count;
}

void
oi_conventions_release(struct oi_convention_book *book)
{
    oi_free(book->pages);
    *book = (struct oi_convention_book){};
}

enum oi_status
oi_workspace_open(const struct oi_options *options, const char *folder, enum oi_store_use use,
                  struct oi_workspace **ret_workspace, struct oi_error *error)
{
    struct oi_workspace *workspace = oi_alloc_zero(1, sizeof(*workspace));
    enum oi_status status = oi_open_store(options, folder, use, &workspace->store, error);

    if (status != OI_OK) {
        oi_free(workspace);
        return status;
    }
    workspace->names = oi_names_new();
    oi_conventions_gather(&workspace->conventions);
    workspace->source = (struct oi_source){
        .store = workspace->store,
        .conventions = &workspace->conventions,
        .clock = &oi_clock_system,
        .names = workspace->names,
    };
    *ret_workspace = workspace;
    return OI_OK;
}

void
oi_workspace_close(struct oi_workspace **workspace)
{
    if (!workspace || !*workspace)
        return;
    oi_names_free(&(*workspace)->names);
    oi_conventions_release(&(*workspace)->conventions);
    oi_store_close(&(*workspace)->store);
    oi_free(*workspace);
    *workspace = NULL;
}
