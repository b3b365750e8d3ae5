/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Over ncurses, which knows how every terminal is spoken to. Signals that ask to stop are read from
 * a descriptor beside the keys; those that crash restore the terminal by two system calls, since
 * nothing else may be called by then.
 */
/* no unit test: needs a terminal; tests/system/terminal.test.mjs gives it one */
#include "cli/terminal.h"

#include "base/alloc.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

enum pair { PAIR_UP = 1, PAIR_DOWN };

struct oi_terminal {
    SCREEN *screen;
    int signals; /* a signalfd */
    sigset_t mask_before;
    bool is_utf8, has_colors;
};

/* What a handler of crashes needs; it gets no argument, so these stand alone outside. */
static struct {
    struct termios before;
    char leave[128];
    size_t leave_size;
    volatile sig_atomic_t is_taken;
} rescue;

static const int crashes[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGQUIT };

static void
restore_and_die(int number)
{
    if (rescue.is_taken) {
        rescue.is_taken = 0;
        (void) !write(STDOUT_FILENO, rescue.leave, rescue.leave_size);
        (void) tcsetattr(STDIN_FILENO, TCSANOW, &rescue.before);
    }
    (void) raise(number); /* by the default action: the handler is gone */
}

/* What brings back colours, the cursor and the screen as it was. */
static void
remember_leaving(void)
{
    const char *parts[] = { "\033[0m", cursor_normal, exit_ca_mode, keypad_local };

    rescue.leave_size = 0;
    for (size_t i = 0; i < OI_COUNT(parts); i++) {
        size_t size = parts[i] ? strlen(parts[i]) : 0;

        if (size > sizeof(rescue.leave) - rescue.leave_size)
            continue;
        memcpy(rescue.leave + rescue.leave_size, parts[i] ? parts[i] : "", size);
        rescue.leave_size += size;
    }
}

static void
take_signals(struct oi_terminal *terminal)
{
    sigset_t asked;

    (void) sigemptyset(&asked);
    (void) sigaddset(&asked, SIGINT);
    (void) sigaddset(&asked, SIGTERM);
    (void) sigaddset(&asked, SIGHUP);
    (void) pthread_sigmask(SIG_BLOCK, &asked, &terminal->mask_before);
    terminal->signals = signalfd(-1, &asked, SFD_CLOEXEC | SFD_NONBLOCK);
    for (size_t i = 0; i < OI_COUNT(crashes); i++) {
        struct sigaction action = { .sa_handler = restore_and_die, .sa_flags = (int) SA_RESETHAND };

        (void) sigaction(crashes[i], &action, NULL);
    }
}

static bool
wants_colors(void)
{
    const char *refusal = getenv("NO_COLOR");

    return (!refusal || !refusal[0]) && has_colors() && start_color() == OK &&
           use_default_colors() == OK;
}

