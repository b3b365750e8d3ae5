/* SPDX-License-Identifier: Apache-2.0 */
/* What is judged from what was found: grades, and that whatever is not well says what to do. */
#include "cli/doctor.h"

#include "support/test.h"

#include <linux/magic.h>
#include <stdio.h>

#define GIB ((uint64_t) 1 << 30)

static void
expect(struct oi_findings *findings, enum oi_grade grade, const char *found)
{
    const struct oi_finding *last = &findings->items.items[findings->items.count - 1];

    assert_true(findings->items.count > 0);
    assert_int_equal(last->grade, grade);
    assert_non_null(strstr(last->found, found));
    assert_int_equal(last->advice == NULL, grade == OI_GRADE_OK);
    oi_findings_release(findings);
}

static void
a_clock_may_be_off_by_two_seconds(void **)
{
    struct oi_findings findings = {};

    oi_doctor_judge_clock(&findings, -OI_SECOND, 3);
    expect(&findings, OI_GRADE_OK, "1.0 s behind what 3 servers say");
    oi_doctor_judge_clock(&findings, 5 * OI_SECOND, 3);
    expect(&findings, OI_GRADE_WARN, "5.0 s ahead");
    oi_doctor_judge_clock(&findings, -OI_HOUR, 1);
    expect(&findings, OI_GRADE_FAIL, "3600.0 s behind");
}

static void
the_middle_of_all_clocks_counts(void **)
{
    const struct oi_reach reaches[] = {
        { .has_date = true, .ahead_ns = OI_HOUR },
        { .has_date = true, .ahead_ns = 0 },
        { .has_date = true, .ahead_ns = -OI_SECOND },
        { .has_date = false, .ahead_ns = OI_DAY },
    };
    struct oi_findings findings = {};

    oi_doctor_judge_dates(&findings, reaches, 4);
    expect(&findings, OI_GRADE_OK, "0.0 s ahead of what 3 servers say");
    oi_doctor_judge_dates(&findings, reaches + 3, 1);
    expect(&findings, OI_GRADE_WARN, "not known");
}

static void
a_disk_is_judged_by_room_speed_and_kind(void **)
{
    struct oi_findings findings = {};

    oi_doctor_judge_room(&findings, 100 * GIB, 200 * GIB);
    expect(&findings, OI_GRADE_OK, "100.0 of 200 GiB");
    oi_doctor_judge_room(&findings, 5 * GIB, 200 * GIB);
    expect(&findings, OI_GRADE_WARN, "5.0 of");
    oi_doctor_judge_room(&findings, GIB / 2, 200 * GIB);
    expect(&findings, OI_GRADE_FAIL, "0.5 of");
    oi_doctor_judge_sync(&findings, OI_MILLISECOND * 3 / 2);
    expect(&findings, OI_GRADE_OK, "1.50 ms");
    oi_doctor_judge_sync(&findings, 200 * OI_MILLISECOND);
    expect(&findings, OI_GRADE_WARN, "200.00 ms");
    oi_doctor_judge_sync(&findings, 2 * OI_SECOND);
    expect(&findings, OI_GRADE_FAIL, "2000.00 ms");
    oi_doctor_judge_file_system(&findings, EXT4_SUPER_MAGIC);
    expect(&findings, OI_GRADE_OK, "ext4");
    oi_doctor_judge_file_system(&findings, TMPFS_MAGIC);
    expect(&findings, OI_GRADE_WARN, "memory");
    oi_doctor_judge_file_system(&findings, NFS_SUPER_MAGIC);
    expect(&findings, OI_GRADE_FAIL, "nfs");
    oi_doctor_judge_file_system(&findings, 0x1234);
    expect(&findings, OI_GRADE_OK, "0x1234");
}

static void
limits_are_judged(void **)
{
    struct oi_findings findings = {};

    oi_doctor_judge_files(&findings, UINT64_MAX);
    expect(&findings, OI_GRADE_OK, "no limit");
    oi_doctor_judge_files(&findings, 1024);
    expect(&findings, OI_GRADE_WARN, "1024");
    oi_doctor_judge_files(&findings, 64);
    expect(&findings, OI_GRADE_FAIL, "64");
    oi_doctor_judge_address_space(&findings, UINT64_MAX);
    expect(&findings, OI_GRADE_OK, "no limit");
    oi_doctor_judge_address_space(&findings, 8 * GIB);
    expect(&findings, OI_GRADE_FAIL, "8 GiB");
    oi_doctor_judge_locked(&findings, 1 << 16);
    expect(&findings, OI_GRADE_OK, "64 KiB");
    oi_doctor_judge_processors(&findings, 1);
    expect(&findings, OI_GRADE_WARN, "1");
    oi_doctor_judge_processors(&findings, 8);
    expect(&findings, OI_GRADE_OK, "8");
}

