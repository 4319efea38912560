/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `wsbridge monitor`: subscriptions, and a line for each event until it is
 * interrupted or the daemon ends. Each line is written at once, for a pipe may
 * wait for it.
 */
#include "cli/print_talk.h"
#include "cli/request_talk.h"
#include "cli/run.h"
#include "control/names.h"

/* name: NULL = all. False: reported, *status is set. */
static bool subscribe(struct cli *cli, struct call *c, const char *name, const struct args *a,
		      int *status)
{
	struct call_request r = { .method = METHOD_SUBSCRIBE, .timeout = CALL_TIMEOUT };
	struct error err = ERROR_INIT;
	struct rpc_answer *answer;

	r.params = json_object();
	if (!request_subscribe(name, a, &r, &err)) {
		json_decref(r.params);
		*status = run_fail(cli, &err);
		return false;
	}
	answer = run_call(cli, c, &r, status);
	run_answer_free(answer);
	return answer != NULL;
}

static bool subscribe_all(struct cli *cli, struct call *c, const struct args *a, int *status)
{
	if (a->n_words == 0)
		return subscribe(cli, c, NULL, a, status);
	for (size_t i = 0; i < a->n_words; i++)
		if (!subscribe(cli, c, a->words[i], a, status))
			return false;
	return true;
}

/* Until there are no more, or nobody to print them for. */
static int follow(struct cli *cli, struct call *c)
{
	struct error err = ERROR_INIT;
	json_t *event;

	while ((event = call_next_event(c, &err))) {
		if (cli->json)
			run_print_json(cli, event);
		else
			print_event(&cli->out, event);
		json_decref(event);
		if (fflush(cli->out.out) != 0)
			return EXIT_ERROR;
	}
	run_fail(cli, &err);
	return EXIT_UNREACHABLE;
}

int run_monitor(struct cli *cli, const struct args *a)
{
	int status = EXIT_DONE;
	struct call *c = run_connect(cli, &status);

	if (c && subscribe_all(cli, c, a, &status))
		status = follow(cli, c);
	call_free(c);
	return status;
}
