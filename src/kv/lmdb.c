/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: LMDB, with its traps handled. Its memory map has a size that must be known ahead: it
 * is grown here, before it is full where possible, which needs a moment without any transaction of
 * this process; hence every transaction is counted. A file that is shorter than its newest commit
 * says would be a SIGBUS on the first read: it is measured at open. Slots of readers that died are
 * cleared at open and now and then. After a failed write of its head LMDB refuses everything for
 * good: then the environment is opened anew.
 */
#include "base/alloc.h"
#include "base/slice.h"
#include "base/status.h"
#include "kv/kv.h"
#include "kv/lmdb_file.h"
#include "kv/turnstile.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <string.h>
#include <sys/stat.h>

/* The first size of the map: address space, not memory; far above what a store needs in years. */
#define MAP_SIZE_DEFAULT ((size_t) 1 << 36)
/* The map doubles up to here; half the address space of a process is not ours to take. */
#define MAP_SIZE_MAX ((size_t) 1 << 45)
/* A slot for each concurrent read transaction of any process; 64 bytes each. */
#define READERS_MAX 2046
/* Dead readers are looked for once in so many write transactions: a check reads every slot. */
#define READER_CHECK_PERIOD 256
#define FILE_MODE 0640

struct oi_kv {
    MDB_env *environment;
    MDB_dbi tables[OI_KV_TABLES_MAX];
    bool is_there[OI_KV_TABLES_MAX]; /* a read-only environment may lack a table: it is empty */
    char *names[OI_KV_TABLES_MAX], *folder;
    unsigned table_count;
    bool is_read_only;
    bool is_lost; /* opening it anew failed; changes only while nothing is open */

    struct oi_turnstile turnstile; /* its lock guards all below */
    size_t map_size;
    size_t map_size_wanted; /* above map_size: grow at the next quiet moment */
    uint64_t writes;
};

struct oi_kv_cursor {
    struct oi_kv_txn *txn; /* NULL once that has ended */
    MDB_cursor *cursor;    /* NULL for a table that is not there */
    struct oi_kv_cursor *next, *previous;
};

struct oi_kv_txn {
    struct oi_kv *kv;
    MDB_txn *txn;
    enum oi_kv_mode mode;
    bool is_full; /* a put met the end of the map: commit cannot succeed */
    size_t put_bytes;
    struct oi_kv_cursor *cursors;
};

static enum oi_status
fail_lmdb(struct oi_error *error, int code, const char *doing)
{
    static const struct {
        enum oi_status status;
        int codes[5];
    } meanings[] = {
        { OI_E_NOT_FOUND, { MDB_NOTFOUND, ENOENT } },
        { OI_E_INVALID, { MDB_BAD_VALSIZE } },
        { OI_E_FULL, { MDB_MAP_FULL, MDB_TXN_FULL, ENOSPC, EDQUOT } },
        { OI_E_BUSY, { MDB_READERS_FULL, EAGAIN, EBUSY } },
        { OI_E_CORRUPT,
          { MDB_INVALID, MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_VERSION_MISMATCH,
            MDB_INCOMPATIBLE } },
        { OI_E_DENIED, { EACCES, EPERM, EROFS } },
    };
    enum oi_status status = OI_E_IO;

    if (code == 0)
        return OI_OK;
    for (size_t i = 0; i < OI_COUNT(meanings); i++)
        for (size_t k = 0; k < OI_COUNT(meanings[i].codes); k++)
            if (meanings[i].codes[k] == code)
                status = meanings[i].status;
    return oi_fail(error, status, "%s: %s", doing, mdb_strerror(code));
}

/*
 * The map and the transactions that are open on it.
 */

/* Replace the map by a larger one; 0: of the size that another process has set. Only with the mutex
 * held and nothing open. */
static int
replace_map(struct oi_kv *kv, size_t size)
{
    int code = kv->is_lost ? MDB_PANIC : mdb_env_set_mapsize(kv->environment, size);
    MDB_envinfo info;

    if (code == 0) {
        mdb_env_info(kv->environment, &info);
        kv->map_size = info.me_mapsize;
    }
    return code;
}

