/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/zones.h"

#include "support/test.h"
#include "support/test_folder.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static enum oi_status
load(const struct oi_zones *zones, const char *name, const struct oi_zone **ret_zone,
     struct oi_error *error)
{
    const struct oi_zone_loader *loader = oi_zones_loader(zones);

    return loader->load(loader, oi_slice_of(name), ret_zone, error);
}

static void
loads_a_zone_of_the_system_once(void **)
{
    OI_CLEANUP(oi_zones_free) struct oi_zones *zones = oi_zones_new(NULL);
    const struct oi_zone *first = NULL, *second = NULL;

    if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) != 0) {
        print_message("[  SKIPPED ] 1 zone: tzdata is not installed\n");
        skip();
    }
    assert_ok(load(zones, "Europe/Berlin", &first, NULL));
    assert_ok(load(zones, "Europe/Berlin", &second, NULL));
    assert_ptr_equal(first, second);
    assert_int_equal(oi_zone_offset_s(first, 0), 3600);
}

static void
knows_no_such_zone(void **)
{
    OI_CLEANUP(oi_zones_free) struct oi_zones *zones = oi_zones_new(NULL);
    const struct oi_zone *zone = NULL;
    struct oi_error error = {};

    assert_status(load(zones, "Atlantis/Capital", &zone, &error), OI_E_NOT_FOUND);
    assert_string_equal(error.message, "Atlantis/Capital: there is no such time zone");
    assert_status(load(zones, "Europe", &zone, NULL), OI_E_NOT_FOUND);
    assert_null(zone);
}

static void
never_leaves_its_folder(void **)
{
    OI_CLEANUP(oi_zones_free) struct oi_zones *zones = oi_zones_new(NULL);
    const struct oi_zone *zone = NULL;

    assert_status(load(zones, "../../../etc/passwd", &zone, NULL), OI_E_NOT_FOUND);
    assert_status(load(zones, "/etc/passwd", &zone, NULL), OI_E_NOT_FOUND);
    assert_status(load(zones, "", &zone, NULL), OI_E_NOT_FOUND);
}

static void
takes_a_damaged_file_for_none(void **state)
{
    OI_CLEANUP(oi_zones_free) struct oi_zones *zones = oi_zones_new(*state);
    const struct oi_zone *zone = NULL;
    char path[512];
    FILE *file;

    (void) snprintf(path, sizeof(path), "%s/Broken", (char *) *state);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("not a zone", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_status(load(zones, "Broken", &zone, NULL), OI_E_NOT_FOUND);
}

static void *
load_many(void *context)
{
    static const char *const names[] = { "Europe/Berlin", "America/New_York", "Asia/Tokyo",
                                         "Nope" };
    const struct oi_zone *zone;

    for (int i = 0; i < 200; i++)
        (void) load(context, names[i % 4], &zone, NULL);
    return NULL;
}

static void
serves_several_threads(void **)
{
    OI_CLEANUP(oi_zones_free) struct oi_zones *zones = oi_zones_new(NULL);
    const struct oi_zone *first = NULL, *second = NULL;
    pthread_t threads[4];

    for (size_t i = 0; i < OI_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, load_many, zones), 0);
    for (size_t i = 0; i < OI_COUNT(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(load(zones, "Asia/Tokyo", &first, NULL),
                     load(zones, "Asia/Tokyo", &second, NULL));
    assert_ptr_equal(first, second);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_a_zone_of_the_system_once),
        cmocka_unit_test(knows_no_such_zone),
        cmocka_unit_test(never_leaves_its_folder),
        cmocka_unit_test_setup_teardown(takes_a_damaged_file_for_none, test_folder_setup,
                                        test_folder_teardown),
        cmocka_unit_test(serves_several_threads),
    };
    return cmocka_run_group_tests_name("cli/zones", tests, NULL, NULL);
}
