/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: every reading ever recorded, by series and time, exactly and with its provenance.
 *
 * A series is one feed of one instrument. Rows of one key (series, time) are revisions, ordered by
 * known_time, then batch; the last one known at the asked moment answers. Nothing is overwritten.
 * Any thread and any process may append (appends are serialised) and read (readers never wait).
 *
 * The interface has two implementations, the embedded store over kv/ and ClickHouse; one contract
 * suite runs over both.
 */
#pragma once

#include "base/clock.h"
#include "base/fingerprint.h"
#include "base/vector.h"
#include "core/columns.h"
#include "core/convention.h"
#include "core/instrument.h"
#include "core/packed.h"
#include "kv/kv.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct oi_store;

/* Longest name of a feed: "import:" and a file's name. */
#define OI_FEED_NAME_SIZE 64
/* More rows in one batch are refused: the caller splits. */
#define OI_BATCH_ROWS_MAX ((size_t) 1 << 20)
/* Rows of one chunk, about: where a chunk is split. */
#define OI_CHUNK_ROWS 4096

struct oi_store_options {
    const struct oi_clock *clock;      /* NULL: the machine's */
    const struct oi_kv_engine *engine; /* NULL: lmdb */
    bool is_read_only;
    size_t map_size;   /* 0: 64 GiB */
    size_t chunk_rows; /* where chunks are split, for tests; 0: OI_CHUNK_ROWS */
};

/* Open the store in the folder `path`, creating both if absent; a folder that holds something else
 * is refused (INVALID), a newer format too; BUSY while it is being compacted. The catalogue and the
 * newest rows are in memory when it returns. */
enum oi_status oi_store_open(const char *path, const struct oi_store_options *options,
                             struct oi_store **ret_store, struct oi_error *error);
void oi_store_close(struct oi_store **store);

/*
 * The catalogue: instruments, feeds and series as one immutable snapshot, shared by reference.
 */

struct oi_feed {
    uint16_t id;                  /* from 1 */
    char name[OI_FEED_NAME_SIZE]; /* "live", "stream", "history", "archive:NAME", "import:NAME" */
    /* What an import said of itself; UNKNOWN and 0 for feeds whose facts are in the conventions. */
    enum oi_unit unit;
    int sides;
    int64_t cadence_ns;
    bool restates; /* only then may rows be revised */
    bool is_daily;
};

struct oi_series {
    uint32_t id; /* from 1, dense */
    uint32_t instrument;
    uint16_t feed;
};

struct oi_catalog {
    uint64_t version; /* grows with every change */
    /* The newest version of each instrument; instruments[id - 1] has that id. */
    const struct oi_instrument *instruments;
    size_t instrument_count;
    const struct oi_feed *feeds; /* feeds[id - 1] */
    size_t feed_count;
    const struct oi_series *series; /* series[id - 1] */
    size_t series_count;
    /* The series of one instrument: series_of[first_series[id - 1]] … up to first_series[id]. */
    const uint32_t *series_of;
    const uint32_t *first_series;
};

/* Take a reference to the current snapshot; give it back. */
const struct oi_catalog *oi_store_catalog(struct oi_store *store);
void oi_catalog_unref(const struct oi_catalog **catalog);

/* Record what an exchange says of an instrument: a new one gets an id, a changed definition a new
 * version from its valid_from on (or now), the same one changes nothing. Several at once are one
 * commit. ret_ids (may be NULL) has room for count ids; ret_changed (may be NULL) counts. */
enum oi_status oi_store_define(struct oi_store *store, const struct oi_instrument *definitions,
                               size_t count, uint32_t *ret_ids, size_t *ret_changed,
                               struct oi_error *error);
/* The version in force at `time` as known at `as_of`. NOT_FOUND for an unknown id. */
enum oi_status oi_store_instrument(struct oi_store *store, uint32_t id, oi_time time, oi_time as_of,
                                   struct oi_instrument *ret_instrument, struct oi_error *error);
/* The feed of that name, made if absent with these facts (name, unit, sides, …; id is ignored).
 * INVALID when it exists with other facts. */
