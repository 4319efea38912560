/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option type of `on_open`: a list of steps, and what they must know of
 * one another: a name stands for what an earlier step has captured. The trap:
 * names are judged only when all steps could be read, or one mistake in a
 * capture would be told once more for every use of it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/bridge_int.h"
#include "conf/conf_step_int.h"
#include "conf/conf_template.h"

#define STEPS_MAX 256

#define LITERAL "$${ writes a literal ${"

static void steps_free(struct conf_step *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		schema_release(&conf_step_schema, &list[i]);
	free(list);
}

static bool is_name(struct span name, const char *text)
{
	return span_equal(name, span_str(text));
}

static bool is_secret(const struct conf_step *s, struct span name)
{
	for (size_t i = 0; i < s->n_secrets; i++)
		if (is_name(name, s->secrets[i].name))
			return true;
	return false;
}

/* By one of the first n steps. */
static bool is_captured(const struct conf_step *list, size_t n, struct span name)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < list[i].n_captures; j++)
			if (is_name(name, list[i].captures[j].name))
				return true;
	return false;
}

/* Where the message of a step stands. */
static char *message_path(const struct conf_step *s, const json_t *v, const char *path)
{
	if (json_is_string(v))
		return mem_strdup(path);
	return schema_path_key(path, s->is_json ? "json" : "text");
}

static void check_template(const struct conf_step *list, size_t i, const char *path,
			   struct schema_report *r)
{
	const struct conf_message *m = &list[i].message;
	struct span rest = span_of(m->data, m->n), name;
	enum conf_piece piece;

	while ((piece = conf_template_next(&rest, &name)) != PIECE_END) {
		if (piece == PIECE_BAD) {
			schema_error(r, path,
				     "behind \"${\" a name and \"}\" must follow; " LITERAL);
			return;
		}
		if (piece != PIECE_NAME || is_secret(&list[i], name) || is_captured(list, i, name))
			continue;
		schema_error(
			r, path,
			"${%.*s} is captured by no earlier step and none of \"secrets\"; " LITERAL,
			(int)name.n, (const char *)name.p);
	}
}

static bool uses(const struct conf_step *s, const char *secret)
{
	struct span rest = span_of(s->message.data, s->message.n), name;
	enum conf_piece piece;

	while ((piece = conf_template_next(&rest, &name)) != PIECE_END && piece != PIECE_BAD)
		if (piece == PIECE_NAME && is_name(name, secret))
			return true;
	return false;
}

static void check_secrets(const struct conf_step *list, size_t i, const char *path,
			  struct schema_report *r)
{
	mem_auto_str secrets = schema_path_key(path, "secrets");

	for (size_t j = 0; j < list[i].n_secrets; j++) {
		const char *name = list[i].secrets[j].name;
		mem_auto_str at = schema_path_key(secrets, name);

		if (!uses(&list[i], name))
			schema_error_key(r, at, "the message does not have ${%s} in it", name);
		else if (is_captured(list, i, span_str(name)))
			schema_error_key(r, at, "an earlier step captures the same name");
	}
}

static void check_names(const struct conf_step *list, const json_t *v, const char *path,
			struct schema_report *r)
{
	for (size_t i = 0; i < json_array_size(v); i++) {
		const json_t *step = json_array_get(v, i);
		mem_auto_str at = schema_path_index(path, i);
		mem_auto_str message = message_path(&list[i], step, at);

		if (list[i].is_template)
			check_template(list, i, message, r);
		if (json_object_get(step, "secrets"))
			check_secrets(list, i, at, r);
	}
}

static void steps_release(const struct schema_row *row, void *store)
{
	struct conf_step **list = schema_slot(store, row->offset);
	size_t *n = schema_slot(store, row->count_offset);

	steps_free(*list, *n);
	*list = NULL;
	*n = 0;
}

static bool steps_set(const struct schema_row *row, void *store, const json_t *v, const char *path,
		      struct schema_report *r)
{
	size_t n = json_array_size(v), before = r->n;
	struct conf_step *list;

	if (!json_is_array(v))
		return schema_error_type(r, path, "a list of steps", v);
	if (n > STEPS_MAX)
		return schema_error(r, path, "has %zu steps, more than %d", n, STEPS_MAX);
	list = mem_array(n, sizeof(*list));
	for (size_t i = 0; i < n; i++) {
		mem_auto_str at = schema_path_index(path, i);

		conf_step_read(&list[i], json_array_get(v, i), at, r);
	}
	if (r->n == before)
		check_names(list, v, path, r);
	if (r->n != before) {
		steps_free(list, n);
		return false;
	}
	steps_release(row, store);
	*(struct conf_step **)schema_slot(store, row->offset) = list;
	*(size_t *)schema_slot(store, row->count_offset) = n;
	return true;
}

static bool steps_equal(const struct schema_row *row, const void *a, const void *b)
{
	struct conf_step *const *x = schema_slot_const(a, row->offset);
	struct conf_step *const *y = schema_slot_const(b, row->offset);
	const size_t *n = schema_slot_const(a, row->count_offset);
	const size_t *m = schema_slot_const(b, row->count_offset);

	if (*n != *m)
		return false;
	for (size_t i = 0; i < *n; i++)
		if (schema_compare(&conf_step_schema, &(*x)[i], &(*y)[i]) != SCHEMA_SAME)
			return false;
	return true;
}

static json_t *steps_json_schema(const struct schema_row *row)
{
	json_t *step = schema_json_schema(&conf_step_schema);
	json_t *kinds = json_pack("[{s:[s]},{s:[s]},{s:[s]},{s:[s]},{s:[s]}]", "required", "text",
				  "required", "json", "required", "binary", "required", "expect",
				  "required", "wait");

	(void)row;
	json_object_set_new(step, "anyOf", kinds);
	return json_pack("{s:s,s:i,s:{s:[{s:s},o]}}", "type", "array", "maxItems", STEPS_MAX,
			 "items", "anyOf", "type", "string", step);
}

const struct schema_custom conf_steps_type = {
	.set = steps_set,
	.equal = steps_equal,
	.release = steps_release,
	.json_schema = steps_json_schema,
};
