/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers and error objects, made by the daemon and taken apart by the command
 * line. Nothing else makes or reads an error object. Values belong to the
 * caller. The trap: the library refuses strings that are no UTF-8 without a
 * word; what goes in here must be checked or escaped before.
 */
#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "control/names.h"
#include "control/rpc.h"

/* Digits of a real number: one more, and 0.1 comes out as 0.10000000000000001. */
#define REAL_DIGITS 15

bool rpc_error_retryable(const struct error *err)
{
	return error_is_retryable(err);
}

static json_t *error_data(const struct error *err, const char *bridge)
{
	json_t *data = json_pack("{s:s}", FIELD_KIND, error_kind(err->code));

	if (bridge)
		json_object_set_new(data, FIELD_BRIDGE, json_string(bridge));
	if (err->stage != STAGE_NONE)
		json_object_set_new(data, FIELD_STAGE, json_string(stage_name(err->stage)));
	if (err->status)
		json_object_set_new(data, FIELD_STATUS, json_integer(err->status));
	if (err->close_code)
		json_object_set_new(data, FIELD_CLOSE_CODE, json_integer(err->close_code));
	if (*err->option)
		json_object_set_new(data, FIELD_OPTION, json_string(err->option));
	if (error_is_about_upstream(err))
		json_object_set_new(data, FIELD_RETRYABLE, json_boolean(error_is_retryable(err)));
	return data;
}

static json_t *code_and_message(const struct error *err)
{
	return json_pack("{s:i,s:s}", FIELD_CODE, error_rpc_code(err->code), FIELD_MESSAGE,
			 *err->text ? err->text : error_sentence(err->code));
}

json_t *rpc_error_object(const struct error *err, const char *bridge, json_t *more)
{
	json_t *object = code_and_message(err), *data = error_data(err, bridge);

	if (more)
		json_object_update_new(data, more);
	json_object_set_new(object, FIELD_DATA, data);
	return object;
}

json_t *rpc_error_flat(const struct error *err)
{
	json_t *object = code_and_message(err);

	json_object_update_new(object, error_data(err, NULL));
	return object;
}

static json_t *answer(json_t *id, const char *what, json_t *value)
{
	json_t *object = json_pack("{s:s,s:O}", "jsonrpc", "2.0", "id", id);

	assert(object && value);
	json_object_set_new(object, what, value);
	return object;
}

json_t *rpc_answer_ok(json_t *id, json_t *result)
{
	assert(json_is_object(result));
	return answer(id, "result", result);
}

json_t *rpc_answer_error(json_t *id, json_t *error_object)
{
	return answer(id, "error", error_object);
}

char *rpc_line(const json_t *value, size_t *n)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(REAL_DIGITS));

	assert(text);
	*n = strlen(text);
	text = mem_grow(text, *n + 2, 1);
	memcpy(text + *n, "\n", 2);
	*n += 1;
	return text;
}

char *rpc_request_line(const char *method, json_t *params, json_int_t id, size_t *n)
{
	json_t *request = json_pack("{s:s}", "jsonrpc", "2.0");
	char *text;

	if (id >= 0)
		json_object_set_new(request, "id", json_integer(id));
	json_object_set_new(request, "method", json_string(method));
	if (params)
		json_object_set_new(request, "params", params);
	text = rpc_line(request, n);
	json_decref(request);
	return text;
}

static int small_int(const json_t *object, const char *key)
{
	json_int_t v = json_integer_value(json_object_get(object, key));

	return v >= INT_MIN && v <= INT_MAX ? (int)v : 0;
}

static const char *string_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

static enum stage stage_of(const char *name)
{
	for (enum stage s = STAGE_RESOLVE; s <= STAGE_OPEN; s++)
		if (strcmp(name, stage_name(s)) == 0)
			return s;
	return STAGE_NONE;
}

static void read_error(struct rpc_answer *a)
{
	const json_t *object = a->error_object, *data = json_object_get(object, FIELD_DATA);
	const char *kind = string_of(data, FIELD_KIND), *bridge = string_of(data, FIELD_BRIDGE);
	enum err code = *kind ? error_from_kind(kind) :
				error_from_rpc_code(small_int(object, FIELD_CODE));

	error_set_option(&a->err, string_of(data, FIELD_OPTION), "%s",
			 string_of(object, FIELD_MESSAGE));
	a->err.code = code;
	a->err.stage = stage_of(string_of(data, FIELD_STAGE));
	a->err.status = small_int(data, FIELD_STATUS);
	a->err.close_code = small_int(data, FIELD_CLOSE_CODE);
	if (strlen(bridge) < sizeof(a->bridge))
		memcpy(a->bridge, bridge, strlen(bridge) + 1);
}

bool rpc_answer_init(struct rpc_answer *a, struct span line, struct error *err)
{
	size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL;
	json_t *root = json_loadb((const char *)line.p, line.n, flags, NULL);
	json_t *result = json_object_get(root, "result");
	json_t *error_object = json_object_get(root, "error");

	if (!json_is_object(result) == !json_is_object(error_object)) {
		json_decref(root);
		return error_set(err, ERR_PROTOCOL, "the daemon's answer is no JSON-RPC answer");
	}
	*a = (struct rpc_answer){ .root = root };
	a->id = json_object_get(root, "id");
	a->result = json_is_object(result) ? result : NULL;
	a->error_object = json_is_object(error_object) ? error_object : NULL;
	if (a->error_object)
		read_error(a);
	return true;
}

void rpc_answer_deinit(struct rpc_answer *a)
{
	json_decref(a->root);
	*a = (struct rpc_answer){ 0 };
}
