/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings what fired to webhooks and commands, from the log's queue, which survives a restart: what
 * fails is tried again, later and later, until it is given up. The same event always has the same
 * id, so a receiver that got it twice can tell. Belongs to its loop's thread.
 */
#pragma once

#include "alerts/alert_log.h"
#include "base/clock.h"
#include "net/http.h"
#include "net/loop.h"

struct oi_alert_courier;

struct oi_alert_courier_counts {
    uint64_t delivered, failed, given_up;
};

/* All borrowed. */
struct oi_alert_courier *oi_alert_courier_new(struct oi_loop *loop, struct oi_alert_log *log,
                                              const struct oi_alert_rules *rules,
                                              const struct oi_clock *clock);
/* What is under way is ended, and will be tried again by who comes next. */
void oi_alert_courier_free(struct oi_alert_courier **courier);
/* Send what is due. */
void oi_alert_courier_go_on(struct oi_alert_courier *courier);
struct oi_alert_courier_counts oi_alert_courier_counts(const struct oi_alert_courier *courier);

/* The request of a webhook: the document as its body, OI-Alert-Id, OI-Timestamp (seconds), and,
 * where there is a secret, OI-Signature: "sha256=" and the hexadecimal HMAC-SHA-256 over timestamp,
 * "." and body. INVALID for an address that is none. */
enum oi_status oi_alert_webhook(const struct oi_alert_target *target, const char *id,
                                struct oi_slice json, oi_time now, struct oi_http_request *request,
                                struct oi_error *error);
/* How long after the n-th failure (from 1) it is tried again. */
int64_t oi_alert_backoff_ns(uint32_t attempts);
