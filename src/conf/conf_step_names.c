/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option types of `secrets` and `capture` in a step of on_open: objects
 * whose keys are names that ${NAME} can mean. What a name is used for is seen
 * in conf_steps.c. The trap: who slips writes the secret where a name belongs;
 * a path shows it as any other key.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf_step_int.h"
#include "conf/conf_template.h"

#define NAMES_MAX 64 /* captures of one step, secrets of one step */

static void secrets_free(struct conf_step_secret *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(list[i].name);
		secret_conf_deinit(&list[i].value);
	}
	free(list);
}

static void secrets_release(const struct schema_row *row, void *store)
{
	struct conf_step *s = store;

	(void)row;
	secrets_free(s->secrets, s->n_secrets);
	s->secrets = NULL;
	s->n_secrets = 0;
}

/* An object of names; false: it is none, or has too many, or one is no name. */
static bool check_names(const json_t *v, const char *path, struct schema_report *r)
{
	size_t before = r->n;
	const char *name;
	json_t *value;

	if (json_object_size(v) > NAMES_MAX)
		return schema_error(r, path, "has %zu names, more than %d", json_object_size(v),
				    NAMES_MAX);
	json_object_foreach(schema_walkable(v), name, value) {
		mem_auto_str at = schema_path_key(path, name);

		if (!conf_name_valid(name))
			schema_error_key(r, at, "a name is 1 to %d of A-Z a-z 0-9 _",
					 CONF_NAME_MAX);
	}
	return r->n == before;
}

bool conf_step_add_secret(struct conf_step *s, const char *name, const json_t *v, const char *path,
			  struct schema_report *r)
{
	static const struct secret_grammar grammar = { CONF_EXPECT_SECRET, NULL };
	struct secret_conf value = { 0 };

	if (!secret_conf_read(&value, v, &grammar, path, r))
		return false;
	s->secrets = mem_grow(s->secrets, s->n_secrets + 1, sizeof(*s->secrets));
	s->secrets[s->n_secrets++] = (struct conf_step_secret){ mem_strdup(name), value };
	return true;
}

static bool secrets_set(const struct schema_row *row, void *store, const json_t *v,
			const char *path, struct schema_report *r)
{
	struct conf_step made = { 0 };
	size_t before = r->n;
	const char *name;
	json_t *value;

	if (!json_is_object(v))
		return schema_error_type(r, path, "an object of names and secrets", v);
	if (!check_names(v, path, r))
		return false;
	json_object_foreach(schema_walkable(v), name, value) {
		mem_auto_str at = schema_path_key(path, name);

		conf_step_add_secret(&made, name, value, at, r);
	}
	if (r->n != before) {
		secrets_release(row, &made);
		return false;
	}
	secrets_release(row, store);
	((struct conf_step *)store)->secrets = made.secrets;
	((struct conf_step *)store)->n_secrets = made.n_secrets;
	return true;
}

static bool secrets_equal(const struct schema_row *row, const void *a, const void *b)
{
	const struct conf_step *x = a, *y = b;

	(void)row;
	if (x->n_secrets != y->n_secrets)
		return false;
	for (size_t i = 0; i < x->n_secrets; i++)
		if (strcmp(x->secrets[i].name, y->secrets[i].name) != 0 ||
		    !secret_conf_equal(&x->secrets[i].value, &y->secrets[i].value))
			return false;
	return true;
}

static json_t *secrets_json_schema(const struct schema_row *row)
{
	(void)row;
	return json_pack("{s:s,s:o}", "type", "object", "additionalProperties",
			 secret_conf_json_schema());
}

const struct schema_custom conf_step_secrets_type = {
	.set = secrets_set,
	.equal = secrets_equal,
	.release = secrets_release,
	.json_schema = secrets_json_schema,
};

static void captures_release(const struct schema_row *row, void *store)
{
	struct conf_step *s = store;

	(void)row;
	for (size_t i = 0; i < s->n_captures; i++) {
		free(s->captures[i].name);
		free(s->captures[i].pointer);
	}
	free(s->captures);
	s->captures = NULL;
	s->n_captures = 0;
}

static void check_capture(const json_t *v, const char *path, struct schema_report *r)
{
	const char *pointer = schema_string(v, "a JSON Pointer", path, r);
	struct error err;

	if (pointer && !conf_check_pointer(pointer, &err))
		schema_error(r, path, "%s", err.text);
}

static bool captures_set(const struct schema_row *row, void *store, const json_t *v,
			 const char *path, struct schema_report *r)
{
	struct conf_step *s = store;
	size_t before = r->n;
	const char *name;
	json_t *value;

	if (!json_is_object(v))
		return schema_error_type(r, path, "an object of names and JSON Pointers", v);
	check_names(v, path, r);
	json_object_foreach(schema_walkable(v), name, value) {
		mem_auto_str at = schema_path_key(path, name);

		check_capture(value, at, r);
	}
	if (r->n != before)
		return false;
	captures_release(row, store);
	s->captures = mem_array(json_object_size(v), sizeof(*s->captures));
	json_object_foreach(schema_walkable(v), name, value) {
		s->captures[s->n_captures++] = (struct conf_capture){
			.name = mem_strdup(name),
			.pointer = mem_strdup(json_string_value(value)),
		};
	}
	return true;
}

static bool captures_equal(const struct schema_row *row, const void *a, const void *b)
{
	const struct conf_step *x = a, *y = b;

	(void)row;
	if (x->n_captures != y->n_captures)
		return false;
	for (size_t i = 0; i < x->n_captures; i++)
		if (strcmp(x->captures[i].name, y->captures[i].name) != 0 ||
		    strcmp(x->captures[i].pointer, y->captures[i].pointer) != 0)
			return false;
	return true;
}

static json_t *captures_json_schema(const struct schema_row *row)
{
	(void)row;
	return json_pack("{s:s,s:{s:s}}", "type", "object", "additionalProperties", "type",
			 "string");
}

const struct schema_custom conf_step_captures_type = {
	.set = captures_set,
	.equal = captures_equal,
	.release = captures_release,
	.json_schema = captures_json_schema,
};
