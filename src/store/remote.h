/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seam for an engine that keeps the rows elsewhere (ClickHouse).
 *
 * What is small stays as it is: catalogue, coverage, import ledger, flags, commit times and the
 * newest row of every series are a mirror in this process, kept by the embedded code over the
 * engine in memory. What is large, the rows, is the remote's: an append hands it the batch before
 * the mirror commits, a scan asks it for the rows of a stretch. So both engines judge, merge and
 * answer by the same code, and can differ only in how bytes are fetched.
 *
 * All changes, of this process and of others, are one sequence of events that the remote keeps;
 * whoever applies them in order has the same mirror. Applying happens under `append_lock`.
 */
#pragma once

#include "base/buffer.h"
#include "store/batch.h"
#include "store/rollup.h"
#include "store/rows.h"
#include "store/store.h"

/* Batches of more rows are not told by their event: a follower asks for the positions instead. */
#define OI_REMOTE_ROWS_TOLD 100000

enum oi_change_kind {
    OI_CHANGE_APPEND = 1, /* a batch: holes, marks and an import's mark in the body, rows apart */
    OI_CHANGE_DEFINE,
    OI_CHANGE_FEED,
    OI_CHANGE_SERIES,
    OI_CHANGE_WITHDRAW,
    OI_CHANGE_FLAG,
};

/* One change of the sequence; slices are borrowed for the call. */
struct oi_change {
    enum oi_change_kind kind;
    oi_time time;         /* the commit's; given by the mirror */
    uint64_t batch;       /* of an append; else 0 */
    uint64_t row_count;   /* of an append */
    struct oi_slice body; /* what was changed */
    struct oi_slice rows; /* the rows of a small append (batch.h); empty: too many to be told */
};

/* A row's key, for the question of what is there already. */
struct oi_row_key {
    uint32_t series;
    oi_time time;
};

/* A stretch of one series to be read. */
struct oi_stretch {
    uint32_t series;
    struct oi_span span;  /* not empty, and inside of what the series has */
    uint64_t batch_limit; /* rows of later batches are not wanted */
    unsigned columns;     /* enum oi_column; key and batch are always wanted */
    bool lacks_wides;     /* no row has a wide figure */
    bool is_backwards;
    size_t rows_max;      /* as many as the caller can use, about; SIZE_MAX: no limit */
    uint64_t series_rows; /* what the series has, for guessing how dense it is */
    struct oi_span extent;
    size_t block_rows; /* how many rows a block may have; grows as a scan goes on */
};

/* Batches of withdrawn imports: a sorted set. */
struct oi_hidden {
    uint64_t *batches;
    size_t count;
};
bool oi_hidden_has(const struct oi_hidden *hidden, uint64_t batch);

/* Rows of many series to be read together. */
struct oi_gather_request {
    const uint32_t *series; /* ascending */
    size_t count;
    struct oi_span span;
    unsigned columns;
    bool lacks_wides;
    uint64_t batch_limit;
};
/* Where a series stands among those of the request; `count` when it is none of them. */
size_t oi_gather_place(const struct oi_gather_request *request, uint32_t series);

/* What the remote says of one series. */
struct oi_remote_position {
    uint32_t instrument;
    uint16_t feed;
    uint64_t rows, last_batch;
    oi_time first, last;
    unsigned absent; /* figures that no row has: a bit of each, in the order of oi_record; and one
                        more: no row has a wide figure */
    bool has_newest; /* of batches that are not hidden */
    uint64_t newest_batch;
    struct oi_observation newest;
};

/* What is called is `calls`, with `context`. All under the append lock, where nothing else is said.
 */
