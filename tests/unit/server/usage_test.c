/* SPDX-License-Identifier: Apache-2.0 */
#include "server/usage.h"

#include "support/test.h"
#include "support/test_folder.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const oi_time noon = INT64_C(1'772'884'800) * OI_SECOND; /* 2026-03-07T12:00Z */

static struct oi_key_record
make(struct oi_usage *usage, const char *name, oi_time created, char key[OI_KEY_TEXT_SIZE])
{
    struct oi_key_record record = { .created = created, .revoked = OI_TIME_NONE };

    memcpy(record.name, name, strlen(name) + 1);
    memcpy(record.plan, "oanor-free", sizeof("oanor-free"));
    assert_ok(oi_usage_add_key(usage, "kwery_live_", &record, key, NULL));
    return record;
}

static void
keeps_a_key_as_its_hash_alone(void **state)
{
    OI_CLEANUP(oi_usage_close) struct oi_usage *usage = NULL;
    struct oi_key_records records = {};
    char one[OI_KEY_TEXT_SIZE], two[OI_KEY_TEXT_SIZE];
    uint8_t hash[OI_SHA256_SIZE];

    assert_ok(oi_usage_open(*state, &usage, NULL));
    (void) make(usage, "second", noon + 1, two);
    (void) make(usage, "first", noon, one);
    assert_string_not_equal(one, two);
    assert_int_equal(strlen(one), strlen("kwery_live_") + 40);
    assert_memory_equal(one, "kwery_live_", 11);
    oi_usage_close(&usage);

    assert_ok(oi_usage_open(*state, &usage, NULL));
    assert_ok(oi_usage_list_keys(usage, &records, NULL));
    assert_int_equal(records.items.count, 2);
    assert_string_equal(records.items.items[0].name, "first");
    oi_sha256(oi_slice_of(one), hash);
    assert_memory_equal(records.items.items[0].hash, hash, sizeof(hash));
    assert_true(records.items.items[0].created == noon);
    assert_true(records.items.items[0].revoked == OI_TIME_NONE);
    oi_vector_release(&records.items);
}

static void
changes_and_forgets(void **state)
{
    OI_CLEANUP(oi_usage_close) struct oi_usage *usage = NULL;
    struct oi_key_records records = {};
    struct oi_key_record record;
    char key[OI_KEY_TEXT_SIZE];
    uint64_t version;

    assert_ok(oi_usage_open(*state, &usage, NULL));
    record = make(usage, "mine", noon, key);
    version = oi_usage_version(usage);
    record.revoked = noon + OI_HOUR;
    assert_ok(oi_usage_put_key(usage, &record, NULL));
    assert_true(oi_usage_version(usage) != version);
    assert_ok(oi_usage_list_keys(usage, &records, NULL));
    assert_int_equal(records.items.count, 1);
    assert_true(records.items.items[0].revoked == noon + OI_HOUR);
    oi_vector_clear(&records.items);
    assert_ok(oi_usage_forget_key(usage, &record, NULL));
    assert_ok(oi_usage_list_keys(usage, &records, NULL));
    assert_int_equal(records.items.count, 0);
    oi_vector_release(&records.items);
}

static void
refuses_a_prefix_that_could_not_be_sent(void **state)
{
    static const char *const bad[] = { "with blank ", "a&b", "a/b", "\xc3\xa4",
                                       "a-prefix-of-far-more-than-32-letters" };
    OI_CLEANUP(oi_usage_close) struct oi_usage *usage = NULL;

    assert_ok(oi_usage_open(*state, &usage, NULL));
    for (size_t i = 0; i < OI_COUNT(bad); i++) {
        struct oi_key_record record = { .revoked = OI_TIME_NONE };
        char key[OI_KEY_TEXT_SIZE];

        assert_status(oi_usage_add_key(usage, bad[i], &record, key, NULL), OI_E_INVALID);
    }
}

static void
reservations_outlive_and_stop_at_the_limit(void **state)
{
    const struct oi_usage_account account = { .hash = { 1 }, .month = 202603 },
                                  next = { .hash = { 1 }, .month = 202604 };
    const struct oi_usage_wish wish = { .limit = 120, .missing = 1, .block = 50 };
    OI_CLEANUP(oi_usage_close) struct oi_usage *usage = NULL;
    uint64_t more = 0, reserved = 0;

    assert_ok(oi_usage_open(*state, &usage, NULL));
    assert_ok(oi_usage_reserve(usage, &account, &wish, &more, &reserved, NULL));
    assert_int_equal(more, 50);
    oi_usage_close(&usage);

    assert_ok(oi_usage_open(*state, &usage, NULL));
    assert_ok(oi_usage_reserved(usage, &account, &reserved, NULL));
    assert_int_equal(reserved, 50);
    assert_ok(oi_usage_reserve(usage, &account, &wish, &more, &reserved, NULL));
    assert_ok(oi_usage_reserve(usage, &account, &wish, &more, &reserved, NULL));
    assert_int_equal(more, 20); /* the rest */
    assert_int_equal(reserved, 120);
    assert_status(oi_usage_reserve(usage, &account, &wish, &more, &reserved, NULL), OI_E_NOT_FOUND);
    assert_ok(oi_usage_give_back(usage, &account, 30, NULL));
    assert_ok(oi_usage_reserved(usage, &account, &reserved, NULL));
    assert_int_equal(reserved, 90);
    assert_ok(oi_usage_reserved(usage, &next, &reserved, NULL));
    assert_int_equal(reserved, 0);
}

