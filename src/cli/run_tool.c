/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that need no daemon: arguments in, the work is done in tool/. */
#include <stdlib.h>

#include "base/escape.h"
#include "base/mem.h"
#include "cli/run.h"
#include "conf/conf_file.h"
#include "tool/check.h"
#include "tool/echo.h"

#define SHOWN 1024

int run_echo(struct cli *cli, const struct args *a)
{
	const char *address = args_value(a, "listen");
	struct error err = ERROR_INIT;

	if (echo_run(address ? address : ECHO_LISTEN, cli->out.out, &err))
		return EXIT_DONE;
	return err.code == ERR_INVALID_OPTION ? run_fail_usage(cli, &err) : run_fail(cli, &err);
}

struct checking {
	const struct cli *cli;
	json_t *errors;
};

static void on_error(void *arg, const char *sentence)
{
	struct checking *k = arg;
	char shown[SHOWN];

	if (k->cli->json)
		json_array_append_new(k->errors, json_string(sentence));
	else
		fprintf(stderr, "wsbridge: %s\n",
			escape_control(shown, sizeof(shown), span_str(sentence)));
}

static void print_checked(const struct checking *k, const char *path, bool good, size_t n)
{
	char shown[SHOWN];
	json_t *result;

	escape_control(shown, sizeof(shown), span_str(path));
	if (!k->cli->json && good)
		fprintf(k->cli->out.out, "%s: ok, %zu bridge%s\n", shown, n, n == 1 ? "" : "s");
	if (!k->cli->json)
		return;
	result = json_pack("{s:s,s:b,s:O}", "file", shown, "ok", good, "errors", k->errors);
	if (good)
		json_object_set_new(result, "bridges", json_integer((json_int_t)n));
	run_print_json(k->cli, result);
	json_decref(result);
}

int run_check(struct cli *cli, const struct args *a)
{
	struct checking k = { .cli = cli, .errors = json_array() };
	mem_auto_str path = a->n_words ? mem_strdup(a->words[0]) : conf_file_default(SYSCONFDIR);
	size_t n = 0;
	bool good = check_run(path, on_error, &k, &n);

	print_checked(&k, path, good, n);
	json_decref(k.errors);
	return good ? EXIT_DONE : EXIT_ERROR;
}
