/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line → requests: JSON-RPC 2.0, batches, and the shorthand. It knows no
 * method and judges no parameter. Requests belong to their rpc_input. The trap:
 * a request that is wrong is answered although it has no id, because nobody
 * can tell that it was meant as a notification.
 */
#include "control/rpc.h"

#include <stdlib.h>

#include "base/escape.h"
#include "base/json_cut.h"
#include "base/mem.h"
#include "control/rpc_int.h"

#define NAME_SHOWN 80

/* What was wrong, without the excerpt that the library offers: it may hold a secret. */
static const char *syntax_sentence(const json_error_t *why)
{
	switch (json_error_code(why)) {
	case json_error_invalid_utf8:
		return "not valid UTF-8";
	case json_error_premature_end_of_input:
		return "it ends too early";
	case json_error_end_of_input_expected:
		return "there is something behind its end";
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return "a NUL character in a string";
	case json_error_duplicate_key:
		return "a key comes twice";
	case json_error_numeric_overflow:
		return "a number is too large";
	case json_error_unknown:
	case json_error_out_of_memory:
	case json_error_stack_overflow:
	case json_error_cannot_open_file:
	case json_error_invalid_argument:
	case json_error_invalid_syntax:
	case json_error_invalid_format:
	case json_error_wrong_type:
	case json_error_null_value:
	case json_error_item_not_found:
	case json_error_index_out_of_range:
		break;
	}
	return "a syntax error";
}

void rpc_error_too_long(struct error *err, size_t max)
{
	error_set(err, ERR_OVERFLOW,
		  "the request is longer than %zu bytes (limits.control_request)", max);
}

static bool id_is_valid(const json_t *id)
{
	if (json_is_string(id))
		return json_string_length(id) <= RPC_ID_MAX;
	return json_is_integer(id) || json_is_null(id);
}

static bool take_id(struct rpc_request *rq, json_t *object)
{
	json_t *id = json_object_get(object, "id");

	if (id && !id_is_valid(id))
		return error_set(&rq->err, ERR_INVALID_REQUEST,
				 "\"id\" must be a string of at most %d bytes, an integer or null",
				 RPC_ID_MAX);
	rq->id = json_incref(id);
	return true;
}

static bool take_version(struct rpc_request *rq, json_t *object)
{
	const json_t *version = json_object_get(object, "jsonrpc");

	if (!version || (json_is_string(version) && strcmp(json_string_value(version), "2.0") == 0))
		return true;
	return error_set(&rq->err, ERR_INVALID_REQUEST,
			 "\"jsonrpc\" must be \"2.0\" where it is given");
}

static bool take_method(struct rpc_request *rq, json_t *object)
{
	const json_t *method = json_object_get(object, "method");
	size_t n = json_string_length(method);

	if (!method)
		return error_set(&rq->err, ERR_INVALID_REQUEST, "\"method\" is missing");
	if (!json_is_string(method))
		return error_set(&rq->err, ERR_INVALID_REQUEST, "\"method\" must be a string");
	if (n > RPC_METHOD_MAX)
		return error_set(&rq->err, ERR_NO_SUCH_METHOD, "no method has such a long name");
	memcpy(rq->method, json_string_value(method), n + 1);
	return true;
}

static bool take_params(struct rpc_request *rq, json_t *object)
{
	json_t *params = json_object_get(object, "params");

	if (json_is_array(params) && json_array_size(params) > 0)
		return error_set(&rq->err, ERR_INVALID_REQUEST,
				 "\"params\" must be an object: parameters go by name");
	if (params && !json_is_object(params) && !json_is_array(params))
		return error_set(&rq->err, ERR_INVALID_REQUEST, "\"params\" must be an object");
	rq->params = json_is_object(params) ? params : NULL;
	return true;
}

