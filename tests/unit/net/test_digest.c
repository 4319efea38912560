/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The examples of RFC 7616, 3.9.1 and RFC 2617, 3.5, what changes an answer,
 * and the challenges of a field: several in one, odd spacing, broken ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/auth_challenge.h"
#include "net/digest.h"
#include "support/guard.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NONCE_7616 "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define CNONCE_7616 "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
#define RFC7616(algorithm_)                                                                   \
	{                                                                                     \
		.algorithm = algorithm_, .user = "Mufasa", .password = "Circle of Life",      \
		.realm = "http-auth@example.org", .nonce = NONCE_7616, .cnonce = CNONCE_7616, \
		.count = 1, .method = "GET", .uri = "/dir/index.html",                        \
	}

static const struct {
	struct digest_input in;
	const char *response;
} vectors[] = {
	{ RFC7616(DIGEST_MD5), "8ca523f5e9506fed4657c9700eebdbec" },
	{ RFC7616(DIGEST_SHA256),
	  "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1" },
	{ { .algorithm = DIGEST_MD5,
	    .user = "Mufasa",
	    .password = "Circle Of Life",
	    .realm = "testrealm@host.com",
	    .nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093",
	    .cnonce = "0a4f113b",
	    .count = 1,
	    .method = "GET",
	    .uri = "/dir/index.html" },
	  "6629fae49393a05397450978507c4ef1" },
};

static void test_examples_of_the_rfcs(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		char out[DIGEST_HEX_SIZE];

		assert_true(digest_response(&vectors[i].in, out));
		assert_string_equal(out, vectors[i].response);
	}
}

static void test_every_part_counts(void **state)
{
	char first[DIGEST_HEX_SIZE], other[DIGEST_HEX_SIZE];

	(void)state;
	assert_true(digest_response(&vectors[0].in, first));
	for (int part = 0; part < 8; part++) {
		struct digest_input in = vectors[0].in;
		const char **strings[] = { &in.user,   &in.password, &in.realm, &in.nonce,
					   &in.cnonce, &in.method,   &in.uri };

		if (part < 7)
			*strings[part] = "other";
		else
			in.count = 2;
		assert_true(digest_response(&in, other));
		assert_string_not_equal(first, other);
	}
}

struct row {
	const char *value;
	const char *best; /* "MD5 realm nonce opaque", NULL = no Digest that can be answered */
	bool basic, unusable, stale, named;
};

