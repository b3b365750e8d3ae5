/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole world in a minute. `world_bench parse`: how fast each adapter reads a bulk reply of
 * about a megabyte, by the time of this thread's processor. `world_bench minute`: twelve thousand
 * markets polled over sockets from a simulator in a process of its own, parsed, and durable on
 * disk: time, processor and memory of the process that collects.
 */
#include "base/json.h"
#include "base/log.h"
#include "collector/collector.h"
#include "exchanges/exchange.h"
#include "simulator/simulator.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"

#define SEED 7
#define REPLY_SIZE ((size_t) 1 << 20)
#define MEASURE_NS (300 * OI_MILLISECOND)
#define BREADTH 21
#define NAME_SIZE 96

static int64_t
cpu_ns(clockid_t clock)
{
    struct timespec time;

    (void) clock_gettime(clock, &time);
    return (int64_t) time.tv_sec * OI_SECOND + time.tv_nsec;
}

/*
 * A reply made long: the rows of its outermost lists over and over.
 */

static void
write_node(struct oi_json_writer *writer, const struct oi_json_node *node, size_t times)
{
    struct oi_buffer name = {};

    switch (oi_json_kind(node)) {
    case OI_JSON_NULL:
        oi_json_add_null(writer);
        break;
    case OI_JSON_FALSE:
    case OI_JSON_TRUE:
        oi_json_add_bool(writer, oi_json_kind(node) == OI_JSON_TRUE);
        break;
    case OI_JSON_NUMBER:
        oi_json_add_raw(writer, oi_json_text(node));
        break;
    case OI_JSON_STRING:
        oi_json_add_string(writer, oi_json_text(node));
        break;
    case OI_JSON_ARRAY:
        oi_json_begin_array(writer);
        /* What is joined by place stays joined: a pair of lists is no list of rows. */
        for (size_t i = 0; i < (oi_json_count(node) > 2 ? times : 1); i++)
            for (const struct oi_json_node *item = oi_json_first(node); item;
                 item = oi_json_next(item))
                write_node(writer, item, oi_json_count(node) > 2 ? 1 : times);
        oi_json_end_array(writer);
        break;
    case OI_JSON_OBJECT:
        oi_json_begin_object(writer);
        for (const struct oi_json_node *member = oi_json_first(node); member;
             member = oi_json_next(member)) {
            oi_buffer_clear(&name);
            oi_buffer_add_slice(&name, oi_json_name(member));
            oi_buffer_add_char(&name, '\0');
            oi_json_add_name(writer, name.data);
            write_node(writer, member, times);
        }
        oi_json_end_object(writer);
        break;
    }
    oi_buffer_release(&name);
}

static void
lengthen(struct oi_buffer *body)
{
    struct oi_json *json = NULL;
    struct oi_error error = {};
    struct oi_buffer text = {};
    struct oi_json_writer writer = { .out = &text };

    bench_check(oi_json_open(oi_buffer_slice(body), &json, &error), &error);
    write_node(&writer, oi_json_root(json), REPLY_SIZE / (body->size + 1) + 1);
    oi_json_close(&json);
    oi_buffer_release(body);
    *body = text;
}

