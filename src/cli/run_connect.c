/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `wsbridge connect`: switches in, the work is done in tool/. What -p, -n, -s,
 * -H and --origin mean are options of a bridge, laid over those of -o.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/http_head.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "cli/request.h"
#include "cli/run.h"
#include "conf/bridge_conf.h"
#include "control/names.h"
#include "control/rpc.h"
#include "tool/connect.h"

#define MESSAGES_MAX 1000000000000000L

static bool is(const struct given_switch *g, const char *name)
{
	return strcmp(g->what->name, name) == 0;
}

/* A name that comes twice is a header that is sent twice. */
static void add_header(json_t *headers, const char *name, json_t *value)
{
	json_t *old = json_object_get(headers, name);

	if (!old)
		json_object_set_new(headers, name, value);
	else if (json_is_array(old))
		json_array_append_new(old, value);
	else
		json_object_set_new(headers, name, json_pack("[O,o]", old, value));
}

/* Its text is not repeated: it may hold a token. */
static bool put_header(json_t *options, const char *text, struct error *err)
{
	size_t n = strcspn(text, ":");
	mem_auto_str name = mem_strndup(text, n);
	json_t *headers = json_object_get(options, "headers"), *value;

	if (text[n] != ':' || !http_is_token(span_str(name)))
		return error_set(err, ERR_INVALID_OPTION, "-H: expected NAME:VALUE");
	text += n + 1;
	text += strspn(text, " \t");
	value = json_string(text);
	if (!value)
		return error_set(err, ERR_INVALID_OPTION, "-H: the value is not valid UTF-8");
	if (!headers) {
		headers = json_object();
		json_object_set_new(options, "headers", headers);
	}
	add_header(headers, name, value);
	return true;
}

/* Behind those that are there; at commas a list. */
static bool put_subprotocols(json_t *options, const char *text, struct error *err)
{
	json_t *old = json_object_get(options, "subprotocols"), *more = json_object();
	bool good = schema_put_text(&bridge_schema, more, "subprotocols", text, err);

	if (good && !old)
		json_object_update(options, more);
	else if (good && json_array_extend(old, json_object_get(more, "subprotocols")) != 0)
		good = error_set(err, ERR_INVALID_OPTION, "-s: the subprotocols of -o are no list");
	json_decref(more);
	return good;
}

static bool put_switch(json_t *options, const struct given_switch *g, struct error *err)
{
	if (is(g, "proxy") || is(g, "origin"))
		return schema_put_text(&bridge_schema, options, g->what->name, g->value, err);
	if (is(g, "nocert"))
		return schema_put_text(&bridge_schema, options, "tls.verify", "false", err);
	if (is(g, "header"))
		return put_header(options, g->value, err);
	if (is(g, "subprotocol"))
		return put_subprotocols(options, g->value, err);
	return true;
}

static struct bridge_conf *read_conf(const struct args *a, struct error *err)
{
	json_t *options = json_object();
	struct bridge_conf *conf = NULL;
	struct schema_first first;
	bool good = request_probe(a, options, err);

	for (size_t i = 0; good && i < a->n_given; i++)
		good = put_switch(options, &a->given[i], err);
	schema_first_init(&first);
	if (good) {
		conf = bridge_conf_new("connect", NULL, options, &first.report);
		*err = first.err;
	}
	json_decref(options);
	return conf;
}

static bool read_eof_wait(const struct args *a, struct connect_params *p, struct error *err)
{
	const char *wait = args_value(a, "eof-wait");

	if (!wait)
		return true;
	p->has_eof_wait = true;
	if (strcmp(wait, "forever") == 0)
		p->eof_wait = CONNECT_FOREVER;
	else if (!schema_parse_duration(wait, &p->eof_wait, err))
		return error_context(err, "--eof-wait");
	return true;
}

static bool read_messages(const struct args *a, struct connect_params *p, struct error *err)
{
	const char *text = args_value(a, "messages");
	long n = 0;

	if (text && !args_number(text, 1, MESSAGES_MAX, &n))
		return error_set(err, ERR_INVALID_OPTION,
				 "--messages: expected a number such as 1");
	p->messages = (uint64_t)n;
	return true;
}

/* texts has room for all that was given. */
static bool read_texts(const struct args *a, struct connect_params *p, const char **texts,
		       struct error *err)
{
	p->texts = texts;
	for (size_t i = 0; i < a->n_given; i++) {
		const struct given_switch *g = &a->given[i];

		p->verbose += is(g, "verbose");
		if (!is(g, "text"))
			continue;
		if (!utf8_valid(span_str(g->value)))
			return error_set(err, ERR_INVALID_OPTION, "--text: not valid UTF-8");
		texts[p->n_texts++] = g->value;
	}
	return true;
}

/* What is said in vain is an error. */
static bool check_params(const struct connect_params *p, struct error *err)
{
	if (p->json && (p->stream || p->raw || p->timings || p->verbose == 1))
		return error_set(err, ERR_INVALID_OPTION,
				 "--json tells all: -r, -v, --stream and --timings mean nothing "
				 "here");
	if (p->stream && (p->timings || p->verbose == 1))
		return error_set(err, ERR_INVALID_OPTION,
				 "--stream adds nothing: -v and --timings mean nothing here");
	return true;
}

static bool read_params(const struct args *a, struct connect_params *p, const char **texts,
			struct error *err)
{
	p->binary = args_has(a, "binary");
	p->raw = args_has(a, "raw");
	p->stream = args_has(a, "stream");
	p->timings = args_has(a, "timings");
	return read_texts(a, p, texts, err) && read_messages(a, p, err) &&
	       read_eof_wait(a, p, err) && check_params(p, err);
}

/* As an event: the last line. */
static int fail_in_json(struct cli *cli, const struct error *err)
{
	struct timespec now;
	json_t *v;

	clock_gettime(CLOCK_REALTIME, &now);
	v = json_pack("{s:s,s:o,s:f}", FIELD_EVENT, EVENT_ERROR, FIELD_ERROR, rpc_error_flat(err),
		      FIELD_TIME, (double)now.tv_sec + (double)now.tv_nsec / 1e9);
	run_print_json(cli, v);
	json_decref(v);
	return error_exit_status(err->code);
}

static int fail(struct cli *cli, const struct error *err)
{
	int status;

	if (cli->json)
		return fail_in_json(cli, err);
	status = run_fail(cli, err);
	run_hint_probe(err);
	return status;
}

int run_connect_url(struct cli *cli, const struct args *a)
{
	const char **texts = mem_array(a->n_given + 1, sizeof(*texts));
	struct connect_params params = { .json = cli->json };
	struct error err = ERROR_INIT;
	int status = EXIT_DONE;

	if (!read_params(a, &params, texts, &err)) {
		status = run_fail_usage(cli, &err);
	} else {
		params.conf = read_conf(a, &err);
		if (!params.conf || !connect_run(&params, &err))
			status = fail(cli, &err);
		bridge_conf_unref(params.conf);
	}
	free(texts);
	return status;
}
