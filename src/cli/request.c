/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests, built from what was typed. It connects to nothing. The params
 * object in the request belongs to the caller, also after a failure.
 */
#include "cli/request.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/escape.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "cli/input.h"
#include "conf/bridge_conf.h"
#include "control/names.h"

#define SHOWN 80

/* jansson refuses strings that are no UTF-8 with a NULL. */
static bool put_string(json_t *params, const char *key, const char *text, struct error *err)
{
	char shown[SHOWN];

	if (json_object_set_new(params, key, json_string(text)) == 0)
		return true;
	return error_set(err, ERR_INVALID_OPTION, "\"%s\" is not valid UTF-8",
			 escape_text(shown, sizeof(shown), span_str(text)));
}

static bool put_name(const struct args *a, json_t *params, struct error *err)
{
	return put_string(params, PARAM_NAME, a->words[0], err);
}

/* --wait and --wait=T; without them nothing. */
static bool put_wait(const struct args *a, struct call_request *r, struct error *err)
{
	const char *limit = args_value(a, "wait");
	int64_t us;

	if (!args_has(a, "wait"))
		return true;
	r->timeout = -1;
	if (!limit)
		return json_object_set_new(r->params, PARAM_WAIT, json_true()) == 0;
	if (!schema_parse_duration(limit, &us, err))
		return error_context(err, "--wait");
	if (us < INT64_MAX - REQUEST_MARGIN)
		r->timeout = us + REQUEST_MARGIN;
	return put_string(r->params, PARAM_WAIT, limit, err);
}

static bool put_option(json_t *params, const char *text, struct error *err)
{
	const char *equals = strchr(text, '=');
	mem_auto_str key = NULL;
	char shown[SHOWN];

	if (!equals || equals == text)
		return error_set(err, ERR_INVALID_OPTION, "-o %s: expected KEY=VALUE",
				 escape_text(shown, sizeof(shown), span_str(text)));
	key = mem_strndup(text, (size_t)(equals - text));
	return schema_put_text(&bridge_schema, params, key, equals + 1, err);
}

/* In the order of the command line, so that what comes later wins. */
static bool put_options(const struct args *a, json_t *params, struct error *err)
{
	for (size_t i = 0; i < a->n_given; i++) {
		if (strcmp(a->given[i].what->name, "option") == 0 &&
		    !put_option(params, a->given[i].value, err))
			return false;
	}
	return true;
}

static bool put_file(const struct args *a, json_t *params, struct error *err)
{
	const char *path = args_value(a, "file");
	json_t *object;

	if (!path)
		return true;
	object = input_json(path, err);
	if (!object)
		return error_context(err, "-f");
	json_object_update(params, object);
	json_decref(object);
	return true;
}

bool request_open(const struct args *a, struct call_request *r, struct error *err)
{
	if (!put_file(a, r->params, err))
		return false;
	if (json_object_get(r->params, PARAM_NAME) || json_object_get(r->params, PARAM_WAIT))
		return error_set(err, ERR_INVALID_OPTION,
				 "-f: \"name\" and \"wait\" belong on the command line");
	if (!put_name(a, r->params, err))
		return false;
	if (a->n_words > 1 && !put_string(r->params, FIELD_URL, a->words[1], err))
		return false;
	return put_options(a, r->params, err) && put_wait(a, r, err);
}

bool request_probe(const struct args *a, json_t *options, struct error *err)
{
	if (!put_options(a, options, err))
		return false;
	if (json_object_get(options, FIELD_URL))
		return error_set_option(err, FIELD_URL,
					"-o url: the URL is on the command line already");
	if (json_object_set_new(options, FIELD_URL, json_string(a->words[0])) == 0)
		return true;
	/* Nothing of it is repeated: it may hold a password. */
	return error_set_option(err, FIELD_URL, "the URL is not valid UTF-8");
}

bool request_close(const struct args *a, struct call_request *r, struct error *err)
{
	const char *code = args_value(a, "code"), *reason = args_value(a, "reason");
	long number;

	if (code && !args_number(code, 0, 65535, &number))
		return error_set(err, ERR_INVALID_OPTION, "--code: expected a number such as 1000");
	if (code)
		json_object_set_new(r->params, PARAM_CODE, json_integer(number));
	if (reason && !put_string(r->params, PARAM_REASON, reason, err))
		return false;
	return put_name(a, r->params, err) && put_wait(a, r, err);
}

