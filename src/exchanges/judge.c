/* SPDX-License-Identifier: Apache-2.0 */
/* What a reply means before it is read: by HTTP alone, and the tools with which each adapter adds
 * its exchange's own error bodies. */
#include "exchanges/reply.h"

#include <stdarg.h>
#include <stdio.h>

/* The longest error body met is HTML of a few kB and is not JSON; their JSON is below 300 bytes. */
#define ERROR_BODY_SIZE_MAX ((size_t) 8192)
/* Binance bans for 3 days at most; a longer Retry-After is nonsense and is cut to a week. */
#define PAUSE_S_MAX INT64_C(604'800)

void
oi_reply_verdict(struct oi_verdict *verdict, enum oi_status status, uint64_t pause_ms,
                 const char *format, ...)
{
    va_list arguments;

    verdict->status = status;
    verdict->pause_ms = pause_ms;
    va_start(arguments, format);
    (void) vsnprintf(verdict->reason, sizeof(verdict->reason), format, arguments);
    va_end(arguments);
    /* The reason may quote the other side: one line of the log stays one line. */
    for (char *c = verdict->reason; *c; c++)
        if ((unsigned char) *c < 0x20 || *c == 0x7f)
            *c = ' ';
}

struct oi_slice
oi_reply_header(const struct oi_reply_head *head, const char *name)
{
    for (size_t i = 0; i < head->header_count; i++)
        if (oi_slice_equal_ignoring_case(head->headers[i].name, oi_slice_of(name)))
            return head->headers[i].value;
    return (struct oi_slice){};
}

struct oi_json *
oi_reply_open_error(const struct oi_reply_head *head)
{
    struct oi_json *json = NULL;

    if (head->body.size > ERROR_BODY_SIZE_MAX)
        return NULL;
    if (oi_reply_open(head->body, OI_JSON_OBJECT, &json, NULL) != OI_OK)
        return NULL;
    return json;
}

static uint64_t
retry_after_ms(const struct oi_reply_head *head)
{
    int64_t s;

    /* The other form, a date, is sent by none of the exchanges: the driver's default then. */
    if (!oi_reply_digits(oi_slice_trim(oi_reply_header(head, "Retry-After")), &s))
        return 0;
    return (uint64_t) (s > PAUSE_S_MAX ? PAUSE_S_MAX : s) * 1000;
}

static bool
is_html(struct oi_slice body)
{
    struct oi_slice text = oi_slice_trim(body);

    return text.size > 0 && text.data[0] == '<';
}

void
oi_reply_judge(const struct oi_reply_head *head, struct oi_verdict *ret_verdict)
{
    struct oi_verdict verdict = {};
    int status = head->status;

    if (status >= 200 && status < 300) {
        if (is_html(head->body))
            oi_reply_verdict(&verdict, OI_E_UPSTREAM, 0, "HTML in place of data");
        else
            verdict.status = OI_OK;
    } else if (status == 429 || status == 418 || status == 503) {
        oi_reply_verdict(&verdict, OI_E_BUSY, retry_after_ms(head), "HTTP %d", status);
    } else if (status == 403 || status == 451) {
        oi_reply_verdict(&verdict, OI_E_DENIED, retry_after_ms(head), "HTTP %d", status);
    } else if (status == 404) {
        oi_reply_verdict(&verdict, OI_E_NOT_FOUND, 0, "HTTP 404");
    } else {
        oi_reply_verdict(&verdict, OI_E_UPSTREAM, 0, "HTTP %d", status);
    }
    *ret_verdict = verdict;
}
