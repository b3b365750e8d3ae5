/* SPDX-License-Identifier: Apache-2.0 */
/* Packing and unpacking: round trips in every cut, limits, and damage in every place. */
#include "base/compress.h"

#include "base/alloc.h"
#include "base/random.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

/* Text that packs well but not to nothing. */
static void
fill(struct oi_buffer *buffer, size_t size, uint64_t seed)
{
    struct oi_random random;

    oi_random_init(&random, seed);
    while (buffer->size < size)
        oi_buffer_add_format(buffer, "{\"openInterest\":%u},",
                             (unsigned) oi_random_below(&random, 100'000));
    buffer->size = size;
}

typedef void (*packer)(struct oi_slice body, int level, struct oi_buffer *out);

static void
check_round_trips(packer pack, enum oi_status (*unpack)(struct oi_slice, size_t, struct oi_buffer *,
                                                        struct oi_error *))
{
    static const size_t sizes[] = { 0, 1, 100, 65'536, 65'537, 1'000'000 };

    for (size_t i = 0; i < OI_COUNT(sizes); i++) {
        OI_CLEANUP(oi_buffer_release) struct oi_buffer body = {};
        OI_CLEANUP(oi_buffer_release) struct oi_buffer packed = {};
        OI_CLEANUP(oi_buffer_release) struct oi_buffer back = {};
        OI_CLEANUP(oi_buffer_release) struct oi_buffer tight = { .size_max = sizes[i] + 1 };
        size_t one_size;

        fill(&body, sizes[i], i);
        pack(oi_buffer_slice(&body), 3, &packed);
        one_size = packed.size;
        oi_buffer_add_text(&back, "kept");
        assert_ok(unpack(oi_buffer_slice(&packed), sizes[i], &back, NULL));
        oi_buffer_consume(&back, 4);
        assert_true(oi_slice_equal(oi_buffer_slice(&back), oi_buffer_slice(&body)));
        assert_ok(unpack(oi_buffer_slice(&packed), sizes[i] + 1, &tight, NULL));
        if (sizes[i] > 0) {
            oi_buffer_clear(&back);
            assert_status(unpack(oi_buffer_slice(&packed), sizes[i] - 1, &back, NULL), OI_E_FULL);
        }
        /* Two parts one after the other are one body. */
        pack(oi_buffer_slice(&body), 1, &packed);
        assert_true(packed.size > one_size);
        oi_buffer_clear(&back);
        assert_ok(unpack(oi_buffer_slice(&packed), 2 * sizes[i], &back, NULL));
        assert_int_equal(back.size, 2 * sizes[i]);
    }
}

static void
check_damage(packer pack, enum oi_status (*unpack)(struct oi_slice, size_t, struct oi_buffer *,
                                                   struct oi_error *))
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer body = {};
    OI_CLEANUP(oi_buffer_release) struct oi_buffer packed = {};
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};

    fill(&body, 2000, 1);
    pack(oi_buffer_slice(&body), 3, &packed);
    for (size_t cut = 0; cut < packed.size; cut++) {
        oi_buffer_clear(&out);
        assert_status(unpack((struct oi_slice){ packed.data, cut }, 1 << 20, &out, NULL),
                      OI_E_CORRUPT);
    }
    oi_buffer_add_text(&packed, "trailing bytes that are no packed body");
    oi_buffer_clear(&out);
    assert_status(unpack(oi_buffer_slice(&packed), 1 << 20, &out, NULL), OI_E_CORRUPT);
    assert_status(unpack(OI_SLICE("<html>503 Service Unavailable</html>"), 100, &out, NULL),
                  OI_E_CORRUPT);
}

static void
gzip_bodies_come_back(void **)
{
    check_round_trips(oi_gzip, oi_gunzip);
}

static void
zstd_bodies_come_back(void **)
{
    check_round_trips(oi_zstd, oi_unzstd);
}

static void
cut_or_strange_gzip_bodies_are_corrupt(void **)
{
    check_damage(oi_gzip, oi_gunzip);
}

static void
cut_or_strange_zstd_bodies_are_corrupt(void **)
{
    check_damage(oi_zstd, oi_unzstd);
}

static void
a_changed_gzip_body_never_passes_as_another(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer body = {};
    OI_CLEANUP(oi_buffer_release) struct oi_buffer packed = {};
    OI_CLEANUP(oi_buffer_release) struct oi_buffer out = {};

    fill(&body, 500, 2);
    oi_gzip(oi_buffer_slice(&body), 6, &packed);
    for (size_t i = 0; i < packed.size; i++) {
        packed.data[i] = (char) (packed.data[i] ^ 0x10);
        oi_buffer_clear(&out);
        if (oi_gunzip(oi_buffer_slice(&packed), 1 << 20, &out, NULL) == OI_OK)
            assert_true(oi_slice_equal(oi_buffer_slice(&out), oi_buffer_slice(&body)));
        packed.data[i] = (char) (packed.data[i] ^ 0x10);
    }
}

