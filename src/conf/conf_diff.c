/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a reload has to touch, read off the rows' flags. It compares values,
 * not texts: "60s" and "1min" are the same. The trap: endpoints are compared
 * here because their rows stand apart from the bridge's verdict.
 */
#include "conf/conf_diff.h"

bool endpoint_conf_equal(const struct endpoint_conf *a, const struct endpoint_conf *b)
{
	return schema_compare(&endpoint_schema, a, b) == SCHEMA_SAME;
}

static bool endpoints_equal(const struct bridge_conf *a, const struct bridge_conf *b)
{
	if (a->n_endpoints != b->n_endpoints)
		return false;
	for (size_t i = 0; i < a->n_endpoints; i++)
		if (!endpoint_conf_equal(&a->endpoints[i], &b->endpoints[i]))
			return false;
	return true;
}

struct conf_change conf_diff_bridge(const struct bridge_conf *old,
				    const struct bridge_conf *new_conf)
{
	return (struct conf_change){
		.upstream = schema_compare(&bridge_schema, old, new_conf),
		.endpoints = !endpoints_equal(old, new_conf),
	};
}

bool conf_diff_any(struct conf_change c)
{
	return c.upstream != SCHEMA_SAME || c.endpoints;
}
