/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Races between addresses of this host that answer, refuse, or swallow everything. A bound from
 * above is wide, for the machine may be busy; one from below is exact.
 */
#include "net_peer.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "net/happy.h"
#include "net/stream.h"

#define STEP 250000
#define SOON 200000

struct race {
	struct addrinfo ai[16];
	size_t n;
	struct socket_params socket;
	int64_t timeout, began;
	unsigned rotate;
	bool done;
	struct stream *stream;
	struct happy_try tries[HAPPY_MAX];
	char addresses[HAPPY_MAX][128];
	size_t n_tries;
	struct error err;
	int64_t took;
	struct loop *loop;
};

static void race_add(struct race *r, struct address *a)
{
	struct addrinfo *ai = &r->ai[r->n];

	*ai = (struct addrinfo){ .ai_family = a->ss.ss_family,
				 .ai_socktype = SOCK_STREAM,
				 .ai_addr = (struct sockaddr *)&a->ss,
				 .ai_addrlen = a->len };
	if (r->n++)
		ai[-1].ai_next = ai;
}

static void on_end(void *arg, struct stream *stream, const struct happy_try *tries, size_t n,
		   const struct error *err)
{
	struct race *r = arg;

	assert_false(r->done);
	assert_true((stream == NULL) == (err != NULL));
	r->done = true;
	r->stream = stream;
	for (size_t i = 0; i < n; i++) {
		r->tries[i] = tries[i];
		snprintf(r->addresses[i], sizeof(r->addresses[i]), "%s", tries[i].address);
		r->tries[i].address = r->addresses[i];
	}
	r->n_tries = n;
	if (err)
		r->err = *err;
	r->took = loop_now(r->loop) - r->began;
}

static bool is_done(void *arg)
{
	return ((struct race *)arg)->done;
}

static struct happy *race_begin(struct race *r)
{
	struct happy_params params = {
		.list = r->n ? r->ai : NULL,
		.rotate = r->rotate,
		.socket = &r->socket,
		.timeout = r->timeout,
	};
	struct happy *h;

	r->loop = loop_new();
	r->began = loop_now(r->loop);
	h = happy_start(r->loop, &params, on_end, r);
	assert_false(r->done);
	return h;
}

static void race_end(struct race *r)
{
	stream_free(r->stream);
	loop_drain(r->loop);
	loop_free(r->loop);
}

static void race_run(struct race *r)
{
	race_begin(r);
	assert_true(turn_until(r->loop, is_done, r, PATIENCE));
	race_end(r);
}

static void test_first_answers(void **state)
{
	struct address a, b;
	int fd_a = address_open(&a, "127.0.0.1", 8), fd_b = address_open(&b, "127.0.0.2", 8);
	struct race r = { 0 };

	(void)state;
	race_add(&r, &a);
	race_add(&r, &b);
	race_run(&r);
	assert_non_null(r.stream);
	assert_int_equal(r.n_tries, 1); /* nobody bothered the second */
	assert_string_equal(r.tries[0].address, a.text);
	assert_int_equal(r.tries[0].os, 0);
	assert_true(r.tries[0].began >= r.began && r.tries[0].took >= 0);
	close(fd_a);
	close(fd_b);
}

