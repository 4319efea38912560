/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option table of one endpoint, and the option type that holds a bridge's
 * list of them: a string, an object, or a list of both. The trap: `unix` may
 * still be missing after this, since `defaults` need not name it; bridge_conf
 * looks once everything is merged.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/bridge_int.h"

#define ENDPOINTS_MAX 64
#define CLIENTS_MAX 4096
#define QUEUE_MIN 1024
#define QUEUE_MAX (1024.0 * 1024 * 1024)

#define EXPECT_ENDPOINT "a path or an object"

#define AT(member) .offset = offsetof(struct endpoint_conf, member)
#define NAMES(...)                \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}

static bool delimiter_set(const struct schema_row *row, void *store, const json_t *v,
			  const char *path, struct schema_report *r)
{
	const char *text = json_string_value(v);

	if (!text)
		return schema_error_type(r, path, "\"\\n\" or \"\\u0000\"", v);
	if (json_string_length(v) != 1 || (text[0] != '\n' && text[0] != '\0'))
		return schema_error(r, path, "expected \"\\n\" or \"\\u0000\"");
	*(unsigned *)schema_slot(store, row->offset) = (unsigned char)text[0];
	return true;
}

static bool delimiter_equal(const struct schema_row *row, const void *a, const void *b)
{
	const unsigned *x = schema_slot_const(a, row->offset);
	const unsigned *y = schema_slot_const(b, row->offset);

	return *x == *y;
}

static void delimiter_release(const struct schema_row *row, void *store)
{
	(void)row;
	(void)store;
}

static json_t *delimiter_json_schema(const struct schema_row *row)
{
	(void)row;
	return json_pack("{s:[s,s%]}", "enum", "\n", "\0", (size_t)1);
}

const struct schema_custom conf_delimiter_type = {
	.set = delimiter_set,
	.equal = delimiter_equal,
	.release = delimiter_release,
	.json_schema = delimiter_json_schema,
};

static const struct schema_row rows[] = {
	{ .name = "unix",
	  .type = OPT_STRING,
	  .flags = OPT_REQUIRED,
	  AT(unix_path),
	  .check = conf_check_socket_path,
	  .help = "Absolute path of the Unix socket that local clients connect to." },
	{ .name = "framing",
	  .type = OPT_ENUM,
	  AT(framing),
	  .value = "lines",
	  .choices = NAMES("lines"),
	  .later = NAMES("json", "length", "raw"),
	  .help = "How messages look on the socket: one message, one line." },
	{ .name = "delimiter",
	  .type = OPT_CUSTOM,
	  AT(delimiter),
	  .value = "\"\\n\"",
	  .custom = &conf_delimiter_type,
	  .help = "What ends a line: \"\\n\" or \"\\u0000\"." },
	{ .name = "newlines",
	  .type = OPT_ENUM,
	  AT(newlines),
	  .value = "space",
	  .choices = NAMES("space", "escape", "reject"),
	  .help = "What a delimiter inside a message becomes; with reject it is not delivered." },
	{ .name = "binary",
	  .type = OPT_ENUM,
	  AT(binary),
	  .value = "base64",
	  .choices = NAMES("base64", "hex", "drop"),
	  .help = "How a binary message is shown." },
	{ .name = "send_as",
	  .type = OPT_ENUM,
	  AT(send_as),
	  .value = "text",
	  .choices = NAMES("text", "binary", "base64"),
	  .help = "What a line becomes; base64 is decoded and sent as binary." },
	{ .name = "mode",
	  .type = OPT_MODE,
	  AT(mode),
	  .value = "0600",
	  .help = "File mode of the socket, as a string in octal." },
	{ .name = "max_clients",
	  .type = OPT_INT,
	  AT(max_clients),
	  .value = "64",
	  .min = 1,
	  .max = CLIENTS_MAX,
	  .help = "Local clients at a time." },
	{ .name = "queue",
	  .type = OPT_SIZE,
	  AT(queue),
	  .value = "1M",
	  .min = QUEUE_MIN,
	  .max = QUEUE_MAX,
	  .help = "Bytes that may wait for one slow client." },
	{ .name = "overflow",
	  .type = OPT_ENUM,
	  AT(overflow),
	  .value = "drop-oldest",
	  .choices = NAMES("drop-oldest", "drop-newest", "disconnect"),
	  .later = NAMES("block"),
	  .help = "What happens to whole messages when a client's queue is full." },
};

