/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option type that holds a bridge's list of endpoints: a string, an
 * object, or a list of both. The trap: `unix` and `fifo` may both be missing
 * after this, since `defaults` need not name them; endpoint_check.c looks once
 * everything is merged.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/bridge_int.h"

#define ENDPOINTS_MAX 64

#define EXPECT_ENDPOINT "a path or an object"

static void endpoints_free(struct endpoint_conf *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		schema_release(&endpoint_schema, &list[i]);
	free(list);
}

static void endpoint_set(struct endpoint_conf *e, const json_t *v, const char *path,
			 struct schema_report *r)
{
	struct endpoint_rules *rules;
	struct schema_under under;
	struct error err;
	const char *text;

	schema_defaults(&endpoint_schema, e);
	if (json_is_object(v)) {
		schema_under_init(&under, r, path);
		schema_set(&endpoint_schema, e, v, NULL, &under.report);
		rules = schema_part_at(e, offsetof(struct endpoint_conf, rules));
		if (rules->framing == FRAMING_RAW && !json_object_get(v, "send_as"))
			rules->send_as = SEND_AS_BINARY;
		return;
	}
	text = schema_string(v, EXPECT_ENDPOINT, path, r);
	if (!text)
		return;
	if (conf_check_socket(text, &err))
		e->unix_path = mem_strdup(text);
	else
		schema_error(r, path, "%s", err.text);
}

static void endpoints_release(const struct schema_row *row, void *store)
{
	struct endpoint_conf **list = schema_slot(store, row->offset);
	size_t *n = schema_slot(store, row->count_offset);

	endpoints_free(*list, *n);
	*list = NULL;
	*n = 0;
}

static bool endpoints_set(const struct schema_row *row, void *store, const json_t *v,
			  const char *path, struct schema_report *r)
{
	size_t n = json_is_array(v) ? json_array_size(v) : 1, before = r->n;
	struct endpoint_conf *list;

	if (n > ENDPOINTS_MAX)
		return schema_error(r, path, "has %zu endpoints, more than %d", n, ENDPOINTS_MAX);
	list = mem_array(n, sizeof(*list));
	for (size_t i = 0; i < n; i++) {
		mem_auto_str at = schema_path_index(path, i);

		if (json_is_array(v))
			endpoint_set(&list[i], json_array_get(v, i), at, r);
		else
			endpoint_set(&list[i], v, path, r);
	}
	if (r->n != before) {
		endpoints_free(list, n);
		return false;
	}
	endpoints_release(row, store);
	*(struct endpoint_conf **)schema_slot(store, row->offset) = list;
	*(size_t *)schema_slot(store, row->count_offset) = n;
	return true;
}

static bool endpoints_equal(const struct schema_row *row, const void *a, const void *b)
{
	struct endpoint_conf *const *x = schema_slot_const(a, row->offset);
	struct endpoint_conf *const *y = schema_slot_const(b, row->offset);
	const size_t *n = schema_slot_const(a, row->count_offset);
	const size_t *m = schema_slot_const(b, row->count_offset);

	if (*n != *m)
		return false;
	for (size_t i = 0; i < *n; i++)
		if (schema_compare(&endpoint_schema, &(*x)[i], &(*y)[i]) != SCHEMA_SAME)
			return false;
	return true;
}

static json_t *endpoints_json_schema(const struct schema_row *row)
{
	json_t *object = schema_json_schema(&endpoint_schema);
	json_t *one = json_pack("{s:[{s:s},o]}", "anyOf", "type", "string", object);

	(void)row;
	json_object_set_new(object, "anyOf",
			    json_pack("[{s:[s]},{s:[s]}]", "required", "unix", "required", "fifo"));
	return json_pack("{s:[O,{s:s,s:o}]}", "anyOf", one, "type", "array", "items", one);
}

const struct schema_custom conf_endpoints_type = {
	.set = endpoints_set,
	.equal = endpoints_equal,
	.release = endpoints_release,
	.json_schema = endpoints_json_schema,
	.members = &endpoint_schema,
	.short_for = "unix",
};

const char *endpoint_conf_label(const struct endpoint_conf *e)
{
	if (e->unix_path)
		return e->unix_path;
	return e->fifo_out ? e->fifo_out : e->fifo_in;
}
