/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option type of lists of codes, such as HTTP status and close codes: an
 * array of int within the limits of its row, none of them twice.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/bridge_int.h"

#define CODES_MAX 64

static void codes_release(const struct schema_row *row, void *store)
{
	int **list = schema_slot(store, row->offset);
	size_t *n = schema_slot(store, row->count_offset);

	free(*list);
	*list = NULL;
	*n = 0;
}

static bool check_code(const struct schema_row *row, const json_t *v, const char *path,
		       struct schema_report *r)
{
	json_int_t n = json_integer_value(v);

	if (!json_is_integer(v))
		return schema_error_type(r, path, "a whole number", v);
	if (n < (json_int_t)row->min || n > (json_int_t)row->max)
		return schema_error(r, path, "must be between %.0f and %.0f", row->min, row->max);
	return true;
}

/* Is element i there already? */
static bool check_unique(const json_t *list, size_t i, const char *path, struct schema_report *r)
{
	for (size_t j = 0; j < i; j++)
		if (json_equal(json_array_get(list, j), json_array_get(list, i)))
			return schema_error(r, path, "is in the list already, at [%zu]", j);
	return true;
}

static bool codes_set(const struct schema_row *row, void *store, const json_t *v, const char *path,
		      struct schema_report *r)
{
	size_t n = json_array_size(v), before = r->n;
	int *list;

	if (!json_is_array(v))
		return schema_error_type(r, path, "a list of whole numbers", v);
	if (n > CODES_MAX)
		return schema_error(r, path, "must not have more than %d elements", CODES_MAX);
	list = mem_array(n, sizeof(*list));
	for (size_t i = 0; i < n; i++) {
		mem_auto_str at = schema_path_index(path, i);
		const json_t *code = json_array_get(v, i);

		if (check_code(row, code, at, r) && check_unique(v, i, at, r))
			list[i] = (int)json_integer_value(code);
	}
	if (r->n != before) {
		free(list);
		return false;
	}
	codes_release(row, store);
	*(int **)schema_slot(store, row->offset) = list;
	*(size_t *)schema_slot(store, row->count_offset) = n;
	return true;
}

static bool codes_equal(const struct schema_row *row, const void *a, const void *b)
{
	int *const *x = schema_slot_const(a, row->offset), *const *y = schema_slot_const(
								   b, row->offset);
	const size_t *n = schema_slot_const(a, row->count_offset);
	const size_t *m = schema_slot_const(b, row->count_offset);

	return *n == *m && (*n == 0 || memcmp(*x, *y, *n * sizeof(**x)) == 0);
}

static json_t *codes_json_schema(const struct schema_row *row)
{
	return json_pack("{s:s,s:i,s:b,s:{s:s,s:i,s:i}}", "type", "array", "maxItems", CODES_MAX,
			 "uniqueItems", 1, "items", "type", "integer", "minimum", (int)row->min,
			 "maximum", (int)row->max);
}

const struct schema_custom conf_codes_type = {
	.set = codes_set,
	.equal = codes_equal,
	.release = codes_release,
	.json_schema = codes_json_schema,
	.list = true,
};
