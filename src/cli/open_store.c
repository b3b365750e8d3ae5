/* SPDX-License-Identifier: Apache-2.0 */
/* Folder or ClickHouse: where the two kinds of stores are told apart, for all commands. */
/* no unit test: needs a server; tests/system/clickhouse.test.mjs runs it */
#include "cli/open_store.h"

#include "clickhouse/clickhouse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Below the data folder: batches that wait while ClickHouse is away. */
#define WAITING_FOLDER "waiting"

const char *
oi_store_address(const struct oi_options *options)
{
    const struct oi_option *table;
    size_t count = oi_options_table(options, &table);

    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].name, "store") == 0)
            return oi_options_text(options, "store");
    return NULL;
}

enum oi_status
oi_open_place(const char *place, enum oi_store_use use, struct oi_store **ret_store,
              struct oi_error *error)
{
    const struct oi_store_options embedded = { .is_read_only = use == OI_STORE_READ };
    const struct oi_clickhouse_options clickhouse = { .is_read_only = use == OI_STORE_READ };

    if (oi_clickhouse_is_address(place))
        return oi_clickhouse_open(place, &clickhouse, ret_store, error);
    return oi_store_open(place, &embedded, ret_store, error);
}

enum oi_status
oi_open_store(const struct oi_options *options, const char *folder, enum oi_store_use use,
              struct oi_store **ret_store, struct oi_error *error)
{
    const char *address = options ? oi_store_address(options) : NULL;
    struct oi_clickhouse_options clickhouse = { .is_read_only = use == OI_STORE_READ };
    char waiting[4096];

    if (!address)
        return oi_open_place(folder, use, ret_store, error);
    if (!oi_clickhouse_is_address(address))
        return oi_fail(error, OI_E_INVALID,
                       "--store takes clickhouse://user:password@host:8123/database; a folder is "
                       "named by --data");
    if (use == OI_STORE_COLLECT) {
        if (snprintf(waiting, sizeof(waiting), "%s/" WAITING_FOLDER, folder) >=
            (int) sizeof(waiting))
            return oi_fail(error, OI_E_INVALID, "a path of more than 4,000 characters");
        if (mkdir(folder, 0755) != 0 && errno != EEXIST)
            return oi_fail(error, OI_E_IO, "cannot make the folder %s: %s", folder,
                           strerror(errno));
        clickhouse.spool_folder = waiting;
    }
    return oi_clickhouse_open(address, &clickhouse, ret_store, error);
}
