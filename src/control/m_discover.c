/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `rpc.discover`: the tables of methods, parameters, bridge options and errors
 * as an OpenRPC document. It knows nothing that is not in them. The trap: the
 * options of a bridge stand there once, and methods refer to them.
 */
#include <string.h>

#include "base/mem.h"
#include "base/version.h"
#include "control/methods.h"

#define OPENRPC "1.3.2"
#define BRIDGE "#/components/schemas/bridge"
#define ERRORS "#/components/errors"

static const enum err every_error[] = {
#define X(name, rpc, kind, status, sentence) ERR_##name,
#include "base/errors.def"
#undef X
};

#define N_ERRORS (sizeof(every_error) / sizeof(every_error[0]))

static bool is_required(const json_t *object_schema, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(object_schema, "required"), i, one) {
		if (strcmp(json_string_value(one), name) == 0)
			return true;
	}
	return false;
}

/* `help` is the description of a row's schema. */
static void add_param(json_t *params, const char *name, bool required, json_t *help, json_t *schema)
{
	json_array_append_new(params, json_pack("{s:s,s:O,s:b,s:o}", "name", name, "summary", help,
						"required", required, "schema", schema));
}

static void add_those(json_t *params, const json_t *object, bool required)
{
	json_t *schema;
	const char *name;

	json_object_foreach(json_object_get(object, "properties"), name, schema) {
		if (is_required(object, name) == required)
			add_param(params, name, required, json_object_get(schema, "description"),
				  json_incref(schema));
	}
}

/* OpenRPC: what is required comes first. */
static void add_own(json_t *params, const struct params_table *t)
{
	const struct schema own = {
		.what = "call", .rows = t->rows, .n_rows = t->n, .size = sizeof(struct params)
	};
	json_t *object = schema_json_schema(&own);

	add_those(params, object, true);
	add_those(params, object, false);
	json_decref(object);
}

/* None is required: a bridge that is there is started without. Groups have no help. */
static void add_bridge_keys(json_t *params, const json_t *bridge)
{
	json_t *schema, *summary;
	const char *name;

	json_object_foreach(json_object_get(bridge, "properties"), name, schema) {
		mem_auto_str group = mem_printf("Options %s.* of a bridge.", name);
		mem_auto_str ref = mem_printf(BRIDGE "/properties/%s", name);

		summary = json_object_get(schema, "description");
		summary = summary ? json_incref(summary) : json_string(group);
		add_param(params, name, false, summary, json_pack("{s:s}", "$ref", ref));
		json_decref(summary);
	}
}

static json_t *errors(void)
{
	json_t *all = json_object();

	for (size_t i = 0; i < N_ERRORS; i++) {
		const char *kind = error_kind(every_error[i]);

		json_object_set_new(
			all, kind,
			json_pack("{s:i,s:s,s:{s:s}}", "code", error_rpc_code(every_error[i]),
				  "message", error_sentence(every_error[i]), "data", "kind", kind));
	}
	return all;
}

static json_t *error_references(void)
{
	json_t *all = json_array();

	for (size_t i = 0; i < N_ERRORS; i++) {
		mem_auto_str ref = mem_printf(ERRORS "/%s", error_kind(every_error[i]));

		json_array_append_new(all, json_pack("{s:s}", "$ref", ref));
	}
	return all;
}

static json_t *describe(const struct method *m, const json_t *bridge)
{
	json_t *params = json_array();

	add_own(params, m->params);
	if (m->params->bridge_keys)
		add_bridge_keys(params, bridge);
	return json_pack("{s:s,s:s,s:s,s:s,s:o,s:{s:s,s:{s:s}},s:o}", "name", m->name, "summary",
			 m->help, "x-right", level_name(m->right), "paramStructure", "by-name",
			 "params", params, "result", "name", "result", "schema", "type", "object",
			 "errors", error_references());
}

struct reply method_discover(struct call *c)
{
	json_t *bridge = schema_json_schema(&bridge_schema), *methods = json_array();

	json_object_del(bridge, "required");
	for (size_t i = 0; i < methods_count(); i++)
		json_array_append_new(methods, describe(method_at(i), bridge));
	return reply_ok(c,
			json_pack("{s:s,s:{s:s,s:s,s:s,s:{s:s}},s:o,s:{s:{s:o},s:o}}", "openrpc",
				  OPENRPC, "info", "title", "wsbridged", "version", wsb_version,
				  "description", "The control socket, as in wsbridge-rpc(7).",
				  "license", "name", "Apache-2.0", "methods", methods, "components",
				  "schemas", "bridge", bridge, "errors", errors()));
}
