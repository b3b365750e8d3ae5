/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readings that the operator holds to be bad: a ledger of spans of markets, with reasons. Nothing
 * stored changes: the flag is put on the rows as they are read, from the moment of its entry on.
 */
/* no unit test: it acts through store.h alone, which tests/contract/store_*_test.c asks. */
#include "core/observation.h"
#include "store/store_internal.h"

#include <string.h>

static enum oi_status
entry_decode(struct oi_slice body, struct oi_bad_span *ret_flag, struct oi_error *error)
{
    struct oi_cursor cursor = oi_cursor_over(body);
    struct oi_bad_span flag = {};
    struct oi_slice reason;

    flag.instrument = oi_cursor_u32(&cursor);
    flag.span.from = (oi_time) oi_cursor_u64(&cursor);
    flag.span.to = (oi_time) oi_cursor_u64(&cursor);
    flag.flagged_at = (oi_time) oi_cursor_u64(&cursor);
    reason = oi_cursor_bytes(&cursor, oi_cursor_u8(&cursor));
    if (cursor.failed || oi_cursor_left(&cursor) != 0 || reason.size >= sizeof(flag.reason))
        return oi_fail(error, OI_E_CORRUPT, "an entry of the ledger of bad rows is damaged");
    memcpy(flag.reason, reason.data, reason.size);
    *ret_flag = flag;
    return OI_OK;
}

static enum oi_status
entry_save(struct oi_access *access, uint32_t id, const struct oi_bad_span *flag,
           struct oi_error *error)
{
    const struct oi_key key = oi_key_of_u32(id);
    struct oi_buffer value = {};
    enum oi_status status;

    oi_seal_begin(&value);
    oi_buffer_add_u32(&value, flag->instrument);
    oi_buffer_add_u64(&value, (uint64_t) flag->span.from);
    oi_buffer_add_u64(&value, (uint64_t) flag->span.to);
    oi_buffer_add_u64(&value, (uint64_t) flag->flagged_at);
    oi_buffer_add_u8(&value, (uint8_t) strlen(flag->reason));
    oi_buffer_add_text(&value, flag->reason);
    status = oi_access_put(access, OI_TABLE_FLAG, oi_key_slice(&key), &value, error);
    oi_buffer_release(&value);
    return status;
}

static enum oi_status
collect(void *context, struct oi_slice, struct oi_slice body, struct oi_error *error)
{
    struct oi_flags *flags = context;
    struct oi_bad_span flag;

    OI_TRY(entry_decode(body, &flag, error));
    oi_vector_push(flags, flag);
    return OI_OK;
}

enum oi_status
oi_flags_load(struct oi_access *access, struct oi_flags *flags, struct oi_error *error)
{
    const struct oi_key all = {};

    return oi_access_walk(access, OI_TABLE_FLAG, &all, &all, collect, flags, error);
}

void
oi_flags_choose(const struct oi_store *store, uint32_t series, struct oi_span span,
                oi_time as_stored, struct oi_flags *flags)
{
    uint32_t instrument;

    if (series == 0 || series > store->names.series.count)
        return;
    instrument = store->names.series.items[series - 1].instrument;
    for (size_t i = 0; i < store->flags.count; i++) {
        const struct oi_bad_span *flag = &store->flags.items[i];

        if (flag->instrument == instrument && flag->flagged_at <= as_stored &&
            flag->span.from < span.to && flag->span.to > span.from)
            oi_vector_push(flags, *flag);
    }
}

uint16_t
oi_flags_of(const struct oi_flags *flags, oi_time time)
{
    for (size_t i = 0; i < flags->count; i++)
        if (time >= flags->items[i].span.from && time < flags->items[i].span.to)
            return OI_FLAG_BAD;
    return 0;
}

static enum oi_status
flag_in(struct oi_access *access, const struct oi_bad_span *flag, struct oi_error *error)
{
    struct oi_store *store = access->store;
    struct oi_bad_span entry = *flag;
    struct oi_flags present = {};
    struct oi_state state;
    enum oi_status status;
    uint32_t id;

    OI_TRY(oi_store_catch_up(store, access, error));
    OI_TRY(oi_state_load(access, &state, error));
    if (flag->instrument == 0 || flag->instrument > store->names.instruments.count)
        return oi_fail(error, OI_E_NOT_FOUND, "there is no market %u", flag->instrument);
    status = oi_flags_load(access, &present, error);
    id = (uint32_t) present.count + 1;
    oi_vector_release(&present);
    OI_TRY(status);
    entry.flagged_at = oi_store_now(store, &state);
    OI_TRY(entry_save(access, id, &entry, error));
    /* Answers change as they do by a withdrawal: everybody looks again. */
    state.hidden_version++;
    OI_TRY(oi_state_save(access, &state, error));
    return oi_access_commit(access, error);
}

