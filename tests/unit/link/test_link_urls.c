/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From attempt to attempt: the list of URLs in turn, the cookies that are kept between them,
 * and what can be told of the last one when it is over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_head.h"
#include "base/mem.h"
#include "link_rig.h"
#include "net/dial.h"

#define BUSY "HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nlater"

/* Three servers: one where nobody listens, one that refuses, one that is fine. */
struct three {
	struct link_rig r; /* r.w.peer is the third */
	struct ws_peer first, second;
};

static char *options_of(const struct three *t)
{
	return mem_printf(LINK_FAST ", 'url': ['ws://127.0.0.1:%u/', 'ws://127.0.0.1:%u/', "
				    "'ws://127.0.0.1:$PORT/']",
			  (unsigned)t->first.port, (unsigned)t->second.port);
}

static void start(struct three *t)
{
	mem_auto_str options = NULL;

	link_rig_init(&t->r, LINK_FAST);
	ws_peer_init(&t->first, t->r.w.loop);
	ws_peer_init(&t->second, t->r.w.loop);
	ws_peer_refuse(&t->first);
	t->second.answer = BUSY;
	options = options_of(t);
	link_rig_configure(&t->r, options, false);
}

static void finish(struct three *t)
{
	link_rig_free(&t->r);
	world_turn_for(&t->r.w, 2000);
	ws_peer_deinit(&t->first);
	ws_peer_deinit(&t->second);
	link_rig_deinit(&t->r);
}

static void test_the_next_one_is_tried(void **state)
{
	struct link_info info;
	struct three t;

	(void)state;
	start(&t);
	assert_int_equal(link_rig_info(&t.r).details.url->port, t.first.port);
	link_rig_open(&t.r);
	assert_string_equal(t.r.states, "connecting waiting connecting waiting connecting open ");
	info = link_rig_info(&t.r);
	assert_int_equal(t.second.accepted, 1);
	assert_int_equal(info.details.url->port, t.r.w.peer.port);
	assert_int_equal(info.last_error.status, 503);
	assert_int_equal(info.epoch, 1);
	finish(&t);
}

/* A lost connection is tried again where it was; only what cannot be opened is passed over. */
static void test_stays_where_it_works(void **state)
{
	struct three t;

	(void)state;
	start(&t);
	link_rig_open(&t.r);
	ws_peer_reset(&t.r.w.peer);
	world_wait_count(&t.r.w, &t.r.w.peer.upgraded, 2);
	link_rig_wait(&t.r, LINK_OPEN);
	assert_int_equal(t.second.accepted, 1);
	finish(&t);
}

static void test_comes_back_around(void **state)
{
	struct three t;

	(void)state;
	start(&t);
	link_rig_open(&t.r);
	t.r.w.peer.answer = BUSY;
	ws_peer_reset(&t.r.w.peer);
	world_wait_count(&t.r.w, &t.second.accepted, 3); /* twice around */
	assert_int_equal(t.r.w.peer.accepted, 3);
	t.second.answer = NULL;
	link_rig_wait(&t.r, LINK_OPEN);
	assert_int_equal(t.second.upgraded, 1);
	assert_int_equal(link_rig_info(&t.r).details.url->port, t.second.port);
	finish(&t);
}

/* An end that was asked for passes nothing over. */
static void test_reconnect_stays(void **state)
{
	struct three t;

	(void)state;
	start(&t);
	link_rig_open(&t.r);
	link_reconnect(t.r.k);
	world_wait_count(&t.r.w, &t.r.w.peer.upgraded, 2);
	link_rig_wait(&t.r, LINK_OPEN);
	assert_int_equal(t.second.accepted, 1);
	finish(&t);
}

/* A new list is begun at its beginning. */
static void test_another_list(void **state)
{
	mem_auto_str options = NULL;
	struct three t;

	(void)state;
	start(&t);
	link_rig_open(&t.r);
	t.second.answer = NULL;
	options = mem_printf(LINK_FAST ", 'url': ['ws://127.0.0.1:%u/', 'ws://127.0.0.1:$PORT/']",
			     (unsigned)t.second.port);
	link_rig_configure(&t.r, options, true);
	world_wait_count(&t.r.w, &t.second.upgraded, 1);
	link_rig_wait(&t.r, LINK_OPEN);
	assert_int_equal(link_rig_info(&t.r).details.url->port, t.second.port);
	finish(&t);
}

/* It may be shorter than where we are in the old one. */
static void test_a_shorter_list_without_reconnecting(void **state)
{
	struct link_rig *r;
	struct three t;

	(void)state;
	start(&t);
	r = &t.r;
	link_rig_open(r);
	link_rig_configure(r, LINK_FAST ", 'url': 'ws://127.0.0.1:$PORT/short'", false);
	assert_string_equal(link_rig_info(r).details.url->target, "/");
	ws_peer_reset(&r->w.peer);
	world_wait_count(&r->w, &r->w.peer.upgraded, 2);
	link_rig_wait(r, LINK_OPEN);
	assert_string_equal(link_rig_info(r).details.url->target, "/short");
	finish(&t);
}

