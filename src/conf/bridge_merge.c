/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bridge objects laid over one another: key by key, but for what has more than
 * one spelling and what means something only as a whole. Pure JSON; nothing is
 * checked here. The trap: {"file": …} over {"env": …} must not become a secret
 * that has both.
 */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "conf/bridge_int.h"

/* A path as the object it is short for. */
static void spell_out(json_t *bridge)
{
	json_t *endpoint = json_object_get(bridge, "endpoint");

	if (json_is_string(endpoint))
		json_object_set_new(bridge, "endpoint", json_pack("{s:O}", "unix", endpoint));
}

static void merge_endpoints(json_t *under, json_t *own)
{
	if (json_object_get(own, "endpoints"))
		json_object_del(under, "endpoint");
	if (!json_object_get(own, "endpoint"))
		return;
	json_object_del(under, "endpoints");
	if (json_is_object(json_object_get(under, "endpoint")))
		spell_out(own);
	if (json_is_object(json_object_get(own, "endpoint")))
		spell_out(under);
}

/* Header fields that are given in another case, too. */
static void drop_headers(json_t *under, const json_t *own)
{
	json_t *headers = json_object_get(under, "headers"), *value;
	const char *name, *other;
	void *next;

	json_object_foreach(json_object_get(own, "headers"), name, value) {
		json_object_foreach_safe(headers, next, other, value) {
			if (strcasecmp(name, other) == 0)
				json_object_del(headers, other);
		}
	}
}

/* The object that holds the last key of a dotted name, NULL if there is none; *name is that key. */
static json_t *holder(const json_t *bridge, const char **name)
{
	const char *dot;

	while (bridge && (dot = strchr(*name, '.')) != NULL) {
		mem_auto_str key = mem_strndup(*name, (size_t)(dot - *name));

		bridge = json_object_get(bridge, key);
		*name = dot + 1;
	}
	return schema_walkable(bridge);
}

const json_t *conf_given(const json_t *bridge, const char *name)
{
	const json_t *object = holder(bridge, &name);

	return json_object_get(object, name);
}

static void drop(json_t *under, const char *name)
{
	json_t *object = holder(under, &name);

	json_object_del(object, name);
}

/* An object of which only the whole means something. */
static bool is_whole(const struct schema_row *row)
{
	return row->type == OPT_CUSTOM &&
	       (row->custom == &conf_secret_type || row->custom == &conf_message_type ||
		row->custom == &conf_match_type);
}

void conf_bridge_make_room(json_t *under, const json_t *own)
{
	drop_headers(under, own);
	for (size_t i = 0; i < bridge_schema.n_rows; i++) {
		const struct schema_row *row = &bridge_schema.rows[i];

		if (is_whole(row) && conf_given(own, row->name))
			drop(under, row->name);
	}
	if (conf_given(own, "endpoint.unix"))
		drop(under, "endpoint.fifo");
	if (conf_given(own, "endpoint.fifo"))
		drop(under, "endpoint.unix");
	if (conf_given(own, "auth.basic"))
		drop(under, "auth.bearer");
	if (conf_given(own, "auth.bearer"))
		drop(under, "auth.basic");
}

json_t *conf_bridge_merge(const json_t *defaults, const json_t *own)
{
	json_t *merged = json_is_object(defaults) ? json_deep_copy(defaults) : json_object();
	json_t *top = json_deep_copy(own);

	merge_endpoints(merged, top);
	conf_bridge_make_room(merged, top);
	json_object_update_recursive(merged, top);
	conf_endpoint_prune(merged, top);
	json_decref(top);
	return merged;
}
