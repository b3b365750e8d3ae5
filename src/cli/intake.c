/* SPDX-License-Identifier: Apache-2.0 */
/* A marker file says that a store's readings are simulated; without one they are real. */
/* no unit test: sockets and a process of threads; tests/system/demo.test.mjs runs it */
#include "cli/intake.h"

#include "base/vector.h"
#include "cli/demo_past.h"
#include "cli/zones.h"
#include "simulator/simulator.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEMO_FOLDER "data-demo"
#define RAW_FOLDER "raw"
#define RAW_MIB_MAX (INT64_C(1) << 30)
#define MARKER "simulated"
/* Every demo shows the same world. */
#define DEMO_SEED 1
#define STREAM_INTERVAL_MS_MAX 3'600'000

/* Values of a repeatable option, NULL-terminated; NULL itself where there are none. */
struct names {
    OI_VECTOR(const char *) texts;
};

struct oi_intake {
    struct oi_simulator *simulator; /* NULL: the real exchanges */
    struct oi_collector *collector;
    struct oi_zones *zones; /* of the files that are watched for */
    struct oi_inbox *inbox; /* or NULL */
    char redirect_to[64];
    char raw_folder[3000];
    struct names exchanges, proxies, addresses;
};

static bool
is_demo(const struct oi_options *options)
{
    return oi_options_switch(options, "demo");
}

const char *
oi_intake_folder(const struct oi_options *options)
{
    if (is_demo(options) && oi_options_origin(options, "data") == OI_ORIGIN_DEFAULT)
        return DEMO_FOLDER;
    return oi_options_text(options, "data");
}

static enum oi_status
mark(const char *path, struct oi_error *error)
{
    static const char text[] = "The readings in this folder are made up by oi's simulator.\n";
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    bool is_written;

    if (file < 0)
        return oi_fail(error, OI_E_IO, "cannot write %s: %s", path, strerror(errno));
    is_written = write(file, text, sizeof(text) - 1) == (ssize_t) sizeof(text) - 1;
    is_written &= fsync(file) == 0;
    if (close(file) != 0 || !is_written)
        return oi_fail(error, OI_E_IO, "cannot write %s: %s", path, strerror(errno));
    return OI_OK;
}

enum oi_status
oi_intake_prepare(const struct oi_options *options, struct oi_store *store, struct oi_error *error)
{
    const char *folder = oi_intake_folder(options);
    bool is_marked, is_empty = oi_store_last_batch(store) == 0;
    char path[4096];

    if (snprintf(path, sizeof(path), "%s/" MARKER, folder) >= (int) sizeof(path))
        return oi_fail(error, OI_E_INVALID, "a path of more than 4,000 characters");
    is_marked = access(path, F_OK) == 0;
    if (!is_demo(options) && is_marked)
        return oi_fail(error, OI_E_INVALID,
                       "%s holds simulated readings: give real ones a folder of their own, or add "
                       "--demo",
                       folder);
    if (!is_demo(options))
        return OI_OK;
    if (!is_marked && !is_empty)
        return oi_fail(error, OI_E_INVALID,
                       "%s holds real readings: give the demo a folder of its own with --data",
                       folder);
    if (!is_marked)
        OI_TRY(mark(path, error));
    return is_empty && !oi_options_text(options, "demo-at")
               ? oi_demo_past_fill(store, DEMO_SEED, error)
               : OI_OK;
}

static enum oi_status
open_simulator(struct oi_intake *intake, struct oi_error *error)
{
    const struct oi_simulator_options options = { .seed = DEMO_SEED };

    OI_TRY(oi_simulator_open(&options, &intake->simulator, error));
    (void) snprintf(intake->redirect_to, sizeof(intake->redirect_to), "http://127.0.0.1:%u",
                    (unsigned) oi_simulator_port(intake->simulator));
    return OI_OK;
}

