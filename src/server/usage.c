/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two tables: hash to record, hash and month to amount. Every value ends with its checksum.
 *
 * A full disk must not end a server that only reads, nor open its door: an environment that is
 * there is read without being written, and only one that never was counts as one without keys.
 */
#include "server/usage.h"

#include "base/alloc.h"
#include "base/crc32c.h"
#include "base/random.h"
#include "kv/kv.h"
#include "kv/lmdb_file.h"
#include "server/quota.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define RECORD_VERSION 1
#define RECORD_SIZE (1 + 1 + 8 + 8 + OI_KEY_NAME_SIZE + OI_KEY_PLAN_SIZE + 4)
#define AMOUNT_SIZE (1 + 8 + 4)
#define ACCOUNT_SIZE (OI_SHA256_SIZE + 4)
#define PATH_SIZE 4096
#define PREFIX_SIZE_MAX 32
#define SECRET_SIZE 20
/* A hundred thousand keys with a year of months take a quarter of it; it grows where needed. */
#define MAP_SIZE ((size_t) 64 << 20)

enum { TABLE_KEYS, TABLE_AMOUNTS };
static const char *const tables[] = { "keys", "amounts" };

#define RETRY_NS OI_SECOND

struct oi_usage {
    const struct oi_kv_engine *engine;
    char *path;
    atomic_llong next_retry_ns;

    pthread_rwlock_t lock; /* over what follows; held by readers for a whole transaction */
    struct oi_kv *kv;      /* NULL: never made, or lost */
    enum oi_usage_state state;
    struct oi_error reason; /* why it is not OI_USAGE_OPEN */
};

static void
put_u64(uint8_t *at, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        at[i] = (uint8_t) (value >> (8 * i));
}

static uint64_t
get_u64(const uint8_t *at)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < 8; i++)
        value |= (uint64_t) at[i] << (8 * i);
    return value;
}

static void
put_u32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t) (value >> (8 * i));
}

static void
seal(uint8_t *bytes, size_t size)
{
    put_u32(bytes + size - 4, oi_crc32c(0, bytes, size - 4));
}

/* Is it whole, of this size and of our version? */
static enum oi_status
unseal(struct oi_slice value, size_t size, struct oi_error *error)
{
    uint8_t crc[4];

    if (value.size != size)
        return oi_fail(error, OI_E_CORRUPT, "a record in usage/ has another size");
    put_u32(crc, oi_crc32c(0, value.data, size - 4));
    if (memcmp(crc, value.data + size - 4, 4) != 0 || value.data[0] != RECORD_VERSION)
        return oi_fail(error, OI_E_CORRUPT, "a record in usage/ is damaged or of a newer version");
    return OI_OK;
}

void
oi_key_id(const uint8_t hash[OI_SHA256_SIZE], char ret_id[OI_KEY_ID_SIZE])
{
    for (unsigned i = 0; i < (OI_KEY_ID_SIZE - 1) / 2; i++)
        (void) snprintf(ret_id + 2 * (size_t) i, 3, "%02x", hash[i]);
}

/* Was nothing ever committed there? Then there was never a key either. */
static bool
was_never_made(const char *path)
{
    struct stat facts;
    char file[PATH_SIZE];

    if (snprintf(file, sizeof(file), "%s/data.mdb", path) >= (int) sizeof(file))
        return false;
    if (stat(file, &facts) != 0)
        return errno == ENOENT;
    return facts.st_size == 0 || oi_lmdb_file_is_unborn(path);
}

static enum oi_status
make_and_open(struct oi_usage *usage, struct oi_kv **ret_kv, struct oi_error *error)
{
    const struct oi_kv_options options = { .map_size = MAP_SIZE,
                                           .table_count = OI_COUNT(tables),
                                           .tables = tables };

    if (mkdir(usage->path, 0700) != 0 && errno != EEXIST)
        return oi_fail(error, errno == ENOSPC || errno == EDQUOT ? OI_E_FULL : OI_E_IO,
                       "cannot make %s: %s", usage->path, strerror(errno));
    return usage->engine->open(usage->path, &options, ret_kv, error);
}

