/* SPDX-License-Identifier: Apache-2.0 */
/* Prometheus' answers: samples as [seconds, "digits"], one series after the other. */
#include "dialects/prometheus_internal.h"

#include "base/alloc.h"
#include "base/compiler.h"
#include "core/symbology.h"
#include "dialects/text.h"

#include <stdlib.h>
#include <string.h>

/* A piece of an answer is about so large. */
#define PIECE_SIZE ((size_t) 64 << 10)

/* The series being written. */
struct samples {
    bool is_open; /* its object is begun */
    bool has_sample;
    struct oi_decimal value; /* the last one known, none: none yet */
    oi_time known;           /* its reading's instant */
    oi_time next;            /* the next instant of the grid */
};

/* Seconds with milliseconds, as few digits as it needs. */
static void
add_seconds(struct oi_buffer *out, oi_time time)
{
    int64_t milliseconds = time / OI_MILLISECOND;

    oi_decimal_write_plain(milliseconds, -3, out);
}

static void
add_label(struct oi_buffer *out, bool *has_one, enum prometheus_label label, const char *value)
{
    if (!value[0])
        return;
    if (*has_one)
        oi_buffer_add_char(out, ',');
    *has_one = true;
    oi_json_quote(out, oi_slice_of(prometheus_labels[label]));
    oi_buffer_add_char(out, ':');
    oi_json_quote(out, oi_slice_of(value));
}

/* "PERPETUAL" as the selectors have it. */
static void
lower(const char *text, char *out, size_t size)
{
    size_t i = 0;

    for (; text[i] && i + 1 < size; i++)
        out[i] = oi_lower(text[i]);
    out[i] = '\0';
}

/* The value of a label of an instrument, in `text` or borrowed. */
static const char *
label_value(const struct oi_instrument *instrument, enum prometheus_label label,
            char text[OI_MARKET_NAME_SIZE])
{
    switch (label) {
    case PROMETHEUS_LABEL_COIN:
        return instrument->base;
    case PROMETHEUS_LABEL_EXCHANGE:
        return instrument->exchange;
    case PROMETHEUS_LABEL_KIND:
        lower(oi_kind_name(instrument->kind), text, OI_MARKET_NAME_SIZE);
        return text;
    case PROMETHEUS_LABEL_MARKET:
        (void) oi_native_name(instrument, text);
        return text;
    case PROMETHEUS_LABEL_PRODUCT:
        return instrument->product;
    case PROMETHEUS_LABEL_QUOTE:
        return instrument->quote;
    case PROMETHEUS_LABEL_SETTLEMENT:
        lower(oi_settlement_name(instrument->settlement), text, OI_MARKET_NAME_SIZE);
        return text;
    case PROMETHEUS_LABEL_SYMBOL:
        return instrument->symbol;
    case PROMETHEUS_LABEL_NAME:
    case PROMETHEUS_LABEL_COUNT:
        break;
    }
    return "";
}

static void
add_labels(struct oi_buffer *out, enum prometheus_metric metric,
           const struct oi_instrument *instrument)
{
    char text[OI_MARKET_NAME_SIZE];
    bool has_one = false;

    oi_buffer_add_char(out, '{');
    add_label(out, &has_one, PROMETHEUS_LABEL_NAME, prometheus_metric_names[metric]);
    for (int i = PROMETHEUS_LABEL_NAME + 1; i < PROMETHEUS_LABEL_COUNT; i++)
        add_label(out, &has_one, (enum prometheus_label) i,
                  label_value(instrument, (enum prometheus_label) i, text));
    oi_buffer_add_char(out, '}');
}

