/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a table's columns mean, for the format `csv`: which one is the time and how it is written,
 * which ones hold open interest, of which market and in which unit. Built from options as a person
 * gives them; nothing is guessed.
 */
#pragma once

#include "base/alloc.h"
#include "base/map.h"
#include "base/slice.h"
#include "base/status.h"
#include "base/vector.h"
#include "core/convention.h"
#include "core/time.h"

#include <stdbool.h>
#include <stdint.h>

enum oi_time_format {
    OI_TIME_FORMAT_ISO = 0, /* see oi_time_parse */
    OI_TIME_FORMAT_S,       /* since 1970, perhaps with a fraction */
    OI_TIME_FORMAT_MS,
    OI_TIME_FORMAT_US,
    OI_TIME_FORMAT_NS,
};

struct oi_mapping_time {
    const char *column; /* NULL: none */
    enum oi_time_format format;
};

/* A column with open interest. */
struct oi_mapping_column {
    const char *column;
    const char *market; /* NULL: the mapping's */
    enum oi_unit unit;  /* UNKNOWN: the mapping's */
};

/* A unit for the rows that meet every condition; the first rule that fits counts. */
struct oi_mapping_condition {
    const char *column;
    const char *pattern; /* as fnmatch has it */
};
struct oi_mapping_rule {
    struct oi_mapping_condition *conditions;
    size_t condition_count;
    enum oi_unit unit; /* UNKNOWN: such rows are refused, their figure has no unit of ours */
};

/* What --map says of one value. */
struct oi_mapping_target {
    const char *market;
    enum oi_unit unit; /* UNKNOWN: the mapping's */
};

/* Texts live in its arena. `struct oi_mapping mapping = OI_MAPPING_NONE;` is an empty one. */
struct oi_mapping {
    struct oi_arena arena;
    char delimiter;
    struct oi_mapping_time time, known_time, exchange_time;
    oi_time at;       /* the instant of every row, where no column has it; or NONE */
    const char *zone; /* of times that say none; NULL: such times are refused */
    OI_VECTOR(struct oi_mapping_column) columns;
    const char *market; /* an id, or a template with {column} in it */
    const char *map_column;
    struct oi_map *map; /* value to an index into `targets`; NULL: none */
    OI_VECTOR(struct oi_mapping_target) targets;
    enum oi_unit unit;
    OI_VECTOR(struct oi_mapping_rule) rules;
    const char *value_column, *mark_column, *index_column, *last_column;
    /* The figure is of this long after the label; naming it (0 too) also says that a candle's
     * column is meant. */
    bool has_instant;
    int64_t instant_ns;
    /* Facts of the feed that the file becomes. */
    int sides;          /* 0: not known */
    int64_t cadence_ns; /* 0: to be measured */
    bool is_daily;
};

#define OI_MAPPING_NONE ((struct oi_mapping){ .delimiter = ',', .at = OI_TIME_NONE })

/* Take an option by its name without dashes:
 *
 *     delimiter C | tab          zone NAME              at TIME
 *     time COLUMN[:FORMAT]       known-time COLUMN[:FORMAT]    exchange-time COLUMN[:FORMAT]
 *     oi COLUMN                  column COLUMN=MARKET   column-unit COLUMN=UNIT
 *     market ID                  map-column COLUMN      unit UNIT
 *     unit-when COLUMN=PATTERN[,COLUMN=PATTERN…]:UNIT|none
 *     value COLUMN               mark COLUMN            index COLUMN     last COLUMN
 *     instant start|DURATION     sides 1|2              every DURATION   daily yes|no
 *
 * FORMAT is iso, s, ms, us or ns. NOT_FOUND for another name, INVALID with the reason. */
enum oi_status oi_mapping_set(struct oi_mapping *mapping, const char *option, struct oi_slice text,
                              struct oi_error *error);
/* The content of a --map file: a line `value,market[,unit]` each, quoted as CSV, `#` begins a
 * comment line. */
enum oi_status oi_mapping_set_map(struct oi_mapping *mapping, struct oi_slice content,
                                  struct oi_error *error);
/* Does it say enough to read a table? INVALID with what is missing. */
enum oi_status oi_mapping_check(const struct oi_mapping *mapping, struct oi_error *error);
/* Does it name more than one unit? Each is then a feed of its own. */
bool oi_mapping_has_several_units(const struct oi_mapping *mapping);
void oi_mapping_release(struct oi_mapping *mapping);
