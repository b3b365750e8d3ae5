/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every adapter needs to read a reply: members by name and kind, decimals as their digits,
 * times in their unit, and a walk over rows in which one bad row costs that row alone.
 *
 * Numbers come as JSON numbers or as strings, at one exchange even both in turn; the readers take
 * either. Absent, null and "" all mean "none". Slices and nodes live as long as the document.
 */
#pragma once

#include "base/json.h"
#include "exchanges/exchange.h"

/* Open a reply whose root has this kind. UPSTREAM otherwise. */
enum oi_status oi_reply_open(struct oi_slice reply, enum oi_json_kind kind,
                             struct oi_json **ret_json, struct oi_error *error);
/* A member that must be there, of this kind. UPSTREAM otherwise. */
enum oi_status oi_reply_member(const struct oi_json_node *node, const char *name,
                               enum oi_json_kind kind, const struct oi_json_node **ret_member,
                               struct oi_error *error);

/* The value of a node: a string that is not empty, or the digits of a number; else empty. */
struct oi_slice oi_reply_value(const struct oi_json_node *node);
/* The same of a member. */
struct oi_slice oi_reply_text(const struct oi_json_node *node, const char *name);

/* A decimal that must be there. INVALID with the member's name in the message otherwise. */
enum oi_status oi_reply_decimal(const struct oi_json_node *node, const char *name,
                                struct oi_decimal *ret_value, struct oi_error *error);
/* The same, none where there is none; INVALID for what is there and no decimal. */
enum oi_status oi_reply_optional_decimal(const struct oi_json_node *node, const char *name,
                                         struct oi_decimal *ret_value, struct oi_error *error);
/* Open interest: a decimal that must be there and not be below zero. */
enum oi_status oi_reply_amount(const struct oi_json_node *node, const char *name,
                               struct oi_decimal *ret_value, struct oi_error *error);
/* A contract size or a strike: above zero. */
enum oi_status oi_reply_positive(const struct oi_json_node *node, const char *name,
                                 struct oi_decimal *ret_value, struct oi_error *error);
/* What only accompanies the figure must not cost it: a price or value that is absent, malformed or
 * not above zero is none. */
struct oi_decimal oi_reply_price(const struct oi_json_node *node, const char *name);
/* The same, zero allowed: a value in USD, an option's premium. */
struct oi_decimal oi_reply_value_of(const struct oi_json_node *node, const char *name);

/* An integer that must be there and fit an int64. INVALID otherwise. */
enum oi_status oi_reply_integer(const struct oi_json_node *node, const char *name,
                                int64_t *ret_value, struct oi_error *error);
/* Milliseconds since 1970 that must be there, above zero. INVALID otherwise. */
enum oi_status oi_reply_time_ms(const struct oi_json_node *node, const char *name,
                                oi_time *ret_time, struct oi_error *error);
/* The venue's stamp where it gave a sound one, else OI_TIME_NONE: 0, "", null, nonsense. */
oi_time oi_reply_optional_time_ms(const struct oi_json_node *node, const char *name);
oi_time oi_reply_optional_time_us(const struct oi_json_node *node, const char *name);
oi_time oi_reply_optional_time_s(const struct oi_json_node *node, const char *name);
/* The same for "2021-07-22T22:36:05.000Z". */
oi_time oi_reply_optional_time_iso(const struct oi_json_node *node, const char *name);
/* An end of a contract that must be there, in the same form. INVALID otherwise. */
enum oi_status oi_reply_time_iso(const struct oi_json_node *node, const char *name,
                                 oi_time *ret_time, struct oi_error *error);

