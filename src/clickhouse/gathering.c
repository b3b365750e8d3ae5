/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of many series in one answer. They come block by block, each in order of its part, and are
 * dealt out to their series as they come; who gets them from several parts sorts them.
 */
/* no unit test: needs a server; tests/contract/store_*_test.c run over one. */
#include "base/alloc.h"
#include "clickhouse/engine.h"
#include "clickhouse/kept_rows.h"

struct gathering {
    struct oi_clickhouse *engine;
    const struct oi_gather_request *request;
    struct oi_rows *rows; /* of each series */
};

/* A list of the series' instruments, or of their feeds. Feeds are few: each comes once. */
static void
write_list(const struct gathering *gathering, bool of_feeds, struct oi_buffer *out)
{
    uint64_t seen[(UINT16_MAX + 1) / 64] = {};
    bool is_first = true;

    for (size_t i = 0; i < gathering->request->count; i++) {
        struct oi_series series;

        if (!oi_remote_series(gathering->engine->store, gathering->request->series[i], &series))
            continue;
        if (of_feeds && (seen[series.feed / 64] >> (series.feed % 64) & 1))
            continue;
        seen[series.feed / 64] |= UINT64_C(1) << (series.feed % 64);
        oi_buffer_add_format(out, "%s%u", is_first ? "" : ",",
                             of_feeds ? series.feed : series.instrument);
        is_first = false;
    }
    if (is_first)
        oi_buffer_add_char(out, '0');
}

static void
deal_out(const struct gathering *gathering, const struct oi_rows *rows,
         const struct oi_reading_pairs *pairs)
{
    const struct oi_series *items = pairs->items.items;

    for (size_t from = 0, to; from < rows->count; from = to) {
        uint32_t series = oi_remote_find_series(gathering->engine->store, items[from].instrument,
                                                items[from].feed);
        size_t place = oi_gather_place(gathering->request, series);

        for (to = from + 1; to < rows->count && items[to].instrument == items[from].instrument &&
                            items[to].feed == items[from].feed;)
            to++;
        if (place < gathering->request->count)
            oi_rows_append(&gathering->rows[place], rows, from, to - from);
    }
}

static enum oi_status
take_blocks(const struct gathering *gathering, unsigned columns, struct oi_slice body,
            struct oi_error *error)
{
    struct oi_reading_pairs pairs = {};
    struct oi_rows rows = {};
    enum oi_status status;

    do {
        oi_rows_clear(&rows);
        oi_vector_clear(&pairs.items);
        status = oi_readings_decode_block(&body, columns, &rows, &pairs, error);
        if (status == OI_OK)
            deal_out(gathering, &rows, &pairs);
    } while (status == OI_OK);
    oi_rows_release(&rows);
    oi_vector_release(&pairs.items);
    return status == OI_E_NOT_FOUND ? OI_OK : status;
}

static enum oi_status
ask(struct oi_clickhouse *engine, const struct oi_gather_request *request, struct oi_rows *rows,
    struct oi_error *error)
{
    const struct gathering gathering = { engine, request, rows };
    OI_CLEANUP(oi_buffer_release) struct oi_buffer statement = {}, out = {};
    unsigned columns = request->columns | (request->lacks_wides ? OI_READINGS_NO_WIDES : 0);

    oi_buffer_add_text(&statement, "SELECT ");
    oi_readings_select(columns, true, &statement);
    oi_buffer_add_text(&statement, " FROM readings WHERE instrument IN (");
    write_list(&gathering, false, &statement);
    oi_buffer_add_text(&statement, ") AND feed IN (");
    write_list(&gathering, true, &statement);
    oi_buffer_add_format(&statement,
                         ") AND time >= %lld AND time < %lld AND batch <= %llu SETTINGS "
                         "max_threads = 1",
                         (long long) request->span.from, (long long) request->span.to,
                         (unsigned long long) request->batch_limit);
    OI_TRY(oi_clickhouse_select(engine, &statement, &out, error));
    OI_TRY(take_blocks(&gathering, columns, oi_buffer_slice(&out), error));
    for (size_t i = 0; i < request->count; i++)
        oi_readings_sort(&rows[i]);
    return OI_OK;
}

/* Series of a request of which not all is kept, and from where on they are asked for. */
struct missing {
    OI_VECTOR(size_t) places;
    OI_VECTOR(uint32_t) series;
    struct oi_span span;
};

static void
missing_release(struct missing *missing)
{
    oi_vector_release(&missing->places);
    oi_vector_release(&missing->series);
}

static enum oi_status
take_kept(struct oi_clickhouse *engine, const struct oi_gather_request *request,
          struct oi_rows *rows, struct missing *missing, struct oi_error *error)
{
    missing->span = (struct oi_span){ request->span.to, request->span.to };
    for (size_t i = 0; i < request->count; i++) {
        const struct oi_kept_question question = oi_kept_rows_question(
            &request->series[i], request->columns, request->lacks_wides, request->batch_limit);
        oi_time until;

        OI_TRY(oi_kept_take_rows(engine->kept, &question, request->span, SIZE_MAX, &rows[i], &until,
                                 error));
        if (until >= request->span.to)
            continue;
        missing->span.from = until < missing->span.from ? until : missing->span.from;
        oi_vector_push(&missing->places, i);
        oi_vector_push(&missing->series, request->series[i]);
    }
    return OI_OK;
}

/* What came of the series that are missing, behind what is kept of them. */
static void
hand_over(struct oi_clickhouse *engine, const struct oi_gather_request *asked, uint64_t epoch,
          const struct missing *missing, const struct oi_rows *found, struct oi_rows *rows)
{
    for (size_t i = 0; i < asked->count; i++) {
        const struct oi_kept_question question = oi_kept_rows_question(
            &asked->series[i], asked->columns, asked->lacks_wides, asked->batch_limit);
        struct oi_rows *all = &rows[missing->places.items[i]];

        if (oi_kept_wants(engine->kept, &question, asked->span))
            oi_kept_put_rows(engine->kept, &question, epoch, asked->span, &found[i]);
        all->count = oi_rows_find(all, asked->span.from);
        oi_rows_append(all, &found[i], 0, found[i].count);
    }
}

enum oi_status
oi_clickhouse_gather(void *context, const struct oi_gather_request *request, struct oi_rows *rows,
                     struct oi_error *error)
{
    struct oi_clickhouse *engine = context;
    OI_CLEANUP(missing_release) struct missing missing = {};
    uint64_t epoch = oi_kept_epoch(engine->kept);
    struct oi_gather_request asked = *request;
    struct oi_rows *found;
    enum oi_status status;

    OI_TRY(take_kept(engine, request, rows, &missing, error));
    if (missing.series.count == 0)
        return OI_OK;
    asked.series = missing.series.items;
    asked.count = missing.series.count;
    asked.span = missing.span;
    found = oi_alloc_zero(asked.count, sizeof(*found));
    status = ask(engine, &asked, found, error);
    if (status == OI_OK)
        hand_over(engine, &asked, epoch, &missing, found, rows);
    for (size_t i = 0; i < asked.count; i++)
        oi_rows_release(&found[i]);
    oi_free(found);
    return status;
}
