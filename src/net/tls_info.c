/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an open connection can tell of itself and of the peer's certificates, as
 * text for people. Names are the peer's own words, and a SAN may be made to look
 * like two: nothing is decided by them.
 */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/escape.h"
#include "base/mem.h"
#include "net/tls_int.h"

#define CHAIN_MAX 10
#define TEXT_MAX 2048

/* RFC 2253 has its own backslashes, and leaves what is above ASCII to us. */
static char *name_of(const X509_NAME *name)
{
	char out[TEXT_MAX];
	char *data = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	long n;

	X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
	n = BIO_get_mem_data(bio, &data);
	escape_control(out, sizeof(out), span_of(data, n > 0 ? (size_t)n : 0));
	BIO_free(bio);
	return mem_strdup(out);
}

/* A comma or a space in a name would make one entry look like two. */
static void print_name(char *out, size_t size, const char *kind, const ASN1_IA5STRING *name)
{
	char text[300];
	struct span raw = span_of(ASN1_STRING_get0_data(name), (size_t)ASN1_STRING_length(name));

	if (raw.n && (memchr(raw.p, ',', raw.n) || memchr(raw.p, ' ', raw.n)))
		snprintf(text, sizeof(text), "(malformed)");
	else
		escape_text(text, sizeof(text), raw);
	snprintf(out, size, "%s:%s", kind, text);
}

static void print_address(char *out, size_t size, const ASN1_OCTET_STRING *ip)
{
	char text[INET6_ADDRSTRLEN] = "(malformed)";
	int n = ASN1_STRING_length(ip);

	if (n == 4 || n == 16)
		inet_ntop(n == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(ip), text,
			  sizeof(text));
	snprintf(out, size, "IP:%s", text);
}

static void print_san(char *out, size_t size, const GENERAL_NAME *san)
{
	switch (san->type) {
	case GEN_DNS:
		print_name(out, size, "DNS", san->d.dNSName);
		break;
	case GEN_IPADD:
		print_address(out, size, san->d.iPAddress);
		break;
	case GEN_URI:
		print_name(out, size, "URI", san->d.uniformResourceIdentifier);
		break;
	case GEN_EMAIL:
		print_name(out, size, "email", san->d.rfc822Name);
		break;
	default:
		snprintf(out, size, "other");
	}
}

/* As many as fit; "..." says that there are more. */
static char *sans_of(X509 *cert)
{
	char out[TEXT_MAX] = "", one[320];
	GENERAL_NAMES *sans = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	size_t at = 0;

	for (int i = 0; sans && i < sk_GENERAL_NAME_num(sans); i++) {
		print_san(one, sizeof(one), sk_GENERAL_NAME_value(sans, i));
		if (at + strlen(one) + sizeof(", , ...") > sizeof(out)) {
			snprintf(out + at, sizeof(out) - at, ", ...");
			break;
		}
		at += (size_t)snprintf(out + at, sizeof(out) - at, "%s%s", at ? ", " : "", one);
	}
	GENERAL_NAMES_free(sans);
	return mem_strdup(out);
}

static int64_t seconds_of(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static void describe(struct tls_cert *out, X509 *cert)
{
	*out = (struct tls_cert){
		.subject = name_of(X509_get_subject_name(cert)),
		.issuer = name_of(X509_get_issuer_name(cert)),
		.sans = sans_of(cert),
		.not_before = seconds_of(X509_get0_notBefore(cert)),
		.not_after = seconds_of(X509_get0_notAfter(cert)),
	};
}

const char *tls_ktls_name(enum tls_ktls ktls)
{
	static const char *const names[] = { "off", "send", "receive", "both" };

	return names[ktls];
}

void tls_report_init(struct tls_report *r, SSL *ssl)
{
	STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
	int n;

	if (!chain || SSL_get_verify_mode(ssl) != SSL_VERIFY_PEER)
		chain = SSL_get_peer_cert_chain(ssl);
	n = chain ? sk_X509_num(chain) : 0;
	if (n > CHAIN_MAX)
		n = CHAIN_MAX;
	r->chain = mem_array((size_t)n, sizeof(*r->chain));
	for (int i = 0; i < n; i++)
		describe(&r->chain[i], sk_X509_value(chain, i));
	r->info = (struct tls_info){
		.version = SSL_get_version(ssl),
		.cipher = SSL_get_cipher_name(ssl),
		.verified = SSL_get_verify_mode(ssl) == SSL_VERIFY_PEER,
		.chain = r->chain,
		.n_chain = (size_t)n,
	};
	ERR_clear_error(); /* a broken name or extension is left there */
}

void tls_report_deinit(struct tls_report *r)
{
	for (size_t i = 0; i < r->info.n_chain; i++) {
		free(r->chain[i].subject);
		free(r->chain[i].issuer);
		free(r->chain[i].sans);
	}
	free(r->chain);
	*r = (struct tls_report){ 0 };
}
