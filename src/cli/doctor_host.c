/* SPDX-License-Identifier: Apache-2.0 */
/* What the operating system says of disk and limits; the judgements are in doctor.c. */
/* no unit test: asks the machine; tests/system/doctor.test.mjs runs it */
#include "cli/doctor.h"

#include "base/clock.h"
#include "cli/zones.h"
#include "net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

/* A commit of a minute is about so long. */
#define COMMIT_SIZE ((size_t) 16 * 1024)
#define COMMITS 8

/* The folder, or the nearest one above it that is there. */
static void
find_folder(const char *folder, char ret_path[4096])
{
    struct stat facts;

    (void) snprintf(ret_path, 4096, "%s", folder);
    while (stat(ret_path, &facts) != 0) {
        char *slash = strrchr(ret_path, '/');

        if (!slash) {
            (void) snprintf(ret_path, 4096, ".");
            return;
        }
        slash[slash == ret_path] = '\0';
        if (slash == ret_path)
            return;
    }
}

static enum oi_status
measure_sync(int file, int64_t *ret_sync_ns, struct oi_error *error)
{
    const struct oi_clock *clock = &oi_clock_system;
    char bytes[COMMIT_SIZE];
    int64_t start_ns;

    memset(bytes, 'o', sizeof(bytes));
    start_ns = clock->monotonic_ns(clock);
    for (size_t i = 0; i < COMMITS; i++)
        if (write(file, bytes, sizeof(bytes)) != (ssize_t) sizeof(bytes) || fdatasync(file) != 0)
            return oi_fail(error, OI_E_IO, "%s", strerror(errno));
    *ret_sync_ns = (clock->monotonic_ns(clock) - start_ns) / COMMITS;
    return OI_OK;
}

static void
look_at_sync(struct oi_findings *findings, const char *folder)
{
    const struct oi_finding failed = { .grade = OI_GRADE_FAIL,
                                       .advice = "run as the folder's owner, or give this user the "
                                                 "right to write there" };
    int file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    struct oi_error error = {};
    int64_t sync_ns = 0;

    if (file < 0 && errno == EOPNOTSUPP) {
        oi_findings_add(findings, "disk", "sync", (struct oi_finding){},
                        "not measured: no nameless files here");
        return;
    }
    if (file < 0) {
        oi_findings_add(findings, "disk", "sync", failed, "cannot write in %s: %s", folder,
                        strerror(errno));
        return;
    }
    if (measure_sync(file, &sync_ns, &error) == OI_OK)
        oi_doctor_judge_sync(findings, sync_ns);
    else
        oi_findings_add(findings, "disk", "sync", failed, "cannot write in %s: %s", folder,
                        error.message);
    (void) close(file);
}

static void
look_at_disk(struct oi_findings *findings, const char *folder)
{
    char path[4096];
    struct statfs facts;

    find_folder(folder, path);
    if (statfs(path, &facts) == 0) {
        uint64_t block = (uint64_t) facts.f_bsize;

        oi_doctor_judge_room(findings, (uint64_t) facts.f_bavail * block,
                             (uint64_t) facts.f_blocks * block);
        oi_doctor_judge_file_system(findings, (uint64_t) facts.f_type & UINT32_MAX);
    }
    look_at_sync(findings, path);
}

static uint64_t
limit_of(int resource)
{
    struct rlimit limit;

    if (getrlimit((__rlimit_resource_t) resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    return limit.rlim_cur;
}

static void
look_at_zones(struct oi_findings *findings)
{
    static const char name[] = "America/New_York";
    OI_CLEANUP(oi_zones_free) struct oi_zones *zones = oi_zones_new(NULL);
    const struct oi_zone_loader *loader = oi_zones_loader(zones);
    const struct oi_zone *zone = NULL;
    struct oi_error error = {};

    if (loader->load(loader, OI_SLICE(name), &zone, &error) == OI_OK)
        oi_findings_add(findings, "zones", "time zone data", (struct oi_finding){}, "%s is there",
                        name);
    else
        oi_findings_add(findings, "zones", "time zone data",
                        (struct oi_finding){ .grade = OI_GRADE_WARN,
                                             .advice = "install tzdata: files with civil times "
                                                       "and CME's days need it" },
                        "%s", error.message);
}

void
oi_doctor_look_at_host(struct oi_findings *findings, const char *folder)
{
    look_at_disk(findings, folder);
    oi_doctor_judge_files(findings, limit_of(RLIMIT_NOFILE));
    oi_doctor_judge_address_space(findings, limit_of(RLIMIT_AS));
    oi_doctor_judge_locked(findings, limit_of(RLIMIT_MEMLOCK));
    oi_doctor_judge_processors(findings, sysconf(_SC_NPROCESSORS_ONLN));
    look_at_zones(findings);
}

static void
look_at_secret(struct oi_findings *findings, const char *path, bool must_exist)
{
    struct stat facts;

    if (stat(path, &facts) == 0)
        oi_doctor_judge_secret(findings, path, facts.st_mode);
    else if (must_exist || errno != ENOENT)
        oi_findings_add(findings, "settings", "secret file",
                        (struct oi_finding){ .grade = OI_GRADE_FAIL,
                                             .advice = "name a file that this user can read" },
                        "%s: %s", path, strerror(errno));
}

static void
look_at_certificate(struct oi_findings *findings, const char *certificate, const char *key)
{
    static const struct oi_finding failed = {
        .grade = OI_GRADE_FAIL,
        .advice = "give --tls-certificate and --tls-key a PEM chain and its own key",
    };
    const struct oi_clock *clock = &oi_clock_system;
    OI_CLEANUP(oi_tls_context_free) struct oi_tls_context *context = NULL;
    struct oi_error error = {};
    int64_t from_s = 0, until_s = 0;

    if (!certificate && !key)
        return;
    if (!certificate || !key) {
        oi_findings_add(findings, "settings", "certificate", failed, "only one of the two is set");
        return;
    }
    look_at_secret(findings, key, true);
    if (oi_tls_context_new(certificate, key, &context, &error) != OI_OK ||
        oi_tls_certificate_span(certificate, &from_s, &until_s, &error) != OI_OK) {
        oi_findings_add(findings, "settings", "certificate", failed, "%s", error.message);
        return;
    }
    /* Beyond the years that times have it is as good as valid for ever. */
    if (until_s > OI_TIME_LATEST / OI_SECOND)
        until_s = OI_TIME_LATEST / OI_SECOND;
    oi_doctor_judge_certificate(findings, from_s * OI_SECOND, until_s * OI_SECOND,
                                clock->wall_ns(clock));
}

void
oi_doctor_look_at_files(struct oi_findings *findings, const struct oi_options *settings)
{
    const char *config = oi_options_text(settings, "config");
    const char *const *keys;
    char path[4096];

    look_at_certificate(findings, oi_options_text(settings, "tls-certificate"),
                        oi_options_text(settings, "tls-key"));
    if (oi_options_values(settings, "key", &keys) == 0)
        return;
    if (oi_options_origin(settings, "key") != OI_ORIGIN_FILE)
        return;
    if (!config) {
        (void) snprintf(path, sizeof(path), "%s/oi.conf", oi_options_text(settings, "data"));
        config = path;
    }
    look_at_secret(findings, config, false);
}
