/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the option engine says that something is wrong: paths, sentences, the
 * nearest name. It keeps nothing and decides nothing. The trap: a value may be
 * a secret, so sentences name its kind; only keys are quoted.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "conf/schema_int.h"

#define NAME_SHOWN 80  /* bytes of a key in a path */
#define NEAREST_MAX 64 /* longer names have no neighbour */

static bool add(struct schema_report *r, bool at_key, const char *path, const char *sentence)
{
	r->at_key = at_key;
	r->n++;
	r->add(r, path, sentence);
	return false;
}

static __attribute__((format(printf, 1, 0))) char *format(const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0)
		return mem_strdup("out of memory");
	return text;
}

bool schema_error(struct schema_report *r, const char *path, const char *fmt, ...)
{
	mem_auto_str text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = format(fmt, ap);
	va_end(ap);
	return add(r, false, path, text);
}

bool schema_error_key(struct schema_report *r, const char *path, const char *fmt, ...)
{
	mem_auto_str text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = format(fmt, ap);
	va_end(ap);
	return add(r, true, path, text);
}

static const char *kind_of(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
		return "a number";
	case JSON_REAL:
		return "a number with a fraction";
	case JSON_TRUE:
		return "true";
	case JSON_FALSE:
		return "false";
	case JSON_NULL:
		return "null";
	}
	return "something else";
}

bool schema_error_type(struct schema_report *r, const char *path, const char *expected,
		       const json_t *found)
{
	return schema_error(r, path, "expected %s, found %s", expected, kind_of(found));
}

const char *schema_string(const json_t *v, const char *expected, const char *path,
			  struct schema_report *r)
{
	if (!json_is_string(v)) {
		schema_error_type(r, path, expected, v);
		return NULL;
	}
	if (strlen(json_string_value(v)) != json_string_length(v)) {
		schema_error(r, path, "must not contain a NUL character");
		return NULL;
	}
	return json_string_value(v);
}

char *schema_path_key(const char *path, const char *key)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789_@-";
	char shown[NAME_SHOWN];
	size_t n = strlen(key), colon;

	if (n > 0 && n < NAME_SHOWN && strspn(key, plain) == n)
		return mem_printf("%s%s%s", path, *path ? "." : "", key);
	/* Behind a colon the value of a header may follow that was meant to be one. */
	colon = strcspn(key, ":");
	escape_text(shown, sizeof(shown), span_of(key, colon));
	return mem_printf("%s[\"%s%s\"]", path, shown, colon < n ? ":..." : "");
}

char *schema_path_index(const char *path, size_t index)
{
	return mem_printf("%s[%zu]", path, index);
}

static void first_add(struct schema_report *r, const char *path, const char *sentence)
{
	struct schema_first *f = (struct schema_first *)(void *)r;

	if (r->n > 1)
		return;
	error_set_option(&f->err, path, "%s%s%s", path, *path ? ": " : "", sentence);
}

void schema_first_init(struct schema_first *f)
{
	*f = (struct schema_first){ .report = { .add = first_add } };
}

static void under_add(struct schema_report *r, const char *path, const char *sentence)
{
	struct schema_under *u = (struct schema_under *)(void *)r;
	bool joint = *u->path && *path && *path != '[';
	mem_auto_str whole = mem_printf("%s%s%s", u->path, joint ? "." : "", path);

	add(u->to, r->at_key, whole, sentence);
}

void schema_under_init(struct schema_under *u, struct schema_report *to, const char *path)
{
	*u = (struct schema_under){ .report = { .add = under_add }, .to = to, .path = path };
}

bool schema_has_name(const char *const *names, const char *name)
{
	for (; names && *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

char *schema_list_names(const char *const *names)
{
	char *list = mem_strdup("");

	for (size_t i = 0; names[i]; i++) {
		const char *joint = i == 0 ? "" : names[i + 1] ? ", " : " or ";
		char *longer = mem_printf("%s%s\"%s\"", list, joint, names[i]);

		free(list);
		list = longer;
	}
	return list;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein, with a swap of neighbours as one step, over names below NEAREST_MAX. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t rows[3][NEAREST_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *row = rows[2];
	size_t n = strlen(b);

	for (size_t j = 0; j <= n; j++)
		before[j] = last[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t *spare = before;

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t swap = last[j - 1] + (a[i - 1] != b[j - 1]);

			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				swap = least(swap, before[j - 2] + 1);
			row[j] = least(swap, least(last[j], row[j - 1]) + 1);
		}
		before = last;
		last = row;
		row = spare;
	}
	return last[n];
}

/* How far two names are apart; the beginning of a name is near to all of it. */
static size_t distance(const char *name, const char *known)
{
	size_t n = strlen(name), m = strlen(known), d;

	if (m >= NEAREST_MAX)
		return SIZE_MAX;
	if (n >= 3 && strncmp(name, known, n) == 0)
		return 1;
	d = edit_distance(name, known);
	/* With no letter left of either there is no likeness. */
	return d >= n || d >= m ? SIZE_MAX : d;
}

const char *schema_nearest(const char *name, const char *const *known)
{
	size_t n = strlen(name), most = n / 3 > 2 ? n / 3 : 2, near = most + 1;
	const char *best = NULL;

	for (; n < NEAREST_MAX && *known; known++) {
		size_t d = distance(name, *known);

		if (d >= near)
			continue;
		best = *known;
		near = d;
	}
	return best;
}
