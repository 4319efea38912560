/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom we trust: each certificate against the sentence it must give, names with
 * their traps, pins, and that a refused server gets nothing but a handshake.
 */
#include "tls_rig.h"

#define REFUSED "the server's certificate was refused: "

/* Shakes hands; sentence NULL = it must work, and data passes. */
static void run_case(struct tls_rig *r, const char *name, const char *sentence)
{
	rig_shake(r, name);
	if (!sentence) {
		assert_string_equal(r->err.text, "");
		rig_send(r, 10);
		rig_wait_app_in(r, 10);
		return;
	}
	assert_string_equal(r->err.text, sentence);
	assert_int_equal(r->err.code, ERR_TLS);
	assert_int_equal(r->err.stage, STAGE_TLS);
	assert_null(r->stream);
	rig_turn_for(r, 2000);
	assert_int_equal(r->peer.app_in, 0);
}

static void run(const struct tls_peer_conf *peer, const struct tls_params *params, const char *name,
		const char *sentence)
{
	struct tls_rig r;

	rig_init(&r, peer, params);
	run_case(&r, name, sentence);
	rig_deinit(&r);
}

struct row {
	const char *cert, *name, *sentence;
};

static const struct row rows[] = {
	{ "rsa", "a.example", NULL },
	{ "good", "a.example", NULL },
	{ "good", "A.EXAMPLE", NULL },
	{ "good", "a.example.", NULL },
	{ "good", "127.0.0.1", NULL },
	{ "good", "::1", NULL },
	{ "good", "0:0:0:0:0:0:0:1", NULL },
	{ "good", "b.example", "the server's certificate is not for \"b.example\"" },
	{ "good", "sub.a.example", "the server's certificate is not for \"sub.a.example\"" },
	{ "good", "127.0.0.2", "the server's certificate is not for the address 127.0.0.2" },
	{ "good", "127.1", "the server's certificate is not for \"127.1\"" },
	{ "dns_ip", "127.0.0.1", "the server's certificate is not for the address 127.0.0.1" },
	{ "expired", "a.example", REFUSED "certificate has expired" },
	{ "future", "a.example", REFUSED "certificate is not yet valid" },
	{ "self", "a.example", REFUSED "self-signed certificate" },
	{ "unknown", "a.example", REFUSED "unable to get local issuer certificate" },
	{ "chained", "a.example", REFUSED "unable to get local issuer certificate" },
	{ "purpose", "a.example", REFUSED "unsuitable certificate purpose" },
	{ "cn_only", "a.example", "the server's certificate is not for \"a.example\"" },
	{ "wild", "x.wild.example", NULL },
	{ "wild", "X.Wild.Example.", NULL },
	{ "wild", "wild.example", "the server's certificate is not for \"wild.example\"" },
	{ "wild", "x.y.wild.example", "the server's certificate is not for \"x.y.wild.example\"" },
	{ "partial", "www.wild.example",
	  "the server's certificate is not for \"www.wild.example\"" },
};

static void test_certificates(void **state)
{
	(void)state;
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			struct tls_peer_conf peer = { .cert = rows[i].cert,
						      .min_version = version,
						      .max_version = version };

			run(&peer, NULL, rows[i].name, rows[i].sentence);
		}
	}
}

/* Not even a ClientHello leaves. */
static void test_names_that_are_none(void **state)
{
	static const char *const names[] = {
		"",    ".",	".example.com", "a..example", "a.example..",	  "*.example",
		"a b", "[::1]", "fe80::1%eth0", "a\nb",	      "b\xc3\xbc.example"
	};
	char longest[260];

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i <= sizeof(names) / sizeof(names[0]); i++) {
		struct tls_rig r;

		rig_init(&r, NULL, NULL);
		run_case(&r, i < sizeof(names) / sizeof(names[0]) ? names[i] : longest,
			 "the server name for TLS is neither a host name nor an address");
		assert_int_equal(r.peer.wire_in, 0);
		rig_deinit(&r);
	}
}

