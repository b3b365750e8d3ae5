/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wslay does the framing. It closes without a code on control frames that are too long or in
 * fragments and on lengths that are not minimal or past 2^63, and it would wait for a gigabyte that
 * was announced; so headers are looked at here first, and what is unsound never reaches it.
 */
#include "net/websocket.h"

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/random.h"
#include "base/status.h"

#include <wslay/wslay.h>

#define CONTROL_SIZE_MAX 125
#define HEADER_SIZE_MAX 14
/* A close frame holds 125 bytes, two of them the code. */
#define REASON_SIZE_MAX 123

struct oi_websocket_engine {
    struct oi_websocket_engine_options options;
    wslay_event_context_ptr wslay;
    struct oi_slice input; /* what wslay may take */
    struct oi_buffer *out;
    bool is_receiving;
    bool is_failed;
    unsigned char header[HEADER_SIZE_MAX];
    size_t header_size;
    bool is_control; /* the frame that is being read */
    unsigned char control[CONTROL_SIZE_MAX];
    size_t control_size;
    uint64_t payload_left;
};

static ssize_t
on_recv(wslay_event_context_ptr wslay, uint8_t *bytes, size_t size, int flags, void *context)
{
    struct oi_websocket_engine *engine = context;

    (void) flags;
    if (engine->input.size == 0) {
        wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    if (size > engine->input.size)
        size = engine->input.size;
    memcpy(bytes, engine->input.data, size);
    engine->input.data += size;
    engine->input.size -= size;
    return (ssize_t) size;
}

static ssize_t
on_send(wslay_event_context_ptr wslay, const uint8_t *bytes, size_t size, int flags, void *context)
{
    struct oi_websocket_engine *engine = context;

    (void) wslay;
    (void) flags;
    oi_buffer_add(engine->out, bytes, size);
    return (ssize_t) size;
}

static int
on_mask(wslay_event_context_ptr wslay, uint8_t *bytes, size_t size, void *context)
{
    (void) wslay;
    (void) context;
    oi_random_secret(bytes, size);
    return 0;
}

static void
on_message(wslay_event_context_ptr wslay, const struct wslay_event_on_msg_recv_arg *message,
           void *context)
{
    struct oi_websocket_engine *engine = context;
    struct oi_slice bytes = { (const char *) message->msg, message->msg_length };

    if (wslay_is_ctrl_frame(message->opcode) || wslay_event_get_close_sent(wslay))
        return;
    engine->options.message(engine->options.context, bytes, message->opcode == WSLAY_TEXT_FRAME);
}

struct oi_websocket_engine *
oi_websocket_engine_new(const struct oi_websocket_engine_options *options)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = on_recv,
        .send_callback = on_send,
        .genmask_callback = on_mask,
        .on_msg_recv_callback = on_message,
    };
    struct oi_websocket_engine *engine = oi_alloc_zero(1, sizeof(*engine));
    int code = options->is_client
                   ? wslay_event_context_client_init(&engine->wslay, &callbacks, engine)
                   : wslay_event_context_server_init(&engine->wslay, &callbacks, engine);

    oi_assert(code == 0); /* it fails only when memory is out */
    engine->options = *options;
    wslay_event_config_set_max_recv_msg_length(engine->wslay, options->message_size_max);
    return engine;
}

void
oi_websocket_engine_free(struct oi_websocket_engine **engine)
{
    if (!*engine)
        return;
    wslay_event_context_free((*engine)->wslay);
    oi_free(*engine);
    *engine = NULL;
}

static void
flush(struct oi_websocket_engine *engine, struct oi_buffer *out)
{
    if (engine->is_receiving)
        return; /* receive does it at its end */
    engine->out = out;
    if (wslay_event_send(engine->wslay) != 0)
        engine->is_failed = true;
    engine->out = NULL;
}

static void
fail(struct oi_websocket_engine *engine, uint16_t code)
{
    (void) wslay_event_queue_close(engine->wslay, code, NULL, 0);
    wslay_event_shutdown_read(engine->wslay);
    engine->is_failed = true;
}

/* The size of the header that begins in engine->header, as far as that is known. */
static size_t
header_size(const struct oi_websocket_engine *engine)
{
    size_t size = 2;

    if (engine->header_size < 2)
        return 2;
    if ((engine->header[1] & 0x7f) == 126)
        size += 2;
    else if ((engine->header[1] & 0x7f) == 127)
        size += 8;
    return engine->header[1] & 0x80 ? size + 4 : size;
}

/* What the header announces; the close code when it may not, else 0. */
static uint16_t
judge_header(struct oi_websocket_engine *engine)
{
    const unsigned char *header = engine->header;
    bool is_control = (header[0] & 0x08) != 0;
    bool is_final = (header[0] & 0x80) != 0;
    unsigned short_size = header[1] & 0x7f;
    uint64_t size = short_size;

    if (short_size >= 126) {
        size_t count = short_size == 126 ? 2 : 8;

        size = 0;
        for (size_t i = 0; i < count; i++)
            size = size << 8 | header[2 + i];
        if (size < 126 || (count == 8 && size <= UINT16_MAX) || size > INT64_MAX)
            return WSLAY_CODE_PROTOCOL_ERROR;
    }
    if (is_control && (!is_final || size > CONTROL_SIZE_MAX))
        return WSLAY_CODE_PROTOCOL_ERROR;
    if ((header[0] & 0x0f) == WSLAY_CONNECTION_CLOSE && size == 1)
        return WSLAY_CODE_PROTOCOL_ERROR; /* half a code, which wslay takes */
    if (((header[1] & 0x80) != 0) == engine->options.is_client)
        return WSLAY_CODE_PROTOCOL_ERROR;
    if (size > engine->options.message_size_max)
        return WSLAY_CODE_MESSAGE_TOO_BIG;
    engine->is_control = is_control;
    engine->control_size = 0;
    engine->payload_left = size;
    return 0;
}

