/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL between two memory BIOs, so that the sockets stay with the loop. */
#include "net/tls.h"

#include "base/alloc.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

struct oi_tls_context {
    SSL_CTX *openssl;
};

struct oi_tls {
    SSL *openssl;
    BIO *in, *out; /* belong to `openssl` */
};

static enum oi_status
fail(struct oi_error *error, const char *what)
{
    char reason[120] = "unknown";
    unsigned long code = ERR_get_error();

    if (code != 0)
        ERR_error_string_n(code, reason, sizeof(reason));
    ERR_clear_error();
    return oi_fail(error, OI_E_INVALID, "%s: %s", what, reason);
}

static void
free_context(SSL_CTX **openssl)
{
    SSL_CTX_free(*openssl);
}

static void
free_asn1_time(ASN1_TIME **time)
{
    ASN1_TIME_free(*time);
}

static int
choose_protocol(SSL *openssl, const unsigned char **ret_name, unsigned char *ret_size,
                const unsigned char *offered, unsigned offered_size, void *context)
{
    static const unsigned char ours[] = "\x08http/1.1";

    (void) openssl;
    (void) context;
    if (SSL_select_next_proto((unsigned char **) ret_name, ret_size, ours, sizeof(ours) - 1,
                              offered, offered_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    return SSL_TLSEXT_ERR_OK;
}

enum oi_status
oi_tls_context_new(const char *certificate, const char *private_key,
                   struct oi_tls_context **ret_context, struct oi_error *error)
{
    OI_CLEANUP(oi_tls_context_free) struct oi_tls_context *context = oi_alloc(sizeof(*context));

    context->openssl = SSL_CTX_new(TLS_server_method());
    if (!context->openssl)
        return fail(error, "TLS cannot be set up");
    SSL_CTX_set_min_proto_version(context->openssl, TLS1_2_VERSION);
    SSL_CTX_set_options(context->openssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context->openssl, SSL_MODE_RELEASE_BUFFERS); /* idle sockets hold none */
    SSL_CTX_set_alpn_select_cb(context->openssl, choose_protocol, NULL);
    if (SSL_CTX_use_certificate_chain_file(context->openssl, certificate) != 1)
        return fail(error, "the certificate cannot be used");
    if (SSL_CTX_use_PrivateKey_file(context->openssl, private_key, SSL_FILETYPE_PEM) != 1)
        return fail(error, "the private key cannot be used");
    if (SSL_CTX_check_private_key(context->openssl) != 1)
        return fail(error, "certificate and private key do not belong together");
    *ret_context = context;
    context = NULL;
    return OI_OK;
}

void
oi_tls_context_free(struct oi_tls_context **context)
{
    if (!*context)
        return;
    SSL_CTX_free((*context)->openssl);
    oi_free(*context);
    *context = NULL;
}

static enum oi_status
second_of(const ASN1_TIME *time, int64_t *ret_second, struct oi_error *error)
{
    OI_CLEANUP(free_asn1_time) ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days, seconds;

    if (!epoch || ASN1_TIME_diff(&days, &seconds, epoch, time) != 1)
        return fail(error, "the certificate has no dates");
    *ret_second = (int64_t) days * 86'400 + seconds;
    return OI_OK;
}

enum oi_status
oi_tls_certificate_span(const char *certificate, int64_t *ret_from_s, int64_t *ret_until_s,
                        struct oi_error *error)
{
    OI_CLEANUP(free_context) SSL_CTX *openssl = SSL_CTX_new(TLS_server_method());
    const X509 *first;

    if (!openssl)
        return fail(error, "TLS cannot be set up");
    if (SSL_CTX_use_certificate_chain_file(openssl, certificate) != 1)
        return fail(error, "the certificate cannot be used");
    first = SSL_CTX_get0_certificate(openssl);
    OI_TRY(second_of(X509_get0_notBefore(first), ret_from_s, error));
    return second_of(X509_get0_notAfter(first), ret_until_s, error);
}

struct oi_tls *
oi_tls_new(struct oi_tls_context *context)
{
    struct oi_tls *tls = oi_alloc(sizeof(*tls));

    tls->openssl = SSL_new(context->openssl);
    tls->in = BIO_new(BIO_s_mem());
    tls->out = BIO_new(BIO_s_mem());
    oi_assert(tls->openssl && tls->in && tls->out); /* they fail only when memory is out */
    SSL_set_bio(tls->openssl, tls->in, tls->out);
    SSL_set_accept_state(tls->openssl);
    return tls;
}

void
oi_tls_free(struct oi_tls **tls)
{
    if (!*tls)
        return;
    SSL_free((*tls)->openssl);
    oi_free(*tls);
    *tls = NULL;
}

static void
take_cipher(struct oi_tls *tls, struct oi_buffer *cipher)
{
    size_t waiting = BIO_ctrl_pending(tls->out);
    char *room = waiting > 0 ? oi_buffer_reserve(cipher, waiting) : NULL;
    size_t size;

    if (room && BIO_read_ex(tls->out, room, waiting, &size))
        cipher->size += size;
}

enum oi_status
oi_tls_receive(struct oi_tls *tls, struct oi_slice bytes, struct oi_buffer *plain,
               struct oi_buffer *cipher, struct oi_error *error)
{
    enum oi_status status = OI_OK;
    size_t size;

    ERR_clear_error();
    if (bytes.size > 0 && !BIO_write_ex(tls->in, bytes.data, bytes.size, &size))
        return fail(error, "TLS took no more");
    for (;;) {
        char *room = oi_buffer_reserve(plain, 16'384); /* the largest record */
        int reason;

        if (!room)
            return oi_fail(error, OI_E_INVALID, "too much at once");
        if (SSL_read_ex(tls->openssl, room, 16'384, &size)) {
            plain->size += size;
            continue;
        }
        reason = SSL_get_error(tls->openssl, 0);
        if (reason == SSL_ERROR_SSL || reason == SSL_ERROR_SYSCALL)
            status = fail(error, "the client broke TLS");
        break;
    }
    take_cipher(tls, cipher);
    return status;
}

bool
oi_tls_is_open(const struct oi_tls *tls)
{
    return SSL_is_init_finished(tls->openssl);
}

bool
oi_tls_has_ended(const struct oi_tls *tls)
{
    return (SSL_get_shutdown(tls->openssl) & SSL_RECEIVED_SHUTDOWN) != 0;
}

enum oi_status
oi_tls_send(struct oi_tls *tls, struct oi_slice plain, struct oi_buffer *cipher,
            struct oi_error *error)
{
    size_t size;

    if (plain.size == 0)
        return OI_OK;
    ERR_clear_error();
    if (!SSL_write_ex(tls->openssl, plain.data, plain.size, &size) || size != plain.size)
        return fail(error, "TLS cannot send");
    take_cipher(tls, cipher);
    return OI_OK;
}

void
oi_tls_end(struct oi_tls *tls, struct oi_buffer *cipher)
{
    ERR_clear_error();
    if (oi_tls_is_open(tls))
        (void) SSL_shutdown(tls->openssl);
    ERR_clear_error();
    take_cipher(tls, cipher);
}
