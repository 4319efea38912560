/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS in front of a server that speaks none, as a reverse proxy: a port on
 * 127.0.0.1 whose connections, one at a time, are decrypted by a tls_peer and
 * go on to another port. Small amounts only: nothing waits for a slow side.
 */
#ifndef WSB_UNIT_SUPPORT_TLS_FRONT_H
#define WSB_UNIT_SUPPORT_TLS_FRONT_H

#include "net/loop.h"
#include "support/tls_peer.h"

struct tls_front {
	struct loop *loop;
	struct tls_peer_conf conf;
	uint16_t port, behind; /* behind: the port of the server */
	int listening;
	int outer, inner; /* the client's connection and the tls_peer's, -1 = none */
	struct watch accepting, outer_watch, inner_watch;
	struct tls_peer peer;
	unsigned accepted;
};

void tls_front_init(struct tls_front *f, struct loop *l, const struct tls_peer_conf *conf,
		    uint16_t behind);
void tls_front_deinit(struct tls_front *f);

#endif
