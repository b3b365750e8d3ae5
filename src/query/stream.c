/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every feed of the instrument is a scan; the next run of rows is taken from the feed whose head is
 * earliest (the more preferred one where two are equal) up to the earliest head of the others. So a
 * market with one feed, the usual case, passes whole blocks on.
 */
#include "query/stream.h"

#include <string.h>

struct source_scan {
    struct oi_scan *scan;
    uint32_t series;
    const struct oi_columns *columns; /* NULL: at the end */
    size_t row;                       /* the head */
    unsigned sufficient;              /* the one figure that the answer is made of; 0: not known */
    bool is_flagged;                  /* some rows may be bad ones, to be left out */
};

/* A column of decimals made here, reused from block to block. */
struct own_column {
    OI_VECTOR(int64_t) mantissas;
    OI_VECTOR(int8_t) exponents;
    OI_VECTOR(struct oi_decimal) wides;
};

struct oi_stream {
    struct oi_stream_request request;
    struct source_scan scans[OI_FEEDS_MAX];
    size_t scan_count;
    struct oi_facts facts;
    struct oi_stream_block block;
    struct own_column amounts, usd;
    oi_time last_time; /* of the last row passed on: a less preferred feed's row there is dropped */
    uint64_t left_out;
    /* A run found but not handed out yet: rows [run_from, run_to) of run_scan. */
    struct source_scan *run_scan;
    size_t run_from, run_to;
};

static int
precedence(const struct oi_feed *feed)
{
    static const char *const order[] = { "live", "stream", "history", "archive:" };

    for (int i = 0; i < (int) OI_COUNT(order); i++)
        if (strncmp(feed->name, order[i], strlen(order[i])) == 0)
            return i;
    return (int) OI_COUNT(order);
}

size_t
oi_series_by_precedence(const struct oi_catalog *catalog, uint32_t instrument, uint32_t *series,
                        size_t room)
{
    size_t count = 0;
    uint32_t from = catalog->first_series[instrument - 1];
    uint32_t to = catalog->first_series[instrument];

    for (uint32_t i = from; i < to; i++) {
        uint32_t id = catalog->series_of[i];
        int rank = precedence(&catalog->feeds[catalog->series[id - 1].feed - 1]);
        size_t at = count < room ? count++ : room;

        for (; at > 0; at--) {
            uint32_t before = series[at - 1];

            if (precedence(&catalog->feeds[catalog->series[before - 1].feed - 1]) <= rank)
                break;
            if (at < room)
                series[at] = before;
        }
        if (at < room)
            series[at] = id;
    }
    return count;
}

void
oi_facts_at(const struct oi_source *source, const struct oi_catalog *catalog, uint32_t series,
            oi_time time, oi_time as_of, struct oi_facts *ret_facts)
{
    const struct oi_series *of = &catalog->series[series - 1];
    const struct oi_instrument *newest = &catalog->instruments[of->instrument - 1];
    struct oi_facts facts = { .feed = &catalog->feeds[of->feed - 1] };
    struct oi_convention own;

    /* The last version holds from its instant on; what held before is asked of the store. */
    if ((newest->valid_from <= time && newest->known_from <= as_of) ||
        oi_store_instrument(source->store, of->instrument, time, as_of, &facts.instrument, NULL) !=
            OI_OK)
        facts.instrument = *newest;
    facts.unit = facts.feed->unit;
    facts.sides = facts.feed->sides;
    if (facts.unit != OI_UNIT_UNKNOWN) {
        own = (struct oi_convention){ .cadence_ns = facts.feed->cadence_ns,
                                      .is_daily = facts.feed->is_daily };
        facts.staleness_ns = oi_convention_staleness_ns(&own);
        *ret_facts = facts;
        return;
    }
    facts.convention = oi_convention_find(source->conventions, newest->exchange, newest->product,
                                          facts.feed->name, time);
    facts.staleness_ns = oi_convention_staleness_ns(facts.convention);
    if (facts.convention) {
        facts.unit = facts.convention->unit;
        facts.sides = facts.convention->sides;
    }
    *ret_facts = facts;
}

