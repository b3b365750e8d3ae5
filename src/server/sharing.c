/* SPDX-License-Identifier: Apache-2.0 */
/* no unit test: it is what Redis and the disk say; tests/system/quota.test.mjs kills both */
/*
 * A month is a hash with a field for each server, so that whoever lost its memory can be told
 * again, each of its own part, and nothing is counted twice. Its sum is what is reserved. What is
 * given out is in Redis first and on this server's disk then: a crash between loses a block.
 */
#include "server/sharing.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/random.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME_SIZE 33
#define NUMBER_SIZE 24
#define KEY_SIZE 128

struct oi_sharing {
    struct oi_redis *redis;
    struct oi_usage *usage;
    unsigned servers;
    char name[NAME_SIZE];
    atomic_ullong told; /* the connection that was told everything */
    atomic_ullong calls, failures, alone;
};

/* ARGV: this server, what it has taken, limit, missing, block. Gives what was added (-1: there is
 * no room) and the sum. With missing 0 nothing is taken. */
static const char reserve_script[] =
    "local own = tonumber(ARGV[2])\n"
    "if own > tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0') then\n"
    "  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])\n"
    "  redis.call('EXPIRE', KEYS[1], 6048000)\n"
    "end\n"
    "local sum = 0\n"
    "for _, each in ipairs(redis.call('HVALS', KEYS[1])) do sum = sum + tonumber(each) end\n"
    "local missing, room = tonumber(ARGV[4]), math.max(tonumber(ARGV[3]) - sum, 0)\n"
    "if missing == 0 then return {0, sum} end\n"
    "if missing > room then return {-1, sum} end\n"
    "local more = math.min(math.max(missing, tonumber(ARGV[5])), room)\n"
    "redis.call('HINCRBY', KEYS[1], ARGV[1], string.format('%d', more))\n"
    "redis.call('EXPIRE', KEYS[1], 6048000)\n"
    "return {more, sum + more}\n";

static const char give_back_script[] =
    "local mine = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')\n"
    "local back = math.min(mine, tonumber(ARGV[2]))\n"
    "if back > 0 then redis.call('HINCRBY', KEYS[1], ARGV[1], string.format('%d', -back)) end\n"
    "return back\n";

/* ARGV: count, burst, span in microseconds, cost, block. Gives what was taken and for how long it
 * holds, or 0 and how long to wait. */
static const char bucket_script[] =
    "local t = redis.call('TIME')\n"
    "local now = t[1] * 1000000 + t[2]\n"
    "local count, burst, span = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])\n"
    "local cost, each = tonumber(ARGV[4]), tonumber(ARGV[3]) / tonumber(ARGV[1])\n"
    "local full = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)\n"
    "local room = math.floor(burst - (full - now) / each + 0.000001)\n"
    "if room < cost then return {0, math.ceil(full - now - (burst - cost) * each) + 1} end\n"
    "local take = math.min(math.max(cost, tonumber(ARGV[5])), room)\n"
    "redis.call('SET', KEYS[1], string.format('%d', math.floor(full + take * each)), 'PX',\n"
    "  math.ceil((full - now + take * each) / 1000) + 1000)\n"
    "return {take, math.floor(math.min(span, 1000000))}\n";

/* The same of a window in 32 slots; what is taken holds until its slot ends. */
static const char window_script[] =
    "local t = redis.call('TIME')\n"
    "local now = t[1] * 1000000 + t[2]\n"
    "local count, size = tonumber(ARGV[1]), math.ceil(tonumber(ARGV[3]) / 32)\n"
    "local cost, slot = tonumber(ARGV[4]), math.floor(now / size)\n"
    "local used, oldest, all = 0, slot, redis.call('HGETALL', KEYS[1])\n"
    "for i = 1, #all, 2 do\n"
    "  local at = tonumber(all[i])\n"
    "  if at < slot - 32 then redis.call('HDEL', KEYS[1], all[i])\n"
    "  else used = used + tonumber(all[i + 1]); oldest = math.min(oldest, at) end\n"
    "end\n"
    "local room = count - used\n"
    "if room < cost then return {0, (oldest + 33) * size - now} end\n"
    "local take = math.min(math.max(cost, tonumber(ARGV[5])), room)\n"
    "redis.call('HINCRBY', KEYS[1], string.format('%d', slot), take)\n"
    "redis.call('PEXPIRE', KEYS[1], math.ceil(size * 34 / 1000) + 1000)\n"
    "return {take, (slot + 1) * size - now}\n";

