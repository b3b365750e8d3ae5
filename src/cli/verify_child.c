/* SPDX-License-Identifier: Apache-2.0 */
/* The child's exit status tells faults from failures, its signal tells damaged pages. */
/* no unit test: forks the test itself; tests/system/cli.test.mjs runs it */
#include "cli/verify_child.h"

#include "base/compiler.h"
#include "cli/meter.h"
#include "store/store.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum child_exit { CHILD_FINE = 0, CHILD_FAULTS = 10, CHILD_FAILED = 11, CHILD_NO_STORE = 12 };

/* How often the parent looks. */
#define LOOK_NS 20'000'000

struct verifying {
    struct oi_meter *meter;
    uint64_t chunks;
};

static void
show(void *context, uint64_t chunks)
{
    const struct verifying *verifying = context;

    oi_meter_show(verifying->meter, chunks, verifying->chunks, chunks, -1);
}

static void
print_fault(void *, const char *what)
{
    (void) printf("fault: %s\n", what);
}

static enum child_exit
verify(const char *folder)
{
    OI_CLEANUP(oi_store_close) struct oi_store *store = NULL;
    const struct oi_store_options options = { .is_read_only = true };
    struct oi_verify_report report = {};
    struct oi_error error = {};
    OI_CLEANUP(oi_meter_free) struct oi_meter *meter = oi_meter_new(folder, "chunks");
    struct verifying verifying = { .meter = meter };
    struct oi_store_stats stats;
    enum oi_status status = oi_store_open(folder, &options, &store, &error);

    if (status != OI_OK) {
        if (status == OI_E_CORRUPT)
            print_fault(NULL, error.message);
        else
            (void) fprintf(stderr, "oi: %s\n", error.message);
        return status == OI_E_CORRUPT ? CHILD_FAULTS : CHILD_NO_STORE;
    }
    oi_store_stats(store, &stats);
    verifying.chunks = stats.chunks;
    oi_meter_show(meter, 0, stats.chunks, 0, -1);
    oi_store_on_verified(store, show, &verifying);
    status = oi_store_verify(store, print_fault, NULL, &report, &error);
    oi_meter_free(&meter);
    if (status != OI_OK && report.faults == 0 && status != OI_E_CORRUPT) {
        (void) fprintf(stderr, "oi: %s\n", error.message);
        return CHILD_FAILED;
    }
    if (status != OI_OK && report.faults == 0) /* the engine's own word is all there is */
        print_fault(NULL, error.message[0] ? error.message : oi_status_text(status));
    if (status != OI_OK)
        return CHILD_FAULTS;
    (void) printf("%s: sound: %llu commits, %llu chunks, %llu readings, %llu rollups\n", folder,
                  (unsigned long long) report.batches, (unsigned long long) report.chunks,
                  (unsigned long long) report.rows, (unsigned long long) report.rollups);
    return CHILD_FINE;
}

static enum oi_status
judge(const char *folder, int state, struct oi_error *error)
{
    if (WIFSIGNALED(state) && WTERMSIG(state) != SIGKILL && WTERMSIG(state) != SIGINT &&
        WTERMSIG(state) != SIGTERM) {
        (void) printf("fault: reading the database ended with %s: its pages are damaged\n",
                      strsignal(WTERMSIG(state)));
        return oi_fail(error, OI_E_CORRUPT, "%s is damaged: restore a backup", folder);
    }
    if (WIFSIGNALED(state))
        return oi_fail(error, OI_E_CANCELLED, "stopped by %s before the end",
                       strsignal(WTERMSIG(state)));
    switch (WEXITSTATUS(state)) {
    case CHILD_FINE:
        return OI_OK;
    case CHILD_FAULTS:
        return oi_fail(error, OI_E_CORRUPT, "%s is damaged: restore a backup", folder);
    case CHILD_NO_STORE:
        return oi_fail(error, OI_E_NOT_FOUND, "%s cannot be opened", folder);
    default:
        return oi_fail(error, OI_E_IO, "%s could not be checked to the end", folder);
    }
}

static enum oi_status
wait_for(pid_t child, int *ret_state, struct oi_error *error)
{
    const struct timespec pause = { .tv_nsec = LOOK_NS };

    for (;;) {
        pid_t ended = waitpid(child, ret_state, WNOHANG);

        if (ended == child)
            break;
        if (ended < 0 && errno != EINTR)
            return oi_fail(error, OI_E_IO, "cannot wait for the check: %s", strerror(errno));
        (void) nanosleep(&pause, NULL);
    }
    return OI_OK;
}

enum oi_status
oi_verify_in_child(const char *folder, struct oi_error *error)
{
    int state = 0;
    pid_t child;

    (void) fflush(NULL);
    child = fork();
    if (child < 0)
        return oi_fail(error, OI_E_IO, "cannot start a process: %s", strerror(errno));
    if (child == 0) {
        enum child_exit result = verify(folder);

        (void) fflush(NULL);
        _exit((int) result);
    }
    OI_TRY(wait_for(child, &state, error));
    return judge(folder, state, error);
}
