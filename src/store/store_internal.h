/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the embedded store share. Three layers of truth:
 *
 *   disk      the engine's tables; one transaction is one consistent state
 *   memory    catalogue, tails (the log by series), newest rows: the disk as of `last_batch`
 *   snapshot  what a reader took of memory before it began its transaction
 *
 * Locks, in the order in which they may be taken: `append_lock`, the engine's writer,
 * `follow_lock`, `state_lock`. Memory changes only under both of the last two, after the commit it
 * mirrors.
 */
#pragma once

#include "base/map.h"
#include "base/vector.h"
#include "store/batch.h"
#include "store/crew.h"
#include "store/keys.h"
#include "store/remote.h"
#include "store/rows.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>

/* Written before anything else, so that a folder says whose it is. */
#define OI_STORE_MARKER "oi-store"

/* How far one series is in chunks: table `position`, changed by checkpoints alone. */
struct oi_position {
    uint64_t
        chunked_batch; /* rows of this and earlier batches are in chunks, later ones in the log */
    uint64_t rows, chunks; /* in chunks */
    uint64_t last_batch;   /* of any row in chunks */
    oi_time first, last;   /* times in chunks, when rows > 0 */
    bool has_newest;
    uint64_t newest_batch;
    struct oi_observation newest; /* among visible rows in chunks */
    /* Where rows are elsewhere: figures that no row has, a bit of each, and OI_ABSENT_WIDES. */
    unsigned absent;
};
#define OI_ABSENT_WIDES (1u << OI_FIGURE_COUNT)
#define OI_ABSENT_ALL (2 * OI_ABSENT_WIDES - 1)

/* One series in memory. */
struct oi_track {
    /* What every append asks and changes; the rest is elsewhere, so that it reads memory in one
     * stretch. */
    struct oi_rows tail;          /* rows of the log not yet in chunks, in key order */
    oi_time tail_last;            /* time of the tail's last row, when there are any */
    oi_time latest;               /* no row is later: what comes behind it has no company */
    uint64_t first_batch;         /* of the tail's rows, when there are any */
    uint64_t last_batch;          /* that touched the series at all */
    struct oi_position *position; /* owned */
};

/* A batch that is still in the log. */
struct oi_log_entry {
    uint64_t batch;
    oi_time commit_time;
    uint32_t import;
    size_t rows;
};

/* The store's own state on disk: table `meta`, key "state", in every commit. */
struct oi_state {
    uint64_t last_batch;
    oi_time last_commit_time;
    uint64_t catalog_version;
    uint64_t checkpoint_version; /* grows with every checkpoint */
    uint64_t hidden_version;     /* grows with every withdrawal */
    uint64_t log_start;          /* the first batch that may still be in the log */
    uint32_t next_import;
};

/* A catalogue snapshot and its count of references. */
struct oi_snapshot {
    struct oi_catalog catalog;
    atomic_size_t references;
};

/* The catalogue as it changes; snapshots are cut from it when they are asked for. */
struct oi_names {
    OI_VECTOR(struct oi_instrument) instruments;
    OI_VECTOR(uint32_t) versions; /* of each instrument */
    OI_VECTOR(struct oi_feed) feeds;
    OI_VECTOR(struct oi_series) series;
    struct oi_map *by_symbol;  /* exchange, product, symbol -> newest id */
    struct oi_map *by_listing; /* the same and the listing's time -> id */
    struct oi_map *by_pair;    /* instrument, feed -> series id */
};

/* The ledger of bad rows, or a part of it. */
struct oi_flags {
    struct oi_bad_span *items;
    size_t count, capacity;
};

struct oi_append_turn;
struct oi_ledger;
struct oi_past;
struct oi_shelf;

