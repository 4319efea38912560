/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates through OpenSSL's API: see tls_certs.h. RSA keys take their time. */
#include "support/tls_certs.h"

#include <assert.h>
#include <dirent.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"

#define PATH_SIZE 200
#define DAY 86400L

static FILE *open_pem(const char *dir, const char *name, const char *ext, const char *mode)
{
	char path[PATH_SIZE];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.%s", dir, name, ext);
	f = fopen(path, mode);
	assert(f);
	return f;
}

static X509 *load_cert(const char *dir, const char *name)
{
	FILE *f = open_pem(dir, name, "crt", "re");
	X509 *cert = PEM_read_X509(f, NULL, NULL, NULL);

	fclose(f);
	assert(cert);
	return cert;
}

static EVP_PKEY *load_key(const char *dir, const char *name)
{
	FILE *f = open_pem(dir, name, "key", "re");
	EVP_PKEY *key = PEM_read_PrivateKey(f, NULL, NULL, NULL);

	fclose(f);
	assert(key);
	return key;
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert(ext && X509_add_ext(cert, ext, -1) == 1);
	X509_EXTENSION_free(ext);
}

static void set_validity(X509 *cert, const struct tls_cert_spec *spec)
{
	bool is_default = spec->from_days == 0 && spec->to_days == 0;

	X509_gmtime_adj(X509_getm_notBefore(cert), (is_default ? -1 : spec->from_days) * DAY);
	X509_gmtime_adj(X509_getm_notAfter(cert), (is_default ? 30 : spec->to_days) * DAY);
}

static void set_extensions(X509 *cert, X509 *issuer, const struct tls_cert_spec *spec)
{
	add_extension(cert, issuer, NID_subject_key_identifier, "hash");
	if (spec->is_ca) {
		add_extension(cert, issuer, NID_basic_constraints, "critical,CA:TRUE");
		add_extension(cert, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
	} else {
		add_extension(cert, issuer, NID_basic_constraints, "critical,CA:FALSE");
		add_extension(cert, issuer, NID_ext_key_usage,
			      spec->is_client ? "clientAuth" : "serverAuth");
	}
	if (spec->sans)
		add_extension(cert, issuer, NID_subject_alt_name, spec->sans);
}

static void write_pair(const char *dir, const struct tls_cert_spec *spec, X509 *cert, EVP_PKEY *key)
{
	FILE *f = open_pem(dir, spec->name, "crt", "we");

	assert(PEM_write_X509(f, cert) == 1);
	fclose(f);
	f = open_pem(dir, spec->name, "key", "we");
	assert(PEM_write_PKCS8PrivateKey(
		       f, key, spec->password ? EVP_aes_256_cbc() : NULL, spec->password,
		       spec->password ? (int)strlen(spec->password) : 0, NULL, NULL) == 1);
	fclose(f);
}

void tls_cert_make(const char *dir, const struct tls_cert_spec *spec)
{
	static long serial;
	EVP_PKEY *key = spec->is_rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
	EVP_PKEY *signer = spec->issuer ? load_key(dir, spec->issuer) : key;
	X509 *cert = X509_new();
	X509 *issuer = spec->issuer ? load_cert(dir, spec->issuer) : cert;
	X509_NAME *name = X509_get_subject_name(cert);

	assert(key && cert);
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
	X509_set_pubkey(cert, key);
	set_validity(cert, spec);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)spec->cn, -1,
				   -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(issuer));
	set_extensions(cert, issuer, spec);
	assert(X509_sign(cert, signer, EVP_sha256()) > 0);
	write_pair(dir, spec, cert, key);
	if (issuer != cert)
		X509_free(issuer);
	if (signer != key)
		EVP_PKEY_free(signer);
	X509_free(cert);
	EVP_PKEY_free(key);
}

void tls_cert_pin(char out[45], const char *dir, const char *name)
{
	X509 *cert = load_cert(dir, name);
	unsigned char *der = NULL;
	uint8_t digest[SHA256_DIGEST_LENGTH];
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

	assert(n > 0);
	SHA256(der, (size_t)n, digest);
	base64_encode(out, span_of(digest, sizeof(digest)));
	out[44] = '\0';
	OPENSSL_free(der);
	X509_free(cert);
}

void tls_certs_remove(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char path[PATH_SIZE + sizeof(e->d_name)];

	assert(d);
	while ((e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		unlink(path);
	}
	closedir(d);
	assert(rmdir(dir) == 0);
}
