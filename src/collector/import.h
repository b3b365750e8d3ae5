/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Importing a file: read, unpack, resume, append, report. A file is known by its bytes
 * (base/fingerprint.h): one that is in the ledger changes nothing; one that was cut short by a
 * crash goes on where its last commit ended. Rows are committed by the ten thousand, each batch
 * with how far it got.
 */
#pragma once

#include "archives/archive.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* One row that was not taken. Borrowed for the call. */
struct oi_import_refusal {
    const char *file; /* with the name inside a zip archive behind a colon */
    uint64_t line;
    struct oi_slice field, value; /* may be empty: the whole row */
    const char *reason;
};

struct oi_import_progress {
    uint64_t bytes_done, bytes_total; /* of the file as it lies on disk */
    uint64_t rows;
};

struct oi_import_options {
    const struct oi_archive *archive;
    const struct oi_mapping *mapping;   /* where the archive wants one */
    const struct oi_zone_loader *zones; /* or NULL */
    const char *name; /* of the feed behind "import:"; NULL: the file's name without its endings */
    /* For rows that do not say when they were known: this long after their time, flagged as
     * assumed. Otherwise it is the commit. */
    bool has_known_after;
    int64_t known_after_ns;
    /* For tests: tables of any size are loaded in bulk, in pieces of so many bytes. 0: large ones,
     * in large ones. */
    size_t piece_size;
    bool is_never_bulk; /* for tests: row by row, however large */
    /* Either may be NULL. */
    void (*refused)(void *context, const struct oi_import_refusal *refusal);
    void (*progress)(void *context, const struct oi_import_progress *progress);
    void *context;
};

struct oi_import_report {
    uint64_t rows; /* of the file: readings taken and refused */
    uint64_t stored, duplicate, refused;
    uint64_t rows_before;             /* of those, dealt with by an earlier run */
    uint64_t first_batch, last_batch; /* of this run; 0: no commit */
    bool was_imported;                /* the whole file was in the ledger: nothing changed */
};

/* Import one file. *ret_report is written on failure too: it tells how far it went, and what it
 * counts is in the store. INVALID, NOT_FOUND, CORRUPT, IO: the file, with its name and the reason,
 * rows before the damage are kept; FULL, BUSY: the store. Blocks; any thread. */
enum oi_status oi_import_file(struct oi_store *store, const char *path,
                              const struct oi_import_options *options,
                              struct oi_import_report *ret_report, struct oi_error *error);
