/* SPDX-License-Identifier: Apache-2.0 */
/* Rows in, order, filter and keys; the texts of cells are in top_text.c. */
#include "cli/top.h"

#include "base/alloc.h"
#include "base/json.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *const oi_top_units[] = { "coins", "contracts", "usd", "reported", NULL };
#define UNITS 4
/* A sparkline has a figure an hour: it is asked for anew so often. */
#define SPARK_NS (5 * OI_MINUTE)

void
oi_top_init(struct oi_top *top, bool is_utf8)
{
    *top = (struct oi_top){ .order = OI_TOP_USD, .is_utf8 = is_utf8, .page = 1 };
}

static void
release_rows(struct oi_top *top)
{
    for (size_t i = 0; i < top->rows.count; i++)
        oi_free(top->rows.items[i].market);
    oi_vector_release(&top->rows);
}

void
oi_top_release(struct oi_top *top)
{
    release_rows(top);
    oi_vector_release(&top->shown);
}

/*
 * Order and filter.
 */

static int
compare_values(const struct oi_top_row *a, const struct oi_top_row *b, enum oi_top_column order)
{
    switch (order) {
    case OI_TOP_AMOUNT:
        return oi_decimal_compare(&b->amount, &a->amount);
    case OI_TOP_USD:
        return oi_decimal_compare(&b->usd, &a->usd);
    case OI_TOP_1H:
        return oi_decimal_compare(&b->percent_1h, &a->percent_1h);
    case OI_TOP_24H:
        return oi_decimal_compare(&b->percent_24h, &a->percent_24h);
    case OI_TOP_AGE: /* the oldest first */
        return (a->time > b->time) - (a->time < b->time);
    case OI_TOP_MARKET:
    case OI_TOP_SPARK:
    case OI_TOP_COLUMNS:
        break;
    }
    return 0;
}

static bool
is_absent(const struct oi_top_row *row, enum oi_top_column order)
{
    return (order == OI_TOP_USD && oi_decimal_is_none(&row->usd)) ||
           (order == OI_TOP_1H && oi_decimal_is_none(&row->percent_1h)) ||
           (order == OI_TOP_24H && oi_decimal_is_none(&row->percent_24h)) ||
           (order == OI_TOP_AMOUNT && oi_decimal_is_none(&row->amount));
}

/* What is not known stands last in either direction; the name decides what is equal. */
static int
compare(const void *left, const void *right, void *context)
{
    const struct oi_top *top = context;
    const struct oi_top_row *a = &top->rows.items[*(const uint32_t *) left];
    const struct oi_top_row *b = &top->rows.items[*(const uint32_t *) right];
    int absent = is_absent(a, top->order) - is_absent(b, top->order);
    int order = compare_values(a, b, top->order);

    if (absent != 0)
        return absent;
    if (order == 0)
        order = strcmp(a->market, b->market);
    return top->is_reversed ? -order : order;
}

static void
clamp(struct oi_top *top)
{
    size_t last = top->shown.count > top->page ? top->shown.count - top->page : 0;

    if (top->first > last)
        top->first = last;
}

static void
arrange(struct oi_top *top)
{
    oi_vector_clear(&top->shown);
    for (size_t i = 0; i < top->rows.count; i++)
        if (!top->filter[0] || strcasestr(top->rows.items[i].market, top->filter))
            oi_vector_push(&top->shown, (uint32_t) i);
    if (top->shown.count > 0)
        qsort_r(top->shown.items, top->shown.count, sizeof(*top->shown.items), compare, top);
    clamp(top);
}

const struct oi_top_row *
oi_top_row_at(const struct oi_top *top, size_t line)
{
    if (top->first + line >= top->shown.count)
        return NULL;
    return &top->rows.items[top->shown.items[top->first + line]];
}

/*
 * Answers.
 */

static struct oi_decimal
figure(const struct oi_json_node *row, const char *name)
{
    struct oi_decimal value = {};

    if (oi_decimal_parse(oi_json_text(oi_json_member(row, name)), &value, NULL) != OI_OK)
        value = (struct oi_decimal){};
    return value;
}

static bool
read_row(const struct oi_json_node *node, struct oi_top_row *row)
{
    struct oi_slice market = oi_json_text(oi_json_member(node, "market"));
    struct oi_slice unit = oi_json_text(oi_json_member(node, "unit"));
    struct oi_slice time = oi_json_text(oi_json_member(node, "time"));

    if (market.size == 0 || oi_time_parse_utc(time, &row->time, NULL) != OI_OK)
        return false;
    row->amount = figure(node, "open_interest");
    row->usd = figure(node, "value_usd");
    row->percent_1h = figure(node, "change_percent_1h");
    row->percent_24h = figure(node, "change_percent_24h");
    (void) snprintf(row->unit, sizeof(row->unit), "%.*s", OI_SLICE_ARGS(unit));
    row->market = oi_copy_text(market);
    return true;
}

static struct oi_map *
index_rows(const struct oi_top *top)
{
    struct oi_map *map = oi_map_new();

    for (size_t i = 0; i < top->rows.count; i++)
        oi_map_put(map, oi_slice_of(top->rows.items[i].market), i);
    return map;
}

