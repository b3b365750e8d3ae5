/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file is made without a name (O_TMPFILE), so that even a killed process leaves nothing behind;
 * where the file system cannot do that, under a name that says it is unfinished.
 */
#include "cli/printer.h"

#include "base/alloc.h"
#include "base/random.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* One write a quarter of a megabyte: the system call no longer shows. */
#define FLUSH_SIZE ((size_t) 256 << 10)

struct oi_printer {
    int file;
    char *path;       /* NULL: stdout */
    char *unfinished; /* the name until then */
    bool has_name;
    struct oi_buffer buffer;
};

static char *
format(const char *first, const char *second)
{
    struct oi_buffer text = {};
    char *copy;

    oi_buffer_add_text(&text, first);
    oi_buffer_add_text(&text, second);
    copy = oi_copy_text(oi_buffer_slice(&text));
    oi_buffer_release(&text);
    return copy;
}

static enum oi_status
open_file(struct oi_printer *printer, const char *path, struct oi_error *error)
{
    OI_CLEANUP(oi_free_pointer) char *copy = oi_copy_text(oi_slice_of(path));
    char uuid[OI_UUID_SIZE], suffix[OI_UUID_SIZE + 16];

    oi_random_uuid(uuid);
    (void) snprintf(suffix, sizeof(suffix), ".%s.unfinished", uuid);
    printer->path = oi_copy_text(oi_slice_of(path));
    printer->unfinished = format(path, suffix);
    printer->file = open(dirname(copy), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
    if (printer->file >= 0)
        return OI_OK;
    printer->file = open(printer->unfinished, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (printer->file < 0)
        return oi_fail(error, OI_E_IO, "cannot write %s: %s", path, strerror(errno));
    printer->has_name = true;
    return OI_OK;
}

enum oi_status
oi_printer_open(const char *path, struct oi_printer **ret_printer, struct oi_error *error)
{
    struct oi_printer *printer = oi_alloc_zero(1, sizeof(*printer));
    enum oi_status status = OI_OK;

    printer->file = path ? -1 : STDOUT_FILENO;
    if (path)
        status = open_file(printer, path, error);
    if (status != OI_OK) {
        oi_printer_close(&printer);
        return status;
    }
    *ret_printer = printer;
    return OI_OK;
}

bool
oi_printer_is_terminal(const struct oi_printer *printer)
{
    return !printer->path && isatty(printer->file) == 1;
}

struct oi_buffer *
oi_printer_buffer(struct oi_printer *printer)
{
    return &printer->buffer;
}

static enum oi_status
write_all(struct oi_printer *printer, struct oi_error *error)
{
    struct oi_slice rest = oi_buffer_slice(&printer->buffer);

    if (printer->buffer.overflowed)
        return oi_fail(error, OI_E_FULL, "the answer is too large: ask for less at once");
    while (rest.size > 0) {
        ssize_t size = write(printer->file, rest.data, rest.size);

        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && errno == EPIPE)
            return OI_E_CANCELLED;
        if (size < 0)
            return oi_fail(error, OI_E_IO, "cannot write %s: %s",
                           printer->path ? printer->path : "to stdout", strerror(errno));
        rest.data += size;
        rest.size -= (size_t) size;
    }
    oi_buffer_clear(&printer->buffer);
    return OI_OK;
}

enum oi_status
oi_printer_flush(struct oi_printer *printer, struct oi_error *error)
{
    return printer->buffer.size >= FLUSH_SIZE ? write_all(printer, error) : OI_OK;
}

enum oi_status
oi_printer_finish(struct oi_printer *printer, struct oi_error *error)
{
    char handle[64];

    OI_TRY(write_all(printer, error));
    if (!printer->path)
        return OI_OK;
    if (fsync(printer->file) != 0)
        return oi_fail(error, OI_E_IO, "cannot write %s: %s", printer->path, strerror(errno));
    (void) snprintf(handle, sizeof(handle), "/proc/self/fd/%d", printer->file);
    if (!printer->has_name &&
        linkat(AT_FDCWD, handle, AT_FDCWD, printer->unfinished, AT_SYMLINK_FOLLOW) != 0)
        return oi_fail(error, OI_E_IO, "cannot name %s: %s", printer->path, strerror(errno));
    printer->has_name = true;
    if (rename(printer->unfinished, printer->path) != 0)
        return oi_fail(error, OI_E_IO, "cannot name %s: %s", printer->path, strerror(errno));
    printer->has_name = false;
    return OI_OK;
}

void
oi_printer_close(struct oi_printer **printer)
{
    if (!printer || !*printer)
        return;
    if ((*printer)->path && (*printer)->file >= 0)
        (void) close((*printer)->file);
    if ((*printer)->has_name)
        (void) unlink((*printer)->unfinished);
    oi_free((*printer)->path);
    oi_free((*printer)->unfinished);
    oi_buffer_release(&(*printer)->buffer);
    oi_free(*printer);
    *printer = NULL;
}
