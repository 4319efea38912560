/* SPDX-License-Identifier: Apache-2.0 */
/* Who dials when, and who may shake hands: limits, order, and leaving the queue. */
#include "dial_test.h"

#include "dial_peer.h"
#include "net/dialer_int.h"

enum { WAITING_MAX = 64 };

struct bench;

struct waiter {
	struct bench *bench;
	struct dialer_turn turn;
	size_t number;
	bool again; /* asks once more when it is its turn */
	bool asked; /* and has done so in this turn of the loop */
	struct deferred turn_over;
	struct waiter *dismiss; /* leaves then */
};

struct bench {
	struct loop *loop;
	struct dialer *dialer;
	bool inside; /* a call of ours into the dialer */
	struct waiter waiters[WAITING_MAX];
	size_t n_served, order[WAITING_MAX], expected;
	int64_t at[WAITING_MAX];
};

static void wait_turn(struct waiter *w);

static void on_turn_over(void *arg)
{
	((struct waiter *)arg)->asked = false;
}

static void on_turn(void *arg)
{
	struct waiter *w = arg;
	struct bench *b = w->bench;

	assert_false(b->inside);
	assert_false(w->asked);
	assert_null(w->turn.dialer);
	b->at[b->n_served] = loop_now(b->loop);
	b->order[b->n_served++] = w->number;
	if (w->dismiss)
		dialer_leave(&w->dismiss->turn);
	if (w->again) {
		w->again = false;
		w->asked = true;
		loop_defer(b->loop, &w->turn_over);
		wait_turn(w);
	}
}

static void wait_turn(struct waiter *w)
{
	w->bench->inside = true;
	dialer_wait_turn(w->bench->dialer, &w->turn, on_turn, w);
	w->bench->inside = false;
}

static bool all_served(void *arg)
{
	struct bench *b = arg;

	return b->n_served >= b->expected;
}

static void serve(struct bench *b, size_t n)
{
	b->expected = n;
	assert_true(turn_until(b->loop, all_served, b, PATIENCE));
	assert_int_equal(b->n_served, n);
}

static void waiter_init(struct waiter *w, struct bench *b, size_t number)
{
	*w = (struct waiter){ .bench = b, .number = number };
	deferred_init(&w->turn_over, on_turn_over, w);
}

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->loop = loop_new();
	b->dialer = dialer_new(b->loop);
	for (size_t i = 0; i < WAITING_MAX; i++)
		waiter_init(&b->waiters[i], b, i);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < WAITING_MAX; i++)
		dialer_leave(&b->waiters[i].turn);
	loop_drain(b->loop);
	dialer_free(b->dialer);
	loop_free(b->loop);
	free(b);
	return 0;
}

static void without_a_limit_all_go_in_their_order(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < 20; i++)
		wait_turn(&b->waiters[i]);
	assert_int_equal(b->n_served, 0);
	serve(b, 20);
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(b->order[i], i);
}

static void who_leaves_is_not_called(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < 6; i++)
		wait_turn(&b->waiters[i]);
	dialer_leave(&b->waiters[0].turn);
	dialer_leave(&b->waiters[0].turn);
	dialer_leave(&b->waiters[5].turn);
	b->waiters[2].dismiss = &b->waiters[3]; /* it would have been the next */
	serve(b, 3);
	turn_until(b->loop, all_served, &(struct bench){ .expected = 1 }, 5000);
	assert_int_equal(b->n_served, 3);
	assert_int_equal(b->order[0], 1);
	assert_int_equal(b->order[1], 2);
	assert_int_equal(b->order[2], 4);
}

static void who_asks_again_stands_at_the_end(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < 3; i++)
		wait_turn(&b->waiters[i]);
	b->waiters[0].again = true;
	wait_turn(&b->waiters[1]); /* so does who asks twice: one call */
	serve(b, 4);
	assert_int_equal(b->order[0], 0);
	assert_int_equal(b->order[1], 2);
	assert_int_equal(b->order[2], 1);
	assert_int_equal(b->order[3], 0);
}

