/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages in the configuration, made ready to be sent: a string, or one of
 * {"text": S}, {"json": V}, {"binary": BASE64}. The trap: a {"json": V} was
 * read as numbers, so it is written with the fewest digits that read back as
 * the same value: 0.10 goes out as 0.1, 1e2 as 100.0.
 */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "conf/bridge_int.h"

#define EXPECT_MESSAGE "a string or one of {\"text\": ...}, {\"json\": ...}, {\"binary\": ...}"

static void message_release(const struct schema_row *row, void *store)
{
	struct conf_message *m = schema_slot(store, row->offset);

	if (m->n)
		explicit_bzero(m->data, m->n);
	free(m->data);
	*m = (struct conf_message){ 0 };
}

static bool message_equal(const struct schema_row *row, const void *a, const void *b)
{
	const struct conf_message *x = schema_slot_const(a, row->offset);
	const struct conf_message *y = schema_slot_const(b, row->offset);

	return x->type == y->type && !x->data == !y->data &&
	       span_equal(span_of(x->data, x->n), span_of(y->data, y->n));
}

static struct conf_message made_of(enum msg_type type, const void *p, size_t n)
{
	struct conf_message m = { .type = type, .data = mem_alloc(n), .n = n };

	memcpy(m.data, p, n);
	return m;
}

/* Takes the message. */
static bool put(const struct schema_row *row, void *store, struct conf_message m)
{
	message_release(row, store);
	*(struct conf_message *)schema_slot(store, row->offset) = m;
	return true;
}

bool conf_message_text(struct conf_message *m, const json_t *v, const char *path,
		       struct schema_report *r)
{
	static const struct schema_row itself = { .offset = 0 };

	if (!json_is_string(v))
		return schema_error_type(r, path, "a string", v);
	return put(&itself, m, made_of(MSG_TEXT, json_string_value(v), json_string_length(v)));
}

static bool text_set(const struct schema_row *row, void *store, const json_t *v, const char *path,
		     struct schema_report *r)
{
	return conf_message_text(schema_slot(store, row->offset), v, path, r);
}

static bool reads_back(const char *text, const json_t *v)
{
	json_t *again = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	bool same = again && json_equal(again, v);

	json_decref(again);
	return same;
}

char *conf_json_text(const json_t *v)
{
	char *text = NULL;

	for (size_t digits = 15; digits <= 17; digits++) {
		free(text);
		text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits));
		if (!text || reads_back(text, v))
			break;
	}
	if (!text)
		abort(); /* a value that was read can be written, but for lack of memory */
	return text;
}

static bool json_set(const struct schema_row *row, void *store, const json_t *v, const char *path,
		     struct schema_report *r)
{
	char *text = conf_json_text(v);
	size_t n = strlen(text);

	(void)path;
	(void)r;
	put(row, store, made_of(MSG_TEXT, text, n));
	explicit_bzero(text, n);
	free(text);
	return true;
}

static bool binary_set(const struct schema_row *row, void *store, const json_t *v, const char *path,
		       struct schema_report *r)
{
	const char *text = schema_string(v, "a string in Base64", path, r);
	struct conf_message m = { .type = MSG_BINARY };

	if (!text)
		return false;
	m.data = mem_alloc(BASE64_DECODED_MAX(strlen(text)));
	if (base64_decode(m.data, &m.n, span_str(text)))
		return put(row, store, m);
	free(m.data);
	return schema_error(r, path, "is not Base64 with padding");
}

static json_t *string_json_schema(const struct schema_row *row)
{
	(void)row;
	return json_pack("{s:s}", "type", "string");
}

static json_t *any_json_schema(const struct schema_row *row)
{
	(void)row;
	return json_object();
}

const struct schema_custom conf_text_type = {
	.set = text_set,
	.equal = message_equal,
	.release = message_release,
	.json_schema = string_json_schema,
};

const struct schema_custom conf_json_type = {
	.set = json_set,
	.equal = message_equal,
	.release = message_release,
	.json_schema = any_json_schema,
};

const struct schema_custom conf_binary_type = {
	.set = binary_set,
	.equal = message_equal,
	.release = message_release,
	.json_schema = string_json_schema,
};

static const struct schema_row rows[] = {
	{ .name = "text",
	  .type = OPT_CUSTOM,
	  .custom = &conf_text_type,
	  .help = "Sent as a text message." },
	{ .name = "json",
	  .type = OPT_CUSTOM,
	  .custom = &conf_json_type,
	  .help = "Any value, sent as compact JSON in a text message." },
	{ .name = "binary",
	  .type = OPT_CUSTOM,
	  .custom = &conf_binary_type,
	  .help = "Base64 with padding, sent as a binary message." },
};

static const struct schema message_schema = {
	.what = "message",
	.rows = rows,
	.n_rows = sizeof(rows) / sizeof(*rows),
	.size = sizeof(struct conf_message),
};

static bool message_read(struct conf_message *m, const json_t *v, const char *path,
			 struct schema_report *r)
{
	struct schema_under under;

	schema_under_init(&under, r, path);
	if (!schema_set(&message_schema, m, v, NULL, &under.report))
		return false;
	if (json_object_size(v) == 1)
		return true;
	return schema_error(r, path, "needs exactly one of \"text\", \"json\" and \"binary\"");
}

static bool message_set(const struct schema_row *row, void *store, const json_t *v,
			const char *path, struct schema_report *r)
{
	static const struct schema_row itself = { .offset = 0 };
	struct conf_message m = { 0 };

	if (json_is_string(v))
		return text_set(row, store, v, path, r);
	if (!json_is_object(v))
		return schema_error_type(r, path, EXPECT_MESSAGE, v);
	if (message_read(&m, v, path, r))
		return put(row, store, m);
	message_release(&itself, &m);
	return false;
}

static json_t *message_json_schema(const struct schema_row *row)
{
	json_t *object = schema_json_schema(&message_schema);

	(void)row;
	json_object_set_new(object, "minProperties", json_integer(1));
	json_object_set_new(object, "maxProperties", json_integer(1));
	return json_pack("{s:[{s:s},o]}", "anyOf", "type", "string", object);
}

const struct schema_custom conf_message_type = {
	.set = message_set,
	.equal = message_equal,
	.release = message_release,
	.json_schema = message_json_schema,
	.any_key = true,
};
