/* SPDX-License-Identifier: Apache-2.0 */
/* The thresholds, each beside the sentence that says what to do about it. */
#include "cli/doctor.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GIB ((uint64_t) 1 << 30)
/* A Date has whole seconds, and the answer was under way. */
#define CLOCK_WARN_NS (2 * OI_SECOND)
/* Readings belong to minutes; signed requests and certificates bear no more either. */
#define CLOCK_FAIL_NS (20 * OI_SECOND)
#define ROOM_FAIL GIB
#define ROOM_WARN (10 * GIB)
/* A minute of all exchanges is some twenty commits. */
#define SYNC_WARN_NS (50 * OI_MILLISECOND)
#define SYNC_FAIL_NS OI_SECOND
#define FILES_FAIL 256
#define FILES_WARN 4096
/* What the database maps at first; it grows with the data. */
#define MAP_SIZE (64 * GIB)
#define CERTIFICATE_WARN_NS (21 * OI_DAY)

/* Of statfs(2), where <linux/magic.h> has none. */
#define MAGIC_CIFS 0xFF534D42u
#define MAGIC_FUSE 0x65735546u
#define MAGIC_XFS 0x58465342u
#define MAGIC_ZFS 0x2FC12FC1u

const char *
oi_grade_name(enum oi_grade grade)
{
    static const char *const names[] = { "ok", "warn", "fail" };

    return names[grade];
}

void
oi_findings_add(struct oi_findings *findings, const char *check, const char *subject,
                struct oi_finding verdict, const char *format, ...)
{
    va_list arguments;

    verdict.check = check;
    (void) snprintf(verdict.subject, sizeof(verdict.subject), "%s", subject);
    va_start(arguments, format);
    (void) vsnprintf(verdict.found, sizeof(verdict.found), format, arguments);
    va_end(arguments);
    oi_assert((verdict.grade == OI_GRADE_OK) == !verdict.advice);
    oi_vector_push(&findings->items, verdict);
}

void
oi_findings_release(struct oi_findings *findings)
{
    oi_vector_release(&findings->items);
}

size_t
oi_findings_count(const struct oi_findings *findings, enum oi_grade grade)
{
    size_t count = 0;

    for (size_t i = 0; i < findings->items.count; i++)
        count += findings->items.items[i].grade == grade;
    return count;
}

static struct oi_finding
fine(void)
{
    return (struct oi_finding){ .grade = OI_GRADE_OK };
}

static struct oi_finding
verdict_of(enum oi_grade grade, const char *advice)
{
    return (struct oi_finding){ .grade = grade, .advice = grade == OI_GRADE_OK ? NULL : advice };
}

void
oi_doctor_judge_clock(struct oi_findings *findings, int64_t ahead_ns, size_t answers)
{
    int64_t off_ns = ahead_ns < 0 ? -ahead_ns : ahead_ns;
    enum oi_grade grade = off_ns > CLOCK_FAIL_NS   ? OI_GRADE_FAIL
                          : off_ns > CLOCK_WARN_NS ? OI_GRADE_WARN
                                                   : OI_GRADE_OK;

    oi_findings_add(findings, "clock", "skew",
                    verdict_of(grade, "set the clock and keep it set: `timedatectl set-ntp true`, "
                                      "or install chrony"),
                    "%" PRId64 ".%" PRId64 " s %s what %zu servers say", off_ns / OI_SECOND,
                    off_ns % OI_SECOND / (OI_SECOND / 10), ahead_ns < 0 ? "behind" : "ahead of",
                    answers);
}

void
oi_doctor_judge_room(struct oi_findings *findings, uint64_t free_bytes, uint64_t all_bytes)
{
    enum oi_grade grade = free_bytes < ROOM_FAIL   ? OI_GRADE_FAIL
                          : free_bytes < ROOM_WARN ? OI_GRADE_WARN
                                                   : OI_GRADE_OK;

    oi_findings_add(findings, "disk", "free space",
                    verdict_of(grade, "make room or move the data folder: a full disk stops the "
                                      "collector; `oi compact` and `oi retain` give room back"),
                    "%" PRIu64 ".%" PRIu64 " of %" PRIu64 " GiB", free_bytes / GIB,
                    free_bytes % GIB * 10 / GIB, all_bytes / GIB);
}

void
oi_doctor_judge_sync(struct oi_findings *findings, int64_t sync_ns)
{
    enum oi_grade grade = sync_ns > SYNC_FAIL_NS   ? OI_GRADE_FAIL
                          : sync_ns > SYNC_WARN_NS ? OI_GRADE_WARN
                                                   : OI_GRADE_OK;

    oi_findings_add(findings, "disk", "sync",
                    verdict_of(grade, "put the data folder on a local SSD: every commit waits for "
                                      "the disk"),
                    "%" PRId64 ".%02" PRId64 " ms to bring a commit to disk",
                    sync_ns / OI_MILLISECOND, sync_ns % OI_MILLISECOND / (10 * OI_MICROSECOND));
}

