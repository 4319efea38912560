/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stamps in messages: {"c":SERIAL,"n":NUMBER,...} of a server's connection,
 * {"k":CLIENT,"n":NUMBER,...} of a local client.
 */
#ifndef SIM_STAMP_H
#define SIM_STAMP_H

#include "base/span.h"

struct stamp {
	uint64_t who, n;
};

bool stamp_read(struct span text, char kind, struct stamp *st); /* false: there is none */
char *stamp_write(char kind, struct stamp st, const char *extra, size_t padding); /* to be freed */

#endif
