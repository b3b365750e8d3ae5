/* SPDX-License-Identifier: Apache-2.0 */
/* The files of raw replies: one an hour and process, the oldest ones removed when that is asked. */
#include "collector/raw.h"

#include "base/log.h"
#include "base/random.h"
#include "base/vector.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENDING ".oiraw"
/* Begun files of one hour: restarts, and other processes. */
#define FILES_AN_HOUR_MAX 1000
#define BLOCK_SIZE ((size_t) 1 << 20)
#define WRITE_EVERY_NS (5 * OI_SECOND)
#define PATH_SIZE 4096

struct oi_raw {
    struct oi_raw_options options;
    uint64_t session, lost;
    int file; /* -1: none */
    oi_time hour;
    int64_t written_ns; /* monotonic */
    char path[PATH_SIZE];
    struct oi_buffer records; /* not in the file yet */
    uint64_t record_count;
};

struct raw_file {
    char name[64];
    uint64_t size;
};

static int
compare_files(const void *left, const void *right)
{
    return strcmp(((const struct raw_file *) left)->name, ((const struct raw_file *) right)->name);
}

/* The hour in a file's name, or OI_TIME_NONE. */
static oi_time
hour_of(const char *name)
{
    char text[32];
    oi_time time;

    if (strlen(name) < 13)
        return OI_TIME_NONE;
    (void) snprintf(text, sizeof(text), "%.13s:00:00Z", name);
    return oi_time_parse_utc(oi_slice_of(text), &time, NULL) == OI_OK ? time : OI_TIME_NONE;
}

/* Remove what is too old or too much; never the file at hand. */
static void
prune(const struct oi_raw *raw)
{
    OI_VECTOR(struct raw_file) files = {};
    DIR *folder = opendir(raw->options.folder);
    const struct dirent *entry;
    char path[PATH_SIZE];
    uint64_t sum = 0;

    while (folder && (entry = readdir(folder)) != NULL) {
        struct raw_file file = {};
        struct stat facts;

        if (!oi_slice_ends_with(oi_slice_of(entry->d_name), ENDING) ||
            hour_of(entry->d_name) == OI_TIME_NONE || strlen(entry->d_name) >= sizeof(file.name))
            continue;
        (void) snprintf(path, sizeof(path), "%.3000s/%s", raw->options.folder, entry->d_name);
        if (stat(path, &facts) != 0)
            continue;
        (void) snprintf(file.name, sizeof(file.name), "%.63s", entry->d_name);
        file.size = (uint64_t) facts.st_size;
        sum += file.size;
        oi_vector_push(&files, file);
    }
    if (folder)
        (void) closedir(folder);
    if (files.count > 1)
        qsort(files.items, files.count, sizeof(*files.items), compare_files);
    for (size_t i = 0; i < files.count; i++) {
        bool is_old = raw->options.keep_ns > 0 &&
                      hour_of(files.items[i].name) + OI_HOUR <= raw->hour - raw->options.keep_ns;
        bool is_much = raw->options.size_max > 0 && sum > raw->options.size_max;

        (void) snprintf(path, sizeof(path), "%.3000s/%s", raw->options.folder, files.items[i].name);
        if ((!is_old && !is_much) || strcmp(path, raw->path) == 0 || unlink(path) != 0)
            continue;
        sum -= files.items[i].size;
    }
    oi_vector_release(&files);
}

static bool
write_all(int file, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(file, data, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        data += written;
        size -= (size_t) written;
    }
    return true;
}

static void
end_file(struct oi_raw *raw)
{
    if (raw->file < 0)
        return;
    (void) fdatasync(raw->file);
    (void) close(raw->file);
    raw->file = -1;
}

