/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules and keyring change under a lock that readers share; accounts are never freed while the
 * server runs, so an answer may keep its own without one.
 */
#include "server/access.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "server/account.h"
#include "server/guests.h"
#include "server/keyring.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

/* A key of the configuration, as its hash. */
struct own_key {
    uint8_t hash[OI_SHA256_SIZE];
};

struct oi_access {
    struct oi_arena arena;
    const char **host_names;
    size_t host_name_count;
    bool is_open;
    bool is_loopback;
    struct oi_usage *usage;
    struct oi_guests *guests;
    struct oi_sharing *shared;
    uint64_t telling; /* the connection to Redis that is told, and whose accounts up to here are */
    size_t told;

    pthread_rwlock_t *lock; /* over what follows; by address, so that readers may be const */
    struct oi_plans *plans;
    struct oi_plan key_plan, guest_plan;
    bool has_guest_plan;
    OI_VECTOR(struct own_key) own_keys;
    OI_VECTOR(struct oi_account *) accounts; /* every one there ever was */
    struct oi_keyring *keyring;
    OI_VECTOR(struct oi_account *) holders; /* of the keyring's hashes, in its order */
    bool is_locked;                         /* there is a key, or was */
    atomic_ullong version;                  /* of `usage`, as last read */
    atomic_ullong generation;
};

/*
 * Keys in force.
 */

static struct oi_account *
account_of(struct oi_access *access, const uint8_t hash[OI_SHA256_SIZE], const struct oi_plan *plan)
{
    struct oi_account *account;

    for (size_t i = 0; i < access->accounts.count; i++) {
        account = access->accounts.items[i];
        if (memcmp(account->hash, hash, OI_SHA256_SIZE) == 0) {
            oi_account_set_plan(account, plan);
            return account;
        }
    }
    account = oi_account_new(hash, plan);
    account->shared = access->shared;
    oi_vector_push(&access->accounts, account);
    return account;
}

static void
add_record(struct oi_access *access, const struct oi_key_record *record)
{
    const struct oi_plan *plan = oi_plan_find(access->plans, record->plan);
    struct oi_account *account;
    char id[OI_KEY_ID_SIZE];

    access->is_locked = true;
    if (record->revoked != OI_TIME_NONE)
        return;
    if (!plan) {
        oi_key_id(record->hash, id);
        oi_log_throttled(OI_LOG_WARN, "key.plan_unknown", id,
                         "key=%s plan=%s next=\"the key is refused\"", id, record->plan);
        return;
    }
    account = account_of(access, record->hash, plan);
    account->is_operator = record->is_operator;
    oi_vector_push(&access->holders, account);
}

/* Build the keyring anew, under the lock. */
static void
rebuild(struct oi_access *access, const struct oi_key_records *records)
{
    uint8_t(*hashes)[OI_SHA256_SIZE];

    oi_vector_clear(&access->holders);
    for (size_t i = 0; i < records->items.count; i++)
        add_record(access, &records->items.items[i]);
    for (size_t i = 0; i < access->own_keys.count; i++) {
        struct oi_account *account =
            account_of(access, access->own_keys.items[i].hash, &access->key_plan);

        account->is_operator = true;
        access->is_locked = true;
        oi_vector_push(&access->holders, account);
    }
    hashes = oi_alloc_zero(access->holders.count + 1, OI_SHA256_SIZE);
    for (size_t i = 0; i < access->holders.count; i++)
        memcpy(hashes[i], access->holders.items[i]->hash, OI_SHA256_SIZE);
    oi_keyring_free(&access->keyring);
    access->keyring =
        oi_keyring_new((const uint8_t(*)[OI_SHA256_SIZE]) hashes, access->holders.count);
    oi_free(hashes);
    atomic_fetch_add(&access->generation, 1);
}

static enum oi_status
read_records(struct oi_access *access, struct oi_key_records *records, uint64_t *ret_version,
             struct oi_error *error)
{
    if (!access->usage)
        return OI_OK;
    *ret_version =
        oi_usage_version(access->usage); /* before reading: never newer than what is read */
    return oi_usage_list_keys(access->usage, records, error);
}

