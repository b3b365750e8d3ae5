/* SPDX-License-Identifier: Apache-2.0 */
#include "archives/source.h"

#include "support/test.h"

#include <string.h>

#define DIGITS "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define DAY (INT64_C(1'767'225'600) * OI_SECOND) /* 2026-01-01 */

static void
a_day_of_a_market_has_the_path_of_the_archive(void **)
{
    struct oi_buffer path = {};

    oi_archive_sources[0]->path(oi_archive_sources[0], "BTCUSDT", DAY, &path);
    oi_buffer_add_char(&path, ' ');
    oi_archive_sources[1]->path(oi_archive_sources[1], "BTCUSD_PERP", DAY, &path);
    oi_buffer_add_char(&path, '\0');
    assert_string_equal(
        path.data, "/data/futures/um/daily/metrics/BTCUSDT/BTCUSDT-metrics-2026-01-01.zip "
                   "/data/futures/cm/daily/metrics/BTCUSD_PERP/BTCUSD_PERP-metrics-2026-01-01.zip");
    oi_buffer_release(&path);
}

static void
every_source_says_whose_files_it_has(void **)
{
    for (size_t i = 0; oi_archive_sources[i]; i++) {
        const struct oi_archive_source *source = oi_archive_sources[i];

        assert_non_null(source->archive->feed);
        assert_true(source->archive->cadence_ns > 0 && source->requests_max > 0);
        assert_int_equal(OI_DAY % source->archive->cadence_ns, 0);
        assert_int_equal(source->since % OI_DAY, 0);
    }
}

static void
a_checksum_is_read_and_must_name_the_file(void **)
{
    uint8_t digest[32] = {};

    assert_ok(oi_archive_sum_parse(OI_SLICE(DIGITS "  a.zip\n"), "a.zip", digest, NULL));
    assert_int_equal(digest[0], 0xe3);
    assert_int_equal(digest[31], 0x55);
    assert_ok(oi_archive_sum_parse(OI_SLICE(DIGITS " *a.zip"), "a.zip", digest, NULL));
    assert_status(oi_archive_sum_parse(OI_SLICE(DIGITS "  b.zip\n"), "a.zip", digest, NULL),
                  OI_E_INVALID);
    assert_status(oi_archive_sum_parse(OI_SLICE("<html>"), "a.zip", digest, NULL), OI_E_INVALID);
    assert_status(oi_archive_sum_parse(OI_SLICE("z" DIGITS "  a.zip"), "a.zip", digest, NULL),
                  OI_E_INVALID);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_of_a_market_has_the_path_of_the_archive),
        cmocka_unit_test(every_source_says_whose_files_it_has),
        cmocka_unit_test(a_checksum_is_read_and_must_name_the_file),
    };

    return cmocka_run_group_tests_name("archives/source", tests, NULL, NULL);
}
