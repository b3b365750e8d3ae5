/* SPDX-License-Identifier: Apache-2.0 */
/* A queue in an array: the front is given up as the window moves on, and the rest moved down now
 * and then. */
#include "alerts/alert_window.h"

void
oi_alert_window_init(struct oi_alert_window *window, int64_t width_ns)
{
    *window = (struct oi_alert_window){ .width_ns = width_ns,
                                        .step_ns = width_ns / OI_ALERT_WINDOW_STEPS };
    if (window->step_ns < 1)
        window->step_ns = 1;
}

void
oi_alert_window_release(struct oi_alert_window *window)
{
    oi_vector_release(&window->points);
    window->first = 0;
}

/* Only the last point at or before the window's start is still asked for. */
static void
give_up(struct oi_alert_window *window)
{
    oi_time from = window->points.items[window->points.count - 1].time - window->width_ns;

    while (window->first + 1 < window->points.count &&
           window->points.items[window->first + 1].time <= from)
        window->first++;
    if (window->first <= window->points.count / 2)
        return;
    window->points.count -= window->first;
    memmove(window->points.items, window->points.items + window->first,
            window->points.count * sizeof(*window->points.items));
    window->first = 0;
}

void
oi_alert_window_put(struct oi_alert_window *window, oi_time time, const struct oi_decimal *value)
{
    const struct oi_alert_point point = { time, *value };
    size_t count = window->points.count;

    if (count > window->first) {
        struct oi_alert_point *last = &window->points.items[count - 1];

        if (time < last->time)
            return;
        if (oi_interval_floor(window->step_ns, time) ==
            oi_interval_floor(window->step_ns, last->time)) {
            *last = point;
            give_up(window);
            return;
        }
    }
    oi_vector_push(&window->points, point);
    give_up(window);
}

const struct oi_alert_point *
oi_alert_window_at(const struct oi_alert_window *window, oi_time time)
{
    size_t from = window->first, to = window->points.count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (window->points.items[middle].time <= time)
            from = middle + 1;
        else
            to = middle;
    }
    return from > window->first ? &window->points.items[from - 1] : NULL;
}