/* A new set of rules, before it is put in force. */
struct rules {
    struct oi_plans *plans;
    struct oi_plan key_plan, guest_plan;
    bool has_guest_plan;
};

static enum oi_status
find_plan(const struct oi_plans *plans, const char *name, struct oi_plan *ret_plan,
          struct oi_error *error)
{
    const struct oi_plan *plan = oi_plan_find(plans, name);

    if (!plan)
        return oi_fail(error, OI_E_INVALID, "there is no plan \"%s\"", name);
    *ret_plan = *plan;
    return OI_OK;
}

static enum oi_status
read_rules(const struct oi_access_rules *rules, struct rules *ret_rules, struct oi_error *error)
{
    OI_CLEANUP(oi_plans_free) struct oi_plans *plans = NULL;
    struct rules read = { .has_guest_plan = rules->guest_plan != NULL };

    OI_TRY(oi_plans_new(rules->plans, rules->plan_count, &plans, error));
    OI_TRY(
        find_plan(plans, rules->key_plan ? rules->key_plan : "unlimited", &read.key_plan, error));
    OI_TRY(
        find_plan(plans, rules->guest_plan ? rules->guest_plan : "guest", &read.guest_plan, error));
    read.plans = plans;
    plans = NULL;
    *ret_rules = read;
    return OI_OK;
}

static void
put_in_force(struct oi_access *access, const struct oi_access_rules *from, struct rules *rules)
{
    oi_plans_free(&access->plans);
    access->plans = rules->plans;
    access->key_plan = rules->key_plan;
    access->guest_plan = rules->guest_plan;
    access->has_guest_plan = rules->has_guest_plan;
    oi_vector_clear(&access->own_keys);
    for (size_t i = 0; i < from->key_count; i++) {
        struct own_key key;

        oi_sha256(oi_slice_of(from->keys[i]), key.hash);
        oi_vector_push(&access->own_keys, key);
    }
}

enum oi_status
oi_access_set_rules(struct oi_access *access, const struct oi_access_rules *rules,
                    struct oi_error *error)
{
    struct oi_key_records records = {};
    struct rules read;
    uint64_t version = 0;
    enum oi_status status;

    OI_TRY(read_rules(rules, &read, error));
    status = read_records(access, &records, &version, error);
    if (status != OI_OK) {
        oi_plans_free(&read.plans);
        oi_vector_release(&records.items);
        return status;
    }
    pthread_rwlock_wrlock(access->lock);
    put_in_force(access, rules, &read);
    rebuild(access, &records);
    atomic_store(&access->version, version);
    pthread_rwlock_unlock(access->lock);
    oi_vector_release(&records.items);
    return OI_OK;
}

enum oi_status
oi_access_refresh(struct oi_access *access, struct oi_error *error)
{
    struct oi_key_records records = {};
    uint64_t version = 0;
    enum oi_status status;

    if (!access->usage || oi_usage_version(access->usage) == atomic_load(&access->version))
        return OI_OK;
    status = read_records(access, &records, &version, error);
    if (status == OI_OK) {
        pthread_rwlock_wrlock(access->lock);
        rebuild(access, &records);
        atomic_store(&access->version, version);
        pthread_rwlock_unlock(access->lock);
    }
    oi_vector_release(&records.items);
    return status;
}

/* A part of the accounts, so that nobody waits for all of them. */
#define TELL_NS INT64_C(20'000'000)