enum oi_status
oi_top_take_rows(struct oi_top *top, struct oi_slice json, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *document = NULL;
    OI_CLEANUP(oi_map_free) struct oi_map *known = index_rows(top);
    const struct oi_json_node *data;
    struct oi_top fresh = {};

    OI_TRY(oi_json_open(json, &document, error));
    data = oi_json_member(oi_json_root(document), "data");
    if (oi_json_kind(data) != OI_JSON_ARRAY)
        return oi_fail(error, OI_E_UPSTREAM, "the answer is not of oi's native API");
    for (const struct oi_json_node *node = oi_json_first(data); node; node = oi_json_next(node)) {
        struct oi_top_row row = {};
        uint64_t before;

        if (!read_row(node, &row))
            continue;
        if (oi_map_get(known, oi_slice_of(row.market), &before)) {
            row.sparked = top->rows.items[before].sparked;
            memcpy(row.hours, top->rows.items[before].hours, sizeof(row.hours));
        }
        oi_vector_push(&fresh.rows, row);
    }
    release_rows(top);
    top->rows.items = fresh.rows.items;
    top->rows.count = fresh.rows.count;
    top->rows.capacity = fresh.rows.capacity;
    top->wants_rows = false;
    arrange(top);
    return OI_OK;
}

bool
oi_top_wants_hours(const struct oi_top_row *row, oi_time now)
{
    return now - row->sparked >= SPARK_NS;
}

enum oi_status
oi_top_take_hours(struct oi_top *top, struct oi_slice json, oi_time now, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *document = NULL;
    OI_CLEANUP(oi_map_free) struct oi_map *known = index_rows(top);
    const struct oi_json_node *data;

    OI_TRY(oi_json_open(json, &document, error));
    data = oi_json_member(oi_json_root(document), "data");
    for (const struct oi_json_node *node = oi_json_first(data); node; node = oi_json_next(node)) {
        struct oi_slice market = oi_json_text(oi_json_member(node, "market"));
        struct oi_slice start = oi_json_text(oi_json_member(node, "start"));
        struct oi_top_row *row;
        oi_time time;
        uint64_t at;

        if (!oi_map_get(known, market, &at) || oi_time_parse_utc(start, &time, NULL) != OI_OK)
            continue;
        row = &top->rows.items[at];
        if (row->sparked != now)
            memset(row->hours, 0, sizeof(row->hours));
        row->sparked = now;
        if (time <= now && now - time < OI_TOP_HOURS * OI_HOUR)
            row->hours[OI_TOP_HOURS - 1 - (now / OI_HOUR - time / OI_HOUR)] = figure(node, "close");
    }
    for (size_t i = top->first; i < top->first + top->page && i < top->shown.count; i++) {
        struct oi_top_row *row = &top->rows.items[top->shown.items[i]];

        if (oi_top_wants_hours(row, now))
            row->sparked = now;
    }
    return OI_OK;
}

/*
 * Keys.
 */

static void
press_in_filter(struct oi_top *top, int key)
{
    size_t size = strlen(top->filter);

    if (key == OI_KEY_ENTER) {
        top->is_filtering = false;
        return;
    }
    if (key == OI_KEY_ESCAPE) {
        top->is_filtering = false;
        size = 0;
    } else if (key == OI_KEY_BACKSPACE) {
        size -= size > 0;
    } else if (key > ' ' && key < 0x7f && size + 1 < sizeof(top->filter)) {
        top->filter[size++] = (char) key;
    } else {
        return;
    }
    top->filter[size] = '\0';
    top->first = 0;
    arrange(top);
}

static bool
press_order(struct oi_top *top, int key)
{
    static const char keys[] = "mou12a"; /* in the order of the columns */
    const char *found = key > 0 && key < 0x7f ? strchr(keys, key) : NULL;
    enum oi_top_column order;

    if (!found)
        return false;
    order = (enum oi_top_column)(found - keys);
    top->is_reversed = order == top->order && !top->is_reversed;
    top->order = order;
    top->first = 0;
    arrange(top);
    return true;
}

static void
press_move(struct oi_top *top, int key)
{
    size_t page = top->page > 1 ? top->page - 1 : 1;
    size_t back = key == OI_KEY_PAGE_UP ? page : 1;

    if (key == OI_KEY_UP || key == 'k' || key == OI_KEY_PAGE_UP)
        top->first -= top->first < back ? top->first : back;
    else if (key == OI_KEY_DOWN || key == 'j')
        top->first++;
    else if (key == OI_KEY_PAGE_DOWN)
        top->first += page;
    else if (key == OI_KEY_HOME || key == 'g')
        top->first = 0;
    else if (key == OI_KEY_END || key == 'G')
        top->first = top->shown.count;
    clamp(top);
}

void
oi_top_press(struct oi_top *top, int key)
{
    if (key == OI_KEY_NONE) {
        clamp(top);
        return;
    }
    if (key == OI_KEY_STOP || (key == 'q' && !top->is_filtering)) {
        top->is_over = true;
    } else if (top->is_filtering) {
        press_in_filter(top, key);
    } else if (key == '/') {
        top->is_filtering = true;
    } else if (key == OI_KEY_ESCAPE) {
        press_in_filter(top, key);
    } else if (key == 'p' || key == ' ') {
        top->is_paused = !top->is_paused;
    } else if (key == 'r') {
        top->is_reversed = !top->is_reversed;
        arrange(top);
    } else if (key == 'c') {
        top->unit = (top->unit + 1) % UNITS;
        top->wants_rows = true;
    } else if (!press_order(top, key)) {
        press_move(top, key);
    }
}
