/* SPDX-License-Identifier: Apache-2.0 */
/* The environment before the file, because it may say which file. */
#include "cli/config.h"

#include "base/alloc.h"
#include "base/buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "oi.conf"

static enum oi_status
parse_line(struct oi_options *options, struct oi_slice line, const char *place,
           bool (*is_known)(struct oi_slice setting), struct oi_error *error)
{
    struct oi_slice value = line, key;
    enum oi_status status;

    if (!memchr(line.data, '=', line.size))
        return oi_fail(error, OI_E_INVALID, "%s is not `key = value`", place);
    (void) oi_slice_next_part(&value, '=', &key);
    key = oi_slice_trim(key);
    value = oi_slice_trim(value);
    if (!is_known(key) || oi_slice_is(key, "config"))
        return oi_fail(error, OI_E_INVALID,
                       "%s: there is no setting \"%.*s\"; `oi config` lists them", place,
                       OI_SLICE_ARGS(key));
    status = oi_options_set(options, key, value, OI_ORIGIN_FILE, place, error);
    return status == OI_E_NOT_FOUND ? OI_OK : status; /* another command's */
}

enum oi_status
oi_config_parse(struct oi_options *options, struct oi_slice text, const char *name,
                bool (*is_known)(struct oi_slice setting), struct oi_error *error)
{
    struct oi_slice line;

    if (text.size > 0 && memchr(text.data, '\0', text.size))
        return oi_fail(error, OI_E_INVALID, "%s is not a text: it holds a zero byte", name);
    for (unsigned number = 1; oi_slice_next_part(&text, '\n', &line); number++) {
        char place[OI_ERROR_SIZE];

        line = oi_slice_trim(line);
        if (line.size == 0 || line.data[0] == '#')
            continue;
        (void) snprintf(place, sizeof(place), "line %u of %s", number, name);
        OI_TRY(parse_line(options, line, place, is_known, error));
    }
    return OI_OK;
}

static enum oi_status
read_whole(int file, const char *path, struct oi_buffer *text, struct oi_error *error)
{
    for (;;) {
        char *room = oi_buffer_reserve(text, 4096);
        ssize_t size;

        if (!room)
            return oi_fail(error, OI_E_INVALID, "%s is too large for a configuration", path);
        size = read(file, room, 4096);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return oi_fail(error, OI_E_IO, "cannot read %s: %s", path, strerror(errno));
        if (size == 0)
            return OI_OK;
        text->size += (size_t) size;
    }
}

static enum oi_status
load_file(struct oi_options *options, const char *path, bool must_exist,
          const struct oi_config_source *source, struct oi_error *error)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer text = { .size_max = OI_CONFIG_SIZE_MAX };
    enum oi_status status;
    int file = open(path, O_RDONLY | O_CLOEXEC);

    if (file < 0 && !must_exist && (errno == ENOENT || errno == ENOTDIR))
        return OI_OK;
    if (file < 0)
        return oi_fail(error, must_exist ? OI_E_INVALID : OI_E_IO, "cannot read %s: %s", path,
                       strerror(errno));
    status = read_whole(file, path, &text, error);
    (void) close(file);
    OI_TRY(status);
    return oi_config_parse(options, oi_buffer_slice(&text), path, source->is_known, error);
}

static bool
has_option(const struct oi_options *options, const char *name)
{
    const struct oi_option *table;
    size_t count = oi_options_table(options, &table);

    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].name, name) == 0)
            return true;
    return false;
}

enum oi_status
oi_config_load(struct oi_options *options, const struct oi_config_source *source,
               struct oi_error *error)
{
    OI_CLEANUP(oi_free_pointer) char *path = NULL;
    struct oi_buffer text = {};

    OI_TRY(oi_options_read_environment(options, source->environment, error));
    if (!has_option(options, "config"))
        return OI_OK;
    if (oi_options_text(options, "config"))
        return load_file(options, oi_options_text(options, "config"), true, source, error);
    if (!has_option(options, "data") || !oi_options_text(options, "data"))
        return OI_OK;
    oi_buffer_add_format(&text, "%s/" FILE_NAME, oi_options_text(options, "data"));
    path = oi_copy_text(oi_buffer_slice(&text));
    oi_buffer_release(&text);
    return load_file(options, path, false, source, error);
}
