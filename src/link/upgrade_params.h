/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bridge's configuration and the secrets of this attempt → what the WebSocket
 * core wants to know for the handshake. Pure. What is secret is wiped at the end.
 */
#ifndef WSB_LINK_UPGRADE_PARAMS_H
#define WSB_LINK_UPGRADE_PARAMS_H

#include "conf/bridge_conf.h"
#include "link/secrets.h"
#include "ws/conn.h"

struct upgrade_source {
	const struct bridge_conf *conf;
	const struct url *url; /* where this attempt goes: one of the configured, or a redirect's */
	const struct secret_values *secrets;
	const char *jar; /* the cookies that are kept for this URL, NULL = none */
	/*
	 * A redirect has led to another origin: no configured header, cookie or
	 * credential goes there, whatever its name.
	 */
	bool foreign;
	struct rand_source *rand;
};

struct upgrade_params {
	struct ws_params ws; /* for ws_conn_new, which copies; max_output is the caller's to set */
	char *host, *user_agent, *authorization, *cookie;
	struct ws_header *headers;
};

void upgrade_params_init(struct upgrade_params *u, const struct upgrade_source *from);
void upgrade_params_deinit(struct upgrade_params *u);

#endif
