/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of options as a JSON Schema (draft 2020-12), for editors. It says
 * less than the program checks: grammar of strings and limits of durations are
 * in the sentences of help only. Results are new references. The trap:
 * `required` holds for the finished object, not for `defaults`.
 */
#include <string.h>

#include "base/mem.h"
#include "conf/schema_int.h"

static json_t *object_schema(void)
{
	return json_pack("{s:s,s:{},s:b}", "type", "object", "properties", "additionalProperties",
			 0);
}

/* The property schema below `outer`, made if it is missing. Borrowed. */
static json_t *property(json_t *outer, const char *name)
{
	json_t *properties = json_object_get(outer, "properties");

	if (!json_object_get(properties, name))
		json_object_set_new(properties, name, object_schema());
	return json_object_get(properties, name);
}

json_t *schema_row_json_schema(const struct schema_row *row)
{
	json_t *schema = schema_ops(row)->json_schema(row);
	struct error err;

	if (row->help)
		json_object_set_new(schema, "description", json_string(row->help));
	if (row->value)
		json_object_set_new(schema, "default", schema_text_to_json(row, row->value, &err));
	return schema;
}

static void require(json_t *outer, const char *name)
{
	if (!json_object_get(outer, "required"))
		json_object_set_new(outer, "required", json_array());
	json_array_append_new(json_object_get(outer, "required"), json_string(name));
}

static void add_row(json_t *schema, const struct schema_row *row)
{
	const char *name = row->name, *dot;

	while ((dot = strchr(name, '.')) != NULL) {
		mem_auto_str group = mem_strndup(name, (size_t)(dot - name));

		schema = property(schema, group);
		name = dot + 1;
	}
	json_object_set_new(json_object_get(schema, "properties"), name,
			    schema_row_json_schema(row));
	if (row->flags & OPT_REQUIRED)
		require(schema, name);
}

json_t *schema_json_schema(const struct schema *s)
{
	json_t *schema = object_schema();

	for (size_t i = 0; i < s->n_rows; i++)
		add_row(schema, &s->rows[i]);
	return schema;
}