/* No tenth of a second holds more than `most`, and the whole takes at least its time. */
static void check_spread(const struct bench *b, size_t most, int64_t least)
{
	for (size_t i = 0; i + most < b->n_served; i++)
		assert_true(b->at[i + most] - b->at[i] >= 100000);
	assert_true(b->at[b->n_served - 1] - b->at[0] >= least);
}

static void a_rate_spreads_them(void **state)
{
	struct bench *b = *state;

	dialer_set_limits(b->dialer, 80, 0);
	for (size_t i = 0; i < 60; i++)
		wait_turn(&b->waiters[i]);
	serve(b, 60);
	for (size_t i = 0; i < 60; i++)
		assert_int_equal(b->order[i], i);
	/* 20 at once, 8 in each further tenth */
	check_spread(b, 20 + 8 + 2, (60 - 20) * 1000000 / 80 - 20000);
	assert_true(b->at[19] - b->at[0] < 100000);
}

static void a_low_rate_lets_one_go_at_a_time(void **state)
{
	struct bench *b = *state;

	dialer_set_limits(b->dialer, 3, 0);
	for (size_t i = 0; i < 3; i++)
		wait_turn(&b->waiters[i]);
	serve(b, 3);
	assert_true(b->at[1] - b->at[0] >= 330000);
	assert_true(b->at[2] - b->at[1] >= 330000);
}

static void another_limit_holds_at_once(void **state)
{
	struct bench *b = *state;

	dialer_set_limits(b->dialer, 1, 0);
	for (size_t i = 0; i < 10; i++)
		wait_turn(&b->waiters[i]);
	serve(b, 1);
	dialer_set_limits(b->dialer, 0, 0);
	serve(b, 10);
	assert_true(b->at[9] - b->at[0] < 900000);
}

/* The places of handshakes, without a handshake. */
struct place {
	struct bench *bench;
	struct dialer_tls tls;
	size_t number;
};

static void on_place(void *arg)
{
	struct place *p = arg;

	assert_false(p->bench->inside);
	assert_int_equal(p->tls.state, DIALER_TLS_BUSY);
	p->bench->at[p->bench->n_served] = loop_now(p->bench->loop);
	p->bench->order[p->bench->n_served++] = p->number;
}

static void places_init(struct bench *b, struct place *places, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		places[i] = (struct place){ .bench = b, .number = i };
		dialer_tls_init(&places[i].tls, b->dialer, on_place, &places[i]);
	}
}

static void leave_place(struct place *p)
{
	p->bench->inside = true;
	dialer_tls_leave(&p->tls);
	dialer_tls_leave(&p->tls);
	p->bench->inside = false;
}

static void handshakes_have_a_number_of_places(void **state)
{
	struct bench *b = *state;
	struct place p[6];

	places_init(b, p, 6);
	dialer_set_limits(b->dialer, 0, 2);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(dialer_tls_enter(&p[i].tls), i < 2);
	leave_place(&p[3]); /* it waits no more */
	leave_place(&p[0]);
	serve(b, 1);
	assert_int_equal(b->order[0], 2);
	assert_false(dialer_tls_enter(&p[0].tls)); /* at the end again */
	leave_place(&p[1]);
	leave_place(&p[2]);
	serve(b, 3);
	assert_int_equal(b->order[1], 4);
	assert_int_equal(b->order[2], 5);
	dialer_set_limits(b->dialer, 0, 3);
	serve(b, 4);
	assert_int_equal(b->order[3], 0);
	assert_true(b->at[3] - b->at[2] < DIALER_TLS_HOLD - 100000); /* at once, not by and by */
	for (size_t i = 0; i < 6; i++)
		dialer_tls_deinit(&p[i].tls);
	assert_int_equal(b->dialer->tls_busy, 0);
}

/* A place is free again between leaving it and the end of the turn: nobody may jump the queue. */
static void nobody_passes_those_who_wait(void **state)
{
	struct bench *b = *state;
	struct place p[3];

	places_init(b, p, 3);
	dialer_set_limits(b->dialer, 0, 1);
	assert_true(dialer_tls_enter(&p[0].tls));
	assert_false(dialer_tls_enter(&p[1].tls));
	leave_place(&p[0]);
	assert_false(dialer_tls_enter(&p[2].tls));
	serve(b, 1);
	assert_int_equal(b->order[0], 1);
	for (size_t i = 0; i < 3; i++)
		dialer_tls_deinit(&p[i].tls);
}