static const char *const later[] = {
	"type",	  "fifo",   "owner",  "group",	       "allow_users", "allow_groups",
	"access", "replay", "events", "block_timeout", "data",	      NULL,
};

const struct schema endpoint_schema = {
	.what = "endpoint",
	.rows = rows,
	.n_rows = sizeof(rows) / sizeof(*rows),
	.size = sizeof(struct endpoint_conf),
	.later = later,
};

static void endpoints_free(struct endpoint_conf *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		schema_release(&endpoint_schema, &list[i]);
	free(list);
}

static void endpoint_set(struct endpoint_conf *e, const json_t *v, const char *path,
			 struct schema_report *r)
{
	struct schema_under under;
	struct error err;
	const char *text;

	schema_defaults(&endpoint_schema, e);
	if (json_is_object(v)) {
		schema_under_init(&under, r, path);
		schema_set(&endpoint_schema, e, v, NULL, &under.report);
		return;
	}
	text = schema_string(v, EXPECT_ENDPOINT, path, r);
	if (!text)
		return;
	if (conf_check_socket_path(text, &err))
		e->unix_path = mem_strdup(text);
	else
		schema_error(r, path, "%s", err.text);
}

static void endpoints_release(const struct schema_row *row, void *store)
{
	struct endpoint_conf **list = schema_slot(store, row->offset);
	size_t *n = schema_slot(store, row->count_offset);

	endpoints_free(*list, *n);
	*list = NULL;
	*n = 0;
}

static bool endpoints_set(const struct schema_row *row, void *store, const json_t *v,
			  const char *path, struct schema_report *r)
{
	size_t n = json_is_array(v) ? json_array_size(v) : 1, before = r->n;
	struct endpoint_conf *list;

	if (n > ENDPOINTS_MAX)
		return schema_error(r, path, "has %zu endpoints, more than %d", n, ENDPOINTS_MAX);
	list = mem_array(n, sizeof(*list));
	for (size_t i = 0; i < n; i++) {
		mem_auto_str at = schema_path_index(path, i);

		if (json_is_array(v))
			endpoint_set(&list[i], json_array_get(v, i), at, r);
		else
			endpoint_set(&list[i], v, path, r);
	}
	if (r->n != before) {
		endpoints_free(list, n);
		return false;
	}
	endpoints_release(row, store);
	*(struct endpoint_conf **)schema_slot(store, row->offset) = list;
	*(size_t *)schema_slot(store, row->count_offset) = n;
	return true;
}

static bool endpoints_equal(const struct schema_row *row, const void *a, const void *b)
{
	struct endpoint_conf *const *x = schema_slot_const(a, row->offset);
	struct endpoint_conf *const *y = schema_slot_const(b, row->offset);
	const size_t *n = schema_slot_const(a, row->count_offset);
	const size_t *m = schema_slot_const(b, row->count_offset);

	if (*n != *m)
		return false;
	for (size_t i = 0; i < *n; i++)
		if (schema_compare(&endpoint_schema, &(*x)[i], &(*y)[i]) != SCHEMA_SAME)
			return false;
	return true;
}

static json_t *endpoints_json_schema(const struct schema_row *row)
{
	json_t *one = json_pack("{s:[{s:s},o]}", "anyOf", "type", "string",
				schema_json_schema(&endpoint_schema));

	(void)row;
	return json_pack("{s:[O,{s:s,s:o}]}", "anyOf", one, "type", "array", "items", one);
}

const struct schema_custom conf_endpoints_type = {
	.set = endpoints_set,
	.equal = endpoints_equal,
	.release = endpoints_release,
	.json_schema = endpoints_json_schema,
	.members = &endpoint_schema,
	.short_for = "unix",
};