struct file_system {
    uint64_t type;
    const char *name;
    enum oi_grade grade;
};

static const struct file_system file_systems[] = {
    { EXT4_SUPER_MAGIC, "ext4", OI_GRADE_OK },
    { MAGIC_XFS, "xfs", OI_GRADE_OK },
    { BTRFS_SUPER_MAGIC, "btrfs", OI_GRADE_OK },
    { MAGIC_ZFS, "zfs", OI_GRADE_OK },
    { F2FS_SUPER_MAGIC, "f2fs", OI_GRADE_OK },
    { OVERLAYFS_SUPER_MAGIC, "overlayfs (goes with its container)", OI_GRADE_WARN },
    { TMPFS_MAGIC, "tmpfs (memory)", OI_GRADE_WARN },
    { RAMFS_MAGIC, "ramfs (memory)", OI_GRADE_WARN },
    { MAGIC_FUSE, "fuse", OI_GRADE_WARN },
    { NFS_SUPER_MAGIC, "nfs", OI_GRADE_FAIL },
    { MAGIC_CIFS, "cifs", OI_GRADE_FAIL },
    { SMB_SUPER_MAGIC, "smb", OI_GRADE_FAIL },
    { SMB2_SUPER_MAGIC, "smb", OI_GRADE_FAIL },
    { V9FS_MAGIC, "9p", OI_GRADE_FAIL },
    { CEPH_SUPER_MAGIC, "ceph", OI_GRADE_FAIL },
};

void
oi_doctor_judge_file_system(struct oi_findings *findings, uint64_t type)
{
    static const char *const advice[] = {
        [OI_GRADE_WARN] = "keep the data folder on a disk of its own (a volume): what is here may "
                          "be gone after a restart",
        [OI_GRADE_FAIL] = "move the data folder to a local disk: a database in shared memory is "
                          "not safe over a network",
    };

    for (size_t i = 0; i < OI_COUNT(file_systems); i++)
        if (file_systems[i].type == type) {
            oi_findings_add(findings, "disk", "file system",
                            verdict_of(file_systems[i].grade, advice[file_systems[i].grade]), "%s",
                            file_systems[i].name);
            return;
        }
    oi_findings_add(findings, "disk", "file system", fine(), "type 0x%" PRIx64, type);
}

void
oi_doctor_judge_files(struct oi_findings *findings, uint64_t open_files)
{
    enum oi_grade grade = open_files < FILES_FAIL   ? OI_GRADE_FAIL
                          : open_files < FILES_WARN ? OI_GRADE_WARN
                                                    : OI_GRADE_OK;
    static const char advice[] = "allow 65536: `ulimit -n`, or LimitNOFILE= of the systemd unit; "
                                 "each client is one";

    if (open_files == UINT64_MAX)
        oi_findings_add(findings, "limits", "open files", fine(), "no limit");
    else
        oi_findings_add(findings, "limits", "open files", verdict_of(grade, advice), "%" PRIu64,
                        open_files);
}

void
oi_doctor_judge_address_space(struct oi_findings *findings, uint64_t bytes)
{
    if (bytes == UINT64_MAX)
        oi_findings_add(findings, "limits", "map size", fine(),
                        "no limit of the address space; the database maps 64 GiB and more");
    else
        oi_findings_add(findings, "limits", "map size",
                        verdict_of(bytes < MAP_SIZE + GIB ? OI_GRADE_FAIL : OI_GRADE_OK,
                                   "remove the limit (`ulimit -v unlimited`, LimitAS=infinity): "
                                   "the database maps 64 GiB of addresses, not of memory"),
                        "%" PRIu64 " GiB of addresses", bytes / GIB);
}

void
oi_doctor_judge_locked(struct oi_findings *findings, uint64_t bytes)
{
    if (bytes == UINT64_MAX)
        oi_findings_add(findings, "limits", "locked memory", fine(), "no limit; none is needed");
    else
        oi_findings_add(findings, "limits", "locked memory", fine(),
                        "%" PRIu64 " KiB; none is needed", bytes / 1024);
}

void
oi_doctor_judge_processors(struct oi_findings *findings, long count)
{
    enum oi_grade grade = count < 2 ? OI_GRADE_WARN : OI_GRADE_OK;

    oi_findings_add(findings, "limits", "processors",
                    verdict_of(grade, "give it two: collecting and answering then do not wait for "
                                      "one another"),
                    "%ld", count);
}

