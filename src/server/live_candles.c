/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: it is what sockets see; tests/system/native_stream.test.mjs listens over real ones
 */
/*
 * Closed candles to listeners. A candle is closed by the first reading of its market in a later
 * interval, or, where none comes, some time after its end; then it is asked for like any other
 * candle, so that the stream and the API cannot disagree. Each is sent once: a row that is late
 * changes it, and only a question shows that.
 */
#include "server/live_internal.h"

#include "core/symbology.h"

/* What a minute's poll and its retries take at most. */
#define GRACE_NS (90 * OI_SECOND)
/* Candles made in one turn of the loop. */
#define TURN_CANDLES 32

struct candles {
    const struct oi_stream_route *route;
    int64_t interval_ns;
    enum oi_unit unit;
    bool is_canonical;
    size_t listeners;
    OI_VECTOR(struct open_candle {
        oi_time start;     /* OI_TIME_NONE: none is open */
        oi_time closed_to; /* what begins before it has been sent */
    })
    open; /* by instrument, from 1 */
};

static struct candles *
find_candles(struct live *live, const struct candles *wanted)
{
    struct candles *candles;

    for (size_t i = 0; i < live->candles.count; i++) {
        candles = live->candles.items[i];
        if (candles->route == wanted->route && candles->interval_ns == wanted->interval_ns &&
            candles->unit == wanted->unit && candles->is_canonical == wanted->is_canonical)
            return candles;
    }
    candles = oi_alloc_zero(1, sizeof(*candles));
    *candles = *wanted;
    oi_vector_push(&live->candles, candles);
    return candles;
}

size_t
live_candles_join(struct listener *listener, const struct oi_query *query, int64_t interval_ns)
{
    const struct candles wanted = { .route = listener->route,
                                    .interval_ns = interval_ns,
                                    .unit = query->unit,
                                    .is_canonical = query->is_canonical };
    struct candles *candles;

    if (!listener->route->render_candle)
        return LIVE_CANDLES_MAX;
    for (size_t i = 0; i < listener->candles_count; i++)
        if (listener->candles[i]->interval_ns == interval_ns)
            return i;
    if (listener->candles_count >= LIVE_CANDLES_MAX)
        return LIVE_CANDLES_MAX;
    candles = find_candles(listener->live, &wanted);
    candles->listeners++;
    listener->candles[listener->candles_count] = candles;
    return listener->candles_count++;
}

static void
forget_due(struct live *live, const struct candles *candles)
{
    size_t kept = live->due_done;

    for (size_t i = live->due_done; i < live->due.count; i++) {
        if (live->due.items[i].candles != candles)
            live->due.items[kept++] = live->due.items[i];
    }
    live->due.count = kept;
}

static void
leave(struct live *live, struct candles *left)
{
    if (--left->listeners > 0)
        return;
    forget_due(live, left);
    for (size_t i = 0; i < live->candles.count; i++) {
        if (live->candles.items[i] != left)
            continue;
        live->candles.items[i] = live->candles.items[--live->candles.count];
        break;
    }
    oi_vector_release(&left->open);
    oi_free(left);
}

void
live_candles_leave(struct listener *listener)
{
    for (size_t i = 0; i < listener->candles_count; i++)
        leave(listener->live, listener->candles[i]);
    listener->candles_count = 0;
}

static void
close_candle(struct live *live, struct candles *candles, uint32_t instrument)
{
    struct open_candle *open = &candles->open.items[instrument];

    oi_vector_push(&live->due, ((struct due_candle){ candles, instrument, open->start }));
    open->closed_to = open->start + candles->interval_ns;
    open->start = OI_TIME_NONE;
}

static void
note(struct live *live, struct candles *candles, uint32_t instrument, oi_time time)
{
    oi_time start = oi_interval_floor(candles->interval_ns, time);
    struct open_candle *open;

    while (candles->open.count <= instrument)
        oi_vector_push(&candles->open, ((struct open_candle){ OI_TIME_NONE, OI_TIME_EARLIEST }));
    open = &candles->open.items[instrument];
    if (start < open->closed_to || (open->start != OI_TIME_NONE && start <= open->start))
        return;
    if (open->start != OI_TIME_NONE)
        close_candle(live, candles, instrument);
    open->start = start;
}

