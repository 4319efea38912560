/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a dial, and the words for where it stands. Pure. */
#ifndef WSB_NET_DIAL_STEP_H
#define WSB_NET_DIAL_STEP_H

#include "net/dial.h"

enum dial_step {
	DIAL_RESOLVE_TARGET, /* for a proxy that wants an address */
	DIAL_RESOLVE,	     /* where our socket goes */
	DIAL_CONNECT,
	DIAL_PROXY_TLS,
	DIAL_PROXY,
	DIAL_TLS,
};

enum stage dial_step_stage(enum dial_step step);

/* The target as the socket, or the proxy, has to reach it. */
const char *dial_target_host(const struct dial_params *p);
uint16_t dial_target_port(const struct dial_params *p);

/* Whom TLS is with in this step; also the name that a certificate is checked against. */
const char *dial_server_name(const struct dial_params *p, enum dial_step step);

/* The name that is looked up in this step. */
const char *dial_resolve_host(const struct dial_params *p, enum dial_step step);

/* Sets the stage, and says in front of the text with whom it went wrong. */
void dial_step_context(const struct dial_params *p, enum dial_step step, struct error *err);

/* ERR_TIMEOUT with what was being waited for. */
void dial_step_timed_out(const struct dial_params *p, enum dial_step step, struct error *err);

#endif
