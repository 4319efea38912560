/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is this the server we meant? The name that is asked for and checked (RFC
 * 6125; with OpenSSL's traps closed: an empty name would mean no check at all,
 * a leading dot any subdomain), and what is left to us after the handshake:
 * that there was a certificate at all, the pins, the ALPN answer.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "net/tls_int.h"

#define NAME_SIZE 256

static bool is_address(const char *name)
{
	struct in6_addr addr;

	return inet_pton(AF_INET, name, &addr) == 1 || inet_pton(AF_INET6, name, &addr) == 1;
}

static bool refuse(struct error *err, const char *sentence)
{
	error_set(err, ERR_TLS, "%s", sentence);
	err->stage = STAGE_TLS;
	return false;
}

/* Labels of letters, digits, hyphens and underscores; none is empty; one dot may end the name. */
static bool is_dns_name(const char *name, size_t n)
{
	char before = '.';

	if (n == 0 || n >= NAME_SIZE)
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c >= 0x80 || (!isalnum(c) && c != '-' && c != '_' && c != '.'))
			return false;
		if (c == '.' && before == '.')
			return false;
		before = name[i];
	}
	return true;
}

/* As it stands in certificates: lower case, without the root's dot. */
static void normalize(char *out, const char *name, size_t n)
{
	if (name[n - 1] == '.')
		n--;
	for (size_t i = 0; i < n; i++)
		out[i] = (char)tolower((unsigned char)name[i]);
	out[n] = '\0';
}

bool tls_set_name(SSL *ssl, const struct tls_ctx *c, const char *server_name, struct error *err)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	char name[NAME_SIZE];
	size_t n = strlen(server_name);

	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
						       X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (is_address(server_name)) { /* RFC 6066, 3: no SNI for literals */
		if (c->verify_hostname && X509_VERIFY_PARAM_set1_ip_asc(param, server_name) != 1)
			return tls_error(err, "the server's address");
		return true;
	}
	if (!is_dns_name(server_name, n))
		return refuse(err, "the server name for TLS is neither a host name nor an address");
	normalize(name, server_name, n);
	if (SSL_set_tlsext_host_name(ssl, name) != 1 ||
	    (c->verify_hostname && SSL_set1_host(ssl, name) != 1))
		return tls_error(err, "the server's name");
	return true;
}

static bool has_pin(const struct tls_ctx *c, X509 *cert)
{
	unsigned char *der = NULL;
	uint8_t digest[SHA256_DIGEST_LENGTH];
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

	if (n <= 0)
		return false;
	SHA256(der, (size_t)n, digest);
	OPENSSL_free(der);
	for (size_t i = 0; i < c->n_pins; i++)
		if (memcmp(c->pins[i], digest, sizeof(digest)) == 0)
			return true;
	return false;
}

/* In the verified chain; without verification only the server's own key says anything. */
static bool is_pinned(SSL *ssl, const struct tls_ctx *c)
{
	STACK_OF(X509) *chain = c->verify ? SSL_get0_verified_chain(ssl) : NULL;
	X509 *own = SSL_get0_peer_certificate(ssl);

	if (own && has_pin(c, own))
		return true;
	for (int i = 0; chain && i < sk_X509_num(chain); i++)
		if (has_pin(c, sk_X509_value(chain, i)))
			return true;
	return false;
}

/* RFC 7301, 3.2; before 3.0.15 OpenSSL does not compare the answer with the offer. */
static bool is_alpn_fine(SSL *ssl)
{
	const unsigned char *name;
	unsigned n;

	SSL_get0_alpn_selected(ssl, &name, &n);
	return n == 0 || (n == 8 && memcmp(name, "http/1.1", 8) == 0);
}

/*
 * The cipher list is the user's, and with an anonymous suite OpenSSL has
 * nothing to verify and calls that a success.
 */
bool tls_check_peer(SSL *ssl, const struct tls_ctx *c, struct error *err)
{
	if (c->verify && !SSL_get0_peer_certificate(ssl))
		return refuse(err, "the server showed no certificate");
	if (c->verify && SSL_get_verify_result(ssl) != X509_V_OK)
		return refuse(err, "the server's certificate was not verified");
	if (c->n_pins > 0 && !is_pinned(ssl, c))
		return refuse(err, "no certificate of the server has a key of tls.pin_sha256");
	if (!is_alpn_fine(ssl))
		return refuse(err, "the server chose a protocol that was not offered (ALPN)");
	return true;
}
