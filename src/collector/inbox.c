/* SPDX-License-Identifier: Apache-2.0 */
/* Looking into a folder: which files are new and have stopped growing. */
#include "collector/inbox.h"

#include "base/log.h"
#include "base/map.h"
#include "base/vector.h"
#include "collector/import.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A file that was written to so recently may not be whole. */
#define SETTLED_NS (5 * OI_SECOND)
#define PATH_SIZE 4096

struct oi_inbox {
    struct oi_inbox_options options;
    struct oi_map *seen; /* name, size and time of change of what was dealt with */
};

struct candidate {
    char *name;
    int64_t size, changed_ns;
};

enum oi_status
oi_inbox_open(const struct oi_inbox_options *options, struct oi_inbox **ret_inbox,
              struct oi_error *error)
{
    DIR *folder = opendir(options->folder);
    struct oi_inbox *inbox;

    if (!folder)
        return oi_fail(error, OI_E_IO, "cannot read the folder %s: %s", options->folder,
                       strerror(errno));
    (void) closedir(folder);
    inbox = oi_alloc_zero(1, sizeof(*inbox));
    inbox->options = *options;
    inbox->seen = oi_map_new();
    *ret_inbox = inbox;
    return OI_OK;
}

void
oi_inbox_close(struct oi_inbox **inbox)
{
    if (!inbox || !*inbox)
        return;
    oi_map_free(&(*inbox)->seen);
    oi_free(*inbox);
    *inbox = NULL;
}

/* What browsers and other programs call a file that they have not finished. */
static bool
is_unfinished(const char *name)
{
    static const char *const endings[] = { ".part", ".crdownload", ".download", ".tmp", "~" };

    for (size_t i = 0; i < OI_COUNT(endings); i++)
        if (oi_slice_ends_with(oi_slice_of(name), endings[i]))
            return true;
    return name[0] == '.';
}

static void
write_key(const struct candidate *candidate, struct oi_buffer *out)
{
    oi_buffer_add_text(out, candidate->name);
    oi_buffer_add_u8(out, 0);
    oi_buffer_add_u64(out, (uint64_t) candidate->size);
    oi_buffer_add_u64(out, (uint64_t) candidate->changed_ns);
}

static bool
is_seen(const struct oi_inbox *inbox, const struct candidate *candidate)
{
    struct oi_buffer key = {};
    uint64_t value;
    bool is_known;

    write_key(candidate, &key);
    is_known = oi_map_get(inbox->seen, oi_buffer_slice(&key), &value);
    oi_buffer_release(&key);
    return is_known;
}

static void
set_seen(struct oi_inbox *inbox, const struct candidate *candidate)
{
    struct oi_buffer key = {};

    write_key(candidate, &key);
    oi_map_put(inbox->seen, oi_buffer_slice(&key), 1);
    oi_buffer_release(&key);
}

static bool
is_path(const struct oi_inbox *inbox, const char *name, char path[PATH_SIZE])
{
    return snprintf(path, PATH_SIZE, "%s/%s", inbox->options.folder, name) < PATH_SIZE;
}

static int
by_name(const void *left, const void *right)
{
    return strcmp(((const struct candidate *) left)->name,
                  ((const struct candidate *) right)->name);
}

static void
refused(void *, const struct oi_import_refusal *refusal)
{
    oi_log_throttled(OI_LOG_WARN, "inbox.row_refused", refusal->file,
                     "file=\"%s\" line=%llu field=\"%.*s\" value=\"%.40s\" reason=\"%s\"",
                     refusal->file, (unsigned long long) refusal->line,
                     OI_SLICE_ARGS(refusal->field),
                     refusal->value.size > 0 ? refusal->value.data : "", refusal->reason);
}

static enum oi_status
take(struct oi_inbox *inbox, struct oi_store *store, const struct candidate *candidate,
     struct oi_inbox_report *report, struct oi_error *error)
{
    const struct oi_import_options options = { .archive = inbox->options.archive,
                                               .zones = inbox->options.zones,
                                               .refused = refused };
    struct oi_import_report import = {};
    struct oi_error trouble = {};
    char path[PATH_SIZE];
    enum oi_status status;

    if (!is_path(inbox, candidate->name, path))
        return OI_OK;
    status = oi_import_file(store, path, &options, &import, &trouble);
    report->stored += import.stored;
    report->refused += import.refused;
    if (status == OI_E_FULL || status == OI_E_BUSY)
        return oi_fail(error, status, "%s", trouble.message);
    set_seen(inbox, candidate);
    if (status != OI_OK) {
        report->failed++;
        oi_log(OI_LOG_WARN, "inbox.not_imported", "file=\"%s\" reason=\"%s\"", candidate->name,
               trouble.message);
    } else if (import.was_imported) {
        report->known++;
    } else {
        report->imported++;
        oi_log(OI_LOG_INFO, "inbox.imported",
               "file=\"%s\" format=%s stored=%llu duplicate=%llu refused=%llu", candidate->name,
               inbox->options.archive->name, (unsigned long long) import.stored,
               (unsigned long long) import.duplicate, (unsigned long long) import.refused);
    }
    return OI_OK;
}

static void
find(const struct oi_inbox *inbox, DIR *folder, int64_t now_ns, struct candidate **ret_found,
     size_t *ret_count)
{
    OI_VECTOR(struct candidate) found = {};
    const struct dirent *entry;

    while ((entry = readdir(folder)) != NULL) {
        struct candidate candidate = {};
        char path[PATH_SIZE];
        struct stat facts;

        if (is_unfinished(entry->d_name) || !is_path(inbox, entry->d_name, path) ||
            stat(path, &facts) != 0 || !S_ISREG(facts.st_mode))
            continue;
        candidate.name = oi_copy_text(oi_slice_of(entry->d_name));
        candidate.size = facts.st_size;
        candidate.changed_ns = facts.st_mtim.tv_sec * OI_SECOND + facts.st_mtim.tv_nsec;
        if (now_ns - candidate.changed_ns < SETTLED_NS || is_seen(inbox, &candidate))
            oi_free(candidate.name);
        else
            oi_vector_push(&found, candidate);
    }
    if (found.count > 1)
        qsort(found.items, found.count, sizeof(*found.items), by_name);
    *ret_found = found.items;
    *ret_count = found.count;
}

enum oi_status
oi_inbox_look(struct oi_inbox *inbox, struct oi_store *store, struct oi_inbox_report *ret_report,
              struct oi_error *error)
{
    int64_t now_ns = inbox->options.clock->wall_ns(inbox->options.clock);
    struct oi_inbox_report report = {};
    DIR *folder = opendir(inbox->options.folder);
    enum oi_status status = OI_OK;
    struct candidate *found;
    size_t count;

    if (!folder) {
        oi_log_throttled(OI_LOG_ERROR, "inbox.unreadable", inbox->options.folder,
                         "folder=\"%s\" reason=\"%s\"", inbox->options.folder, strerror(errno));
        return OI_OK;
    }
    find(inbox, folder, now_ns, &found, &count);
    (void) closedir(folder);
    for (size_t i = 0; i < count; i++) {
        if (status == OI_OK)
            status = take(inbox, store, &found[i], &report, error);
        oi_free(found[i].name);
    }
    oi_free(found);
    if (ret_report)
        *ret_report = report;
    return status;
}
