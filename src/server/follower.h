/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live rows from other servers: follows the native stream of one or several collectors, comes back
 * after each interruption at the commit where it was, and gives every row to the server once. Where
 * this server's store is its own, rows are stored first and heard from there; where others write
 * it, they go to live subscribers alone.
 */
#pragma once

#include "server/server.h"

struct oi_follower;

struct oi_follower_options {
    const char *const
        *urls; /* "ws://collector:8080": its native stream is added where no path is */
    size_t url_count;
    const char *key;         /* an operator's key at the collectors; NULL: none */
    const char *authority;   /* PEM file of whom to trust; NULL: whom the system trusts */
    const char *data_folder; /* positions are kept here, where rows are */
    bool keeps;              /* store what comes */
};

/* INVALID for an address that is none. Stopped before the server is closed, closed after it: the
 * server's threads ask for its counters. */
enum oi_status oi_follower_open(const struct oi_follower_options *options, struct oi_server *server,
                                struct oi_store *store, struct oi_follower **ret_follower,
                                struct oi_error *error);
void oi_follower_stop(struct oi_follower *follower);
void oi_follower_close(struct oi_follower **follower);
/* For oi_server_add_metrics. */
void oi_follower_write_metrics(void *follower, struct oi_buffer *out);
