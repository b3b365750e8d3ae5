/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: tests/unit/kv/lmdb_test.c opens such files */
/*
 * A database begins with two heads, written as one; a commit replaces one of them, with its number
 * in it. A file that ends within the heads and whose first one has the number 0 was never more.
 */
#include "kv/lmdb_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PATH_SIZE 4096
/* A disk with less room than this and what is to be written is full. */
#define ROOM ((size_t) 256 << 10)
/* Of LMDB's format on 64-bit machines: the magic number behind the page's header, the number of the
 * commit behind two tables and the last page. */
#define HEADS 2
#define LOCK_SLOT_SIZE ((size_t) 64) /* of a reader; two more are the lock file's head */
#define MAGIC 0xbeefc0deu
#define MAGIC_OFFSET 16
#define COMMIT_OFFSET 144
#define HEAD_SIZE (COMMIT_OFFSET + sizeof(uint64_t))

bool
oi_lmdb_file_is_crowded(int file, size_t bytes)
{
    struct statvfs disk;

    return fstatvfs(file, &disk) == 0 && disk.f_bavail * disk.f_frsize < bytes + ROOM;
}

static int
open_file(const char *folder, int flags)
{
    char path[PATH_SIZE];

    if (snprintf(path, sizeof(path), "%s/data.mdb", folder) >= (int) sizeof(path))
        return -1;
    return open(path, flags | O_CLOEXEC);
}

bool
oi_lmdb_file_is_unborn(const char *folder)
{
    unsigned char head[HEAD_SIZE];
    struct stat facts;
    uint32_t magic;
    uint64_t commit;
    int file = open_file(folder, O_RDONLY);
    bool is_short;

    if (file < 0)
        return false;
    is_short = fstat(file, &facts) == 0 && facts.st_size < HEADS * sysconf(_SC_PAGESIZE) &&
               pread(file, head, sizeof(head), 0) == (ssize_t) sizeof(head);
    (void) close(file);
    if (!is_short)
        return false;
    memcpy(&magic, head + MAGIC_OFFSET, sizeof(magic));
    memcpy(&commit, head + COMMIT_OFFSET, sizeof(commit));
    return magic == MAGIC && commit == 0;
}

bool
oi_lmdb_file_empty(const char *folder)
{
    int file = open_file(folder, O_WRONLY | O_TRUNC);

    return file >= 0 && close(file) == 0;
}

/* A new file whole; of an older one the first page, which has what every process needs. */
int
oi_lmdb_file_reserve_lock(const char *folder, unsigned readers)
{
    size_t size = (readers + 2) * LOCK_SLOT_SIZE;
    char path[PATH_SIZE];
    struct stat facts;
    int file, code = 0;

    if (snprintf(path, sizeof(path), "%s/lock.mdb", folder) >= (int) sizeof(path))
        return ENAMETOOLONG;
    file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (file < 0)
        return errno == ENOSPC || errno == EDQUOT ? errno : 0; /* LMDB knows better of the rest */
    if (fstat(file, &facts) == 0 && facts.st_size > 0)
        size = (size_t) sysconf(_SC_PAGESIZE);
    if (fallocate(file, 0, 0, (off_t) size) != 0 && (errno == ENOSPC || errno == EDQUOT))
        code = errno;
    (void) close(file);
    return code;
}

/* A heading, then lines of process, thread and the commit that is read, "-" for none. */
int
oi_lmdb_note_reader(const char *line, void *oldest)
{
    uint64_t *least = oldest;
    const char *last = strrchr(line, ' ');
    uint64_t commit;

    if (!last || last[1] < '0' || last[1] > '9')
        return 0;
    commit = strtoull(last + 1, NULL, 10);
    if (commit < *least)
        *least = commit;
    return 0;
}
