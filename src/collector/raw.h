/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a collector did, written down as it does it: requests, replies, the instants of its acts.
 * Files of an hour in a folder, docs/formats/raw.md draws their bytes. Reading is pure; writing
 * never stops the collecting: what cannot be written is counted and left out.
 */
#pragma once

#include "base/buffer.h"
#include "base/clock.h"
#include "base/status.h"
#include "core/time.h"
#include "exchanges/exchange.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

enum oi_raw_kind {
    OI_RAW_NONE = 0,
    OI_RAW_BEGIN,   /* an exchange's minute begins */
    OI_RAW_SEND,    /* a request goes out */
    OI_RAW_ANSWER,  /* its reply, or that there is none */
    OI_RAW_FLUSH,   /* what is complete is committed */
    OI_RAW_CLOSE,   /* the minute ends */
    OI_RAW_REFRESH, /* a stream takes over the markets as they are known */
    OI_RAW_FRAME,   /* a message of a stream */
    OI_RAW_PUSH,    /* what all streams told is committed */
};

/* One act. Texts may be empty; fields of other kinds are not looked at. When reading, everything is
 * borrowed until the next call on the reader. */
struct oi_raw_record {
    enum oi_raw_kind kind;
    oi_time wall;
    int64_t mono_ns;
    struct oi_slice exchange;
    oi_time minute;    /* BEGIN */
    oi_time committed; /* BEGIN, FLUSH, CLOSE, PUSH: OI_TIME_NONE: nothing was */
    bool is_stopping;  /* CLOSE, PUSH */
    uint64_t number;   /* SEND, ANSWER */
    enum oi_task_kind task;
    size_t endpoint;
    struct oi_slice product, family, symbol, page, request; /* SEND */
    enum oi_status outcome;                                 /* ANSWER */
    struct oi_slice reason;
    int status;
    const struct oi_http_field *headers;
    size_t header_count;
    struct oi_slice body;              /* ANSWER, FRAME */
    size_t stream;                     /* REFRESH, FRAME: of the exchange's */
    int64_t interval_ns;               /* REFRESH: at most one row of a market in this */
    const struct oi_watch_mark *marks; /* PUSH: the coverage that was told with it */
    size_t mark_count;
    const struct oi_hole *holes;
    size_t hole_count;
};

/*
 * Writing.
 */
struct oi_raw;

/* Borrowed until it is closed. */
struct oi_raw_options {
    const char *folder; /* made if absent */
    const struct oi_clock *clock;
    int64_t keep_ns;   /* files that were begun longer ago are removed; 0: none is */
    uint64_t size_max; /* and the oldest ones while all are larger together; 0: no limit */
};

/* IO when the folder cannot be made or written. */
enum oi_status oi_raw_open(const struct oi_raw_options *options, struct oi_raw **ret_raw,
                           struct oi_error *error);
/* Copied. What cannot be written is counted. */
void oi_raw_add(struct oi_raw *raw, const struct oi_raw_record *record);
/* Bring what has gathered to the file. */
void oi_raw_flush(struct oi_raw *raw);
/* Records that could not be written so far. */
uint64_t oi_raw_lost(const struct oi_raw *raw);
/* NULL-safe. */
void oi_raw_close(struct oi_raw **raw);

/*
 * The bytes.
 */

void oi_raw_write_head(uint64_t session, oi_time created, struct oi_buffer *out);
void oi_raw_write_record(const struct oi_raw_record *record, struct oi_buffer *out);
/* Records that were written one after the other, as a block. */
void oi_raw_write_block(struct oi_slice records, struct oi_buffer *out);

struct oi_raw_reader;

/* `bytes` is a whole file, borrowed. INVALID for another kind of file or a newer version. */
enum oi_status oi_raw_reader_open(struct oi_slice bytes, struct oi_raw_reader **ret_reader,
                                  struct oi_error *error);
uint64_t oi_raw_reader_session(const struct oi_raw_reader *reader);
/* The next record; kind NONE at the end. CORRUPT where bytes in the middle are damaged: calling
 * again goes on behind them. */
enum oi_status oi_raw_next(struct oi_raw_reader *reader, struct oi_raw_record *ret_record,
                           struct oi_error *error);
/* Bytes at the end that a crash left. */
size_t oi_raw_reader_torn(const struct oi_raw_reader *reader);
void oi_raw_reader_close(struct oi_raw_reader **reader);
