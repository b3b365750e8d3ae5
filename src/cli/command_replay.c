/* SPDX-License-Identifier: Apache-2.0 */
/* Kept replies into a new store: what it holds is what the first one was told. */
/* no unit test: a whole command; tests/contract/replay_test.c compares stores, and
 * tests/system/backfill.test.mjs runs it */
#include "cli/command.h"
#include "cli/meter.h"
#include "collector/replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const struct oi_option options_table[] = { OI_OPTION_FOLDER };

static enum oi_status
read_file(const char *path, struct oi_buffer *out, struct oi_error *error)
{
    FILE *file = fopen(path, "rbe");
    char piece[65'536];
    size_t size;
    bool is_read;

    if (!file)
        return oi_fail(error, errno == ENOENT ? OI_E_NOT_FOUND : OI_E_IO, "%s", strerror(errno));
    while ((size = fread(piece, 1, sizeof(piece), file)) > 0)
        oi_buffer_add(out, piece, size);
    is_read = ferror(file) == 0;
    (void) fclose(file);
    if (!is_read || out->overflowed)
        return oi_fail(error, OI_E_IO, "it cannot be read whole");
    return OI_OK;
}

/* The size of all files, for how far it is. */
static uint64_t
size_of(const char *const *paths, size_t count)
{
    uint64_t size = 0;
    struct stat facts;

    for (size_t i = 0; i < count; i++)
        if (stat(paths[i], &facts) == 0)
            size += (uint64_t) facts.st_size;
    return size;
}

static enum oi_status
replay_files(const struct oi_options *options, struct oi_replay *replay, struct oi_error *error)
{
    const char *const *paths;
    size_t count = oi_options_operands(options, &paths);
    OI_CLEANUP(oi_meter_free) struct oi_meter *meter = oi_meter_new("replay", "bytes");
    uint64_t total = size_of(paths, count), done = 0;

    for (size_t i = 0; i < count; i++) {
        struct oi_buffer bytes = {};
        enum oi_status status;

        oi_meter_show(meter, done, total, done, -1);
        status = read_file(paths[i], &bytes, error);
        if (status == OI_OK)
            status = oi_replay_file(replay, oi_buffer_slice(&bytes), error);
        done += bytes.size;
        oi_buffer_release(&bytes);
        if (status != OI_OK)
            return oi_fail_in(error, status, "%s: ", paths[i]);
    }
    return OI_OK;
}

static enum oi_status
tidy(struct oi_store *store, struct oi_error *error)
{
    size_t left = 1;

    while (left > 0)
        OI_TRY(oi_store_checkpoint(store, 200'000, &left, error));
    return OI_OK;
}

static enum oi_status
run_in(const struct oi_options *options, struct oi_virtual_clock *clock, struct oi_store *store,
       struct oi_error *error)
{
    const struct oi_replay_options replay_options = { .clock = clock };
    struct oi_replay_report report = {};
    struct oi_replay *replay = NULL;
    enum oi_status status;

    if (oi_store_last_batch(store) != 0)
        return oi_fail(error, OI_E_INVALID,
                       "%s has readings already: a replay needs a folder of its own",
                       oi_options_text(options, "data"));
    OI_TRY(oi_replay_open(&replay_options, store, &replay, error));
    status = replay_files(options, replay, error);
    oi_replay_close(&replay, &report);
    OI_TRY(status);
    OI_TRY(tidy(store, error));
    if (printf("%" PRIu64 " records, %" PRIu64 " rows; %" PRIu64
               " requests without their minute, %" PRIu64 " damaged pieces, %" PRIu64
               " torn bytes\n",
               report.records, report.rows, report.unmatched, report.damaged, report.torn) < 0 ||
        fflush(stdout) != 0)
        return oi_fail(error, OI_E_IO, "cannot write to stdout");
    return OI_OK;
}

static enum oi_status
run(const struct oi_options *options, struct oi_error *error)
{
    OI_CLEANUP(oi_store_close) struct oi_store *store = NULL;
    struct oi_virtual_clock clock;
    const struct oi_store_options store_options = { .clock = &clock.clock };

    oi_virtual_clock_init(&clock, 0);
    OI_TRY(oi_store_open(oi_options_text(options, "data"), &store_options, &store, error));
    return run_in(options, &clock, store, error);
}

const struct oi_command oi_command_replay = {
    .name = "replay",
    .summary = "Make a store again from kept replies",
    .operands = "FILE ...",
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .description =
        "Files are those that --keep-raw made, in the order of their names\n"
        "(data/raw/*.oiraw). Everything is done again at the instants at which it was done:\n"
        "the same readings, known at the same times, and the same gaps. --data names a new\n"
        "folder.",
    .options = options_table,
    .option_count = OI_COUNT(options_table),
    .run = run,
};