static void test_server_name_indication(void **state)
{
	static const char *const table[][2] = { { "a.example", "a.example" },
						{ "A.Example.", "a.example" },
						{ "127.0.0.1", "" },
						{ "::1", "" } };

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct tls_rig r;

		rig_init(&r, NULL, NULL);
		run_case(&r, table[i][0], NULL);
		assert_string_equal(r.peer.sni, table[i][1]);
		assert_string_equal(r.peer.alpn_offer, "\x08http/1.1");
		rig_deinit(&r);
	}
}

static void test_without_verification(void **state)
{
	static const char *const any[] = { "expired", "self", "unknown", "cn_only", "purpose" };
	struct tls_params params = rig_params();

	(void)state;
	params.verify = false; /* verify_hostname alone means nothing */
	for (size_t i = 0; i < sizeof(any) / sizeof(any[0]); i++)
		run(&(struct tls_peer_conf){ .cert = any[i] }, &params, "b.example", NULL);
	params.verify = true;
	params.verify_hostname = false;
	run(NULL, &params, "b.example", NULL);
	run(NULL, &params, "192.0.2.1", NULL);
	run(&(struct tls_peer_conf){ .cert = "cn_only" }, &params, "b.example", NULL);
	run(&(struct tls_peer_conf){ .cert = "expired" }, &params, "a.example",
	    REFUSED "certificate has expired");
	params.ca_file = rig_path("other.crt");
	run(NULL, &params, "a.example", REFUSED "unable to get local issuer certificate");
}

/* What stands in ca_file is trusted, a root or not; what does not, is not. */
static void test_trust_in_what_is_named(void **state)
{
	struct tls_params params = rig_params();

	(void)state;
	params.ca_file = rig_path("middle.crt");
	run(&(struct tls_peer_conf){ .cert = "chained" }, &params, "a.example", NULL);
	params.ca_file = rig_path("unknown.crt"); /* the server's own, signed by another */
	run(&(struct tls_peer_conf){ .cert = "unknown" }, &params, "a.example", NULL);
	run(NULL, &params, "a.example", REFUSED "unable to get local issuer certificate");
	params.ca_file = NULL; /* the system's */
	run(NULL, &params, "a.example", REFUSED "unable to get local issuer certificate");
	params.ca_dir = rig_dir; /* without names made of hashes: nothing is found */
	run(NULL, &params, "a.example", REFUSED "unable to get local issuer certificate");
}

static void test_pins(void **state)
{
	static const char *const sentence =
		"no certificate of the server has a key of tls.pin_sha256";
	char own[45], ca[45], wrong[45];
	const char *pins[2];
	struct tls_params params = rig_params();

	(void)state;
	tls_cert_pin(own, rig_dir, "good");
	tls_cert_pin(ca, rig_dir, "ca");
	tls_cert_pin(wrong, rig_dir, "rsa");
	params.pins = pins;
	params.n_pins = 1;
	pins[0] = own;
	run(NULL, &params, "a.example", NULL);
	run(NULL, &params, "b.example", "the server's certificate is not for \"b.example\"");
	pins[0] = ca;
	run(NULL, &params, "a.example", NULL);
	pins[0] = wrong;
	run(NULL, &params, "a.example", sentence);
	pins[1] = own;
	params.n_pins = 2;
	run(NULL, &params, "a.example", NULL);
	params.verify =
		false; /* the server's own key still counts; its word for a chain does not */
	run(NULL, &params, "b.example", NULL);
	pins[1] = ca;
	run(NULL, &params, "a.example", sentence);
}

/* The list is the user's; that nobody is who he says must not follow from it. */
static void test_anonymous_suite(void **state)
{
	struct tls_peer_conf peer = { .ciphers = "aNULL:@SECLEVEL=0",
				      .max_version = TLS1_2_VERSION };
	struct tls_params params = rig_params();

	(void)state;
	params.ciphers = "ALL:aNULL:@SECLEVEL=0";
	run(&peer, &params, "a.example", "the server showed no certificate");
	params.verify = false;
	run(&peer, &params, "a.example", NULL);
}

