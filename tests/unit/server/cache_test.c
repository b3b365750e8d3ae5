/* SPDX-License-Identifier: Apache-2.0 */
/* What was answered is answered again while its data is the same, and memory stays bounded. */
#include "server/cache.h"

#include "support/test.h"

#include <stdio.h>

static void
put(struct oi_cache *cache, const char *key, const struct oi_cache_state *state, size_t size)
{
    struct oi_http_reply reply = { .status = 200 };

    oi_http_reply_type(&reply, "application/json");
    oi_http_reply_header_text(&reply, "ETag", "\"1\"");
    for (size_t i = 0; i < size; i++)
        oi_buffer_add_char(&reply.body, 'x');
    oi_cache_put(cache, oi_slice_of(key), state, &reply, (const uint64_t[2]){ 3, 4 });
    oi_http_reply_release(&reply);
}

/* The size of what is found, 0: nothing. */
static size_t
find(struct oi_cache *cache, const char *key, const struct oi_cache_state *state,
     const char *encoding)
{
    struct oi_http_request request = {};
    struct oi_http_reply reply = { .status = 200 };
    struct oi_cache_state known = *state;
    uint64_t counts[2] = {};
    size_t size = 0;

    if (encoding)
        oi_http_add_header(&request, "Accept-Encoding", oi_slice_of(encoding));
    if (oi_cache_find(cache, oi_slice_of(key), &known, &request, &reply, counts)) {
        size = oi_http_reply_body(&reply).size;
        assert_int_equal(counts[1], 4);
        assert_true(oi_slice_is(*oi_http_reply_find(&reply, "etag"), "\"1\""));
        assert_int_equal(oi_http_reply_find(&reply, "content-encoding") != NULL, encoding != NULL);
    }
    oi_http_reply_release(&reply);
    oi_http_request_release(&request);
    return size;
}

static void
answers_again_while_the_data_is_the_same(void **)
{
    struct oi_cache *cache = oi_cache_new((size_t) 1 << 20);
    struct oi_cache_state state = { .batch = 7, .now_ns = 100, .version = 9 };
    struct oi_cache_state later = { .batch = 7, .now_ns = 200 };

    put(cache, "a", &state, 5000);
    assert_int_equal(find(cache, "a", &later, NULL), 5000);
    assert_int_equal(find(cache, "b", &later, NULL), 0);
    assert_in_range(find(cache, "a", &later, "gzip"), 1, 500);
    later.now_ns = 100 + INT64_C(1'000'000'001);
    assert_int_equal(find(cache, "a", &later, NULL), 0);
    later.version = 8;
    assert_int_equal(find(cache, "a", &later, NULL), 0);
    later = (struct oi_cache_state){ .batch = 8, .now_ns = 5'000'000'000, .version = 9 };
    assert_int_equal(find(cache, "a", &later, NULL), 5000);
    later.version = 0; /* it was found to be as new */
    assert_int_equal(find(cache, "a", &later, NULL), 5000);
    oi_cache_free(&cache);
}

static void
keeps_within_its_memory(void **)
{
    struct oi_cache *cache = oi_cache_new(100'000);
    struct oi_cache_state state = { .batch = 1 };
    size_t found = 0;
    char key[16];

    for (unsigned i = 0; i < 100; i++) {
        (void) snprintf(key, sizeof(key), "key%u", i);
        put(cache, key, &state, 10'000);
    }
    for (unsigned i = 0; i < 100; i++) {
        (void) snprintf(key, sizeof(key), "key%u", i);
        found += find(cache, key, &state, NULL) > 0;
    }
    assert_in_range(found, 1, 9);
    put(cache, "large", &state, 200'000);
    assert_int_equal(find(cache, "large", &state, NULL), 0);
    oi_cache_free(&cache);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_again_while_the_data_is_the_same),
        cmocka_unit_test(keeps_within_its_memory),
    };
    return cmocka_run_group_tests_name("server/cache", tests, NULL, NULL);
}
