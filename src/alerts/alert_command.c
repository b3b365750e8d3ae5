/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: tests/system/alerts.test.mjs runs programs through it */
/* The document lies in memory as a file, so that nothing of ours waits for a program to read. */
#include "alerts/alert_command.h"

#include "base/buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static enum oi_status
make_input(struct oi_slice json, int *ret_file, struct oi_error *error)
{
    int file = memfd_create("oi-alert", MFD_CLOEXEC);

    if (file < 0)
        return oi_fail(error, OI_E_IO, "cannot make a file in memory: %s", strerror(errno));
    if (write(file, json.data, json.size) != (ssize_t) json.size || lseek(file, 0, SEEK_SET) != 0) {
        (void) close(file);
        return oi_fail(error, OI_E_IO, "cannot write to a file in memory: %s", strerror(errno));
    }
    *ret_file = file;
    return OI_OK;
}

/* Signals as a program expects them (ours are blocked), and a group of its own. */
static void
set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;

    (void) sigemptyset(&none);
    (void) sigfillset(&all);
    (void) posix_spawnattr_setsigmask(attributes, &none);
    (void) posix_spawnattr_setsigdefault(attributes, &all);
    (void) posix_spawnattr_setpgroup(attributes, 0);
    (void) posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                    POSIX_SPAWN_SETPGROUP);
}

enum oi_status
oi_alert_command_start(const char *const *arguments, const char *id, struct oi_slice json,
                       pid_t *ret_process, struct oi_error *error)
{
    char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    struct oi_buffer name = {};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char *environment[3] = { path };
    int file = -1, code;

    OI_TRY(make_input(json, &file, error));
    oi_buffer_add_format(&name, "OI_ALERT_ID=%s", id);
    oi_buffer_add_char(&name, '\0');
    environment[1] = name.data;
    (void) posix_spawn_file_actions_init(&actions);
    (void) posix_spawnattr_init(&attributes);
    set_attributes(&attributes);
    (void) posix_spawn_file_actions_adddup2(&actions, file, STDIN_FILENO);
    (void) posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    (void) posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    /* The words are not written to; the interface is older than const. */
    code = posix_spawn(ret_process, arguments[0], &actions, &attributes,
                       (char *const *) (uintptr_t) arguments, environment);
    (void) posix_spawn_file_actions_destroy(&actions);
    (void) posix_spawnattr_destroy(&attributes);
    (void) close(file);
    oi_buffer_release(&name);
    if (code != 0)
        return oi_fail(error, code == ENOENT ? OI_E_NOT_FOUND : OI_E_IO, "cannot run %s: %s",
                       arguments[0], strerror(code));
    return OI_OK;
}

bool
oi_alert_command_ended(pid_t process, bool *ret_is_good)
{
    int how = 0;
    pid_t ended = waitpid(process, &how, WNOHANG);

    if (ended == 0)
        return false;
    *ret_is_good = ended == process && WIFEXITED(how) && WEXITSTATUS(how) == 0;
    return true;
}

void
oi_alert_command_kill(pid_t process)
{
    int how;

    (void) kill(-process, SIGKILL);
    (void) kill(process, SIGKILL);
    while (waitpid(process, &how, 0) < 0 && errno == EINTR)
        ;
}