static void test_what_status_shows(void **state)
{
	const struct tls_info *info;
	struct tls_rig r;
	time_t now = time(NULL);

	(void)state;
	rig_init(&r, NULL, NULL);
	assert_null(tls_stream_info(r.stream)); /* TCP */
	rig_open(&r);
	info = tls_stream_info(r.stream);
	assert_string_equal(info->version, "TLSv1.3");
	assert_string_equal(info->cipher, "TLS_AES_256_GCM_SHA384");
	assert_true(info->verified);
	assert_int_equal(info->n_chain, 2);
	assert_string_equal(info->chain[0].subject, "CN=ecdsa");
	assert_string_equal(info->chain[0].issuer, "CN=Test Authority");
	assert_string_equal(info->chain[0].sans, "DNS:a.example, IP:127.0.0.1, IP:::1");
	assert_true(llabs(info->chain[0].not_before - (now - 86400)) < 3600);
	assert_true(llabs(info->chain[0].not_after - (now + 30 * 86400)) < 3600);
	assert_string_equal(info->chain[1].subject, "CN=Test Authority");
	assert_string_equal(info->chain[1].sans, "");
	rig_deinit(&r);
}

static void check_odd(const char *cn, const char *sans, const char *subject, const char *shown)
{
	const struct tls_cert_spec spec = { .name = "odd", .cn = cn, .sans = sans, .issuer = "ca" };
	struct tls_params params = rig_params();
	const struct tls_info *info;
	struct tls_rig r;

	params.verify_hostname = false;
	tls_cert_make(rig_dir, &spec);
	rig_init(&r, &(struct tls_peer_conf){ .cert = "odd" }, &params);
	rig_open(&r);
	info = tls_stream_info(r.stream);
	assert_string_equal(info->chain[0].subject, subject);
	assert_string_equal(info->chain[0].sans, shown);
	rig_deinit(&r);
}

/* A peer's own words: neither the terminal nor the next entry of a list may be forged. */
static void test_names_made_to_deceive(void **state)
{
	(void)state;
	check_odd("a,b\\ \x1b[31m\xe2\x80\xae\xc3\xbc", "DNS:a.example, URI:http://x/, email:a@b",
		  "CN=a\\,b\\\\ \\1B[31m\\xe2\\x80\\xae\xc3\xbc",
		  "DNS:a.example, URI:http://x/, email:a@b");
	check_odd("x", "DER:30:06:82:04:61:2c:20:62", "CN=x", "DNS:(malformed)"); /* "a, b" */
	check_odd("x", "DER:30:06:82:04:61:0a:1b:62", "CN=x", "DNS:a\\x0a\\x1bb");
	check_odd("x", "DER:30:05:87:03:01:02:03", "CN=x", "IP:(malformed)");
}

/* Thousands of names are cut, and say so. */
static void test_many_names(void **state)
{
	char sans[12000] = "DNS:a.example";
	size_t at = strlen(sans);
	const struct tls_info *info;
	struct tls_rig r;

	(void)state;
	for (int i = 0; i < 500; i++)
		at += (size_t)snprintf(sans + at, sizeof(sans) - at, ",DNS:n%d.a.example", i);
	tls_cert_make(rig_dir, &(struct tls_cert_spec){
				       .name = "odd", .cn = "many", .sans = sans, .issuer = "ca" });
	rig_init(&r, &(struct tls_peer_conf){ .cert = "odd" }, NULL);
	rig_open(&r);
	info = tls_stream_info(r.stream);
	assert_in_range(strlen(info->chain[0].sans), 2000, 2047);
	assert_string_equal(info->chain[0].sans + strlen(info->chain[0].sans) - 5, ", ...");
	rig_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_names_that_are_none),
		cmocka_unit_test(test_server_name_indication),
		cmocka_unit_test(test_without_verification),
		cmocka_unit_test(test_trust_in_what_is_named),
		cmocka_unit_test(test_pins),
		cmocka_unit_test(test_anonymous_suite),
		cmocka_unit_test(test_what_status_shows),
		cmocka_unit_test(test_names_made_to_deceive),
		cmocka_unit_test(test_many_names),
	};

	return cmocka_run_group_tests(tests, rig_begin, rig_end);
}
