/* SPDX-License-Identifier: Apache-2.0 */
/* The child writes one line into a pipe: a letter for the grade, then what it found. */
/* no unit test: forks the test itself; tests/system/doctor.test.mjs runs it */
#include "cli/doctor.h"

#include "cli/open_store.h"
#include "store/store.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FINE 'o'
#define DAMAGED 'd'
#define CLOSED 'c'

static void
look(const char *place, char *line, size_t size)
{
    OI_CLEANUP(oi_store_close) struct oi_store *store = NULL;
    struct oi_store_stats stats;
    struct oi_error error = {};
    enum oi_status status = oi_open_place(place, OI_STORE_READ, &store, &error);

    if (status != OI_OK) {
        (void) snprintf(line, size, "%c%s", status == OI_E_CORRUPT ? DAMAGED : CLOSED,
                        error.message);
        return;
    }
    oi_store_stats(store, &stats);
    if (stats.is_elsewhere)
        (void) snprintf(line, size, "%c%" PRIu64 " readings in ClickHouse", FINE,
                        stats.log_rows + stats.chunk_rows);
    else
        (void) snprintf(line, size, "%c%" PRIu64 " readings, %" PRIu64 " MiB; format is known",
                        FINE, stats.log_rows + stats.chunk_rows, stats.file_bytes >> 20);
}

static _Noreturn void
be_child(int pipe_end, const char *place)
{
    char line[300] = "";

    (void) alarm(120); /* whatever holds it must not hold the doctor */
    look(place, line, sizeof(line));
    _exit(write(pipe_end, line, strlen(line)) < 0);
}

static void
note(struct oi_findings *findings, const char *line, int state)
{
    static const struct oi_finding damaged = {
        .grade = OI_GRADE_FAIL,
        .advice = "stop the server, `oi verify` says what is damaged, restore a backup",
    };
    static const struct oi_finding closed = {
        .grade = OI_GRADE_FAIL,
        .advice = "do what the message says; a newer format needs a newer oi",
    };

    if (WIFSIGNALED(state))
        oi_findings_add(findings, "store", "open", damaged, "reading it ended with %s",
                        strsignal(WTERMSIG(state)));
    else if (line[0] == FINE)
        oi_findings_add(findings, "store", "open", (struct oi_finding){}, "%s", line + 1);
    else
        oi_findings_add(findings, "store", "open", line[0] == DAMAGED ? damaged : closed, "%s",
                        line[0] ? line + 1 : "nothing was found out");
}

static void
look_in_child(struct oi_findings *findings, const char *place)
{
    static const struct oi_finding failed = { .grade = OI_GRADE_FAIL,
                                              .advice = "free processes and memory, then again" };
    char line[300] = "";
    int ends[2], state = 0;
    size_t filled = 0;
    ssize_t size;
    pid_t child;

    if (pipe(ends) != 0 || (child = fork()) < 0) {
        oi_findings_add(findings, "store", "open", failed, "no process can be started: %s",
                        strerror(errno));
        return;
    }
    if (child == 0)
        be_child(ends[1], place);
    (void) close(ends[1]);
    while ((size = read(ends[0], line + filled, sizeof(line) - 1 - filled)) > 0)
        filled += (size_t) size;
    line[filled] = '\0';
    (void) close(ends[0]);
    while (waitpid(child, &state, 0) < 0 && errno == EINTR)
        ;
    note(findings, line, state);
}

static void
look_at_owner(struct oi_findings *findings, const char *path, uid_t owner)
{
    const struct passwd *account = getpwuid(owner);
    char name[64];

    if (account)
        (void) snprintf(name, sizeof(name), "%s", account->pw_name);
    else
        (void) snprintf(name, sizeof(name), "user %u", (unsigned) owner);
    if (owner == geteuid())
        oi_findings_add(findings, "store", "owner", (struct oi_finding){}, "%s", name);
    else if (access(path, R_OK | W_OK) == 0)
        oi_findings_add(findings, "store", "owner",
                        (struct oi_finding){ .grade = OI_GRADE_WARN,
                                             .advice = "run every oi command as the owner (sudo -u "
                                                       "OWNER): files made by others lock it out" },
                        "%s, not this user", name);
    else
        oi_findings_add(findings, "store", "owner",
                        (struct oi_finding){ .grade = OI_GRADE_FAIL,
                                             .advice = "run as the owner: sudo -u OWNER oi ..." },
                        "%s, and this user may not write", name);
}

void
oi_doctor_look_at_store(struct oi_findings *findings, const char *folder, const char *address)
{
    char path[4096];
    struct stat facts;

    if (address) {
        look_in_child(findings, address);
        return;
    }
    if (snprintf(path, sizeof(path), "%s/data.mdb", folder) >= (int) sizeof(path))
        return;
    if (stat(path, &facts) != 0 && errno == ENOENT) {
        oi_findings_add(findings, "store", "open", (struct oi_finding){},
                        "none in %s yet: the first `oi serve` makes it", folder);
        return;
    }
    if (stat(path, &facts) != 0) {
        oi_findings_add(
            findings, "store", "open",
            (struct oi_finding){ .grade = OI_GRADE_FAIL, .advice = "run as the folder's owner" },
            "%s: %s", path, strerror(errno));
        return;
    }
    look_at_owner(findings, path, facts.st_uid);
    look_in_child(findings, folder);
}
