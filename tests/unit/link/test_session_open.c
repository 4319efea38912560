/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to the open connection: secrets, redirects and what must not go with them, cookies,
 * TLS, the one deadline. What a server says when it refuses stands in test_refusal.c.
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
#include "session_rig.h"
#include "support/pidfd.h"

#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

/* A second server, of another origin, and what both answer. */
struct two {
	struct session_rig r;
	struct ws_peer other;
	char *answers[12];
	const char *script[13], *other_script[3];
	size_t n;
};

static void start(struct two *t)
{
	*t = (struct two){ 0 };
	session_rig_init(&t->r);
	ws_peer_init(&t->other, t->r.w.loop);
	t->r.w.peer.script = t->script;
}

static void finish(struct two *t)
{
	session_rig_free(&t->r);
	world_turn_for(&t->r.w, 2000);
	ws_peer_deinit(&t->other);
	session_rig_deinit(&t->r);
	for (size_t i = 0; i < t->n; i++)
		free(t->answers[i]);
}

/* $PORT and $OTHER become the ports. */
static char *with_ports(const struct two *t, const char *text)
{
	char *all = mem_strdup(text), *at;

	while ((at = strchr(all, '$'))) {
		bool is_other = at[1] == 'O';
		char *longer = mem_printf("%.*s%u%s", (int)(at - all), all,
					  (unsigned)(is_other ? t->other.port : t->r.w.peer.port),
					  at + (is_other ? 6 : 5));

		free(all);
		all = longer;
	}
	return all;
}

/* location NULL: there is none; fields: more of them, each with its CRLF. */
static const char *redirect(struct two *t, int status, const char *location, const char *fields)
{
	mem_auto_str field = location ? mem_printf("Location: %s\r\n", location) : mem_strdup("");
	mem_auto_str text = mem_printf("HTTP/1.1 %d Elsewhere\r\n%s%sContent-Length: 0\r\n\r\n",
				       status, field, fields);

	assert_true(t->n < COUNT(t->answers));
	t->answers[t->n] = with_ports(t, text);
	return t->answers[t->n++];
}

static void wait_end(struct two *t)
{
	world_wait_count(&t->r.w, &t->r.ended, 1);
	assert_int_equal(t->r.opened, 0);
}

