/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder that files are put into: each is imported once, known by its bytes, and
 * left where it is. A file that still grows is waited for. What cannot be taken is in the log, once
 * for each version of the file.
 */
#pragma once

#include "archives/archive.h"
#include "base/clock.h"
#include "store/store.h"

#include <stdint.h>

struct oi_inbox;

/* Borrowed until it is closed. */
struct oi_inbox_options {
    const char *folder;
    const struct oi_archive *archive;
    const struct oi_zone_loader *zones;
    const struct oi_clock *clock; /* as the file system has it */
};

struct oi_inbox_report {
    uint64_t imported, known, failed; /* files of this look */
    uint64_t stored, refused;         /* rows of them */
};

/* IO when the folder cannot be read: it has to be there from the start. */
enum oi_status oi_inbox_open(const struct oi_inbox_options *options, struct oi_inbox **ret_inbox,
                             struct oi_error *error);
/* Import what is new. Trouble with files, or with the folder, is in the log; a failure is the
 * store's, and what it refused is tried again. ret_report may be NULL. */
enum oi_status oi_inbox_look(struct oi_inbox *inbox, struct oi_store *store,
                             struct oi_inbox_report *ret_report, struct oi_error *error);
/* NULL-safe. */
void oi_inbox_close(struct oi_inbox **inbox);
