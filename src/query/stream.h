/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The readings of one market: its feeds merged by precedence and turned into the unit asked for,
 * block by block, forwards. The store's columns are passed on as they are wherever no row has to
 * change.
 */
#pragma once

#include "query/damages.h"
#include "query/run.h"

struct oi_stream_request {
    const struct oi_source *source;
    const struct oi_catalog *catalog;
    uint32_t instrument;
    struct oi_span span;
    struct oi_moment moment;
    unsigned columns;  /* beside what the conversion needs */
    enum oi_unit unit; /* UNKNOWN: each feed's own */
    bool one_sided;
    bool wants_amounts; /* false: only count and time, nothing is converted or left out */
    bool wants_usd;
    size_t likely_rows; /* the reader will hardly go on after so many; 0: to the end */
    bool shows_bad;     /* rows that the operator holds to be bad stay */
    bool is_sum; /* only times and amounts (with wants_usd: usd) are looked at, and most likely
                    again: no other figures come where these are stored */
    struct oi_gather *gather;   /* of oi_store_gather, for its span and columns; or NULL */
    struct oi_damages *damages; /* where damaged chunks are told, and then passed over; NULL: they
                                   fail the stream */
};

/* A run of rows of one feed under one set of facts. Borrowed until the next call. */
struct oi_stream_block {
    struct oi_columns columns;
    struct oi_decimals
        amounts; /* never none: rows that cannot be turned are left out and counted */
    struct oi_decimals usd;
    const struct oi_scan_steps *steps; /* how its times go; NULL where it is not known */
    const struct oi_feed *feed;
    const struct oi_convention *convention; /* NULL: the import's own word, or nothing known */
    enum oi_unit unit;
    int sides;
};

struct oi_stream;
struct oi_facts;

enum oi_status oi_stream_open(const struct oi_stream_request *request,
                              struct oi_stream **ret_stream, struct oi_error *error);
/* NULL at the end. */
enum oi_status oi_stream_next(struct oi_stream *stream, const struct oi_stream_block **ret_block,
                              struct oi_error *error);
/* Rows left out so far because their unit could not be turned into the one asked for. */
uint64_t oi_stream_left_out(const struct oi_stream *stream);
void oi_stream_close(struct oi_stream **stream);

/* How the rows of the block at hand count; borrowed until the next one. */
const struct oi_facts *oi_stream_facts(const struct oi_stream *stream);

/* How a series counts at an instant. */
struct oi_facts {
    const struct oi_feed *feed;
    const struct oi_convention *convention;
    enum oi_unit unit;
    int sides;
    int64_t staleness_ns;
    struct oi_instrument instrument; /* the version in force */
};
void oi_facts_at(const struct oi_source *source, const struct oi_catalog *catalog, uint32_t series,
                 oi_time time, oi_time as_of, struct oi_facts *ret_facts);
/* Do both turn a reading the same way? */
bool oi_facts_same(const struct oi_facts *left, const struct oi_facts *right);

/* One reading in a unit under these facts. None where it cannot be turned. */
struct oi_decimal oi_facts_convert(const struct oi_facts *facts,
                                   const struct oi_observation *reading, enum oi_unit unit,
                                   bool one_sided);

/* The series of an instrument, most preferred feed first: live, stream, history, archives, imports.
 * Returns how many were written (at most `room`). */
size_t oi_series_by_precedence(const struct oi_catalog *catalog, uint32_t instrument,
                               uint32_t *series, size_t room);

/* More feeds of one instrument than this are left out, the least preferred ones first. */
#define OI_FEEDS_MAX 32