enum oi_status oi_store_feed(struct oi_store *store, const struct oi_feed *facts,
                             uint16_t *ret_feed, struct oi_error *error);
/* The series of a feed of an instrument, made if absent. */
enum oi_status oi_store_series(struct oi_store *store, uint32_t instrument, uint16_t feed,
                               uint32_t *ret_series, struct oi_error *error);
/* The same of many instruments in one commit: ret_series[i] is the series of instruments[i]. A
 * commit is a disk's sync, so a whole exchange goes through here. */
enum oi_status oi_store_series_all(struct oi_store *store, const uint32_t *instruments,
                                   size_t count, uint16_t feed, uint32_t *ret_series,
                                   struct oi_error *error);

/*
 * Writing.
 */

struct oi_row {
    uint32_t series;
    struct oi_observation reading;
};

/* Why a minute has no row. */
enum oi_hole_cause {
    OI_HOLE_NONE = 0,
    OI_HOLE_SILENT,         /* the exchange answered without this market */
    OI_HOLE_UNREACHABLE,    /* no answer, or nonsense */
    OI_HOLE_BLOCKED,        /* our region or address is refused */
    OI_HOLE_RATE_LIMITED,   /* we were told to slow down, or the budget was short */
    OI_HOLE_COLLECTOR_DOWN, /* nobody asked */
    OI_HOLE_NOT_LISTED,     /* not yet listed */
    OI_HOLE_DELISTED,
    OI_HOLE_DAMAGED, /* its row is in a chunk that cannot be read: found, never stored */
};
const char *oi_hole_cause_name(enum oi_hole_cause cause);

struct oi_hole {
    uint32_t instrument; /* 0: every expected instrument of exchange and product */
    char exchange[OI_NAME_SIZE];
    char product[OI_NAME_SIZE]; /* "" : all products */
    struct oi_span span;
    enum oi_hole_cause cause;
};

/* What an exchange was asked for: from the watch records `oi_store_gaps` knows that somebody was
 * there. */
struct oi_watch_mark {
    char exchange[OI_NAME_SIZE];
    char product[OI_NAME_SIZE];
    oi_time minute;
};

/* The product under which coverage of a product's stream is told ("swap" is "swap/stream"): a
 * stream may be down while the minute was polled, and a minute without a change is none that is
 * missing. `oi_store_gaps` of the feed "stream" asks for it. Products longer than 24 characters are
 * cut. */
void oi_stream_product(const char *product, char ret_product[OI_NAME_SIZE]);

/* How far a file has been imported; stored in the same commit as its rows. */
struct oi_import_mark {
    uint8_t fingerprint[OI_FINGERPRINT_SIZE]; /* or the SHA-256 of earlier versions */
    char name[OI_FEED_NAME_SIZE];             /* the file's base name */
    char format[OI_NAME_SIZE];
    uint64_t rows_done; /* rows of the file that are dealt with, refused ones included */
    /* Before this batch: the store adds what becomes of the batch's own rows. */
    uint64_t stored, duplicate, refused;
    bool is_complete;
};

struct oi_batch {
    const struct oi_row *rows;
    size_t row_count;
    const struct oi_hole *holes;
    size_t hole_count;
    const struct oi_watch_mark *marks;
    size_t mark_count;
    const struct oi_import_mark *import; /* or NULL */
    /* A row that is there already is a duplicate also where this one says it was known earlier: for
     * rows that come from several stores. */
    bool first_wins;
    /* Called for each row that is not taken, with its index and the reason; may be NULL. Before the
     * append returns, perhaps on the thread of another append that took this one along. */
    void (*refuse)(void *context, size_t row, const char *reason);
    void *context;
};

struct oi_append_result {
    uint64_t batch; /* the commit's number; 0 when there was nothing new and no commit */
    oi_time time;   /* the commit's: known time of rows without one; NONE without a commit */
    size_t stored;
    size_t duplicate; /* equal as a number to its predecessor, or a second poll of a read minute */
    size_t refused;   /* a second, different row of a feed that does not restate; known_time later
                         than the commit; an unknown series; no open interest */
};

