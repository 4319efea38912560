/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options as text: the defaults of the tables and `-o key=value` of a command
 * line become JSON values, which then take the same way as those of a file.
 * Values are not judged here. The trap: a list is split at commas, so an
 * element with a comma must come as JSON.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "conf/schema_int.h"

#define JSON_FLAGS (JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL)

static bool looks_like_json(const struct schema_row *row, const char *text)
{
	if (row->type == OPT_CUSTOM && row->custom->only_string)
		return *text == '"';
	return *text == '[' || *text == '{' || *text == '"';
}

/* jansson counts recursion up to 2048, the house up to 32. */
static bool too_deep(const char *text)
{
	unsigned depth = 0;
	bool quoted = false;

	for (; *text; text++) {
		if (*text == '"')
			quoted = !quoted;
		else if (quoted && *text == '\\' && text[1])
			text++;
		else if (!quoted && (*text == '[' || *text == '{') && ++depth > SCHEMA_DEPTH_MAX)
			return true;
		else if (!quoted && (*text == ']' || *text == '}') && depth > 0)
			depth--;
	}
	return false;
}

static json_t *from_json(const char *text, struct error *err)
{
	json_error_t why;
	json_t *value;

	if (too_deep(text)) {
		error_set(err, ERR_INVALID_OPTION, "nested deeper than %d levels",
			  SCHEMA_DEPTH_MAX);
		return NULL;
	}
	value = json_loads(text, JSON_FLAGS, &why);
	if (!value)
		error_set(err, ERR_INVALID_OPTION, "begins like JSON, but is none (character %d)",
			  why.position);
	return value;
}

/* A number if it is one as a whole, else a string: schema_set will say what is wrong with it. */
static json_t *from_number(const char *text)
{
	json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

	if (json_is_number(value))
		return value;
	json_decref(value);
	return json_string(text);
}

static json_t *from_list(const struct schema_row *row, const char *text)
{
	json_t *list = json_array();

	while (*text) {
		size_t n = strcspn(text, ",");
		mem_auto_str element = mem_strndup(text, n);

		json_array_append_new(list, row->type == OPT_STRINGS ? json_string(element) :
								       from_number(element));
		text += n + (text[n] == ',');
	}
	return list;
}

static json_t *from_plain(const struct schema_row *row, const char *text)
{
	if (row->flags & OPT_NULLABLE && strcmp(text, "null") == 0)
		return json_null();
	switch (row->type) {
	case OPT_BOOL:
		if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
			return json_boolean(*text == 't');
		return json_string(text);
	case OPT_INT:
	case OPT_REAL:
	case OPT_SIZE:
	case OPT_DURATION:
		return from_number(text);
	case OPT_STRINGS:
		return from_list(row, text);
	case OPT_CUSTOM:
		return row->custom->list ? from_list(row, text) : json_string(text);
	case OPT_STRING:
	case OPT_ENUM:
	case OPT_MODE:
		break;
	}
	return json_string(text);
}

json_t *schema_text_to_json(const struct schema_row *row, const char *text, struct error *err)
{
	if (!utf8_valid(span_str(text))) {
		error_set(err, ERR_INVALID_OPTION, "is not valid UTF-8");
		return NULL;
	}
	return looks_like_json(row, text) ? from_json(text, err) : from_plain(row, text);
}

/* The object below `key`, made if it is missing; a plain string there is spelled out. */
static json_t *enter(json_t *object, const char *key, const struct schema_row *row)
{
	json_t *inner = json_object_get(object, key);

	if (json_is_object(inner))
		return inner;
	if (!inner) {
		json_object_set_new(object, key, json_object());
	} else if (json_is_string(inner) && row && row->type == OPT_CUSTOM &&
		   row->custom->short_for) {
		json_object_set_new(object, key, json_pack("{s:O}", row->custom->short_for, inner));
	} else {
		return NULL;
	}
	return json_object_get(object, key);
}

static bool no_object(const char *key, struct error *err)
{
	return error_set(err, ERR_INVALID_OPTION, "\"%s\" already has a value that is no object",
			 key);
}

