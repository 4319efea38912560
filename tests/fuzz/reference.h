/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second opinion on the response to an upgrade, for fuzz_handshake: reads the
 * whole text at once, shares no code with the program, and is as plain as can be.
 */
#ifndef WSB_FUZZ_REFERENCE_H
#define WSB_FUZZ_REFERENCE_H

#include "base/span.h"

#define REFERENCE_OFFERS 3

/* permessage-deflate, offered or agreed: windows in bits, and whether each message stands alone. */
struct reference_deflate {
	bool on, server_alone, client_alone;
	unsigned server_bits, client_bits;
};

struct reference_offer {
	const char *names[REFERENCE_OFFERS];
	size_t n;
	struct reference_deflate deflate;
};

struct reference_choice {
	const char *name; /* the subprotocol, or NULL */
	struct reference_deflate deflate;
};

/* Would a client that offered these, and no other extension, open? Then *chosen is what it has. */
bool reference_accepts(struct span response, const struct reference_offer *offer,
		       const char *accept, struct reference_choice *chosen);

#endif
