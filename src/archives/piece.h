/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a large plain table in pieces of whole lines, on as many threads as there are, into
 * packed rows. The usual line is read here, eight characters at a time; any other one goes through
 * the general reader, so that both ways say the same of the same bytes. Pure; one reader a thread.
 */
#pragma once

#include "archives/archive.h"
#include "base/vector.h"
#include "core/packed.h"

struct oi_piece_reader;

/* So many bytes behind a piece may be read, whatever they are. */
#define OI_PIECE_SLACK ((size_t) 16)

/* As struct oi_archive_refusal; texts live in the piece's arena. */
struct oi_piece_refusal {
    size_t item; /* how many rows and refusals of the piece come before it */
    uint64_t line;
    struct oi_slice field, value;
    const char *reason;
};

/* What a piece holds; reused, {} is empty. Lines are counted from 1 in the piece. */
struct oi_piece {
    OI_VECTOR(struct oi_packed) rows; /* in order; target: an index of the reader's targets */
    OI_VECTOR(struct oi_decimal) wides;
    OI_VECTOR(struct oi_piece_refusal) refusals;
    struct oi_arena arena;
    uint64_t lines;
};
void oi_piece_release(struct oi_piece *piece);

/* A market in one unit. */
struct oi_piece_target {
    size_t market; /* for oi_piece_reader_market */
    enum oi_unit unit;
};

/* `header` is the file's first line with its end. NOT_FOUND, without a message, when the table is
 * none that can be read so: the general reader says what there is to say. */
enum oi_status oi_piece_reader_open(const struct oi_archive *archive,
                                    const struct oi_archive_options *options,
                                    struct oi_slice header, struct oi_piece_reader **ret_reader);
void oi_piece_reader_close(struct oi_piece_reader **reader);

/* Whole lines, each with its end. False when they cannot be read without what is around them (a
 * quote, a lone carriage return) or are damaged: then the file is for the general reader. */
bool oi_piece_read(struct oi_piece_reader *reader, struct oi_slice lines, struct oi_piece *piece);

/* The targets met so far; indices stay. */
size_t oi_piece_reader_targets(const struct oi_piece_reader *reader,
                               const struct oi_piece_target **ret_targets);
const struct oi_instrument *oi_piece_reader_market(const struct oi_piece_reader *reader,
                                                   size_t market);
