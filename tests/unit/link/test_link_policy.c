/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a link makes of an end beyond waiting and trying again: when it gives
 * up, how long it waits because the server says so, flapping, epochs, what is
 * told of losses, and what the history keeps. The waits themselves stand in
 * test_backoff.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "link/history.h"
#include "link_rig.h"

#define SOON "'initial': '10ms', 'max': '10ms', 'slow': '10ms', 'jitter': 'none'"
#define FORBIDDEN "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
#define BUSY "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nRetry-After: 2\r\n\r\n"

/* The log of one test, in memory. */
static int log_fd = -1;

static void start_log(void)
{
	log_fd = memfd_create("log", MFD_CLOEXEC);
	assert_true(log_fd >= 0);
	log_init(log_fd, LOG_FORMAT_TEXT, true);
	log_set_level(LOG_LEVEL_INFO);
}

static unsigned count_logged(const char *part)
{
	static char text[65536];
	ssize_t n = pread(log_fd, text, sizeof(text) - 1, 0);
	unsigned found = 0;

	assert_true(n >= 0);
	text[n] = '\0';
	for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
		found++;
	return found;
}

static void stop_log(void)
{
	log_init(STDERR_FILENO, LOG_FORMAT_TEXT, false);
	close(log_fd);
}

static void close_with(struct link_rig *r, int code)
{
	ws_peer_close(&r->w.peer, code, "bye");
}

static void refuse_step(struct link_rig *r)
{
	if (r->w.peer.upgraded > r->ends)
		close_with(r, 4004);
}

static void test_fatal_status(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, "'reconnect': {'fatal_status': [401, 403], " SOON "}");
	start_log();
	r.w.peer.answer = FORBIDDEN;
	link_start(r.k);
	link_rig_wait(&r, LINK_GAVE_UP);
	world_turn_for(&r.w, 30000);
	assert_int_equal(r.w.peer.accepted, 1);
	assert_int_equal(r.delay, -1);
	assert_int_equal(count_logged("giving up (reconnect.fatal_status has 403)"), 1);
	stop_log();
	link_rig_deinit(&r);
}

static void test_fatal_close(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, "'reconnect': {'fatal_close': [4004, 4010], " SOON "}");
	start_log();
	link_rig_open(&r);
	close_with(&r, 4005);
	world_wait_count(&r.w, &r.w.peer.upgraded, 2);
	link_rig_wait(&r, LINK_OPEN);
	close_with(&r, 4010);
	link_rig_wait(&r, LINK_GAVE_UP);
	assert_int_equal(r.delay, -1);
	assert_int_equal(link_rig_info(&r).last_close.code, 4010);
	assert_int_equal(count_logged("closed by peer (4010 \"bye\"), giving up "
				      "(reconnect.fatal_close has 4010)"),
			 1);
	stop_log();
	link_rig_deinit(&r);
}

/* A local client chose the code, and the server only says it back: that is no refusal. */
static void test_fatal_close_of_a_local_client(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, "'reconnect': {'fatal_close': [4010], " SOON "}");
	start_log();
	link_rig_open(&r);
	link_close(r.k, 4010, "done");
	world_wait_count(&r.w, &r.w.peer.upgraded, 2);
	link_rig_wait(&r, LINK_OPEN);
	assert_true(r.end.ours);
	assert_int_equal(count_logged("closed by a local client (4010 \"done\"), reconnect in"), 1);
	stop_log();
	link_rig_deinit(&r);
}

/* The usual way of a gateway to say that a token is wrong. */
static void test_fatal_close_in_the_steps(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, "'reconnect': {'fatal_close': [4004], " SOON "}, 'on_open': ['token', "
			  "{'expect': {'contains': 'yes'}}]");
	link_start(r.k);
	world_wait_seen(&r.w, "text token|");
	refuse_step(&r);
	link_rig_wait(&r, LINK_GAVE_UP);
	assert_int_equal(link_rig_info(&r).last_close.code, 4004);
	assert_string_equal(link_rig_info(&r).last_close.reason, "bye");
	assert_int_equal(link_rig_info(&r).last_error.stage, STAGE_OPEN);
	assert_string_equal(r.states, "connecting failed ");
	link_rig_deinit(&r);
}

