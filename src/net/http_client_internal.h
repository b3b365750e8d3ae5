/* SPDX-License-Identifier: Apache-2.0 */
/* The client's inside, for what else of net/ runs over its connections. */
#pragma once

#include "net/http_client.h"

#include <curl/curl.h> /* allow third-party: http_client.c and http_wire.c share one multi handle */
#include <uv.h>        /* allow third-party: the files of net/ share one event loop */

struct oi_http_wire;

/* What an easy handle of the client belongs to; its address is the handle's private pointer. */
struct oi_http_job {
    void (*finish)(struct oi_http_job *job, CURLcode code);
};

struct oi_http_client {
    struct oi_loop *loop;
    uv_loop_t *uv;
    uv_timer_t timer;
    CURLM *multi;
    struct oi_http_transfer *transfers;
    struct oi_http_wire *wires;
    char *user_agent, *proxy, *interface_address, *redirect_to, *authority;
};

/* Where the client's connections go through, and how long they may take to be there. */
void oi_http_client_route(const struct oi_http_client *client, CURL *easy, long timeout_ms);
/* What a failure of curl's means. */
enum oi_status oi_http_client_judge(CURLcode code, const char *reason, struct oi_error *error);