static void test_statuses(void **state)
{
	static const struct {
		int status;
		bool followed;
	} rows[] = {
		{ 301, true },	{ 302, true },	{ 303, true },	{ 307, true },
		{ 308, true },	{ 300, false }, { 304, false }, { 305, false },
		{ 306, false }, { 200, false }, { 404, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct two t;

		start(&t);
		t.script[0] = redirect(&t, rows[i].status, "/next", "");
		session_rig_begin(&t.r, "'redirects': 1");
		if (rows[i].followed) {
			world_wait_count(&t.r.w, &t.r.opened, 1);
			assert_non_null(strstr(t.r.w.peer.request, "GET /next HTTP/1.1\r\n"));
			assert_string_equal(session_rig_details(&t.r).url->target, "/next");
			assert_int_equal(world_status_of(session_rig_details(&t.r).head), 101);
		} else {
			wait_end(&t);
			assert_int_equal(t.r.end.err.code, ERR_BAD_STATUS);
			assert_int_equal(t.r.end.err.status, rows[i].status);
		}
		assert_int_equal(t.r.w.peer.accepted, rows[i].followed ? 2 : 1);
		finish(&t);
	}
}

static void test_so_many_and_no_more(void **state)
{
	static const struct {
		const char *options;
		unsigned followed;
	} rows[] = {
		{ "", 0 },
		{ "'redirects': 0", 0 },
		{ "'redirects': 3", 3 },
		{ "'redirects': 10", 10 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct two t;

		start(&t);
		t.r.w.peer.answer = redirect(&t, 302, "/chat", ""); /* a loop of one */
		session_rig_begin(&t.r, rows[i].options);
		wait_end(&t);
		assert_int_equal(t.r.w.peer.accepted, rows[i].followed + 1);
		assert_int_equal(t.r.end.err.code, ERR_BAD_STATUS);
		assert_int_equal(t.r.end.err.stage, STAGE_HANDSHAKE);
		assert_int_equal(t.r.end.err.status, 302);
		assert_int_equal(world_status_of(session_rig_details(&t.r).head), 302);
		finish(&t);
	}
}

static void test_locations(void **state)
{
	static const struct {
		const char *location, *target;
	} rows[] = {
		{ "/a?b=c", "/a?b=c" },
		{ "other", "/other" },
		{ "?x=1", "/chat?x=1" },
		{ "../../up/./here", "/up/here" },
		{ "http://127.0.0.1:$PORT/absolute", "/absolute" },
		{ "HTTP://127.0.0.1:$PORT", "/" },
		{ "ws://127.0.0.1:$PORT/ws", "/ws" },
		{ "//127.0.0.1:$PORT/net", "/net" },
		{ "/piece#fragment", "/piece" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		mem_auto_str line = mem_printf("GET %s HTTP/1.1\r\n", rows[i].target);
		struct two t;

		start(&t);
		t.script[0] = redirect(&t, 302, rows[i].location, "");
		session_rig_begin(&t.r, "'redirects': 1, 'headers': {'X-Key': 'mine'}");
		world_wait_count(&t.r.w, &t.r.opened, 1);
		assert_ptr_equal(strstr(t.r.w.peer.request, line), t.r.w.peer.request);
		assert_non_null(strstr(t.r.w.peer.request, "X-Key: mine\r\n"));
		finish(&t);
	}
}

static void test_bad_locations(void **state)
{
	static const struct {
		const char *location, *text;
	} rows[] = {
		{ NULL, "redirect: there is no Location" },
		{ "", "redirect: the Location field is empty or too long" },
		{ "/a b", "redirect: the Location field has a character that no URL may have" },
		{ "ftp://127.0.0.1/", "redirect: the URL must begin with" },
		{ "http://", "redirect: the host is missing" },
		{ "ws://127.0.0.1:0/", "redirect: the port is not a number" },
		{ "ws+unix:/run/x.sock:/", "redirect: never to a socket of this machine" },
		{ "javascript:alert(1)", "redirect: the URL must begin with" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct two t;

		start(&t);
		t.script[0] = redirect(&t, 302, rows[i].location, "");
		session_rig_begin(&t.r, "'redirects': 1");
		wait_end(&t);
		assert_int_equal(t.r.end.err.code, ERR_BAD_STATUS);
		assert_int_equal(t.r.end.err.status, 302);
		if (strncmp(t.r.end.err.text, rows[i].text, strlen(rows[i].text)) != 0)
			fail_msg("\"%s\" for %s", t.r.end.err.text, rows[i].location);
		assert_int_equal(t.r.w.peer.accepted, 1);
		finish(&t);
	}
}

#define CANARIES                                                                         \
	"'redirects': 5, 'headers': {'X-Key': 'canary', 'Accept': 'canary'}, 'cookie': " \
	"'c=canary', 'host': 'canary', 'origin': 'http://canary', "

static const struct {
	const char *url, *options, *sent; /* sent: what the first server gets */
} configured[] = {
	{ "ws://127.0.0.1:$PORT/", CANARIES "'auth': {'bearer': 'canary'}", "Bearer canary\r\n" },
	/* Y2FuYXJ5 is the Base64 of canary */
	{ "ws://127.0.0.1:$PORT/",
	  CANARIES "'auth': {'basic': {'user': 'canary', 'password': 'canary'}}",
	  "Basic Y2FuYXJ5OmNhbmFyeQ==\r\n" },
	{ "ws://canary:canary@127.0.0.1:$PORT/", CANARIES "'cookies': 'off'",
	  "Basic Y2FuYXJ5OmNhbmFyeQ==\r\n" },
	{ "ws://a.example/", CANARIES "'connect_to': '127.0.0.1:$PORT'", "c=canary\r\n" },
};

static void check_no_canary(const char *requests)
{
	if (strstr(requests, "canary") || strstr(requests, "Y2FuYXJ5"))
		fail_msg("there is a canary in %s", requests);
}

static void test_no_secret_goes_to_another_origin(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(configured); i++) {
		struct two t;

		start(&t);
		t.script[0] = redirect(&t, 307, "same", "");
		t.script[1] = redirect(&t, 307, "http://127.0.0.1:$OTHER/there", "");
		t.r.w.peer.no_close = true;
		session_rig_begin_at(&t.r, configured[i].url, configured[i].options);
		world_wait_count(&t.r.w, &t.other.upgraded, 1);
		world_wait_count(&t.r.w, &t.r.opened, 1);
		assert_int_equal(t.r.w.peer.accepted, 2);
		assert_non_null(strstr(t.r.w.peer.request, "GET /same "));
		assert_non_null(strstr(t.r.w.peer.request, configured[i].sent));
		assert_non_null(strstr(t.r.w.peer.request, "X-Key: canary\r\n"));
		check_no_canary(t.other.requests);
		assert_ptr_equal(strstr(t.other.requests, "GET /there HTTP/1.1\r\n"),
				 t.other.requests);
		assert_null(strstr(t.other.requests, "Origin:"));
		assert_null(strstr(t.other.requests, "Authorization:"));
		assert_null(strstr(t.other.requests, "Cookie:"));
		assert_int_equal(t.other.bytes, strlen(t.other.requests));
		finish(&t);
	}
}

/* Whoever was led away does not become trusted by being led on, nor by being led back. */
static void test_led_away_is_led_away(void **state)
{
	struct two t;

	(void)state;
	start(&t);
	t.script[0] = redirect(&t, 302, "ws://127.0.0.1:$OTHER/there", "");
	t.other_script[0] = redirect(&t, 302, "/further", "");
	t.other_script[1] = redirect(&t, 302, "ws://127.0.0.1:$PORT/back", "");
	t.other.script = t.other_script;
	session_rig_begin(&t.r, CANARIES "'auth': {'bearer': 'canary'}");
	world_wait_count(&t.r.w, &t.r.opened, 1);
	assert_int_equal(t.r.w.peer.accepted, 2);
	assert_int_equal(t.other.accepted, 2);
	assert_non_null(strstr(t.r.w.peer.request, "GET /back "));
	assert_non_null(strstr(t.other.requests, "GET /further "));
	check_no_canary(t.r.w.peer.request);
	check_no_canary(t.other.requests);
	finish(&t);
}

static void test_details_after_a_redirect_that_leads_nowhere(void **state)
{
	struct session_details d;
	struct two t;

	(void)state;
	start(&t);
	ws_peer_refuse(&t.other);
	t.script[0] = redirect(&t, 302, "ws://127.0.0.1:$OTHER/there", "");
	session_rig_begin(&t.r, "'redirects': 1");
	wait_end(&t);
	assert_int_equal(t.r.end.err.code, ERR_CONNECT);
	assert_int_equal(t.r.end.err.stage, STAGE_CONNECT);
	d = session_rig_details(&t.r);
	assert_int_equal(d.url->port, t.other.port);
	assert_string_equal(d.url->target, "/there");
	assert_null(d.peer);
	assert_int_equal(d.head.n, 0);
	assert_non_null(d.report); /* with the address that was tried */
	assert_int_equal(d.handshake, -1);
	finish(&t);
}

static void test_cookies(void **state)
{
	static const struct {
		const char *options, *location, *cookie; /* NULL: none */
	} rows[] = {
		{ "'redirects': 1", "/next", "Cookie: k=v\r\n" },
		{ "'redirects': 1, 'cookie': 'own=1'", "/next", "Cookie: own=1; k=v\r\n" },
		{ "'redirects': 1, 'cookies': 'off'", "/next", NULL },
		/* another host; another port is the same one (RFC 6265, 8.5) */
		{ "'redirects': 1, 'socket': {'family': 'ipv4'}", "ws://localhost:$PORT/", NULL },
		{ "'redirects': 1, 'cookie': 'own=1'", "ws://127.0.0.1:$OTHER/",
		  "Cookie: k=v\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *request;
		struct two t;

		start(&t);
		t.script[0] = redirect(&t, 302, rows[i].location,
				       "Set-Cookie: k=v\r\nSet-Cookie: s=1; Secure\r\n");
		session_rig_begin(&t.r, rows[i].options);
		world_wait_count(&t.r.w, &t.r.opened, 1);
		request = t.other.accepted ? t.other.request : t.r.w.peer.request;
		if (rows[i].cookie)
			assert_non_null(strstr(request, rows[i].cookie));
		else
			assert_null(strstr(request, "Cookie:"));
		finish(&t);
	}
}

static bool has_asked(void *arg)
{
	const struct two *t = arg;

	return t->r.w.peer.request[0] != '\0';
}

/* What the first server has used up is not there for the second. */
static void test_one_deadline_over_all_of_it(void **state)
{
	const char *answer;
	int64_t began;
	struct two t;

	(void)state;
	start(&t);
	answer = redirect(&t, 302, "ws://127.0.0.1:$OTHER/", "");
	t.r.w.peer.answer = t.other.answer = "";
	began = loop_now(t.r.w.loop);
	session_rig_begin(&t.r, "'redirects': 1, 'timeouts': {'open': '1s', 'handshake': '20s'}");
	world_wait(&t.r.w, has_asked, &t);
	world_turn_for(&t.r.w, 700000);
	ws_peer_raw(&t.r.w.peer, span_str(answer));
	world_wait_count(&t.r.w, &t.other.accepted, 1);
	wait_end(&t);
	assert_in_range(loop_now(t.r.w.loop) - began, 1000000, 1600000);
	assert_int_equal(t.r.end.err.code, ERR_TIMEOUT);
	assert_int_equal(t.r.end.err.stage, STAGE_HANDSHAKE);
	finish(&t);
}

static void test_secret_that_cannot_be_read(void **state)
{
	struct two t;

	(void)state;
	start(&t);
	session_rig_begin(&t.r, "'auth': {'bearer': {'file': '/nonexistent'}}");
	wait_end(&t);
	assert_int_equal(t.r.end.err.code, ERR_INVALID_OPTION);
	assert_string_equal(t.r.end.err.option, "auth.bearer");
	assert_int_equal(t.r.w.peer.accepted, 0);
	finish(&t);
}

#define SLOW_SECRET "'cookie': {'command': ['/bin/sh', '-c', 'sleep 100']}"

static void test_secret_that_takes_too_long(void **state)
{
	struct two t;

	(void)state;
	need_pidfd();
	start(&t);
	session_rig_begin(&t.r, SLOW_SECRET ", 'timeouts': {'open': '50ms'}");
	wait_end(&t);
	assert_int_equal(t.r.end.err.code, ERR_TIMEOUT);
	assert_string_equal(t.r.end.err.text, "the secrets were not read within timeouts.open");
	assert_int_equal(t.r.w.peer.accepted, 0);
	finish(&t);
}

static void test_secret_of_a_command_is_sent(void **state)
{
	struct two t;

	(void)state;
	need_pidfd();
	start(&t);
	session_rig_begin(&t.r, "'auth': {'bearer': {'command': ['/bin/echo', 'token']}}");
	world_wait_count(&t.r.w, &t.r.opened, 1);
	assert_non_null(strstr(t.r.w.peer.request, "Authorization: Bearer token\r\n"));
	finish(&t);
}

/* Where the session stands when it is closed or freed. */
enum { AT_SECRETS, AT_REDIRECTED, AT_SECOND_SERVER, N_PLACES };

static bool answered(void *arg)
{
	const struct two *t = arg;

	return t->r.w.peer.script != t->script;
}

static void go_to(struct two *t, int place)
{
	start(t);
	t->script[0] = redirect(t, 302, "ws://127.0.0.1:$OTHER/", "");
	t->other.answer = "";
	session_rig_begin(&t->r, place == AT_SECRETS ? SLOW_SECRET : "'redirects': 1");
	if (place == AT_SECRETS)
		world_turn_for(&t->r.w, 0);
	else if (place == AT_REDIRECTED)
		world_wait(&t->r.w, answered, t);
	else
		world_wait_count(&t->r.w, &t->other.accepted, 1);
}

static void test_closed_or_freed_on_the_way(void **state)
{
	(void)state;
	need_pidfd();
	for (int place = 0; place < N_PLACES; place++) {
		struct two t;

		go_to(&t, place);
		session_rig_free(&t.r);
		world_turn_for(&t.r.w, 5000); /* the rig refuses every callback */
		finish(&t);
		go_to(&t, place);
		session_rig_close(&t.r, 1000, "");
		wait_end(&t);
		assert_int_equal(t.r.end.err.code, ERR_NOT_OPEN);
		world_turn_for(&t.r.w, 5000);
		finish(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_so_many_and_no_more),
		cmocka_unit_test(test_locations),
		cmocka_unit_test(test_bad_locations),
		cmocka_unit_test(test_no_secret_goes_to_another_origin),
		cmocka_unit_test(test_led_away_is_led_away),
		cmocka_unit_test(test_details_after_a_redirect_that_leads_nowhere),
		cmocka_unit_test(test_cookies),
		cmocka_unit_test(test_one_deadline_over_all_of_it),
		cmocka_unit_test(test_secret_that_cannot_be_read),
		cmocka_unit_test(test_secret_that_takes_too_long),
		cmocka_unit_test(test_secret_of_a_command_is_sent),
		cmocka_unit_test(test_closed_or_freed_on_the_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
