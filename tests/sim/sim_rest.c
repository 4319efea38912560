/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left of net/ that nobody needs here, but that somebody calls: the
 * resolver, contexts of TLS, programs for secrets. A context is a thing with
 * no content; a program would be a fault of the scenario.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "net/command.h"
#include "net/resolve.h"
#include "net/tls_cache.h"

struct resolver {
	char nothing;
};

struct resolver *resolver_new(struct loop *l)
{
	(void)l;
	return mem_zalloc(sizeof(struct resolver));
}

void resolver_free(struct resolver *r)
{
	free(r);
}

struct tls_cache {
	char nothing;
};

struct tls_ctx {
	unsigned refs;
};

struct tls_cache *tls_cache_new(void)
{
	return mem_zalloc(sizeof(struct tls_cache));
}

void tls_cache_free(struct tls_cache *c)
{
	free(c);
}

struct tls_ctx *tls_cache_get(struct tls_cache *c, const struct tls_params *params,
			      struct error *err)
{
	struct tls_ctx *ctx = mem_zalloc(sizeof(*ctx));

	(void)c;
	(void)params;
	(void)err;
	ctx->refs = 1;
	return ctx;
}

struct tls_ctx *tls_ctx_ref(struct tls_ctx *c)
{
	c->refs++;
	return c;
}

void tls_ctx_unref(struct tls_ctx *c)
{
	if (c && --c->refs == 0)
		free(c);
}

const struct tls_info *tls_stream_info(const struct stream *s)
{
	(void)s;
	return NULL;
}

struct command *command_start(struct loop *l, char *const argv[], int64_t timeout, command_cb cb,
			      void *arg)
{
	(void)l;
	(void)argv;
	(void)timeout;
	(void)cb;
	(void)arg;
	assert(false);
	return NULL;
}

void command_cancel(struct command *c)
{
	(void)c;
}