/* Everything a row's reader needs. */
struct oi_reply_walk {
    const struct oi_task *task;
    struct oi_harvest *harvest;
    oi_time reply_time; /* of the envelope, or OI_TIME_NONE */
    const char
        *symbol_name; /* the member that names a row, for its skip; NULL: the task's symbol */
    /* Reads one row into the harvest. NOT_FOUND: none of ours, left out; any other failure: the
     * row is skipped with the message as its reason. */
    enum oi_status (*read_row)(const struct oi_reply_walk *walk, const struct oi_json_node *row,
                               struct oi_error *error);
};
/* Read each child of `list`. */
void oi_reply_walk(const struct oi_reply_walk *walk, const struct oi_json_node *list);
/* Read one row, skipping it as above. */
void oi_reply_walk_row(const struct oi_reply_walk *walk, const struct oi_json_node *row);

/* An instrument of the task's exchange and product with its symbol taken from a member. */
enum oi_status oi_reply_instrument(const struct oi_json_node *row, const char *symbol_name,
                                   const char *exchange, const char *product,
                                   struct oi_instrument *ret_instrument, struct oi_error *error);

/*
 * History by windows: the request for a page covers [page, page + width), cut to the span, and the
 * next page is the next window, whatever the reply holds. So a page never depends on how an
 * exchange cuts a span that is longer than its limit.
 */
/* INVALID for a page that is none of ours, NOT_FOUND for a span the exchange does not keep. */
enum oi_status oi_reply_window(const struct oi_history_window *window, const struct oi_task *task,
                               struct oi_span *ret_span, struct oi_error *error);
/* Set the harvest's next_page to the window after the task's, or to NULL at the end of the span. */
void oi_reply_window_next(const struct oi_history_window *window, const struct oi_task *task,
                          struct oi_harvest *harvest);
/* Add a query parameter that is a time in milliseconds. */
enum oi_status oi_reply_add_time_ms(struct oi_http_request *request, const char *name, oi_time time,
                                    struct oi_error *error);
/* The same in seconds, cut. */
enum oi_status oi_reply_add_time_s(struct oi_http_request *request, const char *name, oi_time time,
                                   struct oi_error *error);

/*
 * Streams. A message may leave out what has not changed.
 */

/* Open interest where it is told: none when it is not there, INVALID when it is no amount. */
enum oi_status oi_reply_optional_amount(const struct oi_json_node *node, const char *name,
                                        struct oi_decimal *ret_value, struct oi_error *error);
/* A row of what a message told; one that tells nothing is left out. */
enum oi_status oi_reply_add_told(struct oi_harvest *harvest, const char *product,
                                 struct oi_slice symbol, const struct oi_observation *reading,
                                 struct oi_error *error);
/* The task's symbols as strings with a text in front of each and one behind. */
void oi_reply_add_symbols(struct oi_json_writer *writer, const struct oi_stream_task *task,
                          const char *before, const char *after);
/* Begin {"op":"subscribe","args":[ and end it. */
void oi_reply_begin_args(struct oi_json_writer *writer);
void oi_reply_end_args(struct oi_json_writer *writer);

/*
 * What a reply means by HTTP alone: 2xx OK (HTML in it UPSTREAM), 429 and 418 BUSY, 403 and 451
 * DENIED, 404 NOT_FOUND, 503 BUSY, everything else UPSTREAM. Retry-After, in seconds, gives the
 * pause.
 */
void oi_reply_judge(const struct oi_reply_head *head, struct oi_verdict *ret_verdict);
/* A header's value (name in any case), empty when it is not there. */
struct oi_slice oi_reply_header(const struct oi_reply_head *head, const char *name);
/* Digits as a number, or false: for headers and error texts. */
bool oi_reply_digits(struct oi_slice text, int64_t *ret_value);
/* The error object of a reply, opened, or NULL: bodies longer than any error are not looked at, so
 * judging a bulk reply does not parse it twice. */
struct oi_json *oi_reply_open_error(const struct oi_reply_head *head);
/* Overrule a verdict, with a reason for the log. */
void oi_reply_verdict(struct oi_verdict *verdict, enum oi_status status, uint64_t pause_ms,
                      const char *format, ...) OI_PRINTF(4, 5);
