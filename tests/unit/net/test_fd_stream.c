/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream over a socket pair: data, pausing, a full kernel, both kinds of end, freeing in
 * a callback.
 */
#include "net_test.h"

#include <sys/socket.h>

#include "net/stream.h"

struct end {
	struct stream *stream;
	size_t got, events;
	bool eof, failed, writable, free_on_data;
	struct error err;
};

static void on_stream(void *arg, enum stream_event event, struct span data, const struct error *err)
{
	struct end *e = arg;

	e->events++;
	switch (event) {
	case STREAM_DATA:
		e->got += data.n;
		if (e->free_on_data) {
			stream_free(e->stream);
			e->stream = NULL;
		}
		break;
	case STREAM_WRITABLE:
		e->writable = true;
		break;
	case STREAM_EOF:
		e->eof = true;
		break;
	case STREAM_FAILED:
		e->failed = true;
		e->err = *err;
		break;
	}
}

struct pair {
	struct loop *loop;
	struct end end;
	int peer;
};

static int set_up(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));
	int fds[2];

	assert_non_null(p);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
			 0);
	p->loop = loop_new();
	p->peer = fds[1];
	p->end.stream = fd_stream_new(p->loop, fds[0]);
	stream_attach(p->end.stream, on_stream, &p->end);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct pair *p = *state;

	stream_free(p->end.stream);
	loop_drain(p->loop);
	loop_free(p->loop);
	if (p->peer >= 0)
		close(p->peer);
	free(p);
	return 0;
}

static bool got_hello(void *arg)
{
	return ((struct end *)arg)->got == 5;
}

static bool is_eof(void *arg)
{
	return ((struct end *)arg)->eof;
}

static bool is_failed(void *arg)
{
	return ((struct end *)arg)->failed;
}

static bool is_writable(void *arg)
{
	return ((struct end *)arg)->writable;
}

static size_t offer(struct end *e, const void *data, size_t n)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = n };

	return stream_offer(e->stream, &iov, 1);
}

static void test_data_both_ways(void **state)
{
	struct pair *p = *state;
	char in[8];

	assert_int_equal(write(p->peer, "hello", 5), 5);
	assert_true(turn_until(p->loop, got_hello, &p->end, PATIENCE));
	assert_int_equal(offer(&p->end, "abc", 3), 3);
	assert_int_equal(read(p->peer, in, sizeof(in)), 3);
	assert_memory_equal(in, "abc", 3);
}

static void test_paused_stream_reads_nothing(void **state)
{
	struct pair *p = *state;

	stream_pause(p->end.stream);
	assert_int_equal(write(p->peer, "hello", 5), 5);
	assert_false(turn_until(p->loop, got_hello, &p->end, 30000));
	assert_int_equal(p->end.events, 0);
	stream_resume(p->end.stream);
	assert_true(turn_until(p->loop, got_hello, &p->end, PATIENCE));
}

static void test_full_kernel_then_writable(void **state)
{
	static char block[256 * 1024];
	struct pair *p = *state;
	size_t sent = 0, n;

	while ((n = offer(&p->end, block, sizeof(block))) == sizeof(block))
		sent += n;
	assert_true(sent + n > 0);
	assert_false(turn_until(p->loop, is_writable, &p->end, 20000));
	while (read(p->peer, block, sizeof(block)) > 0)
		;
	assert_true(turn_until(p->loop, is_writable, &p->end, PATIENCE));
	p->end.writable = false;
	assert_false(turn_until(p->loop, is_writable, &p->end, 20000)); /* said once */
}

static void test_half_close_then_close(void **state)
{
	struct pair *p = *state;
	char in[8];

	shutdown(p->peer, SHUT_WR);
	assert_true(turn_until(p->loop, is_eof, &p->end, PATIENCE));
	assert_int_equal(offer(&p->end, "still", 5), 5);
	assert_int_equal(read(p->peer, in, sizeof(in)), 5);
	assert_false(turn_until(p->loop, is_failed, &p->end, 20000));
	assert_int_equal(p->end.events, 1); /* no spinning on the half-close */
	close(p->peer);
	p->peer = -1;
	assert_true(turn_until(p->loop, is_failed, &p->end, PATIENCE));
	assert_string_equal(p->end.err.text, "closed by the other end: Broken pipe");
}

static void test_write_to_a_vanished_peer_fails_once(void **state)
{
	struct pair *p = *state;

	stream_pause(p->end.stream);
	close(p->peer);
	p->peer = -1;
	assert_int_equal(offer(&p->end, "x", 1), 0);
	assert_false(p->end.failed); /* never from inside the call */
	assert_true(turn_until(p->loop, is_failed, &p->end, PATIENCE));
	assert_int_equal(offer(&p->end, "x", 1), 0);
	assert_int_equal(p->end.events, 1);
}

/* The peer's last words are heard although a write has failed before they were read. */
static void test_drains_before_it_fails(void **state)
{
	struct pair *p = *state;

	assert_int_equal(write(p->peer, "hello", 5), 5);
	close(p->peer);
	p->peer = -1;
	assert_int_equal(offer(&p->end, "x", 1), 0);
	assert_true(turn_until(p->loop, is_failed, &p->end, PATIENCE));
	assert_int_equal(p->end.got, 5);
}

static void test_freed_while_it_drains(void **state)
{
	struct pair *p = *state;

	p->end.free_on_data = true;
	assert_int_equal(write(p->peer, "hello", 5), 5);
	close(p->peer);
	p->peer = -1;
	assert_int_equal(offer(&p->end, "x", 1), 0);
	assert_false(turn_until(p->loop, is_failed, &p->end, 20000));
	assert_int_equal(p->end.got, 5);
	assert_null(p->end.stream);
}

static bool is_gone(void *arg)
{
	return ((struct end *)arg)->stream == NULL;
}

static void test_freed_inside_its_callback(void **state)
{
	struct pair *p = *state;
	char big[4096] = { 0 };

	p->end.free_on_data = true;
	for (int i = 0; i < 30; i++)
		assert_int_equal(write(p->peer, big, sizeof(big)), sizeof(big));
	assert_true(turn_until(p->loop, is_gone, &p->end, PATIENCE));
	assert_int_equal(p->end.events, 1);
	assert_int_equal(send(p->peer, "x", 1, MSG_NOSIGNAL), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_data_both_ways, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_paused_stream_reads_nothing, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_full_kernel_then_writable, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_half_close_then_close, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_write_to_a_vanished_peer_fails_once, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_drains_before_it_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_freed_while_it_drains, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_freed_inside_its_callback, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
