/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option type of `url`: one, or a list that is tried in order. The grammar
 * is base/url's. The trap: a URL may carry a password, so errors never quote
 * it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/bridge_int.h"

#define URLS_MAX 32

#define EXPECT_URL "a URL such as \"ws://example.net/feed\""

static void parse_one(struct url *u, const json_t *v, const char *path, struct schema_report *r)
{
	const char *text = schema_string(v, EXPECT_URL, path, r);
	struct error err;

	if (text && !url_parse(u, text, &err))
		schema_error(r, path, "%s", err.text);
}

static void urls_free(struct url *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		url_deinit(&list[i]);
	free(list);
}

static void urls_release(const struct schema_row *row, void *store)
{
	struct url **list = schema_slot(store, row->offset);
	size_t *n = schema_slot(store, row->count_offset);

	urls_free(*list, *n);
	*list = NULL;
	*n = 0;
}

static bool urls_set(const struct schema_row *row, void *store, const json_t *v, const char *path,
		     struct schema_report *r)
{
	size_t n = json_is_array(v) ? json_array_size(v) : 1, before = r->n;
	struct url *list;

	if (n == 0 || n > URLS_MAX)
		return schema_error(r, path, "must have 1 to %d URLs", URLS_MAX);
	list = mem_array(n, sizeof(*list));
	for (size_t i = 0; i < n; i++) {
		mem_auto_str at = schema_path_index(path, i);

		if (json_is_array(v))
			parse_one(&list[i], json_array_get(v, i), at, r);
		else
			parse_one(&list[i], v, path, r);
	}
	if (r->n != before) {
		urls_free(list, n);
		return false;
	}
	urls_release(row, store);
	*(struct url **)schema_slot(store, row->offset) = list;
	*(size_t *)schema_slot(store, row->count_offset) = n;
	return true;
}

static bool url_equal(const struct url *x, const struct url *y)
{
	return x->scheme == y->scheme && x->port == y->port &&
	       schema_text_equal(x->host, y->host) && schema_text_equal(x->target, y->target) &&
	       schema_text_equal(x->user, y->user) && schema_text_equal(x->password, y->password) &&
	       schema_text_equal(x->unix_path, y->unix_path);
}

static bool urls_equal(const struct schema_row *row, const void *a, const void *b)
{
	struct url *const *x = schema_slot_const(a, row->offset);
	struct url *const *y = schema_slot_const(b, row->offset);
	const size_t *n = schema_slot_const(a, row->count_offset);
	const size_t *m = schema_slot_const(b, row->count_offset);

	if (*n != *m)
		return false;
	for (size_t i = 0; i < *n; i++)
		if (!url_equal(&(*x)[i], &(*y)[i]))
			return false;
	return true;
}

static json_t *urls_json_schema(const struct schema_row *row)
{
	json_t *one = json_pack("{s:s, s:s}", "type", "string", "pattern",
				"^[Ww][Ss]([Ss]?://|\\+[Uu][Nn][Ii][Xx]:)");

	(void)row;
	return json_pack("{s:[O, {s:s, s:o, s:i, s:i}]}", "anyOf", one, "type", "array", "items",
			 one, "minItems", 1, "maxItems", URLS_MAX);
}

const struct schema_custom conf_urls_type = {
	.set = urls_set,
	.equal = urls_equal,
	.release = urls_release,
	.json_schema = urls_json_schema,
};
