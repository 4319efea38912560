/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See json_head.h. What a server calls a cookie, a token or the like is shown
 * as "***". The trap: the library refuses text that is not UTF-8 without a
 * word.
 */
#include "conf/json_head.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/escape.h"
#include "base/mem.h"

/* An escaped byte takes four. */
static json_t *escaped(struct span s)
{
	size_t size = 4 * (s.n + 2);
	mem_auto_str shown = mem_alloc(size);

	return json_string(escape_text(shown, size, s));
}

json_t *json_shown_text(struct span s)
{
	json_t *text = json_stringn((const char *)s.p, s.n);

	return text ? text : escaped(s);
}

/* By what the name says: what a server calls a session or a token is as good as a password. */
static bool is_credential(const char *name)
{
	static const char *const parts[] = {
		"cookie", "auth",   "token",   "secret", "session",
		"passw",  "creden", "api-key", "apikey", "signature",
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strcasestr(name, parts[i]))
			return true;
	return false;
}

/* A URL in a header may carry user information or a query. */
static bool is_private_place(const char *name, struct span value)
{
	return strcasestr(name, "location") &&
	       (memchr(value.p, '@', value.n) || memchr(value.p, '?', value.n));
}

static bool hides(const char *name, struct span value)
{
	return is_credential(name) || (value.n > 0 && is_private_place(name, value));
}

bool json_head_hides(struct http_field field)
{
	mem_auto_str name = mem_strndup(field.name.p, field.name.n);

	return hides(name, field.value);
}

static json_t *header_value(const char *name, struct span value)
{
	return hides(name, value) ? json_string(JSON_HEAD_HIDDEN) : json_shown_text(value);
}

static void add_header(json_t *headers, struct http_field field)
{
	mem_auto_str name = mem_strndup(field.name.p, field.name.n);
	json_t *value = header_value(name, field.value), *old;

	for (char *c = name; *c; c++)
		*c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
	old = json_object_get(headers, name);
	if (!old)
		json_object_set_new(headers, name, value);
	else if (json_is_array(old))
		json_array_append_new(old, value);
	else
		json_object_set_new(headers, name, json_pack("[O,o]", old, value));
}

json_t *json_shown_head(const struct http_head *head)
{
	json_t *headers = json_object();

	for (size_t i = 0; head && i < head->n_lines; i++)
		add_header(headers, http_head_field(head, i));
	return headers;
}
