/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/raw.h"

#include "base/random.h"
#include "support/test.h"
#include "support/test_folder.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define START (INT64_C(1'767'225'600) * OI_SECOND)

static void
read_file(const char *path, struct oi_buffer *out)
{
    FILE *file = fopen(path, "rbe");
    char piece[4096];
    size_t size;

    assert_non_null(file);
    while ((size = fread(piece, 1, sizeof(piece), file)) > 0)
        oi_buffer_add(out, piece, size);
    assert_int_equal(fclose(file), 0);
}

static struct oi_slice
random_text(struct oi_random *random, char *text, size_t size)
{
    size_t count = oi_random_below(random, size);

    for (size_t i = 0; i < count; i++)
        text[i] = (char) oi_random_below(random, 256);
    return (struct oi_slice){ text, count };
}

static const struct oi_watch_mark marks[] = {
    { .exchange = "bybit", .product = "linear", .minute = START },
    { .exchange = "okx", .minute = START + OI_MINUTE },
};
static const struct oi_hole holes[] = {
    { .exchange = "okx",
      .product = "swap",
      .span = { START, START + OI_MINUTE },
      .cause = OI_HOLE_UNREACHABLE },
};

/* One of any kind, with texts in `room`. */
static struct oi_raw_record
random_record(struct oi_random *random, char room[10][64], struct oi_http_field headers[2])
{
    struct oi_raw_record record = {
        .kind = (enum oi_raw_kind)(1 + oi_random_below(random, OI_RAW_PUSH)),
        .wall = START + (oi_time) oi_random_below(random, 1'000'000'000),
        .mono_ns = (int64_t) oi_random_next(random),
        .exchange = random_text(random, room[0], 20),
        .minute = START,
        .committed = oi_random_below(random, 2) ? OI_TIME_NONE : START + 5,
        .is_stopping = oi_random_below(random, 2),
        .number = oi_random_next(random),
        .task = (enum oi_task_kind) oi_random_below(random, OI_TASK_STREAM + 1),
        .endpoint = oi_random_below(random, 100),
        .product = random_text(random, room[1], 64),
        .family = random_text(random, room[2], 64),
        .symbol = random_text(random, room[3], 64),
        .page = random_text(random, room[4], 64),
        .request = random_text(random, room[5], 64),
        .outcome = (enum oi_status) oi_random_below(random, OI_E_CANCELLED + 1),
        .reason = random_text(random, room[6], 64),
        .status = (int) oi_random_below(random, 600),
        .headers = headers,
        .header_count = oi_random_below(random, 3),
        .body = random_text(random, room[9], 64),
        .stream = oi_random_below(random, 5),
        .interval_ns = OI_SECOND,
        .marks = marks,
        .mark_count = oi_random_below(random, 3),
        .holes = holes,
        .hole_count = oi_random_below(random, 2),
    };

    for (size_t i = 0; i < 2; i++)
        headers[i] = (struct oi_http_field){ random_text(random, room[7 + i], 64),
                                             random_text(random, room[7 + i], 64) };
    return record;
}

static void
assert_text(struct oi_slice text, struct oi_slice expected)
{
    assert_true(oi_slice_equal(text, expected));
}

static void
assert_coverage(const struct oi_raw_record *read, const struct oi_raw_record *written)
{
    assert_int_equal(read->mark_count, written->mark_count);
    for (size_t i = 0; i < read->mark_count; i++) {
        assert_string_equal(read->marks[i].exchange, marks[i].exchange);
        assert_string_equal(read->marks[i].product, marks[i].product);
        assert_int_equal(read->marks[i].minute, marks[i].minute);
    }
    assert_int_equal(read->hole_count, written->hole_count);
    for (size_t i = 0; i < read->hole_count; i++) {
        assert_string_equal(read->holes[i].product, holes[i].product);
        assert_int_equal(read->holes[i].span.to, holes[i].span.to);
        assert_int_equal(read->holes[i].cause, holes[i].cause);
    }
}

static void
assert_record(const struct oi_raw_record *read, const struct oi_raw_record *written)
{
    assert_int_equal(read->kind, written->kind);
    assert_int_equal(read->wall, written->wall);
    assert_int_equal(read->mono_ns, written->mono_ns);
    assert_text(read->exchange, written->exchange);
    if (written->kind == OI_RAW_BEGIN)
        assert_int_equal(read->minute, written->minute);
    if (written->kind == OI_RAW_CLOSE)
        assert_int_equal(read->is_stopping, written->is_stopping);
    if (written->kind == OI_RAW_BEGIN || written->kind == OI_RAW_FLUSH ||
        written->kind == OI_RAW_CLOSE || written->kind == OI_RAW_PUSH)
        assert_int_equal(read->committed, written->committed);
    if (written->kind == OI_RAW_REFRESH || written->kind == OI_RAW_FRAME)
        assert_int_equal(read->stream, written->stream);
    if (written->kind == OI_RAW_FRAME)
        assert_text(read->body, written->body);
    if (written->kind == OI_RAW_PUSH)
        assert_coverage(read, written);
    if (written->kind == OI_RAW_SEND) {
        assert_int_equal(read->number, written->number);
        assert_int_equal(read->task, written->task);
        assert_int_equal(read->endpoint, written->endpoint);
        assert_text(read->product, written->product);
        assert_text(read->family, written->family);
        assert_text(read->symbol, written->symbol);
        assert_text(read->page, written->page);
        assert_text(read->request, written->request);
    }
    if (written->kind != OI_RAW_ANSWER)
        return;
    assert_int_equal(read->outcome, written->outcome);
    assert_text(read->reason, written->reason);
    assert_int_equal(read->status, written->status);
    assert_int_equal(read->header_count, written->header_count);
    for (size_t i = 0; i < read->header_count; i++) {
        assert_text(read->headers[i].name, written->headers[i].name);
        assert_text(read->headers[i].value, written->headers[i].value);
    }
    assert_text(read->body, written->body);
}

static void
what_is_written_is_read_again(void **)
{
    struct oi_buffer file = {}, records = {};
    struct oi_raw_reader *reader = NULL;
    struct oi_http_field headers[2];
    struct oi_random random;
    char room[10][64];

    oi_random_init(&random, 3);
    oi_raw_write_head(77, START, &file);
    for (int i = 0; i < 500; i++) {
        struct oi_raw_record record = random_record(&random, room, headers);

        oi_raw_write_record(&record, &records);
        if (i % 50 == 49) {
            oi_raw_write_block(oi_buffer_slice(&records), &file);
            oi_buffer_clear(&records);
        }
    }
    oi_random_init(&random, 3);
    assert_ok(oi_raw_reader_open(oi_buffer_slice(&file), &reader, NULL));
    assert_int_equal(oi_raw_reader_session(reader), 77);
    for (int i = 0; i < 500; i++) {
        struct oi_raw_record written = random_record(&random, room, headers), read;

        assert_ok(oi_raw_next(reader, &read, NULL));
        assert_record(&read, &written);
    }
    for (int i = 0; i < 2; i++) {
        struct oi_raw_record read = { .kind = OI_RAW_BEGIN };

        assert_ok(oi_raw_next(reader, &read, NULL));
        assert_int_equal(read.kind, OI_RAW_NONE);
    }
    assert_int_equal(oi_raw_reader_torn(reader), 0);
    oi_raw_reader_close(&reader);
    oi_buffer_release(&records);
    oi_buffer_release(&file);
}

/* Records of a file, damage counted. */
static size_t
count_records(struct oi_slice bytes, size_t *ret_damaged, size_t *ret_torn)
{
    struct oi_raw_reader *reader = NULL;
    struct oi_raw_record record;
    size_t count = 0;

    *ret_damaged = 0;
    assert_ok(oi_raw_reader_open(bytes, &reader, NULL));
    for (;;) {
        if (oi_raw_next(reader, &record, NULL) != OI_OK) {
            ++*ret_damaged;
            continue;
        }
        if (record.kind == OI_RAW_NONE)
            break;
        count++;
    }
    *ret_torn = oi_raw_reader_torn(reader);
    oi_raw_reader_close(&reader);
    return count;
}

static void
a_torn_end_is_left_out_and_damage_in_the_middle_is_told(void **)
{
    struct oi_raw_record record = { .kind = OI_RAW_FLUSH, .wall = START, .committed = START };
    struct oi_buffer file = {}, records = {};
    size_t damaged, torn, first;

    oi_raw_write_record(&record, &records);
    oi_raw_write_head(1, START, &file);
    first = file.size;
    for (int i = 0; i < 3; i++)
        oi_raw_write_block(oi_buffer_slice(&records), &file);
    assert_int_equal(count_records(oi_buffer_slice(&file), &damaged, &torn), 3);
    assert_int_equal(damaged + torn, 0);
    /* Wherever a crash cut it, what was whole is there. */
    for (size_t size = first; size < file.size; size++) {
        size_t blocks = (size - first) / ((file.size - first) / 3);

        assert_int_equal(count_records((struct oi_slice){ file.data, size }, &damaged, &torn),
                         blocks);
        assert_int_equal(damaged, 0);
        assert_int_equal(torn, (size - first) % ((file.size - first) / 3));
    }
    file.data[first + 14] = (char) (file.data[first + 14] ^ 1);
    assert_int_equal(count_records(oi_buffer_slice(&file), &damaged, &torn), 2);
    assert_int_equal(damaged, 1);
    assert_int_equal(torn, 0);
    oi_buffer_release(&records);
    oi_buffer_release(&file);
}

static void
another_file_is_refused(void **)
{
    struct oi_raw_reader *reader = NULL;
    struct oi_buffer file = {};

    assert_status(oi_raw_reader_open(OI_SLICE("{}"), &reader, NULL), OI_E_INVALID);
    oi_raw_write_head(1, START, &file);
    file.data[8] = 2;
    assert_status(oi_raw_reader_open(oi_buffer_slice(&file), &reader, NULL), OI_E_INVALID);
    file.data[8] = 1;
    file.data[12] = (char) (file.data[12] ^ 1);
    assert_status(oi_raw_reader_open(oi_buffer_slice(&file), &reader, NULL), OI_E_INVALID);
    oi_buffer_release(&file);
}

static size_t
count_files(const char *path, char *ret_first)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    size_t count = 0;

    assert_non_null(folder);
    ret_first[0] = '\0';
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        count++;
        if (ret_first[0] == '\0' || strcmp(entry->d_name, ret_first) < 0)
            (void) snprintf(ret_first, 64, "%.63s", entry->d_name);
    }
    assert_int_equal(closedir(folder), 0);
    return count;
}

