/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite in the process, as its users embed it: WAL, synchronous FULL, a cache that holds the
 * work.
 *
 *     sqlite_bench load DATABASE CSV              rows/s until checkpointed
 *     sqlite_bench live DATABASE FOLDER BATCHES   a transaction for each FOLDER/N.csv
 *     sqlite_bench ask DATABASE WORK COUNT SQL    a statement a line of the file SQL
 *     sqlite_bench run DATABASE STATEMENTS
 */
#include "bench/bench.h"

#include "base/alloc.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS 7
#define ROWS_PER_TRANSACTION 200'000
#define LINE_SIZE_MAX ((size_t) 64 << 10)

static sqlite3 *database;

static void
run(const char *sql)
{
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK)
        bench_die(sqlite3_errmsg(database));
}

/* Times are integers. Figures are scaled to 10^4, 10^8 and 10^10, since a REAL would lose digits
 * and a text would be summed as one. */
static sqlite3_int64
scaled(const char *text, int digits)
{
    sqlite3_int64 value = 0;
    bool behind_point = false;

    for (; *text && *text != '\n'; text++) {
        if (*text == '.') {
            behind_point = true;
            continue;
        }
        value = value * 10 + (*text - '0');
        digits -= behind_point;
    }
    for (; digits > 0; digits--)
        value *= 10;
    return value;
}

static void
insert(sqlite3_stmt *statement, char *line)
{
    static const int digits[COLUMNS] = { 0, 0, 0, 0, 4, 8, 10 };

    for (int i = 0; i < COLUMNS; i++) {
        char *field = strsep(&line, ",");

        if (!field)
            bench_die("a line with too few fields");
        if (*field)
            (void) sqlite3_bind_int64(statement, i + 1, scaled(field, digits[i]));
        else
            (void) sqlite3_bind_null(statement, i + 1);
    }
    if (sqlite3_step(statement) != SQLITE_DONE)
        bench_die(sqlite3_errmsg(database));
    (void) sqlite3_reset(statement);
}

static uint64_t
insert_file(const char *path, sqlite3_stmt *statement, bool is_one_transaction)
{
    FILE *file = fopen(path, "re");
    char line[512];
    uint64_t count = 0;

    if (!file)
        bench_die(path);
    run("BEGIN");
    while (fgets(line, sizeof(line), file)) {
        if (line[0] == 'm')
            continue; /* the header */
        insert(statement, line);
        if (++count % ROWS_PER_TRANSACTION == 0 && !is_one_transaction)
            run("COMMIT; BEGIN");
    }
    run("COMMIT");
    (void) fclose(file);
    return count;
}

static sqlite3_stmt *
prepare(const char *sql)
{
    sqlite3_stmt *statement;

    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK)
        bench_die(sqlite3_errmsg(database));
    return statement;
}

static void
create(const char *table)
{
    char sql[512];

    (void) snprintf(sql, sizeof(sql),
                    "DROP TABLE IF EXISTS %s; CREATE TABLE %s(market INTEGER, time INTEGER, "
                    "exchange_time INTEGER, database_time INTEGER, contract_count INTEGER, "
                    "value_usd INTEGER, mark_price INTEGER, PRIMARY KEY(market, time)) "
                    "WITHOUT ROWID",
                    table, table);
    run(sql);
}

static void
load(const char *csv)
{
    struct bench_samples samples = {};
    sqlite3_stmt *statement;
    int64_t from;

    create("oi");
    statement = prepare("INSERT INTO oi VALUES(?,?,?,?,?,?,?)");
    from = bench_now_ns();
    samples.items = insert_file(csv, statement, false);
    run("PRAGMA wal_checkpoint(TRUNCATE)");
    oi_vector_push(&samples.ns, bench_now_ns() - from);
    (void) sqlite3_finalize(statement);
    bench_report("load", &samples);
}

static void
live(const char *folder, uint64_t batches)
{
    struct bench_samples samples = {};
    sqlite3_stmt *statement;

    create("live");
    statement = prepare("INSERT INTO live VALUES(?,?,?,?,?,?,?)");
    for (uint64_t i = 0; i < batches; i++) {
        char path[512];
        int64_t from = bench_now_ns();

        (void) snprintf(path, sizeof(path), "%s/%d.csv", folder, (int) i);
        samples.items += insert_file(path, statement, true);
        oi_vector_push(&samples.ns, bench_now_ns() - from);
    }
    (void) sqlite3_finalize(statement);
    bench_report("live", &samples);
}

/* Every value of every row is taken. */
static void
ask(const char *sql, struct bench_samples *samples)
{
    int64_t from = bench_now_ns();
    sqlite3_stmt *statement = prepare(sql);
    volatile sqlite3_int64 sum = 0;
    int status;

    while ((status = sqlite3_step(statement)) == SQLITE_ROW) {
        int columns = sqlite3_column_count(statement);

        for (int i = 0; i < columns; i++)
            sum = sum + sqlite3_column_int64(statement, i);
        samples->items++;
    }
    if (status != SQLITE_DONE)
        bench_die(sqlite3_errmsg(database));
    (void) sqlite3_finalize(statement);
    oi_vector_push(&samples->ns, bench_now_ns() - from);
}

static void
ask_all(const char *work, uint64_t count, const char *path)
{
    struct bench_samples samples = {};
    char *line = oi_alloc(LINE_SIZE_MAX);
    FILE *file = fopen(path, "re");

    if (!file)
        bench_die(path);
    while (samples.ns.count < count) {
        if (!fgets(line, (int) LINE_SIZE_MAX, file)) {
            if (samples.ns.count == 0)
                bench_die("there are no statements");
            rewind(file);
            continue;
        }
        ask(line, &samples);
    }
    (void) fclose(file);
    oi_free(line);
    bench_report(work, &samples);
}

int
main(int argc, char **argv)
{
    if (argc < 4)
        bench_die("sqlite_bench load|live|ask DATABASE …");
    if (sqlite3_open(argv[2], &database) != SQLITE_OK)
        bench_die(argv[2]);
    run("PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
        "PRAGMA cache_size=-524288; PRAGMA mmap_size=8589934592");
    if (strcmp(argv[1], "load") == 0)
        load(argv[3]);
    else if (strcmp(argv[1], "live") == 0 && argc == 5)
        live(argv[3], bench_number(argv[4]));
    else if (strcmp(argv[1], "ask") == 0 && argc == 6)
        ask_all(argv[3], bench_number(argv[4]), argv[5]);
    else if (strcmp(argv[1], "run") == 0)
        run(argv[3]);
    else
        bench_die("sqlite_bench load|live|ask|run DATABASE …");
    return sqlite3_close(database) == SQLITE_OK ? 0 : 1;
}
