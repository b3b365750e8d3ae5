/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into the real program: the n-th call that changes the database file fails, writes half,
 * or is the last thing the process does. Which one is told by the environment:
 *   OI_FAULT_AT     the number of the call, from 1
 *   OI_FAULT_HOW    eio, enospc, short, kill-before, kill-half, kill-after; head: EIO at the n-th
 *                   write of the file's head, the last one of a commit
 *   OI_FAULT_COUNT  a file that is told the number of calls when the process ends by itself
 *   OI_FAULT_FULL   while this path exists, every call that could need room fails with ENOSPC
 * No other file is touched. Counting is over all threads, so the n-th call is the same one in every
 * run of a program that writes from one thread.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

enum fault {
    FAULT_NONE,
    FAULT_EIO,
    FAULT_ENOSPC,
    FAULT_SHORT,
    FAULT_BEFORE,
    FAULT_HALF,
    FAULT_AFTER
};

static const char *const names[] = { "",          "eio",       "enospc", "short", "kill-before",
                                     "kill-half", "kill-after" };

/* The first two pages are heads; one is written by less than a page. */
#define PAGE_SIZE ((size_t) 4096)
#define HEAD_END ((off_t) 8192)

static atomic_long calls, head_calls;

static long
fault_at(void)
{
    const char *text = getenv("OI_FAULT_AT");

    return text ? strtol(text, NULL, 10) : 0;
}

static enum fault
fault_how(void)
{
    const char *text = getenv("OI_FAULT_HOW");

    for (size_t i = 1; text && i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(text, names[i]) == 0)
            return (enum fault) i;
    return FAULT_NONE;
}

