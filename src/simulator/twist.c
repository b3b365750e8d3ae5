/* SPDX-License-Identifier: Apache-2.0 */
/* Rewriting the text of a reply. */
#include "simulator/twist.h"

#include "base/json.h"
#include "base/vector.h"

#define DIGITS 39

static void write_node(struct oi_json_writer *writer, const struct oi_json_node *node,
                       bool is_inside);

/* Is it a list of rows: objects, or lists? */
static bool
is_rows(const struct oi_json_node *list)
{
    for (const struct oi_json_node *item = oi_json_first(list); item; item = oi_json_next(item))
        if (oi_json_kind(item) != OI_JSON_OBJECT && oi_json_kind(item) != OI_JSON_ARRAY)
            return false;
    return oi_json_count(list) > 1;
}

static void
write_list(struct oi_json_writer *writer, const struct oi_json_node *list, bool is_inside)
{
    size_t count = oi_json_count(list);

    oi_json_begin_array(writer);
    if (!is_inside && is_rows(list)) {
        for (size_t i = count; i-- > 0;)
            write_node(writer, oi_json_item(list, i), true);
        write_node(writer, oi_json_item(list, count - 1), true);
    } else {
        for (size_t i = 0; i < count; i++)
            write_node(writer, oi_json_item(list, i), is_inside);
    }
    oi_json_end_array(writer);
}

static void
write_object(struct oi_json_writer *writer, const struct oi_json_node *object, bool is_inside)
{
    struct oi_buffer name = {};

    oi_json_begin_object(writer);
    for (const struct oi_json_node *member = oi_json_first(object); member;
         member = oi_json_next(member)) {
        oi_buffer_clear(&name);
        oi_buffer_add_slice(&name, oi_json_name(member));
        oi_buffer_add_char(&name, '\0');
        oi_json_add_name(writer, name.data);
        write_node(writer, member, is_inside);
    }
    oi_json_end_object(writer);
    oi_buffer_release(&name);
}

static void
write_node(struct oi_json_writer *writer, const struct oi_json_node *node, bool is_inside)
{
    if (oi_json_add_scalar(writer, node))
        return;
    if (oi_json_kind(node) == OI_JSON_ARRAY)
        write_list(writer, node, is_inside);
    else
        write_object(writer, node, is_inside);
}

void
twist_shuffle(struct oi_buffer *body)
{
    struct oi_json *json = NULL;
    struct oi_buffer text = {};
    struct oi_json_writer writer = { .out = &text };

    if (oi_json_open(oi_buffer_slice(body), &json, NULL) != OI_OK)
        return;
    write_node(&writer, oi_json_root(json), false);
    oi_json_close(&json);
    oi_buffer_release(body);
    *body = text;
}

static bool
is_digit(char character)
{
    return character >= '0' && character <= '9';
}

/* The end of a number with a fraction that begins here and is a whole value, or NULL. */
static const char *
fraction_end(const char *from, const char *end, unsigned *ret_digits)
{
    const char *at = from;
    bool has_point = false;

    *ret_digits = 0;
    for (; at < end && (is_digit(*at) || (*at == '.' && !has_point && at > from)); at++) {
        has_point |= *at == '.';
        *ret_digits += *at != '.';
    }
    if (!has_point || at[-1] == '.' || at == end)
        return NULL;
    return *at == '"' || *at == ',' || *at == '}' || *at == ']' ? at : NULL;
}

void
twist_digits(struct oi_buffer *body)
{
    struct oi_buffer text = {};
    const char *end = body->data + body->size;
    char before = '\0';

    for (const char *at = body->data; at < end;) {
        unsigned digits = 0;
        const char *stop = NULL;

        if (is_digit(*at) && (before == '"' || before == ':' || before == ',' || before == '['))
            stop = fraction_end(at, end, &digits);
        if (stop) {
            oi_buffer_add(&text, at, (size_t) (stop - at));
            for (; digits < DIGITS; digits++)
                oi_buffer_add_char(&text, '0');
            at = stop;
        }
        before = *at;
        oi_buffer_add_char(&text, *at++);
    }
    oi_buffer_release(body);
    *body = text;
}