/* Grow as wanted if this is a quiet moment. Growing can fail (address space): then later. */
static void
grow_if_quiet(struct oi_kv *kv)
{
    if (kv->turnstile.open_count > 0 || kv->map_size_wanted <= kv->map_size)
        return;
    (void) replace_map(kv, kv->map_size_wanted);
    kv->map_size_wanted = 0;
}

/* Ask for a map of twice the size and room for another `put_bytes` in any case. */
static void
want_larger_map(struct oi_kv *kv, size_t put_bytes)
{
    size_t wanted;

    if (kv->map_size >= MAP_SIZE_MAX)
        return;
    if (__builtin_mul_overflow(put_bytes, (size_t) 4, &wanted) || wanted > MAP_SIZE_MAX)
        wanted = MAP_SIZE_MAX;
    wanted += kv->map_size * 2;
    if (wanted > MAP_SIZE_MAX)
        wanted = MAP_SIZE_MAX;
    if (kv->map_size_wanted < wanted)
        kv->map_size_wanted = wanted;
}

/* Count a transaction in; first let a waiting change of the map happen. */
static void
enter(struct oi_kv *kv, enum oi_kv_mode mode)
{
    oi_turnstile_lock(&kv->turnstile);
    oi_turnstile_pass(&kv->turnstile);
    if (kv->map_size_wanted > kv->map_size && mode == OI_KV_WRITE)
        (void) oi_turnstile_wait_until_quiet(&kv->turnstile);
    grow_if_quiet(kv);
    if (mode == OI_KV_WRITE && kv->writes++ % READER_CHECK_PERIOD == 0 && !kv->is_lost)
        mdb_reader_check(kv->environment, NULL);
    oi_turnstile_count_in(&kv->turnstile);
    oi_turnstile_unlock(&kv->turnstile);
}

static void
leave(struct oi_kv *kv)
{
    oi_turnstile_lock(&kv->turnstile);
    oi_turnstile_count_out(&kv->turnstile);
    grow_if_quiet(kv);
    oi_turnstile_unlock(&kv->turnstile);
}

/* Another process has grown the map: take its size over. */
static int
adopt_map(struct oi_kv *kv)
{
    return replace_map(kv, 0);
}

/* Change the environment at a quiet moment; EBUSY when there is none. */
static int
change_when_quiet(struct oi_kv *kv, int (*change)(struct oi_kv *kv))
{
    int code = EBUSY;

    oi_turnstile_lock(&kv->turnstile);
    if (oi_turnstile_wait_until_quiet(&kv->turnstile))
        code = change(kv);
    oi_turnstile_unlock(&kv->turnstile);
    return code;
}

/*
 * The environment.
 */

static unsigned
flags_of(const struct oi_kv *kv)
{
    return MDB_NOTLS | (kv->is_read_only ? MDB_RDONLY : 0);
}

/* Does the file hold every page that its newest commit counts? */
static enum oi_status
check_file_size(struct oi_kv *kv, struct oi_error *error)
{
    struct stat status;
    MDB_envinfo info;
    MDB_stat stat;
    mdb_filehandle_t file;
    uint64_t size;

    mdb_env_info(kv->environment, &info);
    mdb_env_stat(kv->environment, &stat);
    mdb_env_get_fd(kv->environment, &file);
    if (fstat(file, &status) != 0)
        return fail_lmdb(error, errno, "measuring the database file");
    size = ((uint64_t) info.me_last_pgno + 1) * stat.ms_psize;
    if ((uint64_t) status.st_size < size)
        return oi_fail(error, OI_E_CORRUPT, "the database file is cut: %llu bytes instead of %llu",
                       (unsigned long long) status.st_size, (unsigned long long) size);
    return OI_OK;
}