/* One durable commit: when this returns OK the rows are on disk, otherwise none of them is. Rows
 * without a known_time get the commit's time. FULL pauses writing: nothing is lost, repeat later.
 * Appends of several threads that wait for one another are one commit, and one batch; an import's
 * is always alone.
 */
enum oi_status oi_store_append(struct oi_store *store, const struct oi_batch *batch,
                               struct oi_append_result *ret_result, struct oi_error *error);

/*
 * Loading in bulk: a file's rows straight into chunks and rollups, encoded on several threads, in
 * one durable commit. Rows that follow everything their series has go this way; the rest (late,
 * overlapping, a series that the log has rows of, few rows) is appended, with the same answer.
 */

/* What the packed rows of a part are of. */
struct oi_bulk_target {
    uint32_t series;
    uint16_t flags; /* added to each row's */
};

struct oi_bulk_part {
    const struct oi_packed *rows;
    size_t count;
    const struct oi_bulk_target *targets; /* by oi_packed.target */
    const struct oi_decimal *wides;
    /* All of its rows in runs, which spares walking them; or none. */
    const struct oi_packed_run *runs;
    size_t run_count;
};

struct oi_bulk {
    const struct oi_bulk_part *parts; /* in the order of the file */
    size_t part_count;
    /* As in a batch: with the rows of these parts counted in rows_done. A crash between appending
     * and loading leaves rows_before there. */
    const struct oi_import_mark *import;
    uint64_t rows_before;
    unsigned threads; /* at least 1 */
    void (*refuse)(void *context, size_t part, size_t row, const char *reason);
    /* Told by each thread that it begins or ends to compute, so that other work may stand back
     * meanwhile, and go on while the disk is waited for. May be NULL; several threads at once. */
    void (*compute)(void *context, bool begins);
    void *context;
};

/* Like an append; ret_result->batch is the last commit's. Watchers hear of appended rows, and not
 * of loaded ones: the data version tells. */
enum oi_status oi_store_bulk(struct oi_store *store, const struct oi_bulk *bulk,
                             struct oi_append_result *ret_result, struct oi_error *error);

/*
 * The same in two steps, so that the disk is waited for while the next load is prepared: rows are
 * sorted and, where their series are new, encoded; then all is committed. `bulk` is borrowed until
 * the prepared load is freed; its import and rows_before are asked for by the commit alone.
 * `before` is the load whose commit may be under way on another thread meanwhile, and is committed
 * first; or NULL. A commit can be asked for once.
 */
struct oi_bulk_prepared;
enum oi_status oi_store_bulk_prepare(struct oi_store *store, const struct oi_bulk *bulk,
                                     const struct oi_bulk_prepared *before,
                                     struct oi_bulk_prepared **ret_prepared,
                                     struct oi_error *error);
enum oi_status oi_store_bulk_commit(struct oi_bulk_prepared *prepared,
                                    struct oi_append_result *ret_result, struct oi_error *error);
void oi_store_bulk_free(struct oi_bulk_prepared **prepared);

/* Move the oldest part of the log into chunks and rollups, in transactions of about `rows_max`
 * rows; *ret_left tells how many log rows are left. BUSY when another process does it. */
enum oi_status oi_store_checkpoint(struct oi_store *store, size_t rows_max, size_t *ret_left,
                                   struct oi_error *error);

/*
 * The same for a server, which has an hour of everything in the log: a chunk costs about as much to
 * write again for one row as for sixty. Series that are due are moved whole, those whose rows wait
 * longest first, about `rows_max` rows in all: in one transaction, or in several where that one
 * would hold up appends for long.
 */
struct oi_checkpoint_plan {
    size_t rows_max;
    size_t share;   /* due is one in so many of the series in the log, in turn; 0: none of them */
    size_t crowd;   /* and a series with so many rows there */
    size_t log_max; /* and whatever keeps more rows than this in the log */
};

/* *ret_due tells how many rows of series that are due are left. BUSY when another process does
 * it. */
