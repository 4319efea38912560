/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WWW-Authenticate and Proxy-Authenticate → what of it can be answered
 * (RFC 9110, 11.6.1; RFC 7616, 3.3; RFC 7617). Several challenges may stand in
 * one field and several fields in one head.
 */
#ifndef WSB_NET_AUTH_CHALLENGE_H
#define WSB_NET_AUTH_CHALLENGE_H

#include "base/span.h"
#include "net/digest.h"

#define AUTH_REALM_SIZE 256
#define AUTH_NONCE_SIZE 512

struct digest_challenge {
	enum digest_algorithm algorithm;
	bool algorithm_named; /* the answer repeats it only then */
	bool stale;	      /* the credentials are right, only the nonce is old */
	bool opaque_given;
	char realm[AUTH_REALM_SIZE], nonce[AUTH_NONCE_SIZE], opaque[AUTH_NONCE_SIZE];
};

/* Zero-initialised = nothing offered. */
struct auth_offers {
	bool basic;
	bool digest;		      /* best is set */
	bool unusable;		      /* a Digest was offered that we cannot answer */
	struct digest_challenge best; /* SHA-256 before MD5 */
};

/* Adds the challenges of one field's value; what is not understood is left out. */
void auth_offers_add(struct auth_offers *o, struct span value);

#endif
