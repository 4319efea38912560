/* SPDX-License-Identifier: Apache-2.0 */
/* A random source whose bytes the test chose: they come in order, over and over. */
#ifndef WSB_UNIT_SUPPORT_FIXED_RAND_H
#define WSB_UNIT_SUPPORT_FIXED_RAND_H

#include "base/rand.h"
#include "base/span.h"

struct fixed_rand {
	struct rand_source source; /* pass &f->source */
	struct span bytes;
	size_t at;
	size_t drawn; /* bytes handed out so far */
};

/* bytes: not empty, not copied. */
void fixed_rand_init(struct fixed_rand *f, struct span bytes);

#endif