enum oi_status oi_store_checkpoint_share(struct oi_store *store,
                                         const struct oi_checkpoint_plan *plan, size_t *ret_due,
                                         struct oi_error *error);

/* The import ledger. NOT_FOUND when no file of that fingerprint was begun. */
enum oi_status oi_store_import_find(struct oi_store *store,
                                    const uint8_t fingerprint[OI_FINGERPRINT_SIZE],
                                    struct oi_import_mark *ret_mark, struct oi_error *error);

/* What the ledger has that may be a certain file, of which only the size is known. */
struct oi_import_kin {
    bool has_size;   /* of that size; where rows are kept elsewhere, taken to be there */
    bool has_sha256; /* by their SHA-256, of any size */
};
enum oi_status oi_store_import_kin(struct oi_store *store, uint64_t size,
                                   struct oi_import_kin *ret_kin, struct oi_error *error);
/* The file that was known by `from` while it came in is known by `to`. Durable; NOT_FOUND. */
enum oi_status oi_store_import_rename(struct oi_store *store,
                                      const uint8_t from[OI_FINGERPRINT_SIZE],
                                      const uint8_t to[OI_FINGERPRINT_SIZE],
                                      struct oi_error *error);
/* Hide every row of the import that `batch` belongs to, from now on; NOT_FOUND. */
enum oi_status oi_store_withdraw(struct oi_store *store, uint64_t batch, struct oi_error *error);

/* Remove the chunks of a series whose rows are all before `before`, but the newest chunk, for every
 * moment; *ret_rows counts. Only an operator's rule calls for this. In transactions of some chunks.
 */
enum oi_status oi_store_retain(struct oi_store *store, uint32_t series, oi_time before,
                               uint64_t *ret_rows, struct oi_error *error);

/* Rows of every feed of a market that the operator holds to be bad. Reads of the rows and of
 * rollups show OI_FLAG_BAD from the time of the entry on (as_stored before it does not); nothing
 * stored changes. */
#define OI_REASON_SIZE 200
struct oi_bad_span {
    uint32_t instrument;
    struct oi_span span;
    oi_time flagged_at; /* given by the store */
    char reason[OI_REASON_SIZE];
};
/* Add to the ledger, durably. NOT_FOUND for an unknown market, INVALID without a reason. */
enum oi_status oi_store_flag(struct oi_store *store, const struct oi_bad_span *flag,
                             struct oi_error *error);
/* Does the ledger, as stored then, name any instant of a span of a series? In memory. */
bool oi_store_is_flagged(struct oi_store *store, uint32_t series, struct oi_span span,
                         oi_time as_stored);
/* The last instant at or before `time` that it does not name. */
oi_time oi_store_good_before(struct oi_store *store, uint32_t series, oi_time time,
                             oi_time as_stored);
/* The ledger in the order of its entries. A failure of `each` ends the walk. */
enum oi_status oi_store_flags(struct oi_store *store,
                              enum oi_status (*each)(void *context, const struct oi_bad_span *flag),
                              void *context, struct oi_error *error);

/*
 * Reading.
 */

/* Point-in-time: as if the store held only rows known by as_of / committed by as_stored. */
struct oi_moment {
    oi_time as_of;
    oi_time as_stored;
};
#define OI_MOMENT_LATEST ((struct oi_moment){ OI_TIME_LATEST, OI_TIME_LATEST })

struct oi_scan_request {
    uint32_t series;
    struct oi_span span;
    struct oi_moment moment;
    unsigned columns;   /* enum oi_column */
    bool all_revisions; /* every row that was ever known by the moment, not only the last */
    bool is_backwards;  /* blocks come newest first; rows inside a block always ascend */
    size_t limit;       /* at most this many rows in all, from the side where it starts; 0: all */
    size_t likely_rows; /* the reader will hardly go on after so many; 0: to the end */
    bool is_whole;      /* nothing is done with the first row before the last one is there */
    struct oi_gather *gather; /* borrowed, open as long as the scan; or NULL */
    /* Of the figures asked for one that suffices (OI_COLUMN_OPEN_INTEREST or OI_COLUMN_VALUE_USD):
     * the others are left out of blocks in which each row has it. 0: none. Such questions come
     * again: what was decoded for them is kept. */
    unsigned sufficient;
};

