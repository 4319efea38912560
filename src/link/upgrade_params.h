/* SPDX-License-Identifier: Apache-2.0 */
/* A bridge's configuration → what the WebSocket core wants to know of it. Pure. */
#ifndef WSB_LINK_UPGRADE_PARAMS_H
#define WSB_LINK_UPGRADE_PARAMS_H

#include "conf/bridge_conf.h"
#include "ws/conn.h"

struct upgrade_params {
	struct ws_params ws; /* for ws_conn_new, which copies; max_output is the caller's to set */
	char *host, *user_agent;
	char *authorization; /* from the URL's user information (RFC 7617); wiped at the end */
	struct ws_header *headers;
};

void upgrade_params_init(struct upgrade_params *u, const struct bridge_conf *conf,
			 struct rand_source *rand);
void upgrade_params_deinit(struct upgrade_params *u);

#endif
