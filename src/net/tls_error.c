/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's error queue → one sentence for a person. The queue belongs to the
 * thread, not to a connection: what one leaves there, another would take for
 * its own, so every way out of here empties it.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "net/tls_int.h"

/* Reasons from here on are alerts of the peer (RFC 8446, 6). */
#define ALERT_OF(reason) ((reason)-SSL_AD_REASON_OFFSET)

/* The newest, unless it only says "PEM lib"; then the oldest, as when that is the system's. */
static unsigned long telling_code(void)
{
	unsigned long oldest = ERR_peek_error(), newest = ERR_peek_last_error();

	if (ERR_SYSTEM_ERROR(oldest) || (ERR_GET_REASON(newest) & ERR_RFLAG_COMMON))
		return oldest;
	return newest;
}

static void set_from(struct error *err, unsigned long code, const char *what)
{
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	if (ERR_SYSTEM_ERROR(code))
		error_set_os(err, ERR_TLS, ERR_GET_REASON(code), "%s", what);
	else
		error_set(err, ERR_TLS, "%s: %s", what, reason ? reason : "failed");
}

bool tls_error(struct error *err, const char *what)
{
	set_from(err, telling_code(), what);
	err->stage = STAGE_TLS;
	ERR_clear_error();
	return false;
}

static void set_alert(struct error *err, const char *what, int alert)
{
	if (alert == SSL_AD_CERTIFICATE_REQUIRED)
		error_set(err, ERR_TLS, "%s: the server requires a client certificate (tls.cert)",
			  what);
	else
		error_set(err, ERR_TLS, "%s: the server sent the alert \"%s\" (%d)", what,
			  SSL_alert_desc_string_long(alert), alert);
}

static void set_from_queue(struct error *err, const char *what)
{
	unsigned long code = telling_code();
	int reason = ERR_GET_REASON(code);

	if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET &&
	    reason <= SSL_AD_REASON_OFFSET + UINT8_MAX)
		set_alert(err, what, ALERT_OF(reason));
	else
		set_from(err, code, what);
	ERR_clear_error();
}

/* Why a certificate was refused says more than "certificate verify failed". */
static void set_verdict(struct error *err, SSL *ssl, long verdict)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	const char *name = X509_VERIFY_PARAM_get0_host(param, 0);
	char *address = X509_VERIFY_PARAM_get1_ip_asc(param);

	if (verdict == X509_V_ERR_HOSTNAME_MISMATCH && name)
		error_set(err, ERR_TLS, "the server's certificate is not for \"%s\"", name);
	else if (verdict == X509_V_ERR_IP_ADDRESS_MISMATCH && address)
		error_set(err, ERR_TLS, "the server's certificate is not for the address %s",
			  address);
	else
		error_set(err, ERR_TLS, "the server's certificate was refused: %s",
			  X509_verify_cert_error_string(verdict));
	OPENSSL_free(address);
	ERR_clear_error();
}

void tls_error_handshake(struct error *err, SSL *ssl)
{
	unsigned long code = ERR_peek_last_error();
	int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
	long verdict = SSL_get_verify_result(ssl);

	if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && verdict != X509_V_OK) {
		set_verdict(err, ssl, verdict);
		return;
	}
	set_from_queue(err, "TLS handshake");
	if (reason == SSL_R_WRONG_VERSION_NUMBER)
		error_set(err, ERR_TLS, "TLS handshake: what the server answers is not TLS");
}

void tls_error_open(struct error *err)
{
	set_from_queue(err, "TLS");
}
