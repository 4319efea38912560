/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two bridge snapshots → what a reload has to touch. Pure.
 */
#ifndef WSB_CONF_CONF_DIFF_H
#define WSB_CONF_CONF_DIFF_H

#include "conf/bridge_conf.h"

struct conf_change {
	enum schema_change upstream; /* same, live, or only with a new connection */
	bool endpoints;		     /* the list of endpoints differs */
};

struct conf_change conf_diff_bridge(const struct bridge_conf *old,
				    const struct bridge_conf *new_conf);
bool conf_diff_any(struct conf_change c);
bool endpoint_conf_equal(const struct endpoint_conf *a, const struct endpoint_conf *b);

#endif
