/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `wsbridge send`: the message comes from the arguments, from a file, or line
 * by line from standard input, over one connection. It ends at the first
 * message that is refused. Owned by nobody; its state lives on the stack.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/input.h"
#include "cli/request.h"
#include "cli/run.h"
#include "control/names.h"

struct sending {
	struct cli *cli;
	const struct args *args;
	struct call *call;
	bool from_lines; /* errors tell the line */
	uint64_t n, queued;
	json_int_t bytes;
	int status;
};

static bool fail(struct sending *s, const struct error *err)
{
	struct error told = *err;

	if (s->from_lines)
		error_context(&told, "line %" PRIu64, s->n + 1);
	s->status = run_fail(s->cli, &told);
	return false;
}

static bool on_message(void *arg, struct span message)
{
	struct sending *s = arg;
	/* No limit: a server that does not read is the keepalive's affair, which ends the wait. */
	struct call_request r = { .method = METHOD_SEND, .timeout = -1 };
	struct error err = ERROR_INIT;
	struct rpc_answer answer;

	r.params = json_object();
	if (!request_send(s->args->words[0], message, s->args, &r, &err)) {
		json_decref(r.params);
		return fail(s, &err);
	}
	switch (call_make(s->call, &r, &answer, &err)) {
	case CALL_UNREACHABLE:
		fail(s, &err);
		s->status = EXIT_UNREACHABLE;
		return false;
	case CALL_REFUSED:
		fail(s, &answer.err);
		run_hint(s->cli, &answer);
		rpc_answer_deinit(&answer);
		return false;
	case CALL_OK:
		break;
	}
	s->n++;
	s->queued += json_is_true(json_object_get(answer.result, FIELD_QUEUED));
	s->bytes += json_integer_value(json_object_get(answer.result, FIELD_BYTES));
	if (s->cli->json)
		run_print_json(s->cli, answer.result);
	rpc_answer_deinit(&answer);
	return true;
}

static void send_file(struct sending *s, const char *path)
{
	struct error err = ERROR_INIT;
	uint8_t *bytes;
	size_t n;

	if (!input_file(path, &bytes, &n, &err)) {
		fail(s, &err);
		return;
	}
	on_message(s, span_of(bytes, n));
	free(bytes);
}

/* The words of the command line, with one blank between two, as echo(1) has it. */
static void send_words(struct sending *s)
{
	char *text = mem_strdup(s->args->words[1]);

	for (size_t i = 2; i < s->args->n_words; i++) {
		char *longer = mem_printf("%s %s", text, s->args->words[i]);

		free(text);
		text = longer;
	}
	on_message(s, span_str(text));
	free(text);
}

static void send_lines(struct sending *s)
{
	struct error err = ERROR_INIT;

	s->from_lines = true;
	if (!input_lines(STDIN_FILENO, on_message, s, &err) && err.code != ERR_NONE)
		fail(s, &err);
}

enum source { SOURCE_NONE, SOURCE_FILE, SOURCE_WORDS, SOURCE_LINES };

static enum source source_of(const struct args *a)
{
	bool words = a->n_words > 1;

	if (args_has(a, "file"))
		return words ? SOURCE_NONE : SOURCE_FILE;
	if (a->n_words == 2 && strcmp(a->words[1], "-") == 0)
		return SOURCE_LINES;
	if (words)
		return SOURCE_WORDS;
	return isatty(STDIN_FILENO) ? SOURCE_NONE : SOURCE_LINES;
}

static void tell(const struct sending *s)
{
	mem_auto_str size = text_size((double)s->bytes);

	if (s->cli->json || (s->n == 0 && s->status != EXIT_DONE))
		return;
	fprintf(s->cli->out.out, "%s: %s %" PRIu64 " message%s, %s", s->args->words[0],
		s->n > 0 && s->queued == s->n ? "queued" : "sent", s->n, s->n == 1 ? "" : "s",
		size);
	if (s->queued > 0 && s->queued < s->n)
		fprintf(s->cli->out.out, ", %" PRIu64 " of them queued", s->queued);
	fputc('\n', s->cli->out.out);
}

int run_send(struct cli *cli, const struct args *a)
{
	struct sending s = { .cli = cli, .args = a };
	enum source source = source_of(a);
	struct error err = ERROR_INIT;

	if (source == SOURCE_NONE) {
		error_set(&err, ERR_INVALID_OPTION,
			  args_has(a, "file") ? "either TEXT or --file, not both" :
						"nothing to send: give TEXT, --file, or - for the "
						"lines of standard input");
		return run_fail_usage(cli, &err);
	}
	s.call = run_connect(cli, &s.status);
	if (!s.call)
		return s.status;
	if (source == SOURCE_FILE)
		send_file(&s, args_value(a, "file"));
	else if (source == SOURCE_WORDS)
		send_words(&s);
	else
		send_lines(&s);
	tell(&s);
	call_free(s.call);
	return s.status;
}