/* A login that fails is a failed attempt, whatever the code of our own Close was. */
static void test_failing_steps(void **state)
{
	struct link_rig r;
	struct link_info info;

	(void)state;
	link_rig_init(&r, "'reconnect': {'when': 'abnormal', " SOON "}, 'on_open': [{'expect': "
			  "{'contains': 'yes'}, 'timeout': '10ms'}]");
	link_start(r.k);
	world_wait_count(&r.w, &r.ends, 3);
	info = link_rig_info(&r);
	assert_true(info.attempts >= 3);
	assert_true(info.epoch >= 3); /* there were connections */
	assert_int_equal(info.reconnects, 0);
	assert_int_equal(info.last_error.code, ERR_TIMEOUT);
	assert_int_equal(info.last_error.stage, STAGE_OPEN);
	assert_null(strstr(r.states, "open"));
	assert_false(info.flapping);
	link_rig_deinit(&r);
}

static void test_messages_of_the_steps(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, LINK_FAST ", 'on_open': ['a', {'expect': {'contains': 'yes'}}]");
	link_start(r.k);
	world_wait_seen(&r.w, "text a|");
	assert_int_equal(link_state(r.k), LINK_CONNECTING);
	assert_int_equal(link_epoch(r.k), 1);
	assert_int_equal(link_progress(r.k).data_queued, 0);
	assert_int_equal(link_rig_text(&r, "early"), LINK_NOT_OPEN);
	ws_peer_text(&r.w.peer, "news");
	world_wait_count(&r.w, &r.messages, 1);
	assert_int_equal(link_state(r.k), LINK_CONNECTING);
	ws_peer_text(&r.w.peer, "yes");
	link_rig_wait(&r, LINK_OPEN);
	assert_string_equal(r.got, "text news|");
	assert_int_equal(link_rig_info(&r).epoch, 1);
	assert_int_equal(link_rig_info(&r).rx.messages, 1);
	assert_true(link_progress(r.k).data_queued > 0);
	link_rig_deinit(&r);
}

static void test_server_says_when(void **state)
{
	static const struct {
		int close_code; /* 0: it refuses with a Retry-After of 2 seconds */
		int64_t least, most;
	} rows[] = {
		{ 1012, 5000000, 6250000 },
		{ 1013, 5000000, 6250000 },
		{ 1001, 10000, 10000 },
		{ 0, 2000000, 2500000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct link_rig r;

		link_rig_init(&r, "'reconnect': {'initial': '10ms', 'max': '10ms', 'slow': "
				  "'10ms', 'jitter': 'equal'}");
		if (rows[i].close_code == 0)
			r.w.peer.answer = BUSY;
		link_start(r.k);
		if (rows[i].close_code) {
			link_rig_wait(&r, LINK_OPEN);
			close_with(&r, rows[i].close_code);
		}
		link_rig_wait(&r, LINK_WAITING);
		assert_in_range(r.delay, rows[i].least / 2, rows[i].most);
		if (rows[i].least > 10000)
			assert_true(r.delay >= rows[i].least);
		assert_true(link_rig_info(&r).retry_in <= (double)rows[i].most / 1e6);
		link_rig_deinit(&r);
	}
}

static void test_once(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init_once(&r, "'reconnect': {" SOON "}");
	link_rig_open(&r);
	close_with(&r, 1001);
	link_rig_wait(&r, LINK_GAVE_UP);
	assert_int_equal(r.delay, -1);
	world_turn_for(&r.w, 30000);
	assert_int_equal(r.w.peer.accepted, 1);
	link_rig_deinit(&r);
	link_rig_init_once(&r, "'reconnect': {" SOON "}");
	r.w.peer.answer = FORBIDDEN;
	link_start(r.k);
	link_rig_wait(&r, LINK_GAVE_UP);
	world_turn_for(&r.w, 30000);
	assert_int_equal(r.w.peer.accepted, 1);
	link_rig_deinit(&r);
}

static void drop_at_once(struct link_rig *r)
{
	if (link_is_open(r->k) && r->w.peer.upgraded <= 4)
		ws_peer_drop(&r->w.peer);
}

static void test_flapping(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, "'reconnect': {'reset_after': '200ms', " SOON "}");
	start_log();
	r.on_state = drop_at_once;
	link_start(r.k);
	world_wait_count(&r.w, &r.ends, 2);
	assert_false(link_rig_info(&r).flapping);
	world_wait_count(&r.w, &r.ends, 3);
	assert_true(link_rig_info(&r).flapping);
	world_wait_count(&r.w, &r.w.peer.upgraded, 5);
	link_rig_wait(&r, LINK_OPEN);
	assert_true(link_rig_info(&r).flapping);
	assert_int_equal(count_logged("flapping: 3 connections in a row did not last for 0.2s"), 1);
	assert_int_equal(count_logged("flapping"), 1);
	world_turn_for(&r.w, 250000);
	assert_false(link_rig_info(&r).flapping); /* it has stayed for long enough */
	stop_log();
	link_rig_deinit(&r);
}

