/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FTX closed on 11 November 2022: nothing is asked for. Its history stays importable (Tardis) and
 * queryable. Figures are coins, of MOVE contracts units of the index; who would have said how many
 * sides they count is gone.
 */
#include "base/compiler.h"
#include "exchanges/exchange.h"
#include "exchanges/reply.h"

static const char *const products[] = { "futures", NULL };

/* 2022-11-11: from that Friday on nothing was traded. */
#define CLOSED (INT64_C(1'668'124'800) * OI_SECOND)

static const struct oi_convention conventions[] = {
    { .sides = 0,
      .unit = OI_UNIT_COINS,
      .label = OI_LABEL_INSTANT,
      .evidence = "https://docs.tardis.dev (ftx); sides: no documentation is left" },
};

const struct oi_exchange oi_exchange_ftx = {
    .name = "ftx",
    .full_name = "FTX",
    .closed = CLOSED,
    .products = products,
    .conventions = conventions,
    .convention_count = OI_COUNT(conventions),
    .judge = oi_reply_judge,
};
