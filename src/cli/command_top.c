/* SPDX-License-Identifier: Apache-2.0 */
/* The newest open interest of every market, live in the terminal, or once as a table. */
/* no unit test: a whole command; tests/system/terminal.test.mjs runs it */
#include "base/clock.h"
#include "cli/asker.h"
#include "cli/command.h"
#include "cli/question.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "net/http.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Every market that is traded, and some. */
#define ROWS_MAX INT64_C(100'000)

static const struct oi_option options_table[] = {
    OI_OPTION_SELECTION,
    OI_OPTION_UNIT,
    OI_OPTION_LIMIT,
    { .name = "url",
      .argument = "URL",
      .help = "ask this server (http://127.0.0.1:8080) instead of the data folder" },
    { .name = "key", .argument = "KEY", .help = "the key for that server", .is_secret = true },
    { .name = "refresh",
      .argument = "DURATION",
      .help = "look for news so often",
      .fallback = "5s" },
    { .name = "once", .help = "print one table, as it is done where stdout is no terminal" },
    OI_OPTION_FORMAT,
    OI_OPTION_STORE,
};

static const struct oi_table_column columns[] = {
    { .name = "market" },
    { .name = "unit" },
    { .name = "open_interest", .is_number = true },
    { .name = "value_usd", .is_number = true },
    { .name = "change_percent_1h", .is_number = true },
    { .name = "change_percent_24h", .is_number = true },
    { .name = "time" },
};

struct command {
    const struct oi_options *options;
    struct oi_asker *asker;
    struct oi_top top;
    char source[200], trouble[OI_ERROR_SIZE];
    int64_t refresh_ns, rows_max;
    oi_time asked; /* for rows */
};

static oi_time
now(void)
{
    return oi_clock_system.wall_ns(&oi_clock_system);
}

/*
 * Questions.
 */

static void
add_parameter(struct oi_buffer *target, const char *name, const char *value)
{
    oi_buffer_add_format(target, "&%s=", name);
    oi_http_encode(oi_slice_of(value), target);
}

static void
add_selection(const struct oi_options *options, struct oi_buffer *target)
{
    static const char *const names[] = { "market", "exchange", "coin", "quote", "product", "kind" };

    for (size_t i = 0; i < OI_COUNT(names); i++) {
        const char *const *values;
        size_t count = oi_options_values(options, names[i], &values);

        for (size_t k = 0; k < count; k++)
            add_parameter(target, names[i], values[k]);
    }
}

static enum oi_status
ask(struct command *command, struct oi_buffer *target, struct oi_buffer *answer,
    struct oi_error *error)
{
    struct oi_question_bytes question = {};

    add_parameter(target, "unit", oi_top_units[command->top.unit]);
    add_parameter(target, "convention", oi_options_text(command->options, "convention"));
    oi_buffer_add_char(target, '\0');
    question.target = target->data;
    return oi_asker_ask(command->asker, &question, answer, NULL, error);
}

static enum oi_status
ask_rows(struct command *command, struct oi_error *error)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer target = {}, answer = {};
    enum oi_status status;

    oi_buffer_add_format(&target, "/oi/v1/latest?limit=%" PRId64, command->rows_max);
    add_selection(command->options, &target);
    status = ask(command, &target, &answer, error);
    if (status == OI_OK)
        status = oi_top_take_rows(&command->top, oi_buffer_slice(&answer), error);
    return status;
}

/* The past day of what is on the page and has none yet. */
static enum oi_status
ask_hours(struct command *command, struct oi_error *error)
{
    struct oi_buffer target = {}, answer = {};
    oi_time at = now();
    enum oi_status status = OI_OK;
    size_t count = 0;

    oi_buffer_add_text(&target, "/oi/v1/open-interest?interval=1h&limit=10000&start=");
    oi_time_write((at / OI_HOUR - OI_TOP_HOURS + 1) * OI_HOUR, 0, &target);
    for (size_t i = 0; i < command->top.page; i++) {
        const struct oi_top_row *row = oi_top_row_at(&command->top, i);

        if (!row || !oi_top_wants_hours(row, at))
            continue;
        add_parameter(&target, "market", row->market);
        count++;
    }
    if (count > 0)
        status = ask(command, &target, &answer, error);
    if (count > 0 && status == OI_OK)
        status = oi_top_take_hours(&command->top, oi_buffer_slice(&answer), at, error);
    oi_buffer_release(&target);
    oi_buffer_release(&answer);
    return status;
}

/*
 * The screen.
 */

static void
draw_line(struct oi_terminal *terminal, size_t line, size_t width, struct oi_buffer *text,
          enum oi_top_style style)
{
    oi_terminal_write(terminal,
                      (struct oi_terminal_place){ .line = line, .width = width, .style = style },
                      oi_buffer_slice(text));
    oi_buffer_clear(text);
}

/* One row of cells, or the heads where `row` is NULL. */
static void
draw_row(const struct command *command, struct oi_terminal *terminal, size_t line,
         const struct oi_top_row *row, const size_t widths[OI_TOP_COLUMNS])
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer text = {};
    struct oi_terminal_place place = { .line = line };

    for (size_t i = 0; i < OI_TOP_COLUMNS; i++) {
        enum oi_top_column column = (enum oi_top_column) i;

        if (widths[i] == 0)
            continue;
        place.width = widths[i];
        place.is_right = oi_top_is_right(column);
        place.style = OI_STYLE_HEAD;
        if (row)
            place.style = oi_top_write_cell(&command->top, row, column, now(), &text);
        else
            oi_top_write_head(&command->top, column, &text);
        oi_terminal_write(terminal, place, oi_buffer_slice(&text));
        oi_buffer_clear(&text);
        place.column += widths[i] + 1;
    }
}

