/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/manual.h"

#include "base/compiler.h"
#include "support/test.h"

#include <string.h>

static enum oi_status
do_nothing(const struct oi_options *, struct oi_error *)
{
    return OI_OK;
}

static const char *
page_of(const struct oi_command *command, struct oi_buffer *out)
{
    if (command)
        oi_manual_command(command, out);
    else
        oi_manual_overview(out);
    oi_buffer_add_char(out, '\0');
    return (const char *) out->data;
}

static void
has_a_page_for_every_command(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer overview = {};
    const char *all = page_of(NULL, &overview);

    for (size_t i = 0; oi_commands[i]; i++) {
        OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};
        const char *page = page_of(oi_commands[i], &out);

        assert_non_null(strstr(all, oi_commands[i]->name));
        assert_int_equal(strncmp(page, ".TH OI-", 7), 0);
        assert_non_null(strstr(page, ".SH SYNOPSIS"));
        assert_non_null(strstr(page, ".SH OPTIONS"));
    }
}

static void
protects_what_roff_would_read(void **)
{
    static const struct oi_option options[] = {
        { .name = "dry-run", .help = ".hidden or 'quoted' \\n" },
    };
    static const struct oi_command command = {
        .name = "try",
        .summary = "Try - it",
        .options = options,
        .option_count = 1,
        .run = do_nothing,
    };
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};
    const char *page = page_of(&command, &out);

    assert_non_null(strstr(page, "oi\\-try \\- Try \\- it\n"));
    assert_non_null(strstr(page, "\\fB\\-\\-dry\\-run\\fR\n\\&.hidden or 'quoted' \\en.\n"));
}

static void
keeps_lines_that_are_set_out(void **)
{
    static const struct oi_command command = {
        .name = "try",
        .summary = "Try it",
        .description = "Words of\none paragraph.\n\n  first   line\n  second  line\n\nMore words.",
        .run = do_nothing,
    };
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};

    assert_non_null(strstr(page_of(&command, &out),
                           "Words of\none paragraph.\n.PP\n.PP\n.nf\n  first   line\n"
                           "  second  line\n\n.fi\n.PP\nMore words.\n.SH OPTIONS"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_a_page_for_every_command),
        cmocka_unit_test(protects_what_roff_would_read),
        cmocka_unit_test(keeps_lines_that_are_set_out),
    };

    return cmocka_run_group_tests_name("cli/manual", tests, NULL, NULL);
}