bool
oi_facts_same(const struct oi_facts *left, const struct oi_facts *right)
{
    return left->feed == right->feed && left->convention == right->convention &&
           oi_instrument_same_definition(&left->instrument, &right->instrument);
}

struct oi_decimal
oi_facts_convert(const struct oi_facts *facts, const struct oi_observation *reading,
                 enum oi_unit unit, bool one_sided)
{
    struct oi_conversion conversion = {
        .instrument = &facts->instrument,
        .from = facts->unit,
        .sides = facts->sides,
        .one_sided = one_sided,
        .mark_price = reading->mark_price,
        .index_price = reading->index_price,
        .value_usd = reading->value_usd,
    };
    struct oi_decimal value = {};

    /* As oi_convert would say, which needs not be asked. */
    if (unit == OI_UNIT_USD && facts->unit != OI_UNIT_USD && !(one_sided && facts->sides == 2) &&
        !oi_decimal_is_none(&reading->value_usd))
        return reading->value_usd;
    if (oi_asset_is_usd(facts->instrument.quote))
        conversion.quote_usd = oi_decimal_from(1, 0);
    if (oi_convert(&conversion, &reading->open_interest,
                   unit == OI_UNIT_UNKNOWN ? facts->unit : unit, &value, NULL) != OI_OK)
        return (struct oi_decimal){};
    return value;
}

/* Is the stored figure the answer as it stands? */
static bool
is_identity(const struct oi_stream_request *request, const struct oi_facts *facts)
{
    if (request->one_sided && facts->sides == 2)
        return false;
    if (request->unit == OI_UNIT_UNKNOWN)
        return true;
    if (request->unit != facts->unit)
        return false;
    return request->unit != OI_UNIT_COINS || facts->instrument.base_factor == 1;
}

/* Is the venue's own USD figure the answer in USD, where it is there? It comes before any
 * computation. */
static bool
is_usd_as_stored(const struct oi_stream_request *request, const struct oi_facts *facts)
{
    return facts->unit != OI_UNIT_USD && !(request->one_sided && facts->sides == 2);
}

/* The one figure that amounts at a time are made of, where rows have it; 0: it takes more. */
static unsigned
sufficient_at(const struct oi_stream *stream, uint32_t series, oi_time time)
{
    const struct oi_stream_request *request = &stream->request;
    struct oi_facts facts;

    if (!request->is_sum || (request->wants_usd && request->unit != OI_UNIT_USD))
        return 0;
    oi_facts_at(request->source, request->catalog, series, time, request->moment.as_of, &facts);
    if (is_identity(request, &facts))
        return request->wants_usd ? 0 : OI_COLUMN_OPEN_INTEREST;
    return request->unit == OI_UNIT_USD && is_usd_as_stored(request, &facts) ? OI_COLUMN_VALUE_USD
                                                                             : 0;
}

/* The next block; all of it where it takes more than was thought when the scan was opened. */
static enum oi_status
next_columns(struct oi_stream *stream, struct source_scan *scan, struct oi_error *error)
{
    for (;;) {
        const struct oi_columns *columns;

        OI_TRY(oi_damages_next(stream->request.damages, stream->request.catalog, scan->series,
                               scan->scan, &scan->columns, error));
        columns = scan->columns;
        if (!columns || scan->sufficient == 0 ||
            (sufficient_at(stream, scan->series, columns->time[0]) == scan->sufficient &&
             sufficient_at(stream, scan->series, columns->time[columns->count - 1]) ==
                 scan->sufficient))
            return OI_OK;
        scan->sufficient = 0;
        oi_scan_go_back(scan->scan);
    }
}

