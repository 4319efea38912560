/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digest authentication: hashes of strings joined by colons. Neither the -sess
 * variants nor "auth-int". Nothing outlives a call; what the password went
 * into is wiped. The trap: a colon in a realm is fine, one in a user name
 * would shift the parts, and the caller has to refuse it.
 */
#include "net/digest.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

static const EVP_MD *function_of(enum digest_algorithm algorithm)
{
	switch (algorithm) {
	case DIGEST_MD5:
		return EVP_md5();
	case DIGEST_SHA256:
		return EVP_sha256();
	}
	return NULL;
}

static void write_hex(char *out, const uint8_t *bytes, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		*out++ = "0123456789abcdef"[bytes[i] >> 4];
		*out++ = "0123456789abcdef"[bytes[i] & 15];
	}
	*out = '\0';
}

/* H of the parts with colons between them; the last part is followed by NULL. */
static bool hash(enum digest_algorithm algorithm, const char *const *parts, char *out)
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned n = 0;
	bool ok = ctx && EVP_DigestInit_ex(ctx, function_of(algorithm), NULL) == 1;

	for (size_t i = 0; ok && parts[i]; i++) {
		ok = (i == 0 || EVP_DigestUpdate(ctx, ":", 1) == 1) &&
		     EVP_DigestUpdate(ctx, parts[i], strlen(parts[i])) == 1;
	}
	ok = ok && EVP_DigestFinal_ex(ctx, sum, &n) == 1;
	EVP_MD_CTX_free(ctx);
	if (ok)
		write_hex(out, sum, n);
	else
		ERR_clear_error(); /* what stays in the queue would be taken for TLS's */
	explicit_bzero(sum, sizeof(sum));
	return ok;
}

bool digest_response(const struct digest_input *in, char out[DIGEST_HEX_SIZE])
{
	char a1[DIGEST_HEX_SIZE], a2[DIGEST_HEX_SIZE], count[9];
	const char *const secret[] = { in->user, in->realm, in->password, NULL };
	const char *const request[] = { in->method, in->uri, NULL };
	const char *const all[] = { a1, in->nonce, count, in->cnonce, "auth", a2, NULL };
	bool ok;

	snprintf(count, sizeof(count), "%08x", (unsigned)in->count);
	ok = hash(in->algorithm, secret, a1) && hash(in->algorithm, request, a2) &&
	     hash(in->algorithm, all, out);
	explicit_bzero(a1, sizeof(a1));
	return ok;
}
