/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dial whose far end says nothing is given up at each of its stages: it knows where it stood,
 * says nothing afterwards and leaves nothing behind.
 */
#include "dial_test.h"

#include <errno.h>

#include "dial_peer.h"

/* A far end that says nothing; the dial is given up when it has got to the stage. */
struct silence {
	struct act script[8];
	bool with_proxy, with_tls, shaken;
	enum proxy_kind kind;
	enum stage stage;
	const char *sentence; /* @: the peer's address */
};

struct reaching {
	struct attempt *t;
	enum stage stage;
	bool shaken; /* with the proxy, too */
};

static bool has_reached(void *arg)
{
	struct reaching *r = arg;

	const struct dial_report *report = dial_report(r->t->dial);

	return report->took[r->stage] > 20000 && (!r->shaken || report->proxy_tls);
}

static bool time_is_up(void *arg)
{
	(void)arg;
	return false;
}

static void expand(char text[300], const char *sentence, const char *address)
{
	size_t n = 0;

	for (const char *c = sentence; *c; c++)
		n += (size_t)snprintf(text + n, 300 - n, "%.*s", *c == '@' ? 80 : 1,
				      *c == '@' ? address : c);
}

static void check_silence(const struct silence *s)
{
	struct dial_peer peer;
	struct dial_proxy proxy;
	struct dial_params params = { .host = "127.0.0.1" };
	struct attempt t;
	struct reaching r = { .t = &t, .stage = s->stage, .shaken = s->shaken };
	struct error err = ERROR_INIT;
	size_t fds = count_fds();
	char text[300];

	peer_start(&peer, s->script);
	proxy = proxy_at(&peer, s->kind);
	proxy.tls = tls;
	params.port = peer.at.port;
	params.proxy = s->with_proxy ? &proxy : NULL;
	params.tls = s->with_tls ? tls : NULL;
	attempt_begin(&t, &params);
	assert_true(turn_until(t.loop, has_reached, &r, PATIENCE));
	assert_false(dial_timed_out(t.dial, &err));
	expand(text, s->sentence, peer.at.text);
	assert_string_equal(err.text, text);
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_int_equal(err.stage, s->stage);
	dial_cancel(t.dial);
	turn_until(t.loop, time_is_up, NULL, 5000);
	assert_false(t.done);
	t.done = true;
	attempt_end(&t);
	peer_stop(&peer);
	assert_int_equal(count_fds(), fds);
}

static void test_given_up_at_each_stage(void **state)
{
	static const struct silence rows[] = {
		{ .script = { { ACCEPT, 0, 0 }, { HOLD, 0, 0 } },
		  .with_tls = true,
		  .stage = STAGE_TLS,
		  .sentence = "TLS with 127.0.0.1: handshake: not done in time" },
		{ .script = { { ACCEPT, 0, 0 }, { HOLD, 0, 0 } },
		  .with_proxy = true,
		  .kind = PROXY_HTTP,
		  .stage = STAGE_PROXY,
		  .sentence = "proxy @: no way to @ in time" },
		{ .script = { { ACCEPT, 0, 0 }, { HOLD, 0, 0 } },
		  .with_proxy = true,
		  .kind = PROXY_SOCKS5,
		  .stage = STAGE_PROXY,
		  .sentence = "proxy @: no way to @ in time" },
		{ .script = { { ACCEPT, 0, 0 }, { HOLD, 0, 0 } },
		  .with_proxy = true,
		  .kind = PROXY_HTTPS,
		  .stage = STAGE_PROXY,
		  .sentence = "proxy @: TLS handshake: not done in time" },
		{ .script = { { ACCEPT, 0, 0 }, { SHAKE, 0, 0 }, { HOLD, 0, 0 } },
		  .with_proxy = true,
		  .kind = PROXY_HTTPS,
		  .stage = STAGE_PROXY,
		  .shaken = true,
		  .sentence = "proxy @: no way to @ in time" },
		{ .script = { { ACCEPT, 0, 0 },
			      { HEAD, 0, 0 },
			      { SEND, OK200, 0 },
			      { HOLD, 0, 0 } },
		  .with_proxy = true,
		  .with_tls = true,
		  .kind = PROXY_HTTP,
		  .stage = STAGE_TLS,
		  .sentence = "TLS with 127.0.0.1: handshake: not done in time" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_silence(&rows[i]);
}

static void test_given_up_while_connecting(void **state)
{
	struct dial_proxy proxy = { .kind = PROXY_HTTP, .host = "127.0.0.1" };
	struct dial_params params = { .host = "127.0.0.1" };
	struct blackhole b;
	size_t fds;

	(void)state;
	blackhole_open(&b, "127.0.0.1");
	fds = count_fds();
	for (int i = 0; i < 2; i++) {
		struct attempt t;
		struct reaching r = { .t = &t, .stage = STAGE_CONNECT };
		struct error err = ERROR_INIT;
		const struct dial_report *report;
		char text[160];

		proxy.port = params.port = b.at.port;
		params.proxy = i ? &proxy : NULL;
		attempt_begin(&t, &params);
		assert_true(turn_until(t.loop, has_reached, &r, PATIENCE));
		report = dial_report(t.dial);
		assert_int_equal(report->n_tries, 1);
		assert_int_equal(report->tries[0].os, EINPROGRESS);
		assert_true(report->tries[0].took > 0);
		assert_string_equal(report->peer, "");
		dial_timed_out(t.dial, &err);
		snprintf(text, sizeof(text),
			 i ? "proxy %s: connect: not done in time" :
			     "connect to %s: not done in time",
			 b.at.text);
		assert_string_equal(err.text, text);
		assert_int_equal(err.stage, STAGE_CONNECT);
		attempt_end(&t);
	}
	assert_int_equal(count_fds(), fds);
	blackhole_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_given_up_at_each_stage),
		cmocka_unit_test(test_given_up_while_connecting),
	};

	return cmocka_run_group_tests(tests, make_tls, drop_tls);
}