/* A total has the label it is by, or none. */
static void
add_total_labels(struct oi_buffer *out, const struct oi_query *query,
                 const struct oi_market *market)
{
    static const enum prometheus_label labels[] = {
        [OI_SPLIT_NONE] = PROMETHEUS_LABEL_COUNT,
        [OI_SPLIT_EXCHANGE] = PROMETHEUS_LABEL_EXCHANGE,
        [OI_SPLIT_COIN] = PROMETHEUS_LABEL_COIN,
        [OI_SPLIT_QUOTE] = PROMETHEUS_LABEL_QUOTE,
        [OI_SPLIT_KIND] = PROMETHEUS_LABEL_KIND,
        [OI_SPLIT_SETTLEMENT] = PROMETHEUS_LABEL_SETTLEMENT,
    };
    enum prometheus_label label = labels[query->selectors.items[market->selector].split];
    bool has_one = false;

    oi_buffer_add_char(out, '{');
    if (label != PROMETHEUS_LABEL_COUNT && market->name)
        add_label(out, &has_one, label, market->name);
    oi_buffer_add_char(out, '}');
}

static void
open_series(struct oi_rendering *rendering, const struct oi_market *market, struct oi_buffer *out)
{
    const struct oi_query *query = rendering->query;

    if (rendering->row_count++ > 0)
        oi_buffer_add_char(out, ',');
    OI_ADD(out, "{\"metric\":");
    if (market->instrument)
        add_labels(out, (enum prometheus_metric) query->format, market->instrument);
    else
        add_total_labels(out, query, market);
    if (query->variant == PROMETHEUS_INSTANT)
        OI_ADD(out, ",\"value\":");
    else
        OI_ADD(out, ",\"values\":[");
}

static void
add_sample(struct oi_buffer *out, oi_time time, const struct oi_decimal *value)
{
    oi_buffer_add_char(out, '[');
    add_seconds(out, time);
    OI_ADD(out, ",\"");
    oi_decimal_write(value, out);
    OI_ADD(out, "\"]");
}

/* The instants of the grid up to and with `until`, while the last value still counts. */
static void
add_samples(struct oi_rendering *rendering, const struct oi_market *market, struct samples *samples,
            oi_time until, struct oi_buffer *out)
{
    const int64_t step_ns = rendering->query->interval_ns;

    for (; samples->next <= until; samples->next += step_ns) {
        if (oi_decimal_is_none(&samples->value) ||
            samples->next - samples->known >
                (step_ns > PROMETHEUS_LOOKBACK ? step_ns : PROMETHEUS_LOOKBACK))
            continue;
        if (!samples->is_open)
            open_series(rendering, market, out);
        if (samples->has_sample)
            oi_buffer_add_char(out, ',');
        add_sample(out, samples->next, &samples->value);
        samples->is_open = samples->has_sample = true;
    }
}

static const struct oi_decimal *
figure(const struct oi_query *query, const struct oi_candle *candle)
{
    return query->format == PROMETHEUS_MARK_PRICE ? &candle->price_close : &candle->close;
}

/* A candle's close is known at the end of its interval, and stands until the next one's is. */
static void
add_range(struct oi_rendering *rendering, struct samples *samples, const struct oi_block *block,
          struct oi_buffer *out)
{
    const struct oi_query *query = rendering->query;

    for (size_t i = 0; i < block->count; i++) {
        const struct oi_candle *candle = &block->candles[i];

        add_samples(rendering, block->market, samples, candle->start, out);
        if (oi_decimal_is_none(figure(query, candle)))
            continue;
        samples->value = *figure(query, candle);
        samples->known = candle->last;
    }
    if (!block->is_last_of_market)
        return;
    add_samples(rendering, block->market, samples, query->span.to, out);
    if (samples->is_open)
        OI_ADD(out, "]}");
}

static void
add_instant(struct oi_rendering *rendering, struct samples *samples, const struct oi_block *block,
            struct oi_buffer *out)
{
    for (size_t i = 0; i < block->count; i++)
        if (!oi_decimal_is_none(figure(rendering->query, &block->candles[i])))
            samples->value = *figure(rendering->query, &block->candles[i]);
    if (!block->is_last_of_market || oi_decimal_is_none(&samples->value))
        return;
    open_series(rendering, block->market, out);
    add_sample(out, rendering->query->number, &samples->value);
    oi_buffer_add_char(out, '}');
}

