/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CME Group: there is no free live interface, so nothing is asked for. Its users' own files come in
 * by `oi import cme` (archives/cme_files.c), one figure a trading day.
 */
#include "base/compiler.h"
#include "exchanges/exchange.h"
#include "exchanges/reply.h"

static const char *const products[] = { "futures", NULL };

static const struct oi_convention conventions[] = {
    { .sides = 1,
      .unit = OI_UNIT_CONTRACTS,
      .label = OI_LABEL_INSTANT,
      .cadence_ns = OI_DAY,
      .restates = true,
      .is_daily = true,
      .evidence = "https://cmegroupclientsite.atlassian.net (DataMine, Volume and Open Interest); "
                  "one side by common usage" },
};

const struct oi_exchange oi_exchange_cme = {
    .name = "cme",
    .full_name = "CME Group",
    .products = products,
    .conventions = conventions,
    .convention_count = OI_COUNT(conventions),
    .judge = oi_reply_judge,
};