static int
make_environment(const struct oi_kv *kv, MDB_env **ret_environment)
{
    int code = mdb_env_create(ret_environment);

    if (code != 0)
        return code;
    mdb_env_set_mapsize(*ret_environment, kv->map_size);
    mdb_env_set_maxdbs(*ret_environment, OI_KV_TABLES_MAX);
    mdb_env_set_maxreaders(*ret_environment, READERS_MAX);
    return 0;
}

static int
open_again(struct oi_kv *kv)
{
    MDB_txn *txn = NULL;
    int code = mdb_env_open(kv->environment, kv->folder, flags_of(kv), FILE_MODE);

    if (code == 0 && check_file_size(kv, NULL) != OI_OK)
        code = MDB_CORRUPTED;
    if (code == 0)
        code = mdb_txn_begin(kv->environment, NULL, MDB_RDONLY, &txn);
    for (unsigned i = 0; code == 0 && i < kv->table_count; i++)
        if (kv->is_there[i])
            code = mdb_dbi_open(txn, kv->names[i], 0, &kv->tables[i]);
    if (code == 0)
        return mdb_txn_commit(txn); /* keeps the tables' handles */
    if (txn)
        mdb_txn_abort(txn);
    return code;
}

/* LMDB has given the environment up: replace it, unless another thread has done so. */
static int
replace_environment(struct oi_kv *kv)
{
    MDB_env *fresh = NULL;
    MDB_txn *probe = NULL;
    int code = kv->is_lost ? MDB_PANIC : mdb_txn_begin(kv->environment, NULL, MDB_RDONLY, &probe);

    if (code == 0)
        mdb_txn_abort(probe);
    if (code == MDB_PANIC)
        code = make_environment(kv, &fresh);
    if (!fresh)
        return code;
    mdb_env_close(kv->environment); /* first: a process may have it open but once */
    kv->environment = fresh;
    code = open_again(kv);
    kv->is_lost = code != 0;
    return code;
}

static enum oi_status
kv_begin(struct oi_kv *kv, enum oi_kv_mode mode, struct oi_kv_txn **ret_txn, struct oi_error *error)
{
    unsigned flags = mode == OI_KV_READ ? MDB_RDONLY : 0;
    MDB_txn *begun = NULL;
    struct oi_kv_txn *txn;
    int code = 0;

    if (kv->is_read_only && mode == OI_KV_WRITE)
        return oi_fail(error, OI_E_DENIED, "the database was opened to be read only");
    for (int attempt = 0; attempt < 3; attempt++) {
        enter(kv, mode);
        code = kv->is_lost ? MDB_PANIC : mdb_txn_begin(kv->environment, NULL, flags, &begun);
        if (code == 0)
            break;
        if (code == MDB_READERS_FULL)
            mdb_reader_check(kv->environment, NULL);
        leave(kv);
        if (code == MDB_MAP_RESIZED)
            code = change_when_quiet(kv, adopt_map);
        else if (code == MDB_PANIC)
            code = change_when_quiet(kv, replace_environment);
        else if (code != MDB_READERS_FULL)
            break;
        if (code != 0 && code != MDB_READERS_FULL)
            break;
    }
    if (!begun)
        return fail_lmdb(error, code ? code : EBUSY, "beginning a transaction");
    txn = oi_alloc_zero(1, sizeof(*txn));
    txn->kv = kv;
    txn->txn = begun;
    txn->mode = mode;
    *ret_txn = txn;
    return OI_OK;
}

/* A write transaction closes its cursors by itself when it ends, a read transaction does not: close
 * them all before, so that ours are merely empty and can be closed at any time. */
static void
detach_cursors(struct oi_kv_txn *txn)
{
    for (struct oi_kv_cursor *cursor = txn->cursors; cursor; cursor = cursor->next) {
        if (cursor->cursor)
            mdb_cursor_close(cursor->cursor);
        cursor->cursor = NULL;
        cursor->txn = NULL;
    }
    txn->cursors = NULL;
}

static void
kv_abort(struct oi_kv_txn **txn)
{
    struct oi_kv_txn *ended = *txn;

    if (!ended)
        return;
    *txn = NULL;
    detach_cursors(ended);
    mdb_txn_abort(ended->txn);
    leave(ended->kv);
    oi_free(ended);
}

