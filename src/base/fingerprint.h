/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file is known by: XXH3-128 of its bytes, their number, and which of the two kinds it is.
 * It tells a file from every other one that was not made to deceive, at the speed of memory;
 * whoever makes two alike keeps one of them out of his own store. The only user of xxHash.
 */
#pragma once

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* As large as a SHA-256, which ledgers of earlier versions hold in its place. */
#define OI_FINGERPRINT_SIZE 32

/* Of a file that is in memory, whole. */
void oi_fingerprint_of(struct oi_slice bytes, uint8_t ret_fingerprint[OI_FINGERPRINT_SIZE]);

/* Over several pieces: begin, add, finish (which also frees). */
struct oi_fingerprint_stream;
struct oi_fingerprint_stream *oi_fingerprint_begin(void);
void oi_fingerprint_add(struct oi_fingerprint_stream *stream, struct oi_slice piece);
void oi_fingerprint_finish(struct oi_fingerprint_stream **stream,
                           uint8_t ret_fingerprint[OI_FINGERPRINT_SIZE]);
/* Free without a fingerprint; NULL inside is fine, so it serves OI_CLEANUP. */
void oi_fingerprint_abandon(struct oi_fingerprint_stream **stream);
/* For the time being: of what else is known of a file. Never equal to one of a file's bytes. */
void oi_fingerprint_of_facts(struct oi_slice facts, uint8_t ret_fingerprint[OI_FINGERPRINT_SIZE]);

/* How many bytes the file has. False, and unchanged, when it is not of a file's bytes. */
bool oi_fingerprint_size(const uint8_t fingerprint[OI_FINGERPRINT_SIZE], uint64_t *ret_size);
/* Is it of either kind? A SHA-256 is not. */
bool oi_fingerprint_is_one(const uint8_t fingerprint[OI_FINGERPRINT_SIZE]);