static void
months_are_of_the_calendar_in_utc(void **)
{
    assert_int_equal(oi_usage_month(noon), 202603);
    assert_true(oi_usage_month_end(noon) == INT64_C(1'775'001'600) * OI_SECOND);
    assert_int_equal(oi_usage_month(oi_usage_month_end(noon) - 1), 202603);
    assert_int_equal(oi_usage_month(oi_usage_month_end(noon)), 202604);
    assert_int_equal(oi_usage_month(oi_usage_month_end(INT64_C(1'797'000'000) * OI_SECOND)),
                     202701);
}

/* A file that its owner may not write, for a user to whom that matters. */
static void
forbid_writing(const char *folder, bool is_forbidden)
{
    static const char *const files[] = { "", "/usage", "/usage/lock.mdb", "/usage/data.mdb" };
    char path[4096];

    if (!is_forbidden && getuid() == 0)
        assert_int_equal(seteuid(0), 0);
    for (size_t i = 0; i < OI_COUNT(files); i++) {
        (void) snprintf(path, sizeof(path), "%s%s", folder, files[i]);
        if (getuid() == 0)
            assert_int_equal(chmod(path, 0777), 0);
    }
    assert_int_equal(chmod(path, is_forbidden ? 0444 : 0600), 0);
    if (is_forbidden && getuid() == 0)
        assert_int_equal(seteuid(65534), 0);
}

static void
keys_stay_in_force_where_nothing_can_be_written(void **state)
{
    OI_CLEANUP(oi_usage_close) struct oi_usage *usage = NULL;
    const struct oi_usage_wish wish = { .limit = 100, .missing = 1, .block = 10 };
    struct oi_usage_account account = { .month = 202603 };
    struct oi_key_records records = {};
    struct oi_key_record record;
    char key[OI_KEY_TEXT_SIZE];
    struct oi_error error = {};
    uint64_t more, reserved;

    assert_ok(oi_usage_open(*state, &usage, NULL));
    record = make(usage, "one", noon, key);
    memcpy(account.hash, record.hash, sizeof(account.hash));
    assert_ok(oi_usage_reserve(usage, &account, &wish, &more, &reserved, NULL));
    oi_usage_close(&usage);

    forbid_writing(*state, true);
    assert_ok(oi_usage_open(*state, &usage, &error));
    assert_int_equal(oi_usage_state(usage, &error), OI_USAGE_READ_ONLY);
    assert_true(error.message[0] != '\0');
    assert_ok(oi_usage_list_keys(usage, &records, NULL));
    assert_int_equal(records.items.count, 1);
    assert_ok(oi_usage_reserved(usage, &account, &reserved, NULL));
    assert_true(reserved == 10);
    assert_status(oi_usage_reserve(usage, &account, &wish, &more, &reserved, NULL), OI_E_DENIED);
    assert_status(oi_usage_put_key(usage, &record, NULL), OI_E_DENIED);
    assert_false(oi_usage_retry(usage, OI_SECOND));
    assert_int_equal(oi_usage_state(usage, NULL), OI_USAGE_READ_ONLY);

    forbid_writing(*state, false);
    assert_false(oi_usage_retry(usage, OI_SECOND)); /* not so soon again */
    assert_true(oi_usage_retry(usage, 2 * OI_SECOND));
    assert_int_equal(oi_usage_state(usage, NULL), OI_USAGE_OPEN);
    assert_ok(oi_usage_reserve(usage, &account, &wish, &more, &reserved, NULL));
    assert_true(reserved == 20);
    oi_vector_release(&records.items);
}

#define IN_A_FOLDER(test)                                                                          \
    cmocka_unit_test_setup_teardown(test, test_folder_setup, test_folder_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(keeps_a_key_as_its_hash_alone),
        IN_A_FOLDER(changes_and_forgets),
        IN_A_FOLDER(refuses_a_prefix_that_could_not_be_sent),
        IN_A_FOLDER(keys_stay_in_force_where_nothing_can_be_written),
        IN_A_FOLDER(reservations_outlive_and_stop_at_the_limit),
        cmocka_unit_test(months_are_of_the_calendar_in_utc),
    };
    return cmocka_run_group_tests_name("server/usage", tests, NULL, NULL);
}