/* Read again and again, as long as a measurement takes. */
static void
measure(const struct oi_exchange *exchange, const struct oi_endpoint *endpoint,
        const struct oi_task *task, struct oi_slice reply)
{
    static const char *const kinds[] = {
        [OI_TASK_FAMILIES] = "families", [OI_TASK_INSTRUMENTS] = "instruments",
        [OI_TASK_CURRENT] = "current",   [OI_TASK_PRICES] = "prices",
        [OI_TASK_HISTORY] = "history",   [OI_TASK_STREAM] = "stream",
    };
    struct oi_harvest harvest = {};
    struct oi_error error = {};
    int64_t begun_ns = cpu_ns(CLOCK_THREAD_CPUTIME_ID), last_ns = begun_ns, best_ns = INT64_MAX;
    size_t rows;

    /* The best round is the one that nobody else on the machine disturbed. */
    while (last_ns - begun_ns < MEASURE_NS) {
        int64_t now_ns;

        oi_harvest_reset(&harvest);
        bench_check(endpoint->read(task, reply, &harvest, &error), &error);
        now_ns = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
        best_ns = now_ns - last_ns < best_ns ? now_ns - last_ns : best_ns;
        last_ns = now_ns;
    }
    rows = harvest.rows.count + harvest.instruments.count;
    if (rows == 0)
        bench_die("a reply without a row");
    printf("%-15s %-11s %-12s %8zu bytes %6zu rows %6lld MB/s %6lld ns a row\n", exchange->name,
           kinds[endpoint->kind], task->product ? task->product : "", reply.size, rows,
           (long long) ((int64_t) reply.size * 1'000 / best_ns),
           (long long) (best_ns / (int64_t) rows));
    oi_harvest_release(&harvest);
}

static void
parse_endpoint(struct oi_simulator_world *world, const struct oi_exchange *exchange,
               const struct oi_endpoint *endpoint)
{
    struct oi_task task = { .kind = endpoint->kind, .product = endpoint->product, .now = 1 };
    struct oi_http_request request = {};
    struct oi_http_reply reply = {};
    struct oi_error error = {};

    if (endpoint->scope == OI_SCOPE_FAMILY)
        task.family = endpoint->families                           ? endpoint->families[0]
                      : strcmp(exchange->name, "hyperliquid") == 0 ? "xyz"
                      : strcmp(exchange->name, "okx") == 0         ? "BTC-USD"
                      : strcmp(exchange->name, "binance") == 0     ? "BTC-261225"
                                                                   : "BTC";
    bench_check(endpoint->ask(&task, &request, &error), &error);
    oi_simulator_answer(world, &request, &reply);
    lengthen(&reply.body);
    /* What has one or two rows is no bulk reply. */
    if (reply.body.size > REPLY_SIZE / 2)
        measure(exchange, endpoint, &task, oi_buffer_slice(&reply.body));
    oi_http_reply_release(&reply);
    oi_http_request_release(&request);
}

static void
run_parse(void)
{
    struct oi_virtual_clock clock;
    struct oi_simulator_world *world;

    oi_virtual_clock_init(&clock, INT64_C(1'795'000'000) * OI_SECOND);
    world = oi_simulator_world_new(SEED, &clock.clock);
    for (size_t i = 0; oi_exchanges[i]; i++)
        for (size_t row = 0; row < oi_exchanges[i]->endpoint_count; row++) {
            const struct oi_endpoint *endpoint = &oi_exchanges[i]->endpoints[row];

            oi_virtual_clock_advance(&clock, 10 * OI_SECOND);
            if (endpoint->scope != OI_SCOPE_SYMBOL && endpoint->kind != OI_TASK_FAMILIES &&
                endpoint->kind != OI_TASK_STREAM)
                parse_endpoint(world, oi_exchanges[i], endpoint);
        }
    oi_simulator_world_free(&world);
}

/*
 * A minute over sockets.
 */

/* The simulator in a process of its own; its port. */
static pid_t
start_simulator(uint16_t *ret_port)
{
    const struct oi_simulator_options options = { .seed = SEED, .breadth = BREADTH };
    int ends[2];
    pid_t child;

    if (pipe(ends) != 0)
        bench_die("no pipe");
    child = fork();
    if (child < 0)
        bench_die("no second process");
    if (child == 0) {
        struct oi_simulator *simulator = NULL;
        struct oi_error error = {};
        uint16_t port;

        bench_check(oi_simulator_open(&options, &simulator, &error), &error);
        port = oi_simulator_port(simulator);
        if (write(ends[1], &port, sizeof(port)) != sizeof(port))
            _exit(1);
        for (;;)
            (void) pause();
    }
    if (read(ends[0], ret_port, sizeof(*ret_port)) != sizeof(*ret_port))
        bench_die("the simulator did not start");
    return child;
}

static long
status_kib(const char *name)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[128];
    long kib = 0;

    if (!file)
        bench_die("no /proc/self/status");
    while (fgets(line, sizeof(line), file))
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtol(line + strlen(name), NULL, 10);
    (void) fclose(file);
    return kib;
}

static oi_time
wait_for_minute(void)
{
    oi_time now = oi_clock_system.wall_ns(&oi_clock_system);
    oi_time minute = oi_interval_floor(OI_MINUTE, now) + OI_MINUTE;
    const struct timespec pause = { (minute - now) / OI_SECOND, (minute - now) % OI_SECOND };

    (void) nanosleep(&pause, NULL);
    return minute;
}

static void
run_minutes(const char *folder, unsigned count)
{
    const struct oi_store_options options = { .clock = &oi_clock_system };
    struct oi_collector_options collecting = { .seed = 1, .spread_ms = 1 };
    struct oi_collector *collector = NULL;
    struct oi_store *store = NULL;
    struct oi_error error = {};
    char origin[NAME_SIZE];
    uint16_t port = 0;
    pid_t simulator = start_simulator(&port);

    oi_log_set_level(OI_LOG_WARN);
    (void) snprintf(origin, sizeof(origin), "http://127.0.0.1:%u", port);
    collecting.redirect_to = origin;
    bench_check(oi_store_open(folder, &options, &store, &error), &error);
    bench_check(oi_collector_open_stepped(&collecting, store, &collector, &error), &error);
    for (unsigned i = 0; i < count; i++) {
        struct oi_collector_report report = {};
        oi_time minute = wait_for_minute();
        int64_t wall_ns = bench_now_ns(), thread_ns = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);

        bench_check(oi_collector_poll_minute(collector, minute, &report, &error), &error);
        wall_ns = bench_now_ns() - wall_ns;
        thread_ns = cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - thread_ns;
        printf("minute %u: %zu markets, %zu stored, %zu missing; durable after %lld ms, processor "
               "%lld ms; RssAnon %ld KiB, most resident %ld KiB\n",
               i, report.expected, report.stored, report.missing,
               (long long) (wall_ns / OI_MILLISECOND), (long long) (thread_ns / OI_MILLISECOND),
               status_kib("RssAnon:"), status_kib("VmHWM:"));
    }
    oi_collector_close(&collector);
    oi_store_close(&store);
    (void) kill(simulator, SIGTERM);
    (void) waitpid(simulator, NULL, 0);
}

int
main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "parse") == 0)
        run_parse();
    else if (count == 3 && strcmp(arguments[1], "minute") == 0)
        run_minutes(arguments[2], 3);
    else
        bench_die("world_bench parse, or world_bench minute FOLDER");
    return 0;
}