void
live_candles_note(struct live *live, uint32_t instrument, oi_time time)
{
    for (size_t i = 0; i < live->candles.count; i++)
        note(live, live->candles.items[i], instrument, time);
}

void
live_candles_expire(struct live *live, oi_time now)
{
    for (size_t i = 0; i < live->candles.count; i++) {
        struct candles *candles = live->candles.items[i];

        for (size_t k = 0; k < candles->open.count; k++) {
            oi_time start = candles->open.items[k].start;

            if (start != OI_TIME_NONE && start + candles->interval_ns + GRACE_NS <= now)
                close_candle(live, candles, (uint32_t) k);
        }
    }
}

static bool
hears(struct listener *listener, const struct due_candle *due)
{
    const struct interest *interest;

    for (size_t i = 0; i < listener->candles_count && !listener->is_closing; i++) {
        if (listener->candles[i] != due->candles)
            continue;
        interest = listener->hears_all ? NULL : listener_find(listener, due->instrument);
        return listener->hears_all || (interest && interest->wants & 2u << i);
    }
    return false;
}

/* Ask for the candle and word it; nothing where it cannot be had in the unit. */
static void
word_candle(struct live *live, const struct oi_catalog *catalog, const struct due_candle *due,
            struct oi_buffer *text)
{
    const struct candles *candles = due->candles;
    OI_CLEANUP(oi_result_close) struct oi_result *result = NULL;
    OI_CLEANUP(oi_query_release) struct oi_query query = OI_QUERY_EMPTY;
    const struct oi_block *block = NULL;
    struct oi_selector *selector = oi_query_select(&query, OI_SYMBOLOGY_NATIVE);
    struct oi_problem problem = {};
    char name[OI_MARKET_NAME_SIZE];

    (void) oi_native_name(&catalog->instruments[due->instrument - 1], name);
    selector->market = name;
    query.kind = candles->route->has_bars ? OI_QUERY_BARS : OI_QUERY_CANDLES;
    query.interval_ns = candles->interval_ns;
    query.unit = candles->unit;
    query.is_canonical = candles->is_canonical;
    query.span = (struct oi_span){ due->start, due->start + candles->interval_ns };
    if (oi_query_run(live->worker->server->source, &query, &result, &problem, NULL) == OI_OK &&
        oi_result_next(result, &block, NULL) == OI_OK && block && block->count > 0)
        candles->route->render_candle(&query, block, text);
}

static void
send_candle(struct live *live, const struct oi_catalog *catalog, const struct due_candle *due)
{
    struct oi_shared *frame = NULL;
    struct oi_buffer text = {};
    bool is_made = false;

    for (size_t i = live->listeners.count; i-- > 0;) {
        struct listener *listener = live->listeners.items[i];

        if (!hears(listener, due))
            continue;
        if (!is_made)
            word_candle(live, catalog, due, &text);
        is_made = true;
        if (text.size == 0)
            break;
        if (listener_queued(listener) > LIVE_QUEUE_MAX) {
            listener_close(listener, listener->route->stall_code, "reading too slowly");
        } else if (listener->websocket) {
            if (!frame)
                frame = oi_websocket_frame_new(oi_buffer_slice(&text));
            oi_websocket_send_frame(listener->websocket, frame);
        } else {
            listener_send_text(listener, oi_buffer_slice(&text));
        }
    }
    oi_shared_unref(&frame);
    oi_buffer_release(&text);
}

bool
live_candles_send(struct live *live, const struct oi_catalog *catalog)
{
    for (size_t i = 0; i < TURN_CANDLES && live->due_done < live->due.count; i++) {
        struct due_candle due = live->due.items[live->due_done++];

        send_candle(live, catalog, &due);
    }
    if (live->due_done < live->due.count)
        return true;
    oi_vector_clear(&live->due);
    live->due_done = 0;
    return false;
}