static enum oi_status
begin_file(struct oi_raw *raw, oi_time now, struct oi_error *error)
{
    struct oi_buffer head = {}, name = {};
    bool is_written;

    raw->hour = oi_interval_floor(OI_HOUR, now);
    oi_time_write(raw->hour, 0, &name);
    for (int i = 0; raw->file < 0 && i < FILES_AN_HOUR_MAX; i++) {
        if (snprintf(raw->path, sizeof(raw->path), "%.3000s/%.13s-%03d" ENDING, raw->options.folder,
                     name.data, i) >= (int) sizeof(raw->path))
            break;
        raw->file = open(raw->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
        if (raw->file < 0 && errno != EEXIST)
            break;
    }
    oi_buffer_release(&name);
    if (raw->file < 0)
        return oi_fail(error, OI_E_IO, "cannot make %s: %s", raw->path, strerror(errno));
    oi_raw_write_head(raw->session, now, &head);
    is_written = write_all(raw->file, head.data, head.size);
    oi_buffer_release(&head);
    if (!is_written) {
        end_file(raw);
        (void) unlink(raw->path);
        return oi_fail(error, OI_E_IO, "cannot write %s: %s", raw->path, strerror(errno));
    }
    prune(raw);
    return OI_OK;
}

enum oi_status
oi_raw_open(const struct oi_raw_options *options, struct oi_raw **ret_raw, struct oi_error *error)
{
    struct oi_raw *raw;

    if (strlen(options->folder) > 3000)
        return oi_fail(error, OI_E_INVALID, "a path of more than 3,000 characters");
    if (mkdir(options->folder, 0777) != 0 && errno != EEXIST)
        return oi_fail(error, OI_E_IO, "cannot make %s: %s", options->folder, strerror(errno));
    raw = oi_alloc_zero(1, sizeof(*raw));
    raw->options = *options;
    raw->file = -1;
    raw->written_ns = options->clock->monotonic_ns(options->clock);
    oi_random_secret(&raw->session, sizeof(raw->session));
    if (begin_file(raw, options->clock->wall_ns(options->clock), error) != OI_OK) {
        oi_free(raw);
        return OI_E_IO;
    }
    *ret_raw = raw;
    return OI_OK;
}

static void
lose(struct oi_raw *raw, const char *reason)
{
    raw->lost += raw->record_count;
    oi_log_throttled(OI_LOG_ERROR, "raw.not_written", reason,
                     "records=%llu reason=\"%s\" action=\"collecting goes on without them\"",
                     (unsigned long long) raw->record_count, reason);
}

void
oi_raw_flush(struct oi_raw *raw)
{
    struct oi_buffer block = {};
    struct oi_error error = {};
    struct stat facts;
    bool is_known;

    raw->written_ns = raw->options.clock->monotonic_ns(raw->options.clock);
    if (raw->records.size == 0)
        return;
    if (raw->file < 0 &&
        begin_file(raw, raw->options.clock->wall_ns(raw->options.clock), &error) != OI_OK) {
        lose(raw, error.message);
    } else {
        oi_raw_write_block(oi_buffer_slice(&raw->records), &block);
        is_known = fstat(raw->file, &facts) == 0;
        if (!write_all(raw->file, block.data, block.size)) {
            lose(raw, strerror(errno));
            /* Half a block would hide what follows it. */
            if (!is_known || ftruncate(raw->file, facts.st_size) != 0)
                end_file(raw);
        }
        oi_buffer_release(&block);
    }
    oi_buffer_clear(&raw->records);
    raw->record_count = 0;
}

void
oi_raw_add(struct oi_raw *raw, const struct oi_raw_record *record)
{
    const struct oi_clock *clock = raw->options.clock;

    if (record->wall >= raw->hour + OI_HOUR || record->wall < raw->hour - OI_HOUR) {
        struct oi_error error = {};

        oi_raw_flush(raw);
        end_file(raw);
        if (begin_file(raw, record->wall, &error) != OI_OK)
            oi_log_throttled(OI_LOG_ERROR, "raw.not_written", "file", "reason=\"%s\"",
                             error.message);
    }
    oi_raw_write_record(record, &raw->records);
    raw->record_count++;
    if (raw->records.size >= BLOCK_SIZE ||
        clock->monotonic_ns(clock) - raw->written_ns >= WRITE_EVERY_NS)
        oi_raw_flush(raw);
}

uint64_t
oi_raw_lost(const struct oi_raw *raw)
{
    return raw->lost;
}

void
oi_raw_close(struct oi_raw **raw)
{
    if (!raw || !*raw)
        return;
    oi_raw_flush(*raw);
    end_file(*raw);
    oi_buffer_release(&(*raw)->records);
    oi_free(*raw);
    *raw = NULL;
}