static void test_rotation_begins_elsewhere(void **state)
{
	struct address a[3];
	int fd[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		fd[i] = address_open(&a[i], "127.0.0.1", 8);
	for (unsigned attempt = 0; attempt < 6; attempt++) {
		struct race r = { .rotate = attempt };

		for (int i = 0; i < 3; i++)
			race_add(&r, &a[i]);
		race_run(&r);
		assert_string_equal(r.tries[0].address, a[attempt % 3].text);
	}
	for (int i = 0; i < 3; i++)
		close(fd[i]);
}

/* A refusal is no reason to wait. */
static void test_refusal_starts_the_next_at_once(void **state)
{
	struct address a, b;
	int fd_a = address_open(&a, "127.0.0.1", -1), fd_b = address_open(&b, "127.0.0.2", 8);
	struct race r = { 0 };

	(void)state;
	race_add(&r, &a);
	race_add(&r, &b);
	race_run(&r);
	assert_non_null(r.stream);
	assert_int_equal(r.n_tries, 2);
	assert_int_equal(r.tries[0].os, ECONNREFUSED);
	assert_int_equal(r.tries[1].os, 0);
	assert_true(r.took < SOON);
	close(fd_a);
	close(fd_b);
}

static void test_broken_ipv6(void **state)
{
	struct blackhole six, other;
	struct address four;
	struct race r = { 0 };
	size_t fds;
	int fd;

	(void)state;
	if (!have_ipv6())
		skip();
	blackhole_open(&six, "::1");
	blackhole_open(&other, "::1");
	fd = address_open(&four, "127.0.0.1", 8);
	fds = count_fds();
	race_add(&r, &six.at);
	race_add(&r, &other.at);
	race_add(&r, &four); /* the other family's turn comes second */
	race_run(&r);
	assert_non_null(r.stream);
	assert_int_equal(r.n_tries, 2);
	assert_string_equal(r.tries[0].address, six.at.text);
	assert_int_equal(r.tries[0].os, ECANCELED);
	assert_string_equal(r.tries[1].address, four.text);
	assert_true(r.took >= STEP && r.took < STEP + SOON);
	assert_true(r.tries[1].began - r.tries[0].began >= STEP);
	assert_int_equal(count_fds(), fds);
	blackhole_close(&six);
	blackhole_close(&other);
	close(fd);
}

static void test_each_step_takes_250_ms(void **state)
{
	struct blackhole holes[3];
	struct address alive;
	struct race r = { 0 };
	int fd = address_open(&alive, "127.0.0.1", 8);
	int64_t shortest = PATIENCE;
	size_t fds;

	(void)state;
	for (int i = 0; i < 3; i++) {
		blackhole_open(&holes[i], "127.0.0.1");
		race_add(&r, &holes[i].at);
	}
	race_add(&r, &alive);
	fds = count_fds();
	race_run(&r);
	assert_non_null(r.stream);
	assert_int_equal(r.n_tries, 4);
	for (int i = 0; i < 3; i++) {
		int64_t step = r.tries[i + 1].began - r.tries[i].began;

		assert_int_equal(r.tries[i].os, ECANCELED);
		assert_true(step >= STEP && step < STEP + SOON);
		shortest = step < shortest ? step : shortest;
		assert_true(r.tries[i].took >= STEP * (3 - i));
		blackhole_close(&holes[i]);
	}
	assert_true(shortest < STEP + 30000); /* one of three is not disturbed */
	assert_int_equal(count_fds(), fds - 6);
	close(fd);
}

static void on_heal(void *arg)
{
	blackhole_heal(arg);
}

/* Being overtaken is no reason to be given up. */
static void test_an_early_one_may_still_win(void **state)
{
	struct blackhole first, second;
	struct race r = { 0 };
	struct timer heal;

	(void)state;
	blackhole_open(&first, "127.0.0.1");
	blackhole_open(&second, "127.0.0.1");
	race_add(&r, &first.at);
	race_add(&r, &second.at);
	race_begin(&r);
	timer_init(&heal, r.loop, on_heal, &first);
	timer_arm(&heal, STEP + 100000);
	assert_true(turn_until(r.loop, is_done, &r, PATIENCE));
	assert_non_null(r.stream);
	assert_int_equal(r.tries[0].os, 0);
	assert_int_equal(r.tries[1].os, ECANCELED);
	timer_deinit(&heal);
	race_end(&r);
	blackhole_close(&first);
	blackhole_close(&second);
}

static void test_each_address_has_its_own_bound(void **state)
{
	struct blackhole holes[2];
	struct race r = { .timeout = 400000 };
	char sentence[160];
	size_t fds;

	(void)state;
	for (int i = 0; i < 2; i++) {
		blackhole_open(&holes[i], "127.0.0.1");
		race_add(&r, &holes[i].at);
	}
	fds = count_fds();
	race_run(&r);
	assert_null(r.stream);
	assert_true(r.took >= STEP + r.timeout && r.took < STEP + r.timeout + SOON);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(r.tries[i].os, ETIMEDOUT);
		assert_true(r.tries[i].took >= r.timeout && r.tries[i].took < r.timeout + SOON);
	}
	snprintf(sentence, sizeof(sentence), "connect to %s: Connection timed out (2 addresses)",
		 holes[0].at.text);
	assert_string_equal(r.err.text, sentence);
	assert_int_equal(r.err.code, ERR_CONNECT);
	assert_int_equal(r.err.stage, STAGE_CONNECT);
	assert_int_equal(count_fds(), fds);
	blackhole_close(&holes[0]);
	blackhole_close(&holes[1]);
}

/* Multicast is where TCP cannot go: ENETUNREACH on any host. */
static void test_the_most_useful_error(void **state)
{
	struct address nowhere[2], refusing;
	int fd = address_open(&refusing, "127.0.0.1", -1);
	struct race only = { 0 }, r = { 0 };
	char sentence[160];

	(void)state;
	address_set(&nowhere[0], "224.0.0.1", 443);
	address_set(&nowhere[1], "224.0.0.2", 443);
	race_add(&only, &nowhere[0]);
	race_run(&only);
	assert_string_equal(only.err.text, "connect to 224.0.0.1:443: Network is unreachable");
	race_add(&r, &nowhere[0]);
	race_add(&r, &refusing);
	race_add(&r, &nowhere[1]);
	race_run(&r);
	assert_int_equal(r.n_tries, 3);
	snprintf(sentence, sizeof(sentence), "connect to %s: Connection refused (3 addresses)",
		 refusing.text);
	assert_string_equal(r.err.text, sentence);
	assert_int_equal(r.err.os, ECONNREFUSED);
	assert_int_equal(r.tries[0].os, ENETUNREACH);
	assert_int_equal(r.tries[1].os, ECONNREFUSED);
	assert_int_equal(r.tries[2].os, ENETUNREACH);
	assert_true(r.took < SOON);
	close(fd);
}

