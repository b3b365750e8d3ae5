/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded files: the page is there, complete, and its table is in order. */
#include "server/assets.h"

#include "support/test.h"

#include <string.h>

static void
the_page_is_at_the_root(void **)
{
    const struct oi_asset *page = oi_asset_find(OI_SLICE("/"));

    assert_non_null(page);
    assert_string_equal(page->content_type, "text/html; charset=utf-8");
    assert_true(oi_slice_starts_with(page->body, "<!doctype html>"));
}

static void
an_unknown_path_has_no_asset(void **)
{
    assert_null(oi_asset_find(OI_SLICE("/assets/../app.js")));
    assert_null(oi_asset_find(OI_SLICE("")));
}

static void
every_asset_is_found_by_its_path_and_the_paths_ascend(void **)
{
    const struct oi_asset *before = NULL;
    size_t count = 0;

    for (const struct oi_asset *asset; (asset = oi_asset_at(count)); count++) {
        assert_ptr_equal(oi_asset_find(oi_slice_of(asset->path)), asset);
        if (before)
            assert_true(strcmp(before->path, asset->path) < 0);
        before = asset;
    }
    assert_true(count > 0);
}

static void
a_compressed_copy_is_gzip_and_smaller(void **)
{
    for (size_t index = 0; oi_asset_at(index); index++) {
        const struct oi_asset *asset = oi_asset_at(index);

        assert_int_equal(asset->etag[0], '"');
        assert_int_equal(asset->etag[strlen(asset->etag) - 1], '"');
        if (asset->gzip.size == 0)
            continue;
        assert_true(asset->gzip.size < asset->body.size);
        assert_memory_equal(asset->gzip.data, "\x1f\x8b", 2);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_is_at_the_root),
        cmocka_unit_test(an_unknown_path_has_no_asset),
        cmocka_unit_test(every_asset_is_found_by_its_path_and_the_paths_ascend),
        cmocka_unit_test(a_compressed_copy_is_gzip_and_smaller),
    };
    return cmocka_run_group_tests_name("server/assets", tests, NULL, NULL);
}