/* A number: the same at every instant. */
static void
render_number(struct oi_rendering *rendering, struct oi_buffer *out)
{
    const struct oi_query *query = rendering->query;
    struct oi_decimal value = {};

    (void) oi_decimal_parse(oi_slice_of(query->echo), &value, NULL);
    if (query->variant == PROMETHEUS_INSTANT) {
        OI_ADD(out, "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":");
        add_sample(out, query->number, &value);
        OI_ADD(out, "}}");
        return;
    }
    OI_ADD(out, "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":["
                "{\"metric\":{},\"values\":[");
    for (oi_time time = query->number; time <= query->span.to; time += query->interval_ns) {
        if (time > query->number)
            oi_buffer_add_char(out, ',');
        add_sample(out, time, &value);
    }
    OI_ADD(out, "]}]}}");
}

static struct samples *
begin_values(struct oi_rendering *rendering, struct oi_buffer *out)
{
    if (rendering->state)
        return rendering->state;
    rendering->state = oi_arena_alloc_zero(&rendering->reply->arena, 1, sizeof(struct samples));
    *(struct samples *) rendering->state = (struct samples){ .next = rendering->query->number };
    oi_http_reply_type(rendering->reply, "application/json");
    OI_ADD(out, "{\"status\":\"success\",\"data\":{\"resultType\":\"");
    oi_buffer_add_text(out, rendering->query->variant == PROMETHEUS_INSTANT ? "vector" : "matrix");
    OI_ADD(out, "\",\"result\":[");
    return rendering->state;
}

enum oi_status
prometheus_render_values(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
                         struct oi_error *error)
{
    const struct oi_block *block = NULL;
    size_t start = out->size;
    struct samples *samples;

    if (!rendering->result) {
        oi_http_reply_type(rendering->reply, "application/json");
        render_number(rendering, out);
        *ret_is_last = true;
        return OI_OK;
    }
    samples = begin_values(rendering, out);
    do {
        OI_TRY(oi_result_next(rendering->result, &block, error));
        if (!block)
            break;
        if (rendering->query->variant == PROMETHEUS_INSTANT)
            add_instant(rendering, samples, block, out);
        else
            add_range(rendering, samples, block, out);
        if (block->is_last_of_market)
            *samples = (struct samples){ .next = rendering->query->number };
    } while (out->size - start < PIECE_SIZE);
    *ret_is_last = !block;
    if (!block)
        OI_ADD(out, "]}}");
    return OI_OK;
}

/*
 * What there is
 */

enum oi_status
prometheus_render_series(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
                         struct oi_error *error)
{
    const unsigned wanted = rendering->query->format;
    const struct oi_block *block = NULL;
    size_t start = out->size;

    if (rendering->step == 0) {
        oi_http_reply_type(rendering->reply, "application/json");
        OI_ADD(out, "{\"status\":\"success\",\"data\":[");
    }
    do {
        OI_TRY(oi_result_next(rendering->result, &block, error));
        if (!block)
            break;
        for (unsigned i = 0; i < PROMETHEUS_METRIC_COUNT; i++) {
            if (!block->market->instrument || (wanted < PROMETHEUS_METRIC_COUNT && wanted != i))
                continue;
            if (rendering->row_count++ > 0)
                oi_buffer_add_char(out, ',');
            add_labels(out, (enum prometheus_metric) i, block->market->instrument);
        }
    } while (out->size - start < PIECE_SIZE);
    *ret_is_last = !block;
    if (!block)
        OI_ADD(out, "]}");
    return OI_OK;
}

struct values {
    OI_VECTOR(const char *) items;
};

static int
compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *) left, *(const char *const *) right);
}