/* What amounts are made of: in each feed's own unit, of the figure itself, halved or as it is. */
static unsigned
converted_from(const struct oi_stream_request *request)
{
    if (request->unit == OI_UNIT_UNKNOWN && !request->wants_usd)
        return OI_COLUMN_OPEN_INTEREST;
    return OI_COLUMN_OPEN_INTEREST | OI_COLUMN_MARK_PRICE | OI_COLUMN_INDEX_PRICE |
           OI_COLUMN_VALUE_USD;
}

enum oi_status
oi_stream_open(const struct oi_stream_request *request, struct oi_stream **ret_stream,
               struct oi_error *error)
{
    struct oi_stream *stream = oi_alloc_zero(1, sizeof(*stream));
    uint32_t series[OI_FEEDS_MAX] = {};
    enum oi_status status = OI_OK;

    stream->request = *request;
    stream->last_time = OI_TIME_NONE;
    stream->scan_count =
        oi_series_by_precedence(request->catalog, request->instrument, series, OI_FEEDS_MAX);
    for (size_t i = 0; i < stream->scan_count && status == OI_OK; i++) {
        struct source_scan *scan = &stream->scans[i];
        struct oi_scan_request scan_request = {
            .series = series[i],
            .span = request->span,
            .moment = request->moment,
            .columns = request->columns,
            .likely_rows = request->likely_rows,
            .gather = request->gather,
        };

        if (request->wants_amounts)
            scan_request.sufficient = scan->sufficient =
                sufficient_at(stream, series[i], request->span.from);
        if (request->wants_amounts)
            scan_request.columns |= converted_from(request);
        scan->series = series[i];
        scan->is_flagged =
            !request->shows_bad && oi_store_is_flagged(request->source->store, series[i],
                                                       request->span, request->moment.as_stored);
        if (scan->is_flagged)
            scan_request.columns |= OI_COLUMN_FLAGS;
        status = oi_store_scan(request->source->store, &scan_request, &scan->scan, error);
        if (status == OI_OK)
            status = next_columns(stream, scan, error);
    }
    if (status != OI_OK) {
        oi_stream_close(&stream);
        return status;
    }
    *ret_stream = stream;
    return OI_OK;
}

void
oi_stream_close(struct oi_stream **stream)
{
    if (!stream || !*stream)
        return;
    for (size_t i = 0; i < (*stream)->scan_count; i++)
        oi_scan_close(&(*stream)->scans[i].scan);
    oi_vector_release(&(*stream)->amounts.mantissas);
    oi_vector_release(&(*stream)->amounts.exponents);
    oi_vector_release(&(*stream)->amounts.wides);
    oi_vector_release(&(*stream)->usd.mantissas);
    oi_vector_release(&(*stream)->usd.exponents);
    oi_vector_release(&(*stream)->usd.wides);
    oi_free(*stream);
    *stream = NULL;
}

uint64_t
oi_stream_left_out(const struct oi_stream *stream)
{
    return stream->left_out;
}

const struct oi_facts *
oi_stream_facts(const struct oi_stream *stream)
{
    return &stream->facts;
}

/* Pull the next block of a feed when its rows are used up. */
static enum oi_status
refill(struct oi_stream *stream, struct source_scan *scan, struct oi_error *error)
{
    while (scan->columns && scan->row >= scan->columns->count) {
        scan->row = 0;
        OI_TRY(next_columns(stream, scan, error));
    }
    return OI_OK;
}

