/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is there or the process ends, and arenas for what is dropped whole. */
#include "base/alloc.h"

#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Most requests and polls fit into the first block; later ones double, so that a large reply costs
 * few blocks, until a block is large enough that doubling saves nothing. */
#define BLOCK_SIZE_FIRST ((size_t) 16 << 10)
#define BLOCK_SIZE_MAX ((size_t) 1 << 20)
#define ALIGNMENT _Alignof(max_align_t)

struct oi_arena_block {
    struct oi_arena_block *older;
    size_t size;
    size_t used;
    _Alignas(max_align_t) char data[];
};

/* Per thread, so that a test's budget counts its own calls and nobody contends. */
static _Thread_local uint64_t alloc_count;

_Noreturn static void
run_out(size_t count, size_t size)
{
    (void) fprintf(stderr, "out of memory: %zu times %zu bytes\n", count, size);
    abort();
}

void *
oi_alloc(size_t size)
{
    void *memory = malloc(size > 0 ? size : 1);

    alloc_count++;
    if (!memory)
        run_out(1, size);
    return memory;
}

void *
oi_alloc_zero(size_t count, size_t size)
{
    bool is_empty = count == 0 || size == 0;
    void *memory = is_empty ? calloc(1, 1) : calloc(count, size);

    alloc_count++;
    if (!memory)
        run_out(count, size);
    return memory;
}

void *
oi_realloc(void *memory, size_t count, size_t size)
{
    size_t total;
    void *moved;

    alloc_count++;
    if (__builtin_mul_overflow(count, size, &total))
        run_out(count, size);
    moved = realloc(memory, total > 0 ? total : 1);
    if (!moved)
        run_out(count, size);
    return moved;
}

void
oi_free(void *memory)
{
    free(memory);
}

char *
oi_copy_text(struct oi_slice text)
{
    char *copy;

    oi_assert(text.size < SIZE_MAX);
    copy = oi_alloc(text.size + 1);
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

void
oi_free_pointer(void *address_of_pointer)
{
    void *memory;

    /* By memcpy, because a char ** is not a void **. */
    memcpy(&memory, address_of_pointer, sizeof(memory));
    free(memory);
    memory = NULL;
    memcpy(address_of_pointer, &memory, sizeof(memory));
}

uint64_t
oi_alloc_count(void)
{
    return alloc_count;
}

static void
add_block(struct oi_arena *arena, size_t size)
{
    size_t block_size = arena->newest ? arena->newest->size * 2 : BLOCK_SIZE_FIRST;
    struct oi_arena_block *block;

    if (block_size > BLOCK_SIZE_MAX)
        block_size = BLOCK_SIZE_MAX;
    if (block_size < size)
        block_size = size;
    if (block_size > SIZE_MAX - sizeof(*block))
        run_out(1, size);
    block = oi_alloc(sizeof(*block) + block_size);
    block->older = arena->newest;
    block->size = block_size;
    block->used = 0;
    arena->newest = block;
}

void *
oi_arena_alloc(struct oi_arena *arena, size_t size)
{
    struct oi_arena_block *block = arena->newest;
    void *memory;

    if (size > SIZE_MAX - ALIGNMENT)
        run_out(1, size);
    size = size > 0 ? (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1) : ALIGNMENT;
    if (!block || block->size - block->used < size) {
        add_block(arena, size);
        block = arena->newest;
    }
    memory = block->data + block->used;
    block->used += size;
    arena->used_bytes += size;
    return memory;
}

void *
oi_arena_alloc_zero(struct oi_arena *arena, size_t count, size_t size)
{
    size_t total;
    void *memory;

    if (__builtin_mul_overflow(count, size, &total))
        run_out(count, size);
    memory = oi_arena_alloc(arena, total);
    memset(memory, 0, total);
    return memory;
}

char *
oi_arena_copy(struct oi_arena *arena, struct oi_slice text)
{
    char *copy;

    oi_assert(text.size < SIZE_MAX);
    copy = oi_arena_alloc(arena, text.size + 1);
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

char *
oi_arena_format(struct oi_arena *arena, const char *format, ...)
{
    va_list arguments;
    va_list again;
    char *text;
    int length;

    va_start(arguments, format);
    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    oi_assert(length >= 0);
    text = oi_arena_alloc(arena, (size_t) length + 1);
    (void) vsnprintf(text, (size_t) length + 1, format, again);
    va_end(again);
    return text;
}

void
oi_arena_reset(struct oi_arena *arena)
{
    struct oi_arena_block *kept = arena->newest;

    arena->used_bytes = 0;
    if (!kept)
        return;
    /* One giant reply must not keep its memory for ever: a block beyond the usual sizes goes. */
    if (kept->size > BLOCK_SIZE_MAX) {
        oi_arena_release(arena);
        return;
    }
    arena->newest = kept->older;
    oi_arena_release(arena);
    kept->older = NULL;
    kept->used = 0;
    arena->newest = kept;
}

void
oi_arena_release(struct oi_arena *arena)
{
    while (arena->newest) {
        struct oi_arena_block *block = arena->newest;

        arena->newest = block->older;
        free(block);
    }
    arena->used_bytes = 0;
}
