/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log as an answer: one page, read in one transaction and held as copies, so that a slow client
 * pins nothing. Pages count from the newest event, or from a number on.
 */
/* no unit test: alert_log_test.c asks */
#include "alerts/alert_log_internal.h"
#include "alerts/alert_text.h"

/* One page without a limit. */
#define PAGE_MAX 100'000

struct page {
    struct oi_result result;
    struct oi_block block;
    const struct oi_query *query;
    OI_VECTOR(struct oi_alert) alerts;
    struct oi_arena arena;
    bool is_given;
};

static enum oi_status
next(struct oi_result *result, const struct oi_block **ret_block, struct oi_error *)
{
    struct page *page = (struct page *) result;

    *ret_block = page->is_given || page->alerts.count == 0 ? NULL : &page->block;
    if (*ret_block)
        result->row_count += page->alerts.count;
    page->is_given = true;
    return OI_OK;
}

static void
close_page(struct oi_result *result)
{
    struct page *page = (struct page *) result;

    oi_vector_release(&page->alerts);
    oi_arena_release(&page->arena);
    oi_free(page);
}

/* Take an event that is asked for; CANCELLED: the page was full before it. */
static enum oi_status
take(struct page *page, uint64_t sequence, struct oi_slice value, struct oi_error *error)
{
    const struct oi_query *query = page->query;
    size_t most = query->limit > 0 ? query->limit : PAGE_MAX;
    struct oi_alert alert;
    struct oi_cursor body;
    struct oi_slice rule;
    oi_time at;

    OI_TRY(alert_unseal(value, &body, error));
    at = (oi_time) oi_cursor_u64(&body);
    rule = oi_cursor_bytes(&body, oi_cursor_u8(&body));
    if (!oi_span_contains(query->span, at) ||
        (query->text_filter && !oi_slice_is(rule, query->text_filter)))
        return OI_OK;
    if (page->alerts.count == most) {
        page->result.next_position =
            (struct oi_position){ .is_set = true,
                                  .time = (oi_time) page->alerts.items[most - 1].sequence };
        return OI_E_CANCELLED;
    }
    OI_TRY(
        oi_alert_read(oi_cursor_bytes(&body, oi_cursor_left(&body)), &page->arena, &alert, error));
    alert.sequence = sequence;
    oi_vector_push(&page->alerts, alert);
    return OI_OK;
}

/* Where the walk begins. NOT_FOUND: nowhere. */
static enum oi_status
begin(const struct oi_alert_log *log, struct oi_kv_cursor *cursor, const struct oi_query *query,
      struct oi_slice *ret_key, struct oi_slice *ret_value, struct oi_error *error)
{
    uint64_t after =
        query->after.is_set && query->after.time > 0 ? (uint64_t) query->after.time : 0;
    struct alert_key key;
    enum oi_status status;

    if (!query->from_end)
        return log->engine->seek(cursor, alert_key_of(after + 1, "", &key), ret_key, ret_value,
                                 error);
    if (!query->after.is_set)
        return log->engine->seek_last(cursor, ret_key, ret_value, error);
    status = log->engine->seek(cursor, alert_key_of(after, "", &key), ret_key, ret_value, error);
    return status == OI_OK ? log->engine->previous(cursor, ret_key, ret_value, error) : status;
}

static enum oi_status
fill(struct oi_alert_log *log, struct oi_kv_txn *txn, struct page *page, struct oi_error *error)
{
    struct oi_kv_cursor *cursor = NULL;
    struct oi_slice key, value;
    enum oi_status status;

    OI_TRY(log->engine->cursor_open(txn, ALERT_TABLE_EVENTS, &cursor, error));
    status = begin(log, cursor, page->query, &key, &value, error);
    while (status == OI_OK) {
        status = take(page, alert_key_number(key), value, error);
        if (status == OI_OK)
            status = page->query->from_end ? log->engine->previous(cursor, &key, &value, error)
                                           : log->engine->next(cursor, &key, &value, error);
    }
    log->engine->cursor_close(&cursor);
    return status == OI_E_NOT_FOUND || status == OI_E_CANCELLED ? OI_OK : status;
}

/* Rows ascend, from whichever end they were found. */
static void
turn_round(struct page *page)
{
    for (size_t i = 0, k = page->alerts.count; i + 1 < k; i++) {
        struct oi_alert swapped = page->alerts.items[--k];

        page->alerts.items[k] = page->alerts.items[i];
        page->alerts.items[i] = swapped;
    }
}

enum oi_status
oi_alert_log_ask(void *context, const struct oi_query *query, struct oi_result **ret_result,
                 struct oi_error *error)
{
    struct oi_alert_log *log = context;
    struct page *page = oi_alloc_zero(1, sizeof(*page));
    struct oi_kv_txn *txn = NULL;
    enum oi_status status = log->engine->begin(log->kv, OI_KV_READ, &txn, error);

    page->result.next = next;
    page->result.close = close_page;
    page->result.data_version = log->engine->last_commit(log->kv);
    page->query = query;
    if (status == OI_OK)
        status = fill(log, txn, page, error);
    log->engine->abort(&txn);
    if (status != OI_OK) {
        close_page(&page->result);
        return status;
    }
    if (query->from_end)
        turn_round(page);
    page->block.alerts = page->alerts.items;
    page->block.count = page->alerts.count;
    page->block.is_last_of_market = true;
    *ret_result = &page->result;
    return OI_OK;
}
