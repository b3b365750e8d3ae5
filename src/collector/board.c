/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange's minute as a table. */
#include "collector/board.h"

void
oi_board_init(struct oi_board *board, const struct oi_exchange *exchange)
{
    *board = (struct oi_board){ .exchange = exchange, .minute = OI_TIME_NONE };
    while (exchange->products[board->product_count])
        board->product_count++;
    oi_assert(board->product_count <= OI_BOARD_PRODUCTS_MAX);
}

void
oi_board_release(struct oi_board *board)
{
    oi_vector_release(&board->entries);
    oi_map_free(&board->index);
    oi_arena_release(&board->arena);
}

bool
oi_board_product(const struct oi_board *board, const char *product, size_t *ret_product)
{
    for (size_t i = 0; i < board->product_count; i++) {
        if (strcmp(board->exchange->products[i], product) == 0) {
            *ret_product = i;
            return true;
        }
    }
    return false;
}

#define KEY_SIZE (OI_SYMBOL_SIZE + 1)

static struct oi_slice
make_key(size_t product, const char *symbol, char key[KEY_SIZE])
{
    size_t size = strnlen(symbol, OI_SYMBOL_SIZE);

    key[0] = (char) product;
    memcpy(key + 1, symbol, size);
    return (struct oi_slice){ key, size + 1 };
}

/* A symbol that is used again is several instruments: the listed one answers, of those the newest.
 */
static void
index_entry(struct oi_board *board, const bool *is_delisted, size_t entry)
{
    const struct oi_board_entry *new = &board->entries.items[entry];
    char key_bytes[KEY_SIZE];
    struct oi_slice key = make_key(new->product, new->symbol, key_bytes);
    uint64_t old;

    if (oi_map_get(board->index, key, &old) && is_delisted[entry] && !is_delisted[old])
        return;
    oi_map_put(board->index, key, entry);
}

static void
add_entries(struct oi_board *board, const struct oi_catalog *catalog)
{
    bool *is_delisted = oi_alloc_zero(catalog->instrument_count + 1, sizeof(*is_delisted));

    for (size_t i = 0; i < catalog->instrument_count; i++) {
        const struct oi_instrument *instrument = &catalog->instruments[i];
        struct oi_board_entry entry = { .instrument = instrument->id };

        if (instrument->is_provisional ||
            strcmp(instrument->exchange, board->exchange->name) != 0 ||
            !oi_board_product(board, instrument->product, &entry.product))
            continue;
        entry.symbol = oi_arena_copy(&board->arena, oi_slice_of(instrument->symbol));
        is_delisted[board->entries.count] = instrument->is_delisted;
        oi_vector_push(&board->entries, entry);
        index_entry(board, is_delisted, board->entries.count - 1);
    }
    oi_free(is_delisted);
}

static enum oi_status
find_series(struct oi_board *board, struct oi_store *store, uint16_t feed, struct oi_error *error)
{
    size_t count = board->entries.count;
    uint32_t *ids = oi_alloc((count + 1) * 2 * sizeof(*ids)), *series = ids + count + 1;
    enum oi_status status;

    for (size_t i = 0; i < count; i++)
        ids[i] = board->entries.items[i].instrument;
    status = oi_store_series_all(store, ids, count, feed, series, error);
    for (size_t i = 0; status == OI_OK && i < count; i++)
        board->entries.items[i].series = series[i];
    oi_free(ids);
    return status;
}

/* In money, about: for the order of asking. */
static struct oi_decimal
estimate_worth(struct oi_store *store, uint32_t series, const struct oi_instrument *instrument)
{
    struct oi_decimal worth = {};
    struct oi_observation latest;

    if (oi_store_latest(store, series, &latest, NULL) != OI_OK)
        return worth;
    worth = latest.open_interest;
    if (instrument->settlement != OI_SETTLEMENT_INVERSE &&
        !oi_decimal_is_none(&latest.mark_price) &&
        oi_decimal_multiply(&worth, &latest.mark_price, &worth, NULL) != OI_OK)
        return latest.open_interest;
    return worth;
}

static bool
is_due(const struct oi_instrument *instrument, oi_time minute)
{
    return !instrument->is_delisted &&
           (instrument->expiry == OI_TIME_NONE || instrument->expiry > minute) &&
           (instrument->listed == OI_TIME_NONE || instrument->listed <= minute);
}

static bool
asks_by_symbol(const struct oi_board *board)
{
    for (size_t i = 0; i < board->exchange->endpoint_count; i++)
        if (board->exchange->endpoints[i].kind == OI_TASK_CURRENT &&
            board->exchange->endpoints[i].scope == OI_SCOPE_SYMBOL)
            return true;
    return false;
}

