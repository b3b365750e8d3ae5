/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8: every character, and what is none. */
#include "base/utf8.h"

#include "base/compiler.h"
#include "support/test.h"

/* The textbook encoder; the number of bytes. */
static size_t
encode(uint32_t character, char to[4])
{
    if (character < 0x80) {
        to[0] = (char) character;
        return 1;
    }
    if (character < 0x800) {
        to[0] = (char) (0xC0 | character >> 6);
        to[1] = (char) (0x80 | (character & 63));
        return 2;
    }
    if (character < 0x10000) {
        to[0] = (char) (0xE0 | character >> 12);
        to[1] = (char) (0x80 | (character >> 6 & 63));
        to[2] = (char) (0x80 | (character & 63));
        return 3;
    }
    to[0] = (char) (0xF0 | character >> 18);
    to[1] = (char) (0x80 | (character >> 12 & 63));
    to[2] = (char) (0x80 | (character >> 6 & 63));
    to[3] = (char) (0x80 | (character & 63));
    return 4;
}

static void
every_character_decodes_to_itself(void **)
{
    for (uint32_t character = 0; character < 0x120000; character++) {
        bool exists = character < 0x110000 && (character < 0xD800 || character > 0xDFFF);
        uint32_t decoded = 0;
        char bytes[4];
        size_t size = encode(character, bytes);

        if (oi_utf8_decode((struct oi_slice){ bytes, size }, &decoded) != (exists ? size : 0) ||
            (exists && decoded != character))
            fail_msg("character %x", character);
        if (size > 1 && oi_utf8_decode((struct oi_slice){ bytes, size - 1 }, &decoded) != 0)
            fail_msg("character %x, cut", character);
    }
}

static void
refuses_what_is_not_the_shortest_form(void **)
{
    const struct oi_slice bad[] = {
        OI_SLICE("\xC0\x80"),         OI_SLICE("\xC1\xBF"), OI_SLICE("\xE0\x9F\xBF"),
        OI_SLICE("\xF0\x8F\xBF\xBF"), OI_SLICE("\x80"),     OI_SLICE("\xFF"),
        OI_SLICE("12345678\xC3"),
    };

    for (size_t i = 0; i < OI_COUNT(bad); i++)
        assert_false(oi_utf8_is_valid(bad[i]));
    assert_true(oi_utf8_is_valid(OI_SLICE("plain text and \xC3\xA9 and \xF0\x9F\x98\x80")));
    assert_true(oi_utf8_is_valid((struct oi_slice){}));
    assert_true(oi_utf8_is_valid(OI_SLICE("a lone \\ud800 is six characters here")));
}

static void
a_bad_byte_is_found_at_every_place(void **)
{
    char text[40];

    for (size_t i = 0; i < sizeof(text); i++) {
        memset(text, 'x', sizeof(text));
        assert_true(oi_utf8_is_valid((struct oi_slice){ text, sizeof(text) }));
        text[i] = (char) 0xFF;
        assert_false(oi_utf8_is_valid((struct oi_slice){ text, sizeof(text) }));
        assert_false(oi_utf8_is_valid_json((struct oi_slice){ text, sizeof(text) }));
    }
}

static void
json_escapes_of_surrogates_come_in_pairs(void **)
{
    assert_true(oi_utf8_is_valid_json(OI_SLICE("\"\\ud83d\\ude00 \\u00e9 \\n\"")));
    assert_true(oi_utf8_is_valid_json(OI_SLICE("\"\\\\ud800\"")));
    assert_false(oi_utf8_is_valid_json(OI_SLICE("\"\\ud83d\"")));
    assert_false(oi_utf8_is_valid_json(OI_SLICE("\"\\ud83dx\"")));
    assert_false(oi_utf8_is_valid_json(OI_SLICE("\"\\uD83D\\uD83D\"")));
    assert_false(oi_utf8_is_valid_json(OI_SLICE("\"\\ude00\"")));
    assert_false(oi_utf8_is_valid_json(OI_SLICE("\\\xFF")));
    assert_true(oi_utf8_is_valid_json(OI_SLICE("\\")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_decodes_to_itself),
        cmocka_unit_test(refuses_what_is_not_the_shortest_form),
        cmocka_unit_test(a_bad_byte_is_found_at_every_place),
        cmocka_unit_test(json_escapes_of_surrogates_come_in_pairs),
    };
    return cmocka_run_group_tests_name("base/utf8", tests, NULL, NULL);
}
