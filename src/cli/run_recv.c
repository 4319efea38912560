/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `wsbridge recv`: one call; every message that came is printed, also those
 * that came before an error.
 */
#include "cli/print_talk.h"
#include "cli/request_talk.h"
#include "cli/run.h"
#include "control/names.h"

static void print_all(struct cli *cli, const json_t *from)
{
	const json_t *messages = json_object_get(from, FIELD_MESSAGES);

	for (size_t i = 0; i < json_array_size(messages); i++) {
		if (cli->json)
			run_print_json(cli, json_array_get(messages, i));
		else
			print_received(&cli->out, json_array_get(messages, i));
	}
}

static int receive(struct cli *cli, struct call *c, const struct call_request *r)
{
	struct error err = ERROR_INIT;
	struct rpc_answer answer;
	int status = EXIT_DONE;

	switch (call_make(c, r, &answer, &err)) {
	case CALL_UNREACHABLE:
		run_fail(cli, &err);
		return EXIT_UNREACHABLE;
	case CALL_REFUSED:
		print_all(cli, json_object_get(answer.error_object, FIELD_DATA));
		status = run_fail(cli, &answer.err);
		break;
	case CALL_OK:
		print_all(cli, answer.result);
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

	if (!request_recv(a, &r, &err))
		status = run_fail(cli, &err);
	else
		c = run_connect(cli, &status);
	if (!c) {
		json_decref(r.params);
		return status;
	}
	status = receive(cli, c, &r);
	call_free(c);
	return status;
}
