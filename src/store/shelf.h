/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Things that were made and may be of use again, each under a label. Whoever uses one takes it out
 * and puts it back, which is an atomic exchange each: no reader waits, holds a lock or counts
 * references. Who finds that another has it makes it anew, as if there were no shelf. Any thread
 * may call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct oi_shelf_label {
    uint64_t words[3];
};

/* How each thing begins; what follows is its owner's. One piece of memory, from oi_alloc. */
struct oi_shelf_item {
    struct oi_shelf_label label;
};

struct oi_shelf;

/* At most so many things, a multiple of OI_SHELF_WAYS. */
#define OI_SHELF_WAYS 16
struct oi_shelf *oi_shelf_new(size_t places);
void oi_shelf_free(struct oi_shelf **shelf);

/* Take out what has a label, its user's own until it is put back; NULL where there is none. */
struct oi_shelf_item *oi_shelf_take(struct oi_shelf *shelf, const struct oi_shelf_label *label);
/* Put back, or there for the first time; what has to go for it is freed. */
void oi_shelf_put(struct oi_shelf *shelf, struct oi_shelf_item *item);
/* Should a thing be kept that was just made? The second time it is asked, so that passing over
 * everything once pushes nothing out; but where something else would have to go for it, one of
 * `one_of` times. */
bool oi_shelf_wants(struct oi_shelf *shelf, const struct oi_shelf_label *label, unsigned one_of);