static void
files_are_begun_by_the_hour_and_old_ones_removed(void **state)
{
    struct oi_virtual_clock clock;
    char folder[512], path[600], first[64];
    struct oi_raw_options options = { .folder = folder,
                                      .clock = &clock.clock,
                                      .keep_ns = 3 * OI_HOUR };
    struct oi_raw_record record = { .kind = OI_RAW_FLUSH, .committed = START };
    struct oi_buffer file = {};
    struct oi_raw *raw = NULL, *other = NULL;
    size_t damaged, torn;

    (void) snprintf(folder, sizeof(folder), "%s/raw", (const char *) *state);
    oi_virtual_clock_init(&clock, START + OI_MINUTE);
    assert_ok(oi_raw_open(&options, &raw, NULL));
    assert_ok(oi_raw_open(&options, &other, NULL)); /* another process */
    oi_raw_close(&other);
    for (int i = 0; i < 6 * 60; i++) {
        record.wall = clock.now_ns;
        oi_raw_add(raw, &record);
        oi_virtual_clock_advance(&clock, OI_MINUTE);
    }
    assert_int_equal(count_files(folder, first), 4);
    assert_string_equal(first, "2026-01-01T03-000.oiraw");
    assert_int_equal(oi_raw_lost(raw), 0);
    oi_raw_close(&raw);
    (void) snprintf(path, sizeof(path), "%s/%s", folder, first);
    read_file(path, &file);
    assert_int_equal(count_records(oi_buffer_slice(&file), &damaged, &torn), 60);
    assert_int_equal(damaged + torn, 0);
    options.keep_ns = 0;
    options.size_max = 1;
    assert_ok(oi_raw_open(&options, &raw, NULL));
    assert_int_equal(count_files(folder, first), 1); /* the one at hand */
    oi_raw_close(&raw);
    oi_buffer_release(&file);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(a_torn_end_is_left_out_and_damage_in_the_middle_is_told),
        cmocka_unit_test(another_file_is_refused),
        cmocka_unit_test_setup_teardown(files_are_begun_by_the_hour_and_old_ones_removed,
                                        test_folder_setup, test_folder_teardown),
    };

    return cmocka_run_group_tests_name("collector/raw", tests, NULL, NULL);
}
