/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built-in option types beside their setters: comparison, release and
 * JSON Schema. Each type is a schema_custom like those that other files bring
 * along. The trap: the default is put in by schema_row_json_schema, not here.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "base/mem.h"
#include "conf/schema_int.h"

bool schema_text_equal(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static size_t stored_size(enum schema_type type)
{
	switch (type) {
	case OPT_BOOL:
		return sizeof(bool);
	case OPT_INT:
	case OPT_DURATION:
		return sizeof(int64_t);
	case OPT_REAL:
		return sizeof(double);
	case OPT_SIZE:
		return sizeof(size_t);
	case OPT_ENUM:
		return sizeof(int);
	case OPT_MODE:
		return sizeof(mode_t);
	case OPT_STRING:
	case OPT_STRINGS:
	case OPT_CUSTOM:
		break;
	}
	return 0;
}

static bool equal_plain(const struct schema_row *row, const void *a, const void *b)
{
	return memcmp(schema_slot_const(a, row->offset), schema_slot_const(b, row->offset),
		      stored_size(row->type)) == 0;
}

static bool equal_string(const struct schema_row *row, const void *a, const void *b)
{
	char *const *x = schema_slot_const(a, row->offset);
	char *const *y = schema_slot_const(b, row->offset);

	if (row->flags & OPT_NULLABLE) {
		const bool *has_x = schema_slot_const(a, row->count_offset);
		const bool *has_y = schema_slot_const(b, row->count_offset);

		if (*has_x != *has_y)
			return false;
	}
	return schema_text_equal(*x, *y);
}

static bool equal_strings(const struct schema_row *row, const void *a, const void *b)
{
	char *const *const *x = schema_slot_const(a, row->offset);
	char *const *const *y = schema_slot_const(b, row->offset);
	const size_t *n = schema_slot_const(a, row->count_offset);
	const size_t *m = schema_slot_const(b, row->count_offset);

	if (*n != *m)
		return false;
	for (size_t i = 0; i < *n; i++)
		if (strcmp((*x)[i], (*y)[i]) != 0)
			return false;
	return true;
}

static void release_nothing(const struct schema_row *row, void *store)
{
	(void)row;
	(void)store;
}

void schema_release_string(const struct schema_row *row, void *store)
{
	char **slot = schema_slot(store, row->offset);

	free(*slot);
	*slot = NULL;
}

void schema_free_strings(char **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

void schema_release_strings(const struct schema_row *row, void *store)
{
	char ***list = schema_slot(store, row->offset);
	size_t *n = schema_slot(store, row->count_offset);

	schema_free_strings(*list, *n);
	*list = NULL;
	*n = 0;
}

static json_t *typed(const char *type)
{
	return json_pack("{s:s}", "type", type);
}

/* A number whose limits the schema repeats. */
static json_t *limited(const struct schema_row *row, const char *type)
{
	json_t *schema = typed(type);
	double least = row->flags & OPT_OFF ? 0 : row->min;

	if (row->min < row->max) {
		json_t *min = row->type == OPT_REAL ? json_real(least) :
						      json_integer((json_int_t)least);
		json_t *max = row->type == OPT_REAL ? json_real(row->max) :
						      json_integer((json_int_t)row->max);

		json_object_set_new(schema, "minimum", min);
		json_object_set_new(schema, "maximum", max);
	}
	return schema;
}

static json_t *describe_bool(const struct schema_row *row)
{
	if (row->flags & OPT_GROUP)
		return json_pack("{s:[s, s, s], s:{}, s:b}", "type", "object", "boolean", "null",
				 "properties", "additionalProperties", 0);
	return typed("boolean");
}

static json_t *describe_int(const struct schema_row *row)
{
	return limited(row, "integer");
}

static json_t *describe_real(const struct schema_row *row)
{
	return limited(row, "number");
}

static json_t *describe_size(const struct schema_row *row)
{
	(void)row;
	return json_pack("{s:[{s:s,s:i},{s:s,s:s}]}", "anyOf", "type", "integer", "minimum", 0,
			 "type", "string", "pattern", "^[0-9]+[KMG]?$");
}

static json_t *describe_duration(const struct schema_row *row)
{
	(void)row;
	return json_pack("{s:[{s:s,s:i},{s:s}]}", "anyOf", "type", "number", "minimum", 0, "type",
			 "string");
}

static json_t *describe_string(const struct schema_row *row)
{
	if (row->flags & OPT_NULLABLE)
		return json_pack("{s:[s,s]}", "type", "string", "null");
	return typed("string");
}

static json_t *describe_enum(const struct schema_row *row)
{
	json_t *names = json_array();

	for (size_t i = 0; row->choices[i]; i++)
		json_array_append_new(names, json_string(row->choices[i]));
	return json_pack("{s:o}", "enum", names);
}

static json_t *describe_mode(const struct schema_row *row)
{
	(void)row;
	return json_pack("{s:s,s:s}", "type", "string", "pattern", "^0?[0-7]{3}$");
}

static json_t *describe_strings(const struct schema_row *row)
{
	return json_pack("{s:s,s:{s:s},s:b}", "type", "array", "items", "type", "string",
			 "uniqueItems", (row->flags & OPT_UNIQUE) != 0);
}

#define PLAIN(describe)                                                                    \
	{                                                                                  \
		.set = schema_set_value, .equal = equal_plain, .release = release_nothing, \
		.json_schema = describe                                                    \
	}

static const struct schema_custom built_in[] = {
	[OPT_BOOL] = PLAIN(describe_bool),
	[OPT_INT] = PLAIN(describe_int),
	[OPT_REAL] = PLAIN(describe_real),
	[OPT_SIZE] = PLAIN(describe_size),
	[OPT_DURATION] = PLAIN(describe_duration),
	[OPT_ENUM] = PLAIN(describe_enum),
	[OPT_MODE] = PLAIN(describe_mode),
	[OPT_STRING] = { .set = schema_set_value,
			 .equal = equal_string,
			 .release = schema_release_string,
			 .json_schema = describe_string },
	[OPT_STRINGS] = { .set = schema_set_value,
			  .equal = equal_strings,
			  .release = schema_release_strings,
			  .json_schema = describe_strings },
};

const struct schema_custom *schema_ops(const struct schema_row *row)
{
	return row->type == OPT_CUSTOM ? row->custom : &built_in[row->type];
}