/* That of another process, or one of our own. */
static enum oi_status
find_simulator(const struct oi_options *options, struct oi_intake *intake, struct oi_error *error)
{
    const char *url = oi_options_text(options, "demo-at");

    if (!url)
        return open_simulator(intake, error);
    if (strncmp(url, "http://", 7) != 0 || strlen(url) >= sizeof(intake->redirect_to))
        return oi_fail(error, OI_E_INVALID, "--demo-at wants http://HOST:PORT, not %s", url);
    (void) snprintf(intake->redirect_to, sizeof(intake->redirect_to), "%s", url);
    return OI_OK;
}

static void
take_values(const struct oi_options *options, const char *name, struct names *names)
{
    const char *const *values;
    size_t count = oi_options_values(options, name, &values);

    for (size_t i = 0; i < count; i++)
        oi_vector_push(&names->texts, values[i]);
    if (count > 0)
        oi_vector_push(&names->texts, NULL);
}

static void
release_names(struct oi_intake *intake)
{
    oi_vector_release(&intake->exchanges.texts);
    oi_vector_release(&intake->proxies.texts);
    oi_vector_release(&intake->addresses.texts);
}

/* What the collector is told. Borrows from the intake and the options. */
static struct oi_collector_options
collector_options(const struct oi_options *options, struct oi_intake *intake)
{
    take_values(options, "exchange", &intake->exchanges);
    take_values(options, "proxy", &intake->proxies);
    take_values(options, "interface", &intake->addresses);
    return (struct oi_collector_options){
        .exchanges = intake->exchanges.texts.items,
        .redirect_to = intake->redirect_to[0] != 0 ? intake->redirect_to : NULL,
        .proxies = intake->proxies.texts.items,
        .addresses = intake->addresses.texts.items,
    };
}

/* Where replies are kept, and how many. */
static enum oi_status
choose_raw(const struct oi_options *options, struct oi_intake *intake,
           struct oi_collector_options *wanted, struct oi_error *error)
{
    int64_t mib = 0;

    OI_TRY(oi_options_interval(options, "frozen-after", &wanted->frozen_after_ns, error));
    OI_TRY(oi_options_interval(options, "raw-for", &wanted->raw_keep_ns, error));
    OI_TRY(
        oi_options_integer(options, "raw-size", (struct oi_range){ 1, RAW_MIB_MAX }, &mib, error));
    wanted->raw_size_max = (uint64_t) mib << 20;
    if (!oi_options_switch(options, "keep-raw"))
        return OI_OK;
    if (snprintf(intake->raw_folder, sizeof(intake->raw_folder), "%s/" RAW_FOLDER,
                 oi_intake_folder(options)) >= (int) sizeof(intake->raw_folder))
        return oi_fail(error, OI_E_INVALID, "a path of more than 3,000 characters");
    wanted->raw_folder = intake->raw_folder;
    return OI_OK;
}

/* "okx=http://proxy:3128": whose it is. */
static enum oi_status
check_proxies(const struct oi_options *options, struct oi_error *error)
{
    const char *const *proxies;
    size_t count = oi_options_values(options, "proxy", &proxies);

    for (size_t i = 0; i < count; i++) {
        struct oi_slice name = { proxies[i], strcspn(proxies[i], "=:/") };

        if (proxies[i][name.size] == '=' && !oi_exchange_find(name))
            return oi_fail(error, OI_E_INVALID,
                           "there is no exchange \"%.*s\" to ask through a proxy",
                           OI_SLICE_ARGS(name));
    }
    return OI_OK;
}

static enum oi_status
check_exchanges(const struct oi_options *options, struct oi_error *error)
{
    const char *const *names;
    size_t count = oi_options_values(options, "exchange", &names);

    for (size_t i = 0; i < count; i++)
        if (!oi_exchange_find(oi_slice_of(names[i])))
            return oi_fail(error, OI_E_INVALID,
                           "there is no exchange \"%s\": `oi conventions` lists them", names[i]);
    return check_proxies(options, error);
}