/* By name: the program may open the file as often as it likes. */
static int
is_database(int file)
{
    static const char name[] = "/data.mdb";
    const size_t size = sizeof(name) - 1;
    char link[64], target[4096];
    ssize_t length;

    (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
    length = readlink(link, target, sizeof(target));
    return length >= (ssize_t) size && memcmp(target + length - size, name, size) == 0;
}

/* Count a call; what is to become of it? */
static enum fault
count_call(int takes_room)
{
    const char *full = getenv("OI_FAULT_FULL");
    long number = atomic_fetch_add(&calls, 1) + 1;

    if (takes_room && full && access(full, F_OK) == 0)
        return FAULT_ENOSPC;
    return number == fault_at() ? fault_how() : FAULT_NONE;
}

/* The same for a write at a place. */
static enum fault
count_write(size_t size, off_t offset)
{
    const char *how = getenv("OI_FAULT_HOW");
    enum fault fault = count_call(1);

    if (fault != FAULT_NONE || !how || strcmp(how, "head") != 0)
        return fault;
    if (size >= PAGE_SIZE || offset >= HEAD_END)
        return FAULT_NONE;
    return atomic_fetch_add(&head_calls, 1) + 1 == fault_at() ? FAULT_EIO : FAULT_NONE;
}

static void
die(void)
{
    (void) kill(getpid(), SIGKILL);
    for (;;)
        (void) pause();
}

/* A call that is not made at all: does it fail, or is this the end? */
static int
fails(enum fault fault)
{
    if (fault == FAULT_BEFORE)
        die();
    if (fault == FAULT_EIO || fault == FAULT_ENOSPC)
        errno = fault == FAULT_EIO ? EIO : ENOSPC;
    return fault == FAULT_EIO || fault == FAULT_ENOSPC;
}

static void
after(enum fault fault)
{
    if (fault == FAULT_HALF || fault == FAULT_AFTER)
        die();
}

static void *
original(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

__attribute__((destructor)) static void
tell_count(void)
{
    const char *path = getenv("OI_FAULT_COUNT");
    FILE *file = path ? fopen(path, "we") : NULL;

    if (!file)
        return;
    (void) fprintf(file, "%ld\n", atomic_load(&calls));
    (void) fclose(file);
}

ssize_t
pwrite(int file, const void *bytes, size_t size, off_t offset)
{
    ssize_t (*next)(int, const void *, size_t, off_t) = original("pwrite");
    enum fault fault = is_database(file) ? count_write(size, offset) : FAULT_NONE;
    ssize_t written;

    if (fails(fault))
        return -1;
    if (fault == FAULT_SHORT || fault == FAULT_HALF)
        size /= 2;
    written = next(file, bytes, size, offset);
    after(fault);
    return written;
}

ssize_t
pwrite64(int file, const void *bytes, size_t size, off64_t offset)
{
    return pwrite(file, bytes, size, offset);
}

ssize_t
write(int file, const void *bytes, size_t size)
{
    ssize_t (*next)(int, const void *, size_t) = original("write");
    enum fault fault = is_database(file) ? count_call(1) : FAULT_NONE;
    ssize_t written;

    if (fails(fault))
        return -1;
    if (fault == FAULT_SHORT || fault == FAULT_HALF)
        size /= 2;
    written = next(file, bytes, size);
    after(fault);
    return written;
}

static size_t
total_of(const struct iovec *parts, int count)
{
    size_t total = 0;

    for (int i = 0; i < count; i++)
        total += parts[i].iov_len;
    return total;
}

/* Half of it: whole parts, and the first half of one part if there is no other. */
static ssize_t
write_half(int file, const struct iovec *parts, int count, off_t offset)
{
    ssize_t (*next)(int, const void *, size_t, off_t) = original("pwrite");
    size_t half = total_of(parts, count) / 2;
    ssize_t done = 0;

    for (int i = 0; i < count && half > 0; i++) {
        size_t size = parts[i].iov_len < half ? parts[i].iov_len : half;
        ssize_t written = next(file, parts[i].iov_base, size, offset + done);

        if (written < 0)
            return done > 0 ? done : written;
        done += written;
        half -= size;
    }
    return done;
}

ssize_t
pwritev(int file, const struct iovec *parts, int count, off_t offset)
{
    ssize_t (*next)(int, const struct iovec *, int, off_t) = original("pwritev");
    enum fault fault = is_database(file) ? count_call(1) : FAULT_NONE;
    ssize_t written;

    if (fails(fault))
        return -1;
    if (fault == FAULT_SHORT || fault == FAULT_HALF)
        written = write_half(file, parts, count, offset);
    else
        written = next(file, parts, count, offset);
    after(fault);
    return written;
}

ssize_t
pwritev64(int file, const struct iovec *parts, int count, off64_t offset)
{
    return pwritev(file, parts, count, offset);
}

ssize_t
writev(int file, const struct iovec *parts, int count)
{
    ssize_t (*next)(int, const struct iovec *, int) = original("writev");
    enum fault fault = is_database(file) ? count_call(1) : FAULT_NONE;
    ssize_t written;

    if (fails(fault))
        return -1;
    if ((fault == FAULT_SHORT || fault == FAULT_HALF) && count > 0)
        written = next(file, parts, count > 1 ? count / 2 : 0);
    else
        written = next(file, parts, count);
    after(fault);
    return written;
}

/* Calls that have no half. */
static int
synchronise(int file, const char *name)
{
    int (*next)(int) = original(name);
    enum fault fault = is_database(file) ? count_call(0) : FAULT_NONE;
    int result;

    if (fails(fault == FAULT_SHORT ? FAULT_EIO : fault))
        return -1;
    result = next(file);
    after(fault);
    return result;
}

int
fdatasync(int file)
{
    return synchronise(file, "fdatasync");
}

int
fsync(int file)
{
    return synchronise(file, "fsync");
}

int
ftruncate(int file, off_t size)
{
    int (*next)(int, off_t) = original("ftruncate");
    enum fault fault = is_database(file) ? count_call(1) : FAULT_NONE;
    int result;

    if (fails(fault == FAULT_SHORT ? FAULT_EIO : fault))
        return -1;
    result = next(file, size);
    after(fault);
    return result;
}

int
ftruncate64(int file, off64_t size)
{
    return ftruncate(file, size);
}

/* It returns its error. */
int
posix_fallocate(int file, off_t offset, off_t size)
{
    int (*next)(int, off_t, off_t) = original("posix_fallocate");
    enum fault fault = is_database(file) ? count_call(1) : FAULT_NONE;
    int result;

    if (fails(fault == FAULT_SHORT ? FAULT_ENOSPC : fault))
        return errno;
    result = next(file, offset, size);
    after(fault);
    return result;
}

int
posix_fallocate64(int file, off64_t offset, off64_t size)
{
    return posix_fallocate(file, offset, size);
}

/* The lock file is mapped too, but a memory map does not say of what: a call counts as any other
 * when the program makes one at all. */
int
msync(void *start, size_t size, int flags)
{
    int (*next)(void *, size_t, int) = original("msync");
    enum fault fault = count_call(0);
    int result;

    if (fails(fault == FAULT_SHORT ? FAULT_EIO : fault))
        return -1;
    result = next(start, size, flags);
    after(fault);
    return result;
}
