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

/* What the server says of a table (its engine and order) or of a column (its name and type). */
struct fact {
    struct oi_slice table, first, second; /* into the answer */
};

struct facts {
    struct oi_buffer answer;
    OI_VECTOR(struct fact) items;
};

struct check {
    struct oi_clickhouse_client *client;
    void (*fault)(void *context, const char *what);
    void *context;
    struct facts tables, columns;
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

static void
facts_release(struct facts *facts)
{
    oi_vector_release(&facts->items);
    oi_buffer_release(&facts->answer);
}

static enum oi_status
take_facts(const struct oi_native_block *block, struct facts *facts, struct oi_error *error)
{
    const struct oi_native_column *table, *first, *second;

    OI_TRY(oi_native_find(block, "t", true, &table, error));
    OI_TRY(oi_native_find(block, "a", true, &first, error));
    OI_TRY(oi_native_find(block, "b", true, &second, error));
    for (size_t row = 0; row < block->rows; row++)
        oi_vector_push(&facts->items, ((struct fact){ table->strings[row], first->strings[row],
                                                      second->strings[row] }));
    return OI_OK;
}

/* Of our tables all at once: a question of each costs a millisecond, and every command asks. */
static enum oi_status
ask_facts(struct oi_clickhouse_client *client, const char *select, const char *name,
          struct facts *facts, struct oi_error *error)
{
    struct oi_buffer statement = {};
    struct oi_clickhouse_call call = { .is_repeatable = true, .without_database = true };
    struct oi_native_block block;
    struct oi_slice rest;
    enum oi_status status;