/* How often the product is asked for, if it is in this minute; else 0: some exchanges are asked
 * less often, and a closed one never. */
static int64_t
asked_every_ns(const struct oi_board *board, size_t product)
{
    int64_t least = 0;

    for (size_t i = 0; i < board->exchange->endpoint_count; i++) {
        const struct oi_endpoint *endpoint = &board->exchange->endpoints[i];

        int64_t every_ns = endpoint->every_ns > OI_MINUTE ? endpoint->every_ns : OI_MINUTE;

        if (endpoint->kind == OI_TASK_CURRENT &&
            (!endpoint->product ||
             strcmp(endpoint->product, board->exchange->products[product]) == 0) &&
            board->minute % every_ns == 0 && (least == 0 || every_ns < least))
            least = every_ns;
    }
    return least;
}

static void
reset_entries(struct oi_board *board, struct oi_store *store, const struct oi_catalog *catalog)
{
    bool is_ranked = asks_by_symbol(board);

    for (size_t i = 0; i < board->entries.count; i++) {
        struct oi_board_entry *entry = &board->entries.items[i];
        const struct oi_instrument *instrument = &catalog->instruments[entry->instrument - 1];

        entry->is_expected =
            is_due(instrument, board->minute) && asked_every_ns(board, entry->product) > 0;
        entry->has_figure = entry->is_taken = entry->was_asked = false;
        entry->cause = OI_HOLE_NONE;
        entry->reading = OI_OBSERVATION_NONE;
        if (is_ranked && entry->is_expected)
            entry->worth = estimate_worth(store, entry->series, instrument);
    }
    memset(board->prices_out, 0, sizeof(board->prices_out));
    memset(board->causes, 0, sizeof(board->causes));
}

enum oi_status
oi_board_begin(struct oi_board *board, struct oi_store *store, uint16_t feed, oi_time minute,
               struct oi_error *error)
{
    const struct oi_catalog *catalog = oi_store_catalog(store);
    enum oi_status status = OI_OK;

    board->minute = minute;
    if (!board->index || board->catalog_version != catalog->version) {
        oi_vector_clear(&board->entries);
        oi_arena_reset(&board->arena);
        oi_map_free(&board->index);
        board->index = oi_map_new();
        add_entries(board, catalog);
        status = find_series(board, store, feed, error);
        board->catalog_version = catalog->version;
    }
    if (status == OI_OK)
        reset_entries(board, store, catalog);
    else
        oi_map_free(&board->index);
    oi_catalog_unref(&catalog);
    return status;
}

static void
merge(struct oi_decimal *into, const struct oi_decimal *value)
{
    if (!oi_decimal_is_none(value))
        *into = *value;
}

bool
oi_board_put(struct oi_board *board, const struct oi_harvest_row *row, const char *task_product)
{
    const char *product = row->product ? row->product : task_product;
    const struct oi_observation *reading = &row->reading;
    struct oi_board_entry *entry;
    char key[KEY_SIZE];
    size_t index;
    uint64_t place;

    if (!product || !oi_board_product(board, product, &index) || !board->index ||
        !oi_map_get(board->index, make_key(index, row->symbol, key), &place))
        return false;
    entry = &board->entries.items[place];
    if (entry->is_taken)
        return true;
    if (!oi_decimal_is_none(&reading->open_interest)) {
        entry->has_figure = true;
        entry->reading.open_interest = reading->open_interest;
        entry->reading.exchange_time = reading->exchange_time;
        entry->reading.flags |= reading->flags;
    }
    merge(&entry->reading.value_usd, &reading->value_usd);
    merge(&entry->reading.mark_price, &reading->mark_price);
    merge(&entry->reading.index_price, &reading->index_price);
    merge(&entry->reading.last_price, &reading->last_price);
    return true;
}

struct oi_market *
oi_board_markets(const struct oi_board *board, size_t *ret_count)
{
    struct oi_market *markets = oi_alloc((board->entries.count + 1) * sizeof(*markets));
    size_t count = 0;

    for (size_t i = 0; i < board->entries.count; i++) {
        const struct oi_board_entry *entry = &board->entries.items[i];

        if (entry->is_expected)
            markets[count++] =
                (struct oi_market){ .product = board->exchange->products[entry->product],
                                    .symbol = entry->symbol,
                                    .entry = i,
                                    .worth = entry->worth };
    }
    oi_schedule_rank(markets, count);
    *ret_count = count;
    return markets;
}

void
oi_board_fail_entry(struct oi_board *board, size_t entry, enum oi_hole_cause cause)
{
    if (entry >= board->entries.count)
        return;
    board->entries.items[entry].was_asked = true;
    board->entries.items[entry].cause = cause;
}

