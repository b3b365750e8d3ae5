/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: it is what requests see; tests/system/damage.test.mjs asks over real sockets */
/* An answer that lacks rows of damaged chunks says so in its head, in the log and in the counters.
 */
#include "server/server_internal.h"

#include "base/log.h"
#include "core/symbology.h"

/* A header has room for so many spans; the operator's log and `oi verify` name the rest. */
#define SPANS_MAX 16

static void
add_span(const struct oi_damage *damage, struct oi_buffer *out)
{
    char name[OI_MARKET_NAME_SIZE];

    (void) oi_native_name(damage->instrument, name);
    oi_buffer_add_format(out, "%s %s ", name, damage->feed);
    oi_time_write(damage->span.from, oi_time_fraction_digits(damage->span.from), out);
    oi_buffer_add_char(out, '/');
    oi_time_write(damage->span.to, oi_time_fraction_digits(damage->span.to), out);
}

void
damaged_tell(struct tally *tally, const char *dialect, const struct oi_result *result,
             struct oi_http_reply *reply)
{
    struct oi_buffer text = {};

    if (result->damage_count == 0)
        return;
    atomic_fetch_add(&tally->damaged, 1);
    for (size_t i = 0; i < result->damage_count && i < SPANS_MAX; i++) {
        if (i > 0)
            oi_buffer_add_text(&text, ", ");
        add_span(&result->damages[i], &text);
    }
    if (result->damage_count > SPANS_MAX)
        oi_buffer_add_format(&text, ", and %zu more", result->damage_count - SPANS_MAX);
    oi_http_reply_header(reply, "OI-Damaged", oi_buffer_slice(&text));
    oi_http_reply_header_text(reply, "Cache-Control", "no-store");
    oi_log_throttled(OI_LOG_ERROR, "answer.damaged", result->damages[0].reason,
                     "dialect=%s spans=%zu left_out=\"%.*s\" reason=\"%s\"", dialect,
                     result->damage_count, (int) text.size, text.data, result->damages[0].reason);
    oi_buffer_release(&text);
}
