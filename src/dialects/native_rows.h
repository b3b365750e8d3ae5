/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The native stream as another oi hears it: everything a reading has, and what it takes to place it
 * in another store. Four kinds of messages, one JSON object each: a market's definition and a
 * feed's facts (before the first row of either on a connection, and when they change), a row, and a
 * position: whatever was committed up to it has been sent. Numbers of markets and commits are the
 * sender's own.
 */
#pragma once

#include "core/instrument.h"
#include "core/observation.h"

#include <stdbool.h>
#include <stdint.h>

/* As long as a name of a feed may be (store/store.h, which pure code does not see). */
#define OI_NATIVE_FEED_SIZE 64

enum oi_native_message_kind {
    OI_NATIVE_DEFINITION,
    OI_NATIVE_FEED,
    OI_NATIVE_ROW,
    OI_NATIVE_POSITION,
};

struct oi_native_feed {
    char name[OI_NATIVE_FEED_SIZE];
    char unit[OI_NAME_SIZE]; /* "" : unknown */
    int sides;
    int64_t cadence_ns;
    bool restates;
    bool is_daily;
};

struct oi_native_message {
    enum oi_native_message_kind kind;
    struct oi_instrument instrument; /* DEFINITION; its id is the sender's */
    struct oi_native_feed feed;      /* FEED; of a ROW the name alone */
    uint32_t market;                 /* ROW: the id of a definition sent before */
    struct oi_observation reading;   /* ROW */
    uint64_t batch;                  /* ROW: of this commit; POSITION: up to it */
};

/* Append one message. */
void oi_native_write_definition(const struct oi_instrument *instrument, struct oi_buffer *out);
void oi_native_write_feed(const struct oi_native_feed *feed, struct oi_buffer *out);
void oi_native_write_row(const struct oi_instrument *instrument, const char *feed,
                         const struct oi_observation *reading, uint64_t batch,
                         struct oi_buffer *out);
void oi_native_write_position(uint64_t batch, struct oi_buffer *out);

/* UPSTREAM for what is none of these. */
enum oi_status oi_native_read_message(struct oi_slice text, struct oi_native_message *ret_message,
                                      struct oi_error *error);