/* CME publishes files, and its users download them. */
static enum oi_status
open_inbox(const struct oi_options *options, struct oi_intake *intake, struct oi_error *error)
{
    struct oi_inbox_options inbox = { .folder = oi_options_text(options, "cme-folder"),
                                      .archive = &oi_archive_cme,
                                      .clock = &oi_clock_system };

    if (!inbox.folder)
        return OI_OK;
    intake->zones = oi_zones_new(NULL);
    inbox.zones = oi_zones_loader(intake->zones);
    return oi_inbox_open(&inbox, &intake->inbox, error);
}

enum oi_status
oi_intake_open(const struct oi_options *options, struct oi_store *store,
               struct oi_intake **ret_intake, struct oi_error *error)
{
    OI_CLEANUP(oi_intake_close) struct oi_intake *intake = oi_alloc_zero(1, sizeof(*intake));
    struct oi_collector_options wanted;
    int64_t interval_ms = 0;

    OI_TRY(check_exchanges(options, error));
    if (is_demo(options))
        OI_TRY(find_simulator(options, intake, error));
    wanted = collector_options(options, intake);
    OI_TRY(choose_raw(options, intake, &wanted, error));
    OI_TRY(oi_options_integer(options, "stream-interval",
                              (struct oi_range){ 1, STREAM_INTERVAL_MS_MAX }, &interval_ms, error));
    wanted.has_streams = oi_options_switch(options, "streams");
    wanted.stream_interval_ms = (uint64_t) interval_ms;
    OI_TRY(open_inbox(options, intake, error));
    OI_TRY(oi_collector_open(&wanted, store, &intake->collector, error));
    *ret_intake = intake;
    intake = NULL;
    return OI_OK;
}

enum oi_status
oi_intake_open_idle(const struct oi_options *options, struct oi_intake **ret_intake,
                    struct oi_error *error)
{
    OI_CLEANUP(oi_intake_close) struct oi_intake *intake = oi_alloc_zero(1, sizeof(*intake));

    OI_TRY(check_proxies(options, error));
    take_values(options, "proxy", &intake->proxies);
    take_values(options, "interface", &intake->addresses);
    if (is_demo(options))
        OI_TRY(open_simulator(intake, error));
    *ret_intake = intake;
    intake = NULL;
    return OI_OK;
}

struct oi_intake_ways
oi_intake_ways(const struct oi_intake *intake)
{
    return (struct oi_intake_ways){
        .redirect_to = intake->simulator ? intake->redirect_to : NULL,
        .proxies = intake->proxies.texts.items,
        .addresses = intake->addresses.texts.items,
    };
}

void
oi_intake_close(struct oi_intake **intake)
{
    if (!intake || !*intake)
        return;
    oi_collector_close(&(*intake)->collector);
    oi_inbox_close(&(*intake)->inbox);
    oi_zones_free(&(*intake)->zones);
    oi_simulator_close(&(*intake)->simulator);
    release_names(*intake);
    oi_free(*intake);
    *intake = NULL;
}

struct oi_collector *
oi_intake_collector(struct oi_intake *intake)
{
    return intake->collector;
}

struct oi_inbox *
oi_intake_inbox(struct oi_intake *intake)
{
    return intake ? intake->inbox : NULL;
}

enum oi_status
oi_intake_run_once(const struct oi_options *options, struct oi_store *store,
                   struct oi_collector_report *ret_report, struct oi_error *error)
{
    OI_CLEANUP(oi_intake_close) struct oi_intake *intake = oi_alloc_zero(1, sizeof(*intake));
    struct oi_collector_options wanted;

    OI_TRY(check_exchanges(options, error));
    if (is_demo(options))
        OI_TRY(find_simulator(options, intake, error));
    wanted = collector_options(options, intake);
    OI_TRY(choose_raw(options, intake, &wanted, error));
    return oi_collector_run_once(&wanted, store, ret_report, error);
}
