/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated exchanges alone, for tests of collectors: ours and others'. */
/* no unit test: a whole command; tests/system/demo.test.mjs runs it */
#include "base/log.h"
#include "cli/address.h"
#include "cli/command.h"
#include "cli/stop.h"
#include "simulator/simulator.h"

#include <stdio.h>

/* How often to look whether to stop: never by itself, so long. */
#define WAIT_NS INT64_C(3'600'000'000'000)

static const struct oi_option options_table[] = {
    { .name = "listen",
      .argument = "HOST:PORT",
      .help = "where to listen; port 0 is any free one",
      .fallback = "127.0.0.1:8081" },
    { .name = "seed", .argument = "NUMBER", .help = "another world", .fallback = "1" },
    { .name = "moods",
      .argument = "SCRIPT",
      .help = "misbehave: EXCHANGE=MOOD[@FROM..TO],...; docs/simulator.md lists them" },
};

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    OI_CLEANUP(oi_simulator_close) struct oi_simulator *simulator = NULL;
    struct oi_simulator_options wanted = { .moods = oi_options_text(options, "moods") };
    struct oi_address address = {};
    char url[OI_URL_SIZE];
    int64_t seed = 1;

    OI_TRY(oi_options_integer(options, "seed", (struct oi_range){ 0, INT64_MAX }, &seed, error));
    OI_TRY(oi_address_parse(oi_slice_of(oi_options_text(options, "listen")), &address, error));
    wanted.seed = (uint64_t) seed;
    wanted.address = address.host;
    wanted.port = address.port;
    oi_stop_take();
    OI_TRY(oi_simulator_open(&wanted, &simulator, error));
    address.port = oi_simulator_port(simulator);
    oi_address_url(&address, false, url);
    if (printf("oi simulates on %s\n", url) < 0 || fflush(stdout) != 0)
        return oi_fail(error, OI_E_IO, "cannot write to stdout");
    while (!oi_stop_wait(WAIT_NS))
        ;
    oi_log(OI_LOG_INFO, "demo.stopping", "reason=signal");
    return OI_OK;
}

const struct oi_command oi_command_demo = {
    .name = "demo",
    .summary = "Run the simulated exchanges alone",
    .description = "Each exchange answers in its own wire format; they are told apart by the Host "
                   "header.\n`oi serve --demo` runs them and collects from them.",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
