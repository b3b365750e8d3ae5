/* SPDX-License-Identifier: Apache-2.0 */
/* TLS between two memories: our server's side against a plain client of OpenSSL's. */
#include "net/tls.h"

#include "base/compiler.h"

#include "support/test_folder.h"
#include "unit/net/certificate.h"

#include <openssl/ssl.h>
#include <string.h>
#include <time.h>

struct client {
    SSL_CTX *context;
    SSL *ssl;
    BIO *in, *out;
};

static void
open_client(struct client *client, int version_max)
{
    client->context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(client->context, version_max);
    client->ssl = SSL_new(client->context);
    client->in = BIO_new(BIO_s_mem());
    client->out = BIO_new(BIO_s_mem());
    SSL_set_bio(client->ssl, client->in, client->out);
    SSL_set_connect_state(client->ssl);
    SSL_set_alpn_protos(client->ssl, (const unsigned char *) "\x02h2\x08http/1.1", 12);
}

static void
close_client(struct client *client)
{
    SSL_free(client->ssl);
    SSL_CTX_free(client->context);
}

/* Carry what the client has written to the server, and its answer back. */
static enum oi_status
exchange(struct client *client, struct oi_tls *tls, struct oi_buffer *plain,
         struct oi_buffer *cipher)
{
    char bytes[40'000];
    int size = BIO_read(client->out, bytes, sizeof(bytes));
    struct oi_slice slice = { bytes, size > 0 ? (size_t) size : 0 };
    enum oi_status status = oi_tls_receive(tls, slice, plain, cipher, NULL);

    if (cipher->size > 0)
        assert_true(BIO_write(client->in, cipher->data, (int) cipher->size) > 0);
    oi_buffer_clear(cipher);
    return status;
}

static void
carries_bytes_both_ways(void **state)
{
    struct certificate certificate;
    struct oi_tls_context *context = NULL;
    struct oi_tls *tls;
    struct client client;
    struct oi_buffer plain = {}, cipher = {}, large = {};
    char bytes[20'000];
    const unsigned char *protocol;
    unsigned protocol_size;
    int got = 0;

    certificate_make(*state, &certificate);
    assert_ok(oi_tls_context_new(certificate.chain, certificate.key, &context, NULL));
    tls = oi_tls_new(context);
    open_client(&client, TLS1_3_VERSION);
    for (int i = 0; i < 5 && !(SSL_do_handshake(client.ssl) == 1 && oi_tls_is_open(tls)); i++)
        assert_ok(exchange(&client, tls, &plain, &cipher));
    assert_true(oi_tls_is_open(tls));
    SSL_get0_alpn_selected(client.ssl, &protocol, &protocol_size);
    assert_int_equal(protocol_size, 8);
    assert_memory_equal(protocol, "http/1.1", 8);
    assert_int_equal(SSL_write(client.ssl, "hello", 5), 5);
    assert_ok(exchange(&client, tls, &plain, &cipher));
    assert_true(oi_slice_is(oi_buffer_slice(&plain), "hello"));
    for (int i = 0; i < 100'000; i++)
        oi_buffer_add_char(&large, (char) ('a' + i % 26));
    assert_ok(oi_tls_send(tls, oi_buffer_slice(&large), &cipher, NULL));
    assert_ok(exchange(&client, tls, &plain, &cipher));
    while (got < 100'000) {
        int size = SSL_read(client.ssl, bytes, sizeof(bytes));

        assert_true(size > 0);
        assert_memory_equal(bytes, large.data + got, (size_t) size);
        got += size;
    }
    assert_false(oi_tls_has_ended(tls));
    (void) SSL_shutdown(client.ssl);
    assert_ok(exchange(&client, tls, &plain, &cipher));
    assert_true(oi_tls_has_ended(tls));
    oi_tls_end(tls, &cipher);
    assert_true(cipher.size > 0);
    close_client(&client);
    oi_tls_free(&tls);
    oi_tls_context_free(&context);
    oi_buffer_release(&plain);
    oi_buffer_release(&cipher);
    oi_buffer_release(&large);
}

static void
refuses_old_versions_and_what_is_not_tls(void **state)
{
    struct certificate certificate;
    struct oi_tls_context *context = NULL;
    struct oi_tls *tls;
    struct client client;
    struct oi_buffer plain = {}, cipher = {};

    certificate_make(*state, &certificate);
    assert_ok(oi_tls_context_new(certificate.chain, certificate.key, &context, NULL));
    tls = oi_tls_new(context);
    open_client(&client, TLS1_1_VERSION);
    (void) SSL_do_handshake(client.ssl);
    if (BIO_ctrl_pending(client.out) > 0) /* a client that may not even try is as good */
        assert_status(exchange(&client, tls, &plain, &cipher), OI_E_INVALID);
    close_client(&client);
    oi_tls_free(&tls);
    tls = oi_tls_new(context);
    assert_status(oi_tls_receive(tls, OI_SLICE("GET / HTTP/1.1\r\n\r\n"), &plain, &cipher, NULL),
                  OI_E_INVALID);
    assert_false(oi_tls_is_open(tls));
    assert_int_equal(plain.size, 0);
    oi_tls_free(&tls);
    oi_tls_context_free(&context);
    oi_buffer_release(&plain);
    oi_buffer_release(&cipher);
}

static void
refuses_files_that_are_missing_or_do_not_belong_together(void **state)
{
    struct certificate certificate, other;
    struct oi_tls_context *context = NULL;
    struct oi_error error = {};
    char key[512];

    certificate_make(*state, &certificate);
    (void) snprintf(key, sizeof(key), "%s/first.pem", (const char *) *state);
    assert_int_equal(rename(certificate.key, key), 0);
    assert_status(oi_tls_context_new(certificate.chain, certificate.key, &context, &error),
                  OI_E_INVALID);
    certificate_make(*state, &other);
    assert_status(oi_tls_context_new(other.chain, key, &context, &error), OI_E_INVALID);
    assert_null(context);
    assert_ok(oi_tls_context_new(other.chain, other.key, &context, NULL));
    oi_tls_context_free(&context);
    oi_tls_context_free(&context);
}

static void
tells_from_when_to_when_a_certificate_is_valid(void **state)
{
    struct certificate certificate;
    int64_t from_s = 0, until_s = 0;

    certificate_make(*state, &certificate);
    assert_ok(oi_tls_certificate_span(certificate.chain, &from_s, &until_s, NULL));
    assert_int_equal(until_s - from_s, 3'660);
    assert_in_range(time(NULL), (uintmax_t) from_s + 60, (uintmax_t) from_s + 120);
    assert_status(oi_tls_certificate_span(certificate.key, &from_s, &until_s, NULL), OI_E_INVALID);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(carries_bytes_both_ways, test_folder_setup,
                                        test_folder_teardown),
        cmocka_unit_test_setup_teardown(refuses_old_versions_and_what_is_not_tls, test_folder_setup,
                                        test_folder_teardown),
        cmocka_unit_test_setup_teardown(refuses_files_that_are_missing_or_do_not_belong_together,
                                        test_folder_setup, test_folder_teardown),
        cmocka_unit_test_setup_teardown(tells_from_when_to_when_a_certificate_is_valid,
                                        test_folder_setup, test_folder_teardown),
    };
    return cmocka_run_group_tests_name("net/tls", tests, NULL, NULL);
}