struct oi_scan;

/*
 * Series that one thread is about to walk forwards side by side, at about one pace, as now known:
 * where rows are elsewhere they are asked for together. A scan that is given it (with no other
 * columns than these) has the same rows as without, up to the last batch of the moment when it was
 * opened. NULL where it is of no use.
 */
struct oi_gather;
struct oi_gather *oi_store_gather(struct oi_store *store, const uint32_t *series, size_t count,
                                  struct oi_span span, unsigned columns);
void oi_gather_close(struct oi_gather **gather);

/*
 * The open interest of many series, added up at each instant of a span that any has a row of, as
 * now known, where rows are elsewhere and are added up there. A sum counts (is_whole) when each
 * series that has begun by then has exactly one row of the instant, and all digits fit; what the
 * others are is for the rows to say.
 */
struct oi_sums {
    OI_VECTOR(oi_time) times; /* ascending */
    OI_VECTOR(int64_t) mantissas;
    OI_VECTOR(bool) is_whole;
    int exponent; /* of all */
};
void oi_sums_release(struct oi_sums *sums);
bool oi_store_makes_sums(const struct oi_store *store);
/* NOT_FOUND, without a message, where they are not made, as of series that are too many. */
enum oi_status oi_store_sums(struct oi_store *store, const uint32_t *series, size_t count,
                             struct oi_span span, struct oi_sums *ret_sums, struct oi_error *error);

/* Walk one series. The scan sees exactly the commits that were there when it was opened, and holds
 * no transaction between calls: a slow reader pins nothing. One thread at a time. */
enum oi_status oi_store_scan(struct oi_store *store, const struct oi_scan_request *request,
                             struct oi_scan **ret_scan, struct oi_error *error);
/* The next block, at most OI_CHUNK_ROWS or so rows, NULL at the end; valid until the next call.
 * CORRUPT names the damaged chunk, or says that chunks are missing which the series should have (at
 * its ends, or anywhere in a scan over all of it), once; calling again goes on behind it. */
enum oi_status oi_scan_next(struct oi_scan *scan, const struct oi_columns **ret_columns,
                            struct oi_error *error);
/* How the times of the block that was handed out last go, which are among `times`. */
struct oi_scan_steps {
    const oi_time *times;
    int64_t step_ns;
    /* The row behind each run in which every time is a step behind the one before; the last one is
     * the number of rows. */
    const uint32_t *ends;
    size_t count;
};
/* NULL where it is not known. Valid as long as the block. */
const struct oi_scan_steps *oi_scan_steps(const struct oi_scan *scan);
/* The block that was handed out last comes again, and from now on nothing is left out. */
void oi_scan_go_back(struct oi_scan *scan);
/* After CORRUPT: did the scan step over something, so that calling again goes on? Then which span
 * its answer lacks (a part of a chunk where the scan began or ends inside of it; for chunks that
 * are missing the stretch they should be in). */
bool oi_scan_skipped(const struct oi_scan *scan, struct oi_span *ret_span);
void oi_scan_close(struct oi_scan **scan);

/* Chunks that reads of this process could not read. */
struct oi_damaged_chunk {
    uint32_t series;
    struct oi_span span; /* as far as it is known */
    char reason[256];
};
/* How many; costs nothing. */
size_t oi_store_damaged_count(struct oi_store *store);
/* Those of a series that touch a span: how many, the first `room` of them in `chunks`. */
size_t oi_store_damaged(struct oi_store *store, uint32_t series, struct oi_span span,
                        struct oi_damaged_chunk *chunks, size_t room);

/* The newest row of a series as now known: from memory. NOT_FOUND when it has none. */
enum oi_status oi_store_latest(struct oi_store *store, uint32_t series,
                               struct oi_observation *ret_reading, struct oi_error *error);