/* The name of this server, the same after a restart; one for this run where it cannot be kept. */
static void
choose_name(struct oi_sharing *shared, const char *folder)
{
    char path[4096];
    uint8_t bytes[16];
    struct oi_buffer fresh = {};
    int file = -1;
    ssize_t size = 0;

    oi_random_secret(bytes, sizeof(bytes));
    oi_hex((struct oi_slice){ (const char *) bytes, sizeof(bytes) }, &fresh);
    (void) snprintf(shared->name, sizeof(shared->name), "%.*s", (int) fresh.size, fresh.data);
    if (snprintf(path, sizeof(path), "%s/server-name", folder) < (int) sizeof(path))
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file >= 0)
        size = read(file, bytes, 0) == 0 ? pread(file, shared->name, NAME_SIZE - 1, 0) : -1;
    if (size != NAME_SIZE - 1) {
        (void) snprintf(shared->name, sizeof(shared->name), "%.*s", (int) fresh.size, fresh.data);
        if (file < 0 || pwrite(file, shared->name, NAME_SIZE - 1, 0) != NAME_SIZE - 1 ||
            fsync(file) != 0)
            oi_log(OI_LOG_WARN, "quota.name_not_kept",
                   "next=\"what this run takes and does not use is lost with it\"");
    }
    if (file >= 0)
        close(file);
    oi_buffer_release(&fresh);
}

enum oi_status
oi_sharing_open(const struct oi_sharing_options *options, struct oi_usage *usage,
                struct oi_sharing **ret_shared, struct oi_error *error)
{
    struct oi_sharing *shared = oi_alloc_zero(1, sizeof(*shared));
    enum oi_status status;

    shared->usage = usage;
    shared->servers = options->servers > 0 ? options->servers : 1;
    choose_name(shared, options->data_folder);
    status = oi_redis_open(&options->redis, &shared->redis, error);
    if (status != OI_OK) {
        oi_free(shared);
        return status;
    }
    *ret_shared = shared;
    return OI_OK;
}

void
oi_sharing_close(struct oi_sharing **shared)
{
    if (!*shared)
        return;
    oi_redis_close(&(*shared)->redis);
    oi_free(*shared);
    *shared = NULL;
}

bool
oi_sharing_is_up(struct oi_sharing *shared)
{
    uint64_t connection = oi_redis_connection(shared->redis);

    return connection > 0 && connection == atomic_load(&shared->told);
}

bool
oi_sharing_wants_telling(struct oi_sharing *shared, uint64_t *ret_connection)
{
    *ret_connection = oi_redis_connection(shared->redis);
    return *ret_connection > 0 && *ret_connection != atomic_load(&shared->told);
}

void
oi_sharing_told(struct oi_sharing *shared, uint64_t connection)
{
    atomic_store(&shared->told, connection);
    oi_log(OI_LOG_INFO, "quota.shared", "servers=%u next=\"quotas are those of all servers\"",
           shared->servers);
}

unsigned
oi_sharing_servers(const struct oi_sharing *shared)
{
    return shared->servers;
}

void
oi_sharing_write_metrics(struct oi_sharing *shared, struct oi_buffer *out)
{
    oi_buffer_add_format(
        out,
        "# HELP oi_quota_shared 1 while quotas are counted in Redis, 0 while this server gives out "
        "its share.\n# TYPE oi_quota_shared gauge\noi_quota_shared %d\n"
        "# HELP oi_quota_redis_calls_total Blocks asked for.\n"
        "# TYPE oi_quota_redis_calls_total counter\noi_quota_redis_calls_total %llu\n"
        "# HELP oi_quota_redis_failures_total Of them without an answer.\n"
        "# TYPE oi_quota_redis_failures_total counter\noi_quota_redis_failures_total %llu\n"
        "# HELP oi_quota_alone_total Blocks given out of this server's share.\n"
        "# TYPE oi_quota_alone_total counter\noi_quota_alone_total %llu\n",
        oi_sharing_is_up(shared), (unsigned long long) atomic_load(&shared->calls),
        (unsigned long long) atomic_load(&shared->failures),
        (unsigned long long) atomic_load(&shared->alone));
}