static bool
choose_encoding(void)
{
    if (setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
        return true;
    return false;
}

enum oi_status
oi_terminal_open(struct oi_terminal **ret_terminal, struct oi_error *error)
{
    struct oi_terminal *terminal = oi_alloc_zero(1, sizeof(*terminal));
    int found = 0;

    terminal->is_utf8 = choose_encoding();
    (void) tcgetattr(STDIN_FILENO, &rescue.before);
    if (setupterm(NULL, STDOUT_FILENO, &found) == OK) {
        (void) del_curterm(cur_term); /* newterm makes its own; it only leaks where there is none */
        terminal->screen = newterm(NULL, stdout, stdin);
    }
    if (!terminal->screen) {
        oi_free(terminal);
        return oi_fail(error, OI_E_INVALID,
                       "this terminal is not known (TERM): `oi top --once` prints one table");
    }
    remember_leaving();
    rescue.is_taken = 1;
    take_signals(terminal);
    terminal->has_colors = wants_colors();
    if (terminal->has_colors) {
        (void) init_pair(PAIR_UP, COLOR_GREEN, -1);
        (void) init_pair(PAIR_DOWN, COLOR_RED, -1);
    }
    (void) cbreak();
    (void) noecho();
    (void) nonl();
    (void) keypad(stdscr, TRUE);
    (void) nodelay(stdscr, TRUE);
    (void) set_escdelay(50);
    (void) curs_set(0);
    *ret_terminal = terminal;
    return OI_OK;
}

void
oi_terminal_close(struct oi_terminal **terminal)
{
    if (!terminal || !*terminal)
        return;
    (void) endwin();
    rescue.is_taken = 0;
    for (size_t i = 0; i < OI_COUNT(crashes); i++)
        (void) signal(crashes[i], SIG_DFL);
    delscreen((*terminal)->screen);
    (void) close((*terminal)->signals);
    oi_free(*terminal);
    *terminal = NULL;
}

bool
oi_terminal_is_utf8(const struct oi_terminal *terminal)
{
    return terminal->is_utf8;
}

void
oi_terminal_size(const struct oi_terminal *, size_t *ret_lines, size_t *ret_columns)
{
    *ret_lines = (size_t) getmaxy(stdscr);
    *ret_columns = (size_t) getmaxx(stdscr);
}

void
oi_terminal_clear(struct oi_terminal *)
{
    (void) erase();
}

static attr_t
attribute_of(const struct oi_terminal *terminal, enum oi_top_style style)
{
    switch (style) {
    case OI_STYLE_PLAIN:
        return A_NORMAL;
    case OI_STYLE_HEAD:
        return A_REVERSE;
    case OI_STYLE_DIM:
        return A_DIM;
    case OI_STYLE_UP:
        return terminal->has_colors ? (attr_t) COLOR_PAIR(PAIR_UP) : A_NORMAL;
    case OI_STYLE_DOWN:
        return terminal->has_colors ? (attr_t) COLOR_PAIR(PAIR_DOWN) : A_NORMAL;
    }
    return A_NORMAL;
}

/* How many bytes fit into so many columns: every character that we write takes one. */
static size_t
cut(struct oi_slice text, size_t width, size_t *ret_columns)
{
    size_t size = 0;

    for (*ret_columns = 0; size < text.size; size++) {
        if (((unsigned char) text.data[size] & 0xc0) == 0x80)
            continue;
        if (*ret_columns == width)
            break;
        ++*ret_columns;
    }
    return size;
}

void
oi_terminal_write(struct oi_terminal *terminal, struct oi_terminal_place place,
                  struct oi_slice text)
{
    size_t taken, size = cut(text, place.width, &taken);
    size_t padding = place.width - taken;
    attr_t attribute = attribute_of(terminal, place.style);

    if (place.line >= (size_t) getmaxy(stdscr) || place.column >= (size_t) getmaxx(stdscr))
        return;
    (void) attron(attribute);
    (void) move((int) place.line, (int) place.column);
    if (place.is_right)
        (void) hline(' ' | attribute, (int) padding);
    if (place.is_right)
        (void) move((int) place.line, (int) (place.column + padding));
    (void) addnstr(text.data ? text.data : "", (int) size);
    if (!place.is_right && padding > 0)
        (void) hline(' ' | attribute, (int) padding);
    (void) attroff(attribute);
}

void
oi_terminal_show(struct oi_terminal *)
{
    (void) refresh();
}

static int
translate(int key)
{
    static const struct {
        int theirs, ours;
    } keys[] = {
        { KEY_UP, OI_KEY_UP },         { KEY_DOWN, OI_KEY_DOWN },
        { KEY_PPAGE, OI_KEY_PAGE_UP }, { KEY_NPAGE, OI_KEY_PAGE_DOWN },
        { KEY_HOME, OI_KEY_HOME },     { KEY_END, OI_KEY_END },
        { KEY_ENTER, OI_KEY_ENTER },   { '\r', OI_KEY_ENTER },
        { '\n', OI_KEY_ENTER },        { KEY_BACKSPACE, OI_KEY_BACKSPACE },
        { 0x7f, OI_KEY_BACKSPACE },    { '\b', OI_KEY_BACKSPACE },
        { 0x1b, OI_KEY_ESCAPE },       { ERR, OI_KEY_NONE },
    };

    for (size_t i = 0; i < OI_COUNT(keys); i++)
        if (keys[i].theirs == key)
            return keys[i].ours;
    return key < 0x80 ? key : OI_KEY_NONE;
}

int
oi_terminal_key(struct oi_terminal *terminal, int64_t timeout_ns)
{
    const struct timespec timeout = { .tv_sec = (time_t) (timeout_ns / 1'000'000'000),
                                      .tv_nsec = (long) (timeout_ns % 1'000'000'000) };
    struct pollfd inputs[] = { { .fd = STDIN_FILENO, .events = POLLIN },
                               { .fd = terminal->signals, .events = POLLIN } };
    int key = getch(); /* what it has read ahead, or the size that has changed */

    if (key != ERR)
        return translate(key);
    /* Interrupted by another size of the window: getch tells. */
    if (ppoll(inputs, OI_COUNT(inputs), &timeout, NULL) <= 0)
        return translate(getch());
    if (inputs[1].revents != 0)
        return OI_KEY_STOP;
    key = getch();
    /* The terminal is gone, or its input has an end. */
    if (key == ERR && (inputs[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
        return OI_KEY_STOP;
    return translate(key);
}