/* The smallest is 0, before the first commit. */
static uint64_t
kv_snapshot(const struct oi_kv_txn *txn)
{
    return txn->mode == OI_KV_READ ? mdb_txn_id(txn->txn) + 1 : 0;
}

/* Pages that a transaction took at the end of the file and gave back are counted by its commit but
 * never written. The size check at open could not tell such a file from a cut one, so the file is
 * lengthened; fallocate never shortens, whatever other writers do meanwhile. */
static void
fill_up_file(struct oi_kv *kv, const MDB_envinfo *info)
{
    struct stat status;
    MDB_stat stat;
    mdb_filehandle_t file;
    off_t size;

    if (mdb_env_get_fd(kv->environment, &file) != 0 || fstat(file, &status) != 0)
        return;
    mdb_env_stat(kv->environment, &stat);
    size = (off_t) ((info->me_last_pgno + 1) * stat.ms_psize);
    if (status.st_size < size)
        (void) posix_fallocate(file, status.st_size, size - status.st_size);
}

/* A disk that fills up in the midst of a write has written a part, which LMDB reports as EIO: look
 * whether there is room. */
static int
tell_full_disk(struct oi_kv *kv, int code, size_t put_bytes)
{
    mdb_filehandle_t file;

    if (code == EIO && mdb_env_get_fd(kv->environment, &file) == 0 &&
        oi_lmdb_file_is_crowded(file, put_bytes))
        return ENOSPC;
    return code;
}

static enum oi_status
kv_commit(struct oi_kv_txn **txn, struct oi_error *error)
{
    struct oi_kv_txn *ended = *txn;
    struct oi_kv *kv = ended->kv;
    MDB_envinfo info;
    MDB_stat stat;
    int code;

    if (ended->mode == OI_KV_READ) {
        kv_abort(txn);
        return OI_OK;
    }
    *txn = NULL;
    detach_cursors(ended);
    if (ended->is_full) {
        mdb_txn_abort(ended->txn);
        code = MDB_MAP_FULL;
    } else {
        code = tell_full_disk(kv, mdb_txn_commit(ended->txn), ended->put_bytes);
    }
    oi_turnstile_lock(&kv->turnstile);
    if (code == 0) {
        mdb_env_info(kv->environment, &info);
        mdb_env_stat(kv->environment, &stat);
        fill_up_file(kv, &info);
        if (info.me_last_pgno > info.me_mapsize / stat.ms_psize / 4 * 3)
            want_larger_map(kv, 0);
    } else if (code == MDB_MAP_FULL) {
        want_larger_map(kv, ended->put_bytes);
    }
    oi_turnstile_unlock(&kv->turnstile);
    leave(kv);
    oi_free(ended);
    return fail_lmdb(error, code, "committing");
}

static uint64_t
kv_last_commit(struct oi_kv *kv)
{
    MDB_envinfo info;

    oi_turnstile_lock(&kv->turnstile); /* the newest commit is read from the map */
    if (kv->is_lost)
        info.me_last_txnid = 0;
    else
        mdb_env_info(kv->environment, &info);
    oi_turnstile_unlock(&kv->turnstile);
    return info.me_last_txnid;
}

/*
 * Entries.
 */

static MDB_val
to_value(struct oi_slice slice)
{
    return (MDB_val){ .mv_size = slice.size, .mv_data = (void *) (uintptr_t) slice.data };
}

static struct oi_slice
to_slice(MDB_val value)
{
    return (struct oi_slice){ .data = value.mv_data, .size = value.mv_size };
}

static enum oi_status
kv_get(struct oi_kv_txn *txn, unsigned table, struct oi_slice key, struct oi_slice *ret_value,
       struct oi_error *error)
{
    MDB_val wanted = to_value(key), value;
    int code = MDB_NOTFOUND;

