/* SPDX-License-Identifier: Apache-2.0 */
/* Answers by question, each a row of pieces in order of time; the one used last stands first. */
#include "clickhouse/kept.h"

#include "base/alloc.h"
#include "base/fingerprint.h"
#include "base/map.h"
#include "base/vector.h"
#include "clickhouse/changed.h"

#include <pthread.h>
#include <string.h>

/* Questions that came once. */
#define SEEN 4096

/* One piece of memory with its bytes behind it. */
struct held {
    size_t users; /* its answer, and whoever has it at hand */
    struct oi_span span;
    uint64_t batch; /* as of */
    size_t size;
    char bytes[];
};

/* What a piece and an answer take besides their own: places in vector and map, the key's copy, the
 * allocator's heads. */
#define PIECE_OVERHEAD 32
#define ANSWER_OVERHEAD 192

struct answer {
    struct answer *next, *previous;
    uint8_t key[OI_FINGERPRINT_SIZE];
    OI_VECTOR(struct held *) pieces; /* in order, apart from each other */
};

struct oi_kept {
    pthread_mutex_t lock; /* guards all that follows; nothing is locked inside it */
    struct oi_changed changed;
    uint64_t epoch;
    struct oi_map *by_key;
    struct answer *first, *last; /* used last, and longest ago */
    size_t bytes, bytes_max;
    bool keeps_at_once;
    uint32_t seen[SEEN];
};

struct oi_kept *
oi_kept_new(size_t bytes_max, bool keeps_at_once)
{
    struct oi_kept *kept = oi_alloc_zero(1, sizeof(*kept));

    (void) pthread_mutex_init(&kept->lock, NULL);
    kept->by_key = oi_map_new();
    kept->bytes_max = bytes_max;
    kept->keeps_at_once = keeps_at_once;
    return kept;
}

static size_t
size_of(const struct held *held)
{
    return sizeof(*held) + PIECE_OVERHEAD + held->size;
}

static void
let_go(struct oi_kept *kept, struct held *held)
{
    if (--held->users > 0)
        return;
    kept->bytes -= size_of(held);
    oi_free(held);
}

static void
unlink_answer(struct oi_kept *kept, struct answer *answer)
{
    *(answer->previous ? &answer->previous->next : &kept->first) = answer->next;
    *(answer->next ? &answer->next->previous : &kept->last) = answer->previous;
    answer->next = answer->previous = NULL;
}

static void
put_first(struct oi_kept *kept, struct answer *answer)
{
    answer->next = kept->first;
    *(kept->first ? &kept->first->previous : &kept->last) = answer;
    kept->first = answer;
}

static struct oi_slice
key_of(const struct answer *answer)
{
    return (struct oi_slice){ (const char *) answer->key, sizeof(answer->key) };
}

static void
drop_answer(struct oi_kept *kept, struct answer *answer)
{
    unlink_answer(kept, answer);
    (void) oi_map_remove(kept->by_key, key_of(answer));
    for (size_t i = 0; i < answer->pieces.count; i++)
        let_go(kept, answer->pieces.items[i]);
    oi_vector_release(&answer->pieces);
    kept->bytes -= sizeof(*answer) + ANSWER_OVERHEAD;
    oi_free(answer);
}

static void
forget(struct oi_kept *kept)
{
    while (kept->first)
        drop_answer(kept, kept->first);
    kept->epoch++;
}

void
oi_kept_free(struct oi_kept **kept)
{
    if (!*kept)
        return;
    forget(*kept);
    oi_map_free(&(*kept)->by_key);
    oi_changed_release(&(*kept)->changed);
    (void) pthread_mutex_destroy(&(*kept)->lock);
    oi_free(*kept);
    *kept = NULL;
}

static void
make_key(const struct oi_kept_question *question, uint8_t key[OI_FINGERPRINT_SIZE])
{
    const uint64_t head[2] = { question->kind, question->detail };
    struct oi_fingerprint_stream *stream;

    if (question->count == 1) {
        const uint64_t all[3] = { question->kind, question->detail, question->series[0] };

        oi_fingerprint_of((struct oi_slice){ (const char *) all, sizeof(all) }, key);
        return;
    }
    stream = oi_fingerprint_begin();
    oi_fingerprint_add(stream, (struct oi_slice){ (const char *) head, sizeof(head) });
    oi_fingerprint_add(stream, (struct oi_slice){ (const char *) question->series,
                                                  question->count * sizeof(*question->series) });
    oi_fingerprint_finish(&stream, key);
}

static struct answer *
find_answer(const struct oi_kept *kept, const uint8_t key[OI_FINGERPRINT_SIZE])
{
    uint64_t found;

    if (!oi_map_get(kept->by_key, (struct oi_slice){ (const char *) key, OI_FINGERPRINT_SIZE },
                    &found))
        return NULL;
    return (struct answer *) (uintptr_t) found;
}