/* Hand bytes to wslay; false when it takes no more. */
static bool
feed(struct oi_websocket_engine *engine, const void *bytes, size_t size)
{
    engine->input = (struct oi_slice){ bytes, size };
    if (wslay_event_recv(engine->wslay) != 0)
        fail(engine, WSLAY_CODE_PROTOCOL_ERROR);
    return !engine->is_failed && wslay_event_get_read_enabled(engine->wslay);
}

/* A run of payload. Of a control frame all of it is gathered first: wslay does not look for broken
 * UTF-8 in a close that comes byte by byte. */
static bool
take_payload(struct oi_websocket_engine *engine, struct oi_slice *bytes)
{
    struct oi_slice payload = *bytes;

    if (payload.size > engine->payload_left)
        payload.size = (size_t) engine->payload_left;
    engine->payload_left -= payload.size;
    bytes->data += payload.size;
    bytes->size -= payload.size;
    if (!engine->is_control)
        return feed(engine, payload.data, payload.size);
    memcpy(engine->control + engine->control_size, payload.data, payload.size);
    engine->control_size += payload.size;
    return engine->payload_left > 0 || feed(engine, engine->control, engine->control_size);
}

/* One header or one run of payload; false when nothing more is taken. */
static bool
take(struct oi_websocket_engine *engine, struct oi_slice *bytes)
{
    size_t size;
    uint16_t code;

    if (engine->payload_left > 0)
        return take_payload(engine, bytes);
    engine->header[engine->header_size++] = (unsigned char) bytes->data[0];
    bytes->data++;
    bytes->size--;
    if (engine->header_size < header_size(engine))
        return true;
    size = engine->header_size;
    engine->header_size = 0;
    code = judge_header(engine);
    if (code != 0) {
        fail(engine, code);
        return false;
    }
    return feed(engine, engine->header, size);
}

void
oi_websocket_engine_receive(struct oi_websocket_engine *engine, struct oi_slice bytes,
                            struct oi_buffer *out)
{
    if (engine->is_failed || !wslay_event_get_read_enabled(engine->wslay))
        return;
    for (bool goes_on = true; goes_on && bytes.size > 0;) {
        engine->is_receiving = true;
        goes_on = take(engine, &bytes);
        engine->is_receiving = false;
        /* At once: a close that is queued later would push a waiting pong aside. */
        flush(engine, out);
    }
    engine->input = (struct oi_slice){};
}

void
oi_websocket_engine_send(struct oi_websocket_engine *engine, struct oi_slice message, bool is_text,
                         struct oi_buffer *out)
{
    struct wslay_event_msg queued = {
        .opcode = is_text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME,
        .msg = (const uint8_t *) message.data,
        .msg_length = message.size,
    };

    (void) wslay_event_queue_msg(engine->wslay, &queued);
    flush(engine, out);
}

void
oi_websocket_engine_ping(struct oi_websocket_engine *engine, struct oi_buffer *out)
{
    struct wslay_event_msg queued = { .opcode = WSLAY_PING };

    (void) wslay_event_queue_msg(engine->wslay, &queued);
    flush(engine, out);
}

void
oi_websocket_engine_close(struct oi_websocket_engine *engine, uint16_t code, const char *reason,
                          struct oi_buffer *out)
{
    size_t size = reason ? strlen(reason) : 0;

    oi_assert(code >= 1000 && code <= 4999);
    if (size > REASON_SIZE_MAX)
        size = REASON_SIZE_MAX;
    (void) wslay_event_queue_close(engine->wslay, code, (const uint8_t *) reason, size);
    flush(engine, out);
}

bool
oi_websocket_engine_is_closing(const struct oi_websocket_engine *engine)
{
    return engine->is_failed || wslay_event_get_close_sent(engine->wslay) ||
           !wslay_event_get_write_enabled(engine->wslay);
}

bool
oi_websocket_engine_is_done(const struct oi_websocket_engine *engine)
{
    return oi_websocket_engine_is_closing(engine) &&
           (engine->is_failed || wslay_event_get_close_received(engine->wslay) ||
            !wslay_event_get_read_enabled(engine->wslay));
}

size_t
oi_websocket_header(size_t message_size, bool is_text,
                    char ret_header[OI_WEBSOCKET_HEADER_SIZE_MAX])
{
    uint64_t size = message_size;
    size_t digits = size <= CONTROL_SIZE_MAX ? 0 : size <= UINT16_MAX ? 2 : 8;

    ret_header[0] = (char) (0x80 | (is_text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME));
    ret_header[1] = (char) (digits == 0 ? size : digits == 2 ? 126 : 127);
    for (size_t i = 0; i < digits; i++)
        ret_header[2 + i] = (char) (size >> (8 * (digits - 1 - i)) & 0xff);
    return 2 + digits;
}

bool
oi_websocket_is_key(struct oi_slice key)
{
    struct oi_buffer bytes = {};
    bool is_key = key.size == 24 && key.data[22] == '=' && key.data[23] == '=' &&
                  oi_unbase64(key, &bytes, NULL) == OI_OK && bytes.size == 16;

    oi_buffer_release(&bytes);
    return is_key;
}

void
oi_websocket_accept(struct oi_slice key, struct oi_buffer *out)
{
    struct oi_buffer joined = {};
    uint8_t digest[20];

    oi_buffer_add_slice(&joined, key);
    oi_buffer_add_text(&joined, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"); /* RFC 6455, 1.3 */
    oi_sha1(oi_buffer_slice(&joined), digest);
    oi_base64((struct oi_slice){ (const char *) digest, sizeof(digest) }, out);
    oi_buffer_release(&joined);
}