void
oi_access_tell(struct oi_access *access, const struct oi_clock *clock)
{
    int64_t until = clock->monotonic_ns(clock) + TELL_NS;
    uint64_t connection;

    if (!access->shared || !oi_sharing_wants_telling(access->shared, &connection))
        return;
    if (access->telling != connection)
        access->told = 0;
    access->telling = connection;
    while (clock->monotonic_ns(clock) < until) {
        struct oi_account *account = NULL;
        struct oi_error error = {};

        pthread_rwlock_rdlock(access->lock);
        if (access->told < access->accounts.count)
            account = access->accounts.items[access->told];
        pthread_rwlock_unlock(access->lock);
        if (!account) {
            oi_sharing_told(access->shared, connection);
            return;
        }
        if (access->usage && oi_account_tell(account, clock->wall_ns(clock), &error) != OI_OK) {
            oi_log_throttled(OI_LOG_WARN, "quota.not_told", "redis", "reason=\"%s\" next=\"again\"",
                             error.message);
            return;
        }
        access->told++;
    }
}

/*
 * Its life.
 */

static void
copy_host_names(struct oi_access *access, const struct oi_access_options *options)
{
    static const char *const own[] = { "localhost", "127.0.0.1", "::1" };
    size_t count = 0;

    access->host_names = oi_arena_alloc_zero(
        &access->arena, OI_COUNT(own) + options->host_name_count + 1, sizeof(char *));
    for (size_t i = 0; i < OI_COUNT(own); i++)
        access->host_names[count++] = own[i];
    if (options->address)
        access->host_names[count++] = oi_arena_copy(&access->arena, oi_slice_of(options->address));
    for (size_t i = 0; i < options->host_name_count; i++)
        access->host_names[count++] =
            oi_arena_copy(&access->arena, oi_slice_of(options->host_names[i]));
    access->host_name_count = count;
}

enum oi_status
oi_access_new(const struct oi_access_options *options, struct oi_access **ret_access,
              struct oi_error *error)
{
    OI_CLEANUP(oi_access_free) struct oi_access *access = oi_alloc_zero(1, sizeof(*access));

    access->lock = oi_alloc_zero(1, sizeof(*access->lock));
    pthread_rwlock_init(access->lock, NULL);
    access->guests = oi_guests_new();
    access->is_open = options->is_open;
    access->is_loopback = !options->address || oi_address_is_loopback(options->address);
    access->usage = options->usage;
    access->shared = options->shared;
    copy_host_names(access, options);
    OI_TRY(oi_access_set_rules(access, &options->rules, error));
    *ret_access = access;
    access = NULL;
    return OI_OK;
}

void
oi_access_free(struct oi_access **access)
{
    if (!access || !*access)
        return;
    for (size_t i = 0; i < (*access)->accounts.count; i++)
        oi_account_free(&(*access)->accounts.items[i], (*access)->usage);
    oi_vector_release(&(*access)->accounts);
    oi_vector_release(&(*access)->holders);
    oi_vector_release(&(*access)->own_keys);
    oi_keyring_free(&(*access)->keyring);
    oi_plans_free(&(*access)->plans);
    oi_guests_free(&(*access)->guests);
    pthread_rwlock_destroy((*access)->lock);
    oi_free((*access)->lock);
    oi_arena_release(&(*access)->arena);
    oi_free(*access);
    *access = NULL;
}

/*
 * Questions.
 */

bool
oi_access_has_keys(const struct oi_access *access)
{
    bool is_locked;

    pthread_rwlock_rdlock(access->lock);
    is_locked = access->is_locked;
    pthread_rwlock_unlock(access->lock);
    return is_locked;
}

static struct oi_account *
holder(const struct oi_access *access, const uint8_t hash[OI_SHA256_SIZE])
{
    size_t place = oi_keyring_find(access->keyring, hash);

    return place == OI_KEYRING_NONE ? NULL : access->holders.items[place];
}

enum oi_key_verdict
oi_access_check_key(const struct oi_access *access, struct oi_slice key)
{
    uint8_t hash[OI_SHA256_SIZE];

    if (!oi_access_has_keys(access))
        return OI_KEY_FINE;
    if (key.size == 0)
        return OI_KEY_MISSING;
    oi_sha256(key, hash);
    return oi_access_knows(access, hash) ? OI_KEY_FINE : OI_KEY_WRONG;
}

