/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to a control socket that a child process serves with prepared answers. */
#include "cli/call.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

static char dir[] = "/tmp/wsbridge-test-XXXXXX";
static char path[64];

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/s", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static int bind_socket(bool listening)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	unlink(path);
	memcpy(addr.sun_path, path, strlen(path) + 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	if (listening)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

/* Takes one line, gives the answer in two pieces, then ends, or waits for us to end. */
static _Noreturn void serve(int listener, const char *answer, bool ends)
{
	size_t half = strlen(answer) / 2, rest = strlen(answer) - half;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	char byte = 0;

	while (byte != '\n' && read(fd, &byte, 1) == 1)
		continue;
	if (send(fd, answer, half, MSG_NOSIGNAL) < 0 ||
	    send(fd, answer + half, rest, MSG_NOSIGNAL) < 0)
		_exit(1);
	while (!ends && read(fd, &byte, 1) == 1)
		continue;
	_exit(0);
}

struct result {
	enum call_result call;
	struct rpc_answer answer;
	struct error err;
};

static void ask(const char *answer, bool ends, int64_t timeout, struct result *r)
{
	int listener = bind_socket(true);
	struct call_request request = { .method = "status", .timeout = timeout };
	pid_t child = fork();
	struct call *c;

	*r = (struct result){ .call = CALL_UNREACHABLE };
	if (child == 0)
		serve(listener, answer, ends);
	close(listener);
	c = call_new(path, NULL, &r->err);
	assert_non_null(c);
	request.params = json_pack("{s:s}", "name", "feed");
	r->call = call_make(c, &request, &r->answer, &r->err);
	call_free(c);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void test_result(void **state)
{
	struct result r;

	(void)state;
	ask("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":1}}\n", false, CALL_TIMEOUT, &r);
	assert_int_equal(r.call, CALL_OK);
	assert_int_equal(json_integer_value(json_object_get(r.answer.result, "a")), 1);
	rpc_answer_deinit(&r.answer);
}

static void test_refused(void **state)
{
	struct result r;

	(void)state;
	ask("{\"id\":1,\"error\":{\"code\":-32004,\"message\":\"not "
	    "now\",\"data\":{\"kind\":\"not_open\"}}}\n",
	    false, CALL_TIMEOUT, &r);
	assert_int_equal(r.call, CALL_REFUSED);
	assert_int_equal(r.answer.err.code, ERR_NOT_OPEN);
	assert_string_equal(r.answer.err.text, "not now");
	rpc_answer_deinit(&r.answer);
}

/* An answer with the id null is ours, too: the daemon could not read the request. */
static void test_null_id(void **state)
{
	struct result r;

	(void)state;
	ask("{\"id\":null,\"error\":{\"code\":-32700,\"message\":\"what?\"}}\n", false,
	    CALL_TIMEOUT, &r);
	assert_int_equal(r.call, CALL_REFUSED);
	assert_int_equal(r.answer.err.code, ERR_PARSE);
	rpc_answer_deinit(&r.answer);
}

/* Before the answer, in one piece with it, and behind it: they come in their order. */
static void test_events(void **state)
{
	static const char lines[] =
		"{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"n\":1}}\n"
		"{\"method\":\"event\",\"params\":{\"n\":2,\"data\":\"\\u0000\"}}\n"
		"{\"id\":1,\"result\":{\"a\":1}}\n"
		"{\"method\":\"event\",\"params\":{\"n\":3}}\n";
	int listener = bind_socket(true);
	struct call_request request = { .method = "subscribe", .timeout = CALL_TIMEOUT };
	struct error err = ERROR_INIT;
	struct rpc_answer answer;
	pid_t child = fork();
	struct call *c;

	(void)state;
	if (child == 0)
		serve(listener, lines, true);
	close(listener);
	c = call_new(path, NULL, &err);
	request.params = json_object();
	assert_int_equal(call_make(c, &request, &answer, &err), CALL_OK);
	rpc_answer_deinit(&answer);
	for (int n = 1; n <= 3; n++) {
		json_t *event = call_next_event(c, &err);

		assert_int_equal(json_integer_value(json_object_get(event, "n")), n);
		json_decref(event);
	}
	assert_null(call_next_event(c, &err));
	assert_int_equal(err.code, ERR_CONNECT);
	call_free(c);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

/* What call_continue makes of it, each time there is something to read. */
static enum call_result step_by_step(struct call *c, struct rpc_answer *answer, struct error *err)
{
	struct call_request request = { .method = "status" };
	enum call_result result = CALL_OK;
	struct pollfd p = { .fd = call_fd(c), .events = POLLIN };

	assert_false(call_continue(c, &result, answer, err)); /* and it did not wait */
	call_begin(c, &request);
	do
		assert_int_equal(poll(&p, 1, 10000), 1);
	while (!call_continue(c, &result, answer, err));
	return result;
}

static void test_in_steps(void **state)
{
	static const struct {
		const char *lines;
		enum call_result result;
		enum err code;
	} cases[] = {
		{ "{\"id\":7,\"result\":{}}\n{\"method\":\"event\",\"params\":{}}\n"
		  "{\"id\":1,\"result\":{\"a\":1}}\n",
		  CALL_OK, ERR_NONE },
		{ "{\"id\":1,\"error\":{\"code\":-32004,\"message\":\"no\"}}\n", CALL_REFUSED,
		  ERR_NONE },
		{ "{\"id\":1,", CALL_UNREACHABLE, ERR_CONNECT },
		{ "hello\n", CALL_UNREACHABLE, ERR_PROTOCOL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int listener = bind_socket(true);
		struct error err = ERROR_INIT;
		struct rpc_answer answer;
		pid_t child = fork();
		struct call *c;

		if (child == 0)
			serve(listener, cases[i].lines, true);
		close(listener);
		c = call_new(path, NULL, &err);
		assert_int_equal(step_by_step(c, &answer, &err), cases[i].result);
		assert_int_equal(err.code, cases[i].code);
		if (cases[i].result != CALL_UNREACHABLE)
			rpc_answer_deinit(&answer);
		call_free(c);
		assert_int_equal(waitpid(child, NULL, 0), child);
	}
}

static void test_other_answers_are_skipped(void **state)
{
	struct result r;

	(void)state;
	ask("{\"id\":7,\"result\":{\"a\":7}}\n{\"id\":1,\"result\":{\"a\":1}}\n", false,
	    CALL_TIMEOUT, &r);
	assert_int_equal(r.call, CALL_OK);
	assert_int_equal(json_integer_value(json_object_get(r.answer.result, "a")), 1);
	rpc_answer_deinit(&r.answer);
}

static void assert_unreachable(const struct result *r, const char *why)
{
	mem_auto_str text = mem_printf("%s: %s", path, why);

	assert_int_equal(r->call, CALL_UNREACHABLE);
	assert_string_equal(r->err.text, text);
}

static void test_no_answer(void **state)
{
	struct result r;

	(void)state;
	ask("", true, CALL_TIMEOUT, &r);
	assert_unreachable(&r, "wsbridged ended without an answer");
	ask("{\"id\":1,\"result\":{}}", true, CALL_TIMEOUT, &r);
	assert_unreachable(&r, "wsbridged ended without an answer");
	ask("{\"id\":", false, 50000, &r);
	assert_unreachable(&r, "no answer from wsbridged");
	ask("hello\n", false, CALL_TIMEOUT, &r);
	assert_unreachable(&r, "the daemon's answer is no JSON-RPC answer");
}

static void assert_no_call(const char *where, const char *fallback, const char *why)
{
	struct error err = ERROR_INIT;

	assert_null(call_new(where, fallback, &err));
	assert_string_equal(err.text, why);
}

static void test_nobody_there(void **state)
{
	mem_auto_str refused = mem_printf("%s: Connection refused: is wsbridged running?", path);
	mem_auto_str hint = mem_printf("/nonexistent/s: No such file or directory: is wsbridged "
				       "running? (the system's is at -s %s)",
				       path);
	char longest[200];

	(void)state;
	close(bind_socket(false));
	assert_no_call(path, NULL, refused);
	assert_no_call(path, path, refused);
	assert_no_call("/nonexistent/s", NULL,
		       "/nonexistent/s: No such file or directory: is wsbridged running?");
	assert_no_call("/nonexistent/s", "/nonexistent/t",
		       "/nonexistent/s: No such file or directory: is wsbridged running?");
	assert_no_call("/nonexistent/s", path, hint);
	assert_no_call("", NULL, "the path of the control socket is empty");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_null(call_new(longest, NULL, &(struct error){ 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_result),	  cmocka_unit_test(test_refused),
		cmocka_unit_test(test_null_id),	  cmocka_unit_test(test_other_answers_are_skipped),
		cmocka_unit_test(test_events),	  cmocka_unit_test(test_in_steps),
		cmocka_unit_test(test_no_answer), cmocka_unit_test(test_nobody_there),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
