/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of a store in ClickHouse, by what its server can do. */
/* no unit test: needs a server; tests/contract/store_*_test.c run over one. */
#include "clickhouse/tables.h"

#include "clickhouse/blocks.h"
#include "clickhouse/ready.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Older ones have been tried by nobody. */
#define MAJOR_MIN 18
#define MINOR_MIN 14

struct column {
    const char *name, *type;
    const char *codec; /* where the server has column codecs */
};

static const struct column readings_columns[] = {
    { "instrument", "UInt32", "Delta, ZSTD(1)" },
    { "feed", "UInt16", "ZSTD(1)" },
    { "time", "Int64", "DoubleDelta, ZSTD(1)" },
    { "known_time", "Int64", "Delta, ZSTD(1)" },
    { "batch", "UInt64", "Delta, ZSTD(1)" },
    { "exchange_time", "Int64", "Delta, ZSTD(1)" },
    { "flags", "UInt16", "ZSTD(1)" },
    { "open_interest_mantissa", "Int64", "Delta, ZSTD(1)" },
    { "open_interest_exponent", "Int8", "ZSTD(1)" },
    { "value_usd_mantissa", "Int64", "Delta, ZSTD(1)" },
    { "value_usd_exponent", "Int8", "ZSTD(1)" },
    { "mark_price_mantissa", "Int64", "Delta, ZSTD(1)" },
    { "mark_price_exponent", "Int8", "ZSTD(1)" },
    { "index_price_mantissa", "Int64", "Delta, ZSTD(1)" },
    { "index_price_exponent", "Int8", "ZSTD(1)" },
    { "last_price_mantissa", "Int64", "Delta, ZSTD(1)" },
    { "last_price_exponent", "Int8", "ZSTD(1)" },
    { "wides", "String", "ZSTD(1)" },
};
static const struct column events_columns[] = {
    { "sequence", "UInt64", "Delta, ZSTD(1)" },
    { "attempt", "UInt8", "ZSTD(1)" },
    { "kind", "UInt8", "ZSTD(1)" },
    { "time", "Int64", "Delta, ZSTD(1)" },
    { "batch", "UInt64", "Delta, ZSTD(1)" },
    { "row_count", "UInt64", "ZSTD(1)" },
    { "writer", "String", "ZSTD(1)" },
    { "body", "String", "ZSTD(1)" },
    { "rows", "String", "ZSTD(1)" },
};
#define READINGS_KEY "instrument, feed, time, known_time, batch"
/* A month of readings is a partition: an operator drops or moves those that are old. */
#define READINGS_PARTITION "toYYYYMM(toDateTime(intDiv(time, 1000000000)))"
#define ROLLUP_KEY "instrument, feed, start"
#define ROLLUP_PARTITION "toYYYYMM(toDateTime(intDiv(start, 1000000000)))"
#define EVENTS_KEY "sequence, attempt"
/* Of old ones the rows are cleared, see OI_CLICKHOUSE_EVENTS. */
#define EVENTS_PARTITION "intDiv(sequence, 100000)"

static bool
has_codecs(const struct oi_clickhouse_server *server)
{
    return server->major >= 20;
}

static bool
has_fsync(const struct oi_clickhouse_server *server)
{
    return server->major >= 21;
}

enum oi_status
oi_clickhouse_server_ask(struct oi_clickhouse_client *client,
                         struct oi_clickhouse_server *ret_server, struct oi_error *error)
{
    const struct oi_clickhouse_call call = { .statement = "SELECT version()",
                                             .is_repeatable = true,
                                             .without_database = true };
    struct oi_clickhouse_server server = {};
    struct oi_buffer out = {};
    enum oi_status status = oi_clickhouse_run(client, &call, &out, error);
    char *end;

