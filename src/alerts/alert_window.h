/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The figures of a trailing window in bounded memory: at most one for each step of a 720th of it,
 * the last one there. Windows up to 12 hours lose nothing of what comes by the minute. Steps lie on
 * a grid from 1970 on, so what is remembered does not depend on when somebody began to listen.
 */
#pragma once

#include "base/vector.h"
#include "core/decimal.h"
#include "core/time.h"

#include <stddef.h>

#define OI_ALERT_WINDOW_STEPS 720

struct oi_alert_point {
    oi_time time;
    struct oi_decimal value;
};

struct oi_alert_window {
    int64_t width_ns, step_ns;
    OI_VECTOR(struct oi_alert_point) points; /* from `first` on, ascending */
    size_t first;
};

void oi_alert_window_init(struct oi_alert_window *window, int64_t width_ns);
void oi_alert_window_release(struct oi_alert_window *window);
/* The newest figure; of the same time as the last one it takes its place. Times do not go back. */
void oi_alert_window_put(struct oi_alert_window *window, oi_time time,
                         const struct oi_decimal *value);
/* The last one at or before `time`, NULL where that is not remembered. */
const struct oi_alert_point *oi_alert_window_at(const struct oi_alert_window *window, oi_time time);
