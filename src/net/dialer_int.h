/* SPDX-License-Identifier: Apache-2.0 */
/* What all attempts of a process share, for dial.c. */
#ifndef WSB_NET_DIALER_INT_H
#define WSB_NET_DIALER_INT_H

#include "net/dial.h"
#include "net/resolve.h"

struct dialer {
	struct loop *loop;
	struct resolver *resolver;
	struct tls_cache *tls_cache;
};

#endif
