/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option engine: lays JSON objects over a struct by the rows of a table.
 * It does not know any option by name and reads no file. Stores belong to the
 * caller. The trap: dotted row names are nested objects in JSON, so a key that
 * itself has a dot in it is never an option.
 */
#include "conf/schema.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/schema_int.h"

/* One walk of schema_set. */
struct walk {
	const struct schema *schema;
	void *store;
	const char *const *skip;
	struct schema_report *report;
};

const struct schema_row *schema_find(const struct schema *s, const char *name)
{
	for (size_t i = 0; i < s->n_rows; i++)
		if (strcmp(s->rows[i].name, name) == 0)
			return &s->rows[i];
	return NULL;
}

/* What follows `group` and its dot in `name`, NULL if it is not below it; "" is above all. */
static const char *below(const char *name, const char *group)
{
	size_t n = strlen(group);

	if (n == 0)
		return name;
	return strncmp(name, group, n) == 0 && name[n] == '.' ? name + n + 1 : NULL;
}

bool schema_is_group(const struct schema *s, const char *name)
{
	for (size_t i = 0; *name != '\0' && i < s->n_rows; i++)
		if (below(s->rows[i].name, name))
			return true;
	return false;
}

/* The keys of one level, each once, for suggestions; the list and its strings are the caller's. */
static char **keys_of(const struct walk *w, const char *group, size_t *n_keys)
{
	size_t n = 0, n_skip = 0;
	char **keys;

	while (w->skip && w->skip[n_skip])
		n_skip++;
	keys = mem_array(w->schema->n_rows + n_skip + 1, sizeof(*keys));
	for (size_t i = 0; i < w->schema->n_rows; i++) {
		const char *rest = below(w->schema->rows[i].name, group);

		if (rest)
			keys[n++] = mem_strndup(rest, strcspn(rest, "."));
	}
	for (size_t i = 0; *group == '\0' && i < n_skip; i++)
		keys[n++] = mem_strdup(w->skip[i]);
	*n_keys = n;
	return keys;
}

static void report_unknown(const struct walk *w, const char *group, const char *key,
			   const char *path)
{
	const char *dot = strchr(key, '.');
	size_t n;
	char **keys = keys_of(w, group, &n);
	const char *near = schema_nearest(key, (const char *const *)keys);

	if (near)
		schema_error_key(w->report, path, "unknown key; did you mean \"%s\"?", near);
	else if (*group == '\0' && dot && schema_find(w->schema, key))
		schema_error_key(w->report, path,
				 "unknown key; options are nested: \"%.*s\": {\"%s\": ...}",
				 (int)(dot - key), key, dot + 1);
	else
		schema_error_key(w->report, path, "unknown key");
	schema_free_strings(keys, n);
}

static void set_level(const struct walk *w, const json_t *object, const char *group,
		      const char *path);

static void set_group(const struct walk *w, const json_t *value, const char *name, const char *path)
{
	if (json_is_object(value))
		set_level(w, value, name, path);
	else
		schema_error_type(w->report, path, "an object", value);
}

/* A row that is a group of others, too (OPT_GROUP). */
static void set_switch(const struct walk *w, const struct schema_row *row, const json_t *value,
		       const char *path)
{
	bool on = json_is_object(value) || json_is_true(value);

	if (!on && !json_is_false(value) && !json_is_null(value)) {
		schema_error_type(w->report, path, "an object, true, false or null", value);
		return;
	}
	*(bool *)schema_slot(schema_holder(row, w->store), row->offset) = on;
	if (json_is_object(value))
		set_level(w, value, row->name, path);
}

static void set_key(const struct walk *w, const char *group, const char *key, const json_t *value,
		    const char *at)
{
	mem_auto_str name = mem_printf("%s%s%s", group, *group ? "." : "", key);
	mem_auto_str path = schema_path_key(at, key);
	bool plain = *key != '\0' && !strchr(key, '.');
	const struct schema_row *row = plain ? schema_find(w->schema, name) : NULL;

	if (row && row->flags & OPT_GROUP)
		set_switch(w, row, value, path);
	else if (row)
		schema_ops(row)->set(row, schema_holder(row, w->store), value, path, w->report);
	else if (plain && schema_is_group(w->schema, name))
		set_group(w, value, name, path);
	else if (*group == '\0' && schema_has_name(w->skip, key))
		return;
	else
		report_unknown(w, group, key, path);
}

static void set_level(const struct walk *w, const json_t *object, const char *group,
		      const char *path)
{
	const char *key;
	json_t *value;

	json_object_foreach(schema_walkable(object), key, value)
		set_key(w, group, key, value, path);
}

bool schema_set(const struct schema *s, void *store, const json_t *object, const char *const *skip,
		struct schema_report *report)
{
	struct walk w = { .schema = s, .store = store, .skip = skip, .report = report };
	size_t before = report->n;

	if (json_is_object(object))
		set_level(&w, object, "", "");
	else
		schema_error_type(report, "", "an object", object);
	return report->n == before;
}

void schema_defaults(const struct schema *s, void *store)
{
	memset(store, 0, s->size);
	schema_parts_make(s, store);
	for (size_t i = 0; i < s->n_rows; i++) {
		const struct schema_row *row = &s->rows[i];
		struct schema_first first;
		json_t *value;

		if (!row->value)
			continue;
		schema_first_init(&first);
		value = schema_text_to_json(row, row->value, &first.err);
		if (!value || !schema_ops(row)->set(row, schema_holder(row, store), value,
						    row->name, &first.report)) {
			fprintf(stderr, "%s: bad default of %s: %s\n", s->what, row->name,
				first.err.text);
			abort();
		}
		json_decref(value);
	}
}

void schema_release(const struct schema *s, void *store)
{
	for (size_t i = 0; i < s->n_rows; i++)
		if (!s->rows[i].part)
			schema_ops(&s->rows[i])->release(&s->rows[i], store);
	schema_parts_unref(s, store);
}

enum schema_change schema_compare(const struct schema *s, const void *a, const void *b)
{
	enum schema_change change = SCHEMA_SAME;

	for (size_t i = 0; i < s->n_rows; i++) {
		const struct schema_row *row = &s->rows[i];

		const void *x = schema_holder(row, a), *y = schema_holder(row, b);

		if (row->flags & OPT_APART || x == y || schema_ops(row)->equal(row, x, y))
			continue;
		if (!(row->flags & OPT_LIVE))
			return SCHEMA_CHANGED_RECONNECT;
		change = SCHEMA_CHANGED_LIVE;
	}
	return change;
}