static void order_stop(struct link_rig *r)
{
	link_stop(r->k, 1000, "");
}

static void order_start(struct link_rig *r)
{
	link_start(r->k);
}

static void order_reconnect(struct link_rig *r)
{
	if (r->ends == 1)
		link_reconnect(r->k);
}

/* Orders from inside LINK_ENDED, when the session is over but the state is not yet left. */
static void test_orders_at_the_end(void **state)
{
	static const struct {
		void (*order)(struct link_rig *r);
		const char *options, *states;
	} rows[] = {
		{ order_stop, "'reconnect': {" SOON "}", "connecting open stopping stopped " },
		{ order_start, "'reconnect': {'initial': '1h', 'max': '1h'}",
		  "connecting open waiting " },
		{ order_reconnect, "'reconnect': {'initial': '1h', 'max': '1h'}",
		  "connecting open restarting connecting open " },
		{ order_stop, "'reconnect': {'when': 'never'}",
		  "connecting open stopping stopped " },
		{ order_reconnect, "'reconnect': {'when': 'never'}",
		  "connecting open restarting connecting open " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct link_rig r;

		link_rig_init(&r, rows[i].options);
		r.on_ended = rows[i].order;
		link_rig_open(&r);
		close_with(&r, 1001);
		world_wait_count(&r.w, &r.ends, 1);
		world_turn_for(&r.w, 30000);
		assert_string_equal(r.states, rows[i].states);
		link_rig_deinit(&r);
	}
}

static void test_delay_of_ends_that_were_asked_for(void **state)
{
	struct link_rig r;

	(void)state;
	link_rig_init(&r, LINK_FAST);
	link_rig_open(&r);
	link_reconnect(r.k);
	world_wait_count(&r.w, &r.ends, 1);
	assert_int_equal(r.delay, 0);
	link_rig_wait(&r, LINK_OPEN);
	link_stop(r.k, 1000, "");
	world_wait_count(&r.w, &r.ends, 2);
	assert_int_equal(r.delay, -1);
	link_rig_deinit(&r);
}

static void fill(struct link_rig *r)
{
	size_t n = (size_t)64 * 1024;
	char *text = mem_alloc(n);

	memset(text, 'z', n);
	while (link_send(r->k, (struct msg){ .type = MSG_TEXT, .data = span_of(text, n) }) ==
	       LINK_SENT)
		;
	free(text);
}

/* A frozen server: what it has not read, and what it may never have got, is counted and told. */
static void test_losses(void **state)
{
	struct link_rig r;
	struct link_info info;

	(void)state;
	link_rig_init(&r, "'reconnect': {'initial': '1h', 'max': '1h'}, 'socket': {'sndbuf': "
			  "'64K'}, 'timeouts': {'close': '30ms'}");
	start_log();
	ws_peer_small_window(&r.w.peer);
	link_rig_open(&r);
	assert_int_equal(link_rig_info(&r).unsent, 0);
	ws_peer_stall(&r.w.peer, true);
	fill(&r);
	world_turn_for(&r.w, 20000);
	link_reconnect(r.k);
	world_wait_count(&r.w, &r.ends, 1);
	info = link_rig_info(&r);
	assert_true(info.unsent > 0);
	assert_true(info.unacked > 0);
	assert_int_equal(info.unsent, r.end.unsent);
	assert_int_equal(info.unacked, r.end.unacked);
	assert_int_equal(count_logged(" bytes were sent but never acknowledged"), 1);
	assert_int_equal(count_logged(" bytes were not sent any more"), 1);
	link_rig_wait(&r, LINK_OPEN);
	link_stop(r.k, 1000, "");
	link_rig_wait(&r, LINK_STOPPED);
	assert_int_equal(link_rig_info(&r).unacked, info.unacked); /* kept, and none added */
	assert_int_equal(count_logged("acknowledged"), 1);
	stop_log();
	link_rig_deinit(&r);
}

/* "state connecting start|attempt ws://…|" */
static char *history_text(struct link_rig *r)
{
	static const char *const kinds[] = { [HISTORY_STATE] = "state",
					     [HISTORY_ATTEMPT] = "attempt",
					     [HISTORY_OPENED] = "opened",
					     [HISTORY_ENDED] = "ended" };
	const struct history *h = link_history(r->k);
	char *all = mem_strdup("");

	for (size_t i = 0; i < h->n; i++) {
		struct history_entry e = history_at(h, i);
		mem_auto_str old = all;

		assert_in_range(e.at, time(NULL) - 30, time(NULL));
		all = mem_printf("%s%s %s%s%s|", old, kinds[e.kind],
				 e.kind == HISTORY_STATE ? link_state_name(e.state) : "",
				 e.kind == HISTORY_STATE ? " " : "", e.text);
	}
	return all;
}

static void test_history(void **state)
{
	mem_auto_str text = NULL;
	mem_auto_str expected = NULL;
	struct link_rig r;
	const struct history *h;

	(void)state;
	link_rig_init(&r, "'reconnect': {" SOON "}");
	link_rig_open(&r);
	close_with(&r, 1011);
	world_wait_count(&r.w, &r.w.peer.upgraded, 2);
	link_rig_wait(&r, LINK_OPEN);
	link_stop(r.k, 1001, "done");
	link_rig_wait(&r, LINK_STOPPED);
	text = history_text(&r);
	expected = mem_printf("attempt ws://127.0.0.1:%u/|state connecting start|"
			      "opened 127.0.0.1:%u|state open opened|"
			      "ended closed by peer (1011 \"bye\")|state waiting ended|"
			      "attempt ws://127.0.0.1:%u/|state connecting timer|"
			      "opened 127.0.0.1:%u|state open opened|state stopping stop|"
			      "ended closed (1001 \"done\")|state stopped ended|",
			      (unsigned)r.w.peer.port, (unsigned)r.w.peer.port,
			      (unsigned)r.w.peer.port, (unsigned)r.w.peer.port);
	assert_string_equal(text, expected);
	h = link_history(r.k);
	assert_int_equal(history_at(h, 4).close_code, 1011);
	assert_int_equal(history_at(h, 4).code, ERR_NONE);
	assert_int_equal(history_at(h, 4).delay, 10000);
	assert_true(history_at(h, 4).took > 0);
	assert_true(history_at(h, 2).took > 0);
	assert_int_equal(history_at(h, 11).delay, -1);
	link_rig_deinit(&r);
}

static void test_history_of_a_refusal(void **state)
{
	struct link_rig r;
	struct history_entry e;

	(void)state;
	link_rig_init(&r, "'reconnect': {'initial': '1h', 'max': '1h', 'slow': '1h', 'jitter': "
			  "'none'}");
	link_rig_configure(&r,
			   "'url': 'ws://me:hush@127.0.0.1:$PORT/x?key=hush', 'reconnect': "
			   "{'initial': '1h', 'max': '1h', 'slow': '1h', 'jitter': 'none'}",
			   false);
	r.w.peer.answer = FORBIDDEN;
	link_start(r.k);
	link_rig_wait(&r, LINK_WAITING);
	e = history_at(link_history(r.k), 0);
	assert_int_equal(e.kind, HISTORY_ATTEMPT);
	assert_null(strstr(e.text, "hush"));
	assert_non_null(strstr(e.text, "/x?..."));
	e = history_at(link_history(r.k), 2);
	assert_int_equal(e.kind, HISTORY_ENDED);
	assert_int_equal(e.code, ERR_BAD_STATUS);
	assert_int_equal(e.stage, STAGE_HANDSHAKE);
	assert_int_equal(e.status, 403);
	assert_int_equal(e.close_code, 0);
	assert_int_equal(e.took, 0);
	assert_int_equal(e.delay, (int64_t)3600 * 1000000);
	assert_non_null(strstr(e.text, "403"));
	link_rig_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fatal_status),
		cmocka_unit_test(test_fatal_close),
		cmocka_unit_test(test_fatal_close_of_a_local_client),
		cmocka_unit_test(test_fatal_close_in_the_steps),
		cmocka_unit_test(test_failing_steps),
		cmocka_unit_test(test_messages_of_the_steps),
		cmocka_unit_test(test_server_says_when),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_flapping),
		cmocka_unit_test(test_orders_at_the_end),
		cmocka_unit_test(test_delay_of_ends_that_were_asked_for),
		cmocka_unit_test(test_losses),
		cmocka_unit_test(test_history),
		cmocka_unit_test(test_history_of_a_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
