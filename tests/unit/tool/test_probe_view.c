/* SPDX-License-Identifier: Apache-2.0 */
/* What a probe has found out, as JSON: every field, and no secret. */
#include "tool/probe_view.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/url.h"
#include "net/dial.h"
#include "net/tls.h"

#define DAY INT64_C(86400)
#define NOW INT64_C(1000000000)

/* Facts of an attempt that has got nowhere, to be filled in. */
struct rig {
	struct url url;
	struct dial_report report;
	struct happy_try tries[4]; /* the report's */
	struct session_details details;
	struct probe_facts facts;
};

static void rig_init(struct rig *r, const char *url)
{
	struct error err;

	memset(r, 0, sizeof(*r));
	assert_true(url_parse(&r->url, url, &err));
	for (int s = 0; s <= STAGE_OPEN; s++)
		r->report.took[s] = -1;
	r->report.tries = r->tries;
	r->report.peer = "";
	r->details = (struct session_details){ .url = &r->url, .handshake = -1 };
	r->facts = (struct probe_facts){ .url = &r->url, .details = &r->details, .now = NOW };
}

static void rig_answer(struct rig *r, const char *text)
{
	r->details.head = span_str(text);
}

static void rig_deinit(struct rig *r)
{
	url_deinit(&r->url);
}

static void assert_view(struct rig *r, const char *expected)
{
	json_t *v = probe_view(&r->facts);
	mem_auto_str text = json_dumps(v, JSON_COMPACT);

	assert_string_equal(text, expected);
	json_decref(v);
}

/* One field of the view, compact. */
static void assert_field(struct rig *r, const char *key, const char *expected)
{
	json_t *v = probe_view(&r->facts);
	mem_auto_str text = json_dumps(json_object_get(v, key), JSON_COMPACT | JSON_ENCODE_ANY);

	assert_string_equal(text, expected);
	json_decref(v);
}

static void add_try(struct rig *r, const char *address, int64_t took, int os)
{
	struct happy_try *try = &r->tries[r->report.n_tries++];

	try->address = address;
	try->took = took;
	try->os = os;
}

static void test_nothing(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, "ws://user:hunter2@example.net:8080/feed?token=hunter2");
	assert_view(&r, "{\"url\":\"ws://example.net:8080/feed?...\",\"ok\":false,"
			"\"timings\":{\"total\":0.0},\"addresses\":[],\"peer\":null,\"proxy\":null,"
			"\"tls\":null,\"handshake\":null,\"subprotocol\":null,\"extensions\":[],"
			"\"warnings\":[]}");
	rig_deinit(&r);
}

static void test_open(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, "ws://example.net/");
	r.report.took[STAGE_RESOLVE] = 1500;
	r.report.took[STAGE_CONNECT] = 250000;
	r.report.took[STAGE_PROXY] = 0;
	add_try(&r, "[2001:db8::1]:3128", 100, ENETUNREACH);
	add_try(&r, "192.0.2.1:3128", 250000, 0);
	r.report.peer = "192.0.2.1:3128";
	r.details.report = &r.report;
	r.details.peer = r.report.peer;
	r.details.handshake = 500000;
	r.details.subprotocol = "chat";
	r.facts.ok = true;
	r.facts.proxy = "http://192.0.2.1:3128";
	r.facts.total = 1250000;
	rig_answer(&r, "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n"
		       "Set-Cookie: a=hunter2\r\nX: 1\r\nX: 2\r\n\r\n");
	assert_view(&r, "{\"url\":\"ws://example.net/\",\"ok\":true,"
			"\"timings\":{\"resolve\":0.0015,\"connect\":0.25,\"proxy\":0.0,"
			"\"handshake\":0.5,\"total\":1.25},"
			"\"addresses\":[{\"address\":\"[2001:db8::1]:3128\",\"time\":0.0001,"
			"\"result\":\"Network is unreachable\"},{\"address\":\"192.0.2.1:3128\","
			"\"time\":0.25,\"result\":\"connected\"}],\"peer\":\"192.0.2.1:3128\","
			"\"proxy\":\"http://192.0.2.1:3128\",\"tls\":null,"
			"\"handshake\":{\"status\":101,\"headers\":{\"upgrade\":\"websocket\","
			"\"set-cookie\":\"***\",\"x\":[\"1\",\"2\"]}},\"subprotocol\":\"chat\","
			"\"extensions\":[],\"warnings\":[]}");
	rig_deinit(&r);
}