static void
a_certificate_ends_and_a_secret_is_not_for_all(void **)
{
    struct oi_findings findings = {};

    oi_doctor_judge_certificate(&findings, 0, 100 * OI_DAY, OI_DAY);
    expect(&findings, OI_GRADE_OK, "until 1970-04-11T00:00:00Z");
    oi_doctor_judge_certificate(&findings, 0, 10 * OI_DAY, OI_DAY);
    expect(&findings, OI_GRADE_WARN, "until 1970-01-11");
    oi_doctor_judge_certificate(&findings, 0, OI_DAY, 2 * OI_DAY);
    expect(&findings, OI_GRADE_FAIL, "until 1970-01-02");
    oi_doctor_judge_certificate(&findings, 2 * OI_DAY, 3 * OI_DAY, OI_DAY);
    expect(&findings, OI_GRADE_FAIL, "valid from 1970-01-03");
    oi_doctor_judge_secret(&findings, "key.pem", 0100640);
    expect(&findings, OI_GRADE_OK, "key.pem, mode 0640");
    oi_doctor_judge_secret(&findings, "key.pem", 0100644);
    expect(&findings, OI_GRADE_FAIL, "mode 0644");
}

/* Judge one reach and look for words in its advice. */
static void
expect_reach(const struct oi_reach *reach, enum oi_grade grade, const char *found,
             const char *advice)
{
    struct oi_findings findings = {};

    oi_doctor_judge_reach(&findings, reach);
    assert_string_equal(findings.items.items[0].subject, reach->exchange->name);
    if (advice)
        assert_non_null(strstr(findings.items.items[0].advice, advice));
    expect(&findings, grade, found);
}

static void
a_refusal_is_told_apart_from_an_exchange_that_is_down(void **)
{
    struct oi_reach reach = { .exchange = oi_exchanges[0], .http_status = 200 };

    reach.elapsed_ns = 12 * OI_MILLISECOND;
    expect_reach(&reach, OI_GRADE_OK, "HTTP 200 in 12 ms", NULL);
    reach.proxy = "http://127.0.0.1:3128";
    expect_reach(&reach, OI_GRADE_OK, "12 ms by proxy", NULL);
    reach.http_status = 451;
    reach.verdict = OI_E_DENIED;
    expect_reach(&reach, OI_GRADE_FAIL, "refused by proxy: HTTP 451", "refuses this address");
    reach.http_status = 429;
    reach.verdict = OI_E_BUSY;
    expect_reach(&reach, OI_GRADE_WARN, "HTTP 429", "slow down");
    reach.http_status = 502;
    reach.verdict = OI_E_UPSTREAM;
    expect_reach(&reach, OI_GRADE_WARN, "troubled by proxy: HTTP 502", "in trouble");
}

static void
what_stops_a_request_names_its_place(void **)
{
    static const struct {
        const char *reason, *advice;
        enum oi_status status;
    } rows[] = {
        { "Could not resolve host: fapi.binance.com", "DNS", OI_E_BUSY },
        { "SSL certificate problem: self-signed certificate", "TLS", OI_E_DENIED },
        { "OpenSSL SSL_connect: Connection reset by peer", "TLS", OI_E_BUSY },
        { "Failed to connect to fapi.binance.com port 443", "firewall", OI_E_BUSY },
    };

    for (size_t i = 0; i < OI_COUNT(rows); i++) {
        struct oi_reach reach = { .exchange = oi_exchanges[0], .status = rows[i].status };

        (void) snprintf(reach.reason, sizeof(reach.reason), "%s", rows[i].reason);
        expect_reach(&reach, OI_GRADE_FAIL, rows[i].reason, rows[i].advice);
    }
}

static void
grades_are_counted(void **)
{
    struct oi_findings findings = {};

    oi_doctor_judge_processors(&findings, 1);
    oi_doctor_judge_processors(&findings, 2);
    oi_doctor_judge_processors(&findings, 3);
    assert_int_equal(oi_findings_count(&findings, OI_GRADE_OK), 2);
    assert_int_equal(oi_findings_count(&findings, OI_GRADE_WARN), 1);
    assert_string_equal(oi_grade_name(OI_GRADE_FAIL), "fail");
    oi_findings_release(&findings);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_may_be_off_by_two_seconds),
        cmocka_unit_test(the_middle_of_all_clocks_counts),
        cmocka_unit_test(a_disk_is_judged_by_room_speed_and_kind),
        cmocka_unit_test(limits_are_judged),
        cmocka_unit_test(a_certificate_ends_and_a_secret_is_not_for_all),
        cmocka_unit_test(a_refusal_is_told_apart_from_an_exchange_that_is_down),
        cmocka_unit_test(what_stops_a_request_names_its_place),
        cmocka_unit_test(grades_are_counted),
    };

    return cmocka_run_group_tests_name("cli/doctor", tests, NULL, NULL);
}
