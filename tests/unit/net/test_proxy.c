/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver over socket pairs, with a proxy that follows a script: open,
 * refused, asked for a password on this connection and on a new one, gone,
 * cancelled; and that not a byte is lost or left over where the stream changes hands.
 */
#include "net_test.h"

#include <errno.h>
#include <sys/socket.h>

#include "net/proxy.h"
#include "net/stream.h"
#include "support/fixed_rand.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define CONNECT "CONNECT example.net:443 HTTP/1.1\r\nHost: example.net:443\r\n"
#define BASIC "Proxy-Authorization: Basic dXNlcjpzZXNhbWU=\r\n"
#define OK "HTTP/1.1 200 Connection established\r\n\r\n"
#define CHALLENGE                                                              \
	"HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Digest realm=\"r\", " \
	"nonce=\"n1\", qop=\"auth\"\r\n"
#define ANSWER                                                                               \
	"Proxy-Authorization: Digest username=\"user\", realm=\"r\", nonce=\"n1\", "         \
	"uri=\"example.net:443\", response=\"db6de58e9676d5c9d879ab6909e6fc9d\", qop=auth, " \
	"nc=00000001, cnonce=\"MDEyMzQ1Njc4OWFiY2RlZg==\"\r\n"

struct exchange {
	struct span asked, answered;
};

#define X(asked_, answered_)                                                \
	{                                                                   \
		{ (const uint8_t *)(asked_), sizeof(asked_) - 1 },          \
		{                                                           \
			(const uint8_t *)(answered_), sizeof(answered_) - 1 \
		}                                                           \
	}

/* The proxy's end. */
struct script {
	int fd; /* -1 = closed */
	const struct exchange *next;
	size_t left, have;
	bool drip, close_at_end;
	size_t dripped;
	uint8_t in[4096];
};

struct outcome {
	struct loop *loop;
	struct proxy *proxy;
	struct stream *stream;
	unsigned calls;
	bool again, inside_start, got_hello;
	struct error err;
	struct script script;
};

/* One step of the script; nothing else is ever sent. */
static void play(struct script *s)
{
	ssize_t n = s->fd >= 0 ? read(s->fd, s->in + s->have, sizeof(s->in) - s->have) : -1;

	if (n > 0)
		s->have += (size_t)n;
	if (s->left == 0 || s->have < s->next->asked.n)
		return;
	assert_int_equal(s->have, s->next->asked.n);
	assert_memory_equal(s->in, s->next->asked.p, s->have);
	if (s->drip) {
		assert_int_equal(write(s->fd, s->next->answered.p + s->dripped, 1), 1);
		if (++s->dripped < s->next->answered.n)
			return;
	}
	if (!s->drip && s->next->answered.n > 0)
		assert_int_equal(write(s->fd, s->next->answered.p, s->next->answered.n),
				 s->next->answered.n);
	s->have = s->dripped = 0;
	s->next++;
	if (--s->left == 0 && s->close_at_end) {
		close(s->fd);
		s->fd = -1;
	}
}

static void on_done(void *arg, struct stream *stream, bool again, const struct error *err)
{
	struct outcome *o = arg;

	assert_false(o->inside_start);
	assert_int_equal(stream == NULL, err != NULL);
	o->proxy = NULL;
	o->calls++;
	o->stream = stream;
	o->again = again;
	o->err = err ? *err : ERROR_INIT;
}

static bool is_done(void *arg)
{
	struct outcome *o = arg;

	play(&o->script);
	return o->calls > 0 && o->script.left == 0;
}

static void outcome_init(struct outcome *o)
{
	*o = (struct outcome){ .loop = loop_new(), .script.fd = -1 };
}

static void outcome_deinit(struct outcome *o)
{
	stream_free(o->stream);
	loop_drain(o->loop);
	loop_free(o->loop);
	if (o->script.fd >= 0)
		close(o->script.fd);
}

