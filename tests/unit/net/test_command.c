/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that answer, fail, say nothing, hang, print too much, or are cancelled. */
#include "net_test.h"

#include <sys/wait.h>

#include "net/command.h"
#include "support/pidfd.h"

struct answer {
	bool done;
	char line[256];
	struct error err;
};

static void on_answer(void *arg, struct span line, const struct error *err)
{
	struct answer *a = arg;

	assert_false(a->done);
	a->done = true;
	assert_true(line.n < sizeof(a->line));
	if (line.n)
		memcpy(a->line, line.p, line.n);
	if (err)
		a->err = *err;
}

static bool is_done(void *arg)
{
	return ((struct answer *)arg)->done;
}

static bool no_children(void *arg)
{
	(void)arg;
	return waitpid(-1, NULL, WNOHANG) < 0;
}

static struct answer run(const char *script, int64_t timeout)
{
	char *argv[] = { (char *)(uintptr_t) "/bin/sh", (char *)(uintptr_t) "-c",
			 (char *)(uintptr_t)script, NULL };
	struct loop *l = loop_new();
	struct answer a = { 0 };

	command_start(l, argv, timeout, on_answer, &a);
	assert_false(a.done);
	assert_true(turn_until(l, is_done, &a, PATIENCE));
	assert_true(turn_until(l, no_children, NULL, PATIENCE));
	loop_drain(l);
	loop_free(l);
	return a;
}

static void test_first_line(void **state)
{
	static const struct {
		const char *script, *line;
	} rows[] = {
		{ "echo secret", "secret" },
		{ "printf 'no newline'", "no newline" },
		{ "echo one; echo two", "one" },
		{ "echo one; sleep 0.05; echo two; echo three", "one" },
		{ "echo one; head -c 300000 /dev/zero", "one" },
		{ "echo one; sleep 1 & exit 0", "one" },
		{ "echo; echo two", "" },
		{ "printf a; sleep 0.02; echo b", "ab" },
		{ "cat; echo empty stdin", "empty stdin" },
	};

	(void)state;
	need_pidfd();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct answer a = run(rows[i].script, PATIENCE);

		assert_int_equal(a.err.code, ERR_NONE);
		assert_string_equal(a.line, rows[i].line);
	}
}

static void test_failures(void **state)
{
	static const struct {
		const char *script;
		int64_t timeout;
		const char *sentence;
	} rows[] = {
		{ "echo canary; exit 3", PATIENCE, "command /bin/sh: ended with an error" },
		{ "kill -9 $$", PATIENCE, "command /bin/sh: ended with an error" },
		{ ":", PATIENCE, "command /bin/sh: printed nothing" },
		{ "sleep 100", 50000, "command /bin/sh: gave no answer in time and was killed" },
		{ "echo canary; sleep 100", 50000,
		  "command /bin/sh: gave no answer in time and was killed" },
		{ "echo canary; yes canary", 50000,
		  "command /bin/sh: gave no answer in time and was killed" },
		{ "tr '\\0' x </dev/zero", PATIENCE,
		  "command /bin/sh: printed a line that is too long" },
	};

	(void)state;
	need_pidfd();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct answer a = run(rows[i].script, rows[i].timeout);

		assert_int_equal(a.err.code, ERR_INTERNAL);
		assert_string_equal(a.err.text, rows[i].sentence);
		assert_string_equal(a.line, "");
	}
}

static void test_no_such_program(void **state)
{
	char *argv[] = { (char *)(uintptr_t) "/nonexistent/program", NULL };
	struct loop *l;
	struct answer a = { 0 };

	(void)state;
	need_pidfd();
	l = loop_new();
	command_start(l, argv, PATIENCE, on_answer, &a);
	assert_true(turn_until(l, is_done, &a, PATIENCE));
	assert_string_equal(a.err.text, "command /nonexistent/program: No such file or directory");
	loop_free(l);
}

static void test_cancelled(void **state)
{
	char *argv[] = { (char *)(uintptr_t) "/bin/sh", (char *)(uintptr_t) "-c",
			 (char *)(uintptr_t) "sleep 100 & sleep 100", NULL };
	struct loop *l;
	struct answer a = { 0 };

	(void)state;
	need_pidfd();
	l = loop_new();
	command_cancel(command_start(l, argv, PATIENCE, on_answer, &a));
	assert_true(turn_until(l, no_children, NULL, PATIENCE));
	argv[0] = (char *)(uintptr_t) "/nonexistent/program";
	command_cancel(command_start(l, argv, PATIENCE, on_answer, &a));
	loop_drain(l);
	assert_false(a.done);
	loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_line),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_no_such_program),
		cmocka_unit_test(test_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