static void
a_streamed_gzip_shows_each_piece_at_once(void **)
{
    OI_CLEANUP(oi_gzip_stream_free) struct oi_gzip_stream *stream = oi_gzip_stream_new(6);
    OI_CLEANUP(oi_unpacker_free) struct oi_unpacker *reader = oi_unpacker_new();
    OI_CLEANUP(oi_buffer_release) struct oi_buffer whole = {};
    OI_CLEANUP(oi_buffer_release) struct oi_buffer back = {};
    OI_CLEANUP(oi_buffer_release) struct oi_buffer expected = {};

    for (uint64_t i = 0; i < 5; i++) {
        OI_CLEANUP(oi_buffer_release) struct oi_buffer piece = {};
        OI_CLEANUP(oi_buffer_release) struct oi_buffer packed = {};

        fill(&piece, i * 70'000 + 10, i);
        oi_buffer_add_slice(&expected, oi_buffer_slice(&piece));
        oi_gzip_stream_add(stream, oi_buffer_slice(&piece), i == 4, &packed);
        oi_buffer_add_slice(&whole, oi_buffer_slice(&packed));
        assert_ok(oi_unpacker_add(reader, oi_buffer_slice(&packed), i == 4, &back, NULL));
        assert_true(oi_slice_equal(oi_buffer_slice(&back), oi_buffer_slice(&expected)));
    }
    oi_buffer_clear(&back);
    assert_ok(oi_gunzip(oi_buffer_slice(&whole), 1 << 24, &back, NULL));
    assert_true(oi_slice_equal(oi_buffer_slice(&back), oi_buffer_slice(&expected)));
}

static enum oi_status
unpack_in_pieces(struct oi_slice file, size_t piece_size, struct oi_buffer *out,
                 struct oi_error *error)
{
    OI_CLEANUP(oi_unpacker_free) struct oi_unpacker *reader = oi_unpacker_new();

    while (file.size > piece_size) {
        OI_TRY(
            oi_unpacker_add(reader, (struct oi_slice){ file.data, piece_size }, false, out, error));
        file.data += piece_size;
        file.size -= piece_size;
    }
    return oi_unpacker_add(reader, file, true, out, error);
}

static void
copy_plainly(struct oi_slice body, int, struct oi_buffer *out)
{
    oi_buffer_add_slice(out, body);
}

static void
files_unpack_in_pieces_of_any_size(void **)
{
    static const packer packers[] = { oi_gzip, oi_zstd, copy_plainly };
    static const size_t piece_sizes[] = { 1, 3, 100, 65'536 };

    for (size_t i = 0; i < OI_COUNT(packers) * OI_COUNT(piece_sizes); i++) {
        OI_CLEANUP(oi_buffer_release) struct oi_buffer body = {};
        OI_CLEANUP(oi_buffer_release) struct oi_buffer packed = {};
        OI_CLEANUP(oi_buffer_release) struct oi_buffer back = {};

        fill(&body, 200'000, 6);
        packers[i % 3]((struct oi_slice){ body.data, 100'000 }, 3, &packed);
        packers[i % 3]((struct oi_slice){ body.data + 100'000, 100'000 }, 3, &packed);
        assert_ok(unpack_in_pieces(oi_buffer_slice(&packed), piece_sizes[i / 3], &back, NULL));
        assert_true(oi_slice_equal(oi_buffer_slice(&back), oi_buffer_slice(&body)));
    }
}

static void
tiny_plain_files_are_themselves(void **)
{
    static const char *const files[] = { "", "a", "\x1F", "ab\n" };

    for (size_t i = 0; i < OI_COUNT(files); i++) {
        OI_CLEANUP(oi_buffer_release) struct oi_buffer back = {};

        assert_ok(unpack_in_pieces(oi_slice_of(files[i]), 1, &back, NULL));
        assert_true(oi_slice_is(oi_buffer_slice(&back), files[i]));
    }
}

static void
zeros_after_a_gzip_file_are_padding(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer packed = {};
    OI_CLEANUP(oi_buffer_release) struct oi_buffer back = {};
    char zeros[512] = {};

    oi_gzip(OI_SLICE("hello"), 6, &packed);
    oi_buffer_add(&packed, zeros, sizeof(zeros));
    assert_ok(unpack_in_pieces(oi_buffer_slice(&packed), 100, &back, NULL));
    assert_true(oi_slice_is(oi_buffer_slice(&back), "hello"));
}

static void
a_cut_file_gives_what_came_before(void **)
{
    static const packer packers[] = { oi_gzip, oi_zstd };

    for (size_t i = 0; i < OI_COUNT(packers); i++) {
        OI_CLEANUP(oi_buffer_release) struct oi_buffer body = {};
        OI_CLEANUP(oi_buffer_release) struct oi_buffer packed = {};
        OI_CLEANUP(oi_buffer_release) struct oi_buffer back = {};
        struct oi_error error = {};
        char expected[64];

        fill(&body, 1'000'000, 7);
        packers[i](oi_buffer_slice(&body), 3, &packed);
        assert_status(unpack_in_pieces((struct oi_slice){ packed.data, packed.size / 2 }, 1000,
                                       &back, &error),
                      OI_E_CORRUPT);
        assert_in_range(back.size, 200'000, 800'000);
        assert_memory_equal(back.data, body.data, back.size);
        (void) snprintf(expected, sizeof(expected), "cut off after %zu unpacked bytes", back.size);
        assert_non_null(strstr(error.message, expected));
    }
}

static void
a_damaged_file_gives_what_came_before_and_then_nothing(void **)
{
    OI_CLEANUP(oi_unpacker_free) struct oi_unpacker *reader = oi_unpacker_new();
    OI_CLEANUP(oi_buffer_release) struct oi_buffer body = {};
    OI_CLEANUP(oi_buffer_release) struct oi_buffer packed = {};
    OI_CLEANUP(oi_buffer_release) struct oi_buffer back = {};
    size_t before;

    fill(&body, 300'000, 8);
    oi_gzip(oi_buffer_slice(&body), 6, &packed);
    memset(packed.data + packed.size / 2, 0xFF, 64);
    assert_status(oi_unpacker_add(reader, oi_buffer_slice(&packed), true, &back, NULL),
                  OI_E_CORRUPT);
    assert_true(back.size >= 100'000);
    assert_memory_equal(back.data, body.data, 100'000);
    before = back.size;
    assert_status(oi_unpacker_add(reader, OI_SLICE("more"), true, &back, NULL), OI_E_CORRUPT);
    assert_int_equal(back.size, before);
}

static void
a_bomb_stops_at_the_ceiling(void **)
{
    static const packer packers[] = { oi_gzip, oi_zstd };

    for (size_t i = 0; i < OI_COUNT(packers); i++) {
        OI_CLEANUP(oi_free_pointer) char *zeros = oi_alloc_zero(8 << 20, 1);
        OI_CLEANUP(oi_buffer_release) struct oi_buffer packed = {};
        OI_CLEANUP(oi_buffer_release) struct oi_buffer back = { .size_max = 100'000 };

        packers[i]((struct oi_slice){ zeros, 8 << 20 }, 3, &packed);
        assert_true(packed.size < 20'000);
        assert_status(unpack_in_pieces(oi_buffer_slice(&packed), 50'000, &back, NULL), OI_E_FULL);
        assert_true(back.size <= 100'000);
    }
}

/* A zip archive written by hand, entries stored: a.csv "1,2\n", folder/, b.csv "3\n". */
static void
add_zip_header(struct oi_buffer *out, bool is_central, const char *name, struct oi_slice content,
               uint32_t crc, uint32_t offset)
{
    oi_buffer_add(out, is_central ? "PK\x01\x02" : "PK\x03\x04", 4);
    if (is_central)
        oi_buffer_add_u16(out, 20);
    oi_buffer_add_u16(out, 20); /* version needed */
    oi_buffer_add_u16(out, 0);  /* flags */
    oi_buffer_add_u16(out, 0);  /* stored */
    oi_buffer_add_u32(out, 0x5A670000);
    oi_buffer_add_u32(out, crc);
    oi_buffer_add_u32(out, (uint32_t) content.size);
    oi_buffer_add_u32(out, (uint32_t) content.size);
    oi_buffer_add_u16(out, (uint16_t) strlen(name));
    oi_buffer_add_u16(out, 0);
    if (is_central) {
        oi_buffer_add_u16(out, 0);
        oi_buffer_add_u16(out, 0);
        oi_buffer_add_u16(out, 0);
        oi_buffer_add_u32(out, 0);
        oi_buffer_add_u32(out, offset);
    }
    oi_buffer_add_text(out, name);
}

static void
write_zip(struct oi_buffer *out)
{
    static const char *const names[] = { "a.csv", "folder/", "b.csv" };
    static const char *const contents[] = { "1,2\n", "", "3\n" };
    static const uint32_t crcs[] = { 0x55214233, 0, 0x55679ED1 };
    OI_CLEANUP(oi_buffer_release) struct oi_buffer central = {};
    uint32_t offset;

    for (size_t i = 0; i < 3; i++) {
        struct oi_slice content = oi_slice_of(contents[i]);

        add_zip_header(&central, true, names[i], content, crcs[i], (uint32_t) out->size);
        add_zip_header(out, false, names[i], content, crcs[i], 0);
        oi_buffer_add_slice(out, content);
    }
    offset = (uint32_t) out->size;
    oi_buffer_add_slice(out, oi_buffer_slice(&central));
    oi_buffer_add(out, "PK\x05\x06", 4);
    oi_buffer_add_u32(out, 0);
    oi_buffer_add_u16(out, 3);
    oi_buffer_add_u16(out, 3);
    oi_buffer_add_u32(out, (uint32_t) central.size);
    oi_buffer_add_u32(out, offset);
    oi_buffer_add_u16(out, 0);
}

static enum oi_status
list_entry(void *context, const char *name, struct oi_slice content, struct oi_error *)
{
    oi_buffer_add_format(context, "%s:%.*s", name, OI_SLICE_ARGS(content));
    return OI_OK;
}

static enum oi_status
refuse_entry(void *, const char *, struct oi_slice, struct oi_error *error)
{
    return oi_fail(error, OI_E_CANCELLED, "enough");
}

static void
a_zip_archive_is_walked_file_by_file(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer archive = {};
    OI_CLEANUP(oi_buffer_release) struct oi_buffer list = {};
    struct oi_error error = {};

    write_zip(&archive);
    assert_true(oi_is_zip(oi_buffer_slice(&archive)));
    assert_false(oi_is_zip(OI_SLICE("PK")));
    if (oi_zip_each(oi_buffer_slice(&archive), 4, list_entry, &list, &error) != OI_OK)
        fail_msg("%s", error.message);
    assert_true(oi_slice_is(oi_buffer_slice(&list), "a.csv:1,2\nb.csv:3\n"));
    assert_status(oi_zip_each(oi_buffer_slice(&archive), 4, refuse_entry, NULL, &error),
                  OI_E_CANCELLED);
    assert_string_equal(error.message, "enough");
}

static void
a_zip_entry_that_is_too_large_or_damaged_fails(void **)
{
    OI_CLEANUP(oi_buffer_release) struct oi_buffer archive = {};
    OI_CLEANUP(oi_buffer_release) struct oi_buffer list = {};
    struct oi_error error = {};
    struct oi_slice cut;

    write_zip(&archive);
    assert_status(oi_zip_each(oi_buffer_slice(&archive), 3, list_entry, &list, &error), OI_E_FULL);
    assert_string_equal(error.message, "a.csv in the zip archive: larger than allowed");
    cut = (struct oi_slice){ archive.data, archive.size - 30 };
    assert_status(oi_zip_each(cut, 100, list_entry, &list, &error), OI_E_CORRUPT);
    archive.data[30 + 5] = '9'; /* the first byte of a.csv */
    assert_status(oi_zip_each(oi_buffer_slice(&archive), 100, list_entry, &list, &error),
                  OI_E_CORRUPT);
    assert_int_equal(list.size, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gzip_bodies_come_back),
        cmocka_unit_test(zstd_bodies_come_back),
        cmocka_unit_test(cut_or_strange_gzip_bodies_are_corrupt),
        cmocka_unit_test(cut_or_strange_zstd_bodies_are_corrupt),
        cmocka_unit_test(a_changed_gzip_body_never_passes_as_another),
        cmocka_unit_test(a_streamed_gzip_shows_each_piece_at_once),
        cmocka_unit_test(files_unpack_in_pieces_of_any_size),
        cmocka_unit_test(tiny_plain_files_are_themselves),
        cmocka_unit_test(zeros_after_a_gzip_file_are_padding),
        cmocka_unit_test(a_cut_file_gives_what_came_before),
        cmocka_unit_test(a_damaged_file_gives_what_came_before_and_then_nothing),
        cmocka_unit_test(a_bomb_stops_at_the_ceiling),
        cmocka_unit_test(a_zip_archive_is_walked_file_by_file),
        cmocka_unit_test(a_zip_entry_that_is_too_large_or_damaged_fails),
    };
    return cmocka_run_group_tests_name("base/compress", tests, NULL, NULL);
}
