/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever JSON is accepted is written again and must read as the same tree. */
#include "base/json.h"
#include "base/utf8.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
write_node(struct oi_json_writer *writer, const struct oi_json_node *node)
{
    if (oi_json_add_scalar(writer, node))
        return;
    if (oi_json_kind(node) == OI_JSON_ARRAY) {
        oi_json_begin_array(writer);
        for (size_t i = 0; i < oi_json_count(node); i++)
            write_node(writer, oi_json_item(node, i));
        oi_json_end_array(writer);
        return;
    }
    oi_json_begin_object(writer);
    for (const struct oi_json_node *at = oi_json_first(node); at; at = oi_json_next(at)) {
        oi_json_add_name(writer, "name");
        write_node(writer, at);
    }
    oi_json_end_object(writer);
}

static void
compare(const struct oi_json_node *a, const struct oi_json_node *b)
{
    oi_assert(oi_json_kind(a) == oi_json_kind(b));
    oi_assert(oi_json_count(a) == oi_json_count(b));
    oi_assert(oi_slice_equal(oi_json_text(a), oi_json_text(b)));
    oi_assert(oi_utf8_is_valid(oi_json_text(a)));
    oi_assert(oi_utf8_is_valid(oi_json_name(a)));
    a = oi_json_first(a);
    b = oi_json_first(b);
    for (; a && b; a = oi_json_next(a), b = oi_json_next(b))
        compare(a, b);
    oi_assert(!a && !b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    OI_CLEANUP(oi_json_close) struct oi_json *again = NULL;
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};
    struct oi_json_writer writer = { .out = &out, .is_pretty = size % 2 == 0 };

    if (oi_json_open((struct oi_slice){ (const char *) data, size }, &json, NULL) != OI_OK)
        return 0;
    write_node(&writer, oi_json_root(json));
    if (oi_json_open(oi_buffer_slice(&out), &again, NULL) != OI_OK)
        abort();
    compare(oi_json_root(json), oi_json_root(again));
    return 0;
}
