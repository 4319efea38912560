/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads parameters by the rows of params_rows.c. Shorthand text becomes JSON by
 * the type of its row, then both kinds of request take the same way. The struct
 * belongs to the call. The trap: in shorthand a `text` that begins with a
 * bracket is still text, although the option engine would take it for JSON.
 */
#include "control/params_int.h"

#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "control/names.h"

#define NAME_SHOWN 80

bool params_has_name(const char *const *names, const char *name)
{
	for (; names && *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static struct schema schema_of(const struct params_table *t)
{
	return (struct schema){
		.what = "call", .rows = t->rows, .n_rows = t->n, .size = sizeof(struct params)
	};
}

/* Names of parameters and, where they are taken, of a bridge's top-level keys; caller frees. */
static char **known_names(const struct params_table *t)
{
	size_t more = t->bridge_keys ? bridge_schema.n_rows : 0, n = 0;
	char **names = mem_array(t->n + more + 1, sizeof(*names));

	for (size_t i = 0; i < t->n; i++)
		names[n++] = mem_strdup(t->rows[i].name);
	for (size_t i = 0; i < more; i++) {
		const char *name = bridge_schema.rows[i].name;

		names[n++] = mem_strndup(name, strcspn(name, "."));
	}
	return names;
}

static void free_names(char **names)
{
	for (size_t i = 0; names[i]; i++)
		free(names[i]);
	free(names);
}

static bool unknown(const char *key, const char *const *names, struct error *err)
{
	const char *near = schema_nearest(key, names);
	char shown[NAME_SHOWN];

	escape_text(shown, sizeof(shown), span_str(key));
	if (near)
		return error_set_option(
			err, shown, "unknown parameter \"%s\"; did you mean \"%s\"?", shown, near);
	return error_set_option(err, shown, "unknown parameter \"%s\"", shown);
}

static bool check_key(const struct params_table *t, const char *key, struct error *err)
{
	char **names = known_names(t);
	bool known = params_has_name((const char *const *)names, key);

	if (!known)
		unknown(key, (const char *const *)names, err);
	free_names(names);
	return known;
}

/* In a `text` only a quote at its beginning has a meaning. */
static json_t *string_from_text(const char *text)
{
	json_t *v = *text == '"' ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;

	return v ? v : json_string(text);
}

static bool put_word(const struct params_table *t, json_t *object, const struct rpc_word *w,
		     struct error *err)
{
	struct schema own = schema_of(t);
	mem_auto_str key = mem_strndup(w->key.p, w->key.n);
	mem_auto_str text = mem_strndup(w->value.p, w->value.n);
	const struct schema_row *row = schema_find(&own, key);
	json_t *value = NULL;

	if (!row) {
		mem_auto_str top = mem_strndup(key, strcspn(key, "."));

		return check_key(t, top, err) &&
		       schema_put_text(&bridge_schema, object, key, text, err);
	}
	if (row->custom == &params_value_ops)
		value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	else if (row->type == OPT_STRING)
		value = string_from_text(text);
	else if (row->custom == &params_wait_ops &&
		 (!strcmp(text, "true") || !strcmp(text, "false")))
		value = json_boolean(*text == 't');
	else
		return schema_put_text(&own, object, key, text, err);
	if (!value)
		return error_set_option(err, key, "%s: not a JSON text", key);
	json_object_set_new(object, key, value);
	return true;
}

/* The parameters as one object; NULL: *err. New reference. */
static json_t *as_object(const struct params_table *t, const struct rpc_request *rq,
			 struct error *err)
{
	json_t *object;

	if (!rq->shorthand)
		return rq->params ? json_incref(rq->params) : json_object();
	object = json_object();
	for (size_t i = 0; i < rq->n_words; i++) {
		if (put_word(t, object, &rq->words[i], err))
			continue;
		json_decref(object);
		return NULL;
	}
	return object;
}

/* Parts the method's own parameters from the keys of a bridge, and checks that all are known. */
static bool part(const struct params_table *t, json_t *object, json_t *own, json_t *bridge,
		 struct error *err)
{
	struct schema s = schema_of(t);
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) {
		if (!check_key(t, key, err))
			return false;
		json_object_set(schema_find(&s, key) ? own : bridge, key, value);
	}
	for (size_t i = 0; i < t->n; i++) {
		if (t->rows[i].flags & OPT_REQUIRED && !json_object_get(own, t->rows[i].name))
			return error_set_option(err, t->rows[i].name, "\"%s\" is missing",
						t->rows[i].name);
	}
	return true;
}

static bool fill(struct params *p, const struct params_table *t, const json_t *own,
		 struct error *err)
{
	struct schema s = schema_of(t);
	struct schema_first first;

	const struct schema_row *timeout = schema_find(&s, PARAM_TIMEOUT);

	schema_defaults(&s, p);
	if (!timeout || !timeout->value)
		p->timeout = -1;
	p->how_long = -1;
	schema_first_init(&first);
	if (schema_set(&s, p, own, NULL, &first.report))
		return true;
	*err = first.err;
	return false;
}

bool params_read(struct params *p, const struct params_table *t, const struct rpc_request *rq,
		 struct error *err)
{
	json_t *object = as_object(t, rq, err), *own = json_object(), *bridge = json_object();
	struct params made = { 0 };
	bool ok = object && part(t, object, own, bridge, err) && fill(&made, t, own, err);

	if (ok) {
		made.bridge = json_incref(bridge);
		*p = made;
	} else {
		params_deinit(&made, t);
	}
	json_decref(object);
	json_decref(own);
	json_decref(bridge);
	return ok;
}

void params_deinit(struct params *p, const struct params_table *t)
{
	struct schema s = schema_of(t);

	schema_release(&s, p);
	json_decref(p->bridge);
	p->bridge = NULL;
}
