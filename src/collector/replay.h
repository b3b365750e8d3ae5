/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raw files through the live path again: the same adapters, registry, board and ledger, act by act,
 * at the instants at which it was done. The store that this makes equals the first one.
 */
#pragma once

#include "collector/raw.h"
#include "store/store.h"

#include <stdint.h>

struct oi_replay;

struct oi_replay_options {
    struct oi_virtual_clock *clock;            /* the store's own: it is moved to each act */
    const struct oi_exchange *const *registry; /* NULL: oi_exchanges */
};

struct oi_replay_report {
    uint64_t records, rows, damaged; /* damaged: pieces of files that could not be read */
    /* Requests whose minute, market or list is not in the files: those before them were removed. */
    uint64_t unmatched;
    uint64_t torn; /* bytes at the ends of files that a crash left */
};

enum oi_status oi_replay_open(const struct oi_replay_options *options, struct oi_store *store,
                              struct oi_replay **ret_replay, struct oi_error *error);
/* One whole file. Files of a session come in the order of their names. A failure is the store's,
 * or INVALID for another kind of file. */
enum oi_status oi_replay_file(struct oi_replay *replay, struct oi_slice bytes,
                              struct oi_error *error);
void oi_replay_close(struct oi_replay **replay, struct oi_replay_report *ret_report);