/* The first piece that ends behind a time. */
static size_t
find_piece(const struct answer *answer, oi_time at)
{
    size_t from = 0, to = answer->pieces.count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (answer->pieces.items[middle]->span.to > at)
            to = middle;
        else
            from = middle + 1;
    }
    return from;
}

/* Up to where no later batch has changed it. */
static oi_time
right_until(const struct oi_kept *kept, const struct oi_kept_question *question,
            const struct held *held)
{
    oi_time until = held->span.to;

    for (size_t i = 0; i < question->count && until > held->span.from; i++) {
        oi_time changed = oi_changed_from(&kept->changed, question->series[i], held->batch);

        until = changed < until ? changed : until;
    }
    return until;
}

bool
oi_kept_find(struct oi_kept *kept, const struct oi_kept_question *question, oi_time at,
             struct oi_kept_piece *ret_piece)
{
    uint8_t key[OI_FINGERPRINT_SIZE];
    struct answer *answer;
    struct held *held = NULL;
    oi_time until = at;
    size_t place;

    if (question->batch_limit == UINT64_MAX)
        return false;
    make_key(question, key);
    (void) pthread_mutex_lock(&kept->lock);
    answer = find_answer(kept, key);
    if (answer && (place = find_piece(answer, at)) < answer->pieces.count) {
        held = answer->pieces.items[place];
        if (held->span.from <= at && held->batch <= question->batch_limit)
            until = right_until(kept, question, held);
    }
    if (until > at) {
        unlink_answer(kept, answer);
        put_first(kept, answer);
        held->users++;
        *ret_piece = (struct oi_kept_piece){ .span = { held->span.from, until },
                                             .bytes = { held->bytes, held->size },
                                             .held = held };
    }
    (void) pthread_mutex_unlock(&kept->lock);
    return until > at;
}

void
oi_kept_release(struct oi_kept *kept, struct oi_kept_piece *piece)
{
    (void) pthread_mutex_lock(&kept->lock);
    let_go(kept, piece->held);
    (void) pthread_mutex_unlock(&kept->lock);
    *piece = (struct oi_kept_piece){};
}

bool
oi_kept_wants(struct oi_kept *kept, const struct oi_kept_question *question, struct oi_span span)
{
    const uint64_t width = (uint64_t) span.to - (uint64_t) span.from;
    struct {
        uint8_t key[OI_FINGERPRINT_SIZE];
        uint64_t cell, grid;
    } about = { .grid = width > 0 ? 63 - (unsigned) __builtin_clzll(width) : 0 };
    uint32_t hash;
    bool is_known;

    if (question->batch_limit == UINT64_MAX || kept->keeps_at_once)
        return kept->keeps_at_once;
    make_key(question, about.key);
    about.cell = (uint64_t) span.from >> about.grid;
    hash = (uint32_t) oi_slice_hash((struct oi_slice){ (const char *) &about, sizeof(about) });
    (void) pthread_mutex_lock(&kept->lock);
    is_known = kept->seen[hash % SEEN] == (hash | 1);
    kept->seen[hash % SEEN] = hash | 1;
    (void) pthread_mutex_unlock(&kept->lock);
    return is_known;
}

uint64_t
oi_kept_epoch(struct oi_kept *kept)
{
    uint64_t epoch;

    (void) pthread_mutex_lock(&kept->lock);
    epoch = kept->epoch;
    (void) pthread_mutex_unlock(&kept->lock);
    return epoch;
}

/* What a new piece leaves of the others: what lies before it, and whoever begins behind it. */
static size_t
make_place(struct oi_kept *kept, struct answer *answer, struct oi_span span)
{
    size_t place = find_piece(answer, span.from), to = place;
    struct held **items = answer->pieces.items;

    if (place < answer->pieces.count && items[place]->span.from < span.from) {
        items[place]->span.to = span.from;
        to = ++place;
    }
    for (; to < answer->pieces.count && items[to]->span.from < span.to; to++)
        let_go(kept, items[to]);
    if (to > place)
        memmove(&items[place], &items[to], (answer->pieces.count - to) * sizeof(struct held *));
    answer->pieces.count -= to - place;
    return place;
}

static void
add_piece(struct oi_kept *kept, struct answer *answer, struct held *held)
{
    size_t place = make_place(kept, answer, held->span);
    struct held **items;

    oi_vector_push(&answer->pieces, held);
    items = answer->pieces.items;
    memmove(&items[place + 1], &items[place],
            (answer->pieces.count - 1 - place) * sizeof(struct held *));
    items[place] = held;
    kept->bytes += size_of(held);
}

