/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program. What belongs to the process and not to a command is set here, once: how memory goes
 * back to the system, and that a reader's closed pipe is an error code instead of a signal.
 */
/* no unit test: the process itself; tests/system/cli.test.mjs starts it */
#include "cli/command.h"

#include <signal.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

/* A block of readings takes a few MB. Given back after every answer, the kernel clears the pages
 * again for the next one, which costs more than decoding them. */
#define KEPT_FREE_BYTES (256 << 20)
#define MAPPED_ALONE_BYTES (32 << 20)

int
main(int argc, char **argv)
{
#ifdef __GLIBC__
    (void) mallopt(M_TRIM_THRESHOLD, KEPT_FREE_BYTES);
    (void) mallopt(M_MMAP_THRESHOLD, MAPPED_ALONE_BYTES);
#endif
    (void) signal(SIGPIPE, SIG_IGN);
    return oi_command_main(argc, argv, environ);
}
