/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option type of `on_open`: a list of messages, made ready to be sent.
 * Steps that wait for something are for a later version. The trap: a
 * {"json": V} was read as numbers, so it is written with the fewest digits
 * that read back as the same value: 0.10 goes out as 0.1, 1e2 as 100.0.
 */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "conf/bridge_int.h"

#define STEPS_MAX 256

#define EXPECT_STEP "a string or one of {\"text\": ...}, {\"json\": ...}, {\"binary\": ...}"

static const char *const kinds[] = { "text", "json", "binary", NULL };
static const char *const later[] = { "expect", "wait", "timeout", "capture", "deliver", NULL };

static void message_free(struct conf_message *m)
{
	if (m->n)
		explicit_bzero(m->data, m->n);
	free(m->data);
	*m = (struct conf_message){ 0 };
}

static bool message_bytes(struct conf_message *m, enum msg_type type, const void *p, size_t n)
{
	m->type = type;
	m->data = mem_alloc(n);
	m->n = n;
	memcpy(m->data, p, n);
	return true;
}

static bool message_text(struct conf_message *m, const json_t *v, const char *path,
			 struct schema_report *r)
{
	if (!json_is_string(v))
		return schema_error_type(r, path, "a string", v);
	return message_bytes(m, MSG_TEXT, json_string_value(v), json_string_length(v));
}

static bool reads_back(const char *text, const json_t *v)
{
	json_t *again = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	bool same = again && json_equal(again, v);

	json_decref(again);
	return same;
}

static bool message_json(struct conf_message *m, const json_t *v)
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
	message_bytes(m, MSG_TEXT, text, strlen(text));
	free(text);
	return true;
}

static bool message_binary(struct conf_message *m, const json_t *v, const char *path,
			   struct schema_report *r)
{
	const char *text = schema_string(v, "a string in Base64", path, r);
	uint8_t *bytes;
	size_t n;

	if (!text)
		return false;
	bytes = mem_alloc(BASE64_DECODED_MAX(strlen(text)));
	if (!base64_decode(bytes, &n, span_str(text))) {
		free(bytes);
		return schema_error(r, path, "is not Base64 with padding");
	}
	*m = (struct conf_message){ .type = MSG_BINARY, .data = bytes, .n = n };
	return true;
}

static bool key_error(const char *key, const char *path, struct schema_report *r)
{
	const char *near = schema_nearest(key, kinds);

	if (schema_has_name(later, key))
		return schema_error_key(r, path, "not supported by this version");
	if (near)
		return schema_error_key(r, path, "unknown key; did you mean \"%s\"?", near);
	return schema_error_key(r, path, "unknown key");
}

static bool keys_ok(const json_t *step, const char *path, struct schema_report *r)
{
	size_t before = r->n;
	const char *key;
	json_t *value;

	json_object_foreach(schema_walkable(step), key, value) {
		mem_auto_str at = schema_path_key(path, key);

		if (!schema_has_name(kinds, key))
			key_error(key, at, r);
	}
	if (r->n != before)
		return false;
	if (json_object_size(step) != 1)
		return schema_error(r, path,
				    "needs exactly one of \"text\", \"json\" and \"binary\"");
	return true;
}

static bool message_set(struct conf_message *m, const json_t *step, const char *path,
			struct schema_report *r)
{
	mem_auto_str at = NULL;
	const json_t *v;
	const char *key;

	if (json_is_string(step))
		return message_text(m, step, path, r);
	if (!json_is_object(step))
		return schema_error_type(r, path, EXPECT_STEP, step);
	if (!keys_ok(step, path, r))
		return false;
	key = json_object_iter_key(json_object_iter(schema_walkable(step)));
	v = json_object_get(step, key);
	at = schema_path_key(path, key);
	if (strcmp(key, "text") == 0)
		return message_text(m, v, at, r);
	if (strcmp(key, "binary") == 0)
		return message_binary(m, v, at, r);
	return message_json(m, v);
}

static void messages_free(struct conf_message *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		message_free(&list[i]);
	free(list);
}

static void messages_release(const struct schema_row *row, void *store)
{
	struct conf_message **list = schema_slot(store, row->offset);
	size_t *n = schema_slot(store, row->count_offset);

	messages_free(*list, *n);
	*list = NULL;
	*n = 0;
}

static bool messages_set(const struct schema_row *row, void *store, const json_t *v,
			 const char *path, struct schema_report *r)
{
	size_t n = json_array_size(v), before = r->n;
	struct conf_message *list;

	if (!json_is_array(v))
		return schema_error_type(r, path, "a list of messages", v);
	if (n > STEPS_MAX)
		return schema_error(r, path, "has %zu steps, more than %d", n, STEPS_MAX);
	list = mem_array(n, sizeof(*list));
	for (size_t i = 0; i < n; i++) {
		mem_auto_str at = schema_path_index(path, i);

		message_set(&list[i], json_array_get(v, i), at, r);
	}
	if (r->n != before) {
		messages_free(list, n);
		return false;
	}
	messages_release(row, store);
	*(struct conf_message **)schema_slot(store, row->offset) = list;
	*(size_t *)schema_slot(store, row->count_offset) = n;
	return true;
}

static bool messages_equal(const struct schema_row *row, const void *a, const void *b)
{
	struct conf_message *const *x = schema_slot_const(a, row->offset);
	struct conf_message *const *y = schema_slot_const(b, row->offset);
	const size_t *n = schema_slot_const(a, row->count_offset);
	const size_t *m = schema_slot_const(b, row->count_offset);

	if (*n != *m)
		return false;
	for (size_t i = 0; i < *n; i++) {
		struct span p = span_of((*x)[i].data, (*x)[i].n);

		if ((*x)[i].type != (*y)[i].type ||
		    !span_equal(p, span_of((*y)[i].data, (*y)[i].n)))
			return false;
	}
	return true;
}

static json_t *messages_json_schema(const struct schema_row *row)
{
	(void)row;
	return json_pack("{s:s,s:i,s:{s:[{s:s},{s:s,s:{s:{s:s},s:{},s:{s:s}},s:b,s:i,s:i}]}}",
			 "type", "array", "maxItems", STEPS_MAX, "items", "anyOf", "type", "string",
			 "type", "object", "properties", "text", "type", "string", "json", "binary",
			 "type", "string", "additionalProperties", 0, "minProperties", 1,
			 "maxProperties", 1);
}

const struct schema_custom conf_messages_type = {
	.set = messages_set,
	.equal = messages_equal,
	.release = messages_release,
	.json_schema = messages_json_schema,
};
