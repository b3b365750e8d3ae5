/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings of `oi doctor`: what was looked at, how it stands, and what to do. The judgements are
 * pure; doctor_host.c, doctor_store.c and doctor_reach.c look at the machine and ask for them.
 */
#pragma once

#include "base/compiler.h"
#include "base/status.h"
#include "base/vector.h"
#include "cli/options.h"
#include "core/time.h"
#include "exchanges/exchange.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum oi_grade { OI_GRADE_OK = 0, OI_GRADE_WARN, OI_GRADE_FAIL };
const char *oi_grade_name(enum oi_grade grade);

struct oi_finding {
    const char *check; /* "clock", "disk", ...; static */
    char subject[64];  /* "free space", "binance" */
    enum oi_grade grade;
    char found[256];
    const char *advice; /* what to do; static, NULL where all is well */
};

struct oi_findings {
    OI_VECTOR(struct oi_finding) items;
};

void oi_findings_add(struct oi_findings *findings, const char *check, const char *subject,
                     struct oi_finding verdict, const char *format, ...) OI_PRINTF(5, 6);
void oi_findings_release(struct oi_findings *findings);
size_t oi_findings_count(const struct oi_findings *findings, enum oi_grade grade);

/*
 * Judgements.
 */

/* How far this clock is ahead of what `answers` servers say (their middle). */
void oi_doctor_judge_clock(struct oi_findings *findings, int64_t ahead_ns, size_t answers);
/* Bytes that are free for us on the file system of the data folder. */
void oi_doctor_judge_room(struct oi_findings *findings, uint64_t free_bytes, uint64_t all_bytes);
/* How long a small commit takes to be on disk. */
void oi_doctor_judge_sync(struct oi_findings *findings, int64_t sync_ns);
/* The type of statfs(2). */
void oi_doctor_judge_file_system(struct oi_findings *findings, uint64_t type);
/* Limits of the process; UINT64_MAX: none. */
void oi_doctor_judge_files(struct oi_findings *findings, uint64_t open_files);
void oi_doctor_judge_address_space(struct oi_findings *findings, uint64_t bytes);
void oi_doctor_judge_locked(struct oi_findings *findings, uint64_t bytes);
void oi_doctor_judge_processors(struct oi_findings *findings, long count);
void oi_doctor_judge_certificate(struct oi_findings *findings, oi_time from, oi_time until,
                                 oi_time now);
/* May others than the owner read a file that is to be secret? `mode` of stat(2). */
void oi_doctor_judge_secret(struct oi_findings *findings, const char *path, unsigned mode);

/* What became of one request to an exchange. */
struct oi_reach {
    const struct oi_exchange *exchange;
    const char *proxy; /* or NULL */
    bool is_done;
    enum oi_status status;      /* of the transport; OK: something answered */
    char reason[OI_ERROR_SIZE]; /* of the transport, or of the verdict */
    int http_status;
    enum oi_status verdict; /* what the exchange means by it */
    int64_t elapsed_ns;
    bool has_date;
    int64_t ahead_ns; /* our clock before the Date of the answer */
};
void oi_doctor_judge_reach(struct oi_findings *findings, const struct oi_reach *reach);
/* The clock from all that answered; not known where nobody did. */
void oi_doctor_judge_dates(struct oi_findings *findings, const struct oi_reach *reaches,
                           size_t count);

/*
 * Looking.
 */

/* Disk, limits, time zone data. */
void oi_doctor_look_at_host(struct oi_findings *findings, const char *folder);
/* The one in the folder, or at `address` (NULL: none). Opens it in a process of its own: damage can
 * kill the reader. Before any thread is started. */
void oi_doctor_look_at_store(struct oi_findings *findings, const char *folder, const char *address);
/* Permissions of the files with secrets, and the certificate. */
void oi_doctor_look_at_files(struct oi_findings *findings, const struct oi_options *settings);
/* Ask each exchange that is collected once, all at the same time. */
enum oi_status oi_doctor_look_at_exchanges(struct oi_findings *findings,
                                           const struct oi_options *options,
                                           struct oi_error *error);