struct oi_store {
    const struct oi_remote_calls *remote; /* NULL: the rows are here */
    void *remote_context;
    oi_time change_time; /* of a change that is applied; NONE: now. Under the append lock */
    const struct oi_kv_engine *engine;
    const struct oi_clock *clock;
    struct oi_kv *kv;
    void (*verified)(void *context, uint64_t done); /* or NULL */
    void *verified_context;
    char *path;
    int guard; /* a shared lock on the folder's marker, as long as the store is open */
    bool is_read_only;
    size_t chunk_rows;             /* where chunks are split */
    struct oi_shelf *kept_rollups; /* rollup_cache.h */
    struct oi_shelf *kept_chunks;  /* chunk_cache.h */
    struct oi_ledger *ledger;      /* ledger.h */
    atomic_bool is_paused;
    atomic_uint_fast64_t seen_commit; /* the engine's commit that memory is at least as new as */
    atomic_uint_fast64_t begun_count; /* series that ever had a row */

    pthread_mutex_t queue_lock; /* guards the queue of appends; nothing is locked inside it */
    struct oi_append_turn *queue_first, *queue_last;
    pthread_mutex_t append_lock;     /* one writer of this process at a time */
    struct oi_crew *crew;            /* that writer's */
    struct oi_batch_rows spare_rows; /* memory between the batches of an import; under the lock */
    pthread_mutex_t follow_lock;     /* one who brings memory up to date; also orders watchers */
    pthread_rwlock_t state_lock;     /* guards everything below */

    struct oi_state state;
    OI_VECTOR(struct oi_track) tracks; /* tracks[series - 1] */
    OI_VECTOR(struct oi_log_entry) log;
    bool lacks_rows; /* opened for reading in spite of a damaged log: no answer is whole */
    size_t tail_rows;
    struct oi_hidden hidden;
    struct oi_flags flags;
    struct oi_names names;
    struct oi_snapshot *snapshot; /* of the current catalogue, or NULL: cut on demand */
    OI_VECTOR(struct oi_watcher) watchers;

    pthread_mutex_t damage_lock; /* guards what follows; nothing is locked inside it */
    OI_VECTOR(struct oi_damaged_chunk) damaged;
    atomic_size_t damaged_count;

    pthread_mutex_t past_lock;         /* guards what follows; nothing is locked inside it */
    OI_VECTOR(struct oi_past *) pasts; /* pasts[series - 1], or NULL; as many as were asked */
};

/* append.c: one commit of the rows of one or more callers. */
struct oi_append_part {
    const struct oi_batch *batch; /* the caller's own: where its refusals go */
    size_t first;                 /* the index of its first row among all of them */
    struct oi_append_result result;
};
enum oi_status oi_append_commit(struct oi_store *store, const struct oi_batch *batch,
                                struct oi_append_part *parts, size_t part_count,
                                struct oi_error *error);
/* Where rows are elsewhere: rows in order of series, then time, no two of one instant and without a
 * fault, are a batch as they are when each series ends before its own; a known time that is NONE
 * becomes the commit's. False in *ret_taken, and nothing done, when one does not. */
enum oi_status oi_append_ahead(struct oi_store *store, const struct oi_batch *batch,
                               struct oi_batch_rows *rows, struct oi_append_result *ret_result,
                               bool *ret_taken, struct oi_error *error);
/* append_group.c: it had nothing new, and no part in the commit. */
bool oi_append_is_idle(const struct oi_append_part *part);

/* Close a write transaction that was not committed: OI_CLEANUP needs the engine, so a pair. */
struct oi_access {
    struct oi_store *store;
    struct oi_kv_txn *txn;
    bool is_writing;
    bool steps_over_damage; /* a walk goes on behind what is corrupt */
    bool met_damage;        /* and did so */
    bool has_imports;       /* something was put into the import ledger */
};
enum oi_status oi_access_begin(struct oi_access *access, struct oi_store *store,
                               enum oi_kv_mode mode, struct oi_error *error);
enum oi_status oi_access_commit(struct oi_access *access, struct oi_error *error);
void oi_access_end(struct oi_access *access);
/* Sealed values through the engine; `body` is borrowed from the transaction. NOT_FOUND comes
 * without a message. */
enum oi_status oi_access_get(struct oi_access *access, enum oi_table table, struct oi_slice key,
                             struct oi_slice *ret_body, struct oi_error *error);
