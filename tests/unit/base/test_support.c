/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The test supports themselves: a guard page that does not crash and chunks
 * that skip a split would make every other test worth less.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/span.h"
#include "support/chunks.h"
#include "support/fixed_rand.h"
#include "support/guard.h"

/* The signal that a child died of when it read the byte at p + i, or 0. */
static int signal_of_read(const uint8_t *p, size_t i)
{
	const struct rlimit no_core = { 0, 0 };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		volatile uint8_t sink;
		struct sigaction plain = { .sa_handler = SIG_DFL };

		setrlimit(RLIMIT_CORE, &no_core);
		sigaction(SIGSEGV, &plain, NULL); /* a sanitizer's handler would exit instead */
		sink = p[i];
		(void)sink;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void guard_page_is_unreadable(void **state)
{
	static const char *const inputs[] = { "", "a", "hello" };
	struct guard g;

	(void)state;
	guard_init(&g, 5);
	for (size_t i = 0; i < 3; i++) {
		struct span s = guard_place(&g, span_str(inputs[i]));

		assert_true(span_equal(s, span_str(inputs[i])));
		assert_int_equal(signal_of_read(s.p, s.n), SIGSEGV);
		if (s.n > 0)
			assert_int_equal(signal_of_read(s.p, s.n - 1), 0);
	}
	guard_deinit(&g);
	guard_deinit(&g);
}

static void guard_overwrites_what_was_there(void **state)
{
	struct guard g;
	struct span old;

	(void)state;
	guard_init(&g, 100000);
	old = guard_place(&g, span_str("secret"));
	guard_place(&g, span_str("x"));
	assert_int_equal(old.p[0], 0xDD);
	assert_int_equal(old.p[5], 'x');
	guard_deinit(&g);
}

struct seen {
	const char *input;
	size_t runs;
	size_t pieces[16]; /* by run */
	size_t first[16];
};

static void note_run(struct chunks *c, void *arg)
{
	struct seen *seen = arg;
	char together[16];
	struct span piece;
	size_t n = 0;

	while (chunks_next(c, &piece)) {
		if (seen->pieces[seen->runs]++ == 0)
			seen->first[seen->runs] = piece.n;
		memcpy(together + n, piece.p, piece.n);
		n += piece.n;
	}
	assert_true(span_equal(span_of(together, n), span_str(seen->input)));
	seen->runs++;
}

static void chunks_cut_everywhere(void **state)
{
	struct seen seen = { .input = "abcd" };

	(void)state;
	chunks_each(span_str(seen.input), note_run, &seen);
	assert_int_equal(seen.runs, 5);
	assert_int_equal(seen.pieces[0], 1);
	assert_int_equal(seen.pieces[1], 4);
	for (size_t i = 2; i < 5; i++) {
		assert_int_equal(seen.first[i], i - 1);
		assert_int_equal(seen.pieces[i], 2);
	}
}

static void chunks_of_nothing(void **state)
{
	struct seen seen = { .input = "" };

	(void)state;
	chunks_each(span_of(NULL, 0), note_run, &seen);
	assert_int_equal(seen.runs, 2);
	assert_int_equal(seen.pieces[0], 1);
	assert_int_equal(seen.first[0], 0);
}

static void fixed_rand_repeats(void **state)
{
	struct fixed_rand f;
	char out[5];

	(void)state;
	fixed_rand_init(&f, span_str("abc"));
	f.source.fill(&f.source, out, 2);
	assert_memory_equal(out, "ab", 2);
	f.source.fill(&f.source, out, 5);
	assert_memory_equal(out, "cabca", 5);
	assert_int_equal(f.drawn, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guard_page_is_unreadable),
		cmocka_unit_test(guard_overwrites_what_was_there),
		cmocka_unit_test(chunks_cut_everywhere),
		cmocka_unit_test(chunks_of_nothing),
		cmocka_unit_test(fixed_rand_repeats),
	};

	return cmocka_run_group_tests_name("support", tests, NULL, NULL);
}