static bool check_members(struct rpc_request *rq, json_t *object)
{
	char shown[NAME_SHOWN];
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) {
		if (strcmp(key, "jsonrpc") == 0 || strcmp(key, "id") == 0 ||
		    strcmp(key, "method") == 0 || strcmp(key, "params") == 0)
			continue;
		return error_set(&rq->err, ERR_INVALID_REQUEST,
				 "unknown member \"%s\": parameters go into \"params\"",
				 escape_text(shown, sizeof(shown), span_str(key)));
	}
	return true;
}

static void parse_request(struct rpc_request *rq, json_t *value)
{
	if (!json_is_object(value))
		error_set(&rq->err, ERR_INVALID_REQUEST, "a request must be an object");
	else if (take_id(rq, value) && take_version(rq, value) && take_method(rq, value) &&
		 check_members(rq, value))
		take_params(rq, value);
	if (rq->err.code != ERR_NONE && !rq->id)
		rq->id = json_null();
}

static struct rpc_request *one_request(struct rpc_input *in)
{
	in->requests = mem_zalloc(sizeof(*in->requests));
	in->n = 1;
	return in->requests;
}

/* The line as a whole is wrong: one answer, with an id of null. */
static struct error *refuse(struct rpc_input *in)
{
	struct rpc_request *rq = one_request(in);

	rq->id = json_null();
	return &rq->err;
}

static void parse_batch(struct rpc_input *in, struct span line)
{
	size_t n = json_array_size(in->root);
	struct span rest = json_cut_inside(line);

	if (n == 0) {
		error_set(refuse(in), ERR_INVALID_REQUEST, "the batch is empty");
		return;
	}
	if (n > RPC_BATCH_MAX) {
		error_set(refuse(in), ERR_INVALID_REQUEST,
			  "a batch of %zu requests; at most %d are taken", n, RPC_BATCH_MAX);
		return;
	}
	in->batch = true;
	in->requests = mem_array(n, sizeof(*in->requests));
	in->n = n;
	for (size_t i = 0; i < n; i++) {
		json_cut_next(&rest, &in->requests[i].text);
		parse_request(&in->requests[i], json_array_get(in->root, i));
	}
}

static void parse_json(struct rpc_input *in, struct span line)
{
	json_error_t why;

	if (json_cut_too_deep(line, RPC_DEPTH_MAX)) {
		error_set(refuse(in), ERR_PARSE, "nested deeper than %d levels", RPC_DEPTH_MAX);
		return;
	}
	in->root = json_loadb((const char *)line.p, line.n, JSON_REJECT_DUPLICATES, &why);
	if (!in->root) {
		error_set(refuse(in), ERR_PARSE, "not a JSON text: %s (character %d)",
			  syntax_sentence(&why), why.position);
		return;
	}
	if (json_is_array(in->root)) {
		parse_batch(in, line);
		return;
	}
	one_request(in)->text = line;
	parse_request(in->requests, in->root);
}

static void parse_shorthand(struct rpc_input *in, struct span line)
{
	struct rpc_request *rq = one_request(in);

	rq->id = json_null();
	rq->shorthand = true;
	rpc_shorthand(rq, line);
}

void rpc_input_init(struct rpc_input *in, struct span line, size_t max)
{
	*in = (struct rpc_input){ 0 };
	if (line.n > max) {
		rpc_error_too_long(refuse(in), max);
		return;
	}
	line = json_cut_trim(line);
	if (line.n == 0)
		return;
	if (line.p[0] == '{' || line.p[0] == '[')
		parse_json(in, line);
	else
		parse_shorthand(in, line);
}

void rpc_input_deinit(struct rpc_input *in)
{
	for (size_t i = 0; i < in->n; i++) {
		json_decref(in->requests[i].id);
		free(in->requests[i].words);
	}
	free(in->requests);
	json_decref(in->root);
	*in = (struct rpc_input){ 0 };
}

bool rpc_param_text(const struct rpc_request *rq, const char *name, struct span *out)
{
	struct span params;

	for (size_t i = 0; i < rq->n_words; i++) {
		if (!span_equal(rq->words[i].key, span_str(name)))
			continue;
		*out = rq->words[i].value;
		return true;
	}
	return json_cut_member(rq->text, "params", &params) && json_cut_member(params, name, out);
}