bool
oi_access_knows(const struct oi_access *access, const uint8_t hash[OI_SHA256_SIZE])
{
    bool is_known;

    pthread_rwlock_rdlock(access->lock);
    is_known = holder(access, hash) != NULL;
    pthread_rwlock_unlock(access->lock);
    return is_known;
}

bool
oi_access_is_operator(const struct oi_access *access, struct oi_slice key)
{
    uint8_t hash[OI_SHA256_SIZE];
    const struct oi_account *account;
    bool is_operator;

    oi_sha256(key, hash);
    pthread_rwlock_rdlock(access->lock);
    account = holder(access, hash);
    is_operator = account && account->is_operator;
    pthread_rwlock_unlock(access->lock);
    return is_operator;
}

/* Without a key: each address by itself. */
static enum oi_key_verdict
admit_guest(struct oi_access *access, const struct oi_visit *visit, struct oi_grant *grant,
            struct oi_allowance *allowance, unsigned *ret_retry_after_s)
{
    const struct oi_plan *plan = &grant->plan;
    struct oi_rate_left left;
    int64_t wait;

    grant->cost = visit->cost;
    *allowance = (struct oi_allowance){
        .rows_max = plan->rows_max,
        .history_ns = plan->history_ns,
        .denies_totals = plan->denies_totals,
        .plan = plan->label,
    };
    if (plan->rate_count == 0)
        return OI_KEY_FINE;
    wait = oi_guests_admit(access->guests, plan, visit->peer, visit->monotonic_ns, &left);
    allowance->rate_limit = plan->rates[0].count;
    allowance->rate_burst = plan->rates[0].burst > 0 ? plan->rates[0].burst : plan->rates[0].count;
    allowance->rate_left = left.count;
    allowance->rate_reset_s = left.reset_ns > 0 ? oi_seconds_up(left.reset_ns) : 0;
    allowance->rate_is_weight = visit->cost == OI_COST_WEIGHT && plan->cost == OI_COST_WEIGHT;
    if (allowance->rate_is_weight)
        allowance->rate_left++;
    if (wait == 0)
        return OI_KEY_FINE;
    *ret_retry_after_s = oi_seconds_up(wait);
    return OI_KEY_TOO_FAST;
}

/* Whose visit it is, under the lock: *ret_account NULL with FINE is a guest's, whose plan stands in
 * the grant. */
static enum oi_key_verdict
identify(const struct oi_access *access, const uint8_t *hash, struct oi_account **ret_account,
         struct oi_grant *grant)
{
    bool limits_guests = access->has_guest_plan || !access->is_loopback;

    *ret_account = hash ? holder(access, hash) : NULL;
    if (*ret_account)
        return OI_KEY_FINE;
    if (access->is_locked && hash)
        return OI_KEY_WRONG;
    if (access->is_locked && !access->has_guest_plan)
        return OI_KEY_MISSING;
    if (limits_guests)
        grant->plan = access->guest_plan;
    return OI_KEY_FINE;
}

enum oi_key_verdict
oi_access_admit(struct oi_access *access, const struct oi_visit *visit, struct oi_grant *grant,
                struct oi_allowance *allowance, unsigned *ret_retry_after_s)
{
    struct oi_account *account;
    uint8_t hash[OI_SHA256_SIZE];
    const uint8_t *whose = visit->hash;
    enum oi_key_verdict verdict;

    *grant = (struct oi_grant){};
    if (visit->key.size > 0) {
        oi_sha256(visit->key, hash);
        whose = hash;
    }
    pthread_rwlock_rdlock(access->lock);
    verdict = identify(access, whose, &account, grant);
    pthread_rwlock_unlock(access->lock);
    if (verdict != OI_KEY_FINE)
        return verdict;
    if (account)
        return oi_account_admit(account, access->usage, visit, grant, allowance, ret_retry_after_s);
    if (grant->plan.name[0] == '\0')
        return OI_KEY_FINE; /* nothing is limited */
    return admit_guest(access, visit, grant, allowance, ret_retry_after_s);
}

