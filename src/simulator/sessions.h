/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The streams of the simulated exchanges, without sockets: a session is a WebSocket's other end.
 * Figures move with every pulse of the world; each subscribed market whose figure moved is pushed.
 * The functions may be called from several threads, those of one session from one at a time.
 */
#pragma once

#include "simulator/simulator.h"

#include <stdbool.h>

struct session;

/* A handshake: a session, or NULL and the refusal in `reply`. `send` takes each message that goes
 * out, from within oi_session_hear and oi_session_tick. */
struct session *oi_session_open(struct oi_simulator_world *world,
                                const struct oi_http_request *request, struct oi_http_reply *reply,
                                void (*send)(void *context, struct oi_slice text), void *context);
void oi_session_close(struct session **session);

/* A message of the client's. */
void oi_session_hear(struct session *session, struct oi_slice text);
/* Push what has moved since the last call; false: the exchange cuts the connection. */
bool oi_session_tick(struct session *session);

/* Move the streams of this world so often. */
void oi_sessions_set_pulse(struct oi_simulator_world *world, int64_t pulse_ns);