/* Open it as well as it can be, under the lock and with none open. On failure nothing changes. */
static enum oi_status
open_best(struct oi_usage *usage, struct oi_error *error)
{
    const struct oi_kv_options options = { .map_size = MAP_SIZE,
                                           .is_read_only = true,
                                           .table_count = OI_COUNT(tables),
                                           .tables = tables };
    struct oi_error reason = {};
    struct oi_kv *kv = NULL;
    enum oi_status status = make_and_open(usage, &kv, &reason);
    enum oi_usage_state state = OI_USAGE_OPEN;

    if (status == OI_E_FULL && was_never_made(usage->path)) {
        state = OI_USAGE_NEVER_MADE;
    } else if (status == OI_E_FULL || status == OI_E_DENIED) {
        OI_TRY(usage->engine->open(usage->path, &options, &kv, error));
        state = OI_USAGE_READ_ONLY;
    } else if (status != OI_OK) {
        return oi_fail(error, status, "%s", reason.message);
    }
    usage->kv = kv;
    usage->state = state;
    usage->reason = reason;
    usage->reason.status = status;
    return OI_OK;
}

enum oi_status
oi_usage_open(const char *folder, struct oi_usage **ret_usage, struct oi_error *error)
{
    struct oi_usage *usage;
    enum oi_status status;
    char path[PATH_SIZE];

    if (snprintf(path, sizeof(path), "%s/usage", folder) >= (int) sizeof(path))
        return oi_fail(error, OI_E_INVALID, "the data folder's name is too long");
    usage = oi_alloc_zero(1, sizeof(*usage));
    usage->engine = &oi_kv_lmdb;
    usage->path = oi_copy_text(oi_slice_of(path));
    pthread_rwlock_init(&usage->lock, NULL);
    status = open_best(usage, error);
    if (status != OI_OK) {
        oi_usage_close(&usage);
        return status;
    }
    *ret_usage = usage;
    return OI_OK;
}

void
oi_usage_close(struct oi_usage **usage)
{
    if (!usage || !*usage)
        return;
    (*usage)->engine->close(&(*usage)->kv);
    pthread_rwlock_destroy(&(*usage)->lock);
    oi_free((*usage)->path);
    oi_free(*usage);
    *usage = NULL;
}

enum oi_usage_state
oi_usage_state(struct oi_usage *usage, struct oi_error *reason)
{
    enum oi_usage_state state;

    pthread_rwlock_rdlock(&usage->lock);
    state = usage->state;
    if (reason && state != OI_USAGE_OPEN)
        *reason = usage->reason;
    pthread_rwlock_unlock(&usage->lock);
    return state;
}

bool
oi_usage_retry(struct oi_usage *usage, int64_t monotonic_ns)
{
    long long due = atomic_load(&usage->next_retry_ns);
    struct oi_error error = {};
    enum oi_usage_state before = oi_usage_state(usage, NULL);
    enum oi_status status;
    bool is_open;

    if (before == OI_USAGE_OPEN || monotonic_ns < due ||
        !atomic_compare_exchange_strong(&usage->next_retry_ns, &due, monotonic_ns + RETRY_NS))
        return false;
    pthread_rwlock_wrlock(&usage->lock);
    usage->engine->close(&usage->kv); /* first: a process may have it open but once */
    status = open_best(usage, &error);
    if (status != OI_OK)
        usage->reason = error;
    /* What was there and is gone is no reason to let everybody in. */
    if (before != OI_USAGE_NEVER_MADE && (status != OI_OK || usage->state == OI_USAGE_NEVER_MADE))
        usage->state = OI_USAGE_LOST;
    is_open = usage->state == OI_USAGE_OPEN;
    pthread_rwlock_unlock(&usage->lock);
    return is_open;
}

