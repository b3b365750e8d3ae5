/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event in words: the message of its rule's template, and the JSON document that webhooks and
 * commands get and the log keeps.
 */
#pragma once

#include "alerts/evaluator.h"
#include "base/json.h"
#include "query/result.h"

/* Longer templates are refused. */
#define OI_ALERT_TEMPLATE_SIZE_MAX 1000
/* Is it UTF-8 of a fair length, and are all of its {placeholders} known? */
bool oi_alert_template_check(const char *template);

/* Append the event as one object; what has no figure is null. */
void oi_alert_write(const struct oi_alert_event *event, struct oi_buffer *out);
/* Read it again; its texts are copied into the arena. CORRUPT for what was not written so. */
enum oi_status oi_alert_read(struct oi_slice json, struct oi_arena *arena,
                             struct oi_alert *ret_alert, struct oi_error *error);
