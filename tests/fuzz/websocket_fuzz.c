/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames from arbitrary bytes, for either side, whole and in pieces: the same messages, and what is
 * sent back is the same too (a client's masks aside).
 */
#include "net/websocket.h"

#include "base/status.h"

#define MESSAGE_SIZE_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct heard {
    size_t messages, bytes;
};

static void
on_message(void *context, struct oi_slice message, bool is_text)
{
    struct heard *heard = context;

    (void) is_text;
    oi_assert(message.size <= MESSAGE_SIZE_MAX);
    heard->messages++;
    heard->bytes += message.size;
}

static struct heard
listen(struct oi_slice bytes, bool is_client, size_t piece_size, size_t *ret_sent)
{
    struct heard heard = {};
    const struct oi_websocket_engine_options options = {
        .is_client = is_client,
        .message_size_max = MESSAGE_SIZE_MAX,
        .message = on_message,
        .context = &heard,
    };
    struct oi_websocket_engine *engine = oi_websocket_engine_new(&options);
    struct oi_buffer out = {};

    while (bytes.size > 0) {
        size_t size = bytes.size < piece_size ? bytes.size : piece_size;

        oi_websocket_engine_receive(engine, (struct oi_slice){ bytes.data, size }, &out);
        bytes.data += size;
        bytes.size -= size;
    }
    *ret_sent = out.size;
    oi_buffer_release(&out);
    oi_websocket_engine_free(&engine);
    return heard;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oi_slice bytes = { (const char *) data, size };

    for (int side = 0; side < 2; side++) {
        size_t whole_sent, pieces_sent;
        struct heard whole = listen(bytes, side == 1, SIZE_MAX, &whole_sent);
        struct heard pieces = listen(bytes, side == 1, 1, &pieces_sent);

        oi_assert(whole.messages == pieces.messages);
        oi_assert(whole.bytes == pieces.bytes);
        oi_assert(whole_sent == pieces_sent);
    }
    return 0;
}
