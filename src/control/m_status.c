/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `status`, `explain` and `version`: what there is to see. They change nothing; the
 * fields are view.c's.
 */
#include "base/version.h"
#include "control/methods.h"
#include "control/names.h"
#include "control/view.h"

struct reply method_status(struct call *c)
{
	struct registry *all = c->env->host.registry;
	struct error err;
	json_t *bridges;

	if (c->params.name) {
		struct bridge *b = call_bridge(c, &err);

		if (!b)
			return reply_error(c, &err);
		bridges = json_pack("[o]", view_bridge(b));
	} else {
		bridges = json_array();
		for (size_t i = 0; i < registry_count(all); i++)
			json_array_append_new(bridges, view_bridge(registry_at(all, i)));
	}
	return reply_ok(c, json_pack("{s:o,s:o}", FIELD_DAEMON, view_daemon(c->env), FIELD_BRIDGES,
				     bridges));
}

struct reply method_explain(struct call *c)
{
	struct error err;
	struct bridge *b = call_bridge(c, &err);

	if (!b)
		return reply_error(c, &err);
	return reply_ok(c, json_pack("{s:s,s:s,s:o,s:o}", FIELD_NAME, bridge_name(b), FIELD_STATE,
				     bridge_state(b), FIELD_TRACE, view_traced_until(b),
				     FIELD_HISTORY, view_history(bridge_history(b))));
}

/* What this build can do, by the words of the option table. */
static json_t *features(void)
{
	static const char *const names[] = {
		"ws",		"wss",
		"ws+unix",	"http-proxy",
		"socks-proxy",	"permessage-deflate",
		"unix-stream",	"unix-seqpacket",
		"fifo",		"framing-lines",
		"framing-json", "framing-length",
		"framing-raw",
	};
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		json_array_append_new(list, json_string(names[i]));
	return list;
}

struct reply method_version(struct call *c)
{
	const struct control_host *host = &c->env->host;

	return reply_ok(c,
			json_pack("{s:s,s:o,s:o}", FIELD_VERSION, wsb_version, FIELD_LIMITS,
				  view_limits(host->conf(host->arg)), FIELD_FEATURES, features()));
}
