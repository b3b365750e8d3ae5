/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading JSON: the text is copied once and checked to be UTF-8, then the library walks the copy
 * and each value becomes a node in the document's arena whose text points into the copy. Only
 * strings with escapes are copied a second time. Writing is in json_write.c.
 */
#include "base/json.h"

#include "base/alloc.h"
#include "base/utf8.h"
#include "base/vector.h"

#include <assert.h>
#include <string.h>
#include <yajl/yajl_parse.h>

/* Nodes asked of the arena at a time: 2 KB, little for the smallest reply. */
#define BATCH_COUNT 64

/* 32 bytes, because a large reply is a million of these and touching memory is what takes time. */
struct oi_json_node {
    const struct oi_json_node *next;
    const char *name; /* a member's, else NULL */
    union {
        const char *text;
        const struct oi_json_node *first;
        const struct oi_json_node **items; /* of an array: its children, NULL when empty */
    };
    uint32_t count;          /* children, or the size of the text */
    uint32_t name_size : 29; /* OI_JSON_SIZE_MAX fits */
    uint32_t kind : 3;       /* enum oi_json_kind */
};

static_assert(OI_JSON_SIZE_MAX < 0x1FFFFFFF, "a size fits into the bits of name_size");

struct oi_json {
    struct oi_arena arena;
    const struct oi_json_node *root;
};

/* A container that is still open. */
struct level {
    struct oi_json_node *container;
    struct oi_json_node *last;
};

struct builder {
    struct oi_json *json;
    struct oi_slice copy; /* the text that is being parsed */
    size_t node_count;
    struct oi_json_node *spare; /* nodes taken from the arena by the batch and not yet used */
    size_t spare_count;
    unsigned depth; /* open containers */
    struct level levels[OI_JSON_DEPTH_MAX];
    OI_VECTOR(const struct oi_json_node *) items; /* of all open arrays, the innermost last */
    const char *name;                             /* of the member whose value comes next */
    uint32_t name_size;
    const char *failure; /* why we stopped it ourselves, NULL: we did not */
};

static struct oi_json_node *
add_node(struct builder *builder, enum oi_json_kind kind)
{
    struct oi_json_node *node;
    struct level *level;

    if (builder->node_count == OI_JSON_NODES_MAX) {
        builder->failure = "JSON with too many values";
        return NULL;
    }
    builder->node_count++;
    if (builder->spare_count == 0) {
        builder->spare = oi_arena_alloc(&builder->json->arena, BATCH_COUNT * sizeof(*node));
        builder->spare_count = BATCH_COUNT;
    }
    builder->spare_count--;
    node = builder->spare++;
    *node = (struct oi_json_node){
        .name = builder->name,
        .name_size = builder->name_size & 0x1FFFFFFF,
        .kind = kind & 7,
    };
    builder->name = NULL;
    builder->name_size = 0;
    if (builder->depth == 0) {
        builder->json->root = node;
        return node;
    }
    level = &builder->levels[builder->depth - 1];
    if (level->last)
        level->last->next = node;
    else if (level->container->kind == OI_JSON_OBJECT)
        level->container->first = node;
    if (level->container->kind == OI_JSON_ARRAY)
        oi_vector_push(&builder->items, node);
    level->last = node;
    level->container->count++;
    return node;
}

/* Characters that live as long as the document: those in our copy already do. */
static const char *
keep_text(struct builder *builder, const char *text, size_t size)
{
    if (size == 0)
        return "";
    if ((uintptr_t) text >= (uintptr_t) builder->copy.data &&
        (uintptr_t) text < (uintptr_t) builder->copy.data + builder->copy.size)
        return text;
    return oi_arena_copy(&builder->json->arena, (struct oi_slice){ text, size });
}

static int
add_text_node(struct builder *builder, enum oi_json_kind kind, const char *text, size_t size)
{
    struct oi_json_node *node = add_node(builder, kind);

    if (!node)
        return 0;
    node->text = keep_text(builder, text, size);
    node->count = (uint32_t) size;
    return 1;
}

static int
on_null(void *context)
{
    return add_node(context, OI_JSON_NULL) != NULL;
}

static int
on_boolean(void *context, int value)
{
    return add_node(context, value ? OI_JSON_TRUE : OI_JSON_FALSE) != NULL;
}

static int
on_number(void *context, const char *digits, size_t size)
{
    return add_text_node(context, OI_JSON_NUMBER, digits, size);
}

static int
on_string(void *context, const unsigned char *text, size_t size)
{
    return add_text_node(context, OI_JSON_STRING, (const char *) text, size);
}

static int
on_name(void *context, const unsigned char *name, size_t size)
{
    struct builder *builder = context;

    builder->name = keep_text(builder, (const char *) name, size);
    builder->name_size = (uint32_t) size;
    return 1;
}

static int
begin_container(struct builder *builder, enum oi_json_kind kind)
{
    struct oi_json_node *node;

    if (builder->depth == OI_JSON_DEPTH_MAX) {
        builder->failure = "JSON nested too deep";
        return 0;
    }
    node = add_node(builder, kind);
    if (!node)
        return 0;
    builder->levels[builder->depth++] = (struct level){ .container = node };
    return 1;
}

static int
on_begin_object(void *context)
{
    return begin_container(context, OI_JSON_OBJECT);
}

static int
on_begin_array(void *context)
{
    return begin_container(context, OI_JSON_ARRAY);
}

static int
on_end_object(void *context)
{
    struct builder *builder = context;

    builder->depth--;
    return 1;
}

