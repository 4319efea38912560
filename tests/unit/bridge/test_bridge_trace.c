/* SPDX-License-Identifier: Apache-2.0 */
/* The trace of a bridge in the log: its end, what it follows, and how much it may say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "bridge_rig.h"

#define USUAL BRIDGE_FAST ", " BRIDGE_SOCKET ", 'headers': {'X-Key': 'hunter2'}"
#define MINUTE ((int64_t)60 * 1000 * 1000)

static int log_fd;

static int begin_log(void **state)
{
	(void)state;
	log_fd = memfd_create("log", MFD_CLOEXEC);
	assert_true(log_fd >= 0);
	log_init(log_fd, LOG_FORMAT_TEXT, true);
	return 0;
}

static int end_log(void **state)
{
	(void)state;
	log_init(STDERR_FILENO, LOG_FORMAT_TEXT, false);
	close(log_fd);
	return 0;
}

/* All of it so far; the caller frees. */
static char *log_text(void)
{
	off_t n = lseek(log_fd, 0, SEEK_END);
	char *text = mem_alloc((size_t)n + 1);

	assert_int_equal(pread(log_fd, text, (size_t)n, 0), n);
	text[n] = '\0';
	return text;
}

static unsigned count(const char *part)
{
	mem_auto_str text = log_text();
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
		n++;
	return n;
}

static bool is_logged(void *part)
{
	return count(part) > 0;
}

static void wait_logged(struct bridge_rig *r, const char *part)
{
	world_wait(&r->w, is_logged, (void *)(uintptr_t)part);
}

static void test_its_time_is_over(void **state)
{
	struct bridge_rig r;
	int64_t now;

	(void)state;
	bridge_rig_init(&r, USUAL);
	assert_int_equal(bridge_traced_until(r.b), 0);
	bridge_trace(r.b, 0);
	bridge_trace(r.b, 150000);
	now = time(NULL);
	assert_in_range(bridge_traced_until(r.b), now, now + 1);
	bridge_rig_open(&r);
	wait_logged(&r, "<5>bridge feed: trace: off, its time is over\n");
	assert_int_equal(bridge_traced_until(r.b), 0);
	assert_int_equal(count("trace: X-Key: ***\n"), 1);
	assert_int_equal(count("hunter2"), 0);
	ws_peer_text(&r.w.peer, "later");
	world_turn_for(&r.w, 20000);
	assert_int_equal(count("++Rcv"), 0);
	bridge_rig_deinit(&r);
}

static void test_off_and_on_again(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, USUAL);
	bridge_rig_open(&r);
	bridge_trace(r.b, MINUTE);
	bridge_trace(r.b, 2 * MINUTE);
	assert_true(bridge_traced_until(r.b) >= time(NULL) + 119);
	ws_peer_text(&r.w.peer, "1");
	wait_logged(&r, "<7>bridge feed: trace: ++Rcv: fin=1 opcode=text length=1\n");
	bridge_trace(r.b, 0);
	assert_int_equal(bridge_traced_until(r.b), 0);
	assert_int_equal(count("trace: off, as asked for"), 1);
	assert_int_equal(count("++"), 1);
	bridge_trace(r.b, MINUTE);
	assert_true(bridge_reconnect(r.b, &r.err));
	world_wait_count(&r.w, &r.w.peer.upgraded, 2);
	bridge_rig_wait(&r, "open");
	assert_int_equal(count("trace: --- request header ---"), 1);
	assert_int_equal(count("trace: HTTP/1.1 101 "), 1);
	bridge_rig_deinit(&r);
	assert_int_equal(count("trace: off, the bridge is gone"), 1);
}

static bool has_got_all(void *rig)
{
	return bridge_rig_info(rig).link.rx.messages >= 300;
}

/* 300 frames in a moment, and the rest of the second is silent. */
static void test_so_many_lines_and_no_more(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, USUAL);
	bridge_rig_open(&r);
	bridge_trace(r.b, MINUTE);
	for (int i = 0; i < 300; i++)
		ws_peer_text(&r.w.peer, "x");
	world_wait(&r.w, has_got_all, &r);
	assert_int_equal(count("++Rcv: fin=1 opcode=text length=1\n"), 200);
	assert_int_equal(count("are left out"), 0);
	world_turn_for(&r.w, 1100000);
	assert_int_equal(count("<5>bridge feed: trace: 100 more lines are left out (200 a second "
			       "are shown)\n"),
			 1);
	ws_peer_text(&r.w.peer, "again");
	wait_logged(&r, "length=5");
	bridge_rig_deinit(&r);
	assert_int_equal(count("are left out"), 1);
}

/* Together, those that come later, too, and without one that is gone. */
static void test_pairs(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, USUAL ", 'sharing': 'private'");
	bridge_start(r.b);
	bridge_rig_connect(&r, 0);
	world_wait_count(&r.w, &r.w.peer.upgraded, 1);
	bridge_rig_wait(&r, "open");
	bridge_trace(r.b, MINUTE);
	local_write(&r.locals[0], "one\n");
	world_wait_seen(&r.w, "text one|");
	local_close(&r.locals[0]);
	wait_logged(&r, "trace (1): ++Sent: fin=1 opcode=close length=2");
	bridge_rig_connect(&r, 1);
	world_wait_count(&r.w, &r.w.peer.upgraded, 2);
	local_write(&r.locals[1], "three\n");
	world_wait_seen(&r.w, "text three|");
	assert_int_equal(count("trace (1): ++Sent: fin=1 opcode=text length=3\n"), 1);
	assert_int_equal(count("trace (1): GET"), 0);
	assert_int_equal(count("trace (2): GET / HTTP/1.1\n"), 1);
	assert_int_equal(count("trace (2): ++Sent: fin=1 opcode=text length=5\n"), 1);
	bridge_trace(r.b, 0);
	local_write(&r.locals[1], "seven77\n");
	world_wait_seen(&r.w, "text seven77|");
	assert_int_equal(count("length=7"), 0);
	bridge_rig_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_its_time_is_over, begin_log, end_log),
		cmocka_unit_test_setup_teardown(test_off_and_on_again, begin_log, end_log),
		cmocka_unit_test_setup_teardown(test_so_many_lines_and_no_more, begin_log, end_log),
		cmocka_unit_test_setup_teardown(test_pairs, begin_log, end_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
