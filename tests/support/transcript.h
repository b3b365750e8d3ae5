/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a reader of files says of some bytes, as text that a test can spell out: a line for each
 * reading ("2 binance:usdm:BTCUSDT 2026-06-25T00:05:00Z oi=1 usd=2 ..."), each refusal ("3 refused
 * open_interest \"x\": reason"), and a failure at the end ("INVALID: reason").
 */
#pragma once

#include "archives/archive.h"
#include "base/buffer.h"

/* Read `bytes` in pieces of piece_size (0: at once) and append the transcript. */
void test_transcribe(const struct oi_archive *archive, const struct oi_archive_options *options,
                     struct oi_slice bytes, size_t piece_size, struct oi_buffer *transcript);