static int
on_end_array(void *context)
{
    struct builder *builder = context;
    struct oi_json_node *array = builder->levels[--builder->depth].container;
    size_t size = array->count * sizeof(*array->items);

    if (array->count == 0)
        return 1;
    builder->items.count -= array->count;
    array->items = oi_arena_alloc(&builder->json->arena, size);
    memcpy(array->items, builder->items.items + builder->items.count, size);
    return 1;
}

static void *
library_alloc(void *, size_t size)
{
    return oi_alloc(size);
}

static void *
library_realloc(void *, void *memory, size_t size)
{
    return oi_realloc(memory, size, 1);
}

static void
library_free(void *, void *memory)
{
    oi_free(memory);
}

static enum oi_status
run_library(struct builder *builder, struct oi_error *error)
{
    static const yajl_callbacks callbacks = {
        .yajl_null = on_null,
        .yajl_boolean = on_boolean,
        .yajl_number = on_number,
        .yajl_string = on_string,
        .yajl_start_map = on_begin_object,
        .yajl_map_key = on_name,
        .yajl_end_map = on_end_object,
        .yajl_start_array = on_begin_array,
        .yajl_end_array = on_end_array,
    };
    yajl_alloc_funcs memory = { library_alloc, library_realloc, library_free, NULL };
    yajl_handle parser = yajl_alloc(&callbacks, &memory, builder);
    const unsigned char *text = (const unsigned char *) builder->copy.data;
    yajl_status status;

    /* Our own check is stricter (no overlong forms, no lone surrogates) and faster. */
    yajl_config(parser, yajl_dont_validate_strings, 1);
    status = yajl_parse(parser, text, builder->copy.size);
    if (status == yajl_status_ok)
        status = yajl_complete_parse(parser);
    if (status != yajl_status_ok && !builder->failure) {
        unsigned char *why = yajl_get_error(parser, 0, text, builder->copy.size);
        struct oi_slice reason = oi_slice_trim(oi_slice_of((const char *) why));

        (void) oi_fail(error, OI_E_UPSTREAM, "malformed JSON: %.*s", OI_SLICE_ARGS(reason));
        yajl_free_error(parser, why);
    } else if (builder->failure) {
        (void) oi_fail(error, OI_E_UPSTREAM, "%s", builder->failure);
    }
    yajl_free(parser);
    return status == yajl_status_ok ? OI_OK : OI_E_UPSTREAM;
}

enum oi_status
oi_json_open(struct oi_slice text, struct oi_json **ret_json, struct oi_error *error)
{
    OI_CLEANUP(oi_json_close) struct oi_json *json = NULL;
    struct builder builder = {};
    enum oi_status status;

    if (text.size > OI_JSON_SIZE_MAX)
        return oi_fail(error, OI_E_UPSTREAM, "JSON of more than %zu bytes", OI_JSON_SIZE_MAX);
    if (!oi_utf8_is_valid_json(text))
        return oi_fail(error, OI_E_UPSTREAM, "malformed JSON: not UTF-8");
    json = oi_alloc_zero(1, sizeof(*json));
    builder.json = json;
    builder.copy = (struct oi_slice){ oi_arena_copy(&json->arena, text), text.size };
    status = run_library(&builder, error);
    oi_vector_release(&builder.items);
    if (status != OI_OK)
        return status;
    oi_assert(json->root && builder.depth == 0);
    *ret_json = json;
    json = NULL;
    return OI_OK;
}

void
oi_json_close(struct oi_json **json)
{
    if (!*json)
        return;
    oi_arena_release(&(*json)->arena);
    oi_free(*json);
    *json = NULL;
}

const struct oi_json_node *
oi_json_root(const struct oi_json *json)
{
    return json->root;
}

enum oi_json_kind
oi_json_kind(const struct oi_json_node *node)
{
    return node ? (enum oi_json_kind) node->kind : OI_JSON_NULL;
}

struct oi_slice
oi_json_text(const struct oi_json_node *node)
{
    if (!node || (node->kind != OI_JSON_STRING && node->kind != OI_JSON_NUMBER))
        return (struct oi_slice){};
    return (struct oi_slice){ node->text, node->count };
}

const struct oi_json_node *
oi_json_member(const struct oi_json_node *node, const char *name)
{
    const struct oi_json_node *found = NULL;
    size_t size = strlen(name);

    if (!node || node->kind != OI_JSON_OBJECT)
        return NULL;
    for (const struct oi_json_node *member = node->first; member; member = member->next) {
        /* Most differ in their first character, which costs no call. */
        if (member->name_size == size && member->name[0] == name[0] &&
            memcmp(member->name, name, size) == 0)
            found = member;
    }
    return found;
}

const struct oi_json_node *
oi_json_item(const struct oi_json_node *node, size_t index)
{
    if (!node || node->kind != OI_JSON_ARRAY || index >= node->count)
        return NULL;
    return node->items[index];
}

size_t
oi_json_count(const struct oi_json_node *node)
{
    return node && (node->kind == OI_JSON_ARRAY || node->kind == OI_JSON_OBJECT) ? node->count : 0;
}

const struct oi_json_node *
oi_json_first(const struct oi_json_node *node)
{
    if (oi_json_count(node) == 0)
        return NULL;
    return node->kind == OI_JSON_ARRAY ? node->items[0] : node->first;
}

const struct oi_json_node *
oi_json_next(const struct oi_json_node *node)
{
    return node ? node->next : NULL;
}

struct oi_slice
oi_json_name(const struct oi_json_node *node)
{
    return node && node->name ? (struct oi_slice){ node->name, node->name_size }
                              : (struct oi_slice){};
}