/* A new connection, on which the proxy follows this script. */
static void start(struct outcome *o, const struct proxy_params *params,
		  const struct exchange *script, size_t n)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
			 0);
	if (o->script.fd >= 0)
		close(o->script.fd);
	o->script.fd = fds[1];
	o->script.next = script;
	o->script.left = n;
	o->script.have = 0;
	o->calls = 0;
	o->inside_start = true;
	o->proxy = proxy_start(o->loop, fd_stream_new(o->loop, fds[0]), params, on_done, o);
	o->inside_start = false;
}

static struct proxy_params params_of(enum proxy_kind kind, const char *user,
				     struct proxy_memory *memory)
{
	static struct fixed_rand rand;

	fixed_rand_init(&rand, span_str("0123456789abcdef"));
	return (struct proxy_params){
		.kind = kind,
		.user = user,
		.password = user ? "sesame" : NULL,
		.rand = &rand.source,
		.memory = memory,
		.target = { .host = "example.net", .port = 443 },
	};
}

static void on_tunnel(void *arg, enum stream_event event, struct span data, const struct error *err)
{
	struct outcome *o = arg;

	(void)err;
	assert_int_equal(event, STREAM_DATA);
	assert_true(span_equal(data, span_str("hello")));
	o->got_hello = true;
}

static bool got_hello(void *arg)
{
	return ((struct outcome *)arg)->got_hello;
}

/* The stream belongs to somebody else now, in both directions. */
static void check_tunnel(struct outcome *o)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t) "abc", .iov_len = 3 };
	char in[8];

	assert_non_null(o->stream);
	assert_int_equal(write(o->script.fd, "hello", 5), 5);
	stream_attach(o->stream, on_tunnel, o);
	assert_true(turn_until(o->loop, got_hello, o, PATIENCE));
	assert_int_equal(stream_offer(o->stream, &iov, 1), 3);
	assert_int_equal(read(o->script.fd, in, sizeof(in)), 3);
	assert_memory_equal(in, "abc", 3);
}

static const struct {
	enum proxy_kind kind;
	const char *user;
	struct exchange script[3];
	size_t n;
} open_rows[] = {
	{ PROXY_HTTP, NULL, { X(CONNECT "\r\n", OK) }, 1 },
	{ PROXY_HTTPS, "user", { X(CONNECT BASIC "\r\n", OK) }, 1 },
	{ PROXY_HTTP,
	  "user",
	  { X(CONNECT BASIC "\r\n", CHALLENGE "Content-Length: 4\r\n\r\nbody"),
	    X(CONNECT ANSWER "\r\n", OK) },
	  2 },
	{ PROXY_SOCKS4A,
	  NULL,
	  { X("\x04\x01\x01\xBB\x00\x00\x00\x01\x00"
	      "example.net\x00",
	      "\x00\x5A\x00\x00\x00\x00\x00\x00") },
	  1 },
	{ PROXY_SOCKS5H,
	  "user",
	  { X("\x05\x02\x00\x02", "\x05\x02"), X("\x01\x04user\x06sesame", "\x01\x00"),
	    X("\x05\x01\x00\x03\x0B"
	      "example.net\x01\xBB",
	      "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00") },
	  3 },
};

static void test_open_and_handed_over(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * COUNT(open_rows); i++) {
		struct proxy_memory *memory = proxy_memory_new();
		const struct proxy_params params = params_of(open_rows[i / 2].kind,
							     open_rows[i / 2].user, memory);
		struct outcome o;

		outcome_init(&o);
		o.script.drip = i % 2;
		start(&o, &params, open_rows[i / 2].script, open_rows[i / 2].n);
		assert_true(turn_until(o.loop, is_done, &o, PATIENCE));
		assert_int_equal(o.calls, 1);
		check_tunnel(&o);
		outcome_deinit(&o);
		proxy_memory_free(memory);
	}
}

