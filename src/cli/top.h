/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model of `oi top`: rows, their order, the filter, what each key does, and every cell as a
 * text. Knows no terminal: terminal.h draws what this says.
 */
#pragma once

#include "base/buffer.h"
#include "base/map.h"
#include "base/slice.h"
#include "base/vector.h"
#include "core/decimal.h"
#include "core/time.h"

#include <stdbool.h>
#include <stddef.h>

/* Hours in a sparkline. */
#define OI_TOP_HOURS 24

struct oi_top_row {
    char *market; /* owned */
    char unit[16];
    struct oi_decimal amount, usd;
    struct oi_decimal percent_1h, percent_24h; /* or none */
    oi_time time;
    oi_time sparked; /* when `hours` was filled; 0: never */
    struct oi_decimal hours[OI_TOP_HOURS];
};

enum oi_top_column {
    OI_TOP_MARKET = 0,
    OI_TOP_AMOUNT,
    OI_TOP_USD,
    OI_TOP_1H,
    OI_TOP_24H,
    OI_TOP_AGE,
    OI_TOP_SPARK,
    OI_TOP_COLUMNS,
};

/* Keys that are no characters. */
enum oi_top_key {
    OI_KEY_UP = 0x11'0000, /* behind the last code point */
    OI_KEY_DOWN,
    OI_KEY_PAGE_UP,
    OI_KEY_PAGE_DOWN,
    OI_KEY_HOME,
    OI_KEY_END,
    OI_KEY_ESCAPE,
    OI_KEY_ENTER,
    OI_KEY_BACKSPACE,
    OI_KEY_NONE, /* time went by, or the window has another size */
    OI_KEY_STOP, /* a signal asks to stop */
};

enum oi_top_style { OI_STYLE_PLAIN = 0, OI_STYLE_HEAD, OI_STYLE_UP, OI_STYLE_DOWN, OI_STYLE_DIM };

struct oi_top {
    OI_VECTOR(struct oi_top_row) rows;
    OI_VECTOR(uint32_t) shown; /* indices of rows that fit the filter, in order */
    enum oi_top_column order;
    bool is_reversed;
    bool is_paused, is_over;
    bool is_filtering; /* keys go into the filter */
    bool wants_rows;   /* the unit has changed: ask again */
    bool is_utf8;
    size_t unit; /* index in oi_top_units */
    char filter[64];
    size_t first; /* shown[first] is on the first line */
    size_t page;  /* rows on a page, set by who draws */
};

/* "coins", "contracts", "usd", "reported", NULL: the native API's. */
extern const char *const oi_top_units[];

void oi_top_init(struct oi_top *top, bool is_utf8);
void oi_top_release(struct oi_top *top);

/* Take an answer of /oi/v1/latest in place of the rows; sparklines stay. UPSTREAM for what is no
 * such answer. */
enum oi_status oi_top_take_rows(struct oi_top *top, struct oi_slice json, struct oi_error *error);
/* Is it time for the sparkline of a row? */
bool oi_top_wants_hours(const struct oi_top_row *row, oi_time now);
/* Take the closes of an answer of candles of an hour into the sparklines of the markets named, as
 * of `now`; the other rows of the page have none. */
enum oi_status oi_top_take_hours(struct oi_top *top, struct oi_slice json, oi_time now,
                                 struct oi_error *error);
void oi_top_press(struct oi_top *top, int key);

/* The row on a line of the page, or NULL below the last. */
const struct oi_top_row *oi_top_row_at(const struct oi_top *top, size_t line);
/* How wide each column is on a screen of so many columns; 0: it is left out. */
void oi_top_layout(size_t width, size_t ret_widths[OI_TOP_COLUMNS]);
bool oi_top_is_right(enum oi_top_column column);
/* Texts, appended. */
void oi_top_write_head(const struct oi_top *top, enum oi_top_column column, struct oi_buffer *out);
enum oi_top_style oi_top_write_cell(const struct oi_top *top, const struct oi_top_row *row,
                                    enum oi_top_column column, oi_time now, struct oi_buffer *out);
void oi_top_write_title(const struct oi_top *top, oi_time now, const char *source,
                        struct oi_buffer *out);
void oi_top_write_foot(const struct oi_top *top, const char *trouble, struct oi_buffer *out);
/* "1.23B": four digits and a letter for thousands. */
void oi_top_write_short(const struct oi_decimal *value, struct oi_buffer *out);
/* One character for each figure, from the lowest to the highest; a blank where there is none. */
void oi_top_write_spark(const struct oi_decimal *values, size_t count, bool is_utf8,
                        struct oi_buffer *out);
