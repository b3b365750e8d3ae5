/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C (Castagnoli), the checksum of everything on disk; uses SSE 4.2 where the processor has
 * it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Start with crc = 0; feed the result of one call to the next to run over several pieces. */
uint32_t oi_crc32c(uint32_t crc, const void *bytes, size_t size);
/* The same without the processor's help, for processors without it; public so that a test compares
 * the two. */
uint32_t oi_crc32c_by_table(uint32_t crc, const void *bytes, size_t size);