/* CORRUPT when rows of the log could not be read: what was answered lacks them. */
enum oi_status oi_store_check_whole(struct oi_store *store, struct oi_error *error);
/* The engine failed while a table was walked. */
enum oi_status oi_fail_reading(enum oi_table table, enum oi_status status, struct oi_error *error);
/* `sealed` was begun with oi_seal_begin and has its body; it is closed here. */
enum oi_status oi_access_put(struct oi_access *access, enum oi_table table, struct oi_slice key,
                             struct oi_buffer *sealed, struct oi_error *error);
/* Walk the sealed entries whose keys begin with `prefix`, from `from` (which begins with it too)
 * on. `each` returns NOT_FOUND to stop early. */
typedef enum oi_status oi_entry_each(void *context, struct oi_slice key, struct oi_slice body,
                                     struct oi_error *error);
enum oi_status oi_access_walk(struct oi_access *access, enum oi_table table,
                              const struct oi_key *prefix, const struct oi_key *from,
                              oi_entry_each *each, void *context, struct oi_error *error);

/* compact.c: hold the folder's marker with all who have the store open, or alone. */
enum oi_status oi_store_guard(const char *folder, bool is_alone, int *ret_file,
                              struct oi_error *error);

/* open.c: the folder, state and positions on disk. */
enum oi_status oi_store_mark_folder(const char *folder, struct oi_error *error);
enum oi_status oi_state_load(struct oi_access *access, struct oi_state *ret_state,
                             struct oi_error *error);
enum oi_status oi_state_save(struct oi_access *access, const struct oi_state *state,
                             struct oi_error *error);
enum oi_status oi_position_load(struct oi_access *access, uint32_t series,
                                struct oi_position *ret_position, struct oi_error *error);
enum oi_status oi_position_save(struct oi_access *access, uint32_t series,
                                const struct oi_position *position, struct oi_error *error);
enum oi_status oi_position_decode(struct oi_slice body, struct oi_position *ret_position,
                                  struct oi_error *error);

/* follow.c: memory brought up to the state that the transaction sees. */
enum oi_status oi_store_catch_up(struct oi_store *store, struct oi_access *access,
                                 struct oi_error *error);
/* The engine alone, where the rows are elsewhere. */
enum oi_status oi_store_refresh_engine(struct oi_store *store, struct oi_error *error);
/* Our own commit into memory, and to the watchers. Rows in order of series, then key; is_staged:
 * they only have to be counted. */
void oi_store_publish(struct oi_store *store, const struct oi_state *state,
                      const struct oi_batch_header *header, const struct oi_batch_rows *rows,
                      bool is_staged);
/* The newest visible row: the tail's last one, or the one of the chunks. False when there is none.
 * The state lock is held. */
bool oi_track_newest(const struct oi_track *track, const struct oi_hidden *hidden,
                     struct oi_observation *ret_newest);
/* What the chunked part of a series became, after the checkpoint's commit. */
void oi_track_settle(struct oi_store *store, uint32_t series, const struct oi_position *position);
/* Forget log entries before `log_start`. */
void oi_log_trim(struct oi_store *store, uint64_t log_start);
void oi_tracks_reserve(struct oi_store *store, size_t count);

/* open.c: the time of a change: now, never before the last commit. Under the append lock. */
oi_time oi_store_now(const struct oi_store *store, const struct oi_state *state);

/* append_plain.c: what is wrong with a row by itself, or NULL. The state lock is held. */
const char *oi_row_fault(const struct oi_store *store, oi_time commit_time,
                         const struct oi_row *row);
/* A batch without anything to compare, inside the engine's writer. */
struct oi_plain {
    /* Of the caller, and as they are until the end. */
    struct oi_store *store;
    const struct oi_batch *batch;
    struct oi_batch_rows *rows; /* empty; all of the batch's rows afterwards */
    uint64_t number;
    oi_time commit_time;
    bool is_shared, is_staged;
    atomic_bool is_odd, has_wides;
    struct oi_batch_columns columns;
};
/* False, and nothing is taken, where a row has to be looked at. The state lock is held. */
bool oi_plain_take(struct oi_plain *plain);
void oi_plain_release(struct oi_plain *plain);
/* Put its rows behind what the tails count, by a thread that goes on while they are encoded and the
 * disk is waited for; nobody sees them before they are published. Few rows are not worth it, and
 * then nothing happens. */