/* Whoever was asked for longest ago goes; of one that is too large by itself, its ends. */
static void
make_room(struct oi_kept *kept, struct answer *answer, const struct held *held)
{
    while (kept->bytes > kept->bytes_max && kept->last != answer)
        drop_answer(kept, kept->last);
    while (kept->bytes > kept->bytes_max && answer->pieces.count > 1) {
        struct held **items = answer->pieces.items;
        size_t last = --answer->pieces.count;

        if (items[0] == held) {
            let_go(kept, items[last]);
            continue;
        }
        let_go(kept, items[0]);
        memmove(&items[0], &items[1], last * sizeof(struct held *));
    }
}

/* Who asked how it was once does not push out what is asked for now. */
static bool
has_newer(const struct answer *answer, struct oi_span span, uint64_t batch)
{
    for (size_t i = find_piece(answer, span.from); i < answer->pieces.count; i++) {
        if (answer->pieces.items[i]->span.from >= span.to)
            break;
        if (answer->pieces.items[i]->batch > batch)
            return true;
    }
    return false;
}

static struct answer *
make_answer(struct oi_kept *kept, const uint8_t key[OI_FINGERPRINT_SIZE])
{
    struct answer *answer = oi_alloc_zero(1, sizeof(*answer));

    memcpy(answer->key, key, sizeof(answer->key));
    oi_map_put(kept->by_key, key_of(answer), (uint64_t) (uintptr_t) answer);
    kept->bytes += sizeof(*answer) + ANSWER_OVERHEAD;
    return answer;
}

void
oi_kept_put(struct oi_kept *kept, const struct oi_kept_question *question, uint64_t epoch,
            struct oi_span span, struct oi_slice bytes)
{
    uint8_t key[OI_FINGERPRINT_SIZE];
    struct answer *answer;
    struct held *held;

    if (question->batch_limit == UINT64_MAX || span.from >= span.to || kept->bytes_max == 0 ||
        bytes.size > kept->bytes_max / 4)
        return;
    make_key(question, key);
    held = oi_alloc(sizeof(*held) + bytes.size);
    *held = (struct held){
        .users = 1, .span = span, .batch = question->batch_limit, .size = bytes.size
    };
    if (bytes.size > 0)
        memcpy(held->bytes, bytes.data, bytes.size);
    (void) pthread_mutex_lock(&kept->lock);
    answer = find_answer(kept, key);
    if (kept->epoch == epoch && question->batch_limit >= kept->changed.all &&
        !(answer && has_newer(answer, span, question->batch_limit))) {
        if (answer)
            unlink_answer(kept, answer);
        else
            answer = make_answer(kept, key);
        put_first(kept, answer);
        add_piece(kept, answer, held);
        make_room(kept, answer, held);
        held = NULL;
    }
    (void) pthread_mutex_unlock(&kept->lock);
    oi_free(held);
}

/*
 * Changes.
 */

void
oi_kept_note_all(struct oi_kept *kept, uint64_t batch)
{
    (void) pthread_mutex_lock(&kept->lock);
    oi_changed_add_all(&kept->changed, batch);
    (void) pthread_mutex_unlock(&kept->lock);
}

void
oi_kept_note_rows(struct oi_kept *kept, uint64_t batch, const struct oi_batch_rows *rows)
{
    const uint32_t *series = rows->series.items;

    if (kept->bytes_max == 0)
        return;
    (void) pthread_mutex_lock(&kept->lock);
    for (size_t i = 0; i < rows->rows.count; i++)
        if (i == 0 || series[i] != series[i - 1])
            oi_changed_add(&kept->changed, series[i], batch, rows->rows.items[i].time);
    (void) pthread_mutex_unlock(&kept->lock);
}

enum oi_status
oi_kept_note(struct oi_kept *kept, const struct oi_change *change, struct oi_error *error)
{
    struct oi_batch_header header;
    struct oi_batch_rows rows = {};

    if (change->kind == OI_CHANGE_WITHDRAW)
        oi_kept_forget(kept);
    if (change->kind != OI_CHANGE_APPEND || change->row_count == 0)
        return OI_OK;
    if (change->rows.size == 0) {
        oi_kept_note_all(kept, change->batch);
        return OI_OK;
    }
    OI_TRY(oi_batch_decode(change->rows, &header, &rows, error));
    oi_kept_note_rows(kept, change->batch, &rows);
    oi_batch_rows_release(&rows);
    return OI_OK;
}

void
oi_kept_forget(struct oi_kept *kept)
{
    (void) pthread_mutex_lock(&kept->lock);
    forget(kept);
    (void) pthread_mutex_unlock(&kept->lock);
}
