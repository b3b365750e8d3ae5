/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate of our own making for 127.0.0.1, fresh for each test, as PEM files in a folder. */
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>

#include "support/test.h"

struct certificate {
    char chain[512], key[512];
};

static void
certificate_make(const char *folder, struct certificate *certificate)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    FILE *file;

    (void) snprintf(certificate->chain, sizeof(certificate->chain), "%s/chain.pem", folder);
    (void) snprintf(certificate->key, sizeof(certificate->key), "%s/key.pem", folder);
    assert_non_null(key);
    assert_int_equal(X509_set_version(x509, 2), 1);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -60);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3'600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                               (const unsigned char *) "127.0.0.1", -1, -1, 0);
    X509_set_issuer_name(x509, X509_get_subject_name(x509));
    X509_set_pubkey(x509, key);
    assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
    file = fopen(certificate->chain, "w");
    assert_int_equal(PEM_write_X509(file, x509), 1);
    assert_int_equal(fclose(file), 0);
    file = fopen(certificate->key, "w");
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(file), 0);
    X509_free(x509);
    EVP_PKEY_free(key);
}
