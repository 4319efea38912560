/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which contexts are shared, which are made anew, and that those in use live on when the cache
 * has no room for them or is gone.
 */
#include "tls_rig.h"

#include "net/tls_cache.h"

static struct tls_ctx *get(struct tls_cache *c, const struct tls_params *params)
{
	struct error err = ERROR_INIT;
	struct tls_ctx *ctx = tls_cache_get(c, params, &err);

	assert_string_equal(err.text, "");
	assert_non_null(ctx);
	return ctx;
}

static void check_shared(struct tls_cache *c, const struct tls_params *a,
			 const struct tls_params *b, bool shared)
{
	struct tls_ctx *x = get(c, a), *y = get(c, b);

	assert_int_equal(x == y, shared);
	tls_ctx_unref(x);
	tls_ctx_unref(y);
}

static void test_same_parameters_share(void **state)
{
	char ca_file[80], pin[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
	const char *pins[] = { pin };
	struct tls_params a = rig_params(), b;
	struct tls_cache *c = tls_cache_new();

	(void)state;
	a.pins = (const char *const[]){ "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" };
	a.n_pins = 1;
	b = a; /* the same text at another place */
	snprintf(ca_file, sizeof(ca_file), "%s", a.ca_file);
	b.ca_file = ca_file;
	b.pins = pins;
	check_shared(c, &a, &a, true);
	check_shared(c, &a, &b, true);
	tls_cache_free(c);
	tls_cache_free(NULL);
}

/* One member changed at a time. */
static void test_other_parameters_do_not_share(void **state)
{
	static const char *const pins[] = { "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
					    "BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" };
	struct tls_params base = rig_params(), p[16];
	struct tls_cache *c = tls_cache_new();
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < 16; i++)
		p[i] = base;
	p[n++].verify = false;
	p[n++].verify_hostname = false;
	p[n++].ca_file = NULL;
	p[n++].ca_dir = rig_dir;
	p[n++].min_version = 13;
	p[n++].max_version = 12;
	p[n++].ciphers = "ECDHE-RSA-AES128-GCM-SHA256";
	p[n++].ciphersuites = "TLS_AES_128_GCM_SHA256";
	p[n++].groups = "P-256";
	p[n++].keylog_file = rig_path("new_keys");
	p[n].pins = pins;
	p[n++].n_pins = 1;
	p[n].pins = pins;
	p[n++].n_pins = 2;
	p[n].cert = rig_path("client.crt");
	p[n++].key = rig_path("client.key");
	p[n].cert = rig_path("locked.crt");
	p[n].key = rig_path("locked.key");
	p[n++].key_password = "correct horse";
	for (size_t i = 0; i < n; i++) {
		check_shared(c, &base, &p[i], false);
		check_shared(c, &p[i], &p[i], true);
		for (size_t k = 0; k < i; k++)
			check_shared(c, &p[k], &p[i], false);
	}
	tls_cache_free(c);
}

/* A wrong password must not find what the right one has made. */
static void test_failures_are_not_kept(void **state)
{
	struct tls_params right = rig_params(), wrong;
	struct tls_cache *c = tls_cache_new();
	struct error err = ERROR_INIT;

	(void)state;
	right.cert = rig_path("locked.crt");
	right.key = rig_path("locked.key");
	wrong = right;
	right.key_password = "correct horse";
	wrong.key_password = "canary";
	assert_null(tls_cache_get(c, &wrong, &err));
	assert_int_equal(err.code, ERR_TLS);
	assert_null(strstr(err.text, "canary"));
	check_shared(c, &right, &right, true);
	assert_null(tls_cache_get(c, &wrong, &err));
	wrong.key_password = NULL;
	assert_null(tls_cache_get(c, &wrong, &err));
	tls_cache_free(c);
}

static void put(const char *name, const char *with)
{
	char block[8192];
	FILE *from = fopen(rig_path(with), "re"), *to = fopen(rig_path("new"), "we");
	size_t n = fread(block, 1, sizeof(block), from);

	assert_int_equal(fwrite(block, 1, n, to), n);
	fclose(from);
	fclose(to);
	assert_int_equal(rename(rig_path("new"), rig_path(name)), 0);
}

static void test_changed_file(void **state)
{
	struct tls_params p = rig_params(), other = rig_params();
	struct tls_cache *c = tls_cache_new();
	struct error err = ERROR_INIT;
	struct tls_ctx *old, *fresh, *kept;

	(void)state;
	put("my.crt", "client.crt");
	put("my.key", "client.key");
	p.cert = rig_path("my.crt");
	p.key = rig_path("my.key");
	kept = get(c, &other);
	old = get(c, &p);
	put("my.crt", "other.crt"); /* half of a rotation */
	assert_null(tls_cache_get(c, &p, &err));
	put("my.key", "other.key");
	fresh = get(c, &p);
	assert_ptr_not_equal(fresh, old);
	assert_true(tls_ctx_is_current(fresh));
	assert_false(tls_ctx_is_current(old)); /* it is still there */
	check_shared(c, &p, &p, true);
	check_shared(c, &other, &other, true);
	tls_ctx_unref(old);
	tls_ctx_unref(fresh);
	fresh = get(c, &other);
	assert_ptr_equal(fresh, kept); /* what did not change stays */
	tls_ctx_unref(fresh);
	tls_ctx_unref(kept);
	unlink(rig_path("my.crt"));
	unlink(rig_path("my.key"));
	tls_cache_free(c);
}

#define MANY 70 /* above the 64 that have a place */

static void test_more_than_there_is_room_for(void **state)
{
	char keylog[MANY][80];
	struct tls_params p[MANY];
	struct tls_ctx *ctx[MANY];
	struct tls_cache *c = tls_cache_new();

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		struct tls_ctx *first;

		snprintf(keylog[i], sizeof(keylog[i]), "%s/keys%zu", rig_dir, i);
		p[i] = rig_params();
		p[i].keylog_file = keylog[i];
		ctx[i] = get(c, &p[i]);
		first = get(c, &p[0]); /* asked for all the time: never the one that goes */
		assert_ptr_equal(first, ctx[0]);
		tls_ctx_unref(first);
	}
	for (size_t i = MANY - 1; i > MANY - 64; i--) {
		struct tls_ctx *again = get(c, &p[i]);

		assert_ptr_equal(again, ctx[i]);
		tls_ctx_unref(again);
	}
	for (size_t i = 1; i <= MANY - 64; i++) { /* these had to go, and are made anew */
		struct tls_ctx *again = get(c, &p[i]);

		assert_ptr_not_equal(again, ctx[i]);
		assert_true(tls_ctx_is_current(ctx[i])); /* our reference holds it */
		tls_ctx_unref(again);
	}
	for (size_t i = 0; i < MANY; i++)
		tls_ctx_unref(ctx[i]);
	tls_cache_free(c);
}

static void test_contexts_outlive_the_cache(void **state)
{
	struct tls_params p = rig_params();
	struct tls_cache *c = tls_cache_new();
	struct tls_rig r;

	(void)state;
	rig_init(&r, NULL, NULL);
	tls_ctx_unref(r.ctx);
	r.ctx = get(c, &p);
	tls_cache_free(c);
	rig_open(&r);
	rig_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_parameters_share),
		cmocka_unit_test(test_other_parameters_do_not_share),
		cmocka_unit_test(test_failures_are_not_kept),
		cmocka_unit_test(test_changed_file),
		cmocka_unit_test(test_more_than_there_is_room_for),
		cmocka_unit_test(test_contexts_outlive_the_cache),
	};

	return cmocka_run_group_tests(tests, rig_begin, rig_end);
}
