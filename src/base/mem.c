/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocate-or-abort and allocate-or-fail. No pools and no accounting: malloc
 * is good enough. Whoever got memory frees it with free(3). The trap: the
 * failure hook counts only the try-variants, for the whole process.
 */
#include "base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t fail_in; /* try-allocations until the one that fails; 0 = none will */

static _Noreturn void die(void)
{
	static const char text[] = "out of memory\n";
	ssize_t n = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)n;
	abort();
}

static void *or_die(void *p)
{
	if (!p)
		die();
	return p;
}

static bool must_fail(void)
{
	return fail_in > 0 && --fail_in == 0;
}

void *mem_alloc(size_t size)
{
	return or_die(malloc(size ? size : 1));
}

void *mem_zalloc(size_t size)
{
	return or_die(calloc(1, size ? size : 1));
}

void *mem_array(size_t n, size_t size)
{
	return or_die(calloc(n ? n : 1, size ? size : 1));
}

void *mem_grow(void *p, size_t n, size_t size)
{
	return or_die(reallocarray(p, n ? n : 1, size ? size : 1));
}

char *mem_strdup(const char *s)
{
	return s ? or_die(strdup(s)) : NULL;
}

char *mem_strndup(const void *p, size_t n)
{
	char *s = mem_alloc(n + 1);

	if (n > 0)
		memcpy(s, p, n);
	s[n] = '\0';
	return s;
}

char *mem_printf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		die();
	return s;
}

void mem_give_back(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

void *mem_try_alloc(size_t size)
{
	return must_fail() ? NULL : malloc(size ? size : 1);
}

void *mem_try_realloc(void *p, size_t size)
{
	return must_fail() ? NULL : realloc(p, size ? size : 1);
}

void *mem_try_pages(size_t size)
{
	void *p = MAP_FAILED;

	if (!must_fail())
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

void mem_free_pages(void *p, size_t size)
{
	if (p)
		munmap(p, size);
}

void mem_fail_try_after(size_t n)
{
	fail_in = n;
}

void mem_free_charp(char **p)
{
	free(*p);
}
