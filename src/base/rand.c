/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system's randomness in pools: one system call for a thousand frame
 * masks. Not a generator of its own: every byte is the kernel's and is handed
 * out once. The pool belongs to the process and lives until it ends. The trap
 * is fork: a child that went on with its parent's pool would send the same
 * masks, so the kernel wipes the page in the child, its count with it.
 */
#include "base/rand.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#define POOL_SIZE 4096

struct pool {
	size_t left; /* bytes not yet handed out, at the end of `bytes` */
	uint8_t bytes[POOL_SIZE];
};

static struct pool *pool;

static _Noreturn void die(void)
{
	static const char text[] = "no randomness from the system\n";
	ssize_t n = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)n;
	abort();
}

static void forget_pool(void)
{
	explicit_bzero(pool, sizeof(*pool));
}

static struct pool *pool_new(void)
{
	void *p = mmap(NULL, sizeof(struct pool), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die();
	/* Best effort: a kernel that cannot keep a page out of core files still runs us. */
	(void)madvise(p, sizeof(struct pool), MADV_DONTDUMP);
	if (madvise(p, sizeof(struct pool), MADV_WIPEONFORK) != 0 &&
	    pthread_atfork(NULL, NULL, forget_pool) != 0)
		die();
	return p;
}

static void draw(uint8_t *out, size_t n)
{
	while (n > 0) {
		ssize_t got = getrandom(out, n, 0);

		if (got > 0) {
			out += got;
			n -= (size_t)got;
		} else if (got == 0 || errno != EINTR) {
			die();
		}
	}
}

static void system_fill(struct rand_source *r, void *out, size_t n)
{
	uint8_t *from;

	(void)r;
	if (!pool)
		pool = pool_new();
	if (n > POOL_SIZE) {
		draw(out, n);
		return;
	}
	if (pool->left < n) {
		draw(pool->bytes, POOL_SIZE);
		pool->left = POOL_SIZE;
	}
	from = pool->bytes + POOL_SIZE - pool->left;
	memcpy(out, from, n);
	explicit_bzero(from, n);
	pool->left -= n;
}

struct rand_source *rand_system(void)
{
	static struct rand_source source = { system_fill };

	return &source;
}

uint32_t rand_u32(struct rand_source *r)
{
	uint32_t v;

	r->fill(r, &v, sizeof(v));
	return v;
}

double rand_unit(struct rand_source *r)
{
	uint64_t v;

	r->fill(r, &v, sizeof(v));
	return (double)(v >> 11) * 0x1p-53;
}
