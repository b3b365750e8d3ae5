/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small exchange world over real HTTP: each registered exchange answers in its own wire format
 * with a moving market, so that demo and tests need no internet. Point the collector at it with
 * oi_http_client_options.redirect_to; it tells the exchanges apart by the Host header.
 *
 * Every figure is a pure function of (seed, exchange, symbol, minute): it holds for a whole minute,
 * and anybody can work it out again later with oi_simulator_history.
 */
#pragma once

#include "base/clock.h"
#include "core/instrument.h"
#include "core/observation.h"
#include "net/http.h"

#include <stdint.h>

/*
 * The world without a socket. Its functions may be called from several threads.
 */
struct oi_simulator_world;

/* `clock` is borrowed and decides which minute is answered; NULL: the machine's. */
struct oi_simulator_world *oi_simulator_world_new(uint64_t seed, const struct oi_clock *clock);
/* NULL-safe, leaves NULL behind. */
/* As the option of that name has it; before anybody asks. */
void oi_simulator_broaden(struct oi_simulator_world *world, unsigned breadth);
void oi_simulator_world_free(struct oi_simulator_world **world);

/* Answer one request, by its origin's host. A host that is no exchange's is the simulator's own:
 * POST /simulator/moods takes the text of oi_simulator_set_moods, GET /simulator/status counts. */
void oi_simulator_answer(struct oi_simulator_world *world, const struct oi_http_request *request,
                         struct oi_http_reply *reply);

/*
 * Replace the script of misbehaviour, counted from now; "" ends it. Parts by commas, several for
 * one exchange are allowed and the first that applies wins:
 *
 *     EXCHANGE=MOOD[@FROM..TO]
 *
 * MOOD is a status ("418", "418:120" with Retry-After), "hang" (no answer ever), "html" (a page in
 * place of data), "truncate" (the reply breaks off in its middle), "drop:SYMBOL" (missing in bulk
 * replies), "shuffle" (rows out of order, one of them twice), "digits" (figures of 39 digits),
 * "skew:SECONDS" (the exchange's clock is so far ahead, or behind with a minus), "ok"; and as long
 * as the script holds: "delist:SYMBOL", "rename:SYMBOL>NEW", "resize:SYMBOL>TIMES" (of a contract).
 * Streams have "stream-cut" (connections end), "stream-mute", "stream-repeat" (messages twice),
 * "stream-swap" (older ones behind newer), "stream-garble" (nonsense between them), by seconds
 * alone. FROM..TO are the exchange's requests by number from 1, both ends included, or
 * seconds with an s ("10s..20s"); none: always. INVALID, and the old script stays, for anything
 * else.
 */
enum oi_status oi_simulator_set_moods(struct oi_simulator_world *world, struct oi_slice moods,
                                      struct oi_error *error);

/* Requests answered, and requests that came although a published limit was used up (or during the
 * ban that followed). `exchange` NULL: of all. */
uint64_t oi_simulator_requests(const struct oi_simulator_world *world, const char *exchange);
uint64_t oi_simulator_violations(const struct oi_simulator_world *world, const char *exchange);

/*
 * The world behind a socket, on a thread of its own.
 */
struct oi_simulator;

struct oi_simulator_options {
    const char *address; /* NULL: 127.0.0.1 */
    uint16_t port;       /* 0: any free one */
    uint64_t seed;
    const struct oi_clock *clock; /* borrowed; NULL: the machine's */
    const char *moods;            /* as oi_simulator_set_moods has them; NULL: none */
    /* How often streams move; divides a minute. 0: a minute, as the replies. */
    int64_t pulse_ns;
    /* So many times as many coins as there are, under names of their own, to measure with; 0 is 1.
     * The options and dated contracts are the first ones' alone. */
    unsigned breadth;
};

/* Texts are copied. IO when the address cannot be had, INVALID for moods that are none. */
enum oi_status oi_simulator_open(const struct oi_simulator_options *options,
                                 struct oi_simulator **ret_simulator, struct oi_error *error);
/* Ends every connection at once. */
void oi_simulator_close(struct oi_simulator **simulator);
uint16_t oi_simulator_port(const struct oi_simulator *simulator);
/* For counters and moods; lives as long as the simulator. */
struct oi_simulator_world *oi_simulator_world_of(struct oi_simulator *simulator);

/*
 * The past, to fill a demo's empty store.
 */

/* Each instrument that is listed at `now` and not delisted, exactly as the adapter of its exchange
 * reads it. Stops at and returns the first failure of `visit`. `exchange` NULL: of all. */
enum oi_status oi_simulator_instruments(uint64_t seed, const char *exchange, oi_time now,
                                        enum oi_status (*visit)(void *context,
                                                                const struct oi_instrument *found,
                                                                struct oi_error *error),
                                        void *context, struct oi_error *error);

/* The readings of a market at each multiple of `step_ns` (whole minutes) in `span`, oldest first,
 * with time and prices as the live feed would have read them; none before it was listed or after it
 * expired. NOT_FOUND for a symbol that is listed neither in the span nor in the months after it.
 * INVALID for a span that is not between 1970 and 2200. Stops at and returns the first failure of
 * `visit`. */
enum oi_status oi_simulator_history(uint64_t seed, const char *exchange, const char *symbol,
                                    struct oi_span span, int64_t step_ns,
                                    enum oi_status (*visit)(void *context,
                                                            const struct oi_observation *reading,
                                                            struct oi_error *error),
                                    void *context, struct oi_error *error);
