/* SPDX-License-Identifier: Apache-2.0 */
/* Running a query against a store: names to series, plan, arithmetic, blocks. */
#pragma once

#include "base/clock.h"
#include "core/convention.h"
#include "query/names.h"
#include "query/query.h"
#include "query/result.h"
#include "store/store.h"

/* What a question is asked of. Shared by all threads. */
struct oi_source {
    struct oi_store *store;
    const struct oi_convention_book *conventions;
    const struct oi_clock *clock;
    struct oi_names *names;
    /* Answers OI_QUERY_ALERTS (alerts/alert_log.h); NULL: there are none. */
    enum oi_status (*ask_alerts)(void *context, const struct oi_query *query,
                                 struct oi_result **ret_result, struct oi_error *error);
    void *alerts;
    uint64_t halved_from; /* readings from which a total is walked on two threads; 0: as usual */
    size_t window_events; /* of a total that are held at once, about; 0: as usual */
};

/* Open the answer. INVALID with `problem` filled when the question does not fit the catalogue
 * (unknown market, too many points); other codes are failures of ours. Any thread; the query must
 * outlive the result. */
enum oi_status oi_query_run(const struct oi_source *source, const struct oi_query *query,
                            struct oi_result **ret_result, struct oi_problem *problem,
                            struct oi_error *error);
