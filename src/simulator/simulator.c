/* SPDX-License-Identifier: Apache-2.0 */
/* The world behind a socket: one thread, one loop, one server. */
#include "simulator/simulator.h"

#include "base/vector.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "simulator/sessions.h"

#include <pthread.h>

/* So often the streams look whether anything has moved. */
#define TICK_MS 20

/* A stream's socket and its session. */
struct wire {
    struct oi_simulator *simulator;
    struct oi_websocket *websocket;
    struct session *session;
};

struct oi_simulator {
    struct oi_simulator_world *world;
    struct oi_loop *loop;
    struct oi_http_server *http;
    struct oi_timer *timer;
    OI_VECTOR(struct wire *) wires;
    pthread_t thread;
    bool is_running;
};

static void
handle(void *context, const struct oi_http_request *request, struct oi_http_reply *reply)
{
    oi_simulator_answer(((struct oi_simulator *) context)->world, request, reply);
}

static void
send_text(void *context, struct oi_slice text)
{
    oi_websocket_send(((struct wire *) context)->websocket, text);
}

static void
on_message(void *context, struct oi_slice message, bool)
{
    oi_session_hear(((struct wire *) context)->session, message);
}

static void
on_closed(void *context)
{
    struct wire *wire = context;
    struct oi_simulator *simulator = wire->simulator;

    for (size_t i = 0; i < simulator->wires.count; i++)
        if (simulator->wires.items[i] == wire)
            simulator->wires.items[i] = simulator->wires.items[--simulator->wires.count];
    oi_session_close(&wire->session);
    oi_free(wire);
}

static bool
upgrade(void *context, const struct oi_http_request *request, struct oi_websocket *websocket,
        struct oi_http_reply *reply)
{
    struct oi_simulator *simulator = context;
    struct wire *wire = oi_alloc_zero(1, sizeof(*wire));
    const struct oi_websocket_handler handler = { .message = on_message,
                                                  .closed = on_closed,
                                                  .context = wire };

    *wire = (struct wire){ .simulator = simulator, .websocket = websocket };
    wire->session = oi_session_open(simulator->world, request, reply, send_text, wire);
    if (!wire->session) {
        oi_free(wire);
        return false;
    }
    oi_vector_push(&simulator->wires, wire);
    oi_websocket_attach(websocket, &handler);
    return true;
}

static void
on_tick(void *context)
{
    struct oi_simulator *simulator = context;

    for (size_t i = 0; i < simulator->wires.count; i++)
        if (!oi_session_tick(simulator->wires.items[i]->session))
            oi_websocket_close(simulator->wires.items[i]->websocket, 1012, "service restart");
}

static void *
run(void *context)
{
    oi_loop_run(((struct oi_simulator *) context)->loop);
    return NULL;
}

static enum oi_status
start(struct oi_simulator *simulator, const struct oi_simulator_options *options,
      struct oi_error *error)
{
    const struct oi_http_server_options server = {
        .address = options->address ? options->address : "127.0.0.1",
        .port = options->port,
    };
    const struct oi_http_handler handler = { .handle = handle,
                                             .upgrade = upgrade,
                                             .context = simulator };

    OI_TRY(oi_simulator_set_moods(simulator->world, oi_slice_of(options->moods), error));
    if (options->pulse_ns > 0)
        oi_sessions_set_pulse(simulator->world, options->pulse_ns);
    OI_TRY(oi_loop_new(&simulator->loop, error));
    simulator->timer = oi_timer_new(simulator->loop, on_tick, simulator);
    oi_timer_start(simulator->timer, TICK_MS, TICK_MS);
    OI_TRY(oi_http_server_open(simulator->loop, &server, &handler, &simulator->http, error));
    if (pthread_create(&simulator->thread, NULL, run, simulator) != 0)
        return oi_fail(error, OI_E_IO, "cannot start a thread");
    simulator->is_running = true;
    return OI_OK;
}

enum oi_status
oi_simulator_open(const struct oi_simulator_options *options, struct oi_simulator **ret_simulator,
                  struct oi_error *error)
{
    struct oi_simulator *simulator = oi_alloc_zero(1, sizeof(*simulator));
    enum oi_status status;

    simulator->world = oi_simulator_world_new(options->seed, options->clock);
    oi_simulator_broaden(simulator->world, options->breadth);
    status = start(simulator, options, error);
    if (status != OI_OK) {
        oi_simulator_close(&simulator);
        return status;
    }
    *ret_simulator = simulator;
    return OI_OK;
}

void
oi_simulator_close(struct oi_simulator **simulator)
{
    if (!simulator || !*simulator)
        return;
    if ((*simulator)->is_running) {
        oi_loop_stop((*simulator)->loop);
        (void) pthread_join((*simulator)->thread, NULL);
    }
    oi_http_server_close(&(*simulator)->http);
    oi_timer_free(&(*simulator)->timer);
    oi_vector_release(&(*simulator)->wires);
    oi_loop_free(&(*simulator)->loop);
    oi_simulator_world_free(&(*simulator)->world);
    oi_free(*simulator);
    *simulator = NULL;
}

uint16_t
oi_simulator_port(const struct oi_simulator *simulator)
{
    return oi_http_server_port(simulator->http);
}

struct oi_simulator_world *
oi_simulator_world_of(struct oi_simulator *simulator)
{
    return simulator->world;
}