static void
draw(struct command *command, struct oi_terminal *terminal)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer text = {};
    size_t widths[OI_TOP_COLUMNS], lines, width;

    oi_terminal_size(terminal, &lines, &width);
    command->top.page = lines > 4 ? lines - 3 : 1;
    oi_top_press(&command->top, OI_KEY_NONE);
    oi_top_layout(width, widths);
    oi_terminal_clear(terminal);
    oi_top_write_title(&command->top, now(), command->source, &text);
    draw_line(terminal, 0, width, &text, OI_STYLE_PLAIN);
    draw_row(command, terminal, 1, NULL, widths);
    for (size_t i = 0; i < command->top.page; i++) {
        const struct oi_top_row *row = oi_top_row_at(&command->top, i);

        if (row)
            draw_row(command, terminal, i + 2, row, widths);
    }
    oi_top_write_foot(&command->top, command->trouble, &text);
    draw_line(terminal, lines > 0 ? lines - 1 : 0, width, &text, OI_STYLE_DIM);
    oi_terminal_show(terminal);
}

/* Look for news where they are due. What cannot be had is told in the last line, and asked again.
 */
static void
refresh(struct command *command)
{
    struct oi_error error = {};
    enum oi_status status = OI_OK;
    bool is_due = now() - command->asked >= command->refresh_ns && !command->top.is_paused;

    if (is_due || command->top.wants_rows) {
        command->asked = now();
        status = ask_rows(command, &error);
    }
    if (status == OI_OK)
        status = ask_hours(command, &error);
    if (status != OI_OK)
        (void) snprintf(command->trouble, sizeof(command->trouble), "%s", error.message);
    else if (is_due)
        command->trouble[0] = '\0';
}

static enum oi_status
run_live(struct command *command, struct oi_error *error)
{
    struct oi_terminal *terminal = NULL;

    command->asked = now();
    OI_TRY(ask_rows(command, error)); /* what is wrong from the start is said on a plain screen */
    OI_TRY(oi_terminal_open(&terminal, error));
    command->top.is_utf8 = oi_terminal_is_utf8(terminal);
    while (!command->top.is_over) {
        draw(command, terminal);
        oi_top_press(&command->top, oi_terminal_key(terminal, OI_SECOND));
        if (!command->top.is_over)
            refresh(command);
    }
    oi_terminal_close(&terminal);
    return OI_OK;
}

/*
 * Once.
 */

static enum oi_status
print_once(struct command *command, enum oi_table_format format, struct oi_error *error)
{
    OI_CLEANUP(oi_printer_close) struct oi_printer *printer = NULL;
    OI_CLEANUP(oi_table_free) struct oi_table *table = NULL;

    OI_TRY(ask_rows(command, error));
    OI_TRY(oi_printer_open(NULL, &printer, error));
    table = oi_table_new(format, columns, OI_COUNT(columns), printer);
    command->top.page = command->top.shown.count;
    for (size_t i = 0; i < command->top.shown.count; i++) {
        const struct oi_top_row *row = oi_top_row_at(&command->top, i);

        oi_table_text(table, row->market);
        oi_table_text(table, row->unit);
        oi_table_decimal(table, &row->amount);
        oi_table_decimal(table, &row->usd);
        oi_table_decimal(table, &row->percent_1h);
        oi_table_decimal(table, &row->percent_24h);
        oi_table_time(table, row->time);
        OI_TRY(oi_table_end_row(table, error));
    }
    OI_TRY(oi_table_finish(table, error));
    return oi_printer_finish(printer, error);
}

static enum oi_status
open_source(struct command *command, struct oi_error *error)
{
    const char *url = oi_options_text(command->options, "url");
    const char *folder = oi_options_text(command->options, "data");

    (void) snprintf(command->source, sizeof(command->source), "%s", url ? url : folder);
    if (url)
        return oi_asker_open_url(url, oi_options_text(command->options, "key"), &command->asker,
                                 error);
    return oi_asker_open_store(command->options, &command->asker, error);
}

static enum oi_status
run_with(struct command *command, struct oi_error *error)
{
    size_t format = 0;

    OI_TRY(oi_options_word(command->options, "format", oi_table_formats, &format, error));
    OI_TRY(oi_options_word(command->options, "unit", oi_top_units, &command->top.unit, error));
    OI_TRY(oi_options_interval(command->options, "refresh", &command->refresh_ns, error));
    OI_TRY(oi_options_integer(command->options, "limit", (struct oi_range){ 1, ROWS_MAX },
                              &command->rows_max, error));
    OI_TRY(open_source(command, error));
    if (oi_options_switch(command->options, "once") || isatty(STDOUT_FILENO) != 1 ||
        isatty(STDIN_FILENO) != 1 ||
        oi_options_origin(command->options, "format") != OI_ORIGIN_DEFAULT)
        return print_once(command, (enum oi_table_format) format, error);
    return run_live(command, error);
}

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    struct command command = { .options = options, .rows_max = ROWS_MAX };
    enum oi_status status;

    oi_top_init(&command.top, false);
    status = run_with(&command, error);
    oi_top_release(&command.top);
    oi_asker_close(&command.asker);
    return status;
}

const struct oi_command oi_command_top = {
    .name = "top",
    .summary = "Watch the newest open interest of every market",
    .description =
        "In a terminal a live table: m o u 1 2 a sort by a column (again: the other way), r\n"
        "reverses, / filters by a part of the name (Enter keeps, Esc drops it), p or the blank\n"
        "pauses, c changes the unit, arrows, j, k, Page Up, Page Down, g and G move, q or Ctrl-C\n"
        "ends. Elsewhere, and with --once or --format, one table. NO_COLOR turns colours off.",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