void
oi_doctor_judge_certificate(struct oi_findings *findings, oi_time from, oi_time until, oi_time now)
{
    enum oi_grade grade = now >= until || now < from          ? OI_GRADE_FAIL
                          : until - now < CERTIFICATE_WARN_NS ? OI_GRADE_WARN
                                                              : OI_GRADE_OK;
    struct oi_buffer text = {};

    oi_buffer_add_text(&text, now < from ? "valid from " : "valid until ");
    oi_time_write(now < from ? from : until, 0, &text);
    oi_findings_add(findings, "settings", "certificate",
                    verdict_of(grade, "renew it, then send the server SIGHUP: it reads the new one "
                                      "without a stop"),
                    "%.*s", OI_SLICE_ARGS(oi_buffer_slice(&text)));
    oi_buffer_release(&text);
}

void
oi_doctor_judge_secret(struct oi_findings *findings, const char *path, unsigned mode)
{
    enum oi_grade grade = (mode & 0007u) != 0 ? OI_GRADE_FAIL : OI_GRADE_OK;

    oi_findings_add(findings, "settings", "secret file",
                    verdict_of(grade, "take it from others: chmod o-rwx on this file"),
                    "%s, mode %04o", path, mode & 07777u);
}

/* What stops a request before anybody has answered, by the words of the transport. */
static const char *
advice_of_transport(const struct oi_reach *reach)
{
    if (reach->status == OI_E_DENIED)
        return "TLS: update ca-certificates and look at the clock; a proxy that opens TLS needs "
               "its authority installed";
    if (strstr(reach->reason, "resolve"))
        return "DNS: look at /etc/resolv.conf, or try `getent hosts` with the exchange's name";
    if (reach->proxy)
        return "the proxy: is its address right, and does it let us through?";
    if (strstr(reach->reason, "SSL") || strstr(reach->reason, "TLS"))
        return "TLS: something between here and the exchange breaks the handshake; try another "
               "network or --proxy";
    return "the network: look at routes and firewall for port 443, or ask through --proxy";
}

static struct oi_finding
verdict_of_reach(const struct oi_reach *reach)
{
    if (reach->status != OI_OK)
        return verdict_of(OI_GRADE_FAIL, advice_of_transport(reach));
    if (reach->verdict == OI_OK || reach->verdict == OI_E_NOT_FOUND)
        return fine();
    if (reach->verdict == OI_E_DENIED)
        return verdict_of(OI_GRADE_FAIL, "it is up and refuses this address or country: collect "
                                         "it through --proxy EXCHANGE=URL, or leave it out with "
                                         "--exchange");
    if (reach->verdict == OI_E_BUSY)
        return verdict_of(OI_GRADE_WARN, "it asks us to slow down: does another program use this "
                                         "address? The collector waits by itself");
    return verdict_of(OI_GRADE_WARN, "the exchange is in trouble or has changed: look again in a "
                                     "minute; the collector tries by itself");
}

void
oi_doctor_judge_reach(struct oi_findings *findings, const struct oi_reach *reach)
{
    struct oi_finding verdict = verdict_of_reach(reach);
    const char *name = reach->exchange->name, *way = reach->proxy ? " by proxy" : "";

    if (reach->status != OI_OK)
        oi_findings_add(findings, "exchange", name, verdict, "down%s: %s", way, reach->reason);
    else if (verdict.grade == OI_GRADE_OK)
        oi_findings_add(findings, "exchange", name, verdict, "HTTP %d in %" PRId64 " ms%s",
                        reach->http_status, reach->elapsed_ns / OI_MILLISECOND, way);
    else
        oi_findings_add(findings, "exchange", name, verdict, "%s%s: HTTP %d%s%s",
                        reach->verdict == OI_E_DENIED ? "refused" : "troubled", way,
                        reach->http_status, reach->reason[0] ? ", " : "", reach->reason);
}

static int
compare(const void *a, const void *b)
{
    const int64_t *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

void
oi_doctor_judge_dates(struct oi_findings *findings, const struct oi_reach *reaches, size_t count)
{
    OI_VECTOR(int64_t) skews = {};

    for (size_t i = 0; i < count; i++)
        if (reaches[i].has_date)
            oi_vector_push(&skews, reaches[i].ahead_ns);
    if (skews.count > 0) {
        qsort(skews.items, skews.count, sizeof(*skews.items), compare);
        oi_doctor_judge_clock(findings, skews.items[skews.count / 2], skews.count);
    } else {
        oi_findings_add(findings, "clock", "skew",
                        verdict_of(OI_GRADE_WARN, "nobody answered with a date: mend the network, "
                                                  "then look again; `timedatectl` says what it "
                                                  "knows"),
                        "not known");
    }
    oi_vector_release(&skews);
}