static void test_results_of_addresses(void **state)
{
	static const struct {
		int os;
		const char *result;
	} cases[] = {
		{ 0, "connected" },
		{ ECANCELED, "another was quicker" },
		{ EINPROGRESS, "no answer so far" },
		{ ETIMEDOUT, "no answer in time" },
		{ ECONNREFUSED, "Connection refused" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		mem_auto_str expected = mem_printf("[{\"address\":\"192.0.2.1:1\",\"time\":1.0,"
						   "\"result\":\"%s\"}]",
						   cases[i].result);
		struct rig r;

		rig_init(&r, "ws://h/");
		r.details.report = &r.report;
		add_try(&r, "192.0.2.1:1", 1000000, cases[i].os);
		assert_field(&r, PROBE_ADDRESSES, expected);
		rig_deinit(&r);
	}
}

static const struct {
	int64_t before, after; /* from now on */
	bool verified;
	const char *days, *warnings;
} certificates[] = {
	{ -DAY, 90 * DAY, true, "90", "[]" },
	{ -DAY, 15 * DAY, true, "15", "[]" },
	{ -DAY, 15 * DAY - 1, true, "14", "[\"the certificate of CN=a expires in 14 days\"]" },
	{ -DAY, DAY, true, "1", "[\"the certificate of CN=a expires in 1 day\"]" },
	{ -DAY, 0, true, "0", "[\"the certificate of CN=a expires in 0 days\"]" },
	{ -DAY, -1, false, "-1",
	  "[\"the certificate of the server was not verified\","
	  "\"the certificate of CN=a has expired\"]" },
	{ -2 * DAY, -DAY, true, "-1", "[\"the certificate of CN=a has expired\"]" },
	{ -3 * DAY, -DAY - 1, true, "-2", "[\"the certificate of CN=a has expired\"]" },
	{ 1, 90 * DAY, true, "90", "[\"the certificate of CN=a is not valid yet\"]" },
};

static void test_certificates(void **state)
{
	char subject[] = "CN=a", issuer[] = "CN=b", sans[] = "DNS:a";

	(void)state;
	for (size_t i = 0; i < sizeof(certificates) / sizeof(*certificates); i++) {
		struct tls_cert cert = { subject, issuer, sans, NOW + certificates[i].before,
					 NOW + certificates[i].after };
		struct tls_info info = { .version = "TLSv1.3",
					 .cipher = "C",
					 .verified = certificates[i].verified,
					 .chain = &cert,
					 .n_chain = 1 };
		mem_auto_str expected = mem_printf(
			"{\"version\":\"TLSv1.3\",\"cipher\":\"C\",\"verified\":%s,\"chain\":[{"
			"\"subject\":\"CN=a\",\"issuer\":\"CN=b\",\"sans\":\"DNS:a\","
			"\"not_before\":%lld,\"not_after\":%lld,\"days_left\":%s}]}",
			certificates[i].verified ? "true" : "false", (long long)cert.not_before,
			(long long)cert.not_after, certificates[i].days);
		struct rig r;

		rig_init(&r, "wss://a/");
		r.details.tls = &info;
		assert_field(&r, "tls", expected);
		assert_field(&r, PROBE_WARNINGS, certificates[i].warnings);
		rig_deinit(&r);
	}
}

static void test_tls_with_the_proxy(void **state)
{
	struct tls_info info = { .version = "TLSv1.2", .cipher = "C" };
	struct rig r;

	(void)state;
	rig_init(&r, "ws://a/");
	r.details.report = &r.report;
	r.report.proxy_tls = &info;
	assert_field(&r, PROBE_PROXY_TLS,
		     "{\"version\":\"TLSv1.2\",\"cipher\":\"C\",\"verified\":false,\"chain\":[]}");
	assert_field(&r, PROBE_WARNINGS, "[\"the certificate of the proxy was not verified\"]");
	rig_deinit(&r);
}

static void test_refusal(void **state)
{
	static const struct {
		const char *body, *shown;
	} cases[] = {
		{ "no\r\n", "no\\r\\n" }, { "caf\xC3\xA9", "caf\xC3\xA9" },
		{ "caf\xC3", "caf" }, /* cut off inside the character */
		{ "\xF0\x9F\x98", "" },	  { "\xFF\xFE\x1b[1m", "\\\\xff\\\\xfe\\\\x1b[1m" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		mem_auto_str expected = mem_printf("{\"status\":404,\"headers\":{\"www-"
						   "authenticate\":\"***\"},\"body\":\"%s\"}",
						   cases[i].shown);
		struct rig r;

		rig_init(&r, "ws://a/");
		rig_answer(&r, "HTTP/1.1 404 Not Found\r\nWWW-Authenticate: Basic\r\n\r\n");
		r.details.body = span_str(cases[i].body);
		assert_field(&r, "handshake", expected);
		rig_deinit(&r);
	}
}

static void test_redirected(void **state)
{
	struct url to;
	struct error err;
	struct rig r;

	(void)state;
	rig_init(&r, "ws://a/");
	assert_true(url_parse(&to, "ws://b/c?hunter2", &err));
	r.details.url = &to;
	assert_field(&r, "url", "\"ws://a/\"");
	assert_field(&r, PROBE_REDIRECTED, "\"ws://b/c?...\"");
	url_deinit(&to);
	rig_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_results_of_addresses),
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_tls_with_the_proxy),
		cmocka_unit_test(test_refusal),
		cmocka_unit_test(test_redirected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
