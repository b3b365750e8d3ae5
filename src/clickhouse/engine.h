/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the engine share: its state, and how rows are asked for. */
#pragma once

#include "clickhouse/client.h"
#include "clickhouse/filling.h"
#include "clickhouse/kept.h"
#include "clickhouse/readings.h"
#include "clickhouse/spool.h"
#include "clickhouse/tables.h"
#include "store/remote.h"

#include <pthread.h>
#include <stdatomic.h>

/* So many parts of a large batch go side by side. */
#define OI_CLICKHOUSE_PARCELS 2

struct oi_clickhouse {
    struct oi_clickhouse_client *client;
    struct oi_clickhouse_server server;
    struct oi_clickhouse_quorum quorum; /* of a cluster */
    struct oi_store *store;             /* the mirror */
    char folder[64];                    /* the mirror's, empty but for names */
    const struct oi_clock *clock;
    char writer[37];
    bool is_read_only;
    uint64_t verify_rows;      /* that are verified together, for tests; 0: as usual */
    int64_t turn_ns;           /* a turn whose event has not come after this is given up */
    _Atomic int64_t next_look; /* monotonic */
    /* Looks for news while readers read on, see looking.c. */
    pthread_t looker;
    pthread_mutex_t look_lock;
    pthread_cond_t look_wanted;
    bool has_looker, wants_look, is_stopped;
    /* Under the store's append lock. */
    bool is_begun; /* the first follow is done */
    bool lacks_positions;
    uint64_t placed; /* the batch as of which all positions were asked for last */
    struct oi_buffer blocks[OI_CLICKHOUSE_PARCELS]; /* memory between large batches */
    int64_t keeper_at; /* ZooKeeper is away, and is asked for again at this time; 0: it is there */
    uint64_t sequence; /* of the last event that the mirror has */
    int64_t own_since; /* when the last turn was taken */
    uint64_t own_turn; /* taken, and what became of it is not known; 0: none */
    uint64_t other_turn; /* taken by somebody whose event does not come */
    int64_t other_since;
    struct oi_spool *spool; /* or NULL */
    struct oi_kept *kept;   /* locks itself */
    struct oi_filling filling;
    OI_VECTOR(int8_t)
    finest; /* under its lock, [series - 1]: no open interest of it has a smaller
             * exponent, as far as is known */
    bool is_draining;
    int64_t drain_at, drain_pause; /* when the next try is made; 0: at once */
    atomic_bool is_away;
};

/* looking.c */
bool oi_clickhouse_is_due(void *context);
void oi_clickhouse_stop(void *context);
/* events.c */
enum oi_status oi_clickhouse_follow(void *context, bool is_needed, struct oi_error *error);
enum oi_status oi_clickhouse_commit(void *context, const struct oi_change *change,
                                    const struct oi_batch_rows *rows, bool *ret_overtaken,
                                    struct oi_error *error);
/* Tables of turns that are over, which nobody dropped, on the node at hand. */
void oi_clickhouse_drop_turns(struct oi_clickhouse *engine);
/* One block into a table ("name", or "name (columns)"), on as many replicas as it wants. */
enum oi_status oi_clickhouse_send(struct oi_clickhouse *engine, const char *table,
                                  const struct oi_buffer *block, struct oi_error *error);
/* rows.c of it: what the table of readings says. */
enum oi_status oi_clickhouse_present(void *context, const struct oi_row_key *keys, size_t count,
                                     struct oi_batch_rows *rows, struct oi_error *error);
enum oi_status oi_clickhouse_read(void *context, const struct oi_stretch *stretch,
                                  struct oi_rows *rows, struct oi_span *ret_done,
                                  struct oi_error *error);
/* verifying.c */
enum oi_status oi_clickhouse_verify(void *context, void (*fault)(void *, const char *),
                                    void *listener, struct oi_verify_report *ret_report,
                                    struct oi_error *error);
/* gathering.c */
enum oi_status oi_clickhouse_gather(void *context, const struct oi_gather_request *request,
                                    struct oi_rows *rows, struct oi_error *error);
/* summing.c */
enum oi_status oi_clickhouse_sums(void *context, const struct oi_gather_request *request,
                                  struct oi_sums *sums, struct oi_error *error);
/* A series has open interest with this exponent; so have rows, in order of series. */
void oi_clickhouse_note_digits(struct oi_clickhouse *engine, uint32_t series, int exponent);
void oi_clickhouse_note_rows(struct oi_clickhouse *engine, const struct oi_batch_rows *rows);
/* "batch <= B", and not one of a withdrawn import. */
void oi_clickhouse_write_batches(const struct oi_hidden *hidden, uint64_t batch_limit,
                                 struct oi_buffer *out);
/* Where every series stands as of a batch, into the mirror. */
enum oi_status oi_clickhouse_place_all(struct oi_clickhouse *engine, uint64_t batch_limit,
                                       struct oi_error *error);
enum oi_status oi_clickhouse_select(struct oi_clickhouse *engine, struct oi_buffer *statement,
                                    struct oi_buffer *out, struct oi_error *error);