/* Find the next run: rows of one feed, ahead of all others. NULL run_scan at the end. */
static enum oi_status
find_run(struct oi_stream *stream, struct oi_error *error)
{
    struct source_scan *first = NULL;
    oi_time limit = OI_TIME_LATEST;
    bool others_win_ties = false;

    stream->run_scan = NULL;
    for (size_t i = 0; i < stream->scan_count; i++) {
        struct source_scan *scan = &stream->scans[i];

        OI_TRY(refill(stream, scan, error));
        while (scan->columns && scan->columns->time[scan->row] <= stream->last_time &&
               stream->last_time != OI_TIME_NONE) {
            scan->row++;
            OI_TRY(refill(stream, scan, error));
        }
        if (scan->columns &&
            (!first || scan->columns->time[scan->row] < first->columns->time[first->row]))
            first = scan;
    }
    if (!first)
        return OI_OK;
    for (size_t i = 0; i < stream->scan_count; i++) {
        struct source_scan *other = &stream->scans[i];

        if (other == first || !other->columns)
            continue;
        if (other->columns->time[other->row] < limit) {
            limit = other->columns->time[other->row];
            others_win_ties = other < first;
        }
    }
    stream->run_scan = first;
    stream->run_from = first->row;
    stream->run_to = limit == OI_TIME_LATEST ? first->columns->count : first->row + 1;
    while (stream->run_to < first->columns->count &&
           (first->columns->time[stream->run_to] < limit ||
            (first->columns->time[stream->run_to] == limit && !others_win_ties)))
        stream->run_to++;
    first->row = stream->run_to;
    stream->last_time = first->columns->time[stream->run_to - 1];
    return OI_OK;
}

static void
own_clear(struct own_column *own)
{
    oi_vector_clear(&own->mantissas);
    oi_vector_clear(&own->exponents);
    oi_vector_clear(&own->wides);
}

static void
own_add(struct own_column *own, const struct oi_decimal *value)
{
    int64_t mantissa = value->mantissa;
    int8_t exponent = OI_EXPONENT_NONE;

    if (value->form == OI_DECIMAL_PLAIN)
        exponent = (int8_t) value->exponent;
    if (value->form == OI_DECIMAL_WIDE) {
        exponent = OI_EXPONENT_WIDE;
        mantissa = (int64_t) own->wides.count;
        oi_vector_push(&own->wides, *value);
    }
    oi_vector_push(&own->mantissas, mantissa);
    oi_vector_push(&own->exponents, exponent);
}

static struct oi_decimals
own_view(const struct own_column *own)
{
    return (struct oi_decimals){ .mantissas = own->mantissas.items,
                                 .exponents = own->exponents.items,
                                 .wides = own->wides.items };
}

/* Does a run hold rows without a figure? */
static bool
has_holes(const struct oi_decimals *column, size_t count)
{
    if (!column->mantissas)
        return true;
    if (!column->exponents)
        return false;
    for (size_t row = 0; row < count; row++)
        if (column->exponents[row] == OI_EXPONENT_NONE)
            return true;
    return false;
}

/* Convert rows of `columns` from the first until one cannot be turned; how many could. Leading rows
 * that cannot are counted in *ret_skipped instead. */
static size_t
convert_rows(struct oi_stream *stream, const struct oi_columns *columns, size_t *ret_skipped)
{
    size_t row = 0, skipped = 0;

    own_clear(&stream->amounts);
    for (; row < columns->count; row++) {
        struct oi_observation reading = oi_columns_get(columns, row);
        struct oi_decimal amount = oi_facts_convert(&stream->facts, &reading, stream->request.unit,
                                                    stream->request.one_sided);

        if (oi_decimal_is_none(&amount)) {
            if (row > skipped)
                break;
            skipped++;
            continue;
        }
        own_add(&stream->amounts, &amount);
    }
    *ret_skipped = skipped;
    return row;
}

static void
convert_usd(struct oi_stream *stream, const struct oi_columns *columns)
{
    if (is_usd_as_stored(&stream->request, &stream->facts) &&
        !has_holes(&columns->value_usd, columns->count)) {
        stream->block.usd = columns->value_usd;
        return;
    }
    own_clear(&stream->usd);
    for (size_t row = 0; row < columns->count; row++) {
        struct oi_observation reading = oi_columns_get(columns, row);
        struct oi_decimal usd =
            oi_facts_convert(&stream->facts, &reading, OI_UNIT_USD, stream->request.one_sided);

        own_add(&stream->usd, &usd);
    }
    stream->block.usd = own_view(&stream->usd);
}

