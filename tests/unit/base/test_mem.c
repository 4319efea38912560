/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation: the two kinds, the failure hook, and that the first kind aborts. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

static void size_zero_gives_memory(void **state)
{
	void *made[] = {
		mem_alloc(0),	  mem_zalloc(0),	mem_array(0, 8),	 mem_array(8, 0),
		mem_try_alloc(0), mem_grow(NULL, 0, 8), mem_try_realloc(NULL, 0)
	};

	(void)state;
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		assert_non_null(made[i]);
		free(made[i]);
	}
}

static void zeroed_and_grown(void **state)
{
	uint32_t *a = mem_array(3, sizeof(*a));
	uint8_t *z = mem_zalloc(64);

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(a[i], 0);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(z[i], 0);
	a[2] = 7;
	a = mem_grow(a, 1000, sizeof(*a));
	assert_int_equal(a[2], 7);
	a[999] = 1;
	free(a);
	free(z);
}

static void strings(void **state)
{
	mem_auto_str copy = mem_strdup("abc");
	mem_auto_str part = mem_strndup("abc", 2);
	mem_auto_str none = mem_strndup(NULL, 0);
	mem_auto_str made = mem_printf("%s-%d", "abc", 5);
	mem_auto_str null = mem_strdup(NULL);

	(void)state;
	assert_string_equal(copy, "abc");
	assert_string_equal(part, "ab");
	assert_string_equal(none, "");
	assert_string_equal(made, "abc-5");
	assert_null(null);
}

static void hook_fails_the_nth_try_once(void **state)
{
	char *p = mem_try_alloc(4), *q;

	(void)state;
	memcpy(p, "abc", 4);
	mem_fail_try_after(2);
	free(mem_alloc(1)); /* not counted */
	q = mem_try_alloc(1);
	assert_non_null(q);
	assert_null(mem_try_realloc(p, 4000));
	assert_string_equal(p, "abc");
	p = mem_try_realloc(p, 4000);
	assert_non_null(p);
	assert_string_equal(p, "abc");
	mem_fail_try_after(1);
	mem_fail_try_after(0);
	free(q);
	q = mem_try_alloc(1);
	assert_non_null(q);
	free(q);
	free(p);
}

static void pages_are_zeroed_and_may_be_refused(void **state)
{
	const size_t sizes[] = { 1, 4096, 4097, 300000 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (int again = 0; again < 2; again++) {
			uint8_t *p = mem_try_pages(sizes[i]);

			assert_non_null(p);
			assert_int_equal((uintptr_t)p % 4096, 0);
			for (size_t at = 0; at < sizes[i]; at++)
				assert_int_equal(p[at], 0);
			memset(p, 0xA5, sizes[i]);
			mem_free_pages(p, sizes[i]);
		}
	}
	mem_free_pages(NULL, 4096);
	assert_null(mem_try_pages(SIZE_MAX / 2));
	mem_fail_try_after(1);
	assert_null(mem_try_pages(4096));
	mem_free_pages(mem_try_pages(4096), 4096);
}

/* What has been freed is the kernel's again: it is not there any more. */
static void freed_pages_are_gone(void **state)
{
	uint8_t *p = mem_try_pages(8192);
	unsigned char in_core[2];

	(void)state;
	assert_non_null(p);
	p[0] = p[4096] = 1;
	assert_int_equal(mincore(p, 8192, in_core), 0);
	mem_free_pages(p, 8192);
	assert_int_equal(mincore(p, 8192, in_core), -1);
}

/* A sanitizer's allocator would end the process itself, before NULL is seen. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void grow_too_far(void)
{
	free(mem_grow(NULL, SIZE_MAX / 2, 8));
}

static void array_too_large(void)
{
	free(mem_array(SIZE_MAX / 2, 8));
}

static void failure_aborts(void **state)
{
	void (*const calls[])(void) = { grow_too_far, array_too_large };
	const struct rlimit no_core = { 0, 0 };
	int status, ends[2];
	char said[64];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		pid_t pid;

		assert_int_equal(pipe(ends), 0);
		pid = fork();
		if (pid == 0) {
			struct sigaction plain = { .sa_handler = SIG_DFL };

			setrlimit(RLIMIT_CORE, &no_core);
			sigaction(SIGABRT, &plain, NULL);
			dup2(ends[1], STDERR_FILENO);
			calls[i]();
			_exit(0);
		}
		close(ends[1]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGABRT);
		assert_true(read(ends[0], said, sizeof(said)) >= 14);
		close(ends[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(size_zero_gives_memory),
		cmocka_unit_test(zeroed_and_grown),
		cmocka_unit_test(strings),
		cmocka_unit_test(hook_fails_the_nth_try_once),
		cmocka_unit_test(pages_are_zeroed_and_may_be_refused),
		cmocka_unit_test(freed_pages_are_gone),
		cmocka_unit_test(failure_aborts),
	};

	return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