static const struct row rows[] = {
	{ "", NULL, .basic = false },
	{ "Basic realm=\"x\"", NULL, .basic = true },
	{ "bAsIc", NULL, .basic = true },
	{ "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"", "MD5 r n -", .named = false },
	{ "Digest realm=\"r\",nonce=\"n\",qop=auth,algorithm=MD5,opaque=\"o\"", "MD5 r n o",
	  .named = true },
	{ "digest\tREALM = \"r\" , Nonce = n , QOP=\"auth-int, auth\" , Algorithm=sha-256",
	  "SHA256 r n -", .named = true },
	{ "Digest realm=\"a, \\\"b\\\" \\\\c\", nonce=\"=,=\", qop=\"auth\", opaque=\"\"",
	  "MD5 a, \"b\" \\c =,= ", .named = false },
	{ "Digest realm=r, nonce=n, qop=\"auth\", stale=TRUE", "MD5 r n -", .stale = true },
	{ "Digest realm=r, nonce=n, qop=\"auth\", stale=\"true\"", "MD5 r n -", .stale = true },
	{ "Digest realm=r, nonce=n, qop=\"auth\", stale=false, new=\"x,y\"", "MD5 r n -",
	  .named = false },
	{ "Basic realm=\"x\", Digest realm=r, nonce=n, qop=auth", "MD5 r n -", .basic = true },
	{ "Digest realm=r, nonce=n, qop=auth, Basic realm=\"x\"", "MD5 r n -", .basic = true },
	{ "Digest realm=r,nonce=n1,qop=auth,algorithm=MD5, Digest realm=r,nonce=n2,qop=auth,"
	  "algorithm=SHA-256",
	  "SHA256 r n2 -", .named = true },
	{ "Digest realm=r,nonce=n2,qop=auth,algorithm=SHA-256, Digest realm=r,nonce=n1,qop=auth,"
	  "algorithm=MD5",
	  "SHA256 r n2 -", .named = true },
	{ "Digest realm=r,nonce=n,qop=auth,algorithm=MD5-sess", NULL, .unusable = true },
	{ "Digest realm=r,nonce=n,qop=auth,algorithm=SHA-256-sess, Basic realm=x", NULL,
	  .basic = true, .unusable = true },
	{ "Digest realm=r,nonce=n,qop=auth,algorithm=SHA-512-256", NULL, .unusable = true },
	{ "Digest realm=r,nonce=n,qop=\"auth-int\"", NULL, .unusable = true },
	{ "Digest realm=r,nonce=n", NULL, .unusable = true },
	{ "Digest realm=r,qop=auth", NULL, .unusable = true },
	{ "Digest nonce=n,qop=auth", NULL, .unusable = true },
	{ "Digest realm=r,nonce=n,nonce=m,qop=auth", NULL, .unusable = true },
	{ "Digest realm=r,nonce=\"n,qop=auth", NULL, .unusable = true },
	{ "Digest realm=r,nonce=n,qop=auth,x=\"y", NULL, .unusable = true },
	{ "Digest realm=r,qop=auth,nonce=\"n\\", NULL, .unusable = true },
	{ "Digest realm=r,qop=auth,nonce=\"n\\\"", NULL, .unusable = true },
	{ "Negotiate", NULL, .basic = false },
	{ "Negotiate YIIB/+8=, Basic realm=x", NULL, .basic = true },
	{ "NTLM TlRMTVNTUAACAAAA==, Digest realm=r, nonce=n, qop=auth", "MD5 r n -",
	  .named = false },
	{ ",,, \t, Basic ,,", NULL, .basic = true },
	{ "Basic realm=", NULL, .basic = true },
	{ "\"Basic\"", NULL, .basic = false },
	{ "realm=x, nonce=y, Basic", NULL, .basic = true },
};

static void check(const struct row *row, const struct auth_offers *o)
{
	char best[1600];

	assert_int_equal(o->basic, row->basic);
	assert_int_equal(o->unusable, row->unusable);
	assert_int_equal(o->digest, row->best != NULL);
	if (!row->best)
		return;
	snprintf(best, sizeof(best), "%s %s %s %s",
		 o->best.algorithm == DIGEST_MD5 ? "MD5" : "SHA256", o->best.realm, o->best.nonce,
		 o->best.opaque_given ? o->best.opaque : "-");
	assert_string_equal(best, row->best);
	assert_int_equal(o->best.stale, row->stale);
	assert_int_equal(o->best.algorithm_named, row->named);
}

static void test_challenges(void **state)
{
	struct guard g;

	(void)state;
	guard_init(&g, 4096);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct auth_offers o = { 0 };

		print_message("%s\n", rows[i].value);
		auth_offers_add(&o, guard_place(&g, span_str(rows[i].value)));
		check(&rows[i], &o);
	}
	guard_deinit(&g);
}

/* Cut anywhere, a challenge may say less, but nothing is read behind its end. */
static void test_challenges_cut_at_every_byte(void **state)
{
	struct guard g;

	(void)state;
	guard_init(&g, 4096);
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t n = 0; n < strlen(rows[i].value); n++) {
			struct auth_offers o = { 0 };

			auth_offers_add(&o, guard_place(&g, span_of(rows[i].value, n)));
			assert_true(!o.basic || rows[i].basic);
		}
	}
	guard_deinit(&g);
}

static void test_parts_have_a_limit(void **state)
{
	static const char *const names[] = { "realm", "nonce", "opaque" };
	static const size_t sizes[] = { AUTH_REALM_SIZE, AUTH_NONCE_SIZE, AUTH_NONCE_SIZE };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		for (size_t over = 0; over < 2; over++) {
			char long_value[1024], value[2048];
			struct auth_offers o = { 0 };

			memset(long_value, 'x', sizeof(long_value));
			long_value[sizes[i] - 1 + over] = '\0';
			snprintf(value, sizeof(value), "Digest %s%s%s=\"%s\", qop=auth",
				 i == 0 ? "" : "realm=r, ", i == 1 ? "" : "nonce=n, ", names[i],
				 long_value);
			auth_offers_add(&o, span_str(value));
			assert_int_equal(o.digest, over == 0);
			assert_int_equal(o.unusable, over == 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples_of_the_rfcs),
		cmocka_unit_test(test_every_part_counts),
		cmocka_unit_test(test_challenges),
		cmocka_unit_test(test_challenges_cut_at_every_byte),
		cmocka_unit_test(test_parts_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
