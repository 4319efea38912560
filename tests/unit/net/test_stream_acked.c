/* SPDX-License-Identifier: Apache-2.0 */
/* What a stream knows of bytes that were written and may not have arrived. */
#include "net_peer.h"

#include "net/stream.h"
#include "net/tls_stream_int.h"
#include "tls_rig.h"

struct tcp {
	struct loop *loop;
	struct stream *stream;
	int peer;
	bool failed;
};

static void on_stream(void *arg, enum stream_event event, struct span data, const struct error *err)
{
	struct tcp *t = arg;

	(void)data;
	(void)err;
	if (event == STREAM_FAILED)
		t->failed = true;
}

/* A connection whose far end has a small buffer and reads nothing. */
static void tcp_open(struct tcp *t)
{
	struct address a;
	int small = 8192, listener = address_open(&a, "127.0.0.1", 1), fd = socket_for(&a);
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	*t = (struct tcp){ .loop = loop_new() };
	assert_int_equal(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	connect(fd, (struct sockaddr *)&a.ss, a.len);
	assert_int_equal(poll(&p, 1, 5000), 1);
	t->peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(t->peer >= 0);
	close(listener);
	t->stream = fd_stream_new(t->loop, fd);
	stream_attach(t->stream, on_stream, t);
}

static void tcp_close(struct tcp *t)
{
	stream_free(t->stream);
	if (t->peer >= 0)
		close(t->peer);
	loop_drain(t->loop);
	loop_free(t->loop);
}

static struct stream_acked acked(struct stream *s)
{
	struct stream_acked a = { .written = UINT64_MAX };

	assert_true(stream_get_acked(s, &a));
	assert_true(a.unacked <= a.written);
	return a;
}

static size_t offer(struct stream *s, size_t n)
{
	static uint8_t bytes[1 << 20];

	return stream_offer(s, &(struct iovec){ .iov_base = bytes, .iov_len = n }, 1);
}

static bool all_is_acked(void *arg)
{
	return acked(arg).unacked == 0;
}

static bool has_failed(void *arg)
{
	return ((struct tcp *)arg)->failed;
}

static void what_arrives_is_acked(void **state)
{
	struct tcp t;

	(void)state;
	tcp_open(&t);
	assert_int_equal(acked(t.stream).written, 0);
	assert_int_equal(acked(t.stream).unacked, 0);
	assert_int_equal(offer(t.stream, 1000), 1000);
	assert_int_equal(offer(t.stream, 1), 1);
	assert_int_equal(acked(t.stream).written, 1001);
	assert_true(turn_until(t.loop, all_is_acked, t.stream, PATIENCE));
	assert_int_equal(acked(t.stream).written, 1001);
	stream_shutdown(t.stream);
	assert_int_equal(acked(t.stream).unacked, 0); /* a FIN is no byte of ours */
	tcp_close(&t);
}

static size_t arrived(int fd)
{
	int n = -1;

	assert_int_equal(ioctl(fd, FIONREAD, &n), 0);
	return (size_t)n;
}

/* The far end's buffer is full, then it is gone: the rest is known to have got nowhere. */
static void a_reset_does_not_wipe_the_numbers(void **state)
{
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	struct stream_acked before, after;
	struct tcp t;
	size_t n, there;

	(void)state;
	tcp_open(&t);
	n = offer(t.stream, 1 << 20);
	assert_true(n > 0);
	turn_until(t.loop, all_is_acked, t.stream, 50000);
	before = acked(t.stream);
	there = arrived(t.peer);
	assert_int_equal(before.written, n);
	assert_true(before.unacked > 0);
	assert_true(there > 0 && n - before.unacked <= there);
	assert_int_equal(setsockopt(t.peer, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	close(t.peer);
	t.peer = -1;
	assert_true(turn_until(t.loop, has_failed, &t, PATIENCE));
	after = acked(t.stream);
	assert_int_equal(after.written, n);
	assert_int_equal(after.unacked, before.unacked);
	assert_int_equal(offer(t.stream, 1), 0);
	assert_int_equal(acked(t.stream).written, n);
	tcp_close(&t);
}

static void a_fin_that_waits_is_not_counted(void **state)
{
	struct stream_acked before;
	struct tcp t;

	(void)state;
	tcp_open(&t);
	offer(t.stream, 1 << 20);
	turn_until(t.loop, all_is_acked, t.stream, 50000);
	before = acked(t.stream);
	assert_true(before.unacked > 0);
	stream_shutdown(t.stream);
	assert_int_equal(acked(t.stream).unacked, before.unacked);
	tcp_close(&t);
}

static void a_unix_socket_does_not_tell(void **state)
{
	struct loop *l = loop_new();
	struct stream_acked a = { .written = 7 };
	struct stream *s;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
			 0);
	s = fd_stream_new(l, fds[0]);
	assert_false(stream_get_acked(s, &a));
	assert_int_equal(a.written, 7);
	stream_free(s);
	close(fds[1]);
	loop_drain(l);
	loop_free(l);
}

static bool arrived_at_the_peer(void *arg)
{
	struct tls_rig *r = arg;

	return acked(r->stream).written == r->peer.wire_in;
}

static void check_what_waits(struct stream *s)
{
	const struct tls_stream *t = (const struct tls_stream *)(const void *)s;
	struct stream_acked all = acked(s), lower = acked(t->lower);

	assert_true(t->out.len > 0);
	assert_int_equal(all.written, lower.written + t->out.len);
	assert_int_equal(all.unacked, lower.unacked + t->out.len);
}

/* Of TLS: the ciphertext, and what of it waits in the stream has not arrived. */
static void tls_counts_ciphertext(void **state)
{
	struct stream_acked a;
	struct tls_rig r;
	size_t taken;

	(void)state;
	rig_init(&r, NULL, NULL);
	rig_open(&r);
	rig_wait(&r, arrived_at_the_peer, &r); /* the handshake */
	rig_send(&r, 100000);
	rig_wait_app_in(&r, 100000);
	rig_wait(&r, arrived_at_the_peer, &r);
	rig_wait(&r, all_is_acked, r.stream);
	assert_true(acked(r.stream).written > 100000);
	a = acked(r.stream);
	taken = offer(r.stream, 1 << 20); /* more than fits: some is encrypted and waits */
	assert_true(taken < 1 << 20);
	assert_true(acked(r.stream).written >= a.written + taken);
	check_what_waits(r.stream);
	taken = (size_t)acked(r.stream).written;
	tls_peer_reset(&r.peer);
	rig_wait_end(&r);
	assert_int_equal(r.failed_events, 1);
	assert_int_equal(acked(r.stream).written, taken);
	assert_true(acked(r.stream).unacked > 0);
	rig_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_arrives_is_acked),
		cmocka_unit_test(a_reset_does_not_wipe_the_numbers),
		cmocka_unit_test(a_fin_that_waits_is_not_counted),
		cmocka_unit_test(a_unix_socket_does_not_tell),
		cmocka_unit_test(tls_counts_ciphertext),
	};

	return cmocka_run_group_tests(tests, rig_begin, rig_end);
}