enum oi_status
oi_flag_apply(struct oi_store *store, const struct oi_bad_span *flag, struct oi_error *error)
{
    struct oi_access access;
    enum oi_status status = oi_access_begin(&access, store, OI_KV_WRITE, error);

    if (status == OI_OK)
        status = flag_in(&access, flag, error);
    oi_access_end(&access);
    return status;
}

static enum oi_status
flag_remote(struct oi_store *store, const struct oi_bad_span *flag, struct oi_error *error)
{
    struct oi_buffer body = {};
    enum oi_status status;

    oi_buffer_add_u32(&body, flag->instrument);
    oi_buffer_add_u64(&body, (uint64_t) flag->span.from);
    oi_buffer_add_u64(&body, (uint64_t) flag->span.to);
    oi_buffer_add_text(&body, flag->reason);
    status = oi_remote_change(store, OI_CHANGE_FLAG, oi_buffer_slice(&body), NULL, error);
    oi_buffer_release(&body);
    return status;
}

enum oi_status
oi_store_flag(struct oi_store *store, const struct oi_bad_span *flag, struct oi_error *error)
{
    enum oi_status status;

    if (store->is_read_only)
        return oi_fail(error, OI_E_INVALID, "the store was opened for reading only");
    if (flag->span.from >= flag->span.to)
        return oi_fail(error, OI_E_INVALID, "a span that ends before it begins");
    if (flag->reason[0] == 0 || !memchr(flag->reason, 0, sizeof(flag->reason)))
        return oi_fail(error, OI_E_INVALID, "a reason of 1 to %zu bytes is needed",
                       sizeof(flag->reason) - 1);
    if (store->remote)
        return flag_remote(store, flag, error);
    (void) pthread_mutex_lock(&store->append_lock);
    status = oi_flag_apply(store, flag, error);
    (void) pthread_mutex_unlock(&store->append_lock);
    return status == OI_OK ? oi_store_follow(store, error) : status;
}

enum oi_status
oi_store_flags(struct oi_store *store,
               enum oi_status (*each)(void *context, const struct oi_bad_span *flag), void *context,
               struct oi_error *error)
{
    struct oi_flags flags = {};
    struct oi_access access;
    enum oi_status status;

    OI_TRY(oi_access_begin(&access, store, OI_KV_READ, error));
    status = oi_flags_load(&access, &flags, error);
    oi_access_end(&access);
    for (size_t i = 0; status == OI_OK && i < flags.count; i++)
        status = each(context, &flags.items[i]);
    oi_vector_release(&flags);
    return status;
}

bool
oi_store_is_flagged(struct oi_store *store, uint32_t series, struct oi_span span, oi_time as_stored)
{
    struct oi_flags flags = {};
    bool is_flagged;

    (void) pthread_rwlock_rdlock(&store->state_lock);
    oi_flags_choose(store, series, span, as_stored, &flags);
    (void) pthread_rwlock_unlock(&store->state_lock);
    is_flagged = flags.count > 0;
    oi_vector_release(&flags);
    return is_flagged;
}

oi_time
oi_store_good_before(struct oi_store *store, uint32_t series, oi_time time, oi_time as_stored)
{
    const struct oi_span until = { OI_TIME_EARLIEST, time == OI_TIME_LATEST ? time : time + 1 };
    struct oi_flags flags = {};
    bool is_good = false;

    (void) pthread_rwlock_rdlock(&store->state_lock);
    oi_flags_choose(store, series, until, as_stored, &flags);
    (void) pthread_rwlock_unlock(&store->state_lock);
    /* Entries overlap, in any order. */
    while (!is_good && time > OI_TIME_EARLIEST) {
        is_good = true;
        for (size_t i = 0; i < flags.count; i++) {
            if (!oi_span_contains(flags.items[i].span, time))
                continue;
            time = flags.items[i].span.from - (flags.items[i].span.from > OI_TIME_EARLIEST);
            is_good = false;
        }
    }
    oi_vector_release(&flags);
    return time;
}