    if (status == OI_OK) {
        struct oi_slice text = oi_slice_trim(oi_buffer_slice(&out));

        (void) snprintf(server.text, sizeof(server.text), "%.*s", (int) text.size,
                        text.data ? text.data : "");
        server.major = (unsigned) strtoul(server.text, &end, 10);
        if (*end == '.')
            server.minor = (unsigned) strtoul(end + 1, NULL, 10);
        if (server.major < MAJOR_MIN || (server.major == MAJOR_MIN && server.minor < MINOR_MIN))
            status = oi_fail(error, OI_E_INVALID,
                             "ClickHouse %s is too old: oi needs %d.%d or a later one", server.text,
                             MAJOR_MIN, MINOR_MIN);
        else
            *ret_server = server;
    }
    oi_buffer_release(&out);
    return status;
}

static void
write_columns(const struct column *columns, size_t count, bool with_codecs, struct oi_buffer *out)
{
    oi_buffer_add_text(out, " (");
    for (size_t i = 0; i < count; i++) {
        oi_buffer_add_format(out, "%s%s %s", i ? ", " : "", columns[i].name, columns[i].type);
        if (with_codecs)
            oi_buffer_add_format(out, " CODEC(%s)", columns[i].codec);
    }
    oi_buffer_add_text(out, ")");
}

static enum oi_status
run(struct oi_clickhouse_client *client, struct oi_buffer *statement, bool without_database,
    struct oi_error *error)
{
    struct oi_clickhouse_call call = { .is_repeatable = true,
                                       .without_database = without_database };

    oi_buffer_add_char(statement, 0);
    call.statement = statement->data;
    enum oi_status status = oi_clickhouse_run(client, &call, NULL, error);

    oi_buffer_release(statement);
    return status;
}

static void
write_on_cluster(const struct oi_clickhouse_address *address, struct oi_buffer *out)
{
    if (address->cluster[0] != 0)
        oi_buffer_add_format(out, " ON CLUSTER %s", address->cluster);
}

/* Where the server syncs nothing by itself, a batch that was acknowledged is on disk. */
static void
write_settings(const struct oi_clickhouse_server *server, const char *more, struct oi_buffer *out)
{
    if (has_fsync(server) || more)
        oi_buffer_add_text(out, " SETTINGS ");
    if (has_fsync(server))
        oi_buffer_add_format(out, "fsync_after_insert = 1%s", more ? ", " : "");
    if (more)
        oi_buffer_add_text(out, more);
}

static enum oi_status
make_readings(struct oi_clickhouse_client *client, const struct oi_clickhouse_server *server,
              struct oi_error *error)
{
    const struct oi_clickhouse_address *address = oi_clickhouse_client_address(client);
    const char *database = address->database;
    bool is_cluster = address->cluster[0] != 0;
    struct oi_buffer out = {};

    oi_buffer_add_format(&out, "CREATE TABLE IF NOT EXISTS %s.readings%s", database,
                         is_cluster ? "_local" : "");
    write_on_cluster(address, &out);
    write_columns(readings_columns, OI_COUNT(readings_columns), has_codecs(server), &out);
    if (is_cluster)
        oi_buffer_add_format(&out,
                             " ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/%s/{shard}"
                             "/readings', '{replica}')",
                             database);
    else
        oi_buffer_add_text(&out, " ENGINE = ReplacingMergeTree()");
    oi_buffer_add_text(&out, " PARTITION BY " READINGS_PARTITION " ORDER BY (" READINGS_KEY ")");
    write_settings(server, NULL, &out);
    OI_TRY(run(client, &out, false, error));
    if (!is_cluster)
        return OI_OK;
    out = (struct oi_buffer){};
    oi_buffer_add_format(&out, "CREATE TABLE IF NOT EXISTS %s.readings", database);
    write_on_cluster(address, &out);
    write_columns(readings_columns, OI_COUNT(readings_columns), false, &out);
    oi_buffer_add_format(&out, " ENGINE = Distributed(%s, %s, readings_local, instrument)",
                         address->cluster, database);
    return run(client, &out, false, error);
}

/* Every node has every event. */
static enum oi_status
make_events(struct oi_clickhouse_client *client, const struct oi_clickhouse_server *server,
            struct oi_error *error)
{
    const struct oi_clickhouse_address *address = oi_clickhouse_client_address(client);
    struct oi_buffer out = {};