/*
 * Months.
 */

/* Run a script; OK or BUSY, which any failure is. */
static enum oi_status
ask(struct oi_sharing *shared, const struct oi_redis_call *call, int64_t *ret_values)
{
    struct oi_error error = {};
    enum oi_status status;

    atomic_fetch_add(&shared->calls, 1);
    status = oi_redis_run(shared->redis, call, ret_values, &error);
    if (status == OI_OK)
        return OI_OK;
    atomic_fetch_add(&shared->failures, 1);
    if (status == OI_E_UPSTREAM)
        oi_log_throttled(OI_LOG_ERROR, "redis.refused", "script",
                         "reason=\"%s\" next=\"quotas are this server's share\"", error.message);
    return OI_E_BUSY;
}

static void
month_key(const struct oi_usage_account *place, char key[KEY_SIZE])
{
    char id[2 * OI_SHA256_SIZE + 1];

    for (size_t i = 0; i < OI_SHA256_SIZE; i++)
        (void) snprintf(id + 2 * i, 3, "%02x", place->hash[i]);
    (void) snprintf(key, KEY_SIZE, "oi:month:%s:%u", id, place->month);
}

static enum oi_status
ask_month(struct oi_sharing *shared, const struct oi_usage_account *place,
          const struct oi_usage_wish *wish, uint64_t own, int64_t *ret_values)
{
    char key[KEY_SIZE], numbers[4][NUMBER_SIZE];
    const uint64_t values[] = { own, wish->limit, wish->missing, wish->block };
    struct oi_redis_call call = {
        .script = reserve_script, .key = key, .arguments = { shared->name }, .argument_count = 5
    };

    month_key(place, key);
    for (size_t i = 0; i < OI_COUNT(values); i++) {
        (void) snprintf(numbers[i], NUMBER_SIZE, "%llu", (unsigned long long) values[i]);
        call.arguments[i + 1] = numbers[i];
    }
    return ask(shared, &call, ret_values);
}

enum oi_status
oi_sharing_total(struct oi_sharing *shared, const struct oi_usage_account *place,
                 struct oi_sharing_account *account, uint64_t *ret_total, struct oi_error *error)
{
    const struct oi_usage_wish nothing = {};
    int64_t values[OI_REDIS_VALUES_MAX];
    uint64_t own;

    OI_TRY(oi_usage_reserved(shared->usage, place, &own, error));
    if (ask_month(shared, place, &nothing, own, values) == OI_OK) {
        *account = (struct oi_sharing_account){ .total = (uint64_t) values[1], .own = own };
    } else if (!account->is_alone) {
        account->total = account->total > own ? account->total : own;
        account->own = own;
        account->is_alone = true;
    }
    *ret_total = account->total - account->own + own;
    return OI_OK;
}

/* Of what was left when Redis was last heard, this server's part. */
static enum oi_status
reserve_alone(struct oi_sharing *shared, const struct oi_usage_account *place,
              const struct oi_usage_wish *wish, struct oi_sharing_account *account,
              uint64_t *ret_more, uint64_t *ret_total, struct oi_error *error)
{
    struct oi_usage_wish share = *wish;
    uint64_t left, own;

    if (!account->is_alone) {
        OI_TRY(oi_usage_reserved(shared->usage, place, &account->own, error));
        account->is_alone = true;
        if (account->total < account->own)
            account->total = account->own;
    }
    left = wish->limit > account->total ? wish->limit - account->total : 0;
    share.limit = account->own + left / shared->servers;
    atomic_fetch_add(&shared->alone, 1);
    OI_TRY(oi_usage_reserve(shared->usage, place, &share, ret_more, &own, error));
    *ret_total = account->total - account->own + own;
    return OI_OK;
}