static void a_place_is_held_for_a_second(void **state)
{
	struct bench *b = *state;
	int64_t began = loop_now(b->loop);
	struct place p[2];

	places_init(b, p, 2);
	dialer_set_limits(b->dialer, 0, 1);
	assert_true(dialer_tls_enter(&p[0].tls));
	assert_false(dialer_tls_enter(&p[1].tls));
	serve(b, 1);
	assert_true(b->at[0] - began >= DIALER_TLS_HOLD);
	assert_int_equal(p[0].tls.state, DIALER_TLS_IDLE);
	assert_int_equal(b->dialer->tls_busy, 1);
	for (size_t i = 0; i < 2; i++)
		dialer_tls_deinit(&p[i].tls);
}

/* The second of an earlier place has nothing to say to one that waits. */
static void who_comes_back_waits_as_long_as_it_takes(void **state)
{
	struct bench *b = *state;
	struct place p[2];

	places_init(b, p, 2);
	dialer_set_limits(b->dialer, 0, 1);
	assert_true(dialer_tls_enter(&p[0].tls));
	leave_place(&p[0]);
	assert_true(dialer_tls_enter(&p[1].tls));
	assert_false(dialer_tls_enter(&p[0].tls));
	serve(b, 1);
	assert_int_equal(b->order[0], 0);
	for (size_t i = 0; i < 2; i++)
		dialer_tls_deinit(&p[i].tls);
}

static void begin_attempt(struct bench *b, struct attempt *t, const struct dial_params *params)
{
	memset(t, 0, sizeof(*t));
	t->loop = b->loop;
	t->dialer = b->dialer;
	t->dial = dial_start(b->dialer, params, on_dialed, t);
}

static bool is_at_tls(void *arg)
{
	struct attempt *t = arg;

	return dial_report(t->dial)->took[STAGE_TLS] >= 0;
}

static bool is_at_proxy(void *arg)
{
	struct attempt *t = arg;

	return dial_report(t->dial)->took[STAGE_PROXY] >= 0;
}

static void expect_waiting(struct attempt *t, enum stage stage, const char *who)
{
	struct error err = ERROR_INIT;
	char text[200];

	assert_false(dial_timed_out(t->dial, &err));
	snprintf(text, sizeof(text), "%s: waited for its turn (limits.tls_handshakes)", who);
	assert_string_equal(err.text, text);
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_int_equal(err.stage, stage);
}

/* The second dial is connected, and does not begin its handshake before the first is given up. */
static void a_dial_waits_for_its_place(void **state)
{
	static const struct act silent[] = { { ACCEPT, 0, 0 }, { HOLD, 0, 0 }, { END, 0, 0 } };
	static const struct act good[] = {
		{ ACCEPT, 0, 0 }, { SHAKE, 0, 0 }, { HOLD, 0, 0 }, { END, 0, 0 }
	};
	struct bench *b = *state;
	struct dial_peer one, two;
	struct dial_params params = { .host = "127.0.0.1", .tls = tls };
	struct attempt first, second;
	struct error err = ERROR_INIT;

	dialer_set_limits(b->dialer, 0, 1);
	peer_start(&one, silent);
	peer_start(&two, good);
	params.port = one.at.port;
	begin_attempt(b, &first, &params);
	assert_true(turn_until(b->loop, is_at_tls, &first, PATIENCE));
	params.port = two.at.port;
	begin_attempt(b, &second, &params);
	assert_true(turn_until(b->loop, is_at_tls, &second, PATIENCE));
	assert_false(turn_until(b->loop, attempt_is_done, &second, 20000));
	expect_waiting(&second, STAGE_TLS, "TLS with 127.0.0.1");
	dial_timed_out(first.dial, &err);
	assert_string_equal(err.text, "TLS with 127.0.0.1: handshake: not done in time");
	dial_cancel(first.dial);
	assert_true(turn_until(b->loop, attempt_is_done, &second, PATIENCE));
	assert_non_null(second.stream);
	assert_string_equal(second.tls_version, "TLSv1.3");
	assert_int_equal(b->dialer->tls_busy, 0);
	stream_free(second.stream);
	peer_stop(&one);
	peer_stop(&two);
}