bool request_reconnect(const struct args *a, struct call_request *r, struct error *err)
{
	return put_name(a, r->params, err);
}

bool request_explain(const struct args *a, struct call_request *r, struct error *err)
{
	return put_name(a, r->params, err);
}

bool request_reload(const struct args *a, struct call_request *r, struct error *err)
{
	(void)err;
	if (args_has(a, "dry-run"))
		json_object_set_new(r->params, PARAM_DRY_RUN, json_true());
	return true;
}

bool request_shutdown(const struct args *a, struct call_request *r, struct error *err)
{
	const char *limit = args_value(a, "timeout");
	int64_t us;

	r->timeout = -1;
	if (!limit)
		return true;
	if (!schema_parse_duration(limit, &us, err))
		return error_context(err, "--timeout");
	return put_string(r->params, PARAM_TIMEOUT, limit, err);
}

bool request_log(const struct args *a, struct call_request *r, struct error *err)
{
	return a->n_words == 0 || put_string(r->params, PARAM_LEVEL, a->words[0], err);
}

/* The word "off" is no name here; a bridge that is called so is for `rpc`. */
bool request_trace(const struct args *a, struct call_request *r, struct error *err)
{
	const char *name = a->n_words > 0 ? a->words[0] : NULL, *how_long = args_value(a, "for");
	bool off = name && strcmp(name, "off") == 0;
	int64_t us;

	if (how_long && (!name || off))
		return error_set(err, ERR_INVALID_OPTION, "--for: say which bridge");
	if (how_long && !schema_parse_duration(how_long, &us, err))
		return error_context(err, "--for");
	if (off)
		how_long = name;
	if (how_long && !put_string(r->params, PARAM_FOR, how_long, err))
		return false;
	return !name || off || put_string(r->params, PARAM_NAME, name, err);
}

bool request_metrics(const struct args *a, struct call_request *r, struct error *err)
{
	(void)a;
	(void)r;
	(void)err;
	return true;
}

bool request_version(const struct args *a, struct call_request *r, struct error *err)
{
	(void)a;
	(void)r;
	(void)err;
	return true;
}

bool request_rpc(const struct args *a, struct call_request *r, struct error *err)
{
	json_error_t why;
	json_t *params;

	r->method = a->words[0];
	r->timeout = -1; /* nobody knows here which methods wait */
	if (!utf8_valid(span_str(r->method)))
		return error_set(err, ERR_INVALID_OPTION, "METHOD is not valid UTF-8");
	if (a->n_words < 2)
		return true;
	params = json_loads(a->words[1], JSON_REJECT_DUPLICATES, &why);
	if (!params)
		return error_set(err, ERR_INVALID_OPTION, "PARAMS is not a JSON text: character %d",
				 why.position);
	if (!json_is_object(params)) {
		json_decref(params);
		return error_set(err, ERR_INVALID_OPTION, "PARAMS must be an object");
	}
	json_decref(r->params);
	r->params = params;
	return true;
}

static json_t *base64_of(struct span message)
{
	size_t n = BASE64_ENCODED_SIZE(message.n);
	mem_auto_str text = mem_alloc(n + 1);

	base64_encode(text, message);
	return json_stringn(text, n);
}

bool request_send(const char *name, struct span message, const struct args *a,
		  struct call_request *r, struct error *err)
{
	bool binary = args_has(a, "binary");

	if (!put_string(r->params, PARAM_NAME, name, err))
		return false;
	if (!binary && !utf8_valid(message))
		return error_set(err, ERR_PAYLOAD,
				 "the text is not valid UTF-8 (--binary sends bytes as they are)");
	if (!binary && message.n > 0 && memchr(message.p, '\0', message.n))
		return error_set(err, ERR_PAYLOAD,
				 "the text has a NUL character, which the daemon does not take "
				 "(--binary sends bytes as they are)");
	json_object_set_new(r->params, binary ? PARAM_BINARY : PARAM_TEXT,
			    binary ? base64_of(message) :
				     json_stringn((const char *)message.p, message.n));
	if (args_has(a, "queue"))
		json_object_set_new(r->params, PARAM_QUEUE, json_true());
	return true;
}