/* Cut the run where the facts change inside it. */
static void
set_facts(struct oi_stream *stream)
{
    const struct oi_columns *all = stream->run_scan->columns;
    const struct oi_stream_request *request = &stream->request;
    struct oi_facts last;

    oi_facts_at(request->source, request->catalog, stream->run_scan->series,
                all->time[stream->run_from], request->moment.as_of, &stream->facts);
    while (stream->run_to - stream->run_from > 1) {
        oi_facts_at(request->source, request->catalog, stream->run_scan->series,
                    all->time[stream->run_to - 1], request->moment.as_of, &last);
        if (oi_facts_same(&stream->facts, &last))
            return;
        stream->run_to = stream->run_from + (stream->run_to - stream->run_from) / 2;
    }
}

/* Make a block of the front of the run [run_from, end); false when its rows were all left out. */
static bool
fill_block(struct oi_stream *stream)
{
    struct oi_stream_block *block = &stream->block;
    size_t taken, skipped = 0;

    block->columns = oi_columns_slice(stream->run_scan->columns, stream->run_from, stream->run_to);
    taken = block->columns.count;
    if (stream->request.wants_amounts) {
        if (is_identity(&stream->request, &stream->facts) &&
            !has_holes(&block->columns.open_interest, taken)) {
            block->amounts = block->columns.open_interest;
        } else if (stream->request.unit == OI_UNIT_USD &&
                   is_usd_as_stored(&stream->request, &stream->facts) &&
                   !has_holes(&block->columns.value_usd, taken)) {
            block->amounts = block->columns.value_usd;
        } else {
            taken = convert_rows(stream, &block->columns, &skipped);
            block->amounts = own_view(&stream->amounts);
        }
    }
    block->columns = oi_columns_slice(stream->run_scan->columns, stream->run_from + skipped,
                                      stream->run_from + taken);
    stream->run_from += taken;
    stream->left_out += skipped;
    if (taken == skipped)
        return false;
    if (stream->request.wants_usd)
        convert_usd(stream, &block->columns);
    block->steps = oi_scan_steps(stream->run_scan->scan);
    block->feed = stream->facts.feed;
    block->convention = stream->facts.convention;
    block->unit = stream->facts.unit;
    block->sides = stream->facts.sides;
    return true;
}

/* Cut the run to the good rows in front; bad ones before them are passed over. */
static void
leave_out_bad(struct oi_stream *stream)
{
    const struct source_scan *scan = stream->run_scan;
    const uint16_t *flags = scan->columns->flags;
    size_t to;

    if (!scan->is_flagged || !flags)
        return;
    while (stream->run_from < stream->run_to && flags[stream->run_from] & OI_FLAG_BAD)
        stream->run_from++;
    for (to = stream->run_from; to < stream->run_to && !(flags[to] & OI_FLAG_BAD);)
        to++;
    stream->run_to = to;
}

enum oi_status
oi_stream_next(struct oi_stream *stream, const struct oi_stream_block **ret_block,
               struct oi_error *error)
{
    for (;;) {
        size_t end;
        bool is_filled;

        if (!stream->run_scan || stream->run_from >= stream->run_to) {
            OI_TRY(find_run(stream, error));
            if (!stream->run_scan) {
                *ret_block = NULL;
                return OI_OK;
            }
        }
        end = stream->run_to;
        leave_out_bad(stream);
        if (stream->run_from == stream->run_to) {
            stream->run_from = stream->run_to = end;
            continue;
        }
        set_facts(stream);
        is_filled = fill_block(stream);
        stream->run_to = end;
        if (is_filled) {
            *ret_block = &stream->block;
            return OI_OK;
        }
    }
}