/* TLS with a proxy needs one, and so does the server's behind it; who waits may be cancelled. */
static void tls_with_a_proxy_needs_a_place_too(void **state)
{
	static const struct act script[] = { { ACCEPT, 0, 0 },	 { SHAKE, 0, 0 }, { HEAD, 0, 0 },
					     { SEND, OK200, 0 }, { SHAKE, 0, 0 }, { HOLD, 0, 0 },
					     { END, 0, 0 } };
	struct bench *b = *state;
	struct dial_peer peer;
	struct dial_proxy proxy;
	struct dial_params params = { .host = "example.test", .port = 443, .proxy = &proxy };
	struct attempt waiting, served;
	struct place other;
	char who[120];

	places_init(b, &other, 1);
	dialer_set_limits(b->dialer, 0, 1);
	assert_true(dialer_tls_enter(&other.tls));
	peer_start(&peer, script);
	proxy = proxy_at(&peer, PROXY_HTTPS);
	proxy.tls = params.tls = tls;
	begin_attempt(b, &served, &params);
	assert_true(turn_until(b->loop, is_at_proxy, &served, PATIENCE));
	begin_attempt(b, &waiting, &params);
	assert_true(turn_until(b->loop, is_at_proxy, &waiting, PATIENCE));
	snprintf(who, sizeof(who), "proxy %s", peer.at.text);
	expect_waiting(&served, STAGE_PROXY, who);
	expect_waiting(&waiting, STAGE_PROXY, who);
	dial_cancel(waiting.dial);
	dialer_tls_leave(&other.tls);
	assert_true(turn_until(b->loop, attempt_is_done, &served, PATIENCE));
	assert_non_null(served.stream);
	assert_string_equal(served.proxy_tls_version, "TLSv1.3");
	assert_string_equal(served.tls_version, "TLSv1.3");
	assert_int_equal(b->dialer->tls_busy, 0);
	stream_free(served.stream);
	dialer_tls_deinit(&other.tls);
	peer_stop(&peer);
}

/* A handshake that fails gives its place back. */
static void a_failure_frees_the_place(void **state)
{
	static const struct act script[] = {
		{ ACCEPT, 0, 0 }, { SEND, "no TLS here\r\n", 0 }, { HOLD, 0, 0 }, { END, 0, 0 }
	};
	struct bench *b = *state;
	struct dial_peer peer;
	struct dial_params params = { .host = "127.0.0.1", .tls = tls };
	struct attempt t;

	dialer_set_limits(b->dialer, 0, 1);
	peer_start(&peer, script);
	params.port = peer.at.port;
	begin_attempt(b, &t, &params);
	assert_true(turn_until(b->loop, attempt_is_done, &t, PATIENCE));
	assert_int_equal(t.err.code, ERR_TLS);
	assert_int_equal(b->dialer->tls_busy, 0);
	peer_stop(&peer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_a_limit_all_go_in_their_order),
		TEST(who_leaves_is_not_called),
		TEST(who_asks_again_stands_at_the_end),
		TEST(a_rate_spreads_them),
		TEST(a_low_rate_lets_one_go_at_a_time),
		TEST(another_limit_holds_at_once),
		TEST(handshakes_have_a_number_of_places),
		TEST(nobody_passes_those_who_wait),
		TEST(a_place_is_held_for_a_second),
		TEST(who_comes_back_waits_as_long_as_it_takes),
		TEST(a_dial_waits_for_its_place),
		TEST(tls_with_a_proxy_needs_a_place_too),
		TEST(a_failure_frees_the_place),
	};

	return cmocka_run_group_tests(tests, make_tls, drop_tls);
}