/* The last row at or before `time`, as known at the moment. */
enum oi_status oi_store_at(struct oi_store *store, uint32_t series, oi_time time,
                           struct oi_moment moment, struct oi_observation *ret_reading,
                           struct oi_error *error);
/* The same at several instants, the latest first, as now known; each has its own status. What was
 * found is remembered as long as it stays true. Without exchange_time and known_time. */
struct oi_instant {
    oi_time time;
    enum oi_status status;
    struct oi_observation reading;
};
void oi_store_at_instants(struct oi_store *store, uint32_t series, struct oi_instant *instants,
                          size_t count);
/* First and last time of a series and its number of rows (revisions included); NOT_FOUND. */
struct oi_extent {
    oi_time first, last;
    uint64_t rows;
};
enum oi_status oi_store_extent(struct oi_store *store, uint32_t series,
                               struct oi_extent *ret_extent, struct oi_error *error);

/* What a rollup says of its first and last rows, besides their times, and of its highest and lowest
 * ones, whose times it does not tell. What else those rows have may be there or not. */
#define OI_ROLLUP_END_COLUMNS                                                                      \
    ((unsigned) OI_COLUMN_OPEN_INTEREST | OI_COLUMN_VALUE_USD | OI_COLUMN_MARK_PRICE |             \
     OI_COLUMN_INDEX_PRICE | OI_COLUMN_LAST_PRICE | OI_COLUMN_FLAGS)
#define OI_ROLLUP_EXTREME_COLUMNS ((unsigned) OI_COLUMN_OPEN_INTEREST)

/* One hour or day of a series, ready made from what is known now. */
struct oi_rollup {
    oi_time start;
    uint32_t count;
    struct oi_observation first, high, low, last; /* high and low by open interest */
};
/* The stored rollups (interval OI_HOUR or OI_DAY) whose start is in span, ascending; the tail of
 * the log is already in them. `each` is called in order; a failure of it ends the walk. Where
 * nothing is stored yet they are made from rows: the answer is the same. */
enum oi_status
oi_store_rollups(struct oi_store *store, uint32_t series, int64_t interval_ns, struct oi_span span,
                 enum oi_status (*each)(void *context, const struct oi_rollup *rollup),
                 void *context, struct oi_error *error);

/* The same by columns, for who wants few of them: nothing else is decoded, and no row is built. */
struct oi_rollup_columns {
    size_t count;
    const oi_time *starts;
    const int64_t *counts;
    struct oi_columns first, high, low, last; /* only those asked for */
};
enum oi_rollup_part {
    OI_ROLLUP_FIRST = 1 << 0,
    OI_ROLLUP_HIGH = 1 << 1,
    OI_ROLLUP_LOW = 1 << 2,
    OI_ROLLUP_LAST = 1 << 3,
};
struct oi_rollup_request {
    uint32_t series;
    int64_t interval_ns;
    struct oi_span span;
    unsigned columns[4]; /* enum oi_column, of first, high, low, last, among those that a rollup
                            has; a part without a bit in `parts` is not there */
    unsigned parts;      /* enum oi_rollup_part */
    /* What is stored whole comes by columns; what had to be made of rows, one by one. Both in one
     * order; borrowed for the call. */
    enum oi_status (*each_columns)(void *context, const struct oi_rollup_columns *columns);
    enum oi_status (*each)(void *context, const struct oi_rollup *rollup);
    void *context;
};
enum oi_status oi_store_rollup_columns(struct oi_store *store,
                                       const struct oi_rollup_request *request,
                                       struct oi_error *error);

/* Typed holes of an instrument's expected minutes in a span, ascending and merged. */
enum oi_status oi_store_gaps(struct oi_store *store, uint32_t instrument, uint16_t feed,
                             int64_t cadence_ns, struct oi_span span, struct oi_moment moment,
                             enum oi_status (*each)(void *context, const struct oi_hole *hole),
                             void *context, struct oi_error *error);

