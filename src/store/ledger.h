/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The import ledger: which files came in, how far, in which batches. It is in the order in which
 * they came; a process that asks by fingerprint remembers where each is, and reads what has come
 * since, so that an import of many files does not walk all of them for each. Any thread, within a
 * transaction of its own.
 */
#pragma once

#include "store/store_internal.h"

/* One entry of the ledger; its batches are the owner's to release. */
struct oi_ledger_entry {
    uint32_t id; /* 0: there is none */
    bool is_withdrawn;
    struct oi_import_mark mark;
    OI_VECTOR(uint64_t) batches; /* ascending */
};

struct oi_ledger *oi_ledger_new(void);
void oi_ledger_free(struct oi_ledger **ledger);
/* Forget where the entries are: some that were put, and perhaps read, were not committed. */
void oi_ledger_drop(struct oi_ledger *ledger);

enum oi_status oi_ledger_decode(struct oi_slice key, struct oi_slice body,
                                struct oi_ledger_entry *entry, struct oi_error *error);
enum oi_status oi_ledger_put(struct oi_access *access, const struct oi_ledger_entry *entry,
                             struct oi_error *error);
bool oi_ledger_has_batch(const struct oi_ledger_entry *entry, uint64_t batch);
/* The entry in force of a file, or of a batch (for which all are walked). */
enum oi_status oi_ledger_find(struct oi_access *access,
                              const uint8_t fingerprint[OI_FINGERPRINT_SIZE],
                              struct oi_ledger_entry *ret_entry, struct oi_error *error);
enum oi_status oi_ledger_find_batch(struct oi_access *access, uint64_t batch,
                                    struct oi_ledger_entry *ret_entry, struct oi_error *error);