    oi_assert(table < txn->kv->table_count);
    if (txn->kv->is_there[table])
        code = mdb_get(txn->txn, txn->kv->tables[table], &wanted, &value);
    if (code != 0)
        return fail_lmdb(error, code, "reading an entry");
    *ret_value = to_slice(value);
    return OI_OK;
}

static enum oi_status
kv_put(struct oi_kv_txn *txn, unsigned table, struct oi_slice key, struct oi_slice value,
       struct oi_error *error)
{
    MDB_val place = to_value(key), content = to_value(value);
    int code;

    oi_assert(table < txn->kv->table_count);
    oi_assert(txn->mode == OI_KV_WRITE);
    if (txn->is_full)
        return fail_lmdb(error, MDB_MAP_FULL, "writing an entry");
    code = mdb_put(txn->txn, txn->kv->tables[table], &place, &content, 0);
    txn->put_bytes += key.size + value.size;
    if (code == MDB_MAP_FULL)
        txn->is_full = true;
    return fail_lmdb(error, code, "writing an entry");
}

static enum oi_status
kv_remove(struct oi_kv_txn *txn, unsigned table, struct oi_slice key, struct oi_error *error)
{
    MDB_val place = to_value(key);
    int code;

    oi_assert(table < txn->kv->table_count);
    oi_assert(txn->mode == OI_KV_WRITE);
    if (txn->is_full)
        return fail_lmdb(error, MDB_MAP_FULL, "removing an entry");
    code = mdb_del(txn->txn, txn->kv->tables[table], &place, NULL);
    if (code == MDB_MAP_FULL)
        txn->is_full = true;
    return code == MDB_NOTFOUND ? OI_OK : fail_lmdb(error, code, "removing an entry");
}

static enum oi_status
kv_cursor_open(struct oi_kv_txn *txn, unsigned table, struct oi_kv_cursor **ret_cursor,
               struct oi_error *error)
{
    struct oi_kv_cursor *cursor;
    MDB_cursor *opened = NULL;

    oi_assert(table < txn->kv->table_count);
    if (txn->kv->is_there[table]) {
        int code = mdb_cursor_open(txn->txn, txn->kv->tables[table], &opened);

        if (code != 0)
            return fail_lmdb(error, code, "opening a cursor");
    }
    cursor = oi_alloc_zero(1, sizeof(*cursor));
    cursor->txn = txn;
    cursor->cursor = opened;
    cursor->next = txn->cursors;
    if (cursor->next)
        cursor->next->previous = cursor;
    txn->cursors = cursor;
    *ret_cursor = cursor;
    return OI_OK;
}

static void
kv_cursor_close(struct oi_kv_cursor **cursor)
{
    struct oi_kv_cursor *closed = *cursor;

    if (!closed)
        return;
    *cursor = NULL;
    if (closed->cursor)
        mdb_cursor_close(closed->cursor);
    if (closed->txn) {
        if (closed->previous)
            closed->previous->next = closed->next;
        else
            closed->txn->cursors = closed->next;
        if (closed->next)
            closed->next->previous = closed->previous;
    }
    oi_free(closed);
}

static enum oi_status
move(struct oi_kv_cursor *cursor, MDB_cursor_op operation, MDB_val key, struct oi_slice *ret_key,
     struct oi_slice *ret_value, struct oi_error *error)
{
    MDB_val value;
    int code = MDB_NOTFOUND;

    oi_assert(cursor->txn != NULL);
    if (cursor->cursor)
        code = mdb_cursor_get(cursor->cursor, &key, &value, operation);
    if (code != 0)
        return fail_lmdb(error, code, "moving a cursor");
    *ret_key = to_slice(key);
    *ret_value = to_slice(value);
    return OI_OK;
}

static enum oi_status
kv_seek(struct oi_kv_cursor *cursor, struct oi_slice key, struct oi_slice *ret_key,
        struct oi_slice *ret_value, struct oi_error *error)
{
    MDB_cursor_op operation = key.size > 0 ? MDB_SET_RANGE : MDB_FIRST;

