/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file format as a descriptor, and a reader that drives it: bytes are pushed in pieces, readings
 * are called back in the order of the file. Pure: no files, no clock, no store.
 *
 * A row that cannot be taken is refused with its line, field, value and reason, and reading goes
 * on. Damage to the structure (a header that does not fit, a quote that never ends) ends the
 * reading with everything before it handed over. The same bytes give the same calls, however they
 * are cut into pieces: that is what makes an import resumable.
 */
#pragma once

#include "archives/mapping.h"
#include "base/slice.h"
#include "base/status.h"
#include "core/convention.h"
#include "core/instrument.h"
#include "core/observation.h"
#include "core/zone.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct oi_record;
struct oi_json_node;
struct oi_reader;

/* One reading of a file. */
struct oi_archive_row {
    uint64_t line; /* where its record begins, from 1 */
    size_t market; /* for oi_reader_market */
    /* UNKNOWN: the conventions of the format's feed say it. */
    enum oi_unit unit;
    struct oi_observation reading;
};

/* One row, or one field of it, that was not taken. Borrowed for the call. */
struct oi_archive_refusal {
    uint64_t line;
    struct oi_slice field, value; /* may be empty: the whole row */
    const char *reason;
};

struct oi_archive_sink {
    /* A failure ends the reading. */
    enum oi_status (*take)(void *context, const struct oi_archive_row *row, struct oi_error *error);
    void (*refuse)(void *context, const struct oi_archive_refusal *refusal);
    void *context;
};

struct oi_archive_options {
    const char *file_name;              /* without folders; some formats have a date in it */
    const struct oi_mapping *mapping;   /* csv only, else NULL */
    const struct oi_zone_loader *zones; /* NULL: no zone but UTC can be named */
};

struct oi_archive {
    const char *name;      /* "binance-vision", as the command line has it */
    const char *full_name; /* for people */
    const char *feed;      /* "archive:binance-vision"; NULL: "import:" and a name */
    int64_t cadence_ns;    /* with `feed`: how often a figure is due */
    bool restates;         /* with `feed`: may a later file, or a later row, revise? */
    /* Facts about what such files hold, by exchange. */
    const struct oi_convention_page *pages;
    size_t page_count;

    /* The header has come: find the columns; may leave a state. */
    enum oi_status (*begin)(struct oi_reader *reader, const struct oi_record *header,
                            struct oi_error *error);
    /* One more record. */
    enum oi_status (*read)(struct oi_reader *reader, const struct oi_record *record,
                           struct oi_error *error);
    /* A line of JSON; NULL: the format has none. */
    enum oi_status (*read_json)(struct oi_reader *reader, uint64_t line,
                                const struct oi_json_node *object, struct oi_error *error);
    void (*end)(void *state);
};

#define OI_ARCHIVE(name) extern const struct oi_archive oi_archive_##name;
#include "archives/archives.def"
#undef OI_ARCHIVE

/* All registered formats, NULL-terminated, in the order of archives.def. */
extern const struct oi_archive *const oi_archives[];
/* By name, or NULL. */
const struct oi_archive *oi_archive_find(struct oi_slice name);

/* What `options` and `sink` point at must outlive the reader. INVALID when the format wants a
 * mapping and there is none or an incomplete one. */
enum oi_status oi_reader_open(const struct oi_archive *archive,
                              const struct oi_archive_options *options,
                              const struct oi_archive_sink *sink, struct oi_reader **ret_reader,
                              struct oi_error *error);
/* The next bytes, already unpacked. INVALID: it is not a file of this format, or holds what cannot
 * be imported, with the reason. CORRUPT: its structure is damaged. A failure lasts. */
enum oi_status oi_reader_add(struct oi_reader *reader, struct oi_slice piece, bool is_last,
                             struct oi_error *error);
void oi_reader_close(struct oi_reader **reader);

/* The market of a row: a provisional instrument with its exchange, product and symbol. Valid until
 * the next call on the reader. */
const struct oi_instrument *oi_reader_market(const struct oi_reader *reader, size_t market);
