/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of months that are over, in an object store: put there by a thread of its own when somebody
 * asks for a link to one, and linked to as soon as they are there with what their month says now.
 */
#pragma once

#include "dialects/dialect.h"
#include "lake/export.h"
#include "lake/s3.h"

struct oi_bucket;

/* Borrows `source` and `files`; both outlive it. INVALID for a URL or keys that are none. */
enum oi_status oi_bucket_open(const struct oi_s3_options *options, const struct oi_source *source,
                              struct oi_export_cache *files, struct oi_bucket **ret_bucket,
                              struct oi_error *error);
void oi_bucket_close(struct oi_bucket **bucket);

/* Append a link to the object store for a file of ours (`path_and_query` as for oi_call.sign).
 * False: its month is not over, or the file is not there as it should be, and on its way from now
 * on. */
bool oi_bucket_link(struct oi_bucket *bucket, const struct oi_call *call,
                    struct oi_slice path_and_query, struct oi_buffer *out);
/* For /metrics. */
void oi_bucket_write_metrics(struct oi_bucket *bucket, struct oi_buffer *out);
