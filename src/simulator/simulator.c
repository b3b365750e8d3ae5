/* SPDX-License-Identifier: Apache-2.0 */
/* The world behind a socket: one thread, one loop, one server. */
#include "simulator/simulator.h"

#include <pthread.h>

#include "net/http_server.h"
#include "net/loop.h"

struct oi_simulator {
    struct oi_simulator_world *world;
    struct oi_loop *loop;
    struct oi_http_server *http;
    pthread_t thread;
    bool is_running;
};

static void
handle(void *context, const struct oi_http_request *request, struct oi_http_reply *reply)
{
    oi_simulator_answer(((struct oi_simulator *) context)->world, request, reply);
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
    const struct oi_http_handler handler = { .handle = handle, .context = simulator };

    OI_TRY(oi_simulator_set_moods(simulator->world, oi_slice_of(options->moods), error));
    OI_TRY(oi_loop_new(&simulator->loop, error));
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
