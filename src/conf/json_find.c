/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where keys and values stand in a JSON text: a dotted path to its place, and
 * every key that its object has already. Only for texts that jansson took. The
 * trap: of two equal keys jansson keeps the last, so the last is found here.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/json_scan_int.h"
#include "conf/schema.h"

/* One member or element of the object or list that is walked. */
struct member {
	char *path; /* of the member, from the root; NULL behind the last one */
	char *key;  /* NULL in a list; paths show only the beginning of a long key */
	struct json_spot spot;
	struct json_token value; /* first token of the value */
};

/* Behind the value that begins with `token`. */
static size_t skip_value(const struct json_text *t, struct json_token token)
{
	size_t depth = 0;

	for (;;) {
		if (json_scan_is(t, token, '{') || json_scan_is(t, token, '['))
			depth++;
		else if (json_scan_is(t, token, '}') || json_scan_is(t, token, ']'))
			depth--;
		if (depth == 0 || token.kind == JSON_TOKEN_END)
			return token.end;
		token = json_scan(t, token.end);
	}
}

/* The key as the program knows it, escapes undone. Caller frees. */
static char *key_text(const struct json_text *t, struct json_token token)
{
	const char *raw = t->bytes + token.start;
	size_t n = token.end - token.start;
	json_t *value;
	char *key;

	if (!memchr(raw, '\\', n))
		return mem_strndup(raw + 1, n - 2);
	value = json_loadb(raw, n, JSON_DECODE_ANY, NULL);
	key = mem_strdup(json_string_value(value));
	json_decref(value);
	return key;
}

static void member_deinit(struct member *m)
{
	free(m->path);
	free(m->key);
}

/* The member at *at inside the object or list; *at moves behind it. */
static struct member next_member(const struct json_text *t, size_t *at, const char *outer,
				 bool in_list, size_t index)
{
	struct json_token token = json_scan(t, *at);
	struct member m = { 0 };

	if (json_scan_is(t, token, ','))
		token = json_scan(t, token.end);
	if (json_scan_is(t, token, '}') || json_scan_is(t, token, ']'))
		return m;
	m.spot.key = token.start;
	if (in_list) {
		m.path = schema_path_index(outer, index);
		m.value = token;
	} else {
		m.key = key_text(t, token);
		m.path = schema_path_key(outer, m.key);
		m.value = json_scan(t, json_scan(t, token.end).end); /* behind the colon */
	}
	m.spot.value = m.value.start;
	*at = skip_value(t, m.value);
	return m;
}

/* Does `path` begin with `part` as a whole? */
static bool leads_to(const char *part, const char *path)
{
	size_t n = strlen(part);

	return strncmp(part, path, n) == 0 && (path[n] == '\0' || strchr(".[", path[n]));
}

/* The last member of the value at `outer` that leads to the path; NULL path if none does. */
static struct member find_member(const struct json_text *t, const struct member *outer,
				 const char *path)
{
	bool in_list = json_scan_is(t, outer->value, '[');
	size_t at = outer->value.end;
	struct member best = { 0 };

	if (!in_list && !json_scan_is(t, outer->value, '{'))
		return best;
	for (size_t i = 0;; i++) {
		struct member m = next_member(t, &at, outer->path, in_list, i);

		if (!m.path)
			return best;
		if (leads_to(m.path, path)) {
			member_deinit(&best);
			best = m;
		} else {
			member_deinit(&m);
		}
	}
}

size_t json_text_root(const struct json_text *t)
{
	return json_scan(t, 0).start;
}

size_t json_text_find(const struct json_text *t, const char *path, struct json_spot *spot)
{
	struct member here = { .path = mem_strdup(""), .value = json_scan(t, 0) };
	size_t matched;

	here.spot.key = here.spot.value = here.value.start;
	for (;;) {
		struct member inner = find_member(t, &here, path);

		if (!inner.path)
			break;
		member_deinit(&here);
		here = inner;
	}
	*spot = here.spot;
	matched = strlen(here.path);
	member_deinit(&here);
	return matched;
}

/* The walk of json_text_duplicates. */
struct search {
	const struct json_text *text;
	json_duplicate_cb on_duplicate;
	void *arg;
};

static void check_seen(const struct search *s, json_t *seen, const struct member *m)
{
	const json_t *first = m->key ? json_object_get(seen, m->key) : NULL;

	if (first)
		s->on_duplicate(s->arg, m->path, m->spot.key, (size_t)json_integer_value(first));
	else if (m->key)
		json_object_set_new(seen, m->key, json_integer((json_int_t)m->spot.key));
}

static void search_value(const struct search *s, struct json_token value, const char *path)
{
	bool in_list = json_scan_is(s->text, value, '[');
	size_t at = value.end;
	json_t *seen;

	if (!in_list && !json_scan_is(s->text, value, '{'))
		return;
	seen = json_object();
	for (size_t i = 0;; i++) {
		struct member m = next_member(s->text, &at, path, in_list, i);

		if (!m.path)
			break;
		check_seen(s, seen, &m);
		search_value(s, m.value, m.path);
		member_deinit(&m);
	}
	json_decref(seen);
}

void json_text_duplicates(const struct json_text *t, json_duplicate_cb on_duplicate, void *arg)
{
	struct search s = { .text = t, .on_duplicate = on_duplicate, .arg = arg };

	search_value(&s, json_scan(t, 0), "");
}