    oi_buffer_add_format(&out, "CREATE TABLE IF NOT EXISTS %s.events", address->database);
    write_on_cluster(address, &out);
    write_columns(events_columns, OI_COUNT(events_columns), has_codecs(server), &out);
    if (address->cluster[0] != 0)
        oi_buffer_add_format(&out,
                             " ENGINE = ReplicatedMergeTree('/clickhouse/tables/%s/events', "
                             "'{shard}-{replica}')",
                             address->database);
    else
        oi_buffer_add_text(&out, " ENGINE = MergeTree()");
    oi_buffer_add_text(&out, " PARTITION BY " EVENTS_PARTITION " ORDER BY (" EVENTS_KEY ")");
    write_settings(server, NULL, &out);
    return run(client, &out, false, error);
}

static const struct column rollup_columns[] = {
    { "instrument", "UInt32", "Delta, ZSTD(1)" },
    { "feed", "UInt16", "ZSTD(1)" },
    { "start", "Int64", "DoubleDelta, ZSTD(1)" },
    { "version", "UInt64", "Delta, ZSTD(1)" },
    { "count", "UInt32", "ZSTD(1)" },
    { "rows", "String", "ZSTD(1)" },
};
/* A question wants some hundred buckets of a series, not 8192. */
#define ROLLUP_GRANULARITY "index_granularity = 256"

/* The newest version of a bucket stays. In months as the readings are, so that both can go. */
static enum oi_status
make_rollups(struct oi_clickhouse_client *client, const struct oi_clickhouse_server *server,
             const char *table, struct oi_error *error)
{
    const struct oi_clickhouse_address *address = oi_clickhouse_client_address(client);
    const char *database = address->database;
    bool is_cluster = address->cluster[0] != 0;
    struct oi_buffer out = {};

    oi_buffer_add_format(&out, "CREATE TABLE IF NOT EXISTS %s.%s%s", database, table,
                         is_cluster ? "_local" : "");
    write_on_cluster(address, &out);
    write_columns(rollup_columns, OI_COUNT(rollup_columns), has_codecs(server), &out);
    if (is_cluster)
        oi_buffer_add_format(&out,
                             " ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/%s/{shard}"
                             "/%s', '{replica}', version)",
                             database, table);
    else
        oi_buffer_add_text(&out, " ENGINE = ReplacingMergeTree(version)");
    oi_buffer_add_text(&out, " PARTITION BY " ROLLUP_PARTITION " ORDER BY (" ROLLUP_KEY ")");
    write_settings(server, ROLLUP_GRANULARITY, &out);
    OI_TRY(run(client, &out, false, error));
    if (!is_cluster)
        return OI_OK;
    out = (struct oi_buffer){};
    oi_buffer_add_format(&out, "CREATE TABLE IF NOT EXISTS %s.%s", database, table);
    write_on_cluster(address, &out);
    write_columns(rollup_columns, OI_COUNT(rollup_columns), false, &out);
    oi_buffer_add_format(&out, " ENGINE = Distributed(%s, %s, %s_local, instrument)",
                         address->cluster, database, table);
    return run(client, &out, false, error);
}

/* Tables of rollups in the form of an older oi. */
static enum oi_status
count_old_rollups(struct oi_clickhouse_client *client, const char *tables, unsigned *ret_count,
                  struct oi_error *error)
{
    char found[32], statement[320];

    (void) snprintf(statement, sizeof(statement),
                    "SELECT count() FROM (SELECT table FROM system.columns WHERE database = '%s' "
                    "AND table IN (%s) GROUP BY table HAVING sum(name = 'rows' AND type = "
                    "'String') = 0)",
                    oi_clickhouse_client_address(client)->database, tables);
    OI_TRY(oi_clickhouse_ask(client, statement, found, sizeof(found), error));
    *ret_count = (unsigned) strtoul(found, NULL, 10);
    return OI_OK;
}

/* They hold nothing that the rows do not tell, and are filled anew. All go before one is made: what
 * `rollup_hour` says is filled holds of both. */