    return move(cursor, operation, to_value(key), ret_key, ret_value, error);
}

static enum oi_status
kv_seek_last(struct oi_kv_cursor *cursor, struct oi_slice *ret_key, struct oi_slice *ret_value,
             struct oi_error *error)
{
    return move(cursor, MDB_LAST, (MDB_val){}, ret_key, ret_value, error);
}

static enum oi_status
kv_next(struct oi_kv_cursor *cursor, struct oi_slice *ret_key, struct oi_slice *ret_value,
        struct oi_error *error)
{
    return move(cursor, MDB_NEXT, (MDB_val){}, ret_key, ret_value, error);
}

static enum oi_status
kv_previous(struct oi_kv_cursor *cursor, struct oi_slice *ret_key, struct oi_slice *ret_value,
            struct oi_error *error)
{
    return move(cursor, MDB_PREV, (MDB_val){}, ret_key, ret_value, error);
}

/*
 * The whole environment.
 */

static enum oi_status
kv_copy(struct oi_kv *kv, const char *folder, struct oi_error *error)
{
    int code;

    enter(kv, OI_KV_READ); /* it reads within a transaction of its own */
    code = mdb_env_copy2(kv->environment, folder, MDB_CP_COMPACT);
    leave(kv);
    return fail_lmdb(error, code, "copying the database");
}

/* Pages that are free: table 0 of LMDB maps a commit to the number of pages it freed, and them. */
static size_t
count_free_pages(MDB_txn *txn)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    size_t count = 0;

    if (mdb_cursor_open(txn, 0, &cursor) != 0)
        return 0;
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        size_t freed;

        memcpy(&freed, value.mv_data, sizeof(freed));
        count += freed;
    }
    mdb_cursor_close(cursor);
    return count;
}

static struct oi_kv_sizes
kv_sizes(struct oi_kv *kv)
{
    struct oi_kv_sizes sizes = {};
    struct oi_kv_txn *txn = NULL;
    uint64_t free_bytes, oldest = UINT64_MAX;
    struct stat status;
    MDB_envinfo info;
    MDB_stat stat;
    mdb_filehandle_t file;

    if (kv_begin(kv, OI_KV_READ, &txn, NULL) != OI_OK || !txn)
        return sizes;
    if (mdb_env_get_fd(kv->environment, &file) == 0 && fstat(file, &status) == 0)
        sizes.file_bytes = (uint64_t) status.st_size;
    mdb_reader_list(kv->environment, oi_lmdb_note_reader, &oldest);
    oi_turnstile_lock(&kv->turnstile);
    mdb_env_info(kv->environment, &info);
    mdb_env_stat(kv->environment, &stat);
    oi_turnstile_unlock(&kv->turnstile);
    sizes.map_bytes = info.me_mapsize;
    sizes.used_bytes = (info.me_last_pgno + 1) * stat.ms_psize;
    if (oldest < info.me_last_txnid)
        sizes.oldest_reader_lag = info.me_last_txnid - oldest;
    free_bytes = (uint64_t) count_free_pages(txn->txn) * stat.ms_psize;
    if (free_bytes < sizes.used_bytes)
        sizes.used_bytes -= free_bytes;
    kv_abort(&txn);
    return sizes;
}

static void
kv_close(struct oi_kv **kv)
{
    struct oi_kv *closed = *kv;

    if (!closed)
        return;
    *kv = NULL;
    oi_assert(closed->turnstile.open_count == 0);
    mdb_env_close(closed->environment);
    for (unsigned i = 0; i < closed->table_count; i++)
        oi_free(closed->names[i]);
    oi_free(closed->folder);
    oi_turnstile_destroy(&closed->turnstile);
    oi_free(closed);
}

/* The first commit makes all tables. Where something was committed and the first one is not there,
 * the page that named them is damaged, and making them anew would hide what is in them. */
static bool
has_lost_tables(MDB_txn *txn, const char *first, bool is_read_only)
{
    size_t commits = mdb_txn_id(txn) - (is_read_only ? 0 : 1);
    MDB_dbi table;

    return commits > 0 && mdb_dbi_open(txn, first, 0, &table) != 0;
}