static const struct {
	enum proxy_kind kind;
	const char *user, *host;
	struct exchange script[2];
	size_t n;
	bool close;
	const char *sentence;
	int status, os;
} failed_rows[] = {
	{ PROXY_HTTP,
	  NULL,
	  NULL,
	  { X(CONNECT "\r\n", "HTTP/1.1 502 x\r\n\r\n") },
	  1,
	  false,
	  "the proxy answered with status 502 (it could not reach the target)",
	  502,
	  0 },
	{ PROXY_HTTP,
	  NULL,
	  NULL,
	  { X(CONNECT "\r\n", OK "\x16\x03\x03") },
	  1,
	  false,
	  "the proxy sent data before the tunnel was used",
	  0,
	  0 },
	{ PROXY_HTTP,
	  "user",
	  NULL,
	  { X(CONNECT BASIC "\r\n", CHALLENGE "Content-Length: 0\r\n\r\n"),
	    X(CONNECT ANSWER "\r\n", CHALLENGE "Content-Length: 0\r\n\r\n") },
	  2,
	  false,
	  "the proxy refused the user name or the password",
	  407,
	  0 },
	{ PROXY_HTTP,
	  NULL,
	  NULL,
	  { X(CONNECT "\r\n", "HTTP/1.1 2") },
	  1,
	  true,
	  "the proxy closed the connection before it answered",
	  0,
	  0 },
	{ PROXY_SOCKS5H,
	  NULL,
	  NULL,
	  { X("\x05\x01\x00", "\x05") },
	  1,
	  true,
	  "the proxy closed the connection before it answered",
	  0,
	  0 },
	{ PROXY_SOCKS5H,
	  NULL,
	  NULL,
	  { X("\x05\x01\x00", "\x05\x00"), X("\x05\x01\x00\x03\x0B"
					     "example.net\x01\xBB",
					     "\x05\x05") },
	  2,
	  true,
	  "the proxy could not connect: connection refused",
	  0,
	  0 },
	{ PROXY_HTTP,
	  NULL,
	  "a b",
	  { X("", "") },
	  0,
	  false,
	  "the name of the target is not valid",
	  0,
	  0 },
	{ PROXY_SOCKS5,
	  NULL,
	  NULL,
	  { X("", "") },
	  0,
	  false,
	  "the target has no address that the proxy could be told",
	  0,
	  0 },
};

static bool is_closed(void *arg)
{
	struct outcome *o = arg;
	char byte;

	return recv(o->script.fd, &byte, 1, 0) == 0;
}

static void test_failures(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(failed_rows); i++) {
		struct proxy_memory *memory = proxy_memory_new();
		struct proxy_params params = params_of(failed_rows[i].kind, failed_rows[i].user,
						       memory);
		struct outcome o;

		outcome_init(&o);
		o.script.close_at_end = failed_rows[i].close;
		if (failed_rows[i].host)
			params.target.host = failed_rows[i].host;
		start(&o, &params, failed_rows[i].script, failed_rows[i].n);
		assert_true(turn_until(o.loop, is_done, &o, PATIENCE));
		assert_int_equal(o.calls, 1);
		assert_null(o.stream);
		assert_false(o.again);
		assert_int_equal(o.err.code, ERR_PROXY);
		assert_int_equal(o.err.stage, STAGE_PROXY);
		assert_int_equal(o.err.status, failed_rows[i].status);
		assert_string_equal(o.err.text, failed_rows[i].sentence);
		if (o.script.fd >= 0) /* and nothing more was sent */
			assert_true(turn_until(o.loop, is_closed, &o, PATIENCE));
		outcome_deinit(&o);
		proxy_memory_free(memory);
	}
}

static void test_a_vanished_proxy(void **state)
{
	struct proxy_memory *memory = proxy_memory_new();
	const struct proxy_params params = params_of(PROXY_HTTP, NULL, memory);
	struct outcome o;
	int fds[2];

	(void)state;
	outcome_init(&o);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
			 0);
	close(fds[1]);
	proxy_start(o.loop, fd_stream_new(o.loop, fds[0]), &params, on_done, &o);
	assert_int_equal(o.calls, 0);
	assert_true(turn_until(o.loop, is_done, &o, PATIENCE));
	assert_null(o.stream);
	assert_int_equal(o.err.code, ERR_PROXY);
	assert_int_equal(o.err.stage, STAGE_PROXY);
	assert_true(o.err.os == EPIPE || o.err.os == 0); /* the write, or the end of input */
	outcome_deinit(&o);
	proxy_memory_free(memory);
}

