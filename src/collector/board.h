/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The board of one exchange's minute: every market that is known of, what came for it, and why
 * nothing came. Figures and prices that come apart meet here by product and symbol. Rows leave it
 * once, holes at the end.
 */
#pragma once

#include "base/map.h"
#include "base/vector.h"
#include "collector/schedule.h"
#include "store/store.h"

#include <stdbool.h>

/* No exchange has more product lines than this. */
#define OI_BOARD_PRODUCTS_MAX 16

struct oi_board_entry {
    uint32_t instrument, series;
    size_t product; /* in the exchange's list */
    const char *symbol;
    struct oi_decimal worth; /* for the ranking */
    bool is_expected;        /* a figure is due: listed, not expired, not delisted */
    bool has_figure, is_taken;
    bool was_asked;           /* by its own ask, which ended with `cause` */
    enum oi_hole_cause cause; /* NONE: it was asked and was not there */
    struct oi_observation reading;
};

struct oi_board {
    const struct oi_exchange *exchange;
    uint64_t catalog_version;
    oi_time minute;
    OI_VECTOR(struct oi_board_entry) entries;
    struct oi_arena arena;
    struct oi_map *index; /* product index and symbol -> entry */
    /* For each product: asks for prices still out, and why a bulk ask failed. */
    unsigned prices_out[OI_BOARD_PRODUCTS_MAX];
    enum oi_hole_cause causes[OI_BOARD_PRODUCTS_MAX];
    size_t product_count;
};

void oi_board_init(struct oi_board *board, const struct oi_exchange *exchange);
void oi_board_release(struct oi_board *board);

/* Begin a minute: the exchange's markets as the store knows them now, nothing come yet. */
enum oi_status oi_board_begin(struct oi_board *board, struct oi_store *store, uint16_t feed,
                              oi_time minute, struct oi_error *error);

/* The index of a product of the exchange; false for none of its. */
bool oi_board_product(const struct oi_board *board, const char *product, size_t *ret_product);
/* Put a row where it belongs. False when the market is not known. */
bool oi_board_put(struct oi_board *board, const struct oi_harvest_row *row,
                  const char *task_product);

/* The markets to be asked for one by one, ranked; the caller frees the list. */
struct oi_market *oi_board_markets(const struct oi_board *board, size_t *ret_count);

/* The outcome of asks: for one market (unknown ones are passed over), or for a product (NULL: each)
 * as a whole. */
void oi_board_fail_entry(struct oi_board *board, size_t entry, enum oi_hole_cause cause);
void oi_board_fail_symbol(struct oi_board *board, const char *product, const char *symbol,
                          enum oi_hole_cause cause);
void oi_board_fail_product(struct oi_board *board, const char *product, enum oi_hole_cause cause);
/* An ask for prices of a product (NULL: each) goes out (+1), or has ended (-1). */
void oi_board_prices(struct oi_board *board, const char *product, int change);

/* What goes into the store. */
struct oi_board_yield {
    OI_VECTOR(struct oi_row) rows;
    OI_VECTOR(struct oi_hole) holes;
    OI_VECTOR(struct oi_watch_mark) marks;
};
void oi_board_yield_release(struct oi_board_yield *yield);

/* Move rows that are complete into the yield; at the end also those whose prices never came. */
void oi_board_take_rows(struct oi_board *board, bool is_end, struct oi_board_yield *yield);
/* At the end: a hole for each expected market without a figure (one for the product where none
 * came), and a mark for each product. A market that was asked for and is silent has no hole: the
 * mark says it. */
void oi_board_take_coverage(const struct oi_board *board, struct oi_board_yield *yield);
/* How many figures are due, and how many of those have not come. */
void oi_board_count(const struct oi_board *board, size_t *ret_expected, size_t *ret_missing);
