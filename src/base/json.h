/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON in and out; the only place that sees the JSON library. A number keeps its own digits and is
 * never a double: oi_json_text gives them. Hostile input is bounded by the limits below.
 *
 * Reading: a document is parsed into one arena; nodes and their text live until oi_json_close.
 */
#pragma once

#include "base/buffer.h"
#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest bulk reply we know is about 10 MB; a reply past this is an attack or an error. */
#define OI_JSON_SIZE_MAX ((size_t) 256 << 20)
/* Real replies nest up to 8 deep. */
#define OI_JSON_DEPTH_MAX 64
/* A value may be two bytes of text but takes 40 of memory: 16 million are 640 MB at worst. */
#define OI_JSON_NODES_MAX ((size_t) 16 << 20)

enum oi_json_kind {
    OI_JSON_NULL,
    OI_JSON_FALSE,
    OI_JSON_TRUE,
    OI_JSON_NUMBER,
    OI_JSON_STRING,
    OI_JSON_ARRAY,
    OI_JSON_OBJECT,
};

struct oi_json;      /* a document */
struct oi_json_node; /* one value in it */

/* Parse the whole of `text` (exactly one value, valid UTF-8). UPSTREAM with line-free wording on
 * malformed input: the caller knows whose bytes they are. `text` need not outlive the call. */
enum oi_status oi_json_open(struct oi_slice text, struct oi_json **ret_json,
                            struct oi_error *error);
void oi_json_close(struct oi_json **json);
/* The document's value. */
const struct oi_json_node *oi_json_root(const struct oi_json *json);

/* All of these take NULL for "absent", so look-ups chain. */
enum oi_json_kind oi_json_kind(const struct oi_json_node *node); /* NULL: OI_JSON_NULL */
/* A string's characters or a number's digits as they were written; else an empty slice. */
struct oi_slice oi_json_text(const struct oi_json_node *node);
/* Members of an object, items of an array. Of two members with one name the last one wins. */
const struct oi_json_node *oi_json_member(const struct oi_json_node *node, const char *name);
const struct oi_json_node *oi_json_item(const struct oi_json_node *node, size_t index);
size_t oi_json_count(const struct oi_json_node *node);
/* Walk children in order: first child, then next sibling; NULL at the end. */
const struct oi_json_node *oi_json_first(const struct oi_json_node *node);
const struct oi_json_node *oi_json_next(const struct oi_json_node *node);
/* The name of a member of an object. */
struct oi_slice oi_json_name(const struct oi_json_node *node);

/*
 * Writing: values appended to a buffer, commas and colons taken care of. Nesting deeper than
 * OI_JSON_DEPTH_MAX asserts. Non-ASCII characters are written as \uXXXX, so that no reader splits a
 * line at U+2028.
 */
struct oi_json_writer {
    struct oi_buffer *out;
    unsigned depth;
    bool is_pretty; /* two blanks a level, one value a line */
    bool has_item[OI_JSON_DEPTH_MAX + 1];
    bool follows_name;
};

void oi_json_begin_object(struct oi_json_writer *writer);
void oi_json_end_object(struct oi_json_writer *writer);
void oi_json_begin_array(struct oi_json_writer *writer);
void oi_json_end_array(struct oi_json_writer *writer);
/* The name of the next member; ASCII without anything to escape. */
void oi_json_add_name(struct oi_json_writer *writer, const char *name);
void oi_json_add_string(struct oi_json_writer *writer, struct oi_slice text);
void oi_json_add_text(struct oi_json_writer *writer, const char *text);
/* Digits as they stand: the caller vouches that they are a JSON number (or other raw JSON). */
void oi_json_add_raw(struct oi_json_writer *writer, struct oi_slice raw);
void oi_json_add_int(struct oi_json_writer *writer, int64_t value);
void oi_json_add_bool(struct oi_json_writer *writer, bool value);
void oi_json_add_null(struct oi_json_writer *writer);
/* What was read, with its own digits. False, and nothing written, for an array or an object. */
bool oi_json_add_scalar(struct oi_json_writer *writer, const struct oi_json_node *node);
/* Only the quoted, escaped text, without a writer: for hot paths that write their own commas. */
void oi_json_quote(struct oi_buffer *out, struct oi_slice text);