static void test_more_than_eight_are_not_tried(void **state)
{
	struct address a[12];
	struct race r = { 0 };
	int fd[12];

	(void)state;
	for (int i = 0; i < 12; i++) {
		fd[i] = address_open(&a[i], "127.0.0.1", -1);
		race_add(&r, &a[i]);
	}
	race_run(&r);
	assert_int_equal(r.n_tries, HAPPY_MAX);
	assert_non_null(strstr(r.err.text, " (8 addresses)"));
	for (int i = 0; i < 12; i++)
		close(fd[i]);
}

static void test_refused_option(void **state)
{
	struct race r = { .socket = { .bind_device = "no-such-dev0" } };
	struct address a;

	(void)state;
	address_set(&a, "127.0.0.1", 9);
	race_add(&r, &a);
	race_run(&r);
	assert_string_equal(r.err.text,
			    "connect to 127.0.0.1:9: option socket.bind_device: No such device");
	assert_string_equal(r.err.option, "socket.bind_device");
	assert_int_equal(r.tries[0].os, ENODEV);
}

static void test_wrong_family(void **state)
{
	struct race r = { .socket = { .family = SOCKET_IPV6 } };
	struct address a;

	(void)state;
	address_set(&a, "127.0.0.1", 9);
	race_add(&r, &a);
	race_run(&r);
	assert_int_equal(r.n_tries, 0);
	assert_string_equal(r.err.text, "no address of the family that is asked for");
}

static void test_out_of_descriptors(void **state)
{
	struct rlimit old, tight;
	struct race r = { 0 };
	struct address a;

	(void)state;
	address_set(&a, "127.0.0.1", 9);
	race_add(&r, &a);
	race_begin(&r);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	tight = old;
	tight.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	assert_true(turn_until(r.loop, is_done, &r, PATIENCE));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	race_end(&r);
	assert_string_equal(r.err.text, "connect to 127.0.0.1:9: socket: Too many open files");
}

static bool time_is_up(void *arg)
{
	(void)arg;
	return false;
}

static void test_cancelled_races_say_nothing(void **state)
{
	struct address alive, refusing;
	struct blackhole holes[2];
	int fds[2] = { address_open(&alive, "127.0.0.1", 8),
		       address_open(&refusing, "127.0.0.1", -1) };
	size_t before;

	(void)state;
	blackhole_open(&holes[0], "127.0.0.1");
	blackhole_open(&holes[1], "127.0.0.1");
	before = count_fds();
	for (int64_t wait = 0; wait <= 600000; wait += 100000) {
		struct race r = { 0 };
		struct happy *h;
		const struct happy_try *tries;
		size_t n;

		race_add(&r, &refusing);
		race_add(&r, &holes[0].at);
		race_add(&r, &holes[1].at);
		h = race_begin(&r);
		if (wait)
			turn_until(r.loop, time_is_up, NULL, wait);
		tries = happy_tries(h, &n);
		if (wait == 0)
			assert_int_equal(n, 0);
		if (wait == 600000) {
			assert_int_equal(n, 3);
			assert_int_equal(tries[0].os, ECONNREFUSED);
			assert_int_equal(tries[1].os, EINPROGRESS);
			assert_true(tries[1].took >= tries[2].took + STEP);
		}
		happy_cancel(h);
		turn_until(r.loop, time_is_up, NULL, 1000);
		assert_false(r.done);
		race_end(&r);
	}
	happy_cancel(NULL);
	assert_int_equal(count_fds(), before);
	blackhole_close(&holes[0]);
	blackhole_close(&holes[1]);
	close(fds[0]);
	close(fds[1]);
}

/*
 * In a network of its own where the kernel has one port to give: the one that is dialed. 77:
 * there can be none here.
 */
static int dial_the_only_port(void)
{
	struct race r = { 0 };
	struct address a;

	if (!own_network() || !write_file("/proc/sys/net/ipv4/ip_local_port_range", "40001 40001"))
		return 77;
	address_set(&a, "127.0.0.1", 40001);
	race_add(&r, &a);
	race_run(&r);
	if (r.stream)
		return 1;
	return r.err.os == ECONNREFUSED ? 0 : 2;
}

static void test_does_not_meet_itself(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0)
		_exit(dial_the_only_port());
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_answers),
		cmocka_unit_test(test_rotation_begins_elsewhere),
		cmocka_unit_test(test_refusal_starts_the_next_at_once),
		cmocka_unit_test(test_broken_ipv6),
		cmocka_unit_test(test_each_step_takes_250_ms),
		cmocka_unit_test(test_an_early_one_may_still_win),
		cmocka_unit_test(test_each_address_has_its_own_bound),
		cmocka_unit_test(test_the_most_useful_error),
		cmocka_unit_test(test_more_than_eight_are_not_tried),
		cmocka_unit_test(test_refused_option),
		cmocka_unit_test(test_wrong_family),
		cmocka_unit_test(test_out_of_descriptors),
		cmocka_unit_test(test_cancelled_races_say_nothing),
		cmocka_unit_test(test_does_not_meet_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