static enum oi_status
gather_values(struct oi_rendering *rendering, struct values *values, struct oi_error *error)
{
    enum prometheus_label label = (enum prometheus_label) rendering->query->number;
    char text[OI_MARKET_NAME_SIZE];
    const struct oi_block *block;

    if (!rendering->result) {
        for (int i = 0; label == PROMETHEUS_LABEL_NAME && i < PROMETHEUS_METRIC_COUNT; i++)
            oi_vector_push(&values->items, prometheus_metric_names[i]);
        return OI_OK;
    }
    for (;;) {
        const char *value;

        OI_TRY(oi_result_next(rendering->result, &block, error));
        if (!block)
            return OI_OK;
        if (!block->market->instrument)
            continue;
        value = label_value(block->market->instrument, label, text);
        /* Markets come exchange by exchange: neighbours are mostly alike. */
        if (value[0] && (values->items.count == 0 ||
                         strcmp(values->items.items[values->items.count - 1], value) != 0))
            oi_vector_push(&values->items,
                           oi_arena_copy(&rendering->reply->arena, oi_slice_of(value)));
    }
}

enum oi_status
prometheus_render_label_values(struct oi_rendering *rendering, struct oi_buffer *out,
                               bool *ret_is_last, struct oi_error *error)
{
    struct values values = {};
    enum oi_status status = gather_values(rendering, &values, error);

    if (status == OI_OK) {
        if (values.items.count > 1)
            qsort(values.items.items, values.items.count, sizeof(*values.items.items),
                  compare_texts);
        oi_http_reply_type(rendering->reply, "application/json");
        OI_ADD(out, "{\"status\":\"success\",\"data\":[");
        for (size_t i = 0; i < values.items.count; i++) {
            if (i > 0 && strcmp(values.items.items[i - 1], values.items.items[i]) == 0)
                continue;
            if (i > 0)
                oi_buffer_add_char(out, ',');
            oi_json_quote(out, oi_slice_of(values.items.items[i]));
        }
        OI_ADD(out, "]}");
        *ret_is_last = true;
    }
    oi_vector_release(&values.items);
    return status;
}

static void
add_label_names(struct oi_json_writer *writer)
{
    oi_json_begin_array(writer);
    for (int i = 0; i < PROMETHEUS_LABEL_COUNT; i++)
        oi_json_add_text(writer, prometheus_labels[i]);
    oi_json_end_array(writer);
}

static void
add_metadata(struct oi_json_writer *writer)
{
    oi_json_begin_object(writer);
    for (int i = 0; i < PROMETHEUS_METRIC_COUNT; i++) {
        oi_json_add_name(writer, prometheus_metric_names[i]);
        oi_json_begin_array(writer);
        oi_json_begin_object(writer);
        oi_text_json_text(writer, "type", "gauge");
        oi_text_json_text(writer, "help", prometheus_metric_help[i]);
        oi_text_json_text(writer, "unit", "");
        oi_json_end_object(writer);
        oi_json_end_array(writer);
    }
    oi_json_end_object(writer);
}

/* Clients choose what they ask by the version of Prometheus; this is the one whose API this is. */
static void
add_build(struct oi_json_writer *writer)
{
    oi_json_begin_object(writer);
    oi_text_json_text(writer, "version", "2.53.0");
    oi_text_json_text(writer, "application", "oi");
    oi_json_end_object(writer);
}

enum oi_status
prometheus_render_names(struct oi_rendering *rendering, struct oi_buffer *out, bool *ret_is_last,
                        struct oi_error *)
{
    struct oi_json_writer writer = { .out = out };

    oi_http_reply_type(rendering->reply, "application/json");
    oi_json_begin_object(&writer);
    oi_text_json_text(&writer, "status", "success");
    oi_json_add_name(&writer, "data");
    if (rendering->query->variant == PROMETHEUS_LABELS)
        add_label_names(&writer);
    else if (rendering->query->variant == PROMETHEUS_METADATA)
        add_metadata(&writer);
    else
        add_build(&writer);
    oi_json_end_object(&writer);
    *ret_is_last = true;
    return OI_OK;
}