/* A number that changes whenever an answer about the series may change: for caches and ETags. */
uint64_t oi_store_data_version(struct oi_store *store, uint32_t series);
/* The last commit that brought rows of a series; 0: none did. */
uint64_t oi_store_series_batch(struct oi_store *store, uint32_t series);
/* Is nothing known of a market but that a file was about to bring its readings? No exchange has
 * told of it, and none ever came: an import that was stopped leaves such markets behind, and nobody
 * should be told of them. Once false, it stays so. */
bool oi_store_is_bare(struct oi_store *store, const struct oi_catalog *catalog,
                      uint32_t instrument);
/* Grows when the catalogue changes and when a series gets its first row, which may be a bare
 * market's: who chose markets by a pattern then chooses again. Not the same in another process. */
uint64_t oi_store_market_version(struct oi_store *store);
/* All others. */
size_t oi_store_market_count(struct oi_store *store, const struct oi_catalog *catalog);
/* The last commit. */
uint64_t oi_store_last_batch(struct oi_store *store);

/*
 * Watching, verifying, measuring.
 */

/* Rows just committed, by this process or (after oi_store_follow) another one. Called on the thread
 * that appended or followed, after the commit; must be quick and must not call back. */
struct oi_watcher {
    void (*committed)(void *context, uint64_t batch, const struct oi_row *rows, size_t count);
    void *context;
};
void oi_store_watch(struct oi_store *store, const struct oi_watcher *watcher);
void oi_store_unwatch(struct oi_store *store, const struct oi_watcher *watcher);
/* Pick up what other processes committed; cheap when there is nothing. Reads do it by themselves.
 */
enum oi_status oi_store_follow(struct oi_store *store, struct oi_error *error);
/* What a question does first: the same, but that where rows are elsewhere it does not wait for each
 * question's sake. What others committed is seen there some 400 ms later at most, and while nobody
 * answers there, what is known is. */
enum oi_status oi_store_refresh(struct oi_store *store, struct oi_error *error);

/* Check every checksum and invariant and recompute the rollups, calling `fault` for each thing
 * found wrong. CORRUPT when there was any. Damage of the engine's own pages can kill the process:
 * `oi verify` runs this in a child. */
struct oi_verify_report {
    uint64_t batches, chunks, rows, rollups, faults;
};
/* Call `verified` for each chunk that oi_store_verify has checked, with their number so far; where
 * the rows are elsewhere, with the number of series. */
void oi_store_on_verified(struct oi_store *store, void (*verified)(void *context, uint64_t done),
                          void *context);
enum oi_status oi_store_verify(struct oi_store *store,
                               void (*fault)(void *context, const char *what), void *context,
                               struct oi_verify_report *ret_report, struct oi_error *error);
/* A compact, consistent copy of a live store into a new folder. */
enum oi_status oi_store_backup(struct oi_store *store, const char *path, struct oi_error *error);

/* Rewrite the file of the store in the folder `path`, which nobody has open, without its free
 * pages; its size before and after. BUSY while any program has the store open; a failure leaves the
 * old file. */
enum oi_status oi_store_compact(const char *path, uint64_t *ret_before, uint64_t *ret_after,
                                struct oi_error *error);

/* Where the bytes are: `each` gets every column of the chunks, then the rollups and the log, with
 * their bytes; *ret_rows is the number of rows in chunks. Reads every chunk's header; damaged ones
 * are left out. */
enum oi_status oi_store_measure(struct oi_store *store,
                                void (*each)(void *context, const char *what, uint64_t bytes),
                                void *context, uint64_t *ret_rows, struct oi_error *error);

struct oi_store_stats {
    uint64_t file_bytes, used_bytes;
    uint64_t log_rows, log_batches, chunk_rows, chunks;
    uint64_t oldest_reader_lag;
    bool is_paused;                          /* the disk is full */
    bool is_elsewhere;                       /* the rows are; sizes are of what is here */
    bool is_away;                            /* the engine that has the rows cannot be reached */
    uint64_t waiting_batches, waiting_bytes; /* that are kept here until it can */
};
void oi_store_stats(struct oi_store *store, struct oi_store_stats *ret_stats);
