/* SPDX-License-Identifier: Apache-2.0 */
/* A descriptor's stream that changes its owner: what happens in between is told to the next one. */
#include "net_test.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "net/stream.h"

struct owner {
	char data[64];
	size_t n;
	bool writable, eof, failed;
	struct stream *leave; /* lets go of it in DATA */
};

static void on_event(void *arg, enum stream_event event, struct span data, const struct error *err)
{
	struct owner *o = arg;

	switch (event) {
	case STREAM_DATA:
		assert_true(o->n + data.n <= sizeof(o->data));
		memcpy(o->data + o->n, data.p, data.n);
		o->n += data.n;
		if (o->leave)
			stream_detach(o->leave);
		break;
	case STREAM_WRITABLE:
		o->writable = true;
		break;
	case STREAM_EOF:
		o->eof = true;
		break;
	case STREAM_FAILED:
		assert_false(o->failed);
		assert_non_null(err);
		o->failed = true;
		break;
	}
}

struct pair {
	struct loop *loop;
	struct stream *stream;
	int far;
};

static void pair_open(struct pair *p)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
			 0);
	p->loop = loop_new();
	p->stream = fd_stream_new(p->loop, fds[0]);
	p->far = fds[1];
}

static void pair_close(struct pair *p)
{
	stream_free(p->stream);
	loop_drain(p->loop);
	loop_free(p->loop);
	if (p->far >= 0)
		close(p->far);
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

static void a_few_turns(struct pair *p)
{
	turn_until(p->loop, never, NULL, 20000);
}

static bool has_data(void *arg)
{
	return ((struct owner *)arg)->n > 0;
}

static bool has_failed(void *arg)
{
	return ((struct owner *)arg)->failed;
}

static bool has_ended(void *arg)
{
	return ((struct owner *)arg)->eof;
}

static void test_data_waits_for_the_next_owner(void **state)
{
	struct owner first = { 0 }, second = { 0 };
	struct pair p;

	(void)state;
	pair_open(&p);
	first.leave = p.stream;
	stream_attach(p.stream, on_event, &first);
	assert_int_equal(write(p.far, "one", 3), 3);
	assert_true(turn_until(p.loop, has_data, &first, PATIENCE));
	assert_int_equal(write(p.far, "two", 3), 3);
	shutdown(p.far, SHUT_WR);
	a_few_turns(&p);
	assert_int_equal(first.n, 3);
	assert_false(first.eof);
	stream_attach(p.stream, on_event, &second);
	assert_true(turn_until(p.loop, has_ended, &second, PATIENCE));
	assert_memory_equal(second.data, "two", 3);
	assert_int_equal(first.n, 3);
	pair_close(&p);
}

/* Fills the socket, so that WRITABLE is owed. */
static void fill(struct pair *p)
{
	static char block[65536];
	struct iovec iov = { .iov_base = block, .iov_len = sizeof(block) };

	while (stream_offer(p->stream, &iov, 1) == sizeof(block))
		;
}

static void test_writable_without_owner(void **state)
{
	struct owner first = { 0 }, second = { 0 };
	static char sink[65536];
	struct pair p;

	(void)state;
	pair_open(&p);
	stream_attach(p.stream, on_event, &first);
	fill(&p);
	stream_detach(p.stream);
	while (read(p.far, sink, sizeof(sink)) > 0)
		;
	a_few_turns(&p);
	assert_false(first.writable);
	stream_attach(p.stream, on_event, &second);
	a_few_turns(&p);
	fill(&p);
	assert_true(read(p.far, sink, sizeof(sink)) > 0);
	while (read(p.far, sink, sizeof(sink)) > 0)
		;
	a_few_turns(&p);
	assert_true(second.writable);
	pair_close(&p);
}

static void test_failure_without_owner(void **state)
{
	struct owner first = { 0 }, second = { 0 };
	struct iovec iov = { .iov_base = (char[]){ "x" }, .iov_len = 1 };
	struct pair p;

	(void)state;
	pair_open(&p);
	stream_attach(p.stream, on_event, &first);
	stream_detach(p.stream);
	close(p.far);
	p.far = -1;
	assert_int_equal(stream_offer(p.stream, &iov, 1), 0);
	a_few_turns(&p);
	assert_false(first.failed);
	stream_attach(p.stream, on_event, &second);
	assert_false(second.failed); /* never from inside the call */
	assert_true(turn_until(p.loop, has_failed, &second, PATIENCE));
	stream_pause(p.stream);
	stream_resume(p.stream);
	a_few_turns(&p); /* told once */
	assert_false(first.failed);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data_waits_for_the_next_owner),
		cmocka_unit_test(test_writable_without_owner),
		cmocka_unit_test(test_failure_without_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
