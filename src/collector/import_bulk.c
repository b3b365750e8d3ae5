/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two groups of pieces are under way: one is parsed, sorted and encoded while the disk is waited
 * for with the one before it. Where a group meets new markets they are resolved on the way to its
 * commit, and it is sorted and encoded behind that, while the next one is parsed.
 * What is counted and reported happens between, on the calling thread, in the order of the file.
 */
#include "collector/import_bulk.h"

#include "archives/piece.h"
#include "base/fingerprint.h"
#include "base/map.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILE_SIZE_MIN ((uint64_t) 4 << 20)
#define PIECE_SIZE ((uint64_t) 1 << 20)
/* About so many rows are a commit: the more, the longer the chunks of a file by time. Two groups,
 * and what is made of one, take 200 MiB. */
#define GROUP_ROWS ((uint64_t) 600'000)
#define GROUP_PIECES_MAX ((size_t) 128)
/* A longer line is no table's; the usual way says so. */
#define LINE_SIZE_MAX ((size_t) 1 << 20)
#define READ_AHEAD ((size_t) 4096)
#define THREADS_MAX 32
/* So many rows of the beginning tell the cadence. */
#define SAMPLE_ROWS ((size_t) 20'000)

/* One thread's. */
struct worker {
    struct bulk *bulk;
    pthread_t thread;
    struct oi_piece_reader *reader;
    char *buffer;
    size_t capacity;
    /* By the reader's targets; `known` of them are filled in. */
    OI_VECTOR(struct oi_import_target) targets;
    OI_VECTOR(struct oi_bulk_target) series;
};

struct piece {
    struct oi_piece content;
    struct oi_packed_runs runs; /* of its rows */
    struct worker *worker;
    bool is_read;  /* false: not one for us */
    uint64_t line; /* of the file, behind which its lines come */
    uint64_t item; /* of the file, as its first row or refusal */
};

struct refusal {
    size_t part, row;
    const char *reason; /* of static storage: the store's own */
};

struct group {
    struct piece pieces[GROUP_PIECES_MAX];
    size_t count; /* to be read */
    size_t taken; /* the first so many were */
    uint64_t at;  /* number of the first one in the file */
    atomic_size_t next;
    /* The commit. */
    size_t part_count;
    struct oi_bulk_part parts[GROUP_PIECES_MAX];
    size_t part_pieces[GROUP_PIECES_MAX];
    struct oi_import_mark mark;
    struct oi_bulk load;
    struct oi_bulk_prepared *prepared; /* NULL: its markets are still to be resolved */
    struct oi_append_result result;
    OI_VECTOR(struct refusal) refusals;
    struct oi_store *store;
    struct bulk *bulk;
    pthread_t thread;
    bool is_loading, is_resolving, has_thread;
    atomic_bool is_busy; /* its thread is not at its end */
    enum oi_status status;
    struct oi_error error;
};

struct bulk {
    const struct oi_import_bulk_source *source;
    int file;
    uint64_t start, size; /* of the lines behind the header */
    uint64_t piece_size, piece_count;
    size_t group_pieces; /* of a commit */
    unsigned thread_count;
    struct worker workers[THREADS_MAX];
    pthread_mutex_t lock;
    pthread_cond_t freed;
    unsigned loading, parsing;          /* threads that compute; under the lock */
    struct oi_fingerprint_stream *hash; /* NULL: not wanted */
    uint64_t hashed;                    /* pieces that are in it; under the lock */
    bool is_broken;                     /* a piece could not be read: none behind it is hashed */
    struct group *groups[2];
    struct oi_map *market_of;
    OI_VECTOR(struct oi_instrument) markets; /* of all threads */
    uint64_t items, skipped, lines;
    bool is_sampled, is_over;
};

/*
 * Pieces.
 */

/* Bytes of the file into the worker's buffer at `offset`. 0, and errno, on failure or at the end.
 */
