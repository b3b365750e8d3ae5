/* SPDX-License-Identifier: Apache-2.0 */
/* What LMDB does not tell of its file, read from the file itself, or tells as text alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Has the file's disk less room than `bytes` and a little more? */
bool oi_lmdb_file_is_crowded(int file, size_t bytes);

/* Is the file in `folder` one whose making was cut short, by a crash or a full disk, before its
 * first commit? Never so for a file that was once whole and is cut now. */
bool oi_lmdb_file_is_unborn(const char *folder);
/* Empty such a file: LMDB makes a new one of it. */
bool oi_lmdb_file_empty(const char *folder);
/* Take the room of the lock file in `folder` before LMDB maps it: a mapped page that a full disk
 * cannot give is a deadly signal. To be called where this process does not have it open. 0 or an
 * errno; a disk that cannot reserve is fine. */
int oi_lmdb_file_reserve_lock(const char *folder, unsigned readers);

/* For mdb_reader_list, which tells in text alone: lowers the uint64_t at `oldest` to the commit
 * that a line's reader reads, if it reads one. */
int oi_lmdb_note_reader(const char *line, void *oldest);
