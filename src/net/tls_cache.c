/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See tls_cache.h. The key is a digest of all parameters, the key's password
 * among them: nothing secret is kept here. A few entries are searched in turn;
 * the one that was not asked for the longest goes.
 */
#include "net/tls_cache.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define KEY_SIZE 32
#define ENTRIES_MAX 64

struct entry {
	uint8_t key[KEY_SIZE];
	struct tls_ctx *ctx;
	uint64_t asked; /* when, counted in look-ups */
};

struct tls_cache {
	struct entry entries[ENTRIES_MAX];
	size_t n;
	uint64_t look_ups;
};

struct tls_cache *tls_cache_new(void)
{
	return mem_zalloc(sizeof(struct tls_cache));
}

void tls_cache_free(struct tls_cache *c)
{
	for (size_t i = 0; c && i < c->n; i++)
		tls_ctx_unref(c->entries[i].ctx);
	free(c);
}

/* NULL and "" are told apart, and no two strings can run into one another. */
static void add(EVP_MD_CTX *md, const char *s)
{
	EVP_DigestUpdate(md, s ? "+" : "-", 1);
	EVP_DigestUpdate(md, s ? s : "", s ? strlen(s) + 1 : 1);
}

static void make_key(const struct tls_params *p, uint8_t *key)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	int numbers[] = { p->verify,	  p->verify_hostname, p->min_version,
			  p->max_version, (int)p->n_pins,     p->ktls };

	assert(md);
	EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	EVP_DigestUpdate(md, numbers, sizeof(numbers));
	add(md, p->ca_file);
	add(md, p->ca_dir);
	add(md, p->cert);
	add(md, p->key);
	add(md, p->key_password);
	add(md, p->ciphers);
	add(md, p->ciphersuites);
	add(md, p->groups);
	add(md, p->keylog_file);
	for (size_t i = 0; i < p->n_pins; i++)
		add(md, p->pins[i]);
	EVP_DigestFinal_ex(md, key, NULL);
	EVP_MD_CTX_free(md);
}

static struct entry *find(struct tls_cache *c, const uint8_t *key)
{
	for (size_t i = 0; i < c->n; i++)
		if (memcmp(c->entries[i].key, key, KEY_SIZE) == 0)
			return &c->entries[i];
	return NULL;
}

/* A place for one more: a free one, or that of the one nobody has asked for the longest. */
static struct entry *place(struct tls_cache *c)
{
	struct entry *oldest = &c->entries[0];

	if (c->n < ENTRIES_MAX)
		return &c->entries[c->n++];
	for (size_t i = 1; i < c->n; i++)
		if (c->entries[i].asked < oldest->asked)
			oldest = &c->entries[i];
	return oldest;
}

struct tls_ctx *tls_cache_get(struct tls_cache *c, const struct tls_params *params,
			      struct error *err)
{
	uint8_t key[KEY_SIZE];
	struct entry *e;
	struct tls_ctx *fresh;

	make_key(params, key);
	c->look_ups++;
	e = find(c, key);
	if (e && tls_ctx_is_current(e->ctx)) {
		e->asked = c->look_ups;
		return tls_ctx_ref(e->ctx);
	}
	fresh = tls_ctx_new(params, err);
	if (!fresh)
		return NULL;
	if (!e)
		e = place(c);
	tls_ctx_unref(e->ctx);
	*e = (struct entry){ .ctx = fresh, .asked = c->look_ups };
	memcpy(e->key, key, KEY_SIZE);
	return tls_ctx_ref(fresh);
}
