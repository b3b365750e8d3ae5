/* SPDX-License-Identifier: Apache-2.0 */
/* Text into roff: what begins a line or names a character there is told apart from plain words. */
#include "cli/manual.h"

#include <ctype.h>
#include <string.h>

/* Plain text on the present line. A minus that is typed must stay one, and a line must not begin
 * with a dot or an apostrophe, which roff would take for a request. */
static void
add_text(struct oi_buffer *out, const char *text, size_t size)
{
    bool is_line_start = out->size == 0 || out->data[out->size - 1] == '\n';

    for (size_t i = 0; i < size; i++) {
        char c = text[i];

        if (is_line_start && (c == '.' || c == '\''))
            oi_buffer_add_text(out, "\\&");
        if (c == '\\')
            oi_buffer_add_text(out, "\\e");
        else if (c == '-')
            oi_buffer_add_text(out, "\\-");
        else
            oi_buffer_add_char(out, c);
        is_line_start = c == '\n';
    }
}

static void
add_words(struct oi_buffer *out, const char *text)
{
    add_text(out, text, strlen(text));
}

static void
add_head(struct oi_buffer *out, const char *name, const char *summary)
{
    oi_buffer_add_text(out, ".TH OI");
    if (*name)
        oi_buffer_add_char(out, '-');
    for (const char *at = name; *at; at++)
        oi_buffer_add_char(out, (char) toupper((unsigned char) *at));
    oi_buffer_add_format(out, " 1 \"\" \"oi %s\" \"oi manual\"\n.SH NAME\noi%s%s \\- ", OI_VERSION,
                         *name ? "\\-" : "", name);
    add_words(out, summary);
    oi_buffer_add_char(out, '\n');
}

/* A description keeps its lines where they are indented or set out with several spaces, as examples
 * and lists are; the rest is filled. */
static void
add_description(struct oi_buffer *out, const char *text)
{
    bool is_verbatim = false;

    while (*text) {
        size_t size = strcspn(text, "\n");
        bool is_set = size > 0 && (text[0] == ' ' || memmem(text, size, "  ", 2));

        if (is_set != is_verbatim && size > 0) {
            oi_buffer_add_text(out, is_set ? ".PP\n.nf\n" : ".fi\n.PP\n");
            is_verbatim = is_set;
        }
        if (size == 0) {
            oi_buffer_add_text(out, is_verbatim ? "\n" : ".PP\n");
        } else {
            add_text(out, text, size);
            oi_buffer_add_char(out, '\n');
        }
        text += size + (text[size] == '\n');
    }
    if (is_verbatim)
        oi_buffer_add_text(out, ".fi\n");
}

static void
add_option(struct oi_buffer *out, const struct oi_option *option)
{
    oi_buffer_add_text(out, ".TP\n\\fB");
    add_words(out, oi_option_dashes(option));
    add_words(out, option->name);
    oi_buffer_add_text(out, "\\fR");
    if (option->argument) {
        oi_buffer_add_text(out, " \\fI");
        add_words(out, option->argument);
        oi_buffer_add_text(out, "\\fR");
    }
    oi_buffer_add_char(out, '\n');
    add_words(out, option->help);
    if (option->is_repeatable)
        oi_buffer_add_text(out, "; may be repeated");
    if (option->argument && option->fallback) {
        oi_buffer_add_text(out, " (default ");
        add_words(out, option->fallback);
        oi_buffer_add_char(out, ')');
    }
    oi_buffer_add_text(out, ".\n");
    if (!option->setting)
        return;
    oi_buffer_add_text(out, "Setting \\fB");
    add_words(out, option->setting);
    oi_buffer_add_text(out, "\\fR.\n");
}

static void
add_exit_status(struct oi_buffer *out)
{
    oi_buffer_add_text(out, ".SH EXIT STATUS\n"
                            "0: done, or the reader of the output had enough. "
                            "1: failed, and said why. 2: wrong usage. "
                            "3 (query, export): the store is damaged there; what is whole was "
                            "written, the rest is named on the error output.\n");
}

void
oi_manual_command(const struct oi_command *command, struct oi_buffer *out)
{
    add_head(out, command->name, command->summary);
    oi_buffer_add_format(out, ".SH SYNOPSIS\n\\fBoi %s\\fR [\\fIOPTION\\fR ...]", command->name);
    if (command->operands) {
        oi_buffer_add_text(out, " \\fI");
        add_words(out, command->operands);
        oi_buffer_add_text(out, "\\fR");
    }
    oi_buffer_add_text(out, "\n.SH DESCRIPTION\n");
    add_words(out, command->summary);
    oi_buffer_add_text(out, ".\n");
    if (command->description) {
        oi_buffer_add_text(out, ".PP\n");
        add_description(out, command->description);
    }
    oi_buffer_add_text(out, ".SH OPTIONS\n");
    for (size_t i = 0; i < command->option_count; i++)
        add_option(out, &command->options[i]);
    oi_buffer_add_text(out, ".TP\n\\fB\\-\\-help\\fR\nprint this.\n");
    add_exit_status(out);
    oi_buffer_add_text(out, ".SH SEE ALSO\n\\fBoi\\fR(1)\n");
}

void
oi_manual_overview(struct oi_buffer *out)
{
    add_head(out, "", "collects, keeps and serves open interest");
    oi_buffer_add_text(
        out,
        ".SH SYNOPSIS\n\\fBoi\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR ...]\n"
        ".SH DESCRIPTION\n"
        "An open\\-interest server: it collects the number of outstanding derivative contracts "
        "from the exchanges, keeps every reading exactly and for ever, and serves it.\n"
        ".SH COMMANDS\n");
    for (size_t i = 0; oi_commands[i]; i++) {
        oi_buffer_add_text(out, ".TP\n\\fBoi\\-");
        add_words(out, oi_commands[i]->name);
        oi_buffer_add_text(out, "\\fR(1)\n");
        add_words(out, oi_commands[i]->summary);
        oi_buffer_add_text(out, ".\n");
    }
    oi_buffer_add_text(
        out, ".SH FILES\n"
             ".TP\n\\fIdata/oi.conf\\fR\n"
             "Settings of the data folder \\fIdata\\fR, one \\fBname = value\\fR a line; lists are "
             "separated by commas.\n"
             ".SH ENVIRONMENT\n"
             "A setting \\fBname\\fR is also read from \\fBOI_NAME\\fR. Flags come first, then the "
             "environment, then the file, then defaults; \\fBoi config\\fR prints them.\n");
    add_exit_status(out);
}