void oi_plain_stage(struct oi_plain *plain);
void oi_plain_encode(struct oi_plain *plain, const struct oi_batch_header *header,
                     struct oi_buffer *out);
/* Waits for the thread. True where the rows are behind their tails. */
bool oi_plain_finish(struct oi_plain *plain);
/* Count rows that are there: with both locks held. */
void oi_plain_count(struct oi_store *store, uint64_t batch, const struct oi_batch_rows *rows);

/* scan.c: columns of which a row may have any. */
unsigned oi_columns_present(unsigned columns, unsigned absent);
/* gather.c: the rows of a part of the stretch that begins where it does, in place of `rows`;
 * *ret_taken is false where the series has to be asked by itself. */
enum oi_status oi_gather_take(struct oi_gather *gather, const struct oi_stretch *stretch,
                              struct oi_rows *rows, struct oi_span *ret_done, bool *ret_taken,
                              struct oi_error *error);
uint64_t oi_gather_limit(const struct oi_gather *gather);
/* remote_rollup.c: as oi_store_rollup_columns. */
enum oi_status oi_remote_rollups(struct oi_store *store, const struct oi_rollup_request *request,
                                 struct oi_error *error);
/* remote.c: see remote.h. */
enum oi_status oi_remote_change(struct oi_store *store, enum oi_change_kind kind,
                                struct oi_slice body, size_t *ret_changed, struct oi_error *error);
/* The rest of an append, in the caller's transaction: all but the rows. */
enum oi_status oi_append_record(struct oi_access *access, const struct oi_batch *batch,
                                struct oi_state *state, struct oi_batch_header *header,
                                struct oi_error *error);
/* Apply one change of the catalogue or the ledgers to the mirror, under the append lock. */
enum oi_status oi_define_apply(struct oi_store *store, struct oi_slice body, size_t *ret_changed,
                               struct oi_error *error);
enum oi_status oi_feed_apply(struct oi_store *store, struct oi_slice body, size_t *ret_changed,
                             struct oi_error *error);
enum oi_status oi_series_apply(struct oi_store *store, struct oi_slice body, size_t *ret_changed,
                               struct oi_error *error);
enum oi_status oi_withdraw_apply(struct oi_store *store, uint64_t batch, struct oi_error *error);
enum oi_status oi_flag_apply(struct oi_store *store, const struct oi_bad_span *flag,
                             struct oi_error *error);

/* chunks.c */
struct oi_chunk_place {
    oi_time first;
    struct oi_slice key, value; /* of the transaction */
};
/* The chunk that holds `time` or else the last one before it; NOT_FOUND. */
enum oi_status oi_chunk_find(struct oi_access *access, uint32_t series, oi_time time,
                             struct oi_chunk_place *ret_place, struct oi_error *error);
/* The first chunk that starts at or after `time`; NOT_FOUND. */
enum oi_status oi_chunk_find_after(struct oi_access *access, uint32_t series, oi_time time,
                                   struct oi_chunk_place *ret_place, struct oi_error *error);
/* As oi_chunk_decode, with every known_time filled in when it is asked for. */
struct oi_chunk;
enum oi_status oi_chunk_load(struct oi_access *access, struct oi_slice key, struct oi_slice value,
                             unsigned columns, struct oi_chunk *chunk, struct oi_error *error);
/* Rows in key order (all of one series) as chunks of about OI_CHUNK_ROWS into the table; a time's
 * rows stay together. *chunk_count counts. */
enum oi_status oi_chunks_put(struct oi_access *access, uint32_t series, const struct oi_rows *rows,
                             uint64_t *chunk_count, struct oi_error *error);

/* imports.c */
/* A name behind its length of one byte. What does not fit into `size` bytes with its NUL marks the
 * cursor as failed. */