uint64_t
oi_usage_version(struct oi_usage *usage)
{
    uint64_t version;

    pthread_rwlock_rdlock(&usage->lock);
    version = usage->kv ? usage->engine->last_commit(usage->kv) : 0;
    pthread_rwlock_unlock(&usage->lock);
    return version;
}

/* Begin a transaction and hold the environment. *ret_txn is NULL where reading finds none made. */
static enum oi_status
begin(struct oi_usage *usage, enum oi_kv_mode mode, struct oi_kv_txn **ret_txn,
      struct oi_error *error)
{
    enum oi_status status = OI_OK;

    pthread_rwlock_rdlock(&usage->lock);
    if (usage->kv && (mode == OI_KV_READ || usage->state == OI_USAGE_OPEN))
        status = usage->engine->begin(usage->kv, mode, ret_txn, error);
    else if (mode == OI_KV_READ && usage->state == OI_USAGE_NEVER_MADE)
        *ret_txn = NULL;
    else
        status = oi_fail(error, usage->reason.status, "%s", usage->reason.message);
    if (status != OI_OK)
        pthread_rwlock_unlock(&usage->lock);
    return status;
}

static enum oi_status
commit(struct oi_usage *usage, struct oi_kv_txn **txn, struct oi_error *error)
{
    enum oi_status status = usage->engine->commit(txn, error);

    pthread_rwlock_unlock(&usage->lock);
    return status;
}

static void
give_up(struct oi_usage *usage, struct oi_kv_txn **txn)
{
    usage->engine->abort(txn);
    pthread_rwlock_unlock(&usage->lock);
}

static void
write_record(const struct oi_key_record *record, uint8_t bytes[RECORD_SIZE])
{
    memset(bytes, 0, RECORD_SIZE);
    bytes[0] = RECORD_VERSION;
    bytes[1] = record->is_operator;
    put_u64(bytes + 2, (uint64_t) record->created);
    put_u64(bytes + 10, (uint64_t) record->revoked);
    memcpy(bytes + 18, record->name, strnlen(record->name, OI_KEY_NAME_SIZE - 1));
    memcpy(bytes + 18 + OI_KEY_NAME_SIZE, record->plan,
           strnlen(record->plan, OI_KEY_PLAN_SIZE - 1));
    seal(bytes, RECORD_SIZE);
}

static enum oi_status
read_record(struct oi_slice key, struct oi_slice value, struct oi_key_record *ret_record,
            struct oi_error *error)
{
    const uint8_t *bytes = (const uint8_t *) value.data;
    struct oi_key_record record = {};

    OI_TRY(unseal(value, RECORD_SIZE, error));
    if (key.size != OI_SHA256_SIZE)
        return oi_fail(error, OI_E_CORRUPT, "a key's hash in usage/ has another size");
    memcpy(record.hash, key.data, OI_SHA256_SIZE);
    record.is_operator = bytes[1] != 0;
    record.created = (oi_time) get_u64(bytes + 2);
    record.revoked = (oi_time) get_u64(bytes + 10);
    memcpy(record.name, bytes + 18, OI_KEY_NAME_SIZE - 1);
    memcpy(record.plan, bytes + 18 + OI_KEY_NAME_SIZE, OI_KEY_PLAN_SIZE - 1);
    *ret_record = record;
    return OI_OK;
}

enum oi_status
oi_usage_put_key(struct oi_usage *usage, const struct oi_key_record *record, struct oi_error *error)
{
    struct oi_kv_txn *txn = NULL;
    uint8_t bytes[RECORD_SIZE];
    enum oi_status status;

    write_record(record, bytes);
    OI_TRY(begin(usage, OI_KV_WRITE, &txn, error));
    status = usage->engine->put(txn, TABLE_KEYS,
                                (struct oi_slice){ (const char *) record->hash, OI_SHA256_SIZE },
                                (struct oi_slice){ (const char *) bytes, sizeof(bytes) }, error);
    if (status == OI_OK)
        return commit(usage, &txn, error);
    give_up(usage, &txn);
    return status;
}

