/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `wsbridge status`: without a name one call for all, with names one call for
 * each, so that one that does not exist spoils nothing. With --json every
 * answer is one line; for people they make one table.
 */
#include <string.h>

#include "cli/print_status.h"
#include "cli/run.h"
#include "control/names.h"

/* name: NULL = all. New reference. */
static json_t *fetch(const struct cli *cli, struct call *c, const char *name, int *status)
{
	struct call_request r = { .method = METHOD_STATUS, .timeout = CALL_TIMEOUT };
	struct rpc_answer *answer;
	json_t *result;

	r.params = json_object();
	if (name && json_object_set_new(r.params, PARAM_NAME, json_string(name)) != 0) {
		struct error err = ERROR_INIT;

		json_decref(r.params);
		error_set(&err, ERR_INVALID_OPTION, "a NAME is not valid UTF-8");
		*status = run_fail(cli, &err);
		return NULL;
	}
	answer = run_call(cli, c, &r, status);
	result = answer ? json_incref(answer->result) : NULL;
	run_answer_free(answer);
	return result;
}

static void print(struct cli *cli, json_t *results, bool detail)
{
	json_t *all = json_array(), *result;
	size_t i;

	json_array_foreach(results, i, result) {
		if (cli->json)
			run_print_json(cli, result);
		json_array_extend(all, json_object_get(result, FIELD_BRIDGES));
	}
	if (!cli->json && detail)
		print_bridge(&cli->out, json_array_get(all, 0));
	else if (!cli->json)
		print_bridges(&cli->out, all);
	json_decref(all);
}

int run_status(struct cli *cli, const struct args *a)
{
	json_t *results = json_array();
	int status = EXIT_DONE;
	struct call *c = run_connect(cli, &status);

	for (size_t i = 0; c && (i < a->n_words || i == 0); i++) {
		json_t *result = fetch(cli, c, a->n_words ? a->words[i] : NULL, &status);

		if (result)
			json_array_append_new(results, result);
		if (status == EXIT_UNREACHABLE)
			break;
	}
	if (json_array_size(results) > 0)
		print(cli, results, a->n_words == 1);
	json_decref(results);
	call_free(c);
	return status;
}
