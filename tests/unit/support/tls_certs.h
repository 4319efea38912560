/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates for tests, made when they are needed: an authority, whatever it
 * signs, and what it should never have signed. Files are PEM, NAME.crt and
 * NAME.key in one directory.
 */
#ifndef WSB_UNIT_SUPPORT_TLS_CERTS_H
#define WSB_UNIT_SUPPORT_TLS_CERTS_H

#include <openssl/x509.h>
#include <stdbool.h>

struct tls_cert_spec {
	const char *name; /* of the files */
	const char *cn,
		*sans;	    /* sans as in openssl.cnf: "DNS:a.example,IP:192.0.2.1"; NULL = none */
	const char *issuer; /* name of another one; NULL = signed by itself */
	long from_days, to_days; /* from today; both 0: yesterday to in 30 days */
	bool is_ca, is_rsa, is_client;
	const char *password; /* of the key; NULL = not encrypted */
};

/* The test fails if it cannot be made. */
void tls_cert_make(const char *dir, const struct tls_cert_spec *spec);
void tls_cert_pin(char out[45], const char *dir,
		  const char *name);	/* Base64 of SHA-256 of the SPKI */
void tls_certs_remove(const char *dir); /* the files and the directory */

#endif
