/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A handshake that is refused: the status, the header fields and the beginning of the body are
 * kept, and neither a slow server nor an endless one holds up the end for long.
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
#include "session_rig.h"

#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))
#define SOON ((int64_t)500000) /* well below the second that a body may take */
#define FOREVER ((int64_t)15000000)

enum then { STAYS, FINISHES, RESETS };

struct refusal {
	const char *name, *fields, *body, *more; /* more: a moment later */
	size_t filler;				 /* so many 'x' behind `more` */
	enum then then;
	const char *options;
	const char *kept; /* NULL: SESSION_BODY_MAX bytes */
	int64_t at_least, at_most;
};

static const struct refusal refusals[] = {
	{ "length", "Content-Length: 5\r\n", "hello", .kept = "hello", .at_most = SOON },
	{ "length 0", "Content-Length: 0\r\n", "", .kept = "", .at_most = SOON },
	{ "more than its length", "Content-Length: 4\r\n", "hello", .kept = "hell",
	  .at_most = SOON },
	{ "in pieces", "Content-Length: 9\r\n", "hel", "lo all", .kept = "hello all",
	  .at_most = SOON },
	{ "head alone, then the body", "Content-Length: 5\r\n", "", "hello", .kept = "hello",
	  .at_most = SOON },
	{ "less than its length", "Content-Length: 9\r\n", "hello", .then = FINISHES,
	  .kept = "hello", .at_most = SOON },
	{ "until the end", "", "hel", "lo", .then = FINISHES, .kept = "hello", .at_most = SOON },
	{ "nothing until the end", "", "", .then = FINISHES, .kept = "", .at_most = SOON },
	{ "until a reset", "", "hello", "", .then = RESETS, .kept = "hello", .at_most = SOON },
	{ "bad length", "Content-Length: 5x\r\n", "hello", .then = FINISHES, .kept = "hello",
	  .at_most = SOON },
	{ "large, with its length", "Content-Length: 10000\r\n", "x", "", 9000, .at_most = SOON },
	{ "large, without", "", "x", "", 9000, .at_most = SOON },
	{ "exactly", "Content-Length: 4096\r\n", "x", "", 4095, .at_most = SOON },
	{ "slow", "Content-Length: 100\r\n", "hello", .kept = "hello", .at_least = 1000000,
	  .at_most = FOREVER },
	{ "no length and no end", "", "", .kept = "", .at_least = 1000000, .at_most = FOREVER },
	{ "timeouts.open is over all", "", "hello", .options = "'timeouts': {'open': '100ms'}",
	  .kept = "hello", .at_least = 80000, .at_most = SOON },
};

static bool has_asked(void *arg)
{
	const struct session_rig *r = arg;

	return r->w.peer.request[0] != '\0';
}

static void send_rest(struct session_rig *r, const struct refusal *row)
{
	char filler[10000];

	memset(filler, 'x', sizeof(filler));
	world_turn_for(&r->w, 5000);
	if (row->more)
		ws_peer_raw(&r->w.peer, span_str(row->more));
	if (row->filler)
		ws_peer_raw(&r->w.peer, span_of(filler, row->filler));
	if (row->then == RESETS)
		world_turn_for(&r->w, 5000); /* a reset throws away what was not read */
	if (row->then == RESETS)
		ws_peer_reset(&r->w.peer);
	if (row->then == FINISHES)
		ws_peer_finish(&r->w.peer);
}

static void check_kept(const struct session_rig *r, const char *kept)
{
	struct session_details d = session_rig_details(r);
	struct http_head head;
	struct span value;
	size_t i = 0;

	assert_int_equal(r->opened + r->turns, 0);
	assert_int_equal(r->end.err.code, ERR_BAD_STATUS);
	assert_int_equal(r->end.err.stage, STAGE_HANDSHAKE);
	assert_int_equal(r->end.err.status, 503);
	assert_int_equal(r->end.close_code, 1006);
	http_head_again(&head, d.head);
	assert_int_equal(head.status, 503);
	assert_true(http_head_find(&head, "Retry-After", &i, &value));
	assert_true(span_equal(value, span_str("7")));
	http_head_deinit(&head);
	assert_true(d.handshake >= 0);
	assert_null(d.peer);
	assert_non_null(d.report);
	if (kept)
		assert_true(span_equal(d.body, span_str(kept)));
	else
		assert_int_equal(d.body.n, SESSION_BODY_MAX);
}

static void run(const struct refusal *row)
{
	mem_auto_str answer = mem_printf("HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n%s\r\n%s",
					 row->fields, row->body);
	struct session_rig r;
	int64_t began;

	print_message("         %s\n", row->name);
	session_rig_init(&r);
	r.w.peer.answer = answer;
	session_rig_begin(&r, row->options ? row->options : "");
	began = loop_now(r.w.loop);
	world_wait(&r.w, has_asked, &r);
	if (row->more || row->then != STAYS)
		send_rest(&r, row);
	world_wait_count(&r.w, &r.ended, 1);
	assert_in_range(loop_now(r.w.loop) - began, row->at_least, row->at_most);
	check_kept(&r, row->kept);
	world_turn_for(&r.w, 2000);
	assert_int_equal(r.ended, 1);
	session_rig_deinit(&r);
}

static void test_what_is_kept(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++)
		run(&refusals[i]);
}

static void go_to_refused(struct session_rig *r)
{
	session_rig_init(r);
	r->w.peer.answer = "HTTP/1.1 503 Busy\r\n\r\nhel";
	session_rig_begin(r, "");
	world_wait(&r->w, has_asked, r);
	while (session_rig_details(r).body.n == 0)
		world_turn_for(&r->w, 500);
	assert_int_equal(r->ended, 0);
}

/* The refusal stays the reason; the rest of the body is not waited for. */
static void test_closed_while_the_body_comes(void **state)
{
	struct session_rig r;

	(void)state;
	go_to_refused(&r);
	session_rig_close(&r, 1000, "");
	world_wait_count(&r.w, &r.ended, 1);
	assert_int_equal(r.end.err.code, ERR_BAD_STATUS);
	assert_int_equal(r.end.err.status, 503);
	session_rig_deinit(&r);
}

static void test_freed_while_the_body_comes(void **state)
{
	struct session_rig r;

	(void)state;
	go_to_refused(&r);
	session_rig_free(&r);
	ws_peer_raw(&r.w.peer, span_str("lo"));
	world_turn_for(&r.w, 5000); /* the rig refuses every callback */
	session_rig_deinit(&r);
}

static void test_no_memory_for_the_body(void **state)
{
	struct session_rig r;

	(void)state;
	session_rig_init(&r);
	r.w.peer.answer = "HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\n";
	session_rig_begin(&r, "");
	while (!session_rig_details(&r).head.n || session_rig_details(&r).handshake < 0)
		world_turn_for(&r.w, 500);
	mem_fail_try_after(1);
	ws_peer_raw(&r.w.peer, span_str("hello"));
	world_wait_count(&r.w, &r.ended, 1);
	mem_fail_try_after(0);
	assert_int_equal(r.end.err.status, 503);
	assert_int_equal(session_rig_details(&r).body.n, 0);
	session_rig_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_kept),
		cmocka_unit_test(test_closed_while_the_body_comes),
		cmocka_unit_test(test_freed_while_the_body_comes),
		cmocka_unit_test(test_no_memory_for_the_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