enum oi_status
oi_sharing_reserve(struct oi_sharing *shared, const struct oi_usage_account *place,
                   const struct oi_usage_wish *wish, struct oi_sharing_account *account,
                   uint64_t *ret_more, uint64_t *ret_total, struct oi_error *error)
{
    struct oi_usage_wish taken = { .limit = UINT64_MAX };
    int64_t values[OI_REDIS_VALUES_MAX];
    uint64_t own, more;

    OI_TRY(oi_usage_reserved(shared->usage, place, &own, error));
    if (!oi_sharing_is_up(shared) || ask_month(shared, place, wish, own, values) != OI_OK)
        return reserve_alone(shared, place, wish, account, ret_more, ret_total, error);
    *account = (struct oi_sharing_account){ .total = (uint64_t) values[1] };
    *ret_total = account->total;
    if (values[0] < 0)
        return oi_fail(error, OI_E_NOT_FOUND, "the month is used up");
    taken.missing = taken.block = (uint64_t) values[0];
    OI_TRY(oi_usage_reserve(shared->usage, place, &taken, &more, &account->own, error));
    *ret_more = (uint64_t) values[0];
    return OI_OK;
}

void
oi_sharing_give_back(struct oi_sharing *shared, const struct oi_usage_account *place,
                     uint64_t amount)
{
    char key[KEY_SIZE], number[NUMBER_SIZE];
    const struct oi_redis_call call = { .script = give_back_script,
                                        .key = key,
                                        .arguments = { shared->name, number },
                                        .argument_count = 2 };
    int64_t values[OI_REDIS_VALUES_MAX];

    /* On our disk first: what Redis then still counts is lost, and given out by nobody. */
    if (oi_usage_give_back(shared->usage, place, amount, NULL) != OI_OK)
        return;
    month_key(place, key);
    (void) snprintf(number, sizeof(number), "%llu", (unsigned long long) amount);
    if (oi_sharing_is_up(shared))
        (void) ask(shared, &call, values);
}

/*
 * Rates.
 */

void
oi_sharing_take_rate(struct oi_sharing *shared, const uint8_t hash[OI_SHA256_SIZE], unsigned index,
                     const struct oi_rate *rate, uint64_t cost, int64_t now_ns,
                     struct oi_lease *lease, int64_t *ret_wait_ns)
{
    char key[KEY_SIZE], numbers[5][NUMBER_SIZE], id[OI_KEY_ID_SIZE];
    uint64_t block = rate->count / 32 > 0 ? rate->count / 32 : 1;
    struct oi_redis_call call = { .key = key, .argument_count = 5 };
    int64_t values[OI_REDIS_VALUES_MAX];

    *ret_wait_ns = 0;
    if (now_ns >= lease->until_ns)
        lease->left = 0;
    if (lease->left >= cost) {
        lease->left -= cost;
        return;
    }
    cost -= lease->left;
    oi_key_id(hash, id);
    (void) snprintf(key, sizeof(key), "oi:rate:%s:%u:%u:%lld", id, index, rate->count,
                    (long long) rate->span_ns);
    call.script = rate->kind == OI_RATE_BUCKET ? bucket_script : window_script;
    {
        const uint64_t given[] = { rate->count, rate->burst, (uint64_t) rate->span_ns / 1000, cost,
                                   block };

        for (size_t i = 0; i < OI_COUNT(given); i++) {
            (void) snprintf(numbers[i], NUMBER_SIZE, "%llu", (unsigned long long) given[i]);
            call.arguments[i] = numbers[i];
        }
    }
    if (!oi_sharing_is_up(shared) || ask(shared, &call, values) != OI_OK)
        return;
    if (values[0] <= 0) {
        *ret_wait_ns = values[1] > 0 ? values[1] * 1000 : 1;
        return;
    }
    lease->left = (uint64_t) values[0] - cost;
    lease->until_ns = now_ns + values[1] * 1000;
}

struct oi_rate
oi_rate_share(const struct oi_rate *rate, unsigned servers)
{
    struct oi_rate share = *rate;

    share.count = rate->count / servers > 0 ? rate->count / servers : 1;
    share.burst = rate->burst / servers > 0 ? rate->burst / servers : 1;
    return share;
}