struct oi_remote_calls {
    /* Apply (oi_remote_apply) what others changed. `is_needed`: at once, or fail; otherwise when it
     * is due, and a remote that is away leaves the mirror as it is. */
    enum oi_status (*follow)(void *context, bool is_needed, struct oi_error *error);
    /* Is it time to look? On any thread, without a lock. */
    bool (*is_due)(void *context);
    /* Make a change known to all. *ret_overtaken, and nothing done, when somebody else was quicker:
     * follow, and try again. `rows` are those of an append, else NULL. */
    enum oi_status (*commit)(void *context, const struct oi_change *change,
                             const struct oi_batch_rows *rows, bool *ret_overtaken,
                             struct oi_error *error);
    /* All rows of these keys, which are ascending, in order of series, then key. */
    enum oi_status (*present)(void *context, const struct oi_row_key *keys, size_t count,
                              struct oi_batch_rows *rows, struct oi_error *error);
    /* All rows of a part of the stretch that begins (ends, backwards) where it does, into `rows`
     * in key order; *ret_done is that part. On any thread. */
    enum oi_status (*read)(void *context, const struct oi_stretch *stretch, struct oi_rows *rows,
                           struct oi_span *ret_done, struct oi_error *error);
    /* All rows in the span, of series i into rows[i] in key order. On any thread. */
    enum oi_status (*gather)(void *context, const struct oi_gather_request *request,
                             struct oi_rows *rows, struct oi_error *error);
    /* Sums of the request's series, as oi_store_sums. On any thread. */
    enum oi_status (*sums)(void *context, const struct oi_gather_request *request,
                           struct oi_sums *sums, struct oi_error *error);
    /* Ready made hours or days of the request's span up to *ret_until, where a bucket begins, into
     * `rollups`: as they are known now, without marks of bad rows. The rest is made of rows. On any
     * thread. */
    enum oi_status (*ready)(void *context, const struct oi_rollup_request *request,
                            struct oi_rollups *rollups, oi_time *ret_until, struct oi_error *error);
    /* The remote cannot be reached and this batch is to be kept for later: OI_OK when it is. */
    enum oi_status (*keep)(void *context, const struct oi_batch *batch, struct oi_error *error);
    /* What waits, for oi_store_stats. On any thread. */
    void (*stats)(void *context, struct oi_store_stats *stats);
    /* Anything wrong with what the remote holds, to `fault`. Without a lock. */
    enum oi_status (*verify)(void *context, void (*fault)(void *, const char *), void *listener,
                             struct oi_verify_report *report, struct oi_error *error);
    enum oi_status (*measure)(void *context, void (*each)(void *, const char *what, uint64_t bytes),
                              void *listener, uint64_t *ret_rows, struct oi_error *error);
    /* Remove rows of a series before a time; *ret_rows counts them. */
    enum oi_status (*retain)(void *context, uint32_t series, oi_time before, uint64_t *ret_rows,
                             struct oi_error *error);
    void (*stop)(void *context);  /* nothing is called on own threads any more */
    void (*close)(void *context); /* after the mirror is gone */
};

/* Open a mirror in an empty folder `path`. The remote follows before the first question. */
enum oi_status oi_remote_open(const char *path, const struct oi_store_options *options,
                              const struct oi_remote_calls *calls, void *context,
                              struct oi_store **ret_store, struct oi_error *error);
/* What a store over a remote was opened with, or NULL. */
void *oi_remote_context(struct oi_store *store, const struct oi_remote_calls *calls);
/* Follow at once, if need be. */
enum oi_status oi_remote_follow(struct oi_store *store, struct oi_error *error);

/* From within `verify`: series up to this one are done. */
void oi_remote_verified(struct oi_store *store, uint32_t series);

/* Follow, unless somebody does or appends at this moment: on a thread of the remote's. */
enum oi_status oi_remote_look(struct oi_store *store, struct oi_error *error);

/*
 * For the remote, under the append lock.
 */

/* Apply a change that is in the sequence: CORRUPT when the mirror cannot follow. What was refused
 * when it was made (INVALID, NOT_FOUND) is refused here in the same way and changes nothing. */
enum oi_status oi_remote_apply(struct oi_store *store, const struct oi_change *change,
                               size_t *ret_changed, struct oi_error *error);
/* Many appends in one transaction of the mirror: between begin and end only appends are applied. */
enum oi_status oi_remote_apply_all(struct oi_store *store, const struct oi_change *changes,
                                   size_t count, struct oi_error *error);
/* What the remote holds of a series; rows that are newer are told by appends. */
void oi_remote_place(struct oi_store *store, const struct oi_remote_position *position);
/* The caller frees `batches` with oi_free. */
struct oi_hidden oi_remote_hidden(struct oi_store *store);
/* Instrument and feed of a series, in order of ids; false for an unknown one. */
bool oi_remote_series(struct oi_store *store, uint32_t series, struct oi_series *ret_series);
/* Where a series stands; false without a row. */
struct oi_remote_extent {
    uint64_t rows;
    oi_time first, last;
    bool lacks_wides;
};
bool oi_remote_extent(struct oi_store *store, uint32_t series, struct oi_remote_extent *ret_extent);
/* 0: none. */
uint32_t oi_remote_find_series(struct oi_store *store, uint32_t instrument, uint16_t feed);
/* The mirror's, without following; and the time of the next change. */
oi_time oi_remote_now(struct oi_store *store);
uint64_t oi_remote_last_batch(struct oi_store *store);
/* Append what was kept for later, as oi_store_append does. */
enum oi_status oi_remote_append(struct oi_store *store, const struct oi_batch *batch,
                                struct oi_error *error);

/* What a batch tells besides its rows, as bytes and back; pure. */
struct oi_told_batch {
    bool has_mark;
    struct oi_import_mark mark;
    OI_VECTOR(struct oi_hole) holes;
    OI_VECTOR(struct oi_watch_mark) marks;
};
void oi_remote_encode_batch(const struct oi_batch *batch, const struct oi_import_mark *mark,
                            struct oi_buffer *out);
/* CORRUPT when the bytes are none. */
enum oi_status oi_told_decode(struct oi_slice body, struct oi_told_batch *told,
                              struct oi_error *error);
void oi_told_release(struct oi_told_batch *told);