enum oi_status
oi_usage_forget_key(struct oi_usage *usage, const struct oi_key_record *record,
                    struct oi_error *error)
{
    struct oi_kv_txn *txn = NULL;
    enum oi_status status;

    OI_TRY(begin(usage, OI_KV_WRITE, &txn, error));
    status = usage->engine->remove(
        txn, TABLE_KEYS, (struct oi_slice){ (const char *) record->hash, OI_SHA256_SIZE }, error);
    if (status == OI_OK)
        return commit(usage, &txn, error);
    give_up(usage, &txn);
    return status;
}

static bool
is_prefix(const char *prefix)
{
    size_t size = strlen(prefix);

    for (size_t i = 0; i < size; i++) {
        char c = prefix[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return false;
    }
    return size <= PREFIX_SIZE_MAX;
}

enum oi_status
oi_usage_add_key(struct oi_usage *usage, const char *prefix, struct oi_key_record *record,
                 char ret_key[OI_KEY_TEXT_SIZE], struct oi_error *error)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer text = {};
    uint8_t secret[SECRET_SIZE];
    enum oi_status status;

    if (!is_prefix(prefix))
        return oi_fail(error, OI_E_INVALID,
                       "a prefix has letters, digits, - and _, and at most %d of them",
                       PREFIX_SIZE_MAX);
    oi_random_secret(secret, sizeof(secret));
    oi_buffer_add_text(&text, prefix);
    oi_hex((struct oi_slice){ (const char *) secret, sizeof(secret) }, &text);
    oi_sha256(oi_buffer_slice(&text), record->hash);
    status = oi_usage_put_key(usage, record, error);
    if (status == OI_OK) {
        memcpy(ret_key, text.data, text.size);
        ret_key[text.size] = '\0';
    }
    explicit_bzero(secret, sizeof(secret));
    explicit_bzero(text.data, text.size);
    return status;
}

static int
compare_created(const void *left, const void *right)
{
    const struct oi_key_record *a = left, *b = right;

    return a->created < b->created ? -1 : a->created > b->created;
}

static enum oi_status
collect(struct oi_usage *usage, struct oi_kv_cursor *cursor, struct oi_key_records *records,
        struct oi_error *error)
{
    struct oi_slice key, value;
    enum oi_status status =
        usage->engine->seek(cursor, (struct oi_slice){ "", 0 }, &key, &value, error);

    while (status == OI_OK) {
        struct oi_key_record record;

        OI_TRY(read_record(key, value, &record, error));
        oi_vector_push(&records->items, record);
        status = usage->engine->next(cursor, &key, &value, error);
    }
    return status == OI_E_NOT_FOUND ? OI_OK : status;
}

enum oi_status
oi_usage_list_keys(struct oi_usage *usage, struct oi_key_records *records, struct oi_error *error)
{
    struct oi_kv_cursor *cursor = NULL;
    struct oi_kv_txn *txn = NULL;
    enum oi_status status;

    OI_TRY(begin(usage, OI_KV_READ, &txn, error));
    status = txn ? usage->engine->cursor_open(txn, TABLE_KEYS, &cursor, error) : OI_OK;
    if (cursor)
        status = collect(usage, cursor, records, error);
    usage->engine->cursor_close(&cursor);
    give_up(usage, &txn);
    if (status == OI_OK && records->items.count > 1)
        qsort(records->items.items, records->items.count, sizeof(struct oi_key_record),
              compare_created);
    return status;
}

static struct oi_slice
account_key(const struct oi_usage_account *account, uint8_t bytes[ACCOUNT_SIZE])
{
    memcpy(bytes, account->hash, OI_SHA256_SIZE);
    put_u32(bytes + OI_SHA256_SIZE, account->month);
    return (struct oi_slice){ (const char *) bytes, ACCOUNT_SIZE };
}