#define SETS_COOKIES(status, more)                                        \
	"HTTP/1.1 " status " Not Now\r\nSet-Cookie: k=canary; Path=/\r\n" \
	"Set-Cookie: gone=1; Max-Age=0\r\nContent-Length: 0\r\n" more "\r\n"

static void test_cookies_are_sent_back(void **state)
{
	static const struct {
		const char *script[3];
		const char *options;
		bool kept;
	} rows[] = {
		{ { SETS_COOKIES("503", "") }, "", true },
		{ { SETS_COOKIES("302", "Location: /next\r\n"), BUSY }, ", 'redirects': 1", true },
		{ { SETS_COOKIES("302", "Location: /next\r\n") }, "", true },
		{ { SETS_COOKIES("503", "") }, ", 'cookies': 'off'", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		mem_auto_str options = mem_printf(LINK_FAST "%s", rows[i].options);
		struct link_rig r;

		link_rig_init(&r, options);
		r.w.peer.script = rows[i].script;
		link_rig_open(&r);
		assert_int_equal(strstr(r.w.peer.request, "Cookie: k=canary\r\n") != NULL,
				 rows[i].kept);
		assert_null(strstr(r.w.peer.request, "gone"));
		assert_non_null(strstr(r.w.peer.request, "GET / HTTP/1.1\r\n"));
		link_stop(r.k, 1000, "");
		link_rig_wait(&r, LINK_STOPPED);
		link_rig_open(&r); /* the jar is the link's, not the connection's */
		assert_int_equal(strstr(r.w.peer.request, "Cookie: k=canary\r\n") != NULL,
				 rows[i].kept);
		link_rig_deinit(&r);
	}
}

static void test_details_of_a_refusal(void **state)
{
	struct link_rig r;
	struct link_info info;

	(void)state;
	link_rig_init(&r, "'reconnect': {'initial': '1h', 'max': '1h', 'slow': '1h'}");
	info = link_rig_info(&r);
	assert_int_equal(info.details.url->port, r.w.peer.port);
	assert_int_equal(info.details.head.n, 0);
	assert_null(info.details.report);
	assert_int_equal(info.details.handshake, -1);
	r.w.peer.answer = BUSY;
	link_start(r.k);
	link_rig_wait(&r, LINK_WAITING);
	world_turn_for(&r.w, 2000);
	info = link_rig_info(&r);
	assert_int_equal(world_status_of(info.details.head), 503);
	assert_true(span_equal(info.details.body, span_str("later")));
	assert_non_null(info.details.report);
	assert_int_equal(info.details.report->n_tries, 1);
	assert_true(info.details.handshake >= 0);
	assert_null(info.details.peer);
	assert_true(info.last_rx < 0); /* no frame has come */
	r.w.peer.answer = NULL;
	link_reconnect(r.k);
	assert_int_equal(link_rig_info(&r).details.head.n, 0);
	link_rig_wait(&r, LINK_OPEN);
	info = link_rig_info(&r);
	assert_int_equal(world_status_of(info.details.head), 101);
	assert_int_equal(info.details.body.n, 0);
	assert_non_null(info.details.peer);
	link_rig_deinit(&r);
}

static void test_details_after_a_connection(void **state)
{
	struct link_rig r;
	struct link_info info;

	(void)state;
	link_rig_init(&r, LINK_FAST);
	link_rig_open(&r);
	link_stop(r.k, 1000, "");
	link_rig_wait(&r, LINK_STOPPED);
	world_turn_for(&r.w, 2000);
	info = link_rig_info(&r);
	assert_int_equal(world_status_of(info.details.head), 101);
	assert_null(info.details.peer);
	assert_null(info.details.tls);
	assert_non_null(info.details.report);
	assert_int_equal(info.progress.data_queued, 0);
	link_rig_deinit(&r);
}

static void test_details_when_nobody_listens(void **state)
{
	struct link_rig r;
	struct link_info info;

	(void)state;
	link_rig_init(&r, "'reconnect': {'initial': '1h', 'max': '1h', 'slow': '1h'}");
	ws_peer_refuse(&r.w.peer);
	link_start(r.k);
	link_rig_wait(&r, LINK_WAITING);
	info = link_rig_info(&r);
	assert_int_equal(info.details.head.n, 0);
	assert_non_null(info.details.report);
	assert_int_equal(info.details.report->n_tries, 1);
	assert_int_equal(info.details.handshake, -1);
	link_rig_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_next_one_is_tried),
		cmocka_unit_test(test_stays_where_it_works),
		cmocka_unit_test(test_comes_back_around),
		cmocka_unit_test(test_reconnect_stays),
		cmocka_unit_test(test_another_list),
		cmocka_unit_test(test_a_shorter_list_without_reconnecting),
		cmocka_unit_test(test_cookies_are_sent_back),
		cmocka_unit_test(test_details_of_a_refusal),
		cmocka_unit_test(test_details_after_a_connection),
		cmocka_unit_test(test_details_when_nobody_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
