/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option type of `headers`: name → value or list of values, for the
 * handshake. Values are secrets: never in an error text, wiped when freed.
 * The trap: names are compared without case, JSON keys are not.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/http_head.h"
#include "base/mem.h"
#include "conf/bridge_int.h"

#define HEADERS_MAX 64

#define EXPECT_VALUE "a string, an object that says where the secret is, or a list of these"

/* A list of headers under construction, or the stored one. */
struct headers {
	struct conf_header *list;
	size_t n;
};

/* What the handshake writes itself (RFC 6455, 4.1), what would frame a body, what is hop by hop. */
static const struct {
	const char *name, *key; /* the option that sets it, NULL = none does */
} own_names[] = {
	{ "Host", "host" },
	{ "Origin", "origin" },
	{ "User-Agent", "user_agent" },
	{ "Sec-WebSocket-Protocol", "subprotocols" },
	{ "Upgrade", NULL },
	{ "Connection", NULL },
	{ "Content-Length", NULL },
	{ "Transfer-Encoding", NULL },
	{ "TE", NULL },
	{ "Trailer", NULL },
	{ "Expect", NULL },
	{ "Keep-Alive", NULL },
	{ "Proxy-Connection", NULL },
	{ "Proxy-Authorization", "proxy_password" }, /* for the proxy's eyes only */
};

static void headers_free(struct headers *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free(h->list[i].name);
		secret_conf_deinit(&h->list[i].value);
	}
	free(h->list);
	*h = (struct headers){ 0 };
}

static bool name_ok(const char *name, const char *path, struct schema_report *r)
{
	if (!http_is_token(span_str(name)))
		return schema_error_key(r, path, "is not a header name");
	for (size_t i = 0; i < sizeof(own_names) / sizeof(*own_names); i++) {
		if (strcasecmp(name, own_names[i].name) != 0)
			continue;
		if (own_names[i].key)
			return schema_error_key(r, path, "is set by the option \"%s\"",
						own_names[i].key);
		return schema_error_key(r, path, "belongs to the handshake and cannot be set");
	}
	if (strncasecmp(name, "Sec-WebSocket-", strlen("Sec-WebSocket-")) == 0)
		return schema_error_key(r, path, "belongs to the handshake and cannot be set");
	return true;
}

static bool check_value(const char *text, struct error *err)
{
	return *text == '\0' || conf_check_field(text, err);
}

static void add_value(struct headers *h, const char *name, const json_t *v, const char *path,
		      struct schema_report *r)
{
	static const struct secret_grammar grammar = { EXPECT_VALUE, check_value };
	struct secret_conf value = { 0 };

	if (!secret_conf_read(&value, v, &grammar, path, r))
		return;
	h->list = mem_grow(h->list, h->n + 1, sizeof(*h->list));
	h->list[h->n++] = (struct conf_header){ mem_strdup(name), value };
}

static void add_key(struct headers *h, const char *name, const json_t *v, const char *path,
		    struct schema_report *r)
{
	if (!name_ok(name, path, r))
		return;
	for (size_t i = 0; i < h->n; i++) {
		if (strcasecmp(h->list[i].name, name) != 0)
			continue;
		schema_error_key(r, path, "is there already as \"%s\"; give both values as a list",
				 h->list[i].name);
		return;
	}
	if (!json_is_array(v)) {
		add_value(h, name, v, path, r);
		return;
	}
	for (size_t i = 0; i < json_array_size(v); i++) {
		mem_auto_str at = schema_path_index(path, i);

		add_value(h, name, json_array_get(v, i), at, r);
	}
}

static bool headers_set(const struct schema_row *row, void *store, const json_t *v,
			const char *path, struct schema_report *r)
{
	struct headers h = { 0 };
	size_t before = r->n;
	const char *name;
	json_t *value;

	if (!json_is_object(v))
		return schema_error_type(r, path, "an object of header names and values", v);
	json_object_foreach(schema_walkable(v), name, value) {
		mem_auto_str at = schema_path_key(path, name);

		add_key(&h, name, value, at, r);
	}
	if (h.n > HEADERS_MAX)
		schema_error(r, path, "has %zu headers, more than %d", h.n, HEADERS_MAX);
	if (r->n != before) {
		headers_free(&h);
		return false;
	}
	row->custom->release(row, store);
	*(struct conf_header **)schema_slot(store, row->offset) = h.list;
	*(size_t *)schema_slot(store, row->count_offset) = h.n;
	return true;
}

static struct headers stored(const struct schema_row *row, const void *store)
{
	struct conf_header *const *list = schema_slot_const(store, row->offset);
	const size_t *n = schema_slot_const(store, row->count_offset);

	return (struct headers){ *list, *n };
}

static bool headers_equal(const struct schema_row *row, const void *a, const void *b)
{
	struct headers x = stored(row, a), y = stored(row, b);

	if (x.n != y.n)
		return false;
	for (size_t i = 0; i < x.n; i++)
		if (strcmp(x.list[i].name, y.list[i].name) != 0 ||
		    !secret_conf_equal(&x.list[i].value, &y.list[i].value))
			return false;
	return true;
}

static void headers_release(const struct schema_row *row, void *store)
{
	struct headers h = stored(row, store);

	headers_free(&h);
	*(struct conf_header **)schema_slot(store, row->offset) = NULL;
	*(size_t *)schema_slot(store, row->count_offset) = 0;
}

static json_t *headers_json_schema(const struct schema_row *row)
{
	json_t *value = secret_conf_json_schema();

	(void)row;
	return json_pack("{s:s, s:{s:[O, {s:s, s:o}]}}", "type", "object", "additionalProperties",
			 "anyOf", value, "type", "array", "items", value);
}

const struct schema_custom conf_headers_type = {
	.set = headers_set,
	.equal = headers_equal,
	.release = headers_release,
	.json_schema = headers_json_schema,
	.any_key = true,
};
