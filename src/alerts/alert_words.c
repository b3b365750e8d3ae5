/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: alert_rule_test.c reads lines through it */
/* A line of the configuration as words: one pass, quotes taken off as it goes. */
#include "alerts/alert_words.h"

#include "base/buffer.h"

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool
is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

static bool
is_name(struct oi_slice text)
{
    if (text.size == 0 || text.size >= OI_ALERT_NAME_SIZE)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (!is_name_character(text.data[i]))
            return false;
    return true;
}

static void
skip_blanks(struct oi_slice *rest)
{
    while (rest->size > 0 && is_blank(rest->data[0]))
        *rest = (struct oi_slice){ rest->data + 1, rest->size - 1 };
}

/* What is in front up to a blank or the character `until`. */
static struct oi_slice
take_plain(struct oi_slice *rest, char until)
{
    struct oi_slice taken = { rest->data, 0 };

    while (taken.size < rest->size && !is_blank(rest->data[taken.size]) &&
           rest->data[taken.size] != until)
        taken.size++;
    *rest = (struct oi_slice){ rest->data + taken.size, rest->size - taken.size };
    return taken;
}

/* A value in quotes, of which the first one is taken already; false when it does not end. */
static bool
take_quoted(struct oi_slice *rest, struct oi_buffer *value)
{
    for (size_t i = 0; i < rest->size; i++) {
        char c = rest->data[i];

        if (c == '"') {
            *rest = (struct oi_slice){ rest->data + i + 1, rest->size - i - 1 };
            return rest->size == 0 || is_blank(rest->data[0]);
        }
        if (c == '\\' && i + 1 < rest->size &&
            (rest->data[i + 1] == '"' || rest->data[i + 1] == '\\'))
            c = rest->data[++i];
        oi_buffer_add_char(value, c);
    }
    return false;
}

static enum oi_status
take_word(struct oi_slice *rest, const char *place, struct oi_arena *arena,
          struct oi_alert_words *words, struct oi_error *error)
{
    struct oi_alert_word word;
    struct oi_slice key = take_plain(rest, '=');
    bool is_whole = true;

    if (rest->size == 0 || rest->data[0] != '=' || !is_name(key))
        return oi_fail(error, OI_E_INVALID, "%s: %s: \"%.*s\" is not key=value", place, words->name,
                       OI_SLICE_ARGS(key));
    *rest = (struct oi_slice){ rest->data + 1, rest->size - 1 };
    word.key = oi_arena_copy(arena, key);
    if (rest->size > 0 && rest->data[0] == '"') {
        struct oi_buffer value = {};

        *rest = (struct oi_slice){ rest->data + 1, rest->size - 1 };
        is_whole = take_quoted(rest, &value);
        word.value = oi_arena_copy(arena, oi_buffer_slice(&value));
        oi_buffer_release(&value);
    } else {
        word.value = oi_arena_copy(arena, take_plain(rest, ' '));
    }
    if (!is_whole)
        return oi_fail(error, OI_E_INVALID, "%s: %s: %s: the quote does not end", place,
                       words->name, word.key);
    if (words->count == OI_ALERT_WORDS_MAX)
        return oi_fail(error, OI_E_INVALID, "%s: %s has more than %d words", place, words->name,
                       OI_ALERT_WORDS_MAX);
    for (size_t i = 0; i < words->count; i++)
        if (strcmp(words->items[i].key, word.key) == 0)
            return oi_fail(error, OI_E_INVALID, "%s: %s: %s is there twice", place, words->name,
                           word.key);
    words->items[words->count++] = word;
    return OI_OK;
}

enum oi_status
oi_alert_words_read(struct oi_slice line, const char *place, struct oi_arena *arena,
                    struct oi_alert_words *ret_words, struct oi_error *error)
{
    struct oi_slice rest = oi_slice_trim(line), name;

    ret_words->count = 0;
    name = take_plain(&rest, '=');
    if (!is_name(name) || (rest.size > 0 && rest.data[0] == '='))
        return oi_fail(error, OI_E_INVALID,
                       "%s must begin with a name of at most %d letters, digits, \"-\" and \"_\"",
                       place, OI_ALERT_NAME_SIZE - 1);
    ret_words->name = oi_arena_copy(arena, name);
    for (skip_blanks(&rest); rest.size > 0; skip_blanks(&rest))
        OI_TRY(take_word(&rest, place, arena, ret_words, error));
    return OI_OK;
}
