/* SPDX-License-Identifier: Apache-2.0 */
/* Reading kept replies. */
/* no unit test: tests/system/define.test.mjs and parse.test.mjs read files of every kind */
#include "cli/saved_reply.h"

#include "base/compress.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum oi_status
oi_saved_reply_read(const char *path, struct oi_buffer *out, struct oi_error *error)
{
    FILE *file = fopen(path, "rbe");
    struct oi_unpacker *unpacker;
    enum oi_status status = OI_OK;
    bool is_last = false;

    if (!file)
        return oi_fail(error, OI_E_NOT_FOUND, "%s", strerror(errno));
    unpacker = oi_unpacker_new();
    while (status == OI_OK && !is_last) {
        char piece[16384];
        size_t size = fread(piece, 1, sizeof(piece), file);

        is_last = size < sizeof(piece);
        status = ferror(file) ? oi_fail(error, OI_E_IO, "%s", strerror(errno))
                              : oi_unpacker_add(unpacker, (struct oi_slice){ piece, size }, is_last,
                                                out, error);
    }
    oi_unpacker_free(&unpacker);
    (void) fclose(file);
    return status;
}

enum oi_status
oi_saved_reply_judge(const struct oi_exchange *exchange, struct oi_slice body,
                     struct oi_error *error)
{
    const struct oi_reply_head head = { .status = 200, .body = body };
    struct oi_verdict verdict = {};

    if (!exchange->judge)
        return OI_OK;
    exchange->judge(&head, &verdict);
    if (verdict.status == OI_OK)
        return OI_OK;
    return oi_fail(error, OI_E_UPSTREAM, "the reply is an error of %s: %s", exchange->name,
                   verdict.reason);
}
