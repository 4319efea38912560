/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `trace`: what passes the connections of a bridge goes to the log for a
 * while; which bridges that are is the answer. The trap: without a name it
 * begins nothing, it can only end all traces.
 */
#include "control/methods.h"
#include "control/names.h"
#include "control/view.h"

#define FOR_DEFAULT ((int64_t)600 * 1000 * 1000)

static json_t *traces(const struct registry *all)
{
	json_t *list = json_array();

	for (size_t i = 0; i < registry_count(all); i++) {
		const struct bridge *b = registry_at(all, i);

		if (bridge_traced_until(b))
			json_array_append_new(list,
					      json_pack("{s:s,s:o}", FIELD_NAME, bridge_name(b),
							FIELD_UNTIL, view_traced_until(b)));
	}
	return list;
}

static void end_all(const struct registry *all)
{
	for (size_t i = 0; i < registry_count(all); i++)
		bridge_trace(registry_at(all, i), 0);
}

struct reply method_trace(struct call *c)
{
	const struct registry *all = c->env->host.registry;
	int64_t how_long = c->params.how_long;
	struct bridge *b = NULL;
	struct error err;
	json_t *result;

	if (!c->params.name && how_long > 0) {
		error_set_option(&err, PARAM_NAME, "\"%s\" is missing", PARAM_NAME);
		return reply_error(c, &err);
	}
	if (c->params.name && !(b = call_bridge(c, &err)))
		return reply_error(c, &err);
	if (b && !c->params.dry_run)
		bridge_trace(b, how_long < 0 ? FOR_DEFAULT : how_long);
	else if (how_long == 0 && !c->params.dry_run)
		end_all(all);
	result = json_pack("{s:o}", FIELD_TRACES, traces(all));
	if (c->params.dry_run)
		json_object_set_new(result, FIELD_DRY_RUN, json_true());
	return reply_ok(c, result);
}
