/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The computation of HTTP Digest authentication (RFC 7616, 3.4), quality of
 * protection "auth". Headers are not its business.
 */
#ifndef WSB_NET_DIGEST_H
#define WSB_NET_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

enum digest_algorithm { DIGEST_MD5, DIGEST_SHA256 };

#define DIGEST_HEX_SIZE 65 /* of the longest, with its NUL */

struct digest_input {
	enum digest_algorithm algorithm;
	const char *user, *password;
	const char *realm, *nonce; /* without quotes and escapes */
	const char *cnonce;
	uint32_t count; /* requests with this nonce, this one included */
	const char *method, *uri;
};

/* Writes the response as hex. False: the library refuses the algorithm (MD5, under FIPS rules). */
bool digest_response(const struct digest_input *in, char out[DIGEST_HEX_SIZE]);

#endif