enum oi_key_verdict
oi_access_settle(struct oi_access *access, const struct oi_visit *visit, struct oi_grant *grant,
                 uint64_t price, unsigned *ret_retry_after_s)
{
    int64_t wait;

    if (grant->account)
        return oi_account_settle(grant->account, access->usage, visit, grant, price,
                                 ret_retry_after_s);
    if (grant->plan.cost != OI_COST_WEIGHT || visit->cost != OI_COST_WEIGHT || price < 2)
        return OI_KEY_FINE;
    wait =
        oi_guests_take(access->guests, &grant->plan, visit->peer, price - 1, visit->monotonic_ns);
    if (wait == 0)
        return OI_KEY_FINE;
    *ret_retry_after_s = oi_seconds_up(wait == OI_RATE_NEVER ? grant->plan.rates[0].span_ns : wait);
    return OI_KEY_TOO_FAST;
}

void
oi_access_charge_rows(struct oi_access *access, struct oi_grant *grant, uint64_t rows)
{
    const struct oi_plan *plan = &grant->plan;

    if (!grant->account || plan->monthly == 0 || plan->cost != OI_COST_CREDITS ||
        grant->cost == OI_COST_CREDITS || plan->per_row == 0 || rows == 0)
        return;
    oi_account_charge(grant->account, access->usage, grant, rows * plan->per_row);
}

void
oi_access_refund(struct oi_access *, struct oi_grant *grant)
{
    if (grant->account && grant->taken > 0)
        oi_account_refund(grant->account, grant);
}

enum oi_key_verdict
oi_access_open_stream(struct oi_access *access, const uint8_t hash[OI_SHA256_SIZE],
                      struct oi_account **ret_account)
{
    enum oi_key_verdict verdict = OI_KEY_FINE;
    struct oi_account *account;

    *ret_account = NULL;
    pthread_rwlock_rdlock(access->lock);
    account = holder(access, hash);
    pthread_rwlock_unlock(access->lock);
    if (!account)
        return OI_KEY_WRONG;
    pthread_mutex_lock(&account->lock);
    if (account->plan.denies_streams)
        verdict = OI_KEY_DENIED;
    else if (account->plan.streams_max > 0 && account->streams >= account->plan.streams_max)
        verdict = OI_KEY_TOO_FAST;
    else
        account->streams++;
    pthread_mutex_unlock(&account->lock);
    if (verdict == OI_KEY_FINE)
        *ret_account = account;
    return verdict;
}

void
oi_access_close_stream(struct oi_account **account)
{
    if (!*account)
        return;
    pthread_mutex_lock(&(*account)->lock);
    (*account)->streams--;
    pthread_mutex_unlock(&(*account)->lock);
    *account = NULL;
}

uint64_t
oi_access_generation(const struct oi_access *access)
{
    return atomic_load(&access->generation);
}

/* "name:port", "[v6]:port" or a bare one, without the port and the brackets. */
static struct oi_slice
host_name(struct oi_slice host)
{
    const char *end;

    if (host.size > 0 && host.data[0] == '[') {
        end = memchr(host.data, ']', host.size);
        return end ? (struct oi_slice){ host.data + 1, (size_t) (end - host.data) - 1 } : host;
    }
    end = host.size > 0 ? memchr(host.data, ':', host.size) : NULL;
    return end ? (struct oi_slice){ host.data, (size_t) (end - host.data) } : host;
}

bool
oi_access_check_host(const struct oi_access *access, const struct oi_slice *host)
{
    struct oi_slice name;

    if (access->is_open || !host || oi_access_has_keys(access))
        return true;
    name = host_name(*host);
    for (size_t i = 0; i < access->host_name_count; i++)
        if (oi_slice_equal_ignoring_case(name, oi_slice_of(access->host_names[i])))
            return true;
    return false;
}

bool
oi_address_is_loopback(const char *address)
{
    return strcmp(address, "::1") == 0 || strcmp(address, "localhost") == 0 ||
           strncmp(address, "127.", 4) == 0;
}
