/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resolving and connecting over loopback: success, refusal, unknown names, cancelling at
 * every stage.
 */
#include "net_test.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "net/dial.h"
#include "net/resolve.h"
#include "net/stream.h"

struct attempt {
	bool done;
	struct stream *stream;
	char peer[80];
	struct error err;
};

static void on_dialed(void *arg, struct stream *stream, const char *peer, const struct error *err)
{
	struct attempt *t = arg;

	assert_false(t->done);
	t->done = true;
	t->stream = stream;
	snprintf(t->peer, sizeof(t->peer), "%s", peer);
	if (err)
		t->err = *err;
}

static bool is_done(void *arg)
{
	return ((struct attempt *)arg)->done;
}

/* A port on 127.0.0.1; listening, or free but refused. */
static int local_port(bool listening, uint16_t *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	if (listening)
		assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	*port = ntohs(addr.sin_port);
	return fd;
}

static void dial_once(const char *host, uint16_t port, struct attempt *t)
{
	struct loop *l = loop_new();
	struct dialer *dialer = dialer_new(l);
	struct dial_params params = {
		.host = host, .port = port, .connect_timeout = PATIENCE, .nodelay = true
	};

	dial_start(dialer, &params, on_dialed, t);
	assert_false(t->done); /* never from inside the call */
	assert_true(turn_until(l, is_done, t, PATIENCE));
	stream_free(t->stream);
	loop_drain(l);
	dialer_free(dialer);
	loop_free(l);
}

static void test_connects(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost" };
	uint16_t port;
	int fd = local_port(true, &port);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct attempt t = { 0 };
		char peer[32];

		dial_once(hosts[i], port, &t);
		assert_non_null(t.stream);
		snprintf(peer, sizeof(peer), "127.0.0.1:%u", (unsigned)port);
		assert_string_equal(t.peer, peer);
	}
	close(fd);
}

static void test_refused(void **state)
{
	struct attempt t = { 0 };
	char sentence[64];
	uint16_t port;
	int fd = local_port(false, &port);

	(void)state;
	dial_once("127.0.0.1", port, &t);
	assert_null(t.stream);
	assert_int_equal(t.err.code, ERR_CONNECT);
	assert_int_equal(t.err.stage, STAGE_CONNECT);
	snprintf(sentence, sizeof(sentence), "connect to 127.0.0.1:%u: Connection refused",
		 (unsigned)port);
	assert_string_equal(t.err.text, sentence);
	close(fd);
}

static void test_unknown_name(void **state)
{
	struct attempt t = { 0 };

	(void)state;
	dial_once("no-such-host.invalid", 80, &t);
	assert_null(t.stream);
	assert_int_equal(t.err.code, ERR_ADDRESS);
	assert_int_equal(t.err.stage, STAGE_RESOLVE);
	assert_non_null(strstr(t.err.text, "resolve no-such-host.invalid: "));
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

struct cancelled {
	bool reported, cancelled;
};

static void on_maybe(void *arg, struct stream *stream, const char *peer, const struct error *err)
{
	struct cancelled *c = arg;

	(void)peer;
	(void)err;
	assert_false(c->cancelled);
	c->reported = true;
	stream_free(stream);
}

static void test_cancelled_dials_say_nothing(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost", "no-such-host.invalid" };
	struct loop *l = loop_new();
	struct dialer *dialer = dialer_new(l);
	struct cancelled c[30] = { 0 };
	uint16_t port;
	int fd = local_port(true, &port);

	(void)state;
	for (size_t i = 0; i < 30; i++) {
		struct dial_params params = { .host = hosts[i % 3], .port = port };
		struct dial *d = dial_start(dialer, &params, on_maybe, &c[i]);

		if (i % 2) /* some have got far by then, some are over, some have not begun */
			turn_until(l, never, NULL, (int64_t)i * 50);
		if (!c[i].reported)
			dial_cancel(d);
		c[i].cancelled = true;
	}
	turn_until(l, never, NULL, 20000);
	dialer_free(dialer);
	loop_free(l);
	close(fd);
}

static int resolved;

static void on_resolved(void *arg, struct addrinfo *list, const struct error *err)
{
	(void)arg;
	(void)err;
	if (list)
		freeaddrinfo(list);
	resolved++;
}

static bool all_resolved(void *arg)
{
	return resolved == *(int *)arg;
}

static void test_many_names_through_few_threads(void **state)
{
	struct loop *l = loop_new();
	struct resolver *r = resolver_new(l);
	int n = 200;

	(void)state;
	resolved = 0;
	for (int i = 0; i < n; i++)
		assert_non_null(
			resolve_start(r, i % 2 ? "localhost" : "127.0.0.1", 80, on_resolved, NULL));
	assert_true(turn_until(l, all_resolved, &n, PATIENCE));
	resolver_free(r);
	loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connects),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_unknown_name),
		cmocka_unit_test(test_cancelled_dials_say_nothing),
		cmocka_unit_test(test_many_names_through_few_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
