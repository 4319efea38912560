/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second opinion on the response to an upgrade, for fuzz_handshake: reads the
 * whole text at once, shares no code with the program, and is as plain as can be.
 */
#ifndef WSB_FUZZ_REFERENCE_H
#define WSB_FUZZ_REFERENCE_H

#include "base/span.h"

#define REFERENCE_OFFERS 3

struct reference_offer {
	const char *names[REFERENCE_OFFERS];
	size_t n;
};

/* Would a client that offered these, and no extension, open? *chosen: the subprotocol, or NULL. */
bool reference_accepts(struct span response, const struct reference_offer *offer,
		       const char *accept, const char **chosen);

#endif
