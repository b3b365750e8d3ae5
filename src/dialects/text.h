/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the dialects share: reading parameters with the strictness each vendor shows, and writing
 * times, numbers and small JSON answers. Every reader fills the problem and returns OI_E_INVALID
 * where a value is wrong, and leaves its output alone where the parameter is absent.
 */
#pragma once

#include "base/json.h"
#include "core/columns.h"
#include "core/slots.h"
#include "dialects/dialect.h"

#include <stdbool.h>

/* One parameter of a route. A table of them is all a route knows. */
struct oi_parameter {
    const char *name;
    unsigned rule; /* of the bits below; 0: at most once */
};
#define OI_PARAMETER_REQUIRED (1u << 0)
#define OI_PARAMETER_REPEATABLE (1u << 1)

/* A value longer than this is nobody's honest question (a Coin Metrics list fits). */
#define OI_PARAMETER_SIZE_MAX 10'000
/* More values of a repeatable parameter, or parts of a list, are refused. */
#define OI_PARAMETER_VALUES_MAX 2000

/* Refuse unknown, repeated, missing, oversized and malformed parameters. */
enum oi_status oi_text_parameters(const struct oi_http_request *request,
                                  const struct oi_parameter *parameters, size_t count,
                                  struct oi_problem *problem);
#define OI_TEXT_PARAMETERS(request, parameters, problem)                                           \
    oi_text_parameters((request), (parameters), OI_COUNT(parameters), (problem))

/* The first value of that name, or an empty slice. An empty value counts as absent. */
struct oi_slice oi_text_value(const struct oi_http_request *request, const char *name);
/* The same, copied into the query's arena; NULL where absent. */
const char *oi_text_copy(const struct oi_http_request *request, const char *name,
                         struct oi_query *query);

/* A decimal integer without blanks or plus sign that fits; false otherwise. */
bool oi_text_integer(struct oi_slice text, int64_t *ret_value);

/* `true` or `false` in any letter case. */
enum oi_status oi_text_boolean(const struct oi_http_request *request, const char *name,
                               bool *ret_value, struct oi_problem *problem);

/* A word of a vendor and what it stands for. */
struct oi_word {
    const char *word;
    int64_t value;
};

/* One of the words, exactly; message "Must be one of a, b." otherwise. */
enum oi_status oi_text_word(const struct oi_http_request *request, const char *name,
                            const struct oi_word *words, size_t count, int64_t *ret_value,
                            struct oi_problem *problem);
#define OI_TEXT_WORD(request, name, words, ret_value, problem)                                     \
    oi_text_word((request), (name), (words), OI_COUNT(words), (ret_value), (problem))
/* The word that stands for a value, or NULL. */
const char *oi_word_of(const struct oi_word *words, size_t count, int64_t value);

/* An ISO 8601 instant; naive times are UTC, a date is its midnight. False where it is none. */
bool oi_text_time(struct oi_slice text, oi_time *ret_time);

/* A copy in upper case, in the arena. ASCII only. */
char *oi_text_upper(struct oi_arena *arena, struct oi_slice text);

/* `2026-03-07T00:00:00.000Z`, appended: remembers the day, so that a run of rows of one day costs
 * no calendar. Start from {}. */
struct oi_time_writer {
    oi_time day; /* start of the remembered day */
    bool is_set;
    char date[16]; /* "2026-03-07T", and room for a copy of a fixed size */
};
void oi_text_add_time(struct oi_time_writer *writer, oi_time time, int fraction_digits,
                      struct oi_buffer *out);

/* Room that a time takes at most. */
#define OI_TIME_TEXT_SIZE 32
/* The same at `at`, which has that room; returns the end. For rows that reserve once. */
char *oi_text_put_time(struct oi_time_writer *writer, oi_time time, int fraction_digits, char *at);

/* Many of them, at most OI_SLOT_COUNT; `fraction_digits` below 0: as many as each needs. Times that
 * are none have no text. */
#define OI_TIME_SHORT (-1)
void oi_text_put_times(struct oi_time_writer *writer, const oi_time *times, size_t count,
                       int fraction_digits, const struct oi_slots *slots);

/* A row of a column of decimals, as plain digits; nothing and false where there is none. */
bool oi_text_add_decimal(const struct oi_decimals *column, size_t row, struct oi_buffer *out);

/* `"text"` as JSON, in the arena: what every row of a market repeats. */
struct oi_slice oi_text_quoted(struct oi_arena *arena, const char *text);

/* Bytes of a literal, appended. */
#define OI_ADD(out, literal) oi_buffer_add((out), (literal), sizeof(literal) - 1)

/* Begin a JSON body that is written at once: sets status and type. */
struct oi_json_writer oi_text_begin_json(struct oi_http_reply *reply, int status,
                                         const char *content_type);
/* A decimal as a JSON number, or null. */
void oi_text_json_decimal(struct oi_json_writer *writer, const struct oi_decimal *value);
/* A named string member; NULL gives null. */
void oi_text_json_text(struct oi_json_writer *writer, const char *name, const char *value);
/* A named time member, null for OI_TIME_NONE. */
void oi_text_json_time(struct oi_json_writer *writer, const char *name, oi_time time,
                       int fraction_digits);

/* The parameters of a request again, percent-encoded, without `except`, first "?" or "&" included;
 * nothing where there are none. */
void oi_text_add_query(const struct oi_http_request *request, const char *except,
                       struct oi_buffer *out);
/* The value of a header, or an empty slice. */
struct oi_slice oi_text_header(const struct oi_http_request *request, const char *name);
/* The key of `Authorization: Bearer KEY`, or an empty slice. */
struct oi_slice oi_text_bearer(const struct oi_http_request *request);
/* The same, or else what X-API-Key says: for clients that can set only one of them. */
struct oi_slice oi_text_key(const struct oi_http_request *request);
/* Begin the JSON body of a refusal: `status`, or the problem's own where it has one, with what a
 * client needs to know of a 401 or a 429. */
struct oi_json_writer oi_text_begin_refusal(struct oi_http_reply *reply, int status,
                                            const struct oi_problem *problem);
