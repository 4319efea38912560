/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dials without a network: what becomes of one is asked of the world. A dial
 * that succeeds has the process's end of a sim_sock as an ordinary fd_stream.
 */
#ifndef SIM_SIM_DIAL_H
#define SIM_SIM_DIAL_H

#include "net/dial.h"
#include "sim/sim_sock.h"

enum sim_fate {
	SIM_CONNECTS,
	SIM_REFUSED,
	SIM_UNRESOLVED,
	SIM_HANGS,     /* no answer at all: connect_timeout or its user ends it */
	SIM_TLS_FAILS, /* only of a dial with TLS */
};

struct sim_verdict {
	enum sim_fate fate;
	int64_t delay; /* until it is known */
	int64_t tls;   /* more of it, with TLS */
	struct sim_path path;
	unsigned tag;
};

/* The world. One at a time; the dial ends or is cancelled before it goes. */
struct sim_net {
	/* An attempt begins. */
	void (*dialed)(struct sim_net *n, const struct dial_params *p, struct sim_verdict *v);
	/* It has come to a server, whose end this is. */
	void (*accepted)(struct sim_net *n, const char *host, struct sim_sock *server);
	struct sim_rand *rand;
};
void sim_net_set(struct sim_net *n); /* NULL = none */

size_t sim_dials_with_tag(unsigned tag); /* under way */
size_t sim_dials_live(void);

#endif
