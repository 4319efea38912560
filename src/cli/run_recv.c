/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `wsbridge recv`: one call; every message that came is printed, also those
 * that came before an error.
 */
#include "cli/print_talk.h"
#include "cli/request_talk.h"
#include "cli/run.h"
#include "control/names.h"

/* How many there were. */
static size_t print_all(struct cli *cli, const json_t *from)
{
	const json_t *messages = json_object_get(from, FIELD_MESSAGES);

	for (size_t i = 0; i < json_array_size(messages); i++) {
		if (cli->json)
			run_print_json(cli, json_array_get(messages, i));
		else
			print_received(&cli->out, json_array_get(messages, i));
	}
	return json_array_size(messages);
}

/* The daemon keeps only so much for one answer; a second call would miss what came between. */
static int fail_short(const struct cli *cli, size_t n, size_t count)
{
	struct error err;

	error_set(
		&err, ERR_OVERFLOW,
		"%zu of %zu messages: more have no room in one answer (`monitor --events message` "
		"has no such limit)",
		n, count);
	return run_fail(cli, &err);
}

static int receive(struct cli *cli, struct call *c, const struct call_request *r, size_t count)
{
	struct error err = ERROR_INIT;
	struct rpc_answer answer;
	int status = EXIT_DONE;
	size_t n;

	switch (call_make(c, r, &answer, &err)) {
	case CALL_UNREACHABLE:
		run_fail(cli, &err);
		return EXIT_UNREACHABLE;
	case CALL_REFUSED:
		print_all(cli, json_object_get(answer.error_object, FIELD_DATA));
		status = run_refused(cli, &answer);
		break;
	case CALL_OK:
		n = print_all(cli, answer.result);
		if (n < count)
			status = fail_short(cli, n, count);
		break;
	}
	rpc_answer_deinit(&answer);
	return status;
}

int run_recv(struct cli *cli, const struct args *a)
{
	struct call_request r = { .method = METHOD_RECV, .params = json_object() };
	struct error err = ERROR_INIT;
	struct call *c = NULL;
	int status = EXIT_DONE;
	size_t count;

	if (!request_recv(a, &r, &err))
		status = run_fail(cli, &err);
	else
		c = run_connect(cli, &status);
	if (!c) {
		json_decref(r.params);
		return status;
	}
	count = args_has(a, "number") ?
			(size_t)json_integer_value(json_object_get(r.params, PARAM_COUNT)) :
			1;
	status = receive(cli, c, &r, count);
	call_free(c);
	return status;
}