static enum oi_status
drop_old_rollups(struct oi_clickhouse_client *client, const struct oi_clickhouse_server *server,
                 struct oi_error *error)
{
    static const char *const tables[] = { "rollup_hour", "rollup_day", "rollup_hour_local",
                                          "rollup_day_local" };
    const struct oi_clickhouse_address *address = oi_clickhouse_client_address(client);
    bool is_cluster = address->cluster[0] != 0;
    size_t count = is_cluster ? OI_COUNT(tables) : 2;
    unsigned old, old_parts;

    OI_TRY(count_old_rollups(client, "'rollup_hour_local', 'rollup_day_local'", &old_parts, error));
    OI_TRY(count_old_rollups(client, "'rollup_hour', 'rollup_day'", &old, error));
    /* What one node made by itself would be seen by its own readers alone. */
    if (old_parts > 0 && !is_cluster)
        return oi_fail(error, OI_E_INVALID,
                       "rollup_hour and rollup_day of %s are of an older oi and of a cluster: name "
                       "it with --cluster, and they are made anew",
                       address->database);
    old += old_parts;
    for (size_t i = 0; old > 0 && i < count; i++) {
        struct oi_buffer out = {};

        oi_buffer_add_format(&out, "DROP TABLE IF EXISTS %s.%s", address->database, tables[i]);
        write_on_cluster(address, &out);
        oi_buffer_add_text(&out, server->major >= 21 ? " SYNC" : "");
        OI_TRY(run(client, &out, false, error));
    }
    return OI_OK;
}

enum oi_status
oi_clickhouse_init(struct oi_clickhouse_client *client, struct oi_error *error)
{
    const struct oi_clickhouse_address *address = oi_clickhouse_client_address(client);
    struct oi_clickhouse_server server;
    struct oi_buffer out = {};

    OI_TRY(oi_clickhouse_server_ask(client, &server, error));
    oi_buffer_add_format(&out, "CREATE DATABASE IF NOT EXISTS %s", address->database);
    write_on_cluster(address, &out);
    OI_TRY(run(client, &out, true, error));
    OI_TRY(make_readings(client, &server, error));
    OI_TRY(make_events(client, &server, error));
    OI_TRY(drop_old_rollups(client, &server, error));
    OI_TRY(make_rollups(client, &server, "rollup_hour", error));
    OI_TRY(make_rollups(client, &server, "rollup_day", error));
    return oi_clickhouse_check(client, NULL, NULL, &server, error);
}

/*
 * Checking.
 */

struct check {
    struct oi_clickhouse_client *client;
    void (*fault)(void *context, const char *what);
    void *context;
    size_t faults;
    char first[320];
};

static void
tell(struct check *check, const char *what)
{
    if (check->faults++ == 0)
        (void) snprintf(check->first, sizeof(check->first), "%s", what);
    if (check->fault)
        check->fault(check->context, what);
}

/* Type of each wanted column, as the server's own table of columns tells. */
static enum oi_status
check_columns(struct check *check, const char *table, const struct column *columns, size_t count,
              struct oi_error *error)
{
    const char *database = oi_clickhouse_client_address(check->client)->database;
    struct oi_buffer statement = {}, out = {};
    struct oi_native_block block = {};
    bool is_found[OI_NATIVE_COLUMNS_MAX] = {};
    struct oi_slice rest;
    enum oi_status status;
    char what[160];

    oi_buffer_add_format(&statement,
                         "SELECT name, type FROM system.columns WHERE database = '%s' AND table = "
                         "'%s' FORMAT Native%c",
                         database, table, 0);
    status = oi_clickhouse_run(check->client,
                               &(struct oi_clickhouse_call){ .statement = statement.data,
                                                             .is_repeatable = true,
                                                             .without_database = true },
                               &out, error);
    rest = oi_buffer_slice(&out);
    while (status == OI_OK && (status = oi_native_next(&rest, &block, error)) == OI_OK) {
        const struct oi_native_column *names = NULL, *types = NULL;

        status = oi_native_find(&block, "name", true, &names, error);
        if (status == OI_OK)
            status = oi_native_find(&block, "type", true, &types, error);
        for (size_t row = 0; status == OI_OK && row < block.rows; row++)
            for (size_t i = 0; i < count; i++)
                is_found[i] |= oi_slice_is(names->strings[row], columns[i].name) &&
                               oi_slice_is(types->strings[row], columns[i].type);
        oi_native_block_release(&block);
    }
    oi_buffer_release(&statement);
    oi_buffer_release(&out);
    if (status != OI_OK && status != OI_E_NOT_FOUND)
        return status;
    for (size_t i = 0; i < count; i++) {
        if (is_found[i])
            continue;
        (void) snprintf(what, sizeof(what), "the table %s.%s has no column %s of type %s", database,
                        table, columns[i].name, columns[i].type);
        tell(check, what);
    }
    return OI_OK;
}

