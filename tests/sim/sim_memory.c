/* SPDX-License-Identifier: Apache-2.0 */
/* See sim_memory.h. What libraries keep for themselves is not counted, but for JSON values. */
#include "sim/sim_memory.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/sim_wrap.h"

static size_t live;

size_t sim_memory_live(void)
{
	return live;
}

void *__wrap_malloc(size_t size)
{
	void *p = __real_malloc(size);

	live += p != NULL;
	return p;
}

void *__wrap_calloc(size_t n, size_t size)
{
	void *p = __real_calloc(n, size);

	live += p != NULL;
	return p;
}

void *__wrap_realloc(void *old, size_t size)
{
	void *p = __real_realloc(old, size);

	live += p && !old;
	return p;
}

void *__wrap_reallocarray(void *old, size_t n, size_t size)
{
	void *p = __real_reallocarray(old, n, size);

	live += p && !old;
	return p;
}

void __wrap_free(void *p)
{
	live -= p != NULL;
	__real_free(p);
}

char *__wrap_strdup(const char *s)
{
	char *copy = __real_strdup(s);

	live += copy != NULL;
	return copy;
}

int __wrap_vasprintf(char **out, const char *fmt, va_list ap)
{
	int n = __real_vasprintf(out, fmt, ap);

	live += n >= 0;
	return n;
}

/* As a hardened build calls it. */
int __wrap___vasprintf_chk(char **out, int flag, const char *fmt, va_list ap)
{
	(void)flag;
	return __wrap_vasprintf(out, fmt, ap);
}

void sim_memory_init(void)
{
	json_set_alloc_funcs(__wrap_malloc, __wrap_free);
}
