/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON Schema of the whole configuration file: the tables, joined by the
 * three keys that main_conf.c reads by hand. The trap: in `defaults` nothing
 * is required, so the bridge's schema is there a second time without that.
 */
#include "conf/bridge_int.h"
#include "conf/main_conf.h"

#define NAME_PATTERN "^[A-Za-z0-9_.@-]{1,64}$"

static json_t *described(json_t *schema, const char *text)
{
	json_object_set_new(schema, "description", json_string(text));
	return schema;
}

static json_t *control(void)
{
	json_t *one = schema_json_schema(&control_schema);

	return json_pack("{s:[O,{s:s,s:o,s:i}]}", "anyOf", one, "type", "array", "items", one,
			 "minItems", 1);
}

static void drop_required(json_t *schema)
{
	const char *key;
	json_t *value;
	size_t i;

	json_object_del(schema, "required");
	json_object_foreach(schema, key, value)
		drop_required(value);
	json_array_foreach(schema, i, value)
		drop_required(value);
}

static json_t *defaults(void)
{
	json_t *schema = schema_json_schema(&bridge_schema);

	drop_required(schema);
	return described(schema, "A bridge object that is laid under every bridge.");
}

static json_t *bridges(void)
{
	json_t *bridge = json_pack("{s:s}", "$ref", "#/$defs/bridge");
	json_t *schema = json_pack("{s:s,s:{s:o},s:b}", "type", "object", "patternProperties",
				   NAME_PATTERN, bridge, "additionalProperties", 0);

	return described(schema, "The bridges by name.");
}

json_t *main_conf_json_schema(void)
{
	json_t *schema = schema_json_schema(&main_schema);
	json_t *properties = json_object_get(schema, "properties");

	json_object_set_new(schema, "$schema",
			    json_string("https://json-schema.org/draft/2020-12/schema"));
	json_object_set_new(schema, "title", json_string("wsbridge configuration"));
	json_object_set_new(properties, "control",
			    described(control(), "The control socket, or a list of them."));
	json_object_set_new(properties, "defaults", defaults());
	json_object_set_new(properties, "bridges", bridges());
	json_object_set_new(schema, "$defs",
			    json_pack("{s:o}", "bridge", schema_json_schema(&bridge_schema)));
	return schema;
}