/* An order of another kind collapses revisions. */
static enum oi_status
check_engine(struct check *check, const char *table, bool *ret_cluster, struct oi_error *error)
{
    const char *database = oi_clickhouse_client_address(check->client)->database;
    char engine[128], what[320], statement[256];

    (void) snprintf(statement, sizeof(statement),
                    "SELECT engine FROM system.tables WHERE database = '%s' AND name = '%s'",
                    database, table);
    OI_TRY(oi_clickhouse_ask(check->client, statement, engine, sizeof(engine), error));
    *ret_cluster = strcmp(engine, "Distributed") == 0;
    if (engine[0] == 0)
        (void) snprintf(what, sizeof(what), "the table %s.%s is missing", database, table);
    else if (!*ret_cluster && !strstr(engine, "MergeTree"))
        (void) snprintf(what, sizeof(what), "the table %s.%s has the engine %s", database, table,
                        engine);
    else
        return OI_OK;
    tell(check, what);
    return OI_OK;
}

static enum oi_status
check_key(struct check *check, const char *table, const char *key, struct oi_error *error)
{
    const char *database = oi_clickhouse_client_address(check->client)->database;
    char found[256], what[320], statement[256];

    (void) snprintf(statement, sizeof(statement),
                    "SELECT sorting_key FROM system.tables WHERE database = '%s' AND name = '%s'",
                    database, table);
    OI_TRY(oi_clickhouse_ask(check->client, statement, found, sizeof(found), error));
    if (strcmp(found, key) == 0 || found[0] == 0)
        return OI_OK;
    (void) snprintf(what, sizeof(what), "the table %s.%s is ordered by %.60s", database, table,
                    found);
    tell(check, what);
    return OI_OK;
}

/* Those of a store that an older program made are missing or of another form, which is told to who
 * checks alone. */
static enum oi_status
check_rollups(struct check *check, const char *table, bool is_cluster, bool *has_rollups,
              struct oi_error *error)
{
    const char *database = oi_clickhouse_client_address(check->client)->database;
    char statement[256], found[64], local[64], name[64], what[320];
    size_t faults = check->faults;
    bool is_distributed;
    unsigned old;

    (void) snprintf(statement, sizeof(statement),
                    "SELECT count() FROM system.tables WHERE database = '%s' AND name = '%s'",
                    database, table);
    OI_TRY(oi_clickhouse_ask(check->client, statement, found, sizeof(found), error));
    (void) snprintf(name, sizeof(name), "'%s'", table);
    OI_TRY(count_old_rollups(check->client, name, &old, error));
    *has_rollups &= found[0] != '0' && old == 0;
    if (!*has_rollups && !check->fault)
        return OI_OK;
    if (old > 0) {
        (void) snprintf(what, sizeof(what),
                        "the table %s.%s is of an older oi: `oi clickhouse init` makes it anew",
                        database, table);
        tell(check, what);
        return OI_OK;
    }
    (void) snprintf(local, sizeof(local), "%s%s", table, is_cluster ? "_local" : "");
    OI_TRY(check_engine(check, table, &is_distributed, error));
    OI_TRY(check_key(check, local, ROLLUP_KEY, error));
    if (check->faults > faults || !check->fault)
        return OI_OK;
    return check_columns(check, table, rollup_columns, OI_COUNT(rollup_columns), error);
}

enum oi_status
oi_clickhouse_check(struct oi_clickhouse_client *client,
                    void (*fault)(void *context, const char *what), void *context,
                    struct oi_clickhouse_server *ret_server, struct oi_error *error)
{
    struct check check = { .client = client, .fault = fault, .context = context };
    const char *database = oi_clickhouse_client_address(client)->database;
    struct oi_clickhouse_server server;
    bool is_distributed;
    char found[64], statement[160];