/* jansson refuses keys that are no UTF-8. */
static bool put_value(json_t *object, const char *key, json_t *value, struct error *err)
{
	if (json_object_set_new(object, key, value) == 0)
		return true;
	return error_set(err, ERR_INVALID_OPTION, "the key is not valid UTF-8");
}

/* The object that holds the last key of the dotted path, made if it is missing; NULL: *err. */
static json_t *descend(json_t *object, const char **path, struct error *err)
{
	const char *dot;

	while ((dot = strchr(*path, '.')) != NULL) {
		mem_auto_str key = mem_strndup(*path, (size_t)(dot - *path));

		object = enter(object, key, NULL);
		if (!object) {
			no_object(key, err);
			return NULL;
		}
		*path = dot + 1;
	}
	return object;
}

/* Puts `value` (taken) below the dotted path. */
static bool put(json_t *object, const char *path, json_t *value, struct error *err)
{
	object = descend(object, &path, err);
	if (object)
		return put_value(object, path, value, err);
	json_decref(value);
	return false;
}

static bool put_unknown(const struct schema *s, const char *key, struct error *err)
{
	const char **names = mem_array(s->n_rows + 1, sizeof(*names));
	const char *near;

	for (size_t i = 0; i < s->n_rows; i++)
		names[i] = s->rows[i].name;
	near = schema_nearest(key, names);
	free(names);
	if (near)
		return error_set(err, ERR_INVALID_OPTION, "unknown key; did you mean \"%s\"?",
				 near);
	return error_set(err, ERR_INVALID_OPTION, "unknown key");
}

/* The row that takes an object and has `key` below it ("headers" for "headers.X"). */
static const struct schema_row *outer_row(const struct schema *s, const char *key,
					  const char **rest)
{
	for (size_t i = 0; i < s->n_rows; i++) {
		const struct schema_row *row = &s->rows[i];
		size_t n = strlen(row->name);

		if (row->type != OPT_CUSTOM || strncmp(row->name, key, n) != 0 || key[n] != '.')
			continue;
		if (!row->custom->members && !row->custom->any_key)
			continue;
		*rest = key + n + 1;
		return row;
	}
	return NULL;
}

static bool put_any(const struct schema *s, json_t *object, const char *key, const char *text,
		    struct error *err);

static bool put_inner(const struct schema_row *row, json_t *object, const char *key,
		      const char *text, struct error *err)
{
	static const struct schema_row any = { .name = "", .type = OPT_STRING };
	const char *name = row->name;
	json_t *inner, *value;

	object = descend(object, &name, err);
	if (!object)
		return false;
	inner = enter(object, name, row);
	if (!inner)
		return no_object(row->name, err);
	if (row->custom->members)
		return put_any(row->custom->members, inner, key, text, err);
	value = schema_text_to_json(&any, text, err);
	return value && put_value(inner, key, value, err);
}

/* Sets err->option and puts the key in front of the sentence. */
static bool name_key(struct error *err, const char *key)
{
	struct error bare = *err;

	return error_set_option(err, key, "%s: %s", key, bare.text);
}

static bool put_any(const struct schema *s, json_t *object, const char *key, const char *text,
		    struct error *err)
{
	const struct schema_row *row = schema_find(s, key);
	const char *rest;
	json_t *value;

	if (row) {
		value = schema_text_to_json(row, text, err);
		return value && put(object, key, value, err);
	}
	row = outer_row(s, key, &rest);
	if (row)
		return put_inner(row, object, rest, text, err);
	if (!schema_is_group(s, key))
		return put_unknown(s, key, err);
	value = *text == '{' ? from_json(text, err) : NULL;
	if (value)
		return put(object, key, value, err);
	return error_set(err, ERR_INVALID_OPTION, "is a group of options; name one of them");
}

bool schema_put_text(const struct schema *s, json_t *object, const char *key, const char *text,
		     struct error *err)
{
	struct error why = ERROR_INIT;

	if (put_any(s, object, key, text, &why))
		return true;
	*err = why;
	return name_key(err, key);
}