/* It closes after 407: the next connection begins with what the first one has learned. */
static void test_again_on_a_new_connection(void **state)
{
	static const struct exchange first[] = { X(CONNECT BASIC "\r\n", CHALLENGE "\r\n") };
	static const struct exchange second[] = { X(CONNECT ANSWER "\r\n", OK) };
	struct proxy_memory *memory = proxy_memory_new();
	const struct proxy_params params = params_of(PROXY_HTTP, "user", memory);
	struct outcome o;

	(void)state;
	outcome_init(&o);
	start(&o, &params, first, 1);
	assert_true(turn_until(o.loop, is_done, &o, PATIENCE));
	assert_null(o.stream);
	assert_true(o.again);
	assert_string_equal(o.err.text, "the proxy wants authentication on a new connection");
	assert_int_equal(o.err.status, 407);
	start(&o, &params, second, 1);
	assert_true(turn_until(o.loop, is_done, &o, PATIENCE));
	check_tunnel(&o);
	outcome_deinit(&o);
	proxy_memory_free(memory);
}

static bool never(void *arg)
{
	struct outcome *o = arg;

	play(&o->script);
	return false;
}

static void test_cancelled(void **state)
{
	static const struct exchange quiet[] = { X(CONNECT "\r\n", "HTTP/1.1 200") };

	(void)state;
	for (size_t played = 0; played < 3; played++) {
		struct proxy_memory *memory = proxy_memory_new();
		struct proxy_params params = params_of(PROXY_HTTP, NULL, memory);
		struct outcome o;

		if (played == 2)
			params.target.host = ""; /* a failure that was not reported yet */
		outcome_init(&o);
		start(&o, &params, quiet, 1);
		if (played == 1)
			assert_false(turn_until(o.loop, never, &o, 20000));
		proxy_cancel(o.proxy);
		o.script.left = 0;
		if (played == 0) /* the request was on its way */
			assert_int_equal(read(o.script.fd, o.script.in, sizeof(o.script.in)),
					 strlen(CONNECT "\r\n"));
		assert_true(turn_until(o.loop, is_closed, &o, PATIENCE));
		assert_int_equal(o.calls, 0);
		outcome_deinit(&o);
		proxy_memory_free(memory);
	}
	proxy_cancel(NULL);
}

/* A request that the kernel takes only in parts. */
static void test_a_request_larger_than_the_kernel_takes(void **state)
{
	static char agent[40000], in[65536];
	struct proxy_memory *memory = proxy_memory_new();
	struct proxy_params params = params_of(PROXY_HTTP, NULL, memory);
	int fds[2], size = 1;
	struct outcome o;
	size_t have = 0, all = strlen(CONNECT "User-Agent: \r\n\r\n") + sizeof(agent) - 1;

	(void)state;
	memset(agent, 'a', sizeof(agent) - 1);
	params.user_agent = agent;
	outcome_init(&o);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
			 0);
	assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	o.script.left = 1; /* not done yet, and nothing to play */
	o.script.next = &(const struct exchange){ .asked = { NULL, SIZE_MAX } };
	proxy_start(o.loop, fd_stream_new(o.loop, fds[0]), &params, on_done, &o);
	for (int turns = 0; turns < 1000 && have < all; turns++) {
		ssize_t n = read(fds[1], in + have, sizeof(in) - have);

		assert_true(turns > 0 || n < (ssize_t)all);
		have += n > 0 ? (size_t)n : 0;
		turn_until(o.loop, never, &o, 1000);
	}
	assert_int_equal(have, all);
	assert_memory_equal(in + have - 5, "a\r\n\r\n", 5);
	o.script.left = 0;
	o.script.fd = fds[1];
	assert_int_equal(write(fds[1], OK, strlen(OK)), strlen(OK));
	assert_true(turn_until(o.loop, is_done, &o, PATIENCE));
	check_tunnel(&o);
	outcome_deinit(&o);
	proxy_memory_free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_and_handed_over),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_a_vanished_proxy),
		cmocka_unit_test(test_again_on_a_new_connection),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_a_request_larger_than_the_kernel_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