static enum oi_status
open_tables(struct oi_kv *kv, const struct oi_kv_options *options, struct oi_error *error)
{
    unsigned flags = options->is_read_only ? 0 : MDB_CREATE;
    struct oi_kv_txn *txn = NULL;
    enum oi_status status;

    OI_TRY(kv_begin(kv, options->is_read_only ? OI_KV_READ : OI_KV_WRITE, &txn, error));
    oi_assert(txn);
    if (options->table_count > 0 &&
        has_lost_tables(txn->txn, options->tables[0], options->is_read_only)) {
        kv_abort(&txn);
        return oi_fail(error, OI_E_CORRUPT, "the page that names the tables is damaged");
    }
    for (unsigned i = 0; i < options->table_count; i++) {
        int code = mdb_dbi_open(txn->txn, options->tables[i], flags, &kv->tables[i]);

        kv->is_there[i] = code == 0;
        if (code == 0 || (code == MDB_NOTFOUND && options->is_read_only))
            continue;
        status = fail_lmdb(error, code, "opening a table");
        kv_abort(&txn);
        return status;
    }
    for (unsigned i = 0; i < options->table_count; i++)
        kv->names[i] = oi_copy_text(oi_slice_of(options->tables[i]));
    kv->table_count = options->table_count;
    /* Handles opened in a transaction outlive it only when it is committed, a read one too. */
    if (options->is_read_only) {
        int code = mdb_txn_commit(txn->txn);

        leave(kv);
        oi_free(txn);
        return fail_lmdb(error, code, "opening the tables");
    }
    return kv_commit(&txn, error);
}

static enum oi_status
open_environment(struct oi_kv *kv, const char *folder, const struct oi_kv_options *options,
                 struct oi_error *error)
{
    int code;

    kv->folder = oi_copy_text(oi_slice_of(folder));
    kv->map_size = options->map_size ? options->map_size : MAP_SIZE_DEFAULT;
    code = make_environment(kv, &kv->environment);
    oi_assert(code == 0);
    if (!kv->is_read_only && oi_lmdb_file_is_unborn(folder))
        (void) oi_lmdb_file_empty(folder); /* or it is refused */
    code = oi_lmdb_file_reserve_lock(folder, READERS_MAX);
    if (code == 0)
        code = mdb_env_open(kv->environment, kv->folder, flags_of(kv), FILE_MODE);
    if (code != 0)
        return fail_lmdb(error, code, "opening the database");
    OI_TRY(check_file_size(kv, error));
    mdb_reader_check(kv->environment, NULL);
    return open_tables(kv, options, error);
}

static enum oi_status
kv_open(const char *folder, const struct oi_kv_options *options, struct oi_kv **ret_kv,
        struct oi_error *error)
{
    struct oi_kv *kv = oi_alloc_zero(1, sizeof(*kv));
    enum oi_status status;

    oi_assert(options->table_count <= OI_KV_TABLES_MAX);
    kv->is_read_only = options->is_read_only;
    oi_turnstile_init(&kv->turnstile);
    status = open_environment(kv, folder, options, error);
    if (status != OI_OK) {
        kv_close(&kv);
        return status;
    }
    *ret_kv = kv;
    return OI_OK;
}

const struct oi_kv_engine oi_kv_lmdb = {
    .name = "lmdb",
    .open = kv_open,
    .close = kv_close,
    .begin = kv_begin,
    .commit = kv_commit,
    .abort = kv_abort,
    .last_commit = kv_last_commit,
    .snapshot = kv_snapshot,
    .get = kv_get,
    .put = kv_put,
    .remove = kv_remove,
    .cursor_open = kv_cursor_open,
    .cursor_close = kv_cursor_close,
    .seek = kv_seek,
    .seek_last = kv_seek_last,
    .next = kv_next,
    .previous = kv_previous,
    .copy = kv_copy,
    .sizes = kv_sizes,
};
