/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the tables of a store in ClickHouse, and verifies them. */
/* no unit test: a whole command; tests/system/clickhouse.test.mjs runs it */
#include "cli/command.h"
#include "cli/open_store.h"
#include "clickhouse/tables.h"

#include <stdio.h>
#include <string.h>

static const struct oi_option options_table[] = {
    OI_OPTION_STORE,
    { .name = "cluster",
      .argument = "NAME",
      .help = "make the tables on every node of this cluster of the server's configuration",
      .setting = "clickhouse_cluster" },
};

static void
print_fault(void *context, const char *what)
{
    (void) context;
    (void) fprintf(stderr, "%s\n", what);
}

static enum oi_status
act(struct oi_clickhouse_client *client, const char *verb, struct oi_error *error)
{
    struct oi_clickhouse_server server;

    if (strcmp(verb, "init") == 0)
        OI_TRY(oi_clickhouse_init(client, error));
    OI_TRY(oi_clickhouse_check(client, print_fault, NULL, &server, error));
    (void) printf("ClickHouse %s, database %s, %s: the tables are in order\n", server.text,
                  oi_clickhouse_client_address(client)->database,
                  server.is_cluster ? "a cluster" : "one node");
    return OI_OK;
}

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    const char *text = oi_store_address(options), *cluster = oi_options_text(options, "cluster");
    struct oi_clickhouse_address address;
    OI_CLEANUP(oi_clickhouse_client_free) struct oi_clickhouse_client *client = NULL;
    const char *const *operands;
    char whole[1024];

    (void) oi_options_operands(options, &operands);
    if (strcmp(operands[0], "init") != 0 && strcmp(operands[0], "check") != 0)
        return oi_fail(error, OI_E_INVALID, "`oi clickhouse` takes init or check");
    if (!text)
        return oi_fail(error, OI_E_INVALID,
                       "which ClickHouse? --store clickhouse://user:password@host:8123/database");
    if (snprintf(whole, sizeof(whole), "%s%s%s", text, cluster ? "?cluster=" : "",
                 cluster ? cluster : "") >= (int) sizeof(whole))
        return oi_fail(error, OI_E_INVALID, "the store's address is too long");
    OI_TRY(oi_clickhouse_address_parse(whole, &address, error));
    OI_TRY(oi_clickhouse_client_new(&address, &client, error));
    return act(client, operands[0], error);
}

const struct oi_command oi_command_clickhouse = {
    .name = "clickhouse",
    .summary = "Make or check the tables of a store in ClickHouse",
    .operands = "init|check",
    .operands_min = 1,
    .operands_max = 1,
    .description = "Names the store with --store. init makes the database and what is missing of\n"
                   "its tables, and changes nothing that is there.",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
