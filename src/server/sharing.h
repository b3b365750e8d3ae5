/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quotas that several servers share: amounts of months and rates stand in Redis, of which each
 * server takes blocks. Every server also keeps durably what it took itself, and tells it to a Redis
 * that has forgotten. While Redis is away, each gives out its share alone.
 */
#pragma once

#include "server/quota.h"
#include "server/redis.h"
#include "server/usage.h"

struct oi_sharing;

struct oi_sharing_options {
    struct oi_redis_options redis;
    unsigned servers;        /* that share, at least 1: while Redis is away */
    const char *data_folder; /* this server's name among them is kept here */
};

enum oi_status oi_sharing_open(const struct oi_sharing_options *options, struct oi_usage *usage,
                               struct oi_sharing **ret_shared, struct oi_error *error);
void oi_sharing_close(struct oi_sharing **shared);

/* Is Redis there, and told of what this server has taken? */
bool oi_sharing_is_up(struct oi_sharing *shared);
/* Is it there again and has to be told, with oi_sharing_total for every account, before
 * oi_sharing_told? *ret_connection is for that. */
bool oi_sharing_wants_telling(struct oi_sharing *shared, uint64_t *ret_connection);
void oi_sharing_told(struct oi_sharing *shared, uint64_t connection);
unsigned oi_sharing_servers(const struct oi_sharing *shared);
/* For /metrics. */
void oi_sharing_write_metrics(struct oi_sharing *shared, struct oi_buffer *out);

/* What an account remembers of sharing. */
struct oi_sharing_account {
    uint64_t total; /* taken by all servers, as last heard */
    uint64_t own;   /* of that, by this one */
    bool is_alone;  /* Redis is away: `total` and `own` are of when it went */
};

/* What all servers have reserved of a month, this one's own told on the way. Redis away: as far as
 * is known. */
enum oi_status oi_sharing_total(struct oi_sharing *shared, const struct oi_usage_account *place,
                                struct oi_sharing_account *account, uint64_t *ret_total,
                                struct oi_error *error);
/* As oi_usage_reserve. */
enum oi_status oi_sharing_reserve(struct oi_sharing *shared, const struct oi_usage_account *place,
                                  const struct oi_usage_wish *wish,
                                  struct oi_sharing_account *account, uint64_t *ret_more,
                                  uint64_t *ret_total, struct oi_error *error);
/* As oi_usage_give_back. */
void oi_sharing_give_back(struct oi_sharing *shared, const struct oi_usage_account *place,
                          uint64_t amount);

/* Calls of one rate that were taken from all servers' and not used yet. */
struct oi_lease {
    uint64_t left;
    int64_t until_ns; /* they are void then; monotonic */
};
/* Take `cost` of the rate number `index` of a key, from the lease or, in a new block, from Redis.
 * *ret_wait_ns: how long to wait, 0: taken. Redis away: 0, since each server's own rates then hold
 * its share. */
void oi_sharing_take_rate(struct oi_sharing *shared, const uint8_t hash[OI_SHA256_SIZE],
                          unsigned index, const struct oi_rate *rate, uint64_t cost, int64_t now_ns,
                          struct oi_lease *lease, int64_t *ret_wait_ns);
/* A server's share of a rate. */
struct oi_rate oi_rate_share(const struct oi_rate *rate, unsigned servers);