static enum oi_status
read_amount(struct oi_usage *usage, struct oi_kv_txn *txn, struct oi_slice key,
            uint64_t *ret_amount, struct oi_error *error)
{
    struct oi_slice value;
    enum oi_status status =
        txn ? usage->engine->get(txn, TABLE_AMOUNTS, key, &value, error) : OI_E_NOT_FOUND;

    if (status == OI_E_NOT_FOUND) {
        *ret_amount = 0;
        return OI_OK;
    }
    OI_TRY(status);
    OI_TRY(unseal(value, AMOUNT_SIZE, error));
    *ret_amount = get_u64((const uint8_t *) value.data + 1);
    return OI_OK;
}

enum oi_status
oi_usage_reserved(struct oi_usage *usage, const struct oi_usage_account *account,
                  uint64_t *ret_reserved, struct oi_error *error)
{
    uint8_t key[ACCOUNT_SIZE];
    struct oi_kv_txn *txn = NULL;
    enum oi_status status;

    OI_TRY(begin(usage, OI_KV_READ, &txn, error));
    status = read_amount(usage, txn, account_key(account, key), ret_reserved, error);
    give_up(usage, &txn);
    return status;
}

static enum oi_status
put_amount(struct oi_usage *usage, struct oi_kv_txn *txn, struct oi_slice key, uint64_t amount,
           struct oi_error *error)
{
    uint8_t value[AMOUNT_SIZE] = { RECORD_VERSION };

    put_u64(value + 1, amount);
    seal(value, sizeof(value));
    return usage->engine->put(txn, TABLE_AMOUNTS, key,
                              (struct oi_slice){ (const char *) value, sizeof(value) }, error);
}

enum oi_status
oi_usage_reserve(struct oi_usage *usage, const struct oi_usage_account *account,
                 const struct oi_usage_wish *wish, uint64_t *ret_more, uint64_t *ret_reserved,
                 struct oi_error *error)
{
    uint8_t bytes[ACCOUNT_SIZE];
    struct oi_slice key = account_key(account, bytes);
    struct oi_kv_txn *txn = NULL;
    uint64_t reserved = 0, more = 0;
    enum oi_status status;

    OI_TRY(begin(usage, OI_KV_WRITE, &txn, error));
    status = read_amount(usage, txn, key, &reserved, error);
    if (status == OI_OK &&
        !oi_block_reserve(wish->limit, reserved, wish->missing, wish->block, &more)) {
        give_up(usage, &txn);
        return oi_fail(error, OI_E_NOT_FOUND, "the month is used up");
    }
    if (status == OI_OK)
        status = put_amount(usage, txn, key, reserved + more, error);
    if (status != OI_OK) {
        give_up(usage, &txn);
        return status;
    }
    OI_TRY(commit(usage, &txn, error));
    *ret_more = more;
    *ret_reserved = reserved + more;
    return OI_OK;
}

enum oi_status
oi_usage_give_back(struct oi_usage *usage, const struct oi_usage_account *account, uint64_t amount,
                   struct oi_error *error)
{
    uint8_t bytes[ACCOUNT_SIZE];
    struct oi_slice key = account_key(account, bytes);
    struct oi_kv_txn *txn = NULL;
    uint64_t reserved;
    enum oi_status status;

    OI_TRY(begin(usage, OI_KV_WRITE, &txn, error));
    status = read_amount(usage, txn, key, &reserved, error);
    if (status == OI_OK)
        status = put_amount(usage, txn, key, reserved > amount ? reserved - amount : 0, error);
    if (status == OI_OK)
        return commit(usage, &txn, error);
    give_up(usage, &txn);
    return status;
}

uint32_t
oi_usage_month(oi_time now)
{
    struct oi_civil civil = oi_time_to_civil(now);

    return (uint32_t) (civil.year * 100 + civil.month);
}

oi_time
oi_usage_month_end(oi_time now)
{
    struct oi_civil civil = oi_time_to_civil(now);
    struct oi_civil next = { .year = civil.year, .month = civil.month + 1, .day = 1 };
    oi_time end = now;

    if (next.month == 13) {
        next.year++;
        next.month = 1;
    }
    return oi_time_from_civil(&next, &end, NULL) == OI_OK ? end : OI_TIME_LATEST;
}
