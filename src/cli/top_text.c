/* SPDX-License-Identifier: Apache-2.0 */
/* Every text that `oi top` shows. */
/* no unit test: top_test.c reads what it writes */
#include "cli/top.h"

#include "base/compiler.h"

#include <inttypes.h>
#include <string.h>

/* Digits behind the point where a letter stands for thousands. */
#define PLACES 2

void
oi_top_write_short(const struct oi_decimal *value, struct oi_buffer *out)
{
    static const char letters[] = "\0KMBT";
    struct oi_decimal unit, cut = *value;
    size_t group = 0;

    if (oi_decimal_is_none(value))
        return;
    while (group < 4) {
        struct oi_decimal limit = oi_decimal_from(999'995, (int) (3 * group) - PLACES - 1);
        struct oi_decimal below = oi_decimal_from(-999'995, (int) (3 * group) - PLACES - 1);

        if (oi_decimal_compare(value, &limit) < 0 && oi_decimal_compare(value, &below) > 0)
            break;
        group++;
    }
    unit = oi_decimal_from(1, -(int) (3 * group));
    if (oi_decimal_multiply(value, &unit, &cut, NULL) != OI_OK ||
        oi_decimal_round_half_even(&cut, PLACES, &cut, NULL) != OI_OK)
        return;
    oi_decimal_write(&cut, out);
    if (letters[group])
        oi_buffer_add_char(out, letters[group]);
}

/* Which of eight steps between the lowest and the highest. */
static size_t
step_of(const struct oi_decimal *value, const struct oi_decimal *low, const struct oi_decimal *high)
{
    struct oi_decimal range, above, eighths = oi_decimal_from(8, 0), share, limit;
    size_t step = 0;

    if (oi_decimal_subtract(high, low, &range, NULL) != OI_OK || oi_decimal_is_zero(&range) ||
        oi_decimal_subtract(value, low, &above, NULL) != OI_OK ||
        oi_decimal_multiply(&above, &eighths, &above, NULL) != OI_OK ||
        oi_decimal_divide_half_even(&above, &range, 18, &share, NULL) != OI_OK)
        return 3;
    for (; step < 7; step++) {
        limit = oi_decimal_from((int64_t) step + 1, 0);
        if (oi_decimal_compare(&share, &limit) < 0)
            break;
    }
    return step;
}

void
oi_top_write_spark(const struct oi_decimal *values, size_t count, bool is_utf8,
                   struct oi_buffer *out)
{
    static const char *const blocks[] = { "\u2581", "\u2582", "\u2583", "\u2584",
                                          "\u2585", "\u2586", "\u2587", "\u2588" };
    static const char *const plain[] = { "_", ".", "-", "~", "=", "+", "*", "#" };
    const struct oi_decimal *low = NULL, *high = NULL;

    for (size_t i = 0; i < count; i++) {
        if (oi_decimal_is_none(&values[i]))
            continue;
        if (!low || oi_decimal_compare(&values[i], low) < 0)
            low = &values[i];
        if (!high || oi_decimal_compare(&values[i], high) > 0)
            high = &values[i];
    }
    for (size_t i = 0; i < count; i++) {
        if (oi_decimal_is_none(&values[i]))
            oi_buffer_add_char(out, ' ');
        else
            oi_buffer_add_text(out, (is_utf8 ? blocks : plain)[step_of(&values[i], low, high)]);
    }
}

static const struct {
    const char *name;
    size_t width;
    size_t needs; /* a screen of so many columns */
    bool is_right;
} columns[OI_TOP_COLUMNS] = {
    [OI_TOP_MARKET] = { "[m]arket", 0, 0, false },
    [OI_TOP_AMOUNT] = { "[o]pen interest", 15, 0, true },
    [OI_TOP_USD] = { "[u]sd", 9, 40, true },
    [OI_TOP_1H] = { "[1]h %", 8, 52, true },
    [OI_TOP_24H] = { "[2]4h %", 8, 62, true },
    [OI_TOP_AGE] = { "[a]ge", 6, 70, true },
    [OI_TOP_SPARK] = { "24 hours", OI_TOP_HOURS, 100, false },
};

/* Between two columns. */
#define GAP 1
#define MARKET_MAX 44

void
oi_top_layout(size_t width, size_t ret_widths[OI_TOP_COLUMNS])
{
    size_t taken = 0;

    for (size_t i = 1; i < OI_TOP_COLUMNS; i++) {
        ret_widths[i] = width >= columns[i].needs ? columns[i].width : 0;
        taken += ret_widths[i] > 0 ? ret_widths[i] + GAP : 0;
    }
    ret_widths[OI_TOP_MARKET] = width > taken ? width - taken : 1;
    if (ret_widths[OI_TOP_MARKET] > MARKET_MAX)
        ret_widths[OI_TOP_MARKET] = MARKET_MAX;
}

bool
oi_top_is_right(enum oi_top_column column)
{
    return columns[column].is_right;
}

void
oi_top_write_head(const struct oi_top *top, enum oi_top_column column, struct oi_buffer *out)
{
    if (column == top->order)
        oi_buffer_add_char(out, top->is_reversed ? '<' : '>');
    oi_buffer_add_text(out, columns[column].name);
}

static void
write_age(int64_t age_ns, struct oi_buffer *out)
{
    if (age_ns < 0)
        age_ns = 0;
    if (age_ns < OI_MINUTE)
        oi_buffer_add_format(out, "%" PRId64 "s", age_ns / OI_SECOND);
    else if (age_ns < OI_HOUR)
        oi_buffer_add_format(out, "%" PRId64 "m", age_ns / OI_MINUTE);
    else if (age_ns < 2 * OI_DAY)
        oi_buffer_add_format(out, "%" PRId64 "h", age_ns / OI_HOUR);
    else
        oi_buffer_add_format(out, "%" PRId64 "d", age_ns / OI_DAY);
}

static enum oi_top_style
write_percent(const struct oi_decimal *percent, struct oi_buffer *out)
{
    int sign = oi_decimal_sign(percent);

    if (oi_decimal_is_none(percent))
        return OI_STYLE_PLAIN;
    if (sign > 0)
        oi_buffer_add_char(out, '+');
    oi_decimal_write(percent, out);
    return sign > 0 ? OI_STYLE_UP : sign < 0 ? OI_STYLE_DOWN : OI_STYLE_PLAIN;
}

enum oi_top_style
oi_top_write_cell(const struct oi_top *top, const struct oi_top_row *row, enum oi_top_column column,
                  oi_time now, struct oi_buffer *out)
{
    switch (column) {
    case OI_TOP_MARKET:
        oi_buffer_add_text(out, row->market);
        break;
    case OI_TOP_AMOUNT:
        oi_top_write_short(&row->amount, out);
        break;
    case OI_TOP_USD:
        oi_top_write_short(&row->usd, out);
        break;
    case OI_TOP_1H:
        return write_percent(&row->percent_1h, out);
    case OI_TOP_24H:
        return write_percent(&row->percent_24h, out);
    case OI_TOP_AGE:
        write_age(now - row->time, out);
        return now - row->time > 5 * OI_MINUTE ? OI_STYLE_DIM : OI_STYLE_PLAIN;
    case OI_TOP_SPARK:
        oi_top_write_spark(row->hours, OI_TOP_HOURS, top->is_utf8, out);
        break;
    case OI_TOP_COLUMNS:
        break;
    }
    return OI_STYLE_PLAIN;
}

void
oi_top_write_title(const struct oi_top *top, oi_time now, const char *source, struct oi_buffer *out)
{
    size_t first = top->shown.count > 0 ? top->first + 1 : 0;
    size_t last = top->first + top->page;

    if (last > top->shown.count)
        last = top->shown.count;
    oi_buffer_add_text(out, "oi top  ");
    oi_time_write(now - now % OI_SECOND, 0, out);
    oi_buffer_add_format(out, "  %zu-%zu of %zu markets  in %s%s%s%s  %s", first, last,
                         top->shown.count, oi_top_units[top->unit], top->filter[0] ? "  with " : "",
                         top->filter, top->is_paused ? "  paused" : "", source);
}

void
oi_top_write_foot(const struct oi_top *top, const char *trouble, struct oi_buffer *out)
{
    if (top->is_filtering)
        oi_buffer_add_format(out, "/%s_  Enter keeps it, Esc drops it", top->filter);
    else if (trouble && trouble[0])
        oi_buffer_add_text(out, trouble);
    else
        oi_buffer_add_text(out, "q quit  / filter  p pause  c unit  r reverse  m o u 1 2 a sort  "
                                "arrows pages");
}
