/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readings coming in: the collector and, for a demo, the simulated exchanges that it asks instead
 * of the real ones. Simulated and real readings never share a store.
 */
#pragma once

#include "cli/options.h"
#include "collector/collector.h"
#include "collector/inbox.h"
#include "store/store.h"

#include <stdbool.h>

/* The ways out of this machine. */
#define OI_OPTION_WAYS                                                                             \
    { .name = "proxy",                                                                             \
      .argument = "URL",                                                                           \
      .help = "ask through this proxy; EXCHANGE=URL: this exchange alone",                         \
      .setting = "proxy",                                                                          \
      .is_repeatable = true },                                                                     \
    {                                                                                              \
        .name = "interface", .argument = "ADDRESS",                                                \
        .help = "ask from this local address; several share the work", .setting = "interface",     \
        .is_repeatable = true                                                                      \
    }

/* Whom to ask and by which way. */
#define OI_OPTION_INTAKE                                                                           \
    { .name = "exchange",                                                                          \
      .argument = "NAME",                                                                          \
      .help = "collect from this exchange alone",                                                  \
      .setting = "exchanges",                                                                      \
      .is_repeatable = true },                                                                     \
        OI_OPTION_WAYS,                                                                            \
        { .name = "frozen-after",                                                                  \
          .argument = "DURATION",                                                                  \
          .help = "warn of a figure that stands so long while its price moves",                    \
          .fallback = "1h",                                                                        \
          .setting = "frozen_after" },                                                             \
        { .name = "keep-raw",                                                                      \
          .help = "keep every reply, for `oi replay`, in raw/ of the data folder",                 \
          .setting = "keep_raw" },                                                                 \
        { .name = "raw-for",                                                                       \
          .argument = "DURATION",                                                                  \
          .help = "remove kept replies that are older (7d)",                                       \
          .setting = "raw_for" },                                                                  \
        { .name = "raw-size",                                                                      \
          .argument = "MIB",                                                                       \
          .help = "remove the oldest kept replies beyond this size",                               \
          .setting = "raw_size" },                                                                 \
        { .name = "streams",                                                                       \
          .help = "store what exchanges push between the minutes, too",                            \
          .fallback = "true",                                                                      \
          .setting = "streams" },                                                                  \
        { .name = "stream-interval",                                                               \
          .argument = "MS",                                                                        \
          .help = "keep at most one pushed change of a market in so many ms",                      \
          .fallback = "1000",                                                                      \
          .setting = "stream_interval" },                                                          \
        { .name = "cme-folder",                                                                    \
          .argument = "DIR",                                                                       \
          .help = "import CME's files as they come into this folder",                              \
          .setting = "cme_folder" },                                                               \
        { .name = "demo", .help = "ask simulated exchanges: no internet; data in ./data-demo" },   \
    {                                                                                              \
        .name = "demo-at", .argument = "URL",                                                      \
        .help = "with --demo: ask this `oi demo`, and make no past"                                \
    }

struct oi_intake;

/* The folder to use: that of --data or, for a demo without it, one of its own. */
const char *oi_intake_folder(const struct oi_options *options);
/* Claim the store for real or for simulated readings, and give a new demo a past. INVALID when the
 * store holds the other kind. */
enum oi_status oi_intake_prepare(const struct oi_options *options, struct oi_store *store,
                                 struct oi_error *error);

/* Start collecting. INVALID for an exchange that is not known. Closed before the store. */
enum oi_status oi_intake_open(const struct oi_options *options, struct oi_store *store,
                              struct oi_intake **ret_intake, struct oi_error *error);
/* The simulated exchanges alone where it is a demo, without a collector; and where they answer, or
 * NULL for the real ones. */
enum oi_status oi_intake_open_idle(const struct oi_options *options, struct oi_intake **ret_intake,
                                   struct oi_error *error);
/* The ways out that the options name, and to the simulated exchanges; borrowed from both. */
struct oi_intake_ways {
    const char *redirect_to;                       /* or NULL */
    const char *const *proxies, *const *addresses; /* NULL-terminated, or NULL */
};
struct oi_intake_ways oi_intake_ways(const struct oi_intake *intake);
void oi_intake_close(struct oi_intake **intake);
/* Lives as long as the intake. */
struct oi_collector *oi_intake_collector(struct oi_intake *intake);
/* The folder that is watched, or NULL; lives as long as the intake. */
struct oi_inbox *oi_intake_inbox(struct oi_intake *intake);
/* Poll the current minute once and report, instead of oi_intake_open. */
enum oi_status oi_intake_run_once(const struct oi_options *options, struct oi_store *store,
                                  struct oi_collector_report *ret_report, struct oi_error *error);
