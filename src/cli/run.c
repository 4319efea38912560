/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a command to its exit status: connect, call, print, or say why not. It
 * knows no single command. The trap: everything that goes to the terminal and
 * came from elsewhere must be escaped; error sentences are here.
 */
#include "cli/run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/mem.h"
#include "control/names.h"

#define SHOWN 1024

static void complain(const char *what, const char *why)
{
	char shown[SHOWN];

	escape_control(shown, sizeof(shown), span_str(why));
	if (what)
		fprintf(stderr, "wsbridge: %s: %s\n", what, shown);
	else
		fprintf(stderr, "wsbridge: %s\n", shown);
}

int run_fail(const struct cli *cli, const struct error *err)
{
	complain(cli->command->name, err->text);
	return error_exit_status(err->code);
}

int run_fail_usage(const struct cli *cli, const struct error *err)
{
	complain(cli->command->name, err->text);
	fprintf(stderr, "Try `wsbridge %s --help`.\n", cli->command->name);
	return EXIT_USAGE;
}

/* Somebody sits there. */
static bool is_watched(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

static void on_wait(void *arg, int64_t waited)
{
	const struct cli *cli = arg;
	mem_auto_str time = waited < 0 ? NULL : text_duration((double)(waited / 1000000));

	fprintf(stderr, "\r\033[K");
	if (time)
		fprintf(stderr, "%s: waiting, %s", cli->command->name, time);
	fflush(stderr);
}

struct call *run_connect(const struct cli *cli, int *status)
{
	struct error err = ERROR_INIT;
	struct call *c = call_new(cli->socket, RUNSTATEDIR "/wsbridge/control.sock", &err);

	if (c && is_watched())
		call_on_wait(c, on_wait, (void *)(uintptr_t)cli);
	if (c)
		return c;
	complain(NULL, err.text);
	*status = EXIT_UNREACHABLE;
	return NULL;
}

void run_hint(const struct cli *cli, const struct rpc_answer *a)
{
	const struct error *err = &a->err;

	if (!is_watched())
		return;
	if (err->code == ERR_NO_SUCH_BRIDGE)
		fprintf(stderr, "Try `wsbridge status`.\n");
	else if (err->code == ERR_INVALID_OPTION)
		fprintf(stderr, "Try `wsbridge %s --help`.\n", cli->command->name);
	else if (*a->bridge && (err->stage != STAGE_NONE || err->code == ERR_NOT_OPEN))
		fprintf(stderr, "Try `wsbridge explain %s`.\n", a->bridge);
}

void run_hint_probe(const struct error *err)
{
	if (is_watched() && err->stage != STAGE_NONE && err->stage != STAGE_OPEN)
		fprintf(stderr, "Try `wsbridge probe URL`.\n");
}

int run_refused(const struct cli *cli, const struct rpc_answer *a)
{
	int status = run_fail(cli, &a->err);

	run_hint(cli, a);
	return status;
}

/* A configuration that was refused comes with every sentence about it; the message repeats one. */
static void complain_all(const struct cli *cli, const struct rpc_answer *a)
{
	const json_t *data = json_object_get(a->error_object, FIELD_DATA);
	const json_t *errors = json_object_get(data, FIELD_ERRORS);

	if (json_array_size(errors) == 0)
		run_refused(cli, a);
	for (size_t i = 0; i < json_array_size(errors); i++) {
		const char *sentence = json_string_value(json_array_get(errors, i));

		complain(cli->command->name, sentence ? sentence : a->err.text);
	}
}

struct rpc_answer *run_call(const struct cli *cli, struct call *c,
			    const struct call_request *request, int *status)
{
	struct rpc_answer *a = mem_zalloc(sizeof(*a));
	struct error err = ERROR_INIT;

	switch (call_make(c, request, a, &err)) {
	case CALL_OK:
		return a;
	case CALL_REFUSED:
		complain_all(cli, a);
		*status = error_exit_status(a->err.code);
		break;
	case CALL_UNREACHABLE:
		complain(NULL, err.text);
		*status = EXIT_UNREACHABLE;
		break;
	}
	run_answer_free(a);
	return NULL;
}

void run_answer_free(struct rpc_answer *a)
{
	if (!a)
		return;
	rpc_answer_deinit(a);
	free(a);
}

/* The daemon wrote it with the same function, so this is what it wrote. */
void run_print_json(const struct cli *cli, const json_t *value)
{
	size_t n;
	mem_auto_str line = rpc_line(value, &n);

	fwrite(line, 1, n, cli->out.out);
}

int run_request(struct cli *cli, const struct args *a)
{
	const struct command *command = cli->command;
	struct call_request r = { .method = command->method, .timeout = CALL_TIMEOUT };
	struct error err = ERROR_INIT;
	struct rpc_answer *answer;
	struct call *c;
	int status = EXIT_DONE;

	r.params = json_object();
	if (!command->request(a, &r, &err)) {
		json_decref(r.params);
		return run_fail(cli, &err);
	}
	c = run_connect(cli, &status);
	if (!c) {
		json_decref(r.params);
		return status;
	}
	answer = run_call(cli, c, &r, &status);
	if (answer && cli->json)
		run_print_json(cli, answer->result);
	else if (answer)
		command->print(&cli->out, answer->result);
	run_answer_free(answer);
	call_free(c);
	return status;
}
