/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wss: what there is to tell of the connection while it lasts, redirects within TLS, and that
 * none of them leads out of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/dial.h"
#include "net/tls.h"
#include "session_rig.h"
#include "support/tls_certs.h"
#include "support/tls_front.h"

static char dir[] = "/tmp/wsbridge-session-XXXXXX";

static int make_certificates(void **state)
{
	static const struct tls_cert_spec certs[] = {
		{ .name = "ca", .cn = "CA", .is_ca = true },
		{ .name = "server", .cn = "server", .sans = "IP:127.0.0.1", .issuer = "ca" },
		{ .name = "client", .cn = "client", .issuer = "ca", .is_client = true },
	};

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < sizeof(certs) / sizeof(*certs); i++)
		tls_cert_make(dir, &certs[i]);
	return 0;
}

static int remove_certificates(void **state)
{
	(void)state;
	tls_certs_remove(dir);
	return 0;
}

struct secure {
	struct session_rig r;
	struct tls_front front, other; /* other: another origin, the same server behind it */
	char *answer;
	const char *script[2];
};

static void start(struct secure *s, const char *client_ca)
{
	struct tls_peer_conf conf = { .dir = dir, .cert = "server", .client_ca = client_ca };

	*s = (struct secure){ 0 };
	session_rig_init(&s->r);
	tls_front_init(&s->front, s->r.w.loop, &conf, s->r.w.peer.port);
	tls_front_init(&s->other, s->r.w.loop, &conf, s->r.w.peer.port);
	s->r.w.peer.script = s->script;
}

static void finish(struct secure *s)
{
	session_rig_free(&s->r);
	world_turn_for(&s->r.w, 2000);
	tls_front_deinit(&s->front);
	tls_front_deinit(&s->other);
	session_rig_deinit(&s->r);
	free(s->answer);
}

static void begin(struct secure *s, const char *tls, const char *options)
{
	mem_auto_str url = mem_printf("wss://127.0.0.1:%u/", (unsigned)s->front.port);
	mem_auto_str all = mem_printf("'tls': {'ca_file': '%s/ca.crt'%s}%s", dir, tls, options);

	session_rig_begin_at(&s->r, url, all);
}

static void redirect(struct secure *s, const char *scheme, uint16_t port)
{
	s->answer = mem_printf("HTTP/1.1 302 Found\r\nLocation: %s://127.0.0.1:%u/next\r\n"
			       "Content-Length: 0\r\n\r\n",
			       scheme, (unsigned)port);
	s->script[0] = s->answer;
}

static void test_details(void **state)
{
	struct session_details d;
	struct secure s;

	(void)state;
	start(&s, NULL);
	begin(&s, "", "");
	assert_null(session_rig_details(&s.r).tls);
	world_wait_count(&s.r.w, &s.r.opened, 1);
	d = session_rig_details(&s.r);
	assert_string_equal(d.tls->version, "TLSv1.3");
	assert_true(d.tls->verified);
	assert_string_equal(d.tls->chain[0].subject, "CN=server");
	assert_true(d.report->took[STAGE_TLS] >= 0);
	assert_int_equal(session_rig_text(&s.r, "in the dark"), SESSION_SENT);
	world_wait_seen(&s.r.w, "text in the dark|");
	session_rig_close(&s.r, 1000, "");
	world_wait_count(&s.r.w, &s.r.ended, 1);
	assert_true(s.r.end.clean);
	d = session_rig_details(&s.r);
	assert_null(d.tls);
	assert_null(d.peer);
	assert_null(d.report->tls); /* nothing that went with the stream */
	finish(&s);
}

static void test_refused_certificate(void **state)
{
	struct secure s;

	(void)state;
	start(&s, NULL);
	begin(&s, ", 'server_name': 'other.example'", ", 'cookie': 'c=canary'");
	world_wait_count(&s.r.w, &s.r.ended, 1);
	assert_int_equal(s.r.end.err.code, ERR_TLS);
	assert_int_equal(s.r.end.err.stage, STAGE_TLS);
	assert_int_equal(s.r.w.peer.bytes, 0);
	finish(&s);
}

static void test_redirects_within_tls(void **state)
{
	struct secure s;

	(void)state;
	start(&s, NULL);
	redirect(&s, "https", s.front.port);
	begin(&s, "", ", 'redirects': 1, 'cookie': 'c=1'");
	world_wait_count(&s.r.w, &s.r.opened, 1);
	assert_int_equal(s.front.accepted, 2);
	assert_non_null(strstr(s.r.w.peer.request, "GET /next "));
	assert_non_null(strstr(s.r.w.peer.request, "Cookie: c=1\r\n"));
	assert_non_null(session_rig_details(&s.r).tls);
	finish(&s);
}

static void test_never_out_of_tls(void **state)
{
	static const char *const schemes[] = { "ws", "http", "WS" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct secure s;

		start(&s, NULL);
		redirect(&s, schemes[i], s.r.w.peer.port);
		begin(&s, "", ", 'redirects': 5");
		world_wait_count(&s.r.w, &s.r.ended, 1);
		assert_int_equal(s.r.end.err.code, ERR_BAD_STATUS);
		assert_int_equal(s.r.end.err.status, 302);
		assert_non_null(
			strstr(s.r.end.err.text, "redirect: from wss:// never to anything else"));
		assert_int_equal(s.r.w.peer.accepted, 1);
		finish(&s);
	}
}

/* Both servers ask for a client certificate; only the configured one is shown it. */
static void test_client_certificate_stays_behind(void **state)
{
	mem_auto_str tls = mem_printf(", 'cert': '%s/client.crt', 'key': '%s/client.key'", dir,
				      dir);
	struct secure s;

	(void)state;
	start(&s, "ca");
	redirect(&s, "wss", s.other.port);
	begin(&s, tls, ", 'redirects': 1");
	world_wait_count(&s.r.w, &s.r.ended, 1);
	assert_int_equal(s.front.accepted, 1);
	assert_int_equal(s.other.accepted, 1);
	assert_non_null(strstr(s.r.w.peer.requests, "GET / HTTP/1.1\r\n"));
	assert_null(strstr(s.r.w.peer.requests, "GET /next")); /* it was not let in */
	assert_true(s.r.end.err.code == ERR_CONNECT || s.r.end.err.code == ERR_TLS);
	finish(&s);
}

static bool has_asked(void *arg)
{
	return ((struct secure *)arg)->r.w.peer.request[0] != '\0';
}

/* TLS with the proxy goes with the dial, and so does what there is to tell of it. */
static void test_given_up_behind_a_proxy(void **state)
{
	mem_auto_str options = NULL;
	struct session_details d;
	struct secure s;

	(void)state;
	start(&s, NULL);
	s.r.w.peer.answer = "";
	options = mem_printf("'proxy': 'https://127.0.0.1:%u', 'tls': {'ca_file': '%s/ca.crt'}",
			     (unsigned)s.front.port, dir);
	session_rig_begin_at(&s.r, "ws://example.net/", options);
	world_wait(&s.r.w, has_asked, &s);
	session_rig_close(&s.r, 1000, "");
	d = session_rig_details(&s.r);
	assert_string_not_equal(d.report->tries[0].address, "");
	assert_null(d.report->proxy_tls);
	world_wait_count(&s.r.w, &s.r.ended, 1);
	finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_details),
		cmocka_unit_test(test_refused_certificate),
		cmocka_unit_test(test_redirects_within_tls),
		cmocka_unit_test(test_never_out_of_tls),
		cmocka_unit_test(test_client_certificate_stays_behind),
		cmocka_unit_test(test_given_up_behind_a_proxy),
	};

	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