    oi_buffer_add_format(&statement,
                         "SELECT %s WHERE database = '%s' AND %s IN ('readings', 'readings_local', "
                         "'events', 'rollup_hour', 'rollup_hour_local', 'rollup_day', "
                         "'rollup_day_local') FORMAT Native%c",
                         select, oi_clickhouse_client_address(client)->database, name, 0);
    call.statement = statement.data;
    status = oi_clickhouse_run(client, &call, &facts->answer, error);
    oi_buffer_release(&statement);
    rest = oi_buffer_slice(&facts->answer);
    while (status == OI_OK && (status = oi_native_next(&rest, &block, error)) == OI_OK) {
        status = block.rows > 0 ? take_facts(&block, facts, error) : OI_OK;
        oi_native_block_release(&block);
    }
    return status == OI_E_NOT_FOUND ? OI_OK : status;
}

static const struct fact *
find_fact(const struct facts *facts, const char *table, const char *first)
{
    for (size_t i = 0; i < facts->items.count; i++)
        if (oi_slice_is(facts->items.items[i].table, table) &&
            (!first || oi_slice_is(facts->items.items[i].first, first)))
            return &facts->items.items[i];
    return NULL;
}

/* Each wanted column and its type. */
static void
check_columns(struct check *check, const char *table, const struct column *columns, size_t count)
{
    char what[160];

    for (size_t i = 0; i < count; i++) {
        const struct fact *fact = find_fact(&check->columns, table, columns[i].name);

        if (fact && oi_slice_is(fact->second, columns[i].type))
            continue;
        (void) snprintf(what, sizeof(what), "the table %s.%s has no column %s of type %s",
                        oi_clickhouse_client_address(check->client)->database, table,
                        columns[i].name, columns[i].type);
        tell(check, what);
    }
}

/* An order of another kind collapses revisions. */
static void
check_engine(struct check *check, const char *table, bool *ret_cluster)
{
    const char *database = oi_clickhouse_client_address(check->client)->database;
    const struct fact *fact = find_fact(&check->tables, table, NULL);
    struct oi_slice engine = fact ? fact->first : (struct oi_slice){};
    char what[320];

    *ret_cluster = oi_slice_is(engine, "Distributed");
    if (engine.size == 0)
        (void) snprintf(what, sizeof(what), "the table %s.%s is missing", database, table);
    else if (!*ret_cluster && !memmem(engine.data, engine.size, "MergeTree", 9))
        (void) snprintf(what, sizeof(what), "the table %s.%s has the engine %.*s", database, table,
                        (int) (engine.size > 120 ? 120 : engine.size), engine.data);
    else
        return;
    tell(check, what);
}

static void
check_key(struct check *check, const char *table, const char *key)
{
    const struct fact *fact = find_fact(&check->tables, table, NULL);
    struct oi_slice found = fact ? fact->second : (struct oi_slice){};
    char what[320];

    if (found.size == 0 || oi_slice_is(found, key))
        return;
    (void) snprintf(what, sizeof(what), "the table %s.%s is ordered by %.*s",
                    oi_clickhouse_client_address(check->client)->database, table,
                    (int) (found.size > 60 ? 60 : found.size), found.data);
    tell(check, what);
}

/* Those of a store that an older program made are missing or of another form, which is told to who
 * checks alone. */
static void
check_rollups(struct check *check, const char *table, bool is_cluster, bool *has_rollups)
{
    const struct fact *rows = find_fact(&check->columns, table, "rows");
    bool is_there = find_fact(&check->tables, table, NULL);
    bool is_old =
        find_fact(&check->columns, table, NULL) && !(rows && oi_slice_is(rows->second, "String"));
    size_t faults = check->faults;
    char local[64], what[320];
    bool is_distributed;

    *has_rollups &= is_there && !is_old;
    if (!*has_rollups && !check->fault)
        return;
    if (is_old) {
        (void) snprintf(what, sizeof(what),
                        "the table %s.%s is of an older oi: `oi clickhouse init` makes it anew",
                        oi_clickhouse_client_address(check->client)->database, table);
        tell(check, what);
        return;
    }
    (void) snprintf(local, sizeof(local), "%s%s", table, is_cluster ? "_local" : "");
    check_engine(check, table, &is_distributed);
    check_key(check, local, ROLLUP_KEY);
    if (check->faults == faults && check->fault)
        check_columns(check, table, rollup_columns, OI_COUNT(rollup_columns));
}

/* Where there is no table at all. */
static enum oi_status
check_database(struct oi_clickhouse_client *client, struct oi_error *error)
{
    const char *database = oi_clickhouse_client_address(client)->database;
    char statement[160];
    const struct oi_clickhouse_call call = { .statement = statement,
                                             .is_repeatable = true,
                                             .without_database = true };
    struct oi_buffer out = {};
    enum oi_status status;
    bool is_there;

    (void) snprintf(statement, sizeof(statement),
                    "SELECT count() FROM system.databases WHERE name = '%s'", database);
    status = oi_clickhouse_run(client, &call, &out, error);
    is_there = out.size > 0 && out.data[0] != '0';
    oi_buffer_release(&out);
    OI_TRY(status);
    if (!is_there)
        return oi_fail(error, OI_E_NOT_FOUND,
                       "ClickHouse has no database %s: make it with `oi clickhouse init`",
                       database);
    return OI_OK;
}

static enum oi_status
check_tables(struct check *check, struct oi_clickhouse_server *server, struct oi_error *error)
{
    bool is_distributed;

    OI_TRY(ask_facts(check->client, "name AS t, engine AS a, sorting_key AS b FROM system.tables",
                     "name", &check->tables, error));
    if (check->tables.items.count == 0)
        OI_TRY(check_database(check->client, error));
    OI_TRY(ask_facts(check->client, "table AS t, name AS a, type AS b FROM system.columns", "table",
                     &check->columns, error));
    check_engine(check, "readings", &server->is_cluster);
    check_columns(check, "readings", readings_columns, OI_COUNT(readings_columns));
    check_key(check, server->is_cluster ? "readings_local" : "readings", READINGS_KEY);
    check_engine(check, "events", &is_distributed);
    check_columns(check, "events", events_columns, OI_COUNT(events_columns));
    server->has_rollups = true;
    check_rollups(check, "rollup_hour", server->is_cluster, &server->has_rollups);
    check_rollups(check, "rollup_day", server->is_cluster, &server->has_rollups);
    return OI_OK;
}

enum oi_status
oi_clickhouse_check(struct oi_clickhouse_client *client,
                    void (*fault)(void *context, const char *what), void *context,
                    struct oi_clickhouse_server *ret_server, struct oi_error *error)
{
    struct check check = { .client = client, .fault = fault, .context = context };
    struct oi_clickhouse_server server;
    enum oi_status status;

    OI_TRY(oi_clickhouse_server_ask(client, &server, error));
    status = check_tables(&check, &server, error);
    facts_release(&check.tables);
    facts_release(&check.columns);
    OI_TRY(status);
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