static size_t
read_at(struct worker *worker, size_t offset, uint64_t from, size_t size)
{
    size_t done = 0;

    if (offset + size + 1 + OI_PIECE_SLACK > worker->capacity) {
        worker->capacity = offset + size + 1 + OI_PIECE_SLACK;
        worker->buffer = oi_realloc(worker->buffer, worker->capacity, 1);
    }
    while (done < size) {
        ssize_t got = pread(worker->bulk->file, worker->buffer + offset + done, size - done,
                            (off_t) (from + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        done += (size_t) got;
    }
    return done;
}

/* Pieces are hashed one after the other, each by the thread that has it in its cache. */
static void
hash_piece(struct bulk *bulk, uint64_t number, struct oi_slice bytes, bool is_read)
{
    if (!bulk->hash)
        return;
    (void) pthread_mutex_lock(&bulk->lock);
    while (is_read && bulk->hashed != number && !bulk->is_broken)
        (void) pthread_cond_wait(&bulk->freed, &bulk->lock);
    bulk->is_broken = bulk->is_broken || !is_read;
    is_read = !bulk->is_broken;
    (void) pthread_mutex_unlock(&bulk->lock);
    if (is_read)
        oi_fingerprint_add(bulk->hash, bytes);
    (void) pthread_mutex_lock(&bulk->lock);
    bulk->hashed += is_read;
    (void) pthread_cond_broadcast(&bulk->freed);
    (void) pthread_mutex_unlock(&bulk->lock);
}

/* The lines that begin in a piece of the file, the last one whole. False when there is no end to it
 * in sight. */
static bool
read_lines(struct worker *worker, uint64_t number, struct oi_slice *ret_lines)
{
    struct bulk *bulk = worker->bulk;
    uint64_t from = bulk->start + number * bulk->piece_size;
    uint64_t to = from + bulk->piece_size < bulk->size ? from + bulk->piece_size : bulk->size;
    size_t before = number > 0; /* does a line end right there? */
    size_t size = (size_t) (to - from) + before, begin = 0;
    const char *end;
    bool is_read = read_at(worker, 0, from - before, size) == size;

    hash_piece(bulk, number, (struct oi_slice){ worker->buffer + before, size - before }, is_read);
    if (!is_read)
        return false;
    if (before) {
        end = memchr(worker->buffer, '\n', size);
        *ret_lines = (struct oi_slice){ worker->buffer, 0 };
        if (!end)
            return size < LINE_SIZE_MAX; /* all of it is of a line that began before */
        begin = (size_t) (end - worker->buffer) + 1;
        if (begin == size)
            return true;
    }
    for (size_t more = 0; worker->buffer[size - 1] != '\n'; size += more) {
        uint64_t at = from - before + size;

        if (at >= bulk->size) {
            worker->buffer[size++] = '\n';
            break;
        }
        if (size > bulk->piece_size + LINE_SIZE_MAX)
            return false;
        more = bulk->size - at < READ_AHEAD ? (size_t) (bulk->size - at) : READ_AHEAD;
        if (read_at(worker, size, at, more) != more)
            return false;
        end = memchr(worker->buffer + size, '\n', more);
        if (end) {
            size = (size_t) (end - worker->buffer) + 1;
            break;
        }
    }
    memset(worker->buffer + size, 0, OI_PIECE_SLACK);
    *ret_lines = (struct oi_slice){ worker->buffer + begin, size - begin };
    return true;
}

static void
assume_known(struct oi_piece *piece, int64_t after_ns)
{
    for (size_t i = 0; i < piece->rows.count; i++) {
        struct oi_packed *row = &piece->rows.items[i];

        if (row->known_time != OI_TIME_NONE)
            continue;
        if (__builtin_add_overflow(row->time, after_ns, &row->known_time))
            row->known_time = OI_TIME_LATEST; /* refused by the store */
        row->flags |= OI_FLAG_KNOWN_ASSUMED;
    }
}

/* Loading goes first, as there is parsing to be done while it waits for the disk. */
static void
note_loading(void *context, bool begins)
{
    struct bulk *bulk = ((struct group *) context)->bulk;

    (void) pthread_mutex_lock(&bulk->lock);
    bulk->loading = begins ? bulk->loading + 1 : bulk->loading - 1;
    (void) pthread_cond_broadcast(&bulk->freed);
    (void) pthread_mutex_unlock(&bulk->lock);
}

static void
begin_parsing(struct bulk *bulk)
{
    (void) pthread_mutex_lock(&bulk->lock);
    while (bulk->loading > 0 && bulk->loading + bulk->parsing >= bulk->thread_count)
        (void) pthread_cond_wait(&bulk->freed, &bulk->lock);
    bulk->parsing++;
    (void) pthread_mutex_unlock(&bulk->lock);
}

static void
end_parsing(struct bulk *bulk)
{
    (void) pthread_mutex_lock(&bulk->lock);
    bulk->parsing--;
    (void) pthread_cond_broadcast(&bulk->freed);
    (void) pthread_mutex_unlock(&bulk->lock);
}

struct parse_call {
    struct worker *worker;
    struct group *group;
};

static void *
parse_pieces(void *context)
{
    const struct parse_call *call = context;
    struct worker *worker = call->worker;
    const struct oi_import_options *options = worker->bulk->source->options;
    size_t i;

    /* Whoever takes a piece goes on with it: those behind it wait for its hash. */
    while (begin_parsing(worker->bulk),
           (i = atomic_fetch_add(&call->group->next, 1)) < call->group->count) {
        struct piece *piece = &call->group->pieces[i];
        struct oi_slice lines;

        piece->worker = worker;
        piece->is_read = read_lines(worker, call->group->at + i, &lines) &&
                         oi_piece_read(worker->reader, lines, &piece->content);
        if (piece->is_read && options->has_known_after)
            assume_known(&piece->content, options->known_after_ns);
        if (piece->is_read)
            oi_packed_runs_find(piece->content.rows.items, piece->content.rows.count, &piece->runs);
        end_parsing(worker->bulk);
    }
    end_parsing(worker->bulk);
    return NULL;
}

/* All pieces of a group, on all threads. */
static void
parse_group(struct bulk *bulk, struct group *group, uint64_t at)
{
    struct parse_call calls[THREADS_MAX] = { { bulk->workers, group } };
    unsigned started = 1;

    group->at = at;
    group->count = bulk->piece_count - at < bulk->group_pieces ? (size_t) (bulk->piece_count - at)
                                                               : bulk->group_pieces;
    atomic_store(&group->next, 0);
    for (unsigned i = 0; i < bulk->thread_count; i++)
        calls[i] = (struct parse_call){ &bulk->workers[i], group };
    while (started < bulk->thread_count &&
           pthread_create(&bulk->workers[started].thread, NULL, parse_pieces, &calls[started]) == 0)
        started++;
    (void) parse_pieces(&calls[0]);
    for (unsigned i = 1; i < started; i++)
        (void) pthread_join(bulk->workers[i].thread, NULL);
}

/*
 * Between parsing and loading.
 */

static const struct oi_instrument *
market_at(void *context, size_t market)
{
    const struct bulk *bulk = context;

    return &bulk->markets.items[market];
}

/* A thread's market among those of all. */
static size_t
share_market(struct bulk *bulk, const struct oi_instrument *market)
{
    char text[2 * OI_NAME_SIZE + OI_SYMBOL_SIZE];
    int size = snprintf(text, sizeof(text), "%s%c%s%c%s", market->exchange, '\n', market->product,
                        '\n', market->symbol);
    const struct oi_slice key = { text, (size_t) size };
    uint64_t index = bulk->markets.count;

    if (!oi_map_get(bulk->market_of, key, &index)) {
        oi_map_put(bulk->market_of, key, index);
        oi_vector_push(&bulk->markets, *market);
    }
    return (size_t) index;
}

static void
share_targets(struct bulk *bulk, struct worker *worker)
{
    const struct oi_piece_target *targets;
    size_t count = oi_piece_reader_targets(worker->reader, &targets);

    for (size_t i = worker->targets.count; i < count; i++) {
        const struct oi_import_target target = {
            share_market(bulk, oi_piece_reader_market(worker->reader, targets[i].market)),
            targets[i].unit,
        };

        oi_vector_push(&worker->targets, target);
    }
}

/* The first rows of the file, for the feed's cadence. */
static void
sample(struct bulk *bulk, const struct group *group)
{
    size_t count = 0;

    for (size_t i = 0; !bulk->is_sampled && i < group->part_count; i++) {
        const struct piece *piece = &group->pieces[group->part_pieces[i]];
        const struct oi_bulk_part *part = &group->parts[i];

        for (size_t row = 0; row < part->count && count < SAMPLE_ROWS; row++, count++)
            oi_import_batch_sample(bulk->source->batch,
                                   piece->worker->targets.items[part->rows[row].target],
                                   part->rows[row].time);
    }
    bulk->is_sampled = bulk->is_sampled || count > 0;
}

/* The targets met since the group before get their series, all in one go: what is new to the store
 * is a commit or two, while which the next group is parsed. */
static enum oi_status
resolve(struct bulk *bulk, struct group *group, struct oi_error *error)
{
    OI_VECTOR(struct oi_import_target) targets = {};
    OI_VECTOR(struct oi_bulk_target) series = {};
    size_t taken = 0;
    enum oi_status status = OI_OK;

    sample(bulk, group);
    for (unsigned i = 0; i < bulk->thread_count; i++) {
        const struct worker *worker = &bulk->workers[i];

        for (size_t k = worker->series.count; k < worker->targets.count; k++) {
            oi_vector_push(&targets, worker->targets.items[k]);
            (void) oi_vector_add(&series);
        }
    }
    if (targets.count > 0)
        status = oi_import_batch_resolve(bulk->source->batch, targets.items, targets.count,
                                         series.items, error);
    for (unsigned i = 0; status == OI_OK && i < bulk->thread_count; i++) {
        struct worker *worker = &bulk->workers[i];

        while (worker->series.count < worker->targets.count)
            oi_vector_push(&worker->series, series.items[taken++]);
    }
    oi_vector_release(&targets);
    oi_vector_release(&series);
    return status;
}

static void
tell_refusals(struct bulk *bulk, const struct piece *piece)
{
    const struct oi_import_options *options = bulk->source->options;

    for (size_t i = 0; i < piece->content.refusals.count; i++) {
        const struct oi_piece_refusal *refusal = &piece->content.refusals.items[i];
        const struct oi_import_refusal told = {
            .file = bulk->source->name,
            .line = piece->line + refusal->line,
            .field = refusal->field,
            .value = refusal->value,
            .reason = refusal->reason,
        };

        /* What an earlier run refused is told again, but counted once. */
        bulk->source->mark->refused += piece->item + refusal->item >= bulk->skipped;
        if (options->refused)
            options->refused(options->context, &told);
    }
}

/* Count what a piece holds; its rows that were not dealt with before become a part. */
static void
take_piece(struct bulk *bulk, struct group *group, size_t index)
{
    struct piece *piece = &group->pieces[index];
    const struct oi_piece *content = &piece->content;
    uint64_t old = 0;
    size_t old_rows;

    piece->line = bulk->lines;
    piece->item = bulk->items;
    bulk->lines += content->lines;
    bulk->items += content->rows.count + content->refusals.count;
    if (bulk->skipped > piece->item)
        old = bulk->skipped < bulk->items ? bulk->skipped - piece->item : bulk->items - piece->item;
    old_rows = (size_t) old;
    for (size_t i = 0; i < content->refusals.count; i++)
        old_rows -= content->refusals.items[i].item < old;
    if (old_rows == content->rows.count)
        return;
    group->part_pieces[group->part_count] = index;
    group->parts[group->part_count++] =
        (struct oi_bulk_part){ .rows = content->rows.items + old_rows,
                               .count = content->rows.count - old_rows,
                               .wides = content->wides.items,
                               .runs = piece->runs.items,
                               .run_count = old_rows == 0 ? piece->runs.count : 0 };
}

static void
take_pieces(struct bulk *bulk, struct group *group)
{
    group->part_count = group->taken = 0;
    while (group->taken < group->count && !bulk->is_over) {
        if (group->pieces[group->taken].is_read)
            take_piece(bulk, group, group->taken++);
        else
            bulk->is_over = true;
    }
}

/*
 * Loading.
 */

static void
note_refusal(void *context, size_t part, size_t row, const char *reason)
{
    struct group *group = context;
    const struct refusal refusal = { part, row, reason };

    oi_vector_push(&group->refusals, refusal);
}

/* Sorted, and encoded as far as that goes. `before` is the group whose commit is under way. */
static enum oi_status
prepare_group(struct bulk *bulk, struct group *group, const struct group *before,
              struct oi_error *error)
{
    for (size_t i = 0; i < group->part_count; i++)
        group->parts[i].targets = group->pieces[group->part_pieces[i]].worker->series.items;
    group->load = (struct oi_bulk){ .parts = group->parts,
                                    .part_count = group->part_count,
                                    .threads = bulk->thread_count,
                                    .refuse = note_refusal,
                                    .compute = note_loading,
                                    .context = group };
    return oi_store_bulk_prepare(group->store, &group->load, before ? before->prepared : NULL,
                                 &group->prepared, error);
}

/* Are there markets that have no series yet? Not while another thread resolves some. */
static bool
meets_new_markets(struct bulk *bulk)
{
    bool is_new = false;

    for (unsigned i = 0; i < bulk->thread_count; i++) {
        share_targets(bulk, &bulk->workers[i]);
        is_new |= bulk->workers[i].targets.count > bulk->workers[i].series.count;
    }
    return is_new;
}

/* A line of a piece that is in memory, if one is: it costs next to nothing then. */
static void
scout_piece(struct bulk *bulk, uint64_t number, struct oi_piece *piece)
{
    struct worker *worker = &bulk->workers[0];
    struct iovec room = { worker->buffer, READ_AHEAD };
    off_t at = (off_t) (bulk->start + number * bulk->piece_size);
    ssize_t size = preadv2(bulk->file, &room, 1, at, RWF_NOWAIT);
    const char *from, *end;

    if (size <= 0 || !(from = memchr(worker->buffer, '\n', (size_t) size)))
        return;
    from++;
    end = memchr(from, '\n', (size_t) size - (size_t) (from - worker->buffer));
    if (end)
        (void) oi_piece_read(worker->reader, (struct oi_slice){ from, (size_t) (end - from) + 1 },
                             piece);
}

/* A look at the markets ahead, so that they are made together and not group by group. In a file by
 * time the first group has nearly all; in one by markets nearly all begin some piece. */
static void
scout(struct bulk *bulk)
{
    struct oi_piece piece = {};

    for (uint64_t i = bulk->group_pieces; i < bulk->piece_count; i++)
        scout_piece(bulk, i, &piece);
    oi_piece_release(&piece);
}

static void *
load_group(void *context)
{
    struct group *group = context;
    uint64_t rows_before = group->load.rows_before;

    group->status = OI_OK;
    if (!group->prepared) {
        group->status = resolve(group->bulk, group, &group->error);
        if (group->status == OI_OK)
            group->status = prepare_group(group->bulk, group, NULL, &group->error);
        group->load.rows_before = rows_before;
    }
    group->load.import = &group->mark;
    if (group->status == OI_OK)
        group->status = oi_store_bulk_commit(group->prepared, &group->result, &group->error);
    atomic_store(&group->is_busy, false);
    return NULL;
}

/* On a thread of its own; or here, when there is none to be had. */
static void
start_loading(const struct bulk *bulk, struct group *group)
{
    oi_vector_clear(&group->refusals);
    group->mark = *bulk->source->mark;
    if (bulk->items > group->mark.rows_done)
        group->mark.rows_done = bulk->items;
    group->load.rows_before = bulk->source->mark->rows_done;
    group->result = (struct oi_append_result){};
    group->is_loading = true;
    atomic_store(&group->is_busy, true);
    group->is_resolving = !group->prepared;
    group->has_thread = pthread_create(&group->thread, NULL, load_group, group) == 0;
    if (!group->has_thread)
        (void) load_group(group);
}

/* Wait for the group's commit, and take what it did. */
static enum oi_status
finish_group(struct bulk *bulk, struct group *group, struct oi_error *error)
{
    if (!group->is_loading)
        return OI_OK;
    if (group->has_thread)
        (void) pthread_join(group->thread, NULL);
    group->is_loading = false;
    oi_store_bulk_free(&group->prepared);
    if (group->status != OI_OK)
        return oi_fail(error, group->status, "%s", group->error.message);
    for (size_t i = 0; i < group->refusals.count; i++) {
        const struct refusal *refusal = &group->refusals.items[i];
        const struct oi_bulk_part *part = &group->parts[refusal->part];
        const struct piece *piece = &group->pieces[group->part_pieces[refusal->part]];
        const struct oi_packed *row = &part->rows[refusal->row];
        struct oi_decimal figure = oi_packed_figure(row, 0, part->wides);

        oi_import_batch_tell(bulk->source->batch, piece->line + row->line, &figure,
                             refusal->reason);
    }
    bulk->source->mark->rows_done = group->mark.rows_done;
    return oi_import_batch_loaded(bulk->source->batch, &group->result, error);
}

/*
 * The file.
 */

static unsigned
count_threads(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    if (count < 1)
        return 1;
    return count > THREADS_MAX ? THREADS_MAX : (unsigned) count;
}

/* All groups alike: a small one at the end would make crumbs of its series. `lines` are the first
 * of the file, of which the length of the others is guessed. */
static void
size_groups(struct bulk *bulk, struct oi_slice lines)
{
    uint64_t line_count = 1, group_count, piece_rows, most;

    for (size_t i = 0; i < lines.size; i++)
        line_count += lines.data[i] == '\n';
    bulk->piece_count = (bulk->size - bulk->start + bulk->piece_size - 1) / bulk->piece_size;
    piece_rows = bulk->piece_size * line_count / (lines.size + 1) + 1;
    most = GROUP_ROWS / piece_rows + 1;
    if (most > GROUP_PIECES_MAX)
        most = GROUP_PIECES_MAX;
    group_count = (bulk->piece_count + most - 1) / most;
    bulk->group_pieces = (size_t) ((bulk->piece_count + group_count - 1) / group_count);
}

/* The header to every thread's reader. False when the table is not of the kind. */
static bool
open_readers(struct bulk *bulk)
{
    const struct oi_import_bulk_source *source = bulk->source;
    struct worker *first = &bulk->workers[0];
    size_t size;
    const char *end;

    for (unsigned i = 0; i < bulk->thread_count; i++)
        bulk->workers[i].bulk = bulk;
    size = read_at(first, 0, 0, READ_AHEAD);
    end = memchr(first->buffer, '\n', size);
    if (!end)
        return false;
    bulk->start = (uint64_t) (end - first->buffer) + 1;
    for (unsigned i = 0; i < bulk->thread_count; i++) {
        const struct oi_slice header = { first->buffer, (size_t) bulk->start };

        if (oi_piece_reader_open(source->options->archive, source->reading, header,
                                 &bulk->workers[i].reader) != OI_OK)
            return false;
    }
    if (bulk->start >= bulk->size)
        return false;
    if (bulk->hash)
        oi_fingerprint_add(bulk->hash, (struct oi_slice){ first->buffer, (size_t) bulk->start });
    size_groups(bulk, (struct oi_slice){ end + 1, size - (size_t) bulk->start });
    return true;
}

static void
report_group(const struct bulk *bulk, const struct group *group)
{
    const struct oi_import_bulk_source *source = bulk->source;

    source->progress->rows = bulk->items;
    source->progress->bytes_done = bulk->start + (group->at + group->count) * bulk->piece_size;
    if (source->progress->bytes_done > bulk->size)
        source->progress->bytes_done = bulk->size;
    if (source->options->progress)
        source->options->progress(source->options->context, source->progress);
}

/* A group that was parsed: prepared while the one before it is committed, where its markets are
 * known, and on its way then. */
static enum oi_status
take_group(struct bulk *bulk, struct group *group, struct group *before, struct oi_error *error)
{
    take_pieces(bulk, group);
    if (group->at == 0 && !bulk->is_over)
        scout(bulk);
    if (group->part_count > 0 && atomic_load(&before->is_busy) && !before->is_resolving &&
        !meets_new_markets(bulk))
        OI_TRY(prepare_group(bulk, group, before, error));
    OI_TRY(finish_group(bulk, before, error));
    for (size_t i = 0; i < group->taken; i++)
        tell_refusals(bulk, &group->pieces[i]);
    if (group->part_count > 0) {
        if (!group->prepared)
            (void) meets_new_markets(bulk);
        start_loading(bulk, group);
    }
    report_group(bulk, group);
    return OI_OK;
}

/* Parse a group while the one before it is loaded. */
static enum oi_status
run(struct bulk *bulk, struct oi_error *error)
{
    enum oi_status status = OI_OK;
    struct oi_error late = {};

    for (uint64_t at = 0, turn = 0; at < bulk->piece_count && status == OI_OK && !bulk->is_over;
         at += bulk->group_pieces, turn ^= 1) {
        parse_group(bulk, bulk->groups[turn], at);
        status = take_group(bulk, bulk->groups[turn], bulk->groups[turn ^ 1], error);
    }
    for (unsigned i = 0; i < OI_COUNT(bulk->groups); i++) {
        enum oi_status last = finish_group(bulk, bulk->groups[i], &late);

        if (status == OI_OK && last != OI_OK)
            status = oi_fail(error, last, "%s", late.message);
    }
    return status;
}

static void
release(struct bulk *bulk)
{
    for (unsigned i = 0; i < OI_COUNT(bulk->groups); i++) {
        for (size_t k = 0; bulk->groups[i] && k < GROUP_PIECES_MAX; k++) {
            oi_piece_release(&bulk->groups[i]->pieces[k].content);
            oi_vector_release(&bulk->groups[i]->pieces[k].runs);
        }
        if (bulk->groups[i]) {
            oi_vector_release(&bulk->groups[i]->refusals);
            oi_store_bulk_free(&bulk->groups[i]->prepared);
        }
        oi_free(bulk->groups[i]);
    }
    for (unsigned i = 0; i < bulk->thread_count; i++) {
        oi_piece_reader_close(&bulk->workers[i].reader);
        oi_vector_release(&bulk->workers[i].targets);
        oi_vector_release(&bulk->workers[i].series);
        oi_free(bulk->workers[i].buffer);
    }
    oi_map_free(&bulk->market_of);
    oi_vector_release(&bulk->markets);
    oi_fingerprint_abandon(&bulk->hash);
    (void) pthread_cond_destroy(&bulk->freed);
    (void) pthread_mutex_destroy(&bulk->lock);
    oi_free(bulk);
}

bool
oi_import_bulk_suits(const struct oi_import_options *options, uint64_t size)
{
    return !options->is_never_bulk && size >= (options->piece_size ? 0 : FILE_SIZE_MIN);
}

enum oi_status
oi_import_bulk(const struct oi_import_bulk_source *source, bool *ret_is_done,
               struct oi_error *error)
{
    const struct oi_import_options *options = source->options;
    struct stat facts = {};
    struct bulk *bulk;
    enum oi_status status = OI_OK;

    *ret_is_done = false;
    if (fstat(fileno(source->file), &facts) != 0 ||
        !oi_import_bulk_suits(options, (uint64_t) facts.st_size))
        return OI_OK;
    bulk = oi_alloc_zero(1, sizeof(*bulk));
    (void) pthread_mutex_init(&bulk->lock, NULL);
    (void) pthread_cond_init(&bulk->freed, NULL);
    bulk->source = source;
    bulk->file = fileno(source->file);
    bulk->size = (uint64_t) facts.st_size;
    bulk->piece_size = options->piece_size ? options->piece_size : PIECE_SIZE;
    bulk->thread_count = count_threads();
    bulk->skipped = source->mark->rows_done;
    bulk->lines = 1;
    bulk->hash = source->fingerprint ? oi_fingerprint_begin() : NULL;
    if (open_readers(bulk)) {
        bulk->market_of = oi_map_new();
        for (unsigned i = 0; i < OI_COUNT(bulk->groups); i++) {
            bulk->groups[i] = oi_alloc_zero(1, sizeof(*bulk->groups[i]));
            bulk->groups[i]->store = source->store;
            bulk->groups[i]->bulk = bulk;
        }
        oi_import_batch_markets(source->batch, market_at, bulk, source->name);
        status = run(bulk, error);
        *ret_is_done = status == OI_OK && !bulk->is_over;
        if (*ret_is_done && bulk->hash)
            oi_fingerprint_finish(&bulk->hash, source->fingerprint);
        /* Behind the last commit there may be refused rows alone. */
        if (status == OI_OK && bulk->items > source->mark->rows_done)
            source->mark->rows_done = bulk->items;
        oi_import_batch_resume(source->batch, bulk->items, *ret_is_done);
    }
    release(bulk);
    return status;
}