void oi_name_encode(struct oi_buffer *out, const char *name);
void oi_name_decode(struct oi_cursor *cursor, char *ret_name, size_t size);
/* The place of the first batch that is not below `batch`. */
size_t oi_hidden_find(const struct oi_hidden *hidden, uint64_t batch);
enum oi_status oi_hidden_load(struct oi_access *access, struct oi_hidden *ret_hidden,
                              struct oi_error *error);
/* A copy for a reader. */
struct oi_hidden oi_hidden_copy(const struct oi_hidden *hidden);
/* Record the mark and the batch in the import's entry; *next_import grows when it is a new one.
 * *ret_import is its id. */
enum oi_status oi_import_save(struct oi_access *access, const struct oi_import_mark *mark,
                              uint64_t batch, uint32_t *next_import, uint32_t *ret_import,
                              struct oi_error *error);

/* instants.c */
void oi_pasts_release(struct oi_store *store);

/* damage.c: a read met a chunk that it could not read. */
void oi_damage_remember(struct oi_store *store, uint32_t series, struct oi_span span,
                        const char *reason);

/* flags.c */
enum oi_status oi_flags_load(struct oi_access *access, struct oi_flags *flags,
                             struct oi_error *error);
/* Append those that a reader of a series has to mind. The state lock is held. */
void oi_flags_choose(const struct oi_store *store, uint32_t series, struct oi_span span,
                     oi_time as_stored, struct oi_flags *flags);
/* OI_FLAG_BAD, or 0. */
uint16_t oi_flags_of(const struct oi_flags *flags, oi_time time);

/* commits.c */
enum oi_status oi_commits_add(struct oi_access *access, uint64_t batch,
                              const struct oi_batch_header *header, struct oi_error *error);
/* The block that a batch is in; batch 0 is in none. */
uint64_t oi_commits_block(uint64_t batch);
/* Put the commit time of batches[i] into times[i] wherever that is OI_TIME_NONE. */
enum oi_status oi_commits_resolve(struct oi_access *access, const uint64_t *batches, size_t count,
                                  oi_time *times, struct oi_error *error);
/* The last batch committed at or before `time`. 0: none. Takes the state lock and a transaction of
 * its own. */
enum oi_status oi_commits_limit(struct oi_store *store, oi_time time, uint64_t *ret_batch,
                                struct oi_error *error);

/* catalog.c */
enum oi_status oi_names_load(struct oi_access *access, struct oi_names *ret_names,
                             struct oi_error *error);
void oi_names_release(struct oi_names *names);
void oi_names_index(struct oi_names *names, const struct oi_instrument *instrument);
void oi_names_add_series(struct oi_names *names, const struct oi_series *series);
/* 0: none. */
uint32_t oi_names_find(const struct oi_names *names, const struct oi_instrument *definition);
uint32_t oi_names_find_series(const struct oi_names *names, uint32_t instrument, uint16_t feed);
uint16_t oi_names_find_feed(const struct oi_names *names, const char *name);
enum oi_status oi_feed_decode(struct oi_slice key, struct oi_slice body, struct oi_feed *ret_feed,
                              struct oi_error *error);
/* Replace the catalogue in memory, under both locks; series get their tracks. */
void oi_names_install(struct oi_store *store, struct oi_names *names);
void oi_snapshot_drop(struct oi_store *store);

/* coverage.c */
enum oi_status oi_coverage_save(struct oi_access *access, const struct oi_batch *batch,
                                uint64_t number, struct oi_error *error);

/* rollup.c */
/* Make the stored rollups of a series anew wherever `touched` (in key order) changed rows. */
enum oi_status oi_rollups_renew(struct oi_access *access, uint32_t series,
                                const struct oi_rows *touched, const struct oi_hidden *hidden,
                                struct oi_error *error);

/* scan.c */
/* Visible rows of the chunks of a series in a span, the last revision of each time, inside a
 * transaction of the caller; `each` gets them in order, block by block, with all columns. */
enum oi_status oi_chunks_walk(
    struct oi_access *access, uint32_t series, struct oi_span span, const struct oi_hidden *hidden,
    enum oi_status (*each)(void *context, const struct oi_columns *columns, struct oi_error *error),
    void *context, struct oi_error *error);