    OI_TRY(oi_clickhouse_server_ask(client, &server, error));
    (void) snprintf(statement, sizeof(statement),
                    "SELECT count() FROM system.databases WHERE name = '%s'", database);
    {
        struct oi_buffer out = {};
        const struct oi_clickhouse_call call = { .statement = statement,
                                                 .is_repeatable = true,
                                                 .without_database = true };
        enum oi_status status = oi_clickhouse_run(client, &call, &out, error);

        (void) snprintf(found, sizeof(found), "%.*s", (int) (out.size < 60 ? out.size : 60),
                        out.data ? out.data : "");
        oi_buffer_release(&out);
        OI_TRY(status);
    }
    if (found[0] == '0')
        return oi_fail(error, OI_E_NOT_FOUND,
                       "ClickHouse has no database %s: make it with `oi clickhouse init`",
                       database);
    OI_TRY(check_engine(&check, "readings", &server.is_cluster, error));
    OI_TRY(check_columns(&check, "readings", readings_columns, OI_COUNT(readings_columns), error));
    OI_TRY(
        check_key(&check, server.is_cluster ? "readings_local" : "readings", READINGS_KEY, error));
    OI_TRY(check_engine(&check, "events", &is_distributed, error));
    OI_TRY(check_columns(&check, "events", events_columns, OI_COUNT(events_columns), error));
    server.has_rollups = true;
    OI_TRY(check_rollups(&check, "rollup_hour", server.is_cluster, &server.has_rollups, error));
    OI_TRY(check_rollups(&check, "rollup_day", server.is_cluster, &server.has_rollups, error));
    if (check.faults > 0)
        return oi_fail(error, OI_E_INVALID, "%s: see `oi clickhouse check`", check.first);
    if (ret_server)
        *ret_server = server;
    return OI_OK;
}

static enum oi_status
count_replicas(struct oi_clickhouse_client *client, const char *table, unsigned *ret_count,
               struct oi_error *error)
{
    char found[32], statement[200];

    (void) snprintf(statement, sizeof(statement),
                    "SELECT total_replicas FROM system.replicas WHERE database = '%s' AND table = "
                    "'%s'",
                    oi_clickhouse_client_address(client)->database, table);
    OI_TRY(oi_clickhouse_ask(client, statement, found, sizeof(found), error));
    *ret_count = (unsigned) strtoul(found, NULL, 10);
    if (*ret_count == 0)
        return oi_fail(error, OI_E_BUSY, "ClickHouse's ZooKeeper does not answer");
    return OI_OK;
}

enum oi_status
oi_clickhouse_quorum_ask(struct oi_clickhouse_client *client,
                         struct oi_clickhouse_quorum *ret_quorum, struct oi_error *error)
{
    unsigned readings = oi_clickhouse_client_address(client)->quorum, events;

    if (readings == 0)
        OI_TRY(count_replicas(client, "readings_local", &readings, error));
    OI_TRY(count_replicas(client, "events", &events, error));
    *ret_quorum = (struct oi_clickhouse_quorum){ .readings = readings, .events = events / 2 + 1 };
    return OI_OK;
}

void
oi_clickhouse_write_turn(const struct oi_clickhouse_client *client,
                         const struct oi_clickhouse_server *server, uint64_t turn,
                         struct oi_buffer *out)
{
    const char *database = oi_clickhouse_client_address(client)->database;

    oi_buffer_add_format(out, "CREATE TABLE %s.turn_%llu (x UInt8) ", database,
                         (unsigned long long) turn);
    /* One name of a replica for all: whoever comes second is told so by ZooKeeper. */
    if (server->is_cluster)
        oi_buffer_add_format(out,
                             "ENGINE = ReplicatedMergeTree('/clickhouse/tables/%s/turns/%llu', "
                             "'turn') PARTITION BY tuple() ORDER BY x",
                             database, (unsigned long long) turn);
    else
        oi_buffer_add_text(out, "ENGINE = Memory");
}
