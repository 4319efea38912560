/* SPDX-License-Identifier: Apache-2.0 */
/* A dial's own copy of its parameters. */
#ifndef WSB_NET_DIAL_OWN_H
#define WSB_NET_DIAL_OWN_H

#include "net/dial.h"

struct dial_own {
	struct dial_params params; /* its strings are ours, and it points to `proxy` */
	struct dial_proxy proxy;
};

void dial_own_init(struct dial_own *own, const struct dial_params *params);
void dial_own_deinit(struct dial_own *own); /* wipes the password */

#endif
