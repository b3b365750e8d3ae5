/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory. Running out aborts, so there is no branch for it anywhere; therefore every size that
 * comes from outside is compared with a named limit before it is allocated.
 */
#pragma once

#include "base/compiler.h"
#include "base/slice.h"

#include <stddef.h>
#include <stdint.h>

/* Never NULL, not even for size 0. Contents undefined. Free with oi_free. */
[[nodiscard]] void *oi_alloc(size_t size);
/* The same, filled with zeros; `count * size` is checked for overflow. */
[[nodiscard]] void *oi_alloc_zero(size_t count, size_t size);
/* As realloc, `memory` may be NULL; `count * size` is checked for overflow. */
[[nodiscard]] void *oi_realloc(void *memory, size_t count, size_t size);
/* NULL is fine. */
void oi_free(void *memory);
/* A NUL-terminated copy; free with oi_free. */
[[nodiscard]] char *oi_copy_text(struct oi_slice text);

/* OI_CLEANUP(oi_free_pointer) char *text = …: frees what the variable points at. */
void oi_free_pointer(void *address_of_pointer);

/* Calls of oi_alloc and friends on this thread since it began: tests state allocation budgets. */
uint64_t oi_alloc_count(void);

/*
 * An arena: memory of one unit of work (a request, a poll, a query), dropped whole. Not for two
 * threads at once. `struct oi_arena arena = {};` is an empty one.
 */
struct oi_arena_block;
struct oi_arena {
    struct oi_arena_block *newest;
    size_t used_bytes; /* handed out since the last reset */
};

/* Aligned for any type, lives until reset or release. Contents undefined. */
[[nodiscard]] void *oi_arena_alloc(struct oi_arena *arena, size_t size);
/* Filled with zeros. */
[[nodiscard]] void *oi_arena_alloc_zero(struct oi_arena *arena, size_t count, size_t size);
/* A NUL-terminated copy of the bytes. */
[[nodiscard]] char *oi_arena_copy(struct oi_arena *arena, struct oi_slice text);
[[nodiscard]] char *oi_arena_format(struct oi_arena *arena, const char *format, ...)
    OI_PRINTF(2, 3);
/* Forget everything handed out, keep one block for the next unit of work. */
void oi_arena_reset(struct oi_arena *arena);
/* Give all memory back; the arena is empty and usable again. */
void oi_arena_release(struct oi_arena *arena);
