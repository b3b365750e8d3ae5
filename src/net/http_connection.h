/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection of the server as a state machine without a socket: bytes in, bytes out, time told
 * by its host. What owns the socket (http_server.c, a test, a fuzzer) feeds it, writes what waits,
 * and asks what is wanted next. Nothing here frees itself: the owner does, in a turn of its own.
 */
#pragma once

#include "net/http_parse.h"
#include "net/http_server.h"
#include "net/output.h"

struct oi_http_connection;
struct oi_http_repeats;

/* What all connections of one server share. */
struct oi_http_host {
    const struct oi_http_server_options *options; /* with every default filled in */
    const struct oi_http_handler *handler;
    uint64_t now_ms;    /* the owner keeps it up to date */
    const char *scheme; /* "http" or "https" */
    bool is_stopping;
    struct oi_http_server_stats stats;
    /* There is something to write, or an end has come, outside of a call of the owner. */
    void (*wake)(void *owner);
    /* Take the body and have it compressed elsewhere; answer with oi_http_connection_compressed in
     * a later turn. NULL: everything is compressed at once. */
    void (*compress)(void *owner, struct oi_buffer *body);
    /* The Date header's value. */
    const char *(*date)(struct oi_http_host *host);
    /* What was answered lately; NULL: everything is answered anew. */
    struct oi_http_repeats *repeats;
};

/* Defaults for the zeros. */
void oi_http_server_options_fill(struct oi_http_server_options *options);

struct oi_http_connection *oi_http_connection_new(struct oi_http_host *host, void *owner,
                                                  const char *peer);
/* Tells the WebSocket's handler and the reply's `finish`; no other callback follows. */
void oi_http_connection_free(struct oi_http_connection **connection);

/* Bytes from the client; handlers may be called. */
void oi_http_connection_receive(struct oi_http_connection *connection, struct oi_slice bytes);
/* The client will send no more. */
void oi_http_connection_end(struct oi_http_connection *connection);
/* What waits to be written, and that some of it has been taken: more may then be pulled from the
 * reply, or the next request be taken up. */
struct oi_output *oi_http_connection_output(struct oi_http_connection *connection);
void oi_http_connection_sent(struct oi_http_connection *connection, size_t size);
/* A write that is under way has made progress without being complete. */
void oi_http_connection_sending(struct oi_http_connection *connection);
/* What `compress` was asked for: both are emptied. */
void oi_http_connection_compressed(struct oi_http_connection *connection, struct oi_buffer *plain,
                                   struct oi_buffer *packed);
/* After `wake`, before writing: what a reply has to say by now becomes output. */
void oi_http_connection_go_on(struct oi_http_connection *connection);
/* Act on deadlines; call often enough. Memory of idle connections is given back here. */
void oi_http_connection_tick(struct oi_http_connection *connection);
/* The server is stopping (host->is_stopping has been set): end soon. */
void oi_http_connection_stop(struct oi_http_connection *connection);

/* Should more be read? When not, reading is taken up again after something was sent. */
bool oi_http_connection_wants_input(const struct oi_http_connection *connection);
/* Everything has been written and no answer follows: shut the writing side down, go on reading. */
bool oi_http_connection_wants_shutdown(const struct oi_http_connection *connection);
/* Close the socket and free the connection. */
bool oi_http_connection_is_done(const struct oi_http_connection *connection);