void
oi_board_fail_symbol(struct oi_board *board, const char *product, const char *symbol,
                     enum oi_hole_cause cause)
{
    char key[KEY_SIZE];
    size_t index;
    uint64_t place;

    if (board->index && product && oi_board_product(board, product, &index) &&
        oi_map_get(board->index, make_key(index, symbol, key), &place))
        oi_board_fail_entry(board, place, cause);
}

static bool
concerns(const struct oi_board *board, size_t index, const char *product)
{
    return !product || strcmp(board->exchange->products[index], product) == 0;
}

void
oi_board_fail_product(struct oi_board *board, const char *product, enum oi_hole_cause cause)
{
    for (size_t i = 0; i < board->product_count; i++)
        if (concerns(board, i, product))
            board->causes[i] = cause;
}

void
oi_board_prices(struct oi_board *board, const char *product, int change)
{
    for (size_t i = 0; i < board->product_count; i++)
        if (concerns(board, i, product))
            board->prices_out[i] += (unsigned) change;
}

void
oi_board_yield_release(struct oi_board_yield *yield)
{
    oi_vector_release(&yield->rows);
    oi_vector_release(&yield->holes);
    oi_vector_release(&yield->marks);
}

void
oi_board_take_rows(struct oi_board *board, bool is_end, struct oi_board_yield *yield)
{
    for (size_t i = 0; i < board->entries.count; i++) {
        struct oi_board_entry *entry = &board->entries.items[i];
        struct oi_row row = { .series = entry->series, .reading = entry->reading };

        if (!entry->has_figure || entry->is_taken ||
            (!is_end && board->prices_out[entry->product] > 0))
            continue;
        entry->is_taken = true;
        row.reading.time = board->minute;
        oi_vector_push(&yield->rows, row);
    }
}

static struct oi_hole
make_hole(const struct oi_board *board, size_t product, enum oi_hole_cause cause)
{
    struct oi_hole hole = {
        .span = { board->minute, board->minute + asked_every_ns(board, product) }, .cause = cause
    };

    (void) OI_NAME_SET(hole.exchange, oi_slice_of(board->exchange->name), NULL);
    (void) OI_NAME_SET(hole.product, oi_slice_of(board->exchange->products[product]), NULL);
    return hole;
}

static enum oi_hole_cause
find_cause(const struct oi_board *board, const struct oi_board_entry *entry)
{
    return entry->was_asked ? entry->cause : board->causes[entry->product];
}

/* The one cause for which nothing at all came of a product, or NONE. */
static enum oi_hole_cause
find_common_cause(const struct oi_board *board, size_t product)
{
    enum oi_hole_cause common = board->causes[product];
    bool is_first = true;

    for (size_t i = 0; i < board->entries.count; i++) {
        const struct oi_board_entry *entry = &board->entries.items[i];

        if (entry->product != product || !entry->is_expected)
            continue;
        if (entry->has_figure || (!is_first && find_cause(board, entry) != common))
            return OI_HOLE_NONE;
        common = find_cause(board, entry);
        is_first = false;
    }
    return common;
}

void
oi_board_take_coverage(const struct oi_board *board, struct oi_board_yield *yield)
{
    bool is_whole[OI_BOARD_PRODUCTS_MAX] = {};

    for (size_t i = 0; i < board->product_count; i++) {
        enum oi_hole_cause cause = find_common_cause(board, i);
        struct oi_watch_mark mark = { .minute = board->minute };

        if (asked_every_ns(board, i) == 0)
            continue;
        (void) OI_NAME_SET(mark.exchange, oi_slice_of(board->exchange->name), NULL);
        (void) OI_NAME_SET(mark.product, oi_slice_of(board->exchange->products[i]), NULL);
        oi_vector_push(&yield->marks, mark);
        is_whole[i] = cause != OI_HOLE_NONE;
        if (is_whole[i])
            oi_vector_push(&yield->holes, make_hole(board, i, cause));
    }
    for (size_t i = 0; i < board->entries.count; i++) {
        const struct oi_board_entry *entry = &board->entries.items[i];
        enum oi_hole_cause cause = find_cause(board, entry);

        if (!entry->is_expected || entry->has_figure || is_whole[entry->product] ||
            cause == OI_HOLE_NONE)
            continue;
        oi_vector_push(&yield->holes, make_hole(board, entry->product, cause));
        yield->holes.items[yield->holes.count - 1].instrument = entry->instrument;
    }
}

void
oi_board_count(const struct oi_board *board, size_t *ret_expected, size_t *ret_missing)
{
    *ret_expected = *ret_missing = 0;
    for (size_t i = 0; i < board->entries.count; i++) {
        const struct oi_board_entry *entry = &board->entries.items[i];

        *ret_expected += entry->is_expected;
        *ret_missing += entry->is_expected && !entry->has_figure;
    }
}
