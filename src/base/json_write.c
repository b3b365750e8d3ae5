/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON into a buffer; no library, because the hot path of every answer is here. */
#include "base/json.h"

#include "base/utf8.h"

static void
add_line_break(struct oi_json_writer *writer)
{
    if (!writer->is_pretty)
        return;
    oi_buffer_add_char(writer->out, '\n');
    for (unsigned i = 0; i < writer->depth; i++)
        oi_buffer_add(writer->out, "  ", 2);
}

/* What stands between the last value and the one (or the name) to come. */
static void
separate(struct oi_json_writer *writer)
{
    if (writer->follows_name) {
        writer->follows_name = false;
        return;
    }
    if (writer->depth == 0)
        return;
    if (writer->has_item[writer->depth])
        oi_buffer_add_char(writer->out, ',');
    writer->has_item[writer->depth] = true;
    add_line_break(writer);
}

static void
begin(struct oi_json_writer *writer, char bracket)
{
    separate(writer);
    oi_buffer_add_char(writer->out, bracket);
    oi_assert(writer->depth < OI_JSON_DEPTH_MAX);
    writer->depth++;
    writer->has_item[writer->depth] = false;
}

static void
end(struct oi_json_writer *writer, char bracket)
{
    bool has_item = writer->has_item[writer->depth];

    oi_assert(writer->depth > 0);
    oi_assert(!writer->follows_name);
    writer->depth--;
    if (has_item)
        add_line_break(writer);
    oi_buffer_add_char(writer->out, bracket);
}

void
oi_json_begin_object(struct oi_json_writer *writer)
{
    begin(writer, '{');
}

void
oi_json_end_object(struct oi_json_writer *writer)
{
    end(writer, '}');
}

void
oi_json_begin_array(struct oi_json_writer *writer)
{
    begin(writer, '[');
}

void
oi_json_end_array(struct oi_json_writer *writer)
{
    end(writer, ']');
}

void
oi_json_add_name(struct oi_json_writer *writer, const char *name)
{
    oi_assert(!writer->follows_name);
    separate(writer);
    oi_buffer_add_char(writer->out, '"');
    oi_buffer_add_text(writer->out, name);
    oi_buffer_add_text(writer->out, writer->is_pretty ? "\": " : "\":");
    writer->follows_name = true;
}

void
oi_json_add_string(struct oi_json_writer *writer, struct oi_slice text)
{
    separate(writer);
    oi_json_quote(writer->out, text);
}

void
oi_json_add_text(struct oi_json_writer *writer, const char *text)
{
    oi_json_add_string(writer, oi_slice_of(text));
}

void
oi_json_add_raw(struct oi_json_writer *writer, struct oi_slice raw)
{
    separate(writer);
    oi_buffer_add_slice(writer->out, raw);
}

void
oi_json_add_int(struct oi_json_writer *writer, int64_t value)
{
    separate(writer);
    oi_buffer_add_int(writer->out, value);
}

void
oi_json_add_bool(struct oi_json_writer *writer, bool value)
{
    separate(writer);
    oi_buffer_add_text(writer->out, value ? "true" : "false");
}

void
oi_json_add_null(struct oi_json_writer *writer)
{
    separate(writer);
    oi_buffer_add(writer->out, "null", 4);
}

static void
add_unicode_escape(struct oi_buffer *out, uint32_t unit)
{
    static const char digits[] = "0123456789abcdef";
    char escape[6] = { '\\', 'u' };

    for (size_t i = 0; i < 4; i++)
        escape[2 + i] = digits[unit >> (12 - 4 * i) & 15];
    oi_buffer_add(out, escape, sizeof(escape));
}

static bool
is_plain(char character)
{
    return character >= 0x20 && character < 0x7F && character != '"' && character != '\\';
}

/* Write the character at the front, which is not plain; its size in bytes. */
static size_t
add_escaped(struct oi_buffer *out, struct oi_slice text)
{
    static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    uint32_t character = 0xFFFD; /* stands for a byte that is not UTF-8 */
    size_t size = oi_utf8_decode(text, &character);

    if (size == 0)
        size = 1;
    for (size_t i = 0; i < sizeof(shorts) - 1; i += 2) {
        if (text.data[0] == shorts[i]) {
            oi_buffer_add_char(out, '\\');
            oi_buffer_add_char(out, shorts[i + 1]);
            return size;
        }
    }
    if (character >= 0x10000) {
        add_unicode_escape(out, 0xD800 + ((character - 0x10000) >> 10));
        add_unicode_escape(out, 0xDC00 + ((character - 0x10000) & 0x3FF));
    } else {
        add_unicode_escape(out, character);
    }
    return size;
}

void
oi_json_quote(struct oi_buffer *out, struct oi_slice text)
{
    oi_buffer_add_char(out, '"');
    while (text.size > 0) {
        size_t size = 0;

        while (size < text.size && is_plain(text.data[size]))
            size++;
        oi_buffer_add(out, text.data, size);
        if (size == 0)
            size = add_escaped(out, text);
        text.data += size;
        text.size -= size;
    }
    oi_buffer_add_char(out, '"');
}

bool
oi_json_add_scalar(struct oi_json_writer *writer, const struct oi_json_node *node)
{
    switch (oi_json_kind(node)) {
    case OI_JSON_NULL:
        oi_json_add_null(writer);
        return true;
    case OI_JSON_FALSE:
    case OI_JSON_TRUE:
        oi_json_add_bool(writer, oi_json_kind(node) == OI_JSON_TRUE);
        return true;
    case OI_JSON_NUMBER:
        oi_json_add_raw(writer, oi_json_text(node));
        return true;
    case OI_JSON_STRING:
        oi_json_add_string(writer, oi_json_text(node));
        return true;
    case OI_JSON_ARRAY:
    case OI_JSON_OBJECT:
        break;
    }
    return false;
}
