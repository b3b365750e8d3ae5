/* SPDX-License-Identifier: Apache-2.0 */
/* The signature covers the target byte for byte, so nothing in it can be changed or reordered. */
#include "server/links.h"

#include "base/random.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char signature_name[] = "&X-Amz-Signature=";

/* Make the file with fresh bytes; another process that was faster wins. */
static enum oi_status
make_secret(const char *path, struct oi_error *error)
{
    uint8_t secret[OI_SHA256_SIZE];
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t written;

    if (file < 0 && errno == EEXIST)
        return OI_OK;
    if (file < 0)
        return oi_fail(error, OI_E_IO, "cannot create %s: %s", path, strerror(errno));
    oi_random_secret(secret, sizeof(secret));
    written = write(file, secret, sizeof(secret));
    if (fsync(file) != 0 || written != (ssize_t) sizeof(secret)) {
        close(file);
        unlink(path);
        return oi_fail(error, OI_E_IO, "cannot write %s", path);
    }
    close(file);
    return OI_OK;
}

enum oi_status
oi_links_open(const char *folder, struct oi_links *ret_links, struct oi_error *error)
{
    char path[4096];
    ssize_t size;
    int file;

    if (snprintf(path, sizeof(path), "%s/link-secret", folder) >= (int) sizeof(path))
        return oi_fail(error, OI_E_INVALID, "the data folder's name is too long");
    ret_links->is_passing = make_secret(path, error) != OI_OK;
    if (ret_links->is_passing) {
        oi_random_secret(ret_links->secret, sizeof(ret_links->secret));
        return OI_OK;
    }
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return oi_fail(error, OI_E_IO, "cannot read %s: %s", path, strerror(errno));
    size = read(file, ret_links->secret, sizeof(ret_links->secret));
    close(file);
    if (size != (ssize_t) sizeof(ret_links->secret))
        return oi_fail(error, OI_E_CORRUPT, "%s is not a whole secret; remove it to get a new one",
                       path);
    return OI_OK;
}

static void
add_signature(const struct oi_links *links, struct oi_slice target, struct oi_buffer *out)
{
    uint8_t digest[OI_SHA256_SIZE];

    oi_hmac_sha256((struct oi_slice){ (const char *) links->secret, sizeof(links->secret) }, target,
                   digest);
    oi_hex((struct oi_slice){ (const char *) digest, sizeof(digest) }, out);
}

void
oi_links_sign(const struct oi_links *links, struct oi_slice target, oi_time now, unsigned life_s,
              struct oi_buffer *out)
{
    struct oi_buffer whole = {};
    bool has_query = target.size > 0 && memchr(target.data, '?', target.size) != NULL;

    oi_buffer_add_slice(&whole, target);
    oi_buffer_add_format(&whole, "%cX-Amz-Date=%lld&X-Amz-Expires=%u", has_query ? '&' : '?',
                         (long long) oi_time_to_s(now), life_s);
    oi_buffer_add_slice(out, oi_buffer_slice(&whole));
    oi_buffer_add_text(out, signature_name);
    add_signature(links, oi_buffer_slice(&whole), out);
    oi_buffer_release(&whole);
}

/* The digits behind `name` in the target; false when they are not there. */
static bool
read_number(struct oi_slice target, const char *name, int64_t *ret_value)
{
    const char *at = memmem(target.data, target.size, name, strlen(name));
    const char *end = target.data + target.size;
    int64_t value = 0;

    if (!at)
        return false;
    for (at += strlen(name); at < end && *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *at - '0', &value))
            return false;
    *ret_value = value;
    return true;
}

enum oi_link_verdict
oi_links_check(const struct oi_links *links, struct oi_slice target, oi_time now)
{
    const char *mark = target.size > 0 ? memmem(target.data, target.size, signature_name,
                                                sizeof(signature_name) - 1)
                                       : NULL;
    struct oi_buffer wanted = {};
    struct oi_slice signed_part, given;
    int64_t date, life;
    bool is_ours;

    if (!mark)
        return OI_LINK_WRONG;
    signed_part = (struct oi_slice){ target.data, (size_t) (mark - target.data) };
    given = (struct oi_slice){ mark + sizeof(signature_name) - 1,
                               target.size - signed_part.size - (sizeof(signature_name) - 1) };
    add_signature(links, signed_part, &wanted);
    is_ours = oi_equal_in_constant_time(given, oi_buffer_slice(&wanted));
    oi_buffer_release(&wanted);
    if (!is_ours || !read_number(signed_part, "X-Amz-Date=", &date) ||
        !read_number(signed_part, "X-Amz-Expires=", &life))
        return OI_LINK_WRONG;
    return oi_time_to_s(now) <= date + life ? OI_LINK_FINE : OI_LINK_EXPIRED;
}
